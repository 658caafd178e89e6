//! One JSON record to a [`Conversation`], in a single pass and without a tree in between.
//!
//! Texts without escapes borrow from the line; a turn goes straight into its conversation. Values are checked where
//! they are read, so that a fault can name its field and turn; the first fault ends the record. The checks live in
//! [`Record`], which also carries what parsing needs from outside: the clock and the limits.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::mapping::Mapping;
use super::reject::{BAD_JSON, BAD_ROLE, BAD_TEXT, BAD_TURNS, BAD_VALUE, Fault, MISSING_ID, TOO_MANY_TURNS};
use super::scalar::{AgentKey, ConversationKey, Scalar, TurnKey};
use super::signature::unread_lists;
use super::time::{Clock, TIME_HINT, epoch};
use super::{InputOptions, Limits, values};
use crate::conversation::{AgentInfo, Conversation, Kind, Millis, Role, Turn};

/// Reads records, one after another.
pub(crate) struct Record<'z> {
    clock: RefCell<Clock<'z>>,
    limits: Limits,
    mapping: &'z Mapping,
    fault: RefCell<Option<Fault>>,
    /// The turn being read, for faults to name.
    turn: Cell<Option<usize>>,
    /// How many turns the last conversation had: room for the next.
    room: Cell<usize>,
}

impl<'z> Record<'z> {
    pub(crate) fn new(options: &'z InputOptions) -> Self {
        Record {
            clock: RefCell::new(Clock::of(options)),
            limits: options.limits,
            mapping: &options.mapping,
            fault: RefCell::default(),
            turn: Cell::default(),
            room: Cell::new(16),
        }
    }

    /// The conversation a line holds.
    pub(crate) fn parse<'a>(&self, line: &'a str) -> Result<Conversation<'a>, Fault> {
        self.turn.set(None);
        let mut json = serde_json::Deserializer::from_str(line);
        let result = ConversationSeed(self).deserialize(&mut json).and_then(|c| json.end().map(|()| c));
        result.map_err(|error| {
            let column = column(line, error.column());
            match self.fault.take() {
                // what is absent is nowhere
                Some(mut fault) if fault.code == MISSING_ID => {
                    fault.reason.extend(unread_lists(line));
                    fault
                }
                Some(fault) => fault.at(column),
                None => Fault::new(BAD_JSON, reason(&error, column)).at(column),
            }
        })
    }

    /// Notes a fault; what it returns unwinds the parser.
    fn fail<E: serde::de::Error>(&self, code: &'static str, reason: String) -> E {
        *self.fault.borrow_mut() = Some(Fault::new(code, reason));
        E::custom("")
    }

    /// A field's name as faults show it: `turns[3].at`.
    fn field(&self, name: &str) -> String {
        self.turn.get().map_or_else(|| name.to_owned(), |i| format!("turns[{i}].{name}"))
    }

    fn bad<E: serde::de::Error>(&self, name: &str, value: &Scalar<'_>, expected: &str) -> E {
        self.fail(BAD_VALUE, format!("{} 的值 {} 无法识别;{expected}", self.field(name), value.shown()))
    }

    /// An id or a name: a string or a whole number; null and blank are none.
    fn id<'a, E: serde::de::Error>(&self, name: &str, value: Scalar<'a>) -> Result<Option<Cow<'a, str>>, E> {
        match value {
            Scalar::Null => Ok(None),
            Scalar::Str(text) if text.trim().is_empty() => Ok(None),
            Scalar::Str(text) => Ok(Some(text)),
            Scalar::Int(number) => Ok(Some(Cow::Owned(number.to_string()))),
            other => Err(self.bad(name, &other, "应为字符串或整数(超过 18 位的编号请写成字符串)")),
        }
    }

    /// Tags: a list of strings or numbers, or a single string with separators between them.
    fn tags<'a, E: serde::de::Error>(&self, raw: &'a str) -> Result<Vec<Cow<'a, str>>, E> {
        let list: Option<Vec<Scalar<'a>>> = match raw.starts_with('[') {
            true => serde_json::from_str(raw).ok(),
            false => serde_json::from_str(raw).ok().map(|one| vec![one]),
        };
        let mut out = Vec::new();
        for value in list.unwrap_or_default() {
            match value {
                Scalar::Null => {}
                Scalar::Str(Cow::Borrowed(text)) => out.extend(values::tags(text).map(Cow::Borrowed)),
                Scalar::Str(Cow::Owned(text)) => out.extend(values::tags(&text).map(|t| Cow::Owned(t.to_string()))),
                Scalar::Int(number) => out.push(Cow::Owned(number.to_string())),
                other => return Err(self.bad("tags", &other, "应为字符串列表,如 [\"vip\",\"大促\"]")),
            }
        }
        Ok(out)
    }

    fn time<E: serde::de::Error>(&self, name: &str, value: &Scalar<'_>, date_only: bool) -> Result<Option<Millis>, E> {
        let read = match value {
            Scalar::Null => return Ok(None),
            Scalar::Str(text) if text.trim().is_empty() => return Ok(None),
            Scalar::Str(text) => self.clock.borrow_mut().parse(text, date_only),
            Scalar::Int(number) => epoch(*number as f64),
            Scalar::Float(number) => epoch(*number),
            Scalar::Other(_) => None,
        };
        read.map(Some).ok_or_else(|| self.bad(name, value, TIME_HINT))
    }

    /// A number that may also come as a string.
    fn number<T, E: serde::de::Error>(
        &self,
        name: &str,
        value: &Scalar<'_>,
        expected: &str,
        from_text: impl Fn(&str) -> Result<Option<T>, ()>,
        from_number: impl Fn(f64) -> Result<T, ()>,
    ) -> Result<Option<T>, E> {
        let read = match value {
            Scalar::Null => return Ok(None),
            Scalar::Str(text) if text.trim().is_empty() => return Ok(None),
            Scalar::Str(text) => from_text(text),
            Scalar::Int(number) => from_number(*number as f64).map(Some),
            Scalar::Float(number) => from_number(*number).map(Some),
            Scalar::Other(_) => Err(()),
        };
        read.map_err(|()| self.bad(name, value, expected))
    }

    fn milliseconds<E: serde::de::Error>(&self, name: &str, value: &Scalar<'_>) -> Result<Option<i64>, E> {
        let expected = "应为从录音开始起的毫秒数(不小于 0)";
        self.number(name, value, expected, |s| values::offset_ms(s).map(Some), values::offset_number)
    }

    fn role<E: serde::de::Error>(&self, value: &Scalar<'_>) -> Result<Role, E> {
        let role = match value {
            Scalar::Str(text) => self.mapping.role(text),
            Scalar::Int(number) => self.mapping.role(&number.to_string()),
            _ => None,
        };
        role.ok_or_else(|| {
            let known = "可用: agent/客服/1、customer/客户/0、bot/机器人、system/系统";
            self.fail(BAD_ROLE, format!("{} 的值 {} 不是已知的角色;{known}", self.field("role"), value.shown()))
        })
    }
}

