//! Which format a file is in: by its bytes first, its extension second. What fits several formats is an error that names
//! them, because a wrong guess would only show in the figures.

use super::InputOptions;
use super::chat_log;
use super::columns::Column;
use super::format::{Format, Shape};
use super::signature::{self, Known};
use crate::error::{Error, Result};

/// The format of a file that begins with these bytes, which read as `sample`.
pub(crate) fn recognise(
    name: &str,
    head: &[u8],
    sample: &str,
    extension: &str,
    options: &InputOptions,
) -> Result<Known> {
    let text = sample.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if let Some(format) = options.format.or(options.mapping.format) {
        return check(name, head, format).and_then(|format| signature::named(format, text, options));
    }
    if let Some(format) = binary(name, head)? {
        return Ok((format, None));
    }
    let delimited = matches!(extension, "csv" | "tsv" | "tab");
    if delimited {
        return Ok((Format::of(if extension == "csv" { "csv" } else { "tsv" }), None));
    }
    // JSONL has no lists around its records, but a list of records may be misnamed
    let listed =
        is_array(text) && (!matches!(extension, "jsonl" | "ndjson") || text[1..].trim_start().starts_with('{'));
    if text.starts_with('{') || listed {
        return signature::json(name, text, extension, options);
    }
    Ok((plain(name, text, extension, options)?, None))
}

/// The format of a text that is no JSON document.
fn plain(name: &str, text: &str, extension: &str, options: &InputOptions) -> Result<&'static Format> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str, extension: &str) -> &'static str {
        recognise("f", text.as_bytes(), text, extension, &InputOptions::default()).unwrap().0.id
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
        assert_eq!(recognise("f", text.as_bytes(), text, "jsonl", &options).unwrap().0.id, "json-messages");
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
        assert_eq!(found.0.id, "csv");
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
        fn noise_never_panics(noise in "[\\[\\]{}\",:\\\\a好]{0,40}") {
            let _ = recognise("f", noise.as_bytes(), &noise, "", &InputOptions::default());
        }
    }
}
