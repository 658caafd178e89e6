//! JSON documents, record by record: arrays and known lists inside an object are walked without ever holding more than
//! one record, so that a gigabyte of array costs a megabyte. The walk only matches brackets and strings; whether a record
//! is sound JSON is found out by a worker, and costs that record alone.

use std::sync::Arc;

use super::InputOptions;
use super::cursor::{Cursor, RAW_BYTES, cut_short};
use super::document::Found;
use super::draft::Object;
use super::encoding::Text;
use super::envelope::shown;
use super::format::Json;
use super::jsonl::too_long;
use super::reject::{BAD_JSON, Fault, Reject};

/// Walks a file's documents.
pub(crate) struct Walk {
    pub cursor: Cursor,
    frames: Vec<Frame>,
    lists: &'static [&'static str],
    /// Where a list of records stands that is the text itself.
    place: String,
    /// Records met so far, and the whole file's fallback id.
    pub records: u64,
    stem: String,
    pub head: Arc<Object>,
    pub damaged: bool,
    /// Fields around the list that came too late to be used.
    pub late: Vec<String>,
    done: bool,
}

enum Frame {
    /// A list of records.
    List { place: String, index: u64 },
    /// An object that may keep records in a list further in; its other fields, as written.
    Object { place: String, key: String, text: Vec<u8>, line: u64, lists: bool, too_long: bool },
}

/// What the walk came to.
enum Step {
    Found(Found),
    Go,
    End,
}

impl Walk {
    pub(crate) fn new(text: Text, json: Json, stem: String, options: &InputOptions) -> Walk {
        let place = text.envelope().map(|envelope| shown(envelope.way())).unwrap_or_default();
        Walk {
            place,
            cursor: Cursor::new(text, options.limits.max_record_bytes),
            frames: Vec::new(),
            lists: json.lists(),
            records: 0,
            stem,
            head: Arc::default(),
            damaged: false,
            late: Vec::new(),
            done: false,
        }
    }

    /// The line the walk has come to.
    pub(crate) fn line(&self) -> u64 {
        self.cursor.line
    }

    /// Appends records to `out` until it holds about `size` bytes, with the fields they stand under; none at the end.
    pub(crate) fn next(&mut self, file: &Arc<str>, out: &mut Vec<u8>, size: usize) -> (Arc<Object>, Vec<Found>) {
        let mut head = self.head.clone();
        let mut found = Vec::new();
        while !self.done && (found.is_empty() || out.len() < size) && found.len() < 10_000 {
            match self.step(file, out) {
                Ok(Step::Found(record)) => found.push(record),
                Ok(Step::Go) => {}
                Ok(Step::End) => self.done = true,
                Err(fault) => {
                    // what is open cannot be told any more: the rest of the file is one record
                    self.done = true;
                    self.records += 1;
                    let place = self.place();
                    let reject = fault.reject(file, self.cursor.line, self.cursor.around());
                    found.push(Found::Reject(Reject { place: Some(place).filter(|p| !p.is_empty()), ..reject }));
                }
            }
            if !Arc::ptr_eq(&head, &self.head) {
                if !found.is_empty() {
                    break;
                }
                head = self.head.clone();
            }
        }
        self.damaged |= self.cursor.text.take_damaged();
        (head, found)
    }

    fn place(&self) -> String {
        match self.frames.last() {
            Some(Frame::List { place, index }) => format!("{place}/{index}"),
            Some(Frame::Object { place, key, .. }) if key.is_empty() => place.clone(),
            Some(Frame::Object { place, key, .. }) => format!("{place}/{key}"),
            None => String::new(),
        }
    }

