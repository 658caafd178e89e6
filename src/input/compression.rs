//! Stored bytes to plain bytes: counts and hashes what is stored, recognises gzip and zstd by their first bytes (an
//! extension lies more often than a magic number), reads every member of a concatenated file, and bounds the output.
//!
//! A broken end is told apart from a broken disk: the first is a fault of the data, kept as a [`Fault`] so that
//! everything before it is still judged; the second ends the run.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::Limits;
use super::reject::{CORRUPT, Fault, LIMIT, TRUNCATED};

/// Below this many decompressed bytes no compression ratio is suspicious.
const RATIO_FLOOR: u64 = 1 << 30;

/// Where stored bytes come from.
pub(crate) type Raw = Box<dyn Read + Send>;

/// What has been read of one file, shared with the reader at the bottom of the stack.
#[derive(Default)]
pub(crate) struct Tally {
    bytes: AtomicU64,
    failed: Mutex<Option<io::Error>>,
    hasher: Mutex<Sha256>,
}

impl Tally {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The SHA-256 of all bytes read so far.
    pub(crate) fn sha256(&self) -> String {
        let digest = self.hasher.lock().unwrap_or_else(|e| e.into_inner()).clone().finalize();
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The bottom of the stack: counts, hashes, remembers a failing disk.
struct Stored {
    raw: Raw,
    tally: Arc<Tally>,
}

impl Read for Stored {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.raw.read(buf) {
                Ok(n) => {
                    self.tally.bytes.fetch_add(n as u64, Ordering::Relaxed);
                    self.tally.hasher.lock().unwrap_or_else(|e| e.into_inner()).update(&buf[..n]);
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    *self.tally.failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                    return Err(kind.into());
                }
            }
        }
    }
}

type Input = io::Chain<Cursor<Vec<u8>>, BufReader<Stored>>;

enum Decoder {
    Plain(Input),
    Gzip(Box<MultiGzDecoder<Input>>),
    Zstd(Box<zstd::Decoder<'static, Input>>),
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The disk or pipe failed: the run ends.
    Io(io::Error),
    /// The data is broken from here on: the rest of the file is one reject.
    Data(Fault),
}

/// The plain bytes of one file.
pub(crate) struct Stream {
    decoder: Decoder,
    tally: Arc<Tally>,
    limits: Limits,
    produced: u64,
}

impl Stream {
    pub(crate) fn open(raw: Raw, limits: Limits) -> io::Result<Stream> {
        let tally = Arc::new(Tally::default());
        let mut stored = BufReader::with_capacity(1 << 17, Stored { raw, tally: tally.clone() });
        // a pipe may hand over less than the magic bytes at first, so they are read, not peeked at
        let mut head = Vec::with_capacity(4);
        (&mut stored).take(4).read_to_end(&mut head)?;
        let input = |head: Vec<u8>| Cursor::new(head).chain(stored);
        let decoder = match head.as_slice() {
            [0x1f, 0x8b, ..] => Decoder::Gzip(Box::new(MultiGzDecoder::new(input(head)))),
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                Decoder::Zstd(Box::new(zstd::Decoder::with_buffer(input(head))?))
            }
            _ => Decoder::Plain(input(head)),
        };
        Ok(Stream { decoder, tally, limits, produced: 0 })
    }

    /// `none`, `gzip` or `zstd`.
    pub(crate) fn compression(&self) -> &'static str {
        match self.decoder {
            Decoder::Plain(_) => "none",
            Decoder::Gzip(_) => "gzip",
            Decoder::Zstd(_) => "zstd",
        }
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Reads some plain bytes; 0 at the end.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let result = match &mut self.decoder {
            Decoder::Plain(input) => input.read(buf),
            Decoder::Gzip(decoder) => decoder.read(buf),
            Decoder::Zstd(decoder) => decoder.read(buf),
        };
        match result {
            Ok(n) => {
                self.produced += n as u64;
                match over_limit(self.produced, self.tally.bytes(), &self.limits) {
                    Some(fault) if !matches!(self.decoder, Decoder::Plain(_)) => Err(Stop::Data(fault)),
                    _ => Ok(n),
                }
            }
            Err(error) => Err(self.stop(error)),
        }
    }

    fn stop(&self, error: io::Error) -> Stop {
        if let Some(failed) = self.tally.failed.lock().unwrap_or_else(|e| e.into_inner()).take() {
            return Stop::Io(failed);
        }
        Stop::Data(if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::new(TRUNCATED, "压缩文件不完整(传输或写入中断?),此处之后的内容无法读取;之前的记录已照常处理")
        } else {
            Fault::new(CORRUPT, format!("压缩数据损坏,此处之后的内容无法读取;之前的记录已照常处理 ({error})"))
        })
    }

    /// Reads what is left of the stored bytes, so that count and hash cover the whole file.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        let input = match &mut self.decoder {
            Decoder::Plain(input) => input,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
        };
        loop {
            let n = input.fill_buf()?.len();
            if n == 0 {
                return Ok(());
            }
            input.consume(n);
        }
    }
}

