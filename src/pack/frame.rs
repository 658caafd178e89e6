//! `pack.toml`: a pack's name, its lists, and what it changes of the pack it extends.

use std::collections::BTreeMap;

use super::fields::{self, Faults, Table};
use super::{Negation, RepeatSettings, overrides};

/// What `pack.toml` says.
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) extends: Option<fields::At<String>>,
    pub(super) userdict: String,
    pub(super) lists: BTreeMap<String, Vec<String>>,
    pub(super) negation: Negation,
    pub(super) min_confidence: Option<u32>,
    pub(super) agent_voice: Option<fields::At<String>>,
    pub(super) swapped_from: u32,
    pub(super) repeat: RepeatSettings,
    pub(super) rules: Vec<overrides::RuleOverride>,
    pub(super) markers: Vec<overrides::MarkerOverride>,
}

impl Frame {
    /// Takes over what the base pack defines and this one does not.
    pub(super) fn inherit(&mut self, base: Frame) {
        for (name, list) in base.lists {
            self.lists.entry(name).or_insert(list);
        }
        if self.negation == Negation::default() {
            self.negation = base.negation;
        }
        if self.repeat == RepeatSettings::default() {
            self.repeat = base.repeat;
        }
        self.min_confidence = self.min_confidence.or(base.min_confidence);
        if self.agent_voice.is_none() {
            self.agent_voice = base.agent_voice;
            self.swapped_from = base.swapped_from;
        }
    }
}

/// Reads `pack.toml`.
pub(super) fn read_frame(mut table: Table<'_>, faults: &mut Faults<'_>) -> Frame {
    let id = table.required("id", faults).map(|t| t.value).unwrap_or_default();
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let version = table.string("version", faults).map_or_else(|| "0".into(), |t| t.value);
    let _lang = table.string("lang", faults);
    let extends = table.string("extends", faults);
    let userdict = table.string("userdict", faults).map_or_else(|| "userdict.txt".into(), |t| t.value);
    let mut lists = BTreeMap::new();
    if let Some(inner) = table.table("lists", faults) {
        for (name, value) in inner.entries() {
            let list = fields::string_list(&name.value, value, faults);
            lists.insert(name.value, list.into_iter().map(|a| a.value).collect());
        }
    }
    let mut negation = Negation::default();
    if let Some(mut inner) = table.table("negation", faults) {
        let list = |inner: &mut Table<'_>, key, faults: &mut Faults<'_>| -> Vec<String> {
            inner.strings(key, faults).into_iter().map(|a| crate::text::plain_phrase(&a.value)).collect()
        };
        negation.words = list(&mut inner, "words", faults);
        negation.ignore = list(&mut inner, "ignore", faults);
        if let Some(window) = inner.count("window", faults) {
            negation.window = window as usize;
        }
        inner.finish("[negation] ", faults);
    }
    let (mut min_confidence, mut agent_voice, mut swapped_from) = (None, None, 2);
    if let Some(mut inner) = table.table("review", faults) {
        min_confidence = inner.number("min_confidence", faults).map(|n| (n.value.clamp(0.0, 1.0) * 1000.0) as u32);
        agent_voice = inner.string("agent_voice", faults);
        swapped_from = inner.count("swapped_from", faults).unwrap_or(2).max(1);
        inner.finish("[review] ", faults);
    }
    let mut repeat = RepeatSettings::default();
    if let Some(mut inner) = table.table("repeat", faults) {
        if let Some(n) = inner.count("look_back", faults) {
            repeat.look_back = n as usize;
        }
        if let Some(n) = inner.number("similarity", faults) {
            repeat.similarity = (n.value.clamp(0.0, 1.0) * 1000.0).round() as u32;
        }
        if let Some(n) = inner.count("min_chars", faults) {
            repeat.min_chars = n as usize;
        }
        let except = inner.strings("except", faults);
        repeat.except = except.into_iter().map(|a| crate::text::plain_phrase(&a.value)).collect();
        inner.finish("[repeat] ", faults);
    }
    let (rules, markers) = overrides::read(&mut table, faults);
    table.finish("pack.toml ", faults);
    Frame {
        id,
        title,
        version,
        extends,
        userdict,
        lists,
        negation,
        min_confidence,
        agent_voice,
        swapped_from,
        repeat,
        rules,
        markers,
    }
}
