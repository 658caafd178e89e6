//! The formats read, as one table: `zhijian formats`, `fixtures/formats/README.md`, recognition and the tests go through it, so
//! that a format cannot be half there. To add one: an entry here, its signature in [`super::recognise`], its reader,
//! a sample in `fixtures/formats`.

use crate::error::{Error, Result};

/// One format of input.
#[derive(Debug)]
pub struct Format {
    /// The name `--format` takes and `run.json` records.
    pub id: &'static str,
    /// What it is: Chinese, English.
    pub title: (&'static str, &'static str),
    /// Extensions it usually has, before `.gz` and `.zst`.
    pub extensions: &'static [&'static str],
    /// What it is recognised by: Chinese, English.
    pub sign: (&'static str, &'static str),
    /// How conversations get their ids and speakers their roles: Chinese, English.
    pub reading: (&'static str, &'static str),
    /// Files of `fixtures/formats` that show it.
    pub samples: &'static [&'static str],
    pub(crate) shape: Shape,
}

/// How a format is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Native JSONL, a line a conversation.
    Lines,
    /// A row a message.
    Delimited,
    /// A JSON object a message.
    Messages,
    /// JSON documents, record by record.
    Json(Json),
    Xlsx,
    Xls,
    Parquet,
    ArrowFile,
    ArrowStream,
    /// A file a conversation.
    Vtt,
    Srt,
    ChatLog,
}

/// Whose JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    Native,
    /// Fields named by a mapping.
    Mapped,
    AliyunUpload,
    AliyunResult,
    ContactLens,
    Ccai,
    Baidu,
    Tencent,
    Huawei,
}

impl Json {
    /// Where a document keeps its records, as JSON pointers; a document without any of them is one record.
    pub(crate) fn lists(self) -> &'static [&'static str] {
        match self {
            Json::AliyunUpload => &["/tickets"],
            Json::AliyunResult => {
                &["/Data/ResultInfo", "/Data/ResultInfo/ResultInfo", "/ResultInfo", "/ResultInfo/ResultInfo"]
            }
            Json::Baidu => &["/tasks_info"],
            Json::Native | Json::Mapped => &["/conversations", "/data", "/data/list", "/records", "/rows", "/list"],
            _ => &[],
        }
    }
}

const SPEAKERS_ZH: &str =
    "说话人编号不含身份,用 --roles 1=客服,2=客户 或映射文件 [roles] 指明;没指明的会话进 rejects.jsonl";
const SPEAKERS_EN: &str = "speaker numbers say nothing about who is the agent: name them by --roles 1=agent,2=customer or a mapping's [roles]; conversations without go to rejects.jsonl";

