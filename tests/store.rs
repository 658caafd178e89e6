//! The history store as people use it: nights are kept, replaced exactly, compared, added up, rendered again and pruned;
//! two runs at once, a kill, and files that are something else.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use common::{assert_same, files, json, process, root, zhijian};
use predicates::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::input::{InputOptions, Reader};
use zhijian::judge::Lang;
use zhijian::pack::Pack;
use zhijian::pack::source::PackSources;
use zhijian::pipeline::{Run, Unobserved};
use zhijian::report::record::ConversationRecords;
use zhijian::score::Aggregate;
use zhijian::score::contacts::Contact;
use zhijian::score::partial::{FORMAT, Partial, Quotes, Unreadable};
use zhijian::score::partial::{from_bytes, pack_contacts, to_bytes, unpack_contacts};
use zhijian::store::{Reported, Selection, Store};

const MINI: [&str; 2] = ["--rules", "fixtures/packs/mini"];

/// Every `step`-th conversation of the fixture night, moved to another day, with its own conversation ids.
fn conversations(day: &str, step: usize) -> String {
    let text = std::fs::read_to_string(root().join("fixtures/nightly/2026-11-20.jsonl")).unwrap();
    let date: jiff::civil::Date = day.parse().unwrap();
    let next = date.tomorrow().unwrap().to_string();
    let lines = text.lines().step_by(step).map(|line| {
        line.replace("\"2026-11-21T", &format!("\"{next}T"))
            .replace("\"2026-11-20T", &format!("\"{day}T"))
            .replace("\"YX1120", &format!("\"{}-", day.replace('-', "")))
            + "\n"
    });
    lines.collect()
}

/// The file of a night in a folder.
fn night(folder: &Path, day: &str, step: usize) -> PathBuf {
    let path = folder.join(format!("{day}.jsonl"));
    std::fs::write(&path, conversations(day, step)).unwrap();
    path
}

/// `inspect` of a file with the small pack into a store.
fn inspect(folder: &Path, input: &Path, store: &Path) -> assert_cmd::Command {
    let mut command = zhijian();
    command.arg("inspect").arg(input).args(MINI).args(["--quiet", "--threads", "2", "--store"]).arg(store);
    command.arg("--out").arg(folder.join(format!("out-{}", input.file_stem().unwrap().to_string_lossy())));
    command
}

/// Three nights in a new store.
fn three(folder: &Path) -> PathBuf {
    let store = folder.join("history.db");
    for (day, step) in [("2026-11-18", 5), ("2026-11-19", 4), ("2026-11-20", 3)] {
        inspect(folder, &night(folder, day, step), &store).assert().success();
    }
    store
}

fn history(store: &Path, args: &[&str]) -> assert_cmd::Command {
    let mut command = zhijian();
    command.arg("history").args(args).arg("--store").arg(store);
    command
}

fn history_json(store: &Path, args: &[&str]) -> Value {
    let run = history(store, args).args(["--format", "json"]).assert().success();
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

fn nights(store: &Path) -> Vec<String> {
    let listed = history_json(store, &["list"]);
    listed.as_array().unwrap().iter().map(|n| n["night"].as_str().unwrap().to_string()).collect()
}

fn report(store: &Path, args: &[&str], out: &Path) -> assert_cmd::Command {
    let mut command = zhijian();
    command.arg("report").args(args).arg("--quiet").arg("--store").arg(store).arg("--out").arg(out);
    command
}

/// Every row of every table, sorted.
fn dump(store: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(store).unwrap();
    let list = |sql: &str| -> Vec<String> {
        connection.prepare(sql).unwrap().query_map([], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut out = BTreeMap::new();
    for table in list("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            let cell = |i| {
                row.get_ref(i).map(|value| match value {
                    ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
                    other => format!("{other:?}"),
                })
            };
            Ok((0..columns).map(cell).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        };
        let mut rows: Vec<String> = select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
        rows.sort();
        out.insert(table, rows);
    }
    assert!(out.len() >= 10, "{:?}", out.keys());
    out
}

#[test]
fn running_a_night_again_replaces_it_exactly() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = three(folder);
    let before = dump(&store);
    assert_eq!(nights(&store), ["2026-11-18", "2026-11-19", "2026-11-20"]);
    // The middle night with fewer conversations, then as it was.
    let middle = night(folder, "2026-11-19", 9);
    inspect(folder, &middle, &store).assert().success();
    let changed = dump(&store);
    assert!(changed["nights"] != before["nights"] && changed["pieces"] != before["pieces"]);
    assert!(changed["followed"] != before["followed"], "the nights around it are followed anew");
    inspect(folder, &night(folder, "2026-11-19", 4), &store).assert().success();
    assert_eq!(dump(&store), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&store).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for left in ["history.db-wal", "history.db-shm"] {
        assert!(!folder.join(left).exists(), "{left} stays behind");
    }
}

#[test]
fn two_batches_at_once_both_land() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    // Too far apart to follow customers from one to the other, so that order does not matter.
    let days = ["2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01"];
    let inputs = days.map(|day| night(folder, day, 6));
    let apart = folder.join("apart.db");
    inputs.iter().for_each(|input| drop(inspect(folder, input, &apart).assert().success()));
    let together = folder.join("together.db");
    let start = |input: &PathBuf, store: &Path, out: &str| {
        let mut command = process();
        command.arg("inspect").arg(input).args(MINI).args(["--quiet", "--store"]).arg(store);
        command.arg("--out").arg(folder.join(out)).spawn().unwrap()
    };
    let mut running: Vec<_> = inputs.iter().enumerate().map(|(i, p)| start(p, &together, &format!("t{i}"))).collect();
    running.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
    assert_eq!(dump(&together), dump(&apart));

    // The same night from two inputs at once: one of them, whole.
    let inner = folder.join("other");
    std::fs::create_dir(&inner).unwrap();
    let rivals = [inputs[0].clone(), night(&inner, "2026-09-01", 11)];
    let single: Vec<_> = (0..2)
        .map(|i| {
            let store = folder.join(format!("single{i}.db"));
            inspect(folder, &rivals[i], &store).assert().success();
            dump(&store)
        })
        .collect();
    let same = folder.join("same.db");
    let mut running: Vec<_> = rivals.iter().enumerate().map(|(i, p)| start(p, &same, &format!("s{i}"))).collect();
    running.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
    let left = dump(&same);
    assert!(left == single[0] || left == single[1], "a mixture of two runs");
}

