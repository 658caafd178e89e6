//! What people and programs read: one exporter a file. Everything here formats what the core has decided; nothing
//! here decides.

pub mod calendar;
pub mod changes;
pub mod chat;
pub mod coaching;
pub mod columnar;
pub mod csv;
mod fairness;
pub mod figures;
pub mod folder;
pub mod history;
pub mod html;
pub mod names;
pub mod night;
mod outcome_record;
pub mod outcomes;
pub mod record;
pub mod review_sheet;
pub mod reviewed;
pub mod run;
pub mod service;
pub mod staged_file;
pub mod summary;
pub mod targets;
mod words;
pub mod workbook;

use serde::{Serialize, Serializer};

/// Milli-points written as a plain number of points: `-8`, `91.25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points(pub i64);

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1000 {
            0 => serializer.serialize_i64(self.0 / 1000),
            _ => serializer.serialize_f64(self.0 as f64 / 1000.0),
        }
    }
}

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 1000 {
            0 => write!(f, "{}", self.0 / 1000),
            _ => write!(f, "{:.1}", self.0 as f64 / 1000.0),
        }
    }
}
