//! The messages that we send to a program: who we are, a session in a worktree, its mode and model, the prompt, the end.
//! Does not know what comes back.

use std::{path::Path, sync::Arc};

use agent_client_protocol_schema::{
    ProtocolVersion,
    rpc::{JsonRpcMessage, Notification},
    v1::{
        AGENT_METHOD_NAMES, CancelNotification, ContentBlock, Error, Implementation, InitializeRequest,
        NewSessionRequest, PromptRequest, Request, RequestId, Response, SetSessionConfigOptionRequest,
        SetSessionModeRequest, TextContent,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

/// The number of each of our calls, which comes back with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `initialize`
    Initialize = 1,
    /// `session/new`
    NewSession = 2,
    /// The mode of the session.
    SetMode = 3,
    /// The model of the session.
    SetModel = 4,
    /// `session/prompt`
    Prompt = 5,
}

impl Call {
    /// The call that an answer is for.
    pub fn of(id: &Value) -> Option<Self> {
        [Self::Initialize, Self::NewSession, Self::SetMode, Self::SetModel, Self::Prompt]
            .into_iter()
            .find(|call| id.as_i64() == Some(*call as i64))
    }
}

/// What a session lets us choose one of: its mode or its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which option of the session it is; none: it is set by a call of its own.
    pub option: Option<String>,
    /// What there is.
    pub values: Vec<String>,
    /// What it is now.
    pub current: Option<String>,
}

/// The first message. We offer neither files nor terminals: then a program works in the worktree by itself, within the
/// limits that all of what it starts has, and can make new files, which some cannot through a client.
pub fn initialize() -> Vec<u8> {
    let ours = Implementation::new("git-orchestrate", env!("CARGO_PKG_VERSION"));
    call(Call::Initialize, AGENT_METHOD_NAMES.initialize, InitializeRequest::new(ProtocolVersion::V1).client_info(ours))
}

/// A session in a worktree, without any server of tools.
pub fn new_session(worktree: &Path) -> Vec<u8> {
    call(Call::NewSession, AGENT_METHOD_NAMES.session_new, NewSessionRequest::new(worktree))
}

/// The session's mode.
pub fn set_mode(session: &str, choice: &Choice, mode: &str) -> Vec<u8> {
    match &choice.option {
        Some(option) => set_option(Call::SetMode, session, option, mode),
        None => call(
            Call::SetMode,
            AGENT_METHOD_NAMES.session_set_mode,
            SetSessionModeRequest::new(session.to_owned(), mode.to_owned()),
        ),
    }
}

/// The session's model.
pub fn set_model(session: &str, choice: &Choice, model: &str) -> Vec<u8> {
    match &choice.option {
        Some(option) => set_option(Call::SetModel, session, option, model),
        // Was in the protocol before options of a session were, and some programs know only this.
        None => call(Call::SetModel, "session/set_model", json!({"sessionId": session, "modelId": model})),
    }
}

fn set_option(number: Call, session: &str, option: &str, value: &str) -> Vec<u8> {
    let request = SetSessionConfigOptionRequest::new(session.to_owned(), option.to_owned(), value);
    call(number, AGENT_METHOD_NAMES.session_set_config_option, request)
}

/// The prompt. One that begins with '/' would be taken for a command of the program.
pub fn prompt(session: &str, text: &str) -> Vec<u8> {
    let text = if text.trim_start().starts_with('/') { format!("Task:\n\n{text}") } else { text.to_owned() };
    let blocks = vec![ContentBlock::Text(TextContent::new(text))];
    call(Call::Prompt, AGENT_METHOD_NAMES.session_prompt, PromptRequest::new(session.to_owned(), blocks))
}

/// The word to stop.
pub fn cancel(session: &str) -> Vec<u8> {
    let params = Some(CancelNotification::new(session.to_owned()));
    line(&JsonRpcMessage::wrap(Notification { method: Arc::from(AGENT_METHOD_NAMES.session_cancel), params }))
}

/// The answer to something that the program asked.
pub fn answer<T: Serialize>(id: RequestId, result: Result<T, Error>) -> Vec<u8> {
    line(&JsonRpcMessage::wrap(Response::new(id, result)))
}

fn call<T: Serialize>(number: Call, method: &str, params: T) -> Vec<u8> {
    let request = Request { id: RequestId::Number(number as i64), method: Arc::from(method), params: Some(params) };
    line(&JsonRpcMessage::wrap(request))
}

fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message).expect("BUG: a message of the protocol is JSON");
    bytes.push(b'\n');
    bytes
}

