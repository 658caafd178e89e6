//! The turns a rule looks at, seen from its trigger.

use std::ops::Range;

use super::Case;
use crate::conversation::Role;
use crate::pack::rule::{Rule, Window, WindowSide};

/// The window of a rule from its trigger turn (the start of the agent's part when there is none), as one range of
/// turns. It runs on into the next agent's turns: a duty fulfilled by a colleague after a hand-over is fulfilled.
pub fn turns(rule: &Rule, case: &Case<'_>, own: &[Range<usize>], trigger: Option<usize>) -> Range<usize> {
    let count = case.conversation.turns.len();
    let default = Window::default();
    let window = rule.within.as_ref().unwrap_or(&default);
    let (after_from, before_to) = match trigger {
        Some(t) if rule.include_trigger => (t, t + 1),
        Some(t) => (t + 1, t),
        None => (own[0].start, own[0].start),
    };
    let origin = trigger.unwrap_or(own[0].start);
    let after = after_from.min(count)..reach(case, window, origin, after_from..count, false);
    if window.side == WindowSide::After {
        return after;
    }
    let before = reach(case, window, origin, 0..before_to, true)..before_to;
    match window.side {
        WindowSide::Before => before,
        _ => before.start..after.end,
    }
}

/// How far the window reaches from `origin` within `room`: the end going forward, the start going back.
fn reach(case: &Case<'_>, window: &Window, origin: usize, room: Range<usize>, back: bool) -> usize {
    let (mut agents, mut customers, mut all) = (0, 0, 0);
    let steps: Box<dyn Iterator<Item = usize>> = match back {
        true => Box::new(room.clone().rev()),
        false => Box::new(room.clone()),
    };
    let mut edge = if back { room.end } else { room.start };
    for turn in steps {
        let role = case.conversation.turns[turn].role;
        let counts = case.conversation.turns[turn].is_human_words();
        agents += u32::from(counts && role == Role::Agent);
        customers += u32::from(counts && role == Role::Customer);
        all += u32::from(counts);
        let late = match (window.ms, case.layout.time[origin], case.layout.time[turn]) {
            (Some(most), Some(a), Some(b)) => a.abs_diff(b) > most as u64,
            _ => false,
        };
        let full = |limit: Option<u32>, n: u32| limit.is_some_and(|l| n > l);
        if late || full(window.agent_turns, agents) || full(window.customer_turns, customers) || full(window.turns, all)
        {
            break;
        }
        edge = if back { turn } else { turn + 1 };
    }
    edge
}
