//! What a user says about an export that nobody foresaw: which column is which, what its role and channel values mean, how its
//! times are written, who its agents are. A TOML file whose faults are all reported at once, with their places.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::columns::{COLUMNS, Column};
use super::format::{FORMATS, Format};
use super::values;
use crate::conversation::{AgentInfo, Conversation, Role};
use crate::diagnostic::{Diagnostic, Severity, SourceFile, sort};
use crate::error::{Error, Result};
use crate::pack::codes;
use crate::pack::fields::{At, Faults, Table, nearest, parse};

/// How an export is to be understood; the default changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The format, for exports whose content does not tell.
    pub format: Option<&'static Format>,
    /// The encoding, as `--encoding`.
    pub encoding: Option<String>,
    /// The zone of times that name none.
    pub timezone: Option<TimeZone>,
    /// The list of messages in a JSON record.
    pub turns: Option<String>,
    /// The header or key that holds each field.
    pub names: Vec<(Column, String)>,
    /// The columns of a file without header, in order.
    pub positions: Option<Vec<Option<Column>>>,
    /// What role values and speakers stand for.
    pub roles: BTreeMap<String, Role>,
    /// What channel values stand for.
    pub channels: BTreeMap<String, String>,
    /// What teams and skill groups are called.
    pub teams: BTreeMap<String, String>,
    /// The agents by id.
    pub agents: BTreeMap<String, Staff>,
    /// How times are written, as strptime formats, tried before the known ones.
    pub times: Vec<String>,
}

/// An agent of a mapping's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staff {
    /// The name people know her by.
    pub name: Option<String>,
    /// Her team.
    pub team: Option<String>,
}

