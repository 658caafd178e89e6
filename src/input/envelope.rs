//! A list of records inside an object: `{"code":0,"data":{"list":[{…},{…}]}}`, one such document or several. The text is
//! passed on without what stands around the list, line ends kept, so that every reader of a list of objects reads it as if the list
//! stood alone, as a stream and with the lines of the file.
//!
//! Nothing is lost in silence: a document without the list stands for itself, an end that comes too early leaves an open
//! brace, and what is no JSON around the list is passed on, with all that follows, for the reader to reject.

use std::collections::BTreeSet;

/// The deepest a list may lie, in objects around it.
pub(super) const LEVELS: usize = 3;
/// A document is held back this far until its list shows up.
const HELD: usize = 64 << 10;
/// Brackets nested deeper than this are passed on as they are.
const DEEPEST: usize = 10_000;
/// The longest key looked at.
const KEY: usize = 1_000;
/// Lists passed over that are remembered.
const PASSED: usize = 20;

/// The keys from the outermost object to a list, as written in the file.
pub(super) type Way = Vec<String>;

/// A way as messages show it: `/data/list`.
pub(super) fn shown(way: &[String]) -> String {
    way.iter().map(|key| format!("/{key}")).collect()
}

/// Lets the elements of one list through.
pub(super) struct Envelope {
    way: Way,
    state: State,
    /// Keys of the objects that are open around the place.
    keys: Vec<String>,
    /// Brackets open in a value passed over or let through, as what closes them.
    open: Vec<u8>,
    key: Vec<u8>,
    /// The document so far, while its list has not been met; `None` once it was, or the document has grown too long.
    held: Option<Vec<u8>>,
    /// The list was met in this document.
    met: bool,
    passed: BTreeSet<String>,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between documents.
    Outside,
    /// A key, or the object's end.
    Member,
    /// In a key; after a backslash.
    Key(bool),
    Colon,
    Value,
    /// After a value in an object.
    After,
    /// In a number or a word.
    Word,
    /// In a value passed over: in a string, after a backslash, its first byte inside a list.
    Over {
        string: bool,
        escaped: bool,
        first: bool,
    },
    /// In the list: in a string, after a backslash.
    List {
        string: bool,
        escaped: bool,
    },
    /// No JSON that can be followed: everything passes.
    Plain,
}

impl Envelope {
    pub(super) fn new(way: Way) -> Envelope {
        Envelope {
            way,
            state: State::Outside,
            keys: Vec::new(),
            open: Vec::new(),
            key: Vec::new(),
            held: None,
            met: false,
            passed: BTreeSet::new(),
            ended: false,
        }
    }

    /// The way to the list.
    pub(super) fn way(&self) -> &[String] {
        &self.way
    }

    /// Other lists of objects that were not let through.
    pub(super) fn passed(&self) -> &BTreeSet<String> {
        &self.passed
    }

