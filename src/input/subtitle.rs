//! WebVTT and SRT with speakers: a file is a call. A strict small reader of our own: cues, their times, voice tags
//! (`<v 张三>`) or a leading `张三: `; every other tag is dropped. A cue that cannot be read rejects the file with its line,
//! because half a call would be judged as if it were whole.

use super::draft::{Context, Draft};
use super::reject::{BAD_TURNS, BAD_VALUE, Fault, UNKNOWN_SPEAKER};
use crate::conversation::{Conversation, Role, Turn};

/// True for text that begins with a cue number and a line of SRT times.
pub(crate) fn is_srt(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let number = lines.next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    number && lines.next().is_some_and(|l| times(l).is_some())
}

/// The call a file holds; a fault names its line by the column's place in [`Fault`].
pub(crate) fn read(text: &str, vtt: bool, context: &Context<'_>) -> Result<Conversation<'static>, (u64, Fault)> {
    let mut draft = Draft::new(None, "phone", context);
    let mut lines = text.lines().zip(1u64..).peekable();
    if vtt {
        match lines.next() {
            Some((first, _)) if first.trim_start_matches('\u{feff}').starts_with("WEBVTT") => {}
            _ => return Err((1, Fault::new(BAD_VALUE, "WebVTT 文件要以 WEBVTT 开头"))),
        }
        // what follows the signature up to a blank line is a header
        while lines.next_if(|(l, _)| !l.trim().is_empty() && !l.contains("-->")).is_some() {}
    }
    let mut speaker: Option<String> = None;
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if vtt && ["NOTE", "STYLE", "REGION"].iter().any(|k| line == *k || line.starts_with(&format!("{k} "))) {
            while lines.next_if(|(l, _)| !l.trim().is_empty()).is_some() {}
            continue;
        }
        if !line.contains("-->") {
            // a cue's name or number: the times follow
            if lines.peek().is_some_and(|(next, _)| next.contains("-->")) {
                continue;
            }
            return Err((number, Fault::new(BAD_VALUE, "这里应是“开始时间 --> 结束时间”")));
        }
        let (begin, end) = times(line)
            .ok_or_else(|| (number, Fault::new(BAD_VALUE, "时间写法不对,应如 00:00:01.000 --> 00:00:02.500")))?;
        let mut said: Vec<(Option<String>, String)> = Vec::new();
        while let Some((text, _)) = lines.next_if(|(l, _)| !l.trim().is_empty() && !l.contains("-->")) {
            // without a blank line between, the next cue's number looks like words
            let next_is_times = lines.peek().is_some_and(|(next, _)| next.contains("-->"));
            if next_is_times && text.trim().bytes().all(|b| b.is_ascii_digit()) {
                break;
            }
            for (label, words) in voices(text.trim()) {
                match said.last_mut() {
                    Some((_, open)) if label.is_none() => {
                        if !open.is_empty() && !words.is_empty() {
                            open.push(' ');
                        }
                        open.push_str(&words);
                    }
                    _ => said.push((label, words)),
                }
            }
        }
        for (label, words) in said {
            if words.is_empty() {
                continue;
            }
            // a cue that names nobody goes on with whoever spoke last
            let Some(label) = label.or_else(|| speaker.clone()) else {
                let reason = "字幕没有写明说话人;应为 <v 客服>您好 或 客服: 您好";
                return Err((number, Fault::new(UNKNOWN_SPEAKER, reason)));
            };
            let mut turn = Turn::new(Role::System, words);
            turn.begin_ms = Some(begin);
            turn.end_ms = Some(end);
            draft.said(&label, turn);
            speaker = Some(label);
        }
    }
    if draft.out.turns.is_empty() {
        return Err((1, Fault::new(BAD_TURNS, "没有任何字幕")));
    }
    draft.finish(context, |_| None, true).map_err(|fault| (1, fault))
}

/// `00:00:01,000 --> 00:00:02.500 align:start` in milliseconds; hours may be left out.
fn times(line: &str) -> Option<(i64, i64)> {
    let (begin, end) = line.split_once("-->")?;
    let (begin, end) = (clock(begin.trim())?, clock(end.split_whitespace().next()?)?);
    (end >= begin).then_some((begin, end))
}

