//! The tool author's side, in one file: a program answers one call of the protocol `json-rpc`
//! (spec/sandbox.md, section 7).
//!
//! ```text
//! mod mpp;
//!
//! #[derive(serde::Deserialize)]
//! struct Arguments {
//!     name: String,
//! }
//!
//! fn greet(arguments: Arguments, _: &mpp::Call) -> Result<String, mpp::Failure> {
//!     Ok(format!("Hello, {}!", arguments.name))
//! }
//!
//! fn tools() -> mpp::Handler {
//!     mpp::tool_handler().tool("greet", greet)
//! }
//!
//! fn main() {
//!     tools().run();
//! }
//!
//! #[test]
//! fn it_greets_by_name() {
//!     let answer = tools().call("greet", mpp::json!({ "name": "Ann" }));
//!     assert_eq!(answer, Ok("Hello, Ann!".into()));
//! }
//! ```
//!
//! The file needs the crates `serde` and `serde_json`, Rust 1.63 and nothing else of this project, so it also
//! works as a copy beside a tool: `mpp new` writes it as `src/mpp.rs`.

// A copy beside a tool has functions that this tool does not use.
#![allow(dead_code)]

use serde::de::DeserializeOwned;
use serde::Serialize;
/// Writes a JSON value, such as `json!({ "words": 3 })`.
pub use serde_json::json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::convert::TryFrom;
use std::error::Error;
use std::fmt::{self, Display};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::rc::Rc;

/// Error codes of JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;

/// Starts the handler of a program: add tools with [`Handler::tool`], then call [`Handler::run`].
pub fn tool_handler() -> Handler {
    let storage = Storage { directory: PathBuf::from("/storage") };
    Handler { tools: BTreeMap::new(), outside: Call { agent: None, http: None, storage } }
}

/// Writes a line to stderr, which the tool's author can see and the agent cannot.
pub fn log(message: impl Display) {
    // A closed stderr does not stop a tool.
    let _ = writeln!(io::stderr(), "{}", message);
}

/// The tools of a program.
pub struct Handler {
    tools: BTreeMap<String, Function>,
    outside: Call,
}

type Function = Box<dyn Fn(Value, &Call) -> Result<Answer, Failure>>;
type Transport = dyn Fn(&HttpRequest) -> Result<HttpResponse, Failure>;

impl Handler {
    /// Adds a tool, or replaces the one of that name. `name` is the tool's `calls` in the manifest or,
    /// without it, its `name` (BOX-70).
    ///
    /// `function` gets the arguments as any type that implements `serde::Deserialize`; arguments that do not
    /// fit it are answered with the JSON-RPC error -32602. A tool without arguments takes a `struct` without
    /// fields. `#[serde(deny_unknown_fields)]` refuses others. It returns a text, a [`Value`], both, or an
    /// [`Answer`]; its error is a text, a [`Failure`] or a `Box<dyn Error>`.
    pub fn tool<T, A, E, F>(mut self, name: &str, function: F) -> Self
    where
        T: DeserializeOwned,
        A: Into<Answer>,
        E: Into<Failure>,
        F: Fn(T, &Call) -> Result<A, E> + 'static,
    {
        let call = move |arguments, call: &Call| {
            let arguments = serde_json::from_value(arguments)
                .map_err(|error| Failure::arguments(error.to_string()))?;
            function(arguments, call).map(Into::into).map_err(Into::into)
        };
        self.tools.insert(name.to_owned(), Box::new(call));
        self
    }

    /// Sends HTTP requests to a function instead of the host, in tests.
    pub fn with_http<F>(mut self, transport: F) -> Self
    where
        F: Fn(&HttpRequest) -> Result<HttpResponse, Failure> + 'static,
    {
        self.outside.http = Some(Rc::new(transport));
        self
    }

    /// Stores values in a directory instead of `/storage`, in tests. It must exist.
    pub fn with_storage(mut self, directory: impl Into<PathBuf>) -> Self {
        self.outside.storage.directory = directory.into();
        self
    }

    /// Answers the request on stdin with one line on stdout: the whole work of `main`.
    pub fn run(self) {
        let mut request = Vec::new();
        let response = match io::stdin().read_to_end(&mut request) {
            Ok(_) => self.answer(&request),
            Err(_) => error(&Value::Null, INTERNAL_ERROR, "stdin cannot be read"),
        };
        // If stdout is closed, there is nowhere to report it.
        let _ = io::stdout().write_all(format!("{}\n", response).as_bytes());
    }

