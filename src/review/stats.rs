//! How good the machine is and how far people agree, from standing reviews.
//!
//! Precision and recall are estimated from random (or stratified) samples only, each case weighted by how many it stands
//! for; figures of targeted samples are shown apart and stand for themselves. A finding counts once it has a ruling;
//! agreement compares what people said before anyone decided between them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::agreement::{Estimate, Label, cohen, fleiss, krippendorff, raw, weighted_share, with_interval};
use super::case::Case;
use super::plan::Kind;
use super::rulings::{Standing, Voice};
use super::{CaseKey, FindingKey, Verdict};

/// A case that someone has reviewed.
#[derive(Debug, Clone)]
pub struct Reviewed<'r> {
    /// Its name.
    pub key: &'r CaseKey,
    /// As the machine judged.
    pub case: &'r Case,
    /// What was said.
    pub standing: &'r Standing,
    /// The samples it was drawn into, with the weight it has there (cases it stands for).
    pub samples: Vec<(Kind, f64)>,
}

/// A reviewed case as it comes from the store.
#[derive(Debug, Clone)]
pub struct ReviewedCase {
    /// Its name.
    pub key: CaseKey,
    /// As it was judged.
    pub case: Case,
    /// What was said.
    pub standing: Standing,
    /// Kinds of samples it was drawn into, with the cases it stands for there.
    pub samples: Vec<(Kind, f64)>,
}

impl ReviewedCase {
    /// As statistics take it.
    pub fn view(&self) -> Reviewed<'_> {
        Reviewed { key: &self.key, case: &self.case, standing: &self.standing, samples: self.samples.clone() }
    }
}

/// The cases of some nights that someone has reviewed.
#[derive(Debug, Clone, Default)]
pub struct ReviewedCases {
    /// Those judged by the same pack as their night is now.
    pub cases: Vec<ReviewedCase>,
    /// Those whose night has been judged by another pack since: their scores cannot be told before `rescore`.
    pub stale: Vec<CaseKey>,
}

impl Reviewed<'_> {
    fn weight(&self, kind: Kind) -> Option<f64> {
        self.samples.iter().find(|s| s.0 == kind).map(|s| s.1)
    }

    fn found(&self) -> impl Iterator<Item = FindingKey> {
        self.case.findings.iter().map(|f| f.key())
    }
}

/// How often a rule is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleQuality {
    /// The rule.
    pub rule: String,
    /// Findings confirmed.
    pub confirmed: u64,
    /// Findings overturned.
    pub overturned: u64,
    /// Faults the machine missed.
    pub missed: u64,
    /// Share of its findings that are right, with Wilson's interval.
    pub precision: Option<Estimate>,
    /// Estimated share of the real faults that it finds; random and stratified samples only.
    pub recall: Option<Estimate>,
}

/// Two that labelled the same things.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairAgreement {
    /// One.
    pub a: String,
    /// The other; 机器 is the machine.
    pub b: String,
    /// Things both labelled.
    pub n: u64,
    /// Share with the same label.
    pub raw: f64,
    /// Cohen's kappa.
    pub kappa: Option<Estimate>,
}

/// How a reviewer stands to what was decided in the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grade {
    /// Who.
    pub reviewer: String,
    /// Her verdicts that someone else's word could be held against.
    pub n: u64,
    /// Share that stood.
    pub right: Option<Estimate>,
    /// Said 误判 (or did not see it) where the fault is real.
    pub lenient: u64,
    /// Said 确认 or 漏判 where it is not.
    pub strict: u64,
}

/// A night's precision, for drift.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The night.
    pub night: String,
    /// Precision of all rules together.
    pub precision: Option<Estimate>,
    /// Raw agreement of people who looked at the same.
    pub agreement: Option<f64>,
    /// The interval lies wholly apart from that of the first night.
    pub moved: bool,
}

/// Everything `review stats` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Cases with a review.
    pub cases: u64,
    /// By kind of sample: rules, those with most findings judged first.
    pub rules: BTreeMap<&'static str, Vec<RuleQuality>>,
    /// Findings seen by two or more people.
    pub shared: u64,
    /// Raw agreement of all pairs of people on them.
    pub raw: Option<f64>,
    /// Fleiss' kappa, over the items that everyone labelled.
    pub fleiss: Option<Estimate>,
    /// Krippendorff's alpha (nominal, missing labels allowed).
    pub alpha: Option<Estimate>,
    /// Reviewer against reviewer.
    pub reviewers: Vec<PairAgreement>,
    /// Reviewer against the machine, over every rule that was due in a case.
    pub machine: Vec<PairAgreement>,
    /// Grade the grader.
    pub grades: Vec<Grade>,
    /// By night.
    pub drift: Vec<Drift>,
    /// Findings people disagree about and nobody has decided.
    pub disputed: u64,
    /// Appeals without a decision.
    pub appeals: u64,
}

