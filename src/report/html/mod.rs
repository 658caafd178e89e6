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
mod conversation;
mod help;
pub mod markup;
mod page;
mod parts;
mod people;
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
            Ok(critical.contains(*id).then(|| conversation::Summary::new(&site, &chat)))
        });
        listed = each.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    }
    put(folder, "chats.html", conversation::list(&site, &listed, left_out).as_str())
}

/// Writes a page. There are many: they reach the disk when the system sees fit, the folder is put in place as a whole.
fn put(folder: &StagedFolder, inner: &str, text: &str) -> Result<()> {
    let name = format!("report/{inner}");
    let mut out = folder.create(&name)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Error::write(folder.staging().join(&name), e))
}
