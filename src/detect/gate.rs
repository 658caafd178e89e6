//! What characters a text must hold before a regex is worth running on it.
//!
//! A literal of its rarest set brings a regex up for a message; most regexes want several things at once, though, and
//! nine in ten of those brought up do not match. A [`Gate`] asks for all of them: every literal, small class and digit that
//! no match can do without, as a formula of *and* and *or* over a message's [`Letters`], a filter of its characters
//! and neighbouring pairs, start and end included. It may open in vain (the filter hashes, and order is not looked at) but never stays shut
//! on a text the regex matches.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

/// Words of 64 bits in a filter.
const WORDS: usize = 256;
/// Bits set aside: the text holds a number, an ASCII letter.
const NUMBER: u16 = 0;
const LETTER: u16 = 1;
/// Stand for the text's start and end, next to its first and last character.
const START: u32 = 0x11_0000;
const END: u32 = 0x11_0001;
/// Largest class whose characters are looked at one by one.
const MOST_OF_A_CLASS: usize = 40;
/// Largest class looked at at all.
const MOST_OF_A_KIND: usize = 4096;
/// Most pairs kept where two parts of a regex meet: more say nothing.
const MOST_PAIRS: usize = 64;

/// The characters of a text and its pairs of neighbours, hashed into a filter so wide that a message fills less than
/// a hundredth of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    bits: Box<[u64; WORDS]>,
    /// Words with a bit set, to be cleared for the next text.
    used: Vec<u8>,
    /// Most digits in a row.
    digits: u32,
}

impl Default for Letters {
    fn default() -> Self {
        Letters { bits: Box::new([0; WORDS]), used: Vec::new(), digits: 0 }
    }
}

impl Letters {
    /// Starts over with a text.
    pub fn fill(&mut self, text: &str) {
        for word in self.used.drain(..) {
            self.bits[usize::from(word)] = 0;
        }
        // What conditions on the edges alone come to.
        for (a, b) in [(START, START), (END, END), (END, START)] {
            self.set(of_pair(a, b));
        }
        let mut before = START;
        self.digits = 0;
        let mut digits = 0;
        for c in text.chars() {
            self.set(of_char(c as u32));
            self.set(of_pair(before, c as u32));
            if c.is_ascii_alphabetic() {
                self.set(LETTER);
                digits = 0;
            } else if is_number(c) {
                self.set(NUMBER);
                digits += 1;
                self.digits = self.digits.max(digits);
            } else {
                digits = 0;
            }
            before = c as u32;
        }
        self.set(of_pair(before, END));
    }

    fn set(&mut self, bit: u16) {
        let word = &mut self.bits[usize::from(bit >> 6)];
        if *word == 0 {
            self.used.push((bit >> 6) as u8);
        }
        *word |= 1 << (bit & 63);
    }

    fn has(&self, bit: u16) -> bool {
        self.bits[usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
    }
}

fn is_number(c: char) -> bool {
    match c {
        '\u{3400}'..='\u{9fff}' => false,
        _ => c.is_numeric(),
    }
}

fn bit(hash: u32) -> u16 {
    // The high bits of a multiplicative hash, clear of those set aside.
    let bit = (hash.wrapping_mul(0x9e37_79b1) >> (32 - (WORDS * 64).ilog2())) as u16;
    if bit <= LETTER { bit + 2 } else { bit }
}

fn of_char(c: u32) -> u16 {
    bit(c)
}

fn of_pair(a: u32, b: u32) -> u16 {
    bit(a.wrapping_mul(0x85eb_ca6b) ^ b)
}

/// What a text must hold. `None` in [`Gate`] stands for nothing in particular.
#[derive(Debug, Clone, PartialEq)]
enum Need {
    /// So many digits in a row.
    Digits(u32),
    /// All of these bits: a literal's pairs.
    Text(Box<[u16]>),
    /// One of these bits: a class, short literals, the pairs where two parts meet.
    One(Vec<u16>),
    /// All of these.
    All(Vec<Need>),
    /// One of these.
    Any(Vec<Need>),
}

impl Need {
    fn all(needs: Vec<Need>) -> Option<Need> {
        let mut all = Vec::with_capacity(needs.len());
        for need in needs {
            match need {
                Need::All(parts) => all.extend(parts),
                need => all.push(need),
            }
        }
        // Few alternatives are quick to check and rarely met.
        all.sort_by_key(Need::size);
        if all.len() > 1 { Some(Need::All(all)) } else { all.pop() }
    }

