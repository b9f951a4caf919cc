//! The report in the form that build servers read.

use crate::report::{grouped, Report, Row};
use crate::text::markup;
use std::fmt::Write;

pub fn junit(report: &Report) -> String {
    let failed = report.cases.iter().filter(|row| row.failed).count() + report.stale.len();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{failed}\" time=\"{:.3}\">",
        markup(&report.name()),
        report.cases.len() + report.stale.len(),
        report.duration_ms as f64 / 1000.0
    );
    for (group, rows) in grouped(report) {
        let name = markup(&group.name());
        let failed = rows.iter().filter(|row| row.failed).count();
        let tests = rows.len();
        let _ =
            writeln!(xml, "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">");
        for row in rows {
            let id = markup(&row.id);
            let _ = writeln!(
                xml,
                "<testcase classname=\"{name}\" name=\"{id}\">{}</testcase>",
                end(row)
            );
        }
        xml.push_str("</testsuite>\n");
    }
    if !report.stale.is_empty() {
        let count = report.stale.len();
        let _ = writeln!(
            xml,
            "<testsuite name=\"known failures\" tests=\"{count}\" failures=\"{count}\">"
        );
        for pattern in &report.stale {
            let pattern = markup(pattern);
            let _ = writeln!(
                xml,
                "<testcase classname=\"known failures\" name=\"{pattern}\"><failure message=\"stale\"/></testcase>"
            );
        }
        xml.push_str("</testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn end(row: &Row) -> String {
    let texts = format!("expected {}\nanswered {}", markup(&row.expected), markup(&row.answered));
    let label = row.result.label();
    match (row.failed, &row.known, row.result) {
        (true, ..) => format!("<failure message=\"{label}\">{texts}</failure>"),
        (false, Some(reason), _) => format!("<skipped message=\"known: {}\"/>", markup(reason)),
        (false, None, crate::score::Ending::Pass) => String::new(),
        (false, None, _) => format!("<skipped message=\"{}\"/>", markup(&row.answered)),
    }
}
