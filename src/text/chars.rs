//! What each character becomes in the plain view: one table for the basic plane, one small map for the rest, built
//! once from the Unicode tables, OpenCC's characters and a list of our own.
//!
//! The table is closed: what a character becomes would itself become nothing else. That makes [`super::plain`]
//! idempotent character by character.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::traditional;

/// What becomes of a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// It stays.
    Keep,
    /// It stays for now; which simplified form it takes depends on its neighbours ([`super::traditional`]).
    Context,
    /// It leaves no trace.
    Drop,
    /// It becomes the text with this number.
    Become(u16),
}

const KEEP: u16 = 0;
const CONTEXT: u16 = 1;
const DROP: u16 = 2;
const FIRST: u16 = 3;

/// The actions of all characters.
pub(super) struct Table {
    bmp: Vec<u16>,
    astral: HashMap<char, u16>,
    texts: Vec<Box<str>>,
    /// Whether a text holds a character whose form depends on its neighbours.
    contextual: Vec<bool>,
}

/// The table, built at the first use in a few milliseconds.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    /// True when the basic-plane character stays as it is.
    #[inline]
    pub(super) fn keeps(&self, code: u32) -> bool {
        self.bmp[(code & 0xFFFF) as usize] == KEEP
    }

    /// What becomes of `c`.
    #[inline]
    pub(super) fn action(&self, c: char) -> Action {
        let code = match self.bmp.get(c as usize) {
            Some(&code) => code,
            None => self.astral_code(c),
        };
        match code {
            KEEP => Action::Keep,
            CONTEXT => Action::Context,
            DROP => Action::Drop,
            n => Action::Become(n - FIRST),
        }
    }

    /// The text with a number, and whether a character in it depends on its neighbours.
    #[inline]
    pub(super) fn text(&self, number: u16) -> (&str, bool) {
        (&self.texts[number as usize], self.contextual[number as usize])
    }

    fn astral_code(&self, c: char) -> u16 {
        match c as u32 {
            // Emoji: the great majority of what is found here, and never changed.
            0x1F300..=0x1F51E | 0x1F520..=0x1FAFF => KEEP,
            0xE0000..=0xE0FFF | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A => DROP,
            _ => self.astral.get(&c).copied().unwrap_or(KEEP),
        }
    }

    fn build() -> Table {
        let mut table =
            Table { bmp: vec![KEEP; 0x10000], astral: HashMap::new(), texts: Vec::new(), contextual: Vec::new() };
        let mut numbers: HashMap<String, u16> = HashMap::new();
        let ranges = [
            0..0xD800,
            0xE000..0x10000,
            0x10400..0x10428, // Deseret capitals
            0x1D400..0x1D800,
            0x1EE00..0x1EF00,
            0x1F100..0x1F300,
            0x1F51F..0x1F520,
            0x20000..0x2FA20,
        ];
        let mut resolved = String::new();
        for c in ranges.into_iter().flatten().filter_map(char::from_u32) {
            // Han, Hangul and private use: nothing but the conversion tables can change these.
            let only_converted =
                matches!(c as u32, 0x3400..=0x9FFF | 0xAC00..=0xD7A3 | 0xE000..=0xF8FF | 0x20000..=0x2F7FF);
            if only_converted
                && traditional::character(c).is_none()
                && !traditional::is_contextual(c)
                && own(c).is_none()
            {
                continue;
            }
            resolved.clear();
            resolve(c, &mut resolved);
            let code = if resolved.is_empty() {
                DROP
            } else if resolved.len() == c.len_utf8() && resolved.starts_with(c) {
                if traditional::is_contextual(c) { CONTEXT } else { KEEP }
            } else {
                *numbers.entry(resolved.clone()).or_insert_with(|| {
                    table.contextual.push(resolved.chars().any(traditional::is_contextual));
                    table.texts.push(resolved.as_str().into());
                    FIRST + (table.texts.len() - 1) as u16
                })
            };
            if code == KEEP {
                continue;
            }
            match table.bmp.get_mut(c as usize) {
                Some(slot) => *slot = code,
                None => {
                    table.astral.insert(c, code);
                }
            }
        }
        table
    }
}

