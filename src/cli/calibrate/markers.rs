//! `zhijian calibrate markers`: learns a marker from messages people have judged.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zhijian::detect::SegmentMode;
use zhijian::detect::model::TurnWords;
use zhijian::engine::{Engine, EngineOptions, Scratch};
use zhijian::error::{Error, Result};
use zhijian::judge::Lang;
use zhijian::learn::markers::{Learnt, Look, Messages, Settings};
use zhijian::learn::threshold::Keep;
use zhijian::pack::Pack;
use zhijian::pack::expression::MarkerId;
use zhijian::pack::turn_model::{self, Trait, TurnShape};

use super::super::Outcome;
use super::super::progress::Progress;
use super::super::setting::InputArgs;
use super::super::signals::Stop;
use super::super::table::{plain, table};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// 规则包目录;不写则用内置的电商规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    rules: Option<PathBuf>,
    /// 逐条消息的判断(JSONL):conversation_id、turn(从 0 数)、markers(有哪些标记)、unsure(拿不准的标记)、group(同组的分在同一份)
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// 学哪个标记
    #[arg(long, value_name = "ID")]
    marker: String,
    /// 写出的模型,取名 标记.model.toml,放进规则包的 markers/
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// 交叉验证分几份(按会话分)
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=50))]
    folds: u64,
    /// 分份用的随机种子
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// 词至少出现在几条消息里(或前后)才学
    #[arg(long, value_name = "N", default_value_t = 4)]
    words: usize,
    /// 看什么:words 词(和前后对方的话),grams 这句话里的一个字、两个字(不用分词,不看前后)
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Looking::Words)]
    look: Looking,
    /// 门槛在交叉验证里的准确率至少多少(够不到就取 F1 最好的)
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = share)]
    precision: f64,
    /// 自带短语命中时的门槛:概率低于它,命中也不算;best 由交叉验证与模型的门槛一起选,不写则与它相同
    #[arg(long, value_name = "P", value_parser = keep)]
    keep: Option<Keep>,
    /// 字和两个字至多留几个(最有用的)
    #[arg(long, value_name = "N", default_value_t = 2500)]
    grams: usize,
    /// 线程数;不写则用全部核
    #[arg(long, value_name = "N", env = "ZHIJIAN_THREADS")]
    threads: Option<usize>,
    /// 报告写成 JSON(标准输出)
    #[arg(long)]
    json: bool,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Looking {
    Words,
    Grams,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "要写 0 到 1 之间的数".to_string())?;
    if (0.0..1.0).contains(&value) { Ok(value) } else { Err("要写 0 到 1 之间的数".into()) }
}

fn keep(text: &str) -> std::result::Result<Keep, String> {
    if text == "best" { Ok(Keep::Chosen) } else { share(text).map(Keep::At).map_err(|e| format!("{e},或 best")) }
}

/// A judged message.
#[derive(Deserialize)]
struct Judged {
    #[serde(alias = "id")]
    conversation_id: String,
    #[serde(alias = "i")]
    turn: usize,
    #[serde(alias = "yes")]
    markers: Vec<String>,
    #[serde(default)]
    unsure: Vec<String>,
    /// Messages of one group stay in one fold; without it, those of one conversation.
    #[serde(default)]
    group: Option<String>,
}

/// For each conversation, its judged messages with whether they carry the marker.
type Truth = HashMap<String, Vec<(usize, bool, Option<String>)>>;

fn judged(path: &Path, marker: &str) -> Result<Truth> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::read(path, e))?;
    let mut truth = Truth::new();
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let line: Judged = serde_json::from_str(line).map_err(|e| {
            let wanted = "要有 conversation_id、turn 和 markers 三个字段";
            Error::Other(format!("{}:{}: {wanted}: {e}", path.display(), n + 1))
        })?;
        if !line.unsure.iter().any(|m| m == marker) {
            let yes = line.markers.iter().any(|m| m == marker);
            truth.entry(line.conversation_id).or_default().push((line.turn, yes, line.group));
        }
    }
    Ok(truth)
}

