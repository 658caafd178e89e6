//! The same input and pack give the same bytes: whatever the number of threads, the size of the blocks workers claim,
//! or the coat the input comes in.

mod common;

use std::sync::atomic::AtomicBool;

use common::{assert_same, comparable, root, zhijian};
use zhijian::engine::{Engine, EngineOptions, Scratch};
use zhijian::input::{InputOptions, Item, Reader};
use zhijian::pack::Pack;
use zhijian::pipeline::{Run, Summary, Unobserved};
use zhijian::report::record::ConversationRecords;
use zhijian::score::Aggregate;
use zhijian::trace::Recorder;

const NIGHT: &str = "fixtures/nightly/2026-11-20.jsonl";

/// The night cut into thirty files: one file is at least one block, so that every worker gets several.
fn night_in_pieces(folder: &std::path::Path) {
    let night = std::fs::read_to_string(root().join(NIGHT)).unwrap();
    let lines: Vec<&str> = night.lines().collect();
    for (number, piece) in lines.chunks(10).enumerate() {
        std::fs::write(folder.join(format!("{number:02}.jsonl")), piece.join("\n")).unwrap();
    }
}

#[test]
fn threads_do_not_show_in_the_results() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night");
    std::fs::create_dir(&input).unwrap();
    night_in_pieces(&input);
    let results = ["1", "2", "8"].map(|threads| {
        let out = base.path().join(format!("out{threads}"));
        zhijian().arg("inspect").arg(&input).args(["--threads", threads, "--out"]).arg(&out).assert().success();
        comparable(&out, true)
    });
    assert_eq!(results[0].keys().filter(|name| name.starts_with("coaching/a")).count(), 30);
    assert_same(&results[0], &results[1]);
    assert_same(&results[0], &results[2]);
}

#[test]
fn a_gbk_export_gives_the_results_of_the_same_night_in_jsonl() {
    let base = tempfile::tempdir().unwrap();
    let results = ["fixtures/nightly", "fixtures/nightly-gbk.csv"].map(|input| {
        let out = base.path().join(input.replace('/', "_"));
        zhijian().args(["inspect", input, "--out"]).arg(&out).assert().success();
        comparable(&out, false)
    });
    assert_same(&results[0], &results[1]);
}

/// Runs the mini pack over some inputs in blocks of about `block_bytes`.
fn run(engine: &Engine, inputs: &[String], threads: usize, block_bytes: usize) -> (Vec<u8>, Vec<u8>, Summary) {
    let reader = Reader::open(inputs, InputOptions { block_bytes, ..InputOptions::default() }).unwrap();
    let (mut results, mut rejects) = (Vec::new(), Vec::new());
    let run = Run {
        engine,
        format: &ConversationRecords { mask: true, profiles: false },
        threads,
        observer: &Unobserved,
        stop: &AtomicBool::new(false),
        mask: true,
        spill: None,
    };
    let summary = run.run(reader, &mut results, &mut rejects).unwrap();
    (results, rejects, summary)
}

fn mini() -> Engine {
    let pack = Pack::open(Some(&root().join("fixtures/packs/mini"))).unwrap();
    Engine::new(pack, EngineOptions::default()).unwrap()
}

#[test]
fn blocks_do_not_show_in_the_results() {
    let engine = mini();
    for input in [NIGHT, "fixtures/nightly-gbk.csv", "fixtures/malformed/not-json.jsonl", "fixtures/mini-night.jsonl"] {
        let inputs = [root().join(input).display().to_string()];
        let (results, rejects, summary) = run(&engine, &inputs, 1, 1 << 20);
        assert!(summary.aggregate.conversations > 0);
        for (threads, block_bytes) in [(1, 1), (2, 700), (8, 4096), (3, 64 << 10)] {
            let (r, j, s) = run(&engine, &inputs, threads, block_bytes);
            assert!(r == results, "{input}: results with {threads} threads in blocks of {block_bytes}");
            assert!(j == rejects, "{input}: rejects with {threads} threads in blocks of {block_bytes}");
            assert!(s.aggregate == summary.aggregate);
            assert_eq!(
                (s.records_inspected, s.records_rejected),
                (summary.records_inspected, summary.records_rejected)
            );
        }
    }
}

/// Parts of a night, inspected apart and merged in any order, come to what the whole night comes to.
#[test]
fn merged_parts_are_the_whole() {
    let engine = mini();
    // Customers are followed across one run's conversations, so these figures are not the sum of the parts'.
    let own = |mut aggregate: Aggregate| {
        aggregate.service.cross = Default::default();
        aggregate
    };
    let whole = own(run(&engine, &[root().join(NIGHT).display().to_string()], 2, 1 << 16).2.aggregate);
    let base = tempfile::tempdir().unwrap();
    night_in_pieces(base.path());
    let mut parts: Vec<Aggregate> = (0..30)
        .map(|n| {
            let part = base.path().join(format!("{n:02}.jsonl")).display().to_string();
            own(run(&engine, &[part], 1, 1 << 16).2.aggregate)
        })
        .collect();
    let merge = |parts: &[Aggregate]| {
        let mut all = Aggregate::default();
        parts.iter().for_each(|part| all.merge(part.clone()));
        all
    };
    assert!(merge(&parts) == whole);
    parts.reverse();
    assert!(merge(&parts) == whole);
    parts.rotate_left(11);
    assert!(merge(&parts) == whole);
}

/// What an explanation watches is what was judged: watched, nothing is remembered from other messages and no rule ruled out
/// beforehand.
#[test]
fn watching_changes_nothing() {
    let engine = Engine::new(Pack::default_pack().unwrap(), EngineOptions::default()).unwrap();
    let inputs = [NIGHT, "fixtures/mini-night.jsonl"].map(|input| root().join(input).display().to_string());
    let mut reader = Reader::open(&inputs, InputOptions::default()).unwrap();
    let (mut scratch, mut watched) = (Scratch::default(), Scratch::default());
    let mut findings = 0;
    while let Some(block) = reader.next_block(Vec::new()).unwrap() {
        block.visit(&mut |item| {
            let Item::Conversation { conversation, .. } = item else { return };
            let plain = engine.inspect(&conversation, &mut scratch);
            let seen = engine.inspect_traced(&conversation, &mut watched, &mut Recorder::default());
            assert_eq!(plain.hits.list, seen.hits.list, "{}", conversation.id);
            assert_eq!(plain.agents.len(), seen.agents.len());
            for (own, other) in plain.agents.iter().zip(&seen.agents) {
                assert_eq!(own.judgement, other.judgement, "{}", conversation.id);
                findings += own.judgement.findings.len();
            }
        });
    }
    assert!(findings > 100, "{findings} findings");
}
