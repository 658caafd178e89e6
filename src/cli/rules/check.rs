//! `rules check`: every fault of a pack at once, and on request what never fires on given data.

use zhijian::diagnostic::Severity;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::Result;
use zhijian::pack::Pack;

use super::{Outcome, PackArgs};
use crate::cli::setting::InputArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pack: PackArgs,
    /// 用这些会话查出从未命中的标记、短语和规则(仅供参考)
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    data: Vec<String>,
    /// 连小毛病也列出(几个标记共用的短语、不起作用的键)
    #[arg(long)]
    pedantic: bool,
    /// 只列错误
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let (pack, mut diagnostics) = Pack::check(&args.pack.files()?);
    if args.pedantic
        && let Some(pack) = &pack
    {
        diagnostics.extend(zhijian::pack::pedantic(pack));
    }
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    for diagnostic in &diagnostics {
        if diagnostic.severity == Severity::Error || !args.quiet {
            writeln_out!("{}\n", diagnostic.render());
        }
    }
    let notes = if notes > 0 { format!(",{notes} 条小提示") } else { String::new() };
    let Some(pack) = pack.filter(|_| errors == 0) else {
        writeln_out!("{errors} 处错误,{warnings} 条提醒{notes}。");
        return Ok(Outcome::GateFailed);
    };
    writeln_out!("规则包可用:{} 条规则,{} 个标记;{warnings} 条提醒{notes}。", pack.rules.len(), pack.markers.len());
    if !args.data.is_empty() {
        silent(args, pack)?;
    }
    Ok(Outcome::Done)
}

fn silent(args: &Args, pack: Pack) -> Result<()> {
    let engine = Engine::new(pack, EngineOptions::default())?;
    let input = InputArgs::of(args.data.clone());
    let hot = super::hot::count(&engine, &input, true, args.quiet)?;
    let silent = hot.silent(&engine);
    let pack = engine.pack();
    writeln_out!("\n在 {} 通会话里从未命中(不一定是错,看是不是写窄了或已经用不上):", hot.conversations());
    writeln_out!("规则 {} / {} 条: {}", silent.rules.len(), pack.rules.len(), listed(&silent.rules));
    writeln_out!("标记 {} / {} 个: {}", silent.markers.len(), pack.markers.len(), listed(&silent.markers));
    let mut by_marker = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    for (marker, phrase) in &silent.phrases {
        by_marker.entry(marker).or_default().push(phrase);
    }
    writeln_out!("短语 {} 条(其他短语命中过的标记里):", silent.phrases.len());
    for (marker, phrases) in by_marker {
        writeln_out!("  {marker}: {}", phrases.join("、"));
    }
    Ok(())
}

fn listed(ids: &[String]) -> String {
    if ids.is_empty() { "无".into() } else { ids.join("、") }
}
