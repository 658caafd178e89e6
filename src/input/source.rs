//! One input opened: decompressed, decoded, its format known.

use std::sync::Arc;

use encoding_rs::Encoding;

use super::InputOptions;
use super::compression::Stream;
use super::discover::Named;
use super::encoding::Text;
use super::layout::layout;
use crate::error::Error;

/// An input ready to be read.
pub(crate) struct Source {
    pub name: Arc<str>,
    pub text: Text,
    pub extension: String,
    /// JSONL, or else delimited.
    pub jsonl: bool,
    size: Option<u64>,
}

impl Source {
    pub(crate) fn open(
        input: &Named,
        encoding: Option<&'static Encoding>,
        options: &InputOptions,
    ) -> Result<Source, Error> {
        let name: Arc<str> = input.shown().into();
        let stream = Stream::open(input.open()?, options.limits).map_err(|e| Error::read(&*name, e))?;
        let text = Text::open(stream, encoding);
        if let Some(what) = foreign(text.head()) {
            return Err(Error::Other(format!(
                "{name}: 这是 {what} 文件,不能直接读取;\n  请另存为 CSV 或 JSONL(可再用 gzip/zstd 压缩)后重试。(unsupported file type)"
            )));
        }
        let extension = input.extension();
        let jsonl = is_jsonl(&extension, &text.sample(), options);
        Ok(Source { name, text, extension, jsonl, size: input.size() })
    }

    /// About how large the text is.
    pub(crate) fn size_hint(&self) -> usize {
        match self.text.stream().compression() {
            "none" => self.size.unwrap_or(0).min(1 << 32) as usize,
            _ => 0,
        }
    }
}

/// Opens a file and looks at its beginning, so that a wrong one is told before the run.
pub(crate) fn preflight(
    input: &Named,
    encoding: Option<&'static Encoding>,
    options: &InputOptions,
) -> Result<(), Error> {
    let source = Source::open(input, encoding, options)?;
    if !source.jsonl {
        layout(&source.name, source.text.sample().as_bytes(), &source.extension, options)?;
    }
    Ok(())
}

/// The name of a file type that people take for a text export.
fn foreign(head: &[u8]) -> Option<&'static str> {
    let types: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "XLSX/ZIP"),
        (b"\xd0\xcf\x11\xe0", "XLS(旧版 Excel)"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"7z\xbc\xaf", "7z"),
        (b"Rar!", "RAR"),
        (b"PAR1", "Parquet"),
    ];
    types.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

/// By extension; where that says nothing, a line that begins with `{` makes it JSONL, and a first line of three columns
/// or more makes it delimited.
fn is_jsonl(extension: &str, sample: &str, options: &InputOptions) -> bool {
    match extension {
        "jsonl" | "ndjson" | "json" => return true,
        "csv" | "tsv" | "tab" => return false,
        _ => {}
    }
    let mut lines = sample.lines().map(str::trim).filter(|l| !l.is_empty()).take(50).peekable();
    let first = lines.peek().copied().unwrap_or("");
    let columns = [',', '\t', ';', '|'].iter().map(|d| first.split(*d).count()).max().unwrap_or(0);
    lines.any(|l| l.starts_with('{')) || !(extension == "txt" || options.columns.is_some() || columns >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let plain = InputOptions::default();
        let spec = InputOptions { columns: Some(vec![]), ..InputOptions::default() };
        assert!(is_jsonl("jsonl", "a,b,c", &plain) && !is_jsonl("csv", "{}", &plain));
        assert!(is_jsonl("", "oops\n{\"a\":1}\n", &spec));
        assert!(!is_jsonl("", "会话ID,角色,内容\n1,2,3\n", &plain));
        assert!(!is_jsonl("txt", "x", &plain) && !is_jsonl("", "x", &spec));
        assert!(is_jsonl("", "", &plain) && is_jsonl("log", "oops", &plain));
    }

    #[test]
    fn spreadsheets_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xlsx");
        std::fs::write(&path, b"PK\x03\x04rest").unwrap();
        let error = preflight(&Named::File(path), None, &InputOptions::default()).unwrap_err().to_string();
        assert!(error.contains("XLSX") && error.contains("CSV"), "{error}");
    }
}
