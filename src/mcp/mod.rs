//! Floor 5: MCP over stdio, for the agents that speak it: the four revisions that begin with
//! `initialize`, and the stateless one of 2026-07-28, in one process and each message by its own era.
//!
//! Read [`Server::serve`] first. One thread reads lines and answers what takes no time; each call of a
//! tool runs in a thread of its own, so a slow tool holds up neither `ping` nor `cancelled` nor another
//! call. Nothing but protocol goes out. Nothing that an agent can send grants, approves or installs.

mod answer;
mod catalogue;
mod consent;
mod era;
mod lines;
mod message;

use crate::error::{Code, Error};
use crate::limits::MCP_CALLS_COUNT_MAX;
use crate::package::listing::ContentHash;
use crate::runtime::{Call, Runtime};
use crate::sandbox::CancelFlag;
use crate::store::Store;
use crate::time::Timestamp;
use catalogue::Catalogue;
use era::{Era, Session};
use lines::{Line, Output};
use message::{Fault, Id, Message};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// How often a client that asked for it hears that a call is still running.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// Serves the installed packages of a runtime's home folder to one client.
///
/// ```
/// # let home = std::env::temp_dir().join(format!("mpp-serve-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&home).unwrap();
/// use mpp::{mcp::Server, runtime::Runtime, PermissionPolicy};
/// let runtime = Runtime::open(&home, PermissionPolicy::new())?;
/// let mut answers = Vec::new();
/// let ping = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
/// Server::new(&runtime, |_| {}).serve(&ping[..], &mut answers)?;
/// assert_eq!(answers, b"{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":{}}\n");
/// # std::fs::remove_dir_all(&home).unwrap();
/// # Ok::<(), mpp::Error>(())
/// ```
pub struct Server<'a> {
    runtime: &'a Runtime,
    store: Store,
    /// Tells whoever runs the server, which is not the client.
    tell: Box<dyn Fn(&str) + Send + Sync + 'a>,
    /// What the client said of itself when it began; empty before.
    session: Mutex<Session>,
    /// The list of tools, read once.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    /// Calls that are running, by the text of their id.
    calls: Mutex<BTreeMap<String, CancelFlag>>,
    /// One share for each call whose answer is not out yet: a client that does not read ties up its own.
    slots: Arc<()>,
    /// Questions that the client was asked: where their answers go, by our id.
    asked: Mutex<BTreeMap<String, Sender<Option<Value>>>>,
    last_id: AtomicU64,
    input_ended: AtomicBool,
}

/// What comes of a message.
enum Reply {
    Nothing,
    Now(Value),
    Later(Box<ToolCall>),
    /// Several messages of one line.
    Together(Vec<Reply>),
}

/// A call of a tool, ready to run.
struct ToolCall {
    id: Id,
    era: Era,
    call: Call,
    content_hash: ContentHash,
    progress: Option<Value>,
    cancel: CancelFlag,
    slot: Option<Arc<()>>,
    /// What a call that comes again brings along.
    request_state: Option<String>,
    input_responses: Option<Value>,
}

impl Reply {
    /// Takes the shares of the calls in it.
    fn slots(&mut self) -> Vec<Arc<()>> {
        match self {
            Reply::Later(call) => call.slot.take().into_iter().collect(),
            Reply::Together(replies) => replies.iter_mut().flat_map(Reply::slots).collect(),
            Reply::Nothing | Reply::Now(_) => Vec::new(),
        }
    }
}

impl<'a> Server<'a> {
    /// A server that runs calls through `runtime`, and offers what is installed in its home. `tell` is for
    /// whoever runs the server: lines that say which question waits for an answer, or why a package is
    /// not offered. It must not block.
    #[must_use]
    pub fn new(runtime: &'a Runtime, tell: impl Fn(&str) + Send + Sync + 'a) -> Self {
        Server {
            runtime,
            store: Store::new(runtime.home()),
            tell: Box::new(tell),
            session: Mutex::default(),
            catalogue: Mutex::default(),
            calls: Mutex::default(),
            slots: Arc::default(),
            asked: Mutex::default(),
            last_id: AtomicU64::new(0),
            input_ended: AtomicBool::new(false),
        }
    }

