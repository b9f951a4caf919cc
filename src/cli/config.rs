//! `mpp serve --print-config`: the configuration with which each MCP client starts this server, printed or, with
//! `--write`, merged into the client's file.
//!
//! Names and places are from the documentation of the clients. Most use the same JSON entry under different
//! names.

use super::{config_merge as merge, file_error, terminal, usage_error, warn, CommandOutput};
use mpp::{home, text, Code, Error};
use serde_json::{json, Map, Value};
use std::path::{absolute, Path, PathBuf};

enum Format {
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
type Client = (&'static str, Format, &'static str, &'static str);
const CLIENTS: &[Client] = &[
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

/// How the configuration is written to the file of its client.
pub struct Write {
    /// Another file than that of the client's documentation.
    pub file: Option<PathBuf>,
    /// Without asking.
    pub yes: bool,
}

/// What starts this server.
struct Start {
    program: String,
    arguments: Vec<String>,
    /// `MPP_HOME`, if it is set here.
    home: Option<String>,
}

/// Returns the configuration for `client`, with this program and these options of `serve`. Paths become
/// absolute, since a client starts its servers in any directory.
pub fn report(
    client: &str,
    options: &[(&str, Option<&Path>)],
    write: Option<Write>,
) -> Result<CommandOutput, Error> {
    let Some(found @ (_, format, place, _)) = CLIENTS.iter().find(|(name, ..)| *name == client)
    else {
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
        warn("warning: many clients expand a `$` in a path as a variable");
    }
    let start = Start { program, arguments, home };
    if let Some(write) = write {
        return write_to_file(found, &start, write);
    }
    warn(&format!("note: add this to {place}"));
    let configuration = match format {
        Json(member) => {
            let whole = format!("{:#}", json!({ *member: { "mpp": json_of(client, &start) } }));
            format!("{}\n", visible_json(&whole))
        }
        Toml(table) => toml_of(table, &start),
        Yaml(mapping) => format!("{mapping}:\n{}", yaml_of("  ", &start)),
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

fn json_of(client: &str, Start { program, arguments, home }: &Start) -> Value {
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

fn visible_json(text: &str) -> String {
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

fn toml_of(table: &str, Start { program, arguments, home }: &Start) -> String {
    let (command, arguments) = (quoted(program), list_of(arguments));
    let mut lines = format!("[{table}.mpp]\ncommand = {command}\nargs = [{arguments}]\n");
    if let Some(home) = home {
        lines.push_str(&format!("env = {{ MPP_HOME = {} }}\n", quoted(home)));
    }
    lines
}

fn yaml_of(indent: &str, Start { program, arguments, home }: &Start) -> String {
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

/// Merges the entry into the file of a client: shows the changed lines, asks, and replaces the file.
fn write_to_file(
    (client, format, _, place): &Client,
    start: &Start,
    Write { file, yes }: Write,
) -> Result<CommandOutput, Error> {
    let path = match (file, place.strip_prefix("~/")) {
        (Some(file), _) => file,
        (None, Some(rest)) => std::env::home_dir()
            .filter(|home| home.is_absolute())
            .ok_or_else(|| usage_error("no home directory: name the file with --config-file"))?
            .join(rest),
        (None, None) if place.is_empty() => {
            let what = format!("the place of {client}'s file varies: name it with --config-file");
            return Err(usage_error(what));
        }
        (None, None) => PathBuf::from(place),
    };
    // The target of a link is changed, not replaced by a file.
    let path = path.canonicalize().unwrap_or(path);
    let shown = text::quote_untrusted(&path.to_string_lossy());
    let read = || match path.try_exists() {
        Ok(false) => Ok(String::new()),
        _ => String::from_utf8(super::read_bytes(&path)?)
            .map_err(|_| usage_error(format!("{shown} is not UTF-8"))),
    };
    let old = read()?;
    let merged = match format {
        Json(member) => {
            let entry = json_of(client, start);
            merge::json(&old, member, &entry, &|text| visible_json(text))
        }
        Toml(table) => merge::toml(&old, table, &toml_of(table, start)),
        Yaml(mapping) => merge::yaml(&old, mapping, &|indent| yaml_of(indent, start)),
    };
    let new = merged.map_err(|why| {
        usage_error(format!("{shown}: {why}; add the lines of `--print-config {client}` by hand"))
    })?;
    let json = json!({ "client": client, "file": path });
    if old == new {
        return Ok(CommandOutput::new(format!("{shown} has this entry already\n"), json));
    }
    warn(&format!("{shown}\n{}", terminal::printable(&merge::difference(&old, &new)).trim_end()));
    if !yes {
        if !terminal::is_interactive() {
            return Err(usage_error("writing requires a terminal or --yes"));
        }
        if !terminal::confirm("Write this?") {
            return Err(Error::new(Code::PolicyDeclined, format!("writing {shown} was denied")));
        }
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| file_error(parent, &error))?;
    }
    if read()? != old {
        return Err(usage_error(format!("{shown} was changed by another program; try again")));
    }
    let permissions = path.metadata().map(|found| found.permissions()).ok();
    super::write_atomic(&path, new.as_bytes(), permissions)?;
    Ok(CommandOutput::new(format!("wrote {shown}\n"), json))
}

/// Escapes each hidden character. JSON has escaped the line feeds of strings; those left are its layout.
fn visible(text: &str, escape: impl Fn(char) -> String) -> String {
    let shown = text.chars().map(|character| match text::is_hidden(character) {
        true if character != '\n' => escape(character),
        _ => character.to_string(),
    });
    shown.collect()
}
