//! The workbook's rows go to disk as they are written: its memory does not grow with the findings. A process of its own,
//! so that nothing else adds to the peak that is read.
#![cfg(target_os = "linux")]

mod common;

use std::io::Write;

use common::{lines, with_night};
use zhijian::report::workbook::{self, Sources};

/// The most memory this process has had so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn sixteen_times_the_findings_take_no_more_memory() {
    with_night(|night, folder| {
        let jsonl = folder.join("conversations.jsonl");
        let once = std::fs::read(&jsonl).unwrap();
        let found: usize = lines(&once).iter().map(|r| r["findings"].as_array().unwrap().len()).sum();
        let mut sizes = Vec::new();
        let peaks = [3_000usize, 48_000].map(|findings| {
            let mut file = std::io::BufWriter::new(std::fs::File::create(&jsonl).unwrap());
            for _ in 0..findings.div_ceil(found) {
                file.write_all(&once).unwrap();
            }
            file.flush().unwrap();
            let sources = Sources { conversations: Some(&jsonl), folder: Some(folder), ..Sources::default() };
            let path = folder.join("findings.xlsx");
            workbook::write(&mut std::fs::File::create(&path).unwrap(), night, &sources).unwrap();
            sizes.push(std::fs::metadata(&path).unwrap().len());
            peak()
        });
        assert!(sizes[1] > 8 * sizes[0], "the rows are there: {sizes:?} bytes");
        // 45,000 rows kept in memory would take more than this by a long way.
        assert!(peaks[1] < peaks[0] + 16 * 1024, "{peaks:?} KiB");
    });
}
