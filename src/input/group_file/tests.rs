//! What is grouped on disk is what is grouped in memory, whatever the rows come from.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, types::Int32Type};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::super::{FileSummary, InputOptions, Limits, Reader};

/// All that is read from a file, in order, and its summary; an error's words.
fn read(path: &str, limits: Limits, block_bytes: usize) -> Result<(Vec<String>, Vec<FileSummary>, u64), String> {
    let options = InputOptions { limits, block_bytes, ..InputOptions::default() };
    let mut reader = Reader::open(&[path.to_owned()], options).map_err(|e| e.to_string())?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    while let Some(block) = reader.next_block(Vec::new()).map_err(|e| e.to_string())? {
        bytes += block.bytes();
        block.visit(&mut |item| items.push(format!("{item:?}")));
    }
    assert_eq!(Some(reader.bytes_read()), reader.total_bytes());
    Ok((items, reader.files().to_vec(), bytes))
}

/// Groups a file in memory and on disk, holds the two to be the same, and gives what was read.
fn same(name: &str, stored: &[u8], limits: Limits) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name).display().to_string();
    std::fs::write(&path, stored).unwrap();
    let held = read(&path, Limits { grouped_in_memory_bytes: usize::MAX, ..limits }, 1 << 20);
    for (most, block_bytes) in [(0, 1 << 20), (1, 1), (300, 70)] {
        assert_eq!(read(&path, Limits { grouped_in_memory_bytes: most, ..limits }, block_bytes), held, "{most}");
    }
    held.map(|h| h.0).unwrap_or_default()
}

