//! What the program says about its own use: commands in groups, an example of each, and near misses.
//!
//! `argh` parses. This file prepares its words (`-h`, `mpp help COMMAND`, `--option=value`) and adds to its texts.

use super::commands::COMMANDS;
use super::terminal::{self, Style};
use argh::{CommandInfoWithArgs, FlagInfoKind, SubCommandInfo};

const NOTES: &str = "Notes:\n  \
    mpp help COMMAND shows the options and an example of a command.\n  \
    Files are in MPP_HOME [default: ~/.mpp].\n  \
    Exit status: 0 success, 1 refused, 2 usage, 3 the tool failed, 4 the host failed.\n";

/// Returns the example of a command such as `trust add`.
fn example(command: &str) -> Option<&'static str> {
    let is_of = |name: &str| {
        name.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    COMMANDS.iter().find(|(_, name, _)| is_of(name)).map(|(_, _, example)| *example)
}

/// Follows the commands at the start of the words.
pub fn command_of<'a>(
    top: &'a CommandInfoWithArgs,
    words: &[String],
) -> (String, &'a CommandInfoWithArgs) {
    let (mut path, mut at) = (Vec::new(), top);
    for word in words {
        let Some(SubCommandInfo { name, command }) = at.commands.iter().find(|it| it.name == word)
        else {
            break;
        };
        path.push(*name);
        at = command;
    }
    (path.join(" "), at)
}

/// Brings the words into the form that `argh` takes: `--option=value` becomes two words, `-h` and
/// `help COMMAND` become `--help`. A value of an option and what follows `--` stay as they are.
pub fn prepared(top: &CommandInfoWithArgs, words: Vec<String>) -> Vec<String> {
    if let [first, rest @ ..] = words.as_slice() {
        if first == "help" && !rest.is_empty() {
            return rest.iter().cloned().chain(["--help".to_owned()]).collect();
        }
    }
    let (_, command) = command_of(top, &words);
    let takes_value = |word: &str| {
        let is_named = |long: &str, short: Option<char>| {
            long == word || short.is_some_and(|short| word == format!("-{short}"))
        };
        command.flags.iter().any(|flag| {
            matches!(flag.kind, FlagInfoKind::Option { .. }) && is_named(flag.long, flag.short)
        })
    };
    let (mut prepared, mut is_value, mut ended) = (Vec::new(), false, false);
    for word in words {
        ended |= word == "--" && !is_value;
        match word.split_once('=') {
            _ if is_value || ended => prepared.push(word),
            _ if word == "-h" => prepared.push("--help".to_owned()),
            Some((option, value)) if takes_value(option) => {
                prepared.extend([option.to_owned(), value.to_owned()]);
                continue;
            }
            _ => {
                is_value = takes_value(&word);
                prepared.push(word);
                continue;
            }
        }
        is_value = false;
    }
    prepared
}

/// Returns the help of the whole program.
pub fn overview(top: &CommandInfoWithArgs) -> String {
    let mut text = format!("Usage: mpp COMMAND [OPTIONS]\n\n{}\n", top.description);
    let (mut group, mut name) = ("", "");
    for (group_of, command, _) in COMMANDS {
        if group != *group_of {
            group = group_of;
            text.push_str(&format!("\n{}\n", terminal::paint(Style::Bold, &format!("{group}:"))));
        }
        let first = command.split(' ').next().unwrap_or_default();
        if name != first {
            name = first;
            let info = top.commands.iter().find(|it| it.name == name);
            text.push_str(&row(name, info.map_or("", |info| info.command.description)));
        }
    }
    text.push_str(&format!("\n{}\n", terminal::paint(Style::Bold, "Options:")));
    text.push_str(&row("-h, --help", "show this help"));
    text.push_str(&row("-V, --version", "print the version"));
    text + "\n" + &wrapped(NOTES)
}

fn row(name: &str, about: &str) -> String {
    terminal::columns(&[(&format!("{name:13}"), about.to_owned())])
}

/// Breaks the lines of a help text before the width of the terminal; the rest of an option stays in its column.
fn wrapped(help: &str) -> String {
    let mut text = String::new();
    for line in help.lines() {
        let is_option = line.starts_with("  ") && line.get(18..20) == Some("  ");
        let width = terminal::width().saturating_sub(1);
        let (mut indent, mut used) = (if is_option { 20 } else { 4 }, 0_usize);
        indent = indent.min(width.saturating_sub(20));
        for word in line.split_inclusive(' ') {
            let columns = word.chars().count();
            if used > indent && used.saturating_add(word.trim_end().len()) > width {
                text.truncate(text.trim_end().len());
                text.push_str(&format!("\n{:indent$}", ""));
                used = indent;
            }
            text.push_str(word);
            used = used.saturating_add(columns);
        }
        text.push('\n');
    }
    text
}

/// Completes the help of a command as `argh` writes it.
pub fn with_example(command: &str, help: &str) -> String {
    let help = help.trim_end().replace("  --help, help      ", "  -h, --help        ");
    let help = wrapped(&help);
    match example(command) {
        Some(example) => {
            format!("{help}\n{}\n  {example}\n", terminal::paint(Style::Bold, "Example:"))
        }
        None => help,
    }
}

/// Returns the command or option that `given` is probably meant to be.
pub fn meant(command: &CommandInfoWithArgs, given: &str) -> Option<&'static str> {
    let options = command.flags.iter().map(|flag| flag.long);
    let names = command.commands.iter().map(|it| it.name).chain(options);
    let name = given.split('=').next().unwrap_or_default();
    let near = names.map(|known| (distance(name, known), known));
    near.filter(|(distance, known)| *distance <= 2 && distance.saturating_mul(2) <= known.len())
        .min()
        .map(|(_, known)| known)
}

/// Counts the characters to insert, delete or replace between two names. A long one is near none.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 40 {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut next = vec![index.saturating_add(1)];
        for ((other, pair), before) in right.iter().zip(row.windows(2)).zip(0..) {
            let [diagonal, above] = pair else { continue };
            let beside: usize = next.get::<usize>(before).copied().unwrap_or(usize::MAX);
            let replaced = diagonal.saturating_add(usize::from(character != *other));
            next.push(replaced.min(above.saturating_add(1)).min(beside.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
