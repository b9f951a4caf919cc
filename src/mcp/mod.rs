//! Floor 5: MCP over stdio, for the agents that speak it: the four revisions that begin with
//! `initialize`, and the stateless one of 2026-07-28, in one process and each message by its own era.
//!
//! Read [`Server::serve`] first. One thread reads lines and answers what takes no time; each call of a
//! tool runs in a thread of its own, so a slow tool holds up neither `ping` nor `cancelled` nor another
//! call. Nothing but protocol goes out. Nothing that an agent can send grants, approves or installs.

mod catalogue;
mod lines;
mod message;

use crate::error::{Class, Code, Error};
use crate::gatekeeper::AttestationResult;
use crate::limits::MCP_CALLS_COUNT_MAX;
use crate::package::listing::ContentHash;
use crate::runtime::{Answer, Call, Person, Runtime};
use crate::sandbox::CancelFlag;
use crate::store::Store;
use crate::time::Timestamp;
use catalogue::Catalogue;
use lines::{Line, Output};
use message::{Fault, Id, Message};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::Duration;

/// Revisions that begin with `initialize`, the newest last.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The stateless revision.
const MODERN: &str = "2026-07-28";
/// Names in `_meta` that the protocol keeps for itself.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
/// How often a client that asked for it hears that a call is still running.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// Serves the installed packages of one home folder to one client.
pub struct Server<'a> {
    runtime: &'a Runtime,
    store: Store,
    person: &'a (dyn Person + Sync),
    /// What the client said of itself when it began; empty before.
    session: Mutex<Session>,
    /// The list of tools, read once.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    /// Packages that were verified in this process, compiled.
    verified: Mutex<BTreeMap<ContentHash, AttestationResult>>,
    /// Calls that are running, by the text of their id.
    calls: Mutex<BTreeMap<String, CancelFlag>>,
}

#[derive(Clone, Default)]
struct Session {
    /// The revision agreed on by `initialize`.
    revision: Option<&'static str>,
    agent: Option<String>,
}

/// What one request is answered under.
#[derive(Clone)]
struct Era {
    revision: &'static str,
    agent: Option<String>,
}

impl Era {
    fn is_modern(&self) -> bool {
        self.revision == MODERN
    }
}

/// What comes of a message that the reading thread need not wait for.
enum Reply {
    Nothing,
    Now(Value),
    Call(ToolCall),
}

/// A call of a tool, ready to run.
struct ToolCall {
    id: Id,
    era: Era,
    call: Call,
    content_hash: ContentHash,
    progress: Option<Value>,
    cancel: CancelFlag,
}

