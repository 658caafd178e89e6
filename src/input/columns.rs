//! What the columns of message-per-row exports mean: one table of names, Chinese and English, for headers and
//! `--columns` alike. To support another export's header, add its name here.

use crate::error::Error;

/// A field a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// The conversation a message belongs to. Required.
    ConversationId,
    /// chat, phone, …
    Channel,
    /// presale, insale, aftersale.
    Stage,
    /// The queue or skill group.
    Queue,
    /// What the conversation was tagged with.
    Tags,
    /// The customer.
    CustomerId,
    /// The order.
    OrderId,
    /// When the contact began.
    StartedAt,
    /// When it ended.
    EndedAt,
    /// The customer's rating.
    Rating,
    /// Who sent the message. Required.
    Role,
    /// The agent's id.
    AgentId,
    /// The agent's name.
    AgentName,
    /// The agent's team.
    Team,
    /// When the message was sent.
    At,
    /// Start of the utterance in the recording.
    BeginMs,
    /// End of the utterance in the recording.
    EndMs,
    /// text, image, card, …
    Kind,
    /// The recogniser's confidence.
    Confidence,
    /// The words. Required.
    Text,
}

/// Every column with the names it goes by; the first is the one outputs and messages use. Case, spaces, `_` and `-` do
/// not matter, nor whether a name is written in traditional characters.
pub const COLUMNS: &[(Column, &[&str])] = &[
    (
        Column::ConversationId,
        &[
            "conversation_id",
            "会话ID",
            "会话编号",
            "会话号",
            "会话标识",
            "对话ID",
            "对话编号",
            "咨询ID",
            "通话ID",
            "通话编号",
            "录音编号",
            "工单ID",
            "工单号",
            "工单编号",
            "session_id",
            "session",
            "sid",
            "dialog_id",
            "dialogue_id",
            "chat_id",
            "call_id",
            "contact_id",
            "ticket_id",
            "tid",
        ],
    ),
    (Column::Channel, &["channel", "渠道", "接入渠道", "来源渠道", "会话渠道", "咨询渠道", "渠道类型"]),
    (Column::Stage, &["stage", "阶段", "售前/售后", "售前售后", "业务类型", "服务阶段", "咨询阶段", "business"]),
    (Column::Queue, &["queue", "技能组", "队列", "分流组", "客服分组", "接待分组", "skill_group", "group"]),
    (Column::Tags, &["tags", "标签", "会话标签", "小结标签", "tag"]),
    (
        Column::CustomerId,
        &[
            "customer_id",
            "客户ID",
            "客户编号",
            "客户昵称",
            "客户账号",
            "客户",
            "买家昵称",
            "买家ID",
            "买家账号",
            "买家",
            "买家旺旺",
            "用户ID",
            "用户昵称",
            "用户",
            "顾客",
            "顾客ID",
            "顾客昵称",
            "会员ID",
            "会员名",
            "访客ID",
            "访客昵称",
            "customer",
            "user_id",
            "buyer_id",
            "buyer_nick",
            "visitor_id",
        ],
    ),
    (Column::OrderId, &["order_id", "订单号", "订单编号", "订单ID", "订单", "关联订单", "order_no", "order_number"]),
    (
        Column::StartedAt,
        &[
            "started_at",
            "开始时间",
            "会话开始时间",
            "接入时间",
            "会话创建时间",
            "通话开始时间",
            "咨询时间",
            "start_time",
            "begin_time",
        ],
    ),
    (Column::EndedAt, &["ended_at", "结束时间", "会话结束时间", "通话结束时间", "end_time"]),
    (
        Column::Rating,
        &[
            "rating",
            "满意度",
            "评分",
            "评价",
            "满意度评价",
            "满意度评分",
            "客户评价",
            "评价星级",
            "星级",
            "satisfaction",
            "csat",
        ],
    ),
    (
        Column::Role,
        &[
            "role",
            "发送方",
            "角色",
            "发送者类型",
            "发送者角色",
            "发送方类型",
            "发送者身份",
            "消息方向",
            "说话人",
            "说话人角色",
            "发言方",
            "发言角色",
            "发言人角色",
            "消息来源",
            "身份",
            "是否客服",
            "is_agent",
            "sender",
            "sender_type",
            "sender_role",
            "speaker",
            "speaker_role",
            "from",
        ],
    ),
    (
        Column::AgentId,
        &[
            "agent_id",
            "客服ID",
            "客服编号",
            "客服工号",
            "客服账号",
            "客服",
            "坐席工号",
            "坐席ID",
            "坐席编号",
            "坐席账号",
            "坐席",
            "座席工号",
            "座席ID",
            "座席",
            "工号",
            "接待客服",
            "客服旺旺",
            "agent",
            "staff_id",
            "service_id",
            "seller_id",
            "operator_id",
        ],
    ),
    (
        Column::AgentName,
        &[
            "agent_name",
            "客服姓名",
            "客服名称",
            "客服昵称",
            "坐席姓名",
            "坐席名称",
            "座席姓名",
            "员工姓名",
            "姓名",
            "staff_name",
        ],
    ),
    (
        Column::Team,
        &[
            "team",
            "客服组",
            "班组",
            "团队",
            "小组",
            "组别",
            "客服团队",
            "坐席组",
            "所属团队",
            "所属班组",
            "所属组",
            "部门",
            "team_name",
        ],
    ),
    (
        Column::At,
        &[
            "at",
            "发送时间",
            "时间",
            "消息时间",
            "发言时间",
            "消息发送时间",
            "时间戳",
            "time",
            "timestamp",
            "send_time",
            "sent_at",
            "created_at",
            "create_time",
            "msg_time",
            "message_time",
            "datetime",
        ],
    ),
    (
        Column::BeginMs,
        &["begin_ms", "开始毫秒", "起始毫秒", "begin", "start_ms", "begin_offset_ms", "begin_offset_millis"],
    ),
    (Column::EndMs, &["end_ms", "结束毫秒", "终止毫秒", "end", "stop_ms", "end_offset_ms", "end_offset_millis"]),
    (
        Column::Kind,
        &["kind", "消息类型", "内容类型", "消息格式", "msg_type", "message_type", "content_type", "type", "类型"],
    ),
    (Column::Confidence, &["confidence", "置信度", "识别置信度", "asr_confidence", "score"]),
    (
        Column::Text,
        &[
            "text",
            "消息内容",
            "内容",
            "消息",
            "文本",
            "聊天内容",
            "对话内容",
            "会话内容",
            "发言内容",
            "文本内容",
            "识别文本",
            "识别结果",
            "转写文本",
            "话术",
            "content",
            "message",
            "msg",
            "words",
            "utterance",
            "sentence",
            "body",
            "msg_content",
            "message_content",
        ],
    ),
];

