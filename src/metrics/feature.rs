//! What a satisfaction model may look at in a conversation: markers by side and place, and the conversation's shape.
//!
//! Every feature has a readable id, so that a model is a file people can read and mend:
//! `customer.negative.later` is the share of the customer's later messages that carry the marker `negative`,
//! `customer.urge+unresolved.count` counts the messages that carry either. The shape features have plain names
//! ([`Shape`]). A feature's value is a number of order one, and most features know the turn that shows them.

use crate::conversation::{Conversation, Role};
use crate::detect::hit::Hits;
use crate::pack::expression::MarkerId;

/// Whose messages a marker feature looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The customer's.
    Customer,
    /// The agent's.
    Agent,
}

/// How the turns with a marker become a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// 1 when a message before the agent's first word carries it.
    Open,
    /// Share of the messages after that which carry it.
    Later,
    /// 1 when the side's last message carries it, and it is not the opening.
    Last,
    /// 1 when any message carries it.
    Any,
    /// log2(1 + number of messages that carry it), the opening aside.
    Count,
    /// The same in the second half of those messages.
    LateCount,
    /// Share of all messages that carry it.
    Share,
}

impl Place {
    /// Every place with its name in ids and its Chinese title.
    pub const ALL: [(Place, &'static str, &'static str); 7] = [
        (Place::Open, "open", "开场时"),
        (Place::Later, "later", "后来消息里的占比"),
        (Place::Last, "last", "最后一句"),
        (Place::Any, "any", "出现过"),
        (Place::Count, "count", "后来的次数"),
        (Place::LateCount, "late_count", "后半段的次数"),
        (Place::Share, "share", "消息里的占比"),
    ];
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident $id:literal $title:literal;)*) => {
        /// A feature of the conversation's shape.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Shape { $($(#[$doc])* $name),* }

        impl Shape {
            /// Every shape with its id and its Chinese title.
            pub const ALL: &[(Shape, &'static str, &'static str)] = &[$((Shape::$name, $id, $title)),*];
        }
    };
}

shapes! {
    /// log2 of the number of messages of both sides.
    Turns "turns" "消息条数(对数)";
    /// log2(messages / 8), not below 0: how much longer than usual.
    Long "long" "会话拖得长";
    /// log2((1 + customer messages) / (1 + agent messages)).
    TurnRatio "turn_ratio" "客户消息比客服多";
    /// log2(1 + characters) of the customer's opening.
    OpenChars "open_chars" "客户开场的字数(对数)";
    /// log2(1 + mean characters) of the customer's later messages.
    LaterChars "later_chars" "客户后来每条的字数(对数)";
    /// log2(1 + characters) of the customer's last message when it is not the opening.
    LastChars "last_chars" "客户最后一句的字数(对数)";
    /// The agent's share of the characters.
    TalkShare "talk_share" "客服说话的占比";
    /// log2(1 + mean characters) of the agent's messages.
    AgentChars "agent_chars" "客服每条的字数(对数)";
    /// 1 when the customer has the last word, or no agent answered.
    CustomerLast "customer_last" "最后是客户在说";
    /// 1 when the customer says nothing after the agent's first answer.
    Silent "silent" "客户得到答复后没再说话";
    /// 1 when no agent speaks.
    NoAgent "no_agent" "没有人工答复";
    /// 1 when the opening has a question mark.
    QuestionOpen "question_open" "客户开场提问";
    /// Share of the customer's later messages with a question mark.
    QuestionLater "question_later" "客户后来还在提问";
    /// 1 when the customer's last message has a question mark.
    QuestionLast "question_last" "客户最后一句还是问题";
    /// 1 when the opening has an exclamation mark.
    ExclaimOpen "exclaim_open" "客户开场用感叹号";
    /// Share of the customer's later messages with an exclamation mark.
    ExclaimLater "exclaim_later" "客户后来用感叹号";
    /// Share of the customer's messages that repeat an earlier one of theirs word for word.
    CustomerRepeats "customer_repeats" "客户重复发同样的话";
    /// Share of the agent's messages that repeat an earlier one word for word.
    AgentRepeats "agent_repeats" "客服重复发同样的话";
}

/// Something to look at in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Messages of a side that carry one of some markers.
    Marker {
        /// Whose messages.
        side: Side,
        /// The markers; one is enough.
        markers: Vec<MarkerId>,
        /// How they become a number.
        place: Place,
    },
    /// The shape of the conversation.
    Shape(Shape),
}

