//! What one worker counts, in tables that are quick to add to. Texts (agents, teams, channels, stages) are numbered
//! once. A conversation adds to one cell, that of its channel, stage, hour and day together, and to one for each agent
//! with her team; what an [`Aggregate`] breaks down further are sums of these, made when a table has grown or the
//! worker is done.

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::judge::Outcome;
use crate::metrics::profile::ProfileCount;
use crate::pack::Pack;
use crate::score::Aggregate;
use crate::score::aggregate::AgentTotals;
use crate::score::service::{Dimension, TopicTotals};

use super::cell_tally::CellTally;

/// Cells of one table before it is summed up: dumps of many months have many hours.
const MOST_CELLS: usize = 1024;

/// Texts by number.
#[derive(Debug, Default)]
pub struct Names {
    numbers: FxHashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Names {
    /// The number of a text, given when it is new.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }
}

/// What a conversation has as a whole: numbers of channel and stage (of the empty text where unknown), hour and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Whole {
    pub channel: u32,
    pub stage: u32,
    pub began: Option<(Date, i8)>,
}

/// Outcomes by rule: parts of conversations in which it was due, and of these with a finding.
#[derive(Debug, Default)]
pub struct RuleTally(Vec<(u64, u64)>);

impl RuleTally {
    /// Counts the outcomes of one agent's part of a conversation.
    pub fn judge(&mut self, outcomes: &[Outcome]) {
        self.0.resize(outcomes.len(), (0, 0));
        for (own, outcome) in self.0.iter_mut().zip(outcomes) {
            own.0 += u64::from(*outcome != Outcome::NotApplicable);
            own.1 += u64::from(*outcome == Outcome::Found);
        }
    }

    /// The rules that were due, by number.
    fn due(self) -> impl Iterator<Item = (u32, (u64, u64))> {
        (0..).zip(self.0).filter(|(_, (due, _))| *due > 0)
    }
}

/// What is counted of a channel.
#[derive(Debug, Default)]
pub struct ChannelTally {
    pub conversations: u64,
    pub rules: RuleTally,
}

/// What is counted of an agent.
#[derive(Debug, Default)]
pub struct AgentTally {
    /// Her scores and findings; empty until something of hers was judged.
    pub totals: AgentTotals,
    /// Outcomes that are not in her totals yet.
    pub rules: RuleTally,
    /// By platform profile; empty until she spoke.
    pub profiles: Vec<ProfileCount>,
    /// Conversations by topic.
    pub topics: Vec<u64>,
}

/// One worker's tables.
#[derive(Debug, Default)]
pub struct Tally {
    /// What is counted as it is, and what has been summed up.
    pub sums: Aggregate,
    /// Numbers of texts.
    pub names: Names,
    wholes: FxHashMap<Whole, CellTally>,
    parts: FxHashMap<(u32, u32), CellTally>,
    channels: FxHashMap<u32, ChannelTally>,
    agents: FxHashMap<u32, AgentTally>,
    /// Platform figures of everyone, by profile; empty before the first conversation.
    pub profiles: Vec<ProfileCount>,
    topics: Vec<Option<Box<TopicTotals>>>,
}

impl Tally {
    /// The cell of a whole conversation's channel, stage, hour and day.
    pub fn whole(&mut self, key: Whole) -> &mut CellTally {
        if self.wholes.len() >= MOST_CELLS && !self.wholes.contains_key(&key) {
            self.sum_wholes();
        }
        self.wholes.entry(key).or_default()
    }

    /// The cell of an agent in a team, by their numbers (that of the empty text without a team).
    pub fn part(&mut self, agent: u32, team: u32) -> &mut CellTally {
        self.parts.entry((agent, team)).or_default()
    }

    /// What is counted of a channel.
    pub fn channel(&mut self, number: u32) -> &mut ChannelTally {
        self.channels.entry(number).or_default()
    }

    /// What is counted of an agent.
    pub fn agent(&mut self, number: u32) -> &mut AgentTally {
        self.agents.entry(number).or_default()
    }

    /// What is counted of a topic, by its number in the pack.
    pub fn topic(&mut self, number: usize) -> &mut TopicTotals {
        if self.topics.len() <= number {
            self.topics.resize_with(number + 1, || None);
        }
        self.topics[number].get_or_insert_default()
    }