/// The columns a delimited file must have.
pub(crate) const REQUIRED: [Column; 3] = [Column::ConversationId, Column::Role, Column::Text];

impl Column {
    /// The column a header's name stands for.
    ///
    /// ```
    /// use zhijian::input::Column;
    /// assert_eq!(Column::parse("会话id"), Some(Column::ConversationId));
    /// assert_eq!(Column::parse(" Session-ID "), Some(Column::ConversationId));
    /// assert_eq!(Column::parse("备注"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Column> {
        let name = folded(name);
        COLUMNS.iter().find(|(_, names)| names.iter().any(|n| bare(n) == name)).map(|(column, _)| *column)
    }

    /// The name messages and outputs use.
    pub fn name(self) -> &'static str {
        COLUMNS[self as usize].1[0]
    }
}

/// A name as it is compared.
fn folded(name: &str) -> String {
    bare(name).chars().map(simplified).collect()
}

fn bare(name: &str) -> String {
    let kept = name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}'));
    kept.flat_map(char::to_lowercase).collect()
}

/// The simplified form of the traditional characters that headers are made of.
fn simplified(c: char) -> char {
    const PAIRS: &str = "會会話话編编號号對对標标識识錄录單单聯联關关階阶段段業业務务詢询組组隊队戶户暱昵稱称買买賣卖訪访員员\
        賬账訂订開开時时間间結结束束創创滿满評评價价級级發发說说類类型型專专圖图內内圍围體体團团屬属\
        門门終终處处據据轉转寫写術术語语際际傳传";
    let mut chars = PAIRS.chars().filter(|c| !c.is_whitespace());
    while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
        if from == c {
            return to;
        }
    }
    c
}

