//! Masks what identifies a person in a text that is written out.
//!
//! | kind | example | masked |
//! | --- | --- | --- |
//! | mobile | 13812345678, 一三八…, 138-1234-5678 | 138\*\*\*\*5678: the first three and last four digits stay |
//! | landline | 010-12345678 | 010-\*\*\*\*\*\*78: the area code and the last two stay |
//! | identity card | 11010519491231002X | 110\*\*\*…\*002X: the first three and last four stay |
//! | bank card | 6222021234567890128 | the last four stay; so do those of any long number called a card or an account |
//! | e-mail | zhang@qq.com | z\*\*\*\*@qq.com |
//! | QQ, WeChat account | qq 12345678 | the first and the last two stay |
//! | house and flat | 中山路12号3栋502室 | 中山路\*\*号\*栋\*\*\*室 |
//! | name with a title | 王小明先生 | 王\*\*先生 |
//! | licence plate | 京A·12345, 粤BD12345, 沪A1234挂 | 京A·\*\*\*45: province, letter and the last two stay |
//! | mobile, identity card in a link | …?tel=13812345678 | as above; other numbers of a link name products and stay |
//!
//! Every masked character becomes one `*`, so a masked text is never longer in characters or bytes than the original,
//! and nothing around it moves. Service lines (400…), days, sums of money, order and waybill
//! numbers stay: they are what a complaint is looked up by. How much is found is measured on `fixtures/pii`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use super::chars::{Action, TABLE};
use super::entity::{Entity, EntityKind, entities};
use super::patterns::{Hints, surname_len};
use super::{View, checks, numbers, plain, plate};
use crate::span::Span;

#[derive(Default)]
struct Scratch {
    view: View,
    entities: Vec<Entity>,
    hidden: Vec<Range<usize>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// The text with personal data masked; borrowed when there is none.
///
/// ```
/// use zhijian::text::mask;
/// assert_eq!(mask("电话１３８1234 5678,王小明先生"), "电话１３８**** 5678,王**先生");
/// assert_eq!(mask("邮箱zhang@qq.com"), "邮箱z****@qq.com");
/// assert!(matches!(mask("您好,24小时内发货"), std::borrow::Cow::Borrowed(_)));
/// ```
pub fn mask(text: &str) -> Cow<'_, str> {
    mask_spans(text, &mut [])
}

/// As [`mask`], and moves spans of the text to where their characters stand in the masked text. A span that begins or
/// ends inside a masked character takes all of its `*`.
///
/// ```
/// use zhijian::span::Span;
/// use zhijian::text::mask_spans;
/// let text = "打１３８1234 5678,快点";
/// let mut spans = [Span::new(text.find('快').unwrap(), text.len())];
/// let masked = mask_spans(text, &mut spans);
/// assert_eq!(spans[0].slice(&masked), "快点");
/// ```
pub fn mask_spans<'t>(text: &'t str, spans: &mut [Span]) -> Cow<'t, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let mut masked = Cow::Borrowed(text);
        // Masking one number can leave another standing alone that was part of it; digits only ever get fewer.
        while let Some(next) = scratch.mask_once(&masked, spans) {
            masked = Cow::Owned(next);
        }
        masked
    })
}

/// A part of a text as it stands in the masked text: what is personal data only as a whole (the digits before the `@` of
/// a mail address) stays hidden in its parts.
///
/// ```
/// use zhijian::span::Span;
/// use zhijian::text::mask_part;
/// let text = "发到1550179050@qq.com吧";
/// assert_eq!(mask_part(text, Span::new(6, 16)), "1*********");
/// assert_eq!(mask_part(text, Span::new(0, 6)), "发到");
/// ```
pub fn mask_part(text: &str, part: Span) -> Cow<'_, str> {
    let mut parts = [part];
    match mask_spans(text, &mut parts) {
        Cow::Borrowed(_) => Cow::Borrowed(part.slice(text)),
        Cow::Owned(masked) => Cow::Owned(parts[0].slice(&masked).to_string()),
    }
}

