//! Every key a pack file may have, in one table, and the JSON Schemas made from it, so that editors complete and check
//! TOML (`#:schema` of taplo, VS Code's Even Better TOML). Tests hold the table against what the readers know.

use serde_json::{Map, Value, json};

/// A key: its name, what it takes, what it means.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means, in Chinese.
    pub about: &'static str,
    /// Must be there.
    pub required: bool,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// true or false.
    Flag,
    /// A whole number of zero or more.
    Count,
    /// A number.
    Number,
    /// A number, or a duration such as `"30s"`.
    Bound,
    /// A list of texts, or one text.
    Texts,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Lists of alternatives.
    Parts,
    /// A table with these keys.
    Table(Keys),
    /// `[[…]]` tables with these keys.
    Tables(Keys),
    /// Tables under names of the user's own.
    Named(Keys),
    /// Lists of texts under names of the user's own.
    NamedTexts,
    /// Numbers under names of the user's own.
    NamedNumbers,
}

/// Groups of keys.
pub type Keys = &'static [&'static [Key]];

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, about, required: false }
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, about, required: true }
}

use Kind::{Bound, Count, Flag, Named, NamedNumbers, NamedTexts, Number, OneOf, Parts, Table, Tables, Text, Texts};

const NEAR: &[Key] = &[
    must("parts", Parts, "要靠近出现的几部分,每部分一个词或几个可选的词"),
    key("within", Count, "前一部分的结尾到后一部分的开头最多隔几个字(或词),默认 6"),
    key("ordered", Flag, "必须按先后顺序,默认 true"),
    key("unit", OneOf(&["chars", "words"]), "距离按字(chars)还是按词(words)算"),
    key("not", Texts, "各部分之间不许出现的词"),
];

const NEIGHBOUR: &[Key] = &[
    must("marker", Text, "另一个标记"),
    key("turns", Count, "最多隔几条消息"),
    key("seconds", Number, "最多隔几秒"),
    key("occurrence", OneOf(&["each", "first", "last"]), "看它的每一次、第一次还是最后一次出现"),
];

const POSITION: &[Key] = &[
    key("first_turns", Count, "本方的前几条消息"),
    key("last_turns", Count, "本方的最后几条消息"),
    key("first_seconds", Number, "开头几秒内"),
    key("last_seconds", Number, "最后几秒内"),
    key("first_share", Number, "前几成(0–1)"),
    key("last_share", Number, "最后几成(0–1)"),
    key("of", OneOf(&["segment", "conversation"]), "在本客服的服务段里数(默认),还是在整通会话里数"),
];

const CONTEXT: &[Key] = &[
    key("unless", Texts, "同一条消息带有这些标记之一就不算"),
    key("with", Texts, "同一条消息要带有这些标记之一"),
    key("reply_to", Texts, "回复的那段对方的话要带有这些标记之一"),
    key("after", Table(&[NEIGHBOUR]), "之前要有另一个标记"),
    key("before", Table(&[NEIGHBOUR]), "之后要有另一个标记"),
    key("around", Table(&[NEIGHBOUR]), "前后要有另一个标记"),
    key("position", Table(&[POSITION]), "在会话里的位置"),
];

