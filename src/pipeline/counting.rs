//! Adding an inspected conversation to a worker's tally, and keeping those that reports may show.

use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection};
use crate::score::aggregate::Counted;
use crate::score::contacts::ContactLog;

use super::evidence::Keeper;
use super::tally::{AgentTally, Tally};

pub fn count(
    tally: &mut Tally,
    contacts: &mut ContactLog,
    engine: &Engine,
    conversation: &Conversation<'_>,
    inspection: &Inspection,
    keeper: &Keeper<'_>,
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
        shown |= score.critical | keeper.keep(id, conversation, part);
    }
    if shown {
        keeper.show(engine, conversation, inspection);
    }
}
