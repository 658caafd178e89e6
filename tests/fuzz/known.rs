//! Inputs that broke a target once.

/// A target and its input.
pub type Case = (fn(&[u8]), &'static [u8]);

/// The first two only show the form; they never broke anything.
pub const CASES: &[Case] = &[
    (crate::targets::normalise, "①③⑧\u{200b}００138000，王小明先生".as_bytes()),
    (crate::targets::reader, b"\x00{\"conversation_id\":\"\xff\",\"turns\":[]}"),
    // Characters were cut in the middle where a first line begins like an array of numbers.
    (crate::targets::reader, "\u{5}[12 客服小王说在的呢亲亲您好请问".as_bytes()),
    (crate::targets::reader, "[12 客服小王说在的呢亲亲您好请问有什么".as_bytes()),
    (crate::targets::reader, "[1 a客服小王说在的呢亲亲您好请问有什么".as_bytes()),
    (crate::targets::reader, "[1 客服小王说在的呢亲亲您好请问有什么".as_bytes()),
];
