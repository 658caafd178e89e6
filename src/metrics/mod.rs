//! Measures of a conversation: how fast, how long, how much. Times come from the transcript alone; without them a
//! measure is unknown, never zero.

pub mod feature;
pub mod handover;
pub mod measure;
pub mod profile;
pub mod resolution;
pub mod satisfaction;
pub mod topics;

pub use measure::{Marks, Measures, measure};

/// A measure by name. Durations are milliseconds, ratios thousandths, everything else a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Metric {
    /// First customer message to the first answer of a person.
    FirstResponse,
    /// Mean time from a customer's first unanswered message to the answer.
    AvgResponse,
    /// Longest such time.
    MaxResponse,
    /// First to last turn.
    HandleTime,
    /// All turns of customer and agent.
    Turns,
    /// Turns of the agent.
    AgentTurns,
    /// Turns of the customer.
    CustomerTurns,
    /// Runs of customer turns that nobody answered.
    Unanswered,
    /// Longest stretch in which nobody says anything.
    Silence,
    /// Characters the agent wrote.
    AgentChars,
    /// Characters the customer wrote.
    CustomerChars,
    /// Agent's characters in thousandths of all.
    TalkRatio,
    /// Characters a minute the agent speaks (phone).
    SpeechRate,
    /// Times the agent began to speak before the customer had ended (phone).
    Interruptions,
    /// Longest time from a promise to be back (稍等) to the agent's next words.
    WaitAfterPromise,
    /// Agent messages in thousandths of customer messages (答问比).
    AnswerRatio,
    /// Time from the last words to the end of the contact.
    HangupGap,
    /// Time from the start of the contact to the first words of a person of the team.
    Opening,
}

/// How a measure's number is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Thousandths.
    Ratio,
    /// A count.
    Count,
}

/// Every measure: its id in rules and outputs, the Chinese title, the unit.
pub const METRICS: &[(Metric, &str, &str, Unit)] = &[
    (Metric::FirstResponse, "first_response", "首次响应", Unit::Millis),
    (Metric::AvgResponse, "avg_response", "平均响应", Unit::Millis),
    (Metric::MaxResponse, "max_response", "最长响应", Unit::Millis),
    (Metric::HandleTime, "handle_time", "处理时长", Unit::Millis),
    (Metric::Turns, "turns", "消息数", Unit::Count),
    (Metric::AgentTurns, "agent_turns", "客服消息数", Unit::Count),
    (Metric::CustomerTurns, "customer_turns", "客户消息数", Unit::Count),
    (Metric::Unanswered, "unanswered", "未回复的客户消息", Unit::Count),
    (Metric::Silence, "silence", "最长静默", Unit::Millis),
    (Metric::AgentChars, "agent_chars", "客服字数", Unit::Count),
    (Metric::CustomerChars, "customer_chars", "客户字数", Unit::Count),
    (Metric::TalkRatio, "talk_ratio", "客服说话占比", Unit::Ratio),
    (Metric::SpeechRate, "speech_rate", "语速(字/分)", Unit::Count),
    (Metric::Interruptions, "interruptions", "抢话次数", Unit::Count),
    (Metric::WaitAfterPromise, "wait_after_promise", "请稍等后的等待", Unit::Millis),
    (Metric::AnswerRatio, "answer_ratio", "答问比", Unit::Ratio),
    (Metric::HangupGap, "hangup_gap", "结束前静默", Unit::Millis),
    (Metric::Opening, "opening", "开场到客服首句", Unit::Millis),
];

impl Metric {
    /// The measure with this id.
    pub fn parse(id: &str) -> Option<Metric> {
        METRICS.iter().find(|m| m.1 == id).map(|m| m.0)
    }

    fn row(self) -> &'static (Metric, &'static str, &'static str, Unit) {
        &METRICS[self as usize]
    }

    /// Its id.
    pub fn id(self) -> &'static str {
        self.row().1
    }

    /// Its Chinese title.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        self.row().3
    }
}
