//! What happens around the agents of a conversation: hand-overs and their quality, escalations, complaints.
//!
//! - A **transfer** is a change from one agent to another; the platform's notices are not needed for it.
//! - The **wait** at a transfer runs from the last words of the one to the first words of the other.
//! - **Ping-pong**: the customer comes back to an agent she had been handed on by (A → B → A).
//! - **Asked again**: an agent asks for the order number the customer has already given (marker `asks_number_again`).
//! - An **escalation** is a hand-over (marker `handover`) to a supervisor or specialist level.
//! - A **complaint** begins with the first customer message that carries `complaint_threat` or `complaint`; its answer is
//!   the next message of a person of the team.

use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::layout::Layout;
use crate::pack::Pack;
use crate::pack::expression::MarkerId;

/// What was seen of hand-overs and complaints in a conversation. Turns are indices, waits milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    /// Changes from one agent to another.
    pub transfers: u32,
    /// Waits at transfers, with the agent (number in the layout) who took over; only where both times are known.
    pub waits: Vec<(usize, i64)>,
    /// The customer came back to an earlier agent.
    pub ping_pong: bool,
    /// The agent turn that asks again for what was given.
    pub asked_again: Option<u32>,
    /// The agent turn that escalates.
    pub escalated: Option<u32>,
    /// The customer turn with which a complaint begins.
    pub complaint: Option<u32>,
    /// The agent turn that answers it.
    pub complaint_answer: Option<u32>,
}

/// Whom a hand-over escalates to.
const HIGHER: &[&str] = &["主管", "经理", "领导", "升级", "專員", "专员", "组长", "店长"];

/// The markers looked at, by number.
#[derive(Debug, Clone, Default)]
pub struct HandoverMarkers {
    asked_again: Option<MarkerId>,
    handover: Option<MarkerId>,
    complaint: Vec<MarkerId>,
}

impl HandoverMarkers {
    /// Looks the markers up in a pack.
    pub fn new(pack: &Pack) -> Self {
        HandoverMarkers {
            asked_again: pack.marker("asks_number_again"),
            handover: pack.marker("handover"),
            complaint: ["complaint_threat", "complaint"].iter().filter_map(|m| pack.marker(m)).collect(),
        }
    }

    /// Looks at one conversation; `out` is reused.
    pub fn fill(&self, conversation: &Conversation<'_>, layout: &Layout, hits: &Hits, out: &mut Handover) {
        let turns = &conversation.turns;
        out.waits.clear();
        let speaks =
            |i: &usize| turns[*i].role == Role::Agent && turns[*i].kind != crate::conversation::Kind::AutoReply;
        let segments = &layout.segments;
        out.transfers = segments.len().saturating_sub(1) as u32;
        out.ping_pong = segments.windows(3).any(|w| w[0].agent == w[2].agent);
        for pair in segments.windows(2) {
            let left = pair[0].turns.clone().rev().find(speaks).and_then(|i| layout.time[i]);
            let taken = pair[1].turns.clone().find(speaks).and_then(|i| layout.time[i]);
            if let (Some(left), Some(taken)) = (left, taken) {
                out.waits.push((pair[1].agent, (taken - left).max(0)));
            }
        }
        let all = || (0..turns.len()).filter(|i| turns[*i].role == Role::Agent);
        let first = |marker: Option<MarkerId>| marker.and_then(|m| all().find(|i| hits.has(*i, m)));
        out.asked_again = first(self.asked_again).map(|i| i as u32);
        out.escalated = self
            .handover
            .and_then(|m| all().find(|i| hits.has(*i, m) && HIGHER.iter().any(|w| turns[*i].text.contains(w))))
            .map(|i| i as u32);
        let complains = |i: &usize| turns[*i].role == Role::Customer && self.complaint.iter().any(|m| hits.has(*i, *m));
        let complaint = (0..turns.len()).find(complains);
        out.complaint = complaint.map(|i| i as u32);
        out.complaint_answer = complaint.and_then(|c| (c + 1..turns.len()).find(speaks)).map(|i| i as u32);
    }
}
