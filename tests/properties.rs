//! Invariants that hold for every text, pack and split of the work.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use zhijian::conversation::{Conversation, Role, Turn};
use zhijian::detect::SegmentMode;
use zhijian::diagnostic::SourceFile;
use zhijian::engine::{Engine, EngineOptions, Scratch};
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;
use zhijian::score::Aggregate;
use zhijian::score::aggregate::{AgentTotals, DimensionCount, Evidence, GoodExample, MeasureSum, RuleCount};
use zhijian::span::Span;
use zhijian::text::{self, View};

/// Few characters, so that phrases overlap and repeat; with what each view rewrites or drops.
const PIECES: &[&str] = &[
    "加",
    "微",
    "薇",
    "信",
    "亲",
    "一",
    "二",
    "v",
    "V",
    "ｖ",
    "Ⓥ",
    "x",
    "謝",
    "谢",
    "㈠",
    "，",
    ",",
    "。",
    " ",
    "\u{3000}",
    "❤",
    "❤\u{fe0f}",
    "\u{200b}",
    "😀",
    "1",
    "①",
    "➕",
    "+",
    "~",
    "的",
    "啊",
];

fn written(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 1..=most).prop_map(|p| p.concat())
}

/// The same without what is read by its neighbours: a plus sign is 加 before some words only.
fn plainly(most: usize) -> impl Strategy<Value = String> {
    written(most).prop_map(|text| text.replace(['+', '➕'], "加"))
}

/// A pack in memory: one marker a phrase, so that what one finds hides nothing of another.
fn engine(view: &str, phrases: &[String]) -> Engine {
    let mut files = vec![
        ("pack.toml".to_string(), "id = \"p\"\ntitle = \"p\"\n".to_string()),
        ("scorecard.toml".into(), "[[dimension]]\nid = \"d\"\ntitle = \"d\"\nweight = 100\n".into()),
    ];
    for (number, phrase) in phrases.iter().enumerate() {
        // A JSON string is a TOML string.
        let phrase = serde_json::to_string(phrase).unwrap();
        let text = format!(
            "title = \"m\"\nrole = \"any\"\nview = \"{view}\"\nphrases = [{phrase}]\n\
             [[example]]\nhit = \"x\"\n[[example]]\nmiss = \"y\"\n"
        );
        files.push((format!("markers/m{number:02}.toml"), text));
    }
    let file = |(path, text): (String, String)| {
        let source = SourceFile { path: path.clone().into(), text };
        (path, Arc::new(source))
    };
    let files = PackFiles { origin: "memory".into(), files: files.into_iter().map(file).collect() };
    let pack = Pack::load(&files).unwrap_or_else(|e| panic!("{e:?}"));
    Engine::new(pack, EngineOptions { segment: SegmentMode::Off, ..EngineOptions::default() }).unwrap()
}

/// A text in a view.
fn view_of(view: &str, original: &str) -> View {
    let (mut plain, mut squeezed) = (View::default(), View::default());
    text::plain(original, &mut plain);
    if view == "plain" {
        return plain;
    }
    text::squeezed(&plain, &mut squeezed);
    squeezed
}

