//! Lists of records inside the object an interface answered with: found by themselves, read as the list alone would be,
//! and what is not read is said.

mod common;

use std::path::Path;

use common::{lines, root, zhijian};
use serde_json::Value;

/// The converted conversations of a text, its rejects and what else was said.
fn convert(name: &str, text: &str, flags: &[&str]) -> (Vec<Value>, Vec<Value>, String) {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join(name), text).unwrap();
    let output = zhijian().current_dir(base.path()).args(["convert", name, "--quiet"]).args(flags).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (rejects, said): (Vec<_>, Vec<_>) = said.lines().partition(|l| l.starts_with('{'));
    (lines(&output.stdout), lines(rejects.join("\n").as_bytes()), said.join("\n"))
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(root().join("fixtures/formats").join(name)).unwrap()
}

#[test]
fn every_list_reads_as_it_would_alone() {
    for (name, flags) in [
        ("messages.json", &[][..]),
        ("array.json", &[]),
        ("contact-lens-chat.json", &[]),
        ("huawei-asr.json", &[]),
        ("baidu-asr.json", &["--roles", "1=客服,2=客户"]),
        ("tencent-asr.json", &["--roles", "0=agent,1=customer"]),
    ] {
        let list: Value = serde_json::from_str(&fixture(name)).unwrap();
        let list = if list.is_array() { list } else { Value::Array(vec![list]) };
        let (expected, none, _) = convert("a.json", &list.to_string(), flags);
        assert!(!expected.is_empty() && none.is_empty(), "{name}: {none:?}");
        for (wrapped, way) in [
            (serde_json::json!({"code": 0, "data": list, "total": 2}), "/data"),
            (serde_json::json!({"result": {"list": list, "tags": [{"id": 1, "name": "售后"}]}}), "/result/list"),
            (serde_json::json!({"a": {"b": {"rows": list}}, "z": "]}"}), "/a/b/rows"),
        ] {
            for text in [wrapped.to_string(), serde_json::to_string_pretty(&wrapped).unwrap()] {
                let (found, rejects, said) = convert("a.json", &text, flags);
                assert_eq!((found, rejects.len()), (expected.clone(), 0), "{name} {way}: {rejects:?} {said}");
                let known = name == "array.json" && way == "/data";
                assert!(said.contains(&format!("列表 {way}")) != known, "{name}: {said}");
                assert_eq!(said.contains("没有读其他列表 /result/tags"), way == "/result/list", "{said}");
            }
        }
    }
}

#[test]
fn rejects_tell_the_line_of_the_file_and_the_place() {
    let text = "{\n \"code\": 0,\n \"result\": {\"items\": [\n  {\"conversation_id\": \"1\", \"turns\": [{\"role\":\"客服\",\"text\":\"您好\"}]},\n  {\"conversation_id\": \"2\", \"turns\": []}\n ]}\n}\n";
    let (found, rejects, _) = convert("a.json", text, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!((&rejects[0]["line"], &rejects[0]["place"]), (&5.into(), &"/result/items/1".into()), "{rejects:?}");
    let text = "{\n \"rows\": [\n  {\"sid\": \"1\", \"role\": \"客服\", \"text\": \"您好\"},\n  {\"sid\": \"1\", \"role\": \"谁\", \"text\": \"在\"}\n ]\n}\n";
    let (found, rejects, _) = convert("a.json", text, &[]);
    assert_eq!((found.len(), &rejects[0]["line"]), (1, &4.into()), "{rejects:?}");
}

#[test]
fn pages_errors_and_cut_files() {
    let page = |id: &str| format!(r#"{{"code":0,"data":[{{"sid":"{id}","role":"客服","text":"您好"}}]}}"#);
    let error = r#"{"code":429,"message":"请求过于频繁"}"#;
    let (found, rejects, _) = convert("a.jsonl", &format!("{}\n{error}\n{}\n", page("1"), page("2")), &[]);
    assert_eq!(found.len(), 2);
    assert_eq!((&rejects[0]["raw"], &rejects[0]["line"], rejects.len()), (&error.into(), &2.into(), 1));
    let whole = page("1");
    for cut in [whole.len() - 1, whole.len() - 2, whole.len() - 3] {
        let (found, rejects, _) = convert("a.json", &whole[..cut], &[]);
        assert_eq!((found.len(), rejects.len()), (usize::from(cut + 3 > whole.len()), 1), "{cut}: {rejects:?}");
        assert_eq!(rejects[0]["code"], "bad-json");
    }
}

#[test]
fn what_is_not_found_is_explained() {
    let (found, rejects, _) = convert("a.json", r#"{"code":0,"data":[{"who":"客服","words":"您好"}]}"#, &[]);
    assert!(found.is_empty());
    let reason = rejects[0]["reason"].as_str().unwrap();
    for part in ["/data", "who、words", "--mapping"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    // the same, its keys named
    let base = tempfile::tempdir().unwrap();
    let mapping = base.path().join("m.toml");
    std::fs::write(&mapping, "[columns]\nconversation_id = \"n\"\nrole = \"who\"\ntext = \"words\"\n").unwrap();
    let text = r#"{"code":0,"data":[{"n":"1","who":"客服","words":"您好"}]}"#;
    let (found, rejects, said) = convert("a.json", text, &["--mapping", mapping.to_str().unwrap()]);
    assert_eq!((found.len(), rejects.len()), (1, 0), "{said}");
    let two = r#"{"a":[{"sid":"1","role":"客服","text":"您好"}],"b":[{"conversation_id":"1","turns":[{"role":"客服","text":"您好"}]}]}"#;
    let (found, _, said) = convert("a.json", two, &[]);
    assert!(found.is_empty() && said.contains("/a(json-messages)、/b(json)") && said.contains("jq"), "{said}");
    let (found, _, said) = convert("a.json", two, &["--format", "json"]);
    assert!(found.len() == 1 && said.contains("没有读其他列表 /a"), "{said}");
}

#[test]
fn a_dry_run_shows_the_list() {
    let path = Path::new("fixtures/formats/messages-wrapped.json");
    let output = zhijian().arg("inspect").arg(path).arg("--dry-run").output().unwrap();
    insta::assert_snapshot!("dry-run-wrapped", String::from_utf8(output.stdout).unwrap());
}
