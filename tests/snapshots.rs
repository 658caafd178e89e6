//! What people see, kept as it is: help texts and every file of a small night. `INSTA_UPDATE=always cargo test` renews
//! the snapshots; the small pack keeps them still while the default pack is tuned.

mod common;

use common::{files, zhijian};

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn help() {
    let mut settings = settings();
    settings.set_snapshot_path("snapshots/help");
    let commands: &[&[&str]] = &[
        &[],
        &["inspect"],
        &["report"],
        &["history"],
        &["history", "list"],
        &["history", "show"],
        &["history", "compare"],
        &["history", "prune"],
        &["review"],
        &["review", "sample"],
        &["review", "sheet"],
        &["review", "import"],
        &["review", "stats"],
        &["review", "log"],
        &["review", "appeal"],
        &["review", "demote"],
        &["review", "restore"],
        &["review", "export-examples"],
        &["rescore"],
        &["annotate"],
        &["formats"],
        &["formats", "show"],
        &["formats", "guess"],
        &["convert"],
        &["calibrate"],
        &["calibrate", "markers"],
        &["rules"],
        &["rules", "list"],
        &["rules", "check"],
        &["rules", "test"],
        &["rules", "explain"],
        &["rules", "diff"],
        &["rules", "schema"],
        &["rules", "new"],
        &["rules", "new", "pack"],
        &["rules", "import"],
        &["rules", "hot"],
        &["rules", "doc"],
        &["calibrate"],
        &["merge"],
        &["generate"],
        &["completions"],
    ];
    // A new subcommand asks for its snapshot.
    let top = help_of(&[]);
    let listed = top.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| l.starts_with("  "));
    for name in listed.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help") {
        assert!(commands.iter().any(|c| c.first() == Some(&name)), "no snapshot of `{name} --help`");
    }
    for command in commands {
        let name = if command.is_empty() { "zhijian".to_string() } else { command.join("-") };
        settings.bind(|| insta::assert_snapshot!(name, help_of(command)));
    }
}

fn help_of(command: &[&str]) -> String {
    let run = zhijian().args(command).arg("--help").assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

#[test]
fn the_files_of_a_small_night() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let mut command = zhijian();
    command.args(["inspect", "fixtures/mini-night.jsonl", "--rules", "fixtures/packs/mini", "--threads", "2", "--out"]);
    let run = command.arg(&out).assert().success();
    let mut settings = settings();
    settings.set_snapshot_path("snapshots/night");
    settings.add_filter(r"用时 [0-9.]+ 秒", "用时 [T] 秒");
    settings.add_filter(r"结果在 \S+,", "结果在 [OUT],");
    settings.add_filter(r#""(sha256)": "[0-9a-f]{64}""#, r#""$1": "[HASH]""#);
    settings.add_filter(r#""(seconds|megabytes_per_second)": [0-9.e-]+"#, r#""$1": "[T]""#);
    settings.add_filter(r#""started_at": "[^"]+""#, r#""started_at": "[T]""#);
    settings.add_filter(r#""version": "\d+\.\d+\.\d+""#, r#""version": "[V]""#);
    settings.bind(|| {
        let summary = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        insta::assert_snapshot!("summary", summary.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
        // Pages and the workbook have tests of their own (web.rs, workbook.rs).
        let own = |name: &str| name.starts_with("report/") || name.ends_with(".xlsx") || name.ends_with(".css");
        for (name, bytes) in files(&out).into_iter().filter(|(name, _)| !own(name)) {
            let text = String::from_utf8(bytes).unwrap();
            // A finding a line is easier to compare than a conversation a line.
            let text = match name.as_str() {
                "conversations.jsonl" => text.replace(",\"", ",\n  \""),
                _ => text.replace('\u{feff}', "[BOM]").replace('\r', ""),
            };
            insta::assert_snapshot!(name.replace('/', "-"), text);
        }
    });
}

#[test]
fn the_annotations_of_a_small_night() {
    let mut command = zhijian();
    command.args(["annotate", "fixtures/mini-night.jsonl", "--rules", "fixtures/packs/mini", "--quiet"]);
    let run = command.assert().success();
    let mut settings = settings();
    settings.set_snapshot_path("snapshots/night");
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    settings.bind(|| insta::assert_snapshot!("annotate", text));
}

#[test]
fn english_reports() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let mut command = zhijian();
    command.args(["inspect", "fixtures/mini-night.jsonl", "--rules", "fixtures/packs/mini", "--lang", "en", "--quiet"]);
    command.arg("--out").arg(&out).assert().success();
    let mut settings = settings();
    settings.set_snapshot_path("snapshots/night");
    let text = std::fs::read_to_string(out.join("coaching/a1.md")).unwrap();
    settings.bind(|| insta::assert_snapshot!("english-coaching-a1", text));
}