    fn step(&mut self, file: &Arc<str>, out: &mut Vec<u8>) -> Result<Step, Fault> {
        self.cursor.space();
        let next = self.cursor.peek();
        match self.frames.last_mut() {
            None => match next {
                None => Ok(Step::End),
                Some(b'[') => {
                    self.cursor.bump();
                    self.frames.push(Frame::List { place: self.place.clone(), index: 0 });
                    Ok(Step::Go)
                }
                Some(b'{') => {
                    self.cursor.bump();
                    self.object(String::new());
                    Ok(Step::Go)
                }
                Some(b',') => {
                    self.cursor.bump();
                    Ok(Step::Go)
                }
                Some(_) => Ok(Step::Found(self.stray(file))),
            },
            Some(Frame::List { .. }) => match next {
                None => Err(cut_short()),
                Some(b',') => {
                    self.cursor.bump();
                    Ok(Step::Go)
                }
                Some(b']') => {
                    self.cursor.bump();
                    self.frames.pop();
                    Ok(Step::Go)
                }
                Some(b'}') => Err(Fault::new(BAD_JSON, "括号不配对:列表里多出 }")),
                Some(_) => {
                    let (start, line) = (out.len(), self.cursor.line);
                    let whole = self.cursor.value(out)?;
                    let place = self.place();
                    if let Some(Frame::List { index, .. }) = self.frames.last_mut() {
                        *index += 1;
                    }
                    Ok(Step::Found(self.record(file, out, start, line, place, whole)))
                }
            },
            Some(Frame::Object { text, .. }) => match next {
                None => Err(cut_short()),
                Some(b',') => {
                    text.push(b',');
                    self.cursor.bump();
                    Ok(Step::Go)
                }
                Some(b'}') => {
                    self.cursor.bump();
                    Ok(self.close(file, out))
                }
                Some(b'"') => self.member(),
                Some(_) => Err(Fault::new(BAD_JSON, "对象里缺少键名")),
            },
        }
    }

    fn object(&mut self, place: String) {
        let frame = Frame::Object {
            place,
            key: String::new(),
            text: vec![b'{'],
            line: self.cursor.line,
            lists: false,
            too_long: false,
        };
        self.frames.push(frame);
    }

    /// One key of an object and its value, or the way into its list.
    fn member(&mut self) -> Result<Step, Fault> {
        let mut raw = Vec::new();
        self.cursor.value(&mut raw)?;
        let key: String = serde_json::from_slice(&raw).unwrap_or_default();
        self.cursor.space();
        if self.cursor.peek() != Some(b':') {
            return Err(if self.cursor.peek().is_none() {
                cut_short()
            } else {
                Fault::new(BAD_JSON, "键名后缺少冒号")
            });
        }
        self.cursor.bump();
        self.cursor.space();
        let next = self.cursor.peek();
        let most = self.cursor.most;
        let Some(Frame::Object { place, key: current, text, lists, .. }) = self.frames.last_mut() else {
            return Ok(Step::Go);
        };
        let way = format!("{place}/{key}");
        *current = key.clone();
        if next == Some(b'[') && self.lists.contains(&way.as_str()) {
            *lists = true;
            // the fields so far belong to every record of the list
            let mut head = text.clone();
            while head.last() == Some(&b',') {
                head.pop();
            }
            head.push(b'}');
            let root = place.is_empty();
            self.cursor.bump();
            self.frames.push(Frame::List { place: way, index: 0 });
            if root {
                self.head = Arc::new(serde_json::from_slice(&head).unwrap_or_default());
            }
            return Ok(Step::Go);
        }
        let inward = format!("{way}/");
        if next == Some(b'{') && self.lists.iter().any(|l| l.starts_with(&inward)) {
            text.extend_from_slice(&raw);
            text.push(b':');
            self.cursor.bump();
            self.object(way);
            return Ok(Step::Go);
        }
        let late = *lists;
        let full = text.len() > most;
        let mut value = Vec::new();
        let whole = self.cursor.value(&mut value)?;
        if late {
            self.late.push(key);
            return Ok(Step::Go);
        }
        if let Some(Frame::Object { text, too_long, .. }) = self.frames.last_mut() {
            *too_long |= full || !whole;
            if !*too_long {
                text.extend_from_slice(&raw);
                text.push(b':');
                text.extend_from_slice(&value);
            }
        }
        Ok(Step::Go)
    }

    /// The end of an object: a record when no list of records was in it.
    fn close(&mut self, file: &Arc<str>, out: &mut Vec<u8>) -> Step {
        let Some(Frame::Object { place, mut text, line, lists, too_long, .. }) = self.frames.pop() else {
            return Step::Go;
        };
        text.push(b'}');
        match self.frames.last_mut() {
            Some(Frame::Object { text: outer, lists: outer_lists, too_long: outer_long, .. }) => {
                *outer_lists |= lists;
                *outer_long |= too_long;
                let inner: &[u8] = if lists { b"null" } else { &text };
                outer.extend_from_slice(inner);
                Step::Go
            }
            _ if lists => {
                self.head = Arc::default();
                Step::Go
            }
            _ => {
                let start = out.len();
                out.extend_from_slice(&text);
                Step::Found(self.record(file, out, start, line, place, !too_long))
            }
        }
    }

