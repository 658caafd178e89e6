//! A Parquet file being written: rows in, row groups out.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// Rows handed to the encoder at once.
const BATCH: usize = 2048;
/// Encoded bytes after which a row group ends; one is held in memory.
const GROUP_BYTES: usize = 16 << 20;
/// Rows after which a row group ends.
const GROUP_ROWS: usize = 1 << 18;

/// What a column holds. Every column may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// A list of UTF-8.
    Texts,
    /// 64-bit float.
    Number,
    /// 32-bit integer.
    Count,
    /// True or false.
    Flag,
    /// Local time in milliseconds, of no zone.
    Time,
}

enum Column {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Number(Float64Builder),
    Count(Int32Builder),
    Flag(BooleanBuilder),
    Time(TimestampMillisecondBuilder),
}

impl Kind {
    fn of(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Texts => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
            Kind::Number => DataType::Float64,
            Kind::Count => DataType::Int32,
            Kind::Flag => DataType::Boolean,
            Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }

    fn builder(self) -> Column {
        match self {
            Kind::Text => Column::Text(StringBuilder::new()),
            Kind::Texts => Column::Texts(ListBuilder::new(StringBuilder::new())),
            Kind::Number => Column::Number(Float64Builder::new()),
            Kind::Count => Column::Count(Int32Builder::new()),
            Kind::Flag => Column::Flag(BooleanBuilder::new()),
            Kind::Time => Column::Time(TimestampMillisecondBuilder::new()),
        }
    }
}

impl Column {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Text(b) => Arc::new(b.finish()),
            Column::Texts(b) => Arc::new(b.finish()),
            Column::Number(b) => Arc::new(b.finish()),
            Column::Count(b) => Arc::new(b.finish()),
            Column::Flag(b) => Arc::new(b.finish()),
            Column::Time(b) => Arc::new(b.finish()),
        }
    }
}

/// A file being written.
pub struct Table {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    writer: ArrowWriter<BufWriter<File>>,
    /// Rows in the builders.
    rows: usize,
    /// Rows of the row group so far.
    group: usize,
}

impl Table {
    /// An empty file of these columns.
    pub fn new(file: BufWriter<File>, columns: &[(String, Kind)]) -> std::io::Result<Table> {
        let fields: Vec<Field> = columns.iter().map(|(name, kind)| Field::new(name, kind.of(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            // The library's version must not change the bytes' meaning for whoever compares two nights.
            .set_created_by("zhijian".into())
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        Ok(Table { schema, columns: columns.iter().map(|c| c.1.builder()).collect(), writer, rows: 0, group: 0 })
    }

    /// Begins a row; every column must be given, in order.
    pub fn row(&mut self) -> Row<'_> {
        Row { columns: self.columns.iter_mut() }
    }

    /// Ends a row.
    pub fn end(&mut self) -> std::io::Result<()> {
        self.rows += 1;
        if self.rows >= BATCH { self.encode() } else { Ok(()) }
    }

    fn encode(&mut self) -> std::io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(std::io::Error::other)?;
        self.group += self.rows;
        self.rows = 0;
        self.writer.write(&batch)?;
        if self.writer.in_progress_size() >= GROUP_BYTES || self.group >= GROUP_ROWS {
            self.writer.flush()?;
            self.group = 0;
        }
        Ok(())
    }

    /// Completes the file.
    pub fn finish(mut self) -> std::io::Result<BufWriter<File>> {
        self.encode()?;
        Ok(self.writer.into_inner()?)
    }
}

/// A row being filled from left to right. A value of another kind than its column's leaves the row short, which
/// [`Table::end`]'s batch refuses.
pub struct Row<'t> {
    columns: std::slice::IterMut<'t, Column>,
}

impl Row<'_> {
    /// Words.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        if let Some(Column::Text(column)) = self.columns.next() {
            column.append_option(value);
        }
        self
    }

    /// Several words.
    pub fn texts<'v>(&mut self, values: impl Iterator<Item = &'v str>) -> &mut Self {
        if let Some(Column::Texts(column)) = self.columns.next() {
            values.for_each(|value| column.values().append_value(value));
            column.append(true);
        }
        self
    }

    /// A number.
    pub fn number(&mut self, value: Option<f64>) -> &mut Self {
        if let Some(Column::Number(column)) = self.columns.next() {
            column.append_option(value);
        }
        self
    }

    /// A count.
    pub fn count(&mut self, value: Option<i64>) -> &mut Self {
        if let Some(Column::Count(column)) = self.columns.next() {
            column.append_option(value.map(|v| i32::try_from(v).unwrap_or(i32::MAX)));
        }
        self
    }

    /// True or false.
    pub fn flag(&mut self, value: Option<bool>) -> &mut Self {
        if let Some(Column::Flag(column)) = self.columns.next() {
            column.append_option(value);
        }
        self
    }

    /// A time.
    pub fn time(&mut self, value: Option<i64>) -> &mut Self {
        if let Some(Column::Time(column)) = self.columns.next() {
            column.append_option(value);
        }
        self
    }
}
