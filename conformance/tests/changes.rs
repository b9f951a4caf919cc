//! Changes of a tool in a writable directory: applied after success only, shown before if the approver wants,
//! counted in the record, and atomic while the host changes the same files.

use crate::cli::{at_terminal, Place};
use crate::support::{self, call, Folder, Host};
use mpp::{Code, PermissionPolicy};
use serde_json::{json, Value};
use std::fs;
use std::path::Path;

/// How a guest ends that has written its file.
pub enum End {
    Answers,
    AnswersError,
    Exits,
    Traps,
    Loops,
    SaysNothing,
}

/// A guest that makes `name` in the first directory with `length` bytes, and then ends.
pub fn writer(name: &str, length: usize, end: &End) -> String {
    let answer = match end {
        End::AnswersError => {
            let result = json!({ "content": [{ "type": "text", "text": "no" }], "isError": true });
            json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
        }
        _ => support::response("done"),
    };
    let escaped: String = answer.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let last = match end {
        End::Answers | End::AnswersError => "(call $say)",
        End::Exits => "(call $say) (call $exit (i32.const 3))",
        End::Traps => "(call $say) unreachable",
        End::Loops => "(call $say) (loop $l (br $l))",
        End::SaysNothing => "",
    };
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 32)
  (data (i32.const 64) "{name}")
  (data (i32.const 1024) "{escaped}")
  (func $put (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 9)))))
  (func $say (call $put (i32.const 1) (i32.const 1024) (i32.const {answer_length})))
  (func (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const {name_length}) (i32.const 9)
                    (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (call $exit (i32.const 8))))
    (call $put (i32.load (i32.const 16)) (i32.const 8192) (i32.const {length}))
    {last}))"#,
        name_length = name.len(),
        answer_length = answer.len(),
    )
}

fn manifest() -> Value {
    let mut manifest = support::manifest("org.example.writer");
    manifest["capabilities"] = json!({ "filesystem": { "write": ["/out"] } });
    manifest["runtime"]["timeout_ms"] = json!(3000);
    manifest
}

pub fn package(name: &str, length: usize, end: &End) -> Vec<u8> {
    support::package_with(&manifest(), &writer(name, length, end))
}

pub fn policy(folder: &Path) -> PermissionPolicy {
    PermissionPolicy::new().trust_package("org.example.writer").map_directory("/out", folder)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_tool_that_succeeds_leaves_its_file_and_the_record_counts_it() {
    let (host, out) = (Host::new("changes-ok"), Folder::new("changes-out"));
    let runtime = host.runtime_with(policy(out.path()));
    let answer = call(&runtime, &package("new.txt", 5, &End::Answers)).unwrap();
    assert_eq!(fs::read(out.path().join("new.txt")).unwrap(), [0; 5]);
    let list = answer.changes;
    let expected =
        json!([{ "path": "/out/new.txt", "action": "write_file", "bytes": 5, "replaces": false }]);
    assert_eq!(list, expected);
    let outcome = &host.records_of("outcome")[0];
    assert_eq!(outcome["changes"], json!({ "bytes": 5, "write_file": 1 }));
    // A second time it replaces what is there.
    let answer = call(&runtime, &package("new.txt", 6, &End::Answers)).unwrap();
    assert_eq!(answer.changes[0]["replaces"], json!(true));
    assert_eq!(
        (fs::read(out.path().join("new.txt")).unwrap().len(), names(out.path()).len()),
        (6, 1)
    );
}

#[test]
fn a_tool_that_fails_in_any_way_leaves_nothing() {
    let (host, out) = (Host::new("changes-fail"), Folder::new("changes-none"));
    fs::write(out.path().join("old"), "old").unwrap();
    let short = support::policy(json!({
        "trusted_packages": ["org.example.writer"], "ceilings": { "fuel": 2_000_000 },
    }));
    let runtime = host.runtime_with(short.map_directory("/out", out.path()));
    let failures = [
        (End::Exits, Code::ToolExit),
        (End::Traps, Code::ToolTrap),
        (End::Loops, Code::ToolFuel),
        (End::SaysNothing, Code::ToolNoAnswer),
    ];
    for (end, code) in failures {
        let result = call(&runtime, &package("old", 5, &end));
        assert_eq!(support::code(&result), code);
    }
    let answer = call(&runtime, &package("old", 5, &End::AnswersError)).unwrap();
    assert!(answer.is_error && answer.changes == json!([]));
    let said = answer.content.as_array().unwrap().last().unwrap()["text"].clone();
    assert_eq!(said, "Changes not applied, because the tool reported an error: 1");
    assert_eq!(
        (names(out.path()), fs::read(out.path().join("old")).unwrap()),
        (vec!["old".to_owned()], b"old".to_vec())
    );
    for outcome in host.records_of("outcome") {
        assert_eq!(outcome["changes"], json!({}));
    }
}

#[test]
fn a_command_that_fails_says_what_was_not_applied_and_one_whose_status_is_success_changes_files() {
    let mut manifest = manifest();
    manifest["runtime"]["protocol"] = json!("command");
    manifest["tools"][0]["parameters"] = json!({ "type": "object" });
    for (codes, count) in [(json!([0, 1]), 0), (json!([3]), 1), (json!([0, 3]), 1)] {
        manifest["tools"][0]["command"] = json!({ "ok_exit_codes": codes });
        let package = support::package_with(&manifest, &writer("fixed", 5, &End::Exits));
        let (host, out) = (Host::new("changes-status"), Folder::new("changes-status-out"));
        let answer = call(&host.runtime_with(policy(out.path())), &package).unwrap();
        assert_eq!((answer.is_error, names(out.path()).len()), (count == 0, count), "{codes}");
        let blocks = answer.content.as_array().unwrap();
        assert_eq!(blocks[1]["text"], "exit status 3: ");
        let said = blocks.get(2).map(|block| block["text"].as_str().unwrap());
        let lost = "Changes not applied, because the tool reported an error: 1";
        assert_eq!(said, Some(lost).filter(|_| count == 0), "{codes}");
    }
    // Without changes there is nothing to say.
    manifest["tools"][0]["command"] = json!({});
    let idle = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
        (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const 3))))";
    let (host, out) = (Host::new("changes-idle"), Folder::new("changes-idle-out"));
    let package = support::package_with(&manifest, idle);
    let answer = call(&host.runtime_with(policy(out.path())), &package).unwrap();
    assert!(answer.is_error && answer.content.as_array().unwrap().len() == 2);
}

