//! Floor 5: MCP over stdio, for the agents that speak it: three revisions that begin with `initialize`,
//! and the stateless one of 2026-07-28, in one process and each message by its own era.
//!
//! Read [`Server::serve`] first. One thread reads lines and answers what takes no time; each call of a
//! tool runs in a thread of its own, so a slow tool holds up neither `ping` nor `cancelled` nor another
//! call. Nothing but protocol goes out. Nothing that an agent can send grants, approves or installs.

mod answer;
mod catalog;
mod consent;
mod era;
mod framing;
mod jsonrpc;
mod request_state;

use crate::host::clock::CancelFlag;
use crate::host::runtime::{Runtime, ToolCall};
use crate::host::store::PackageStore;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::MCP_CALLS_COUNT_MAX;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::time::Timestamp;
use catalog::ToolCatalog;
use era::Era;
use framing::Output;
use jsonrpc::{Id, Message, Params, RpcError};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// How often a client that asked for it hears that a call is still running.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// Serves the installed packages of one home folder to one client.
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
    store: PackageStore,
    /// For whoever runs the server, which is not the client.
    log: Box<dyn Fn(&str) + Send + Sync + 'a>,
    /// What `initialize` agreed on last.
    session: Mutex<Option<Era>>,
    /// The list of tools, read once.
    catalogue: OnceLock<ToolCatalog>,
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
enum Dispatch {
    Nothing,
    Now(Value),
    Later(Box<PendingCall>),
}

/// A call of a tool, ready to run.
struct PendingCall {
    id: Id,
    era: Era,
    call: ToolCall,
    content_hash: ContentHash,
    progress: Option<Value>,
    cancel: CancelFlag,
    /// Its share of the calls that may run at once, until its answer is out.
    _slot: Arc<()>,
    /// What a call that comes again brings along.
    request_state: Option<String>,
    input_responses: Option<Value>,
}

/// Whoever can be reached for one call; `consent.rs` asks them.
struct McpApprover<'s, 'a, W> {
    server: &'s Server<'a>,
    call: &'s PendingCall,
    output: &'s Output<W>,
}

