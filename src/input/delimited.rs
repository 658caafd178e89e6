//! Message-per-row files: rows grouped by conversation, in order of first appearance.
//!
//! The text of the whole file is held, and of each row only where it lies: grouping costs 32 bytes a row. Workers take
//! the rows apart ([`Groups::visit`]), borrowing fields from the text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::block::Item;
use super::cells::{Origin, shown_raw};
use super::columns::{COLUMNS, Column, REQUIRED};
use super::layout::Layout;
use super::reject::{BAD_COLUMNS, BAD_QUOTE, BAD_ROLE, BAD_VALUE, ENCODING, Fault, MISSING_ID, Reject, TOO_LONG};
use super::reject::{TOO_MANY_TURNS, shown};
use super::time::{Clock, TIME_HINT};
use super::{InputOptions, values};
use crate::conversation::{AgentInfo, Conversation, Kind, Role, Turn};

/// No further row in a conversation.
const NONE: u32 = u32::MAX;

/// A delimited file, grouped.
pub(crate) struct Table {
    file: Arc<str>,
    data: Vec<u8>,
    layout: Layout,
    /// Undecodable bytes were met while transcoding.
    damaged: bool,
    /// Where rows came from, when not from lines of this text.
    origin: Option<Origin>,
    options: Arc<InputOptions>,
    rows: Vec<RowRef>,
    pub groups: Vec<Group>,
}

struct RowRef {
    start: usize,
    end: usize,
    /// The line, or the code of its origin.
    line: u64,
    /// The next row of the same conversation.
    next: u32,
}

/// A conversation's rows, as a list through [`RowRef::next`].
pub(crate) struct Group {
    first: u32,
    last: u32,
    rows: u64,
    pub bytes: u64,
}

/// What grouping found besides conversations.
#[derive(Default)]
pub(crate) struct Found {
    pub rejects: Vec<Reject>,
    pub records: u64,
    pub blank: u64,
    /// The line after the last.
    pub line: u64,
}

impl Table {
    /// Groups the rows of a file's text.
    pub(crate) fn build(
        file: Arc<str>,
        data: Vec<u8>,
        layout: Layout,
        damaged: bool,
        origin: Option<Origin>,
        options: Arc<InputOptions>,
    ) -> (Table, Found) {
        let max = options.limits.max_record_bytes;
        let mut found = Found { records: layout.blank, blank: layout.blank, line: layout.line, ..Found::default() };
        let (mut rows, mut groups) = (Vec::<RowRef>::new(), Vec::<Group>::new());
        let mut by_id: HashMap<Cow<'_, [u8]>, u32> = HashMap::new();
        let id_index = layout.index(Column::ConversationId).unwrap_or(0);
        let swallowed = |line: &[u8]| is_row(&layout, line, &options);
        let mut at = layout.start;
        while at < data.len() {
            let row = layout.dialect.row(&data, at, max, swallowed);
            let line = match &origin {
                Some(origin) => origin.rows.get(found.records as usize).copied().unwrap_or(0),
                None => found.line,
            };
            at = row.next;
            found.line += row.lines;
            found.records += 1;
            let raw = &data[row.start..row.end];
            let id = layout.dialect.fields(raw).nth(id_index).map(trimmed);
            let fault = if layout.is_blank(raw) {
                found.blank += 1;
                continue;
            } else if row.broken {
                Fault::new(BAD_QUOTE, format!("第 {line} 行的引号没有正确闭合,该行已跳过,从下一行继续读取"))
            } else if raw.len() > max {
                Fault::new(TOO_LONG, format!("记录超过上限 {max} 字节,已跳过"))
            } else {
                match id {
                    None => too_few(&layout, raw),
                    Some(id) if std::str::from_utf8(&id).is_ok_and(values::is_missing) => {
                        Fault::new(MISSING_ID, "没有会话编号 (conversation_id),或其值为空").at(id_index as u64 + 1)
                    }
                    Some(id) => {
                        let index = rows.len() as u32;
                        let bytes = (row.next - row.start) as u64;
                        rows.push(RowRef { start: row.start, end: row.end, line, next: NONE });
                        let group = *by_id.entry(id).or_insert(groups.len() as u32);
                        match groups.get_mut(group as usize) {
                            Some(group) => {
                                rows[group.last as usize].next = index;
                                group.last = index;
                                group.rows += 1;
                                group.bytes += bytes;
                            }
                            None => groups.push(Group { first: index, last: index, rows: 1, bytes }),
                        }
                        continue;
                    }
                }
            };
            found.rejects.push(placed(fault.reject(&file, line, raw), origin.as_ref()));
        }
        drop(by_id);
        (Table { file, data, layout, damaged, origin, options, rows, groups }, found)
    }

    fn raw(&self, row: &RowRef) -> &[u8] {
        &self.data[row.start..row.end]
    }

