//! Room: the `command` protocol: the arguments of a call become a command line and stdin, and what the
//! program leaves becomes the answer.

use super::result::{text_block, ToolResult};
use crate::kernel::limits::COMMAND_LINE_BYTES_MAX;
use crate::kernel::package::manifest::{ArgPart, Command};
use crate::kernel::prelude::*;
use serde_json::{json, Map, Value};

/// The command line and stdin of one call. Details of refusals name properties, never values.
pub(super) fn request(
    command: &Command,
    arguments: &Value,
) -> Result<(Vec<String>, Vec<u8>), Error> {
    let none = Map::new();
    let given = arguments.as_object().unwrap_or(&none);
    // [CMD-01]
    if !given.keys().all(|name| command.properties.contains(name)) {
        return Err(bad("there is an argument that the tool does not declare"));
    }
    let mut line = Line { args: Vec::new(), bytes: 0, only_operands: false };
    for group in &command.args {
        // [CMD-03]
        let stays = group.iter().all(|word| match word {
            ArgPart::Literal(_) => true,
            ArgPart::Value(name) => given.contains_key(name),
            ArgPart::If(name) => given.get(name) == Some(&Value::Bool(true)),
        });
        if stays {
            line.extend(group, given)?;
        }
    }
    // [CMD-08]
    let stdin = command
        .stdin
        .as_ref()
        .and_then(|name| given.get(name))
        .map_or(Ok(String::new()), text_of)?;
    Ok((line.args, stdin.into_bytes()))
}

/// 2^53: up to here a double stands for one integer.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A command line while it is written.
struct Line {
    args: Vec<String>,
    bytes: usize,
    /// Whether a `--` was written, behind which programs look for no options.
    only_operands: bool,
}

impl Line {
    fn extend(&mut self, group: &[ArgPart], given: &Map<String, Value>) -> Result<(), Error> {
        let mut is_behind_option = false;
        for word in group {
            match word {
                ArgPart::Literal(text) => {
                    self.push(text.clone())?;
                    is_behind_option = text.starts_with('-') && text != "-" && text != "--";
                }
                ArgPart::Value(name) => {
                    let text = given.get(name).map_or(Ok(String::new()), text_of)?;
                    // [CMD-05]
                    if text.contains('\0') {
                        return Err(bad(&format!("{name} holds U+0000, which ends an argument")));
                    }
                    // [CMD-06]
                    if text.starts_with('-') && !is_behind_option && !self.only_operands {
                        return Err(bad(&format!(
                            "{name} begins with `-`, and the program could take it for an option"
                        )));
                    }
                    self.push(text)?;
                    is_behind_option = false;
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
            let detail = format!("a command line of more than {COMMAND_LINE_BYTES_MAX} bytes");
            return Err(Error::new(Code::RequestTooLarge, detail));
        }
        self.args.push(text);
        Ok(())
    }
}

fn bad(detail: &str) -> Error {
    Error::new(Code::RequestArguments, detail)
}

/// A value as a text for programs: a string as it is, a number in plain digits, since few programs read
/// `1.0` or `1e2` as an integer, anything else as JSON.
// [CMD-02]
fn text_of(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // Beyond that a double stands for several integers, and the program would get another.
            Some(double) if double.abs() > DOUBLE_EXACT_MAX => {
                Err(bad("a number that has too many digits to be passed on exactly"))
            }
            Some(double) => Ok(double.to_string()),
            None => Ok(number.to_string()),
        },
        other => Ok(other.to_string()),
    }
}

/// The answer of a program that ended by itself.
// [CMD-10]
pub(super) fn result(stdout: &[u8], stderr: &[u8], status: u32) -> ToolResult {
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let mut content = vec![text_block(&stdout)];
    if status != 0 {
        content.push(text_block(&format!("exit status {status}: {stderr}")));
    }
    ToolResult {
        content: content.into(),
        structured_content: Some(
            json!({ "exit_code": status, "stdout": stdout, "stderr": stderr }),
        ),
        is_error: status != 0,
    }
}
