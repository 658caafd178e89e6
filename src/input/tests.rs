//! The module as a whole: files in, items out, every record accounted for.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::compression::tests::{gzip, zstd};
use super::*;
use crate::conversation::Role;

/// Everything read from some inputs: conversations as `id@line[roles+texts]`, rejects as `!code@line:column`.
struct Read {
    items: Vec<String>,
    rejects: Vec<Reject>,
    files: Vec<FileSummary>,
    bytes: u64,
}

fn options() -> InputOptions {
    InputOptions::default()
}

fn read_with(inputs: &[&Path], options: InputOptions) -> Result<Read, crate::error::Error> {
    let inputs: Vec<_> = inputs.iter().map(|p| p.display().to_string()).collect();
    let mut reader = Reader::open(&inputs, options)?;
    let mut out = Read { items: Vec::new(), rejects: Vec::new(), files: Vec::new(), bytes: 0 };
    let mut records = 0;
    let mut buffer = Vec::new();
    while let Some(block) = reader.next_block(buffer)? {
        out.bytes += block.bytes();
        block.visit(&mut |item| match item {
            Item::Conversation { conversation, line, records: n, .. } => {
                records += n;
                let turns = conversation.turns.iter().map(|t| format!("{}:{}", &t.role.as_str()[..1], t.text));
                let turns: Vec<_> = turns.collect();
                out.items.push(format!("{}@{line}[{}]", conversation.id, turns.join("|")));
            }
            Item::Reject(reject) => {
                records += reject.rows;
                let column = reject.column.map_or(String::new(), |c| format!(":{c}"));
                out.items.push(format!("!{}@{}{column}", reject.code, reject.line));
                out.rejects.push(reject);
            }
        });
        buffer = block.into_buffer();
    }
    out.files = reader.files().to_vec();
    let sum: u64 = out.files.iter().map(|f| f.records - f.blank).sum();
    assert_eq!(records, sum, "every record is accounted for: {:?}", out.items);
    let stored: u64 = out.files.iter().map(|f| f.bytes).sum();
    assert_eq!(reader.bytes_read(), stored);
    assert_eq!(reader.total_bytes(), Some(stored));
    Ok(out)
}

/// Reads one file under a name, with blocks of several sizes: the result must not depend on them.
fn read(name: &str, stored: &[u8], options: InputOptions) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, stored).unwrap();
    let expected = read_with(&[&path], options.clone()).unwrap();
    for block_bytes in [1, 7, 64] {
        let read = read_with(&[&path], InputOptions { block_bytes, ..options.clone() }).unwrap();
        assert_eq!(read.items, expected.items, "blocks of {block_bytes}");
        assert_eq!(read.files, expected.files);
    }
    expected
}

