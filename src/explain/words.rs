//! The Chinese wordings of an explanation: conditions, what held a hit back, steps of a judgement.

use crate::metrics::Unit;
use crate::pack::Pack;
use crate::pack::expression::{Compare, Expr, Field, MarkerId, Meta, Value};
use crate::pack::marker::{Block, Direction, Neighbour, Occurrence, Position, Reach, Scope};
use crate::pack::rule::{Rule, Window, WindowSide};
use crate::trace::{Fact, Held};

/// A marker by title and id.
pub fn marker(pack: &Pack, id: MarkerId) -> String {
    let marker = &pack.markers[id as usize];
    format!("「{}」({})", marker.title, marker.id)
}

fn list(pack: &Pack, ids: &[MarkerId]) -> String {
    ids.iter().map(|m| marker(pack, *m)).collect::<Vec<_>>().join("、")
}

/// A condition in words; brackets only where they change the meaning.
pub fn expression(pack: &Pack, expr: &Expr) -> String {
    inner(pack, expr, 0)
}

fn inner(pack: &Pack, expr: &Expr, above: u8) -> String {
    let (level, text) = match expr {
        Expr::Marker(m) => (9, marker(pack, *m)),
        Expr::Or(parts) => (1, joined(pack, parts, " 或 ", 1)),
        Expr::And(parts) => (2, joined(pack, parts, " 并且 ", 2)),
        Expr::Then(a, b) => (3, format!("{} 之后又有 {}", inner(pack, a, 3), inner(pack, b, 4))),
        Expr::Not(part) => (4, format!("没有 {}", inner(pack, part, 4))),
        Expr::Count(m, compare, n) => (9, format!("{} 的条数 {} {n}", marker(pack, *m), sign(*compare))),
        Expr::Repeat(role, n) => {
            let who = if *role == crate::conversation::Role::Agent { "客服" } else { "客户" };
            (9, format!("{who}第 {n} 次发相似的话"))
        }
        Expr::Field(f, compare, v) => (9, format!("{} {} {}", field(*f), sign(*compare), value(*f, v))),
        Expr::Missing(f) => (9, format!("没有{}数据", field(*f))),
    };
    if level < above { format!("({text})") } else { text }
}

fn joined(pack: &Pack, parts: &[Expr], word: &str, level: u8) -> String {
    parts.iter().map(|p| inner(pack, p, level + 1)).collect::<Vec<_>>().join(word)
}

fn sign(compare: Compare) -> &'static str {
    match compare {
        Compare::Equal => "=",
        Compare::NotEqual => "≠",
        Compare::Less => "<",
        Compare::AtMost => "≤",
        Compare::More => ">",
        Compare::AtLeast => "≥",
    }
}

/// A field's Chinese name.
pub fn field(field: Field) -> String {
    match field {
        Field::Metric(metric) => metric.title().to_string(),
        Field::Meta(meta) => match meta {
            Meta::Channel => "渠道",
            Meta::Stage => "阶段",
            Meta::Queue => "队列",
            Meta::Tag => "会话标签",
            Meta::Team => "班组",
            Meta::Rating => "客户评分",
            Meta::Hour => "进线钟点",
            Meta::IsFirstAgent => "是首位客服",
            Meta::IsLastAgent => "是末位客服",
            Meta::Transferred => "有转接",
        }
        .to_string(),
    }
}

/// A value in its field's unit.
pub fn value(of: Field, value: &Value) -> String {
    match (value, of) {
        (Value::Text(text), _) => format!("“{text}”"),
        (Value::Number(n), Field::Meta(Meta::IsFirstAgent | Meta::IsLastAgent | Meta::Transferred)) => {
            if *n == 0 {
                "否".into()
            } else {
                "是".into()
            }
        }
        (Value::Number(n), Field::Metric(metric)) => measure(metric, *n),
        (Value::Number(n), _) => n.to_string(),
    }
}

/// A measure in its unit.
pub fn measure(metric: crate::metrics::Metric, n: i64) -> String {
    match metric.unit() {
        Unit::Millis => format!("{} 秒", n as f64 / 1000.0),
        Unit::Ratio => format!("{}", n as f64 / 1000.0),
        Unit::Count => n.to_string(),
    }
}

/// `渠道是“chat”`, `首次响应没有数据`.
pub fn facts(facts: &[Fact]) -> String {
    let one = |(of, v): &Fact| match v {
        Some(v) => format!("{}是 {}", field(*of), value(*of, v)),
        None => format!("{}没有数据", field(*of)),
    };
    facts.iter().map(one).collect::<Vec<_>>().join(",")
}

