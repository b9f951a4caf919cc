//! Calls on a host that is scripted by the case, and what they left there.

use super::memory::{Answer, BeforeCommit, Entry, Memory, MemoryStorage, Network, Tree};
use super::{unhex, Case};
use mpp::agent::Agent;
use mpp::network::{HttpResponse, TransportError};
use mpp::package::key::KeyId;
use mpp::pipeline::{call, CallResult, Package, ToolCall};
use mpp::sandbox::Engine;
use mpp::storage::{decode, encode, StorageOwner};
use mpp::{Error, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Map, Value};
use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

pub fn run(case: &Case<'_>) -> Result<Value, Error> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Engine::new().expect("an engine that keeps its promises"));
    let host = host(case)?;
    let package = case.package();
    let (mut results, mut details) = (Vec::new(), String::new());
    for each in items(&case.input["calls"]) {
        let policy = policy(each.get("policy").or(case.input.get("policy")))?;
        let other = each["package"].as_str().map(|path| read(case, path));
        let bytes = other.as_ref().unwrap_or(&package);
        match call(&host, engine, &policy, Package::Bytes(bytes), &tool_call(each)) {
            Ok(result) => results.push(shown(result)),
            Err(error) => {
                details += error.detail();
                results.push(json!({ "code": error.code().as_str() }));
            }
        }
    }
    let mut answer = effects(&host);
    let questions = format!("{:?}", *host.questions.lock().expect("no panic"));
    let results = Value::Array(results);
    // A value on the wire or in a file is where it has to be; it must be nowhere else.
    let outside = [details, host.log.lines().concat(), results.to_string(), questions];
    let seen = items(&case.input["watch"]).filter_map(Value::as_str);
    let seen: Vec<&str> = seen.filter(|text| outside.iter().any(|it| it.contains(text))).collect();
    answer.insert("seen".to_owned(), json!(seen));
    answer.insert("calls".to_owned(), results);
    Ok(Value::Object(answer))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn read(case: &Case<'_>, path: &str) -> Vec<u8> {
    fs::read(case.vectors.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn policy(value: Option<&Value>) -> Result<PermissionPolicy, Error> {
    let new = || Ok(PermissionPolicy::new());
    value.map_or_else(new, |policy| PermissionPolicy::from_json(policy.to_string().as_bytes()))
}

fn tool_call(each: &Value) -> ToolCall {
    let arguments = each.get("arguments").cloned().unwrap_or_else(|| json!({}));
    let agent = each.get("agent").and_then(Agent::from_client_info);
    let call = ToolCall::new(each["tool"].as_str().unwrap_or("echo"), arguments);
    call.with_agent(agent).with_traceparent(each["traceparent"].as_str())
}

fn shown(result: CallResult) -> Value {
    let mut shown = json!({ "content": result.content, "is_error": result.is_error });
    if let Some(structured) = result.structured_content {
        shown["structured_content"] = structured;
    }
    shown
}

/// The host that the case describes.
fn host(case: &Case<'_>) -> Result<Memory, Error> {
    let given = case.input.get("host").unwrap_or(&Value::Null);
    let trust = |path: &str| TrustStore::from_json(&read(case, path));
    let trees = members(&given["directories"]).zip(1..).map(|((name, entries), number)| {
        let entries = members(entries).map(|(path, value)| (path.clone(), entry(value)));
        let tree = Tree::with(number, entries);
        let fails_after = given["commit_fails_after"].get(name).and_then(Value::as_u64);
        tree.lock().expect("no panic").fails_after = fails_after.and_then(|it| it.try_into().ok());
        (name.clone(), tree)
    });
    let storage = items(&given["storage"]).map(snapshot).collect();
    let later = &given["before_commit"];
    let later_files = members(&later["directories"]).flat_map(|(directory, entries)| {
        members(entries).map(|(path, value)| (directory.clone(), path.clone(), entry(value)))
    });
    let answers = match given.get("person") {
        Some(Value::Array(all)) => all.iter().map(answer).collect(),
        Some(one) => vec![answer(one)],
        None => Vec::new(),
    };
    let when_asked = given["when_asked"].as_str().map(trust).transpose()?;
    Ok(Memory {
        start: Timestamp::parse(case.text("now")).expect("a time"),
        cancelled_from: given["cancelled"].as_bool().filter(|it| *it).map(|_| 0),
        trust: Mutex::new(trust(case.text("trust"))?),
        trust_when_asked: Mutex::new(when_asked),
        answers,
        secret_takes_ms: given["secret_takes_ms"].as_u64().unwrap_or(0),
        secrets: members(&given["secrets"]).map(|(name, it)| (name.clone(), text(it))).collect(),
        directories: trees.collect(),
        has_storage: given["storage"] != json!("none"),
        storage: Arc::new(MemoryStorage(Mutex::new(storage))),
        network: Mutex::new(network(&given["network"])),
        before_commit: Mutex::new(BeforeCommit {
            declines: later["declines"] == json!(true),
            trust: later["trust"].as_str().map(trust).transpose()?,
            files: later_files.collect(),
            storage: later.get("storage").map(snapshot),
        }),
        log_fails_at: given["log_fails_at"].as_u64().and_then(|it| it.try_into().ok()),
        ..Memory::default()
    })
}

fn entry(value: &Value) -> Entry {
    match value {
        Value::Null => Entry::Directory,
        Value::Object(object) if object.contains_key("link") => Entry::Link(text(&value["link"])),
        _ => Entry::File(bytes(value)),
    }
}

/// A text, or bytes that are not one, or that are many.
fn bytes(value: &Value) -> Vec<u8> {
    match (value.as_str(), value["hex"].as_str(), value["zeros"].as_u64()) {
        (Some(text), ..) => text.as_bytes().to_vec(),
        (_, Some(hex), _) => unhex(hex),
        (_, _, Some(zeros)) => vec![0; zeros.try_into().expect("a length")],
        _ => panic!("not a content: {value}"),
    }
}

fn shown_bytes(bytes: &[u8]) -> Value {
    if bytes.len() > 4096 && bytes.iter().all(|byte| *byte == 0) {
        return json!({ "zeros": bytes.len() });
    }
    let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    std::str::from_utf8(bytes).map_or_else(|_| json!({ "hex": hex() }), Value::from)
}

fn shown_entry(entry: &Entry) -> Value {
    match entry {
        Entry::Directory => Value::Null,
        Entry::File(content) => shown_bytes(content),
        Entry::Link(target) => json!({ "link": target }),
    }
}

fn answer(value: &Value) -> Answer {
    let (kind, by) = match value.as_str() {
        Some(kind) => (kind.to_owned(), "ann".to_owned()),
        None => (text(&value["answer"]), text(&value["by"])),
    };
    Answer { kind, by, proof: value["proof"].as_str().map(str::to_owned) }
}

fn snapshot(value: &Value) -> (StorageOwner, Vec<u8>) {
    let publisher_key = KeyId::parse(&text(&value["publisher_key"])).expect("a key id");
    let owner = StorageOwner { package: text(&value["package"]), publisher_key };
    let entries = members(&value["files"]).map(|(path, it)| match entry(it) {
        Entry::File(content) => (path.clone(), Some(content)),
        _ => (path.clone(), None),
    });
    let snapshot = match value.get("snapshot") {
        Some(bytes_of_it) => bytes(bytes_of_it),
        None => encode(&owner, &entries.collect()),
    };
    (owner, snapshot)
}

fn network(given: &Value) -> Network {
    let addresses = |list: &Value| {
        items(list).map(|it| text(it).parse().expect("an address")).collect::<Vec<_>>()
    };
    let response = |it: &Value| (it["takes_ms"].as_u64().unwrap_or(0), response(it));
    let named = members(&given["addresses"]).map(|(name, it)| (name.clone(), addresses(it)));
    Network {
        addresses: named.collect(),
        responses: Some(items(&given["responses"]).map(response).collect()),
        ..Network::default()
    }
}

fn response(it: &Value) -> Result<HttpResponse, TransportError> {
    let why = || "as the case wants it".to_owned();
    match it["fails"].as_str() {
        None => {}
        Some("no_transport") => return Err(TransportError::Unsupported),
        Some("no_address") => return Err(TransportError::NoAddress),
        Some("unreachable") => return Err(TransportError::Unreachable(why())),
        Some("tls") => return Err(TransportError::Tls(why())),
        Some("too_large") => return Err(TransportError::TooLarge),
        Some("timeout") => return Err(TransportError::TimedOut),
        Some("cancelled") => return Err(TransportError::Cancelled),
        Some("malformed") => return Err(TransportError::Malformed(why())),
        Some("transport") => return Err(TransportError::Host(why())),
        Some(other) => panic!("no failure {other}"),
    }
    let headers = items(&it["headers"]).map(|pair| (text(&pair[0]), text(&pair[1])));
    let status = it["status"].as_u64().and_then(|it| it.try_into().ok()).unwrap_or(200);
    let body = it.get("body").map(bytes).unwrap_or_default();
    Ok(HttpResponse { status, headers: headers.collect(), body })
}

/// What is on the host afterwards.
fn effects(host: &Memory) -> Map<String, Value> {
    let mut effects = Map::new();
    let mut put = |name: &str, value: Value| drop(effects.insert(name.to_owned(), value));
    let files = host.directories.iter().map(|(name, tree)| {
        let entries = tree.lock().expect("no panic").entries();
        let shown = entries.iter().map(|(path, entry)| (path.clone(), shown_entry(entry)));
        (name.clone(), Value::Object(shown.collect()))
    });
    put("files", Value::Object(files.collect()));
    let storage = host.storage.0.lock().expect("no panic");
    let storage = storage.iter().map(|(owner, snapshot)| {
        let entries = decode(owner, snapshot).unwrap_or_default();
        let shown = entries.iter().map(|(path, content)| {
            (path.clone(), content.as_deref().map_or(Value::Null, shown_bytes))
        });
        json!({
            "package": owner.package, "publisher_key": owner.publisher_key.as_str(),
            "files": shown.collect::<Map<_, _>>(),
        })
    });
    put("storage", storage.collect());
    let network = host.network.lock().expect("no panic");
    put("sent", network.sent.clone().into());
    put("lookups", json!(network.lookups));
    put("secrets_read", json!(*host.secrets_read.lock().expect("no panic")));
    let questions = host.questions.lock().expect("no panic");
    let questions = questions.iter().map(|it| {
        let arguments: Value = serde_json::from_str(&it.arguments).expect("JSON");
        json!({
            "package": it.package, "version": it.version, "publisher": it.publisher,
            "content_hash": it.content_hash.to_string(), "tool": it.tool, "arguments": arguments,
            "destructive": it.is_destructive, "level": it.security_level.to_string(),
            "grants": it.grants, "agent": it.agent,
        })
    });
    put("questions", questions.collect());
    let lines = host.log.lines();
    let records: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    put("records", records.iter().map(record).collect());
    for (kind, member) in [
        ("intent", "granted_by"),
        ("intent", "risk"),
        ("intent", "agent"),
        ("intent", "traceparent"),
        ("intent", "arguments"),
        ("intent", "attestation"),
        ("outcome", "denied"),
        ("outcome", "services"),
        ("outcome", "changes"),
        ("outcome", "privacy"),
        ("refused", "source"),
    ] {
        let of_kind = records.iter().filter(|it| it["kind"] == kind);
        put(member, of_kind.map(|it| it[member].clone()).collect());
    }
    effects
}

/// The kind of a record, and the result or code that it has.
fn record(record: &Value) -> Value {
    let ends = ["result", "code"].into_iter().find_map(|member| record.get(member)?.as_str());
    let kind = record["kind"].as_str().expect("a kind");
    ends.map_or_else(|| kind.into(), |ends| format!("{kind} {ends}").into())
}
