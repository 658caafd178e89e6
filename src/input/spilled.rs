//! A delimited file too large to be grouped in memory, grouped on disk.
//!
//! Rows are sorted twice: by conversation and row, which tells each conversation's first row; then by that first row and
//! the row, which is the order conversations are handed out in. A single pass over partitions by conversation would need
//! the same second ordering, and a partition may be any size; two sorts by one [`Sorter`] are bounded whatever the
//! file holds. Conversations are told apart by 128 bits of the SHA-256 of their id.
//!
//! Memory: two halves of [`Limits::grouped_in_memory_bytes`](super::Limits), the window of the [`Scanner`], and the conversations
//! being handed out, which are never cut. Rejects go out as they are found, before any conversation, as they do
//! when a file is grouped in memory.

use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::block::{Block, Content};
use super::columns::Column;
use super::delimited::{Group, Groups, NONE, RowRef, Table};
use super::grouping::{Found, Sorted, is_row, sort_out};
use super::layout::{self, Layout};
use super::reader::{rejects_block, stopped, summary};
use super::reject::Fault;
use super::scanner::Scanner;
use super::sorter::{Key, Merge, Sorter};
use super::source::Source;
use super::{FileSummary, InputOptions};
use crate::error::Error;

/// How much text is read at a time; also enough of a file to tell its layout by.
const PORTION: usize = 4 << 20;
/// Rejects handed out at a time.
const REJECTS: usize = 512;

/// A delimited file being grouped on disk.
pub(super) struct SpilledFile {
    pub(super) source: Source,
    layout: Layout,
    columns: Vec<(String, Option<Column>)>,
    options: Arc<InputOptions>,
    found: Found,
    /// Text of messages, all and so far handed out: blocks stand for a share of the stored bytes.
    text: u128,
    before: u128,
    state: State,
}

enum State {
    Reading { scanner: Scanner, sorter: Sorter, cut: Option<(Fault, Vec<u8>)> },
    Giving { merge: Merge, next: Option<(Key, Vec<u8>)>, damaged: bool, stored: u64 },
    Ended,
}

fn spilling(error: io::Error) -> Error {
    Error::write(std::env::temp_dir(), error)
}

/// At the end of the text: why it ended early and the line that was cut, which is taken off.
fn cut(source: &mut Source, window: &mut Vec<u8>) -> Result<Option<(Fault, Vec<u8>)>, Error> {
    let stop = stopped(&mut source.text, &source.name)?;
    Ok(stop.map(|fault| (fault, window.split_off(memchr::memrchr(b'\n', window).map_or(0, |n| n + 1)))))
}

impl SpilledFile {
    /// Takes over a file of which `data` was read, and whether `more` follows.
    pub(super) fn new(
        mut source: Source,
        mut data: Vec<u8>,
        mut more: bool,
        options: &Arc<InputOptions>,
    ) -> Result<SpilledFile, Error> {
        while more && data.len() < PORTION {
            more = source.text.fill(&mut data, PORTION);
        }
        let cut = if more { None } else { cut(&mut source, &mut data)? };
        let layout = layout::of(&source, &data, options)?;
        let sorter = Sorter::new(options.limits.grouped_in_memory_bytes / 2).map_err(spilling)?;
        Ok(SpilledFile {
            columns: layout.named(&data),
            found: Found::before(&layout),
            state: State::Reading { scanner: Scanner::new(data, layout.start, !more, PORTION), sorter, cut },
            options: options.clone(),
            text: 0,
            before: 0,
            source,
            layout,
        })
    }

