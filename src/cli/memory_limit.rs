//! A limit on the program's memory (`ulimit -v`) under which no rule pack can be loaded, told before it is run into: memory
//! that runs out later ends a Rust program on the spot.

use zhijian::error::{Error, Result};

/// What the rule pack, the dictionary and two threads take beside the program itself, in KiB of address space, most of it
/// set aside and not used.
const NEEDED: u64 = 260 << 10;

/// Looks at the limit where the system tells it (Linux).
///
/// # Errors
/// When it is too low for any run.
pub fn check() -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    let number = |text: String, label: &str, field: usize| -> Option<u64> {
        let line = text.lines().find_map(|l| l.strip_prefix(label))?;
        line.split_whitespace().nth(field)?.parse().ok()
    };
    let limit = read("limits").and_then(|text| number(text, "Max address space", 0)).map(|bytes| bytes >> 10);
    let taken = read("status").and_then(|text| number(text, "VmSize:", 0));
    match (limit, taken) {
        (Some(limit), Some(taken)) if limit < taken + NEEDED => Err(Error::Other(format!(
            "内存上限(ulimit -v)是 {} MB,装入规则包和词典至少要 {} MB;请放宽上限后重跑 (memory limit)",
            limit >> 10,
            (taken + NEEDED) >> 10
        ))),
        _ => Ok(()),
    }
}
