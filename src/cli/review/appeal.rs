//! `review appeal`: an agent disputes one finding, by the command line. (Her own sheet: `review sample --kind appeal`.)

use std::collections::BTreeSet;

use serde_json::json;

use zhijian::error::{Error, Result};
use zhijian::review::case::Case;
use zhijian::review::plan::Kind;
use zhijian::review::rulings::{HIGHER, standing};
use zhijian::review::sheet::{Sheet, SheetCase};
use zhijian::review::{CaseKey, Decision, FindingKey, Round, Verdict};
use zhijian::store::{DrawnCase, Import, Sample};

use super::sample::name;
use super::transcripts::{Transcripts, same_night, same_scores};
use super::{Audit, NightArg, StoreArg};
use crate::cli::Outcome;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "裁定之前再申诉一次,是改写理由。裁定之后还不服,可以再申诉一次,由另一位更高的主管裁定;那是终审。\n每一次申诉和裁定都留在 `review log` 里,后面的取代前面的,不覆盖。"
)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    night: NightArg,
    /// 会话编号
    #[arg(long, value_name = "ID")]
    conversation: String,
    /// 申诉的客服
    #[arg(long, value_name = "ID")]
    agent: String,
    /// 哪条规则
    #[arg(long, value_name = "RULE")]
    rule: String,
    /// 第几条消息(从 1 数);这条规则在这通里只有一处发现时可以不写
    #[arg(long, value_name = "N")]
    turn: Option<u32>,
    /// 理由
    #[arg(long, value_name = "TEXT")]
    why: String,
    #[command(flatten)]
    transcripts: Transcripts,
    #[command(flatten)]
    audit: Audit,
}

