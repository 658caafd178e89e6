//! Following each customer through a sorted log: who came back, which complaints were answered and solved in time.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::Contact;

/// Contacts of one customer looked at together; beyond, the oldest are settled early.
const MOST_OPEN: usize = 512;
/// Seconds in an hour.
const HOUR: i64 = 3600;

/// A deadline's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deadline {
    /// Met in time.
    pub met: u64,
    /// Not met in time.
    pub missed: u64,
    /// Done, though not yet due when the log ends.
    pub early: u64,
    /// Neither done nor due when the log ends.
    pub open: u64,
}

impl Deadline {
    fn count(&mut self, from: i64, done: Option<i64>, hours: i64, last: i64) {
        let due = from + hours * HOUR;
        match done {
            Some(done) if done <= due && due <= last => self.met += 1,
            Some(done) if done <= due => self.early += 1,
            None if last < due => self.open += 1,
            _ => self.missed += 1,
        }
    }
}

/// Recontacts within one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recontact {
    /// Contacts whose whole window the log covers.
    pub observed: u64,
    /// Of these, without a recontact.
    pub once: u64,
    /// Recontacts seen, also in windows the log does not cover whole.
    pub seen: u64,
}

/// Cross-conversation counts of an agent, or of everyone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrossCount {
    /// Contacts that can be followed: customer, time, and an order or reason known.
    pub contacts: u64,
    /// Within 24 hours.
    pub day: Recontact,
    /// Within 72 hours.
    pub three_days: Recontact,
    /// Complaint cases.
    pub complaints: u64,
    /// Answered within 24 hours.
    pub answered: Deadline,
    /// Solved within 72 hours.
    pub solved: Deadline,
}

/// What the log as a whole shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrossTotals {
    /// Everyone.
    pub all: CrossCount,
    /// By [`hash`](super::hash) of the agent's id (the one who spoke last in the contact).
    pub agents: BTreeMap<u64, CrossCount>,
    /// Contacts without a customer's id or a time.
    pub anonymous: u64,
}

impl CrossCount {
    /// Adds another's counts.
    pub fn merge(&mut self, other: &CrossCount) {
        self.contacts += other.contacts;
        self.complaints += other.complaints;
        for (own, more) in [(&mut self.day, other.day), (&mut self.three_days, other.three_days)] {
            own.observed += more.observed;
            own.once += more.once;
            own.seen += more.seen;
        }
        for (own, more) in [(&mut self.answered, other.answered), (&mut self.solved, other.solved)] {
            own.met += more.met;
            own.missed += more.missed;
            own.early += more.early;
            own.open += more.open;
        }
    }
}

impl CrossTotals {
    /// Adds another's counts.
    pub fn merge(&mut self, other: &CrossTotals) {
        self.all.merge(&other.all);
        self.anonymous += other.anonymous;
        for (agent, count) in &other.agents {
            self.agents.entry(*agent).or_default().merge(count);
        }
    }

    fn each(&mut self, agent: u64, count: impl Fn(&mut CrossCount)) {
        count(&mut self.all);
        if agent != 0 {
            count(self.agents.entry(agent).or_default());
        }
    }
}

/// What is counted of each night of a log: until when it is observed, and what came out.
#[derive(Debug)]
pub(super) struct Nights {
    /// Last second observed for the contacts of each tag; contacts of higher tags are seen but not counted.
    pub last: Vec<i64>,
    /// The counts by tag.
    pub totals: Vec<CrossTotals>,
}

/// The open contacts and complaints of the customer being followed.
#[derive(Debug, Default)]
pub(super) struct Customer {
    pub id: u64,
    open: VecDeque<Open>,
}

#[derive(Debug)]
struct Open {
    contact: Contact,
    /// Start of the first later contact about the matter.
    again: Option<i64>,
    /// When the complaint was made, for the first contact of a case.
    complaint: Option<i64>,
    answered: Option<i64>,
    solved: Option<i64>,
}

impl Customer {
    pub fn add(&mut self, contact: Contact, nights: &mut Nights) {
        self.settle(contact.start, nights);
        let mut complaint = (contact.complaint > 0).then(|| contact.start + i64::from(contact.complaint) - 1);
        let answered = contact.answered.then(|| contact.start + i64::from(contact.answer));
        let solved = contact.resolved.then_some(contact.end);
        for open in &mut self.open {
            if !open.contact.same_matter(&contact) {
                continue;
            }
            open.again = open.again.or(Some(contact.start));
            if open.complaint.is_some() {
                complaint = None;
                open.answered = open.answered.or(answered);
                open.solved = open.solved.or(solved);
            }
        }
        self.open.push_back(Open { contact, again: None, complaint, answered, solved });
        if self.open.len() > MOST_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            count(&oldest, nights);
        }
    }

    /// Counts the contacts whose windows end before `now`.
    pub fn settle(&mut self, now: i64, nights: &mut Nights) {
        let done = |open: &Open| {
            let from = open.contact.end.max(open.complaint.unwrap_or(i64::MIN));
            now == i64::MAX || from + 72 * HOUR < now
        };
        // Ends are not sorted as starts are: look at all of them.
        let mut at = 0;
        while at < self.open.len() {
            match done(&self.open[at]) {
                true => {
                    if let Some(open) = self.open.remove(at) {
                        count(&open, nights);
                    }
                }
                false => at += 1,
            }
        }
    }
}

fn count(open: &Open, nights: &mut Nights) {
    let contact = &open.contact;
    let night = usize::from(contact.night);
    let (Some(last), Some(totals)) = (nights.last.get(night).copied(), nights.totals.get_mut(night)) else { return };
    let followed = contact.order != 0 || contact.topic != 0;
    let within = |hours: i64| open.again.is_some_and(|again| again <= contact.end + hours * HOUR);
    totals.each(contact.agent, |count| {
        count.contacts += u64::from(followed);
        for (hours, window) in [(24, &mut count.day), (72, &mut count.three_days)] {
            let observed = followed && contact.end + hours * HOUR <= last;
            window.observed += u64::from(observed);
            window.once += u64::from(observed && !within(hours));
            window.seen += u64::from(followed && within(hours));
        }
        if let Some(from) = open.complaint {
            count.complaints += 1;
            count.answered.count(from, open.answered, 24, last);
            count.solved.count(from, open.solved, 72, last);
        }
    });
}
