//! The command line: one file a subcommand; the only place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

/// `println!` that hands a failing write back as an error instead of panicking.
macro_rules! writeln_out {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($arg)*).map_err(|e| zhijian::error::Error::write("标准输出", e))?
    }};
}

mod annotate;
mod calibrate;
mod completions;
mod convert;
mod dry_run;
mod ending;
mod formats;
mod generate;
mod history;
mod inspect;
mod memory_limit;
mod merge;
mod outputs;
mod partial;
mod pipe;
mod progress;
mod report;
mod rescore;
mod results;
mod review;
mod rules;
mod setting;
mod signals;
mod storing;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use zhijian::error::Error;

/// 离线质检:读完昨晚全部客服会话,按规则逐通评判,给出坐席评分卡和辅导报告。
#[derive(Debug, Parser)]
#[command(name = "zhijian", version, about, long_about = None, arg_required_else_help = true)]
#[command(after_help = "退出码: 0 完成;1 完成但未过设定的门槛(--fail-on、--max-reject-rate);2 无法运行;130/143 被中断")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 质检一批会话,写出评分卡、辅导报告和逐通结果
    Inspect(Box<inspect::Args>),
    /// 从历史库重新生成某一晚或某个周期的报告,不需要会话原文
    Report(report::Args),
    /// 把分开质检的几份合成一晚:评分卡、汇总、报告
    Merge(Box<merge::Args>),
    /// 查看、比较、清理历史库
    History(history::Args),
    /// 人工复核:抽样、复核表、导入、准确率与一致性、申诉、规则降级
    Review(review::Args),
    /// 用新规则包或新的复核决定重算已存的晚
    Rescore(Box<rescore::Args>),
    /// 给每条消息标注标记(JSONL,一行一条消息)
    Annotate(annotate::Args),
    /// 查看、检查、测试规则包
    Rules(rules::Args),
    /// 用自己打过分的会话学满意度估计
    Calibrate(Box<calibrate::Args>),
    /// 生成编造的会话,用来试规模、试速度
    Generate(generate::Args),
    /// 列出能读的格式;看看一份导出是怎样被理解的;写映射文件的初稿
    Formats(formats::Args),
    /// 把任何能读的格式转成本项目的 JSONL
    Convert(convert::Args),
    /// 生成命令行补全脚本
    Completions(completions::Args),
}

/// How a command ended.
pub enum Outcome {
    /// Done.
    Done,
    /// Done, but a gate the user set failed.
    GateFailed,
}

/// Parses the command line, runs it, and gives the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Inspect(args) => inspect::run(*args),
        Command::Report(args) => report::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::History(args) => history::run(&args),
        Command::Review(args) => review::run(args),
        Command::Rescore(args) => rescore::run(&args),
        Command::Annotate(args) => annotate::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Calibrate(args) => calibrate::run(*args),
        Command::Generate(args) => generate::run(&args),
        Command::Formats(args) => formats::run(args),
        Command::Convert(args) => convert::run(&args),
        Command::Completions(args) => completions::run::<Cli>(args),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::GateFailed) => ExitCode::from(1),
        Err(error) if closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if let Error::Pack { rendered, .. } | Error::Mapping { rendered, .. } = &error {
                eprintln!("{rendered}\n");
            }
            eprintln!("错误: {error}");
            match error {
                Error::Interrupted { signal } => ExitCode::from(128 + signal as u8),
                _ => ExitCode::from(2),
            }
        }
    }
}

/// Whoever read our output has gone away: nothing is wrong.
fn closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Write { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}
