//! Adding a conversation's service figures to a worker's tally: measures by agent, team, channel, stage, hour and
//! day, outcomes, reasons, platform figures, and the record that follows the customer across conversations.
//!
//! Resolution, rating, hand-on and complaint of a conversation are those of the agent who spoke last in it; asking
//! again counts for the agent who did. Measures are each agent's own part.

use std::collections::BTreeSet;

use crate::conversation::{Conversation, Role};
use crate::engine::{Engine, Inspection};
use crate::metrics::Unit;
use crate::metrics::profile::ProfileCount;
use crate::score::contacts::{Contact, ContactLog, hash};
use crate::score::service::{Cell, Judged, add_one};
use crate::score::words::{WORDS, is_content};

use super::tally::{Tally, Whole};

pub fn count(
    tally: &mut Tally,
    contacts: &mut ContactLog,
    engine: &Engine,
    conversation: &Conversation<'_>,
    inspection: &Inspection,
) {
    let layout = &inspection.layout;
    let whole = Whole {
        channel: tally.names.number(conversation.channel.as_deref().unwrap_or("")),
        stage: tally.names.number(conversation.stage.as_deref().unwrap_or("")),
        began: inspection.began.map(|began| (began.date(), began.hour())),
    };
    let cell = tally.whole(whole);
    cell.measure(&inspection.measures);
    let cell = cell.counts();
    contact(cell, conversation, inspection);
    cell.outcome(inspection.verdict.resolution, conversation.rating, inspection.satisfaction.estimate);
    cell.judge(judged(inspection, None));
    handed(cell, inspection, None);
    let last = layout.segments.last().map(|s| s.agent);
    for agent in 0..layout.agent_count() {
        let id = conversation.agent_of(&conversation.turns[layout.agents[agent]]);
        let team = conversation.agent_info(id).and_then(|i| i.team.as_deref()).unwrap_or("");
        let (id, team) = (tally.names.number(id), tally.names.number(team));
        let cell = tally.part(id, team);
        cell.measure(&inspection.agent_measures[agent]);
        let cell = cell.counts();
        contact(cell, conversation, inspection);
        if last == Some(agent) {
            cell.outcome(inspection.verdict.resolution, conversation.rating, inspection.satisfaction.estimate);
        }
        cell.judge(judged(inspection, Some(agent)));
        handed(cell, inspection, Some(agent));
    }
    topics(tally, engine, conversation, inspection);
    profiles(tally, engine, conversation, inspection);
    match followed(engine, conversation, inspection) {
        Some(contact) => contacts.add(contact),
        None => contacts.anonymous += 1,
    }
}

/// Counts a contact and whether a person answered it.
fn contact(cell: &mut Cell, conversation: &Conversation<'_>, inspection: &Inspection) {
    cell.conversations += 1;
    let came = conversation.turns.iter().any(|t| t.role == Role::Customer);
    cell.contacts += u64::from(came);
    cell.connected += u64::from(came && inspection.layout.agent_count() > 0);
}

/// The score of the conversation, or of one agent in it.
fn judged(inspection: &Inspection, agent: Option<usize>) -> Option<Judged> {
    match agent {
        Some(agent) => {
            let score = inspection.agents.get(agent)?.score.as_ref()?;
            Some(Judged { score: score.score, passed: score.passed, critical: score.critical })
        }
        None => {
            let (score, _) = inspection.score?;
            let mut scores = inspection.agents.iter().filter_map(|a| a.score.as_ref());
            let critical = scores.clone().any(|s| s.critical);
            Some(Judged { score, passed: scores.all(|s| s.passed), critical })
        }
    }
}

/// Counts hand-overs: of the whole conversation, or what concerns one agent.
fn handed(cell: &mut Cell, inspection: &Inspection, agent: Option<usize>) {
    let handover = &inspection.handover;
    let layout = &inspection.layout;
    let mine = |turn: u32| agent.is_none_or(|a| layout.agent_at(turn as usize) == Some(a));
    let handed_on = match agent {
        None => u64::from(handover.transfers),
        Some(a) => layout.segments.iter().rev().skip(1).filter(|s| s.agent == a).count() as u64,
    };
    cell.transfers += handed_on;
    cell.transferred += u64::from(handed_on > 0);
    cell.ping_pong += u64::from(handover.ping_pong);
    cell.asked_again += u64::from(handover.asked_again.is_some_and(mine));
    cell.escalated += u64::from(handover.escalated.is_some_and(mine));
    cell.complaints += u64::from(handover.complaint.is_some_and(mine));
    for (taker, wait) in &handover.waits {
        if agent.is_none_or(|a| a == *taker) {
            cell.transfer_wait.add(*wait, Unit::Millis);
        }
    }
}

