//! The pure core in one place: a compiled pack that turns a conversation into an [`Inspection`].

use jiff::tz::TimeZone;

use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::detect::{DetectScratch, Detector, SegmentMode};
use crate::error::Result;
use crate::judge::{self, AgentJudgement, Case, Lang, Repeats};
use crate::layout::Layout;
use crate::metrics::handover::{Handover, HandoverMarkers};
use crate::metrics::profile::{self, ProfileView};
use crate::metrics::resolution::{ResolutionMarkers, Verdict};
use crate::metrics::satisfaction::{Satisfaction, SatisfactionScratch};
use crate::metrics::topics::{Found, TopicMatcher, TopicScratch};
use crate::metrics::{Marks, Measures, measure};
use crate::pack::Pack;
use crate::pack::expression::MarkerId;
use crate::score::{AgentScore, conversation_score, score};
use crate::text::{Dictionary, View};
use crate::trace::{NoTrace, Trace};

/// Settings of an engine.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// When words are segmented.
    pub segment: SegmentMode,
    /// Language of the findings' sentences.
    pub lang: Lang,
    /// Zone for hours of the day and effective dates.
    pub timezone: TimeZone,
    /// Mask personal data in the words that findings' sentences quote.
    pub mask: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        let timezone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
        EngineOptions { segment: SegmentMode::default(), lang: Lang::default(), timezone, mask: true }
    }
}

/// A compiled pack. Shared by all threads.
#[derive(Debug)]
pub struct Engine {
    pack: Pack,
    detector: Detector,
    options: EngineOptions,
    wait: Option<MarkerId>,
    polite: Vec<MarkerId>,
    repeats: bool,
    resolution: ResolutionMarkers,
    handover: HandoverMarkers,
    topics: TopicMatcher,
    gates: judge::Gates,
}

/// What is known of an agent's part of a conversation.
#[derive(Debug, Clone, Default)]
pub struct AgentPart {
    /// The outcome of every rule, and the findings.
    pub judgement: AgentJudgement,
    /// Her score; `None` when nothing was applicable.
    pub score: Option<AgentScore>,
}

/// Everything the engine says about one conversation. Buffers are reused from conversation to conversation.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Where the turns stand.
    pub layout: Layout,
    /// Which turn carries which marker.
    pub hits: Hits,
    /// Measures of the whole conversation.
    pub measures: Measures,
    /// Measures of each agent's part.
    pub agent_measures: Vec<Measures>,
    /// How satisfied the customer seems, and why.
    pub satisfaction: Satisfaction,
    /// Whether the customer's matter was resolved.
    pub verdict: Verdict,
    /// Why the customer came: reasons and product faults, the main one first.
    pub topics: Vec<Found>,
    /// The main first-level reason; the pack's catch-all where nothing shows.
    pub main_topic: Option<u16>,
    /// Hand-overs, escalation, complaint.
    pub handover: Handover,
    /// The conversation as each platform profile of the pack sees it.
    pub profiles: Vec<ProfileView>,
    /// When it began, in the zone of the settings.
    pub began: Option<jiff::civil::DateTime>,
    /// Judgements of each agent, in order of first appearance; empty when not judged.
    pub agents: Vec<AgentPart>,
    /// Score and raw score in milli-points; `None` when not judged.
    pub score: Option<(i64, i64)>,
    /// Why it was not judged.
    pub not_judged: Option<NotJudged>,
    /// Agent and customer seem to have changed places in the export; all findings go to review.
    pub swapped: bool,
}

/// Why a conversation has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotJudged {
    /// No person of the team speaks in it.
    NoAgent,
    /// Fewer turns than the scorecard's gate asks for.
    TooThin,
    /// No rule was applicable.
    NothingApplicable,
}

impl NotJudged {
    /// Stable id for outputs.
    pub fn id(self) -> &'static str {
        match self {
            NotJudged::NoAgent => "no_agent",
            NotJudged::TooThin => "too_thin",
            NotJudged::NothingApplicable => "nothing_applicable",
        }
    }
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    detect: DetectScratch,
    repeats: Repeats,
    satisfaction: SatisfactionScratch,
    view: View,
    topics: TopicScratch,
    /// The last inspection.
    pub inspection: Inspection,
}

