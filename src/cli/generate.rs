//! `zhijian generate`: invented conversations for trying out sizes.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use zhijian::error::{Error, Result};
use zhijian::report::staged_file::StagedFile;
use zhijian::tools::generate::{Format, Plan, write};

use super::Outcome;

/// How they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// 一行一通会话
    Jsonl,
    /// 一行一条消息,带中文表头
    Csv,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "同一个种子生成同样的字节。话是编的:客服多用套话,客户各说各的,按比例夹着违规。")]
pub struct Args {
    /// 多少通会话
    #[arg(long, value_name = "N", default_value_t = 1000)]
    conversations: u64,
    /// 随机种子
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// 写到哪里;`-` 写标准输出,.gz/.zst 结尾则压缩
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// 格式;不写则看扩展名,.csv 之外都是 jsonl
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// 多少名客服
    #[arg(long, value_name = "N", default_value_t = 50)]
    agents: u64,
    /// 客服违规的会话占比(0–1)
    #[arg(long, value_name = "RATE", default_value_t = 0.02)]
    violations: f64,
    /// 电话会话占比(0–1);只有 jsonl 带录音里的时间
    #[arg(long, value_name = "RATE", default_value_t = 0.1)]
    phone: f64,
    /// 第一天
    #[arg(long, value_name = "DATE", default_value = "2026-11-20")]
    start: jiff::civil::Date,
    /// 分布在几天里
    #[arg(long, value_name = "N", default_value_t = 1)]
    days: u32,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    for (option, rate) in [("--violations", args.violations), ("--phone", args.phone)] {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::Setting { option: option.into(), reason: "要在 0 到 1 之间,如 0.02".into() });
        }
    }
    let name = args.out.to_string_lossy().to_ascii_lowercase();
    let bare = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let format = match args.format {
        Some(FormatArg::Csv) => Format::Csv,
        None if bare.ends_with(".csv") => Format::Csv,
        _ => Format::Jsonl,
    };
    let plan = Plan {
        conversations: args.conversations,
        seed: args.seed,
        agents: args.agents,
        violations: args.violations,
        phone: args.phone,
        start: args.start,
        days: args.days,
        format,
    };
    let bar = ProgressBar::new(plan.conversations);
    if args.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} 通 · 剩余 {eta}") {
        bar.set_style(style);
    }
    let done = |n| bar.set_position(n);
    if args.out == Path::new("-") {
        write(&plan, &mut std::io::stdout().lock(), done)?;
    } else {
        to_file(&args.out, &name, |out| write(&plan, out, done))?;
    }
    bar.finish_and_clear();
    Ok(Outcome::Done)
}

/// Writes a file as a whole or not at all.
fn to_file(path: &Path, name: &str, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = |e: std::io::Error| Error::write(path, e);
    let mut out = BufWriter::with_capacity(1 << 20, StagedFile::new(path)?);
    if name.ends_with(".gz") {
        let mut gz = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
        fill(&mut gz)?;
        gz.finish().map_err(failed)?;
    } else if name.ends_with(".zst") {
        let mut zst = zstd::Encoder::new(&mut out, 3).map_err(failed)?;
        fill(&mut zst)?;
        zst.finish().map_err(failed)?;
    } else {
        fill(&mut out)?;
    }
    out.into_inner().map_err(|e| failed(e.into_error()))?.commit()
}
