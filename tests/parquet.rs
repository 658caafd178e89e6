//! `--results parquet`: the files hold what `conversations.jsonl` holds, whatever the number of threads.

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, RecordBatch};
use common::{lines, zhijian};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

const FILES: [&str; 3] = ["conversations.parquet", "findings.parquet", "agents.parquet"];

/// A file's rows by column, as JSON.
fn rows(path: &Path) -> Vec<BTreeMap<String, Value>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let mut out = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cell = |(field, column): (&std::sync::Arc<arrow_schema::Field>, &arrow_array::ArrayRef)| {
                (field.name().clone(), value(column, row))
            };
            out.push(batch.schema().fields().iter().zip(batch.columns()).map(cell).collect());
        }
    }
    out
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        arrow_schema::DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        arrow_schema::DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(row)),
        arrow_schema::DataType::Int32 => json!(column.as_primitive::<Int32Type>().value(row)),
        arrow_schema::DataType::Boolean => json!(column.as_boolean().value(row)),
        arrow_schema::DataType::Timestamp(..) => {
            json!(column.as_primitive::<arrow_array::types::TimestampMillisecondType>().value(row))
        }
        arrow_schema::DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|n| value(&list, n)).collect()
        }
        other => panic!("a column of {other}"),
    }
}

/// JSON writes 95.0 as 95.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

#[test]
fn the_columns_hold_what_the_lines_hold() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    let run = ["inspect", "fixtures/nightly", "--results", "jsonl,parquet", "--report", "none", "--out"];
    zhijian().args(run).arg(&out).assert().success();
    let records = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap());
    let [conversations, findings, agents] = FILES.map(|name| rows(&out.join(name)));
    assert_eq!(conversations.len(), 300);
    let night = lines(&std::fs::read(common::root().join("fixtures/nightly/2026-11-20.jsonl")).unwrap());
    let (mut found, mut spoke) = (findings.iter(), agents.iter());
    for ((record, row), source) in records.iter().zip(&conversations).zip(&night) {
        for name in ["conversation_id", "score", "raw_score", "not_judged", "satisfaction_estimate", "resolution"] {
            assert!(same(&record[name], &row[name]), "{name}: {} {}", record[name], row[name]);
        }
        for (name, value) in record["metrics"].as_object().unwrap() {
            assert!(same(value, &row[name]), "{name}: {value} {}", row[name]);
        }
        for name in ["channel", "stage", "rating"] {
            assert!(same(&source[name], &row[name]), "{name}: {} {}", source[name], row[name]);
        }
        assert!(row["began"].as_i64().is_some());
        let topics: Vec<_> = record["topics"].as_array().unwrap().iter().map(|t| t["id"].clone()).collect();
        assert_eq!((json!(topics), topics.first()), (row["topics"].clone(), Some(&row["topic"])));
        let details: Value = serde_json::from_str(row["details"].as_str().unwrap()).unwrap();
        for (name, value) in details.as_object().unwrap() {
            assert_eq!(value, &record[name]);
        }
        assert_eq!(details["satisfaction_reasons"], record["satisfaction_reasons"]);
        let own = record["findings"].as_array().unwrap();
        assert_eq!(row["findings"].as_i64().unwrap() + row["reviews"].as_i64().unwrap(), own.len() as i64);
        for finding in own {
            let row = found.next().unwrap();
            assert_eq!(row["conversation_id"], record["conversation_id"]);
            for (name, value) in finding.as_object().unwrap() {
                assert!(same(value, &row[name]), "{name}: {value} {}", row[name]);
            }
        }
        for agent in record["agents"].as_array().unwrap() {
            let row = spoke.next().unwrap();
            assert_eq!(row["conversation_id"], record["conversation_id"]);
            for name in ["agent_id", "score", "raw_score"] {
                assert!(same(&agent[name], &row[name]), "{name}: {} {}", agent[name], row[name]);
            }
            assert!(
                agent["score"].is_null() || (agent["critical"] == row["critical"] && agent["passed"] == row["passed"])
            );
            for (name, value) in agent["dimensions"].as_object().unwrap() {
                assert!(same(value, &row[&format!("dimension_{name}")]), "{name}");
            }
            assert!(row["name"].is_string() && row["team"].is_string());
        }
    }
    assert!(found.next().is_none() && spoke.next().is_none() && !findings.is_empty());
}

#[test]
fn threads_do_not_show_and_nothing_else_is_left_behind() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("night");
    std::fs::create_dir(&folder).unwrap();
    let night = std::fs::read_to_string(common::root().join("fixtures/nightly/2026-11-20.jsonl")).unwrap();
    for (number, piece) in night.lines().collect::<Vec<_>>().chunks(20).enumerate() {
        std::fs::write(folder.join(format!("{number:02}.jsonl")), piece.join("\n")).unwrap();
    }
    let read = ["1", "4"].map(|threads| {
        let out = base.path().join(threads);
        let run = ["--results", "parquet", "--quiet", "--threads", threads, "--out"];
        zhijian().arg("inspect").arg(&folder).args(run).arg(&out).assert().success();
        assert!(out.join("scorecards.xlsx").exists() && !out.join("conversations.jsonl").exists());
        FILES.map(|name| std::fs::read(out.join(name)).unwrap())
    });
    assert!(read[0] == read[1]);
}

#[test]
fn masked_like_the_rest() {
    let base = tempfile::tempdir().unwrap();
    let (input, out) = (base.path().join("in.jsonl"), base.path().join("out"));
    let text = r#"{"conversation_id":"c","agent_id":"a","turns":[{"role":"customer","text":"还没发货"},{"role":"agent","text":"加微信13812345678吧"}]}"#;
    std::fs::write(&input, text).unwrap();
    for (pii, shown) in [("keep", true), ("mask", false)] {
        let run = ["--results", "parquet", "--report", "none", "--pii", pii, "--out"];
        zhijian().arg("inspect").arg(&input).args(run).arg(&out).assert().success();
        let all: String = FILES.iter().flat_map(|name| rows(&out.join(name))).map(|row| format!("{row:?}")).collect();
        assert!(all.contains("off-platform"));
        assert_eq!(all.contains("13812345678"), shown, "{all}");
    }
}
