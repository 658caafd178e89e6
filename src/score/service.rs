//! What is kept of service: measures with their distributions, outcomes and contact reasons, by agent, team, channel,
//! stage, hour and day. Integers only, so that partial results merge to the same whole in any order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contacts::CrossTotals;
use super::histogram::Histogram;
use super::words::WordSample;
use crate::metrics::profile::ProfileCount;
use crate::metrics::resolution::Resolution;

/// What figures are broken down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// The agent's id.
    Agent,
    /// Her team.
    Team,
    /// chat, phone, …
    Channel,
    /// presale, insale, aftersale.
    Stage,
    /// Hour of the day the contact began, `00`–`23`.
    Hour,
    /// Day it began, `2026-11-20`.
    Day,
}

impl Dimension {
    /// Every dimension, in the order of outputs.
    pub const ALL: [Dimension; 6] =
        [Dimension::Agent, Dimension::Team, Dimension::Channel, Dimension::Stage, Dimension::Hour, Dimension::Day];

    /// Chinese name.
    pub fn title(self) -> &'static str {
        ["客服", "团队", "渠道", "阶段", "小时", "日期"][self as usize]
    }

    /// English name.
    pub fn id(self) -> &'static str {
        ["agent", "team", "channel", "stage", "hour", "day"][self as usize]
    }
}

/// How a conversation's score is counted beside its service figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judged {
    /// Milli-points.
    pub score: i64,
    /// Passed.
    pub passed: bool,
    /// With a critical finding.
    pub critical: bool,
}

/// Figures of one agent, team, channel, …
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// Conversations.
    pub conversations: u64,
    /// Conversations with a customer's message.
    pub contacts: u64,
    /// Of these, with an answer of a person (接通).
    pub connected: u64,
    /// By resolution: resolved, unresolved, unknown.
    pub resolution: [u64; 3],
    /// Conversations judged.
    pub judged: u64,
    /// Sum of milli-points.
    pub score_sum: i64,
    /// Sum of squared milli-points.
    pub score_squares: u128,
    /// Conversations passed.
    pub passed: u64,
    /// Conversations with a critical finding.
    pub critical: u64,
    /// Ratings 1–5.
    pub ratings: [u64; 5],
    /// Satisfaction estimates: how many, their sum and sum of squares in thousandths.
    #[serde(default)]
    pub satisfaction: (u64, i64, u64),
    /// Conversations handed on at least once.
    pub transferred: u64,
    /// Changes of agent.
    pub transfers: u64,
    /// Conversations with A → B → A.
    pub ping_pong: u64,
    /// Conversations in which what was known was asked again.
    pub asked_again: u64,
    /// Conversations escalated.
    pub escalated: u64,
    /// Conversations with a complaint.
    pub complaints: u64,
    /// Waits at transfers.
    pub transfer_wait: Histogram,
    /// By measure.
    pub measures: Vec<Histogram>,
}

impl Cell {
    /// Counts a score.
    pub fn judge(&mut self, judged: Option<Judged>) {
        let Some(judged) = judged else { return };
        self.judged += 1;
        self.score_sum += judged.score;
        self.score_squares += (judged.score as u128) * (judged.score as u128);
        self.passed += u64::from(judged.passed);
        self.critical += u64::from(judged.critical);
    }

    /// Counts the end of a conversation.
    pub fn outcome(&mut self, resolution: Resolution, rating: Option<u8>, satisfaction: Option<i64>) {
        self.resolution[resolution as usize] += 1;
        if let Some(rating @ 1..=5) = rating {
            self.ratings[usize::from(rating) - 1] += 1;
        }
        if let Some(estimate) = satisfaction {
            self.satisfaction.0 += 1;
            self.satisfaction.1 += estimate;
            self.satisfaction.2 += estimate.unsigned_abs().pow(2);
        }
    }