    /// Appends to `out` what passes of the text's next piece.
    pub(super) fn pass(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            match self.state {
                State::Plain => return out.extend_from_slice(&piece[at..]),
                State::List { string, escaped } => {
                    // whole stretches at once
                    let rest = &piece[at..];
                    let stretch = match (string, escaped) {
                        (true, false) => memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len()),
                        _ => 0,
                    };
                    out.extend_from_slice(&rest[..stretch]);
                    at += stretch;
                    if let Some(&byte) = piece.get(at) {
                        out.push(byte);
                        self.listed(byte, string, escaped);
                        at += 1;
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
            match &mut self.held {
                Some(held) if held.len() < HELD => held.push(byte),
                Some(held) => {
                    out.extend(held.iter().filter(|b| **b == b'\n'));
                    self.held = None;
                    out.extend(Some(byte).filter(|b| *b == b'\n'));
                }
                None => out.extend(Some(byte).filter(|b| *b == b'\n')),
            }
            self.around(byte, out);
        }
    }

    /// Appends what the text's end leaves open.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        match (self.held.take(), self.state) {
            (Some(held), _) => out.extend(held),
            (None, State::Outside | State::Plain) => {}
            // an element cut short shows itself
            (None, State::List { .. }) if self.open.len() > 1 => {}
            (None, _) => out.push(b'{'),
        }
    }

    /// A byte of the list.
    fn listed(&mut self, byte: u8, string: bool, escaped: bool) {
        self.state = match (string, byte) {
            (true, _) if escaped => State::List { string, escaped: false },
            (true, b'\\') => State::List { string, escaped: true },
            (true, b'"') => State::List { string: false, escaped: false },
            (true, _) => self.state,
            (false, b'"') => State::List { string: true, escaped: false },
            (false, b'[' | b'{') if self.open.len() < DEEPEST => {
                self.open.push(byte + 2);
                self.state
            }
            (false, b']' | b'}') if self.open.last() == Some(&byte) => {
                self.open.pop();
                if self.open.is_empty() { State::After } else { self.state }
            }
            (false, b'[' | b'{' | b']' | b'}') => State::Plain,
            _ => self.state,
        };
    }

    /// A byte around the list.
    fn around(&mut self, byte: u8, out: &mut Vec<u8>) {
        let blank = byte.is_ascii_whitespace();
        self.state = match (self.state, byte) {
            (State::Outside, b'{') => {
                self.held = Some(vec![b'{']);
                self.met = false;
                self.keys.push(String::new());
                State::Member
            }
            // a byte-order mark, as concatenated files have
            (State::Outside, b',' | 0xef | 0xbb | 0xbf) => State::Outside,
            (State::Member, b'"') => {
                self.key.clear();
                State::Key(false)
            }
            (State::Member | State::After, b'}') => self.close(out),
            (State::After, b',') => State::Member,
            (State::Key(false), b'"') => {
                if let Some(key) = self.keys.last_mut() {
                    *key = String::from_utf8_lossy(&self.key).into_owned();
                }
                State::Colon
            }
            (State::Key(escaped), byte) if byte != b'\n' && self.key.len() < KEY => {
                self.key.push(byte);
                State::Key(byte == b'\\' && !escaped)
            }
            (State::Colon, b':') => State::Value,
            (State::Value, b'[') if self.keys == self.way => {
                self.met = true;
                self.open.push(b']');
                if let Some(held) = self.held.take() {
                    out.extend(held.iter().filter(|b| **b == b'\n'));
                }
                out.push(b'[');
                State::List { string: false, escaped: false }
            }
            (State::Value, b'{') if self.keys.len() < LEVELS => {
                self.keys.push(String::new());
                State::Member
            }
            (State::Value, b'{' | b'[') => {
                self.open.push(byte + 2);
                State::Over { string: false, escaped: false, first: byte == b'[' }
            }
            (State::Value, b'"') => State::Over { string: true, escaped: false, first: false },
            (State::Value, b'-' | b'0'..=b'9' | b'a'..=b'z') => State::Word,
            (State::Word, b',') => State::Member,
            (State::Word, b'}') => self.close(out),
            (State::Word, b'-' | b'+' | b'.' | b'E' | b'0'..=b'9' | b'a'..=b'z') => State::Word,
            (State::Word, _) if blank => State::After,
            (State::Over { string, escaped, first }, byte) => self.over(byte, string, escaped, first),
            (state, _) if blank && !matches!(state, State::Key(_)) => state,
            _ => State::Plain,
        };
        if self.state == State::Plain {
            match self.held.take() {
                Some(held) => out.extend(held),
                None if byte != b'\n' => out.push(byte),
                None => {}
            }
        }
    }

    /// A byte of a value passed over.
    fn over(&mut self, byte: u8, string: bool, escaped: bool, first: bool) -> State {
        let over = |string, escaped, first| State::Over { string, escaped, first };
        match (string, byte) {
            (true, b'\n') => State::Plain,
            (true, b'"') if !escaped => {
                if self.open.is_empty() {
                    State::After
                } else {
                    over(false, false, false)
                }
            }
            (true, byte) => over(true, byte == b'\\' && !escaped, false),
            (false, b'"') => over(true, false, false),
            (false, b'[' | b'{') if self.open.len() < DEEPEST => {
                if first && byte == b'{' && self.passed.len() < PASSED {
                    self.passed.insert(shown(&self.keys));
                }
                self.open.push(byte + 2);
                over(false, false, false)
            }
            (false, b']' | b'}') if self.open.last() == Some(&byte) => {
                self.open.pop();
                if self.open.is_empty() { State::After } else { over(false, false, false) }
            }
            (false, b'[' | b'{' | b']' | b'}') => State::Plain,
            (false, byte) => over(false, false, first && byte.is_ascii_whitespace()),
        }
    }

    /// The end of an object around the list.
    fn close(&mut self, out: &mut Vec<u8>) -> State {
        self.keys.pop();
        if !self.keys.is_empty() {
            return State::After;
        }
        match self.held.take() {
            Some(held) => out.extend(held),
            None if !self.met => out.extend_from_slice(b"{}"),
            None => {}
        }
        State::Outside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn through(way: &[&str], text: &str, piece: usize) -> (String, Vec<String>) {
        let mut envelope = Envelope::new(way.iter().map(|k| k.to_string()).collect());
        let mut out = Vec::new();
        text.as_bytes().chunks(piece.max(1)).for_each(|piece| envelope.pass(piece, &mut out));
        envelope.end(&mut out);
        envelope.end(&mut out);
        (String::from_utf8(out).unwrap(), envelope.passed().iter().cloned().collect())
    }

    fn passes(way: &[&str], text: &str) -> String {
        let whole = through(way, text, text.len());
        assert_eq!(through(way, text, 1), whole);
        whole.0
    }

    #[test]
    fn the_list_alone_is_left() {
        assert_eq!(passes(&["data"], r#"{"code":0,"data":[{"a":"]}\""}, {}],"n":-1.5e3}"#), r#"[{"a":"]}\""}, {}]"#);
        assert_eq!(passes(&["r", "l"], "{\"l\":[1],\n\"r\": {\"x\":{\"l\":[]},\n\"l\":[\n{}]}}\n"), "\n\n[\n{}]\n");
        assert_eq!(passes(&["a", "b", "c"], r#"{"a":{"b":{"c":[{"d":[]}]}}}"#), r#"[{"d":[]}]"#);
        // pages, one a line
        assert_eq!(passes(&["d"], "{\"d\":[1]}\n{\"d\":[]}\n{\"d\":[2]}"), "[1]\n[]\n[2]");
    }

    #[test]
    fn nothing_is_lost_in_silence() {
        let error = "{\"code\":500,\n\"message\":\"稍后\"}";
        assert_eq!(passes(&["d"], &format!("{{\"d\":[1]}}\n{error}\n{{\"d\":[2]}}")), format!("[1]\n{error}\n[2]"));
        let long = format!("{{\"x\":\"{}\",\n\"d\":null}}", "x".repeat(HELD));
        assert_eq!(passes(&["d"], &long), "\n{}");
        assert_eq!(passes(&["d"], "{\"d\":[1],\"x\":"), "[1]{");
        assert_eq!(passes(&["d"], "{\"d\":[{}"), "[{}{");
        assert_eq!(passes(&["d"], "{\"d\":[{"), "[{");
        assert_eq!(passes(&["d"], "{\"x\":1,"), "{\"x\":1,");
        for (text, expected) in [
            ("{\"d\":[1]}oops {}", "[1]oops {}"),
            ("{\"d\":[{]},\"x\":1}", "[{]},\"x\":1}"),
            ("{\"x\":\"a\nb\",\"d\":[1]}", "{\"x\":\"a\nb\",\"d\":[1]}"),
            ("[{\"d\":[1]}]", "[{\"d\":[1]}]"),
            ("{,}\n1", "{,}\n1"),
        ] {
            assert_eq!(passes(&["d"], text), expected);
        }
        let (_, others) =
            through(&["d"], r#"{"d":[1],"x":[ {"y":[{}]}],"e":{"f":[{}]},"g":[1,{}],"h":{"i":{"j":{"k":[{}]}}}}"#, 9);
        assert_eq!(others, ["/e/f", "/x"]);
    }

    proptest! {
        #[test]
        fn any_list_in_any_place(
            list in prop::collection::vec("[a\\\\\"{}\\[\\],:好\n]{0,6}", 0..4),
            (pretty, depth, piece) in (any::<bool>(), 1usize..4, 1usize..9),
        ) {
            let records: Vec<Value> = list.iter().map(|t| json!({"t": t, "l": [t, {"k": t}]})).collect();
            let mut document = json!(records);
            for level in 0..depth {
                document = json!({"a": {"x": list.clone()}, format!("w{level}"): document, "z": [[1, "]"], null]});
            }
            let way: Vec<String> = (0..depth).rev().map(|l| format!("w{l}")).collect();
            let way: Vec<&str> = way.iter().map(String::as_str).collect();
            let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
            let (out, _) = through(&way, &text, piece);
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), json!(records));
            prop_assert_eq!(out.matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn line_ends_are_kept(text in "[\\[\\]{}\",:\\\\ da1\n]{0,60}", piece in 1usize..9) {
            let out = through(&["d"], &text, piece).0;
            prop_assert_eq!(out.matches('\n').count(), text.matches('\n').count());
        }
    }
}
