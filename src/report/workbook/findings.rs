//! 违规明细 and 会话: a row a finding and a row a conversation, written side by side so that each can link to the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::records::{FindingLine, Line};
use super::style::{Kind, bars, shade};
use super::table::{Column, Table, column};
use super::text::Cell;
use super::{Page, Sources};
use crate::error::{Error, Result};
use crate::metrics::resolution::Resolution;
use crate::pack::rule::Severity;
use crate::report::names::file_stem;
use crate::report::words::{pick, severity, severity_of};

/// Findings up to which quotes take several lines; beyond, spreadsheets are slow to lay them out.
const WRAPPED: u64 = 20_000;

/// The finished sheets.
pub(super) struct Details {
    pub findings: Vec<Worksheet>,
    pub conversations: Vec<Worksheet>,
    pub finding_columns: Vec<Column>,
    pub conversation_columns: Vec<Column>,
    /// What is left out, split, or kept as evidence only: for the first sheet too.
    pub words: Vec<String>,
}

fn finding_columns(page: &Page<'_>, wrapped: bool) -> Vec<Column> {
    let c = |kind, title, about| column(page.night.lang, kind, title, about);
    let long = if wrapped { Kind::Wrap } else { Kind::Text };
    use Kind::*;
    let mut out = vec![
        c(
            Text,
            ("会话ID", "Conversation"),
            ("导出里的会话编号,原样,按文字存。", "The conversation's id as exported, held as text."),
        ),
        c(Text, ("客服ID", "Agent id"), ("这一处算在谁名下。", "Whose finding it is.")),
        c(Text, ("姓名", "Name"), ("客服姓名。", "The agent's name.")),
        c(Text, ("团队", "Team"), ("客服所在团队。", "The agent's team.")),
        c(Text, ("标题", "Title"), ("规则说的事。", "What the rule is about.")),
        c(Text, ("级别", "Severity"), ("提示、轻微、严重、一票否决。", "note, minor, major, critical.")),
        c(
            Points,
            ("分值", "Points"),
            ("这一处的分值,负数扣分,正数加分;封顶之后为 0。", "Points of this finding; 0 beyond the rule's cap."),
        ),
        c(
            Count,
            ("第几条", "Message"),
            ("在会话里是第几条消息,从 1 数起。", "Which message of the conversation, counted from 1."),
        ),
        c(
            long,
            ("原话", "Quote"),
            ("判断所指的原话(已遮盖个人信息),过长的截短。", "The words it points at, masked; very long ones cut."),
        ),
        c(long, ("原因", "Why"), ("为什么算一处。", "Why it is a finding.")),
        c(
            Text,
            ("说明", "Remark"),
            ("“待复核”不扣分,等人看;“封顶”是同一规则已扣到上限。", "Left to review, or beyond the cap."),
        ),
        c(Link, ("会话", "Go to"), ("跳到“会话”表里的这一通。", "Jumps to the conversation's row.")),
        c(
            Link,
            ("聊天", "Chat"),
            ("打开这通会话的聊天页面(有页面时)。", "Opens the conversation's page, where there is one."),
        ),
        c(Text, ("维度", "Dimension"), ("分值计入的维度。", "The dimension its points count in.")),
        c(Text, ("规则", "Rule"), ("规则编号,可在“规则”表查。", "The rule's id.")),
    ];
    for (number, widest) in [(8, 44), (9, 56)] {
        out[number].widest = widest;
    }
    out
}