#[test]
fn a_directory_mapped_read_only_stays_as_it_is() {
    let (host, out) = (Host::new("changes-ro"), Folder::new("changes-ro-out"));
    let mut read_only = manifest();
    read_only["capabilities"] = json!({ "filesystem": { "read": ["/out"] } });
    let package = support::package_with(&read_only, &writer("a", 5, &End::Answers));
    let result = call(&host.runtime_with(policy(out.path())), &package);
    // Status 8: the guest could not open the file.
    assert!(result.unwrap_err().detail().contains("status 8"));
    assert!(names(out.path()).is_empty());
    // What it tried is in the record.
    assert_eq!(host.records_of("outcome")[0]["denied"], 1);
}

#[test]
fn attempts_to_leave_the_directory_fail_and_are_counted_in_the_record() {
    let (host, out) = (Host::new("changes-escape"), Folder::new("changes-escape-out"));
    std::os::unix::fs::symlink("/etc", out.path().join("etc")).unwrap();
    for (count, path) in ["../a", "/etc/passwd", "etc/passwd", "x/../../a"].iter().enumerate() {
        let result = call(&host.runtime_with(policy(out.path())), &package(path, 5, &End::Answers));
        assert!(result.unwrap_err().detail().contains("status 8"), "{path}");
        let denied = &host.records_of("outcome")[count]["denied"];
        assert_eq!(*denied, u64::from(!path.starts_with('x')), "{path}");
    }
    assert_eq!(names(out.path()), ["etc"]);
}

#[test]
fn a_directory_to_be_written_that_overlaps_another_is_refused() {
    let (host, out) = (Host::new("changes-overlap"), Folder::new("changes-overlap-out"));
    fs::create_dir(out.path().join("sub")).unwrap();
    std::os::unix::fs::symlink(out.path(), host.path("link")).unwrap();
    let mut both = manifest();
    both["capabilities"] = json!({ "filesystem": { "read": ["/in"], "write": ["/out"] } });
    let package = support::package_with(&both, &writer("a", 5, &End::Answers));
    for other in [out.path().to_owned(), out.path().join("sub"), host.path("link/sub")] {
        let runtime = host.runtime_with(policy(out.path()).map_directory("/in", other));
        assert_eq!(support::code(&call(&runtime, &package)), Code::SandboxNotGranted);
    }
    assert_eq!(names(out.path()), ["sub"]);
}

