//! `history prune`: taking old nights, or old quotes, out of the store.

use zhijian::error::{Error, Result};
use zhijian::report::calendar;
use zhijian::store::Prune;

use super::{Outcome, StoreArg};
use crate::cli::setting::Language;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 清掉这一天之前的晚
    #[arg(long, value_name = "DATE")]
    before: Option<String>,
    /// 只留最近 N 晚
    #[arg(long, value_name = "N", conflicts_with = "before")]
    keep: Option<u64>,
    /// 清掉这一天之前各晚的引文(客户和客服的原话),数字保留
    #[arg(long, value_name = "DATE")]
    quotes_before: Option<String>,
    /// 真的清理;不加则只列出会清理什么
    #[arg(long)]
    yes: bool,
    /// 显示语言
    #[arg(long, value_enum, default_value_t = Language::Zh, env = "ZHIJIAN_LANG")]
    lang: Language,
}

pub fn run(args: &Args) -> Result<Outcome> {
    for (option, day) in [("--before", &args.before), ("--quotes-before", &args.quotes_before)] {
        if let Some(day) = day.as_deref().filter(|d| calendar::day(d).is_none()) {
            let reason = format!("`{day}` 不是日期,要写成 2026-11-20 这样");
            return Err(Error::Setting { option: option.into(), reason });
        }
    }
    let what = Prune { before: args.before.clone(), keep: args.keep, quotes_before: args.quotes_before.clone() };
    if what == Prune::default() {
        let reason = "请用 --before、--keep 或 --quotes-before 写明清理什么".into();
        return Err(Error::Setting { option: "prune".into(), reason });
    }
    let pruned = args.store.open()?.prune(&what, args.yes)?;
    let zh = args.lang == Language::Zh;
    for (is_quotes, nights) in [(false, &pruned.nights), (true, &pruned.quotes)] {
        let (Some(first), Some(last)) = (nights.first(), nights.last()) else { continue };
        let n = nights.len();
        if zh {
            let verb = if args.yes { "已清理" } else { "会清理" };
            let what = if is_quotes { "引文" } else { "整晚" };
            writeln_out!("{verb}{what}: {n} 晚({first} 至 {last})");
        } else {
            let verb = if args.yes { "pruned" } else { "would prune" };
            let what = if is_quotes { "quotes" } else { "nights" };
            writeln_out!("{verb} {what}: {n} ({first} to {last})");
        }
    }
    let say = |zh_text: &'static str, en: &'static str| if zh { zh_text } else { en };
    match (pruned.nights.is_empty() && pruned.quotes.is_empty(), args.yes) {
        (true, _) => writeln_out!("{}", say("没有可清理的", "nothing to prune")),
        (false, false) => eprintln!(
            "{}",
            say(
                "这只是预览;加 --yes 才会清理,清理后不能恢复",
                "this is a preview; --yes prunes, which cannot be undone"
            )
        ),
        (false, true) => {}
    }
    Ok(Outcome::Done)
}
