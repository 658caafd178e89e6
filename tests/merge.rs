//! Parts of a night inspected apart and merged are the night inspected at once, byte for byte; what cannot be merged is
//! refused. `--pipe` says everything a caller needs to be sure of that.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use common::{assert_same, comparable, json, lines, process, root, zhijian};
use proptest::prelude::*;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::input::{InputOptions, Reader};
use zhijian::pack::Pack;
use zhijian::partial::{PartialFile, merge};
use zhijian::pipeline::{Run, Summary, Unobserved};
use zhijian::report::chat::Spill;
use zhijian::report::record::ConversationRecords;

const NIGHT: &str = "fixtures/nightly/2026-11-20.jsonl";

/// The night's lines, with few customers, so that many come back — in other parts too.
fn night() -> Vec<String> {
    let text = std::fs::read_to_string(root().join(NIGHT)).unwrap();
    let line = |(number, line): (usize, &str)| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["customer_id"] = format!("k{}", number % 40).into();
        record["order_id"] = format!("o{}", number % 40).into();
        format!("{record}\n")
    };
    text.lines().enumerate().map(line).collect()
}

/// Contiguous parts of the night, as files.
fn parts(folder: &Path, bounds: &[usize]) -> Vec<PathBuf> {
    let night = night();
    let ends = bounds.iter().copied().chain([night.len()]);
    let begins = [0].into_iter().chain(bounds.iter().copied());
    std::fs::create_dir_all(folder).unwrap();
    let part = |(number, (begin, end)): (usize, (usize, usize))| {
        let path = folder.join(format!("{number}.jsonl"));
        let broken = if number == 1 { "not json\n\n" } else { "" };
        std::fs::write(&path, night[begin..end].concat() + broken).unwrap();
        path
    };
    begins.zip(ends).enumerate().map(part).collect()
}

fn inspect(input: &Path, out: &Path, more: &[&str]) {
    let partial = out.join("part.zjp");
    zhijian()
        .arg("inspect")
        .arg(input)
        .arg("--out")
        .arg(out)
        .arg("--partial")
        .arg(partial)
        .args(more)
        .assert()
        .success();
}

#[test]
fn merged_parts_are_the_whole_byte_for_byte() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let inputs = parts(&at("in"), &[40, 41, 150]);
    let store = |name: &str| ["--store".to_string(), at(name).display().to_string()];
    zhijian().arg("inspect").arg(at("in")).arg("--out").arg(at("whole")).args(store("a.db")).assert().success();
    for (number, input) in inputs.iter().enumerate() {
        inspect(input, &at(&format!("part{number}")), &["--threads", "2", "--quiet"]);
    }
    let whole = comparable(&at("whole"), true);
    assert!(whole.keys().any(|name| name.starts_with("report/chats/")) && whole.contains_key("scorecards.xlsx"));
    for (run, order) in [[0, 1, 2, 3], [2, 0, 3, 1]].iter().enumerate() {
        let out = at(&format!("merged{run}"));
        let folders = order.map(|n| at(&format!("part{n}")));
        zhijian()
            .arg("merge")
            .args(folders)
            .arg("--out")
            .arg(&out)
            .args(store(&format!("{run}.db")))
            .assert()
            .success();
        assert_same(&whole, &comparable(&out, true));
    }
    // The history holds the same night: rendered again it is the same.
    let again = ["a.db", "0.db"].map(|name| {
        let out = at(&format!("again-{name}"));
        zhijian().args(["report", "--night", "2026-11-20"]).args(store(name)).arg("--out").arg(&out).assert().success();
        let mut files = common::files(&out);
        files.remove("run.json");
        files
    });
    assert_same(&again[0], &again[1]);
}

