//! The operator reference is true: its blocks make up a pack that loads without a fault, whose every example comes out
//! as written, and every key of the schema is in it.

use std::sync::Arc;

use zhijian::diagnostic::{Diagnostic, Severity, SourceFile};
use zhijian::engine::{Engine, EngineOptions};
use zhijian::pack::Pack;
use zhijian::pack::schema::{FILES, Keys, Kind};
use zhijian::pack::source::PackFiles;

const DOCUMENT: &str = include_str!("../rules/OPERATORS.md");

/// The fenced blocks whose first line names a file of the pack.
fn blocks() -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if line != "```toml" && line != "```txt" {
            continue;
        }
        let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
        let path = body[0].strip_prefix("# ").unwrap_or_else(|| panic!("{} names no file", body[0]));
        out.push((path.to_string(), body.join("\n") + "\n"));
    }
    out
}

fn pack(blocks: Vec<(String, String)>) -> (Option<Pack>, Vec<Diagnostic>) {
    let file = |(path, text): (String, String)| {
        let file = SourceFile { path: path.clone().into(), text };
        (path, Arc::new(file))
    };
    let mut files: Vec<_> = blocks.into_iter().map(file).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Pack::check(&PackFiles { origin: "rules/OPERATORS.md".into(), files })
}

#[test]
fn every_example_comes_out_as_written() {
    let own: Vec<_> = blocks().into_iter().filter(|(path, _)| !path.starts_with("店铺/")).collect();
    assert!(own.len() >= 40, "{}", own.len());
    let (pack, faults) = pack(own);
    let faults: Vec<_> = faults.iter().filter(|d| d.code != "unused-marker").map(Diagnostic::render).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let engine = Engine::new(pack.unwrap(), EngineOptions::default()).unwrap();
    let failed: Vec<_> = zhijian::examples::run(&engine).into_iter().filter(|r| !r.ok && !r.todo).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_shops_pack_loads() {
    let shop = blocks().into_iter().filter_map(|(p, t)| Some((p.strip_prefix("店铺/")?.to_string(), t))).collect();
    let (pack, faults) = pack(shop);
    let errors: Vec<_> = faults.iter().filter(|d| d.severity == Severity::Error).map(Diagnostic::render).collect();
    assert!(pack.is_some() && errors.is_empty(), "{}", errors.join("\n\n"));
}

#[test]
fn every_key_is_in_the_document() {
    fn missing(keys: Keys, out: &mut Vec<&'static str>) {
        for key in keys.iter().flat_map(|group| group.iter()) {
            let named = [format!("`{}`", key.name), format!("{} =", key.name), format!("[{}", key.name)];
            if !named.iter().any(|n| DOCUMENT.contains(n)) {
                out.push(key.name);
            }
            if let Kind::Table(inner) | Kind::Tables(inner) | Kind::Named(inner) = key.kind {
                missing(inner, out);
            }
        }
    }
    let mut out = Vec::new();
    FILES.iter().for_each(|(_, _, _, keys)| missing(keys, &mut out));
    assert!(out.is_empty(), "{out:?}");
}