/// What a new session lets us choose as its mode or model. Newer programs have options of a session with a category,
/// older ones a list of their own.
pub fn choice(session: &Value, category: &str, list: &str, id: &str) -> Option<Choice> {
    let texts = |values: &Value, key: &str| -> Vec<String> {
        let values = values.as_array().into_iter().flatten();
        values.filter_map(|value| value[key].as_str().map(str::to_owned)).collect()
    };
    let options = session["configOptions"].as_array().into_iter().flatten();
    let option = options.into_iter().find(|option| option["category"] == category);
    if let Some(option) = option {
        let mut values = texts(&option["options"], "value");
        for group in option["options"].as_array().into_iter().flatten() {
            values.extend(texts(&group["options"], "value"));
        }
        return Some(Choice {
            option: option["id"].as_str().map(str::to_owned),
            values,
            current: option["currentValue"].as_str().map(str::to_owned),
        });
    }
    let listed = &session[list];
    let (available, current) = match category {
        "mode" => ("availableModes", "currentModeId"),
        _ => ("availableModels", "currentModelId"),
    };
    let values = texts(&listed[available], id);
    (!values.is_empty()).then(|| Choice { option: None, values, current: listed[current].as_str().map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: Vec<u8>, wanted: Value) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with('\n') && text.matches('\n').count() == 1, "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), wanted);
    }

    #[test]
    fn messages_are_those_of_the_protocol() {
        let version = env!("CARGO_PKG_VERSION");
        let first: Value = serde_json::from_slice(&initialize()).unwrap();
        assert_eq!(first["params"]["protocolVersion"], 1);
        assert_eq!(first["params"]["clientInfo"], json!({"name": "git-orchestrate", "version": version}));
        assert!(first["params"]["clientCapabilities"]["terminal"] != true, "{first}");
        assert!(first["params"]["clientCapabilities"]["fs"]["writeTextFile"] != true, "{first}");
        check(
            new_session(Path::new("/work tree")),
            json!({"jsonrpc": "2.0", "id": 2, "method": "session/new", "params": {"cwd": "/work tree", "mcpServers": []}}),
        );
        check(
            prompt("s", "/compact\nnow"),
            json!({"jsonrpc": "2.0", "id": 5, "method": "session/prompt", "params": {"sessionId": "s",
                "prompt": [{"type": "text", "text": "Task:\n\n/compact\nnow"}]}}),
        );
        check(cancel("s"), json!({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": "s"}}));
        let own = Choice { option: None, values: Vec::new(), current: None };
        let option = Choice { option: Some("model".to_owned()), ..own.clone() };
        check(
            set_model("s", &own, "m"),
            json!({"jsonrpc": "2.0", "id": 4, "method": "session/set_model", "params": {"sessionId": "s", "modelId": "m"}}),
        );
        check(
            set_model("s", &option, "m"),
            json!({"jsonrpc": "2.0", "id": 4, "method": "session/set_config_option",
                "params": {"sessionId": "s", "configId": "model", "value": "m"}}),
        );
        check(
            set_mode("s", &own, "plan"),
            json!({"jsonrpc": "2.0", "id": 3, "method": "session/set_mode", "params": {"sessionId": "s", "modeId": "plan"}}),
        );
        check(
            answer::<Value>(RequestId::Str("x".to_owned()), Err(Error::method_not_found())),
            json!({"jsonrpc": "2.0", "id": "x", "error": {"code": -32601, "message": "Method not found"}}),
        );
    }

    #[test]
    fn what_a_session_offers_is_read_in_both_forms() {
        let old = json!({"models": {"availableModels": [{"modelId": "a"}, {"modelId": "b"}], "currentModelId": "a"}});
        let found = choice(&old, "model", "models", "modelId").unwrap();
        assert_eq!(
            (found.option, found.values.join(","), found.current.as_deref()),
            (None, "a,b".to_owned(), Some("a"))
        );
        let new = json!({"configOptions": [
            {"id": "m", "category": "model", "type": "select", "currentValue": "a", "options": [
                {"group": "g", "name": "G", "options": [{"value": "a", "name": "A"}]}]},
            {"id": "x", "category": "mode", "type": "select", "currentValue": "build", "options": [
                {"value": "build", "name": "B"}, {"value": "plan", "name": "P"}]}]});
        assert_eq!(choice(&new, "model", "models", "modelId").unwrap().values, ["a"]);
        let mode = choice(&new, "mode", "modes", "id").unwrap();
        assert_eq!((mode.option.as_deref(), mode.values.len()), (Some("x"), 2));
        assert_eq!(choice(&json!({}), "mode", "modes", "id"), None);
    }
}
