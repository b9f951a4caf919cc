//! A host around another: it writes down each question and its answer, and each can be made to fail. Without the
//! other it plays back what was written, and panics at any question that was not.

use super::memory::Log;
use mpp::audit::{Entry, LogKey};
use mpp::consent::{ApprovalDecision, ApprovalRequest};
use mpp::directory::{
    Change, CommitError, Directory, DirectoryError, File, HostEntry, Identity, Kind,
    PreparedChanges, StatFingerprint,
};
use mpp::network::{Exchange, HttpResponse, TransportError};
use mpp::package::content_hash::ContentHash;
use mpp::package::key::PublicKey;
use mpp::package::version::Version;
use mpp::sandbox::Changes;
use mpp::secrets::SecretValue;
use mpp::storage::{PreparedStorage, StorageBackend, StorageOwner};
use mpp::{
    AttestationResult, Clock, Code, Deadline, Error, Host, InstalledPackage, Reservation,
    ResourceNeeds, Timestamp, TrustStore,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Each method of the traits that a host is behind.
pub const METHODS: &[&str] = &[
    "now",
    "elapsed",
    "wait",
    "is_cancelled",
    "random",
    "trust",
    "note_version",
    "check_installed",
    "package",
    "keep_verified",
    "reserve",
    "request_approval",
    "remembered_approval",
    "remember_approval",
    "consent_key",
    "spend_nonce",
    "agrees_to_changes",
    "secret",
    "directory",
    "storage",
    "resolve",
    "exchange",
    "log_key",
    "append",
    "identity_chain",
    "open",
    "list",
    "directory fingerprint",
    "is_reserved",
    "prepare",
    "carry_out",
    "size",
    "read_at",
    "file fingerprint",
    "load",
    "prepare storage",
    "commit",
];

/// One question and its answer.
struct Step {
    method: &'static str,
    asked: String,
    answer: Box<dyn Any + Send>,
}

#[derive(Default)]
struct Steps {
    all: Vec<Step>,
    played: usize,
    asked: BTreeMap<&'static str, usize>,
}

/// All questions in their order.
#[derive(Default)]
pub struct Tape {
    steps: Mutex<Steps>,
    /// A method that fails, and from which time on.
    fails: Option<(&'static str, usize)>,
}

impl Tape {
    pub fn failing(method: &'static str, from: usize) -> Arc<Self> {
        Arc::new(Tape { fails: Some((method, from)), ..Tape::default() })
    }

    /// How often each method was called.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.steps.lock().unwrap().asked.clone()
    }

    /// Goes back to its beginning.
    pub fn rewind(&self) {
        let steps = &mut *self.steps.lock().unwrap();
        (steps.played, steps.asked) = (0, BTreeMap::new());
    }

    /// Whether everything was played.
    pub fn is_at_end(&self) -> bool {
        let steps = self.steps.lock().unwrap();
        steps.played == steps.all.len()
    }

    /// Whether this call of a method is to fail. Counts it.
    fn fails(&self, method: &'static str) -> bool {
        let steps = &mut *self.steps.lock().unwrap();
        let count = steps.asked.entry(method).or_default();
        *count += 1;
        self.fails.is_some_and(|(failing, from)| failing == method && *count > from)
    }

    /// Asks an object that a host gave, and passes its answer on; or one that it fails with.
    fn ask<B, T>(
        &self,
        method: &'static str,
        asked: String,
        failed: T,
        behind: Option<B>,
        ask: impl FnOnce(B) -> T,
    ) -> T
    where
        T: Any + Clone + Send,
    {
        let answer = if self.fails(method) { Some(failed) } else { behind.map(ask) };
        self.pass(method, asked, answer)
    }

    /// Records an answer, or returns the recorded one if `answer` is absent.
    fn pass<T>(&self, method: &'static str, asked: String, answer: Option<T>) -> T
    where
        T: Any + Clone + Send,
    {
        assert!(METHODS.contains(&method), "{method}");
        let steps = &mut *self.steps.lock().unwrap();
        if let Some(answer) = answer {
            steps.all.push(Step { method, asked, answer: Box::new(answer.clone()) });
            return answer;
        }
        let step = steps.all.get(steps.played).expect("a question more than was written down");
        assert_eq!((step.method, &step.asked), (method, &asked), "question {}", steps.played);
        steps.played += 1;
        step.answer.downcast_ref::<T>().expect("the answer of this method").clone()
    }
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a tape")
    }
}

/// A host on a tape: with another behind it the tape is written, without one it is played.
pub struct Taped<'a> {
    pub tape: Arc<Tape>,
    pub host: Option<&'a dyn Host>,
    /// What it was given for the log.
    pub log: Log,
}

