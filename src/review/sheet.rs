//! A review sheet as a model: what stands in which row, which cells are open, and what a filled sheet says. Writing and
//! reading the workbook itself is [`crate::report::review_sheet`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::case::Case;
use super::{CaseKey, Decision, FindingKey, Round, Verdict};
use crate::conversation::Role;
use crate::pack::Pack;

/// Rows for faults the machine missed, a case.
const MISSED_ROWS: u32 = 3;
/// Longest comment taken, in characters.
const LONGEST: usize = 500;

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

/// A fault of a filled sheet: the row (from 0, the header being 0) and column, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Row, from 0.
    pub row: u32,
    /// Column, from 0.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// What was read of a filled sheet: cells by row and column, from 0; the header is row 0.
pub type Cells = BTreeMap<(u32, usize), String>;

/// The decisions of a filled sheet, or all its faults.
pub fn read(sheet: &Sheet, cells: &Cells) -> Result<Vec<(CaseKey, Vec<Decision>)>, Vec<Fault>> {
    let rows = sheet.rows();
    let mut faults = Vec::new();
    let text = |row: u32, column: usize| cells.get(&(row, column)).map_or("", |t| t.trim());
    for (column, (title, _)) in COLUMNS.iter().enumerate() {
        if flat(text(0, column)) != flat(title) {
            faults.push(fault(0, column, format!("表头应是“{title}”;请不要改动表头")));
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let number = at as u32 + 1;
        if text(number, KEY) != row.key {
            let message = "这一行对不上:有行被插入、删除、移动或排序过;请用原来的表重新填写".to_string();
            faults.push(fault(number, 0, message));
            // Everything below would be wrong too.
            break;
        }
        let open = open(row.kind);
        for column in (0..KEY).filter(|c| *c != LINK) {
            let found = text(number, column);
            let wanted = row.cells.get(column).map_or("", String::as_str);
            if !open.contains(&column) && flat(found) != flat(wanted) {
                let message = match column {
                    0..4 => format!("原有内容被改动,应是“{}”", short(wanted)),
                    _ => format!("“{}”不该填在这里;这一格要空着", short(found)),
                };
                faults.push(fault(number, column, message));
            }
        }
    }
    let (last, most) = (rows.len() as u32, KEY);
    for ((row, column), text) in cells.iter().filter(|(_, t)| !t.trim().is_empty()) {
        if *row > last || *column > most {
            faults.push(fault(*row, *column, format!("“{}”写在了表格外面", short(text))));
        }
    }
    let decided = decisions(sheet, &rows, &text, &mut faults);
    faults.sort_by_key(|f| (f.row, f.column));
    faults.dedup();
    if faults.is_empty() { Ok(decided) } else { Err(faults) }
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

fn fault(row: u32, column: usize, message: String) -> Fault {
    Fault { row, column, message }
}

/// Without differences that spreadsheet programs make.
fn flat(text: &str) -> String {
    text.replace("_x000D_", "").chars().filter(|c| !c.is_whitespace()).collect()
}

fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(30) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// One case being read.
#[derive(Default)]
struct Filled {
    decisions: Vec<Decision>,
    blank: Vec<u32>,
    touched: Option<u32>,
    done: bool,
}

fn decisions<'t>(
    sheet: &Sheet,
    rows: &[Row],
    text: &dyn Fn(u32, usize) -> &'t str,
    faults: &mut Vec<Fault>,
) -> Vec<(CaseKey, Vec<Decision>)> {
    let mut cases: Vec<Filled> = sheet.cases.iter().map(|_| Filled::default()).collect();
    for (at, row) in rows.iter().enumerate() {
        let number = at as u32 + 1;
        let (case, own) = (&sheet.cases[row.place.0], &mut cases[row.place.0]);
        let filled = open(row.kind).iter().any(|c| !text(number, *c).is_empty());
        if filled {
            own.touched.get_or_insert(number);
        }
        let comment = comment(number, text(number, COMMENT), faults);
        match row.kind {
            RowKind::Case | RowKind::Turn(_) => {}
            RowKind::Finding => finding(sheet, (number, text), &case.findings[row.place.1], comment, own, faults),
            RowKind::Missed if filled => missed(sheet, (number, text), case, comment, own, faults),
            RowKind::Missed => {}
            RowKind::Done => match text(number, VERDICT) {
                "" => {}
                DONE => own.done = true,
                other => faults.push(fault(number, VERDICT, format!("“{}”不能用,只能选“{DONE}”", short(other)))),
            },
        }
    }
    let mut out = Vec::new();
    for (n, (case, own)) in sheet.cases.iter().zip(cases).enumerate() {
        let end = rows.iter().rposition(|r| r.place.0 == n).map_or(0, |at| at as u32 + 1);
        match (sheet.takes_done(), own.done, own.touched) {
            (true, true, _) => {
                for row in &own.blank {
                    faults.push(fault(*row, VERDICT, "这一处还没有判断,但整通已选“看完”".into()));
                }
                out.push((case.key.clone(), own.decisions));
            }
            (true, false, Some(_)) => {
                let message = format!("会话 {} 填了判断却没有选“看完”", case.key.conversation);
                faults.push(fault(end, VERDICT, message));
            }
            (false, _, Some(_)) => out.push((case.key.clone(), own.decisions)),
            _ => {}
        }
    }
    out
}

fn comment(row: u32, text: &str, faults: &mut Vec<Fault>) -> String {
    if text.chars().count() > LONGEST {
        faults.push(fault(row, COMMENT, format!("备注超过 {LONGEST} 个字,请写短些")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        faults.push(fault(row, COMMENT, "备注里有不可见的控制字符,请重新输入".into()));
    }
    crate::text::mask(text).into_owned()
}

/// A row of the sheet with a reader of its cells.
type At<'a, 't> = (u32, &'a dyn Fn(u32, usize) -> &'t str);

fn finding(
    sheet: &Sheet,
    (row, text): At<'_, '_>,
    finding: &SheetFinding,
    comment: String,
    own: &mut Filled,
    faults: &mut Vec<Fault>,
) {
    let said = text(row, VERDICT);
    if said.is_empty() {
        own.blank.push(row);
        if !comment.is_empty() {
            faults.push(fault(row, VERDICT, "写了备注却没有选判断".into()));
        }
        return;
    }
    let verdicts = sheet.verdicts();
    match verdicts.iter().find(|v| v.0 == said) {
        Some((_, verdict)) => {
            if sheet.needs_reason() && comment.is_empty() {
                faults.push(fault(row, COMMENT, format!("选了“{said}”要在备注里写明理由")));
            }
            own.decisions.push(Decision { finding: finding.key.clone(), verdict: *verdict, comment });
        }
        None => {
            let known: Vec<&str> = verdicts.iter().map(|v| v.0).collect();
            faults.push(fault(row, VERDICT, format!("“{}”不能用,只能选 {}", short(said), known.join("、"))));
        }
    }
}

fn missed(
    sheet: &Sheet,
    (row, text): At<'_, '_>,
    case: &SheetCase,
    comment: String,
    own: &mut Filled,
    faults: &mut Vec<Fault>,
) {
    let said = text(row, VERDICT);
    if said != MISSED {
        let message = match said {
            "" => format!("填了漏判的内容,这里要选“{MISSED}”"),
            other => format!("“{}”不能用,这一行只能选“{MISSED}”", short(other)),
        };
        faults.push(fault(row, VERDICT, message));
    }
    let choice = text(row, RULE);
    let id = choice.split_whitespace().next().unwrap_or("");
    let rule = sheet.rules.iter().find(|r| r.0 == id);
    match (rule, choice) {
        (Some(_), _) => {}
        (None, "") => faults.push(fault(row, RULE, "漏判要选是哪条规则".into())),
        (None, other) => faults.push(fault(row, RULE, format!("没有规则“{}”,请从下拉里选", short(other)))),
    }
    let given = text(row, TURN);
    let turn = given.parse::<u32>().ok().filter(|n| (1..=case.turns.len() as u32).contains(n));
    match (turn, given) {
        (Some(_), _) => {}
        (None, "") => faults.push(fault(row, TURN, "漏判要写在第几条消息".into())),
        (None, other) => {
            let message = format!("“{}”不是消息的序号,这一通是 1 到 {}", short(other), case.turns.len());
            faults.push(fault(row, TURN, message));
        }
    }
    let (Some(rule), Some(turn)) = (rule, turn) else { return };
    let key = FindingKey { rule: rule.0.clone(), turn: turn - 1 };
    if case.known.contains(&key) {
        let message = format!("第 {turn} 条已有机器的发现“{}”,请在那一行判断", rule.1);
        faults.push(fault(row, RULE, message));
    } else if own.decisions.iter().any(|d| d.finding == key) {
        faults.push(fault(row, RULE, format!("第 {turn} 条的“{}”写了两遍", rule.1)));
    } else {
        own.decisions.push(Decision { finding: key, verdict: Verdict::Missed, comment });
    }
}