#[cfg(unix)]
#[test]
fn a_kill_leaves_the_store_as_before_or_after() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = folder.join("history.db");
    inspect(folder, &night(folder, "2026-11-19", 5), &store).assert().success();
    let second = night(folder, "2026-11-20", 2);
    let whole = folder.join("whole.db");
    std::fs::copy(&store, &whole).unwrap();
    inspect(folder, &second, &whole).assert().success();
    let (before, after) = (dump(&store), dump(&whole));
    assert!(before != after);
    let (mut early, mut late) = (0, 0);
    for attempt in 0..24 {
        let copy = folder.join(format!("{attempt}.db"));
        let out = folder.join(format!("o{attempt}"));
        std::fs::copy(&store, &copy).unwrap();
        let mut command = process();
        command.arg("inspect").arg(&second).args(MINI).args(["--quiet", "--store"]).arg(&copy);
        let mut child = command.arg("--out").arg(&out).spawn().unwrap();
        // The store is written once the results are in their place: kill from then on, a little later each time.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !out.join("run.json").exists() && Instant::now() < deadline {
            std::hint::spin_loop();
        }
        std::thread::sleep(Duration::from_micros(1500 * attempt));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = dump(&copy);
        assert!(left == before || left == after, "attempt {attempt}: neither before nor after");
        match left == before {
            true => early += 1,
            false => late += 1,
        }
        if attempt % 8 == 0 {
            inspect(folder, &second, &copy).assert().success();
            assert_eq!(dump(&copy), after, "running again mends it");
        }
    }
    assert!(early > 0, "no kill came before the end of the write ({early} before, {late} after)");
}

#[test]
fn older_stores_are_brought_up_to_date_and_newer_ones_refused() {
    let base = tempfile::tempdir().unwrap();
    let store = three(base.path());
    let before = dump(&store);
    let schema = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut select = connection.prepare("SELECT name || ': ' || sql FROM sqlite_schema ORDER BY name").unwrap();
        select.query_map([], |r| r.get::<_, Option<String>>(0)).unwrap().filter_map(|r| r.unwrap()).collect()
    };
    let current = schema(&store);
    // Version 1 had no views and no reviews.
    let old = Connection::open(&store).unwrap();
    old.execute_batch(
        "DROP VIEW night_figures; DROP VIEW agent_figures; DROP VIEW rule_figures; DROP VIEW standing_reviews;
         DROP TABLE review_decisions; DROP TABLE reviews; DROP TABLE review_imports; DROP TABLE review_sheets;
         DROP TABLE review_drawn; DROP TABLE review_samples; DROP TABLE review_cases; DROP TABLE rule_standing;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    assert!(schema(&store) != current);
    assert_eq!(nights(&store).len(), 3);
    assert_eq!(schema(&store), current);
    assert_eq!(dump(&store), before);

    let newer = Connection::open(&store).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    drop(newer);
    let told = "由更新的 zhijian 写成(结构版本 999";
    history(&store, &["list"]).assert().code(2).stderr(predicate::str::contains(told));
}

