//! Every format of the registry, from its sample through the program: found by itself, the same when named, converted and
//! inspected as the source is; and what broken files come to.

mod common;

use std::path::{Path, PathBuf};

use common::{files, lines, root, zhijian};
use serde_json::Value;
use zhijian::input::FORMATS;

fn sample(name: &str) -> PathBuf {
    root().join("fixtures/formats").join(name)
}

/// What a sample needs said about it besides its content.
fn flags(id: &str) -> Vec<String> {
    let mapping = sample("mapped.toml").display().to_string();
    match id {
        "json-mapped" => vec!["--mapping".into(), mapping],
        "baidu-asr" => vec!["--roles".into(), "1=客服,2=客户".into()],
        "tencent-asr" => vec!["--roles".into(), "0=agent,1=customer".into()],
        _ => Vec::new(),
    }
}

/// Every sample with its format.
fn samples() -> Vec<(&'static str, &'static str)> {
    FORMATS.iter().flat_map(|f| f.samples.iter().map(|s| (f.id, *s))).collect()
}

/// The converted records of a file, and the rejects.
fn convert(path: &Path, flags: &[String]) -> (Vec<Value>, Vec<Value>) {
    let output = zhijian().arg("convert").arg(path).args(flags).arg("--quiet").output().unwrap();
    assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    let rejects: Vec<u8> =
        output.stderr.split_inclusive(|b| *b == b'\n').filter(|l| l.starts_with(b"{")).flatten().copied().collect();
    (lines(&output.stdout), lines(&rejects))
}

/// A file under a name, converted.
fn convert_bytes(name: &str, bytes: &[u8], flags: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    convert(&path, &flags.iter().map(|f| f.to_string()).collect::<Vec<_>>())
}

fn inspect(inputs: &[&Path], flags: &[String], out: &Path) {
    let pack = root().join("fixtures/packs/mini");
    let mut command = zhijian();
    command.arg("inspect").args(inputs).args(flags).arg("--out").arg(out);
    command.args(["--quiet", "--report", "none", "--rules"]).arg(pack).assert().success();
}

#[test]
fn samples_are_found_by_themselves_and_by_name() {
    for (id, name) in samples() {
        let path = sample(name);
        let plain = convert(&path, &flags(id));
        assert!(!plain.0.is_empty() && plain.1.is_empty(), "{name}: {:?}", plain.1);
        let named: Vec<_> = flags(id).into_iter().chain(["--format".into(), id.into()]).collect();
        assert_eq!(convert(&path, &named), plain, "{name}");
        let shown = zhijian().args(["formats", "show"]).arg(&path).args(flags(id)).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.contains(&format!("格式 {id}(")), "{shown}");
        // by content alone: no extension, from standard input, compressed
        if id != "csv" && id != "tsv" {
            let bytes = std::fs::read(&path).unwrap();
            let piped =
                zhijian().args(["convert", "-", "--quiet"]).args(flags(id)).write_stdin(bytes).output().unwrap();
            assert_eq!(lines(&piped.stdout).len(), plain.0.len(), "{name}: {}", String::from_utf8_lossy(&piped.stderr));
        }
        let packed = zstd::encode_all(&std::fs::read(&path).unwrap()[..], 1).unwrap();
        let flags: Vec<_> = flags(id);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        assert_eq!(convert_bytes(&format!("{name}.zst"), &packed, &flags), plain, "{name}");
    }
}

#[test]
fn converted_is_inspected_as_the_source_is() {
    let base = tempfile::tempdir().unwrap();
    for (id, name) in samples() {
        let (direct, converted) =
            (base.path().join(format!("{name}.direct")), base.path().join(format!("{name}.converted")));
        let jsonl = base.path().join(format!("{name}.jsonl"));
        zhijian().arg("convert").arg(sample(name)).args(flags(id)).arg("--out").arg(&jsonl).assert().success();
        inspect(&[&sample(name)], &flags(id), &direct);
        inspect(&[&jsonl], &[], &converted);
        let (direct, converted) = (files(&direct), files(&converted));
        assert!(!direct["conversations.jsonl"].is_empty());
        for file in ["conversations.jsonl", "scorecards.csv", "metrics.csv", "rejects.jsonl"] {
            assert!(direct[file] == converted[file], "{name}: {file} differs");
        }
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let output = zhijian().args(["formats", "--markdown"]).output().unwrap();
    let written = std::fs::read_to_string(sample("README.md")).unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        written,
        "zhijian formats --markdown > fixtures/formats/README.md"
    );
    let listed: Vec<_> = samples().into_iter().map(|s| s.1.to_owned()).collect();
    for entry in std::fs::read_dir(sample("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            listed.contains(&name) || ["README.md", "mapped.toml"].contains(&name.as_str()),
            "{name} is in no format"
        );
    }
}

