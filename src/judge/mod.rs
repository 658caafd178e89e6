//! Judging: a conversation, its hits and measures against the rules of a pack. Pure; cannot fail.
//!
//! Every rule is judged for every agent of the conversation over her own segments. The outcome of a rule is one of
//! three: not applicable (nothing made it due), passed, or found (with findings that each carry their evidence).

mod evaluate;
mod finding;
mod gates;
mod repeat;
mod why;
mod window;

pub use evaluate::Anchor;
pub use finding::{Finding, Fulfilled, Outcome};
pub use gates::Gates;
pub use repeat::Repeats;
pub use why::shown;

use std::ops::Range;

use crate::conversation::{Conversation, Role};
use crate::detect::Detector;
use crate::detect::hit::Hits;
use crate::layout::Layout;
use crate::metrics::Measures;
use crate::pack::Pack;
use crate::pack::rule::{Demand, Rule, SegmentChoice, TriggerChoice};
use crate::span::Span;
use crate::trace::{NoTrace, Step, Trace};
use evaluate::{Scope, Truth};

/// Language of the sentences written into findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// Everything a judgement looks at.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    /// The conversation.
    pub conversation: &'c Conversation<'c>,
    /// Where its turns stand.
    pub layout: &'c Layout,
    /// What was detected.
    pub hits: &'c Hits,
    /// Which rules that can make due.
    pub gates: &'c Gates,
    /// The detector, for the texts that explain hits.
    pub detector: &'c Detector,
    /// Similar messages.
    pub repeats: &'c Repeats,
    /// Measures of each agent's part, by agent number.
    pub measures: &'c [Measures],
    /// Hour and date the contact began, local.
    pub began: Option<jiff::civil::DateTime>,
    /// Agent and customer seem to have changed places in the export.
    pub swapped: bool,
    /// Language of the sentences.
    pub lang: Lang,
    /// Mask personal data in what they quote.
    pub mask: bool,
}

impl<'c> Case<'c> {
    /// The turns of an agent's segments.
    fn segments(&self, agent: usize) -> impl Iterator<Item = Range<usize>> + 'c {
        self.layout.segments.iter().filter(move |s| s.agent == agent).map(|s| s.turns.clone())
    }
}

/// The outcome of every rule for one agent of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentJudgement {
    /// Outcome of each rule, by number.
    pub outcomes: Vec<Outcome>,
    /// Findings, by rule and turn.
    pub findings: Vec<Finding>,
    /// Duties that became due and were fulfilled.
    pub fulfilled: Vec<Fulfilled>,
}

/// Judges one agent of a conversation by all rules of a pack.
pub fn judge(pack: &Pack, case: &Case<'_>, agent: usize) -> AgentJudgement {
    judge_traced(pack, case, agent, &mut NoTrace)
}

/// Judges as [`judge`] does and tells `trace` every step.
pub fn judge_traced<T: Trace>(pack: &Pack, case: &Case<'_>, agent: usize, trace: &mut T) -> AgentJudgement {
    let mut out =
        AgentJudgement { outcomes: vec![Outcome::NotApplicable; pack.rules.len()], ..AgentJudgement::default() };
    let own: Vec<Range<usize>> = case.segments(agent).collect();
    for &number in &pack.rule_order {
        let rule = &pack.rules[number];
        if rule.off {
            trace.step(agent, number, || Step::Off);
            continue;
        }
        // A trace tells why a rule was not due.
        if !T::ON && !case.gates.open(number, case.hits) {
            continue;
        }
        if let (Some((wanted, _)), Some(other)) = (&rule.after_rule, rule.after_rule_index)
            && (out.outcomes[other] == Outcome::Found) != *wanted
        {
            trace.step(agent, number, || Step::Waits { other, wanted: *wanted });
            continue;
        }
        let before = out.findings.len();
        let outcome = judge_rule(pack, number, case, (agent, &own), &mut out.findings, &mut out.fulfilled, trace);
        out.outcomes[number] = outcome;
        cap(rule, &mut out.findings[before..]);
    }
    out.findings.sort_by_key(|f| (f.turn, f.span, f.rule));
    out
}

/// Limits what a rule's findings cost together; those past the cap stay as evidence at no cost.
pub fn cap(rule: &Rule, findings: &mut [Finding]) {
    let mut left = rule.cap;
    for finding in findings {
        let size = finding.points.abs().min(left);
        finding.capped = size < finding.points.abs();
        left -= size;
        finding.points = size * finding.points.signum();
    }
}

