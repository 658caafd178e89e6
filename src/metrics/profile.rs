//! Platform response figures: the same log seen through the rules of each platform.
//!
//! A **round** begins with the first customer message nobody has answered and ends with the first reply the profile
//! accepts. What a profile leaves out it says why ([`Exclusion`]), turn by turn, so that a supervisor can follow the
//! figure down to the message. Profiles need absolute times; a log without them leaves every round out as
//! [`Exclusion::NoTime`].

use serde::{Deserialize, Serialize};

use crate::conversation::{Conversation, Kind, Millis, Role};
use crate::layout::Layout;
use crate::pack::profiles::{Profile, ProfileUnit, Reply, TransferRule};

/// Why a turn or round does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Exclusion {
    /// The messages carry no time.
    NoTime,
    /// The customer wrote outside the service hours.
    OutsideHours,
    /// A bot served: the round is not the team's.
    BotStage,
    /// The platform counts the first round of a session only.
    NotFirst,
    /// A closing word of the customer that asks for nothing.
    Polite,
    /// The conversation came over a channel the profile does not cover.
    OtherChannel,
    /// An automatic message, which is no reply.
    AutoReply,
    /// A bot's message, which is no reply.
    BotReply,
    /// A message taken back.
    Recalled,
}

impl Exclusion {
    /// Every reason.
    pub const ALL: [Exclusion; 9] = [
        Exclusion::NoTime,
        Exclusion::OutsideHours,
        Exclusion::BotStage,
        Exclusion::NotFirst,
        Exclusion::Polite,
        Exclusion::OtherChannel,
        Exclusion::AutoReply,
        Exclusion::BotReply,
        Exclusion::Recalled,
    ];

    /// Stable id.
    pub fn id(self) -> &'static str {
        [
            "no_time",
            "outside_hours",
            "bot_stage",
            "not_first",
            "polite",
            "other_channel",
            "auto_reply",
            "bot_reply",
            "recalled",
        ][self as usize]
    }

    /// Chinese explanation.
    pub fn title(self) -> &'static str {
        [
            "没有时间",
            "服务时间外",
            "机器人接待",
            "非首次咨询",
            "客户道谢告别",
            "渠道不适用",
            "自动回复不算回复",
            "机器人回复不算回复",
            "已撤回",
        ][self as usize]
    }

    /// True when a whole round is left out; otherwise only a message was passed over.
    pub fn is_round(self) -> bool {
        self < Exclusion::AutoReply
    }
}

/// A round that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// The customer's turn (or the transfer notice from which the next agent's clock runs).
    pub turn: u32,
    /// The reply; none when nobody replied.
    pub reply: Option<u32>,
    /// The agent (number in the layout) who replied or should have.
    pub agent: Option<usize>,
    /// Milliseconds counted: capped, or the value of an unanswered round; `None` where the profile gives it none.
    pub wait: Option<i64>,
    /// Answered within the profile's limit.
    pub within: bool,
}

/// One profile's view of a conversation. Buffers are reused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileView {
    /// Rounds that count.
    pub rounds: Vec<Round>,
    /// Turns left out, with the reason.
    pub excluded: Vec<(u32, Exclusion)>,
}

/// Counts of one profile for an agent, or for everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileCount {
    /// Units: rounds, sessions or customers' conversations.
    pub units: u64,
    /// Answered at all.
    pub answered: u64,
    /// Answered within the limit.
    pub within: u64,
    /// Units with a counted wait.
    pub timed: u64,
    /// Sum of counted waits, milliseconds.
    pub sum: i64,
    /// Left out, by [`Exclusion`].
    pub excluded: [u64; 9],
}

impl ProfileCount {
    /// Adds another's counts.
    pub fn merge(&mut self, other: &ProfileCount) {
        self.units += other.units;
        self.answered += other.answered;
        self.within += other.within;
        self.timed += other.timed;
        self.sum += other.sum;
        for (own, more) in self.excluded.iter_mut().zip(other.excluded) {
            *own += more;
        }
    }

    /// Counts the rounds of one conversation that `mine` accepts.
    pub fn count(&mut self, unit: ProfileUnit, view: &ProfileView, mine: impl Fn(&Round) -> bool) {
        let rounds = view.rounds.iter().filter(|r| mine(r));
        match unit {
            ProfileUnit::Round | ProfileUnit::Session => {
                for round in rounds {
                    self.units += 1;
                    self.answered += u64::from(round.reply.is_some());
                    self.within += u64::from(round.within);
                    if let Some(wait) = round.wait {
                        self.timed += 1;
                        self.sum += wait;
                    }
                }
            }
            ProfileUnit::Customer => {
                let (mut any, mut answered, mut within) = (false, true, true);
                for round in rounds {
                    any = true;
                    answered &= round.reply.is_some();
                    within &= round.within;
                    if let Some(wait) = round.wait {
                        self.timed += 1;
                        self.sum += wait;
                    }
                }
                self.units += u64::from(any);
                self.answered += u64::from(any && answered);
                self.within += u64::from(any && within);
            }
        }
    }
}

/// A round being waited in.
struct Open {
    turn: usize,
    /// A transfer notice since.
    notice: Option<usize>,
}

/// Words of the platform's transfer notices.
const NOTICES: &[&str] = &["转接", "转交", "转入", "转给", "转出", "transfer"];

