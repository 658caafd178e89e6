//! The pinyin view: how a turn sounds. A recogniser that hears 加微信 may write 家维信; both sound `jia wei xin`.
//!
//! The view is a row of tokens with one space between: the toneless syllable of each Chinese character (ü is v), the
//! syllables of a word typed in pinyin (`weixin` → `wei xin`, `jiawo` → `jia wo`), and any other run of letters or
//! digits as it is. Punctuation, spaces and emoji are dropped: a recogniser sets them where the speaker took breath.
//! A phrase counts only between token boundaries (`xin` is not in `xing`), which [`at_token_boundaries`] tells.
//!
//! A character has one reading here, its most common one: the first of the table of the `pinyin` crate, corrected for
//! a few particles. Matching any reading would match nearly anything.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use ::pinyin::ToPinyin;

use super::view::{Cursor, View};

/// Readings the table gets wrong for everyday speech.
const READINGS: [(char, &str); 8] =
    [('嗯', "en"), ('唔', "wu"), ('噢', "o"), ('佛', "fo"), ('哼', "heng"), ('欸', "ei"), ('诶', "ei"), ('〇', "ling")];

const FIRST_HAN: u32 = 0x3400;
const LAST_HAN: u32 = 0x9FFF;

struct Syllables {
    /// For each character from [`FIRST_HAN`] on the number of its syllable, 0 for none.
    of: Vec<u16>,
    /// Syllables with a leading space.
    texts: Vec<String>,
    known: HashSet<String>,
}

static SYLLABLES: LazyLock<Syllables> = LazyLock::new(Syllables::build);

/// Writes the pinyin view of a plain view into `out`; the map goes to the original text. The space before a token
/// belongs to the token.
///
/// ```
/// use zhijian::text::{self, View};
/// let (mut plain, mut out) = (View::default(), View::default());
/// text::plain("加我，威芯 abc123", &mut plain);
/// text::pinyin(&plain, &mut out);
/// assert_eq!(out.text(), "jia wo wei xin abc 123");
/// assert_eq!(out.original(7..14).slice("加我，威芯 abc123"), "威芯");
/// ```
pub fn pinyin(plain: &View, out: &mut View) {
    let syllables = &*SYLLABLES;
    out.reset(plain.original_len());
    let text = plain.text();
    let mut cursor = Cursor::default();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        if let Some(token) = syllables.of(c) {
            let token = if out.is_empty() { &token[1..] } else { token };
            out.push_unit(token, plain.original_char(at..next, &mut cursor));
            at = next;
            continue;
        }
        if !c.is_alphanumeric() {
            at = next;
            continue;
        }
        let kind = kind_of(c);
        let end = text[at..].find(|c| kind_of(c) != kind).map_or(text.len(), |n| at + n);
        let run = &text[at..end];
        let mut lengths = [0u8; 16];
        if kind == Kind::Letters
            && let Some(count) = syllables.split(run, &mut lengths)
        {
            for &length in &lengths[..count] {
                push_spaced(out, plain, at..at + length as usize, &mut cursor);
                at += length as usize;
            }
        } else {
            push_spaced(out, plain, at..end, &mut cursor);
        }
        at = end;
    }
}

/// True when a range of a pinyin view begins and ends between tokens.
///
/// ```
/// use zhijian::text::pinyin_boundaries;
/// assert!(pinyin_boundaries("jia wei xin", 4..11));
/// assert!(!pinyin_boundaries("jia wei xing", 4..11));
/// ```
pub fn at_token_boundaries(text: &str, range: Range<usize>) -> bool {
    let bytes = text.as_bytes();
    (range.start == 0 || bytes[range.start - 1] == b' ') && bytes.get(range.end).is_none_or(|&b| b == b' ')
}

/// Appends a part of the plain view as it is, after a space.
fn push_spaced(out: &mut View, plain: &View, part: Range<usize>, cursor: &mut Cursor) {
    if !out.is_empty() {
        let first = plain.text()[part.clone()].chars().next().map_or(0, char::len_utf8);
        out.push_unit(" ", plain.original_char(part.start..part.start + first, cursor));
    }
    out.push_part(plain, part, cursor);
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Letters,
    Digits,
    Other,
    None,
}

