//! The squeezed view: what is left of the plain view when everything people put between and around characters to get
//! past a filter is gone: spaces, punctuation, symbols, emoji; and what they put in place of characters is put right
//! ([`super::folds`]).

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::folds::{CHARACTERS, INNOCENT, WORDS};
use super::plain_phrase;
use super::view::{Cursor, View};

/// Low bits of an entry: what becomes of the character; from [`FIRST`] on, the number of a text.
const KEEP: u16 = 0;
const DROP: u16 = 1;
const SIGN: u16 = 2;
const FIRST: u16 = 3;
const CODE: u16 = 0x3FFF;
/// What the character becomes may begin a word of the fold table.
const BEGINS: u16 = 0x8000;
/// What the character becomes may be the second character of such a word.
const SECOND: u16 = 0x4000;

struct Folder {
    bmp: Vec<u16>,
    astral: HashMap<char, u16>,
    texts: Vec<String>,
    /// A bit for each hash of the first two characters of a word: few turns pass this sieve.
    pairs: Vec<u64>,
    words: AhoCorasick,
    targets: Vec<String>,
}

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::build);

/// Writes the squeezed view of a plain view into `out`; the map goes to the original text.
///
/// ```
/// use zhijian::text::{self, View};
/// let (mut plain, mut out) = (View::default(), View::default());
/// for (text, squeezed) in [
///     ("加 薇❤️信", "加微信"),
///     ("➕ｖ、聊", "加v聊"),
///     ("五 星 好*评", "5星好评"),
///     ("力口亻言", "加信"),
///     ("打扫马桶", "打扫马桶"),
/// ] {
///     text::plain(text, &mut plain);
///     text::squeezed(&plain, &mut out);
///     assert_eq!(out.text(), squeezed);
/// }
/// ```
pub fn squeezed(plain: &View, out: &mut View) {
    let folder = &*FOLDER;
    out.reset(plain.original_len());
    if folder.squeeze(plain, out) {
        folder.fold_words(out);
    }
}

/// What a single character becomes in the squeezed view; `None` when it is dropped or depends on its neighbours.
pub(super) fn fold_char(c: char) -> Option<String> {
    let folder = &*FOLDER;
    match folder.entry(c) & CODE {
        KEEP => Some(c.to_string()),
        DROP | SIGN => None,
        number => Some(folder.texts[(number - FIRST) as usize].clone()),
    }
}

impl Folder {
    #[inline]
    fn entry(&self, c: char) -> u16 {
        match self.bmp.get(c as usize) {
            Some(&entry) => entry,
            None => self.astral(c),
        }
    }

    fn astral(&self, c: char) -> u16 {
        match self.astral.get(&c) {
            Some(&entry) => entry,
            None if c.is_alphanumeric() => KEEP,
            None => DROP,
        }
    }

    /// The first step; true when the second may have something to do.
    fn squeeze(&self, plain: &View, out: &mut View) -> bool {
        let text = plain.text();
        let mut cursor = Cursor::default();
        let (mut kept, mut words) = (0, false);
        let (mut last, mut last_entry) = ('\0', 0);
        for (at, c) in text.char_indices() {
            let entry = self.entry(c);
            let code = entry & CODE;
            if code == KEEP {
                words |= last_entry & BEGINS != 0 && entry & SECOND != 0 && self.may_begin(last, c);
                (last, last_entry) = (c, entry);
                continue;
            }
            out.push_part(plain, kept..at, &mut cursor);
            let end = at + c.len_utf8();
            kept = end;
            let becomes = match code {
                DROP => continue,
                SIGN => sign(text, at, c),
                number => &self.texts[(number - FIRST) as usize],
            };
            let Some(first) = becomes.chars().next() else { continue };
            out.push_unit(becomes, plain.original_char(at..end, &mut cursor));
            // What a sign becomes has no entry of its own, and a text of several characters is a pair in itself.
            words |= code == SIGN
                || becomes.len() > first.len_utf8()
                || last_entry & BEGINS != 0 && entry & SECOND != 0 && self.may_begin(last, first);
            (last, last_entry) = (first, entry);
        }
        out.push_part(plain, kept..text.len(), &mut cursor);
        words
    }

    /// True when a word of the fold table may begin with these two characters.
    fn may_begin(&self, first: char, second: char) -> bool {
        let bit = pair(first, second);
        self.pairs[bit / 64] >> (bit % 64) & 1 != 0
    }

    /// The second step.
    fn fold_words(&self, view: &mut View) {
        let Some(first) = self.words.find(view.text()) else { return };
        view.rewrite(|text, replace| {
            let mut hit = Some(first);
            while let Some(found) = hit {
                let to = &self.targets[found.pattern().as_usize()];
                if *to != text[found.range()] {
                    replace(found.range(), to);
                }
                hit = self.words.find(aho_corasick::Input::new(text).range(found.end()..));
            }
        });
    }

