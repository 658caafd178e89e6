//! Whatever kills a run, fills the disk or takes the memory: previous results stay whole, and running again gives what
//! an undisturbed run gives.
//!
//! `ZHIJIAN_TEST_KILLS` says how many runs are killed (12 unless told).
#![cfg(unix)]
#![allow(clippy::print_stdout)] // what was skipped and why

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{assert_same, files, process, root, zhijian};
use serde_json::Value;

const RULES: [&str; 3] = ["--rules", "fixtures/packs/mini", "--quiet"];

/// A result folder but for its timings.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(folder);
    let mut run: Value = serde_json::from_slice(&all["run.json"]).unwrap();
    run.as_object_mut().unwrap().remove("timings");
    all.insert("run.json".into(), run.to_string().into_bytes());
    all
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Numbers that look random and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What is killed: a run, one that stores its night, a report of a stored night.
#[derive(Clone, Copy, PartialEq)]
enum Job {
    Inspect,
    Store,
    Report,
}

struct Scene {
    job: Job,
    args: Vec<String>,
    before: BTreeMap<String, Vec<u8>>,
    after: BTreeMap<String, Vec<u8>>,
    /// What is stored before and after.
    stored: [String; 2],
    took: Duration,
}

/// What the store says it holds, and whether SQLite finds it whole.
fn stored(store: &Path) -> String {
    let whole: String =
        rusqlite::Connection::open(store).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let run = zhijian().args(["history", "list", "--store"]).arg(store).assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

impl Scene {
    /// Lays the folder out as it is before the job.
    fn reset(&self, base: &Path) {
        let work = base.join("work");
        let _ = fs::remove_dir_all(&work);
        fs::create_dir(&work).unwrap();
        copy(&base.join("old"), &work.join("out"));
        let store = if self.job == Job::Report { "after.db" } else { "before.db" };
        copy(&base.join(store), &work.join("history.db"));
    }

    fn new(base: &Path, job: Job) -> Scene {
        let work = base.join("work");
        let (out, store) = (work.join("out").display().to_string(), work.join("history.db").display().to_string());
        let args: Vec<&str> = match job {
            Job::Inspect => [&["inspect", "fixtures/nightly", "--out", &out][..], &RULES].concat(),
            Job::Store => [&["inspect", "fixtures/nightly", "--out", &out, "--store", &store][..], &RULES].concat(),
            Job::Report => vec!["report", "--store", &store, "--night", "2026-11-20", "--quiet", "--out", &out],
        };
        let args = args.into_iter().map(String::from).collect();
        let empty = || [String::new(), String::new()];
        let mut scene = Scene {
            job,
            args,
            before: results(&base.join("old")),
            after: BTreeMap::new(),
            stored: empty(),
            took: Duration::ZERO,
        };
        scene.reset(base);
        scene.stored[0] = stored(&work.join("history.db"));
        let start = Instant::now();
        zhijian().args(&scene.args).assert().success();
        scene.took = start.elapsed();
        scene.after = results(&work.join("out"));
        scene.stored[1] = stored(&work.join("history.db"));
        scene
    }

    /// Runs the job, ends it by a signal after a while, and says how it ended.
    fn disturbed(&self, base: &Path, wait: Duration, signal: &str) -> Option<i32> {
        self.reset(base);
        let mut child = process().args(&self.args).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(wait);
        let _ =
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).stderr(Stdio::null()).status();
        child.wait().unwrap().code()
    }

    fn check(&self, base: &Path, told: &str) {
        let work = base.join("work");
        let now = results(&work.join("out"));
        assert!(now == self.before || now == self.after, "{told}: the results are neither the old nor the new ones");
        let kept = stored(&work.join("history.db"));
        assert!(self.stored.contains(&kept), "{told}: {kept}");
    }

    /// Running again gives what an undisturbed run gives, and leaves nothing else.
    fn again(&self, base: &Path) {
        let work = base.join("work");
        zhijian().args(&self.args).assert().success();
        assert_same(&self.after, &results(&work.join("out")));
        assert_eq!(stored(&work.join("history.db")), self.stored[1]);
        let mut left = names(&work);
        left.retain(|name| !name.starts_with("history.db"));
        assert_eq!(left, ["out"]);
    }
}