/// What held a hit back, one sentence.
pub fn held(pack: &Pack, block: &Block, held: &Held, text: &str) -> String {
    match held {
        Held::Excepted(span, reach) => {
            let place = match reach {
                Reach::Inside => "它落在例外",
                Reach::Clause => "同一小句里有例外",
                Reach::Sentence => "同一句里有例外",
                Reach::Turn => "这条消息里有例外",
            };
            format!("{place}“{}”", span.slice(text))
        }
        Held::ExceptRegex(span) => format!("与例外正则匹配的“{}”重叠", span.slice(text)),
        Held::NotWhole => "要求它就是整条消息(whole),这条还说了别的".into(),
        Held::NotStart => "要求在消息开头(start)".into(),
        Held::NotEnd => "要求在消息结尾(end)".into(),
        Held::Question(true) => "要求是问句(question = true),这里不是".into(),
        Held::Question(false) => "要求不是问句(question = false),这里是问句".into(),
        Held::Negated => "前面有否定词(negation)".into(),
        Held::CommonWords => "读音相同,但本身是常用词,不算".to_string(),
        Held::NotWord => "两端不在词的边界上(word),它只是别的词的一部分".into(),
        Held::LongerNumber => "只是更长的号码里的一段".into(),
        Held::NoWords => "没有分词,无法判断词的边界(word)".into(),
        Held::Length => format!(
            "消息长度不在要求之内({}{})",
            block.min_chars.map_or_else(String::new, |n| format!("至少 {n} 字 ")),
            block.max_chars.map_or_else(String::new, |n| format!("至多 {n} 字"))
        ),
        Held::Confidence => "语音识别的置信度太低(min_confidence)".into(),
        Held::Channel => format!("只用于渠道 {}", block.channels.join("、")),
        Held::Apart => "各部分都出现了,但距离、顺序不符,或中间隔着不许出现的词(near)".into(),
        Held::FewHits => format!("命中不足 {} 处(min_hits)", block.min_hits),
        Held::FewDifferent => format!("不同的短语不足 {} 个(at_least)", block.at_least),
        Held::Unless(m) => format!("同一条消息带有{}(unless)", marker(pack, *m)),
        Held::With(list_) => format!("同一条消息没有 {}(with)", list(pack, list_)),
        Held::ReplyTo(list_) => format!("对方前面的话没有 {}(reply_to)", list(pack, list_)),
        Held::Neighbour(n) => neighbour(pack, n),
        Held::Position => match block.context.position.as_ref() {
            Some(own) => format!("位置不符,要求{}", position(own)),
            None => "位置不符(position)".into(),
        },
    }
}

fn neighbour(pack: &Pack, n: &Neighbour) -> String {
    let side = match n.direction {
        Direction::After => "之前",
        Direction::Before => "之后",
        Direction::Around => "前后",
    };
    let turns = n.turns.map_or_else(String::new, |t| format!(" {t} 条消息内"));
    let time = n.ms.map_or_else(String::new, |ms| format!(" {} 秒内", ms / 1000));
    let which = match n.occurrence {
        Occurrence::Each => "",
        Occurrence::First => "第一次出现的",
        Occurrence::Last => "最后一次出现的",
    };
    format!("{side}{turns}{time}没有{which}{}", marker(pack, n.marker))
}

/// Where a turn must stand.
pub fn position(p: &Position) -> String {
    let mut parts = Vec::new();
    let mut add = |part: Option<String>| parts.extend(part);
    add(p.first_turns.map(|n| format!("在前 {n} 条内")));
    add(p.last_turns.map(|n| format!("在最后 {n} 条内")));
    add(p.first_ms.map(|n| format!("在前 {} 秒内", n / 1000)));
    add(p.last_ms.map(|n| format!("在最后 {} 秒内", n / 1000)));
    add(p.first_share.map(|n| format!("在前 {}% 内", n / 10)));
    add(p.last_share.map(|n| format!("在最后 {}% 内", n / 10)));
    let of = if p.of == Scope::Conversation { "整通会话" } else { "本客服的服务段" };
    format!("{}({of})", parts.join("、"))
}

/// Where a rule looks, in words.
pub fn window(rule: &Rule) -> String {
    let Some(Window { agent_turns, customer_turns, turns, ms, side }) = &rule.within else {
        return "不限(到本客服服务段结束)".into();
    };
    let side = match side {
        WindowSide::After => "之后",
        WindowSide::Before => "之前",
        WindowSide::Around => "前后",
    };
    let mut parts = Vec::new();
    let mut add = |part: Option<String>| parts.extend(part);
    add(agent_turns.map(|n| format!("{n} 条客服消息")));
    add(customer_turns.map(|n| format!("{n} 条客户消息")));
    add(turns.map(|n| format!("{n} 条消息")));
    add(ms.map(|n| format!("{} 秒", n / 1000)));
    if parts.is_empty() { side.to_string() } else { format!("{side} {}内", parts.join("、")) }
}