fn judge_rule<T: Trace>(
    pack: &Pack,
    number: usize,
    case: &Case<'_>,
    (agent, own): (usize, &[Range<usize>]),
    findings: &mut Vec<Finding>,
    done: &mut Vec<Fulfilled>,
    trace: &mut T,
) -> Outcome {
    let rule = &pack.rules[number];
    if !in_force(rule, case) {
        trace.step(agent, number, || Step::NotInForce);
        return Outcome::NotApplicable;
    }
    if !chosen(rule, case, agent) {
        trace.step(agent, number, || Step::OtherAgent);
        return Outcome::NotApplicable;
    }
    let scope = Scope { case, agent, ranges: own };
    if let Some(applies) = &rule.applies
        && let truth @ (Truth::False | Truth::Unknown) = scope.truth(applies)
    {
        let unknown = truth == Truth::Unknown;
        trace.step(agent, number, || Step::NotApplied { unknown, facts: scope.facts(applies) });
        return Outcome::NotApplicable;
    }
    let triggers = match &rule.when {
        None => vec![None],
        Some(when) => match scope.anchors(when) {
            None => {
                trace.step(agent, number, || Step::NotTriggered { facts: scope.facts(when) });
                return Outcome::NotApplicable;
            }
            Some(anchors) if anchors.is_empty() => vec![None],
            Some(mut anchors) => {
                anchors.sort_unstable();
                anchors.dedup_by_key(|a| a.turn);
                match rule.trigger {
                    TriggerChoice::First => vec![anchors.first().copied()],
                    TriggerChoice::Last => vec![anchors.last().copied()],
                    TriggerChoice::Each => anchors.into_iter().map(Some).collect(),
                }
            }
        },
    };
    let mut judged = false;
    let before = findings.len();
    let writer = Writer { pack, number, rule, case, agent };
    for trigger in triggers {
        trace.step(agent, number, || Step::Trigger(trigger));
        match &rule.demand {
            Demand::Limit { metric, min, max } => {
                let value = case.measures[agent].get(*metric);
                trace.step(agent, number, || Step::Measured(value));
                let Some(value) = value else { continue };
                judged = true;
                if max.is_some_and(|m| value > m) || min.is_some_and(|m| value < m) {
                    let turn = case.measures[agent].turn(*metric).map(|t| t as usize);
                    let turn = turn.or_else(|| first_agent_turn(case, own)).unwrap_or(own[0].start);
                    let why = why::limit(case.lang, *metric, value, *min, *max);
                    findings.push(writer.finding(turn, None, why));
                }
            }
            Demand::Require(expr) => {
                let window = window::turns(rule, case, own, trigger.map(|t| t.turn as usize));
                let ranges = [window.clone()];
                let scope = Scope {
                    case,
                    agent,
                    ranges: if rule.within.is_none() && trigger.is_none() { own } else { &ranges },
                };
                trace.step(agent, number, || Step::Window(scope.ranges.to_vec()));
                let fulfilled = match scope.truth(expr) {
                    Truth::Unknown => {
                        trace.step(agent, number, || Step::Required(None, Vec::new()));
                        continue;
                    }
                    truth => truth == Truth::True,
                };
                trace.step(agent, number, || Step::Required(Some(fulfilled), scope.anchors(expr).unwrap_or_default()));
                judged = true;
                if rule.points > 0 {
                    if fulfilled {
                        let place = scope.anchors(expr).unwrap_or_default().into_iter().min();
                        let turn = place.map_or(own[0].start, |a| a.turn as usize);
                        let why = why::bonus(case.lang, rule);
                        findings.push(writer.finding(turn, place.and_then(|a| a.hit), why));
                    }
                } else if !fulfilled {
                    let answered = window.clone().any(|t| case.conversation.turns[t].role == Role::Agent);
                    let (turn, hit) = match trigger {
                        Some(anchor) => (anchor.turn as usize, anchor.hit),
                        None => (first_agent_turn(case, own).unwrap_or(own[0].start), None),
                    };
                    let why = why::require(case, pack, rule, expr, trigger, answered);
                    findings.push(writer.finding(turn, hit, why));
                } else if let Some(trigger) = trigger {
                    let agents_turn = |a: &evaluate::Anchor| {
                        let turn = a.turn as usize;
                        case.conversation.turns[turn].role == Role::Agent && case.layout.agent_at(turn) == Some(agent)
                    };
                    let place = scope.anchors(expr).unwrap_or_default().into_iter().filter(agents_turn).min();
                    done.extend(place.map(|p| Fulfilled { rule: number, trigger: trigger.turn, turn: p.turn }));
                }
            }
            Demand::Forbid(expr) => {
                let ranges = match (trigger, &rule.within) {
                    (None, None) => own.to_vec(),
                    (trigger, _) => {
                        let window = window::turns(rule, case, own, trigger.map(|t| t.turn as usize));
                        clip(own, &window)
                    }
                };
                judged = true;
                let scope = Scope { case, agent, ranges: &ranges };
                let anchors = scope.anchors(expr);
                trace.step(agent, number, || Step::Window(ranges.clone()));
                trace.step(agent, number, || Step::Forbidden(anchors.clone()));
                let Some(mut anchors) = anchors else { continue };
                anchors.sort_unstable();
                anchors.dedup_by_key(|a| a.turn);
                if anchors.is_empty() {
                    let turn = first_agent_turn(case, own).unwrap_or(own[0].start);
                    findings.push(writer.finding(turn, None, why::forbid(case, pack, rule, None, trigger)));
                }
                for anchor in anchors {
                    let turn = anchor.turn as usize;
                    if findings[before..].iter().any(|f| f.turn == anchor.turn) {
                        continue;
                    }
                    let why = why::forbid(case, pack, rule, Some(anchor), trigger);
                    findings.push(writer.finding(turn, anchor.hit, why));
                }
            }
        }
    }
    // What only a person can settle is neither found nor passed.
    let made = &findings[before..];
    if !made.is_empty() && !rule.review_only && made.iter().all(|f| f.review) {
        return Outcome::NotApplicable;
    }
    match (findings.len() > before, judged) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::Passed,
        (false, false) => Outcome::NotApplicable,
    }
}

