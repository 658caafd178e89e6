//! Writing a review sheet.

use std::io::{Seek, Write};

use rust_xlsxwriter::{
    Color, ConditionalFormatFormula, DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties,
    ExcelDateTime, Format, FormatAlign, FormatBorder, FormatUnderline, Formula, ProtectionOptions, Url, Workbook,
    Worksheet, XlsxError,
};

use super::{HELP, MAGIC, MAIN, META, RULES};
use crate::error::{Error, Result};
use crate::review::Round;
use crate::review::sheet::{
    COLUMNS, COMMENT, DONE, KEY, LINK, MISSED, RULE, Row, RowKind, Sheet, Side, TURN, VERDICT, open,
};

const ACCENT: Color = Color::RGB(0x1F4E79);
const LINE: Color = Color::RGB(0xD9D9D9);
const OPEN: Color = Color::RGB(0xFFF9E5);
const AGENT: Color = Color::RGB(0xEAF2FA);

fn base() -> Format {
    Format::new()
        .set_font_name("Microsoft YaHei")
        .set_font_size(10)
        .set_align(FormatAlign::Top)
        .set_text_wrap()
        .set_border_bottom(FormatBorder::Thin)
        .set_border_bottom_color(LINE)
}

/// Writes a sheet as a workbook; the same sheet gives the same bytes.
///
/// # Errors
/// When `out` takes no more.
pub fn write<W: Write + Seek + Send>(out: &mut W, sheet: &Sheet) -> Result<()> {
    book(sheet)
        .and_then(|mut book| book.save_to_writer(out))
        .map_err(|e| Error::write(format!("{}.xlsx", sheet.id), std::io::Error::other(e)))
}

fn book(sheet: &Sheet) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let properties = DocProperties::new().set_title(format!("复核 {}", sheet.sample)).set_author("zhijian");
    book.set_properties(&properties.set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    book.push_worksheet(help(sheet)?);
    let mut main = main(sheet)?;
    main.set_active(true);
    book.push_worksheet(main);
    book.push_worksheet(rules(sheet)?);
    let mut meta = Worksheet::new();
    meta.set_name(META)?.set_very_hidden(true).protect();
    meta.write(0, 0, MAGIC)?.write(1, 0, &sheet.id)?.write(2, 0, &sheet.sample)?.write(3, 0, &sheet.reviewer)?;
    book.push_worksheet(meta);
    Ok(book)
}

fn help(sheet: &Sheet) -> Result<Worksheet, XlsxError> {
    let mut page = Worksheet::new();
    page.set_name(HELP)?.set_screen_gridlines(false).set_paper_size(9).set_print_fit_to_pages(1, 0).protect();
    page.set_column_width(0, 4)?.set_column_width(1, 96)?;
    let title = Format::new().set_font_name("Microsoft YaHei").set_font_size(16).set_bold().set_font_color(ACCENT);
    let text = Format::new().set_font_name("Microsoft YaHei").set_font_size(11).set_text_wrap();
    let round = sheet.round.title();
    page.write_with_format(0, 1, format!("{round} · {} · {}", sheet.sample, sheet.reviewer), &title)?;
    let findings: usize = sheet.cases.iter().map(|c| c.findings.len()).sum();
    let chosen: Vec<&str> = sheet.verdicts().iter().map(|v| v.0).collect();
    let mut lines = vec![format!("{} 这一晚,共 {} 通、{findings} 处要看。", sheet.night, sheet.cases.len())];
    lines.extend(
        match sheet.round {
            Round::First | Round::Second => vec![
                "在“复核”页从上往下读:客户的话靠左,这位客服的话有浅蓝底;⚑ 是机器的发现,紧跟在它所指的那条消息下面。",
                "每个 ⚑ 在“判断”里选:确认 = 确实如此;误判 = 不该算。误判请在备注里写一句为什么,以后改规则靠它。",
                "机器没看出来的问题写在这一通末尾的“漏判”行:选“漏判”、选规则、填在第几条。",
                "一通看完、⚑ 都判了,在“看完”那一行选“看完”;没有任何问题的也要选。没选的这一通不会导入,可以分几次做。",
                "请按自己的看法独立判断,不要互相商量;有不同意见会有人仲裁。",
            ],
            Round::Adjudicate => vec![
                "这里只有大家意见不一的地方,每个人怎么说的写在发现里。",
                "在“判断”里选:确认 = 问题成立;误判 = 不成立。你的判断就是最后的结论。",
                "一通判完,在“看完”那一行选“看完”。",
            ],
            Round::Agent => vec![
                "这里是你的会话里机器的发现。认为不对的,在“判断”里选“申诉”,并在备注里写明理由。",
                "没有意见的空着就好。交上去以后由主管裁定。",
            ],
            Round::Appeal => vec![
                "这里是客服的申诉,理由写在发现里。",
                "在“判断”里选:维持 = 问题成立;改判 = 不成立,撤销扣分。两种都要在备注里写明理由,客服会看到。",
                "一通判完,在“看完”那一行选“看完”。",
            ],
        }
        .into_iter()
        .map(str::to_string),
    );
    lines.push(format!("能填的格子是浅黄色的(判断只能选 {}),其余受保护,不要插入、删除、排序行。", chosen.join("、")));
    lines.push("“规则”页是每条规则的名称,“网页”列(如果有)可以打开网页报告里的这通会话。".into());
    lines.push("填好后保存(仍为 .xlsx),交给管理员运行: zhijian review import 这个文件 --store 历史库".into());
    for (n, line) in lines.iter().enumerate() {
        let row = n as u32 + 2;
        page.write_with_format(row, 0, n as u32 + 1, &text)?.write_with_format(row, 1, line, &text)?;
    }
    Ok(page)
}