pub fn run(args: &Args) -> Result<Outcome> {
    if args.why.trim().is_empty() {
        return Err(Error::Setting { option: "--why".into(), reason: "要写明理由".into() });
    }
    let mut store = args.store.open()?;
    let row = args.night.row(&store)?;
    let (at, who) = (args.audit.at()?, args.audit.who());
    let key = CaseKey {
        night: row.night.clone(),
        part: row.part.clone(),
        conversation: args.conversation.clone(),
        agent: args.agent.clone(),
    };
    let pack = store.pack(&row.stamp.sha256)?;
    let (case, pack) = match store.case(&key, Some(&row.stamp.sha256))? {
        Some(case) => (case, pack),
        None => {
            let inputs = args.transcripts.kept(&store, &row)?.map_err(Error::Other)?;
            let engine = args.transcripts.engine(pack)?;
            let mut found = None;
            let wanted = Some(BTreeSet::from([args.conversation.clone()]));
            let summary = args.transcripts.cases(&inputs, &engine, wanted, &mut |case: Case| {
                if case.agent == args.agent {
                    found = Some(case);
                }
            })?;
            same_night(&store, &row, &summary)?;
            same_scores(&row, &summary)?;
            let missing = || {
                let (night, conversation, agent) = (&row.night, &args.conversation, &args.agent);
                Error::Other(format!("{night} 里没有 {agent} 接的、评判过的会话 {conversation} (no such conversation)"))
            };
            (found.ok_or_else(missing)?, engine.pack().clone())
        }
    };
    let turn = turn(args, &case, &store, &key)?;
    let finding = FindingKey { rule: args.rule.clone(), turn };
    let plan = json!({ "conversation": args.conversation, "agent": args.agent }).to_string();
    let said = standing(&store.reviews(&row.night, &row.part)?);
    let standing = said.get(&key);
    if standing.is_some_and(|s| s.decided_again.contains(&finding)) {
        return Err(Error::Other(format!(
            "{} 的 {} 已经再次申诉并裁定过,不能再申诉;经过见 `zhijian review log` (decided by the higher instance)",
            args.conversation, args.rule
        )));
    }
    let first = standing.and_then(|s| s.decision(&finding)).map(|v| v.reviewer.clone());
    let id = name(&row, Kind::Appeal, 0, &plan);
    let sample = Sample {
        id: if first.is_some() { id + HIGHER } else { id },
        night: row.night.clone(),
        part: row.part.clone(),
        kind: Kind::Appeal,
        seed: 0,
        plan,
        at: at.clone(),
        who: who.clone(),
    };
    let drawn = DrawnCase {
        number: 1,
        conversation: args.conversation.clone(),
        agent: args.agent.clone(),
        stratum: String::new(),
        of: (0, 0),
        reasons: "申诉".into(),
    };
    let shown = SheetCase::new(1, key.clone(), &case, &pack, None, None);
    let sheet = Sheet::new(&sample.id, &row.night, Round::Agent, &args.agent, &pack, vec![shown]);
    store.keep_sample(&sample, &[drawn], std::slice::from_ref(&case), &pack, std::slice::from_ref(&sheet))?;
    // What she appealed against before stands beside it.
    let mut decisions: Vec<Decision> = store
        .reviews(&row.night, &row.part)?
        .into_iter()
        .filter(|r| r.sample == sample.id && r.round == Round::Agent && r.case == key)
        .flat_map(|r| r.decisions)
        .filter(|d| d.finding != finding)
        .collect();
    let comment = zhijian::text::mask(args.why.trim()).into_owned();
    decisions.push(Decision { finding, verdict: Verdict::Appealed, comment });
    let import = Import {
        file: "命令行".into(),
        sha256: String::new(),
        sheet: sheet.id.clone(),
        sample: sample.id.clone(),
        round: Round::Agent,
        reviewer: args.agent.clone(),
        cases: vec![(key, decisions)],
    };
    store.import(&[import], &at, &who)?;
    writeln_out!("已记下申诉: {} {} 第 {} 条", args.conversation, args.rule, turn + 1);
    let decide = |who: &str| {
        format!("zhijian review sheet --for appeal --sample {} --reviewer {who} --out 裁定.xlsx", sample.id)
    };
    match first {
        None => writeln_out!("主管裁定: {}", decide("主管")),
        Some(first) => {
            writeln_out!("这是再次申诉;在终审之前,{first} 的裁定照旧有效。终审不能由 {first} 来裁");
            writeln_out!("终审: {}", decide("上级主管"));
        }
    }
    Ok(Outcome::Done)
}

/// The turn of the finding she means: one of the machine's, or one people added.
fn turn(args: &Args, case: &Case, store: &zhijian::store::Store, key: &CaseKey) -> Result<u32> {
    let mut turns: Vec<u32> = case.findings.iter().filter(|f| f.rule == args.rule).map(|f| f.turn).collect();
    let all = standing(&store.reviews(&key.night, &key.part)?);
    let added = all.get(key).into_iter().flat_map(|s| s.rulings());
    turns.extend(added.filter(|r| r.finding.rule == args.rule && r.verdict.is_real()).map(|r| r.finding.turn));
    turns.sort_unstable();
    turns.dedup();
    let setting = |option: &str, reason| Error::Setting { option: option.into(), reason };
    let listed = turns.iter().map(|t| (t + 1).to_string()).collect::<Vec<_>>().join("、");
    match (args.turn, turns.as_slice()) {
        (_, []) => {
            let mut rules: Vec<&str> = case.findings.iter().map(|f| f.rule.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            let reason = format!("这一通里没有 `{}` 的发现;有: {}", args.rule, rules.join("、"));
            Err(setting("--rule", reason))
        }
        (None, [one]) => Ok(*one),
        (None, _) => Err(setting("--turn", format!("这条规则有几处发现,请指明第几条: {listed}"))),
        (Some(n), _) if n > 0 && turns.contains(&(n - 1)) => Ok(n - 1),
        (Some(n), _) => Err(setting("--turn", format!("第 {n} 条没有这条规则的发现;有: {listed}"))),
    }
}
