//! What a compressed Arrow buffer says it unpacks to, looked at before the library that unpacks it takes memory on its word.
//!
//! The stream's messages are followed as they pass: of a batch whose buffers are compressed, the first eight bytes of each are
//! its size unpacked. A size no compression reaches is a broken file; one beyond the limits is turned down.

use arrow_ipc::{CompressionType, MessageHeader, root_as_message};

use super::Limits;
use super::reject::{CORRUPT, Fault, LIMIT};

/// The longest description of a batch.
const DESCRIPTION: usize = 64 << 20;
/// From this size on, how well a batch is compressed is looked at.
const SUSPECT: u64 = 1 << 30;
/// A size this small needs no looking at.
const SMALL: u64 = 64 << 10;

/// Follows a stream.
pub(super) struct Gate {
    state: State,
    limits: Limits,
}

enum State {
    Header {
        buffer: [u8; 4],
        read: usize,
        continued: bool,
    },
    Description {
        size: usize,
        text: Vec<u8>,
    },
    Body(Body),
    /// The stream has ended, or is none: the reader says so.
    Open,
}

/// The bytes of a batch.
struct Body {
    length: u64,
    at: u64,
    /// Compressed buffers, by where they begin; those before `next` are done with.
    buffers: Vec<Packed>,
    next: usize,
    most: u64,
    unpacked: u64,
}

#[derive(Clone, Copy)]
struct Packed {
    offset: u64,
    length: u64,
    size: [u8; 8],
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Gate {
        Gate { state: State::Header { buffer: [0; 4], read: 0, continued: false }, limits }
    }

    /// Looks at the stream's next bytes: how many of them may pass, and why not the rest.
    pub(super) fn look(&mut self, chunk: &[u8]) -> (usize, Option<Fault>) {
        let mut at = 0;
        while at < chunk.len() {
            let rest = &chunk[at..];
            let (taken, next) = match &mut self.state {
                State::Open => return (chunk.len(), None),
                State::Header { buffer, read, continued } => {
                    let taken = rest.len().min(4 - *read);
                    buffer[*read..*read + taken].copy_from_slice(&rest[..taken]);
                    *read += taken;
                    let next = match (*read, u32::from_le_bytes(*buffer)) {
                        (4, u32::MAX) if !*continued => {
                            Some(State::Header { buffer: [0; 4], read: 0, continued: true })
                        }
                        (4, 0) => Some(State::Open),
                        (4, size) => Some(State::Description { size: size as usize, text: Vec::new() }),
                        _ => None,
                    };
                    (taken, next)
                }
                State::Description { size, text } => {
                    if *size > DESCRIPTION {
                        let reason = format!("Arrow 数据的说明有 {size} 字节,超过上限,其后的内容未读取");
                        return (at, Some(Fault::new(LIMIT, reason)));
                    }
                    let taken = rest.len().min(*size - text.len());
                    text.extend_from_slice(&rest[..taken]);
                    (taken, (text.len() == *size).then(|| body(text)))
                }
                State::Body(body) => {
                    let taken = (body.length - body.at).min(rest.len() as u64) as usize;
                    if let Err(fault) = body.look(&rest[..taken], &self.limits) {
                        return (at, Some(fault));
                    }
                    (taken, None)
                }
            };
            at += taken;
            if let Some(next) = next {
                self.state = next;
            }
            if let State::Body(body) = &self.state
                && body.at == body.length
            {
                self.state = State::Header { buffer: [0; 4], read: 0, continued: false };
            }
        }
        (chunk.len(), None)
    }
}

/// What follows a description.
fn body(description: &[u8]) -> State {
    let Ok(message) = root_as_message(description) else { return State::Open };
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|d| d.data()),
        _ => None,
    };
    let packed = batch.and_then(|batch| Some((batch.compression()?.codec(), batch.buffers()?)));
    // what the formats' densest blocks hold: 255 bytes a byte, and 128 KiB in four
    let most = match packed {
        Some((CompressionType::LZ4_FRAME, _)) => 255,
        _ => 1 << 15,
    };
    let all = packed.into_iter().flat_map(|(_, buffers)| buffers);
    let mut buffers: Vec<Packed> = all
        .filter_map(|b| Some((u64::try_from(b.offset()).ok()?, u64::try_from(b.length()).ok()?)))
        .filter(|(offset, length)| *length >= 8 && offset.checked_add(*length).is_some())
        .map(|(offset, length)| Packed { offset, length, size: [0; 8] })
        .collect();
    buffers.sort_by_key(|b| b.offset);
    State::Body(Body { length: message.bodyLength() as u64, at: 0, buffers, next: 0, most, unpacked: 0 })
}

