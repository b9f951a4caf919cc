//! The result of a run, as the JSON report has it. The other forms are made from it.

use crate::known::Known;
use crate::message::Implementation;
use crate::run::{Run, SEED};
use crate::score::{answered, expected, judge, Ending, Outcome};
use crate::suite::{Case, Suite};
use crate::text::{short, visible};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const FORMAT: &str = "mpp-conform-report/1";

#[derive(Deserialize, Serialize)]
pub struct Report {
    pub format: String,
    pub suite: Version,
    pub profile: String,
    pub implementation: Implementation,
    /// Of the order in the second pass.
    pub seed: u64,
    pub duration_ms: u64,
    pub passed: bool,
    /// Why the run ended before its last case.
    pub ended_early: Option<String>,
    pub scores: Scores,
    pub counts: BTreeMap<Ending, u64>,
    /// Entries of the file of known failures that are to be removed.
    pub stale: Vec<String>,
    pub cases: Vec<Row>,
}

#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Version {
    pub version: String,
    pub digest: String,
}

#[derive(Default, Deserialize, Serialize)]
pub struct Scores {
    pub verdict: Score,
    pub check: Score,
    pub code: Score,
    pub answer: Score,
}

/// How many are right, of those in which something is expected.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
pub struct Score {
    pub right: u64,
    pub of: u64,
}

impl Score {
    fn add(&mut self, is_right: Option<bool>) {
        self.of += u64::from(is_right.is_some());
        self.right += u64::from(is_right == Some(true));
    }
}

/// One case.
#[derive(Deserialize, Serialize)]
pub struct Row {
    pub id: String,
    pub op: String,
    pub check: Option<u64>,
    pub title: String,
    pub result: Ending,
    /// Does it fail the run?
    pub failed: bool,
    /// Why it is known to fail.
    pub known: Option<String>,
    pub expected: String,
    pub answered: String,
}

pub fn report(suite: &Suite, profile: &str, cases: &[&Case], run: Run, known: &Known) -> Report {
    let mut scores = Scores::default();
    let mut counts: BTreeMap<Ending, u64> = Ending::ALL.into_iter().map(|it| (it, 0)).collect();
    let mut rows = Vec::new();
    for (case, (first, second)) in cases.iter().zip(&run.outcomes) {
        let (result, parts) = judge(&case.expect, first, second);
        scores.verdict.add(parts.verdict);
        scores.check.add(parts.check);
        scores.code.add(parts.code);
        scores.answer.add(parts.answer);
        *counts.entry(result).or_default() += 1;
        rows.push(Row {
            id: case.id.clone(),
            op: case.op.clone(),
            check: case.check,
            title: case.title.clone(),
            result,
            // A feature is a choice: without it the case is counted, and fails nothing.
            failed: result != Ending::Pass && !matches!(first, Outcome::LacksFeature(_)),
            known: None,
            expected: expected(&case.expect),
            answered: answered(first, second),
        });
    }
    let all: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    let ran: Vec<(&str, bool)> = rows.iter().map(|row| (row.id.as_str(), row.failed)).collect();
    let stale = known.stale(&all, &ran);
    for row in &mut rows {
        if let (true, Some(reason)) = (row.failed, known.reason(&row.id)) {
            row.known = Some(reason.to_owned());
            row.failed = false;
        }
    }
    let ended_early = run.ended_early.map(|reason| visible(&short(&reason, 300)));
    Report {
        format: FORMAT.to_owned(),
        suite: Version { version: suite.version.clone(), digest: suite.digest.clone() },
        profile: profile.to_owned(),
        implementation: named(run.implementation),
        seed: SEED,
        duration_ms: u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX),
        passed: ended_early.is_none()
            && stale.is_empty()
            && counts[&Ending::Pass] > 0
            && !rows.iter().any(|row| row.failed),
        ended_early,
        scores,
        counts,
        stale,
        cases: rows,
    }
}

/// The implementation with names that can be shown.
fn named(given: Implementation) -> Implementation {
    let plain = |text: &String| visible(&short(text, 60));
    let all = |names: &[String]| names.iter().take(100).map(plain).collect();
    Implementation {
        name: plain(&given.name),
        version: plain(&given.version),
        operations: all(&given.operations),
        features: all(&given.features),
    }
}

impl Report {
    pub fn read(text: &str) -> Result<Report, String> {
        let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match report.format == FORMAT {
            true => Ok(report),
            false => Err(format!("the format is not {FORMAT}")),
        }
    }

    pub fn count(&self, result: Ending) -> u64 {
        self.counts.get(&result).copied().unwrap_or_default()
    }

    pub fn name(&self) -> String {
        let Implementation { name, version, .. } = &self.implementation;
        match name.is_empty() {
            true => "an implementation without a name".to_owned(),
            false => format!("{name} {version}"),
        }
    }

    /// What it achieves, in one sentence.
    pub fn verdict(&self) -> String {
        let verb = if self.passed { "passes" } else { "fails" };
        let mut sentence = format!("{verb} profile {}", self.profile);
        let count = |is_it: fn(&&Row) -> bool| self.cases.iter().filter(is_it).count();
        for (count, what) in [
            (count(|row| row.failed), "failed"),
            (count(|row| row.known.is_some()), "known to fail"),
            (count(|row| row.is_choice()), "not sent, for features that it lacks"),
        ] {
            if count > 0 {
                sentence += &format!("; {count} of {} cases {what}", self.cases.len());
            }
        }
        if !self.stale.is_empty() {
            sentence += &format!("; {} known failures to remove", self.stale.len());
        }
        if let Some(reason) = &self.ended_early {
            sentence += &format!("; ended early: {reason}");
        }
        sentence
    }
}

impl Row {
    /// Was it not sent for lack of a feature, which fails nothing?
    pub fn is_choice(&self) -> bool {
        self.result == Ending::Unsupported && !self.failed && self.known.is_none()
    }
}

/// What a case is counted under: a check of `verify`, or an operation.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    Check(u64),
    Operation(String),
}

impl Group {
    pub fn of(row: &Row) -> Group {
        match row.check {
            Some(check) => Group::Check(check),
            None => Group::Operation(row.op.clone()),
        }
    }

    pub fn name(&self) -> String {
        match self {
            Group::Check(check) => format!("check {check}: {}", self.check().0),
            Group::Operation(op) => op.clone(),
        }
    }

    /// The name of a check, and what it is about.
    pub fn check(&self) -> (&'static str, &'static str) {
        let place = match self {
            Group::Check(check) => usize::try_from(*check).unwrap_or_default(),
            Group::Operation(_) => 0,
        };
        CHECKS.get(place.wrapping_sub(1)).copied().unwrap_or_default()
    }
}

const CHECKS: [(&str, &str); 7] = [
    ("archive", "the ZIP file: names, sizes, compression"),
    ("structure", "the files that a package must and may have"),
    ("content", "the hash over all files"),
    ("signature", "the signatures over the hash"),
    ("publisher", "the signer, in the trust store"),
    ("manifest", "the manifest: what the package asks for"),
    ("module", "the WebAssembly module"),
];

/// The cases of a report by what they are counted under.
pub fn grouped(report: &Report) -> BTreeMap<Group, Vec<&Row>> {
    let mut groups: BTreeMap<Group, Vec<&Row>> = BTreeMap::new();
    for row in &report.cases {
        groups.entry(Group::of(row)).or_default().push(row);
    }
    groups
}
