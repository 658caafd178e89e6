//! The review round as people do it: sample, sheets filled by reviewers, import, statistics, demotion, appeal, rescore and
//! reports; sheets edited badly; kills and two imports at once.

mod common;
#[path = "common/xlsx.rs"]
mod xlsx;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{json, process, zhijian};
use rusqlite::Connection;
use serde_json::Value;
use xlsx::Book;
use zhijian::report::review_sheet::given;
use zhijian::review::Round;
use zhijian::review::sheet::{COMMENT, DONE, RULE, RowKind, Sheet, TURN, VERDICT};
use zhijian::store::Store;

const PACK: &str = "fixtures/packs/mini";
const NIGHT: &str = "2026-11-20";

/// A stored night in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let mut inspect = zhijian();
        inspect.args(["inspect", "fixtures/nightly", "--rules", PACK, "--quiet", "--threads", "2", "--out"]);
        inspect.arg(place.path("out")).arg("--store").arg(place.store()).assert().success();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("history.db")
    }

    fn review(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = zhijian();
        command.arg("review").args(args).arg("--store").arg(self.store());
        command
    }

    /// A command that must succeed; what it prints.
    fn says(&self, args: &[&str]) -> String {
        let run = self.review(args).assert().success();
        String::from_utf8(run.get_output().stdout.clone()).unwrap()
    }

    fn sample(&self, args: &[&str]) -> BTreeMap<String, PathBuf> {
        let sheets = self.path("sheets");
        let sheets = sheets.to_str().unwrap();
        let out = self.path("out");
        let mut all = vec!["sample", "--night", NIGHT, "--out", sheets, "--results", out.to_str().unwrap()];
        all.extend(args);
        let said = self.says(&all);
        let lines = said.lines().filter_map(|l| l.split_once(" → "));
        lines.map(|(who, path)| (who.split_whitespace().next().unwrap().to_string(), path.into())).collect()
    }

    fn import(&self, files: &[&Path], at: &str) -> assert_cmd::Command {
        let mut command = self.review(&["import", "--by", "管理员", "--at", at]);
        command.args(files);
        command
    }

    /// The sheet a file was given out as.
    fn sheet(&self, path: &Path) -> Sheet {
        Store::existing(&self.store()).unwrap().sheet(&given(path).unwrap().id).unwrap().unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        let connection = Connection::open(self.store()).unwrap();
        connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

/// Fills a sheet: a verdict with a comment for each finding, and 看完 for each case.
fn fill(sheet: &Sheet, path: &Path, verdict: impl Fn(&str, &str, u32) -> (&'static str, &'static str)) {
    let mut book = Book::open(path);
    for (at, row) in sheet.rows().iter().enumerate() {
        let (number, case) = (at as u32 + 1, &sheet.cases[row.place.0]);
        match row.kind {
            RowKind::Finding => {
                let key = &case.findings[row.place.1].key;
                let (said, why) = verdict(&case.key.conversation, &key.rule, key.turn);
                if !said.is_empty() {
                    book.set(number, VERDICT, said).set(number, COMMENT, why);
                }
            }
            RowKind::Done => {
                book.set(number, VERDICT, DONE);
            }
            _ => {}
        }
    }
    book.save(path);
}

/// The rule with most findings in sheets.
fn most(sheets: &[Sheet]) -> String {
    let mut counts = BTreeMap::<&str, u32>::new();
    let findings = sheets.iter().flat_map(|s| &s.cases).flat_map(|c| &c.findings);
    findings.for_each(|f| *counts.entry(&f.key.rule).or_default() += 1);
    counts.into_iter().max_by_key(|c| c.1).unwrap().0.to_string()
}

#[test]
fn a_full_round() {
    let place = Place::new();
    let files = place.sample(&["--per-agent", "6", "--seed", "7", "--reviewers", "甲,乙", "--overlap", "40"]);
    let (one, two) = (files["甲"].clone(), files["乙"].clone());
    let sheets = [place.sheet(&one), place.sheet(&two)];
    let bad = most(&sheets);
    assert!(sheets[0].cases.iter().any(|c| c.link.is_some()), "links into the web report");
    // The same again gives the same files.
    let bytes = std::fs::read(&one).unwrap();
    place.sample(&["--per-agent", "6", "--seed", "7", "--reviewers", "甲,乙", "--overlap", "40"]);
    assert!(bytes == std::fs::read(&one).unwrap() && place.count("review_samples") == 1);

    // 甲 says the rule is always wrong; 乙 too, but for one case that both look at.
    let both: BTreeSet<&String> = sheets[0].cases.iter().map(|c| &c.key.conversation).collect();
    let shared = sheets[1].cases.iter().filter(|c| both.contains(&c.key.conversation));
    let dispute = shared
        .flat_map(|c| c.findings.iter().map(|f| (c.key.conversation.clone(), f.key.clone())))
        .find(|(_, key)| key.rule == bad)
        .expect("the overlap holds a finding of the rule");
    let wrong = |rule: &str| if rule == bad { ("误判", "这里客户没有不满") } else { ("确认", "") };
    fill(&sheets[0], &one, |_, rule, _| wrong(rule));
    fill(&sheets[1], &two, |conversation, rule, turn| {
        let disputed = (conversation, rule, turn) == (&dispute.0, dispute.1.rule.as_str(), dispute.1.turn);
        if disputed { ("确认", "我看算") } else { wrong(rule) }
    });
    let said = place.import(&[&one, &two], "2026-11-21T09:00:00+08:00").assert().success();
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    assert!(said.contains("导入 2 个文件") && said.contains("→"), "{said}");
    let rows = ["review_imports", "reviews", "review_decisions"].map(|t| place.count(t));
    place.import(&[&two, &one], "2026-11-22T09:00:00+08:00").assert().success();
    assert_eq!(
        rows,
        ["review_imports", "reviews", "review_decisions"].map(|t| place.count(t)),
        "twice changes nothing"
    );

    // What equals disagree about goes to someone who decides.
    let sample = sheets[0].sample.clone();
    let stats = |place: &Place| -> Value { serde_json::from_str(&place.says(&["stats", "--format", "json"])).unwrap() };
    assert_eq!(stats(&place)["disputed"], 1);
    let third = place.path("adjudicate.xlsx");
    let to = third.to_str().unwrap();
    place.says(&["sheet", "--sample", &sample, "--for", "adjudicate", "--reviewer", "丙", "--out", to]);
    let sheet = place.sheet(&third);
    assert_eq!((sheet.cases.len(), sheet.cases[0].findings.len(), sheet.round), (1, 1, Round::Adjudicate));
    assert!(sheet.cases[0].findings[0].text.contains("甲: 误判") && sheet.cases[0].findings[0].text.contains("我看算"));
    fill(&sheet, &third, |_, _, _| ("误判", ""));
    place.import(&[&third], "2026-11-21T10:00:00+08:00").assert().success();
    let figures = stats(&place);
    assert_eq!(figures["disputed"], 0);
    let rule = |figures: &Value, id: &str| {
        let list = figures["rules"]["random"].as_array().unwrap().clone();
        list.into_iter().find(|r| r["rule"] == id).unwrap()
    };
    let judged = rule(&figures, &bad);
    assert_eq!((&judged["confirmed"], judged["precision"]["value"].as_f64()), (&Value::from(0), Some(0.0)));
    assert!(judged["precision"]["high"].as_f64().unwrap() > 0.0, "Wilson's interval: {judged}");
    assert_eq!(figures["reviewers"][0]["a"], "乙");
    assert!(figures["alpha"]["value"].as_f64().unwrap() < 1.0);
    let grade = figures["grades"].as_array().unwrap().iter().find(|g| g["reviewer"] == "乙").unwrap();
    assert_eq!(grade["strict"], 1, "乙 confirmed what the adjudicator overturned: {grade}");
    let material = place.path("calibration.md");
    place.says(&["stats", "--calibration", material.to_str().unwrap()]);
    let material = std::fs::read_to_string(material).unwrap();
    assert!(material.contains("乙 确认:我看算") && material.contains("丙仲裁 误判"), "{material}");

    // A blind second review shows nothing of the first.
    let second = place.path("second.xlsx");
    let to = second.to_str().unwrap();
    place.says(&["sheet", "--sample", &sample, "--for", "second", "--reviewer", "丁", "--out", to]);
    let blind = place.sheet(&second);
    let told = blind.cases.iter().flat_map(|c| &c.findings).any(|f| f.text.contains("甲") || f.text.contains("误判"));
    assert!(!told && blind.cases.len() > 5);

    // The rule is demoted, the agent appeals, the supervisor decides, the night is scored again.
    let demoted =
        place.says(&["demote", "--below", "0.5", "--least", "3", "--by", "主管", "--at", "2026-11-21T11:00:00+08:00"]);
    assert!(demoted.contains(&format!("{bad} 降为只提示")), "{demoted}");
    let (case, finding) = sheets
        .iter()
        .flat_map(|s| &s.cases)
        .flat_map(|c| c.findings.iter().map(move |f| (c, f)))
        .find(|(_, f)| f.key.rule != bad)
        .expect("a finding that was confirmed");
    let turn = (finding.key.turn + 1).to_string();
    let key = &case.key;
    let words = ["--night", NIGHT, "--conversation", &key.conversation, "--agent", &key.agent];
    let mut appeal = vec!["appeal", "--rule", &finding.key.rule, "--turn", &turn, "--why", "我当时在等仓库回复"];
    appeal.extend(words);
    let said = place.says(&appeal);
    let name = said.split("--sample ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(stats(&place)["appeals"], 1);
    let decision = place.path("decision.xlsx");
    let to = decision.to_str().unwrap();
    place.says(&["sheet", "--sample", name, "--for", "appeal", "--reviewer", "主管", "--out", to]);
    let sheet = place.sheet(&decision);
    assert!(sheet.cases[0].findings[0].text.contains("我当时在等仓库回复"));
    fill(&sheet, &decision, |_, _, _| ("改判", ""));
    let refused = place.import(&[&decision], "2026-11-21T12:00:00+08:00").assert().code(2);
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("理由"));
    fill(&sheet, &decision, |_, _, _| ("改判", "仓库记录属实"));
    place.import(&[&decision], "2026-11-21T12:00:00+08:00").assert().success();
    assert_eq!(stats(&place)["appeals"], 0);
    let log = place.says(&["log"]);
    assert!(log.contains("申诉裁定 主管") && log.contains("仓库记录属实") && log.contains("decision.xlsx"), "{log}");

    // Still not content: once more, decided by another person; then it is final.
    let said = place.says(&appeal);
    assert!(said.contains("再次申诉") && said.contains("主管 的裁定照旧有效"), "{said}");
    let higher = said.split("--sample ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(stats(&place)["appeals"], 1);
    let last = place.path("last.xlsx");
    let sheet_for = |reviewer: &str| {
        let out = last.to_str().unwrap();
        let args = ["review", "sheet", "--for", "appeal", "--sample", higher, "--reviewer", reviewer, "--out", out];
        zhijian().args(args).arg("--store").arg(place.store()).assert()
    };
    sheet_for("主管").failure();
    sheet_for("经理").success();
    let sheet = place.sheet(&last);
    assert!(sheet.cases[0].findings[0].text.contains("一审 主管"), "{}", sheet.cases[0].findings[0].text);
    fill(&sheet, &last, |_, _, _| ("改判", "经理核过仓库系统"));
    place.import(&[&last], "2026-11-21T13:00:00+08:00").assert().success();
    assert_eq!(stats(&place)["appeals"], 0);
    let log = place.says(&["log"]);
    assert!(log.contains("仓库记录属实") && log.contains("经理核过仓库系统"), "both decisions are kept: {log}");
    let refused = zhijian().arg("review").args(&appeal).arg("--store").arg(place.store()).assert().failure();
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("不能再申诉"));

    let mean = |place: &Place, table: &str| -> f64 {
        let connection = Connection::open(place.store()).unwrap();
        let sql = format!("SELECT 1.0 * SUM(score_sum) / SUM(agent_conversations) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let before = mean(&place, "nights");
    let run = zhijian().arg("rescore").arg("--store").arg(place.store()).assert().success();
    let said = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(said.contains("已重判") && said.contains("重算 1 份"), "{said}");
    assert!(mean(&place, "nights") > before, "the demoted rule costs nothing any more");

    // Reports show both scores.
    let out = place.path("report");
    zhijian()
        .args(["report", "--night", NIGHT, "--quiet", "--store"])
        .arg(place.store())
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let cards = json(&out.join("scorecards.json"));
    let agent = cards["agents"].as_array().unwrap().iter().find(|a| a["id"] == key.agent.as_str()).unwrap();
    assert!(agent["reviewed"]["overturned"].as_u64().unwrap() >= 1);
    let (machine, after) = (agent["score"]["value"].as_f64(), agent["reviewed"]["score"]["value"].as_f64());
    assert!(after >= machine, "{agent}");
    assert!(cards["all"]["reviewed"]["cases"].as_u64().unwrap() > 10);
    let csv = std::fs::read_to_string(out.join("scorecards.csv")).unwrap();
    assert!(csv.lines().next().unwrap().contains("复核后平均分"));
    let page = std::fs::read_to_string(out.join("report/agents.html")).unwrap();
    assert!(page.contains("机器分") && page.contains("复核后分"));
    let coaching = std::fs::read_to_string(out.join(format!("coaching/{}.md", key.agent))).unwrap();
    assert!(coaching.contains("人工复核") && coaching.contains("经理核过仓库系统"), "{coaching}");

    let told = zhijian().args(["history", "show", NIGHT, "--format", "json", "--store"]).arg(place.store()).assert();
    let told: serde_json::Value = serde_json::from_slice(&told.success().get_output().stdout).unwrap();
    assert_eq!(told["reviewed"]["agents"][&key.agent], agent["reviewed"], "{told}");

    // A comparison shows both too, in every form, and leaves the side open that nobody reviewed.
    let compare = |more: &[&str]| {
        let run =
            zhijian().args(["history", "compare", NIGHT, NIGHT, "--store"]).arg(place.store()).args(more).assert();
        String::from_utf8(run.success().get_output().stdout.clone()).unwrap()
    };
    let told: serde_json::Value = serde_json::from_str(&compare(&["--format", "json"])).unwrap();
    let moved = told["changes"]["agents"][&key.agent].as_array().unwrap();
    let score = moved.iter().find(|c| c["figure"] == "score").unwrap();
    assert_eq!(score["reviewed"]["now"].as_f64(), after, "{score}");
    assert_eq!(score["reviewed"]["before"], score["reviewed"]["now"], "{score}");
    assert!(moved.iter().all(|c| c["figure"] != "conversations" || c.get("reviewed").is_none()));
    assert!(compare(&[]).contains("复核后"));
    assert!(compare(&["--format", "csv"]).lines().next().unwrap().ends_with("before_reviewed,now_reviewed"));

    // How often people found a rule right stands in the table of rules and in the workbook's.
    let rules = std::fs::read_to_string(out.join("rules.csv")).unwrap();
    let mut rules = csv::Reader::from_reader(rules.trim_start_matches('\u{feff}').as_bytes());
    let titles = rules.headers().unwrap().clone();
    let at = |title: &str| titles.iter().position(|t| t == title).unwrap_or_else(|| panic!("no {title}: {titles:?}"));
    let judged: Vec<csv::StringRecord> =
        rules.records().map(|r| r.unwrap()).filter(|r| !r[at("复核条数")].is_empty()).collect();
    assert!(!judged.is_empty());
    for row in &judged {
        let [precision, low, high] =
            ["复核精确率%", "精确率下限%", "精确率上限%"].map(|t| row[at(t)].parse::<f64>().unwrap());
        assert!(low <= precision && precision <= high, "{row:?}");
    }
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(out.join("scorecards.xlsx")).unwrap();
    let sheet = calamine::Reader::worksheet_range(&mut book, "规则").unwrap();
    let header = sheet.rows().position(|r| r[0] == *"规则").unwrap();
    let column = sheet.rows().nth(header).unwrap().iter().position(|c| *c == *"复核精确率").unwrap();
    let shares: Vec<f64> =
        sheet.rows().skip(header + 1).filter_map(|r| calamine::DataType::as_f64(&r[column])).collect();
    assert_eq!(shares.len(), judged.len());

    // The rule can be restored, and what people said becomes examples.
    place.says(&["restore", &bad, "--why", "改好了", "--by", "主管", "--at", "2026-11-22T11:00:00+08:00"]);
    zhijian().arg("rescore").arg("--store").arg(place.store()).assert().success();
    assert!((mean(&place, "nights") - before).abs() < 1e-9, "as before");
    let pack = place.path("pack");
    for (name, bytes) in common::files(&common::root().join(PACK)) {
        let path = pack.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let said = place.says(&["export-examples", "--rules", pack.to_str().unwrap()]);
    assert!(said.contains("个例子") && said.contains("还没改好"), "{said}");
    zhijian().args(["rules", "test", "--rules"]).arg(&pack).assert().success();
    let again = place.says(&["export-examples", "--rules", pack.to_str().unwrap()]);
    assert!(again.contains("没有新的例子"), "{again}");
}

#[test]
fn random_stratified_and_targeted_samples() {
    let place = Place::new();
    let unlike = |kind: &str| {
        let files = place.sample(&["--kind", kind, "--size", "12", "--per-agent", "1", "--reviewers", "甲:70,乙:30"]);
        files.values().map(|path| place.sheet(path).cases.len()).collect::<Vec<_>>()
    };
    let (stratified, targeted) = (unlike("stratified"), unlike("targeted"));
    assert_eq!(stratified.iter().sum::<usize>(), 12);
    assert_eq!(targeted.iter().sum::<usize>(), 12);
    assert_eq!(stratified.iter().max(), Some(&8), "70 % of 12");
    let connection = Connection::open(place.store()).unwrap();
    let reasons: Vec<String> = connection
        .prepare(
            "SELECT reasons FROM review_drawn d JOIN review_samples s ON s.id = d.sample WHERE s.kind = 'targeted'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(reasons.iter().all(|r| !r.is_empty()), "{reasons:?}");
    // An agent's own sheet, to appeal with.
    let agent = place.sheet(place.sample(&["--per-agent", "1", "--reviewers", "甲"]).values().next().unwrap()).cases[0]
        .key
        .agent
        .clone();
    let own = place.sample(&["--kind", "appeal", "--agent", &agent]);
    let path = own.values().next().unwrap();
    let sheet = place.sheet(path);
    assert!(sheet.round == Round::Agent && sheet.cases.iter().all(|c| c.key.agent == agent && !c.findings.is_empty()));
    let first = std::cell::Cell::new(true);
    fill(&sheet, path, |_, _, _| if first.replace(false) { ("申诉", "客户说的是别的店") } else { ("", "") });
    // There is no row to finish a case in an agent's own sheet.
    place.import(&[path], "2026-11-21T09:00:00+08:00").assert().success();
    assert_eq!(place.count("review_decisions"), 1);
    // What cannot be drawn says why.
    let bad = |args: &[&str], told: &str| {
        let run = place.review(args).assert().code(2);
        let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(said.contains(told), "{said}");
    };
    let out = place.path("x");
    let out = out.to_str().unwrap();
    bad(&["sample", "--night", NIGHT, "--out", out], "复核人");
    bad(&["sample", "--night", NIGHT, "--out", out, "--reviewers", "甲:70,乙:20"], "100");
    bad(&["sample", "--night", "2026-11-01", "--out", out, "--reviewers", "甲"], "没有存过");
    bad(
        &["sample", "--night", NIGHT, "--out", out, "--reviewers", "甲", "--input", "fixtures/mini-night.jsonl"],
        "不一样",
    );
    bad(&["sheet", "--for", "adjudicate", "--sample", &sheet.sample, "--reviewer", "丙", "--out", out], "没有意见不一");
    bad(&["restore", "abuse", "--why", "x"], "没有被降级");
    bad(&["demote", "--rule", "abus"], "没有规则");
}

/// A filled sheet with one thing wrong, and what is said about it.
type Mistake<'m> = (&'m str, Box<dyn Fn(&mut Book) + 'm>, String, &'m str);

#[test]
fn every_mistake_in_a_sheet_is_told_by_its_cell_and_nothing_is_imported() {
    let place = Place::new();
    let path = place.sample(&["--per-agent", "3", "--reviewers", "甲"])["甲"].clone();
    let sheet = place.sheet(&path);
    fill(&sheet, &path, |_, _, _| ("确认", ""));
    let rows = sheet.rows();
    let find = |kind: fn(RowKind) -> bool| rows.iter().position(|r| kind(r.kind)).unwrap() as u32 + 1;
    let turn = find(|k| matches!(k, RowKind::Turn(_)));
    let finding = find(|k| k == RowKind::Finding);
    let judged = &sheet.cases[rows[finding as usize - 1].place.0];
    let missed = find(|k| k == RowKind::Missed);
    let done = find(|k| k == RowKind::Done);
    let case_of_finding = rows[finding as usize - 1].place.0;
    let done_there =
        rows.iter().position(|r| r.kind == RowKind::Done && r.place.0 == case_of_finding).unwrap() as u32 + 1;
    let missed_there =
        rows.iter().position(|r| r.kind == RowKind::Missed && r.place.0 == case_of_finding).unwrap() as u32 + 1;
    let at = |row: u32, column: usize| format!("复核!{}{}:", char::from(b'A' + column as u8), row + 1);
    let (rule, known) = (Sheet::rule_choice(&sheet.rules[0]), judged.findings[0].key.clone());
    let known_choice = sheet.rules.iter().find(|r| r.0 == known.rule).map(Sheet::rule_choice);
    let missed_row = |book: &mut Book, row: u32, rule: &str, turn: &str| {
        book.set(row, VERDICT, "漏判").set(row, RULE, rule).set(row, TURN, turn);
    };
    let last = rows.len() as u32;
    let turns = sheet.cases[0].turns.len() as u32;
    let mut mistakes: Vec<Mistake<'_>> = vec![
        (
            "a verdict that is none",
            Box::new(move |b| only(b.set(finding, VERDICT, "对"))),
            at(finding, VERDICT),
            "只能选",
        ),
        (
            "a number for a verdict",
            Box::new(move |b| only(b.number(finding, VERDICT, 1.0))),
            at(finding, VERDICT),
            "只能选",
        ),
        (
            "漏判 for a finding",
            Box::new(move |b| only(b.set(finding, VERDICT, "漏判"))),
            at(finding, VERDICT),
            "只能选",
        ),
        (
            "no verdict, yet 看完",
            Box::new(move |b| only(b.set(finding, VERDICT, ""))),
            at(finding, VERDICT),
            "还没有判断",
        ),
        (
            "a comment without a verdict",
            Box::new(move |b| only(b.set(finding, VERDICT, "").set(finding, COMMENT, "嗯"))),
            at(finding, VERDICT),
            "没有选判断",
        ),
        (
            "verdicts, but not 看完",
            Box::new(move |b| only(b.set(done_there, VERDICT, ""))),
            at(done_there, VERDICT),
            "没有选“看完”",
        ),
        (
            "something else for 看完",
            Box::new(move |b| only(b.set(done, VERDICT, "好了"))),
            at(done, VERDICT),
            "只能选“看完”",
        ),
        ("a message changed", Box::new(move |b| only(b.set(turn, 3, "您好,改过的"))), at(turn, 3), "被改动"),
        ("a quote changed", Box::new(move |b| only(b.set(finding, 3, "不是这句"))), at(finding, 3), "被改动"),
        (
            "a verdict beside a message",
            Box::new(move |b| only(b.set(turn, VERDICT, "误判"))),
            at(turn, VERDICT),
            "要空着",
        ),
        ("the header changed", Box::new(|b| only(b.set(0, VERDICT, "结论"))), at(0, VERDICT), "表头"),
        ("a row taken out", Box::new(move |b| only(b.remove_row(turn))), at(turn, 0), "对不上"),
        ("a row put in", Box::new(move |b| only(b.insert_row(turn))), at(turn, 0), "对不上"),
        ("rows changed places", Box::new(move |b| only(b.swap_rows(turn, turn + 1))), at(turn, 0), "对不上"),
        ("something beyond the table", Box::new(move |b| only(b.set(3, 12, "随手记"))), at(3, 12), "外面"),
        ("something below the table", Box::new(move |b| only(b.set(last + 2, 3, "总结"))), at(last + 2, 3), "外面"),
        (
            "a rule without 漏判",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| only(b.set(missed, RULE, &rule).set(missed, TURN, "1"))
            }),
            at(missed, VERDICT),
            "这里要选",
        ),
        (
            "确认 for a miss",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| {
                    missed_row(b, missed, &rule, "1");
                    b.set(missed, VERDICT, "确认");
                }
            }),
            at(missed, VERDICT),
            "只能选“漏判”",
        ),
        ("漏判 without a rule", Box::new(move |b| missed_row(b, missed, "", "1")), at(missed, RULE), "哪条规则"),
        (
            "漏判 of no rule",
            Box::new(move |b| missed_row(b, missed, "no-such-rule 没有", "1")),
            at(missed, RULE),
            "没有规则",
        ),
        (
            "漏判 without a message",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| missed_row(b, missed, &rule, "")
            }),
            at(missed, TURN),
            "第几条",
        ),
        (
            "漏判 at no number",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| missed_row(b, missed, &rule, "第一条")
            }),
            at(missed, TURN),
            "不是消息的序号",
        ),
        (
            "漏判 at 0",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| missed_row(b, missed, &rule, "0")
            }),
            at(missed, TURN),
            "不是消息的序号",
        ),
        (
            "漏判 after the end",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| missed_row(b, missed, &rule, &(turns + 1).to_string())
            }),
            at(missed, TURN),
            "不是消息的序号",
        ),
        (
            "漏判 twice",
            Box::new({
                let rule = rule.clone();
                move |b: &mut Book| {
                    missed_row(b, missed, &rule, "1");
                    missed_row(b, missed + 1, &rule, "1");
                }
            }),
            at(missed + 1, RULE),
            "两遍",
        ),
        (
            "a comment too long",
            Box::new(move |b| only(b.set(finding, COMMENT, &"长".repeat(501)))),
            at(finding, COMMENT),
            "500",
        ),
        (
            "an error in a cell",
            Box::new(move |b| only(b.raw(finding, COMMENT, "t=\"e\"><v>#N/A</v></c>"))),
            at(finding, COMMENT),
            "错误值",
        ),
    ];
    if let Some(choice) = known_choice {
        let turn = (known.turn + 1).to_string();
        let edit = Box::new(move |b: &mut Book| missed_row(b, missed_there, &choice, &turn));
        mistakes.push(("漏判 of what was found", edit, at(missed_there, RULE), "已有机器的发现"));
    }
    let good = Book::open(&path);
    let edited = place.path("edited.xlsx");
    assert!(mistakes.len() > 20);
    for (what, edit, cell, told) in &mistakes {
        let mut book = good.clone();
        edit(&mut book);
        book.save(&edited);
        // A good sheet beside it is not taken either.
        let run = place.import(&[&path, &edited], "2026-11-21T09:00:00+08:00").assert().code(2);
        let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        let line = said.lines().find(|l| l.contains(cell.as_str()) && l.contains(told));
        assert!(line.is_some(), "{what}: want {cell} {told} in\n{said}");
        assert_eq!(place.count("reviews"), 0, "{what}");
    }
    // What is no sheet of ours at all.
    let refused = |told: &str| {
        let run = place.import(&[&edited], "2026-11-21T09:00:00+08:00").assert().code(2);
        let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(said.contains(told), "{said}");
    };
    std::fs::write(&edited, "会话,判断\n1,确认\n").unwrap();
    refused("不是可读的 .xlsx");
    let mut book = good.clone();
    let names = book.part("xl/workbook.xml");
    book.replace("xl/workbook.xml", names.replace("name=\"复核\"", "name=\"复核2\""));
    book.save(&edited);
    refused("没有“复核”页");
    book.replace("xl/workbook.xml", names.replace("name=\"zhijian\"", "name=\"meta\""));
    book.save(&edited);
    refused("不是 zhijian 发出的复核表");
    Book::open(&place.path("out/scorecards.xlsx")).save(&edited);
    refused("不是 zhijian 发出的复核表");
    let other = Place::new();
    let foreign = other.sample(&["--per-agent", "2", "--seed", "99", "--reviewers", "甲"])["甲"].clone();
    std::fs::copy(foreign, &edited).unwrap();
    refused("不是从这个历史库发出的");
    // The good one is taken, partly filled ones too.
    place.import(&[&path], "2026-11-21T09:00:00+08:00").assert().success();
    assert_eq!(place.count("reviews"), sheet.cases.len() as i64);
    let mut book = good.clone();
    book.set(finding, VERDICT, "误判");
    missed_row(&mut book, missed, &rule, "1");
    book.save(&edited);
    place.import(&[&edited], "2026-11-21T10:00:00+08:00").assert().success();
    let kept = place.count("reviews");
    let changed = if rows[finding as usize - 1].place.0 == rows[missed as usize - 1].place.0 { 1 } else { 2 };
    assert_eq!(kept, sheet.cases.len() as i64 + changed, "only what changed is added, nothing is overwritten");
    let log = place.says(&["log"]);
    assert!(log.contains("[已被取代]") && log.contains("(取代先前的)") && log.contains("漏判"), "{log}");
    let connection = Connection::open(place.store()).unwrap();
    for sql in
        ["UPDATE reviews SET reviewer = 'x'", "DELETE FROM review_decisions", "UPDATE review_imports SET who = 'x'"]
    {
        assert!(connection.execute(sql, []).unwrap_err().to_string().contains("append only"), "{sql}");
    }
}

