//! `mpp doctor`: whether this host can run tools, and what to do where it cannot.

use super::terminal::{self, Style};
use super::{run, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::bundle::{Bundle, Organisation};
use mpp::package::key::SecretKey;
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::policy::{PermissionPolicy, PolicyDecision};
use mpp::runtime::PackageSource as _;
use mpp::sandbox::{SandboxConfig, WasmSandbox};
use mpp::store::PackageStore;
use mpp::trust::{Validity, FILE_NAME, SEEN_FILE_NAME};
use mpp::{audit, home, Error, Gatekeeper, Timestamp, TrustStore};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Check this host: home, trust, policy, packages, log
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "doctor")]
pub struct Doctor {
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// What was found: well, worth a look, or a reason why calls are refused.
enum Finding {
    Ok(String),
    Warn(String),
    Fail(String),
}
use Finding::{Fail, Ok as Fine, Warn};

impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        Fail(format!("{}; {}", error.detail(), error.code().remedy()))
    }
}

impl Doctor {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let home = home::home_dir()?;
        let checks: [(&str, Finding); 9] = [
            ("home", directory(&home)),
            ("bound", organisation().unwrap_or_else(Finding::from)),
            ("trust", trust(&home).unwrap_or_else(Finding::from)),
            ("policy", policy(&home).unwrap_or_else(Finding::from)),
            ("packages", packages(&home).unwrap_or_else(Finding::from)),
            ("log", log(&home).unwrap_or_else(Finding::from)),
            ("engine", engine().unwrap_or_else(Finding::from)),
            ("curl", curl()),
            ("clock", clock()),
        ];
        let (mut text, mut list, mut is_well) = (String::new(), Vec::new(), true);
        for (name, finding) in checks {
            let (verdict, style, detail) = match finding {
                Fine(detail) => ("ok", Style::Good, detail),
                Warn(detail) => ("warn", Style::Warn, detail),
                Fail(detail) => ("FAIL", Style::Bad, detail),
            };
            is_well &= verdict != "FAIL";
            let rows = terminal::columns(&[(&format!("{name:8}  {verdict:4}"), detail.clone())]);
            text.push_str(&rows.replacen(verdict, &terminal::paint(style, verdict), 1));
            list.push(json!({ "check": name, "verdict": verdict, "detail": detail }));
        }
        let json = json!({ "healthy": is_well, "checks": list });
        Ok(CommandOutput { text, json, exit_status: u8::from(!is_well) })
    }
}

fn directory(home: &Path) -> Finding {
    let shown = home.display();
    match home.metadata() {
        Ok(found) if !found.is_dir() => Fail(format!("{shown} is not a directory: set MPP_HOME")),
        Ok(_) if home::has_mode(home, 0o002) => {
            Fail(format!("{shown} is writable by every user: run `chmod o-w {shown}`"))
        }
        Ok(found) if found.permissions().readonly() => {
            Warn(format!("{shown} is read-only: nothing can be installed"))
        }
        Ok(_) => Fine(shown.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Warn(format!("{shown} is made when it is first used"))
        }
        Err(error) => Fail(format!("{shown}: {error}")),
    }
}

fn organisation() -> Result<Finding, Error> {
    Ok(Fine(match Organisation::of_this_computer()? {
        None => "to no organisation".to_owned(),
        Some(found) => {
            let Bundle { organisation, sequence, expires, .. } = found.bundle();
            format!("to {organisation} by bundle {sequence}, until {expires}")
        }
    }))
}

fn trust(home: &Path) -> Result<Finding, Error> {
    let seen = home.join(SEEN_FILE_NAME);
    let store = TrustStore::load_with_versions(&home.join(FILE_NAME), &seen)?;
    let (keys, revoked) = (store.keys().count(), store.revoked_keys().count());
    Ok(match keys {
        0 => Warn("no trusted key: every package is refused; run `mpp trust add`".to_owned()),
        _ => Fine(format!(
            "keys: {keys}, of publishers: {}, revoked: {revoked}",
            store.publishers().count()
        )),
    })
}

fn policy(home: &Path) -> Result<Finding, Error> {
    let policy: PermissionPolicy = run::load_policy(None, home)?;
    Ok(Fine(match policy.file() {
        Some(file) => {
            format!("{file}: valid; required publishers: {}", policy.signers_required().max(1))
        }
        None => {
            "no policy file: packages that request nothing run, others need approval".to_owned()
        }
    }))
}

