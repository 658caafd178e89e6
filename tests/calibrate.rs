//! `calibrate` learns from an invented night what it was made to hold, says so, and the model it writes works.

mod common;

use std::fmt::Write;
use std::path::Path;

use common::zhijian;
use serde_json::Value;

/// A night in which rated customers say what they mean, in words no marker of the pack is about.
fn night(reverse: bool) -> String {
    let mut lines = Vec::new();
    for n in 0..160u32 {
        let happy = n % 2 == 0;
        let rating = match (happy, n % 10) {
            (true, 0) => 4,
            (true, _) => 5,
            (false, 1) => 2,
            (false, _) => 1,
        };
        let (end, agent) = match happy {
            true => ("蓝色的盒子真漂亮", "盒子周五寄到"),
            false => ("灰色的袋子破洞", "袋子就是这样的"),
        };
        let mut line = format!("{{\"conversation_id\":\"c{n:03}\",\"channel\":\"chat\",\"agent_id\":\"a{}\",", n % 5);
        // Every eighth is unrated.
        if n % 8 != 7 {
            write!(line, "\"rating\":{rating},\"labels\":{{\"S\":[{},{}]}},", rating - 3, rating - 3).unwrap();
        }
        write!(
            line,
            "\"turns\":[{{\"role\":\"customer\",\"text\":\"你好,问一下包裹{n}\"}},{{\"role\":\"agent\",\"text\":\"{agent}\"}},\
             {{\"role\":\"customer\",\"text\":\"{end}\"}}]}}"
        )
        .unwrap();
        lines.push(line);
    }
    if reverse {
        lines.reverse();
    }
    lines.join("\n") + "\n"
}

fn calibrate(folder: &Path, input: &Path, extra: &[&str]) -> (Value, String) {
    let out = folder.join("satisfaction.toml");
    let mut command = zhijian();
    command.arg("calibrate").arg(input).arg("--out").arg(&out).args(["--json", "--quiet"]).args(extra);
    let run = command.assert().success();
    let report = serde_json::from_slice(&run.get_output().stdout).unwrap();
    (report, std::fs::read_to_string(out).unwrap())
}

#[test]
fn learns_what_the_night_holds() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night.jsonl");
    std::fs::write(&input, night(false)).unwrap();
    let predictions = base.path().join("predictions.jsonl");
    let (report, model) = calibrate(base.path(), &input, &["--predictions", predictions.to_str().unwrap()]);
    assert_eq!(report["conversations"], 140);
    assert!(report["rho"].as_f64().unwrap() > 0.7, "{report}");
    assert!(report["auc_bad"].as_f64().unwrap() > 0.99, "{report}");
    assert!(report["rho_before"].as_f64().is_none_or(|before| before < report["rho"].as_f64().unwrap()));
    let words = report["strongest_words"].as_array().unwrap();
    assert!(words.iter().any(|w| w["title"] == "客户后来说“漂亮”" && w["effect"].as_f64() > Some(0.0)), "{words:?}");
    assert!(model.contains("[words.customer_later]"), "{model}");
    let bands = report["calibration"].as_array().unwrap();
    assert!(bands[0]["actual"].as_f64() < bands[4]["actual"].as_f64());
    assert_eq!(std::fs::read_to_string(predictions).unwrap().lines().count(), 140);

    // The model is used: unrated conversations are told apart, with a reason that quotes the word.
    let out = base.path().join("out");
    let mut command = zhijian();
    command.arg("inspect").arg(&input).arg("--satisfaction").arg(base.path().join("satisfaction.toml"));
    command.args(["--quiet", "--out"]).arg(&out).assert().success();
    let lines = std::fs::read_to_string(out.join("conversations.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let estimate = |n: usize| records[n]["satisfaction_estimate"].as_f64().unwrap();
    assert!(estimate(7) < 0.35 && estimate(8) > 0.65, "{} {}", estimate(7), estimate(8));
    let reasons = records[7]["satisfaction_reasons"].as_array().unwrap();
    assert!(!reasons.is_empty() && reasons.len() <= 3 && reasons[0]["direction"] == "down", "{reasons:?}");
    let cards = std::fs::read_to_string(out.join("scorecards.csv")).unwrap();
    assert!(cards.lines().next().unwrap().contains("满意度估计"));
}

#[test]
fn the_same_whatever_the_order_and_the_threads() {
    let base = tempfile::tempdir().unwrap();
    let (input, turned) = (base.path().join("night.jsonl"), base.path().join("turned.jsonl"));
    std::fs::write(&input, night(false)).unwrap();
    std::fs::write(&turned, night(true)).unwrap();
    let one = calibrate(base.path(), &input, &["--threads", "1"]);
    let two = calibrate(base.path(), &turned, &["--threads", "3"]);
    assert_eq!(one, two);
    assert_ne!(one.1, calibrate(base.path(), &input, &["--words", "0"]).1);
}

#[test]
fn labels_come_from_the_data_or_from_a_file() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night.jsonl");
    std::fs::write(&input, night(false)).unwrap();
    let (report, model) = calibrate(base.path(), &input, &["--target", "label:S", "--folds", "3"]);
    assert!(report["rho"].as_f64().unwrap() > 0.7 && model.contains("label:S"), "{report}");
    let labels = base.path().join("labels.csv");
    let rows: String = (0..100).map(|n| format!("c{n:03},{}\n", if n % 2 == 0 { 10 } else { 0 })).collect();
    std::fs::write(&labels, format!("会话编号,分值\n{rows}")).unwrap();
    let (report, _) = calibrate(base.path(), &input, &["--labels", labels.to_str().unwrap()]);
    assert_eq!(report["conversations"], 100);
}

