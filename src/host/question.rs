//! The layout of every question that a person decides: foreign text first, then what is requested, then the risk.
//!
//! What an author, a tool or an agent wrote is behind a mark, limited in length and without control characters, so
//! that it neither imitates a row of the question nor pushes one off the screen.

use crate::kernel::consent::ApprovalRequest;
use crate::kernel::text::is_hidden;
use crate::kernel::time::Timestamp;

/// Columns of a question in a client's form, whose width is unknown.
pub(crate) const FORM_COLUMNS: usize = 60;
/// Lines that are shown of one foreign text.
const FOREIGN_LINES_MAX: usize = 20;
/// Characters of arguments in a question: some 40 lines of a terminal.
const ARGUMENTS_CHARS_MAX: usize = 4_000;

/// A text that an author, a tool or an agent wrote.
pub struct ForeignText<'a> {
    /// What the text is.
    pub label: &'a str,
    /// The text itself.
    pub text: String,
    /// The command that shows all of it; `None` if the question contains all of it.
    pub rest: Option<String>,
}

/// Lays out a question: each foreign text with a mark before its lines, then the rows, of which the last are right
/// above the prompt.
// [CONS-26] [CONS-27]
#[must_use]
pub fn lay_out(foreign: &[ForeignText], asked: &[(&str, String)], columns: usize) -> String {
    let mut out = String::new();
    for ForeignText { label, text, rest } in foreign {
        let lines = lines(text, columns.saturating_sub(5));
        let shown = if rest.is_some() { FOREIGN_LINES_MAX } else { lines.len() };
        out.push_str(&format!("  {label}\n"));
        for line in lines.iter().take(shown) {
            out.push_str(format!("  | {line}").trim_end());
            out.push('\n');
        }
        if let (Some(rest), omitted @ 1..) = (rest, lines.len().saturating_sub(shown)) {
            out.push_str(&format!("  … {omitted} more lines: {}\n", printable(rest)));
        }
    }
    out + &rows(asked, columns)
}

/// Lays out an approval request, which lists `expires` if it waits.
#[must_use]
pub fn of_request(request: &ApprovalRequest, expires: Option<Timestamp>, columns: usize) -> String {
    let inspect = format!("mpp inspect {}", request.package);
    let foreign = [
        ForeignText { label: "name", text: request.name.clone(), rest: Some(inspect) },
        ForeignText { label: "arguments", text: escape_hidden(&request.arguments), rest: None },
    ];
    let ApprovalRequest { package, version, publisher, .. } = request;
    let mark = if request.is_destructive { " (destructive)" } else { "" };
    let mut asked = vec![
        ("package", format!("{package} {version} by {publisher}")),
        ("content", request.content_hash.to_string()),
        ("tool", format!("{}{mark}", request.tool)),
    ];
    asked.extend(request.listed_as.clone().map(|name| ("listed as", name)));
    asked.extend(expires.map(|expires| ("expires", expires.to_string())));
    let capabilities: Vec<String> = request.capabilities.iter().map(|it| one_line(it)).collect();
    asked.push(("requests", or_nothing(&capabilities)));
    asked.push(("risk", request.security_level.to_string()));
    let agent = |agent: &String| ("agent", format!("{} (self-reported)", one_line(agent)));
    asked.extend(request.agent.as_ref().map(agent));
    lay_out(&foreign, &asked, columns)
}

/// Returns why a question cannot show a request: it contains all of the arguments or is not put.
// [CONS-28]
#[must_use]
pub fn too_long(request: &ApprovalRequest) -> Option<String> {
    let count = escape_hidden(&request.arguments).chars().count();
    (count > ARGUMENTS_CHARS_MAX).then(|| {
        format!(
            "the arguments have {count} characters, and a question shows at most {ARGUMENTS_CHARS_MAX}: \
             pass smaller arguments, such as the path of a file"
        )
    })
}

/// Returns a text with single spaces: several could look like the start of another row.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Formats a list, one line each.
#[must_use]
pub fn or_nothing(lines: &[String]) -> String {
    match lines.is_empty() {
        true => "nothing".to_owned(),
        false => lines.join("\n"),
    }
}

/// Formats rows of two columns, with the second one wrapped.
#[must_use]
pub fn rows(rows: &[(&str, String)], columns: usize) -> String {
    let left = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, text) in rows {
        let mut label = *name;
        for line in lines(text, columns.saturating_sub(left).saturating_sub(5)) {
            out.push_str(format!("  {label:left$}  {line}").trim_end());
            out.push('\n');
            label = "";
        }
    }
    out
}

/// Replaces control characters, invisible ones and those that change the direction of text.
#[must_use]
pub fn printable(text: &str) -> String {
    let is_wild = |c: char| is_invisible(c) && c != '\n' && c != '\t';
    text.replace(is_wild, "\u{fffd}")
}

/// Escapes in JSON what a terminal does not show, so that arguments stay whole.
#[must_use]
pub fn escape_hidden(json: &str) -> String {
    let mut escaped = String::new();
    for character in json.chars() {
        if !is_invisible(character) && !is_other_blank(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// Returns `true` for what a terminal does not show: joiners too, which some scripts and pictures use.
fn is_invisible(c: char) -> bool {
    is_hidden(c) || c == '\u{200c}' || c == '\u{200d}'
}

/// Returns `true` for any other white space than a space and a line feed.
fn is_other_blank(c: char) -> bool {
    (c.is_whitespace() && c != ' ' && c != '\n') || c == '\u{2800}'
}

/// Returns the lines of a text as a terminal of this width shows them: broken after spaces, and a longer word at
/// the width, so that the terminal breaks none itself. A character that is not ASCII counts as two columns, as
/// wide as any is.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut lines = Vec::new();
    for line in printable(text).replace(is_other_blank, " ").split('\n') {
        let (mut current, mut used) = (String::new(), 0_usize);
        for word in line.split_inclusive(' ') {
            let needed = word.trim_end().chars().map(width).sum();
            if used > 0 && used.saturating_add(needed) > columns {
                lines.push(core::mem::take(&mut current));
                used = 0;
            }
            for character in word.chars() {
                // A space may be one column beyond the end, where it is not shown.
                let columns = columns.saturating_add(usize::from(character == ' '));
                if used > 0 && used.saturating_add(width(character)) > columns {
                    lines.push(core::mem::take(&mut current));
                    used = 0;
                }
                current.push(character);
                used = used.saturating_add(width(character));
            }
        }
        lines.push(current);
    }
    lines
}
