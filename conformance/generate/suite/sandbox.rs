//! What a guest can do with files, clocks and memory, and what it cannot: one case is a list of host calls.

use super::case::Case;
use super::package::{manifest, Package};
use super::script::Script;
use serde_json::{json, Value};

/// LIM-47 and LIM-176.
const OPEN_FILES_MAX: usize = 128;
const LINKS_MAX: usize = 32;

pub const ID: &str = "org.example.echo";

/// The limits of guests that run scripts.
pub fn runtime() -> Value {
    json!({
        "target": "wasm32-wasip1", "memory_limit_mb": 8, "fuel": 100_000_000_u64, "output_limit_kb": 1024,
    })
}

/// The manifest of a package that asks for everything a guest has files from.
pub fn files_manifest() -> Value {
    let mut manifest = manifest();
    manifest["runtime"] = runtime();
    manifest["capabilities"] = json!({
        "filesystem": { "read": ["/data"], "write": ["/out"] }, "storage": { "limit_kb": 4 },
    });
    manifest
}

/// The policy that grants it.
pub fn files_policy() -> Value {
    json!({
        "format": "mpp-policy/1", "trusted_packages": [ID],
        "directories": [
            { "guest": "/data", "host": "/srv/data" }, { "guest": "/out", "host": "/srv/out" },
        ],
    })
}

/// What is on the host before a call.
fn directories() -> Value {
    json!({
        "/srv/data": { "one": "1234567890", "sub/two": "2", "way": { "link": "sub" } },
        "/srv/out": {
            "old": "old", "dir/in": "in", "empty": null, "link": { "link": "old" },
            "hidden/link": { "link": "../old" }, "hidden/seen": "seen",
        },
    })
}

fn package(script: &Script, manifest: &Value) -> Vec<u8> {
    let package = Package::new().with_manifest(manifest).with("tool.wasm", script.module());
    let package = package.with("assets/b.txt", "hello, world").with("assets/a/inner.txt", "inner");
    package.bytes()
}

/// A case with this script: 3 is `/assets`, 4 `/data`, 5 `/out` and 6 `/storage`.
pub fn scripted(id: &str, manifest: &Value, text: &str) -> Case {
    let script = Script::new(text);
    let case = Case::call(&format!("sandbox/{id}"), package(&script, manifest));
    let case = case.with("guest", script.lines.clone());
    case.answers(json!({ "calls": [script.answer()] }))
}

/// A case about files, which end like this: what is other than before, by directory and path.
fn files(id: &str, title: &str, why: &str, spec: &str, script: &str, changes: Value) -> Case {
    let mut after = directories();
    for (directory, paths) in changes.as_object().into_iter().flatten() {
        for (path, content) in paths.as_object().unwrap() {
            let entries = after[directory].as_object_mut().unwrap();
            // A path that ends so was removed.
            match content.as_str() {
                Some("(removed)") => drop(entries.remove(path)),
                _ => drop(entries.insert(path.clone(), content.clone())),
            }
        }
    }
    // A directory is there by itself, not only in the paths of what is in it.
    for entries in after.as_object_mut().unwrap().values_mut() {
        let paths: Vec<String> = entries.as_object().unwrap().keys().cloned().collect();
        for path in paths {
            for (at, _) in path.match_indices('/') {
                entries[&path[..at]] = Value::Null;
            }
        }
    }
    let case = scripted(id, &files_manifest(), script).says(title, why).spec(spec);
    let mut answer = case.answer.clone().unwrap();
    answer["files"] = after;
    let case = case.with("policy", files_policy());
    case.with("host", json!({ "directories": directories() })).answers(answer)
}

pub fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(descriptors());
    cases.extend(changes());
    cases.extend(links());
    cases.extend(memory_and_time());
    cases
}

