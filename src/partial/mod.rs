//! What one machine of several writes, so that the whole night's reports can be made from all of them: `zhijian inspect
//! --partial` writes it, `zhijian merge` reads any number of them.
//!
//! A partial is a file of sections, each a tag, a length and bytes; the last one is the SHA-256 of all before it, so a
//! file cut short is told from a whole one. It holds sums, quotes, the contacts (customers come back in another partition,
//! so recontacts are counted anew over all of them) and the conversations pages may show. Merging holds the sums of
//! everything and one section; contacts are sorted on the disk as in a single run. What is *not* in it is every
//! conversation's own record: those stand in the `conversations.jsonl` of each part and are put one after the other.
//!
//! Merging gives what one run over all of the input gives, byte for byte, in whatever order the partials come, because
//! sums are integers and everything else has a total order; a test splits a night at random to show it.

mod merge;
mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::input::FileSummary;
use crate::score::Aggregate;
use crate::score::partial::Stamp;

pub use merge::{Merged, merge};
pub use read::{PartialFile, find};
pub use write::write;

/// Extension of partials.
pub const EXTENSION: &str = "zjp";
/// Number of the file format.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"ZJPART\r\n";
const HEADER: [u8; 4] = *b"HEAD";
const SUMS: [u8; 4] = *b"SUMS";
const QUOTES: [u8; 4] = *b"QUOT";
const CONTACTS: [u8; 4] = *b"CONT";
const CRITICAL: [u8; 4] = *b"CRIT";
const CHATS: [u8; 4] = *b"CHAT";
const END: [u8; 4] = *b"END.";

/// What a partial says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Number of the file format.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// By what it was judged.
    pub stamp: Stamp,
    /// Settings that change results, as in `run.json`.
    pub settings: BTreeMap<String, String>,
    /// Its place among the slices of the input, where the user gave one.
    pub slice: Option<String>,
    /// Records inspected and rejected.
    pub records: (u64, u64),
    /// Rejects by code.
    pub rejects: BTreeMap<String, u64>,
    /// The files read.
    pub files: Vec<FileSummary>,
    /// Contacts that cannot be followed.
    pub anonymous: u64,
    /// It holds the conversations pages may show.
    pub pages: bool,
}

impl Header {
    /// Where its conversations stand among those of others: by slice (numbers as numbers), else by the first input's path.
    fn place(&self) -> Place {
        match &self.slice {
            Some(slice) => Place::Slice(slice.parse().unwrap_or(u64::MAX), slice.clone()),
            None => Place::Path(self.files.first().map(|f| PathBuf::from(&f.path)).unwrap_or_default()),
        }
    }
}

/// Order of partials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Path(PathBuf),
    Slice(u64, String),
}

/// Every conversation quoted as evidence or as a good example.
fn quoted(aggregate: &Aggregate) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for totals in aggregate.agents.values().chain([&aggregate.all]) {
        for count in totals.rules.values() {
            out.extend(count.evidence.items().iter().map(|e| e.conversation_id.clone()));
            out.extend(count.good.items().iter().map(|g| g.conversation_id.clone()));
        }
    }
    out
}
