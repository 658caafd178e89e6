//! Message-per-row files: rows that were grouped by conversation, taken apart. Workers do it ([`Table::visit`]), borrowing
//! fields from the text.

use std::borrow::Cow;
use std::sync::Arc;

use super::block::Item;
use super::cells::{Origin, shown_raw};
use super::columns::{COLUMNS, Column, REQUIRED};
use super::layout::Layout;
use super::messages::Messages;
use super::reject::{BAD_COLUMNS, BAD_ROLE, BAD_TEXT, BAD_VALUE, ENCODING, Fault, Reject, TOO_MANY_TURNS, shown};
use super::time::{Clock, TIME_HINT};
use super::{InputOptions, values};
use crate::conversation::{AgentInfo, Conversation, Kind, Role, Turn};

/// No further row in a conversation.
pub(super) const NONE: u32 = u32::MAX;

/// Rows of some conversations of a file.
pub(crate) struct Table {
    pub(super) file: Arc<str>,
    pub(super) data: Vec<u8>,
    pub(super) layout: Layout,
    /// Undecodable bytes were met while transcoding.
    pub(super) damaged: bool,
    /// Where rows came from, when not from lines of this text.
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) options: Arc<InputOptions>,
    pub(super) rows: Vec<RowRef>,
    pub(super) groups: Vec<Group>,
}

pub(super) struct RowRef {
    pub start: usize,
    pub end: usize,
    /// The line, or the code of its origin.
    pub line: u64,
    /// The next row of the same conversation.
    pub next: u32,
}

/// A conversation's rows, as a list through [`RowRef::next`].
pub(crate) struct Group {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) rows: u64,
}

impl Table {
    /// Hands over each conversation and reject in order.
    pub(crate) fn visit(&self, f: &mut dyn FnMut(Item<'_>)) {
        let mut clock = Clock::of(&self.options);
        for group in &self.groups {
            self.visit_group(group, &mut clock, f);
        }
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
        let line = self.origin.as_deref().map_or(line, |o| o.place(line, None).0);
        if records > 0 {
            let conversation = build.finish();
            f(Item::Conversation { conversation, file: &self.file, line, records });
        }
    }

    fn reject(&self, fault: Fault, row: &RowRef) -> Reject {
        placed(fault.reject(&self.file, row.line, self.raw(row)), self.origin.as_deref())
    }

    /// A row's fields by column.
    fn cells<'a>(&'a self, raw: &'a [u8]) -> Result<Cells<'a>, Fault> {
        let layout = &self.layout;
        if let Some(messages) = &layout.messages {
            return self.message(messages, raw);
        }
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

    /// A message object's fields by column.
    fn message<'a>(&'a self, messages: &Messages, raw: &'a [u8]) -> Result<Cells<'a>, Fault> {
        let values = messages.values(raw, &self.options.mapping)?;
        if self.damaged && values.iter().flatten().any(|text| text.contains('\u{FFFD}')) {
            return Err(Fault::new(ENCODING, "该记录含有无法按文件编码解读的字节"));
        }
        // a picture or a recalled message may have no words, but says what it is
        if values[Column::Text as usize].is_none() && values[Column::Kind as usize].is_none() {
            return Err(Fault::new(BAD_TEXT, "没有消息内容 (text),也没有说明消息类型"));
        }
        Ok(Cells { values, layout: &self.layout })
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
pub(super) fn placed(mut reject: Reject, origin: Option<&Origin>) -> Reject {
    if let Some(origin) = origin {
        let (line, column, place) = origin.place(reject.line, reject.column);
        reject.raw = shown_raw(reject.raw.as_bytes());
        (reject.line, reject.column, reject.place) = (line, column, Some(place));
    }
    reject
}

pub(super) fn too_few(layout: &Layout, raw: &[u8]) -> Fault {
    let count = layout.dialect.fields(raw).count();
    let reason = format!("只有 {count} 列,不足以包含会话编号、角色和内容(应有 {} 列)", layout.width);
    Fault::new(BAD_COLUMNS, reason).at(count as u64)
}

/// A role, or the answer to 是否客服.
pub(super) fn parse_role(value: &str, options: &InputOptions) -> Option<Role> {
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
        if let Some(messages) = &self.layout.messages {
            return messages.key(column).map_or(fault.clone(), |key| fault.under(&format!("/{key}")));
        }
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
