//! How contacts ended: resolution, recontacts, complaints, hand-overs, connection, ratings (`outcomes.csv` and the
//! `service` part of `scorecards.json`), and the platform figures (`profiles.csv`).

use std::io::Write;

use serde::Serialize;

use super::csv::writer;
use super::figures::{Figures, Rate, Scorecards, rounded};
use super::names::cell;
use crate::judge::Lang;
use crate::metrics::Unit;
use crate::metrics::profile::{Exclusion, ProfileCount};
use crate::pack::Pack;
use crate::pack::profiles::{Figure, Profile};
use crate::score::Aggregate;
use crate::score::contacts::{CrossCount, hash};
use crate::score::service::{Cell, Dimension};

/// Outcome figures of an agent, a team, or everyone. Rates carry 95 % Wilson intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct ServiceFigures {
    /// Conversations resolved, unresolved, unknown.
    pub resolution: [u64; 3],
    /// Resolved of those where it can be told.
    pub resolution_rate: Option<Rate>,
    /// Contacts a person answered (接通率).
    pub connect_rate: Option<Rate>,
    /// Conversations rated.
    pub rating_response: Option<Rate>,
    /// Ratings of 4 or 5 of all ratings (CSAT).
    pub satisfied: Option<Rate>,
    /// Mean rating, 1–5.
    pub rating: Option<f64>,
    /// Conversations handed on.
    pub transferred: Option<Rate>,
    /// Conversations handed back to an agent who had handed them on.
    pub ping_pong: Option<Rate>,
    /// Conversations in which what was known was asked again.
    pub asked_again: Option<Rate>,
    /// Conversations escalated.
    pub escalated: Option<Rate>,
    /// Seconds waited at transfers: mean, 90th percentile, transfers timed.
    pub transfer_wait: Option<(f64, f64, u64)>,
    /// No recontact about the matter within 24 hours: a proxy for solved at first contact.
    pub fcr_24h: Option<Rate>,
    /// No recontact about the matter within 72 hours.
    pub fcr_72h: Option<Rate>,
    /// Recontacts seen within 24 and 72 hours, also where the log ends before the window.
    pub recontacts: (u64, u64),
    /// Complaint cases.
    pub complaints: u64,
    /// Answered by a person within 24 hours, of those due.
    pub complaint_24h: Option<Rate>,
    /// Solved within 72 hours, of those due.
    pub complaint_72h: Option<Rate>,
    /// Complaints not yet due, answered and solved already.
    pub complaints_early: (u64, u64),
    /// Complaints not yet due for an answer, for a solution, and without it.
    pub complaints_open: (u64, u64),
}

impl ServiceFigures {
    /// Derives the figures.
    pub fn new(cell: &Cell, cross: &CrossCount) -> ServiceFigures {
        let n = cell.conversations;
        let (resolved, told) = cell.resolved();
        let (rated, satisfied) = cell.rated();
        let deadline = |d: &crate::score::contacts::Deadline| Rate::new(d.met, d.met + d.missed);
        let wait = &cell.transfer_wait;
        let seconds = |ms: f64| rounded(ms / 1000.0);
        ServiceFigures {
            resolution: cell.resolution,
            resolution_rate: Rate::new(resolved, told),
            connect_rate: Rate::new(cell.connected, cell.contacts),
            // Ratings and resolutions stand with the last agent's conversations.
            rating_response: Rate::new(rated, cell.resolution.iter().sum()),
            satisfied: Rate::new(satisfied, rated),
            rating: cell.mean_rating().map(rounded),
            transferred: Rate::new(cell.transferred, n),
            ping_pong: Rate::new(cell.ping_pong, n),
            asked_again: Rate::new(cell.asked_again, n),
            escalated: Rate::new(cell.escalated, n),
            transfer_wait: wait
                .mean()
                .zip(wait.quantile(900, Unit::Millis))
                .map(|(mean, p90)| (seconds(mean), seconds(p90 as f64), wait.n)),
            fcr_24h: Rate::new(cross.day.once, cross.day.observed),
            fcr_72h: Rate::new(cross.three_days.once, cross.three_days.observed),
            recontacts: (cross.day.seen, cross.three_days.seen),
            complaints: cross.complaints,
            complaint_24h: deadline(&cross.answered),
            complaint_72h: deadline(&cross.solved),
            complaints_early: (cross.answered.early, cross.solved.early),
            complaints_open: (cross.answered.open, cross.solved.open),
        }
    }

