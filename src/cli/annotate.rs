//! `zhijian annotate`: the markers of every turn.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Mutex;

use serde::Serialize;

use zhijian::conversation::Conversation;
use zhijian::engine::{Engine, Inspection};
use zhijian::error::Result;
use zhijian::judge::Lang;
use zhijian::pipeline::{Format, Run};

use super::Outcome;
use super::progress::Progress;
use super::setting::{EngineArgs, InputArgs};
use super::signals::Stop;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// 引文里的个人信息:mask 遮盖,keep 原样
    #[arg(long, value_enum, default_value_t = super::inspect::Pii::Mask)]
    pii: super::inspect::Pii,
    /// 不显示进度
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Serialize)]
struct Line<'l> {
    conversation_id: &'l str,
    turn: usize,
    role: &'static str,
    markers: Vec<&'l str>,
    hits: Vec<HitLine<'l>>,
}

#[derive(Serialize)]
struct HitLine<'l> {
    marker: &'l str,
    start: u32,
    end: u32,
    phrase: &'l str,
    quote: Cow<'l, str>,
}

struct Annotations {
    mask: bool,
}

impl Format for Annotations {
    fn conversation(
        &self,
        engine: &Engine,
        conversation: &Conversation<'_>,
        inspection: &Inspection,
        out: &mut Vec<u8>,
    ) {
        let markers = &engine.pack().markers;
        for (number, turn) in conversation.turns.iter().enumerate() {
            let hits = inspection.hits.of(number).iter().map(|hit| HitLine {
                marker: &markers[hit.marker as usize].id,
                start: hit.span.start,
                end: hit.span.end,
                phrase: engine.detector().phrase(hit),
                quote: match self.mask {
                    true => zhijian::text::mask_part(&turn.text, hit.span),
                    false => Cow::Borrowed(hit.span.slice(&turn.text)),
                },
            });
            let line = Line {
                conversation_id: &conversation.id,
                turn: number,
                role: turn.role.as_str(),
                markers: inspection.hits.markers(number).map(|m| markers[m as usize].id.as_str()).collect(),
                hits: hits.collect(),
            };
            if serde_json::to_writer(&mut *out, &line).is_ok() {
                out.push(b'\n');
            }
        }
    }
}

/// Rejects go to standard error, a line each.
struct Complaints(Mutex<std::io::Stderr>);

impl Write for Complaints {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut err = self.0.lock().unwrap_or_else(|p| p.into_inner());
        if !bytes.is_empty() {
            err.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn run(args: Args) -> Result<Outcome> {
    let stop = Stop::listen()?;
    let engine = args.engine.engine(args.input.zone()?, Lang::Zh, args.pii == super::inspect::Pii::Mask)?;
    let reader = args.input.open()?;
    let progress = Progress::new(reader.total_bytes(), args.quiet);
    let format = Annotations { mask: args.pii == super::inspect::Pii::Mask };
    let run = Run {
        engine: &engine,
        format: &format,
        threads: args.engine.threads(),
        observer: &progress,
        stop: &stop.flag,
        mask: format.mask,
        spill: None,
    };
    let mut out = std::io::BufWriter::with_capacity(1 << 18, std::io::stdout());
    let mut complaints = Complaints(Mutex::new(std::io::stderr()));
    let summary = run.run(reader, &mut out, &mut complaints);
    progress.finish();
    stop.check()?;
    let summary = summary?;
    out.flush().map_err(|e| zhijian::error::Error::write("标准输出", e))?;
    if summary.records_rejected > 0 && !args.quiet {
        eprintln!("有 {} 条记录无法读取(见上)。", summary.records_rejected);
    }
    Ok(Outcome::Done)
}