/// True when the text surely holds nothing to mask: a look at its characters, without normalising it.
fn is_harmless(text: &str) -> bool {
    // A character that normalises to another may become a digit, a letter or a sign: look closer.
    let unusual = |c: char| match c {
        '\0'..='\x7f' => c.is_ascii_control() && !c.is_ascii_whitespace(),
        '！' | '？' | '，' | '：' | '；' | '（' | '）' | '～' | '\u{3000}' | '\u{a0}' | '\u{FE0F}' => false,
        _ => TABLE.action(c) != Action::Keep,
    };
    Hints::of(text).nothing_personal() && !text.chars().any(unusual)
}

impl Scratch {
    /// Masks what is found in the text; `None` when there is nothing (more).
    fn mask_once(&mut self, text: &str, spans: &mut [Span]) -> Option<String> {
        plain(text, &mut self.view);
        entities(self.view.text(), &mut self.entities);
        self.hidden.clear();
        for entity in &self.entities {
            hide(self.view.text(), entity, &mut self.hidden);
        }
        let numbers = self.hidden.len();
        plate::hide(self.view.text(), &mut self.hidden);
        if self.hidden.len() > numbers {
            self.hidden.sort_unstable_by_key(|range| range.start);
        }
        if self.hidden.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        // What was masked: bytes of the text, and where its `*` stands.
        let mut masked: Vec<(Range<usize>, usize)> = Vec::new();
        for range in &self.hidden {
            let span = self.view.original(range.clone()).range();
            // ⑩ is two digits of the view and one character of the text.
            if span.start < done {
                continue;
            }
            out.push_str(&text[done..span.start]);
            masked.push((span.start..span.end, out.len()));
            out.push('*');
            done = span.end;
        }
        out.push_str(&text[done..]);
        let moved = |at: usize, is_end: bool| match masked
            .partition_point(|(from, _)| from.start <= at)
            .checked_sub(1)
            .map(|last| &masked[last])
        {
            Some((from, star)) if at < from.end => star + usize::from(is_end && at > from.start),
            Some((from, star)) => star + 1 + (at - from.end),
            None => at,
        };
        for span in spans {
            *span = Span::new(moved(span.start as usize, false), moved(span.end as usize, true));
        }
        Some(out)
    }
}

/// Appends the characters of an entity that are to be masked.
fn hide(plain: &str, entity: &Entity, hidden: &mut Vec<Range<usize>>) {
    let text = &plain[entity.start..entity.end];
    let is_digit = |c: char| numbers::digit(c).is_some() || c == 'x';
    let mut keep = |wanted: &dyn Fn(char) -> bool, first: usize, last: usize| {
        let count = text.chars().filter(|&c| wanted(c)).count();
        let marked = text.char_indices().filter(|&(_, c)| wanted(c));
        for (_, (at, c)) in marked.enumerate().filter(|(i, _)| (first..count.saturating_sub(last)).contains(i)) {
            hidden.push(entity.start + at..entity.start + at + c.len_utf8());
        }
    };
    match entity.kind {
        EntityKind::Phone => keep(&is_digit, 3, 4),
        EntityKind::IdCard => keep(&is_digit, 3, 4),
        EntityKind::Landline => {
            keep(&is_digit, if text.starts_with("01") || text.starts_with("02") { 3 } else { 4 }, 2)
        }
        EntityKind::OrderNumber if !numbers::is_personal(plain, entity.start) => {}
        EntityKind::BankCard | EntityKind::OrderNumber => keep(&|c| numbers::digit(c).is_some(), 0, 4),
        EntityKind::Account => keep(&|c| c.is_ascii_alphanumeric(), 1, 2),
        EntityKind::Email => {
            let local = text.find('@').unwrap_or(0);
            let first = if local > 1 { 1 } else { 0 };
            hidden.extend((first..local).map(|at| entity.start + at..entity.start + at + 1));
        }
        EntityKind::PersonName => {
            let name = text.trim_end_matches("先生").trim_end_matches("女士").trim_end_matches("小姐");
            let from = surname_len(name);
            let rest = name[from..].char_indices();
            hidden.extend(rest.map(|(at, c)| entity.start + from + at..entity.start + from + at + c.len_utf8()));
        }
        EntityKind::Address => hide_house(text, entity.start, hidden),
        EntityKind::Url => hide_personal_numbers(text, entity.start, hidden),
        EntityKind::Hotline | EntityKind::Date | EntityKind::Amount => {}
    }
}

