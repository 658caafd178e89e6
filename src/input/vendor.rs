//! The JSON of other systems, a record of each to a conversation. Every vendor counts time in its own unit and calls
//! its sides by its own names; what is read how stands in the table of [`super::format`].

use serde_json::Value;

use super::columns::Column;
use super::draft::{Context, Draft, Object, confidence, field, id, list, offset, words};
use super::format::Json;
use super::reject::{BAD_JSON, BAD_ROLE, BAD_TEXT, BAD_TURNS, Fault, MISSING_ID, shown};
use super::values;
use crate::conversation::{AgentInfo, Conversation, Kind, Role, Turn};

type Read = Result<Conversation<'static>, Fault>;

/// The conversation of one record; `head` holds the simple fields around the list of records.
pub(crate) fn read(json: Json, record: &Value, head: &Object, context: &Context<'_>) -> Read {
    let Some(object) = record.as_object() else {
        return Err(Fault::new(BAD_JSON, "记录应为对象 {…}"));
    };
    match json {
        Json::AliyunUpload => aliyun_upload(object, head, context),
        Json::AliyunResult => aliyun_result(object, context),
        Json::ContactLens => contact_lens(object, context),
        Json::Ccai => ccai(object, context),
        Json::Baidu => baidu(object, context),
        Json::Tencent => tencent(object, context),
        Json::Huawei => huawei(object, context),
        Json::Mapped | Json::Native => mapped(object, context),
    }
}

/// The messages of a list, each with its place for faults.
fn each<'v>(
    messages: Option<&'v Vec<Value>>,
    name: &str,
    mut f: impl FnMut(usize, &'v Object) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some(messages) = messages else {
        return Err(Fault::new(BAD_TURNS, format!("没有 {name}(消息列表)")));
    };
    for (number, message) in messages.iter().enumerate() {
        let place = format!("/{name}/{number}");
        match message.as_object() {
            Some(message) => f(number, message).map_err(|fault| fault.under(&place))?,
            None => return Err(Fault::new(BAD_TURNS, "消息应为对象 {…}").under(&place)),
        }
    }
    Ok(())
}

fn missing(key: &str) -> Fault {
    Fault::new(BAD_TEXT, format!("缺少 {key}(消息内容)"))
}

/// A role the vendor names outright.
fn role(object: &Object, keys: &[&str], context: &Context<'_>) -> Result<Role, Fault> {
    let (key, value) = field(object, keys).ok_or_else(|| Fault::new(BAD_ROLE, format!("缺少 {}(角色)", keys[0])))?;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    context.options.mapping.role(&text).ok_or_else(|| {
        let reason = format!("{key} 的值 {} 不是已知的角色;可用 --roles {text}=客服 指明", shown(&text));
        Fault::new(BAD_ROLE, reason).under(&format!("/{key}"))
    })
}

/// Who speaks, unless that only says the role again.
fn identity(line: &Object, key: &str) -> Result<Option<String>, Fault> {
    Ok(id(line, &[key])?.filter(|i| Role::parse(i).is_none()))
}

fn aliyun_upload(ticket: &Object, head: &Object, context: &Context<'_>) -> Read {
    let tid = id(ticket, &["tid", "taskId", "callId"])?.ok_or_else(|| Fault::new(MISSING_ID, "没有 tid(会话编号)"))?;
    let dialogue = list(ticket, "dialogue")?;
    let mut draft = Draft::new(Some(tid), "phone", context);
    let mut typed = true;
    each(dialogue, "dialogue", |_, line| {
        let mut turn =
            Turn::new(role(line, &["role"], context)?, words(line, &["words"])?.ok_or_else(|| missing("words"))?);
        let identity = identity(line, "identity")?;
        match turn.role {
            Role::Agent => turn.agent_id = identity.map(Into::into),
            Role::Customer if draft.out.customer_id.is_none() => draft.out.customer_id = identity.map(Into::into),
            _ => {}
        }
        turn.begin_ms = offset(line, &["begin"], 1.0)?;
        turn.end_ms = offset(line, &["end"], 1.0)?;
        turn.at = context.moment(line, &["beginTime"])?;
        typed &= turn.begin_ms.is_none();
        draft.told(turn);
        Ok(())
    })?;
    // typed dialogues have moments, spoken ones offsets
    let kind = id(ticket, &["channel", "channelType"])?;
    let channel = kind.unwrap_or_else(|| if typed { "chat" } else { "phone" }.to_owned());
    draft.out.channel = Some(context.options.mapping.channel(channel.into()));
    let business = match id(ticket, &["business"])? {
        None => id(head, &["business"])?,
        own => own,
    };
    draft.out.stage = business.map(|b| values::stage(b.into()));
    draft.out.queue = id(ticket, &["skillGroupName", "skillGroup"])?.map(Into::into);
    draft.finish(context, |_| None, false)
}