const BLOCK: &[Key] = &[
    key(
        "view",
        OneOf(&["plain", "squeezed", "pinyin"]),
        "在哪种文本里找:plain 归一化文本(默认)、squeezed 去掉空格标点表情并还原形近字、pinyin 拼音(电话)",
    ),
    key("phrases", Texts, "短语,出现任一条就算;\"@名字\" 引用 pack.toml 的短语表"),
    key("phrases_file", Text, "放在 markers/ 里的短语文件:.txt 一行一条,或 .csv 取第一列"),
    key("regex", Texts, "正则(线性时间语法,不支持前后查找),不分大小写"),
    key("entity", Texts, "实体:手机号、身份证、银行卡、订单号、网址、金额、日期之类"),
    key("near", Tables(&[NEAR]), "几部分靠近出现"),
    key("except", Texts, "例外:命中与它重叠或在同一句里就不算"),
    key("except_inside", Texts, "例外:命中落在它里面或与它重叠就不算(商品词)"),
    key("except_clause", Texts, "例外:命中与它在同一小句里就不算"),
    key("except_turn", Texts, "例外:这条消息里有它就不算"),
    key("except_regex", Texts, "例外正则:命中与它的匹配重叠就不算"),
    key("word", Flag, "命中的两端要在词的边界上(滚 不在 滚筒 里)"),
    key("whole", Flag, "命中就是整条消息(标点、语气词、表情不计)"),
    key("start", Flag, "命中在消息开头"),
    key("end", Flag, "命中在消息结尾"),
    key("negation", Flag, "前面有否定词就不算"),
    key("question", Flag, "true 只在问句里算;false 只在非问句里算"),
    key("at_least", Count, "至少出现几条不同的短语"),
    key("min_hits", Count, "至少命中几处"),
    key("min_chars", Count, "消息至少几个字"),
    key("max_chars", Count, "消息至多几个字"),
    key("min_confidence", Number, "语音识别置信度至少多少(0–1)"),
    key("channels", Texts, "只用于这些渠道;\"*\" 表示全部(拼音默认只用于 phone)"),
];

const SIDES: &[&str] = &["agent", "customer", "any"];

const MARKER_EXAMPLE: &[Key] = &[
    key("hit", Texts, "应该命中的一句话,或一段对话(判最后一行)"),
    key("miss", Texts, "很像但不该命中的一句话,或一段对话"),
    key("todo", Flag, "已知还做不到:列出但不算失败"),
    key("channel", Text, "例子的渠道"),
    key("note", Text, "备注"),
];

const MARKER: &[Key] = &[
    must("title", Text, "中文名"),
    key("kind", OneOf(&["rules", "model"]), "rules 用短语等判断(默认),model 用学来的权重判断"),
    key(
        "alone",
        OneOf(&["count", "review"]),
        "kind = \"model\" 时,只有模型认为有、短语没有命中的:count 照常判(默认),review 只进复核",
    ),
    key("model", Text, "kind = \"model\" 时:markers/ 里的模型文件,名字以 .model.toml 结尾"),
    must("role", OneOf(SIDES), "谁说的:agent 客服、customer 客户、any 双方"),
    key("about", Text, "一句话说明它是什么意思"),
    key(
        "pattern",
        Tables(&[&[key("role", OneOf(SIDES), "这一段只看谁的话")], BLOCK, CONTEXT]),
        "再加一段条件,任一段命中就算",
    ),
    must("example", Tables(&[MARKER_EXAMPLE]), "例子:至少一个 hit 一个 miss"),
];

const LIMIT: &[Key] = &[
    must("metric", Text, "指标,如 first_response"),
    key("min", Bound, "最小值"),
    key("max", Bound, "最大值,如 \"30s\""),
];

const WITHIN: &[Key] = &[
    key("agent_turns", Count, "几条客服消息内"),
    key("customer_turns", Count, "几条客户消息内"),
    key("turns", Count, "几条消息内"),
    key("seconds", Number, "几秒内"),
    key("direction", OneOf(&["after", "before", "around"]), "触发之后(默认)、之前、前后"),
];

const RULE_EXAMPLE: &[Key] = &[
    must("expect", OneOf(&["hit", "pass", "n/a", "todo"]), "期望:hit 有发现、pass 通过、n/a 不适用、todo 以后要命中"),
    must("chat", Texts, "对话,一行一条:客: / 服: / 服2: / 机: / 自动: / 系:,时间写成 客@00:01:30:"),
    key("channel", Text, "渠道"),
    key("stage", Text, "阶段"),
    key("queue", Text, "队列"),
    key("tags", Texts, "会话标签"),
    key("rating", Count, "客户评分 1–5"),
    key("note", Text, "备注"),
];

const EFFECTIVE: &[Key] = &[key("from", Text, "从哪天起(含),如 \"2026-01-01\""), key("to", Text, "到哪天止(不含)")];

const SEVERITIES: &[&str] = &["note", "minor", "major", "critical"];

