//! `mpp audit`: verify, read, ship and sum up the record of calls.

use super::{terminal, usage_error, write_atomic, CommandOutput};
use crate::evidence::calls::{Call, Calls, Selection};
use crate::evidence::export::Format;
use crate::evidence::follow::{Record, Records};
use crate::evidence::html::Page;
use argh::{ArgsInfo, FromArgs};
use mpp::audit::VerifyReport;
use mpp::consent::attestation::AttestationVerifier;
use mpp::{audit, home, Code, Error};
use serde_json::{json, Value};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a log is checked for further records.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Verify, read and ship the audit log
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "audit")]
pub struct Audit {
    #[argh(subcommand)]
    command: Command,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
enum Command {
    Verify(Verify),
    Head(Head),
    Show(Show),
    Report(Report),
    Export(Export),
}

/// Verify all records and the hash chain
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "verify")]
struct Verify {
    /// verify this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// require a record with this hash, noted earlier
    #[argh(option)]
    head: Option<String>,
    /// verify proofs of approval with this host.pub file
    #[argh(option)]
    host_key: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Print the head, which proves later that no record was cut
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "head")]
struct Head {
    /// of this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Show calls and refusals, the last ones at the end
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "show")]
struct Show {
    /// show this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// show at most this many [default: 20]
    #[argh(option, default = "20")]
    last: usize,
    /// from this day or time on, such as 2026-01-31
    #[argh(option)]
    since: Option<String>,
    /// of this package, or of a namespace
    #[argh(option)]
    package: Option<String>,
    /// of this tool
    #[argh(option)]
    tool: Option<String>,
    /// with this outcome: ok, refused, lost, a code or its first part
    #[argh(option)]
    outcome: Option<String>,
    /// go on with what is recorded from now on
    #[argh(switch)]
    follow: bool,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Write a page with the sums of the log
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "report")]
struct Report {
    /// of this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// write this HTML file
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// from this day or time on, such as 2026-01-31
    #[argh(option)]
    since: Option<String>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Print records for other programs
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "export")]
struct Export {
    /// of this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// jsonl, or syslog (RFC 5424) [default: jsonl]
    #[argh(option, default = "String::from(\"jsonl\")")]
    format: String,
    /// start after what this file says, and keep it up to date
    #[argh(option)]
    cursor: Option<PathBuf>,
    /// go on with what is recorded from now on
    #[argh(switch)]
    follow: bool,
}

fn log_path(named: Option<PathBuf>) -> Result<PathBuf, Error> {
    named.map_or_else(|| Ok(home::home_dir()?.join("audit/audit.jsonl")), Ok)
}

/// Verifies a log before anything of it is shown. `None` if the log of this home was not started yet.
fn verified(named: Option<PathBuf>) -> Result<Option<(PathBuf, VerifyReport)>, Error> {
    let is_own = named.is_none();
    let log = log_path(named)?;
    if is_own && !audit::log_exists(log.parent().unwrap_or(Path::new(".")))? {
        return Ok(None);
    }
    let report = audit::verify(&log, None)?;
    Ok(Some((log, report)))
}

/// Returns what a log without records has.
fn nothing() -> VerifyReport {
    VerifyReport { head: audit::GENESIS.to_owned(), ..VerifyReport::default() }
}

impl Audit {
    pub fn as_json(&self) -> bool {
        match &self.command {
            Command::Verify(command) => command.json,
            Command::Head(command) => command.json,
            Command::Show(command) => command.json,
            Command::Report(command) => command.json,
            Command::Export(_) => false,
        }
    }

