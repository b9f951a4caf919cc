//! HTTP transport through the system's `curl`: one process for each exchange, with every setting fixed that the
//! user's files and environment would otherwise decide.
//!
//! This file starts, reads and ends the process; [`config`] writes the request; [`response`] parses the
//! response. Access rules are not checked here: `kernel::network` decides.

mod config;
mod response;
#[cfg(test)]
#[path = "../../../conformance/unit/host/curl.rs"]
mod tests;

use crate::host::child::KillOnDrop;
use crate::host::transport::HttpTransport;
use crate::kernel::limits::{HTTP_CANCEL_POLL_MS, HTTP_LOOKUPS_COUNT_MAX};
use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use response::ResponseReader;
use std::ffi::OsStr;
use std::io::{PipeWriter, Read as _, Write as _};
use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The first `curl` that refuses HTTP/0.9 by default; the other options used are older.
const VERSION_MIN: (u32, u32) = (7, 66);
const PIECE_BYTES: usize = 64 << 10;

/// Sends requests with the system's `curl`, and resolves names with the system's resolver.
#[derive(Debug, Default)]
pub struct CurlTransport {
    ca_file: Option<PathBuf>,
    /// Found and checked by the first exchange, since most calls need none, and again until it is found: a
    /// server keeps running while curl is being installed.
    program: OnceLock<PathBuf>,
    /// Lookups that are running. The system's resolver cannot be stopped, so those that hang are counted.
    lookups: Arc<AtomicUsize>,
}

impl CurlTransport {
    /// Returns a transport that trusts the certificates of this PEM file only, or, without one, the
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

    /// Starts `curl`. Its arguments, which a process list shows, do not depend on the request.
    // [NET-01] [NET-02] [NET-03] [NET-09]
    fn start(&self, exchange: &Exchange, program: &Path) -> Result<Started, TransportError> {
        let failed =
            |error: std::io::Error| TransportError::Host(format!("cannot start curl: {error}"));
        let mut command = Command::new(program);
        command.env_clear().args(config::ARGUMENTS).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(path) = &self.ca_file {
            // Without `--capath`, a certificate directory that curl was built with would count as well.
            command.arg("--cacert").arg(path).args(["--capath", "/dev/null"]);
        }
        let mut body_pipe = None;
        if config::has_body(exchange) {
            // A child has three streams. stderr carries the body to it, since curl writes no errors in
            // silent mode.
            let (reader, writer) = std::io::pipe().map_err(failed)?;
            command.args(["--data-binary", "@/dev/fd/2"]).stderr(reader);
            body_pipe = Some(writer);
        } else {
            command.stderr(Stdio::null());
        }
        let mut child = command.spawn().map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let process = KillOnDrop(child);
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
        let slot = LookupSlot::take(&self.lookups)?;
        let (sender, answer) = channel();
        let name = host.to_owned();
        let looked_up = thread::Builder::new().spawn(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            let _ = sender.send(found.map(|found| found.map(|at| at.ip()).collect::<Vec<_>>()));
            drop(slot);
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
            None => Err(TransportError::Host("the name lookup failed".to_owned())),
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
            // If a thread cannot be started, dropping the process ends the other thread.
            let process = process;
            thread::Builder::new().spawn_scoped(scope, sending).map_err(no_thread)?;
            thread::Builder::new().spawn_scoped(scope, receiving).map_err(no_thread)?;
            // Ends the process before it returns, and with it both threads.
            follow(process, pieces, exchange, deadline, is_cancelled)
        })
    }
}

struct Started {
    process: KillOnDrop,
    stdin: ChildStdin,
    stdout: ChildStdout,
    body_pipe: Option<PipeWriter>,
}

/// Writes what curl reads, in the order in which it reads it. If curl has exited, its status says why.
fn send(mut stdin: ChildStdin, config: &str, body_pipe: Option<PipeWriter>, body: &[u8]) {
    let _ = stdin.write_all(config.as_bytes());
    drop(stdin);
    if let Some(mut pipe) = body_pipe {
        let _ = pipe.write_all(body);
    }
}

/// Sends what curl writes to the channel, until curl exits or the receiver is dropped.
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
    TransportError::Host(format!("cannot start a thread: {error}"))
}

fn deadline_after(timeout: Duration) -> Result<Instant, TransportError> {
    let deadline = Instant::now().checked_add(timeout);
    deadline.ok_or_else(|| TransportError::Host("timeout exceeds this host's clock".to_owned()))
}

