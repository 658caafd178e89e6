//! The trace of one judgement, for the person who has to defend or mend it: what the engine read, which markers it saw
//! and nearly saw, and step by step why a rule found something, passed, or did not apply.
//!
//! ```
//! use zhijian::engine::{Engine, EngineOptions, Scratch};
//! let pack = zhijian::pack::Pack::default_pack().unwrap();
//! let engine = Engine::new(pack, EngineOptions::default()).unwrap();
//! let chat = ["客: 等了三天,太差劲了".to_string(), "服: 订单号发我".to_string()];
//! let conversation = zhijian::pack::chat::conversation(&chat).unwrap();
//! let explanation = zhijian::explain::explain(&engine, &conversation, None, true);
//! assert_eq!(explanation.turns.len(), 2);
//! assert!(explanation.turns[0].hits.iter().any(|h| h.marker == "negative"));
//! ```

mod judgement;
mod render;
pub mod words;

pub use judgement::{FindingTrace, RuleTrace};
pub use render::render;

use std::borrow::Cow;

use serde::Serialize;

use crate::conversation::{Conversation, Kind, Role, Turn};
use crate::engine::{Engine, Inspection, Scratch};
use crate::text::{self, View};
use crate::trace::{NearMiss, Recorder};

/// Everything there is to tell about one conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The conversation.
    pub conversation_id: String,
    /// What is known of it beside its words.
    pub about: String,
    /// Its turns.
    pub turns: Vec<TurnTrace>,
    /// Why it was not judged, if it was not.
    pub not_judged: Option<String>,
    /// Its agents with their scores.
    pub agents: Vec<AgentTrace>,
    /// The rules, by agent and rule.
    pub rules: Vec<RuleTrace>,
}

/// An agent's result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentTrace {
    /// Her id.
    pub agent_id: String,
    /// Points after critical overrides.
    pub score: Option<f64>,
    /// Points before.
    pub raw_score: Option<f64>,
}

/// One turn as the engine reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TurnTrace {
    /// Number, from 1.
    pub number: usize,
    /// Who speaks, in Chinese, with the agent's id.
    pub who: String,
    /// Why the turn carries no markers, where it cannot.
    pub ignored: Option<&'static str>,
    /// As exported.
    pub original: String,
    /// The plain view.
    pub plain: String,
    /// The squeezed view.
    pub squeezed: String,
    /// The words of the plain view.
    pub words: Vec<String>,
    /// Markers found.
    pub hits: Vec<HitTrace>,
    /// Markers that nearly matched.
    pub near: Vec<NearTrace>,
}

/// A marker found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HitTrace {
    /// Its id.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// The phrase or regex as written in the pack.
    pub phrase: String,
    /// The words it matched.
    pub quote: String,
    /// First byte in the original.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A marker that nearly matched.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearTrace {
    /// Its id.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// The phrase or regex as written in the pack.
    pub phrase: String,
    /// The words it would have matched.
    pub quote: String,
    /// What held it back.
    pub why: String,
}

/// What the parts of an explanation are made from.
pub(crate) struct Material<'m> {
    engine: &'m Engine,
    conversation: &'m Conversation<'m>,
    inspection: &'m Inspection,
    trace: &'m Recorder,
    mask: bool,
}

