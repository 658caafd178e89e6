//! What the user named, as a list of files: paths as given, directories walked, globs expanded. Directories and globs are
//! sorted by path, so that the same inputs always come in the same order.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// One input to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Stdin,
    File(PathBuf),
}

impl Named {
    /// The name shown for it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Named::Stdin => "-".into(),
            Named::File(path) => path.display().to_string(),
        }
    }

    /// The extension that tells the format, lower case, compression's taken off.
    pub(crate) fn extension(&self) -> String {
        match self {
            Named::Stdin => String::new(),
            Named::File(path) => extension(path),
        }
    }

    /// The file's name without extension, for conversations that have no id of their own.
    pub(crate) fn stem(&self) -> String {
        match self {
            Named::Stdin => "stdin".into(),
            Named::File(path) => {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let lower = name.to_ascii_lowercase();
                let packed =
                    [".gz", ".gzip", ".zst", ".zstd"].iter().find(|c| lower.ends_with(*c)).map_or(0, |c| c.len());
                let name = &name[..name.len() - packed];
                name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem }).to_owned()
            }
        }
    }

    /// The size on disk; `None` for pipes.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Named::Stdin => None,
            Named::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len()),
        }
    }

    pub(crate) fn open(&self) -> Result<Box<dyn io::Read + Send>, Error> {
        Ok(match self {
            Named::Stdin => Box::new(io::stdin()),
            Named::File(path) => Box::new(File::open(path).map_err(|e| Error::read(path, e))?),
        })
    }
}

fn extension(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|c| name.strip_suffix(c)).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, e)| e.to_owned()).unwrap_or_default()
}

/// Every file the inputs name.
pub(crate) fn discover(inputs: &[String]) -> Result<Vec<Named>, Error> {
    let mut found = Vec::new();
    for input in inputs {
        if input == "-" {
            if found.contains(&Named::Stdin) {
                let reason = "标准输入 `-` 只能给一次 (standard input named twice)".into();
                return Err(Error::Setting { option: "INPUT".into(), reason });
            }
            found.push(Named::Stdin);
            continue;
        }
        let path = Path::new(input);
        // a name with brackets in it is a name first
        let files = match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => directory(path)?,
            Ok(_) => vec![path.to_owned()],
            Err(_) if input.contains(['*', '?', '[']) => expand(input)?,
            Err(error) => return Err(Error::read(path, error)),
        };
        if files.is_empty() {
            return Err(Error::NoInput(input.clone()));
        }
        found.extend(files.into_iter().map(Named::File));
    }
    if found.is_empty() {
        return Err(Error::NoInput("(未给出输入)".into()));
    }
    Ok(found)
}

/// The files of a directory and those below it, sorted, known extensions only, hidden ones left out.
fn directory(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        // a link may lead back up
        let real = fs::canonicalize(&directory).map_err(|e| Error::read(&directory, e))?;
        if !seen.insert(real) {
            continue;
        }
        for entry in fs::read_dir(&directory).map_err(|e| Error::read(&directory, e))? {
            let path = entry.map_err(|e| Error::read(&directory, e))?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || name.starts_with("~$") {
                continue;
            }
            // a dangling link names no file
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => pending.push(path),
                Ok(_) if is_known(&path) => files.push(path),
                _ => {}
            }
        }
    }
    Ok(distinct(files))
}

/// Sorted by path, a file that several links name once: `latest.jsonl` must not count a night twice.
fn distinct(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = std::collections::HashSet::new();
    // the shortest way to a file is the one kept
    files.sort_by_cached_key(|path| (path.components().count(), path.clone()));
    files.retain(|path| fs::canonicalize(path).map_or(true, |real| seen.insert(real)));
    files.sort();
    files
}

fn is_known(path: &Path) -> bool {
    super::format::is_known(&extension(path))
}

/// The files a pattern matches; files of unknown extensions only when no other matches.
fn expand(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    // as in a shell, `*` leaves hidden files out
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let paths = glob::glob_with(pattern, options).map_err(|error| Error::Setting {
        option: "INPUT".into(),
        reason: format!("通配符 {pattern} 写法有误 (bad glob): {error}"),
    })?;
    let mut matched = Vec::new();
    for path in paths {
        let path = path.map_err(|error| Error::read(error.path().to_owned(), error.into()))?;
        if path.is_dir() { matched.extend(directory(&path)?) } else { matched.push(path) }
    }
    if matched.iter().any(|path| is_known(path)) {
        matched.retain(|path| is_known(path));
    }
    Ok(distinct(matched))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_globs_and_names() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("sub/.hidden")).unwrap();
        for name in ["b.jsonl", "a.CSV.gz", "sub/c.tsv.zst", "notes.md", ".d.jsonl", "x[1].jsonl", "sub/.hidden/e.csv"]
        {
            fs::write(root.join(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("sub/up")).unwrap();
        let names = |inputs: &[&str]| -> Vec<String> {
            let inputs: Vec<_> = inputs.iter().map(|i| root.join(i).display().to_string()).collect();
            let found = discover(&inputs).unwrap();
            found.iter().map(|n| n.shown().replace(&format!("{}/", root.display()), "")).collect()
        };
        assert_eq!(names(&[""]), ["a.CSV.gz", "b.jsonl", "sub/c.tsv.zst", "x[1].jsonl"]);
        assert_eq!(names(&["*.jsonl"]), ["b.jsonl", "x[1].jsonl"]);
        assert_eq!(names(&["*.md", "x[1].jsonl"]), ["notes.md", "x[1].jsonl"]);
        assert_eq!(names(&["*"]), ["a.CSV.gz", "b.jsonl", "sub/c.tsv.zst", "x[1].jsonl"]);
        assert_eq!(Named::File("n.CSV.gz".into()).extension(), "csv");
        let missing = root.join("nothing.jsonl").display().to_string();
        assert!(discover(&[missing]).unwrap_err().to_string().contains("nothing.jsonl"));
        let empty = root.join("*.zip").display().to_string();
        assert!(matches!(discover(&[empty]), Err(Error::NoInput(_))));
        assert!(discover(&["-".into(), "-".into()]).is_err());
        assert!(discover(&[]).is_err());
    }
}
