//! Storage in the whole pipeline: who finds what was kept, what a failed call leaves, what becomes of two that
//! write, what is changed together with files, and what a killed program or a full disk does to that.

use crate::cli::{at_terminal, Place};
use crate::support::{self, call, call_with, code, Folder, Host};
use crate::tools;
use mpp::package::key::SecretKey;
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, Runtime, ToolCall};
use mpp::storage::{decode, Entries, FileStorage, PreparedStorage, StorageBackend, StorageOwner};
use mpp::trust::Validity;
use mpp::{CancelFlag, Code, Error, PermissionPolicy};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const ID: &str = "org.example.keeper";

/// `/out`, where the manifest asks for it, is the descriptor 3 and storage the one behind it.
const OUT: u32 = 3;

/// A guest that puts texts behind what files hold, each given with the descriptor of its directory, and then
/// ends.
fn guest(appends: &[(u32, &str, &str)], end: &str) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let (mut at, mut data, mut calls) = (4096, String::new(), String::new());
    for (fd, name, text) in appends {
        data += &format!("(data (i32.const {at}) \"{}{}\")\n", escape(name), escape(text));
        let (text_at, length) = (at + name.len(), text.len());
        calls += &format!(
            "(if (call $open (i32.const {fd}) (i32.const 0) (i32.const {at}) (i32.const {}) (i32.const 1)
                (i64.const 66) (i64.const 0) (i32.const 1) (i32.const 16)) (then (call $exit (i32.const 8))))
             (call $put (i32.load (i32.const 16)) (i32.const {text_at}) (i32.const {length}))\n",
            name.len()
        );
        at += name.len() + length;
    }
    let answer = match end {
        "error" => {
            let result = json!({ "content": [{ "type": "text", "text": "no" }], "isError": true });
            json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
        }
        "silent" => String::new(),
        _ => support::response("done"),
    };
    let last = match end {
        "trap" => "unreachable",
        "exit" => "(call $exit (i32.const 3))",
        "loop" => "(loop $l (br $l))",
        _ => "",
    };
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 32)
  (data (i32.const 1024) "{}")
  {data}
  (func $put (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 9)))))
  (func (export "_start")
    {calls}
    (call $put (i32.const 1) (i32.const 1024) (i32.const {}))
    {last}))"#,
        escape(&answer),
        answer.len(),
    )
}

fn manifest(id: &str, with_out: bool) -> Value {
    let mut manifest = support::manifest(id);
    manifest["capabilities"] = json!({ "storage": { "limit_kb": 1024 } });
    if with_out {
        manifest["capabilities"]["filesystem"] = json!({ "write": ["/out"] });
    }
    manifest["runtime"]["timeout_ms"] = json!(3000);
    manifest
}

/// Keeps texts, and is given no directory.
fn keeping(texts: &[(&str, &str)], end: &str) -> Vec<u8> {
    let appends: Vec<_> = texts.iter().map(|(name, text)| (OUT, *name, *text)).collect();
    support::package_with(&manifest(ID, false), &guest(&appends, end))
}

/// Keeps texts, and writes `new.txt` to `/out`.
fn keeping_and_writing(texts: &[(&str, &str)]) -> Vec<u8> {
    let kept = texts.iter().map(|(name, text)| (OUT + 1, *name, *text));
    let appends: Vec<_> = kept.chain([(OUT, "new.txt", "done")]).collect();
    support::package_with(&manifest(ID, true), &guest(&appends, ""))
}

fn policy(out: &Folder) -> PermissionPolicy {
    PermissionPolicy::new().trust_package(ID).map_directory("/out", out.path())
}

fn owner() -> StorageOwner {
    let publisher_key = support::author().public().id();
    StorageOwner { package: ID.to_owned(), publisher_key }
}

fn kept_in(backend: &dyn StorageBackend) -> Entries {
    let snapshot = backend.load(&owner()).unwrap();
    snapshot.map_or(Entries::new(), |snapshot| decode(&owner(), &snapshot).unwrap())
}

fn kept(host: &Host) -> Entries {
    kept_in(&FileStorage::new(host.path("storage")))
}

fn entries(of: &[(&str, &str)]) -> Entries {
    of.iter().map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec()))).collect()
}

