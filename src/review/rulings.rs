//! From all that people said to one ruling a finding: the highest authority speaks (appeal over adjudication over
//! reviews), and where equals disagree nothing is ruled until someone adjudicates.

use std::collections::{BTreeMap, BTreeSet};

use super::{CaseKey, Decision, FindingKey, Review, Round, Verdict};

/// How the name of a sample ends that takes an appeal to the higher instance. An appeal and its decision belong together
/// by their sample: a first decision corrected later does not answer the second appeal.
pub const HIGHER: &str = "-higher";

/// What stands about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// About what.
    pub finding: FindingKey,
    /// Confirmed, overturned or missed.
    pub verdict: Verdict,
    /// Whose word it is.
    pub round: Round,
    /// Who said so.
    pub reviewers: Vec<String>,
    /// What they wrote.
    pub comment: String,
}

/// What one reviewer says of a finding, with the capacity in which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// Who.
    pub reviewer: String,
    /// In which capacity.
    pub round: Round,
    /// What; `None`: looked at the case and did not see this fault, which others saw.
    pub verdict: Option<Verdict>,
    /// Why.
    pub comment: String,
}

impl Voice {
    /// True when it says the fault is there.
    pub fn is_real(&self) -> bool {
        self.verdict.is_some_and(Verdict::is_real)
    }
}

/// A case with all that was said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// By finding: who said what. Agents' appeals are not among them.
    pub voices: BTreeMap<FindingKey, Vec<Voice>>,
    /// Appeals the agent made: the finding and her reason.
    pub appeals: BTreeMap<FindingKey, (String, String)>,
    /// Findings appealed again after a decision.
    pub appealed_again: BTreeSet<FindingKey>,
    /// Findings the higher instance has decided; nothing is above it.
    pub decided_again: BTreeSet<FindingKey>,
    /// Everyone who has looked at the whole case (first and second reviews), in order of their names.
    pub reviewers: BTreeSet<String>,
}

/// Gathers reviews (the standing ones only) by case.
pub fn standing<'r>(reviews: impl IntoIterator<Item = &'r Review>) -> BTreeMap<CaseKey, Standing> {
    let mut by_case = BTreeMap::<CaseKey, Vec<&Review>>::new();
    reviews.into_iter().for_each(|r| by_case.entry(r.case.clone()).or_default().push(r));
    by_case.into_iter().map(|(key, reviews)| (key, of_case(&reviews))).collect()
}

fn of_case(reviews: &[&Review]) -> Standing {
    let mut out = Standing::default();
    for review in reviews {
        if review.round.authority() == 1 {
            out.reviewers.insert(review.reviewer.clone());
        }
        let higher = review.sample.ends_with(HIGHER);
        for Decision { finding, verdict, comment } in &review.decisions {
            if *verdict == Verdict::Appealed {
                if higher {
                    out.appealed_again.insert(finding.clone());
                } else if out.appealed_again.contains(finding) {
                    continue;
                }
                out.appeals.insert(finding.clone(), (review.reviewer.clone(), comment.clone()));
                continue;
            }
            let voice = Voice {
                reviewer: review.reviewer.clone(),
                round: review.round,
                verdict: Some(*verdict),
                comment: comment.clone(),
            };
            let voices = out.voices.entry(finding.clone()).or_default();
            if review.round == Round::Appeal {
                match (higher, out.decided_again.contains(finding)) {
                    // The higher instance takes the first one's place; the audit trail keeps both.
                    (true, false) => {
                        out.decided_again.insert(finding.clone());
                        voices.retain(|v| v.round != Round::Appeal);
                    }
                    (false, true) => continue,
                    _ => {}
                }
            }
            // The same person in two samples: what she said last.
            voices.retain(|v| (&v.reviewer, v.round.authority()) != (&voice.reviewer, voice.round.authority()));
            voices.push(voice);
        }
    }
    // Who looked at the whole case and did not see what someone else saw, says it is not there.
    let silent = |reviewer: &String| Voice {
        reviewer: reviewer.clone(),
        round: Round::First,
        verdict: None,
        comment: String::new(),
    };
    for voices in out.voices.values_mut() {
        for reviewer in &out.reviewers {
            if !voices.iter().any(|v| v.reviewer == *reviewer && v.round.authority() == 1) {
                voices.push(silent(reviewer));
            }
        }
        voices.sort_by(|a, b| (a.round, &a.reviewer).cmp(&(b.round, &b.reviewer)));
    }
    out
}

impl Standing {
    /// The ruling on a finding; `None` where nothing was said, or equals disagree.
    pub fn ruling(&self, finding: &FindingKey) -> Option<Ruling> {
        let voices = self.voices.get(finding)?;
        let highest = voices.iter().map(|v| v.round.authority()).max()?;
        let deciding: Vec<&Voice> = voices.iter().filter(|v| v.round.authority() == highest).collect();
        let real = deciding.first()?.is_real();
        if deciding.iter().any(|v| v.is_real() != real) {
            return None;
        }
        let spoken = deciding.iter().filter_map(|v| v.verdict);
        let missed = voices.iter().any(|v| v.verdict == Some(Verdict::Missed));
        let verdict = match real {
            true if missed => Verdict::Missed,
            true => Verdict::Confirmed,
            false => Verdict::Overturned,
        };
        spoken.count().gt(&0).then(|| Ruling {
            finding: finding.clone(),
            verdict,
            round: deciding.iter().map(|v| v.round).max().unwrap_or(Round::First),
            reviewers: deciding.iter().map(|v| v.reviewer.clone()).collect(),
            comment: deciding
                .iter()
                .map(|v| v.comment.as_str())
                .filter(|c| !c.is_empty())
                .collect::<Vec<_>>()
                .join(";"),
        })
    }

