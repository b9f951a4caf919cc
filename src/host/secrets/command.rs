//! Room: secrets from a command of the host's administrator, such as a password manager. It is started
//! without a shell, with an environment of two variables, and has a time and a line to answer in.

use super::{check_name, SecretStore, SecretValue};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::{SECRET_BYTES_MAX, SECRET_COMMAND_POLL_MS, SECRET_COMMAND_TIMEOUT_MS};
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A program and its arguments; the name of the secret is added as the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSecretStore {
    words: Vec<String>,
    timeout: Duration,
}

impl CommandSecretStore {
    /// A command: the absolute path of a program, and its first arguments.
    ///
    /// # Errors
    /// `secret.invalid`.
    // [SECRET-14]
    pub fn new(words: Vec<String>) -> Result<Self, Error> {
        let absolute = words.first().is_some_and(|program| Path::new(program).is_absolute());
        if !absolute || words.iter().any(|word| word.contains('\0')) {
            let detail = "a command that does not begin with an absolute path, or with a NUL in it";
            return Err(Error::new(Code::SecretInvalid, detail));
        }
        Ok(CommandSecretStore { words, timeout: Duration::from_millis(SECRET_COMMAND_TIMEOUT_MS) })
    }

    /// Its program, and any other file that it names by an absolute path, such as a script.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.words.iter().map(Path::new).filter(|path| path.is_absolute())
    }

    #[cfg(test)]
    pub(super) fn within(self, timeout: Duration) -> Self {
        CommandSecretStore { timeout, ..self }
    }

    /// Nothing that the program says but its one line is looked at: its complaints may hold values.
    // [SECRET-15]
    fn start(&self, name: &str) -> Result<(Process, ChildStdout), Error> {
        let (program, arguments) = self.words.split_first().ok_or_else(|| failed("is empty"))?;
        let mut command = Command::new(program);
        command.args(arguments).arg(name).env_clear();
        let kept = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name)));
        command.envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|error| failed(&format!("can't be started: {error}")))?;
        let stdout = child.stdout.take();
        let process = Process(child);
        stdout.map(|stdout| (process, stdout)).ok_or_else(|| failed("has no stdout"))
    }

    /// What the command writes, and how it ends, both before the deadline.
    // [SECRET-16]
    fn ask(&self, name: &str) -> Result<Vec<u8>, Error> {
        let (mut process, stdout) = self.start(name)?;
        let began = Instant::now();
        let left = || self.timeout.saturating_sub(began.elapsed());
        let slow = || failed("has not answered in time");
        let (sender, answer) = channel();
        // Whatever the command started may keep its stdout open for good, so nobody waits for this thread.
        let reader = std::thread::Builder::new().spawn(move || {
            let mut bytes = Vec::new();
            let most = SECRET_BYTES_MAX.saturating_add(2);
            let read = stdout.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes);
            let _ = sender.send(read.map(|_| bytes));
        });
        reader.map_err(|error| failed(&format!("has no reader: {error}")))?;
        let bytes = match answer.recv_timeout(left()) {
            Ok(Ok(bytes)) => bytes,
            Err(RecvTimeoutError::Timeout) => return Err(slow()),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(failed("can't be read"));
            }
        };
        // One that writes for ever would never end either.
        if bytes.len() > SECRET_BYTES_MAX.saturating_add(1) {
            return Err(failed("writes more than a value may have"));
        }
        let status = loop {
            match process.0.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if left().is_zero() => return Err(slow()),
                Ok(None) => std::thread::sleep(Duration::from_millis(SECRET_COMMAND_POLL_MS)),
                Err(error) => return Err(failed(&format!("is lost: {error}"))),
            }
        };
        ended_well(status).map(|()| bytes)
    }
}

impl SecretStore for CommandSecretStore {
    // [SECRET-17]
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        check_name(name)?;
        let bytes = self.ask(name)?;
        let text = String::from_utf8(bytes).map_err(|_| failed("writes no text"))?;
        match text.strip_suffix('\n').unwrap_or(&text) {
            "" => Ok(None),
            line => SecretValue::parse(line).map(Some),
        }
    }
}

fn ended_well(status: ExitStatus) -> Result<(), Error> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(failed(&format!("ended with status {code}"))),
        None => Err(failed("was ended by a signal")),
    }
}

/// Which command it is the policy says; its arguments may be nobody's business.
fn failed(why: &str) -> Error {
    Error::new(Code::SecretCommand, format!("the policy's secrets_command {why}"))
}

/// A child that does not outlive its owner and leaves no zombie.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