fn aliyun_result(result: &Object, context: &Context<'_>) -> Read {
    let recording = result.get("Recording").and_then(Value::as_object);
    let own = id(result, &["Tid", "TaskId"])?;
    let tid = match (own, recording) {
        (None, Some(recording)) => id(recording, &["Id", "CallId"])?,
        (own, _) => own,
    };
    let tid = tid.ok_or_else(|| Fault::new(MISSING_ID, "没有 TaskId(会话编号)"))?;
    let mut draft = Draft::new(Some(tid), "phone", context);
    let agent = result.get("Agent").and_then(Value::as_object);
    let agent_id = agent.map(|a| id(a, &["Id", "Name"])).transpose()?.flatten();
    each(list(result, "AsrResult")?, "AsrResult", |_, line| {
        let mut turn =
            Turn::new(role(line, &["Role"], context)?, words(line, &["Words"])?.ok_or_else(|| missing("Words"))?);
        let identity = identity(line, "Identity")?;
        match turn.role {
            // without an agent of its own, the recording's
            Role::Agent => turn.agent_id = agent_id.clone().or(identity).map(Into::into),
            Role::Customer if draft.out.customer_id.is_none() => draft.out.customer_id = identity.map(Into::into),
            _ => {}
        }
        turn.begin_ms = offset(line, &["Begin"], 1.0)?;
        turn.end_ms = offset(line, &["End"], 1.0)?;
        draft.told(turn);
        Ok(())
    })?;
    if let (Some(agent), Some(agent_id)) = (agent, agent_id) {
        let name = id(agent, &["Name"])?.map(Into::into);
        let group = id(agent, &["SkillGroup"])?;
        draft.out.agents.push(AgentInfo { id: agent_id.clone().into(), name, team: group.clone().map(Into::into) });
        draft.out.agent_id = Some(agent_id.into());
        draft.out.queue = group.map(Into::into);
    }
    if let Some(recording) = recording {
        draft.out.started_at = context.moment(recording, &["CallTime"])?;
    }
    draft.finish(context, |_| None, false)
}

