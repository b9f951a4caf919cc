//! What `mpp check` reports: one finding, with its place.

use mpp::{Code, Error};
use serde_json::{json, Value};

/// How bad a finding is. An error refuses the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// One finding. Its texts can contain what the project's files contain.
#[derive(Clone, Debug)]
pub struct Finding {
    pub severity: Severity,
    pub code: String,
    /// The file, with the directory that was given.
    pub file: String,
    /// Line and column of the place, from 1; 0 for a whole file.
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub help: String,
}

impl Finding {
    /// An error with the code and the remedy with which the runtime refuses the package.
    pub fn refusal(code: Code, file: &str, message: impl Into<String>) -> Self {
        Finding::new(Severity::Error, code.as_str(), file, message, code.remedy())
    }

    pub fn of_error(error: &Error, file: &str) -> Self {
        Finding::refusal(error.code(), file, error.detail())
    }

    pub fn new(
        severity: Severity,
        code: &str,
        file: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (code, file) = (code.to_owned(), file.to_owned());
        let (message, help) = (message.into(), help.into());
        Finding { severity, code, file, line: 0, column: 0, message, help }
    }

    pub fn at(self, (line, column): (usize, usize)) -> Self {
        Finding { line, column, ..self }
    }

    pub fn helped(self, help: impl Into<String>) -> Self {
        Finding { help: help.into(), ..self }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "file": self.file, "line": self.line, "column": self.column,
            "severity": self.severity.as_str(), "code": self.code, "message": self.message,
            "help": self.help,
        })
    }

    /// `FILE`, or `FILE:LINE:COLUMN`.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.file.clone(),
            line => format!("{}:{line}:{}", self.file, self.column),
        }
    }
}
