//! The conditions a hit must meet inside its own turn: word boundaries, whole message, negation, question, exceptions.

use crate::pack::Negation;
use crate::pack::marker::{Block, Reach, ViewKind};
use crate::span::Span;
use crate::text::{self, Segmenter, View};
use crate::trace::Held;

/// A turn's texts while its blocks are checked; words are segmented at most once, when first asked for.
pub struct TurnText<'t> {
    pub plain: &'t View,
    pub squeezed: &'t View,
    pub original: &'t str,
    pub words: &'t mut Vec<u32>,
    pub words_ready: &'t mut bool,
    pub segmenter: Option<&'t Segmenter>,
}

impl TurnText<'_> {
    /// Word ends of the plain view, ascending, with 0 and the length; `None` without a segmenter.
    pub fn words(&mut self) -> Option<&[u32]> {
        let segmenter = self.segmenter?;
        if !*self.words_ready {
            segmenter.cut_into(self.plain.text(), self.words);
            *self.words_ready = true;
        }
        Some(self.words)
    }

    /// The hit's byte range in the plain view.
    fn plain_range(&self, span: Span) -> std::ops::Range<usize> {
        let start = self.plain.position_of(span.start as usize);
        start..self.plain.position_of(span.end as usize).max(start)
    }

    /// True when the range is made of dictionary words of two characters or more: what merely sounds like a phrase
    /// but is common in itself. Without a segmenter nothing can be told, and the answer is the safe one.
    fn is_common_words(&mut self, range: std::ops::Range<usize>) -> bool {
        let segmenter = self.segmenter;
        let plain = self.plain.text();
        let (Some(segmenter), Some(words)) = (segmenter, self.words()) else { return true };
        let (Ok(first), Ok(last)) =
            (words.binary_search(&(range.start as u32)), words.binary_search(&(range.end as u32)))
        else {
            return false;
        };
        words[first..=last].windows(2).all(|w| {
            let word = &plain[w[0] as usize..w[1] as usize];
            word.chars().count() >= 2 && !word.is_ascii() && segmenter.is_word(word)
        })
    }

    /// Whether the turn's length is within the block's bounds.
    pub fn fits_length(&self, block: &Block) -> bool {
        if block.min_chars.is_none() && block.max_chars.is_none() {
            return true;
        }
        let length = match self.squeezed.text().is_empty() {
            true => self.plain.text().chars().filter(|c| c.is_alphanumeric()).count(),
            false => self.squeezed.text().chars().count(),
        } as u32;
        block.min_chars.is_none_or(|least| length >= least) && block.max_chars.is_none_or(|most| length <= most)
    }

    /// Whether an exception at `except` excuses the hit at `hit`.
    pub fn excused(&self, hit: Span, except: Span, reach: Reach) -> bool {
        if hit.overlaps(except) || reach == Reach::Turn {
            return true;
        }
        let at = self.plain.position_of(hit.start as usize);
        let around = match reach {
            Reach::Inside | Reach::Turn => return false,
            Reach::Clause => text::clause_range(self.plain.text(), at),
            Reach::Sentence => text::sentence_range(self.plain.text(), at),
        };
        around.contains(&self.plain.position_of(except.start as usize))
    }

    /// What keeps the hit from meeting the block's own conditions, if anything.
    pub fn held(&mut self, block: &Block, span: Span, phrase: &str, negation: &Negation) -> Option<Held> {
        let range = self.plain_range(span);
        let spelt = &self.plain.text()[range.clone()] == phrase;
        if text::is_number_phrase(phrase) && text::is_part_of_code(self.plain.text(), range.clone()) {
            return Some(Held::LongerNumber);
        }
        if block.view == ViewKind::Pinyin && !spelt && self.is_common_words(range.clone()) {
            return Some(Held::CommonWords);
        }
        if block.whole || block.start || block.end {
            let message = text::trim_message(self.plain.text());
            let from_start = range.start <= message.start;
            let to_end = range.end >= message.end;
            if block.whole && !(from_start && to_end) {
                return Some(Held::NotWhole);
            }
            if block.start && !from_start {
                return Some(Held::NotStart);
            }
            if block.end && !to_end {
                return Some(Held::NotEnd);
            }
        }
        if let Some(wanted) = block.question
            && text::is_question(self.plain.text(), range.start) != wanted
        {
            return Some(Held::Question(wanted));
        }
        if block.negation && negated(self.plain.text(), range.start, negation) {
            return Some(Held::Negated);
        }
        if block.word {
            let Some(words) = self.words() else { return Some(Held::NoWords) };
            let at = |p: usize| words.binary_search(&(p as u32)).is_ok();
            if !at(range.start) || !at(range.end) {
                return Some(Held::NotWord);
            }
        }
        debug_assert!(self.original.is_char_boundary(span.start as usize));
        None
    }
}

/// True when a negation word ends within the window before `at`, in the same clause, and is not part of a word that
/// negates nothing.
fn negated(plain: &str, at: usize, negation: &Negation) -> bool {
    let clause = text::clause_range(plain, at);
    let before = &plain[clause.start.min(at)..at];
    let Some((window_at, _)) = before.char_indices().rev().take(negation.window + 4).last() else { return false };
    let near = &before[window_at..];
    negation.words.iter().any(|word| {
        near.match_indices(word.as_str()).any(|(i, _)| {
            let gap = near[i + word.len()..].chars().count();
            let place = window_at + i..window_at + i + word.len();
            gap <= negation.window
                && !negation.ignore.iter().any(|ignored| {
                    let from = before.floor_char_boundary(place.start.saturating_sub(ignored.len()));
                    before[from..].match_indices(ignored.as_str()).any(|(j, m)| {
                        let (start, end) = (from + j, from + j + m.len());
                        start <= place.start && place.end <= end
                    })
                })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negation_reaches_its_window_and_clause() {
        let negation = Negation {
            words: vec!["不".into(), "没有".into()],
            ignore: vec!["不得不".into(), "不仅".into()],
            window: 2,
        };
        let hit = |text: &str| {
            let at = text.find("满意").unwrap();
            negated(text, at, &negation)
        };
        assert!(hit("我不满意"));
        assert!(hit("没有很满意"));
        assert!(!hit("不,满意"));
        assert!(!hit("不是说这个特别满意"));
        assert!(!hit("不得不满意"));
        assert!(!hit("满意"));
    }
}
