//! `review sample`: draws cases of a stored night and writes a sheet for each reviewer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use sha2::{Digest, Sha256};

use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::report::names::file_stem;
use zhijian::review::case::Case;
use zhijian::review::plan::{self, Drawn, Kind, Reason, Reviewer, Targets, Unit};
use zhijian::review::sheet::{Sheet, SheetCase};
use zhijian::review::stats::quality;
use zhijian::review::{CaseKey, Round};
use zhijian::store::{DrawnCase, NightRow, Sample, Store};

use super::transcripts::{Transcripts, same_night, same_scores};
use super::{Audit, NightArg, StoreArg, page_link, write_sheet};
use crate::cli::Outcome;

/// How cases are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// 随机:每位客服抽同样多通,用来估计准确率和召回
    Random,
    /// 分层:按客服、渠道、阶段、分数段均匀铺开
    Stratified,
    /// 定向:一票否决、贴近合格线、角色疑似颠倒、机器拿不准、准确率低或没复核过的规则;只用来找问题
    Targeted,
    /// 申诉表:一位客服自己有发现的全部会话
    Appeal,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    night: NightArg,
    /// 抽法
    #[arg(long, value_enum, default_value_t = How::Random)]
    kind: How,
    /// 随机抽样每位客服几通
    #[arg(long, value_name = "N", default_value_t = 5)]
    per_agent: usize,
    /// 分层、定向抽样一共几通
    #[arg(long, value_name = "N", default_value_t = 50)]
    size: usize,
    /// 定向抽样:离合格线几分以内算贴近
    #[arg(long, value_name = "POINTS", default_value_t = 3.0)]
    near: f64,
    /// 只抽这些客服(可写多次)
    #[arg(long = "agent", value_name = "ID")]
    agents: Vec<String>,
    /// 随机种子:同样的种子抽到同样的会话
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// 复核人,可带百分比,如 王芳:60,李强:40;不写百分比则平分
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    reviewers: Vec<String>,
    /// 每人都看的部分占百分之几,用来校准
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    overlap: u32,
    /// 复核表写到这个目录,一人一个文件
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// 这一晚的结果目录;有网页报告则在表里给出链接
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    #[command(flatten)]
    transcripts: Transcripts,
    #[command(flatten)]
    audit: Audit,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let reviewers = reviewers(args)?;
    let mut store = args.store.open()?;
    let row = args.night.row(&store)?;
    let at = args.audit.at()?;
    let inputs = args.transcripts.kept(&store, &row)?.map_err(Error::Other)?;
    let engine = args.transcripts.engine(store.pack(&row.stamp.sha256)?)?;
    let mut units = Vec::<Unit>::new();
    let summary = args.transcripts.cases(&inputs, &engine, None, &mut |case| units.push(case.unit()))?;
    same_night(&store, &row, &summary)?;
    same_scores(&row, &summary)?;
    if !args.agents.is_empty() {
        units.retain(|u| args.agents.contains(&u.agent));
    }
    let pack = engine.pack();
    let drawn = draw(args, &store, pack, &units)?;
    if drawn.is_empty() {
        return Err(Error::Other("没有抽到会话:没有符合条件的 (nothing to draw)".into()));
    }
    let wanted: BTreeSet<String> = drawn.iter().map(|d| units[d.unit].conversation.clone()).collect();
    let mut cases = BTreeMap::<(String, String), Case>::new();
    args.transcripts.cases(&inputs, &engine, Some(wanted), &mut |case| {
        cases.insert((case.conversation.clone(), case.agent.clone()), case);
    })?;
    let (kind, plan) = (kind(args.kind), plan_text(args));
    let sample = Sample {
        id: name(&row, kind, args.seed, &plan),
        night: row.night.clone(),
        part: row.part.clone(),
        kind,
        seed: args.seed,
        plan,
        at,
        who: args.audit.who(),
    };
    let (rows, chosen) = numbered(&units, drawn, cases);
    std::fs::create_dir_all(&args.out).map_err(|e| Error::write(&args.out, e))?;
    let shown = |place: usize| {
        let (d, case) = (&rows[place], &chosen[place]);
        let key = key(&row, case);
        let link = page_link(args.results.as_deref(), &args.out, &case.conversation);
        SheetCase::new(d.number, key, case, pack, None, link)
    };
    let picked: Vec<Unit> = chosen.iter().map(Case::unit).collect();
    let round = if kind == Kind::Appeal { Round::Agent } else { Round::First };
    let split = plan::split(&picked, &reviewers, args.overlap, args.seed);
    let sheets: Vec<Sheet> = reviewers
        .iter()
        .zip(split)
        .filter(|(_, places)| !places.is_empty())
        .map(|(reviewer, places)| {
            let cases = places.into_iter().map(shown).collect();
            Sheet::new(&sample.id, &row.night, round, &reviewer.name, pack, cases)
        })
        .collect();
    store.keep_sample(&sample, &rows, &chosen, pack, &sheets)?;
    let findings: usize = chosen.iter().map(|c| c.findings.len()).sum();
    writeln_out!("样本 {}: {}抽样 {} 通,{findings} 处发现", sample.id, kind.title(), rows.len());
    for sheet in &sheets {
        let path = args.out.join(format!("{}-{}.xlsx", sample.id, file_stem(&sheet.reviewer)));
        write_sheet(&path, sheet)?;
        writeln_out!("  {} {} 通 → {}", sheet.reviewer, sheet.cases.len(), path.display());
    }
    Ok(Outcome::Done)
}

