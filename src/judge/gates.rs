//! Which rules a conversation can make due at all. Most rules wait for one of a few markers, and most conversations carry
//! few markers: one look at the set of them rules most rules out.

use crate::detect::hit::{Hits, MarkerSet};
use crate::pack::Pack;
use crate::pack::expression::{Compare, Expr};

/// For each rule the markers of which a conversation must carry one; `None` where that cannot be said.
#[derive(Debug, Default)]
pub struct Gates(Vec<Option<MarkerSet>>);

impl Gates {
    /// The gates of a pack's rules.
    pub fn new(pack: &Pack) -> Gates {
        let gate = |rule: &crate::pack::rule::Rule| {
            rarer(rule.when.as_ref().and_then(needed), rule.applies.as_ref().and_then(needed))
        };
        Gates(pack.rules.iter().map(gate).collect())
    }

    /// False only when the rule is not applicable to a conversation with these markers.
    pub fn open(&self, rule: usize, hits: &Hits) -> bool {
        self.0.get(rule).and_then(Option::as_ref).is_none_or(|set| hits.has_any(set))
    }
}

/// Markers without any of which an expression is not true.
fn needed(expr: &Expr) -> Option<MarkerSet> {
    match expr {
        Expr::Marker(marker) => Some(only(*marker)),
        Expr::Count(marker, compare, n) => counts_some(*compare, *n).then(|| only(*marker)),
        Expr::Then(first, then) => rarer(needed(first), needed(then)),
        Expr::And(all) => all.iter().map(needed).fold(None, rarer),
        Expr::Or(all) => {
            let mut any = MarkerSet::default();
            for part in all {
                any.extend(&needed(part)?);
            }
            Some(any)
        }
        Expr::Not(_) | Expr::Repeat(..) | Expr::Field(..) | Expr::Missing(_) => None,
    }
}

fn only(marker: crate::pack::expression::MarkerId) -> MarkerSet {
    let mut set = MarkerSet::default();
    set.insert(marker);
    set
}

/// True when a count of none does not compare so.
fn counts_some(compare: Compare, n: i64) -> bool {
    !compare.holds(&0, &n)
}

fn rarer(a: Option<MarkerSet>, b: Option<MarkerSet>) -> Option<MarkerSet> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.len() < a.len() { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers(expr: Expr) -> Option<Vec<u16>> {
        let set = needed(&expr)?;
        let has = |marker: &u16| {
            let mut hits = Hits::default();
            hits.reset(1, 8);
            hits.set(0, *marker);
            hits.has_any(&set)
        };
        Some((0..8).filter(has).collect())
    }

    #[test]
    fn asks_for_what_an_expression_cannot_be_true_without() {
        let m = Expr::Marker;
        assert_eq!(markers(m(3)), Some(vec![3]));
        assert_eq!(markers(Expr::Or(vec![m(1), m(4)])), Some(vec![1, 4]));
        assert_eq!(markers(Expr::Or(vec![m(1), Expr::Not(Box::new(m(4)))])), None);
        assert_eq!(markers(Expr::And(vec![Expr::Or(vec![m(1), m(2)]), m(5)])), Some(vec![5]));
        assert_eq!(markers(Expr::And(vec![Expr::Not(Box::new(m(5))), m(2)])), Some(vec![2]));
        assert_eq!(markers(Expr::Then(Box::new(m(6)), Box::new(Expr::Or(vec![m(1), m(2)])))), Some(vec![6]));
        assert_eq!(markers(Expr::Count(2, Compare::AtLeast, 2)), Some(vec![2]));
        assert_eq!(markers(Expr::Count(2, Compare::Less, 2)), None);
        assert_eq!(markers(Expr::Count(2, Compare::AtLeast, 0)), None);
    }
}