#[test]
fn files_that_are_no_store_are_refused_and_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let input = night(folder, "2026-11-20", 30);
    let other = folder.join("other.db");
    let foreign = Connection::open(&other).unwrap();
    foreign.execute_batch("CREATE TABLE orders (id INTEGER)").unwrap();
    drop(foreign);
    let text = folder.join("notes.txt");
    std::fs::write(&text, "只是一些笔记,不是数据库。".repeat(100)).unwrap();
    for path in [&other, &text] {
        let bytes = std::fs::read(path).unwrap();
        inspect(folder, &input, path).assert().code(2).stderr(predicate::str::contains("不是 zhijian 的历史库"));
        assert_eq!(std::fs::read(path).unwrap(), bytes, "{}", path.display());
        assert!(!folder.join("out-2026-11-20").exists(), "told before the work begins");
    }
    // An empty file, as a run killed at the very start leaves it, becomes a store.
    let empty = folder.join("empty.db");
    std::fs::write(&empty, "").unwrap();
    history(&empty, &["list"]).assert().success();
    inspect(folder, &input, &empty).assert().success();
    assert_eq!(nights(&empty), ["2026-11-20"]);
    let missing = folder.join("none.db");
    history(&missing, &["list"]).assert().code(2).stderr(predicate::str::contains("没有这个文件"));
    assert!(!missing.exists());
    let nowhere = folder.join("no/such/folder.db");
    inspect(folder, &input, &nowhere).assert().code(2).stderr(predicate::str::contains("无法创建"));
    let damaged = three(&folder.join("."));
    let connection = Connection::open(&damaged).unwrap();
    connection.execute("UPDATE pieces SET bytes = x'0900000000' WHERE kind = 'sums'", []).unwrap();
    drop(connection);
    let out = folder.join("report");
    let run = report(&damaged, &["--night", "2026-11-20"], &out).assert().code(2);
    run.stderr(predicate::str::contains("请升级"));
    assert!(!out.exists());
}

/// Without what only `inspect` writes, and `run.json`.
fn derived(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(folder);
    // Pages and the workbook show transcripts and single findings, which are not kept.
    all.retain(|name, _| !name.starts_with("report/") && name != "scorecards.xlsx");
    all.retain(|name, _| !["run.json", "conversations.jsonl", "rejects.jsonl"].contains(&name.as_str()));
    assert!(all.len() > 12, "{:?}", all.keys());
    all
}

#[test]
fn a_night_is_rendered_again_as_it_was() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = three(folder);
    for day in ["2026-11-18", "2026-11-19", "2026-11-20"] {
        // Nights that came later change nothing.
        let again = folder.join(format!("again-{day}"));
        report(&store, &["--night", day], &again).assert().success();
        assert_same(&derived(&again), &derived(&folder.join(format!("out-{day}"))));
        assert_eq!(json(&again.join("run.json"))["report"], day);
        let page = std::fs::read_to_string(again.join("report/index.html")).unwrap();
        assert!(page.contains(day) && !again.join("report/chats").exists());
        assert!(again.join("scorecards.xlsx").is_file());
    }
    // Its folder is ours, another's is not.
    report(&store, &["--night", "2026-11-18"], &folder.join("again-2026-11-20")).assert().success();
    let foreign = folder.join("thesis");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.doc"), "x").unwrap();
    report(&store, &["--night", "2026-11-18"], &foreign).assert().code(2);
    let run = report(&store, &["--night", "2026-11-30"], &folder.join("none")).assert().code(2);
    run.stderr(predicate::str::contains("没有存过 2026-11-30"));
    let run = report(&store, &["--night", "2026-11"], &folder.join("none")).assert().code(2);
    run.stderr(predicate::str::contains("--period"));
}

#[test]
fn a_period_is_what_one_run_over_its_nights_would_be() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = three(folder);
    let all: String =
        [("2026-11-18", 5), ("2026-11-19", 4), ("2026-11-20", 3)].map(|(day, step)| conversations(day, step)).concat();
    let joined = folder.join("joined.jsonl");
    std::fs::write(&joined, all).unwrap();
    let mut command = zhijian();
    command.arg("inspect").arg(&joined).args(MINI).args(["--quiet", "--out"]);
    command.arg(folder.join("joined")).assert().success();
    // Words for people name the period they are about.
    let figures = |folder: &Path| {
        let mut all = derived(folder);
        all.retain(|name, _| name.ends_with(".csv") || name == "scorecards.json");
        all
    };
    let whole = figures(&folder.join("joined"));
    for period in ["2026-W47", "2026-11", "2026-Q4", "2026"] {
        let out = folder.join(period);
        report(&store, &["--period", period], &out).assert().success();
        assert_same(&figures(&out), &whole);
    }
    let cross = |csv: &[u8]| String::from_utf8_lossy(csv).lines().filter(|l| l.contains("24小时无再次来访")).count();
    assert!(cross(&whole["outcomes.csv"]) > 0, "customers come back in these nights");
}

