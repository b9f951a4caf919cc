//! A host that is one struct: no file, no clock of the machine, no thread, no environment.

use mpp::audit::{Entry as Record, Head, LogKey, GENESIS};
use mpp::consent::attestation::EphemeralAttestation;
use mpp::consent::{ApprovalDecision, ApprovalRequest};
use mpp::directory::{
    Change, CommitError, Directory, DirectoryError, File, FileOp, HostEntry, Identity, Kind,
    PreparedChanges, StatFingerprint,
};
use mpp::network::{Exchange, HttpResponse, TransportError};
use mpp::package::content_hash::ContentHash;
use mpp::package::key::{PublicKey, SecretKey};
use mpp::package::version::Version;
use mpp::sandbox::Changes;
use mpp::secrets::SecretValue;
use mpp::storage::{PreparedStorage, StorageBackend, StorageOwner};
use mpp::{
    AttestationResult, Clock, Code, Deadline, Error, Host, InstalledPackage, Timestamp, TrustStore,
};
use serde_json::{json, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What an approver does with each question, in turn; the last answer is for all further ones.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `agrees`, `remembers`, `declines`, `silent`, `absent`, `proofless`, or `proof`, which is given.
    pub kind: String,
    /// The name of the approver.
    pub by: String,
    /// The proof, for `proof`: its text in the record.
    pub proof: Option<String>,
}

/// A network: what names resolve to, and what servers answer, in turn.
#[derive(Default)]
pub struct Network {
    /// Names without an entry have one public address.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
    /// Without a list every server says `hello`. Each with the milliseconds that it takes.
    pub responses: Option<VecDeque<(u64, Result<HttpResponse, TransportError>)>>,
    /// Each name that was looked up.
    pub lookups: Vec<String>,
    /// What was sent.
    pub sent: Vec<Value>,
}

/// What happens after the guest has ended and before its changes are committed.
#[derive(Default)]
pub struct BeforeCommit {
    /// Whether the operator declines the changes.
    pub declines: bool,
    pub trust: Option<TrustStore>,
    /// What another program writes: directory, path and content.
    pub files: Vec<(String, String, Entry)>,
    pub storage: Option<(StorageOwner, Vec<u8>)>,
}

/// Everything that a call can need.
pub struct Memory {
    /// When it began.
    pub start: Timestamp,
    /// Microseconds since this host began: one more with each question.
    pub clock: AtomicU64,
    /// At which question the clock jumps an hour ahead, if it does.
    pub jumps_at: Option<u64>,
    /// From which question on the call is cancelled, if it is.
    pub cancelled_from: Option<u64>,
    pub cancel_questions: AtomicU64,
    /// Whether the transport has reported that it is cancelled.
    pub is_cancelled: AtomicBool,
    pub trust: Mutex<TrustStore>,
    pub packages: BTreeMap<ContentHash, Vec<u8>>,
    pub verified: Mutex<BTreeMap<ContentHash, AttestationResult>>,
    pub questions: Mutex<Vec<ApprovalRequest>>,
    pub approvals: Mutex<BTreeMap<(ContentHash, String), String>>,
    /// Each nonce that was spent.
    pub nonces: Mutex<Vec<[u8; 16]>>,
    /// How each question is answered.
    pub answers: Vec<Answer>,
    /// The trust store from the first question on, if it becomes another.
    pub trust_when_asked: Mutex<Option<TrustStore>>,
    pub secrets: BTreeMap<String, String>,
    /// Each secret that was looked up.
    pub secrets_read: Mutex<Vec<String>>,
    /// How long a look-up takes.
    pub secret_takes_ms: u64,
    /// By the path that a policy has; a path below one of these is in it.
    pub directories: BTreeMap<String, Arc<Mutex<Tree>>>,
    /// Whether this host has storage at all.
    pub has_storage: bool,
    pub storage: Arc<MemoryStorage>,
    pub network: Mutex<Network>,
    pub before_commit: Mutex<BeforeCommit>,
    /// At which record the log fails, if it does.
    pub log_fails_at: Option<usize>,
    pub log: Log,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            start: Timestamp::parse("2026-06-01T00:00:00Z").unwrap(),
            clock: AtomicU64::default(),
            jumps_at: None,
            cancelled_from: None,
            cancel_questions: AtomicU64::default(),
            is_cancelled: AtomicBool::default(),
            trust: Mutex::new(TrustStore::empty()),
            packages: BTreeMap::new(),
            verified: Mutex::default(),
            questions: Mutex::default(),
            approvals: Mutex::default(),
            nonces: Mutex::default(),
            answers: vec![Answer {
                kind: "remembers".to_owned(),
                by: "ann".to_owned(),
                proof: None,
            }],
            trust_when_asked: Mutex::default(),
            secrets: BTreeMap::new(),
            secrets_read: Mutex::default(),
            secret_takes_ms: 0,
            directories: BTreeMap::new(),
            has_storage: true,
            storage: Arc::default(),
            network: Mutex::default(),
            before_commit: Mutex::default(),
            log_fails_at: None,
            log: Log::default(),
        }
    }
}