/// Why a feature's id cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadFeature {
    /// It is neither a shape nor `side.marker.place`.
    Form,
    /// The pack has no such marker.
    Marker(String),
}

impl Feature {
    /// Reads an id; `marker` finds a marker's number.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(id: &str, marker: impl Fn(&str) -> Option<MarkerId>) -> Result<Feature, BadFeature> {
        if let Some((shape, ..)) = Shape::ALL.iter().find(|s| s.1 == id) {
            return Ok(Feature::Shape(*shape));
        }
        let mut parts = id.split('.');
        let (Some(side), Some(names), Some(place), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadFeature::Form);
        };
        let side = match side {
            "customer" => Side::Customer,
            "agent" => Side::Agent,
            _ => return Err(BadFeature::Form),
        };
        let (place, ..) = Place::ALL.iter().find(|p| p.1 == place).ok_or(BadFeature::Form)?;
        let markers = names.split('+').map(|name| marker(name).ok_or_else(|| BadFeature::Marker(name.to_string())));
        Ok(Feature::Marker { side, markers: markers.collect::<Result<_, _>>()?, place: *place })
    }

    /// The markers it looks at.
    pub fn markers(&self) -> &[MarkerId] {
        match self {
            Feature::Marker { markers, .. } => markers,
            Feature::Shape(_) => &[],
        }
    }

    /// The feature's value in a conversation, and the turn that shows it.
    pub fn value(&self, scene: &Scene, conversation: &Conversation<'_>, hits: &Hits) -> (f64, Option<u32>) {
        match self {
            Feature::Marker { side, markers, place } => {
                let carries = |turn: &&u32| markers.iter().any(|m| hits.has(**turn as usize, *m));
                scene.marker(*side, *place, carries)
            }
            Feature::Shape(shape) => scene.shape(*shape, conversation),
        }
    }
}

/// A conversation laid out for features: whose messages stand where, and how long they are. Buffers are reused.
#[derive(Debug, Default, Clone)]
pub struct Scene {
    /// The customer's messages before the agent's first (the first one when the agent opens).
    pub open: Vec<u32>,
    /// The customer's other messages.
    pub later: Vec<u32>,
    /// The agent's messages.
    pub agent: Vec<u32>,
    /// Letters, digits and characters of each turn.
    chars: Vec<u32>,
}

