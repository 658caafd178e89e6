//! 坐席: a row an agent, as in `scorecards.csv`, typed.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::style::{Kind, against, bars, shade};
use super::table::{Column, Table, column};
use super::text::Cell;
use super::{Page, Sheet};
use crate::judge::Lang;
use crate::metrics::Metric;
use crate::report::figures::{Figures, Rate};
use crate::report::summary::target;

fn columns(lang: Lang) -> Vec<Column> {
    let c = |kind, title, about| column(lang, kind, title, about);
    use Kind::*;
    vec![
        c(Text, ("客服ID", "Agent id"), ("导出里的客服编号,原样。", "The agent's id as exported.")),
        c(Text, ("姓名", "Name"), ("导出里的姓名;没有就空着。", "Name as exported, where known.")),
        c(Text, ("团队", "Team"), ("导出里的团队。", "Team as exported.")),
        c(Count, ("会话数", "Conversations"), ("评判过的会话通数(n)。", "Conversations judged (n).")),
        c(
            Text,
            ("样本", "Sample"),
            (
                "会话数达到评分卡的 min_sample 为“足够”;“样本不足”的整行灰色,不排名,只作参考。",
                "Enough conversations (min_sample of the scorecard) to compare; grey rows have too few and no rank.",
            ),
        ),
        c(
            Points,
            ("平均分", "Mean score"),
            ("会话得分的平均,满分 100。", "Mean of the conversations' scores, of 100."),
        ),
        c(
            Points,
            ("平均分下限", "Score low"),
            ("平均分 95% 区间的下限(t 区间)。", "Lower end of the mean's 95 % interval."),
        ),
        c(Points, ("平均分上限", "Score high"), ("平均分 95% 区间的上限。", "Upper end of the mean's 95 % interval.")),
        c(
            Points,
            ("收缩后平均分", "Shrunk score"),
            (
                "样本越少越向全员平均靠拢(随机效应收缩),避免小样本忽高忽低。",
                "The mean drawn towards everyone's by what chance alone explains.",
            ),
        ),
        c(
            Points,
            ("同类会话期望分", "Expected score"),
            (
                "水平一般的人接同样渠道和阶段的会话会得的分;与平均分的差才是本人的。",
                "What someone average would have scored with the same mix of channels and stages.",
            ),
        ),
        c(
            Count,
            ("名次", "Rank"),
            (
                "1 + 区间整个高于本人的人数;分不出先后的并列;样本不足不排。",
                "1 + agents whose whole interval lies above; shared where intervals overlap.",
            ),
        ),
        c(
            Points,
            ("否决前平均分", "Raw score"),
            ("一票否决置零之前的平均分。", "Mean before critical findings set scores to 0."),
        ),
        c(
            Share,
            ("合格率", "Pass rate"),
            (
                "得分达到合格线的会话占比。图标:✓ 达到目标,! 差一成以内,✗ 更低(只看数值,是否确定看区间)。",
                "Share of conversations at or above the pass mark. Icons: at target, within a tenth, below.",
            ),
        ),
        c(
            Share,
            ("合格率下限", "Pass low"),
            ("合格率 95% Wilson 区间的下限。", "Lower end of the 95 % Wilson interval."),
        ),
        c(
            Share,
            ("合格率上限", "Pass high"),
            ("合格率 95% Wilson 区间的上限。", "Upper end of the 95 % Wilson interval."),
        ),
        c(
            Count,
            ("一票否决会话", "Critical"),
            ("有一票否决问题的会话通数。", "Conversations with a critical finding."),
        ),
        c(
            Share,
            ("客户关键准确率", "Customer-critical"),
            ("没有客户关键差错的会话占比(COPC)。", "Without a customer-critical error (COPC)."),
        ),
        c(
            Share,
            ("业务关键准确率", "Business-critical"),
            ("没有业务关键差错的会话占比(COPC)。", "Without a business-critical error (COPC)."),
        ),
        c(
            Share,
            ("合规关键准确率", "Compliance-critical"),
            ("没有合规关键差错的会话占比(COPC)。", "Without a compliance-critical error (COPC)."),
        ),
        c(
            Share,
            ("非关键准确率", "Non-critical"),
            ("非关键考核机会中做到的占比(COPC)。", "Non-critical opportunities passed (COPC)."),
        ),
        c(
            Seconds,
            ("平均首次响应", "First response"),
            ("客户第一条消息到客服首次回复的秒数,各会话平均。", "Seconds to the first reply, mean."),
        ),
        c(
            Seconds,
            ("平均响应", "Average response"),
            ("每轮回复等待秒数,先会话内平均,再各会话平均。", "Seconds of waiting a round, mean."),
        ),
        c(
            Seconds,
            ("平均处理时长", "Handling time"),
            ("会话从头到尾的秒数,各会话平均。", "Seconds from first to last message, mean."),
        ),
        c(Decimal, ("评分均值", "Rating"), ("客户打分 1–5 的平均。", "Mean rating, 1–5.")),
        c(Count, ("评分数", "Ratings"), ("打过分的会话数。", "Conversations rated.")),
        c(
            Share,
            ("满意度估计", "Satisfaction est."),
            ("模型估计的满意度均值,0–1,不是客户打的分。", "Mean of the estimate, not a rating."),
        ),
        c(Text, ("扣分最多的规则", "Costliest rule"), ("总扣分最多的规则。", "The rule that cost most points.")),
        c(Points, ("扣分", "Points"), ("这条规则的总分值,负数为扣分。", "That rule's points in all.")),
    ]
}

