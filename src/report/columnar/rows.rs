//! The lines of `conversations.jsonl` as rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::table::{Kind, Table};
use crate::metrics::{METRICS, Unit};

/// The three files.
pub struct Tables {
    conversations: Table,
    findings: Table,
    agents: Table,
    dimensions: Vec<String>,
}

#[derive(Deserialize)]
struct Record<'r> {
    #[serde(borrow)]
    conversation_id: Cow<'r, str>,
    score: Option<f64>,
    raw_score: Option<f64>,
    #[serde(borrow)]
    not_judged: Option<Cow<'r, str>>,
    #[serde(default)]
    suspect: Vec<Cow<'r, str>>,
    satisfaction_estimate: Option<f64>,
    #[serde(borrow)]
    resolution: Cow<'r, str>,
    metrics: BTreeMap<Cow<'r, str>, Option<f64>>,
    agents: Vec<Agent<'r>>,
    findings: Vec<Finding<'r>>,
    #[serde(borrow)]
    topics: &'r RawValue,
    #[serde(borrow)]
    satisfaction_reasons: &'r RawValue,
    #[serde(borrow)]
    resolution_evidence: Option<&'r RawValue>,
    #[serde(borrow)]
    handover: Option<&'r RawValue>,
    #[serde(borrow)]
    profiles: Option<&'r RawValue>,
    #[serde(borrow)]
    not_applicable: &'r RawValue,
}

/// What is left of a record for a column of JSON, as it stands in the line.
#[derive(Serialize)]
struct Details<'r> {
    satisfaction_reasons: &'r RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution_evidence: Option<&'r RawValue>,
    topics: &'r RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    handover: Option<&'r RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<&'r RawValue>,
    not_applicable: &'r RawValue,
}

#[derive(Deserialize)]
struct Topic<'r> {
    #[serde(borrow)]
    id: Cow<'r, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Handover {
    transfers: i64,
    longest_wait: Option<f64>,
    asked_again: Option<u32>,
    escalated: Option<u32>,
    complaint: Option<u32>,
}

#[derive(Deserialize)]
struct Agent<'r> {
    #[serde(borrow)]
    agent_id: Cow<'r, str>,
    score: Option<f64>,
    raw_score: Option<f64>,
    passed: bool,
    critical: bool,
    dimensions: BTreeMap<Cow<'r, str>, Option<f64>>,
}

#[derive(Deserialize)]
struct Finding<'r> {
    #[serde(borrow)]
    rule: Cow<'r, str>,
    #[serde(borrow)]
    title: Cow<'r, str>,
    #[serde(borrow)]
    severity: Cow<'r, str>,
    #[serde(borrow)]
    dimension: Cow<'r, str>,
    points: f64,
    #[serde(default)]
    capped: bool,
    #[serde(default)]
    review: bool,
    #[serde(borrow)]
    agent_id: Cow<'r, str>,
    turn: i64,
    start: i64,
    end: i64,
    #[serde(borrow)]
    quote: Cow<'r, str>,
    #[serde(borrow)]
    phrase: Cow<'r, str>,
    #[serde(borrow)]
    why: Cow<'r, str>,
}

#[derive(Deserialize)]
struct Context<'r> {
    #[serde(borrow, default)]
    channel: Option<Cow<'r, str>>,
    #[serde(borrow, default)]
    stage: Option<Cow<'r, str>>,
    #[serde(borrow, default)]
    queue: Option<Cow<'r, str>>,
    began: Option<i64>,
    rating: Option<i64>,
    #[serde(borrow)]
    agents: Vec<Person<'r>>,
}

/// Name and team.
type Person<'r> = (Option<Cow<'r, str>>, Option<Cow<'r, str>>);

impl Tables {
    /// Empty files, of a pack with these dimensions.
    pub fn new(files: Vec<BufWriter<File>>, dimensions: &[String]) -> std::io::Result<Tables> {
        use Kind::{Count, Flag, Number, Text, Texts, Time};
        let named = |columns: &[(&str, Kind)]| -> Vec<(String, Kind)> {
            columns.iter().map(|(name, kind)| (name.to_string(), *kind)).collect()
        };
        let mut conversations = named(&[
            ("conversation_id", Text),
            ("channel", Text),
            ("stage", Text),
            ("queue", Text),
            ("began", Time),
            ("rating", Count),
            ("score", Number),
            ("raw_score", Number),
            ("passed", Flag),
            ("critical", Flag),
            ("not_judged", Text),
            ("suspect", Texts),
            ("satisfaction_estimate", Number),
            ("resolution", Text),
            ("topic", Text),
            ("topics", Texts),
            ("agent_ids", Texts),
            ("findings", Count),
            ("reviews", Count),
            ("transfers", Count),
            ("longest_wait", Number),
            ("asked_again", Flag),
            ("escalated", Flag),
            ("complaint", Flag),
        ]);
        conversations.extend(
            METRICS.iter().map(|(_, id, _, unit)| (id.to_string(), if *unit == Unit::Count { Count } else { Number })),
        );
        conversations.push(("details".into(), Text));
        let findings = named(&[
            ("conversation_id", Text),
            ("agent_id", Text),
            ("rule", Text),
            ("title", Text),
            ("severity", Text),
            ("dimension", Text),
            ("points", Number),
            ("capped", Flag),
            ("review", Flag),
            ("turn", Count),
            ("start", Count),
            ("end", Count),
            ("quote", Text),
            ("phrase", Text),
            ("why", Text),
        ]);
        let mut agents = named(&[
            ("conversation_id", Text),
            ("agent_id", Text),
            ("name", Text),
            ("team", Text),
            ("score", Number),
            ("raw_score", Number),
            ("passed", Flag),
            ("critical", Flag),
        ]);
        agents.extend(dimensions.iter().map(|id| (format!("dimension_{id}"), Number)));
        let mut files = files.into_iter();
        let mut table = |columns: &[(String, Kind)]| {
            let file = files.next().ok_or_else(|| std::io::Error::other("three files are needed"))?;
            Table::new(file, columns)
        };
        Ok(Tables {
            conversations: table(&conversations)?,
            findings: table(&findings)?,
            agents: table(&agents)?,
            dimensions: dimensions.to_vec(),
        })
    }

