//! The history store: every night in one SQLite file, so that trends, comparisons, targets and recontact figures go
//! beyond one run.
//!
//! A night is one row of `nights` (or several *parts* of one, where channels are inspected apart) with relational tables
//! for people who write SQL, and with the mergeable sums themselves ([`crate::score::partial`]), from which reports are
//! made again. Writing a night is one transaction: a killed run leaves the store as before or after, and writing the
//! same night again replaces it exactly. Nothing of the wall clock and no row number enters, so that two stores with the
//! same nights hold the same rows.
//!
//! The file is in WAL mode; writers take their lock at once (`BEGIN IMMEDIATE`) and wait for each other up to
//! [`BUSY`]. Migrations are numbered files in `migrations/`; a file of a newer program is refused.

mod decisions;
mod follow;
mod history;
mod period;
mod prune;
mod review;
mod write;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use crate::error::{Error, Result};
use crate::score::partial::Unreadable;

pub use decisions::{Import, Imported, LogLine, RuleStanding};
pub use history::Reported;
pub use period::{NightRow, Period, Selection};
pub use prune::{Prune, Pruned};
pub use review::{DrawnCase, Sample};
pub use write::Record;

/// How long a writer waits for another.
pub const BUSY: Duration = Duration::from_secs(30);

/// `application_id` of our files: "zjqc".
const APPLICATION: i32 = 0x7a6a_7163;

const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/001-nights.sql")),
    M::up(include_str!("migrations/002-views.sql")),
    M::up(include_str!("migrations/003-review.sql")),
];

/// An open history store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens a store, making it when there is none (readable by its owner only).
    ///
    /// # Errors
    /// [`Error::Store`] when the file is something else, of a newer program, or cannot be written.
    pub fn open(path: &Path) -> Result<Store> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(refused(path, &format!("无法创建: {e} (cannot create)"))),
        }
        Store::existing(path)
    }

    /// Opens a store that must be there.
    ///
    /// # Errors
    /// [`Error::Store`] when there is none, or it is something else, of a newer program, or cannot be written.
    pub fn existing(path: &Path) -> Result<Store> {
        if !path.is_file() {
            return Err(refused(path, "没有这个文件;先用 `zhijian inspect … --store FILE` 存入一晚 (no such file)"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| told(path, &e))?;
        let mut store = Store { connection, path: path.to_path_buf() };
        store.prepare()?;
        Ok(store)
    }

    /// Settings, and the tables brought up to date. Two programs may do this at the same moment to a new file.
    fn prepare(&mut self) -> Result<()> {
        self.connection.busy_timeout(BUSY).map_err(|e| self.failed(&e))?;
        let number = |store: &Store, pragma: &str| -> Result<i64> {
            store.connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(|e| store.failed(&e))
        };
        // In this order: another program that makes the file names it ours before it makes tables.
        let empty = number(self, "schema_version")? == 0;
        let (application, version) = (number(self, "application_id")?, number(self, "user_version")?);
        if application != i64::from(APPLICATION) && !empty {
            return Err(refused(&self.path, "不是 zhijian 的历史库,为免弄坏未作改动 (not a zhijian store)"));
        }
        let current = MIGRATIONS.len() as i64;
        if version > current {
            let reason = format!(
                "由更新的 zhijian 写成(结构版本 {version},本程序只认到 {current}),请升级程序 (written by a newer version)"
            );
            return Err(refused(&self.path, &reason));
        }
        let deadline = Instant::now() + BUSY;
        loop {
            match self.migrate() {
                Ok(()) => break,
                // Another program is at it: look again.
                Err(_) if Instant::now() < deadline && number(self, "user_version").is_ok_and(|v| v == current) => {}
                Err(Contended::Yes) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                Err(Contended::Yes) => return Err(refused(&self.path, WAITED)),
                Err(Contended::No(error)) => return Err(error),
            }
        }
        self.connection.pragma_update(None, "foreign_keys", true).map_err(|e| self.failed(&e))
    }

    fn migrate(&mut self) -> Result<(), Contended> {
        let contended = |path: &Path, error: &rusqlite::Error| match busy(error) {
            true => Contended::Yes,
            false => Contended::No(told(path, error)),
        };
        let path = &self.path;
        let connection = &mut self.connection;
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(|e| contended(path, &e))?;
        let mode: String =
            connection.pragma_query_value(None, "journal_mode", |r| r.get(0)).map_err(|e| contended(path, &e))?;
        if mode != "wal" {
            connection.pragma_update(None, "journal_mode", "wal").map_err(|e| contended(path, &e))?;
        }
        if version == MIGRATIONS.len() as i64 {
            return Ok(());
        }
        connection.pragma_update(None, "application_id", APPLICATION).map_err(|e| contended(path, &e))?;
        match Migrations::from_slice(MIGRATIONS).to_latest(connection) {
            Ok(()) => Ok(()),
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) if raced(&err) => Err(Contended::Yes),
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(contended(path, &err)),
            Err(error) => Err(Contended::No(refused(path, &error.to_string()))),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn begin(&mut self) -> Result<rusqlite::Transaction<'_>> {
        let path = self.path.clone();
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| told(&path, &e))
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        told(&self.path, error)
    }
}

const WAITED: &str = "另一个程序正在写,等了 30 秒仍未空出来,请稍后再跑 (busy)";

/// Whether another program is in the way.
enum Contended {
    Yes,
    No(Error),
}

fn busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Another program made the tables between our look and our attempt.
fn raced(error: &rusqlite::Error) -> bool {
    busy(error) || error.to_string().contains("already exists")
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::Store { path: path.to_path_buf(), reason: reason.to_string() }
}

/// What SQLite says, in words that help.
fn told(path: &Path, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "不是 zhijian 的历史库,为免弄坏未作改动 (not a zhijian store)".to_string(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => WAITED.to_string(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            format!("没有写入权限或无法打开: {error} (not writable)")
        }
        Some(ErrorCode::DiskFull) => format!("磁盘已满: {error};这一晚没有存入,历史库未被改动 (disk full)"),
        Some(ErrorCode::DatabaseCorrupt) => format!("文件已损坏: {error};请从备份恢复 (corrupt)"),
        _ => error.to_string(),
    };
    refused(path, &reason)
}

fn damaged(path: &Path, what: &str, error: &Unreadable) -> Error {
    refused(path, &format!("{what}: {error}"))
}
