//! `profiles.toml`: how each platform counts response figures, as data.
//!
//! ```toml
//! [[profile]]
//! id = "pdd_reply_180"  title = "拼多多3分钟回复率"
//! figure = "within"           # mean: average wait · within: share answered within `limit`
//! unit = "customer"           # round · session (only its first round) · customer (all rounds of a conversation)
//! limit = "180s"  cap = "600s"  unanswered = "600s"
//! hours = "08:00-23:00"       # local time of the customer's message; left out: all day
//! replies = ["person"]        # person · assisted (a bot's message in an agent's name) · auto · bot
//! bot = "exclude"             # exclude: what a bot served is no round · wait: the clock runs on until a person replies
//! transfer = "first_unanswered"   # the first agent did not reply · follow: the round goes on to the next agent
//! session_gap = "10m"         # a longer silence begins a new session
//! channels = ["chat"]  ignore_polite = false  source = "…"
//! ```
//! The figures of platforms are known from third-party descriptions and change: check them against the platform's
//! own rules and edit the file.

use super::codes;
use super::expression::duration;
use super::fields::{At, Faults, Table};

/// What a profile reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Average wait.
    Mean,
    /// Share of units answered within the limit.
    Within,
}

/// What a profile counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileUnit {
    /// Every round.
    Round,
    /// The first round of each session.
    Session,
    /// A customer's conversation, which fails with any round that fails.
    Customer,
}

/// Kinds of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// A person's message.
    Person,
    /// A bot's message sent in an agent's name.
    Assisted,
    /// The platform's automatic message (welcome, busy).
    Auto,
    /// A bot's own message.
    Bot,
}

/// What becomes of a round that one agent hands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferRule {
    /// It counts as unanswered for the first; for the next it begins with the transfer notice, where there is one.
    FirstUnanswered,
    /// It goes on.
    Follow,
}

/// One platform figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// Its English title.
    pub title_en: String,
    /// What it reports.
    pub figure: Figure,
    /// What it counts.
    pub unit: ProfileUnit,
    /// Answered in time up to this many milliseconds.
    pub limit: Option<i64>,
    /// Longer waits count as this.
    pub cap: Option<i64>,
    /// What an unanswered round counts in an average; none: it is left out of it.
    pub unanswered: Option<i64>,
    /// Service hours: seconds of the day, from (inclusive) and to (exclusive).
    pub hours: Option<(i64, i64)>,
    /// What is a reply.
    pub replies: Vec<Reply>,
    /// Rounds a bot served are left out.
    pub exclude_bot: bool,
    /// Transfers.
    pub transfer: TransferRule,
    /// Milliseconds of silence that begin a new session.
    pub session_gap: Option<i64>,
    /// Channels it covers; empty: all.
    pub channels: Vec<String>,
    /// Closing words of the customer begin no round.
    pub ignore_polite: bool,
    /// Where the definition comes from.
    pub source: String,
}

/// Reads `profiles.toml`.
pub fn read(mut table: Table<'_>, faults: &mut Faults<'_>) -> Vec<Profile> {
    let mut out: Vec<Profile> = Vec::new();
    for mut inner in table.tables("profile", faults) {
        let Some(id) = inner.required("id", faults) else {
            inner.finish("[[profile]] ", faults);
            continue;
        };
        if out.iter().any(|p| p.id == id.value) {
            faults.at(codes::DUPLICATE_ID, id.range.clone(), format!("指标 `{}` 写了两次", id.value), None);
        }
        let title = inner.required("title", faults).map(|t| t.value).unwrap_or_default();
        let title_en = inner.string("title_en", faults).map_or_else(|| id.value.clone(), |t| t.value);
        let figure = [("mean", Figure::Mean), ("within", Figure::Within)];
        let figure = choice(&mut inner, "figure", &figure, faults).unwrap_or(Figure::Mean);
        let unit =
            [("round", ProfileUnit::Round), ("session", ProfileUnit::Session), ("customer", ProfileUnit::Customer)];
        let unit = choice(&mut inner, "unit", &unit, faults).unwrap_or(ProfileUnit::Round);
        let limit = time(&mut inner, "limit", faults);
        if figure == Figure::Within && limit.is_none() && !inner.has("limit") {
            let hint = Some("加一行 limit = \"180s\"".into());
            faults.at(codes::MISSING_KEY, inner.head(), format!("`{}` 缺少 limit", id.value), hint);
        }
        let hours = inner.string("hours", faults).and_then(|h| hours(&h, faults));
        let bot = choice(&mut inner, "bot", &[("exclude", true), ("wait", false)], faults).unwrap_or(false);
        let transfer = [("first_unanswered", TransferRule::FirstUnanswered), ("follow", TransferRule::Follow)];
        let transfer = choice(&mut inner, "transfer", &transfer, faults).unwrap_or(TransferRule::Follow);
        let mut replies = Vec::new();
        for written in inner.strings("replies", faults) {
            let known =
                [("person", Reply::Person), ("assisted", Reply::Assisted), ("auto", Reply::Auto), ("bot", Reply::Bot)];
            replies.extend(chosen(&written, "replies", &known, faults));
        }
        if replies.is_empty() {
            replies.push(Reply::Person);
        }
        out.push(Profile {
            id: id.value,
            title,
            title_en,
            figure,
            unit,
            limit,
            cap: time(&mut inner, "cap", faults),
            unanswered: time(&mut inner, "unanswered", faults),
            hours,
            replies,
            exclude_bot: bot,
            transfer,
            session_gap: time(&mut inner, "session_gap", faults),
            channels: inner.strings("channels", faults).into_iter().map(|c| c.value).collect(),
            ignore_polite: inner.boolean("ignore_polite", faults).unwrap_or(false),
            source: inner.string("source", faults).map(|s| s.value).unwrap_or_default(),
        });
        inner.finish("[[profile]] ", faults);
    }
    table.finish("profiles.toml ", faults);
    out
}

