//! The data model every input format is read into: a [`Conversation`] of [`Turn`]s.
//!
//! Texts borrow from the input buffer where they can (`Cow`), so that reading a turn allocates nothing.
//! Values are checked when a conversation is built: a role is one of four, a time is a number of milliseconds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person of the service team.
    Agent,
    /// The buyer.
    Customer,
    /// An automatic assistant.
    Bot,
    /// Notices of the platform (transfers, order cards, queue messages).
    System,
}

impl Role {
    /// Every role, in the order of the design.
    pub const ALL: [Role; 4] = [Role::Agent, Role::Customer, Role::Bot, Role::System];

    /// The role named by an export's value; case and surrounding spaces do not matter.
    ///
    /// ```
    /// use zhijian::conversation::Role;
    /// assert_eq!(Role::parse("客服"), Some(Role::Agent));
    /// assert_eq!(Role::parse("0"), Some(Role::Customer));
    /// assert_eq!(Role::parse("经理"), None);
    /// ```
    pub fn parse(value: &str) -> Option<Role> {
        let value = value.trim();
        Some(match value {
            "agent" | "客服" | "坐席" | "座席" | "seller" | "1" | "人工" | "人工客服" | "商家" | "卖家" | "staff"
            | "服务" | "员工" | "service" | "operator" | "人工坐席" | "客服人员" | "賣家" | "商家客服" | "接待客服"
            | "客服代表" | "representative" => Role::Agent,
            "customer" | "客户" | "买家" | "user" | "0" | "顾客" | "用户" | "访客" | "消费者" | "buyer" | "client"
            | "visitor" | "end_user" | "客戶" | "買家" | "顧客" | "訪客" | "會員" | "会员" | "用戶" | "消費者"
            | "来电人" | "caller" | "guest" => Role::Customer,
            "bot" | "机器人" | "智能客服" | "robot" | "automated_agent" | "custom_bot" | "机器人客服" | "機器人"
            | "智能助手" | "智能机器人" | "语音机器人" | "智能語音" | "ivr" | "assistant" => {
                Role::Bot
            }
            "system" | "系统" | "系统消息" | "notice" | "通知" | "系統" | "系統消息" | "系统通知" | "平台"
            | "event" => Role::System,
            _ => {
                if value.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Role::parse(&value.to_ascii_lowercase());
                }
                return None;
            }
        })
    }

    /// The stable English name used in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Customer => "customer",
            Role::Bot => "bot",
            Role::System => "system",
        }
    }
}

/// What a turn carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Words a person typed or spoke.
    #[default]
    Text,
    /// A picture.
    Image,
    /// An order, product or coupon card.
    Card,
    /// A message the platform sent in the agent's name.
    AutoReply,
    /// A message taken back by its sender.
    Recalled,
    /// A sound recording.
    Voice,
    /// A video.
    Video,
    /// A file.
    File,
    /// Anything else an export names.
    Other,
}

impl Kind {
    /// The kind named by an export's value; unknown names are [`Kind::Other`], an empty one is text.
    pub fn parse(value: &str) -> Kind {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "text" | "文本" | "文字" | "txt" | "message" => Kind::Text,
            "image" | "图片" | "圖片" | "img" | "picture" | "photo" => Kind::Image,
            "card" | "卡片" | "order" | "订单" | "訂單" | "商品" | "link" | "链接" | "連結" => Kind::Card,
            "auto_reply" | "自动回复" | "自動回覆" | "自動回復" | "auto" | "autoreply" | "欢迎语" => {
                Kind::AutoReply
            }
            "recalled" | "撤回" | "revoke" | "已撤回" => Kind::Recalled,
            "voice" | "语音" | "語音" | "audio" => Kind::Voice,
            "video" | "视频" | "視頻" | "影片" => Kind::Video,
            "file" | "文件" => Kind::File,
            _ => Kind::Other,
        }
    }

    /// The stable English name used in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Image => "image",
            Kind::Card => "card",
            Kind::AutoReply => "auto_reply",
            Kind::Recalled => "recalled",
            Kind::Voice => "voice",
            Kind::Video => "video",
            Kind::File => "file",
            Kind::Other => "other",
        }
    }

    /// True when the turn's text is a person's own words (typed, or a transcribed recording).
    pub fn is_words(self) -> bool {
        matches!(self, Kind::Text | Kind::Voice)
    }
}

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;