fn conversation(id: &str, text: &str) -> String {
    format!(r#"{{"conversation_id":"{id}","turns":[{{"role":"客服","text":"{text}"}}]}}"#)
}

/// The fault of one JSONL line: code and reason.
fn fault(line: &str) -> (&'static str, String) {
    let read = read("a.jsonl", line.as_bytes(), options());
    let reject = read.rejects.first().unwrap_or_else(|| panic!("not rejected: {line}"));
    (reject.code, reject.reason.clone())
}

/// One conversation, copied out of its block.
fn only<T>(
    name: &str,
    stored: &str,
    options: InputOptions,
    f: impl Fn(&crate::conversation::Conversation<'_>) -> T,
) -> T {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, stored).unwrap();
    let mut reader = Reader::open(&[path.display().to_string()], options).unwrap();
    let mut found = None;
    while let Some(block) = reader.next_block(Vec::new()).unwrap() {
        block.visit(&mut |item| match item {
            Item::Conversation { conversation, .. } => found = Some(f(&conversation)),
            Item::Reject(reject) => panic!("{reject:?}"),
        });
    }
    found.unwrap()
}

#[test]
fn jsonl_line_by_line() {
    let text = format!("\u{feff}{}\r\n\n  \r\nnot json\n{}", conversation("a", "您好"), conversation("b", "再见"));
    let read = read("n.jsonl", text.as_bytes(), options());
    assert_eq!(read.items, ["a@1[a:您好]", "!bad-json@4:2", "b@5[a:再见]"]);
    let file = &read.files[0];
    assert_eq!((file.records, file.blank, file.format, file.compression), (5, 2, "jsonl", "none"));
    assert_eq!(read.rejects[0].raw, "not json");
}

#[test]
fn every_field_of_the_native_format() {
    let line = r#"{"x":{"deep":[1]},"conversation_id":123,"channel":"电话","stage":"售后","queue":"q","tags":["vip","大促;加急",7],"customer_id":7,"order_id":null,
        "started_at":"2026-11-20 09:00","ended_at":1795136465,"rating":"5星","agent_id":"a0","labels":{"A":[1,2]},
        "agents":[{"id":"a1","name":"小王","team":"一组"},{"id":2}],
        "turns":[{"role":"customer","text":"\"急\"","at":"2026-11-20T09:01:05+08:00","begin_ms":0,"end_ms":"1200","confidence":0.5},
        {"role":1,"agent_id":"a1","kind":"图片","text":null},{"role":"bot","kind":"card"}]}"#
        .replace('\n', "");
    only("a.jsonl", &line, options(), |c| {
        assert_eq!(
            (c.id.as_ref(), c.channel.as_deref(), c.stage.as_deref()),
            ("123", Some("phone"), Some("aftersale"))
        );
        assert_eq!((c.customer_id.as_deref(), c.order_id.as_deref(), c.rating), (Some("7"), None, Some(5)));
        assert_eq!(c.started_at, Some(1_795_136_400_000));
        assert_eq!(c.ended_at, Some(1_795_136_465_000));
        assert_eq!(c.labels.as_deref(), Some(r#"{"A":[1,2]}"#));
        assert_eq!(c.tags, ["vip", "大促", "加急", "7"]);
        assert_eq!(c.agents[0].team.as_deref(), Some("一组"));
        assert_eq!(c.agents[1].id, "2");
        let turn = &c.turns[0];
        assert_eq!((turn.text.as_ref(), turn.at), ("\"急\"", Some(1_795_136_465_000)));
        assert_eq!((turn.begin_ms, turn.end_ms, turn.confidence), (Some(0), Some(1200), Some(0.5)));
        assert_eq!((c.turns[1].role, c.turns[1].kind, c.turns[1].text.as_ref()), (Role::Agent, Kind::Image, ""));
        assert_eq!(c.agent_of(&c.turns[1]), "a1");
    });
    use crate::conversation::Kind;
}

#[test]
fn texts_without_escapes_are_borrowed() {
    only("a.jsonl", &conversation("a", "您好"), options(), |c| {
        assert!(matches!(c.turns[0].text, std::borrow::Cow::Borrowed(_)));
        assert!(matches!(c.id, std::borrow::Cow::Borrowed(_)));
    });
}

#[test]
fn faults_name_field_and_turn() {
    let with = |field: &str| format!(r#"{{"conversation_id":"a",{field}"turns":[{{"role":"客服","text":"x"}}]}}"#);
    let turn = |turn: &str| format!(r#"{{"conversation_id":"a","turns":[{{"role":"客服","text":"x"}},{turn}]}}"#);
    for (line, code, part) in [
        (r#"{"turns":[{"role":"客服","text":"x"}]}"#.to_owned(), "missing-id", "conversation_id"),
        (with("").replace("\"a\"", "\" \""), "missing-id", "conversation_id"),
        (with("").replace("\"a\"", "[1]"), "bad-value", "conversation_id"),
        (r#"{"conversation_id":"a"}"#.into(), "bad-turns", "没有 turns"),
        (r#"{"conversation_id":"a","turns":[]}"#.into(), "bad-turns", "为空"),
        (r#"{"conversation_id":"a","turns":null}"#.into(), "bad-turns", "列表"),
        (r#"{"conversation_id":"a","turns":{"role":1}}"#.into(), "bad-turns", "列表"),
        (turn("5"), "bad-turns", "turns[1]"),
        (turn(r#"{"role":"经理","text":"x"}"#), "bad-role", "turns[1].role 的值 “经理”"),
        (turn(r#"{"text":"x"}"#), "bad-role", "turns[1].role 缺失"),
        (turn(r#"{"role":"客服","text":5}"#), "bad-text", "turns[1].text"),
        (turn(r#"{"role":"客服"}"#), "bad-text", "turns[1].text"),
        (turn(r#"{"role":"客服","text":"x","at":"昨天"}"#), "bad-value", "turns[1].at"),
        (turn(r#"{"role":"客服","text":"x","confidence":1.5}"#), "bad-value", "turns[1].confidence"),
        (turn(r#"{"role":"客服","text":"x","begin_ms":-1}"#), "bad-value", "turns[1].begin_ms"),
        (with(r#""rating":9,"#), "bad-value", "rating 的值 9"),
        (with(r#""started_at":true,"#), "bad-value", "started_at"),
        (with(r#""order_id":123456789012345678901,"#), "bad-value", "order_id"),
        (with(r#""agents":[{"name":"x"}],"#), "bad-value", "agents[0]"),
        (with("").replace("}]}", "}]"), "bad-json", "不完整"),
        (with("") + "{}", "bad-json", "不是合法的 JSON"),
        ("[1,2]".into(), "bad-json", "会话对象"),
        (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)), "bad-json", "会话对象"),
        (with(&format!("\"x\":{}1{},", "[".repeat(100_000), "]".repeat(100_000))), "ok", ""),
    ] {
        if code == "ok" {
            assert!(read("a.jsonl", line.as_bytes(), options()).rejects.is_empty());
            continue;
        }
        let (found, reason) = fault(&line);
        assert!(found == code && reason.contains(part), "{line}: {found} {reason}");
        assert!(REJECT_CODES.iter().any(|c| c.0 == found));
    }
}

#[test]
fn encodings_and_damage() {
    let text = format!("{}\n{}\n", conversation("a", "您好,在的"), conversation("b", "这个订单还没有发货"));
    let expected = ["a@1[a:您好,在的]", "b@2[a:这个订单还没有发货]"];
    let gbk = encoding_rs::GBK.encode(&text).0.into_owned();
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (stored, name) in [(gbk.clone(), "gb18030"), (utf16, "UTF-16LE"), (gzip(&gbk), "gb18030")] {
        let read = read("a.jsonl", &stored, options());
        assert_eq!(read.items, expected);
        assert_eq!(read.files[0].encoding, name);
    }
    // one bad line of UTF-8, one of GBK
    let bad = [text.as_bytes(), b"{\"conversation_id\":\"\xff\"}\n", text.as_bytes()].concat();
    let utf8 = read("a.jsonl", &bad, options());
    assert_eq!(utf8.items[2], "!encoding@3:21");
    assert_eq!(utf8.items.len(), 5);
    let bad = [gbk.as_slice(), b"{\"conversation_id\":\"\xff\"}\n", &gbk].concat();
    let read = read("a.jsonl", &bad, InputOptions { encoding: Some("gbk".into()), ..options() });
    assert_eq!(read.items[2], "!encoding@3:21");
    assert_eq!(read.items.len(), 5);
}

#[test]
fn truncated_and_corrupt_archives_keep_what_came_before() {
    let text: String = (0..4000).map(|i| conversation(&format!("c{i}"), &format!("{:x}", i * 7919)) + "\n").collect();
    for (name, stored) in [("a.jsonl.gz", gzip(text.as_bytes())), ("a.jsonl.zst", zstd(text.as_bytes()))] {
        let whole = read_one(name, &stored);
        assert_eq!((whole.items.len(), whole.rejects.len()), (4000, 0));
        let half = read_one(name, &stored[..stored.len() / 2]);
        let count = half.items.len();
        assert!(count > 100 && count < 4000, "{name} {count}");
        assert_eq!(half.rejects.len(), 1);
        assert_eq!(half.rejects[0].code, "truncated");
        assert_eq!(half.rejects[0].line, count as u64);
        assert!(half.items[count - 2].starts_with(&format!("c{}@", count - 2)));
    }
    let csv: String =
        "会话ID,角色,内容\n".to_owned() + &(0..4000).map(|i| format!("c{i},客服,{:x}\n", i * 7919)).collect::<String>();
    let stored = gzip(csv.as_bytes());
    let half = read_one("a.csv.gz", &stored[..stored.len() / 2]);
    assert!(half.items.len() > 100 && half.rejects.len() == 1);
    assert_eq!(half.rejects[0].line, half.files[0].records + 1);

    fn read_one(name: &str, stored: &[u8]) -> Read {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, stored).unwrap();
        read_with(&[&path], options()).unwrap()
    }
}

#[test]
fn overlong_lines_are_passed_over() {
    let limits = Limits { max_record_bytes: 200, ..Limits::default() };
    let long = conversation("long", &"长".repeat(500));
    let text = format!("{}\n{long}\n{}\n{long}", conversation("a", "x"), conversation("b", "y"));
    let read = read("a.jsonl", text.as_bytes(), InputOptions { limits, ..options() });
    assert_eq!(read.items, ["a@1[a:x]", "!too-long@2", "b@3[a:y]", "!too-long@4"]);
    assert!(read.rejects[0].raw.starts_with(r#"{"conversation_id":"long""#));
}

#[test]
fn conversations_have_bounded_turns() {
    let limits = Limits { max_turns: 2, ..Limits::default() };
    let turns = [r#"{"role":"客服","text":"x"}"#; 3].join(",");
    let line = format!(r#"{{"conversation_id":"a","turns":[{turns}]}}"#);
    let jsonl = read("a.jsonl", line.as_bytes(), InputOptions { limits, ..options() });
    assert_eq!(jsonl.rejects[0].code, "too-many-turns");
    let rows = "会话ID,角色,内容\n".to_owned() + &"a,客服,x\n".repeat(3);
    let csv = read("a.csv", rows.as_bytes(), InputOptions { limits, ..options() });
    assert_eq!((csv.rejects[0].code, csv.rejects[0].rows), ("too-many-turns", 3));
}

#[test]
fn csv_rows_are_grouped() {
    let csv = "\u{feff}会话ID,买家昵称,发送方,客服账号,客服姓名,团队,发送时间,满意度,备注,消息内容\r\n\
        s1,u1,客户,a1,小王,一组,2026-11-20 09:00:00,nan,x,在吗\r\n\
        s2,u2,客户,,,,,,,\"你好,\n在吗\"\r\n\
        s1,u1,客服,a1,小王,一组,2026/11/20 9:01,4,x,\"在的\"\"亲\"\"\"\r\n\
        ,,,,,,,,,\r\n\
        s1,u1,经理,,,,,,,x\r\n\
        s2,u2,机器人,b1,,,,,,nan\r\n\
        s3,u3\r\n\
        ,u3,客户,,,,,,,x\r\n";
    let read = read("a.csv", csv.as_bytes(), options());
    assert_eq!(
        read.items,
        [
            "!missing-id@10:1",
            "!bad-role@7:3",
            "s1@2[c:在吗|a:在的\"亲\"]",
            "s2@3[c:你好,\n在吗|b:nan]",
            "!bad-columns@9:2",
        ]
    );
    assert_eq!((read.files[0].records, read.files[0].blank, read.files[0].format), (8, 1, "csv"));
    assert_eq!(read.rejects[1].raw, "s1,u1,经理,,,,,,,x");
    let rows: String = csv.split_inclusive("\r\n").filter(|l| !l.starts_with("s2")).take(2).collect();
    let rows = rows + csv.split_inclusive("\r\n").nth(3).unwrap();
    only("a.csv", &rows, options(), |c| {
        assert_eq!((c.customer_id.as_deref(), c.rating), (Some("u1"), Some(4)));
        assert_eq!(c.turns[0].at, Some(1_795_136_400_000));
        assert_eq!((c.turns[0].agent_id.as_deref(), c.turns[1].agent_id.as_deref()), (None, Some("a1")));
        assert_eq!(c.agents.len(), 1);
        assert_eq!((c.agents[0].name.as_deref(), c.agents[0].team.as_deref()), (Some("小王"), Some("一组")));
        assert_eq!(c.agent_id.as_deref(), Some("a1"));
    });
}

#[test]
fn headerless_chat_dumps_with_bare_quotes() {
    let columns = parse_columns("conversation_id,customer_id,role,-,-,-,text").unwrap();
    let tsv = "s1\tu1\t0\t0\t0\tnan\t\"好评\"返现吗\ns1\tu1\t1\t0\t0\tnan\t\"没有的\ns2\tu2\t1\t0\t0\t123\t您好\ns2\tu2\t2\t0\t0\t1\tx\n\n";
    let read = read("a.tsv", tsv.as_bytes(), InputOptions { columns: Some(columns), ..options() });
    assert_eq!(read.items, ["s1@1[c:\"好评\"返现吗|a:\"没有的]", "!bad-role@4:3", "s2@3[a:您好]"]);
    assert_eq!((read.files[0].records, read.files[0].blank, read.files[0].format), (5, 1, "tsv"));
}

#[test]
fn rows_wider_than_they_should_be() {
    let last = read("a.csv", "会话ID,角色,内容\n1,客服,您好,在的,亲\n2,客户,好,,\n".as_bytes(), options());
    assert_eq!(last.items, ["1@2[a:您好,在的,亲]", "2@3[c:好]"]);
    let middle = read("a.csv", "会话ID,内容,角色\n1,您好,在的,客服\n1,您好,客服,\n".as_bytes(), options());
    assert_eq!(middle.items, ["!bad-columns@2:4", "1@3[a:您好]"]);
}

#[test]
fn an_unclosed_quote_costs_its_line() {
    let csv = "会话ID,角色,内容\n1,客户,\"在吗\n1,客服,您好\n2,客户,\"屏幕\n15\",\"\n2,客服,15\",好\n3,客户,\"没完";
    let read = read("a.csv", csv.as_bytes(), options());
    assert!(read.items.contains(&"!bad-quote@2".to_owned()), "{:?}", read.items);
    assert!(read.items.contains(&"1@3[a:您好]".to_owned()), "{:?}", read.items);
    assert!(read.items.contains(&"!bad-quote@7".to_owned()), "{:?}", read.items);
    assert!(read.rejects[0].reason.contains("第 2 行"));
}

#[test]
fn several_files_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("b.jsonl.gz"), dir.path().join("a.csv"));
    fs::write(&a, gzip(conversation("j", "x").as_bytes())).unwrap();
    fs::write(&b, "sid,role,text\nc,客服,y\n").unwrap();
    assert_eq!(read_with(&[&a, &b], options()).unwrap().items, ["j@1[a:x]", "c@2[a:y]"]);
    let read = read_with(&[dir.path()], options()).unwrap();
    assert_eq!(read.items, ["c@2[a:y]", "j@1[a:x]"]);
    assert_eq!(read.files[1].compression, "gzip");
    assert_eq!(read.bytes, read.files.iter().map(|f| f.bytes).sum::<u64>());
    // a wrong header is told before anything is read
    fs::write(dir.path().join("z.csv"), "a,b\n1,2\n").unwrap();
    assert!(read_with(&[dir.path()], options()).is_err());
}

#[test]
fn empty_files() {
    for name in ["a.jsonl", "a.csv", "a.txt", "a"] {
        assert_eq!(read(name, b"", options()).files[0].records, 0);
        let blank = read(name, b"\n \n", options());
        assert_eq!((blank.files[0].records, blank.files[0].blank), (2, 2), "{name}");
    }
    assert_eq!(read("a.csv", "会话ID,角色,内容\n".as_bytes(), options()).files[0].records, 0);
    assert_eq!(read("a.jsonl", b"\0\0{\0\n", options()).items, ["!bad-json@1:1"]);
}

#[test]
fn block_and_reader_cross_threads() {
    fn check<T: Send>() {}
    check::<Block>();
    check::<Reader>();
    fn shared<T: Sync>() {}
    shared::<Block>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_accounted_for(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "{\"conversation_id\":\"a\",\"turns\":[{\"role\":1,\"text\":\"好\"}]}\n", "\n", "\r\n", "{}", "a,客服,b\n",
                "a\tb\t1\tx\n", "\"", ",", "\t", "b,1,\"x\ny\"\n", "会话ID,角色,内容\n", " ",
            ]).prop_map(|s| s.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..12),
        ], 0..12),
        name in prop::sample::select(vec!["a.jsonl", "a.csv", "a.tsv", "a.txt", "a.jsonl.gz"]),
        headerless: bool,
    ) {
        let columns = headerless.then(|| parse_columns("conversation_id,role,text").unwrap());
        let limits = Limits { max_record_bytes: 100, ..Limits::default() };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, parts.concat()).unwrap();
        let with = |block_bytes| InputOptions { columns: columns.clone(), limits, block_bytes, ..options() };
        match (read_with(&[&path], with(1 << 20)), read_with(&[&path], with(5))) {
            (Ok(a), Ok(b)) => prop_assert_eq!(a.items, b.items),
            (Err(a), Err(b)) => prop_assert_eq!(a.to_string(), b.to_string()),
            _ => prop_assert!(false, "blocks change whether a file can be read"),
        }
    }

    #[test]
    fn blocks_are_whole_lines_of_the_file(lines in prop::collection::vec("[a-z好]{0,20}", 0..30), block_bytes in 1usize..100) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let text = lines.join("\n");
        fs::write(&path, &text).unwrap();
        let options = InputOptions { block_bytes, ..options() };
        let mut reader = Reader::open(&[path.display().to_string()], options).unwrap();
        let mut whole = Vec::new();
        while let Some(block) = reader.next_block(Vec::new()).unwrap() {
            whole.extend(block.into_buffer());
        }
        prop_assert_eq!(whole, text.into_bytes());
    }
}
