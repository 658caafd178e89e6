//! Reading TOML tables key by key with every fault collected: wrong types, unknown keys (with the nearest known one
//! as a hint), missing keys. serde stops at the first fault, which is why this is written by hand.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Severity, SourceFile};

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its byte range in the file.
    pub range: Range<usize>,
}

/// Collects diagnostics about one file.
pub struct Faults<'d> {
    file: Arc<SourceFile>,
    all: &'d mut Vec<Diagnostic>,
}

impl<'d> Faults<'d> {
    /// A collector for `file`.
    pub fn new(file: Arc<SourceFile>, all: &'d mut Vec<Diagnostic>) -> Self {
        Faults { file, all }
    }

    /// Adds a fault at a place.
    pub fn at(&mut self, code: Code, range: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.all.push(Diagnostic {
            code: code.name,
            severity: if code.error { Severity::Error } else { Severity::Warning },
            message: message.into(),
            place: Some((self.file.clone(), range)),
            hint,
        });
    }

    /// A collector for another file that adds to the same faults.
    pub fn of(&mut self, file: Arc<SourceFile>) -> Faults<'_> {
        Faults { file, all: self.all }
    }

    /// Adds a remark at a place.
    pub fn note(&mut self, code: Code, range: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.at(code, range, message, hint);
        if let Some(last) = self.all.last_mut() {
            last.severity = Severity::Note;
        }
    }

    /// The file.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }
}

/// Parses a TOML file; syntax faults are collected and what could be read is returned.
pub fn parse<'t>(text: &'t str, faults: &mut Faults<'_>) -> Spanned<DeTable<'t>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let range = error.span().unwrap_or(0..0);
        faults.at(
            codes::SYNTAX,
            range,
            format!("TOML 语法错误: {}", chinese_syntax(error.message())),
            Some("字符串要用英文引号,列表用 [ ],一行一个 `键 = 值`;注意不要混入中文引号和逗号".into()),
        );
    }
    table
}

/// The parser's own words in Chinese where they are common, with the original behind.
fn chinese_syntax(message: &str) -> String {
    let first = message.lines().next().unwrap_or("");
    let known = [
        ("duplicate key", "重复的键"),
        ("invalid basic string", "字符串没有写完整"),
        ("unclosed array", "列表缺少右方括号 ]"),
        ("unclosed inline table", "缺少右花括号 }"),
        ("string values must be quoted", "文字要加英文引号"),
        ("extra `,`", "多了一个逗号"),
        ("key with no value", "键后面没有值"),
        ("missing value", "等号后面没有值"),
        ("unexpected", "多余或看不懂的内容"),
        ("newline", "换行位置不对"),
    ];
    match known.iter().find(|(english, _)| first.contains(english)) {
        Some((_, chinese)) => format!("{chinese} ({first})"),
        None => first.to_string(),
    }
}

