//! JSON whose objects are messages: a dump of a message table, an object a line (JSONL) or a list of them. Read as rows with
//! the columns of [`super::columns`], so that grouping, limits and rejects are those of CSV.
//!
//! An object a line costs its line when it is broken. In a list an object ends where its braces do; one that does not
//! end costs everything up to the next line that begins with `{`.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{COLUMNS, Column, Header, REQUIRED};
use super::json::{column, reason};
use super::layout::Layout;
use super::mapping::Mapping;
use super::reject::{BAD_JSON, BAD_TEXT, BAD_VALUE, ENCODING, Fault, shown};
use super::rows::{Dialect, Row};
use super::{InputOptions, values};
use crate::error::Error;

/// The deepest nesting looked into; it also bounds how often a broken text is looked through.
const DEEPEST: usize = 64;
/// Keys remembered.
const KEYS: usize = 1000;

/// How objects follow each other, and what their keys mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Messages {
    /// An object a line; else a list, or objects over several lines.
    lines: bool,
    /// The keys a sample held, in their order.
    keys: Vec<(String, Option<Column>)>,
}

/// A message's texts, by column.
pub(crate) type Values<'a> = [Option<Cow<'a, str>>; COLUMNS.len()];

impl Messages {
    /// Where the row that begins at `start` ends; what separates it from the next is part of neither.
    pub(crate) fn row(&self, data: &[u8], start: usize, max: usize) -> Row {
        let mut row = Row { start, end: 0, next: 0, lines: 1, broken: false, quoted: false, stray: false };
        if self.lines {
            let newline = memchr(b'\n', &data[start..]).map(|i| start + i);
            row.end = newline.unwrap_or(data.len());
            row.next = newline.map_or(data.len(), |n| n + 1);
            if row.end > start && data[row.end - 1] == b'\r' {
                row.end -= 1;
            }
            return row;
        }
        let limit = data.len().min(start.saturating_add(max));
        match object(&data[..limit], start) {
            Some(end) => row.end = end,
            None => {
                row.broken = true;
                let newline = |from: usize| memchr(b'\n', &data[from..limit]).map(|i| from + i);
                let first = newline(start).unwrap_or(limit);
                let mut at = start;
                row.end = loop {
                    match newline(at) {
                        Some(end) if data[..limit].get(end + 1 + blank(&data[end + 1..limit])) == Some(&b'{') => {
                            break end;
                        }
                        Some(end) => at = end + 1,
                        None if limit == data.len() => break limit,
                        // nothing to go on with as far as a record may go
                        None => break first,
                    }
                };
                row.end = row.end.max(start + 1);
            }
        }
        row.next = row.end + separators(&data[row.end..]);
        row.lines = memchr::memchr_iter(b'\n', &data[start..row.next]).count() as u64;
        row
    }

    /// The texts of a message.
    pub(crate) fn values<'a>(&self, raw: &'a [u8], mapping: &Mapping) -> Result<Values<'a>, Fault> {
        let text = std::str::from_utf8(raw)
            .map_err(|_| Fault::new(ENCODING, "该记录含有无法按文件编码解读的字节"))?
            .trim_start_matches('\u{feff}');
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(Fields).and_then(|fields| json.end().map(|()| fields));
        let fields = fields.map_err(|error| {
            let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or("");
            let column = column(line, error.column());
            Fault::new(BAD_JSON, reason(&error, column)).at(column)
        })?;
        let mut out: Values<'a> = [const { None }; COLUMNS.len()];
        for (key, value) in fields {
            let known = self.keys.iter().find(|(name, _)| *name == key);
            let Some(column) = known.map_or_else(|| mapping.column(&key), |(_, column)| *column) else { continue };
            let slot = &mut out[column as usize];
            // of two keys for one field, one that the sample did not show, the first that says something counts
            if slot.as_ref().is_none_or(|known| values::is_missing(known)) {
                *slot = value_text(column, value).map_err(|fault| fault.under(&format!("/{key}")))?.or(slot.take());
            }
        }
        Ok(out)
    }

    /// The key a column has.
    pub(crate) fn key(&self, column: Column) -> Option<&str> {
        self.keys.iter().find(|(_, known)| *known == Some(column)).map(|(key, _)| key.as_str())
    }

    pub(crate) fn keys(&self) -> &[(String, Option<Column>)] {
        &self.keys
    }
}

