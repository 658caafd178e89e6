//! `zhijian completions`.

use zhijian::error::Result;

use super::Outcome;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 哪种命令行
    shell: clap_complete::Shell,
}

pub fn run<C: clap::CommandFactory>(args: Args) -> Result<Outcome> {
    let mut command = C::command();
    clap_complete::generate(args.shell, &mut command, "zhijian", &mut std::io::stdout());
    Ok(Outcome::Done)
}
