//! `zhijian rules`: list, check and test packs.

use std::path::PathBuf;

use clap::Subcommand;

use zhijian::diagnostic::Severity;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::examples;
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;

use super::Outcome;
use super::table::{plain, table};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 列出规则和标记
    List(PackArgs),
    /// 检查规则包,一次列出全部问题
    Check(PackArgs),
    /// 运行规则和标记自带的例子
    Test(TestArgs),
}

#[derive(Debug, clap::Args)]
struct PackArgs {
    /// 规则包目录;不写则用内置的电商规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct TestArgs {
    #[command(flatten)]
    pack: PackArgs,
    /// 只测试这些规则或标记
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Command::List(args) => list(&args),
        Command::Check(args) => check(&args),
        Command::Test(args) => test(&args),
    }
}

fn files(args: &PackArgs) -> Result<PackFiles> {
    match &args.rules {
        Some(folder) => PackFiles::folder(folder),
        None => PackFiles::embedded("ecommerce").ok_or_else(|| Error::Other("内置规则包缺失".into())),
    }
}

fn list(args: &PackArgs) -> Result<Outcome> {
    let pack = Pack::load(&files(args)?)?;
    writeln_out!("{} {} ({})", pack.title, pack.version, pack.origin);
    let mut rules = table(&["规则", "标题", "维度", "级别", "分值", "技能"]);
    for rule in &pack.rules {
        rules.add_row([
            rule.id.clone(),
            rule.title.clone(),
            pack.scorecard.dimensions[rule.dimension].title.clone(),
            rule.severity.title().to_string(),
            zhijian::report::Points(rule.points).to_string(),
            rule.skill.clone(),
        ]);
    }
    writeln_out!("\n规则 {} 条\n{rules}", pack.rules.len());
    let mut markers = table(&["标记", "标题", "谁说的", "短语", "正则", "例子"]);
    for marker in &pack.markers {
        let phrases: usize = marker.blocks.iter().map(|b| b.phrases.len() + b.nears.len()).sum();
        let regexes: usize = marker.blocks.iter().map(|b| b.regexes.len()).sum();
        let side = match marker.role {
            Some(zhijian::conversation::Role::Agent) => "客服",
            Some(_) => "客户",
            None => "双方",
        };
        markers.add_row([
            marker.id.clone(),
            marker.title.clone(),
            side.to_string(),
            phrases.to_string(),
            regexes.to_string(),
            marker.examples.len().to_string(),
        ]);
    }
    writeln_out!("\n标记 {} 个\n{markers}", pack.markers.len());
    Ok(Outcome::Done)
}

fn check(args: &PackArgs) -> Result<Outcome> {
    let (pack, diagnostics) = Pack::check(&files(args)?);
    for diagnostic in &diagnostics {
        writeln_out!("{}\n", diagnostic.render());
    }
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    match pack {
        Some(pack) if errors == 0 => {
            writeln_out!("规则包可用:{} 条规则,{} 个标记;{warnings} 条提醒。", pack.rules.len(), pack.markers.len());
            Ok(Outcome::Done)
        }
        _ => {
            writeln_out!("{errors} 处错误,{warnings} 条提醒。");
            Ok(Outcome::GateFailed)
        }
    }
}

fn test(args: &TestArgs) -> Result<Outcome> {
    let engine = Engine::new(Pack::load(&files(&args.pack)?)?, EngineOptions::default())?;
    let mut results = examples::run(&engine);
    if !args.ids.is_empty() {
        results.retain(|r| args.ids.contains(&r.id));
    }
    let mut failed = 0;
    for result in results.iter().filter(|r| !r.ok) {
        let label = if result.todo { "待办" } else { "失败" };
        failed += usize::from(!result.todo);
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
    let todo = results.iter().filter(|r| r.todo && !r.ok).count();
    writeln_out!(
        "例子 {} 个:通过 {},失败 {failed},待办 {todo}",
        results.len(),
        results.iter().filter(|r| r.ok).count()
    );
    if results.is_empty() {
        writeln_out!("没有匹配的规则或标记");
        return Ok(Outcome::GateFailed);
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::GateFailed })
}
