//! Records found in JSON documents by the [`Walk`](super::walk::Walk), read by workers. Whether a record is sound JSON is
//! found out here, and costs that record alone.

use std::sync::Arc;

use serde_json::Value;

use super::InputOptions;
use super::block::Item;
use super::draft::{Context, Object};
use super::format::Json;
use super::json::Record;
use super::reject::{BAD_JSON, ENCODING, Fault, Reject};
use super::vendor;

/// Some records of a document, in the block's buffer.
pub(crate) struct Documents {
    pub file: Arc<str>,
    pub json: Json,
    /// The simple fields around the list of records.
    pub head: Arc<Object>,
    pub records: Vec<Found>,
    /// Undecodable bytes were met while transcoding.
    pub damaged: bool,
    pub options: Arc<InputOptions>,
}

/// A record found, or why there is none.
pub(crate) enum Found {
    Record { start: usize, end: usize, place: String, line: u64, fallback: String },
    Reject(Reject),
}

impl Documents {
    pub(crate) fn visit(&self, buffer: &[u8], f: &mut dyn FnMut(Item<'_>)) {
        let record = Record::new(&self.options);
        let mut context = Context::new(&self.options, String::new());
        for found in &self.records {
            let (start, end, place, line, fallback) = match found {
                Found::Record { start, end, place, line, fallback } => (*start, *end, place, *line, fallback),
                Found::Reject(reject) => {
                    f(Item::Reject(reject.clone()));
                    continue;
                }
            };
            let raw = &buffer[start..end];
            context.fallback.clone_from(fallback);
            let read = self.text(raw).and_then(|text| {
                if self.json == Json::Native {
                    return record.parse(text);
                }
                let value: Value = serde_json::from_str(text).map_err(|error| {
                    let message = error.to_string();
                    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(m, _)| m);
                    Fault::new(BAD_JSON, format!("不是合法的 JSON ({message})"))
                })?;
                vendor::read(self.json, &value, &self.head, &context)
            });
            match read {
                Ok(mut conversation) => {
                    self.options.mapping.apply(&mut conversation);
                    f(Item::Conversation { conversation, file: &self.file, line, records: 1 });
                }
                Err(fault) => {
                    let inner = fault.place.clone().unwrap_or_default();
                    let place = format!("{place}{inner}");
                    let reject = fault.reject(&self.file, line, raw);
                    f(Item::Reject(Reject { column: None, place: (!place.is_empty()).then_some(place), ..reject }));
                }
            }
        }
    }

    fn text<'a>(&self, raw: &'a [u8]) -> Result<&'a str, Fault> {
        let text = std::str::from_utf8(raw).map_err(|_| Fault::new(ENCODING, "记录含有不是合法 UTF-8 的字节"))?;
        if self.damaged && text.contains('\u{FFFD}') {
            return Err(Fault::new(ENCODING, "记录含有无法按该文件编码解读的字节"));
        }
        Ok(text)
    }
}
