//! `zhijian history`: what is in a history store, how nights and periods compare, and taking old ones out.

mod compare;
mod list;
mod prune;
mod show;

use clap::{Subcommand, ValueEnum};

use zhijian::error::{Error, Result};

use super::Outcome;
use super::setting::Language;
use super::storing::StoreArg;
use super::table::{dense, plain};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 列出存了哪些晚,规则包或门槛变过的晚有标记
    List(list::Args),
    /// 一晚或一个周期的数字
    Show(show::Args),
    /// 比较两晚或两个周期,变化带 95% 区间
    Compare(compare::Args),
    /// 清理旧的晚或旧的引文(不加 --yes 只列出)
    Prune(prune::Args),
}

/// How figures are printed.
#[derive(Debug, clap::Args)]
struct Shown {
    /// 输出形式
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// 表头语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    lang: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// 表格
    Table,
    /// CSV
    Csv,
    /// JSON
    Json,
}

pub fn run(args: &Args) -> Result<Outcome> {
    match &args.command {
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Prune(args) => prune::run(args),
    }
}

impl Shown {
    fn zh(&self) -> bool {
        self.lang == Language::Zh
    }

    /// A text in the language asked for.
    fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        if self.zh() { zh } else { en }
    }

    /// Prints rows as a table or as CSV.
    fn rows(&self, headers: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
        match self.format {
            Form::Table => {
                let mut shown = dense(headers);
                for row in rows {
                    shown.add_row(row.iter().map(|cell| plain(cell)));
                }
                writeln_out!("{shown}");
            }
            _ => {
                let failed = |e: csv::Error| Error::write("标准输出", std::io::Error::other(e));
                let mut csv = csv::Writer::from_writer(Vec::new());
                csv.write_record(headers).map_err(failed)?;
                for row in rows {
                    // A number is no formula, whatever its sign.
                    let safe = |cell: &String| match cell.parse::<f64>() {
                        Ok(_) => cell.clone(),
                        Err(_) => zhijian::report::names::cell(cell).into_owned(),
                    };
                    csv.write_record(row.iter().map(safe)).map_err(failed)?;
                }
                let bytes = csv.into_inner().map_err(|e| Error::write("标准输出", e.into_error()))?;
                std::io::Write::write_all(&mut std::io::stdout(), &bytes).map_err(|e| Error::write("标准输出", e))?;
            }
        }
        Ok(())
    }

    /// Prints a value as JSON.
    fn json(&self, value: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Error::Other(e.to_string()))?;
        writeln_out!("{text}");
        Ok(())
    }
}

/// A share in percent with one digit.
fn percent(value: f64) -> String {
    format!("{:.1}%", value * 100.0)
}

/// What changed packs mean, in one line.
fn warning(shown: &Shown) -> &'static str {
    match shown.zh() {
        true => "注意: 规则包或门槛(合格线、权重、目标)在两者之间变过,分数和合格率不直接可比",
        false => "Note: the rule pack or thresholds changed in between; scores and pass rates do not compare directly",
    }
}
