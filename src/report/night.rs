//! What every report is made from: one night, or any other period, with all its figures derived once.

use crate::judge::Lang;
use crate::pack::Pack;
use crate::score::Aggregate;

use super::chat::Spill;
use super::figures::Scorecards;
use super::history::History;
use super::reviewed::Reviewed;

/// A night (or a longer period) ready to be reported. Holds no transcripts: what is quoted was kept, masked, as
/// evidence; conversations shown whole lie in `chats`.
pub struct Night<'n> {
    /// What the reader calls it: `2026-11-21`, or `2026-W47`, `2026-11` for longer periods; empty when the
    /// conversations carry no times.
    pub label: String,
    /// The rule pack it was judged by.
    pub pack: &'n Pack,
    /// Everything counted.
    pub aggregate: &'n Aggregate,
    /// Figures of everyone, teams and agents.
    pub cards: &'n Scorecards,
    /// What came before; `None` without a store.
    pub history: Option<&'n History>,
    /// Language of the reports.
    pub lang: Lang,
    /// Records that could not be read.
    pub rejected: u64,
    /// Conversations kept to be shown; `None` when rendered again without transcripts.
    pub chats: Option<&'n Spill>,
    /// What people found when they checked; `None` when nobody has.
    pub reviewed: Option<&'n Reviewed>,
}

impl<'n> Night<'n> {
    /// The night of one run: named by [`last_day`].
    pub fn new(pack: &'n Pack, aggregate: &'n Aggregate, cards: &'n Scorecards, lang: Lang) -> Night<'n> {
        Night {
            label: last_day(aggregate),
            pack,
            aggregate,
            cards,
            history: None,
            lang,
            rejected: 0,
            chats: None,
            reviewed: None,
        }
    }
}

/// The last day on which conversations began; empty without times. Days with less than a tenth of the busiest day's
/// conversations do not count: a few customers who come after midnight do not make the night another one, and two
/// nights never share a name by them.
pub fn last_day(aggregate: &Aggregate) -> String {
    let days = aggregate.service.cells.get(&crate::score::service::Dimension::Day);
    let days = || days.into_iter().flatten();
    let busiest = days().map(|(_, cell)| cell.conversations).max().unwrap_or_default();
    days()
        .rev()
        .find(|(_, cell)| cell.conversations * 10 >= busiest)
        .map(|(day, _)| day.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::service::Dimension;

    #[test]
    fn a_night_is_named_for_its_last_busy_day() {
        let mut aggregate = Aggregate::default();
        assert_eq!(last_day(&aggregate), "");
        for (day, conversations) in [("2026-11-19", 3), ("2026-11-20", 250), ("2026-11-21", 4)] {
            aggregate.service.cell(Dimension::Day, day).conversations = conversations;
        }
        assert_eq!(last_day(&aggregate), "2026-11-20");
        aggregate.service.cell(Dimension::Day, "2026-11-22").conversations = 25;
        assert_eq!(last_day(&aggregate), "2026-11-22");
    }
}
