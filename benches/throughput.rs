//! The shipped program on a large input, against jieba-rs alone on the same texts with as many threads, and the memory it
//! takes at one and four times that input. Linux only (it reads /proc).
//!
//! `cargo bench --bench throughput` (`ZHIJIAN_BENCH_MB=200`, `ZHIJIAN_BENCH_THREADS=2`). Shares are of processor time, which
//! other work on the machine disturbs less than the time on the clock.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zhijian::input::{InputOptions, Item, Reader};

const NIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/nightly/2026-11-20.jsonl");

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// What a process took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    processor: f64,
    peak_mb: f64,
}

/// Processor seconds of a process so far.
fn processor(pid: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn peak(pid: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Runs `inspect` and watches it.
fn inspect(inputs: &[PathBuf], folder: &Path, segment: &str, threads: usize) -> Cost {
    let out = folder.join("out");
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .arg("inspect")
        .args(inputs)
        .args(["--quiet", "--report", "none", "--segment", segment, "--threads", &threads.to_string(), "--out"])
        .arg(&out)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let mut cost = Cost { seconds: 0.0, processor: 0.0, peak_mb: 0.0 };
    loop {
        cost.processor = processor(&pid).unwrap_or(cost.processor).max(cost.processor);
        cost.peak_mb = peak(&pid).unwrap_or(cost.peak_mb).max(cost.peak_mb);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    cost.seconds = start.elapsed().as_secs_f64();
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    let lines = std::fs::read_to_string(out.join("scorecards.csv")).unwrap().lines().count();
    assert!(run["counts"]["records_rejected"] == 0 && lines > 15, "the run did its work");
    cost
}

/// The messages of the night that people wrote.
fn texts() -> Vec<String> {
    let mut reader = Reader::open(&[NIGHT.to_string()], InputOptions::default()).unwrap();
    let mut out = Vec::new();
    while let Some(block) = reader.next_block(Vec::new()).unwrap() {
        block.visit(&mut |item| {
            if let Item::Conversation { conversation, .. } = item {
                out.extend(conversation.turns.iter().filter(|t| t.is_human_words()).map(|t| t.text.to_string()));
            }
        });
    }
    out
}

/// jieba's `cut` alone over the texts, as often as they stand in the dump.
fn jieba(texts: &[String], times: usize, threads: usize) -> Cost {
    let jieba = jieba_rs::Jieba::new();
    assert_eq!(jieba.cut("滚筒洗衣机", false).len(), 2);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let (start, before) = (Instant::now(), processor("self").unwrap());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < times {
                    for text in texts {
                        std::hint::black_box(jieba.cut(std::hint::black_box(text), false));
                    }
                }
            });
        }
    });
    let processor = processor("self").unwrap() - before;
    Cost { seconds: start.elapsed().as_secs_f64(), processor, peak_mb: peak("self").unwrap() }
}

/// The night over and over, each time with ids of its own.
fn dump(path: &Path, megabytes: usize) -> usize {
    let night = std::fs::read_to_string(NIGHT).unwrap();
    let times = (megabytes * 1_000_000).div_ceil(night.len());
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for number in 0..times {
        out.write_all(night.replace("\"conversation_id\":\"", &format!("\"conversation_id\":\"{number}-")).as_bytes())
            .unwrap();
    }
    out.flush().unwrap();
    times
}

fn say(text: std::fmt::Arguments<'_>) {
    #[allow(clippy::print_stdout, reason = "a benchmark reports to whoever ran it")]
    {
        println!("{text}");
    }
}

fn main() {
    // `cargo test --benches` and other runners ask for a list or a quick check: this takes minutes and has none.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let (megabytes, threads) = (setting("ZHIJIAN_BENCH_MB", 200), setting("ZHIJIAN_BENCH_THREADS", 2));
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("night-0.jsonl");
    let times = dump(&first, megabytes);
    let mut inputs = vec![first.clone()];
    for number in 1..4 {
        let path = folder.path().join(format!("night-{number}.jsonl"));
        std::fs::hard_link(&first, &path).unwrap();
        inputs.push(path);
    }
    let size = std::fs::metadata(&first).unwrap().len() as f64 / 1e6;
    let texts = texts();
    let text_size = (texts.iter().map(String::len).sum::<usize>() * times) as f64 / 1e6;
    say(format_args!("{size:.0} MB of JSONL, {text_size:.0} MB of it people's words, {threads} threads"));
    say(format_args!(
        "| | seconds | processor s | JSONL MB per processor s | jieba's processor time / its own | peak MB |"
    ));
    say(format_args!("| --- | ---: | ---: | ---: | ---: | ---: |"));
    let alone = jieba(&texts, times, threads);
    let show = |name: &str, cost: Cost, size: f64, times: f64| {
        let Cost { seconds, processor, peak_mb } = cost;
        let share = times * alone.processor / processor;
        let speed = size / processor;
        say(format_args!("| {name} | {seconds:.1} | {processor:.1} | {speed:.1} | {share:.2} | {peak_mb:.0} |"));
    };
    show("jieba-rs `cut` alone", alone, size, 1.0);
    for segment in ["full", "needed", "off"] {
        show(
            &format!("inspect --segment {segment}"),
            inspect(&inputs[..1], folder.path(), segment, threads),
            size,
            1.0,
        );
    }
    show("inspect, 4 × the input", inspect(&inputs, folder.path(), "needed", threads), 4.0 * size, 4.0);
}
