//! `zhijian formats`: what can be read, what was understood of a file, and a mapping to start from.

use std::path::PathBuf;

use clap::Subcommand;

use zhijian::error::{Error, Result};
use zhijian::input::{FORMATS, guess};

use super::setting::{InputArgs, Language};
use super::table::dense;
use super::{Outcome, dry_run};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// 以 Markdown 写出(fixtures/formats/README.md 由此而来)
    #[arg(long)]
    markdown: bool,
    /// 语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    lang: Language,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 看看一份导出是怎样被理解的:格式、列、角色、时间、编码、前几通会话、可疑之处;不评判
    Show(Box<InputArgs>),
    /// 为一份列名或取值不同的导出写一份映射文件的初稿,改好后用 --mapping 指定
    Guess {
        #[command(flatten)]
        input: Box<InputArgs>,
        /// 写到文件;不写则写到标准输出
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        None => {
            let text = if args.markdown { markdown() } else { list(args.lang == Language::En) };
            writeln_out!("{}", text.trim_end());
            Ok(Outcome::Done)
        }
        Some(Command::Show(input)) => dry_run::run(&input),
        Some(Command::Guess { input, out }) => {
            let text = guess(&input.inputs, input.options()?)?;
            match out {
                Some(path) => {
                    if path.exists() {
                        let reason = format!("{} 已经存在,不覆盖", path.display());
                        return Err(Error::Setting { option: "--out".into(), reason });
                    }
                    std::fs::write(&path, text).map_err(|e| Error::write(&path, e))?;
                }
                None => writeln_out!("{}", text.trim_end()),
            }
            Ok(Outcome::Done)
        }
    }
}

fn list(english: bool) -> String {
    let headers = if english {
        ["id", "format", "extensions", "recognised by"]
    } else {
        ["名称", "格式", "扩展名", "凭什么认出"]
    };
    let pick = |(zh, en): (&'static str, &'static str)| if english { en } else { zh };
    let mut shown = dense(&headers);
    for format in FORMATS {
        shown.add_row([format.id, pick(format.title), &format.extensions.join(" "), pick(format.sign)]);
    }
    let note = if english {
        "Formats are found by content; name one by --format. Any may be compressed by gzip or zstd and come from standard input."
    } else {
        "格式凭内容自动认出,也可用 --format 指定;都可以再用 gzip、zstd 压缩,也都可以从标准输入读。\n列名或取值不同的导出: zhijian formats guess 文件 > 映射.toml,改好后 --mapping 映射.toml;先看理解得对不对: zhijian formats show 文件"
    };
    format!("{shown}\n{note}")
}

/// The reference of all formats, with the text samples in full.
fn markdown() -> String {
    let mut out = String::from(
        "# Formats\n\nWritten by `zhijian formats --markdown` from the table in `src/input/format.rs`; the samples beside this file were invented for this\nproject. Every format is found by its content, may be named by `--format`, may be compressed by gzip or zstd, and may come from standard\ninput. Speakers and columns nobody foresaw are named by `--roles`, `--agent-names` or a mapping file (`--mapping`).\n",
    );
    for format in FORMATS {
        let extensions: Vec<_> = format.extensions.iter().map(|e| format!("`.{e}`")).collect();
        let samples: Vec<_> = format.samples.iter().map(|s| format!("[`{s}`]({s})")).collect();
        out += &format!(
            "\n## `{}` — {}\n{}\n\n- 扩展名: {}\n- 凭什么认出: {} ({})\n- 怎样读: {} ({})\n- 样例: {}\n",
            format.id,
            format.title.0,
            format.title.1,
            extensions.join(" "),
            format.sign.0,
            format.sign.1,
            format.reading.0,
            format.reading.1,
            samples.join(" ")
        );
    }
    out
}