#[test]
fn slices_say_the_order_and_partials_may_lie_anywhere() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let inputs = parts(&at("in"), &[100, 200]);
    zhijian().arg("inspect").arg(at("in")).arg("--out").arg(at("whole")).assert().success();
    // Named so that their paths sort otherwise than their numbers.
    for (number, input) in inputs.iter().enumerate() {
        let (slice, partial) = ((9 + number).to_string(), at(&format!("partials/{}.zjp", 3 - number)));
        let mut command = zhijian();
        command.arg("inspect").arg(input).arg("--out").arg(at(&format!("o{number}")));
        command.args(["--slice", &slice, "--partial"]).arg(&partial).assert().success();
    }
    let merged = |more: &[&str]| {
        let out = at(&format!("merged{}", more.len()));
        let run = zhijian().arg("merge").arg(at("partials")).arg("--out").arg(&out).args(more).assert().success();
        (comparable(&out, true), String::from_utf8(run.get_output().stderr.clone()).unwrap())
    };
    let mut whole = comparable(&at("whole"), true);
    let records: Vec<u8> =
        (0..3).flat_map(|n| std::fs::read(at(&format!("o{n}/conversations.jsonl"))).unwrap()).collect();
    assert!(records == whole["conversations.jsonl"]);
    std::fs::write(at("all.jsonl"), records).unwrap();
    let (with, _) = merged(&["--conversations", at("all.jsonl").to_str().unwrap()]);
    whole.remove("rejects.jsonl");
    assert_same(&whole, &with);
    // Without the records: everything but what is made from them, and it says so.
    let (without, told) = merged(&["--report", "html", "--quiet"]);
    assert!(told.contains("conversations.jsonl"), "{told}");
    whole.remove("conversations.jsonl");
    whole.remove("scorecards.xlsx");
    assert_same(&whole, &without);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let inputs = parts(&at("in"), &[20, 40]);
    let quick = ["--report", "none", "--quiet"];
    inspect(&inputs[0], &at("good"), &quick);
    inspect(&inputs[1], &at("mini"), &[&quick[..], &["--rules", "fixtures/packs/mini"]].concat());
    inspect(&inputs[1], &at("english"), &[&quick[..], &["--lang", "en"]].concat());
    inspect(&inputs[1], &at("unmasked"), &[&quick[..], &["--pii", "keep"]].concat());
    let whole = std::fs::read(at("good/part.zjp")).unwrap();
    std::fs::write(at("short.zjp"), &whole[..whole.len() - 7]).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(at("flipped.zjp"), flipped).unwrap();
    std::fs::write(at("other.zjp"), "{}").unwrap();
    std::fs::write(at("again.zjp"), &whole).unwrap();
    let refused = |names: [&str; 2], words: &str| {
        let run = zhijian().arg("merge").args(names.map(at)).arg("--out").arg(at("merged")).assert().code(2);
        let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
        assert!(told.contains(words), "{names:?}: {told}");
        assert!(!at("merged").exists());
    };
    refused(["good", "mini"], "规则包不同");
    refused(["good", "english"], "--lang");
    refused(["good", "unmasked"], "--pii");
    refused(["good", "short.zjp"], "不完整");
    refused(["good", "flipped.zjp"], "损坏");
    refused(["good", "other.zjp"], "not a partial");
    refused(["good", "again.zjp"], "given twice");
    refused(["good", "in"], "--partial");
}

/// What `--pipe` writes, taken apart: records, rejects, partial, trailer.
fn piped(input: &[u8], more: &[&str]) -> (Vec<u8>, Vec<serde_json::Value>, Vec<u8>, serde_json::Value, Option<i32>) {
    let run = zhijian().args(["inspect", "-", "--pipe", "--quiet"]).args(more).write_stdin(input).output().unwrap();
    let (mut records, mut rejects, mut partial, mut trailer) = (Vec::new(), Vec::new(), String::new(), None);
    for line in run.stdout.split_inclusive(|b| *b == b'\n') {
        assert!(trailer.is_none(), "the trailer comes last");
        let mut value: serde_json::Value = serde_json::from_slice(line).unwrap();
        if value["conversation_id"].is_string() {
            records.extend_from_slice(line);
        } else if value["reject"].is_object() {
            rejects.push(value["reject"].take());
        } else if let Some(piece) = value["partial"].as_str() {
            partial += piece;
        } else {
            trailer = Some(value["trailer"].take());
        }
    }
    (records, rejects, decoded(&partial), trailer.expect("a trailer"), run.status.code())
}

fn decoded(text: &str) -> Vec<u8> {
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let kept: Vec<u32> =
            group.iter().filter_map(|b| signs.iter().position(|s| s == b)).map(|at| at as u32).collect();
        let word = kept.iter().fold(0, |word, six| word << 6 | six) << (6 * (4 - kept.len()));
        out.extend_from_slice(&word.to_be_bytes()[1..kept.len()]);
    }
    out
}

#[test]
fn a_pipe_gives_the_records_the_partial_and_sums_to_check() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let inputs = parts(&at("in"), &[150]);
    zhijian().arg("inspect").arg(at("in")).arg("--out").arg(at("whole")).assert().success();
    let mut all = Vec::new();
    std::fs::create_dir(at("partials")).unwrap();
    for (number, input) in inputs.iter().enumerate() {
        let slice = number.to_string();
        let (records, rejects, partial, trailer, code) = piped(&std::fs::read(input).unwrap(), &["--slice", &slice]);
        assert_eq!(code, Some(0));
        assert_eq!(trailer["results"], lines(&records).len() + rejects.len());
        assert_eq!(trailer["conversations"], lines(&records).len());
        assert_eq!((trailer["records_rejected"].as_u64(), rejects.len()), (Some(number as u64), number));
        assert_eq!(trailer["partial_bytes"], partial.len());
        std::fs::write(at(&format!("partials/{number}.zjp")), partial).unwrap();
        all.extend(records);
    }
    assert!(all == std::fs::read(at("whole/conversations.jsonl")).unwrap());
    std::fs::write(at("all.jsonl"), &all).unwrap();
    let mut command = zhijian();
    command.arg("merge").arg(at("partials")).arg("--out").arg(at("merged"));
    command.arg("--conversations").arg(at("all.jsonl")).assert().success();
    let same = |folder: &str| {
        let mut files: BTreeMap<_, _> = comparable(&at(folder), false);
        files.remove("rejects.jsonl");
        files
    };
    assert_same(&same("whole"), &same("merged"));
    assert_eq!(json(&at("merged/run.json"))["counts"], json(&at("whole/run.json"))["counts"]);
}

