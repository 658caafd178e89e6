//! Computing the measures of a conversation or of one agent's part of it.

use super::{METRICS, Metric};
use crate::conversation::{Conversation, Role};
use crate::layout::Layout;

/// The measures of one scope; unknown ones are `None`, never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    values: [Option<i64>; METRICS.len()],
    turns: [Option<u32>; METRICS.len()],
}

impl Default for Measures {
    fn default() -> Self {
        Measures { values: [None; METRICS.len()], turns: [None; METRICS.len()] }
    }
}

impl Measures {
    /// The value of a measure, in its unit.
    pub fn get(&self, metric: Metric) -> Option<i64> {
        self.values[metric as usize]
    }

    /// The turn at which the measure took its value, where there is one (the late answer, the long silence).
    pub fn turn(&self, metric: Metric) -> Option<u32> {
        self.turns[metric as usize]
    }

    pub(crate) fn set(&mut self, metric: Metric, value: Option<i64>) {
        self.values[metric as usize] = value;
    }

    fn raise(&mut self, metric: Metric, value: i64, turn: usize) {
        if self.values[metric as usize].is_none_or(|v| value > v) {
            self.values[metric as usize] = Some(value);
            self.turns[metric as usize] = Some(turn as u32);
        }
    }
}

/// What the measures need to know of the words.
pub trait Marks {
    /// The agent asks the customer to wait in this turn.
    fn is_wait(&self, turn: usize) -> bool;
    /// The customer's turn needs no answer (thanks, acceptance, goodbye).
    fn needs_no_answer(&self, turn: usize) -> bool;
}

/// Measures the whole conversation, or the part of one agent (number in `layout`).
///
/// A round begins with the customer's first message after an agent's turn and ends with the first message a person
/// of the team sends after it; bots, auto-replies and system notices neither ask nor answer.
pub fn measure(conversation: &Conversation<'_>, layout: &Layout, agent: Option<usize>, marks: &dyn Marks) -> Measures {
    let mut out = Measures::default();
    let turns = &conversation.turns;
    let inside = |i: usize| agent.is_none() || layout.agent_at(i) == agent;
    let time = |i: usize| layout.time[i];
    // An utterance with an end is answered from its end on; a chat message from when it was sent.
    let end_time = |i: usize| match (turns[i].begin_ms, turns[i].end_ms) {
        (Some(begin), Some(end)) if turns[i].at.is_none() => Some(end.max(begin)),
        (Some(begin), Some(end)) => turns[i].at.map(|at| at + (end - begin).max(0)),
        _ => time(i),
    };
    let (mut agent_turns, mut customer_turns, mut agent_chars, mut customer_chars) = (0i64, 0i64, 0i64, 0i64);
    let (mut spoken_ms, mut spoken_chars, mut overlaps, mut timed) = (0i64, 0i64, 0i64, false);
    let (mut rounds, mut waited) = (0i64, 0i64);
    let (mut first_time, mut last_time): (Option<i64>, Option<i64>) = (None, None);
    let mut asked: Option<usize> = None;
    let mut open_questions = 0i64;
    let mut promised: Option<usize> = None;
    let mut previous: Option<usize> = None;
    let mut opening: Option<i64> = None;
    for (i, turn) in turns.iter().enumerate() {
        if !inside(i) {
            (asked, open_questions, promised, previous) = (None, 0, None, None);
            continue;
        }
        if let Some(t) = time(i) {
            first_time = Some(first_time.map_or(t, |f| f.min(t)));
            let t = end_time(i).unwrap_or(t);
            last_time = Some(last_time.map_or(t, |l| l.max(t)));
        }
        let counts = matches!(turn.role, Role::Agent | Role::Customer)
            && turn.kind != crate::conversation::Kind::AutoReply
            && turn.kind != crate::conversation::Kind::Recalled;
        if !counts {
            continue;
        }
        let chars = i64::from(layout.letters[i]);
        if let (Some(p), Some(now)) = (previous, time(i))
            && let Some(then) = end_time(p)
        {
            out.raise(Metric::Silence, (now - then).max(0), i);
            let interrupts = turn.role == Role::Agent
                && turns[p].role == Role::Customer
                && turns[p].end_ms.is_some()
                && turn.begin_ms.is_some();
            if interrupts {
                timed = true;
                // 300 ms of overlap are ordinary turn-taking.
                overlaps += i64::from(then - now > 300);
            }
        }
        match turn.role {
            Role::Customer => {
                customer_turns += 1;
                customer_chars += chars;
                if asked.is_none() {
                    asked = Some(i);
                }
                open_questions += i64::from(!marks.needs_no_answer(i));
            }
            _ => {
                agent_turns += 1;
                if opening.is_none() {
                    opening = time(i);
                }
                if turn.kind.is_words() {
                    agent_chars += chars;
                    if let (Some(begin), Some(end)) = (turn.begin_ms, turn.end_ms)
                        && end > begin
                    {
                        spoken_ms += end - begin;
                        spoken_chars += chars;
                    }
                }
                if let Some(question) = asked.take()
                    && let (Some(then), Some(now)) = (end_time(question), time(i))
                {
                    let wait = (now - then).max(0);
                    rounds += 1;
                    waited += wait;
                    if out.get(Metric::FirstResponse).is_none() {
                        out.raise(Metric::FirstResponse, wait, i);
                    }
                    out.raise(Metric::MaxResponse, wait, i);
                }
                open_questions = 0;
                if let Some(promise) = promised.take()
                    && let (Some(then), Some(now)) = (end_time(promise), time(i))
                {
                    out.raise(Metric::WaitAfterPromise, (now - then).max(0), i);
                }
                if turn.kind.is_words() && marks.is_wait(i) {
                    promised = Some(i);
                }
            }
        }
        previous = Some(i);
    }
    out.set(Metric::Turns, Some(agent_turns + customer_turns));
    out.set(Metric::AgentTurns, Some(agent_turns));
    out.set(Metric::CustomerTurns, Some(customer_turns));
    out.set(Metric::AgentChars, Some(agent_chars));
    out.set(Metric::CustomerChars, Some(customer_chars));
    out.set(Metric::Unanswered, Some(open_questions));
    let ratio = |a: i64, b: i64| (b > 0).then(|| (a * 1000 + b / 2) / b);
    out.set(Metric::TalkRatio, ratio(agent_chars, agent_chars + customer_chars));
    out.set(Metric::AnswerRatio, ratio(agent_turns, customer_turns));
    out.set(Metric::AvgResponse, (rounds > 0).then(|| (waited + rounds / 2) / rounds.max(1)));
    // A rate needs enough speech to mean anything.
    out.set(Metric::SpeechRate, (spoken_chars >= 10).then(|| spoken_chars * 60_000 / spoken_ms.max(1)));
    out.set(Metric::Interruptions, timed.then_some(overlaps));
    if let (Some(first), Some(last)) = (first_time, last_time)
        && last > first
    {
        let whole = agent.is_none();
        let start = if whole { conversation.started_at.map_or(first, |s| s.min(first)) } else { first };
        let end = if whole { conversation.ended_at.map_or(last, |e| e.max(last)) } else { last };
        let absolute = turns.iter().any(|t| t.at.is_some());
        out.set(Metric::Opening, opening.map(|o| (o - if absolute { start } else { first }).max(0)));
        out.set(Metric::HandleTime, Some(if absolute { end - start } else { last - first }));
        if absolute && agent.is_none_or(|a| layout.segments.last().is_some_and(|s| s.agent == a)) {
            out.set(Metric::HangupGap, conversation.ended_at.map(|e| (e - last).max(0)));
        }
    }
    out
}
