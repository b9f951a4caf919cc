//! The programs that start an MCP server: the format and the file of their configuration, and the entry for this
//! server in it.
//!
//! Names and places are from the documentation of the programs. Most use the same JSON entry under different
//! names.

use mpp::text;
use serde_json::{json, Map, Value};

/// The format of a configuration.
pub enum Format {
    /// JSON with the servers in the member of this name.
    Json(&'static str),
    /// TOML with the servers in tables below this name.
    Toml(&'static str),
    /// YAML with the servers in the mapping of this name.
    Yaml(&'static str),
}
use Format::{Json, Toml, Yaml};

/// The name of a client, the format of its configuration, what a person does with it, and the file that `--write`
/// changes: in the home directory after `~/`, else in the current directory; none if its place varies.
pub type Client = (&'static str, Format, &'static str, &'static str);
/// Every program that is known.
pub const CLIENTS: &[Client] = &[
    (
        "claude",
        Json("mcpServers"),
        "claude_desktop_config.json (Settings, Developer, Edit Config)",
        match () {
            () if cfg!(target_os = "macos") => {
                "~/Library/Application Support/Claude/claude_desktop_config.json"
            }
            () if cfg!(windows) => "~/AppData/Roaming/Claude/claude_desktop_config.json",
            () => "~/.config/Claude/claude_desktop_config.json",
        },
    ),
    ("claude-code", Json("mcpServers"), ".mcp.json in the project, or ~/.claude.json", ".mcp.json"),
    ("cline", Json("mcpServers"), "cline_mcp_settings.json (MCP Servers, Configure)", ""),
    ("codex", Toml("mcp_servers"), "~/.codex/config.toml", "~/.codex/config.toml"),
    (
        "cursor",
        Json("mcpServers"),
        ".cursor/mcp.json in the project, or ~/.cursor/mcp.json",
        "~/.cursor/mcp.json",
    ),
    (
        "gemini",
        Json("mcpServers"),
        ".gemini/settings.json in the project, or in ~",
        "~/.gemini/settings.json",
    ),
    (
        "goose",
        Yaml("extensions"),
        "~/.config/goose/config.yaml",
        match () {
            () if cfg!(windows) => "~/AppData/Roaming/Block/goose/config/config.yaml",
            () => "~/.config/goose/config.yaml",
        },
    ),
    (
        "jetbrains",
        Json("mcpServers"),
        "Settings, Tools, AI Assistant, Model Context Protocol; for Junie .junie/mcp/mcp.json in the project",
        ".junie/mcp/mcp.json",
    ),
    ("lm-studio", Json("mcpServers"), "mcp.json (Program, Install, Edit mcp.json)", "~/.lmstudio/mcp.json"),
    (
        "opencode",
        Json("mcp"),
        "opencode.json in the project, or ~/.config/opencode/opencode.json",
        "~/.config/opencode/opencode.json",
    ),
    ("vscode", Json("servers"), ".vscode/mcp.json in the workspace", ".vscode/mcp.json"),
    (
        "windsurf",
        Json("mcpServers"),
        "~/.codeium/windsurf/mcp_config.json",
        "~/.codeium/windsurf/mcp_config.json",
    ),
    ("zed", Json("context_servers"), "~/.config/zed/settings.json", "~/.config/zed/settings.json"),
];

/// What starts this server.
pub struct Start {
    pub program: String,
    pub arguments: Vec<String>,
    /// `MPP_HOME`, if it is set here.
    pub home: Option<String>,
}

pub fn json_of(client: &str, Start { program, arguments, home }: &Start) -> Value {
    let mut entry = Map::new();
    if client == "opencode" {
        let words: Vec<&String> = [program].into_iter().chain(arguments).collect();
        entry.insert("type".into(), "local".into());
        entry.insert("command".into(), json!(words));
        if let Some(home) = home {
            entry.insert("environment".into(), json!({ "MPP_HOME": home }));
        }
        return Value::Object(entry);
    }
    if client == "vscode" {
        entry.insert("type".into(), "stdio".into());
    }
    entry.insert("command".into(), json!(program));
    entry.insert("args".into(), json!(arguments));
    if let Some(home) = home {
        entry.insert("env".into(), json!({ "MPP_HOME": home }));
    }
    Value::Object(entry)
}

pub fn visible_json(text: &str) -> String {
    visible(text, |unit| {
        let mut units = [0; 2];
        unit.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// Formats a string of TOML or YAML. A JSON string is one once hidden characters are escaped: neither has
/// surrogate escapes, and TOML allows no unescaped DEL.
fn quoted(text: &str) -> String {
    visible(&Value::from(text).to_string(), |hidden| format!("\\U{:08x}", u32::from(hidden)))
}

fn list_of(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
}

pub fn toml_of(table: &str, Start { program, arguments, home }: &Start) -> String {
    let (command, arguments) = (quoted(program), list_of(arguments));
    let mut lines = format!("[{table}.mpp]\ncommand = {command}\nargs = [{arguments}]\n");
    if let Some(home) = home {
        lines.push_str(&format!("env = {{ MPP_HOME = {} }}\n", quoted(home)));
    }
    lines
}

pub fn yaml_of(indent: &str, Start { program, arguments, home }: &Start) -> String {
    let mut rows = vec![
        "enabled: true".to_owned(),
        "type: stdio".to_owned(),
        "name: mpp".to_owned(),
        format!("cmd: {}", quoted(program)),
        format!("args: [{}]", list_of(arguments)),
        "timeout: 300".to_owned(),
    ];
    let home = home.as_ref().map(|home| format!("envs: {{ MPP_HOME: {} }}", quoted(home)));
    rows.extend(home);
    let rows: String = rows.iter().map(|row| format!("{indent}  {row}\n")).collect();
    format!("{indent}mpp:\n{rows}")
}

/// Escapes each hidden character. JSON has escaped the line feeds of strings; those left are its layout.
fn visible(text: &str, escape: impl Fn(char) -> String) -> String {
    let shown = text.chars().map(|character| match text::is_hidden(character) {
        true if character != '\n' => escape(character),
        _ => character.to_string(),
    });
    shown.collect()
}
