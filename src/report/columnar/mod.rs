//! `conversations.parquet`, `findings.parquet` and `agents.parquet`: the results as DuckDB, Polars and Spark read them.
//!
//! The rows are made from the very lines of `conversations.jsonl`, each followed by a line of context with what only the
//! transcript knows (channel, stage, when it began, the agents' names). One thread of its own reads them in input order,
//! so workers never wait for an encoder, memory holds one row group of each file, and the bytes depend on the results
//! alone: not on the number of threads, not on the clock.

mod rows;
mod table;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use serde::Serialize;

use super::folder::{StagedFolder, finish};
use crate::conversation::Conversation;
use crate::engine::{Engine, Inspection};
use crate::error::{Error, Result};
use crate::pack::Pack;
use crate::pipeline::Format;
use rows::Tables;

/// Blocks of lines that may wait for the encoder.
const WAITING: usize = 4;
/// The files written.
pub const FILES: [&str; 3] = ["conversations.parquet", "findings.parquet", "agents.parquet"];

/// Writes each record by another format, and what only the transcript knows on the line after it.
pub struct WithContext<'f>(pub &'f dyn Format);

/// What only the transcript knows.
#[derive(Serialize)]
struct Context<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'c str>,
    /// Local time, milliseconds as if it were UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<u8>,
    agents: Vec<(Option<&'c str>, Option<&'c str>)>,
}

impl Format for WithContext<'_> {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        self.0.conversation(engine, conversation, inspection, out);
        let local = |began: jiff::civil::DateTime| began.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let context = Context {
            channel: conversation.channel.as_deref(),
            stage: conversation.stage.as_deref(),
            queue: conversation.queue.as_deref(),
            began: inspection.began.and_then(local).map(|z| z.timestamp().as_millisecond()),
            rating: conversation.rating,
            agents: inspection
                .agents
                .iter()
                .enumerate()
                .map(|(number, _)| {
                    let turn = &conversation.turns[inspection.layout.agents[number]];
                    let info = conversation.agent_info(conversation.agent_of(turn));
                    (info.and_then(|i| i.name.as_deref()), info.and_then(|i| i.team.as_deref()))
                })
                .collect(),
        };
        // Writing to memory cannot fail, and the context is strings and numbers.
        if serde_json::to_writer(&mut *out, &context).is_ok() {
            out.push(b'\n');
        }
    }
}

/// Takes what [`WithContext`] formats, whole blocks of lines at a time, and writes the Parquet files; the records
/// themselves go on to `lines` too.
pub struct Columnar<'l> {
    lines: Option<&'l mut (dyn Write + Send)>,
    encoder: Option<Encoder>,
}

struct Encoder {
    blocks: SyncSender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<Vec<BufWriter<File>>>>,
}

impl<'l> Columnar<'l> {
    /// Begins the files in a folder.
    ///
    /// # Errors
    /// When they cannot be created.
    pub fn new(folder: &StagedFolder, pack: &Pack, lines: Option<&'l mut (dyn Write + Send)>) -> Result<Columnar<'l>> {
        let files = FILES.iter().map(|name| folder.create(name)).collect::<Result<Vec<_>>>()?;
        let failed = |e| Error::write(FILES[0], e);
        let dimensions: Vec<String> = pack.scorecard.dimensions.iter().map(|d| d.id.clone()).collect();
        let mut tables = Tables::new(files, &dimensions).map_err(failed)?;
        let (blocks, incoming) = sync_channel::<Vec<u8>>(WAITING);
        let encode = move || {
            for block in incoming {
                tables.add(&block)?;
            }
            tables.finish()
        };
        let thread = std::thread::Builder::new().name("parquet".into()).spawn(encode).map_err(failed)?;
        Ok(Columnar { lines, encoder: Some(Encoder { blocks, thread }) })
    }

    /// Completes the files on the disk.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn finish(mut self) -> std::io::Result<()> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        encoder.end()?.into_iter().try_for_each(finish)
    }
}

impl Encoder {
    fn end(self) -> std::io::Result<Vec<BufWriter<File>>> {
        drop(self.blocks);
        self.thread.join().unwrap_or_else(|_| Err(std::io::Error::other("parquet: 内部错误 (encoder panicked)")))
    }
}

impl Write for Columnar<'_> {
    /// Takes all of `block`, which is whole pairs of lines.
    fn write(&mut self, block: &[u8]) -> std::io::Result<usize> {
        if let Some(out) = &mut self.lines {
            for line in block.split_inclusive(|b| *b == b'\n').step_by(2) {
                out.write_all(line)?;
            }
        }
        let gone = match &self.encoder {
            Some(encoder) if !block.is_empty() => encoder.blocks.send(block.to_vec()).is_err(),
            _ => false,
        };
        match (gone, if gone { self.encoder.take() } else { None }) {
            (true, Some(encoder)) => {
                Err(encoder.end().err().unwrap_or_else(|| std::io::Error::other("parquet: 提前结束 (encoder ended)")))
            }
            _ => Ok(block.len()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