/// A folder with old results, and a store before and after the night.
fn prepared() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    let path = |name: &str| base.path().join(name);
    zhijian()
        .args(["inspect", "fixtures/mini-night.jsonl", "--night", "2026-11-01", "--store"])
        .arg(path("before.db"))
        .arg("--out")
        .arg(path("old"))
        .args(RULES)
        .assert()
        .success();
    copy(&path("before.db"), &path("after.db"));
    zhijian()
        .args(["inspect", "fixtures/nightly", "--store"])
        .arg(path("after.db"))
        .arg("--out")
        .arg(path("other"))
        .args(RULES)
        .assert()
        .success();
    base
}

#[test]
#[allow(clippy::print_stdout)] // how many of them were in time
fn killed_at_any_moment_nothing_is_lost() {
    let kills: u64 = std::env::var("ZHIJIAN_TEST_KILLS").map_or(12, |n| n.parse().unwrap());
    let base = prepared();
    let scenes = [Job::Inspect, Job::Store, Job::Report].map(|job| Scene::new(base.path(), job));
    let mut chance = Chance(20_261_122);
    let mut ended_early = 0;
    for n in 0..kills {
        let scene = &scenes[n as usize % scenes.len()];
        let wait = Duration::from_micros(chance.below(scene.took.as_micros() as u64 + 1));
        let code = scene.disturbed(base.path(), wait, "KILL");
        ended_early += u64::from(code.is_none());
        scene.check(base.path(), &format!("kill {n} after {wait:?}"));
        scene.again(base.path());
    }
    println!("{ended_early} of {kills} runs were killed before they had ended");
    assert!(ended_early * 3 >= kills, "{ended_early} of {kills}");
}

#[test]
fn a_polite_signal_leaves_nothing_behind() {
    let base = prepared();
    let mut chance = Chance(7);
    for job in [Job::Inspect, Job::Store, Job::Report] {
        let scene = Scene::new(base.path(), job);
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let wait = scene.took.mul_f64(0.3 + chance.below(50) as f64 / 100.0);
            let ended = scene.disturbed(base.path(), wait, signal);
            assert!(matches!(ended, Some(c) if c == code || c == 0), "{ended:?}");
            scene.check(base.path(), signal);
            let mut left = names(&base.path().join("work"));
            left.retain(|name| !name.starts_with("history.db"));
            assert_eq!(left, ["out"], "{signal}");
        }
    }
}

/// Runs the program by a shell that sets a limit first.
fn limited(limit: &str, args: &[&str]) -> Output {
    let program = process().get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.current_dir(root()).arg("-c").arg(format!("ulimit {limit} && exec \"$0\" \"$@\"")).arg(program).args(args);
    shell.output().unwrap()
}

/// Message rows of more than is grouped in memory, each conversation's far apart.
fn large_table(path: &Path) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    writeln!(file, "会话ID,角色,内容").unwrap();
    let text = "亲,这个订单我帮您催一下仓库,请稍等".repeat(20);
    for n in 0..80_000u64 {
        writeln!(file, "c{},{},\"{text}\"", n * 7_919 % 9_000, if n % 2 == 0 { "客服" } else { "客户" }).unwrap();
    }
    file.into_inner().unwrap();
    assert!(fs::metadata(path).unwrap().len() > 64 << 20);
}

#[test]
fn killed_while_grouping_on_disk_nothing_is_left() {
    let base = tempfile::tempdir().unwrap();
    let (input, out, temporary) = (base.path().join("big.csv"), base.path().join("out.jsonl"), base.path().join("t"));
    large_table(&input);
    fs::create_dir(&temporary).unwrap();
    let run = |out: &Path| {
        let mut command = process();
        command.arg("convert").arg(&input).arg("--quiet").arg("--out").arg(out).env("TMPDIR", &temporary);
        command.stderr(Stdio::null());
        command
    };
    let whole = base.path().join("whole.jsonl");
    let start = Instant::now();
    assert!(run(&whole).status().unwrap().success());
    let took = start.elapsed();
    assert!(names(&temporary).is_empty(), "{:?}", names(&temporary));
    let mut killed = 0;
    for part in [1, 3, 5, 7] {
        let mut child = run(&out).spawn().unwrap();
        std::thread::sleep(took * part / 10);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        // the rows lie in files without a name, which go with the program
        assert!(names(&temporary).is_empty(), "{:?}", names(&temporary));
    }
    assert!(killed > 0, "nothing was killed in {took:?}");
    assert!(run(&out).status().unwrap().success());
    assert!(fs::read(&out).unwrap() == fs::read(&whole).unwrap(), "again is not as undisturbed");
    // what the killed runs had begun beside their target went with the next
    assert_eq!(names(base.path()), ["big.csv", "out.jsonl", "t", "whole.jsonl"]);
}

