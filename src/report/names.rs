//! File names and cells made from texts that come from outside.

use sha2::{Digest, Sha256};

/// A file name for an id: its letters, digits, `-`, `_` and Chinese characters; where anything had to be left out, a
/// short hash of the id keeps different ids apart.
///
/// ```
/// use zhijian::report::names::file_stem;
/// assert_eq!(file_stem("a01"), "a01");
/// assert!(!file_stem("../../etc/passwd").contains(['/', '.']));
/// assert_ne!(file_stem("a/b"), file_stem("a.b"));
/// // `team-…` is the name of a team's report.
/// assert!(!file_stem("team-team-a").starts_with("team-"));
/// ```
pub fn file_stem(id: &str) -> String {
    const MOST: usize = 60;
    let kept: String = id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || ('\u{4e00}'..='\u{9fff}').contains(c))
        .take(MOST)
        .collect();
    let reserved = ["con", "prn", "aux", "nul", "com1", "lpt1", "index"].contains(&kept.to_ascii_lowercase().as_str());
    // Upper and lower case are one on some file systems.
    let mixed = kept.bytes().any(|b| b.is_ascii_uppercase());
    let rest = without_team(&kept);
    if kept == id && !kept.is_empty() && !reserved && !mixed && rest.len() == kept.len() {
        return kept;
    }
    let hash: String = Sha256::digest(id.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    let kept = rest;
    if kept.is_empty() { format!("agent-{hash}") } else { format!("{kept}-{hash}") }
}

/// A stem without leading hyphens and `team-`.
fn without_team(stem: &str) -> &str {
    let mut rest = stem;
    loop {
        let shorter = rest.trim_start_matches('-');
        let team = shorter.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("team-"));
        rest = if team { &shorter[5..] } else { return shorter };
    }
}

/// A text cell that no spreadsheet takes for a formula: a leading `=`, `+`, `-`, `@`, tab or line break gets an
/// apostrophe before it.
///
/// ```
/// use zhijian::report::names::cell;
/// assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
/// assert_eq!(cell("您好"), "您好");
/// ```
pub fn cell(text: &str) -> std::borrow::Cow<'_, str> {
    let first = text.chars().find(|c| !c.is_whitespace() || matches!(c, '\t' | '\r' | '\n'));
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}') => {
            format!("'{text}").into()
        }
        _ => text.into(),
    }
}

/// Text inside Markdown: nothing in it is taken for markup, and it stays on its line.
///
/// ```
/// use zhijian::report::names::markdown;
/// assert_eq!(markdown("<b>*1*\n# x"), "\\<b\\>\\*1\\* # x");
/// ```
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' | '\t' => out.push(' '),
            // Controls of the terminal and of writing direction.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {}
            c => out.push(c),
        }
    }
    if out.starts_with(['#', '+', '-', '=']) {
        out.insert(0, '\\');
    }
    out
}
