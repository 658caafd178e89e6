//! `rules diff`: two packs on the same conversations.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::judge::shown;
use zhijian::pack::Pack;
use zhijian::pack::source::PackFiles;
use zhijian::report::Points;
use zhijian::tools::diff::{Changed, Diff, DiffFormat};

use super::Outcome;
use crate::cli::inspect::Pii;
use crate::cli::setting::InputArgs;
use crate::cli::table::{plain, table};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 原来的规则包目录;写 ecommerce 用内置规则包
    #[arg(value_name = "PACK_A")]
    before: PathBuf,
    /// 改过的规则包目录;写 ecommerce 用内置规则包
    #[arg(value_name = "PACK_B")]
    after: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// 新增和消失的发现各列几条
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// 输出 JSON(全部)
    #[arg(long)]
    json: bool,
    /// 引文里的个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = Pii::Mask)]
    pii: Pii,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

fn engine(path: &Path, args: &Args) -> Result<Engine> {
    let embedded = path.to_str().filter(|_| !path.exists()).and_then(PackFiles::embedded);
    let files = match embedded {
        Some(files) => files,
        None => PackFiles::folder(path)?,
    };
    let mask = args.pii == Pii::Mask;
    let options = EngineOptions { mask, timezone: args.input.zone()?, ..EngineOptions::default() };
    Engine::new(Pack::load(&files)?, options)
}

pub fn run(args: &Args) -> Result<Outcome> {
    if args.input.inputs.iter().any(|i| i == "-") {
        let reason = "要读两遍,不能用标准输入;请先存成文件".into();
        return Err(Error::Setting { option: "INPUT".into(), reason });
    }
    let (before, after) = (engine(&args.before, args)?, engine(&args.after, args)?);
    let format = DiffFormat { mask: args.pii == Pii::Mask };
    let pass = |engine: &Engine| -> Result<_> {
        let file = tempfile::tempfile().map_err(|e| Error::write("临时文件", e))?;
        let mut out = std::io::BufWriter::new(file);
        let summary = super::run_all(engine, &args.input, &format, args.quiet, &mut out)?;
        out.flush().map_err(|e| Error::write("临时文件", e))?;
        let mut file = out.into_inner().map_err(|e| Error::write("临时文件", e.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(|e| Error::read("临时文件", e))?;
        Ok((summary.aggregate, BufReader::new(file)))
    };
    let (old, mut old_lines) = pass(&before)?;
    let (new, mut new_lines) = pass(&after)?;
    let mut diff = Diff::default();
    while let (Some(a), Some(b)) = (line(&mut old_lines)?, line(&mut new_lines)?) {
        diff.add(&a, &b);
    }
    diff.finish((&old, before.pack().scorecard.pass_mark), (&new, after.pack().scorecard.pass_mark));
    match args.json {
        true => super::print_json(&diff)?,
        false => print(args, &diff, &before, &after)?,
    }
    Ok(Outcome::Done)
}

fn line(reader: &mut BufReader<impl Read>) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).map_err(|e| Error::read("临时文件", e))?;
    Ok((read > 0).then_some(line))
}

fn print(args: &Args, diff: &Diff, before: &Engine, after: &Engine) -> Result<()> {
    writeln_out!("A {} {} ({})", before.pack().title, before.pack().version, before.pack().origin);
    writeln_out!("B {} {} ({})", after.pack().title, after.pack().version, after.pack().origin);
    writeln_out!(
        "比较 {} 通会话:{} 通结果有变;新增发现 {},消失 {}",
        diff.conversations,
        diff.changed_conversations,
        diff.gained.len(),
        diff.lost.len()
    );
    if !diff.rules.is_empty() {
        let mut rules = table(&["规则", "A", "B", "新增", "消失", "分值变了"]);
        for (id, rule) in &diff.rules {
            let n = |n: u64| n.to_string();
            rules.add_row([id.clone(), n(rule.before), n(rule.after), n(rule.gained), n(rule.lost), n(rule.repriced)]);
        }
        writeln_out!("\n{rules}");
    }
    findings("新增的发现", &diff.gained, args.top)?;
    findings("消失的发现", &diff.lost, args.top)?;
    if diff.agents.is_empty() {
        writeln_out!("\n客服的平均分、合格率和名次都没有变。");
        return Ok(());
    }
    let mut agents = table(&["客服", "会话", "平均分", "合格率", "达到合格线", "名次"]);
    for agent in &diff.agents {
        let number = |n: Option<f64>| n.map_or("—".into(), |n| format!("{n:.2}"));
        let percent = |n: Option<f64>| n.map_or("—".into(), |n| format!("{:.1}%", n * 100.0));
        let reaches = |b: Option<bool>| b.map_or("—", |b| if b { "是" } else { "否" }).to_string();
        let rank = |n: Option<usize>| n.map_or("—".into(), |n| n.to_string());
        agents.add_row([
            plain(&agent.agent_id),
            agent.conversations.to_string(),
            change(number(agent.score.0), number(agent.score.1)),
            change(percent(agent.pass_rate.0), percent(agent.pass_rate.1)),
            change(reaches(agent.reaches_mark.0), reaches(agent.reaches_mark.1)),
            change(rank(agent.rank.0), rank(agent.rank.1)),
        ]);
    }
    writeln_out!("\n有变化的客服 {} 位\n{agents}", diff.agents.len());
    Ok(())
}

fn change(before: String, after: String) -> String {
    if before == after { before } else { format!("{before} → {after}") }
}

fn findings(title: &str, list: &[Changed], top: usize) -> Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    writeln_out!(
        "\n{title} {} 条{}",
        list.len(),
        if list.len() > top { format!(",列出 {top} 条") } else { String::new() }
    );
    for changed in list.iter().take(top) {
        let f = &changed.finding;
        let points = Points(f.points);
        writeln_out!("  {} 第 {} 条 · {} · {points} 分", plain(&changed.conversation_id), f.turn + 1, f.rule);
        writeln_out!("    “{}” {}", plain(&shown(&f.quote)), plain(&f.why));
    }
    Ok(())
}
