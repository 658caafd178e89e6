//! A conversation made from another system's record: checked field by field, faults named by their place, and speakers told
//! apart only by documented means, because a wrong guess would blame the wrong side.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::reject::{BAD_TEXT, BAD_TURNS, BAD_VALUE, Fault, TOO_MANY_TURNS, UNKNOWN_SPEAKER, shown};
use super::time::{Clock, TIME_HINT, epoch};
use super::{InputOptions, values};
use crate::conversation::{Conversation, Millis, Role, Turn};

/// A JSON object of a record.
pub(crate) type Object = Map<String, Value>;

/// What reading a record needs from outside.
pub(crate) struct Context<'o> {
    pub options: &'o InputOptions,
    pub clock: RefCell<Clock<'o>>,
    /// The id of a conversation that has none of its own.
    pub fallback: String,
}

impl<'o> Context<'o> {
    pub(crate) fn new(options: &'o InputOptions, fallback: String) -> Self {
        Context { options, clock: RefCell::new(Clock::of(options)), fallback }
    }

    /// A moment, when the field is there.
    pub(crate) fn moment(&self, object: &Object, keys: &[&str]) -> Result<Option<Millis>, Fault> {
        let Some((key, value)) = field(object, keys) else { return Ok(None) };
        let read = match value {
            Value::String(text) if values::is_missing(text) => return Ok(None),
            Value::String(text) => self.clock.borrow_mut().parse(text, true),
            Value::Number(number) => number.as_f64().and_then(epoch),
            _ => None,
        };
        read.map(Some).ok_or_else(|| bad(key, value, TIME_HINT))
    }
}

/// The first of some fields that is there and not null.
pub(crate) fn field<'v, 'k>(object: &'v Object, keys: &[&'k str]) -> Option<(&'k str, &'v Value)> {
    keys.iter().find_map(|k| object.get(*k).filter(|v| !v.is_null()).map(|v| (*k, v)))
}

fn bad(key: &str, value: &Value, expected: &str) -> Fault {
    let value = match value {
        Value::String(text) => shown(text),
        Value::Array(_) => "[…]".into(),
        Value::Object(_) => "{…}".into(),
        other => other.to_string(),
    };
    Fault::new(BAD_VALUE, format!("{key} 的值 {value} 无法识别;{expected}")).under(&format!("/{key}"))
}

/// An id or a name: a string or a whole number.
pub(crate) fn id(object: &Object, keys: &[&str]) -> Result<Option<String>, Fault> {
    match field(object, keys) {
        None => Ok(None),
        Some((_, Value::String(text))) if values::is_missing(text) => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.trim().to_owned())),
        Some((_, Value::Number(number))) if !number.is_f64() => Ok(Some(number.to_string())),
        Some((key, value)) => Err(bad(key, value, "应为字符串或整数")),
    }
}

/// Words; `None` when the field is absent.
pub(crate) fn words(object: &Object, keys: &[&str]) -> Result<Option<String>, Fault> {
    match field(object, keys) {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.clone())),
        Some((key, _)) => Err(Fault::new(BAD_TEXT, format!("{key} 应为字符串")).under(&format!("/{key}"))),
    }
}

/// Milliseconds from the start of the recording; `unit` is how many of them one of the field's is.
pub(crate) fn offset(object: &Object, keys: &[&str], unit: f64) -> Result<Option<i64>, Fault> {
    let Some((key, value)) = field(object, keys) else { return Ok(None) };
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if values::is_missing(text) => return Ok(None),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .and_then(|n| values::offset_number(n * unit).ok())
        .map(Some)
        .ok_or_else(|| bad(key, value, "应为从录音开始起的时间(不小于 0)"))
}

/// A recogniser's confidence, in whatever of 0–1 and 0–100 the vendor uses.
pub(crate) fn confidence(object: &Object, keys: &[&str], full: f64) -> Result<Option<f32>, Fault> {
    let Some((key, value)) = field(object, keys) else { return Ok(None) };
    let number = value.as_f64().and_then(|n| values::confidence_number(n / full).ok());
    number.map(Some).ok_or_else(|| bad(key, value, "不是置信度"))
}