fn log2_1p(value: f64) -> f64 {
    (1.0 + value).log2()
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Scene {
    /// Lays a conversation out. Bots, auto-replies, pictures and cards are left out.
    pub fn fill(&mut self, conversation: &Conversation<'_>) {
        self.open.clear();
        self.later.clear();
        self.agent.clear();
        self.chars.clear();
        for (i, turn) in conversation.turns.iter().enumerate() {
            let words = turn.is_human_words() && !turn.text.is_empty();
            let chars = if words { turn.text.chars().filter(|c| crate::text::is_letter(*c)).count() } else { 0 };
            self.chars.push(chars as u32);
            match turn.role {
                _ if !words => {}
                Role::Agent => self.agent.push(i as u32),
                _ if self.agent.is_empty() || self.open.is_empty() => self.open.push(i as u32),
                _ => self.later.push(i as u32),
            }
        }
    }

    /// True when the customer says anything.
    pub fn has_customer(&self) -> bool {
        !self.open.is_empty()
    }

    fn customer(&self) -> impl Iterator<Item = &u32> + Clone {
        self.open.iter().chain(&self.later)
    }

    fn customer_len(&self) -> usize {
        self.open.len() + self.later.len()
    }

    fn marker(&self, side: Side, place: Place, carries: impl Fn(&&u32) -> bool) -> (f64, Option<u32>) {
        let (open, later): (&[u32], &[u32]) = match side {
            Side::Customer => (&self.open, &self.later),
            // The agent's first message is her opening.
            Side::Agent => self.agent.split_at(self.agent.len().min(1)),
        };
        let all = || open.iter().chain(later);
        let first = |turns: &[u32]| turns.iter().find(&carries).copied();
        match place {
            Place::Open => {
                let turn = first(open);
                (f64::from(u8::from(turn.is_some())), turn)
            }
            Place::Any => {
                let turn = all().find(&carries).copied();
                (f64::from(u8::from(turn.is_some())), turn)
            }
            Place::Last => {
                let turn = later.last().filter(&carries).copied();
                (f64::from(u8::from(turn.is_some())), turn)
            }
            Place::Later => (share(later.iter().filter(&carries).count(), later.len()), first(later)),
            Place::Count => (log2_1p(later.iter().filter(&carries).count() as f64), first(later)),
            Place::LateCount => {
                let late = &later[later.len() / 2..];
                (log2_1p(late.iter().filter(&carries).count() as f64), first(late))
            }
            Place::Share => {
                let turn = all().find(&carries).copied();
                (share(all().filter(&carries).count(), open.len() + later.len()), turn)
            }
        }
    }

    fn shape(&self, shape: Shape, conversation: &Conversation<'_>) -> (f64, Option<u32>) {
        let text = |turn: u32| &*conversation.turns[turn as usize].text;
        let asks = |turn: &&u32| text(**turn).contains(['?', '\u{ff1f}']);
        let shouts = |turn: &&u32| text(**turn).contains(['!', '\u{ff01}']);
        let chars = |turns: &[u32]| turns.iter().map(|t| f64::from(self.chars[*t as usize])).sum::<f64>();
        let mean = |turns: &[u32]| if turns.is_empty() { 0.0 } else { chars(turns) / turns.len() as f64 };
        let flag = |holds: bool| f64::from(u8::from(holds));
        let turns = self.customer_len() + self.agent.len();
        let last = self.later.last().copied();
        match shape {
            Shape::Turns => (((turns.max(1)) as f64).log2(), None),
            Shape::Long => ((turns.max(1) as f64 / 8.0).log2().max(0.0), None),
            Shape::TurnRatio => {
                ((1.0 + self.customer_len() as f64).log2() - (1.0 + self.agent.len() as f64).log2(), None)
            }
            Shape::OpenChars => (log2_1p(chars(&self.open)), self.open.first().copied()),
            Shape::LaterChars => (log2_1p(mean(&self.later)), None),
            Shape::LastChars => (last.map_or(0.0, |t| log2_1p(f64::from(self.chars[t as usize]))), last),
            Shape::TalkShare => {
                let (agent, customer) = (chars(&self.agent), chars(&self.open) + chars(&self.later));
                (if agent + customer > 0.0 { agent / (agent + customer) } else { 0.5 }, None)
            }
            Shape::AgentChars => (log2_1p(mean(&self.agent)), None),
            Shape::CustomerLast => {
                let customer = self.later.last().or(self.open.last());
                (flag(customer > self.agent.last()), customer.copied())
            }
            Shape::Silent => (flag(self.later.is_empty()), None),
            Shape::NoAgent => (flag(self.agent.is_empty()), None),
            Shape::QuestionOpen => {
                let turn = self.open.iter().find(asks).copied();
                (flag(turn.is_some()), turn)
            }
            Shape::QuestionLater => {
                (share(self.later.iter().filter(asks).count(), self.later.len()), self.later.iter().find(asks).copied())
            }
            Shape::QuestionLast => {
                let turn = self.later.last().filter(asks).copied();
                (flag(turn.is_some()), turn)
            }
            Shape::ExclaimOpen => {
                let turn = self.open.iter().find(shouts).copied();
                (flag(turn.is_some()), turn)
            }
            Shape::ExclaimLater => {
                let first = self.later.iter().find(shouts).copied();
                (share(self.later.iter().filter(shouts).count(), self.later.len()), first)
            }
            Shape::CustomerRepeats => self.repeats(self.customer(), conversation),
            Shape::AgentRepeats => self.repeats(self.agent.iter(), conversation),
        }
    }

    /// Share of the turns that say word for word what an earlier one of them said.
    fn repeats<'t>(
        &self,
        turns: impl Iterator<Item = &'t u32> + Clone,
        conversation: &Conversation<'_>,
    ) -> (f64, Option<u32>) {
        let mut seen = std::collections::HashSet::new();
        let (mut all, mut again, mut first) = (0, 0, None);
        for turn in turns {
            all += 1;
            if !seen.insert(conversation.turns[*turn as usize].text.trim()) {
                again += 1;
                first = first.or(Some(*turn));
            }
        }
        (share(again, all), first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(lines: &[&str]) -> (Scene, Conversation<'static>) {
        let lines: &'static [String] = Vec::leak(lines.iter().map(|l| l.to_string()).collect());
        let conversation = crate::pack::chat::conversation(lines).unwrap();
        let mut scene = Scene::default();
        scene.fill(&conversation);
        (scene, conversation)
    }

    fn shape(shape: Shape, scene: &(Scene, Conversation<'_>)) -> f64 {
        scene.0.shape(shape, &scene.1).0
    }

    const CHAT: &[&str] =
        &["客: 在吗?", "客: 退款没到", "服: 我帮您查", "机: 您好", "客: 快点!", "服: 我帮您查", "客: 好的", "客: 好的"];

    #[test]
    fn turns_fall_into_opening_later_and_agent() {
        let (scene, _) = scene(CHAT);
        assert_eq!((scene.open, scene.later, scene.agent), (vec![0, 1], vec![4, 6, 7], vec![2, 5]));
    }

    #[test]
    fn when_the_agent_opens_the_first_customer_message_is_the_opening() {
        let (scene, _) = scene(&["服: 您好", "客: 在", "客: 退款"]);
        assert_eq!((scene.open, scene.later), (vec![1], vec![2]));
    }

    #[test]
    fn marker_places_by_hand() {
        let (scene, _) = scene(CHAT);
        let at = |place, turns: &[u32]| scene.marker(Side::Customer, place, |t| turns.contains(t));
        assert_eq!(at(Place::Open, &[1, 4]), (1.0, Some(1)));
        assert_eq!(at(Place::Open, &[4]), (0.0, None));
        assert_eq!(at(Place::Later, &[1, 4]), (1.0 / 3.0, Some(4)));
        assert_eq!(at(Place::Last, &[7]), (1.0, Some(7)));
        assert_eq!(at(Place::Last, &[6]), (0.0, None));
        assert_eq!(at(Place::Count, &[0, 4, 6, 7]), (2.0, Some(4)));
        assert_eq!(at(Place::LateCount, &[4, 6]), (1.0, Some(6)));
        assert_eq!(at(Place::Share, &[0, 4]), (0.4, Some(0)));
        assert_eq!(at(Place::Any, &[6]), (1.0, Some(6)));
    }

    #[test]
    fn shapes_by_hand() {
        let chat = scene(CHAT);
        // Seven messages of people: five of the customer, two of the agent.
        assert_eq!(shape(Shape::Turns, &chat), 7f64.log2());
        assert_eq!(shape(Shape::Long, &chat), 0.0);
        assert_eq!(shape(Shape::TurnRatio, &chat), 1.0);
        // 在吗 退款没到: six characters. 快点 好的 好的: two each. 我帮您查: four each.
        assert_eq!(shape(Shape::OpenChars, &chat), 7f64.log2());
        assert_eq!(shape(Shape::LaterChars, &chat), 3f64.log2());
        assert_eq!(shape(Shape::TalkShare, &chat), 8.0 / 20.0);
        assert_eq!(shape(Shape::CustomerLast, &chat), 1.0);
        assert_eq!(shape(Shape::QuestionOpen, &chat), 1.0);
        assert_eq!(shape(Shape::ExclaimLater, &chat), 1.0 / 3.0);
        assert_eq!(shape(Shape::CustomerRepeats, &chat), 0.2);
        assert_eq!(shape(Shape::AgentRepeats, &chat), 0.5);
        assert_eq!(shape(Shape::Silent, &chat), 0.0);
        assert_eq!(shape(Shape::NoAgent, &scene(&["客: 在吗"])), 1.0);
    }

    #[test]
    fn ids_are_read() {
        let marker = |name: &str| ["negative", "urge"].iter().position(|m| *m == name).map(|i| i as MarkerId);
        let read = |id| Feature::parse(id, marker);
        assert_eq!(read("turns"), Ok(Feature::Shape(Shape::Turns)));
        let both = Feature::Marker { side: Side::Customer, markers: vec![0, 1], place: Place::Count };
        assert_eq!(read("customer.negative+urge.count"), Ok(both));
        assert_eq!(read("customer.negativ.count"), Err(BadFeature::Marker("negativ".into())));
        for bad in ["customer.negative", "bot.negative.later", "customer.negative.early", "customer.negative.later.x"] {
            assert_eq!(read(bad), Err(BadFeature::Form), "{bad}");
        }
    }
}
