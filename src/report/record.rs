//! One line of `conversations.jsonl`: everything said about a conversation, with the evidence.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::Points;
use super::outcome_record::{self as outcome, HandoverRecord, ProfileRecord, ResolutionRecord, TopicRecord};
use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection};
use crate::judge::Outcome;
use crate::metrics::{METRICS, Measures, Unit};
use crate::pipeline::Format;

/// Writes the records of `conversations.jsonl`.
pub struct ConversationRecords {
    /// Mask personal data in quotes.
    pub mask: bool,
    /// Write each platform profile's rounds and exclusions.
    pub profiles: bool,
}

#[derive(Serialize)]
struct Record<'r> {
    conversation_id: &'r str,
    score: Option<Points>,
    raw_score: Option<Points>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    suspect: &'static [&'static str],
    satisfaction_estimate: Option<f64>,
    satisfaction_reasons: Vec<ReasonRecord>,
    resolution: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution_evidence: Option<ResolutionRecord<'r>>,
    topics: Vec<TopicRecord<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handover: Option<HandoverRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<ProfileRecord<'r>>,
    metrics: MetricsMap<'r>,
    agents: Vec<AgentRecord<'r>>,
    findings: Vec<FindingRecord<'r>>,
    not_applicable: Vec<&'r str>,
}

#[derive(Serialize)]
struct AgentRecord<'r> {
    agent_id: &'r str,
    score: Option<Points>,
    raw_score: Option<Points>,
    passed: bool,
    critical: bool,
    dimensions: Dimensions<'r>,
}

/// What moved the satisfaction estimate.
#[derive(Serialize)]
struct ReasonRecord {
    title: String,
    turn: Option<u32>,
    direction: &'static str,
    effect: f64,
}

#[derive(Serialize)]
struct FindingRecord<'r> {
    rule: &'r str,
    title: &'r str,
    severity: &'static str,
    dimension: &'r str,
    points: Points,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    capped: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    review: bool,
    agent_id: &'r str,
    turn: u32,
    start: u32,
    end: u32,
    quote: Cow<'r, str>,
    phrase: &'r str,
    why: Cow<'r, str>,
}

/// Measures by id: milliseconds as seconds, ratios as numbers, unknown ones null.
pub struct MetricsMap<'m>(pub &'m Measures);

impl Serialize for MetricsMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(METRICS.len()))?;
        for (metric, id, _, unit) in METRICS {
            let value = self.0.get(*metric);
            match unit {
                Unit::Count => map.serialize_entry(id, &value)?,
                Unit::Millis | Unit::Ratio => map.serialize_entry(id, &value.map(Points))?,
            }
        }
        map.end()
    }
}

/// Points kept of each dimension's weight; dimensions that were not applicable are null.
struct Dimensions<'d> {
    engine: &'d Engine,
    scores: &'d [crate::score::DimensionScore],
}

impl Serialize for Dimensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let definitions = &self.engine.pack().scorecard.dimensions;
        let mut map = serializer.serialize_map(Some(definitions.len()))?;
        for (definition, score) in definitions.iter().zip(self.scores) {
            let weight = i64::from(definition.weight) * 1000;
            let kept = score.applicable.then(|| Points(weight - score.lost));
            map.serialize_entry(&definition.id, &kept)?;
        }
        map.end()
    }
}

impl Format for ConversationRecords {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        let pack = engine.pack();
        let agent_id = |agent: usize| conversation.agent_of(&conversation.turns[inspection.layout.agents[agent]]);
        let masked = |text: &'_ str| -> String {
            if self.mask { crate::text::mask(text).into_owned() } else { text.to_string() }
        };
        let findings = inspection.agents.iter().flat_map(|part| &part.judgement.findings).map(|f| {
            let rule = &pack.rules[f.rule];
            FindingRecord {
                rule: &rule.id,
                title: &rule.title,
                severity: rule.severity.id(),
                dimension: &pack.scorecard.dimensions[rule.dimension].id,
                points: Points(f.points),
                capped: f.capped,
                review: f.review,
                agent_id: agent_id(f.agent),
                turn: f.turn,
                start: f.span.start,
                end: f.span.end,
                quote: {
                    let text = &conversation.turns[f.turn as usize].text;
                    if self.mask { crate::text::mask_part(text, f.span) } else { f.span.slice(text).into() }
                },
                phrase: &f.phrase,
                why: Cow::Owned(masked(&f.why)),
            }
        });
        let reasons = inspection.satisfaction.reasons.iter().map(|reason| ReasonRecord {
            title: pack.satisfaction.as_ref().map(|model| model.describe(reason.part)).unwrap_or_default(),
            turn: reason.turn,
            direction: if reason.effect < 0 { "down" } else { "up" },
            effect: reason.effect as f64 / 1000.0,
        });
        let not_applicable = pack.rules.iter().enumerate().filter(|(n, rule)| {
            !rule.off
                && !inspection.agents.is_empty()
                && inspection.agents.iter().all(|a| a.judgement.outcomes[*n] == Outcome::NotApplicable)
        });
        let record = Record {
            conversation_id: &conversation.id,
            score: inspection.score.map(|s| Points(s.0)),
            raw_score: inspection.score.map(|s| Points(s.1)),
            not_judged: inspection.not_judged.map(|n| n.id()),
            suspect: if inspection.swapped { &["role_swap"] } else { &[] },
            satisfaction_estimate: inspection.satisfaction.estimate.map(|milli| milli as f64 / 1000.0),
            satisfaction_reasons: reasons.collect(),
            resolution: inspection.verdict.resolution.id(),
            resolution_evidence: outcome::resolution(pack, conversation, inspection, self.mask),
            topics: outcome::topics(pack, conversation, inspection, self.mask),
            handover: outcome::handover(inspection),
            profiles: if self.profiles { outcome::profiles(pack, conversation, inspection) } else { Vec::new() },
            metrics: MetricsMap(&inspection.measures),
            agents: inspection
                .agents
                .iter()
                .enumerate()
                .map(|(number, part)| {
                    let score = part.score.as_ref();
                    AgentRecord {
                        agent_id: agent_id(number),
                        score: score.map(|s| Points(s.score)),
                        raw_score: score.map(|s| Points(s.raw)),
                        passed: score.is_some_and(|s| s.passed),
                        critical: score.is_some_and(|s| s.critical),
                        dimensions: Dimensions { engine, scores: score.map_or(&[], |s| &s.dimensions) },
                    }
                })
                .collect(),
            findings: findings.collect(),
            not_applicable: not_applicable.map(|(_, r)| r.id.as_str()).collect(),
        };
        // Writing to memory cannot fail and the record holds only strings and numbers.
        if serde_json::to_writer(&mut *out, &record).is_ok() {
            out.push(b'\n');
        }
    }
}