fn names() -> Vec<Case> {
    let escape = "No path of a guest reaches what was not mapped.";
    let one = "A path has one reading.";
    let long = "n".repeat(256);
    let longest = "n".repeat(255);
    let path = format!("{}x", "./".repeat(2047));
    vec![
        files(
            "path-parent",
            "`..` in the directory where a path starts",
            escape,
            "BOX-62",
            r#"path_open 5 0 ".." 0 READ 0 0 #4 => EPERM
               path_open 5 0 "../data/one" 0 READ 0 0 #4 => EPERM
               path_open 5 0 "dir/../../data/one" 0 READ 0 0 #4 => EPERM
               path_open 5 0 "./.." 0 READ 0 0 #4 => EPERM
               path_open 3 0 "a/../../data/one" 0 READ 0 0 #4 => EPERM
               path_open 6 0 "../out/old" 0 READ 0 0 #4 => EPERM
               path_create_directory 5 "../made" => EPERM
               path_unlink_file 5 "dir/../../out/old" => EPERM
               path_rename 5 "old" 5 "../moved" => EPERM
               path_symlink "x" 5 "../link" => EPERM
               path_filestat_get 5 0 "../out/old" &64 => EPERM
               path_open 5 0 "dir" DIRECTORY 0 ALL 0 #4 => [0,7]
               path_open 7 0 "../old" 0 READ 0 0 #4 => EPERM"#,
            json!({}),
        ),
        files(
            "path-absolute",
            "Absolute paths",
            escape,
            "BOX-61",
            r#"path_open 5 0 "/old" 0 READ 0 0 #4 => EPERM
               path_open 5 0 "/srv/out/old" 0 READ 0 0 #4 => EPERM
               path_open 5 0 "/out/old" 0 READ 0 0 #4 => EPERM
               path_open 5 0 "/" 0 READ 0 0 #4 => EPERM
               path_create_directory 5 "/made" => EPERM
               path_unlink_file 5 "/old" => EPERM
               path_link 5 0 "old" 5 "/second" => EPERM
               path_symlink "/etc/passwd" 5 "link-out" => EPERM"#,
            json!({}),
        ),
        files(
            "path-form",
            "Paths that are none",
            one,
            "BOX-61",
            r#"path_open 5 0 "" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 "a\xff" 0 READ 0 0 #4 => EILSEQ
               path_open 5 0 "\xed\xa0\x80" 0 READ 0 0 #4 => EILSEQ
               path_open 5 0 "old\x00" 0 READ 0 0 #4 => EINVAL
               path_create_directory 5 "a\x00b" => EINVAL
               path_open 5 0 "/\xff" 0 READ 0 0 #4 => EILSEQ
               path_open 5 0 "/a\x00" 0 READ 0 0 #4 => EINVAL"#,
            json!({}),
        ),
        files(
            "path-length",
            "Names and paths at their limit, and one byte longer",
            one,
            "BOX-61 LIM-46",
            &format!(
                r#"path_create_directory 5 "{longest}"
                   path_create_directory 5 "{long}" => ENAMETOOLONG
                   path_create_directory 5 "{path}"
                   path_create_directory 5 "{path}y" 
                   path_create_directory 5 "./{path}" => ENAMETOOLONG
                   path_open 5 0 "{long}/\x00" 0 READ 0 0 #4 => ENAMETOOLONG"#
            ),
            json!({ "/srv/out": { longest.clone(): null, "x": null, "xy": null } }),
        ),
        files(
            "path-through",
            "Paths through what is missing or a file",
            one,
            "BOX-62",
            r#"path_open 5 0 "no/file" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 "old/file" 0 READ 0 0 #4 => ENOTDIR
               path_open 5 0 "old/." 0 READ 0 0 #4 => ENOTDIR
               path_open 5 0 "old/.." 0 READ 0 0 #4 => ENOTDIR
               path_open 5 0 "old/" 0 READ 0 0 #4 => ENOTDIR
               path_open 5 0 "no/../old" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 "Old" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 ".//dir/./../old" 0 READ 0 0 #4 => [0,7]
               fd_read 7 ~9 #4 => [0,"old"]"#,
            json!({}),
        ),
        files(
            "host-link",
            "Symbolic links of the host",
            "A link of the host leads out of what was mapped, today or tomorrow.",
            "BOX-08 BOX-95",
            r#"path_open 5 FOLLOW "link" 0 READ 0 0 #4 => EACCES
               path_open 5 0 "link" 0 READ 0 0 #4 => EACCES
               path_open 4 FOLLOW "way/two" 0 READ 0 0 #4 => EACCES
               path_open 4 FOLLOW "way" DIRECTORY READ 0 0 #4 => EACCES
               path_filestat_get 5 0 "link" &64 => EACCES
               path_filestat_get 5 FOLLOW "link" &64 => EACCES
               path_readlink 5 "link" $100 #4 => EACCES
               path_unlink_file 5 "link" => EACCES
               path_rename 5 "link" 5 "moved" => EACCES
               path_rename 5 "old" 5 "link" => EACCES
               path_link 5 0 "link" 5 "second" => EACCES
               path_link 5 0 "old" 5 "link" => EACCES
               path_symlink "old" 5 "link" => EACCES
               path_create_directory 5 "link" => EACCES
               path_remove_directory 5 "link" => EACCES
               path_open 5 0 "link" CREAT WRITE 0 0 #4 => EACCES
               path_open 5 0 "link" TRUNC WRITE 0 0 #4 => EACCES"#,
            json!({}),
        )
        .also("denied", json!([17])),
        files(
            "host-link-listing",
            "Symbolic links of the host in a listing and in the way of a removal",
            "What is hidden is not listed, and what holds it cannot be removed or moved.",
            "BOX-08 BOX-63 BOX-84 BOX-86",
            r#"path_open 5 0 "hidden" DIRECTORY TREE ALL 0 #4 => [0,7]
               fd_readdir 7 $400 0 #4 => [0,"\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0008\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001\u0000\u0000\u0000\u0003\u0000\u0000\u0000.\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0006\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0002\u0000\u0000\u0000\u0003\u0000\u0000\u0000..\u0003\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0009\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0004\u0000\u0000\u0000seen"]
               path_unlink_file 5 "hidden/seen"
               path_remove_directory 5 "hidden" => ENOTEMPTY
               path_rename 5 "hidden" 5 "moved" => EACCES"#,
            json!({ "/srv/out": { "hidden/seen": "(removed)" } }),
        ),
        files(
            "commit-directory",
            "The name of the directory that commits use",
            "A guest that could put files there could have them committed.",
            "BOX-08",
            r#"path_open 5 0 ".mpp-commit" CREAT WRITE 0 0 #4 => EACCES
               path_create_directory 5 ".mpp-commit" => EACCES
               path_create_directory 5 "dir/.mpp-commit" => EACCES
               path_create_directory 5 "new"
               path_create_directory 5 "new/.mpp-commit" => EACCES
               path_rename 5 "old" 5 ".mpp-commit" => EACCES
               path_open 4 0 ".mpp-commit/x" 0 READ 0 0 #4 => EACCES
               path_symlink "x" 5 ".mpp-commit" => EACCES"#,
            json!({ "/srv/out": { "new": null } }),
        ),
        files(
            "read-only",
            "Changes in assets and in a directory that was mapped to be read",
            "What was granted to be read is not written.",
            "BOX-69 BOX-95 TOKEN-02",
            r#"path_open 4 0 "new" CREAT WRITE 0 0 #4 => EROFS
               path_open 4 0 "one" 0 WRITE 0 0 #4 => EROFS
               path_open 4 0 "one" TRUNC READ 0 0 #4 => EROFS
               path_create_directory 4 "new" => EROFS
               path_unlink_file 4 "one" => EROFS
               path_remove_directory 4 "sub" => EROFS
               path_rename 4 "one" 4 "two" => EROFS
               path_symlink "one" 4 "second" => EROFS
               path_link 4 0 "one" 4 "second" => EROFS
               path_filestat_set_times 4 0 "one" 0 0 5 => EROFS
               path_open 3 0 "b.txt" 0 WRITE 0 0 #4 => EROFS
               path_unlink_file 3 "b.txt" => EROFS
               path_create_directory 3 "new" => EROFS"#,
            json!({}),
        )
        .also("denied", json!([13])),
        files(
            "read-only-first",
            "Changes of a read-only directory that would not be possible in another",
            "Answers that come first are the same everywhere.",
            "BOX-69",
            r#"path_unlink_file 4 "no" => ENOENT
               path_unlink_file 4 "sub" => EISDIR
               path_remove_directory 4 "one" => ENOTDIR
               path_create_directory 4 "sub" => EEXIST
               path_open 4 0 "one" CREAT|EXCL READ 0 0 #4 => EEXIST
               path_open 4 0 "sub" 0 WRITE 0 0 #4 => EISDIR
               path_open 4 0 "one" CREAT READ 0 0 #4 => [0,7]"#,
            json!({}),
        ),
        files(
            "read-only-mapping",
            "A directory to be written that the policy maps to be read",
            "The policy gives less than was requested.",
            "TOKEN-02 BOX-69",
            r#"path_open 5 0 "old" 0 WRITE 0 0 #4 => EROFS
               path_create_directory 5 "new" => EROFS
               path_unlink_file 5 "old" => EROFS
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]"#,
            json!({}),
        )
        .with("policy", {
            let mut policy = files_policy();
            policy["directories"][1]["read_only"] = json!(true);
            policy
        }),
        files(
            "not-mapped",
            "A directory that the policy does not map",
            "What was not granted does not exist, and is no error.",
            "TOKEN-02 BOX-60",
            r#"fd_prestat_dir_name 3 $7 => [0,"/assets"]
               fd_prestat_dir_name 4 $4 => [0,"/out"]
               fd_prestat_dir_name 5 $8 => [0,"/storage"]
               fd_prestat_get 6 &8 => EBADF"#,
            json!({}),
        )
        .with("policy", {
            let mut policy = files_policy();
            policy["directories"].as_array_mut().unwrap().remove(0);
            policy
        }),
        files(
            "control-characters",
            "New names with characters that nothing shows",
            "A list of changes shows the names that it has.",
            "BOX-79",
            r#"path_open 5 0 "a\x0ab" CREAT WRITE 0 0 #4 => EINVAL
               path_create_directory 5 "a\x1b[2J" => EINVAL
               path_create_directory 5 "a\xe2\x80\xaeb" => EINVAL
               path_create_directory 5 "a\xe2\x80\x8bb" => EINVAL
               path_rename 5 "old" 5 "a\x7f" => EINVAL
               path_link 5 0 "old" 5 "\x09" => EINVAL
               path_symlink "old" 5 "\x0d" => EINVAL"#,
            json!({}),
        ),
        files(
            "depth",
            "Directories as deep as allowed, and one deeper",
            "Every name has a bounded way to it.",
            "BOX-87 LIM-175",
            &(1..=33)
                .map(|depth| {
                    let path = vec!["d"; depth].join("/");
                    format!(
                        "path_create_directory 5 \"{path}\" => {}\n",
                        if depth <= 32 { "0" } else { "ENAMETOOLONG" }
                    )
                })
                .collect::<String>(),
            json!({ "/srv/out": { vec!["d"; 32].join("/"): null } }),
        ),
    ]
}

