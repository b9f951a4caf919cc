//! The summary for a terminal.

use crate::report::{grouped, Group, Report, Row, Score};
use crate::score::Ending;
use crate::text::{visible, wrapped};
use std::collections::BTreeMap;

/// More failures than this are in the reports only.
const FAILURES_SHOWN_MAX: usize = 10;

pub fn summary(report: &Report, width: usize) -> String {
    let mut lines = Vec::new();
    let seconds = report.duration_ms as f64 / 1000.0;
    lines.push(report.name());
    lines.push(format!(
        "suite {}, profile {}, {} cases twice in {seconds:.1} s, second order by seed {}",
        report.suite.version,
        report.profile,
        report.cases.len(),
        report.seed
    ));
    lines.push(String::new());
    for (group, rows) in grouped(report) {
        let passed = rows.iter().filter(|row| row.result == Ending::Pass).count();
        let mark = if rows.iter().any(|row| row.failed) { "fails" } else { "" };
        let line = format!("  {:22}{passed:5} of {:5}  {mark}", group.name(), rows.len());
        lines.push(line.trim_end().to_owned());
    }
    lines.push(String::new());
    for (part, Score { right, of }) in report.scored() {
        lines.push(format!("  {:22}{right:5} of {of:5}", format!("right {part}")));
    }
    lines.push(String::new());
    for (ending, count) in report.counted() {
        lines.push(format!("  {count:5} {}", ending.label()));
    }
    let is_shown = |row: &&Row| row.failed && row.result != Ending::NotRun;
    let failures: Vec<_> = report.cases.iter().filter(is_shown).collect();
    for row in failures.iter().take(FAILURES_SHOWN_MAX) {
        lines.push(String::new());
        lines.push(format!("{}: {}", row.id, row.result.label()));
        lines.push(format!("  expected {}", row.expected));
        lines.push(format!("  answered {}", row.answered));
    }
    if failures.len() > FAILURES_SHOWN_MAX {
        lines.push(String::new());
        let rest = &failures[FAILURES_SHOWN_MAX..];
        let mut places: BTreeMap<Group, usize> = BTreeMap::new();
        rest.iter().for_each(|row| *places.entry(Group::of(row)).or_default() += 1);
        let places: Vec<_> =
            places.iter().map(|(group, count)| format!("{count} in {}", group.name())).collect();
        lines.push(format!("{} more fail: {}", rest.len(), places.join(", ")));
    }
    if !report.stale.is_empty() {
        lines.push(String::new());
        lines.push("Known failures to remove, since they pass or do not exist:".to_owned());
        lines.extend(report.stale.iter().map(|pattern| format!("  {pattern}")));
    }
    lines.push(String::new());
    lines.push(format!("{} {}", report.name(), report.verdict()));
    let lines = lines.iter().map(|line| wrapped(&visible(line), width) + "\n");
    lines.collect()
}
