//! Figures that need more than one conversation: recontacts (a proxy for first-contact resolution) and the deadlines of
//! complaints. One small record a conversation; beyond [`IN_MEMORY`] records they are sorted and spilled to a
//! temporary file, so that memory does not grow with the input. The sorted runs are merged once at the end, and what
//! comes out depends on the set of records alone.
//!
//! - **Recontact**: the same customer comes back about the same matter (the same order where both name one, else the
//!   same first-level contact reason) within 24 or 72 hours after a contact ended. A contact without one within the
//!   window counts as solved at first contact: a *proxy* — customers also give up, or come back for good reasons.
//!   Contacts whose window reaches beyond the end of the log are left out of the rate and counted apart.
//! - **Complaint deadlines**: answered by a person within 24 hours and solved (a contact of the customer about the matter
//!   ends resolved) within 72 hours after the complaint, across conversations. Rates are over complaints whose deadline
//!   lies inside the log; counting those already done of the others, but not those still open, would flatter. Further
//!   complaints of the customer about the matter within 72 hours belong to the same case.

mod follow;

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use follow::Customer;
pub use follow::{CrossCount, CrossTotals, Deadline, Recontact};

/// Records held before a run is spilled (64 bytes each).
pub const IN_MEMORY: usize = 1 << 18;
/// Runs of one size merged into one of the next when there are this many: each record is rewritten once a size, so that
/// billions of them are sorted in three passes.
const MOST_RUNS: usize = 64;

/// What is kept of a contact, ordered by customer, time and conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Contact {
    /// Hash of the customer's id.
    pub customer: u64,
    /// First second (Unix).
    pub start: i64,
    /// Hash of the conversation's id.
    pub conversation: u64,
    /// Which of the nights followed together it belongs to (below 128); 0 in the log of one run.
    pub night: u8,
    /// Last second.
    pub end: i64,
    /// Hash of the order's id; 0 when unknown.
    pub order: u64,
    /// Hash of the agent whose contact it was last; 0 without one.
    pub agent: u64,
    /// Seconds from the start to the complaint, and one more; 0 when there is none.
    pub complaint: u32,
    /// First-level contact reason, and one more; 0 when unknown or other.
    pub topic: u16,
    /// Ended resolved.
    pub resolved: bool,
    /// A person answered (after the complaint, where there is one).
    pub answered: bool,
    /// Seconds from the start to that answer.
    pub answer: u32,
}

/// Bytes of a stored contact.
pub const SIZE: usize = 8 * 6 + 4 + 2 + 1 + 1 + 4;

impl Contact {
    /// Writes the contact in [`SIZE`] bytes.
    ///
    /// # Errors
    /// When `out` does not take them.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut bytes = [0u8; SIZE];
        let fields = [self.customer, self.start as u64, self.conversation, self.end as u64, self.order, self.agent];
        for (slot, field) in bytes.chunks_exact_mut(8).zip(fields) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        bytes[48..52].copy_from_slice(&self.complaint.to_le_bytes());
        bytes[52..54].copy_from_slice(&self.topic.to_le_bytes());
        bytes[54] = u8::from(self.resolved) | self.night << 1;
        bytes[55] = u8::from(self.answered);
        bytes[56..60].copy_from_slice(&self.answer.to_le_bytes());
        out.write_all(&bytes)
    }

    /// Reads a contact.
    ///
    /// # Errors
    /// When there are not [`SIZE`] bytes.
    pub fn read(input: &mut impl Read) -> std::io::Result<Contact> {
        let mut bytes = [0u8; SIZE];
        input.read_exact(&mut bytes)?;
        let long = |i: usize| u64::from_le_bytes(bytes[i * 8..i * 8 + 8].try_into().unwrap_or_default());
        let int = |i: usize| u32::from_le_bytes(bytes[i..i + 4].try_into().unwrap_or_default());
        Ok(Contact {
            customer: long(0),
            start: long(1) as i64,
            conversation: long(2),
            end: long(3) as i64,
            order: long(4),
            agent: long(5),
            complaint: int(48),
            topic: u16::from_le_bytes([bytes[52], bytes[53]]),
            resolved: bytes[54] & 1 != 0,
            night: bytes[54] >> 1,
            answered: bytes[55] != 0,
            answer: int(56),
        })
    }

    /// About the same matter as another contact of the customer.
    fn same_matter(&self, other: &Contact) -> bool {
        match (self.order, other.order) {
            (0, _) | (_, 0) => self.topic != 0 && self.topic == other.topic,
            (own, theirs) => own == theirs,
        }
    }
}

/// A stable 64-bit hash (FNV-1a with a final mix), never 0.
pub fn hash(text: &str) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // Finaliser of MurmurHash3: FNV alone leaves the high bits of short texts alike.
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (h ^ (h >> 33)).max(1)
}

/// Contacts being gathered.
#[derive(Debug, Default)]
pub struct ContactLog {
    held: Vec<Contact>,
    /// Sorted runs by size: those at `n` hold about [`MOST_RUNS`] times as many records as those at `n - 1`.
    runs: Vec<Vec<File>>,
    /// Contacts without a customer's id or a time, which cannot be followed.
    pub anonymous: u64,
    last: Option<i64>,
    failed: Option<std::io::Error>,
}

impl ContactLog {
    /// Adds a contact.
    pub fn add(&mut self, contact: Contact) {
        self.last = self.last.max(Some(contact.end));
        self.held.push(contact);
        if self.held.len() >= IN_MEMORY {
            self.spill();
        }
    }

