//! Chats copied out of a seller's window (千牛, 咚咚, 飞鸽, …): a line with speaker and time, the message below it. One file is
//! one conversation; a line `会话编号: …` or a rule of `====` begins another.

use super::columns::Column;
use super::draft::{Context, Draft};
use super::reject::{BAD_TURNS, BAD_VALUE, Fault, shown};
use super::time::TIME_HINT;
use super::values;
use crate::conversation::{Conversation, Kind, Role, Turn};

/// A line that says who speaks and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header<'t> {
    name: &'t str,
    /// As written; the day may be missing.
    time: &'t str,
    /// Words on the same line, after a colon.
    text: Option<&'t str>,
    /// How the line is written, so that a message with a time in it is told from a header.
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    NameFirst,
    /// `小二 (2026-11-20 09:00:00)`
    Bracketed,
    TimeFirst,
}

/// The longest speaker's name.
const NAME_CHARS: usize = 40;

/// True for text with such a line among its first.
pub(crate) fn looks_like(text: &str) -> bool {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).take(30).any(|l| header(l).is_some())
}

/// Where each conversation of a file begins: byte and line.
pub(crate) fn starts(text: &str) -> Vec<(usize, u64)> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut any = false;
    let mut spoken = false;
    for (line, number) in text.split_inclusive('\n').zip(1u64..) {
        let trimmed = line.trim();
        let opens = is_rule(trimmed) || matches!(about(trimmed), Some((Column::ConversationId, _)));
        if !trimmed.is_empty() && (!any || opens && spoken) {
            // a rule before the first message begins nothing new
            if !is_rule(trimmed) || any {
                out.push((at, number));
                any = true;
                spoken = false;
            }
        }
        spoken |= header(trimmed).is_some();
        at += line.len();
    }
    // a rule at the very end begins no conversation
    if let Some((last, _)) = out.last().copied()
        && out.len() > 1
        && text[last..].lines().all(|l| l.trim().is_empty() || is_rule(l.trim()))
    {
        out.pop();
    }
    out
}

/// A line of four or more `=`, `-`, `*` and nothing else.
fn is_rule(line: &str) -> bool {
    let first = line.chars().next().unwrap_or(' ');
    matches!(first, '=' | '-' | '*' | '—' | '─') && line.chars().count() >= 4 && line.chars().all(|c| c == first)
}

/// `会话编号: C1`: a field of the conversation.
fn about(line: &str) -> Option<(Column, &str)> {
    let (name, value) = line.split_once([':', '：'])?;
    let column = Column::parse(name).filter(|c| {
        use Column::{
            AgentId, AgentName, Channel, ConversationId, CustomerId, OrderId, Queue, Rating, Stage, Tags, Team,
        };
        matches!(
            c,
            AgentId
                | AgentName
                | Channel
                | ConversationId
                | CustomerId
                | OrderId
                | Queue
                | Rating
                | Stage
                | Tags
                | Team
        )
    })?;
    Some((column, value.trim()))
}

