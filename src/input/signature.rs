//! Whose JSON a file holds, told by its keys: those of the records, and, when the object around them is nobody's, those of
//! the lists inside it.

use std::collections::BTreeSet;

use super::InputOptions;
use super::envelope::{LEVELS, Way, shown};
use super::format::{Format, Shape};
use super::messages::is_messages;
use crate::error::{Error, Result};

/// A format, and the list inside an object that is to be read when it is not the text itself.
pub(crate) type Known = (&'static Format, Option<Way>);

/// The format of a text that begins as JSON does.
pub(crate) fn json(name: &str, text: &str, extension: &str, options: &InputOptions) -> Result<Known> {
    let keys = Keys::of(text);
    if options.mapping.turns.is_some() {
        return named(Format::of("json-mapped"), text, options);
    }
    let array = text.starts_with('[');
    if is_messages(keys.all.iter(), &options.mapping) {
        return Ok((Format::of("json-messages"), None));
    }
    if keys.all.contains("turns") || keys.all.contains("conversation_id") {
        return Ok((Format::of(if array { "json" } else { own(text, extension) }), None));
    }
    let found = signs(&keys.all, false);
    if found.len() < 2
        && let Some(inside) = inside(name, text, extension, &keys, &found, options)?
    {
        return Ok(inside);
    }
    let id = match found.as_slice() {
        [one] => *one,
        [] if array || !matches!(extension, "jsonl" | "ndjson") && lists(&keys.all) => "json",
        [] => own(text, extension),
        several => {
            return Err(Error::Other(format!(
                "{name}: 内容同时像 {},分不清是哪一种;\n  请用 --format 指明其一,如 --format {}。(ambiguous format)",
                several.join("、"),
                several[0]
            )));
        }
    };
    Ok((Format::of(id), None))
}

/// A JSON format the user named: the list inside an object to read, when it is the only one with records of that format.
pub(crate) fn named(format: &'static Format, text: &str, options: &InputOptions) -> Result<Known> {
    if !text.starts_with('{') || !matches!(format.shape, Shape::Json(_) | Shape::Messages) {
        return Ok((format, None));
    }
    let keys = Keys::of(text);
    let outer = match format.id {
        "json" => keys.all.contains("turns") || keys.all.contains("conversation_id"),
        "json-messages" => is_messages(keys.all.iter(), &options.mapping),
        id => of_records(&keys.all, options).contains(&id),
    };
    let mut lists = keys.lists.iter().filter(|(_, keys)| of_records(keys, options).contains(&format.id));
    match (outer, lists.next(), lists.next()) {
        (false, Some((way, _)), None) if !reads(format, way) => Ok((format, Some(way.clone()))),
        _ => Ok((format, None)),
    }
}

/// The only list of records inside an object that is none itself.
fn inside(
    name: &str,
    text: &str,
    extension: &str,
    keys: &Keys,
    found: &[&'static str],
    options: &InputOptions,
) -> Result<Option<Known>> {
    // a broken line of JSONL may look like anything
    let lines = matches!(extension, "jsonl" | "ndjson");
    let first = text.lines().next().unwrap_or("");
    let whole = || text.len() == first.len() || serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    if !text.starts_with('{') || lines && !whole() {
        return Ok(None);
    }
    let mut lists = Vec::new();
    for (way, keys) in &keys.lists {
        let mut ids = of_records(keys, options);
        // what a vendor's document is made of may look like something else
        ids.retain(|id| found.is_empty() || found.contains(id));
        lists.extend(ids.into_iter().map(|id| (way, Format::of(id))));
    }
    match lists.as_slice() {
        [] => Ok(None),
        [(_, format), ..] if lists.iter().all(|(way, other)| other.id == format.id && reads(other, way)) => {
            Ok(Some((format, None)))
        }
        [(way, format)] => Ok(Some((format, Some((*way).clone())))),
        several => {
            let list = several.iter().map(|(way, format)| format!("{}({})", shown(way), format.id));
            Err(Error::Other(format!(
                "{name}: 对象里不止一个列表像会话或消息: {};\n  请只留一个,例如 jq '{}' 取出一个列表,另存后再读。(more than one list of records)",
                list.collect::<Vec<_>>().join("、"),
                several[0].0.iter().map(|key| format!(".\"{key}\"")).collect::<String>()
            )))
        }
    }
}

/// What to do about an object that is no conversation but holds lists of objects: as the end of a reject's reason.
pub(crate) fn unread_lists(record: &str) -> Option<String> {
    const SAMPLE: usize = 64 << 10;
    let keys = Keys::of(&record[..record.floor_char_boundary(SAMPLE.min(record.len()))]);
    let lists = keys.lists.iter().take(3).map(|(way, keys)| {
        let keys = keys.iter().filter(|key| !key.contains(['.', '['])).take(8).map(String::as_str);
        format!("{}(键 {})", shown(way), keys.collect::<Vec<_>>().join("、"))
    });
    let lists = lists.collect::<Vec<_>>().join("、");
    (!lists.is_empty()).then(|| {
        format!(";对象里的列表 {lists} 认不出是会话或消息,键名不同的请用 --mapping 映射文件的 [columns] 指明会话编号、角色、内容各是哪个键")
    })
}

/// True when a format's own reading finds the list at this place.
fn reads(format: &Format, way: &[String]) -> bool {
    matches!(format.shape, Shape::Json(json) if json.lists().contains(&shown(way).as_str()))
}

/// The formats whose records have these keys.
fn of_records(keys: &BTreeSet<String>, options: &InputOptions) -> Vec<&'static str> {
    if let Some(turns) = &options.mapping.turns {
        let list = format!("{turns}[]");
        return Vec::from_iter(keys.iter().any(|k| k.starts_with(&list)).then_some("json-mapped"));
    }
    if is_messages(keys.iter(), &options.mapping) {
        return vec!["json-messages"];
    }
    if keys.contains("turns") {
        return vec!["json"];
    }
    signs(keys, true)
}

/// The formats of other systems whose signs these keys are: those of a whole document, or of one record, whose own lists
/// do not make a record of what they hold.
fn signs(keys: &BTreeSet<String>, record: bool) -> Vec<&'static str> {
    let has = |key: &str| keys.contains(key);
    let ends = |tail: &str| {
        keys.iter().any(|key| match key.strip_suffix(tail) {
            Some(before) => (before.is_empty() || before.ends_with('.')) && !(record && before.contains('[')),
            None => false,
        })
    };
    let signs = [
        ("aliyun-upload", !record && has("tickets[].dialogue") || has("dialogue[].words")),
        ("aliyun-result", ends("AsrResult")),
        (
            "contact-lens",
            ["ParticipantId", "ParticipantRole", "BeginOffsetMillis", "AbsoluteTime"]
                .iter()
                .any(|k| has(&format!("Transcript[].{k}"))),
        ),
        ("ccai", has("entries[].text") && (has("entries[].role") || has("entries[].start_timestamp_usec"))),
        ("baidu-asr", has("asr_result") || ends("detailed_result")),
        (
            "tencent-asr",
            !record && ends("FinalSentence") || ends("ResultDetail[].FinalSentence") || ends("ResultDetail"),
        ),
        ("huawei-asr", has("segments[].result.text")),
    ];
    signs.iter().filter(|s| s.1).map(|s| s.0).collect()
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

/// How deep keys are looked at, from the document and from a record in a list.
const DEEPEST: usize = 8;

enum Level {
    Object(String),
    List,
}

/// The way through levels: `Data.ResultInfo[].TaskId`.
fn way(levels: &[Level]) -> String {
    let mut way = String::new();
    for level in levels {
        match level {
            Level::Object(key) if way.is_empty() || way.ends_with('.') => way.push_str(key),
            Level::Object(key) => way.extend([".", key]),
            Level::List => way.push_str("[]"),
        }
    }
    way
}

/// The keys of a sample.
struct Keys {
    /// With their way from the record: `Data.ResultInfo[].TaskId`. A list around the records is left out.
    all: BTreeSet<String>,
    /// Lists of objects inside objects, with the keys of their elements.
    lists: Vec<(Way, BTreeSet<String>)>,
}

impl Keys {
    /// The keys of a sample, which may be cut anywhere.
    fn of(text: &str) -> Keys {
        const MOST: usize = 20_000;
        let mut out = Keys { all: BTreeSet::new(), lists: Vec::new() };
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
                            out.all.insert(way(&levels).trim_start_matches("[].").to_owned());
                        }
                        out.in_list(&levels);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        out
    }

    /// A key at the end of these levels, told to the list of objects it lies in.
    fn in_list(&mut self, levels: &[Level]) {
        let object = |level: &Level| match level {
            Level::Object(key) => Some(key.clone()),
            Level::List => None,
        };
        let around: Way = levels.iter().map_while(object).collect();
        let depth = around.len() + 1;
        let listed = matches!(levels.get(depth), Some(Level::Object(_))) && levels.len() - depth <= DEEPEST;
        if !listed || !(1..=LEVELS).contains(&around.len()) {
            return;
        }
        let key = way(&levels[depth..]);
        match self.lists.iter_mut().find(|(way, _)| *way == around) {
            Some((_, keys)) => drop(keys.insert(key)),
            None => self.lists.push((around, BTreeSet::from([key]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str, extension: &str) -> (&'static str, Option<String>) {
        let (format, list) = json("f", text, extension, &InputOptions::default()).unwrap();
        (format.id, list.map(|way| shown(&way)))
    }

    const MESSAGE: &str = r#"{"session_id":"1","sender":"客服","content":"您好"}"#;
    const NATIVE: &str = r#"{"conversation_id":"1","turns":[{"role":"客服","text":"您好"}]}"#;

    #[test]
    fn a_list_inside_an_object_that_is_nobodys() {
        let messages = Some("/data".to_owned());
        for extension in ["json", "", "jsonl"] {
            assert_eq!(
                of(&format!("{{\"code\":0,\"data\":[{MESSAGE}]}}"), extension),
                ("json-messages", messages.clone())
            );
            assert_eq!(
                of(&format!("{{\"code\":0,\"data\":[{MESSAGE},{{\"ses"), extension),
                ("json-messages", messages.clone())
            );
            let deep = format!("{{\"a\":{{\"b\":{{\"c\":[{NATIVE}]}}}},\"x\":[{{\"y\":1}}]}}");
            assert_eq!(of(&deep, extension), ("json", Some("/a/b/c".into())));
        }
        let deeper = format!("{{\"a\":{{\"b\":{{\"c\":{{\"d\":[{NATIVE}]}}}}}}}}");
        assert_eq!(of(&deeper, "json").1, None);
        // a list the format itself reads stays with it, and so does one inside a record
        assert_eq!(of(&format!("{{\"data\":[{NATIVE}]}}"), "json"), ("json", None));
        assert_eq!(of(&format!("{{\"turns\":[],\"data\":[{MESSAGE}]}}"), "json").1, None);
        let vendor = r#"{"result":{"list":[{"task_id":1,"asr_result":[{"res":["x"]}]}]}}"#;
        assert_eq!(of(vendor, "json"), ("baidu-asr", Some("/result/list".into())));
        let own = r#"{"Response":{"Data":{"ResultDetail":[{"FinalSentence":"x"}]}}}"#;
        assert_eq!(of(own, "json"), ("tencent-asr", None));
        // a broken line does not make the lines after it a list
        assert_eq!(of(&format!("{{\"x\":[\n{MESSAGE}\n"), "jsonl").1, None);
    }

    #[test]
    fn two_lists_are_not_guessed_between() {
        let two = format!("{{\"a\":[{MESSAGE}],\"b\":{{\"c\":[{NATIVE}]}}}}");
        let error = json("f.json", &two, "json", &InputOptions::default()).unwrap_err().to_string();
        for part in ["f.json", "/a(json-messages)", "/b/c(json)", "jq '.\"a\"'"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let named = named(Format::of("json"), &two, &InputOptions::default()).unwrap();
        assert_eq!((named.0.id, named.1.map(|way| shown(&way))), ("json", Some("/b/c".into())));
    }

    proptest! {
        #[test]
        fn a_cut_sample_never_panics(cut in 0usize..200, noise in "[\\[\\]{}\",:\\\\a好]{0,40}") {
            let text = r#"{"Data":{"ResultInfo":[{"TaskId":"好","AsrResult":[{"Role":"客\"服","Words":"您好"}]}]}}"#;
            let cut = text.floor_char_boundary(cut.min(text.len()));
            let _ = Keys::of(&text[..cut]);
            let _ = Keys::of(&noise);
            let _ = json("f", &noise, "", &InputOptions::default());
        }
    }
}