/// The snapshots in a directory.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(names) = fs::read_dir(folder) else { return Vec::new() };
    let names = names.map(|entry| entry.unwrap().path());
    let is_file = |path: &PathBuf| path.extension().is_some_and(|found| found == "storage");
    let mut files: Vec<_> = names.filter(is_file).collect();
    files.sort();
    files
}

#[test]
fn what_a_call_keeps_the_next_one_finds_and_the_record_counts_it() {
    let host = Host::new("storage-kept");
    let runtime = host.runtime_with(PermissionPolicy::new().trust_package(ID));
    let package = keeping(&[("private-name", "private-text")], "");
    let answer = call(&runtime, &package).unwrap();
    let change = |bytes: u32, replaces: bool| json!([{ "path": "/storage/private-name", "action": "write_file", "bytes": bytes, "replaces": replaces }]);
    assert_eq!(answer.changes, change(12, false));
    // A new version finds it too.
    let mut newer = manifest(ID, false);
    newer["version"] = json!("1.0.1");
    let newer = support::package_with(&newer, &guest(&[(OUT, "private-name", "!")], ""));
    assert_eq!(call(&runtime, &newer).unwrap().changes, change(13, true));
    assert_eq!(kept(&host), entries(&[("private-name", "private-text!")]));
    let records = host.records();
    assert_eq!(records[0]["capabilities"], json!(["store up to 1024 KiB between calls"]));
    assert_eq!(records[1]["changes"], json!({ "bytes": 12, "write_file": 1 }));
    assert!(!fs::read_to_string(host.log()).unwrap().contains("private"));
}

#[test]
fn another_package_or_publisher_finds_nothing_of_it() {
    let host = Host::new("storage-owners");
    let other_key = SecretKey::from_seed([9; 32]).unwrap();
    let mut trust = support::trust();
    trust.add_publisher("Other", other_key.public(), &["org.example"], Validity::ALWAYS).unwrap();
    host.write("trust.json", trust.to_json().as_bytes());
    let open = PermissionPolicy::new().trust_package(ID).trust_package("org.example.other");
    let runtime = host.runtime_with(open);
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    let first = fs::read(&files(&host.path("storage"))[0]).unwrap();
    let guest = guest(&[(OUT, "a", "1")], "");
    let contents = support::contents_with(&manifest(ID, false), &guest);
    let by_other = pack(contents, &other_key, support::now(), Compression::Stored).unwrap();
    let other_id = support::package_with(&manifest("org.example.other", false), &guest);
    for package in [by_other, other_id] {
        let changes = call(&runtime, &package).unwrap().changes;
        assert_eq!((&changes[0]["bytes"], &changes[0]["replaces"]), (&json!(1), &json!(false)));
    }
    let now = files(&host.path("storage"));
    assert_eq!(now.len(), 3);
    assert_eq!(kept(&host), entries(&[("a", "1")]));
    // A file in the place of another owner's is refused, and left unmodified.
    let mine = now.iter().find(|path| fs::read(path).unwrap() == first).unwrap();
    for theirs in now.iter().filter(|path| *path != mine) {
        let bytes = fs::read(theirs).unwrap();
        fs::write(mine, &bytes).unwrap();
        let result = call(&runtime, &keeping(&[("a", "1")], ""));
        assert_eq!(code(&result), Code::StorageDamaged);
        assert_eq!(fs::read(mine).unwrap(), bytes);
    }
}

#[test]
fn a_call_that_fails_in_any_way_changes_nothing_of_what_is_kept() {
    let host = Host::new("storage-fails");
    let short = support::policy(json!({
        "trusted_packages": [ID], "ceilings": { "fuel": 2_000_000 },
    }));
    let runtime = host.runtime_with(short);
    call(&runtime, &keeping(&[("a", "old")], "")).unwrap();
    let file = files(&host.path("storage")).remove(0);
    let before = fs::read(&file).unwrap();
    for (end, expected) in [
        ("trap", Code::ToolTrap),
        ("exit", Code::ToolExit),
        ("loop", Code::ToolFuel),
        ("silent", Code::ToolNoAnswer),
    ] {
        let result = call(&runtime, &keeping(&[("a", "new"), ("b", "new")], end));
        assert_eq!(code(&result), expected);
    }
    let answer = call(&runtime, &keeping(&[("a", "new")], "error")).unwrap();
    assert!(answer.is_error && answer.changes == json!([]));
    // Where nothing was written there is nothing to do, not even a lock to take.
    fs::remove_file(file.with_extension("storage.lock")).unwrap();
    assert_eq!(call(&runtime, &keeping(&[("a", "")], "")).unwrap().changes, json!([]));
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(host.path("storage")).unwrap().count(), 1);
}

