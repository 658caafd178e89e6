//! Where the words of a message begin and end: without the punctuation, emoji, emoji codes, mentions and particles people
//! put around them. A marker's `whole`, `start` and `end` are judged on this.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Codes that stand for a picture or a person, as chat exports write them (in the plain view).
const CODE: &str = concat!(
    r"(?:#e-[a-z]?\d*(?:\[[^\]]*\])?\d*",            // #E-s12 (JD)
    r"|\[[^\[\]]{1,4}\]",                            // [微笑] (Weibo, WeChat)
    r"|/:[a-z]{2,8}|/::?[^\sa-z\p{Han}]{1,3}[a-z]?", // /:rose /:8-) /::D (WeChat, Taobao)
    r"|(?:回复)?@[^\s,:。!?;@]{1,20}[\s:]?",
    r"|o网页链接",
    r"|https?://[^\s\p{Han}]+)",
);
static CODES: LazyLock<Regex> = LazyLock::new(|| Regex::new(CODE).expect("the pattern of emoji codes is valid"));
static CODE_FIRST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("^{CODE}")).expect("the pattern of emoji codes is valid"));

/// Particles that may end a message without changing it.
const PARTICLES: &str = "的了呢哦啊呀嘛吧哈啦噢喔哟诶欸嗯亲呐哒滴耶呵嘻嘿咯呗么";

/// The message without leading and trailing punctuation, spaces, emoji, emoji codes (`[微笑]`, `#e-s12`, `/:8-)`),
/// mentions and links; at its end also without particles (的了呢哦啊呀嘛吧哈啦 …), at both ends without 亲.
/// A message of nothing else gives an empty range.
///
/// ```
/// use zhijian::text::trim_message;
/// let trimmed = |text| { let range = trim_message(text); &text[range] };
/// assert_eq!(trimmed("亲,在的呢~[微笑]"), "在");
/// assert_eq!(trimmed("#e-s12好的哦!"), "好");
/// assert_eq!(trimmed("嗯嗯"), "");
/// assert_eq!(trimmed("的确"), "的确");
/// ```
pub fn trim_message(plain: &str) -> Range<usize> {
    let start = trim_head(plain, |c| c == '亲');
    let end = trim_tail(plain, start, |c| PARTICLES.contains(c));
    start..end.max(start)
}

/// True when the text may hold a code at all.
fn may_hold_code(text: &str) -> bool {
    memchr::memchr3(b'[', b'#', b'/', text.as_bytes()).is_some()
        || memchr::memchr(b'@', text.as_bytes()).is_some()
        || text.contains("o网页")
}

fn trim_head(text: &str, drop: impl Fn(char) -> bool) -> usize {
    let codes = may_hold_code(text);
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if codes && let Some(code) = CODE_FIRST.find(rest) {
            at += code.end();
            continue;
        }
        match rest.chars().next() {
            Some(c) if !c.is_alphanumeric() || drop(c) => at += c.len_utf8(),
            _ => return at,
        }
    }
}

/// The end of the text, not before `start`, without trailing codes, marks and what `drop` says.
pub(super) fn trim_tail(text: &str, start: usize, drop: impl Fn(char) -> bool) -> usize {
    let mut codes: Vec<Range<usize>> = Vec::new();
    if may_hold_code(&text[start..]) {
        codes.extend(CODES.find_iter(&text[start..]).map(|m| start + m.start()..start + m.end()));
    }
    let mut end = text.len();
    loop {
        // A code may end in marks of its own (`/:8-)`): it goes as a whole once the end lies inside it.
        if let Some(code) = codes.last() {
            if code.end >= end && code.start < end {
                end = code.start;
                codes.pop();
                continue;
            }
            if code.start >= end {
                codes.pop();
                continue;
            }
        }
        let rest = &text[start..end];
        match rest.chars().next_back() {
            Some(c) if !c.is_alphanumeric() => end -= c.len_utf8(),
            Some('么') if rest.ends_with("什么") || rest.ends_with("怎么") => return end,
            Some(c) if drop(c) => end -= c.len_utf8(),
            _ => return end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_trimmed() {
        for (text, expect) in [
            ("", ""),
            ("...", ""),
            ("在的", "在"),
            ("亲亲,在呢亲~~", "在"),
            ("了解", "了解"),
            ("好的了解", "好的了解"),
            ("什么", "什么"),
            ("是么", "是"),
            ("谢谢😊😊", "谢谢"),
            ("谢谢[玫瑰][玫瑰]", "谢谢"),
            ("谢谢#e-s57", "谢谢"),
            ("谢谢#e-b[数字x]3", "谢谢"),
            ("谢谢/:8-)", "谢谢"),
            ("谢谢/:rose", "谢谢"),
            ("谢谢/::d哦", "谢谢"),
            ("回复@小明:好的", "好"),
            ("@客服 在吗?", "在吗"),
            ("看这里o网页链接", "看这里"),
            ("看 https://a.cn/x1 ", "看"),
            ("[图片]", ""),
            ("订单12", "订单12"),
            ("(你好)", "你好"),
        ] {
            assert_eq!(&text[trim_message(text)], expect, "{text}");
        }
    }
}