    /// Calls a tool as a test does, with `arguments` as a JSON object. The agent is not known.
    ///
    /// # Errors
    /// [`Failure::Arguments`] for an unknown tool and for arguments that do not fit; otherwise the tool's own failure.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<Answer, Failure> {
        self.call_for(None, tool, arguments)
    }

    /// Returns the response to the bytes of a request, without a line feed. It is a JSON-RPC response to any
    /// bytes: -32700 if they are not JSON, -32600 if not a request with an `id`, -32601 for a method other
    /// than `tools/call`, -32602 for an unknown tool and for arguments that do not fit.
    // BOX-70, BOX-72.
    pub fn answer(&self, request: &[u8]) -> String {
        let mut request = match serde_json::from_slice(request) {
            Ok(Value::Object(request)) => request,
            Ok(_) => return error(&Value::Null, INVALID_REQUEST, "the request is not an object"),
            Err(_) => return error(&Value::Null, PARSE_ERROR, "the request is not JSON"),
        };
        let id = match request.remove("id") {
            Some(Value::Object(_)) | Some(Value::Array(_)) | Some(Value::Bool(_)) | None => {
                return error(&Value::Null, INVALID_REQUEST, "the request has no id");
            }
            Some(id) => id,
        };
        if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return error(&id, INVALID_REQUEST, "not a request of JSON-RPC 2.0");
        }
        if request.get("method").and_then(Value::as_str) != Some("tools/call") {
            return error(&id, METHOD_NOT_FOUND, "the only method is tools/call");
        }
        let mut params = match request.remove("params") {
            Some(Value::Object(params)) => params,
            _ => return error(&id, INVALID_PARAMS, "params is not an object"),
        };
        let agent = Agent::of(&params);
        let arguments = params.remove("arguments").unwrap_or(Value::Null);
        let result = match params.get("name").and_then(Value::as_str) {
            Some(tool) => self.call_for(agent, tool, arguments),
            None => return error(&id, INVALID_PARAMS, "name is not a string"),
        };
        let result = match result {
            Ok(answer) => answer.into_result(),
            Err(Failure::Arguments(message)) => return error(&id, INVALID_PARAMS, &message),
            Err(failure) => {
                json!({ "content": [text_block(failure.to_string())], "isError": true })
            }
        };
        json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
    }

    fn call_for(
        &self,
        agent: Option<Agent>,
        tool: &str,
        arguments: Value,
    ) -> Result<Answer, Failure> {
        let function = self.tools.get(tool).ok_or_else(|| {
            let names: Vec<&str> = self.tools.keys().map(String::as_str).collect();
            Failure::arguments(format!("there is no such tool; expected {}", names.join(", ")))
        })?;
        let arguments = match arguments {
            Value::Object(_) => arguments,
            Value::Null => Value::Object(Map::new()),
            _ => return Err(Failure::arguments("arguments is not an object")),
        };
        function(arguments, &Call { agent, ..self.outside.clone() })
    }
}

fn error(id: &Value, code: i32, message: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }).to_string()
}

fn text_block(text: String) -> Value {
    json!({ "type": "text", "text": text })
}

/// What a tool answers. Strings, JSON values, and pairs of both turn into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What a person or a model reads.
    pub text: String,
    /// What a program reads. An object is sent as `structuredContent` (BOX-73); any other value is not sent.
    pub structure: Value,
}

impl Answer {
    /// Makes an answer of a value that derives `serde::Serialize`. Its text is the same as JSON.
    ///
    /// # Errors
    /// [`Failure::Tool`] if JSON cannot express it.
    pub fn structure(value: &impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(value);
        value.map(Answer::from).map_err(|error| Failure::new(error.to_string()))
    }