    /// All rulings.
    pub fn rulings(&self) -> Vec<Ruling> {
        self.voices.keys().filter_map(|finding| self.ruling(finding)).collect()
    }

    /// Findings equals disagree about and nobody above them has decided.
    pub fn disputed(&self) -> Vec<&FindingKey> {
        self.voices.keys().filter(|finding| self.ruling(finding).is_none()).collect()
    }

    /// The word of the instance that decided an appeal against this finding.
    pub fn decision(&self, finding: &FindingKey) -> Option<&Voice> {
        self.voices.get(finding)?.iter().find(|v| v.round == Round::Appeal)
    }

    /// Appeals nobody has decided yet, in the instance they are at: the finding, and the agent's reason.
    pub fn open_appeals(&self) -> Vec<(&FindingKey, &str)> {
        let decided = |finding: &FindingKey| match self.appealed_again.contains(finding) {
            true => self.decided_again.contains(finding),
            false => self.decision(finding).is_some(),
        };
        self.appeals.iter().filter(|(f, _)| !decided(f)).map(|(f, (_, why))| (f, why.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(reviewer: &str, round: Round, decisions: &[(&str, Verdict)]) -> Review {
        let decision = |(rule, verdict): &(&str, Verdict)| Decision {
            finding: FindingKey { rule: rule.to_string(), turn: 1 },
            verdict: *verdict,
            comment: String::new(),
        };
        Review {
            id: 0,
            sample: "s".into(),
            case: CaseKey { night: "n".into(), part: String::new(), conversation: "c".into(), agent: "a".into() },
            round,
            reviewer: reviewer.into(),
            at: String::new(),
            decisions: decisions.iter().map(decision).collect(),
        }
    }

    #[test]
    fn the_highest_authority_speaks_and_equals_must_agree() {
        use Round::*;
        use Verdict::*;
        let key = |rule: &str| FindingKey { rule: rule.into(), turn: 1 };
        let mut reviews = vec![
            review("甲", First, &[("x", Confirmed), ("y", Overturned), ("z", Missed)]),
            review("乙", Second, &[("x", Confirmed), ("y", Confirmed)]),
        ];
        let of = |reviews: &[Review], rule: &str| {
            standing(reviews).values().next().unwrap().ruling(&key(rule)).map(|r| (r.verdict, r.round))
        };
        assert_eq!(of(&reviews, "x"), Some((Confirmed, Second)));
        assert_eq!(of(&reviews, "y"), None);
        assert_eq!(of(&reviews, "z"), None, "乙 looked at the case and did not see it");
        assert_eq!(standing(&reviews).values().next().unwrap().disputed(), [&key("y"), &key("z")]);
        reviews.push(review("丙", Adjudicate, &[("y", Overturned), ("z", Confirmed)]));
        assert_eq!(of(&reviews, "y"), Some((Overturned, Adjudicate)));
        assert_eq!(of(&reviews, "z"), Some((Missed, Adjudicate)));
        reviews.push(review("a", Agent, &[("x", Appealed)]));
        assert_eq!(of(&reviews, "x"), Some((Confirmed, Second)), "an appeal by itself changes nothing");
        assert_eq!(standing(&reviews).values().next().unwrap().open_appeals().len(), 1);
        reviews.push(review("主管", Appeal, &[("x", Overturned)]));
        assert_eq!(of(&reviews, "x"), Some((Overturned, Appeal)));
        assert!(standing(&reviews).values().next().unwrap().open_appeals().is_empty());
    }

    #[test]
    fn the_higher_instance_takes_the_place_of_the_first() {
        use Round::*;
        use Verdict::*;
        let key = FindingKey { rule: "x".into(), turn: 1 };
        let again = |review: Review| Review { sample: format!("s{HIGHER}"), ..review };
        let mut reviews = vec![
            review("甲", First, &[("x", Confirmed)]),
            review("a", Agent, &[("x", Appealed)]),
            review("主管", Appeal, &[("x", Confirmed)]),
            again(review("a", Agent, &[("x", Appealed)])),
        ];
        let of = |reviews: &[Review]| {
            let standing = standing(reviews).into_values().next().unwrap();
            let ruling = standing.ruling(&key).unwrap();
            (ruling.verdict, ruling.reviewers.join("、"), standing.open_appeals().len())
        };
        assert_eq!(of(&reviews), (Confirmed, "主管".into(), 1), "until it is decided, the first decision stands");
        reviews.push(review("主管", Appeal, &[("x", Confirmed)]));
        assert_eq!(of(&reviews), (Confirmed, "主管".into(), 1), "the first instance said again is not the higher one");
        reviews.push(again(review("经理", Appeal, &[("x", Overturned)])));
        assert_eq!(of(&reviews), (Overturned, "经理".into(), 0));
        reviews.push(review("主管", Appeal, &[("x", Confirmed)]));
        assert_eq!(of(&reviews), (Overturned, "经理".into(), 0), "nothing below changes what the higher one decided");
    }
}
