//! A running adapter: a process, its lines, and how long it may take.

use crate::message::{self, Implementation, LINE_BYTES_MAX};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

const STOP_TIME: Duration = Duration::from_secs(2);

/// What a process is started with.
pub struct Start<'a> {
    pub command: &'a [String],
    /// Of the cases.
    pub vectors: &'a Path,
    pub limit: Duration,
    pub place: &'a Place,
}

/// Where a process runs. The two passes have different ones.
pub struct Place {
    pub directory: PathBuf,
    pub time_zone: &'static str,
    pub language: &'static str,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    TimeOut,
    Crash(String),
    Protocol(String),
}

impl Failure {
    pub fn reason(&self) -> &str {
        match self {
            Failure::TimeOut => "no answer in time",
            Failure::Crash(reason) | Failure::Protocol(reason) => reason,
        }
    }
}

enum Line {
    Text(String),
    Fault(String),
    End,
}

pub struct Adapter {
    child: Child,
    lines: Receiver<Line>,
    input: Option<Sender<String>>,
    errors: Receiver<String>,
    limit: Duration,
}

impl Adapter {
    /// Starts the program with these further arguments.
    pub fn start(start: &Start<'_>, arguments: &[&Path]) -> Result<Adapter, Failure> {
        let (program, fixed) = start.command.split_first().expect("a command has a program");
        let mut command = Command::new(program);
        command.args(fixed).args(arguments).current_dir(&start.place.directory);
        command.env("TZ", start.place.time_zone);
        command.env("LANG", start.place.language).env("LC_ALL", start.place.language);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts is ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let failed = |error| Failure::Crash(format!("{program} cannot be started: {error}"));
        let mut child = command.spawn().map_err(failed)?;
        let lines = child.stdout.take().map(read_lines).expect("stdout is piped");
        let input = child.stdin.take().map(write_lines).expect("stdin is piped");
        let errors = child.stderr.take().map(last_line).expect("stderr is piped");
        Ok(Adapter { child, lines, input: Some(input), errors, limit: start.limit })
    }

    /// Starts the program and says hello.
    pub fn open(start: &Start<'_>) -> Result<(Adapter, Implementation), Failure> {
        let mut adapter = Adapter::start(start, &[])?;
        adapter.send(message::hello(start.vectors));
        let line = adapter.receive(Instant::now() + start.limit)?;
        let implementation = Implementation::read(&line).map_err(Failure::Protocol)?;
        Ok((adapter, implementation))
    }

    /// Sends a message; an adapter that does not read it makes nothing wait.
    pub fn send(&mut self, message: String) {
        if let Some(input) = &self.input {
            // A process that has ended is noticed when its answer is read.
            let _ = input.send(message);
        }
    }

    pub fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    pub fn receive(&mut self, deadline: Instant) -> Result<String, Failure> {
        match self.line(deadline)? {
            Some(line) => Ok(line),
            None => Err(self.crash()),
        }
    }

    /// The next line, or `None` at the end.
    fn line(&mut self, deadline: Instant) -> Result<Option<String>, Failure> {
        let rest = deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(rest) {
            Ok(Line::Text(line)) => Ok(Some(line)),
            Ok(Line::Fault(fault)) => Err(Failure::Protocol(fault)),
            Ok(Line::End) | Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Failure::TimeOut),
        }
    }

    /// The status of a process that has closed its output.
    fn end(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + STOP_TIME;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// Why the process ended: its status and the last line that it wrote to stderr.
    fn crash(&mut self) -> Failure {
        let status = self.end().map(|status| format!("ended with {status}"));
        let reason = status.unwrap_or_else(|| "closed its output".to_owned());
        let last = self.errors.recv_timeout(STOP_TIME).ok().filter(|line| !line.is_empty());
        Failure::Crash(last.map_or(reason.clone(), |line| format!("{reason}: {line}")))
    }

    /// Ends the process in the regular way, and returns a line that nothing asked for.
    pub fn stop(mut self) -> Option<String> {
        self.send(message::stop());
        self.input = None;
        let line = self.line(Instant::now() + STOP_TIME);
        line.unwrap_or_else(|failure| match failure {
            Failure::Protocol(fault) => Some(fault),
            Failure::TimeOut | Failure::Crash(_) => None,
        })
    }

    /// The only line of a process that answers one message and ends with status 0.
    pub fn only_line(mut self) -> Result<String, Failure> {
        self.input = None;
        let deadline = self.deadline();
        let answer = self.line(deadline)?;
        let further = match answer {
            Some(_) => self.line(deadline)?,
            None => None,
        };
        match (answer, further) {
            (_, Some(_)) => Err(Failure::Protocol("more than one line".to_owned())),
            (Some(line), None) if self.end().is_some_and(|status| status.success()) => Ok(line),
            _ => Err(self.crash()),
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        #[cfg(unix)]
        {
            let group = format!("-{}", self.child.id());
            let mut kill = Command::new("kill");
            kill.args(["-KILL", "--", &group]).stdout(Stdio::null()).stderr(Stdio::null());
            let _ = kill.status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(output: ChildStdout) -> Receiver<Line> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut bytes = Vec::new();
            let mut limited = (&mut output).take(LINE_BYTES_MAX + 1);
            let is_end = !limited.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0);
            let is_long = u64::try_from(bytes.len()).map_or(true, |read| read > LINE_BYTES_MAX);
            let line = match String::from_utf8(bytes) {
                _ if is_end => Line::End,
                _ if is_long => Line::Fault(format!("a line of more than {LINE_BYTES_MAX} bytes")),
                Ok(text) => Line::Text(text),
                Err(_) => Line::Fault("a line that is not UTF-8".to_owned()),
            };
            let is_last = !matches!(line, Line::Text(_));
            if sender.send(line).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

fn write_lines(mut input: ChildStdin) -> Sender<String> {
    let (sender, receiver) = channel::<String>();
    thread::spawn(move || {
        for message in receiver {
            if writeln!(input, "{message}").and_then(|()| input.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

/// The last line of stderr that is not empty, when it ends.
fn last_line(errors: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut errors = BufReader::new(errors);
        let mut last = String::new();
        loop {
            let mut bytes = Vec::new();
            let mut limited = (&mut errors).take(4096);
            if !limited.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let _ = sender.send(last);
                return;
            }
            let line = String::from_utf8_lossy(&bytes).trim().to_owned();
            if !line.is_empty() {
                last = line;
            }
        }
    });
    receiver
}
