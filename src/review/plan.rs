//! Which conversations people look at. Drawing is by a hash of the seed and the conversation's own id: the same seed draws
//! the same cases whatever the order of the input, and a larger sample of the same seed contains the smaller one.
//!
//! Random and stratified samples carry for each case how many it stands for, so that figures of the whole night can be
//! estimated; a targeted sample finds, and estimates nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How a sample was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// So many of each agent, blindly.
    Random,
    /// So many spread over agent, channel, stage and score band.
    Stratified,
    /// Where a look is most worth while.
    Targeted,
    /// What an agent appealed against or wants to look at; drawn by no one.
    Appeal,
}

impl Kind {
    /// Every kind: id, Chinese title.
    pub const ALL: [(Kind, &'static str, &'static str); 4] = [
        (Kind::Random, "random", "随机"),
        (Kind::Stratified, "stratified", "分层"),
        (Kind::Targeted, "targeted", "定向"),
        (Kind::Appeal, "appeal", "申诉"),
    ];

    /// Its id.
    pub fn id(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// By its id.
    pub fn parse(id: &str) -> Option<Kind> {
        Self::ALL.iter().find(|k| k.1 == id).map(|k| k.0)
    }
}

/// One agent's part of a conversation that may be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unit {
    /// The conversation.
    pub conversation: String,
    /// The agent.
    pub agent: String,
    /// Channel.
    pub channel: String,
    /// Stage.
    pub stage: String,
    /// Milli-points before critical findings.
    pub raw: i64,
    /// With a critical finding.
    pub critical: bool,
    /// Agent and customer seem to have changed places.
    pub swapped: bool,
    /// Some finding was left to a person.
    pub unsure: bool,
    /// Rules with a finding.
    pub rules: BTreeSet<String>,
}

/// Why a case was drawn into a targeted sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// 一票否决
    Critical,
    /// Near the pass mark.
    NearPass,
    /// Roles seem swapped.
    Swapped,
    /// The machine itself was unsure.
    Unsure,
    /// A rule whose precision is low.
    LowPrecision,
    /// A rule nobody has reviewed yet.
    NewRule,
}

impl Reason {
    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Reason::Critical => "一票否决",
            Reason::NearPass => "贴近合格线",
            Reason::Swapped => "角色疑似颠倒",
            Reason::Unsure => "机器拿不准",
            Reason::LowPrecision => "准确率低的规则",
            Reason::NewRule => "还没复核过的规则",
        }
    }
}

/// A case drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its place among the units.
    pub unit: usize,
    /// The stratum it was drawn from.
    pub stratum: String,
    /// Cases of that stratum.
    pub population: u64,
    /// Cases drawn from it.
    pub drawn: u64,
    /// Why, in a targeted sample.
    pub reasons: Vec<Reason>,
}

/// What a targeted sample looks for.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// The pass mark, milli-points.
    pub pass_mark: i64,
    /// How near is near, milli-points.
    pub near: i64,
    /// Rules of low precision.
    pub low: BTreeSet<String>,
    /// Rules nobody reviewed yet.
    pub new: BTreeSet<String>,
}

/// The order in which a seed draws.
fn lot(seed: u64, salt: &str, unit: &Unit) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    for part in [salt, &unit.conversation, &unit.agent] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

fn shuffled(units: &[Unit], mut places: Vec<usize>, seed: u64, salt: &str) -> Vec<usize> {
    places.sort_by_cached_key(|place| lot(seed, salt, &units[*place]));
    places
}

fn strata(units: &[Unit], of: impl Fn(&Unit) -> String) -> BTreeMap<String, Vec<usize>> {
    let mut out = BTreeMap::<String, Vec<usize>>::new();
    for (place, unit) in units.iter().enumerate() {
        out.entry(of(unit)).or_default().push(place);
    }
    out
}

/// `quota` cases of every agent (all where she has fewer).
pub fn random(units: &[Unit], quota: usize, seed: u64) -> Vec<Drawn> {
    let mut out = Vec::new();
    for (stratum, places) in strata(units, |u| u.agent.clone()) {
        let (population, drawn) = (places.len() as u64, places.len().min(quota) as u64);
        let chosen = shuffled(units, places, seed, "random").into_iter().take(quota);
        out.extend(chosen.map(|unit| Drawn { unit, stratum: stratum.clone(), population, drawn, reasons: Vec::new() }));
    }
    out
}

