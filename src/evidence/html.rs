//! One static page about a log: sums of its verified calls. Nothing in it comes from elsewhere, and no script runs.

use super::calls::Call;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// More days than this are shown as months.
const DAYS_COUNT_MAX: usize = 62;
const ROWS_COUNT_MAX: usize = 30;
const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --bar: #4a7bd0; --bad: #c2453d }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1.2rem; max-width: 60rem }
h1 { font-size: 1.5rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p, dl { margin: .4rem 0 } code { overflow-wrap: anywhere; font-size: .85em }
.sums { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0 }
.sums div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; min-width: 6.5rem }
.sums b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
td { padding: .2rem .5rem .2rem 0; vertical-align: middle; overflow-wrap: anywhere }
td:first-child { width: 42% } td:nth-child(2) { width: 4.5rem; text-align: right; font-variant-numeric: tabular-nums }
.bar { background: var(--bar); height: .8rem; border-radius: .2rem; min-width: 2px; print-color-adjust: exact;
  -webkit-print-color-adjust: exact }
.bad .bar { background: var(--bad) } .none { opacity: .7 }
@media (max-width: 30rem) { td:first-child { width: 55% } td:nth-child(3) { display: none } }
@media print { body { max-width: none; padding: 0 } h2, tr { break-inside: avoid; break-after: avoid } }
";

/// The sums of a log.
#[derive(Default)]
pub struct Page {
    calls: u64,
    refused: u64,
    failed: u64,
    unfinished: u64,
    times: BTreeMap<String, u64>,
    outcomes: BTreeMap<String, u64>,
    packages: BTreeMap<String, u64>,
    agents: BTreeMap<String, u64>,
    denials: BTreeMap<String, u64>,
    approvals: BTreeMap<String, u64>,
    redactions: BTreeMap<String, u64>,
    capabilities: BTreeMap<String, u64>,
    first: Option<String>,
    last: Option<String>,
}

fn add(sums: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    let name = if name.is_empty() { "not stated" } else { name };
    let sum = sums.entry(name.to_owned()).or_default();
    *sum = sum.saturating_add(count);
}

impl Page {
    pub fn add(&mut self, call: &Call) {
        let count = match call.outcome.as_str() {
            _ if call.is_refusal() => &mut self.refused,
            "ok" => &mut self.calls,
            "unfinished" => &mut self.unfinished,
            _ => &mut self.failed,
        };
        *count = count.saturating_add(1);
        let day = call.time.get(..10).unwrap_or_default();
        add(&mut self.times, day, 1);
        add(&mut self.outcomes, &call.outcome, 1);
        add(&mut self.agents, &call.agent, 1);
        if call.is_refusal() {
            let package = if call.package.is_empty() { "unknown package" } else { &call.package };
            add(&mut self.denials, &format!("{} ({})", package, call.outcome), 1);
        } else {
            add(&mut self.packages, &format!("{} {}", call.package, call.version), 1);
            add(&mut self.approvals, &call.granted_by, 1);
        }
        for capability in &call.capabilities {
            add(&mut self.capabilities, capability, 1);
        }
        for (kind, count) in &call.privacy {
            add(&mut self.redactions, kind, count.as_u64().unwrap_or_default());
        }
        self.first.get_or_insert_with(|| call.time.clone());
        self.last = Some(call.time.clone());
    }

    /// Writes the page. `records` and `head` are those of the whole log: a noted head pins every record.
    pub fn to_html(&self, log: &str, records: u64, head: &str) -> String {
        let mut page =
            String::from("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
        let _ = write!(
            page,
            "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Record of calls</title>\n\
             <style>{STYLE}</style>\n<h1>Record of calls</h1>\n"
        );
        let (first, last) = (self.first.as_deref(), self.last.as_deref());
        let span = match (first, last) {
            (Some(first), Some(last)) => format!("{first} to {last}, of "),
            _ => String::new(),
        };
        let _ = write!(
            page,
            "<p>{span}<code>{}</code>: {records} records, hash chain verified, head<br>\
             <code>{head}</code></p>\n<div class=\"sums\">",
            escape(log)
        );
        for (name, count) in [
            ("answered", self.calls),
            ("failed or lost", self.failed),
            ("refused", self.refused),
            ("unfinished", self.unfinished),
        ] {
            let _ = write!(page, "<div><b>{count}</b>{name}</div>");
        }
        page.push_str("</div>\n");
        let months = by_month(&self.times);
        let (times, unit) = match self.times.len() > DAYS_COUNT_MAX {
            true => (&months, "Months"),
            false => (&self.times, "Days"),
        };
        section(&mut page, unit, times, Order::Name, &|_| false);
        section(&mut page, "Outcomes", &self.outcomes, Order::Count, &|name| name != "ok");
        section(&mut page, "Packages", &self.packages, Order::Count, &|_| false);
        section(&mut page, "Refused", &self.denials, Order::Count, &|_| true);
        section(&mut page, "Allowed by", &self.approvals, Order::Count, &|_| false);
        section(&mut page, "Capabilities granted", &self.capabilities, Order::Count, &|_| false);
        section(&mut page, "Redacted", &self.redactions, Order::Count, &|_| false);
        section(&mut page, "Agents, by their own names", &self.agents, Order::Count, &|_| false);
        page.push_str("</html>\n");
        page
    }
}

#[derive(PartialEq)]
enum Order {
    Name,
    Count,
}

fn by_month(days: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut months = BTreeMap::new();
    for (day, count) in days {
        add(&mut months, day.get(..7).unwrap_or_default(), *count);
    }
    months
}

/// Writes a table of names, counts and bars; beyond `ROWS_COUNT_MAX` rows one for the rest.
fn section(
    page: &mut String,
    title: &str,
    sums: &BTreeMap<String, u64>,
    order: Order,
    is_bad: &dyn Fn(&str) -> bool,
) {
    let _ = writeln!(page, "<h2>{title}</h2>");
    if sums.is_empty() {
        page.push_str("<p class=\"none\">none</p>\n");
        return;
    }
    let mut rows: Vec<(&str, u64)> =
        sums.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    if order == Order::Count {
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    }
    let limit = if order == Order::Count { ROWS_COUNT_MAX } else { usize::MAX };
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    page.push_str("<table>\n");
    for (name, count) in rows.iter().take(limit) {
        let class = if is_bad(name) { " class=\"bad\"" } else { "" };
        let percent = count.saturating_mul(100).checked_div(most).unwrap_or_default();
        let name = escape(name);
        let _ = writeln!(
            page,
            "<tr{class}><td>{name}</td><td>{count}</td>\
             <td><div class=\"bar\" style=\"width:{percent}%\"></div></td></tr>"
        );
    }
    let rest: u64 = rows.iter().skip(limit).map(|(_, count)| *count).sum();
    if rest > 0 {
        let others = rows.len().saturating_sub(limit);
        let _ = writeln!(page, "<tr><td>{others} others</td><td>{rest}</td><td></td></tr>");
    }
    page.push_str("</table>\n");
}

/// Escapes a text for HTML, and hidden characters so that they are seen.
fn escape(text: &str) -> String {
    let text = mpp::text::quote_untrusted(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