fn descriptors() -> Vec<Case> {
    let number = "A descriptor is what the guest was given, and nothing else.";
    let rights = "Rights only shrink.";
    vec![
        files(
            "preopens",
            "The descriptors that a guest has at its start",
            number,
            "BOX-60",
            r#"fd_prestat_get 0 &8 => EBADF
               fd_prestat_get 2 &8 => EBADF
               fd_prestat_get 3 &8 => [0,"0000000007000000"]
               fd_prestat_dir_name 3 $7 => [0,"/assets"]
               fd_prestat_dir_name 4 $5 => [0,"/data"]
               fd_prestat_dir_name 5 $4 => [0,"/out"]
               fd_prestat_dir_name 6 $8 => [0,"/storage"]
               fd_prestat_dir_name 6 $7 => ENAMETOOLONG
               fd_prestat_get 7 &8 => EBADF
               fd_prestat_dir_name 7 $8 => EBADF
               fd_filestat_get 0 &64 => [0,"00000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000"]"#,
            json!({}),
        ),
        files(
            "not-open",
            "Descriptors that are not open",
            number,
            "BOX-64 BOX-65",
            r#"fd_read 7 ~4 #4 => EBADF
               fd_write 99 {x} #4 => EBADF
               fd_close 7 => EBADF
               fd_close -1 => EBADF
               fd_renumber 7 3 => EBADF
               fd_renumber 3 7 => EBADF
               fd_fdstat_get 7 &24 => EBADF
               fd_filestat_get 7 &64 => EBADF
               path_open 7 0 "old" 0 READ 0 0 #4 => EBADF
               fd_readdir 7 $100 0 #4 => EBADF
               fd_seek 7 0 0 #8 => EBADF
               fd_sync 7 => EBADF
               sock_shutdown 7 1 => EBADF
               path_link 5 0 "old" 7 "x" => EBADF"#,
            json!({}),
        ),
        files(
            "wrong-kind",
            "Streams and directories where files are wanted, and the reverse",
            number,
            "BOX-60 BOX-62",
            r#"path_open 5 0 "dir" DIRECTORY TREE TREE 0 #4 => [0,7]
               fd_read 7 ~4 #4 => EBADF
               fd_close 7
               fd_pread 5 ~4 0 #4 => EBADF
               fd_pread 0 ~4 0 #4 => ESPIPE
               fd_pwrite 1 {x} 0 #4 => ESPIPE
               fd_seek 0 0 0 #8 => ESPIPE
               fd_seek 5 0 0 #8 => EBADF
               fd_tell 1 #8 => ESPIPE
               fd_tell 5 #8 => EBADF
               fd_filestat_set_size 1 0 => ESPIPE
               fd_allocate 1 0 1 => ESPIPE
               fd_filestat_set_times 0 0 0 5 => EINVAL
               fd_advise 0 0 0 0 => ESPIPE
               fd_advise 5 0 0 0 => EBADF
               fd_sync 1 => EINVAL
               fd_datasync 0 => EINVAL
               fd_sync 5
               path_open 0 0 "old" 0 READ 0 0 #4 => ENOTDIR
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]
               path_open 7 0 "x" 0 READ 0 0 #4 => ENOTDIR
               fd_readdir 7 $100 0 #4 => ENOTDIR
               fd_write 0 {x} #4 => EBADF
               fd_read 1 ~4 #4 => EBADF"#,
            json!({}),
        ),
        files(
            "lowest-number",
            "New descriptors get the lowest free number, and each can be closed",
            number,
            "BOX-64",
            r#"path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,8]
               fd_close 3
               fd_close 0
               fd_close 3 => EBADF
               path_open 3 0 "b.txt" 0 READ 0 0 #4 => EBADF
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,0]
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,3]
               fd_prestat_get 3 &8 => EBADF
               fd_read 0 ~9 #4 => [0,"old"]"#,
            json!({}),
        ),
        files(
            "too-many-open",
            "As many open descriptors as allowed, and one more",
            number,
            "BOX-64 LIM-47",
            &format!(
                "{}path_open 5 0 \"old\" 0 READ 0 0 #4 => EMFILE
                 fd_close 50
                 path_open 5 0 \"old\" 0 READ 0 0 #4 => [0,50]
                 path_open 5 0 \"new\" CREAT WRITE 0 0 #4 => EMFILE",
                (7..OPEN_FILES_MAX)
                    .map(|fd| format!("path_open 5 0 \"old\" 0 READ 0 0 #4 => [0,{fd}]\n"))
                    .collect::<String>()
            ),
            json!({}),
        ),
        files(
            "renumber",
            "A descriptor moved onto another open one",
            "A guest cannot make numbers of its own.",
            "BOX-65",
            r#"path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]
               path_open 4 0 "one" 0 READ 0 0 #4 => [0,8]
               fd_renumber 8 7
               fd_read 7 ~20 #4 => [0,"1234567890"]
               fd_read 8 ~4 #4 => EBADF
               fd_renumber 7 1000 => EBADF
               fd_renumber 7 7
               fd_read 7 ~4 #4 => [0,""]"#,
            json!({}),
        ),
        files(
            "rights-read",
            "A file that was opened to be read, or for nothing",
            rights,
            "BOX-66",
            r#"path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]
               fd_write 7 {x} #4 => EBADF
               fd_pwrite 7 {x} 0 #4 => EBADF
               fd_filestat_set_size 7 0 => EBADF
               fd_allocate 7 0 9 => EBADF
               path_open 5 0 "old" 0 0 0 0 #4 => [0,8]
               fd_read 8 ~4 #4 => EBADF
               fd_pread 8 ~4 0 #4 => EBADF
               path_open 5 0 "old" 0 WRITE 0 0 #4 => [0,9]
               fd_read 9 ~4 #4 => EBADF
               fd_write 9 {O} #4 => [0,1]"#,
            json!({ "/srv/out": { "old": "Old" } }),
        ),
        files(
            "rights-grow",
            "Rights that a descriptor does not have",
            rights,
            "BOX-66 BOX-68 BOX-95",
            r#"path_open 5 0 "old" 0 READ 0 0 #4 => [0,7]
               fd_fdstat_set_rights 7 READ|WRITE 0 => ENOTCAPABLE
               fd_fdstat_set_rights 7 0 READ => ENOTCAPABLE
               fd_fdstat_set_rights 7 0 0
               fd_read 7 ~4 #4 => EBADF
               fd_fdstat_set_rights 7 READ 0 => ENOTCAPABLE
               path_open 5 0 "dir" DIRECTORY TREE READ 0 #4 => [0,8]
               path_open 8 0 "in" 0 READ|WRITE 0 0 #4 => [0,9]
               fd_write 9 {x} #4 => EBADF
               fd_fdstat_set_rights 5 0x2000 READ
               path_open 5 0 "old" TRUNC READ 0 0 #4 => ENOTCAPABLE"#,
            json!({}),
        )
        .also("denied", json!([4])),
        files(
            "open-flags",
            "Files and directories opened as what they are not",
            "One answer for each way to ask.",
            "BOX-68",
            r#"path_open 5 0 "new/" CREAT WRITE 0 0 #4 => EISDIR
               path_open 5 0 "old" CREAT|EXCL WRITE 0 0 #4 => EEXIST
               path_open 5 0 "dir" CREAT|EXCL READ 0 0 #4 => EEXIST
               path_open 5 0 "dir" 0 WRITE 0 0 #4 => EISDIR
               path_open 5 0 "dir" TRUNC READ 0 0 #4 => EISDIR
               path_open 5 0 "old" DIRECTORY READ 0 0 #4 => ENOTDIR
               path_open 5 0 "new" CREAT|DIRECTORY READ 0 0 #4 => EINVAL
               path_open 5 0 "new" 16 READ 0 0 #4 => EINVAL
               path_open 5 2 "old" 0 READ 0 0 #4 => EINVAL
               path_open 5 0 "old" 0 READ 0 32 #4 => EINVAL
               fd_fdstat_set_flags 5 32 => EINVAL
               path_open 5 0 "new" 0 WRITE 0 0 #4 => ENOENT
               path_open 5 0 "new" CREAT 0 0 0 #4 => [0,7]"#,
            json!({ "/srv/out": { "new": "" } }),
        ),
        files(
            "append",
            "A file opened to append",
            "The flag moves the position before each write, and nothing else does.",
            "BOX-66 BOX-80",
            r#"path_open 5 0 "old" 0 READ|WRITE 0 APPEND #4 => [0,7]
               fd_write 7 {er} #4 => [0,2]
               fd_seek 7 0 0 #8 => [0,0]
               fd_read 7 ~2 #4 => [0,"ol"]
               fd_write 7 {!} #4 => [0,1]
               fd_pwrite 7 {O} 0 #4 => [0,1]
               fd_tell 7 #8 => [0,6]"#,
            json!({ "/srv/out": { "old": "Older!" } }),
        ),
        files(
            "seek",
            "Positions before the start and beyond all",
            "A position is a number of bytes.",
            "BOX-60 BOX-80",
            r#"path_open 5 0 "old" 0 READ|WRITE 0 0 #4 => [0,7]
               fd_seek 7 -1 0 #8 => EINVAL
               fd_seek 7 -4 2 #8 => EINVAL
               fd_seek 7 0 3 #8 => EINVAL
               fd_seek 7 0x7fffffffffffffff 0 #8 => [0,9223372036854775807]
               fd_seek 7 1 1 #8 => EINVAL
               fd_seek 7 5 0 #8 => [0,5]
               fd_read 7 ~4 #4 => [0,""]
               fd_write 7 {x} #4 => [0,1]
               fd_pread 7 ~9 0 #4 => [0,"old\u0000\u0000x"]"#,
            json!({ "/srv/out": { "old": "old\0\0x" } }),
        ),
        files(
            "unknown-arguments",
            "Unknown advice, flags and times that contradict each other",
            "What has no meaning is refused, so that it can get one.",
            "BOX-66",
            r#"path_open 5 0 "old" 0 READ|WRITE 0 0 #4 => [0,7]
               fd_advise 7 0 0 6 => EINVAL
               fd_advise 7 0 0 5
               fd_allocate 7 0 0 => EINVAL
               fd_filestat_set_times 7 0 0 3 => EINVAL
               fd_filestat_set_times 7 0 0 12 => EINVAL
               fd_filestat_set_times 7 0 0 16 => EINVAL
               path_filestat_set_times 5 0 "old" 0 0 3 => EINVAL
               path_filestat_get 5 2 "old" &64 => EINVAL
               fd_allocate 7 0 2
               proc_raise 6 => ENOSYS
               sched_yield"#,
            json!({}),
        ),
        files(
            "listing",
            "A listing whole, in parts, and with a buffer that cuts an entry",
            "Names come in one order, as they were at the beginning.",
            "BOX-63",
            r#"path_open 4 0 "sub" DIRECTORY TREE ALL 0 #4 => [0,7]
               fd_readdir 7 $400 2 #4 => [0,"\u0003\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0009\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0003\u0000\u0000\u0000\u0004\u0000\u0000\u0000two"]
               fd_readdir 7 $25 2 #4 => [0,"\u0003\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0009\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0003\u0000\u0000\u0000\u0004\u0000\u0000\u0000t"]
               fd_readdir 7 $400 3 #4 => [0,""]
               path_open 5 0 "empty" DIRECTORY TREE ALL 0 #4 => [0,8]
               fd_readdir 8 $0 0 #4 => [0,""]
               path_create_directory 8 "late"
               fd_readdir 8 $400 2 #4 => [0,""]"#,
            json!({ "/srv/out": { "empty/late": null } }),
        ),
        files(
            "filestat",
            "Numbers, sizes and times of files",
            "A guest sees nothing of the host in them.",
            "BOX-67",
            r#"path_filestat_get 3 0 "a/inner.txt" &64 => [0,"010000000000000003000000000000000400000000000000010000000000000005000000000000000000faed517286180000faed517286180000faed51728618"]
               path_filestat_get 4 0 "sub" &64 => [0,"020000000000000008000000000000000300000000000000010000000000000000000000000000000000faed517286180000faed517286180000faed51728618"]"#,
            json!({}),
        ),
    ]
}

