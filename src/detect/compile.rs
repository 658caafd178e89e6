//! From a pack's markers to automata: one Aho-Corasick per view holds every phrase, exception, proximity part and
//! required regex literal of every marker.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::automaton::Automaton;
use super::gate::{Gate, Letters};
use super::gated::GatedRegex;
use super::grams::GramIndex;
use super::model::CompiledModel;
use super::prepare::{PreparedBlock, PreparedNear};
use crate::conversation::Role;
use crate::error::Result;
use crate::pack::expression::MarkerId;
use crate::pack::marker::{Block, Context, Marker, Near, Reach, ViewKind};
use crate::pack::turn_model::{Spot, TurnModel};
use crate::pack::{Negation, Pack};
use crate::text::EntityKind;

/// What an automaton match stands for in one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// One of the block's phrases; the number of its text.
    Phrase(u32),
    /// The rarest part of this proximity condition of the block: the others are looked for.
    Near(u16),
    /// An entity; the number of the text that names it.
    Entity(u32),
    /// A literal of the rarest set this regex needs: it is run.
    Regex(u32),
}

/// A use of an automaton pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The block, numbered over all markers.
    pub block: u32,
    /// What the match means there.
    pub meaning: Meaning,
    /// Whose turns the block looks at; none: both sides'.
    pub role: Option<Role>,
    /// The block asks for a channel or for the recogniser's confidence.
    pub choosy: bool,
}

impl Use {
    /// Sorts uses by block, and what needs to be run once side by side; cheap to compare.
    pub fn key(&self) -> u64 {
        let within = match self.meaning {
            Meaning::Phrase(_) => 0,
            Meaning::Entity(_) => 1,
            Meaning::Near(n) => 2 + u64::from(n),
            Meaning::Regex(n) => (1 << 16) + 2 + u64::from(n),
        };
        u64::from(self.block) << 32 | within
    }
}

/// Phrases of one block that matter only once something else of it has matched: exceptions, parts of a proximity
/// condition. They stay out of the view's automaton, so that common words in them cost nothing elsewhere, and behind a
/// gate; their own automaton is built when a text first gets through.
#[derive(Debug)]
pub struct PhraseSet<T> {
    gate: Gate,
    phrases: Vec<String>,
    values: Vec<T>,
    automaton: OnceLock<Option<Automaton>>,
}

impl<T: Copy> PhraseSet<T> {
    /// Of phrases as the view has them, behind a gate that opens whenever one of them must be looked for; of none when
    /// there are none.
    pub(super) fn new(phrases: Vec<(String, T)>, gate: Option<Gate>) -> Option<Self> {
        let (phrases, values): (Vec<String>, Vec<T>) = phrases.into_iter().filter(|(p, _)| !p.is_empty()).unzip();
        let gate = gate.unwrap_or_else(|| Gate::of_phrases(phrases.iter().map(String::as_str)));
        (!phrases.is_empty()).then(|| PhraseSet { gate, phrases, values, automaton: OnceLock::new() })
    }

    /// Calls `found` with every place of every phrase in the view's text, given its letters.
    pub fn find(
        &self,
        kind: ViewKind,
        view: &str,
        letters: &Letters,
        mut found: impl FnMut(T, std::ops::Range<usize>),
    ) {
        if !self.gate.open(letters) {
            return;
        }
        // Phrases of one block that do not fit an automaton (2³¹ characters) are beyond what a pack can hold.
        let Some(automaton) = self.automaton.get_or_init(|| Automaton::small(&self.phrases).ok()) else { return };
        automaton.find(view, |phrase, range| {
            if kind != ViewKind::Pinyin || on_syllables(view, range.clone()) {
                found(self.values[phrase], range);
            }
        });
    }
}

/// True when a match in the pinyin view begins and ends at syllables.
pub fn on_syllables(view: &str, range: std::ops::Range<usize>) -> bool {
    let bytes = view.as_bytes();
    (range.start == 0 || bytes[range.start - 1] == b' ') && (range.end == bytes.len() || bytes[range.end] == b' ')
}

