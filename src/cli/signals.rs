//! Ctrl-C and SIGTERM stop a run cleanly: nothing half-written is left, the exit code tells the signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use zhijian::error::{Error, Result};

/// Set when a signal has come.
pub struct Stop {
    /// True from the first signal on.
    pub flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Begins to listen. A second signal ends the program at once.
    pub fn listen() -> Result<Stop> {
        let flag = Arc::new(AtomicBool::new(false));
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM] {
            let failed = |e: std::io::Error| Error::Other(format!("无法监听信号: {e}"));
            signal_hook::flag::register_conditional_shutdown(number, 128 + number, flag.clone()).map_err(failed)?;
            signal_hook::flag::register(number, flag.clone()).map_err(failed)?;
            signal_hook::flag::register_usize(number, signal.clone(), number as usize).map_err(failed)?;
        }
        Ok(Stop { flag, signal })
    }

    /// An error when a signal has come.
    pub fn check(&self) -> Result<()> {
        match self.flag.load(Ordering::SeqCst) {
            true => Err(Error::Interrupted { signal: self.signal.load(Ordering::SeqCst).max(2) as i32 }),
            false => Ok(()),
        }
    }
}