    /// Every rate with its id and Chinese name.
    fn rates(&self) -> [(&'static str, &'static str, Option<&Rate>); 12] {
        [
            ("resolution_rate", "解决率", self.resolution_rate.as_ref()),
            ("connect_rate", "接通率", self.connect_rate.as_ref()),
            ("rating_response", "参评率", self.rating_response.as_ref()),
            ("satisfied", "满意率(4–5分)", self.satisfied.as_ref()),
            ("transferred", "转接率", self.transferred.as_ref()),
            ("ping_pong", "来回转接率", self.ping_pong.as_ref()),
            ("asked_again", "重复索要信息率", self.asked_again.as_ref()),
            ("escalated", "升级率", self.escalated.as_ref()),
            ("fcr_24h", "一次性解决率(24小时无再次来访,推算)", self.fcr_24h.as_ref()),
            ("fcr_72h", "一次性解决率(72小时无再次来访,推算)", self.fcr_72h.as_ref()),
            ("complaint_24h", "投诉24小时内答复率", self.complaint_24h.as_ref()),
            ("complaint_72h", "投诉72小时内解决率", self.complaint_72h.as_ref()),
        ]
    }
}

/// Sets the service figures of everyone, teams and agents.
pub fn attach(cards: &mut Scorecards, aggregate: &Aggregate) {
    let service = &aggregate.service;
    let nothing = (Cell::default(), CrossCount::default());
    cards.all.service = Some(ServiceFigures::new(&service.all, &service.cross.all));
    let cross = |agent: &str| service.cross.agents.get(&hash(agent)).unwrap_or(&nothing.1);
    for agent in &mut cards.agents {
        let cell = service.get(Dimension::Agent, &agent.id).unwrap_or(&nothing.0);
        agent.service = Some(ServiceFigures::new(cell, cross(&agent.id)));
    }
    for team in &mut cards.teams {
        let mut sum = CrossCount::default();
        for (id, totals) in &aggregate.agents {
            if totals.team.as_deref() == Some(team.id.as_str()) {
                sum.merge(cross(id));
            }
        }
        let cell = service.get(Dimension::Team, &team.id).unwrap_or(&nothing.0);
        team.service = Some(ServiceFigures::new(cell, &sum));
    }
}

