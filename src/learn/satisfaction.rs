//! Learning a satisfaction model from rated conversations, with an honest account of how good it is.
//!
//! Ridge regression over the interpretable features and, when asked for, the words. The penalty is chosen by
//! cross-validation inside each training part, so that the figures reported for the held-out parts have not seen it.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::Serialize;

use super::design::{Column, Design, Linear};
use super::statistics::{Band, auc_below, calibration, spearman};
use super::{folds, ridge};
use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::metrics::feature::{Feature, Place, Scene, Shape, Side};
use crate::metrics::satisfaction::{Region, SaidWords, SatisfactionModel, Weighted, WordWeight};
use crate::pack::Pack;
use crate::text::Segmenter;

/// Penalties tried, strongest first, per conversation.
const PENALTIES: [f64; 6] = [8.0, 3.0, 1.2, 0.5, 0.2, 0.05];

/// Folds inside a training part.
const INNER_FOLDS: usize = 4;

/// Weights that move the estimate less than this are left out of the model.
const LEAST_WEIGHT: f64 = 0.0005;

/// How to learn.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Seed of the folds.
    pub seed: u64,
    /// Conversations a word must be in to be used; 0 uses no words.
    pub min_documents: usize,
    /// Cases with a target at or below this are bad (0–1); the lowest eighth when `None`.
    pub bad: Option<f64>,
}

/// A feature that may get a weight.
#[derive(Debug, Clone)]
struct Candidate {
    feature: Feature,
    id: String,
    title: String,
    absent: Option<String>,
}

/// One rated conversation.
#[derive(Debug)]
struct Example {
    id: String,
    agent: String,
    target: f64,
    weight: f64,
    baseline: Option<f64>,
    numbers: Vec<(u32, f64)>,
    said: Vec<u32>,
}

/// Rated conversations being collected.
#[derive(Debug)]
pub struct Examples {
    candidates: Vec<Candidate>,
    added: Vec<Example>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    vocabulary: HashMap<(Region, String), u32>,
    scene: Scene,
    words: SaidWords,
}

impl Examples {
    /// No examples yet. The candidates are the pack's own features, or (`all`) besides them every marker and shape.
    pub fn new(pack: &Pack, all: bool) -> Examples {
        let mut candidates: Vec<Candidate> = Vec::new();
        let own = pack.satisfaction.iter().flat_map(|m| &m.features);
        candidates.extend(own.map(|f| Candidate {
            feature: f.feature.clone(),
            id: f.id.clone(),
            title: f.title.clone(),
            absent: f.absent.clone(),
        }));
        let own_ids: Vec<String> = candidates.iter().map(|c| c.id.clone()).collect();
        let mut add = |candidate: Candidate| {
            if !own_ids.contains(&candidate.id) {
                candidates.push(candidate);
            }
        };
        if all || own_ids.is_empty() {
            for (shape, id, title) in Shape::ALL {
                let (id, title) = (id.to_string(), title.to_string());
                add(Candidate { feature: Feature::Shape(*shape), id, title, absent: None });
            }
            for (number, marker) in pack.markers.iter().enumerate() {
                let sides = [(Side::Customer, Role::Customer), (Side::Agent, Role::Agent)];
                for (side, _) in sides.iter().filter(|s| marker.role.is_none_or(|r| r == s.1)) {
                    let (name, who, places): (_, _, &[Place]) = match side {
                        Side::Customer => (
                            "customer",
                            "客户",
                            &[Place::Open, Place::Later, Place::Last, Place::Count, Place::LateCount],
                        ),
                        Side::Agent => ("agent", "客服", &[Place::Share, Place::Any, Place::Last]),
                    };
                    for (place, key, said) in Place::ALL.iter().filter(|p| places.contains(&p.0)) {
                        let feature = Feature::Marker { side: *side, markers: vec![number as u16], place: *place };
                        let id = format!("{name}.{}.{key}", marker.id);
                        add(Candidate { feature, id, title: format!("{who}·{}·{said}", marker.title), absent: None });
                    }
                }
            }
        }
        Examples {
            candidates,
            added: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            vocabulary: HashMap::new(),
            scene: Scene::default(),
            words: SaidWords::default(),
        }
    }

