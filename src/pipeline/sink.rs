//! Writing blocks in input order whatever order they are finished in, with a bounded number of them waiting.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::error::Error;

/// A block's formatted output.
#[derive(Default)]
pub struct Output {
    pub results: Vec<u8>,
    pub rejects: Vec<u8>,
}

impl Output {
    pub fn clear(&mut self) {
        self.results.clear();
        self.rejects.clear();
    }
}

struct State<'w> {
    next: u64,
    waiting: BTreeMap<u64, Output>,
    results: &'w mut (dyn Write + Send),
    rejects: &'w mut (dyn Write + Send),
    failure: Option<Error>,
    aborted: bool,
}

/// The sink all workers submit to.
pub struct OrderedSink<'w> {
    state: Mutex<State<'w>>,
    moved: Condvar,
    window: u64,
}

impl<'w> OrderedSink<'w> {
    pub fn new(results: &'w mut (dyn Write + Send), rejects: &'w mut (dyn Write + Send), window: usize) -> Self {
        let state = State { next: 0, waiting: BTreeMap::new(), results, rejects, failure: None, aborted: false };
        OrderedSink { state: Mutex::new(state), moved: Condvar::new(), window: window as u64 }
    }

    fn lock(&self) -> MutexGuard<'_, State<'w>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Hands over block `number`; waits while it is too far ahead. False when the run is over. The worker whose block
    /// is the next one never waits, so the window always moves.
    pub fn submit(&self, number: u64, output: &mut Output) -> bool {
        let mut state = self.lock();
        while !state.aborted && number >= state.next + self.window {
            state = self.moved.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if state.aborted {
            return false;
        }
        if number != state.next {
            state.waiting.insert(number, std::mem::take(output));
            return true;
        }
        let mut ready = state.write(output);
        while ready {
            state.next += 1;
            let next = state.next;
            match state.waiting.remove(&next) {
                Some(waiting) => ready = state.write(&waiting),
                None => break,
            }
        }
        let over = state.aborted;
        drop(state);
        self.moved.notify_all();
        !over
    }

    /// Ends the run early and wakes everyone who waits.
    pub fn abort(&self) {
        self.lock().aborted = true;
        self.moved.notify_all();
    }

    /// The write error that ended the run, if any.
    pub fn finish(self) -> Option<Error> {
        self.state.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).failure
    }
}

impl State<'_> {
    fn write(&mut self, output: &Output) -> bool {
        let written = self.results.write_all(&output.results).and_then(|()| self.rejects.write_all(&output.rejects));
        if let Err(source) = written {
            self.failure = Some(Error::write("输出", source));
            self.aborted = true;
            return false;
        }
        true
    }
}
