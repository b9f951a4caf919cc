//! One page, with nothing from elsewhere, that compares implementations: rows are checks and operations, columns are
//! implementations, and a number opens its cases.

use crate::report::{grouped, Group, Report, Row};
use crate::score::Ending;
use crate::suite::Profiles;
use crate::text::markup;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const LEAD: &str = "Each implementation is given the cases of its profile: packages, files of a host, and calls. A case \
    states whether to accept or to refuse, and for which reason. It passes if the verdict, the reason and the answer \
    are as stated, two times. Open a number to see its cases.";

pub fn page(reports: &[Report]) -> String {
    let names: Vec<String> = reports.iter().map(|report| markup(&report.name())).collect();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>MPP conformance: {}</title>\n<style>\n{}</style>\n<h1>MPP conformance</h1>\n<p class=\"lead\">{LEAD}</p>\n",
        names.join(", "),
        include_str!("page.css")
    );
    html.push_str("<h2>Implementations</h2>\n<div class=\"cards\">\n");
    reports.iter().for_each(|report| card(&mut html, report));
    html.push_str("</div>\n");
    table(&mut html, reports, &names);
    differences(&mut html, reports, &names);
    html.push_str("</html>\n");
    html
}

/// What one implementation achieves as a whole.
fn card(html: &mut String, report: &Report) {
    let class = if report.passed { "good" } else { "bad" };
    let _ = writeln!(
        html,
        "<section class=\"card\"><h3>{}</h3><p class=\"{class}\">{} {}</p>\
         <p class=\"quiet\">suite {}, <code>{}</code></p><table>",
        markup(&report.name()),
        mark(report.passed),
        markup(&report.verdict()),
        markup(&report.suite.version),
        // Enough to see whether two are the same.
        markup(report.suite.digest.get(..19).unwrap_or(&report.suite.digest)),
    );
    for (part, score) in report.scored() {
        let _ = writeln!(html, "<tr><th>right {part}<td>{} of {}", score.right, score.of);
    }
    for (ending, count) in report.counted().filter(|(ending, _)| *ending != Ending::Pass) {
        let _ = writeln!(html, "<tr><th>{}<td>{count}", ending.label());
    }
    html.push_str("</table>");
    for pattern in &report.stale {
        let _ = write!(
            html,
            "<p class=\"bad\">stale known failure: <code>{}</code></p>",
            markup(pattern)
        );
    }
    html.push_str("</section>\n");
}

fn mark(is_good: bool) -> &'static str {
    if is_good {
        "✓"
    } else {
        "✗"
    }
}

fn table(html: &mut String, reports: &[Report], names: &[String]) {
    let profiles = Profiles::new();
    let by_report: Vec<BTreeMap<Group, Vec<&Row>>> = reports.iter().map(grouped).collect();
    let groups: BTreeSet<&Group> = by_report.iter().flat_map(BTreeMap::keys).collect();
    let _ = writeln!(
        html,
        "<h2>Checks and operations</h2>\n<div style=\"--columns:{}\">\n<div class=\"row head\"><div></div>{}</div>",
        names.len(),
        names.iter().map(|name| format!("<div>{name}</div>")).collect::<String>()
    );
    for group in groups {
        let about = match group {
            Group::Check(_) => group.check().1,
            Group::Operation(op) => profiles.about(op),
        };
        let _ = writeln!(
            html,
            "<div class=\"row\"><div class=\"name\">{}<small>{about}</small></div>",
            markup(&group.name())
        );
        for (column, (groups, name)) in by_report.iter().zip(names).enumerate() {
            cell(html, column + 2, name, groups.get(group).map_or(&[], Vec::as_slice));
        }
        html.push_str("</div>\n");
    }
    html.push_str("</div>\n");
}

fn cell(html: &mut String, column: usize, name: &str, rows: &[&Row]) {
    let style = format!("style=\"--column:{column}\"");
    if rows.is_empty() {
        let _ = writeln!(html, "<div class=\"cell none\" {style}><span class=\"who\">{name}: </span>not in its profile</div>");
        return;
    }
    let passed = rows.iter().filter(|row| row.result == Ending::Pass).count();
    let is_good = !rows.iter().any(|row| row.failed);
    let class = if is_good { "good" } else { "bad" };
    let _ = writeln!(
        html,
        "<details class=\"cell {class}\" {style}><summary><span class=\"who\">{name}: </span>{} {passed} of {}</summary>\
         <ul class=\"cases\">",
        mark(is_good),
        rows.len()
    );
    let (good, bad): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.result == Ending::Pass);
    for row in bad.into_iter().chain(good) {
        let _ = writeln!(html, "<li>{}{}</li>", about(row), ending(row, None));
    }
    html.push_str("</ul></details>\n");
}

fn about(row: &Row) -> String {
    format!("<p><code>{}</code> <small>{}</small></p>", markup(&row.id), markup(&row.title))
}

/// What was expected and answered, here or by this implementation.
fn ending(row: &Row, name: Option<&str>) -> String {
    let (expected, answered) = (markup(&row.expected), markup(&row.answered));
    let label = row.result.label();
    let answered = match (row.failed, row.result) {
        (_, Ending::Pass) => answered,
        (true, _) => {
            format!(
                "<span class=\"bad\">{} {answered}</span> <small>({label})</small>",
                mark(false)
            )
        }
        (false, _) => format!("{answered} <small>({label})</small>"),
    };
    let known = row.known.as_ref();
    let known = known.map(|reason| format!("<dt>known<dd>{}", markup(reason))).unwrap_or_default();
    match name {
        Some(name) => format!("<dt>{name}<dd>{answered}{known}"),
        None if expected == answered => {
            format!("<dl><dt>expected and answered<dd>{expected}</dl>")
        }
        None => {
            format!("<dl><dt>expected<dd>{expected}<dt>answered<dd>{answered}{known}</dl>")
        }
    }
}

/// The cases that some pass and others do not.
fn differences(html: &mut String, reports: &[Report], names: &[String]) {
    let mut by_id: BTreeMap<&str, Vec<(&Row, &str)>> = BTreeMap::new();
    for (report, name) in reports.iter().zip(names) {
        for row in &report.cases {
            by_id.entry(&row.id).or_default().push((row, name));
        }
    }
    by_id.retain(|_, rows| rows.iter().any(|(row, _)| row.result != rows[0].0.result));
    if reports.len() < 2 {
        return;
    }
    let _ = writeln!(
        html,
        "<h2>Where they differ</h2>\n<p>{} cases end in different ways.</p>",
        by_id.len()
    );
    if by_id.is_empty() {
        return;
    }
    html.push_str("<details><summary>Show these cases</summary><ul class=\"cases\">\n");
    for rows in by_id.values() {
        let (first, _) = rows[0];
        let answers: String = rows.iter().map(|(row, name)| ending(row, Some(name))).collect();
        let expected = markup(&first.expected);
        let _ =
            writeln!(html, "<li>{}<dl><dt>expected<dd>{expected}{answers}</dl></li>", about(first));
    }
    html.push_str("</ul></details>\n");
}
