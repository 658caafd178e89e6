//! Which digits can be what: check characters, area codes, number ranges. Arguments are the values of the digits.

/// A mobile number of mainland China.
pub(super) fn is_phone(values: &[u8]) -> bool {
    values.len() == 11 && values[0] == 1 && values[1] >= 3
}

/// 400 and 800 numbers.
pub(super) fn is_hotline(values: &[u8]) -> bool {
    values.len() == 10 && matches!(values[0], 4 | 8) && values[1..3] == [0, 0]
}

/// Length of the area code a number begins with, 0 for none.
pub(super) fn area_code(values: &[u8]) -> usize {
    match values {
        [0, 1, 0, ..] | [0, 2, _, ..] => 3,
        [0, 3..=9, _, _, ..] => 4,
        _ => 0,
    }
}

/// The weighted sum of GB 11643 with its check character (`10` for X), a province and a day that can be.
pub(super) fn is_id_card(values: &[u8], count: usize) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [u32; 11] = [1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = WEIGHTS.iter().zip(values).map(|(w, &v)| w * v as u32).sum();
    let check = if count == 10 { 10 } else { values[17] as u32 };
    CHECKS[(sum % 11) as usize] == check
        && is_province(values)
        && matches!(values[6..8], [1, 9] | [2, 0])
        && is_day(&values[10..14])
}

/// The same for ASCII digits; a card that ends in X is found with a letter beside it only outside of links.
pub(super) fn is_identity(digits: &[u8]) -> bool {
    let mut values = [0; 18];
    values.iter_mut().zip(digits).for_each(|(v, d)| *v = d - b'0');
    is_id_card(&values, 11)
}

/// The 15 digits used before 1999: a province and a day that can be, there is no check character.
pub(super) fn is_old_id_card(values: &[u8]) -> bool {
    is_province(values) && is_day(&values[8..12])
}

fn is_province(values: &[u8]) -> bool {
    matches!(values[0] * 10 + values[1], 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}

fn is_day(values: &[u8]) -> bool {
    let (month, day) = (values[0] * 10 + values[1], values[2] * 10 + values[3]);
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The check digit of bank cards (ISO/IEC 7812).
pub(super) fn luhn(values: &[u8]) -> bool {
    let sum: u32 = values
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &v)| match (i % 2, v as u32) {
            (0, v) => v,
            (_, v) if v > 4 => v * 2 - 9,
            (_, v) => v * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_province_and_check_character() {
        assert!(luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
        assert!(!luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 0]));
        assert!(is_id_card(&[1, 1, 0, 1, 0, 5, 1, 9, 4, 9, 1, 2, 3, 1, 0, 0, 2], 10));
        assert!(is_province(&[8, 3]) && !is_province(&[1, 6]) && !is_province(&[9, 1]));
    }
}
