//! Tools for people who tune packs: what fires how often, what a change of pack changes, phrases taken in from tables,
//! the reference made from a pack, invented conversations. Pure functions and collectors; reading inputs and printing is the command line's.

pub mod diff;
pub mod doc;
pub mod generate;
pub mod hot;
pub mod import;
pub mod lines;
