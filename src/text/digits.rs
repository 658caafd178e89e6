//! Phrases made of digits alone: hotlines, prefixes, dates of sales. An order number or a plate that happens to contain
//! 12315 is no complaint.

use std::ops::Range;

/// Digits up to which a phrase may be the beginning of a longer number, as 400 and 1069 are.
const PREFIX: usize = 4;

/// True when a phrase is made of ASCII digits alone.
pub fn is_number_phrase(phrase: &str) -> bool {
    !phrase.is_empty() && phrase.bytes().all(|b| b.is_ascii_digit())
}

/// True when the digits at a place are the middle or the end of a longer number or code, or, five digits and more, its
/// beginning: an ASCII letter or digit touches them.
///
/// ```
/// use zhijian::text::is_part_of_code;
/// let within = |text: &str, digits: &str| is_part_of_code(text, { let at = text.find(digits).unwrap(); at..at + digits.len() });
/// assert!(within("订单2012315998", "12315") && within("车牌京A12315", "12315") && within("单号123159", "12315"));
/// assert!(!within("我打12315投诉", "12315") && !within("打 12315 10点前", "12315"));
/// assert!(!within("拨4008001234", "400") && within("共1400元", "400"));
/// ```
pub fn is_part_of_code(text: &str, place: Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let touches = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    touches(place.start.checked_sub(1)) || place.len() > PREFIX && touches(Some(place.end))
}
