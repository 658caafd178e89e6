//! Invented conversations in any number, for trying out sizes: the same seed gives the same bytes.
//!
//! They are made like service chats are: agents answer from a stock of canned sentences, so that most of their messages
//! come again and again; customers ask in their own words, cut short, doubled, with numbers, so that most of theirs do
//! not. A share of the agents' messages breaks rules. Each conversation depends on the seed and its number alone, so that they
//! are made in parallel and written in order.

mod random;
mod scenes;

use std::io::Write;

use rayon::prelude::*;

use crate::error::{Error, Result};
use random::Random;
use scenes::{SCENES, Scenes};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Conversations.
    pub conversations: u64,
    /// Same seed, same bytes.
    pub seed: u64,
    /// Agents they are spread over.
    pub agents: u64,
    /// Share of conversations in which the agent breaks a rule, 0–1.
    pub violations: f64,
    /// Share by phone, with times in the recording and no punctuation, 0–1.
    pub phone: f64,
    /// The first day; conversations are spread over `days` of them.
    pub start: jiff::civil::Date,
    /// Days.
    pub days: u32,
    /// How they are written.
    pub format: Format,
}

/// How conversations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Native JSONL.
    Jsonl,
    /// CSV, a message a row, Chinese header.
    Csv,
}

/// Conversations made at a time.
const BATCH: u64 = 4096;
/// Conversations a thread makes at a time.
const CHUNK: u64 = 256;

/// Writes the conversations; `done` hears of each batch.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(plan: &Plan, out: &mut dyn Write, mut done: impl FnMut(u64)) -> Result<()> {
    let failed = |e| Error::write("生成的会话", e);
    if plan.format == Format::Csv {
        out.write_all(csv_header().as_bytes()).map_err(failed)?;
    }
    let mut from = 0;
    while from < plan.conversations {
        let to = (from + BATCH).min(plan.conversations);
        let starts: Vec<u64> = (from..to).step_by(CHUNK as usize).collect();
        let parts: Vec<Vec<u8>> = starts
            .into_par_iter()
            .map(|start| {
                let mut bytes = Vec::with_capacity(CHUNK as usize * 1600);
                (start..to.min(start + CHUNK)).for_each(|number| conversation(plan, number, &mut bytes));
                bytes
            })
            .collect();
        for part in parts {
            out.write_all(&part).map_err(failed)?;
        }
        done(to);
        from = to;
    }
    Ok(())
}

/// One message.
struct Message {
    agent: bool,
    /// Seconds from the start.
    at: u32,
    text: String,
}

/// Makes one conversation.
fn conversation(plan: &Plan, number: u64, out: &mut Vec<u8>) {
    let scenes: &Scenes = &SCENES;
    let mut random = Random::new(plan.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let scene = random.pick(&scenes.scene);
    let phone = random.chance(plan.phone);
    let agent = random.below(plan.agents.max(1)) + 1;
    let breaks = random.chance(plan.violations);
    let slots = scenes.slots(&mut random, agent);
    let fill = |text: &str| slots.fill(text);
    let mut messages = Vec::with_capacity(16);
    let mut at = 0;
    let mut say = |agent: bool, text: String, wait: u64, random: &mut Random| {
        at += 2 + random.below(wait) as u32;
        messages.push(Message { agent, at, text });
    };
    say(false, words_of_a_customer(&fill(random.line(&scene.open)), &mut random), 3, &mut random);
    if random.chance(0.85) {
        say(true, fill(random.line(&scenes.greetings)), 40, &mut random);
    }
    let rounds = 1 + random.below(5);
    let angry = random.chance(0.18);
    for round in 0..rounds {
        if round > 0 {
            let asks = if random.chance(0.3) { &scene.open } else { &scene.more };
            say(false, words_of_a_customer(&fill(random.line(asks)), &mut random), 60, &mut random);
        }
        if angry && round + 1 == rounds {
            say(false, words_of_a_customer(&fill(random.line(&scenes.angry)), &mut random), 30, &mut random);
            let list = if random.chance(0.7) { &scenes.soothing } else { &scenes.cold };
            say(true, fill(random.line(list)), 45, &mut random);
        }
        if random.chance(0.3) {
            say(true, fill(random.line(&scenes.waits)), 30, &mut random);
        }
        say(true, fill(random.line(&scene.answer)), 80, &mut random);
    }
    if breaks {
        say(true, fill(random.line(&scenes.violations)), 30, &mut random);
    }
    if random.chance(0.8) {
        say(false, random.line(&scenes.thanks).to_string(), 40, &mut random);
        say(true, fill(random.line(&scenes.closings)), 20, &mut random);
    }
    let rating = random.chance(0.12).then(|| if angry { 1 + random.below(3) } else { 3 + random.below(3) });
    let second = random.below(u64::from(plan.days.max(1)) * 86_400) as i64;
    let start = plan.start.at(0, 0, 0, 0).saturating_add(jiff::Span::new().seconds(second));
    let head = Head {
        id: format!("G{number:09}"),
        channel: if phone { "phone" } else { "chat" },
        stage: &scene.stage,
        customer: random.below(plan.conversations.max(1) * 7 / 10 + 1),
        order: &slots.order,
        agent,
        rating,
        start,
    };
    match plan.format {
        Format::Jsonl => head.jsonl(&messages, phone, out),
        Format::Csv => head.csv(&messages, out),
    }
}

/// People cut, double and stretch what they write.
fn words_of_a_customer(text: &str, random: &mut Random) -> String {
    let mut out = text.to_string();
    match random.below(8) {
        0 => out.push_str(random.pick::<&str>(&["啊", "呢", "呀", "???", "!!", "~", "。。。"])),
        1 => out.insert_str(0, random.pick::<&str>(&["你好", "在吗", "请问", "那个", "亲"])),
        2 => out = format!("{}{}", out, random.pick::<&str>(&[" 急", " 在线等", " 回复一下", " 谢谢"])),
        3 => out = out.replace([',', '?'], " "),
        _ => {}
    }
    if random.chance(0.05) {
        out = format!("{out} {}", 1_000 + random.below(900_000));
    }
    out
}

/// What stands beside the messages.
struct Head<'h> {
    id: String,
    channel: &'static str,
    stage: &'h str,
    customer: u64,
    order: &'h str,
    agent: u64,
    rating: Option<u64>,
    start: jiff::civil::DateTime,
}

