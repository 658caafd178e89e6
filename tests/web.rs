//! The web report as files: which pages there are, that links lead somewhere, that nothing hostile gets through. How
//! pages behave in a browser is tested in `tests/browser`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::{files, lines, zhijian};
use regex::Regex;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// The files of `report/` of a run, and the run's other results.
fn report(input: &str, arguments: &[&str]) -> (BTreeMap<String, Vec<u8>>, Vec<serde_json::Value>) {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    zhijian().args(["inspect", input, "--quiet", "--out"]).arg(&out).args(arguments).assert().success();
    let results = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap());
    assert!(!out.join("report/spill").exists());
    (files(&out.join("report")), results)
}

fn pages(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, &str> {
    let html = files.iter().filter(|(name, _)| name.ends_with(".html"));
    html.map(|(name, bytes)| (name.as_str(), std::str::from_utf8(bytes).unwrap())).collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// Every link of every page leads to a file, and its anchor to an element there.
fn links_resolve(files: &BTreeMap<String, Vec<u8>>) -> usize {
    let link = Regex::new(r#"(?:href|src)="([^"]*)""#).unwrap();
    let id = Regex::new(r#" id="([^"]*)""#).unwrap();
    let ids: BTreeMap<&str, BTreeSet<String>> = pages(files)
        .into_iter()
        .map(|(name, text)| {
            let all: Vec<String> = id.captures_iter(text).map(|c| unescape(&c[1])).collect();
            let set: BTreeSet<String> = all.iter().cloned().collect();
            assert_eq!(set.len(), all.len(), "{name}: an id stands twice");
            (name, set)
        })
        .collect();
    let mut seen = 0;
    for (name, text) in pages(files) {
        for found in link.captures_iter(text) {
            let href = unescape(&found[1]);
            if href.starts_with("data:,") {
                continue;
            }
            assert!(
                !href.contains("://") && !href.starts_with("//") && !href.starts_with("javascript:"),
                "{name}: {href}"
            );
            seen += 1;
            let (path, anchor) = href.split_once('#').unwrap_or((&href, ""));
            let folder = Path::new(name).parent().unwrap();
            let mut target = folder.to_path_buf();
            for part in path.split('/').filter(|p| !p.is_empty()) {
                match part {
                    ".." => assert!(target.pop(), "{name}: {href} leaves the report"),
                    part => target.push(part),
                }
            }
            let target = if path.is_empty() { name.to_string() } else { target.display().to_string() };
            assert!(files.contains_key(&target), "{name}: {href} leads nowhere");
            if !anchor.is_empty() {
                assert!(ids[target.as_str()].contains(anchor), "{name}: no {anchor} in {target}");
            }
        }
    }
    seen
}

#[test]
fn the_pages_of_a_night() {
    let (files, results) = report("fixtures/nightly", &[]);
    let pages = pages(&files);
    for name in ["index.html", "agents.html", "rules.html", "chats.html", "help.html", "agents/a14.html"] {
        assert!(pages.contains_key(name), "{name}");
    }
    assert_eq!(pages.keys().filter(|n| n.starts_with("agents/")).count(), 15);
    assert_eq!(pages.keys().filter(|n| n.starts_with("teams/")).count(), 3);
    for (name, text) in &pages {
        assert!(text.contains(&format!("content=\"{POLICY}\"").replace('\'', "&#39;")), "{name} has no policy");
        assert!(!text.contains(" style=") && !text.contains("<style") && !text.contains(" onclick="), "{name}");
        assert_eq!(text.matches("<h1").count(), 1, "{name}");
    }
    assert!(links_resolve(&files) > 5000);
    // Every conversation across a red line has its page, with every finding on it.
    let critical: Vec<_> =
        results.iter().filter(|r| r["agents"].as_array().unwrap().iter().any(|a| a["critical"] == true)).collect();
    assert!(critical.len() > 5, "the night holds some");
    for record in critical {
        let id = record["conversation_id"].as_str().unwrap();
        let page = pages.iter().find(|(n, text)| n.starts_with("chats/") && text.contains(&format!("会话 {id}<")));
        let (_, text) = page.unwrap_or_else(|| panic!("no page of {id}"));
        assert_eq!(text.matches(" role=\"note\"").count(), record["findings"].as_array().unwrap().len(), "{id}");
    }
}

#[test]
fn marks_show_exactly_the_quoted_words() {
    let (files, _) = report("fixtures/nightly", &[]);
    let mark = Regex::new(r#"<mark class="[^"]*" data-f="([0-9 ]+)">([^<]*)</mark>"#).unwrap();
    let note = Regex::new(r#" role="note"[^>]* data-f="([0-9]+)" data-quote="([^"]*)""#).unwrap();
    let mut compared = 0;
    for (name, text) in pages(&files).into_iter().filter(|(n, _)| n.starts_with("chats/")) {
        let mut marked = BTreeMap::<String, String>::new();
        for found in mark.captures_iter(text) {
            for number in found[1].split(' ') {
                marked.entry(number.to_string()).or_default().push_str(&found[2]);
            }
        }
        for found in note.captures_iter(text) {
            assert_eq!(marked.get(&found[1]).map_or("", |m| m), &found[2], "{name}");
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn hostile_names_and_texts_are_shown_harmlessly() {
    let (files, results) = report("fixtures/hostile", &["--pii", "keep"]);
    assert!(links_resolve(&files) > 500);
    assert!(results.len() >= 12);
    // The only elements are the program's own.
    let known: BTreeSet<&str> = "!doctype html head meta title link script body a header div nav main footer span h1 h2 h3 h4 p \
        strong small section dl dt dd ul li ol table caption thead tbody tr th td figure figcaption svg desc line rect circle \
        text polyline polygon details summary label input select option output article bdi mark kbd button"
        .split_whitespace()
        .collect();
    let tag = Regex::new(r"</?([!A-Za-z][^\s/>]*)").unwrap();
    for (name, text) in pages(&files) {
        for found in tag.captures_iter(text) {
            assert!(known.contains(&found[1]), "{name}: <{}>", &found[1]);
        }
        assert_eq!(text.matches("<script").count(), 1, "{name}: only the report's own script");
        let controls = |c: char| {
            c.is_control() && c != '\n' && c != '\t' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(controls), "{name} holds controls");
    }
    for name in files.keys() {
        assert!(!name.contains("..") && !name.contains('\\') && !name.contains('<'), "{name}");
        assert!(name.split('/').all(|part| part.len() < 240), "{name}");
    }
    let all: String = pages(&files).values().copied().collect();
    assert!(all.contains("&lt;script&gt;alert(&quot;客户&quot;)&lt;/script&gt;"), "shown as it was written");
    assert!(all.contains("展开全文("), "long messages are folded");
}

#[test]
fn any_number_of_threads_writes_the_same_report() {
    let (one, _) = report("fixtures/nightly", &["--threads", "1"]);
    let (four, _) = report("fixtures/nightly", &["--threads", "4"]);
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == four[name], "{name} differs");
    }
}

#[test]
fn the_english_report_speaks_english() {
    let (files, _) = report("fixtures/nightly", &["--lang", "en"]);
    // Titles of rules and words from conversations are data; headings, navigation, labels and captions are the report's.
    let own = Regex::new(r"<(?:h2|th scope=.col.|caption|figcaption|summary|dt|nav|label)[^>]*>([^<]*)<").unwrap();
    let mut seen = 0;
    for (name, text) in pages(&files) {
        assert!(text.contains("<html lang=\"en\">"), "{name}");
        for found in own.captures_iter(text) {
            assert!(!found[1].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{name}: {}", &found[1]);
            seen += 1;
        }
    }
    assert!(seen > 2000);
    let help = std::str::from_utf8(&files["help.html"]).unwrap();
    assert!(!help.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "the help page is all the report's own");
}

#[test]
fn the_report_can_be_left_out() {
    let (files, results) = report_without();
    assert!(files.is_empty());
    assert_eq!(results, 300);
}

fn report_without() -> (Vec<String>, usize) {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    zhijian()
        .args(["inspect", "fixtures/nightly", "--report", "none", "--quiet", "--out"])
        .arg(&out)
        .assert()
        .success();
    let results = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap());
    (files(&out).into_keys().filter(|n| n.starts_with("report/")).collect(), results.len())
}