    fn record(
        &mut self,
        file: &Arc<str>,
        out: &mut Vec<u8>,
        start: usize,
        line: u64,
        place: String,
        whole: bool,
    ) -> Found {
        self.records += 1;
        if !whole {
            let reject = too_long(self.cursor.most).reject(file, line, &out[start..]);
            out.truncate(start);
            return Found::Reject(Reject { place: Some(place).filter(|p| !p.is_empty()), ..reject });
        }
        let fallback = match self.records {
            1 => self.stem.clone(),
            n => format!("{}-{n}", self.stem),
        };
        Found::Record { start, end: out.len(), place, line, fallback }
    }

    /// Something between documents that is none: its line.
    fn stray(&mut self, file: &Arc<str>) -> Found {
        self.records += 1;
        let (mut raw, line) = (Vec::new(), self.cursor.line);
        while let Some(byte) = self.cursor.peek() {
            if byte == b'\n' {
                break;
            }
            if raw.len() < RAW_BYTES {
                raw.push(byte);
            }
            self.cursor.bump();
        }
        Found::Reject(Fault::new(BAD_JSON, "这里应是 JSON 对象或列表").reject(file, line, &raw))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::super::compression::Stream;
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// The records found, as text or as `!code`, each with its place.
    fn walk(text: &str, json: Json, most: usize) -> Vec<(String, String)> {
        let stream = Stream::open(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), Limits::default()).unwrap();
        let limits = Limits { max_record_bytes: most, ..Limits::default() };
        let options = InputOptions { limits, ..InputOptions::default() };
        let mut walk = Walk::new(Text::open(stream, None), json, "f".into(), &options);
        let (file, mut out) = (Arc::from("f"), Vec::new());
        loop {
            let mut buffer = Vec::new();
            let (_, found) = walk.next(&file, &mut buffer, 20);
            if found.is_empty() {
                assert_eq!(out.len() as u64, walk.records);
                return out;
            }
            out.extend(found.into_iter().map(|found| match found {
                Found::Record { start, end, place, .. } => {
                    (place, String::from_utf8(buffer[start..end].to_vec()).unwrap())
                }
                Found::Reject(reject) => (reject.place.unwrap_or_default(), format!("!{}", reject.code)),
            }));
        }
    }

    fn told(found: &[(&str, &str)]) -> Vec<(String, String)> {
        found.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    #[test]
    fn lists_documents_and_what_is_neither() {
        let upload = r#"{"business":"售后","tickets":[{"tid":1}, {"tid":2}],"x":{"tickets":[3]}}"#;
        let expected = told(&[("/tickets/0", r#"{"tid":1}"#), ("/tickets/1", r#"{"tid":2}"#)]);
        assert_eq!(walk(upload, Json::AliyunUpload, 1 << 20), expected);
        let wrapped = r#"{"Data":{"ResultInfo":{"ResultInfo":[{"a":"]}"}]}},"Code":0}"#;
        let expected = told(&[("/Data/ResultInfo/ResultInfo/0", r#"{"a":"]}"}"#)]);
        assert_eq!(walk(wrapped, Json::AliyunResult, 1 << 20), expected);
        let several = "{\"a\": 1}\n{\"Data\":{}}\noops 1\n[{\"b\":2}]";
        let expected = told(&[("", r#"{"a":1}"#), ("", r#"{"Data":{}}"#), ("", "!bad-json"), ("/0", r#"{"b":2}"#)]);
        assert_eq!(walk(several, Json::AliyunResult, 1 << 20), expected);
        assert_eq!(walk("[{},{\"a\":\"bc", Json::Native, 99), told(&[("/0", "{}"), ("/1", "!bad-json")]));
        assert_eq!(walk("[{}}]", Json::Native, 99), told(&[("/0", "{}"), ("/1", "!bad-json")]));
        let long = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(99));
        assert_eq!(walk(&long, Json::Native, 50), told(&[("/0", "!too-long"), ("/1", "{}")]));
        assert!(walk(" \n", Json::Native, 50).is_empty());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a\\\\\"{}\\[\\],:好\n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c好\"]{1,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn elements_are_found_as_they_stand(values in prop::collection::vec(value(), 0..6), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&values) } else { serde_json::to_string(&values) };
            let found = walk(&text.unwrap(), Json::Native, 1 << 20);
            let read: Vec<Value> = found.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_text_ends(text in "[\\[\\]{}\",:\\\\ a1\n]{0,60}") {
            for json in [Json::Native, Json::AliyunResult, Json::Ccai] {
                let _ = walk(&text, json, 10);
            }
        }
    }
}