#[test]
fn parts_of_a_night_add_up() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let text = conversations("2026-11-20", 3);
    let (phone, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.contains("\"channel\":\"phone\""));
    assert!(!phone.is_empty() && !rest.is_empty());
    let store = folder.join("parts.db");
    for (name, lines) in [("phone", phone), ("chat", rest)] {
        let path = folder.join(format!("{name}.jsonl"));
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        inspect(folder, &path, &store).args(["--part", name]).assert().success();
    }
    let whole = night(folder, "2026-11-20", 3);
    inspect(folder, &whole, &folder.join("whole.db")).assert().success();
    let out = folder.join("again");
    report(&store, &["--night", "2026-11-20"], &out).assert().success();
    assert_same(&derived(&out), &derived(&folder.join("out-2026-11-20")));
    let part = folder.join("again-phone");
    report(&store, &["--night", "2026-11-20", "--part", "phone"], &part).assert().success();
    assert_same(&derived(&part), &derived(&folder.join("out-phone")));
    let listed = history_json(&store, &["list"]);
    let parts: Vec<_> = listed.as_array().unwrap().iter().map(|n| n["part"].as_str().unwrap()).collect();
    assert_eq!(parts, ["chat", "phone"]);
    // The whole night beside its parts would count twice: that is told.
    let run = inspect(folder, &whole, &store).assert().success();
    run.stderr(predicate::str::contains("加在一起"));
}

#[test]
fn changed_packs_are_marked_and_old_nights_keep_their_own() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let pack = folder.join("pack");
    copy(&root().join("fixtures/packs/mini"), &pack);
    let store = folder.join("history.db");
    let run = |day: &str| {
        let mut command = zhijian();
        command.arg("inspect").arg(night(folder, day, 4)).args(["--quiet", "--store"]).arg(&store);
        command.arg("--rules").arg(&pack).arg("--out").arg(folder.join(format!("out-{day}"))).assert().success();
    };
    run("2026-11-17");
    run("2026-11-18");
    // A rule goes, another is renamed, the pass mark rises.
    std::fs::remove_file(pack.join("rules/closing-missing.toml")).unwrap();
    std::fs::remove_file(pack.join("markers/closing.toml")).unwrap();
    let edit = |inner: &str, from: &str, to: &str| {
        let path = pack.join(inner);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{inner}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    };
    edit("scorecard.toml", "pass_mark = 80", "pass_mark = 90");
    run("2026-11-19");
    let listed = history_json(&store, &["list"]);
    let marks: Vec<_> = listed.as_array().unwrap().iter().map(|n| n["changed_rules"].as_bool().unwrap()).collect();
    assert_eq!(marks, [false, false, true]);
    let thresholds = |at: usize| listed[at]["thresholds"].as_str().unwrap();
    assert!(thresholds(0) == thresholds(1) && thresholds(1) != thresholds(2));
    let compared = history_json(&store, &["compare", "2026-11-18", "2026-11-19"]);
    assert_eq!(compared["changed_rules"], true);
    history(&store, &["compare", "2026-11-18", "2026-11-19"])
        .assert()
        .success()
        .stderr(predicate::str::contains("不直接可比"));
    assert_eq!(history_json(&store, &["compare", "2026-11-17", "2026-11-18"])["changed_rules"], false);

    // The old night with the pack of then, though its folder has changed; the period with the new one, telling what it lacks.
    let again = folder.join("again");
    report(&store, &["--night", "2026-11-18"], &again).assert().success();
    assert_same(&derived(&again), &derived(&folder.join("out-2026-11-18")));
    assert!(String::from_utf8_lossy(&files(&again)["rules.csv"]).contains("closing-missing"));
    let month = folder.join("month");
    let run = report(&store, &["--period", "2026-11"], &month).assert().success();
    run.stderr(predicate::str::contains("closing-missing").and(predicate::str::contains("不完全可比")));
    let record = json(&month.join("run.json"));
    assert_eq!(record["left_out"]["rules"], serde_json::json!(["closing-missing"]));
    assert_eq!(record["mixed_packs"], true);
    let rules = |folder: &Path| String::from_utf8_lossy(&files(folder)["rules.csv"]).into_owned();
    assert!(!rules(&month).contains("closing-missing") && rules(&month).contains("greeting-missing"));
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn customers_are_followed_from_night_to_night() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = folder.join("history.db");
    // One customer comes back about the order the next night; others fill four nights so that windows pass.
    let talk = |day: &str, id: &str, customer: &str| {
        format!(
            "{{\"conversation_id\":\"{day}-{id}\",\"customer_id\":\"{customer}\",\"order_id\":\"o-{customer}\",\"agent_id\":\"a1\",\
             \"started_at\":\"{day}T10:00:00+08:00\",\"ended_at\":\"{day}T10:05:00+08:00\",\"turns\":[\
             {{\"role\":\"customer\",\"text\":\"还没发货\"}},{{\"role\":\"agent\",\"text\":\"您好,马上查\"}}]}}\n"
        )
    };
    let days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"];
    for day in days {
        let mut text = talk(day, "1", &format!("only-{day}"));
        if day <= "2026-11-17" {
            text += &talk(day, "2", "back");
        }
        let path = folder.join(format!("{day}.jsonl"));
        std::fs::write(&path, text).unwrap();
        inspect(folder, &path, &store).assert().success();
    }
    // When it was new, nothing was known of the first night; by now both of its contacts are observed, one came back.
    let rates = |folder: &Path| json(&folder.join("scorecards.json"))["all"]["service"].clone();
    assert_eq!(rates(&folder.join("out-2026-11-16"))["fcr_24h"], Value::Null);
    let week = folder.join("week");
    report(&store, &["--period", "2026-W47"], &week).assert().success();
    let service = rates(&week);
    assert_eq!((&service["fcr_24h"]["count"], &service["fcr_24h"]["of"]), (&Value::from(6), &Value::from(7)));
    assert_eq!((&service["fcr_72h"]["count"], &service["fcr_72h"]["of"]), (&Value::from(4), &Value::from(5)));
    // Hashes only: no id of a customer or order is in the file.
    let bytes = std::fs::read(&store).unwrap();
    assert!(!bytes.windows(4).any(|w| w == b"back") && !bytes.windows(6).any(|w| w == b"o-only"));

    // A missing night ends what is known: nobody can tell who came back in it.
    history(&store, &["prune", "--before", "2026-11-16"])
        .assert()
        .success()
        .stdout(predicate::str::contains("没有可清理"));
    let gap = folder.join("gap.db");
    for day in ["2026-11-16", "2026-11-18", "2026-11-19", "2026-11-20"] {
        inspect(folder, &folder.join(format!("{day}.jsonl")), &gap).assert().success();
    }
    let early = folder.join("gap");
    report(&gap, &["--period", "2026-W47"], &early).assert().success();
    assert_eq!(rates(&early)["fcr_24h"]["of"], Value::from(2), "the 18th and 19th, not the 16th");
}