/// While the approver reviews the changes, another process makes others.
struct Concurrently<F: Fn()>(F);

impl<F: Fn()> Approver for Concurrently<F> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::ApprovedOnce("test".to_owned())
    }
    fn approve_changes(&self, _: &mpp::sandbox::Changes) -> bool {
        (self.0)();
        true
    }
}

#[test]
fn of_two_calls_that_change_what_they_found_one_is_refused_and_one_that_only_read_is_not() {
    let (host, out) = (Host::new("storage-two"), Folder::new("out"));
    let runtime = host.runtime_with(policy(&out));
    let theirs = || drop(call(&runtime, &keeping(&[("theirs", "1")], "")).unwrap());
    let mine = keeping_and_writing(&[("mine", "1")]);
    let result = call_with(&runtime, &mine, "run", json!({}), &Concurrently(theirs));
    assert_eq!(code(&result), Code::StorageConflict);
    assert_eq!(kept(&host), entries(&[("theirs", "1")]));
    assert!(!out.path().join("new.txt").exists());
    let outcomes = host.records_of("outcome");
    let refused = outcomes.iter().find(|it| it["result"] != "ok").unwrap();
    assert_eq!(refused["changes"], json!({}));
    // It opens what the other call has changed concurrently, and writes nothing to it.
    let reading = keeping_and_writing(&[("theirs", "")]);
    call_with(&runtime, &reading, "run", json!({}), &Concurrently(theirs)).unwrap();
    assert_eq!(kept(&host), entries(&[("theirs", "11")]));
    assert!(out.path().join("new.txt").exists());
}

#[test]
fn files_and_what_is_kept_are_changed_both_or_neither() {
    let (host, out) = (Host::new("storage-both"), Folder::new("out"));
    let runtime = host.runtime_with(policy(&out));
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    let both = keeping_and_writing(&[("a", "2")]);
    let with = |concurrently: &dyn Fn()| {
        call_with(&runtime, &both, "run", json!({}), &Concurrently(concurrently))
    };
    // Another process has created a file of the same name.
    let file = out.path().join("new.txt");
    assert_eq!(code(&with(&|| fs::write(&file, "theirs").unwrap())), Code::HostCommit);
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    fs::remove_file(&file).unwrap();
    // The storage cannot be written.
    let new = files(&host.path("storage"))[0].with_extension("storage.new");
    let block = || fs::create_dir_all(new.join("in-the-way")).unwrap();
    assert_eq!(code(&with(&block)), Code::HostFile);
    fs::remove_dir_all(&new).unwrap();
    assert!(!file.exists());
    assert_eq!(kept(&host), entries(&[("a", "1")]));
    for record in host.records_of("outcome").iter().filter(|it| it["result"] != "ok") {
        assert_eq!(record["changes"], json!({}));
    }
    // What a crash left beside the file is cleared away.
    fs::write(&new, "half").unwrap();
    with(&|| ()).unwrap();
    assert!(file.exists() && !new.exists());
    assert_eq!(kept(&host), entries(&[("a", "12")]));
}

/// Stores everything until the test ends, or fails as configured.
#[derive(Default)]
struct Memory {
    kept: Mutex<BTreeMap<StorageOwner, Vec<u8>>>,
    /// Whether the last step fails.
    refuses: AtomicBool,
    /// A file that is made as soon as all is ready.
    in_the_way: Mutex<Option<PathBuf>>,
}

struct Prepared<'a>(&'a Memory, StorageOwner, Vec<u8>);

impl StorageBackend for Memory {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.kept.lock().unwrap().get(owner).cloned())
    }
    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        _: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        assert_eq!(self.load(owner)?.as_deref(), was);
        if let Some(file) = &*self.in_the_way.lock().unwrap() {
            fs::write(file, "theirs").unwrap();
        }
        Ok(Box::new(Prepared(self, owner.clone(), new.to_vec())))
    }
}

impl PreparedStorage for Prepared<'_> {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        let Prepared(memory, owner, new) = *self;
        if memory.refuses.load(Ordering::Relaxed) {
            return Err(Error::new(Code::HostFile, "no more"));
        }
        memory.kept.lock().unwrap().insert(owner, new);
        Ok(())
    }
}

