//! Rules as the pack defines them: what makes a duty due, what fulfils it, what it costs, what to say to whom.

use std::ops::Range;
use std::sync::Arc;

use super::codes;
use super::expression::{self, Expr, Field, scaled};
use super::fields::{At, Faults, Table, nearest};
use super::reference::Names;
use crate::diagnostic::SourceFile;
use crate::metrics::{METRICS, Metric};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, costs nothing.
    Note,
    /// A small lapse.
    Minor,
    /// A clear fault.
    Major,
    /// One is enough: the score is 0 (一票否决).
    Critical,
}

impl Severity {
    /// Every severity: id, Chinese title.
    pub const ALL: [(Severity, &'static str, &'static str); 4] = [
        (Severity::Note, "note", "提示"),
        (Severity::Minor, "minor", "轻微"),
        (Severity::Major, "major", "严重"),
        (Severity::Critical, "critical", "一票否决"),
    ];

    /// Its id.
    pub fn id(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its Chinese title.
    pub fn title(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

/// Whose interest a grave error hurts (COPC's critical-error classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// The customer's.
    Customer,
    /// The business's.
    Business,
    /// The law's or the platform's.
    Compliance,
    /// Non-critical.
    #[default]
    None,
}

impl ErrorClass {
    /// Every class: id, Chinese title.
    pub const ALL: [(ErrorClass, &'static str, &'static str); 4] = [
        (ErrorClass::Customer, "customer", "客户关键"),
        (ErrorClass::Business, "business", "业务关键"),
        (ErrorClass::Compliance, "compliance", "合规关键"),
        (ErrorClass::None, "none", "非关键"),
    ];
}

/// What a rule asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// The expression must hold in the window.
    Require(Expr),
    /// The expression must not hold in the window.
    Forbid(Expr),
    /// The measure must stay within bounds (in the metric's unit).
    Limit {
        /// The measure.
        metric: Metric,
        /// Smallest allowed value.
        min: Option<i64>,
        /// Largest allowed value.
        max: Option<i64>,
    },
}

/// Direction of a window from its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowSide {
    /// What follows.
    #[default]
    After,
    /// What came before.
    Before,
    /// Both.
    Around,
}

/// How far from the trigger a rule looks; nothing given: to the end of the agent's part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// Turns of agents.
    pub agent_turns: Option<u32>,
    /// Turns of the customer.
    pub customer_turns: Option<u32>,
    /// Turns of either.
    pub turns: Option<u32>,
    /// Milliseconds.
    pub ms: Option<i64>,
    /// Direction.
    pub side: WindowSide,
}

/// Which triggers are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerChoice {
    /// The first one.
    #[default]
    First,
    /// Each one.
    Each,
    /// The last one.
    Last,
}

/// Which agents of a conversation a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegmentChoice {
    /// Every one.
    #[default]
    Any,
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// What an example expects of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// At least one finding.
    Hit,
    /// Applicable and no finding.
    Pass,
    /// Not applicable.
    NotApplicable,
    /// Known not to work yet; shown, never failing.
    Todo,
}

/// A rule's example chat.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleExample {
    /// What must come out.
    pub expect: Expect,
    /// Chat lines.
    pub chat: Vec<String>,
    /// Metadata of the chat.
    pub channel: Option<String>,
    /// Metadata of the chat.
    pub stage: Option<String>,
    /// Metadata of the chat.
    pub queue: Option<String>,
    /// Metadata of the chat.
    pub tags: Vec<String>,
    /// Metadata of the chat.
    pub rating: Option<u8>,
    /// Where it stands in the file.
    pub range: Range<usize>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, kebab case.
    pub id: String,
    /// The fault or the duty in few words.
    pub title: String,
    /// Index of the dimension in the scorecard.
    pub dimension: usize,
    /// How grave a finding is.
    pub severity: Severity,
    /// COPC class.
    pub error_class: ErrorClass,
    /// Milli-points of one finding; negative costs, positive is a bonus.
    pub points: i64,
    /// Most milli-points (in size) the rule may move in one conversation and agent.
    pub cap: i64,
    /// What makes the rule due.
    pub when: Option<Expr>,
    /// What it asks.
    pub demand: Demand,
    /// Where it looks.
    pub within: Option<Window>,
    /// The trigger's own turn counts.
    pub include_trigger: bool,
    /// Which triggers are judged.
    pub trigger: TriggerChoice,
    /// Scope by metadata.
    pub applies: Option<Expr>,
    /// Which agents.
    pub segment: SegmentChoice,
    /// Reported for review, costs nothing.
    pub review_only: bool,
    /// Switched off.
    pub off: bool,
    /// In force from (local date, included).
    pub from: Option<jiff::civil::Date>,
    /// In force until (local date, excluded).
    pub to: Option<jiff::civil::Date>,
    /// Judged only if that rule has (true) or has not (false) a finding. Resolved after all rules are read.
    pub after_rule: Option<(bool, At<String>)>,
    /// Number of the rule `after_rule` names.
    pub after_rule_index: Option<usize>,
    /// The skill to train.
    pub skill: String,
    /// The training module.
    pub module: String,
    /// What it flags.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// Advice to the agent.
    pub coach: String,
    /// Better wordings.
    pub say: Vec<String>,
    /// Law, platform rule or practice behind it.
    pub source: String,
    /// Examples.
    pub examples: Vec<RuleExample>,
    /// The file it stands in.
    pub file: Arc<SourceFile>,
}

