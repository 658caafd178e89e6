//! Learnt markers: `kind = "model"` with a readable file of weights, such as `zhijian calibrate markers` writes.
//!
//! The model is a linear one over what a reader looks at: the words of the message, the words of the other side's
//! messages right before and after it, the rule-based markers of all three, and a little shape. The marker holds where
//! `1 / (1 + e^−(intercept + Σ weights))` reaches `threshold`.

use std::collections::{BTreeMap, HashMap};

use super::codes;
use super::expression::MarkerId;
use super::fields::{At, Faults, Table, nearest};
use super::satisfaction::decimal;

/// Which messages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// The message itself.
    Own,
    /// The other side's messages right before it.
    Before,
    /// The other side's messages right after it.
    After,
}

impl Spot {
    /// Every spot with its key in files and its Chinese title.
    pub const ALL: [(Spot, &'static str, &'static str); 3] =
        [(Spot::Own, "own", "这句"), (Spot::Before, "before", "前面对方"), (Spot::After, "after", "后面对方")];

    /// Its Chinese title.
    pub fn title(self) -> &'static str {
        Spot::ALL[self as usize].2
    }
}

/// The shape of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TurnShape {
    /// The marker's own phrases hit.
    Rule,
    /// The first message of its side.
    First,
    /// The last message of its side.
    Last,
    /// log2(1 + characters).
    Chars,
    /// It has a question mark.
    Question,
    /// It has an exclamation mark.
    Exclaim,
}

impl TurnShape {
    /// Every shape with its key in files and its Chinese title.
    pub const ALL: [(TurnShape, &'static str, &'static str); 6] = [
        (TurnShape::Rule, "rule", "自带短语命中"),
        (TurnShape::First, "first", "本方第一句"),
        (TurnShape::Last, "last", "本方最后一句"),
        (TurnShape::Chars, "chars", "字数(对数)"),
        (TurnShape::Question, "question", "有问号"),
        (TurnShape::Exclaim, "exclaim", "有感叹号"),
    ];
}

/// Something a model looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trait {
    /// A word somewhere.
    Word(Spot, String),
    /// One or two characters of the message itself, in its squeezed view; with `^` or `$` those it begins or ends with.
    Gram(String),
    /// A marker somewhere.
    Marker(Spot, MarkerId),
    /// The message's shape.
    Shape(TurnShape),
}

/// A learnt marker's weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TurnModel {
    /// Probability from which the marker holds.
    pub threshold: f64,
    /// Probability from which it holds where the marker's own phrases hit; `threshold` without it.
    pub keep: Option<f64>,
    /// The log-odds of a message with nothing to it.
    pub intercept: f64,
    /// Words by spot and word.
    pub words: [HashMap<String, f64>; 3],
    /// Single characters and pairs of the message's squeezed view, and those it begins and ends with.
    pub grams: BTreeMap<String, f64>,
    /// Markers, in the order of the file.
    pub markers: Vec<(Spot, MarkerId, f64)>,
    /// Shapes, in the order of [`TurnShape::ALL`].
    pub shapes: [f64; 6],
}

impl TurnModel {
    /// The log-odds from which the marker holds; `rule` says whether the marker's own phrases hit.
    ///
    /// ```
    /// use zhijian::pack::turn_model::TurnModel;
    /// let model = TurnModel { threshold: 0.5, keep: Some(0.0), ..TurnModel::default() };
    /// assert_eq!((model.least(false), model.least(true)), (0.0, f64::NEG_INFINITY));
    /// ```
    pub fn least(&self, rule: bool) -> f64 {
        let least = self.keep.filter(|_| rule).unwrap_or(self.threshold);
        (least / (1.0 - least)).ln()
    }

    /// True when it looks at words, which takes a segmenter.
    pub fn wants_words(&self) -> bool {
        self.words.iter().any(|w| !w.is_empty()) || self.grams.is_empty()
    }
}

