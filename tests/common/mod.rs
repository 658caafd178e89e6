//! What the integration tests share: the built binary away from the developer's environment, and readers of its output.
#![allow(dead_code)] // every test file is a crate of its own and uses a part

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::input::{InputOptions, Reader as Input};
use zhijian::judge::Lang;
use zhijian::pack::Pack;
use zhijian::pipeline::{Run, Unobserved};
use zhijian::report::figures::Scorecards;
use zhijian::report::night::Night;
use zhijian::report::record::ConversationRecords;

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The settings the program takes from the environment: none of them may come from whoever runs the tests.
const ENVIRONMENT: &[&str] = &[
    "ZHIJIAN_RULES",
    "ZHIJIAN_SATISFACTION",
    "ZHIJIAN_SEGMENT",
    "ZHIJIAN_THREADS",
    "ZHIJIAN_ENCODING",
    "ZHIJIAN_TIMEZONE",
    "ZHIJIAN_PII",
    "ZHIJIAN_LANG",
    "ZHIJIAN_STORE",
    "COLUMNS",
    "LINES",
];

/// The built binary, run from the repository.
pub fn zhijian() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("zhijian"));
    ENVIRONMENT.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.current_dir(root());
    command
}

/// The same for tests that need the process while it runs.
pub fn process() -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("zhijian"));
    ENVIRONMENT.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.current_dir(root());
    command
}

/// Every file under a folder by its path inside it, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    collect(folder, folder, &mut out);
    out
}

fn collect(base: &Path, folder: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, out);
        } else {
            out.insert(path.strip_prefix(base).unwrap().display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The records of a JSONL text.
pub fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A result folder for comparing runs: `run.json` without what may differ (timings; the inputs too when asked).
pub fn comparable(folder: &Path, inputs: bool) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(folder);
    let mut run: Value = serde_json::from_slice(&all["run.json"]).unwrap();
    let run_object = run.as_object_mut().unwrap();
    assert!(run_object.remove("timings").is_some());
    if !inputs {
        assert!(run_object.remove("inputs").is_some());
        // One conversation is many rows of an export and one line of JSONL.
        let counts = run_object["counts"].as_object_mut().unwrap();
        counts.retain(|key, _| !key.starts_with("records"));
    }
    all.insert("run.json".into(), serde_json::to_vec(&run).unwrap());
    all
}

/// Fails with the name of the first file that differs.
pub fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    assert!(left.keys().eq(right.keys()), "{:?}\n{:?}", left.keys(), right.keys());
    for (name, bytes) in left {
        assert!(bytes == &right[name], "{name} differs");
    }
}

/// The mini pack over the invented night, for what the command line cannot ask.
pub fn with_night(check: impl FnOnce(&Night<'_>, &Path)) {
    let base = tempfile::tempdir().unwrap();
    let pack = Pack::open(Some(&root().join("fixtures/packs/mini"))).unwrap();
    let engine = Engine::new(pack, EngineOptions::default()).unwrap();
    let inputs = [root().join("fixtures/nightly").display().to_string()];
    let (mut results, mut rejects) = (Vec::new(), Vec::new());
    let run = Run {
        engine: &engine,
        format: &ConversationRecords { mask: true, profiles: false },
        threads: 2,
        observer: &Unobserved,
        stop: &std::sync::atomic::AtomicBool::new(false),
        mask: true,
        spill: None,
    };
    let summary = run.run(Input::open(&inputs, InputOptions::default()).unwrap(), &mut results, &mut rejects).unwrap();
    let cards = Scorecards::new(engine.pack(), &summary.aggregate);
    let night = Night::new(engine.pack(), &summary.aggregate, &cards, Lang::Zh);
    std::fs::write(base.path().join("conversations.jsonl"), results).unwrap();
    check(&night, base.path());
}

/// A conversation whose every text tries something.
pub fn hostile() -> String {
    let long = "长".repeat(10_000);
    let turns = serde_json::json!([
        {"role": "customer", "text": "=HYPERLINK(\"http://evil\",\"点我\") <script>alert(1)</script> \u{202e}gnp.exe"},
        {"role": "agent", "text": "=cmd|' /C calc'!A0 加微信 <img src=x onerror=alert(1)>"},
        {"role": "customer", "text": "太差劲了!"},
        {"role": "agent", "text": format!("@SUM(1+1) 加我微信 {long}")},
        {"role": "customer", "text": "]]> & \u{0} \u{7} _x0041_"},
        {"role": "agent", "text": "滚"},
    ]);
    let agents =
        serde_json::json!([{"id": "=1+1", "name": "<script>alert('名')</script>", "team": "../../etc/\u{202e}组"}]);
    let record = serde_json::json!({
        "conversation_id": "00123456789012345678", "channel": "chat", "agent_id": "=1+1", "agents": agents, "turns": turns,
    });
    let again = serde_json::json!({
        "conversation_id": "-2+3", "agent_id": "=1+1", "turns": [{"role": "customer", "text": "在吗"}, {"role": "agent", "text": "加微信"}],
    });
    format!("{record}\n{again}\n")
}
