//! A writer that hands over whole lines: results that arrive in input order are counted as they come.

use std::io::Write;

/// Calls a function with each line written.
pub struct Lines<F> {
    each: F,
    rest: Vec<u8>,
}

impl<F: FnMut(&[u8])> Lines<F> {
    /// A writer that calls `each` with every line, without its end.
    pub fn new(each: F) -> Self {
        Lines { each, rest: Vec::new() }
    }
}

impl<F: FnMut(&[u8])> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            match self.rest.is_empty() {
                true => (self.each)(&rest[..end]),
                false => {
                    self.rest.extend_from_slice(&rest[..end]);
                    (self.each)(&std::mem::take(&mut self.rest));
                }
            }
            rest = &rest[end + 1..];
        }
        self.rest.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_written() {
        let mut seen = Vec::new();
        let mut lines = Lines::new(|l: &[u8]| seen.push(l.to_vec()));
        for part in ["ab", "c\nd\n\ne", "f", "\n"] {
            lines.write_all(part.as_bytes()).unwrap();
        }
        assert_eq!(seen, [b"abc".to_vec(), b"d".to_vec(), b"".to_vec(), b"ef".to_vec()]);
    }
}
