//! What all pages know: the night, and where everything has its page.

use std::collections::{BTreeMap, BTreeSet};

use super::markup::Html;
use super::page::{Page, Place};
use super::words::Words;
use crate::judge::Lang;
use crate::pack::rule::{Rule, Severity};
use crate::report::Points;
use crate::report::figures::{Figures, effective_cost};
use crate::report::names::file_stem;
use crate::report::night::Night;
use crate::score::aggregate::{Evidence, GoodExample};
use crate::score::service::Dimension;
use crate::score::statistics::mean_interval;
use crate::score::words::top_words;

/// Findings shown on an agent's or a rule's page, and with them the conversations that get pages of their own.
pub const SHOWN: usize = 6;
/// Good examples shown on an agent's or a rule's page.
pub const GOOD: usize = 3;
/// What an agent is asked to work on first.
pub const PRIORITIES: usize = 3;

/// The report of one night.
pub struct Site<'s> {
    /// The night.
    pub night: &'s Night<'s>,
    /// Its language.
    pub words: Words,
    /// Conversations that have a page: id and file name.
    pub chats: BTreeMap<String, String>,
}

impl<'s> Site<'s> {
    /// The report of a night whose conversations in `chats` get pages.
    pub fn new(night: &'s Night<'s>, chats: &BTreeSet<String>) -> Site<'s> {
        let chats = chats.iter().map(|id| (id.clone(), file_stem(id))).collect();
        Site { night, words: Words { zh: night.lang == Lang::Zh }, chats }
    }

    /// A page of this report.
    pub fn page<'p>(&'p self, title: &'p str, place: Place, below: bool) -> Page<'p> {
        let pack = self.night.pack;
        let pack = format!("{} {}", pack.id, pack.version);
        Page { words: self.words, title, place, below, label: &self.night.label, pack }
    }

    /// An agent's figures.
    pub fn agent(&self, id: &str) -> Option<&'s Figures> {
        let agents = &self.night.cards.agents;
        agents.binary_search_by(|a| a.id.as_str().cmp(id)).ok().map(|at| &agents[at])
    }

    /// A link to an agent's page.
    pub fn agent_link(&self, up: &str, id: &str) -> Html {
        let mut out = Html::new();
        match self.agent(id) {
            Some(agent) => {
                out.open("a", &[("href", &agent_href(up, id))]).el("bdi", &[], &agent.label()).close("a");
            }
            None => {
                out.el("bdi", &[], id);
            }
        }
        out
    }

    /// A link to a rule's page.
    pub fn rule_link(&self, up: &str, rule: &Rule) -> Html {
        let mut out = Html::new();
        out.link(&rule_href(up, &rule.id), &rule.title);
        out
    }

    /// A link to a conversation's page, at `anchor`; plain text where it has none.
    pub fn chat_link(&self, up: &str, id: &str, anchor: &str, text: &str) -> Html {
        let mut out = Html::new();
        match self.chats.get(id) {
            Some(stem) => {
                out.open("a", &[("href", &format!("{up}chats/{stem}.html#{anchor}"))]).el("bdi", &[], text).close("a");
            }
            None => {
                out.el("bdi", &[], text);
            }
        }
        out
    }

    /// What a finding cost, in words.
    pub fn cost(&self, rule: &Rule, points: i64) -> String {
        match rule.severity {
            Severity::Critical if !rule.review_only => self.words.t("一票否决", "fails outright").to_string(),
            _ if points == 0 => self.words.t("不扣分", "no points").to_string(),
            _ if self.words.zh => format!("{} 分", Signed(points)),
            _ => format!("{} points", Signed(points)),
        }
    }

    /// A rule's findings of all agents, the costliest first.
    pub fn rule_evidence(&self, rule: usize) -> Vec<(&'s str, &'s Evidence)> {
        let agents = self.night.aggregate.agents.iter();
        let of = agents.filter_map(|(id, totals)| Some((id, totals.rules.get(&(rule as u32))?)));
        let mut all: Vec<_> = of.flat_map(|(id, c)| c.evidence.items().iter().map(|e| (id.as_str(), e))).collect();
        all.sort_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
        all.truncate(SHOWN);
        all
    }

    /// A rule's good examples of all agents, the best first.
    pub fn rule_good(&self, rule: usize) -> Vec<(&'s str, &'s GoodExample)> {
        let agents = self.night.aggregate.agents.iter();
        let of = agents.filter_map(|(id, totals)| Some((id, totals.rules.get(&(rule as u32))?)));
        let mut all: Vec<_> = of.flat_map(|(id, c)| c.good.items().iter().map(|g| (id.as_str(), g))).collect();
        all.sort_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
        all.truncate(GOOD);
        all
    }

    /// The rules that cost an agent most, costliest first, with what they cost in milli-points.
    pub fn costly(&self, agent: &str) -> Vec<(usize, i64)> {
        let Some(totals) = self.night.aggregate.agents.get(agent) else { return Vec::new() };
        let pack = self.night.pack;
        let mut list: Vec<(usize, i64)> = totals
            .rules
            .iter()
            .map(|(n, count)| (*n as usize, effective_cost(pack, *n as usize, count)))
            .filter(|(n, cost)| *cost > 0 && totals.rules[&(*n as u32)].found > 0)
            .collect();
        list.sort_by_key(|(n, cost)| (std::cmp::Reverse(*cost), &pack.rules[*n].id));
        list
    }

    /// An agent's costliest findings, one a rule first.
    pub fn agent_evidence(&self, agent: &str) -> Vec<(usize, &'s Evidence)> {
        let Some(totals) = self.night.aggregate.agents.get(agent) else { return Vec::new() };
        let pack = self.night.pack;
        let mut all: Vec<(bool, usize, &Evidence, usize)> = Vec::new();
        for (number, count) in &totals.rules {
            let rule = &pack.rules[*number as usize];
            if rule.points > 0 || rule.review_only {
                continue;
            }
            let grave = rule.severity != Severity::Critical;
            let items = count.evidence.items().iter().enumerate();
            all.extend(items.map(|(place, e)| (grave, place, e, *number as usize)));
        }
        all.sort_by(|a, b| (a.0, a.1, a.2, a.3).cmp(&(b.0, b.1, b.2, b.3)));
        all.truncate(SHOWN);
        all.into_iter().map(|(_, _, e, rule)| (rule, e)).collect()
    }

    /// An agent's good examples, one a rule.
    pub fn agent_good(&self, agent: &str) -> Vec<(usize, &'s GoodExample)> {
        let Some(totals) = self.night.aggregate.agents.get(agent) else { return Vec::new() };
        let firsts = totals.rules.iter().filter_map(|(n, c)| Some((*n as usize, c.good.items().first()?)));
        let mut all: Vec<_> = firsts.filter(|(n, _)| self.night.pack.rules[*n].points < 0).collect();
        all.sort_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0)));
        all.truncate(GOOD);
        all
    }

    /// Every conversation that some page quotes: these get pages of their own.
    pub fn quoted(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for id in self.night.aggregate.agents.keys() {
            out.extend(self.agent_evidence(id).into_iter().map(|(_, e)| e.conversation_id.clone()));
            out.extend(self.agent_good(id).into_iter().map(|(_, g)| g.conversation_id.clone()));
            for (rule, _) in self.costly(id).into_iter().take(PRIORITIES) {
                let count = &self.night.aggregate.agents[id].rules[&(rule as u32)];
                out.extend(count.evidence.items().iter().take(2).map(|e| e.conversation_id.clone()));
            }
        }
        for rule in 0..self.night.pack.rules.len() {
            out.extend(self.rule_evidence(rule).into_iter().map(|(_, e)| e.conversation_id.clone()));
            out.extend(self.rule_good(rule).into_iter().map(|(_, g)| g.conversation_id.clone()));
        }
        out
    }

    /// A target's bound.
    pub fn goal(&self, metric: &str) -> Option<f64> {
        let target = self.night.pack.scorecard.targets.iter().find(|t| t.metric == metric)?;
        target.min.or(target.max)
    }

    /// Agents with enough conversations whose whole interval lies below the target for score or pass rate.
    pub fn below_target(&self) -> Vec<&'s Figures> {
        let (score, pass) = (self.goal("score"), self.goal("pass_rate"));
        let below = |a: &&Figures| {
            let mean =
                a.score.as_ref().and_then(|s| s.interval).zip(score).is_some_and(|((_, high), goal)| high < goal);
            let rate = a.pass_rate.as_ref().zip(pass).is_some_and(|(r, goal)| r.high < goal);
            a.enough && (mean || rate)
        };
        let mut list: Vec<&Figures> = self.night.cards.agents.iter().filter(below).collect();
        let mean = |f: &Figures| f.score.as_ref().map_or(0.0, |s| s.value);
        list.sort_by(|a, b| mean(a).total_cmp(&mean(b)).then(a.id.cmp(&b.id)));
        list
    }

    /// The service cell of an agent, a team or everyone (`""`).
    pub fn cell(&self, dimension: Option<Dimension>, id: &str) -> Option<&'s crate::score::service::Cell> {
        match dimension {
            Some(dimension) => self.night.aggregate.service.get(dimension, id),
            None => Some(&self.night.aggregate.service.all),
        }
    }

    /// The 95 % interval of the share of a dimension's points an agent kept, in percent.
    pub fn dimension_interval(&self, agent: &str, dimension: usize) -> Option<(f64, f64)> {
        let counted = self.night.aggregate.agents.get(agent)?.dimensions.get(dimension)?;
        let weight = f64::from(self.night.pack.scorecard.dimensions[dimension].weight);
        let (_, interval) = mean_interval(counted.applicable, counted.lost as f64 / 1e3, counted.squares as f64 / 1e6)?;
        let (low, high) = interval?;
        let kept = |lost: f64| (100.0 * (1.0 - lost / weight)).clamp(0.0, 100.0);
        Some((kept(high), kept(low)))
    }

    /// The words that tell contact reasons apart, by topic number.
    pub fn topic_words(&self) -> BTreeMap<usize, Vec<String>> {
        let topics = &self.night.pack.topics.list;
        let totals = &self.night.aggregate.service.topics;
        let samples = topics
            .iter()
            .enumerate()
            .filter(|(_, t)| t.parent.is_none())
            .filter_map(|(n, t)| Some((n, totals.get(&t.id)?.words.clone())));
        top_words(&samples.collect(), 5)
    }
}

/// Milli-points with their sign.
struct Signed(i64);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > 0 {
            f.write_str("+")?;
        } else if self.0 < 0 {
            f.write_str("\u{2212}")?;
        }
        write!(f, "{}", Points(self.0.abs()))
    }
}

/// Where an agent's page is.
pub fn agent_href(up: &str, id: &str) -> String {
    format!("{up}agents/{}.html", file_stem(id))
}

/// Where a team's page is.
pub fn team_href(up: &str, id: &str) -> String {
    format!("{up}teams/{}.html", file_stem(id))
}

/// Where a rule's page is.
pub fn rule_href(up: &str, id: &str) -> String {
    format!("{up}rules/{}.html", file_stem(id))
}
