//! To come.
use super::Outcome;
#[derive(Debug, clap::Args)]
pub struct Args {}
pub fn run(_: &Args) -> zhijian::error::Result<Outcome> { Ok(Outcome::Done) }
