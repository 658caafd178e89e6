//! What was understood of an input, before a night is spent on it: formats, columns, roles, times, counts, the first
//! conversations, and what looks odd.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{FileSummary, Item, Reader, Reject};
use crate::conversation::{Conversation, Kind, Millis, Role};
use crate::error::Result;

/// Rejects kept as examples of a code.
const EXAMPLES: usize = 3;
/// Turns shown of a conversation.
const TURNS: usize = 6;

/// What reading an input gave.
#[derive(Debug, Default)]
pub struct Understanding {
    /// The files, with what their columns were taken for.
    pub files: Vec<FileSummary>,
    /// Conversations read.
    pub conversations: u64,
    /// Turns by role.
    pub turns: BTreeMap<Role, u64>,
    /// Turns by kind, text left out.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Conversations by channel; those without one under the empty name.
    pub channels: BTreeMap<String, u64>,
    /// The agents named, and how many turns name none.
    pub agents: BTreeSet<String>,
    /// Agent turns that nobody is named for.
    pub nameless: u64,
    /// Turns with a moment, and with a place in a recording.
    pub timed: (u64, u64),
    /// The first and the last moment.
    pub span: Option<(Millis, Millis)>,
    /// Conversations with a rating.
    pub rated: u64,
    /// The first conversations, each as its id and its first turns: role, agent, moment or offset, text.
    pub preview: Vec<(String, Vec<PreviewTurn>)>,
    /// Rejects by code, with examples.
    pub rejects: BTreeMap<&'static str, (u64, Vec<Reject>)>,
    odd: Odd,
    seen: HashSet<u64>,
}

/// A turn as a preview shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewTurn {
    /// Who speaks.
    pub role: Role,
    /// The agent, when named.
    pub agent: Option<String>,
    /// When it was sent.
    pub at: Option<Millis>,
    /// Where it lies in the recording.
    pub begin_ms: Option<i64>,
    /// The beginning of the words.
    pub text: String,
}

#[derive(Debug, Default)]
struct Odd {
    no_agent: u64,
    no_customer: u64,
    single: u64,
    backwards: u64,
    again: u64,
    blank: u64,
    damaged: u64,
}

impl Understanding {
    /// Reads all of an input, keeping the first `preview` conversations.
    ///
    /// # Errors
    /// As [`Reader::next_block`].
    pub fn of(mut reader: Reader, preview: usize) -> Result<Understanding> {
        let mut out = Understanding::default();
        let mut buffer = Vec::new();
        while let Some(block) = reader.next_block(buffer)? {
            block.visit(&mut |item| match item {
                Item::Conversation { conversation, .. } => out.conversation(&conversation, preview),
                Item::Reject(reject) => {
                    let (count, examples) = out.rejects.entry(reject.code).or_default();
                    *count += reject.rows;
                    if examples.len() < EXAMPLES {
                        examples.push(reject);
                    }
                }
            });
            buffer = block.into_buffer();
        }
        out.files = reader.files().to_vec();
        Ok(out)
    }

    fn conversation(&mut self, conversation: &Conversation<'_>, preview: usize) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        self.conversations += 1;
        let mut hasher = DefaultHasher::new();
        conversation.id.hash(&mut hasher);
        self.odd.again += u64::from(!self.seen.insert(hasher.finish()));
        *self.channels.entry(conversation.channel.as_deref().unwrap_or("").to_owned()).or_default() += 1;
        self.rated += u64::from(conversation.rating.is_some());
        let has = |role| conversation.turns.iter().any(|t| t.role == role);
        self.odd.no_agent += u64::from(!has(Role::Agent) && !has(Role::Bot));
        self.odd.no_customer += u64::from(!has(Role::Customer));
        self.odd.single += u64::from(conversation.turns.len() == 1);
        let mut last = None;
        let mut backwards = false;
        for turn in &conversation.turns {
            *self.turns.entry(turn.role).or_default() += 1;
            if turn.kind != Kind::Text {
                *self.kinds.entry(turn.kind.as_str()).or_default() += 1;
            }
            if turn.role == Role::Agent {
                match turn.agent_id.as_deref().or(conversation.agent_id.as_deref()) {
                    Some(id) => drop(self.agents.insert(id.to_owned())),
                    None => self.nameless += 1,
                }
            }
            self.timed.0 += u64::from(turn.at.is_some());
            self.timed.1 += u64::from(turn.begin_ms.is_some());
            if let Some(at) = turn.at {
                let (first, end) = self.span.unwrap_or((at, at));
                self.span = Some((first.min(at), end.max(at)));
                backwards |= last.is_some_and(|l| at < l);
                last = Some(at);
            }
            self.odd.blank += u64::from(turn.kind == Kind::Text && turn.text.trim().is_empty());
            self.odd.damaged += u64::from(turn.text.contains('\u{FFFD}') || turn.text.contains("锟斤拷"));
        }
        self.odd.backwards += u64::from(backwards);
        if self.preview.len() < preview {
            let turns = conversation.turns.iter().take(TURNS).map(|turn| PreviewTurn {
                role: turn.role,
                agent: turn
                    .agent_id
                    .as_deref()
                    .or(conversation.agent_id.as_deref())
                    .filter(|_| turn.role == Role::Agent)
                    .map(str::to_owned),
                at: turn.at,
                begin_ms: turn.begin_ms,
                text: turn.text.chars().take(60).collect(),
            });
            self.preview.push((conversation.id.to_string(), turns.collect()));
        }
    }

    /// What looks odd, a sentence each.
    pub fn oddities(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let all = self.conversations;
        let mut say = |count: u64, sentence: &dyn Fn(u64) -> String| {
            if count > 0 {
                out.push(sentence(count));
            }
        };
        let odd = &self.odd;
        say(odd.no_agent, &|n| format!("{n} 通会话没有客服发言;若很多,请核对角色的取值(--roles 或映射 [roles])"));
        say(odd.no_customer, &|n| format!("{n} 通会话没有客户发言;若很多,请核对角色的取值"));
        say(u64::from(all > 1 && odd.single == all), &|_| "每通会话都只有一条消息,会话编号那一列可能认错了".to_owned());
        say(odd.backwards, &|n| format!("{n} 通会话里消息时间有倒退;按导出的顺序判"));
        say(odd.again, &|n| format!("{n} 通会话的编号与前面的会话重复"));
        say(odd.blank, &|n| format!("{n} 条文本消息是空的"));
        say(odd.damaged, &|n| format!("{n} 条消息含乱码,请核对编码(--encoding)"));
        say(self.nameless, &|n| format!("{n} 条客服消息没有客服编号,会记在 unknown 名下"));
        if all > 0 && self.timed == (0, 0) {
            out.push("没有任何时间,响应时长、静音等指标不适用".to_owned());
        }
        if let Some((first, last)) = self.span
            && last - first > 400 * 86_400_000
        {
            out.push("消息时间相隔一年以上,请核对时间格式和时区".to_owned());
        }
        if all == 0 {
            out.push("没有读到任何会话".to_owned());
        }
        out.extend(self.files.iter().flat_map(|f| f.notes.iter().cloned()));
        out
    }
}