impl Body {
    fn look(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
        let end = self.at + bytes.len() as u64;
        for number in self.next..self.buffers.len() {
            let buffer = &mut self.buffers[number];
            if buffer.offset >= end {
                break;
            }
            let (from, to) = (buffer.offset.max(self.at), (buffer.offset + 8).min(end));
            if from < to {
                let place = (from - buffer.offset) as usize..(to - buffer.offset) as usize;
                buffer.size[place].copy_from_slice(&bytes[(from - self.at) as usize..(to - self.at) as usize]);
            }
            let buffer = *buffer;
            if buffer.offset + 8 <= end {
                self.next = number + 1;
                self.check(&buffer, limits)?;
            }
        }
        self.at = end;
        Ok(())
    }

    fn check(&mut self, buffer: &Packed, limits: &Limits) -> Result<(), Fault> {
        // none or less says that it is not compressed
        let size = u64::try_from(i64::from_le_bytes(buffer.size)).unwrap_or(0);
        if size > SMALL && size / self.most > buffer.length {
            let reason = format!(
                "Arrow 数据损坏,其后的内容无法读取 (压缩的列写明解开后有 {size} 字节,存的只有 {} 字节)",
                buffer.length
            );
            return Err(Fault::new(CORRUPT, reason));
        }
        self.unpacked = self.unpacked.saturating_add(size);
        let dense = self.unpacked > SUSPECT && self.unpacked / limits.max_compression_ratio.max(1) > self.length;
        if self.unpacked > limits.max_document_bytes || dense {
            let reason = format!(
                "Arrow 的一批数据写明解开后有 {} MB,存的只有 {} KB,超过大小或压缩比的上限,其后的内容未读取",
                self.unpacked >> 20,
                self.length >> 10
            );
            return Err(Fault::new(LIMIT, reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};

    use super::super::columnar::Batches;
    use super::*;

    fn stream(codec: CompressionType, texts: usize) -> Vec<u8> {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..texts).map(|n| "您好".repeat(n % 90))));
        let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
        let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        let mut out = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        out.write(&batch).unwrap();
        out.write(&batch).unwrap();
        out.into_inner().unwrap()
    }

    /// The rows read and the fault that ended them.
    fn read(bytes: &[u8], limits: Limits) -> (usize, Option<Fault>) {
        let (mut batches, _) = Batches::ipc(Box::new(std::io::Cursor::new(bytes.to_vec())), false, limits).unwrap();
        let mut rows = 0;
        loop {
            match batches.next() {
                Ok(Some(batch)) => rows += batch.num_rows(),
                Ok(None) => return (rows, None),
                Err(fault) => return (rows, Some(fault)),
            }
        }
    }

    /// The stream with the sizes of its last compressed buffer of over 64 KiB unpacked made another.
    fn declaring(bytes: &[u8], size: i64) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let found = (0..out.len() - 8).rev().find(|at| {
            let size = i64::from_le_bytes(out[*at..at + 8].try_into().unwrap());
            (70_000..700_000).contains(&size)
        });
        let at = found.unwrap();
        out[at..at + 8].copy_from_slice(&size.to_le_bytes());
        out
    }

    #[test]
    fn sizes_that_cannot_be_are_faults() {
        for codec in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
            let bytes = stream(codec, 1000);
            assert_eq!(read(&bytes, Limits::default()), (2000, None));
            for size in [200 << 40, 20 << 30, i64::MAX] {
                let (rows, fault) = read(&declaring(&bytes, size), Limits::default());
                let fault = fault.unwrap();
                assert_eq!((rows, fault.code), (1000, CORRUPT), "{}", fault.reason);
                assert!(fault.reason.contains(&size.to_string()), "{}", fault.reason);
            }
            let small = Limits { max_document_bytes: 1 << 16, ..Limits::default() };
            assert_eq!(read(&bytes, small).1.unwrap().code, LIMIT);
        }
    }

    #[test]
    fn wherever_the_stream_is_cut() {
        let bytes = stream(CompressionType::ZSTD, 1000);
        let broken = declaring(&bytes, 20 << 30);
        for piece in [1, 3, 7, 64, 1000] {
            let told = |bytes: &[u8]| {
                let mut gate = Gate::new(Limits::default());
                let mut passed = 0;
                for chunk in bytes.chunks(piece) {
                    let (n, fault) = gate.look(chunk);
                    passed += n;
                    if fault.is_some() {
                        return (passed, fault);
                    }
                }
                (passed, None)
            };
            assert_eq!(told(&bytes), (bytes.len(), None));
            let (passed, fault) = told(&broken);
            assert!(fault.is_some_and(|f| f.code == CORRUPT) && passed < bytes.len(), "{piece}");
        }
    }
}