/// Reads a rule file. Faults are collected; `None` when the rule cannot be used at all.
pub fn read(
    stem: &str,
    mut table: Table<'_>,
    names: &Names<'_>,
    dimensions: &[String],
    faults: &mut Faults<'_>,
) -> Option<Rule> {
    let id = table.required("id", faults);
    if let Some(id) = &id
        && id.value != stem
    {
        let hint = Some(format!("把 id 改成 \"{stem}\",或把文件改名为 {}.toml", id.value));
        faults.at(codes::FILE_NAME, id.range.clone(), format!("id `{}` 与文件名 {stem}.toml 不一致", id.value), hint);
    }
    let title = table.required("title", faults).map(|t| t.value).unwrap_or_default();
    let dimension = table.required("dimension", faults).and_then(|at| {
        let found = dimensions.iter().position(|d| *d == at.value);
        if found.is_none() {
            let hint = nearest(&at.value, dimensions.iter().map(String::as_str))
                .map(|d| format!("是不是想写 `{d}`?"))
                .or_else(|| Some(format!("scorecard.toml 里有: {}", dimensions.join("、"))));
            faults.at(codes::UNKNOWN_DIMENSION, at.range, format!("评分卡里没有维度 `{}`", at.value), hint);
        }
        found
    });
    let severity = table
        .required("severity", faults)
        .and_then(|at| choice(&at, Severity::ALL.iter().map(|s| (s.1, s.0)), "severity", faults));
    let error_class = table
        .string("error_class", faults)
        .and_then(|at| choice(&at, ErrorClass::ALL.iter().map(|c| (c.1, c.0)), "error_class", faults))
        .unwrap_or_default();
    let points = table.number("points", faults).map_or(0, |n| (n.value * 1000.0).round() as i64);
    let cap = table.number("cap", faults).map(|n| (n.value * 1000.0).round() as i64);
    let when = expression(&mut table, "when", names, faults);
    let demand = demand(&mut table, names, faults);
    let within = table.table("within", faults).map(|inner| window(inner, faults));
    let include_trigger = table.boolean("include_trigger", faults).unwrap_or(false);
    let trigger = table
        .string("trigger", faults)
        .and_then(|at| {
            let known = [("first", TriggerChoice::First), ("each", TriggerChoice::Each), ("last", TriggerChoice::Last)];
            choice(&at, known.into_iter(), "trigger", faults)
        })
        .unwrap_or_default();
    let applies = expression(&mut table, "applies", names, faults);
    let segment = table
        .string("segment", faults)
        .and_then(|at| {
            let known = [("any", SegmentChoice::Any), ("first", SegmentChoice::First), ("last", SegmentChoice::Last)];
            choice(&at, known.into_iter(), "segment", faults)
        })
        .unwrap_or_default();
    let review_only = table.boolean("review_only", faults).unwrap_or(false);
    let off = table.boolean("off", faults).unwrap_or(false);
    let (mut from, mut to) = (None, None);
    if let Some(mut inner) = table.table("effective", faults) {
        from = date(&mut inner, "from", faults);
        to = date(&mut inner, "to", faults);
        inner.finish("effective ", faults);
    }
    let after_rule = table.string("after_rule", faults).map(|at| match at.value.strip_prefix("not ") {
        Some(rest) => (false, At { value: rest.trim().to_string(), range: at.range }),
        None => (true, at),
    });
    let mut text = |key| table.string(key, faults).map(|t| t.value).unwrap_or_default();
    let (skill, module, what, why, coach, source) =
        (text("skill"), text("module"), text("what"), text("why"), text("coach"), text("source"));
    let say = table.strings("say", faults).into_iter().map(|s| s.value).collect();
    let examples = examples(&mut table, faults);
    let hits = examples.iter().filter(|e| e.expect == Expect::Hit).count();
    let passes = examples.iter().filter(|e| matches!(e.expect, Expect::Pass | Expect::NotApplicable)).count();
    if hits == 0 || passes == 0 {
        let hint = "[[example]]\nexpect = \"hit\"\nchat = [\"客: …\", \"服: …\"]".to_string();
        let message = "规则至少要有一个命中(hit)和一个不命中(pass 或 n/a)的例子";
        faults.at(codes::NO_EXAMPLE, table.head(), message, Some(hint));
    }
    table.finish("规则", faults);
    let (id, severity, demand) = (id?.value, severity?, demand?);
    // A note costs nothing; a bonus is no fault, whatever its severity.
    let points = if severity == Severity::Note { points.max(0) } else { points };
    let repeated = matches!(demand, Demand::Forbid(_)) || trigger == TriggerChoice::Each;
    Some(Rule {
        id,
        title,
        dimension: dimension?,
        severity,
        error_class,
        points,
        cap: cap.unwrap_or(if repeated { points * 2 } else { points }).abs().max(points.abs()),
        when,
        demand,
        within,
        include_trigger,
        trigger,
        applies,
        segment,
        review_only,
        off,
        from,
        to,
        after_rule,
        after_rule_index: None,
        skill,
        module,
        what,
        why,
        coach,
        say,
        source,
        examples,
        file: faults.file().clone(),
    })
}

