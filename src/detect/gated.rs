//! Regexes that are run only where their gate is open.
//!
//! A pack has a thousand of them, and a message gets through the gates of seven. So they are built when a text first gets
//! through, and short texts are searched by backtracking, bounded by a record of what has been tried: it needs one
//! automaton a regex and one cache a thread, where a lazily built automaton needs a cache for each regex and pays only
//! after more texts than most of them ever see (see benches). Long texts are left to the regex crate's own choice.
//!
//! Where it is known where the literals stand that no match can do without, and how long a match can be, only the
//! stretches around them are searched.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::prefilter::Prefilter;
use regex_automata::{Input, MatchKind, Span};
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

use super::gate::{Gate, Letters};
use super::required::literals_of;

/// Bytes up to which a text counts as short.
const SHORT: usize = 4096;
/// Bytes the record of what has been tried may take.
const VISITED: usize = 1 << 18;
/// Bytes each thread may keep of a regex's automaton as far as long texts have needed it.
const DFA_BYTES: usize = 1 << 17;
/// Largest regex, compiled.
const MOST_BYTES: usize = 16 << 20;

/// A regex behind its gate.
#[derive(Debug)]
pub struct GatedRegex {
    source: String,
    gate: Gate,
    /// Most bytes of a match; `None` when there is no limit.
    longest: Option<usize>,
    short: OnceLock<Option<Short>>,
    long: OnceLock<Regex>,
}

/// For short texts.
#[derive(Debug)]
enum Short {
    /// A match begins with the first of these characters and ends with the text: no search.
    FromFirst(ClassUnicode),
    /// The backtracker is asked.
    Searched(Box<Searched>),
}

#[derive(Debug)]
struct Searched {
    backtracker: BoundedBacktracker,
    /// Where a match may begin.
    prefilter: Option<Prefilter>,
    /// Longest text, in bytes.
    most: usize,
    /// What is searched for needs only to be somewhere: the match is the whole text.
    whole: bool,
}

/// What searching short texts needs beside the regex; one a thread.
#[derive(Debug, Default)]
pub struct RegexCache(Option<backtrack::Cache>);

impl GatedRegex {
    /// A regex over a view, as the view has its letters: lower case. The pack has checked that it can be built; one
    /// that cannot matches nothing.
    pub fn new(source: &str) -> GatedRegex {
        GatedRegex::with_literals(source).0
    }

    /// As [`GatedRegex::new`], with the strings of which every match contains at least one
    /// ([`super::required::required_literals`]).
    pub fn with_literals(source: &str) -> (GatedRegex, Option<Vec<String>>) {
        let source = lower_case_literals(source);
        let hir = regex_syntax::Parser::new().parse(&source).ok();
        let literals = hir.as_ref().and_then(literals_of);
        let longest = hir.as_ref().and_then(|hir| hir.properties().maximum_len());
        let gate = hir.as_ref().map_or(Gate::always(), Gate::of);
        (GatedRegex { gate, source, longest, short: OnceLock::new(), long: OnceLock::new() }, literals)
    }

    /// Calls `found` with every match in a view's text, given its letters.
    pub fn find(&self, text: &str, letters: &Letters, cache: &mut RegexCache, found: impl FnMut(Range<usize>)) {
        self.find_around(text, letters, None, cache, found);
    }

    /// As [`GatedRegex::find`]. `places` are where the strings begin of which every match contains at least one,
    /// ascending.
    pub fn find_around(
        &self,
        text: &str,
        letters: &Letters,
        places: Option<&mut dyn Iterator<Item = usize>>,
        cache: &mut RegexCache,
        mut found: impl FnMut(Range<usize>),
    ) {
        if !self.gate.open(letters) {
            return;
        }
        let short = (text.len() <= SHORT).then(|| self.short.get_or_init(|| Short::new(&self.source)).as_ref());
        let Some(short) = short.flatten().filter(|short| text.len() <= short.most()) else {
            return self.long.get_or_init(|| long(&self.source)).find_iter(text).for_each(|m| found(m.range()));
        };
        let (Some(places), Some(longest)) = (places, self.longest) else {
            return short.find(text, 0..text.len(), cache, &mut found);
        };
        // A match ends within its longest of where it begins, and so lies within that of the string it contains.
        // Stretches that touch are one, so that a match of one place is never cut short by the end of another's.
        let mut stretch: Option<Range<usize>> = None;
        for place in places {
            let (from, to) = (place.saturating_sub(longest), (place + longest).min(text.len()));
            match &mut stretch {
                Some(known) if from <= known.end => known.end = to,
                _ => {
                    if let Some(done) = stretch.replace(from..to) {
                        short.find(text, done, cache, &mut found);
                    }
                }
            }
        }
        if let Some(last) = stretch {
            short.find(text, last, cache, &mut found);
        }
    }
}

