//! A server over lines: what it writes for what a client sends.

use super::call::policy;
use super::home::Home;
use super::store::install;
use super::{join, Case};
use mpp::mcp::Server;
use mpp::runtime::Runtime;
use mpp::Error;
use serde_json::{json, Map, Value};
use std::io::{self, BufReader, Read, Write};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::Duration;

/// No case takes this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The texts before the code of a call that did not succeed.
const LABELS: [&str; 5] = [
    "INVALID REQUEST: [",
    "DENIED by MPP policy: [",
    "FAILED: [",
    "FAILED on the host: [",
    "BUSY: [",
];
/// What some readers take for the end of a line.
const SEPARATORS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// What the client sends: one text after another, until there is none.
struct Input {
    texts: Receiver<Vec<u8>>,
    left: Vec<u8>,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = self.texts.recv().unwrap_or_default();
        }
        let count = self.left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

/// What the server writes. Each message is one write.
struct Output(Sender<String>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8(bytes.to_vec()).map_err(io::Error::other)?;
        self.0.send(text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn mcp(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    install(case, &home, "installed_under")?;
    home.write("trust.json", case.file("trust"));
    let runtime = Runtime::open(&home.0, policy(case)?)?;
    let (input, texts) = channel();
    let (output, written) = channel();
    let server = Server::new(&runtime, |_| {});
    let mut messages = std::thread::scope(|scope| {
        let stream = BufReader::new(Input { texts, left: Vec::new() });
        let server = scope.spawn(move || server.serve(stream, Output(output)));
        let messages = converse(case, input, &written);
        server.join().expect("a server that ends").map(|()| messages)
    })?;
    let unescaped = messages.iter().flat_map(|text| text.chars());
    let unescaped = unescaped.filter(|c| SEPARATORS.contains(c)).count();
    messages.retain(|text| !text.trim().is_empty());
    let read = |text: &String| serde_json::from_str::<Value>(text).expect("a message");
    let mut messages: Vec<Value> = messages.iter().map(read).collect();
    messages.sort_by_key(|message| message["id"].to_string());
    let messages: Vec<Value> = messages.iter().map(|message| shown(case, message)).collect();
    Ok(json!({ "messages": messages, "unescaped_separators": unescaped }))
}

/// Sends the lines, and each reply after the message that it is for. Returns all that the server writes until it ends.
fn converse(case: &Case<'_>, input: Sender<Vec<u8>>, written: &Receiver<String>) -> Vec<String> {
    let list = |member: &str| case.input.get(member).and_then(Value::as_array);
    let lines = list("lines").expect("a list");
    let is_ended = case.input.get("last_line_feed") != Some(&json!(false));
    for (place, line) in lines.iter().enumerate() {
        let mut bytes = match line {
            Value::String(text) => text.clone().into_bytes(),
            Value::Array(parts) => join(parts),
            message => message.to_string().into_bytes(),
        };
        if is_ended || place + 1 < lines.len() {
            bytes.push(b'\n');
        }
        let _ = input.send(bytes);
    }
    let mut messages = Vec::new();
    let mut states = Vec::new();
    let next = |messages: &mut Vec<String>| loop {
        let text = written.recv_timeout(PATIENCE).expect("a message");
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        messages.push(text);
        if message.get("id").is_some_and(|id| id != "start") {
            return message;
        }
    };
    for (place, reply) in list("replies").into_iter().flatten().enumerate() {
        let message = next(&mut messages);
        states.extend(message.pointer("/result/requestState").cloned());
        let answer = match message.get("method") {
            Some(_) => json!({ "jsonrpc": "2.0", "id": message["id"], "result": reply["result"] }),
            None => repeated(lines.last().expect("a call"), place, reply, &states),
        };
        let _ = input.send(format!("{answer}\n").into_bytes());
    }
    if list("replies").is_some() {
        next(&mut messages);
    }
    drop(input);
    messages.extend(written.iter());
    messages
}

/// The last call again, with what the server asked for.
fn repeated(call: &Value, place: usize, reply: &Value, states: &[Value]) -> Value {
    let mut call = call.clone();
    call["id"] = json!(format!("again-{}", place + 1));
    let params = &mut call["params"];
    for (name, value) in reply["params"].as_object().into_iter().flatten() {
        params[name.as_str()] = value.clone();
    }
    let state = match reply["state"].as_str() {
        Some("absent") => None,
        Some("first") => states.first().cloned(),
        Some("changed") => states.last().and_then(Value::as_str).map(|text| changed(text).into()),
        _ => states.last().cloned(),
    };
    if let Some(state) = state {
        params["requestState"] = state;
    }
    if let Some(result) = reply.get("result") {
        params["inputResponses"] = json!({ "consent": result });
    }
    call
}

/// The text with another last character.
fn changed(text: &str) -> String {
    let last = if text.ends_with('A') { 'B' } else { 'A' };
    let mut text = text.to_owned();
    text.pop();
    text.push(last);
    text
}

/// The values at the pointers that the case names; a pointer to nothing is left out.
fn shown(case: &Case<'_>, message: &Value) -> Value {
    let mut found = Map::new();
    for pointer in case.input["show"].as_array().expect("a list") {
        let pointer = pointer.as_str().expect("a text");
        if let Some(value) = message.pointer(pointer) {
            let is_failure = message.pointer("/result/isError") == Some(&json!(true));
            let code_of = |text: &str| text.split_inclusive(']').next().map(Value::from);
            let code = value
                .as_str()
                .filter(|text| is_failure && LABELS.iter().any(|label| text.starts_with(label)));
            let value = code.and_then(code_of).unwrap_or_else(|| value.clone());
            found.insert(pointer.to_owned(), value);
        }
    }
    Value::Object(found)
}
