//! `mpp serve`: the MCP server.

use super::{config, run, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::mcp::Server;
use mpp::network::CurlTransport;
use mpp::runtime::{PackageSource as _, Runtime};
use mpp::store::PackageStore;
use mpp::{home, text, Error};
use serde_json::Value;
use std::io::{BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::time::Duration;

/// How long a server that has ended waits for its last log lines to be read.
const LOG_FLUSH_WAIT: Duration = Duration::from_millis(500);

/// Serve installed packages to an agent: MCP over stdio
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "serve")]
#[argh(note = "Without a policy file, packages that request nothing run; others need approval.\n\
            Programs of --print-config: claude, claude-code, cline, codex, cursor, gemini, goose, jetbrains, \
            lm-studio, opencode, vscode, windsurf, zed")]
pub struct Serve {
    /// use this policy file [default: MPP_HOME/policy.json]
    #[argh(option)]
    policy: Option<PathBuf>,
    /// verify https servers with this CA bundle (PEM)
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// use this storage directory [default: MPP_HOME/storage]
    #[argh(option)]
    storage: Option<PathBuf>,
    /// print the configuration of a client, such as vscode
    #[argh(option)]
    print_config: Option<String>,
    /// with --print-config: merge it into the client's file
    #[argh(switch)]
    write: bool,
    /// with --write: use this file of the client
    #[argh(option)]
    config_file: Option<PathBuf>,
    /// with --write: do not ask
    #[argh(switch)]
    yes: bool,
}

impl Serve {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if let Some(client) = &self.print_config {
            let options = [
                ("--policy", self.policy.as_deref()),
                ("--ca-file", self.ca_file.as_deref()),
                ("--storage", self.storage.as_deref()),
            ];
            let (file, yes) = (self.config_file, self.yes);
            let write = self.write.then_some(config::Write { file, yes });
            return config::report(client, &options, write);
        }
        if self.write || self.yes || self.config_file.is_some() {
            return Err(usage_error("--write, --config-file and --yes need --print-config"));
        }
        let home = home::home_dir()?;
        let policy = run::load_policy(self.policy.as_deref(), &home)?;
        let mut runtime = Runtime::open(&home, policy)?;
        if let Some(file) = &self.ca_file {
            runtime = runtime.protect(file);
        }
        if let Some(directory) = &self.storage {
            runtime = runtime.storage_directory(directory);
        }
        let runtime = runtime.http_transport(Arc::new(CurlTransport::new(self.ca_file)));
        let input = BufReader::new(std::io::stdin());
        let (sender, written) = background_log();
        let log = move |line: &str| drop(sender.try_send(line.to_owned()));
        report_store(&home, &log);
        if std::io::stdin().is_terminal() {
            log("waiting for an MCP client on stdin; try `mpp serve --print-config vscode`");
        }
        let served = Server::new(&runtime, log).serve(input, std::io::stdout());
        // The sender is dropped with the server; the wait is for a client that reads stderr.
        let _timed_out = written.recv_timeout(LOG_FLUSH_WAIT);
        served?;
        Ok(CommandOutput::new("", Value::Null))
    }
}

/// Logs how many tools of which home directory are served, and each package file that is missing.
fn report_store(home: &Path, log: &impl Fn(&str)) {
    let store = PackageStore::new(home);
    let shown = text::quote_untrusted(&home.to_string_lossy());
    let installed = match store.installed() {
        Ok(installed) => installed,
        Err(error) => return log(&format!("serving no tools of {shown}: {error}")),
    };
    let count: usize = installed.iter().map(|package| package.tools.len()).sum();
    log(&format!("serving {count} tools of {shown}"));
    for package in installed {
        if let Err(error) = store.check(&package.content_hash) {
            log(&format!("{}: {}", package.id, error.detail()));
        }
    }
}

/// Writes log lines to stderr in a thread. Many clients never read it, and a full pipe blocks no call: lines that
/// do not fit are dropped. The receiver disconnects when all lines are written.
fn background_log() -> (SyncSender<String>, Receiver<()>) {
    let (sender, lines) = sync_channel::<String>(64);
    let (done, written) = sync_channel(1);
    std::thread::spawn(move || {
        lines.iter().for_each(|line| super::warn(&format!("mpp: {line}")));
        drop(done);
    });
    (sender, written)
}
