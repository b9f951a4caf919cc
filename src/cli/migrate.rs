//! `mpp migrate`: manifests for the tools of an existing server or program.

use super::{file_error, read_bytes, terminal, usage_error, CommandOutput};
use crate::author::migrate::{clean_line, migrate, program, server, tools_of, Migration, Settings};
use crate::author::project::Names;
use argh::{ArgsInfo, FromArgs};
use mpp::limits::REQUEST_BYTES_MAX;
use mpp::{Code, Error};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `-` is read as.
pub const STDIN: &str = "/dev/stdin";

/// Write manifests for the tools of an MCP server or program
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "migrate")]
#[argh(note = "SOURCE is a file with a list of tools, as tools/list answers, or - for stdin.\n\
            With --stdio it is the command that starts a server:\n  \
            mpp migrate --stdio -o DIR -- npx -y some-server --option")]
pub struct Migrate {
    /// list of tools, or with --stdio a command
    #[argh(positional)]
    source: Vec<String>,
    /// start SOURCE as an MCP server and ask it for its tools
    #[argh(switch)]
    stdio: bool,
    /// SOURCE is a command line program, FILE.wasm; its --help is read
    #[argh(switch)]
    command: bool,
    /// create this directory
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// mcp [default] or json-rpc
    #[argh(option, default = "String::from(\"mcp\")")]
    protocol: String,
    /// use this package id [default: org.example.DIRECTORY]
    #[argh(option)]
    id: Option<String>,
    /// seconds that a server has to answer [default: 120]
    #[argh(option, default = "120")]
    timeout_s: u64,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Migrate {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if !["mcp", "json-rpc"].contains(&self.protocol.as_str()) {
            return Err(usage_error("--protocol: expected mcp or json-rpc"));
        }
        let output = &self.output;
        let names = Names::of(output, self.id.clone()).map_err(usage_error)?;
        // A number may follow the id.
        if !mpp::names::is_id(&format!("{}-9999", names.id)) {
            return Err(usage_error("--id: not a reverse domain name, or too long"));
        }
        if fs::symlink_metadata(output).is_ok() {
            return Err(usage_error(format!("{} already exists", output.display())));
        }
        let migration = match self.command {
            true => self.program(&names)?,
            false => self.list(&names)?,
        };
        for manifest in &migration.manifests {
            mpp::Manifest::parse(manifest.to_string().as_bytes())?;
        }
        migration.write(output).map_err(|error| file_error(output, &error))?;
        let mut json = migration.to_json();
        if let Some(members) = json.as_object_mut() {
            members.insert("directory".to_owned(), Value::from(output.display().to_string()));
        }
        Ok(CommandOutput::new(terminal::printable(&migration.summary(output)), json))
    }

    /// Migrates a list of tools.
    fn list(&self, names: &Names) -> Result<Migration, Error> {
        let (title, tools) = self.tools()?;
        let title = title.map_or_else(|| names.package.clone(), |title| clean_line(&title));
        let settings = Settings { id: &names.id, title: &title, protocol: &self.protocol };
        // Schemas are nested, and so are the functions that read them.
        let migrated = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(64 << 20);
            let work = || migrate(&tools, &settings);
            thread.spawn_scoped(scope, work).ok().and_then(|thread| thread.join().ok())
        });
        let failed = || Error::new(Code::HostFile, "the migration did not end");
        migrated.ok_or_else(failed)?.map_err(usage_error)
    }

    /// Migrates a command line program, which runs once without any capability.
    fn program(&self, names: &Names) -> Result<Migration, Error> {
        let [file] = self.source.as_slice() else {
            return Err(usage_error("--command: expected one FILE.wasm"));
        };
        let help = program::help(&read_bytes(Path::new(file))?)?;
        let settings = Settings { id: &names.id, title: &names.package, protocol: "command" };
        Ok(program::migrate_program(&names.tool, &help, &settings))
    }

    /// Returns the tools, and the name that a server states.
    fn tools(&self) -> Result<(Option<String>, Vec<Value>), Error> {
        if self.stdio {
            let command = match self.source.as_slice() {
                [line] if !Path::new(line).exists() => server::words(line),
                words => words.to_vec(),
            };
            let timeout = Duration::from_secs(self.timeout_s.min(3600));
            let found = server::list_tools(&command, timeout)?;
            return Ok((found.name, found.tools));
        }
        let [source] = self.source.as_slice() else {
            return Err(usage_error("expected one SOURCE; a server's command needs --stdio"));
        };
        let mut bytes = Vec::new();
        let most = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let failed = |error| file_error(Path::new(source), &error);
        let reader: Box<dyn Read> = match source.as_str() {
            STDIN => Box::new(std::io::stdin().lock()),
            path => Box::new(fs::File::open(path).map_err(failed)?),
        };
        reader.take(most).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(usage_error(format!("{source}: longer than {REQUEST_BYTES_MAX} bytes")));
        }
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|error| usage_error(format!("{source}: {error}")))?;
        let tools = tools_of(&document).ok_or_else(|| {
            usage_error(format!("{source}: no array of tools, and no `tools` or `result.tools`"))
        })?;
        Ok((None, tools.clone()))
    }
}
