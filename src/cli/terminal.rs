//! Room: what goes to a terminal, and what a person at one is asked.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Text as it is, but without anything that a terminal would obey or that turns text around.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            _ if mpp::text::is_hidden(c) => '\u{fffd}',
            _ => c,
        })
        .collect()
}

/// Whether there is a person to ask: questions go to stderr, answers come from stdin.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that only `y` or `yes` agrees to.
pub fn confirm(question: &str) -> bool {
    matches!(prompt(&format!("{question} [y/N] ")).as_str(), "y" | "yes")
}

/// Asks, and gives the reply in small letters; nothing if there was none.
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

/// Whoever sits here, for the record: the name that the system gave the session, which is no proof.
pub fn user_label() -> String {
    let name = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && name.len() <= 64 && name.chars().all(is_name) {
        true => format!("terminal:{name}"),
        false => "terminal".to_owned(),
    }
}

/// Rows of two columns, the second one aligned and broken into lines that fit.
pub fn columns(rows: &[(&str, String)]) -> String {
    const WIDTH: usize = 100;
    let left = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let room = WIDTH.saturating_sub(left).saturating_sub(4);
    let mut out = String::new();
    for (name, text) in rows {
        let mut label = *name;
        // Every blank as the one that lines are broken at: no text may move its rest to a line of its own.
        let text = printable(text).replace(is_other_blank, " ");
        for line in text.split('\n').flat_map(|line| wrap(line, room)) {
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

/// Breaks a line at spaces, and a word that is too long wherever a line is full.
fn wrap(line: &str, room: usize) -> Vec<String> {
    if line.chars().count() < room {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    let words = line.split(' ').flat_map(|word| {
        let characters: Vec<char> = word.chars().collect();
        let full = room.saturating_sub(1).max(1);
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
        if used > 0 && used.saturating_add(word.chars().count()) >= room {
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
