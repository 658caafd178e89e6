//! Timelines worked out by hand: every measure and every platform figure to the second, outcomes across
//! conversations, and targets — through the program, as users run it.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{lines, root, zhijian};
use serde_json::{Value, json};

fn inspect(input: &str, out: &Path, more: &[&str]) -> i32 {
    let mut command = zhijian();
    command.args(["inspect", input, "--quiet", "--out"]).arg(out).args(more);
    command.output().unwrap().status.code().unwrap()
}

/// A CSV file as rows by header.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("a byte-order mark, for Excel");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn seconds(value: &Value) -> String {
    match value.as_f64() {
        None => "–".to_string(),
        Some(v) => format!("{v:.3}").trim_end_matches('0').trim_end_matches('.').to_string(),
    }
}

fn profile(record: &Value, id: &str) -> String {
    let all = record["profiles"].as_array().unwrap();
    let view = all.iter().find(|p| p["id"] == id).unwrap();
    let rounds = view["rounds"].as_array().unwrap().iter().map(|r| {
        let reply = r["reply"].as_u64().map_or("?".to_string(), |t| t.to_string());
        let late = if r["within"] == true { "" } else { "!" };
        format!("{}→{reply}={}{late}", r["turn"], seconds(&r["seconds"]))
    });
    let excluded = view["excluded"].as_array().unwrap().iter();
    let excluded = excluded.map(|e| format!("{}:{}", e["turn"], e["reason"].as_str().unwrap()));
    rounds.chain(excluded).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_measure_and_profile_is_what_was_worked_out() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    assert_eq!(inspect("fixtures/timelines/timelines.jsonl", &out, &["--profiles", "detail"]), 0);
    let records: BTreeMap<String, Value> = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap())
        .into_iter()
        .map(|r| (r["conversation_id"].as_str().unwrap().to_string(), r))
        .collect();
    let readme = std::fs::read_to_string(root().join("fixtures/timelines/README.md")).unwrap();
    let rows = readme.lines().filter_map(|l| {
        let cells: Vec<&str> = l.strip_prefix("| TL")?.trim_end_matches('|').split('|').map(str::trim).collect();
        Some((format!("TL{}", cells[0]), cells[1], cells[2]))
    });
    let mut checked = 0;
    for (conversation, figure, expected) in rows {
        let record = &records[&conversation];
        let got = match figure.strip_prefix("profile.") {
            Some(id) => profile(record, id),
            None => {
                let value = &record["metrics"][figure];
                assert!(record["metrics"].as_object().unwrap().contains_key(figure), "{figure}");
                seconds(value)
            }
        };
        assert_eq!(got, expected, "{conversation} {figure}");
        checked += 1;
    }
    assert!(checked > 70, "only {checked} rows were read");
}

#[test]
fn platform_figures_add_up_for_everyone_and_each_agent() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    assert_eq!(inspect("fixtures/timelines/timelines.jsonl", &out, &[]), 0);
    let rows = table(&out.join("profiles.csv"));
    let value = |id: &str, agent: &str| {
        let row = rows.iter().find(|r| r["指标"] == id && r["客服ID"] == agent).unwrap();
        (row["数值"].clone(), row["计入数"].clone())
    };
    let of = |value: &str, units: &str| (value.to_string(), units.to_string());
    // Sums over the rounds of the table: 1385 s of 11 rounds, 8 of them within 180 s, …
    assert_eq!(value("wangwang_avg", "全部"), of("125.9", "11"));
    assert_eq!(value("wangwang_avg", "a2"), of("315.0", "2"));
    assert_eq!(value("wangwang_avg", "a3"), of("300.0", "1"));
    assert_eq!(value("wangwang_180", "全部"), of("72.7", "11"));
    assert_eq!(value("pdd_180", "全部"), of("25.0", "4"));
    assert_eq!(value("jd_30", "全部"), of("60.0", "5"));
    assert_eq!(value("feige_avg", "全部"), of("83.2", "11"));
    assert_eq!(value("kuaishou_avg", "全部"), of("87.8", "10"));
    let wangwang = rows.iter().find(|r| r["指标"] == "wangwang_avg" && r["客服ID"] == "全部").unwrap();
    for (why, n) in [("没有时间", "3"), ("服务时间外", "1"), ("机器人接待", "2"), ("自动回复不算回复", "1")]
    {
        assert_eq!(wangwang[&format!("剔除:{why}")], n, "{why}");
    }
    // The distribution of TL1–TL3, TL5, TL6 first responses: 1 25 30 60 120.
    let metrics = table(&out.join("metrics.csv"));
    let all = metrics.iter().find(|r| r["维度"] == "全部").unwrap();
    assert_eq!((&*all["首次响应均值秒"], &*all["首次响应中位数秒"], &*all["首次响应P90秒"]), ("47.2", "30.0", "120.0"));
    assert_eq!(all["首次响应n"], "5");
    let hour = metrics.iter().find(|r| r["维度"] == "小时" && r["取值"] == "22").unwrap();
    assert_eq!(hour["最长响应均值秒"], "310.0");
    assert!(metrics.iter().any(|r| r["维度"] == "日期" && r["取值"] == "2026-11-20" && r["会话数"] == "4"));
}

