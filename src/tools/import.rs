//! Taking phrases into a pack file without disturbing its comments and layout, and saying of each phrase what became of
//! it. Text in, text out; the command line reads and writes.

use std::collections::BTreeMap;

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::pack::marker::{Block, ViewKind};
use crate::pack::reference::normal_phrase;

/// Longest phrase taken, in characters: a longer one is a whole message, which nobody will repeat word by word.
const LONGEST: usize = 40;

/// Heads of columns that are no phrases.
const HEADS: &[&str] =
    &["短语", "词", "词语", "关键词", "关键字", "话术", "说法", "内容", "phrase", "phrases", "keyword", "text"];

/// What became of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its row in the table.
    pub row: u64,
    /// As written.
    pub phrase: String,
    /// Why it was left out; `None`: added.
    pub skipped: Option<String>,
    /// A remark on an added phrase.
    pub remark: Option<String>,
}

/// Decides which phrases to add to a block. `others` are phrases elsewhere in the pack: normalised, with the marker.
pub fn choose(rows: &[(u64, String)], block: &Block, others: &BTreeMap<String, String>) -> Vec<Taken> {
    let view = block.view;
    let normals = |list: &[String]| -> BTreeMap<String, String> {
        list.iter().map(|p| (normal_phrase(view, p), p.clone())).collect()
    };
    let mut known = normals(&block.phrases);
    let except: Vec<(String, &String)> = block.except.iter().map(|(_, p)| (normal_phrase(view, p), p)).collect();
    let mut out = Vec::new();
    for (number, (row, phrase)) in rows.iter().enumerate() {
        let normal = normal_phrase(view, phrase);
        let (mut skipped, mut remark) = (None, None);
        let chars = match view {
            ViewKind::Pinyin => normal.split_whitespace().count(),
            _ => normal.chars().count(),
        };
        if number == 0 && HEADS.contains(&phrase.trim().to_lowercase().as_str()) {
            skipped = Some("表头".into());
        } else if normal.is_empty() {
            skipped = Some("归一化后什么都不剩".into());
        } else if chars < 2 {
            skipped = Some("只有一个字,太容易误判".into());
        } else if chars > LONGEST {
            skipped = Some(format!("超过 {LONGEST} 个字,像是整段话;挑出关键的几个字"));
        } else if phrase.contains(['\n', '\r', '\t']) {
            skipped = Some("含换行或制表符".into());
        } else if phrase.starts_with('@') {
            skipped = Some("以 @ 开头会被当成短语表的名字".into());
        } else if let Some(own) = known.get(&normal) {
            skipped =
                Some(if own == phrase { "已经有了".into() } else { format!("归一化后与“{own}”相同") });
        } else if let Some((_, e)) = except.iter().find(|(e, _)| *e == normal) {
            skipped = Some(format!("同时是例外“{e}”,永远不会命中"));
        } else {
            if let Some((_, e)) = except.iter().find(|(e, _)| e.contains(&normal)) {
                remark = Some(format!("落在例外“{e}”里时不算"));
            } else if let Some((_, own)) = known.iter().find(|(k, _)| normal.contains(k.as_str())) {
                remark = Some(format!("已有更短的“{own}”,通常不必再加"));
            } else if let Some(other) = others.get(&normal) {
                remark = Some(format!("标记 {other} 也有这条"));
            }
            known.insert(normal, phrase.clone());
        }
        out.push(Taken { row: *row, phrase: phrase.clone(), skipped, remark });
    }
    out
}

/// Adds phrases to the list at `path` (tables, then the key) of a TOML text; the rest of the text stays as it is.
///
/// ```
/// use zhijian::tools::import::add;
/// let text = "# 标记\nphrases = [\n  \"加微信\", # 常见\n]\n";
/// let new = add(text, &["phrases"], &["加v".to_string()]).unwrap();
/// assert_eq!(new, "# 标记\nphrases = [\n  \"加微信\", # 常见\n  \"加v\",\n]\n");
/// ```
///
/// # Errors
/// When the text is no TOML, or something else stands at the path.
pub fn add(text: &str, path: &[&str], phrases: &[String]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let (key, tables) = path.split_last().ok_or("没有键")?;
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for name in tables {
        let item = table.entry(name).or_insert_with(|| {
            let mut made = Table::new();
            made.set_implicit(tables.len() > 1 && Some(name) == tables.first());
            Item::Table(made)
        });
        table = item.as_table_like_mut().ok_or_else(|| format!("`{name}` 不是表"))?;
    }
    let item = table.entry(key).or_insert_with(|| Item::Value(Value::Array(Array::new())));
    if let Some(single) = item.as_str().map(str::to_string) {
        *item = Item::Value(Value::Array(Array::from_iter([single])));
    }
    let array = item.as_array_mut().ok_or_else(|| format!("`{key}` 不是列表"))?;
    append(array, phrases);
    Ok(document.to_string())
}