#[test]
fn dry_runs_say_what_was_understood() {
    for (id, name) in [("xlsx", "messages.xlsx"), ("chat-log", "qianniu.txt"), ("json-mapped", "mapped.json")] {
        let path = format!("fixtures/formats/{name}");
        let output = zhijian()
            .args(["inspect", &path, "--dry-run"])
            .args(flags(id))
            .assert()
            .success()
            .get_output()
            .stdout
            .clone();
        insta::assert_snapshot!(format!("dry-run-{id}"), String::from_utf8(output).unwrap());
    }
    let refused = zhijian()
        .args(["formats", "show", "fixtures/formats/baidu-asr.json"])
        .assert()
        .code(1)
        .get_output()
        .stdout
        .clone();
    insta::assert_snapshot!("dry-run-unknown-speakers", String::from_utf8(refused).unwrap());
    insta::assert_snapshot!("formats", String::from_utf8(zhijian().arg("formats").output().unwrap().stdout).unwrap());
}

#[test]
fn what_a_workbook_holds() {
    let (direct, _) = convert(&sample("messages.xlsx"), &[]);
    let (csv, _) = convert(&sample("messages.parquet"), &[]);
    assert_eq!(direct, csv, "the same messages in two coats");
    assert_eq!(direct[0]["order_id"], "20261120000000017");
    assert_eq!(direct[0]["turns"][1]["at"], "2026-11-20T09:00:20+08:00");
    assert_eq!(direct[0]["turns"][1]["text"], "非常抱歉,\n我马上为您补发");
    assert_eq!(direct[0]["agents"][0]["team"], "售后一组");
    assert_eq!(direct, convert(&sample("messages.xls"), &[]).0);
    assert_eq!(direct, convert(&sample("messages.arrows"), &[]).0);
}

#[test]
fn vendors_keep_their_channel_times_and_people() {
    let first = |name: &str, id: &str| convert(&sample(name), &flags(id)).0.swap_remove(0);
    let voice = first("contact-lens-voice.json", "");
    assert_eq!((&voice["conversation_id"], &voice["channel"]), (&"F-voice-1".into(), &"phone".into()));
    let chat = first("contact-lens-chat.json", "");
    assert_eq!((chat["channel"].as_str(), chat["turns"].as_array().unwrap().len()), (Some("chat"), 4));
    assert_eq!((&chat["turns"][0]["role"], &chat["turns"][3]["kind"]), (&"bot".into(), &"file".into()));
    assert_eq!(chat["turns"][2]["at"], "2026-11-20T09:00:20.5+08:00");
    let ccai = first("ccai.json", "");
    assert_eq!((&ccai["turns"][1]["begin_ms"], &ccai["conversation_id"]), (&3500.into(), &"ccai".into()));
    assert!(ccai["turns"][1].get("end_ms").is_none(), "no end is no end, not 0");
    let upload = first("aliyun-upload.json", "");
    assert_eq!((&upload["stage"], &upload["turns"][0]["agent_id"]), (&"aftersale".into(), &"a01".into()));
    for (name, id) in [
        ("baidu-asr.json", "baidu-asr"),
        ("tencent-asr.json", "tencent-asr"),
        ("huawei-asr.json", ""),
        ("call.srt", ""),
    ] {
        let call = first(name, id);
        assert_eq!(call["channel"], "phone", "{name}");
        assert_eq!(
            (&call["turns"][0]["role"], &call["turns"][1]["role"]),
            (&"agent".into(), &"customer".into()),
            "{name}"
        );
        assert!(call["turns"][1]["end_ms"].as_i64() > call["turns"][1]["begin_ms"].as_i64(), "{name}");
    }
    let mapped = first("mapped.json", "json-mapped");
    assert_eq!(mapped["turns"][0]["at"], "2026-11-20T09:00:01+08:00");
    assert_eq!((&mapped["channel"], &mapped["agents"][0]["name"]), (&"social".into(), &"小雨".into()));
}

#[test]
fn tencent_sentences_without_their_final_text_are_read_by_another() {
    let bytes = r#"{"Response":{"Data":{"TaskId":7,"StatusStr":"success","ResultDetail":[
        {"FinalSentence":"您好","WrittenText":null,"StartMs":0,"EndMs":900,"SpeakerId":0},
        {"FinalSentence":null,"WrittenText":"我要退货。","SliceSentence":"我 要退货","StartMs":1000,"EndMs":1900,"SpeakerId":1},
        {"FinalSentence":null,"SliceSentence":"好的 马上","StartMs":2000,"EndMs":2900,"SpeakerId":0}]}}}"#;
    let flags = ["--roles", "0=agent,1=customer"];
    let (conversations, rejects) = convert_bytes("tencent.json", bytes.as_bytes(), &flags);
    assert_eq!(rejects, Vec::<Value>::new());
    let said: Vec<_> = conversations[0]["turns"].as_array().unwrap().iter().map(|t| t["text"].as_str()).collect();
    assert_eq!(said, [Some("您好"), Some("我要退货。"), Some("好的马上")]);
}

