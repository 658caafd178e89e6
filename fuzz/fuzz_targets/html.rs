#![no_main]

zhijian_fuzz::target!(html);