fn kind(how: How) -> Kind {
    match how {
        How::Random => Kind::Random,
        How::Stratified => Kind::Stratified,
        How::Targeted => Kind::Targeted,
        How::Appeal => Kind::Appeal,
    }
}

/// What makes a sample another one.
fn plan_text(args: &Args) -> String {
    json!({
        "kind": kind(args.kind).id(),
        "per_agent": args.per_agent,
        "size": args.size,
        "near": args.near,
        "agents": args.agents,
        "seed": args.seed,
    })
    .to_string()
}

/// A sample's name: night, kind, seed, and a few digits for the rest.
pub fn name(row: &NightRow, kind: Kind, seed: u64, plan: &str) -> String {
    let part = if row.part.is_empty() { String::new() } else { format!("-{}", file_stem(&row.part)) };
    let digest = Sha256::digest(format!("{plan}\0{}", row.stamp.sha256));
    format!("{}{part}-{}-{seed}-{:02x}{:02x}", row.night, kind.id(), digest[0], digest[1])
}

pub fn key(row: &NightRow, case: &Case) -> CaseKey {
    CaseKey {
        night: row.night.clone(),
        part: row.part.clone(),
        conversation: case.conversation.clone(),
        agent: case.agent.clone(),
    }
}

fn reviewers(args: &Args) -> Result<Vec<Reviewer>> {
    let fault = |reason: String| Err(Error::Setting { option: "--reviewers".into(), reason });
    let names = match (args.kind, args.reviewers.as_slice(), args.agents.as_slice()) {
        (How::Appeal, [], [agent]) => vec![agent.clone()],
        (How::Appeal, _, _) => {
            return fault("申诉表只给一位客服:用 --agent 指明她,不写 --reviewers".into());
        }
        (_, [], _) => return fault("要写复核人,如 --reviewers 王芳,李强".into()),
        (_, names, _) => names.to_vec(),
    };
    let mut out = Vec::<Reviewer>::new();
    for text in &names {
        let (name, percent) = match text.rsplit_once([':', '\u{ff1a}']) {
            Some((name, percent)) if args.kind != How::Appeal => (name, Some(percent)),
            _ => (text.as_str(), None),
        };
        let percent = match percent.map(|p| p.trim_end_matches('%').parse::<u32>()) {
            None => 1,
            Some(Ok(n)) if n <= 100 => n,
            Some(_) => return fault(format!("`{text}` 里的百分比要是 0 到 100 的整数")),
        };
        let name = name.trim().to_string();
        if name.is_empty() || name.chars().any(char::is_control) {
            return fault(format!("`{text}` 没有名字"));
        }
        if out.iter().any(|r| r.name == name) {
            return fault(format!("{name} 写了两遍"));
        }
        out.push(Reviewer { name, percent });
    }
    let sum: u32 = out.iter().map(|r| r.percent).sum();
    let shares = names.iter().filter(|n| n.contains([':', '\u{ff1a}'])).count();
    if args.kind != How::Appeal && shares > 0 && (shares < names.len() || sum != 100) {
        return fault(format!("百分比要么都不写,要么都写且加起来是 100(现在是 {sum})"));
    }
    Ok(out)
}

fn draw(args: &Args, store: &Store, pack: &Pack, units: &[Unit]) -> Result<Vec<Drawn>> {
    Ok(match args.kind {
        How::Random => plan::random(units, args.per_agent, args.seed),
        How::Stratified => plan::stratified(units, args.size, args.seed),
        How::Targeted => {
            let cases = store.reviewed(None)?.cases;
            let views: Vec<_> = cases.iter().map(|c| c.view()).collect();
            let (mut low, mut known) = (BTreeSet::new(), BTreeSet::new());
            for kind in [Kind::Random, Kind::Stratified, Kind::Targeted] {
                for q in quality(&views, kind) {
                    if q.precision.is_some_and(|p| p.value < 0.8) {
                        low.insert(q.rule.clone());
                    }
                    known.insert(q.rule);
                }
            }
            let new = pack.rules.iter().filter(|r| !known.contains(&r.id)).map(|r| r.id.clone()).collect();
            let near = (args.near * 1000.0).round() as i64;
            let targets = Targets { pass_mark: pack.scorecard.pass_mark, near, low, new };
            plan::targeted(units, args.size, args.seed, &targets)
        }
        How::Appeal => {
            let own = units.iter().enumerate().filter(|(_, u)| !u.rules.is_empty());
            let one = |(unit, _)| Drawn { unit, stratum: String::new(), population: 0, drawn: 0, reasons: Vec::new() };
            own.map(one).collect()
        }
    })
}

/// The cases drawn with their numbers, in the order of conversations.
fn numbered(
    units: &[Unit],
    mut drawn: Vec<Drawn>,
    mut cases: BTreeMap<(String, String), Case>,
) -> (Vec<DrawnCase>, Vec<Case>) {
    drawn.sort_by(|a, b| {
        let key = |d: &Drawn| (&units[d.unit].conversation, &units[d.unit].agent);
        key(a).cmp(&key(b))
    });
    let (mut rows, mut chosen) = (Vec::new(), Vec::new());
    for d in drawn {
        let unit = &units[d.unit];
        let Some(case) = cases.remove(&(unit.conversation.clone(), unit.agent.clone())) else { continue };
        chosen.push(case);
        rows.push(DrawnCase {
            number: rows.len() as u32 + 1,
            conversation: unit.conversation.clone(),
            agent: unit.agent.clone(),
            stratum: d.stratum,
            of: (d.population, d.drawn),
            reasons: d.reasons.iter().map(|r: &Reason| r.title()).collect::<Vec<_>>().join("、"),
        });
    }
    (rows, chosen)
}