/// What people found when they checked; only where someone has.
fn reviewed_columns(lang: Lang) -> Vec<Column> {
    let c = |kind, title, about| column(lang, kind, title, about);
    use Kind::*;
    vec![
        c(Count, ("复核会话", "Reviewed"), ("人工复核过的会话数。", "Conversations people have checked.")),
        c(Count, ("确认", "Confirmed"), ("复核确认的发现。", "Findings confirmed.")),
        c(Count, ("误判", "Overturned"), ("复核判为误判、已撤销的发现。", "Findings overturned.")),
        c(Count, ("漏判", "Missed"), ("复核补上的、机器没发现的问题。", "Faults the machine missed.")),
        c(
            Points,
            ("复核后平均分", "Score after review"),
            (
                "复核过的会话按人的结论改判,其余按机器分,再求平均。",
                "Mean with people's word where they checked, the machine's elsewhere.",
            ),
        ),
        c(Share, ("复核后合格率", "Pass rate after review"), ("同上的合格率。", "The share passed, likewise.")),
        c(
            Count,
            ("复核后一票否决", "Critical after review"),
            ("复核后仍有一票否决问题的会话通数。", "Conversations with a critical finding after review."),
        ),
    ]
}

fn reviewed_cells(agent: &Figures) -> Vec<Cell<'static>> {
    let Some(own) = &agent.reviewed else { return (0..7).map(|_| Cell::number(None)).collect() };
    let mut cells: Vec<Cell<'static>> =
        [own.cases, own.confirmed, own.overturned, own.missed].into_iter().map(Cell::count).collect();
    cells.push(Cell::number(own.score.as_ref().map(|s| s.value)));
    cells.push(Cell::number(own.pass_rate.as_ref().map(|r| r.value)));
    cells.push(Cell::count(own.critical));
    cells
}

/// Writes the sheet.
pub(super) fn sheet(book: &mut Workbook, page: &Page<'_>) -> Result<Sheet, XlsxError> {
    let lang = page.night.lang;
    let mut columns = columns(lang);
    let reviewed = page.night.cards.all.reviewed.is_some();
    if reviewed {
        columns.extend(reviewed_columns(lang));
    }
    let mut table = Table::new(book, page, page.names.agents, columns.clone(), None)?;
    for agent in &page.night.cards.agents {
        let mut cells = row(page, agent);
        if reviewed {
            cells.extend(reviewed_cells(agent));
        }
        table.row(!agent.enough, cells)?;
    }
    table.format_column(3, &bars())?;
    table.format_column(15, &bars())?;
    if let Some(min) = target(&page.night.cards.targets, "pass_rate").and_then(|t| t.min) {
        table.format_column(12, &against(min))?;
    }
    table.format_column(4, &shade(page.say("样本不足", "too few"), 0xEDEDED, 0x7F7F7F, false))?;
    Ok(Sheet { sheet: table.finish(2)?, columns })
}

fn row(page: &Page<'_>, agent: &Figures) -> Vec<Cell<'static>> {
    let lang = page.night.lang;
    let foreign = |text: Option<&str>| Cell::foreign(lang, text.unwrap_or_default());
    let score = agent.score.as_ref();
    let interval = score.and_then(|s| s.interval);
    let pass = agent.pass_rate.as_ref();
    let share = |rate: &Option<Rate>| Cell::number(rate.as_ref().map(|r| r.value));
    let metric = |m: Metric| Cell::number(agent.metrics.iter().find(|f| f.id == m.id()).map(|f| f.mean));
    let costliest = agent.rules.iter().filter(|r| r.points < 0.0);
    let costliest = costliest.min_by(|a, b| a.points.total_cmp(&b.points).then(a.id.cmp(&b.id)));
    let a = &agent.accuracies;
    vec![
        foreign(Some(&agent.id)),
        foreign(agent.name.as_deref()),
        foreign(agent.team.as_deref()),
        Cell::count(agent.conversations),
        Cell::text(if agent.enough { page.say("足够", "enough") } else { page.say("样本不足", "too few") }.to_string()),
        Cell::number(score.map(|s| s.value)),
        Cell::number(interval.map(|i| i.0)),
        Cell::number(interval.map(|i| i.1)),
        Cell::number(agent.shrunk_score),
        Cell::number(agent.expected_score),
        Cell::number(agent.rank.map(|r| r as f64)),
        Cell::number(agent.raw_score),
        Cell::number(pass.map(|r| r.value)),
        Cell::number(pass.map(|r| r.low)),
        Cell::number(pass.map(|r| r.high)),
        Cell::count(agent.critical),
        share(&a.customer),
        share(&a.business),
        share(&a.compliance),
        share(&a.noncritical),
        metric(Metric::FirstResponse),
        metric(Metric::AvgResponse),
        metric(Metric::HandleTime),
        Cell::number(agent.rating.map(|r| r.0)),
        Cell::count(agent.rating.map_or(0, |r| r.1)),
        Cell::number(agent.satisfaction_estimate.map(|s| s.0)),
        foreign(costliest.map(|r| r.title.as_str())),
        Cell::number(costliest.map(|r| r.points)),
    ]
}
