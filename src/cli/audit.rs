//! `mpp audit`.

use super::{terminal, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::consent::attestation::AttestationVerifier;
use mpp::{audit, home, Error};
use serde_json::json;
use std::path::PathBuf;

/// Verify the audit log
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "audit")]
pub struct Audit {
    #[argh(subcommand)]
    command: Command,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
enum Command {
    Verify(Verify),
}

/// Verify all records and the hash chain
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "verify")]
struct Verify {
    /// verify this file [default: MPP_HOME/audit/audit.jsonl]
    #[argh(positional)]
    log: Option<PathBuf>,
    /// require a record with this hash, noted earlier
    #[argh(option)]
    head: Option<String>,
    /// verify proofs of approval with this host.pub file
    #[argh(option)]
    host_key: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

impl Audit {
    pub fn as_json(&self) -> bool {
        let Command::Verify(command) = &self.command;
        command.json
    }

    pub fn run(self) -> Result<CommandOutput, Error> {
        let Command::Verify(command) = self.command;
        let dir = home::home_dir()?.join("audit");
        if command.log.is_none() && command.head.is_none() && !audit::log_exists(&dir)? {
            let json = json!({ "verdict": "empty", "records": 0 });
            return Ok(CommandOutput::new("no audit records yet\n", json));
        }
        let log = command.log.unwrap_or_else(|| dir.join("audit.jsonl"));
        let mut proofs = match &command.host_key {
            Some(path) => Some(AttestationVerifier::new(super::keys::read_public_key(path)?)),
            None => None,
        };
        let report =
            audit::verify_each(&log, command.head.as_deref(), |record| match &mut proofs {
                Some(proofs) => proofs.check_record(record),
                None => Ok(()),
            })?;
        let mut rows = vec![
            ("log", log.display().to_string()),
            ("records", report.records.to_string()),
            ("head", report.head.clone()),
            ("unfinished", report.open.len().to_string()),
        ];
        if let Some(proofs) = &proofs {
            rows.push(("proofs", format!("{} verified", proofs.verified_count())));
        }
        let text = format!("OK: hash chain verified\n{}", terminal::columns(&rows));
        let json = json!({
            "verdict": "whole", "log": log.display().to_string(), "records": report.records, "head": report.head,
            "unfinished": report.open, "proofs_good": proofs.map(|proofs| proofs.verified_count()),
        });
        Ok(CommandOutput::new(text, json))
    }
}
