//! `zhijian merge`: the reports of a whole night from the partials of several runs over parts of it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use zhijian::error::{Error, Result};
use zhijian::judge::Lang;
use zhijian::pack::Pack;
use zhijian::partial::{Merged, PartialFile, find, merge};
use zhijian::report::chat::Spill;
use zhijian::report::folder::{StagedFolder, finish};

use super::Outcome;
use super::ending::Ending;
use super::inspect::Gates;
use super::outputs::ReportKind;
use super::results::{ResultKind, Results};
use super::signals::Stop;
use super::storing::StoreArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "结果与一台机器一次质检全部输入逐字节相同(run.json 的用时除外),和给出的先后无关。\
    \n各份须由同一版本的程序、同一规则包和门槛、同样的设定质检。\
    \n逐通结果:每份的 .zjp 在它的结果目录里时,各目录的 conversations.jsonl、rejects.jsonl 依次接起来;\
    \n否则不写逐通结果,工作簿里只有留存的证据(或用 --conversations 给出)。")]
pub struct Args {
    /// zhijian inspect --partial 写出的文件,或放着它们的目录
    #[arg(required = true, value_name = "PARTIAL")]
    partials: Vec<PathBuf>,
    /// 结果目录;整体写好后才替换旧结果
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// 质检时的规则包目录;不写则用内置的电商规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: Option<PathBuf>,
    /// 质检时的满意度权重文件
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_SATISFACTION")]
    satisfaction: Option<PathBuf>,
    /// 全部会话的逐通结果(JSONL,按输入次序),写进结果目录和工作簿
    #[arg(long, value_name = "FILE")]
    conversations: Option<PathBuf>,
    #[command(flatten)]
    gates: Gates,
    #[command(flatten)]
    store: StoreArgs,
    /// 表格之外还写什么:网页(report/)和工作簿(scorecards.xlsx)
    #[arg(long, value_enum, default_value_t = ReportKind::All)]
    report: ReportKind,
    /// 不显示摘要
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    args.gates.check()?;
    let stop = Stop::listen()?;
    let started = (Instant::now(), jiff::Timestamp::now());
    let storing = args.store.open()?;
    let mut pack = Pack::open(args.rules.as_deref())?;
    if let Some(path) = &args.satisfaction {
        pack.use_satisfaction(path)?;
    }
    let parts = find(&args.partials)?.iter().map(|path| PartialFile::open(path)).collect::<Result<Vec<_>>>()?;
    let settings = parts.first().map(|p| p.header.settings.clone()).unwrap_or_default();
    let lang = match settings.get("lang").map(String::as_str) {
        Some("en") => Lang::En,
        _ => Lang::Zh,
    };
    let folder = StagedFolder::new(&args.out)?;
    stop.staged(&folder);
    let pages = args.report.pages();
    let without: Vec<_> = parts.iter().filter(|p| !p.header.pages && !p.header.files.is_empty()).collect();
    let spill = (pages && without.is_empty()).then(|| Spill::new(folder.staging())).transpose()?;
    if let (true, Some(part)) = (pages, without.first()) {
        eprintln!(
            "注意: {} 等 {} 份质检时没有写网页(--report none),合并出的网页里没有会话页 (no conversation pages)",
            part.path.display(),
            without.len()
        );
    }
    let Merged { mut summary, parts, conversations } = merge(parts, &pack, spill.as_ref())?;
    stop.check()?;
    let lines = records(args, &folder, &parts, &conversations)?;
    stop.check()?;
    let kinds = if lines { [ResultKind::Jsonl] } else { [ResultKind::Parquet] };
    let ending = Ending {
        pack: &pack,
        lang,
        folder,
        out: &args.out,
        report: args.report,
        results: Results::new(&kinds, args.report),
        settings,
        gates: &args.gates,
        threads: 1,
        quiet: args.quiet,
        started,
        storing,
        partial: None,
    };
    ending.end(&stop, &mut summary, spill.as_ref())
}

/// Puts every conversation's record into the folder where they are at hand; false when they are not.
fn records(args: &Args, folder: &StagedFolder, parts: &[PartialFile], conversations: &[u64]) -> Result<bool> {
    const NAMES: [&str; 2] = ["conversations.jsonl", "rejects.jsonl"];
    if let Some(path) = &args.conversations {
        let found = append(folder, NAMES[0], &[path.as_path()])?;
        return expected(path, found, conversations.iter().sum()).map(|()| true);
    }
    let full = || parts.iter().zip(conversations).filter(|(part, _)| !part.header.files.is_empty());
    let folders: Vec<_> = full().filter_map(|(part, _)| part.results()).collect();
    if folders.len() < full().count() {
        let book = if args.report.book() { ",工作簿里只有留存的证据" } else { "" };
        eprintln!(
            "注意: {} 份里有 {} 份不在结果目录里,不写 conversations.jsonl{book};可用 --conversations 给出 (no records)",
            parts.len(),
            full().count() - folders.len()
        );
        return Ok(false);
    }
    for name in NAMES {
        let paths: Vec<_> = folders.iter().map(|f| f.join(name)).collect();
        let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        let found = append(folder, name, &paths)?;
        if name == NAMES[0] {
            expected(Path::new(name), found, conversations.iter().sum())?;
        }
    }
    Ok(true)
}

/// The records must be those the sums were counted from.
fn expected(path: &Path, found: u64, counted: u64) -> Result<()> {
    match found == counted {
        true => Ok(()),
        false => Err(Error::Other(format!(
            "{}: 有 {found} 通会话的结果,而各份汇总共 {counted} 通,对不上 (records and partials differ)",
            path.display()
        ))),
    }
}

/// Writes files one after the other; how many lines there were.
fn append(folder: &StagedFolder, name: &str, paths: &[&Path]) -> Result<u64> {
    let mut out = folder.create(name)?;
    let mut lines = 0;
    for path in paths {
        let unread = |e| Error::read(path, e);
        let mut input = BufReader::with_capacity(1 << 18, std::fs::File::open(path).map_err(unread)?);
        loop {
            let bytes = input.fill_buf().map_err(unread)?;
            let read = bytes.len();
            if read == 0 {
                break;
            }
            lines += bytes.iter().filter(|b| **b == b'\n').count() as u64;
            out.write_all(bytes).map_err(|e| Error::write(name, e))?;
            input.consume(read);
        }
    }
    finish(out).map_err(|e| Error::write(name, e))?;
    Ok(lines)
}