impl<'a> Server<'a> {
    /// A server that runs calls through `runtime` and asks `person` where consent is needed.
    #[must_use]
    pub fn new(runtime: &'a Runtime, store: Store, person: &'a (dyn Person + Sync)) -> Self {
        Server {
            runtime,
            store,
            person,
            session: Mutex::default(),
            catalogue: Mutex::default(),
            verified: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Reads and answers messages until the input ends; then waits for the calls that are running.
    ///
    /// # Errors
    /// `host.file` if input or output fail.
    // [SRV-01] [SRV-04]
    pub fn serve(&self, mut input: impl BufRead, output: impl Write + Send) -> Result<(), Error> {
        let output = Output::new(output);
        let result = std::thread::scope(|scope| loop {
            let reply = match lines::read(&mut input)? {
                Line::End => return Ok(()),
                Line::TooLong => {
                    let what = "a message longer than spec/limits.md allows";
                    Reply::Now(Fault::new(&Value::Null, message::INVALID_REQUEST, what).line())
                }
                Line::Text(line) if line.trim_ascii().is_empty() => Reply::Nothing,
                Line::Text(line) => match message::read(&line) {
                    Ok(Message::Batch(items)) => self.batch(items, &output),
                    Ok(message) => self.take(message),
                    Err(fault) => Reply::Now(fault.line()),
                },
            };
            match reply {
                Reply::Nothing => {}
                Reply::Now(answer) => output.send(&answer)?,
                Reply::Call(call) => self.start(scope, call, &output),
            }
        });
        result.map_err(|error: io::Error| Error::new(Code::HostFile, format!("mcp: {error}")))
    }

    /// Several messages in one line, which one revision alone knows: answered together, in a line.
    // [SRV-05]
    fn batch<W: Write + Send>(
        &self,
        items: Vec<Result<Message, Fault>>,
        output: &Output<W>,
    ) -> Reply {
        if lock(&self.session).revision != Some("2025-03-26") {
            let what = "this revision knows no batches";
            return Reply::Now(Fault::new(&Value::Null, message::INVALID_REQUEST, what).line());
        }
        let mut answers = Vec::new();
        for item in items {
            match item.map(|message| self.take(message)) {
                Err(fault) => answers.push(fault.line()),
                Ok(Reply::Nothing) => {}
                Ok(Reply::Now(answer)) => answers.push(answer),
                Ok(Reply::Call(call)) => answers.extend(self.run(&call, output)),
            }
        }
        match answers.is_empty() {
            true => Reply::Nothing,
            false => Reply::Now(Value::Array(answers)),
        }
    }

    fn take(&self, message: Message) -> Reply {
        match message {
            Message::Request { id, method, params } => {
                self.request(&id, &method, params).unwrap_or_else(|fault| Reply::Now(fault.line()))
            }
            Message::Notification { method, params } => {
                if method == "notifications/cancelled" {
                    self.cancel(params.get("requestId"));
                }
                Reply::Nothing
            }
            // Nothing was asked, or it is too late.
            Message::Response { .. } => Reply::Nothing,
            // A batch in a batch was not read as one.
            Message::Batch(_) => Reply::Nothing,
        }
    }

    /// Answers a request, or prepares the call that it asks for.
    fn request(&self, id: &Id, method: &str, params: Map<String, Value>) -> Result<Reply, Fault> {
        if method == "initialize" {
            return self.initialize(id, &params).map(Reply::Now);
        }
        let meta = params.get("_meta").and_then(Value::as_object);
        let modern = meta.and_then(|meta| meta.get(META_VERSION));
        if modern.is_none() && method == "ping" {
            return Ok(Reply::Now(message::result(id, json!({}))));
        }
        let era = self.era(id, meta, modern)?;
        let result = match method {
            "server/discover" if era.is_modern() => listing(json!({
                "supportedVersions": [MODERN], "capabilities": { "tools": {} },
            })),
            "tools/list" => self.list(id, &era, &params)?,
            "tools/call" => return self.prepare(id, era, params),
            _ => {
                let what = format!("no method {}", crate::text::shown(method));
                return Err(Fault::new(id, message::METHOD_NOT_FOUND, what));
            }
        };
        Ok(Reply::Now(message::result(id, complete(&era, result))))
    }

    /// The era of a request: its own word, or what was agreed on at the beginning.
    // [SRV-10] [SRV-11]
    fn era(
        &self,
        id: &Id,
        meta: Option<&Map<String, Value>>,
        modern: Option<&Value>,
    ) -> Result<Era, Fault> {
        let (Some(meta), Some(version)) = (meta, modern) else {
            let Session { revision, agent } = lock(&self.session).clone();
            let revision = revision.ok_or_else(|| {
                Fault::new(id, message::INVALID_REQUEST, "the first request is `initialize`")
            })?;
            return Ok(Era { revision, agent });
        };
        if version.as_str() != Some(MODERN) {
            let data = json!({ "supported": [MODERN], "requested": version });
            let mut fault = Fault::new(id, message::UNSUPPORTED_VERSION, "unsupported version");
            fault.data = Some(data);
            return Err(fault);
        }
        if !meta.get(META_CAPABILITIES).is_some_and(Value::is_object) {
            let what = format!("`_meta` needs {META_CAPABILITIES}");
            return Err(Fault::new(id, message::INVALID_PARAMS, what));
        }
        Ok(Era { revision: MODERN, agent: meta.get(META_CLIENT).and_then(agent_name) })
    }

    // [SRV-12]
    fn initialize(&self, id: &Id, params: &Map<String, Value>) -> Result<Value, Fault> {
        let Some(asked) = params.get("protocolVersion").and_then(Value::as_str) else {
            let what = "`protocolVersion` is missing";
            return Err(Fault::new(id, message::INVALID_PARAMS, what));
        };
        let newest = LEGACY.last().copied().unwrap_or_default();
        let revision = LEGACY.into_iter().find(|known| *known == asked).unwrap_or(newest);
        let agent = params.get("clientInfo").and_then(agent_name);
        *lock(&self.session) = Session { revision: Some(revision), agent };
        let result = json!({
            "protocolVersion": revision, "capabilities": { "tools": {} },
            "serverInfo": server_info(),
        });
        Ok(message::result(id, result))
    }

    // [SRV-20] [SRV-21]
    fn list(&self, id: &Id, era: &Era, params: &Map<String, Value>) -> Result<Value, Fault> {
        let catalogue = self
            .catalogue()
            .map_err(|error| Fault::new(id, message::INTERNAL_ERROR, error.to_string()))?;
        let cursor = match params.get("cursor") {
            None | Some(Value::Null) => "",
            Some(Value::String(cursor)) => cursor,
            Some(_) => return Err(Fault::new(id, message::INVALID_PARAMS, "no such cursor")),
        };
        let Some((tools, next)) = catalogue.page(cursor, era.revision) else {
            return Err(Fault::new(id, message::INVALID_PARAMS, "no such cursor"));
        };
        let mut result = json!({ "tools": tools });
        if let (Some(next), Some(members)) = (next, result.as_object_mut()) {
            members.insert("nextCursor".to_owned(), json!(next));
        }
        Ok(if era.is_modern() { listing(result) } else { result })
    }

    fn catalogue(&self) -> Result<Arc<Catalogue>, Error> {
        let mut held = lock(&self.catalogue);
        if let Some(catalogue) = held.as_ref() {
            return Ok(Arc::clone(catalogue));
        }
        let (trust, policy) = (self.runtime.trust_store()?, self.runtime.policy());
        let read = Catalogue::read(&self.store, &trust, policy, Timestamp::now())?;
        let read = Arc::new(read);
        *held = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Reads the parameters of a call, and notes it as running.
    // [SRV-30]
    fn prepare(&self, id: &Id, era: Era, mut params: Map<String, Value>) -> Result<Reply, Fault> {
        let bad = |what: String| Fault::new(id, message::INVALID_PARAMS, what);
        let Some(Value::String(tool)) = params.remove("name") else {
            return Err(bad("`name` is not a string".to_owned()));
        };
        let arguments = match params.remove("arguments") {
            None | Some(Value::Null) => json!({}),
            Some(arguments @ Value::Object(_)) => arguments,
            Some(_) => return Err(bad("`arguments` is not an object".to_owned())),
        };
        let catalogue = self
            .catalogue()
            .map_err(|error| Fault::new(id, message::INTERNAL_ERROR, error.to_string()))?;
        let Some(content_hash) = catalogue.package_of(&tool).cloned() else {
            return Err(bad(format!("Unknown tool: {}", crate::text::shown(&tool))));
        };
        let meta = params.get("_meta");
        let progress = meta.and_then(|meta| meta.get("progressToken")).cloned();
        let cancel = CancelFlag::default();
        let mut calls = lock(&self.calls);
        if calls.contains_key(&id.to_string()) {
            let what = "a request of this id is running";
            return Err(Fault::new(id, message::INVALID_REQUEST, what));
        }
        if calls.len() >= MCP_CALLS_COUNT_MAX {
            let text = format!("BUSY: {MCP_CALLS_COUNT_MAX} calls are running; try again later");
            let result = complete(&era, failure(&text));
            return Ok(Reply::Now(message::result(id, result)));
        }
        calls.insert(id.to_string(), cancel.clone());
        drop(calls);
        let call = Call { tool, arguments, agent: era.agent.clone() };
        Ok(Reply::Call(ToolCall { id: id.clone(), era, call, content_hash, progress, cancel }))
    }

    /// Stops a running call, whose answer nobody wants any more.
    // [SRV-31]
    fn cancel(&self, id: Option<&Value>) {
        if let Some(flag) = id.and_then(|id| lock(&self.calls).get(&id.to_string()).cloned()) {
            flag.cancel();
        }
    }

    fn start<'scope, W: Write + Send>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        call: ToolCall,
        output: &'scope Output<W>,
    ) {
        scope.spawn(move || {
            if let Some(answer) = self.run(&call, output) {
                // A client that has gone away has no use for the answer; the reader sees the end too.
                let _gone = output.send(&answer);
            }
        });
    }

    /// Runs a call and tells how far it is, if that was asked for. Gives the answer, or nothing if the
    /// call was cancelled.
    // [SRV-31] [SRV-32]
    fn run<W: Write + Send>(&self, call: &ToolCall, output: &Output<W>) -> Option<Value> {
        let (done, waits) = channel::<()>();
        let result = std::thread::scope(|scope| {
            if let Some(token) = &call.progress {
                scope.spawn(move || {
                    let mut seconds = 0_u64;
                    while waits.recv_timeout(PROGRESS_PERIOD) == Err(RecvTimeoutError::Timeout) {
                        seconds = seconds.saturating_add(1);
                        let params = json!({ "progressToken": token, "progress": seconds });
                        let told = output.send(&json!({
                            "jsonrpc": "2.0", "method": "notifications/progress", "params": params,
                        }));
                        if told.is_err() {
                            return;
                        }
                    }
                });
            }
            let result = self.answer(call);
            drop(done);
            result
        });
        lock(&self.calls).remove(&call.id.to_string());
        if call.cancel.is_cancelled() {
            return None;
        }
        Some(message::result(&call.id, complete(&call.era, result)))
    }

    fn answer(&self, call: &ToolCall) -> Value {
        let answer = self.attestation(&call.content_hash).and_then(|attestation| {
            self.runtime.call_verified(&attestation, &call.call, self.person, &call.cancel)
        });
        match answer {
            Ok(answer) => tool_result(answer, call.era.revision),
            Err(error) => failure(&told(&error)),
        }
    }

    /// Verifies a package on its first call. Later calls judge its signers anew, and no more.
    // [STORE-04]
    fn attestation(&self, content_hash: &ContentHash) -> Result<AttestationResult, Error> {
        if let Some(found) = lock(&self.verified).get(content_hash) {
            return Ok(found.clone());
        }
        let attestation = self.runtime.verify(&self.store.read(content_hash)?)?;
        if attestation.content_hash != *content_hash {
            let detail =
                format!("{content_hash} is installed, its file has {}", attestation.content_hash);
            return Err(Error::new(Code::ContentHash, detail));
        }
        lock(&self.verified).insert(content_hash.clone(), attestation.clone());
        Ok(attestation)
    }
}

/// What is behind a lock is whole between any two statements, so a panic elsewhere harms nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn server_info() -> Value {
    json!({ "name": "mpp", "version": env!("CARGO_PKG_VERSION") })
}

/// Name and version that a client gives itself, for the record.
fn agent_name(info: &Value) -> Option<String> {
    let name = info.get("name").and_then(Value::as_str)?;
    let version = info.get("version").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{name} {version}").trim().to_owned())
}

/// What every result carries in the stateless revision.
fn complete(era: &Era, mut result: Value) -> Value {
    if let (true, Some(members)) = (era.is_modern(), result.as_object_mut()) {
        members.insert("resultType".to_owned(), json!("complete"));
        members.insert("_meta".to_owned(), json!({ META_SERVER: server_info() }));
    }
    result
}

/// What a list carries besides in that revision: it may be asked for again at any time.
fn listing(mut result: Value) -> Value {
    if let Some(members) = result.as_object_mut() {
        members.insert("ttlMs".to_owned(), json!(0));
        members.insert("cacheScope".to_owned(), json!("private"));
    }
    result
}

/// The answer of a tool. Where it is structured, its text is a copy of the filtered JSON for clients
/// that look at texts only.
// [SRV-33]
fn tool_result(answer: Answer, revision: &str) -> Value {
    let mut result = json!({ "content": answer.content, "isError": answer.is_error });
    let structured = answer.structured_content.filter(|_| revision >= "2025-06-18");
    if let (Some(structured), Some(members)) = (structured, result.as_object_mut()) {
        members.insert("structuredContent".to_owned(), structured);
    }
    result
}

fn failure(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}

/// What the model hears of a call that did not succeed. Some clients show nothing but the text, so it
/// says plainly what happened.
// [SRV-34]
fn told(error: &Error) -> String {
    let code = error.code();
    let stage = code.as_str().split('.').next().unwrap_or_default();
    let word = match (stage, code.class()) {
        ("request", _) => "INVALID REQUEST",
        (_, Class::Refused) => "DENIED by MPP policy",
        (_, Class::Tool) => "FAILED",
        _ => "FAILED on the host",
    };
    format!("{word}: [{}] {}", code.as_str(), error.detail())
}
