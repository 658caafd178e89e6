//! The progress bar: on a terminal only, with rate and time left.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use zhijian::pipeline::Observer;

/// Shows how far a run is.
pub struct Progress {
    bar: ProgressBar,
    conversations: AtomicU64,
}

impl Progress {
    /// A bar over `total` stored bytes; hidden when quiet or when standard error is no terminal.
    pub fn new(total: Option<u64>, quiet: bool) -> Progress {
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = match total {
            Some(_) => "{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · 剩余 {eta} · {msg}",
            None => "{spinner} {bytes} · {bytes_per_sec} · {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress { bar, conversations: AtomicU64::new(0) }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn advanced(&self, bytes: u64, conversations: u64) {
        let all = self.conversations.fetch_add(conversations, Ordering::Relaxed) + conversations;
        self.bar.inc(bytes);
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{all} 通"));
        }
    }
}
