//! A command line program as a tool: its options, from what it prints for `--help` in a sandbox that grants nothing.

use super::note::{is_clean, visible, Note};
use super::{clean_line, MigratedTool, Migration, Settings};
use mpp::gatekeeper::Gatekeeper;
use mpp::package::key::SecretKey;
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::package::MANIFEST_ENTRY;
use mpp::sandbox::{ToolInput, WasmSandbox};
use mpp::secrets::FileSecretStore;
use mpp::{CancelFlag, Error, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Options that become properties; `args` of a command has at most 64 items.
const OPTIONS_MAX: usize = 40;

/// Runs a module with `--help`, and returns what it printed, or why it printed nothing.
pub fn help(module: &[u8]) -> Result<String, Error> {
    let id = "org.example.help";
    let mut tool = entry("help", "Prints its options.", &json!({}), &[]);
    tool.insert("command".to_owned(), json!({}));
    tool.insert("parameters".to_owned(), json!({ "type": "object" }));
    let settings = Settings { id, title: "help", protocol: "command" };
    let manifest = super::manifest(&settings, 0, json!([tool])).to_string();
    let contents = [(MANIFEST_ENTRY, manifest.into_bytes()), ("tool.wasm", module.to_vec())];
    let contents: BTreeMap<_, _> =
        contents.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    let key = SecretKey::generate();
    let package = pack(contents, &key, Timestamp::now(), Compression::Stored)?;
    let public = key.public();
    let trust = json!({ "format": "mpp-trust/1", "publishers": [{ "name": "help", "namespaces": [id],
        "keys": [{ "key_id": public.id().to_string(), "public_key": mpp::encoding::base64(&public.to_bytes()) }] }] });
    let trust = TrustStore::from_json(trust.to_string().as_bytes())?;
    let verified = Gatekeeper::new(trust, Timestamp::now()).verify(&package)?;
    // It requests nothing, so the confirmation grants nothing.
    let token = PermissionPolicy::new().confirm(&verified.manifest, "mpp migrate")?;
    let token = token.resolve_from(&FileSecretStore::new(Path::new("")))?;
    let input = ToolInput { args: vec!["--help".to_owned()], stdin: Vec::new() };
    let run = WasmSandbox::new()?.run(&verified.wasm_binary, &token, input, &CancelFlag::default());
    let printed = if run.stdout.is_empty() { run.stderr } else { run.stdout };
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

struct CommandOption {
    /// As the program takes it: `--name`.
    flag: String,
    property: String,
    takes_value: bool,
    description: String,
}

/// Makes the manifest of a program from its help.
pub fn migrate_program(name: &str, help: &str, settings: &Settings) -> Migration {
    let mut migration = Migration::default();
    let mut note = |keyword: &str, action: &str| {
        let (tool, pointer) = (name.to_owned(), "/command".to_owned());
        migration.notes.push(Note {
            tool,
            pointer,
            keyword: keyword.to_owned(),
            action: action.to_owned(),
        });
    };
    let options = options(help);
    if options.is_empty() {
        note("--help", "no long options found; describe the arguments by hand");
    }
    note(
        "argument",
        "one argument after the options is assumed; change `args` if there are more or none",
    );
    note("stdin", "the program is assumed to read stdin; remove it if not");
    let lines = help.lines().map(|line| clean_line(&visible(line)));
    let is_sentence = |line: &String| {
        let lower = line.to_ascii_lowercase();
        lower != "unnamed"
            && !lower.starts_with("usage")
            && !lower.starts_with('-')
            && !lower.ends_with(':')
    };
    let description = lines.clone().find(is_sentence).unwrap_or_default();
    let has_description = !description.is_empty() && is_clean(&json!(description));
    let description = if has_description { description } else { format!("The program {name}.") };
    let mut properties = Map::new();
    let mut args = Vec::new();
    for option in &options {
        let kind = if option.takes_value { "string" } else { "boolean" };
        let property = json!({ "type": kind, "description": option.description });
        properties.insert(option.property.clone(), property);
        let mark = if option.takes_value { "" } else { "?" };
        args.push(json!([option.flag, format!("{{{mark}{}}}", option.property)]));
    }
    properties.insert("argument".to_owned(), json!({ "type": "string" }));
    properties.insert(
        "stdin".to_owned(),
        json!({ "type": "string", "description": "What it reads from stdin" }),
    );
    args.push(json!(["--", "{argument}"]));
    let parameters =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let tool = entry(name, &description, &parameters, &args);
    let manifest = super::manifest(settings, 0, json!([tool]));
    migration.manifests.push(manifest);
    migration.tools.push(MigratedTool {
        name: name.to_owned(),
        calls: name.to_owned(),
        sensitivity: "destructive",
        reason: "unknown",
        hints: vec!["filesystem"],
    });
    migration
}

fn entry(name: &str, description: &str, parameters: &Value, args: &[Value]) -> Map<String, Value> {
    let entry = json!({ "name": name, "description": description, "parameters": parameters,
        "command": { "args": args, "stdin": "{stdin}" }, "sensitivity": "destructive" });
    entry.as_object().cloned().unwrap_or_default()
}

/// Finds lines such as `  -n, --max-count=NUM  stop after NUM lines`.
fn options(help: &str) -> Vec<CommandOption> {
    let mut found: Vec<CommandOption> = Vec::new();
    for line in help.lines().map(visible) {
        let line = line.trim();
        let Some(start) = line.find("--").filter(|_| line.starts_with('-')) else { continue };
        let (head, tail) = line
            .get(start..)
            .and_then(|rest| rest.split_once("  "))
            .unwrap_or((line.get(start..).unwrap_or_default(), ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name: String = head.chars().skip(2).take_while(|c| is_name(*c)).collect();
        let rest = head.get(name.len().saturating_add(2)..).unwrap_or_default();
        let property = name.replace('-', "_");
        let skipped = ["help", "version", "", "argument", "stdin"].contains(&property.as_str())
            || !property.starts_with(|first: char| first.is_ascii_alphabetic())
            || found.iter().any(|one| one.property == property);
        if skipped || found.len() >= OPTIONS_MAX {
            continue;
        }
        // `--to FORMAT`, `--to=FORMAT`, `--to[=<format>]`, or `--to, -t FORMAT`.
        let is_value = |word: &str| {
            word.starts_with('<') || word.starts_with(|first: char| first.is_ascii_uppercase())
        };
        let takes_value = rest.split([' ', ',', '=', '[']).any(is_value);
        found.push(CommandOption {
            flag: format!("--{name}"),
            property,
            takes_value,
            description: clean_line(tail),
        });
    }
    found
}