const RULE: &[Key] = &[
    must("id", Text, "编号,与文件名相同,小写字母和连字符"),
    must("title", Text, "用几个字说出问题或要求"),
    must("dimension", Text, "评分卡里的维度"),
    must("severity", OneOf(SEVERITIES), "note 提示、minor 轻微、major 严重、critical 一票否决"),
    key(
        "error_class",
        OneOf(&["customer", "business", "compliance", "none"]),
        "差错类别(COPC):客户、业务、合规关键,或非关键",
    ),
    key("points", Number, "一次的分值:负数扣分,正数加分"),
    key("cap", Number, "一通会话里最多扣(加)多少"),
    key("when", Text, "触发条件;不出现就不适用"),
    key("require", Text, "该做的(require / forbid / limit 三选一)"),
    key("forbid", Text, "不该出现的"),
    key("limit", Table(&[LIMIT]), "指标的上下限"),
    key("within", Table(&[WITHIN]), "从触发算起看多远"),
    key("include_trigger", Flag, "触发的那条消息自己也算在窗口里"),
    key("trigger", OneOf(&["first", "each", "last"]), "判第一次(默认)、每一次还是最后一次触发"),
    key("applies", Text, "适用范围,如 channel == \"chat\""),
    key("segment", OneOf(&["any", "first", "last"]), "判每位客服(默认)、第一位还是最后一位"),
    key("review_only", Flag, "只进复核队列,不扣分"),
    key("off", Flag, "关闭这条规则"),
    key("effective", Table(&[EFFECTIVE]), "生效日期"),
    key("after_rule", Text, "那条规则有发现才判;\"not 规则\" 表示没有发现才判"),
    key("skill", Text, "对应的技能"),
    key("module", Text, "培训模块"),
    key("what", Text, "查的是什么"),
    key("why", Text, "为什么重要"),
    key("coach", Text, "给客服的建议:具体、友善"),
    key("say", Texts, "更好的说法,一到三句"),
    key("source", Text, "依据:法律、平台规则或通行做法"),
    must("example", Tables(&[RULE_EXAMPLE]), "例子:至少一个 hit 一个 pass 或 n/a"),
];

const DIMENSION: &[Key] = &[
    must("id", Text, "编号,规则的 dimension 写它"),
    must("title", Text, "中文名"),
    key("title_en", Text, "英文名"),
    key("about", Text, "说明"),
    must("weight", Count, "权重;全部相加为 100"),
];

const TARGET: &[Key] = &[
    must("metric", Text, "指标,如 pass_rate、score、first_response"),
    key("title", Text, "中文名"),
    key("period", OneOf(&["year", "quarter", "month", "week", "day"]), "周期"),
    key("min", Number, "至少"),
    key("max", Number, "至多"),
    key("note", Text, "备注"),
];

const GATE: &[Key] = &[
    key("min_agent_turns", Count, "客服至少几条消息才评分"),
    key("min_customer_turns", Count, "客户至少几条消息才评分"),
];

const SCORECARD: &[Key] = &[
    key("base", Number, "满分,只能是 100"),
    key("pass_mark", Number, "合格线"),
    key("min_sample", Count, "会话数少于它只显示“样本不足”"),
    key("bonus_cap", Number, "一通会话加分合计的上限"),
    key("gate", Table(&[GATE]), "太短的会话不评分"),
    must("dimension", Tables(&[DIMENSION]), "维度"),
    key("target", Tables(&[TARGET]), "目标值"),
];

const NEGATION: &[Key] = &[
    key("words", Texts, "否定词"),
    key("ignore", Texts, "含否定字但不表示否定的词"),
    key("window", Count, "否定词到命中最多隔几个字"),
];

const RULE_CHANGE: &[Key] = &[
    key("points", Number, "改分值"),
    key("cap", Number, "改封顶"),
    key("severity", OneOf(SEVERITIES), "改级别"),
    key("off", Flag, "关闭"),
    key("review_only", Flag, "只复核不扣分"),
];

