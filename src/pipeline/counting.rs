//! Adding an inspected conversation to a worker's tally, and keeping those that reports may show.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::conversation::{Conversation, Role};
use crate::engine::{AgentPart, Engine, Inspection};
use crate::judge::{Finding, Fulfilled};
use crate::report::chat::{Chat, Spill};
use crate::score::aggregate::{AgentTotals, Counted, Evidence, GoodExample};
use crate::score::contacts::ContactLog;
use crate::span::Span;

use super::tally::{AgentTally, Tally};

/// Longest message kept as evidence, in characters.
const MOST_CHARS: usize = 160;

pub fn count(
    tally: &mut Tally,
    contacts: &mut ContactLog,
    engine: &Engine,
    conversation: &Conversation<'_>,
    inspection: &Inspection,
    mask: bool,
    spill: Option<&Spill>,
) {
    tally.sums.conversations += 1;
    tally.sums.turns += conversation.turns.len() as u64;
    tally.sums.text_bytes += conversation.turns.iter().map(|t| t.text.len() as u64).sum::<u64>();
    let channel = conversation.channel.as_deref().unwrap_or("");
    let channel_number = tally.names.number(channel);
    tally.channel(channel_number).conversations += 1;
    super::service::count(tally, contacts, engine, conversation, inspection);
    if let Some(reason) = inspection.not_judged {
        *tally.sums.not_judged.entry(reason.id().to_string()).or_default() += 1;
        return;
    }
    tally.sums.judged += 1;
    let last_agent = inspection.layout.segments.last().map(|s| s.agent);
    let topics = &engine.pack().topics;
    let reason = inspection.main_topic.map_or("", |t| topics.list[usize::from(t)].id.as_str());
    let kind = [channel, "/", conversation.stage.as_deref().unwrap_or(""), "/", reason].concat();
    let mut shown = false;
    for (number, part) in inspection.agents.iter().enumerate() {
        let Some(score) = &part.score else { continue };
        let speaker = &conversation.turns[inspection.layout.agents[number]];
        let id = conversation.agent_of(speaker);
        let counted = Counted {
            score,
            judgement: &part.judgement,
            measures: &inspection.agent_measures[number],
            // The rating is given at the end: it is the last agent's.
            rating: conversation.rating.filter(|_| last_agent == Some(number)),
            satisfaction: inspection.satisfaction.estimate,
            kind: &kind,
        };
        tally.channel(channel_number).rules.judge(&part.judgement.outcomes);
        let agent = tally.names.number(id);
        let AgentTally { totals, rules, .. } = tally.agent(agent);
        rules.judge(&part.judgement.outcomes);
        if let Some(info) = conversation.agent_info(id) {
            totals.named(info.name.as_deref(), info.team.as_deref());
        }
        totals.count_but_outcomes(engine.pack(), &counted);
        shown |= score.critical | keep_evidence(totals, conversation, part, mask);
    }
    if let Some(spill) = spill.filter(|_| shown) {
        spill.keep(&Chat::new(engine, conversation, inspection, mask));
    }
}

/// Keeps findings and good examples while they are among the first; true when there was one.
fn keep_evidence(totals: &mut AgentTotals, conversation: &Conversation<'_>, part: &AgentPart, mask: bool) -> bool {
    let mut kept = false;
    let short = |text: &str| -> String {
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MOST_CHARS) {
            Some((cut, _)) => format!("{}…", &line[..cut]),
            None => line,
        }
    };
    let shown = |text: &str| short(&if mask { crate::text::mask(text) } else { Cow::Borrowed(text) });
    // The words as they stand in the masked message, so that a page can point at them there.
    let quoted = |text: &str, span: Span| {
        let mut spans = [span];
        let text = if mask { crate::text::mask_spans(text, &mut spans) } else { Cow::Borrowed(text) };
        short(spans[0].slice(&text))
    };
    let turns = &conversation.turns;
    let said = |turn: usize, role: Role| turns[turn].role == role && turns[turn].is_human_words();
    for finding in &part.judgement.findings {
        let Finding { rule, points, turn, span, why, review, .. } = finding;
        if *review {
            continue;
        }
        let Some(count) = totals.rules.get_mut(&(*rule as u32)) else { continue };
        let key = (*points, &*conversation.id, *turn);
        if !count.evidence.wants(|last| key.cmp(&(last.points, &*last.conversation_id, last.turn))) {
            continue;
        }
        let at = *turn as usize;
        let customer = (0..=at).rev().find(|t| said(*t, Role::Customer));
        let agent = (at..turns.len()).find(|t| said(*t, Role::Agent));
        kept = true;
        count.evidence.add(Evidence {
            points: *points,
            conversation_id: conversation.id.to_string(),
            turn: *turn,
            quote: quoted(&turns[at].text, *span),
            customer: customer.map(|t| shown(&turns[t].text)).unwrap_or_default(),
            agent: agent.map(|t| shown(&turns[t].text)).unwrap_or_default(),
            why: if mask { crate::text::mask(why).into_owned() } else { why.clone() },
        });
    }
    let score = Reverse(part.score.as_ref().map_or(0, |s| s.score));
    for Fulfilled { rule, trigger, turn } in &part.judgement.fulfilled {
        let count = totals.rules.entry(*rule as u32).or_default();
        let key = (score, &*conversation.id, *turn);
        if !count.good.wants(|last| key.cmp(&(last.score, &*last.conversation_id, last.turn))) {
            continue;
        }
        kept = true;
        count.good.add(GoodExample {
            score,
            conversation_id: conversation.id.to_string(),
            turn: *turn,
            customer: shown(&turns[*trigger as usize].text),
            agent: shown(&turns[*turn as usize].text),
        });
    }
    kept
}