#[test]
fn nobody_is_taken_for_the_agent_by_chance() {
    for name in ["baidu-asr.json", "tencent-asr.json"] {
        let (read, rejects) = convert(&sample(name), &[]);
        assert!(read.is_empty(), "{name}");
        assert_eq!(rejects[0]["code"], "unknown-speaker");
        assert!(rejects[0]["reason"].as_str().unwrap().contains("--roles"));
    }
    let vtt = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v 张三>您好\n\n00:01.000 --> 00:02.000\n<v 李四>退款\n".as_bytes();
    assert_eq!(convert_bytes("a.vtt", vtt, &[]).1[0]["code"], "unknown-speaker");
    let (read, _) = convert_bytes("a.vtt", vtt, &["--agent-names", "张三"]);
    assert_eq!((&read[0]["agent_id"], &read[0]["turns"][1]["role"]), (&"张三".into(), &"customer".into()));
}

#[test]
fn a_broken_record_costs_itself() {
    let array = r#"[{"conversation_id":"a","turns":[{"role":"客服","text":"好"}]},{"conversation_id":"b","turns":7},{"x":},
        {"conversation_id":"c","turns":[{"role":"客服","text":"好"}]}]"#;
    let (read, rejects) = convert_bytes("a.json", array.as_bytes(), &[]);
    assert_eq!(read.iter().map(|r| &r["conversation_id"]).collect::<Vec<_>>(), ["a", "c"]);
    let places: Vec<_> = rejects.iter().map(|r| (r["place"].as_str().unwrap(), r["code"].as_str().unwrap())).collect();
    assert_eq!(places, [("/1", "bad-turns"), ("/2", "bad-json")]);
    assert_eq!(rejects[0]["raw"], r#"{"conversation_id":"b","turns":7}"#);
    let upload = r#"{"tickets":[{"tid":"a","dialogue":[{"role":"客服","words":"好"},{"role":"客户","words":7}]},{"tid":"b","dialogue":[{"role":"谁","words":"好"}]},{"dialogue":[]},{"tid":"c","dialogue":[{"role":"客服","words":"好","begin":-5}]}],"business":"售后"}"#;
    let (read, rejects) = convert_bytes("u.json", upload.as_bytes(), &[]);
    assert!(read.is_empty());
    let places: Vec<_> = rejects.iter().map(|r| (r["place"].as_str().unwrap(), r["code"].as_str().unwrap())).collect();
    let expected = [
        ("/tickets/0/dialogue/1/words", "bad-text"),
        ("/tickets/1/dialogue/0/role", "bad-role"),
        ("/tickets/2", "missing-id"),
        ("/tickets/3/dialogue/0/begin", "bad-value"),
    ];
    assert_eq!(places, expected);
}

#[test]
fn cut_and_twisted_samples_never_stop_a_run() {
    for (id, name) in samples() {
        let bytes = std::fs::read(sample(name)).unwrap();
        let flags = flags(id);
        let flags: Vec<_> = flags.iter().map(String::as_str).chain(["--format", id]).collect();
        for cut in [1, 3, 5, 7] {
            let (read, rejects) = match run(name, &bytes[..bytes.len() * cut / 8], &flags) {
                Some(found) => found,
                // columns that cannot be told are said before the run
                None => continue,
            };
            assert!(!rejects.is_empty() || !read.is_empty(), "{name} cut at {cut}/8");
        }
        for at in (8..bytes.len()).step_by(bytes.len() / 6 + 1) {
            let mut twisted = bytes.clone();
            twisted[at] ^= 0x55;
            run(name, &twisted, &flags);
        }
    }
}

/// The result of a conversion that may be refused, but must not panic.
fn run(name: &str, bytes: &[u8], flags: &[&str]) -> Option<(Vec<Value>, Vec<Value>)> {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let output = zhijian().arg("convert").arg(&path).args(flags).arg("--quiet").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => {
            let rejects: Vec<u8> = output
                .stderr
                .split_inclusive(|b| *b == b'\n')
                .filter(|l| l.starts_with(b"{"))
                .flatten()
                .copied()
                .collect();
            Some((lines(&output.stdout), lines(&rejects)))
        }
        Some(2) => {
            assert!(told.contains("错误: "), "{name}: {told}");
            None
        }
        other => panic!("{name}: {other:?} {told}"),
    }
}

