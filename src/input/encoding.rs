//! Plain bytes to UTF-8. The ladder: a byte-order mark, else strict UTF-8, else GB18030 or Big5.
//!
//! Two traps: Big5 decodes as "valid" GB18030, but into private-use characters, so those send the question to chardetng;
//! and one damaged line must not turn a UTF-8 file into a GBK one, so it is the bulk of the sample that decides. A file
//! of ASCII for its first 64 KiB is looked at further, up to 1 MiB.

use std::io;

use encoding_rs::{BIG5, CoderResult, Decoder, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::compression::{Stop, Stream};
use super::envelope::{Envelope, Way};
use crate::error::Error;

const SAMPLE: usize = 64 << 10;
const ASCII_SAMPLE: usize = 1 << 20;

/// The encoding a `--encoding` value names; `None` for `auto`.
pub(crate) fn by_label(label: &str) -> Result<Option<&'static Encoding>, Error> {
    let lower = label.trim().to_ascii_lowercase();
    let known = match lower.as_str() {
        "" | "auto" | "自动" => return Ok(None),
        "utf-8-sig" | "utf8-sig" | "utf8bom" | "utf-8-bom" => Some(UTF_8),
        "cp936" | "ms936" | "ansi" => Some(GB18030),
        "cp950" | "ms950" => Some(BIG5),
        other => Encoding::for_label_no_replacement(other.as_bytes()),
    };
    known.map(Some).ok_or_else(|| Error::Setting {
        option: "--encoding".into(),
        reason: format!(
            "不认识编码 {label};可用 auto、utf-8、gbk、gb18030、big5、utf-16le、utf-16be 等 (unknown encoding)"
        ),
    })
}

/// The encoding of a sample and the length of its byte-order mark. `complete` says that the sample is the whole file.
pub(crate) fn detect(sample: &[u8], complete: bool) -> (&'static Encoding, usize) {
    if let Some(found) = byte_order_mark(sample) {
        return found;
    }
    if mostly_utf8(sample) {
        return (UTF_8, 0);
    }
    let (errors, private) = trial(GB18030, sample, complete);
    if errors == 0 && private == 0 {
        return (GB18030, 0);
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(sample, complete);
    let guess = detector.guess(None, chardetng::Utf8Detection::Deny);
    let big5_errors = trial(BIG5, sample, complete).0;
    let big5 = guess == BIG5 && big5_errors <= errors.max(private) || errors > 0 && big5_errors == 0;
    (if big5 { BIG5 } else { GB18030 }, 0)
}

fn byte_order_mark(sample: &[u8]) -> Option<(&'static Encoding, usize)> {
    match sample {
        [0xef, 0xbb, 0xbf, ..] => Some((UTF_8, 3)),
        [0xff, 0xfe, ..] => Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => Some((UTF_16BE, 2)),
        _ => None,
    }
}

/// True when multi-byte sequences of UTF-8 outweigh the bytes that are none. Chinese in UTF-8 is three bytes a character,
/// which text in GBK almost never looks like.
fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut good, mut bad, mut rest) = (0usize, 0usize, sample);
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => return bad == 0 || good + long_bytes(text.as_bytes()) > bad,
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                good += long_bytes(valid);
                // a character cut at the end of the sample is no error
                let Some(len) = error.error_len() else { return bad == 0 || good > bad };
                bad += len;
                rest = &after[len..];
            }
        }
    }
}

/// Bytes in sequences of three or four.
fn long_bytes(valid: &[u8]) -> usize {
    valid
        .iter()
        .map(|b| {
            if *b >= 0xf0 {
                4
            } else if *b >= 0xe0 {
                3
            } else {
                0
            }
        })
        .sum()
}

/// Errors and private-use characters met when a sample is decoded.
fn trial(encoding: &'static Encoding, sample: &[u8], complete: bool) -> (usize, usize) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = vec![0; 3 * sample.len() + 64];
    let (_, _, written, _) = decoder.decode_to_utf8(sample, &mut out, complete);
    let text = String::from_utf8_lossy(&out[..written]);
    text.chars().fold((0, 0), |(errors, private), c| match c {
        '\u{FFFD}' => (errors + 1, private),
        '\u{E000}'..='\u{F8FF}' => (errors, private + 1),
        _ => (errors, private),
    })
}

