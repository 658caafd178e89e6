//! Faults that are collected, never first-one-only: each has a code, a place and a hint.
//! Rendering to text with carets lives in [`Diagnostic::render`]; nothing here prints.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A matter of taste, shown on request.
    Note,
    /// The pack can be used as it is.
    Warning,
    /// The pack cannot be used until this is mended.
    Error,
}

/// A pack file with its text, shared by the diagnostics that point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as shown to the user.
    pub path: PathBuf,
    /// The file's text.
    pub text: String,
}

/// One fault of a pack: code, place, message and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Stable code, e.g. `unknown-key`; every code is documented in `crate::pack::codes`.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, one sentence.
    pub message: String,
    /// Where: the file and the byte range in it.
    pub place: Option<(Arc<SourceFile>, Range<usize>)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// `path:line:column` of the fault, 1-based, columns in characters.
    pub fn position(&self) -> Option<(String, usize, usize)> {
        let (file, range) = self.place.as_ref()?;
        let start = file.text.floor_char_boundary(range.start.min(file.text.len()));
        let before = &file.text[..start];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before[before.rfind('\n').map_or(0, |i| i + 1)..].chars().count() + 1;
        Some((file.path.display().to_string(), line, column))
    }

    /// The fault as people read it: code, message, file:line:column, the line with a caret, the hint.
    pub fn render(&self) -> String {
        use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
        let level = match self.severity {
            Severity::Error => Level::ERROR.with_name("错误"),
            Severity::Note => Level::NOTE.with_name("提示"),
            Severity::Warning => Level::WARNING.with_name("警告"),
        };
        let title = level.primary_title(self.message.as_str()).id(self.code);
        let mut group = match &self.place {
            Some((file, range)) => {
                let len = file.text.len();
                let start = file.text.floor_char_boundary(range.start.min(len));
                let end = file.text.ceil_char_boundary(range.end.clamp(start, len));
                let path = file.path.display().to_string();
                let (text, end) = shortened(&file.text, start, end);
                title.element(Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(start..end)))
            }
            None => title.elements(std::iter::empty::<annotate_snippets::Message>()),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("建议").message(hint.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}

/// The text with the line a fault begins on cut after what a screen shows of it, and where the fault then ends. Lists
/// of phrases and regexes may be lines of many thousand characters.
fn shortened(text: &str, start: usize, end: usize) -> (std::borrow::Cow<'_, str>, usize) {
    const SHOWN: usize = 100;
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    match text[start..line_end].char_indices().nth(SHOWN) {
        None => (text.into(), end),
        Some((cut, _)) => {
            let cut = start + cut;
            (format!("{}…{}", &text[..cut], &text[line_end..]).into(), end.min(cut))
        }
    }
}

/// Sorts by file, place and code, so that output never depends on the order of checks.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_cached_key(|d| {
        let (path, range) = match &d.place {
            Some((file, range)) => (file.path.clone(), range.start),
            None => (PathBuf::new(), 0),
        };
        (path, range, d.code, d.message.clone())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_behind_its_fault() {
        let long = "微".repeat(5000);
        let text = format!("title = \"x\"\nregex = ['({long}']\nrole = \"agent\"\n");
        let at = text.find('(').unwrap();
        let fault = Diagnostic {
            code: "bad-regex",
            severity: Severity::Error,
            message: "正则写错".into(),
            place: Some((Arc::new(SourceFile { path: "a.toml".into(), text }), at..at + 5000)),
            hint: None,
        };
        let shown = fault.render();
        assert!(shown.chars().count() < 600, "{} characters", shown.chars().count());
        assert!(shown.contains("a.toml:2:11") && shown.contains("微…"), "{shown}");
    }
}