    /// Adds another's figures.
    pub fn merge(&mut self, other: &Cell) {
        for (own, more) in [
            (&mut self.conversations, other.conversations),
            (&mut self.contacts, other.contacts),
            (&mut self.connected, other.connected),
            (&mut self.judged, other.judged),
            (&mut self.passed, other.passed),
            (&mut self.critical, other.critical),
            (&mut self.transferred, other.transferred),
            (&mut self.transfers, other.transfers),
            (&mut self.ping_pong, other.ping_pong),
            (&mut self.asked_again, other.asked_again),
            (&mut self.escalated, other.escalated),
            (&mut self.complaints, other.complaints),
        ] {
            *own += more;
        }
        self.score_sum += other.score_sum;
        self.satisfaction.0 += other.satisfaction.0;
        self.satisfaction.1 += other.satisfaction.1;
        self.satisfaction.2 += other.satisfaction.2;
        self.score_squares += other.score_squares;
        add(&mut self.resolution, &other.resolution);
        add(&mut self.ratings, &other.ratings);
        self.transfer_wait.merge(&other.transfer_wait);
        self.measures.resize(self.measures.len().max(other.measures.len()), Histogram::default());
        for (own, more) in self.measures.iter_mut().zip(&other.measures) {
            own.merge(more);
        }
    }

    /// Number of ratings, and of those of 4 and 5.
    pub fn rated(&self) -> (u64, u64) {
        (self.ratings.iter().sum(), self.ratings[3] + self.ratings[4])
    }

    /// Mean rating.
    pub fn mean_rating(&self) -> Option<f64> {
        let n = self.rated().0;
        let stars: u64 = self.ratings.iter().zip(1..).map(|(n, stars)| n * stars).sum();
        (n > 0).then(|| stars as f64 / n as f64)
    }

    /// Mean score in points.
    pub fn mean_score(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.score_sum as f64 / 1000.0 / self.judged as f64)
    }

    /// Resolved, and resolved or unresolved: the base of the resolution rate leaves out what cannot be told.
    pub fn resolved(&self) -> (u64, u64) {
        (self.resolution[0], self.resolution[0] + self.resolution[1])
    }
}

fn add(own: &mut [u64], more: &[u64]) {
    for (own, more) in own.iter_mut().zip(more) {
        *own += more;
    }
}

/// What is kept of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TopicTotals {
    /// Conversations that show it.
    pub conversations: u64,
    /// Conversations whose main reason it is, on its level.
    pub main: u64,
    /// By resolution.
    pub resolution: [u64; 3],
    /// Conversations judged.
    pub judged: u64,
    /// Sum of milli-points.
    pub score_sum: i64,
    /// Ratings 1–5.
    pub ratings: [u64; 5],
    /// Conversations by agent.
    pub agents: BTreeMap<String, u64>,
    /// Conversations by channel.
    pub channels: BTreeMap<String, u64>,
    /// Conversations by stage.
    pub stages: BTreeMap<String, u64>,
    /// Words of the customers who come with it.
    pub words: WordSample,
}

impl TopicTotals {
    fn merge(&mut self, other: TopicTotals) {
        self.conversations += other.conversations;
        self.main += other.main;
        self.judged += other.judged;
        self.score_sum += other.score_sum;
        add(&mut self.resolution, &other.resolution);
        add(&mut self.ratings, &other.ratings);
        for (own, more) in
            [(&mut self.agents, other.agents), (&mut self.channels, other.channels), (&mut self.stages, other.stages)]
        {
            for (key, n) in more {
                *own.entry(key).or_default() += n;
            }
        }
        self.words.merge(other.words);
    }
}

/// Adds one to a text's count without making a new key each time.
pub fn add_one(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(n) => *n += 1,
        None => {
            counts.insert(key.to_string(), 1);
        }
    }
}

