//! 违规明细 and 会话: a row a finding and a row a conversation, written side by side so that each can link to the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::detail_columns::{conversation_columns, finding_columns};
use super::records::{FindingLine, Line};
use super::split::Split;
use super::style::{bars, shade};
use super::table::{Column, Table};
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
        folder: sources.folder.filter(|f| f.join("report/chats").is_dir()),
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
        let path = format!("report/chats/{}.html", file_stem(conversation));
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
            chat.map_or(Cell::Empty, |path| {
                // The name of its note on the page.
                let note = format!("{path}#{}-{}", finding.rule, finding.turn + 1);
                Cell::file(&note, page.say("看聊天", "chat"))
            }),
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
