//! `review export-examples`: judged cases into a pack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use zhijian::diagnostic::{Diagnostic, Severity, SourceFile};
use zhijian::engine::{Engine, EngineOptions, Scratch};
use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;
use zhijian::review::examples::{Exported, example};

use super::StoreArg;
use crate::cli::Outcome;
use crate::cli::table::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 写进这个规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: PathBuf,
    /// 还没改好的误判也写(rules test 会失败,直到改好)
    #[arg(long)]
    all: bool,
    /// 每条规则最多写几个例子
    #[arg(long, value_name = "N", default_value_t = 20)]
    most: usize,
    /// 只列出,不写
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let store = args.store.open()?;
    let files = PackFiles::folder(&args.rules)?;
    let pack = Pack::load(&files)?;
    let known: BTreeSet<Vec<String>> =
        pack.rules.iter().flat_map(|r| r.examples.iter().map(|e| e.chat.clone())).collect();
    let engine = Engine::new(pack, EngineOptions::default())?;
    let (mut by_rule, mut open, mut seen) = (BTreeMap::<String, Vec<Exported>>::new(), Vec::new(), 0);
    let mut scratch = Scratch::default();
    for case in store.reviewed(None)?.cases {
        for ruling in case.standing.rulings() {
            let Some(made) = example(&engine, &mut scratch, &case.case, &ruling) else { continue };
            let same = by_rule.get(&made.rule).is_some_and(|list| list.iter().any(|e| e.chat == made.chat));
            if known.contains(&made.chat) || same {
                seen += 1;
                continue;
            }
            let missed_still = made.text.contains("expect = \"todo\"");
            if !made.holds && !missed_still && !args.all {
                open.push(format!("{} {} 第 {} 条", made.rule, case.key.conversation, ruling.finding.turn + 1));
                continue;
            }
            let list = by_rule.entry(made.rule.clone()).or_default();
            if list.len() < args.most {
                list.push(made);
            }
        }
    }
    for text in &open {
        writeln_out!("还没改好,先不写: {}(--all 则照写)", plain(text));
    }
    let written: usize = by_rule.values().map(Vec::len).sum();
    if written == 0 {
        writeln_out!("没有新的例子(已有 {seen} 个)");
        return Ok(Outcome::Done);
    }
    let (changed, copied) = changed(&engine, &files, &by_rule)?;
    check(&files, &changed)?;
    for (rule, list) in &by_rule {
        writeln_out!("{rule}: {} 个例子", list.len());
    }
    if args.dry_run {
        writeln_out!("只是列出,没有改动文件(--dry-run)");
        return Ok(Outcome::Done);
    }
    for (inside, text) in &changed {
        let path = args.rules.join(inside);
        let failed = |e| Error::write(&path, e);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&path, text).map_err(failed)?;
    }
    for rule in copied {
        writeln_out!("{rule} 来自内置规则包,已整份抄到自己的规则包里再加例子(以后不再随内置的更新)");
    }
    writeln_out!("已写进 {};运行 `zhijian rules test --rules {}` 查看", args.rules.display(), args.rules.display());
    Ok(Outcome::Done)
}

/// The files with the examples behind what they hold, and the rules whose file had to be copied from the base pack.
fn changed(
    engine: &Engine,
    files: &PackFiles,
    by_rule: &BTreeMap<String, Vec<Exported>>,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (mut out, mut copied) = (BTreeMap::new(), Vec::new());
    for (rule, list) in by_rule {
        let inside = format!("rules/{rule}.toml");
        let text = match files.get(&inside) {
            Some(file) => file.text.clone(),
            None => {
                let number = engine.pack().rule(rule).ok_or_else(|| Error::Other(format!("没有规则 `{rule}`")))?;
                copied.push(rule.clone());
                engine.pack().rules[number].file.text.clone()
            }
        };
        let examples: String = list.iter().map(|e| e.text.as_str()).collect();
        out.insert(inside, format!("{}\n{examples}", text.trim_end()));
    }
    Ok((out, copied))
}

/// The changed pack must still load.
fn check(files: &PackFiles, changed: &BTreeMap<String, String>) -> Result<()> {
    let mut files = files.clone();
    for (inside, text) in changed {
        let file = Arc::new(SourceFile { path: inside.into(), text: text.clone() });
        match files.files.iter_mut().find(|f| f.0 == *inside) {
            Some(slot) => slot.1 = file,
            None => files.files.push((inside.clone(), file)),
        }
    }
    files.files.sort_by(|a, b| a.0.cmp(&b.0));
    let (_, faults) = Pack::check(&files);
    let errors: Vec<String> = faults.iter().filter(|d| d.severity == Severity::Error).map(Diagnostic::render).collect();
    match errors.as_slice() {
        [] => Ok(()),
        errors => Err(Error::Pack { errors: errors.len(), rendered: errors.join("\n\n") }),
    }
}
