//! Speed of each stage on Chinese text, in bytes a second; every bench first checks that the stage finds what it must.
//! Run with `cargo bench --bench engine`.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use zhijian::conversation::{Conversation, Role, Turn};
use zhijian::detect::SegmentMode;
use zhijian::diagnostic::SourceFile;
use zhijian::engine::{Engine, EngineOptions, Scratch};
use zhijian::input::{Block, InputOptions, Item, Reader};
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;
use zhijian::pipeline::{Run, Unobserved};
use zhijian::report::record::ConversationRecords;
use zhijian::text::{self, Segmenter, View};

const NIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/nightly/2026-11-20.jsonl");

fn blocks() -> Vec<Block> {
    let mut reader = Reader::open(&[NIGHT.to_string()], InputOptions::default()).unwrap();
    std::iter::from_fn(|| reader.next_block(Vec::new()).unwrap()).collect()
}

/// Every message a person wrote.
fn texts() -> Vec<String> {
    let mut out = Vec::new();
    for block in blocks() {
        block.visit(&mut |item| {
            if let Item::Conversation { conversation, .. } = item {
                let words = conversation.turns.iter().filter(|t| t.is_human_words());
                out.extend(words.map(|t| t.text.to_string()));
            }
        });
    }
    out
}

fn bytes(texts: &[String]) -> u64 {
    texts.iter().map(|t| t.len() as u64).sum()
}

fn views(c: &mut Criterion) {
    let texts = texts();
    assert!(texts.len() > 3000);
    let mut group = c.benchmark_group("views");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    let (mut plain, mut squeezed) = (View::default(), View::default());
    text::plain("加Ⓥ，", &mut plain);
    assert_eq!(plain.text(), "加v,");
    group.bench_function("normalise", |b| b.iter(|| texts.iter().for_each(|t| text::plain(black_box(t), &mut plain))));
    let views: Vec<View> = texts
        .iter()
        .map(|t| {
            let mut view = View::default();
            text::plain(t, &mut view);
            view
        })
        .collect();
    text::squeezed(&views[0], &mut squeezed);
    assert!(!squeezed.is_empty());
    group.bench_function("squeeze", |b| {
        b.iter(|| views.iter().for_each(|v| text::squeezed(black_box(v), &mut squeezed)))
    });
    group.finish();
}

fn segment(c: &mut Criterion) {
    let texts = texts();
    let segmenter = Segmenter::new("").unwrap();
    let mut boundaries = Vec::new();
    segmenter.cut_into("滚筒洗衣机", &mut boundaries);
    assert_eq!(boundaries, [0, 6, 15]);
    let mut group = c.benchmark_group("segment");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    group.bench_function("cut", |b| {
        b.iter(|| texts.iter().for_each(|t| segmenter.cut_into(black_box(t), &mut boundaries)));
    });
    group.finish();
}

/// `count` different phrases: those of the default pack first, then made of characters as they follow each other.
fn phrases(texts: &[String], count: usize) -> Vec<String> {
    let pack = Pack::default_pack().unwrap();
    let own = pack.markers.iter().flat_map(|m| &m.blocks).flat_map(|b| &b.phrases).cloned();
    let mut seen = BTreeSet::new();
    let usable = |p: &String| p.chars().count() > 1 && p.chars().all(char::is_alphanumeric);
    let mut out: Vec<String> = own.filter(usable).filter(|p| seen.insert(text::plain_phrase(p))).take(count).collect();
    let all: Vec<char> = texts.iter().flat_map(|t| t.chars()).filter(|c| ('一'..='鿿').contains(c)).collect();
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    while out.len() < count {
        // Two pieces of real text: plausible, and rarely there.
        let (a, b) = (next(all.len() - 2), next(all.len() - 3));
        let phrase: String = all[a..a + 2].iter().chain(&all[b..b + 1 + next(3)]).collect();
        if seen.insert(text::plain_phrase(&phrase)) {
            out.push(phrase);
        }
    }
    out
}