fn consent_key() -> SecretKey {
    SecretKey::from_seed([7; 32]).unwrap()
}

impl Clock for Memory {
    fn now(&self) -> Duration {
        Duration::from_secs(self.start.unix_seconds()) + self.elapsed()
    }
    fn elapsed(&self) -> Duration {
        let question = self.clock.fetch_add(1, Ordering::Relaxed);
        let jumped = self.jumps_at.is_some_and(|at| question >= at);
        Duration::from_micros(question) + Duration::from_secs(if jumped { 3600 } else { 0 })
    }
    fn wait(&self, time: Duration) {
        self.clock.fetch_add(time.as_micros().try_into().unwrap(), Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        let question = self.cancel_questions.fetch_add(1, Ordering::Relaxed);
        self.is_cancelled.load(Ordering::Relaxed)
            || self.cancelled_from.is_some_and(|from| question >= from)
    }
}

impl Host for Memory {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(4); // chosen by fair dice roll
        Ok(())
    }
    fn trust(&self) -> Result<TrustStore, Error> {
        Ok(self.trust.lock().unwrap().clone())
    }
    fn record_version(&self, id: &str, version: &Version) -> Result<(), Error> {
        self.trust.lock().unwrap().record_version(id, version)
    }
    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        let missing = || Error::new(Code::StoreNotInstalled, content_hash.to_string());
        self.packages.contains_key(content_hash).then_some(()).ok_or_else(missing)
    }
    fn package(&self, content_hash: &ContentHash) -> Result<InstalledPackage, Error> {
        self.check_installed(content_hash)?;
        let verified = self.verified.lock().unwrap().get(content_hash).cloned();
        let archive = || InstalledPackage::Archive(self.packages[content_hash].clone());
        Ok(verified.map_or_else(archive, InstalledPackage::Verified))
    }
    fn keep_verified(&self, found: &AttestationResult) -> Result<(), Error> {
        self.verified.lock().unwrap().insert(found.content_hash.clone(), found.clone());
        Ok(())
    }
    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        let mut questions = self.questions.lock().unwrap();
        questions.push(question.clone());
        if let Some(other) = self.trust_when_asked.lock().unwrap().take() {
            *self.trust.lock().unwrap() = other;
        }
        let last = self.answers.last();
        let Some(answer) = self.answers.get(questions.len() - 1).or(last) else {
            return ApprovalDecision::NoApprover;
        };
        let by = answer.by.clone();
        match answer.kind.as_str() {
            "declines" => return ApprovalDecision::Denied,
            "absent" => return ApprovalDecision::NoApprover,
            "silent" => return ApprovalDecision::NoResponse("no decision in time".to_owned()),
            "proof" => {
                let proof = EphemeralAttestation::from_text(&by, answer.proof.as_deref().unwrap());
                return ApprovalDecision::ApprovedWithProof(proof.expect("the text of a proof"));
            }
            "proofless" => return ApprovalDecision::ApprovedOnce(by),
            "agrees" if !question.is_destructive => return ApprovalDecision::ApprovedOnce(by),
            "remembers" if !question.is_destructive => return ApprovalDecision::ApprovedAlways(by),
            _ => {}
        }
        let nonce = [questions.len().try_into().unwrap(); 16];
        let now = Timestamp::since_epoch(self.now());
        let key = consent_key();
        ApprovalDecision::ApprovedWithProof(EphemeralAttestation::sign_with(
            nonce, &key, question, &by, now,
        ))
    }
    fn approve_changes(&self, _: &Changes) -> bool {
        let mut events = std::mem::take(&mut *self.before_commit.lock().unwrap());
        if let Some(other) = events.trust.take() {
            *self.trust.lock().unwrap() = other;
        }
        for (directory, path, entry) in events.files {
            self.directories[&directory].lock().unwrap().put(&path, entry);
        }
        self.storage.0.lock().unwrap().extend(events.storage);
        !events.declines
    }
    fn remembered_approval(&self, question: &ApprovalRequest) -> Result<Option<String>, Error> {
        let key = (question.content_hash.clone(), question.grants.clone());
        Ok(self.approvals.lock().unwrap().get(&key).cloned())
    }
    fn remember_approval(
        &self,
        question: &ApprovalRequest,
        by: &str,
        _: Timestamp,
    ) -> Result<(), Error> {
        let key = (question.content_hash.clone(), question.grants.clone());
        self.approvals.lock().unwrap().insert(key, by.to_owned());
        Ok(())
    }
    fn consent_key(&self) -> Result<PublicKey, Error> {
        Ok(consent_key().public())
    }
    fn consume_nonce(&self, nonce: &[u8; 16], _: Timestamp, _: Timestamp) -> Result<bool, Error> {
        let mut nonces = self.nonces.lock().unwrap();
        let is_new = !nonces.contains(nonce);
        nonces.push(*nonce);
        Ok(is_new)
    }
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.secrets_read.lock().unwrap().push(name.to_owned());
        self.clock.fetch_add(self.secret_takes_ms * 1000, Ordering::Relaxed);
        self.secrets.get(name).map(|value| SecretValue::parse(value.as_str())).transpose()
    }
    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        let missing = || Error::new(Code::HostFile, "no such directory");
        let is_above = |top: &&String| {
            name.strip_prefix(top.as_str()).is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let top = self.directories.keys().find(is_above).ok_or_else(missing)?;
        let tree = Arc::clone(&self.directories[top]);
        let place = Place { tree, path: name[top.len()..].trim_start_matches('/').to_owned() };
        let is_directory = place.entry().is_ok_and(|entry| entry == Entry::Directory);
        is_directory.then_some(Arc::new(place) as Arc<_>).ok_or_else(missing)
    }
    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        self.has_storage.then(|| Arc::clone(&self.storage) as Arc<_>)
    }
    fn resolve(&self, name: &str, _: Duration) -> Result<Vec<IpAddr>, TransportError> {
        let mut network = self.network.lock().unwrap();
        network.lookups.push(name.to_owned());
        let known = network.addresses.get(name).cloned();
        Ok(known.unwrap_or_else(|| vec![[93, 184, 216, 34].into()]))
    }
    fn exchange(&self, exchange: &Exchange<'_>) -> Result<HttpResponse, TransportError> {
        let mut network = self.network.lock().unwrap();
        network.sent.push(sent(exchange));
        let Some(responses) = &mut network.responses else {
            return Ok(HttpResponse { status: 200, headers: Vec::new(), body: b"hello".to_vec() });
        };
        let none = || (0, Err(TransportError::Unreachable("no further response".to_owned())));
        let (takes_ms, response) = responses.pop_front().unwrap_or_else(none);
        self.clock.fetch_add(takes_ms * 1000, Ordering::Relaxed);
        if response == Err(TransportError::Cancelled) {
            self.is_cancelled.store(true, Ordering::Relaxed);
        }
        response
    }
    fn log_key(&self) -> Result<LogKey, Error> {
        Ok(LogKey::new([5; 32]))
    }
    fn append(&self, entry: &Record<'_>, now: Timestamp) -> Result<u64, Error> {
        if self.log_fails_at == Some(self.log.lines().len()) {
            return Err(Error::new(Code::AuditUnavailable, "the disk is full"));
        }
        self.log.append(entry, now)
    }
}

