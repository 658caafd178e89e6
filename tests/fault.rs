//! A malformed record or a panic costs one conversation, is reported, and never stops the run.

mod common;

use std::sync::atomic::AtomicBool;

use common::{lines, root};
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