fn conversation_columns(page: &Page<'_>) -> Vec<Column> {
    let c = |kind, title, about| column(page.night.lang, kind, title, about);
    use Kind::*;
    vec![
        c(
            Text,
            ("会话ID", "Conversation"),
            ("导出里的会话编号,原样,按文字存。", "The conversation's id as exported, held as text."),
        ),
        c(Text, ("客服ID", "Agents"), ("参与的客服,按先后。", "Its agents in order.")),
        c(Text, ("姓名", "Names"), ("客服姓名。", "Their names.")),
        c(Text, ("团队", "Teams"), ("客服所在团队。", "Their teams.")),
        c(Points, ("得分", "Score"), ("会话得分,满分 100;没有评判的空着。", "The conversation's score, of 100.")),
        c(Points, ("否决前得分", "Raw score"), ("一票否决置零之前的得分。", "Before a critical finding set it to 0.")),
        c(
            Text,
            ("合格", "Passed"),
            ("每位客服的部分都达到合格线为“是”。", "Yes when every agent's part reached the pass mark."),
        ),
        c(Text, ("一票否决", "Critical"), ("有一票否决问题为“是”。", "Yes with a critical finding.")),
        c(
            Count,
            ("问题处数", "Findings"),
            ("这一通的问题处数(含待复核和加分)。", "Findings of the conversation, review and bonuses too."),
        ),
        c(Points, ("分值合计", "Points"), ("各处分值之和。", "Sum of the findings' points.")),
        c(Text, ("主要诉求", "Main reason"), ("客户为什么来。", "Why the customer came.")),
        c(Text, ("解决", "Resolution"), ("已解决、未解决、无法判断。", "resolved, unresolved, unknown.")),
        c(
            Share,
            ("满意度估计", "Satisfaction est."),
            ("模型估计,0–1,不是客户打的分。", "The estimate, 0–1; not a rating."),
        ),
        c(Seconds, ("首次响应", "First response"), ("客户第一条消息到首次回复。", "To the first reply.")),
        c(Seconds, ("平均响应", "Average response"), ("每轮回复等待的平均。", "Mean waiting a round.")),
        c(Seconds, ("最长响应", "Longest response"), ("等得最久的一轮。", "The longest round.")),
        c(Seconds, ("处理时长", "Handling time"), ("从第一条到最后一条消息。", "From the first to the last message.")),
        c(Count, ("消息数", "Messages"), ("双方消息条数。", "Messages of both sides.")),
        c(
            Text,
            ("没有评判的原因", "Not judged"),
            ("没有人工客服、太短,或没有适用的规则。", "No agent, too short, or no rule applicable."),
        ),
        c(Link, ("问题", "Go to"), ("跳到“违规明细”里这一通的第一处。", "Jumps to its first finding.")),
        c(
            Link,
            ("聊天", "Chat"),
            ("打开这通会话的聊天页面(有页面时)。", "Opens the conversation's page, where there is one."),
        ),
    ]
}

/// Sheets of one kind, begun anew when one is full.
struct Split<'s> {
    name: &'static str,
    columns: Vec<Column>,
    banner: Option<String>,
    open: Option<Table<'s>>,
    full: Vec<Worksheet>,
    sheet_rows: u64,
    all_rows: u64,
    written: u64,
    finish: fn(&Page<'_>, Table<'s>) -> Result<Worksheet, XlsxError>,
}

impl<'s> Split<'s> {
    fn has_room(&self) -> bool {
        self.written < self.all_rows
    }

    /// Where the next row will stand: sheet and Excel's row number.
    fn next(&self) -> (String, u32) {
        let header = 1 + u32::from(self.banner.is_some());
        match &self.open {
            Some(table) if u64::from(table.rows()) < self.sheet_rows => (self.sheet_name(0), table.next_row()),
            Some(_) => (self.sheet_name(1), header + 1),
            None => (self.sheet_name(0), header + 1),
        }
    }

    /// The name of the open sheet, or of those after it.
    fn sheet_name(&self, later: usize) -> String {
        match self.full.len() + later {
            0 => self.name.to_string(),
            n => format!("{}{}", self.name, n + 1),
        }
    }

    fn row<'c>(
        &mut self,
        book: &mut Workbook,
        page: &Page<'s>,
        grey: bool,
        cells: Vec<Cell<'c>>,
    ) -> Result<(), XlsxError> {
        if self.open.as_ref().is_some_and(|t| u64::from(t.rows()) >= self.sheet_rows) {
            self.close(page)?;
        }
        if self.open.is_none() {
            self.begin(book, page)?;
        }
        if let Some(table) = &mut self.open {
            table.row(grey, cells)?;
            self.written += 1;
        }
        Ok(())
    }

    fn begin(&mut self, book: &mut Workbook, page: &Page<'s>) -> Result<(), XlsxError> {
        let name = self.sheet_name(0);
        self.open = Some(Table::new(book, page, &name, self.columns.clone(), self.banner.as_deref())?);
        Ok(())
    }

    fn close(&mut self, page: &Page<'s>) -> Result<(), XlsxError> {
        if let Some(table) = self.open.take() {
            self.full.push((self.finish)(page, table)?);
        }
        Ok(())
    }

    /// Ends the last sheet; an empty one when nothing was written.
    fn end(mut self, book: &mut Workbook, page: &Page<'s>) -> Result<Vec<Worksheet>, XlsxError> {
        if self.open.is_none() && self.full.is_empty() {
            self.begin(book, page)?;
        }
        self.close(page)?;
        Ok(self.full)
    }
}

