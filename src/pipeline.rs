//! The nightly batch: read, inspect in parallel, write in order, merge.
//!
//! Every worker of a rayon pool claims the next block of whole records under a lock, inspects it with its own scratch
//! buffers, and hands the formatted output to an ordered sink with a bounded window: memory does not grow with the
//! input, and the bytes written do not depend on the number of threads. A panic costs the conversation it happened in.

mod cell_tally;
mod counting;
mod evidence;
mod service;
mod sink;
mod tally;

use std::borrow::Cow;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::caught::caught;
use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection, Scratch};
use crate::error::{Error, Result};
use crate::input::{FileSummary, Item, Reader, Reject, reject};
use crate::pack::Pack;
use crate::score::Aggregate;
use crate::score::contacts::ContactLog;
use evidence::{EvidenceStore, Keeper};
use sink::{OrderedSink, Output};
use tally::Tally;

/// Watches a run; called from worker threads.
pub trait Observer: Sync {
    /// A block is done: stored bytes it stands for, conversations in it.
    fn advanced(&self, _bytes: u64, _conversations: u64) {}
    /// A conversation is about to be inspected.
    fn inspecting(&self, _conversation: &Conversation<'_>) {}
}

/// An observer that does nothing.
pub struct Unobserved;

impl Observer for Unobserved {}

/// Formats one conversation's result onto `out`.
pub trait Format: Sync {
    /// Appends the record of an inspected conversation.
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    );
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Everything counted.
    pub aggregate: Aggregate,
    /// Records (lines or rows) inspected.
    pub records_inspected: u64,
    /// Records rejected.
    pub records_rejected: u64,
    /// Rejects, by code.
    pub rejects: std::collections::BTreeMap<String, u64>,
    /// The files read.
    pub files: Vec<FileSummary>,
    /// Who contacted whom when, for following customers beyond this run.
    pub contacts: ContactLog,
}

/// How a run goes about it.
pub struct Run<'r> {
    /// The compiled pack.
    pub engine: &'r Engine,
    /// How results are written.
    pub format: &'r dyn Format,
    /// Worker threads.
    pub threads: usize,
    /// Watches.
    pub observer: &'r dyn Observer,
    /// Set from outside to stop early.
    pub stop: &'r AtomicBool,
    /// Mask personal data in what is kept as evidence, and in rejects.
    pub mask: bool,
    /// Where conversations that reports may show are kept.
    pub spill: Option<&'r crate::report::chat::Spill>,
}