#[test]
fn a_pipe_fails_its_gate_writes_no_folder_and_is_quiet_when_closed() {
    let (_, rejects, _, trailer, code) = piped(b"oops\n", &["--max-reject-rate", "0.5"]);
    assert_eq!((rejects.len(), trailer["conversations"].as_u64(), code), (1, Some(0), Some(1)));
    for refused in [&["--out", "x"][..], &["--partial", "x.zjp"], &["--results", "parquet"]] {
        zhijian().args(["inspect", "-", "--pipe"]).args(refused).write_stdin("").assert().code(2);
    }
    // A store that the environment names is for whoever merges.
    let stored =
        zhijian().args(["inspect", "-", "--pipe"]).env("ZHIJIAN_STORE", "x.db").write_stdin("").assert().success();
    assert!(String::from_utf8_lossy(&stored.get_output().stderr).contains("merge --store"));
    assert!(!root().join("x.db").exists());
    let night = std::fs::File::open(root().join(NIGHT)).unwrap();
    let mut command = process();
    command.args(["inspect", "-", "--pipe"]).stdin(night);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}

/// Inspects texts with the mini pack; the partial goes to `path`.
fn counted(engine: &Engine, text: &str, path: &Path, slice: usize) -> Summary {
    let input = path.with_extension("jsonl");
    std::fs::write(&input, text).unwrap();
    let reader = Reader::open(&[input.display().to_string()], InputOptions::default()).unwrap();
    let spill = Spill::new(path.parent().unwrap()).unwrap();
    let run = Run {
        engine,
        format: &ConversationRecords { mask: true, profiles: false },
        threads: 2,
        observer: &Unobserved,
        stop: &AtomicBool::new(false),
        mask: true,
        spill: Some(&spill),
    };
    let mut summary = run.run(reader, &mut std::io::sink(), &mut std::io::sink()).unwrap();
    let mut out = std::fs::File::create(path).unwrap();
    let slice = slice.to_string();
    zhijian::partial::write(&mut out, engine.pack(), &BTreeMap::new(), Some(&slice), &mut summary, Some(&spill))
        .unwrap();
    summary
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whichever conversation is in whichever part: the sums, the recontacts, the pages are those of the whole.
    #[test]
    fn any_split_merges_to_the_whole(seed in proptest::collection::vec(0usize..7, 300), from in 0usize..7) {
        static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
        let engine = ENGINE.get_or_init(|| {
            let pack = Pack::open(Some(&root().join("fixtures/packs/mini"))).unwrap();
            Engine::new(pack, EngineOptions::default()).unwrap()
        });
        let base = tempfile::tempdir().unwrap();
        let night = night();
        let whole = counted(engine, &night.concat(), &base.path().join("whole.zjp"), 0);
        prop_assert!(whole.aggregate.service.cross.all.day.seen > 0);
        let mut files = Vec::new();
        for number in 0..7 {
            let own: String = night.iter().zip(&seed).filter(|(_, to)| **to == number).map(|(l, _)| l.as_str()).collect();
            let path = base.path().join(format!("{number}.zjp"));
            counted(engine, &own, &path, number);
            files.push(PartialFile::open(&path).unwrap());
        }
        files.rotate_left(from);
        let spill = Spill::new(base.path()).unwrap();
        let merged = merge(files, engine.pack(), Some(&spill)).unwrap();
        prop_assert!(merged.summary.aggregate == whole.aggregate);
        prop_assert_eq!(merged.summary.records_inspected, 300);
        prop_assert_eq!(merged.conversations.iter().sum::<u64>(), 300);
        // A partial of the merged sums would be that of the whole, conversations to be shown included.
        let mut summary = merged.summary;
        summary.files = whole.files.clone();
        let again = base.path().join("again.zjp");
        let mut out = std::fs::File::create(&again).unwrap();
        let settings = BTreeMap::new();
        zhijian::partial::write(&mut out, engine.pack(), &settings, Some("0"), &mut summary, Some(&spill)).unwrap();
        prop_assert!(std::fs::read(&again).unwrap() == std::fs::read(base.path().join("whole.zjp")).unwrap());
    }
}