fn choice<'c, T>(
    at: &At<String>,
    known: impl Iterator<Item = (&'c str, T)>,
    key: &str,
    faults: &mut Faults<'_>,
) -> Option<T> {
    let mut ids = Vec::new();
    for (id, value) in known {
        if id == at.value {
            return Some(value);
        }
        ids.push(id);
    }
    let hint = Some(format!("可写 {}", ids.join("、")));
    faults.at(codes::BAD_VALUE, at.range.clone(), format!("{key} 不能是 `{}`", at.value), hint);
    None
}

fn expression(table: &mut Table<'_>, key: &'static str, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Expr> {
    let at = table.string(key, faults)?;
    match expression::parse(&at.value, &|id| names.find(id)) {
        Ok(expr) => Some(expr),
        Err(list) => {
            for fault in list {
                // The string's text begins one byte after its range (the opening quote).
                let shift = at.range.start + 1;
                let range = shift + fault.range.start..shift + fault.range.end;
                match &fault.unknown_name {
                    Some(name) => {
                        let known = names
                            .markers
                            .iter()
                            .map(String::as_str)
                            .chain(METRICS.iter().map(|m| m.1))
                            .chain(expression::META.iter().map(|m| m.0));
                        let hint = nearest(name, known)
                            .map(|n| format!("是不是想写 `{n}`?"))
                            .or_else(|| Some("`zhijian rules list` 列出全部标记".into()));
                        faults.at(codes::UNKNOWN_MARKER, range, fault.message, hint);
                    }
                    None => faults.at(codes::BAD_EXPRESSION, range, fault.message, None),
                }
            }
            None
        }
    }
}

fn demand(table: &mut Table<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> Option<Demand> {
    let given: Vec<_> = ["require", "forbid", "limit"].into_iter().filter(|k| table.has(k)).collect();
    if given.len() != 1 {
        let message = match given.len() {
            0 => "缺少 require、forbid 或 limit(三选一)".to_string(),
            _ => format!("{} 只能写一个", given.join("、")),
        };
        let hint = "require = 该做的;forbid = 不该说的;limit = { metric = \"first_response\", max = \"30s\" }";
        faults.at(codes::MISSING_KEY, table.head(), message, Some(hint.into()));
    }
    let require = expression(table, "require", names, faults).map(Demand::Require);
    let forbid = expression(table, "forbid", names, faults).map(Demand::Forbid);
    let limit = table.table("limit", faults).and_then(|inner| limit(inner, faults));
    require.or(forbid).or(limit)
}

fn limit(mut table: Table<'_>, faults: &mut Faults<'_>) -> Option<Demand> {
    let head = table.head();
    let metric = table.required("metric", faults).and_then(|at| {
        let found = Metric::parse(&at.value);
        if found.is_none() {
            let hint =
                nearest(&at.value, METRICS.iter().map(|m| m.1)).map(|m| format!("是不是想写 `{m}`?")).or_else(|| {
                    Some(format!("可用的指标: {}", METRICS.iter().map(|m| m.1).collect::<Vec<_>>().join("、")))
                });
            faults.at(codes::UNKNOWN_METRIC, at.range, format!("没有指标 `{}`", at.value), hint);
        }
        found
    });
    let mut bound = |key: &'static str| -> Option<i64> {
        let value = table.raw(key)?;
        let metric = metric?;
        let parsed = match value.get_ref().as_str() {
            Some(text) => expression::duration(text),
            None => table.number(key, faults).map(|n| scaled(Field::Metric(metric), n.value)),
        };
        if parsed.is_none() {
            let hint = Some("写数字,或时长 \"30s\"、\"3m\"、\"24h\"".into());
            faults.at(codes::BAD_VALUE, value.span(), format!("看不懂 `{key}` 的值"), hint);
        }
        parsed
    };
    let (min, max) = (bound("min"), bound("max"));
    table.finish("limit ", faults);
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        faults.at(codes::CONTRADICTION, head.clone(), "min 大于 max,永远不可能满足", None);
    }
    if metric.is_some() && min.is_none() && max.is_none() {
        faults.at(codes::MISSING_KEY, head, "limit 里要有 max 或 min", None);
        return None;
    }
    Some(Demand::Limit { metric: metric?, min, max })
}

