#![no_main]

zhijian_fuzz::target!(normalise);
