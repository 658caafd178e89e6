//! `coaching/<agent>.md` and `.html`: what a team lead hands over after the night, unedited; `coaching/team-<team>.md` and
//! `.html`: what she herself needs for the morning meeting.
//!
//! A report is made once as content without words ([`CoachingReport`], [`TeamReport`]), put into words once for both
//! languages, and laid out twice: as Markdown and as a page for A4 paper. Everything said or written by people is quoted
//! as text: escaped in both, with marks of writing direction left out.

mod content;
mod document;
mod html;
mod layout;
mod markdown;
mod priority;
mod progress;
mod review;
mod team;
mod team_layout;

pub use content::{CoachingReport, Priority};
pub use document::{Block, Document, Run, Voice};
pub use html::CSS;
pub use priority::{Weight, weight};
pub use progress::{Progress, Verdict};
pub use team::{Common, Need, Pair, TeamReport};

use super::names::file_stem;
use super::night::Night;

/// Name of the styles that the pages link to, inside `coaching/`.
pub const CSS_NAME: &str = "coaching.css";

/// The stem of a team's files; `None` is everyone's, where no team is known. No agent's stem begins like it.
pub fn team_stem(team: Option<&str>) -> String {
    match team {
        Some(team) => format!("team-{}", file_stem(team)),
        None => "team-all".to_string(),
    }
}

/// Every team's report; everyone's, where no team is known.
pub fn teams<'n>(night: &'n Night<'n>) -> impl Iterator<Item = TeamReport<'n>> {
    let everyone = night.cards.teams.is_empty().then(|| TeamReport::new(night, None));
    night.cards.teams.iter().map(|team| TeamReport::new(night, Some(team))).chain(everyone)
}
