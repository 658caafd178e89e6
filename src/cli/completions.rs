//! `zhijian completions`.

use std::io::Write;

use zhijian::error::{Error, Result};

use super::Outcome;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 哪种命令行
    shell: clap_complete::Shell,
}

pub fn run<C: clap::CommandFactory>(args: Args) -> Result<Outcome> {
    // Into memory first: the generator panics when whoever reads has gone away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "zhijian", &mut script);
    std::io::stdout().write_all(&script).map_err(|e| Error::write("标准输出", e))?;
    Ok(Outcome::Done)
}