    fn sum_wholes(&mut self) {
        let totals = &mut self.sums.service;
        for (key, cell) in self.wholes.drain() {
            let cell = cell.finish();
            totals.all.merge(&cell);
            for (dimension, number) in [(Dimension::Channel, key.channel), (Dimension::Stage, key.stage)] {
                let value = self.names.text(number);
                if !value.is_empty() {
                    totals.cell(dimension, value).merge(&cell);
                }
            }
            if let Some((day, hour)) = key.began {
                totals.cell(Dimension::Hour, &format!("{hour:02}")).merge(&cell);
                totals.cell(Dimension::Day, &day.to_string()).merge(&cell);
            }
        }
    }

    /// Sums everything up.
    pub fn finish(mut self, pack: &Pack) -> Aggregate {
        self.sum_wholes();
        let mut sums = self.sums;
        let names = &self.names;
        for ((agent, team), cell) in self.parts {
            let cell = cell.finish();
            let team = names.text(team);
            if !team.is_empty() {
                sums.service.cell(Dimension::Team, team).merge(&cell);
            }
            sums.service.cell(Dimension::Agent, names.text(agent)).merge(&cell);
        }
        for (number, tally) in self.channels {
            let channel = names.text(number);
            *sums.channels.entry(channel.to_string()).or_default() += tally.conversations;
            let mut due = tally.rules.due().peekable();
            if due.peek().is_some() {
                sums.rule_channels.entry(channel.to_string()).or_default().extend(due);
            }
        }
        for (definition, count) in pack.profiles.iter().zip(&self.profiles) {
            sums.service.profile(&definition.id, "").merge(count);
        }
        for (number, totals) in self.topics.into_iter().enumerate() {
            if let Some(totals) = totals {
                sums.service.topics.insert(pack.topics.list[number].id.clone(), *totals);
            }
        }
        for (number, mut tally) in self.agents {
            let agent = names.text(number);
            for (definition, count) in pack.profiles.iter().zip(&tally.profiles) {
                sums.service.profile(&definition.id, agent).merge(count);
            }
            for (topic, count) in tally.topics.iter().enumerate().filter(|(_, count)| **count > 0) {
                sums.service.topic(&pack.topics.list[topic].id).agents.insert(agent.to_string(), *count);
            }
            for (rule, (due, found)) in tally.rules.due() {
                tally.totals.count_outcomes(rule, due, found);
            }
            if tally.totals.conversations > 0 {
                sums.all.merge_counts(&tally.totals);
                sums.agents.insert(agent.to_string(), tally.totals);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_of_hours_are_summed_up_on_the_way() {
        let mut tally = Tally::default();
        let (chat, none) = (tally.names.number("chat"), tally.names.number(""));
        let first = jiff::civil::date(2020, 1, 1);
        let conversations = 3 * MOST_CELLS as i32;
        for number in 0..conversations {
            let day = first.saturating_add(jiff::Span::new().days(number / 24));
            let whole = Whole { channel: chat, stage: none, began: Some((day, (number % 24) as i8)) };
            tally.whole(whole).counts().conversations += 1;
            assert!(tally.wholes.len() <= MOST_CELLS);
        }
        tally.whole(Whole { channel: none, stage: chat, began: None }).counts().conversations += 1;
        tally.part(chat, none).counts().conversations += 2;
        tally.part(chat, chat).counts().conversations += 3;
        let sums = tally.finish(&Pack::default_pack().unwrap()).service;
        let of = |dimension, value| sums.get(dimension, value).map(|cell| cell.conversations);
        assert_eq!(sums.all.conversations, conversations as u64 + 1);
        assert_eq!(of(Dimension::Channel, "chat"), Some(conversations as u64));
        assert_eq!(of(Dimension::Stage, "chat"), Some(1));
        assert_eq!(of(Dimension::Day, "2020-01-01"), Some(24));
        assert_eq!(of(Dimension::Hour, "07"), Some(conversations as u64 / 24));
        assert_eq!((of(Dimension::Agent, "chat"), of(Dimension::Team, "chat")), (Some(5), Some(3)));
        assert!([Dimension::Channel, Dimension::Stage, Dimension::Team].iter().all(|d| of(*d, "").is_none()));
    }
}
