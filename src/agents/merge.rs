//! Merges one entry into a configuration file that a person edits: every other byte of the file is kept.
//!
//! Formats are JSON, also with comments and trailing commas, and those parts of TOML and YAML that need no
//! parser. What is not understood is refused, and the person edits the file.

use mpp::json as strict;
use mpp::limits::REQUEST_DEPTH_MAX;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::ops::Range;

const NAME: &str = "mpp";
const UNREADABLE: &str = "not readable here";

/// Sets `text[member].mpp` to `entry`. `escape` replaces hidden characters of JSON text.
pub fn json(
    text: &str,
    member: &str,
    entry: &Value,
    escape: &dyn Fn(&str) -> String,
) -> Result<String, String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let blank = without_comments(text);
    let mut expected = parsed(&blank)?;
    let root = blank.find('{').ok_or(UNREADABLE)?;
    let new = match members(&blank, root)?.remove(member) {
        None => {
            let servers = json!({ NAME: entry });
            let new = insert(text, &blank, root, member, &servers, escape)?;
            expected.insert(member.to_owned(), servers);
            new
        }
        Some(servers) => {
            let members_before = expected.get_mut(member).and_then(Value::as_object_mut);
            let members_before = members_before.ok_or(format!("{member} is not an object"))?;
            members_before.insert(NAME.to_owned(), entry.clone());
            match members(&blank, servers.start)?.remove(NAME) {
                None => insert(text, &blank, servers.start, NAME, entry, escape)?,
                Some(old) => {
                    let (before, rest) = text.split_at_checked(old.start).ok_or(UNREADABLE)?;
                    let (_, after) = rest.split_at_checked(old.len()).ok_or(UNREADABLE)?;
                    format!("{before}{}{after}", indented(entry, indent_of(before), escape))
                }
            }
        }
    };
    // The result has the old members and the new one, however the file is laid out.
    let same = parsed(&without_comments(&new))? == expected;
    same.then_some(new).ok_or(UNREADABLE.to_owned())
}

fn parsed(text: &str) -> Result<Map<String, Value>, String> {
    match strict::parse(text.as_bytes(), REQUEST_DEPTH_MAX) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("not an object".to_owned()),
        Err(why) => Err(format!("not JSON: {why}")),
    }
}

