//! Whether the customer's matter was resolved by the end of the conversation, with the turn that says so.
//!
//! The customer's last words after a person has answered decide: what comes later overrules what came before, and a
//! complaint or "still not" overrules a polite word in the same message. Only where the customer says nothing either
//! way do the last words of the agent count (done on the spot, or refused). A promise to come back is neither: the
//! matter is open, so it is [`Resolution::Unknown`].

use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::layout::Layout;
use crate::pack::Pack;
use crate::pack::expression::MarkerId;
use crate::span::Span;

/// How a conversation ended for the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Resolution {
    /// The customer says so, thanks, or accepts; or the agent did it on the spot.
    Resolved,
    /// The customer says it is not, leaves unhappy or unanswered, or was refused.
    Unresolved,
    /// Nothing in the words tells.
    #[default]
    Unknown,
}

impl Resolution {
    /// Every outcome, in the order aggregates count them.
    pub const ALL: [Resolution; 3] = [Resolution::Resolved, Resolution::Unresolved, Resolution::Unknown];

    /// Stable id for outputs.
    pub fn id(self) -> &'static str {
        ["resolved", "unresolved", "unknown"][self as usize]
    }

    /// Chinese name.
    pub fn title(self) -> &'static str {
        ["已解决", "未解决", "无法判断"][self as usize]
    }
}

/// A resolution with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The outcome.
    pub resolution: Resolution,
    /// The turn that decides, where one does.
    pub turn: Option<u32>,
    /// The marker of that turn.
    pub marker: Option<MarkerId>,
    /// The words, as bytes of that turn.
    pub span: Option<Span>,
}

/// Messages of the customer looked back at; what was said before them is settled or superseded.
const LOOK_BACK: usize = 4;
/// Messages of the agent looked back at.
const AGENT_LOOK_BACK: usize = 2;

/// The markers that decide, by number; those a pack lacks are left out.
#[derive(Debug, Clone, Default)]
pub struct ResolutionMarkers {
    /// In a customer's message, first match decides.
    customer: Vec<(MarkerId, Resolution)>,
    /// In an agent's last messages.
    agent: Vec<(MarkerId, Resolution)>,
    question: Option<MarkerId>,
}

impl ResolutionMarkers {
    /// Looks the markers up in a pack.
    pub fn new(pack: &Pack) -> Self {
        use Resolution::{Resolved, Unresolved};
        let find = |list: &[(&str, Resolution)]| {
            list.iter().filter_map(|(id, r)| pack.marker(id).map(|m| (m, *r))).collect::<Vec<_>>()
        };
        ResolutionMarkers {
            customer: find(&[
                ("unresolved", Unresolved),
                ("complaint_threat", Unresolved),
                ("promise_broken", Unresolved),
                ("profanity", Unresolved),
                ("resolved", Resolved),
                ("negative", Unresolved),
                ("thanks", Resolved),
                ("urge", Unresolved),
                ("repeat_contact", Unresolved),
            ]),
            agent: find(&[
                ("resolved_now", Resolved),
                ("cannot_help", Unresolved),
                ("buck_passing", Unresolved),
                ("perfunctory", Unresolved),
            ]),
            question: pack.marker("question"),
        }
    }

    /// Judges a conversation.
    pub fn judge(&self, conversation: &Conversation<'_>, layout: &Layout, hits: &Hits) -> Verdict {
        let turns = &conversation.turns;
        let words = |i: &usize, role| turns[*i].role == role && turns[*i].is_human_words();
        // Without a person's answer there is nothing to resolve by.
        let Some(&first_agent) = layout.agents.first() else { return Verdict::default() };
        let verdict = |resolution, turn: usize, marker: Option<MarkerId>| Verdict {
            resolution,
            turn: Some(turn as u32),
            marker,
            span: marker.and_then(|m| hits.best(turn, m)).map(|h| h.span),
        };
        let customers = (first_agent + 1..turns.len()).rev().filter(|i| words(i, Role::Customer));
        for turn in customers.take(LOOK_BACK) {
            if let Some((marker, resolution)) = self.customer.iter().find(|(m, _)| hits.has(turn, *m)) {
                return verdict(*resolution, turn, Some(*marker));
            }
        }
        let last_agent = (first_agent..turns.len()).rev().find(|i| words(i, Role::Agent)).unwrap_or(first_agent);
        if let Some(question) = self.question
            && let Some(turn) =
                (last_agent + 1..turns.len()).find(|i| words(i, Role::Customer) && hits.has(*i, question))
        {
            return verdict(Resolution::Unresolved, turn, Some(question));
        }
        let agents = (first_agent..=last_agent).rev().filter(|i| words(i, Role::Agent));
        for turn in agents.take(AGENT_LOOK_BACK) {
            if let Some((marker, resolution)) = self.agent.iter().find(|(m, _)| hits.has(turn, *m)) {
                return verdict(*resolution, turn, Some(*marker));
            }
        }
        Verdict::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{Engine, EngineOptions, Scratch};
    use crate::pack::Pack;
    use std::sync::LazyLock;

    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::new(Pack::default_pack().unwrap(), EngineOptions::default()).unwrap());

    fn judged(lines: &[&str]) -> (&'static str, Option<u32>) {
        let lines: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
        let conversation = crate::pack::chat::conversation(&lines).unwrap();
        let mut scratch = Scratch::default();
        let verdict = ENGINE.inspect(&conversation, &mut scratch).verdict;
        (verdict.resolution.id(), verdict.turn)
    }

    #[test]
    fn the_customers_last_word_decides() {
        let accepted = ["客: 什么时候发货", "服: 今天18点前发出", "客: 好的,谢谢"];
        assert_eq!(judged(&accepted), ("resolved", Some(2)));
        let still = ["客: 打不开", "服: 您重启后再试一下", "客: 好的", "客: 重启过了还是不行"];
        assert_eq!(judged(&still), ("unresolved", Some(3)));
        let won_back = ["客: 太差劲了,还没发货", "服: 已经给您加急,今晚发出", "客: 可以了,谢谢"];
        assert_eq!(judged(&won_back), ("resolved", Some(2)));
    }

    #[test]
    fn silence_of_the_customer_leaves_it_to_the_agent() {
        let done = ["客: 帮我改地址", "服: 地址已经改好了"];
        assert_eq!(judged(&done), ("resolved", Some(1)));
        let promised = ["客: 帮我看下维修", "服: 售后专员明天与您联系"];
        assert_eq!(judged(&promised).0, "unknown");
        assert_eq!(judged(&["客: 有人吗", "机: 您好"]), ("unknown", None));
    }
}
