//! `mpp dev`: builds, checks and tries a tool, again after each change.

use super::report::attempt_text;
use super::{json_line, read_bytes, usage_error, CommandOutput};
use crate::author::attempt::{Attempt, Plan};
use crate::author::dev::{self, Provided};
use argh::{ArgsInfo, FromArgs};
use mpp::{json, Class, Error};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Build, check and try a tool, without key and trust
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "dev")]
#[argh(note = "Runs the cases of DIR/tests.json, or one call with --tool.")]
pub struct Dev {
    /// project of `mpp new`
    #[argh(positional)]
    directory: PathBuf,
    /// call this tool once
    #[argh(option)]
    tool: Option<String>,
    /// pass this JSON object, or @FILE [default: {}]
    #[argh(option)]
    args: Option<String>,
    /// map a requested directory: GUEST=HOST (repeatable)
    #[argh(option)]
    map: Vec<String>,
    /// set a requested variable: NAME=VALUE (repeatable)
    #[argh(option)]
    env: Vec<String>,
    /// do not run DIR/build
    #[argh(switch)]
    no_build: bool,
    /// again after each change of a file
    #[argh(switch)]
    watch: bool,
    /// print JSON, one line for each run
    #[argh(switch)]
    pub json: bool,
}

impl Dev {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if self.args.is_some() && self.tool.is_none() {
            return Err(usage_error("--args needs --tool"));
        }
        let (directories, variables) = (pairs("--map", &self.map)?, pairs("--env", &self.env)?);
        let arguments = self.arguments()?;
        let plan = Plan {
            project: self.directory,
            provided: Provided { directories, variables },
            call: self.tool.map(|tool| (tool, arguments)),
            is_built: self.no_build,
        };
        if !self.watch {
            return plan.attempt(plan.build()?).map(|attempt| output(&plan, &attempt));
        }
        dev::watch(
            &plan.project,
            || plan.build(),
            |built| {
                let (text, json) = match built.and_then(|status| plan.attempt(status)) {
                    Ok(attempt) => {
                        let output = output(&plan, &attempt);
                        (output.text, output.json)
                    }
                    Err(error) => (
                        super::error_text(&error) + "\n",
                        json!({ "error": super::error_json(&error) }),
                    ),
                };
                print_open(&if self.json { json_line(&json) } else { text })
            },
        );
        Ok(CommandOutput::new("", Value::Null))
    }

    fn arguments(&self) -> Result<Value, Error> {
        let text = match self.args.as_deref() {
            None => return Ok(json!({})),
            Some(text) => match text.strip_prefix('@') {
                Some(file) => read_bytes(Path::new(file))?,
                None => text.as_bytes().to_vec(),
            },
        };
        json::parse(&text, mpp::limits::REQUEST_DEPTH_MAX)
            .map_err(|error| usage_error(format!("--args is not JSON: {error}")))
    }
}

fn output(plan: &Plan, attempt: &Attempt) -> CommandOutput {
    let (is_single, failed) = (plan.call.is_some(), attempt.failed());
    let has_error = attempt.outcomes.iter().flatten().any(|it| it.is_error);
    let is_refused = attempt.report.as_ref().is_some_and(|report| report.manifest.is_none());
    let exit_status = match attempt.build_status {
        0 if is_single && (failed > 0 || has_error) => Class::Tool.exit_status(),
        0 if is_refused || failed > 0 => Class::Refused.exit_status(),
        status => status,
    };
    CommandOutput { text: attempt_text(plan, attempt), json: attempt.to_json(), exit_status }
}

/// Returns `false` if the reader has closed the pipe, which ends the watch.
fn print_open(text: &str) -> bool {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

fn pairs(option: &str, given: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let pair = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| usage_error(format!("{option} {text:?} has no `=`")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}
