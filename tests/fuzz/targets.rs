//! What is fuzzed: each takes any bytes and panics when something that is promised does not hold.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use zhijian::input::{InputOptions, Item, Limits, Reader};
use zhijian::pack::Pack;
use zhijian::report::html::markup::Html;
use zhijian::report::names::{cell, file_stem, markdown};
use zhijian::text::{View, mask, mask_spans, plain};

use crate::common::root;

/// Names a reader tells formats apart by; the first byte of an input chooses one.
const NAMES: [&str; 24] = [
    "a.jsonl",
    "a.csv",
    "a.tsv",
    "a.txt",
    "a",
    "a.json",
    "a.ndjson",
    "a.xlsx",
    "a.xls",
    "a.parquet",
    "a.arrow",
    "a.feather",
    "a.vtt",
    "a.srt",
    "a.log",
    "a.tab",
    "a.jsonl.gz",
    "a.csv.zst",
    "a.arrows",
    "a.ods",
    "a.md",
    "a.html",
    "a.xml",
    "a.zip",
];

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root().join("fixtures").join(folder)];
    while let Some(path) = pending.pop() {
        match path.is_dir() {
            true => pending.extend(fs::read_dir(path).unwrap().map(|e| e.unwrap().path())),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The beginning of a file, cut after a line where it is long.
fn beginning(path: &Path) -> Vec<u8> {
    const MOST: usize = 32 << 10;
    let mut bytes = fs::read(path).unwrap();
    if bytes.len() > MOST {
        bytes.truncate(MOST);
    }
    bytes
}

/// What inputs of a target are made from.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "reader" => {
            let folders = ["malformed", "encodings", "hostile", "formats", "timelines"];
            let files = folders.iter().filter(|f| root().join("fixtures").join(f).exists()).flat_map(|f| fixtures(f));
            let choice = |path: &Path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let fits =
                    |known: &&str| known.split_once('.').is_some_and(|(_, end)| name.ends_with(&format!(".{end}")));
                NAMES.iter().rposition(fits).unwrap_or(0) as u8
            };
            files.map(|path| [vec![choice(&path)], beginning(&path)].concat()).collect()
        }
        "pack" => {
            let mut files = fixtures("packs-invalid");
            files.extend(fixtures("packs"));
            files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
            let kind = |path: &Path| match path.parent().and_then(Path::file_name).and_then(|n| n.to_str()) {
                Some("markers") => 0,
                Some("rules") => 1,
                _ if path.ends_with("scorecard.toml") => 2,
                _ if path.ends_with("topics.toml") => 3,
                _ => 4,
            };
            files.iter().map(|path| [vec![kind(path)], beginning(path)].concat()).collect()
        }
        _ => {
            let texts = fs::read_to_string(root().join("fixtures/pii/challenge.jsonl")).unwrap();
            let hostile = fs::read(root().join("fixtures/hostile/night.jsonl")).unwrap();
            let texts = texts.lines().map(|line| {
                let case: serde_json::Value = serde_json::from_str(line).unwrap();
                case["text"].as_str().unwrap().as_bytes().to_vec()
            });
            texts.chain([hostile[..2000].to_vec()]).collect()
        }
    }
}

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(folder());
}

