use super::*;

const HOUR: i64 = 3600;

fn contact(customer: u64, start_hour: i64, order: u64) -> Contact {
    let start = start_hour * HOUR;
    let conversation = start as u64 + customer * 1_000_000 + 1;
    Contact { customer, start, end: start + 600, conversation, order, agent: 7, ..Contact::default() }
}

fn totals(contacts: &[Contact]) -> CrossTotals {
    let mut log = ContactLog::default();
    contacts.iter().for_each(|c| log.add(*c));
    log.finish().unwrap()
}

#[test]
fn recontacts_within_their_windows() {
    // Customer 1 comes back after 20 h and again after 100 h; customer 2 about another order; the log ends at 300 h.
    let all = [
        contact(1, 0, 5),
        contact(1, 20, 5),
        contact(1, 120, 5),
        contact(2, 0, 5),
        contact(2, 10, 6),
        contact(3, 300, 9),
    ];
    let t = totals(&all);
    // Observed: all but the last; without recontact in 24 h and 72 h: all of those but the first.
    assert_eq!(t.all.contacts, 6);
    assert_eq!(t.all.day, Recontact { observed: 5, once: 4, seen: 1 });
    assert_eq!(t.all.three_days, Recontact { observed: 5, once: 4, seen: 1 });
    assert_eq!(t.agents[&7], t.all);
}

#[test]
fn nights_followed_together_are_counted_apart() {
    let at = |night: u8, mut contact: Contact| {
        contact.night = night;
        contact
    };
    // Customer 1 comes back the next night; customer 2's conversation is in both nights; night 2 is context only.
    let all = [
        at(0, contact(1, 0, 5)),
        at(1, contact(1, 20, 5)),
        at(0, contact(2, 0, 5)),
        at(1, contact(2, 0, 5)),
        at(2, contact(3, 200, 5)),
    ];
    let mut log = ContactLog::default();
    all.iter().for_each(|c| log.add(*c));
    let last = 200 * HOUR + 600;
    let nights = log.follow(vec![last, 30 * HOUR]).unwrap();
    assert_eq!(nights[0].all.day, Recontact { observed: 2, once: 1, seen: 1 });
    assert_eq!(nights[1].all.contacts, 1, "a conversation in two nights belongs to the first");
    assert_eq!(nights[1].all.day.observed, 0, "not observed for 24 hours");
}

#[test]
fn reasons_stand_in_for_missing_orders() {
    let mut first = contact(1, 0, 0);
    first.topic = 3;
    let mut again = contact(1, 30, 8);
    again.topic = 3;
    let t = totals(&[first, again, contact(2, 500, 1)]);
    assert_eq!((t.all.day.seen, t.all.three_days.seen), (0, 1));
}

#[test]
fn complaints_are_followed_across_conversations() {
    let mut complaint = contact(1, 0, 5);
    complaint.complaint = 1 + 60;
    let mut answered = contact(1, 10, 5);
    (answered.answered, answered.complaint, answered.answer) = (true, 1, 30);
    let mut solved = contact(1, 60, 5);
    (solved.resolved, solved.answered) = (true, true);
    let mut late = contact(2, 0, 6);
    late.complaint = 1;
    let mut fresh = contact(3, 290, 7);
    fresh.complaint = 1;
    let t = totals(&[complaint, answered, solved, late, fresh, contact(4, 300, 1)]);
    assert_eq!(t.all.complaints, 3);
    assert_eq!(t.all.answered, Deadline { met: 1, missed: 1, early: 0, open: 1 });
    assert_eq!(t.all.solved, Deadline { met: 1, missed: 1, early: 0, open: 1 });
}

#[test]
fn spilled_and_split_logs_give_the_same() {
    let all: Vec<Contact> = (0..3000)
        .map(|i| {
            let mut c = contact(i % 97, (i * 37 % 500) as i64, i % 11);
            (c.topic, c.complaint, c.resolved) = ((i % 5) as u16, u32::from(i % 7 == 0), i % 3 == 0);
            (c.answered, c.conversation) = (i % 2 == 0, i);
            c
        })
        .collect();
    let whole = totals(&all);
    let mut parts: Vec<ContactLog> = Vec::new();
    for part in all.chunks(401) {
        let mut log = ContactLog::default();
        for (n, c) in part.iter().enumerate() {
            log.add(*c);
            if n % 3 == 0 {
                log.spill();
            }
        }
        parts.push(log);
    }
    let mut merged = ContactLog::default();
    parts.into_iter().rev().for_each(|p| merged.merge(p));
    let open: usize = merged.runs.iter().map(Vec::len).sum();
    assert!(merged.runs.len() == 2 && open < 2 * MOST_RUNS, "{open} files are open");
    assert_eq!(merged.finish().unwrap(), whole);
}

#[test]
fn records_survive_the_disk() {
    let contact = Contact {
        customer: u64::MAX,
        start: -5,
        conversation: 3,
        end: 9,
        order: 1,
        agent: 2,
        complaint: 77,
        topic: 9,
        resolved: true,
        answered: false,
        answer: u32::MAX,
        night: 127,
    };
    let mut bytes = Vec::new();
    contact.write(&mut bytes).unwrap();
    assert_eq!(bytes.len(), SIZE);
    assert_eq!(Contact::read(&mut bytes.as_slice()).unwrap(), contact);
}

#[test]
fn hashes_differ_and_are_stable() {
    assert_ne!(hash("a1"), hash("a2"));
    assert_ne!(hash(""), 0);
    assert_eq!(hash("cu1"), hash("cu1"));
}
