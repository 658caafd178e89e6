//! `review import`: sheets that came back, all or nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use zhijian::error::{Error, Result};
use zhijian::report::figures::Figures;
use zhijian::report::review_sheet::{SheetFault, given};
use zhijian::report::reviewed::reviewed;
use zhijian::review::filled;
use zhijian::store::{Import, Selection, Store};

use super::{Audit, StoreArg};
use crate::cli::Outcome;
use crate::cli::table::{dense, plain};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 填好的复核表(.xlsx),可写多个
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
    /// 只检查,不导入
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    audit: Audit,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let mut store = args.store.open()?;
    let (mut imports, mut faults) = (Vec::new(), Vec::new());
    for path in &args.files {
        match read(&store, path) {
            Ok(Ok(import)) => imports.push(import),
            Ok(Err(own)) => faults.extend(own.into_iter().map(|f| format!("{} {f}", path.display()))),
            Err(error) => faults.push(error.to_string()),
        }
    }
    if !faults.is_empty() {
        faults.iter().for_each(|fault| eprintln!("{}", plain(fault)));
        let files = if args.files.len() > 1 { "所有文件都" } else { "" };
        return Err(Error::Other(format!("{} 处错误,{files}没有导入;改好后再导入 (nothing imported)", faults.len())));
    }
    let cases: usize = imports.iter().map(|i| i.cases.len()).sum();
    if args.dry_run {
        writeln_out!("检查通过:{} 个文件,填完 {cases} 通;没有导入(--dry-run)", imports.len());
        return Ok(Outcome::Done);
    }
    let mut nights: Vec<(String, String)> =
        imports.iter().flat_map(|i| &i.cases).map(|(key, _)| (key.night.clone(), key.part.clone())).collect();
    nights.sort();
    nights.dedup();
    let before = figures(&store, &nights)?;
    let done = store.import(&imports, &args.audit.at()?, &args.audit.who())?;
    writeln_out!(
        "导入 {} 个文件:新增 {} 通,更新 {} 通(原来的保留在审计记录里),没有变化 {} 通",
        imports.len(),
        done.new,
        done.superseded,
        done.unchanged
    );
    if done.new + done.superseded > 0 {
        changes(&before, &figures(&store, &nights)?)?;
    }
    Ok(Outcome::Done)
}

/// A file as an import, or its faults.
fn read(store: &Store, path: &std::path::Path) -> Result<std::result::Result<Import, Vec<String>>> {
    let mut given = given(path)?;
    let Some(sheet) = store.sheet(&given.id)? else {
        let reason = "不是从这个历史库发出的复核表,或发出后那一晚的引文已清理";
        return Err(Error::Other(format!("{}: {reason} (unknown sheet)", path.display())));
    };
    let read = filled::read(&sheet, &given.cells);
    let mut faults = std::mem::take(&mut given.faults);
    let cases = match read {
        Ok(cases) => cases,
        Err(more) => {
            faults.extend(more);
            Vec::new()
        }
    };
    if !faults.is_empty() {
        faults.sort_by_key(|f| (f.row, f.column));
        return Ok(Err(faults.into_iter().map(|f| SheetFault(f).to_string()).collect()));
    }
    Ok(Ok(Import {
        file: path.display().to_string(),
        sha256: given.sha256,
        sheet: sheet.id.clone(),
        sample: sheet.sample.clone(),
        round: sheet.round,
        reviewer: sheet.reviewer.clone(),
        cases,
    }))
}

/// Scores after review by night and agent.
pub type Scores = BTreeMap<(String, String), (Option<f64>, Option<f64>, u64)>;

/// Figures after review of some nights, by night and agent: mean, pass rate, critical.
pub fn figures(store: &Store, nights: &[(String, String)]) -> Result<Scores> {
    let mut out = Scores::new();
    for (night, part) in nights {
        let selection = Selection { part: Some(part.clone()), ..Selection::parse(night, "--night")? };
        if store.selected(&selection)?.is_empty() {
            continue;
        }
        let period = store.load(&selection, None)?;
        let cases = store.reviewed(Some(&selection))?;
        let after = reviewed(&period.pack, &period.partial.aggregate, &cases);
        let cards = match &after {
            Some(after) => &after.cards,
            None => &zhijian::report::figures::Scorecards::new(&period.pack, &period.partial.aggregate),
        };
        for agent in &cards.agents {
            out.insert((night.clone(), agent.id.clone()), summary(agent));
        }
        out.insert((night.clone(), "全员".into()), summary(&cards.all));
    }
    Ok(out)
}

fn summary(figures: &Figures) -> (Option<f64>, Option<f64>, u64) {
    (figures.score.as_ref().map(|s| s.value), figures.pass_rate.as_ref().map(|r| r.value), figures.critical)
}

/// Prints whose figures changed.
pub fn changes(before: &Scores, after: &Scores) -> Result<()> {
    let number = |v: Option<f64>, scale: f64| v.map_or("–".into(), |v| format!("{:.1}", v * scale));
    let mut shown = dense(&["晚", "客服", "复核后分", "合格率%", "一票否决"]);
    let mut any = false;
    for (key, now) in after {
        let was = before.get(key).copied().unwrap_or_default();
        let told = |f: (Option<f64>, Option<f64>, u64)| (number(f.0, 1.0), number(f.1, 100.0), f.2);
        if told(was) == told(*now) {
            continue;
        }
        any = true;
        let arrow = |a: String, b: String| if a == b { a } else { format!("{a} → {b}") };
        shown.add_row([
            key.0.clone(),
            plain(&key.1),
            arrow(number(was.0, 1.0), number(now.0, 1.0)),
            arrow(number(was.1, 100.0), number(now.1, 100.0)),
            arrow(was.2.to_string(), now.2.to_string()),
        ]);
    }
    match any {
        true => writeln_out!("{shown}"),
        false => writeln_out!("各人的复核后分没有变化"),
    }
    Ok(())
}