/// Appends what `c` finally becomes: one step after the other until nothing changes any more.
fn resolve(c: char, out: &mut String) {
    let mut current = String::from(c);
    for _ in 0..8 {
        let mut next = String::new();
        for c in current.chars() {
            step(c, &mut next);
        }
        if next == current {
            break;
        }
        current = next;
    }
    out.push_str(&current);
}

/// One step of the rewriting of a character.
fn step(c: char, out: &mut String) {
    if c == '\n' {
        return out.push('\n');
    }
    if is_dropped(c) {
        return;
    }
    if c.is_whitespace() || ('\u{9}'..='\u{D}').contains(&c) {
        return out.push(' ');
    }
    if let Some(own) = own(c) {
        return out.push_str(&own);
    }
    if traditional::is_contextual(c) {
        return out.push(c);
    }
    if let Some(simplified) = traditional::character(c) {
        return out.push(simplified);
    }
    let mut lower = c.to_lowercase();
    if let (Some(l), None) = (lower.next(), lower.next())
        && l != c
    {
        return out.push(l);
    }
    if is_kept_from_nfkc(c) {
        return out.push(c);
    }
    let compatible: String = std::iter::once(c).nfkc().collect();
    // ´ ¨ ‾ and their kind become a space and a combining mark: that would tear words apart.
    if compatible.starts_with(' ') && compatible.chars().count() > 1 {
        return out.push(c);
    }
    out.push_str(&compatible);
}

/// Characters that are invisible or only steer rendering, and control characters.
fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' => false,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' => true,
        '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' => true,
        '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' => true,
        // The keycap of 1️⃣ and the enclosing circle, square and ban sign.
        '\u{20DD}'..='\u{20E4}' => true,
        '\u{FFF0}'..='\u{FFFB}' => true,
        _ => c.is_control(),
    }
}

/// Characters NFKC would change although people and detectors tell them apart from what it makes of them.
fn is_kept_from_nfkc(c: char) -> bool {
    matches!(c, '…' | '‥' | '™' | '®' | '©' | '℃' | '℉' | '½' | '¼' | '¾' | '·' | '\u{AC00}'..='\u{D7A3}')
}

/// Letters in squares and circles, and other forms NFKC leaves alone.
fn own(c: char) -> Option<String> {
    let letter = |from: u32| Some(char::from(b'a' + (c as u32 - from) as u8).to_string());
    let number = |from: u32, first: u32| Some((c as u32 - from + first).to_string());
    let text = match c as u32 {
        0x1F130..=0x1F149 => return letter(0x1F130),
        0x1F150..=0x1F169 => return letter(0x1F150),
        0x1F170..=0x1F189 => return letter(0x1F170),
        0x1F1E6..=0x1F1FF => return letter(0x1F1E6),
        0x2776..=0x277F => return number(0x2776, 1),
        0x2780..=0x2789 => return number(0x2780, 1),
        0x278A..=0x2793 => return number(0x278A, 1),
        0x24EB..=0x24F4 => return number(0x24EB, 11),
        0x24F5..=0x24FE => return number(0x24F5, 1),
        0x24FF | 0x1F10B | 0x1F10C => "0",
        0x1F51F => "10",
        0x1F18B => "ic",
        0x1F18C => "pa",
        0x1F18D => "sa",
        0x1F18E => "ab",
        0x1F18F => "wc",
        0x1F191 => "cl",
        0x1F192 => "cool",
        0x1F193 => "free",
        0x1F194 => "id",
        0x1F195 => "new",
        0x1F196 => "ng",
        0x1F197 => "ok",
        0x1F198 => "sos",
        0x1F199 => "up!",
        0x1F19A => "vs",
        // Forms of the question and exclamation mark; dashes that stand for ~.
        0x2753 | 0x2754 => "?",
        0x2755 | 0x2757 => "!",
        0x301C | 0x3030 | 0x223C => "~",
        0x22EF => "…",
        // Pronouns of Taiwan that OpenCC leaves alone.
        0x59B3 => "你",
        0x7260 => "它",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_closed() {
        for text in &TABLE.texts {
            for c in text.chars() {
                let action = TABLE.action(c);
                assert!(matches!(action, Action::Keep | Action::Context), "{text} holds {c}, which is {action:?}");
            }
        }
    }
}
