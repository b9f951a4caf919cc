//! `mpp trust`: trusted publishers and revocations.

use super::{file_error, keys, rotation, terminal, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::bundle::Organisation;
use mpp::consent::question::or_nothing;
use mpp::limits::REQUEST_DEPTH_MAX;
use mpp::package::content_hash::ContentHash;
use mpp::package::key::KeyId;
use mpp::trust::{Publisher, TrustStore, Validity};
use mpp::{json, Error, Timestamp};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

/// Manage trusted publishers and revocations
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "trust")]
pub struct Trust {
    #[argh(subcommand)]
    command: Command,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
enum Command {
    Add(Add),
    List(List),
    Remove(Remove),
    Revoke(Revoke),
    Rotate(rotation::Apply),
    Rotation(rotation::Make),
}

/// Trust a publisher's key for its namespaces
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "add")]
struct Add {
    /// public key file, or id of a trusted key
    #[argh(positional)]
    key: PathBuf,
    /// show the publisher under this name
    #[argh(option)]
    name: String,
    /// allow this id and all below it (repeatable)
    #[argh(option)]
    namespace: Vec<String>,
    /// packages of this id need its signature, too (repeatable)
    #[argh(option)]
    approves: Vec<String>,
    /// trust the key from this time on (RFC 3339)
    #[argh(option)]
    from: Option<String>,
    /// trust the key until this time (RFC 3339)
    #[argh(option)]
    until: Option<String>,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// List publishers, keys, namespaces and revocations
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "list")]
struct List {
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Stop trusting a publisher, one of its keys or a namespace
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "remove")]
struct Remove {
    /// name of a publisher, or id of a key
    #[argh(positional)]
    what: String,
    /// remove only this namespace (repeatable)
    #[argh(option)]
    namespace: Vec<String>,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Revoke a key, or the content of one package
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "revoke")]
struct Revoke {
    /// key id, public key file, or content hash `sha256:…`
    #[argh(positional)]
    what: String,
    /// state this reason, shown when a package is refused
    #[argh(option)]
    reason: String,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Returns the trust store that a command changes. It need not exist.
pub fn store_path(option: Option<PathBuf>) -> Result<PathBuf, Error> {
    option.map_or_else(TrustStore::default_path, Ok)
}

/// Returns the trust store that a command reads. A named file has to exist: a mistyped name would otherwise be
/// an empty store.
pub fn existing_store(option: Option<PathBuf>) -> Result<PathBuf, Error> {
    match option {
        Some(path) => match path.metadata() {
            Ok(_) => Ok(path),
            Err(error) => Err(file_error(&path, &error)),
        },
        None => TrustStore::default_path(),
    }
}

impl Trust {
    pub fn as_json(&self) -> bool {
        match &self.command {
            Command::Add(command) => command.json,
            Command::List(command) => command.json,
            Command::Remove(command) => command.json,
            Command::Revoke(command) => command.json,
            Command::Rotate(command) => command.json,
            Command::Rotation(command) => command.json,
        }
    }

