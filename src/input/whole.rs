//! Texts whose conversations are stretches of the file: captions and copied chats. The reader only finds where each begins;
//! workers read them.

use std::sync::Arc;

use super::block::{Block, Content, Item};
use super::draft::Context;
use super::format::Shape;
use super::reader::{rejects_block, stopped, summary};
use super::reject::{ENCODING, Fault, LIMIT, Reject};
use super::source::Source;
use super::{FileSummary, InputOptions, chat_log, subtitle};
use crate::error::Error;

/// A file that is its conversations' text: read whole, under the document limit.
pub(super) fn texts(mut source: Source, options: &Arc<InputOptions>) -> Result<(Vec<Block>, FileSummary), Error> {
    let mut data = Vec::with_capacity(source.size_hint());
    let mut over = false;
    while source.text.fill(&mut data, 1 << 20) {
        if data.len() as u64 > options.limits.max_document_bytes {
            over = true;
            break;
        }
    }
    let mut fault = stopped(&mut source.text, &source.name)?;
    if over {
        fault = Some(Fault::new(LIMIT, "文件超过大小上限,未读取"));
        data = Vec::new();
    }
    let damaged = source.text.take_damaged();
    let shape = source.format.shape;
    // half a call must not be judged as if it were whole
    let parts = if fault.is_some() { Vec::new() } else { parts(shape, &data, &source.stem) };
    let records = parts.len() as u64 + u64::from(fault.is_some());
    let summary = summary(&mut source.text, &source.name, source.format.id, records, 0)?;
    let mut blocks = Vec::new();
    match fault {
        Some(fault) => blocks.push(rejects_block(vec![fault.reject(&source.name, 1, &data)], summary.bytes)),
        None => {
            let texts = Texts { file: source.name.clone(), shape, parts, damaged, options: options.clone() };
            blocks.push(Block { bytes: summary.bytes, buffer: data, content: Content::Texts(texts) });
        }
    }
    Ok((blocks, summary))
}

/// Conversations of a file, in the block's buffer.
pub(crate) struct Texts {
    pub file: Arc<str>,
    pub shape: Shape,
    /// Where each begins, on which line, and the id it has by default.
    pub parts: Vec<(usize, u64, String)>,
    /// Undecodable bytes were met while transcoding.
    pub damaged: bool,
    pub options: Arc<InputOptions>,
}

/// Where the conversations of a text begin.
pub(crate) fn parts(shape: Shape, text: &[u8], stem: &str) -> Vec<(usize, u64, String)> {
    let lossy = String::from_utf8_lossy(text);
    if shape != Shape::ChatLog {
        return vec![(0, 1, stem.to_owned())];
    }
    // places in a text that is no UTF-8 cannot be told; it is one record, and will be a reject
    let starts = match lossy {
        std::borrow::Cow::Borrowed(text) => chat_log::starts(text),
        std::borrow::Cow::Owned(_) => vec![(0, 1)],
    };
    let name = |number: usize| if number == 0 { stem.to_owned() } else { format!("{stem}-{}", number + 1) };
    starts.into_iter().enumerate().map(|(number, (at, line))| (at, line, name(number))).collect()
}

impl Texts {
    pub(crate) fn visit(&self, buffer: &[u8], f: &mut dyn FnMut(Item<'_>)) {
        let mut context = Context::new(&self.options, String::new());
        for (number, (start, line, id)) in self.parts.iter().enumerate() {
            let end = self.parts.get(number + 1).map_or(buffer.len(), |p| p.0);
            let raw = &buffer[*start..end];
            context.fallback.clone_from(id);
            let text = std::str::from_utf8(raw).ok().filter(|t| !(self.damaged && t.contains('\u{FFFD}')));
            let read = match (text, self.shape) {
                (None, _) => Err((*line, Fault::new(ENCODING, "含有无法按该文件编码解读的字节"))),
                (Some(text), Shape::ChatLog) => chat_log::read(text, &context).map_err(|fault| (*line, fault)),
                (Some(text), shape) => subtitle::read(text, shape == Shape::Vtt, &context),
            };
            match read {
                Ok(mut conversation) => {
                    self.options.mapping.apply(&mut conversation);
                    f(Item::Conversation { conversation, file: &self.file, line: *line, records: 1 });
                }
                Err((line, fault)) => {
                    let reject = fault.reject(&self.file, line, raw);
                    f(Item::Reject(Reject { column: None, ..reject }));
                }
            }
        }
    }
}