impl Engine {
    /// Compiles a pack.
    ///
    /// # Errors
    /// When its phrases do not fit an automaton, or its user words cannot be read.
    pub fn new(pack: Pack, options: EngineOptions) -> Result<Engine> {
        Engine::open(options, || Ok(pack))
    }

    /// Reads a pack and compiles it; jieba's dictionary loads beside both.
    ///
    /// # Errors
    /// Those of `read`, and as [`Engine::new`].
    pub fn open(options: EngineOptions, read: impl FnOnce() -> Result<Pack>) -> Result<Engine> {
        std::thread::scope(|scope| {
            let loading = (options.segment != SegmentMode::Off).then(|| scope.spawn(Dictionary::load));
            let loaded = || match loading.map(|thread| thread.join()) {
                Some(Ok(dictionary)) => dictionary,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => Dictionary::load(),
            };
            Engine::compile(read()?, options, loaded)
        })
    }

    fn compile(pack: Pack, options: EngineOptions, dictionary: impl FnOnce() -> Dictionary) -> Result<Engine> {
        let detector = Detector::new(&pack, options.segment, dictionary)?;
        let wait = pack.marker("please_wait");
        let polite = ["thanks", "resolved", "goodbye"].iter().filter_map(|m| pack.marker(m)).collect();
        let mut repeats = false;
        for rule in &pack.rules {
            use crate::pack::rule::Demand;
            let mut seen = |e: &crate::pack::expression::Expr| e.repeats(&mut |_, _| repeats = true);
            rule.when.iter().for_each(&mut seen);
            if let Demand::Require(e) | Demand::Forbid(e) = &rule.demand {
                seen(e);
            }
        }
        let (resolution, handover) = (ResolutionMarkers::new(&pack), HandoverMarkers::new(&pack));
        let topics = TopicMatcher::new(&pack.topics)?;
        let gates = judge::Gates::new(&pack);
        Ok(Engine { pack, detector, options, wait, polite, repeats, resolution, handover, topics, gates })
    }

    /// The pack.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The detector.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// The settings.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Finds the markers of a conversation; fills layout and hits of `scratch.inspection`.
    pub fn annotate<'s>(&self, conversation: &Conversation<'_>, scratch: &'s mut Scratch) -> &'s Inspection {
        let out = &mut scratch.inspection;
        out.layout.fill(conversation);
        self.detector.detect(conversation, &out.layout, &mut scratch.detect, &mut out.hits);
        out
    }

    /// Inspects a conversation.
    pub fn inspect<'s>(&self, conversation: &Conversation<'_>, scratch: &'s mut Scratch) -> &'s Inspection {
        self.inspect_traced(conversation, scratch, &mut NoTrace)
    }

