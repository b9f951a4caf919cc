//! Room: what tools keep from call to call: texts by name, for each package and publisher apart.
//!
//! A call works on a copy. What it changes is carried out once it has succeeded, and only if what it has
//! seen is still so.

use super::request::{refused, Refused, Tally};
use crate::kernel::error::{Code, Error};
use crate::kernel::json::object::{Fault, Member};
use crate::kernel::limits::{
    KV_ENTRY_BYTES, KV_KEY_BYTES_MAX, KV_LIST_COUNT_MAX, KV_NAMES_COUNT_MAX, KV_VALUE_BYTES_MAX,
};
use crate::kernel::names::is_kv_key;
use crate::kernel::package::key::KeyId;
use crate::kernel::policy::token::CapabilityToken;
use crate::kernel::prelude::*;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::fmt;
use core::ops::Bound;
use serde_json::{json, Value};

/// Whose data it is: another publisher of the same package id has other data.
// [DOOR-70]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KvOwner {
    /// Id of the package.
    pub package: String,
    /// The key by which its publisher signed it.
    pub publisher_key: KeyId,
}

/// All that is kept for one owner, by name.
pub type Kept = BTreeMap<String, String>;

/// Where a host keeps what its tools store. Calls come from several threads at once.
pub trait KvStore: Send + Sync {
    /// All that is kept for an owner.
    ///
    /// # Errors
    /// `host.file`, `kv.damaged`.
    fn load(&self, owner: &KvOwner) -> Result<Kept, Error>;

    /// Changes it in one step that no other call sees the middle of, and that a crash leaves undone or
    /// done. `edit` makes the new state of the present one. `between` comes once it is sure that the new
    /// state can be kept, and before it is there. Where either fails the old one stays.
    ///
    /// # Errors
    /// `host.file`, `kv.damaged`, and whatever `edit` and `between` give.
    fn update(
        &self,
        owner: &KvOwner,
        edit: &mut dyn FnMut(&mut Kept) -> Result<(), Error>,
        between: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error>;
}

/// Bytes that count towards the quota.
// [DOOR-75]
fn size(kept: &Kept) -> u64 {
    let bytes = kept.iter().map(|(key, value)| entry_bytes(key, value));
    bytes.fold(0, u64::saturating_add)
}

fn entry_bytes(key: &str, value: &str) -> u64 {
    let bytes = key.len().saturating_add(value.len());
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(KV_ENTRY_BYTES)
}

/// One call's view of what is kept.
pub(super) struct KvSession {
    store: Option<Arc<dyn KvStore>>,
    owner: Option<KvOwner>,
    bytes_max: u64,
    /// What is kept as the call sees it, once it has asked.
    now: Option<Kept>,
    bytes: u64,
    /// Bytes that were read for the copy and that the guest has not paid for.
    unpaid_bytes: u64,
    /// The names read or written, each as it was before.
    first: BTreeMap<String, Option<String>>,
    /// The names listed.
    listed: BTreeSet<String>,
}

impl KvSession {
    pub(super) fn new(token: &CapabilityToken, store: Option<Arc<dyn KvStore>>) -> Self {
        let package = token.package().to_owned();
        let key = token.publisher_key().cloned();
        KvSession {
            store,
            owner: key.map(|publisher_key| KvOwner { package, publisher_key }),
            bytes_max: token.storage_bytes_max(),
            now: None,
            bytes: 0,
            unpaid_bytes: 0,
            first: BTreeMap::new(),
            listed: BTreeSet::new(),
        }
    }

    /// Answers one request of the guest, recorded.
    pub(super) fn ask(&mut self, document: &Value, tally: &mut Tally) -> Result<Value, Refused> {
        let request = read_request(document)
            .map_err(|fault| refused("door.invalid", fault.to_string()))
            .inspect_err(|refused| tally.count(format!("kv {}", refused.code)))?;
        let result = self.open().and_then(|()| self.carry_out(&request));
        // [DOOR-60]
        let name = request.name();
        tally.count(match &result {
            Ok(_) => format!("kv {name}"),
            Err(refused) => format!("kv {name} {}", refused.code),
        });
        result
    }

