//! The condition language of rules: `negative or count(urge) >= 2 and channel == "chat"`.
//!
//! Grammar, loosest binding first:
//! ```text
//! or    = and { "or" and }
//! and   = then { "and" then }
//! then  = unary { "then" unary }
//! unary = "not" unary | "(" or ")" | atom
//! atom  = marker | count(marker) cmp number | repeat(role, number) | missing(field) | field cmp value | flag
//! ```

use std::ops::Range;

use crate::conversation::Role;
use crate::metrics::{Metric, Unit};

mod parse;

pub use parse::parse;

/// Number of a marker in its pack.
pub type MarkerId = u16;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Compare {
    /// Whether `left` compares so to `right`.
    pub fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Compare::Equal => left == right,
            Compare::NotEqual => left != right,
            Compare::Less => left < right,
            Compare::AtMost => left <= right,
            Compare::More => left > right,
            Compare::AtLeast => left >= right,
        }
    }
}

/// What a conversation carries beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// chat, phone, …
    Channel,
    /// presale, insale, aftersale
    Stage,
    /// Queue or skill group.
    Queue,
    /// One of the conversation's tags.
    Tag,
    /// The judged agent's team.
    Team,
    /// The customer's rating.
    Rating,
    /// Hour of the day the contact began, 0–23, local.
    Hour,
    /// The judged agent is the conversation's first.
    IsFirstAgent,
    /// The judged agent is the conversation's last.
    IsLastAgent,
    /// More than one agent took part.
    Transferred,
}

/// Metadata names of the language.
pub const META: &[(&str, Meta)] = &[
    ("channel", Meta::Channel),
    ("stage", Meta::Stage),
    ("queue", Meta::Queue),
    ("tag", Meta::Tag),
    ("team", Meta::Team),
    ("rating", Meta::Rating),
    ("hour", Meta::Hour),
    ("is_first_agent", Meta::IsFirstAgent),
    ("is_last_agent", Meta::IsLastAgent),
    ("transferred", Meta::Transferred),
];

/// Something with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Metadata.
    Meta(Meta),
    /// A measure.
    Metric(Metric),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text in quotes.
    Text(String),
    /// A number; durations in milliseconds, ratios in thousandths.
    Number(i64),
}

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The marker is in some turn of the scope.
    Marker(MarkerId),
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// The second after the first.
    Then(Box<Expr>, Box<Expr>),
    /// Number of turns that carry the marker.
    Count(MarkerId, Compare, i64),
    /// The role sends a similar message the n-th time.
    Repeat(Role, u32),
    /// A value compared.
    Field(Field, Compare, Value),
    /// The value is unknown.
    Missing(Field),
}

impl Expr {
    /// Calls `f` with every marker in the expression.
    pub fn markers(&self, f: &mut impl FnMut(MarkerId)) {
        match self {
            Expr::Marker(m) | Expr::Count(m, ..) => f(*m),
            Expr::And(list) | Expr::Or(list) => list.iter().for_each(|e| e.markers(f)),
            Expr::Not(e) => e.markers(f),
            Expr::Then(a, b) => {
                a.markers(f);
                b.markers(f);
            }
            Expr::Repeat(..) | Expr::Field(..) | Expr::Missing(_) => {}
        }
    }

    /// Calls `f` with every field the expression asks for.
    pub fn fields(&self, f: &mut impl FnMut(Field)) {
        match self {
            Expr::Field(field, ..) | Expr::Missing(field) => f(*field),
            Expr::And(list) | Expr::Or(list) => list.iter().for_each(|e| e.fields(f)),
            Expr::Not(e) => e.fields(f),
            Expr::Then(a, b) => {
                a.fields(f);
                b.fields(f);
            }
            Expr::Marker(_) | Expr::Count(..) | Expr::Repeat(..) => {}
        }
    }

    /// Calls `f` with every `repeat(role, n)` in the expression.
    pub fn repeats(&self, f: &mut impl FnMut(Role, u32)) {
        match self {
            Expr::Repeat(role, n) => f(*role, *n),
            Expr::And(list) | Expr::Or(list) => list.iter().for_each(|e| e.repeats(f)),
            Expr::Not(e) => e.repeats(f),
            Expr::Then(a, b) => {
                a.repeats(f);
                b.repeats(f);
            }
            _ => {}
        }
    }
}

/// A fault in an expression: where in its text, what, and a hint.
#[derive(Debug, Clone, PartialEq)]
pub struct ExprFault {
    /// Byte range inside the expression's text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The unknown name, when that is the fault.
    pub unknown_name: Option<String>,
}

/// Milliseconds of a duration such as `30s`, `3m`, `24h`, `500ms`, `2d`.
///
/// ```
/// use zhijian::pack::expression::duration;
/// assert_eq!(duration("3m"), Some(180_000));
/// assert_eq!(duration("1.5s"), Some(1_500));
/// assert_eq!(duration("soon"), None);
/// ```
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..unit_at].parse().ok()?;
    let unit = match &text[unit_at..] {
        "ms" => 1.0,
        "s" | "秒" => 1_000.0,
        "m" | "min" | "分钟" | "分" => 60_000.0,
        "h" | "小时" => 3_600_000.0,
        "d" | "天" => 86_400_000.0,
        _ => return None,
    };
    Some((number * unit).round() as i64)
}

/// The metadata or measure with this name.
pub fn field(name: &str) -> Option<Field> {
    META.iter()
        .find(|(id, _)| *id == name)
        .map(|(_, meta)| Field::Meta(*meta))
        .or_else(|| Metric::parse(name).map(Field::Metric))
}

/// A plain number in the unit of its field: seconds for durations, thousandths for ratios.
pub fn scaled(field: Field, number: f64) -> i64 {
    let factor = match field {
        Field::Metric(metric) if metric.unit() != Unit::Count => 1_000.0,
        _ => 1.0,
    };
    (number * factor).round() as i64
}