/// Sees a conversation through a profile. `offset` is the local zone's offset from UTC in seconds; `polite` says which
/// customer turns ask for nothing.
pub fn view(
    profile: &Profile,
    conversation: &Conversation<'_>,
    layout: &Layout,
    offset: i64,
    polite: impl Fn(usize) -> bool,
    out: &mut ProfileView,
) {
    out.rounds.clear();
    out.excluded.clear();
    let turns = &conversation.turns;
    let covered = profile.channels.is_empty()
        || conversation.channel.as_deref().is_none_or(|c| profile.channels.iter().any(|p| p == c));
    if !covered {
        out.excluded.push((0, Exclusion::OtherChannel));
        return;
    }
    let mut walk = Walk { profile, conversation, offset, last_agent: None, first_done: false, out };
    let mut open: Option<Open> = None;
    let mut previous: Option<Millis> = None;
    for (i, turn) in turns.iter().enumerate() {
        if turn.kind == Kind::Recalled {
            walk.out.excluded.push((i as u32, Exclusion::Recalled));
            continue;
        }
        let spoken = matches!(turn.role, Role::Agent | Role::Customer);
        if let (Some(gap), Some(now), true) = (profile.session_gap, turn.at, spoken) {
            if previous.is_some_and(|p| now - p >= gap) {
                walk.close(open.take(), None, None);
                walk.first_done = false;
            }
            previous = Some(now);
        }
        let reply = match (turn.role, turn.kind) {
            (Role::Customer, _) => {
                let asks = !(profile.ignore_polite && polite(i));
                match (&open, asks) {
                    (None, true) => open = Some(Open { turn: i, notice: None }),
                    (None, false) => walk.out.excluded.push((i as u32, Exclusion::Polite)),
                    (Some(_), _) => {}
                }
                continue;
            }
            (Role::System, _) => {
                if let Some(open) = &mut open
                    && NOTICES.iter().any(|w| turn.text.contains(w))
                {
                    open.notice = Some(i);
                }
                continue;
            }
            (Role::Agent, Kind::AutoReply) => Reply::Auto,
            (Role::Agent, _) => Reply::Person,
            (Role::Bot, _) if turn.agent_id.is_some() => Reply::Assisted,
            (Role::Bot, _) => Reply::Bot,
        };
        if profile.replies.contains(&reply) {
            let agent = match reply {
                Reply::Bot => None,
                _ => {
                    layout.agents.iter().position(|a| conversation.agent_of(&turns[*a]) == conversation.agent_of(turn))
                }
            };
            walk.close(open.take(), Some(i), agent);
            walk.last_agent = agent.or(walk.last_agent);
        } else if reply == Reply::Bot && profile.exclude_bot {
            if let Some(open) = open.take() {
                walk.out.excluded.push((open.turn as u32, Exclusion::BotStage));
            }
        } else if open.is_some() {
            let why = if reply == Reply::Auto { Exclusion::AutoReply } else { Exclusion::BotReply };
            walk.out.excluded.push((i as u32, why));
        }
    }
    walk.close(open.take(), None, None);
    out.excluded.sort_unstable();
}

struct Walk<'w> {
    profile: &'w Profile,
    conversation: &'w Conversation<'w>,
    offset: i64,
    last_agent: Option<usize>,
    first_done: bool,
    out: &'w mut ProfileView,
}

impl Walk<'_> {
    /// Ends the open round, if any, with the reply at `reply` by `agent`.
    fn close(&mut self, open: Option<Open>, reply: Option<usize>, agent: Option<usize>) {
        let Some(open) = open else { return };
        let handed = self.profile.transfer == TransferRule::FirstUnanswered
            && reply.is_some()
            && self.last_agent.is_some()
            && self.last_agent != agent;
        if handed {
            self.round(open.turn, None, self.last_agent);
            self.round(open.notice.unwrap_or(open.turn), reply, agent);
        } else {
            self.round(open.turn, reply, agent.or(self.last_agent));
        }
    }

    fn round(&mut self, turn: usize, reply: Option<usize>, agent: Option<usize>) {
        let profile = self.profile;
        let turns = &self.conversation.turns;
        if profile.unit == ProfileUnit::Session && self.first_done {
            self.out.excluded.push((turn as u32, Exclusion::NotFirst));
            return;
        }
        let Some(asked) = turns[turn].at else {
            self.out.excluded.push((turn as u32, Exclusion::NoTime));
            return;
        };
        if let Some((from, to)) = profile.hours {
            let second = (asked.div_euclid(1000) + self.offset).rem_euclid(86_400);
            if !(from..to).contains(&second) {
                self.out.excluded.push((turn as u32, Exclusion::OutsideHours));
                return;
            }
        }
        let answered = reply.and_then(|r| turns[r].at);
        if reply.is_some() && answered.is_none() {
            self.out.excluded.push((turn as u32, Exclusion::NoTime));
            return;
        }
        self.first_done = true;
        let wait = answered.map(|a| (a - asked).max(0));
        let within = wait.is_some_and(|w| profile.limit.is_none_or(|l| w <= l));
        let counted = match wait {
            Some(wait) => Some(profile.cap.map_or(wait, |cap| wait.min(cap))),
            None => profile.unanswered,
        };
        self.out.rounds.push(Round { turn: turn as u32, reply: reply.map(|r| r as u32), agent, wait: counted, within });
    }
}
