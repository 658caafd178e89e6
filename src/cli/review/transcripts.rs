//! Reading a stored night's transcripts again, where they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::pack::Pack;
use zhijian::pipeline::{Format, Run, Summary, Unobserved};
use zhijian::review::case::{Case, CaseRecords};
use zhijian::store::{NightRow, Store};

use super::super::setting::{InputArgs, ReadingArgs, Segment};

/// Where the transcripts are and how they are read.
#[derive(Debug, clap::Args)]
pub struct Transcripts {
    /// 会话原文(可写多次);不写则用存这一晚时的文件
    #[arg(long = "input", value_name = "INPUT")]
    inputs: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// 分词范围,与存这一晚时相同
    #[arg(long, value_enum, default_value_t = Segment::Needed, env = "ZHIJIAN_SEGMENT")]
    segment: Segment,
    /// 线程数;不写则用全部核
    #[arg(long, value_name = "N", env = "ZHIJIAN_THREADS")]
    threads: Option<usize>,
}

impl Transcripts {
    /// The inputs of a night; the reason where they are not kept.
    pub fn kept(&self, store: &Store, row: &NightRow) -> Result<Result<Vec<String>, String>> {
        if !self.inputs.is_empty() {
            return Ok(Ok(self.inputs.clone()));
        }
        let stored = store.inputs(&row.night, &row.part)?;
        if stored.is_empty() {
            return Ok(Err("历史库里没有记下它的输入文件".into()));
        }
        let gone: Vec<&str> = stored.iter().map(|i| i.0.as_str()).filter(|p| !Path::new(p).is_file()).collect();
        match gone.first() {
            Some(first) => Ok(Err(format!("会话原文不在了({first});可用 --input 指明新的位置"))),
            None => Ok(Ok(stored.into_iter().map(|i| i.0).collect())),
        }
    }

    /// An engine of a pack, as this night was read.
    pub fn engine(&self, pack: Pack) -> Result<Engine> {
        let timezone = self.reading.zone()?;
        Engine::new(pack, EngineOptions { segment: self.segment.mode(), timezone, ..EngineOptions::default() })
    }

    fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, |n| n.get());
        self.threads.filter(|n| *n > 0).unwrap_or_else(all)
    }

    fn input(&self, inputs: Vec<String>) -> InputArgs {
        InputArgs { inputs, reading: self.reading.clone() }
    }

    /// Inspects inputs, each result by `format` onto a file that is then read line by line.
    pub fn run(
        &self,
        inputs: &[String],
        engine: &Engine,
        format: &dyn Format,
        each: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Summary> {
        let reader = self.input(inputs.to_vec()).open()?;
        let temporary = Error::temporary;
        let mut lines = tempfile::tempfile().map_err(temporary)?;
        let run = Run {
            engine,
            format,
            threads: self.threads(),
            observer: &Unobserved,
            stop: &AtomicBool::new(false),
            mask: true,
            spill: None,
        };
        let summary = run.run(reader, &mut lines, &mut std::io::sink())?;
        lines.seek(SeekFrom::Start(0)).map_err(temporary)?;
        for line in BufReader::new(lines).lines() {
            each(&line.map_err(temporary)?)?;
        }
        Ok(summary)
    }

    /// The cases of inputs: of some conversations with their chats, or of all without. Of two with one conversation and
    /// agent only the first counts.
    pub fn cases(
        &self,
        inputs: &[String],
        engine: &Engine,
        wanted: Option<BTreeSet<String>>,
        each: &mut dyn FnMut(Case),
    ) -> Result<Summary> {
        let mut seen = BTreeSet::new();
        self.run(inputs, engine, &CaseRecords { wanted }, &mut |line| {
            let case: Case = serde_json::from_str(line).map_err(|e| Error::Other(e.to_string()))?;
            if seen.insert((case.conversation.clone(), case.agent.clone())) {
                each(case);
            }
            Ok(())
        })
    }
}

/// Makes sure that what was read is what was stored.
pub fn same_night(store: &Store, row: &NightRow, summary: &Summary) -> Result<()> {
    let stored: BTreeMap<String, u64> =
        store.inputs(&row.night, &row.part)?.into_iter().fold(BTreeMap::new(), |mut all, (_, sha256)| {
            *all.entry(sha256).or_default() += 1;
            all
        });
    let mut read = BTreeMap::<String, u64>::new();
    summary.files.iter().for_each(|f| *read.entry(f.sha256.clone()).or_default() += 1);
    if stored != read {
        let reason = format!("{} 读到的会话原文和存这一晚时的不一样(文件内容变过)", row.night);
        return Err(Error::Other(format!("{reason};请用 --input 指明原来的文件,或重新 inspect 这一晚")));
    }
    Ok(())
}

/// Makes sure that judging again gave the scores that are stored.
pub fn same_scores(row: &NightRow, summary: &Summary) -> Result<()> {
    let all = &summary.aggregate.all;
    if (all.conversations, all.score_sum) == (row.agent_conversations.0, row.score_sum) {
        return Ok(());
    }
    Err(Error::Other(format!(
        "{} 重判的分数和存的不一样(读法可能不同);请给出存这一晚时的 --encoding、--columns、--timezone、--segment",
        row.night
    )))
}