fn contact_lens(contact: &Object, context: &Context<'_>) -> Read {
    let metadata = contact.get("CustomerMetadata").and_then(Value::as_object);
    let own = id(contact, &["ContactId"])?;
    let contact_id = match (own, metadata) {
        (None, Some(metadata)) => id(metadata, &["ContactId"])?,
        (own, _) => own,
    };
    let voice = match id(contact, &["Channel"])?.as_deref() {
        Some("CHAT") => false,
        Some(_) => true,
        None => false,
    };
    let mut draft = Draft::new(contact_id, if voice { "phone" } else { "chat" }, context);
    let mut roles: Vec<(String, String)> = Vec::new();
    for participant in list(contact, "Participants")?.into_iter().flatten().filter_map(Value::as_object) {
        if let (Some(id), Some(role)) = (id(participant, &["ParticipantId"])?, id(participant, &["ParticipantRole"])?) {
            roles.push((id, role));
        }
    }
    let agent = metadata.or(Some(contact)).map(|m| id(m, &["AgentId", "Agent"])).transpose().unwrap_or(None).flatten();
    each(list(contact, "Transcript")?, "Transcript", |_, line| {
        if line.get("Type").and_then(Value::as_str).is_some_and(|t| t == "EVENT") {
            return Ok(());
        }
        let participant = id(line, &["ParticipantId"])?;
        let own = id(line, &["ParticipantRole"])?;
        let listed = participant.as_ref().and_then(|p| roles.iter().find(|(id, _)| id == p)).map(|r| r.1.clone());
        let named = own.or(listed).or(participant.clone()).ok_or_else(|| Fault::new(BAD_ROLE, "缺少 ParticipantId"))?;
        let role = match named.as_str() {
            "SUPERVISOR" => Some(Role::System),
            other => context.options.mapping.role(other),
        };
        let role = role.ok_or_else(|| Fault::new(BAD_ROLE, format!("参与者 {} 的角色未知", shown(&named))))?;
        let mut turn = Turn::new(role, words(line, &["Content"])?.unwrap_or_default());
        let typed = line.get("ContentType").and_then(Value::as_str).unwrap_or("text/plain");
        if line.get("Type").and_then(Value::as_str) == Some("ATTACHMENT") {
            turn.kind = Kind::File;
        } else if !line.contains_key("Content") {
            return Err(missing("Content"));
        } else if !typed.starts_with("text/") {
            turn.kind = Kind::Card;
        }
        match role {
            Role::Agent => {
                // voice calls the participant AGENT, which names nobody
                let own = participant.filter(|p| p != "AGENT" && !voice).or_else(|| agent.clone());
                if let (Some(own), Some(name)) = (&own, id(line, &["DisplayName"])?)
                    && draft.out.agents.iter().all(|a| a.id != own.as_str())
                {
                    draft.out.agents.push(AgentInfo { id: own.clone().into(), name: Some(name.into()), team: None });
                }
                turn.agent_id = own.map(Into::into);
            }
            Role::Customer if draft.out.customer_id.is_none() => {
                draft.out.customer_id = id(line, &["DisplayName"])?.map(Into::into);
            }
            _ => {}
        }
        turn.begin_ms = offset(line, &["BeginOffsetMillis"], 1.0)?;
        turn.end_ms = offset(line, &["EndOffsetMillis"], 1.0)?;
        turn.at = context.moment(line, &["AbsoluteTime"])?;
        draft.told(turn);
        Ok(())
    })?;
    if id(contact, &["Channel"])?.is_none() && draft.out.turns.iter().any(|t| t.begin_ms.is_some()) {
        draft.out.channel = Some("phone".into());
    }
    draft.finish(context, |_| None, false)
}

fn ccai(conversation: &Object, context: &Context<'_>) -> Read {
    // only chats and calls are exported so, and neither says which it is but by this
    let medium = id(conversation, &["medium"])?.map(|m| m.to_ascii_lowercase());
    let channel = if matches!(medium.as_deref(), Some("chat")) { "chat" } else { "phone" };
    let own = id(conversation, &["conversation_id", "name"])?;
    let own = own.map(|n| n.rsplit('/').next().unwrap_or(&n).to_owned());
    let mut draft = Draft::new(own, channel, context);
    let mut agent_ids: Vec<String> = Vec::new();
    let mut first = None;
    each(list(conversation, "entries")?, "entries", |_, line| {
        let mut turn =
            Turn::new(role(line, &["role"], context)?, words(line, &["text"])?.ok_or_else(|| missing("text"))?);
        let user = id(line, &["user_id"])?;
        match (turn.role, user) {
            (Role::Agent, Some(user)) => {
                if !agent_ids.contains(&user) {
                    agent_ids.push(user.clone());
                }
                turn.agent_id = Some(user.into());
            }
            (Role::Customer, Some(user)) if draft.out.customer_id.is_none() => {
                draft.out.customer_id = Some(user.into());
            }
            _ => {}
        }
        if let Some(micros) = field(line, &["start_timestamp_usec"]) {
            let number = micros.1.as_i64().or_else(|| micros.1.as_str().and_then(|t| t.trim().parse().ok()));
            let number = number.filter(|n| *n >= 0).ok_or_else(|| {
                Fault::new(super::reject::BAD_VALUE, "start_timestamp_usec 应为微秒数").under("/start_timestamp_usec")
            })?;
            // a moment since the epoch, or an offset into the recording
            if number >= 100_000_000_000_000 {
                turn.at = Some(number / 1000);
            } else {
                first = first.or(Some(number));
                turn.begin_ms = Some(number / 1000);
            }
        }
        draft.told(turn);
        Ok(())
    })?;
    let info = conversation.get("conversation_info").and_then(Value::as_object);
    for category in info.and_then(|i| i.get("categories")).and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = category.get("display_name").and_then(Value::as_str) {
            draft.out.tags.extend(values::tags(name).map(|t| t.to_owned().into()));
        }
    }
    draft.finish(context, |_| None, false)
}