    fn any(needs: Vec<Need>) -> Need {
        let (mut bits, mut any) = (Vec::new(), Vec::new());
        for need in needs {
            match need {
                Need::One(own) => bits.extend(own),
                Need::Any(parts) => any.extend(parts),
                need => any.push(need),
            }
        }
        if any.is_empty() {
            return Need::One(bits);
        }
        if !bits.is_empty() {
            any.insert(0, Need::One(bits));
        }
        Need::Any(any)
    }

    fn holds(&self, letters: &Letters) -> bool {
        match self {
            Need::Digits(least) => letters.digits >= *least,
            Need::Text(bits) => bits.iter().all(|b| letters.has(*b)),
            Need::One(bits) => bits.iter().any(|b| letters.has(*b)),
            Need::All(parts) => parts.iter().all(|p| p.holds(letters)),
            Need::Any(parts) => parts.iter().any(|p| p.holds(letters)),
        }
    }

    /// How much there is to look at.
    fn size(&self) -> usize {
        match self {
            Need::Digits(_) | Need::Text(_) => 1,
            Need::One(bits) => bits.len(),
            Need::All(parts) | Need::Any(parts) => parts.iter().map(Need::size).sum(),
        }
    }
}

/// The condition under which a regex is worth running.
///
/// ```
/// use zhijian::detect::gate::{Gate, Letters};
/// let gate = Gate::new("(?:加|添加).{0,3}(?:微信|qq)[0-9]");
/// let open = |text: &str| {
///     let mut letters = Letters::default();
///     letters.fill(text);
///     gate.open(&letters)
/// };
/// assert!(open("加个qq123"));
/// assert!(!open("加个微信"), "no digit");
/// assert!(!open("我的qq是123"), "nothing is added");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gate(Option<Need>);

impl Gate {
    /// The gate of a regex; one that cannot be read is always open.
    pub fn new(pattern: &str) -> Gate {
        regex_syntax::Parser::new().parse(pattern).map_or(Gate::always(), |hir| Gate::of(&hir))
    }

    /// The gate of a regex that has been read.
    pub fn of(hir: &Hir) -> Gate {
        Gate(Part::of(hir).need)
    }

    /// The gate that is always open.
    pub fn always() -> Gate {
        Gate(None)
    }

    /// The gate of several sets of phrases: open when one of each may stand in the text.
    pub fn of_parts<'p>(parts: impl Iterator<Item = &'p [String]>) -> Gate {
        let needs = parts.filter_map(|part| Gate::of_phrases(part.iter().map(String::as_str)).0);
        Gate(Need::all(needs.collect()))
    }

    /// The gate of a set of phrases: open when one of them may stand in the text.
    pub fn of_phrases<'p>(phrases: impl Iterator<Item = &'p str>) -> Gate {
        Gate(phrases.map(|p| Part::text(p).need).collect::<Option<Vec<_>>>().map(Need::any))
    }

    /// False only when the regex cannot match a text of these letters.
    pub fn open(&self, letters: &Letters) -> bool {
        self.0.as_ref().is_none_or(|need| need.holds(letters))
    }
}

/// What is known of a part of a regex.
#[derive(Debug, Clone)]
struct Part {
    /// It may match nothing at all.
    empty: bool,
    /// Characters it may begin and end with; `None` when they are too many.
    first: Option<BTreeSet<u32>>,
    last: Option<BTreeSet<u32>>,
    need: Option<Need>,
}

impl Part {
    /// Anything, or nothing.
    const ANYTHING: Part = Part { empty: true, first: None, last: None, need: None };

