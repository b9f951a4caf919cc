//! The command line: one file for each group of commands. This file lists the commands and prints outputs
//! and errors.
//!
//! Exit status: 0 success, 1 refused, 2 usage, 3 the tool failed, 4 the host failed.

mod audit;
mod bundle;
mod check;
mod commands;
mod completions;
mod config;
mod consent;
mod dev;
mod doctor;
mod download;
mod explain;
mod filter;
mod help;
mod keys;
mod migrate;
mod new;
mod package;
mod publish;
mod report;
mod rotation;
mod run;
mod secret;
mod serve;
mod signer;
mod store;
mod terminal;
mod trust;

use argh::{ArgsInfo, EarlyExit, FromArgs};
use mpp::consent::question::escape_hidden;
use mpp::{Code, Error, Timestamp};
use serde_json::{json, Value};
use std::ffi::OsString;
use std::fs::{OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terminal::Style;

/// Verify, sandbox, filter and audit signed AI-agent tools
#[derive(ArgsInfo, FromArgs)]
struct Arguments {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
// `commands::COMMANDS` has the order in which they are shown.
enum Command {
    Run(run::Run),
    Install(store::Install),
    List(store::List),
    Remove(store::Remove),
    Inspect(package::Inspect),
    Verify(package::Verify),
    Pending(consent::ShowPending),
    Approve(consent::Approve),
    Deny(consent::Deny),
    Approvals(consent::ShowApprovals),
    Trust(trust::Trust),
    Secret(secret::Secret),
    Serve(serve::Serve),
    New(new::New),
    Check(check::Check),
    Dev(dev::Dev),
    Migrate(migrate::Migrate),
    Keygen(keys::Keygen),
    Pack(package::Pack),
    Sign(package::Sign),
    Publish(publish::Publish),
    Audit(audit::Audit),
    Bundle(bundle::Group),
    Filter(filter::Filter),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
}

/// The output of a command: text by default, JSON with `--json`.
struct CommandOutput {
    text: String,
    json: Value,
    /// 0 unless the command reports a failure in its output.
    exit_status: u8,
}

impl CommandOutput {
    fn new(text: impl Into<String>, json: Value) -> Self {
        CommandOutput { text: text.into(), json, exit_status: 0 }
    }
}

/// Runs one command and prints its output or error.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<String> = match arguments.map(OsString::into_string).collect() {
        Ok(arguments) => arguments,
        Err(_) => return report_error(&usage_error("an argument is not UTF-8"), false),
    };
    let top = Arguments::get_args_info();
    let arguments = help::prepared(&top, arguments);
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.first() == Some(&"migrate") {
        // argh reads a single `-` as an option.
        let own = words.iter_mut().take_while(|word| **word != "--");
        own.filter(|word| **word == "-").for_each(|word| *word = migrate::STDIN);
    }
    if matches!(words.first(), Some(&"--help" | &"help")) {
        return print(&help::overview(&top)).into();
    }
    let (path, command) = help::command_of(&top, &arguments);
    let parsed = match Arguments::from_args(&["mpp"], &words) {
        Ok(arguments) => arguments,
        Err(EarlyExit { output, status: Ok(()) }) => {
            return print(&help::with_example(&path, &output)).into();
        }
        Err(EarlyExit { output, status: Err(()) }) => {
            let mut detail = output.split_whitespace().collect::<Vec<_>>().join(" ");
            detail.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
            let given = output.strip_prefix("Unrecognized argument: ").map(str::trim);
            if let Some(meant) = given.and_then(|given| help::meant(command, given)) {
                detail.push_str(&format!("; did you mean {meant}?"));
            }
            let error = usage_error(detail.trim_start_matches("error parsing "));
            return report_error(&error, words.contains(&"--json"));
        }
    };
    let Some(command) = parsed.command else {
        if parsed.version {
            return print(&format!("mpp {}\n", env!("CARGO_PKG_VERSION"))).into();
        }
        return report_error(&usage_error("no command given"), false);
    };
    let (as_json, result) = match command {
        Command::Approvals(command) => (command.json, command.run()),
        Command::Approve(command) => (command.json, command.run()),
        Command::Audit(command) => (command.as_json(), command.run()),
        Command::Bundle(command) => (command.as_json(), command.run()),
        Command::Check(command) => (command.json, command.run()),
        Command::Completions(command) => (command.json, command.run(&top)),
        Command::Deny(command) => (command.json, command.run()),
        Command::Dev(command) => (command.json, command.run()),
        Command::Doctor(command) => (command.json, command.run()),
        Command::Filter(command) => (command.json, command.run()),
        Command::Inspect(command) => (command.json, command.run()),
        Command::Install(command) => (command.json, command.run()),
        Command::List(command) => (command.json, command.run()),
        Command::Remove(command) => (command.json, command.run()),
        Command::Secret(command) => (command.as_json(), command.run()),
        Command::Serve(command) => (false, command.run()),
        Command::Keygen(command) => (command.json, command.run()),
        Command::New(command) => (command.json, command.run()),
        Command::Migrate(command) => (command.json, command.run()),
        Command::Pack(command) => (command.json, command.run()),
        Command::Publish(command) => (command.json, command.run()),
        Command::Pending(command) => (command.json, command.run()),
        Command::Run(command) => (command.json, command.run()),
        Command::Sign(command) => (command.json, command.run()),
        Command::Trust(command) => (command.as_json(), command.run()),
        Command::Verify(command) => (command.json, command.run()),
    };
    match result {
        // `filter` and `serve` have printed their output already.
        Ok(output) if output.json.is_null() => ExitCode::from(output.exit_status),
        Ok(output) if as_json => print(&json_line(&output.json)).max(output.exit_status).into(),
        Ok(output) => print(&output.text).max(output.exit_status).into(),
        Err(error) => report_error(&error, as_json),
    }
}

