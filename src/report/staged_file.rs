//! One output file, written as a whole or not at all, as a [`StagedFolder`](super::folder::StagedFolder) is: under a name
//! of its own beside the target until it is complete. What a killed run left there goes when the next run to the same place
//! begins; a lock keeps away from one that is still alive.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::folder::{Lock, Stale, remove_stale};
use crate::error::{Error, Result};

/// A file being written.
#[derive(Debug)]
pub struct StagedFile {
    target: PathBuf,
    file: NamedTempFile,
    _lock: Lock,
}

impl StagedFile {
    /// Begins a file that will become `target`.
    ///
    /// # Errors
    /// When another run is writing to it, or the place cannot be written.
    pub fn new(target: &Path) -> Result<StagedFile> {
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).ok_or_else(|| Error::Setting {
            option: "--out".into(),
            reason: format!("{} 不能作为输出文件", target.display()),
        })?;
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let lock = Lock::take(folder.join(format!(".{name}.zhijian.lock")), target)?;
        let prefix = format!(".{name}.zhijian-");
        remove_stale(folder, &prefix, Stale::Files);
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder);
        Ok(StagedFile { file: file.map_err(|e| Error::write(target, e))?, target: target.to_path_buf(), _lock: lock })
    }

    /// What the file will become.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// When it cannot be renamed; what was there is then still there.
    pub fn commit(self) -> Result<()> {
        let failed = |e| Error::write(&self.target, e);
        self.file.as_file().sync_all().map_err(failed)?;
        self.file.persist(&self.target).map(drop).map_err(|e| failed(e.error))
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn takes_away_what_a_killed_run_left_and_not_what_one_alive_writes() {
        let base = tempfile::tempdir().unwrap();
        let target = base.path().join("a.jsonl");
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(base.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        fs::write(&target, "old").unwrap();
        fs::write(base.path().join(".a.jsonl.zhijian-Xy12"), "half").unwrap();
        fs::write(base.path().join(".b.jsonl.zhijian-Xy12"), "another's").unwrap();
        File::create(base.path().join(".a.jsonl.zhijian.lock")).unwrap();
        let mut first = StagedFile::new(&target).unwrap();
        assert_eq!(names().len(), 4, "{:?}", names());
        first.write_all(b"new").unwrap();
        assert!(StagedFile::new(&target).unwrap_err().to_string().contains("另一个"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        first.commit().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(names(), [".b.jsonl.zhijian-Xy12", "a.jsonl"]);
    }
}