/// Who a speaker's label stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speaker {
    pub role: Role,
    pub agent_id: Option<String>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// When it cannot be read, or has faults: all of them, rendered.
    pub fn load(path: &Path) -> Result<Mapping> {
        let bytes = std::fs::read(path).map_err(|e| Error::read(path, e))?;
        let file = Arc::new(SourceFile { path: path.to_owned(), text: super::text_of(&bytes) });
        let (mapping, mut faults) = Mapping::parse(&file);
        if faults.is_empty() {
            return Ok(mapping);
        }
        sort(&mut faults);
        let rendered = faults.iter().map(Diagnostic::render).collect::<Vec<_>>().join("\n\n");
        let errors = faults.iter().filter(|f| f.severity == Severity::Error).count();
        Err(Error::Mapping { path: path.to_owned(), errors, rendered })
    }

    /// The mapping a file's text holds, with its faults.
    pub fn parse(file: &Arc<SourceFile>) -> (Mapping, Vec<Diagnostic>) {
        let mut all = Vec::new();
        let mut faults = Faults::new(file.clone(), &mut all);
        let mut out = Mapping::default();
        let root = parse(&file.text, &mut faults);
        let mut table = Table::new(root.get_ref(), root.span());
        if let Some(format) = table.string("format", &mut faults) {
            out.format = FORMATS.iter().find(|f| f.id == format.value);
            if out.format.is_none() {
                let near = nearest(&format.value, FORMATS.iter().map(|f| f.id));
                let hint = near.map_or("可用的格式见 zhijian formats".into(), |n| format!("是不是想写 `{n}`?"));
                faults.at(codes::BAD_VALUE, format.range, format!("没有 `{}` 这种格式", format.value), Some(hint));
            }
        }
        if let Some(label) = table.string("encoding", &mut faults) {
            if super::encoding::by_label(&label.value).is_err() {
                let hint = Some("可用 auto、utf-8、gbk、gb18030、big5、utf-16le".into());
                faults.at(codes::BAD_VALUE, label.range, format!("不认识编码 `{}`", label.value), hint);
            }
            out.encoding = Some(label.value);
        }
        if let Some(zone) = table.string("timezone", &mut faults) {
            match TimeZone::get(&zone.value) {
                Ok(found) => out.timezone = Some(found),
                Err(_) => {
                    let hint = Some("写时区名,如 Asia/Shanghai、UTC、America/New_York".into());
                    faults.at(codes::BAD_VALUE, zone.range, format!("`{}` 不是时区名", zone.value), hint);
                }
            }
        }
        for format in table.strings("times", &mut faults) {
            if check_time(&format.value) {
                out.times.push(format.value);
            } else {
                let hint = Some("用 strptime 写法,如 \"%d/%m/%Y %H:%M:%S\";至少要有年月日".into());
                faults.at(codes::BAD_VALUE, format.range, format!("时间格式 `{}` 不能用", format.value), hint);
            }
        }
        out.turns = table.string("turns", &mut faults).map(|t| t.value);
        if let Some(columns) = table.table("columns", &mut faults) {
            out.columns(&columns, &mut faults);
        }
        if let Some(roles) = table.table("roles", &mut faults) {
            for (key, value) in texts(&roles, &mut faults) {
                match Role::parse(&value.value) {
                    Some(role) => drop(out.roles.insert(key.value.trim().to_owned(), role)),
                    None => {
                        let hint = Some("可用 agent(客服)、customer(客户)、bot(机器人)、system(系统)".into());
                        faults.at(codes::BAD_VALUE, value.range, format!("没有 `{}` 这种角色", value.value), hint);
                    }
                }
            }
        }
        for (key, list) in [("channels", &mut out.channels), ("teams", &mut out.teams)] {
            if let Some(table) = table.table(key, &mut faults) {
                let pairs = texts(&table, &mut faults);
                list.extend(pairs.into_iter().map(|(key, value)| (key.value.trim().to_owned(), value.value)));
            }
        }
        if let Some(agents) = table.table("agents", &mut faults) {
            for (id, value) in agents.entries() {
                let staff = match value.get_ref() {
                    DeValue::String(name) => Staff { name: Some(name.to_string()), team: None },
                    DeValue::Table(fields) => {
                        let mut fields = Table::new(fields, value.span());
                        let mut text = |key| fields.string(key, &mut faults).map(|a| a.value);
                        let staff = Staff { name: text("name"), team: text("team") };
                        fields.finish("[agents] 的客服", &mut faults);
                        staff
                    }
                    _ => {
                        let hint = Some("写 a01 = \"小王\" 或 a01 = { name = \"小王\", team = \"一组\" }".into());
                        faults.at(codes::WRONG_TYPE, value.span(), "客服要写名字或表", hint);
                        continue;
                    }
                };
                out.agents.insert(id.value, staff);
            }
        }
        table.finish("映射文件", &mut faults);
        // where the text itself is broken, nothing else is worth saying about it
        let start = |fault: &Diagnostic| fault.place.as_ref().map_or(0, |p| p.1.start);
        let broken: Vec<_> = all.iter().filter(|f| f.code == codes::SYNTAX.name).map(start).collect();
        all.retain(|fault| fault.code == codes::SYNTAX.name || !broken.contains(&start(fault)));
        (out, all)
    }

    fn columns(&mut self, table: &Table<'_>, faults: &mut Faults<'_>) {
        let mut positions: Vec<(usize, Column)> = Vec::new();
        let mut seen: Vec<Column> = Vec::new();
        for (key, value) in table.entries() {
            let Some(column) = COLUMNS.iter().find(|(_, names)| names[0] == key.value).map(|c| c.0) else {
                let near = Column::parse(&key.value).map(Column::name);
                let near = near.or_else(|| nearest(&key.value, COLUMNS.iter().map(|c| c.1[0])));
                let hint = match near {
                    Some(near) => format!("是不是想写 `{near}`?左边写本项目的字段,右边写导出里的列名"),
                    None => format!("可用: {}", COLUMNS.iter().map(|c| c.1[0]).collect::<Vec<_>>().join("、")),
                };
                faults.at(codes::UNKNOWN_KEY, key.range, format!("没有 `{}` 这个字段", key.value), Some(hint));
                continue;
            };
            seen.push(column);
            match value.get_ref() {
                DeValue::String(name) if !name.trim().is_empty() => {
                    if let Some((other, _)) = self.names.iter().find(|(_, n)| n == name.trim()) {
                        let message = format!("`{name}` 已经用作 {}", other.name());
                        faults.at(codes::BAD_VALUE, value.span(), message, Some("一列只能作一个字段".into()));
                    }
                    self.names.push((column, name.trim().to_owned()));
                }
                DeValue::Integer(number) => match number.as_str().parse::<usize>() {
                    Ok(at) if (1..=1000).contains(&at) && positions.iter().all(|p| p.0 != at) => {
                        positions.push((at, column));
                    }
                    _ => {
                        let hint = Some("列号从 1 数起,一列只能用一次".into());
                        faults.at(codes::BAD_VALUE, value.span(), "列号不能用", hint);
                    }
                },
                _ => {
                    let hint = Some("写列名(加引号),没有表头的写列号".into());
                    faults.at(codes::WRONG_TYPE, value.span(), format!("`{}` 要写列名或列号", key.value), hint);
                }
            }
        }
        if !positions.is_empty() && !self.names.is_empty() {
            let hint = Some("有表头的都写列名,没有表头的都写列号".into());
            faults.at(codes::BAD_VALUE, table.head(), "[columns] 里列名和列号不能混用", hint);
        } else if let Some(last) = positions.iter().map(|p| p.0).max() {
            let missing: Vec<_> = super::columns::REQUIRED.iter().filter(|c| !seen.contains(c)).collect();
            if !missing.is_empty() {
                let names: Vec<_> = missing.iter().map(|c| c.name()).collect();
                let message = format!("没有表头时必须写出 {}", names.join("、"));
                faults.at(codes::MISSING_KEY, table.head(), message, None);
            }
            let mut columns = vec![None; last];
            positions.iter().for_each(|(at, column)| columns[at - 1] = Some(*column));
            self.positions = Some(columns);
        }
    }

    /// The field a header or key of the export holds.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        if let Some((column, _)) = self.names.iter().find(|(_, n)| n == name.trim().trim_start_matches('\u{feff}')) {
            return Some(*column);
        }
        // a field the mapping places elsewhere is not looked for under its usual names
        Column::parse(name).filter(|column| self.names.iter().all(|(c, _)| c != column))
    }

    /// The role of an export's value.
    pub(crate) fn role(&self, value: &str) -> Option<Role> {
        match self.roles.is_empty() {
            true => Role::parse(value),
            false => self.roles.get(value.trim()).copied().or_else(|| Role::parse(value)),
        }
    }

    /// The channel of an export's value.
    pub(crate) fn channel<'a>(&self, value: std::borrow::Cow<'a, str>) -> std::borrow::Cow<'a, str> {
        match self.channels.get(value.trim()) {
            Some(channel) => values::channel(channel.clone().into()),
            None => values::channel(value),
        }
    }

    /// The agent of the table whom a label names, by id or name.
    pub fn staff(&self, label: &str) -> Option<&str> {
        match self.agents.get_key_value(label) {
            Some((id, _)) => Some(id),
            None => self.agents.iter().find(|(_, s)| s.name.as_deref() == Some(label)).map(|(id, _)| id.as_str()),
        }
    }

    /// Who a label stands for, by the mapping, the agents' table and known role words. A bare number says nothing: the
    /// first speaker of a recording is no more often the agent than the second.
    pub(crate) fn speaker(&self, label: &str) -> Option<Speaker> {
        let label = label.trim();
        let number = label.bytes().all(|b| b.is_ascii_digit());
        let known = |role| Speaker { role, agent_id: None };
        let staff = |role| Speaker { role, agent_id: self.staff(label).map(str::to_owned) };
        if let Some(role) = self.roles.get(label) {
            let mut speaker = staff(*role);
            if *role == Role::Agent && speaker.agent_id.is_none() && !number && Role::parse(label).is_none() {
                speaker.agent_id = Some(label.to_owned());
            }
            return Some(speaker);
        }
        if self.staff(label).is_some() {
            return Some(staff(Role::Agent));
        }
        if number || label.is_empty() {
            return None;
        }
        if let Some(role) = Role::parse(label).or_else(|| notice(label)) {
            return Some(known(role));
        }
        // 客服(小美)、坐席-01、客服01
        let cut = label
            .find([' ', '-', '_', '(', '（', ':', '：', '|', '/'])
            .or_else(|| label.find(|c: char| c.is_ascii_digit()))?;
        let role = Role::parse(&label[..cut])?;
        let name = label[cut..].trim_matches([' ', '-', '_', '(', '（', ')', '）', ':', '：', '|', '/']);
        let id = self.staff(name).unwrap_or(name);
        Some(Speaker { role, agent_id: (role == Role::Agent && !id.is_empty()).then(|| id.to_owned()) })
    }

    /// True when nothing is to be applied to conversations.
    pub(crate) fn is_plain(&self) -> bool {
        self.agents.is_empty() && self.teams.is_empty()
    }

    /// Gives a conversation's agents the names and teams of the tables.
    pub(crate) fn apply(&self, conversation: &mut Conversation<'_>) {
        let mut ids: Vec<String> = Vec::new();
        let own = conversation.agent_id.iter().chain(conversation.turns.iter().filter_map(|t| t.agent_id.as_ref()));
        for id in own.chain(conversation.agents.iter().map(|a| &a.id)) {
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_string());
            }
        }
        let queue = conversation.queue.as_deref().and_then(|q| self.teams.get(q)).cloned();
        for id in ids {
            let staff = self.agents.get(&id);
            let at = conversation.agents.iter().position(|a| a.id == id.as_str());
            if staff.is_none() && at.is_none() && queue.is_none() {
                continue;
            }
            let at = at.unwrap_or_else(|| {
                conversation.agents.push(AgentInfo { id: id.into(), name: None, team: None });
                conversation.agents.len() - 1
            });
            let entry = &mut conversation.agents[at];
            if let Some(name) = staff.and_then(|s| s.name.clone()) {
                entry.name = Some(name.into());
            }
            let team = staff.and_then(|s| s.team.clone());
            let renamed = entry.team.as_deref().and_then(|t| self.teams.get(t)).cloned();
            if let Some(team) = team.or(renamed).or_else(|| entry.team.is_none().then(|| queue.clone()).flatten()) {
                entry.team = Some(team.into());
            }
        }
    }
}