/// Reads a model; `ids` are the pack's markers, sorted.
pub fn read(mut table: Table<'_>, ids: &[String], faults: &mut Faults<'_>) -> TurnModel {
    let mut model = TurnModel { threshold: 0.5, ..TurnModel::default() };
    if let Some(at) = table.number("threshold", faults) {
        model.threshold = at.value;
        if !(at.value > 0.0 && at.value < 1.0) {
            faults.at(codes::BAD_VALUE, at.range, "threshold 要在 0 和 1 之间", None);
        }
    }
    if let Some(at) = table.number("keep", faults) {
        model.keep = Some(at.value);
        if !(0.0..1.0).contains(&at.value) {
            faults.at(codes::BAD_VALUE, at.range, "keep 要在 0 和 1 之间", None);
        }
    }
    model.intercept = table.number("intercept", faults).map_or(0.0, |n| n.value);
    let _about = table.string("about", faults);
    if let Some(mut learnt) = table.table("learnt", faults) {
        learnt.string("marker", faults);
        learnt.count("messages", faults);
        learnt.number("precision", faults);
        learnt.number("recall", faults);
        learnt.number("f1", faults);
        learnt.number("penalty", faults);
        learnt.finish("[learnt] ", faults);
    }
    if let Some(mut all) = table.table("words", faults) {
        for (spot, key, _) in Spot::ALL {
            if let Some(inner) = all.table(key, faults) {
                let weights = inner.numbers(faults);
                model.words[spot as usize] = weights.into_iter().map(|(word, w)| (word.value, w)).collect();
            }
        }
        all.finish("[words] ", faults);
    }
    if let Some(text) = table.string("grams", faults) {
        grams(&text, &mut model.grams, faults);
    }
    if let Some(mut all) = table.table("markers", faults) {
        for (spot, key, _) in Spot::ALL {
            let Some(inner) = all.table(key, faults) else { continue };
            for (name, weight) in inner.numbers(faults) {
                match ids.binary_search(&name.value) {
                    Ok(id) => model.markers.push((spot, id as MarkerId, weight)),
                    Err(_) => {
                        let near = nearest(&name.value, ids.iter().map(String::as_str));
                        let hint = near.map(|n| format!("是不是想写 `{n}`?"));
                        faults.at(codes::UNKNOWN_MARKER, name.range, format!("没有标记 `{}`", name.value), hint);
                    }
                }
            }
        }
        all.finish("[markers] ", faults);
    }
    if let Some(mut inner) = table.table("shape", faults) {
        for (shape, key, _) in TurnShape::ALL {
            model.shapes[shape as usize] = inner.number(key, faults).map_or(0.0, |n| n.value);
        }
        inner.finish("[shape] ", faults);
    }
    table.finish("模型文件", faults);
    model
}

/// The most characters of a gram, not counting [`START`] and [`END`].
pub const LONGEST_GRAM: usize = 2;

/// Stands before the first character of a message; nothing in a squeezed view.
pub const START: char = '^';

/// Stands after the last character of a message; nothing in a squeezed view.
pub const END: char = '$';

/// Reads grams: a line a weight, followed by the grams that have it.
fn grams(text: &At<String>, out: &mut BTreeMap<String, f64>, faults: &mut Faults<'_>) {
    for line in text.value.lines() {
        let mut parts = line.split_whitespace();
        let Some(weight) = parts.next() else { continue };
        let Some(weight) = weight.parse::<f64>().ok().filter(|w| w.is_finite()) else {
            faults.at(codes::BAD_VALUE, text.range.clone(), format!("grams 的一行要以权重开头,不是 `{weight}`"), None);
            continue;
        };
        for gram in parts {
            if gram.trim_start_matches(START).trim_end_matches(END).chars().count() > LONGEST_GRAM {
                let hint = Some(format!("至多 {LONGEST_GRAM} 个字"));
                faults.at(codes::BAD_VALUE, text.range.clone(), format!("grams 里的 `{gram}` 太长"), hint);
                continue;
            }
            out.insert(gram.to_string(), weight);
        }
    }
}

