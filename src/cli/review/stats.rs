//! `review stats`: how good the machine is, and how far people agree.

use std::path::PathBuf;

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::review::agreement::Estimate;
use zhijian::review::plan::Kind;
use zhijian::review::rulings::Voice;
use zhijian::review::stats::{PairAgreement, Reviewed, ReviewedCase, Stats, stats};
use zhijian::review::{Round, Verdict};
use zhijian::store::Selection;

use super::StoreArg;
use crate::cli::Outcome;
use crate::cli::table::{dense, plain};

/// Marks below which agreement is told to be too low.
const RAW_MARK: f64 = 0.85;
const KAPPA_MARK: f64 = 0.7;

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// 表格
    Table,
    /// JSON
    Json,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// 只看这一晚或这个周期(2026-11-20、2026-W47、2026-11…);不写则全部
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// 输出形式
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// 另写一份校准会材料(Markdown):大家意见不一的每一处
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let store = args.store.open()?;
    let selection = args.period.as_deref().map(|p| Selection::parse(p, "--period")).transpose()?;
    let cases = store.reviewed(selection.as_ref())?;
    let views: Vec<Reviewed<'_>> = cases.cases.iter().map(ReviewedCase::view).collect();
    let stats = stats(&views);
    if let Some(path) = &args.calibration {
        std::fs::write(path, calibration(&cases.cases, &stats)).map_err(|e| Error::write(path, e))?;
    }
    if args.format == Form::Json {
        let text = serde_json::to_string_pretty(&stats).map_err(|e| Error::Other(e.to_string()))?;
        writeln_out!("{text}");
        return Ok(Outcome::Done);
    }
    if !cases.stale.is_empty() {
        writeln_out!(
            "注意: {} 通复核过的会话所在的晚已换规则包重判,未列入;先运行 `zhijian rescore`",
            cases.stale.len()
        );
    }
    if stats.cases == 0 {
        writeln_out!("还没有复核记录");
        return Ok(Outcome::Done);
    }
    writeln_out!("复核过 {} 通;意见不一未仲裁 {} 处,申诉未裁定 {} 处", stats.cases, stats.disputed, stats.appeals);
    rules(&stats);
    agreement(&stats)?;
    Ok(Outcome::Done)
}

fn percent(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(e) => format!("{:.1} ({:.1}–{:.1})", e.value * 100.0, e.low * 100.0, e.high * 100.0),
        None => "–".into(),
    }
}

fn coefficient(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(e) => {
            // What rounds to nothing has no sign.
            let shown = |value: f64| format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0);
            format!("{} ({}–{})", shown(e.value), shown(e.low), shown(e.high))
        }
        None => "–".into(),
    }
}

fn rules(stats: &Stats) {
    for (kind, rules) in &stats.rules {
        let kind = Kind::parse(kind).unwrap_or(Kind::Targeted);
        let told = match kind {
            Kind::Random | Kind::Stratified => "可推及整晚",
            _ => "只代表抽到的这些,不能推及整晚",
        };
        println!("\n{}抽样({told})", kind.title());
        let mut shown = dense(&["规则", "确认", "误判", "漏判", "准确率%(95% 区间)", "召回%(估计)"]);
        for rule in rules {
            shown.add_row([
                rule.rule.clone(),
                rule.confirmed.to_string(),
                rule.overturned.to_string(),
                rule.missed.to_string(),
                percent(rule.precision),
                percent(rule.recall),
            ]);
        }
        println!("{shown}");
    }
}

