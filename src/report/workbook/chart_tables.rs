//! The small tables beside the first sheet's charts, and which charts there are.

use rust_xlsxwriter::XlsxError;

use super::charts::{Place, distribution, dots, pareto};
use super::overview::{DATA, Overview};
use super::style::Kind;
use super::text::Cell;
use crate::report::figures::{Rate, effective_cost};
use crate::report::summary::target;
use crate::report::words::one_line;

/// Agents in a chart.
const AGENTS: usize = 40;
/// Rules in a chart.
const RULES: usize = 12;

impl Overview<'_> {
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

    /// Writes the tables and makes the charts over them.
    pub fn chart_tables(&mut self) -> Result<(), XlsxError> {
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
}