fn kind_of(c: char) -> Kind {
    match c {
        'a'..='z' => Kind::Letters,
        '0'..='9' => Kind::Digits,
        _ if SYLLABLES.of(c).is_some() || !c.is_alphanumeric() => Kind::None,
        _ => Kind::Other,
    }
}

impl Syllables {
    #[inline]
    fn of(&self, c: char) -> Option<&str> {
        if c == '〇' {
            return Some(" ling");
        }
        match self.of.get((c as u32).wrapping_sub(FIRST_HAN) as usize) {
            None | Some(0) => None,
            Some(&number) => Some(&self.texts[number as usize - 1]),
        }
    }

    /// The lengths of the syllables a word typed in pinyin consists of, the longest ones first, where it does.
    fn split(&self, word: &str, lengths: &mut [u8; 16]) -> Option<usize> {
        if word.is_empty() || word.len() > 40 {
            return None;
        }
        self.split_from(word, lengths, 0)
    }

    fn split_from(&self, word: &str, lengths: &mut [u8; 16], count: usize) -> Option<usize> {
        if word.is_empty() {
            return Some(count);
        }
        if count == lengths.len() {
            return None;
        }
        (1..=word.len().min(6)).rev().find_map(|length| {
            if !self.known.contains(&word[..length]) {
                return None;
            }
            lengths[count] = length as u8;
            self.split_from(&word[length..], lengths, count + 1)
        })
    }

    fn build() -> Syllables {
        let mut texts: Vec<String> = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        let of = (FIRST_HAN..=LAST_HAN)
            .map(|code| {
                let Some(syllable) = char::from_u32(code).and_then(reading) else { return 0 };
                *numbers.entry(syllable.clone()).or_insert_with(|| {
                    texts.push(format!(" {syllable}"));
                    texts.len() as u16
                })
            })
            .collect();
        let known = texts
            .iter()
            .map(|t| t[1..].to_owned())
            .filter(|t| t.contains(['a', 'e', 'i', 'o', 'u', 'v']) && t.bytes().all(|b| b.is_ascii_lowercase()))
            .collect();
        Syllables { of, texts, known }
    }
}

/// The most common reading of a character, without its tone.
fn reading(c: char) -> Option<String> {
    if let Some((_, own)) = READINGS.iter().find(|(own, _)| *own == c) {
        return Some((*own).to_owned());
    }
    Some(c.to_pinyin()?.plain().replace('ü', "v").replace('ê', "e"))
}

#[cfg(test)]
mod tests {
    use super::super::pinyin_phrase;
    use super::*;

    #[test]
    fn characters_and_typed_pinyin_sound_the_same() {
        for (from, to) in [
            ("", ""),
            ("加微信", "jia wei xin"),
            ("家 维，信！", "jia wei xin"),
            ("jiaweixin", "jia wei xin"),
            ("JIA 微xin", "jia wei xin"),
            ("严正吗", "yan zheng ma"),
            ("验证码", "yan zheng ma"),
            ("身 份 zheng", "shen fen zheng"),
            ("了的么吗妈马码", "le de me ma ma ma ma"),
            ("女绿略", "nv lv lve"),
            ("vx123abc", "vx 123 abc"),
            ("加v信", "jia v xin"),
            ("嗯哪", "en na"),
            ("xian", "xian"),
            ("fangan", "fang an"),
            ("カナ好", "カナ hao"),
            ("😀…", ""),
        ] {
            assert_eq!(pinyin_phrase(from), to, "{from}");
        }
    }

    #[test]
    fn tokens_map_to_their_characters() {
        let original = "请加weixin，好";
        let (mut plain, mut out) = (View::default(), View::default());
        super::super::plain(original, &mut plain);
        pinyin(&plain, &mut out);
        assert_eq!(out.text(), "qing jia wei xin hao");
        assert_eq!(out.original(5..16).slice(original), "加weixin");
        assert_eq!(out.original(13..16).slice(original), "xin");
        assert_eq!(out.original(17..20).slice(original), "好");
    }

    #[test]
    fn a_hit_ends_between_tokens() {
        assert!(at_token_boundaries("a b", 0..1));
        assert!(at_token_boundaries("a b", 2..3));
        assert!(!at_token_boundaries("ab b", 0..1));
    }
}