/// Every format, the project's own first.
pub const FORMATS: &[Format] = &[
    Format {
        id: "jsonl",
        title: ("本项目的 JSONL,一行一通会话", "native JSONL, a conversation a line"),
        extensions: &["jsonl", "ndjson"],
        sign: ("行内对象有 turns 或 conversation_id", "objects with turns or conversation_id"),
        reading: ("字段见 README“接入自己的导出”", "fields as in the README"),
        samples: &["native.jsonl"],
        shape: Shape::Lines,
    },
    Format {
        id: "json",
        title: (
            "JSON 数组(或对象里的一个数组),元素同 JSONL",
            "JSON array of native conversations, or one inside an object",
        ),
        extensions: &["json"],
        sign: (
            "以 [ 开头,元素有 turns 或 conversation_id;或三层以内的对象里只有一个这样的数组",
            "begins with [, elements with turns or conversation_id; or the only such array in an object, up to three levels in",
        ),
        reading: ("同 jsonl;逐个元素读,不整份载入", "as jsonl; read element by element"),
        samples: &["array.json", "array-wrapped.json"],
        shape: Shape::Json(Json::Native),
    },
    Format {
        id: "json-mapped",
        title: ("字段名不同的 JSON/JSONL,配映射文件", "JSON with other field names, by a mapping"),
        extensions: &["json", "jsonl"],
        sign: ("只在 --format 或映射文件里指定", "only when named by --format or a mapping"),
        reading: (
            "映射 [columns] 的值是键名(可写 a.b),turns 是消息列表的键",
            "[columns] of the mapping names keys (a.b too), turns the list of messages",
        ),
        samples: &["mapped.json"],
        shape: Shape::Json(Json::Mapped),
    },
    Format {
        id: "json-messages",
        title: ("JSON/JSONL,一个对象一条消息(消息表的导出)", "JSON or JSONL, an object a message"),
        extensions: &["jsonl", "json"],
        sign: (
            "对象的键能认出会话编号、角色、内容(名字同 csv 表头),没有 turns",
            "keys for id, role and text, named as csv headers, and no turns",
        ),
        reading: (
            "同 csv:同一会话的对象不必相邻;一行一个,或一个列表,列表可在三层以内的对象里(接口返回的 {\"data\":[…]})",
            "as csv: objects of a conversation need not be adjacent; one a line, or a list of them, which may lie up to three objects deep",
        ),
        samples: &["messages.jsonl", "messages.json", "messages-wrapped.json"],
        shape: Shape::Messages,
    },
    Format {
        id: "csv",
        title: ("CSV,一行一条消息(逗号、分号、竖线)", "CSV, a message a row"),
        extensions: &["csv", "txt"],
        sign: ("表头能认出会话编号、角色、内容;或给了 --columns", "a header with id, role and text, or --columns"),
        reading: ("同一会话的行不必相邻", "rows of a conversation need not be adjacent"),
        samples: &["messages.csv"],
        shape: Shape::Delimited,
    },
    Format {
        id: "tsv",
        title: ("TSV,一行一条消息(制表符)", "TSV, a message a row"),
        extensions: &["tsv", "tab"],
        sign: ("同 csv,制表符分列", "as csv, by tabs"),
        reading: ("同 csv", "as csv"),
        samples: &["messages.tsv"],
        shape: Shape::Delimited,
    },
    Format {
        id: "xlsx",
        title: ("Excel 工作簿,一行一条消息", "Excel workbook, a message a row"),
        extensions: &["xlsx", "xlsm"],
        sign: ("ZIP 里有 xl/", "a ZIP with xl/ in it"),
        reading: (
            "每个有表头的工作表都读;表头可在前 20 行内、可合并;日期按 --timezone;超过 15 位的编号会提示",
            "every sheet with a header, which may stand in the first 20 rows and be merged; dates in --timezone",
        ),
        samples: &["messages.xlsx"],
        shape: Shape::Xlsx,
    },
    Format {
        id: "xls",
        title: ("旧版 Excel 工作簿(.xls)", "old Excel workbook (.xls)"),
        extensions: &["xls"],
        sign: ("OLE 文件头 D0 CF 11 E0", "OLE magic"),
        reading: ("同 xlsx;最大 64 MB", "as xlsx; up to 64 MB"),
        samples: &["messages.xls"],
        shape: Shape::Xls,
    },
    Format {
        id: "parquet",
        title: (
            "Parquet,一行一条消息,或一行一通会话(turns 为 list<struct>)",
            "Parquet, a message or a conversation a row",
        ),
        extensions: &["parquet"],
        sign: ("PAR1 文件头", "PAR1 magic"),
        reading: (
            "列名同 csv 表头;无时区的时间按 --timezone",
            "columns named as csv headers; naive times in --timezone",
        ),
        samples: &["messages.parquet", "conversations.parquet"],
        shape: Shape::Parquet,
    },
    Format {
        id: "arrow",
        title: ("Arrow IPC 文件(Feather V2)", "Arrow IPC file (Feather V2)"),
        extensions: &["arrow", "feather"],
        sign: ("ARROW1 文件头", "ARROW1 magic"),
        reading: ("同 parquet", "as parquet"),
        samples: &["messages.arrow"],
        shape: Shape::ArrowFile,
    },
    Format {
        id: "arrow-stream",
        title: ("Arrow IPC 流", "Arrow IPC stream"),
        extensions: &["arrows"],
        sign: ("以 FF FF FF FF 开头的 schema 消息", "a schema message after FF FF FF FF"),
        reading: ("同 parquet;可从标准输入逐批读", "as parquet; batch by batch from standard input"),
        samples: &["messages.arrows"],
        shape: Shape::ArrowStream,
    },
    Format {
        id: "aliyun-upload",
        title: ("阿里云智能对话分析:上传的对话 (tickets)", "Aliyun conversation analysis: upload (tickets)"),
        extensions: &["json"],
        sign: ("tickets[].dialogue[]", "tickets[].dialogue[]"),
        reading: (
            "tid 为会话编号;begin/end 为毫秒;beginTime 为时刻;business 作阶段",
            "tid is the id; begin/end in ms; beginTime a moment; business the stage",
        ),
        samples: &["aliyun-upload.json"],
        shape: Shape::Json(Json::AliyunUpload),
    },
    Format {
        id: "aliyun-result",
        title: ("阿里云智能对话分析:质检结果 (AsrResult)", "Aliyun conversation analysis: result (AsrResult)"),
        extensions: &["json"],
        sign: ("AsrResult[]", "AsrResult[]"),
        reading: (
            "TaskId/Tid 为会话编号;Begin/End 为毫秒;Agent 作客服;SDK 多包一层的列表也认",
            "TaskId/Tid is the id; Begin/End in ms; lists wrapped twice by the SDK are understood",
        ),
        samples: &["aliyun-result.json"],
        shape: Shape::Json(Json::AliyunResult),
    },
    Format {
        id: "contact-lens",
        title: ("Amazon Connect Contact Lens,语音与聊天", "Amazon Connect Contact Lens, voice and chat"),
        extensions: &["json"],
        sign: (
            "Transcript[] 有 ParticipantId 或 ParticipantRole",
            "Transcript[] with ParticipantId or ParticipantRole",
        ),
        reading: (
            "ContactId 为会话编号,没有则用文件名;EVENT 跳过;SUPERVISOR 作系统",
            "ContactId is the id, else the file's name; EVENT is skipped; SUPERVISOR is read as system",
        ),
        samples: &["contact-lens-voice.json", "contact-lens-chat.json"],
        shape: Shape::Json(Json::ContactLens),
    },
    Format {
        id: "ccai",
        title: ("Google CCAI 会话 JSON (entries)", "Google CCAI conversation JSON (entries)"),
        extensions: &["json"],
        sign: ("entries[] 有 text 和 role", "entries[] with text and role"),
        reading: (
            "文件名为会话编号;start_timestamp_usec 为微秒;没有结束时间,静音类指标不适用",
            "the file's name is the id; microseconds; no end times, so silence is not available",
        ),
        samples: &["ccai.json"],
        shape: Shape::Json(Json::Ccai),
    },
    Format {
        id: "baidu-asr",
        title: ("百度语音转写结果", "Baidu ASR result"),
        extensions: &["json"],
        sign: ("asr_result[] 或 detailed_result[]", "asr_result[] or detailed_result[]"),
        reading: (SPEAKERS_ZH, SPEAKERS_EN),
        samples: &["baidu-asr.json"],
        shape: Shape::Json(Json::Baidu),
    },
    Format {
        id: "tencent-asr",
        title: ("腾讯云录音文件识别结果", "Tencent ASR result"),
        extensions: &["json"],
        sign: ("ResultDetail[].FinalSentence", "ResultDetail[].FinalSentence"),
        reading: (SPEAKERS_ZH, SPEAKERS_EN),
        samples: &["tencent-asr.json"],
        shape: Shape::Json(Json::Tencent),
    },
    Format {
        id: "huawei-asr",
        title: ("华为云录音文件识别结果", "Huawei ASR result"),
        extensions: &["json"],
        sign: ("segments[].result.text", "segments[].result.text"),
        reading: (
            "analysis_info.role 为 AGENT/USER 时直接用;只有编号时同百度,用 --roles 指明",
            "analysis_info.role AGENT/USER is used; bare numbers need --roles",
        ),
        samples: &["huawei-asr.json"],
        shape: Shape::Json(Json::Huawei),
    },
    Format {
        id: "vtt",
        title: ("WebVTT 字幕,一个文件一通电话", "WebVTT, a call a file"),
        extensions: &["vtt"],
        sign: ("WEBVTT 开头", "WEBVTT header"),
        reading: (
            "<v 说话人> 或“说话人: ”;说话人不是角色词的,用 --agent-names 或映射文件指明谁是客服",
            "<v speaker> or `speaker: `; names need --agent-names or a mapping",
        ),
        samples: &["call.vtt"],
        shape: Shape::Vtt,
    },
    Format {
        id: "srt",
        title: ("SRT 字幕,一个文件一通电话", "SRT, a call a file"),
        extensions: &["srt"],
        sign: ("序号行后是 00:00:01,000 --> 00:00:02,000", "a number, then 00:00:01,000 --> 00:00:02,000"),
        reading: ("“说话人: ”开头;同 vtt", "lines begin with `speaker: `; as vtt"),
        samples: &["call.srt"],
        shape: Shape::Srt,
    },
    Format {
        id: "chat-log",
        title: ("从千牛/咚咚/飞鸽窗口复制的聊天记录", "chat copied from a seller's chat window"),
        extensions: &["txt", "log"],
        sign: ("“说话人 时间”或“时间 说话人”一行,下面是内容", "a line of speaker and time, the text below"),
        reading: (
            "“店铺:小二”这样的子账号是客服;角色词、--agent-names、映射文件指明的照此;其余只剩一人时是客户,否则进 rejects.jsonl",
            "sub-accounts (shop:name), role words, --agent-names and mappings tell agents; a single other speaker is the customer",
        ),
        samples: &["qianniu.txt", "dongdong.txt", "feige.txt"],
        shape: Shape::ChatLog,
    },
];