fn choice<T: Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    known: &[(&str, T)],
    faults: &mut Faults<'_>,
) -> Option<T> {
    let written = table.string(key, faults)?;
    chosen(&written, key, known, faults)
}

fn chosen<T: Copy>(written: &At<String>, key: &str, known: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == written.value).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let hint = Some(format!("可用: {}", names.join("、")));
        faults.at(codes::BAD_VALUE, written.range.clone(), format!("{key} 没有 `{}` 这个值", written.value), hint);
    }
    found
}

fn time(table: &mut Table<'_>, key: &'static str, faults: &mut Faults<'_>) -> Option<i64> {
    let written = table.string(key, faults)?;
    let ms = duration(&written.value);
    if ms.is_none() {
        let hint = Some("写成 \"30s\"、\"3m\" 或 \"1h\"".into());
        faults.at(codes::BAD_VALUE, written.range, format!("`{key}` 不是时长: {}", written.value), hint);
    }
    ms
}

fn hours(written: &At<String>, faults: &mut Faults<'_>) -> Option<(i64, i64)> {
    let clock = |text: &str| -> Option<i64> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        ((0..=24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 3600 + minutes * 60)
    };
    let parsed = written.value.split_once('-').and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
    match parsed {
        Some((from, to)) if from < to && to <= 86_400 => Some((from, to)),
        _ => {
            let hint = Some("写成 \"08:00-23:00\",结束时间要晚于开始时间".into());
            faults.at(codes::BAD_VALUE, written.range.clone(), format!("看不懂服务时间: {}", written.value), hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, SourceFile};
    use std::sync::Arc;

    fn load(text: &str) -> (Vec<Profile>, Vec<Diagnostic>) {
        let file = Arc::new(SourceFile { path: "profiles.toml".into(), text: text.to_string() });
        let mut all = Vec::new();
        let mut faults = Faults::new(file.clone(), &mut all);
        let parsed = crate::pack::fields::parse(&file.text, &mut faults);
        let out = read(Table::new(parsed.get_ref(), 0..file.text.len()), &mut faults);
        (out, all)
    }

    #[test]
    fn a_profile_is_read() {
        let (profiles, faults) = load(
            "[[profile]]\nid='a'\ntitle='甲'\nfigure='within'\nunit='session'\nlimit='30s'\nhours='09:00-23:00'\n\
             session_gap='10m'\nreplies=['person','assisted']\nbot='exclude'\n",
        );
        assert_eq!(faults, []);
        let p = &profiles[0];
        assert_eq!((p.limit, p.hours, p.session_gap), (Some(30_000), Some((32_400, 82_800)), Some(600_000)));
        assert_eq!((p.unit, p.replies.len(), p.exclude_bot), (ProfileUnit::Session, 2, true));
    }

    #[test]
    fn faults_are_collected() {
        let (_, faults) = load(
            "[[profile]]\nid='a'\ntitle='甲'\nfigure='within'\nhours='23:00-08:00'\nreplies=['human']\ncap='ten'\nlimti='1s'\n",
        );
        let mut codes: Vec<_> = faults.iter().map(|f| f.code).collect();
        codes.sort();
        assert_eq!(codes, ["bad-value", "bad-value", "bad-value", "missing-key", "unknown-key"]);
    }
}
