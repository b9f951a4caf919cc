//! Room: how the command line reaches the network: the system's `curl`, one process for each exchange,
//! with everything nailed down that the user's own files and environment would otherwise decide.
//!
//! Reading order: this file starts, follows and ends the process; [`config`] says what is asked of it;
//! [`response`] reads what comes back. No rule of the door stands here: `kernel::network` decides.

mod config;
mod response;
#[cfg(test)]
#[path = "../../../conformance/unit/host/curl.rs"]
mod tests;

use crate::host::transport::HttpTransport;
use crate::kernel::limits::{HTTP_CANCEL_POLL_MS, HTTP_LOOKUPS_COUNT_MAX};
use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use response::ResponseReader;
use std::ffi::OsStr;
use std::io::{PipeWriter, Read as _, Write as _};
use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The first `curl` that refuses HTTP/0.9 by itself; the other options used are older.
const VERSION_MIN: (u32, u32) = (7, 66);
const PIECE_BYTES: usize = 64 << 10;

/// Carries out exchanges with the system's `curl`, and look-ups with the system's resolver.
#[derive(Debug, Default)]
pub struct CurlTransport {
    ca_file: Option<PathBuf>,
    /// Looked for and tried by the first exchange, since most calls need none, and again until it is found:
    /// a server goes on running while somebody installs it.
    program: OnceLock<PathBuf>,
    /// Look-ups under way. The system's resolver can't be stopped, so those that hang are counted.
    lookups: Arc<AtomicUsize>,
}

impl CurlTransport {
    /// A transport that trusts the certificates of this PEM file and no others, or without one the
    /// certification authorities of this system.
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        CurlTransport { ca_file, ..CurlTransport::default() }
    }

    fn program(
        &self,
        search_path: &OsStr,
        deadline: Instant,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<&Path, TransportError> {
        if let Some(program) = self.program.get() {
            return Ok(program);
        }
        let program = find_program(search_path).map_err(TransportError::Host)?;
        check_version(&program, deadline, is_cancelled)?;
        Ok(self.program.get_or_init(|| program))
    }

    /// Starts `curl`. Nothing that a process list shows depends on the request but its time.
    // [NET-01] [NET-02] [NET-03] [NET-09]
    fn start(&self, exchange: &Exchange, program: &Path) -> Result<Started, TransportError> {
        let failed =
            |error: std::io::Error| TransportError::Host(format!("curl can't be started: {error}"));
        let mut command = Command::new(program);
        command.env_clear().args(config::ARGUMENTS).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(path) = &self.ca_file {
            // Else a folder of certificates that curl was built with would still count.
            command.arg("--cacert").arg(path).args(["--capath", "/dev/null"]);
        }
        let mut body_pipe = None;
        if config::has_body(exchange) {
            // Of the three streams that a child gets, the one for its complaints carries the body to
            // it: silent as it is, curl has none.
            let (reader, writer) = std::io::pipe().map_err(failed)?;
            command.args(["--data-binary", "@/dev/fd/2"]).stderr(reader);
            body_pipe = Some(writer);
        } else {
            command.stderr(Stdio::null());
        }
        let mut child = command.spawn().map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let process = Process(child);
        match (stdin, stdout) {
            (Some(stdin), Some(stdout)) => Ok(Started { process, stdin, stdout, body_pipe }),
            _ => Err(TransportError::Host("curl has no pipes".to_owned())),
        }
    }
}