/// `size` cases spread evenly over the strata of agent, channel, stage and score band (small strata give what they have,
/// the others make up for it). With more strata than cases the lot decides which go without; they are then not
/// represented.
pub fn stratified(units: &[Unit], size: usize, seed: u64) -> Vec<Drawn> {
    let strata = strata(units, |u| format!("{}/{}/{}/{}", u.agent, u.channel, u.stage, band(u)));
    let mut order: Vec<(&String, Vec<usize>)> =
        strata.iter().map(|(name, places)| (name, shuffled(units, places.clone(), seed, "stratified"))).collect();
    order.sort_by_cached_key(|(name, places)| lot(seed, name, &units[places[0]]));
    let mut quota = vec![0usize; order.len()];
    let mut left = size.min(units.len());
    while left > 0 {
        for (own, (_, places)) in quota.iter_mut().zip(&order) {
            if left > 0 && *own < places.len() {
                *own += 1;
                left -= 1;
            }
        }
    }
    let mut out = Vec::new();
    for ((name, places), quota) in order.into_iter().zip(quota) {
        let population = places.len() as u64;
        let stratum = name.clone();
        let one = |unit| Drawn { unit, stratum: stratum.clone(), population, drawn: quota as u64, reasons: Vec::new() };
        out.extend(places.into_iter().take(quota).map(one));
    }
    out
}

/// `critical`, `<60`, `60–80`, `80–100`, `100`: the score band of a case.
pub fn band(unit: &Unit) -> &'static str {
    match (unit.critical, unit.raw) {
        (true, _) => "critical",
        (_, ..60_000) => "<60",
        (_, ..80_000) => "60-80",
        (_, ..100_000) => "80-100",
        _ => "100",
    }
}