    // BOX-73.
    fn into_result(self) -> Value {
        let mut result = json!({ "content": [text_block(self.text)], "isError": false });
        if let (Value::Object(result), Value::Object(_)) = (&mut result, &self.structure) {
            result.insert("structuredContent".to_owned(), self.structure);
        }
        result
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Answer { text, structure: Value::Null }
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A string is the text itself, any other value is its JSON (as BOX-74).
impl From<Value> for Answer {
    fn from(structure: Value) -> Self {
        match structure {
            Value::String(text) => text.into(),
            structure => Answer { text: structure.to_string(), structure },
        }
    }
}

impl From<(String, Value)> for Answer {
    fn from((text, structure): (String, Value)) -> Self {
        Answer { text, structure }
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The arguments do not fit the tool: the JSON-RPC error -32602 with this message.
    Arguments(String),
    /// The tool cannot do it: a result with `isError`, whose text is `code: message`, or the message if
    /// `code` is empty.
    Tool {
        /// For programs, such as `http.timeout`, or empty.
        code: String,
        /// For people and models.
        message: String,
    },
}

impl Failure {
    /// The tool cannot do it.
    pub fn new(message: impl Into<String>) -> Self {
        Failure::with_code("", message)
    }

    /// The tool cannot do it, with a code that stays the same for the same cause.
    pub fn with_code(code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure::Tool { code: code.into(), message: message.into() }
    }

    /// The arguments do not fit in a way that their types do not show.
    pub fn arguments(message: impl Into<String>) -> Self {
        Failure::Arguments(message.into())
    }

    /// The code, or an empty string.
    pub fn code(&self) -> &str {
        match self {
            Failure::Arguments(_) => "",
            Failure::Tool { code, .. } => code,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Tool { code, message } if !code.is_empty() => {
                write!(out, "{}: {}", code, message)
            }
            Failure::Arguments(message) | Failure::Tool { message, .. } => out.write_str(message),
        }
    }
}

impl Error for Failure {}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure::new(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Failure::new(message)
    }
}

/// A [`Failure`] inside stays what it is.
impl From<Box<dyn Error>> for Failure {
    fn from(error: Box<dyn Error>) -> Self {
        match error.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(error) => Failure::new(error.to_string()),
        }
    }
}

/// The agent by its own account, which proves nothing (BOX-96).
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// The name of its program.
    pub name: String,
    /// The version of its program.
    pub version: Option<String>,
}

impl Agent {
    // BOX-96.
    fn of(params: &Map<String, Value>) -> Option<Self> {
        let info = params.get("_meta")?.get("io.modelcontextprotocol/clientInfo")?;
        let text = |name: &str| info.get(name)?.as_str().map(str::to_owned);
        Some(Agent { name: text("name")?, version: text("version") })
    }
}

/// What a call reaches besides its arguments.
#[derive(Clone)]
pub struct Call {
    agent: Option<Agent>,
    http: Option<Rc<Transport>>,
    storage: Storage,
}

impl Call {
    /// The agent, if it gave its name.
    pub fn agent(&self) -> Option<&Agent> {
        self.agent.as_ref()
    }

    /// Sends an HTTP request. The manifest lists the host in `capabilities.network`. A response of any status
    /// is `Ok`.
    ///
    /// # Errors
    /// [`Failure::Tool`] with a code of spec/network.md, such as `http.undeclared`; `service.none` in a native program
    /// without [`Handler::with_http`]; `service.reply` if the host's reply is not understood.
    // Only this function names the host calls: a module that does not use it must not import them (DOOR-02).
    // DOOR-05, DOOR-31, DOOR-52.
    pub fn http(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        match &self.http {
            Some(transport) => transport(request),
            None => {
                let reply =
                    exchange(request.to_json().to_string().as_bytes()).ok_or_else(|| {
                        Failure::with_code(
                            "service.none",
                            "this program has no host that sends requests",
                        )
                    })?;
                HttpResponse::from_reply(&reply)
            }
        }
    }

    /// The values that outlive the call. The manifest has `capabilities.storage`.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }
}