#[test]
fn targets_of_a_month_count_its_stored_nights() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let pack = folder.join("pack");
    copy(&root().join("fixtures/packs/mini"), &pack);
    let card = pack.join("scorecard.toml");
    let text = std::fs::read_to_string(&card).unwrap();
    let targets = "\n[[target]]\nmetric = \"pass_rate\"\nperiod = \"month\"\nmin = 0.9\n\
                   \n[[target]]\nmetric = \"fcr_24h\"\nperiod = \"quarter\"\nmin = 0.9\n";
    std::fs::write(&card, text + targets).unwrap();
    let store = folder.join("history.db");
    let mut judged = Vec::new();
    for day in ["2026-10-31", "2026-11-01", "2026-11-02"] {
        let out = folder.join(day);
        let mut command = zhijian();
        command.arg("inspect").arg(night(folder, day, 5)).args(["--quiet", "--store"]).arg(&store);
        command.arg("--rules").arg(&pack).arg("--out").arg(&out).assert().success();
        judged.push(json(&out.join("run.json"))["counts"]["judged"].as_u64().unwrap());
    }
    let cards = json(&folder.join("2026-11-02/scorecards.json"));
    let target = |metric: &str| {
        let mut all = cards["targets"].as_array().unwrap().iter();
        all.find(|t| t["metric"] == metric && t["scope"] == "all" && t["value_of"] != "2026-11-03").unwrap().clone()
    };
    let pass = target("pass_rate");
    assert_eq!((&pass["value_of"], &pass["n"]), (&Value::from("2026-11"), &Value::from(judged[1] + judged[2])));
    assert_eq!(target("fcr_24h")["value_of"], "2026-Q4");
    assert!(target("fcr_24h")["n"].as_u64().unwrap() > judged[2] / 2, "with the nights before");
}

