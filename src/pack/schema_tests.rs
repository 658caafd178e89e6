//! The table of keys says what the readers know, no more and no less: a file with every key brings no complaint about a
//! key or a type, and the readers' own lists of known keys name nothing the table lacks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::pack::Pack;
use crate::pack::source::PackFiles;

/// A key no reader knows, and no reader takes for a slip of the pen.
const STRANGE: &str = "zzzzzzzzzzzz";

fn sample(kind: Kind, strange: bool) -> String {
    match kind {
        Text => "\"x\"".into(),
        Flag => "true".into(),
        Count => "1".into(),
        Number | Bound => "1.5".into(),
        Texts => "[\"x\"]".into(),
        OneOf(words) => format!("\"{}\"", words[0]),
        Parts => "[[\"a\", \"b\"], \"c\"]".into(),
        Table(keys) => inline(keys, strange),
        Tables(keys) => format!("[{}]", inline(keys, strange)),
        Named(keys) => format!("{{ abuse = {} }}", inline(keys, strange)),
        NamedTexts => "{ own = [\"x\"] }".into(),
        NamedNumbers => "{ own = 1.5 }".into(),
    }
}

fn inline(keys: Keys, strange: bool) -> String {
    let mut all: Vec<String> =
        keys.iter().flat_map(|g| g.iter()).map(|k| format!("{} = {}", k.name, sample(k.kind, strange))).collect();
    if strange {
        all.push(format!("{STRANGE} = 1"));
    }
    format!("{{ {} }}", all.join(", "))
}

fn whole(keys: Keys, strange: bool) -> String {
    let mut text: String =
        keys.iter().flat_map(|g| g.iter()).map(|k| format!("{} = {}\n", k.name, sample(k.kind, strange))).collect();
    if strange {
        text += &format!("{STRANGE} = 1\n");
    }
    text
}

/// What loading a pack says about the file at `path` with this text.
fn load(path: &str, text: &str) -> Vec<Diagnostic> {
    let file =
        |path: &str, text: &str| (path.to_string(), Arc::new(SourceFile { path: path.into(), text: text.to_string() }));
    let mut files = vec![file(path, text)];
    for (other, content) in [
        ("pack.toml", "id = \"t\"\ntitle = \"t\"\n"),
        ("scorecard.toml", "[[dimension]]\nid = \"x\"\ntitle = \"x\"\nweight = 100\n"),
    ] {
        if other != path {
            files.push(file(other, content));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let (_, all) = Pack::check(&PackFiles { origin: "test".into(), files });
    let of_file = |d: &Diagnostic| d.place.as_ref().is_some_and(|(f, _)| f.path == std::path::Path::new(path));
    all.into_iter().filter(of_file).collect()
}

fn path(kind: &str) -> &'static str {
    match kind {
        "marker" => "markers/x.toml",
        "rule" => "rules/x.toml",
        "scorecard" => "scorecard.toml",
        "pack" => "pack.toml",
        "satisfaction" => "satisfaction.toml",
        "profiles" => "profiles.toml",
        _ => "topics.toml",
    }
}

#[test]
fn readers_know_every_key_of_the_table() {
    for (kind, _, _, keys) in FILES {
        let faults = load(path(kind), &whole(keys, false));
        let bad: Vec<_> = faults.iter().filter(|d| ["unknown-key", "wrong-type", "syntax"].contains(&d.code)).collect();
        assert!(bad.is_empty(), "{kind}: {bad:#?}");
    }
}

#[test]
fn the_table_knows_every_key_of_the_readers() {
    let mut checked = 0;
    for (kind, _, _, keys) in FILES {
        let mut table = BTreeSet::new();
        collect(keys, &mut table);
        for fault in load(path(kind), &whole(keys, true)) {
            let Some(list) = fault.hint.as_deref().filter(|_| fault.code == "unknown-key") else { continue };
            let known = list.split_once("可用的键: ").expect("a strange key has no neighbour").1;
            for name in known.split('、') {
                assert!(table.contains(name), "{kind}: the reader knows `{name}`, the table does not");
            }
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}

fn collect(keys: Keys, out: &mut BTreeSet<&'static str>) {
    for key in keys.iter().flat_map(|g| g.iter()) {
        out.insert(key.name);
        if let Table(inner) | Tables(inner) | Named(inner) = key.kind {
            collect(inner, out);
        }
    }
}

#[test]
fn schemas_are_named_and_closed() {
    for (kind, ..) in FILES {
        let schema = schema(kind).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
    }
    assert!(schema("other").is_none());
}
