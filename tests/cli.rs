//! The program as people run it: the nightly job end to end, its exit codes and gates, streams, personal data.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use common::{assert_same, files, json, lines, process, root, zhijian};
use predicates::prelude::*;

const NIGHT: &str = "fixtures/nightly/2026-11-20.jsonl";
const MINI: [&str; 2] = ["--rules", "fixtures/packs/mini"];

/// `inspect` of the small night with the small pack.
fn mini(out: &Path) -> assert_cmd::Command {
    let mut command = zhijian();
    command.args(["inspect", "fixtures/mini-night.jsonl"]).args(MINI).arg("--out").arg(out);
    command
}

#[test]
fn the_nightly_job_writes_everything_and_every_record_is_accounted_for() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("results/out");
    let run = zhijian().args(["inspect", "fixtures/nightly", "--out"]).arg(&out).assert().success();
    let output = run.get_output();
    assert!(output.stdout.is_empty(), "results go to the folder, the summary to standard error");
    let summary = String::from_utf8_lossy(&output.stderr);
    for part in ["合格率", "最弱维度", "被拒记录 0", "会话 300 通", "客服 15 名"] {
        assert!(summary.contains(part), "{part} is missing in\n{summary}");
    }

    let night = lines(&std::fs::read(root().join(NIGHT)).unwrap());
    let agents: BTreeSet<&str> = night
        .iter()
        .flat_map(|c| c["agents"].as_array().into_iter().flatten())
        .map(|a| a["id"].as_str().unwrap())
        .collect();
    let reports = agents.iter().copied().chain(["team-售前组", "team-售后组", "team-投诉处理组"]);
    let mut expected: BTreeSet<String> =
        reports.flat_map(|stem| ["md", "html"].map(|end| format!("coaching/{stem}.{end}"))).collect();
    let rest = [
        "coaching/coaching.css",
        "conversations.jsonl",
        "metrics.csv",
        "notify/dingtalk.json",
        "notify/feishu.json",
        "notify/wecom.json",
        "outcomes.csv",
        "profiles.csv",
        "rejects.jsonl",
        "rules.csv",
        "run.json",
        "scorecards.csv",
        "scorecards.json",
        "scorecards.xlsx",
        "skills.csv",
        "summary.json",
        "summary.md",
        "targets.csv",
        "topics.csv",
    ];
    expected.extend(rest.map(String::from));
    // Pages are counted in web.rs.
    let (pages, written): (BTreeMap<_, _>, BTreeMap<_, _>) =
        files(&out).into_iter().partition(|(name, _)| name.starts_with("report/"));
    assert!(pages.contains_key("report/index.html"));
    assert_eq!(written.keys().cloned().collect::<BTreeSet<_>>(), expected);

    let conversations = lines(&written["conversations.jsonl"]);
    let ids = |all: &[serde_json::Value]| -> Vec<String> {
        all.iter().map(|c| c["conversation_id"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(ids(&conversations), ids(&night), "a line each, in input order");

    let run = json(&out.join("run.json"));
    let count = |key: &str| run["counts"][key].as_u64().unwrap();
    assert_eq!(count("records"), count("records_inspected") + count("records_rejected") + count("blank"));
    assert_eq!((count("conversations"), count("records_rejected"), count("agents")), (300, 0, 15));
    let not_judged: u64 = run["counts"]["not_judged"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(count("judged") + not_judged, 300);
    assert_eq!(count("judged"), conversations.iter().filter(|c| c["score"].is_number()).count() as u64);
    assert_eq!(run["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(run["inputs"][0]["bytes"].as_u64().unwrap(), std::fs::metadata(root().join(NIGHT)).unwrap().len());

    // A row an agent, read with an ordinary CSV reader.
    let scorecards = written["scorecards.csv"].strip_prefix(b"\xef\xbb\xbf").expect("Excel needs the mark");
    let mut table = csv::Reader::from_reader(scorecards);
    let rows: BTreeSet<String> = table.records().map(|r| r.unwrap()[0].to_string()).collect();
    assert!(agents.iter().all(|a| rows.contains(*a)), "{rows:?}");
}

#[test]
fn every_finding_quotes_the_original_bytes() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    zhijian().args(["inspect", NIGHT, "--pii", "keep", "--quiet", "--out"]).arg(&out).assert().success();
    let night = lines(&std::fs::read(root().join(NIGHT)).unwrap());
    let conversations = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap());
    let mut findings = 0;
    for (given, judged) in night.iter().zip(&conversations) {
        for finding in judged["findings"].as_array().unwrap() {
            let turn = &given["turns"][finding["turn"].as_u64().unwrap() as usize];
            let at = |key: &str| finding[key].as_u64().unwrap() as usize;
            let quote = &turn["text"].as_str().unwrap()[at("start")..at("end")];
            assert_eq!(finding["quote"], quote);
            assert!(!finding["why"].as_str().unwrap().is_empty());
            findings += 1;
        }
    }
    assert!(findings > 50, "only {findings} findings: the test shows nothing");
}

#[test]
fn gates_set_the_exit_code_and_the_results_are_written_all_the_same() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    for (gate, code) in [
        (&[][..], 0),
        (&["--fail-on", "critical"], 1),
        (&["--fail-on", "major"], 1),
        (&["--max-reject-rate", "0.1"], 1),
        (&["--max-reject-rate", "0.25"], 0),
        (&["--max-reject-rate", "0.2", "--fail-on", "critical"], 1),
    ] {
        let _ = std::fs::remove_dir_all(&out);
        mini(&out).args(gate).assert().code(code);
        assert!(out.join("run.json").is_file(), "{gate:?}");
    }
    // The two faulty lines of eight are the only reason for the reject gate.
    let clean = base.path().join("clean.jsonl");
    let one = std::fs::read_to_string(root().join("fixtures/mini-night.jsonl")).unwrap();
    std::fs::write(&clean, one.lines().next().unwrap()).unwrap();
    let mut command = zhijian();
    command.arg("inspect").arg(&clean).args(MINI).args(["--fail-on", "critical", "--max-reject-rate", "0", "--out"]);
    command.arg(&out).assert().code(0);
}

#[test]
fn what_cannot_run_says_why_and_exits_with_2() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out").display().to_string();
    let empty = base.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    for (args, message) in [
        (vec!["inspect", "no-such-file.jsonl", "--out", &out], "no-such-file.jsonl"),
        (vec!["inspect", NIGHT, "--out", &out, "--rules", "no-such-pack"], "no-such-pack"),
        (vec!["inspect", NIGHT, "--out", &out, "--rules", &empty], "没有规则包文件"),
        (vec!["inspect", NIGHT, "--out", &out, "--max-reject-rate", "2"], "--max-reject-rate"),
        (vec!["inspect", NIGHT, "--out", &out, "--timezone", "Mars/Olympus"], "--timezone"),
        (vec!["inspect", NIGHT, "--out", &out, "--encoding", "klingon"], "klingon"),
        (vec!["inspect", NIGHT, "--out", "/"], "--out"),
        (vec!["inspect", NIGHT], "--out"),
        (vec!["inspect", &empty, "--out", &out], "没有找到可读的输入"),
        (vec!["inspect", "fixtures/malformed/no-text-column.csv", "--out", &out], "内容"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let run = zhijian().args(&args).assert().code(2);
        let output = run.get_output();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(message), "{args:?} said\n{told}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!Path::new(&out).exists(), "{args:?} left results");
    }
}

#[test]
fn quiet_says_nothing() {
    let base = tempfile::tempdir().unwrap();
    mini(&base.path().join("out")).arg("--quiet").assert().success().stdout("").stderr("");
}

#[test]
fn standard_input_gives_what_the_file_gives() {
    let base = tempfile::tempdir().unwrap();
    let (from_file, from_input) = (base.path().join("file"), base.path().join("input"));
    mini(&from_file).assert().success();
    let night = std::fs::read(root().join("fixtures/mini-night.jsonl")).unwrap();
    let mut command = zhijian();
    command.args(["inspect", "-"]).args(MINI).arg("--out").arg(&from_input).write_stdin(night).assert().success();
    let (mut left, mut right) = (common::comparable(&from_file, false), common::comparable(&from_input, false));
    // A reject names its file; all else is the same.
    let rejects = |all: &mut std::collections::BTreeMap<String, Vec<u8>>| {
        let text = String::from_utf8(all.remove("rejects.jsonl").unwrap()).unwrap();
        text.replace("\"fixtures/mini-night.jsonl\"", "\"-\"")
    };
    assert_eq!(rejects(&mut left), rejects(&mut right));
    assert_same(&left, &right);
}

#[test]
fn a_headerless_export_is_read_by_its_columns() {
    let base = tempfile::tempdir().unwrap();
    let (input, out) = (base.path().join("sample.tsv"), base.path().join("out"));
    std::fs::write(&input, "s1\tu1\t0\tx\ty\tz\t等了三天,太差劲\ns1\tu1\t1\tx\ty\tz\t您好,抱歉\n").unwrap();
    let columns = "conversation_id,customer_id,role,-,-,-,text";
    zhijian()
        .arg("inspect")
        .arg(&input)
        .args(["--columns", columns])
        .args(MINI)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let run = json(&out.join("run.json"));
    assert_eq!((run["counts"]["records"].as_u64(), run["counts"]["conversations"].as_u64()), (Some(2), Some(1)));
    assert_eq!(run["inputs"][0]["format"], "tsv");
}

#[test]
fn annotate_gives_a_line_a_turn_with_exact_quotes() {
    let run = zhijian().args(["annotate", NIGHT, "--pii", "keep"]).assert().success();
    let turns = lines(&run.get_output().stdout);
    let night = lines(&std::fs::read(root().join(NIGHT)).unwrap());
    let given: Vec<_> = night
        .iter()
        .flat_map(|c| {
            c["turns"].as_array().unwrap().iter().enumerate().map(move |(n, t)| (&c["conversation_id"], n, t))
        })
        .collect();
    assert_eq!(turns.len(), given.len());
    let mut hits = 0;
    for (line, (id, number, turn)) in turns.iter().zip(given) {
        assert_eq!((&line["conversation_id"], line["turn"].as_u64()), (id, Some(number as u64)));
        assert_eq!(line["role"], turn["role"]);
        let markers: BTreeSet<_> = line["markers"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
        let mut hit_markers = BTreeSet::new();
        for hit in line["hits"].as_array().unwrap() {
            let at = |key: &str| hit[key].as_u64().unwrap() as usize;
            assert_eq!(hit["quote"], turn["text"].as_str().unwrap()[at("start")..at("end")]);
            hit_markers.insert(hit["marker"].as_str().unwrap());
            hits += 1;
        }
        assert_eq!(markers, hit_markers);
    }
    assert!(hits > 1000, "only {hits} hits");
}

#[test]
fn a_closed_pipe_is_quiet() {
    for args in [&["annotate", NIGHT][..], &["rules", "list"], &["completions", "bash"]] {
        let mut child = process().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn personal_data_is_masked_unless_kept() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let numbers = ["19900001234", "19900005678", "19900009999"];
    let found = |out: &Path| {
        let all = files(out);
        numbers.map(|n| all.values().any(|bytes| bytes.windows(n.len()).any(|w| w == n.as_bytes())))
    };
    mini(&out).assert().success();
    assert_eq!(found(&out), [false; 3], "in findings, coaching reports and rejects");
    mini(&out).args(["--pii", "keep"]).assert().success();
    assert!(found(&out)[1..].iter().all(|kept| *kept), "kept as evidence and in rejects when asked");
    let annotated = |pii: &str| {
        let input = "{\"conversation_id\":\"c\",\"turns\":[{\"role\":\"agent\",\"text\":\"加19900005678vx\"}]}\n{oops 19900009999\n";
        let run = zhijian().args(["annotate", "-", "--pii", pii]).args(MINI).write_stdin(input).assert().success();
        let output = run.get_output();
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        String::from_utf8(text).unwrap()
    };
    assert!(annotated("keep").contains("19900009999"));
    assert!(!annotated("mask").contains("1990000"), "{}", annotated("mask"));
}

#[test]
fn cells_are_no_formulas() {
    let base = tempfile::tempdir().unwrap();
    mini(&base.path().join("out")).assert().success();
    let text = std::fs::read_to_string(base.path().join("out/scorecards.csv")).unwrap();
    assert!(text.contains(",'=李雷,") && !text.contains(",=李雷"), "{text}");
}

#[test]
fn rules_are_listed_checked_and_tested() {
    zhijian().args(["rules", "list"]).assert().success().stdout(predicate::str::contains("soothe-first"));
    zhijian().args(["rules", "check"]).assert().success().stdout(predicate::str::contains("规则包可用"));
    zhijian().args(["rules", "test"]).args(MINI).assert().success().stdout(predicate::str::contains("失败 0"));
    zhijian()
        .args(["rules", "test", "greeting"])
        .args(MINI)
        .assert()
        .success()
        .stdout(predicate::str::ends_with("例子 4 个:通过 4,失败 0,待办 0\n"));
    zhijian().args(["rules", "test", "no-such-id"]).args(MINI).assert().code(2);
    let broken = ["--rules", "fixtures/packs-invalid/unknown-marker"];
    zhijian().args(["rules", "check"]).args(broken).assert().code(1).stdout(predicate::str::contains("unknown-marker"));
    let told = || predicate::str::contains("unknown-marker").and(predicate::str::contains("rules check"));
    zhijian().args(["rules", "test"]).args(broken).assert().code(2).stderr(told());
    zhijian().args(["annotate", NIGHT]).args(broken).assert().code(2).stdout("").stderr(told());
}

#[test]
fn a_wrong_example_fails_the_test_of_the_rules() {
    let base = tempfile::tempdir().unwrap();
    for (name, bytes) in files(&root().join("fixtures/packs/mini")) {
        let path = base.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let marker = base.path().join("markers/greeting.toml");
    let mut text = std::fs::OpenOptions::new().append(true).open(marker).unwrap();
    writeln!(text, "[[example]]\nhit = \"这一句不会命中\"").unwrap();
    let told = predicate::str::contains("greeting.toml").and(predicate::str::contains("期望 hit,实际 miss"));
    zhijian().args(["rules", "test", "--rules"]).arg(base.path()).assert().code(1).stdout(told);
}

#[test]
fn a_quoted_part_of_personal_data_stays_hidden() {
    let dir = tempfile::tempdir().unwrap();
    let night = dir.path().join("night.jsonl");
    let line = r#"{"conversation_id":"c","agent_id":"a","turns":[{"role":"customer","text":"怎么还没退款,太差劲了,发到1550179050@qq.com"},{"role":"agent","text":"订单号发我"},{"role":"customer","text":"1550179050@qq.com"}]}"#;
    std::fs::write(&night, format!("{line}\n")).unwrap();
    let said = |args: &[&str]| {
        let out = zhijian().args(args).arg(&night).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let masked = said(&["annotate", "--quiet"]);
    assert!(masked.contains("gives_order_number") && !masked.contains("1550179050"), "{masked}");
    assert!(said(&["annotate", "--quiet", "--pii", "keep"]).contains("1550179050"));
}
