//! What rulings do to scores: a finding judged 误判 is taken away, one the machine missed is added, one it was unsure of
//! counts once confirmed, and the agent's score is made anew by the pack's own scorecard. Sums of a night change by the
//! exact difference, so that machine figures stay and reviewed ones stand beside them.

use std::collections::BTreeSet;

use super::FindingKey;
use super::case::Case;
use super::rulings::Ruling;
use crate::judge::{AgentJudgement, Finding, Outcome, cap};
use crate::pack::Pack;
use crate::score::{AgentScore, Aggregate, score};
use crate::span::Span;

/// A case before and after review.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// As the machine judged.
    pub before: (AgentJudgement, AgentScore),
    /// After review; `None` when nothing is applicable any more.
    pub after: Option<(AgentJudgement, AgentScore)>,
}

/// Applies rulings to a case. `None` when `pack` is not the one the case was judged by (a rule is gone, or the score does
/// not come out as stored).
///
/// Rules that wait for another rule's finding leave with it; that a rule becomes due by a finding's leaving cannot be told
/// without the transcript and is not.
pub fn apply(pack: &Pack, case: &Case, rulings: &[Ruling]) -> Option<Change> {
    let machine = case.judgement(pack)?;
    let before = score(pack, &machine)?;
    if (before.score, before.raw) != (case.score, case.raw) {
        return None;
    }
    let ruling = |rule: &str, turn: u32| rulings.iter().find(|r| r.finding.rule == rule && r.finding.turn == turn);
    let mut judgement = AgentJudgement { fulfilled: machine.fulfilled.clone(), ..AgentJudgement::default() };
    let mut settled = BTreeSet::<usize>::new();
    for finding in &machine.findings {
        let rule = &pack.rules[finding.rule];
        let mut finding = finding.clone();
        match ruling(&rule.id, finding.turn) {
            Some(ruling) if !ruling.verdict.is_real() => {
                settled.insert(finding.rule);
                continue;
            }
            // What the machine left to a person counts once she has confirmed it; rules on trial cost nothing even then.
            Some(_) if finding.review && !rule.review_only => finding.review = false,
            _ => {}
        }
        finding.points = if finding.review { 0 } else { rule.points };
        judgement.findings.push(finding);
    }
    let known: BTreeSet<FindingKey> = case.findings.iter().map(|f| f.key()).collect();
    for ruling in rulings.iter().filter(|r| r.verdict.is_real() && !known.contains(&r.finding)) {
        // A rule that the pack has no more costs nothing by it.
        let Some(number) = pack.rule(&ruling.finding.rule) else { continue };
        let rule = &pack.rules[number];
        judgement.findings.push(Finding {
            rule: number,
            agent: case.number,
            points: if rule.review_only { 0 } else { rule.points },
            capped: false,
            review: rule.review_only,
            turn: ruling.finding.turn,
            span: Span::new(0, 0),
            phrase: String::new(),
            why: ruling.comment.clone(),
        });
    }
    judgement.findings.sort_by_key(|f| (f.turn, f.span, f.rule));
    outcomes(pack, &machine, &settled, &mut judgement);
    for number in 0..pack.rules.len() {
        let mut left = std::mem::take(&mut judgement.findings);
        let mut own: Vec<Finding> = left.extract_if(.., |f| f.rule == number).collect();
        cap(&pack.rules[number], &mut own);
        left.extend(own);
        judgement.findings = left;
    }
    judgement.findings.sort_by_key(|f| (f.turn, f.span, f.rule));
    let after = score(pack, &judgement).map(|score| (judgement, score));
    Some(Change { before: (machine, before), after })
}

/// The outcome of every rule after review, those that wait for others after them.
fn outcomes(pack: &Pack, machine: &AgentJudgement, settled: &BTreeSet<usize>, out: &mut AgentJudgement) {
    out.outcomes = vec![Outcome::NotApplicable; pack.rules.len()];
    for &number in &pack.rule_order {
        let rule = &pack.rules[number];
        let mut due = machine.outcomes[number] != Outcome::NotApplicable || settled.contains(&number);
        if let (Some((wanted, _)), Some(other)) = (&rule.after_rule, rule.after_rule_index)
            && (out.outcomes[other] == Outcome::Found) != *wanted
        {
            // It left with the rule it waited for; what a person added stays.
            let machine_made = |f: &Finding| f.rule == number && machine.findings.iter().any(|m| same(m, f));
            out.findings.retain(|f| !machine_made(f));
            due = false;
        }
        let own = || out.findings.iter().filter(|f| f.rule == number);
        out.outcomes[number] = match own().count() {
            0 if due => Outcome::Passed,
            0 => Outcome::NotApplicable,
            _ if rule.review_only || own().any(|f| !f.review) => Outcome::Found,
            _ => Outcome::NotApplicable,
        };
    }
}