#[test]
fn says_what_is_missing() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night.jsonl");
    std::fs::write(&input, night(false).replace("rating", "stars")).unwrap();
    let mut command = zhijian();
    let run = command.arg("calibrate").arg(&input).arg("--out").arg(base.path().join("s.toml")).assert().code(2);
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(said.contains("有分值的会话只有 0 通") && said.contains("--labels"), "{said}");
    assert!(!base.path().join("s.toml").exists());
}

/// Judged messages: the customer is unhappy exactly when a colour no phrase of the pack knows is named.
fn judged() -> (String, String) {
    let (mut night, mut labels) = (String::new(), String::new());
    for n in 0..120 {
        let unhappy = n % 3 == 0;
        let said = if unhappy { "这个青铜的颜色" } else { "这个白银的颜色" };
        writeln!(
            night,
            "{{\"conversation_id\":\"c{n}\",\"agent_id\":\"a\",\"turns\":[{{\"role\":\"customer\",\"text\":\"{said}{n}\"}},\
             {{\"role\":\"agent\",\"text\":\"您好\"}}]}}"
        )
        .unwrap();
        let markers = if unhappy { "\"negative\"" } else { "" };
        writeln!(labels, "{{\"conversation_id\":\"c{n}\",\"turn\":0,\"markers\":[{markers}]}}").unwrap();
        writeln!(labels, "{{\"conversation_id\":\"c{n}\",\"turn\":1,\"markers\":[]}}").unwrap();
    }
    (night, labels)
}

#[test]
fn a_learnt_marker_is_used_and_explained() {
    let base = tempfile::tempdir().unwrap();
    let path = |name: &str| base.path().join(name);
    let (night, labels) = judged();
    std::fs::write(path("night.jsonl"), &night).unwrap();
    std::fs::write(path("labels.jsonl"), labels).unwrap();
    let pack = path("shop");
    std::fs::create_dir_all(pack.join("markers")).unwrap();
    std::fs::write(pack.join("pack.toml"), "id = \"shop\"\ntitle = \"店\"\nextends = \"ecommerce\"\n").unwrap();
    let mut command = zhijian();
    command.args(["calibrate", "markers"]).arg(path("night.jsonl")).arg("--labels").arg(path("labels.jsonl"));
    command.args(["--marker", "negative", "--json", "--quiet", "--rules"]).arg(&pack);
    let run = command.arg("--out").arg(pack.join("markers/negative.model.toml")).assert().success();
    let report: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!((report["messages"].as_u64(), report["yes"].as_u64()), (Some(120), Some(40)));
    assert!(report["f1"].as_f64() > Some(0.95) && report["f1_rules"].as_f64() < Some(0.1), "{report}");

    let marker = "title = \"负面情绪\"\nrole = \"customer\"\nkind = \"model\"\nmodel = \"negative.model.toml\"\n\
                  [[example]]\nhit = \"青铜的颜色\"\n[[example]]\nmiss = \"白银的颜色\"\n";
    std::fs::write(pack.join("markers/negative.toml"), marker).unwrap();
    let annotate = |segment: &str| -> Vec<Value> {
        let mut command = zhijian();
        command.arg("annotate").arg(path("night.jsonl")).args(["--quiet", "--segment", segment, "--rules"]).arg(&pack);
        let run = command.assert().success();
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    let lines = annotate("needed");
    let negative = |line: &Value| line["markers"].as_array().unwrap().iter().any(|m| m == "negative");
    for (n, line) in lines.iter().step_by(2).enumerate() {
        assert_eq!(negative(line), n % 3 == 0, "{line}");
    }
    let hit = lines[0]["hits"].as_array().unwrap().iter().find(|h| h["marker"] == "negative").unwrap();
    assert_eq!((&hit["phrase"], &hit["quote"]), (&"青铜".into(), &"青铜".into()));
    assert!(annotate("off").iter().all(|line| !negative(line)));
    let mut command = zhijian();
    command.args(["rules", "test", "negative", "--rules"]).arg(&pack).assert().success();
}
