//! `history compare`: how everyone, teams, agents and rules moved from one night or period to another.

use serde_json::json;

use zhijian::error::Result;
use zhijian::pack::Pack;
use zhijian::report::changes;
use zhijian::report::history::{AfterReview, Change, Changes};
use zhijian::score::aggregate::Aggregate;
use zhijian::store::Selection;

use super::{Form, Outcome, Shown, StoreArg, percent, warning};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// 之前:一晚或一个周期(2026-11-20、2026-W47、2026-11、2026-Q4、2026)
    #[arg(value_name = "BEFORE")]
    before: String,
    /// 之后
    #[arg(value_name = "NOW")]
    now: String,
    #[command(flatten)]
    store: StoreArg,
    /// 只比较分部分存的其中一部分
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// 列出全部数字,不只是主要的和明显变化的
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    shown: Shown,
}

pub fn run(args: &Args) -> Result<Outcome> {
    let store = args.store.open()?;
    let selection = |label: &str, name: &str| -> Result<Selection> {
        Ok(Selection { part: args.part.clone(), ..Selection::parse(label, name)? })
    };
    let (before, now) = (selection(&args.before, "BEFORE")?, selection(&args.now, "NOW")?);
    let ((old, old_mixed), (new, new_mixed)) = (store.sums(&before)?, store.sums(&now)?);
    let mut changes = changes::changes(&before.span.label(), &old, &new);
    changes.changed_rules |= old_mixed || new_mixed;
    let (old_review, new_review) = (store.after_review(&before)?, store.after_review(&now)?);
    changes::review(&mut changes, old_review.as_ref(), new_review.as_ref());
    let reviewed = changes.all.iter().any(|c| c.reviewed.is_some());
    let shown = &args.shown;
    if shown.format == Form::Json {
        shown.json(&json!({
            "before": before.span.label(),
            "now": now.span.label(),
            "changed_rules": changes.changed_rules,
            "pack_versions": [old.stamp.version, new.stamp.version],
            "changes": changes,
        }))?;
        return Ok(Outcome::Done);
    }
    if changes.changed_rules {
        eprintln!("{}", warning(shown));
    }
    if shown.format == Form::Csv {
        let columns = [COLUMNS, if reviewed { AFTER_REVIEW } else { &[] }].concat();
        shown.rows(&columns, numbers(&changes, reviewed))?;
        return Ok(Outcome::Done);
    }
    let (from, to) = (before.span.label(), now.span.label());
    writeln_out!("{from} → {to}  ({} {} → {})", new.stamp.pack, old.stamp.version, new.stamp.version);
    let mut headers = match shown.zh() {
        true => vec!["范围", "对象", "数字", "之前", "之后", "变化", "95%区间", "样本", "结论"],
        false => vec!["scope", "id", "figure", "before", "now", "change", "95% interval", "n", "verdict"],
    };
    if reviewed {
        headers.push(shown.say("复核后", "after review"));
    }
    // Titles of rules and dimensions; their ids do where the pack cannot be read any more.
    let titles = store.pack(&new.stamp.sha256).ok();
    let mut rows = rows(args, &changes, &new.aggregate, titles.as_ref());
    rows.iter_mut().for_each(|row| row.truncate(headers.len()));
    shown.rows(&headers, rows)?;
    writeln_out!(
        "{}",
        shown.say(
            "“升”“降”表示 95% 区间不含 0;“看不出”表示差别可能只是偶然。pp 是百分点。比较的数字多时,每 20 个里会有一个碰巧显得明显。",
            "“up” and “down”: the 95 % interval does not hold zero; “no telling”: chance may explain the difference. Of many figures compared, one in 20 looks clear by accident."
        )
    );
    Ok(Outcome::Done)
}

/// The columns of the CSV, which is for programs: every figure, in its own unit (shares 0–1).
const COLUMNS: &[&str] =
    &["scope", "id", "figure", "before", "now", "change", "low", "high", "n_before", "n_now", "clear"];

/// Two more where anything of either side has been reviewed: the figure after review.
const AFTER_REVIEW: &[&str] = &["before_reviewed", "now_reviewed"];

fn numbers(changes: &Changes, reviewed: bool) -> Vec<Vec<String>> {
    let number = |v: f64| format!("{}", (v * 1e6).round() / 1e6);
    let row = |scope: &str, id: &str, change: &Change| {
        let mut row = vec![
            scope.to_string(),
            id.to_string(),
            change.figure.clone(),
            number(change.before),
            number(change.now),
            number(change.difference()),
            change.interval.map(|i| number(i.0)).unwrap_or_default(),
            change.interval.map(|i| number(i.1)).unwrap_or_default(),
            change.n.0.to_string(),
            change.n.1.to_string(),
            change.interval.map(|_| change.is_clear().to_string()).unwrap_or_default(),
        ];
        if reviewed {
            let after = change.reviewed.unwrap_or_default();
            row.extend([after.before, after.now].map(|v| v.map(number).unwrap_or_default()));
        }
        row
    };
    let mut out: Vec<_> = changes.all.iter().map(|c| row("all", "", c)).collect();
    for (scope, lists) in [("team", &changes.teams), ("agent", &changes.agents)] {
        out.extend(lists.iter().flat_map(|(id, list)| list.iter().map(|c| row(scope, id, c))));
    }
    out
}

