//! A pack with some rules demoted to review-only, or restored, by what people found: the change is made in the text of the
//! pack's own `pack.toml`, so that hash and stored sources tell of it.

use std::sync::Arc;

use toml_edit::{DocumentMut, Item, Table, value};

use super::Pack;
use crate::diagnostic::SourceFile;
use crate::error::{Error, Result};

impl Pack {
    /// This pack with rules demoted to review-only, and others no longer so (unless their own file says it). Rules it does
    /// not have are left out. Without any change it is the same pack.
    ///
    /// # Errors
    /// When the pack cannot be read again with the change.
    ///
    /// ```
    /// use zhijian::pack::Pack;
    /// let pack = Pack::default_pack().unwrap();
    /// let hash = pack.hash.clone();
    /// let demoted = pack.with_standing(&["perfunctory"], &[]).unwrap();
    /// assert!(demoted.rules[demoted.rule("perfunctory").unwrap()].review_only && demoted.hash != hash);
    /// let restored = demoted.with_standing(&[], &["perfunctory"]).unwrap();
    /// assert!(!restored.rules[restored.rule("perfunctory").unwrap()].review_only && restored.hash == hash);
    /// ```
    pub fn with_standing(self, demoted: &[&str], restored: &[&str]) -> Result<Pack> {
        let Some(frame) = self.sources.own.get("pack.toml").cloned() else { return Ok(self) };
        let failed = |e: &dyn std::fmt::Display| Error::Other(format!("{}: {e}", frame.path.display()));
        let mut document: DocumentMut = frame.text.parse().map_err(|e: toml_edit::TomlError| failed(&e))?;
        let mut changed = false;
        for id in demoted {
            if self.rule(id).is_none_or(|n| self.rules[n].review_only) {
                continue;
            }
            let rules = document.entry("rule").or_insert_with(|| {
                let mut table = Table::new();
                table.set_implicit(true);
                Item::Table(table)
            });
            let rules = rules.as_table_like_mut().ok_or_else(|| failed(&"`rule` 不是表"))?;
            let rule = rules.entry(id).or_insert_with(|| Item::Table(Table::new()));
            let rule = rule.as_table_like_mut().ok_or_else(|| failed(&format!("`rule.{id}` 不是表")))?;
            rule.insert("review_only", value(true));
            changed = true;
        }
        for id in restored {
            let Some(rules) = document.get_mut("rule").and_then(Item::as_table_like_mut) else { continue };
            let Some(rule) = rules.get_mut(id).and_then(Item::as_table_like_mut) else { continue };
            changed |= rule.remove("review_only").is_some();
            if rule.is_empty() {
                rules.remove(id);
            }
            if rules.is_empty() {
                document.remove("rule");
            }
        }
        if !changed {
            return Ok(self);
        }
        let text = document.to_string();
        let mut sources = self.sources.clone();
        for (path, file) in &mut sources.own.files {
            if path == "pack.toml" {
                *file = Arc::new(SourceFile { path: frame.path.clone(), text: text.clone() });
            }
        }
        Pack::load_again(&sources)
    }
}