    pub fn run(self) -> Result<CommandOutput, Error> {
        match self.command {
            Command::Verify(command) => command.run(),
            Command::Head(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Export(command) => command.run(),
        }
    }
}

impl Verify {
    fn run(self) -> Result<CommandOutput, Error> {
        let dir = home::home_dir()?.join("audit");
        if self.log.is_none() && self.head.is_none() && !audit::log_exists(&dir)? {
            let json = json!({ "verdict": "empty", "records": 0 });
            return Ok(CommandOutput::new("no audit records yet\n", json));
        }
        let log = log_path(self.log)?;
        let mut proofs = match &self.host_key {
            Some(path) => Some(AttestationVerifier::new(super::keys::read_public_key(path)?)),
            None => None,
        };
        let report = audit::verify_each(&log, self.head.as_deref(), |record| match &mut proofs {
            Some(proofs) => proofs.check_record(record),
            None => Ok(()),
        })?;
        let mut rows = vec![
            ("log", log.display().to_string()),
            ("records", report.records.to_string()),
            ("head", report.head.clone()),
            ("unfinished", report.open.len().to_string()),
        ];
        if let Some(proofs) = &proofs {
            rows.push(("proofs", format!("{} verified", proofs.verified_count())));
        }
        let text = format!("OK: hash chain verified\n{}", terminal::columns(&rows));
        let json = json!({
            "verdict": "whole", "log": log.display().to_string(), "records": report.records, "head": report.head,
            "unfinished": report.open, "proofs_good": proofs.map(|proofs| proofs.verified_count()),
        });
        Ok(CommandOutput::new(text, json))
    }
}

impl Head {
    fn run(self) -> Result<CommandOutput, Error> {
        let report = verified(self.log)?.map_or_else(nothing, |(_, report)| report);
        let json = json!({ "head": report.head, "records": report.records });
        Ok(CommandOutput::new(format!("{}\n", report.head), json))
    }
}

/// Checks a day or a time; times of one form compare as their texts.
fn since(text: Option<String>) -> Result<Option<String>, Error> {
    let is_time = |text: &String| {
        mpp::Timestamp::parse(text).is_some()
            || mpp::Timestamp::parse(&format!("{text}T00:00:00Z")).is_some()
    };
    match text {
        Some(text) if !is_time(&text) => Err(usage_error(
            "--since is neither a day such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z",
        )),
        text => Ok(text),
    }
}

impl Show {
    fn run(self) -> Result<CommandOutput, Error> {
        let selection = Selection {
            since: since(self.since)?,
            package: self.package,
            tool: self.tool,
            outcome: self.outcome,
        };
        let Some((log, report)) = verified(self.log)? else {
            return Ok(CommandOutput::new("no audit records yet\n", json!([])));
        };
        let mut records = Records::open(&log)?;
        let (mut calls, mut shown) = (Calls::default(), VecDeque::new());
        let mut keep = |call: Call| {
            if selection.includes(&call) {
                shown.push_back(call);
            }
            if shown.len() > self.last {
                shown.pop_front();
            }
        };
        for _ in 0..report.records {
            let Some(record) = records.next()? else { break };
            calls.take(&record).into_iter().for_each(&mut keep);
        }
        if self.follow {
            shown.iter().try_for_each(|call| print(call, self.json))?;
            return follow(&mut records, |record| match calls.take(record) {
                Some(call) if selection.includes(&call) => print(&call, self.json),
                _ => Ok(()),
            });
        }
        calls.unfinished().for_each(&mut keep);
        let width = terminal::width();
        let mut text: String = shown.iter().map(|call| row(call, width)).collect();
        if text.is_empty() {
            text.push_str("no such calls\n");
        }
        Ok(CommandOutput::new(text, shown.iter().map(Call::to_json).collect::<Value>()))
    }
}

fn print(call: &Call, as_json: bool) -> Result<(), Error> {
    let line = if as_json { format!("{}\n", call.to_json()) } else { row(call, terminal::width()) };
    write_out(&line)
}

fn write_out(line: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Error::new(Code::HostFile, format!("stdout: {error}")))
}

/// Passes on each record when it is appended, until the output is closed.
fn follow(
    records: &mut Records,
    mut each: impl FnMut(&Record) -> Result<(), Error>,
) -> Result<CommandOutput, Error> {
    loop {
        match records.next()? {
            Some(record) => each(&record)?,
            None => std::thread::sleep(POLL_INTERVAL),
        }
    }
}

/// Formats a call as a line of at most `width` columns: what fits, the most important first.
fn row(call: &Call, width: usize) -> String {
    let cut = |text: &str, columns: usize| {
        let text = terminal::printable(text);
        match text.chars().count() > columns {
            true => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
            false => text,
        }
    };
    let time = call.time.replace('T', " ").replace('Z', "");
    let outcome = cut(&call.outcome, 24);
    let mut line = format!("{time}  {outcome:24}");
    let package = format!("{} {}", call.package, call.version);
    let columns =
        [(&call.tool, 20), (&package, 36), (&call.agent, 20), (&call.granted_by, usize::MAX)];
    for (text, columns_max) in columns {
        let left = width.saturating_sub(line.chars().count().saturating_add(2));
        if left < 8 {
            break;
        }
        let columns = left.min(columns_max);
        let text = cut(text, columns);
        line.push_str(&match columns_max {
            usize::MAX => format!("  {text}"),
            _ => format!("  {text:columns$}"),
        });
    }
    let style = match call.outcome.as_str() {
        "ok" => terminal::Style::Good,
        _ if call.is_refusal() => terminal::Style::Warn,
        _ => terminal::Style::Bad,
    };
    line = line.replacen(&outcome, &terminal::paint(style, &outcome), 1);
    format!("{}\n", line.trim_end())
}

