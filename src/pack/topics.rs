//! `topics.toml`: why customers come (reasons in two levels) and what is wrong with products (faults), as data.
//!
//! ```toml
//! [[reason]]
//! id = "refund"        title = "退款"       title_en = "Refund"
//! phrases = ["退款"]   except = ["价保"]    weight = 0.4        # of the first level itself; optional
//! [[reason.sub]]
//! id = "refund.progress"  title = "退款进度"  phrases = ["退款进度", "什么时候到账"]  regex = ['退.{0,4}进度']  weight = 2
//! [[fault]]
//! id = "safety"  title = "安全隐患"  urgency = "high"  phrases = ["漏电"]
//! ```
//! A phrase counts unless one of the topic's `except` stands in the same sentence. The heavier a topic's `weight`, the
//! more one of its phrases says about the main reason.

use regex::Regex;

use super::codes;
use super::fields::{Faults, Table};
use crate::text::plain_phrase;

/// How soon a product fault must reach those responsible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The same day: someone may come to harm.
    High,
    /// With the regular feedback.
    Normal,
}

impl Urgency {
    /// Stable id.
    pub fn id(self) -> &'static str {
        match self {
            Urgency::High => "high",
            Urgency::Normal => "normal",
        }
    }

    /// Chinese name.
    pub fn title(self) -> &'static str {
        match self {
            Urgency::High => "紧急",
            Urgency::Normal => "一般",
        }
    }
}

/// A contact reason or a product fault.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Its id; a sub-reason's begins with its parent's.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// Its English title.
    pub title_en: String,
    /// The first-level reason's number, for a sub-reason.
    pub parent: Option<usize>,
    /// Set for product faults.
    pub urgency: Option<Urgency>,
    /// What one phrase counts, in thousandths.
    pub weight: u32,
    /// Phrases in the plain view.
    pub phrases: Vec<String>,
    /// Exceptions in the plain view: none of them in the same sentence.
    pub except: Vec<String>,
    /// Regexes over the plain view.
    pub regexes: Vec<Regex>,
}

impl Topic {
    /// True for a product fault.
    pub fn is_fault(&self) -> bool {
        self.urgency.is_some()
    }
}

/// All topics of a pack; a topic's number is its place here.
#[derive(Debug, Clone, Default)]
pub struct Topics {
    /// Reasons, each followed by its sub-reasons, then faults.
    pub list: Vec<Topic>,
    /// The reason of conversations in which none shows.
    pub other: Option<usize>,
}

impl Topics {
    /// The first-level reason of a topic: its parent, or itself.
    pub fn top(&self, number: usize) -> usize {
        self.list[number].parent.unwrap_or(number)
    }

    /// The number of a topic.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|t| t.id == id)
    }
}

/// Id of the reason that catches the rest.
pub const OTHER: &str = "other";

/// Reads `topics.toml`.
pub fn read(mut table: Table<'_>, faults: &mut Faults<'_>) -> Topics {
    let mut out = Topics::default();
    for mut reason in table.tables("reason", faults) {
        let parent = out.list.len();
        let subs = reason.tables("sub", faults);
        let Some(topic) = topic(&mut reason, None, false, &out, faults) else { continue };
        reason.finish("[[reason]] ", faults);
        out.list.push(topic);
        for mut sub in subs {
            let topic = topic_of_sub(&mut sub, parent, &out, faults);
            sub.finish("[[reason.sub]] ", faults);
            out.list.extend(topic);
        }
    }
    for mut fault in table.tables("fault", faults) {
        let topic = topic(&mut fault, None, true, &out, faults);
        fault.finish("[[fault]] ", faults);
        out.list.extend(topic);
    }
    table.finish("topics.toml ", faults);
    out.other = out.find(OTHER);
    out
}

fn topic_of_sub(table: &mut Table<'_>, parent: usize, known: &Topics, faults: &mut Faults<'_>) -> Option<Topic> {
    let topic = topic(table, Some(parent), false, known, faults)?;
    if topic.phrases.is_empty() && topic.regexes.is_empty() {
        let message = format!("二级原因 `{}` 没有任何短语", topic.id);
        faults.at(codes::NO_PATTERN, table.head(), message, Some("加一行 phrases = [\"…\"]".into()));
    }
    Some(topic)
}

