//! Rows found in a text that is read as a stream: the very rows [`Dialect::row`] finds when all of it is there.
//!
//! A row is settled when something follows it and no quote in it is broken; a broken one only when as much was looked
//! ahead as a record may be long. So the window holds a portion, or a record's bound, or one very long line.

use super::rows::Row;

/// A window moving over a text.
pub(super) struct Scanner {
    pub window: Vec<u8>,
    /// Where the next row begins in the window.
    pub at: usize,
    /// Nothing follows the window.
    pub ended: bool,
    /// How much is read at a time.
    portion: usize,
}

impl Scanner {
    pub(super) fn new(window: Vec<u8>, at: usize, ended: bool, portion: usize) -> Scanner {
        Scanner { window, at, ended, portion }
    }

    /// The next row, its places being those of the window; `None` at the end. `find` finds the row at a place, of at most
    /// `max` bytes; `fill` appends about as many bytes as
    /// asked for to a text and returns false at the end.
    pub(super) fn row<E>(
        &mut self,
        find: impl Fn(&[u8], usize) -> Row,
        max: usize,
        mut fill: impl FnMut(&mut Vec<u8>, usize) -> Result<bool, E>,
    ) -> Result<Option<Row>, E> {
        loop {
            if self.at < self.window.len() {
                let row = find(&self.window, self.at);
                // a closing quote is known by the two bytes after it
                let ahead = self.window.len() - self.at >= max.saturating_add(4);
                if self.ended || row.next < self.window.len() && (!row.broken || ahead) {
                    self.at = row.next;
                    return Ok(Some(row));
                }
            } else if self.ended {
                return Ok(None);
            }
            self.window.drain(..self.at);
            self.at = 0;
            // doubling what is there keeps a very long row from being looked through again and again
            let want = self.portion.max(self.window.len());
            // what one long record asked for is given back
            self.window.shrink_to(self.window.len() + 2 * want);
            self.ended = !fill(&mut self.window, want)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::super::rows::Dialect;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn the_rows_of_the_whole_text(
            data in prop::collection::vec(prop::sample::select(b"a\",\n\rr".to_vec()), 0..120),
            (portion, max, quoting) in (1usize..20, 1usize..40, any::<bool>()),
        ) {
            let dialect = Dialect { delimiter: b',', quoting };
            let swallowed = |line: &[u8]| line.starts_with(b"r,");
            let mut scanner = Scanner::new(Vec::new(), 0, false, portion);
            let (mut at, mut given) = (0, 0);
            loop {
                let found = scanner.row(|data, at| dialect.row(data, at, max, swallowed), max, |out: &mut Vec<u8>, want: usize| {
                    let n = want.min(data.len() - given);
                    out.extend_from_slice(&data[given..given + n]);
                    given += n;
                    Ok::<_, Infallible>(given < data.len())
                }).unwrap();
                let Some(row) = found else { break };
                let whole = dialect.row(&data, at, max, swallowed);
                prop_assert_eq!(&scanner.window[row.start..row.end], &data[whole.start..whole.end]);
                prop_assert_eq!((row.lines, row.broken), (whole.lines, whole.broken));
                prop_assert_eq!(row.next - row.start, whole.next - whole.start);
                at = whole.next;
            }
            prop_assert_eq!(at, data.len());
        }
    }
}