#[test]
fn comparisons_carry_their_uncertainty() {
    let base = tempfile::tempdir().unwrap();
    let store = three(base.path());
    let compared = history_json(&store, &["compare", "2026-11-18", "2026-11-20"]);
    let all = compared["changes"]["all"].as_array().unwrap();
    let figure = |id: &str| all.iter().find(|c| c["figure"] == id).unwrap();
    let (pass, score) = (figure("pass_rate"), figure("score"));
    let number = |v: &Value| v.as_f64().unwrap();
    for change in [pass, score] {
        let difference = number(&change["now"]) - number(&change["before"]);
        let (low, high) = (number(&change["interval"][0]), number(&change["interval"][1]));
        assert!(low < difference && difference < high, "{change}");
    }
    assert!(figure("conversations")["interval"].is_null());
    assert!(!compared["changes"]["agents"].as_object().unwrap().is_empty());
    // Figures agree with the reports of the nights.
    let shown = history_json(&store, &["show", "2026-11-20"]);
    let cards = json(&base.path().join("out-2026-11-20/scorecards.json"));
    assert_eq!(shown["period"]["all"]["pass_rate"], cards["all"]["pass_rate"]);
    assert_eq!(shown["period"]["all"]["score"], cards["all"]["score"]);
    assert_eq!(number(&pass["now"]), number(&cards["all"]["pass_rate"]["value"]));
    let agent = &cards["agents"][0];
    let own = &shown["period"]["agents"][agent["id"].as_str().unwrap()];
    assert_eq!(own["score"], agent["score"]);
    for dimension in agent["dimensions"].as_array().unwrap().iter().filter(|d| !d["kept"].is_null()) {
        assert_eq!(own["dimensions"][dimension["id"].as_str().unwrap()], dimension["kept"]);
    }
    // As CSV and in English.
    let run =
        history(&store, &["compare", "2026-11-18", "2026-11-20", "--format", "csv", "--lang", "en"]).assert().success();
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let headers = csv.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = csv.records().map(|r| r.unwrap()).collect();
    let column = |name: &str| headers.iter().position(|h| h == name).unwrap();
    let row = rows.iter().find(|r| &r[0] == "all" && &r[column("figure")] == "pass_rate").unwrap();
    assert_eq!(row[column("low")].parse::<f64>().unwrap(), number(&pass["interval"][0]));
    assert_eq!(row[column("n_now")].parse::<u64>().unwrap(), pass["n"][1].as_u64().unwrap());
    assert!(rows.iter().all(|r| r[column("change")].parse::<f64>().is_ok()));
    assert!(rows.iter().any(|r| &r[0] == "agent" && r[column("figure")].starts_with("dimension:")));
    let run = history(&store, &["compare", "2026-11-18", "2026-11-20", "--lang", "en"]).assert().success();
    run.stdout(predicate::str::contains("no telling").and(predicate::str::contains("pp")));
    history(&store, &["compare", "2026-11-18", "2026年"]).assert().code(2).stderr(predicate::str::contains("2026-W47"));
}

#[test]
fn pruning_asks_first_and_takes_out_what_it_says() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let store = three(folder);
    let before = dump(&store);
    let run = history(&store, &["prune", "--before", "2026-11-19"]).assert().success();
    run.stdout(predicate::str::contains("会清理整晚: 1 晚(2026-11-18 至 2026-11-18)"));
    let run = history(&store, &["prune", "--keep", "1", "--lang", "en"]).assert().success();
    run.stdout(predicate::str::contains("would prune nights: 2 (2026-11-18 to 2026-11-19)"));
    assert_eq!(dump(&store), before, "a preview changes nothing");
    history(&store, &["prune"]).assert().code(2);

    history(&store, &["prune", "--quotes-before", "2026-11-20", "--yes"]).assert().success();
    let out = folder.join("unquoted");
    let run = report(&store, &["--night", "2026-11-19"], &out).assert().success();
    run.stderr(predicate::str::contains("引文已清理"));
    let (quoted, unquoted) = (derived(&folder.join("out-2026-11-19")), derived(&out));
    assert_eq!(quoted["scorecards.csv"], unquoted["scorecards.csv"]);
    let coaching = |all: &BTreeMap<String, Vec<u8>>| -> usize {
        all.iter().filter(|(name, _)| name.starts_with("coaching/")).map(|(_, bytes)| bytes.len()).sum()
    };
    assert!(coaching(&unquoted) < coaching(&quoted));
    assert_eq!(dump(&store)["pieces"].len(), before["pieces"].len() - 2);

    history(&store, &["prune", "--keep", "1", "--yes"]).assert().success();
    assert_eq!(nights(&store), ["2026-11-20"]);
    let left = dump(&store);
    let stale = left.values().flatten().any(|row| row.contains("2026-11-18") && row.contains("Text"));
    assert!(!stale, "something of a pruned night stays");
    assert_eq!(left["packs"].len(), 1);
}