pub fn run(args: &Args) -> Result<Outcome> {
    let stop = Stop::listen()?;
    let mut pack = Pack::open(args.rules.as_deref())?;
    let Some(marker) = pack.marker(&args.marker) else {
        return Err(Error::Setting {
            option: "--marker".into(),
            reason: format!("规则包里没有标记 `{}`(zhijian rules list 列出全部)", args.marker),
        });
    };
    // What is learnt from must not be an earlier model's answer.
    let mut learnt = Vec::new();
    for (id, other) in pack.markers.iter_mut().enumerate() {
        if other.model.take().is_some() {
            learnt.push(id as MarkerId);
        }
    }
    let truth = judged(&args.labels, &args.marker)?;
    let timezone = args.input.zone()?;
    let engine =
        Engine::new(pack, EngineOptions { segment: SegmentMode::Needed, lang: Lang::Zh, timezone, mask: true })?;
    let Some(segmenter) = engine.detector().segmenter() else {
        return Err(Error::Other("没有分词器".into()));
    };
    let reader = args.input.open()?;
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let look = if args.look == Looking::Grams { Look::Grams } else { Look::Words };
    let mut messages = Messages::new(engine.pack(), marker, &learnt, look);
    let (mut scratch, mut words) = (Scratch::default(), TurnWords::default());
    let (mut used, mut rejected) = (0usize, 0u64);
    super::visit(reader, &progress, &stop, &mut rejected, &mut |conversation| {
        let Some(judged) = truth.get(&*conversation.id) else { return };
        let inspection = engine.annotate(conversation, &mut scratch);
        words.fill(conversation, segmenter);
        for (turn, yes, group) in judged.iter().filter(|(turn, ..)| *turn < conversation.turns.len()) {
            let said = (*yes, group.as_deref());
            used += usize::from(messages.add(conversation, &words, &inspection.hits, *turn, said));
        }
    })?;
    progress.finish();
    let all = std::thread::available_parallelism().map_or(1, |n| n.get());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.filter(|n| *n > 0).unwrap_or(all)).build();
    let pool = pool.map_err(|e| Error::Other(format!("无法启动线程: {e}")))?;
    let settings = Settings {
        folds: args.folds as usize,
        seed: args.seed,
        min_messages: args.words,
        precision: args.precision,
        keep: args.keep.unwrap_or_default(),
        grams: args.grams,
    };
    let learnt = pool.install(|| messages.learn(&settings)).ok_or_else(|| {
        Error::Other(format!(
            "对得上的消息只有 {used} 条,或者“有”“没有”的不到 10 条,学不了 `{}`;请检查 --labels 里的会话编号和标记名。",
            args.marker
        ))
    })?;
    stop.check()?;
    std::fs::write(&args.out, model_file(args, &engine, &learnt)).map_err(|e| Error::write(&args.out, e))?;
    if args.json {
        let text = serde_json::to_string_pretty(&learnt.report).map_err(|e| Error::Other(e.to_string()))?;
        writeln_out!("{text}");
    } else {
        print_report(args, &engine, &learnt)?;
    }
    Ok(Outcome::Done)
}

fn model_file(args: &Args, engine: &Engine, learnt: &Learnt) -> String {
    let report = &learnt.report;
    let ids: Vec<&str> = engine.pack().markers.iter().map(|m| m.id.as_str()).collect();
    let about = [
        format!(
            "标记 {} 的模型:1 / (1 + e^−(intercept + Σ 权重)) 不低于 threshold 就算。可以手改,词可以增删。",
            args.marker
        ),
        format!(
            "由 zhijian calibrate markers 学得:{} 条消息({} 条有),{} 折交叉验证 P {:.2} R {:.2} F1 {:.2}。",
            report.messages, report.yes, report.folds, report.precision, report.recall, report.f1
        ),
    ];
    let info = [
        ("marker", toml::Value::String(args.marker.clone()).to_string()),
        ("messages", report.messages.to_string()),
        ("precision", format!("{:.4}", report.precision)),
        ("recall", format!("{:.4}", report.recall)),
        ("f1", format!("{:.4}", report.f1)),
        ("penalty", format!("{:?}", report.penalty)),
    ];
    turn_model::write(&learnt.model, &ids, &about, &info)
}

fn print_report(args: &Args, engine: &Engine, learnt: &Learnt) -> Result<()> {
    let report = &learnt.report;
    writeln_out!("判断过的消息 {} 条,其中有 `{}` 的 {} 条", report.messages, args.marker, report.yes);
    let mut figures = table(&["", "准确率 P", "召回率 R", "F1"]);
    let row = |name: String, [p, r, f]: [f64; 3]| [name, format!("{p:.3}"), format!("{r:.3}"), format!("{f:.3}")];
    figures.add_row(row("规则包现有短语".into(), [report.precision_rules, report.recall_rules, report.f1_rules]));
    let learnt_name = format!("模型({} 折,没学过的会话)", report.folds);
    figures.add_row(row(learnt_name, [report.precision, report.recall, report.f1]));
    writeln_out!("{figures}");
    let mut strongest = table(&["最强的依据", "权重"]);
    for (what, weight) in &learnt.strongest {
        let title = match what {
            Trait::Gram(gram) => format!("这句有“{gram}”"),
            Trait::Word(spot, word) => format!("{}有“{word}”", spot.title()),
            Trait::Marker(spot, marker) => {
                format!("{}带「{}」", spot.title(), engine.pack().markers[usize::from(*marker)].title)
            }
            Trait::Shape(shape) => TurnShape::ALL[*shape as usize].2.to_string(),
        };
        strongest.add_row([plain(&title), format!("{weight:+.3}")]);
    }
    writeln_out!("\n{strongest}");
    let file = args.out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    writeln_out!(
        "\n模型写在 {}。把它放进规则包的 markers/,在 {}.toml 里加两行:\nkind = \"model\"\nmodel = \"{file}\"",
        args.out.display(),
        args.marker
    );
    Ok(())
}