/// Writes `outcomes.csv`: a row for each figure of everyone, each team, agent and channel.
///
/// # Errors
/// When `out` cannot be written.
pub fn outcomes(out: &mut dyn Write, cards: &Scorecards, aggregate: &Aggregate, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    csv.write_record(match zh {
        true => ["维度", "取值", "指标", "数值", "95%下限", "95%上限", "分子", "分母"],
        false => ["dimension", "value", "figure", "number", "low", "high", "count", "of"],
    })?;
    let everyone = if zh { "全部" } else { "all" };
    let mut rows = Vec::new();
    let title = |d: Dimension| if zh { d.title() } else { d.id() };
    let own = |f: &Figures| f.service.clone().unwrap_or_default();
    rows.push((everyone, String::new(), own(&cards.all)));
    rows.extend(cards.teams.iter().map(|t| (title(Dimension::Team), t.id.clone(), own(t))));
    rows.extend(cards.agents.iter().map(|a| (title(Dimension::Agent), a.id.clone(), own(a))));
    for dimension in [Dimension::Channel, Dimension::Stage] {
        for (value, cell) in aggregate.service.cells.get(&dimension).into_iter().flatten() {
            rows.push((title(dimension), value.clone(), ServiceFigures::new(cell, &CrossCount::default())));
        }
    }
    for (dimension, value, figures) in rows {
        let value = cell(&value).into_owned();
        let mut write = |figure: &str, numbers: [String; 5]| {
            let start = [dimension.to_string(), value.clone(), figure.to_string()];
            csv.write_record(start.into_iter().chain(numbers))
        };
        for (id, name, rate) in figures.rates() {
            let Some(rate) = rate else { continue };
            let share = |v: f64| format!("{:.1}%", v * 100.0);
            let numbers =
                [share(rate.value), share(rate.low), share(rate.high), rate.count.to_string(), rate.of.to_string()];
            write(if zh { name } else { id }, numbers)?;
        }
        let plain = |v: String, of: u64| [v, String::new(), String::new(), String::new(), of.to_string()];
        if let Some(rating) = figures.rating {
            let of = figures.satisfied.as_ref().map_or(0, |s| s.of);
            write(if zh { "平均评分" } else { "rating" }, plain(format!("{rating:.2}"), of))?;
        }
        if let Some((mean, p90, n)) = figures.transfer_wait {
            write(if zh { "转接等待均值秒" } else { "transfer_wait_mean_s" }, plain(format!("{mean:.1}"), n))?;
            write(if zh { "转接等待P90秒" } else { "transfer_wait_p90_s" }, plain(format!("{p90:.1}"), n))?;
        }
        for (name, id, count) in [
            ("24小时内再次来访(已观察到)", "recontacts_24h", figures.recontacts.0),
            ("72小时内再次来访(已观察到)", "recontacts_72h", figures.recontacts.1),
            ("投诉件数", "complaints", figures.complaints),
            ("未到期限、已答复的投诉", "complaints_answered_early", figures.complaints_early.0),
            ("未到期限、已解决的投诉", "complaints_solved_early", figures.complaints_early.1),
            ("未到24小时期限、尚未答复的投诉", "complaints_not_due_24h", figures.complaints_open.0),
            ("未到72小时期限、尚未解决的投诉", "complaints_not_due_72h", figures.complaints_open.1),
        ] {
            if count > 0 {
                let numbers = [count.to_string(), String::new(), String::new(), String::new(), String::new()];
                write(if zh { name } else { id }, numbers)?;
            }
        }
    }
    csv.flush()
}

/// A profile's figure: seconds of a mean, or a share 0–1; `None` without a unit to count.
pub fn profile_value(profile: &Profile, count: &ProfileCount) -> Option<f64> {
    match profile.figure {
        Figure::Mean => (count.timed > 0).then(|| count.sum as f64 / 1000.0 / count.timed as f64),
        Figure::Within => (count.units > 0).then(|| count.within as f64 / count.units as f64),
    }
}

/// Writes `profiles.csv`: each platform figure for everyone and for each agent, with what was left out and why.
///
/// # Errors
/// When `out` cannot be written.
pub fn profiles(out: &mut dyn Write, pack: &Pack, aggregate: &Aggregate, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    let mut header: Vec<&str> = match zh {
        true => vec!["指标", "名称", "客服ID", "数值", "单位", "计入数", "有回复", "达标数", "计时秒数合计"],
        false => vec!["profile", "title", "agent_id", "value", "unit", "units", "answered", "within", "seconds_sum"],
    };
    let reasons: Vec<String> = Exclusion::ALL
        .iter()
        .map(|e| if zh { format!("剔除:{}", e.title()) } else { format!("excluded_{}", e.id()) })
        .collect();
    header.extend(reasons.iter().map(String::as_str));
    csv.write_record(&header)?;
    for profile in &pack.profiles {
        let Some(agents) = aggregate.service.profiles.get(&profile.id) else { continue };
        for (agent, count) in agents {
            let value = profile_value(profile, count);
            let (value, unit) = match profile.figure {
                Figure::Mean => (value.map(|v| format!("{v:.1}")), if zh { "秒" } else { "s" }),
                Figure::Within => (value.map(|v| format!("{:.1}", v * 100.0)), "%"),
            };
            let everyone = if zh { "全部" } else { "all" };
            let mut row = vec![
                profile.id.clone(),
                cell(if zh { &profile.title } else { &profile.title_en }).into_owned(),
                if agent.is_empty() { everyone.to_string() } else { cell(agent).into_owned() },
                value.unwrap_or_default(),
                unit.to_string(),
                count.units.to_string(),
                count.answered.to_string(),
                // Without a limit there is nothing to be within.
                profile.limit.map(|_| count.within.to_string()).unwrap_or_default(),
                format!("{:.1}", count.sum as f64 / 1000.0),
            ];
            row.extend(count.excluded.iter().map(u64::to_string));
            csv.write_record(row)?;
        }
    }
    csv.flush()
}