/// Writes to stdout. A reader that closed the pipe (`mpp … | head`) is not an error; a full disk is.
fn print(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let error = file_error(Path::new("stdout"), &error);
            warn(&error_text(&error));
            error.code().class().exit_status()
        }
        _ => 0,
    }
}

/// Writes a line to stderr. A failure is ignored: it cannot be reported.
fn warn(line: &str) {
    let painted =
        line.strip_prefix("warning:").map(|rest| terminal::paint(Style::Warn, "warning:") + rest);
    let _ = writeln!(std::io::stderr(), "{}", painted.as_deref().unwrap_or(line));
}

fn report_error(error: &Error, as_json: bool) -> ExitCode {
    match as_json {
        true => drop(print(&json_line(&json!({ "error": error_json(error) })))),
        false => warn(&error_text(error)),
    }
    error.code().class().exit_status().into()
}

/// Formats an error as compilers do: what is wrong and where, then what to do.
fn error_text(error: &Error) -> String {
    let code = match error.code() {
        Code::Usage => String::new(),
        code => format!("[{code}]"),
    };
    // Text from an untrusted file neither controls the terminal nor imitates the second line.
    let detail = terminal::printable(error.detail()).replace('\n', "\n  ");
    let (label, help) = (format!("error{code}:"), terminal::paint(Style::Good, "help:"));
    let label = terminal::paint(Style::Bad, &label);
    format!("{label} {}\n{help} {}", detail.trim_end(), error.code().remedy())
}

fn error_json(error: &Error) -> Value {
    let code = error.code();
    json!({
        "code": code.as_str(),
        "detail": error.detail(),
        "remedy": code.remedy(),
        "exit_status": code.class().exit_status(),
    })
}

fn usage_error(detail: impl Into<String>) -> Error {
    Error::new(Code::Usage, detail)
}

fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}

/// Reads a file of at most `REQUEST_BYTES_MAX`.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes_max = u64::try_from(mpp::limits::REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(file_error(path, &error)),
        Ok(_) if bytes.len() > mpp::limits::REQUEST_BYTES_MAX => {
            Err(usage_error(format!("{}: longer than {bytes_max} bytes", path.display())))
        }
        Ok(_) => Ok(bytes),
    }
}

/// Formats JSON on one line, with control characters and invisible ones escaped.
fn json_line(value: &Value) -> String {
    escape_hidden(&value.to_string()) + "\n"
}

/// Parses `--signed-at`: a time or `now`. The default, the Unix epoch, means "not stated": packing twice
/// writes the same bytes.
fn signed_at(option: Option<&str>) -> Result<Timestamp, Error> {
    let epoch = || Timestamp::from_unix_seconds(0);
    let moment = match option {
        None => epoch(),
        Some("now") => Some(Timestamp::now()),
        Some(text) => Timestamp::parse(text),
    };
    moment.ok_or_else(|| {
        usage_error("--signed-at is neither `now` nor a time such as 2026-01-01T00:00:00Z")
    })
}

/// Replaces a file atomically: writes a temporary file beside it, flushes it to disk and renames it.
pub fn write_atomic(
    path: &Path,
    bytes: &[u8],
    permissions: Option<Permissions>,
) -> Result<(), Error> {
    let failed = |error: std::io::Error| file_error(path, &error);
    let mut name = path.file_name().ok_or_else(|| usage_error("no file name"))?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary: PathBuf = path.with_file_name(name);
    let written =
        OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|mut file| {
            permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
            file.write_all(bytes)?;
            file.sync_all()
        });
    let renamed = written.and_then(|()| std::fs::rename(&temporary, path));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    renamed.map_err(failed)
}
