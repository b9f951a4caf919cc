//! `mpp filter`: the privacy filter alone.
//!
//! Input: JSON lines `{"id": …, "text": "…"}`, or `{"id": …, "json": …}` for a value that is filtered as the
//! result of a call is; other members and blank lines are ignored. Output, line by line: `{"id": …,
//! "redacted": …, "applied": …}`, or with `--spans` `{"id": …, "spans": [{"type", "kind", "rule", "hint",
//! "start", "end"}]}`, with offsets in code points, or in bytes with `--bytes`, or the place `at` as in
//! `applied` for a JSON value. A bad line is reported, and the next ones are filtered.

use super::explain;
use super::{error_json, error_text, json_line, usage_error, warn, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::encoding::unhex;
use mpp::home::read_file;
use mpp::package::manifest::CustomPattern;
use mpp::privacy::{Kind, PrivacyFilterEngine, Replacement};
use mpp::{json, limits, Code, Error};
use serde_json::{json, Value};
use std::io::{BufRead as _, BufWriter, Read as _, Write as _};
use std::path::PathBuf;

/// A key, its line feed, and one byte more to detect a longer file.
const KEY_FILE_BYTES_MAX: usize = 66;

/// Redact JSON lines with `id` and `text` or `json` from stdin
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "filter")]
pub struct Filter {
    /// detect only these kinds, as in email,iban [default: all]
    #[argh(option)]
    patterns: Option<String>,
    /// detect a custom pattern: NAME=EXPRESSION (repeatable)
    #[argh(option)]
    custom: Vec<String>,
    /// use label [default], numbered, last-four or pseudonym
    #[argh(option)]
    replace: Option<String>,
    /// read the pseudonym key, 64 hex digits, from this file
    #[argh(option)]
    key: Option<PathBuf>,
    /// print offsets, rules and hints instead of redacted text
    #[argh(switch)]
    spans: bool,
    /// count offsets in UTF-8 bytes instead of code points
    #[argh(switch)]
    bytes: bool,
    /// print errors as JSON, as the output always is
    #[argh(switch)]
    pub json: bool,
}

impl Filter {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let patterns: Vec<String> = match &self.patterns {
            Some(list) => list.split(',').map(str::to_owned).collect(),
            None => Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
        };
        let mut custom = Vec::new();
        for pattern in &self.custom {
            let (name, pattern) = pattern
                .split_once('=')
                .ok_or_else(|| usage_error("--custom is not NAME=EXPRESSION"))?;
            custom.push(CustomPattern { name: name.to_owned(), pattern: pattern.to_owned() });
        }
        let (replacement, key) = self.replacement()?;
        let engine = PrivacyFilterEngine::from_config(&patterns, &custom)?;
        let engine = engine.with_replacement(replacement, key);
        let failed = |error: std::io::Error| Error::new(Code::HostFile, format!("stdin: {error}"));
        let mut input = std::io::stdin().lock();
        let mut output = BufWriter::new(std::io::stdout().lock());
        let (mut line, mut done) = (Vec::new(), CommandOutput::new("", Value::Null));
        for number in 1_u64.. {
            line.clear();
            let bytes_max = u64::try_from(limits::REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
            let read =
                input.by_ref().take(bytes_max).read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                break;
            }
            let mut line = line.as_slice();
            if number == 1 {
                line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            }
            if line.trim_ascii().is_empty() && read < limits::REQUEST_BYTES_MAX {
                continue;
            }
            let reply = if read >= limits::REQUEST_BYTES_MAX && !line.ends_with(b"\n") {
                input.skip_until(b'\n').map_err(failed)?;
                Err(usage_error(format!("longer than {bytes_max} bytes")))
            } else {
                self.reply(&engine, line)
            };
            let reply = match reply {
                Ok(reply) => reply,
                Err(error) => {
                    done.exit_status = 1;
                    let detail = format!("line {number}: {}", error.detail());
                    let error = Error::new(error.code(), detail);
                    if !self.json {
                        warn(&error_text(&error));
                        continue;
                    }
                    json!({ "error": error_json(&error) })
                }
            };
            if !write_unless_closed(output.write_all(json_line(&reply).as_bytes()))? {
                return Ok(done);
            }
        }
        write_unless_closed(output.flush())?;
        Ok(done)
    }

    /// Returns how values are replaced, and the pseudonym key. Pseudonyms need a secret key: with a public
    /// one, values could be guessed and compared.
    fn replacement(&self) -> Result<(Replacement, [u8; 32]), Error> {
        let name = self.replace.as_deref().unwrap_or("label");
        let names = "--replace is not label, numbered, last-four or pseudonym";
        let replacement = Replacement::parse(name).ok_or_else(|| usage_error(names))?;
        match (&self.key, replacement) {
            (None, Replacement::Pseudonym) => {
                Err(usage_error("--replace pseudonym requires --key"))
            }
            (Some(path), Replacement::Pseudonym) => {
                let bytes = read_file(path, KEY_FILE_BYTES_MAX)?.unwrap_or_default();
                let text = String::from_utf8(bytes).unwrap_or_default();
                let detail = || format!("{}: not 64 hexadecimal digits", path.display());
                let key = unhex(text.trim_end());
                Ok((replacement, key.ok_or_else(|| Error::new(Code::HostFile, detail()))?))
            }
            (Some(_), _) => Err(usage_error("--key requires --replace pseudonym")),
            (None, _) => Ok((replacement, [0; 32])),
        }
    }

    fn reply(&self, engine: &PrivacyFilterEngine, line: &[u8]) -> Result<Value, Error> {
        let record = json::parse(line, limits::REQUEST_DEPTH_MAX.saturating_add(1))
            .map_err(|error| usage_error(error.to_string()))?;
        let id = record.get("id").unwrap_or(&Value::Null);
        let text = match (record.get("text"), record.get("json")) {
            (Some(Value::String(text)), None) => text,
            (None, Some(value)) => return self.reply_json(engine, id, value),
            _ => return Err(usage_error("not one of a string \"text\" and a value \"json\"")),
        };
        if !self.spans {
            let (redacted, applied) = engine.redact_text(text)?;
            return Ok(json!({ "id": id, "redacted": redacted, "applied": applied.to_json() }));
        }
        // Findings are sorted, so each part of the text is counted once.
        let (mut counted, mut characters) = (0, 0);
        let mut offset = |byte: usize| {
            if self.bytes {
                return byte;
            }
            let piece = text.get(counted..byte).unwrap_or_default();
            characters += piece.chars().count();
            counted = byte;
            characters
        };
        let spans: Vec<Value> = engine
            .find(text)?
            .iter()
            .map(|found| {
                let mut span = explain::finding(engine, text, found);
                if let Some(members) = span.as_object_mut() {
                    members.insert("start".to_owned(), offset(found.start).into());
                    members.insert("end".to_owned(), offset(found.end).into());
                }
                span
            })
            .collect();
        Ok(json!({ "id": id, "spans": spans }))
    }

    fn reply_json(
        &self,
        engine: &PrivacyFilterEngine,
        id: &Value,
        value: &Value,
    ) -> Result<Value, Error> {
        let (redacted, applied) = engine.try_redact_json(value)?;
        if self.spans {
            return Ok(json!({ "id": id, "spans": explain::places(engine, value, &applied) }));
        }
        Ok(json!({ "id": id, "redacted": redacted, "applied": applied.to_json() }))
    }
}

/// Returns `false` if the reader closed the pipe, which ends the work without an error.
fn write_unless_closed(written: std::io::Result<()>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::new(Code::HostFile, format!("stdout: {error}"))),
    }
}