/// What goes over the wire. Everything on this host is invented, secrets too.
fn sent(exchange: &Exchange<'_>) -> Value {
    let Exchange { is_https, host, port, target, method, headers, address, .. } = exchange;
    let scheme = if *is_https { "https" } else { "http" };
    json!({
        "method": method, "url": format!("{scheme}://{host}:{port}{target}"), "address": address.to_string(),
        "headers": headers, "body": String::from_utf8_lossy(exchange.body),
    })
}

/// The lines of a log, each with its line feed.
pub struct Log(Mutex<(Head, Vec<String>)>);

impl Default for Log {
    fn default() -> Self {
        Log(Mutex::new((Head { seq: 0, hash: GENESIS.to_owned() }, Vec::new())))
    }
}

impl Log {
    pub fn append(&self, entry: &Record<'_>, now: Timestamp) -> Result<u64, Error> {
        let (head, lines) = &mut *self.0.lock().unwrap();
        let line = entry.line(head, now)?;
        lines.push(line.text);
        *head = line.head;
        Ok(head.seq)
    }
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

/// Snapshots of what packages keep.
#[derive(Default)]
pub struct MemoryStorage(pub Mutex<BTreeMap<StorageOwner, Vec<u8>>>);

struct PreparedSnapshot<'a>(MutexGuard<'a, BTreeMap<StorageOwner, Vec<u8>>>, StorageOwner, Vec<u8>);

