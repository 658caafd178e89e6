//! Words and numbers as summaries, workbooks and coaching reports put them: one wording, both languages.

use super::figures::Rate;
use crate::judge::Lang;
use crate::pack::rule::{ErrorClass, Severity};
use crate::review::plan::Kind;

/// The text of the report's language.
pub(super) fn pick<'t>(lang: Lang, zh: &'t str, en: &'t str) -> &'t str {
    if lang == Lang::Zh { zh } else { en }
}

/// A share as people write it: `83.7%`.
pub(super) fn share(value: f64) -> String {
    format!("{:.1}%", value * 100.0)
}

/// A rate with its interval and cases: `83.7%(79.1–87.5,n=294)`.
pub(super) fn rate(lang: Lang, rate: &Rate) -> String {
    let (low, high) = (rate.low * 100.0, rate.high * 100.0);
    match lang {
        Lang::Zh => format!("{}({low:.1}–{high:.1},n={})", share(rate.value), rate.of),
        Lang::En => format!("{} ({low:.1}–{high:.1}, n={})", share(rate.value), rate.of),
    }
}

/// A severity's name.
pub(super) fn severity(lang: Lang, severity: Severity) -> &'static str {
    if lang == Lang::Zh { severity.title() } else { severity.id() }
}

/// The name of a severity written as its id, as records carry it; an unknown one stays as it is.
pub(super) fn severity_of(lang: Lang, id: &str) -> &str {
    match Severity::ALL.iter().find(|s| s.1 == id) {
        Some(known) => severity(lang, known.0),
        None => id,
    }
}

/// An error class's name.
pub(super) fn error_class(lang: Lang, class: ErrorClass) -> &'static str {
    let (_, id, title) = ErrorClass::ALL[class as usize];
    if lang == Lang::Zh { title } else { id }
}

/// Items joined as a list is read, at most `most` of them: `甲、乙 等 7 项`.
pub(super) fn listed(lang: Lang, items: &[String], most: usize) -> String {
    joined(lang, items, most, "项")
}

/// People joined as a list is read: `甲、乙 等 7 人`.
pub(super) fn people(lang: Lang, names: &[String], most: usize) -> String {
    joined(lang, names, most, "人")
}

fn joined(lang: Lang, items: &[String], most: usize, counted: &str) -> String {
    let shown = items[..items.len().min(most)].join(pick(lang, "、", ", "));
    match (items.len() > most, lang) {
        (false, _) => shown,
        (true, Lang::Zh) => format!("{shown} 等 {} {counted}", items.len()),
        (true, Lang::En) => format!("{shown} and {} more", items.len() - most),
    }
}

/// Text from outside on one line: controls and marks of writing direction are left out, white space is a space, and
/// what is longer than `most` characters is cut with a word about it.
///
/// Marks of writing direction (U+202E and its kin) can make `gnp.exe` read `exe.png`.
pub(super) fn one_line(lang: Lang, text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 3));
    for (kept, c) in text.chars().filter(|c| !hidden(*c)).enumerate() {
        if kept == most {
            let all = text.chars().filter(|c| !hidden(*c)).count();
            out.push_str(&match lang {
                Lang::Zh => format!("……(已截短,全文 {all} 字)"),
                Lang::En => format!("… (cut; {all} characters in all)"),
            });
            break;
        }
        out.push(if c.is_whitespace() || c.is_control() { ' ' } else { c });
    }
    out
}

/// Characters that show nothing and change how others show.
fn hidden(c: char) -> bool {
    let direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let nothing = matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}' | '\u{2028}' | '\u{2029}');
    direction || nothing || (c.is_control() && !c.is_whitespace())
}

/// The kind of sample a figure after review rests on, and how far it reaches.
pub(super) fn sample(lang: Lang, kind: Kind) -> &'static str {
    match kind {
        Kind::Random => pick(lang, "随机抽样", "random sample"),
        Kind::Stratified => pick(lang, "分层抽样", "stratified sample"),
        Kind::Targeted => pick(lang, "定向抽样,不能推及整晚", "targeted sample, not of the whole night"),
        Kind::Appeal => pick(lang, "申诉,不能推及整晚", "appeals, not of the whole night"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_one_honest_line() {
        assert_eq!(one_line(Lang::Zh, "a\u{202e}b\nc\u{7}", 10), "ab c");
        assert_eq!(one_line(Lang::Zh, &"长".repeat(10_000), 4), "长长长长……(已截短,全文 10000 字)");
        assert_eq!(one_line(Lang::En, "👨‍👩‍👧", 99), "👨‍👩‍👧");
    }

    #[test]
    fn long_lists_say_what_is_left_out() {
        let items: Vec<String> = ["甲", "乙", "丙"].map(String::from).to_vec();
        assert_eq!(listed(Lang::Zh, &items, 2), "甲、乙 等 3 项");
        assert_eq!(listed(Lang::Zh, &items, 3), "甲、乙、丙");
        assert_eq!(people(Lang::Zh, &items, 1), "甲 等 3 人");
    }
}