impl Short {
    fn new(source: &str) -> Option<Short> {
        let hir = regex_syntax::Parser::new().parse(source).ok()?;
        if let Some(class) = from_first(&hir) {
            return Some(Short::FromFirst(class));
        }
        let somewhere = somewhere(&hir);
        let whole = somewhere.is_some();
        let hir = somewhere.unwrap_or(hir);
        let prefilter = Prefilter::from_hir_prefix(MatchKind::LeftmostFirst, &hir);
        let config = thompson::Config::new().nfa_size_limit(Some(MOST_BYTES)).which_captures(WhichCaptures::Implicit);
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir).ok()?;
        let config = backtrack::Config::new().visited_capacity(VISITED).prefilter(prefilter.clone());
        let backtracker = BoundedBacktracker::builder().configure(config).build_from_nfa(nfa).ok()?;
        let most = backtracker.max_haystack_len();
        Some(Short::Searched(Box::new(Searched { backtracker, prefilter, most, whole })))
    }

    /// Longest text, in bytes.
    fn most(&self) -> usize {
        match self {
            Short::FromFirst(_) => usize::MAX,
            Short::Searched(searched) => searched.most,
        }
    }

    /// Searches a stretch of a text; what stands around it counts for `^`, `$` and the like.
    fn find(&self, text: &str, stretch: Range<usize>, cache: &mut RegexCache, found: &mut impl FnMut(Range<usize>)) {
        match self {
            Short::FromFirst(class) => {
                let wanted = |c: char| class.iter().any(|range| (range.start()..=range.end()).contains(&c));
                if let Some((first, _)) = text.char_indices().find(|(_, c)| wanted(*c)) {
                    found(first..text.len());
                }
            }
            Short::Searched(searched) => searched.find(text, stretch, cache, found),
        }
    }
}

impl Searched {
    fn find(&self, text: &str, stretch: Range<usize>, cache: &mut RegexCache, found: &mut impl FnMut(Range<usize>)) {
        let (from, to) = (text.floor_char_boundary(stretch.start), text.ceil_char_boundary(stretch.end));
        let from = match &self.prefilter {
            Some(prefilter) => match prefilter.find(text.as_bytes(), Span::from(from..to)) {
                Some(first) => first.start,
                None => return,
            },
            None => from,
        };
        let cache = cache.0.get_or_insert_with(|| self.backtracker.create_cache());
        self.backtracker.reset_cache(cache);
        let input = Input::new(text).range(from..to);
        // No text is too long for the record: that has been asked before.
        let mut matches = self.backtracker.try_find_iter(cache, input).map_while(Result::ok);
        match self.whole {
            true => matches.next().into_iter().for_each(|_| found(0..text.len())),
            false => matches.for_each(|m| found(m.range())),
        }
    }
}

