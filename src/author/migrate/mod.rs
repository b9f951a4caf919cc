//! Makes manifests from lists of tools: those of MCP servers, and of programs for a command line.
//!
//! Each manifest that is returned is one that the library accepts, and each tool of the list is in one of them.

mod names;
mod note;
pub mod program;
mod report;
mod root;
mod schema;
pub mod server;
#[cfg(test)]
#[path = "../../../conformance/unit/author/migrate.rs"]
mod tests;

use mpp::limits::{LINE_BYTES_MAX, MANIFEST_BYTES_MAX, TOOLS_COUNT_MAX};
use mpp::names::is_line;
use mpp::text::is_hidden;
use mpp::{Error, Manifest};
use note::visible;
pub use note::Note;
use serde_json::{json, Map, Value};

/// Longest description, in bytes (LIM-16).
const DESCRIPTION_BYTES_MAX: usize = 8192;
/// Names of properties that suggest files.
const FILE_NAMES: [&str; 10] =
    ["path", "paths", "file", "files", "filename", "filepath", "directory", "dir", "root", "cwd"];
/// Names of properties that suggest requests to the network.
const NETWORK_NAMES: [&str; 6] = ["url", "urls", "uri", "host", "domain", "endpoint"];

/// A tool, with what its author has to check.
#[derive(Debug)]
pub struct MigratedTool {
    /// Name in the manifest.
    pub name: String,
    /// Name in the program.
    pub calls: String,
    pub sensitivity: &'static str,
    /// Why it has this sensitivity.
    pub reason: &'static str,
    /// Kinds of capability that it may need.
    pub hints: Vec<&'static str>,
}

/// The result of a migration.
#[derive(Debug, Default)]
pub struct Migration {
    /// One manifest, or more where one would be too large.
    pub manifests: Vec<Value>,
    pub tools: Vec<MigratedTool>,
    pub notes: Vec<Note>,
    /// Cases for `mpp dev`.
    pub cases: Vec<Value>,
}

/// How the manifests are filled in.
pub struct Settings<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub protocol: &'a str,
}

/// Finds the list of tools in a document: an array, `tools`, or `result.tools`.
pub fn tools_of(document: &Value) -> Option<&Vec<Value>> {
    let listed = document.pointer("/result/tools").or_else(|| document.get("tools"));
    listed.unwrap_or(document).as_array()
}