    pub fn run(self) -> Result<CommandOutput, Error> {
        match self.command {
            Command::Add(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Remove(command) => command.run(),
            Command::Revoke(command) => command.run(),
            Command::Rotate(command) => command.run(),
            Command::Rotation(command) => command.run(),
        }
    }
}

impl Add {
    fn run(self) -> Result<CommandOutput, Error> {
        if self.namespace.is_empty() && self.approves.is_empty() {
            return Err(usage_error("missing --namespace, such as org.acme, or --approves"));
        }
        let moment = |text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => Timestamp::parse(text).map(Some).ok_or_else(|| {
                usage_error("--from or --until is not a time such as 2026-01-01T00:00:00Z")
            }),
        };
        let (from, until) = (moment(self.from.as_deref())?, moment(self.until.as_deref())?);
        let namespaces: Vec<&str> = self.namespace.iter().map(String::as_str).collect();
        let approves: Vec<&str> = self.approves.iter().map(String::as_str).collect();
        let path = store_path(self.trust)?;
        let store = TrustStore::load(&path)?;
        let mut known = store.keys();
        // [TRUST-21]
        let known = known.find(|(_, known)| self.key.to_str() == Some(known.key_id.as_str()));
        let (key, validity) = match known {
            Some((_, known)) => {
                let (from, until) = (from.or(known.valid_from), until.or(known.valid_until));
                (known.public_key, Validity { from, until })
            }
            None => (keys::read_public_key(&self.key)?, Validity { from, until }),
        };
        if let Some(organisation) = Organisation::of_this_computer()? {
            let name = &organisation.bundle().organisation;
            super::warn(&format!(
                "warning: only publishers that {name} trusts count on this computer"
            ));
        }
        TrustStore::update(&path, |store| {
            store.add_publisher(&self.name, key, &namespaces, validity)?;
            match approves.is_empty() {
                true => Ok(()),
                false => store.add_approver(&self.name, &approves),
            }
        })?;
        let publishes = namespaces.iter().map(|namespace| format!(" for {namespace}"));
        let approving = approves.iter().map(|namespace| format!(" to approve {namespace}"));
        let what: Vec<String> = publishes.chain(approving).collect();
        let name = terminal::printable(&self.name);
        let text = format!("trusted: {name}{}\nkey id {}\n", what.join(","), key.id());
        let json = json!({
            "publisher": self.name, "key_id": key.id().as_str(), "namespaces": self.namespace,
            "approves": approves,
        });
        Ok(CommandOutput::new(text, json))
    }
}

impl List {
    fn run(self) -> Result<CommandOutput, Error> {
        let path = existing_store(self.trust)?;
        let store = TrustStore::load(&path)?;
        let mut rows = vec![("trust store", path.display().to_string())];
        let mut keys = Vec::new();
        for (Publisher { name, namespaces, approves, .. }, key) in store.keys() {
            let namespaces: Vec<String> = namespaces.iter().cloned().collect();
            let approves: Vec<&str> = approves.iter().flatten().map(String::as_str).collect();
            let text = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
            let (from, until) = (text(key.valid_from), text(key.valid_until));
            let mut shown = format!("{name}\nmay publish {}", or_nothing(&namespaces));
            if !approves.is_empty() {
                shown.push_str(&format!("\napproves {}", approves.join(", ")));
            }
            if let Some(from) = &from {
                shown.push_str(&format!("\nfrom {from}"));
            }
            if let Some(until) = &until {
                shown.push_str(&format!("\nuntil {until}"));
            }
            rows.push(("key", format!("{}\n{shown}", key.key_id)));
            keys.push(json!({
                "key_id": key.key_id.as_str(), "publisher": name, "namespaces": namespaces, "approves": approves,
                "valid_from": from, "valid_until": until,
            }));
        }
        let mut revoked = Vec::new();
        let keys_revoked =
            store.revoked_keys().map(|it| (it.key_id.as_str(), &it.reason, it.revoked_at));
        let contents_revoked = store
            .revoked_contents()
            .map(|it| (it.content_hash.as_str(), &it.reason, it.revoked_at));
        for (what, reason, revoked_at) in keys_revoked.chain(contents_revoked) {
            rows.push(("revoked", format!("{what}\n{reason} on {revoked_at}")));
            revoked.push(json!({
                "what": what, "reason": reason, "revoked_at": revoked_at.to_string(),
            }));
        }
        if keys.is_empty() {
            rows.push(("key", "no trusted keys: every package is refused".to_owned()));
        }
        let json =
            json!({ "trust_store": path.display().to_string(), "keys": keys, "revoked": revoked });
        Ok(CommandOutput::new(terminal::columns(&rows), json))
    }
}

impl Remove {
    /// Revocations and the versions seen stay: trust only becomes narrower.
    fn run(self) -> Result<CommandOutput, Error> {
        let (what, namespaces) = (&self.what, &self.namespace);
        TrustStore::update(&store_path(self.trust)?, |store| {
            let mut file = json::parse(store.to_json().as_bytes(), REQUEST_DEPTH_MAX)
                .map_err(|error| usage_error(error.to_string()))?;
            let publishers = file.get_mut("publishers").and_then(Value::as_array_mut);
            if !publishers.is_some_and(|publishers| remove(publishers, what, namespaces)) {
                let what = terminal::printable(what);
                return Err(usage_error(format!(
                    "no such publisher, key or namespace: {what}; `mpp trust list` shows them"
                )));
            }
            *store = TrustStore::from_json(file.to_string().as_bytes())?;
            Ok(())
        })?;
        let which = match namespaces.is_empty() {
            true => String::new(),
            false => format!(" for {}", namespaces.join(", ")),
        };
        let text = format!("no longer trusted: {}{which}\n", terminal::printable(what));
        Ok(CommandOutput::new(text, json!({ "removed": what, "namespaces": namespaces })))
    }
}

/// Removes a publisher, a key or namespaces. A publisher without keys or namespaces is removed too.
fn remove(publishers: &mut Vec<Value>, what: &str, namespaces: &[String]) -> bool {
    let mut found = false;
    for publisher in publishers.iter_mut() {
        let is_named = publisher.get("name").is_some_and(|name| name == what);
        let mut take = |list: &str, is_taken: &dyn Fn(&Value) -> bool| {
            let list = publisher.get_mut(list).and_then(Value::as_array_mut);
            let Some(list) = list else { return 0 };
            let before = list.len();
            list.retain(|item| !is_taken(item));
            before.saturating_sub(list.len())
        };
        found |= match (is_named, namespaces) {
            (true, []) => take("keys", &|_| true) > 0,
            (false, []) => take("keys", &|key| key.get("key_id").is_some_and(|id| id == what)) > 0,
            (true, _) => {
                let is_taken = |one: &Value| namespaces.iter().any(|namespace| one == namespace);
                take("namespaces", &is_taken) == namespaces.len()
            }
            (false, _) => false,
        };
    }
    let has = |publisher: &Value, list: &str| {
        publisher.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    // An approver that vanished would leave its packages without approval.
    publishers.retain(|it| has(it, "keys") && (has(it, "namespaces") || has(it, "approves")));
    found
}

impl Revoke {
    fn run(self) -> Result<CommandOutput, Error> {
        let path = store_path(self.trust)?;
        let now = Timestamp::now();
        let what = self.what;
        if let Some(hash) = ContentHash::parse(&what) {
            TrustStore::update(&path, |store| store.revoke_content(hash, now, &self.reason))?;
        } else {
            let key = match KeyId::parse(&what) {
                Some(id) => id,
                None if !Path::new(&what).exists() => {
                    let what = terminal::printable(&what);
                    return Err(usage_error(format!(
                        "{what} is not a key id, a content hash or a key file"
                    )));
                }
                None => keys::read_public_key(what.as_ref())?.id(),
            };
            TrustStore::update(&path, |store| store.revoke_key(key, now, &self.reason))?;
        }
        let text = format!("revoked {}\n", terminal::printable(&what));
        Ok(CommandOutput::new(text, json!({ "revoked": what, "reason": self.reason })))
    }
}