    fn visit_group(&self, group: &Group, clock: &mut Clock<'_>, f: &mut dyn FnMut(Item<'_>)) {
        let max = self.options.limits.max_turns;
        let first = &self.rows[group.first as usize];
        if group.rows > max as u64 {
            let fault = Fault::new(TOO_MANY_TURNS, format!("会话有 {} 条消息,超过上限 {max}", group.rows));
            let reject = self.reject(fault, first);
            return f(Item::Reject(Reject { rows: group.rows, ..reject }));
        }
        let mut build =
            Build { turns_of: Vec::new(), out: Conversation::default(), line: first.line, options: &self.options };
        build.out.turns.reserve(group.rows as usize);
        let mut next = group.first;
        while let Some(row) = self.rows.get(next as usize) {
            next = row.next;
            if let Err(fault) = self.cells(self.raw(row)).and_then(|cells| build.add(cells, row.line, clock)) {
                f(Item::Reject(self.reject(fault, row)));
            }
        }
        let (line, records) = (build.line, build.out.turns.len() as u64);
        let line = self.origin.as_ref().map_or(line, |o| o.place(line, None).0);
        if records > 0 {
            let conversation = build.finish();
            f(Item::Conversation { conversation, file: &self.file, line, records });
        }
    }

    fn reject(&self, fault: Fault, row: &RowRef) -> Reject {
        placed(fault.reject(&self.file, row.line, self.raw(row)), self.origin.as_ref())
    }

    /// A row's fields by column.
    fn cells<'a>(&'a self, raw: &'a [u8]) -> Result<Cells<'a>, Fault> {
        let layout = &self.layout;
        let mut cells = Cells { values: [const { None }; COLUMNS.len()], layout };
        let mut fields = layout.dialect.fields(raw);
        let mut count = 0;
        while count < layout.width {
            let rest = fields.rest();
            let Some(mut field) = fields.next() else { break };
            let column = layout.columns.get(count).copied().flatten();
            count += 1;
            if count == layout.width && fields.rest().is_some_and(|r| !layout.is_blank(r)) {
                // the text is the last column: what follows is its own unquoted delimiters
                if column != Some(Column::Text) {
                    let reason = format!("列数多于 {} 列,可能是内容里有未加引号的分隔符", layout.width);
                    return Err(Fault::new(BAD_COLUMNS, reason).at(count as u64 + 1));
                }
                field = Cow::Borrowed(rest.unwrap_or_default());
            }
            if let Some(column) = column {
                cells.values[column as usize] = Some(self.text(field, count)?);
            }
        }
        let enough = REQUIRED.iter().all(|c| cells.values[*c as usize].is_some());
        if enough { Ok(cells) } else { Err(too_few(layout, raw)) }
    }

    fn text<'a>(&self, field: Cow<'a, [u8]>, number: usize) -> Result<Cow<'a, str>, Fault> {
        let text = match field {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        let text = text.filter(|t| !(self.damaged && t.contains('\u{FFFD}')));
        let reason =
            || Fault::new(ENCODING, format!("第 {number} 列含有无法按该文件的编码解读的字节")).at(number as u64);
        text.ok_or_else(reason)
    }
}

/// A reject with its place in the workbook or file its row came from.
fn placed(mut reject: Reject, origin: Option<&Origin>) -> Reject {
    if let Some(origin) = origin {
        let (line, column, place) = origin.place(reject.line, reject.column);
        reject.raw = shown_raw(reject.raw.as_bytes());
        (reject.line, reject.column, reject.place) = (line, column, Some(place));
    }
    reject
}

fn trimmed(field: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match field {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii()),
        Cow::Owned(bytes) => Cow::Owned(bytes.trim_ascii().to_vec()),
    }
}

fn too_few(layout: &Layout, raw: &[u8]) -> Fault {
    let count = layout.dialect.fields(raw).count();
    let reason = format!("只有 {count} 列,不足以包含会话编号、角色和内容(应有 {} 列)", layout.width);
    Fault::new(BAD_COLUMNS, reason).at(count as u64)
}

/// True for a line that is a row of the file by itself: as many fields, and a role where the role belongs.
fn is_row(layout: &Layout, line: &[u8], options: &InputOptions) -> bool {
    let line = line.trim_ascii_end();
    let fields = layout.dialect.fields(line);
    let role = layout.index(Column::Role).and_then(|i| layout.dialect.fields(line).nth(i));
    fields.count() == layout.width
        && role.is_some_and(|r| std::str::from_utf8(&r).is_ok_and(|r| parse_role(r, options).is_some()))
}

/// A role, or the answer to 是否客服.
fn parse_role(value: &str, options: &InputOptions) -> Option<Role> {
    options.mapping.role(value).or_else(|| match value.trim().to_ascii_lowercase().as_str() {
        "true" | "是" | "yes" | "y" | "1.0" => Some(Role::Agent),
        "false" | "否" | "no" | "n" | "0.0" => Some(Role::Customer),
        _ => None,
    })
}

/// One row's texts, by column.
struct Cells<'a> {
    values: [Option<Cow<'a, str>>; COLUMNS.len()],
    layout: &'a Layout,
}

impl<'a> Cells<'a> {
    /// An optional value: none when the cell is missing, empty or says so.
    fn take(&mut self, column: Column) -> Option<Cow<'a, str>> {
        let value = self.values[column as usize].take().filter(|v| !values::is_missing(v))?;
        Some(match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// A value that must be readable when it is there.
    fn read<T>(
        &mut self,
        column: Column,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.take(column) else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| self.fault(BAD_VALUE, column, &value, expected))
    }

