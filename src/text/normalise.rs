//! The plain view: width, case, traditional forms, enclosed letters and invisible characters levelled, character by
//! character; punctuation and spaces stay, so that sentences and clauses can still be told apart.
//!
//! One pass over the bytes: characters that stay (nearly all) are copied in stretches, the others are looked up in the
//! table of [`super::chars`]. Only a text that holds a character whose simplified form depends on the word is passed on
//! to [`super::traditional`].

use super::chars::{Action, TABLE};
use super::traditional;
use super::view::View;

/// Writes the plain view of `text` into `out`.
///
/// ```
/// use zhijian::text::{self, View};
/// let mut view = View::default();
/// text::plain("您好！ＶＸ：①②③\u{200b}，資訊與乾隆", &mut view);
/// assert_eq!(view.text(), "您好!vx:123,资讯与乾隆");
/// ```
pub fn plain(text: &str, out: &mut View) {
    let table = &*TABLE;
    let bytes = text.as_bytes();
    out.reset(text.len());
    let mut contextual = false;
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        let first = bytes[at];
        if first < 0x80 {
            if ASCII[first as usize] == first {
                at += 1;
                continue;
            }
            out.push_same(&text[kept..at], kept);
            match ASCII[first as usize] {
                DROPPED => {}
                becomes => out.push_same(ascii(becomes), at),
            }
            at += 1;
            kept = at;
            continue;
        }
        if first & 0xF0 == 0xE0 && at + 2 < bytes.len() {
            let code = (first as u32 & 0xF) << 12 | (bytes[at + 1] as u32 & 0x3F) << 6 | (bytes[at + 2] as u32 & 0x3F);
            if table.keeps(code) {
                at += 3;
                continue;
            }
        }
        let c = text[at..].chars().next().expect("a character starts here");
        let next = at + c.len_utf8();
        match table.action(c) {
            Action::Keep => {}
            Action::Context => contextual = true,
            Action::Drop => {
                out.push_same(&text[kept..at], kept);
                kept = next;
            }
            Action::Become(number) => {
                let (becomes, depends) = table.text(number);
                contextual |= depends;
                out.push_same(&text[kept..at], kept);
                if becomes.len() == c.len_utf8() && is_one_char(becomes) {
                    out.push_same(becomes, at);
                } else {
                    out.push_unit(becomes, at..next);
                }
                kept = next;
            }
        }
        at = next;
    }
    out.push_same(&text[kept..], kept);
    if contextual {
        traditional::settle(out);
    }
}

/// True when the text is a single character.
fn is_one_char(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next();
    chars.as_str().is_empty()
}

/// Marks an ASCII character that is dropped.
const DROPPED: u8 = 0xFF;

/// What an ASCII character becomes.
static ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'\n' => b'\n',
            b'\t' | 0xB | 0xC | b'\r' => b' ',
            0..0x20 | 0x7F => DROPPED,
            other => other.to_ascii_lowercase(),
        };
        byte += 1;
    }
    table
};

/// A lower-case letter or space as text.
fn ascii(byte: u8) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    match byte {
        b'a'..=b'z' => {
            let at = (byte - b'a') as usize;
            &LETTERS[at..at + 1]
        }
        _ => " ",
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain_phrase;
    use super::*;

    #[test]
    fn characters_are_levelled() {
        for (from, to) in [
            ("", ""),
            ("微信WeChat", "微信wechat"),
            ("ＡＢＣ１２３", "abc123"),
            ("！？，：；（）％＋＠～", "!?,:;()%+@~"),
            ("。、“”‘’《》【】…—·", "。、“”‘’《》【】…—·"),
            ("a\u{3000}b\u{a0}c\td\r\ne", "a b c d \ne"),
            ("加\u{200b}微\u{200d}\u{feff}信\u{ad}\u{202e}", "加微信"),
            ("❤\u{fe0f}1\u{fe0f}\u{20e3}", "❤1"),
            ("①⑳Ⓥ㈠㎏㊙⒈", "120v(一)kg秘1."),
            ("ｶﾀｶﾅ", "カタカナ"),
            ("𝐚𝑩𝟙𝗩𝗫", "ab1vx"),
            ("x²₃", "x23"),
            ("🅰🆔🅅🅥🇻🇽🆗🔟", "aidvvvxok10"),
            ("❶➁⓫⓿", "12110"),
            ("豈\u{f9fe}⼀⾦", "岂茶一金"),
            ("В Ωω", "в ωω"),
            ("ÀÉ", "àé"),
            ("在吗❓好❗", "在吗?好!"),
            ("´¨", "´¨"),
            ("25℃ ½", "25℃ ½"),
            ("\u{0}a\u{7f}\u{1b}", "a"),
            ("繁體訊號", "繁体讯号"),
            ("👨\u{200d}👩\u{200d}👧", "👨👩👧"),
            ("İ", "İ"),
        ] {
            assert_eq!(plain_phrase(from), to, "{from}");
        }
    }

    #[test]
    fn an_ordinary_turn_is_few_runs() {
        let mut view = View::default();
        plain("您好請問有什么可以幫您的呢?Hello", &mut view);
        assert_eq!(view.run_count(), 1);
        plain("您好，请问", &mut view);
        assert_eq!(view.run_count(), 3);
    }
}