    /// Reads and answers messages until the input ends; then waits for the calls that are running.
    ///
    /// # Errors
    /// `host.file` if input or output fail.
    // [SRV-01] [SRV-04]
    pub fn serve(&self, mut input: impl BufRead, output: impl Write + Send) -> Result<(), Error> {
        let output = &Output::new(output);
        let result = std::thread::scope(|scope| {
            let result = loop {
                match lines::read(&mut input) {
                    Ok(Line::End) => break Ok(()),
                    Ok(line) => match self.take(line) {
                        Reply::Nothing => {}
                        Reply::Now(answer) => {
                            if let Err(error) = output.send(&answer) {
                                break Err(error);
                            }
                        }
                        later => {
                            let answers = move || self.answer_later(later, output);
                            if let Err(error) = Builder::new().spawn_scoped(scope, answers) {
                                break Err(error);
                            }
                        }
                    },
                    Err(error) => break Err(error),
                }
            };
            // Questions that wait for a person are given up; calls that run are waited for.
            self.input_ended.store(true, Ordering::Relaxed);
            result
        });
        result.map_err(|error: io::Error| Error::new(Code::HostFile, format!("mcp: {error}")))
    }

    fn take(&self, line: Line) -> Reply {
        match line {
            Line::End => Reply::Nothing,
            Line::TooLong => {
                let what = "a message longer than spec/limits.md allows";
                Reply::Now(Fault::new(&Value::Null, message::INVALID_REQUEST, what).line())
            }
            Line::Text(line) if line.trim_ascii().is_empty() => Reply::Nothing,
            Line::Text(line) => match message::read(&line) {
                Ok(Message::Batch(items)) => self.batch(items),
                Ok(message) => self.one(message),
                Err(fault) => Reply::Now(fault.line()),
            },
        }
    }

    /// Several messages in one line, which one revision alone knows: answered together, in a line.
    // [SRV-05]
    fn batch(&self, items: Vec<Result<Message, Fault>>) -> Reply {
        if !lock(&self.session).has_batches() {
            let what = "this revision knows no batches";
            return Reply::Now(Fault::new(&Value::Null, message::INVALID_REQUEST, what).line());
        }
        let one = |item: Result<Message, Fault>| match item {
            Ok(message) => self.one(message),
            Err(fault) => Reply::Now(fault.line()),
        };
        let replies: Vec<Reply> = items.into_iter().map(one).collect();
        match replies.iter().any(|reply| matches!(reply, Reply::Later(_))) {
            true => Reply::Together(replies),
            false => together(replies, |_| None).map_or(Reply::Nothing, Reply::Now),
        }
    }