    fn build() -> Folder {
        let mut texts: Vec<String> = Vec::new();
        let mut codes: HashMap<char, u16> = HashMap::new();
        for &(characters, to) in CHARACTERS {
            let code = FIRST + texts.len() as u16;
            texts.push(to.to_owned());
            codes.extend(plain_phrase(characters).chars().map(|c| (c, code)));
        }
        codes.extend("+★☆⭐🌟🌠".chars().map(|c| (c, SIGN)));
        let simple = |text: &str| -> String {
            let mut out = String::new();
            for c in plain_phrase(text).chars() {
                match codes.get(&c) {
                    Some(&code) if code >= FIRST => out.push_str(&texts[(code - FIRST) as usize]),
                    None if c.is_alphanumeric() => out.push(c),
                    _ => {}
                }
            }
            out
        };
        let (keys, targets): (Vec<String>, Vec<String>) = word_table(&simple).into_iter().unzip();

        let mut bmp: Vec<u16> = (0..0x10000)
            .map(|c| if char::from_u32(c).is_some_and(char::is_alphanumeric) { KEEP } else { DROP })
            .collect();
        let mut astral = HashMap::new();
        for (&c, &code) in &codes {
            match bmp.get_mut(c as usize) {
                Some(entry) => *entry = code,
                None => {
                    astral.insert(c, code);
                }
            }
        }
        // Which characters may begin a word or be its second: those that are, or become, the word's own.
        let mut pairs = vec![0u64; 1024];
        let mut flags: HashMap<char, u16> = HashMap::new();
        for key in &keys {
            let mut chars = key.chars();
            if let (Some(first), Some(second)) = (chars.next(), chars.next()) {
                *flags.entry(first).or_default() |= BEGINS;
                *flags.entry(second).or_default() |= SECOND;
                let bit = pair(first, second);
                pairs[bit / 64] |= 1 << (bit % 64);
            }
        }
        for (&c, &flag) in &flags {
            if let Some(entry) = bmp.get_mut(c as usize)
                && *entry & CODE == KEEP
            {
                *entry |= flag;
            }
        }
        for (&c, &code) in codes.iter().filter(|&(_, &code)| code >= FIRST) {
            let first = texts[(code - FIRST) as usize].chars().next().unwrap_or(c);
            let flag = flags.get(&first).copied().unwrap_or(0);
            match bmp.get_mut(c as usize) {
                Some(entry) => *entry |= flag,
                None => {
                    astral.insert(c, code | flag);
                }
            }
        }
        let words = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&keys)
            .expect("the fold table fits an automaton");
        Folder { bmp, astral, texts, pairs, words, targets }
    }
}

/// A hash of two characters, 16 bits.
fn pair(first: char, second: char) -> usize {
    ((first as u32).wrapping_mul(0x9E37_79B1) ^ (second as u32).wrapping_mul(0x85EB_CA77)) as usize >> 16 & 0xFFFF
}

/// Every word of the tables as step one leaves it, with what it becomes; guards become themselves. Sorted, each once.
fn word_table(simple: &impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut table: HashMap<String, String> = HashMap::new();
    let mut add = |from: String, to: String| {
        if from.chars().count() > 1 {
            table.entry(from).or_insert(to);
        }
    };
    for &(from, to) in INNOCENT {
        add(from.to_owned(), to.to_owned());
    }
    for group in WORDS {
        for word in group.from.split_whitespace() {
            let from = simple(word);
            for next in group.not_before.chars() {
                let guard = format!("{from}{}", simple(next.encode_utf8(&mut [0; 4])));
                add(guard.clone(), guard);
            }
            for before in group.not_after.chars() {
                let guard = format!("{}{from}", simple(before.encode_utf8(&mut [0; 4])));
                add(guard.clone(), guard);
            }
        }
    }
    for group in WORDS {
        for word in group.from.split_whitespace() {
            add(simple(word), simple(group.to));
        }
    }
    let mut table: Vec<(String, String)> = table.into_iter().collect();
    table.sort_unstable();
    table
}

/// Signs that mean something only beside the right neighbour: `+` before a Han character or a v, w, q is 加 unless it
/// adds numbers or letters; a star after a number is 星, and five stars in a row are 五星.
fn sign(text: &str, at: usize, c: char) -> &'static str {
    let before = text[..at].chars().next_back();
    let after = &text[at + c.len_utf8()..];
    if c == '+' {
        if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == '+') {
            return "";
        }
        let next = after.chars().find(|&c| !c.is_whitespace() && c != '+');
        return match next {
            Some('v' | 'w' | 'q' | '🐧') => "加",
            Some(n) if is_han(n) => "加",
            _ => "",
        };
    }
    let stars = after.chars().take_while(|&c| is_star(c)).count() + 1;
    match before {
        Some(b) if is_star(b) => "",
        Some(b) if b.is_ascii_digit() || "一二三四五六七八九壹贰叁肆伍满全几".contains(b) => "星",
        _ if stars == 5 => "5星",
        _ => "",
    }
}

fn is_star(c: char) -> bool {
    matches!(c, '★' | '☆' | '⭐' | '🌟' | '🌠')
}

/// True for a Chinese character.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '〇' | '\u{20000}'..='\u{323AF}')
}