const MARKER_CHANGE: &[Key] = &[
    key("view", OneOf(&["plain", "squeezed"]), "加的短语在哪种文本里找,默认 squeezed"),
    key("add", Texts, "加这些短语"),
    key("except", Texts, "加这些例外"),
    key("remove", Texts, "去掉这些短语"),
];

const REVIEW: &[Key] = &[
    key("min_confidence", Number, "语音识别置信度低于它的会话送复核(0–1)"),
    key("agent_voice", Text, "只有客服会说的话的标记:出现在客户那边就疑似角色弄反"),
    key("swapped_from", Count, "弄反的迹象至少几处才送复核,默认 2"),
];

const REPEAT: &[Key] = &[
    key("look_back", Count, "往前看几条同一方的消息"),
    key("similarity", Number, "多像才算重复(0–1)"),
    key("min_chars", Count, "短于几个字的不算"),
    key("except", Texts, "这些话重复不算"),
];

const PACK: &[Key] = &[
    must("id", Text, "规则包编号"),
    must("title", Text, "规则包名称"),
    key("version", Text, "版本"),
    key("lang", Text, "语言"),
    key("extends", OneOf(super::source::EMBEDDED), "继承的内置规则包"),
    key("userdict", Text, "分词用户词典的文件名,默认 userdict.txt"),
    key("lists", NamedTexts, "短语表,用 \"@名字\" 引用"),
    key("negation", Table(&[NEGATION]), "否定词"),
    key("review", Table(&[REVIEW]), "哪些会话送复核而不扣分"),
    key("repeat", Table(&[REPEAT]), "repeat( ) 怎样算重复"),
    key("rule", Named(&[RULE_CHANGE]), "改继承来的规则"),
    key("marker", Named(&[MARKER_CHANGE]), "改继承来的标记"),
];

const TOPIC: &[Key] = &[
    must("id", Text, "编号;二级写成 一级.二级"),
    must("title", Text, "中文名"),
    key("title_en", Text, "英文名"),
    key("phrases", Texts, "客户的话里出现任一条就算"),
    key("regex", Texts, "正则"),
    key("except", Texts, "同一句里有它就不算"),
    key("weight", Number, "越大越能说明主要原因"),
];

const TOPICS: &[Key] = &[
    key("reason", Tables(&[TOPIC, &[key("sub", Tables(&[TOPIC]), "二级原因")]]), "来访原因"),
    key("fault", Tables(&[TOPIC, &[key("urgency", OneOf(&["high", "normal"]), "紧急程度")]]), "商品问题"),
];

const ESTIMATE: &[Key] = &[
    key("intercept", Number, "平均水平的会话的估计,默认 0.5"),
    key("about", Text, "说明"),
    key("learnt", Table(&[LEARNT]), "从哪里学来的,只给人看"),
    key("feature", Tables(&[FEATURE]), "特征和权重"),
    key("words", Table(&[WORDS]), "说到就算的词和权重"),
];

const LEARNT: &[Key] = &[
    key("conversations", Count, "用了多少通打过分的会话"),
    key("target", Text, "学的是什么分值"),
    key("rho", Number, "交叉验证:与人打分的等级相关"),
    key("auc_bad", Number, "交叉验证:认出不满意的 AUC"),
    key("penalty", Number, "岭回归的惩罚"),
];

const FEATURE: &[Key] = &[
    must("id", Text, "customer.标记.位置、agent.标记.位置,或会话形态的名字"),
    must("title", Text, "作为理由时的说法"),
    key("absent", Text, "没有它而影响估计时的说法;不写则没有它不作理由"),
    must("weight", Number, "特征值每多 1,估计抬高或压低多少"),
    key("mean", Number, "特征的平均值,默认 0"),
];

const WORDS: &[Key] = &[
    key("customer_open", NamedNumbers, "客户在客服答复之前说的词"),
    key("customer_later", NamedNumbers, "客户后来说的词"),
    key("agent", NamedNumbers, "客服说的词"),
];