/// Makes the manifests for a list of tools.
///
/// # Errors
/// The list is empty, or an item is not an object with a `name`.
pub fn migrate(list: &[Value], settings: &Settings) -> Result<Migration, String> {
    let mut original = Vec::new();
    for (index, tool) in list.iter().enumerate() {
        let name = tool.get("name").and_then(Value::as_str);
        original.push(name.ok_or_else(|| format!("/tools/{index}: not an object with a `name`"))?);
    }
    if original.is_empty() {
        return Err("the list has no tools".to_owned());
    }
    let mut migration = Migration::default();
    let mut entries = Vec::new();
    for (tool, name) in list.iter().zip(names::fold(&original)) {
        entries.push(migration.tool(tool, &name, settings));
    }
    let mut packages: Vec<Vec<Value>> = Vec::new();
    let mut bytes = MANIFEST_BYTES_MAX;
    for entry in entries {
        // Printed with the indentation that it gets in the manifest.
        let size = pretty(&json!([[entry]])).len();
        let limit = MANIFEST_BYTES_MAX.saturating_sub(4096);
        let is_full = packages.last().is_none_or(|tools| tools.len() >= TOOLS_COUNT_MAX);
        if is_full || bytes.saturating_add(size) > limit {
            packages.push(Vec::new());
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        if let Some(tools) = packages.last_mut() {
            tools.push(entry);
        }
    }
    let numbered = packages.into_iter().enumerate();
    migration.manifests =
        numbered.map(|(index, tools)| manifest(settings, index, Value::Array(tools))).collect();
    Ok(migration)
}

impl Migration {
    fn note(&mut self, tool: &str, pointer: &str, keyword: &str, action: impl Into<String>) {
        let (tool, pointer, keyword) = (tool.to_owned(), pointer.to_owned(), keyword.to_owned());
        self.notes.push(Note { tool, pointer, keyword, action: action.into() });
    }

    /// Makes the entry of one tool in the manifest.
    fn tool(&mut self, tool: &Value, name: &str, settings: &Settings) -> Value {
        let own_name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        let none = json!({});
        let input = ["inputSchema", "input_schema", "parameters"];
        let input = input.iter().find_map(|member| tool.get(member)).unwrap_or(&none);
        let mut parameters = schema::convert(input, "/inputSchema", own_name, &mut self.notes);
        root::flatten(&mut parameters, own_name, &mut self.notes);
        let (sensitivity, reason) = sensitivity(tool);
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(name));
        if own_name != name {
            let calls = clean_line(own_name);
            let action = match calls == own_name {
                true => format!("listed as {name}"),
                false => format!("listed as {name}; a manifest cannot hold its own name: rename it in the program"),
            };
            self.note(own_name, "/name", "name", action);
            entry.insert("calls".to_owned(), json!(calls));
        }
        entry.insert("description".to_owned(), json!(self.description(tool, own_name)));
        entry.insert("parameters".to_owned(), parameters);
        if let Some(output) = tool.get("outputSchema").filter(|output| !output.is_null()) {
            let mut returns = schema::convert(output, "/outputSchema", own_name, &mut self.notes);
            root::drop_unused_definitions(&mut returns, "/outputSchema", own_name, &mut self.notes);
            entry.insert("returns".to_owned(), returns);
        }
        entry.insert("sensitivity".to_owned(), json!(sensitivity));
        for (member, value) in tool.as_object().into_iter().flatten() {
            let read = ["name", "description", "inputSchema", "input_schema", "parameters"];
            let read = read.contains(&member.as_str())
                || ["outputSchema", "annotations", "examples"].contains(&member.as_str());
            let is_title = member == "title" && tool.get("description").is_none();
            if !read && !is_title && !value.is_null() {
                let pointer = schema::child("", member);
                self.note(own_name, &pointer, member, "dropped; a manifest has no such member");
            }
        }
        self.keep_acceptable(&mut entry, own_name, settings);
        self.add_cases(tool, input, name);
        self.tools.push(MigratedTool {
            name: name.to_owned(),
            calls: own_name.to_owned(),
            sensitivity,
            reason,
            hints: hints(tool, input),
        });
        Value::Object(entry)
    }

    fn description(&mut self, tool: &Value, own_name: &str) -> String {
        let given = ["description", "title"].iter().find_map(|member| tool.get(member)?.as_str());
        let text = visible(given.unwrap_or_default());
        if Some(text.as_str()) != given.map(|given| given.replace("\r\n", "\n")).as_deref()
            && given.is_some()
        {
            self.note(own_name, "/description", "description", "hidden characters removed");
        }
        let text = text.trim();
        if text.is_empty() {
            self.note(own_name, "/description", "description", "missing: write one");
            return format!("The tool {}.", clean_line(own_name));
        }
        if text.len() <= DESCRIPTION_BYTES_MAX {
            return text.to_owned();
        }
        self.note(own_name, "/description", "description", "cut to 8,192 bytes");
        cut(text, DESCRIPTION_BYTES_MAX)
    }

    /// Drops what the library refuses in an entry by itself.
    fn keep_acceptable(
        &mut self,
        entry: &mut Map<String, Value>,
        own_name: &str,
        settings: &Settings,
    ) {
        let anything = json!({ "type": "object" });
        let steps =
            [("returns", "/outputSchema", None), ("parameters", "/inputSchema", Some(anything))];
        for (member, pointer, replacement) in steps {
            let refusal = match accepted(settings, entry) {
                Ok(()) => return,
                Err(error) => {
                    error.detail().chars().filter(|c| !is_hidden(*c)).take(200).collect::<String>()
                }
            };
            let was = match replacement {
                Some(replacement) => entry.insert(member.to_owned(), replacement),
                None => entry.remove(member),
            };
            if was.is_some() {
                let action = format!("dropped as a whole; more is accepted ({refusal})");
                self.note(own_name, pointer, member, action);
            }
        }
    }

    /// Makes a case of each example of arguments.
    fn add_cases(&mut self, tool: &Value, input: &Value, name: &str) {
        let examples = tool.get("examples").or_else(|| input.get("examples"));
        let examples = examples.and_then(Value::as_array).into_iter().flatten();
        for example in examples.filter(|example| example.is_object()) {
            let inner = example.get("arguments").or_else(|| example.get("input"));
            let arguments = inner.filter(|inner| inner.is_object()).unwrap_or(example);
            let title = format!("{name}: example {}", self.cases.len().saturating_add(1));
            let params = json!({ "name": name, "arguments": arguments });
            self.cases.push(json!({ "title": title, "params": params, "isError": false }));
        }
    }
}

