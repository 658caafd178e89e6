//! 指标口径: every column of every sheet with its unit and definition, and how the figures are to be read.

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::Page;
use super::style::Kind;
use super::table::{Column, Table, column};
use super::text::Cell;

/// Rows that explain the workbook as a whole.
fn general(page: &Page<'_>) -> Vec<(&'static str, String)> {
    let card = &page.night.pack.scorecard;
    let (pack, version, hash) = (&page.night.pack.title, &page.night.pack.version, &page.night.pack.hash);
    let hash = hash.get(..12).unwrap_or(hash);
    let mark = card.pass_mark as f64 / 1000.0;
    match page.zh() {
        true => vec![
            ("规则包", format!("{pack},版本 {version},指纹 {hash}。不同版本之间的数字不能直接比。")),
            ("得分", "每通会话从 100 分起扣,一个维度最多扣到它的权重,没有适用规则的维度不进分母;有一票否决则得 0 分,否决前的分另列。".into()),
            ("样本 n", "一通会话有几位客服就分几段各自评判,所以坐席的样本之和可能多于会话数。".into()),
            ("合格", format!("得分不低于 {mark} 分。")),
            ("区间", "95% 区间:比率用 Wilson 区间,平均值用 t 区间。两个数的区间不重叠,才说得上有高低。".into()),
            ("样本不足", format!("会话少于 {} 通,整行灰色,不排名。", card.min_sample)),
            ("目标状态", "区间整个在目标的一侧才算“达成”或“未达成”;区间里含着目标的是“样本不足以断定”。".into()),
            ("待复核", "程序拿不准的(语音识别不可靠、角色疑似颠倒、规则只供复核)不扣分,单列。".into()),
            ("隐私", "电话、证件、银行卡、邮箱、地址在写出之前已经遮盖(除非运行时用 --pii keep)。".into()),
        ],
        false => vec![
            ("Rule pack", format!("{pack}, version {version}, hash {hash}. Figures under different versions do not compare.")),
            ("Score", "Every conversation starts at 100; a dimension loses at most its weight; one with nothing applicable leaves the denominator; a critical finding sets the score to 0, the raw score stays beside it.".into()),
            ("Cases n", "A conversation of several agents is judged for each of them, so that agents' cases may sum to more than conversations.".into()),
            ("Pass", format!("A score of at least {mark}.")),
            ("Interval", "95 %: Wilson for rates, t for means. Two figures differ only where their intervals do not overlap.".into()),
            ("Too few", format!("Fewer than {} conversations: grey, and no rank.", card.min_sample)),
            ("Target status", "Met or missed only where the whole interval lies on one side of the target.".into()),
            ("For review", "Findings the program is unsure of cost nothing and are counted apart.".into()),
            ("Privacy", "Phone, id, bank card, e-mail and address are masked before anything is written, unless --pii keep.".into()),
        ],
    }
}

/// Writes the sheet.
pub(super) fn sheet(
    book: &mut Workbook,
    page: &Page<'_>,
    explained: &[(&str, &[Column])],
) -> Result<Worksheet, XlsxError> {
    let lang = page.night.lang;
    let c = |kind, title, about| column(lang, kind, title, about);
    let mut columns = vec![
        c(Kind::Text, ("工作表", "Sheet"), ("在哪张表。", "Where the column stands.")),
        c(Kind::Text, ("列", "Column"), ("列名。", "The column.")),
        c(Kind::Text, ("单位", "Unit"), ("单元格里的数用什么单位。", "What the cell's number is counted in.")),
        c(Kind::Wrap, ("口径", "Definition"), ("怎么算、从哪里来。", "What it means and how it is derived.")),
    ];
    columns[3].widest = 100;
    let mut table = Table::new(book, page, page.names.glossary, columns, None)?;
    let whole = page.say("全部", "all");
    for (title, about) in general(page) {
        table.row(false, [Cell::text(whole), Cell::text(title), Cell::Empty, Cell::text(about)])?;
    }
    for (sheet, columns) in explained {
        for column in *columns {
            let unit = column.kind.unit(page.zh());
            let cells = [Cell::text(*sheet), Cell::text(&column.title), Cell::text(unit), Cell::text(&column.about)];
            table.row(false, cells)?;
        }
    }
    table.finish(0)
}