/// A proximity condition ready to be looked for.
#[derive(Debug)]
pub struct CompiledNear {
    /// All alternatives of all parts.
    pub parts: PhraseSet<u16>,
    /// How many parts there are.
    pub count: u32,
    /// Most characters (or words) between the end of one part and the start of the next.
    pub within: u32,
    /// Parts must come in the order given.
    pub ordered: bool,
    /// Distance in jieba words instead of characters.
    pub words: bool,
    /// Number of the text that explains it.
    pub text: u32,
    /// Forbidden between the parts, normalised.
    pub nots: Vec<String>,
}

/// One view's automaton and what its patterns mean.
#[derive(Debug)]
pub struct ViewScanner {
    /// The automaton over all patterns of the view.
    pub automaton: Automaton,
    /// Range of `uses` for each pattern.
    pub ranges: Vec<(u32, u32)>,
    /// Uses, by pattern.
    pub uses: Vec<Use>,
    /// Regexes without required literals: run on every turn of the block's role.
    pub always: Vec<Use>,
}

/// A block ready to be evaluated.
#[derive(Debug)]
pub struct CompiledBlock {
    /// Its marker.
    pub marker: MarkerId,
    /// Whose turns; none: both.
    pub role: Option<Role>,
    /// Its conditions.
    pub block: Block,
    /// Exception regexes, each behind its gate.
    pub except_regexes: Vec<GatedRegex>,
    /// The block takes any turn that says something; the number of the text that explains it. Settled without
    /// scanning, because all its conditions are about other markers, lengths and places.
    pub any: Option<u32>,
    /// Its exceptions.
    pub except: Option<PhraseSet<Reach>>,
    /// Its proximity conditions.
    pub nears: Vec<CompiledNear>,
}

/// A regex over a view.
#[derive(Debug)]
pub struct ViewRegex {
    /// The regex.
    pub regex: GatedRegex,
    /// Number of the text that explains it.
    pub text: u32,
    /// A match is where one of its literals was met: every match contains one, and all places of them are met.
    pub around: bool,
}

/// Everything detection needs of a pack.
#[derive(Debug)]
pub struct Compiled {
    /// One scanner a view; `None` where no block uses the view.
    pub views: [Option<ViewScanner>; 3],
    /// All blocks; those of a marker stand together, in the markers' order.
    pub blocks: Vec<CompiledBlock>,
    /// Of each marker, the blocks that take any turn that says something.
    pub any_turn: Vec<Box<[u32]>>,
    /// Of each marker, whether it has neither those nor a model: no phrase, no hit.
    pub phrases_alone: Vec<bool>,
    /// Channels of the blocks that look at the pinyin view: each block's list, empty for every channel.
    pub pinyin_channels: Vec<Vec<String>>,
    /// Uses of entities, by kind.
    pub entities: Vec<(EntityKind, Use)>,
    /// All regexes.
    pub regexes: Vec<ViewRegex>,
    /// Texts that explain hits: phrases and regexes as written.
    pub texts: Vec<String>,
    /// The block each text belongs to.
    pub owners: Vec<u32>,
    /// Some block asks for the recogniser's confidence, so that a message's words alone do not tell what it shows.
    pub asks_confidence: bool,
    /// Marker-level conditions, by marker.
    pub contexts: Vec<Context>,
    /// Learnt models, by marker.
    pub models: Vec<Option<CompiledModel>>,
    /// The grams of all models.
    pub grams: GramIndex,
    /// Whether a model looks at the messages of customers, of agents.
    pub modelled: [bool; 2],
    /// Texts of models whose word alone goes to review, ascending.
    pub doubtful: Vec<u32>,
    /// Markers in evaluation order.
    pub order: Vec<MarkerId>,
    /// Negation words.
    pub negation: Negation,
    /// Messages that contain one of these never repeat another.
    pub never_repeats: Vec<String>,
}

