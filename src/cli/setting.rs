//! Flags that several commands share, and what they mean.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::tz::TimeZone;

use zhijian::detect::SegmentMode;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::input::{InputOptions, Reader, parse_columns};
use zhijian::judge::Lang;
use zhijian::pack::Pack;

/// How input is read.
#[derive(Debug, clap::Args)]
pub struct InputArgs {
    /// 会话文件、目录或通配符(.jsonl .csv .tsv,可带 .gz/.zst);`-` 读标准输入
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// 文本编码(utf-8、gbk、gb18030、big5、utf-16le…);不写则自动识别
    #[arg(long, value_name = "ENCODING", env = "ZHIJIAN_ENCODING")]
    pub encoding: Option<String>,
    /// 无表头文件各列的含义,`-` 跳过,如 conversation_id,customer_id,role,-,-,-,text
    #[arg(long, value_name = "COLUMNS")]
    pub columns: Option<String>,
    /// 没写时区的时间按哪个时区读
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai", env = "ZHIJIAN_TIMEZONE")]
    pub timezone: String,
}

impl InputArgs {
    /// These inputs with everything else at its default.
    pub fn of(inputs: Vec<String>) -> InputArgs {
        InputArgs { inputs, encoding: None, columns: None, timezone: "Asia/Shanghai".into() }
    }

    /// The time zone.
    pub fn zone(&self) -> Result<TimeZone> {
        TimeZone::get(&self.timezone).map_err(|e| Error::Setting {
            option: "--timezone".into(),
            reason: format!("`{}` 不是时区名(如 Asia/Shanghai、UTC): {e}", self.timezone),
        })
    }

    /// Opens the input.
    pub fn open(&self) -> Result<Reader> {
        let columns = self.columns.as_deref().map(parse_columns).transpose()?;
        let options = InputOptions {
            encoding: self.encoding.clone(),
            columns,
            timezone: self.zone()?,
            ..InputOptions::default()
        };
        Reader::open(&self.inputs, options)
    }
}

/// When words are segmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Segment {
    /// 每条消息都分词
    Full,
    /// 只在规则用到词边界时分词
    Needed,
    /// 不分词(要求词边界的标记不会命中)
    Off,
}

impl Segment {
    /// The detector's mode.
    pub fn mode(self) -> SegmentMode {
        match self {
            Segment::Full => SegmentMode::Full,
            Segment::Needed => SegmentMode::Needed,
            Segment::Off => SegmentMode::Off,
        }
    }
}

/// Language of what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

impl Language {
    /// The library's language.
    pub fn lang(self) -> Lang {
        match self {
            Language::Zh => Lang::Zh,
            Language::En => Lang::En,
        }
    }
}

/// Which pack and how it is run.
#[derive(Debug, clap::Args)]
pub struct EngineArgs {
    /// 规则包目录;不写则用内置的电商规则包
    #[arg(long, value_name = "DIR", env = "ZHIJIAN_RULES")]
    pub rules: Option<PathBuf>,
    /// 满意度估计的权重文件(zhijian calibrate 写出的);不写则用规则包里的
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_SATISFACTION")]
    pub satisfaction: Option<PathBuf>,
    /// 分词范围
    #[arg(long, value_enum, default_value_t = Segment::Needed, env = "ZHIJIAN_SEGMENT")]
    pub segment: Segment,
    /// 线程数;不写则用全部核
    #[arg(long, value_name = "N", env = "ZHIJIAN_THREADS")]
    pub threads: Option<usize>,
}

impl EngineArgs {
    /// Loads and compiles the pack.
    pub fn engine(&self, timezone: TimeZone, lang: Lang) -> Result<Engine> {
        self.engine_with(timezone, lang, Ok)
    }

    /// Loads the pack, changes it, and compiles it.
    pub fn engine_with(
        &self,
        timezone: TimeZone,
        lang: Lang,
        change: impl FnOnce(Pack) -> Result<Pack>,
    ) -> Result<Engine> {
        let mut pack = Pack::open(self.rules.as_deref())?;
        if let Some(path) = &self.satisfaction {
            pack.use_satisfaction(path)?;
        }
        let pack = change(pack)?;
        Engine::new(pack, EngineOptions { segment: self.segment.mode(), lang, timezone })
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, |n| n.get());
        self.threads.filter(|n| *n > 0).unwrap_or_else(all)
    }
}
