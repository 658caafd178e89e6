//! `rules test`: the examples of markers and rules, and how much of the pack they cover.

use std::collections::{BTreeMap, BTreeSet};

use zhijian::engine::Engine;
use zhijian::error::{Error, Result};
use zhijian::examples::{self, ExampleResult};
use zhijian::pack::fields::nearest;

use super::{Outcome, PackArgs};
use crate::cli::table::{plain, table};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pack: PackArgs,
    /// 只测试这些规则或标记
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// 列出每条规则、每个标记的例子数,以及没有例子走到的短语
    #[arg(long)]
    coverage: bool,
    /// 只列失败,不写汇总
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let engine = args.pack.engine()?;
    check_ids(&engine, &args.ids)?;
    let (mut results, fired) = examples::run_with_coverage(&engine);
    let wanted = |id: &str| args.ids.is_empty() || args.ids.iter().any(|i| i == id);
    results.retain(|r| wanted(&r.id));
    for result in results.iter().filter(|r| !(r.ok || r.todo && args.quiet)) {
        let label = if result.todo { "待办" } else { "失败" };
        writeln_out!(
            "{label} {} {}\n  {}\n  期望 {},实际 {}\n  {}\n",
            result.kind,
            result.id,
            result.place,
            result.expected,
            result.got,
            plain(&result.text)
        );
    }
    if args.coverage {
        coverage(&engine, &results, &fired, &wanted)?;
    }
    let failed = results.iter().filter(|r| !r.ok && !r.todo).count();
    if !args.quiet {
        summary(&results)?;
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::GateFailed })
}

fn check_ids(engine: &Engine, ids: &[String]) -> Result<()> {
    let pack = engine.pack();
    let known = || pack.markers.iter().map(|m| m.id.as_str()).chain(pack.rules.iter().map(|r| r.id.as_str()));
    for id in ids {
        if !known().any(|k| k == id) {
            let hint = nearest(id, known()).map_or(String::new(), |n| format!(";是不是想写 `{n}`?"));
            return Err(Error::Setting { option: "ID".into(), reason: format!("没有规则或标记 `{id}`{hint}") });
        }
    }
    Ok(())
}

/// One line a kind: how many, of what outcome, how they came out.
fn summary(results: &[ExampleResult]) -> Result<()> {
    for (kind, title) in [("marker", "标记"), ("rule", "规则")] {
        let own: Vec<_> = results.iter().filter(|r| r.kind == kind).collect();
        if own.is_empty() {
            continue;
        }
        let ids: BTreeSet<_> = own.iter().map(|r| &r.id).collect();
        let mut outcomes = BTreeMap::<&str, usize>::new();
        own.iter().for_each(|r| *outcomes.entry(r.expected).or_default() += 1);
        let outcomes: Vec<_> = outcomes.iter().map(|(o, n)| format!("{o} {n}")).collect();
        let passed = own.iter().filter(|r| r.ok).count();
        let failed = own.iter().filter(|r| !r.ok && !r.todo).count();
        let todo = own.iter().filter(|r| !r.ok && r.todo).count();
        writeln_out!(
            "{title} {} 个,例子 {} 个({}): 通过 {passed},失败 {failed},待办 {todo}",
            ids.len(),
            own.len(),
            outcomes.join(",")
        );
    }
    let done = results.iter().filter(|r| r.todo && r.ok).count();
    if done > 0 {
        writeln_out!("有 {done} 个待办例子已经做到,可以去掉 todo。");
    }
    let passed = results.iter().filter(|r| r.ok).count();
    let failed = results.iter().filter(|r| !r.ok && !r.todo).count();
    let todo = results.iter().filter(|r| !r.ok && r.todo).count();
    writeln_out!("例子 {} 个:通过 {passed},失败 {failed},待办 {todo}", results.len());
    Ok(())
}

fn coverage(
    engine: &Engine,
    results: &[ExampleResult],
    fired: &BTreeSet<u32>,
    wanted: &impl Fn(&str) -> bool,
) -> Result<()> {
    let pack = engine.pack();
    let count = |kind: &str, id: &str, expected: &[&str]| {
        results.iter().filter(|r| r.kind == kind && r.id == id && expected.contains(&r.expected)).count().to_string()
    };
    let mut rules = table(&["规则", "标题", "hit", "pass", "n/a", "待办"]);
    for rule in pack.rules.iter().filter(|r| wanted(&r.id)) {
        let todo = results.iter().filter(|r| r.kind == "rule" && r.id == rule.id && r.todo).count();
        let n = |expected| count("rule", &rule.id, &[expected]);
        rules.add_row([rule.id.clone(), rule.title.clone(), n("hit"), n("pass"), n("n/a"), todo.to_string()]);
    }
    let mut markers = table(&["标记", "标题", "hit", "miss", "走到的短语", "没有例子走到的"]);
    for (number, marker) in pack.markers.iter().enumerate().filter(|(_, m)| wanted(&m.id)) {
        let own: Vec<_> = engine.detector().patterns().enumerate().filter(|(_, p)| p.0 as usize == number).collect();
        let missing: Vec<_> = own.iter().filter(|(n, _)| !fired.contains(&(*n as u32))).map(|(_, p)| p.2).collect();
        const SHOWN: usize = 12;
        let mut shown: Vec<String> = missing.iter().take(SHOWN).map(|p| p.chars().take(24).collect()).collect();
        if missing.len() > SHOWN {
            shown.push(format!("… 共 {} 条", missing.len()));
        }
        markers.add_row([
            marker.id.clone(),
            marker.title.clone(),
            count("marker", &marker.id, &["hit"]),
            count("marker", &marker.id, &["miss"]),
            format!("{}/{}", own.len() - missing.len(), own.len()),
            shown.join("、"),
        ]);
    }
    writeln_out!("{rules}\n\n{markers}\n");
    Ok(())
}