#[test]
fn a_storage_in_memory_keeps_as_files_do_and_where_it_fails_last_the_files_are_named() {
    let (host, out) = (Host::new("storage-memory"), Folder::new("out"));
    let memory = Arc::new(Memory::default());
    let runtime = host.runtime_with(policy(&out)).storage(memory.clone());
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    call(&runtime, &keeping(&[("a", "2")], "")).unwrap();
    assert_eq!(kept_in(&*memory), entries(&[("a", "12")]));
    // A directory fails once all was ready: what is kept stays.
    let file = out.path().join("new.txt");
    *memory.in_the_way.lock().unwrap() = Some(file.clone());
    let error = call(&runtime, &keeping_and_writing(&[("a", "3")])).unwrap_err();
    assert_eq!(error.code(), Code::HostCommit);
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    assert_eq!(kept_in(&*memory), entries(&[("a", "12")]));
    *memory.in_the_way.lock().unwrap() = None;
    fs::remove_file(&file).unwrap();
    memory.refuses.store(true, Ordering::Relaxed);
    let error = call(&runtime, &keeping_and_writing(&[("a", "3")])).unwrap_err();
    assert_eq!(error.code(), Code::HostFile);
    assert!(error.detail().contains("already applied: /out/new.txt"), "{error}");
    assert!(file.exists());
    let error = call(&runtime, &keeping(&[("a", "3")], "")).unwrap_err();
    assert!(error.detail().contains("nothing was changed"), "{error}");
    assert_eq!(kept_in(&*memory), entries(&[("a", "12")]));
    let outcomes = host.records_of("outcome");
    assert_eq!(outcomes[2]["changes"], json!({}));
    assert_eq!(outcomes[3]["changes"], json!({ "bytes": 4, "write_file": 1 }));
    assert_eq!(outcomes[4]["changes"], json!({}));
    assert!(!host.path("storage").exists());
}

#[test]
fn what_was_altered_is_refused_before_anything_runs_and_is_not_replaced() {
    let host = Host::new("storage-altered");
    let runtime = host.runtime_with(PermissionPolicy::new().trust_package(ID));
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    let file = files(&host.path("storage")).remove(0);
    let good = fs::read(&file).unwrap();
    for bad in [&good[..good.len() - 1], b"", &[&good[..], b"\0"].concat(), &[0; 17 << 20]] {
        fs::write(&file, bad).unwrap();
        let error = call(&runtime, &keeping(&[("a", "2")], "trap")).unwrap_err();
        assert_eq!(error.code(), Code::StorageDamaged);
        assert!(error.detail().contains(ID), "{error}");
        assert_eq!(fs::read(&file).unwrap(), bad);
    }
    let last = host.records_of("outcome").pop().unwrap();
    assert_eq!((&last["fuel_used"], &last["changes"]), (&json!(0), &json!({})));
}

#[test]
fn a_call_that_was_cancelled_does_not_wait_for_those_who_hold_the_lock() {
    let host = Host::new("storage-cancelled");
    let runtime = host.runtime_with(PermissionPolicy::new().trust_package(ID));
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    let lock = files(&host.path("storage"))[0].with_extension("storage.lock");
    let lock = fs::File::open(lock).unwrap();
    lock.lock().unwrap();
    let cancel = CancelFlag::default();
    let person = Concurrently(|| cancel.cancel());
    let again = keeping(&[("a", "2")], "");
    let result = runtime.call(&again, &ToolCall::new("run", json!({})), &person, &cancel);
    assert_eq!(code(&result), Code::ToolCancelled);
    drop(lock);
    assert_eq!(kept(&host), entries(&[("a", "1")]));
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::new("storage-mode");
    let runtime = host.runtime_with(PermissionPolicy::new().trust_package(ID));
    call(&runtime, &keeping(&[("a", "1")], "")).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = host.path("storage");
    assert_eq!((mode(&folder), mode(&files(&folder)[0])), (0o700, 0o600));
}