    /// Adds a rated conversation with its markers; `target` is 0–1, `baseline` what the pack's own model estimates.
    /// Returns false when the customer says nothing in it.
    pub fn add(
        &mut self,
        conversation: &Conversation<'_>,
        hits: &Hits,
        segmenter: Option<&Segmenter>,
        (target, weight, baseline): (f64, f64, Option<f64>),
    ) -> bool {
        self.scene.fill(conversation);
        if !self.scene.has_customer() {
            return false;
        }
        let value = |c: &Candidate| c.feature.value(&self.scene, conversation, hits).0;
        let numbers = self.candidates.iter().map(value).enumerate().filter(|v| v.1 != 0.0);
        let numbers = numbers.map(|(n, v)| (n as u32, v)).collect();
        let mut said = Vec::new();
        if let Some(segmenter) = segmenter {
            let vocabulary = &mut self.vocabulary;
            self.words.each(&self.scene, conversation, segmenter, |region, _, word| {
                let next = vocabulary.len() as u32;
                said.push(*vocabulary.entry((region, word.to_string())).or_insert(next));
            });
            said.sort_unstable();
            said.dedup();
        }
        let last = self.scene.agent.last().map(|t| &conversation.turns[*t as usize]);
        self.added.push(Example {
            id: conversation.id.to_string(),
            agent: last.map_or_else(String::new, |t| conversation.agent_of(t).to_string()),
            target,
            weight,
            baseline,
            numbers,
            said,
        });
        true
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.added.len()
    }

    /// True without examples.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// The matrix, and the words of its columns after the candidates'. Words said in fewer than `min_documents` examples
    /// are left out; the order is that of region and word, whatever the order of the input.
    fn design(&self, min_documents: usize) -> (Design, Vec<(Region, &str)>) {
        let mut documents = vec![0usize; self.vocabulary.len()];
        self.added.iter().flat_map(|e| &e.said).for_each(|w| documents[*w as usize] += 1);
        let mut words: Vec<(Region, &str, u32)> = match min_documents {
            0 => Vec::new(),
            least => {
                let often = self.vocabulary.iter().filter(|(_, n)| documents[**n as usize] >= least);
                often.map(|((region, word), n)| (*region, word.as_str(), *n)).collect()
            }
        };
        words.sort_unstable();
        let mut place = vec![u32::MAX; self.vocabulary.len()];
        for (n, (.., word)) in words.iter().enumerate() {
            place[*word as usize] = (self.candidates.len() + n) as u32;
        }
        let mut columns = vec![Column::Number; self.candidates.len()];
        columns.resize(columns.len() + words.len(), Column::Event);
        let mut design = Design::new(columns);
        for Example { numbers, said, .. } in &self.added {
            let mut said: Vec<u32> = said.iter().map(|w| place[*w as usize]).filter(|p| *p != u32::MAX).collect();
            said.sort_unstable();
            design.push(numbers.iter().copied().chain(said.into_iter().map(|c| (c, 1.0))));
        }
        (design, words.into_iter().map(|(region, word, _)| (region, word)).collect())
    }

    /// Learns a model and reports how well it does on conversations it has not seen; `None` with fewer than 20 examples
    /// or when all targets are equal.
    pub fn learn(&mut self, settings: &Settings) -> Option<Learnt> {
        // By id, so that the order of the input changes nothing, not even the last digit of a sum.
        self.added.sort_by(|a, b| a.id.cmp(&b.id));
        self.targets = self.added.iter().map(|e| e.target).collect();
        self.weights = self.added.iter().map(|e| e.weight).collect();
        let lowest = self.targets.iter().copied().fold(f64::INFINITY, f64::min);
        if self.len() < 20 || self.targets.iter().all(|t| *t == lowest) {
            return None;
        }
        let (design, words) = self.design(settings.min_documents);
        let ids: Vec<&str> = self.added.iter().map(|e| e.id.as_str()).collect();
        let outer = folds::deal(&ids, settings.folds, settings.seed);
        let all: Vec<usize> = (0..self.len()).collect();
        let parts: Vec<Vec<(usize, f64)>> = (0..settings.folds)
            .into_par_iter()
            .map(|fold| {
                let (train, test): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(|r| outer[*r] != fold);
                let fit = self.fit(&design, &train, settings.seed).1;
                test.into_iter().map(|r| (r, fit.predict(&design, r).clamp(0.0, 1.0))).collect()
            })
            .collect();
        let mut predicted = vec![0.0; self.len()];
        parts.into_iter().flatten().for_each(|(row, value)| predicted[row] = value);
        let (penalty, fit) = self.fit(&design, &all, settings.seed);
        let (means, factors) = design.scales(&all, &self.weights);
        let model = self.model(&fit, &means, &words);
        let report = self.report(settings, &predicted, penalty, &fit, (&means, &factors), &words);
        let predicted = self.added.iter().zip(predicted).map(|(e, p)| (e.id.clone(), e.target, p)).collect();
        Some(Learnt { model, report, predicted })
    }