    /// Takes the copy, at the first request.
    fn open(&mut self) -> Result<(), Refused> {
        if self.now.is_some() {
            return Ok(());
        }
        let (Some(store), Some(owner)) = (&self.store, &self.owner) else {
            return Err(refused("kv.no_store", "this host keeps nothing for tools"));
        };
        // What is wrong with it is for whoever runs the host; the guest learns no path.
        let kept = store
            .load(owner)
            .map_err(|error| refused("kv.unavailable", error.code().as_str().to_owned()))?;
        self.bytes = size(&kept);
        self.unpaid_bytes = self.bytes;
        self.now = Some(kept);
        Ok(())
    }

    /// Bytes to be paid for since the last time this was asked.
    pub(super) fn take_unpaid_bytes(&mut self) -> u64 {
        core::mem::take(&mut self.unpaid_bytes)
    }

    fn carry_out(&mut self, request: &Request<'_>) -> Result<Value, Refused> {
        let now = self.now.get_or_insert_with(Kept::new);
        match *request {
            // [DOOR-72]
            Request::Get { key } => {
                check_key(key)?;
                note(&mut self.first, now, key)?;
                Ok(json!({ "value": now.get(key) }))
            }
            Request::Set { key, value } => {
                check_key(key)?;
                self.set(key, value).map(|()| json!({}))
            }
            Request::Delete { key } => {
                check_key(key)?;
                note(&mut self.first, now, key)?;
                let removed = now.remove(key);
                let bytes = removed.as_ref().map_or(0, |value| entry_bytes(key, value));
                self.bytes = self.bytes.saturating_sub(bytes);
                Ok(json!({ "deleted": removed.is_some() }))
            }
            // [DOOR-73]
            Request::List { prefix, after, limit } => {
                let from = match after >= prefix {
                    true => Bound::Excluded(after),
                    false => Bound::Included(prefix),
                };
                let found = now.range::<str, _>((from, Bound::Unbounded)).map(|(key, _)| key);
                let mut found = found.take_while(|key| key.starts_with(prefix));
                let keys: Vec<&String> = found.by_ref().take(limit).collect();
                let more = found.next().is_some();
                self.listed.extend(keys.iter().map(|key| (*key).clone()));
                Ok(json!({ "keys": keys, "more": more }))
            }
        }
    }

    // [DOOR-74] [DOOR-75]
    fn set(&mut self, key: &str, value: &str) -> Result<(), Refused> {
        if value.len() > KV_VALUE_BYTES_MAX {
            let message = format!("a value has at most {KV_VALUE_BYTES_MAX} bytes");
            return Err(refused("kv.value", message));
        }
        let now = self.now.get_or_insert_with(Kept::new);
        let before = now.get(key).map_or(0, |value| entry_bytes(key, value));
        let bytes = self.bytes.saturating_sub(before).saturating_add(entry_bytes(key, value));
        if bytes > self.bytes_max && bytes > self.bytes {
            return Err(refused("kv.quota", format!("{} bytes may be kept", self.bytes_max)));
        }
        note(&mut self.first, now, key)?;
        now.insert(key.to_owned(), value.to_owned());
        self.bytes = bytes;
        Ok(())
    }

