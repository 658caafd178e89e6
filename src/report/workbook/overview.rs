//! 总览: the night in one sentence, the key figures with interval, cases and target, what needs action, and the charts.

use rust_xlsxwriter::{Chart, Worksheet, XlsxError};

use super::style::{Kind, shade};
use super::table::printable;
use super::text::{Cell, could_be_formula, width};
use super::{Page, day};
use crate::report::summary::{Item, KeyFigure, Measured, Summary};
use crate::report::targets::Status;
use crate::report::words::{one_line, pick};

/// Last column of what is read and printed; the charts' tables stand to the right of it.
const LAST: u16 = 8;
/// First column of the charts' tables.
pub(super) const DATA: u16 = 11;
/// Rows a chart covers.
const CHART_ROWS: u32 = 18;

/// The sheet being written.
pub(super) struct Overview<'o> {
    pub page: &'o Page<'o>,
    pub sheet: Worksheet,
    /// The row of words written next.
    pub row: u32,
    /// The row of charts' tables written next.
    pub data: u32,
    pub charts: Vec<Chart>,
}

/// Writes the sheet; `words` say what other sheets leave out.
pub(super) fn sheet(page: &Page<'_>, words: &[String]) -> Result<Worksheet, XlsxError> {
    let summary = Summary::new(page.night);
    let mut sheet = Worksheet::new();
    sheet.set_name(page.names.overview)?;
    let mut overview = Overview { page, sheet, row: 0, data: 4, charts: Vec::new() };
    overview.head(&summary)?;
    overview.figures(&summary.figures)?;
    overview.list(
        page.say("需要处理", "Needs action"),
        &summary.attention,
        page.say("没有需要马上处理的事。", "Nothing."),
    )?;
    overview.list(
        page.say("好消息", "Good news"),
        &summary.good,
        page.say("没有能确定的好转。", "Nothing beyond chance."),
    )?;
    overview.contents(words)?;
    overview.chart_tables()?;
    overview.finish()
}

