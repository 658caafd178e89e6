//! Filling workbooks as a person would, by editing their XML: cells are set, rows taken out and put in.

use std::io::{Cursor, Read, Write};
use std::path::Path;

/// A workbook's parts.
#[derive(Clone)]
pub struct Book {
    parts: Vec<(String, Vec<u8>)>,
}

impl Book {
    pub fn open(path: &Path) -> Book {
        let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).collect();
        let part = |name: String| {
            let mut bytes = Vec::new();
            archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
            (name, bytes)
        };
        Book { parts: names.into_iter().map(part).collect() }
    }

    pub fn save(&self, path: &Path) {
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.parts {
            out.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(bytes).unwrap();
        }
        std::fs::write(path, out.finish().unwrap().into_inner()).unwrap();
    }

    pub fn part(&self, name: &str) -> String {
        let (_, bytes) = self.parts.iter().find(|p| p.0 == name).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }

    pub fn replace(&mut self, name: &str, text: String) {
        self.parts.iter_mut().find(|p| p.0 == name).unwrap().1 = text.into_bytes();
    }

    /// The main sheet.
    fn rows(&self) -> (String, Vec<String>, String) {
        let xml = self.part(MAIN);
        let start = xml.find("<sheetData>").unwrap() + "<sheetData>".len();
        let end = xml.find("</sheetData>").unwrap();
        let rows = xml[start..end].split_inclusive("</row>").map(str::to_string).collect();
        (xml[..start].to_string(), rows, xml[end..].to_string())
    }

    fn put(&mut self, (head, rows, tail): (String, Vec<String>, String)) {
        self.replace(MAIN, head + &rows.concat() + &tail);
    }

    /// Writes a text into a cell of the main sheet (row and column from 0); empty empties it.
    pub fn set(&mut self, row: u32, column: usize, text: &str) -> &mut Book {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        self.raw(row, column, &format!("t=\"inlineStr\"><is><t xml:space=\"preserve\">{escaped}</t></is></c>"))
    }

    /// Writes a number into a cell.
    pub fn number(&mut self, row: u32, column: usize, value: f64) -> &mut Book {
        self.raw(row, column, &format!("><v>{value}</v></c>"))
    }

    /// Puts the rest of a cell's element.
    pub fn raw(&mut self, row: u32, column: usize, rest: &str) -> &mut Book {
        let name = format!("{}{}", char::from(b'A' + column as u8), row + 1);
        let (head, mut rows, tail) = self.rows();
        let place = rows.iter().position(|r| r.starts_with(&format!("<row r=\"{}\"", row + 1)));
        let Some(place) = place else {
            rows.push(format!("<row r=\"{}\"><c r=\"{name}\" {rest}</row>", row + 1));
            self.put((head, rows, tail));
            return self;
        };
        let own = &mut rows[place];
        match own.find(&format!("<c r=\"{name}\"")) {
            Some(start) => {
                let open = start + own[start..].find('>').unwrap();
                let end = match own.as_bytes()[open - 1] {
                    b'/' => open + 1,
                    _ => start + own[start..].find("</c>").unwrap() + 4,
                };
                let style = own[start..open].find(" s=\"").map_or(String::new(), |at| {
                    let from = start + at;
                    let to = from + 4 + own[from + 4..].find('"').unwrap() + 1;
                    own[from..to].to_string()
                });
                own.replace_range(start..end, &format!("<c r=\"{name}\"{style} {rest}"));
            }
            None => {
                let end = own.rfind("</row>").unwrap();
                own.insert_str(end, &format!("<c r=\"{name}\" {rest}"));
            }
        }
        self.put((head, rows, tail));
        self
    }

    /// Takes a row (from 0) out; those below move up.
    pub fn remove_row(&mut self, row: u32) -> &mut Book {
        let (head, rows, tail) = self.rows();
        let mut out = Vec::new();
        for own in rows {
            let number = number_of(&own);
            if number != row + 1 {
                out.push(if number > row + 1 { renumbered(&own, number, number - 1) } else { own });
            }
        }
        self.put((head, out, tail));
        self
    }

    /// Puts an empty row before another (from 0); those below move down.
    pub fn insert_row(&mut self, row: u32) -> &mut Book {
        let (head, rows, tail) = self.rows();
        let moved = rows.into_iter().map(|own| match number_of(&own) {
            number if number > row => renumbered(&own, number, number + 1),
            _ => own,
        });
        let moved = moved.collect();
        self.put((head, moved, tail));
        self
    }

    /// Two rows (from 0) change places.
    pub fn swap_rows(&mut self, a: u32, b: u32) -> &mut Book {
        let (head, mut rows, tail) = self.rows();
        let (one, two) = (rows[a as usize].clone(), rows[b as usize].clone());
        rows[a as usize] = renumbered(&two, b + 1, a + 1);
        rows[b as usize] = renumbered(&one, a + 1, b + 1);
        self.put((head, rows, tail));
        self
    }
}

/// The sheet people fill is the second one.
pub const MAIN: &str = "xl/worksheets/sheet2.xml";

fn number_of(row: &str) -> u32 {
    row.split('"').nth(1).unwrap().parse().unwrap()
}

fn renumbered(row: &str, from: u32, to: u32) -> String {
    let mut out = row.replacen(&format!("<row r=\"{from}\""), &format!("<row r=\"{to}\""), 1);
    for column in 'A'..='Z' {
        out = out.replace(&format!("r=\"{column}{from}\""), &format!("r=\"{column}{to}\""));
    }
    out
}