fn rules(sheet: &Sheet) -> Result<Worksheet, XlsxError> {
    let mut page = Worksheet::new();
    page.set_name(RULES)?.protect();
    page.set_column_width(0, 60)?;
    page.write_with_format(0, 0, "规则", &header())?;
    for (n, rule) in sheet.rules.iter().enumerate() {
        page.write_with_format(n as u32 + 1, 0, Sheet::rule_choice(rule), &base())?;
    }
    Ok(page)
}

fn header() -> Format {
    base().set_bold().set_font_color(Color::White).set_background_color(ACCENT).set_align(FormatAlign::VerticalCenter)
}

/// How the cells of a row look.
struct Looks {
    text: Format,
    small: Format,
    open: Format,
    number: Format,
    closed: Format,
}

fn looks(kind: RowKind) -> Looks {
    let base = match kind {
        RowKind::Case => {
            base().set_bold().set_background_color(Color::RGB(0xDDE6EF)).set_border_top(FormatBorder::Medium)
        }
        RowKind::Turn(Side::Agent) => base().set_background_color(AGENT),
        RowKind::Turn(_) => base(),
        RowKind::Finding => base().set_font_color(Color::RGB(0x9C3A00)).set_italic(),
        RowKind::Missed | RowKind::Done => base().set_font_color(Color::RGB(0x6B6B6B)),
    };
    let text = match kind {
        RowKind::Turn(Side::Agent) => base.clone().set_align(FormatAlign::Left).set_indent(6),
        RowKind::Turn(Side::Other) => {
            base.clone().set_align(FormatAlign::Left).set_indent(3).set_font_color(Color::RGB(0x6B6B6B))
        }
        RowKind::Finding => base.clone().set_align(FormatAlign::Left).set_indent(2),
        _ => base.clone(),
    };
    let small = base.clone().set_align(FormatAlign::Left);
    let field = self::base()
        .set_unlocked()
        .set_background_color(OPEN)
        .set_border(FormatBorder::Thin)
        .set_border_color(Color::RGB(0xBFBFBF))
        .set_num_format("@");
    Looks { text, small, number: field.clone().set_num_format("0"), open: field, closed: base }
}

fn main(sheet: &Sheet) -> Result<Worksheet, XlsxError> {
    let mut page = Worksheet::new();
    page.set_name(MAIN)?.set_freeze_panes(1, 0)?.set_zoom(110).set_landscape().set_paper_size(9);
    page.set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (column, (title, width)) in COLUMNS.iter().enumerate() {
        page.set_column_width(column as u16, *width)?;
        page.write_with_format(0, column as u16, *title, &header())?;
    }
    page.set_row_height(0, 24)?;
    page.set_column_hidden(KEY as u16)?;
    if sheet.cases.iter().all(|c| c.link.is_none()) {
        page.set_column_hidden(LINK as u16)?;
    }
    if !sheet.takes_missed() {
        page.set_column_hidden(RULE as u16)?.set_column_hidden(TURN as u16)?;
    }
    let rows = sheet.rows();
    let kinds = [
        RowKind::Case,
        RowKind::Turn(Side::Agent),
        RowKind::Turn(Side::Customer),
        RowKind::Turn(Side::Other),
        RowKind::Finding,
        RowKind::Missed,
        RowKind::Done,
    ];
    let looks: Vec<(RowKind, Looks)> = kinds.into_iter().map(|k| (k, looks(k))).collect();
    for (at, row) in rows.iter().enumerate() {
        let Some((_, looks)) = looks.iter().find(|l| l.0 == row.kind) else { continue };
        line(&mut page, sheet, row, at as u32 + 1, looks)?;
    }
    validations(&mut page, sheet, &rows)?;
    // A verdict still to be made stands out; a finished case steps back.
    let last = rows.len() as u32;
    let todo = Format::new().set_background_color(Color::RGB(0xFFE699));
    let rule = ConditionalFormatFormula::new().set_rule("=AND(LEFT($A2,1)=\"⚑\",$E2=\"\")").set_format(todo);
    page.add_conditional_format(1, VERDICT as u16, last, VERDICT as u16, &rule)?;
    let done = Format::new().set_font_color(Color::RGB(0x3F7A3F));
    let rule = ConditionalFormatFormula::new().set_rule(format!("=$E2=\"{DONE}\"").as_str()).set_format(done);
    page.add_conditional_format(1, 0, last, COMMENT as u16, &rule)?;
    page.protect_with_options(&ProtectionOptions { format_columns: true, format_rows: true, ..Default::default() });
    Ok(page)
}