fn row() -> impl Strategy<Value = String> {
    let id = prop_oneof![6 => "[a-d]", 1 => "", 1 => "[a-d]{2}", 1 => Just("NULL".to_owned()), 1 => Just("\"a\"".to_owned())];
    let role = prop::sample::select(vec!["客服", "客户", "1", "谁"]);
    let text = prop_oneof![
        4 => "[好在吗a ]{0,8}",
        1 => Just("\"两\n行,\"\"好\"\"\"".to_owned()),
        1 => Just("\"没有闭合".to_owned()),
        1 => Just("\"15\"屏".to_owned()),
        1 => Just("多,一,列".to_owned()),
        1 => "好{70,90}",
    ];
    let message = (id, role, text).prop_map(|(id, role, text)| format!("{id},{role},{text}"));
    prop_oneof![9 => message, 1 => prop::sample::select(vec!["", ",,", " ", "只有一列", "\""]).prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn on_disk_as_in_memory(
        rows in prop::collection::vec(row(), 0..60),
        (crlf, gbk, zipped, end, tab) in (any::<bool>(), any::<bool>(), prop::option::of(0.3f64..1.0), any::<bool>(), any::<bool>()),
    ) {
        let ending = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("会话ID,角色,内容{ending}{}", rows.join(ending));
        if end {
            text.push_str(ending);
        }
        if tab {
            text = text.replace(',', "\t");
        }
        let mut stored = if gbk { encoding_rs::GBK.encode(&text).0.into_owned() } else { text.into_bytes() };
        let mut name = if tab { "a.tsv" } else { "a.csv" }.to_owned();
        if let Some(part) = zipped {
            // cut short, too
            let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
            zip.write_all(&stored).unwrap();
            stored = zip.finish().unwrap();
            stored.truncate((stored.len() as f64 * part) as usize);
            name.push_str(".gz");
        }
        same(&name, &stored, Limits { max_record_bytes: 200, max_turns: 9, ..Limits::default() });
    }
}

fn message() -> impl Strategy<Value = String> {
    let id =
        prop_oneof![6 => "\"[a-d]\"", 1 => Just("null".to_owned()), 1 => "[1-9]", 1 => Just("\"\\u0061\"".to_owned())];
    let text = prop_oneof![4 => "\"[好在吗a{}, ]{0,8}\"", 1 => "\"好{70,90}\"", 1 => Just("\"没有闭合".to_owned()), 1 => Just("[1]".to_owned())];
    let role = prop::sample::select(vec!["客服", "客户", "谁"]);
    let object = (id, role, text, any::<bool>()).prop_map(|(id, role, text, wide)| {
        let space = if wide { "\n " } else { "" };
        format!("{{\"sid\":{id},{space}\"role\":\"{role}\",{space}\"text\":{text}{space}}}")
    });
    prop_oneof![9 => object, 1 => prop::sample::select(vec!["", "{", "}", "]", "7", "\"", "{\"a\":"]).prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn messages_on_disk_as_in_memory(
        messages in prop::collection::vec(message(), 0..60),
        (list, end) in (any::<bool>(), any::<bool>()),
    ) {
        let first = r#"{"sid":"a","role":"客户","text":"在吗"}"#;
        let mut text = match list {
            true => format!("[{first},\n{}", messages.join(",\n")),
            false => format!("{first}\n{}", messages.iter().map(|m| m.replace('\n', "")).collect::<Vec<_>>().join("\n")),
        };
        if end {
            text.push_str(if list { "]\n" } else { "\n" });
        }
        let name = if list { "a.json" } else { "a.jsonl" };
        let items = same(name, text.as_bytes(), Limits { max_record_bytes: 150, max_turns: 9, ..Limits::default() });
        prop_assert!(items.iter().any(|item| item.starts_with("Conversation")), "{items:?}");
    }
}

#[test]
fn far_apart_and_over_many_portions() {
    // the first conversation's rows lie at the beginning and at the end of some 10 MB
    let mut text = "会话ID,角色,内容\n首,客户,在吗\n".to_owned();
    for n in 0..60_000 {
        let quote = if n % 9_000 == 17 { "\"没有闭合" } else { "\"两\n行\"" };
        text.push_str(&format!("c{},客服,{quote}\n,客服,{}\n", n * 7_919 % 20_000, "好".repeat(40)));
    }
    text.push_str("首,客服,您好\n坏,客服,\u{fffd}");
    assert!(text.len() > 8 << 20);
    let items = same("a.csv", text.as_bytes(), Limits { max_record_bytes: 1 << 20, ..Limits::default() });
    let first = items.iter().find(|i| i.starts_with("Conversation")).unwrap();
    assert!(first.contains("在吗") && first.contains("您好"), "{first}");
    assert_eq!(items.iter().filter(|i| i.contains("bad-quote")).count(), 7);
}

/// A message of a columnar file: id, role, text, and a rating that may be no number a cell should hold.
fn cells() -> impl Strategy<Value = (Option<String>, &'static str, Option<String>, Option<f64>)> {
    let id = prop_oneof![8 => "[a-d]".prop_map(Some), 1 => Just(None), 1 => Just(Some(" ".to_owned()))];
    let role = prop::sample::select(vec!["客服", "客户", "1", "谁"]);
    let text = prop_oneof![
        5 => "[好在吗a,\"\u{1f}\n\r ]{0,8}".prop_map(Some),
        1 => Just(None),
        1 => Just(Some("一\n二\u{1f}客服\n三".to_owned())),
        // longer than a record may be, with lines that would be rows of their own
        1 => Just(Some(format!("{}\n{}客服\u{1f}\u{1f}", "好".repeat(90), "\u{1f}".repeat(3)))),
    ];
    (id, role, text, prop::option::weighted(0.2, prop::sample::select(vec![5.0, 3.5, 1e16])))
}

fn stored(batches: &[RecordBatch], parquet: bool) -> Vec<u8> {
    let (mut out, schema) = (Vec::new(), batches[0].schema());
    if parquet {
        let small = WriterProperties::builder().set_max_row_group_row_count(Some(16)).build();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, schema, Some(small)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
    } else {
        let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut out, &schema).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn columns_on_disk_as_in_memory(
        rows in prop::collection::vec(cells(), 1..60),
        (parquet, numbers, end) in (any::<bool>(), any::<bool>(), prop::option::weighted(0.3, 0.3f64..1.0)),
    ) {
        // ids that were kept as numbers have lost digits
        let id: ArrayRef = match numbers {
            true => Arc::new(Float64Array::from_iter(rows.iter().map(|r| r.0.as_ref().map(|id| if id == "a" { 1e19 } else { id.len() as f64 })))),
            false => Arc::new(rows.iter().map(|r| r.0.as_deref()).collect::<DictionaryArray<Int32Type>>()),
        };
        let role: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1)));
        let text: ArrayRef = Arc::new(rows.iter().map(|r| r.2.as_deref()).collect::<StringArray>());
        let rating: ArrayRef = Arc::new(rows.iter().map(|r| r.3).collect::<Float64Array>());
        let columns = [("会话ID", id, true), ("角色", role, true), ("内容", text, true), ("评分", rating, true)];
        let all = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let batches: Vec<_> = (0..rows.len()).step_by(7).map(|at| all.slice(at, 7.min(rows.len() - at))).collect();
        let mut bytes = stored(&batches, parquet);
        if let Some(part) = end {
            bytes.truncate((bytes.len() as f64 * part) as usize);
        }
        let name = if parquet { "a.parquet" } else { "a.arrow" };
        let limits = Limits { max_record_bytes: 200, max_turns: 9, ..Limits::default() };
        let items = same(name, &bytes, limits);
        if end.is_none() {
            // every row is there, and those that are rejected name their own
            let rejects = items.iter().filter(|item| item.starts_with("Reject"));
            for (nth, reject) in rejects.enumerate() {
                prop_assert!(reject.contains("place: Some(\"row "), "{nth}: {reject}");
            }
            let long = rows.iter().filter(|r| r.2.as_ref().is_some_and(|t| t.len() > 200) && !(numbers && r.0.as_deref() == Some("a"))).count();
            prop_assert_eq!(items.iter().filter(|item| item.contains("\"too-long\"")).count(), long);
        }
    }
}
