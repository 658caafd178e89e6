//! Parquet and Arrow IPC, batch by batch. A row is a message, then rows are gathered and grouped as a table's; or a row is a
//! conversation with its turns in a list, then each becomes a native record.
//!
//! Arrow files are read as the stream they contain: that needs no seeking, so they may come from standard input, and nothing
//! is allocated on the word of a footer.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Cursor, Read};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value};

use super::Limits;
use super::cells::Cell;
use super::columns::{COLUMNS, Column, Header};
use super::ipc_gate::Gate;
use super::mapping::Mapping;
use super::reject::{CORRUPT, Fault, TRUNCATED};
use crate::caught::caught;
use crate::error::Error;

/// Rows of a batch asked of Parquet.
const BATCH: usize = 4096;
/// Bytes of a stream taken at a time.
const CHUNK: usize = 1 << 18;
/// Lists and structs nested deeper than this are not looked into.
const DEEPEST: usize = 8;

/// What hands out batches.
pub(crate) enum Batches {
    Parquet(Box<ParquetRecordBatchReader>),
    Ipc(Box<Ipc>),
}

/// An Arrow stream being decoded.
pub(crate) struct Ipc {
    reader: Box<dyn Read + Send>,
    decoder: StreamDecoder,
    gate: Gate,
    fault: Option<Fault>,
    ready: VecDeque<RecordBatch>,
    /// The file's own end follows the stream's.
    file: bool,
    ended: bool,
}

/// How rows are to be read.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// A message a row: the column of each field.
    Messages(Vec<Option<Column>>),
    /// A conversation a row: the record's name of each field.
    Conversations(Vec<Option<String>>),
}

fn broken(why: impl std::fmt::Display) -> Fault {
    Fault::new(CORRUPT, format!("列存文件损坏或不完整,其后的内容无法读取 ({why})"))
}

/// Hostile bytes may break the library that reads them: that costs the file, not the run.
fn guarded<T>(f: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    caught(f).unwrap_or_else(|_| Err(broken("内部结构有误")))
}

impl Batches {
    pub(crate) fn parquet(file: File) -> Result<(Batches, SchemaRef), Fault> {
        guarded(|| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
            let schema = builder.schema().clone();
            Ok((Batches::Parquet(Box::new(builder.with_batch_size(BATCH).build().map_err(broken)?)), schema))
        })
    }

    /// A stream, or the stream in a file.
    pub(crate) fn ipc(
        mut reader: Box<dyn Read + Send>,
        file: bool,
        limits: Limits,
    ) -> Result<(Batches, SchemaRef), Fault> {
        if file {
            // the magic and its padding: to eight bytes, or to the 64 that buffers are aligned to
            let mut next = [0; 8];
            reader.read_exact(&mut next).map_err(broken)?;
            for _ in 0..8 {
                reader.read_exact(&mut next).map_err(broken)?;
                if next != [0; 8] {
                    break;
                }
            }
            reader = Box::new(Cursor::new(next).chain(reader));
        }
        let (decoder, gate) = (StreamDecoder::new(), Gate::new(limits));
        let mut ipc = Ipc { reader, decoder, gate, ready: VecDeque::new(), fault: None, file, ended: false };
        while ipc.decoder.schema().is_none() && !ipc.ended {
            ipc.advance();
        }
        match (ipc.decoder.schema(), ipc.fault.take()) {
            (Some(schema), fault) => Ok((Batches::Ipc(Box::new(Ipc { fault, ..ipc })), schema)),
            (None, fault) => Err(fault.unwrap_or_else(|| broken("没有列的说明"))),
        }
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        match self {
            Batches::Parquet(reader) => guarded(|| reader.next().transpose().map_err(broken)),
            Batches::Ipc(ipc) => {
                while ipc.ready.is_empty() && !ipc.ended {
                    ipc.advance();
                }
                // what came before the fault is read
                match (ipc.ready.pop_front(), &mut ipc.fault) {
                    (None, fault) => fault.take().map_or(Ok(None), Err),
                    (batch, _) => Ok(batch),
                }
            }
        }
    }
}

