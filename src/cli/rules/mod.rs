//! `zhijian rules`: everything for those who write and tune packs, one file a subcommand.

mod check;
mod diff;
mod doc;
mod explain;
mod hot;
mod import;
mod list;
mod new;
mod schema;
mod test;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;
use zhijian::pipeline::{Format, Run, Summary};

use super::Outcome;
use super::progress::Progress;
use super::setting::InputArgs;
use super::signals::Stop;

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
    Check(check::Args),
    /// 运行规则和标记自带的例子
    Test(test::Args),
    /// 讲清一通会话是怎么判的
    Explain(explain::Args),
    /// 比较两个规则包在同一批会话上的结果
    Diff(diff::Args),
    /// 输出规则包文件的 JSON Schema,供编辑器补全和检查
    Schema(schema::Args),
    /// 新建标记、规则或本店规则包
    New(new::Args),
    /// 从 CSV、TXT 或 XLSX 导入短语
    Import(import::Args),
    /// 统计哪些短语命中最多、哪些可能误判
    Hot(hot::Args),
    /// 生成全部规则和标记的参考表(Markdown)
    Doc(doc::Args),
}

#[derive(Debug, clap::Args)]
struct PackArgs {
    /// 规则包目录;不写则用内置的电商规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: Option<PathBuf>,
}

impl PackArgs {
    fn files(&self) -> Result<PackFiles> {
        files(self.rules.as_deref())
    }

    fn engine(&self) -> Result<Engine> {
        Engine::new(Pack::load(&self.files()?)?, EngineOptions::default())
    }

    /// The folder, for commands that write into the pack.
    fn folder(&self) -> Result<&Path> {
        let Some(folder) = self.rules.as_deref() else {
            return Err(Error::Setting {
                option: "--rules".into(),
                reason: "请指定规则包目录;还没有的话先运行 `zhijian rules new pack 目录` 建一个本店规则包".into(),
            });
        };
        if !folder.join("pack.toml").is_file() {
            return Err(Error::Setting {
                option: "--rules".into(),
                reason: format!("{} 里没有 pack.toml,不是规则包目录", folder.display()),
            });
        }
        Ok(folder)
    }
}

fn files(folder: Option<&Path>) -> Result<PackFiles> {
    match folder {
        Some(folder) => PackFiles::folder(folder),
        None => PackFiles::embedded("ecommerce").ok_or_else(|| Error::Other("内置规则包缺失".into())),
    }
}

/// Runs every conversation of the inputs through an engine; results reach `out` in input order.
fn run_all(
    engine: &Engine,
    input: &InputArgs,
    format: &dyn Format,
    quiet: bool,
    out: &mut (dyn std::io::Write + Send),
) -> Result<Summary> {
    let stop = Stop::listen()?;
    let reader = input.open()?;
    let progress = Progress::new(reader.total_bytes(), quiet);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let run = Run { engine, format, threads, observer: &progress, stop: &stop.flag, mask: true, spill: None };
    let summary = run.run(reader, out, &mut std::io::sink());
    progress.finish();
    stop.check()?;
    let summary = summary?;
    if summary.records_rejected > 0 && !quiet {
        eprintln!("有 {} 条记录无法读取,未计入。", summary.records_rejected);
    }
    Ok(summary)
}

/// Prints a value as indented JSON.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Other(format!("无法写成 JSON: {e}")))?;
    writeln_out!("{text}");
    Ok(())
}

pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Command::List(args) => list::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::New(args) => new::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Hot(args) => hot::run(&args),
        Command::Doc(args) => doc::run(&args),
    }
}