/// A table being read: remembers which keys were asked for, so that [`Table::finish`] can name the others.
pub struct Table<'t> {
    table: &'t DeTable<'t>,
    range: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Starts reading a table that stands at `range`.
    pub fn new(table: &'t DeTable<'t>, range: Range<usize>) -> Self {
        Table { table, range, known: Vec::new() }
    }

    /// Where the table stands.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The value of a key, whatever its type.
    pub fn raw(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
    }

    /// True when the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(k, _)| k.get_ref() == key)
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        faults: &mut Faults<'_>,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.raw(key)?;
        match read(value.get_ref()) {
            Some(v) => Some(At { value: v, range: value.span() }),
            None => {
                wrong_type(faults, key, value, wanted);
                None
            }
        }
    }

    /// A string.
    pub fn string(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<String>> {
        self.typed(key, faults, "文字(加英文引号)", |v| v.as_str().map(str::to_string))
    }

    /// A string that must be there.
    pub fn required(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<String>> {
        let value = self.string(key, faults);
        if value.is_none() && !self.has(key) {
            faults.at(codes::MISSING_KEY, self.head(), format!("缺少 `{key}`"), Some(format!("加一行 {key} = \"…\"")));
        }
        value
    }

    /// A boolean.
    pub fn boolean(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<bool> {
        self.typed(key, faults, "true 或 false", DeValue::as_bool).map(|a| a.value)
    }

    /// A whole number.
    pub fn integer(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<i64>> {
        self.typed(key, faults, "整数", integer)
    }

    /// A whole number of zero or more.
    pub fn count(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<u32> {
        let at = self.integer(key, faults)?;
        match u32::try_from(at.value) {
            Ok(n) => Some(n),
            Err(_) => {
                faults.at(codes::BAD_VALUE, at.range, format!("`{key}` 要写 0 或正整数"), None);
                None
            }
        }
    }

    /// A number, whole or not.
    pub fn number(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<f64>> {
        self.typed(key, faults, "数字", number)
    }

    /// A list of strings; a single string counts as a list of one.
    pub fn strings(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<At<String>> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        string_list(key, value, faults)
    }

    /// A sub-table.
    pub fn table(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Table<'t>> {
        let value = self.raw(key)?;
        match value.get_ref().as_table() {
            Some(t) => Some(Table::new(t, value.span())),
            None => {
                wrong_type(faults, key, value, "表 { … }");
                None
            }
        }
    }

    /// A list of tables (`[[key]]`).
    pub fn tables(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Table<'t>> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            wrong_type(faults, key, value, "表的列表([[…]] 段)");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(t) => out.push(Table::new(t, item.span())),
                None => wrong_type(faults, key, item, "表 { … }"),
            }
        }
        out
    }

    /// Every key of the table with its value, for tables whose keys are the user's own.
    pub fn entries(&self) -> Vec<(At<String>, &'t Spanned<DeValue<'t>>)> {
        let mut all: Vec<_> =
            self.table.iter().map(|(k, v)| (At { value: k.get_ref().to_string(), range: k.span() }, v)).collect();
        all.sort_by_key(|(k, _)| k.range.start);
        all
    }

    /// Every key with its number, for tables of weights.
    pub fn numbers(&self, faults: &mut Faults<'_>) -> Vec<(At<String>, f64)> {
        let mut out = Vec::new();
        for (name, value) in self.entries() {
            match number(value.get_ref()) {
                Some(number) => out.push((name, number)),
                None => wrong_type(faults, &name.value, value, "数字"),
            }
        }
        out
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, what: &str, faults: &mut Faults<'_>) {
        for (key, _) in self.entries() {
            if self.known.contains(&key.value.as_str()) {
                continue;
            }
            let hint = match nearest(&key.value, self.known.iter().copied()) {
                Some(best) => format!("是不是想写 `{best}`?"),
                None => format!("{what}可用的键: {}", self.known.join("、")),
            };
            faults.at(codes::UNKNOWN_KEY, key.range, format!("{what}没有 `{}` 这个键", key.value), Some(hint));
        }
    }

    /// The table's first line, for faults about the table as a whole.
    pub fn head(&self) -> Range<usize> {
        self.range.start..self.range.start + 1
    }
}

/// The known name closest to what was written, if any is close.
pub fn nearest<'n>(written: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min()
        .map(|(_, name)| name)
}

fn wrong_type(faults: &mut Faults<'_>, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
    let got = match value.get_ref() {
        DeValue::String(_) => "文字",
        DeValue::Integer(_) => "整数",
        DeValue::Float(_) => "小数",
        DeValue::Boolean(_) => "true/false",
        DeValue::Datetime(_) => "日期",
        DeValue::Array(_) => "列表",
        DeValue::Table(_) => "表",
    };
    faults.at(codes::WRONG_TYPE, value.span(), format!("`{key}` 要写{wanted},这里写成了{got}"), None);
}

/// A list of strings out of a value; a single string counts as a list of one.
pub fn string_list(key: &str, value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Vec<At<String>> {
    match value.get_ref() {
        DeValue::String(s) => vec![At { value: s.to_string(), range: value.span() }],
        DeValue::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for item in items.iter() {
                match item.get_ref().as_str() {
                    Some(s) => out.push(At { value: s.to_string(), range: item.span() }),
                    None => wrong_type(faults, key, item, "文字(加英文引号)"),
                }
            }
            out
        }
        _ => {
            wrong_type(faults, key, value, "文字的列表 [\"…\", \"…\"]");
            Vec::new()
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let i = value.as_integer()?;
    i64::from_str_radix(i.as_str(), i.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(_) => integer(value).map(|i| i as f64),
        DeValue::Float(f) => f.as_str().parse().ok(),
        _ => None,
    }
}
