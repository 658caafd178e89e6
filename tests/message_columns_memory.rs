//! Columnar files of messages are grouped on disk: memory does not grow with the file. A process of its own, so that
//! nothing else adds to the peak that is read.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use zhijian::input::{InputOptions, Item, Limits, Reader};

/// The most memory this process has had so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Twenty messages a conversation, each in another batch.
fn write(path: &Path, conversations: usize) {
    let mut writer = None;
    for turn in 0..20 {
        for from in (0..conversations).step_by(2_000) {
            let ids = from..from + 2_000;
            let column = |text: &dyn Fn(usize) -> String| -> ArrayRef {
                Arc::new(StringArray::from_iter_values(ids.clone().map(text)))
            };
            let batch = RecordBatch::try_from_iter([
                ("会话ID", column(&|n| format!("c{n}"))),
                ("角色", column(&|_| ["客服", "客户"][turn % 2].into())),
                ("内容", column(&|n| format!("{n} 的第 {turn} 条:亲,这个订单我帮您催一下仓库,请稍等"))),
            ])
            .unwrap();
            let file = || ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
            let writer = writer.get_or_insert_with(file);
            writer.write(&batch).unwrap();
            // rows that wait to be written are not what is measured
            if turn % 4 == 3 {
                writer.flush().unwrap();
            }
        }
    }
    writer.unwrap().close().unwrap();
}

#[test]
fn six_times_the_rows_take_no_more_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let limits = Limits { grouped_in_memory_bytes: 4 << 20, ..Limits::default() };
    let peaks = [8_000, 48_000].map(|conversations| {
        write(&path, conversations);
        let options = InputOptions { limits, ..InputOptions::default() };
        let mut reader = Reader::open(&[path.display().to_string()], options).unwrap();
        let (mut met, mut turns) = (0, 0);
        while let Some(block) = reader.next_block(Vec::new()).unwrap() {
            block.visit(&mut |item| match item {
                Item::Conversation { conversation, .. } => {
                    met += 1;
                    turns += conversation.turns.len();
                }
                Item::Reject(reject) => panic!("{reject:?}"),
            });
        }
        assert_eq!((met, turns), (conversations, conversations * 20));
        peak()
    });
    // the text of 800,000 rows more is some 90 MB
    assert!(peaks[1] < peaks[0] + 24 * 1024, "{peaks:?} KiB");
}
