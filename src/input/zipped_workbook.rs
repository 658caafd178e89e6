//! What a workbook (.xlsx) would unpack to, found before it is read: the library that reads it holds whole parts and cells
//! in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use super::reject::{CORRUPT, Fault, LIMIT};
use super::workbook::{broken, too_large};

/// Longest stretch of a part between two tags, in bytes: Excel's longest cell has 32,767 characters, six bytes each where
/// they are escaped. The library holds such a stretch several times over.
const MOST_RUN: u64 = 1 << 21;

/// Looks at the sizes in the archive before anything is unpacked; what a hostile one could lie about is counted.
pub(super) fn check(file: &File, max: u64) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut workbook = false;
    let mut total = 0u64;
    for index in 0..archive.len() {
        let (stated, stored) = {
            let entry = archive.by_index_raw(index).map_err(broken)?;
            workbook |= entry.name().is_ok_and(|n| n.starts_with("xl/"));
            (entry.size(), entry.compressed_size())
        };
        // deflate makes at most 1032 bytes of one: only what could exceed the rest is unpacked to count
        let size = if stored.saturating_mul(1032) > max.saturating_sub(total) && stored.saturating_mul(20) > stated {
            let entry = archive.by_index(index).map_err(broken)?;
            std::io::copy(&mut entry.take(max + 1), &mut std::io::sink()).map_err(broken)?
        } else {
            stated.max(1)
        };
        total = total.saturating_add(size);
        if total > max {
            return Err(too_large(max));
        }
        if size.max(stored.saturating_mul(1032)) > MOST_RUN {
            let entry = archive.by_index(index).map_err(broken)?;
            if longest_run(BufReader::with_capacity(1 << 16, entry.take(max))).map_err(broken)? > MOST_RUN {
                return Err(Fault::new(LIMIT, "工作簿里有一格超过 2 MB(Excel 一格至多 32,767 字),不予读取"));
            }
        }
    }
    if !workbook {
        return Err(Fault::new(CORRUPT, "这是 ZIP 压缩包,里面不是 Excel 工作簿;请先解压"));
    }
    Ok(())
}

/// The longest stretch of XML without a tag, in bytes; none in what is no XML (pictures).
fn longest_run(mut part: impl BufRead) -> std::io::Result<u64> {
    let (mut longest, mut run, mut first) = (0, 0, true);
    loop {
        let block = part.fill_buf()?;
        if block.is_empty()
            || std::mem::take(&mut first) && !block.starts_with(b"<") && !block.starts_with(b"\xef\xbb\xbf<")
        {
            return Ok(longest.max(run));
        }
        let mut pieces = block.split(|b| *b == b'<').map(|piece| piece.len() as u64);
        run += pieces.next().unwrap_or(0);
        for piece in pieces {
            longest = longest.max(run);
            run = piece;
        }
        let read = block.len();
        part.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_between_tags_are_measured_across_blocks() {
        let xml = format!("<a>{}</a><b>{}</b>", "x".repeat(100), "y".repeat(70));
        for block in [3, 7, 64, 4096] {
            let run = longest_run(BufReader::with_capacity(block, xml.as_bytes())).unwrap();
            assert_eq!(run, "a>".len() as u64 + 100, "{block}");
        }
        assert_eq!(longest_run(&b"\x89PNG and no tag for long"[..]).unwrap(), 0);
        assert_eq!(longest_run(&b""[..]).unwrap(), 0);
    }
}
