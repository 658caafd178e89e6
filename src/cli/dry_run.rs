//! What was understood of an input, as people read it: `inspect --dry-run` and `formats show`.

use jiff::tz::TimeZone;

use zhijian::conversation::Role;
use zhijian::error::Result;
use zhijian::input::{FORMATS, Format, Understanding};

use super::Outcome;
use super::setting::InputArgs;
use super::table::plain;

/// Conversations shown.
const PREVIEW: usize = 2;

/// Reads the input and prints what was understood; the exit code tells whether there was any conversation.
pub fn run(input: &InputArgs) -> Result<Outcome> {
    let found = Understanding::of(input.open()?, PREVIEW)?;
    let text = render(&found, &input.zone()?);
    writeln_out!("{}", text.trim_end());
    Ok(if found.conversations == 0 { Outcome::GateFailed } else { Outcome::Done })
}

fn title(id: &str) -> &'static str {
    FORMATS.iter().find(|f: &&Format| f.id == id).map_or("", |f| f.title.0)
}

/// At most so many files are told in full.
const FILES: usize = 20;

fn render(found: &Understanding, zone: &TimeZone) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let clean = |text: &str| plain(&zhijian::text::mask(text)).replace('\n', "⏎");
    let moment = |at: i64| {
        jiff::Timestamp::from_millisecond(at)
            .map_or_else(|_| at.to_string(), |t| t.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
    };
    for file in found.files.iter().take(FILES) {
        let packed = if file.compression == "none" { String::new() } else { format!(",{}", file.compression) };
        let blank = if file.blank == 0 { String::new() } else { format!("(空行 {})", file.blank) };
        let _ = writeln!(
            out,
            "{}\n  格式 {}({}),编码 {}{packed};记录 {}{blank}",
            plain(&file.path),
            file.format,
            title(file.format),
            file.encoding,
            file.records
        );
        let used: Vec<_> =
            file.columns.iter().filter_map(|(n, c)| Some(format!("{} ← {}", c.as_ref()?.name(), plain(n)))).collect();
        if !used.is_empty() {
            let _ = writeln!(out, "  列: {}", used.join(",  "));
        }
        let unused: Vec<_> = file.columns.iter().filter(|(_, c)| c.is_none()).map(|(n, _)| plain(n)).collect();
        if !unused.is_empty() {
            let _ = writeln!(out, "  没用上的列: {}", unused.join("、"));
        }
    }
    if found.files.len() > FILES {
        let _ = writeln!(out, "(共 {} 个文件,只列前 {FILES} 个)", found.files.len());
    }
    let names = [(Role::Agent, "客服"), (Role::Customer, "客户"), (Role::Bot, "机器人"), (Role::System, "系统")];
    if found.conversations > 0 {
        let roles: Vec<_> = names.iter().filter_map(|(r, n)| Some(format!("{n} {}", found.turns.get(r)?))).collect();
        let turns: u64 = found.turns.values().sum();
        let _ = writeln!(out, "会话 {} 通,消息 {turns} 条({})", found.conversations, roles.join(","));
        if !found.kinds.is_empty() {
            let kinds: Vec<_> = found.kinds.iter().map(|(k, n)| format!("{k} {n}")).collect();
            let _ = writeln!(out, "非文本消息: {}", kinds.join(","));
        }
        let channels = found.channels.iter().map(|(c, n)| format!("{} {n}", if c.is_empty() { "(未写)" } else { c }));
        let channels: Vec<_> = channels.map(|c| clean(&c)).collect();
        let _ = writeln!(out, "渠道: {};有评分的 {} 通", channels.join(","), found.rated);
        let agents: Vec<_> = found.agents.iter().take(8).map(|a| plain(a)).collect();
        let more = if found.agents.len() > 8 { "…" } else { "" };
        let _ = writeln!(out, "客服 {} 名: {}{more}", found.agents.len(), agents.join("、"));
        match found.span {
            Some((first, last)) => {
                let zone = zone.iana_name().unwrap_or("");
                let _ =
                    writeln!(out, "时间: {} 至 {}({zone}),{} 条消息有时间", moment(first), moment(last), found.timed.0);
            }
            None if found.timed.1 > 0 => {
                let _ = writeln!(out, "时间: 只有录音内的毫秒偏移,{} 条消息有", found.timed.1);
            }
            None => {}
        }
    }
    for (id, turns) in &found.preview {
        let _ = writeln!(out, "\n会话 {}", clean(id));
        for turn in turns {
            let who = names.iter().find(|n| n.0 == turn.role).map_or("", |n| n.1);
            let agent = turn.agent.as_deref().map_or(String::new(), |a| format!("({})", clean(a)));
            let when = match (turn.at, turn.begin_ms) {
                (Some(at), _) => moment(at),
                (None, Some(ms)) => format!("{:.1} 秒", ms as f64 / 1000.0),
                (None, None) => String::from("–"),
            };
            let _ = writeln!(out, "  {when}  {who}{agent}: {}", clean(&turn.text));
        }
    }
    if !found.rejects.is_empty() {
        let _ = writeln!(out, "\n读不了的记录(正式运行时写入 rejects.jsonl):");
        for (code, (count, examples)) in &found.rejects {
            let _ = writeln!(out, "  {code} {count} 条");
            for reject in examples {
                let place = match &reject.place {
                    Some(place) => format!("{} {place}", reject.file),
                    None => format!("{}:{}", reject.file, reject.line),
                };
                let _ = writeln!(out, "    {}: {}", plain(&place), clean(&reject.reason));
            }
        }
    }
    let odd = found.oddities();
    if odd.is_empty() {
        let _ = writeln!(out, "\n没有发现异常。");
    } else {
        let _ = writeln!(out, "\n值得看一眼:");
        for sentence in odd {
            let _ = writeln!(out, "  - {}", clean(&sentence));
        }
    }
    out
}
