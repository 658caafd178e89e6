//! `zhijian convert`: any readable format to native JSONL, which inspected gives what inspecting the source gives.

use std::io::Write;
use std::path::PathBuf;

use zhijian::error::{Error, Result};
use zhijian::input::{Item, write_native};
use zhijian::report::staged_file::StagedFile;

use super::Outcome;
use super::setting::InputArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 写到文件;不写则写到标准输出
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 不显示摘要
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let zone = args.input.zone()?;
    let mut reader = args.input.open()?;
    let mut staged = args.out.as_deref().map(StagedFile::new).transpose()?;
    let (mut conversations, mut rejects) = (0u64, 0u64);
    let mut buffer = Vec::new();
    let mut lines = Vec::new();
    while let Some(block) = reader.next_block(buffer)? {
        lines.clear();
        block.visit(&mut |item| match item {
            Item::Conversation { conversation, .. } => {
                conversations += 1;
                write_native(&conversation, &zone, &mut lines);
            }
            Item::Reject(reject) => {
                rejects += reject.rows;
                if let Ok(line) = serde_json::to_string(&reject) {
                    eprintln!("{line}");
                }
            }
        });
        match &mut staged {
            Some(file) => file.write_all(&lines).map_err(|e| Error::write(file.target(), e))?,
            None => std::io::stdout().lock().write_all(&lines).map_err(|e| Error::write("标准输出", e))?,
        }
        buffer = block.into_buffer();
    }
    if let Some(file) = staged {
        file.commit()?;
    }
    for note in reader.files().iter().flat_map(|f| &f.notes) {
        eprintln!("注意: {}", super::table::plain(note));
    }
    if !args.quiet {
        let told = if rejects > 0 { format!(",{rejects} 条记录读不了(见上)") } else { String::new() };
        eprintln!("写出 {conversations} 通会话{told}");
    }
    Ok(Outcome::Done)
}