fn clock(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "000"));
    let digits = |t: &str, most: usize| {
        (!t.is_empty() && t.len() <= most && t.bytes().all(|b| b.is_ascii_digit()))
            .then(|| t.parse::<i64>().ok())
            .flatten()
    };
    let parts: Vec<_> = whole.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [m, s] => (0, digits(m, 2)?, digits(s, 2)?),
        [h, m, s] => (digits(h, 4)?, digits(m, 2)?, digits(s, 2)?),
        _ => return None,
    };
    let millis = digits(fraction, 3)? * [100, 10, 1][fraction.len() - 1];
    (minutes < 60 && seconds < 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

/// What a line says, by speaker: `<v 张三>您好</v>`, `张三: 您好`, or words that go on.
fn voices(line: &str) -> Vec<(Option<String>, String)> {
    let mut out: Vec<(Option<String>, String)> = Vec::new();
    let mut rest = line;
    let mut words = String::new();
    let mut label = None;
    while let Some(open) = rest.find('<') {
        words.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>').map(|c| open + c) else { break };
        let tag = &rest[open + 1..close];
        let name = tag.strip_prefix('v').filter(|t| t.starts_with([' ', '\t', '.']));
        if let Some(name) = name {
            if label.is_some() || !words.trim().is_empty() {
                out.push((label.take(), unescape(words.trim())));
            }
            words.clear();
            // `<v.loud 张三>`: classes before the name
            label = name.split_once([' ', '\t']).map(|(_, n)| unescape(n.trim()));
        } else if !is_tag(tag) {
            words.push_str(&rest[open..=close]);
        }
        rest = &rest[close + 1..];
    }
    words.push_str(rest);
    if label.is_none() && out.is_empty() {
        // `张三: 您好`, not a time of day nor an address
        if let Some((name, said)) = words.split_once([':', '：'])
            && !name.trim().is_empty()
            && name.chars().count() <= 20
            && !name.contains([' ', ',', '，', '。', '?', '？', '!', '！'])
            && !name.trim().bytes().all(|b| b.is_ascii_digit())
            && !said.starts_with("//")
        {
            return vec![(Some(name.trim().to_owned()), unescape(said.trim()))];
        }
    }
    out.push((label, unescape(words.trim())));
    out
}

/// Mark-up of captions: `<b>`, `</v>`, `<c.red>`, `<00:00:01.000>`.
fn is_tag(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split(['.', ' ', '\t']).next().unwrap_or("");
    ["b", "i", "u", "c", "v", "ruby", "rt", "lang", "font"].contains(&name) || clock(tag).is_some()
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // the ampersand last, so that nothing is unescaped twice
    let plain =
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&lrm;", "").replace("&rlm;", "");
    plain.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::super::InputOptions;
    use super::*;
    use proptest::prelude::*;

    fn turns(text: &str, vtt: bool) -> Result<Vec<String>, (u64, &'static str)> {
        let options = InputOptions::default();
        let read = read(text, vtt, &Context::new(&options, "f".into())).map_err(|(line, f)| (line, f.code))?;
        let shown = |t: &Turn<'_>| {
            let id = t.agent_id.as_deref().unwrap_or("");
            format!("{}{id} {}-{} {}", t.role.as_str(), t.begin_ms.unwrap(), t.end_ms.unwrap(), t.text)
        };
        Ok(read.turns.iter().map(shown).collect())
    }

    #[test]
    fn cues_voices_and_tags() {
        let text = "WEBVTT - 通话\nKind: captions\n\nNOTE 备注\n不读\n\n1\n00:01.000 --> 00:02.500 align:start\n<v.loud 客服-a01>您<b>好</b> &lt;亲&gt;</v>\n请讲\n\n00:00:03.000 --> 00:00:04.000\n<v 客户>退款<v 客服-a01>好\n";
        assert_eq!(
            turns(text, true).unwrap(),
            ["agenta01 1000-2500 您好 <亲> 请讲", "customer 3000-4000 退款", "agenta01 3000-4000 好"]
        );
        let srt = "1\n00:00:01,000 --> 00:00:02,000\n客服: 您好\n2\n00:00:02,000 --> 00:00:03,000\n客户：在吗\n\n3\n00:00:03,5 --> 00:00:04,000\n等了 3:00 了\n";
        assert!(is_srt(srt));
        assert_eq!(
            turns(srt, false).unwrap(),
            ["agent 1000-2000 您好", "customer 2000-3000 在吗", "customer 3500-4000 等了 3:00 了"]
        );
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(turns("WEBVTT\n\n00:01.000 --> 00:00.500\n<v 客服>x\n", true), Err((3, BAD_VALUE)));
        assert_eq!(turns("WEBVTT\n\n00:01.000 --> 00:02.000\n您好\n", true), Err((3, UNKNOWN_SPEAKER)));
        assert_eq!(turns("WEBVTT\n\n00:01.000 --> 00:02.000\n<v 张三>您好\n", true), Err((1, UNKNOWN_SPEAKER)));
        assert_eq!(turns("WEBVTT\n", true), Err((1, BAD_TURNS)));
        assert_eq!(turns("x", true), Err((1, BAD_VALUE)));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9:,.<>v /\\-\n客服&;ltWEBVTT]{0,120}", vtt: bool) {
            let _ = turns(&text, vtt);
            let _ = turns(&format!("WEBVTT\n\n{text}"), vtt);
        }
    }
}
