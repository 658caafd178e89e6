//! Writing a partial, section by section.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use sha2::{Digest, Sha256};

use super::{CHATS, CONTACTS, CRITICAL, END, FORMAT, HEADER, Header, MAGIC, QUOTES, SUMS, quoted};
use crate::pack::Pack;
use crate::pipeline::Summary;
use crate::report::chat::Spill;
use crate::report::html::MOST_CRITICAL;
use crate::score::contacts::Contact;
use crate::score::partial::{Partial, Stamp, pack_contacts, to_bytes};

/// Contacts in one section.
const CONTACTS_IN_ONE: usize = 1 << 14;
/// Bytes of conversations in one section, before compression.
const CHAT_BYTES: usize = 1 << 20;
/// Compression level, as of the other pieces.
const LEVEL: i32 = 6;

/// Writes the partial of a run that is complete, before its contacts are followed any further. `settings` are those of
/// `run.json`; `slice` is the place of this run's input among others'.
///
/// # Errors
/// When `out` takes no more, or what was spilled to temporary files cannot be read.
pub fn write(
    out: &mut dyn Write,
    pack: &Pack,
    settings: &BTreeMap<String, String>,
    slice: Option<&str>,
    summary: &mut Summary,
    spill: Option<&Spill>,
) -> std::io::Result<()> {
    let header = Header {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").into(),
        stamp: Stamp::of(pack),
        settings: settings.clone(),
        slice: slice.map(str::to_string),
        records: (summary.records_inspected, summary.records_rejected),
        rejects: summary.rejects.clone(),
        files: summary.files.clone(),
        anonymous: summary.contacts.anonymous,
        pages: spill.is_some(),
    };
    let mut sections = Sections { out, digest: Sha256::new() };
    sections.raw(MAGIC)?;
    sections.put(HEADER, &serde_json::to_vec(&header)?)?;
    // Counted over this run alone: the merge counts anew over all contacts.
    let mut aggregate = summary.aggregate.clone();
    aggregate.service.cross = Default::default();
    let shown = quoted(&aggregate);
    let (partial, quotes) = Partial::split(pack, aggregate);
    sections.put(SUMS, &to_bytes(&partial))?;
    sections.put(QUOTES, &to_bytes(&quotes))?;
    let mut piece = Vec::<Contact>::with_capacity(CONTACTS_IN_ONE);
    for contact in summary.contacts.sorted()? {
        piece.push(contact?);
        if piece.len() == CONTACTS_IN_ONE {
            sections.put(CONTACTS, &pack_contacts(&piece))?;
            piece.clear();
        }
    }
    if !piece.is_empty() {
        sections.put(CONTACTS, &pack_contacts(&piece))?;
    }
    if let Some(spill) = spill {
        chats(&mut sections, spill, shown)?;
    }
    let digest = sections.digest.finalize_reset();
    sections.put(END, &digest)?;
    sections.out.flush()
}

/// The conversations that a page of the whole night could show: those quoted here, and the first with a critical finding.
fn chats(sections: &mut Sections<'_>, spill: &Spill, mut shown: BTreeSet<String>) -> std::io::Result<()> {
    let critical = spill.critical();
    sections.put(CRITICAL, &to_bytes(&critical))?;
    shown.extend(critical.into_iter().take(MOST_CRITICAL));
    let mut lines = Vec::new();
    for id in &shown {
        let Some(chat) = spill.read(id)? else { continue };
        serde_json::to_writer(&mut lines, &chat)?;
        lines.push(b'\n');
        if lines.len() >= CHAT_BYTES {
            sections.put(CHATS, &zstd::encode_all(lines.as_slice(), LEVEL)?)?;
            lines.clear();
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    sections.put(CHATS, &zstd::encode_all(lines.as_slice(), LEVEL)?)
}

struct Sections<'o> {
    out: &'o mut dyn Write,
    digest: Sha256,
}

impl Sections<'_> {
    fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }

    fn put(&mut self, tag: [u8; 4], bytes: &[u8]) -> std::io::Result<()> {
        self.raw(&tag)?;
        self.raw(&(bytes.len() as u64).to_le_bytes())?;
        self.raw(bytes)
    }
}