/// One message or utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn<'a> {
    /// Who speaks.
    pub role: Role,
    /// Which agent, where the export says so (the conversation's `agent_id` otherwise).
    pub agent_id: Option<Cow<'a, str>>,
    /// When the message was sent.
    pub at: Option<Millis>,
    /// Start of the utterance, milliseconds from the start of the recording.
    pub begin_ms: Option<i64>,
    /// End of the utterance, milliseconds from the start of the recording.
    pub end_ms: Option<i64>,
    /// The words as exported.
    pub text: Cow<'a, str>,
    /// What the turn carries.
    pub kind: Kind,
    /// Confidence of the speech recogniser, 0–1.
    pub confidence: Option<f32>,
}

impl<'a> Turn<'a> {
    /// A text turn with nothing but a role and words.
    pub fn new(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Turn {
            role,
            agent_id: None,
            at: None,
            begin_ms: None,
            end_ms: None,
            text: text.into(),
            kind: Kind::Text,
            confidence: None,
        }
    }

    /// True when the turn is a person's own words: not a bot's or the system's, no card, image or auto-reply.
    pub fn is_human_words(&self) -> bool {
        matches!(self.role, Role::Agent | Role::Customer) && self.kind.is_words()
    }
}

/// An agent as the export's directory names her.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentInfo<'a> {
    /// The id turns refer to.
    pub id: Cow<'a, str>,
    /// The name people know her by.
    pub name: Option<Cow<'a, str>>,
    /// Her team.
    pub team: Option<Cow<'a, str>>,
}

/// One contact of a customer with the service team.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conversation<'a> {
    /// The export's own id.
    pub id: Cow<'a, str>,
    /// chat, phone, email, social, …
    pub channel: Option<Cow<'a, str>>,
    /// presale, insale, aftersale.
    pub stage: Option<Cow<'a, str>>,
    /// The queue or skill group.
    pub queue: Option<Cow<'a, str>>,
    /// What the conversation was tagged with: `vip`, `大促`, …
    pub tags: Vec<Cow<'a, str>>,
    /// The customer's id.
    pub customer_id: Option<Cow<'a, str>>,
    /// The order the contact is about.
    pub order_id: Option<Cow<'a, str>>,
    /// When the contact began.
    pub started_at: Option<Millis>,
    /// When the contact ended.
    pub ended_at: Option<Millis>,
    /// The customer's rating, 1–5.
    pub rating: Option<u8>,
    /// The agent of every agent turn that names none.
    pub agent_id: Option<Cow<'a, str>>,
    /// The agents' directory.
    pub agents: Vec<AgentInfo<'a>>,
    /// Labels kept from the export, as raw JSON, passed through.
    pub labels: Option<Cow<'a, str>>,
    /// The turns in the order of the export.
    pub turns: Vec<Turn<'a>>,
}

impl<'a> Conversation<'a> {
    /// The agent who speaks in `turn`: the turn's own id, else the conversation's, else `unknown`.
    pub fn agent_of<'t>(&'t self, turn: &'t Turn<'_>) -> &'t str {
        turn.agent_id.as_deref().or(self.agent_id.as_deref()).unwrap_or(UNKNOWN_AGENT)
    }

    /// The directory entry of an agent.
    pub fn agent_info(&self, id: &str) -> Option<&AgentInfo<'a>> {
        self.agents.iter().find(|a| a.id == id)
    }
}

/// The id of an agent whom the export does not name.
pub const UNKNOWN_AGENT: &str = "unknown";