fn packages(home: &Path) -> Result<Finding, Error> {
    let store = PackageStore::new(home);
    let installed = store.installed()?;
    let is_missing = |hash| store.check(hash).is_err();
    let missing = installed.iter().filter(|it| is_missing(&it.content_hash));
    let missing: Vec<&str> = missing.map(|it| it.id.as_str()).collect();
    Ok(match missing.is_empty() {
        true => Fine(format!("installed: {}", installed.len())),
        false => Fail(format!("missing or altered, install again: {}", missing.join(", "))),
    })
}

fn log(home: &Path) -> Result<Finding, Error> {
    let dir = home.join("audit");
    if !audit::log_exists(&dir)? {
        return Ok(Fine("no records yet".to_owned()));
    }
    let file = dir.join("audit.jsonl");
    let report = audit::verify_each(&file, None, |_| Ok(()))?;
    let bytes = file.metadata().map_or(0, |found| found.len());
    Ok(Fine(format!(
        "hash chain verified, {} records, {} KiB",
        report.records,
        bytes.div_ceil(1024)
    )))
}

/// A module that counts to four million, some 28 million instructions.
const COUNTING: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x18\x01\x16\x01\x01\x7f\x03\x40\x20\0\x41\x01\x6a\x22\0\
    \x41\x80\x92\xf4\x01\x48\x0d\0\x0b\x0b";

/// Measures the engine with a package made for this. Its dispatch is chosen when the program is built, and the
/// portable one is several times slower.
fn engine() -> Result<Finding, Error> {
    let manifest = json!({
        "mpp_version": "1.0", "id": "org.example.doctor", "version": "1.0.0", "name": "Doctor",
        "description": "Counts",
        "runtime": { "target": "wasm32-wasip1", "entry": "tool.wasm", "protocol": "json-rpc",
                     "memory_limit_mb": 1, "timeout_ms": 5000, "fuel": 1_000_000_000, "output_limit_kb": 1 },
        "tools": [{ "name": "count", "description": "Counts", "sensitivity": "read",
                    "parameters": { "type": "object" } }],
        "privacy_filters": { "patterns": ["email"] }
    });
    let contents = BTreeMap::from([
        ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
        ("tool.wasm".to_owned(), COUNTING.to_owned()),
    ]);
    let (key, now) = (SecretKey::generate(), Timestamp::now());
    let package = pack(contents, &key, now, Compression::Stored)?;
    let mut trust = TrustStore::empty();
    trust.add_publisher("Doctor", key.public(), &["org.example"], Validity::ALWAYS)?;
    let tool = Gatekeeper::new(trust, now).verify(&package)?;
    let PolicyDecision::Granted(token) = PermissionPolicy::new().evaluate(&tool.manifest) else {
        return Ok(Warn("the policy approved nothing to measure".to_owned()));
    };
    let config = SandboxConfig {
        memory_limit_bytes: 1 << 20,
        timeout: Duration::from_secs(5),
        stdin_data: Vec::new(),
        env_vars: BTreeMap::new(),
        dir_mappings: Vec::new(),
        capability_token: Some(token),
        allowed_network_domains: Vec::new(),
    };
    let started = Instant::now();
    WasmSandbox::new()?.execute(&tool.wasm_binary, config)?.outcome?;
    let took = started.elapsed().as_millis().max(1);
    let speed = 28_000_u128.checked_div(took).unwrap_or_default();
    let speed = format!("{speed} million instructions a second");
    Ok(match took > 500 {
        true => {
            Warn(format!("slow: {speed}; use `cargo build --release`, without portable-dispatch"))
        }
        false => Fine(speed),
    })
}

fn curl() -> Finding {
    let found =
        Command::new("curl").arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let version = found.ok().filter(|found| found.status.success()).map(|found| found.stdout);
    let version = version.and_then(|text| String::from_utf8(text).ok());
    match version.as_deref().and_then(|text| text.split_whitespace().nth(1)) {
        Some(version) => Fine(version.to_owned()),
        None => {
            Warn("not found: tools that request the network are refused; install curl".to_owned())
        }
    }
}

fn clock() -> Finding {
    let now = Timestamp::now().to_string();
    let is_sane = |year: u32| (2026..2100).contains(&year);
    match now.get(..4).and_then(|year| year.parse().ok()).is_some_and(is_sane) {
        true => Fine(now),
        false => Fail(format!("{now}: set the clock, since keys expire by it")),
    }
}
