//! The tools of `zhijian rules` as people run them, on small packs made here.

mod common;

use std::path::Path;

use common::zhijian;
use serde_json::Value;

/// A pack of two markers and a rule in a folder of its own.
fn shop(folder: &Path) -> String {
    let files = [
        ("pack.toml", "id = \"small\"\ntitle = \"小规则包\"\n"),
        ("scorecard.toml", "[[dimension]]\nid = \"service\"\ntitle = \"服务\"\nweight = 100\n"),
        (
            "markers/angry.toml",
            "title = \"不满\"\nrole = \"customer\"\nphrases = [\n  \"太差\", # 常见\n  \"气死\",\n]\nnegation = true\nunless = [\"joke\"]\n\n\
             [[example]]\nhit = \"太差了\"\n[[example]]\nmiss = \"不是太差\"\n",
        ),
        (
            "markers/joke.toml",
            "title = \"玩笑\"\nrole = \"customer\"\nphrases = [\"开玩笑\"]\n[[example]]\nhit = \"开玩笑的\"\n[[example]]\nmiss = \"笑了\"\n",
        ),
        (
            "markers/sorry.toml",
            "title = \"致歉\"\nrole = \"agent\"\nphrases = [\"抱歉\", \"对不起\"]\nexcept = [\"不用说抱歉\"]\n[[example]]\nhit = \"抱歉\"\n\
             [[example]]\nmiss = \"好\"\n",
        ),
        (
            "rules/soothe.toml",
            "id = \"soothe\"\ntitle = \"先安抚\"\ndimension = \"service\"\nseverity = \"major\"\npoints = -5\ncap = -8\ntrigger = \"each\"\n\
             when = \"angry\"\nrequire = \"sorry\"\nwithin = { agent_turns = 1 }\nwhat = \"没有安抚\"\nwhy = \"客户|还在气头上\"\n\
             [[example]]\nexpect = \"hit\"\nchat = [\"客: 太差了\", \"服: 嗯\"]\n[[example]]\nexpect = \"pass\"\nchat = [\"客: 太差了\", \"服: 抱歉\"]\n\
             [[example]]\nexpect = \"todo\"\nchat = [\"客: 一般般\", \"服: 嗯\"]\n",
        ),
    ];
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder.display().to_string()
}

fn conversations(folder: &Path) -> String {
    let turn = |role: &str, text: &str| serde_json::json!({"role": role, "text": text});
    let line = |id: &str, agent: &str, turns: Vec<Value>| {
        serde_json::json!({"conversation_id": id, "agent_id": agent, "turns": turns}).to_string()
    };
    let path = folder.join("night.jsonl");
    let lines = [
        line("c1", "a1", vec![turn("customer", "太差了,电话13812345678"), turn("agent", "嗯"), turn("agent", "抱歉")]),
        line("c2", "a2", vec![turn("customer", "太差劲"), turn("agent", "抱歉"), turn("customer", "开玩笑,气死")]),
        line("c3", "a1", vec![turn("customer", "在吗"), turn("agent", "在")]),
    ];
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path.display().to_string()
}

/// Standard output of a command that ends with this code.
fn run(args: &[&str], code: i32) -> String {
    let out = zhijian().arg("rules").args(args).assert().code(code).get_output().clone();
    String::from_utf8(out.stdout).unwrap()
}

/// Standard error of a command that cannot run.
fn refused(args: &[&str]) -> String {
    let out = zhijian().arg("rules").args(args).assert().code(2).get_output().clone();
    String::from_utf8(out.stderr).unwrap()
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&run(args, 0)).unwrap()
}

#[test]
fn explain_tells_turns_near_misses_and_steps() {
    let dir = tempfile::tempdir().unwrap();
    let (pack, night) = (shop(dir.path()), conversations(dir.path()));
    insta::assert_snapshot!("explain", run(&["explain", &night, "c1", "--rules", &pack], 0));
    let unless = run(&["explain", &night, "c2", "--rules", &pack], 0);
    assert!(unless.contains("同一条消息带有「玩笑」(joke)(unless)"), "{unless}");
    let chat = ["--chat", "客: 不太差", "--chat", "服: 不用说抱歉", "--chat", "机: 抱歉"];
    let text = run(&[&["explain", "--rules", &pack, "--rule", "soothe"][..], &chat].concat(), 0);
    assert!(text.contains("前面有否定词(negation)"), "{text}");
    assert!(text.contains("同一句里有例外“不用说抱歉”"), "{text}");
    assert!(text.contains("机器人的话不记功过"), "{text}");
    assert!(text.contains("差点算作「不满」"), "{text}");
    let whole = run(&["explain", &night, "c1", "--rules", &pack, "--pii", "keep"], 0);
    assert!(whole.contains("13812345678"));
    let value = json(&["explain", &night, "c1", "soothe", "--rules", &pack, "--json"]);
    assert_eq!(value["rules"][0]["outcome"], "hit");
    assert_eq!(value["turns"][0]["hits"][0]["marker"], "angry");
}

