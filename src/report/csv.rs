//! `scorecards.csv` and `rules.csv`: for Excel, so UTF-8 with a byte-order mark and Chinese headers.

use std::io::Write;

use super::figures::{Figures, Rate, Scorecards, rule_figure};
use super::names::cell;
use super::reviewed::Reviewed;
use super::words::sample;
use crate::judge::Lang;
use crate::metrics::Metric;
use crate::pack::Pack;
use crate::score::Aggregate;

pub(super) fn writer(out: &mut dyn Write) -> std::io::Result<csv::Writer<&mut dyn Write>> {
    out.write_all("\u{feff}".as_bytes())?;
    Ok(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out))
}

pub(super) fn percent(rate: Option<&Rate>) -> [String; 3] {
    match rate {
        Some(r) => [r.value, r.low, r.high].map(|v| format!("{:.1}", v * 100.0)),
        None => Default::default(),
    }
}

pub(super) fn number(value: Option<f64>) -> String {
    value.map(|v| format!("{v:.1}")).unwrap_or_default()
}

/// Writes a row an agent.
///
/// # Errors
/// When `out` cannot be written.
pub fn scorecards(out: &mut dyn Write, pack: &Pack, cards: &Scorecards, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    let mut header: Vec<&str> = match zh {
        true => vec![
            "客服ID",
            "姓名",
            "团队",
            "会话数",
            "样本",
            "平均分",
            "平均分下限",
            "平均分上限",
            "收缩后平均分",
            "同类会话期望分",
            "名次",
            "否决前平均分",
            "合格率%",
            "合格率下限%",
            "合格率上限%",
            "一票否决会话",
            "客户关键准确率%",
            "业务关键准确率%",
            "合规关键准确率%",
            "非关键准确率%",
        ],
        false => vec![
            "agent_id",
            "name",
            "team",
            "conversations",
            "sample",
            "score",
            "score_low",
            "score_high",
            "shrunk_score",
            "expected_score",
            "rank",
            "raw_score",
            "pass_rate%",
            "pass_low%",
            "pass_high%",
            "critical",
            "customer_accuracy%",
            "business_accuracy%",
            "compliance_accuracy%",
            "noncritical_accuracy%",
        ],
    };
    let dimensions = &pack.scorecard.dimensions;
    let titles: Vec<String> = dimensions
        .iter()
        .map(|d| if zh { format!("{}得分率%", d.title) } else { format!("{}%", d.title_en) })
        .collect();
    header.extend(titles.iter().map(String::as_str));
    header.extend(match zh {
        true => [
            "平均首次响应秒",
            "平均响应秒",
            "平均处理时长秒",
            "评分均值",
            "评分数",
            "满意度估计",
            "扣分最多的规则",
            "扣分",
        ],
        false => [
            "first_response_s",
            "avg_response_s",
            "handle_time_s",
            "rating",
            "ratings",
            "satisfaction_estimate",
            "costliest_rule",
            "points",
        ],
    });
    // Only where someone has reviewed; at the end, so that the other columns keep their places.
    let reviewed = cards.all.reviewed.is_some();
    if reviewed {
        header.extend(match zh {
            true => ["复核会话", "确认", "误判", "漏判", "复核后平均分", "复核后合格率%", "复核后一票否决会话"],
            false => [
                "reviewed",
                "confirmed",
                "overturned",
                "missed",
                "score_after_review",
                "pass_rate_after_review%",
                "critical_after_review",
            ],
        });
    }
    csv.write_record(&header)?;
    for agent in &cards.agents {
        let mut row = scorecard_row(agent, zh);
        if reviewed {
            row.extend(reviewed_cells(agent));
        }
        csv.write_record(row)?;
    }
    csv.flush()
}

fn reviewed_cells(agent: &Figures) -> Vec<String> {
    let Some(own) = &agent.reviewed else { return vec![String::new(); 7] };
    let mut row: Vec<String> =
        [own.cases, own.confirmed, own.overturned, own.missed].iter().map(u64::to_string).collect();
    row.push(number(own.score.as_ref().map(|s| s.value)));
    row.push(percent(own.pass_rate.as_ref())[0].clone());
    row.push(own.critical.to_string());
    row
}

fn scorecard_row(agent: &Figures, zh: bool) -> Vec<String> {
    let score = agent.score.as_ref();
    let interval = score.and_then(|s| s.interval);
    let sample = match (agent.enough, zh) {
        (true, true) => "足够",
        (false, true) => "样本不足",
        (true, false) => "enough",
        (false, false) => "too few",
    };
    let text = |t: Option<&str>| cell(t.unwrap_or_default()).into_owned();
    let mut row = vec![
        text(Some(&agent.id)),
        text(agent.name.as_deref()),
        text(agent.team.as_deref()),
        agent.conversations.to_string(),
        sample.to_string(),
        number(score.map(|s| s.value)),
        number(interval.map(|i| i.0)),
        number(interval.map(|i| i.1)),
        number(agent.shrunk_score),
        number(agent.expected_score),
        agent.rank.map(|r| r.to_string()).unwrap_or_default(),
        number(agent.raw_score),
    ];
    row.extend(percent(agent.pass_rate.as_ref()));
    row.push(agent.critical.to_string());
    let a = &agent.accuracies;
    for rate in [&a.customer, &a.business, &a.compliance, &a.noncritical] {
        row.push(percent(rate.as_ref())[0].clone());
    }
    row.extend(agent.dimensions.iter().map(|d| number(d.kept)));
    let metric = |m: Metric| number(agent.metrics.iter().find(|f| f.id == m.id()).map(|f| f.mean));
    row.extend([metric(Metric::FirstResponse), metric(Metric::AvgResponse), metric(Metric::HandleTime)]);
    row.push(agent.rating.map(|r| format!("{:.2}", r.0)).unwrap_or_default());
    row.push(agent.rating.map_or(0, |r| r.1).to_string());
    row.push(agent.satisfaction_estimate.map(|s| format!("{:.3}", s.0)).unwrap_or_default());
    let costliest = agent.rules.iter().filter(|r| r.points < 0.0);
    let costliest = costliest.min_by(|a, b| a.points.total_cmp(&b.points).then(a.id.cmp(&b.id)));
    row.push(text(costliest.map(|r| r.title.as_str())));
    row.push(number(costliest.map(|r| r.points)));
    row
}