    /// Writes what is held to a sorted run; a disk that does not take it is reported by [`ContactLog::finish`].
    pub fn spill(&mut self) {
        if self.held.is_empty() || self.failed.is_some() {
            return;
        }
        self.held.sort_unstable();
        let held = std::mem::take(&mut self.held);
        let result = run_of(held.iter().map(|c| Ok(*c))).map(|run| self.keep(0, [run]));
        self.held = held;
        self.held.clear();
        if let Err(error) = result.and_then(|()| self.compact()) {
            self.failed = Some(error);
        }
    }

    fn keep(&mut self, size: usize, runs: impl IntoIterator<Item = File>) {
        self.runs.resize_with(self.runs.len().max(size + 1), Vec::new);
        self.runs[size].extend(runs);
    }

    fn compact(&mut self) -> std::io::Result<()> {
        let mut size = 0;
        while size < self.runs.len() {
            if self.runs[size].len() >= MOST_RUNS {
                let merged = run_of(Sorted::new(self.runs[size].iter(), &[])?)?;
                self.runs[size].clear();
                self.keep(size + 1, [merged]);
            }
            size += 1;
        }
        Ok(())
    }

    /// Takes over another log.
    pub fn merge(&mut self, other: ContactLog) {
        self.anonymous += other.anonymous;
        self.last = self.last.max(other.last);
        for (size, runs) in other.runs.into_iter().enumerate() {
            self.keep(size, runs);
        }
        self.failed = self.failed.take().or(other.failed);
        for contact in other.held {
            self.add(contact);
        }
        if let Err(error) = self.compact() {
            self.failed = Some(error);
        }
    }

    /// The last second of any contact.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// Every contact, sorted by customer, time and conversation.
    ///
    /// # Errors
    /// When the temporary files cannot be written or read.
    pub fn sorted(&mut self) -> std::io::Result<Sorted<'_>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.held.sort_unstable();
        Sorted::new(self.runs.iter().flatten(), &self.held)
    }

    /// Follows every customer through the log, which is that of one run.
    ///
    /// # Errors
    /// When the temporary files cannot be written or read.
    pub fn finish(&mut self) -> std::io::Result<CrossTotals> {
        let last = self.last.unwrap_or(i64::MIN);
        let totals = self.follow(vec![last])?.pop().unwrap_or_default();
        Ok(CrossTotals { anonymous: self.anonymous, ..totals })
    }

    /// Follows every customer through a log of several nights and counts for each what became of its own contacts.
    /// `last` holds, for each night counted, the second until which what followed is known; contacts of nights beyond
    /// it are seen, but not counted. A conversation that is in two nights belongs to the first.
    ///
    /// # Errors
    /// When the temporary files cannot be written or read.
    pub fn follow(&mut self, last: Vec<i64>) -> std::io::Result<Vec<CrossTotals>> {
        let totals = vec![CrossTotals::default(); last.len()];
        let mut nights = follow::Nights { last, totals };
        let mut customer = Customer::default();
        let mut before: Option<Contact> = None;
        for contact in self.sorted()? {
            let contact = contact?;
            let again = before.is_some_and(|b| {
                (b.customer, b.start, b.conversation) == (contact.customer, contact.start, contact.conversation)
                    && b.night != contact.night
            });
            if again {
                continue;
            }
            before = Some(contact);
            if customer.id != contact.customer {
                customer.settle(i64::MAX, &mut nights);
                customer.id = contact.customer;
            }
            customer.add(contact, &mut nights);
        }
        customer.settle(i64::MAX, &mut nights);
        Ok(nights.totals)
    }
}

fn run_of(contacts: impl Iterator<Item = std::io::Result<Contact>>) -> std::io::Result<File> {
    let mut out = BufWriter::with_capacity(1 << 16, tempfile::tempfile()?);
    for contact in contacts {
        contact?.write(&mut out)?;
    }
    let mut file = out.into_inner().map_err(|e| e.into_error())?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Sorted runs and a sorted list as one sorted stream.
#[derive(Debug)]
pub struct Sorted<'l> {
    runs: Vec<BufReader<&'l File>>,
    held: std::slice::Iter<'l, Contact>,
    heads: BinaryHeap<std::cmp::Reverse<(Contact, usize)>>,
}

impl<'l> Sorted<'l> {
    fn new(runs: impl Iterator<Item = &'l File>, held: &'l [Contact]) -> std::io::Result<Sorted<'l>> {
        let runs = runs.map(|mut run| {
            run.seek(SeekFrom::Start(0))?;
            Ok(BufReader::with_capacity(1 << 16, run))
        });
        let runs = runs.collect::<std::io::Result<_>>()?;
        let mut merge = Sorted { runs, held: held.iter(), heads: BinaryHeap::new() };
        for source in 0..=merge.runs.len() {
            merge.pull(source)?;
        }
        Ok(merge)
    }

    /// Takes the next record of a source; the list stands behind the runs.
    fn pull(&mut self, source: usize) -> std::io::Result<()> {
        let next = match self.runs.get_mut(source) {
            Some(run) => match Contact::read(run) {
                Ok(contact) => Some(contact),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
                Err(error) => return Err(error),
            },
            None => self.held.next().copied(),
        };
        self.heads.extend(next.map(|contact| std::cmp::Reverse((contact, source))));
        Ok(())
    }
}

impl Iterator for Sorted<'_> {
    type Item = std::io::Result<Contact>;

    fn next(&mut self) -> Option<Self::Item> {
        let std::cmp::Reverse((contact, source)) = self.heads.pop()?;
        Some(self.pull(source).map(|()| contact))
    }
}

#[cfg(test)]
mod tests;
