//! The files of an output folder that are derived from figures: the same for a night just inspected and for a period
//! rendered again.

use clap::ValueEnum;

use zhijian::error::{Error, Result};
use zhijian::report::coaching::{self, CoachingReport};
use zhijian::report::folder::{StagedFolder, finish};
use zhijian::report::night::Night;
use zhijian::report::summary::{self, Summary};
use zhijian::report::workbook::{self, Sources};
use zhijian::report::{csv, html, names, outcomes, service, targets};

/// What is written beside the tables: pages and workbook take their time on very large nights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// 网页和工作簿
    All,
    /// 只有网页
    Html,
    /// 只有工作簿
    Xlsx,
    /// 都不写
    None,
}

impl ReportKind {
    /// With pages.
    pub fn pages(self) -> bool {
        matches!(self, ReportKind::All | ReportKind::Html)
    }

    /// With the workbook.
    pub fn book(self) -> bool {
        matches!(self, ReportKind::All | ReportKind::Xlsx)
    }
}

/// Writes every report of a night into its folder.
pub fn write(folder: &StagedFolder, night: &Night<'_>, report: ReportKind) -> Result<()> {
    let Night { pack, aggregate, cards, lang, .. } = *night;
    folder.write("scorecards.csv", |out| csv::scorecards(out, pack, cards, lang))?;
    folder.write("skills.csv", |out| csv::skills(out, cards, lang))?;
    folder.write("rules.csv", |out| csv::rules(out, pack, aggregate, night.reviewed, lang))?;
    folder.write("metrics.csv", |out| service::metrics(out, aggregate, lang))?;
    folder.write("topics.csv", |out| service::topics(out, pack, aggregate, lang))?;
    folder.write("profiles.csv", |out| outcomes::profiles(out, pack, aggregate, lang))?;
    folder.write("outcomes.csv", |out| outcomes::outcomes(out, cards, aggregate, lang))?;
    folder.write("targets.csv", |out| targets::csv(out, &cards.targets, lang))?;
    folder.write("scorecards.json", |out| {
        serde_json::to_writer_pretty(&mut *out, cards)?;
        writeln!(out)
    })?;
    coaching(folder, night)?;
    summaries(folder, night)?;
    if report.pages() {
        html::write(folder, night)?;
    }
    if report.book() {
        workbook(folder, night)?;
    }
    Ok(())
}

/// Reports for agents and for those who lead their teams, as text and as pages.
fn coaching(folder: &StagedFolder, night: &Night<'_>) -> Result<()> {
    let agents = night.cards.agents.iter().filter_map(|agent| {
        let report = CoachingReport::new(night, agent)?;
        Some((names::file_stem(&agent.id), report.document()))
    });
    let teams = coaching::teams(night).map(|report| (coaching::team_stem(report.team), report.document()));
    for (stem, report) in agents.chain(teams) {
        folder.write(&format!("coaching/{stem}.md"), |out| out.write_all(report.markdown().as_bytes()))?;
        folder.write(&format!("coaching/{stem}.html"), |out| out.write_all(report.html().as_bytes()))?;
    }
    folder.write(&format!("coaching/{}", coaching::CSS_NAME), |out| out.write_all(coaching::CSS.as_bytes()))
}

/// The night in few words, as text and as the bodies chat tools take.
fn summaries(folder: &StagedFolder, night: &Night<'_>) -> Result<()> {
    let (summary, lang) = (Summary::new(night), night.lang);
    folder.write("summary.md", |out| out.write_all(summary.markdown(lang).as_bytes()))?;
    let bodies = [
        ("summary.json", serde_json::to_value(&summary)),
        ("notify/dingtalk.json", Ok(summary::dingtalk(&summary, lang))),
        ("notify/wecom.json", Ok(summary::wecom(&summary, lang))),
        ("notify/feishu.json", Ok(summary::feishu(&summary, lang))),
    ];
    for (name, body) in bodies {
        folder.write(name, |out| {
            serde_json::to_writer_pretty(&mut *out, &body?)?;
            writeln!(out)
        })?;
    }
    Ok(())
}

/// The workbook; last, since it links to what is already there.
fn workbook(folder: &StagedFolder, night: &Night<'_>) -> Result<()> {
    const NAME: &str = "scorecards.xlsx";
    let conversations = folder.staging().join("conversations.jsonl");
    let sources = Sources {
        conversations: conversations.is_file().then_some(&conversations),
        folder: Some(folder.staging()),
        ..Sources::default()
    };
    let mut out = folder.create(NAME)?;
    workbook::write(&mut out, night, &sources)?;
    finish(out).map_err(|e| Error::write(NAME, e))
}