/// The numerals directly before a unit (12号, 三栋, 502室) or at the end.
fn hide_house(text: &str, base: usize, hidden: &mut Vec<Range<usize>>) {
    let first = hidden.len();
    let mut counts = true;
    for (at, c) in text.char_indices().rev() {
        let numeral = numbers::digit(c).is_some() || matches!(c, '十' | '百');
        if numeral && counts {
            hidden.push(base + at..base + at + c.len_utf8());
        } else if !numeral {
            counts = "号弄栋幢座楼层单元室房户组巷院".contains(c)
                || c == '-'
                || c == ' '
                || (counts && c.is_ascii_lowercase());
        }
    }
    hidden[first..].reverse();
}

/// The middle of mobile and identity card numbers; other numbers in links name products and pages.
fn hide_personal_numbers(text: &str, base: usize, hidden: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let len = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let digits = &bytes[at..at + len];
        if len == 11 && digits[0] == b'1' && digits[1] >= b'3' || len == 18 && checks::is_identity(digits) {
            hidden.extend((at + 3..at + len - 4).map(|i| base + i..base + i + 1));
        }
        at += len.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_masked() {
        for (text, expect) in [
            ("13812345678", "138****5678"),
            ("138-1234-5678", "138-****-5678"),
            ("１３８１２３４５６７８", "１３８****５６７８"),
            ("一三八零零一三八零零零", "一三八****八零零零"),
            ("①③⑧00138000", "①③⑧****8000"),
            ("+8613812345678", "+86138****5678"),
            ("010-12345678", "010-******78"),
            ("(0755)86541234", "(0755)******34"),
            ("身份证11010519491231002X", "身份证110***********002X"),
            ("130503670401001", "130********1001"),
            ("卡号6222 0212 3456 7890 128", "卡号**** **** **** ***0 128"),
            ("银行卡号6222021234567890129", "银行卡号***************0129"),
            ("东湖名苑17-2-601", "东湖名苑**-*-***"),
            ("收件人 钱多多", "收件人 钱**"),
            ("a@qq.com", "*@qq.com"),
            ("Zhang.San@QQ.com", "Z********@QQ.com"),
            ("加qq12345678", "加qq1*****78"),
            ("中山路12号3栋502室", "中山路**号*栋***室"),
            ("三里屯路十二號", "三里屯路**號"),
            ("幸福小区3号楼2单元501", "幸福小区*号楼*单元***"),
            ("王小明先生,李女士,欧阳娜娜小姐", "王**先生,李女士,欧阳**小姐"),
            ("收货人：李雷 13812345678", "收货人：李* 138****5678"),
            ("https://a.cn/?t=13812345678", "https://a.cn/?t=138****5678"),
        ] {
            assert_eq!(mask(text), expect, "{text}");
            assert_eq!(mask(expect), expect, "again");
        }
    }

    #[test]
    fn spans_move_with_their_characters() {
        let text = "①③⑧00138000找王小明先生,加qq12345678,退款!";
        let masked = mask(text).into_owned();
        for (at, c) in text.char_indices() {
            let mut spans = [Span::new(at, at + c.len_utf8())];
            mask_spans(text, &mut spans);
            let shown = spans[0].slice(&masked);
            assert!(shown == c.to_string() || shown == "*", "{c} at {at} -> {shown:?} in {masked}");
        }
        let (from, to) = (text.find("加qq").unwrap(), text.find("款").unwrap());
        let mut spans = [Span::new(from, to)];
        mask_spans(text, &mut spans);
        assert_eq!(spans[0].slice(&masked), "加qq1*****78,退");
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "",
            "您好",
            "24小时内发货",
            "2024年11月5日",
            "99.9元",
            "1380mm*200mm",
            "iphone15promax",
            "4008208820",
            "订单123456789012",
            "SF1234567890123",
            "订单号6222021234567890128",
            "收件人不在家",
            "型号KFR-35GW/NhAe1BAj",
            "第一时间",
            "满300减50",
            "12号发货,13号到",
            "5楼",
            "小姐姐您好",
            "先生您好",
            "@小明",
            "尺码38,39,40,41,42",
            "①点击②选择",
            "10086",
            "12306",
            "0.5-1.5mm",
            "5.1.2版本",
            "https://item.jd.com/73967955761.html",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(_)), "{text} -> {}", mask(text));
        }
    }
}