/// The columns a `--columns` value names: a comma-separated list in the file's order, `-` for a column to skip.
///
/// ```
/// use zhijian::input::{Column, parse_columns};
/// let columns = parse_columns("conversation_id,-,角色,内容").unwrap();
/// assert_eq!(columns, [Some(Column::ConversationId), None, Some(Column::Role), Some(Column::Text)]);
/// assert!(parse_columns("conversation_id,role").unwrap_err().to_string().contains("text"));
/// ```
pub fn parse_columns(spec: &str) -> Result<Vec<Option<Column>>, Error> {
    let fault = |reason: String| Error::Setting { option: "--columns".into(), reason };
    let mut columns: Vec<Option<Column>> = Vec::new();
    for name in spec.split([',', '\u{FF0C}']) {
        let name = name.trim();
        if matches!(name, "-" | "_" | "") {
            columns.push(None);
            continue;
        }
        let Some(column) = Column::parse(name) else {
            let known: Vec<_> = COLUMNS.iter().map(|(_, names)| names[0]).collect();
            let near = COLUMNS
                .iter()
                .flat_map(|(_, names)| *names)
                .map(|n| (strsim::normalized_damerau_levenshtein(&folded(n), &folded(name)), *n))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(similarity, _)| *similarity >= 0.6)
                .map_or(String::new(), |(_, n)| format!(",是否想写 {n}?"));
            return Err(fault(format!(
                "不认识列名 {name}{near}\n  可用: {};不需要的列写 `-` (unknown column)",
                known.join(", ")
            )));
        };
        if columns.contains(&Some(column)) {
            return Err(fault(format!("{} 出现了两次 (named twice)", column.name())));
        }
        columns.push(Some(column));
    }
    let missing: Vec<_> = REQUIRED.iter().filter(|c| !columns.contains(&Some(**c))).map(|c| c.name()).collect();
    if !missing.is_empty() {
        return Err(fault(format!(
            "缺少必需的列 {};例如 conversation_id,customer_id,role,-,text (missing)",
            missing.join("、")
        )));
    }
    Ok(columns)
}

/// What a first row is as a header: its columns, or why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Holds the required columns.
    Known(Vec<Option<Column>>),
    /// Two names for one field: the field and both names.
    Twice(Column, String, String),
    /// Required columns that no name stands for.
    Missing(Vec<Column>),
}

/// What names are as a header; `find` tells the field a name stands for.
pub(crate) fn header(names: &[String], find: impl Fn(&str) -> Option<Column>) -> Header {
    let columns: Vec<_> = names.iter().map(|n| find(n)).collect();
    for (i, column) in columns.iter().enumerate() {
        let Some(column) = column else { continue };
        if let Some(first) = columns[..i].iter().position(|c| c.as_ref() == Some(column)) {
            return Header::Twice(*column, names[first].trim().to_owned(), names[i].trim().to_owned());
        }
    }
    let missing: Vec<_> = REQUIRED.into_iter().filter(|c| !columns.contains(&Some(*c))).collect();
    if missing.is_empty() { Header::Known(columns) } else { Header::Missing(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_unambiguous() {
        let mut all = Vec::new();
        for (i, (column, names)) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, i);
            assert!(names.iter().all(|n| folded(n) == bare(n)), "the table is in simplified characters");
            all.extend(names.iter().map(|n| folded(n)));
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "a name stands for two columns");
    }

    #[test]
    fn headers() {
        let names = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        assert_eq!(
            header(&names(&["\u{feff}会话ID", "备注", "发送方 ", "消息内容"]), Column::parse),
            Header::Known(vec![Some(Column::ConversationId), None, Some(Column::Role), Some(Column::Text)])
        );
        assert!(matches!(header(&names(&["會話ID", "發送方", "訊息", "消息內容"]), Column::parse), Header::Known(_)));
        assert_eq!(
            header(&names(&["会话ID", "内容", "角色", "消息"]), Column::parse),
            Header::Twice(Column::Text, "内容".into(), "消息".into())
        );
        assert_eq!(header(&names(&["会话ID", "x"]), Column::parse), Header::Missing(vec![Column::Role, Column::Text]));
    }

    #[test]
    fn specs() {
        let spec = parse_columns("conversation_id,customer_id,role,-,-,-,text").unwrap();
        assert_eq!(spec.len(), 7);
        assert_eq!(spec.iter().flatten().count(), 4);
        let error = parse_columns("conversation_id,role,texts").unwrap_err().to_string();
        assert!(error.contains("--columns") && error.contains("是否想写 text"), "{error}");
        assert!(parse_columns("conversation_id,role,text,内容").unwrap_err().to_string().contains("两次"));
        assert!(parse_columns("").is_err());
    }
}