/// Everything kept of service in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceTotals {
    /// All conversations.
    pub all: Cell,
    /// Broken down.
    pub cells: BTreeMap<Dimension, BTreeMap<String, Cell>>,
    /// By topic id.
    pub topics: BTreeMap<String, TopicTotals>,
    /// Platform figures: profile id → agent id (empty: everyone) → counts.
    pub profiles: BTreeMap<String, BTreeMap<String, ProfileCount>>,
    /// What shows only across conversations, once a run is complete. Adding two is exact when no customer is in both.
    pub cross: CrossTotals,
}

impl ServiceTotals {
    /// The cell of a value, made when missing.
    pub fn cell(&mut self, dimension: Dimension, value: &str) -> &mut Cell {
        slot(self.cells.entry(dimension).or_default(), value)
    }

    /// The cell of a value, where there is one.
    pub fn get(&self, dimension: Dimension, value: &str) -> Option<&Cell> {
        self.cells.get(&dimension)?.get(value)
    }

    /// The totals of a topic, made when missing.
    pub fn topic(&mut self, id: &str) -> &mut TopicTotals {
        slot(&mut self.topics, id)
    }

    /// The counts of a profile for an agent (empty: everyone), made when missing.
    pub fn profile(&mut self, id: &str, agent: &str) -> &mut ProfileCount {
        slot(slot(&mut self.profiles, id), agent)
    }

    /// Adds another's record.
    pub fn merge(&mut self, other: ServiceTotals) {
        self.all.merge(&other.all);
        for (dimension, cells) in other.cells {
            for (value, cell) in cells {
                self.cell(dimension, &value).merge(&cell);
            }
        }
        self.cross.merge(&other.cross);
        for (id, totals) in other.topics {
            self.topic(&id).merge(totals);
        }
        for (id, agents) in other.profiles {
            for (agent, count) in agents {
                self.profile(&id, &agent).merge(&count);
            }
        }
    }
}

fn slot<'m, T: Default>(map: &'m mut BTreeMap<String, T>, key: &str) -> &'m mut T {
    if !map.contains_key(key) {
        map.insert(key.to_string(), T::default());
    }
    map.get_mut(key).expect("just inserted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Unit;
    use proptest::prelude::*;

    fn totals(seeds: &[u8]) -> ServiceTotals {
        let mut out = ServiceTotals::default();
        for seed in seeds {
            let value = format!("{}", seed % 3);
            let cell = out.cell(Dimension::ALL[usize::from(seed % 6)], &value);
            cell.conversations += 1;
            cell.outcome(Resolution::ALL[usize::from(seed % 3)], Some(seed % 6), Some(i64::from(*seed)));
            cell.transfer_wait.add(i64::from(*seed) * 700, Unit::Millis);
            cell.judge(Some(Judged { score: i64::from(*seed) * 100, passed: *seed > 9, critical: false }));
            let topic = out.topic(&value);
            topic.conversations += 1;
            topic.words.add(u64::from(*seed), std::slice::from_ref(&value));
            add_one(&mut topic.channels, "chat");
        }
        out
    }

    proptest! {
        #[test]
        fn merging_is_associative_commutative_and_has_an_identity(
            a in proptest::collection::vec(any::<u8>(), 0..20),
            b in proptest::collection::vec(any::<u8>(), 0..20),
            c in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let merged = |parts: [&[u8]; 3]| {
                let mut out = ServiceTotals::default();
                parts.iter().for_each(|p| out.merge(totals(p)));
                out
            };
            let whole = totals(&[a.clone(), b.clone(), c.clone()].concat());
            prop_assert_eq!(&merged([&a, &b, &c]), &whole);
            prop_assert_eq!(&merged([&c, &a, &b]), &whole);
            let mut right = totals(&b);
            right.merge(totals(&c));
            let mut left = totals(&a);
            left.merge(right);
            prop_assert_eq!(&left, &whole);
            let json = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(&serde_json::from_str::<ServiceTotals>(&json).unwrap(), &whole);
        }
    }
}
