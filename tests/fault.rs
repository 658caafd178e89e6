//! A malformed record or a panic costs one conversation, is reported, and never stops the run.

mod common;

use std::sync::atomic::AtomicBool;

use common::{lines, root, zhijian};
use serde_json::Value;
use zhijian::conversation::Conversation;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::input::{InputOptions, Reader};
use zhijian::pack::Pack;
use zhijian::pipeline::{Observer, Run, Summary, Unobserved};
use zhijian::report::record::ConversationRecords;

const NIGHT: &str = "fixtures/mini-night.jsonl";

fn run(observer: &dyn Observer, threads: usize) -> (Vec<Value>, Vec<Value>, Summary) {
    let pack = Pack::open(Some(&root().join("fixtures/packs/mini"))).unwrap();
    let engine = Engine::new(pack, EngineOptions::default()).unwrap();
    let options = InputOptions { block_bytes: 1, ..InputOptions::default() };
    let reader = Reader::open(&[root().join(NIGHT).display().to_string()], options).unwrap();
    let (mut results, mut rejects) = (Vec::new(), Vec::new());
    let stop = AtomicBool::new(false);
    let format = ConversationRecords { mask: true, profiles: false };
    let run = Run { engine: &engine, format: &format, threads, observer, stop: &stop, mask: true, spill: None };
    let summary = run.run(reader, &mut results, &mut rejects).unwrap();
    (lines(&results), lines(&rejects), summary)
}

/// Fails at one conversation, as a fault in the engine would.
struct Trap;

impl Observer for Trap {
    fn inspecting(&self, conversation: &Conversation<'_>) {
        assert!(conversation.id != "M-003", "a fault of the engine");
    }
}

#[test]
fn a_panic_costs_the_conversation_it_happens_in() {
    let (mut expected, expected_rejects, whole) = run(&Unobserved, 1);
    assert_eq!(expected.len(), 6);
    expected.retain(|c| c["conversation_id"] != "M-003");
    for threads in [1, 4] {
        let (results, rejects, summary) = run(&Trap, threads);
        assert_eq!(results, expected);
        let own: Vec<&Value> = rejects.iter().filter(|r| r["code"] == "internal").collect();
        assert_eq!((own.len(), rejects.len()), (1, expected_rejects.len() + 1));
        assert_eq!((&own[0]["raw"], own[0]["line"].as_u64()), (&Value::from("M-003"), Some(4)));
        assert!(own[0]["reason"].as_str().unwrap().contains("a fault of the engine"));
        assert_eq!(summary.aggregate.conversations, 5);
        assert_eq!(summary.records_rejected, whole.records_rejected + 1);
        assert_eq!(summary.records_inspected + 1, whole.records_inspected);
        assert!(!summary.aggregate.agents.contains_key("a2"), "nothing of it is counted");
    }
}

/// A file, its exit code, conversations read, rejects by code.
type Malformed = (&'static str, i32, u64, &'static [(&'static str, u64)]);

/// What comes of each file `fixtures/README.md` describes.
const MALFORMED: &[Malformed] = &[
    ("bad-utf8.jsonl", 0, 2, &[("encoding", 1)]),
    ("blank-lines.jsonl", 0, 3, &[]),
    ("crlf-mixed.jsonl", 0, 4, &[]),
    ("deep.jsonl", 0, 2, &[]),
    ("empty.jsonl", 0, 0, &[]),
    ("headers-only.csv", 0, 0, &[]),
    ("no-text-column.csv", 2, 0, &[]),
    (
        "not-json.jsonl",
        0,
        3,
        &[("bad-json", 8), ("bad-role", 1), ("bad-text", 1), ("bad-turns", 2), ("bad-value", 4), ("missing-id", 3)],
    ),
    ("nul.jsonl", 0, 3, &[("bad-json", 2)]),
    ("ragged.csv", 0, 3, &[("bad-columns", 1), ("bad-role", 1), ("missing-id", 1)]),
    ("truncated.jsonl.gz", 0, 101, &[("truncated", 1)]),
    // 240 conversations fit one block of zstd: nothing before the cut is whole.
    ("truncated.jsonl.zst", 0, 0, &[("truncated", 1)]),
    ("unclosed-quote.csv", 0, 3, &[("bad-quote", 1)]),
];

#[test]
fn malformed_files_cost_what_is_malformed() {
    let folder = root().join("fixtures/malformed");
    let mut there: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    there.sort();
    assert_eq!(there, MALFORMED.iter().map(|m| m.0).collect::<Vec<_>>());
    let base = tempfile::tempdir().unwrap();
    for (name, code, conversations, codes) in MALFORMED {
        let out = base.path().join(name);
        let mut command = zhijian();
        command.arg("inspect").arg(folder.join(name)).args(["--rules", "fixtures/packs/mini", "--quiet", "--out"]);
        let run = command.arg(&out).assert().code(*code);
        assert!(!String::from_utf8_lossy(&run.get_output().stderr).contains("panicked"), "{name}");
        if *code != 0 {
            assert!(!out.exists(), "{name}");
            continue;
        }
        let counts = common::json(&out.join("run.json"))["counts"].clone();
        let count = |key: &str| counts[key].as_u64().unwrap();
        assert_eq!(count("records"), count("records_inspected") + count("records_rejected") + count("blank"), "{name}");
        let rejects: serde_json::Map<_, _> = codes.iter().map(|(c, n)| (c.to_string(), Value::from(*n))).collect();
        assert_eq!((count("conversations"), &counts["rejects"]), (*conversations, &Value::from(rejects)), "{name}");
        let written = lines(&std::fs::read(out.join("rejects.jsonl")).unwrap());
        assert_eq!(written.len() as u64, codes.iter().map(|c| c.1).sum::<u64>(), "{name}");
        assert!(written.iter().all(|r| r["line"].as_u64() > Some(0) && !r["reason"].as_str().unwrap().is_empty()));
    }
}
