//! The parts of a conversation's record that tell how it ended, why the customer came, how it was handed on, and how
//! each platform counts it.

use serde::Serialize;

use super::Points;
use crate::conversation::Conversation;
use crate::engine::Inspection;
use crate::metrics::profile::Round;
use crate::pack::Pack;
use crate::span::Span;

fn quoted(text: &str, part: Span, mask: bool) -> String {
    if mask { crate::text::mask_part(text, part).into_owned() } else { part.slice(text).to_string() }
}

/// What a resolution rests on.
#[derive(Serialize)]
pub struct ResolutionRecord<'r> {
    turn: u32,
    marker: Option<&'r str>,
    quote: String,
}

/// The evidence of the resolution.
pub fn resolution<'r>(
    pack: &'r Pack,
    conversation: &Conversation<'_>,
    inspection: &Inspection,
    mask: bool,
) -> Option<ResolutionRecord<'r>> {
    let verdict = &inspection.verdict;
    let turn = verdict.turn?;
    let text = &conversation.turns[turn as usize].text;
    Some(ResolutionRecord {
        turn,
        marker: verdict.marker.map(|m| pack.markers[m as usize].id.as_str()),
        quote: quoted(text, verdict.span.unwrap_or(Span::new(0, text.len())), mask),
    })
}

/// A reason or product fault with its evidence.
#[derive(Serialize)]
pub struct TopicRecord<'r> {
    id: &'r str,
    title: &'r str,
    parent: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    urgency: Option<&'static str>,
    turn: Option<u32>,
    quote: Option<String>,
}

/// The topics, the main reason's first; the catch-all, without evidence, where no reason shows.
pub fn topics<'r>(
    pack: &'r Pack,
    conversation: &Conversation<'_>,
    inspection: &Inspection,
    mask: bool,
) -> Vec<TopicRecord<'r>> {
    let topics = &pack.topics;
    let record = |number: usize| {
        let topic = &topics.list[number];
        let parent = topic.parent.map(|p| topics.list[p].id.as_str());
        TopicRecord {
            id: &topic.id,
            title: &topic.title,
            parent,
            urgency: topic.urgency.map(|u| u.id()),
            turn: None,
            quote: None,
        }
    };
    let mut out = Vec::with_capacity(inspection.topics.len());
    let main = inspection.main_topic.map(usize::from);
    if let Some(other) = topics.other.filter(|o| main == Some(*o)) {
        out.push(record(other));
    }
    out.extend(inspection.topics.iter().map(|found| TopicRecord {
        turn: Some(found.turn),
        quote: Some(quoted(&conversation.turns[found.turn as usize].text, found.span, mask)),
        ..record(usize::from(found.topic))
    }));
    out
}

/// Hand-overs, where there is anything to tell.
#[derive(Serialize)]
pub struct HandoverRecord {
    transfers: u32,
    longest_wait: Option<Points>,
    ping_pong: bool,
    asked_again: Option<u32>,
    escalated: Option<u32>,
    complaint: Option<u32>,
    complaint_answer: Option<u32>,
}

/// The record of hand-overs and complaint.
pub fn handover(inspection: &Inspection) -> Option<HandoverRecord> {
    let h = &inspection.handover;
    let nothing = h.transfers == 0 && h.asked_again.is_none() && h.escalated.is_none() && h.complaint.is_none();
    (!nothing).then(|| HandoverRecord {
        transfers: h.transfers,
        longest_wait: h.waits.iter().map(|w| w.1).max().map(Points),
        ping_pong: h.ping_pong,
        asked_again: h.asked_again,
        escalated: h.escalated,
        complaint: h.complaint,
        complaint_answer: h.complaint_answer,
    })
}

/// A platform's view of the conversation.
#[derive(Serialize)]
pub struct ProfileRecord<'r> {
    id: &'r str,
    rounds: Vec<RoundRecord<'r>>,
    excluded: Vec<ExcludedRecord>,
}

#[derive(Serialize)]
struct RoundRecord<'r> {
    turn: u32,
    reply: Option<u32>,
    agent_id: Option<&'r str>,
    seconds: Option<Points>,
    within: bool,
}

#[derive(Serialize)]
struct ExcludedRecord {
    turn: u32,
    reason: &'static str,
    title: &'static str,
}

/// Every profile with its rounds and what it left out.
pub fn profiles<'r>(
    pack: &'r Pack,
    conversation: &'r Conversation<'_>,
    inspection: &Inspection,
) -> Vec<ProfileRecord<'r>> {
    let agent_id = |agent: usize| conversation.agent_of(&conversation.turns[inspection.layout.agents[agent]]);
    let both = pack.profiles.iter().zip(&inspection.profiles);
    both.map(|(profile, view)| ProfileRecord {
        id: &profile.id,
        rounds: view
            .rounds
            .iter()
            .map(|&Round { turn, reply, agent, wait, within }| RoundRecord {
                turn,
                reply,
                agent_id: agent.map(agent_id),
                seconds: wait.map(Points),
                within,
            })
            .collect(),
        excluded: view
            .excluded
            .iter()
            .map(|(turn, why)| ExcludedRecord { turn: *turn, reason: why.id(), title: why.title() })
            .collect(),
    })
    .collect()
}