fn conversation(id: &str, day: u32, hour: u32, customer: &str, order: &str, said: [&str; 3]) -> String {
    let at = |minute: u32| format!("2026-11-{day:02}T{hour:02}:{minute:02}:00+08:00");
    let turn = |role: &str, minute: u32, text: &str| json!({"role": role, "at": at(minute), "text": text});
    let mut turns = vec![turn("customer", 0, said[0])];
    turns.extend((!said[1].is_empty()).then(|| turn("agent", 1, said[1])));
    turns.extend((!said[2].is_empty()).then(|| turn("customer", 2, said[2])));
    let record = json!({"conversation_id": id, "customer_id": customer, "order_id": order, "agent_id": "a1",
        "channel": "chat", "turns": turns});
    format!("{record}\n")
}

#[test]
fn customers_are_followed_across_conversations() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("in.jsonl");
    let ask = ["快递到哪了", "您好,包裹今天送达", "好的谢谢"];
    let complain = ["太差劲了,我要投诉你们", "", ""];
    let solved = ["投诉处理了吗", "您好,已经给您退款了", "好的,问题解决了,谢谢"];
    let log = [
        // c1 comes back about the same order after 20 hours; c2 about another order; c3 complains to nobody, is
        // answered the next day past 24 hours and content with it; the log ends on the 10th.
        conversation("k1", 1, 9, "c1", "o1", ask),
        conversation("k2", 2, 5, "c1", "o1", ask),
        conversation("k3", 1, 9, "c2", "o2", ask),
        conversation("k4", 1, 12, "c2", "o3", ask),
        conversation("k5", 3, 9, "c3", "o4", complain),
        conversation("k6", 4, 12, "c3", "o4", solved),
        conversation("k7", 10, 12, "c4", "o5", ask),
    ];
    std::fs::write(&input, log.concat()).unwrap();
    let mut results = Vec::new();
    for threads in ["1", "4"] {
        let out = base.path().join(threads);
        assert_eq!(inspect(input.to_str().unwrap(), &out, &["--threads", threads]), 0);
        results.push(std::fs::read(out.join("outcomes.csv")).unwrap());
    }
    assert_eq!(results[0], results[1]);
    let rows = table(&base.path().join("1/outcomes.csv"));
    let figure = |name: &str| {
        let row = rows.iter().find(|r| r["维度"] == "全部" && r["指标"].starts_with(name)).unwrap();
        (row["分子"].clone(), row["分母"].clone())
    };
    let of = |count: &str, all: &str| (count.to_string(), all.to_string());
    assert_eq!(figure("接通率"), of("6", "7"));
    // Of six contacts whose windows lie in the log k1 is followed by k2 in 24 h, and k5 by k6 in 72 h.
    assert_eq!(figure("一次性解决率(24小时"), of("5", "6"));
    assert_eq!(figure("一次性解决率(72小时"), of("4", "6"));
    assert_eq!(figure("投诉24小时内答复率"), of("0", "1"));
    assert_eq!(figure("投诉72小时内解决率"), of("1", "1"));
}

#[test]
fn without_times_nothing_is_zero() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("in.jsonl");
    let turns = json!([{"role": "customer", "text": "有货吗"}, {"role": "agent", "text": "有的"}]);
    std::fs::write(&input, json!({"conversation_id": "k", "agent_id": "a", "turns": turns}).to_string()).unwrap();
    let out = base.path().join("out");
    assert_eq!(inspect(input.to_str().unwrap(), &out, &[]), 0);
    let metrics = table(&out.join("metrics.csv"));
    for row in &metrics {
        assert_eq!((&*row["首次响应均值秒"], &*row["处理时长中位数秒"], &*row["首次响应n"]), ("", "", "0"));
    }
    assert!(table(&out.join("profiles.csv")).iter().all(|r| r["数值"].is_empty()));
}

#[test]
fn targets_are_met_missed_or_undecided_and_can_fail_the_run() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    assert_eq!(inspect("fixtures/nightly", &out, &["--fail-on", "targets"]), 1);
    let rows = table(&out.join("targets.csv"));
    let month = rows.iter().find(|r| r["指标"] == "pass_rate" && r["范围"] == "全部").unwrap();
    assert_eq!((&*month["周期"], &*month["时段"], &*month["目标"]), ("月", "2026-11", "≥0.9"));
    assert!(rows.iter().any(|r| r["状态"] == "未达成") && rows.iter().any(|r| r["状态"] == "样本不足以断定"));
    let english = base.path().join("en");
    assert_eq!(inspect("fixtures/nightly", &english, &["--lang", "en"]), 0);
    assert!(table(&english.join("targets.csv")).iter().all(|r| !r["status"].is_empty()));
    assert!(table(&english.join("topics.csv")).iter().any(|r| r["reason"] == "Refund"));
    let reasons = table(&out.join("topics.csv"));
    assert!(reasons.iter().any(|r| r["一级原因"] == "物流配送" && !r["高频词"].is_empty()));
    let cards: Value = serde_json::from_slice(&std::fs::read(out.join("scorecards.json")).unwrap()).unwrap();
    assert!(cards["all"]["service"]["resolution_rate"]["value"].is_f64());
}
