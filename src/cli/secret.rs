//! `mpp secret`: secrets for tools, read from stdin or typed without echo, and never shown.

use super::{run, terminal, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::limits::SECRET_BYTES_MAX;
use mpp::secrets::{FileSecretStore, SecretValue};
use mpp::{home, Code, Error, PermissionPolicy};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};

/// Manage secrets for tools
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "secret")]
pub struct Secret {
    #[argh(subcommand)]
    command: Command,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
enum Command {
    Set(Set),
    List(List),
    Remove(Remove),
}

/// Set a secret to the line read from stdin
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "set")]
struct Set {
    /// name of the secret, as used in the policy
    #[argh(positional)]
    name: String,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// List secrets and their uses in the policy
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "list")]
struct List {
    /// use this policy file [default: MPP_HOME/policy.json]
    #[argh(option)]
    policy: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Delete a secret
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "remove")]
struct Remove {
    /// name of the secret
    #[argh(positional)]
    name: String,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

impl Secret {
    pub fn as_json(&self) -> bool {
        match &self.command {
            Command::Set(command) => command.json,
            Command::List(command) => command.json,
            Command::Remove(command) => command.json,
        }
    }

    pub fn run(self) -> Result<CommandOutput, Error> {
        let file = FileSecretStore::new(&home::home_dir()?);
        match self.command {
            Command::Set(command) => set(&file, &command.name),
            Command::List(command) => list(&file, command.policy),
            Command::Remove(command) => {
                file.remove(&command.name)?;
                let json = json!({ "name": command.name, "removed": true });
                Ok(CommandOutput::new(format!("removed {}\n", command.name), json))
            }
        }
    }
}

fn set(file: &FileSecretStore, name: &str) -> Result<CommandOutput, Error> {
    mpp::secrets::check_name(name)?;
    let value = SecretValue::parse(read_value(name)?)?;
    let replaced = file.set(name, value)?;
    let verb = if replaced { "replaced" } else { "set" };
    let json = json!({ "name": name, "replaced": replaced });
    Ok(CommandOutput::new(format!("{verb} {name}\n"), json))
}

/// Reads one line of stdin, without its line feed.
// [SECRET-12]
fn read_value(name: &str) -> Result<String, Error> {
    let bytes = match std::io::stdin().is_terminal() {
        true => read_without_echo(name)?,
        false => {
            let most = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(3);
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
            read.map_err(|error| Error::new(Code::HostFile, format!("stdin: {error}")))?;
            bytes
        }
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Code::SecretInvalid, "the value is not UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Reads a line of the terminal without echo. A shell does so, since it restores the echo however it ends. The
/// line comes through a pipe, and appears in no list of processes.
fn read_without_echo(name: &str) -> Result<Vec<u8>, Error> {
    const SCRIPT: &str =
        "trap 'stty echo' EXIT; trap 'exit 1' INT TERM HUP; stty -echo || exit 1\n\
                          IFS= read -r line && printf '%s' \"$line\"";
    super::warn(&format!("value of {name} (not shown as you type):"));
    let output = Process::new("/bin/sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        _ => Err(usage_error("no value given at the terminal; a pipe works too")),
    }
}

// [SECRET-13]
fn list(file: &FileSecretStore, policy: Option<PathBuf>) -> Result<CommandOutput, Error> {
    let names = file.names()?;
    let policy = run::load_policy(policy.as_deref(), &home::home_dir()?)?;
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    names.iter().for_each(|name| drop(uses.insert(name.clone(), Vec::new())));
    for (name, place) in policy.secret_uses() {
        uses.entry(name).or_default().push(place);
    }
    let is_set = |name: &String| names.contains(name);
    let rows: Vec<(&str, String)> =
        uses.iter().map(|(name, uses)| (name.as_str(), row(&policy, is_set(name), uses))).collect();
    let secrets: Vec<Value> = uses
        .iter()
        .map(|(name, uses)| json!({ "name": name, "set": is_set(name), "used_by": uses }))
        .collect();
    let by_command = policy.secrets_command().is_some();
    let json = json!({ "secrets": secrets, "by_command": by_command });
    let mut text = terminal::columns(&rows);
    if rows.is_empty() {
        text.push_str("no secrets\n");
    }
    if by_command {
        text.push_str("the policy takes values from its secrets_command\n");
    }
    Ok(CommandOutput::new(text, json))
}

fn row(policy: &PermissionPolicy, is_set: bool, uses: &[String]) -> String {
    let set = match (is_set, policy.secrets_command()) {
        (_, Some(_)) => "",
        (true, None) => "set; ",
        (false, None) => "NOT SET; ",
    };
    let uses = if uses.is_empty() { "not used by the policy".to_owned() } else { uses.join(", ") };
    format!("{set}{uses}")
}