fn topics(tally: &mut Tally, engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection) {
    let pack = &engine.pack().topics;
    // Every topic with its first level, each once.
    let mut shown: Vec<usize> = Vec::with_capacity(inspection.topics.len() + 2);
    for found in &inspection.topics {
        for topic in [usize::from(found.topic), pack.top(usize::from(found.topic))] {
            if !shown.contains(&topic) {
                shown.push(topic);
            }
        }
    }
    let main = inspection.main_topic.map(usize::from);
    if let Some(main) = main.filter(|m| !shown.contains(m)) {
        shown.push(main);
    }
    // The reason that leads the main first level is the main second level.
    let main_sub = inspection.topics.first().map(|f| usize::from(f.topic)).filter(|t| Some(pack.top(*t)) == main);
    let id_hash = hash(&conversation.id);
    let mut words: Option<Vec<String>> = None;
    for topic in shown {
        for agent in &inspection.layout.agents {
            let agent = tally.names.number(conversation.agent_of(&conversation.turns[*agent]));
            let topics = &mut tally.agent(agent).topics;
            topics.resize(pack.list.len(), 0);
            topics[topic] += 1;
        }
        let own = tally.topic(topic);
        own.conversations += 1;
        own.main += u64::from(main == Some(topic) || main_sub == Some(topic));
        own.resolution[inspection.verdict.resolution as usize] += 1;
        if let Some((score, _)) = inspection.score {
            own.judged += 1;
            own.score_sum += score;
        }
        if let Some(rating @ 1..=5) = conversation.rating {
            own.ratings[usize::from(rating) - 1] += 1;
        }
        if let Some(channel) = conversation.channel.as_deref() {
            add_one(&mut own.channels, channel);
        }
        if let Some(stage) = conversation.stage.as_deref() {
            add_one(&mut own.stages, stage);
        }
        if own.words.wants(id_hash) && engine.detector().segmenter().is_some() {
            let words = words.get_or_insert_with(|| customer_words(engine, conversation));
            own.words.add(id_hash, words);
        }
    }
}

/// The different words of the customer, masked of personal data, sorted.
fn customer_words(engine: &Engine, conversation: &Conversation<'_>) -> Vec<String> {
    let Some(segmenter) = engine.detector().segmenter() else { return Vec::new() };
    let mut words = BTreeSet::new();
    for turn in conversation.turns.iter().filter(|t| t.role == Role::Customer && t.is_human_words()) {
        let plain = crate::text::plain_phrase(&crate::text::mask(&turn.text));
        words.extend(segmenter.words(&plain).into_iter().filter(|w| is_content(w)).map(str::to_string));
    }
    words.into_iter().take(WORDS).collect()
}

fn profiles(tally: &mut Tally, engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection) {
    let layout = &inspection.layout;
    let profiles = &engine.pack().profiles;
    let add = |counts: &mut Vec<ProfileCount>, agent: Option<usize>| {
        counts.resize_with(profiles.len(), ProfileCount::default);
        for ((profile, view), own) in profiles.iter().zip(&inspection.profiles).zip(counts) {
            own.count(profile.unit, view, |r| agent.is_none() || r.agent == agent);
            for (turn, why) in &view.excluded {
                let mine = agent.is_none() || layout.agent_at(*turn as usize) == agent;
                own.excluded[*why as usize] += u64::from(mine);
            }
        }
    };
    add(&mut tally.profiles, None);
    for agent in 0..layout.agent_count() {
        let number = tally.names.number(conversation.agent_of(&conversation.turns[layout.agents[agent]]));
        add(&mut tally.agent(number).profiles, Some(agent));
    }
}

/// The record of a contact whose customer and time are known.
fn followed(engine: &Engine, conversation: &Conversation<'_>, inspection: &Inspection) -> Option<Contact> {
    let customer = conversation.customer_id.as_deref().filter(|c| !c.trim().is_empty())?;
    let turns = &conversation.turns;
    let times = || turns.iter().filter_map(|t| t.at);
    let start = conversation.started_at.or_else(|| times().min())?.div_euclid(1000);
    let end = conversation.ended_at.into_iter().chain(times()).max().map_or(start, |e| e.div_euclid(1000).max(start));
    let after = |turn: u32| turns[turn as usize].at.map(|at| (at.div_euclid(1000) - start).clamp(0, 1 << 31) as u32);
    let handover = &inspection.handover;
    // Without times inside, the complaint is made when the contact begins.
    let complaint = handover.complaint.map(|c| after(c).unwrap_or(0));
    let answer = match handover.complaint {
        Some(_) => handover.complaint_answer,
        None => inspection.layout.agents.first().map(|a| *a as u32),
    };
    let order = conversation.order_id.as_deref().filter(|o| !o.trim().is_empty());
    let topics = &engine.pack().topics;
    let topic = inspection.main_topic.filter(|t| Some(usize::from(*t)) != topics.other);
    let last = inspection.layout.segments.last().map(|s| inspection.layout.agents[s.agent]);
    Some(Contact {
        customer: hash(customer),
        start,
        conversation: hash(&conversation.id),
        night: 0,
        end,
        order: order.map_or(0, hash),
        agent: last.map_or(0, |t| hash(conversation.agent_of(&turns[t]))),
        complaint: complaint.map_or(0, |c| c + 1),
        topic: topic.map_or(0, |t| t + 1),
        resolved: inspection.verdict.resolution == crate::metrics::resolution::Resolution::Resolved,
        answered: answer.is_some(),
        answer: answer.and_then(after).unwrap_or(0),
    })
}