/// A small file's text, whatever its encoding; a byte-order mark is taken off.
///
/// ```
/// assert_eq!(zhijian::input::text_of(b"\xc4\xfa\xba\xc3"), "您好");
/// assert_eq!(zhijian::input::text_of("您好".as_bytes()), "您好");
/// ```
pub fn text_of(bytes: &[u8]) -> String {
    let (encoding, bom) = byte_order_mark(bytes).unwrap_or_else(|| detect(bytes, true));
    encoding.decode_without_bom_handling(&bytes[bom..]).0.into_owned()
}

/// The UTF-8 text of one file, read in portions.
pub(crate) struct Text {
    stream: Stream,
    encoding: &'static Encoding,
    /// The sample encoding and format were found by, read again from `head_at` on.
    head: Vec<u8>,
    head_at: usize,
    /// `None` for UTF-8, which passes through unchecked: a bad line is its own affair.
    decoder: Option<Decoder>,
    chunk: Vec<u8>,
    ended: bool,
    stop: Option<Stop>,
    damaged: bool,
    /// Lets a list through and not what stands around it.
    envelope: Option<Envelope>,
}

impl Text {
    /// Reads a sample and settles the encoding; a byte-order mark outranks `wanted`.
    pub(crate) fn open(mut stream: Stream, wanted: Option<&'static Encoding>) -> Text {
        let mut head = Vec::new();
        let mut stop = None;
        let mut ended = false;
        while !ended && (head.len() < SAMPLE || head.len() < ASCII_SAMPLE && head.is_ascii()) {
            ended = fill(&mut stream, &mut head, SAMPLE, &mut stop);
        }
        let (encoding, bom) = match (byte_order_mark(&head), wanted) {
            (Some(found), _) => found,
            (None, Some(wanted)) => (wanted, 0),
            (None, None) => detect(&head, ended),
        };
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Text {
            stream,
            encoding,
            head,
            head_at: bom,
            decoder,
            chunk: Vec::new(),
            ended,
            stop,
            damaged: false,
            envelope: None,
        }
    }

    /// From here on, the text is that of a list inside an object.
    pub(crate) fn unwrap_list(&mut self, way: Way) {
        self.envelope = Some(Envelope::new(way));
    }

