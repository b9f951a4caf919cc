//! Command secret store: reads each secret from a command of the operator, such as a password manager. It runs
//! without a shell, with two environment variables, and must print one line within a time limit.

use super::{check_name, SecretStore, SecretValue};
use crate::host::child::KillOnDrop;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::{SECRET_BYTES_MAX, SECRET_COMMAND_POLL_MS, SECRET_COMMAND_TIMEOUT_MS};
use std::io::Read as _;
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A program and its arguments; the name of the secret is appended as the last argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSecretStore {
    command: Vec<String>,
    timeout: Duration,
}

impl CommandSecretStore {
    /// Returns a store for a command: the absolute path of a program, and its first arguments.
    ///
    /// # Errors
    /// `secret.invalid`.
    // [SECRET-14]
    pub fn new(command: Vec<String>) -> Result<Self, Error> {
        let absolute = command.first().is_some_and(|program| Path::new(program).is_absolute());
        if !absolute || command.iter().any(|part| part.contains('\0')) {
            let detail = "the command does not start with an absolute path, or contains a NUL";
            return Err(Error::new(Code::SecretInvalid, detail));
        }
        Ok(CommandSecretStore {
            command,
            timeout: Duration::from_millis(SECRET_COMMAND_TIMEOUT_MS),
        })
    }

    /// Returns the program, and other files that the command names by an absolute path, such as a script.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.command.iter().map(Path::new).filter(|path| path.is_absolute())
    }

    /// Starts the command. Its stderr is discarded, since it may contain values.
    // [SECRET-15]
    fn start(&self, name: &str) -> Result<(KillOnDrop, ChildStdout), Error> {
        let (program, arguments) = self.command.split_first().ok_or_else(|| failed("is empty"))?;
        let mut command = Command::new(program);
        command.args(arguments).arg(name).env_clear();
        let inherited = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name)));
        command.envs(inherited.into_iter().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|error| failed(&format!("cannot be started: {error}")))?;
        let stdout = child.stdout.take();
        let process = KillOnDrop(child);
        stdout.map(|stdout| (process, stdout)).ok_or_else(|| failed("has no stdout"))
    }

    /// Runs the command and returns its output. It must end before the deadline.
    // [SECRET-16]
    fn run(&self, name: &str) -> Result<Vec<u8>, Error> {
        let (mut process, stdout) = self.start(name)?;
        let started = Instant::now();
        let left = || self.timeout.saturating_sub(started.elapsed());
        let timed_out = || failed(&format!("timed out after {} ms", self.timeout.as_millis()));
        let (sender, received) = channel();
        // Never joined: a process that the command started may keep its stdout open without end.
        let reader = std::thread::Builder::new().spawn(move || {
            let mut bytes = Vec::new();
            let bytes_max = SECRET_BYTES_MAX.saturating_add(2);
            let read =
                stdout.take(u64::try_from(bytes_max).unwrap_or(u64::MAX)).read_to_end(&mut bytes);
            let _ = sender.send(read.map(|_| bytes));
        });
        reader.map_err(|error| failed(&format!("cannot be read: no thread: {error}")))?;
        let bytes = match received.recv_timeout(left()) {
            Ok(Ok(bytes)) => bytes,
            Err(RecvTimeoutError::Timeout) => return Err(timed_out()),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(failed("cannot be read"));
            }
        };
        // Checked before its end: a command that writes without end does not exit.
        if bytes.len() > SECRET_BYTES_MAX.saturating_add(1) {
            return Err(failed(&format!("writes more than {SECRET_BYTES_MAX} bytes")));
        }
        let status = loop {
            match process.0.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if left().is_zero() => return Err(timed_out()),
                Ok(None) => std::thread::sleep(Duration::from_millis(SECRET_COMMAND_POLL_MS)),
                Err(error) => return Err(failed(&format!("cannot be waited for: {error}"))),
            }
        };
        check_status(status).map(|()| bytes)
    }
}

impl SecretStore for CommandSecretStore {
    // [SECRET-17]
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        check_name(name)?;
        let bytes = self.run(name)?;
        let text = String::from_utf8(bytes).map_err(|_| failed("does not write UTF-8"))?;
        match text.strip_suffix('\n').unwrap_or(&text) {
            "" => Ok(None),
            line => SecretValue::parse(line).map(Some),
        }
    }
}

fn check_status(status: ExitStatus) -> Result<(), Error> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(failed(&format!("exited with status {code}"))),
        None => Err(failed("was killed by a signal")),
    }
}

/// Does not name the command, since its arguments may be confidential. The policy file has it.
fn failed(why: &str) -> Error {
    Error::new(Code::SecretCommand, format!("the policy's secrets_command {why}"))
}

#[cfg(test)]
#[path = "../../../conformance/unit/host/secrets/command.rs"]
mod tests;