/// The class `c` of `(?s)c.*`.
fn from_first(hir: &Hir) -> Option<ClassUnicode> {
    match hir.kind() {
        HirKind::Concat(parts) => match parts.as_slice() {
            [first, rest] if is_everything(rest) => match first.kind() {
                HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The `x` of `(?s)^.*x.*$`, which matches nothing or the whole text.
fn somewhere(hir: &Hir) -> Option<Hir> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let [first, before, inner @ .., after, last] = parts.as_slice() else { return None };
    let is = |hir: &Hir, look| matches!(hir.kind(), HirKind::Look(own) if *own == look);
    let framed = is(first, Look::Start) && is_everything(before) && is_everything(after) && is(last, Look::End);
    let inner = Hir::concat(inner.to_vec());
    (framed && inner.properties().minimum_len().is_some_and(|least| least > 0)).then_some(inner)
}

/// `(?s).*`
fn is_everything(hir: &Hir) -> bool {
    let any = |class: &ClassUnicode| matches!(class.ranges(), [all] if (all.start(), all.end()) == ('\0', char::MAX));
    match hir.kind() {
        HirKind::Repetition(repeated) => {
            repeated.min == 0
                && repeated.max.is_none()
                && repeated.greedy
                && matches!(repeated.sub.kind(), HirKind::Class(Class::Unicode(class)) if any(class))
        }
        _ => false,
    }
}

fn long(source: &str) -> Regex {
    let build = |source| regex::RegexBuilder::new(source).size_limit(MOST_BYTES).dfa_size_limit(DFA_BYTES).build();
    build(source).or_else(|_| build("[^\\s\\S]")).expect("an empty class is a regex")
}

/// Views are lower case, so literals are looked for in lower case while escapes such as `\S` keep theirs.
fn lower_case_literals(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut escaped = false;
    for c in source.chars() {
        if escaped || !c.is_ascii_uppercase() {
            out.push(c);
        } else {
            out.push(c.to_ascii_lowercase());
        }
        escaped = c == '\\' && !escaped;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(regex: &GatedRegex, text: &str, cache: &mut RegexCache) -> Vec<Range<usize>> {
        let (mut letters, mut all) = (Letters::default(), Vec::new());
        letters.fill(text);
        regex.find(text, &letters, cache, |range| all.push(range));
        all
    }

    #[test]
    fn long_texts_are_searched_like_short_ones() {
        let regex = GatedRegex::new(r"(?:加|添加).{0,3}V信\d+");
        let mut cache = RegexCache::default();
        let text = "您加一下v信12吧,".repeat(4);
        let short = found(&regex, &text, &mut cache);
        assert_eq!(short.iter().map(|r| &text[r.clone()]).collect::<Vec<_>>(), ["加一下v信12"; 4]);
        let padded = format!("{text}{}", "。".repeat(SHORT));
        assert_eq!(found(&regex, &padded, &mut cache), short);
    }

    proptest! {
        /// Searching around the literals no match can do without finds what searching everything finds.
        #[test]
        fn stretches_lose_nothing(text in "[加微信vV1三还没收到发货快,您 ]{0,60}") {
            let sources = [
                "(?:加|还).{0,3}[v微]信?", "(?:快|没)收到?发", r"\d.?三|货$", "^(?:加|您)?微", r"信\b|加\B微", "(?:微|v)信|微信.{0,4}加",
                "还没(?:收到)?(?:发货.{0,9}快)?", "加.{0,2}(?:信|微.?v)", "(?:加|加微).{0,5}?信|微",
            ];
            let text = text.to_lowercase();
            let mut letters = Letters::default();
            letters.fill(&text);
            let mut cache = RegexCache::default();
            for source in sources {
                let regex = GatedRegex::new(source);
                let literals = super::super::required::required_literals(source).unwrap();
                let mut places: Vec<usize> =
                    literals.iter().flat_map(|l| text.match_indices(l.as_str()).map(|m| m.0)).collect();
                places.sort_unstable();
                let mut around = Vec::new();
                let mut places = places.into_iter();
                regex.find_around(&text, &letters, Some(&mut places), &mut cache, |range| around.push(range));
                prop_assert_eq!(around, found(&regex, &text, &mut cache), "{} {}", source, text);
            }
        }
    }

    #[test]
    fn what_cannot_be_built_matches_nothing() {
        assert!(found(&GatedRegex::new("(好"), "(好", &mut RegexCache::default()).is_empty());
    }

    proptest! {
        /// One cache serves all regexes, and each finds what the regex crate finds.
        #[test]
        fn finds_what_the_regex_crate_finds(texts in prop::collection::vec("[加微信vV1三还没收到发货快,您 ]{0,24}", 1..6)) {
            let sources = [
                "(?:加|还).{0,3}[v微]信?", "(?:快|没)+收到?发", r"\d.?三|货$", "^(?:加|您)?微", r"信\b|加\B微", "(?:加|还)*",
                r"(?s)^.*[没还].*$", r"(?s)\S.*", r"(?s)^.*(?:还没|v\d|快$).*$", r"(?s)[没还v].*", r"^.*[没还].*$", r"(?s)^.*还?.*$", "^^(?:^|,)?加", "[^,]{3}货", "(?:微|v)信",
            ];
            let mut cache = RegexCache::default();
            for source in sources {
                let (own, theirs) = (GatedRegex::new(source), Regex::new(source).unwrap());
                for text in &texts {
                    let text = text.to_lowercase();
                    let expected: Vec<_> = theirs.find_iter(&text).map(|m| m.range()).collect();
                    prop_assert_eq!(found(&own, &text, &mut cache), expected, "{} {}", source, text);
                }
            }
        }
    }
}