    /// The next block; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Block>, Error> {
        if matches!(self.state, State::Reading { .. })
            && let Some(rejects) = self.read()?
        {
            return Ok(Some(rejects));
        }
        self.give()
    }

    /// Reads on, until there are rejects to hand out or the file has ended.
    fn read(&mut self) -> Result<Option<Block>, Error> {
        let State::Reading { scanner, sorter, cut: lost } = &mut self.state else { return Ok(None) };
        let (layout, options, found, source) = (&self.layout, &*self.options, &mut self.found, &mut self.source);
        let max = options.limits.max_record_bytes;
        loop {
            let fill = |window: &mut Vec<u8>, want: usize| -> Result<bool, Error> {
                let more = source.text.fill(window, want);
                if !more {
                    *lost = cut(source, window)?;
                }
                Ok(more)
            };
            let find = |data: &[u8], at| layout.row(data, at, max, |line| is_row(layout, line, options));
            let Some(row) = scanner.row(find, max, fill)? else { break };
            let (line, number) = (found.line, found.records);
            found.line += row.lines;
            found.records += 1;
            let raw = &scanner.window[row.start..row.end];
            match sort_out(layout, &row, raw, line, options) {
                Sorted::Blank => found.blank += 1,
                Sorted::Fault(fault) => {
                    found.rejects.push(fault.reject(&source.name, line, raw));
                    if found.rejects.len() >= REJECTS {
                        return Ok(Some(rejects_block(std::mem::take(&mut found.rejects), 0)));
                    }
                }
                Sorted::Message(id) => {
                    let hash = Sha256::digest(&id);
                    let hash = hash.iter().take(16).fold(0u128, |n, b| n << 8 | u128::from(*b));
                    self.text += raw.len() as u128 + 1;
                    sorter.push((hash, number), &line.to_le_bytes(), raw).map_err(spilling)?;
                }
            }
        }
        if let Some((fault, rest)) = lost.take() {
            found.rejects.push(fault.reject(&source.name, found.line, &rest));
            found.records += 1;
        }
        let rejects = std::mem::take(&mut found.rejects);
        let damaged = source.text.take_damaged();
        source.text.drain().map_err(|error| Error::read(&*source.name, error))?;
        let stored = source.text.stream().tally().bytes();
        let State::Reading { sorter, .. } = std::mem::replace(&mut self.state, State::Ended) else { return Ok(None) };
        let mut merge = by_first_row(sorter, options.limits.grouped_in_memory_bytes / 2).map_err(spilling)?;
        let mut body = Vec::new();
        let next = merge.next(&mut body).map_err(spilling)?.map(|key| (key, body));
        self.state = State::Giving { merge, next, damaged, stored };
        let share = if self.text == 0 { stored } else { 0 };
        Ok((!rejects.is_empty()).then(|| rejects_block(rejects, share)))
    }

    /// The next conversations, as a table of their own.
    fn give(&mut self) -> Result<Option<Block>, Error> {
        let State::Giving { merge, next, damaged, stored } = &mut self.state else { return Ok(None) };
        let most = self.options.limits.max_turns as u64;
        let (mut data, mut rows, mut groups) = (Vec::new(), Vec::<RowRef>::new(), Vec::<Group>::new());
        let (mut text, mut conversation) = (0u128, None);
        while let Some(((first, _), body)) = next {
            let new = conversation != Some(*first);
            if new && !groups.is_empty() && text >= self.options.block_bytes as u128 {
                break;
            }
            conversation = Some(*first);
            let (line, raw) = body.split_at(8);
            let bytes = raw.len() as u64 + 1;
            text += u128::from(bytes);
            let index = rows.len() as u32;
            let row = |data: &mut Vec<u8>| {
                let start = data.len();
                data.extend_from_slice(raw);
                let line = line.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
                RowRef { start, end: data.len(), line, next: NONE }
            };
            match groups.last_mut() {
                Some(group) if !new => {
                    group.rows += 1;
                    group.bytes += bytes;
                    // a conversation of too many turns is a reject that shows its first row
                    if group.rows <= most {
                        rows[group.last as usize].next = index;
                        group.last = index;
                        rows.push(row(&mut data));
                    }
                }
                _ => {
                    groups.push(Group { first: index, last: index, rows: 1, bytes });
                    rows.push(row(&mut data));
                }
            }
            match merge.next(body).map_err(spilling)? {
                Some(key) => *next = Some((key, std::mem::take(body))),
                None => *next = None,
            }
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let share = |text: u128| (u128::from(*stored) * text / self.text.max(1)) as u64;
        let bytes = share(self.before + text) - share(self.before);
        self.before += text;
        let (file, layout, options) = (self.source.name.clone(), self.layout.clone(), self.options.clone());
        let range = 0..groups.len();
        let table = Table { file, data, layout, damaged: *damaged, origin: None, options, rows, groups };
        let content = Content::Groups(Groups { table: Arc::new(table), range });
        Ok(Some(Block { bytes, buffer: Vec::new(), content }))
    }

    pub(super) fn summary(&mut self) -> Result<FileSummary, Error> {
        let format = self.layout.format();
        let (source, found) = (&mut self.source, &self.found);
        let mut summary = summary(&mut source.text, &source.name, format, found.records, found.blank)?;
        summary.columns = std::mem::take(&mut self.columns);
        Ok(summary)
    }
}

