//! Mutation fuzzing of everything that reads what others wrote, without any tool but the test runner.
//!
//! Seeds are the fixtures; inputs come from a seeded generator, so that a run of the same length and seed tries the same
//! inputs. There is no coverage feedback: this finds shallow faults quickly, not deep ones. `tests/fuzz/run [minutes]`
//! runs every target for that long; `cargo test` runs each for a second. A fault is written to the folder
//! `ZHIJIAN_FUZZ_CRASHES` (where given) and becomes a case in `tests/fuzz/known.rs`.

#[path = "../common/mod.rs"]
mod common;
mod known;
mod mutate;
mod targets;
mod words;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use mutate::Mutator;

fn number(name: &str, otherwise: f64) -> f64 {
    std::env::var(name).map_or(otherwise, |n| n.parse().expect(name))
}

#[allow(clippy::print_stdout)] // how much was tried is what it is run for
/// Runs a target for its time, or fails with the input that broke it.
fn fuzz(name: &str, seeds: Vec<Vec<u8>>, target: fn(&[u8])) {
    assert!(!seeds.is_empty());
    let time = Duration::from_secs_f64(number("ZHIJIAN_FUZZ_SECONDS", 1.0));
    let mut mutator = Mutator::new(number("ZHIJIAN_FUZZ_SEED", 1.0) as u64, seeds);
    // What is tried is written down first: an input that takes all memory leaves no panic behind.
    let kept = std::env::var("ZHIJIAN_FUZZ_CRASHES").ok().map(|folder| format!("{folder}/{name}-now"));
    let start = Instant::now();
    let mut tried = 0u64;
    let mut slowest = Duration::ZERO;
    while tried < 20 || start.elapsed() < time {
        let input = mutator.next();
        if let Some(path) = &kept {
            std::fs::write(path, &input).unwrap();
        }
        let began = Instant::now();
        if catch_unwind(|| target(&input)).is_err() {
            let kept = std::env::var("ZHIJIAN_FUZZ_CRASHES").map(|folder| {
                let path = format!("{folder}/{name}-{tried}");
                std::fs::write(&path, &input).unwrap();
                path
            });
            panic!("{name}: input {tried} ({kept:?}) {}", input[..input.len().min(2000)].escape_ascii());
        }
        let took = began.elapsed();
        slowest = slowest.max(took);
        assert!(took < Duration::from_secs(20), "{name}: {took:?} for {} bytes", input.len());
        tried += 1;
    }
    if let Some(path) = &kept {
        std::fs::remove_file(path).unwrap();
    }
    println!("{name}: {tried} inputs, the slowest took {slowest:?}");
}

macro_rules! targets {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            fuzz(stringify!($name), targets::seeds(stringify!($name)), targets::$name);
        }
    )*};
}

targets!(reader, pack, normalise, csv_cells, html);

#[test]
fn what_once_broke_stays_mended() {
    for (target, input) in known::CASES {
        target(input);
    }
}