#[test]
fn explain_refuses_what_it_cannot_find() {
    let dir = tempfile::tempdir().unwrap();
    let (pack, night) = (shop(dir.path()), conversations(dir.path()));
    assert!(refused(&["explain", &night, "c9", "--rules", &pack]).contains("会话编号形如 c1"));
    assert!(refused(&["explain", &night, "c1", "sooth", "--rules", &pack]).contains("是不是想写 `soothe`"));
    assert!(refused(&["explain", &night, "--rules", &pack]).contains("会话编号"));
    assert!(refused(&["explain", "--chat", "甲: 好", "--rules", &pack]).contains("说话人"));
}

#[test]
fn check_lists_what_never_fires() {
    let dir = tempfile::tempdir().unwrap();
    let (pack, night) = (shop(dir.path()), conversations(dir.path()));
    let text = run(&["check", "--rules", &pack, "--data", &night], 0);
    assert!(text.contains("sorry: 对不起"), "{text}");
    assert!(text.contains("规则 0 / 1 条: 无"), "{text}");
    assert!(!text.contains("shared-phrase"));
}

#[test]
fn test_counts_by_kind_and_covers() {
    let dir = tempfile::tempdir().unwrap();
    let pack = shop(dir.path());
    let text = run(&["test", "--rules", &pack, "--coverage"], 0);
    for part in ["待办 rule soothe", "标记 3 个,例子 6 个(hit 3,miss 3): 通过 6", "对不起", "1/2", "待办 1"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(run(&["test", "--rules", &pack, "--quiet"], 0), "");
    assert!(refused(&["test", "sory", "--rules", &pack]).contains("`sorry`"));
}

#[test]
fn diff_tells_gained_lost_and_agents() {
    let (dir, changed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (pack, night) = (shop(dir.path()), conversations(dir.path()));
    let other = shop(changed.path());
    let marker = changed.path().join("markers/sorry.toml");
    let text = std::fs::read_to_string(&marker).unwrap().replace("phrases = [", "phrases = [\"嗯\", ");
    std::fs::write(&marker, text).unwrap();
    let value = json(&["diff", &pack, &other, &night, "--json", "--quiet"]);
    assert_eq!(value["conversations"], 3);
    assert_eq!(value["lost"][0]["conversation_id"], "c1");
    assert_eq!(value["rules"]["soothe"]["lost"], 1);
    assert_eq!(value["agents"][0]["agent_id"], "a1");
    assert_eq!(value["agents"][0]["rank"], serde_json::json!([2, 1]));
    let text = run(&["diff", &pack, &other, &night], 0);
    assert!(text.contains("消失的发现 1 条") && text.contains("“太差”"), "{text}");
    let same = run(&["diff", &pack, &pack, &night], 0);
    assert!(same.contains("0 通结果有变") && same.contains("都没有变"), "{same}");
    assert!(refused(&["diff", &pack, &pack, "-"]).contains("标准输入"));
}

#[test]
fn schemas_are_json_and_written_to_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let marker = json(&["schema", "marker"]);
    assert_eq!(marker["properties"]["role"]["enum"], serde_json::json!(["agent", "customer", "any"]));
    let out = dir.path().join("schema").display().to_string();
    run(&["schema", "--out", &out], 0);
    for kind in ["marker", "rule", "scorecard", "pack", "topics"] {
        let text = std::fs::read_to_string(format!("{out}/{kind}.schema.json")).unwrap();
        assert!(serde_json::from_str::<Value>(&text).unwrap()["properties"].is_object());
    }
}

#[test]
fn new_files_are_valid_as_they_stand_and_never_overwrite() {
    let dir = tempfile::tempdir().unwrap();
    let pack = dir.path().join("my shop").display().to_string();
    run(&["new", "pack", &pack], 0);
    run(&["check", "--rules", &pack], 0);
    run(&["new", "marker", "group_buy", "--rules", &pack], 0);
    run(&["new", "rule", "group-buy", "--rules", &pack], 0);
    run(&["check", "--rules", &pack], 0);
    run(&["test", "group_buy", "group-buy", "--rules", &pack], 0);
    assert!(refused(&["new", "marker", "group_buy", "--rules", &pack]).contains("已经存在"));
    assert!(refused(&["new", "pack", &pack]).contains("已经存在"));
    assert!(refused(&["new", "marker", "../evil", "--rules", &pack]).contains("编号"));
    assert!(refused(&["new", "marker", "abuse", "--rules", &pack]).contains("[marker.abuse]"));
    assert!(refused(&["new", "marker", "x"]).contains("rules new pack"));
    // In a pack without the usual markers, the rule is built on those there are.
    let small = shop(&dir.path().join("small"));
    run(&["new", "rule", "own", "--rules", &small], 0);
    run(&["test", "own", "--rules", &small], 0);
}

#[test]
fn import_keeps_the_file_and_says_what_it_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let pack = shop(dir.path());
    let table = dir.path().join("p.csv").display().to_string();
    let (gbk, _, _) = encoding_rs::GBK.encode("序号,短语\n1,太差\n2,坑\n3,骗人的\n4,骗 人的,\n");
    std::fs::write(&table, &gbk).unwrap();
    let dry = run(&["import", "angry", &table, "--column", "2", "--rules", &pack, "--dry-run"], 0);
    for part in ["表头", "已经有了", "只有一个字", "加入 第 4 行 骗人的", "没有改动文件"] {
        assert!(dry.contains(part), "{part}\n{dry}");
    }
    let file = dir.path().join("markers/angry.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    assert!(!before.contains("骗人的"));
    run(&["import", "angry", &table, "--column", "2", "--rules", &pack], 0);
    let after = std::fs::read_to_string(&file).unwrap();
    assert_eq!(after, before.replace("\"气死\",\n", "\"气死\",\n  \"骗人的\", \"骗 人的\",\n"));
    // What breaks an example is not written.
    let bad = dir.path().join("bad.txt").display().to_string();
    std::fs::write(&bad, "# 说明\n不是太差\n").unwrap();
    assert!(run(&["import", "angry", &bad, "--rules", &pack], 1).contains("没有写入"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
    run(&["import", "angry", &bad, "--rules", &pack, "--force"], 0);
    assert!(refused(&["import", "angri", &bad, "--rules", &pack]).contains("`angry`"));
    assert!(refused(&["import", "angry", &bad]).contains("--rules"));
}

/// A workbook of one sheet with texts in place, the least Excel accepts.
fn workbook(path: &Path, cells: &[(&str, &str)]) {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let own: String =
        cells.iter().map(|(at, t)| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{t}</t></is></c>")).collect();
    let rows: String = format!("<row r=\"1\">{own}</row>");
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    for (name, text) in [
        ("[Content_Types].xml", format!("<Types xmlns=\"{package}/content-types\"/>")),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{rel}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{rel}\"><sheets><sheet name=\"s\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{rel}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>")),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn import_reads_workbooks_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let pack = shop(dir.path());
    let book = dir.path().join("p.xlsx");
    workbook(&book, &[("A1", "骗人的"), ("B1", "别的")]);
    let path = book.display().to_string();
    assert!(run(&["import", "angry", &path, "--rules", &pack], 0).contains("加入 第 1 行 骗人的"));
    workbook(&book, &[("A1", "坑人的"), ("XFD1048576", "x")]);
    assert!(refused(&["import", "angry", &path, "--rules", &pack]).contains("不像短语表"));
    std::fs::write(&book, "no zip").unwrap();
    assert!(refused(&["import", "angry", &path, "--rules", &pack]).contains("XLSX"));
}

#[test]
fn hot_counts_phrases() {
    let dir = tempfile::tempdir().unwrap();
    let (pack, night) = (shop(dir.path()), conversations(dir.path()));
    let value = json(&["hot", &night, "--rules", &pack, "--json"]);
    assert_eq!(value["conversations"], 3);
    let phrases = value["phrases"].as_array().unwrap();
    let bad = phrases.iter().find(|p| p["phrase"] == "太差").unwrap();
    assert_eq!((bad["hits"].as_u64(), bad["conversations"].as_u64()), (Some(2), Some(2)));
    assert!(!bad["quotes"].to_string().contains("13812345678"));
    let sorry = phrases.iter().find(|p| p["phrase"] == "抱歉").unwrap();
    assert_eq!(sorry["agent_share"], 1.0);
    let text = run(&["hot", &night, "--rules", &pack, "--top", "1"], 0);
    assert!(text.contains("会话 3 通"), "{text}");
    // Blocks that take any words are no phrases.
    let all = json(&["hot", &night, "--json"]);
    let all = all["phrases"].as_array().unwrap();
    assert!(!all.is_empty() && all.iter().all(|p| p["marker"] != "customer_says"), "{all:?}");
}

#[test]
fn doc_writes_and_checks_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let pack = shop(dir.path());
    insta::assert_snapshot!("doc", run(&["doc", "--rules", &pack], 0));
    let file = dir.path().join("README.md").display().to_string();
    run(&["doc", "--rules", &pack, "--out", &file], 0);
    run(&["doc", "--rules", &pack, "--check", &file], 0);
    let old = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, old.replace("先安抚", "后安抚")).unwrap();
    run(&["doc", "--rules", &pack, "--check", &file], 1);
    std::fs::write(&file, "own words").unwrap();
    assert!(refused(&["doc", "--rules", &pack, "--out", &file]).contains("没有"));
}

/// The generated part of the packs' own README, once it has one, is what the pack says today.
#[test]
fn the_packs_reference_is_up_to_date() {
    let path = common::root().join("rules/README.md");
    if std::fs::read_to_string(&path).is_ok_and(|t| t.contains(zhijian::tools::doc::BEGIN)) {
        run(&["doc", "--check", &path.display().to_string()], 0);
    }
}
