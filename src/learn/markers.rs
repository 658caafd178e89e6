//! Learning a marker from messages people have judged, with an honest account of how good it is.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;
use serde::Serialize;

use super::design::{Column, Design, Linear};
use super::folds;
use super::logistic::{self, probability};
use super::statistics::precision_recall_f1;
use super::threshold::{Cut, Keep, Predicted, average_precision, best_cut};
use crate::conversation::{Conversation, Role};
use crate::detect::grams::Squeezer;
use crate::detect::hit::Hits;
use crate::detect::model::{Around, Ends, Form, TurnWords, shapes};
use crate::pack::Pack;
use crate::pack::expression::MarkerId;
use crate::pack::turn_model::{self, Spot, Trait, TurnModel, TurnShape};

/// Penalties tried, strongest first, per message.
const PENALTIES: [f64; 7] = [0.1, 0.04, 0.015, 0.006, 0.002, 0.001, 0.0005];

/// The penalty of the fit that chooses which grams are kept.
const CHOOSING_PENALTY: f64 = 0.002;

/// What is left out of [`Messages`] when grams are looked at: their weights are kept in hundredths.
const LEAST_GRAM: i64 = 2;

/// Weights of the log-odds smaller than this are left out of the model.
const LEAST_WEIGHT: f64 = 0.005;

/// Judged messages being collected.
#[derive(Debug)]
pub struct Messages {
    marker: MarkerId,
    role: Option<Role>,
    usable: Vec<bool>,
    look: Look,
    ids: Vec<String>,
    groups: Vec<String>,
    truth: Vec<bool>,
    rule: Vec<bool>,
    rows: Vec<Vec<(u32, f64)>>,
    vocabulary: HashMap<Trait, u32>,
}

/// What a model looks at besides markers and shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Words of the message and of the other side's messages around it.
    Words,
    /// Characters and pairs of the message itself, in its squeezed view; nothing around it.
    Grams,
}

/// How to learn.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folds of the cross-validation, dealt by conversation.
    pub folds: usize,
    /// Seed of the folds.
    pub seed: u64,
    /// Messages a word must be in (or near) to be used.
    pub min_messages: usize,
    /// The least precision the threshold may have in cross-validation, if it can be reached.
    pub precision: f64,
    /// The threshold where the marker's own phrases hit.
    pub keep: Keep,
    /// Grams kept at most: those that move most messages furthest.
    pub grams: usize,
}