#[test]
fn a_night_without_times_must_be_named() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let input = folder.join("untimed.jsonl");
    let turns = "{\"role\":\"customer\",\"text\":\"在吗\"},{\"role\":\"agent\",\"text\":\"您好\"}";
    std::fs::write(&input, format!("{{\"conversation_id\":\"1\",\"agent_id\":\"a1\",\"turns\":[{turns}]}}\n")).unwrap();
    let store = folder.join("history.db");
    inspect(folder, &input, &store).assert().code(2).stderr(predicate::str::contains("--night 2026-11-20"));
    assert!(!folder.join("out-untimed").exists());
    inspect(folder, &input, &store).args(["--night", "20.11.2026"]).assert().code(2);
    inspect(folder, &input, &store).args(["--night", "2026-11-20"]).assert().success();
    assert_eq!(nights(&store), ["2026-11-20"]);
    let out = folder.join("again");
    report(&store, &["--night", "2026-11-20"], &out).assert().success();
    let (again, first) = (files(&out), files(&folder.join("out-untimed")));
    assert_eq!(again["scorecards.csv"], first["scorecards.csv"]);
}

/// One customer's short conversation.
fn complaint(day: &str, number: usize, text: &str) -> String {
    format!(
        "{{\"conversation_id\":\"new-{day}-{number}\",\"customer_id\":\"n{number}\",\"agent_id\":\"a01\",\"channel\":\"chat\",\
         \"started_at\":\"{day}T15:00:00+08:00\",\"turns\":[{{\"role\":\"customer\",\"text\":\"{text}\"}},\
         {{\"role\":\"agent\",\"text\":\"您好,抱歉,马上给您处理\"}}]}}\n"
    )
}

#[test]
fn what_is_new_stands_out_against_the_nights_before() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path();
    let path = folder.join("history.db");
    let days = ["2026-11-15", "2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"];
    for day in days {
        let mut text = conversations(day, 4);
        if day == "2026-11-20" {
            (0..12).for_each(|n| text += &complaint(day, n, "充电宝鼓包了,鼓包成这样还能用吗"));
        }
        let input = folder.join(format!("{day}.jsonl"));
        std::fs::write(&input, text).unwrap();
        let mut command = zhijian();
        command.arg("inspect").arg(&input).args(["--segment", "full", "--store"]).arg(&path);
        let run = command.arg("--out").arg(folder.join(day)).assert().success();
        let told = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(told.contains(&format!("history.db: {day}")), "{told}");
        assert_eq!(told.contains("比往常多"), day == "2026-11-20", "{told}");
    }
    let store = Store::existing(&path).unwrap();
    let history_of = |label: &str| {
        let selection = Selection::parse(label, "").unwrap();
        let period = store.load(&selection, None).unwrap();
        let reported = Reported {
            selection: &selection,
            partial: &period.partial,
            mixed: period.mixed,
            words: &store.words(&period.rows).unwrap(),
            pack: &period.pack,
            lang: Lang::Zh,
        };
        store.history(&reported).unwrap()
    };
    let history = history_of("2026-11-20");
    let word = history.bursts.iter().find(|b| (b.kind, b.id.as_str()) == ("word", "鼓包")).unwrap();
    assert_eq!(word.now, 12);
    assert!(word.expected < 1.0 && word.strength > 5.0, "{word:?}");
    assert!(history.bursts.iter().any(|b| b.kind == "topic" && b.now >= 12), "{:?}", history.bursts);
    assert!(history.bursts.windows(2).all(|w| w[0].strength >= w[1].strength) && history.bursts.len() <= 10);
    assert_eq!(history_of("2026-11-19").bursts, [], "an ordinary night has no news");

    let labels: Vec<_> = history.trend.iter().map(|p| p.label.as_str()).collect();
    assert_eq!(labels, days);
    assert!(history.trend.iter().all(|p| !p.changed_rules && p.all.score.is_some() && p.agents.len() >= 10));
    let known: Vec<_> = history.trend.iter().map(|p| (p.all.fcr_24h.is_some(), p.all.fcr_72h.is_some())).collect();
    let (both, day, none) = ((true, true), (true, false), (false, false));
    assert_eq!(known, [both, both, day, day, none, none], "recontacts are told once their window has passed");
    assert_eq!(history.changes.against, "2026-11-19");
    assert!(history.changes.agents.values().flatten().any(|c| c.figure.starts_with("rule:") && c.interval.is_some()));
    // Weeks beside weeks: Monday the 16th begins one.
    let weeks = history_of("2026-W47");
    let labels: Vec<_> = weeks.trend.iter().map(|p| (p.label.as_str(), p.all.conversations > 300)).collect();
    assert_eq!(labels, [("2026-W46", false), ("2026-W47", true)]);
    assert_eq!(history_of("2026-11-15").trend.len(), 1);
    assert_eq!(history_of("2026-11-15").changes, Default::default());
}

