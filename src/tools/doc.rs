//! The reference of a pack as Chinese Markdown: all rules by dimension, all markers by side. Made from the pack alone, so
//! that it can be compared with what stands in `rules/README.md`.

use std::fmt::Write;

use crate::conversation::Role;
use crate::pack::Pack;
use crate::pack::marker::Marker;
use crate::pack::rule::Rule;
use crate::report::Points;

/// Where the generated part of a document begins.
pub const BEGIN: &str = "<!-- rules doc: begin -->";
/// Where it ends.
pub const END: &str = "<!-- rules doc: end -->";

/// The reference of a pack.
pub fn markdown(pack: &Pack) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(pack, &mut out);
    out
}

fn write(pack: &Pack, out: &mut String) -> std::fmt::Result {
    let active = pack.rules.iter().filter(|r| !r.off).count();
    writeln!(out, "### {} {}\n", pack.title, pack.version)?;
    writeln!(
        out,
        "{active} 条规则,{} 个标记,{} 个维度;满分 100,合格线 {}。",
        pack.markers.len(),
        pack.scorecard.dimensions.len(),
        Points(pack.scorecard.pass_mark)
    )?;
    for (number, dimension) in pack.scorecard.dimensions.iter().enumerate() {
        let rules: Vec<&Rule> = pack.rules.iter().filter(|r| r.dimension == number).collect();
        writeln!(
            out,
            "\n#### {}({},权重 {},{} 条规则)\n",
            dimension.title,
            dimension.id,
            dimension.weight,
            rules.len()
        )?;
        if !dimension.about.is_empty() {
            writeln!(out, "{}\n", dimension.about)?;
        }
        if rules.is_empty() {
            continue;
        }
        writeln!(out, "| 规则 | 要求 | 级别 | 分值 | 查什么 | 为什么 | 依据 |\n|---|---|---|---|---|---|---|")?;
        for rule in rules {
            let off = if rule.off { "(已关闭)" } else { "" };
            writeln!(
                out,
                "| `{}` | {}{off} | {} | {} | {} | {} | {} |",
                rule.id,
                cell(&rule.title),
                rule.severity.title(),
                price(rule),
                cell(&rule.what),
                cell(&rule.why),
                cell(&rule.source)
            )?;
        }
    }
    for (role, title) in [(Some(Role::Agent), "客服的话"), (Some(Role::Customer), "客户的话"), (None, "双方的话")]
    {
        let markers: Vec<&Marker> = pack.markers.iter().filter(|m| m.role == role).collect();
        if markers.is_empty() {
            continue;
        }
        writeln!(out, "\n#### 标记:{title}({} 个)\n", markers.len())?;
        writeln!(
            out,
            "| 标记 | 名称 | 意思 | 短语 | 正则 | 例外 | 命中的例子 | 不命中的例子 |\n|---|---|---|---|---|---|---|---|"
        )?;
        for marker in markers {
            let sum = |f: fn(&crate::pack::marker::Block) -> usize| marker.blocks.iter().map(f).sum::<usize>();
            writeln!(
                out,
                "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
                marker.id,
                cell(&marker.title),
                cell(&marker.about),
                sum(|b| b.phrases.len() + b.nears.len()),
                sum(|b| b.regexes.len()),
                sum(|b| b.except.len() + b.except_regex.len()),
                example(marker, true),
                example(marker, false)
            )?;
        }
    }
    Ok(())
}

fn price(rule: &Rule) -> String {
    if rule.review_only {
        return "复核".into();
    }
    let points = Points(rule.points);
    let cap = rule.cap * rule.points.signum();
    if rule.points == 0 {
        "—".into()
    } else if cap == rule.points {
        points.to_string()
    } else {
        format!("{points}(封顶 {})", Points(cap))
    }
}

fn example(marker: &Marker, hit: bool) -> String {
    let found = marker.examples.iter().find(|e| e.hit == hit && !e.todo);
    found.map_or_else(String::new, |e| cell(&e.lines.join(" / ")))
}

/// Text for a table cell: one line, no bars, nothing that reads as markup.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if matches!(c, '|' | '<' | '*' | '_' | '`' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A document with its generated part replaced; `None` when it has no such part.
///
/// ```
/// use zhijian::tools::doc::{BEGIN, END, replace};
/// let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
/// assert_eq!(replace(&document, "new\n").unwrap(), format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
/// assert_eq!(replace("nothing", "new"), None);
/// ```
pub fn replace(document: &str, generated: &str) -> Option<String> {
    let start = document.find(BEGIN)? + BEGIN.len();
    let end = start + document[start..].find(END)?;
    Some(format!("{}\n{}\n{}", &document[..start], generated.trim_end(), &document[end..]))
}
