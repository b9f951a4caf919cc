//! Floor 5: the command line. One file for each group of commands; this one has the list of them, and
//! the one way in which all of them print.
//!
//! Exit status: 0 done, 1 refused, 2 usage, 3 the tool failed, 4 the host failed.

mod audit;
mod config;
mod consent;
mod filter;
mod keys;
mod new;
mod package;
mod run;
mod secret;
mod serve;
mod store;
mod terminal;
mod trust;

use argh::{EarlyExit, FromArgs};
use mpp::{Code, Error, Timestamp};
use serde_json::{json, Value};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs signed AI-agent tools: verified, confined, filtered, recorded.
///
/// Files live in ~/.mpp, or where MPP_HOME says. Exit status: 0 done, 1 refused, 2 usage, 3 the tool
/// failed, 4 the host failed.
#[derive(FromArgs)]
struct Arguments {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Approvals(consent::ShowApprovals),
    Approve(consent::Approve),
    Audit(audit::Audit),
    Deny(consent::Deny),
    Filter(filter::Filter),
    Inspect(package::Inspect),
    Install(store::Install),
    Keygen(keys::Keygen),
    List(store::List),
    New(new::New),
    Pack(package::Pack),
    Remove(store::Remove),
    Pending(consent::ShowPending),
    Run(run::Run),
    Secret(secret::Secret),
    Serve(serve::Serve),
    Sign(package::Sign),
    Trust(trust::Trust),
    Verify(package::Verify),
}

/// What a command has to say, for people and for programs.
struct CommandOutput {
    text: String,
    json: Value,
    /// 0 unless the command itself found something wrong.
    exit_status: u8,
}

impl CommandOutput {
    fn new(text: impl Into<String>, json: Value) -> Self {
        CommandOutput { text: text.into(), json, exit_status: 0 }
    }
}

/// Runs one command and prints what comes of it.
pub fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = match words.map(OsString::into_string).collect() {
        Ok(words) => words,
        Err(_) => return report_error(&usage_error("an argument is not UTF-8"), false),
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let arguments = match Arguments::from_args(&["mpp"], &words) {
        Ok(arguments) => arguments,
        Err(EarlyExit { output, status: Ok(()) }) => {
            return print(&format!("{}\n", output.trim_end())).into();
        }
        Err(EarlyExit { output, status: Err(()) }) => {
            return report_error(&usage_error(output.trim_end()), words.contains(&"--json"));
        }
    };
    let Some(command) = arguments.command else {
        if arguments.version {
            return print(&format!("mpp {}\n", env!("CARGO_PKG_VERSION"))).into();
        }
        return report_error(&usage_error("no command given"), false);
    };
    let (as_json, result) = match command {
        Command::Approvals(command) => (command.json, command.run()),
        Command::Approve(command) => (command.json, command.run()),
        Command::Audit(command) => (command.as_json(), command.run()),
        Command::Deny(command) => (command.json, command.run()),
        Command::Filter(command) => (command.json, command.run()),
        Command::Inspect(command) => (command.json, command.run()),
        Command::Install(command) => (command.json, command.run()),
        Command::List(command) => (command.json, command.run()),
        Command::Remove(command) => (command.json, command.run()),
        Command::Secret(command) => (command.as_json(), command.run()),
        Command::Serve(command) => (false, command.run()),
        Command::Keygen(command) => (command.json, command.run()),
        Command::New(command) => (command.json, command.run()),
        Command::Pack(command) => (command.json, command.run()),
        Command::Pending(command) => (command.json, command.run()),
        Command::Run(command) => (command.json, command.run()),
        Command::Sign(command) => (command.json, command.run()),
        Command::Trust(command) => (command.as_json(), command.run()),
        Command::Verify(command) => (command.json, command.run()),
    };
    match result {
        // A command that has printed its output line by line has no report left.
        Ok(report) if report.json.is_null() => ExitCode::from(report.exit_status),
        Ok(report) if as_json => print(&json_line(&report.json)).max(report.exit_status).into(),
        Ok(report) => print(&report.text).max(report.exit_status).into(),
        Err(error) => report_error(&error, as_json),
    }
}

/// Writes to stdout. A reader that has gone away (`mpp … | head`) is no error of ours; a full disk is.
fn print(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            warn(&format!("mpp: stdout: {error}"));
            4
        }
        _ => 0,
    }
}

/// Writes a line to stderr; there is nobody to tell if that fails.
fn warn(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn report_error(error: &Error, as_json: bool) -> ExitCode {
    let code = error.code();
    if as_json {
        print(&json_line(&json!({ "error": error_json(error) })));
    } else {
        // The detail may hold text from a hostile file: no terminal obeys it.
        let message = terminal::printable(&error.to_string());
        match code {
            Code::Usage => {
                let detail = terminal::printable(error.detail());
                warn(&format!("mpp: {}\n{}", detail.trim_end(), code.remedy()));
            }
            _ => warn(&format!("mpp: {} [{}]\n  {message}", class_label(code), code.as_str())),
        }
    }
    code.class().exit_status().into()
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

fn class_label(code: Code) -> &'static str {
    match code.class() {
        mpp::Class::Refused => "REFUSED",
        mpp::Class::Usage => "usage",
        mpp::Class::Tool => "the tool failed",
        mpp::Class::Host => "the host failed",
    }
}

fn usage_error(detail: impl Into<String>) -> Error {
    Error::new(Code::Usage, detail)
}

fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}

/// Reads a text of at most the size of a request.
fn read_text(path: &Path) -> Result<String, Error> {
    let bytes_max = u64::try_from(mpp::limits::REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_string(&mut text));
    match read {
        Err(error) => Err(file_error(path, &error)),
        Ok(_) if text.len() > mpp::limits::REQUEST_BYTES_MAX => {
            Err(usage_error(format!("{} is longer than {bytes_max} bytes", path.display())))
        }
        Ok(_) => Ok(text),
    }
}

/// JSON on one line, in which nothing that a terminal would obey stands as it is.
fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        match mpp::text::is_hidden(character) {
            true => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => line.push(character),
        }
    }
    line.push('\n');
    line
}

/// `--signed-at`: a time, `now`, or by default the moment that stands for "not stated", so that
/// packing twice gives the same bytes.
fn signed_at(option: Option<&str>) -> Result<Timestamp, Error> {
    let epoch = || Timestamp::from_unix_seconds(0);
    let moment = match option {
        None => epoch(),
        Some("now") => Some(Timestamp::now()),
        Some(text) => Timestamp::parse(text),
    };
    moment.ok_or_else(|| usage_error("--signed-at takes `now` or the form 2026-01-01T00:00:00Z"))
}

/// Writes a file beside its place and moves it there whole: what stood there before stays until the
/// new bytes are on the disk.
fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |error: std::io::Error| file_error(path, &error);
    let mut name = path.file_name().ok_or_else(|| usage_error("no file name"))?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let written =
        OpenOptions::new().write(true).create_new(true).open(&beside).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    let moved = written.and_then(|()| std::fs::rename(&beside, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    moved.map_err(failed)
}
