//! A host that is one struct: no file, no clock of the machine, no thread, no environment.

use mpp::audit::{Entry, Head, LogKey, GENESIS};
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
use mpp::secrets::SecretValue;
use mpp::storage::{PreparedStorage, StorageBackend, StorageOwner};
use mpp::{
    AttestationResult, Clock, Code, Deadline, Error, Host, InstalledPackage, Timestamp, TrustStore,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Everything that a call can need.
pub struct Memory {
    /// Microseconds since this host began: one more with each question.
    pub clock: AtomicU64,
    /// At which question the clock jumps an hour ahead, if it does.
    pub jumps_at: Option<u64>,
    /// From which question on the call is cancelled, if it is.
    pub cancelled_from: Option<u64>,
    pub cancel_questions: AtomicU64,
    pub trust: Mutex<TrustStore>,
    pub packages: BTreeMap<ContentHash, Vec<u8>>,
    pub verified: Mutex<BTreeMap<ContentHash, AttestationResult>>,
    pub questions: Mutex<Vec<ApprovalRequest>>,
    pub approvals: Mutex<BTreeMap<(ContentHash, String), String>>,
    /// Each nonce that was spent.
    pub nonces: Mutex<Vec<[u8; 16]>>,
    pub secrets: BTreeMap<&'static str, &'static str>,
    pub directories: BTreeMap<&'static str, Arc<Mutex<Tree>>>,
    pub storage: Arc<MemoryStorage>,
    /// What was sent to the network, whose one server says always the same.
    pub sent: Mutex<Vec<String>>,
    pub log: Log,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            clock: AtomicU64::default(),
            jumps_at: None,
            cancelled_from: None,
            cancel_questions: AtomicU64::default(),
            trust: Mutex::new(TrustStore::empty()),
            packages: BTreeMap::new(),
            verified: Mutex::default(),
            questions: Mutex::default(),
            approvals: Mutex::default(),
            nonces: Mutex::default(),
            secrets: BTreeMap::new(),
            directories: BTreeMap::new(),
            storage: Arc::default(),
            sent: Mutex::default(),
            log: Log::default(),
        }
    }
}

fn consent_key() -> SecretKey {
    SecretKey::from_seed([7; 32]).unwrap()
}

impl Clock for Memory {
    fn now(&self) -> Duration {
        let start = crate::support::now().unix_seconds();
        Duration::from_secs(start) + self.elapsed()
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
        self.cancelled_from.is_some_and(|from| question >= from)
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
        if !question.is_destructive {
            return ApprovalDecision::ApprovedAlways("ann".to_owned());
        }
        let nonce = [questions.len().try_into().unwrap(); 16];
        let now = Timestamp::since_epoch(self.now());
        let key = consent_key();
        ApprovalDecision::ApprovedWithProof(EphemeralAttestation::sign_with(
            nonce, &key, question, "ann", now,
        ))
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
        self.secrets.get(name).map(|value| SecretValue::parse(*value)).transpose()
    }
    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        let tree = self.directories.get(name);
        let tree = tree.ok_or_else(|| Error::new(Code::HostFile, "no such directory"))?;
        Ok(Arc::new(Place { tree: Arc::clone(tree), path: String::new() }))
    }
    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        Some(Arc::clone(&self.storage) as Arc<_>)
    }
    fn resolve(&self, _: &str, _: Duration) -> Result<Vec<IpAddr>, TransportError> {
        Ok(vec![[93, 184, 216, 34].into()])
    }
    fn exchange(&self, exchange: &Exchange<'_>) -> Result<HttpResponse, TransportError> {
        self.sent.lock().unwrap().push(format!("{} {:?}", exchange.target, exchange.headers));
        Ok(HttpResponse { status: 200, headers: Vec::new(), body: b"hello".to_vec() })
    }
    fn log_key(&self) -> Result<LogKey, Error> {
        Ok(LogKey::new([5; 32]))
    }
    fn append(&self, entry: &Entry<'_>, now: Timestamp) -> Result<u64, Error> {
        self.log.append(entry, now)
    }
}

/// The lines of a log, each with its line feed.
pub struct Log(Mutex<(Head, Vec<String>)>);

impl Default for Log {
    fn default() -> Self {
        Log(Mutex::new((Head { seq: 0, hash: GENESIS.to_owned() }, Vec::new())))
    }
}

impl Log {
    pub fn append(&self, entry: &Entry<'_>, now: Timestamp) -> Result<u64, Error> {
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

/// A tree of directories: by path, what is there and its stamp. A directory has no content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    number: u64,
    stamps: u64,
    names: BTreeMap<String, (u64, Option<Vec<u8>>)>,
}

impl Tree {
    /// A tree with these files. Its number tells it from others.
    pub fn new(number: u64, files: &[(&str, &str)]) -> Arc<Mutex<Self>> {
        let mut tree = Tree { number, ..Tree::default() };
        tree.put("", None);
        for (path, text) in files {
            for (at, _) in path.match_indices('/') {
                tree.put(&path[..at], None);
            }
            tree.put(path, Some(text.as_bytes().to_vec()));
        }
        Arc::new(Mutex::new(tree))
    }

    pub fn put(&mut self, path: &str, content: Option<Vec<u8>>) {
        self.stamps += 1;
        self.names.insert(path.to_owned(), (self.stamps, content));
    }

    /// What the files hold.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.names.iter();
        files.filter_map(|(path, (_, content))| Some((path.clone(), content.clone()?))).collect()
    }

    /// What lies in a directory, without what lies deeper.
    fn inside(&self, path: &str) -> Vec<(String, Kind)> {
        let names = self.names.iter().filter(|(name, _)| !name.is_empty());
        let inside = names.filter_map(|(name, (_, content))| {
            let (above, last) = name.rsplit_once('/').unwrap_or(("", name));
            let kind = if content.is_some() { Kind::File } else { Kind::Directory };
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
            FileOp::CreateDirectory => self.put(&change.path, None),
            FileOp::WriteFile { content, .. } => self.put(&change.path, Some(content.clone())),
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
    fn content(&self) -> Result<Vec<u8>, DirectoryError> {
        let tree = self.tree.lock().unwrap();
        tree.names
            .get(&self.path)
            .and_then(|(_, content)| content.clone())
            .ok_or(DirectoryError::NotFound)
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
        let tree = self.tree.lock().unwrap();
        match tree.names.get(&place.path) {
            None => Err(DirectoryError::NotFound),
            Some((_, None)) => Ok(HostEntry::Directory(Arc::new(place))),
            Some((_, Some(_))) => Ok(HostEntry::File(Arc::new(place))),
        }
    }
    fn list(
        &self,
        each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool,
    ) -> Result<bool, DirectoryError> {
        let inside = self.tree.lock().unwrap().inside(&self.path);
        let _ = inside.iter().all(|(name, kind)| each(Some((name, *kind))));
        Ok(false)
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
            self.0.borrow_mut().make(change);
            *done += 1;
        }
        Ok(())
    }
}