/// Every place a phrase shows in a text, found by looking at every place; what lies inside another is left out.
fn naive(view: &str, phrase: &str, original: &str) -> Vec<Span> {
    if original.trim().is_empty() {
        return Vec::new(); // a message of white space says nothing
    }
    let normal = if view == "plain" { text::plain_phrase(phrase) } else { text::squeezed_phrase(phrase) };
    let rewritten = view_of(view, original);
    let whole = rewritten.text();
    let mut found: Vec<Span> = (0..whole.len())
        .filter(|at| whole.as_bytes()[*at..].starts_with(normal.as_bytes()))
        .map(|at| rewritten.original(at..at + normal.len()))
        .collect();
    if text::is_number_phrase(phrase) {
        // Digits within a longer number or code are none.
        let plain = view_of("plain", original);
        let at = |place: u32| plain.position_of(place as usize);
        found.retain(|span| !text::is_part_of_code(plain.text(), at(span.start)..at(span.end)));
    }
    found.sort_unstable();
    found.dedup();
    let all = found.clone();
    found.retain(|span| !all.iter().any(|other| other != span && other.contains(*span)));
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn automata_find_what_a_naive_search_finds(
        squeezed in any::<bool>(),
        phrases in proptest::collection::vec(written(4), 1..12),
        texts in proptest::collection::vec(written(24), 1..5),
    ) {
        let view = if squeezed { "squeezed" } else { "plain" };
        let normal = |p: &String| if squeezed { text::squeezed_phrase(p) } else { text::plain_phrase(p) };
        let phrases: Vec<String> = phrases.into_iter().filter(|p| !normal(p).is_empty()).collect();
        prop_assume!(!phrases.is_empty());
        let engine = engine(view, &phrases);
        let mut conversation = Conversation { id: "c".into(), ..Conversation::default() };
        for (number, text) in texts.iter().enumerate() {
            let role = if number % 2 == 0 { Role::Customer } else { Role::Agent };
            conversation.turns.push(Turn::new(role, text.as_str()));
        }
        let mut scratch = Scratch::default();
        let hits = &engine.annotate(&conversation, &mut scratch).hits;
        for (turn, text) in texts.iter().enumerate() {
            for (number, phrase) in phrases.iter().enumerate() {
                let marker = engine.pack().marker(&format!("m{number:02}")).unwrap();
                let own: Vec<Span> = hits.of(turn).iter().filter(|h| h.marker == marker).map(|h| h.span).collect();
                let expected = naive(view, phrase, text);
                prop_assert_eq!(&own, &expected, "{} in the {} view of {:?}", phrase, view, text);
                prop_assert_eq!(hits.has(turn, marker), !expected.is_empty());
            }
        }
    }

    #[test]
    fn spans_lie_on_characters_and_quote_what_was_written(
        squeezed in any::<bool>(),
        phrase in plainly(3),
        before in plainly(6),
        after in plainly(6),
    ) {
        let view = if squeezed { "squeezed" } else { "plain" };
        let normal = |p: &str| if squeezed { text::squeezed_phrase(p) } else { text::plain_phrase(p) };
        prop_assume!(!normal(&phrase).is_empty());
        let engine = engine(view, std::slice::from_ref(&phrase));
        let original = format!("{before}{phrase}{after}");
        let mut conversation = Conversation { id: "c".into(), ..Conversation::default() };
        conversation.turns.push(Turn::new(Role::Agent, original.as_str()));
        let mut scratch = Scratch::default();
        for hit in &engine.annotate(&conversation, &mut scratch).hits.list {
            let (start, end) = (hit.span.start as usize, hit.span.end as usize);
            prop_assert!(original.is_char_boundary(start) && original.is_char_boundary(end) && start < end);
            // What is quoted holds the phrase; a single character that stands for several may hold more.
            prop_assert!(normal(hit.span.slice(&original)).contains(&normal(&phrase)), "{:?}", hit.span.slice(&original));
        }
    }

    #[test]
    fn merging_is_associative_and_commutative_and_has_an_identity(
        a in aggregate(), b in aggregate(), c in aggregate(),
    ) {
        let merge = |left: &Aggregate, right: &Aggregate| {
            let mut out = left.clone();
            out.merge(right.clone());
            out
        };
        prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
        prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        prop_assert_eq!(&merge(&a, &Aggregate::default()), &a);
        prop_assert_eq!(&merge(&Aggregate::default(), &a), &a);
    }

    /// Whatever stands in a pack's files, reading them ends and says so; it never panics.
    #[test]
    fn the_pack_parser_never_panics(
        text in "(title|role|phrases|regex|when|id|near|view|\\[\\[example\\]\\]|hit|within|=|\"|'|\\[|\\]|\\{|\\}|,|\n| |您好|agent|@x|1|-|true|\\PC){0,60}",
        place in proptest::sample::select(&["pack.toml", "scorecard.toml", "markers/a.toml", "rules/a.toml"][..]),
    ) {
        let file = SourceFile { path: place.into(), text };
        let frame = SourceFile { path: "pack.toml".into(), text: "id = \"p\"\ntitle = \"p\"\n".into() };
        let files = vec![("pack.toml".to_string(), Arc::new(frame)), (place.to_string(), Arc::new(file))];
        let files: BTreeMap<_, _> = files.into_iter().collect();
        let (_, faults) = Pack::check(&PackFiles { origin: "memory".into(), files: files.into_iter().collect() });
        faults.iter().for_each(|fault| drop(fault.render()));
    }
}