/// Returns the next value that a thread sends, or `None` once it has ended. Stops at the deadline, or when the
/// call is cancelled.
fn wait_for<T>(
    receiver: &Receiver<T>,
    deadline: Instant,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Option<T>, TransportError> {
    let poll_interval = Duration::from_millis(HTTP_CANCEL_POLL_MS);
    loop {
        if is_cancelled() {
            return Err(TransportError::Cancelled);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::TimedOut);
        }
        match receiver.recv_timeout(left.min(poll_interval)) {
            Ok(sent) => return Ok(Some(sent)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

/// Parses the response as it arrives, and stops at the first byte over the limit.
// [NET-11]
fn follow(
    mut process: KillOnDrop,
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
    let status = status.map_err(|error| TransportError::Host(format!("curl: {error}")))?;
    match status.code() {
        Some(0) => response.finish(),
        Some(code) => Err(error_for_status(code)),
        None => Err(TransportError::Host("curl was killed by a signal".to_owned())),
    }
}

/// Maps curl's exit status to an error. Its own messages would contain the request.
fn error_for_status(code: i32) -> TransportError {
    let with_code = |text: &str| format!("{text} (curl {code})");
    match code {
        7 => TransportError::Unreachable(with_code("connection refused or no route")),
        18 | 52 | 55 | 56 => TransportError::Unreachable(with_code("connection broken")),
        28 => TransportError::TimedOut,
        51 | 60 => TransportError::Tls(with_code(
            "certificate expired, for another name, or of an unknown issuer",
        )),
        35 | 53 | 54 | 58 | 59 | 64 | 66 | 80 | 82 | 83 | 90 | 91 | 98 => {
            TransportError::Tls(with_code("TLS handshake failed"))
        }
        // curl also reports out of memory for a header that is longer than it accepts.
        27 | 63 | 100 => TransportError::TooLarge,
        1 | 8 | 61 => TransportError::Malformed(with_code("invalid status line or headers")),
        77 => TransportError::Host(with_code("the CA file cannot be read")),
        _ => TransportError::Host(with_code("curl failed")),
    }
}

/// Finds the first `curl` in the absolute directories of a search path.
fn find_program(search_path: &OsStr) -> Result<PathBuf, String> {
    std::env::split_paths(search_path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("curl"))
        .find(|program| program.is_file())
        .ok_or_else(|| "curl not found in PATH; install the package curl".to_owned())
}

/// Runs `curl --version` and checks its output, within the deadline.
fn check_version(
    program: &Path,
    deadline: Instant,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(), TransportError> {
    let fails = |why: String| TransportError::Host(format!("{}: {why}", program.display()));
    let mut command = Command::new(program);
    command.args(["-q", "--version"]).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| fails(format!("cannot be started: {error}")))?;
    let mut process = KillOnDrop(child);
    let stdout = process.0.stdout.take().ok_or_else(|| fails("no stdout".to_owned()))?;
    let (sender, pieces) = sync_channel(2);
    thread::Builder::new().spawn(move || receive(stdout, &sender)).map_err(no_thread)?;
    let mut output = Vec::new();
    while let Some(piece) = wait_for(&pieces, deadline, is_cancelled)? {
        output.extend(piece);
        if output.len() > PIECE_BYTES {
            return Err(fails("version output too long".to_owned()));
        }
    }
    check_version_output(&String::from_utf8_lossy(&output)).map_err(fails)
}

/// Checks `curl 7.88.1 (…) …` and the lines after it: version and protocols.
// [NET-04]
fn check_version_output(text: &str) -> Result<(), String> {
    let version = text.lines().next().and_then(|line| {
        let mut numbers = line.strip_prefix("curl ")?.split(['.', ' ', '-']);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    let version: (u32, u32) = version.ok_or("version output not recognized")?;
    if version < VERSION_MIN {
        let ((major, minor), (major_min, minor_min)) = (version, VERSION_MIN);
        return Err(format!("version is {major}.{minor}, minimum {major_min}.{minor_min}"));
    }
    let protocols = text.lines().find_map(|line| line.strip_prefix("Protocols:"));
    let mut protocols = protocols.unwrap_or_default().split_ascii_whitespace();
    protocols
        .any(|protocol| protocol == "https")
        .then_some(())
        .ok_or_else(|| "built without https".to_owned())
}

/// A slot for one lookup, freed when the lookup ends rather than when its caller does.
struct LookupSlot(Arc<AtomicUsize>);

impl LookupSlot {
    // [NET-13]
    fn take(lookups: &Arc<AtomicUsize>) -> Result<Self, TransportError> {
        let one_more = |count: usize| count.checked_add(1).filter(|n| *n <= HTTP_LOOKUPS_COUNT_MAX);
        match lookups.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(LookupSlot(Arc::clone(lookups))),
            Err(_) => {
                Err(TransportError::Host(format!("over {HTTP_LOOKUPS_COUNT_MAX} name lookups")))
            }
        }
    }
}

impl Drop for LookupSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