    /// Chooses the penalty by cross-validation within `rows` and fits to all of them.
    fn fit(&self, design: &Design, rows: &[usize], seed: u64) -> (f64, Linear) {
        let ids: Vec<&str> = rows.iter().map(|r| self.added[*r].id.as_str()).collect();
        let inner = folds::deal(&ids, INNER_FOLDS, seed ^ 0x5eed);
        let errors: Vec<Vec<f64>> = (0..INNER_FOLDS)
            .into_par_iter()
            .map(|fold| {
                let pick = |inside: bool| -> Vec<usize> {
                    rows.iter().zip(&inner).filter(|(_, f)| (**f != fold) == inside).map(|(r, _)| *r).collect()
                };
                let (train, test) = (pick(true), pick(false));
                let fits = ridge::path(design, &train, &self.targets, &self.weights, &PENALTIES);
                let error = |fit: &Linear| {
                    test.iter().map(|r| self.weights[*r] * (fit.predict(design, *r) - self.targets[*r]).powi(2)).sum()
                };
                fits.iter().map(error).collect()
            })
            .collect();
        let total = |n: usize| errors.iter().map(|e| e[n]).sum::<f64>();
        let best = (0..PENALTIES.len()).min_by(|a, b| total(*a).total_cmp(&total(*b))).unwrap_or(0);
        let fit = ridge::path(design, rows, &self.targets, &self.weights, &PENALTIES[..=best]).pop();
        (PENALTIES[best], fit.unwrap_or_default())
    }

    fn model(&self, fit: &Linear, means: &[f64], words: &[(Region, &str)]) -> SatisfactionModel {
        let round = |value: f64| (value * 1e5).round() / 1e5;
        let mut intercept = fit.intercept;
        let mut features = Vec::new();
        for ((candidate, weight), mean) in self.candidates.iter().zip(&fit.weights).zip(means) {
            intercept += weight * mean;
            if weight.abs() >= LEAST_WEIGHT {
                features.push(Weighted {
                    feature: candidate.feature.clone(),
                    id: candidate.id.clone(),
                    title: candidate.title.clone(),
                    absent: candidate.absent.clone(),
                    weight: round(*weight),
                    mean: round(*mean),
                });
            }
        }
        let weights = &fit.weights[self.candidates.len()..];
        let kept = words.iter().zip(weights).filter(|(_, w)| w.abs() >= LEAST_WEIGHT);
        let kept =
            kept.map(|((region, word), w)| WordWeight { region: *region, word: word.to_string(), weight: round(*w) });
        SatisfactionModel::new(round(intercept), features, kept.collect())
    }

