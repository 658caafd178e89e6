//! The satisfaction of customers nobody asked: a readable linear model over [`Feature`]s and, when a pack has learnt
//! them, words.
//!
//! `estimate = intercept + Σ weight × (value − mean) + Σ weight of the words said`, cut to 0–1. Each term is the part
//! one feature has in the estimate, counted from the average conversation; the three largest are the reasons. Sums run
//! in the order of the model's file and the result is rounded to thousandths, so that it never depends on threads.

use std::collections::{BTreeSet, HashMap};

use super::feature::{Feature, Scene};
use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::text::{Segmenter, View};

/// Reasons kept of an estimate.
pub const REASONS: usize = 3;

/// Parts smaller than this are no reason.
const LEAST_EFFECT: f64 = 0.01;

/// A feature with what it counts for.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// What is looked at.
    pub feature: Feature,
    /// Its id, as the model's file writes it.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// What to say when the feature is absent and that is what counts; never a reason when absent without it.
    pub absent: Option<String>,
    /// What one unit of the value adds.
    pub weight: f64,
    /// The value in the average conversation.
    pub mean: f64,
}

/// Where a word is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// By the customer before the agent's first answer.
    CustomerOpen,
    /// By the customer afterwards.
    CustomerLater,
    /// By the agent.
    Agent,
}

impl Region {
    /// Every region with its key in models and its Chinese title.
    pub const ALL: [(Region, &'static str, &'static str); 3] = [
        (Region::CustomerOpen, "customer_open", "客户开场说"),
        (Region::CustomerLater, "customer_later", "客户后来说"),
        (Region::Agent, "agent", "客服说"),
    ];

    /// Its Chinese title.
    pub fn title(self) -> &'static str {
        Region::ALL[self as usize].2
    }
}

/// A word said in a region, with what it adds.
#[derive(Debug, Clone, PartialEq)]
pub struct WordWeight {
    /// Where it is said.
    pub region: Region,
    /// The word as jieba cuts it from the plain view.
    pub word: String,
    /// What it adds when it is said at all.
    pub weight: f64,
}

/// A satisfaction model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SatisfactionModel {
    /// The estimate of the average conversation (without its words).
    pub intercept: f64,
    /// Features in the order of the file.
    pub features: Vec<Weighted>,
    words: Vec<WordWeight>,
    index: HashMap<String, [Option<u32>; 3]>,
}

/// Why an estimate is what it is: one feature's or word's part.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Which part of the model.
    pub part: Part,
    /// The turn that shows it, where there is one.
    pub turn: Option<u32>,
    /// What it adds, in thousandths; negative when it lowers the estimate.
    pub effect: i64,
}

/// A part of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A feature by its place; `true` when its absence counts.
    Feature(usize, bool),
    /// A word by its place.
    Word(usize),
}

/// The estimate of one conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Satisfaction {
    /// Thousandths, 0–1000; `None` when the customer says nothing.
    pub estimate: Option<i64>,
    /// The largest parts, largest first.
    pub reasons: Vec<Reason>,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct SatisfactionScratch {
    scene: Scene,
    words: SaidWords,
}

impl SatisfactionModel {
    /// A model of features and words.
    pub fn new(intercept: f64, features: Vec<Weighted>, words: Vec<WordWeight>) -> SatisfactionModel {
        let mut index = HashMap::<String, [Option<u32>; 3]>::new();
        for (n, word) in words.iter().enumerate() {
            index.entry(word.word.clone()).or_default()[word.region as usize] = Some(n as u32);
        }
        SatisfactionModel { intercept, features, words, index }
    }

    /// The words in the order of the file.
    pub fn words(&self) -> &[WordWeight] {
        &self.words
    }

    /// What a reason is about, in words.
    pub fn describe(&self, part: Part) -> String {
        match part {
            Part::Feature(n, absent) => {
                let feature = &self.features[n];
                feature.absent.as_ref().filter(|_| absent).unwrap_or(&feature.title).clone()
            }
            Part::Word(n) => format!("{}“{}”", self.words[n].region.title(), self.words[n].word),
        }
    }

    /// Estimates a conversation's satisfaction. Words count only when there is a segmenter.
    pub fn estimate(
        &self,
        conversation: &Conversation<'_>,
        hits: &Hits,
        segmenter: Option<&Segmenter>,
        scratch: &mut SatisfactionScratch,
        out: &mut Satisfaction,
    ) {
        out.reasons.clear();
        scratch.scene.fill(conversation);
        if !scratch.scene.has_customer() {
            out.estimate = None;
            return;
        }
        let mut sum = self.intercept;
        for (n, own) in self.features.iter().enumerate() {
            let (value, turn) = own.feature.value(&scratch.scene, conversation, hits);
            let effect = own.weight * (value - own.mean);
            sum += effect;
            let absent = value == 0.0;
            if effect.abs() >= LEAST_EFFECT && (!absent || own.absent.is_some()) {
                let turn = turn.filter(|_| !absent);
                out.reasons.push(Reason { part: Part::Feature(n, absent), turn, effect: milli(effect) });
            }
        }
        if let Some(segmenter) = segmenter
            && !self.words.is_empty()
        {
            let mut said = BTreeSet::new();
            scratch.words.each(&scratch.scene, conversation, segmenter, |region, turn, word| {
                if let Some(n) = self.index.get(word).and_then(|regions| regions[region as usize]) {
                    said.insert((n, turn));
                }
            });
            let mut last = None;
            for (n, turn) in said {
                if last.replace(n) == Some(n) {
                    continue;
                }
                let effect = self.words[n as usize].weight;
                sum += effect;
                if effect.abs() >= LEAST_EFFECT {
                    let part = Part::Word(n as usize);
                    out.reasons.push(Reason { part, turn: Some(turn), effect: milli(effect) });
                }
            }
        }
        out.estimate = Some(milli(sum.clamp(0.0, 1.0)));
        out.reasons.sort_by_key(|r| (std::cmp::Reverse(r.effect.abs()), r.part));
        out.reasons.truncate(REASONS);
    }
}

