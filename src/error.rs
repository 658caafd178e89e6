//! The errors that stop a run. Faults of single records or of pack files are [`crate::diagnostic`]s and
//! [`crate::input::Reject`]s instead: they are collected and the run goes on.

use std::path::PathBuf;

/// A fault that ends the run: what happened, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read.
    #[error("无法读取 {path}: {source}\n  请检查路径是否存在、是否有读取权限。(cannot read)")]
    Read {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Output could not be written.
    #[error("无法写入 {path}: {source}\n  请检查磁盘空间和写入权限;原有结果未被改动。(cannot write)")]
    Write {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Temporary files could not be written.
    #[error(
        "无法写入临时目录 {folder}: {source}\n  请腾出空间,或把环境变量 TMPDIR 设为空间足够、可以写入的目录后重试;原有结果未被改动。(cannot write temporary files; free some space or set TMPDIR)"
    )]
    Temporary {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No input matched what the user named.
    #[error(
        "没有找到可读的输入: {0}\n  支持的格式见 `zhijian formats`(可带 .gz/.zst),也可以给目录或通配符;标准输入用 `-`。(no input)"
    )]
    NoInput(String),
    /// A setting the user gave cannot be used.
    #[error("参数 {option} 的值不可用: {reason}")]
    Setting {
        /// The option's name, e.g. `--columns`.
        option: String,
        /// What is wrong with the value and which values work.
        reason: String,
    },
    /// The rule pack has faults (already shown one by one).
    #[error("规则包有 {errors} 处错误,请先修正(运行 `zhijian rules check` 查看全部)。(the pack has errors)")]
    Pack {
        /// How many errors there are.
        errors: usize,
        /// The faults rendered with file, line, column and caret.
        rendered: String,
    },
    /// The mapping file has faults (already shown one by one).
    #[error("映射文件 {path} 有 {errors} 处错误,请先修正。(the mapping has errors)")]
    Mapping {
        /// The file as given.
        path: PathBuf,
        /// How many errors there are.
        errors: usize,
        /// The faults rendered with file, line, column and caret.
        rendered: String,
    },
    /// The history store cannot be used.
    #[error("历史库 {path}: {reason}")]
    Store {
        /// The file as given.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The user interrupted the run.
    #[error("已中断,未写入任何结果;原有结果未被改动。(interrupted)")]
    Interrupted {
        /// The signal's number: 2 SIGINT, 15 SIGTERM.
        signal: i32,
    },
    /// Anything else, with a full sentence.
    #[error("{0}")]
    Other(String),
}

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Shorthand for [`Error::Read`].
    pub fn read(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::Read { path: path.into(), source }
    }

    /// Shorthand for [`Error::Write`].
    pub fn write(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::Write { path: path.into(), source }
    }

    /// What to say when the system's folder for temporary files does not take one.
    pub fn temporary(source: std::io::Error) -> Self {
        Error::Temporary { folder: std::env::temp_dir(), source }
    }
}
