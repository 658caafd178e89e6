//! One input opened: decompressed, decoded, its format known.

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex};

use encoding_rs::Encoding;

use super::cells::Rows;
use super::columnar::{self, Batches};
use super::compression::{Stop, Stream};
use super::discover::Named;
use super::encoding::{Raw, Text};
use super::format::{Format, Shape};
use super::layout;
use super::recognise::recognise;
use super::reject::Fault;
use super::{InputOptions, workbook};
use crate::error::Error;

/// Workbooks up to this size are looked into before the run.
const PEEK_BYTES: u64 = 32 << 20;

/// An input ready to be read.
pub(crate) struct Source {
    pub name: Arc<str>,
    pub text: Text,
    pub extension: String,
    pub format: &'static Format,
    pub stem: String,
    input: Named,
    size: Option<u64>,
}

impl Source {
    pub(crate) fn open(
        input: &Named,
        encoding: Option<&'static Encoding>,
        options: &InputOptions,
    ) -> Result<Source, Error> {
        let name: Arc<str> = input.shown().into();
        let stream = Stream::open(input.open()?, options.limits).map_err(|e| Error::read(&*name, e))?;
        let mut text = Text::open(stream, encoding);
        let extension = input.extension();
        let (format, list) = recognise(&name, text.head(), &text.sample(), &extension, options)?;
        if let Some(way) = list {
            text.unwrap_list(way);
        }
        Ok(Source { name, text, extension, format, stem: input.stem(), input: input.clone(), size: input.size() })
    }

    /// About how large the text is.
    pub(crate) fn size_hint(&self) -> usize {
        match self.text.stream().compression() {
            "none" => self.size.unwrap_or(0).min(1 << 32) as usize,
            _ => 0,
        }
    }

    /// The file to seek in: the file itself, or an unnamed copy of what is compressed or piped in.
    pub(crate) fn seekable(self) -> Result<(Result<File, Fault>, Raw), Error> {
        let failed = |e| Error::read(&*self.name, e);
        let stored = self.text.stream().compression() == "none" && self.size.is_some();
        let mut raw = self.text.into_raw();
        if let (Named::File(path), true) = (&self.input, stored) {
            return Ok((Ok(File::open(path).map_err(failed)?), raw));
        }
        let mut copy = tempfile::tempfile().map_err(Error::temporary)?;
        let copied = std::io::copy(&mut raw, &mut copy);
        Ok(match (copied, raw.stop.take()) {
            (_, Some(Stop::Data(fault))) => (Err(fault), raw),
            (_, Some(Stop::Io(error))) => return Err(failed(error)),
            (Err(error), None) => return Err(Error::temporary(error)),
            (Ok(_), None) => (Ok(copy), raw),
        })
    }
}

/// A reader that others can still ask when it has been given away.
pub(crate) struct Shared(pub Arc<Mutex<Raw>>);

impl Read for Shared {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).read(buf)
    }
}

/// Opens a file and looks at its beginning, so that a wrong one is told before the run.
pub(crate) fn preflight(
    input: &Named,
    encoding: Option<&'static Encoding>,
    options: &InputOptions,
) -> Result<(), Error> {
    let source = Source::open(input, encoding, options)?;
    let name = source.name.clone();
    let old = source.format.shape == Shape::Xls;
    match source.format.shape {
        Shape::Delimited | Shape::Messages => drop(layout::of(&source, source.text.sample().as_bytes(), options)?),
        // a broken file is a reject of the run; only columns that cannot be understood are told now
        Shape::Xlsx | Shape::Xls if source.size.is_some_and(|s| s <= PEEK_BYTES) => {
            if let (Ok(file), _) = source.seekable()? {
                workbook::read(file, old, &mut Rows::new(name), None, options)?;
            }
        }
        Shape::Parquet if source.text.stream().compression() == "none" => {
            if let (Ok(file), _) = source.seekable()?
                && let Ok((_, schema)) = Batches::parquet(file)
            {
                columnar::shape(&name, &schema, &options.mapping, options.positions())?;
            }
        }
        Shape::ArrowFile | Shape::ArrowStream => {
            let file = source.format.shape == Shape::ArrowFile;
            if let Ok((_, schema)) = Batches::ipc(Box::new(source.text.into_raw()), file, options.limits) {
                columnar::shape(&name, &schema, &options.mapping, options.positions())?;
            }
        }
        _ => {}
    }
    Ok(())
}
