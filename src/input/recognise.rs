//! Which format a file is in: by its bytes first, its extension second. What fits several formats is an error that names
//! them, because a wrong guess would only show in the figures.

use std::collections::BTreeSet;

use super::InputOptions;
use super::chat_log;
use super::columns::Column;
use super::format::{Format, Shape};
use super::messages::is_messages;
use crate::error::{Error, Result};

/// The format of a file that begins with these bytes, which read as `sample`.
pub(crate) fn recognise(
    name: &str,
    head: &[u8],
    sample: &str,
    extension: &str,
    options: &InputOptions,
) -> Result<&'static Format> {
    if let Some(format) = options.format.or(options.mapping.format) {
        return check(name, head, format);
    }
    if let Some(format) = binary(name, head)? {
        return Ok(format);
    }
    let text = sample.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let delimited = matches!(extension, "csv" | "tsv" | "tab");
    if delimited {
        return Ok(Format::of(if extension == "csv" { "csv" } else { "tsv" }));
    }
    // JSONL has no lists around its records, but a list of records may be misnamed
    let listed =
        is_array(text) && (!matches!(extension, "jsonl" | "ndjson") || text[1..].trim_start().starts_with('{'));
    if text.starts_with('{') || listed {
        return json(name, text, extension, options);
    }
    if text.starts_with("WEBVTT") {
        return Ok(Format::of("vtt"));
    }
    if super::subtitle::is_srt(text) {
        return Ok(Format::of("srt"));
    }
    let lower: String = text.chars().take(200).flat_map(char::to_lowercase).collect();
    if ["<html", "<!doctype html", "<table", "<?xml"].iter().any(|s| lower.starts_with(s)) {
        return Err(Error::Other(format!(
            "{name}: 内容是网页或 XML 表格(有些系统把它存成 .xls),不能直接读取;\n  请用 Excel 或 WPS 打开后另存为 .xlsx 或 CSV。(HTML/XML is not read)"
        )));
    }
    match extension {
        "jsonl" | "ndjson" | "json" => return Ok(Format::of("jsonl")),
        _ if options.columns.is_some() => {}
        _ if is_header(text) => {}
        _ if chat_log::looks_like(text) => return Ok(Format::of("chat-log")),
        _ => {}
    }
    let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty()).take(50);
    if lines().any(|l| l.starts_with('{')) {
        return Ok(Format::of("jsonl"));
    }
    let first = lines().next().unwrap_or("");
    let columns = [',', '\t', ';', '|'].iter().map(|d| (first.split(*d).count(), *d)).max_by_key(|c| c.0);
    let (width, delimiter) = columns.unwrap_or((0, ','));
    if extension == "txt" || options.columns.is_some() || width >= 3 {
        return Ok(Format::of(if delimiter == '\t' && width > 1 { "tsv" } else { "csv" }));
    }
    Ok(Format::of("jsonl"))
}

/// A format the user named, unless the bytes are plainly something else.
fn check(name: &str, head: &[u8], format: &'static Format) -> Result<&'static Format> {
    let found = binary(name, head).unwrap_or(None);
    let needs_bytes =
        matches!(format.shape, Shape::Xlsx | Shape::Xls | Shape::Parquet | Shape::ArrowFile | Shape::ArrowStream);
    match found {
        Some(found) if found.shape != format.shape => Err(Error::Other(format!(
            "{name}: --format {} 与内容不符,文件看起来是 {}({})。(the file is not in that format)",
            format.id, found.id, found.title.0
        ))),
        None if needs_bytes && !head.is_empty() => Err(Error::Other(format!(
            "{name}: --format {} 与内容不符,文件开头不是{}。(the file is not in that format)",
            format.id, format.sign.0
        ))),
        _ => Ok(format),
    }
}

/// Formats told by magic bytes, and types people take for an export that cannot be read.
fn binary(name: &str, head: &[u8]) -> Result<Option<&'static Format>> {
    let magic: [(&[u8], &str); 5] = [
        (b"PK\x03\x04", "xlsx"),
        (b"\xd0\xcf\x11\xe0", "xls"),
        (b"PAR1", "parquet"),
        (b"ARROW1", "arrow"),
        (b"\xff\xff\xff\xff", "arrow-stream"),
    ];
    if let Some((_, id)) = magic.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok(Some(Format::of(id)));
    }
    let foreign: [(&[u8], &str); 6] = [
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"7z\xbc\xaf", "7z"),
        (b"Rar!", "RAR"),
        (b"%PDF", "PDF"),
        (b"PK\x05\x06", "空的 ZIP"),
    ];
    match foreign.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => Err(Error::Other(format!(
            "{name}: 这是 {what} 文件,不能直接读取;\n  请先解压,或另存为 `zhijian formats` 列出的格式(可再用 gzip/zstd 压缩)。(unsupported file type)"
        ))),
        None => Ok(None),
    }
}

