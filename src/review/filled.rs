//! What a sheet says that somebody has filled: her decisions, or every fault with its cell.

use std::collections::BTreeMap;

use super::sheet::{
    COLUMNS, COMMENT, DONE, KEY, LINK, MISSED, RULE, Row, RowKind, Sheet, SheetCase, SheetFinding, TURN, VERDICT, open,
};
use super::{CaseKey, Decision, FindingKey, Verdict};

/// Longest comment taken, in characters.
const LONGEST: usize = 500;

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