const MAIN: &[&str] = &[
    "conversations",
    "score",
    "pass_rate",
    "critical_rate",
    "resolution_rate",
    "first_response",
    "satisfaction_estimate",
];

fn rows(args: &Args, changes: &Changes, now: &Aggregate, pack: Option<&Pack>) -> Vec<Vec<String>> {
    let shown = &args.shown;
    let wanted = |change: &Change, main: &[&str]| {
        let figure = change.figure.as_str();
        args.all || main.contains(&figure) || figure.starts_with("rule:") && change.is_clear()
    };
    let mut out = Vec::new();
    let mut add = |scope: &str, id: &str, list: &[Change], main: &[&str]| {
        out.extend(list.iter().filter(|c| wanted(c, main)).map(|c| row(shown, scope, id, c, pack)));
    };
    add(shown.say("全部", "all"), "", &changes.all, MAIN);
    for (team, list) in &changes.teams {
        add(shown.say("团队", "team"), team, list, &MAIN[1..3]);
    }
    for (id, list) in &changes.agents {
        let name = now.agents.get(id).and_then(|t| t.name.as_deref()).filter(|name| name != id);
        let label = match name {
            Some(name) => format!("{name}({id})"),
            None => id.clone(),
        };
        add(shown.say("客服", "agent"), &label, list, &MAIN[1..3]);
    }
    out
}

fn row(shown: &Shown, scope: &str, id: &str, change: &Change, pack: Option<&Pack>) -> Vec<String> {
    let kind = kind(&change.figure);
    let value = |v: f64| match kind {
        Kind::Count => format!("{v:.0}"),
        Kind::Share => percent(v),
        Kind::Number => format!("{v:.1}"),
        Kind::Estimate => format!("{v:.3}"),
    };
    // A difference of shares is in percentage points.
    let signed = |v: f64| {
        let text = match kind {
            Kind::Count => format!("{v:+.0}"),
            Kind::Share => format!("{:+.1}", v * 100.0),
            Kind::Number => format!("{v:+.1}"),
            Kind::Estimate => format!("{v:+.3}"),
        };
        let nothing = text.chars().all(|c| matches!(c, '+' | '-' | '0' | '.'));
        let text = if nothing { text.trim_start_matches(['+', '-']).to_string() } else { text };
        if matches!(kind, Kind::Share) { text + "pp" } else { text }
    };
    let verdict = match change.interval {
        None => "",
        Some(_) if !change.is_clear() => shown.say("看不出", "no telling"),
        Some((low, _)) if low > 0.0 => shown.say("升", "up"),
        Some(_) => shown.say("降", "down"),
    };
    vec![
        scope.to_string(),
        id.to_string(),
        title(shown, &change.figure, pack),
        value(change.before),
        value(change.now),
        signed(change.difference()),
        change.interval.map(|(low, high)| format!("{} … {}", signed(low), signed(high))).unwrap_or_default(),
        format!("{} → {}", change.n.0, change.n.1),
        verdict.to_string(),
        change.reviewed.map(|after| after_review(value, after)).unwrap_or_default(),
    ]
}

/// `before → now` after review; `–` for a side nobody has reviewed.
fn after_review(value: impl Fn(f64) -> String, after: AfterReview) -> String {
    let side = |v: Option<f64>| v.map_or_else(|| "–".to_string(), &value);
    format!("{} → {}", side(after.before), side(after.now))
}

#[derive(Clone, Copy)]
enum Kind {
    Count,
    Share,
    Number,
    Estimate,
}

fn kind(figure: &str) -> Kind {
    match figure {
        "conversations" => Kind::Count,
        "satisfaction_estimate" => Kind::Estimate,
        "pass_rate" | "critical_rate" | "resolution_rate" => Kind::Share,
        _ if figure.starts_with("rule:") => Kind::Share,
        _ => Kind::Number,
    }
}

fn title(shown: &Shown, figure: &str, pack: Option<&Pack>) -> String {
    if !shown.zh() {
        return figure.to_string();
    }
    if let Some(id) = figure.strip_prefix("rule:") {
        let rule = pack.and_then(|p| Some(&p.rules[p.rule(id)?].title));
        return format!("规则“{}”", rule.map_or(id, String::as_str));
    }
    if let Some(id) = figure.strip_prefix("dimension:") {
        let dimension = pack.and_then(|p| p.scorecard.dimensions.iter().find(|d| d.id == id));
        return format!("维度“{}”得分%", dimension.map_or(id, |d| d.title.as_str()));
    }
    match figure {
        "conversations" => "评判通次",
        "score" => "平均分",
        "pass_rate" => "合格率",
        "critical_rate" => "一票否决率",
        "resolution_rate" => "解决率",
        "first_response" => "首次响应(秒)",
        "satisfaction_estimate" => "满意度估计",
        other => other,
    }
    .to_string()
}
