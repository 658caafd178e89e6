//! Broken and hostile input: each costs what is broken, is written down with its reason, and the rest is inspected.
//!
//! `fixtures/malformed/` holds the small files; the large ones are made here. Its README says what comes of each.
#![allow(clippy::print_stdout)] // what was measured, and what was skipped and why

mod common;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use common::{lines, root, zhijian};
use serde_json::Value;

/// A case: exit code, conversations inspected, rejects by code.
struct Case {
    name: &'static str,
    make: Make,
    exit: &'static [i32],
    conversations: u64,
    rejects: &'static [(&'static str, u64)],
}

/// Where the input of a case comes from.
enum Make {
    /// The file of this name in `fixtures/malformed/`.
    Fixture,
    /// Bytes small enough to hold.
    Bytes(fn() -> Vec<u8>),
    /// A large file, written piece by piece.
    Large(fn(&mut dyn Write) -> std::io::Result<()>),
    /// Something else of this name in a folder.
    Other(fn(&Path)),
}

const fn fixture(name: &'static str, conversations: u64, rejects: &'static [(&'static str, u64)]) -> Case {
    Case { name, make: Make::Fixture, exit: &[0], conversations, rejects }
}

const fn refused(name: &'static str, make: Make) -> Case {
    Case { name, make, exit: &[2], conversations: 0, rejects: &[] }
}

const fn bytes(
    name: &'static str,
    make: fn() -> Vec<u8>,
    conversations: u64,
    rejects: &'static [(&'static str, u64)],
) -> Case {
    Case { name, make: Make::Bytes(make), exit: &[0], conversations, rejects }
}

const fn large(
    name: &'static str,
    make: fn(&mut dyn Write) -> std::io::Result<()>,
    conversations: u64,
    rejects: &'static [(&'static str, u64)],
) -> Case {
    Case { name, make: Make::Large(make), exit: &[0], conversations, rejects }
}

/// A conversation that is all right.
fn good(id: &str) -> String {
    format!(
        r#"{{"conversation_id":"{id}","turns":[{{"role":"customer","text":"在吗"}},{{"role":"agent","text":"您好"}}]}}"#
    )
}

fn between(middle: &[u8]) -> Vec<u8> {
    [good("first").as_bytes(), b"\n", middle, b"\n", good("last").as_bytes(), b"\n"].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// An Arrow stream of two batches compressed, the last of which states that a column unpacks to `size` bytes.
fn packed(size: i64) -> Vec<u8> {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
    let column = |text: &str| -> ArrayRef { std::sync::Arc::new(StringArray::from(vec![text; 2_000])) };
    let text = "您好".repeat(20);
    let columns = [("会话ID", column("c1")), ("角色", column("客服")), ("内容", column(&text))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::ZSTD)).unwrap();
    let mut out = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    out.write(&batch).unwrap();
    out.write(&batch).unwrap();
    let mut out = out.into_inner().unwrap();
    let stated = (2_000 * text.len() as i64).to_le_bytes();
    let at = out.windows(8).rposition(|bytes| bytes == stated).unwrap();
    out[at..at + 8].copy_from_slice(&size.to_le_bytes());
    out
}

