//! How well personal data is found, measured on `fixtures/pii/challenge.jsonl`, and that none of it is in any output.
#![allow(clippy::print_stdout)] // what was measured, and what was skipped and why

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use common::{lines, root, zhijian};
use zhijian::text::mask;

#[derive(Default)]
struct Count {
    expected: usize,
    found: usize,
    wrong: usize,
}

impl Count {
    fn recall(&self) -> f64 {
        self.found as f64 / self.expected.max(1) as f64
    }

    fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.wrong).max(1) as f64
    }
}

/// Least recall by class, and the precision over everything.
const FLOORS: [(&str, f64); 9] = [
    ("mobile", 0.97),
    ("landline", 0.95),
    ("id_card", 0.97),
    ("bank_card", 0.97),
    ("email", 0.9),
    ("address", 0.9),
    ("name", 0.9),
    ("account", 0.8),
    ("plate", 0.95),
];
const PRECISION: f64 = 0.98;

#[test]
fn personal_data_is_found_and_look_alikes_stay() {
    let cases = lines(&fs::read(root().join("fixtures/pii/challenge.jsonl")).unwrap());
    assert!(cases.len() >= 300);
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for case in &cases {
        let (class, text) = (case["class"].as_str().unwrap(), case["text"].as_str().unwrap());
        let count = counts.entry(class.to_owned()).or_default();
        let masked = mask(text);
        let (before, after): (Vec<char>, Vec<char>) = (text.chars().collect(), masked.chars().collect());
        assert_eq!(before.len(), after.len(), "{text} -> {masked}");
        let changed: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
        let mut free = changed.clone();
        for piece in case["mask"].as_array().unwrap() {
            let piece = piece.as_str().unwrap();
            let start = text[..text.find(piece).unwrap()].chars().count();
            let range = start..start + piece.chars().count();
            // A third of its letters and digits at the least (a mobile number keeps seven of eleven).
            let telling = range.clone().filter(|&i| before[i].is_alphanumeric()).count();
            let hidden = range.clone().filter(|&i| changed[i]).count();
            count.expected += 1;
            match hidden * 3 >= telling {
                true => count.found += 1,
                false => println!("missed {class}: {text} -> {masked}"),
            }
            free[range].fill(false);
        }
        if free.contains(&true) {
            count.wrong += 1;
            println!("wrong {class}: {text} -> {masked}");
        }
    }
    let (mut found, mut wrong) = (0, 0);
    for (class, count) in &counts {
        println!(
            "{class}: {} of {} found ({:.3}), {} wrong, precision {:.3}",
            count.found,
            count.expected,
            count.recall(),
            count.wrong,
            count.precision()
        );
        found += count.found;
        wrong += count.wrong;
    }
    let precision = found as f64 / (found + wrong) as f64;
    println!("precision over everything {precision:.3}");
    for (class, least) in FLOORS {
        assert!(counts[class].recall() >= least, "{class}: {:.3}", counts[class].recall());
    }
    assert!(precision >= PRECISION, "{precision:.3}");
}

/// What must be in no file, and occurs in every kind of text of the night.
const SECRETS: [&str; 6] =
    ["19900001234", "11010119900307", "622202123456789", "lin.secret@", "松柏路77号", "慕容雪见先生"];

fn night() -> String {
    let id = "110101199003077627";
    let turns = |n: usize| {
        serde_json::json!([
            {"role": "customer", "text": format!("太差劲了!等了三天,电话19900001234,身份证{id}"), "at": "2026-11-20T09:00:00+08:00"},
            {"role": "agent", "text": "加我微信19900001234 转账到6222021234567890128", "at": "2026-11-20T09:00:20+08:00"},
            {"role": "customer", "text": "垃圾客服,我要投诉!发到lin.secret@example.com", "at": "2026-11-20T09:01:00+08:00"},
            {"role": "agent", "text": "滚,慕容雪见先生,松柏路77号3栋502室的是吧", "at": "2026-11-20T09:02:00+08:00"},
            {"role": "customer", "text": format!("第{n}次了,19900001234 到底管不管"), "at": "2026-11-20T09:03:00+08:00"},
        ])
    };
    let mut out = String::new();
    for n in 0..30 {
        let record = serde_json::json!({"conversation_id": format!("P-{n}"), "agent_id": format!("a{}", n % 3), "channel": "chat",
            "started_at": "2026-11-20T09:00:00+08:00", "customer_id": "c1", "rating": 1, "turns": turns(n)});
        out += &format!("{record}\n");
    }
    out + "{\"conversation_id\":\"bad\",\"turns\":[{\"role\":\"customer\",\"text\":\"19900001234 慕容雪见先生 松柏路77号 lin.secret@example.com 卡6222021234567890128 证110101199003077627\"\n19900001234,谁\n"
}

/// Every text a folder holds, archives unpacked.
fn texts(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for (name, bytes) in common::files(folder) {
        if name.ends_with(".xlsx") {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            for i in 0..zip.len() {
                let mut part = zip.by_index(i).unwrap();
                let mut text = Vec::new();
                part.read_to_end(&mut text).unwrap();
                out.insert(format!("{name}/{}", part.name().unwrap()), text);
            }
        } else {
            out.insert(name, bytes);
        }
    }
    out
}

fn holding(texts: &BTreeMap<String, Vec<u8>>, secret: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, secret.as_bytes()).is_some();
    texts.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn masked_data_is_in_no_output() {
    let base = tempfile::tempdir().unwrap();
    let (input, out, store) =
        (base.path().join("night.jsonl"), base.path().join("out"), base.path().join("history.db"));
    fs::write(&input, night()).unwrap();
    for (pii, lang) in [("mask", "zh"), ("mask", "en"), ("keep", "zh")] {
        let run = zhijian()
            .arg("inspect")
            .arg(&input)
            .args(["--pii", pii, "--lang", lang, "--profiles", "detail", "--store"])
            .arg(&store)
            .arg("--out")
            .arg(&out)
            .assert()
            .success();
        let mut texts = texts(&out);
        texts.insert("the terminal".into(), [&run.get_output().stdout[..], &run.get_output().stderr[..]].concat());
        for name in ["history.db", "history.db-wal"] {
            if let Ok(bytes) = fs::read(base.path().join(name)) {
                texts.insert(name.into(), bytes);
            }
        }
        for name in
            ["summary.md", "scorecards.xlsx/xl/worksheets/sheet1.xml", "notify/feishu.json", "report/index.html"]
        {
            assert!(texts.contains_key(name), "{name} of {:?}", texts.keys());
        }
        for secret in SECRETS {
            let found = holding(&texts, secret);
            match pii {
                "mask" => assert!(found.is_empty(), "{secret} ({lang}) is in {found:?}"),
                _ => assert!(!found.is_empty(), "{secret} is nowhere, so that nothing was tested"),
            }
        }
        assert!(!holding(&texts, "****1234").is_empty() || pii == "keep", "the masked number is quoted");
        fs::remove_dir_all(&out).unwrap();
        fs::remove_file(&store).unwrap();
    }
}