fn milli(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

/// Cuts a conversation's messages into words, region by region.
#[derive(Debug, Default)]
pub struct SaidWords {
    view: View,
    cuts: Vec<u32>,
}

impl SaidWords {
    /// Calls `found` with every word said by customer and agent: region, turn, word. Numbers and marks are left out.
    pub fn each(
        &mut self,
        scene: &Scene,
        conversation: &Conversation<'_>,
        segmenter: &Segmenter,
        mut found: impl FnMut(Region, u32, &str),
    ) {
        let regions =
            [(Region::CustomerOpen, &scene.open), (Region::CustomerLater, &scene.later), (Region::Agent, &scene.agent)];
        for (region, turns) in regions {
            for &turn in turns {
                let turn_of = &conversation.turns[turn as usize];
                debug_assert!(matches!(turn_of.role, Role::Agent | Role::Customer));
                crate::text::plain(&turn_of.text, &mut self.view);
                let text = self.view.text();
                segmenter.cut_into(text, &mut self.cuts);
                for cut in self.cuts.windows(2) {
                    let word = &text[cut[0] as usize..cut[1] as usize];
                    if is_telling(word) {
                        found(region, turn, word);
                    }
                }
            }
        }
    }
}

/// True for words that can mean something beyond their conversation: no numbers, no codes, no blanks.
pub fn is_telling(word: &str) -> bool {
    matches!(word, "!" | "?" | "...")
        || word.chars().any(char::is_alphabetic) && !word.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::feature::{Place, Shape, Side};
    use super::*;

    fn weighted(feature: Feature, weight: f64, mean: f64, absent: Option<&str>) -> Weighted {
        let title = "标题".to_string();
        Weighted { feature, id: String::new(), title, absent: absent.map(str::to_string), weight, mean }
    }

    fn model() -> SatisfactionModel {
        let thanks = Feature::Marker { side: Side::Customer, markers: vec![0], place: Place::Any };
        SatisfactionModel::new(
            0.5,
            vec![
                weighted(thanks, 0.2, 0.5, Some("客户没有道谢")),
                weighted(Feature::Shape(Shape::QuestionLast), -0.3, 0.1, None),
            ],
            vec![WordWeight { region: Region::CustomerLater, word: "失望".into(), weight: -0.25 }],
        )
    }

    fn estimate(lines: &[&str], thanks: &[usize]) -> Satisfaction {
        let lines: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
        let conversation = crate::pack::chat::conversation(&lines).unwrap();
        let mut hits = Hits::default();
        hits.reset(conversation.turns.len(), 1);
        thanks.iter().for_each(|t| hits.set(*t, 0));
        let segmenter = Segmenter::new("").unwrap();
        let mut out = Satisfaction::default();
        model().estimate(&conversation, &hits, Some(&segmenter), &mut SatisfactionScratch::default(), &mut out);
        out
    }

    #[test]
    fn estimates_by_hand() {
        // 0.5 + 0.2·(1 − 0.5) − 0.3·(0 − 0.1) = 0.63
        let thanked = estimate(&["客: 退款", "服: 已办", "客: 谢谢"], &[2]);
        assert_eq!(thanked.estimate, Some(630));
        assert_eq!(thanked.reasons, [Reason { part: Part::Feature(0, false), turn: Some(2), effect: 100 }]);
        // 0.5 + 0.2·(0 − 0.5) − 0.3·(1 − 0.1) − 0.25 = −0.12, cut to 0
        let asked = estimate(&["客: 退款", "服: 等", "客: 太失望了,失望?"], &[]);
        assert_eq!(asked.estimate, Some(0));
        let parts: Vec<_> = asked.reasons.iter().map(|r| (r.part, r.turn, r.effect)).collect();
        assert_eq!(
            parts,
            [
                (Part::Feature(1, false), Some(2), -270),
                (Part::Word(0), Some(2), -250),
                (Part::Feature(0, true), None, -100)
            ]
        );
        assert_eq!(model().describe(asked.reasons[1].part), "客户后来说“失望”");
        assert_eq!(model().describe(asked.reasons[2].part), "客户没有道谢");
    }

    #[test]
    fn without_customer_words_there_is_no_estimate() {
        assert_eq!(estimate(&["服: 您好", "机: 您好"], &[]).estimate, None);
    }

    #[test]
    fn telling_words() {
        for (word, telling) in [("退款", true), ("!", true), (",", false), ("12", false), ("a1", false), (" ", false)]
        {
            assert_eq!(is_telling(word), telling, "{word}");
        }
    }
}
