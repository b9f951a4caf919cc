//! Protocol `command`: arguments become a command line and stdin; exit status and output become the result.

use super::tool_result::{text_block, ToolResult};
use crate::kernel::limits::COMMAND_LINE_BYTES_MAX;
use crate::kernel::package::manifest::{ArgPart, Command};
use crate::kernel::prelude::*;
use serde_json::{json, Map, Value};

/// Returns the command line and stdin of one call. Error details name properties, never values.
pub(super) fn request(
    command: &Command,
    arguments: &Value,
) -> Result<(Vec<String>, Vec<u8>), Error> {
    let empty = Map::new();
    let values = arguments.as_object().unwrap_or(&empty);
    // [CMD-01]
    if !values.keys().all(|name| command.properties.contains(name)) {
        return Err(bad_arguments("an argument is not declared by the tool"));
    }
    let mut line = CommandLine { args: Vec::new(), bytes: 0, only_operands: false };
    for group in &command.args {
        // [CMD-03]
        let is_complete = group.iter().all(|part| match part {
            ArgPart::Literal(_) => true,
            ArgPart::Value(name) => values.contains_key(name),
            ArgPart::If(name) => values.get(name) == Some(&Value::Bool(true)),
        });
        if is_complete {
            line.extend(group, values)?;
        }
    }
    // [CMD-08]
    let stdin = command
        .stdin
        .as_ref()
        .and_then(|name| values.get(name))
        .map_or(Ok(String::new()), text_of)?;
    Ok((line.args, stdin.into_bytes()))
}

/// 2^53: up to here a double represents exactly one integer.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A command line being built.
struct CommandLine {
    args: Vec<String>,
    bytes: usize,
    /// Whether a `--` was written: programs take no options after it.
    only_operands: bool,
}

impl CommandLine {
    fn extend(&mut self, group: &[ArgPart], values: &Map<String, Value>) -> Result<(), Error> {
        let mut follows_option = false;
        for part in group {
            match part {
                ArgPart::Literal(text) => {
                    self.push(text.clone())?;
                    follows_option = text.starts_with('-') && text != "-" && text != "--";
                }
                ArgPart::Value(name) => {
                    let text = values.get(name).map_or(Ok(String::new()), text_of)?;
                    // [CMD-05]
                    if text.contains('\0') {
                        return Err(bad_arguments(&format!(
                            "{name} contains U+0000, which would end the argument"
                        )));
                    }
                    // [CMD-06]
                    if text.starts_with('-') && !follows_option && !self.only_operands {
                        return Err(bad_arguments(&format!(
                            "{name} starts with `-` and could be parsed as an option"
                        )));
                    }
                    self.push(text)?;
                    follows_option = false;
                }
                ArgPart::If(_) => {}
            }
        }
        self.only_operands |= matches!(group, [ArgPart::Literal(text)] if text == "--");
        Ok(())
    }

    // [CMD-07]
    fn push(&mut self, text: String) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(text.len()).saturating_add(1);
        if self.bytes > COMMAND_LINE_BYTES_MAX {
            let detail = format!("command line exceeds {COMMAND_LINE_BYTES_MAX} bytes");
            return Err(Error::new(Code::RequestTooLarge, detail));
        }
        self.args.push(text);
        Ok(())
    }
}

fn bad_arguments(detail: &str) -> Error {
    Error::new(Code::RequestArguments, detail)
}

/// Returns a value as an argument: a string verbatim, a number in plain digits, since few programs parse
/// `1.0` or `1e2` as an integer, anything else as JSON.
// [CMD-02]
fn text_of(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // A larger double represents several integers: the program could get another one.
            Some(double) if double.abs() > DOUBLE_EXACT_MAX => {
                Err(bad_arguments("number beyond 2^53 cannot be passed exactly"))
            }
            Some(double) => Ok(double.to_string()),
            None => Ok(number.to_string()),
        },
        other => Ok(other.to_string()),
    }
}

/// Returns the result of a program that exited.
// [CMD-10]
pub(super) fn result(
    command: Option<&Command>,
    stdout: &[u8],
    stderr: &[u8],
    status: u32,
) -> ToolResult {
    let is_ok = match command {
        Some(command) => command.ok_exit_codes.iter().any(|code| u32::from(*code) == status),
        None => status == 0,
    };
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let mut content = vec![text_block(&stdout)];
    if status != 0 || !is_ok {
        content.push(text_block(&format!("exit status {status}: {stderr}")));
    }
    ToolResult {
        content: content.into(),
        structured_content: Some(
            json!({ "exit_code": status, "stdout": stdout, "stderr": stderr }),
        ),
        is_error: !is_ok,
    }
}