impl Material<'_> {
    fn part<'t>(&self, text: &'t str, part: crate::span::Span) -> Cow<'t, str> {
        if self.mask { text::mask_part(text, part) } else { Cow::Borrowed(part.slice(text)) }
    }

    fn quote<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.mask { text::mask(text) } else { Cow::Borrowed(text) }
    }

    fn near(&self, miss: &NearMiss) -> NearTrace {
        let pack = self.engine.pack();
        let text = &self.conversation.turns[miss.turn].text;
        let marker = &pack.markers[miss.marker as usize];
        let mut why = words::held(pack, self.engine.detector().block(miss.block), &miss.held, text);
        if miss.held == crate::trace::Held::Position
            && let Some(whole) = &marker.context.position
        {
            why = format!("位置不符,要求{}", words::position(whole));
        }
        NearTrace {
            marker: marker.id.clone(),
            title: marker.title.clone(),
            phrase: self.engine.detector().pattern(miss.pattern).to_string(),
            quote: self.part(text, miss.span).into_owned(),
            why: self.quote(&why).into_owned(),
        }
    }

    fn who(&self, turn: &Turn<'_>) -> String {
        match turn.role {
            Role::Agent => format!("客服 {}", self.conversation.agent_of(turn)),
            Role::Customer => "客户".into(),
            Role::Bot => "机器人".into(),
            Role::System => "系统".into(),
        }
    }

    fn turn(&self, number: usize) -> TurnTrace {
        let turn = &self.conversation.turns[number];
        let original = self.quote(&turn.text).into_owned();
        let (mut plain, mut squeezed) = (View::default(), View::default());
        text::plain(&original, &mut plain);
        text::squeezed(&plain, &mut squeezed);
        let segmenter = self.engine.detector().segmenter();
        let words = segmenter.map(|s| s.words(plain.text())).unwrap_or_default();
        let pack = self.engine.pack();
        let hit = |h: &crate::detect::hit::Hit| HitTrace {
            marker: pack.markers[h.marker as usize].id.clone(),
            title: pack.markers[h.marker as usize].title.clone(),
            phrase: self.engine.detector().phrase(h).to_string(),
            quote: self.part(&turn.text, h.span).into_owned(),
            start: h.span.start,
            end: h.span.end,
        };
        let hits = &self.inspection.hits;
        let mut near = Vec::new();
        for miss in self.trace.missed.iter().filter(|m| m.turn == number && !hits.has(number, m.marker)) {
            let trace = self.near(miss);
            let same = |n: &NearTrace| n.marker == trace.marker && n.quote == trace.quote && n.why == trace.why;
            if !near.iter().any(same) {
                near.push(trace);
            }
        }
        near.sort_by(|a, b| a.marker.cmp(&b.marker));
        TurnTrace {
            number: number + 1,
            who: self.who(turn),
            ignored: ignored(turn),
            words: words.into_iter().map(str::to_string).collect(),
            plain: plain.text().to_string(),
            squeezed: squeezed.text().to_string(),
            original,
            hits: hits.of(number).iter().map(hit).collect(),
            near,
        }
    }
}

/// Why a turn carries no markers.
fn ignored(turn: &Turn<'_>) -> Option<&'static str> {
    match (turn.role, turn.kind) {
        (Role::Bot, _) => Some("机器人的话不记功过"),
        (Role::System, _) => Some("系统消息不记功过"),
        (_, Kind::AutoReply) => Some("自动回复不记功过"),
        (_, Kind::Recalled) => Some("已撤回的消息不看"),
        (_, kind) if !kind.is_words() => Some("不是文字"),
        _ => None,
    }
}

/// Explains a conversation; `only` names the rule to be explained, `mask` hides personal data.
pub fn explain(engine: &Engine, conversation: &Conversation<'_>, only: Option<usize>, mask: bool) -> Explanation {
    let (mut scratch, mut trace) = (Scratch::default(), Recorder::default());
    engine.inspect_traced(conversation, &mut scratch, &mut trace);
    let inspection = &scratch.inspection;
    let material = Material { engine, conversation, inspection, trace: &trace, mask };
    let agent_id = |agent: usize| {
        let turn = &conversation.turns[inspection.layout.agents[agent]];
        conversation.agent_of(turn).to_string()
    };
    let points = |milli: i64| milli as f64 / 1000.0;
    let agents = inspection.agents.iter().enumerate().map(|(n, part)| AgentTrace {
        agent_id: agent_id(n),
        score: part.score.as_ref().map(|s| points(s.score)),
        raw_score: part.score.as_ref().map(|s| points(s.raw)),
    });
    let mut rules = Vec::new();
    for agent in 0..inspection.agents.len() {
        for rule in 0..engine.pack().rules.len() {
            if only.is_none_or(|o| o == rule) {
                rules.push(judgement::rule(&material, agent, rule, &agent_id(agent)));
            }
        }
    }
    let known = [
        ("渠道", conversation.channel.as_deref()),
        ("阶段", conversation.stage.as_deref()),
        ("队列", conversation.queue.as_deref()),
    ];
    let tags = conversation.tags.join("、");
    let known = known.into_iter().chain([("标签", Some(tags.as_str()).filter(|t| !t.is_empty()))]);
    let mut about: Vec<String> = known.filter_map(|(n, v)| v.map(|v| format!("{n} {v}"))).collect();
    about.extend(conversation.rating.map(|r| format!("客户评分 {r}")));
    Explanation {
        conversation_id: conversation.id.to_string(),
        about: about.join(" · "),
        turns: (0..conversation.turns.len()).map(|n| material.turn(n)).collect(),
        not_judged: inspection.not_judged.map(not_judged),
        agents: agents.collect(),
        rules,
    }
}

fn not_judged(reason: crate::engine::NotJudged) -> String {
    use crate::engine::NotJudged;
    match reason {
        NotJudged::NoAgent => "没有人工客服说话,不评分".into(),
        NotJudged::TooThin => "客服或客户的消息太少(评分卡 [gate]),不评分".into(),
        NotJudged::NothingApplicable => "没有任何扣分规则适用,不评分".into(),
    }
}
