//! `zhijian review`: people check the machine, and what they find has consequences.

mod appeal;
mod demote;
mod examples;
pub mod import;
mod log;
mod sample;
mod sheet;
mod stats;
pub mod transcripts;

use std::path::Path;

use clap::Subcommand;

use zhijian::error::{Error, Result};
use zhijian::report::folder::finish;
use zhijian::report::review_sheet;
use zhijian::review::sheet::Sheet;
use zhijian::store::{NightRow, Selection, Store};

use super::Outcome;
use super::storing::StoreArg;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 抽样并写出每位复核人的复核表(.xlsx)
    Sample(Box<sample::Args>),
    /// 再出一张表:复评(盲评)、仲裁分歧、裁定申诉
    Sheet(sheet::Args),
    /// 导入填好的表;有一格不对就全不导入,重复导入不起作用
    Import(import::Args),
    /// 规则准确率、召回估计,复核人之间、人机之间的一致性
    Stats(stats::Args),
    /// 审计记录:谁、何时、从哪个文件导入了什么
    Log(log::Args),
    /// 客服对一处发现提出申诉
    Appeal(Box<appeal::Args>),
    /// 把准确率太低的规则降为只提示、不扣分
    Demote(demote::Demote),
    /// 恢复降级的规则
    Restore(demote::Restore),
    /// 把判过的会话写成规则的例子,让改好的误判不再回来
    ExportExamples(examples::Args),
}

pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Command::Sample(args) => sample::run(&args),
        Command::Sheet(args) => sheet::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Log(args) => log::run(&args),
        Command::Appeal(args) => appeal::run(&args),
        Command::Demote(args) => demote::demote(&args),
        Command::Restore(args) => demote::restore(&args),
        Command::ExportExamples(args) => examples::run(&args),
    }
}

/// Who does it, and when: facts of the audit trail.
#[derive(Debug, clap::Args)]
struct Audit {
    /// 谁做的,记入审计记录;不写则用系统用户名
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// 记录的时间;不写则用现在
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Audit {
    fn who(&self) -> String {
        let own = self.by.clone().filter(|n| !n.trim().is_empty());
        let system = || ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        own.or_else(system).unwrap_or_else(|| "未署名".into())
    }

    fn at(&self) -> Result<String> {
        match &self.at {
            None => Ok(jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
            Some(text) => match text.parse::<jiff::Timestamp>() {
                Ok(_) => Ok(text.clone()),
                Err(_) => Err(Error::Setting {
                    option: "--at".into(),
                    reason: format!("`{text}` 不是时间,要写成 2026-11-21T09:00:00+08:00 这样"),
                }),
            },
        }
    }
}

/// One stored night, or one part of it.
#[derive(Debug, clap::Args)]
struct NightArg {
    /// 哪一晚,如 2026-11-20
    #[arg(long, value_name = "DATE")]
    night: String,
    /// 分部分存的其中一部分
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
}

impl NightArg {
    fn row(&self, store: &Store) -> Result<NightRow> {
        let selection = Selection { part: self.part.clone(), ..Selection::parse(&self.night, "--night")? };
        let rows = store.selected(&selection)?;
        let setting = |option: &str, reason| Error::Setting { option: option.into(), reason };
        match rows.as_slice() {
            [one] => Ok(one.clone()),
            [] => {
                let reason = format!("没有存过 {};用 `zhijian history list` 看存了哪些", self.night);
                Err(setting("--night", reason))
            }
            many => {
                let parts: Vec<_> = many.iter().map(|r| format!("{}/{}", r.night, r.part)).collect();
                let reason = format!("{} 存有多份({}),请用 --part 指明一份", self.night, parts.join("、"));
                Err(setting("--part", reason))
            }
        }
    }
}

/// Writes a sheet in one piece.
fn write_sheet(path: &Path, sheet: &Sheet) -> Result<()> {
    let failed = |e: std::io::Error| Error::write(path, e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = std::io::BufWriter::new(file.reopen().map_err(failed)?);
    review_sheet::write(&mut out, sheet)?;
    finish(out).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The page of a conversation in a result folder, as a link from a file in `from`.
fn page_link(results: Option<&Path>, from: &Path, conversation: &str) -> Option<String> {
    let page = results?.join("report/chats").join(format!("{}.html", zhijian::report::names::file_stem(conversation)));
    let page = page.canonicalize().ok()?;
    let from = from.canonicalize().ok()?;
    let shared = page.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().count() - shared;
    let down = page.components().skip(shared).map(|c| c.as_os_str().to_string_lossy().into_owned());
    Some(std::iter::repeat_n("..".to_string(), up).chain(down).collect::<Vec<_>>().join("/"))
}
