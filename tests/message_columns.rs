//! Columnar files of messages that are more than is grouped in memory: what they hold is what the same rows as text hold.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use common::{lines, zhijian};
use parquet::arrow::ArrowWriter;

const ROWS: u64 = 80_000;
const BATCH: u64 = 5_000;

/// A row's id, role and text; of the ids some are missing, of the roles some unknown.
fn row(n: u64) -> (String, &'static str, String) {
    let id = if n % 9_973 == 5 { String::new() } else { format!("c{}", n * 7_919 % 9_000) };
    let role = ["客服", "客户", "客户", "谁"][if n % 20_011 == 7 { 3 } else { (n % 3) as usize }];
    (id, role, format!("第 {n} 条,{}", "亲,这个订单我帮您催一下仓库,请稍等".repeat(20)))
}

fn batch(from: u64) -> RecordBatch {
    let rows: Vec<_> = (from..from + BATCH).map(row).collect();
    let column = |texts: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
    RecordBatch::try_from_iter([
        ("会话ID", column(rows.iter().map(|r| &*r.0).collect())),
        ("角色", column(rows.iter().map(|r| r.1).collect())),
        ("内容", column(rows.iter().map(|r| &*r.2).collect())),
    ])
    .unwrap()
}

fn batches() -> impl Iterator<Item = RecordBatch> {
    (0..ROWS / BATCH).map(|n| batch(n * BATCH))
}

fn parquet(path: &Path) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch(0).schema(), None).unwrap();
    batches().for_each(|batch| writer.write(&batch).unwrap());
    writer.close().unwrap();
}

fn arrow(path: &Path) {
    let packed = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let file = File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batch(0).schema(), packed).unwrap();
    batches().for_each(|batch| writer.write(&batch).unwrap());
    writer.finish().unwrap();
}

fn csv(path: &Path) {
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(["会话ID", "角色", "内容"]).unwrap();
    for n in 0..ROWS {
        let (id, role, text) = row(n);
        writer.write_record([&*id, role, &*text]).unwrap();
    }
    writer.flush().unwrap();
    assert!(fs::metadata(path).unwrap().len() > 64 << 20, "it would be grouped in memory");
}

#[test]
fn on_disk_as_the_same_rows_of_text() {
    let base = tempfile::tempdir().unwrap();
    let temporary = base.path().join("t");
    fs::create_dir(&temporary).unwrap();
    let read = |name: &str, write: fn(&Path)| {
        let path = base.path().join(name);
        write(&path);
        let out = base.path().join("out.jsonl");
        let mut run = zhijian();
        run.arg("convert").arg(&path).arg("--quiet").arg("--out").arg(&out).env("TMPDIR", &temporary);
        let rejects = lines(&run.assert().success().get_output().stderr);
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "{name}: something is left");
        (fs::read(&out).unwrap(), rejects)
    };
    let (text, faults) = read("a.csv", csv);
    assert_eq!((text.iter().filter(|b| **b == b'\n').count(), faults.len()), (9_000, 9 + 4));
    for (name, write) in [("a.parquet", parquet as fn(&Path)), ("a.arrow", arrow)] {
        let (out, rejects) = read(name, write);
        assert!(out == text, "{name} is not as the text");
        for (reject, fault) in rejects.iter().zip(&faults) {
            // a text's first row is on its second line
            let row = fault["line"].as_u64().unwrap() - 1;
            assert_eq!((&reject["code"], reject["line"].as_u64()), (&fault["code"], Some(row)), "{name}");
            assert_eq!(reject["place"], format!("row {row}"));
        }
        assert_eq!(rejects.len(), faults.len());
    }
}

#[test]
fn no_folder_for_temporary_files_is_told_with_what_to_do() {
    let base = tempfile::tempdir().unwrap();
    let (path, out, temporary) =
        (base.path().join("a.parquet"), base.path().join("out.jsonl"), base.path().join("none"));
    parquet(&path);
    let mut run = zhijian();
    run.arg("convert").arg(&path).arg("--quiet").arg("--out").arg(&out).env("TMPDIR", &temporary);
    let told = String::from_utf8(run.assert().code(2).get_output().stderr.clone()).unwrap();
    assert!(told.contains(&temporary.display().to_string()) && told.contains("TMPDIR"), "{told}");
    assert!(told.contains("无法写入临时目录") && told.contains("原有结果未被改动"), "{told}");
    assert!(!out.exists());
}
