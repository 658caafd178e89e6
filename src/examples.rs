//! Running the examples that markers and rules carry: `rules test`, and the crate's own tests.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::conversation::{Conversation, Role, Turn};
use crate::engine::{Engine, Scratch};
use crate::judge::Outcome;
use crate::pack::chat;
use crate::pack::rule::Expect;

/// What one example came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// `marker` or `rule`.
    pub kind: &'static str,
    /// The marker's or rule's id.
    pub id: String,
    /// `path:line` of the example.
    pub place: String,
    /// What the example expects.
    pub expected: &'static str,
    /// What came out.
    pub got: String,
    /// Expected and got agree.
    pub ok: bool,
    /// A knowingly failing example: shown, never counted as a failure.
    pub todo: bool,
    /// The example's text, one line.
    pub text: String,
}

/// Runs every example of the engine's pack.
pub fn run(engine: &Engine) -> Vec<ExampleResult> {
    run_with_coverage(engine).0
}

/// Runs every example, and tells which patterns (see [`crate::detect::Detector::patterns`]) the markers' examples reach.
pub fn run_with_coverage(engine: &Engine) -> (Vec<ExampleResult>, BTreeSet<u32>) {
    let (mut scratch, mut out, mut fired) = (Scratch::default(), Vec::new(), BTreeSet::new());
    markers(engine, &mut scratch, &mut out, &mut fired);
    rules(engine, &mut scratch, &mut out);
    (out, fired)
}

fn place(file: &crate::diagnostic::SourceFile, start: usize) -> String {
    let line = file.text.as_bytes()[..start.min(file.text.len())].iter().filter(|b| **b == b'\n').count() + 1;
    format!("{}:{line}", file.path.display())
}

fn markers(engine: &Engine, scratch: &mut Scratch, out: &mut Vec<ExampleResult>, fired: &mut BTreeSet<u32>) {
    let pack = engine.pack();
    for (number, marker) in pack.markers.iter().enumerate() {
        for example in &marker.examples {
            let mut conversation = match example.lines.as_slice() {
                [single] if chat::line(single).is_err() => {
                    // One sentence stands for a turn of the marker's role; `any` markers are tried for both sides.
                    let roles = match marker.role.or_else(|| marker.blocks.first().and_then(|b| b.role)) {
                        Some(role) => vec![role],
                        None => vec![Role::Agent, Role::Customer],
                    };
                    let got = roles.iter().any(|role| {
                        let mut conversation = Conversation { id: "example".into(), ..Conversation::default() };
                        conversation.channel = example.channel.clone().map(Cow::Owned);
                        conversation.turns.push(Turn::new(*role, single.as_str()));
                        let hits = &engine.annotate(&conversation, scratch).hits;
                        fired.extend(hits.list.iter().map(|h| h.pattern));
                        hits.has(0, number as u16)
                    });
                    push_marker(out, marker, example, got);
                    continue;
                }
                lines => match chat::conversation(lines) {
                    Ok(conversation) => conversation,
                    Err(message) => {
                        push_fault(out, "marker", &marker.id, place(&marker.file, example.range.start), message);
                        continue;
                    }
                },
            };
            conversation.channel = example.channel.clone().map(Cow::Owned);
            let last = conversation.turns.len() - 1;
            let hits = &engine.annotate(&conversation, scratch).hits;
            fired.extend(hits.list.iter().map(|h| h.pattern));
            let got = hits.has(last, number as u16);
            push_marker(out, marker, example, got);
        }
    }
}

fn push_marker(
    out: &mut Vec<ExampleResult>,
    marker: &crate::pack::marker::Marker,
    example: &crate::pack::marker::MarkerExample,
    got: bool,
) {
    let word = |hit| if hit { "hit" } else { "miss" };
    out.push(ExampleResult {
        kind: "marker",
        id: marker.id.clone(),
        place: place(&marker.file, example.range.start),
        expected: word(example.hit),
        got: word(got).to_string(),
        ok: got == example.hit,
        todo: example.todo,
        text: example.lines.join(" / "),
    });
}

fn push_fault(out: &mut Vec<ExampleResult>, kind: &'static str, id: &str, place: String, message: String) {
    out.push(ExampleResult {
        kind,
        id: id.to_string(),
        place,
        expected: "readable",
        got: message,
        ok: false,
        todo: false,
        text: String::new(),
    });
}

fn rules(engine: &Engine, scratch: &mut Scratch, out: &mut Vec<ExampleResult>) {
    for (number, rule) in engine.pack().rules.iter().enumerate() {
        for example in &rule.examples {
            let at = place(&rule.file, example.range.start);
            let mut conversation = match chat::conversation(&example.chat) {
                Ok(conversation) => conversation,
                Err(message) => {
                    push_fault(out, "rule", &rule.id, at, message);
                    continue;
                }
            };
            conversation.channel = example.channel.clone().map(Cow::Owned);
            conversation.stage = example.stage.clone().map(Cow::Owned);
            conversation.queue = example.queue.clone().map(Cow::Owned);
            conversation.tags = example.tags.iter().cloned().map(Cow::Owned).collect();
            conversation.rating = example.rating;
            let inspection = engine.inspect(&conversation, scratch);
            let outcomes: Vec<Outcome> = inspection.agents.iter().map(|a| a.judgement.outcomes[number]).collect();
            let best = outcomes.into_iter().max().unwrap_or(Outcome::NotApplicable);
            let got = match best {
                Outcome::Found => "hit",
                Outcome::Passed => "pass",
                Outcome::NotApplicable => "n/a",
            };
            let expected = match example.expect {
                Expect::Hit | Expect::Todo => "hit",
                Expect::Pass => "pass",
                Expect::NotApplicable => "n/a",
            };
            out.push(ExampleResult {
                kind: "rule",
                id: rule.id.clone(),
                place: at,
                expected,
                got: got.to_string(),
                ok: got == expected,
                todo: example.expect == Expect::Todo,
                text: example.chat.join(" / "),
            });
        }
    }
}