impl Messages {
    /// No messages yet. Learnt markers and markers that look at one, this one above all, cannot be looked at by it.
    pub fn new(pack: &Pack, marker: MarkerId, learnt: &[MarkerId], look: Look) -> Messages {
        let mut usable = vec![true; pack.markers.len()];
        learnt.iter().chain([&marker]).for_each(|m| usable[*m as usize] = false);
        loop {
            let mut changed = false;
            for (id, other) in pack.markers.iter().enumerate().filter(|(id, _)| usable[*id]).collect::<Vec<_>>() {
                let mut depends = false;
                other.needs(|m| depends |= !usable[m as usize]);
                if depends {
                    usable[id] = false;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        Messages {
            marker,
            role: pack.markers[marker as usize].role,
            usable,
            look,
            ids: Vec::new(),
            groups: Vec::new(),
            truth: Vec::new(),
            rule: Vec::new(),
            rows: Vec::new(),
            vocabulary: HashMap::new(),
        }
    }

    /// Adds a judged message; returns false when it is not of the marker's side or says nothing.
    pub fn add(
        &mut self,
        conversation: &Conversation<'_>,
        words: &TurnWords,
        hits: &Hits,
        turn: usize,
        (truth, group): (bool, Option<&str>),
    ) -> bool {
        let said = &conversation.turns[turn];
        let fits = said.is_human_words() && self.role.is_none_or(|r| r == said.role);
        if !fits || said.text.trim().is_empty() {
            return false;
        }
        let rule = hits.has(turn, self.marker);
        let mut traits = BTreeSet::new();
        let around = Around::of(conversation, turn);
        if self.look == Look::Grams {
            let grams = Squeezer::default().grams(&said.text);
            traits.extend(grams.into_iter().map(Trait::Gram));
            let markers = hits.markers(turn).filter(|m| self.usable[*m as usize]);
            traits.extend(markers.map(|m| Trait::Marker(Spot::Own, m)));
        }
        for (spot, ..) in Spot::ALL.into_iter().filter(|_| self.look == Look::Words) {
            for at in around.turns(spot, turn) {
                traits.extend(words.of(at).iter().map(|(word, _)| Trait::Word(spot, word.clone())));
                let markers = hits.markers(at).filter(|m| self.usable[*m as usize]);
                traits.extend(markers.map(|m| Trait::Marker(spot, m)));
            }
        }
        let mut row = Vec::with_capacity(traits.len() + 6);
        let values = shapes(&Form::of(&said.text), &Ends::of(conversation), (said.role, turn), rule);
        let shapes = TurnShape::ALL.iter().map(|s| (Trait::Shape(s.0), values[s.0 as usize]));
        for (trait_, value) in shapes.chain(traits.into_iter().map(|t| (t, 1.0))) {
            let next = self.vocabulary.len() as u32;
            row.push((*self.vocabulary.entry(trait_).or_insert(next), value));
        }
        self.ids.push(conversation.id.to_string());
        self.groups.push(group.unwrap_or(&conversation.id).to_string());
        self.truth.push(truth);
        self.rule.push(rule);
        self.rows.push(row);
        true
    }

    /// Learns the marker; `None` with fewer than ten yes or ten no.
    pub fn learn(&self, settings: &Settings) -> Option<Learnt> {
        let yes = self.truth.iter().filter(|t| **t).count();
        if yes < 10 || self.truth.len() - yes < 10 {
            return None;
        }
        let (design, traits) = self.design(settings.min_messages);
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let outer = folds::deal(&groups, settings.folds, settings.seed);
        // By id, so that the order of the input changes nothing.
        let mut all: Vec<usize> = (0..self.ids.len()).collect();
        all.sort_by_key(|row| &self.ids[*row]);
        let parts: Vec<Vec<(usize, bool)>> = (0..settings.folds)
            .into_par_iter()
            .map(|fold| {
                let (train, test): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(|r| outer[*r] != fold);
                let (_, Cut { threshold, keep }, fit) = self.fit(&design, &train, settings);
                let model = TurnModel { threshold, keep, ..TurnModel::default() };
                let holds = |r: usize| fit.predict(&design, r) >= model.least(self.rule[r]);
                test.into_iter().map(|r| (r, holds(r))).collect()
            })
            .collect();
        let mut said = vec![false; self.ids.len()];
        parts.into_iter().flatten().for_each(|(row, yes)| said[row] = yes);
        let (penalty, cut, fit) = self.fit(&design, &all, settings);
        let (precision, recall, f1) = precision_recall_f1(&said, &self.truth);
        let (precision_rules, recall_rules, f1_rules) = precision_recall_f1(&self.rule, &self.truth);
        let model = model(cut, &fit, &traits);
        let mut strongest: Vec<(Trait, f64)> =
            traits.iter().map(|t| (*t).clone()).zip(fit.weights.iter().copied()).filter(|s| s.1 != 0.0).collect();
        strongest.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        strongest.truncate(30);
        let report = Report {
            messages: self.truth.len(),
            yes,
            folds: settings.folds,
            penalty,
            threshold: cut.threshold,
            precision,
            recall,
            f1,
            precision_rules,
            recall_rules,
            f1_rules,
        };
        Some(Learnt { model, report, strongest })
    }

    fn design(&self, least: usize) -> (Design, Vec<&Trait>) {
        let mut seen = vec![0usize; self.vocabulary.len()];
        self.rows.iter().flatten().for_each(|(t, _)| seen[*t as usize] += 1);
        let often = self.vocabulary.iter().filter(|(_, n)| seen[**n as usize] >= least.max(1));
        let mut traits: Vec<(&Trait, u32)> = often.map(|(t, n)| (t, *n)).collect();
        traits.sort_unstable();
        let mut place = vec![u32::MAX; self.vocabulary.len()];
        traits.iter().zip(0u32..).for_each(|((_, n), at)| place[*n as usize] = at);
        let column = |t: &Trait| match t {
            Trait::Shape(TurnShape::Chars) => Column::Number,
            Trait::Shape(TurnShape::Rule) => Column::Marker,
            Trait::Marker(Spot::Own, _) if self.look == Look::Words => Column::Marker,
            Trait::Gram(_) => Column::Rare,
            _ => Column::Event,
        };
        let mut design = Design::new(traits.iter().map(|(t, _)| column(t)).collect());
        for row in &self.rows {
            let mut row: Vec<(u32, f64)> =
                row.iter().map(|(t, v)| (place[*t as usize], *v)).filter(|e| e.0 != u32::MAX).collect();
            row.sort_by_key(|e| e.0);
            design.push(row);
        }
        (design, traits.into_iter().map(|t| t.0).collect())
    }

    /// Chooses by cross-validation within `rows` the penalty that ranks best (by average precision), then the thresholds
    /// with the best F1, and fits to all of them.
    fn fit(&self, design: &Design, rows: &[usize], settings: &Settings) -> (f64, Cut, Linear) {
        let groups: Vec<&str> = rows.iter().map(|r| self.groups[*r].as_str()).collect();
        let count = settings.folds.saturating_sub(1).max(2);
        let inner = folds::deal(&groups, count, settings.seed ^ 0x5eed);
        let parts: Vec<Vec<Vec<(usize, f64)>>> = (0..count)
            .into_par_iter()
            .map(|fold| {
                let pick = |inside: bool| -> Vec<usize> {
                    rows.iter().zip(&inner).filter(|(_, f)| (**f != fold) == inside).map(|(r, _)| *r).collect()
                };
                let (train, test) = (pick(true), pick(false));
                let fits = self.path(design, &train, &PENALTIES, settings);
                let predict = |fit: &Linear| test.iter().map(|r| (*r, probability(fit.predict(design, *r)))).collect();
                fits.iter().map(predict).collect()
            })
            .collect();
        let predicted = |n: usize| -> Vec<Predicted> {
            let of = |(row, p): &(usize, f64)| Predicted { p: *p, yes: self.truth[*row], rule: self.rule[*row] };
            let mut all: Vec<Predicted> = parts.iter().flat_map(|p| &p[n]).map(of).collect();
            all.sort_by(|a, b| b.p.total_cmp(&a.p));
            all
        };
        let mut best = (f64::NEG_INFINITY, 0);
        for n in 0..PENALTIES.len() {
            let precision = average_precision(&predicted(n));
            if precision > best.0 + 1e-9 {
                best = (precision, n);
            }
        }
        let best = best.1;
        let (_, cut) = best_cut(predicted(best), settings.precision, settings.keep);
        let fit = self.path(design, rows, &PENALTIES[..=best], settings).pop().unwrap_or_default();
        (PENALTIES[best], cut, fit)
    }

    /// Fits several penalties to the grams worth keeping: those that, in a first fit, move most messages furthest.
    fn path(&self, design: &Design, rows: &[usize], penalties: &[f64], settings: &Settings) -> Vec<Linear> {
        let is_gram: Vec<bool> = design.columns().iter().map(|c| *c == Column::Rare).collect();
        if is_gram.iter().filter(|g| **g).count() <= settings.grams {
            return logistic::path(design, rows, &self.truth, penalties);
        }
        let first = logistic::path(design, rows, &self.truth, &[CHOOSING_PENALTY]).pop().unwrap_or_default();
        let moved = first.weights.iter().zip(design.counts(rows)).map(|(w, n)| w.abs() * (n as f64).sqrt());
        let mut moved: Vec<(usize, f64)> = moved.enumerate().filter(|(column, _)| is_gram[*column]).collect();
        moved.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut kept: Vec<bool> = is_gram.iter().map(|gram| !gram).collect();
        moved.iter().take(settings.grams).for_each(|(column, _)| kept[*column] = true);
        logistic::path(&design.only(&kept), rows, &self.truth, penalties)
    }
}

fn model(cut: Cut, fit: &Linear, traits: &[&Trait]) -> TurnModel {
    let round = |value: f64| (value * 1e5).round() / 1e5;
    let (threshold, keep, intercept) = (round(cut.threshold), cut.keep.map(round), round(fit.intercept));
    let mut model = TurnModel { threshold, keep, intercept, ..TurnModel::default() };
    for (trait_, weight) in traits.iter().zip(&fit.weights) {
        let weight = round(*weight);
        match trait_ {
            Trait::Shape(shape) => model.shapes[*shape as usize] = weight,
            _ if weight.abs() < LEAST_WEIGHT => {}
            Trait::Word(spot, word) => {
                model.words[*spot as usize].insert(word.clone(), weight);
            }
            Trait::Gram(gram) => {
                let hundredths = turn_model::hundredths(weight);
                if hundredths.abs() >= LEAST_GRAM {
                    model.grams.insert(gram.clone(), hundredths as f64 / 100.0);
                }
            }
            Trait::Marker(spot, marker) => model.markers.push((*spot, *marker, weight)),
        }
    }
    model
}

/// What learning came to.
#[derive(Debug)]
pub struct Learnt {
    /// The model.
    pub model: TurnModel,
    /// How good it is on conversations it has not seen.
    pub report: Report,
    /// The strongest weights.
    pub strongest: Vec<(Trait, f64)>,
}

/// How good a learnt marker is; precision, recall and F1 are from held-out conversations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Judged messages.
    pub messages: usize,
    /// Those people said yes to.
    pub yes: usize,
    /// Folds.
    pub folds: usize,
    /// The penalty of the final model.
    pub penalty: f64,
    /// The threshold of the final model.
    pub threshold: f64,
    /// Held-out precision.
    pub precision: f64,
    /// Held-out recall.
    pub recall: f64,
    /// Held-out F1.
    pub f1: f64,
    /// Precision of the marker's own phrases on the same messages.
    pub precision_rules: f64,
    /// Recall of the marker's own phrases.
    pub recall_rules: f64,
    /// F1 of the marker's own phrases.
    pub f1_rules: f64,
}