/// Rows by conversation to rows by their conversation's first.
fn by_first_row(sorter: Sorter, memory: usize) -> io::Result<Merge> {
    let mut merge = sorter.finish()?;
    let mut second = Sorter::new(memory)?;
    let (mut body, mut last) = (Vec::new(), None);
    while let Some((hash, row)) = merge.next(&mut body)? {
        let first = match last {
            Some((known, first)) if known == hash => first,
            _ => row,
        };
        last = Some((hash, first));
        second.push((u128::from(first), row), &body, b"")?;
    }
    drop(merge);
    second.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::{Limits, Reader};
    use super::*;

    /// All that is read from a file, in order, and its summary; an error's words.
    fn read(path: &str, limits: Limits, block_bytes: usize) -> Result<(Vec<String>, Vec<FileSummary>, u64), String> {
        let options = InputOptions { limits, block_bytes, ..InputOptions::default() };
        let mut reader = Reader::open(&[path.to_owned()], options).map_err(|e| e.to_string())?;
        let (mut items, mut bytes) = (Vec::new(), 0);
        while let Some(block) = reader.next_block(Vec::new()).map_err(|e| e.to_string())? {
            bytes += block.bytes();
            block.visit(&mut |item| items.push(format!("{item:?}")));
        }
        assert_eq!(Some(reader.bytes_read()), reader.total_bytes());
        Ok((items, reader.files().to_vec(), bytes))
    }

    /// Groups a file in memory and on disk, holds the two to be the same, and gives what was read.
    fn same(name: &str, stored: &[u8], limits: Limits) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name).display().to_string();
        std::fs::write(&path, stored).unwrap();
        let held = read(&path, Limits { grouped_in_memory_bytes: usize::MAX, ..limits }, 1 << 20);
        for (most, block_bytes) in [(0, 1 << 20), (1, 1), (300, 70)] {
            assert_eq!(read(&path, Limits { grouped_in_memory_bytes: most, ..limits }, block_bytes), held, "{most}");
        }
        held.map(|h| h.0).unwrap_or_default()
    }

    fn row() -> impl Strategy<Value = String> {
        let id = prop_oneof![6 => "[a-d]", 1 => "", 1 => "[a-d]{2}", 1 => Just("NULL".to_owned()), 1 => Just("\"a\"".to_owned())];
        let role = prop::sample::select(vec!["客服", "客户", "1", "谁"]);
        let text = prop_oneof![
            4 => "[好在吗a ]{0,8}",
            1 => Just("\"两\n行,\"\"好\"\"\"".to_owned()),
            1 => Just("\"没有闭合".to_owned()),
            1 => Just("\"15\"屏".to_owned()),
            1 => Just("多,一,列".to_owned()),
            1 => "好{70,90}",
        ];
        let message = (id, role, text).prop_map(|(id, role, text)| format!("{id},{role},{text}"));
        prop_oneof![9 => message, 1 => prop::sample::select(vec!["", ",,", " ", "只有一列", "\""]).prop_map(str::to_owned)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn on_disk_as_in_memory(
            rows in prop::collection::vec(row(), 0..60),
            (crlf, gbk, zipped, end, tab) in (any::<bool>(), any::<bool>(), prop::option::of(0.3f64..1.0), any::<bool>(), any::<bool>()),
        ) {
            let ending = if crlf { "\r\n" } else { "\n" };
            let mut text = format!("会话ID,角色,内容{ending}{}", rows.join(ending));
            if end {
                text.push_str(ending);
            }
            if tab {
                text = text.replace(',', "\t");
            }
            let mut stored = if gbk { encoding_rs::GBK.encode(&text).0.into_owned() } else { text.into_bytes() };
            let mut name = if tab { "a.tsv" } else { "a.csv" }.to_owned();
            if let Some(part) = zipped {
                // cut short, too
                let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
                zip.write_all(&stored).unwrap();
                stored = zip.finish().unwrap();
                stored.truncate((stored.len() as f64 * part) as usize);
                name.push_str(".gz");
            }
            same(&name, &stored, Limits { max_record_bytes: 200, max_turns: 9, ..Limits::default() });
        }
    }

    fn message() -> impl Strategy<Value = String> {
        let id = prop_oneof![6 => "\"[a-d]\"", 1 => Just("null".to_owned()), 1 => "[1-9]", 1 => Just("\"\\u0061\"".to_owned())];
        let text = prop_oneof![4 => "\"[好在吗a{}, ]{0,8}\"", 1 => "\"好{70,90}\"", 1 => Just("\"没有闭合".to_owned()), 1 => Just("[1]".to_owned())];
        let role = prop::sample::select(vec!["客服", "客户", "谁"]);
        let object = (id, role, text, any::<bool>()).prop_map(|(id, role, text, wide)| {
            let space = if wide { "\n " } else { "" };
            format!("{{\"sid\":{id},{space}\"role\":\"{role}\",{space}\"text\":{text}{space}}}")
        });
        prop_oneof![9 => object, 1 => prop::sample::select(vec!["", "{", "}", "]", "7", "\"", "{\"a\":"]).prop_map(str::to_owned)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn messages_on_disk_as_in_memory(
            messages in prop::collection::vec(message(), 0..60),
            (list, end) in (any::<bool>(), any::<bool>()),
        ) {
            let first = r#"{"sid":"a","role":"客户","text":"在吗"}"#;
            let mut text = match list {
                true => format!("[{first},\n{}", messages.join(",\n")),
                false => format!("{first}\n{}", messages.iter().map(|m| m.replace('\n', "")).collect::<Vec<_>>().join("\n")),
            };
            if end {
                text.push_str(if list { "]\n" } else { "\n" });
            }
            let name = if list { "a.json" } else { "a.jsonl" };
            let items = same(name, text.as_bytes(), Limits { max_record_bytes: 150, max_turns: 9, ..Limits::default() });
            prop_assert!(items.iter().any(|item| item.starts_with("Conversation")), "{items:?}");
        }
    }

    #[test]
    fn far_apart_and_over_many_portions() {
        // the first conversation's rows lie at the beginning and at the end of some 10 MB
        let mut text = "会话ID,角色,内容\n首,客户,在吗\n".to_owned();
        for n in 0..60_000 {
            let quote = if n % 9_000 == 17 { "\"没有闭合" } else { "\"两\n行\"" };
            text.push_str(&format!("c{},客服,{quote}\n,客服,{}\n", n * 7_919 % 20_000, "好".repeat(40)));
        }
        text.push_str("首,客服,您好\n坏,客服,\u{fffd}");
        assert!(text.len() > 2 * PORTION);
        let items = same("a.csv", text.as_bytes(), Limits { max_record_bytes: 1 << 20, ..Limits::default() });
        let first = items.iter().find(|i| i.starts_with("Conversation")).unwrap();
        assert!(first.contains("在吗") && first.contains("您好"), "{first}");
        assert_eq!(items.iter().filter(|i| i.contains("bad-quote")).count(), 7);
    }
}