fn topic(
    table: &mut Table<'_>,
    parent: Option<usize>,
    fault: bool,
    known: &Topics,
    faults: &mut Faults<'_>,
) -> Option<Topic> {
    let id = table.required("id", faults);
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let title_en = table.string("title_en", faults).map(|t| t.value);
    let urgency = if fault { Some(urgency(table, faults)) } else { None };
    let weight = table.number("weight", faults);
    if let Some(weight) = &weight
        && !(0.0..=100.0).contains(&weight.value)
    {
        faults.at(codes::BAD_VALUE, weight.range.clone(), "weight 要在 0 到 100 之间", None);
    }
    let mut phrases = Vec::new();
    for phrase in table.strings("phrases", faults) {
        let normal = plain_phrase(&phrase.value);
        if normal.trim().is_empty() {
            faults.at(codes::EMPTY_PHRASE, phrase.range, "短语归一化后为空,永远不会命中", None);
        } else if phrases.contains(&normal) {
            faults.at(codes::DUPLICATE_PHRASE, phrase.range, format!("短语 `{}` 重复", phrase.value), None);
        } else {
            phrases.push(normal);
        }
    }
    let mut except = Vec::new();
    for phrase in table.strings("except", faults) {
        let normal = plain_phrase(&phrase.value);
        if phrases.contains(&normal) {
            let message = format!("短语 `{}` 同时写成了例外,永远不会命中", phrase.value);
            faults.at(codes::SHADOWED_PHRASE, phrase.range, message, Some("短语和例外留一个".into()));
        }
        if !normal.trim().is_empty() {
            except.push(normal);
        }
    }
    let mut regexes = Vec::new();
    for source in table.strings("regex", faults) {
        match Regex::new(&source.value) {
            Ok(regex) if regex.is_match("") => {
                faults.at(codes::MATCHES_EVERYTHING, source.range, "正则能匹配空文本,等于什么都命中", None);
            }
            Ok(regex) => regexes.push(regex),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().to_string();
                faults.at(codes::BAD_REGEX, source.range, format!("正则写错: {reason}"), None);
            }
        }
    }
    let id = id?;
    if known.list.iter().any(|t| t.id == id.value) {
        faults.at(codes::DUPLICATE_ID, id.range.clone(), format!("原因 `{}` 写了两次", id.value), None);
        return None;
    }
    if let Some(parent) = parent
        && !id.value.starts_with(&format!("{}.", known.list[parent].id))
    {
        let message = format!("二级原因 `{}` 的 id 要以一级的 id 加点开头", id.value);
        let hint = Some(format!("改成 {}.{}", known.list[parent].id, id.value));
        faults.at(codes::BAD_VALUE, id.range.clone(), message, hint);
    }
    let weight = weight.map_or(1000, |w| (w.value * 1000.0).round() as u32);
    let title_en = title_en.unwrap_or_else(|| id.value.clone());
    Some(Topic { id: id.value, title, title_en, parent, urgency, weight, phrases, except, regexes })
}

fn urgency(table: &mut Table<'_>, faults: &mut Faults<'_>) -> Urgency {
    let written = table.string("urgency", faults);
    match written.as_ref().map(|w| w.value.as_str()) {
        Some("high") => Urgency::High,
        Some("normal") | None => Urgency::Normal,
        Some(other) => {
            let range = written.as_ref().map_or(0..1, |w| w.range.clone());
            let hint = Some("可用: high(当天送到责任部门)、normal".into());
            faults.at(codes::BAD_VALUE, range, format!("urgency 没有 `{other}` 这个值"), hint);
            Urgency::Normal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, SourceFile};
    use std::sync::Arc;

    fn load(text: &str) -> (Topics, Vec<Diagnostic>) {
        let file = Arc::new(SourceFile { path: "topics.toml".into(), text: text.to_string() });
        let mut all = Vec::new();
        let mut faults = Faults::new(file.clone(), &mut all);
        let parsed = crate::pack::fields::parse(&file.text, &mut faults);
        let topics = read(Table::new(parsed.get_ref(), 0..file.text.len()), &mut faults);
        (topics, all)
    }

    #[test]
    fn levels_and_faults() {
        let (topics, faults) = load(
            "[[reason]]\nid='a'\ntitle='甲'\n[[reason.sub]]\nid='a.b'\ntitle='乙'\nphrases=['退款，']\nweight=1.5\n\
             [[fault]]\nid='f'\ntitle='漏'\nurgency='high'\nphrases=['漏电']\n",
        );
        assert_eq!(faults, []);
        assert_eq!(topics.list.len(), 3);
        assert_eq!((topics.top(1), topics.list[1].weight), (0, 1500));
        assert_eq!(topics.list[1].phrases, ["退款,"]);
        assert_eq!(topics.list[2].urgency, Some(Urgency::High));
    }

    #[test]
    fn every_fault_is_reported_with_its_place() {
        let (_, faults) = load(
            "[[reason]]\nid='a'\ntitle='甲'\nwieght=2\n[[reason.sub]]\nid='b'\ntitle='乙'\nphrases=['x','x']\nexcept=['x']\n\
             regex=['(']\n[[fault]]\nid='a'\ntitle='丙'\nurgency='now'\nphrases=['']\n",
        );
        let mut codes: Vec<_> = faults.iter().map(|f| f.code).collect();
        codes.sort();
        let expected = [
            "bad-regex",
            "bad-value",
            "bad-value",
            "duplicate-id",
            "duplicate-phrase",
            "empty-phrase",
            "shadowed-phrase",
            "unknown-key",
        ];
        assert_eq!(codes, expected);
        let unknown = faults.iter().find(|f| f.code == "unknown-key").unwrap();
        assert_eq!(unknown.position().unwrap().1, 4);
    }
}