/// A host that has nothing.
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Host for Nothing {}

impl<'a> Taped<'a> {
    pub fn new(tape: &Arc<Tape>, host: Option<&'a dyn Host>) -> Self {
        Taped { tape: Arc::clone(tape), host, log: Log::default() }
    }

    /// The host that answers this call of a method: the one behind, or one without it.
    fn host(&self, method: &'static str) -> Option<&dyn Host> {
        match self.tape.fails(method) {
            true => Some(&Nothing),
            false => self.host,
        }
    }

    fn pass<T>(&self, method: &'static str, asked: String, ask: impl FnOnce(&dyn Host) -> T) -> T
    where
        T: Any + Clone + Send,
    {
        self.tape.pass(method, asked, self.host(method).map(ask))
    }
}

impl Clock for Taped<'_> {
    fn now(&self) -> Duration {
        self.pass("now", String::new(), |host| host.now())
    }
    fn elapsed(&self) -> Duration {
        self.pass("elapsed", String::new(), |host| host.elapsed())
    }
    fn wait(&self, time: Duration) {
        self.pass("wait", format!("{time:?}"), |host| host.wait(time));
    }
    fn is_cancelled(&self) -> bool {
        self.pass("is_cancelled", String::new(), |host| host.is_cancelled())
    }
}

