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
                title.element(
                    Snippet::source(file.text.as_str()).path(path).annotation(AnnotationKind::Primary.span(start..end)),
                )
            }
            None => title.elements(std::iter::empty::<annotate_snippets::Message>()),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("建议").message(hint.as_str()));
        }
        Renderer::plain().render(&[group])
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