/// A conversation of `turns` short turns.
fn long_conversation(out: &mut dyn Write, turns: usize) -> std::io::Result<()> {
    write!(out, r#"{{"conversation_id":"long","turns":[{{"role":0,"text":"好"}}"#)?;
    for _ in 1..turns {
        write!(out, r#",{{"role":1,"text":"好"}}"#)?;
    }
    writeln!(out, "]}}")
}

/// 1.5 GB of one byte behind a good line, compressed to as little as it goes.
fn bomb(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", good("before"))?;
    let zeros = vec![0u8; 1 << 20];
    (0..1500).try_for_each(|_| out.write_all(&zeros))
}

const CASES: &[Case] = &[
    fixture("bad-utf8.jsonl", 2, &[("encoding", 1)]),
    fixture("blank-lines.jsonl", 3, &[]),
    fixture("crlf-mixed.jsonl", 4, &[]),
    fixture("deep.jsonl", 2, &[]),
    fixture("empty.jsonl", 0, &[]),
    fixture("headers-only.csv", 0, &[]),
    refused("no-text-column.csv", Make::Fixture),
    fixture(
        "not-json.jsonl",
        3,
        &[("bad-json", 8), ("bad-role", 1), ("bad-text", 1), ("bad-turns", 2), ("bad-value", 4), ("missing-id", 3)],
    ),
    fixture("nul.jsonl", 3, &[("bad-json", 2)]),
    fixture("ragged.csv", 3, &[("bad-columns", 1), ("bad-role", 1), ("missing-id", 1)]),
    fixture("truncated.jsonl.gz", 101, &[("truncated", 1)]),
    // 240 conversations fit one block of zstd: nothing before the cut is whole.
    fixture("truncated.jsonl.zst", 0, &[("truncated", 1)]),
    fixture("unclosed-quote.csv", 3, &[("bad-quote", 1)]),
    fixture("times.jsonl", 3, &[("bad-value", 5)]),
    fixture("unknown-roles.csv", 2, &[("bad-role", 2)]),
    fixture("duplicate-ids.jsonl", 3, &[]),
    fixture("unordered.jsonl", 2, &[]),
    fixture("bad-gbk.csv", 1, &[("encoding", 1)]),
    fixture("nul.csv", 2, &[]),
    fixture(
        "messages.jsonl",
        1,
        &[("bad-json", 2), ("bad-role", 1), ("bad-text", 2), ("bad-value", 1), ("missing-id", 1)],
    ),
    fixture("messages.json", 2, &[("bad-json", 2)]),
    fixture("huge-buffer.arrows", 0, &[("corrupt", 1)]),
    bytes("packed-200-tb.arrows", || packed(200 << 40), 1, &[("corrupt", 1)]),
    bytes("packed-20-gb.arrows", || packed(20 << 30), 1, &[("corrupt", 1)]),
    bytes(
        "corrupt.jsonl.gz",
        || [&gzip(between(b"").as_slice())[..], &b"this is no member of a gzip file"[..]].concat(),
        2,
        &[("corrupt", 1)],
    ),
    bytes("empty.jsonl.gz", || gzip(b""), 0, &[]),
    bytes("header-of-gzip.jsonl.gz", || vec![0x1f, 0x8b], 0, &[("truncated", 1)]),
    bytes("noise.jsonl", || (0u32..9999).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect(), 0, &[]),
    bytes("deep-text.jsonl", || between("[".repeat(200_000).as_bytes()), 2, &[("bad-json", 1)]),
    bytes(
        "deep-labels.jsonl",
        || {
            let deep = "[".repeat(100_000) + &"]".repeat(100_000);
            between(good("deep").replacen('{', &format!(r#"{{"labels":{deep},"#), 1).as_bytes())
        },
        3,
        &[],
    ),
    bytes("lone-surrogate.jsonl", || between(good(r"\ud800").as_bytes()), 2, &[("bad-json", 1)]),
    refused("carriage-returns.csv", Make::Bytes(|| "会话ID,角色,内容\r1,客户,在吗\r1,客服,您好\r".into())),
    bytes("byte-order-mark-only.jsonl", || b"\xef\xbb\xbf".to_vec(), 0, &[]),
    bytes("odd-utf16.jsonl", || [b"\xff\xfe".as_slice(), b"{\0"].concat()[..3].to_vec(), 0, &[("encoding", 1)]),
    large(
        "line-of-100-mb.jsonl",
        |out| {
            writeln!(out, "{}", good("before"))?;
            let much = "长".repeat(1 << 20);
            (0..34).try_for_each(|_| out.write_all(much.as_bytes()))?;
            writeln!(out, "\n{}", good("after"))
        },
        2,
        &[("too-long", 1)],
    ),
    large(
        "field-of-100-mb.csv",
        |out| {
            write!(out, "会话ID,角色,内容\n1,客户,在吗\n2,客户,")?;
            let much = "长".repeat(1 << 20);
            (0..34).try_for_each(|_| out.write_all(much.as_bytes()))?;
            writeln!(out, "\n1,客服,您好")
        },
        1,
        &[("too-long", 1)],
    ),
    large("turns-300000.jsonl", |out| long_conversation(out, 300_000), 1, &[]),
    large("turns-1000001.jsonl", |out| long_conversation(out, 1_000_001), 0, &[("too-many-turns", 1)]),
    large(
        "turns-1200000.csv",
        |out| {
            writeln!(out, "会话ID,角色,内容\nok,客户,在吗")?;
            (0..1_200_000).try_for_each(|_| out.write_all("long,1,好\n".as_bytes()))
        },
        1,
        &[("too-many-turns", 1)],
    ),
    large("bomb.jsonl.gz", bomb, 1, &[("limit", 1), ("too-long", 1)]),
    large("bomb.jsonl.zst", bomb, 1, &[("limit", 1), ("too-long", 1)]),
    refused("folder-without-data", Make::Other(|path| fs::create_dir(path).unwrap())),
    Case {
        name: "folder-named.jsonl",
        make: Make::Other(|path| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("night.jsonl"), between(b"")).unwrap();
        }),
        exit: &[0],
        conversations: 2,
        rejects: &[],
    },
    refused("nowhere.jsonl", Make::Other(|_| {})),
    Case {
        name: "old.xls",
        make: Make::Bytes(|| b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 not really".to_vec()),
        exit: &[0],
        conversations: 0,
        rejects: &[("corrupt", 1)],
    },
    Case {
        name: "loop.xls",
        make: Make::Bytes(|| {
            let mut bytes = fs::read(root().join("fixtures/formats/messages.xls")).unwrap();
            let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            // The table of sectors, and in it the chain of the directory, which now leads back to its beginning.
            let (table, directory) = (number(&bytes, 0x4c), number(&bytes, 0x30));
            let entry = (table + 1) * 512 + directory * 4;
            bytes[entry..entry + 4].copy_from_slice(&(directory as u32).to_le_bytes());
            bytes
        }),
        exit: &[0],
        conversations: 0,
        rejects: &[("corrupt", 1)],
    },
    refused("picture.csv", Make::Bytes(|| b"BZh91AY&SY".to_vec())),
];

/// Writes the input of a case and says where.
fn made(case: &Case, folder: &Path) -> PathBuf {
    let path = folder.join(case.name);
    match case.make {
        Make::Fixture => return root().join("fixtures/malformed").join(case.name),
        Make::Bytes(bytes) => fs::write(&path, bytes()).unwrap(),
        Make::Other(other) => other(&path),
        Make::Large(write) => {
            let mut out = BufWriter::new(File::create(&path).unwrap());
            let extension = path.extension().unwrap();
            if extension == "gz" {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::best());
                write(&mut encoder).unwrap();
                encoder.finish().unwrap();
            } else if extension == "zst" {
                let mut encoder = zstd::Encoder::new(&mut out, 3).unwrap();
                write(&mut encoder).unwrap();
                encoder.finish().unwrap();
            } else {
                write(&mut out).unwrap();
            }
            out.flush().unwrap();
        }
    }
    path
}

fn check(case: &Case, folder: &Path) {
    let name = case.name;
    let input = made(case, folder);
    let out = folder.join("out");
    let mut command = zhijian();
    command.arg("inspect").arg(&input).args(["--rules", "fixtures/packs/mini", "--quiet", "--segment", "off", "--out"]);
    let run = command.arg(&out).timeout(std::time::Duration::from_secs(600)).output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.code().is_some_and(|code| case.exit.contains(&code)), "{name}: {:?} {told}", run.status);
    assert!(!told.contains("panicked"), "{name}: {told}");
    assert!(run.stdout.is_empty(), "{name}");
    if run.status.code() != Some(0) {
        assert!(!out.exists(), "{name}");
        assert!(told.contains(name) && told.contains("错误"), "{name}: {told}");
        return;
    }
    let counts = common::json(&out.join("run.json"))["counts"].clone();
    let count = |key: &str| counts[key].as_u64().unwrap();
    assert_eq!(count("records"), count("records_inspected") + count("records_rejected") + count("blank"), "{name}");
    let rejects: serde_json::Map<_, _> = case.rejects.iter().map(|(c, n)| (c.to_string(), Value::from(*n))).collect();
    let written = lines(&fs::read(out.join("rejects.jsonl")).unwrap());
    // What noise breaks into is not worth counting; that nothing of it is taken for a conversation is.
    if name != "noise.jsonl" {
        assert_eq!(counts["rejects"], Value::from(rejects), "{name}");
        assert_eq!(written.len() as u64, case.rejects.iter().map(|c| c.1).sum::<u64>(), "{name}");
    }
    assert_eq!(count("conversations"), case.conversations, "{name}: {written:?}");
    assert_eq!(lines(&fs::read(out.join("conversations.jsonl")).unwrap()).len() as u64, case.conversations, "{name}");
    for reject in written {
        assert!(reject["line"].as_u64() > Some(0) && !reject["reason"].as_str().unwrap().is_empty(), "{name}");
        assert!(reject["raw"].as_str().unwrap().chars().count() <= 2000, "{name}");
    }
    fs::remove_dir_all(&out).unwrap();
}

#[test]
fn every_broken_input_has_its_documented_outcome() {
    let base = tempfile::tempdir().unwrap();
    let only = std::env::var("ZHIJIAN_TEST_MALFORMED").unwrap_or_default();
    for case in CASES.iter().filter(|case| case.name.contains(&only)) {
        let folder = base.path().join(format!("case-{}", case.name));
        fs::create_dir(&folder).unwrap();
        check(case, &folder);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn the_table_and_the_folder_and_its_readme_agree() {
    let folder = root().join("fixtures/malformed");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut there: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    there.retain(|name| name != "README.md");
    there.sort();
    let mut fixtures: Vec<_> =
        CASES.iter().filter(|c| matches!(c.make, Make::Fixture)).map(|c| c.name.to_owned()).collect();
    fixtures.sort();
    assert_eq!(there, fixtures);
    for case in CASES {
        assert!(readme.contains(&format!("`{}`", case.name)), "{} is not in the README", case.name);
    }
}

/// A workbook whose one sheet unpacks to 2 GB, and one with a cell of 300 MB: turned down before they take the memory.
#[test]
fn a_workbook_that_unpacks_to_gigabytes_is_turned_down() {
    for (name, megabytes) in [("bomb.xlsx", 2000), ("huge-cell.xlsx", 300)] {
        turned_down(name, megabytes);
    }
}

fn turned_down(name: &str, megabytes: usize) {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join(name);
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    for (name, text) in [
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
    ] {
        zip.start_file(name, options).unwrap();
        write!(zip, "{xml}{text}").unwrap();
    }
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    write!(zip, r#"{xml}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>会话ID"#).unwrap();
    let much = vec![b'a'; 1 << 20];
    (0..megabytes).for_each(|_| zip.write_all(&much).unwrap());
    write!(zip, "</t></is></c></row></sheetData></worksheet>").unwrap();
    zip.finish().unwrap();
    let out = base.path().join("out");
    let run = zhijian().arg("inspect").arg(&path).args(["--quiet", "--out"]).arg(&out).output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(!told.contains("panicked"), "{told}");
    match run.status.code() {
        Some(2) => assert!(!out.exists() && told.contains(name), "{told}"),
        Some(0) => {
            let counts = common::json(&out.join("run.json"))["counts"].clone();
            assert_eq!((&counts["conversations"], &counts["rejects"]["limit"]), (&0.into(), &1.into()), "{counts}");
        }
        other => panic!("{other:?} {told}"),
    }
}

/// Whoever runs the tests as root may read everything.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_ends_the_run() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("secret.jsonl");
    fs::write(&path, between(b"")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let out = base.path().join("out");
    let run = zhijian().arg("inspect").arg(&path).args(["--quiet", "--out"]).arg(&out).assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("secret.jsonl"));
    assert!(!out.exists());
}
