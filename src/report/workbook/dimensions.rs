//! 维度: everyone, teams and agents by dimension, as a heat map with the numbers in it.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::style::{Kind, heat};
use super::table::{Column, Table, column};
use super::text::Cell;
use super::{Page, Sheet};
use crate::report::figures::Figures;
use crate::report::words::pick;

fn columns(page: &Page<'_>) -> Vec<Column> {
    let lang = page.night.lang;
    let c = |kind, title, about| column(lang, kind, title, about);
    let mut out = vec![
        c(Kind::Text, ("范围", "Scope"), ("全部、团队或客服。", "Everyone, a team, or an agent.")),
        c(Kind::Text, ("ID", "Id"), ("客服编号或团队名。", "The agent's id or the team's name.")),
        c(Kind::Text, ("姓名", "Name"), ("客服姓名。", "The agent's name.")),
        c(Kind::Text, ("团队", "Team"), ("所在团队。", "The team.")),
        c(Kind::Count, ("会话数", "Conversations"), ("评判过的会话通数(n)。", "Conversations judged (n).")),
        c(
            Kind::Text,
            ("样本", "Sample"),
            ("会话数是否够比较;不足的整行灰色。", "Whether there are enough conversations to compare."),
        ),
    ];
    let definitions = &page.night.pack.scorecard.dimensions;
    for dimension in definitions {
        let title = pick(lang, &dimension.title, &dimension.title_en);
        out.push(Column {
            title: title.to_string(),
            kind: Kind::Share,
            about: match page.zh() {
                true => format!("{}得分率 = 1 − 扣掉的分 ÷ (权重 {} × 适用会话数)。没有适用的会话不进分母。{}", title, dimension.weight, dimension.about),
                false => format!("Share of the dimension's points kept: 1 − points lost ÷ (weight {} × conversations in which it applied).", dimension.weight),
            },
            widest: 16,
        });
    }
    for dimension in definitions {
        let title = pick(lang, &dimension.title, &dimension.title_en);
        out.push(Column {
            title: format!("{title} n"),
            kind: Kind::Count,
            about: match page.zh() {
                true => format!("{title}适用的会话通数,即左边得分率的样本。"),
                false => format!("Conversations in which {title} applied: the cases behind its share."),
            },
            widest: 12,
        });
    }
    out
}

/// Writes the sheet.
pub(super) fn sheet(book: &mut Workbook, page: &Page<'_>) -> Result<Sheet, XlsxError> {
    let columns = columns(page);
    let mut table = Table::new(book, page, page.names.dimensions, columns.clone(), None)?;
    let cards = page.night.cards;
    table.row(false, row(page, page.say("全部", "all"), &cards.all))?;
    for team in &cards.teams {
        table.row(!team.enough, row(page, page.say("团队", "team"), team))?;
    }
    for agent in &cards.agents {
        table.row(!agent.enough, row(page, page.say("客服", "agent"), agent))?;
    }
    for number in 0..page.night.pack.scorecard.dimensions.len() {
        table.format_column(6 + number, &heat())?;
    }
    Ok(Sheet { sheet: table.finish(3)?, columns })
}

fn row<'c>(page: &Page<'_>, scope: &'c str, figures: &Figures) -> Vec<Cell<'c>> {
    let lang = page.night.lang;
    let foreign = |text: Option<&str>| Cell::foreign(lang, text.unwrap_or_default());
    let sample = if figures.enough { page.say("足够", "enough") } else { page.say("样本不足", "too few") };
    let mut cells = vec![
        Cell::text(scope),
        foreign(Some(&figures.id)),
        foreign(figures.name.as_deref()),
        foreign(figures.team.as_deref()),
        Cell::count(figures.conversations),
        Cell::text(sample.to_string()),
    ];
    // Rounded: a share read back is the one written elsewhere.
    let share = |kept: f64| (kept * 1e6).round() / 1e8;
    cells.extend(figures.dimensions.iter().map(|d| Cell::number(d.kept.map(share))));
    cells.extend(figures.dimensions.iter().map(|d| Cell::count(d.applicable)));
    cells
}
