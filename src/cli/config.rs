//! `mpp serve --print-config`: the configuration with which each MCP client starts this server.
//!
//! Names and places are from the documentation of the clients. Most use the same JSON entry under different
//! names.

use super::{usage_error, CommandOutput};
use mpp::{home, text, Error};
use serde_json::{json, Map, Value};
use std::path::{absolute, Path};

enum Format {
    /// JSON with the servers in the member of this name.
    Json(&'static str),
    /// TOML with the servers in tables below this name.
    Toml(&'static str),
}
use Format::{Json, Toml};

/// The name of a client, the format of its configuration, and its file.
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

/// Returns the configuration for `client`, with this program and these options of `serve`. Paths become
/// absolute, since a client starts its servers in any directory.
pub fn report(client: &str, options: &[(&str, Option<&Path>)]) -> Result<CommandOutput, Error> {
    let Some((_, format, place)) = CLIENTS.iter().find(|(name, ..)| *name == client) else {
        let known: Vec<&str> = CLIENTS.iter().map(|(name, ..)| *name).collect();
        let known = known.join(", ");
        return Err(usage_error(format!("--print-config {client:?}: expected one of {known}")));
    };
    let program = std::env::current_exe()
        .map_err(|error| usage_error(format!("path of this program: {error}")))?;
    let program = absolute_text(&program)?;
    let mut arguments = vec!["serve".to_owned()];
    for (option, path) in options {
        if let Some(path) = path {
            arguments.extend([(*option).to_owned(), absolute_text(path)?]);
        }
    }
    // The server ignores an empty MPP_HOME too.
    let home = std::env::var_os("MPP_HOME").filter(|home| !home.is_empty());
    let home = home.map(|_| absolute_text(&home::home_dir()?)).transpose()?;

    let words = arguments.iter().chain(&home).chain([&program]);
    if words.into_iter().any(|word| word.contains('$')) {
        super::warn("warning: many clients expand a `$` in a path as a variable");
    }
    super::warn(&format!("note: add this to {place}"));
    let configuration = match format {
        Json(member) => json_of(client, member, &program, &arguments, home),
        Toml(table) => toml_of(table, &program, &arguments, home),
    };
    // The JSON is not printed: `serve` has no `--json`. It is not null, so that the text is printed.
    Ok(CommandOutput::new(configuration, json!({ "client": client })))
}

fn absolute_text(path: &Path) -> Result<String, Error> {
    let whole =
        absolute(path).map_err(|error| usage_error(format!("{}: {error}", path.display())))?;
    let text = whole.to_str().map(str::to_owned);
    text.ok_or_else(|| usage_error(format!("{}: the path is not UTF-8", path.display())))
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
    // A JSON string is a basic string of TOML once hidden characters are escaped: TOML has no surrogate
    // escapes and allows no unescaped DEL.
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

/// Escapes each hidden character. JSON has escaped the line feeds of strings; those left are its layout.
fn visible(text: &str, escape: impl Fn(char) -> String) -> String {
    let shown = text.chars().map(|character| match text::is_hidden(character) {
        true if character != '\n' => escape(character),
        _ => character.to_string(),
    });
    shown.collect()
}