/// Replaces comments and trailing commas by spaces, and leaves every other byte at its place.
fn without_comments(text: &str) -> String {
    let mut blank: Vec<u8> = text.as_bytes().to_vec();
    let at = |index: usize| text.as_bytes().get(index).copied().unwrap_or_default();
    let (mut index, mut comma) = (0, None);
    while index < text.len() {
        let rest = text.get(index..).unwrap_or_default();
        let comment_bytes = match (at(index), at(index.saturating_add(1))) {
            (b'/', b'/') => rest.find('\n').unwrap_or(rest.len()),
            (b'/', b'*') => rest.find("*/").map_or(rest.len(), |end| end.saturating_add(2)),
            _ => 0,
        };
        let string_bytes = if at(index) == b'"' { string_length(rest) } else { 1 };
        let next = index.saturating_add(comment_bytes.max(string_bytes));
        let mut erase = |range: Range<usize>| {
            blank
                .get_mut(range)
                .into_iter()
                .flatten()
                .filter(|b| **b != b'\n')
                .for_each(|b| *b = b' ');
        };
        match at(index) {
            _ if comment_bytes > 0 => erase(index..next),
            b',' => comma = Some(index),
            b'}' | b']' => {
                comma.take().into_iter().for_each(|comma| erase(comma..comma.saturating_add(1)))
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        index = next;
    }
    String::from_utf8(blank).unwrap_or_default()
}

/// Returns the length in bytes of the string at the start of a text, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end.saturating_add(2))
}

/// Returns where the value of each member of the object at `open` is.
fn members(blank: &str, open: usize) -> Result<BTreeMap<String, Range<usize>>, String> {
    let mut found = BTreeMap::new();
    let mut at = open.saturating_add(1);
    let value_at = |start: usize| -> Result<(Value, Range<usize>), String> {
        let rest = blank.get(start..).ok_or(UNREADABLE)?;
        let start = start.saturating_add(rest.len().saturating_sub(rest.trim_start().len()));
        let mut values = serde_json::Deserializer::from_str(rest.trim_start()).into_iter();
        let value: Value = values.next().and_then(Result::ok).ok_or(UNREADABLE)?;
        Ok((value, start..start.saturating_add(values.byte_offset())))
    };
    let punctuation = |from: usize| -> Option<(usize, char)> {
        let rest = blank.get(from..)?;
        let at = rest.find(|c: char| !c.is_ascii_whitespace())?;
        Some((from.saturating_add(at).saturating_add(1), rest.get(at..)?.chars().next()?))
    };
    while punctuation(at).is_some_and(|(_, found)| found == '"') {
        let (name, name_range) = value_at(at)?;
        let (after_colon, _) = punctuation(name_range.end).ok_or(UNREADABLE)?;
        let (_, range) = value_at(after_colon)?;
        let (next, separator) = punctuation(range.end).ok_or(UNREADABLE)?;
        found.insert(name.as_str().ok_or(UNREADABLE)?.to_owned(), range);
        if separator != ',' {
            break;
        }
        at = next;
    }
    Ok(found)
}

/// Inserts a member at the start of the object at `open`.
fn insert(
    text: &str,
    blank: &str,
    open: usize,
    name: &str,
    value: &Value,
    escape: &dyn Fn(&str) -> String,
) -> Result<String, String> {
    let (before, after) = text.split_at_checked(open.saturating_add(1)).ok_or(UNREADABLE)?;
    let outer = indent_of(before);
    let unit = if outer.starts_with('\t') || text.contains("\n\t") { "\t" } else { "  " };
    let indent = format!("{outer}{unit}");
    let member = format!("{}: {}", json!(name), indented(value, &indent, escape));
    let end = match members(blank, open)?.is_empty() {
        true => format!("\n{outer}"),
        false => ",".to_owned(),
    };
    let is_line_end = after.trim_start_matches([' ', '\t', '\r']).starts_with(['\n', '/']);
    let end = if end == "," && !is_line_end { format!(",\n{indent}") } else { end };
    Ok(format!(
        "{before}\n{indent}{member}{end}{}",
        if end == "," { after } else { after.trim_start() }
    ))
}

fn indented(value: &Value, indent: &str, escape: &dyn Fn(&str) -> String) -> String {
    escape(&format!("{value:#}")).replace('\n', &format!("\n{indent}"))
}

/// Returns the white space at the start of the last line.
fn indent_of(text: &str) -> &str {
    let line = text.rsplit('\n').next().unwrap_or_default();
    line.get(..line.len().saturating_sub(line.trim_start().len())).unwrap_or_default()
}

/// Appends the lines of a table, or replaces them.
pub fn toml(text: &str, table: &str, lines: &str) -> Result<String, String> {
    if text.contains("'''") || text.contains("\"\"\"") {
        return Err("it has texts of several lines".to_owned());
    }
    let header = format!("[{table}.{NAME}]");
    // The table or the entry in another form, such as `mcp_servers = { … }`.
    let is_other_form = |line: &str| {
        let is_layout = |c: &char| c.is_whitespace() || matches!(c, '"' | '\'');
        let plain: String = line.chars().filter(|c| !is_layout(c)).collect();
        let starts = [header.clone(), format!("[{table}.{NAME}.")];
        let names_entry = starts.iter().any(|start| plain.starts_with(start));
        plain.starts_with(table) || (names_entry && line.trim() != header)
    };
    if let Some(line) = text.lines().find(|line| is_other_form(line)) {
        return Err(format!("it has the line {line:?}"));
    }
    Ok(replace_block(text, lines, &|line| line.trim() == header, &|line| {
        line.trim_start().starts_with('[')
    }))
}

/// Inserts the lines of an entry below a mapping, or replaces them.
pub fn yaml(text: &str, mapping: &str, lines: &dyn Fn(&str) -> String) -> Result<String, String> {
    let width = |line: &str| line.len().saturating_sub(line.trim_start_matches(' ').len());
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    if text.contains('\t') || text.lines().any(|line| line == "---" || line == "...") {
        return Err("it has tabs or several documents".to_owned());
    }
    let header = format!("{mapping}:");
    let mut below = text.lines().skip_while(|line| line.trim_end() != header).skip(1);
    let Some(first) = below.by_ref().find(is_content) else {
        let named = text.lines().any(|line| line.starts_with(mapping) && line.trim_end() != header);
        return match named {
            true => Err(format!("{mapping} is not a mapping of several lines")),
            false if text.lines().any(|line| line.trim_end() == header) => {
                Ok(format!("{}\n{}", text.trim_end(), lines("  ")))
            }
            false => {
                let before = if text.trim().is_empty() { "" } else { "\n" };
                Ok(format!("{}{before}{header}\n{}", text.trim_end(), lines("  ")))
            }
        };
    };
    let indent = " ".repeat(width(first).max(2));
    if width(first) == 0 {
        // The mapping is empty, and another one follows.
        return Ok(text.replacen(&format!("{header}\n"), &format!("{header}\n{}", lines("  ")), 1));
    }
    let name = format!("{indent}{NAME}:");
    if text.lines().any(|line| line.trim_end() == name) {
        let ends = |line: &str| is_content(&line) && width(line) <= indent.len();
        return Ok(replace_block(text, &lines(&indent), &|line| line.trim_end() == name, &ends));
    }
    Ok(text.replacen(&format!("{header}\n"), &format!("{header}\n{}", lines(&indent)), 1))
}

/// Replaces the lines from the one that starts a block to before the one that ends it; without such a block,
/// appends them.
fn replace_block(
    text: &str,
    lines: &str,
    starts: &dyn Fn(&str) -> bool,
    ends: &dyn Fn(&str) -> bool,
) -> String {
    let (mut new, mut in_block, mut done) = (String::new(), false, false);
    for line in text.split_inclusive('\n') {
        if !in_block && !done && starts(line) {
            (in_block, done) = (true, true);
            new.push_str(lines);
            continue;
        }
        in_block = in_block && !ends(line);
        if !in_block {
            new.push_str(line);
        }
    }
    if !done {
        let gap = if new.trim().is_empty() { "" } else { "\n" };
        new = format!("{}{gap}{gap}{lines}", new.trim_end());
    }
    new
}

/// Returns the lines that differ: those between the first and the last change, old and new.
pub fn difference(old: &str, new: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let least = before.len().min(after.len()).saturating_sub(same);
    let same_end =
        before.iter().rev().zip(after.iter().rev()).take(least).take_while(|(a, b)| a == b).count();
    let changed = |lines: &[&str], mark: char| -> String {
        let count = lines.len().saturating_sub(same_end).saturating_sub(same);
        lines.iter().skip(same).take(count).map(|line| format!("{mark} {line}\n")).collect()
    };
    changed(&before, '-') + &changed(&after, '+')
}
