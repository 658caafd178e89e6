//! Where each turn stands: which agent's segment, how many turns from its ends, at what time.
//!
//! A conversation handled by several agents falls into segments: an agent's turns together with the customer's turns
//! that led up to them. Customer turns after the last agent turn belong to the last segment.

use std::ops::Range;

use crate::conversation::{Conversation, Role};

/// One agent's stretch of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Number of the agent, in order of first appearance.
    pub agent: usize,
    /// Turns of the stretch.
    pub turns: Range<usize>,
}

/// The places of a conversation's turns. Buffers are reused.
#[derive(Debug, Default, Clone)]
pub struct Layout {
    /// Segments in order; they cover all turns.
    pub segments: Vec<Segment>,
    /// For each agent (in order of first appearance) a turn of hers, to find her id by.
    pub agents: Vec<usize>,
    /// For each turn, its segment.
    pub segment_of: Vec<usize>,
    /// For each turn, how many turns of customer and agent in words stand before it.
    pub ordinal: Vec<u32>,
    /// For each turn, its time in milliseconds (absolute, or from the recording's start), where known.
    pub time: Vec<Option<i64>>,
    /// For each turn in words, its letters and digits; 0 for others.
    pub letters: Vec<u32>,
}

impl Layout {
    /// Computes the places for `conversation`.
    pub fn fill(&mut self, conversation: &Conversation<'_>) {
        self.segments.clear();
        self.agents.clear();
        self.segment_of.clear();
        self.ordinal.clear();
        self.time.clear();
        self.letters.clear();
        let turns = &conversation.turns;
        let mut words = 0;
        for turn in turns {
            self.ordinal.push(words);
            words += u32::from(turn.is_human_words());
            self.time.push(turn.at.or(turn.begin_ms));
            let letters = || turn.text.chars().filter(|c| crate::text::is_letter(*c)).count();
            self.letters.push(if turn.kind.is_words() { letters() as u32 } else { 0 });
        }
        let mut start = 0;
        let mut last_agent_turn = None;
        for (i, turn) in turns.iter().enumerate() {
            if turn.role != Role::Agent || turn.kind == crate::conversation::Kind::AutoReply {
                continue;
            }
            let id = conversation.agent_of(turn);
            let agent = match self.agents.iter().position(|&t| conversation.agent_of(&turns[t]) == id) {
                Some(agent) => agent,
                None => {
                    self.agents.push(i);
                    self.agents.len() - 1
                }
            };
            match self.segments.last_mut() {
                Some(segment) if segment.agent == agent => {}
                Some(segment) => {
                    let end = last_agent_turn.map_or(i, |l: usize| l + 1);
                    segment.turns.end = end;
                    start = end;
                    self.segments.push(Segment { agent, turns: start..turns.len() });
                }
                None => self.segments.push(Segment { agent, turns: start..turns.len() }),
            }
            last_agent_turn = Some(i);
        }
        if self.segments.is_empty() {
            self.segment_of.resize(turns.len(), 0);
            return;
        }
        for (n, segment) in self.segments.iter().enumerate() {
            debug_assert_eq!(self.segment_of.len(), segment.turns.start);
            self.segment_of.resize(segment.turns.end, n);
        }
        let _ = start;
    }

    /// The segment of a turn; the whole conversation when no agent speaks.
    pub fn segment_range(&self, turn: usize) -> Range<usize> {
        match self.segments.get(self.segment_of[turn]) {
            Some(segment) => segment.turns.clone(),
            None => 0..self.segment_of.len(),
        }
    }

    /// Number of agents.
    pub fn agent_count(&self) -> usize {
        self.agents.len()
    }

    /// The agent of a turn's segment.
    pub fn agent_at(&self, turn: usize) -> Option<usize> {
        self.segments.get(self.segment_of[turn]).map(|s| s.agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(lines: &[&str]) -> Layout {
        let lines: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
        let conversation = crate::pack::chat::conversation(&lines).unwrap();
        let mut layout = Layout::default();
        layout.fill(&conversation);
        layout
    }

    #[test]
    fn customer_turns_belong_to_the_agent_who_answers_them() {
        let layout = layout(&["客: 在吗", "服1: 您好", "客: 退款", "服2: 我来处理", "客: 好", "服1: 再见", "客: 谢谢"]);
        let segments: Vec<_> = layout.segments.iter().map(|s| (s.agent, s.turns.clone())).collect();
        assert_eq!(segments, [(0, 0..2), (1, 2..4), (0, 4..7)]);
        assert_eq!(layout.segment_of, [0, 0, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn bots_and_auto_replies_open_no_segment() {
        let layout = layout(&["客: 在吗", "机: 您好", "自动: 欢迎", "服2: 您好", "系: 结束"]);
        assert_eq!(layout.segments, [Segment { agent: 0, turns: 0..5 }]);
        assert_eq!(layout.agent_count(), 1);
    }

    #[test]
    fn no_agent_no_segment() {
        let layout = layout(&["客: 在吗", "机: 您好"]);
        assert!(layout.segments.is_empty());
        assert_eq!(layout.segment_range(1), 0..2);
    }
}
