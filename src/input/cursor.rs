//! A text of JSON read byte by byte through a window: brackets and strings are matched, and nothing else is looked at.

use super::encoding::Text;
use super::reject::{BAD_JSON, Fault};

/// Brackets nested deeper than this end a file; serde_json refuses a record from 128 on.
const DEEPEST: usize = 10_000;
/// As much of a record that cannot be taken as its reject shows.
pub(super) const RAW_BYTES: usize = 8_192;
const WINDOW: usize = 1 << 18;

/// A place in a text.
pub(super) struct Cursor {
    pub text: Text,
    window: Vec<u8>,
    at: usize,
    ended: bool,
    /// The line the place is on.
    pub line: u64,
    /// The longest value that is kept whole, in bytes.
    pub most: usize,
}

impl Cursor {
    pub(super) fn new(text: Text, most: usize) -> Cursor {
        Cursor { text, window: Vec::new(), at: 0, ended: false, line: 1, most }
    }

    /// What stands around the place.
    pub(super) fn around(&self) -> &[u8] {
        let from = self.at.saturating_sub(200);
        &self.window[from.min(self.window.len())..]
    }

    /// The byte at the place; none at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        if self.at == self.window.len() {
            self.window.clear();
            self.at = 0;
            while self.window.is_empty() && !self.ended {
                self.ended = !self.text.fill(&mut self.window, WINDOW);
            }
        }
        self.window.get(self.at).copied()
    }

    /// Steps over a byte.
    pub(super) fn bump(&mut self) {
        self.line += u64::from(self.window.get(self.at) == Some(&b'\n'));
        self.at += 1;
    }

    /// Steps over white space.
    pub(super) fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace() || b == 0xef && self.is_mark()) {
            if self.peek() == Some(0xef) {
                self.at += 2;
            }
            self.bump();
        }
    }

    /// A stray byte-order mark, as concatenated files have.
    fn is_mark(&self) -> bool {
        self.window[self.at..].starts_with(b"\xef\xbb\xbf")
    }

    /// Copies one value to `out`; false when it was longer than allowed, of which only the beginning is kept.
    pub(super) fn value(&mut self, out: &mut Vec<u8>) -> Result<bool, Fault> {
        let start = out.len();
        let mut open: Vec<u8> = Vec::new();
        let mut whole = true;
        let mut any = false;
        loop {
            let Some(byte) = self.peek() else {
                return if open.is_empty() && any { Ok(whole) } else { Err(cut_short()) };
            };
            match byte {
                b'"' => self.string(out, start, &mut whole)?,
                b'{' | b'[' => {
                    if open.len() >= DEEPEST {
                        return Err(Fault::new(BAD_JSON, format!("括号嵌套超过 {DEEPEST} 层")));
                    }
                    open.push(byte + 2);
                    self.keep(byte, out, start, &mut whole);
                }
                b'}' | b']' => {
                    match open.pop() {
                        Some(wanted) if wanted == byte => {}
                        Some(_) => return Err(Fault::new(BAD_JSON, "括号不配对")),
                        None => return if any { Ok(whole) } else { Err(Fault::new(BAD_JSON, "缺少值")) },
                    }
                    self.keep(byte, out, start, &mut whole);
                }
                b',' | b':' if open.is_empty() => {
                    return if any { Ok(whole) } else { Err(Fault::new(BAD_JSON, "缺少值")) };
                }
                b if b.is_ascii_whitespace() && open.is_empty() => return Ok(whole),
                _ => self.keep(byte, out, start, &mut whole),
            }
            any = true;
            if open.is_empty() && matches!(byte, b'"' | b'}' | b']') {
                return Ok(whole);
            }
        }
    }

    fn keep(&mut self, byte: u8, out: &mut Vec<u8>, start: usize, whole: &mut bool) {
        if *whole && out.len() - start < self.most {
            out.push(byte);
        } else if *whole {
            *whole = false;
            out.truncate(start + RAW_BYTES.min(self.most));
        }
        self.bump();
    }

    /// Copies a string, quotes included.
    fn string(&mut self, out: &mut Vec<u8>, start: usize, whole: &mut bool) -> Result<(), Fault> {
        self.keep(b'"', out, start, whole);
        loop {
            if self.peek().is_none() {
                return Err(cut_short());
            }
            // whole stretches at once: most of a transcript is inside strings
            let rest = &self.window[self.at..];
            let plain = memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
            if *whole && out.len() - start + plain < self.most {
                out.extend_from_slice(&rest[..plain]);
                self.at += plain;
            } else {
                for _ in 0..plain {
                    let byte = self.window[self.at];
                    self.keep(byte, out, start, whole);
                }
            }
            match self.peek() {
                None => continue,
                Some(b'"') => {
                    self.keep(b'"', out, start, whole);
                    return Ok(());
                }
                Some(b'\\') => {
                    self.keep(b'\\', out, start, whole);
                    match self.peek() {
                        Some(escaped) => self.keep(escaped, out, start, whole),
                        None => return Err(cut_short()),
                    }
                }
                Some(byte) => self.keep(byte, out, start, whole),
            }
        }
    }
}

pub(super) fn cut_short() -> Fault {
    Fault::new(BAD_JSON, "JSON 不完整,文件在这里中断;之前的记录已照常处理")
}
