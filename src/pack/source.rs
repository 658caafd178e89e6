//! Where a pack's files come from: a folder, or the default pack inside the binary. The only I/O of the pack.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use crate::diagnostic::SourceFile;
use crate::error::{Error, Result};

static ECOMMERCE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules/ecommerce");

/// The packs inside the binary, by id.
pub const EMBEDDED: &[&str] = &["ecommerce"];

/// All files of a pack, sorted by path.
#[derive(Debug, Clone)]
pub struct PackFiles {
    /// Where they come from, as shown to people.
    pub origin: String,
    /// Path inside the pack (with `/`) and file.
    pub files: Vec<(String, Arc<SourceFile>)>,
}

/// Everything a pack was read from, enough to read it again where its folder or the program's own packs are gone.
#[derive(Debug, Clone)]
pub struct PackSources {
    /// Its own files.
    pub own: PackFiles,
    /// Those of the pack it extends.
    pub base: Option<PackFiles>,
    /// A satisfaction model given apart from the pack.
    pub satisfaction: Option<Arc<SourceFile>>,
}

/// A file as JSON: path inside the pack, path as shown, text.
type StoredFile = (String, String, String);

/// [`PackSources`] as JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    own: (String, Vec<StoredFile>),
    base: Option<(String, Vec<StoredFile>)>,
    satisfaction: Option<StoredFile>,
}

impl PackSources {
    /// The texts as one JSON text.
    pub fn to_json(&self) -> String {
        let file = |inner: &str, file: &SourceFile| -> StoredFile {
            (inner.to_string(), file.path.to_string_lossy().into_owned(), file.text.clone())
        };
        let files = |pack: &PackFiles| (pack.origin.clone(), pack.files.iter().map(|(p, f)| file(p, f)).collect());
        let stored = Stored {
            own: files(&self.own),
            base: self.base.as_ref().map(files),
            satisfaction: self.satisfaction.as_ref().map(|f| file("", f)),
        };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads what [`PackSources::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_json(text: &str) -> serde_json::Result<PackSources> {
        let stored: Stored = serde_json::from_str(text)?;
        let file = |(inner, path, text): StoredFile| (inner, Arc::new(SourceFile { path: path.into(), text }));
        let files = |(origin, list): (String, Vec<StoredFile>)| PackFiles {
            origin,
            files: list.into_iter().map(file).collect(),
        };
        Ok(PackSources {
            own: files(stored.own),
            base: stored.base.map(files),
            satisfaction: stored.satisfaction.map(|f| file(f).1),
        })
    }
}

impl PackFiles {
    /// The pack inside the binary with this id.
    pub fn embedded(id: &str) -> Option<PackFiles> {
        if id != "ecommerce" {
            return None;
        }
        let mut files = Vec::new();
        collect_embedded(&ECOMMERCE, &mut files);
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Some(PackFiles { origin: format!("内置:{id}"), files })
    }

    /// The pack in a folder.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read.
    pub fn folder(path: &Path) -> Result<PackFiles> {
        let mut files = Vec::new();
        collect_folder(path, path, &mut files)?;
        files.sort_by(|a, b| a.0.cmp(&b.0));
        if files.is_empty() {
            return Err(Error::NoInput(format!("{} 里没有规则包文件(pack.toml、markers/、rules/)", path.display())));
        }
        Ok(PackFiles { origin: path.display().to_string(), files })
    }

    /// The file at a path inside the pack.
    pub fn get(&self, path: &str) -> Option<&Arc<SourceFile>> {
        self.files.iter().find(|(p, _)| p == path).map(|(_, f)| f)
    }

    /// The files of a folder of the pack with this extension.
    pub fn under<'s>(
        &'s self,
        folder: &'s str,
        extension: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s Arc<SourceFile>)> {
        self.files.iter().filter_map(move |(path, file)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            name.strip_suffix(extension).map(|stem| (stem, file))
        })
    }
}

fn collect_embedded(dir: &Dir<'static>, out: &mut Vec<(String, Arc<SourceFile>)>) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8().filter(|_| is_pack_file(file.path())) {
            let inner = slashed(file.path());
            let path = PathBuf::from("rules/ecommerce").join(file.path());
            out.push((inner, Arc::new(SourceFile { path, text: text.to_string() })));
        }
    }
    for sub in dir.dirs() {
        collect_embedded(sub, out);
    }
}

fn collect_folder(root: &Path, dir: &Path, out: &mut Vec<(String, Arc<SourceFile>)>) -> Result<()> {
    let entries = std::fs::read_dir(dir).map_err(|e| Error::read(dir, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::read(dir, e))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect_folder(root, &path, out)?;
        } else if is_pack_file(&path) {
            // Excel and old editors save GBK; a phrase list in the folder must not stop the pack from loading.
            let text = crate::input::text_of(&std::fs::read(&path).map_err(|e| Error::read(&path, e))?);
            let inner = slashed(path.strip_prefix(root).unwrap_or(&path));
            out.push((inner, Arc::new(SourceFile { path, text })));
        }
    }
    Ok(())
}

fn is_pack_file(path: &Path) -> bool {
    matches!(path.extension().and_then(|e| e.to_str()), Some("toml" | "txt" | "csv"))
}

fn slashed(path: &Path) -> String {
    path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
