//! A review sheet as a model: what stands in which row, and which cells are open. What a filled one says is
//! [`super::filled`]'s; writing and reading the workbook itself is [`crate::report::review_sheet`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::case::Case;
use super::{CaseKey, FindingKey, Round, Verdict};
use crate::conversation::Role;
use crate::pack::Pack;

/// Rows for faults the machine missed, a case.
const MISSED_ROWS: u32 = 3;

/// A sheet as it is given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// A hash of everything else.
    pub id: String,
    /// The sample.
    pub sample: String,
    /// The night.
    pub night: String,
    /// In which capacity it is filled.
    pub round: Round,
    /// By whom.
    pub reviewer: String,
    /// What stands in the rows for misses and at the end of a case: kept, so that a later program's other words are not
    /// taken for somebody's edit.
    pub prompts: [String; 2],
    /// Rules that can be named as missed: id and title.
    pub rules: Vec<(String, String)>,
    /// The cases.
    pub cases: Vec<SheetCase>,
}

/// A case of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetCase {
    /// Its number in the sample.
    pub number: u32,
    /// Its name.
    pub key: CaseKey,
    /// Agent, channel, time, in one line.
    pub heading: String,
    /// The conversation's page, relative to the sheet, where there is one.
    pub link: Option<String>,
    /// The messages: who, clock, text, whether it is the agent reviewed.
    pub turns: Vec<SheetTurn>,
    /// What is to be judged.
    pub findings: Vec<SheetFinding>,
    /// Rule and turn of everything the machine found, also what is not to be judged here.
    pub known: Vec<FindingKey>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetTurn {
    /// Who speaks, with the time.
    pub who: String,
    /// `agent`, `customer`, `other`.
    pub side: Side,
    /// The words.
    pub text: String,
}

/// On which side of the chat a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The agent under review.
    Agent,
    /// The customer.
    Customer,
    /// A bot, the system, a colleague.
    Other,
}

/// A finding to be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetFinding {
    /// Its name.
    pub key: FindingKey,
    /// The rule's title.
    pub title: String,
    /// Quote, reason, and what others said where that is shown.
    pub text: String,
}

/// A row's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Head of a case.
    Case,
    /// A message.
    Turn(Side),
    /// A finding, with a verdict to choose.
    Finding,
    /// Room for a fault the machine missed.
    Missed,
    /// The case is finished.
    Done,
}

/// A row as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its kind.
    pub kind: RowKind,
    /// Its name in the hidden column.
    pub key: String,
    /// The locked cells A–D.
    pub cells: [String; 4],
    /// The place of the case in the sheet, and of the finding in the case.
    pub place: (usize, usize),
}

/// Columns, from 0: the locked texts, the open cells, the page, the row's key.
pub const COLUMNS: [(&str, f64); 10] = [
    ("类别", 7.0),
    ("第几条", 7.0),
    ("谁 / 规则", 20.0),
    ("内容", 68.0),
    ("判断", 9.0),
    ("漏判的规则", 26.0),
    ("漏判在第几条", 9.0),
    ("备注", 30.0),
    ("网页", 7.0),
    ("行标识", 4.0),
];
/// 判断.
pub const VERDICT: usize = 4;
/// 漏判的规则.
pub const RULE: usize = 5;
/// 漏判在第几条.
pub const TURN: usize = 6;
/// 备注.
pub const COMMENT: usize = 7;
/// 网页.
pub const LINK: usize = 8;
/// The hidden column of keys.
pub const KEY: usize = 9;
/// What is chosen when a case is finished.
pub const DONE: &str = "看完";
/// What is chosen for a fault the machine missed.
pub const MISSED: &str = "漏判";

impl Sheet {
    /// Makes a sheet and names it.
    pub fn new(sample: &str, night: &str, round: Round, reviewer: &str, pack: &Pack, cases: Vec<SheetCase>) -> Sheet {
        let rules = pack.rules.iter().filter(|r| !r.off && r.points <= 0);
        let mut sheet = Sheet {
            id: String::new(),
            sample: sample.into(),
            night: night.into(),
            round,
            reviewer: reviewer.into(),
            prompts: [
                "机器没发现的问题:右边选“漏判”和规则,填第几条;没有就空着".into(),
                "整通看完、该判的都判了,右边选“看完”".into(),
            ],
            rules: rules.map(|r| (r.id.clone(), r.title.clone())).collect(),
            cases,
        };
        let json = serde_json::to_vec(&sheet).unwrap_or_default();
        sheet.id = Sha256::digest(&json).iter().take(8).map(|b| format!("{b:02x}")).collect();
        sheet
    }