/// True for what begins as a JSON array, not as a chat line such as `[图片]`.
fn is_array(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('[').map(str::trim_start) else { return false };
    rest.is_empty()
        || rest.starts_with(['{', ']', '[', '"', 't', 'f', 'n', '-'])
        || rest.starts_with(|c: char| c.is_ascii_digit()) && !rest.chars().take(40).any(|c| c == ':')
}

/// True for a first line that names at least two known columns.
fn is_header(text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    let known = |d: char| first.split(d).filter(|n| Column::parse(n.trim_matches(['"', ' '])).is_some()).count();
    first.starts_with("sep=") || [',', '\t', ';', '|'].into_iter().map(known).max().unwrap_or(0) >= 2
}

fn json(name: &str, text: &str, extension: &str, options: &InputOptions) -> Result<&'static Format> {
    if options.mapping.turns.is_some() {
        return Ok(Format::of("json-mapped"));
    }
    let keys = keys(text);
    let array = text.starts_with('[');
    if is_messages(keys.iter(), &options.mapping) {
        return Ok(Format::of("json-messages"));
    }
    if keys.contains("turns") || keys.contains("conversation_id") {
        return Ok(Format::of(if array { "json" } else { own(text, extension) }));
    }
    let has = |key: &str| keys.contains(key);
    let ends =
        |tail: &str| keys.iter().any(|k| k == tail || k.ends_with(tail) && k[..k.len() - tail.len()].ends_with('.'));
    let signs = [
        ("aliyun-upload", has("tickets[].dialogue") || has("dialogue[].words")),
        ("aliyun-result", ends("AsrResult")),
        (
            "contact-lens",
            ["ParticipantId", "ParticipantRole", "BeginOffsetMillis", "AbsoluteTime"]
                .iter()
                .any(|k| has(&format!("Transcript[].{k}"))),
        ),
        ("ccai", has("entries[].text") && (has("entries[].role") || has("entries[].start_timestamp_usec"))),
        ("baidu-asr", has("asr_result") || ends("detailed_result")),
        ("tencent-asr", ends("FinalSentence") || ends("ResultDetail[].FinalSentence") || ends("ResultDetail")),
        ("huawei-asr", has("segments[].result.text")),
    ];
    let found: Vec<_> = signs.iter().filter(|s| s.1).map(|s| s.0).collect();
    match found.as_slice() {
        [one] => Ok(Format::of(one)),
        [] if array || !matches!(extension, "jsonl" | "ndjson") && lists(&keys) => Ok(Format::of("json")),
        [] => Ok(Format::of(own(text, extension))),
        several => Err(Error::Other(format!(
            "{name}: 内容同时像 {},分不清是哪一种;\n  请用 --format 指明其一,如 --format {}。(ambiguous format)",
            several.join("、"),
            several[0]
        ))),
    }
}

/// True when an object keeps conversations in a list.
fn lists(keys: &BTreeSet<String>) -> bool {
    keys.iter().any(|k| k.ends_with("[].turns") || k.ends_with("[].conversation_id"))
}

/// JSONL when the first line is a whole object, else one document over several lines.
fn own(text: &str, extension: &str) -> &'static str {
    let first = text.lines().next().unwrap_or("").trim();
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    let document = || {
        let lines = text.lines().take(50).filter(|l| l.trim_start().starts_with('{')).count();
        first == "{" || lines <= 1 && text.lines().count() > 1
    };
    if whole || matches!(extension, "jsonl" | "ndjson") || !document() { "jsonl" } else { "json" }
}