/// Returns a manifest; the first has the id itself, and others a number after it.
fn manifest(settings: &Settings, index: usize, tools: Value) -> Value {
    let suffix = match index {
        0 => String::new(),
        _ => format!("-{}", index.saturating_add(1)),
    };
    json!({
        "mpp_version": "1.0",
        "id": format!("{}{suffix}", settings.id),
        "version": "0.1.0",
        "name": settings.title,
        "description": format!("The tools of {}.", settings.title),
        "runtime": { "target": "wasm32-wasip1", "protocol": settings.protocol },
        "capabilities": {},
        "tools": tools,
    })
}

fn accepted(settings: &Settings, entry: &Map<String, Value>) -> Result<(), Error> {
    let text = pretty(&manifest(settings, 0, json!([entry])));
    // Space for what the other members of a manifest can add.
    let padded = format!("{text}{}", " ".repeat(4096));
    Manifest::parse(padded.as_bytes()).map(|_| ())
}

/// Prints JSON for people.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// What the annotations of a tool say of its effects. Without them it is what MCP assumes.
fn sensitivity(tool: &Value) -> (&'static str, &'static str) {
    let hint = |name: &str| tool.get("annotations")?.get(name)?.as_bool();
    match (hint("readOnlyHint"), hint("destructiveHint")) {
        (Some(true), _) => ("read", "readOnlyHint"),
        (_, Some(false)) => ("write", "destructiveHint is false"),
        (_, Some(true)) => ("destructive", "destructiveHint"),
        _ => ("destructive", "no hint; MCP assumes the worst"),
    }
}

/// Returns the kinds of capability that a tool may need.
fn hints(tool: &Value, input: &Value) -> Vec<&'static str> {
    let hint = |name: &str| tool.get("annotations")?.get(name)?.as_bool();
    let properties = input.get("properties").and_then(Value::as_object);
    let has = |names: &[&str]| {
        let words = |name: &String| {
            let name = name.to_ascii_lowercase();
            names.iter().any(|one| name == *one || name.ends_with(&format!("_{one}")))
        };
        properties.is_some_and(|properties| properties.keys().any(words))
    };
    let mut found = Vec::new();
    if hint("openWorldHint") == Some(true) || has(&NETWORK_NAMES) {
        found.push("network");
    }
    if has(&FILE_NAMES) {
        found.push("filesystem");
    }
    if hint("readOnlyHint") == Some(false) && found.is_empty() {
        found.push("storage");
    }
    found
}

/// Returns a text as a line of a manifest.
pub fn clean_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let line = cut(text.trim(), LINE_BYTES_MAX);
    match is_line(&line) {
        true => line,
        false => "unnamed".to_owned(),
    }
}

/// Cuts a text between characters.
fn cut(text: &str, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default().trim_end().to_owned()
}
