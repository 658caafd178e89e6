//! Values shared by every format: ratings, stages, channels, missing markers. One place, so that the same night as JSONL
//! and as CSV gives the same conversations.

use std::borrow::Cow;

/// True for what exports write where there is nothing: an empty cell, `nan`, `NULL`, `\N`, `-`, …
pub(crate) fn is_missing(value: &str) -> bool {
    let value = value.trim();
    // every marker is short and ASCII
    value.is_empty()
        || value.len() <= 4
            && ["nan", "null", "\\n", "-", "--", "none", "n/a", "#n/a"].iter().any(|m| value.eq_ignore_ascii_case(m))
}

/// The tags written in one cell: `vip,大促`.
pub(crate) fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', '\u{ff0c}', ';', '\u{ff1b}', '、', '|']).map(str::trim).filter(|t| !is_missing(t))
}

/// A customer's rating: `Ok(None)` when the customer gave none, `Err` when the value is no rating of 1–5.
pub(crate) fn rating(value: &str) -> Result<Option<u8>, ()> {
    let value = value.trim();
    let words: Option<Option<u8>> = match value {
        "未评价" | "未评" | "未参评" | "无" | "暂无" | "无评价" | "未评分" => Some(None),
        "非常满意" | "很满意" | "五星" => Some(Some(5)),
        "满意" | "四星" => Some(Some(4)),
        "一般" | "三星" => Some(Some(3)),
        "不满意" | "二星" | "两星" => Some(Some(2)),
        "非常不满意" | "很不满意" | "一星" => Some(Some(1)),
        _ => None,
    };
    if let Some(rating) = words {
        return Ok(rating);
    }
    let number = ["星", "分", "颗星", "星级"].iter().find_map(|s| value.strip_suffix(s)).unwrap_or(value);
    rating_number(number.trim().parse().map_err(|_| ())?).map(Some)
}

/// A rating given as a number: a whole one, 1–5.
pub(crate) fn rating_number(value: f64) -> Result<u8, ()> {
    if (1.0..=5.0).contains(&value) && value.fract() == 0.0 { Ok(value as u8) } else { Err(()) }
}

/// A recogniser's confidence, 0–1; `93%` is 0.93.
pub(crate) fn confidence(value: &str) -> Result<f32, ()> {
    let value = value.trim();
    let number = match value.strip_suffix(['%', '\u{FF05}']) {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| ())? / 100.0,
        None => value.parse().map_err(|_| ())?,
    };
    confidence_number(number)
}

/// A confidence given as a number.
pub(crate) fn confidence_number(value: f64) -> Result<f32, ()> {
    if (0.0..=1.0).contains(&value) { Ok(value as f32) } else { Err(()) }
}

/// Milliseconds into a recording: a whole number, not negative; `1200.0` counts as whole.
pub(crate) fn offset_ms(value: &str) -> Result<i64, ()> {
    let value = value.trim();
    match value.parse::<i64>() {
        Ok(number) if number >= 0 => Ok(number),
        _ => offset_number(value.parse().map_err(|_| ())?),
    }
}

/// Milliseconds given as a number; fractions are rounded.
pub(crate) fn offset_number(value: f64) -> Result<i64, ()> {
    if (0.0..9e15).contains(&value) { Ok(value.round() as i64) } else { Err(()) }
}

/// The design's name of a stage (`presale`, `insale`, `aftersale`); other names stay as they are.
pub(crate) fn stage(value: Cow<'_, str>) -> Cow<'_, str> {
    match value.trim().to_ascii_lowercase().as_str() {
        "presale" | "pre_sale" | "pre-sale" | "售前" | "售前咨询" | "售前客服" => Cow::Borrowed("presale"),
        "insale" | "in_sale" | "in-sale" | "售中" | "售中咨询" | "售中客服" => Cow::Borrowed("insale"),
        "aftersale" | "after_sale" | "after-sale" | "aftersales" | "售后" | "售后咨询" | "售后客服" | "售後" => {
            Cow::Borrowed("aftersale")
        }
        _ => value,
    }
}

/// The design's name of a channel (`chat`, `phone`, `email`, `social`); other names stay as they are.
pub(crate) fn channel(value: Cow<'_, str>) -> Cow<'_, str> {
    match value.trim().to_ascii_lowercase().as_str() {
        "chat" | "im" | "在线" | "在線" | "在线客服" | "聊天" | "文字" | "文本" | "网页" | "online" => {
            Cow::Borrowed("chat")
        }
        "phone" | "voice" | "call" | "电话" | "電話" | "语音" | "热线" | "呼入" | "呼出" => {
            Cow::Borrowed("phone")
        }
        "email" | "e-mail" | "mail" | "邮件" | "郵件" | "邮箱" => Cow::Borrowed("email"),
        "social" | "社交" | "社媒" | "社交媒体" | "社交媒體" => Cow::Borrowed("social"),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings() {
        for text in ["5", " 5 ", "5.0", "5星", "5 分", "五星", "非常满意"] {
            assert_eq!(rating(text), Ok(Some(5)), "{text}");
        }
        assert_eq!(rating("未评价"), Ok(None));
        for text in ["0", "6", "4.5", "-1", "好", "nan", "inf"] {
            assert_eq!(rating(text), Err(()), "{text}");
        }
    }

    #[test]
    fn missing_markers() {
        for text in ["", " ", "nan", "NaN", "NULL", "\\N", "-", "None", "#N/A"] {
            assert!(is_missing(text), "{text}");
        }
        for text in ["0", "无", "--- ", "nana"] {
            assert!(!is_missing(text), "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(confidence("93%"), Ok(0.93));
        assert_eq!(confidence("1"), Ok(1.0));
        assert_eq!(confidence("1.2"), Err(()));
        assert_eq!(offset_ms("1200.0"), Ok(1200));
        assert_eq!(offset_ms("-5"), Err(()));
        assert_eq!(offset_ms("1e3"), Ok(1000));
    }

    #[test]
    fn names() {
        assert_eq!(stage("售后".into()), "aftersale");
        assert_eq!(stage("回访".into()), "回访");
        assert_eq!(channel("电话".into()), "phone");
    }
}