    /// Matches a place, not characters.
    fn nothing() -> Part {
        Part { empty: true, first: Some(BTreeSet::new()), last: Some(BTreeSet::new()), need: None }
    }

    fn of(hir: &Hir) -> Part {
        match hir.kind() {
            HirKind::Empty => Part::nothing(),
            HirKind::Look(Look::Start) => Part::edge(START),
            HirKind::Look(Look::End) => Part::edge(END),
            HirKind::Look(_) => Part::nothing(),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Part::text(text),
                Err(_) => Part::ANYTHING,
            },
            HirKind::Class(Class::Unicode(class)) => Part::class(class),
            HirKind::Class(Class::Bytes(_)) => Part::ANYTHING,
            HirKind::Capture(capture) => Part::of(&capture.sub),
            HirKind::Concat(parts) => parts.iter().map(Part::of).fold(Part::nothing(), Part::then),
            HirKind::Alternation(parts) => Part::one_of(parts.iter().map(Part::of).collect()),
            HirKind::Repetition(repetition) => {
                let sub = Part::of(&repetition.sub);
                match repetition.min {
                    0 => Part { empty: true, need: None, ..sub },
                    1 => sub,
                    least if is_digit(&repetition.sub) => {
                        let need = Need::all(sub.need.into_iter().chain([Need::Digits(least)]).collect());
                        Part { need, ..sub }
                    }
                    _ => sub.clone().then(sub),
                }
            }
        }
    }

    fn edge(edge: u32) -> Part {
        let only = Some(BTreeSet::from([edge]));
        Part { empty: false, first: only.clone(), last: only, need: None }
    }

    fn text(text: &str) -> Part {
        let chars: Vec<u32> = text.chars().map(|c| c as u32).collect();
        let (Some(first), Some(last)) = (chars.first(), chars.last()) else { return Part::nothing() };
        let need = match chars.as_slice() {
            [one] => Need::One(vec![of_char(*one)]),
            // Pairs are rarer than characters, and say more.
            [a, b] => Need::One(vec![of_pair(*a, *b)]),
            _ => Need::Text(chars.windows(2).map(|p| of_pair(p[0], p[1])).collect()),
        };
        let set = |c: &u32| Some(BTreeSet::from([*c]));
        Part { empty: false, first: set(first), last: set(last), need: Some(need) }
    }

    fn class(class: &ClassUnicode) -> Part {
        let unknown = Part { empty: false, ..Part::ANYTHING };
        let size: usize = class.iter().map(|r| r.len()).sum();
        if size == 0 || size > MOST_OF_A_KIND {
            return unknown;
        }
        let chars = || class.iter().flat_map(|r| r.start()..=r.end());
        if size <= MOST_OF_A_CLASS {
            let set: BTreeSet<u32> = chars().map(|c| c as u32).collect();
            let need = Need::One(set.iter().map(|c| of_char(*c)).collect());
            return Part { empty: false, first: Some(set.clone()), last: Some(set), need: Some(need) };
        }
        // Larger ones are worth it when they are all of a kind.
        let kind = if chars().all(|c| c.is_ascii_alphabetic()) {
            LETTER
        } else if chars().all(is_number) {
            NUMBER
        } else {
            return unknown;
        };
        Part { need: Some(Need::One(vec![kind])), ..unknown }
    }

    /// This part, then another.
    fn then(self, next: Part) -> Part {
        let mut needs: Vec<Need> = Vec::new();
        needs.extend(self.need);
        // Where the two meet there is one of these pairs.
        if let (false, false, Some(last), Some(first)) = (self.empty, next.empty, &self.last, &next.first)
            && last.len() * first.len() <= MOST_PAIRS
        {
            needs.push(Need::One(last.iter().flat_map(|a| first.iter().map(move |b| of_pair(*a, *b))).collect()));
        }
        needs.extend(next.need);
        let joined = |own: Option<BTreeSet<u32>>, other: Option<BTreeSet<u32>>, both: bool| match (both, own) {
            (true, Some(own)) => Some(&own | &other?),
            (false, own) => own,
            (true, None) => None,
        };
        Part {
            empty: self.empty && next.empty,
            first: joined(self.first, next.first.clone(), self.empty),
            last: joined(next.last, self.last, next.empty),
            need: Need::all(needs),
        }
    }

    fn one_of(parts: Vec<Part>) -> Part {
        let union = |set: fn(&Part) -> &Option<BTreeSet<u32>>| {
            parts.iter().try_fold(BTreeSet::new(), |all, part| Some(&all | set(part).as_ref()?))
        };
        Part {
            empty: parts.iter().any(|p| p.empty),
            first: union(|p| &p.first),
            last: union(|p| &p.last),
            need: parts.into_iter().map(|p| p.need).collect::<Option<Vec<_>>>().map(Need::any),
        }
    }
}