/// The fault of a file that decompresses to more than it may.
pub(super) fn over_limit(produced: u64, stored: u64, limits: &Limits) -> Option<Fault> {
    if produced > limits.max_decompressed_bytes {
        let max = limits.max_decompressed_bytes;
        return Some(Fault::new(LIMIT, format!("解压后超过上限 {max} 字节,其后的内容未读取")));
    }
    if produced > RATIO_FLOOR && produced / stored.max(1) > limits.max_compression_ratio {
        let max = limits.max_compression_ratio;
        return Some(Fault::new(LIMIT, format!("压缩比超过上限 {max}:1(疑似压缩炸弹),其后的内容未读取")));
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;

    pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    pub(crate) fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::encode_all(data, 1).unwrap()
    }

    fn read(stored: &[u8], limits: Limits) -> (Vec<u8>, Option<&'static str>, Stream) {
        let mut stream = Stream::open(Box::new(Cursor::new(stored.to_vec())), limits).unwrap();
        let (mut out, mut buf) = (Vec::new(), vec![0; 1000]);
        let code = loop {
            match stream.read(&mut buf) {
                Ok(0) => break None,
                Ok(n) => out.extend_from_slice(&buf[..n]),
                Err(Stop::Data(fault)) => break Some(fault.code),
                Err(Stop::Io(error)) => panic!("{error}"),
            }
        };
        stream.drain().unwrap();
        (out, code, stream)
    }

    fn noise() -> Vec<u8> {
        (0u32..40_000).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    #[test]
    fn every_member_is_read_and_hashed() {
        let data = noise();
        for (stored, name) in [
            (data.clone(), "none"),
            ([gzip(&data[..500]), gzip(&data[500..])].concat(), "gzip"),
            ([zstd(&data[..500]), zstd(&data[500..])].concat(), "zstd"),
        ] {
            let (out, code, stream) = read(&stored, Limits::default());
            assert!(out == data && code.is_none(), "{name}");
            assert_eq!(stream.compression(), name);
            assert_eq!(stream.tally().bytes(), stored.len() as u64);
            let hash: String = Sha256::digest(&stored).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(stream.tally().sha256(), hash);
        }
        for short in [&b""[..], b"a", b"ab"] {
            assert_eq!(read(short, Limits::default()).0, short);
        }
    }

    #[test]
    fn a_broken_end_keeps_what_came_before() {
        let data = noise();
        for stored in [gzip(&data), zstd(&data)] {
            let half = &stored[..stored.len() / 2];
            let (out, code, stream) = read(half, Limits::default());
            assert_eq!(code, Some(TRUNCATED));
            assert!(!out.is_empty() && data.starts_with(&out));
            assert_eq!(stream.tally().bytes(), half.len() as u64);
            let garbage = [stored.as_slice(), b"garbage"].concat();
            let (out, code, stream) = read(&garbage, Limits::default());
            assert!(out == data && code.is_some());
            assert_eq!(stream.tally().bytes(), garbage.len() as u64);
        }
    }

    #[test]
    fn bombs_are_stopped() {
        let limits = Limits { max_decompressed_bytes: 10_000, ..Limits::default() };
        let (out, code, _) = read(&gzip(&vec![b'a'; 1 << 20]), limits);
        assert_eq!(code, Some(LIMIT));
        assert!(out.len() <= 10_000);
        assert!(read(&vec![b'a'; 1 << 20], limits).1.is_none(), "a plain file is no bomb");
        let limits = Limits::default();
        assert!(over_limit(1 << 31, 1 << 20, &limits).is_some());
        assert!(over_limit(1 << 31, 1 << 25, &limits).is_none());
        assert!(over_limit(1 << 29, 1 << 10, &limits).is_none());
    }
}
