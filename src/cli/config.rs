//! `mpp serve --print-config`: the configuration with which each MCP client starts this server, printed or, with
//! `--write`, merged into the client's file.

use super::{file_error, terminal, usage_error, warn, CommandOutput};
use crate::agents::clients::{
    json_of, toml_of, visible_json, yaml_of, Client, Format, Start, CLIENTS,
};
use crate::agents::merge;
use mpp::{home, text, Code, Error};
use serde_json::json;
use std::path::{absolute, Path, PathBuf};

/// How the configuration is written to the file of its client.
pub struct Write {
    /// Another file than that of the client's documentation.
    pub file: Option<PathBuf>,
    /// Without asking.
    pub yes: bool,
}

/// Returns the configuration for `client`, with this program and these options of `serve`. Paths become
/// absolute, since a client starts its servers in any directory.
pub fn report(
    client: &str,
    options: &[(&str, Option<&Path>)],
    write: Option<Write>,
) -> Result<CommandOutput, Error> {
    let Some(found @ (_, format, place, _)) = CLIENTS.iter().find(|(name, ..)| *name == client)
    else {
        let known: Vec<&str> = CLIENTS.iter().map(|(name, ..)| *name).collect();
        let known = known.join(", ");
        return Err(usage_error(format!("--print-config {client:?}: expected one of {known}")));
    };
    let program = std::env::current_exe()
        .map_err(|error| usage_error(format!("path of this program: {error}")))?;
    let program = absolute_text(&program)?;
    let mut arguments = vec!["serve".to_owned()];
    for (option, path) in options {
        if let Some(path) = path {
            arguments.extend([(*option).to_owned(), absolute_text(path)?]);
        }
    }
    // The server ignores an empty MPP_HOME too.
    let home = std::env::var_os("MPP_HOME").filter(|home| !home.is_empty());
    let home = home.map(|_| absolute_text(&home::home_dir()?)).transpose()?;

    let words = arguments.iter().chain(&home).chain([&program]);
    if words.into_iter().any(|word| word.contains('$')) {
        warn("warning: many clients expand a `$` in a path as a variable");
    }
    let start = Start { program, arguments, home };
    if let Some(write) = write {
        return write_to_file(found, &start, write);
    }
    warn(&format!("note: add this to {place}"));
    let configuration = match format {
        Format::Json(member) => {
            let whole = format!("{:#}", json!({ *member: { "mpp": json_of(client, &start) } }));
            format!("{}\n", visible_json(&whole))
        }
        Format::Toml(table) => toml_of(table, &start),
        Format::Yaml(mapping) => format!("{mapping}:\n{}", yaml_of("  ", &start)),
    };
    // The JSON is not printed: `serve` has no `--json`. It is not null, so that the text is printed.
    Ok(CommandOutput::new(configuration, json!({ "client": client })))
}

fn absolute_text(path: &Path) -> Result<String, Error> {
    let whole =
        absolute(path).map_err(|error| usage_error(format!("{}: {error}", path.display())))?;
    let text = whole.to_str().map(str::to_owned);
    text.ok_or_else(|| usage_error(format!("{}: the path is not UTF-8", path.display())))
}

/// Merges the entry into the file of a client: shows the changed lines, asks, and replaces the file.
fn write_to_file(
    (client, format, _, place): &Client,
    start: &Start,
    Write { file, yes }: Write,
) -> Result<CommandOutput, Error> {
    let path = match (file, place.strip_prefix("~/")) {
        (Some(file), _) => file,
        (None, Some(rest)) => std::env::home_dir()
            .filter(|home| home.is_absolute())
            .ok_or_else(|| usage_error("no home directory: name the file with --config-file"))?
            .join(rest),
        (None, None) if place.is_empty() => {
            let what = format!("the place of {client}'s file varies: name it with --config-file");
            return Err(usage_error(what));
        }
        (None, None) => PathBuf::from(place),
    };
    // The target of a link is changed, not replaced by a file.
    let path = path.canonicalize().unwrap_or(path);
    let shown = text::quote_untrusted(&path.to_string_lossy());
    // Reading a FIFO would wait, and a dangling link would be replaced.
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(usage_error(format!("{shown} is not a regular file")));
    }
    let read = || match path.try_exists() {
        Ok(false) => Ok(String::new()),
        _ => String::from_utf8(super::read_bytes(&path)?)
            .map_err(|_| usage_error(format!("{shown} is not UTF-8"))),
    };
    let old = read()?;
    let merged = match format {
        Format::Json(member) => {
            let entry = json_of(client, start);
            merge::json(&old, member, &entry, &|text| visible_json(text))
        }
        Format::Toml(table) => merge::toml(&old, table, &toml_of(table, start)),
        Format::Yaml(mapping) => merge::yaml(&old, mapping, &|indent| yaml_of(indent, start)),
    };
    let new = merged.map_err(|why| {
        usage_error(format!("{shown}: {why}; add the lines of `--print-config {client}` by hand"))
    })?;
    let json = json!({ "client": client, "file": path });
    if old == new {
        return Ok(CommandOutput::new(format!("{shown} has this entry already\n"), json));
    }
    warn(&format!("{shown}\n{}", terminal::printable(&merge::difference(&old, &new)).trim_end()));
    if !yes {
        if !terminal::is_interactive() {
            return Err(usage_error("writing requires a terminal or --yes"));
        }
        if !terminal::confirm("Write this?") {
            return Err(Error::new(Code::PolicyDeclined, format!("writing {shown} was denied")));
        }
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| file_error(parent, &error))?;
    }
    if read()? != old {
        return Err(usage_error(format!("{shown} was changed by another program; try again")));
    }
    let permissions = path.metadata().map(|found| found.permissions()).ok();
    super::write_atomic(&path, new.as_bytes(), permissions)?;
    Ok(CommandOutput::new(format!("wrote {shown}\n"), json))
}