fn in_force(rule: &Rule, case: &Case<'_>) -> bool {
    let Some(began) = case.began else { return true };
    rule.from.is_none_or(|from| began.date() >= from) && rule.to.is_none_or(|to| began.date() < to)
}

fn chosen(rule: &Rule, case: &Case<'_>, agent: usize) -> bool {
    let segments = &case.layout.segments;
    match rule.segment {
        SegmentChoice::Any => segments.iter().any(|s| s.agent == agent),
        SegmentChoice::First => segments.first().is_some_and(|s| s.agent == agent),
        SegmentChoice::Last => segments.last().is_some_and(|s| s.agent == agent),
    }
}

fn clip(own: &[Range<usize>], window: &Range<usize>) -> Vec<Range<usize>> {
    own.iter().map(|r| r.start.max(window.start)..r.end.min(window.end)).filter(|r| r.start < r.end).collect()
}

fn first_agent_turn(case: &Case<'_>, own: &[Range<usize>]) -> Option<usize> {
    own.iter().flat_map(Clone::clone).find(|t| {
        let turn = &case.conversation.turns[*t];
        turn.role == Role::Agent && turn.kind.is_words()
    })
}

struct Writer<'w> {
    pack: &'w Pack,
    number: usize,
    rule: &'w Rule,
    case: &'w Case<'w>,
    agent: usize,
}

impl Writer<'_> {
    fn finding(&self, turn: usize, hit: Option<u32>, why: String) -> Finding {
        let text = &self.case.conversation.turns[turn].text;
        let (span, phrase) = match hit.map(|h| &self.case.hits.list[h as usize]) {
            Some(hit) => (hit.span, self.case.detector.phrase(hit).to_string()),
            None => (Span::new(0, text.len()), String::new()),
        };
        let sure = |least: u32| {
            let confidence = self.case.conversation.turns[turn].confidence;
            confidence.is_none_or(|c| (c * 1000.0) as u32 >= least)
        };
        let learnt = hit.is_some_and(|h| self.case.detector.is_doubtful(&self.case.hits.list[h as usize]));
        let doubtful = learnt || self.case.swapped || !self.pack.review.min_confidence.is_none_or(sure);
        let review = self.rule.review_only || doubtful;
        debug_assert!(self.number < self.pack.rules.len());
        Finding {
            rule: self.number,
            agent: self.agent,
            points: if review { 0 } else { self.rule.points },
            capped: false,
            review,
            turn: turn as u32,
            span,
            phrase,
            why,
        }
    }
}
