//! Single characters and pairs of messages, looked up for all models of a pack at once.

use rustc_hash::FxHashMap;

use crate::pack::turn_model::{END, LONGEST_GRAM, START, TurnModel};
use crate::span::Span;
use crate::text::View;

/// A gram of at most [`LONGEST_GRAM`] characters and an end as a number.
fn key(chars: &[char]) -> u64 {
    chars.iter().fold(0, |key, c| key << 21 | (u64::from(*c as u32) + 1))
}

/// Calls for each gram of a message, given between [`START`] and [`END`]. A gram that touches an end may be as long as
/// the others without it.
fn each(bounded: &[char], mut gram: impl FnMut(&[char])) {
    let inner = bounded.len().saturating_sub(2);
    if inner == 0 {
        return;
    }
    bounded[1..=inner].chunks(1).for_each(&mut gram);
    bounded.windows(LONGEST_GRAM).for_each(&mut gram);
    if inner >= LONGEST_GRAM {
        gram(&bounded[..=LONGEST_GRAM]);
        gram(&bounded[bounded.len() - LONGEST_GRAM - 1..]);
    }
}

/// The characters of a message's squeezed view; kept for the next message.
#[derive(Debug, Default, Clone)]
pub struct Squeezer {
    plain: View,
    squeezed: View,
    chars: Vec<char>,
}

impl Squeezer {
    /// Squeezes a message.
    pub fn of(&mut self, text: &str) -> &[char] {
        crate::text::plain(text, &mut self.plain);
        crate::text::squeezed(&self.plain, &mut self.squeezed);
        self.chars.clear();
        self.chars.extend(self.squeezed.text().chars());
        &self.chars
    }

    /// The different grams of a message: characters and pairs, and those it begins (`^`) and ends (`$`) with.
    ///
    /// ```
    /// let mut squeezer = zhijian::detect::grams::Squeezer::default();
    /// assert_eq!(squeezer.grams("加 我、加"), ["^加", "^加我", "加", "加$", "加我", "我", "我加", "我加$"]);
    /// ```
    pub fn grams(&mut self, text: &str) -> Vec<String> {
        self.of(text);
        self.chars.insert(0, START);
        self.chars.push(END);
        let mut grams: Vec<String> = Vec::new();
        each(&self.chars, |gram| grams.push(gram.iter().collect()));
        grams.sort_unstable();
        grams.dedup();
        grams
    }
}

/// The grams of all models, with what each model makes of them.
#[derive(Debug, Default)]
pub struct GramIndex {
    ids: FxHashMap<u64, u32>,
    starts: Vec<u32>,
    weights: Vec<(u32, f64)>,
    models: usize,
}

impl GramIndex {
    /// Puts the grams of models together; a model is known by its number here.
    pub fn new(models: &[&TurnModel]) -> GramIndex {
        let mut all: Vec<(u64, u32, f64)> = Vec::new();
        for (number, model) in models.iter().enumerate() {
            let weight =
                |(gram, weight): (&String, &f64)| (key(&gram.chars().collect::<Vec<_>>()), number as u32, *weight);
            all.extend(model.grams.iter().map(weight));
        }
        all.sort_unstable_by_key(|(key, model, _)| (*key, *model));
        let mut index = GramIndex { models: models.len(), ..GramIndex::default() };
        let mut last = None;
        for (key, model, weight) in all {
            if last != Some(key) {
                index.ids.insert(key, index.starts.len() as u32);
                index.starts.push(index.weights.len() as u32);
                last = Some(key);
            }
            index.weights.push((model, weight));
        }
        index.starts.push(index.weights.len() as u32);
        index
    }

    fn of(&self, gram: &[char]) -> Option<u32> {
        self.ids.get(&key(gram)).copied()
    }

    fn weights(&self, id: u32) -> &[(u32, f64)] {
        &self.weights[self.starts[id as usize] as usize..self.starts[id as usize + 1] as usize]
    }

    /// The stretch of a message that speaks loudest for a model.
    pub fn loudest(&self, model: usize, text: &str) -> Option<Span> {
        let mut squeezer = Squeezer::default();
        squeezer.of(text);
        let chars = &squeezer.chars;
        let weight = |gram: &[char]| {
            let known = self.of(gram).map_or(&[][..], |id| self.weights(id));
            known.iter().find(|w| w.0 as usize == model).map_or(0.0, |w| w.1)
        };
        let pair = |at: usize| chars.get(at..at + 2).map_or(0.0, weight);
        // The stretch of characters with the greatest sum; a pair counts where it starts.
        let (mut best, mut from, mut sum): (Option<(std::ops::Range<usize>, f64)>, _, _) = (None, 0, 0.0);
        for at in 0..chars.len() {
            sum += weight(&chars[at..=at]) + pair(at);
            if sum > best.as_ref().map_or(0.0, |b| b.1) {
                best = Some((from..(at + 2).min(chars.len()), sum));
            }
            if sum < 0.0 {
                (from, sum) = (at + 1, 0.0);
            }
        }
        let byte = |at: usize| chars[..at].iter().map(|c| c.len_utf8()).sum::<usize>();
        best.map(|(range, _)| squeezer.squeezed.original(byte(range.start)..byte(range.end)))
    }
}