const PROFILE: &[Key] = &[
    must("id", Text, "编号"),
    must("title", Text, "中文名"),
    key("title_en", Text, "英文名"),
    key("figure", OneOf(&["mean", "within"]), "mean 平均等待时长,within 在 limit 内答复的占比"),
    key("unit", OneOf(&["round", "session", "customer"]), "按轮、按会话的第一轮、按一通咨询"),
    key("limit", Text, "达标时限,如 \"180s\""),
    key("cap", Text, "超过它按它算"),
    key("unanswered", Text, "未回复按它算"),
    key("hours", Text, "服务时间,如 \"08:00-23:00\""),
    key("replies", Texts, "算回复的消息: person、assisted、auto、bot"),
    key("bot", OneOf(&["exclude", "wait"]), "机器人接待的轮次剔除,或一直等到人工"),
    key("transfer", OneOf(&["first_unanswered", "follow"]), "没回复就转接怎么算"),
    key("session_gap", Text, "间隔多久算新的会话"),
    key("channels", Texts, "适用的渠道"),
    key("ignore_polite", Flag, "客户道谢告别不要求回复"),
    key("source", Text, "口径的依据"),
];

const PROFILES: &[Key] = &[key("profile", Tables(&[PROFILE]), "平台响应指标")];

/// The kinds of files: name, title, which files, keys.
pub const FILES: &[(&str, &str, &str, Keys)] = &[
    ("marker", "标记", "markers/*.toml", &[MARKER, BLOCK, CONTEXT]),
    ("rule", "规则", "rules/*.toml", &[RULE]),
    ("scorecard", "评分卡", "scorecard.toml", &[SCORECARD]),
    ("pack", "规则包", "pack.toml", &[PACK]),
    ("topics", "来访原因", "topics.toml", &[TOPICS]),
    ("satisfaction", "满意度估计", "satisfaction.toml", &[ESTIMATE]),
    ("profiles", "平台响应指标", "profiles.toml", &[PROFILES]),
];

/// The JSON Schema (draft 2020-12) of a kind of file.
pub fn schema(kind: &str) -> Option<Value> {
    let (name, title, files, keys) = FILES.iter().find(|f| f.0 == kind)?;
    let mut out = object(keys);
    out.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    out.insert("$id".into(), json!(format!("urn:zhijian:{name}")));
    out.insert("title".into(), json!(format!("质检{title}({files})")));
    if *name == "rule" {
        let one = |key: &str| json!({"required": [key]});
        out.insert("oneOf".into(), json!([one("require"), one("forbid"), one("limit")]));
    }
    Some(Value::Object(out))
}

fn object(keys: Keys) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys.iter().flat_map(|group| group.iter()) {
        let mut value = value(key.kind);
        if let Some(object) = value.as_object_mut() {
            object.insert("description".into(), json!(key.about));
        }
        properties.insert(key.name.into(), value);
        if key.required {
            required.push(json!(key.name));
        }
    }
    let mut out = Map::new();
    out.insert("type".into(), json!("object"));
    out.insert("additionalProperties".into(), json!(false));
    if !required.is_empty() {
        out.insert("required".into(), Value::Array(required));
    }
    out.insert("properties".into(), Value::Object(properties));
    out
}

fn value(kind: Kind) -> Value {
    let text = || json!({"type": "string"});
    let texts = || json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    match kind {
        Text => text(),
        Flag => json!({"type": "boolean"}),
        Count => json!({"type": "integer", "minimum": 0}),
        Number => json!({"type": "number"}),
        Bound => {
            json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[0-9.]+ *(ms|s|m|min|h|d|秒|分|分钟|小时|天)$"}]})
        }
        Texts => texts(),
        OneOf(words) => json!({"enum": words}),
        Parts => json!({"type": "array", "minItems": 2, "items": texts()}),
        Table(keys) => Value::Object(object(keys)),
        Tables(keys) => json!({"type": "array", "items": Value::Object(object(keys))}),
        Named(keys) => json!({"type": "object", "additionalProperties": Value::Object(object(keys))}),
        NamedTexts => json!({"type": "object", "additionalProperties": texts()}),
        NamedNumbers => json!({"type": "object", "additionalProperties": {"type": "number"}}),
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