#[test]
fn a_kill_leaves_the_store_before_or_after_and_two_imports_at_once_are_safe() {
    let place = Place::new();
    let files = place.sample(&["--per-agent", "20", "--reviewers", "甲,乙", "--overlap", "50"]);
    let mut whole = 0;
    for path in files.values() {
        let sheet = place.sheet(path);
        whole += sheet.cases.len() as i64;
        fill(&sheet, path, |_, _, _| ("确认", ""));
    }
    let clean = place.path("clean.db");
    let connection = Connection::open(place.store()).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(connection);
    std::fs::copy(place.store(), &clean).unwrap();
    let import = |store: &Path| {
        let mut command = process();
        command.args(["review", "import", "--by", "管理员", "--store"]).arg(store).args(files.values());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    // How long it takes, to kill at points all over it.
    let trial = place.path("trial.db");
    std::fs::copy(&clean, &trial).unwrap();
    let started = std::time::Instant::now();
    assert!(import(&trial).status().unwrap().success());
    let long = started.elapsed();
    let count = |store: &Path| -> (i64, i64) {
        let connection = Connection::open(store).unwrap();
        let ok: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(ok, "ok");
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get(0)).unwrap();
        (one("SELECT COUNT(*) FROM reviews"), one("SELECT COUNT(*) FROM review_imports"))
    };
    assert_eq!(count(&trial), (whole, 2));
    for n in 0..12 {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(place.path(&format!("trial.db{suffix}")));
        }
        std::fs::copy(&clean, &trial).unwrap();
        let mut child = import(&trial).spawn().unwrap();
        std::thread::sleep(long * n / 11 + Duration::from_millis(1));
        let _ = child.kill();
        child.wait().unwrap();
        let found = count(&trial);
        assert!(found == (0, 0) || found == (whole, 2), "killed at {n}/11: {found:?}");
    }
    // Two at once, the same sheets: each is stored once.
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path(&format!("trial.db{suffix}")));
    }
    std::fs::copy(&clean, &trial).unwrap();
    let mut children: Vec<_> = (0..3).map(|_| import(&trial).spawn().unwrap()).collect();
    assert!(children.iter_mut().all(|c| c.wait().unwrap().success()));
    assert_eq!(count(&trial), (whole, 2));
}

