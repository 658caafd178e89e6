//! `review demote` and `review restore`: rules that are wrong too often cost nothing until they are better.

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::review::plan::Kind;
use zhijian::review::stats::quality;
use zhijian::store::{RuleStanding, Store};

use super::{Audit, StoreArg};
use crate::cli::Outcome;
use crate::cli::table::dense;

/// From which samples precision is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// 随机
    Random,
    /// 分层
    Stratified,
    /// 定向
    Targeted,
}

#[derive(Debug, clap::Args)]
pub struct Demote {
    #[command(flatten)]
    store: StoreArg,
    /// 准确率低于它就降级(0–1)
    #[arg(long, value_name = "RATE", default_value_t = 0.7)]
    below: f64,
    /// 至少判过几处才算数
    #[arg(long, value_name = "N", default_value_t = 10)]
    least: u64,
    /// 准确率取自哪种抽样(不混用)
    #[arg(long, value_enum, default_value_t = From::Random)]
    from: From,
    /// 直接指明规则,不看准确率(可写多次)
    #[arg(long = "rule", value_name = "ID")]
    rules: Vec<String>,
    /// 为什么(用 --rule 时)
    #[arg(long, value_name = "TEXT", default_value = "人工指定")]
    why: String,
    /// 只列出,不降级
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    audit: Audit,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    /// 规则
    #[arg(required = true, value_name = "RULE")]
    rules: Vec<String>,
    #[command(flatten)]
    store: StoreArg,
    /// 为什么
    #[arg(long, value_name = "TEXT")]
    why: String,
    #[command(flatten)]
    audit: Audit,
}

/// The rules demoted now.
fn demoted(store: &Store) -> Result<Vec<String>> {
    Ok(store.rule_standing()?.into_iter().filter(|r| r.demoted).map(|r| r.rule).collect())
}

/// The pack of the latest night, to tell known rules from others.
fn known(store: &Store, rules: &[String]) -> Result<()> {
    let Some(last) = store.nights()?.pop() else { return Ok(()) };
    let pack = store.pack(&last.stamp.sha256)?;
    match rules.iter().find(|r| pack.rule(r).is_none()) {
        Some(unknown) => {
            let near = zhijian::pack::fields::nearest(unknown, pack.rules.iter().map(|r| r.id.as_str()));
            let hint = near.map_or(String::new(), |n| format!(";是不是想写 `{n}`?"));
            Err(Error::Setting { option: "RULE".into(), reason: format!("没有规则 `{unknown}`{hint}") })
        }
        None => Ok(()),
    }
}

pub fn demote(args: &Demote) -> Result<Outcome> {
    if !(0.0..=1.0).contains(&args.below) {
        let reason = "要在 0 到 1 之间,如 0.7".into();
        return Err(Error::Setting { option: "--below".into(), reason });
    }
    let mut store = args.store.open()?;
    let (at, who) = (args.audit.at()?, args.audit.who());
    let already = demoted(&store)?;
    let standing = |rule: &str, reason: String| RuleStanding {
        rule: rule.to_string(),
        demoted: true,
        at: at.clone(),
        who: who.clone(),
        reason,
    };
    let mut chosen = Vec::new();
    if args.rules.is_empty() {
        let kind = match args.from {
            From::Random => Kind::Random,
            From::Stratified => Kind::Stratified,
            From::Targeted => Kind::Targeted,
        };
        let cases = store.reviewed(None)?.cases;
        let views: Vec<_> = cases.iter().map(|c| c.view()).collect();
        let mut shown = dense(&["规则", "准确率%", "95% 区间", "判过", ""]);
        for q in quality(&views, kind) {
            let Some(p) = q.precision.filter(|p| p.value < args.below) else { continue };
            let verdict = match (p.n >= args.least, already.contains(&q.rule)) {
                (_, true) => "已是只提示",
                (false, _) => "判过的太少,先不动",
                (true, false) => "降为只提示",
            };
            let (value, low, high) = (p.value * 100.0, p.low * 100.0, p.high * 100.0);
            shown.add_row([
                q.rule.clone(),
                format!("{value:.1}"),
                format!("{low:.1}–{high:.1}"),
                p.n.to_string(),
                verdict.to_string(),
            ]);
            if verdict == "降为只提示" {
                let reason = format!(
                    "{}抽样准确率 {value:.1}%(95% 区间 {low:.1}–{high:.1},{} 处),低于 {:.0}%",
                    kind.title(),
                    p.n,
                    args.below * 100.0
                );
                chosen.push(standing(&q.rule, reason));
            }
        }
        writeln_out!("{shown}");
    } else {
        known(&store, &args.rules)?;
        let new = args.rules.iter().filter(|r| !already.contains(r));
        chosen.extend(new.map(|rule| standing(rule, args.why.clone())));
    }
    if chosen.is_empty() {
        writeln_out!("没有要降级的规则");
        return Ok(Outcome::Done);
    }
    if !args.dry_run {
        store.set_standing(&chosen)?;
    }
    for rule in &chosen {
        writeln_out!("{} 降为只提示: {}", rule.rule, rule.reason);
    }
    match args.dry_run {
        true => writeln_out!("只是列出,没有改动(--dry-run)"),
        false => writeln_out!(
            "之后 inspect --store 起生效;已存的晚用 `zhijian rescore` 重算;`zhijian review restore` 可恢复"
        ),
    }
    Ok(Outcome::Done)
}

pub fn restore(args: &Restore) -> Result<Outcome> {
    let mut store = args.store.open()?;
    let already = demoted(&store)?;
    if let Some(rule) = args.rules.iter().find(|r| !already.contains(r)) {
        let reason = format!("`{rule}` 没有被降级;降级的有: {}", already.join("、"));
        return Err(Error::Setting { option: "RULE".into(), reason });
    }
    let (at, who) = (args.audit.at()?, args.audit.who());
    let rows: Vec<RuleStanding> = args
        .rules
        .iter()
        .map(|rule| RuleStanding {
            rule: rule.clone(),
            demoted: false,
            at: at.clone(),
            who: who.clone(),
            reason: args.why.clone(),
        })
        .collect();
    store.set_standing(&rows)?;
    writeln_out!("{} 恢复扣分;已存的晚用 `zhijian rescore` 重算", args.rules.join("、"));
    Ok(Outcome::Done)
}
