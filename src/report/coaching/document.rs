//! A report in words, before it is laid out: blocks of plain text. Escaping is the layouts' work, so that no text can be
//! markup by accident.

use crate::judge::Lang;

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Run {
    /// As it is.
    Plain(String),
    /// What the eye should find.
    Strong(String),
}

/// Who says a line of a quoted chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// The customer.
    Customer,
    /// The agent, where it went wrong.
    Agent,
    /// An agent, where it went right.
    Example,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading of level 2 or 3.
    Heading(u8, String),
    /// A paragraph.
    Text(Vec<Run>),
    /// A paragraph under a word: 为什么扣分, 怎么改.
    Labelled(String, String),
    /// A caution.
    Aside(String),
    /// Quoted lines: who, in what voice, what.
    Chat(Vec<(String, Voice, String)>),
    /// Wordings to use, under a word.
    Say(String, Vec<String>),
    /// Points of a list.
    List(Vec<Vec<Run>>),
    /// Columns' titles and rows; all columns but the first are figures.
    Table(Vec<String>, Vec<Vec<String>>),
    /// Small print.
    Small(String),
}

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its language.
    pub lang: Lang,
    /// Its title.
    pub title: String,
    /// Its parts.
    pub blocks: Vec<Block>,
}

impl Document {
    /// An empty report.
    pub fn new(lang: Lang, title: String) -> Document {
        Document { lang, title, blocks: Vec::new() }
    }

    /// Adds a part.
    pub fn add(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Adds a plain paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.add(Block::Text(vec![Run::Plain(text.into())]));
    }
}

/// Plain and strong pieces in turn, beginning with a plain one.
pub fn runs<const N: usize>(pieces: [&str; N]) -> Vec<Run> {
    let run = |(n, text): (usize, &str)| if n % 2 == 0 { Run::Plain(text.into()) } else { Run::Strong(text.into()) };
    pieces.into_iter().enumerate().filter(|(_, text)| !text.is_empty()).map(run).collect()
}