    fn fault(&self, code: &'static str, column: Column, value: &str, expected: &str) -> Fault {
        let fault = Fault::new(code, format!("{} 的值 {} 无法识别;{expected}", column.name(), shown(value)));
        match self.layout.index(column) {
            Some(index) => fault.at(index as u64 + 1),
            None => fault,
        }
    }
}

/// A conversation in the making.
struct Build<'a> {
    out: Conversation<'a>,
    /// Every agent named on a person's row, for telling a conversation's only agent.
    turns_of: Vec<Cow<'a, str>>,
    line: u64,
    options: &'a InputOptions,
}

impl<'a> Build<'a> {
    fn add(&mut self, mut cells: Cells<'a>, line: u64, clock: &mut Clock<'_>) -> Result<(), Fault> {
        let role = cells.values[Column::Role as usize].take().unwrap_or_default();
        let Some(role) = parse_role(&role, self.options) else {
            let known = "可用: agent/客服/1、customer/客户/0、bot/机器人、system/系统";
            return Err(cells.fault(BAD_ROLE, Column::Role, &role, known));
        };
        // everything that can fail comes before anything is kept
        let at = cells.read(Column::At, TIME_HINT, |v| clock.parse(v, false))?;
        let offset = "应为从录音开始起的毫秒数(不小于 0)";
        let begin_ms = cells.read(Column::BeginMs, offset, |v| values::offset_ms(v).ok())?;
        let end_ms = cells.read(Column::EndMs, offset, |v| values::offset_ms(v).ok())?;
        let confidence =
            cells.read(Column::Confidence, "置信度应在 0 与 1 之间", |v| values::confidence(v).ok())?;
        let kind = cells.take(Column::Kind).map_or(Kind::Text, |k| Kind::parse(&k));
        let started = match self.out.started_at {
            None => cells.read(Column::StartedAt, TIME_HINT, |v| clock.parse(v, true))?,
            known => known,
        };
        let ended = match self.out.ended_at {
            None => cells.read(Column::EndedAt, TIME_HINT, |v| clock.parse(v, true))?,
            known => known,
        };
        let rating = match self.out.rating {
            None => cells.read(Column::Rating, "评分应为 1–5 的整数(5、5星)", |v| values::rating(v).ok())?.flatten(),
            known => known,
        };
        let out = &mut self.out;
        if out.turns.is_empty() {
            self.line = line;
            out.id = cells.take(Column::ConversationId).unwrap_or_default();
        }
        (out.started_at, out.ended_at, out.rating) = (started, ended, rating);
        for (slot, column) in [
            (&mut out.channel, Column::Channel),
            (&mut out.stage, Column::Stage),
            (&mut out.queue, Column::Queue),
            (&mut out.customer_id, Column::CustomerId),
            (&mut out.order_id, Column::OrderId),
        ] {
            if slot.is_none() {
                *slot = cells.take(column);
            }
        }
        if let Some(tags) = cells.take(Column::Tags) {
            for tag in values::tags(&tags) {
                if !out.tags.iter().any(|known| known == tag) {
                    out.tags.push(tag.to_string().into());
                }
            }
        }
        let name = cells.take(Column::AgentName);
        let agent_id = cells.take(Column::AgentId).or_else(|| name.clone());
        if let (Role::Agent | Role::Customer, Some(id)) = (role, &agent_id) {
            if !self.turns_of.contains(id) {
                self.turns_of.push(id.clone());
            }
            let team = cells.take(Column::Team);
            match out.agents.iter_mut().find(|a| a.id == *id) {
                Some(known) => {
                    known.name = known.name.take().or(name);
                    known.team = known.team.take().or(team);
                }
                None => out.agents.push(AgentInfo { id: id.clone(), name, team }),
            }
        }
        let text = cells.values[Column::Text as usize].take().unwrap_or_default();
        let agent_id = agent_id.filter(|_| role == Role::Agent);
        out.turns.push(Turn { role, agent_id, at, begin_ms, end_ms, text, kind, confidence });
        Ok(())
    }

    fn finish(mut self) -> Conversation<'a> {
        let out = &mut self.out;
        // some exports name the agent on the customer's rows only, some on the first row only
        if let [only] = self.turns_of.as_slice() {
            out.agent_id = Some(only.clone());
        }
        out.channel = out.channel.take().map(|c| self.options.mapping.channel(c));
        out.stage = out.stage.take().map(values::stage);
        if !self.options.mapping.is_plain() {
            self.options.mapping.apply(out);
        }
        self.out
    }
}

/// Some conversations of a table.
pub(crate) struct Groups {
    pub table: Arc<Table>,
    pub range: Range<usize>,
}

impl Groups {
    pub(crate) fn visit(&self, f: &mut dyn FnMut(Item<'_>)) {
        let table = &*self.table;
        let mut clock = Clock::of(&table.options);
        for group in &table.groups[self.range.clone()] {
            table.visit_group(group, &mut clock, f);
        }
    }
}
