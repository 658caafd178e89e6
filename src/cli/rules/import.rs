//! `rules import`: phrases from a table into a marker.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zhijian::diagnostic::{Diagnostic, Severity, SourceFile};
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::examples;
use zhijian::input::phrases;
use zhijian::pack::Pack;
use zhijian::pack::fields::nearest;
use zhijian::pack::marker::{Block, ViewKind};
use zhijian::pack::reference::normal_phrase;
use zhijian::pack::source::PackFiles;
use zhijian::tools::import::{Taken, add, choose};

use super::{Outcome, PackArgs};
use crate::cli::table::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 加到哪个标记
    #[arg(value_name = "MARKER")]
    marker: String,
    /// 短语表:.csv .tsv .txt(一行一条) .xlsx;GBK、UTF-8 自动识别
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pack: PackArgs,
    /// 取第几列
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16_384))]
    column: u16,
    /// 文本编码;不写则自动识别
    #[arg(long, value_name = "ENCODING", env = "ZHIJIAN_ENCODING")]
    encoding: Option<String>,
    /// 只看会加什么,不写文件
    #[arg(long)]
    dry_run: bool,
    /// 即使加了以后有例子不再通过,也写入
    #[arg(long)]
    force: bool,
}

/// Where the phrases go: the marker's own file, or `pack.toml` when the marker is inherited.
struct Target {
    path: PathBuf,
    inside: String,
    keys: Vec<String>,
    block: Block,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let root = args.pack.folder()?;
    let files = args.pack.files()?;
    let pack = Pack::load(&files)?;
    let target = target(args, root, &files, &pack)?;
    let rows = phrases::column(&args.file, args.encoding.as_deref(), usize::from(args.column))?;
    if rows.is_empty() {
        return Err(Error::Other(format!("{} 的第 {} 列是空的", args.file.display(), args.column)));
    }
    let mut others = BTreeMap::new();
    for marker in pack.markers.iter().filter(|m| m.id != args.marker) {
        for block in marker.blocks.iter().filter(|b| b.view == target.block.view) {
            for phrase in &block.phrases {
                others.entry(normal_phrase(block.view, phrase)).or_insert_with(|| marker.id.clone());
            }
        }
    }
    let taken = choose(&rows, &target.block, &others);
    report(&taken)?;
    let added: Vec<String> = taken.into_iter().filter(|t| t.skipped.is_none()).map(|t| t.phrase).collect();
    if added.is_empty() {
        writeln_out!("没有要加的,文件没有改动。");
        return Ok(Outcome::Done);
    }
    let old = files.get(&target.inside).map_or("", |f| f.text.as_str());
    let keys: Vec<&str> = target.keys.iter().map(String::as_str).collect();
    let text = add(old, &keys, &added).map_err(|e| Error::Other(format!("{}: {e}", target.path.display())))?;
    let mut changed = files.clone();
    for (path, file) in &mut changed.files {
        if *path == target.inside {
            *file = Arc::new(SourceFile { path: file.path.clone(), text: text.clone() });
        }
    }
    if !still_good(pack, &changed, args.force)? {
        return Ok(Outcome::GateFailed);
    }
    if args.dry_run {
        writeln_out!("试运行:会把 {} 条短语写进 {},没有改动文件。", added.len(), target.path.display());
        return Ok(Outcome::Done);
    }
    replace(&target.path, &text)?;
    writeln_out!("已把 {} 条短语写进 {}。", added.len(), target.path.display());
    Ok(Outcome::Done)
}

fn target(args: &Args, root: &Path, files: &PackFiles, pack: &Pack) -> Result<Target> {
    let Some(number) = pack.marker(&args.marker) else {
        let hint = nearest(&args.marker, pack.markers.iter().map(|m| m.id.as_str()));
        let hint = hint.map_or("`zhijian rules list` 列出全部标记".into(), |n| format!("是不是想写 `{n}`?"));
        let reason = format!("没有标记 `{}`;{hint}", args.marker);
        return Err(Error::Setting { option: "MARKER".into(), reason });
    };
    let marker = &pack.markers[number as usize];
    let inside = format!("markers/{}.toml", args.marker);
    if files.get(&inside).is_some() {
        let block = marker.blocks.first().cloned().unwrap_or_default();
        return Ok(Target { path: root.join(&inside), inside, keys: vec!["phrases".into()], block });
    }
    // What is added in pack.toml is looked for in the squeezed view; all phrases of the marker count as known.
    let mut block = Block { view: ViewKind::Squeezed, ..Block::default() };
    for own in &marker.blocks {
        block.phrases.extend(own.phrases.iter().cloned());
        block.except.extend(own.except.iter().cloned());
    }
    let keys = vec!["marker".into(), args.marker.clone(), "add".into()];
    Ok(Target { path: root.join("pack.toml"), inside: "pack.toml".into(), keys, block })
}

fn report(taken: &[Taken]) -> Result<()> {
    for one in taken {
        let phrase = plain(&one.phrase).replace('\n', " ");
        match (&one.skipped, &one.remark) {
            (Some(why), _) => writeln_out!("跳过 第 {} 行 {phrase}: {why}", one.row),
            (None, Some(remark)) => writeln_out!("加入 第 {} 行 {phrase} (注意: {remark})", one.row),
            (None, None) => writeln_out!("加入 第 {} 行 {phrase}", one.row),
        }
    }
    let added = taken.iter().filter(|t| t.skipped.is_none()).count();
    writeln_out!("共 {} 行:加入 {added},跳过 {}。", taken.len(), taken.len() - added);
    Ok(())
}

/// Whether the changed pack loads and its examples come out as before.
fn still_good(old: Pack, changed: &PackFiles, force: bool) -> Result<bool> {
    let (pack, diagnostics) = Pack::check(changed);
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Error).map(Diagnostic::render).collect();
    let Some(pack) = pack.filter(|_| errors.is_empty()) else {
        writeln_out!("加了以后规则包有错,没有写入:\n{}", errors.join("\n\n"));
        return Ok(false);
    };
    let failing = |pack: Pack| -> Result<BTreeSet<(String, String)>> {
        let results = examples::run(&Engine::new(pack, EngineOptions::default())?);
        Ok(results.into_iter().filter(|r| !r.ok && !r.todo).map(|r| (r.id, r.text)).collect())
    };
    let before = failing(old)?;
    let broken: Vec<_> = failing(pack)?.into_iter().filter(|f| !before.contains(f)).collect();
    for (id, text) in &broken {
        writeln_out!("加了以后这个例子不再通过: {id}: {}", plain(text));
    }
    if !broken.is_empty() && !force {
        writeln_out!("没有写入。去掉引起误判的短语或补上例外(except)再试;确定要加就用 --force。");
    }
    Ok(broken.is_empty() || force)
}

/// Replaces a file as a whole.
fn replace(path: &Path, text: &str) -> Result<()> {
    let write = |e| Error::write(path, e);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(write)?;
    file.write_all(text.as_bytes()).map_err(write)?;
    if let Ok(kept) = std::fs::metadata(path) {
        file.as_file().set_permissions(kept.permissions()).map_err(write)?;
    }
    file.as_file().sync_all().map_err(write)?;
    file.persist(path).map_err(|e| write(e.error))?;
    Ok(())
}
