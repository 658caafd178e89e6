//! The summary as the bodies the chat tools' custom robots take. Sending is the user's `curl`: this program has no network.
//!
//! Shapes and limits as documented by each:
//! - DingTalk, *custom robot message types*: `{"msgtype":"markdown","markdown":{"title","text"}}`, a body of at most
//!   20,000 bytes, 20 messages a minute.
//! - WeCom, *group robot* (developer.work.weixin.qq.com/document/path/91770): `{"msgtype":"markdown","markdown":{"content"}}`,
//!   content at most 4,096 bytes of UTF-8, 20 messages a minute.
//! - Feishu, *custom bot guide*: `{"msg_type":"interactive","card":{…}}`, a body of at most 20 KB, 100 messages a minute.
//!
//! None of them agrees with the others on how markup is escaped, so characters that could be markup, a mention
//! (`<@all>`, `<at id=all>`) or a link become their full-width forms: the reader sees the same, the tool sees text.

use serde_json::{Value, json};

use super::Summary;
use crate::judge::Lang;
use crate::report::words::pick;

/// Most bytes of a DingTalk body.
pub const DINGTALK_BYTES: usize = 20_000;
/// Most bytes of the content of a WeCom message.
pub const WECOM_BYTES: usize = 4_096;
/// Most bytes of a Feishu body.
pub const FEISHU_BYTES: usize = 20_000;
/// Room for the title and what stands around the text.
const FRAME: usize = 1_000;

/// The body for a DingTalk robot.
pub fn dingtalk(summary: &Summary, lang: Lang) -> Value {
    let text = fitted(&lines(summary, lang, true), DINGTALK_BYTES - FRAME, lang);
    json!({"msgtype": "markdown", "markdown": {"title": plain(&summary.title), "text": text}})
}

/// The body for a WeCom group robot.
pub fn wecom(summary: &Summary, lang: Lang) -> Value {
    json!({"msgtype": "markdown", "markdown": {"content": fitted(&lines(summary, lang, true), WECOM_BYTES, lang)}})
}

/// The body for a Feishu robot: a card, its head orange when something needs action.
pub fn feishu(summary: &Summary, lang: Lang) -> Value {
    let content = fitted(&lines(summary, lang, false), FEISHU_BYTES - FRAME, lang);
    let template = if summary.attention.is_empty() { "blue" } else { "orange" };
    json!({"msg_type": "interactive", "card": {
        "config": {"wide_screen_mode": true},
        "header": {"title": {"tag": "plain_text", "content": plain(&summary.title)}, "template": template},
        "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": content}}],
    }})
}

/// The message line by line, the most important first.
fn lines(summary: &Summary, lang: Lang, heading: bool) -> Vec<String> {
    let mut out = Vec::new();
    if heading {
        out.push(format!("### {}", plain(&summary.title)));
    }
    out.push(plain(&summary.sentence));
    for (title, items) in [
        (pick(lang, "需要处理", "Needs action"), &summary.attention),
        (pick(lang, "好消息", "Good news"), &summary.good),
    ] {
        if !items.is_empty() {
            out.push(format!("**{title}**"));
            out.extend(items.iter().map(|item| format!("- {}", plain(&item.text))));
        }
    }
    out.push(format!("**{}**", pick(lang, "在哪里看", "Where to look")));
    out.extend(summary.files.iter().map(|file| format!("- {}:{}", file.path, file.what)));
    out
}

/// As many whole lines as fit into `most` bytes of JSON, with a word about what does not; a first line that alone is too
/// long is cut between characters.
fn fitted(lines: &[String], most: usize, lang: Lang) -> String {
    let all = lines.join("\n\n");
    if in_json(&all) <= most {
        return all;
    }
    let notice =
        pick(lang, "……消息过长,已截短,全文见 summary.md", "… cut to fit a message; all of it is in summary.md");
    let room = most.saturating_sub(in_json(notice) + GAP);
    let (mut out, mut used) = (String::new(), 0);
    for line in lines {
        if used + in_json(line) + GAP > room {
            if out.is_empty() {
                // `plain` left nothing that JSON escapes, so that bytes are bytes.
                out.push_str(&line[..line.floor_char_boundary(room.saturating_sub(GAP))]);
                out.push_str("\n\n");
            }
            break;
        }
        used += in_json(line) + GAP;
        out.push_str(line);
        out.push_str("\n\n");
    }
    out.push_str(notice);
    out
}