impl Overview<'_> {
    /// A cell of the first sheet.
    pub fn put(&mut self, row: u32, column: u16, kind: Kind, cell: Cell<'_>) -> Result<(), XlsxError> {
        let styles = self.page.styles;
        match cell {
            Cell::Empty => {}
            Cell::Text(text) => {
                let format = styles.cell(kind, false, could_be_formula(&text));
                self.sheet.write_string_with_format(row, column, text.as_ref(), format)?;
            }
            Cell::Number(value) => {
                self.sheet.write_number_with_format(row, column, value, styles.cell(kind, false, false))?;
            }
            Cell::Formula(formula) => {
                self.sheet.write_formula_with_format(row, column, formula, styles.cell(kind, false, false))?;
            }
            Cell::Date(date) => {
                self.sheet.write_datetime_with_format(row, column, &date, styles.cell(kind, false, false))?;
            }
        }
        Ok(())
    }

    /// A sentence over the whole width, as high as it needs.
    fn sentence(&mut self, text: &str, small: bool) -> Result<(), XlsxError> {
        let styles = self.page.styles;
        let format = if small { &styles.small } else { &styles.sentence };
        let lines = width(text).div_ceil(if small { 132 } else { 112 }).max(1);
        self.sheet.merge_range(self.row, 0, self.row, LAST, text, format)?;
        self.sheet.set_row_height(self.row, lines as f64 * 17.0 + 3.0)?;
        self.row += 1;
        Ok(())
    }

    fn heading(&mut self, text: &str) -> Result<(), XlsxError> {
        self.row += 1;
        self.sheet.write_string_with_format(self.row, 0, text, &self.page.styles.heading)?;
        self.sheet.set_row_height(self.row, 22)?;
        self.row += 1;
        Ok(())
    }

    fn head(&mut self, summary: &Summary) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(0, 0, &summary.title, &self.page.styles.title)?;
        self.sheet.set_row_height(0, 32)?;
        self.row = 1;
        self.sentence(&summary.sentence, false)?;
        let pack = self.page.night.pack;
        let version = pack.version.as_str();
        let text = match self.page.zh() {
            true => format!(
                "规则包 {},版本 {version}。括号里和区间列都是 95% 区间;每列怎么算见“{}”。",
                pack.title, self.page.names.glossary
            ),
            false => format!(
                "Rule pack {}, version {version}. Intervals are 95 %; every column is explained in “{}”.",
                pack.title, self.page.names.glossary
            ),
        };
        self.sentence(&one_line(self.page.night.lang, &text, 400), true)?;
        if let Some(date) = day(&self.page.night.label) {
            self.put(self.row, 0, Kind::Text, Cell::text(self.page.say("日期", "Date").to_string()))?;
            self.put(self.row, 1, Kind::Date, Cell::Date(date))?;
            self.row += 1;
        }
        Ok(())
    }

    fn figures(&mut self, figures: &[KeyFigure]) -> Result<(), XlsxError> {
        self.heading(self.page.say("关键指标", "Key figures"))?;
        let titles = match self.page.zh() {
            true => ["指标", "数值", "95%下限", "95%上限", "样本 n", "目标", "状态", "较上期", "变化"],
            false => {
                ["Figure", "Value", "95% low", "95% high", "Cases n", "Target", "Status", "Change", "Beyond chance"]
            }
        };
        // Without a period before there is no change to show.
        let titles = &titles[..if figures.iter().any(|f| f.change.is_some()) { 9 } else { 7 }];
        for (column, title) in titles.iter().enumerate() {
            self.sheet.write_string_with_format(self.row, column as u16, *title, &self.page.styles.header)?;
        }
        self.sheet.set_row_height(self.row, 24)?;
        let first = self.row + 1;
        for figure in figures {
            self.row += 1;
            self.figure(figure)?;
        }
        let last = self.row;
        for (mark, fill, font) in [("✗", 0xF8CBAD, 0x833C0B), ("✓", 0xDDEBF7, 0x1F4E79), ("◐", 0xEDEDED, 0x595959)]
        {
            self.sheet.add_conditional_format(first, 6, last, 6, &shade(mark, fill, font, mark == "✗"))?;
        }
        self.row += 1;
        Ok(())
    }

    fn figure(&mut self, figure: &KeyFigure) -> Result<(), XlsxError> {
        let kind = match figure.unit {
            Measured::Share => Kind::Share,
            Measured::Points => Kind::Points,
            Measured::Seconds => Kind::Seconds,
            Measured::Count => Kind::Count,
        };
        let unit = match figure.unit {
            Measured::Points => self.page.say("(分)", " (points)"),
            Measured::Seconds => self.page.say("(秒)", " (s)"),
            Measured::Share | Measured::Count => "",
        };
        let row = self.row;
        self.put(row, 0, Kind::Text, Cell::text(format!("{}{unit}", figure.title)))?;
        self.put(row, 1, kind, Cell::Number(figure.value))?;
        self.put(row, 2, kind, Cell::number(figure.interval.map(|i| i.0)))?;
        self.put(row, 3, kind, Cell::number(figure.interval.map(|i| i.1)))?;
        self.put(row, 4, Kind::Count, Cell::number(figure.n.map(|n| n as f64)))?;
        self.put(row, 5, Kind::Text, Cell::text(figure.wanted()))?;
        let lang = self.page.night.lang;
        let status = figure.status.map(|status| {
            let mark = match status {
                Status::Met => "✓",
                Status::Missed => "✗",
                Status::Undecided => "◐",
                Status::NotAvailable => "–",
            };
            format!("{mark} {}", pick(lang, status.title(), status.id()))
        });
        self.put(row, 6, Kind::Text, Cell::text(status.unwrap_or_default()))?;
        if let Some((difference, clear)) = figure.change {
            self.put(row, 7, kind, Cell::Number(difference))?;
            let beyond = if clear { self.page.say("超出误差", "yes") } else { self.page.say("在误差内", "no") };
            self.put(row, 8, Kind::Text, Cell::text(beyond.to_string()))?;
        }
        Ok(())
    }

    fn list(&mut self, title: &str, items: &[Item], none: &str) -> Result<(), XlsxError> {
        self.heading(title)?;
        for item in items {
            self.sentence(&format!("• {}", item.text), false)?;
        }
        if items.is_empty() {
            self.sentence(none, true)?;
        }
        Ok(())
    }

    /// What is in the other sheets, with links, and what is not.
    fn contents(&mut self, words: &[String]) -> Result<(), XlsxError> {
        self.heading(self.page.say("这个工作簿里", "In this workbook"))?;
        let names = &self.page.names;
        for (name, zh, en) in [
            (names.agents, "一名客服一行:得分、合格率和区间、响应、评分", "a row an agent"),
            (
                names.dimensions,
                "全部、团队、客服在各维度的得分率(热力图)",
                "everyone, teams and agents by dimension (heat map)",
            ),
            (names.rules, "一条规则一行:该看几通、出现几通、扣多少", "a row a rule"),
            (names.findings, "一处问题一行:原话、原因、扣分,可跳到会话", "a row a finding, with its quote and reason"),
            (names.conversations, "一通会话一行:得分、诉求、是否解决、响应", "a row a conversation"),
            (names.glossary, "每一列怎么算、单位是什么", "what every column means"),
        ] {
            self.put(self.row, 0, Kind::Link, Cell::jump(name, 1, name))?;
            self.put(self.row, 1, Kind::Text, Cell::text(self.page.say(zh, en).to_string()))?;
            self.row += 1;
        }
        for word in words {
            self.sentence(word, true)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Worksheet, XlsxError> {
        self.row += 1;
        let mut row = self.row;
        for chart in &self.charts {
            self.sheet.insert_chart(row, 0, chart)?;
            row += CHART_ROWS;
        }
        for (column, width) in [30.0, 12.0, 11.0, 11.0, 10.0, 12.0, 20.0, 10.0, 12.0].iter().enumerate() {
            self.sheet.set_column_width(column as u16, *width)?;
        }
        self.sheet.set_column_width(DATA, 20)?;
        self.sheet.set_column_range_width(DATA + 1, DATA + 4, 12)?;
        self.sheet.set_screen_gridlines(false);
        printable(&mut self.sheet, 1);
        // Words on the first page, charts on the second.
        self.sheet.set_page_breaks(&[self.row])?;
        self.sheet.set_portrait().set_print_area(0, 0, row, LAST)?;
        self.sheet.set_active(true);
        Ok(self.sheet)
    }
}
