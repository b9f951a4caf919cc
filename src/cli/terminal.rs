//! Terminal output and prompts.

use mpp::consent::question;
pub use mpp::consent::question::printable;
use mpp::package::content_hash::ContentHash;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

/// Columns of a text that no terminal shows.
const WIDTH: usize = 100;
const WIDTH_MAX: usize = 200;

/// How a label is shown on a terminal.
#[derive(Clone, Copy)]
pub enum Style {
    Bold = 1,
    Bad = 31,
    Good = 32,
    Warn = 33,
}

/// Paints a label if a terminal shows it: never in a pipe or a file, with `NO_COLOR` or on a dumb terminal.
/// Only this program's own words are painted.
pub fn paint(style: Style, label: &str) -> String {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_able = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let is_shown = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    match is_shown && is_able && !is_set("NO_COLOR") {
        true => format!("\u{1b}[{}m{label}\u{1b}[0m", style as u8),
        false => label.to_owned(),
    }
}

/// A person's decision about a request.
pub enum Decision {
    Once,
    Always,
    No,
}

/// Returns `true` if stdin and stderr are a terminal: prompts go to stderr, replies come from stdin.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Prompts for a confirmation: `y` or `yes`.
pub fn confirm(question: &str) -> bool {
    matches!(prompt(&format!("{question} y: yes; n: no [y/N] ")).as_str(), "y" | "yes")
}

/// Prompts for a decision about a request; without `may_remember` only about this one call.
// [CONS-29]
pub fn decide(may_remember: bool) -> Decision {
    let always = if may_remember { "a: always, for exactly this version; " } else { "" };
    match prompt(&format!("Allow this? y: once; {always}n: no [y/N] ")).as_str() {
        "y" | "yes" => Decision::Once,
        "a" | "always" if may_remember => Decision::Always,
        _ => Decision::No,
    }
}

/// Prompts and returns the reply in lower case, or an empty string.
fn prompt(prompt: &str) -> String {
    let mut err = std::io::stderr().lock();
    if write!(err, "{prompt}").and_then(|()| err.flush()).is_err() {
        return String::new();
    }
    let mut reply = String::new();
    match std::io::stdin().lock().read_line(&mut reply) {
        Ok(_) => reply.trim().to_ascii_lowercase(),
        Err(_) => String::new(),
    }
}

/// Returns the approver's name for the audit log: the session's user name, which is not verified.
pub fn user_label() -> String {
    let name = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && name.len() <= 64 && name.chars().all(is_name) {
        true => format!("terminal:{name}"),
        false => "terminal".to_owned(),
    }
}

/// Shortens a content hash where a person only tells packages apart and compares nothing.
pub fn short(hash: &ContentHash) -> String {
    hash.as_str().chars().take("sha256:".len() + 12).chain(['…']).collect()
}

/// Formats rows of two columns, with the second one wrapped.
pub fn columns(rows: &[(&str, String)]) -> String {
    question::rows(rows, width())
}

/// Returns the width of the terminal in columns, at most 200. No function of the standard library returns it.
pub fn width() -> usize {
    let terminal = || {
        let stty = Command::new("stty").arg("size").stdin(Stdio::inherit()).output().ok()?;
        String::from_utf8(stty.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
    };
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    let found = is_interactive().then(terminal).flatten().filter(|columns| *columns > 0);
    found.or_else(variable).unwrap_or(WIDTH).clamp(20, WIDTH_MAX)
}