/// <https://ai.baidu.com/ai-doc/SPEECH/ukarue6fg>
fn baidu(record: &Object, context: &Context<'_>) -> Read {
    let own = id(record, &["task_id", "call_id", "session_id", "log_id"])?;
    let mut draft = Draft::new(own, "phone", context);
    let result = record.get("task_result").and_then(Value::as_object).unwrap_or(record);
    if let Some(status) = record.get("task_status").and_then(Value::as_str)
        && status != "Success"
    {
        return Err(Fault::new(BAD_TURNS, format!("转写任务没有成功,task_status 为 {}", shown(status))));
    }
    let (key, messages) = match (list(result, "asr_result")?, list(result, "detailed_result")?) {
        (Some(found), _) => ("asr_result", Some(found)),
        (None, found) => ("detailed_result", found),
    };
    each(messages, key, |_, line| {
        let text = match line.get("res") {
            // the best of several readings
            Some(Value::Array(readings)) => readings.first().and_then(Value::as_str).map(str::to_owned),
            _ => words(line, &["sentence", "res"])?,
        };
        let mut turn = Turn::new(Role::System, text.ok_or_else(|| missing("sentence"))?);
        turn.begin_ms = offset(line, &["begin_time"], 1.0)?;
        turn.end_ms = offset(line, &["end_time"], 1.0)?;
        draft.said(&label(line, &["speaker_id", "role", "channel"])?, turn);
        Ok(())
    })?;
    draft.finish(context, |_| None, true)
}

/// <https://www.tencentcloud.com/document/product/1118/66926>: each of a sentence's texts may be null, the written form is
/// there only when asked for, and the slices are cut by spaces.
fn tencent(record: &Object, context: &Context<'_>) -> Read {
    let response = record.get("Response").and_then(Value::as_object).unwrap_or(record);
    let data = response.get("Data").and_then(Value::as_object).unwrap_or(response);
    let mut draft = Draft::new(id(data, &["TaskId"])?, "phone", context);
    if let Some(status) = data.get("StatusStr").and_then(Value::as_str)
        && status != "success"
    {
        return Err(Fault::new(BAD_TURNS, format!("识别任务没有成功,StatusStr 为 {}", shown(status))));
    }
    each(list(data, "ResultDetail")?, "ResultDetail", |_, line| {
        let slices = || words(line, &["SliceSentence"]).map(|w| w.map(|w| w.replace(' ', "")));
        let text = match words(line, &["FinalSentence", "WrittenText"])? {
            Some(text) => text,
            None => slices()?.ok_or_else(|| missing("FinalSentence"))?,
        };
        let mut turn = Turn::new(Role::System, text);
        turn.begin_ms = offset(line, &["StartMs"], 1.0)?;
        turn.end_ms = offset(line, &["EndMs"], 1.0)?;
        draft.said(&label(line, &["SpeakerRoleName", "SpeakerId", "ChannelId"])?, turn);
        Ok(())
    })?;
    draft.finish(context, |_| None, true)
}

/// <https://support.huaweicloud.com/api-sis/sis_03_0093.html>
fn huawei(record: &Object, context: &Context<'_>) -> Read {
    let mut draft = Draft::new(id(record, &["job_id", "trace_id"])?, "phone", context);
    if let Some(status) = record.get("status").and_then(Value::as_str)
        && status != "FINISHED"
    {
        return Err(Fault::new(BAD_TURNS, format!("识别任务没有完成,status 为 {}", shown(status))));
    }
    draft.out.started_at = None;
    each(list(record, "segments")?, "segments", |_, line| {
        let result = line.get("result").and_then(Value::as_object).ok_or_else(|| missing("result.text"))?;
        let text = words(result, &["text"])?.ok_or_else(|| missing("result.text"))?;
        let mut turn = Turn::new(Role::System, text);
        turn.begin_ms = offset(line, &["start_time"], 1.0)?;
        turn.end_ms = offset(line, &["end_time"], 1.0)?;
        turn.confidence = confidence(result, &["score"], 1.0)?;
        let analysis = result.get("analysis_info").and_then(Value::as_object).unwrap_or(result);
        draft.said(&label(analysis, &["role", "speaker", "speaker_id"])?, turn);
        Ok(())
    })?;
    draft.finish(context, |_| None, true)
}

