//! `mpp check`: prints what is wrong with a project, as compilers do.

use super::{report, CommandOutput};
use crate::author::check;
use crate::author::finding::{Finding, Severity};
use argh::{ArgsInfo, FromArgs};
use mpp::{Class, Error};
use serde_json::Value;
use std::path::PathBuf;

/// Report every fault of a project, without a key
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "check")]
#[argh(note = "Exit status 1 if there is an error; warnings and notes leave it 0.")]
pub struct Check {
    /// project of `mpp new`, or directory with manifest.json
    #[argh(positional)]
    directory: PathBuf,
    /// print JSON, for editors
    #[argh(switch)]
    pub json: bool,
}

impl Check {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let report = check::check(&self.directory);
        let json = report.findings.iter().map(Finding::to_json).collect::<Vec<_>>();
        let exit_status = match report.count(Severity::Error) {
            0 => 0,
            _ => Class::Refused.exit_status(),
        };
        Ok(CommandOutput { text: report::text_of(&report), json: Value::Array(json), exit_status })
    }
}
