//! `review log`: the audit trail.

use zhijian::error::{Error, Result};

use super::StoreArg;
use crate::cli::Outcome;
use crate::cli::table::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 一行一条 JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    for line in args.store.open()?.log()? {
        if args.json {
            writeln_out!("{}", serde_json::to_string(&line).map_err(|e| Error::Other(e.to_string()))?);
            continue;
        }
        let stands = if line.stands { "" } else { " [已被取代]" };
        let file = if line.file.is_empty() { String::new() } else { format!(" ← {}", line.file) };
        writeln_out!("{} {} {}{file}{stands}", line.at, plain(&line.who), plain(&line.text));
    }
    Ok(Outcome::Done)
}
