//! Learnt markers: what a model looks at in a message, and which messages it says yes to.
//!
//! A model is settled in its turn among the markers, so that it sees those it looks at and others may look at it. Its
//! hits quote the words that spoke loudest for it. Without a segmenter there are no words: the marker's own phrases, if
//! it has any, then decide alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::grams::{GramIndex, GramOdds};
use super::hit::{Hit, Hits};
use crate::conversation::{Conversation, Role};
use crate::pack::expression::MarkerId;
use crate::pack::turn_model::{Spot, TurnModel, TurnShape};
use crate::span::Span;
use crate::text::{Segmenter, View};

/// Words quoted for one message at most.
const QUOTED: usize = 3;
/// More than sums of weights in another order can differ by.
const ROUNDING: f64 = 1e-6;

/// The words of a conversation's messages, with their places in the original.
#[derive(Debug, Default, Clone)]
pub struct TurnWords {
    turns: Vec<Vec<(String, Span)>>,
    view: View,
    cuts: Vec<u32>,
}

impl TurnWords {
    /// Cuts all messages of people into words.
    pub fn fill(&mut self, conversation: &Conversation<'_>, segmenter: &Segmenter) {
        self.turns.clear();
        for turn in &conversation.turns {
            let mut words = Vec::new();
            if turn.is_human_words() {
                crate::text::plain(&turn.text, &mut self.view);
                segmenter.cut_into(self.view.text(), &mut self.cuts);
                for cut in self.cuts.windows(2) {
                    let range = cut[0] as usize..cut[1] as usize;
                    let word = &self.view.text()[range.clone()];
                    if crate::metrics::satisfaction::is_telling(word) {
                        words.push((word.to_string(), self.view.original(range)));
                    }
                }
            }
            self.turns.push(words);
        }
    }

    /// Forgets everything: the messages have not been cut.
    pub fn clear(&mut self) {
        self.turns.clear();
    }

    /// True when [`TurnWords::fill`] has been called for this conversation.
    pub fn is_filled(&self) -> bool {
        !self.turns.is_empty()
    }

    /// The words of a message.
    pub fn of(&self, turn: usize) -> &[(String, Span)] {
        &self.turns[turn]
    }
}

/// What stands around a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The other side's messages right before its own run of messages.
    pub before: Vec<usize>,
    /// The other side's messages right after.
    pub after: Vec<usize>,
}

impl Around {
    /// Looks around a message of customer or agent.
    pub fn of(conversation: &Conversation<'_>, turn: usize) -> Around {
        let own = conversation.turns[turn].role;
        let run = |turns: &mut dyn Iterator<Item = usize>| {
            let mut found = Vec::new();
            for other in turns {
                let said = &conversation.turns[other];
                if !said.is_human_words() {
                    continue;
                }
                match said.role == own {
                    true if !found.is_empty() => break,
                    true => {}
                    false => found.push(other),
                }
            }
            found
        };
        Around { before: run(&mut (0..turn).rev()), after: run(&mut (turn + 1..conversation.turns.len())) }
    }

    /// The messages of a spot.
    pub fn turns(&self, spot: Spot, turn: usize) -> Vec<usize> {
        match spot {
            Spot::Own => vec![turn],
            Spot::Before => self.before.clone(),
            Spot::After => self.after.clone(),
        }
    }
}

/// What a message looks like, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Form {
    chars: f64,
    question: bool,
    exclaim: bool,
}

impl Form {
    /// Looks at a message.
    pub fn of(text: &str) -> Form {
        let chars = text.chars().filter(|c| crate::text::is_letter(*c)).count();
        Form {
            chars: (1.0 + chars as f64).log2(),
            question: text.contains(['?', '\u{ff1f}']),
            exclaim: text.contains(['!', '\u{ff01}']),
        }
    }
}

/// The first and last messages in words of customer and agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    customer: Option<(usize, usize)>,
    agent: Option<(usize, usize)>,
}

impl Ends {
    /// Looks for them.
    pub fn of(conversation: &Conversation<'_>) -> Ends {
        let mut ends = Ends::default();
        for (turn, said) in conversation.turns.iter().enumerate().filter(|(_, t)| t.is_human_words()) {
            let own = if said.role == Role::Customer { &mut ends.customer } else { &mut ends.agent };
            own.get_or_insert((turn, turn)).1 = turn;
        }
        ends
    }

    fn is_first(&self, role: Role, turn: usize) -> bool {
        self.side(role).is_none_or(|(first, _)| turn <= first)
    }

    fn is_last(&self, role: Role, turn: usize) -> bool {
        self.side(role).is_none_or(|(_, last)| turn >= last)
    }

    fn side(&self, role: Role) -> Option<(usize, usize)> {
        if role == Role::Customer { self.customer } else { self.agent }
    }
}

/// The shape of a message, in the order of [`TurnShape::ALL`]; `rule` says whether the marker's own phrases hit.
pub fn shapes(form: &Form, ends: &Ends, (role, turn): (Role, usize), rule: bool) -> [f64; 6] {
    let flag = |holds: bool| f64::from(u8::from(holds));
    let mut out = [0.0; 6];
    for (shape, ..) in TurnShape::ALL {
        out[shape as usize] = match shape {
            TurnShape::Rule => flag(rule),
            TurnShape::First => flag(ends.is_first(role, turn)),
            TurnShape::Last => flag(ends.is_last(role, turn)),
            TurnShape::Chars => form.chars,
            TurnShape::Question => flag(form.question),
            TurnShape::Exclaim => flag(form.exclaim),
        };
    }
    out
}

