//! MCP server over stdio: three revisions that start with `initialize`, and the stateless one of 2026-07-28.
//!
//! Read [`Server::serve`] first. One thread reads messages and answers what takes no time; each tool call runs in
//! its own thread, so a slow tool delays neither `ping` nor `cancelled` nor another call. Only protocol messages
//! are written. No message of an agent can grant, approve or install anything.

mod call_result;
mod catalog;
mod consent;
mod content_block;
mod era;
mod framing;
mod jsonrpc;
mod listeners;
mod request_id;
mod request_state;

use crate::host::clock::CancelFlag;
use crate::host::runtime::{Runtime, ToolCall};
use crate::host::store::PackageStore;
use crate::kernel::error::{Code, Error};
use crate::kernel::host::Reservation;
use crate::kernel::limits::MCP_CALLS_COUNT_MAX;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::text::quote_untrusted;
use crate::kernel::time::Timestamp;
use catalog::{ListedTool, ToolCatalog};
use era::Era;
use framing::{Line, Output};
use jsonrpc::{Id, Message, Params, RpcError};
use listeners::Listeners;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// How often a client that requested progress is notified of a running call, and the output is checked.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// Serves the installed packages of one home directory to one client.
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
    /// Logs to the operator of the server, not to the client.
    log: Box<dyn Fn(&str) + Send + Sync + 'a>,
    /// The era of the last `initialize`.
    session: Mutex<Option<Era>>,
    /// The tools that were installed when it was last read.
    catalog: Mutex<Option<Arc<ToolCatalog>>>,
    /// Who is notified when the listed tools change.
    listeners: Mutex<Listeners>,
    /// Running calls, by the text of their id.
    calls: Mutex<BTreeMap<String, CancelFlag>>,
    /// One reference for each call whose response is not written: a client that does not read blocks only its own.
    slots: Arc<()>,
    /// Elicitations without a response: the channel for it, by request id.
    elicitations: Mutex<BTreeMap<String, Sender<Option<Value>>>>,
    last_id: AtomicU64,
    input_ended: AtomicBool,
}

/// How a message is answered.
enum Dispatch {
    None,
    Immediate(Value),
    Deferred(Box<PendingCall>),
}

/// A tool call, ready to run.
struct PendingCall {
    id: Id,
    era: Era,
    call: ToolCall,
    /// The package that had the tool when the call arrived.
    // [SRV-51]
    content_hash: ContentHash,
    progress: Option<Value>,
    cancel: CancelFlag,
    /// Its slot of the concurrent calls, until its response is written.
    _slot: Arc<()>,
    /// Members of a repeated call.
    request_state: Option<String>,
    input_responses: Option<Value>,
}

/// Requests approvals for one call; see `consent.rs`.
struct McpApprover<'s, 'a, W> {
    server: &'s Server<'a>,
    call: &'s PendingCall,
    output: &'s Output<W>,
}

impl<'a> Server<'a> {
    /// Returns a server that runs calls through `runtime`, and lists the packages installed in its home
    /// directory. `log` writes lines for the operator of the server: pending approval requests, and packages
    /// that are left out. It must not block.
    #[must_use]
    pub fn new(runtime: &'a Runtime, log: impl Fn(&str) + Send + Sync + 'a) -> Self {
        Server {
            runtime,
            store: PackageStore::new(runtime.home()),
            log: Box::new(log),
            session: Mutex::default(),
            catalog: Mutex::default(),
            listeners: Mutex::default(),
            calls: Mutex::default(),
            slots: Arc::default(),
            elicitations: Mutex::default(),
            last_id: AtomicU64::new(0),
            input_ended: AtomicBool::new(false),
        }
    }

