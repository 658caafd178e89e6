#![no_main]

zhijian_fuzz::target!(csv_cells);
