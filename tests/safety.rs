//! What is already on the disk stays as it was unless a run ends well.
#![cfg(unix)]

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