fn line(page: &mut Worksheet, sheet: &Sheet, row: &Row, at: u32, looks: &Looks) -> Result<(), XlsxError> {
    for (column, text) in row.cells.iter().enumerate() {
        let format = if column == 3 { &looks.text } else { &looks.small };
        page.write_string_with_format(at, column as u16, text, format)?;
    }
    for column in VERDICT..=LINK {
        let format = match open(row.kind).contains(&column) {
            true if column == TURN => &looks.number,
            true => &looks.open,
            false => &looks.closed,
        };
        page.write_blank(at, column as u16, format)?;
    }
    let case = &sheet.cases[row.place.0];
    let target = match row.kind {
        RowKind::Case => case.link.clone(),
        RowKind::Finding => {
            let key = &case.findings[row.place.1].key;
            case.link.as_ref().map(|l| format!("{l}#{}-{}", key.rule, key.turn + 1))
        }
        _ => None,
    };
    if let Some(target) = target {
        let link = looks.closed.clone().set_font_color(ACCENT).set_underline(FormatUnderline::Single);
        let url = Url::new(format!("file:///{target}")).set_text("打开");
        page.write_url_with_format(at, LINK as u16, url, &link)?;
    }
    page.write_string(at, KEY as u16, &row.key)?;
    let wide = |text: &str, per_line: usize| {
        let lines = text.split('\n').map(|l| {
            let width: usize = l.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
            width.div_ceil(per_line).max(1)
        });
        lines.sum::<usize>()
    };
    let lines = wide(&row.cells[3], 64).max(wide(&row.cells[2], 18));
    page.set_row_height(at, (lines as f64 * 15.0 + 4.0).clamp(19.0, 400.0))?;
    Ok(())
}

fn validations(page: &mut Worksheet, sheet: &Sheet, rows: &[Row]) -> Result<(), XlsxError> {
    let verdicts: Vec<&str> = sheet.verdicts().iter().map(|v| v.0).collect();
    let list = |choices: &[&str], prompt: &str| -> Result<DataValidation, XlsxError> {
        DataValidation::new()
            .allow_list_strings(choices)?
            .set_error_style(DataValidationErrorStyle::Stop)
            .set_error_title("不能这样填")?
            .set_error_message(format!("只能选: {}", choices.join("、")))?
            .set_input_title("判断")?
            .set_input_message(prompt)
    };
    let prompt = match sheet.round {
        Round::Agent => "认为不对就选“申诉”,并在备注写明理由",
        Round::Appeal => "维持 = 成立;改判 = 不成立。都要写理由",
        _ => "确认 = 确实如此;误判 = 不该算",
    };
    let verdict = list(&verdicts, prompt)?;
    let missed = list(&[MISSED], "机器没发现的问题才选")?;
    let done = list(&[DONE], "整通看完、都判了再选")?;
    let range = format!("={RULES}!$A$2:$A${}", sheet.rules.len() + 1);
    let rule = DataValidation::new()
        .allow_list_formula(Formula::new(range))
        .set_error_title("没有这条规则")?
        .set_error_message("请从下拉里选;“规则”页有全部名称")?;
    let comment_length = DataValidation::new()
        .allow_text_length(DataValidationRule::LessThanOrEqualTo(500))
        .set_error_title("太长了")?
        .set_error_message("备注最多 500 个字")?;
    for (at, row) in rows.iter().enumerate() {
        let at = at as u32 + 1;
        let own = match row.kind {
            RowKind::Case | RowKind::Turn(_) => continue,
            RowKind::Finding => &verdict,
            RowKind::Missed => &missed,
            RowKind::Done => &done,
        };
        page.add_data_validation(at, VERDICT as u16, at, VERDICT as u16, own)?;
        page.add_data_validation(at, COMMENT as u16, at, COMMENT as u16, &comment_length)?;
        if row.kind == RowKind::Missed {
            page.add_data_validation(at, RULE as u16, at, RULE as u16, &rule)?;
            let most = sheet.cases[row.place.0].turns.len() as i32;
            let turn = DataValidation::new()
                .allow_whole_number(DataValidationRule::Between(1, most.max(1)))
                .set_error_title("不是消息的序号")?
                .set_error_message(format!("填 1 到 {most} 之间的整数(B 列的序号)"))?;
            page.add_data_validation(at, TURN as u16, at, TURN as u16, &turn)?;
        }
    }
    Ok(())
}