/// What models look at in the messages of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Said<'s> {
    /// The words; empty when no model asks for them.
    pub words: &'s TurnWords,
    /// What each message looks like; `None` for those that say nothing.
    pub forms: &'s [Option<Form>],
    /// Where each side begins and ends.
    pub ends: Ends,
    /// What the grams speak for each model.
    pub grams: &'s GramOdds,
    /// The grams themselves.
    pub index: &'s GramIndex,
}

/// A model with the texts its hits are explained by.
#[derive(Debug)]
pub struct CompiledModel {
    /// The weights.
    pub model: Arc<TurnModel>,
    /// Its number among the pack's models.
    pub number: usize,
    /// Whose messages.
    pub role: Option<Role>,
    /// The block its hits belong to.
    pub block: u32,
    /// Its word alone goes to review: where the marker's own phrases hit, only they are quoted.
    pub alone_review: bool,
    /// For each word of the message itself, the number of the text that names it.
    pub texts: BTreeMap<String, u32>,
    /// The text that names the model as a whole.
    pub whole: u32,
    /// See [`CompiledModel::most_around`].
    pub most_around: f64,
    /// The log-odds from which it says yes: without and with a hit of the marker's own phrases.
    pub least: [f64; 2],
}

impl CompiledModel {
    /// Replaces the marker's own hits by those of the messages the model says yes to; its own hits in those stay.
    pub fn settle(
        &self,
        marker: MarkerId,
        conversation: &Conversation<'_>,
        said: &Said<'_>,
        hits: &Hits,
        settled: &mut Vec<Hit>,
    ) {
        // The marker's own hits, by turn, stand before what is settled here.
        let rules = settled.len();
        let mut next = 0;
        for (turn, form) in said.forms.iter().enumerate() {
            let number = turn as u32;
            let first = next;
            next += settled[first..rules].iter().take_while(|h| h.turn == number).count();
            let Some(form) = form.as_ref().filter(|_| self.role.is_none_or(|r| r == conversation.turns[turn].role))
            else {
                continue;
            };
            let rule = next > first;
            let least = self.least[usize::from(rule)];
            let alone = self.odds_alone(conversation, (turn, form), rule, said);
            if alone + self.most_around + ROUNDING < least {
                continue;
            }
            let (odds, mut loudest) = self.odds_around(alone, conversation, turn, said, hits);
            if odds < least {
                continue;
            }
            let message = &conversation.turns[turn];
            settled.extend_from_within(first..next);
            if rule && self.alone_review {
                continue;
            }
            loudest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (_, span, pattern) in loudest.into_iter().take(QUOTED) {
                settled.push(Hit { turn: number, marker, span, pattern, block: self.block });
            }
            if settled[rules..].last().is_none_or(|h| h.turn != number) {
                let start = message.text.len() - message.text.trim_start().len();
                let all = Span::new(start, start + message.text.trim().len());
                let span = said.index.loudest(self.number, &message.text).unwrap_or(all);
                settled.push(Hit { turn: number, marker, span, pattern: self.whole, block: self.block });
            }
        }
        settled.drain(..rules);
        settled.sort_by_key(|h| (h.turn, h.span.start));
    }

    /// What a model's markers and words can add to a message's log-odds at most: infinite where it looks at words.
    pub fn most_around(model: &TurnModel) -> f64 {
        match model.wants_words() {
            true => f64::INFINITY,
            false => model.markers.iter().map(|(.., weight)| weight.max(0.0)).sum(),
        }
    }

    /// The log-odds of a message by its grams and its shape.
    fn odds_alone(
        &self,
        conversation: &Conversation<'_>,
        (turn, form): (usize, &Form),
        rule: bool,
        said: &Said<'_>,
    ) -> f64 {
        let mut odds = self.model.intercept + said.grams.of(turn, self.number);
        let place = (conversation.turns[turn].role, turn);
        for (value, weight) in shapes(form, &said.ends, place, rule).iter().zip(&self.model.shapes) {
            odds += value * weight;
        }
        odds
    }

    /// The log-odds with what stands around the message, and its own words that speak for the marker: weight, place,
    /// text.
    fn odds_around(
        &self,
        mut odds: f64,
        conversation: &Conversation<'_>,
        turn: usize,
        said: &Said<'_>,
        hits: &Hits,
    ) -> (f64, Vec<(f64, Span, u32)>) {
        if self.model.markers.is_empty() && !self.model.wants_words() {
            return (odds, Vec::new());
        }
        let around = Around::of(conversation, turn);
        for (spot, marker, weight) in &self.model.markers {
            if around.turns(*spot, turn).iter().any(|t| hits.has(*t, *marker)) {
                odds += weight;
            }
        }
        let mut loudest = Vec::new();
        for (spot, ..) in Spot::ALL {
            let weights = &self.model.words[spot as usize];
            if weights.is_empty() {
                continue;
            }
            let mut heard = BTreeMap::new();
            for at in around.turns(spot, turn) {
                for (word, span) in said.words.of(at) {
                    if let Some(weight) = weights.get(word) {
                        heard.entry(word.as_str()).or_insert((*weight, *span));
                    }
                }
            }
            for (word, (weight, span)) in heard {
                odds += weight;
                if spot == Spot::Own
                    && weight > 0.0
                    && let Some(text) = self.texts.get(word)
                {
                    loudest.push((weight, span, *text));
                }
            }
        }
        (odds, loudest)
    }
}
