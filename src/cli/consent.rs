//! Approvals: prompts at the terminal by `mpp run`, and the requests of servers with `mpp pending`,
//! `mpp approve`, `mpp deny` and `mpp approvals`.

use super::terminal::{self, Decision};
use super::{json_line, run, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::audit::AuditLog;
use mpp::consent::approvals::Approvals;
use mpp::consent::attestation::{host_key, EphemeralAttestation};
use mpp::consent::pending::{PendingQueue, PendingRequest};
use mpp::consent::question;
use mpp::limits::REQUEST_DEPTH_MAX;
use mpp::package::content_hash::ContentHash;
use mpp::runtime::PackageSource as _;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver};
use mpp::sandbox::{Changes, FileOp};
use mpp::store::PackageStore;
use mpp::trust::{FILE_NAME, SEEN_FILE_NAME};
use mpp::{home, json, Code, Error, Gatekeeper, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often `pending --follow` reads the requests, and prints a line even if nothing has changed.
const FOLLOW_POLL_PERIOD: Duration = Duration::from_millis(250);
const FOLLOW_ALIVE_PERIOD: Duration = Duration::from_secs(5);
/// Width of the text for a dialog.
const DIALOG_COLUMNS: usize = 72;

/// List approval requests waiting for a decision
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "pending")]
pub struct ShowPending {
    /// keep running and print requests as they come; with --json an event on each line
    #[argh(switch)]
    follow: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Approve a pending request
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "approve")]
pub struct Approve {
    /// number of the request, from `mpp pending`
    #[argh(positional)]
    number: u64,
    /// approve only this call, not later ones of this version
    #[argh(switch)]
    once: bool,
    /// approve without showing the request and asking
    #[argh(switch)]
    yes: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Deny a pending request
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "deny")]
pub struct Deny {
    /// number of the request, from `mpp pending`
    #[argh(positional)]
    number: u64,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// List or revoke remembered approvals
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "approvals")]
pub struct ShowApprovals {
    /// revoke the approvals of the package with this id
    #[argh(option)]
    revoke: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl ShowPending {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let queue = PendingQueue::new(&home::home_dir()?);
        if self.follow {
            return follow(&queue, self.json);
        }
        let waiting = queue.all(Timestamp::now())?;
        let mut text: String = waiting.iter().map(request_text).collect();
        if waiting.is_empty() {
            text.push_str("no pending requests\n");
        }
        Ok(CommandOutput::new(text, Value::Array(waiting.iter().map(request_json).collect())))
    }
}

fn request_text(request: &PendingRequest) -> String {
    let expires = Some(request.expires);
    let question = question::of_request(&request.question, expires, terminal::width());
    format!("request {}\n{question}", request.number)
}

fn request_json(request: &PendingRequest) -> Value {
    let question = &request.question;
    let arguments = json::parse(question.arguments.as_bytes(), REQUEST_DEPTH_MAX);
    json!({
        "number": request.number, "package": package_row(question), "tool": question.tool,
        "listed_as": question.listed_as,
        "content_hash": question.content_hash.as_str(),
        "agent": question.agent, "arguments": arguments.ok(), "capabilities": question.capabilities,
        "security_level": question.security_level.as_str(),
        "is_destructive": question.is_destructive, "expires": request.expires.to_string(),
        "text": question::of_request(question, Some(request.expires), DIALOG_COLUMNS),
        "too_long": question::too_long(question),
    })
}

