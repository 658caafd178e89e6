//! `rules schema`: JSON Schemas of the pack's files.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use zhijian::error::{Error, Result};
use zhijian::pack::schema::{FILES, schema};

use super::Outcome;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "编辑器里用法: zhijian rules schema --out .schema,然后在 TOML 第一行写\n  #:schema ../.schema/marker.schema.json\n(VS Code 装 Even Better TOML 扩展即可补全键名、提示含义、标出写错的地方)"
)]
pub struct Args {
    /// 哪种文件的 Schema
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(FILES.iter().map(|f| f.0)), required_unless_present = "out")]
    kind: Option<String>,
    /// 把全部 Schema 写到这个目录,一种一个文件
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome> {
    if let Some(kind) = &args.kind {
        super::print_json(&schema(kind))?;
    }
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|e| Error::write(folder, e))?;
        for (kind, _, files, _) in FILES {
            let path = folder.join(format!("{kind}.schema.json"));
            let text = serde_json::to_string_pretty(&schema(kind)).map_err(|e| Error::Other(e.to_string()))?;
            std::fs::write(&path, text + "\n").map_err(|e| Error::write(&path, e))?;
            writeln_out!("{} ← {files}", path.display());
        }
    }
    Ok(Outcome::Done)
}