    /// Reads and answers messages until the input ends; then waits for the running calls. If the output fails,
    /// cancels them, and returns without waiting for the end of the input: the thread that reads it ends with it.
    ///
    /// # Errors
    /// `host.file` if input or output fail.
    // [SRV-01] [SRV-04] [SRV-09]
    pub fn serve(
        &self,
        mut input: impl BufRead + Send + 'static,
        output: impl Write + Send,
    ) -> Result<(), Error> {
        let output = &Output::new(output);
        let (sender, lines) = sync_channel(0);
        let mut is_first = true;
        let mut next = move || framing::read(&mut input, &mut is_first).transpose();
        let read_all = move || while next().is_some_and(|line| sender.send(line).is_ok()) {};
        let result = std::thread::scope(|scope| {
            let (running, ended) = channel::<()>();
            let serve_all = || -> io::Result<()> {
                Builder::new().spawn(read_all)?;
                let mut noticed = Instant::now();
                loop {
                    output.check()?;
                    if noticed.elapsed() >= PROGRESS_PERIOD {
                        self.notice_changes(output)?;
                        noticed = Instant::now();
                    }
                    let line = match lines.recv_timeout(PROGRESS_PERIOD) {
                        Ok(line) => line?,
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Disconnected) => break,
                    };
                    match self.dispatch(line) {
                        Dispatch::None => {}
                        Dispatch::Immediate(answer) => output.send(&answer)?,
                        Dispatch::Deferred(call) => {
                            let running = running.clone();
                            let run = move || self.run(&call, output, &running);
                            Builder::new().spawn_scoped(scope, run)?;
                        }
                    }
                }
                // Cancels pending approval requests.
                self.input_ended.store(true, Ordering::Relaxed);
                drop(running);
                while ended.recv_timeout(PROGRESS_PERIOD) == Err(RecvTimeoutError::Timeout) {
                    output.write(" ")?;
                }
                output.check()
            };
            // The scope waits for running calls.
            serve_all().inspect_err(|_| lock(&self.calls).values().for_each(CancelFlag::cancel))
        });
        result.map_err(|error| Error::new(Code::HostFile, format!("mcp: {error}")))
    }

    fn dispatch(&self, line: Line) -> Dispatch {
        match jsonrpc::read(line) {
            Ok(Message::Request { id, method, params }) => self
                .request(&id, &method, params)
                .unwrap_or_else(|error| Dispatch::Immediate(error.answer(&id))),
            Ok(Message::Notification { method, params }) => {
                if method == "notifications/cancelled" {
                    self.cancel(params.get("requestId"));
                }
                Dispatch::None
            }
            Ok(Message::Response { id, result }) => {
                // Ignored if no request waits for it.
                let sender = id.as_str().and_then(|id| lock(&self.elicitations).remove(id));
                let _ = sender.map(|sender| sender.send(result));
                Dispatch::None
            }
            Err((id, error)) => Dispatch::Immediate(error.answer(&id)),
        }
    }

    /// Answers a request, or prepares its tool call.
    fn request(&self, id: &Id, method: &str, params: Params) -> Result<Dispatch, RpcError> {
        let era = match (era::stated(&params)?, method) {
            (Some(era), _) => era,
            (None, "initialize") => {
                let (era, result) = era::initialize(&params)?;
                *lock(&self.session) = Some(era);
                lock(&self.listeners).start_session(self.catalog().ok());
                return Ok(Dispatch::Immediate(jsonrpc::result(id, result)));
            }
            (None, "ping") => return Ok(Dispatch::Immediate(jsonrpc::result(id, json!({})))),
            (None, _) => lock(&self.session).clone().ok_or_else(|| {
                let what = "not initialized, and `_meta` states no revision";
                RpcError::new(jsonrpc::INVALID_PARAMS, what)
            })?,
        };
        let result = match method {
            "server/discover" if era.is_modern() => era.listing(era::discovered()),
            "tools/list" => era.listing(self.list(&era, &params)?),
            "tools/call" => return self.prepare(id, era, params),
            "subscriptions/listen" if era.is_modern() => return self.listen(id, &params),
            _ => {
                let what = format!("unknown method {}", quote_untrusted(method));
                return Err(RpcError::new(jsonrpc::METHOD_NOT_FOUND, what));
            }
        };
        Ok(Dispatch::Immediate(jsonrpc::result(id, era.complete(result))))
    }

    // [SRV-20] [SRV-21]
    fn list(&self, era: &Era, params: &Params) -> Result<Value, RpcError> {
        let catalog = self.catalog();
        let cursor = match params.get("cursor") {
            None | Some(Value::Null) => Some(""),
            Some(cursor) => cursor.as_str(),
        };
        if cursor == Some("") && !era.is_modern() {
            lock(&self.listeners).list_session(catalog.as_ref().ok().cloned());
        }
        let catalog = catalog?;
        cursor
            .and_then(|cursor| catalog.page(&self.store, &self.runtime.policy(), cursor, era))
            .ok_or_else(|| RpcError::new(jsonrpc::INVALID_PARAMS, "unknown cursor"))
    }

    /// Returns the tools that are installed now. Files are read each time: their times would miss changes.
    // [SRV-50]
    fn catalog(&self) -> Result<Arc<ToolCatalog>, RpcError> {
        let read = |trust| {
            ToolCatalog::read(&self.store, &trust, &self.runtime.policy(), Timestamp::now())
        };
        let read = self.runtime.trust_store().and_then(read);
        let read = read.map_err(|error| {
            let what = format!("[{}] {error}", error.code().as_str());
            RpcError::new(jsonrpc::INTERNAL_ERROR, what)
        })?;
        let mut known = lock(&self.catalog);
        if let Some(known) = known.as_ref().filter(|known| known.is_current(&read)) {
            return Ok(Arc::clone(known));
        }
        let logged = known.as_ref().map(|known| known.left_out()).unwrap_or_default();
        let new = read.left_out().iter().filter(|line| !logged.contains(line));
        new.for_each(|line| (self.log)(line));
        let new = match known.as_ref() {
            Some(old) => read.replacing(old),
            None => read,
        };
        Ok(Arc::clone(known.insert(Arc::new(new))))
    }

    /// Notifies the client if the listed tools have changed. If they cannot be read, a request for them is
    /// answered with the error.
    // [SRV-52] [SRV-53]
    fn notice_changes<W: Write>(&self, output: &Output<W>) -> io::Result<()> {
        let mut listeners = lock(&self.listeners);
        let catalog = if listeners.is_empty() { None } else { self.catalog().ok() };
        let Some(catalog) = catalog else { return Ok(()) };
        let is_same =
            |old: &ToolCatalog| old.lists_same(&catalog, &self.store, &self.runtime.policy());
        let messages = listeners.notifications(&catalog, &is_same);
        messages.iter().try_for_each(|message| output.send(message))
    }

    /// Opens a subscription, and acknowledges it.
    // [SRV-53]
    fn listen(&self, id: &Id, params: &Params) -> Result<Dispatch, RpcError> {
        self.check_unused(id)?;
        let known = self.catalog().ok();
        lock(&self.listeners).subscribe(id, params, known).map(Dispatch::Immediate)
    }

    /// Refuses the id of a request that is not answered yet.
    fn check_unused(&self, id: &Id) -> Result<(), RpcError> {
        let text = id.to_string();
        if lock(&self.calls).contains_key(&text) || lock(&self.listeners).contains(&text) {
            let what = "request id is already in use";
            return Err(RpcError::new(jsonrpc::INVALID_REQUEST, what));
        }
        Ok(())
    }

    /// Reads the parameters of a call, and registers it as running.
    // [SRV-30]
    fn prepare(&self, id: &Id, era: Era, mut params: Params) -> Result<Dispatch, RpcError> {
        let invalid = |what| Err(RpcError::new(jsonrpc::INVALID_PARAMS, what));
        let Some(Value::String(name)) = params.remove("name") else {
            return invalid("`name` is not a string".to_owned());
        };
        let arguments = match params.remove("arguments") {
            None | Some(Value::Null) => json!({}),
            Some(arguments @ Value::Object(_)) => arguments,
            Some(_) => return invalid("`arguments` is not an object".to_owned()),
        };
        let Some(ListedTool { content_hash, tool }) = self.catalog()?.tool(&name).cloned() else {
            return invalid(format!("Unknown tool: {}", quote_untrusted(&name)));
        };
        let meta = |name| params.get("_meta").and_then(|meta| meta.get(name));
        let progress = meta("progressToken").filter(|token| jsonrpc::is_id(token)).cloned();
        let traceparent = meta("traceparent").and_then(Value::as_str);
        let call = ToolCall::new(tool, arguments).with_agent(era.agent.clone());
        let mut call = call.with_traceparent(traceparent);
        call.listed_as = Some(name).filter(|name| *name != call.tool);
        let request_state = params.get("requestState").and_then(Value::as_str).map(str::to_owned);
        let cancel = CancelFlag::default();
        self.check_unused(id)?;
        // The server itself holds one reference.
        if Arc::strong_count(&self.slots) > MCP_CALLS_COUNT_MAX {
            let text = format!("BUSY: {MCP_CALLS_COUNT_MAX} calls are running; try again later");
            let result = era.complete(call_result::failure(&text));
            return Ok(Dispatch::Immediate(jsonrpc::result(id, result)));
        }
        lock(&self.calls).insert(id.to_string(), cancel.clone());
        Ok(Dispatch::Deferred(Box::new(PendingCall {
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

    /// Cancels a running call or a subscription.
    // [SRV-31] [SRV-53]
    fn cancel(&self, id: Option<&Value>) {
        lock(&self.listeners).cancel(id);
        if let Some(flag) = id.and_then(|id| lock(&self.calls).get(&id.to_string()).cloned()) {
            flag.cancel();
        }
    }

    /// Runs a call, notifies the client of its progress if requested, and responds unless it was cancelled.
    // [SRV-31] [SRV-32]
    fn run<W: Write + Send>(&self, call: &PendingCall, output: &Output<W>, _: &Sender<()>) {
        let (running, ended) = channel::<()>();
        // Held until the response is written, since that takes memory, too.
        let (result, _reservation) = std::thread::scope(|scope| {
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
            // A failure is noticed by `serve`.
            let _ = output.send(&jsonrpc::result(&call.id, call.era.complete(result)));
        }
    }

    fn result<W: Write + Send>(
        &self,
        call: &PendingCall,
        output: &Output<W>,
    ) -> (Value, Option<Reservation>) {
        let approver = McpApprover { server: self, call, output };
        let PendingCall { content_hash, call: tool_call, cancel, .. } = call;
        let answer =
            self.runtime.call_installed(&self.store, content_hash, tool_call, &approver, cancel);
        match answer {
            Ok(result) => {
                let reservation = Arc::clone(&result.reservation);
                let fits = |value: &Value| self.fits(call, value);
                (call_result::tool_result(result, &call.era, &fits), Some(reservation))
            }
            Err(error) => (call_result::refusal(&error), None),
        }
    }

    /// Returns `true` if structured content matches the schema that the tool's list entry contains, if any.
    fn fits(&self, call: &PendingCall, value: &Value) -> bool {
        self.store.manifest(&call.content_hash).is_ok_and(|manifest| {
            let tool = manifest.tools.iter().find(|tool| tool.name == call.call.tool);
            let schema = tool.and_then(|tool| tool.returns.as_ref());
            schema.is_none_or(|schema| schema.validate(value).is_ok())
        })
    }
}

/// Locks a mutex. Its value is consistent even if a thread that held it panicked, so poisoning is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
