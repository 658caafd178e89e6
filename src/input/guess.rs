//! A mapping to start from: what the names of an export suggest, what its values suggest, and what is left for a person to
//! fill in. Nothing of it takes effect until it is saved and named by `--mapping`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cells::Cell;
use super::columnar::{self, Batches};
use super::columns::{COLUMNS, Column, REQUIRED};
use super::discover::discover;
use super::format::Shape;
use super::reject::UNKNOWN_SPEAKER;
use super::rows::Dialect;
use super::source::Source;
use super::time::Clock;
use super::{InputOptions, Reader, Understanding, encoding, values, workbook};
use crate::conversation::Role;
use crate::error::{Error, Result};

/// Rows looked at.
const ROWS: usize = 200;
/// Records of JSON looked at, in bytes.
const SAMPLE: usize = 1 << 20;

/// A starter mapping for the first of the inputs.
///
/// # Errors
/// When it cannot be read.
pub fn guess(inputs: &[String], options: InputOptions) -> Result<String> {
    let input = discover(inputs)?.into_iter().next().ok_or_else(|| Error::NoInput("(未给出输入)".into()))?;
    let label = options.encoding.as_deref().map(encoding::by_label).transpose()?.flatten();
    let source = Source::open(&input, label, &options)?;
    let (name, format) = (source.name.clone(), source.format);
    let mut out = Draft {
        text: format!(
            "# {name} 的映射初稿:核对、修改后用 --mapping 指定。\n# 看看理解得对不对: zhijian formats show --mapping 本文件 {name}\n"
        ),
        ..Draft::default()
    };
    match format.shape {
        Shape::Delimited => {
            let sample = source.text.sample();
            out.table(&delimited(&sample), &options);
        }
        Shape::Xlsx | Shape::Xls => {
            let old = format.shape == Shape::Xls;
            let (file, _) = source.seekable()?;
            let rows = file.and_then(|f| workbook::first_rows(f, old, ROWS, &options));
            out.table(&rows.map_err(|f| Error::Other(format!("{name}: {}", f.reason)))?, &options);
        }
        Shape::Parquet | Shape::ArrowFile | Shape::ArrowStream => {
            let opened = if format.shape == Shape::Parquet {
                source.seekable()?.0.and_then(Batches::parquet)
            } else {
                Batches::ipc(Box::new(source.text.into_raw()), format.shape == Shape::ArrowFile, options.limits)
            };
            let (mut batches, schema) = opened.map_err(|f| Error::Other(format!("{name}: {}", f.reason)))?;
            let mut rows = vec![schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>()];
            if let Ok(Some(batch)) = batches.next() {
                rows.extend((0..batch.num_rows().min(ROWS)).map(|row| {
                    let cells = (0..batch.num_columns()).map(|c| match columnar::cell(&batch, c, row) {
                        Cell::Text(text) => text,
                        Cell::Int(number) => number.to_string(),
                        Cell::Float(number) => number.to_string(),
                        Cell::Bool(value) => value.to_string(),
                        Cell::Empty => String::new(),
                    });
                    cells.collect()
                }));
            }
            out.table(&rows, &options);
        }
        Shape::Messages => {
            let sample = source.text.sample();
            out.messages(&sample[..sample.floor_char_boundary(SAMPLE)], format.id, &options);
        }
        Shape::Lines | Shape::Json(super::format::Json::Native | super::format::Json::Mapped) => {
            let sample = source.text.sample();
            out.json(&sample[..sample.floor_char_boundary(SAMPLE)], &options);
        }
        _ => {}
    }
    if out.roles.is_empty() && !out.tabular {
        // speakers that nobody could tell
        let found = Understanding::of(Reader::open(inputs, options)?, 0)?;
        for reject in found.rejects.get(UNKNOWN_SPEAKER).into_iter().flat_map(|r| &r.1) {
            for label in reject.reason.split('“').skip(1).filter_map(|s| s.split('”').next()) {
                out.roles.entry(label.to_owned()).or_insert(None);
            }
        }
        out.text += &format!("format = {}\n", quoted(format.id));
    }
    Ok(out.finish())
}