/// Appends in the array's own layout: on one line, or on lines of the same indent.
fn append(array: &mut Array, phrases: &[String]) {
    const WIDTH: usize = 60;
    let prefix = |v: &Value| v.decor().prefix().and_then(|p| p.as_str()).unwrap_or("").to_string();
    let indent = array.iter().map(prefix).find(|p| p.contains('\n'));
    let indent = indent.map(|p| p[p.rfind('\n').unwrap_or(0)..].to_string());
    let lines = indent.is_some() || array.trailing().as_str().is_some_and(|t| t.contains('\n'));
    if !lines {
        array.extend(phrases.iter().map(String::as_str));
        return;
    }
    let indent = indent.unwrap_or_else(|| "\n  ".into());
    // Without a comma at the end, what follows the last phrase belongs to it.
    let mut trailing = array.trailing().as_str().unwrap_or("\n").to_string();
    if let Some(last) = array.len().checked_sub(1).and_then(|n| array.get_mut(n)) {
        let suffix = last.decor().suffix().and_then(|s| s.as_str()).unwrap_or("").to_string();
        trailing.insert_str(0, &suffix);
        last.decor_mut().set_suffix("");
    }
    // A comment behind the last phrase stays behind it.
    let (comment, rest) = match trailing.rfind('\n') {
        Some(end) if trailing[..end].contains('#') => trailing.split_at(end),
        _ => ("", trailing.as_str()),
    };
    let rest = if rest.contains('\n') { rest.to_string() } else { "\n".to_string() };
    let mut width = usize::MAX;
    for (number, phrase) in phrases.iter().enumerate() {
        let mut value = Value::from(phrase.as_str());
        width = width.saturating_add(phrase.chars().count() + 4);
        let before = match width > WIDTH {
            true => {
                width = phrase.chars().count() + 4;
                let comment = if number == 0 { comment } else { "" };
                format!("{comment}{indent}")
            }
            false => " ".to_string(),
        };
        value.decor_mut().set_prefix(before);
        array.push_formatted(value);
    }
    array.set_trailing(rest);
    array.set_trailing_comma(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_and_comments_stay() {
        let phrases = ["加v".to_string(), "扫码".to_string()];
        let cases = [
            ("phrases = [\"a\"]\n", "phrases = [\"a\", \"加v\", \"扫码\"]\n"),
            ("phrases = []\n", "phrases = [\"加v\", \"扫码\"]\n"),
            ("phrases = \"a\"\n", "phrases = [\"a\", \"加v\", \"扫码\"]\n"),
            (
                "# x\nphrases = [\n    \"a\",\n    \"b\"\n]\nword = true\n",
                "# x\nphrases = [\n    \"a\",\n    \"b\",\n    \"加v\", \"扫码\",\n]\nword = true\n",
            ),
            ("phrases = [\n  \"a\",\n  # end\n]\n", "phrases = [\n  \"a\",\n  # end\n  \"加v\", \"扫码\",\n]\n"),
            (
                "title = \"x\"\n\n[[example]]\nhit = \"y\"\n",
                "title = \"x\"\nphrases = [\"加v\", \"扫码\"]\n\n[[example]]\nhit = \"y\"\n",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(add(text, &["phrases"], &phrases).unwrap(), wanted);
        }
        let text = "id = \"x\"\n[marker.abuse]\nadd = [\"a\"]\n";
        assert_eq!(
            add(text, &["marker", "abuse", "add"], &phrases[..1]).unwrap(),
            "id = \"x\"\n[marker.abuse]\nadd = [\"a\", \"加v\"]\n"
        );
        let new = add("id = \"x\"\n", &["marker", "abuse", "add"], &phrases[..1]).unwrap();
        assert!(new.contains("[marker.abuse]\nadd = [\"加v\"]"), "{new}");
    }

    #[test]
    fn each_phrase_is_accounted_for() {
        let block = Block {
            view: ViewKind::Squeezed,
            phrases: vec!["加微信".into()],
            except: vec![(crate::pack::marker::Reach::Sentence, "平台不让加v信".into())],
            ..Block::default()
        };
        let rows: Vec<(u64, String)> =
            ["短语", "加 薇信", "滚", "平台不让加v信", "让加v信", "加微信聊", "扫码进群", "扫码 进群", "。。。"]
                .iter()
                .enumerate()
                .map(|(n, p)| (n as u64 + 1, p.to_string()))
                .collect();
        let taken = choose(&rows, &block, &BTreeMap::new());
        let added: Vec<_> = taken.iter().filter(|t| t.skipped.is_none()).map(|t| t.phrase.as_str()).collect();
        assert_eq!(added, ["让加v信", "加微信聊", "扫码进群"]);
        assert!(taken[4].remark.as_deref().unwrap().contains("例外"));
        assert!(taken[5].remark.as_deref().unwrap().contains("更短"));
        assert!(taken.iter().filter(|t| t.skipped.is_some()).count() == 6);
    }
}