    fn one(&self, message: Message) -> Reply {
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
            // Nothing was asked, or it is too late: then nobody listens.
            Message::Response { id, result } => {
                let waits = id.as_str().and_then(|id| lock(&self.asked).remove(id));
                if let Some(waits) = waits {
                    let _gone = waits.send(result);
                }
                Reply::Nothing
            }
            // A batch in a batch was not read as one.
            Message::Batch(_) => Reply::Nothing,
        }
    }

    /// Answers a request, or prepares the call that it asks for.
    fn request(&self, id: &Id, method: &str, params: Map<String, Value>) -> Result<Reply, Fault> {
        let is_modern =
            params.get("_meta").is_some_and(|meta| meta.get(era::META_VERSION).is_some());
        match method {
            "initialize" if !is_modern => {
                return lock(&self.session).initialize(id, &params).map(Reply::Now);
            }
            "ping" if !is_modern => return Ok(Reply::Now(message::result(id, json!({})))),
            _ => {}
        }
        let era = lock(&self.session).era_of(id, &params)?;
        let result = match method {
            "server/discover" if era.is_modern() => era::discovered(),
            "tools/list" => self.list(id, &era, &params)?,
            "tools/call" => return self.prepare(id, era, params),
            _ => {
                let what = format!("no method {}", crate::text::shown(method));
                return Err(Fault::new(id, message::METHOD_NOT_FOUND, what));
            }
        };
        Ok(Reply::Now(message::result(id, era::complete(&era, result))))
    }

    // [SRV-20] [SRV-21]
    fn list(&self, id: &Id, era: &Era, params: &Map<String, Value>) -> Result<Value, Fault> {
        let catalogue = self.catalogue(id)?;
        let cursor = match params.get("cursor") {
            None | Some(Value::Null) => "",
            Some(Value::String(cursor)) => cursor,
            Some(_) => return Err(Fault::new(id, message::INVALID_PARAMS, "no such cursor")),
        };
        let Some((tools, next)) =
            catalogue.page(&self.store, self.runtime.policy(), cursor, era.revision)
        else {
            return Err(Fault::new(id, message::INVALID_PARAMS, "no such cursor"));
        };
        let mut result = json!({ "tools": tools });
        if let (Some(next), Some(members)) = (next, result.as_object_mut()) {
            members.insert("nextCursor".to_owned(), json!(next));
        }
        Ok(if era.is_modern() { era::listing(result) } else { result })
    }

    fn catalogue(&self, id: &Id) -> Result<Arc<Catalogue>, Fault> {
        let mut held = lock(&self.catalogue);
        if let Some(catalogue) = held.as_ref() {
            return Ok(Arc::clone(catalogue));
        }
        let policy = self.runtime.policy();
        let read = self
            .runtime
            .trust_store()
            .and_then(|trust| {
                Catalogue::read(&self.store, &trust, policy, Timestamp::now(), &*self.tell)
            })
            .map_err(|error| Fault::new(id, message::INTERNAL_ERROR, error.to_string()))?;
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
        let Some(content_hash) = self.catalogue(id)?.package_of(&tool).cloned() else {
            return Err(bad(format!("Unknown tool: {}", crate::text::shown(&tool))));
        };
        let meta = |name| params.get("_meta").and_then(|meta| meta.get(name));
        let progress = meta("progressToken").filter(|token| message::is_id(token)).cloned();
        let traceparent = meta("traceparent").and_then(Value::as_str);
        let call = Call::new(tool, arguments).by(era.agent.clone()).traced(traceparent);
        let state = params.get("requestState").and_then(Value::as_str).map(str::to_owned);
        let cancel = CancelFlag::default();
        let mut calls = lock(&self.calls);
        if calls.contains_key(&id.to_string()) {
            let what = "a request of this id is running";
            return Err(Fault::new(id, message::INVALID_REQUEST, what));
        }
        // The server itself holds one share.
        if Arc::strong_count(&self.slots) > MCP_CALLS_COUNT_MAX {
            let text = format!("BUSY: {MCP_CALLS_COUNT_MAX} calls are running; try again later");
            let result = era::complete(&era, answer::failure(&text));
            return Ok(Reply::Now(message::result(id, result)));
        }
        calls.insert(id.to_string(), cancel.clone());
        drop(calls);
        Ok(Reply::Later(Box::new(ToolCall {
            id: id.clone(),
            era,
            call,
            content_hash,
            progress,
            cancel,
            slot: Some(Arc::clone(&self.slots)),
            request_state: state,
            input_responses: params.remove("inputResponses"),
        })))
    }

    /// Stops a running call, whose answer nobody wants any more.
    // [SRV-31]
    fn cancel(&self, id: Option<&Value>) {
        if let Some(flag) = id.and_then(|id| lock(&self.calls).get(&id.to_string()).cloned()) {
            flag.cancel();
        }
    }

    /// Runs what takes time, and answers it.
    fn answer_later<W: Write + Send>(&self, mut reply: Reply, output: &Output<W>) {
        let _until_it_is_out = reply.slots();
        let answer = match reply {
            Reply::Together(replies) => together(replies, |call| self.run(&call, output)),
            Reply::Later(call) => self.run(&call, output),
            Reply::Now(answer) => Some(answer),
            Reply::Nothing => None,
        };
        if let Some(answer) = answer {
            // A client that has gone away has no use for the answer; the reader sees the end too.
            let _gone = output.send(&answer);
        }
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
            let result = self.result(call, output);
            drop(done);
            result
        });
        lock(&self.calls).remove(&call.id.to_string());
        if call.cancel.is_cancelled() {
            return None;
        }
        Some(message::result(&call.id, era::complete(&call.era, result)))
    }

    fn result<W: Write + Send>(&self, call: &ToolCall, output: &Output<W>) -> Value {
        let person = consent::Asker::new(self, call, output);
        let ToolCall { content_hash, call: wanted, cancel, .. } = call;
        let answer =
            self.runtime.call_installed(&self.store, content_hash, wanted, &person, cancel);
        match (answer, person.needed()) {
            (Ok(answer), _) => answer::tool_result(answer, call.era.revision),
            (Err(_), Some(needed)) => needed,
            (Err(error), None) => answer::failure(&answer::told(&error)),
        }
    }

    /// An id for a request of ours.
    fn next_id(&self) -> String {
        format!("mpp-{}", self.last_id.fetch_add(1, Ordering::Relaxed))
    }

    fn has_ended(&self) -> bool {
        self.input_ended.load(Ordering::Relaxed)
    }
}

/// The answers to the messages of one line, if there are any; calls are answered one after the other.
// [SRV-05]
fn together(replies: Vec<Reply>, run: impl Fn(Box<ToolCall>) -> Option<Value>) -> Option<Value> {
    let one = |reply| match reply {
        Reply::Now(answer) => Some(answer),
        Reply::Later(call) => run(call),
        Reply::Nothing | Reply::Together(_) => None,
    };
    let answers: Vec<Value> = replies.into_iter().filter_map(one).collect();
    (!answers.is_empty()).then_some(Value::Array(answers))
}

/// What is behind a lock is whole between any two statements, so a panic elsewhere harms nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