    /// What may be chosen for a finding.
    pub fn verdicts(&self) -> &'static [(&'static str, Verdict)] {
        match self.round {
            Round::Agent => &[("申诉", Verdict::Appealed)],
            Round::Appeal => &[("维持", Verdict::Confirmed), ("改判", Verdict::Overturned)],
            _ => &[("确认", Verdict::Confirmed), ("误判", Verdict::Overturned)],
        }
    }

    /// Faults the machine missed can be named.
    pub fn takes_missed(&self) -> bool {
        self.round.authority() == 1
    }

    /// A finished case is marked as such.
    pub fn takes_done(&self) -> bool {
        self.round != Round::Agent
    }

    /// A verdict needs a reason.
    pub fn needs_reason(&self) -> bool {
        matches!(self.round, Round::Agent | Round::Appeal)
    }

    /// The rows below the header.
    pub fn rows(&self) -> Vec<Row> {
        let mut out = Vec::new();
        for (at, case) in self.cases.iter().enumerate() {
            let n = case.number;
            let mut push = |kind, key: String, cells: [String; 4], finding| {
                out.push(Row { kind, key, cells, place: (at, finding) });
            };
            let own = |s: &str| s.to_string();
            push(
                RowKind::Case,
                format!("{n}|case"),
                [own("会话"), n.to_string(), case.key.conversation.clone(), case.heading.clone()],
                0,
            );
            let finding = |number: usize, f: &SheetFinding| {
                let cells = [own("⚑ 发现"), (f.key.turn + 1).to_string(), f.title.clone(), f.text.clone()];
                (format!("{n}|finding|{}|{}", f.key.rule, f.key.turn), cells, number)
            };
            for (number, turn) in case.turns.iter().enumerate() {
                let cells = [String::new(), (number + 1).to_string(), turn.who.clone(), turn.text.clone()];
                push(RowKind::Turn(turn.side), format!("{n}|turn|{number}"), cells, 0);
                let here = case.findings.iter().enumerate().filter(|(_, f)| f.key.turn as usize == number);
                for (at, f) in here {
                    let (key, cells, number) = finding(at, f);
                    push(RowKind::Finding, key, cells, number);
                }
            }
            if self.takes_missed() {
                for row in 0..MISSED_ROWS {
                    let cells = [own("漏判"), String::new(), String::new(), self.prompts[0].clone()];
                    push(RowKind::Missed, format!("{n}|missed|{row}"), cells, 0);
                }
            }
            if self.takes_done() {
                let cells = [own("看完"), String::new(), String::new(), self.prompts[1].clone()];
                push(RowKind::Done, format!("{n}|done"), cells, 0);
            }
        }
        out
    }

    /// How a rule is written in the drop-down.
    pub fn rule_choice((id, title): &(String, String)) -> String {
        format!("{id} {title}")
    }
}

impl SheetCase {
    /// The case as it is shown; `findings` are those to be judged with what others said of them.
    pub fn new(
        number: u32,
        key: CaseKey,
        case: &Case,
        pack: &Pack,
        judged: Option<&BTreeMap<FindingKey, Vec<String>>>,
        link: Option<String>,
    ) -> SheetCase {
        let title = |rule: &str| match pack.rule(rule) {
            Some(number) => pack.rules[number].title.clone(),
            None => rule.to_string(),
        };
        let told = |key: &FindingKey| judged.and_then(|j| j.get(key)).map(|said| said.join("\n")).unwrap_or_default();
        let mut findings: Vec<SheetFinding> = case
            .findings
            .iter()
            .filter(|f| judged.is_none_or(|j| j.contains_key(&f.key())))
            .map(|f| {
                let review = if f.review { "(机器拿不准,未扣分)" } else { "" };
                let text = format!("“{}”\n{}{review}\n{}", f.quote.trim(), f.why, told(&f.key()));
                SheetFinding { key: f.key(), title: title(&f.rule), text: text.trim_end().to_string() }
            })
            .collect();
        for (key, said) in judged.into_iter().flatten() {
            if !case.findings.iter().any(|f| f.key() == *key) {
                let text = format!("机器没有发现,有人认为是漏判\n{}", said.join("\n"));
                findings.push(SheetFinding { key: key.clone(), title: title(&key.rule), text });
            }
        }
        findings.sort_by(|a, b| (a.key.turn, &a.key.rule).cmp(&(b.key.turn, &b.key.rule)));
        findings.dedup_by(|a, b| a.key == b.key);
        let chat = case.chat.as_ref();
        let turns = chat.map_or_else(Vec::new, |chat| {
            chat.turns
                .iter()
                .map(|turn| {
                    let own = turn.agent == Some(case.number);
                    let who = match turn.role {
                        Role::Customer => "客户",
                        Role::Agent if own => "客服",
                        Role::Agent => "其他客服",
                        Role::Bot => "机器人",
                        Role::System => "系统",
                    };
                    let side = match turn.role {
                        Role::Customer => Side::Customer,
                        Role::Agent if own && !turn.is_automatic() => Side::Agent,
                        _ => Side::Other,
                    };
                    let clock = turn.clock.as_deref().unwrap_or("");
                    SheetTurn { who: format!("{who} {clock}").trim_end().to_string(), side, text: shown(&turn.text) }
                })
                .collect()
        });
        let began = chat.and_then(|c| c.began.as_deref()).unwrap_or("");
        let parts = [format!("客服 {}", case.label()), case.channel.clone(), case.stage.clone(), began.to_string()];
        let heading = parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
        let known = case.findings.iter().map(|f| f.key()).collect();
        SheetCase { number, key, heading, link, turns, findings, known }
    }
}

/// A message as a cell holds it: no controls, at most what a cell can show.
fn shown(text: &str) -> String {
    const MOST: usize = 4000;
    let clean: String = text
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}'))
        .collect();
    match clean.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…(太长,未全部列出)", &clean[..cut]),
        None => clean,
    }
}

/// The open cells of a row.
pub fn open(kind: RowKind) -> &'static [usize] {
    match kind {
        RowKind::Case | RowKind::Turn(_) => &[],
        RowKind::Finding => &[VERDICT, COMMENT],
        RowKind::Missed => &[VERDICT, RULE, TURN, COMMENT],
        RowKind::Done => &[VERDICT, COMMENT],
    }
}