#[test]
fn a_night_without_its_transcripts_says_so_and_keeps_its_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let (input, store) = (folder.path().join("night.jsonl"), folder.path().join("history.db"));
    std::fs::copy(common::root().join("fixtures/nightly/2026-11-20.jsonl"), &input).unwrap();
    let mut inspect = zhijian();
    inspect.arg("inspect").arg(&input).args(["--rules", PACK, "--quiet", "--report", "none", "--store"]).arg(&store);
    inspect.arg("--out").arg(folder.path().join("out")).assert().success();
    let mut sample = zhijian();
    sample.args(["review", "sample", "--night", NIGHT, "--reviewers", "甲", "--store"]).arg(&store);
    sample.arg("--out").arg(folder.path()).assert().success();
    std::fs::remove_file(&input).unwrap();
    zhijian().args(["review", "demote", "--rule", "off-platform", "--store"]).arg(&store).assert().success();
    let run = zhijian().arg("rescore").arg("--store").arg(&store).assert().success();
    let said = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert!(said.contains("会话原文不在了") && said.contains("没有动的 1 份"), "{said}");
    // With the transcripts given, it can.
    let mut rescore = zhijian();
    rescore.arg("rescore").args(["--input", "fixtures/nightly/2026-11-20.jsonl", "--store"]).arg(&store);
    let run = rescore.assert().success();
    assert!(String::from_utf8_lossy(&run.get_output().stdout).contains("已重判"));
    // The next night is judged with the demotion, and says so.
    let mut inspect = zhijian();
    inspect.args(["inspect", "fixtures/nightly", "--rules", PACK, "--report", "none", "--store"]).arg(&store);
    let run = inspect.arg("--out").arg(folder.path().join("out")).assert().success();
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("只提示、不扣分: off-platform"));
}

/// An edit for its effect alone.
fn only(_: &mut Book) {}