fn same(a: &Finding, b: &Finding) -> bool {
    (a.rule, a.turn, a.span) == (b.rule, b.turn, b.span)
}

/// Puts the reviewed case in the place of the machine's in the sums of its night.
pub fn replace(pack: &Pack, aggregate: &mut Aggregate, case: &Case, change: &Change) {
    let before = (&change.before.1, &change.before.0);
    let after = change.after.as_ref().map(|(judgement, score)| (score, judgement));
    for totals in [Some(&mut aggregate.all), aggregate.agents.get_mut(&case.agent)].into_iter().flatten() {
        totals.replace(pack, before, after, &case.kind);
    }
    aggregate.recount_channel(&case.channel, &change.before.0.outcomes, after.map(|a| &a.1.outcomes[..]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Conversation, Role, Turn};
    use crate::engine::{Engine, EngineOptions, Scratch};
    use crate::metrics::Measures;
    use crate::review::{Round, Verdict};
    use crate::score::aggregate::{AgentTotals, Counted};

    /// A conversation with a critical and other findings, judged by the default pack.
    fn case(engine: &Engine) -> Case {
        let conversation = Conversation {
            id: "C1".into(),
            agent_id: Some("a01".into()),
            turns: vec![
                Turn::new(Role::Customer, "等了三天还没发货,太差劲了"),
                Turn::new(Role::Agent, "订单号发我"),
                Turn::new(Role::Customer, "能便宜点吗"),
                Turn::new(Role::Agent, "加我微信聊"),
            ],
            ..Conversation::default()
        };
        let mut scratch = Scratch::default();
        let inspection = engine.inspect(&conversation, &mut scratch);
        Case::of(engine, &conversation, inspection, true).remove(0)
    }

    fn ruling(rule: &str, turn: u32, verdict: Verdict) -> Ruling {
        let finding = FindingKey { rule: rule.into(), turn };
        Ruling { finding, verdict, round: Round::First, reviewers: vec!["甲".into()], comment: String::new() }
    }

    fn totals(pack: &Pack, case: &(AgentJudgement, AgentScore)) -> AgentTotals {
        let mut out = AgentTotals::default();
        let measures = &Measures::default();
        let counted =
            Counted { score: &case.1, judgement: &case.0, measures, rating: None, satisfaction: None, kind: "//" };
        out.count(pack, &counted);
        out
    }

    #[test]
    fn rulings_change_the_score_and_the_sums_by_the_exact_difference() {
        let engine = Engine::new(Pack::default_pack().unwrap(), EngineOptions::default()).unwrap();
        let pack = engine.pack();
        let case = case(&engine);
        assert!(case.critical && case.score == 0);
        let same = apply(pack, &case, &[]).unwrap();
        assert_eq!(same.after.as_ref().unwrap().1, same.before.1, "nothing said, nothing changes");
        let confirmed = ruling("off-platform", 3, Verdict::Confirmed);
        assert_eq!(apply(pack, &case, &[confirmed]).unwrap().after.unwrap().1, same.before.1);

        let overturned = ruling("off-platform", 3, Verdict::Overturned);
        let better = apply(pack, &case, std::slice::from_ref(&overturned)).unwrap();
        let after = better.after.clone().unwrap();
        assert!(!after.1.critical && after.1.score > 0 && after.1.score >= case.raw, "{:?}", after.1);
        assert_eq!(
            after.0.outcomes[pack.rule("off-platform").unwrap()],
            Outcome::Passed,
            "it was due and nothing is left"
        );

        // A miss costs what the rule costs; taking the overturned one away and adding it again is the machine's score.
        let missed = ruling("abuse", 1, Verdict::Missed);
        let worse = apply(pack, &case, &[overturned, missed]).unwrap().after.unwrap();
        assert!(worse.1.critical && worse.1.score == 0);

        let mut sums = totals(pack, &better.before);
        let after = (&after.1, &after.0);
        sums.replace(pack, (&better.before.1, &better.before.0), Some(after), "//");
        assert_eq!(sums, totals(pack, better.after.as_ref().unwrap()));
        sums.replace(pack, after, Some((&better.before.1, &better.before.0)), "//");
        assert_eq!(sums, totals(pack, &better.before));

        // A score that does not come out was made by another pack.
        assert!(apply(pack, &Case { raw: case.raw - 1, ..case }, &[]).is_none());
    }
}
