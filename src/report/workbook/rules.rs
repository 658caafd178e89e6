//! 规则: a row a rule, also those without a case, as in `rules.csv`, with what to train and where it comes from.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::style::{Kind, bars, shade};
use super::table::{Column, Table, column};
use super::text::Cell;
use super::{Page, Sheet};
use crate::judge::Lang;
use crate::pack::rule::Severity;
use crate::report::figures::rule_figure;
use crate::report::words::{error_class, pick, sample, severity};
use crate::review::agreement::Estimate;

fn columns(lang: Lang, reviewed: bool) -> Vec<Column> {
    let c = |kind, title, about| column(lang, kind, title, about);
    use Kind::*;
    let mut columns = vec![
        c(Text, ("规则", "Rule"), ("规则编号,与规则包里的文件同名。", "The rule's id, as its file is named.")),
        c(Text, ("标题", "Title"), ("规则说的事。", "What it is about.")),
        c(Text, ("维度", "Dimension"), ("扣分计入的维度。", "The dimension its points count in.")),
        c(
            Text,
            ("级别", "Severity"),
            ("提示、轻微、严重、一票否决(得分置零)。", "note, minor, major, critical (sets the score to 0)."),
        ),
        c(Text, ("差错类别", "Error class"), ("客户、业务、合规关键或非关键(COPC)。", "COPC class.")),
        c(Points, ("单次分值", "Points each"), ("一处的分值,负数为扣分。", "Points of one finding; negative costs.")),
        c(
            Count,
            ("适用会话", "Applicable"),
            ("规则到期该看的会话通数,即命中率的样本。", "Conversations in which it was due."),
        ),
        c(Count, ("命中会话", "Found"), ("至少有一处的会话通数。", "Conversations with a finding.")),
        c(Share, ("命中率", "Rate"), ("命中会话 ÷ 适用会话。", "Found ÷ applicable.")),
        c(Share, ("命中率下限", "Rate low"), ("95% Wilson 区间的下限。", "Lower end of the 95 % Wilson interval.")),
        c(Share, ("命中率上限", "Rate high"), ("95% Wilson 区间的上限。", "Upper end of the 95 % Wilson interval.")),
        c(
            Count,
            ("违规条数", "Findings"),
            ("扣分(或加分)的处数,不含待复核。", "Findings, without those left to review."),
        ),
        c(
            Count,
            ("待复核", "For review"),
            ("拿不准、不扣分、等人看的处数。", "Findings left to a person; they cost nothing."),
        ),
        c(Points, ("总分值", "Points"), ("合计分值,负数为扣分;一票否决的后果是整通 0 分,不在这里。", "Points in all.")),
        c(Count, ("涉及客服", "Agents"), ("有这条的客服人数。", "Agents with a finding.")),
        c(Text, ("技能", "Skill"), ("要练的技能。", "The skill to train.")),
        c(Text, ("培训模块", "Module"), ("对应的培训模块。", "The training module.")),
        c(Wrap, ("依据", "Source"), ("法规、平台规则或做法。", "Law, platform rule or practice behind it.")),
    ];
    if reviewed {
        columns.extend([
            c(Count, ("复核条数", "Reviewed"), ("有人判过的处数,即复核精确率的样本。", "Findings people have judged.")),
            c(
                Share,
                ("复核精确率", "Precision"),
                (
                    "有人判过的处里判对的比例;抽样复核的按所代表的通数加权。",
                    "Share of them that are right, weighted by what each stands for.",
                ),
            ),
            c(
                Share,
                ("精确率下限", "Precision low"),
                ("95% Wilson 区间的下限。", "Lower end of the 95 % Wilson interval."),
            ),
            c(
                Share,
                ("精确率上限", "Precision high"),
                ("95% Wilson 区间的上限。", "Upper end of the 95 % Wilson interval."),
            ),
            c(
                Text,
                ("复核样本", "Sample"),
                (
                    "来自哪种抽样;定向抽样和申诉不能推及整晚。",
                    "The kind of sample; targeted ones and appeals do not tell of the whole night.",
                ),
            ),
        ]);
    }
    columns
}

/// Writes the sheet.
pub(super) fn sheet(book: &mut Workbook, page: &Page<'_>) -> Result<Sheet, XlsxError> {
    let lang = page.night.lang;
    let (pack, aggregate) = (page.night.pack, page.night.aggregate);
    // Only where a rule has been reviewed, as in `rules.csv`.
    let reviewed = page.night.reviewed.filter(|r| !r.rules.is_empty());
    let columns = columns(lang, reviewed.is_some());
    let mut table = Table::new(book, page, page.names.rules, columns.clone(), None)?;
    for (number, rule) in pack.rules.iter().enumerate() {
        let count = aggregate.all.rules.get(&(number as u32)).cloned().unwrap_or_default();
        let rate = rule_figure(pack, number, &count).rate;
        let agents = aggregate.agents.values();
        let agents = agents.filter(|a| a.rules.get(&(number as u32)).is_some_and(|c| c.findings > 0)).count();
        let dimension = &pack.scorecard.dimensions[rule.dimension];
        let foreign = |text: &str| Cell::foreign(lang, text);
        let own = reviewed.and_then(|r| r.precision(&rule.id));
        let share = |v: fn(&Estimate) -> f64| Cell::number(own.as_ref().map(|(p, _)| v(p)));
        let precision = [
            own.map_or_else(|| Cell::number(None), |(p, _)| Cell::count(p.n)),
            share(|p| p.value),
            share(|p| p.low),
            share(|p| p.high),
            Cell::text(own.map_or("", |(_, kind)| sample(lang, kind))),
        ];
        let cells = [
            foreign(&rule.id),
            foreign(&rule.title),
            foreign(pick(lang, &dimension.title, &dimension.title_en)),
            Cell::text(severity(lang, rule.severity)),
            Cell::text(error_class(lang, rule.error_class)),
            Cell::Number(rule.points as f64 / 1000.0),
            Cell::count(count.applicable),
            Cell::count(count.found),
            Cell::number(rate.as_ref().map(|r| r.value)),
            Cell::number(rate.as_ref().map(|r| r.low)),
            Cell::number(rate.as_ref().map(|r| r.high)),
            Cell::count(count.findings),
            Cell::count(count.review),
            Cell::Number(count.points as f64 / 1000.0),
            Cell::count(agents as u64),
            foreign(&rule.skill),
            foreign(&rule.module),
            foreign(&rule.source),
        ];
        let cells = cells.into_iter().chain(precision.into_iter().filter(|_| reviewed.is_some()));
        table.row(rule.off || count.applicable == 0, cells)?;
    }
    table.format_column(3, &shade(severity(lang, Severity::Critical), 0x833C0B, 0xFFFFFF, true))?;
    table.format_column(3, &shade(severity(lang, Severity::Major), 0xF8CBAD, 0x000000, false))?;
    table.format_column(8, &bars())?;
    table.format_column(11, &bars())?;
    Ok(Sheet { sheet: table.finish(2)?, columns })
}