    /// What the text is taken out of.
    pub(crate) fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
    }

    /// The file's beginning as UTF-8, for finding out its format.
    pub(crate) fn sample(&self) -> String {
        let text = self.encoding.decode_without_bom_handling(&self.head[self.head_at..]).0;
        let Some(envelope) = &self.envelope else { return text.into_owned() };
        let mut out = Vec::new();
        Envelope::new(envelope.way().to_vec()).pass(text.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The file's first plain bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Appends about `want` bytes, fewer where an envelope keeps some back; returns false at the end.
    pub(crate) fn fill(&mut self, out: &mut Vec<u8>, want: usize) -> bool {
        let Some(mut envelope) = self.envelope.take() else { return self.decoded(out, want) };
        let mut piece = Vec::new();
        let more = self.decoded(&mut piece, want);
        envelope.pass(&piece, out);
        if !more && self.stop.is_none() {
            envelope.end(out);
        }
        self.envelope = Some(envelope);
        more
    }

    fn decoded(&mut self, out: &mut Vec<u8>, want: usize) -> bool {
        let target = out.len() + want;
        match &mut self.decoder {
            None => {
                let head = &self.head[self.head_at..];
                let n = head.len().min(want);
                out.extend_from_slice(&head[..n]);
                self.head_at += n;
                if self.head_at == self.head.len() {
                    self.head = Vec::new();
                    self.head_at = 0;
                    if out.len() < target && !self.ended {
                        self.ended = fill(&mut self.stream, out, target - out.len(), &mut self.stop);
                    }
                    return !(self.ended && self.head.is_empty());
                }
                true
            }
            Some(decoder) => loop {
                self.chunk.clear();
                let head = &self.head[self.head_at..];
                if head.is_empty() {
                    if !self.ended {
                        self.ended = fill(&mut self.stream, &mut self.chunk, SAMPLE.min(want), &mut self.stop);
                    }
                } else {
                    let n = head.len().min(want);
                    self.chunk.extend_from_slice(&head[..n]);
                    self.head_at += n;
                }
                let last = self.ended && self.head_at == self.head.len();
                self.damaged |= decode(decoder, &self.chunk, out, last);
                if last {
                    return false;
                }
                if out.len() >= target {
                    return true;
                }
            },
        }
    }

    /// True when something undecodable was met since the last call.
    pub(crate) fn take_damaged(&mut self) -> bool {
        std::mem::take(&mut self.damaged)
    }

    /// Why the text ended early, once.
    pub(crate) fn take_stop(&mut self) -> Option<Stop> {
        self.stop.take()
    }

    pub(crate) fn drain(&mut self) -> io::Result<()> {
        self.stream.drain()
    }
}

/// The plain bytes of a file, from the beginning, undecoded.
pub(crate) struct Raw {
    head: io::Cursor<Vec<u8>>,
    pub stream: Stream,
    /// Why reading ended early, when the data is to blame.
    pub stop: Option<Stop>,
}

impl Text {
    /// The file as bytes, for formats that are no text.
    pub(crate) fn into_raw(self) -> Raw {
        Raw { head: io::Cursor::new(self.head), stream: self.stream, stop: self.stop }
    }
}

impl io::Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.head.read(buf)?;
        if n > 0 || buf.is_empty() {
            return Ok(n);
        }
        if self.stop.is_some() {
            return Err(io::Error::other("the data ends here"));
        }
        self.stream.read(buf).map_err(|stop| {
            self.stop = Some(stop);
            io::Error::other("the data ends here")
        })
    }
}

/// Appends `want` plain bytes, or all there are: then true.
fn fill(stream: &mut Stream, out: &mut Vec<u8>, want: usize, stop: &mut Option<Stop>) -> bool {
    let mut at = out.len();
    out.resize(at + want, 0);
    let ended = loop {
        if at == out.len() {
            break false;
        }
        match stream.read(&mut out[at..]) {
            Ok(0) => break true,
            Ok(n) => at += n,
            Err(why) => {
                *stop = Some(why);
                break true;
            }
        }
    };
    out.truncate(at);
    ended
}

