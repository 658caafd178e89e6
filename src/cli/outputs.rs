//! The files of an output folder that are derived from figures: the same for a night just inspected and for a period
//! rendered again.

use zhijian::error::Result;
use zhijian::report::folder::StagedFolder;
use zhijian::report::night::Night;
use zhijian::report::{coaching, csv, names, outcomes, service, targets};

/// Writes every report of a night into its folder.
pub fn write(folder: &StagedFolder, night: &Night<'_>) -> Result<()> {
    let Night { pack, aggregate, cards, lang, .. } = *night;
    folder.write("scorecards.csv", |out| csv::scorecards(out, pack, cards, lang))?;
    folder.write("skills.csv", |out| csv::skills(out, cards, lang))?;
    folder.write("rules.csv", |out| csv::rules(out, pack, aggregate, lang))?;
    folder.write("metrics.csv", |out| service::metrics(out, aggregate, lang))?;
    folder.write("topics.csv", |out| service::topics(out, pack, aggregate, lang))?;
    folder.write("profiles.csv", |out| outcomes::profiles(out, pack, aggregate, lang))?;
    folder.write("outcomes.csv", |out| outcomes::outcomes(out, cards, aggregate, lang))?;
    folder.write("targets.csv", |out| targets::csv(out, &cards.targets, lang))?;
    folder.write("scorecards.json", |out| {
        serde_json::to_writer_pretty(&mut *out, cards)?;
        writeln!(out)
    })?;
    for agent in &cards.agents {
        let text = coaching::report(pack, aggregate, cards, agent, lang);
        let name = format!("coaching/{}.md", names::file_stem(&agent.id));
        folder.write(&name, |out| out.write_all(text.as_bytes()))?;
    }
    Ok(())
}