/// Any condition of a rule: reading it ends, and a fault points into it.
#[test]
fn expressions_never_panic() {
    let mut runner = proptest::test_runner::TestRunner::default();
    let any = "(and|or|not|then|count|repeat|missing|\\(|\\)|>=|==|<|,|[a-c]| |\"|您好|30s|[0-9]|\\PC){0,24}";
    runner
        .run(&any.prop_map(String::from), |text| {
            if let Err(faults) = zhijian::pack::expression::parse(&text, &|id| (id == "a").then_some(0)) {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(fault.range.start <= fault.range.end && fault.range.end <= text.len() + 1);
                }
            }
            Ok(())
        })
        .unwrap();
}

fn rule_count() -> impl Strategy<Value = RuleCount> {
    let evidence = (-3i64..0, 0u8..4, 0u32..3).prop_map(|(points, id, turn)| Evidence {
        points,
        conversation_id: format!("c{id}"),
        turn,
        quote: String::new(),
        customer: String::new(),
        agent: String::new(),
        why: String::new(),
    });
    let good = (0i64..3, 0u8..4, 0u32..3).prop_map(|(score, id, turn)| GoodExample {
        score: std::cmp::Reverse(score),
        conversation_id: format!("c{id}"),
        turn,
        customer: String::new(),
        agent: String::new(),
    });
    let lists = (proptest::collection::vec(evidence, 0..5), proptest::collection::vec(good, 0..5));
    let counts = (0u64..9, 0u64..9, 0u64..9, 0u64..9, -9i64..9);
    (counts, lists).prop_map(|((applicable, found, findings, review, points), (evidence, good))| {
        let mut out = RuleCount { applicable, found, findings, review, points, ..RuleCount::default() };
        evidence.into_iter().for_each(|e| out.evidence.add(e));
        good.into_iter().for_each(|g| out.good.add(g));
        out
    })
}

fn totals() -> impl Strategy<Value = AgentTotals> {
    let names = (proptest::option::of("[a-c]"), proptest::option::of("[a-c]"));
    let counts = (0u64..9, 0i64..99, 0u64..999, 0i64..99, 0u64..9, 0u64..9);
    let maps = (
        proptest::collection::btree_map(0u8..5, 1u64..5, 0..4),
        proptest::collection::btree_map(0u32..4, rule_count(), 0..4),
    );
    let dimension = (0u64..5, 0i64..50).prop_map(|(applicable, lost)| DimensionCount {
        applicable,
        lost,
        squares: (lost * lost) as u128,
    });
    let measure = (0u64..5, 0i64..50, 0i64..50).prop_map(|(n, sum, max)| MeasureSum { n, sum, max });
    let lists = (proptest::collection::vec(dimension, 0..4), proptest::collection::vec(measure, 0..4));
    let mix = proptest::collection::btree_map("[a-c]", (0u64..5, 0i64..50), 0..3);
    let arrays = (
        proptest::array::uniform3(0u64..5),
        (0u64..5, 0u64..5),
        proptest::array::uniform5(0u64..5),
        (0u64..5, 0i64..999),
    );
    (names, counts, maps, lists, arrays, mix).prop_map(|(names, counts, maps, lists, arrays, mix)| AgentTotals {
        name: names.0,
        team: names.1,
        conversations: counts.0,
        score_sum: counts.1,
        score_squares: counts.2.into(),
        raw_sum: counts.3,
        passed: counts.4,
        critical: counts.5,
        histogram: maps.0,
        rules: maps.1,
        satisfaction: arrays.3,
        dimensions: lists.0,
        measures: lists.1,
        class_errors: arrays.0,
        noncritical: arrays.1,
        ratings: arrays.2,
        mix,
    })
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let counts = (0u64..9, 0u64..9, 0u64..9, 0u64..9);
    let words = || proptest::collection::btree_map("[a-c]", 1u64..5, 0..3);
    (counts, words(), proptest::collection::btree_map("[a-c]", totals(), 0..3), totals(), words()).prop_map(
        |(counts, not_judged, agents, all, channels)| Aggregate {
            conversations: counts.0,
            turns: counts.1,
            text_bytes: counts.2,
            judged: counts.3,
            not_judged,
            agents,
            all,
            channels,
            rule_channels: Default::default(),
            service: Default::default(),
        },
    )
}
