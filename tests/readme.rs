//! What the README tells people to type works, and the pack it teaches to write is a good one.
#![cfg(unix)]

mod common;

use std::path::Path;

use common::{root, zhijian};

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(&fence) {
        let block = &rest[start + fence.len()..];
        let end = block.find("```").expect("a fence is closed");
        out.push(block[..end].to_string());
        rest = &block[end + 3..];
    }
    out
}

/// A folder in which the README's commands find what they name.
fn workplace(folder: &Path) {
    for shared in ["fixtures", "rules"] {
        std::os::unix::fs::symlink(root().join(shared), folder.join(shared)).unwrap();
    }
    for block in blocks(&readme(), "toml") {
        let (head, text) = block.split_once('\n').unwrap();
        let path = folder.join(head.trim_start_matches("# "));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(folder.join("sample.tsv"), "s1\tu1\t0\tx\ty\tz\t还没发货\ns1\tu1\t1\tx\ty\tz\t您好,我查一下\n")
        .unwrap();
}

#[test]
fn the_commands_work() {
    let base = tempfile::tempdir().unwrap();
    workplace(base.path());
    let binary = assert_cmd::cargo::cargo_bin!("zhijian");
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut ran = 0;
    for line in blocks(&readme(), "sh").iter().flat_map(|block| block.lines()) {
        let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
        let command = command.trim();
        if command.starts_with("tests/") || command.starts_with(".ci/") {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(root().join(command)).unwrap().permissions().mode();
            assert!(mode & 0o111 != 0, "{command} cannot be run");
            continue;
        }
        // The built program stands for what `cargo run` would build.
        let command = command.replace("cargo run --release --", "zhijian");
        assert!(command.contains("zhijian "), "what is `{command}`?");
        let run = std::process::Command::new("sh")
            .args(["-c", &command])
            .current_dir(base.path())
            .env("PATH", &path)
            .env_remove("ZHIJIAN_RULES")
            .output()
            .unwrap();
        let expected = if comment.contains("exits 1") { 1 } else { 0 };
        let told = [run.stdout, run.stderr].concat();
        assert_eq!(run.status.code(), Some(expected), "{command}\n{}", String::from_utf8_lossy(&told));
        ran += 1;
    }
    assert!(ran >= 8, "only {ran} commands");
    let reports = std::fs::read_dir(base.path().join("out/coaching")).unwrap().flatten();
    let of_agents = reports.filter(|e| e.file_name().to_string_lossy().starts_with('a'));
    assert_eq!(of_agents.count(), 30, "as text and as a page");
}

/// The excerpts of a scorecard and a coaching report are those of the main command.
#[test]
fn the_samples_are_what_the_main_command_writes() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let input = root().join("fixtures/nightly");
    zhijian().arg("inspect").arg(input).args(["--quiet", "--report", "none", "--out"]).arg(&out).assert().success();
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|c| c.trim().to_string()).collect() };
    let text = readme();

    let cards = read("scorecards.csv");
    let mut table = csv::Reader::from_reader(cards.trim_start_matches('\u{feff}').as_bytes());
    let titles = table.headers().unwrap().clone();
    let agents: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let full = [
        "客服ID",
        "姓名",
        "团队",
        "会话数",
        "样本",
        "平均分",
        "平均分下限",
        "平均分上限",
        "否决前平均分",
        "合格率%",
        "合格率下限%",
        "合格率上限%",
    ];
    let places = full.map(|title| titles.iter().position(|t| t == title).unwrap());
    let shown: Vec<_> = text.lines().filter(|l| l.starts_with("| a") && l.contains("组 |")).map(cells).collect();
    assert_eq!(shown.len(), 3);
    for row in shown {
        let agent = agents.iter().find(|a| a[places[0]] == row[0]).unwrap();
        assert_eq!(row, places.map(|place| agent[place].to_string()));
    }

    let start = text.find("> ### 2. ").unwrap();
    let excerpt = text[start..].lines().take_while(|l| l.starts_with('>'));
    let report = read("coaching/a10.md");
    let lines: Vec<&str> = report.lines().map(str::trim_end).collect();
    for line in excerpt.map(|l| l.trim_start_matches('>').trim()) {
        let line = line.trim_start_matches("> ");
        assert!(lines.iter().any(|l| l.trim_start_matches("> ") == line), "{line} is not in the report");
    }
}

#[test]
fn the_shop_of_the_readme_changes_the_pack_it_extends() {
    let base = tempfile::tempdir().unwrap();
    workplace(base.path());
    let shop = zhijian::pack::Pack::open(Some(&base.path().join("my-shop"))).unwrap();
    let default = zhijian::pack::Pack::default_pack().unwrap();
    let rule = |pack: &zhijian::pack::Pack, id: &str| pack.rules[pack.rule(id).unwrap()].clone();
    assert_eq!(rule(&shop, "greeting-missing").points, -3000);
    assert_ne!(rule(&default, "greeting-missing").points, -3000);
    assert!(rule(&shop, "visit-back-thanks").off && !rule(&default, "visit-back-thanks").off);
    assert_eq!(shop.rules.len(), default.rules.len() + 1);
    assert_eq!(shop.markers.len(), default.markers.len() + 2);
}

#[test]
fn what_the_readme_points_to_is_there() {
    let text = readme();
    let mut links = 0;
    for part in text.split("](").skip(1) {
        let target = part.split(')').next().unwrap();
        match target.strip_prefix('#') {
            Some(anchor) => {
                let anchors = text.lines().filter_map(|l| l.strip_prefix("## ")).map(|title| {
                    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
                    kept.collect::<String>().to_lowercase().replace(' ', "-")
                });
                assert!(anchors.into_iter().any(|a| a == anchor), "no section {anchor}");
            }
            None => assert!(root().join(target).exists(), "{target} is missing"),
        }
        links += 1;
    }
    assert!(links > 5);
    for path in
        text.split('`').filter(|p| p.starts_with("src/") || p.starts_with("rules/") || p.starts_with("fixtures/"))
    {
        let path = path.split('<').next().unwrap().trim_end_matches('*');
        assert!(root().join(path).exists(), "{path} is missing");
    }
}

/// The reference of the default pack is what the program says of it today.
#[test]
fn the_reference_of_the_pack_is_up_to_date() {
    zhijian().args(["rules", "doc", "--check", "rules/README.md"]).assert().success();
    let text = std::fs::read_to_string(root().join("rules/README.md")).unwrap();
    for id in ["`soothe-first`", "`off-platform`", "`off_platform`"] {
        assert!(text.contains(id), "{id}");
    }
}
