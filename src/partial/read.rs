//! Finding and reading partials.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{END, EXTENSION, FORMAT, HEADER, Header, MAGIC};
use crate::error::{Error, Result};
use crate::score::partial::Unreadable;

/// A partial whose header is read.
#[derive(Debug)]
pub struct PartialFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub header: Header,
}

/// The partials that paths name: files as given, and those of extension [`EXTENSION`] in folders, sorted.
///
/// # Errors
/// When a path cannot be read, or a folder holds none.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if !path.is_dir() {
            out.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|e| Error::read(path, e))?;
        let mut own = entries.map(|e| e.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>();
        let own = own.as_mut().map_err(|e| Error::read(path, std::io::Error::other(e.to_string())))?;
        own.retain(|file| file.extension().is_some_and(|e| e == EXTENSION));
        own.sort();
        if own.is_empty() {
            return Err(Error::Other(format!(
                "{}: 目录里没有 .{EXTENSION} 文件;inspect 要加 --partial 才会写出 (no partial in this folder)",
                path.display()
            )));
        }
        out.append(own);
    }
    Ok(out)
}

impl PartialFile {
    /// Opens a partial and reads its header.
    ///
    /// # Errors
    /// When it cannot be read, is no partial, or comes from a newer program.
    pub fn open(path: &Path) -> Result<PartialFile> {
        let mut sections = Sections::open(path)?;
        let header = match sections.next()? {
            Some((HEADER, bytes)) => serde_json::from_slice::<Header>(&bytes),
            _ => return Err(sections.damaged("没有文件头")),
        };
        // A newer header may not even be readable by this program.
        let header = header.map_err(|e| sections.damaged(&e.to_string()))?;
        if header.format > FORMAT {
            return Err(refused(path, &Unreadable::Newer(header.format).to_string()));
        }
        Ok(PartialFile { path: path.to_path_buf(), header })
    }

    /// Visits every section after the header, checking that the file is whole.
    pub(super) fn each(&self, mut visit: impl FnMut([u8; 4], Vec<u8>) -> Result<()>) -> Result<()> {
        let mut sections = Sections::open(&self.path)?;
        while let Some((tag, bytes)) = sections.next()? {
            if tag == END {
                return Ok(());
            }
            visit(tag, bytes)?;
        }
        Err(sections.damaged("文件不完整"))
    }

    /// Visits the sections of one tag of a file already found whole, passing over the others.
    pub(super) fn only(&self, wanted: [u8; 4], mut visit: impl FnMut(Vec<u8>) -> Result<()>) -> Result<()> {
        let mut sections = Sections::open(&self.path)?;
        while let Some((tag, length)) = sections.head()? {
            if tag == END {
                break;
            }
            if tag == wanted {
                let bytes = sections.body(length)?;
                visit(bytes)?;
            } else {
                let step = i64::try_from(length).map_err(|_| sections.damaged("长度不对"))?;
                sections.file.seek_relative(step).map_err(|e| Error::read(&self.path, e))?;
            }
        }
        Ok(())
    }

    /// An error about this file.
    pub(super) fn refuse(&self, reason: &str) -> Error {
        refused(&self.path, reason)
    }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::Other(format!("{}: {reason}", path.display()))
}

struct Sections {
    path: PathBuf,
    file: BufReader<File>,
    digest: Sha256,
}

impl Sections {
    fn open(path: &Path) -> Result<Sections> {
        let unread = |e| Error::read(path, e);
        let mut file = File::open(path).map_err(unread)?;
        let mut magic = [0; MAGIC.len()];
        let is_partial = file.read_exact(&mut magic).is_ok() && magic == *MAGIC;
        if !is_partial {
            return Err(refused(path, "不是 zhijian inspect --partial 写出的文件 (not a partial)"));
        }
        file.seek(SeekFrom::Start(MAGIC.len() as u64)).map_err(unread)?;
        let mut digest = Sha256::new();
        digest.update(MAGIC);
        Ok(Sections { path: path.to_path_buf(), file: BufReader::with_capacity(1 << 16, file), digest })
    }

    fn damaged(&self, what: &str) -> Error {
        refused(&self.path, &Unreadable::Damaged(what.to_string()).to_string())
    }

    fn head(&mut self) -> Result<Option<([u8; 4], u64)>> {
        let mut head = [0; 12];
        match self.file.read_exact(&mut head) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(e) => return Err(Error::read(&self.path, e)),
        }
        let (tag, length) = head.split_at(4);
        let tag: [u8; 4] = tag.try_into().unwrap_or_default();
        let length: [u8; 8] = length.try_into().unwrap_or_default();
        if tag != END {
            self.digest.update(head);
        }
        Ok(Some((tag, u64::from_le_bytes(length))))
    }

    fn body(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(length).read_to_end(&mut bytes).map_err(|e| Error::read(&self.path, e))?;
        if read as u64 != length {
            return Err(self.damaged("文件不完整"));
        }
        Ok(bytes)
    }

    /// The next section; the last one is checked against the bytes before it.
    fn next(&mut self) -> Result<Option<([u8; 4], Vec<u8>)>> {
        let Some((tag, length)) = self.head()? else { return Ok(None) };
        let bytes = self.body(length)?;
        if tag != END {
            self.digest.update(&bytes);
        } else if self.digest.finalize_reset()[..] != bytes[..] {
            return Err(self.damaged("校验和不符"));
        }
        Ok(Some((tag, bytes)))
    }
}
