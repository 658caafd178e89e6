//! `rules doc`: the generated reference of a pack.

use std::path::{Path, PathBuf};

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::tools::doc::{BEGIN, END, markdown, replace};

use super::{Outcome, PackArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pack: PackArgs,
    /// 更新这个文件里 `<!-- rules doc: begin -->` 与 `<!-- rules doc: end -->` 之间的部分;文件不存在则新建
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 只检查这个文件是不是最新的,不是则退出码为 1
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    check: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let text = markdown(&Pack::load(&args.pack.files()?)?);
    if let Some(path) = &args.check {
        let old = std::fs::read_to_string(path).map_err(|e| Error::read(path, e))?;
        if merged(path, &old, &text)? == old {
            writeln_out!("{} 是最新的。", path.display());
            return Ok(Outcome::Done);
        }
        writeln_out!("{} 已过时,运行 `zhijian rules doc --out {}` 更新。", path.display(), path.display());
        return Ok(Outcome::GateFailed);
    }
    let Some(path) = &args.out else {
        writeln_out!("{}", text.trim_end());
        return Ok(Outcome::Done);
    };
    let new = match std::fs::read_to_string(path) {
        Ok(old) => merged(path, &old, &text)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => format!("{BEGIN}\n{}\n{END}\n", text.trim_end()),
        Err(e) => return Err(Error::read(path, e)),
    };
    std::fs::write(path, new).map_err(|e| Error::write(path, e))?;
    writeln_out!("已更新 {}", path.display());
    Ok(Outcome::Done)
}

fn merged(path: &Path, old: &str, text: &str) -> Result<String> {
    let lacking = || Error::Other(format!("{} 里没有 {BEGIN} 和 {END} 这两行,不知道写到哪里", path.display()));
    replace(old, text).ok_or_else(lacking)
}
