//! The review sheet as a workbook: a chat to read, verdicts to choose, everything else protected. What was given out is
//! kept in the store, so that whatever comes back is held against it cell by cell.

mod read;
mod write;

pub use read::{Given, SheetFault, given};
pub use write::write;

/// The sheet people fill.
pub const MAIN: &str = "复核";
/// What to do.
const HELP: &str = "说明";
/// The rules to choose from.
const RULES: &str = "规则";
/// Hidden: which sheet this is.
const META: &str = "zhijian";
/// First cell of the hidden sheet.
const MAGIC: &str = "zhijian review sheet 1";
