//! What `benches/peers/run` needs of the library: the pack's phrases for others to look for, messages as plain lines, and two
//! limits that no inspection can be faster than — jieba-rs cutting the messages, and reading the JSON.
//!
//! `limits phrases OUT` · `limits texts DUMP OUT` · `limits cut DUMP THREADS` · `limits json DUMP THREADS`. The last two print a
//! count, so that the work is seen to be done.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use zhijian::input::{InputOptions, Item, Reader};
use zhijian::pack::Pack;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["phrases", out] => Ok(std::fs::write(out, phrases()?)?),
        ["texts", dump, out] => {
            let file = Mutex::new(std::io::BufWriter::new(std::fs::File::create(out)?));
            let count = each(dump, 1, |text| {
                let line: String = text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
                let mut file = file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                writeln!(file, "{line}").map_or(0, |()| 1)
            })?;
            say(count)
        }
        ["cut", dump, threads] => {
            let jieba = jieba_rs::Jieba::new();
            say(each(dump, threads.parse()?, |text| jieba.cut(text, false).len())?)
        }
        ["json", dump, threads] => say(each(dump, threads.parse()?, |_| 1)?),
        _ => Err("limits phrases OUT | texts DUMP OUT | cut DUMP THREADS | json DUMP THREADS".into()),
    }
}

fn say(count: usize) -> Result<(), Box<dyn std::error::Error>> {
    Ok(writeln!(std::io::stdout(), "{count}")?)
}

/// The pack's phrases as written, each once, longer than a character, a line each.
fn phrases() -> Result<String, Box<dyn std::error::Error>> {
    let pack = Pack::default_pack()?;
    let blocks = pack.markers.iter().flat_map(|marker| &marker.blocks);
    let all: BTreeSet<&str> = blocks.flat_map(|block| &block.phrases).map(|p| p.trim()).collect();
    let kept = all.into_iter().filter(|p| p.chars().count() > 1 && !p.contains('\n'));
    Ok(kept.map(|p| format!("{p}\n")).collect())
}

/// Reads a dump with several threads; the sum of what `look` says of each message of people.
fn each(dump: &str, threads: usize, look: impl Fn(&str) -> usize + Sync) -> Result<usize, Box<dyn std::error::Error>> {
    let reader = Mutex::new(Reader::open(&[dump.to_string()], InputOptions::default())?);
    let sum = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut buffer = Vec::new();
                loop {
                    let next = reader.lock().map(|mut r| r.next_block(std::mem::take(&mut buffer)));
                    let Ok(Ok(Some(block))) = next else { break };
                    block.visit(&mut |item| {
                        if let Item::Conversation { conversation, .. } = item {
                            let human = conversation.turns.iter().filter(|t| t.is_human_words());
                            sum.fetch_add(human.map(|t| look(&t.text)).sum(), Ordering::Relaxed);
                        }
                    });
                    buffer = block.into_buffer();
                }
            });
        }
    });
    Ok(sum.into_inner())
}