fn changes() -> Vec<Case> {
    let staged =
        "What a guest changes is applied when its call has succeeded, and as it was at the end.";
    vec![
        files(
            "write",
            "A host file that is written, and one that is new",
            staged,
            "BOX-80 RUN-10",
            r#"path_open 5 0 "old" 0 READ|WRITE 0 0 #4 => [0,7]
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,8]
               fd_write 7 {new} #4 => [0,3]
               fd_read 8 ~9 #4 => [0,"new"]
               path_open 5 0 "dir/made" CREAT WRITE 0 0 #4 => [0,9]
               fd_write 9 {made} #4 => [0,4]
               path_open 5 0 "dir/in" TRUNC READ|WRITE 0 0 #4 => [0,10]
               fd_read 10 ~9 #4 => [0,""]"#,
            json!({ "/srv/out": { "old": "new", "dir/made": "made", "dir/in": "" } }),
        )
        .also("changes", json!([{ "bytes": 7, "write_file": 3 }])),
        files(
            "remove",
            "Directories and files that cannot be removed as they are",
            "One answer for each way to ask.",
            "BOX-86 BOX-89",
            r#"path_remove_directory 5 "dir" => ENOTEMPTY
               path_remove_directory 5 "old" => ENOTDIR
               path_remove_directory 5 "." => EINVAL
               path_remove_directory 5 "dir/.." => EINVAL
               path_unlink_file 5 "dir" => EISDIR
               path_unlink_file 5 "old/" => ENOTDIR
               path_unlink_file 5 "no" => ENOENT
               path_remove_directory 5 "no" => ENOENT
               path_open 5 0 "empty" DIRECTORY TREE ALL 0 #4 => [0,7]
               path_remove_directory 5 "empty"
               path_open 7 0 "new" CREAT WRITE 0 0 #4 => ENOENT
               path_create_directory 7 "new" => ENOENT
               path_remove_directory 5 "empty" => ENOENT"#,
            json!({ "/srv/out": { "empty": "(removed)" } }),
        ),
        files(
            "remove-open",
            "A file that is removed while it is open, and one in its place",
            "What is open stays what it was.",
            "BOX-86 BOX-88",
            r#"path_open 5 0 "old" 0 READ|WRITE 0 0 #4 => [0,7]
               path_unlink_file 5 "old"
               path_open 5 0 "old" 0 READ 0 0 #4 => ENOENT
               fd_read 7 ~9 #4 => [0,"old"]
               fd_write 7 {er} #4 => [0,2]
               path_open 5 0 "old" CREAT|EXCL READ|WRITE 0 0 #4 => [0,8]
               fd_read 8 ~9 #4 => [0,""]
               fd_write 8 {second} #4 => [0,6]
               path_unlink_file 5 "link" => EACCES"#,
            json!({ "/srv/out": { "old": "second" } }),
        ),
        files(
            "rename",
            "Renames that would put a thing where it cannot be",
            "One answer for each way to ask, and no change.",
            "BOX-84",
            r#"path_rename 5 "old" 5 "dir" => EISDIR
               path_rename 5 "empty" 5 "old" => ENOTDIR
               path_rename 5 "empty" 5 "dir" => ENOTEMPTY
               path_rename 5 "dir" 5 "dir/below" => EINVAL
               path_rename 5 "dir/." 5 "x" => EINVAL
               path_rename 5 "old" 5 "dir/.." => EINVAL
               path_rename 5 "old" 6 "old" => EXDEV
               path_rename 4 "one" 5 "one" => EXDEV
               path_rename 5 "no" 5 "x" => ENOENT
               path_rename 5 "old" 5 "no/x" => ENOENT
               path_rename 5 "old" 5 "new/" => ENOTDIR
               path_rename 5 "old" 5 "old" "#,
            json!({}),
        ),
        files(
            "rename-done",
            "A file and a directory that are moved",
            staged,
            "BOX-84 BOX-85",
            r#"path_rename 5 "dir" 5 "empty"
               path_rename 5 "old" 5 "empty/in"
               path_open 5 0 "old" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 "dir" 0 READ 0 0 #4 => ENOENT
               path_open 5 0 "empty/in" 0 READ 0 0 #4 => [0,7]
               fd_read 7 ~9 #4 => [0,"old"]"#,
            json!({ "/srv/out": { "dir": "(removed)", "dir/in": "(removed)", "old": "(removed)", "empty/in": "old" } }),
        ),
        files(
            "second-name",
            "A second name for one content",
            "A content is one, however it is reached.",
            "BOX-83 BOX-84",
            r#"path_link 5 0 "old" 5 "second"
               path_open 5 0 "second" 0 WRITE 0 0 #4 => [0,7]
               fd_write 7 {two} #4 => [0,3]
               path_open 5 0 "old" 0 READ 0 0 #4 => [0,8]
               fd_read 8 ~9 #4 => [0,"two"]
               path_rename 5 "old" 5 "second"
               path_link 5 0 "dir" 5 "x" => EPERM
               path_link 5 0 "old" 5 "second" => EEXIST
               path_link 5 0 "old" 5 "x/" => ENOENT
               path_link 5 0 "old" 6 "x" => EXDEV
               path_link 5 0 "no" 5 "x" => ENOENT
               path_readlink 5 "old" $9 #4 => EINVAL"#,
            json!({ "/srv/out": { "old": "two", "second": "two" } }),
        ),
        files(
            "too-much",
            "More content than a call may have, in a new file and by its size",
            "A change that is too large has no effect, and takes no memory.",
            "BOX-81 BOX-45",
            r#"path_open 5 0 "big" CREAT READ|WRITE 0 0 #4 => [0,7]
               fd_filestat_set_size 7 0x7fffffffffffffff => ENOSPC
               fd_allocate 7 0x7fffffffffffff00 9 => ENOSPC
               fd_pwrite 7 {x} 0x7fffffff00000000 #4 => ENOSPC
               fd_filestat_get 7 &64 => [0,"030000000000000008000000000000000400000000000000010000000000000000000000000000000000faed517286180000faed517286180000faed51728618"]
               fd_write 7 {abc} #4 => [0,3]"#,
            json!({ "/srv/out": { "big": "abc" } }),
        ),
        files(
            "storage-quota",
            "More in storage than the package asked for",
            "A package keeps what was granted, and a change that is too large has no effect.",
            "STO-20 BOX-45",
            r#"path_open 6 0 "a" CREAT READ|WRITE 0 0 #4 => [0,7]
               fd_filestat_set_size 7 4097 => ENOSPC
               fd_filestat_set_size 7 3000
               fd_pwrite 7 {x} 4095 #4 => ENOSPC
               path_open 6 0 "b" CREAT READ|WRITE 0 0 #4 => [0,8]
               fd_filestat_set_size 8 2000 => ENOSPC
               path_link 6 0 "a" 6 "c" => ENOSPC
               fd_filestat_set_size 7 0"#,
            json!({}),
        ),
    ]
}