impl HttpTransport for CurlTransport {
    // [NET-12]
    fn resolve(
        &self,
        host: &str,
        timeout: Duration,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        let deadline = deadline_after(timeout)?;
        let place = Place::take(&self.lookups)?;
        let (sender, answer) = channel();
        let name = host.to_owned();
        let looked_up = thread::Builder::new().spawn(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            let _ = sender.send(found.map(|found| found.map(|at| at.ip()).collect::<Vec<_>>()));
            drop(place);
        });
        looked_up.map_err(no_thread)?;
        match wait_for(&answer, deadline, is_cancelled)? {
            Some(Ok(mut addresses)) => {
                let mut seen = Vec::new();
                addresses.retain(|address| {
                    let is_new = !seen.contains(address);
                    seen.push(*address);
                    is_new
                });
                (!addresses.is_empty()).then_some(addresses).ok_or(TransportError::NoAddress)
            }
            Some(Err(_)) => Err(TransportError::NoAddress),
            None => Err(TransportError::Host("the look-up broke off".to_owned())),
        }
    }

    fn exchange(
        &self,
        exchange: &Exchange,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        let deadline = deadline_after(exchange.timeout)?;
        let config = config::config_for(exchange)?;
        let search_path = std::env::var_os("PATH").unwrap_or_default();
        let program = self.program(&search_path, deadline, is_cancelled)?;
        let Started { process, stdin, stdout, body_pipe } = self.start(exchange, program)?;
        thread::scope(|scope| {
            let (sender, pieces) = sync_channel(2);
            let config = &config;
            let sending = move || send(stdin, config, body_pipe, exchange.body);
            let receiving = move || receive(stdout, &sender);
            // Where a thread is missing, the process ends before the other is waited for.
            let process = process;
            thread::Builder::new().spawn_scoped(scope, sending).map_err(no_thread)?;
            thread::Builder::new().spawn_scoped(scope, receiving).map_err(no_thread)?;
            // Ends the process before it returns, and with it both threads.
            follow(process, pieces, exchange, deadline, is_cancelled)
        })
    }
}

struct Started {
    process: Process,
    stdin: ChildStdin,
    stdout: ChildStdout,
    body_pipe: Option<PipeWriter>,
}

/// A child that does not outlive its owner and leaves no zombie.
struct Process(Child);