impl Ipc {
    /// Reads on; a fault is kept for when what came before it has been handed out.
    fn advance(&mut self) {
        if let Err(fault) = guarded(|| self.fill()) {
            self.ended = true;
            self.fault = Some(fault);
        }
    }

    fn fill(&mut self) -> Result<(), Fault> {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut self.reader).take(CHUNK as u64).read_to_end(&mut chunk).map_err(broken)?;
        if chunk.is_empty() {
            self.ended = true;
            let cut = |_| Fault::new(TRUNCATED, "Arrow 数据不完整,在这里中断;之前的行已照常处理");
            return self.decoder.finish().map_err(cut);
        }
        let (passed, fault) = self.gate.look(&chunk);
        chunk.truncate(passed);
        let mut buffer = chunk.into();
        loop {
            match self.decoder.decode(&mut buffer) {
                Ok(Some(batch)) => self.ready.push_back(batch),
                Ok(None) => return fault.map_or(Ok(()), Err),
                Err(_) if self.file && self.decoder.finish().is_ok() => {
                    self.ended = true;
                    return Ok(());
                }
                Err(error) => {
                    self.ended = true;
                    return Err(broken(error));
                }
            }
        }
    }
}

/// How the rows of a schema are to be read.
///
/// # Errors
/// When its columns cannot be understood, with what was found.
pub(crate) fn shape(
    name: &str,
    schema: &Schema,
    mapping: &Mapping,
    positions: Option<&[Option<Column>]>,
) -> Result<Shape, Error> {
    if let Some(positions) = positions {
        return Ok(Shape::Messages(positions.to_vec()));
    }
    let turns = mapping.turns.as_deref().unwrap_or("turns");
    let is_list = |t: &DataType| matches!(t, DataType::List(_) | DataType::LargeList(_));
    if schema.fields().iter().any(|f| f.name() == turns && is_list(f.data_type())) {
        let fields = schema.fields().iter().map(|f| record_name(f.name(), turns, mapping));
        return Ok(Shape::Conversations(fields.collect()));
    }
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    match mapping.header(&names) {
        Header::Known(columns) => Ok(Shape::Messages(columns)),
        Header::Twice(column, a, b) => Err(Error::Other(format!(
            "{name}: 列“{a}”和“{b}”都表示 {};请用 --mapping 的 [columns] 指明用哪一列。(two columns for one field)",
            column.name()
        ))),
        Header::Missing(missing) => {
            let list: Vec<_> = missing.iter().map(|c| format!("{}({})", c.name(), COLUMNS[*c as usize].1[1])).collect();
            let shown: String = names.join(", ").chars().take(300).collect();
            Err(Error::Other(format!(
                "{name}: 缺少必需的列 {}\n  文件里的列: {shown}\n  若列名不同,可用 zhijian formats guess 写一份映射文件,改好后用 --mapping 指定。(missing columns)",
                list.join("、")
            )))
        }
    }
}

/// The native name of a conversation's field.
fn record_name(name: &str, turns: &str, mapping: &Mapping) -> Option<String> {
    match name {
        _ if name == turns => Some("turns".into()),
        "agents" | "labels" | "tags" => Some(name.into()),
        _ => mapping.column(name).map(|c| c.name().to_owned()),
    }
}

/// A row of messages: the cell of a column.
pub(crate) fn cell(batch: &RecordBatch, column: usize, row: usize) -> Cell {
    let Some(array) = batch.columns().get(column) else { return Cell::Empty };
    match value(array.as_ref(), row, 0) {
        Value::Null => Cell::Empty,
        Value::String(text) => Cell::Text(text),
        Value::Bool(value) => Cell::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cell::Int(number),
            (None, Some(number)) => Cell::Text(number.to_string()),
            _ => Cell::Float(number.as_f64().unwrap_or_default()),
        },
        nested => Cell::Text(nested.to_string()),
    }
}

