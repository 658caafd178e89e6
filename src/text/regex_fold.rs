//! Folds the literals of a regular expression the way the squeezed view folds a text, so that a pattern may be
//! written naturally: `第一|五星` finds 第1 and 5星.

use super::squeeze::fold_char;
use super::{plain_phrase, squeezed_phrase};

/// The source of a regular expression for the squeezed view: literal characters are folded (numerals, look-alikes,
/// words of the fold table), everything with a meaning of its own is left alone: escapes, quantifiers, group names,
/// and in a class the ends of a range.
///
/// ```
/// use zhijian::text::squeezed_regex;
/// assert_eq!(squeezed_regex("(?:第一|最)名?"), "(?:第1|最)名?");
/// assert_eq!(squeezed_regex("[一二两]+星{1,2}"), "[12两]+星{1,2}");
/// assert_eq!(squeezed_regex("[一-龥]一?"), "[一-龥]1?");
/// assert_eq!(squeezed_regex(r"(?:加|➕).{0,3}[vV薇]信\d"), r"(?:加|加).{0,3}[vV微]信\d");
/// ```
pub fn squeezed_regex(pattern: &str) -> String {
    let mut folder = Folder { rest: pattern, out: String::with_capacity(pattern.len()), literals: String::new() };
    folder.run();
    folder.out
}

struct Folder<'p> {
    rest: &'p str,
    out: String,
    /// Literal characters read but not yet folded.
    literals: String,
}

impl Folder<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => {
                    self.flush(false);
                    self.escape();
                }
                '[' => {
                    self.flush(false);
                    self.class();
                }
                '(' => {
                    self.flush(false);
                    self.group();
                }
                '{' => {
                    self.flush(true);
                    self.copy_through('}');
                }
                '*' | '+' | '?' => {
                    self.flush(true);
                    self.copy(c.len_utf8());
                }
                _ if c.is_alphanumeric() || folded(c).is_some() => {
                    self.literals.push(c);
                    self.rest = &self.rest[c.len_utf8()..];
                }
                _ => {
                    self.flush(false);
                    self.copy(c.len_utf8());
                }
            }
        }
        self.flush(false);
    }

    /// Folds the literals read so far; a quantifier that follows belongs to the last of them alone.
    fn flush(&mut self, quantified: bool) {
        let literals = std::mem::take(&mut self.literals);
        let split = match literals.char_indices().next_back() {
            Some((at, _)) if quantified => at,
            _ => literals.len(),
        };
        self.out.push_str(&squeezed_phrase(&literals[..split]));
        if let Some(last) = literals[split..].chars().next() {
            let folded = squeezed_phrase(last.encode_utf8(&mut [0; 4]));
            if folded.chars().count() == 1 {
                self.out.push_str(&folded);
            } else {
                self.out.push_str("(?:");
                self.out.push_str(&folded);
                self.out.push(')');
            }
        }
    }

    fn copy(&mut self, bytes: usize) {
        let (head, tail) = self.rest.split_at(bytes);
        self.out.push_str(head);
        self.rest = tail;
    }

    fn copy_through(&mut self, end: char) {
        self.copy(self.rest.find(end).map_or(self.rest.len(), |at| at + end.len_utf8()));
    }

    /// `\d`, `\p{Han}`, `\x{4e00}`, `\u4e00`, `\\` …
    fn escape(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        let Some(kind) = chars.next() else { return self.copy(1) };
        let braces = matches!(kind, 'p' | 'P' | 'x' | 'u' | 'U' | 'b') && chars.as_str().starts_with('{');
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'p' | 'P' => 1,
            _ => 0,
        };
        self.copy(1 + kind.len_utf8());
        if braces {
            return self.copy_through('}');
        }
        let bytes = self.rest.chars().take(digits).map(char::len_utf8).sum();
        self.copy(bytes);
    }

    /// `(`, `(?:`, `(?i)`, `(?P<name>`, `(?<name>`.
    fn group(&mut self) {
        if self.rest.starts_with("(?P<") || self.rest.starts_with("(?<") {
            return self.copy_through('>');
        }
        if self.rest.starts_with("(?") {
            let end = self.rest.find([':', ')']).map_or(self.rest.len(), |at| at + 1);
            return self.copy(end);
        }
        self.copy(1);
    }

    /// `[…]`, possibly nested.
    fn class(&mut self) {
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        if self.rest.starts_with(']') {
            self.copy(1);
        }
        let mut after_dash = false;
        while let Some(c) = self.rest.chars().next() {
            match c {
                ']' => return self.copy(1),
                '[' if self.rest.starts_with("[:") => self.copy_through(']'),
                '[' => self.class(),
                '\\' => self.escape(),
                _ => {
                    let before_dash = self.rest[c.len_utf8()..].starts_with('-');
                    match folds_alone(c) {
                        Some(folded) if !before_dash && !after_dash => {
                            self.out.push(folded);
                            self.rest = &self.rest[c.len_utf8()..];
                        }
                        _ => self.copy(c.len_utf8()),
                    }
                }
            }
            after_dash = c == '-';
        }
    }
}

/// What a character that is no ASCII becomes, where it leaves anything.
fn folded(c: char) -> Option<String> {
    if c.is_ascii() {
        return None;
    }
    plain_phrase(c.encode_utf8(&mut [0; 4])).chars().map(fold_char).collect()
}

/// The same, where it becomes a single character.
fn folds_alone(c: char) -> Option<char> {
    let folded = folded(c)?;
    let mut chars = folded.chars();
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_change() {
        for (from, to) in [
            ("", ""),
            ("一二", "12"),
            (r"\x{4e00}一\p{Han}{1,9}", r"\x{4e00}1\p{Han}{1,9}"),
            ("(?P<一>一)", "(?P<一>1)"),
            ("(?i:一)|(?:二)(三)", "(?i:1)|(?:2)(3)"),
            ("[^一二-九三]", "[^1二-九3]"),
            ("[[一]&&[二]]", "[[1]&&[2]]"),
            ("[]一]", "[]1]"),
            ("[[:alpha:]一]", "[[:alpha:]1]"),
            (r"[\]一]", r"[\]1]"),
            ("威信+", "威信+"),
            ("威信号|加威信", "威信号|加微信"),
            ("🐧?号", "(?:qq)?号"),
            ("微.*薇", "微.*微"),
            ("訊息", "讯息"),
            (r"3\.5|a+b", r"3\.5|a+b"),
            ("，。", "，。"),
            (r"\", r"\"),
            ("[一", "[1"),
            ("(?", "(?"),
        ] {
            assert_eq!(squeezed_regex(from), to, "{from}");
        }
    }
}
