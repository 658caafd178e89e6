//! Regexes of markers, checked as they are read; detection builds each when a message first asks for it.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::codes;
use super::fields::{Faults, Table};
use super::marker::Pattern;

/// Bytes a regex may take when built as written; a view rewrites it to something longer.
const SIZE_LIMIT: usize = 4 << 20;
/// Weight up to which a regex is small enough without a try: hundreds of the long ones people write.
const LIGHT: usize = 20_000;

/// Reads the regexes of a list, reporting those that cannot be used.
pub(super) fn regexes(table: &mut Table<'_>, key: &'static str, faults: &mut Faults<'_>) -> Vec<Pattern> {
    let mut out = Vec::new();
    for at in table.strings(key, faults) {
        match check(&at.value) {
            Ok(matches_nothing) => {
                if matches_nothing {
                    faults.at(
                        codes::MATCHES_EVERYTHING,
                        at.range.clone(),
                        "这个正则能匹配空文本,等于什么都命中",
                        Some("至少要求一个字,如把 * 改成 +".into()),
                    );
                }
                out.push(Pattern { source: at.value });
            }
            Err(text) => {
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_string();
                faults.at(
                    codes::BAD_REGEX,
                    at.range,
                    format!("正则写错: {reason}"),
                    Some("不支持环视(?= ?<!)和反向引用;建议用单引号 '…' 书写正则".into()),
                );
            }
        }
    }
    out
}

/// Whether a regex matches the empty text; the message when it is none, or too big. Building one takes far longer
/// than reading it, so only heavy ones are built to see.
fn check(source: &str) -> Result<bool, String> {
    let hir = regex_syntax::Parser::new().parse(source).map_err(|e| e.to_string())?;
    if weight(&hir) > LIGHT {
        regex::RegexBuilder::new(source).size_limit(SIZE_LIMIT).build().map_err(|e| e.to_string())?;
    }
    Ok(hir.properties().minimum_len() == Some(0))
}

/// About how many states a regex comes to.
fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => 2 * class.iter().count(),
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(weight).fold(0, usize::saturating_add),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            weight(&repetition.sub).saturating_mul(times as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_sizes_are_seen() {
        assert_eq!(check("加.{0,3}微信"), Ok(false));
        assert_eq!(check("(?:加)*"), Ok(true));
        assert!(check("(加").unwrap_err().contains("unclosed group"));
        assert!(check("(?=加)").unwrap_err().contains("look-around"));
        assert!(check(".{1000}{1000}").unwrap_err().contains("size limit"));
    }
}