/// A request of the `http` service (DOOR-31), whose rules the host applies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    pub method: String,
    /// Starts with `https://` and the name of a host.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Any bytes; an empty body is not sent.
    pub body: Vec<u8>,
    /// How many redirects to follow, 0 for none. `None`: the host's maximum.
    pub redirects: Option<u32>,
    /// When to give up, in milliseconds. `None`: when the call ends.
    pub timeout_ms: Option<u32>,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        HttpRequest { method: method.into(), url: url.into(), ..HttpRequest::default() }
    }

    /// Reads what is at an address.
    pub fn get(url: impl Into<String>) -> Self {
        HttpRequest::new("GET", url)
    }

    /// Sends a body to an address.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        HttpRequest { body: body.into(), ..HttpRequest::new("POST", url) }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The request as the host reads it.
    pub fn to_json(&self) -> Value {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
        put("service", "http".into());
        put("method", self.method.as_str().into());
        put("url", self.url.as_str().into());
        put("headers", json!(self.headers));
        match std::str::from_utf8(&self.body) {
            Ok("") => None,
            Ok(text) => put("body", text.into()),
            Err(_) => put("body_base64", to_base64(&self.body).into()),
        };
        self.redirects.and_then(|count| put("redirects", count.into()));
        self.timeout_ms.and_then(|timeout_ms| put("timeout_ms", timeout_ms.into()));
        Value::Object(request)
    }
}

/// A response of the `http` service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpResponse {
    /// 200 for success.
    pub status: u16,
    /// The address after all redirects.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Any bytes.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A response without headers, for [`Handler::with_http`].
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        HttpResponse { status, body: body.into(), ..HttpResponse::default() }
    }

    /// The first header of a name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Failure::Tool`] with the code `http.body` if it is not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body)
            .map_err(|error| Failure::with_code("http.body", error.to_string()))
    }

    /// The body as a value that derives `serde::Deserialize`.
    ///
    /// # Errors
    /// [`Failure::Tool`] with the code `http.body` if it is not JSON, or does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::with_code("http.body", error.to_string()))
    }

    /// Reads the host's reply, also a recorded one.
    ///
    /// # Errors
    /// As [`Call::http`].
    // DOOR-05.
    pub fn from_reply(reply: &[u8]) -> Result<Self, Failure> {
        let mut reply: Value = serde_json::from_slice(reply).unwrap_or_default();
        if let Some(error) = reply.get("error") {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            return Err(Failure::with_code(text("code"), text("message")));
        }
        let ok = reply.get_mut("ok").map(Value::take).unwrap_or_default();
        HttpResponse::of(ok).ok_or_else(|| {
            Failure::with_code("service.reply", "the host's reply is not understood")
        })
    }

    // DOOR-51, DOOR-52.
    fn of(mut ok: Value) -> Option<Self> {
        let (headers, status) = (ok.get("headers")?.clone(), ok.get("status")?.as_u64()?);
        let mut text = |name: &str| match ok.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let body = match text("body") {
            Some(body) => body.into_bytes(),
            None => from_base64(&text("body_base64")?)?,
        };
        Some(HttpResponse {
            status: u16::try_from(status).ok()?,
            url: text("url")?,
            headers: serde_json::from_value(headers).ok()?,
            body,
        })
    }
}

/// Passes a request to the host and returns its reply.
// DOOR-01, DOOR-03, DOOR-09.
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
fn exchange(request: &[u8]) -> Option<Vec<u8>> {
    #[link(wasm_import_module = "mpp_v1")]
    extern "C" {
        #[link_name = "request"]
        fn mpp_request(pointer: *const u8, length: usize) -> i32;
        #[link_name = "response"]
        fn mpp_response(pointer: *mut u8, length: usize) -> i32;
    }
    // SAFETY: the host reads and writes only the bytes between pointer and length, which are those of a slice
    // that nothing else uses during the call.
    let length = usize::try_from(unsafe { mpp_request(request.as_ptr(), request.len()) }).ok()?;
    let mut reply = vec![0; length];
    let written = unsafe { mpp_response(reply.as_mut_ptr(), reply.len()) };
    (usize::try_from(written).ok()? == length).then(|| reply)
}

