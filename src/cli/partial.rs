//! Where the partial of a run goes.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use zhijian::error::{Error, Result};
use zhijian::partial::EXTENSION;
use zhijian::report::folder::StagedFolder;

/// Whether a run writes what `zhijian merge` puts together.
#[derive(Debug, clap::Args)]
pub struct PartialArgs {
    /// 另写一个可合并的文件(.zjp):分几台机器质检同一晚,再用 zhijian merge 合成一晚
    #[arg(long, value_name = "FILE")]
    partial: Option<PathBuf>,
    /// 这一份在整晚输入里的次序,如 0007(数字按大小排);不写则按输入文件的路径排
    #[arg(long, value_name = "NAME")]
    pub slice: Option<String>,
}

/// A partial on its way to its place.
pub enum PartialOut {
    /// A file of the output folder, in place together with it.
    Inside(String),
    /// A file elsewhere.
    Beside(NamedTempFile, PathBuf),
}

impl PartialArgs {
    /// Begins the file, so that a place that cannot be written is told before the work.
    pub fn begin(&self, out: &Path) -> Result<Option<PartialOut>> {
        if self.slice.as_deref().is_some_and(|s| s.trim().is_empty() || s.chars().any(char::is_control)) {
            let reason = "要有可见的字,如 0007".into();
            return Err(Error::Setting { option: "--slice".into(), reason });
        }
        let Some(path) = &self.partial else { return Ok(None) };
        let name =
            path.file_name().and_then(|n| n.to_str()).filter(|_| path.extension().is_some_and(|e| e == EXTENSION));
        let Some(name) = name else {
            let reason = format!("文件名要以 .{EXTENSION} 结尾");
            return Err(Error::Setting { option: "--partial".into(), reason });
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if parent == out {
            return Ok(Some(PartialOut::Inside(name.to_string())));
        }
        let failed = |e| Error::write(path, e);
        std::fs::create_dir_all(parent).map_err(failed)?;
        let file = tempfile::Builder::new().prefix(".zhijian-").tempfile_in(parent).map_err(failed)?;
        Ok(Some(PartialOut::Beside(file, path.clone())))
    }
}

impl PartialOut {
    /// Writes it.
    pub fn write(
        &self,
        folder: &StagedFolder,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<()> {
        match self {
            PartialOut::Inside(name) => folder.write(name, write),
            PartialOut::Beside(file, path) => {
                let mut out = BufWriter::new(file.as_file());
                let written = write(&mut out).and_then(|()| out.flush());
                written.and_then(|()| file.as_file().sync_all()).map_err(|e| Error::write(path, e))
            }
        }
    }

    /// Puts it in its place.
    pub fn put(self) -> Result<()> {
        match self {
            PartialOut::Inside(_) => Ok(()),
            PartialOut::Beside(file, path) => file.persist(&path).map(|_| ()).map_err(|e| Error::write(path, e.error)),
        }
    }
}
