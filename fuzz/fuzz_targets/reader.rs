#![no_main]

zhijian_fuzz::target!(reader);