/// The conversation a stretch of text holds.
pub(crate) fn read(text: &str, context: &Context<'_>) -> Result<Conversation<'static>, Fault> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let found: Vec<Option<Header<'_>>> = lines.iter().map(|l| header(l.trim())).collect();
    let style = found.iter().flatten().next().map(|h| h.style);
    let of_style = |n: usize| found[n].filter(|h| Some(h.style) == style);
    // a name that never has words of its own is part of somebody's message
    let has_words = |n: usize| {
        let text = of_style(n).and_then(|h| h.text).is_some_and(|t| !t.is_empty());
        let below = (n + 1..lines.len()).find(|m| !lines[*m].trim().is_empty());
        text || below.is_some_and(|m| of_style(m).is_none())
    };
    let names: Vec<&str> =
        (0..lines.len()).filter(|n| has_words(*n)).filter_map(|n| of_style(n).map(|h| h.name)).collect();
    let mut draft = Draft::new(None, "chat", context);
    let mut day: Option<String> = None;
    let mut open: Option<(Header<'_>, Vec<&str>, Option<i64>)> = None;
    let mut agents: Option<String> = None;
    let push = |draft: &mut Draft, open: Option<(Header<'_>, Vec<&str>, Option<i64>)>| {
        let Some((header, words, at)) = open else { return };
        let text = words.join("\n");
        let text = text.trim();
        let mut turn = Turn::new(Role::System, text.to_owned());
        turn.at = at;
        turn.kind = kind(text);
        draft.said(header.name, turn);
    };
    for (number, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if let Some(header) = of_style(number).filter(|h| names.contains(&h.name)) {
            push(&mut draft, open.take());
            let at = moment(header.time, day.as_deref(), context)?;
            open = Some((header, header.text.into_iter().collect(), at));
            continue;
        }
        if let Some(date) = date_line(trimmed) {
            day = Some(date.to_owned());
            continue;
        }
        if is_rule(trimmed) {
            continue;
        }
        match &mut open {
            Some((_, words, _)) => words.push(line),
            None => match about(trimmed) {
                Some((column, value)) if !values::is_missing(value) => {
                    let out = &mut draft.out;
                    let value = value.to_owned();
                    match column {
                        Column::ConversationId => out.id = value.into(),
                        Column::Channel => out.channel = Some(context.options.mapping.channel(value.into())),
                        Column::Stage => out.stage = Some(values::stage(value.into())),
                        Column::Queue | Column::Team => out.queue = Some(value.into()),
                        Column::CustomerId => out.customer_id = Some(value.into()),
                        Column::OrderId => out.order_id = Some(value.into()),
                        Column::Tags => out.tags = values::tags(&value).map(|t| t.to_owned().into()).collect(),
                        Column::Rating => out.rating = values::rating(&value).ok().flatten(),
                        _ => agents = Some(value),
                    }
                }
                _ => {}
            },
        }
    }
    push(&mut draft, open.take());
    if draft.out.turns.is_empty() {
        return Err(Fault::new(BAD_TURNS, "没有找到“说话人 时间”这样的行"));
    }
    let customer = draft.out.customer_id.clone();
    let own = |name: &str| {
        if agents.as_deref() == Some(name) || name.chars().skip(1).any(|c| matches!(c, ':' | '：')) {
            // 店铺:小二 — buyers' names have no colon
            Some(Role::Agent)
        } else if customer.as_deref() == Some(name) {
            Some(Role::Customer)
        } else {
            None
        }
    };
    draft.finish(context, own, true)
}

/// What windows write in place of what is no text.
fn kind(text: &str) -> Kind {
    match text {
        "[图片]" | "【图片】" | "[表情图片]" => Kind::Image,
        "[语音]" | "【语音】" => Kind::Voice,
        "[视频]" | "【视频】" => Kind::Video,
        "[文件]" | "【文件】" => Kind::File,
        "[卡片]" | "[商品]" | "[商品链接]" | "[订单]" | "[优惠券]" => Kind::Card,
        _ if text.ends_with("撤回了一条消息") => Kind::Recalled,
        _ => Kind::Text,
    }
}

/// A header's moment; a time of day without any day before it is none.
fn moment(time: &str, day: Option<&str>, context: &Context<'_>) -> Result<Option<i64>, Fault> {
    let mut clock = context.clock.borrow_mut();
    let dated = date(time.as_bytes()).is_some();
    let read = match (dated, day) {
        (true, _) => clock.parse(time, false),
        (false, Some(day)) => clock.parse(&format!("{day} {time}"), false),
        (false, None) => return Ok(None),
    };
    read.map(Some).ok_or_else(|| Fault::new(BAD_VALUE, format!("时间 {} 无法识别;{TIME_HINT}", shown(time))))
}

/// A date on a line of its own: `2026-11-20`, `—— 2026年11月20日 星期五 ——`.
fn date_line(line: &str) -> Option<&str> {
    let line = line.trim_matches(['-', '—', '─', '=', '*', ' ']);
    let end = date(line.as_bytes())?;
    let rest = line[end..].trim();
    (rest.is_empty() || rest.starts_with("星期") || rest.starts_with("周")).then_some(&line[..end])
}

/// The header a line is.
fn header(line: &str) -> Option<Header<'_>> {
    if line.len() > 400 {
        return None;
    }
    // the time first
    let inner = line.strip_prefix(['[', '【']).unwrap_or(line);
    if let Some(end) = full_time(inner) {
        let time = &inner[..end];
        let rest = inner[end..].trim_start_matches([']', '】']);
        let name = rest.trim().trim_end_matches([':', '：']);
        return (rest.starts_with([' ', '\t', '\u{3000}']) && is_name(name)).then_some(Header {
            name,
            time,
            text: None,
            style: Style::TimeFirst,
        });
    }
    // the name first: the time begins after a space or a bracket
    for (at, c) in line.char_indices().skip(1) {
        if !matches!(c, ' ' | '\t' | '\u{3000}' | '(' | '（' | '[' | '【') {
            continue;
        }
        let bracket = matches!(c, '(' | '（' | '[' | '【');
        let after = &line[at + c.len_utf8()..];
        let Some(end) = full_time(after) else { continue };
        let name = line[..at].trim();
        let mut rest = &after[end..];
        if bracket {
            rest = rest.strip_prefix([')', '）', ']', '】'])?;
        }
        let style = if bracket { Style::Bracketed } else { Style::NameFirst };
        let text = match rest.trim_start().strip_prefix([':', '：']) {
            Some(text) => Some(text.trim()).filter(|t| !t.is_empty()),
            None if rest.trim().is_empty() => None,
            None => return None,
        };
        return is_name(name).then_some(Header { name, time: &after[..end], text, style });
    }
    None
}

fn is_name(name: &str) -> bool {
    let count = name.chars().count();
    (1..=NAME_CHARS).contains(&count)
        && !name.contains([',', '，', '\t', '|', ';', '。', '!', '！', '?', '？', '{', '"'])
}