#[test]
fn hostile_sizes_are_refused() {
    let deep = format!("[{}{}]", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(convert_bytes("deep.json", deep.as_bytes(), &["--format", "json"]).1[0]["code"], "bad-json");
    let nested = format!("{{\"tickets\":[{{\"tid\":\"a\",\"dialogue\":{}{}}}]}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(convert_bytes("n.json", nested.as_bytes(), &[]).1[0]["code"], "bad-json");
    // two cells a sheet apart
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("far.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in ["会话ID", "角色", "内容"].iter().enumerate() {
        sheet.write(0, column as u16, *name).unwrap();
        sheet.write(1, column as u16, ["c1", "客服", "您好"][column]).unwrap();
    }
    sheet.write(1_048_575, 16_383, "远").unwrap();
    book.save(&path).unwrap();
    let (read, rejects) = convert(&path, &[]);
    assert_eq!((read.len(), rejects.len()), (1, 0));
    // digits gone before we saw them
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in ["会话ID", "角色", "内容", "订单号"].iter().enumerate() {
        sheet.write(0, column as u16, *name).unwrap();
    }
    for (row, number) in [(1, 1.0), (2, 2e17)] {
        sheet.write(row, 0, number).unwrap();
        sheet.write(row, 1, "客服").unwrap();
        sheet.write(row, 2, "您好").unwrap();
        sheet.write(row, 3, 2_026_112_000_000_000.0).unwrap();
    }
    book.save(&path).unwrap();
    let (read, rejects) = convert(&path, &[]);
    assert_eq!((&read[0]["conversation_id"], &read[0]["order_id"]), (&"1".into(), &"2026112000000000".into()));
    assert_eq!((&rejects[0]["code"], &rejects[0]["place"]), (&"lost-digits".into(), &"Sheet1!A3".into()));
}

#[test]
fn a_mapping_is_checked_whole_and_a_guess_is_one() {
    let base = tempfile::tempdir().unwrap();
    let bad = base.path().join("bad.toml");
    std::fs::write(&bad, "fromat = \"csv\"\ntimezone = \"x\"\n[columns]\ntexts = \"a\"\n[roles]\na = \"b\"\n").unwrap();
    let output = zhijian()
        .arg("convert")
        .arg(sample("messages.csv"))
        .arg("--mapping")
        .arg(&bad)
        .assert()
        .code(2)
        .get_output()
        .stderr
        .clone();
    let told = String::from_utf8(output).unwrap();
    for part in ["bad.toml:1:1", "bad.toml:2:12", "bad.toml:4:1", "bad.toml:6:5", "4 处错误"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let odd = base.path().join("odd.csv");
    std::fs::write(&odd, "流水,谁说的,何时,说了什么,渠道\nF1,买,2026-11-20 09:00:00,什么时候发货啊,TB\nF1,卖,2026-11-20 09:00:10,今天下午五点前发出,TB\n").unwrap();
    zhijian().arg("convert").arg(&odd).assert().code(2);
    let json = zhijian()
        .args(["formats", "guess", "fixtures/formats/mapped.json"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let json = String::from_utf8(json).unwrap();
    for part in ["turns = \"msgs\"", "text = \"body\""] {
        assert!(json.contains(part), "{part}: {json}");
    }
    let guess = zhijian().args(["formats", "guess"]).arg(&odd).assert().success().get_output().stdout.clone();
    let guess = String::from_utf8(guess).unwrap();
    let mended =
        guess.replace("# \"买\" = \"…\"", "\"买\" = \"customer\"").replace("# \"卖\" = \"…\"", "\"卖\" = \"agent\"");
    assert_ne!(guess, mended, "{guess}");
    let mapping = base.path().join("odd.toml");
    std::fs::write(&mapping, mended).unwrap();
    let (read, rejects) = convert(&odd, &["--mapping".into(), mapping.display().to_string()]);
    assert_eq!((read.len(), rejects.len()), (1, 0), "{guess}");
    assert_eq!(read[0]["turns"][1]["role"], "agent");
    assert_eq!(read[0]["turns"][1]["at"], "2026-11-20T09:00:10+08:00");
}

#[test]
fn what_fits_two_formats_is_an_error() {
    let both = r#"{"entries":[{"text":"a","role":"AGENT"}],"asr_result":[]}"#;
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("both.json");
    std::fs::write(&path, both).unwrap();
    let told = zhijian().arg("convert").arg(&path).assert().code(2).get_output().stderr.clone();
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("ccai") && told.contains("baidu-asr") && told.contains("--format"), "{told}");
    let named =
        zhijian().arg("convert").arg(&path).args(["--format", "parquet"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8(named).unwrap().contains("parquet"));
}