impl Host for Taped<'_> {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let length = bytes.len();
        let found = self.pass("random", length.to_string(), |host| {
            let mut random = vec![0; length];
            host.random(&mut random).map(|()| random)
        })?;
        bytes.copy_from_slice(&found);
        Ok(())
    }
    fn trust(&self) -> Result<TrustStore, Error> {
        self.pass("trust", String::new(), |host| host.trust())
    }
    fn record_version(&self, id: &str, version: &Version) -> Result<(), Error> {
        let asked = format!("{id} {version}");
        self.pass("note_version", asked, |host| host.record_version(id, version))
    }
    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        let asked = content_hash.to_string();
        self.pass("check_installed", asked, |host| host.check_installed(content_hash))
    }
    fn package(&self, content_hash: &ContentHash) -> Result<InstalledPackage, Error> {
        self.pass("package", content_hash.to_string(), |host| host.package(content_hash))
    }
    fn keep_verified(&self, found: &AttestationResult) -> Result<(), Error> {
        let asked = found.content_hash.to_string();
        self.pass("keep_verified", asked, |host| host.keep_verified(found))
    }
    fn reserve(&self, needs: &ResourceNeeds) -> Result<Reservation, Error> {
        let reserved =
            self.pass("reserve", format!("{needs:?}"), |host| host.reserve(needs).map(drop));
        reserved.map(|()| Arc::new(()) as Reservation)
    }
    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        self.pass("request_approval", format!("{question:?}"), |host| {
            host.request_approval(question)
        })
    }
    fn remembered_approval(&self, question: &ApprovalRequest) -> Result<Option<String>, Error> {
        self.pass("remembered_approval", format!("{question:?}"), |host| {
            host.remembered_approval(question)
        })
    }
    fn remember_approval(
        &self,
        question: &ApprovalRequest,
        by: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let asked = format!("{question:?} {by} {now}");
        self.pass("remember_approval", asked, |host| host.remember_approval(question, by, now))
    }
    fn consent_key(&self) -> Result<PublicKey, Error> {
        self.pass("consent_key", String::new(), |host| host.consent_key())
    }
    fn consume_nonce(
        &self,
        nonce: &[u8; 16],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let asked = format!("{nonce:?} {expires} {now}");
        self.pass("spend_nonce", asked, |host| host.consume_nonce(nonce, expires, now))
    }
    fn approve_changes(&self, changes: &Changes) -> bool {
        let asked = changes.to_json().to_string();
        self.pass("agrees_to_changes", asked, |host| host.approve_changes(changes))
    }
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.pass("secret", name.to_owned(), |host| host.secret(name))
    }
    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        let mut found = None;
        self.pass("directory", name.to_owned(), |host| {
            found = Some(host.directory(name)?);
            Ok::<_, Error>(())
        })?;
        Ok(TapedEntry::new(&self.tape, name, found))
    }
    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        let (mut found, tape) = (None, Arc::clone(&self.tape));
        let is_there = self.pass("storage", String::new(), |host| {
            found = host.storage();
            found.is_some()
        });
        is_there.then(|| Arc::new(TapedStorage(tape, found)) as Arc<_>)
    }
    fn resolve(&self, name: &str, timeout: Duration) -> Result<Vec<IpAddr>, TransportError> {
        let asked = format!("{name} {timeout:?}");
        self.pass("resolve", asked, |host| host.resolve(name, timeout))
    }
    fn exchange(&self, exchange: &Exchange<'_>) -> Result<HttpResponse, TransportError> {
        let Exchange { target, headers, body, timeout, .. } = exchange;
        let asked = format!("{exchange:?} {target} {headers:?} {body:?} {timeout:?}");
        self.pass("exchange", asked, |host| host.exchange(exchange))
    }
    fn log_key(&self) -> Result<LogKey, Error> {
        self.pass("log_key", String::new(), |host| host.log_key())
    }
    fn append(&self, entry: &Entry<'_>, now: Timestamp) -> Result<u64, Error> {
        let number =
            self.pass("append", format!("{entry:?} {now}"), |host| host.append(entry, now))?;
        assert_eq!(self.log.append(entry, now)?, number);
        Ok(number)
    }
}

/// A directory or file on the tape.
#[derive(Debug)]
struct TapedEntry<T: ?Sized> {
    tape: Arc<Tape>,
    path: String,
    entry: Option<Arc<T>>,
}

impl<T: ?Sized> TapedEntry<T> {
    fn new(tape: &Arc<Tape>, path: &str, entry: Option<Arc<T>>) -> Arc<Self> {
        Arc::new(TapedEntry { tape: Arc::clone(tape), path: path.to_owned(), entry })
    }

    fn ask<A: Any + Clone + Send>(
        &self,
        method: &'static str,
        asked: impl std::fmt::Debug,
        ask: impl FnOnce(&T) -> Result<A, DirectoryError>,
    ) -> Result<A, DirectoryError> {
        let asked = format!("{} {asked:?}", self.path);
        self.tape.ask(method, asked, Err(DirectoryError::Failed), self.entry.as_deref(), ask)
    }
}

fn failed() -> CommitError {
    CommitError { path: String::new(), why: "the tape has this error".to_owned() }
}