/// In memory where there is such a place.
fn folder() -> tempfile::TempDir {
    match Path::new("/dev/shm").is_dir() {
        true => tempfile::tempdir_in("/dev/shm").unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// Any bytes under any name: conversations and rejects that add up to the records, or an error.
pub fn reader(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    FOLDER.with_borrow(|folder| {
        let path = folder.path().join(NAMES[choice as usize % NAMES.len()]);
        fs::write(&path, data).unwrap();
        let limits = Limits { max_record_bytes: 20_000, max_turns: 500, ..Limits::default() };
        let limits = Limits { max_decompressed_bytes: 1 << 22, ..limits };
        let options = InputOptions { limits, block_bytes: 1 + choice as usize * 16, ..InputOptions::default() };
        read(&path, options);
        fs::remove_file(&path).unwrap();
    });
}

fn read(path: &Path, options: InputOptions) {
    let Ok(mut reader) = Reader::open(&[path.display().to_string()], options) else { return };
    let mut accounted = 0;
    loop {
        match reader.next_block(Vec::new()) {
            Ok(Some(block)) => block.visit(&mut |item| match item {
                Item::Conversation { conversation, records, .. } => {
                    accounted += records;
                    assert!(!conversation.id.is_empty() && !conversation.turns.is_empty());
                }
                Item::Reject(reject) => {
                    accounted += reject.rows;
                    assert!(!reject.reason.is_empty() && reject.line > 0);
                }
            }),
            Ok(None) => break,
            Err(_) => return,
        }
    }
    let files = reader.files();
    assert_eq!(files.iter().map(|f| f.records).sum::<u64>(), accounted + files.iter().map(|f| f.blank).sum::<u64>());
}

/// Any TOML as a marker, a rule, a scorecard, topics or the pack itself: a pack, or faults.
pub fn pack(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    FOLDER.with_borrow(|folder| {
        let pack = folder.path().join("pack");
        let _ = fs::remove_dir_all(&pack);
        for inner in ["markers", "rules"] {
            fs::create_dir_all(pack.join(inner)).unwrap();
        }
        let head = "id = \"fuzz\"\ntitle = \"试\"\nversion = \"1\"\n";
        fs::write(pack.join("pack.toml"), head).unwrap();
        let name = ["markers/m.toml", "rules/r.toml", "scorecard.toml", "topics.toml", "pack.toml"];
        fs::write(pack.join(name[kind as usize % name.len()]), data).unwrap();
        if let Err(error) = Pack::open(Some(&pack)) {
            assert!(!error.to_string().is_empty());
        }
    });
}

/// Any text: views whose every character maps back into it, and masking that is stable and never longer.
pub fn normalise(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut view = View::default();
    plain(&text, &mut view);
    let mut last = 0;
    for (at, c) in view.text().char_indices() {
        let span = view.original(at..at + c.len_utf8());
        let range = span.range();
        assert!(range.start >= last && range.start < range.end && text.get(range.clone()).is_some(), "{c:?} {range:?}");
        last = range.start;
    }
    let whole = [zhijian::span::Span::new(0, text.len())];
    let mut spans = whole;
    let masked = mask_spans(&text, &mut spans).into_owned();
    assert!(masked.len() <= text.len());
    assert_eq!(masked.chars().count(), text.chars().count());
    assert_eq!(spans[0].range(), 0..masked.len());
    assert_eq!(mask(&masked), masked, "masked twice");
}

/// Any text as a cell: read back as itself, and nothing a spreadsheet starts a formula by.
pub fn csv_cells(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let safe = cell(&text);
    assert!(safe.ends_with(&*text));
    assert!(!safe.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{safe:?}");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["x", &*safe]).unwrap();
    let written = writer.into_inner().unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&written[..]);
    let row = reader.records().next().unwrap().unwrap();
    assert_eq!((&row[0], &row[1]), ("x", &*safe));
    let stem = file_stem(&text);
    assert!(!stem.is_empty() && stem.len() < 200);
    assert!(stem.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'), "{stem:?}");
}

/// Any text in HTML and Markdown: no markup that begins, nothing that steers a terminal.
pub fn html(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let escaped = Html::of(&text);
    let rest =
        ["&lt;", "&gt;", "&amp;", "&quot;", "&#39;"].iter().fold(escaped.as_str().to_owned(), |s, e| s.replace(e, ""));
    assert!(!rest.contains(['<', '>', '&', '"', '\'', '\u{1b}', '\u{202e}']), "{rest:?}");
    let safe = markdown(&text);
    assert!(!safe.contains(|c: char| c.is_control()));
    let mut previous = '\0';
    for c in safe.chars() {
        if previous == '\\' {
            previous = '\0';
            continue;
        }
        assert!(!matches!(c, '<' | '>' | '`' | '*' | '[' | '|'), "{c} in {safe:?}");
        previous = c;
    }
}
