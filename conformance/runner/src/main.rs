//! `mpp-conform`: holds an implementation to the conformance vectors. `PROTOCOL.md` says how it is driven.

mod adapter;
mod html;
mod junit;
mod known;
mod message;
mod report;
mod run;
mod score;
mod suite;
mod terminal;
mod text;

use argh::FromArgs;
use known::Known;
use report::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use suite::{is_like, Case, Profiles, Suite};

/// Runs the conformance vectors against an implementation. Exit status: 0 if all is as expected, 1 if not, 2 for a
/// fault in the arguments.
#[derive(FromArgs)]
struct Options {
    /// command that starts the adapter; without it, only reports are compared
    #[argh(option)]
    exec: Option<String>,

    /// verifier, kernel or full (default)
    #[argh(option, default = "String::from(\"full\")")]
    profile: String,

    /// directory of the vectors
    #[argh(option)]
    vectors: Option<PathBuf>,

    /// only cases whose id is like this; * is any text
    #[argh(option)]
    only: Option<String>,

    /// file of known failures: on each line an id, a space, and the reason
    #[argh(option)]
    known: Option<PathBuf>,

    /// time limit for an answer (default 20000)
    #[argh(option, default = "20_000")]
    timeout_ms: u64,

    /// start the command for each case, as PROTOCOL.md describes
    #[argh(switch)]
    one_process_per_case: bool,

    /// write the report as JSON
    #[argh(option)]
    json: Option<PathBuf>,

    /// write the report as JUnit XML
    #[argh(option)]
    junit: Option<PathBuf>,

    /// write a page with all results
    #[argh(option)]
    html: Option<PathBuf>,

    /// JSON report of another implementation for the page; can be repeated
    #[argh(option)]
    compare: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = match Options::from_args(&["mpp-conform"], &arguments) {
        Ok(options) => options,
        Err(exit) if exit.status.is_ok() => {
            println!("{}", exit.output);
            return ExitCode::SUCCESS;
        }
        Err(exit) => return usage(&exit.output),
    };
    match conform(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(fault) => usage(&text::visible(&fault)),
    }
}

fn usage(fault: &str) -> ExitCode {
    eprintln!("mpp-conform: {}", fault.trim_end());
    ExitCode::from(2)
}

/// Is all as expected?
fn conform(options: &Options) -> Result<bool, String> {
    let mut reports = Vec::new();
    if let Some(command) = &options.exec {
        reports.push(drive(options, command)?);
    }
    for path in &options.compare {
        let report = Report::read(&read(path)?);
        reports.push(report.map_err(|error| format!("{}: {error}", path.display()))?);
    }
    let Some(first) = reports.first() else {
        return Err("--exec or --compare is needed".to_owned());
    };
    if let Some(path) = &options.json {
        write(
            path,
            &(serde_json::to_string_pretty(first).map_err(|error| error.to_string())? + "\n"),
        )?;
    }
    if let Some(path) = &options.junit {
        write(path, &junit::junit(first))?;
    }
    if let Some(path) = &options.html {
        write(path, &html::page(&reports))?;
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    print!("{}", terminal::summary(first, columns.unwrap_or(80).clamp(40, 120)));
    Ok(first.passed)
}

/// Runs the cases that the options select.
fn drive(options: &Options, command: &str) -> Result<Report, String> {
    let profiles = Profiles::new();
    if !profiles.names().contains(&options.profile.as_str()) {
        return Err(format!("profiles are {}", profiles.names().join(", ")));
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let vectors = options.vectors.as_ref().unwrap_or(&own);
    let vectors =
        vectors.canonicalize().map_err(|error| format!("{}: {error}", vectors.display()))?;
    let suite = Suite::read(&vectors)?;
    let known = match &options.known {
        Some(path) => Known::parse(&read(path)?)?,
        None => Known::none(),
    };
    let is_selected = |case: &&Case| {
        let is_like = options.only.as_ref().is_none_or(|pattern| is_like(pattern, &case.id));
        is_like && profiles.has(&options.profile, case)
    };
    let cases: Vec<&Case> = suite.cases.iter().filter(is_selected).collect();
    if cases.is_empty() {
        return Err("no case is selected".to_owned());
    }
    let command = parts(command)?;
    let driver = run::Driver {
        command: &command,
        vectors: &vectors,
        limit: Duration::from_millis(options.timeout_ms),
        one_process_per_case: options.one_process_per_case,
    };
    let run = run::run(&driver, &cases)?;
    Ok(report::report(&suite, &options.profile, &cases, run, &known))
}

/// The parts of a command. Those that are paths of files are made absolute, since working directories change.
fn parts(command: &str) -> Result<Vec<String>, String> {
    let (mut parts, mut part, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match quote {
            Some(mark) if letter == mark => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                part.get_or_insert_default();
            }
            None if letter.is_whitespace() => parts.extend(part.take()),
            _ => part.get_or_insert_default().push(letter),
        }
    }
    parts.extend(part);
    if quote.is_some() || parts.is_empty() {
        return Err("--exec is empty, or a quotation mark is missing".to_owned());
    }
    let absolute =
        |part: String| match Path::new(&part).is_file().then(|| std::path::absolute(&part)) {
            Some(Ok(path)) => path.to_string_lossy().into_owned(),
            _ => part,
        };
    Ok(parts.into_iter().map(absolute).collect())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_hold_parts_of_a_command_together() {
        let parts = |command| super::parts(command).ok();
        let is = |expected: &[&str]| Some(expected.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(parts(" a  'b c' \"d'e\"f '' "), is(&["a", "b c", "d'ef", ""]));
        assert_eq!(parts("a 'b"), None);
        assert_eq!(parts("  "), None);
    }
}