impl<'a> Server<'a> {
    /// A server that runs calls through `runtime`, and offers what is installed in its home. `log` is for
    /// whoever runs the server: lines that say which question waits for an answer, or why a package is
    /// not offered. It must not block.
    #[must_use]
    pub fn new(runtime: &'a Runtime, log: impl Fn(&str) + Send + Sync + 'a) -> Self {
        Server {
            runtime,
            store: PackageStore::new(runtime.home()),
            log: Box::new(log),
            session: Mutex::default(),
            catalogue: OnceLock::new(),
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
            let mut answer_all = || -> io::Result<()> {
                while let Some(line) = framing::read(&mut input)? {
                    match self.dispatch(&line) {
                        Dispatch::Nothing => {}
                        Dispatch::Now(answer) => output.send(&answer)?,
                        Dispatch::Later(call) => {
                            Builder::new().spawn_scoped(scope, move || self.run(&call, output))?;
                        }
                    }
                }
                Ok(())
            };
            let result = answer_all();
            // Questions that wait for a person are given up; calls that run are waited for.
            self.input_ended.store(true, Ordering::Relaxed);
            result
        });
        result.map_err(|error| Error::new(Code::HostFile, format!("mcp: {error}")))
    }

    fn dispatch(&self, line: &[u8]) -> Dispatch {
        match jsonrpc::read(line) {
            Ok(Message::Request { id, method, params }) => self
                .request(&id, &method, params)
                .unwrap_or_else(|error| Dispatch::Now(error.answer(&id))),
            Ok(Message::Notification { method, params }) => {
                if method == "notifications/cancelled" {
                    self.cancel(params.get("requestId"));
                }
                Dispatch::Nothing
            }
            Ok(Message::Response { id, result }) => {
                // Nothing was asked, or it is too late: then nobody listens.
                let waits = id.as_str().and_then(|id| lock(&self.asked).remove(id));
                let _gone = waits.map(|waits| waits.send(result));
                Dispatch::Nothing
            }
            Err((id, error)) => Dispatch::Now(error.answer(&id)),
        }
    }

    /// Answers a request, or prepares the call that it asks for.
    fn request(&self, id: &Id, method: &str, params: Params) -> Result<Dispatch, RpcError> {
        let era = match (era::stated(&params)?, method) {
            (Some(era), _) => era,
            (None, "initialize") => {
                let (era, result) = era::initialize(&params)?;
                *lock(&self.session) = Some(era);
                return Ok(Dispatch::Now(jsonrpc::result(id, result)));
            }
            (None, "ping") => return Ok(Dispatch::Now(jsonrpc::result(id, json!({})))),
            (None, _) => lock(&self.session).clone().ok_or_else(|| {
                let what = "no `initialize` came before, and `_meta` names no revision";
                RpcError::new(jsonrpc::INVALID_PARAMS, what)
            })?,
        };
        let result = match method {
            "server/discover" if era.is_modern() => era.listing(era::discovered()),
            "tools/list" => era.listing(self.list(&era, &params)?),
            "tools/call" => return self.prepare(id, era, params),
            _ => {
                let what = format!("no method {}", crate::kernel::text::quote_untrusted(method));
                return Err(RpcError::new(jsonrpc::METHOD_NOT_FOUND, what));
            }
        };
        Ok(Dispatch::Now(jsonrpc::result(id, era.complete(result))))
    }

    // [SRV-20] [SRV-21]
    fn list(&self, era: &Era, params: &Params) -> Result<Value, RpcError> {
        let catalogue = self.catalogue()?;
        let cursor = match params.get("cursor") {
            None | Some(Value::Null) => Some(""),
            Some(cursor) => cursor.as_str(),
        };
        cursor
            .and_then(|cursor| catalogue.page(&self.store, self.runtime.policy(), cursor, era))
            .ok_or_else(|| RpcError::new(jsonrpc::INVALID_PARAMS, "no such cursor"))
    }

    fn catalogue(&self) -> Result<&ToolCatalog, RpcError> {
        if let Some(catalogue) = self.catalogue.get() {
            return Ok(catalogue);
        }
        let read = |trust| {
            let policy = self.runtime.policy();
            ToolCatalog::read(&self.store, &trust, policy, Timestamp::now(), &*self.log)
        };
        let read = self.runtime.trust_store().and_then(read);
        let read =
            read.map_err(|error| RpcError::new(jsonrpc::INTERNAL_ERROR, error.to_string()))?;
        Ok(self.catalogue.get_or_init(|| read))
    }

    /// Reads the parameters of a call, and notes it as running.
    // [SRV-30]
    fn prepare(&self, id: &Id, era: Era, mut params: Params) -> Result<Dispatch, RpcError> {
        let invalid = |what| Err(RpcError::new(jsonrpc::INVALID_PARAMS, what));
        let Some(Value::String(tool)) = params.remove("name") else {
            return invalid("`name` is not a string".to_owned());
        };
        let arguments = match params.remove("arguments") {
            None | Some(Value::Null) => json!({}),
            Some(arguments @ Value::Object(_)) => arguments,
            Some(_) => return invalid("`arguments` is not an object".to_owned()),
        };
        let Some(content_hash) = self.catalogue()?.package_of(&tool).cloned() else {
            return invalid(format!(
                "Unknown tool: {}",
                crate::kernel::text::quote_untrusted(&tool)
            ));
        };
        let meta = |name| params.get("_meta").and_then(|meta| meta.get(name));
        let progress = meta("progressToken").filter(|token| jsonrpc::is_id(token)).cloned();
        let traceparent = meta("traceparent").and_then(Value::as_str);
        let call = ToolCall::new(tool, arguments)
            .with_agent(era.agent.clone())
            .with_traceparent(traceparent);
        let request_state = params.get("requestState").and_then(Value::as_str).map(str::to_owned);
        let cancel = CancelFlag::default();
        let mut calls = lock(&self.calls);
        if calls.contains_key(&id.to_string()) {
            let what = "a request of this id is running";
            return Err(RpcError::new(jsonrpc::INVALID_REQUEST, what));
        }
        // The server itself holds one share.
        if Arc::strong_count(&self.slots) > MCP_CALLS_COUNT_MAX {
            let text = format!("BUSY: {MCP_CALLS_COUNT_MAX} calls are running; try again later");
            let result = era.complete(answer::failure(&text));
            return Ok(Dispatch::Now(jsonrpc::result(id, result)));
        }
        calls.insert(id.to_string(), cancel.clone());
        Ok(Dispatch::Later(Box::new(PendingCall {
            id: id.clone(),
            era,
            call,
            content_hash,
            progress,
            cancel,
            _slot: Arc::clone(&self.slots),
            request_state,
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

    /// Runs a call, reports its progress if that was asked for, and answers it unless it was cancelled.
    // [SRV-31] [SRV-32]
    fn run<W: Write + Send>(&self, call: &PendingCall, output: &Output<W>) {
        let (running, ended) = channel::<()>();
        let result = std::thread::scope(|scope| {
            if let Some(token) = &call.progress {
                scope.spawn(move || {
                    for seconds in 1_u64.. {
                        let params = json!({ "progressToken": token, "progress": seconds });
                        let report = jsonrpc::notification("notifications/progress", params);
                        if ended.recv_timeout(PROGRESS_PERIOD) != Err(RecvTimeoutError::Timeout)
                            || output.send(&report).is_err()
                        {
                            return;
                        }
                    }
                });
            }
            let result = self.result(call, output);
            drop(running);
            result
        });
        lock(&self.calls).remove(&call.id.to_string());
        if !call.cancel.is_cancelled() {
            // A client that has gone away has no use for the answer; the reader sees the end too.
            let _gone = output.send(&jsonrpc::result(&call.id, call.era.complete(result)));
        }
    }

    fn result<W: Write + Send>(&self, call: &PendingCall, output: &Output<W>) -> Value {
        let person = McpApprover { server: self, call, output };
        let PendingCall { content_hash, call: wanted, cancel, .. } = call;
        let answer =
            self.runtime.call_installed(&self.store, content_hash, wanted, &person, cancel);
        match answer {
            Ok(answer) => answer::tool_result(answer, &call.era),
            Err(error) => answer::refusal(&error),
        }
    }
}

/// What is behind a lock is whole between any two statements, so a panic elsewhere harms nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
