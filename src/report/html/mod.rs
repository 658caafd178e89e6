//! The web report: static pages that open from a folder, without a network, under a strict policy.
//!
//! | page | file |
//! | --- | --- |
//! | the night | `index.html` |
//! | teams and agents | `agents.html`, `teams/<team>.html`, `agents/<agent>.html` |
//! | rules | `rules.html`, `rules/<rule>.html` |
//! | conversations | `chats.html`, `chats/<conversation>.html` |
//! | how a score comes about | `help.html` |
//!
//! Pages are made one at a time and written at once, so memory does not grow with their number. Everything but the
//! conversations comes from the [`Night`], so the report can be rendered again without transcripts.

mod agent;
mod chart;
mod chats;
mod conversation;
mod help;
pub mod markup;
mod page;
mod parts;
mod people;
mod review;
mod rules;
mod site;
mod table;
mod tonight;
pub mod words;

use std::collections::BTreeSet;
use std::io::Write;

use rayon::prelude::*;

use self::markup::Html;
use self::site::Site;
use super::chat::Spill;
use super::folder::StagedFolder;
use super::names::file_stem;
use super::night::Night;
use crate::error::{Error, Result};

pub use page::POLICY;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// Conversations with a critical finding that get a page, at most.
pub const MOST_CRITICAL: usize = 2000;

/// Writes the report into `report/` of a folder.
///
/// # Errors
/// When a page cannot be written.
pub fn write(folder: &StagedFolder, night: &Night<'_>) -> Result<()> {
    let critical = night.chats.map(Spill::critical).unwrap_or_default();
    let left_out = critical.len().saturating_sub(MOST_CRITICAL);
    let critical: BTreeSet<String> = critical.into_iter().take(MOST_CRITICAL).collect();
    let mut shown = critical.clone();
    if let Some(chats) = night.chats {
        let quoted = Site::new(night, &BTreeSet::new()).quoted();
        shown.extend(quoted.into_iter().filter(|id| chats.holds(id)));
    }
    let site = Site::new(night, &shown);
    put(folder, "assets/style.css", STYLE)?;
    put(folder, "assets/report.js", SCRIPT)?;
    put(folder, "index.html", tonight::page(&site).as_str())?;
    put(folder, "agents.html", people::page(&site).as_str())?;
    put(folder, "rules.html", rules::page(&site).as_str())?;
    put(folder, "help.html", help::page(&site).as_str())?;
    let cards = night.cards;
    let page = |kind: &str, id: &str, html: Html| put(folder, &format!("{kind}/{}.html", file_stem(id)), html.as_str());
    cards.teams.par_iter().try_for_each(|team| page("teams", &team.id, people::team(&site, team)))?;
    cards.agents.par_iter().try_for_each(|figures| {
        let totals = &night.aggregate.agents[&figures.id];
        page("agents", &figures.id, agent::page(&site, figures, totals))
    })?;
    let rules = &night.pack.rules;
    (0..rules.len()).into_par_iter().try_for_each(|n| page("rules", &rules[n].id, rules::rule(&site, n)))?;
    let mut listed = Vec::new();
    if let Some(chats) = night.chats {
        let shown: Vec<&String> = shown.iter().collect();
        let each = shown.par_iter().map(|id| {
            let unread = |e| Error::write(folder.staging().join("report/chats"), e);
            let Some(chat) = chats.read(id).map_err(unread)? else { return Ok(None) };
            page("chats", id, conversation::page(&site, &chat))?;
            Ok(critical.contains(*id).then(|| chats::Summary::new(&site, &chat)))
        });
        listed = each.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    }
    put(folder, "chats.html", chats::list(&site, &listed, left_out).as_str())
}