/// Writes a model as a file people can read and mend.
pub fn write(model: &TurnModel, ids: &[&str], about: &[String], learnt: &[(&str, String)]) -> String {
    use std::fmt::Write as _;
    let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
    let mut out = String::new();
    for line in about {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "threshold = {}", decimal(model.threshold));
    if let Some(keep) = model.keep {
        let _ = writeln!(out, "keep = {}  # 自带短语命中时的门槛", decimal(keep));
    }
    let _ = writeln!(out, "intercept = {}", decimal(model.intercept));
    if !model.grams.is_empty() {
        // The strongest first; grams of one weight share a line.
        let mut lines: Vec<(i64, Vec<&str>)> = Vec::new();
        let mut all: Vec<(i64, &str)> = model.grams.iter().map(|(g, w)| (hundredths(*w), g.as_str())).collect();
        all.sort_by_key(|(weight, gram)| (-weight.abs(), -weight, *gram));
        for (weight, gram) in all {
            match lines.last_mut().filter(|l| l.0 == weight) {
                Some(line) => line.1.push(gram),
                None => lines.push((weight, vec![gram])),
            }
        }
        let _ = writeln!(out, "# 这句话里的一个字、两个字(压缩视图;^ 是开头,$ 是结尾):一行一个权重\ngrams = '''");
        for (weight, grams) in lines {
            let _ = writeln!(out, "{} {}", decimal(weight as f64 / 100.0), grams.join(" "));
        }
        let _ = writeln!(out, "'''");
    }
    let _ = writeln!(out, "\n[learnt]");
    for (key, value) in learnt {
        let _ = writeln!(out, "{key} = {value}");
    }
    let _ = writeln!(out, "\n[shape]");
    for (shape, key, title) in TurnShape::ALL {
        let _ = writeln!(out, "{key} = {}  # {title}", decimal(model.shapes[shape as usize]));
    }
    let mut section = |kind: &str, key: &str, title: &str, mut weights: Vec<(&str, f64)>| {
        if weights.is_empty() {
            return;
        }
        weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
        let _ = writeln!(out, "\n# {title}\n[{kind}.{key}]");
        for (name, weight) in weights {
            let _ = writeln!(out, "{} = {}", quoted(name), decimal(weight));
        }
    };
    for (spot, key, title) in Spot::ALL {
        let own = model.markers.iter().filter(|m| m.0 == spot);
        let own = own.map(|(_, id, weight)| (ids[*id as usize], *weight));
        section("markers", key, &format!("{title}的标记"), own.collect());
    }
    for (spot, key, title) in Spot::ALL {
        let words = model.words[spot as usize].iter().map(|(word, weight)| (word.as_str(), *weight));
        section("words", key, &format!("{title}的词"), words.collect());
    }
    out
}

/// A weight in hundredths, as grams keep it.
pub fn hundredths(weight: f64) -> i64 {
    (weight * 100.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use std::sync::Arc;

    fn load(text: &str) -> (TurnModel, Vec<&'static str>) {
        let mut all = Vec::new();
        let file = Arc::new(SourceFile { path: "x.model.toml".into(), text: text.to_string() });
        let mut faults = Faults::new(file, &mut all);
        let parsed = super::super::fields::parse(text, &mut faults);
        let ids = ["negative", "thanks"].map(String::from);
        let model = read(Table::new(parsed.get_ref(), 0..text.len()), &ids, &mut faults);
        (model, all.iter().map(|d| d.code).collect())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut model = TurnModel { threshold: 0.4, keep: Some(0.1), intercept: -1.5, ..TurnModel::default() };
        model.words[0].insert("失望".into(), 1.25);
        model.words[2].insert("\"".into(), -0.5);
        model.grams.extend([("加".into(), 0.25), ("加我".into(), -1.5), ("您".into(), 0.25)]);
        model.markers.push((Spot::Before, 1, -0.75));
        model.shapes[TurnShape::Chars as usize] = 0.125;
        let text = write(&model, &["negative", "thanks"], &["说明".into()], &[("messages", "3".into())]);
        assert_eq!(load(&text), (model, vec![]), "{text}");
    }

    #[test]
    fn faults_are_named() {
        let (_, codes) =
            load("threshold = 1.5\n[words.own]\n\"好\" = \"x\"\n[markers.own]\nnegativ = 1\n[shape]\nlong = 1\n");
        assert_eq!(codes, ["bad-value", "wrong-type", "unknown-marker", "unknown-key"]);
        let (model, codes) = load("grams = '''\nx 加\n0.5 加我微 扫码 ^您好 呢$\n'''\n");
        assert_eq!(codes, ["bad-value", "bad-value"]);
        assert_eq!(model.grams.into_keys().collect::<Vec<_>>(), ["^您好", "呢$", "扫码"]);
    }
}