impl StorageBackend for MemoryStorage {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.lock().unwrap().get(owner).cloned())
    }
    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        _: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let all = self.0.lock().unwrap();
        if all.get(owner).map(Vec::as_slice) != was {
            return Err(Error::new(Code::StorageConflict, "it is another by now"));
        }
        Ok(Box::new(PreparedSnapshot(all, owner.clone(), new.to_vec())))
    }
}

impl PreparedStorage for PreparedSnapshot<'_> {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        let PreparedSnapshot(mut all, owner, new) = *self;
        all.insert(owner, new);
        Ok(())
    }
}

/// What lies under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Directory,
    File(Vec<u8>),
    /// A symbolic link with its target, which guests do not see.
    Link(String),
}

/// A tree of directories: by path, what is there and its stamp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    number: u64,
    stamps: u64,
    names: BTreeMap<String, (u64, Entry)>,
    /// How many changes of one commit succeed, if not all.
    pub fails_after: Option<usize>,
}

impl Tree {
    /// A tree with these entries. Its number tells it from others.
    pub fn with(
        number: u64,
        entries: impl IntoIterator<Item = (String, Entry)>,
    ) -> Arc<Mutex<Self>> {
        let mut tree = Tree { number, ..Tree::default() };
        tree.put("", Entry::Directory);
        for (path, entry) in entries {
            for (at, _) in path.match_indices('/') {
                tree.put(&path[..at], Entry::Directory);
            }
            tree.put(&path, entry);
        }
        Arc::new(Mutex::new(tree))
    }

    pub fn put(&mut self, path: &str, entry: Entry) {
        self.stamps += 1;
        self.names.insert(path.to_owned(), (self.stamps, entry));
    }

    /// Everything in it, by path.
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        let named = self.names.iter().filter(|(path, _)| !path.is_empty());
        named.map(|(path, (_, entry))| (path.clone(), entry.clone())).collect()
    }

    /// What lies in a directory, without what lies deeper.
    fn inside(&self, path: &str) -> Vec<(String, Option<Kind>)> {
        let names = self.names.iter().filter(|(name, _)| !name.is_empty());
        let inside = names.filter_map(|(name, (_, entry))| {
            let (above, last) = name.rsplit_once('/').unwrap_or(("", name));
            let kind = match entry {
                Entry::Directory => Some(Kind::Directory),
                Entry::File(_) => Some(Kind::File),
                Entry::Link(_) => None,
            };
            (above == path).then(|| (last.to_owned(), kind))
        });
        inside.collect()
    }

    fn stamp(&self, path: &str) -> Option<StatFingerprint> {
        let (stamp, _) = self.names.get(path)?;
        Some([*stamp; 9])
    }

    fn check(&self, Change { path, action, expected, .. }: &Change) -> Result<(), CommitError> {
        let now = self.stamp(path);
        let as_it_was = match action {
            FileOp::CreateDirectory | FileOp::RemoveDirectory => true,
            FileOp::WriteFile { replaces: false, .. } => now.is_none(),
            FileOp::RemoveFile | FileOp::WriteFile { .. } => now == *expected,
        };
        let refused = || CommitError { path: path.clone(), why: "it is another by now".to_owned() };
        as_it_was.then_some(()).ok_or_else(refused)
    }

    fn make(&mut self, change: &Change) {
        match &change.action {
            FileOp::RemoveFile | FileOp::RemoveDirectory => drop(self.names.remove(&change.path)),
            FileOp::CreateDirectory => self.put(&change.path, Entry::Directory),
            FileOp::WriteFile { content, .. } => {
                self.put(&change.path, Entry::File(content.clone()))
            }
        }
    }
}

