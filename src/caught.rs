//! Panics that cost only what they happened in: one conversation, one file of a library's format. They become a result and
//! stay off the terminal, since whoever called tells of them as a reject.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread becomes a result.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`. The first call puts a panic hook before the one there is, which passes over the panics caught here.
///
/// # Errors
/// The message of a panic in `f`, empty when it has none.
///
/// ```
/// use zhijian::caught::caught;
/// assert_eq!(caught(|| 7), Ok(7));
/// assert_eq!(caught(|| -> u8 { panic!("broken") }), Err("broken".to_string()));
/// ```
pub fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                before(info);
            }
        }));
    });
    let outer = EXPECTED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(f));
    EXPECTED.set(outer);
    done.map_err(|panic| {
        let message = panic.downcast_ref::<&str>().map(|s| s.to_string());
        message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    })
}