/// True when a sample's top-level keys name a conversation, a role and a text, and no list of messages does.
pub(crate) fn is_messages<'k>(keys: impl Iterator<Item = &'k String>, mapping: &Mapping) -> bool {
    let mut top = Vec::new();
    for key in keys {
        if key == "turns" || key.starts_with("turns[]") {
            return false;
        }
        if !key.contains(['.', '[']) {
            top.extend(mapping.column(key));
        }
    }
    REQUIRED.iter().all(|column| top.contains(column))
}

/// The layout of a file that begins with `data`.
///
/// # Errors
/// When two keys stand for one field, or one that is needed has no key.
pub(crate) fn layout(path: &str, data: &[u8], extension: &str, options: &InputOptions) -> Result<Layout, Error> {
    let before = data.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let first = data[before..].split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii_end();
    let whole = first.starts_with(b"{") && (matches!(extension, "jsonl" | "ndjson") || first.ends_with(b"}"));
    let lines = whole || data.len() == before;
    let start = if lines { before } else { separators(data) };
    let mut messages = Messages { lines, keys: Vec::new() };
    let mut names = keys(&messages, &data[start..], |_| true);
    if matches!(options.mapping.header(&names), Header::Twice(..)) {
        // what is no message, as the error among the pages of an answer, has no say
        let is_message = |keys: &[String]| {
            REQUIRED.iter().all(|column| keys.iter().any(|key| options.mapping.column(key) == Some(*column)))
        };
        let said = keys(&messages, &data[start..], is_message);
        if !said.is_empty() {
            names = said;
        }
    }
    let columns = match options.mapping.header(&names) {
        Header::Known(columns) => columns,
        Header::Twice(column, a, b) => {
            return Err(Error::Other(format!(
                "{path}: 键“{a}”和“{b}”都表示 {};\n  请用映射文件指明用哪一个(zhijian formats guess 可写一份初稿),例如 [columns] {} = \"{a}\"。(two keys for one field)",
                column.name(),
                column.name()
            )));
        }
        // an empty file has no keys and no messages either
        Header::Missing(_) if names.is_empty() => Vec::new(),
        Header::Missing(missing) => {
            let missing = missing.iter().map(|c| format!("{}({})", c.name(), COLUMNS[*c as usize].1[1]));
            return Err(Error::Other(format!(
                "{path}: 消息对象里找不到 {} 的键\n  读到的键: {}\n  键名不同时,可用 `zhijian formats guess 文件` 写一份映射文件,改好后用 --mapping 指定。(missing keys)",
                missing.collect::<Vec<_>>().join("、"),
                names.join(", ").chars().take(300).collect::<String>(),
            )));
        }
    };
    messages.keys = names.into_iter().zip(columns.iter().copied()).collect();
    let newlines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
    let line = 1 + newlines(&data[..start]);
    // blank lines are records of JSONL, not of a list
    let blank = if lines { line - 1 } else { 0 };
    let dialect = Dialect { delimiter: b'\n', quoting: false };
    Ok(Layout { dialect, messages: Some(messages), width: columns.len(), columns, start, line, blank })
}