/// The character a byte column lies in, both 1-based.
pub(super) fn column(line: &str, byte: usize) -> u64 {
    let before = &line.as_bytes()[..byte.saturating_sub(1).min(line.len())];
    // bytes that begin a character
    before.iter().filter(|b| **b & 0xc0 != 0x80).count() as u64 + 1
}

/// Why JSON could not be read, the fault being at a character.
pub(super) fn reason(error: &serde_json::Error, column: u64) -> String {
    use serde_json::error::Category;
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(m, _)| m);
    match error.classify() {
        Category::Eof => format!("JSON 不完整,在第 {column} 个字符处中断 ({message})"),
        Category::Data => format!("第 {column} 个字符处的值类型不对 ({message})"),
        _ => format!("第 {column} 个字符处不是合法的 JSON ({message})"),
    }
}

struct ConversationSeed<'r, 'z>(&'r Record<'z>);

impl<'de> DeserializeSeed<'de> for ConversationSeed<'_, '_> {
    type Value = Conversation<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ConversationSeed<'_, '_> {
    type Value = Conversation<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("一个会话对象 {…}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        use ConversationKey as Key;
        let record = self.0;
        let mut out = Conversation::default();
        let mut id = None;
        let mut turns = false;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Id => id = record.id("conversation_id", map.next_value()?)?,
                Key::Channel => {
                    out.channel = record.id("channel", map.next_value()?)?.map(|c| record.mapping.channel(c))
                }
                Key::Stage => out.stage = record.id("stage", map.next_value()?)?.map(values::stage),
                Key::Queue => out.queue = record.id("queue", map.next_value()?)?,
                Key::Customer => out.customer_id = record.id("customer_id", map.next_value()?)?,
                Key::Order => out.order_id = record.id("order_id", map.next_value()?)?,
                Key::Started => out.started_at = record.time("started_at", &map.next_value()?, true)?,
                Key::Ended => out.ended_at = record.time("ended_at", &map.next_value()?, true)?,
                Key::Rating => {
                    let value = map.next_value()?;
                    let expected = "评分应为 1–5 的整数(5、\"5\"、\"5星\")";
                    out.rating = record.number("rating", &value, expected, values::rating, values::rating_number)?;
                }
                Key::Agent => out.agent_id = record.id("agent_id", map.next_value()?)?,
                Key::Agents => map.next_value_seed(AgentsSeed(record, &mut out.agents))?,
                Key::Labels => {
                    let raw = map.next_value::<&'de RawValue>()?.get();
                    out.labels = (raw != "null").then_some(Cow::Borrowed(raw));
                }
                Key::Tags => out.tags = record.tags(map.next_value::<&'de RawValue>()?.get())?,
                Key::Turns => {
                    turns = true;
                    out.turns.clear();
                    map.next_value_seed(TurnsSeed(record, &mut out.turns))?;
                    record.turn.set(None);
                }
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        out.id = id.ok_or_else(|| record.fail(MISSING_ID, "没有 conversation_id,或其值为空".into()))?;
        if out.turns.is_empty() {
            let what = if turns { "turns 为空,没有任何消息" } else { "没有 turns(消息列表)" };
            return Err(record.fail(BAD_TURNS, what.into()));
        }
        record.room.set(out.turns.len());
        Ok(out)
    }
}

struct TurnsSeed<'r, 'z, 't, 'a>(&'r Record<'z>, &'t mut Vec<Turn<'a>>);

impl<'de> DeserializeSeed<'de> for TurnsSeed<'_, '_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Anything but the list or object wanted is a fault of its own.
macro_rules! only {
    ($code:expr, $reason:expr) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
            Err(self.0.fail($code, $reason(self.0)))
        }
    };
}