/// Writes a row a rule, also for rules without a case; with how often people found it right where any rule has been
/// reviewed.
///
/// # Errors
/// When `out` cannot be written.
pub fn rules(
    out: &mut dyn Write,
    pack: &Pack,
    aggregate: &Aggregate,
    reviewed: Option<&Reviewed>,
    lang: Lang,
) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    let zh = lang == Lang::Zh;
    let mut header = match zh {
        true => vec![
            "规则",
            "标题",
            "维度",
            "级别",
            "单次分值",
            "适用次数",
            "命中次数",
            "命中率%",
            "下限%",
            "上限%",
            "违规条数",
            "总分值",
            "涉及客服数",
        ],
        false => vec![
            "rule",
            "title",
            "dimension",
            "severity",
            "points_each",
            "applicable",
            "found",
            "rate%",
            "low%",
            "high%",
            "findings",
            "points",
            "agents",
        ],
    };
    // Only where a rule has been reviewed; at the end, so that the other columns keep their places.
    let reviewed = reviewed.filter(|r| !r.rules.is_empty());
    if reviewed.is_some() {
        header.extend(match zh {
            true => ["复核条数", "复核精确率%", "精确率下限%", "精确率上限%", "复核样本"],
            false => ["reviewed", "precision%", "precision_low%", "precision_high%", "review_sample"],
        });
    }
    csv.write_record(header)?;
    for (number_of, rule) in pack.rules.iter().enumerate() {
        let count = aggregate.all.rules.get(&(number_of as u32)).cloned().unwrap_or_default();
        let figure = rule_figure(pack, number_of, &count);
        let agents = aggregate.agents.values();
        let agents = agents.filter(|a| a.rules.get(&(number_of as u32)).is_some_and(|c| c.findings > 0)).count();
        let dimension = &pack.scorecard.dimensions[rule.dimension];
        let mut row = vec![
            rule.id.clone(),
            cell(&rule.title).into_owned(),
            if zh { dimension.title.clone() } else { dimension.title_en.clone() },
            if zh { rule.severity.title().to_string() } else { rule.severity.id().to_string() },
            super::Points(rule.points).to_string(),
            count.applicable.to_string(),
            count.found.to_string(),
        ];
        row.extend(percent(figure.rate.as_ref()));
        row.extend([count.findings.to_string(), super::Points(count.points).to_string(), agents.to_string()]);
        if let Some(reviewed) = reviewed {
            row.extend(match reviewed.precision(&rule.id) {
                Some((p, kind)) => {
                    let [value, low, high] = [p.value, p.low, p.high].map(|v| format!("{:.1}", v * 100.0));
                    [p.n.to_string(), value, low, high, sample(lang, kind).to_string()]
                }
                None => Default::default(),
            });
        }
        csv.write_record(row)?;
    }
    csv.flush()
}

/// Writes the skills matrix: a row an agent and skill, the share of opportunities missed beside the team's.
///
/// # Errors
/// When `out` cannot be written.
pub fn skills(out: &mut dyn Write, cards: &Scorecards, lang: Lang) -> std::io::Result<()> {
    let mut csv = writer(out)?;
    csv.write_record(match lang {
        Lang::Zh => [
            "客服ID",
            "姓名",
            "团队",
            "技能",
            "培训模块",
            "机会数",
            "未做到",
            "未做到率%",
            "下限%",
            "上限%",
            "团队未做到率%",
            "扣分",
        ],
        Lang::En => [
            "agent_id",
            "name",
            "team",
            "skill",
            "modules",
            "opportunities",
            "missed",
            "missed%",
            "low%",
            "high%",
            "team_missed%",
            "points_lost",
        ],
    })?;
    let teams = cards.teams.iter().map(|team| (team, team));
    let agents = cards.agents.iter().map(|agent| (agent, cards.peers(agent)));
    for (who, peers) in agents.chain(teams) {
        let is_team = std::ptr::eq(who, peers);
        for skill in &who.skills {
            let others = peers.skills.iter().find(|s| s.skill == skill.skill);
            let mut row = vec![
                if is_team { String::new() } else { cell(&who.id).into_owned() },
                cell(who.name.as_deref().unwrap_or_default()).into_owned(),
                cell(who.team.as_deref().unwrap_or_default()).into_owned(),
                cell(&skill.skill).into_owned(),
                cell(&skill.modules.join("、")).into_owned(),
                skill.missed.as_ref().map_or(0, |r| r.of).to_string(),
                skill.missed.as_ref().map_or(0, |r| r.count).to_string(),
            ];
            row.extend(percent(skill.missed.as_ref()));
            row.push(percent(others.and_then(|s| s.missed.as_ref()))[0].clone());
            row.push(format!("{:.1}", skill.lost));
            csv.write_record(row)?;
        }
    }
    csv.flush()
}