/// Killed while it writes: its unfinished file is there, and goes when a run to the same place begins, not when one to
/// another does.
#[test]
fn a_killed_conversion_leaves_nothing_the_next_does_not_take_away() {
    let base = tempfile::tempdir().unwrap();
    let (out, other) = (base.path().join("out.jsonl"), base.path().join("other.jsonl"));
    let sample = "fixtures/formats/messages.csv";
    // what has been written waits for the rest of standard input
    let mut child = process();
    child.current_dir(root()).args(["convert", sample, "-", "--quiet", "--out"]).arg(&out).stdin(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let begun = |name: &String| name.starts_with(".out.jsonl.zhijian-");
    let start = Instant::now();
    while !names(base.path()).iter().any(begun) {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", names(base.path()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = |out: &Path| {
        let mut command = process();
        command.current_dir(root()).args(["convert", sample, "--quiet", "--out"]).arg(out).output().unwrap()
    };
    let refused = run(&out);
    assert_eq!(refused.status.code(), Some(2), "a run that is alive is left alone");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("另一个 zhijian"));
    assert!(names(base.path()).iter().any(begun));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(run(&other).status.success());
    assert!(names(base.path()).iter().any(begun) && !out.exists(), "{:?}", names(base.path()));
    assert!(run(&out).status.success());
    assert_eq!(names(base.path()), ["other.jsonl", "out.jsonl"]);
    assert_eq!(fs::read(&out).unwrap(), fs::read(&other).unwrap());
}

#[test]
fn a_disk_that_fills_while_grouping_is_told() {
    let base = tempfile::tempdir().unwrap();
    let (input, small) = (base.path().join("big.csv"), base.path().join("small"));
    fs::create_dir(&small).unwrap();
    let program = process().get_program().to_owned();
    let script = "mount -t tmpfs -o size=1m none \"$1\" || exit 99; shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&small);
    let probe = command.arg("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("skipped: no small file system can be mounted here");
        return;
    }
    large_table(&input);
    let out = base.path().join("out.jsonl");
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&small).arg(program).arg("convert").arg(&input);
    let run = command.args(["--quiet", "--out"]).arg(&out).env("TMPDIR", &small).output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{told}");
    assert!(told.contains("无法写入") && told.contains("small"), "{told}");
    assert!(!out.exists());
}

#[test]
fn a_full_disk_leaves_the_previous_results() {
    let base = prepared();
    let scene = Scene::new(base.path(), Job::Inspect);
    scene.reset(base.path());
    let args: Vec<&str> = scene.args.iter().map(String::as_str).collect();
    for blocks in [1, 100, 400] {
        let run = limited(&format!("-f {blocks}"), &args);
        let told = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{blocks}: {told}");
        assert!(told.contains("无法写入") && told.contains("原有结果未被改动"), "{told}");
        assert_same(&scene.before, &results(&base.path().join("work/out")));
        assert_eq!(names(&base.path().join("work")), ["history.db", "out"], "{blocks}");
    }
    scene.again(base.path());
    if Path::new("/dev/full").exists() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = process().args(["annotate", "fixtures/nightly", "--quiet"]).stdout(full).output().unwrap();
        assert_eq!(run.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&run.stderr).contains("无法写入"));
    }
}

#[test]
fn little_memory_is_enough_for_much_and_too_little_harms_nothing() {
    let base = prepared();
    let work = base.path().join("work");
    fs::create_dir(&work).unwrap();
    copy(&base.path().join("old"), &work.join("out"));
    let before = results(&work.join("out"));
    let (input, out) = (base.path().join("ten.jsonl"), work.join("out").display().to_string());
    zhijian().args(["generate", "--conversations", "3000", "--seed", "1", "--out"]).arg(&input).assert().success();
    let input = input.display().to_string();
    let args = ["inspect", &input, "--out", &out, "--threads", "2", "--report", "none", "--quiet"];
    // The rule pack and the dictionary fit no 64 MB: this run cannot end well.
    let run = limited("-v 65536", &args);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("内存上限(ulimit -v)是 64 MB"));
    assert_same(&before, &results(&work.join("out")));
    // Ten times the invented night, within what that night takes.
    let run = limited("-v 600000", &args);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let counts = common::json(&work.join("out/run.json"))["counts"].clone();
    assert_eq!(counts["conversations"], 3000);
    assert_eq!(names(&work), ["out"], "what a run that died left is gone");
}