    /// What is to be done once the call has succeeded.
    pub(super) fn into_changes(self) -> Option<KvChanges> {
        let (store, owner, now) = (self.store?, self.owner?, self.now?);
        let changed = self.first.iter().filter(|(key, was)| now.get(*key) != was.as_ref());
        let wanted: BTreeMap<_, _> =
            changed.map(|(key, _)| (key.clone(), now.get(key).cloned())).collect();
        // A name that the call has made itself was not seen in what is kept.
        let made = |key: &String| self.first.get(key).is_some_and(Option::is_none);
        let listed = self.listed.into_iter().filter(|key| !made(key)).collect();
        let (first, bytes_max) = (self.first, self.bytes_max);
        (!wanted.is_empty()).then_some(KvChanges { store, owner, first, listed, wanted, bytes_max })
    }
}

/// Remembers what stood under a name before the call first had to do with it.
// [DOOR-80]
fn note(
    first: &mut BTreeMap<String, Option<String>>,
    now: &Kept,
    key: &str,
) -> Result<(), Refused> {
    if first.len() >= KV_NAMES_COUNT_MAX && !first.contains_key(key) {
        return Err(refused("kv.names", "the call has to do with too many names"));
    }
    first.entry(key.to_owned()).or_insert_with(|| now.get(key).cloned());
    Ok(())
}

fn check_key(key: &str) -> Result<(), Refused> {
    match is_kv_key(key) {
        true => Ok(()),
        false => {
            let what = "without control characters and characters that show nothing";
            let message = format!("a key has 1 to {KV_KEY_BYTES_MAX} bytes, {what}");
            Err(refused("kv.key", message))
        }
    }
}

enum Request<'a> {
    Get { key: &'a str },
    Set { key: &'a str, value: &'a str },
    Delete { key: &'a str },
    List { prefix: &'a str, after: &'a str, limit: usize },
}

impl Request<'_> {
    fn name(&self) -> &'static str {
        match self {
            Request::Get { .. } => "get",
            Request::Set { .. } => "set",
            Request::Delete { .. } => "delete",
            Request::List { .. } => "list",
        }
    }
}

// [DOOR-72]
fn read_request(document: &Value) -> Result<Request<'_>, Fault> {
    Member::new(document, "").object(|object| {
        object.required("service")?;
        let name = object.required("op")?;
        Ok(match name.text()? {
            "get" => Request::Get { key: object.required("key")?.text()? },
            "set" => Request::Set {
                key: object.required("key")?.text()?,
                value: object.required("value")?.text()?,
            },
            "delete" => Request::Delete { key: object.required("key")?.text()? },
            "list" => Request::List {
                prefix: object.optional("prefix").map_or(Ok(""), |it| it.text())?,
                after: object.optional("after").map_or(Ok(""), |it| it.text())?,
                limit: object
                    .optional("limit")
                    .map_or(Ok(KV_LIST_COUNT_MAX), |it| it.integer(1..=KV_LIST_COUNT_MAX))?,
            },
            _ => return Err(name.bad_value("must be get, set, delete or list")),
        })
    })
}

/// What one call changed in what is kept, and what it has seen of it.
#[derive(Clone)]
pub(crate) struct KvChanges {
    store: Arc<dyn KvStore>,
    owner: KvOwner,
    first: BTreeMap<String, Option<String>>,
    listed: BTreeSet<String>,
    /// The new value of each name; none is to be removed.
    wanted: BTreeMap<String, Option<String>>,
    bytes_max: u64,
}

impl KvChanges {
    /// Each name with the length of its new value, or none if it goes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.wanted.iter().map(|(key, value)| (key.as_str(), value.as_ref().map(String::len)))
    }

    /// Makes them, and `between` that whatever else belongs to the call.
    pub(crate) fn carry_out(
        &self,
        between: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.store.update(&self.owner, &mut |kept| self.apply(kept), between)
    }

    // [DOOR-76]
    fn apply(&self, kept: &mut Kept) -> Result<(), Error> {
        let conflict = |key: &str| {
            let detail = format!("{key:?} was changed meanwhile; nothing was changed");
            Err(Error::new(Code::KvConflict, detail))
        };
        for (key, was) in &self.first {
            if kept.get(key) != was.as_ref() {
                return conflict(key);
            }
        }
        if let Some(key) = self.listed.iter().find(|key| !kept.contains_key(*key)) {
            return conflict(key);
        }
        let before_bytes = size(kept);
        for (key, value) in &self.wanted {
            match value {
                Some(value) => drop(kept.insert(key.clone(), value.clone())),
                None => drop(kept.remove(key)),
            }
        }
        let bytes = size(kept);
        if bytes > self.bytes_max && bytes > before_bytes {
            let detail = "another call has filled it meanwhile; nothing was changed";
            return Err(Error::new(Code::KvConflict, detail));
        }
        Ok(())
    }
}

/// The same list, wherever it is kept.
impl PartialEq for KvChanges {
    fn eq(&self, other: &Self) -> bool {
        (&self.owner, &self.wanted) == (&other.owner, &other.wanted)
    }
}

/// Without the values, which are the user's.
impl fmt::Debug for KvChanges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}