/// Notices of the platform in chat windows.
fn notice(label: &str) -> Option<Role> {
    ["系统提示", "平台通知", "平台消息", "系统通知", "服务通知"].contains(&label).then_some(Role::System)
}

/// A table of texts.
fn texts(table: &Table<'_>, faults: &mut Faults<'_>) -> Vec<(At<String>, At<String>)> {
    let mut out = Vec::new();
    for (key, value) in table.entries() {
        match value.get_ref().as_str() {
            Some(text) => out.push((key, At { value: text.to_owned(), range: value.span() })),
            None => faults.at(codes::WRONG_TYPE, value.span(), format!("`{}` 要写文字(加英文引号)", key.value), None),
        }
    }
    out
}

/// True when a format can be read back: it names a day.
fn check_time(format: &str) -> bool {
    let moment = jiff::civil::date(2026, 11, 20).at(9, 1, 5, 0);
    let Ok(zoned) = moment.to_zoned(TimeZone::UTC) else { return false };
    let Ok(text) = jiff::fmt::strtime::format(format, &zoned) else { return false };
    jiff::fmt::strtime::parse(format, &text).is_ok_and(|t| t.to_date().is_ok() || t.to_timestamp().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Mapping, Vec<String>) {
        let file = Arc::new(SourceFile { path: "m.toml".into(), text: text.into() });
        let (mapping, mut faults) = Mapping::parse(&file);
        sort(&mut faults);
        let shown = faults.iter().map(|f| {
            let (_, line, column) = f.position().unwrap();
            format!("{}@{line}:{column}", f.code)
        });
        (mapping, shown.collect())
    }

    #[test]
    fn every_fault_at_once() {
        let (_, faults) = parsed(
            "format = \"cvs\"\nencoding = 5\ntimezone = \"北京\"\nrolls = 1\ntimes = [\"%H\"]\n[columns]\n\"会话号\" = \"x\"\nrole = true\n[roles]\n\"主管\" = \"经理\"\n[agents]\na1 = { nmae = \"x\" }\n",
        );
        assert_eq!(
            faults,
            [
                "bad-value@1:10",
                "wrong-type@2:12",
                "bad-value@3:12",
                "unknown-key@4:1",
                "bad-value@5:10",
                "unknown-key@7:1",
                "wrong-type@8:8",
                "bad-value@10:8",
                "unknown-key@12:8",
            ]
        );
        assert_eq!(parsed("format = \n").1, ["syntax@1:10"]);
    }

    #[test]
    fn a_sound_mapping() {
        let (mapping, faults) = parsed(
            "timezone = \"UTC\"\ntimes = [\"%d/%m/%Y %H:%M\"]\n[columns]\nrole = \"谁\"\n[roles]\n\"1\" = \"客户\"\n\"店小二\" = \"agent\"\n[channels]\nTB = \"在线\"\n[teams]\nSG1 = \"一组\"\n[agents]\na1 = { name = \"小王\", team = \"二组\" }\na2 = \"小李\"\n",
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(mapping.column("谁"), Some(Column::Role));
        assert_eq!(mapping.column("角色"), None, "the mapping places it elsewhere");
        assert_eq!(mapping.column("内容"), Some(Column::Text));
        assert_eq!((mapping.role("1"), mapping.role("客服")), (Some(Role::Customer), Some(Role::Agent)));
        assert_eq!(mapping.channel("TB".into()), "chat");
        let who = |label| mapping.speaker(label).map(|s| (s.role, s.agent_id.unwrap_or_default()));
        assert_eq!(who("小王"), Some((Role::Agent, "a1".into())));
        assert_eq!(who("店小二"), Some((Role::Agent, "店小二".into())));
        assert_eq!(who("客服(小李)"), Some((Role::Agent, "a2".into())));
        assert_eq!(who("客户-张三"), Some((Role::Customer, String::new())));
        assert_eq!(who("1"), Some((Role::Customer, String::new())));
        assert_eq!((who("0"), who("张三"), who("用户体验官")), (None, None, None));
    }

    #[test]
    fn numbers_are_for_files_without_header() {
        let (mapping, faults) = parsed("[columns]\nconversation_id = 1\nrole = 3\ntext = 4\n");
        assert!(faults.is_empty());
        let columns = [Some(Column::ConversationId), None, Some(Column::Role), Some(Column::Text)];
        assert_eq!(mapping.positions.as_deref(), Some(&columns[..]));
        assert_eq!(parsed("[columns]\nrole = 0\ntext = \"x\"\n").1, ["bad-value@2:8"]);
        assert_eq!(parsed("[columns]\nrole = 1\ntext = \"x\"\n").1, ["bad-value@1:1"]);
        assert_eq!(parsed("[columns]\nrole = 1\n").1, ["missing-key@1:1"]);
    }
}
