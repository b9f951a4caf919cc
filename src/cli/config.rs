//! Room: `mpp serve --print-config`: what each agent program wants to be told to start this server.
//!
//! The facts are from the documentation of the programs. Most of them take the same entry, in JSON,
//! under a name of their own.

use super::{usage_error, CommandOutput};
use mpp::{text, Error};
use serde_json::{json, Map, Value};
use std::path::{absolute, Path};

enum Format {
    /// JSON, whose member of this name holds the servers by name.
    Json(&'static str),
    /// TOML, whose tables below this name are the servers.
    Toml(&'static str),
}
use Format::{Json, Toml};

/// Client, the form of its configuration, and where that belongs.
const CLIENTS: &[(&str, Format, &str)] = &[
    ("claude", Json("mcpServers"), "claude_desktop_config.json (Settings, Developer, Edit Config)"),
    ("claude-code", Json("mcpServers"), ".mcp.json in the project, or ~/.claude.json"),
    ("cline", Json("mcpServers"), "cline_mcp_settings.json (MCP Servers, Configure)"),
    ("codex", Toml("mcp_servers"), "~/.codex/config.toml"),
    ("cursor", Json("mcpServers"), ".cursor/mcp.json in the project, or ~/.cursor/mcp.json"),
    ("gemini", Json("mcpServers"), ".gemini/settings.json in the project, or in ~"),
    ("vscode", Json("servers"), ".vscode/mcp.json in the workspace"),
    ("windsurf", Json("mcpServers"), "~/.codeium/windsurf/mcp_config.json"),
    ("zed", Json("context_servers"), "~/.config/zed/settings.json"),
];

/// The configuration for `client`, with this program and these options of `serve`. Paths become
/// absolute: a client starts its servers wherever it likes.
pub fn report(client: &str, options: &[(&str, Option<&Path>)]) -> Result<CommandOutput, Error> {
    let Some((_, format, place)) = CLIENTS.iter().find(|(name, ..)| *name == client) else {
        let known: Vec<&str> = CLIENTS.iter().map(|(name, ..)| *name).collect();
        let known = known.join(", ");
        return Err(usage_error(format!("--print-config {client:?} is none of {known}")));
    };
    let program = std::env::current_exe()
        .map_err(|error| usage_error(format!("this program's own path: {error}")))?;
    let program = absolute_text(&program)?;
    let mut arguments = vec!["serve".to_owned()];
    for (option, path) in options {
        if let Some(path) = path {
            arguments.extend([(*option).to_owned(), absolute_text(path)?]);
        }
    }
    // As for the server itself, an empty variable is one that was not set.
    let home = std::env::var_os("MPP_HOME").filter(|home| !home.is_empty());
    let home = home.map(|home| absolute_text(Path::new(&home))).transpose()?;

    let words = arguments.iter().chain(&home).chain([&program]);
    if words.into_iter().any(|word| word.contains('$')) {
        super::warn("mpp: many clients take a `$` in a path for the beginning of a variable");
    }
    super::warn(&format!("mpp: for {client}: {place}"));
    let configuration = match format {
        Json(member) => json_of(client, member, &program, &arguments, home),
        Toml(table) => toml_of(table, &program, &arguments, home),
    };
    // What is printed is a text; the value says that there is something to print.
    Ok(CommandOutput::new(configuration, json!({ "client": client })))
}

fn absolute_text(path: &Path) -> Result<String, Error> {
    let whole = absolute(path)
        .map_err(|error| usage_error(format!("the path {}: {error}", path.display())))?;
    let text = whole.to_str().map(str::to_owned);
    text.ok_or_else(|| usage_error(format!("the path {} is not UTF-8", path.display())))
}

fn json_of(
    client: &str,
    member: &str,
    program: &str,
    arguments: &[String],
    home: Option<String>,
) -> String {
    let mut entry = Map::new();
    if client == "vscode" {
        entry.insert("type".into(), "stdio".into());
    }
    entry.insert("command".into(), program.into());
    entry.insert("args".into(), arguments.into());
    if let Some(home) = home {
        entry.insert("env".into(), json!({ "MPP_HOME": home }));
    }
    let whole: Value = json!({ member: { "mpp": entry } });
    let escape = |unit: char| {
        let mut units = [0; 2];
        unit.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    format!("{}\n", visible(&format!("{whole:#}"), escape))
}

fn toml_of(table: &str, program: &str, arguments: &[String], home: Option<String>) -> String {
    // A JSON string is a basic string of TOML, once what a terminal would obey is escaped: TOML has no
    // escapes for halves of a character, and takes no DEL as it is.
    let quoted = |text: &str| {
        visible(&Value::from(text).to_string(), |hidden| format!("\\U{:08x}", u32::from(hidden)))
    };
    let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
    let (command, arguments) = (quoted(program), arguments.join(", "));
    let mut lines = format!("[{table}.mpp]\ncommand = {command}\nargs = [{arguments}]\n");
    if let Some(home) = home {
        lines.push_str(&format!("env = {{ MPP_HOME = {} }}\n", quoted(&home)));
    }
    lines
}

/// The text with `escape` in place of each hidden character. JSON has escaped the line feeds of
/// strings; those that are left lay it out.
fn visible(text: &str, escape: impl Fn(char) -> String) -> String {
    let shown = text.chars().map(|character| match text::is_hidden(character) {
        true if character != '\n' => escape(character),
        _ => character.to_string(),
    });
    shown.collect()
}