/// One conversation of 28 MB under a limit that lets the run begin: the allocator ends the program, and says so.
#[test]
fn memory_that_runs_out_in_the_middle_ends_the_program_and_harms_nothing() {
    let base = prepared();
    let work = base.path().join("work");
    fs::create_dir(&work).unwrap();
    copy(&base.path().join("old"), &work.join("out"));
    let before = results(&work.join("out"));
    let input = base.path().join("long.jsonl");
    let turn = |n: usize| format!(r#"{{"role":"{}","text":"您好{n}"}}"#, ["agent", "customer"][n % 2]);
    let turns: Vec<String> = (0..700_000).map(turn).collect();
    fs::write(&input, format!("{{\"conversation_id\":\"long\",\"turns\":[{}]}}\n", turns.join(","))).unwrap();
    let run = |out: &Path, limit: &str| {
        let program = process().get_program().to_owned();
        let mut shell = Command::new("sh");
        let script = format!("ulimit -c 0; ulimit -v {limit}; timeout 300 \"$0\" \"$@\"; exit $?");
        shell.current_dir(root()).arg("-c").arg(script).arg(program).arg("inspect").arg(&input).arg("--out").arg(out);
        shell.args(RULES).args(["--threads", "2", "--report", "none"]).env("RUST_BACKTRACE", "0").output().unwrap()
    };
    let mut aborted = 0;
    for limit in ["350000", "400000", "450000"] {
        let run = run(&work.join("out"), limit);
        let told = String::from_utf8_lossy(&run.stderr);
        match run.status.code() {
            Some(134) => {
                aborted += 1;
                assert!(told.contains("memory allocation of") && told.contains("bytes failed"), "{told}");
                assert_same(&before, &results(&work.join("out")));
            }
            code => assert!(code == Some(0) || told.contains("ulimit -v"), "{limit}: {code:?} {told}"),
        }
    }
    assert!(aborted > 0, "none of the limits ran out");
    let undisturbed = base.path().join("undisturbed");
    assert!(run(&undisturbed, "unlimited").status.success());
    assert!(run(&work.join("out"), "unlimited").status.success());
    assert_same(&results(&undisturbed), &results(&work.join("out")));
    assert_eq!(names(&work), ["out"]);
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    fs::write(&file, "x").unwrap();
    for out in [Path::new("/proc/zhijian/out"), &file.join("out")] {
        let run =
            zhijian().args(["inspect", "fixtures/mini-night.jsonl", "--out"]).arg(out).args(RULES).assert().code(2);
        assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("无法写入"), "{out:?}");
    }
    assert_eq!(names(base.path()), ["file"]);
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut child = process()
        .args(["annotate", "fixtures/nightly", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}

#[test]
fn two_runs_do_not_write_to_one_place() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let mut first = process()
        .args(["inspect", "-", "--out"])
        .arg(&out)
        .args(RULES)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = first.stdin.take().unwrap();
    input.write_all(&fs::read(root().join("fixtures/mini-night.jsonl")).unwrap()).unwrap();
    let start = Instant::now();
    while names(base.path()).len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    let run = zhijian().args(["inspect", "fixtures/nightly", "--out"]).arg(&out).args(RULES).assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("另一个 zhijian 正在写"));
    drop(input);
    assert!(first.wait().unwrap().success());
    assert_eq!(common::json(&out.join("run.json"))["counts"]["conversations"], 6);
    assert_eq!(names(base.path()), ["out"], "the lock goes with the run");
}

/// Many at once, of which each either does its work or is turned away: the lock that comes and goes lets no two in.
#[test]
fn of_many_runs_at_once_each_is_whole_or_refused() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let start = || {
        let mut command = process();
        command.args(["inspect", "fixtures/mini-night.jsonl", "--out"]).arg(&out).args(RULES).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    for _ in 0..3 {
        let mut runs: Vec<_> = (0..4).map(|_| start()).collect();
        let codes: Vec<_> = runs.iter_mut().map(|run| run.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)) && codes.iter().all(|c| matches!(c, Some(0 | 2))), "{codes:?}");
        assert_eq!(names(base.path()), ["out"]);
        assert_eq!(common::json(&out.join("run.json"))["counts"]["conversations"], 6);
    }
}