/// The end of a date with a time of day, or of a time of day with seconds, at the beginning of a text.
fn full_time(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if let Some(day) = date(bytes) {
        let gap = bytes[day..].iter().take_while(|b| **b == b' ').count();
        let gap = if bytes.get(day) == Some(&b'T') { 1 } else { gap };
        if gap == 0 {
            return None;
        }
        return time_of_day(&bytes[day + gap..]).map(|end| day + gap + end);
    }
    // without a day only with seconds: `9:30` is in too many messages
    time_of_day(bytes).filter(|end| bytes[..*end].iter().filter(|b| **b == b':').count() == 2)
}

/// The end of `2026-11-20`, `2026/11/20`, `2026年11月20日`.
fn date(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let number = |at: &mut usize, min: usize, max: usize| {
        let count = bytes[*at..].iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        *at += count;
        count >= min
    };
    if !number(&mut at, 4, 4) {
        return None;
    }
    let separators: [(&str, &str, &str); 4] = [("-", "-", ""), ("/", "/", ""), (".", ".", ""), ("年", "月", "日")];
    let (first, second, last) = separators.into_iter().find(|(s, ..)| bytes[at..].starts_with(s.as_bytes()))?;
    at += first.len();
    if !number(&mut at, 1, 2) || !bytes[at..].starts_with(second.as_bytes()) {
        return None;
    }
    at += second.len();
    if !number(&mut at, 1, 2) || !bytes[at..].starts_with(last.as_bytes()) {
        return None;
    }
    Some(at + last.len())
}

fn time_of_day(bytes: &[u8]) -> Option<usize> {
    let digits = |at: usize| bytes.get(at..).map_or(0, |b| b.iter().take(2).take_while(|b| b.is_ascii_digit()).count());
    let hours = digits(0);
    if hours == 0 || bytes.get(hours) != Some(&b':') || digits(hours + 1) != 2 {
        return None;
    }
    let mut end = hours + 3;
    if bytes.get(end) == Some(&b':') && digits(end + 1) == 2 {
        end += 3;
        if matches!(bytes.get(end), Some(b'.' | b',')) {
            let fraction = bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
            end += if fraction > 0 { 1 + fraction } else { 0 };
        }
    }
    // not in the middle of a number
    (!bytes.get(end).is_some_and(u8::is_ascii_digit)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::InputOptions;
    use super::*;
    use proptest::prelude::*;

    fn turns(text: &str) -> Result<Vec<String>, &'static str> {
        let options = InputOptions::default();
        let context = Context::new(&options, "f".into());
        let read = read(text, &context).map_err(|f| f.code)?;
        let shown = |t: &Turn<'_>| format!("{}{} {}", t.role.as_str(), t.agent_id.as_deref().unwrap_or(""), t.text);
        Ok(read.turns.iter().map(shown).collect())
    }

    #[test]
    fn windows_of_three_platforms() {
        let qianniu = "云栖:小雨 (2026-11-20 09:00:01):\n亲,您好\n在的\n\ntb_1 (2026-11-20 09:00:20): 还没发货\n发货时间 2026-11-20 18:00:00\n";
        assert_eq!(
            turns(qianniu).unwrap(),
            ["agent云栖:小雨 亲,您好\n在的", "customer 还没发货\n发货时间 2026-11-20 18:00:00"]
        );
        let dongdong = "jd_1 2026-11-20 09:00:01\n在吗\n客服 2026/11/20 9:00:05\n在的\n预计 2026-11-21 10:00\n";
        assert_eq!(turns(dongdong).unwrap(), ["customer 在吗", "agent 在的\n预计 2026-11-21 10:00"]);
        let feige = "2026-11-20 09:00:01 用户小陈\n在吗\n2026-11-20 09:00:05 客服(小美)\n[图片]\n";
        assert_eq!(turns(feige).unwrap(), ["customer 在吗", "agent小美 [图片]"]);
    }

    #[test]
    fn nobody_is_guessed() {
        assert_eq!(
            turns("张三 2026-11-20 09:00:01\n在吗\n李四 2026-11-20 09:00:05\n在\n"),
            Err(super::super::reject::UNKNOWN_SPEAKER)
        );
        assert_eq!(turns("随便写的\n"), Err(BAD_TURNS));
    }

    #[test]
    fn conversations_of_one_file() {
        let text =
            "会话编号: C1\n客服 2026-11-20 09:00:01\n好\n====\n会话编号: C2\n客服 2026-11-20 09:01:01\n好\n====\n";
        assert_eq!(starts(text).iter().map(|s| s.1).collect::<Vec<_>>(), [1, 4]);
        assert!(starts("\n\n").is_empty());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9:：年月日\\-/ ()=\n客服张三，,.]{0,120}") {
            let _ = looks_like(&text);
            for (at, _) in starts(&text) {
                let _ = turns(&text[at..]);
            }
        }
    }
}