#[test]
fn no_directory_of_the_host_is_storage_whatever_is_mapped_there() {
    let (host, out) = (Host::new("storage-mapped"), Folder::new("out"));
    let policy = PermissionPolicy::new().trust_package(ID).map_directory("/storage", out.path());
    call(&host.runtime_with(policy.clone()), &keeping(&[("a", "1")], "")).unwrap();
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    for path in ["/storage", "/storage/x"] {
        let mut asking = manifest(ID, false);
        asking["capabilities"]["filesystem"] = json!({ "read": [path] });
        let package = support::package_with(&asking, support::SILENT_GUEST);
        let result = call(&host.runtime_with(policy.clone()), &package);
        assert_eq!(code(&result), Code::ManifestValue, "{path}");
    }
}

#[test]
fn storage_elsewhere_is_used_and_can_be_mapped_to_no_guest() {
    let place = Place::new("storage-elsewhere");
    let guest = guest(&[(OUT + 1, "a", "1"), (OUT, "new.txt", "")], "");
    place.package("keeper.mpp", &manifest(ID, true), &guest);
    fs::create_dir_all(place.path("project/out")).unwrap();
    let run = |storage: &str, map: &str| {
        let (map, storage) = (format!("/out={map}"), storage.to_owned());
        let words =
            ["run", "keeper.mpp", "--tool", "run", "--yes", "--map", &map, "--storage", &storage];
        place.mpp(&words)
    };
    run("project/kept", "project/out").exits(0);
    assert_eq!(files(&place.path("project/kept")).len(), 1);
    assert!(!place.path("home/storage").exists());
    for map in ["project/kept", "project"] {
        run("project/kept", map).exits(1).says(&["sandbox.not_granted"]);
    }
    // Also before there is anything.
    run("project/out/later", "project/out").exits(1).says(&["sandbox.not_granted"]);
    let printed =
        place.mpp(&["serve", "--storage", "project/kept", "--print-config", "claude"]).exits(0);
    printed.says(&["\"--storage\"", "/project/kept\""]);
}

/// The child of the test below: calls without end, each of which rewrites two large files.
#[test]
#[ignore = "a part of the test below, which starts it"]
fn child_that_keeps_without_end() {
    let Some(home) = std::env::var_os("MPP_TEST_STORAGE_HOME") else { return };
    let runtime = keeper(Path::new(&home));
    let packages = ["a", "b", "c"].map(generation);
    for package in packages.iter().cycle() {
        call(&runtime, package).unwrap();
    }
}

fn keeper(home: &Path) -> Runtime {
    Runtime::open(home, PermissionPolicy::new().trust_package(ID)).unwrap()
}

/// A call after which both files hold the same letters more.
fn generation(letter: &str) -> Vec<u8> {
    let text = letter.repeat(100);
    keeping(&[("one", &text), ("two", &text)], "")
}

/// `MPP_STORAGE_KILLS` says how many; a few suffice to see that it works.
#[test]
fn a_process_killed_at_any_moment_leaves_one_generation_whole() {
    let kills = std::env::var("MPP_STORAGE_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let host = Host::new("storage-kills");
    call(&keeper(&host.path("")), &generation("a")).unwrap();
    let (mut before, mut grown) = (0, 0);
    for kill in 0..kills {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "storage::child_that_keeps_without_end", "--ignored"]);
        command.env("MPP_TEST_STORAGE_HOME", host.path(""));
        let null = std::process::Stdio::null;
        let mut child = command.stdout(null()).stderr(null()).spawn().unwrap();
        // Not before it has kept something; then while it keeps the next, early or late.
        let file = files(&host.path("storage")).remove(0);
        let (new, began) = (file.with_extension("storage.new"), std::time::Instant::now());
        let wait = |done: &dyn Fn() -> bool| {
            while !done() && began.elapsed().as_secs() < 60 {
                std::hint::spin_loop();
            }
        };
        wait(&|| file.metadata().is_ok_and(|it| it.len() > before));
        wait(&|| new.exists());
        std::thread::sleep(std::time::Duration::from_micros(20 * (kill % 20)));
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = kept(&host);
        let whole =
            kept["one"] == kept["two"] && kept["one"].as_ref().unwrap().len().is_multiple_of(100);
        assert!(whole && kept.len() == 2, "after {kill} kills");
        let now = file.metadata().unwrap().len();
        grown += u64::from(now > before);
        before = now;
        // Beside it lies at most what the next call clears away. Long files would take ever longer.
        if before > 400_000 {
            fs::remove_file(&file).unwrap();
            call(&keeper(&host.path("")), &generation("a")).unwrap();
            before = 0;
        }
    }
    assert!(grown > kills / 2, "only {grown} of {kills} children kept anything");
    call(&keeper(&host.path("")), &generation("z")).unwrap();
    let left: Vec<_> = fs::read_dir(host.path("storage")).unwrap().collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

