//! One run of `mpp dev`: build, check, then the cases or one call.

use super::cases::{self, Outcome};
use super::check::{self, Report};
use super::dev::{self, Provided, Session};
use super::finding::Finding;
use super::web::Web;
use mpp::Error;
use serde_json::{json, Value};
use std::path::PathBuf;

/// What to run.
pub struct Plan {
    pub project: PathBuf,
    pub provided: Provided,
    /// One call of a tool instead of the cases.
    pub call: Option<(String, Value)>,
    pub is_built: bool,
}

/// How far a run went, and what it found.
pub struct Attempt {
    /// The exit status of the build; after a failure nothing else ran.
    pub build_status: u8,
    pub report: Option<Report>,
    /// `None` if nothing was called: the check found an error, or there are no cases.
    pub outcomes: Option<Vec<Outcome>>,
}

impl Plan {
    /// Returns the exit status of the build script.
    pub fn build(&self) -> Result<u8, Error> {
        if self.is_built {
            return Ok(0);
        }
        dev::build(&self.project)
    }

    pub fn attempt(&self, build_status: u8) -> Result<Attempt, Error> {
        if build_status != 0 {
            return Ok(Attempt { build_status, report: None, outcomes: None });
        }
        let mut report = check::check(&self.project);
        let outcomes = match &report.manifest {
            None => None,
            Some(manifest) => {
                let contents = std::mem::take(&mut report.contents);
                let open = |web| Session::open(contents, manifest, &self.provided, web);
                match &self.call {
                    Some((tool, arguments)) => {
                        Some(vec![cases::call(&open(None)?, tool, arguments)])
                    }
                    None => match cases::read(&self.project)? {
                        None => {
                            // A directory or variable that is not requested is refused all the same.
                            open(None)?;
                            None
                        }
                        Some(cases) => {
                            let session = open(Web::of(&cases))?;
                            let run = |case: &Value| cases::run(&session, case);
                            Some(cases.iter().map(run).collect())
                        }
                    },
                }
            }
        };
        Ok(Attempt { build_status, report: Some(report), outcomes })
    }
}

impl Attempt {
    pub fn failed(&self) -> usize {
        let outcomes = self.outcomes.iter().flatten();
        outcomes.filter(|outcome| outcome.fault.is_some()).count()
    }

    pub fn to_json(&self) -> Value {
        let findings = self.report.iter().flat_map(|report| &report.findings);
        let cases = self.outcomes.iter().flatten();
        json!({
            "build": { "status": self.build_status },
            "findings": findings.map(Finding::to_json).collect::<Vec<_>>(),
            "cases": cases.map(Outcome::to_json).collect::<Vec<_>>(),
        })
    }
}