/// A list of objects; the SDKs of some vendors wrap it once more under the same name.
pub(crate) fn list<'v>(object: &'v Object, key: &str) -> Result<Option<&'v Vec<Value>>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(Value::Object(inner)) if inner.get(key).is_some_and(Value::is_array) => list_of(inner, key),
        Some(_) => Err(Fault::new(BAD_TURNS, format!("{key} 应为列表 […]")).under(&format!("/{key}"))),
    }
}

fn list_of<'v>(object: &'v Object, key: &str) -> Result<Option<&'v Vec<Value>>, Fault> {
    Ok(object.get(key).and_then(Value::as_array))
}

/// A conversation in the making.
pub(crate) struct Draft {
    pub out: Conversation<'static>,
    /// The label of each turn's speaker, until all are told.
    labels: Vec<Option<String>>,
}

impl Draft {
    pub(crate) fn new(id: Option<String>, channel: &'static str, context: &Context<'_>) -> Draft {
        let out = Conversation {
            id: id.unwrap_or_else(|| context.fallback.clone()).into(),
            channel: Some(channel.into()),
            ..Conversation::default()
        };
        Draft { out, labels: Vec::new() }
    }

    /// Adds a turn whose speaker is known.
    pub(crate) fn told(&mut self, turn: Turn<'static>) {
        self.out.turns.push(turn);
        self.labels.push(None);
    }

    /// Adds a turn said by whoever goes by a label.
    pub(crate) fn said(&mut self, label: &str, turn: Turn<'static>) {
        self.out.turns.push(turn);
        self.labels.push(Some(label.trim().to_owned()));
    }

    /// Tells the speakers and hands over the conversation. `own` is the format's own way to tell a label; where
    /// `rest_is_customer`, a single label that is left when an agent is known is the customer.
    pub(crate) fn finish(
        mut self,
        context: &Context<'_>,
        own: impl Fn(&str) -> Option<Role>,
        rest_is_customer: bool,
    ) -> Result<Conversation<'static>, Fault> {
        if self.out.turns.is_empty() {
            return Err(Fault::new(BAD_TURNS, "没有任何消息"));
        }
        let max = context.options.limits.max_turns;
        if self.out.turns.len() > max {
            return Err(Fault::new(TOO_MANY_TURNS, format!("消息条数超过上限 {max}")));
        }
        let mapping = &context.options.mapping;
        let mut open: Vec<String> = Vec::new();
        let mut agent = false;
        for (turn, label) in self.out.turns.iter_mut().zip(&mut self.labels) {
            let Some(name) = label.as_deref() else {
                agent |= turn.role == Role::Agent;
                continue;
            };
            let found = mapping.speaker(name);
            let found = found.map(|s| (s.role, s.agent_id)).or_else(|| {
                let role = own(name)?;
                Some((role, (role == Role::Agent).then(|| name.to_owned())))
            });
            match found {
                Some((role, id)) => {
                    turn.role = role;
                    turn.agent_id = id.map(Into::into);
                    agent |= role == Role::Agent;
                    *label = None;
                }
                None if !open.iter().any(|o| o == name) => open.push(name.to_owned()),
                None => {}
            }
        }
        if let [only] = open.as_slice()
            && agent
            && rest_is_customer
        {
            for (turn, label) in self.out.turns.iter_mut().zip(&self.labels) {
                if label.is_some() {
                    turn.role = Role::Customer;
                }
            }
            if self.out.customer_id.is_none() && !only.bytes().all(|b| b.is_ascii_digit()) {
                self.out.customer_id = Some(only.clone().into());
            }
        } else if !open.is_empty() {
            let names: Vec<_> = open.iter().take(10).map(|o| shown(o)).collect();
            return Err(Fault::new(
                UNKNOWN_SPEAKER,
                format!(
                    "分不清谁是客服:说话人 {} 身份未知;用 --agent-names 写出客服的名字,或用 --roles 1=客服,2=客户(或映射文件 [roles])指明",
                    names.join("、")
                ),
            ));
        }
        let mut ids = self.out.turns.iter().filter_map(|t| t.agent_id.clone());
        if let (None, Some(first)) = (&self.out.agent_id, ids.next())
            && ids.all(|id| id == first)
        {
            self.out.agent_id = Some(first);
        }
        Ok(self.out)
    }
}