/// Compiles a pack's markers.
///
/// # Errors
/// When an automaton would grow beyond what fits in memory.
pub fn compile(pack: &Pack) -> Result<Compiled> {
    let mut builder = Builder::default();
    let mut blocks: Vec<CompiledBlock> = Vec::new();
    let mut of_marker: Vec<std::ops::Range<u32>> = Vec::with_capacity(pack.markers.len());
    let prepared: Vec<PreparedBlock> =
        pack.markers.par_iter().flat_map_iter(|m| m.blocks.iter().map(PreparedBlock::of)).collect();
    let mut prepared = prepared.into_iter();
    for (id, marker) in pack.markers.iter().enumerate() {
        for (block, prepared) in marker.blocks.iter().zip(prepared.by_ref()) {
            let number = blocks.len() as u32;
            let mut compiled = CompiledBlock {
                marker: id as MarkerId,
                role: block.role.or(marker.role),
                block: block.conditions(),
                except_regexes: Vec::new(),
                any: None,
                except: None,
                nears: Vec::new(),
            };
            builder.block(number, block, prepared, &mut compiled);
            blocks.push(compiled);
        }
        let first = (blocks.len() - marker.blocks.len()) as u32;
        of_marker.push(first..blocks.len() as u32);
    }
    let mut models = Vec::with_capacity(pack.markers.len());
    let (mut learnt, mut doubtful) = (Vec::new(), Vec::new());
    for (marker, blocks) in pack.markers.iter().zip(&of_marker) {
        let known = builder.texts.len() as u32;
        models.push(marker.model.as_ref().map(|model| {
            learnt.push(&**model);
            builder.model(learnt.len() - 1, blocks.start, marker, model)
        }));
        doubtful.extend((known..builder.texts.len() as u32).filter(|_| marker.alone_review));
    }
    let looks = |role| models.iter().flatten().any(|m: &CompiledModel| m.role.is_none_or(|r| r == role));
    let modelled = [looks(Role::Customer), looks(Role::Agent)];
    let order = crate::pack::marker_order(&pack.markers);
    let scanners: Vec<Result<_>> =
        builder.patterns.into_par_iter().map(|(patterns, always)| scanner(patterns, always)).collect();
    let mut views = [None, None, None];
    for (slot, scanner) in views.iter_mut().zip(scanners) {
        *slot = scanner?;
    }
    let any_turn: Vec<Box<[u32]>> =
        of_marker.into_iter().map(|numbers| numbers.filter(|n| blocks[*n as usize].any.is_some()).collect()).collect();
    let mut pinyin_channels: Vec<_> =
        blocks.iter().filter(|b| b.block.view == ViewKind::Pinyin).map(|b| b.block.channels.clone()).collect();
    pinyin_channels.sort_unstable();
    pinyin_channels.dedup();
    let phrases_alone = any_turn.iter().zip(&models).map(|(any, model)| any.is_empty() && model.is_none()).collect();
    let asks_confidence = blocks.iter().any(|b| b.block.min_confidence.is_some());
    Ok(Compiled {
        asks_confidence,
        views,
        blocks,
        any_turn,
        phrases_alone,
        pinyin_channels,
        entities: builder.entities,
        regexes: builder.regexes,
        texts: builder.texts,
        owners: builder.owners,
        contexts: pack.markers.iter().map(|m| m.context.clone()).collect(),
        grams: GramIndex::new(&learnt),
        modelled,
        doubtful,
        models,
        order,
        negation: pack.negation.clone(),
        never_repeats: pack.repeat.except.clone(),
    })
}

/// What a view's automaton will hold, and the regexes that run without it.
type ViewPatterns = (BTreeMap<String, Vec<Use>>, Vec<Use>);

#[derive(Default)]
struct Builder {
    /// Per view: pattern → uses, and regexes that always run.
    patterns: [ViewPatterns; 3],
    regexes: Vec<ViewRegex>,
    entities: Vec<(EntityKind, Use)>,
    texts: Vec<String>,
    owners: Vec<u32>,
}

impl Builder {
    fn text(&mut self, block: u32, text: impl Into<String>) -> u32 {
        self.owners.push(block);
        self.texts.push(text.into());
        self.texts.len() as u32 - 1
    }