impl Run<'_> {
    /// Reads all of `reader`, writing results to `results` and rejects to `rejects`, both in input order.
    ///
    /// # Errors
    /// When reading or writing fails, or the run was stopped from outside.
    pub fn run<'w>(
        &self,
        reader: Reader,
        results: &'w mut (dyn Write + Send),
        rejects: &'w mut (dyn Write + Send),
    ) -> Result<Summary> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.max(1))
            .build()
            .map_err(|e| Error::Other(format!("无法启动线程: {e}")))?;
        let source = Mutex::new(Source { reader, next: 0, done: false });
        let sink = OrderedSink::new(results, rejects, self.threads.max(1) * 4);
        let store = EvidenceStore::default();
        let keeper = Keeper { store: &store, mask: self.mask, spill: self.spill };
        let parts = pool.broadcast(|_| {
            let part = catch_unwind(AssertUnwindSafe(|| self.work(&source, &sink, &keeper)));
            part.unwrap_or_else(|_| Err(Error::Other("内部错误:工作线程异常退出 (worker panicked)".into())))
                .inspect_err(|_| sink.abort())
        });
        let mut out = Summary::default();
        let mut contacts = ContactLog::default();
        let mut failure = None;
        for part in parts {
            match part {
                Ok(part) => part.merge_into(self.engine.pack(), &mut out, &mut contacts),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        store.finish(&mut out.aggregate);
        if let Some(error) = sink.finish().or(failure) {
            return Err(error);
        }
        let source = source.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        out.files = source.reader.files().to_vec();
        out.aggregate.service.cross = contacts.finish().map_err(Error::temporary)?;
        out.contacts = contacts;
        Ok(out)
    }

    fn work(&self, source: &Mutex<Source>, sink: &OrderedSink<'_>, keeper: &Keeper<'_>) -> Result<Part> {
        let mut part = Part::default();
        let mut scratch = Scratch::default();
        let mut buffer = Vec::new();
        let mut output = Output::default();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                sink.abort();
                return Ok(part);
            }
            let (number, block) = {
                let mut source = source.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if source.done {
                    return Ok(part);
                }
                match source.reader.next_block(std::mem::take(&mut buffer)) {
                    Ok(Some(block)) => {
                        source.next += 1;
                        (source.next - 1, block)
                    }
                    Ok(None) => {
                        source.done = true;
                        return Ok(part);
                    }
                    Err(error) => {
                        source.done = true;
                        return Err(error);
                    }
                }
            };
            output.clear();
            let mut conversations = 0;
            block.visit(&mut |item| match item {
                Item::Conversation { conversation, file, line, records } => {
                    conversations += 1;
                    match self.one(&conversation, &mut scratch, &mut part, keeper, &mut output.results) {
                        Ok(()) => part.records_inspected += records,
                        Err(message) => {
                            scratch = Scratch::default();
                            let raw: String = conversation.id.chars().take(200).collect();
                            let reject = Reject {
                                file: file.clone(),
                                line,
                                column: None,
                                place: None,
                                code: reject::INTERNAL,
                                reason: format!("检查这通会话时程序内部出错,已跳过: {message}"),
                                raw,
                                rows: records,
                            };
                            part.reject(reject, self.mask, &mut output.rejects);
                        }
                    }
                }
                Item::Reject(reject) => part.reject(reject, self.mask, &mut output.rejects),
            });
            self.observer.advanced(block.bytes(), conversations);
            buffer = block.into_buffer();
            if !sink.submit(number, &mut output) {
                return Ok(part);
            }
        }
    }

    /// Inspects one conversation; the message of a panic comes back as the error.
    fn one(
        &self,
        conversation: &Conversation<'_>,
        scratch: &mut Scratch,
        part: &mut Part,
        keeper: &Keeper<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let before = out.len();
        let result = caught(|| {
            self.observer.inspecting(conversation);
            let inspection = self.engine.inspect(conversation, scratch);
            self.format.conversation(self.engine, conversation, inspection, out);
        });
        if let Err(message) = result {
            out.truncate(before);
            return Err(message);
        }
        counting::count(&mut part.tally, &mut part.contacts, self.engine, conversation, &scratch.inspection, keeper);
        Ok(())
    }
}

struct Source {
    reader: Reader,
    next: u64,
    done: bool,
}

/// One worker's share.
#[derive(Default)]
struct Part {
    tally: Tally,
    contacts: ContactLog,
    records_inspected: u64,
    records_rejected: u64,
    rejects: std::collections::BTreeMap<&'static str, u64>,
}

impl Part {
    fn reject(&mut self, mut reject: Reject, mask: bool, out: &mut Vec<u8>) {
        self.records_rejected += reject.rows;
        *self.rejects.entry(reject.code).or_default() += 1;
        if mask {
            for text in [&mut reject.raw, &mut reject.reason] {
                if let Cow::Owned(masked) = crate::text::mask(text) {
                    *text = masked;
                }
            }
        }
        // Writing to memory cannot fail, and a reject is made of strings and numbers.
        if serde_json::to_writer(&mut *out, &reject).is_ok() {
            out.push(b'\n');
        }
    }

    fn merge_into(self, pack: &Pack, out: &mut Summary, contacts: &mut ContactLog) {
        out.aggregate.merge(self.tally.finish(pack));
        contacts.merge(self.contacts);
        out.records_inspected += self.records_inspected;
        out.records_rejected += self.records_rejected;
        for (code, n) in self.rejects {
            *out.rejects.entry(code.to_string()).or_default() += n;
        }
    }
}