/// Prints each request when it is asked and, as JSON, when it has ended, until the reader of the output is closed.
fn follow(queue: &PendingQueue, as_json: bool) -> Result<CommandOutput, Error> {
    let (mut shown, mut last_line) = (BTreeSet::new(), Instant::now());
    loop {
        let waiting = queue.all(Timestamp::now())?;
        let numbers: BTreeSet<u64> = waiting.iter().map(|request| request.number).collect();
        let mut lines = Vec::new();
        for request in waiting.iter().filter(|request| !shown.contains(&request.number)) {
            lines.push(match as_json {
                true => json_line(&json!({ "event": "asked", "request": request_json(request) })),
                false => request_text(request),
            });
        }
        if as_json {
            let ended = shown.difference(&numbers);
            lines.extend(
                ended.map(|number| json_line(&json!({ "event": "ended", "number": number }))),
            );
            // Shows that this program still runs, and finds out whether anything still reads.
            if last_line.elapsed() >= FOLLOW_ALIVE_PERIOD && lines.is_empty() {
                lines.push(json_line(&json!({ "event": "waiting", "requests": numbers.len() })));
            }
        }
        for line in lines {
            let mut out = std::io::stdout().lock();
            if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
                return Ok(CommandOutput::new("", Value::Null));
            }
            last_line = Instant::now();
        }
        shown = numbers;
        std::thread::sleep(FOLLOW_POLL_PERIOD);
    }
}

fn package_row(question: &ApprovalRequest) -> String {
    format!("{} {} by {}", question.package, question.version, question.publisher)
}

impl Approve {
    // [CONS-24]
    pub fn run(self) -> Result<CommandOutput, Error> {
        let (home, now) = (home::home_dir()?, Timestamp::now());
        let pending = PendingQueue::new(&home);
        let waiting = pending.all(now)?;
        let Some(found) = waiting.iter().find(|found| found.number == self.number) else {
            let detail = format!("no pending request {}", self.number);
            return Err(Error::new(Code::ConsentNoQuestion, detail));
        };
        let mut may_remember = !self.once && !found.question.is_destructive;
        if !self.yes {
            if !terminal::is_interactive() {
                return Err(usage_error("approving requires a terminal or --yes"));
            }
            if let Some(why) = question::too_long(&found.question) {
                let number = self.number;
                let detail = format!(
                    "request {number}: {why}; run `mpp deny {number}`, or read them with `mpp pending` and run \
                     `mpp approve {number} --yes`"
                );
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            let expires = Some(found.expires);
            let shown = question::of_request(&found.question, expires, terminal::width());
            super::warn(shown.trim_end());
            match terminal::decide(may_remember) {
                Decision::Always => {}
                Decision::Once => may_remember = false,
                Decision::No => {
                    pending.deny(self.number, now)?;
                    let detail = format!("request {} was denied", self.number);
                    return Err(Error::new(Code::PolicyDeclined, detail));
                }
            }
        }
        // [CONS-25] After the prompt, during which the package can be removed.
        check_package(&home, &found.question.content_hash)
            .map_err(|error| error.context(format_args!("request {}", self.number)))?;
        let log = AuditLog::open(&home.join("audit"))?;
        let digest = |arguments: &Value| log.key().digest(arguments).as_str().to_owned();
        pending.approve(
            self.number,
            &terminal::user_label(),
            may_remember,
            digest,
            Timestamp::now(),
        )?;
        let text = format!("approved: request {}\n", self.number);
        Ok(CommandOutput::new(text, json!({ "approved": self.number })))
    }
}

/// Refuses a package that no call could run: one that was removed, or whose signers are no longer trusted.
// [CONS-30]
fn check_package(home: &Path, content_hash: &ContentHash) -> Result<(), Error> {
    let store = PackageStore::new(home);
    store.check(content_hash)?;
    let seen = home.join(SEEN_FILE_NAME);
    let trust = TrustStore::load_with_versions(&home.join(FILE_NAME), &seen)?;
    let signers_required = run::load_policy(None, home)?.signers_required();
    let gatekeeper = Gatekeeper::new(trust, Timestamp::now()).signers_required(signers_required);
    gatekeeper.verify(&store.read(content_hash)?).map(drop)
}

impl Deny {
    pub fn run(self) -> Result<CommandOutput, Error> {
        PendingQueue::new(&home::home_dir()?).deny(self.number, Timestamp::now())?;
        let text = format!("denied: request {}\n", self.number);
        Ok(CommandOutput::new(text, json!({ "denied": self.number })))
    }
}

impl ShowApprovals {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let approvals = Approvals::new(&home::home_dir()?);
        if let Some(package) = self.revoke {
            if approvals.revoke(&package)? == 0 {
                let detail =
                    format!("no remembered approvals of {}", mpp::text::quote_untrusted(&package));
                return Err(Error::new(Code::ConsentNoQuestion, detail));
            }
            let text = format!("revoked: {package}\n");
            return Ok(CommandOutput::new(text, json!({ "revoked": package })));
        }
        let (all, mut text) = (approvals.all()?, String::new());
        for one in &all {
            text.push_str(&format!("{}\n", one.package));
            text.push_str(&terminal::columns(&[
                ("content", terminal::short(&one.content_hash)),
                ("granted", question::or_nothing(&one.capabilities)),
                ("approved by", format!("{} at {}", one.by, one.at)),
            ]));
        }
        if all.is_empty() {
            text.push_str("no remembered approvals\n");
        }
        let json = all.iter().map(|one| {
            json!({
                "package": one.package, "content_hash": one.content_hash.as_str(),
                "capabilities": one.capabilities, "by": one.by, "at": one.at.to_string(),
            })
        });
        Ok(CommandOutput::new(text, Value::Array(json.collect())))
    }
}

