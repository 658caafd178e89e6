//! `zhijian inspect --pipe`: one stage of a larger pipeline. Conversations in, lines out, no folder written.
//!
//! Standard output holds, in this order and a JSON object a line: the records of `conversations.jsonl`, with rejects as
//! `{"reject":…}` between them where their blocks end; the partial as `{"partial":"base64"}` in pieces; and one
//! `{"trailer":…}` with sums over all of it. Whoever reads it checks the trailer: without it, or with other sums, the
//! stage did not finish, whatever the exit code that reached them.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use sha2::{Digest, Sha256};

use zhijian::error::{Error, Result};
use zhijian::pipeline::{Run, Summary};
use zhijian::report::chat::Spill;
use zhijian::score::partial::Stamp;

use super::Outcome;
use super::inspect::{Args, Pii};
use super::progress::Progress;
use super::signals::Stop;

/// Bytes of the partial on one line.
const PIECE: usize = 768 << 10;

/// The last line.
#[derive(Serialize)]
struct Trailer<'t> {
    program: &'static str,
    pack: String,
    /// Records inspected and rejected, blank ones.
    records_inspected: u64,
    records_rejected: u64,
    blank: u64,
    conversations: u64,
    findings: u64,
    rejects: &'t std::collections::BTreeMap<String, u64>,
    /// Lines before the partial, and the SHA-256 of records and rejects in order.
    results: u64,
    results_sha256: String,
    /// The partial put together again: its bytes and their SHA-256.
    partial_bytes: u64,
    partial_sha256: String,
}

/// Standard output, shared by the writers of records, rejects and partial.
struct Out {
    out: BufWriter<io::Stdout>,
    lines: u64,
    digest: Sha256,
}

impl Out {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Out>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Out) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// Whole lines of records.
impl Write for Shared {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.with(|out| {
            out.lines += lines.iter().filter(|b| **b == b'\n').count() as u64;
            out.put(lines).map(|()| lines.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|out| out.out.flush())
    }
}

/// Whole lines of rejects, each in an object of its own kind.
struct Rejects(Shared);

impl Write for Rejects {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.with(|out| {
            for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                out.lines += 1;
                [b"{\"reject\":", line, b"}\n"].iter().try_for_each(|part| out.put(part))?;
            }
            Ok(lines.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The partial, in pieces.
struct Pieces {
    out: Shared,
    held: Vec<u8>,
    bytes: u64,
    digest: Sha256,
}

impl Pieces {
    fn line(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let line = format!("{{\"partial\":\"{}\"}}\n", base64(&self.held));
        self.held.clear();
        self.out.with(|out| out.out.write_all(line.as_bytes()))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = &bytes[..bytes.len().min(PIECE - self.held.len())];
        self.held.extend_from_slice(room);
        self.digest.update(room);
        self.bytes += room.len() as u64;
        if self.held.len() == PIECE {
            self.line()?;
        }
        Ok(room.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line()
    }
}

pub fn run(args: &Args) -> Result<Outcome> {
    let told = |e| Error::write("标准输出", e);
    args.partial.begin(std::path::Path::new("-"))?;
    if args.store.is_given() && !args.quiet {
        eprintln!("注意: --pipe 不存历史库;合并时用 zhijian merge --store (not stored)");
    }
    let stop = Stop::listen()?;
    let reader = args.input.open()?;
    let engine = args.engine.engine(args.input.zone()?, args.lang.lang(), args.pii == Pii::Mask)?;
    let pack = engine.pack();
    let temporary = std::env::temp_dir();
    let spill = args.report.pages().then(|| Spill::new(&temporary)).transpose()?;
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let out = BufWriter::with_capacity(1 << 18, io::stdout());
    let out = Shared(Arc::new(Mutex::new(Out { out, lines: 0, digest: Sha256::new() })));
    let run = Run {
        engine: &engine,
        format: &args.format(),
        threads: args.engine.threads(),
        observer: &progress,
        stop: &stop.flag,
        mask: args.pii == Pii::Mask,
        spill: spill.as_ref(),
    };
    let summary = run.run(reader, &mut out.clone(), &mut Rejects(out.clone()));
    progress.finish();
    stop.check()?;
    let mut summary = summary?;
    let mut pieces = Pieces { out: out.clone(), held: Vec::new(), bytes: 0, digest: Sha256::new() };
    let slice = args.partial.slice.as_deref();
    zhijian::partial::write(&mut pieces, pack, &args.settings(), slice, &mut summary, spill.as_ref()).map_err(told)?;
    let (bytes, partial) = (pieces.bytes, hex(&pieces.digest.finalize_reset()));
    let trailer = trailer(&summary, &Stamp::of(pack), &out, bytes, partial);
    let line = serde_json::to_string(&serde_json::json!({ "trailer": trailer })).unwrap_or_default();
    out.with(|out| writeln!(out.out, "{line}").and_then(|()| out.out.flush())).map_err(told)?;
    Ok(args.gates.judge(pack, &summary, None))
}

fn trailer<'t>(summary: &'t Summary, stamp: &Stamp, out: &Shared, bytes: u64, partial: String) -> Trailer<'t> {
    let aggregate = &summary.aggregate;
    let (results, digest) = out.with(|out| (out.lines, out.digest.finalize_reset()));
    Trailer {
        program: env!("CARGO_PKG_VERSION"),
        pack: stamp.sha256.clone(),
        records_inspected: summary.records_inspected,
        records_rejected: summary.records_rejected,
        blank: summary.files.iter().map(|f| f.blank).sum(),
        conversations: aggregate.conversations,
        findings: aggregate.all.rules.values().map(|c| c.findings + c.review).sum(),
        rejects: &summary.rejects,
        results,
        results_sha256: hex(&digest),
        partial_bytes: bytes,
        partial_sha256: partial,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
