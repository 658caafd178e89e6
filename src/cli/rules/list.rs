//! `rules list`: the pack's rules and markers as tables.

use zhijian::error::Result;
use zhijian::pack::Pack;

use super::{Outcome, PackArgs};
use crate::cli::table::table;

pub fn run(args: &PackArgs) -> Result<Outcome> {
    let pack = Pack::load(&args.files()?)?;
    writeln_out!("{} {} ({})", pack.title, pack.version, pack.origin);
    let mut rules = table(&["规则", "标题", "维度", "级别", "分值", "技能"]);
    for rule in &pack.rules {
        rules.add_row([
            rule.id.clone(),
            rule.title.clone(),
            pack.scorecard.dimensions[rule.dimension].title.clone(),
            rule.severity.title().to_string(),
            zhijian::report::Points(rule.points).to_string(),
            rule.skill.clone(),
        ]);
    }
    writeln_out!("\n规则 {} 条\n{rules}", pack.rules.len());
    let mut markers = table(&["标记", "标题", "谁说的", "短语", "正则", "例子"]);
    for marker in &pack.markers {
        let phrases: usize = marker.blocks.iter().map(|b| b.phrases.len() + b.nears.len()).sum();
        let regexes: usize = marker.blocks.iter().map(|b| b.regexes.len()).sum();
        let side = match marker.role {
            Some(zhijian::conversation::Role::Agent) => "客服",
            Some(_) => "客户",
            None => "双方",
        };
        markers.add_row([
            marker.id.clone(),
            marker.title.clone(),
            side.to_string(),
            phrases.to_string(),
            regexes.to_string(),
            marker.examples.len().to_string(),
        ]);
    }
    writeln_out!("\n标记 {} 个\n{markers}", pack.markers.len());
    Ok(Outcome::Done)
}
