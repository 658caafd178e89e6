//! What people said of the conversations: a rating, a label inside the data, or a file of values.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use zhijian::conversation::Conversation;
use zhijian::error::{Error, Result};

/// Where targets come from.
pub enum Target {
    /// The rating, 1–5.
    Rating,
    /// A field of `labels`: a number, or a list of numbers that is averaged.
    Label(String),
    /// A file: value and weight by conversation.
    File(HashMap<String, (f64, f64)>),
}

impl Target {
    /// Reads `--target`.
    pub fn parse(text: &str) -> Result<Target, String> {
        match text.split_once(':') {
            None if text == "rating" => Ok(Target::Rating),
            Some(("label", name)) if !name.is_empty() => Ok(Target::Label(name.to_string())),
            _ => Err("写 rating 或 label:字段名(如 label:S)".into()),
        }
    }

    /// How it is named to people.
    pub fn title(&self) -> String {
        match self {
            Target::Rating => "rating".into(),
            Target::Label(name) => format!("label:{name}"),
            Target::File(_) => "labels".into(),
        }
    }

    /// The value people gave a conversation, its weight, and the least and greatest single value seen in it.
    pub fn of(&self, conversation: &Conversation<'_>) -> Option<Value> {
        let single = |value: f64| Value { value, weight: 1.0, low: value, high: value };
        match self {
            Target::Rating => conversation.rating.map(|r| single(f64::from(r))),
            Target::File(values) => {
                values.get(&*conversation.id).map(|(v, weight)| Value { weight: *weight, ..single(*v) })
            }
            Target::Label(name) => {
                let labels: serde_json::Value = serde_json::from_str(conversation.labels.as_deref()?).ok()?;
                match labels.get(name)? {
                    serde_json::Value::Array(list) => {
                        let numbers: Vec<f64> = list.iter().filter_map(number).collect();
                        let n = numbers.len() as f64;
                        (n > 0.0).then(|| Value {
                            value: numbers.iter().sum::<f64>() / n,
                            weight: 1.0,
                            low: numbers.iter().copied().fold(f64::INFINITY, f64::min),
                            high: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                        })
                    }
                    one => number(one).map(single),
                }
            }
        }
    }
}

/// What people said of one conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The mean of what they said.
    pub value: f64,
    /// How much it counts.
    pub weight: f64,
    /// The least anyone said.
    pub low: f64,
    /// The most anyone said.
    pub high: f64,
}

fn number(value: &serde_json::Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str().and_then(|s| s.trim().parse().ok()));
    number.filter(|n| n.is_finite())
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "id")]
    conversation_id: String,
    #[serde(alias = "rating")]
    value: f64,
    weight: Option<f64>,
}

/// Reads a file of values: CSV with the columns conversation_id, value and perhaps weight, or the same as JSONL.
pub fn read(path: &Path) -> Result<Target> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::read(path, e))?;
    let fault = |line: usize, what: &str| Error::Other(format!("{}:{line}: {what}", path.display()));
    let mut values = HashMap::new();
    let mut put = |line: usize, id: &str, value: f64, weight: f64| {
        if !value.is_finite() || !weight.is_finite() || weight <= 0.0 {
            return Err(fault(line, "value 要是数字,weight 要大于 0"));
        }
        if values.insert(id.trim().to_string(), (value, weight)).is_some() {
            return Err(fault(line, &format!("会话 {} 写了两次", zhijian::text::mask(id))));
        }
        Ok(())
    };
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let line: Line = serde_json::from_str(line)
                .map_err(|e| fault(n + 1, &format!("要有 conversation_id 和 value 两个字段: {e}")))?;
            put(n + 1, &line.conversation_id, line.value, line.weight.unwrap_or(1.0))?;
        }
    } else {
        let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        for (n, row) in csv.records().enumerate() {
            let row = row.map_err(|e| fault(n + 1, &e.to_string()))?;
            let cell = |i: usize| row.get(i).map(str::trim).filter(|c| !c.is_empty());
            let number = |i: usize| cell(i).and_then(|c| c.parse::<f64>().ok());
            match (cell(0), number(1)) {
                (Some(id), Some(value)) => put(n + 1, id, value, number(2).unwrap_or(1.0))?,
                // The first line may name the columns.
                _ if n == 0 => {}
                _ => return Err(fault(n + 1, "每行写: 会话编号,分值[,权重]")),
            }
        }
    }
    Ok(Target::File(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let mut conversation = Conversation { id: "c".into(), rating: Some(4), ..Conversation::default() };
        conversation.labels = Some(r#"{"S":[-2,0,1,"1"],"o":2,"t":"x"}"#.into());
        let of = |t: &str| Target::parse(t).unwrap().of(&conversation);
        assert_eq!(of("rating"), Some(Value { value: 4.0, weight: 1.0, low: 4.0, high: 4.0 }));
        assert_eq!(of("label:S"), Some(Value { value: 0.0, weight: 1.0, low: -2.0, high: 1.0 }));
        assert_eq!(of("label:o").map(|v| v.value), Some(2.0));
        assert_eq!(of("label:t"), None);
        assert!(Target::parse("S").is_err() && Target::parse("label:").is_err());
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = dir.path().join("labels");
            std::fs::write(&path, text).unwrap();
            match read(&path)? {
                Target::File(values) => Ok::<_, Error>(values),
                _ => unreachable!(),
            }
        };
        let csv = read("\u{feff}会话,分值\nc1,4\nc2,1,2.5\n").unwrap();
        assert_eq!((csv["c1"], csv["c2"]), ((4.0, 1.0), (1.0, 2.5)));
        assert_eq!(read("{\"conversation_id\":\"c1\",\"value\":4}\n\n").unwrap().len(), 1);
        for bad in ["c1,4\nc2,gut\n", "c1,4\nc1,5\n", "{\"value\":1}\n", "c1,4,-1\n"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