impl Drop for Process {
    // [NET-10]
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes what curl reads, in the order in which it reads it. Where curl has ended, its status says why.
fn send(mut stdin: ChildStdin, config: &str, body_pipe: Option<PipeWriter>, body: &[u8]) {
    let _ = stdin.write_all(config.as_bytes());
    drop(stdin);
    if let Some(mut pipe) = body_pipe {
        let _ = pipe.write_all(body);
    }
}

/// Hands on what curl writes, until it ends or nobody takes any more.
fn receive(mut stdout: ChildStdout, sender: &SyncSender<Vec<u8>>) {
    let mut buffer = vec![0; PIECE_BYTES];
    while let Ok(count @ 1..) = stdout.read(&mut buffer) {
        let piece = buffer.get(..count).unwrap_or_default().to_vec();
        if sender.send(piece).is_err() {
            return;
        }
    }
}

fn no_thread(error: std::io::Error) -> TransportError {
    TransportError::Host(format!("no thread: {error}"))
}

fn deadline_after(timeout: Duration) -> Result<Instant, TransportError> {
    let deadline = Instant::now().checked_add(timeout);
    deadline.ok_or_else(|| TransportError::Host("a time beyond this host's clock".to_owned()))
}

/// The next thing that a thread sends, or `None` once it has ended. Gives up at the deadline, or when the
/// call is cancelled.
fn wait_for<T>(
    receiver: &Receiver<T>,
    deadline: Instant,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Option<T>, TransportError> {
    let look = Duration::from_millis(HTTP_CANCEL_POLL_MS);
    loop {
        if is_cancelled() {
            return Err(TransportError::Cancelled);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::TimedOut);
        }
        match receiver.recv_timeout(left.min(look)) {
            Ok(sent) => return Ok(Some(sent)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

/// Reads the response as it comes, and gives up at the first byte too many.
// [NET-11]
fn follow(
    mut process: Process,
    pieces: Receiver<Vec<u8>>,
    exchange: &Exchange,
    deadline: Instant,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<HttpResponse, TransportError> {
    let mut response = ResponseReader::new(exchange.method, exchange.response_bytes_max);
    while let Some(piece) = wait_for(&pieces, deadline, is_cancelled)? {
        response.take(&piece)?;
    }
    let status = process.0.wait();
    let status = status.map_err(|error| TransportError::Host(format!("curl is lost: {error}")))?;
    match status.code() {
        Some(0) => response.finish(),
        Some(code) => Err(meaning(code)),
        None => Err(TransportError::Host("curl was ended by a signal".to_owned())),
    }
}

/// What curl's exit status says; its own words would name the request.
fn meaning(code: i32) -> TransportError {
    let with_code = |text: &str| format!("{text} (curl {code})");
    match code {
        7 => TransportError::Unreachable(with_code("refused, or no way there")),
        18 | 52 | 55 | 56 => TransportError::Unreachable(with_code("it broke")),
        28 => TransportError::TimedOut,
        51 | 60 => TransportError::Tls(with_code(
            "the certificate is of an unknown issuer, for another name, or out of its time",
        )),
        35 | 53 | 54 | 58 | 59 | 64 | 66 | 80 | 82 | 83 | 90 | 91 | 98 => {
            TransportError::Tls(with_code("no agreement with the server"))
        }
        // Out of memory is also what it says of a header that is longer than it takes.
        27 | 63 | 100 => TransportError::TooLarge,
        1 | 8 | 61 => TransportError::Malformed(with_code("no status line or headers")),
        77 => TransportError::Host(with_code("the file of trusted certificates can't be read")),
        _ => TransportError::Host(with_code("curl failed")),
    }
}

/// The first `curl` in the absolute folders of a search path.
fn find_program(search_path: &OsStr) -> Result<PathBuf, String> {
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("curl"))
        .find(|program| program.is_file())
        .ok_or_else(|| "there is no curl in PATH; install the package curl".to_owned())
}

/// Asks a `curl` what it is, and ends it if it does not say so in time.
fn check_version(
    program: &Path,
    deadline: Instant,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(), TransportError> {
    let fails = |why: String| TransportError::Host(format!("{}: {why}", program.display()));
    let mut command = Command::new(program);
    command.args(["-q", "--version"]).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| fails(format!("can't be started: {error}")))?;
    let mut process = Process(child);
    let stdout = process.0.stdout.take().ok_or_else(|| fails("it has no pipe".to_owned()))?;
    let (sender, pieces) = sync_channel(2);
    thread::Builder::new().spawn(move || receive(stdout, &sender)).map_err(no_thread)?;
    let mut said = Vec::new();
    while let Some(piece) = wait_for(&pieces, deadline, is_cancelled)? {
        said.extend(piece);
        if said.len() > PIECE_BYTES {
            return Err(fails("it does not stop talking".to_owned()));
        }
    }
    check_words(&String::from_utf8_lossy(&said)).map_err(fails)
}

/// Holds `curl 7.88.1 (…) …` and the lines behind it against what is needed.
// [NET-04]
fn check_words(text: &str) -> Result<(), String> {
    let version = text.lines().next().and_then(|line| {
        let mut numbers = line.strip_prefix("curl ")?.split(['.', ' ', '-']);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    let version: (u32, u32) = version.ok_or("it does not say its version")?;
    if version < VERSION_MIN {
        let ((major, minor), (major_min, minor_min)) = (version, VERSION_MIN);
        return Err(format!("it is {major}.{minor}; needed is {major_min}.{minor_min} or later"));
    }
    let protocols = text.lines().find_map(|line| line.strip_prefix("Protocols:"));
    let mut protocols = protocols.unwrap_or_default().split_ascii_whitespace();
    protocols.any(|word| word == "https").then_some(()).ok_or_else(|| "it has no https".to_owned())
}

/// One of the places for look-ups, given back when the look-up ends rather than when its caller does.
struct Place(Arc<AtomicUsize>);

impl Place {
    // [NET-13]
    fn take(lookups: &Arc<AtomicUsize>) -> Result<Self, TransportError> {
        let one_more = |count: usize| count.checked_add(1).filter(|n| *n <= HTTP_LOOKUPS_COUNT_MAX);
        match lookups.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Place(Arc::clone(lookups))),
            Err(_) => Err(TransportError::Host("too many names are being looked up".to_owned())),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
