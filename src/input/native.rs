//! A conversation as a line of native JSONL: what `convert` writes, read back as the same conversation.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::conversation::{Conversation, Kind, Millis};

/// The record in the order the design gives its fields.
#[derive(Serialize)]
struct Record<'c> {
    conversation_id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'c str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'c [std::borrow::Cow<'c, str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'c str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agents: Vec<Agent<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Box<RawValue>>,
    turns: Vec<Turn<'c>>,
}

#[derive(Serialize)]
struct Agent<'c> {
    id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'c str>,
}

#[derive(Serialize)]
struct Turn<'c> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begin_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f32>,
    text: &'c str,
}

/// Appends the line of a conversation; times are written with the offset of `zone`.
///
/// ```
/// use zhijian::conversation::{Conversation, Role, Turn};
/// let mut conversation = Conversation { id: "c1".into(), ..Conversation::default() };
/// conversation.turns.push(Turn::new(Role::Agent, "您好"));
/// let mut out = Vec::new();
/// zhijian::input::write_native(&conversation, &jiff::tz::TimeZone::UTC, &mut out);
/// assert_eq!(
///     String::from_utf8(out).unwrap(),
///     "{\"conversation_id\":\"c1\",\"turns\":[{\"role\":\"agent\",\"text\":\"您好\"}]}\n"
/// );
/// ```
pub fn write_native(conversation: &Conversation<'_>, zone: &TimeZone, out: &mut Vec<u8>) {
    let turns = conversation.turns.iter().map(|turn| Turn {
        role: turn.role.as_str(),
        agent_id: turn.agent_id.as_deref(),
        at: turn.at.map(|at| moment(at, zone)),
        begin_ms: turn.begin_ms,
        end_ms: turn.end_ms,
        kind: (turn.kind != Kind::Text).then(|| turn.kind.as_str()),
        confidence: turn.confidence,
        text: &turn.text,
    });
    // a line break between the labels' fields would end the record
    let labels = conversation.labels.as_deref().map(|raw| raw.replace(['\n', '\r'], " "));
    let record = Record {
        conversation_id: &conversation.id,
        channel: conversation.channel.as_deref(),
        stage: conversation.stage.as_deref(),
        queue: conversation.queue.as_deref(),
        tags: &conversation.tags,
        customer_id: conversation.customer_id.as_deref(),
        order_id: conversation.order_id.as_deref(),
        started_at: conversation.started_at.map(|at| moment(at, zone)),
        ended_at: conversation.ended_at.map(|at| moment(at, zone)),
        rating: conversation.rating,
        agent_id: conversation.agent_id.as_deref(),
        agents: (conversation.agents.iter())
            .map(|a| Agent { id: &a.id, name: a.name.as_deref(), team: a.team.as_deref() })
            .collect(),
        labels: labels.and_then(|raw| RawValue::from_string(raw).ok()),
        turns: turns.collect(),
    };
    let start = out.len();
    match serde_json::to_writer(&mut *out, &record) {
        Ok(()) => out.push(b'\n'),
        Err(_) => out.truncate(start),
    }
}

fn moment(at: Millis, zone: &TimeZone) -> String {
    let Ok(moment) = jiff::Timestamp::from_millisecond(at) else { return at.to_string() };
    let local = moment.to_zoned(zone.clone());
    // offsets once had seconds, which no reader knows
    let zoned = if local.offset().seconds() % 60 == 0 { local } else { moment.to_zoned(TimeZone::UTC) };
    zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}