/// A native program has no host.
#[cfg(not(target_arch = "wasm32"))]
fn exchange(_: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Values by key that outlive the call, each in a file of `/storage` (spec/storage.md). The host keeps what a
/// call changed if the call does not fail.
#[derive(Clone, Debug)]
pub struct Storage {
    directory: PathBuf,
}

/// The file that becomes a value. No key has this name, since `ne` is not hexadecimal.
const UNFINISHED: &str = "%new";
/// The most bytes of a file name (LIM-05), and so of a key whose characters are letters, digits, `-`, `_` and
/// `.`.
const NAME_BYTES_MAX: usize = 255;

impl Storage {
    /// Returns the value of a key, if there is one.
    ///
    /// # Errors
    /// [`Failure::Tool`]: `storage.none` without storage; `storage.key` if the key is too long; `storage.failed` with
    /// the system's message otherwise.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let value = fs::read(self.path(key)?);
        value.map(Some).or_else(|error| self.absent_or(None, error))
    }

    /// Returns the value of a key as text, if there is one.
    ///
    /// # Errors
    /// As [`Storage::get`]; `storage.failed` too if the value is not UTF-8.
    pub fn get_text(&self, key: &str) -> Result<Option<String>, Failure> {
        let text = self.get(key)?.map(String::from_utf8).transpose();
        text.map_err(|error| Failure::with_code("storage.failed", error.to_string()))
    }

    /// Sets the value of a key. If that fails, the earlier value stays. The old and the new value both count
    /// against the quota until it has succeeded.
    ///
    /// # Errors
    /// As [`Storage::get`]; `storage.failed` too if the quota is used up (STO-20).
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), Failure> {
        let (path, unfinished) = (self.path(key)?, self.directory.join(UNFINISHED));
        let done = fs::write(&unfinished, value).and_then(|()| fs::rename(&unfinished, path));
        done.map_err(|error| {
            // The failure to write is what the caller has to know.
            let _ = fs::remove_file(&unfinished);
            self.failure(error)
        })
    }

    /// Removes a key and returns `true` if it had a value.
    ///
    /// # Errors
    /// As [`Storage::get`].
    pub fn remove(&self, key: &str) -> Result<bool, Failure> {
        let removed = fs::remove_file(self.path(key)?);
        removed.map(|()| true).or_else(|error| self.absent_or(false, error))
    }

    /// Returns all keys in ascending order. Files that [`Storage::set`] did not make are left out.
    ///
    /// # Errors
    /// As [`Storage::get`].
    pub fn list(&self) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(|error| self.failure(error))? {
            let entry = entry.map_err(|error| self.failure(error))?;
            let is_file = entry.file_type().map_err(|error| self.failure(error))?.is_file();
            let name = entry.file_name();
            keys.extend(name.to_str().filter(|_| is_file).and_then(key_of));
        }
        keys.sort();
        Ok(keys)
    }

    fn path(&self, key: &str) -> Result<PathBuf, Failure> {
        let name = file_name(key);
        if name.len() > NAME_BYTES_MAX {
            return Err(Failure::with_code("storage.key", "the key is too long"));
        }
        Ok(self.directory.join(name))
    }

    fn absent_or<T>(&self, absent: T, error: io::Error) -> Result<T, Failure> {
        match error.kind() {
            ErrorKind::NotFound if self.directory.is_dir() => Ok(absent),
            _ => Err(self.failure(error)),
        }
    }

    fn failure(&self, error: io::Error) -> Failure {
        if self.directory.is_dir() {
            return Failure::with_code("storage.failed", error.to_string());
        }
        let message =
            "no storage here: the manifest needs `capabilities.storage`, a test `with_storage`";
        Failure::with_code("storage.none", message)
    }
}

/// The name of a key's file: letters, digits, `-`, `_` and `.`, except `.` in front, are themselves, other
/// bytes `%` and two hexadecimal digits. The empty key is `%`. So no key leaves the directory, and no two
/// share a file.
fn file_name(key: &str) -> String {
    let mut name = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => name.push_str(&format!("%{:02X}", byte)),
        }
    }
    if name.is_empty() {
        "%".to_owned()
    } else {
        name
    }
}

/// The key of a file name, if [`file_name`] makes that name.
fn key_of(name: &str) -> Option<String> {
    let mut key = Vec::new();
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' if name.len() > 1 => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                key.push(u8::try_from(high << 4 | low).ok()?);
            }
            b'%' => {}
            _ => key.push(byte),
        }
    }
    String::from_utf8(key).ok().filter(|key| file_name(key) == name)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648, section 4) with padding.
fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or_default();
        let (a, b, c) = (byte(0), byte(1), byte(2));
        let digits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (at, digit) in digits.iter().enumerate() {
            let digit = BASE64.get(usize::from(*digit)).filter(|_| at <= group.len());
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0u32;
        for at in 0..4 {
            let digit = match group.get(at) {
                Some(byte) => BASE64.iter().position(|known| known == byte)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(digit).ok()?;
        }
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(group.len().saturating_sub(1)));
    }
    Some(bytes)
}