/// The keys of the objects at the beginning that `counts` takes, in the order they are met.
fn keys(messages: &Messages, data: &[u8], counts: impl Fn(&[String]) -> bool) -> Vec<String> {
    const MOST: usize = 64 << 10;
    let data = &data[..data.len().min(MOST)];
    let (mut out, mut at) = (Vec::<String>::new(), 0);
    while at < data.len() {
        let row = messages.row(data, at, MOST);
        at = row.next;
        let Ok(text) = std::str::from_utf8(&data[row.start..row.end]) else { continue };
        let fields = serde_json::Deserializer::from_str(text).deserialize_map(Fields);
        let keys: Vec<String> = fields.into_iter().flatten().map(|(key, _)| key).collect();
        for key in Some(keys).filter(|keys| counts(keys)).into_iter().flatten() {
            if out.len() < KEYS && !out.contains(&key) {
                out.push(key);
            }
        }
    }
    out
}

/// The end of the object that begins at `start`; `None` when it has none, or nothing begins there.
fn object(data: &[u8], start: usize) -> Option<usize> {
    if data.get(start) != Some(&b'{') {
        return None;
    }
    let mut open = [0u8; DEEPEST];
    let (mut depth, mut at) = (0, start);
    loop {
        match *data.get(at)? {
            b'"' => at = string(data, at)?,
            bracket @ (b'{' | b'[') => {
                *open.get_mut(depth)? = bracket + 2;
                depth += 1;
            }
            bracket @ (b'}' | b']') => {
                depth -= 1;
                if open[depth] != bracket {
                    return None;
                }
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The closing quote of the string that begins at `at`; a string does not go over a line's end.
fn string(data: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr3(b'"', b'\\', b'\n', data.get(at..)?)?;
        match data[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

fn blank(data: &[u8]) -> usize {
    data.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// What stands before and between the objects of lists.
fn separators(data: &[u8]) -> usize {
    data.iter().take_while(|b| b.is_ascii_whitespace() || matches!(b, b',' | b'[' | b']')).count()
}

/// A value as the cell of a table would hold it; `None` for null.
fn value_text(column: Column, value: &RawValue) -> Result<Option<Cow<'_, str>>, Fault> {
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => {
            let plain = raw.get(1..raw.len() - 1).filter(|inner| memchr(b'\\', inner.as_bytes()).is_none());
            match plain {
                Some(inner) => Ok(Some(Cow::Borrowed(inner))),
                None => serde_json::from_str(raw)
                    .map(|text: String| Some(Cow::Owned(text)))
                    .map_err(|error| Fault::new(BAD_JSON, format!("字符串不合法 ({error})"))),
            }
        }
        Some(b'[') if column == Column::Tags => {
            let list: Vec<serde_json::Value> = serde_json::from_str(raw).unwrap_or_default();
            let texts = list.iter().filter_map(|v| match v {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            Ok(Some(Cow::Owned(texts.collect::<Vec<_>>().join("|"))))
        }
        Some(b'[' | b'{') => {
            let (code, name) = (if column == Column::Text { BAD_TEXT } else { BAD_VALUE }, column.name());
            Err(Fault::new(code, format!("{name} 的值 {} 是列表或对象,应为字符串或数字", shown(raw))))
        }
        _ if column == Column::Text => {
            Err(Fault::new(BAD_TEXT, format!("{} 应为字符串,实际是 {}", column.name(), shown(raw))))
        }
        _ => Ok(Some(Cow::Borrowed(raw))),
    }
}

/// The keys and raw values of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("一条消息 {…}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(field) = map.next_entry()? {
            out.push(field);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn list(max: usize, text: &str) -> Vec<String> {
        let messages = Messages { lines: false, keys: Vec::new() };
        let (mut out, mut at, mut lines) = (Vec::new(), separators(text.as_bytes()), 0);
        let before = text[..at].matches('\n').count() as u64;
        while at < text.len() {
            let row = messages.row(text.as_bytes(), at, max);
            assert!(row.start == at && row.end > at && row.next >= row.end);
            let raw = String::from_utf8_lossy(&text.as_bytes()[row.start..row.end]).into_owned();
            out.push(if row.broken { format!("!{}", raw.trim()) } else { raw });
            at = row.next;
            lines += row.lines;
        }
        assert_eq!(before + lines, text.matches('\n').count() as u64);
        out
    }

    #[test]
    fn objects_of_a_list() {
        assert_eq!(
            list(99, "[{\"a\":\"}\\\"]\"},\n {}, {\"b\":[{}]}]\n"),
            ["{\"a\":\"}\\\"]\"}", "{}", "{\"b\":[{}]}"]
        );
        // what has no end costs everything up to the next line that begins with an object
        assert_eq!(list(99, "[{\"a\":1,\n \"b\":\n  {\"a\":2},\n 3]"), ["!{\"a\":1,\n \"b\":", "{\"a\":2}", "!3]"]);
        assert_eq!(list(99, "{\"a\":\"\n{}"), ["!{\"a\":\"", "{}"]);
        assert_eq!(list(99, "{]}\n{}"), ["!{]}", "{}"]);
        assert_eq!(list(9, "[{\"a\":\"0123456789\"},\n{}]")[..1], ["!{\"a\":\"012"]);
        let deep = format!("{}\n{{}}", "{\"a\":".repeat(DEEPEST + 1));
        assert_eq!(list(9999, &deep)[1], "{}");
    }

    fn options() -> InputOptions {
        InputOptions::default()
    }

    #[test]
    fn values_are_texts() {
        let data =
            br#"{"sid":12345678901234567890,"role":"\u5ba2\u6237","text":"a","tags":["x",3],"rating":null,"is":true}"#;
        let layout = layout("f", data, "jsonl", &options()).unwrap();
        let messages = layout.messages.unwrap();
        let values = messages.values(data, &Mapping::default()).unwrap();
        let value = |column| values[column as usize].as_deref();
        assert_eq!(value(Column::ConversationId), Some("12345678901234567890"));
        assert_eq!((value(Column::Role), value(Column::Tags)), (Some("客户"), Some("x|3")));
        assert_eq!(value(Column::Rating), None);
        // a key that the beginning did not show
        let late = messages.values(r#"{"sid":1,"发送时间":"2026-11-20"}"#.as_bytes(), &Mapping::default()).unwrap();
        assert_eq!(late[Column::At as usize].as_deref(), Some("2026-11-20"));
        let fault = messages.values(br#"{"sid":1,"text":["a"]}"#, &Mapping::default()).unwrap_err();
        assert_eq!((fault.code, fault.place.as_deref()), (BAD_TEXT, Some("/text")));
        let fault = messages.values(br#"{"sid":1,,}"#, &Mapping::default()).unwrap_err();
        assert_eq!((fault.code, fault.column), (BAD_JSON, Some(10)));
    }

    #[test]
    fn keys_that_cannot_be_told() {
        let error = |data: &str| layout("f.json", data.as_bytes(), "json", &options()).unwrap_err().to_string();
        let twice = error(r#"{"sid":1,"sender":"客服","text":"a","content":"b"}"#);
        assert!(twice.contains("“text”和“content”") && twice.contains("映射"), "{twice}");
        let missing = error(r#"{"sid":1,"sender":"客服","words_":"a"}"#.replace("words_", "话").as_str());
        assert!(missing.contains("text(消息内容)") && missing.contains("话"), "{missing}");
        assert_eq!(layout("f", b"[]\n", "json", &options()).unwrap().width, 0);
    }

    proptest! {
        #[test]
        fn every_object_is_found(texts in prop::collection::vec("[a好\"\\\\{}\\[\\],\n]{0,8}", 0..12), pretty: bool) {
            let values: Vec<Value> = texts.iter().map(|text| json!({ "a": text, "b": { "c": [text] } })).collect();
            let text = if pretty { serde_json::to_string_pretty(&values) } else { serde_json::to_string(&values) };
            let found = list(1 << 20, &text.unwrap());
            let read: Vec<Value> = found.iter().map(|raw| serde_json::from_str(raw).unwrap()).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_text_ends(text in "[\\[\\]{}\",:\\\\ a1\n]{0,60}", max in 1usize..40) {
            let _ = list(max, &text);
        }
    }
}
