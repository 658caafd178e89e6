//! `zhijian rescore`: stored nights under a new pack or new decisions.

use std::path::PathBuf;

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::review::Verdict;
use zhijian::review::case::{Case, CaseRecords};
use zhijian::review::stats::ReviewedCases;
use zhijian::store::{NightRow, Record, Selection, Store};

use super::Outcome;
use super::review::import::{changes, figures};
use super::review::transcripts::{Transcripts, same_night};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "会话原文还在的晚重新评判、整晚替换,复核决定照样生效;原文不在的晚说明原因,不动它。\n复核过的会话的机器分和复核后分随后可用 `zhijian report` 重新出报告查看。"
)]
pub struct Args {
    /// 历史库文件(zhijian inspect --store 写出的)
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_STORE")]
    store: PathBuf,
    /// 哪一晚或哪个周期(2026-11-20、2026-W47、2026-11…);不写则全部
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// 换用这个规则包;不写则用各晚原来的规则包(加上降级、恢复的决定)
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    transcripts: Transcripts,
    /// 只说明会怎样,不改动历史库
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let mut store = Store::existing(&args.store)?;
    let rows = match args.period.as_deref().map(|p| Selection::parse(p, "--period")).transpose()? {
        Some(selection) => store.selected(&selection)?,
        None => store.nights()?,
    };
    if rows.is_empty() {
        return Err(Error::Other("没有要重算的晚;用 `zhijian history list` 看存了哪些 (nothing to rescore)".into()));
    }
    let new = args.rules.as_deref().map(|path| Pack::open(Some(path))).transpose()?;
    let (mut done, mut left) = (0, 0);
    for row in &rows {
        match night(args, &mut store, row, new.as_ref())? {
            true => done += 1,
            false => left += 1,
        }
    }
    let verb = if args.dry_run { "可以重算" } else { "重算" };
    writeln_out!("{verb} {done} 份,没有动的 {left} 份");
    Ok(Outcome::Done)
}

/// Rescores a night; false when it was left as it is.
fn night(args: &Args, store: &mut Store, row: &NightRow, new: Option<&Pack>) -> Result<bool> {
    let label = if row.part.is_empty() { row.night.clone() } else { format!("{}({})", row.night, row.part) };
    let pack = match new {
        Some(pack) => pack.clone(),
        None => store.pack(&row.stamp.sha256)?,
    };
    let pack = with_decisions(store, pack)?;
    let same_pack = pack.hash == row.stamp.sha256;
    let selection = Selection { part: Some(row.part.clone()), ..Selection::parse(&row.night, "--period")? };
    let known = store.reviewed(Some(&selection))?;
    follow_ups(&label, &pack, &known)?;
    if same_pack && known.stale.is_empty() {
        writeln_out!("{label}: 规则包没有变化,不用重判;复核决定已在报告里生效");
        return Ok(false);
    }
    let inputs = match args.transcripts.kept(store, row)? {
        Ok(inputs) => inputs,
        Err(why) => {
            writeln_out!("{label}: 不能按新规则包重判: {why};原来的分数和复核决定都保留");
            return Ok(false);
        }
    };
    let keys: Vec<_> = known.cases.iter().map(|c| c.key.clone()).chain(known.stale.iter().cloned()).collect();
    let drawn = store.drawn_conversations(&row.night, &row.part)?;
    let wanted = keys.iter().map(|k| k.conversation.clone()).chain(drawn.iter().map(|d| d.0.clone())).collect();
    let engine = args.transcripts.engine(pack)?;
    let mut cases = Vec::<Case>::new();
    let format = CaseRecords { wanted: Some(wanted) };
    let mut seen = std::collections::BTreeSet::new();
    let mut summary = args.transcripts.run(&inputs, &engine, &format, &mut |line| {
        let case: Case = serde_json::from_str(line).map_err(|e| Error::Other(e.to_string()))?;
        if seen.insert((case.conversation.clone(), case.agent.clone())) {
            cases.push(case);
        }
        Ok(())
    })?;
    if let Err(error) = same_night(store, row, &summary) {
        writeln_out!("{label}: {error}");
        return Ok(false);
    }
    if args.dry_run {
        writeln_out!("{label}: 可以重判({} 通)", summary.aggregate.conversations);
        return Ok(true);
    }
    let nights = [(row.night.clone(), row.part.clone())];
    let before = figures(store, &nights)?;
    let mut contacts = std::mem::take(&mut summary.contacts);
    let names = zhijian::score::partial::Names::of(engine.pack());
    summary.aggregate.service.cross = store.follow(&row.night, &names.topics, &mut contacts)?;
    let record = Record::new(&row.night, &row.part, engine.pack(), &summary)?;
    store.keep_cases(&row.night, &row.part, engine.pack(), &cases)?;
    store.write(&record, &mut contacts)?;
    let mean = |sum: i64, n: u64| sum as f64 / 1000.0 / n.max(1) as f64;
    let all = &summary.aggregate.all;
    writeln_out!(
        "{label}: 已重判,机器分 {:.2} → {:.2}",
        mean(row.score_sum, row.agent_conversations.0),
        mean(all.score_sum, all.conversations)
    );
    changes(&before, &figures(store, &nights)?)?;
    Ok(true)
}

/// Says which rules hang on findings that people overturned: whether they are due is the machine's word, which review
/// leaves as it is.
fn follow_ups(label: &str, pack: &Pack, known: &ReviewedCases) -> Result<()> {
    let mut hanging = std::collections::BTreeMap::<&str, u64>::new();
    for case in &known.cases {
        for ruling in case.standing.rulings().iter().filter(|r| r.verdict == Verdict::Overturned) {
            let Some(number) = pack.rule(&ruling.finding.rule) else { continue };
            for rule in pack.rules.iter().filter(|r| r.after_rule_index == Some(number)) {
                *hanging.entry(&rule.id).or_default() += 1;
            }
        }
    }
    let listed: Vec<_> = hanging.iter().map(|(rule, n)| format!("{rule}({n} 处)")).collect();
    if !listed.is_empty() {
        writeln_out!(
            "{label}: 有误判的发现,别的规则按它判断该不该查: {};误判拿掉以后它们该不该查不会重新判断,要人看(复核表里按漏判或误判写)",
            listed.join("、")
        );
    }
    Ok(())
}

/// A pack with the demotions and restorations that a store has decided.
pub fn with_decisions(store: &Store, pack: Pack) -> Result<Pack> {
    let standing = store.rule_standing()?;
    let ids = |demoted: bool| standing.iter().filter(|r| r.demoted == demoted).map(|r| r.rule.as_str()).collect();
    let (down, up): (Vec<&str>, Vec<&str>) = (ids(true), ids(false));
    pack.with_standing(&down, &up)
}
