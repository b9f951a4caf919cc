//! Terminal output and prompts.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Replaces control characters, invisible ones and those that change the direction of text.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            _ if mpp::text::is_hidden(c) => '\u{fffd}',
            _ => c,
        })
        .collect()
}

/// Returns `true` if stdin and stderr are a terminal: prompts go to stderr, replies come from stdin.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Prompts for a confirmation: `y` or `yes`.
pub fn confirm(question: &str) -> bool {
    matches!(prompt(&format!("{question} [y/N] ")).as_str(), "y" | "yes")
}

/// Prompts and returns the reply in lower case, or an empty string.
pub fn prompt(prompt: &str) -> String {
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

/// Formats rows of two columns, with the second one wrapped.
pub fn columns(rows: &[(&str, String)]) -> String {
    const WIDTH: usize = 100;
    let left = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let width = WIDTH.saturating_sub(left).saturating_sub(4);
    let mut out = String::new();
    for (name, text) in rows {
        let mut label = *name;
        // Lines are broken at spaces only: no other blank lets untrusted text start a line.
        let text = printable(text).replace(is_other_blank, " ");
        for line in text.split('\n').flat_map(|line| wrap(line, width)) {
            out.push_str(format!("  {label:left$}  {line}").trim_end());
            out.push('\n');
            label = "";
        }
    }
    out
}

fn is_other_blank(c: char) -> bool {
    (c.is_whitespace() && c != '\n') || c == '\u{2800}'
}

/// Breaks a line at spaces, and a longer word at the width.
fn wrap(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() < width {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    let words = line.split(' ').flat_map(|word| {
        let characters: Vec<char> = word.chars().collect();
        let full = width.saturating_sub(1).max(1);
        let parts: Vec<String> =
            characters.chunks(full).map(|part| part.iter().collect()).collect();
        if parts.is_empty() {
            vec![String::new()]
        } else {
            parts
        }
    });
    for word in words {
        let Some(last) = lines.last_mut() else { break };
        let used = last.chars().count();
        if used > 0 && used.saturating_add(word.chars().count()) >= width {
            lines.push(word);
        } else {
            if used > 0 {
                last.push(' ');
            }
            last.push_str(&word);
        }
    }
    lines
}