impl Report {
    fn run(self) -> Result<CommandOutput, Error> {
        let selection = Selection { since: since(self.since)?, ..Selection::default() };
        let mut page = Page::default();
        let found = verified(self.log)?;
        let (log, report) = match &found {
            Some((log, report)) => (log.display().to_string(), report.clone()),
            None => ("no log yet".to_owned(), nothing()),
        };
        let mut calls = Calls::default();
        if let Some((log, _)) = &found {
            let mut records = Records::open(log)?;
            for _ in 0..report.records {
                let Some(record) = records.next()? else { break };
                let ended = calls.take(&record);
                ended
                    .iter()
                    .filter(|call| selection.includes(call))
                    .for_each(|call| page.add(call));
            }
        }
        calls.unfinished().filter(|call| selection.includes(call)).for_each(|call| page.add(&call));
        let html = page.to_html(&log, report.records, &report.head);
        write_atomic(&self.output, html.as_bytes(), None)?;
        let text = format!(
            "wrote {}, {} records\nhead {}\n",
            self.output.display(),
            report.records,
            report.head
        );
        let json = json!({ "file": self.output, "records": report.records, "head": report.head });
        Ok(CommandOutput::new(text, json))
    }
}

impl Export {
    fn run(self) -> Result<CommandOutput, Error> {
        let format = Format::parse(&self.format)
            .ok_or_else(|| usage_error("--format is neither jsonl nor syslog"))?;
        let Some((log, report)) = verified(self.log)? else {
            return match self.follow {
                true => Err(usage_error("no audit records yet to follow")),
                false => Ok(CommandOutput::new("", Value::Null)),
            };
        };
        let cursor = match &self.cursor {
            Some(path) => Cursor::read(path)?,
            None => Cursor::default(),
        };
        let mut records = Records::open(&log)?;
        let each = |record: &Record| {
            let at = Cursor::of(record);
            if at.seq > cursor.seq {
                return write_out(&(format.line(record) + "\n"));
            }
            // Else this is another log, or one that was cut and continued.
            match at.seq == cursor.seq && at.hash != cursor.hash {
                true => {
                    let detail = format!("record {} is not the one that was exported", at.seq);
                    Err(Error::new(Code::AuditBroken, detail))
                }
                false => Ok(()),
            }
        };
        for _ in 0..report.records {
            let Some(record) = records.next()? else { break };
            each(&record)?;
        }
        if report.records < cursor.seq {
            let detail =
                format!("{} records were exported, {} are here", cursor.seq, report.records);
            return Err(Error::new(Code::AuditBroken, detail));
        }
        // After the lines: a process that is killed in between repeats some, and skips none.
        let keep = |at: &Cursor| self.cursor.as_deref().map_or(Ok(()), |path| at.write(path));
        let end = Cursor { seq: report.records, hash: report.head };
        keep(&end)?;
        match self.follow {
            true => follow(&mut records, |record| {
                each(record)?;
                keep(&Cursor::of(record))
            }),
            false => Ok(CommandOutput::new("", Value::Null)),
        }
    }
}

/// The last record that was exported.
// [AUD-81]
#[derive(Default)]
struct Cursor {
    seq: u64,
    hash: String,
}

impl Cursor {
    fn of(record: &Record) -> Self {
        Cursor { seq: record.number("seq"), hash: record.hash().to_owned() }
    }

    /// Reads a cursor file; absent means nothing was exported.
    fn read(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            return Ok(Cursor::default());
        }
        let text = String::from_utf8(super::read_bytes(path)?).unwrap_or_default();
        let parts = text.trim_end().split_once(' ');
        let parsed = parts.and_then(|(seq, hash)| Some((seq.parse().ok()?, hash.to_owned())));
        let (seq, hash) = parsed.filter(|(_, hash)| hash.len() == 64).ok_or_else(|| {
            usage_error(format!("{} is not a cursor of `mpp audit export`", path.display()))
        })?;
        Ok(Cursor { seq, hash })
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        write_atomic(path, format!("{} {}\n", self.seq, self.hash).as_bytes(), None)
    }
}
