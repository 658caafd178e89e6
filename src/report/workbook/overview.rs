//! 总览: the night in one sentence, the key figures with interval, cases and target, what needs action, and the charts.

use rust_xlsxwriter::{Chart, Worksheet, XlsxError};

use super::charts::{Place, distribution, dots, pareto};
use super::style::{Kind, shade};
use super::table::printable;
use super::text::{Cell, could_be_formula, width};
use super::{Page, day};
use crate::report::figures::{Rate, effective_cost};
use crate::report::summary::{Item, KeyFigure, Measured, Summary, target};
use crate::report::targets::Status;
use crate::report::words::{one_line, pick};

/// Last column of what is read and printed; the charts' tables stand to the right of it.
const LAST: u16 = 8;
/// First column of the charts' tables.
const DATA: u16 = 11;
/// Agents and rules in a chart.
const AGENTS: usize = 40;
const RULES: usize = 12;
/// Rows a chart covers.
const CHART_ROWS: u32 = 18;

struct Overview<'o> {
    page: &'o Page<'o>,
    sheet: Worksheet,
    row: u32,
    data: u32,
    charts: Vec<Chart>,
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
    fn put(&mut self, row: u32, column: u16, kind: Kind, cell: Cell<'_>) -> Result<(), XlsxError> {
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

    /// A small table for a chart; returns where its body stands.
    fn table(
        &mut self,
        titles: &[&str],
        kinds: &[Kind],
        rows: &[Vec<Cell<'static>>],
    ) -> Result<Place<'static>, XlsxError> {
        for (offset, title) in titles.iter().enumerate() {
            self.sheet.write_string_with_format(self.data, DATA + offset as u16, *title, &self.page.styles.header)?;
        }
        let first = self.data + 1;
        for row in rows {
            self.data += 1;
            for (offset, (cell, kind)) in row.iter().zip(kinds).enumerate() {
                self.put(self.data, DATA + offset as u16, *kind, cell.clone())?;
            }
        }
        let place = Place { sheet: self.page.names.overview, first, last: self.data, column: DATA };
        self.data += 2;
        Ok(place)
    }

    fn chart_tables(&mut self) -> Result<(), XlsxError> {
        let heading = self.page.say("图表数据", "Data of the charts");
        self.sheet.write_string_with_format(3, DATA, heading, &self.page.styles.small)?;
        self.trend()?;
        self.agents()?;
        self.scores()?;
        self.rules()
    }

    fn interval(rate: &Rate) -> [Cell<'static>; 3] {
        [rate.value, rate.value - rate.low, rate.high - rate.value].map(Cell::Number)
    }

    fn agents(&mut self) -> Result<(), XlsxError> {
        let (page, lang) = (self.page, self.page.night.lang);
        let wanted = target(&page.night.cards.targets, "pass_rate").and_then(|t| t.min);
        let mut agents: Vec<_> =
            page.night.cards.agents.iter().filter_map(|a| Some((a, a.pass_rate.as_ref()?))).collect();
        let all = agents.len();
        if agents.iter().filter(|(a, _)| a.enough).count() > 1 {
            agents.retain(|(a, _)| a.enough);
        }
        let enough = agents.len();
        agents.sort_by(|a, b| a.1.value.total_cmp(&b.1.value).then(a.0.id.cmp(&b.0.id)));
        agents.truncate(AGENTS);
        if agents.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Cell<'static>>> = agents
            .iter()
            .map(|(agent, rate)| {
                let name = agent.name.as_deref().unwrap_or(&agent.id);
                let mut row = vec![Cell::text(one_line(lang, name, 12))];
                row.extend(Self::interval(rate));
                row.push(Cell::number(wanted));
                row
            })
            .collect();
        let titles = match page.zh() {
            true => ["客服", "合格率", "区间下段", "区间上段", "目标"],
            false => ["Agent", "Pass rate", "Below", "Above", "Target"],
        };
        let kinds = [Kind::Text, Kind::Share, Kind::Share, Kind::Share, Kind::Share];
        let place = self.table(&titles, &kinds, &rows)?;
        let shown = agents.len();
        let title = match (page.zh(), shown < enough, enough < all) {
            (true, true, _) => format!("合格率最低的 {shown} 名坐席(共 {all} 名),竖线是 95% 区间"),
            (true, false, true) => format!("样本足够的 {enough} 名坐席的合格率(共 {all} 名),竖线是 95% 区间"),
            (true, false, false) => format!("{all} 名坐席的合格率,竖线是 95% 区间"),
            (false, true, _) => format!("The {shown} lowest pass rates of {all} agents, with 95 % intervals"),
            (false, false, true) => {
                format!("Pass rates of the {enough} of {all} agents with enough conversations, 95 % intervals")
            }
            (false, false, false) => format!("Pass rates of {all} agents, with 95 % intervals"),
        };
        let about = page.say("每名坐席的合格率和区间,虚线是目标", "Pass rate by agent with interval and target");
        let series = (page.say("合格率", "Pass rate"), page.say("目标", "Target"));
        self.charts.push(dots(place, &title, about, series, wanted.is_some()));
        Ok(())
    }

    fn trend(&mut self) -> Result<(), XlsxError> {
        let (page, lang) = (self.page, self.page.night.lang);
        let Some(history) = page.night.history else { return Ok(()) };
        let wanted = target(&page.night.cards.targets, "pass_rate").and_then(|t| t.min);
        let rows: Vec<Vec<Cell<'static>>> = history
            .trend
            .iter()
            .filter_map(|period| {
                let rate = period.all.pass_rate.as_ref()?;
                // A change of rules is marked where it happened.
                let mark = if period.changed_rules { "*" } else { "" };
                let mut row = vec![Cell::text(format!("{}{mark}", one_line(lang, &period.label, 20)))];
                row.extend(Self::interval(rate));
                row.push(Cell::number(wanted));
                Some(row)
            })
            .collect();
        if rows.len() < 2 {
            return Ok(());
        }
        let titles = match page.zh() {
            true => ["时段", "合格率", "区间下段", "区间上段", "目标"],
            false => ["Period", "Pass rate", "Below", "Above", "Target"],
        };
        let kinds = [Kind::Text, Kind::Share, Kind::Share, Kind::Share, Kind::Share];
        let place = self.table(&titles, &kinds, &rows)?;
        let title = page.say("合格率走势(* 处规则有变,前后不能直接比)", "Pass rate over time (* rules changed)");
        let series = (page.say("合格率", "Pass rate"), page.say("目标", "Target"));
        self.charts.push(dots(place, title, title, series, wanted.is_some()));
        Ok(())
    }

    fn scores(&mut self) -> Result<(), XlsxError> {
        let page = self.page;
        let mut bands = [0u64; 20];
        for (score, n) in &page.night.aggregate.all.histogram {
            bands[usize::from(*score / 5).min(19)] += n;
        }
        let all: u64 = bands.iter().sum();
        if all == 0 {
            return Ok(());
        }
        let band = |number: usize| match number {
            19 => "95–100".to_string(),
            n => format!("{}–{}", n * 5, n * 5 + 4),
        };
        let rows: Vec<_> =
            bands.iter().enumerate().map(|(n, count)| vec![Cell::text(band(n)), Cell::count(*count)]).collect();
        let titles = [page.say("得分", "Score"), page.say("会话数", "Conversations")];
        let place = self.table(&titles, &[Kind::Text, Kind::Count], &rows)?;
        let mark = page.night.pack.scorecard.pass_mark as f64 / 1000.0;
        let title = match page.zh() {
            true => format!("得分分布(n={all},合格线 {mark} 分)"),
            false => format!("Distribution of scores (n={all}, pass mark {mark})"),
        };
        self.charts.push(distribution(place, &title, &title, titles[1]));
        Ok(())
    }

    fn rules(&mut self) -> Result<(), XlsxError> {
        let (page, lang) = (self.page, self.page.night.lang);
        let pack = page.night.pack;
        let rules = page.night.aggregate.all.rules.iter();
        let mut costs: Vec<(i64, &str)> = rules
            .map(|(number, count)| {
                (effective_cost(pack, *number as usize, count), pack.rules[*number as usize].title.as_str())
            })
            .filter(|(cost, _)| *cost > 0)
            .collect();
        costs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let all: i64 = costs.iter().map(|c| c.0).sum();
        if all == 0 {
            return Ok(());
        }
        let mut sum = 0;
        let rows: Vec<_> = costs
            .iter()
            .take(RULES)
            .map(|(cost, title)| {
                sum += cost;
                let share = (sum as f64 / all as f64 * 1e6).round() / 1e6;
                vec![Cell::text(one_line(lang, title, 14)), Cell::Number(*cost as f64 / 1000.0), Cell::Number(share)]
            })
            .collect();
        let titles = match page.zh() {
            true => ["规则", "扣分", "累计占比"],
            false => ["Rule", "Points lost", "Running share"],
        };
        let place = self.table(&titles, &[Kind::Text, Kind::Points, Kind::Share], &rows)?;
        let title = page.say(
            "扣分最多的规则和累计占比(一票否决一通按 100 分)",
            "Costliest rules and their running share (a critical finding counts 100)",
        );
        self.charts.push(pareto(place, title, title, (titles[1], titles[2])));
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