fn agreement(stats: &Stats) -> Result<()> {
    if stats.shared > 0 {
        let raw = stats.raw.map_or("–".into(), |r| format!("{:.1}%", r * 100.0));
        writeln_out!(
            "\n复核人之间: {} 处多人看过,一致率 {raw},Fleiss κ {},Krippendorff α {}",
            stats.shared,
            coefficient(stats.fleiss),
            coefficient(stats.alpha)
        );
        let low = stats.raw.is_some_and(|r| r < RAW_MARK) || stats.alpha.is_some_and(|a| a.value < KAPPA_MARK);
        if low {
            writeln_out!("一致率通常应在 85% 以上、κ 在 0.7 以上;建议开校准会(--calibration 写出材料)");
        }
    }
    pairs("两人之间", &stats.reviewers)?;
    pairs("人与机器(每通每条该判的规则算一处)", &stats.machine)?;
    if !stats.grades.is_empty() {
        writeln_out!("\n复核人对照最后结论");
        let mut shown = dense(&["复核人", "处", "正确率%(95% 区间)", "偏松", "偏严"]);
        for g in &stats.grades {
            shown.add_row([
                plain(&g.reviewer),
                g.n.to_string(),
                percent(g.right),
                g.lenient.to_string(),
                g.strict.to_string(),
            ]);
        }
        writeln_out!("{shown}");
    }
    writeln_out!("\n随时间");
    let mut shown = dense(&["晚", "准确率%(随机样本)", "复核人一致率%", ""]);
    for night in &stats.drift {
        shown.add_row([
            night.night.clone(),
            percent(night.precision),
            night.agreement.map_or("–".into(), |a| format!("{:.1}", a * 100.0)),
            if night.moved { "与最早一晚明显不同" } else { "" }.to_string(),
        ]);
    }
    writeln_out!("{shown}");
    Ok(())
}

fn pairs(title: &str, pairs: &[PairAgreement]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    writeln_out!("\n{title}");
    let mut shown = dense(&["甲", "乙", "处", "一致率%", "Cohen κ(95% 区间)"]);
    for p in pairs {
        let raw = format!("{:.1}", p.raw * 100.0);
        shown.add_row([plain(&p.a), plain(&p.b), p.n.to_string(), raw, coefficient(p.kappa)]);
    }
    writeln_out!("{shown}");
    Ok(())
}

/// The material of a calibration session: every finding on which people differ, with the words and who said what.
fn calibration(cases: &[ReviewedCase], stats: &Stats) -> String {
    let escape = zhijian::report::names::markdown;
    let mut out = String::from("# 校准会材料\n\n");
    let raw = stats.raw.map_or("–".into(), |r| format!("{:.1}%", r * 100.0));
    out += &format!(
        "{} 处有两人以上看过,一致率 {raw},Krippendorff α {}。下面是意见不一的每一处,请先各自再看一遍,再讨论标准。\n",
        stats.shared,
        coefficient(stats.alpha)
    );
    let mut number = 0;
    for case in cases {
        for (finding, voices) in &case.standing.voices {
            let peers: Vec<&Voice> = voices.iter().filter(|v| v.round.authority() == 1).collect();
            if peers.len() < 2 || peers.iter().all(|v| v.is_real() == peers[0].is_real()) {
                continue;
            }
            number += 1;
            let (night, conversation) = (&case.key.night, &case.key.conversation);
            out += &format!("\n## {number}. {} · {}\n\n", escape(&finding.rule), escape(conversation));
            out += &format!("{night},客服 {},第 {} 条\n\n", escape(&case.case.label()), finding.turn + 1);
            let turns = case.case.chat.as_ref().map_or(&[][..], |c| &c.turns);
            let at = finding.turn as usize;
            for (n, turn) in turns.iter().enumerate().take(at + 3).skip(at.saturating_sub(2)) {
                let who = match turn.role {
                    zhijian::conversation::Role::Customer => "客户",
                    zhijian::conversation::Role::Agent => "客服",
                    _ => "其他",
                };
                let mark = if n == at { "**▶** " } else { "" };
                out += &format!("> {mark}{who}: {}\n>\n", escape(&turn.text));
            }
            out += "\n";
            for voice in voices {
                let verdict = voice.verdict.map_or("没有认为有问题", Verdict::title);
                let comment =
                    if voice.comment.is_empty() { String::new() } else { format!(":{}", escape(&voice.comment)) };
                let round = if voice.round == Round::First { "" } else { voice.round.title() };
                out += &format!("- {}{round} {verdict}{comment}\n", escape(&voice.reviewer));
            }
        }
    }
    if number == 0 {
        out += "\n没有意见不一的地方。\n";
    }
    out
}