fn notes_place(name: &str) -> Place {
    let place = Place::new(name);
    fs::write(place.path("notes.mpp"), tools::package(&tools::committed().join("notes"))).unwrap();
    place
}

fn notes<'a>(tool: &'a str, arguments: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "notes.mpp", "--tool", tool, "--args", arguments], more].concat()
}

#[test]
fn what_a_command_keeps_the_next_one_finds_and_is_shown_before_it_is_done() {
    let place = notes_place("storage-notes");
    let add = r#"{"title":"Tea","text":"Assam for ann@example.com"}"#;
    place.mpp(&notes("add_note", add, &[])).exits(1).says(&["policy.confirmation_required"]);
    let ran = place.mpp(&notes("add_note", add, &["--yes", "--show-changes", "--json"])).exits(0);
    assert_eq!(ran.json()["structuredContent"], json!({ "id": 1 }));
    assert_eq!(ran.json()["changes"][2]["path"], "/storage/note/0000000001");
    ran.says(&["/storage/next (1 bytes)", "create  ", "/storage/note/0000000001 (29 bytes)"]);
    place.mpp(&notes("read_note", r#"{"id":1}"#, &["--yes"])).exits(0).says(&["Assam for [EMAIL]"]);
    if let Some((status, screen)) =
        at_terminal(&place, &notes("clear", "{}", &["--show-changes"]), "yn")
    {
        assert_eq!(status, 1, "{screen}");
        assert!(screen.contains("store up to 1024 KiB between calls"), "{screen}");
        assert!(screen.contains("run destructive tool clear"), "{screen}");
        assert!(screen.contains("remove  /storage/note/0000000001"), "{screen}");
    }
    place.mpp(&notes("list_notes", "{}", &["--yes"])).exits(0).says(&["1: Tea"]);
    place.mpp(&notes("clear", "{}", &["--yes"])).exits(0).says(&["Notes deleted: 1"]);
    place.mpp(&notes("list_notes", "{}", &["--yes"])).exits(0).says(&["There are none."]);
    place.mpp(&["audit", "verify"]).exits(0);
}

#[test]
fn a_program_killed_while_it_keeps_something_leaves_what_was_kept() {
    let place = notes_place("storage-killed");
    let text = "x".repeat(20_000);
    let add = format!(r#"{{"title":"Long","text":"{text}"}}"#);
    fs::write(place.path("add.json"), &add).unwrap();
    for _ in 0..2 {
        place.mpp(&notes("add_note", "@add.json", &["--yes"])).exits(0);
    }
    let file = files(&place.path("home/storage")).remove(0);
    let before = fs::read(&file).unwrap();
    for (limit, status) in
        [("ulimit -c 0; ulimit -f 90;", None), ("trap '' XFSZ; ulimit -f 90;", Some(4))]
    {
        let script =
            format!("{limit} exec \"$0\" run notes.mpp --tool add_note --args @add.json --yes");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_mpp")]);
        let ran = command
            .current_dir(place.path(""))
            .env("MPP_HOME", place.path("home"))
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), status, "{ran:?}");
        assert_eq!(fs::read(&file).unwrap(), before);
    }
    let third = place.mpp(&notes("add_note", "@add.json", &["--yes", "--json"])).exits(0);
    assert_eq!(third.json()["structuredContent"]["id"], 3);
}

#[test]
fn several_programs_at_once_lose_no_note_that_was_said_to_be_kept() {
    let place = notes_place("storage-several");
    let mut children: Vec<_> = (0..6)
        .map(|number| {
            let add = format!(r#"{{"title":"{number}","text":""}}"#);
            let mut command = place.command(&notes("add_note", &add, &["--yes"]));
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    let codes: Vec<_> = children.iter_mut().map(|it| it.wait().unwrap().code()).collect();
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4))), "{codes:?}");
    let listed = place.mpp(&notes("list_notes", "{}", &["--yes", "--json"])).exits(0).json();
    let done = codes.iter().filter(|code| **code == Some(0)).count();
    assert!(done > 0);
    let listed = listed["structuredContent"]["notes"].as_array().unwrap().len();
    assert_eq!(listed, done);
}
