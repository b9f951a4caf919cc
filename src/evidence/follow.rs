//! Reads the records of a log in order, each verified, and goes on when more are appended.

use mpp::audit::ChainVerifier;
use mpp::limits::AUDIT_LINE_BYTES_MAX;
use mpp::{Code, Error};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// A record: its line without the line feed, and its members.
pub struct Record {
    pub line: String,
    pub members: Map<String, Value>,
}

impl Record {
    pub fn text(&self, member: &str) -> &str {
        self.members.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the record's own hash, with which its line ends.
    pub fn hash(&self) -> &str {
        let end = self.line.strip_suffix("\"}").unwrap_or_default();
        end.rsplit('"').next().unwrap_or_default()
    }

    pub fn number(&self, member: &str) -> u64 {
        self.members.get(member).and_then(Value::as_u64).unwrap_or_default()
    }
}

/// The records of a log file from its first one.
pub struct Records {
    path: PathBuf,
    source: BufReader<File>,
    chain: ChainVerifier<'static>,
    /// The beginning of a line that a writer has not ended yet.
    begun: Vec<u8>,
}

impl Records {
    /// # Errors
    /// `host.file`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| failed(path, &error))?;
        let (source, chain) = (BufReader::new(file), ChainVerifier::new(None)?);
        Ok(Records { path: path.to_owned(), source, chain, begun: Vec::new() })
    }

    /// Returns the next record; `None` at the present end.
    ///
    /// # Errors
    /// `audit.broken` with the line, `host.file`.
    pub fn next(&mut self) -> Result<Option<Record>, Error> {
        let left = AUDIT_LINE_BYTES_MAX.saturating_sub(self.begun.len());
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        let mut source = self.source.by_ref().take(left);
        source.read_until(b'\n', &mut self.begun).map_err(|error| failed(&self.path, &error))?;
        if self.begun.last() != Some(&b'\n') {
            return match self.begun.len() >= AUDIT_LINE_BYTES_MAX {
                true => Err(self.chain.line_error(Code::AuditBroken, "longer than any record")),
                false => Ok(None),
            };
        }
        let mut line = std::mem::take(&mut self.begun);
        line.pop();
        let members = self.chain.verify_line(&line)?;
        // A verified line is ASCII.
        Ok(Some(Record { line: String::from_utf8_lossy(&line).into_owned(), members }))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}
