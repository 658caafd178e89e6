//! A case: one agent's part of a conversation as the machine judged it, with all that a review and a new score need.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::FindingKey;
use super::plan::Unit;
use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection};
use crate::judge::{AgentJudgement, Finding, Outcome};
use crate::pack::Pack;
use crate::pipeline::Format;
use crate::report::chat::Chat;
use crate::span::Span;

/// A finding of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFinding {
    /// The rule.
    pub rule: String,
    /// Milli-points after caps.
    pub points: i64,
    /// The rule's cap took some of it.
    pub capped: bool,
    /// Left to a person.
    pub review: bool,
    /// Index of the turn.
    pub turn: u32,
    /// Bytes of the original turn.
    pub span: (u32, u32),
    /// What matched.
    pub phrase: String,
    /// The words, masked.
    pub quote: String,
    /// Why, masked.
    pub why: String,
}

impl CaseFinding {
    /// Its name.
    pub fn key(&self) -> FindingKey {
        FindingKey { rule: self.rule.clone(), turn: self.turn }
    }
}

/// One agent's part of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The conversation.
    pub conversation: String,
    /// The agent.
    pub agent: String,
    /// Her number in the conversation.
    pub number: usize,
    /// Her name, where known.
    pub name: Option<String>,
    /// Her team, where known.
    pub team: Option<String>,
    /// Channel, empty where unknown.
    pub channel: String,
    /// Stage, empty where unknown.
    pub stage: String,
    /// `channel/stage/reason`, as case mix counts it.
    pub kind: String,
    /// Agent and customer seem to have changed places.
    pub swapped: bool,
    /// Milli-points.
    pub score: i64,
    /// Milli-points before critical findings.
    pub raw: i64,
    /// Passed.
    pub passed: bool,
    /// With a critical finding.
    pub critical: bool,
    /// Rules that were due, and whether they were found.
    pub due: BTreeMap<String, bool>,
    /// The findings.
    pub findings: Vec<CaseFinding>,
    /// The masked chat; `None` in a record made for drawing only.
    pub chat: Option<Chat>,
}

impl Case {
    /// The cases of an inspected conversation, an agent each.
    pub fn of(engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection, chat: bool) -> Vec<Case> {
        let pack = engine.pack();
        let channel = conversation.channel.as_deref().unwrap_or("");
        let stage = conversation.stage.as_deref().unwrap_or("");
        let reason = inspection.main_topic.map_or("", |t| pack.topics.list[usize::from(t)].id.as_str());
        let chat = chat.then(|| Chat::new(engine, conversation, inspection, true));
        let mut out = Vec::new();
        for (number, part) in inspection.agents.iter().enumerate() {
            let Some(score) = &part.score else { continue };
            let agent = conversation.agent_of(&conversation.turns[inspection.layout.agents[number]]);
            let info = conversation.agent_info(agent);
            let outcomes = pack.rules.iter().zip(&part.judgement.outcomes);
            let due = outcomes.filter(|(_, o)| **o != Outcome::NotApplicable);
            let masked = |text: &str| crate::text::mask(text).into_owned();
            let finding = |f: &Finding| CaseFinding {
                rule: pack.rules[f.rule].id.clone(),
                points: f.points,
                capped: f.capped,
                review: f.review,
                turn: f.turn,
                span: (f.span.start, f.span.end),
                phrase: f.phrase.clone(),
                quote: crate::text::mask_part(&conversation.turns[f.turn as usize].text, f.span).into_owned(),
                why: masked(&f.why),
            };
            out.push(Case {
                conversation: conversation.id.to_string(),
                agent: agent.to_string(),
                number,
                name: info.and_then(|i| i.name.as_deref()).map(str::to_string),
                team: info.and_then(|i| i.team.as_deref()).map(str::to_string),
                channel: channel.to_string(),
                stage: stage.to_string(),
                kind: format!("{channel}/{stage}/{reason}"),
                swapped: inspection.swapped,
                score: score.score,
                raw: score.raw,
                passed: score.passed,
                critical: score.critical,
                due: due.map(|(rule, o)| (rule.id.clone(), *o == Outcome::Found)).collect(),
                findings: part.judgement.findings.iter().map(finding).collect(),
                chat: chat.clone(),
            });
        }
        out
    }

    /// What drawing needs of it.
    pub fn unit(&self) -> Unit {
        Unit {
            conversation: self.conversation.clone(),
            agent: self.agent.clone(),
            channel: self.channel.clone(),
            stage: self.stage.clone(),
            raw: self.raw,
            critical: self.critical,
            swapped: self.swapped,
            unsure: self.findings.iter().any(|f| f.review),
            rules: self.findings.iter().map(|f| f.rule.clone()).collect(),
        }
    }

    /// The agent's name with the id.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) if *name != self.agent => format!("{name}({})", self.agent),
            _ => self.agent.clone(),
        }
    }

    /// The judgement it was made from, by the numbers of `pack`; `None` when that pack lacks one of its rules.
    pub fn judgement(&self, pack: &Pack) -> Option<AgentJudgement> {
        let mut out =
            AgentJudgement { outcomes: vec![Outcome::NotApplicable; pack.rules.len()], ..AgentJudgement::default() };
        for (rule, found) in &self.due {
            out.outcomes[pack.rule(rule)?] = if *found { Outcome::Found } else { Outcome::Passed };
        }
        for f in &self.findings {
            out.findings.push(Finding {
                rule: pack.rule(&f.rule)?,
                agent: self.number,
                points: f.points,
                capped: f.capped,
                review: f.review,
                turn: f.turn,
                span: Span::new(f.span.0 as usize, f.span.1 as usize),
                phrase: f.phrase.clone(),
                why: f.why.clone(),
            });
        }
        Some(out)
    }
}

/// Writes cases as lines of JSON: those of some conversations with their chats, or all without.
#[derive(Debug, Default)]
pub struct CaseRecords {
    /// The conversations wanted, with their chats; `None` for all, without.
    pub wanted: Option<BTreeSet<String>>,
}

impl Format for CaseRecords {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&*conversation.id)) {
            return;
        }
        for case in Case::of(engine, conversation, inspection, self.wanted.is_some()) {
            // Writing to memory cannot fail, and a case holds only strings and numbers.
            if serde_json::to_writer(&mut *out, &case).is_ok() {
                out.push(b'\n');
            }
        }
    }
}
