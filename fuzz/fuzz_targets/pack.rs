#![no_main]

zhijian_fuzz::target!(pack);
