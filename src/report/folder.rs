//! The output folder, written as a whole or not at all.
//!
//! Results go to a staging folder beside the target; when everything is there it takes the target's place in one
//! rename (an exchange where the file system can), so that a killed run leaves the previous results as they were. A
//! lock file keeps two runs from writing to the same place, and goes when the run ends. Only folders this program wrote
//! are ever replaced. Results quote customers: folders are open to their owner only (0700), and so are files (0600).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A folder being written.
#[derive(Debug)]
pub struct StagedFolder {
    target: PathBuf,
    staging: tempfile::TempDir,
    lock: Lock,
}

const MARK: &str = "run.json";

impl StagedFolder {
    /// Begins a folder that will become `target`.
    ///
    /// # Errors
    /// When `target` holds something this program did not write, another run is writing to it, or the place cannot be
    /// written.
    pub fn new(target: &Path) -> Result<StagedFolder> {
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).ok_or_else(|| Error::Setting {
            option: "--out".into(),
            reason: format!("{} 不能作为输出目录", target.display()),
        })?;
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent).map_err(|e| Error::write(&parent, e))?;
        if target.exists() {
            let mut entries = fs::read_dir(target).map_err(|e| Error::write(target, e))?;
            if entries.next().is_some() && !target.join(MARK).is_file() {
                return Err(Error::Setting {
                    option: "--out".into(),
                    reason: format!("{} 里有别的文件,为免覆盖请换一个空目录或新目录", target.display()),
                });
            }
        }
        let lock = Lock::take(parent.join(format!(".{name}.zhijian.lock")), target)?;
        let prefix = format!(".{name}.zhijian-");
        remove_stale(&parent, &prefix, Stale::Folders);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let staging = builder.tempdir_in(&parent).map_err(|e| Error::write(&parent, e))?;
        Ok(StagedFolder { target: target.to_path_buf(), staging, lock })
    }

    /// Where it is written until it is complete; gone when this is dropped.
    pub fn staging(&self) -> &Path {
        self.staging.path()
    }

    /// The file that keeps other runs away; gone when this is dropped.
    pub fn lock(&self) -> &Path {
        &self.lock.path
    }

    /// A file of the folder, buffered; folders on the way are made.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self, inner: &str) -> Result<BufWriter<File>> {
        let path = self.staging.path().join(inner);
        if let Some(parent) = path.parent() {
            private_dirs(parent).map_err(|e| Error::write(parent, e))?;
        }
        let file = private_file(&path).map_err(|e| Error::write(self.target.join(inner), e))?;
        Ok(BufWriter::with_capacity(1 << 18, file))
    }

    /// Writes a file of the folder through `write`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, inner: &str, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        let mut out = self.create(inner)?;
        write(&mut out).and_then(|()| finish(out)).map_err(|e| Error::write(self.target.join(inner), e))
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// When it cannot be renamed; the previous results are then still there.
    pub fn commit(self) -> Result<()> {
        let staged = self.staging.keep();
        let failed = |e: std::io::Error| Error::write(&self.target, e);
        let _ = File::open(&staged).and_then(|d| d.sync_all());
        if !self.target.exists() {
            return fs::rename(&staged, &self.target).map_err(failed);
        }
        match exchange(&staged, &self.target) {
            Ok(()) => {}
            Err(_) => {
                // No exchange on this file system: two renames, the old results first out of the way.
                let aside = staged.with_extension("old");
                fs::rename(&self.target, &aside).map_err(failed)?;
                if let Err(error) = fs::rename(&staged, &self.target) {
                    let _ = fs::rename(&aside, &self.target);
                    return Err(failed(error));
                }
                let _ = fs::remove_dir_all(&aside);
                return Ok(());
            }
        }
        // `staged` now names the previous results.
        let _ = fs::remove_dir_all(&staged);
        Ok(())
    }
}

/// Held by the run that writes to a place.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes it, or says that another run has it.
    ///
    /// The run that ends removes the file while it still holds it. Who opened the file just before holds a file without
    /// a name then, and looks again: what is locked must be what the name stands for.
    pub(super) fn take(path: PathBuf, target: &Path) -> Result<Lock> {
        loop {
            let file = private_file(&path).map_err(|e| Error::write(&path, e))?;
            if file.try_lock().is_err() {
                return Err(Error::Setting {
                    option: "--out".into(),
                    reason: format!("另一个 zhijian 正在写 {},请等它结束或换一个目录", target.display()),
                });
            }
            if is_named(&file, &path) {
                return Ok(Lock { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// True when the path still names the open file.
#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    open.dev() == named.dev() && open.ino() == named.ino()
}

#[cfg(not(unix))]
fn is_named(_: &File, _: &Path) -> bool {
    true
}

/// A file only its owner can read.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Folders only their owner can look into.
fn private_dirs(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Flushes to the disk.
///
/// # Errors
/// When the disk does not take it.
pub fn finish(out: BufWriter<File>) -> std::io::Result<()> {
    out.into_inner().map_err(|e| e.into_error())?.sync_all()
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(std::io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// What killed runs leave beside their target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    Folders,
    Files,
}

/// Takes away what killed runs left; the lock makes sure none of it is in use.
pub(super) fn remove_stale(parent: &Path, prefix: &str, what: Stale) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(prefix)) {
        let _ = match (entry.file_type(), what) {
            (Ok(kind), Stale::Folders) if kind.is_dir() => fs::remove_dir_all(entry.path()),
            (Ok(kind), Stale::Files) if kind.is_file() => fs::remove_file(entry.path()),
            _ => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &StagedFolder, inner: &str, text: &str) {
        folder.write(inner, |out| out.write_all(text.as_bytes())).unwrap();
    }

    #[test]
    fn replaces_its_own_results_and_leaves_nothing_behind() {
        let base = tempfile::tempdir().unwrap();
        let target = base.path().join("out");
        for text in ["1", "2"] {
            let folder = StagedFolder::new(&target).unwrap();
            put(&folder, "run.json", text);
            put(&folder, "coaching/a.md", text);
            folder.commit().unwrap();
            assert_eq!(fs::read_to_string(target.join("coaching/a.md")).unwrap(), text);
        }
        let left: Vec<_> = fs::read_dir(base.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["out"], "nothing beside the results");
    }

    #[test]
    fn a_dropped_folder_leaves_the_previous_results() {
        let base = tempfile::tempdir().unwrap();
        let target = base.path().join("out");
        let folder = StagedFolder::new(&target).unwrap();
        put(&folder, "run.json", "old");
        folder.commit().unwrap();
        let folder = StagedFolder::new(&target).unwrap();
        put(&folder, "run.json", "new");
        drop(folder);
        assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), "old");
    }

    #[test]
    fn refuses_other_peoples_folders_and_a_second_run() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("thesis.doc"), "x").unwrap();
        assert!(StagedFolder::new(base.path()).is_err());
        let target = base.path().join("out");
        let _first = StagedFolder::new(&target).unwrap();
        assert!(StagedFolder::new(&target).is_err());
    }
}