/// A class of digits.
fn is_digit(hir: &Hir) -> bool {
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return false };
    let size: usize = class.iter().map(|r| r.len()).sum();
    size <= MOST_OF_A_KIND && class.iter().flat_map(|r| r.start()..=r.end()).all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Letters {
        let mut letters = Letters::default();
        letters.fill(text);
        letters
    }

    #[test]
    fn asks_for_one_of_each_part() {
        let parts = [vec!["加".to_string(), "添加".into()], vec!["微信".into(), "扣扣".into()]];
        let gate = Gate::of_parts(parts.iter().map(Vec::as_slice));
        assert!(gate.open(&letters("微信上加一下")));
        assert!(!gate.open(&letters("加一下")) && !gate.open(&letters("有微信")));
    }

    #[test]
    fn asks_for_everything_a_match_needs() {
        for (pattern, open, shut) in [
            (r"\d{8,}", "12345678", "没有数字"),
            (r"\d{8,}", "单号12345678", "1234567和89"),
            (r"1[0-9]{3}-?\d{4}", "12345678", "123-456"),
            (r"[a-z]+号", "v号", "微号"),
            ("^您好", "您好亲", "亲您好"),
            ("吗[~. ]*$", "在吗", "在吗你"),
            ("^在吗$", "在吗", "在吗在"),
            ("(?:你|您)?[快别]来", "您快来", "快点来"),
            ("(?:不|没)(?:给|让)退", "没给退", "没收到,给退"),
            ("^^(?:^|亲)好$$", "好", "亲们好"),
            ("(?i)VX", "vx", "v信"),
            ("(?:一|二|三|四|五|六|七)天", "等了三天", "等了很久,天啊"),
        ] {
            let gate = Gate::new(pattern);
            assert!(gate.open(&letters(open)), "{pattern} {open}");
            assert!(!gate.open(&letters(shut)), "{pattern} {shut}");
        }
        for always in ["(?s).+", "您?", "^$", "[^,]{3}", "好|.*"] {
            assert!(Gate::new(always).open(&letters("")), "{always}");
        }
    }

    proptest::proptest! {
        /// A gate never stays shut on a text its regex matches.
        #[test]
        fn never_loses_a_match(text in "[加微信vV1三还没收到发货快,您 ]{0,12}") {
            for pattern in [
                "(?:加|还).{0,3}[v微]信?", "(?:快|没)+收到?发", "发货|收到|加微", "加.{0,2}(?:信|微.?v)", r"\d.?三",
                "^(?:加|您)?微", "(?:还|没)+$", "(?:加微?){2}", "^(?:^|,)?加", r"信\b|加\B微", "(?:加|还){2,}收", "^ ?$",
                "(?i)V(?:信|x)?", r"\d{2,}|[1三]{3}", "[一二三四五]|[a-z]{2}", "(?:加|还|没|收|到|发|货)(?:快|您)", r"[^,]{3}货",
            ] {
                let regex = regex::Regex::new(pattern).unwrap();
                if regex.is_match(&text) {
                    proptest::prop_assert!(Gate::new(pattern).open(&letters(&text)), "{} {}", pattern, text);
                }
            }
        }
    }
}