/// An engine that looks for phrases, one marker each hundred.
fn engine_for(phrases: &[String]) -> Engine {
    let mut files = vec![
        ("pack.toml".to_string(), "id = \"b\"\ntitle = \"b\"\n".to_string()),
        ("scorecard.toml".into(), "[[dimension]]\nid = \"d\"\ntitle = \"d\"\nweight = 100\n".into()),
    ];
    for (number, some) in phrases.chunks(100).enumerate() {
        let list = serde_json::to_string(some).unwrap();
        let example = "[[example]]\nhit = \"x\"\n[[example]]\nmiss = \"y\"\n";
        let text = format!("title = \"m\"\nrole = \"any\"\nphrases = {list}\n{example}");
        files.push((format!("markers/m{number:04}.toml"), text));
    }
    let file = |(path, text): (String, String)| {
        let source = Arc::new(SourceFile { path: path.clone().into(), text });
        (path, source)
    };
    let files = PackFiles { origin: "bench".into(), files: files.into_iter().map(file).collect() };
    let options = EngineOptions { segment: SegmentMode::Off, ..EngineOptions::default() };
    Engine::new(Pack::load(&files).unwrap(), options).unwrap()
}

fn scan(c: &mut Criterion) {
    let texts = texts();
    let mut conversation = Conversation { id: "b".into(), ..Conversation::default() };
    conversation.turns.extend(texts.iter().map(|t| Turn::new(Role::Agent, t.as_str())));
    let plain: Vec<String> = texts.iter().map(|t| text::plain_phrase(t)).collect();
    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    for count in [500, 2_000, 20_000] {
        let phrases = phrases(&texts, count);
        let engine = engine_for(&phrases);
        let mut scratch = Scratch::default();
        // The markers of every turn are those a plain search finds.
        let hits = &engine.annotate(&conversation, &mut scratch).hits;
        let normal: Vec<String> = phrases.iter().map(|p| text::plain_phrase(p)).collect();
        let mut found = 0;
        for (turn, text) in plain.iter().enumerate().step_by(7) {
            for (number, some) in normal.chunks(100).enumerate() {
                let expected = some.iter().any(|p| text.contains(p.as_str()));
                let marker = engine.pack().marker(&format!("m{number:04}")).unwrap();
                assert_eq!(hits.has(turn, marker), expected, "{text}");
                found += usize::from(expected);
            }
        }
        assert!(found > 20);
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| engine.annotate(black_box(&conversation), &mut scratch).hits.list.len());
        });
    }
    group.finish();
}

fn night(c: &mut Criterion) {
    let blocks = blocks();
    let size = std::fs::metadata(NIGHT).unwrap().len();
    let mut group = c.benchmark_group("night");
    group.throughput(Throughput::Bytes(size)).sample_size(20);
    let count = |f: &mut dyn FnMut(&Conversation<'_>)| {
        let mut n = 0;
        for block in &blocks {
            block.visit(&mut |item| match item {
                Item::Conversation { conversation, .. } => {
                    n += 1;
                    f(&conversation);
                }
                Item::Reject(reject) => panic!("{reject:?}"),
            });
        }
        n
    };
    assert_eq!(count(&mut |_| {}), 300);
    group.bench_function("parse", |b| {
        b.iter(|| {
            count(&mut |c| {
                black_box(c.turns.len());
            })
        })
    });
    for (name, segment) in [("full", SegmentMode::Full), ("needed", SegmentMode::Needed), ("off", SegmentMode::Off)] {
        let options = EngineOptions { segment, ..EngineOptions::default() };
        let engine = Engine::new(Pack::default_pack().unwrap(), options).unwrap();
        let mut scratch = Scratch::default();
        let mut findings = 0;
        count(&mut |c| {
            findings += engine.inspect(c, &mut scratch).agents.iter().map(|a| a.judgement.findings.len()).sum::<usize>()
        });
        assert!(findings > 50);
        group.bench_function(BenchmarkId::new("inspect", name), |b| {
            b.iter(|| {
                count(&mut |c| {
                    black_box(engine.inspect(c, &mut scratch).score);
                })
            });
        });
        group.bench_function(BenchmarkId::new("run, one thread", name), |b| {
            b.iter(|| {
                let reader = Reader::open(&[NIGHT.to_string()], InputOptions::default()).unwrap();
                let (mut results, mut rejects) = (Vec::new(), Vec::new());
                let run = Run {
                    engine: &engine,
                    format: &ConversationRecords { mask: true, profiles: false },
                    threads: 1,
                    observer: &Unobserved,
                    stop: &AtomicBool::new(false),
                    mask: true,
                    spill: None,
                };
                let summary = run.run(reader, &mut results, &mut rejects).unwrap();
                assert_eq!((summary.aggregate.conversations, rejects.len()), (300, 0));
                results.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, views, segment, scan, night);
criterion_main!(benches);
