//! What the columns of 违规明细 and 会话 hold and mean.

use super::Page;
use super::style::Kind;
use super::table::{Column, column};

/// Columns of 违规明细.
pub(super) fn finding_columns(page: &Page<'_>, wrapped: bool) -> Vec<Column> {
    let c = |kind, title, about| column(page.night.lang, kind, title, about);
    let long = if wrapped { Kind::Wrap } else { Kind::Text };
    use Kind::*;
    let mut out = vec![
        c(
            Text,
            ("会话ID", "Conversation"),
            ("导出里的会话编号,原样,按文字存。", "The conversation's id as exported, held as text."),
        ),
        c(Text, ("客服ID", "Agent id"), ("这一处算在谁名下。", "Whose finding it is.")),
        c(Text, ("姓名", "Name"), ("客服姓名。", "The agent's name.")),
        c(Text, ("团队", "Team"), ("客服所在团队。", "The agent's team.")),
        c(Text, ("标题", "Title"), ("规则说的事。", "What the rule is about.")),
        c(Text, ("级别", "Severity"), ("提示、轻微、严重、一票否决。", "note, minor, major, critical.")),
        c(
            Points,
            ("分值", "Points"),
            ("这一处的分值,负数扣分,正数加分;封顶之后为 0。", "Points of this finding; 0 beyond the rule's cap."),
        ),
        c(
            Count,
            ("第几条", "Message"),
            ("在会话里是第几条消息,从 1 数起。", "Which message of the conversation, counted from 1."),
        ),
        c(
            long,
            ("原话", "Quote"),
            ("判断所指的原话(已遮盖个人信息),过长的截短。", "The words it points at, masked; very long ones cut."),
        ),
        c(long, ("原因", "Why"), ("为什么算一处。", "Why it is a finding.")),
        c(
            Text,
            ("说明", "Remark"),
            ("“待复核”不扣分,等人看;“封顶”是同一规则已扣到上限。", "Left to review, or beyond the cap."),
        ),
        c(Link, ("会话", "Go to"), ("跳到“会话”表里的这一通。", "Jumps to the conversation's row.")),
        c(
            Link,
            ("聊天", "Chat"),
            ("打开这通会话的聊天页面(有页面时)。", "Opens the conversation's page, where there is one."),
        ),
        c(Text, ("维度", "Dimension"), ("分值计入的维度。", "The dimension its points count in.")),
        c(Text, ("规则", "Rule"), ("规则编号,可在“规则”表查。", "The rule's id.")),
    ];
    for (number, widest) in [(8, 44), (9, 56)] {
        out[number].widest = widest;
    }
    out
}

/// Columns of 会话.
pub(super) fn conversation_columns(page: &Page<'_>) -> Vec<Column> {
    let c = |kind, title, about| column(page.night.lang, kind, title, about);
    use Kind::*;
    vec![
        c(
            Text,
            ("会话ID", "Conversation"),
            ("导出里的会话编号,原样,按文字存。", "The conversation's id as exported, held as text."),
        ),
        c(Text, ("客服ID", "Agents"), ("参与的客服,按先后。", "Its agents in order.")),
        c(Text, ("姓名", "Names"), ("客服姓名。", "Their names.")),
        c(Text, ("团队", "Teams"), ("客服所在团队。", "Their teams.")),
        c(Points, ("得分", "Score"), ("会话得分,满分 100;没有评判的空着。", "The conversation's score, of 100.")),
        c(Points, ("否决前得分", "Raw score"), ("一票否决置零之前的得分。", "Before a critical finding set it to 0.")),
        c(
            Text,
            ("合格", "Passed"),
            ("每位客服的部分都达到合格线为“是”。", "Yes when every agent's part reached the pass mark."),
        ),
        c(Text, ("一票否决", "Critical"), ("有一票否决问题为“是”。", "Yes with a critical finding.")),
        c(
            Count,
            ("问题处数", "Findings"),
            ("这一通的问题处数(含待复核和加分)。", "Findings of the conversation, review and bonuses too."),
        ),
        c(Points, ("分值合计", "Points"), ("各处分值之和。", "Sum of the findings' points.")),
        c(Text, ("主要诉求", "Main reason"), ("客户为什么来。", "Why the customer came.")),
        c(Text, ("解决", "Resolution"), ("已解决、未解决、无法判断。", "resolved, unresolved, unknown.")),
        c(
            Share,
            ("满意度估计", "Satisfaction est."),
            ("模型估计,0–1,不是客户打的分。", "The estimate, 0–1; not a rating."),
        ),
        c(Seconds, ("首次响应", "First response"), ("客户第一条消息到首次回复。", "To the first reply.")),
        c(Seconds, ("平均响应", "Average response"), ("每轮回复等待的平均。", "Mean waiting a round.")),
        c(Seconds, ("最长响应", "Longest response"), ("等得最久的一轮。", "The longest round.")),
        c(Seconds, ("处理时长", "Handling time"), ("从第一条到最后一条消息。", "From the first to the last message.")),
        c(Count, ("消息数", "Messages"), ("双方消息条数。", "Messages of both sides.")),
        c(
            Text,
            ("没有评判的原因", "Not judged"),
            ("没有人工客服、太短,或没有适用的规则。", "No agent, too short, or no rule applicable."),
        ),
        c(Link, ("问题", "Go to"), ("跳到“违规明细”里这一通的第一处。", "Jumps to its first finding.")),
        c(
            Link,
            ("聊天", "Chat"),
            ("打开这通会话的聊天页面(有页面时)。", "Opens the conversation's page, where there is one."),
        ),
    ]
}
