//! `rules explain`: how one conversation was judged.

use std::borrow::Cow;

use zhijian::conversation::Conversation;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::explain::{Explanation, explain, render};
use zhijian::input::Item;
use zhijian::pack::fields::nearest;
use zhijian::pack::{Pack, chat};

use super::{Outcome, PackArgs};
use crate::cli::inspect::Pii;
use crate::cli::setting::{InputArgs, ReadingArgs};
use crate::cli::table::plain;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "例子:\n  zhijian rules explain 昨晚.jsonl c000123\n  zhijian rules explain 昨晚.csv c000123 soothe-first\n  zhijian rules explain --chat \"客: 等了三天,太差劲了\" --chat \"服: 订单号发我\" --rule soothe-first"
)]
pub struct Args {
    /// 会话文件和会话编号,后面可跟规则编号;用 --chat 时不写
    #[arg(value_name = "INPUT CONVERSATION_ID [RULE]", num_args = 0..=3, required_unless_present = "chat", conflicts_with = "chat")]
    what: Vec<String>,
    /// 只讲这条规则
    #[arg(long = "rule", value_name = "RULE")]
    only: Option<String>,
    /// 直接给一段对话,一行一个:客: / 服: / 服2: / 机: / 自动: / 系:
    #[arg(long, value_name = "LINE")]
    chat: Vec<String>,
    /// --chat 的渠道
    #[arg(long, value_name = "CHANNEL", requires = "chat")]
    channel: Option<String>,
    #[command(flatten)]
    pack: PackArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    /// 不适用和通过的规则也逐条讲
    #[arg(long)]
    all: bool,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
    /// 个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = Pii::Mask)]
    pii: Pii,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let (input, id, rule) = match args.what.as_slice() {
        [input, id] => (Some(input), Some(id), None),
        [input, id, rule] => (Some(input), Some(id), Some(rule)),
        [] => (None, None, None),
        _ => {
            let reason = "要写会话文件和会话编号两个,如 `rules explain 昨晚.jsonl c000123`".into();
            return Err(Error::Setting { option: "INPUT CONVERSATION_ID".into(), reason });
        }
    };
    let input_args = InputArgs { inputs: input.into_iter().cloned().collect(), reading: args.reading.clone() };
    let pack = Pack::load(&args.pack.files()?)?;
    let mask = args.pii == Pii::Mask;
    let options = EngineOptions { mask, timezone: input_args.zone()?, ..EngineOptions::default() };
    let engine = Engine::new(pack, options)?;
    let only = rule.or(args.only.as_ref()).map(|id| find_rule(engine.pack(), id)).transpose()?;
    let explained = |conversation: &Conversation<'_>| explain(&engine, conversation, only, args.pii == Pii::Mask);
    let explanation = match id {
        Some(id) => find(&input_args, id, explained)?,
        None => {
            let mut conversation = chat::conversation(&args.chat).map_err(|reason| Error::Setting {
                option: "--chat".into(),
                reason: format!("{reason};写成 \"客: …\" 或 \"服: …\""),
            })?;
            conversation.channel = args.channel.as_deref().map(Cow::Borrowed);
            explained(&conversation)
        }
    };
    match args.json {
        true => super::print_json(&explanation)?,
        false => writeln_out!("{}", plain(render(&explanation, args.all || only.is_some()).trim_end())),
    }
    Ok(Outcome::Done)
}

fn find_rule(pack: &Pack, id: &str) -> Result<usize> {
    pack.rule(id).ok_or_else(|| {
        let hint = nearest(id, pack.rules.iter().map(|r| r.id.as_str()));
        let hint = hint.map_or("`zhijian rules list` 列出全部规则".into(), |n| format!("是不是想写 `{n}`?"));
        Error::Setting { option: "RULE".into(), reason: format!("没有规则 `{id}`;{hint}") }
    })
}

/// Reads on until the conversation is found.
fn find(input: &InputArgs, id: &str, explained: impl Fn(&Conversation<'_>) -> Explanation) -> Result<Explanation> {
    let mut reader = input.open()?;
    let (mut found, mut read, mut first) = (None, 0u64, None);
    let mut buffer = Vec::new();
    while let Some(block) = reader.next_block(std::mem::take(&mut buffer))? {
        block.visit(&mut |item| {
            if let Item::Conversation { conversation, .. } = item
                && found.is_none()
            {
                read += 1;
                first.get_or_insert_with(|| conversation.id.to_string());
                if conversation.id == id {
                    found = Some(explained(&conversation));
                }
            }
        });
        if let Some(found) = found {
            return Ok(found);
        }
        buffer = block.into_buffer();
    }
    let example = first.map_or(String::new(), |id| format!(";会话编号形如 {id}"));
    Err(Error::Other(format!("在 {read} 通会话里没有找到 `{id}`{example}")))
}