impl Directory for TapedEntry<dyn Directory> {
    fn identity_chain(&self) -> Vec<Identity> {
        let found = self.ask("identity_chain", (), |it| Ok(it.identity_chain()));
        found.unwrap_or_default()
    }
    fn open(&self, name: &str) -> Result<HostEntry, DirectoryError> {
        let mut found = None;
        let kind = self.ask("open", name, |it| {
            found = Some(it.open(name)?);
            Ok(match &found {
                Some(HostEntry::File(_)) => Kind::File,
                _ => Kind::Directory,
            })
        })?;
        let path = format!("{}/{name}", self.path);
        let tape = &self.tape;
        Ok(match (kind, found) {
            (Kind::Directory, None) => HostEntry::Directory(TapedEntry::new(tape, &path, None)),
            (Kind::File, None) => HostEntry::File(TapedEntry::new(tape, &path, None)),
            (_, Some(HostEntry::Directory(it))) => {
                HostEntry::Directory(TapedEntry::new(tape, &path, Some(it)))
            }
            (_, Some(HostEntry::File(it))) => {
                HostEntry::File(TapedEntry::new(tape, &path, Some(it)))
            }
        })
    }
    fn list(
        &self,
        each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool,
    ) -> Result<bool, DirectoryError> {
        let (names, has_own) = self.ask("list", (), |it| {
            let mut names = Vec::new();
            let has_own = it.list(&mut |entry| {
                names.push(entry.map(|(name, kind)| (name.to_owned(), kind)));
                true
            })?;
            Ok((names, has_own))
        })?;
        let each = |entry: &Option<(String, Kind)>| {
            each(entry.as_ref().map(|(name, kind)| (name.as_str(), *kind)))
        };
        let _ = names.iter().all(each);
        Ok(has_own)
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        self.ask("directory fingerprint", (), |it| it.fingerprint())
    }
    fn is_reserved(&self, name: &str) -> bool {
        self.ask("is_reserved", name, |it| Ok(it.is_reserved(name))).unwrap_or(true)
    }
    fn prepare<'a>(
        &'a self,
        changes: &'a [Change],
        deadline: &Deadline<'_>,
    ) -> Result<Box<dyn PreparedChanges + 'a>, CommitError> {
        let (mut found, asked) = (None, format!("{} {changes:?}", self.path));
        self.tape.ask("prepare", asked, Err(failed()), self.entry.as_deref(), |it| {
            found = Some(it.prepare(changes, deadline)?);
            Ok(())
        })?;
        Ok(Box::new(TapedChanges(&self.tape, found)))
    }
}

impl File for TapedEntry<dyn File> {
    fn size(&self) -> Result<u64, DirectoryError> {
        self.ask("size", (), |it| it.size())
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError> {
        let asked = (offset, buffer.len());
        let read = self.ask("read_at", asked, |it| {
            let mut read = vec![0; asked.1];
            let count = it.read_at(offset, &mut read)?;
            read.truncate(count);
            Ok(read)
        })?;
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        self.ask("file fingerprint", (), |it| it.fingerprint())
    }
}

struct TapedChanges<'a>(&'a Tape, Option<Box<dyn PreparedChanges + 'a>>);

impl PreparedChanges for TapedChanges<'_> {
    fn apply(&self, done: &mut usize) -> Result<(), CommitError> {
        let behind = self.1.as_ref();
        let (result, count) =
            self.0.ask("carry_out", String::new(), (Err(failed()), 0), behind, |it| {
                let mut count = 0;
                (it.apply(&mut count), count)
            });
        *done += count;
        result
    }
}

struct TapedStorage(Arc<Tape>, Option<Arc<dyn StorageBackend>>);

fn broken() -> Error {
    Error::new(Code::HostFile, "the tape has this error")
}

impl StorageBackend for TapedStorage {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        let (asked, behind) = (format!("{owner:?}"), self.1.as_ref());
        self.0.ask("load", asked, Err(broken()), behind, |it| it.load(owner))
    }
    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let (mut found, asked) = (None, format!("{owner:?} {was:?} {new:?}"));
        self.0.ask("prepare storage", asked, Err(broken()), self.1.as_ref(), |it| {
            found = Some(it.prepare(owner, was, new, ended)?);
            Ok(())
        })?;
        Ok(Box::new(TapedSnapshot(&self.0, found)))
    }
}

struct TapedSnapshot<'a>(&'a Tape, Option<Box<dyn PreparedStorage + 'a>>);

impl PreparedStorage for TapedSnapshot<'_> {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.0.ask("commit", String::new(), Err(broken()), self.1, |it| it.commit())
    }
}