/// Bytes of an empty line between two lines, in JSON.
const GAP: usize = 4;

/// Bytes of a text in JSON, without its quotes.
fn in_json(text: &str) -> usize {
    let escaped = |b: u8| if b < 0x20 { 5 } else { usize::from(b == b'"' || b == b'\\') };
    text.len() + text.bytes().map(escaped).sum::<usize>()
}

/// Text in which no chat tool finds markup.
fn plain(text: &str) -> String {
    let full_width = |c: char| match c {
        '<' | '>' | '[' | ']' | '*' | '_' | '`' | '#' | '@' | '~' | '\\' | '|' | '!' | '&' | '"' => {
            char::from_u32(c as u32 - 0x21 + 0xff01).unwrap_or(c)
        }
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(full_width).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{File, Item};
    use super::*;

    fn summary(items: usize, text: &str) -> Summary {
        Summary {
            title: "质检日报 2026-11-20".into(),
            label: "2026-11-20".into(),
            sentence: "共 3 通会话".into(),
            attention: (0..items).map(|n| Item { kind: "critical", text: format!("{n}{text}") }).collect(),
            good: Vec::new(),
            figures: Vec::new(),
            files: vec![File { path: "scorecards.xlsx", what: "工作簿".into() }],
        }
    }

    fn text_of(body: &Value) -> String {
        let places = ["/markdown/text", "/markdown/content", "/card/elements/0/text/content"];
        places.iter().find_map(|p| body.pointer(p)?.as_str()).unwrap().to_string()
    }

    #[test]
    fn bodies_have_the_documented_shapes() {
        let one = summary(1, "一票否决 2 通");
        let ding = dingtalk(&one, Lang::Zh);
        assert_eq!(
            (ding["msgtype"].as_str(), ding["markdown"]["title"].as_str()),
            (Some("markdown"), Some("质检日报 2026-11-20"))
        );
        assert!(text_of(&ding).contains("一票否决 2 通") && text_of(&ding).contains("scorecards.xlsx"));
        assert_eq!(wecom(&one, Lang::Zh)["msgtype"], "markdown");
        let card = feishu(&one, Lang::Zh);
        assert_eq!((&card["msg_type"], &card["card"]["header"]["template"]), (&json!("interactive"), &json!("orange")));
        assert_eq!(card["card"]["elements"][0]["text"]["tag"], "lark_md");
    }

    #[test]
    fn limits_hold_and_cutting_says_so_between_characters() {
        for (items, text) in [(2000, "很长的一行"), (3, "长".repeat(9000).as_str()), (2000, "\"\n\\")] {
            let long = summary(items, text);
            for lang in [Lang::Zh, Lang::En] {
                for (body, most) in [(dingtalk(&long, lang), DINGTALK_BYTES), (feishu(&long, lang), FEISHU_BYTES)] {
                    assert!(serde_json::to_vec(&body).unwrap().len() <= most);
                    assert!(text_of(&body).contains("summary.md"), "says that it was cut");
                }
                let content = text_of(&wecom(&long, lang));
                assert!(content.len() <= WECOM_BYTES && content.contains("summary.md") && content.contains("共 3 通"));
            }
        }
        let mut giant = summary(0, "");
        giant.title = "题".repeat(3000);
        assert!(text_of(&wecom(&giant, Lang::Zh)).len() <= WECOM_BYTES);
    }

    #[test]
    fn nothing_in_a_name_is_markup_or_a_mention() {
        let text = text_of(&feishu(&summary(1, "<at id=all></at> <@all> [点我](http://x) **粗**"), Lang::Zh));
        assert!(!text.contains(['<', '@', '[']) && text.contains("＜＠all＞"), "{text}");
    }
}
