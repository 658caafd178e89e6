//! Ctrl-C and SIGTERM stop a run cleanly: nothing half-written is left, the exit code tells the signal.
//!
//! Workers look at a flag between blocks. That is not enough when they wait for a pipe that stays silent, so a watching
//! thread ends the program itself once a little time has gone by.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use zhijian::error::{Error, Result};
use zhijian::report::folder::StagedFolder;

/// How long a run may take to stop by itself.
const GRACE: Duration = Duration::from_millis(500);

/// Set when a signal has come.
pub struct Stop {
    /// True from the first signal on.
    pub flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    results: Arc<Mutex<Results>>,
}

/// How far the results are.
enum Results {
    /// Nothing is on the disk.
    None,
    /// They are being written to this folder, which goes with its lock when the program is stopped.
    Staged(PathBuf, PathBuf),
    /// They are taking their place: too late to stop.
    Committing,
}

impl Stop {
    /// Begins to listen. A second signal ends the program at once.
    pub fn listen() -> Result<Stop> {
        let failed = |e: std::io::Error| Error::Other(format!("无法监听信号: {e}"));
        let stop = Stop { flag: Arc::default(), signal: Arc::default(), results: Arc::new(Mutex::new(Results::None)) };
        for number in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(number, 128 + number, stop.flag.clone())
                .map_err(failed)?;
            signal_hook::flag::register_usize(number, stop.signal.clone(), number as usize).map_err(failed)?;
            signal_hook::flag::register(number, stop.flag.clone()).map_err(failed)?;
        }
        // Without a handler the first byte over a limit on file sizes ends the program; so the write fails instead.
        #[cfg(unix)]
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).map_err(failed)?;
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let results = stop.results.clone();
        let watch = move || {
            let Some(signal) = signals.forever().next() else { return };
            std::thread::sleep(GRACE);
            // Held to the end, so that nothing is committed while the program goes.
            let results = locked(&results);
            match &*results {
                Results::Committing => return,
                Results::Staged(folder, lock) => {
                    drop(std::fs::remove_dir_all(folder));
                    drop(std::fs::remove_file(lock));
                }
                Results::None => {}
            }
            eprintln!("错误: {}", Error::Interrupted { signal });
            std::process::exit(128 + signal);
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(failed)?;
        Ok(stop)
    }

    /// An error when a signal has come.
    pub fn check(&self) -> Result<()> {
        match self.flag.load(Ordering::SeqCst) {
            true => Err(Error::Interrupted { signal: self.signal.load(Ordering::SeqCst).max(2) as i32 }),
            false => Ok(()),
        }
    }

    /// Names the folder that must not stay behind when the program is stopped.
    pub fn staged(&self, folder: &StagedFolder) {
        *locked(&self.results) = Results::Staged(folder.staging().to_path_buf(), folder.lock().to_path_buf());
    }

    /// Called before the results take their place; an error when a signal has come, else none stops the run any more.
    pub fn committing(&self) -> Result<()> {
        let mut results = locked(&self.results);
        self.check()?;
        *results = Results::Committing;
        Ok(())
    }
}

fn locked(results: &Mutex<Results>) -> MutexGuard<'_, Results> {
    results.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
