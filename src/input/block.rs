//! The unit of work: a [`Block`] holds some records of one file and parses them when visited, on any thread.

use std::sync::Arc;

use super::delimited::Table;
use super::document::Documents;
use super::jsonl::{self, Lines};
use super::reject::Reject;
use super::whole::Texts;
use crate::conversation::Conversation;

/// What a block holds, one after another in input order.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // handed over one by one, never stored
pub enum Item<'a> {
    /// A conversation.
    Conversation {
        /// The conversation, borrowing from its block.
        conversation: Conversation<'a>,
        /// The file it comes from; `-` is standard input.
        file: &'a Arc<str>,
        /// The line it begins on, 1-based.
        line: u64,
        /// How many records it is made of: the rows of a delimited file, or 1.
        records: u64,
    },
    /// A record that could not be read.
    Reject(Reject),
}

/// Some records of one file, ready to be parsed.
pub struct Block {
    pub(crate) bytes: u64,
    pub(crate) buffer: Vec<u8>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// Lines of JSONL, in the buffer.
    Lines(Lines),
    /// Conversations whose messages are rows.
    Table(Table),
    /// Records of JSON documents, in the buffer.
    Documents(Documents),
    /// Conversations that are stretches of a text, in the buffer.
    Texts(Texts),
    /// Rejects found while reading.
    Rejects(Vec<Reject>),
}

impl Block {
    /// The stored bytes it stands for, for showing progress.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Parses the block, handing over each item in order. Pure: visiting again gives the same.
    pub fn visit(&self, f: &mut dyn FnMut(Item<'_>)) {
        match &self.content {
            Content::Lines(lines) => jsonl::visit(lines, &self.buffer, f),
            Content::Table(table) => table.visit(f),
            Content::Documents(documents) => documents.visit(&self.buffer, f),
            Content::Texts(texts) => texts.visit(&self.buffer, f),
            Content::Rejects(rejects) => rejects.iter().for_each(|reject| f(Item::Reject(reject.clone()))),
        }
    }

    /// The buffer, to be handed to [`super::Reader::next_block`] again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
