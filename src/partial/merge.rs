//! Putting partials together.

use std::collections::BTreeSet;
use std::path::Path;

use super::{CHATS, CONTACTS, CRITICAL, Header, PartialFile, QUOTES, SUMS, quoted};
use crate::error::{Error, Result};
use crate::pack::Pack;
use crate::pipeline::Summary;
use crate::report::chat::{Chat, Spill};
use crate::report::html::MOST_CRITICAL;
use crate::score::contacts::ContactLog;
use crate::score::partial::{Partial, Quotes, Stamp, Unreadable, from_bytes, unpack_contacts};

/// All partials together.
#[derive(Debug)]
pub struct Merged {
    /// What one run over all of the input would come to.
    pub summary: Summary,
    /// The partials in the order of their input.
    pub parts: Vec<PartialFile>,
    /// Conversations in each, in the same order.
    pub conversations: Vec<u64>,
}

/// Merges partials judged by `pack`. With `spill`, the conversations pages may show are gathered in it.
///
/// # Errors
/// When one cannot be read or is damaged, they were not judged alike or not by `pack`, or one is given twice.
pub fn merge(mut parts: Vec<PartialFile>, pack: &Pack, spill: Option<&Spill>) -> Result<Merged> {
    parts.sort_by_cached_key(|part| part.header.place());
    for part in &parts {
        part.belongs(&parts[0], pack)?;
    }
    let mut summary = Summary::default();
    let mut contacts = ContactLog::default();
    let mut critical = BTreeSet::new();
    let mut conversations = Vec::with_capacity(parts.len());
    for part in &parts {
        let before = summary.aggregate.conversations;
        part.add_to(&mut summary, &mut contacts, &mut critical)?;
        conversations.push(summary.aggregate.conversations - before);
    }
    distinct(&parts, &conversations)?;
    summary.aggregate.service.cross = contacts.finish().map_err(Error::temporary)?;
    summary.contacts = contacts;
    if let Some(spill) = spill {
        let mut wanted = quoted(&summary.aggregate);
        wanted.extend(critical.iter().take(MOST_CRITICAL).cloned());
        for part in &parts {
            part.chats(&wanted, spill)?;
        }
        spill.mark_critical(critical);
    }
    Ok(Merged { summary, parts, conversations })
}

/// Refuses two partials of the same input: counting a conversation twice would go unseen.
fn distinct(parts: &[PartialFile], conversations: &[u64]) -> Result<()> {
    let full = |n: usize| conversations[n] > 0;
    for (number, pair) in parts.windows(2).enumerate() {
        let [one, two] = pair else { continue };
        let (own, other) = (&one.header, &two.header);
        // Standard input has no name: there only what was read tells one from another.
        let piped = own.slice.is_none() && own.files.iter().all(|f| f.path == "-");
        let same = match piped {
            true => own.files == other.files && full(number) && full(number + 1),
            false => own.place() == other.place(),
        };
        if same {
            let what = match (&own.slice, own.files.first()) {
                (Some(slice), _) => format!("--slice {slice}"),
                (None, Some(file)) => format!("输入 {}", file.path),
                (None, None) => "空的输入".into(),
            };
            return Err(two.refuse(&format!(
                "和 {} 是同一份({what}),合并会把同样的会话算两次;请只给其中一个 (given twice)",
                one.path.display()
            )));
        }
    }
    Ok(())
}

impl PartialFile {
    /// Refuses a partial that was not judged by the pack, or not as another one was.
    fn belongs(&self, first: &PartialFile, pack: &Pack) -> Result<()> {
        let (own, other) = (&self.header, &first.header);
        if own.program != env!("CARGO_PKG_VERSION") {
            return Err(self.refuse(&format!(
                "由 zhijian {} 写成,本程序是 {};请用同一版本重新质检 (other program version)",
                own.program,
                env!("CARGO_PKG_VERSION")
            )));
        }
        let stamp = Stamp::of(pack);
        if !own.stamp.compares(&stamp) {
            let what = match own.stamp.sha256 == stamp.sha256 {
                true => "门槛(合格线、权重、目标)不同 (other thresholds)",
                false => "规则包不同 (other pack)",
            };
            return Err(self.refuse(&format!(
                "{what}:它用的是 {} {}({:.12}),合并用的是 {} {}({:.12});请用 --rules(和 --satisfaction)给出质检时的规则包",
                own.stamp.pack, own.stamp.version, own.stamp.sha256, stamp.pack, stamp.version, stamp.sha256
            )));
        }
        for (name, value) in &own.settings {
            let theirs = other.settings.get(name).map_or("", String::as_str);
            if value != theirs {
                return Err(self.refuse(&format!(
                    "质检时 --{name} 是 {value},{} 是 {theirs},不能合并 (settings differ)",
                    first.path.display()
                )));
            }
        }
        Ok(())
    }

    fn unreadable(&self, error: &Unreadable) -> Error {
        self.refuse(&error.to_string())
    }

    fn add_to(&self, summary: &mut Summary, contacts: &mut ContactLog, critical: &mut BTreeSet<String>) -> Result<()> {
        let Header { records, rejects, files, anonymous, .. } = &self.header;
        let damaged = |error: Unreadable| self.unreadable(&error);
        let mut sums: Option<Partial> = None;
        self.each(|tag, bytes| {
            match tag {
                SUMS => sums = Some(from_bytes(&bytes).map_err(damaged)?),
                QUOTES => {
                    let quotes: Quotes = from_bytes(&bytes).map_err(damaged)?;
                    if let Some(sums) = &mut sums {
                        sums.join(quotes);
                    }
                }
                CONTACTS => {
                    // The same pack: its topics have the same numbers.
                    let piece = unpack_contacts(&bytes, &[], &[]).map_err(damaged)?;
                    piece.into_iter().for_each(|contact| contacts.add(contact));
                }
                CRITICAL => critical.extend(from_bytes::<BTreeSet<String>>(&bytes).map_err(damaged)?),
                _ => {}
            }
            Ok(())
        })?;
        let sums = sums.ok_or_else(|| self.unreadable(&Unreadable::Damaged("没有汇总数".into())))?;
        summary.aggregate.merge(sums.aggregate);
        contacts.anonymous += anonymous;
        summary.records_inspected += records.0;
        summary.records_rejected += records.1;
        for (code, n) in rejects {
            *summary.rejects.entry(code.clone()).or_default() += n;
        }
        summary.files.extend(files.iter().cloned());
        Ok(())
    }

    fn chats(&self, wanted: &BTreeSet<String>, spill: &Spill) -> Result<()> {
        let damaged = |e: &dyn std::fmt::Display| self.unreadable(&Unreadable::Damaged(e.to_string()));
        self.only(CHATS, |bytes| {
            let lines = zstd::decode_all(bytes.as_slice()).map_err(|e| damaged(&e))?;
            for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                let chat: Chat = serde_json::from_slice(line).map_err(|e| damaged(&e))?;
                if wanted.contains(&chat.id) {
                    spill.keep(&chat);
                }
            }
            Ok(())
        })
    }

    /// The folder of results it stands in: that of an `inspect` run, with every conversation's record.
    pub fn results(&self) -> Option<&Path> {
        let folder = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let whole = ["run.json", "conversations.jsonl", "rejects.jsonl"].iter().all(|name| folder.join(name).is_file());
        whole.then_some(folder)
    }
}
