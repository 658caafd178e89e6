//! Licence plates of mainland China (GA 36): a province, a letter, and five characters of which at most two are letters;
//! six for new energy; four and a word for trailers, training, police, consulates, Hong Kong and Macau, emergency; 武警 with WJ.
//!
//! Words such as 新, 云 and 黑 are provinces too: what is called a model or an order, or follows 全新, 阿里云 and the like,
//! is none.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    let between = r"[\s·•・.\-]?";
    let serial = "[0-9a-hj-np-z]";
    Regex::new(&format!(
        "[{PROVINCES}][a-hj-z]{between}(?:({serial}{{4}})(?:挂|学|警|领|港|澳|应急)|({serial}{{5,6}}))|wj{between}[{PROVINCES}]?{between}([0-9]{{4}}[0-9a-z])"
    ))
    .expect("the pattern of plates is valid")
});

/// Words before a province's character that make it part of a word, and what calls the rest something else.
const OTHER_WORDS: &[&str] =
    &["全", "最", "崭", "更", "重", "里", "讯", "为", "度", "百", "纯", "玄", "曜", "亮", "哑", "海军", "藏", "天"];
const OTHER_NUMBERS: &[&str] = &["型号", "款号", "货号", "单号", "订单", "编号", "批次", "批号", "色号", "sku", "编码"];

/// True for a character a plate may begin with.
pub(super) fn is_province(c: char) -> bool {
    // all of them lie here
    ('\u{4e91}'..='\u{9ed1}').contains(&c) && PROVINCES.contains(c)
}

/// Appends what is to be hidden of the plates in a plain text: the serial, but for its last two characters (one of four).
pub(super) fn hide(plain: &str, hidden: &mut Vec<Range<usize>>) {
    for found in PLATE.captures_iter(plain) {
        let (Some(whole), Some(serial)) = (found.get(0), found.iter().skip(1).flatten().next()) else { continue };
        let (before, after) = (&plain[..whole.start()], &plain[whole.end()..]);
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let digits = serial.as_str().bytes().filter(u8::is_ascii_digit).count();
        // of six characters the first or the last is the letter of the kind of drive
        let energy = serial.len() != 6
            || serial.as_str().starts_with(|c: char| c.is_ascii_lowercase())
            || serial.as_str().ends_with(|c: char| c.is_ascii_lowercase());
        let called = before.char_indices().rev().nth(7).map_or(before, |(at, _)| &before[at..]);
        if joined(after.chars().next())
            || joined(before.chars().next_back())
            || digits < if serial.len() == 4 { 2 } else { 3 }
            || !energy
            || OTHER_WORDS.iter().any(|word| before.ends_with(word))
            || OTHER_NUMBERS.iter().any(|word| called.contains(word))
        {
            continue;
        }
        let count = serial.len() - if serial.len() == 4 { 1 } else { 2 };
        hidden.extend((serial.start()..serial.start() + count).map(|at| at..at + 1));
    }
}

#[cfg(test)]
mod tests {
    use crate::text::mask;

    #[test]
    fn plates_are_masked() {
        for (text, expect) in [
            ("车牌京A·12345,", "车牌京A·***45,"),
            ("车牌粤B D12345停在门口", "车牌粤B ****45停在门口"),
            ("沪A12345D", "沪A****5D"),
            ("鲁b-8k9t2", "鲁b-***t2"),
            ("京A·1234挂", "京A·***4挂"),
            ("苏E123学", "苏E123学"),
            ("苏E1234学,粤Z·1234港,粤ZK89Y澳,京A1234警", "苏E***4学,粤Z·***4港,粤Z***Y澳,京A***4警"),
            ("滬Ａ１２３４５", "滬Ａ***４５"),
            ("WJ京12345", "WJ京***45"),
        ] {
            assert_eq!(mask(text), expect, "{text}");
            assert_eq!(mask(expect), expect, "again");
        }
    }

    #[test]
    fn look_alikes_stay() {
        for text in [
            "全新A12345型号",
            "阿里云B12345",
            "型号黑K12345",
            "京A5级景区",
            "新款A12345",
            "粤AB1234567",
            "京东A12345",
            "川X123456",
            "新iphone15pro",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