fn links() -> Vec<Case> {
    let inside = "A link of the guest leads only to where the guest could go.";
    let (there, limit) = (
        r#"path_symlink "../../data/one" 5 "dir/out" => 0
           path_open 5 FOLLOW "dir/out" 0 READ 0 0 #4 => EPERM
           path_open 5 0 "dir/out" 0 READ 0 0 #4 => ELOOP
           path_readlink 5 "dir/out" $99 #4 => [0,"../../data/one"]
           path_readlink 5 "dir/out" $5 #4 => [0,"../.."]
           path_symlink "../old" 5 "dir/up"
           path_open 5 FOLLOW "dir/up" 0 READ 0 0 #4 => [0,7]
           path_open 5 0 "dir" DIRECTORY TREE ALL 0 #4 => [0,8]
           path_open 8 FOLLOW "up" 0 READ 0 0 #4 => EPERM
           path_unlink_file 5 "dir/out"
           path_unlink_file 5 "dir/up""#,
        r#"path_symlink "b" 5 "a"
           path_symlink "a" 5 "b"
           path_open 5 FOLLOW "a" 0 READ 0 0 #4 => ELOOP
           path_open 5 FOLLOW "a/x" 0 READ 0 0 #4 => ELOOP
           path_open 5 0 "a" 0 READ 0 0 #4 => ELOOP
           path_symlink "" 5 "c" => ENOENT
           path_symlink "/old" 5 "c" => EPERM
           path_symlink "x\x00" 5 "c" => EINVAL
           path_symlink "old" 5 "dir" => EEXIST
           path_symlink "old" 5 "c/" => ENOENT
           path_unlink_file 5 "a/" => ENOTDIR
           path_remove_directory 5 "a" => ENOTDIR
           path_link 5 FOLLOW "a" 5 "c" => EINVAL
           path_unlink_file 5 "a"
           path_unlink_file 5 "b""#,
    );
    let last = LINKS_MAX - 1;
    let made: String = (0..=LINKS_MAX)
        .map(|at| match at {
            0 => "path_symlink \"old\" 5 \"l0\"\n".to_owned(),
            at => format!("path_symlink \"l{}\" 5 \"l{at}\"\n", at - 1),
        })
        .collect();
    let removed: String =
        (0..=LINKS_MAX).map(|at| format!("path_unlink_file 5 \"l{at}\"\n")).collect();
    let chain = format!(
        "{made}path_open 5 FOLLOW \"l{last}\" 0 READ 0 0 #4 => [0,7]
         path_open 5 FOLLOW \"l{LINKS_MAX}\" 0 READ 0 0 #4 => ELOOP
         {removed}"
    );
    let ways = r#"path_symlink "dir" 5 "way"
        path_open 5 0 "way/in" 0 READ 0 0 #4 => [0,7]
        path_open 5 0 "way/../old" 0 READ 0 0 #4 => [0,8]
        path_open 5 0 "way" DIRECTORY READ 0 0 #4 => ELOOP
        path_open 5 0 "way/" DIRECTORY READ 0 0 #4 => [0,9]
        path_filestat_get 5 0 "way/no" &64 => ENOENT
        path_remove_directory 5 "way" => ENOTDIR
        path_rename 5 "way" 5 "other"
        path_readlink 5 "other" $9 #4 => [0,"dir"]
        path_link 5 0 "other" 5 "third"
        path_readlink 5 "third" $9 #4 => [0,"dir"]
        path_unlink_file 5 "other"
        path_unlink_file 5 "third""#;
    let mut cases = vec![
        files(
            "link-chain",
            "As many links as may be followed, and one more",
            inside,
            "BOX-82 LIM-176",
            &chain,
            json!({}),
        ),
        files(
            "link-way",
            "A link on the way, and one that is moved and named twice",
            inside,
            "BOX-82 BOX-83 BOX-84",
            ways,
            json!({}),
        ),
        files("link-out", "Links of the guest that lead out", inside, "BOX-82", there, json!({})),
        files(
            "link-loop",
            "Links that lead to each other, and to nothing",
            inside,
            "BOX-82 BOX-83",
            limit,
            json!({}),
        ),
    ];
    for (id, title, where_to, mount) in [
        ("left-link", "A link that is left in a directory", "/srv/out", 5),
        ("left-link-storage", "A link that is left in storage", "storage", 6),
    ] {
        let script = format!(
            "path_open 5 0 \"old\" TRUNC WRITE 0 0 #4 => [0,7]
             path_symlink \"old\" {mount} \"left\""
        );
        let case = files(
            id,
            title,
            "A link that is committed would lead whoever follows it; the call fails, and changes nothing.",
            "BOX-85 STO-03 RUN-10",
            &script,
            json!({}),
        );
        let mut answer = case.answer.clone().unwrap();
        answer["calls"] = json!([{ "code": "tool.left_link" }]);
        answer["storage"] = json!([]);
        answer["records"] = json!(["intent", "outcome tool.left_link"]);
        answer["changes"] = json!([{}]);
        let _ = where_to;
        cases.push(case.answers(answer));
    }
    cases
}