struct Writer<'w> {
    page: &'w Page<'w>,
    folder: Option<&'w Path>,
    dimensions: BTreeMap<&'w str, &'w str>,
    topics: BTreeMap<&'w str, &'w str>,
    findings: Split<'w>,
    conversations: Split<'w>,
}

/// Writes the sheets.
pub(super) fn sheets<'w>(
    book: &mut Workbook,
    page: &'w Page<'w>,
    sources: &Sources<'w>,
    failed: impl Fn(XlsxError) -> Error,
) -> Result<Details> {
    let night = page.night;
    let rules = night.aggregate.all.rules.values();
    let total: u64 = rules.map(|c| c.findings + c.review).sum();
    let kept = sources.conversations.is_none();
    let mut words = Vec::new();
    let mut banner = |total: u64, what: (&str, &str)| {
        let text = about(page, sources, total, pick(night.lang, what.0, what.1))?;
        words.push(text.clone());
        Some(text)
    };
    let split = |name, columns, banner, finish| Split {
        name,
        columns,
        banner,
        open: None,
        full: Vec::new(),
        sheet_rows: sources.limits.sheet.clamp(1, 1_000_000),
        all_rows: sources.limits.all,
        written: 0,
        finish,
    };
    let finding_columns = finding_columns(page, total <= WRAPPED);
    let conversation_columns = conversation_columns(page);
    let about_findings = banner(total, ("违规明细", "findings"));
    let about_conversations =
        if kept { None } else { banner(night.aggregate.conversations, ("会话", "conversations")) };
    let dimensions = night.pack.scorecard.dimensions.iter();
    let mut writer = Writer {
        page,
        folder: sources.folder.filter(|f| f.join("report/conversations").is_dir()),
        dimensions: dimensions.map(|d| (d.id.as_str(), pick(night.lang, &d.title, &d.title_en))).collect(),
        topics: night
            .pack
            .topics
            .list
            .iter()
            .map(|t| (t.id.as_str(), pick(night.lang, &t.title, &t.title_en)))
            .collect(),
        findings: split(page.names.findings, finding_columns.clone(), about_findings.clone(), finish_findings),
        conversations: split(
            page.names.conversations,
            conversation_columns.clone(),
            if kept { about_findings } else { about_conversations },
            finish_conversations,
        ),
    };
    match sources.conversations {
        Some(path) => writer.file(book, path, &failed)?,
        None => writer.evidence(book).map_err(&failed)?,
    }
    Ok(Details {
        findings: writer.findings.end(book, page).map_err(&failed)?,
        conversations: writer.conversations.end(book, page).map_err(&failed)?,
        finding_columns,
        conversation_columns,
        words,
    })
}

/// The word about what a sheet does not hold; `None` when it holds everything in one piece.
fn about(page: &Page<'_>, sources: &Sources<'_>, total: u64, what: &str) -> Option<String> {
    let limits = sources.limits;
    if sources.conversations.is_none() {
        let each = crate::score::aggregate::EVIDENCE;
        return Some(match page.zh() {
            true => format!(
                "这里只有留存的证据:每位客服每条规则扣分最多的 {each} 处,不是全部 {total} 处。全部见当晚的 conversations.jsonl。"
            ),
            false => format!(
                "Evidence kept only: at most {each} findings an agent and rule, not all {total}. All are in the night's conversations.jsonl."
            ),
        });
    }
    if total > limits.all {
        return Some(match page.zh() {
            true => format!(
                "“{what}”共 {total} 行,工作簿只放得下前 {} 行(按输入顺序),其余在 conversations.jsonl。统计表不受影响。",
                limits.all
            ),
            false => format!(
                "Of {total} {what} the workbook holds the first {} (in input order); the rest are in conversations.jsonl. Figures are over all.",
                limits.all
            ),
        });
    }
    (total > limits.sheet).then(|| match page.zh() {
        true => format!("“{what}”共 {total} 行,每张表放 {} 行,接着看下一张({what}2……)。", limits.sheet),
        false => format!("{total} {what}, {} a sheet; the next sheet goes on.", limits.sheet),
    })
}