impl Head<'_> {
    fn time(&self, seconds: u32) -> jiff::civil::DateTime {
        self.start.saturating_add(jiff::Span::new().seconds(i64::from(seconds)))
    }

    fn team(&self) -> u64 {
        self.agent % 7 + 1
    }

    fn jsonl(&self, messages: &[Message], phone: bool, out: &mut Vec<u8>) {
        let turns = messages.iter().map(|m| {
            let mut turn = serde_json::Map::new();
            turn.insert("role".into(), if m.agent { "agent" } else { "customer" }.into());
            match phone {
                true => {
                    let begin = u64::from(m.at) * 1000;
                    turn.insert("begin_ms".into(), begin.into());
                    turn.insert("end_ms".into(), (begin + 200 * m.text.chars().count() as u64).into());
                    turn.insert("text".into(), m.text.replace([',', '?', '!', '。', '~'], "").into());
                    turn.insert("confidence".into(), 0.93.into());
                }
                false => {
                    turn.insert("at".into(), format!("{}+08:00", self.time(m.at)).into());
                    turn.insert("text".into(), m.text.as_str().into());
                }
            }
            serde_json::Value::Object(turn)
        });
        let mut record = serde_json::json!({
            "conversation_id": self.id, "channel": self.channel, "stage": self.stage,
            "customer_id": format!("c{:08}", self.customer), "order_id": self.order,
            "started_at": format!("{}+08:00", self.start), "agent_id": format!("a{:04}", self.agent),
            "agents": [{"id": format!("a{:04}", self.agent), "name": format!("客服{}", self.agent), "team": format!("{}组", self.team())}],
            "turns": turns.collect::<Vec<_>>(),
        });
        if let Some(rating) = self.rating {
            record["rating"] = rating.into();
        }
        // Writing to memory cannot fail, and the record holds only strings and numbers.
        if serde_json::to_writer(&mut *out, &record).is_ok() {
            out.push(b'\n');
        }
    }

    fn csv(&self, messages: &[Message], out: &mut Vec<u8>) {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        for m in messages {
            let rating = self.rating.map(|r| r.to_string()).unwrap_or_default();
            let row: [&str; 12] = [
                &self.id,
                &format!("c{:08}", self.customer),
                self.order,
                self.channel,
                self.stage,
                if m.agent { "客服" } else { "客户" },
                &format!("a{:04}", self.agent),
                &format!("客服{}", self.agent),
                &format!("{}组", self.team()),
                &self.time(m.at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
                &m.text,
                &rating,
            ];
            // A vector takes all that is written.
            let _ = csv.write_record(row);
        }
        let _ = csv.flush();
    }
}

fn csv_header() -> String {
    "会话ID,客户ID,订单号,渠道,阶段,角色,客服ID,客服姓名,团队,发送时间,消息内容,评分\r\n".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(conversations: u64, format: Format, seed: u64) -> String {
        let start = jiff::civil::date(2026, 11, 20);
        let plan = Plan { conversations, seed, agents: 20, violations: 0.1, phone: 0.2, start, days: 1, format };
        let mut out = Vec::new();
        write(&plan, &mut out, |_| {}).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_more_of_it_the_same_beginning() {
        let some = made(300, Format::Jsonl, 7);
        assert_eq!(some, made(300, Format::Jsonl, 7));
        assert_ne!(some, made(300, Format::Jsonl, 8));
        assert_eq!(some.lines().count(), 300);
        assert!(!some.contains("{product}") && !some.contains("{days}"), "every slot is filled");
    }

    #[test]
    fn agents_repeat_themselves_and_customers_do_not() {
        let text = made(3000, Format::Jsonl, 1);
        let mut seen = [std::collections::BTreeMap::<String, u64>::new(), Default::default()];
        for line in text.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            for turn in record["turns"].as_array().unwrap() {
                let agent = usize::from(turn["role"] == "agent");
                *seen[agent].entry(turn["text"].as_str().unwrap().into()).or_default() += 1;
            }
        }
        let share = |of: &std::collections::BTreeMap<String, u64>| of.len() as f64 / of.values().sum::<u64>() as f64;
        assert!(share(&seen[1]) < share(&seen[0]), "{} {}", share(&seen[1]), share(&seen[0]));
    }
}
