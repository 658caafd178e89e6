//! The targets of `tests/fuzz` for libFuzzer: the same functions, seeds and words, led by coverage.
//!
//! A target's program first writes its seeds and the words to the folder `ZHIJIAN_FUZZ_SEEDS` names, and leaves, where
//! that is set: `run` starts from them.

use std::path::{Path, PathBuf};

pub use libfuzzer_sys::fuzz_target;

#[path = "../../tests/fuzz/targets.rs"]
pub mod targets;
#[path = "../../tests/fuzz/words.rs"]
mod words;

mod common {
    /// The project's folder.
    pub fn root() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }
}

/// Makes ready; where asked for, writes a target's seeds, a file each, and the words as a libFuzzer dictionary beside them; then leaves.
pub fn start(target: &str) {
    // A panic of a library that the readers catch is no fault; one that reaches libFuzzer's wrapper ends the program there.
    std::panic::set_hook(Box::new(|_| {}));
    let Some(folder) = std::env::var_os("ZHIJIAN_FUZZ_SEEDS").map(PathBuf::from) else { return };
    let write = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).expect("the seeds' folder is writable");
    for (at, seed) in targets::seeds(target).iter().enumerate() {
        write(&folder.join(format!("seed-{at:04}")), seed);
    }
    let hex = |word: &&[u8]| format!("\"{}\"\n", word.iter().map(|b| format!("\\x{b:02x}")).collect::<String>());
    write(&folder.with_extension("dict"), words::WORDS.iter().map(hex).collect::<String>().as_bytes());
    std::process::exit(0);
}

/// A target's program.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        $crate::fuzz_target!(init: $crate::start(stringify!($name)), |data: &[u8]| $crate::targets::$name(data));
    };
}
