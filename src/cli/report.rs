//! How `mpp check` and `mpp dev` print what they found, for a person.

use super::package::level_of;
use super::terminal::{printable, width};
use crate::author::attempt::{Attempt, Plan};
use crate::author::cases::{Outcome, FILE_NAME};
use crate::author::check::Report;
use crate::author::finding::{Finding, Severity};
use serde_json::Value;

/// Formats all findings and a summary.
pub fn text_of(report: &Report) -> String {
    let columns = width();
    let text: String = report.findings.iter().map(|it| finding(it, columns)).collect();
    let count = |severity, what: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{count} {what}s")),
    };
    let counts: Vec<String> = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Note, "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let counts = match counts.is_empty() {
        true => "nothing found".to_owned(),
        false => counts.join(", "),
    };
    let risk = match &report.risk {
        Some(risk) => format!("; risk {}", level_of(risk)),
        None => String::new(),
    };
    let (files, bytes) = (report.files_count, report.files_bytes);
    text + &wrapped(&format!("{counts}; {files} files, {bytes} bytes{risk}"), columns, "")
}

fn finding(finding: &Finding, columns: usize) -> String {
    let severity = finding.severity.as_str();
    let message = format!("{severity}[{}]: {}", finding.code, finding.message);
    // A path stays on one line, so that editors and terminals find it.
    let place = one_line(&finding.place());
    let help = wrapped(&format!("help: {}", finding.help), columns, "  ");
    format!("{}  --> {place}\n{help}\n", wrapped(&message, columns, "  "))
}

fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Breaks a text between words; lines after the first begin with `indent`.
fn wrapped(text: &str, columns: usize, indent: &str) -> String {
    let (mut out, mut used) = (String::new(), 0_usize);
    for word in one_line(text).split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used.saturating_add(length) >= columns {
            out.push('\n');
            out.push_str(indent);
            used = indent.len();
        } else if used > 0 {
            out.push(' ');
            used = used.saturating_add(1);
        }
        out.push_str(word);
        used = used.saturating_add(length);
    }
    out + "\n"
}

/// Formats one run of `mpp dev`.
pub fn attempt_text(plan: &Plan, attempt: &Attempt) -> String {
    let Some(report) = &attempt.report else {
        return format!("the build ended with status {}\n", attempt.build_status);
    };
    let (is_single, has_notes_only) = (plan.call.is_some(), report.worst() >= Severity::Note);
    let mut text = if has_notes_only { String::new() } else { text_of(report) };
    let Some(outcomes) = &attempt.outcomes else {
        if report.manifest.is_some() {
            let name = plan.project.join(FILE_NAME);
            let what = format!("no {}: no case was run; try --tool NAME", name.display());
            text += &wrapped(&what, width(), "  ");
        }
        return text;
    };
    text.extend(outcomes.iter().map(|outcome| outcome_text(outcome, is_single)));
    if !is_single {
        let passed = outcomes.len().saturating_sub(attempt.failed());
        text += &format!("{passed} passed, {} failed\n", attempt.failed());
    }
    text
}

/// Formats a case, or all that a single call did.
fn outcome_text(outcome: &Outcome, is_single: bool) -> String {
    let verdict = match (&outcome.fault, is_single) {
        (None, true) if outcome.is_error => "error",
        (None, true) => "answer",
        (None, false) => "pass",
        (Some(_), _) => "FAIL",
    };
    let (title, fuel, ms) = (&outcome.title, outcome.fuel_used, outcome.duration_ms);
    let kinds = outcome.redacted.as_object().into_iter().flatten();
    let redacted: String = kinds
        .filter_map(|(kind, found)| Some(format!(", {} {kind} redacted", found.get("count")?)))
        .collect();
    let line = format!("{verdict}  {title} ({fuel} fuel, {ms} ms{redacted})");
    let mut text = wrapped(&line, width(), "      ");
    let mut part = |label: &str, shown: &str| {
        if !shown.is_empty() {
            let lines = printable(shown.trim_end());
            let lines: String = lines.split('\n').map(|line| format!("      {line}\n")).collect();
            text += &format!("    {label}\n{lines}");
        }
    };
    let show = is_single || outcome.fault.is_some();
    part("why", outcome.fault.as_deref().unwrap_or_default());
    part("note", outcome.note.as_deref().filter(|_| show).unwrap_or_default());
    if is_single {
        let blocks = outcome.answer.get("content").and_then(Value::as_array);
        for block in blocks.into_iter().flatten() {
            let block_text = block.get("text").and_then(Value::as_str).map(str::to_owned);
            part("content", &block_text.unwrap_or_else(|| block.to_string()));
        }
        let structured = outcome.answer.get("structuredContent").filter(|it| !it.is_null());
        let structured = structured.map(|it| serde_json::to_string_pretty(it).unwrap_or_default());
        part("structuredContent", &structured.unwrap_or_default());
    }
    part("stdout begins with", outcome.stdout.as_deref().unwrap_or_default());
    part("stderr", if show { &outcome.stderr } else { "" });
    text
}