/// Up to `size` cases that some reason speaks for, the reasons taking turns so that none of them fills the sample.
pub fn targeted(units: &[Unit], size: usize, seed: u64, targets: &Targets) -> Vec<Drawn> {
    let reasons = |unit: &Unit| {
        let mut out = BTreeSet::new();
        let mut when = |yes: bool, reason| {
            if yes {
                out.insert(reason);
            }
        };
        when(unit.critical, Reason::Critical);
        when((unit.raw - targets.pass_mark).abs() <= targets.near, Reason::NearPass);
        when(unit.swapped, Reason::Swapped);
        when(unit.unsure, Reason::Unsure);
        when(!unit.rules.is_disjoint(&targets.low), Reason::LowPrecision);
        when(!unit.rules.is_disjoint(&targets.new), Reason::NewRule);
        out
    };
    let why: Vec<BTreeSet<Reason>> = units.iter().map(reasons).collect();
    let mut queues: BTreeMap<Reason, Vec<usize>> = BTreeMap::new();
    for (place, own) in why.iter().enumerate() {
        own.iter().for_each(|reason| queues.entry(*reason).or_default().push(place));
    }
    let mut queues: Vec<std::vec::IntoIter<usize>> =
        queues.into_values().map(|places| shuffled(units, places, seed, "targeted").into_iter()).collect();
    let mut chosen = BTreeSet::new();
    while chosen.len() < size {
        let before = chosen.len();
        for queue in &mut queues {
            if chosen.len() < size
                && let Some(place) = queue.find(|place| !chosen.contains(place))
            {
                chosen.insert(place);
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    let drawn = |unit: usize| {
        let reasons: Vec<Reason> = why[unit].iter().copied().collect();
        Drawn { unit, stratum: String::new(), population: 0, drawn: 0, reasons }
    };
    chosen.into_iter().map(drawn).collect()
}

/// A reviewer with the share of the work, in percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// Her name.
    pub name: String,
    /// Share of the cases that are not for everyone.
    pub percent: u32,
}

/// Who looks at which of `cases` (in their order): `overlap` percent, drawn by the seed and rounded up, go to everyone
/// for calibration, the others are dealt by percentage.
pub fn split(cases: &[Unit], reviewers: &[Reviewer], overlap: u32, seed: u64) -> Vec<Vec<usize>> {
    let order = shuffled(cases, (0..cases.len()).collect(), seed, "split");
    let shared = if reviewers.len() < 2 { 0 } else { (cases.len() * overlap as usize).div_ceil(100).min(cases.len()) };
    let mut out: Vec<Vec<usize>> = reviewers.iter().map(|_| order[..shared].to_vec()).collect();
    let mut dealt = vec![0u64; reviewers.len()];
    for case in &order[shared..] {
        // Whoever is furthest below her share takes the next one.
        let next = (0..reviewers.len()).filter(|r| reviewers[*r].percent > 0).min_by(|a, b| {
            // Sainte-Laguë: shares come out as near as whole cases can.
            let load = |r: &usize| (2 * dealt[*r] + 1) * 10_000 / u64::from(reviewers[*r].percent);
            load(a).cmp(&load(b)).then(a.cmp(b))
        });
        let Some(next) = next else { break };
        dealt[next] += 1;
        out[next].push(*case);
    }
    out.iter_mut().for_each(|own| own.sort_unstable());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(n: usize) -> Vec<Unit> {
        let unit = |i: usize| Unit {
            conversation: format!("c{i}"),
            agent: format!("a{}", i % 7 % 5),
            channel: ["chat", "phone"][i % 2].into(),
            raw: (i as i64 * 7919) % 101 * 1000,
            critical: i.is_multiple_of(31),
            unsure: i.is_multiple_of(11),
            ..Unit::default()
        };
        (0..n).map(unit).collect()
    }

    #[test]
    fn every_agent_gives_her_quota_and_weights_add_up() {
        let units = units(200);
        let drawn = random(&units, 10, 7);
        let mut by_agent = BTreeMap::<&str, u64>::new();
        drawn.iter().for_each(|d| *by_agent.entry(&units[d.unit].agent).or_default() += 1);
        assert!(by_agent.values().all(|n| *n == 10) && by_agent.len() == 5);
        let whole: f64 = drawn.iter().map(|d| d.population as f64 / d.drawn as f64).sum();
        assert!((whole - 200.0).abs() < 1e-9);
    }

    #[test]
    fn drawing_is_unbiased() {
        // Over many seeds each of 40 cases of one agent comes up about as often: 10 of 40 in 2,000 draws is 500 ± 19.
        let units: Vec<Unit> =
            (0..40).map(|i| Unit { conversation: format!("c{i}"), raw: i * 1000, ..Unit::default() }).collect();
        let mut times = vec![0u32; 40];
        for seed in 0..2000 {
            random(&units, 10, seed).iter().for_each(|d| times[d.unit] += 1);
        }
        assert!(times.iter().all(|n| (400..=600).contains(n)), "{times:?}");
        // Chi-square with 39 degrees of freedom: 99.9 % below 72.1. (Draws without replacement vary less.)
        let chi: f64 = times.iter().map(|n| (f64::from(*n) - 500.0).powi(2) / 500.0).sum();
        assert!(chi < 72.1, "{chi}");
    }

    #[test]
    fn reasons_take_turns_and_nothing_else_is_drawn() {
        let units = units(300);
        let targets = Targets { pass_mark: 80_000, near: 2_000, ..Targets::default() };
        let drawn = targeted(&units, 12, 1, &targets);
        assert_eq!(drawn.len(), 12);
        assert!(drawn.iter().all(|d| !d.reasons.is_empty()));
        for reason in [Reason::Critical, Reason::NearPass, Reason::Unsure] {
            assert!(drawn.iter().filter(|d| d.reasons.contains(&reason)).count() >= 3);
        }
    }

    #[test]
    fn work_is_split_by_percentage_with_an_overlap_for_all() {
        let cases = units(100);
        let reviewer = |name: &str, percent| Reviewer { name: name.into(), percent };
        let split = split(&cases, &[reviewer("甲", 60), reviewer("乙", 40), reviewer("丙", 0)], 20, 3);
        let sizes: Vec<usize> = split.iter().map(Vec::len).collect();
        assert_eq!(sizes, [20 + 48, 20 + 32, 20]);
        let all: BTreeSet<usize> = split.iter().flatten().copied().collect();
        assert_eq!(all.len(), 100);
    }

    proptest! {
        #[test]
        fn the_order_of_the_input_does_not_matter(n in 1usize..80, size in 1usize..30, seed in 0u64..50) {
            let units = units(n);
            let mut turned = units.clone();
            turned.reverse();
            let targets = Targets { pass_mark: 80_000, near: 5_000, ..Targets::default() };
            for draw in [random, stratified, |u: &[Unit], n, s| targeted(u, n, s, &Targets { pass_mark: 80_000, near: 5_000, ..Targets::default() })] {
                let names = |units: &[Unit]| -> BTreeSet<String> {
                    draw(units, size, seed).iter().map(|d| units[d.unit].conversation.clone()).collect()
                };
                prop_assert_eq!(names(&units), names(&turned));
            }
            prop_assert!(targeted(&units, size, seed, &targets).len() <= size);
            prop_assert_eq!(stratified(&units, size, seed).len(), size.min(n));
            // A larger sample of the same seed contains the smaller one.
            let small: BTreeSet<usize> = random(&units, size, seed).iter().map(|d| d.unit).collect();
            let large: BTreeSet<usize> = random(&units, size + 3, seed).iter().map(|d| d.unit).collect();
            prop_assert!(small.is_subset(&large));
        }
    }
}
