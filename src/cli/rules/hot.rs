//! `rules hot`: which phrases fire how often, and which look like false positives.

use zhijian::engine::Engine;
use zhijian::error::Result;
use zhijian::tools::hot::{Hot, HotFormat, HotPhrase};
use zhijian::tools::lines::Lines;

use super::{Outcome, PackArgs};
use crate::cli::inspect::Pii;
use crate::cli::setting::InputArgs;
use crate::cli::table::{plain, table};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pack: PackArgs,
    /// 列出前几条短语
    #[arg(long, value_name = "N", default_value_t = 30)]
    top: usize,
    /// 只看这些标记
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    marker: Vec<String>,
    /// 输出 JSON(全部短语)
    #[arg(long)]
    json: bool,
    /// 引文里的个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = Pii::Mask)]
    pii: Pii,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

/// Counts what fires in the inputs.
pub fn count(engine: &Engine, input: &InputArgs, mask: bool, quiet: bool) -> Result<Hot> {
    let mut hot = Hot::default();
    let format = HotFormat::new(engine, mask);
    super::run_all(engine, input, &format, quiet, &mut Lines::new(|line: &[u8]| hot.add(line)))?;
    Ok(hot)
}

pub fn run(args: &Args) -> Result<Outcome> {
    let engine = args.pack.engine()?;
    let hot = count(&engine, &args.input, args.pii == Pii::Mask, args.quiet)?;
    let mut phrases = hot.phrases(&engine);
    if !args.marker.is_empty() {
        phrases.retain(|p| args.marker.contains(&p.marker));
    }
    if args.json {
        super::print_json(&serde_json::json!({"conversations": hot.conversations(), "phrases": phrases}))?;
        return Ok(Outcome::Done);
    }
    writeln_out!(
        "会话 {} 通,命中过的短语 {} 条;最常见的 {} 条:",
        hot.conversations(),
        phrases.len(),
        args.top.min(phrases.len())
    );
    let mut shown = table(&["标记", "短语", "命中", "会话", "占会话", "占客服", "例子"]);
    for phrase in phrases.iter().take(args.top) {
        shown.add_row([
            format!("{} {}", phrase.title, phrase.marker),
            short(&phrase.phrase),
            phrase.hits.to_string(),
            phrase.conversations.to_string(),
            percent(Some(phrase.conversation_share)),
            percent(phrase.agent_share),
            phrase.quotes.iter().map(|q| plain(&q.quote)).collect::<Vec<_>>().join("\n"),
        ]);
    }
    writeln_out!("{shown}");
    let mut suspects: Vec<&HotPhrase> = phrases.iter().filter(|p| !p.suspect.is_empty()).collect();
    suspects.sort_by_key(|p| std::cmp::Reverse((p.forbidden, p.suspect.len(), p.conversations)));
    if suspects.is_empty() {
        writeln_out!("\n没有发现可疑的短语。");
        return Ok(Outcome::Done);
    }
    writeln_out!(
        "\n可能误判的短语 {} 条(线索,请看例子再定;`zhijian rules explain 文件 会话编号` 看细节):",
        suspects.len()
    );
    for phrase in suspects.iter().take(args.top) {
        writeln_out!("\n「{}」{} · {} · 命中 {} 处", phrase.title, phrase.marker, short(&phrase.phrase), phrase.hits);
        for why in &phrase.suspect {
            writeln_out!("  · {why}");
        }
        for quote in &phrase.quotes {
            writeln_out!("    {} 第 {} 条: {}", plain(&quote.conversation_id), quote.turn + 1, plain(&quote.quote));
        }
    }
    Ok(Outcome::Done)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "—".into(), |s| format!("{:.1}%", s * 100.0))
}

/// A pattern short enough for a table cell.
fn short(text: &str) -> String {
    const MOST: usize = 30;
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MOST).collect();
    plain(&if chars.next().is_some() { format!("{start}…") } else { start })
}