impl Format {
    /// The format of a name.
    ///
    /// # Errors
    /// When there is none: the message lists them.
    ///
    /// ```
    /// use zhijian::input::Format;
    /// assert_eq!(Format::by_id("ccai").unwrap().extensions, ["json"]);
    /// assert!(Format::by_id("ccay").unwrap_err().to_string().contains("ccai"));
    /// ```
    pub fn by_id(id: &str) -> Result<&'static Format> {
        let wanted = id.trim().to_ascii_lowercase();
        FORMATS.iter().find(|f| f.id == wanted).ok_or_else(|| Error::Setting {
            option: "--format".into(),
            reason: format!(
                "不认识格式 {id};可用 {} (unknown format; see `zhijian formats`)",
                FORMATS.iter().map(|f| f.id).collect::<Vec<_>>().join("、")
            ),
        })
    }

    pub(crate) fn of(id: &str) -> &'static Format {
        FORMATS.iter().find(|f| f.id == id).unwrap_or(&FORMATS[0])
    }
}

/// True for an extension that a file in a directory must have to be read.
pub(crate) fn is_known(extension: &str) -> bool {
    // logs lie about everywhere: they are read when named
    extension != "log" && FORMATS.iter().any(|f| f.extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_samples_are_unique() {
        let mut ids: Vec<_> = FORMATS.iter().map(|f| f.id).collect();
        let mut samples: Vec<_> = FORMATS.iter().flat_map(|f| f.samples).collect();
        for list in [&mut ids.iter().collect::<Vec<_>>(), &mut samples] {
            let count = list.len();
            list.sort();
            list.dedup();
            assert_eq!(list.len(), count);
        }
        ids.retain(|id| !id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        assert!(ids.is_empty());
    }
}
