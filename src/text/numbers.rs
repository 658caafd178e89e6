//! Numbers with a form of their own: telephones, identity and bank cards, order numbers.
//!
//! Digits (also Chinese numerals) are gathered into groups and groups into chains, where one separator stands between
//! (`138-0013-8000`, `一三八,零零一三,八零零零`). From each group of a chain the longest joined number that fits a kind is
//! taken. What fits none is an order number if it is long and stands alone.

use std::cell::RefCell;
use std::ops::Range;

use super::checks::{area_code, is_hotline, is_id_card, is_old_id_card, is_phone, luhn};
use super::entity::{Entity, EntityKind};

#[derive(Clone, Copy)]
struct Digit {
    at: u32,
    len: u8,
    value: u8,
    ascii: bool,
}

/// Digits of a chain, the groups they stand in, and the separator before each group.
#[derive(Default)]
struct Chain {
    digits: Vec<Digit>,
    groups: Vec<Range<usize>>,
    separators: Vec<char>,
}

thread_local! {
    static CHAIN: RefCell<Chain> = RefCell::new(Chain::default());
}

/// The value of a digit or of a Chinese numeral that stands for one.
pub(super) fn digit(c: char) -> Option<u8> {
    Some(match c {
        '0'..='9' => c as u8 - b'0',
        '零' | '〇' => 0,
        '一' | '幺' | '壹' => 1,
        '二' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

/// Appends the numbers of a plain text.
pub(super) fn find(plain: &str, found: &mut Vec<Entity>) {
    CHAIN.with_borrow_mut(|chain| {
        chain.clear();
        let mut separator = None;
        let mut in_group = false;
        for (at, c) in plain.char_indices() {
            if let Some(value) = digit(c) {
                if !in_group {
                    if chain.digits.is_empty() {
                        separator = None;
                    }
                    let first = chain.digits.len();
                    chain.groups.push(first..first);
                    chain.separators.push(separator.unwrap_or('\0'));
                    in_group = true;
                }
                chain.digits.push(Digit { at: at as u32, len: c.len_utf8() as u8, value, ascii: c.is_ascii() });
                if let Some(group) = chain.groups.last_mut() {
                    group.end += 1;
                }
                continue;
            }
            if in_group && is_separator(c) {
                in_group = false;
                separator = Some(c);
                continue;
            }
            chain.finish(plain, found);
            in_group = false;
        }
        chain.finish(plain, found);
    });
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | ',' | '、' | '.' | ')' | '_' | '/') || is_dash(c)
}

/// Marks that stand between the parts of one number only.
fn is_dash(c: char) -> bool {
    matches!(c, '—' | '–' | '·')
}

impl Chain {
    fn clear(&mut self) {
        self.digits.clear();
        self.groups.clear();
        self.separators.clear();
    }

    /// Judges the chain and begins a new one.
    fn finish(&mut self, plain: &str, found: &mut Vec<Entity>) {
        if self.digits.len() >= 7 {
            let mut first = 0;
            while first < self.groups.len() {
                first = self.judge(plain, first, found);
            }
        }
        self.clear();
    }

    /// Judges what begins with a group; the index of the group to go on with.
    fn judge(&self, plain: &str, first: usize, found: &mut Vec<Entity>) -> usize {
        let mut total = 0;
        let mut longest = first;
        while longest < self.groups.len() && longest - first < 19 && total < 19 {
            total += self.groups[longest].len();
            longest += 1;
        }
        for last in (first + 1..=longest).rev() {
            if !self.joins(first..last) {
                continue;
            }
            let digits = self.groups[first].start..self.groups[last - 1].end;
            if let Some((kind, range)) = self.number(plain, digits, first..last) {
                found.push(Entity { kind, start: range.start, end: range.end });
                return last;
            }
        }
        self.parts(plain, first, found);
        first + 1
    }

    /// True when the groups can be parts of one number: the same separator everywhere (a parenthesis only after an
    /// area code), and no mark that also stands in lists and fractions between ASCII digits, but for 138.0013.8000.
    fn joins(&self, groups: Range<usize>) -> bool {
        let mut inner = self.separators[groups.start + 1..groups.end].iter();
        let Some(&one) = inner.next() else { return true };
        if one == ')' {
            return self.digits[self.groups[groups.start].start].value == 0 && inner.all(|&s| s == '-' || s == ' ');
        }
        let ascii =
            self.digits[self.groups[groups.start].start..self.groups[groups.end - 1].end].iter().any(|d| d.ascii);
        let lens = || self.groups[groups.clone()].iter().map(Range::len);
        inner.all(|&s| s == one)
            && (matches!(one, ' ' | '-') || is_dash(one) || !ascii || (one == '.' && lens().eq([3, 4, 4])))
    }

    /// What the digits are together, and the text they cover.
    fn number(&self, plain: &str, digits: Range<usize>, groups: Range<usize>) -> Option<(EntityKind, Range<usize>)> {
        let count = digits.len();
        if !(10..=19).contains(&count) {
            return None;
        }
        let mut values = [0u8; 19];
        for (value, digit) in values.iter_mut().zip(&self.digits[digits.clone()]) {
            *value = digit.value;
        }
        let values = &values[..count];
        let text = self.text(digits.clone());
        let before = plain[..text.start].chars().next_back();
        let after = plain[text.end..].chars().next();
        if after == Some('x') && count == 17 && !next_is_word(&plain[text.end + 1..]) && is_id_card(values, 10) {
            return Some((EntityKind::IdCard, text.start..text.end + 1));
        }
        if self.is_fraction(plain, &text, &groups) || is_money(plain, &text) {
            return None;
        }
        let lens = self.groups[groups.clone()].iter().map(Range::len);
        let single = groups.len() == 1;
        let grouped_card = single || lens.clone().take(4).eq([4, 4, 4, 4]) || lens.clone().eq([6, 13]);
        let card = count >= 16 && grouped_card && matches!(values[0], 3..=6 | 9) && luhn(values);
        if is_code(plain, &text, after) {
            // The short name of a bank may stand directly before its card.
            let card = card && !is_order(plain, code_head(plain, text.start)) && !next_is_word(&plain[text.end..]);
            return card.then_some((EntityKind::BankCard, text));
        }
        if is_phone(values) && (single || self.spells_phone(digits.clone(), groups.clone())) {
            return Some((EntityKind::Phone, text));
        }
        if single && count == 13 && values.starts_with(&[8, 6]) && is_phone(&values[2..]) {
            return Some((EntityKind::Phone, self.text(digits.start + 2..digits.end)));
        }
        if single && count == 15 && values.starts_with(&[0, 0, 8, 6]) && is_phone(&values[4..]) {
            return Some((EntityKind::Phone, self.text(digits.start + 4..digits.end)));
        }
        if is_hotline(values) && (single || lens.clone().eq([3, 3, 4]) || lens.clone().eq([3, 7])) {
            return Some((EntityKind::Hotline, text));
        }
        let area = area_code(values);
        if area > 0
            && (7..=8).contains(&(count - area))
            && (single || self.groups[groups.start].len() == area)
            && before != Some('.')
        {
            return Some((EntityKind::Landline, text));
        }
        let grouped_id = single || lens.clone().eq([6, 8, 4]);
        if count == 18 && grouped_id && is_id_card(values, 11) || count == 15 && single && is_old_id_card(values) {
            return Some((EntityKind::IdCard, text));
        }
        if card && !is_order(plain, text.start) {
            return Some((EntityKind::BankCard, text));
        }
        None
    }

    /// A group that joined no other: its ASCII digits and its numerals apart, then an order number.
    fn parts(&self, plain: &str, index: usize, found: &mut Vec<Entity>) {
        let group = self.groups[index].clone();
        let mut start = group.start;
        while start < group.end {
            let ascii = self.digits[start].ascii;
            let len = self.digits[start..group.end].iter().take_while(|d| d.ascii == ascii).count();
            let part = start..start + len;
            start = part.end;
            if part != group
                && let Some((kind, range)) = self.number(plain, part.clone(), index..index + 1)
            {
                found.push(Entity { kind, start: range.start, end: range.end });
                continue;
            }
            if !ascii {
                continue;
            }
            let text = self.text(part);
            let head = code_head(plain, text.start);
            let named = is_named_order(plain, head);
            let fraction = self.is_fraction(plain, &text, &(index..index + 1));
            let long = text.len()
                >= if named {
                    6
                } else if head < text.start {
                    8
                } else {
                    10
                };
            if long && !fraction && !is_money(plain, &text) && !next_is_word(&plain[text.end..]) {
                found.push(Entity { kind: EntityKind::OrderNumber, start: head, end: text.end });
            }
        }
    }

    /// The text under some digits.
    fn text(&self, digits: Range<usize>) -> Range<usize> {
        let last = self.digits[digits.end - 1];
        self.digits[digits.start].at as usize..last.at as usize + last.len as usize
    }

    /// True when a decimal point and digits stand beside the number.
    fn is_fraction(&self, plain: &str, text: &Range<usize>, groups: &Range<usize>) -> bool {
        let point_before = groups.start > 0 && plain[..text.start].ends_with('.');
        let mut rest = plain[text.end..].bytes();
        point_before || (rest.next() == Some(b'.') && rest.next().is_some_and(|b| b.is_ascii_digit()))
    }

    /// True when the groups are ones people break a mobile number into.
    fn spells_phone(&self, digits: Range<usize>, groups: Range<usize>) -> bool {
        let lens = || self.groups[groups.clone()].iter().map(Range::len);
        self.digits[digits].iter().all(|d| !d.ascii) || lens().all(|l| l == 1) || lens().all(|l| l >= 3)
    }
}

/// True when an ASCII letter, digit or `*` comes next.
fn next_is_word(rest: &str) -> bool {
    rest.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'*' || b == b'_')
}

/// Start of the letters and digits that stand directly before a number (`sf` of sf1234…); at most six.
fn code_head(plain: &str, at: usize) -> usize {
    let letters = plain[..at].bytes().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    if letters <= 6 { at - letters } else { at }
}

/// True when the number is part of a code of letters and digits, unless the letters name a telephone.
fn is_code(plain: &str, text: &Range<usize>, after: Option<char>) -> bool {
    if after.is_some_and(|c| c.is_ascii_alphabetic()) && next_is_word(&plain[text.end..]) {
        return true;
    }
    let head = plain[..text.start].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let head = plain.ceil_char_boundary(head);
    let letters = &plain[head..text.start];
    !letters.is_empty() && !PHONE_WORDS.contains(&letters)
}

const PHONE_WORDS: [&str; 14] =
    ["v", "vx", "wx", "w", "q", "qq", "tel", "phone", "mobile", "t", "m", "call", "wechat", "weixin"];

/// True when a currency stands beside the number.
fn is_money(plain: &str, text: &Range<usize>) -> bool {
    let before = plain[..text.start].trim_end().chars().next_back();
    let after = plain[text.end..].trim_start();
    matches!(before, Some('¥' | '$' | '€')) || ["元", "块钱", "rmb"].iter().any(|unit| after.starts_with(unit))
}

/// What calls a number an order, a waybill or the like.
const ORDERS: [&str; 14] =
    ["单", "订单", "运单", "快递", "物流", "编", "流水", "工单", "序列", "保单", "票据", "发票", "会员", "券"];
/// What calls a number a card, an account or a document of a person, whatever its check digit says.
const CARDS: [&str; 8] = ["卡", "账", "帐", "账户", "身份证", "证件", "护照", "户头"];

fn is_called(plain: &str, at: usize, words: &[&str]) -> bool {
    let before = plain[..at].trim_end_matches([' ', ':', '是', '为', '号', '码', '#', ',']);
    words.iter().any(|word| before.ends_with(word))
}

/// True when words before the number call it an order, a waybill or the like: chance makes a card of one in ten.
fn is_order(plain: &str, at: usize) -> bool {
    is_called(plain, at, &ORDERS)
}

/// True when words before the number call it a card, an account or a document: a mistyped one is personal too.
pub(super) fn is_personal(plain: &str, at: usize) -> bool {
    is_called(plain, at, &CARDS)
}

/// True when words before the number call it anything that is numbered.
fn is_named_order(plain: &str, at: usize) -> bool {
    is_order(plain, at) || is_personal(plain, at)
}

#[cfg(test)]
mod tests {
    use super::super::entity::entities;

    /// `kind:text` of each entity, kinds of no concern here left out.
    fn found(plain: &str) -> Vec<String> {
        let mut out = Vec::new();
        entities(plain, &mut out);
        out.iter().map(|e| format!("{}:{}", e.kind.as_str(), &plain[e.start..e.end])).collect()
    }

    #[test]
    fn numbers_are_told_apart() {
        for (text, expect) in [
            // Telephones
            ("13800138000", vec!["phone:13800138000"]),
            ("138 0013 8000", vec!["phone:138 0013 8000"]),
            ("138-0013-8000", vec!["phone:138-0013-8000"]),
            ("138.0013.8000", vec!["phone:138.0013.8000"]),
            ("138 00138000", vec!["phone:138 00138000"]),
            ("1 3 8 0 0 1 3 8 0 0 0", vec!["phone:1 3 8 0 0 1 3 8 0 0 0"]),
            ("我是幺三八零零一三八零零零", vec!["phone:幺三八零零一三八零零零"]),
            ("一三八,零零一三,八零零零。", vec!["phone:一三八,零零一三,八零零零"]),
            ("1三8零零138零零零", vec!["phone:1三8零零138零零零"]),
            ("+86 13800138000", vec!["phone:13800138000"]),
            ("8613800138000", vec!["phone:13800138000"]),
            ("v13800138000聊", vec!["phone:13800138000"]),
            ("13800138000,13900139000", vec!["phone:13800138000", "phone:13900139000"]),
            ("010-12345678", vec!["landline:010-12345678"]),
            ("(0755)86541234", vec!["landline:0755)86541234"]),
            ("075586541234", vec!["landline:075586541234"]),
            ("400-820-8820", vec!["hotline:400-820-8820"]),
            ("4008208820", vec!["hotline:4008208820"]),
            // Identity cards: the check character decides
            ("11010519491231002x", vec!["id_card:11010519491231002x"]),
            ("440524188001010015", vec!["order_number:440524188001010015"]),
            ("110105199003078273", vec!["order_number:110105199003078273"]),
            ("110105 19491231 002x", vec!["id_card:110105 19491231 002x"]),
            ("130503670401001", vec!["id_card:130503670401001"]),
            ("990503670401001", vec!["order_number:990503670401001"]),
            // Bank cards: the Luhn digit decides
            ("6222021234567890128", vec!["bank_card:6222021234567890128"]),
            ("4111 1111 1111 1111", vec!["bank_card:4111 1111 1111 1111"]),
            ("6222021234567890123", vec!["order_number:6222021234567890123"]),
            // Orders
            ("订单号:123456789012", vec!["order_number:123456789012"]),
            ("单号 88665544", vec!["order_number:88665544"]),
            ("sf1234567890123", vec!["order_number:sf1234567890123"]),
            ("jd0001234567890", vec!["order_number:jd0001234567890"]),
            // None of these
            ("12800138000", vec!["order_number:12800138000"]),
            ("2024年", vec![]),
            ("1380mm", vec![]),
            ("型号kfr35gw", vec![]),
            ("a1380013800013", vec!["order_number:a1380013800013"]),
            ("13800138000元", vec!["amount:13800138000元"]),
            ("0.13800138000", vec![]),
            ("13800138000.5", vec![]),
            ("13 14 15 16 171", vec![]),
            ("13,800,138,000", vec![]),
            ("一二三四五六七八九", vec![]),
            ("12345678", vec![]),
            ("尺码38,39,40,41,42", vec![]),
            ("138****8000", vec![]),
            ("1.2.3.4.5.6.7.8.9", vec![]),
        ] {
            assert_eq!(found(text), expect, "{text}");
        }
    }
}