#[derive(Default)]
struct Draft {
    text: String,
    columns: String,
    roles: BTreeMap<String, Option<Role>>,
    channels: Vec<String>,
    tabular: bool,
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Draft {
    /// The first row names the columns, the others show what they hold.
    fn table(&mut self, rows: &[Vec<String>], options: &InputOptions) {
        self.tabular = true;
        let Some((names, rows)) = rows.split_first() else { return };
        let column =
            |at: usize| rows.iter().filter_map(move |r| r.get(at)).map(|v| v.trim()).filter(|v| !values::is_missing(v));
        let mut taken: Vec<(Column, usize, bool)> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            if let Some(found) = Column::parse(name).filter(|c| taken.iter().all(|t| t.0 != *c)) {
                taken.push((found, at, true));
            }
        }
        let free = |taken: &[(Column, usize, bool)], wanted: Column| -> Vec<usize> {
            match taken.iter().any(|t| t.0 == wanted) {
                true => Vec::new(),
                false => (0..names.len())
                    .filter(|n| taken.iter().all(|t| t.1 != *n) && column(*n).next().is_some())
                    .collect(),
            }
        };
        // values that are roles, moments, ids that come again, and the longest words
        let found = free(&taken, Column::Role).into_iter().find(|at| column(*at).all(|v| Role::parse(v).is_some()));
        taken.extend(found.map(|at| (Column::Role, at, false)));
        let mut clock = Clock::of(options);
        let found =
            free(&taken, Column::At).into_iter().find(|at| column(*at).all(|v| clock.parse(v, false).is_some()));
        taken.extend(found.map(|at| (Column::At, at, false)));
        let found = free(&taken, Column::Text).into_iter().max_by_key(|at| column(*at).map(str::len).sum::<usize>());
        taken.extend(found.map(|at| (Column::Text, at, false)));
        let few = |at: &usize| {
            let mut distinct: Vec<_> = column(*at).collect();
            let all = distinct.len();
            distinct.sort_unstable();
            distinct.dedup();
            distinct.len() * 2 <= all + 1
        };
        let found = free(&taken, Column::ConversationId).into_iter().find(few);
        taken.extend(found.map(|at| (Column::ConversationId, at, false)));
        if !taken.iter().any(|t| t.0 == Column::Role) {
            let found = free(&taken, Column::Role).into_iter().find(|at| {
                let mut distinct: Vec<_> = column(*at).collect();
                distinct.sort_unstable();
                distinct.dedup();
                (2..=4).contains(&distinct.len())
            });
            taken.extend(found.map(|at| (Column::Role, at, false)));
        }
        taken.sort_by_key(|t| t.0);
        for (field, at, named) in &taken {
            let doubt = if *named { "" } else { "   # 按内容猜的,请核对" };
            self.columns += &format!("{} = {}{doubt}\n", field.name(), quoted(names[*at].trim()));
        }
        for missing in REQUIRED.iter().filter(|c| taken.iter().all(|t| t.0 != **c)) {
            self.columns +=
                &format!("# {} = \"…\"   # 必填({}),没有找到\n", missing.name(), COLUMNS[*missing as usize].1[1]);
        }
        for (at, name) in names.iter().enumerate() {
            if taken.iter().all(|t| t.1 != at) && !name.trim().is_empty() {
                let example: String = column(at).next().unwrap_or("").chars().take(20).collect();
                let clean = |t: &str| t.replace(['\n', '\r'], " ");
                self.columns += &format!("# 没用上的列: {}   例: {}\n", clean(name), clean(&example));
            }
        }
        for (field, at, _) in &taken {
            match field {
                Column::Role => {
                    for value in column(*at) {
                        self.roles.entry(value.to_owned()).or_insert_with(|| Role::parse(value));
                    }
                }
                Column::Channel => {
                    for value in column(*at) {
                        if !self.channels.iter().any(|c| c == value) {
                            self.channels.push(value.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Objects with a list of messages in them.
    fn json(&mut self, sample: &str, options: &InputOptions) {
        let start = sample.find('{').unwrap_or(0);
        let mut stream = serde_json::Deserializer::from_str(&sample[start..]).into_iter::<Value>();
        let Some(Ok(Value::Object(mut record))) = stream.next() else { return };
        // a list whose elements hold lists themselves is one of records
        while let Some(inner) =
            objects(&record).and_then(|(_, l)| l.first()?.as_object()).filter(|o| objects(o).is_some())
        {
            record = inner.clone();
        }
        let Some((turns, list)) = objects(&record) else { return self.messages(sample, "json-messages", options) };
        self.text += &format!("format = \"json-mapped\"\nturns = {}   # 消息列表的键\n", quoted(turns));
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let messages: Vec<&serde_json::Map<String, Value>> =
            list.iter().filter_map(Value::as_object).take(ROWS).collect();
        // the record's own fields stand in front of every message, as they would in a table
        let own: Vec<_> =
            record.iter().filter(|(k, v)| k.as_str() != turns && !v.is_array() && !v.is_object()).collect();
        let mut names: Vec<String> = own.iter().map(|(k, _)| (*k).clone()).collect();
        for key in messages.iter().flat_map(|m| m.keys()) {
            if !names.contains(key) {
                names.push(key.clone());
            }
        }
        let mut rows = vec![names.clone()];
        rows.extend(messages.iter().map(|message| {
            let value = |name: &String| message.get(name).or_else(|| record.get(name)).map(text).unwrap_or_default();
            names.iter().map(value).collect()
        }));
        self.table(&rows, options);
    }

    /// Objects that are messages themselves.
    fn messages(&mut self, sample: &str, format: &str, options: &InputOptions) {
        let lists = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '\u{feff}');
        let (mut names, mut records) = (Vec::<String>::new(), Vec::new());
        let mut rest = sample.trim_start_matches(lists);
        while records.len() < ROWS && !rest.is_empty() {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Map<String, Value>>();
            let Some(Ok(record)) = stream.next() else { break };
            let simple = |v: &Value| !v.is_object() && !v.is_array();
            for (key, _) in record.iter().filter(|(_, value)| simple(value)) {
                if !names.contains(key) {
                    names.push(key.clone());
                }
            }
            rest = rest[stream.byte_offset()..].trim_start_matches(lists);
            records.push(record);
        }
        // a single object may be anything
        if records.len() < 2 {
            return;
        }
        self.text += &format!("format = {}   # 一个对象一条消息\n", quoted(format));
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let row = |record: &serde_json::Map<String, Value>| {
            names.iter().map(|name| record.get(name).map(text).unwrap_or_default()).collect()
        };
        let rows: Vec<Vec<String>> = std::iter::once(names.clone()).chain(records.iter().map(row)).collect();
        self.table(&rows, options);
    }

    fn finish(mut self) -> String {
        self.text += "# timezone = \"Asia/Shanghai\"          # 没写时区的时间按哪个时区读\n# times = [\"%d/%m/%Y %H:%M:%S\"]        # 认不出的时间写法(strptime)\n";
        if self.tabular {
            self.text += "\n[columns]   # 左边是本项目的字段,右边是导出里的列名(没有表头时写列号)\n";
            self.text += &self.columns;
        }
        self.text += "\n[roles]   # 角色一列的取值或说话人 → agent 客服、customer 客户、bot 机器人、system 系统\n";
        for (value, role) in &self.roles {
            match role {
                Some(role) => self.text += &format!("{} = \"{}\"\n", quoted(value), role.as_str()),
                None => self.text += &format!("# {} = \"…\"   # 请填 agent 或 customer\n", quoted(value)),
            }
        }
        self.text += "\n[channels]   # 渠道的取值 → chat、phone、email、social\n";
        for value in &self.channels {
            let known = values::channel(value.as_str().into());
            self.text += &format!("{} = {}\n", quoted(value), quoted(&known));
        }
        self.text += "\n[teams]   # 班组、技能组的取值 → 报告里的名字\n\n[agents]   # 客服编号 → 姓名、班组\n# a01 = { name = \"…\", team = \"…\" }\n";
        self.text
    }
}

/// The list of objects in an object.
fn objects(object: &serde_json::Map<String, Value>) -> Option<(&str, &Vec<Value>)> {
    let lists = object.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_array()?)));
    lists.into_iter().find(|(_, list)| list.first().is_some_and(Value::is_object))
}

/// The first rows of delimited text.
fn delimited(sample: &str) -> Vec<Vec<String>> {
    let sample = sample.trim_start_matches('\u{feff}');
    let first = sample.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let delimiter = [b',', b'\t', b';', b'|'].into_iter().max_by_key(|d| first.bytes().filter(|b| b == d).count());
    let dialect = Dialect { delimiter: delimiter.unwrap_or(b','), quoting: true };
    let data = sample.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < data.len() && out.len() <= ROWS {
        let row = dialect.row(data, at, 1 << 20, |_| false);
        at = row.next;
        let raw = &data[row.start..row.end];
        if !raw.trim_ascii().is_empty() {
            out.push(dialect.fields(raw).map(|f| String::from_utf8_lossy(&f).into_owned()).collect());
        }
    }
    out
}