    /// Adds a block of records, each with its context on the next line.
    pub fn add(&mut self, block: &[u8]) -> std::io::Result<()> {
        let mut lines = block.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        while let (Some(record), Some(context)) = (lines.next(), lines.next()) {
            self.one(&serde_json::from_slice(record)?, &serde_json::from_slice(context)?)?;
        }
        Ok(())
    }

    fn one(&mut self, record: &Record<'_>, context: &Context<'_>) -> std::io::Result<()> {
        let id = Some(&*record.conversation_id);
        let topics: Vec<Topic<'_>> = serde_json::from_str(record.topics.get())?;
        let handover: Handover = match record.handover {
            Some(handover) => serde_json::from_str(handover.get())?,
            None => Handover::default(),
        };
        let details = serde_json::to_string(&Details {
            satisfaction_reasons: record.satisfaction_reasons,
            resolution_evidence: record.resolution_evidence,
            topics: record.topics,
            handover: record.handover,
            profiles: record.profiles,
            not_applicable: record.not_applicable,
        })?;
        let scored = |what: fn(&Agent<'_>) -> bool, all: bool| {
            let mut scored = record.agents.iter().filter(|a| a.score.is_some()).map(what);
            record.score.map(|_| if all { scored.all(|s| s) } else { scored.any(|s| s) })
        };
        let reviews = record.findings.iter().filter(|f| f.review).count();
        let mut row = self.conversations.row();
        row.text(id)
            .text(context.channel.as_deref())
            .text(context.stage.as_deref())
            .text(context.queue.as_deref())
            .time(context.began)
            .count(context.rating)
            .number(record.score)
            .number(record.raw_score)
            .flag(scored(|a| a.passed, true))
            .flag(scored(|a| a.critical, false))
            .text(record.not_judged.as_deref())
            .texts(record.suspect.iter().map(|s| &**s))
            .number(record.satisfaction_estimate)
            .text(Some(&record.resolution))
            .text(topics.first().map(|t| &*t.id))
            .texts(topics.iter().map(|t| &*t.id))
            .texts(record.agents.iter().map(|a| &*a.agent_id))
            .count(Some((record.findings.len() - reviews) as i64))
            .count(Some(reviews as i64))
            .count(Some(handover.transfers))
            .number(handover.longest_wait)
            .flag(Some(handover.asked_again.is_some()))
            .flag(Some(handover.escalated.is_some()))
            .flag(Some(handover.complaint.is_some()));
        for (_, metric, _, unit) in METRICS {
            let value = record.metrics.get(*metric).copied().flatten();
            match unit {
                Unit::Count => row.count(value.map(|v| v as i64)),
                Unit::Millis | Unit::Ratio => row.number(value),
            };
        }
        row.text(Some(&details));
        self.conversations.end()?;
        for finding in &record.findings {
            self.findings
                .row()
                .text(id)
                .text(Some(&finding.agent_id))
                .text(Some(&finding.rule))
                .text(Some(&finding.title))
                .text(Some(&finding.severity))
                .text(Some(&finding.dimension))
                .number(Some(finding.points))
                .flag(Some(finding.capped))
                .flag(Some(finding.review))
                .count(Some(finding.turn))
                .count(Some(finding.start))
                .count(Some(finding.end))
                .text(Some(&finding.quote))
                .text(Some(&finding.phrase))
                .text(Some(&finding.why));
            self.findings.end()?;
        }
        for (number, agent) in record.agents.iter().enumerate() {
            let (name, team) = context.agents.get(number).map_or((None, None), |(n, t)| (n.as_deref(), t.as_deref()));
            let mut row = self.agents.row();
            row.text(id)
                .text(Some(&agent.agent_id))
                .text(name)
                .text(team)
                .number(agent.score)
                .number(agent.raw_score)
                .flag(agent.score.map(|_| agent.passed))
                .flag(agent.score.map(|_| agent.critical));
            for dimension in &self.dimensions {
                row.number(agent.dimensions.get(dimension.as_str()).copied().flatten());
            }
            self.agents.end()?;
        }
        Ok(())
    }

    /// Completes the files.
    pub fn finish(self) -> std::io::Result<Vec<BufWriter<File>>> {
        Ok(vec![self.conversations.finish()?, self.findings.finish()?, self.agents.finish()?])
    }
}
