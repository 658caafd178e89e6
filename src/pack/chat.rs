//! The short notation of example chats: `客: …`, `服2@00:01:30: …`.

use std::borrow::Cow;

use crate::conversation::{AgentInfo, Conversation, Kind, Role, Turn};

/// Start of every example chat: 2026-01-05 10:00:00 +08:00, a Monday.
const START: i64 = 1_767_578_400_000;

/// One line read: who, when, what.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'l> {
    /// Who speaks.
    pub role: Role,
    /// Which agent (1-based).
    pub agent: u32,
    /// What the turn carries.
    pub kind: Kind,
    /// Milliseconds from the start of the chat.
    pub begin: Option<i64>,
    /// End of the utterance.
    pub end: Option<i64>,
    /// The words.
    pub text: &'l str,
}

/// Reads one line of an example chat.
///
/// # Errors
/// What is wrong with it, in Chinese.
///
/// ```
/// use zhijian::conversation::Role;
/// let line = zhijian::pack::chat::line("服2@00:01:30: 您好").unwrap();
/// assert_eq!((line.role, line.agent, line.begin, line.text), (Role::Agent, 2, Some(90_000), "您好"));
/// ```
pub fn line(text: &str) -> Result<Line<'_>, String> {
    let whole = text;
    let (speaker, rest) = split_speaker(text).ok_or_else(|| format!("看不懂这一行的说话人: {whole}"))?;
    let (role, kind, digits) = if let Some(d) = speaker.strip_prefix("自动") {
        (Role::Agent, Kind::AutoReply, d)
    } else if let Some(d) = speaker.strip_prefix('客') {
        (Role::Customer, Kind::Text, d)
    } else if let Some(d) = speaker.strip_prefix('服') {
        (Role::Agent, Kind::Text, d)
    } else if let Some(d) = speaker.strip_prefix('机') {
        (Role::Bot, Kind::Text, d)
    } else if let Some(d) = speaker.strip_prefix('系') {
        (Role::System, Kind::Text, d)
    } else {
        return Err(format!("看不懂这一行的说话人: {whole}"));
    };
    let (digits, times) = match digits.split_once('@') {
        Some((d, t)) => (d, Some(t)),
        None => (digits, None),
    };
    let agent =
        if digits.is_empty() { 1 } else { digits.parse().map_err(|_| format!("看不懂客服编号: {whole}"))? };
    let (mut begin, mut end) = (None, None);
    if let Some(times) = times {
        let (from, to) = times.split_once('-').map_or((times, None), |(a, b)| (a, Some(b)));
        begin = Some(clock(from).ok_or_else(|| format!("看不懂时间(写成 00:01:30): {whole}"))?);
        if let Some(to) = to {
            end = Some(clock(to).ok_or_else(|| format!("看不懂时间(写成 00:01:30): {whole}"))?);
        }
    }
    let (kind, text) = match rest.trim() {
        "[图片]" if kind == Kind::Text => (Kind::Image, "[图片]"),
        text => (kind, text),
    };
    Ok(Line { role, agent, kind, begin, end, text })
}

/// Splits at the colon after the speaker (and after its time).
fn split_speaker(text: &str) -> Option<(&str, &str)> {
    let has_time = text.find('@').is_some_and(|at| at <= 12);
    let mut colons = text.char_indices().filter(|(_, c)| matches!(c, ':' | '\u{ff1a}'));
    let (at, colon) = if has_time {
        colons.find(|(i, c)| {
            let next = text[i + c.len_utf8()..].chars().next();
            !next.is_some_and(|n| n.is_ascii_digit())
        })?
    } else {
        colons.next()?
    };
    Some((text[..at].trim(), &text[at + colon.len_utf8()..]))
}

fn clock(text: &str) -> Option<i64> {
    let mut ms = 0f64;
    for part in text.trim().split(':') {
        ms = ms * 60.0 + part.parse::<f64>().ok().filter(|n| *n >= 0.0)?;
    }
    Some((ms * 1000.0).round() as i64)
}

/// The conversation an example chat describes.
///
/// # Errors
/// The first line that cannot be read.
pub fn conversation<'l>(lines: &'l [String]) -> Result<Conversation<'l>, String> {
    let mut out = Conversation { id: Cow::Borrowed("example"), ..Conversation::default() };
    let mut agents = 1;
    for text in lines {
        let line = line(text)?;
        let mut turn = Turn::new(line.role, line.text);
        turn.kind = line.kind;
        if line.role == Role::Agent {
            agents = agents.max(line.agent);
            turn.agent_id = Some(Cow::Owned(format!("agent{}", line.agent)));
        }
        turn.at = line.begin.map(|b| START + b);
        if line.end.is_some() {
            turn.begin_ms = line.begin;
            turn.end_ms = line.end;
        }
        out.turns.push(turn);
    }
    if let Some(at) = out.turns.first().and_then(|t| t.at) {
        out.started_at = Some(at);
        out.ended_at = out.turns.last().and_then(|t| t.end_ms.map(|e| START + e).or(t.at));
    }
    for n in 1..=agents {
        let id = Cow::Owned(format!("agent{n}"));
        out.agents.push(AgentInfo { id, name: None, team: None });
    }
    Ok(out)
}
