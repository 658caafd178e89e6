//! A report as Markdown.

use std::fmt::Write;

use super::document::{Block, Document, Run};
use crate::report::names::markdown;

impl Document {
    /// Lays the report out as Markdown; every text is escaped.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", markdown(&self.title));
        for block in &self.blocks {
            out.push('\n');
            match block {
                Block::Heading(level, text) => {
                    let _ = writeln!(out, "{} {}", "#".repeat(usize::from(*level)), markdown(text));
                }
                Block::Text(runs) => {
                    let _ = writeln!(out, "{}", joined(runs));
                }
                Block::Labelled(label, text) => {
                    let _ = writeln!(out, "**{}** {}", markdown(label), inline(text));
                }
                Block::Aside(text) => {
                    let _ = writeln!(out, "> {}", markdown(text));
                }
                Block::Chat(lines) => {
                    let lines: Vec<_> = lines
                        .iter()
                        .map(|(who, _, text)| match who.is_empty() {
                            true => format!("> {}", markdown(text)),
                            false => format!("> {}:{}", markdown(who), inline(text)),
                        })
                        .collect();
                    let _ = writeln!(out, "{}", lines.join("  \n"));
                }
                Block::Say(label, items) => {
                    let _ = writeln!(out, "**{}**\n", markdown(label));
                    items.iter().for_each(|item| {
                        let _ = writeln!(out, "- “{}”", inline(item));
                    });
                }
                Block::List(items) => items.iter().for_each(|item| {
                    let _ = writeln!(out, "- {}", joined(item));
                }),
                Block::Table(head, rows) => table(&mut out, head, rows),
                Block::Small(text) => {
                    let _ = writeln!(out, "{}", markdown(text));
                }
            }
        }
        out
    }
}

fn joined(runs: &[Run]) -> String {
    let run = |(n, run): (usize, &Run)| match run {
        Run::Plain(text) if n == 0 => markdown(text),
        Run::Plain(text) => inline(text),
        Run::Strong(text) => format!("**{}**", inline(text)),
    };
    runs.iter().enumerate().map(run).collect()
}

/// Text that does not begin a line: what is special only there needs no escape.
fn inline(text: &str) -> String {
    let escaped = markdown(text);
    match escaped.strip_prefix('\\') {
        Some(rest) if rest.starts_with(['#', '+', '-', '=']) => rest.to_string(),
        _ => escaped,
    }
}

fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let row = |cells: &[String]| format!("| {} |\n", cells.iter().map(|c| inline(c)).collect::<Vec<_>>().join(" | "));
    out.push_str(&row(head));
    let rule: Vec<_> = (0..head.len()).map(|n| if n == 0 { "---" } else { "---:" }).collect();
    let _ = writeln!(out, "| {} |", rule.join(" | "));
    rows.iter().for_each(|cells| out.push_str(&row(cells)));
}
