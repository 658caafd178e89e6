//! The default pack keeps its promises, and every fault a pack can have is shown by a fixture.

mod common;

use std::collections::BTreeSet;

use common::root;
use zhijian::diagnostic::{Diagnostic, Severity};
use zhijian::engine::{Engine, EngineOptions};
use zhijian::examples;
use zhijian::pack::rule::Expect;
use zhijian::pack::source::PackFiles;
use zhijian::pack::{Pack, codes};

#[test]
fn every_example_of_the_default_pack_comes_out() {
    let engine = Engine::new(Pack::default_pack().unwrap(), EngineOptions::default()).unwrap();
    let results = examples::run(&engine);
    assert!(results.len() > 500, "only {} examples", results.len());
    let failed: Vec<String> = results
        .iter()
        .filter(|r| !r.ok && !r.todo)
        .map(|r| format!("{} {}: expected {}, got {}: {}", r.place, r.id, r.expected, r.got, r.text))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), results.len(), failed.join("\n"));
}

#[test]
fn everything_has_two_hits_and_two_near_misses() {
    let pack = Pack::default_pack().unwrap();
    assert!(pack.rules.len() >= 30 && pack.markers.len() >= 32);
    let mut thin = Vec::new();
    for marker in &pack.markers {
        let hits = marker.examples.iter().filter(|e| e.hit && !e.todo).count();
        let misses = marker.examples.iter().filter(|e| !e.hit && !e.todo).count();
        if hits < 2 || misses < 2 {
            thin.push(format!("marker {}: {hits} hits, {misses} misses", marker.id));
        }
    }
    for rule in &pack.rules {
        let hits = rule.examples.iter().filter(|e| e.expect == Expect::Hit).count();
        let misses = rule.examples.iter().filter(|e| matches!(e.expect, Expect::Pass | Expect::NotApplicable)).count();
        if hits < 2 || misses < 2 {
            thin.push(format!("rule {}: {hits} hits, {misses} passes or n/a", rule.id));
        }
    }
    assert!(thin.is_empty(), "{}", thin.join("\n"));
}

/// What outputs and people rely on by name.
#[test]
fn the_default_pack_has_the_standard_markers_and_texts_for_people() {
    let pack = Pack::default_pack().unwrap();
    for id in "greeting closing offer_help empathy apology thanks timeframe action probe restate please_wait \
               positive_language cannot_help buck_passing perfunctory rhetorical impatience abuse threat overpromise \
               extreme_claim off_platform review_bribery privacy negative urge complaint_threat profanity resolved \
               unresolved repeat_contact ask_human"
        .split_whitespace()
    {
        assert!(pack.marker(id).is_some(), "{id} is missing");
    }
    for rule in &pack.rules {
        let texts = [&rule.title, &rule.what, &rule.why, &rule.coach, &rule.skill, &rule.source];
        assert!(texts.iter().all(|t| !t.is_empty()), "{} lacks a text for people", rule.id);
        assert!(rule.points > 0 || !rule.say.is_empty(), "{} offers no better wording", rule.id);
    }
}

#[test]
fn the_mini_pack_is_clean() {
    let (pack, faults) = Pack::check(&PackFiles::folder(&root().join("fixtures/packs/mini")).unwrap());
    assert!(faults.is_empty(), "{faults:?}");
    let engine = Engine::new(pack.unwrap(), EngineOptions::default()).unwrap();
    let failed: Vec<_> = examples::run(&engine).into_iter().filter(|r| !r.ok).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn codes_are_unique_and_documented() {
    let names: BTreeSet<_> = codes::ALL.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), codes::ALL.len());
    let meanings: BTreeSet<_> = codes::ALL.iter().map(|c| c.meaning).collect();
    assert_eq!(meanings.len(), codes::ALL.len());
    for code in codes::ALL {
        assert!(code.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{} is no kebab case", code.name);
        assert!(!code.meaning.is_empty());
    }
}

/// The faults of a fixture, with paths as they are from the repository on every machine.
fn faults(code: &str) -> Vec<Diagnostic> {
    let folder = format!("fixtures/packs-invalid/{code}");
    let (pack, mut all) = Pack::check(&PackFiles::folder(folder.as_ref()).unwrap_or_else(|e| panic!("{folder}: {e}")));
    // Told only on request.
    if code == codes::SHARED_PHRASE.name {
        all.extend(zhijian::pack::pedantic(&pack.unwrap()));
    }
    all
}

#[test]
fn every_code_has_a_fixture_that_shows_it() {
    std::env::set_current_dir(root()).unwrap();
    let known: BTreeSet<String> = codes::ALL.iter().map(|c| c.name.to_string()).collect();
    let folders = std::fs::read_dir("fixtures/packs-invalid").unwrap();
    let folders: BTreeSet<String> = folders.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, known);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/packs-invalid");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for code in codes::ALL {
        let faults = faults(code.name);
        let own: BTreeSet<_> = faults.iter().map(|d| d.code).collect();
        assert_eq!(own, BTreeSet::from([code.name]), "a fixture shows its code and nothing else");
        let severity = match code.error {
            true => Severity::Error,
            false if code.name == codes::SHARED_PHRASE.name => Severity::Note,
            false => Severity::Warning,
        };
        assert!(faults.iter().all(|d| d.severity == severity), "{}", code.name);
        let text: Vec<_> = faults.iter().map(Diagnostic::render).collect();
        settings.bind(|| insta::assert_snapshot!(code.name, text.join("\n\n")));
    }
}

/// What a pack's author does next must be told where a fault has a place and a remedy.
#[test]
fn faults_point_into_their_file() {
    std::env::set_current_dir(root()).unwrap();
    for code in codes::ALL {
        for fault in faults(code.name) {
            let (path, line, column) = fault.position().unwrap_or_else(|| panic!("{}: no place", code.name));
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!((1..=lines.max(1)).contains(&line) && column >= 1, "{}: {path}:{line}:{column}", code.name);
        }
    }
}