    /// Inspects a conversation and tells `trace` what was considered.
    pub fn inspect_traced<'s, T: Trace>(
        &self,
        conversation: &Conversation<'_>,
        scratch: &'s mut Scratch,
        trace: &mut T,
    ) -> &'s Inspection {
        self.observe(conversation, scratch, trace);
        if self.repeats {
            let segmenter = self.detector.segmenter();
            let known = scratch.detect.fingerprints();
            scratch.repeats.fill(conversation, known, &self.pack.repeat, segmenter, &mut scratch.view);
        }
        let out = &mut scratch.inspection;
        let marks = ConversationMarks { hits: &out.hits, wait: self.wait, polite: &self.polite };
        out.measures = measure(conversation, &out.layout, None, &marks);
        out.agent_measures.clear();
        for agent in 0..out.layout.agent_count() {
            out.agent_measures.push(measure(conversation, &out.layout, Some(agent), &marks));
        }
        if let Some(model) = &self.pack.satisfaction {
            let segmenter = self.detector.segmenter();
            model.estimate(conversation, &out.hits, segmenter, &mut scratch.satisfaction, &mut out.satisfaction);
        }
        self.outcomes(conversation, out);
        out.swapped = self.swapped(conversation, &out.hits);
        out.agents.clear();
        out.score = None;
        out.not_judged = self.gate(conversation, &out.layout);
        if out.not_judged.is_some() {
            return out;
        }
        for agent in 0..out.layout.agent_count() {
            let case = Case {
                conversation,
                layout: &out.layout,
                hits: &out.hits,
                gates: &self.gates,
                detector: &self.detector,
                repeats: &scratch.repeats,
                measures: &out.agent_measures,
                began: out.began,
                swapped: out.swapped,
                lang: self.options.lang,
                mask: self.options.mask,
            };
            let judgement = judge::judge_traced(&self.pack, &case, agent, trace);
            let score = score(&self.pack, &judgement);
            out.agents.push(AgentPart { judgement, score });
        }
        out.score = conversation_score(out.agents.iter().filter_map(|a| a.score.as_ref()));
        if out.score.is_none() {
            out.not_judged = Some(NotJudged::NothingApplicable);
        }
        out
    }

    /// As [`Engine::annotate`], and looks for topics in the customer's messages.
    fn observe<T: Trace>(&self, conversation: &Conversation<'_>, scratch: &mut Scratch, trace: &mut T) {
        let Scratch { detect, topics, inspection: out, .. } = scratch;
        out.layout.fill(conversation);
        self.topics.start(topics, &mut out.topics);
        let found = &mut out.topics;
        self.detector.detect_and(conversation, &out.layout, detect, &mut out.hits, trace, &mut |turn, said, plain| {
            if said.role == Role::Customer {
                self.topics.message(turn, said, plain, topics, found);
            }
        });
        out.main_topic = self.topics.finish(&mut out.topics);
    }

    /// Resolution, hand-overs and platform figures.
    fn outcomes(&self, conversation: &Conversation<'_>, out: &mut Inspection) {
        out.verdict = self.resolution.judge(conversation, &out.layout, &out.hits);
        self.handover.fill(conversation, &out.layout, &out.hits, &mut out.handover);
        let began = conversation.started_at.or_else(|| conversation.turns.iter().find_map(|t| t.at));
        let began = began.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let offset = began.map(|t| self.options.timezone.to_offset(t));
        out.began = began.zip(offset).map(|(t, offset)| offset.to_datetime(t));
        let seconds = offset.map_or(0, |o| i64::from(o.seconds()));
        let profiles = &self.pack.profiles;
        out.profiles.resize_with(profiles.len(), ProfileView::default);
        let marks = ConversationMarks { hits: &out.hits, wait: self.wait, polite: &self.polite };
        for (definition, view) in profiles.iter().zip(&mut out.profiles) {
            let polite = |turn| marks.needs_no_answer(turn);
            profile::view(definition, conversation, &out.layout, seconds, polite, view);
        }
    }

    /// Whether the customer's turns sound like an agent's and the agent's do not.
    fn swapped(&self, conversation: &Conversation<'_>, hits: &Hits) -> bool {
        let Some(voice) = self.pack.review.agent_voice else { return false };
        let count = |role| {
            let turns = conversation.turns.iter().enumerate();
            turns.filter(|(i, t)| t.role == role && hits.has(*i, voice)).count() as u32
        };
        let customer = count(Role::Customer);
        customer >= self.pack.review.swapped_from && customer > 2 * count(Role::Agent)
    }

    fn gate(&self, conversation: &Conversation<'_>, layout: &Layout) -> Option<NotJudged> {
        if layout.agent_count() == 0 {
            return Some(NotJudged::NoAgent);
        }
        let words = |role| conversation.turns.iter().filter(|t| t.role == role && t.is_human_words()).count() as u32;
        let card = &self.pack.scorecard;
        let thin = words(Role::Agent) < card.min_agent_turns || words(Role::Customer) < card.min_customer_turns;
        thin.then_some(NotJudged::TooThin)
    }
}

struct ConversationMarks<'m> {
    hits: &'m Hits,
    wait: Option<MarkerId>,
    polite: &'m [MarkerId],
}

impl Marks for ConversationMarks<'_> {
    fn is_wait(&self, turn: usize) -> bool {
        self.wait.is_some_and(|m| self.hits.has(turn, m))
    }

    fn needs_no_answer(&self, turn: usize) -> bool {
        self.polite.iter().any(|m| self.hits.has(turn, *m))
    }
}