/// Rules by how often they were right in samples of a kind.
pub fn quality(reviewed: &[Reviewed<'_>], kind: Kind) -> Vec<RuleQuality> {
    #[derive(Default)]
    struct Sum {
        counts: [u64; 3],
        precision: Vec<(f64, bool)>,
        recall: Vec<(f64, bool)>,
    }
    let mut rules = BTreeMap::<String, Sum>::new();
    for case in reviewed {
        let Some(weight) = case.weight(kind) else { continue };
        let found: BTreeSet<FindingKey> = case.found().collect();
        for ruling in case.standing.rulings() {
            let sum = rules.entry(ruling.finding.rule.clone()).or_default();
            let real = ruling.verdict.is_real();
            if found.contains(&ruling.finding) {
                sum.counts[usize::from(!real)] += 1;
                sum.precision.push((weight, real));
                if real {
                    sum.recall.push((weight, true));
                }
            } else if real {
                sum.counts[2] += 1;
                sum.recall.push((weight, false));
            }
        }
    }
    let estimates = matches!(kind, Kind::Random | Kind::Stratified);
    let mut out: Vec<RuleQuality> = rules
        .into_iter()
        .map(|(rule, sum)| RuleQuality {
            rule,
            confirmed: sum.counts[0],
            overturned: sum.counts[1],
            missed: sum.counts[2],
            precision: weighted_share(&sum.precision),
            recall: if estimates { weighted_share(&sum.recall) } else { None },
        })
        .filter(|q| q.confirmed + q.overturned + q.missed > 0)
        .collect();
    out.sort_by(|a, b| {
        let judged = |q: &RuleQuality| q.confirmed + q.overturned + q.missed;
        judged(b).cmp(&judged(a)).then_with(|| a.rule.cmp(&b.rule))
    });
    out
}

/// What people who looked at the same said of it: for each finding, reviewer and label. Only first and second reviews.
fn labels(case: &Reviewed<'_>) -> Vec<BTreeMap<String, Label>> {
    if case.standing.reviewers.len() < 2 {
        return Vec::new();
    }
    let peers = |voices: &Vec<Voice>| -> BTreeMap<String, Label> {
        let equals = voices.iter().filter(|v| v.round.authority() == 1);
        equals.map(|v| (v.reviewer.clone(), Label::from(v.is_real()))).collect()
    };
    case.standing.voices.values().map(peers).filter(|row| row.len() > 1).collect()
}

/// All figures.
pub fn stats(reviewed: &[Reviewed<'_>]) -> Stats {
    let items: Vec<BTreeMap<String, Label>> = reviewed.iter().flat_map(labels).collect();
    let people: BTreeSet<&String> = items.iter().flat_map(BTreeMap::keys).collect();
    let people: Vec<&String> = people.into_iter().collect();
    let rows: Vec<Vec<Option<Label>>> =
        items.iter().map(|row| people.iter().map(|p| row.get(*p).copied()).collect()).collect();
    let whole: Vec<Vec<u32>> = rows
        .iter()
        .filter(|row| row.iter().all(Option::is_some))
        .map(|row| {
            let yes = row.iter().flatten().map(|l| u32::from(*l)).sum::<u32>();
            vec![row.len() as u32 - yes, yes]
        })
        .collect();
    let kinds = [Kind::Random, Kind::Stratified, Kind::Targeted, Kind::Appeal];
    let rules = kinds.map(|k| (k.id(), quality(reviewed, k))).into_iter().filter(|(_, q)| !q.is_empty());
    Stats {
        cases: reviewed.len() as u64,
        rules: rules.collect(),
        shared: items.len() as u64,
        raw: raw(&pairs_of(&items)),
        fleiss: with_interval(&whole, fleiss),
        alpha: with_interval(&rows, krippendorff),
        reviewers: between(&people, &items),
        machine: against_machine(reviewed),
        grades: grades(reviewed),
        drift: drift(reviewed),
        disputed: reviewed.iter().map(|r| r.standing.disputed().len() as u64).sum(),
        appeals: reviewed.iter().map(|r| r.standing.open_appeals().len() as u64).sum(),
    }
}

/// Every pair of labels of one thing.
fn pairs_of(items: &[BTreeMap<String, Label>]) -> Vec<(Label, Label)> {
    let mut out = Vec::new();
    for row in items {
        let all: Vec<Label> = row.values().copied().collect();
        for (n, a) in all.iter().enumerate() {
            out.extend(all[n + 1..].iter().map(|b| (*a, *b)));
        }
    }
    out
}

fn between(people: &[&String], items: &[BTreeMap<String, Label>]) -> Vec<PairAgreement> {
    let mut out = Vec::new();
    for (n, a) in people.iter().enumerate() {
        for b in &people[n + 1..] {
            let both = |row: &BTreeMap<String, Label>| Some((*row.get(*a)?, *row.get(*b)?));
            let pairs: Vec<_> = items.iter().filter_map(both).collect();
            out.extend(pair(a, b, &pairs));
        }
    }
    out
}

fn pair(a: &str, b: &str, pairs: &[(Label, Label)]) -> Option<PairAgreement> {
    let raw = raw(pairs)?;
    Some(PairAgreement { a: a.into(), b: b.into(), n: pairs.len() as u64, raw, kappa: cohen(pairs) })
}

/// Over every rule that was due in a case the reviewer looked at: did she see the fault, did the machine?
fn against_machine(reviewed: &[Reviewed<'_>]) -> Vec<PairAgreement> {
    let mut by_person = BTreeMap::<&String, Vec<(Label, Label)>>::new();
    for case in reviewed {
        let found: BTreeSet<&String> = case.case.findings.iter().map(|f| &f.rule).collect();
        for person in &case.standing.reviewers {
            let mut seen = BTreeMap::<&String, bool>::new();
            for (finding, voices) in &case.standing.voices {
                let own = voices.iter().find(|v| v.reviewer == *person && v.round.authority() == 1);
                if let Some(own) = own {
                    *seen.entry(&finding.rule).or_default() |= own.is_real();
                }
            }
            let all: BTreeSet<&String> =
                case.case.due.keys().chain(found.iter().copied()).chain(seen.keys().copied()).collect();
            let pairs = by_person.entry(person).or_default();
            for rule in all {
                let person = seen.get(rule).copied().unwrap_or(false);
                pairs.push((Label::from(person), Label::from(found.contains(rule))));
            }
        }
    }
    by_person.into_iter().filter_map(|(person, pairs)| pair(person, "机器", &pairs)).collect()
}

/// A reviewer's verdicts and whether they stood, how often too lenient, how often too strict.
type Graded = (Vec<(f64, bool)>, u64, u64);

/// Verdicts of reviewers against the ruling, where more than their own word went into it.
fn grades(reviewed: &[Reviewed<'_>]) -> Vec<Grade> {
    let mut by_person = BTreeMap::<&String, Graded>::new();
    for case in reviewed {
        for (finding, voices) in &case.standing.voices {
            let Some(ruling) = case.standing.ruling(finding) else { continue };
            let real = ruling.verdict.is_real();
            for voice in voices.iter().filter(|v| v.round.authority() == 1) {
                if !voices.iter().any(|v| v.reviewer != voice.reviewer) {
                    continue;
                }
                let (cases, lenient, strict) = by_person.entry(&voice.reviewer).or_default();
                cases.push((1.0, voice.is_real() == real));
                *lenient += u64::from(real && !voice.is_real());
                *strict += u64::from(!real && voice.is_real());
            }
        }
    }
    let grade = |(reviewer, (cases, lenient, strict)): (&String, Graded)| Grade {
        reviewer: reviewer.clone(),
        n: cases.len() as u64,
        right: weighted_share(&cases),
        lenient,
        strict,
    };
    by_person.into_iter().map(grade).collect()
}

fn drift(reviewed: &[Reviewed<'_>]) -> Vec<Drift> {
    type Night = (Vec<(f64, bool)>, Vec<BTreeMap<String, Label>>);
    let mut nights = BTreeMap::<&String, Night>::new();
    for case in reviewed {
        let (cases, items) = nights.entry(&case.key.night).or_default();
        items.extend(labels(case));
        let Some(weight) = case.weight(Kind::Random) else { continue };
        let found: BTreeSet<FindingKey> = case.found().collect();
        let judged = case.standing.rulings().into_iter().filter(|r| found.contains(&r.finding));
        cases.extend(judged.map(|r| (weight, r.verdict != Verdict::Overturned)));
    }
    let mut out: Vec<Drift> = nights
        .into_iter()
        .map(|(night, (cases, items))| Drift {
            night: night.clone(),
            precision: weighted_share(&cases),
            agreement: raw(&pairs_of(&items)),
            moved: false,
        })
        .collect();
    if let Some(first) = out.iter().find_map(|d| d.precision) {
        for night in &mut out {
            night.moved = night.precision.is_some_and(|p| p.high < first.low || p.low > first.high);
        }
    }
    out
}
