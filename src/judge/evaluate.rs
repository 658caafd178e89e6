//! Evaluating conditions over a set of turns: three-valued truth, and the places that make a condition true.

use std::ops::Range;

use super::Case;
use crate::conversation::Role;
use crate::pack::expression::{Compare, Expr, Field, MarkerId, Meta, Value};

/// True, false, or not known because the data lack what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
}

/// A place that makes a condition true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Index of the turn.
    pub turn: u32,
    /// Index into the hits, where a marker is the evidence.
    pub hit: Option<u32>,
}

/// The turns a condition is evaluated over.
pub struct Scope<'s> {
    pub case: &'s Case<'s>,
    pub agent: usize,
    pub ranges: &'s [Range<usize>],
}

impl Scope<'_> {
    fn turns(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().flat_map(Clone::clone)
    }

    fn with(&self, marker: MarkerId) -> impl Iterator<Item = usize> + '_ {
        let ranges = if self.case.hits.has_anywhere(marker) { self.ranges } else { &[] };
        ranges.iter().flat_map(Clone::clone).filter(move |t| self.case.hits.has(*t, marker))
    }

    fn anchor(&self, turn: usize, marker: MarkerId) -> Anchor {
        let best = self.case.hits.best_place(turn, marker);
        Anchor { turn: turn as u32, hit: best.map(|h| h as u32) }
    }

    /// Whether the condition holds.
    pub fn truth(&self, expr: &Expr) -> Truth {
        match expr {
            Expr::Marker(m) => self.with(*m).next().is_some().into(),
            Expr::Count(m, compare, n) => compare.holds(&(self.with(*m).count() as i64), n).into(),
            Expr::Repeat(role, n) => (!self.repeats(*role, *n).is_empty()).into(),
            Expr::Then(..) => self.anchors(expr).is_some().into(),
            Expr::Not(inner) => match self.truth(inner) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Expr::And(list) => {
                let mut all = Truth::True;
                for part in list {
                    match self.truth(part) {
                        Truth::False => return Truth::False,
                        Truth::Unknown => all = Truth::Unknown,
                        Truth::True => {}
                    }
                }
                all
            }
            Expr::Or(list) => {
                let mut any = Truth::False;
                for part in list {
                    match self.truth(part) {
                        Truth::True => return Truth::True,
                        Truth::Unknown => any = Truth::Unknown,
                        Truth::False => {}
                    }
                }
                any
            }
            Expr::Field(field, compare, value) => self.field(*field, *compare, value),
            Expr::Missing(field) => (!self.known(*field)).into(),
        }
    }

    /// The values an expression asks for, as they are here.
    pub fn facts(&self, expr: &Expr) -> Vec<(Field, Option<Value>)> {
        let mut out = Vec::new();
        expr.fields(&mut |field| {
            let value = match field {
                Field::Metric(metric) => self.case.measures[self.agent].get(metric).map(Value::Number),
                Field::Meta(Meta::Tag) => {
                    let tags = &self.case.conversation.tags;
                    (!tags.is_empty()).then(|| Value::Text(tags.join("、")))
                }
                Field::Meta(meta) => self
                    .number(meta)
                    .map(Value::Number)
                    .or_else(|| self.text(meta).map(|text| Value::Text(text.to_string()))),
            };
            if !out.iter().any(|(f, _)| *f == field) {
                out.push((field, value));
            }
        });
        out
    }

    /// The places that make the condition true, or `None` when it is not true. A condition made of metadata or of
    /// absences alone is true without a place.
    pub fn anchors(&self, expr: &Expr) -> Option<Vec<Anchor>> {
        match expr {
            Expr::Marker(m) => {
                let all: Vec<_> = self.with(*m).map(|t| self.anchor(t, *m)).collect();
                (!all.is_empty()).then_some(all)
            }
            Expr::Count(m, compare, n) => {
                if !compare.holds(&(self.with(*m).count() as i64), n) {
                    return None;
                }
                // The turn that makes it true, and those after it.
                let from = match compare {
                    Compare::AtLeast | Compare::Equal => *n - 1,
                    Compare::More => *n,
                    _ => 0,
                };
                Some(self.with(*m).skip(from.max(0) as usize).map(|t| self.anchor(t, *m)).collect())
            }
            Expr::Repeat(role, n) => {
                let all = self.repeats(*role, *n);
                (!all.is_empty()).then_some(all)
            }
            Expr::Then(a, b) => {
                let first = self.anchors(a)?;
                let start = first.iter().min().copied()?;
                let after: Vec<_> = self.anchors(b)?.into_iter().filter(|x| self.later(*x, start)).collect();
                (!after.is_empty()).then_some(after)
            }
            Expr::And(list) => {
                if self.truth(expr) != Truth::True {
                    return None;
                }
                let placed: Vec<Vec<Anchor>> =
                    list.iter().filter_map(|e| self.anchors(e)).filter(|a| !a.is_empty()).collect();
                // True from the moment the last part has come true.
                let since = placed.iter().filter_map(|a| a.iter().min()).max().copied();
                let all = placed.into_iter().flatten();
                Some(all.filter(|a| since.is_none_or(|s| a.turn >= s.turn)).collect())
            }
            Expr::Or(list) => {
                if self.truth(expr) != Truth::True {
                    return None;
                }
                Some(list.iter().filter_map(|e| self.anchors(e)).flatten().collect())
            }
            Expr::Not(_) | Expr::Field(..) | Expr::Missing(_) => (self.truth(expr) == Truth::True).then(Vec::new),
        }
    }

    /// `b` stands in a later turn than `a`, or later in the same turn.
    fn later(&self, b: Anchor, a: Anchor) -> bool {
        let place = |x: Anchor| x.hit.map(|h| self.case.hits.list[h as usize].span.start);
        b.turn > a.turn
            || b.turn == a.turn && matches!((place(b), place(a)), (Some(later), Some(earlier)) if later > earlier)
    }

    fn repeats(&self, role: Role, n: u32) -> Vec<Anchor> {
        let of = |t: &usize| self.case.repeats.count(*t) >= n && self.case.conversation.turns[*t].role == role;
        self.turns().filter(of).map(|t| Anchor { turn: t as u32, hit: None }).collect()
    }

    fn known(&self, field: Field) -> bool {
        match field {
            Field::Metric(metric) => self.case.measures[self.agent].get(metric).is_some(),
            Field::Meta(meta) => self.number(meta).is_some() || self.text(meta).is_some(),
        }
    }

    fn number(&self, meta: Meta) -> Option<i64> {
        let segments = &self.case.layout.segments;
        match meta {
            Meta::Rating => self.case.conversation.rating.map(i64::from),
            Meta::Hour => self.case.began.map(|t| i64::from(t.hour())),
            Meta::IsFirstAgent => Some(segments.first().is_some_and(|s| s.agent == self.agent).into()),
            Meta::IsLastAgent => Some(segments.last().is_some_and(|s| s.agent == self.agent).into()),
            Meta::Transferred => Some((self.case.layout.agent_count() > 1).into()),
            Meta::Channel | Meta::Stage | Meta::Queue | Meta::Tag | Meta::Team => None,
        }
    }

    fn text(&self, meta: Meta) -> Option<&str> {
        let conversation = self.case.conversation;
        match meta {
            Meta::Channel => conversation.channel.as_deref(),
            Meta::Stage => conversation.stage.as_deref(),
            Meta::Queue => conversation.queue.as_deref(),
            Meta::Tag => conversation.tags.first().map(|t| &**t),
            Meta::Team => {
                let turn = &conversation.turns[self.case.layout.agents[self.agent]];
                conversation.agent_info(conversation.agent_of(turn))?.team.as_deref()
            }
            _ => None,
        }
    }

    /// `tag == "vip"`: one of the tags is it; `!=`: none is. Not known for conversations without tags.
    fn tagged(&self, compare: Compare, wanted: &str) -> Truth {
        let tags = &self.case.conversation.tags;
        if tags.is_empty() {
            return Truth::Unknown;
        }
        match compare {
            Compare::NotEqual => tags.iter().all(|t| t != wanted).into(),
            _ => tags.iter().any(|t| compare.holds(&**t, wanted)).into(),
        }
    }

    fn field(&self, field: Field, compare: Compare, value: &Value) -> Truth {
        let number = match field {
            Field::Metric(metric) => self.case.measures[self.agent].get(metric),
            Field::Meta(meta) => self.number(meta),
        };
        match (value, field) {
            (Value::Text(wanted), Field::Meta(Meta::Tag)) => self.tagged(compare, wanted),
            (Value::Number(wanted), _) => number.map_or(Truth::Unknown, |n| compare.holds(&n, wanted).into()),
            (Value::Text(wanted), Field::Meta(meta)) => {
                self.text(meta).map_or(Truth::Unknown, |t| compare.holds(t, wanted.as_str()).into())
            }
            (Value::Text(_), Field::Metric(_)) => Truth::Unknown,
        }
    }
}