fn window(mut table: Table<'_>, faults: &mut Faults<'_>) -> Window {
    let side = table
        .string("direction", faults)
        .and_then(|at| {
            let known = [("after", WindowSide::After), ("before", WindowSide::Before), ("around", WindowSide::Around)];
            choice(&at, known.into_iter(), "direction", faults)
        })
        .unwrap_or_default();
    let window = Window {
        agent_turns: table.count("agent_turns", faults),
        customer_turns: table.count("customer_turns", faults),
        turns: table.count("turns", faults),
        ms: table.number("seconds", faults).map(|n| (n.value * 1000.0) as i64),
        side,
    };
    table.finish("within ", faults);
    window
}

fn date(table: &mut Table<'_>, key: &'static str, faults: &mut Faults<'_>) -> Option<jiff::civil::Date> {
    let at = table.string(key, faults)?;
    match at.value.parse() {
        Ok(date) => Some(date),
        Err(_) => {
            let hint = Some("写成 \"2026-01-31\"".into());
            faults.at(codes::BAD_VALUE, at.range, format!("`{}` 不是日期", at.value), hint);
            None
        }
    }
}

fn examples(table: &mut Table<'_>, faults: &mut Faults<'_>) -> Vec<RuleExample> {
    let mut out = Vec::new();
    for mut example in table.tables("example", faults) {
        let range = example.range();
        let expect = example.required("expect", faults).and_then(|at| {
            let known =
                [("hit", Expect::Hit), ("pass", Expect::Pass), ("n/a", Expect::NotApplicable), ("todo", Expect::Todo)];
            choice(&at, known.into_iter(), "expect", faults)
        });
        let written = example.strings("chat", faults);
        for line in &written {
            if let Err(message) = super::chat::line(&line.value) {
                let hint =
                    Some("一行写成 \"客: …\" 或 \"服: …\"(服1: 服2: 机: 自动: 系:),时间写成 客@00:01:30: …".into());
                faults.at(codes::BAD_VALUE, line.range.clone(), message, hint);
            }
        }
        let chat: Vec<_> = written.into_iter().map(|a| a.value).collect();
        let mut text = |key| example.string(key, faults).map(|t| t.value);
        let (channel, stage, queue) = (text("channel"), text("stage"), text("queue"));
        let _note = text("note");
        let tags = example.strings("tags", faults).into_iter().map(|t| t.value).collect();
        let rating = example.count("rating", faults).map(|n| n.min(5) as u8);
        example.finish("[[example]] ", faults);
        if chat.is_empty() {
            faults.at(codes::MISSING_KEY, range, "例子缺少 chat", Some("chat = [\"客: …\", \"服: …\"]".into()));
        } else if let Some(expect) = expect {
            out.push(RuleExample { expect, chat, channel, stage, queue, tags, rating, range });
        }
    }
    out
}