/// The keys a sample of JSON holds, with their way from the record: `Data.ResultInfo[].TaskId`. A list around the records is
/// left out. The sample may be cut anywhere.
fn keys(text: &str) -> BTreeSet<String> {
    const DEEPEST: usize = 8;
    const MOST: usize = 20_000;
    enum Level {
        Object(String),
        List,
    }
    let mut out = BTreeSet::new();
    let mut levels: Vec<Level> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut seen = 0;
    while at < bytes.len() && seen < MOST {
        match bytes[at] {
            b'{' => levels.push(Level::Object(String::new())),
            b'[' => levels.push(Level::List),
            b'}' | b']' => drop(levels.pop()),
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let rest = text.get(at + 1..).unwrap_or("").trim_start();
                if rest.starts_with(':')
                    && let Some(Level::Object(key)) = levels.last_mut()
                {
                    seen += 1;
                    *key = text.get(start..at).unwrap_or("").to_owned();
                    if levels.len() <= DEEPEST {
                        let mut way = String::new();
                        for level in &levels {
                            match level {
                                Level::Object(key) if way.is_empty() || way.ends_with('.') => way.push_str(key),
                                Level::Object(key) => way.extend([".", key]),
                                Level::List => way.push_str("[]"),
                            }
                        }
                        out.insert(way.trim_start_matches("[].").to_owned());
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str, extension: &str) -> &'static str {
        recognise("f", text.as_bytes(), text, extension, &InputOptions::default()).unwrap().id
    }

    #[test]
    fn messages_are_told_from_conversations() {
        let message = r#"{"session_id":"1","sender":"客服","content":"您好"}"#;
        for (text, extension) in
            [(message, "jsonl"), (message, ""), (message, "txt"), (&*format!("[{message},"), "json")]
        {
            assert_eq!(of(text, extension), "json-messages");
        }
        let native = r#"{"conversation_id":"1","role":"x","text":"y","turns":[{"role":"客服","text":"您好"}]}"#;
        assert_eq!(of(native, "jsonl"), "jsonl");
        assert_eq!(of(r#"{"conversation_id":"1","turns":[{"role":"客服","text":"您好"}]}"#, "jsonl"), "jsonl");
        assert_eq!(of(r#"{"conversation_id":"1","note":"没有消息"}"#, "jsonl"), "jsonl");
        let mapping = super::super::Mapping { names: vec![(Column::Text, "话".into())], ..Default::default() };
        let options = InputOptions { mapping: std::sync::Arc::new(mapping), ..InputOptions::default() };
        let text = r#"{"session_id":"1","sender":"客服","话":"您好"}"#;
        assert_eq!(recognise("f", text.as_bytes(), text, "jsonl", &options).unwrap().id, "json-messages");
    }

    #[test]
    fn text_formats_are_told_apart() {
        assert_eq!(of("a,b,c", "jsonl"), "jsonl");
        assert_eq!(of("{}", "csv"), "csv");
        assert_eq!(of("oops\n{\"a\":1}\n", ""), "jsonl");
        assert_eq!(of("会话ID,角色,内容\n1,2,3\n", ""), "csv");
        assert_eq!(of("x", "txt"), "csv");
        assert_eq!(of("", ""), "jsonl");
        assert_eq!(of("oops", "log"), "jsonl");
        assert_eq!(of("会话ID\t角色\t内容\n", ""), "tsv");
        assert_eq!(of("客服 2026-11-20 09:00:00\n您好\n", "txt"), "chat-log");
        let spec = InputOptions { columns: Some(vec![]), ..InputOptions::default() };
        let found = recognise("f", b"x", "c1,客服 2026-11-20 09:00:00,x", "", &spec).unwrap();
        assert_eq!(found.id, "csv");
    }

    #[test]
    fn json_formats_are_told_apart() {
        assert_eq!(of("[\n{\"turns\":[]}]", "json"), "json");
        assert_eq!(of("{\"turns\":[],\"labels\":{\"AsrResult\":[]}}", "json"), "jsonl");
        assert_eq!(of("{\n \"conversation_id\": 1,\n \"turns\": []\n}", "json"), "json");
        assert_eq!(of("{\"Data\":{\"ResultInfo\":{\"ResultInfo\":[{\"AsrResult\":[", ""), "aliyun-result");
        assert_eq!(of("{\"conversations\":[{\"turns\":[]}]}", "json"), "json");
        let both = "{\"entries\":[{\"text\":1,\"role\":2}],\"asr_result\":[]}";
        let error = recognise("f.json", both.as_bytes(), both, "json", &InputOptions::default()).unwrap_err();
        for part in ["ccai", "baidu-asr", "--format", "f.json"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let rar = recognise("a", b"Rar!x", "", "", &InputOptions::default()).unwrap_err().to_string();
        assert!(rar.contains("RAR") && rar.contains("formats"), "{rar}");
        let html = recognise("a.xls", b"<html>", "<html><table>", "xls", &InputOptions::default()).unwrap_err();
        assert!(html.to_string().contains(".xlsx"));
        let wrong = InputOptions { format: Some(Format::of("parquet")), ..InputOptions::default() };
        let error = recognise("a", b"{}", "{}", "", &wrong).unwrap_err().to_string();
        assert!(error.contains("parquet") && error.contains("PAR1"), "{error}");
    }

    proptest! {
        #[test]
        fn a_cut_sample_never_panics(cut in 0usize..200, noise in "[\\[\\]{}\",:\\\\a好]{0,40}") {
            let text = r#"{"Data":{"ResultInfo":[{"TaskId":"好","AsrResult":[{"Role":"客\"服","Words":"您好"}]}]}}"#;
            let cut = text.floor_char_boundary(cut.min(text.len()));
            let _ = keys(&text[..cut]);
            let _ = keys(&noise);
            let _ = recognise("f", noise.as_bytes(), &noise, "", &InputOptions::default());
        }
    }
}
