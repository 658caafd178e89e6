//! Traditional → simplified by OpenCC's tables, see `data/README.md`.
//!
//! Most characters have one simplified form whatever stands beside them; those are part of the table of
//! [`super::chars`]. Some depend on the word: 乾淨 → 干净 but 乾隆 stays, 瞭解 → 了解 but 瞭望 stays. These few
//! *contextual* characters pass the character table unchanged, and only a text that holds one is searched for the
//! words. The search runs on text whose other characters are already simplified, so mixed writing is found too.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::view::View;

static CHARACTERS: &str = include_str!("data/TSCharacters.txt");
static PHRASES: [&str; 2] = [include_str!("data/TSPhrases.txt"), include_str!("data/own-phrases.txt")];

/// Forms the tables give to no word: 著 is 着 unless a word says otherwise.
const OWN_DEFAULTS: [(char, char); 2] = [('著', '着'), ('甚', '甚')];

struct Tables {
    characters: HashMap<char, char>,
    contextual: Vec<char>,
    words: AhoCorasick,
    targets: Vec<Box<str>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::load);

/// The simplified form of a character where it does not depend on the word.
pub(super) fn character(c: char) -> Option<char> {
    TABLES.characters.get(&c).copied().filter(|&s| s != c)
}

/// True for a character whose simplified form depends on the word it stands in.
pub(super) fn is_contextual(c: char) -> bool {
    c >= '\u{4E00}' && TABLES.contextual.contains(&c)
}

/// Settles the contextual characters of a text that has passed the character table.
pub(super) fn settle(view: &mut View) {
    let tables = &*TABLES;
    let mut changes: Vec<(usize, char)> = Vec::new();
    // A changed character may complete a word that was none before; a few rounds bring every text to rest.
    for _ in 0..8 {
        changes.clear();
        let text = view.text();
        let mut settled = 0;
        for hit in tables.words.find_iter(text) {
            collect_defaults(text, settled..hit.start(), &mut changes);
            let target = &tables.targets[hit.pattern().as_usize()];
            for ((at, from), to) in text[hit.range()].char_indices().zip(target.chars()) {
                if from != to {
                    changes.push((hit.start() + at, to));
                }
            }
            settled = hit.end();
        }
        collect_defaults(text, settled..text.len(), &mut changes);
        if changes.is_empty() {
            return;
        }
        for &(at, to) in &changes {
            view.replace_char(at, to.encode_utf8(&mut [0; 4]));
        }
    }
}

fn collect_defaults(text: &str, range: std::ops::Range<usize>, changes: &mut Vec<(usize, char)>) {
    let start = range.start;
    for (at, c) in text[range].char_indices() {
        if is_contextual(c) {
            let simplified = TABLES.characters.get(&c).copied().unwrap_or(c);
            if simplified != c {
                changes.push((start + at, simplified));
            }
        }
    }
}

impl Tables {
    fn load() -> Tables {
        let mut characters: HashMap<char, char> = entries(CHARACTERS)
            .filter_map(|(from, to)| Some((from.chars().next()?, to.chars().next()?)))
            .chain(OWN_DEFAULTS)
            .collect();
        // 薴 → 苧 → 苎: follow a chain to its end.
        let chained: Vec<(char, char)> =
            characters.iter().filter_map(|(&f, t)| Some((f, *characters.get(t)?))).collect();
        characters.extend(chained);

        let simple = |c: char| characters.get(&c).copied().unwrap_or(c);
        let words: Vec<(&str, &str)> = PHRASES
            .iter()
            .flat_map(|table| entries(table))
            .filter(|(from, to)| {
                // 么麽 is archaic, and would make 么 contextual; 𫇭 has four bytes.
                !from.contains(['么', '麽', '麼']) && !to.chars().any(|c| c as u32 > 0xFFFF) || from.starts_with('甚')
            })
            .collect();
        let mut contextual: Vec<char> = words
            .iter()
            .flat_map(|(from, to)| from.chars().zip(to.chars()))
            .filter(|&(from, to)| simple(from) != to)
            .map(|(from, _)| from)
            .chain(['著', '甚'])
            .collect();
        contextual.sort_unstable();
        contextual.dedup();

        let mut keys: HashMap<String, Box<str>> = HashMap::new();
        for (from, to) in words {
            let key: String = from.chars().map(|c| if contextual.contains(&c) { c } else { simple(c) }).collect();
            if key.chars().any(|c| contextual.contains(&c)) && key.len() == to.len() {
                keys.entry(key).or_insert_with(|| to.into());
            }
        }
        let mut keys: Vec<(String, Box<str>)> = keys.into_iter().collect();
        keys.sort_unstable();
        let words = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(keys.iter().map(|(key, _)| key))
            .expect("the words of the conversion tables fit an automaton");
        Tables { characters, contextual, words, targets: keys.into_iter().map(|(_, to)| to).collect() }
    }
}

/// The lines of a table: a key, a tab, targets separated by spaces, of which the first counts.
fn entries(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter_map(|line| {
        let (from, to) = line.split_once('\t')?;
        Some((from, to.split(' ').next().unwrap_or(to).trim_end()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::plain_phrase;
    use super::*;

    #[test]
    fn words_decide_where_characters_cannot() {
        for (from, to) in [
            ("乾淨", "干净"),
            ("乾隆", "乾隆"),
            ("餅乾", "饼干"),
            ("瞭解", "了解"),
            ("不瞭解", "不了解"),
            ("瞭望", "瞭望"),
            ("項鍊", "项链"),
            ("鍊金", "炼金"),
            ("回覆", "回复"),
            ("覆蓋", "覆盖"),
            ("徵求", "征求"),
            ("憑藉", "凭借"),
            ("狼藉", "狼藉"),
            ("於是", "于是"),
            ("以後聯繫", "以后联系"),
            ("皇后", "皇后"),
            ("等著發貨", "等着发货"),
            ("著名品牌", "著名品牌"),
            ("效果显著", "效果显著"),
            ("甚麼", "什么"),
            ("甚至", "甚至"),
            ("傢俱", "家具"),
            ("俱乐部", "俱乐部"),
            ("哪吒", "哪吒"),
            ("鍾意", "钟意"),
            ("沈默", "沉默"),
            ("沈阳", "沈阳"),
            ("計畫", "计划"),
            ("妳好", "你好"),
            ("裡面", "里面"),
            ("麼", "么"),
        ] {
            assert_eq!(plain_phrase(from), to, "{from}");
        }
    }

    #[test]
    fn every_entry_comes_to_rest() {
        for (from, to) in PHRASES.iter().flat_map(|t| entries(t)).chain(entries(CHARACTERS)) {
            for text in [from, to] {
                let once = plain_phrase(text);
                assert_eq!(plain_phrase(&once), once, "{text}");
            }
        }
    }

    #[test]
    fn contextual_characters_keep_their_length() {
        for &c in &TABLES.contextual {
            assert_eq!(c.len_utf8(), 3);
            assert_eq!(TABLES.characters.get(&c).copied().unwrap_or(c).len_utf8(), 3, "{c}");
        }
        assert!(TABLES.contextual.len() < 60, "{:?}", TABLES.contextual);
    }
}
