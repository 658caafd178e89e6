//! What each block comes to by itself: normalised phrases, gates, regexes read. It is most of the work of compiling a pack
//! and blocks know nothing of each other here, so they are prepared side by side.

use super::compile::PhraseSet;
use super::gate::Gate;
use super::gated::GatedRegex;
use super::required::rarity;
use crate::pack::marker::{Block, Near, Reach, ViewKind};
use crate::pack::reference::normal_phrase;

/// A block before its patterns have numbers.
pub struct PreparedBlock {
    /// Its phrases as the view has them.
    pub phrases: Vec<String>,
    /// Its regexes, each with the strings of which every match contains at least one. `None`: it takes any turn that says
    /// something, and so does the block.
    pub regexes: Vec<Option<(GatedRegex, Option<Vec<String>>)>>,
    /// Its exceptions.
    pub except: Option<PhraseSet<Reach>>,
    /// Its exception regexes.
    pub except_regexes: Vec<GatedRegex>,
    /// Its proximity conditions; `None` for one without parts.
    pub nears: Vec<Option<PreparedNear>>,
}

/// A proximity condition.
pub struct PreparedNear {
    /// The alternatives of the part met most rarely.
    pub rarest: Vec<String>,
    /// All alternatives, with the number of their part.
    pub parts: PhraseSet<u16>,
    /// Forbidden between the parts.
    pub nots: Vec<String>,
}

impl PreparedBlock {
    /// Prepares a block.
    pub fn of(block: &Block) -> PreparedBlock {
        let view = block.view;
        let except = block.except.iter().map(|(reach, phrase)| (normal_phrase(view, phrase), *reach));
        let regex = |source: &String| {
            let any = ANYTHING.contains(&source.as_str()) && unconditional(block);
            (!any).then(|| GatedRegex::with_literals(&in_view(view, source)))
        };
        PreparedBlock {
            phrases: block.phrases.iter().map(|phrase| normal_phrase(view, phrase)).collect(),
            regexes: block.regexes.iter().map(|pattern| regex(&pattern.source)).collect(),
            except: PhraseSet::new(except.collect(), None),
            except_regexes: block.except_regex.iter().map(|p| GatedRegex::new(&in_view(view, &p.source))).collect(),
            nears: block.nears.iter().map(|near| PreparedNear::of(view, near)).collect(),
        }
    }
}

impl PreparedNear {
    fn of(view: ViewKind, near: &Near) -> Option<PreparedNear> {
        let parts: Vec<Vec<String>> =
            near.parts.iter().map(|p| p.iter().map(|phrase| normal_phrase(view, phrase)).collect()).collect();
        let rarest = parts.iter().max_by_key(|p| rarity(p))?.clone();
        let gate = Gate::of_parts(parts.iter().map(Vec::as_slice));
        let all = parts.into_iter().zip(0u16..).flat_map(|(p, part)| p.into_iter().map(move |x| (x, part)));
        let parts = PhraseSet::new(all.collect(), Some(gate))?;
        Some(PreparedNear { rarest, parts, nots: near.not.iter().map(|p| normal_phrase(view, p)).collect() })
    }
}

/// Regexes that say no more than "the turn says something".
const ANYTHING: &[&str] = &[r"(?s)\S.*", r"(?s).+", r"(?s)^.+$", r"(?s)^.*\S.*$"];

/// True when a block asks nothing of the words themselves.
fn unconditional(block: &Block) -> bool {
    let words = block.word || block.whole || block.start || block.end || block.negation || block.question.is_some();
    let lists = block.except.is_empty() && block.except_regex.is_empty();
    !words && lists && block.at_least <= 1 && block.min_hits <= 1 && block.min_confidence.is_none()
}

fn in_view(view: ViewKind, source: &str) -> String {
    match view {
        ViewKind::Squeezed => crate::text::squeezed_regex(source),
        _ => source.to_string(),
    }
}