/// What the grams of each message speak for each model.
#[derive(Debug, Default, Clone)]
pub struct GramOdds {
    odds: Vec<f64>,
    models: usize,
    chars: Vec<char>,
    ids: Vec<u32>,
}

impl GramOdds {
    /// Begins a conversation: forgets everything.
    pub fn start(&mut self, index: &GramIndex) {
        self.models = index.models;
        self.odds.clear();
    }

    /// The next message says nothing to any model.
    pub fn pass(&mut self) {
        self.odds.resize(self.odds.len() + self.models, 0.0);
    }

    /// Looks up the next message, given its squeezed view. Each gram counts once.
    pub fn look_up(&mut self, squeezed: &str, index: &GramIndex) {
        let first = self.odds.len();
        self.pass();
        if self.models == 0 {
            return;
        }
        self.chars.clear();
        self.chars.push(START);
        self.chars.extend(squeezed.chars());
        self.chars.push(END);
        self.ids.clear();
        each(&self.chars, |gram| self.ids.extend(index.of(gram)));
        // Always summed in the same order.
        self.ids.sort_unstable();
        self.ids.dedup();
        let odds = &mut self.odds[first..];
        for id in &self.ids {
            index.weights(*id).iter().for_each(|(model, weight)| odds[*model as usize] += weight);
        }
    }

    /// The next message is one looked up before: what [`GramOdds::last`] gave then.
    pub fn recall(&mut self, odds: &[f64]) {
        self.odds.extend_from_slice(odds);
    }

    /// What the last message came to, model by model.
    pub fn last(&self) -> &[f64] {
        &self.odds[self.odds.len() - self.models..]
    }

    /// The sum of a model's weights over the grams of a message.
    pub fn of(&self, turn: usize, model: usize) -> f64 {
        self.odds.get(turn * self.models + model).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(grams: &[(&str, f64)]) -> TurnModel {
        TurnModel { grams: grams.iter().map(|(g, w)| (g.to_string(), *w)).collect(), ..TurnModel::default() }
    }

    #[test]
    fn each_gram_counts_once_for_each_model() {
        let (one, two) = (model(&[("加", 1.0), ("加我", 2.0)]), model(&[("我", 0.5), ("加", -1.0)]));
        let index = GramIndex::new(&[&one, &two]);
        let mut odds = GramOdds::default();
        odds.start(&index);
        odds.look_up("加我加我", &index);
        odds.pass();
        odds.look_up("我", &index);
        assert_eq!(odds.last(), [0.0, 0.5]);
        let all: Vec<f64> = (0..3).flat_map(|t| [odds.of(t, 0), odds.of(t, 1)]).collect();
        assert_eq!(all, [3.0, -0.5, 0.0, 0.0, 0.0, 0.5]);
        odds.start(&index);
        odds.recall(&[1.0, 2.0]);
        assert_eq!((odds.of(0, 1), odds.of(1, 0)), (2.0, 0.0));
    }

    #[test]
    fn ends_count_where_the_message_begins_and_ends() {
        let one = model(&[("^加", 1.0), ("^加我", 2.0), ("我$", 4.0), ("加我$", 8.0), ("加", 16.0)]);
        let index = GramIndex::new(&[&one]);
        let mut odds = GramOdds::default();
        odds.start(&index);
        ["加我", "您加我吧", "加", "我", ""].iter().for_each(|text| odds.look_up(text, &index));
        let all: Vec<f64> = (0..5).map(|turn| odds.of(turn, 0)).collect();
        assert_eq!(all, [31.0, 16.0, 17.0, 4.0, 0.0]);
    }

    #[test]
    fn the_loudest_stretch_is_quoted_from_the_original() {
        let one = model(&[("加", 1.0), ("加我", 2.0), ("您", -1.0), ("好", -1.0)]);
        let index = GramIndex::new(&[&one]);
        let text = "您好，您加 我吧";
        assert_eq!(index.loudest(0, text).map(|s| s.slice(text)), Some("加 我"));
        assert_eq!(index.loudest(0, "您好"), None);
    }
}