/// A place with a package that writes to `out`.
fn place(name: &str, length: usize) -> Place {
    let place = Place::new(name);
    fs::create_dir(place.path("out")).unwrap();
    place.package("writer.mpp", &manifest(), &writer("new.txt", length, &End::Answers));
    place
}

const RUN: [&str; 6] = ["run", "writer.mpp", "--tool", "run", "--map", "/out=out"];

#[test]
fn what_would_change_is_shown_and_only_an_agreement_carries_it_out() {
    let place = place("changes-shown", 5);
    let words = |more: &[&'static str]| [&RUN[..], more].concat();
    // No approver for the directory, and none for the change.
    place.mpp(&words(&["--show-changes"])).exits(1).says(&["policy.confirmation_required"]);
    let Some((status, screen)) = at_terminal(&place, &words(&["--show-changes"]), "yn") else {
        return;
    };
    assert_eq!(status, 1, "{screen}");
    assert!(screen.contains("create  /out/new.txt (5 bytes)"), "{screen}");
    assert!(names(&place.path("out")).is_empty(), "{screen}");
    let (status, screen) = at_terminal(&place, &words(&["--show-changes"]), "yy").unwrap();
    assert_eq!((status, names(&place.path("out")).len()), (0, 1), "{screen}");
    let ran = place.mpp(&words(&["--yes", "--show-changes", "--json"])).exits(0);
    assert_eq!(ran.json()["changes"][0]["path"], "/out/new.txt");
    ran.says(&["replace  /out/new.txt"]);
}

/// Runs `mpp` in a shell with these words before it.
fn limited(place: &Place, before: &str, after: &[&str]) -> std::process::Output {
    let words = [&RUN[..], after].concat().join(" ");
    let script = format!("{before} exec \"$0\" {words}");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_mpp")]);
    command.current_dir(place.path("")).env("MPP_HOME", place.path("home"));
    command.output().unwrap()
}

#[test]
fn a_run_killed_while_it_writes_leaves_the_old_file_whole_and_the_next_one_clears_up() {
    let place = place("changes-killed", 1_000_000);
    fs::write(place.path("out/new.txt"), "old").unwrap();
    // The limit on the size of files ends the program with a signal in the middle of its writing.
    let killed = limited(&place, "ulimit -c 0; ulimit -f 512;", &["--yes"]);
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert_eq!(fs::read(place.path("out/new.txt")).unwrap(), b"old");
    assert_eq!(names(&place.path("out")), [".mpp-commit", "new.txt"]);
    place.mpp(&[&RUN[..], &["--yes"]].concat()).exits(0);
    assert_eq!(names(&place.path("out")), ["new.txt"]);
    assert_eq!(fs::read(place.path("out/new.txt")).unwrap().len(), 1_000_000);
    place.mpp(&["audit", "verify"]).exits(0);
    let log = fs::read_to_string(place.path("home/audit/audit.jsonl")).unwrap();
    assert_eq!(log.matches("\"kind\":\"lost\"").count(), 1, "{log}");
}

#[test]
fn a_full_disk_changes_nothing_and_says_so() {
    let place = place("changes-full", 1_000_000);
    // A file system of 256 KB, in a mount table of its own.
    let mount = "mount -t tmpfs -o size=256k none out && echo old >out/new.txt &&";
    let script = format!(
        "{mount} \"$0\" run writer.mpp --tool run --map /out=out --yes; status=$?; \
         cat out/new.txt; ls -A out; exit $status"
    );
    let ran = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_mpp")])
        .current_dir(place.path(""))
        .env("MPP_HOME", place.path("home"))
        .output();
    let Some(ran) = ran.ok().filter(|ran| ran.status.code() == Some(4)) else {
        eprintln!("no mount table of its own to be had here: not tried");
        return;
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(err.contains("host.commit") && err.contains("nothing was changed"), "{err}");
    assert_eq!(out, "old\nnew.txt\n");
}

#[test]
fn two_runs_at_once_each_write_their_file() {
    let place = place("changes-two", 100_000);
    let mut children: Vec<_> = (0..4)
        .map(|_| {
            place
                .command(&[&RUN[..], &["--yes"]].concat())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        // A call may find that another has created the file concurrently, and does not replace it.
        assert!(matches!(child.wait().unwrap().code(), Some(0 | 4)));
    }
    assert_eq!(names(&place.path("out")), ["new.txt"]);
    assert_eq!(fs::read(place.path("out/new.txt")).unwrap(), vec![0; 100_000]);
}
