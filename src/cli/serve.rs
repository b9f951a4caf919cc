//! Room: `mpp serve`: what agents start.

use super::{config, run, CommandOutput};
use argh::FromArgs;
use mpp::mcp::Server;
use mpp::network::CurlTransport;
use mpp::runtime::Runtime;
use mpp::{home, Error};
use serde_json::Value;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::time::Duration;

/// How long a server that has ended waits for somebody to read its last lines.
const LAST_LINES_WAIT: Duration = Duration::from_millis(500);

/// Serve the installed packages to an agent: MCP over stdin and stdout.
#[derive(FromArgs)]
#[argh(subcommand, name = "serve")]
pub struct Serve {
    /// policy file, instead of policy.json in the home folder; without any, packages that ask for nothing run
    /// and others are asked about
    #[argh(option)]
    policy: Option<PathBuf>,
    /// certification authorities that https servers are held against, in PEM, instead of this system's
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// folder for what packages keep from call to call, instead of storage in the home folder
    #[argh(option)]
    storage: Option<PathBuf>,
    /// print the configuration with which an agent program starts this server, and end: vscode, claude, codex, …
    #[argh(option)]
    print_config: Option<String>,
}

impl Serve {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if let Some(client) = &self.print_config {
            let options = [
                ("--policy", self.policy.as_deref()),
                ("--ca-file", self.ca_file.as_deref()),
                ("--storage", self.storage.as_deref()),
            ];
            return config::report(client, &options);
        }
        let home = home::home_dir()?;
        let policy = run::load_policy(self.policy.as_deref(), &home)?;
        let mut runtime = Runtime::open(&home, policy)?;
        if let Some(file) = &self.ca_file {
            runtime = runtime.protect(file);
        }
        if let Some(folder) = &self.storage {
            runtime = runtime.storage_directory(folder);
        }
        let runtime = runtime.http_transport(Arc::new(CurlTransport::new(self.ca_file)));
        let input = BufReader::new(std::io::stdin());
        let (told, written) = in_the_background();
        let tell = move |line: &str| drop(told.try_send(line.to_owned()));
        let served = Server::new(&runtime, tell).serve(input, std::io::stdout());
        // The server is gone and with it whoever tells; what was told is written, if somebody reads it.
        let _nobody_reads = written.recv_timeout(LAST_LINES_WAIT);
        served?;
        Ok(CommandOutput::new("", Value::Null))
    }
}

/// Where lines for whoever runs the server go. Many programs that start one never read its stderr, and a
/// full pipe must hold up no call: what can't be told is left out. The second half ends when all is
/// written.
fn in_the_background() -> (SyncSender<String>, Receiver<()>) {
    let (told, lines) = sync_channel::<String>(64);
    let (done, written) = sync_channel(1);
    std::thread::spawn(move || {
        lines.iter().for_each(|line| super::warn(&format!("mpp: {line}")));
        drop(done);
    });
    (told, written)
}