    fn model(&mut self, number: usize, block: u32, marker: &Marker, model: &Arc<TurnModel>) -> CompiledModel {
        // Sorted, so that texts have the same numbers in every run.
        let own: std::collections::BTreeSet<&String> = model.words[Spot::Own as usize].keys().collect();
        let texts = own.into_iter().map(|word| (word.clone(), self.text(block, word.as_str()))).collect();
        let whole = self.text(block, "<模型>");
        let (role, alone_review) = (marker.role, marker.alone_review);
        let least = [model.least(false), model.least(true)];
        let most_around = CompiledModel::most_around(model);
        CompiledModel { model: model.clone(), number, role, block, alone_review, texts, whole, most_around, least }
    }

    fn pattern(&mut self, view: ViewKind, pattern: String, used: Use) {
        if !pattern.is_empty() {
            self.patterns[view as usize].0.entry(pattern).or_default().push(used);
        }
    }

    fn block(&mut self, number: u32, block: &Block, prepared: PreparedBlock, compiled: &mut CompiledBlock) {
        let view = block.view;
        let choosy = !block.channels.is_empty() || block.min_confidence.is_some();
        let role = compiled.role;
        let used = |meaning| Use { block: number, meaning, role, choosy };
        for (phrase, normal) in block.phrases.iter().zip(prepared.phrases) {
            let text = self.text(number, phrase.as_str());
            self.pattern(view, normal, used(Meaning::Phrase(text)));
        }
        for kind in &block.entities {
            let text = self.text(number, format!("<{}>", kind.as_str()));
            self.entities.push((*kind, used(Meaning::Entity(text))));
        }
        for (pattern, regex) in block.regexes.iter().zip(prepared.regexes) {
            let text = self.text(number, format!("/{}/", pattern.source));
            let Some((regex, literals)) = regex else {
                compiled.any = Some(text);
                continue;
            };
            let meaning = Meaning::Regex(self.regexes.len() as u32);
            // Literals within a syllable of the pinyin view are passed over.
            let around = literals.is_some() && view != ViewKind::Pinyin;
            self.regexes.push(ViewRegex { regex, text, around });
            match literals {
                Some(literals) => literals.into_iter().for_each(|l| self.pattern(view, l, used(meaning))),
                None => self.patterns[view as usize].1.push(used(meaning)),
            }
        }
        for (near, prepared) in block.nears.iter().zip(prepared.nears) {
            let text = self.text(number, near_text(near));
            let Some(PreparedNear { rarest, parts, nots }) = prepared else { continue };
            let meaning = Meaning::Near(compiled.nears.len() as u16);
            rarest.into_iter().for_each(|phrase| self.pattern(view, phrase, used(meaning)));
            let Near { within, ordered, words, .. } = *near;
            let count = near.parts.len() as u32;
            compiled.nears.push(CompiledNear { parts, count, within, ordered, words, text, nots });
        }
        compiled.except = prepared.except;
        compiled.except_regexes = prepared.except_regexes;
    }
}

fn near_text(near: &Near) -> String {
    let parts: Vec<_> = near.parts.iter().map(|p| p.join("|")).collect();
    let unit = if near.words { "词" } else { "字" };
    format!("{} 相距 {} {unit}以内", parts.join(" … "), near.within)
}

fn scanner(patterns: BTreeMap<String, Vec<Use>>, always: Vec<Use>) -> Result<Option<ViewScanner>> {
    if patterns.is_empty() && always.is_empty() {
        return Ok(None);
    }
    let phrases: Vec<&String> = patterns.keys().collect();
    let automaton = Automaton::new(&phrases)?;
    let mut ranges = Vec::with_capacity(patterns.len());
    let mut uses = Vec::new();
    for list in patterns.into_values() {
        let start = uses.len() as u32;
        uses.extend(list);
        ranges.push((start, uses.len() as u32));
    }
    Ok(Some(ViewScanner { automaton, ranges, uses, always }))
}