/// Writes a page. There are many: they reach the disk when the system sees fit, the folder is put in place as a whole.
fn put(folder: &StagedFolder, inner: &str, text: &str) -> Result<()> {
    let name = format!("report/{inner}");
    let mut out = folder.create(&name)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Error::write(folder.staging().join(&name), e))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::judge::Lang;
    use crate::pack::Pack;
    use crate::report::figures::{Mean, Rate, Scorecards};
    use crate::report::history::{Burst, Change, Changes, History, Period, Point};
    use crate::score::Aggregate;

    /// Three nights of one agent and her team, the last one with other rules, better, with a new reason.
    fn history() -> History {
        let night = |label: &str, score: f64, changed_rules: bool| {
            let point = Point {
                conversations: 60,
                score: Some(Mean { value: score, interval: Some((score - 2.0, score + 2.0)), n: 60 }),
                pass_rate: Rate::new(50, 60),
                ..Point::default()
            };
            Period {
                label: label.into(),
                pack_version: "1".into(),
                changed_rules,
                all: point.clone(),
                teams: BTreeMap::from([("售后组".to_string(), point.clone())]),
                agents: BTreeMap::from([("a1".to_string(), point)]),
            }
        };
        let change = |figure: &str, before: f64, now: f64, interval| Change {
            figure: figure.into(),
            before,
            now,
            interval: Some(interval),
            n: (60, 60),
            reviewed: None,
        };
        let all = vec![change("pass_rate", 0.8, 0.85, (0.01, 0.09)), change("score", 88.0, 87.0, (-3.0, 1.0))];
        History {
            trend: vec![
                night("2026-11-18", 85.0, false),
                night("2026-11-19", 88.0, false),
                night("2026-11-20", 91.5, true),
            ],
            changes: Changes {
                against: "2026-11-19".into(),
                changed_rules: true,
                agents: BTreeMap::from([("a1".to_string(), all.clone())]),
                teams: BTreeMap::from([("售后组".to_string(), all.clone())]),
                all,
            },
            bursts: vec![Burst {
                kind: "word",
                id: "漏液".into(),
                title: "漏液<b>".into(),
                now: 31,
                expected: 4.2,
                strength: 6.0,
            }],
        }
    }

    fn aggregate() -> Aggregate {
        let mut aggregate = Aggregate { conversations: 60, judged: 60, ..Aggregate::default() };
        let own = aggregate.agent("a1");
        own.named(Some("小林"), Some("售后组"));
        (own.conversations, own.passed, own.score_sum, own.score_squares) = (60, 50, 60 * 91_500, 60 * 91_500 * 91_500);
        own.histogram = BTreeMap::from([(70, 10), (95, 50)]);
        aggregate.all = aggregate.agents["a1"].clone();
        aggregate
    }

    #[test]
    fn a_history_shows_as_trend_changes_and_what_is_new() {
        let (pack, aggregate, history) = (Pack::default_pack().unwrap(), aggregate(), history());
        let cards = Scorecards::new(&pack, &aggregate);
        let mut night = Night::new(&pack, &aggregate, &cards, Lang::Zh);
        let site = Site::new(&night, &BTreeSet::new());
        let without = tonight::page(&site);
        assert!(without.as_str().contains("还没有历史:加 --store"));
        assert!(!without.as_str().contains("id=\"c-trend-t\""));
        night.history = Some(&history);
        let site = Site::new(&night, &BTreeSet::new());
        let page = tonight::page(&site);
        for wanted in [
            "较上期 +5.0 个百分点",
            "\u{2212}1.0(可能只是波动)",
            "id=\"c-trend-t\"",
            "规则有变",
            "漏液&lt;b&gt;",
            "31 通,平时约 4 通",
            "两期的数字不能直接比",
        ] {
            assert!(page.as_str().contains(wanted), "{wanted}");
        }
        let agent = &cards.agents[0];
        let own = agent::page(&site, agent, &aggregate.agents["a1"]);
        let team = people::team(&site, &cards.teams[0]);
        for page in [own, team] {
            assert!(page.as_str().contains("id=\"c-trend-t\"") && page.as_str().contains("2026-11-19"));
        }
    }

    #[test]
    fn an_empty_night_says_so() {
        let (pack, aggregate) = (Pack::default_pack().unwrap(), Aggregate::default());
        let cards = Scorecards::new(&pack, &aggregate);
        for (lang, wanted) in [(Lang::Zh, "没有可以评判的会话"), (Lang::En, "There was no conversation to judge")]
        {
            let night = Night::new(&pack, &aggregate, &cards, lang);
            let site = Site::new(&night, &BTreeSet::new());
            assert!(tonight::page(&site).as_str().contains(wanted));
            let nothing = site.words.t("没有可列的会话", "Nothing to list");
            assert!(chats::list(&site, &[], 0).as_str().contains(nothing));
        }
    }
}
