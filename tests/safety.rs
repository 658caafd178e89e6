//! What is already on the disk stays as it was unless a run ends well.
#![cfg(unix)]
#![allow(clippy::print_stdout)] // what was measured, and what was skipped and why

mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{assert_same, files, process, root, zhijian};

const MINI: [&str; 4] = ["fixtures/mini-night.jsonl", "--rules", "fixtures/packs/mini", "--quiet"];

fn good_run(out: &Path) {
    zhijian().arg("inspect").args(MINI).arg("--out").arg(out).assert().success();
}

#[test]
fn other_peoples_folders_are_refused() {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("论文.docx"), "三年的心血").unwrap();
    let before = files(base.path());
    let run = zhijian().arg("inspect").args(MINI).arg("--out").arg(base.path()).assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("为免覆盖"));
    assert_same(&before, &files(base.path()));
}

#[test]
fn a_second_run_replaces_the_first_as_a_whole() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    zhijian().args(["inspect", "fixtures/nightly", "--quiet", "--out"]).arg(&out).assert().success();
    assert!(out.join("coaching/a01.md").is_file());
    good_run(&out);
    let reports: Vec<_> =
        files(&out).into_keys().filter(|name| name.starts_with("coaching/a") && name.ends_with(".md")).collect();
    assert_eq!(reports.len(), 3, "nothing of the first run is left: {reports:?}");
}

#[test]
fn a_failing_run_leaves_the_previous_results() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    good_run(&out);
    let before = files(base.path());
    // The second input turns out to be an archive; one more is no pack.
    let archive = base.path().join("night.csv");
    std::fs::write(&archive, b"Rar!\x1a\x07 an archive").unwrap();
    zhijian().arg("inspect").args(MINI).arg(&archive).arg("--out").arg(&out).assert().code(2);
    std::fs::remove_file(&archive).unwrap();
    zhijian().args(["inspect", "-", "--rules", "fixtures/packs-invalid/syntax", "--out"]).arg(&out).assert().code(2);
    assert_same(&before, &files(base.path()));
}

/// Waits until `done`, with an end.
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_killed_run_leaves_the_previous_results_and_nothing_half_written() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let base = tempfile::tempdir().unwrap();
        let out = base.path().join("out");
        good_run(&out);
        let before = files(base.path());
        let mut child = process()
            .args(["inspect", "-", "--rules", "fixtures/packs/mini", "--out"])
            .arg(&out)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(&std::fs::read(root().join("fixtures/nightly/2026-11-20.jsonl")).unwrap()).unwrap();
        let staged = || {
            let mut entries = std::fs::read_dir(base.path()).unwrap().flatten();
            entries.any(|e| e.path().is_dir() && e.file_name().to_string_lossy().starts_with(".out."))
        };
        wait("the run", staged);
        // It now waits for more input that never comes.
        signal(&child, name);
        wait("the end", || child.try_wait().unwrap().is_some());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(String::from_utf8_lossy(&output.stderr).contains("原有结果未被改动"), "{output:?}");
        assert_same(&before, &files(base.path()));
        assert!(!staged(), "the staging folder is left after SIG{name}");
        drop(input);
        good_run(&out);
    }
}

/// Results quote customers: only who ran the program can look into them.
#[test]
fn results_are_open_to_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    let (out, store) = (base.path().join("out"), base.path().join("history.db"));
    zhijian()
        .args(["inspect", "fixtures/nightly", "--quiet", "--store"])
        .arg(&store)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let mut pending = vec![out, store];
    let mut seen = 0;
    while let Some(path) = pending.pop() {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path:?} {mode:o}");
        seen += 1;
        if path.is_dir() {
            pending.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
    assert!(seen > 50, "{seen}");
}

/// Ids, names and texts of a night that tries everything, on a terminal.
#[test]
fn nothing_of_a_night_reaches_the_terminal_as_a_control() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let run = zhijian().args(["inspect", "fixtures/hostile", "--out"]).arg(&out).assert().success();
    let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(told.contains("会话"));
    let steers =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!told.contains(steers), "{told:?}");
    let run = zhijian().args(["annotate", "fixtures/hostile", "--quiet"]).assert().success();
    let written = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(!written.contains(|c: char| c.is_control() && c != '\n'));
    for name in files(&out).keys() {
        assert!(!name.contains("..") && !name.contains(steers) && !name.contains(['<', ':', '\\']), "{name}");
    }
}

/// In a network namespace of its own the program does all it does otherwise.
#[test]
fn no_network_is_needed_or_used() {
    use std::process::Command;
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let program = process().get_program().to_owned();
    let args = |command: &mut Command| {
        command.current_dir(root()).arg(&program).arg("inspect").args(MINI).arg("--out").arg(&out);
    };
    if Command::new("unshare").args(["-n", "-r", "true"]).status().is_ok_and(|s| s.success()) {
        let mut command = Command::new("unshare");
        command.args(["-n", "-r"]);
        args(&mut command);
        assert!(command.status().unwrap().success());
        assert!(out.join("run.json").is_file());
    } else {
        println!("no network namespace here: not tried");
    }
    let trace = base.path().join("trace");
    if Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success()) {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=socket,connect,bind,sendto", "-o"]).arg(&trace);
        args(&mut command);
        assert!(command.status().unwrap().success());
        let calls = std::fs::read_to_string(&trace).unwrap();
        let calls: Vec<&str> = calls.lines().filter(|l| l.contains('(') && !l.contains("AF_UNIX")).collect();
        assert!(calls.is_empty(), "{calls:?}");
    } else {
        println!("strace is not at hand or not allowed: not traced");
    }
}