/// A row that is a conversation, as a native record.
pub(crate) fn record(batch: &RecordBatch, row: usize, fields: &[Option<String>], mapping: &Mapping) -> String {
    let mut out = Map::new();
    for (array, name) in batch.columns().iter().zip(fields) {
        let Some(name) = name else { continue };
        let mut value = value(array.as_ref(), row, 0);
        if name == "turns"
            && let Value::Array(turns) = &mut value
        {
            for turn in turns.iter_mut() {
                let Value::Object(fields) = turn else { continue };
                let named = std::mem::take(fields).into_iter().filter_map(|(key, value)| {
                    let column = mapping.column(&key)?;
                    (!value.is_null()).then(|| (column.name().to_owned(), value))
                });
                *fields = named.collect();
            }
        }
        if !value.is_null() {
            out.insert(name.clone(), value);
        }
    }
    Value::Object(out).to_string()
}

/// One value of an array. A moment without a zone is written as a local time, to be read in the run's zone.
fn value(array: &dyn Array, row: usize, depth: usize) -> Value {
    if row >= array.len() || array.is_null(row) || depth > DEEPEST {
        return Value::Null;
    }
    macro_rules! number {
        ($type:ty) => {
            Value::from(array.as_primitive::<$type>().value(row))
        };
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into(),
        DataType::LargeBinary => String::from_utf8_lossy(array.as_binary::<i64>().value(row)).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Decimal128(_, scale) => {
            let number = array.as_primitive::<Decimal128Type>().value(row);
            decimal(number, *scale).into()
        }
        DataType::Date32 => {
            moment(i64::from(array.as_primitive::<Date32Type>().value(row)).saturating_mul(86_400_000), false)
        }
        DataType::Date64 => moment(array.as_primitive::<Date64Type>().value(row), false),
        DataType::Timestamp(unit, zone) => {
            let millis = match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1000),
                TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000),
                TimeUnit::Nanosecond => {
                    array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000)
                }
            };
            moment(millis, zone.is_some())
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = value(dictionary.keys(), row, depth + 1).as_u64().and_then(|key| usize::try_from(key).ok());
            key.map_or(Value::Null, |key| value(dictionary.values().as_ref(), key, depth + 1))
        }
        DataType::List(_) => items(array.as_list::<i32>().value(row).as_ref(), depth),
        DataType::LargeList(_) => items(array.as_list::<i64>().value(row).as_ref(), depth),
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let pairs = fields.iter().zip(array.columns());
            Value::Object(pairs.map(|(f, c)| (f.name().clone(), value(c.as_ref(), row, depth + 1))).collect())
        }
        other => format!("({other})").into(),
    }
}

fn items(array: &dyn Array, depth: usize) -> Value {
    (0..array.len()).map(|row| value(array, row, depth + 1)).collect()
}

/// A moment as a time with or without its zone.
fn moment(millis: i64, zoned: bool) -> Value {
    let Ok(at) = jiff::Timestamp::from_millisecond(millis) else { return Value::Null };
    let format = if zoned { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.3f" };
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string().into()
}

/// A decimal number in full.
fn decimal(number: i128, scale: i8) -> String {
    if scale <= 0 {
        return format!("{number}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    }
    let scale = usize::from(scale.unsigned_abs());
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale);
    let rest = rest.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_moments() {
        assert_eq!(decimal(12_345, 2), "123.45");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1_234_567_890_123_456_789, 0), "1234567890123456789");
        assert_eq!(decimal(500, 2), "5");
        assert_eq!(moment(1_795_136_465_250, true), "2026-11-20T01:01:05.250Z");
        assert_eq!(moment(1_795_136_465_000, false), "2026-11-20T01:01:05.000");
        assert_eq!(moment(i64::MAX, false), Value::Null);
    }
}
