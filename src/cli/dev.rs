//! `mpp dev`: builds, checks and tries a tool, again after each change.

use super::report::{outcome_text, text_of, wrapped};
use super::terminal::width;
use super::{json_line, read_bytes, usage_error, CommandOutput};
use crate::author::cases::{self, Outcome};
use crate::author::check::{self, Report};
use crate::author::dev::{self, Provided, Session};
use crate::author::finding::{Finding, Severity};
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
        let provided = Provided {
            directories: pairs("--map", &self.map)?,
            variables: pairs("--env", &self.env)?,
        };
        let arguments = self.arguments()?;
        if !self.watch {
            return self.attempt(self.build(), &provided, &arguments);
        }
        let build = || self.build();
        dev::watch(&self.directory, build, |built| {
            let (text, json) = match self.attempt(built, &provided, &arguments) {
                Ok(output) => (output.text, output.json),
                Err(error) => (
                    super::error_text(&error) + "\n",
                    json!({ "error": super::error_json(&error) }),
                ),
            };
            print_open(&if self.json { json_line(&json) } else { text })
        });
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

    fn build(&self) -> Result<u8, Error> {
        if self.no_build {
            return Ok(0);
        }
        dev::build(&self.directory)
    }

    fn attempt(
        &self,
        built: Result<u8, Error>,
        provided: &Provided,
        arguments: &Value,
    ) -> Result<CommandOutput, Error> {
        let status = built?;
        if status != 0 {
            let text = format!("the build ended with status {status}\n");
            let json = json!({ "build": { "status": status }, "findings": [], "cases": [] });
            return Ok(CommandOutput { text, json, exit_status: status });
        }
        let mut report = check::check(&self.directory);
        let findings: Vec<Value> = report.findings.iter().map(Finding::to_json).collect();
        report.findings.retain(|it| it.severity != Severity::Note);
        let mut text = if report.findings.is_empty() { String::new() } else { text_of(&report) };
        let Report { contents, manifest: Some(manifest), .. } = report else {
            let json = json!({ "build": { "status": 0 }, "findings": findings, "cases": [] });
            let exit_status = Class::Refused.exit_status();
            return Ok(CommandOutput { text, json, exit_status });
        };
        let session = Session::open(contents, &manifest, provided)?;
        let (outcomes, is_single) = match &self.tool {
            Some(tool) => (Some(vec![cases::call(&session, tool, arguments)]), true),
            None => {
                let cases = cases::read(&self.directory)?;
                let run = |case: &Value| cases::run(&session, case);
                (cases.map(|cases| cases.iter().map(run).collect::<Vec<_>>()), false)
            }
        };
        if outcomes.is_none() {
            let name = self.directory.join(cases::FILE_NAME);
            text += &wrapped(
                &format!("no {}: no case was run; try --tool NAME --args JSON", name.display()),
                width(),
                "  ",
            );
        }
        let outcomes = outcomes.unwrap_or_default();
        let failed = outcomes.iter().filter(|it| it.fault.is_some()).count();
        outcomes.iter().for_each(|it| text += &outcome_text(it, is_single));
        if !is_single && !outcomes.is_empty() {
            let passed = outcomes.len().saturating_sub(failed);
            text += &format!("{passed} passed, {failed} failed\n");
        }
        let json = json!({
            "build": { "status": 0 }, "findings": findings,
            "cases": outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
        });
        let tool_failed = failed > 0 || outcomes.iter().any(|it| it.is_error);
        let exit_status = match is_single {
            true if tool_failed => Class::Tool.exit_status(),
            false if failed > 0 => Class::Refused.exit_status(),
            _ => 0,
        };
        Ok(CommandOutput { text, json, exit_status })
    }
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
