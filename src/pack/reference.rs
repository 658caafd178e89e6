//! What one pack file may refer to in others: marker ids, named phrase lists, phrase files. Resolved while reading,
//! so that a wrong name is reported where it is written.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::codes;
use super::expression::MarkerId;
use super::fields::{At, Faults, Table, nearest, string_list};
use super::marker::ViewKind;
use super::source::PackFiles;

/// The names of a pack.
pub struct Names<'n> {
    /// Marker ids in order.
    pub markers: &'n [String],
    /// Named phrase lists.
    pub lists: &'n BTreeMap<String, Vec<String>>,
    /// All files, for phrase files.
    pub files: &'n PackFiles,
}

impl Names<'_> {
    /// The number of a marker by id, without reporting.
    pub fn find(&self, id: &str) -> Option<MarkerId> {
        self.markers.binary_search_by(|m| m.as_str().cmp(id)).ok().map(|i| i as MarkerId)
    }

    /// The number of a marker; an unknown one is reported.
    pub fn marker(&self, at: &At<String>, faults: &mut Faults<'_>) -> Option<MarkerId> {
        let found = self.find(&at.value);
        if found.is_none() {
            let hint = nearest(&at.value, self.markers.iter().map(String::as_str))
                .map(|m| format!("是不是想写 `{m}`?"))
                .or_else(|| Some("`zhijian rules list` 列出全部标记".into()));
            faults.at(codes::UNKNOWN_MARKER, at.range.clone(), format!("没有叫 `{}` 的标记", at.value), hint);
        }
        found
    }

    /// The phrases under `key` (with `@lists` expanded) and those of the file named under `file_key`.
    pub fn phrases(
        &self,
        table: &mut Table<'_>,
        key: &'static str,
        file_key: &'static str,
        view: ViewKind,
        faults: &mut Faults<'_>,
    ) -> Vec<String> {
        let written = table.strings(key, faults);
        let mut out = Vec::with_capacity(written.len());
        for at in written {
            self.expand(at, view, &mut out, faults);
        }
        if !file_key.is_empty()
            && let Some(at) = table.string(file_key, faults)
        {
            let path = format!("markers/{}", at.value);
            match self.files.get(&path).or_else(|| self.files.get(&at.value)) {
                Some(file) => out.extend(phrases_of_file(&file.text)),
                None => faults.at(
                    codes::MISSING_FILE,
                    at.range,
                    format!("找不到短语文件 `{}`", at.value),
                    Some("短语文件(.txt 一行一条,或 .csv 取第一列)放在 markers/ 里".into()),
                ),
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        out.retain(|p| seen.insert(p.clone()));
        out
    }

    /// The parts of a `near`: each a string or a list of alternatives.
    pub fn parts(&self, table: &mut Table<'_>, faults: &mut Faults<'_>) -> Vec<Vec<String>> {
        let Some(value) = table.raw("parts") else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            faults.at(codes::WRONG_TYPE, value.span(), "parts 要写列表", Some("parts = [[\"加\"], [\"微信\"]]".into()));
            return Vec::new();
        };
        let mut parts = Vec::new();
        for item in items.iter() {
            let mut alternatives = Vec::new();
            for at in string_list("parts", item, faults) {
                self.expand(at, ViewKind::Plain, &mut alternatives, faults);
            }
            parts.push(alternatives);
        }
        parts
    }

    fn expand(&self, at: At<String>, view: ViewKind, out: &mut Vec<String>, faults: &mut Faults<'_>) {
        match at.value.strip_prefix('@') {
            Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty() => {
                match self.lists.get(name) {
                    Some(list) => out.extend(list.iter().cloned()),
                    None => {
                        let hint = nearest(name, self.lists.keys().map(String::as_str))
                            .map(|n| format!("是不是想写 `@{n}`?"))
                            .or_else(|| Some("在 pack.toml 的 [lists] 里定义它".into()));
                        let message = format!("没有叫 `@{name}` 的短语表");
                        faults.at(codes::UNKNOWN_LIST, at.range, message, hint);
                    }
                }
            }
            _ => {
                let normal = normal_phrase(view, &at.value);
                if normal.is_empty() {
                    let hint = match view {
                        ViewKind::Squeezed => Some("squeezed 视图里没有标点、空格和表情;改用 view = \"plain\"".into()),
                        _ => None,
                    };
                    let message = format!("短语 `{}` 归一化后什么都不剩,永远不会命中", at.value);
                    faults.at(codes::EMPTY_PHRASE, at.range, message, hint);
                } else {
                    out.push(at.value);
                }
            }
        }
    }
}

/// A phrase as it is looked for in a view.
pub fn normal_phrase(view: ViewKind, phrase: &str) -> String {
    match view {
        ViewKind::Plain => crate::text::plain_phrase(phrase),
        ViewKind::Squeezed => crate::text::squeezed_phrase(phrase),
        ViewKind::Pinyin => crate::text::pinyin_phrase(phrase),
    }
}

/// One phrase a line (`#` begins a comment), or the first column of a CSV.
fn phrases_of_file(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split([',', '\t']).next().unwrap_or("").trim().trim_matches('"').to_string())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}