/// The approver at the terminal, or `--yes`.
pub struct TerminalApprover<'a> {
    pub home: &'a Path,
    pub approved: bool,
    pub show_changes: bool,
    pub show_stderr: bool,
}

impl TerminalApprover<'_> {
    /// Approves this one call, with the proof of approval that a destructive tool requires.
    fn approve_once(&self, question: &ApprovalRequest, by: String) -> ApprovalDecision {
        if !question.is_destructive {
            return ApprovalDecision::ApprovedOnce(by);
        }
        match host_key(self.home) {
            Ok(key) => ApprovalDecision::ApprovedWithProof(EphemeralAttestation::sign(
                &key,
                question,
                &by,
                Timestamp::now(),
            )),
            Err(error) => ApprovalDecision::NoResponse(error.detail().to_owned()),
        }
    }
}

impl Approver for TerminalApprover<'_> {
    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        if self.approved {
            return self.approve_once(question, "--yes".to_owned());
        }
        if !terminal::is_interactive() {
            return ApprovalDecision::NoApprover;
        }
        if let Some(why) = question::too_long(question) {
            return ApprovalDecision::NoResponse(format!(
                "{why}, or inspect the package and pass --yes"
            ));
        }
        super::warn(question::of_request(question, None, terminal::width()).trim_end());
        match terminal::decide(!question.is_destructive) {
            Decision::Once => self.approve_once(question, terminal::user_label()),
            Decision::Always => ApprovalDecision::ApprovedAlways(terminal::user_label()),
            Decision::No => ApprovalDecision::Denied,
        }
    }

    fn show_stderr(&self, filtered: &mut dyn FnMut() -> String) {
        if self.show_stderr {
            super::warn(terminal::printable(&filtered()).trim_end());
        }
    }

    // [BOX-93]
    fn approve_changes(&self, changes: &Changes) -> bool {
        if !self.show_changes {
            return true;
        }
        let row = |(path, action): (String, &FileOp)| {
            let size = match action {
                FileOp::WriteFile { content, .. } => format!(" ({} bytes)", content.len()),
                _ => String::new(),
            };
            // A line break in a name would look like another change.
            (verb(action), format!("{}{size}", path.escape_debug()))
        };
        let rows: Vec<_> = changes.iter().map(row).collect();
        super::warn(terminal::columns(&rows).trim_end());
        let prompt = format!("Apply these {} changes?", rows.len());
        self.approved || (terminal::is_interactive() && terminal::confirm(&prompt))
    }
}

/// Names a change of a file.
fn verb(action: &FileOp) -> &'static str {
    match action {
        FileOp::RemoveFile => "remove",
        FileOp::RemoveDirectory => "remove directory",
        FileOp::CreateDirectory => "create directory",
        FileOp::WriteFile { replaces: true, .. } => "replace",
        FileOp::WriteFile { replaces: false, .. } => "create",
    }
}