fn finish_findings(page: &Page<'_>, mut table: Table<'_>) -> Result<Worksheet, XlsxError> {
    let lang = page.night.lang;
    table.format_column(5, &shade(severity(lang, Severity::Critical), 0x833C0B, 0xFFFFFF, true))?;
    table.format_column(5, &shade(severity(lang, Severity::Major), 0xF8CBAD, 0x000000, false))?;
    table.finish(1)
}

fn finish_conversations(page: &Page<'_>, mut table: Table<'_>) -> Result<Worksheet, XlsxError> {
    table.format_column(8, &bars())?;
    table.format_column(7, &shade(page.say("是", "yes"), 0x833C0B, 0xFFFFFF, true))?;
    table.format_column(6, &shade(page.say("否", "no"), 0xF8CBAD, 0x000000, false))?;
    table.finish(1)
}

impl<'w> Writer<'w> {
    fn file(&mut self, book: &mut Workbook, path: &Path, failed: &impl Fn(XlsxError) -> Error) -> Result<()> {
        let unread = |e: std::io::Error| Error::read(path, e);
        let mut input = BufReader::with_capacity(1 << 18, File::open(path).map_err(unread)?);
        let mut bytes = Vec::new();
        while self.findings.has_room() || self.conversations.has_room() {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes).map_err(unread)? == 0 {
                break;
            }
            let line: Line<'_> = serde_json::from_slice(&bytes).map_err(|e| unread(e.into()))?;
            self.line(book, &line).map_err(failed)?;
        }
        Ok(())
    }

    /// The pieces of evidence kept, by conversation.
    fn evidence(&mut self, book: &mut Workbook) -> Result<(), XlsxError> {
        let night = self.page.night;
        let mut kept = BTreeMap::<&str, Line<'_>>::new();
        for (agent, totals) in &night.aggregate.agents {
            for (number, count) in &totals.rules {
                let rule = &night.pack.rules[*number as usize];
                for evidence in count.evidence.items() {
                    let line = kept.entry(&evidence.conversation_id).or_default();
                    line.conversation_id = evidence.conversation_id.as_str().into();
                    line.findings.push(FindingLine {
                        rule: rule.id.as_str().into(),
                        title: rule.title.as_str().into(),
                        severity: rule.severity.id().into(),
                        dimension: night.pack.scorecard.dimensions[rule.dimension].id.as_str().into(),
                        points: evidence.points as f64 / 1000.0,
                        capped: false,
                        review: false,
                        agent_id: agent.as_str().into(),
                        turn: u64::from(evidence.turn),
                        quote: evidence.quote.as_str().into(),
                        why: evidence.why.as_str().into(),
                    });
                }
            }
        }
        for line in kept.values_mut() {
            line.findings.sort_by(|a, b| (a.turn, &a.rule, &a.agent_id).cmp(&(b.turn, &b.rule, &b.agent_id)));
            self.line(book, line)?;
        }
        Ok(())
    }

    fn line(&mut self, book: &mut Workbook, line: &Line<'_>) -> Result<(), XlsxError> {
        let chat = self.chat(&line.conversation_id);
        let place = self.conversations.has_room().then(|| self.conversations.next());
        if place.is_some() {
            let first = (!line.findings.is_empty() && self.findings.has_room()).then(|| self.findings.next());
            let cells = self.conversation(line, first, chat.as_deref());
            self.conversations.row(book, self.page, line.score.is_none() && line.not_judged.is_some(), cells)?;
        }
        for finding in &line.findings {
            if !self.findings.has_room() {
                break;
            }
            let cells = self.finding(&line.conversation_id, finding, place.as_ref(), chat.as_deref());
            self.findings.row(book, self.page, finding.review, cells)?;
        }
        Ok(())
    }

    /// The page of a conversation, where it stands beside the workbook.
    fn chat(&self, conversation: &str) -> Option<String> {
        let path = format!("report/conversations/{}.html", file_stem(conversation));
        self.folder?.join(&path).is_file().then_some(path)
    }

    fn finding(
        &self,
        conversation: &str,
        finding: &FindingLine<'_>,
        place: Option<&(String, u32)>,
        chat: Option<&str>,
    ) -> Vec<Cell<'static>> {
        let (page, lang) = (self.page, self.page.night.lang);
        let foreign = |text: &str| Cell::foreign(lang, text);
        let agent = page.night.aggregate.agents.get(finding.agent_id.as_ref());
        let remark = match (finding.review, finding.capped) {
            (true, _) => page.say("待复核", "for review"),
            (false, true) => page.say("封顶", "capped"),
            (false, false) => "",
        };
        vec![
            foreign(conversation),
            foreign(&finding.agent_id),
            foreign(agent.and_then(|a| a.name.as_deref()).unwrap_or_default()),
            foreign(agent.and_then(|a| a.team.as_deref()).unwrap_or_default()),
            foreign(&finding.title),
            Cell::text(severity_of(lang, &finding.severity).to_string()),
            Cell::Number(finding.points),
            Cell::count(finding.turn + 1),
            foreign(&finding.quote),
            foreign(&finding.why),
            Cell::text(remark.to_string()),
            place.map_or(Cell::Empty, |(sheet, row)| Cell::jump(sheet, *row, page.say("看会话", "open"))),
            chat.map_or(Cell::Empty, |path| Cell::file(path, page.say("看聊天", "chat"))),
            foreign(self.dimensions.get(finding.dimension.as_ref()).unwrap_or(&finding.dimension.as_ref())),
            foreign(&finding.rule),
        ]
    }

    fn conversation(&self, line: &Line<'_>, first: Option<(String, u32)>, chat: Option<&str>) -> Vec<Cell<'static>> {
        let (page, lang) = (self.page, self.page.night.lang);
        let foreign = |text: &str| Cell::foreign(lang, text);
        let mut ids: Vec<&str> = line.agents.iter().map(|a| a.agent_id.as_ref()).collect();
        if ids.is_empty() {
            ids = line.findings.iter().map(|f| f.agent_id.as_ref()).collect();
            ids.dedup();
        }
        let known: Vec<_> = ids.iter().filter_map(|id| page.night.aggregate.agents.get(*id)).collect();
        let joined = |list: Vec<&str>| list.join("、");
        let mut teams: Vec<&str> = known.iter().filter_map(|a| a.team.as_deref()).collect();
        teams.dedup();
        let yes = |is: bool| if is { page.say("是", "yes") } else { page.say("否", "no") };
        let judged = line.score.is_some();
        let all = |of: fn(&super::records::AgentLine<'_>) -> bool| line.agents.iter().all(of);
        let resolution = Resolution::ALL.iter().find(|r| r.id() == line.resolution);
        let topic = line.topics.first().map(|t| self.topics.get(t.id.as_ref()).copied().unwrap_or(t.id.as_ref()));
        let not_judged = match (line.not_judged.as_deref(), page.zh()) {
            (Some("no_agent"), true) => "没有人工客服",
            (Some("too_thin"), true) => "太短",
            (Some("nothing_applicable"), true) => "没有适用的规则",
            (other, _) => other.unwrap_or_default(),
        };
        let m = &line.metrics;
        let found = line.findings.len() as u64;
        vec![
            foreign(&line.conversation_id),
            foreign(&joined(ids.clone())),
            foreign(&joined(known.iter().filter_map(|a| a.name.as_deref()).collect())),
            foreign(&joined(teams)),
            Cell::number(line.score),
            Cell::number(line.raw_score),
            if judged { Cell::text(yes(all(|a| a.passed)).to_string()) } else { Cell::Empty },
            if judged { Cell::text(yes(!all(|a| !a.critical)).to_string()) } else { Cell::Empty },
            Cell::count(found),
            Cell::Number(line.findings.iter().map(|f| f.points).sum()),
            foreign(topic.unwrap_or_default()),
            resolution.map_or(Cell::Empty, |r| Cell::text(pick(lang, r.title(), r.id()).to_string())),
            Cell::number(line.satisfaction_estimate),
            Cell::number(m.first_response),
            Cell::number(m.avg_response),
            Cell::number(m.max_response),
            Cell::number(m.handle_time),
            Cell::number(m.turns),
            foreign(not_judged),
            first.map_or(Cell::Empty, |(sheet, row)| Cell::jump(&sheet, row, page.say("看问题", "open"))),
            chat.map_or(Cell::Empty, |path| Cell::file(path, page.say("看聊天", "chat"))),
        ]
    }
}