fn memory_and_time() -> Vec<Case> {
    let inside = "A host call reads and writes the guest's memory only.";
    let own = "A call is the same on every machine.";
    let mut plain = manifest();
    plain["runtime"] = runtime();
    let case = |id: &str, title: &str, why: &str, spec: &str, script: &str| {
        scripted(id, &plain, script).says(title, why).spec(spec)
    };
    // The memory has 80 pages.
    let end = 80 * 65536;
    vec![
        case(
            "memory-outside",
            "Pointers and lengths outside the memory",
            inside,
            "BOX-41 BOX-43",
            &format!(
                "random_get {end} 1 => EFAULT
                 random_get {} 2 => EFAULT
                 random_get -1 1 => EFAULT
                 random_get -1 -1 => EFAULT
                 random_get {end} 0
                 random_get -1 0 => EFAULT
                 args_sizes_get {} 0 => EFAULT
                 clock_time_get 0 0 {} => EFAULT
                 clock_time_get 1 0 #8 => [0,0]
                 fd_write 1 {end} 1 0 => EFAULT
                 fd_write 1 -8 1 0 => EFAULT
                 fd_prestat_get 3 -1 => EFAULT
                 path_open 3 0 {end} 1 0 READ 0 0 #4 => EFAULT
                 path_open 3 0 \"b.txt\" 0 READ 0 0 {} => EFAULT
                 path_open 3 0 \"b.txt\" 0 READ 0 0 #4 => [0,4]",
                end - 1,
                end - 3,
                end - 7,
                end - 3,
            ),
        ),
        case(
            "memory-buffers",
            "Lists of buffers that are too long, too large or outside",
            inside,
            "BOX-42 BOX-43 LIM-41",
            r#"fd_write 1 1024 1025 8 => EINVAL
               fd_read 0 0x7fffffff 1025 8 => EINVAL
               fd_write 1 1024 0 #4 => [0,0]"#,
        ),
        case(
            "clock",
            "The two clocks, and others",
            own,
            "BOX-50 BOX-51 LIM-49",
            "clock_time_get 1 0 #8 => [0,0]
             clock_time_get 1 0 #8 => [0,1000000]
             clock_time_get 0 0 #8 => [0,1767225600002000000]
             clock_time_get 2 0 #8 => EINVAL
             clock_time_get 3 0 #8 => EINVAL
             clock_time_get 4 0 #8 => EINVAL
             clock_time_get -1 0 #8 => EINVAL
             clock_res_get 0 #8 => [0,1000000]
             clock_res_get 1 #8 => [0,1000000]
             clock_res_get 2 #8 => EINVAL",
        ),
        case(
            "poll",
            "Waiting, which takes no time, and waiting for nothing",
            own,
            "BOX-52 LIM-48",
            &format!(
                "poll_oneoff 1024 4096 0 8 => EINVAL
                 poll_oneoff 1024 4096 1025 8 => EINVAL
                 poll_oneoff ={} &32 1 #4 => [0,\"{}\",1]
                 clock_time_get 1 0 #8 => [0,5000000]
                 poll_oneoff ={} &32 1 #4 => [0,\"{}\",1]
                 poll_oneoff ={} &32 1 #4 => [0,\"{}\",1]
                 poll_oneoff ={} &32 1 #4 => [0,\"{}\",1]
                 clock_time_get 1 0 #8 => [0,6000000]",
                subscription(0, 1, 5_000_000),
                event(0, 0),
                subscription(0, 9, 5_000_000),
                event(28, 0),
                subscription(1, 77, 0),
                event(8, 1),
                subscription(3, 1, 0),
                event(28, 3),
            ),
        ),
        case(
            "random",
            "Random numbers of a call",
            own,
            "BOX-53 BOX-54",
            &format!(
                "random_get $0 => [0,\"\"]
                 random_get $33 => [0,\"{}\"]
                 random_get $3 => [0,\"{}\"]
                 random_get 0 -1 => EFAULT",
                random(0, 33),
                random(33, 3),
            ),
        ),
        case(
            "sockets",
            "Sockets, which do not exist",
            "The network is reached through the host's service only.",
            "BOX-55",
            "sock_accept 0 0 8 => ENOTSOCK
             sock_accept 3 0 8 => ENOTSOCK
             sock_recv 3 1024 0 0 8 8 => ENOTSOCK
             sock_send 1 1024 0 0 8 => ENOTSOCK
             sock_shutdown 3 1 => ENOTSOCK
             sock_accept 9 0 8 => EBADF",
        ),
    ]
}

/// The record of a subscription of this kind, to a clock with a relative time or to a descriptor.
fn subscription(kind: u8, of: u32, time: u64) -> String {
    let mut bytes = [0; 48];
    (bytes[0], bytes[8]) = (7, kind);
    bytes[16..20].copy_from_slice(&of.to_le_bytes());
    bytes[24..32].copy_from_slice(&time.to_le_bytes());
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// The record of its event.
fn event(errno: u8, kind: u8) -> String {
    let mut bytes = [0; 32];
    (bytes[0], bytes[8], bytes[10]) = (7, errno, kind);
    super::crypto::hex(&bytes)
}

/// BOX-53: this many bytes of the stream from this one on.
fn random(from: usize, count: usize) -> String {
    let block = |number: u64| {
        let input = [&[0; 32][..], &number.to_le_bytes()].concat();
        super::crypto::unhex(&super::crypto::sha256_hex(&input))
    };
    let stream: Vec<u8> = (0..4).flat_map(block).collect();
    super::crypto::hex(&stream[from..from + count])
}
