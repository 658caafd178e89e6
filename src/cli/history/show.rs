//! `history show`: the figures of a night or period.

use std::collections::BTreeMap;

use serde_json::json;

use zhijian::error::Result;
use zhijian::report::changes;
use zhijian::report::figures::Figures;
use zhijian::report::history::Point;
use zhijian::report::reviewed::Reviewed;
use zhijian::store::Selection;

use super::list::as_json;
use super::{Form, Outcome, Shown, StoreArg, percent};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 一晚或一个周期:2026-11-20、2026-W47、2026-11、2026-Q4、2026
    #[arg(value_name = "PERIOD")]
    period: String,
    #[command(flatten)]
    store: StoreArg,
    /// 只看分部分存的其中一部分
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let store = args.store.open()?;
    let selection = Selection { part: args.part.clone(), ..Selection::parse(&args.period, "PERIOD")? };
    let (partial, mixed) = store.sums(&selection)?;
    let mut period = changes::period(&selection.span.label(), &partial);
    period.changed_rules = mixed;
    let nights = store.selected(&selection)?;
    let reviewed = store.after_review(&selection)?;
    let shown = &args.shown;
    if shown.format == Form::Json {
        let rows: Vec<_> = nights.iter().map(|row| as_json(row, false)).collect();
        let mut told = json!({ "period": period, "nights": rows });
        if let Some(reviewed) = &reviewed {
            let own = |f: &Figures| f.reviewed.as_ref().map(|r| (f.id.clone(), json!(r)));
            let cards = &reviewed.cards;
            told["reviewed"] = json!({
                "all": cards.all.reviewed,
                "teams": cards.teams.iter().filter_map(own).collect::<BTreeMap<_, _>>(),
                "agents": cards.agents.iter().filter_map(own).collect::<BTreeMap<_, _>>(),
            });
        }
        shown.json(&told)?;
        return Ok(Outcome::Done);
    }
    if shown.format == Form::Table {
        let stamp = &partial.stamp;
        let (label, nights, rejected) = (&period.label, nights.len(), nights.iter().map(|n| n.records.1).sum::<u64>());
        let sha = stamp.sha256.get(..12).unwrap_or_default();
        writeln_out!(
            "{label}: {} {nights} · {} {} · {} {rejected} · {} {} {} ({sha})",
            shown.say("记录", "records of nights"),
            shown.say("会话", "conversations"),
            partial.aggregate.conversations,
            shown.say("被拒", "rejected"),
            shown.say("规则包", "pack"),
            stamp.pack,
            stamp.version,
        );
        if mixed {
            writeln_out!("{}", super::warning(shown));
        }
    }
    let mut headers = match shown.zh() {
        true => vec![
            "范围",
            "对象",
            "姓名",
            "会话",
            "平均分",
            "95%区间",
            "合格率",
            "95%区间",
            "一票否决",
            "解决率",
            "首次响应(秒)",
        ],
        false => vec![
            "scope",
            "id",
            "name",
            "conversations",
            "score",
            "95% interval",
            "pass rate",
            "95% interval",
            "critical",
            "resolved",
            "first response (s)",
        ],
    };
    let name = |id: &String| partial.aggregate.agents.get(id).and_then(|t| t.name.clone()).unwrap_or_default();
    let mut rows = vec![row(shown.say("全部", "all"), "", String::new(), &period.all)];
    rows.extend(period.teams.iter().map(|(id, point)| row(shown.say("团队", "team"), id, String::new(), point)));
    rows.extend(period.agents.iter().map(|(id, point)| row(shown.say("客服", "agent"), id, name(id), point)));
    if let Some(Reviewed { cards, .. }) = &reviewed {
        headers.extend(match shown.zh() {
            true => ["复核会话", "复核后分", "复核后合格率"],
            false => ["checked", "score after review", "pass rate after review"],
        });
        // In the order of the rows' scopes: a team and an agent may share an id.
        let of = |list: &[Figures], id: &str| list.iter().find(|f| f.id == id).and_then(|f| f.reviewed.clone());
        for (number, row) in rows.iter_mut().enumerate() {
            let own = match number {
                0 => cards.all.reviewed.clone(),
                n if n <= period.teams.len() => of(&cards.teams, &row[1]),
                _ => of(&cards.agents, &row[1]),
            };
            let own = own.as_ref();
            let score = own.and_then(|r| r.score.as_ref()).map(|s| format!("{:.1}", s.value));
            let rate = own.and_then(|r| r.pass_rate.as_ref()).map(|r| percent(r.value));
            row.extend([own.map(|r| r.cases.to_string()), score, rate].map(Option::unwrap_or_default));
        }
    }
    shown.rows(&headers, rows)?;
    Ok(Outcome::Done)
}

fn row(scope: &str, id: &str, name: String, point: &Point) -> Vec<String> {
    let score = point.score.as_ref();
    let interval = score.and_then(|s| s.interval).map(|(low, high)| format!("{low:.1}–{high:.1}"));
    let rate = point.pass_rate.as_ref();
    vec![
        scope.to_string(),
        id.to_string(),
        name,
        point.conversations.to_string(),
        score.map(|s| format!("{:.1}", s.value)).unwrap_or_default(),
        interval.unwrap_or_default(),
        rate.map(|r| percent(r.value)).unwrap_or_default(),
        rate.map(|r| format!("{}–{}", percent(r.low), percent(r.high))).unwrap_or_default(),
        point.critical.to_string(),
        point.resolved.as_ref().map(|r| percent(r.value)).unwrap_or_default(),
        point.first_response.map(|(seconds, _)| format!("{seconds:.1}")).unwrap_or_default(),
    ]
}
