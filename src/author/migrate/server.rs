//! Asks a running MCP server for its tools, over its stdin and stdout.
//!
//! A server can answer anything or nothing: time, bytes and pages are limited, and it is always ended.

use mpp::{Code, Error};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes on stdout.
const BYTES_MAX: u64 = 32 << 20;
const PAGES_MAX: usize = 1000;
/// Bytes of stderr that an error shows.
const STDERR_BYTES_MAX: usize = 2000;
/// How long a server may take to end after its stdin was closed.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// What a server says of itself and its tools.
#[derive(Debug)]
pub struct ServerTools {
    pub name: Option<String>,
    pub tools: Vec<Value>,
}

/// Splits a command line at spaces outside quotation marks.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Starts a server and returns its tools.
///
/// # Errors
/// `host.file` with the end of its stderr: it does not start, or answers no list in time.
pub fn list_tools(command: &[String], timeout: Duration) -> Result<ServerTools, Error> {
    let failed = |what: String| Error::new(Code::HostFile, what);
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::new(Code::Usage, "--stdio without a command"))?;
    let mut process = Command::new(program);
    process.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what a script starts is ended with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut process, 0);
    let mut child = process.spawn().map_err(|error| failed(format!("{program}: {error}")))?;
    let stderr = Arc::new(Mutex::new(Vec::new()));
    if let Some(pipe) = child.stderr.take() {
        let stderr = Arc::clone(&stderr);
        thread::spawn(move || keep_end(pipe, &stderr));
    }
    let pipes = child.stdin.take().zip(child.stdout.take());
    let result = pipes.ok_or_else(|| "no pipes".to_owned()).and_then(|(stdin, stdout)| {
        let (sender, lines) = mpsc::sync_channel(16);
        thread::spawn(move || send_lines(stdout, &sender));
        let deadline = Instant::now() + timeout;
        Session { stdin, lines, deadline, id: 0 }.list()
    });
    end(&mut child);
    result.map_err(|what| {
        let stderr = stderr.lock().map(|bytes| bytes.clone()).unwrap_or_default();
        let said = match String::from_utf8_lossy(&stderr).trim() {
            "" => String::new(),
            text => format!("; its stderr ends with:\n{text}"),
        };
        failed(format!("{program}: {what}{said}"))
    })
}

/// Sends each line of stdout, until there are too many bytes or the receiver is closed.
fn send_lines(stdout: impl Read, sender: &mpsc::SyncSender<Vec<u8>>) {
    let mut reader = BufReader::new(stdout.take(BYTES_MAX));
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(bytes) if bytes > 0 => {}
            _ => return,
        }
        if sender.send(line).is_err() {
            return;
        }
    }
}

/// Reads stderr to its end, and keeps the last bytes.
fn keep_end(mut pipe: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(bytes) = pipe.read(&mut buffer) {
        let (Some(new), Ok(mut kept)) =
            (buffer.get(..bytes).filter(|new| !new.is_empty()), kept.lock())
        else {
            return;
        };
        kept.extend_from_slice(new);
        let excess = kept.len().saturating_sub(STDERR_BYTES_MAX);
        kept.drain(..excess);
    }
}

/// Ends a server and the programs that it started.
fn end(child: &mut Child) {
    let deadline = Instant::now() + END_TIMEOUT;
    while Instant::now() < deadline {
        if let Ok(Some(_)) = child.try_wait() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    #[cfg(unix)]
    {
        let group = format!("-{}", child.id());
        let mut kill = Command::new("kill");
        let _ = kill.args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

struct Session {
    stdin: ChildStdin,
    lines: Receiver<Vec<u8>>,
    deadline: Instant,
    id: u64,
}

impl Session {
    fn list(mut self) -> Result<ServerTools, String> {
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "mpp", "version": env!("CARGO_PKG_VERSION") },
        });
        let answer = self.request("initialize", hello)?;
        let name = answer.pointer("/serverInfo/name").and_then(Value::as_str).map(str::to_owned);
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        let (mut tools, mut cursors, mut params) = (Vec::new(), BTreeSet::new(), json!({}));
        for _ in 0..PAGES_MAX {
            let mut page = self.request("tools/list", params)?;
            match page.get_mut("tools").map(Value::take) {
                Some(Value::Array(items)) => tools.extend(items),
                _ => return Err("the answer to tools/list has no `tools`".to_owned()),
            }
            let cursor = match page.get("nextCursor") {
                None | Some(Value::Null) => return Ok(ServerTools { name, tools }),
                Some(cursor) => cursor.clone(),
            };
            if !cursors.insert(cursor.to_string()) {
                return Err("the pages of tools/list repeat".to_owned());
            }
            params = json!({ "cursor": cursor });
        }
        Err(format!("more than {PAGES_MAX} pages of tools"))
    }

    fn send(&mut self, message: &Value) -> Result<(), String> {
        let sent = writeln!(self.stdin, "{message}").and_then(|()| self.stdin.flush());
        sent.map_err(|error| format!("it ended, or closed its stdin ({error})"))
    }

    /// Sends a request and waits for its answer. Other lines are skipped, and requests are refused.
    fn request(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.id = self.id.saturating_add(1);
        self.send(&json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params }))?;
        let mut skipped = 0_usize;
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    format!("no answer to {method} in time ({skipped} other lines on stdout)")
                }
                RecvTimeoutError::Disconnected => {
                    format!("it ended, or wrote too much, before it answered {method}")
                }
            })?;
            let Ok(message) = serde_json::from_slice::<Value>(&line) else {
                skipped = skipped.saturating_add(1);
                continue;
            };
            let id = message.get("id").cloned().unwrap_or_default();
            match message.get("method").and_then(Value::as_str) {
                Some(_) if id.is_null() => {}
                Some("ping") => self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }))?,
                Some(_) => {
                    let error = json!({ "code": -32601, "message": "not supported" });
                    self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))?;
                }
                None if id == self.id => {
                    return match message.get("result") {
                        Some(result) => Ok(result.clone()),
                        None => Err(format!(
                            "{method} failed: {}",
                            message.get("error").unwrap_or(&message)
                        )),
                    };
                }
                None => {}
            }
        }
    }
}
