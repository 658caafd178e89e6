//! The small change of JSON records: simple values, and field names as enums so that a key costs one `match`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::reject::shown;

/// Any JSON value, of which only the simple ones are kept.
#[derive(Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Str(Cow<'a, str>),
    Int(i64),
    Float(f64),
    /// true, false, a list or an object.
    Other(&'static str),
}

impl Scalar<'_> {
    /// The value as a reason quotes it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Scalar::Null => "null".into(),
            Scalar::Str(text) => shown(text),
            Scalar::Int(number) => number.to_string(),
            Scalar::Float(number) => number.to_string(),
            Scalar::Other(what) => (*what).into(),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("任意值")
    }
    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other(if value { "true" } else { "false" }))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Int(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(value))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Str(Cow::Borrowed(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Str(Cow::Owned(value.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("[…]"))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("{…}"))
    }
}

/// The names of the fields read, as an enum each, so that a key costs one `match`.
macro_rules! keys {
    ($name:ident { $($text:pat => $variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy)]
        pub(crate) enum $name { $($variant),+, Unknown }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct KeyVisitor;
                impl Visitor<'_> for KeyVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("字段名")
                    }
                    fn visit_str<E>(self, key: &str) -> Result<$name, E> {
                        Ok(match key { $($text => $name::$variant,)+ _ => $name::Unknown })
                    }
                }
                deserializer.deserialize_identifier(KeyVisitor)
            }
        }
    };
}

keys!(ConversationKey {
    "conversation_id" => Id, "channel" => Channel, "stage" => Stage, "queue" => Queue, "customer_id" => Customer,
    "order_id" => Order, "started_at" => Started, "ended_at" => Ended, "rating" => Rating, "agent_id" => Agent,
    "agents" => Agents, "labels" => Labels, "tags" => Tags, "turns" => Turns,
});
keys!(TurnKey {
    "role" => Role, "agent_id" => Agent, "at" => At, "begin_ms" => Begin, "end_ms" => End, "text" => Text,
    "kind" => Kind, "confidence" => Confidence,
});
keys!(AgentKey { "id" | "agent_id" => Id, "name" | "agent_name" => Name, "team" => Team });