/// Decodes a chunk to the end of `out`; true when it held undecodable bytes.
fn decode(decoder: &mut Decoder, mut chunk: &[u8], out: &mut Vec<u8>, last: bool) -> bool {
    let mut damaged = false;
    loop {
        let at = out.len();
        let room = decoder.max_utf8_buffer_length(chunk.len()).unwrap_or(chunk.len() * 3 + 16);
        out.resize(at + room, 0);
        let (result, read, written, errors) = decoder.decode_to_utf8(chunk, &mut out[at..], last);
        out.truncate(at + written);
        damaged |= errors;
        chunk = &chunk[read..];
        if result == CoderResult::InputEmpty {
            return damaged;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;
    use proptest::prelude::*;

    const SIMPLIFIED: &str = "亲,您好,请问有什么可以帮您?这个订单还没有发货,我帮您催一下仓库。";
    const TRADITIONAL: &str = "您好,請問有什麼可以幫您?這個訂單還沒有發貨,我幫您催一下倉庫。";

    fn read(stored: &[u8], label: Option<&str>, want: usize) -> (String, &'static str, bool) {
        let stream = Stream::open(Box::new(io::Cursor::new(stored.to_vec())), Limits::default()).unwrap();
        let mut text = Text::open(stream, label.and_then(|l| by_label(l).unwrap()));
        let mut out = Vec::new();
        while text.fill(&mut out, want) {}
        (String::from_utf8_lossy(&out).into_owned(), text.encoding().name(), text.take_damaged())
    }

    #[test]
    fn ladder() {
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(|u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        for repeat in [1, 2, 5_000] {
            let (simplified, traditional) = (SIMPLIFIED.repeat(repeat), TRADITIONAL.repeat(repeat));
            for (stored, name, expected) in [
                (simplified.as_bytes().to_vec(), "UTF-8", &simplified),
                ([b"\xef\xbb\xbf", simplified.as_bytes()].concat(), "UTF-8", &simplified),
                (encoding_rs::GBK.encode(&simplified).0.into_owned(), "gb18030", &simplified),
                (GB18030.encode(&(simplified.clone() + "😀")).0.into_owned(), "gb18030", &(simplified.clone() + "😀")),
                (BIG5.encode(&traditional).0.into_owned(), "Big5", &traditional),
                (encoding_rs::GBK.encode(&traditional).0.into_owned(), "gb18030", &traditional),
                (utf16(&simplified, false), "UTF-16LE", &simplified),
                (utf16(&simplified, true), "UTF-16BE", &simplified),
            ] {
                for want in [100, 1 << 20] {
                    let (text, found, damaged) = read(&stored, None, want);
                    assert_eq!(found, name);
                    assert!(text == *expected && !damaged, "{name} {repeat} {want}");
                }
            }
        }
    }

    #[test]
    fn short_lines_of_each() {
        // (谢谢 alone is valid UTF-8 by accident: лл)
        for text in ["好的", "谢谢您", "在吗?", "您好,在的", "几天能到", "退款什么时候到账"] {
            let gbk = encoding_rs::GBK.encode(text).0.into_owned();
            assert_eq!(detect(&gbk, true).0, GB18030, "{text}");
            assert_eq!(detect(text.as_bytes(), true).0, UTF_8, "{text}");
        }
        for text in ["您好,請問我的訂單到哪裡了", "請問什麼時候可以退款", "這個有貨嗎?謝謝"]
        {
            assert_eq!(detect(&BIG5.encode(text).0, true).0, BIG5, "{text}");
        }
    }

    #[test]
    fn a_damaged_line_keeps_utf8() {
        let mut stored = format!("{SIMPLIFIED}\n").into_bytes();
        stored.extend(encoding_rs::GBK.encode("坏的一行\n").0.iter());
        assert_eq!(detect(&stored, true).0, UTF_8);
        // a character cut by the end of the sample
        let cut = &SIMPLIFIED.as_bytes()[..SIMPLIFIED.len() - 1];
        assert_eq!(detect(cut, false).0, UTF_8);
        let gbk = encoding_rs::GBK.encode("您好").0;
        assert_eq!(detect(&gbk[..3], false).0, GB18030);
    }

    #[test]
    fn ascii_first_then_chinese() {
        let mut stored = vec![b'a'; 200_000];
        stored.extend(encoding_rs::GBK.encode(SIMPLIFIED).0.iter());
        assert_eq!(read(&stored, None, 1 << 16).1, "gb18030");
    }

    #[test]
    fn labels() {
        assert_eq!(by_label("gb2312").unwrap(), Some(encoding_rs::GBK));
        assert_eq!(by_label("auto").unwrap(), None);
        assert!(by_label("utf-9").unwrap_err().to_string().contains("utf-9"));
        assert!(by_label("iso-2022-kr").is_err());
        assert_eq!(read("您好".as_bytes(), Some("utf-8"), 10).0, "您好");
        let (text, _, damaged) = read(&[0xc4, 0xfa, 0xff, b'\n'], Some("gbk"), 10);
        assert!(damaged && text.contains('\u{FFFD}'), "{text}");
    }

    proptest! {
        #[test]
        fn never_panics(stored in prop::collection::vec(any::<u8>(), 0..300), want in 1usize..50) {
            let _ = read(&stored, None, want);
        }

        #[test]
        fn utf8_passes_unchanged(text in "\\PC{0,200}", want in 1usize..50) {
            prop_assert_eq!(read(text.as_bytes(), Some("utf-8"), want).0, text.trim_start_matches('\u{feff}'));
        }
    }
}