/// One name in a tree, open as a directory or as a file.
#[derive(Clone, Debug)]
struct Place {
    tree: Arc<Mutex<Tree>>,
    path: String,
}

impl Place {
    fn entry(&self) -> Result<Entry, DirectoryError> {
        let tree = self.tree.lock().unwrap();
        tree.names.get(&self.path).map(|(_, entry)| entry.clone()).ok_or(DirectoryError::NotFound)
    }
    fn content(&self) -> Result<Vec<u8>, DirectoryError> {
        match self.entry()? {
            Entry::File(content) => Ok(content),
            _ => Err(DirectoryError::NotFound),
        }
    }
}

impl Directory for Place {
    fn identity_chain(&self) -> Vec<Identity> {
        let tree = self.tree.lock().unwrap();
        let ends = self.path.match_indices('/').map(|(at, _)| at);
        let mut above: Vec<&str> = ends.map(|at| &self.path[..at]).collect();
        above.insert(0, "");
        above.push(&self.path);
        above.dedup();
        let stamps = above.iter().rev().filter_map(|path| tree.names.get(*path));
        stamps.map(|(stamp, _)| (tree.number, *stamp)).collect()
    }
    fn open(&self, name: &str) -> Result<HostEntry, DirectoryError> {
        let path =
            if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        let place = Place { tree: Arc::clone(&self.tree), path };
        match place.entry()? {
            Entry::Directory => Ok(HostEntry::Directory(Arc::new(place))),
            Entry::File(_) => Ok(HostEntry::File(Arc::new(place))),
            Entry::Link(_) => Err(DirectoryError::Denied),
        }
    }
    fn list(
        &self,
        each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool,
    ) -> Result<bool, DirectoryError> {
        let inside = self.tree.lock().unwrap().inside(&self.path);
        let _ = inside.iter().all(|(name, kind)| each(kind.map(|kind| (name.as_str(), kind))));
        Ok(false)
    }
    fn is_reserved(&self, name: &str) -> bool {
        name == ".mpp-commit"
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        self.tree.lock().unwrap().stamp(&self.path).ok_or(DirectoryError::NotFound)
    }
    fn prepare<'a>(
        &'a self,
        changes: &'a [Change],
        _: &Deadline<'_>,
    ) -> Result<Box<dyn PreparedChanges + 'a>, CommitError> {
        let tree = self.tree.lock().unwrap();
        changes.iter().try_for_each(|change| tree.check(change))?;
        Ok(Box::new(Prepared(RefCell::new(tree), changes)))
    }
}

impl File for Place {
    fn size(&self) -> Result<u64, DirectoryError> {
        Ok(self.content()?.len().try_into().unwrap())
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError> {
        let content = self.content()?;
        let rest = content.get(offset.try_into().unwrap()..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        Directory::fingerprint(self)
    }
}

/// A tree that is locked until this is dropped.
struct Prepared<'a>(RefCell<MutexGuard<'a, Tree>>, &'a [Change]);

impl PreparedChanges for Prepared<'_> {
    fn apply(&self, done: &mut usize) -> Result<(), CommitError> {
        for change in self.1 {
            if self.0.borrow().fails_after == Some(*done) {
                let why = "the disk is full".to_owned();
                return Err(CommitError { path: change.path.clone(), why });
            }
            self.0.borrow_mut().make(change);
            *done += 1;
        }
        Ok(())
    }
}
