//! Room: the same guests in our sandbox and in wasmtime. How they end, what they say and which files
//! they leave has to be the same, but for the differences listed in `differences.rs`.

mod differences;
mod ours;
mod theirs;

use differences::EXPECTED_DIFFERENCES;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const GUEST_DIRECTORY: &str = "/data";
const INPUT: &[u8] = b"one\ntwo lines, \0 and more\n";

/// One run of one guest.
pub struct Case {
    name: &'static str,
    /// The module, `corpus/GUEST.wasm`.
    guest: &'static str,
    args: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const fn case(name: &'static str, args: &'static [&'static str]) -> Case {
    Case { name, guest: name, args, environment: &[] }
}

const fn end(name: &'static str, args: &'static [&'static str]) -> Case {
    Case { name, guest: "ends", args, environment: &[] }
}

const fn strange(name: &'static str, args: &'static [&'static str]) -> Case {
    Case { name, guest: "strange", args, environment: &[] }
}

const CASES: &[Case] = &[
    case("opens", &[]),
    case("contents", &[]),
    case("names", &[]),
    case("listing", &[]),
    case("stats", &[]),
    case("links", &[]),
    case("paths", &[]),
    case("descriptors", &[]),
    case("wrong_kinds", &[]),
    case("time_and_chance", &[]),
    case("hostlinks", &[]),
    case("inputs", &[]),
    Case {
        name: "inputs given",
        guest: "inputs",
        args: &["--flag", "two words", "\"quoted\" $HOME", "-"],
        environment: &[("EMPTY", ""), ("LONG", "a b=c\nd"), ("PATH", "/bin")],
    },
    end("exit 0", &["0"]),
    end("exit 1", &["1"]),
    end("exit 42", &["42"]),
    end("exit 125", &["125"]),
    end("exit 126", &["126"]),
    end("exit 255", &["255"]),
    end("exit 256", &["256"]),
    end("return 7", &["return"]),
    end("unreachable", &["unreachable"]),
    end("divide", &["divide"]),
    end("memory", &["memory"]),
    end("pointer", &["pointer"]),
    end("signature", &["signature"]),
    end("deep", &["deep", "3000"]),
    end("bottomless", &["bottomless"]),
    end("files and exit 0", &["files", "0"]),
    end("files and exit 1", &["files", "1"]),
    end("two names left behind", &["two names", "0"]),
    end("link left behind", &["link", "0"]),
    strange("strange whence", &["whence"]),
    strange("strange advice", &["advice"]),
    strange("strange fdflags", &["fdflags"]),
    strange("strange open fdflags", &["open fdflags"]),
    strange("strange oflags", &["oflags"]),
    strange("strange lookup", &["lookup"]),
    strange("strange rights", &["rights"]),
    strange("strange fstflags", &["fstflags"]),
    strange("strange clock", &["clock"]),
    strange("strange resolution", &["resolution"]),
    strange("strange nothing to poll", &["nothing to poll"]),
    strange("strange polled clock", &["polled clock"]),
    strange("strange event type", &["event type"]),
    strange("strange pointer", &["pointer"]),
    strange("strange odd pointer", &["odd pointer"]),
    strange("strange length", &["length"]),
    strange("strange count of pieces", &["count of pieces"]),
];

/// How a case ended, what it said, and what it left.
pub struct Seen(BTreeMap<String, String>);

impl Seen {
    /// Takes the lines that the guest wrote apart into what was done and what came of it. What was done twice
    /// is numbered.
    fn new(end: String, stdout: &[u8], directory: &Path) -> Self {
        let mut seen = BTreeMap::from([("(end)".to_owned(), end)]);
        for line in String::from_utf8_lossy(stdout).lines() {
            let (name, value) = line.split_once(": ").unwrap_or(("(line)", line));
            let times = (2..).map(|times| format!("{name} #{times}"));
            let mut keys = std::iter::once(name.to_owned()).chain(times);
            let key = keys.find(|key| !seen.contains_key(key)).unwrap();
            seen.insert(key, value.to_owned());
        }
        for (path, content) in tree(directory) {
            seen.insert(format!("(file) {path}"), content);
        }
        Seen(seen)
    }
}

/// Everything below a directory of the host.
fn tree(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let content = if kind.is_symlink() {
                format!("link to {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                open.push(path);
                "directory".to_owned()
            } else {
                format!("{:?}", String::from_utf8_lossy(&fs::read(&path).unwrap()))
            };
            found.insert(name, content);
        }
    }
    found
}

/// A directory of the host as a case finds it, removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(side: &str, case: &Case) -> Self {
        let name = format!("mpp-differential-{}-{side}-{}", std::process::id(), case.name);
        let path = std::env::temp_dir().join(name.replace(' ', "_"));
        fs::create_dir(&path).unwrap();
        if case.guest == "hostlinks" {
            fs::create_dir(path.join("old_dir")).unwrap();
            fs::write(path.join("old_dir/file"), "in the directory").unwrap();
            fs::write(path.join("old_plain"), "no link").unwrap();
            symlink("old_plain", path.join("old_link")).unwrap();
            symlink("old_dir", path.join("old_dir_link")).unwrap();
            symlink("../../../etc/hostname", path.join("old_outside")).unwrap();
            symlink("/etc/hostname", path.join("old_absolute")).unwrap();
            symlink("nothing", path.join("old_dangling")).unwrap();
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every key on which the two differ, with what each says.
fn differences(ours: &Seen, theirs: &Seen) -> BTreeMap<String, (String, String)> {
    let keys: BTreeSet<&String> = ours.0.keys().chain(theirs.0.keys()).collect();
    let value = |seen: &Seen, key| seen.0.get(key).cloned().unwrap_or_else(|| "(nothing)".into());
    keys.into_iter()
        .map(|key| (key.clone(), (value(ours, key), value(theirs, key))))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .collect()
}

#[test]
fn guests_do_and_see_the_same_in_wasmtime_but_for_the_listed_differences() {
    let mut expected: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    for (_, lines) in EXPECTED_DIFFERENCES {
        for (case, key, ours, theirs) in *lines {
            let before = expected.insert(
                ((*case).to_owned(), (*key).to_owned()),
                ((*ours).to_owned(), (*theirs).to_owned()),
            );
            assert_eq!(before, None, "{case}, {key} is listed twice");
        }
    }
    let mut wrong = Vec::new();
    for case in CASES {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let guest = fs::read(corpus.join(case.guest).with_extension("wasm")).unwrap();
        let (here, there) = (Folder::new("ours", case), Folder::new("theirs", case));
        let ours = ours::run(case, &guest, &here.0);
        let theirs = theirs::run(case, &guest, &there.0);
        for (key, values) in differences(&ours, &theirs) {
            if expected.remove(&(case.name.to_owned(), key.clone())).as_ref() != Some(&values) {
                wrong.push(format!("({:?}, {key:?}, {:?}, {:?}),", case.name, values.0, values.1));
            }
        }
    }
    for ((case, key), (ours, theirs)) in expected {
        wrong.push(format!("listed, but not so: ({case:?}, {key:?}, {ours:?}, {theirs:?}),"));
    }
    let text = wrong.join("\n");
    assert!(wrong.is_empty(), "{} differences (case, key, ours, wasmtime's):\n{text}", wrong.len());
}