/// What a recogniser calls a speaker; an empty label is one of its own.
fn label(object: &Object, keys: &[&str]) -> Result<String, Fault> {
    Ok(id(object, keys)?.unwrap_or_default())
}

/// A record whose fields a mapping names.
fn mapped(record: &Object, context: &Context<'_>) -> Read {
    let mapping = &context.options.mapping;
    let turns = mapping.turns.as_deref().unwrap_or("turns");
    let names = |column: Column| mapping.names.iter().find(|(c, _)| *c == column).map(|(_, n)| n.as_str());
    // a mapped name first, the usual ones otherwise
    let flat = |object: &Object| -> Object {
        let mut out = Object::new();
        for (key, value) in object {
            if let Some(column) = mapping.column(key) {
                out.entry(column.name()).or_insert_with(|| value.clone());
            }
        }
        for (column, name) in mapping.names.iter().filter(|(_, n)| n.contains('.')) {
            let mut parts = name.split('.');
            let first = parts.next().and_then(|p| object.get(p));
            if let Some(value) = parts.fold(first, |v, p| v.and_then(|v| v.get(p))) {
                out.insert(column.name().to_owned(), value.clone());
            }
        }
        out
    };
    let about = flat(record);
    let own = id(&about, &["conversation_id"])?.ok_or_else(|| {
        let name = names(Column::ConversationId).unwrap_or("conversation_id");
        Fault::new(MISSING_ID, format!("没有 {name}(会话编号)"))
    })?;
    let mut draft = Draft::new(Some(own), "chat", context);
    let text = |key: &str| id(&about, &[key]);
    draft.out.channel = text("channel")?.map(|c| mapping.channel(c.into()));
    draft.out.stage = text("stage")?.map(|s| values::stage(s.into()));
    draft.out.queue = text("queue")?.map(Into::into);
    draft.out.customer_id = text("customer_id")?.map(Into::into);
    draft.out.order_id = text("order_id")?.map(Into::into);
    draft.out.agent_id = text("agent_id")?.map(Into::into);
    draft.out.started_at = context.moment(&about, &["started_at"])?;
    draft.out.ended_at = context.moment(&about, &["ended_at"])?;
    if let Some(rating) = text("rating")? {
        draft.out.rating = values::rating(&rating).map_err(|()| {
            Fault::new(super::reject::BAD_VALUE, format!("rating 的值 {} 无法识别;评分应为 1–5", shown(&rating)))
        })?;
    }
    if let Some(tags) = text("tags").unwrap_or(None) {
        draft.out.tags = values::tags(&tags).map(|t| t.to_owned().into()).collect();
    }
    let messages = turns.split('.').try_fold((record, None), |(object, _), part| {
        Ok::<_, Fault>(match object.get(part) {
            Some(Value::Object(inner)) => (inner, None),
            Some(Value::Array(list)) => (object, Some(list)),
            _ => (object, None),
        })
    })?;
    each(messages.1, turns, |_, line| {
        let line = flat(line);
        let kind = id(&line, &["kind"])?.map_or(Kind::Text, |k| Kind::parse(&k));
        let words = match words(&line, &["text"])? {
            Some(words) => words,
            None if kind != Kind::Text => String::new(),
            None => return Err(missing(names(Column::Text).unwrap_or("text"))),
        };
        let mut turn = Turn::new(role(&line, &["role"], context)?, words);
        turn.kind = kind;
        if turn.role == Role::Agent {
            turn.agent_id = id(&line, &["agent_id", "agent_name"])?.map(Into::into);
        }
        turn.at = context.moment(&line, &["at"])?;
        turn.begin_ms = offset(&line, &["begin_ms"], 1.0)?;
        turn.end_ms = offset(&line, &["end_ms"], 1.0)?;
        turn.confidence = confidence(&line, &["confidence"], 1.0)?;
        draft.told(turn);
        Ok(())
    })?;
    draft.finish(context, |_| None, false)
}