impl<'de> Visitor<'de> for TurnsSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("消息列表 [{…}, …]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let TurnsSeed(record, turns) = self;
        turns.reserve(record.room.get().min(256));
        loop {
            record.turn.set(Some(turns.len()));
            if list.next_element_seed(TurnSeed(record, turns))?.is_none() {
                return Ok(());
            }
            if turns.len() > record.limits.max_turns {
                let reason = format!("消息条数超过上限 {}", record.limits.max_turns);
                return Err(record.fail(TOO_MANY_TURNS, reason));
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.fail(BAD_TURNS, "turns 应为消息列表 [{…}, …]".into()))
    }

    only!(BAD_TURNS, |_: &Record<'_>| "turns 应为消息列表 [{…}, …]".to_owned());
}

struct TurnSeed<'r, 'z, 't, 'a>(&'r Record<'z>, &'t mut Vec<Turn<'a>>);

impl<'de> DeserializeSeed<'de> for TurnSeed<'_, '_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TurnSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("一条消息 {…}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use TurnKey as Key;
        let record = self.0;
        let mut role = None;
        let mut text = None;
        let mut turn = Turn::new(Role::System, "");
        while let Some(key) = map.next_key()? {
            match key {
                Key::Role => role = Some(record.role(&map.next_value()?)?),
                Key::Agent => turn.agent_id = record.id("agent_id", map.next_value()?)?,
                Key::At => turn.at = record.time("at", &map.next_value()?, false)?,
                Key::Begin => turn.begin_ms = record.milliseconds("begin_ms", &map.next_value()?)?,
                Key::End => turn.end_ms = record.milliseconds("end_ms", &map.next_value()?)?,
                Key::Text => match map.next_value()? {
                    Scalar::Str(words) => text = Some(words),
                    Scalar::Null => {}
                    other => {
                        let reason = format!("{} 应为字符串,实际是 {}", record.field("text"), other.shown());
                        return Err(record.fail(BAD_TEXT, reason));
                    }
                },
                Key::Kind => match map.next_value()? {
                    Scalar::Null => {}
                    Scalar::Str(kind) => turn.kind = Kind::parse(&kind),
                    _ => turn.kind = Kind::Other,
                },
                Key::Confidence => {
                    let value = map.next_value()?;
                    let from_text = |s: &str| values::confidence(s).map(Some);
                    let expected = "置信度应在 0 与 1 之间";
                    turn.confidence =
                        record.number("confidence", &value, expected, from_text, values::confidence_number)?;
                }
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        turn.role = role.ok_or_else(|| record.fail(BAD_ROLE, format!("{} 缺失", record.field("role"))))?;
        match text {
            Some(words) => turn.text = words,
            None if turn.kind == Kind::Text => {
                return Err(record.fail(BAD_TEXT, format!("{} 缺失(文本消息必须有内容)", record.field("text"))));
            }
            None => {}
        }
        self.1.push(turn);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.fail(BAD_TURNS, not_a_turn(self.0)))
    }

    only!(BAD_TURNS, not_a_turn);
}

fn not_a_turn(record: &Record<'_>) -> String {
    format!("turns[{}] 应为对象 {{\"role\":…,\"text\":…}}", record.turn.get().unwrap_or(0))
}

struct AgentsSeed<'r, 'z, 't, 'a>(&'r Record<'z>, &'t mut Vec<AgentInfo<'a>>);

impl<'de> DeserializeSeed<'de> for AgentsSeed<'_, '_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for AgentsSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("客服名录 [{\"id\":…,\"name\":…,\"team\":…}, …]")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(AgentSeed(self.0, self.1))?.is_some() {}
        Ok(())
    }
}

struct AgentSeed<'r, 'z, 't, 'a>(&'r Record<'z>, &'t mut Vec<AgentInfo<'a>>);

impl<'de> DeserializeSeed<'de> for AgentSeed<'_, '_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AgentSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("客服 {\"id\":…,\"name\":…,\"team\":…}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut id, mut name, mut team) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                AgentKey::Id => id = self.0.id("agents[].id", map.next_value()?)?,
                AgentKey::Name => name = self.0.id("agents[].name", map.next_value()?)?,
                AgentKey::Team => team = self.0.id("agents[].team", map.next_value()?)?,
                AgentKey::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let id = id.ok_or_else(|| self.0.fail(BAD_VALUE, format!("agents[{}] 没有 id", self.1.len())))?;
        self.1.push(AgentInfo { id, name, team });
        Ok(())
    }
}