/// Sums of the fixture night, judged by the default pack.
fn sums() -> &'static (Pack, Aggregate) {
    static SUMS: OnceLock<(Pack, Aggregate)> = OnceLock::new();
    SUMS.get_or_init(|| {
        let pack = Pack::default_pack().unwrap();
        let engine = Engine::new(pack.clone(), EngineOptions::default()).unwrap();
        let input = root().join("fixtures/nightly/2026-11-20.jsonl").display().to_string();
        let reader = Reader::open(&[input], InputOptions::default()).unwrap();
        let format = ConversationRecords { mask: true, profiles: false };
        let stop = AtomicBool::new(false);
        let run = Run {
            engine: &engine,
            format: &format,
            threads: 2,
            observer: &Unobserved,
            stop: &stop,
            mask: true,
            spill: None,
        };
        (pack, run.run(reader, &mut Vec::new(), &mut Vec::new()).unwrap().aggregate)
    })
}

#[test]
fn sums_and_quotes_come_back_from_bytes() {
    let (pack, aggregate) = sums();
    let (partial, quotes) = Partial::split(pack, aggregate.clone());
    assert!(partial.aggregate != *aggregate, "quotes are kept apart");
    let mut back: Partial = from_bytes(&to_bytes(&partial)).unwrap();
    assert_eq!(back, partial);
    back.join(from_bytes::<Quotes>(&to_bytes(&quotes)).unwrap());
    assert_eq!(back.aggregate, *aggregate);
    let mut newer = to_bytes(&partial);
    newer[0] += 1;
    assert_eq!(from_bytes::<Partial>(&newer), Err(Unreadable::Newer(FORMAT + 1)));
    assert!(matches!(from_bytes::<Partial>(&[1, 0]), Err(Unreadable::Damaged(_))));
    assert!(from_bytes::<Partial>(&to_bytes(&partial)[..4]).is_err());
    // A pack comes back from its texts, those of the pack it extends too.
    let sources = PackSources::from_json(&pack.sources.to_json()).unwrap();
    assert_eq!(Pack::load_again(&sources).unwrap().hash, pack.hash);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn other_numbers_for_the_same_ids_change_nothing(turn in 1usize..60, dropped in 0usize..80) {
        let (pack, aggregate) = sums();
        let (partial, _) = Partial::split(pack, aggregate.clone());
        let names = partial.names.clone();
        let mut turned = names.clone();
        turned.rules.rotate_left(turn % names.rules.len());
        turned.dimensions.reverse();
        turned.metrics.rotate_left(turn % names.metrics.len());
        let (moved, lost) = partial.clone().onto(&turned);
        proptest::prop_assert!(lost.is_empty());
        let again = Partial { stamp: partial.stamp.clone(), names: turned, aggregate: moved };
        let (back, lost) = again.onto(&names);
        proptest::prop_assert!(lost.is_empty());
        proptest::prop_assert_eq!(&back, &partial.aggregate);

        // A rule the other pack lacks is left out, and told when something was counted under it.
        let mut fewer = names.clone();
        let gone = fewer.rules.remove(dropped % names.rules.len());
        let counted = partial.aggregate.all.rules.contains_key(&((dropped % names.rules.len()) as u32));
        let due: u64 = partial.aggregate.all.rules.values().map(|c| c.applicable).sum();
        let own = partial.aggregate.all.rules.get(&((dropped % names.rules.len()) as u32)).map_or(0, |c| c.applicable);
        let (left, lost) = partial.onto(&fewer);
        proptest::prop_assert_eq!(lost.rules.contains(&gone), counted);
        proptest::prop_assert_eq!(left.all.rules.values().map(|c| c.applicable).sum::<u64>(), due - own);
    }
}

#[test]
fn contacts_keep_their_topics_under_another_pack() {
    let ids = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let (old, new) = (ids(&["refund", "delivery", "gone"]), ids(&["delivery", "new", "refund"]));
    let contacts: Vec<Contact> = (0..4)
        .map(|topic| Contact { customer: 7, start: 100, topic, resolved: topic == 1, ..Contact::default() })
        .collect();
    let bytes = pack_contacts(&contacts);
    assert_eq!(unpack_contacts(&bytes, &old, &old).unwrap(), contacts);
    let topics: Vec<u16> = unpack_contacts(&bytes, &old, &new).unwrap().iter().map(|c| c.topic).collect();
    assert_eq!(topics, [0, 3, 1, 0]);
}
