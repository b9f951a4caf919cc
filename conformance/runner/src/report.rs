//! The result of a run, as the JSON report has it. The other forms are made from it.

use crate::known::Known;
use crate::message::Implementation;
use crate::run::{Run, SEED};
use crate::score::{answered, expected, judge, Ending, Outcome, ENDINGS, PARTS};
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
    /// By the names in `PARTS`.
    pub scores: BTreeMap<String, Score>,
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

/// How many are right, of those in which something is expected.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
pub struct Score {
    pub right: u64,
    pub of: u64,
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
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut counts: BTreeMap<Ending, u64> = ENDINGS.map(|(ending, _)| (ending, 0)).into();
    let mut rows = Vec::new();
    for (case, (first, second)) in cases.iter().zip(&run.outcomes) {
        let (result, right) = judge(&case.expect, first, second);
        for (part, right) in PARTS.into_iter().zip(right) {
            let score = scores.entry(part.to_owned()).or_default();
            score.of += u64::from(right.is_some());
            score.right += u64::from(right == Some(true));
        }
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

    /// The scores of which something is expected.
    pub fn scored(&self) -> impl Iterator<Item = (&str, Score)> {
        let all = PARTS.into_iter().filter_map(|part| Some((part, *self.scores.get(part)?)));
        all.filter(|(_, score)| score.of > 0)
    }

    /// The endings that came about.
    pub fn counted(&self) -> impl Iterator<Item = (Ending, u64)> + '_ {
        self.counts.iter().filter(|(_, count)| **count > 0).map(|(ending, count)| (*ending, *count))
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
    ("structure", "required and allowed files"),
    ("content", "the hash over all files"),
    ("signature", "the signatures over the hash"),
    ("publisher", "the signer, in the trust store"),
    ("manifest", "what the package is and asks for"),
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
