//! Flags that several commands share, and what they mean.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::tz::TimeZone;

use zhijian::conversation::Role;
use zhijian::detect::SegmentMode;
use zhijian::engine::{Engine, EngineOptions};
use zhijian::error::{Error, Result};
use zhijian::input::mapping::Staff;
use zhijian::input::{Format, InputOptions, Mapping, Reader, parse_columns};
use zhijian::judge::Lang;
use zhijian::pack::Pack;

/// What is read, and how.
#[derive(Debug, clap::Args)]
pub struct InputArgs {
    /// 会话文件、目录或通配符(格式见 zhijian formats,可带 .gz/.zst);`-` 读标准输入
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// How input is read.
#[derive(Debug, Clone, clap::Args)]
pub struct ReadingArgs {
    /// 文本编码(utf-8、gbk、gb18030、big5、utf-16le…);不写则自动识别
    #[arg(long, value_name = "ENCODING", env = "ZHIJIAN_ENCODING")]
    pub encoding: Option<String>,
    /// 无表头文件各列的含义,`-` 跳过,如 conversation_id,customer_id,role,-,-,-,text
    #[arg(long, value_name = "COLUMNS")]
    pub columns: Option<String>,
    /// 没写时区的时间按哪个时区读
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai", env = "ZHIJIAN_TIMEZONE")]
    pub timezone: String,
    /// 输入的格式(见 zhijian formats);不写则凭内容认出
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// 映射文件(TOML):列名、角色、时间格式、客服名录;初稿由 zhijian formats guess 写出
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// 说话人或角色取值的含义,如 1=客服,2=客户
    #[arg(long, value_name = "VALUE=ROLE,…")]
    pub roles: Option<String>,
    /// 聊天记录、字幕里哪些名字是客服,逗号分隔
    #[arg(long, value_name = "NAME,…")]
    pub agent_names: Option<String>,
}

impl InputArgs {
    /// These inputs with everything else at its default.
    pub fn of(inputs: Vec<String>) -> InputArgs {
        InputArgs { inputs, reading: ReadingArgs::default() }
    }

    /// The time zone.
    pub fn zone(&self) -> Result<TimeZone> {
        self.reading.zone()
    }

    /// What the flags say about how input is read.
    pub fn options(&self) -> Result<InputOptions> {
        self.reading.options()
    }

    /// Opens the input.
    pub fn open(&self) -> Result<Reader> {
        Reader::open(&self.inputs, self.options()?)
    }
}

impl Default for ReadingArgs {
    fn default() -> Self {
        ReadingArgs {
            encoding: None,
            columns: None,
            timezone: "Asia/Shanghai".into(),
            format: None,
            mapping: None,
            roles: None,
            agent_names: None,
        }
    }
}

impl ReadingArgs {
    /// The time zone.
    pub fn zone(&self) -> Result<TimeZone> {
        TimeZone::get(&self.timezone).map_err(|e| Error::Setting {
            option: "--timezone".into(),
            reason: format!("`{}` 不是时区名(如 Asia/Shanghai、UTC): {e}", self.timezone),
        })
    }

    /// What the flags say about how input is read.
    pub fn options(&self) -> Result<InputOptions> {
        Ok(InputOptions {
            encoding: self.encoding.clone(),
            format: self.format.as_deref().map(Format::by_id).transpose()?,
            mapping: Arc::new(self.mapping()?),
            columns: self.columns.as_deref().map(parse_columns).transpose()?,
            timezone: self.zone()?,
            ..InputOptions::default()
        })
    }

    /// The mapping file with what `--roles` and `--agent-names` add to it.
    fn mapping(&self) -> Result<Mapping> {
        let mut mapping = self.mapping.as_deref().map(Mapping::load).transpose()?.unwrap_or_default();
        let list = |text: &Option<String>| -> Vec<String> {
            let parts = text.iter().flat_map(|t| t.split([',', '\u{ff0c}'])).map(str::trim);
            parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
        };
        for pair in list(&self.roles) {
            let role = pair.rsplit_once('=').and_then(|(value, role)| Some((value.trim(), Role::parse(role)?)));
            let Some((value, role)) = role else {
                let reason =
                    format!("`{pair}` 应写成 取值=角色,如 1=客服,2=客户;角色可用 agent、customer、bot、system");
                return Err(Error::Setting { option: "--roles".into(), reason });
            };
            mapping.roles.insert(value.to_owned(), role);
        }
        for name in list(&self.agent_names) {
            if mapping.staff(&name).is_none() {
                mapping.agents.insert(name, Staff::default());
            }
        }
        Ok(mapping)
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
    pub fn engine(&self, timezone: TimeZone, lang: Lang, mask: bool) -> Result<Engine> {
        self.engine_with(timezone, lang, mask, Ok)
    }

    /// Loads the pack, changes it, and compiles it.
    pub fn engine_with(
        &self,
        timezone: TimeZone,
        lang: Lang,
        mask: bool,
        change: impl FnOnce(Pack) -> Result<Pack>,
    ) -> Result<Engine> {
        super::memory_limit::check()?;
        Engine::open(EngineOptions { segment: self.segment.mode(), lang, timezone, mask }, || {
            let mut pack = Pack::open(self.rules.as_deref())?;
            if let Some(path) = &self.satisfaction {
                pack.use_satisfaction(path)?;
            }
            change(pack)
        })
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, |n| n.get());
        self.threads.filter(|n| *n > 0).unwrap_or_else(all)
    }
}