    fn report(
        &self,
        settings: &Settings,
        predicted: &[f64],
        penalty: f64,
        fit: &Linear,
        (means, factors): (&[f64], &[f64]),
        words: &[(Region, &str)],
    ) -> Report {
        let mut sorted = self.targets.clone();
        sorted.sort_by(f64::total_cmp);
        let cut = settings.bad.unwrap_or(sorted[sorted.len() / 8]);
        let bad: Vec<bool> = self.targets.iter().map(|t| *t <= cut).collect();
        // What one standard deviation moves the estimate; for a word, of its being said or not.
        let deviation = |n: usize| match n < self.candidates.len() {
            true if factors[n] > 0.0 => 1.0 / factors[n],
            true => 0.0,
            false => (means[n] * (1.0 - means[n])).max(0.0).sqrt(),
        };
        let mut strongest: Vec<Strength> = fit
            .weights
            .iter()
            .enumerate()
            .map(|(n, weight)| Strength {
                title: match n.checked_sub(self.candidates.len()) {
                    None => self.candidates[n].title.clone(),
                    Some(word) => format!("{}“{}”", words[word].0.title(), words[word].1),
                },
                word: n >= self.candidates.len(),
                weight: *weight,
                effect: weight * deviation(n),
            })
            .collect();
        strongest.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()).then_with(|| a.title.cmp(&b.title)));
        let top = |word: bool| strongest.iter().filter(|s| s.word == word).take(20).cloned().collect();
        let baseline: Option<Vec<f64>> = self.added.iter().map(|e| e.baseline).collect();
        Report {
            conversations: self.len(),
            folds: settings.folds,
            penalty,
            features: self.candidates.len(),
            words: words.len(),
            rho: spearman(predicted, &self.targets),
            auc_bad: auc_below(predicted, &bad),
            bad: bad.iter().filter(|b| **b).count(),
            rho_before: baseline.as_ref().and_then(|b| spearman(b, &self.targets)),
            auc_bad_before: baseline.as_ref().and_then(|b| auc_below(b, &bad)),
            rho_agents: self.agents_rho(predicted),
            calibration: calibration(predicted, &self.targets, 5),
            strongest_features: top(false),
            strongest_words: top(true),
        }
    }

    /// Rank correlation of the agents' means, over agents with 30 conversations or more, when there are five of them.
    fn agents_rho(&self, predicted: &[f64]) -> Option<f64> {
        let mut sums = std::collections::BTreeMap::<&str, (f64, f64, f64)>::new();
        for (example, p) in self.added.iter().zip(predicted) {
            let sum = sums.entry(&example.agent).or_default();
            *sum = (sum.0 + 1.0, sum.1 + p, sum.2 + example.target);
        }
        let means = sums.iter().filter(|(id, s)| s.0 >= 30.0 && !id.is_empty()).map(|(_, s)| (s.1 / s.0, s.2 / s.0));
        let (predicted, actual): (Vec<f64>, Vec<f64>) = means.unzip();
        if predicted.len() >= 5 { spearman(&predicted, &actual) } else { None }
    }
}

/// What learning came to.
#[derive(Debug)]
pub struct Learnt {
    /// The model.
    pub model: SatisfactionModel,
    /// How good it is on conversations it has not seen.
    pub report: Report,
    /// Id, target and held-out prediction of each example, by id.
    pub predicted: Vec<(String, f64, f64)>,
}

/// How strong a feature or word is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strength {
    /// What it is, in Chinese.
    pub title: String,
    /// A word rather than a feature.
    #[serde(skip)]
    pub word: bool,
    /// Its weight.
    pub weight: f64,
    /// What one standard deviation of it moves the estimate by.
    pub effect: f64,
}

/// How good a learnt model is; all agreement figures are from held-out conversations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Rated conversations used.
    pub conversations: usize,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// The penalty chosen for the final model.
    pub penalty: f64,
    /// Features tried.
    pub features: usize,
    /// Words tried.
    pub words: usize,
    /// Spearman's rho with people.
    pub rho: Option<f64>,
    /// Probability that a bad conversation is estimated below another.
    pub auc_bad: Option<f64>,
    /// Conversations counted as bad.
    pub bad: usize,
    /// rho of the pack's own model on the same conversations.
    pub rho_before: Option<f64>,
    /// AUC of the pack's own model.
    pub auc_bad_before: Option<f64>,
    /// rho of the agents' means.
    pub rho_agents: Option<f64>,
    /// Mean estimate and mean rating by fifths of the estimate.
    pub calibration: Vec<Band>,
    /// The strongest features.
    pub strongest_features: Vec<Strength>,
    /// The strongest words.
    pub strongest_words: Vec<Strength>,
}
