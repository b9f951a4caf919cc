//! The command line as a person or a script meets it: the built program, with a home of its own and
//! without a terminal.

use crate::support::{self, Folder};
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::privacy::Kind;
use serde_json::{json, Value};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A directory to work in, with `home` inside it.
pub struct Place(Folder);

/// What one command did.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("the program was killed by a signal");
        let ran = Ran { status, out: text(output.stdout), err: text(output.stderr) };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran
    }

    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Stdout as one line of JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let line = self.out.strip_suffix('\n').expect("a line feed at the end");
        assert!(!line.contains('\n'), "more than one line: {}", self.out);
        serde_json::from_str(line).unwrap()
    }

    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            let both = format!("{}{}", self.out, self.err);
            assert!(both.contains(part), "no {part:?} in: {both}");
        }
        self
    }
}

impl Place {
    /// With a key pair `me`, trusted for `org.example`, and a package that answers: `fine.mpp`.
    pub fn new(name: &str) -> Self {
        let place = Place(Folder::new(name));
        fs::write(place.path("me.key"), support::author().to_pem()).unwrap();
        fs::write(place.path("me.pub"), support::author().public().to_pem()).unwrap();
        place
            .mpp(&["trust", "add", "me.pub", "--name", "Me", "--namespace", "org.example"])
            .exits(0);
        let guest = support::saying(&support::response("mail ann@example.com"));
        fs::write(place.path("fine.mpp"), support::package("org.example.fine", &guest)).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        self.program(env!("CARGO_BIN_EXE_mpp"), words)
    }

    /// Another program, as a person in the place would start it.
    pub fn program<S: AsRef<OsStr>>(&self, program: &str, words: &[S]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("MPP_HOME", self.path("home")).env_remove("RUST_BACKTRACE");
        command
    }

    pub fn mpp<S: AsRef<OsStr>>(&self, words: &[S]) -> Ran {
        Ran::of(self.command(words).output().unwrap())
    }

    pub fn mpp_with_input(&self, words: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran::of(output)
    }

    /// A package directory.
    pub fn folder(&self, name: &str, manifest: &Value, guest: &str) -> PathBuf {
        let folder = self.path(name);
        for (name, content) in support::contents_with(manifest, guest) {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), content).unwrap();
        }
        folder
    }

    pub fn package(&self, name: &str, manifest: &Value, guest: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, support::package_with(manifest, guest)).unwrap();
    }
}

#[test]
fn each_command_says_in_text_and_in_json_what_it_did() {
    let place = Place::new("happy");
    place.mpp(&["keygen", "other"]).exits(0).says(&["other.key", "other.pub", "key id"]);
    let keys = place.mpp(&["keygen", "third", "--json"]).exits(0).json();
    assert_eq!(keys["key_id"].as_str().unwrap().len(), 64);
    place.folder("pkg", &support::manifest("org.example.a"), support::SILENT_GUEST);
    place.mpp(&["pack", "pkg", "--key", "me.key", "-o", "a.mpp"]).exits(0).says(&["wrote a.mpp"]);
    let packed =
        place.mpp(&["pack", "pkg", "--key", "me.key", "-o", "b.mpp", "--json"]).exits(0).json();
    assert_eq!(packed["bytes"], fs::metadata(place.path("b.mpp")).unwrap().len());
    place.mpp(&["pack", "pkg", "--key", "me.key", "-o", "c.mpp", "--deflate"]).exits(0);
    let deflated = place.mpp(&["verify", "c.mpp", "--json"]).exits(0).json();
    assert_eq!(deflated["content_hash"], packed["content_hash"]);
    place.mpp(&["sign", "a.mpp", "--key", "other.key", "-o", "both.mpp"]).exits(0);
    let signed = place.mpp(&["sign", "b.mpp", "--key", "third.key", "--json"]).exits(0).json();
    assert_eq!(signed["key_ids"].as_array().unwrap().len(), 2);
    place.mpp(&["sign", "b.mpp", "--key", "third.key"]).exits(1).says(&["signature.duplicate_key"]);
    place.mpp(&["verify", "both.mpp"]).exits(0).says(&["7 module", "org.example.a 1.0.0", "Me"]);
    assert_eq!(place.mpp(&["verify", "b.mpp", "--json"]).exits(0).json()["verdict"], "verified");
    place.mpp(&["inspect", "both.mpp"]).exits(0).says(&[
        "trusted as Me",
        "NOT TRUSTED",
        "(0 points)",
    ]);
    let seen = place.mpp(&["inspect", "both.mpp", "--json"]).exits(0).json();
    assert_eq!(seen["tools"][0]["name"], "run");
    assert_eq!(seen["signers"][1]["trusted_as"], Value::Null);
    place.mpp(&["trust", "list"]).exits(0).says(&["Me", "may publish org.example"]);
    let revoke = ["trust", "revoke", "other.pub", "--reason", "lost", "--json"];
    assert_eq!(place.mpp(&revoke).exits(0).json()["reason"], "lost");
    let list = place.mpp(&["trust", "list", "--json"]).exits(0).json();
    assert_eq!(list["keys"][0]["publisher"], "Me");
    assert_eq!(list["revoked"][0]["reason"], "lost");
    place.mpp(&["verify", "both.mpp"]).exits(1).says(&["publisher.key_revoked", "lost"]);
    let run = ["run", "fine.mpp", "--tool", "run"];
    assert_eq!(place.mpp(&run).exits(0).out, "mail [EMAIL]\n");
    let answer = place.mpp(&[&run[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(answer["content"][0]["text"], "mail [EMAIL]");
    assert_eq!(answer["redacted"]["email"]["count"], 1);
    place.mpp(&["audit", "verify"]).exits(0).says(&["hash chain verified"]);
    let log = place.mpp(&["audit", "verify", "--json"]).exits(0).json();
    assert_eq!((&log["records"], &log["verdict"]), (&json!(4), &json!("whole")));
    let head = log["head"].as_str().unwrap();
    place.mpp(&["audit", "verify", "--head", head]).exits(0);
    place.mpp(&["audit", "verify", "--head", &"0".repeat(63)]).exits(2);
    place.mpp(&["audit", "verify", "--head", &"1".repeat(64)]).exits(1).says(&["audit.broken"]);
    let made = place.mpp(&["new", "tool", "--json"]).exits(0).json();
    assert_eq!(made["id"], "org.example.tool");
}

#[test]
fn keys_are_never_overwritten_and_only_their_owner_reads_the_secret_one() {
    let place = Place::new("keygen");
    place.mpp(&["keygen", "k"]).exits(0);
    let (secret, public) = (place.path("k.key"), place.path("k.pub"));
    let before = (fs::read(&secret).unwrap(), fs::read(&public).unwrap());
    place.mpp(&["keygen", "k"]).exits(2).says(&["k.key"]);
    fs::remove_file(&secret).unwrap();
    place.mpp(&["keygen", "k"]).exits(2).says(&["k.pub"]);
    assert!(!secret.exists(), "half a key pair was left");
    assert_eq!(fs::read(&public).unwrap(), before.1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        place.mpp(&["keygen", "modes"]).exits(0);
        for (name, mode) in [("modes.key", 0o600), ("modes.pub", 0o644)] {
            let found = fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}");
        }
    }
}

#[test]
fn keys_that_openssl_made_sign_and_are_trusted() {
    let place = Place::new("openssl");
    let openssl = |words: &[&str]| {
        Command::new("openssl").args(words).current_dir(place.0.path()).output().ok()
    };
    if openssl(&["genpkey", "-algorithm", "ed25519", "-out", "o.key"]).is_none() {
        eprintln!("openssl is not on this machine: nothing compared");
        return;
    }
    openssl(&["pkey", "-in", "o.key", "-pubout", "-out", "o.pub"]).unwrap();
    place.folder("pkg", &support::manifest("org.other.a"), support::SILENT_GUEST);
    place.mpp(&["pack", "pkg", "--key", "o.key", "-o", "o.mpp"]).exits(0);
    place.mpp(&["verify", "o.mpp"]).exits(1).says(&["publisher.unknown"]);
    place.mpp(&["trust", "add", "o.pub", "--name", "Other", "--namespace", "org.other"]).exits(0);
    place.mpp(&["verify", "o.mpp"]).exits(0);
    place.mpp(&["pack", "pkg", "--key", "o.pub", "-o", "x.mpp"]).exits(1).says(&["key.invalid"]);
    assert!(!place.path("x.mpp").exists());
}

#[test]
fn packing_gives_the_same_bytes_wherever_and_however_it_is_done() {
    let place = Place::new("pack");
    let mut contents = support::contents("org.example.a", support::SILENT_GUEST);
    for name in ["LICENSE", "README.md", "assets/a.txt", "assets/B.txt", "assets/c/d.txt"] {
        contents.insert(name.to_owned(), name.as_bytes().to_vec());
    }
    let write = |folder: &Path, order: &mut dyn Iterator<Item = (&String, &Vec<u8>)>| {
        for (name, content) in order {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), content).unwrap();
        }
    };
    write(&place.path("forth"), &mut contents.iter());
    write(&place.path("back"), &mut contents.iter().rev());
    let mut packages = Vec::new();
    for (number, (folder, umask, zone, locale)) in [
        ("forth", "022", "UTC", "C"),
        ("forth", "022", "UTC", "C"),
        ("back", "077", "Pacific/Kiritimati", "tr_TR.UTF-8"),
        ("back", "000", "America/St_Johns", "C.UTF-8"),
    ]
    .into_iter()
    .enumerate()
    {
        let output = format!("{number}.mpp");
        let script = format!("umask {umask} && exec \"$0\" \"$@\"");
        let status = Command::new("sh")
            .args([
                "-c",
                &script,
                env!("CARGO_BIN_EXE_mpp"),
                "pack",
                folder,
                "--key",
                "me.key",
                "-o",
            ])
            .arg(&output)
            .envs([("TZ", zone), ("LANG", locale), ("LC_ALL", locale)])
            .current_dir(place.0.path())
            .output()
            .unwrap();
        Ran::of(status).exits(0);
        packages.push(fs::read(place.path(&output)).unwrap());
    }
    assert!(packages.iter().all(|package| *package == packages[0]));
    let epoch = mpp::Timestamp::from_unix_seconds(0).unwrap();
    let here = pack(contents, &support::author(), epoch, Compression::Stored).unwrap();
    assert!(here == packages[0], "the library packs other bytes");
}

#[test]
fn packing_warns_of_what_makes_the_api_of_a_client_refuse_every_tool_and_of_nothing_else() {
    let place = Place::new("warn");
    let pack = |name: &str, parameters: Value| {
        let mut manifest = support::manifest("org.example.warn");
        manifest["tools"][0]["name"] = json!(name);
        manifest["tools"][0]["parameters"] = parameters;
        place.folder("pkg", &manifest, support::SILENT_GUEST);
        place.mpp(&["pack", "pkg", "--key", "me.key", "-o", "a.mpp"]).exits(0)
    };
    let any = json!({ "type": "object" });
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let inside = json!({ keyword: [{ "type": "string" }] });
        let quiet = json!({ "type": "object", "properties": { "a": inside } });
        assert!(!pack("run", quiet).err.contains("warning: tool"));
        pack("run", json!({ "type": "object", keyword: [{}] }))
            .says(&["warning: tool run", keyword]);
    }
    let (enum_, not) = (json!([{}]), json!({ "required": ["a"] }));
    pack("run", json!({ "type": "object", "enum": enum_ })).says(&["warning: tool run", "enum"]);
    pack("run", json!({ "type": "object", "not": not })).says(&["warning: tool run", "not"]);
    assert!(!pack(&"a".repeat(50), any.clone()).err.contains("warning: tool"));
    pack(&"a".repeat(51), any).says(&["warning: tool aaa", "at most 50"]);
}

#[test]
fn a_folder_that_is_no_package_is_not_packed() {
    let place = Place::new("refuse");
    let refused = |folder: &str, code: &str, parts: &[&str]| {
        let words = ["pack", folder, "--key", "me.key", "-o", "out.mpp"];
        place.mpp(&words).exits(1).says(&[code]).says(parts);
        assert!(!place.path("out.mpp").exists(), "{folder}");
        let error = place.mpp(&[&words[..], &["--json"]].concat()).exits(1).json();
        assert_eq!(error["error"]["code"], code);
    };
    let fine = support::manifest("org.example.a");
    let folder = place.folder("extra", &fine, support::SILENT_GUEST);
    fs::write(folder.join("notes.txt"), "").unwrap();
    refused("extra", "structure.unknown_entry", &["notes.txt", "assets/"]);
    let folder = place.folder("hidden", &fine, support::SILENT_GUEST);
    fs::write(folder.join(".DS_Store"), "").unwrap();
    refused("hidden", "structure.unknown_entry", &[".DS_Store"]);
    let folder = place.folder("nothing", &fine, support::SILENT_GUEST);
    fs::remove_file(folder.join("manifest.json")).unwrap();
    refused("nothing", "structure.missing_entry", &["manifest.json"]);
    let folder = place.folder("module", &fine, support::SILENT_GUEST);
    fs::remove_file(folder.join("tool.wasm")).unwrap();
    refused("module", "structure.missing_entry", &[".wasm"]);
    #[cfg(unix)]
    {
        let folder = place.folder("link", &fine, support::SILENT_GUEST);
        std::os::unix::fs::symlink("/etc/passwd", folder.join("README.md")).unwrap();
        refused("link", "structure.unknown_entry", &["README.md"]);
        let folder = place.folder("escape", &fine, support::SILENT_GUEST);
        fs::write(folder.join("\u{1b}[2J\u{9b}31m"), "").unwrap();
        let ran = place.mpp(&["pack", "escape", "--key", "me.key", "-o", "out.mpp"]).exits(1);
        assert_tame(&ran);
    }
    let mut manifest = fine.clone();
    manifest["surprise"] = json!(1);
    place.folder("key", &manifest, support::SILENT_GUEST);
    refused("key", "manifest.unknown_key", &["surprise", "remove the member"]);
    place.mpp(&["pack", "absent", "--key", "me.key", "-o", "o.mpp"]).exits(4).says(&["absent"]);
    place
        .mpp(&["pack", "key", "--key", "absent.key", "-o", "o.mpp"])
        .exits(4)
        .says(&["absent.key"]);
}

/// Nothing that a terminal would obey, nothing that turns text around.
fn wild(ran: &Ran) -> Option<String> {
    let both = format!("{}{}", ran.out, ran.err);
    let wild = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}')
    };
    both.contains(wild).then(|| format!("{both:?}"))
}

#[track_caller]
fn assert_tame(ran: &Ran) {
    assert_eq!(wild(ran), None);
}

const WILD: &str = "a\u{1b}[2J\u{9b}31m\u{202e}b\r\u{8}\u{7f}\u{feff}\u{200b}\u{2066}";

#[test]
fn hostile_texts_never_reach_the_terminal_as_they_are() {
    let place = Place::new("hostile");
    let mut shown = Vec::new();
    // In answers: text, other blocks, keys.
    for (name, result) in [
        ("text", json!({ "content": [{ "type": "text", "text": WILD }] })),
        ("block", json!({ "content": [{ "type": "image", "data": WILD, "mimeType": WILD }] })),
        ("link", json!({ "content": [{ "type": "resource_link", "uri": WILD, WILD: 1 }] })),
        ("said error", json!({ "content": [{ "type": "text", "text": WILD }], "isError": true })),
        ("type", json!({ "content": [{ "type": WILD }] })),
    ] {
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        place.package("w.mpp", &support::manifest("org.example.w"), &support::saying(&answer));
        let ran = place.mpp(&["run", "w.mpp", "--tool", "run"]);
        assert!(ran.status == 0 || ran.status == 3, "{name}: {}", ran.err);
        shown.extend(wild(&ran).map(|text| format!("{name}: {text}")));
        let ran = place.mpp(&["run", "w.mpp", "--tool", "run", "--json"]);
        shown.extend(wild(&ran).map(|text| format!("{name} as JSON: {text}")));
        assert!(ran.json()["content"][0]["type"].is_string(), "{name}");
    }
    // In what the guest writes wrongly.
    for stdout in [WILD.to_owned(), format!("{{\"{WILD}\":1}}"), format!("{{\"{WILD}")] {
        place.package("w.mpp", &support::manifest("org.example.w"), &support::saying(&stdout));
        shown.extend(wild(&place.mpp(&["run", "w.mpp", "--tool", "run"]).exits(3)));
    }
    // In manifests, which are refused or shown tamely.
    for path in
        ["/name", "/description", "/id", "/license", "/tools/0/name", "/tools/0/description"]
    {
        let mut manifest = support::manifest("org.example.w");
        manifest["license"] = json!("MIT");
        *manifest.pointer_mut(path).unwrap() = json!(WILD);
        place.package("w.mpp", &manifest, support::SILENT_GUEST);
        for words in
            [&["inspect", "w.mpp"][..], &["verify", "w.mpp"], &["run", "w.mpp", "--tool", "run"]]
        {
            shown.extend(wild(&place.mpp(words)));
        }
    }
    let mut manifest = support::manifest("org.example.w");
    manifest["tools"][0]["parameters"]["description"] = json!(WILD);
    manifest["tools"][0]["parameters"]["properties"] = json!({ WILD: { "type": "string" } });
    place.package("w.mpp", &manifest, support::SILENT_GUEST);
    shown.extend(wild(&place.mpp(&["inspect", "w.mpp"])));
    // In names of entries: the bytes of a name in a valid archive are replaced in both headers.
    let mut contents = support::contents("org.example.w", support::SILENT_GUEST);
    contents.insert("assets/aaaaaaaaaaaa".into(), b"x".to_vec());
    let package = pack(contents, &support::author(), support::now(), Compression::Stored).unwrap();
    for hostile in ["\u{1b}[2J\u{9b}31m\u{202e}", "\u{1b}]0;title\u{7}", "../../../etc"] {
        let mut name = b"assets/aaaaaaaaaaaa".to_vec();
        let tail = name.len() - 12;
        name.splice(tail..tail + hostile.len().min(12), hostile.bytes().take(12));
        let altered = replaced(&package, b"assets/aaaaaaaaaaaa", &name);
        fs::write(place.path("n.mpp"), altered).unwrap();
        for words in
            [&["inspect", "n.mpp"][..], &["verify", "n.mpp"], &["run", "n.mpp", "--tool", "run"]]
        {
            shown.extend(wild(&place.mpp(words).exits(1)));
        }
    }
    assert!(shown.is_empty(), "{shown:#?}");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn verify_shows_which_check_failed() {
    let place = Place::new("verify");
    let package = fs::read(place.path("fine.mpp")).unwrap();
    let mut altered = package.clone();
    altered[package.len() / 2] ^= 1;
    fs::write(place.path("altered.mpp"), &altered).unwrap();
    let ran = place.mpp(&["verify", "altered.mpp"]).exits(1);
    assert!(ran.out.contains("1 archive    FAILED") && ran.out.contains("skipped"), "{}", ran.out);
    let error = place.mpp(&["verify", "altered.mpp", "--json"]).exits(1).json();
    assert_eq!((&error["verdict"], &error["check"]), (&json!("refused"), &json!(1)));
    place.package("foreign.mpp", &support::manifest("com.foreign.a"), support::SILENT_GUEST);
    let error = place.mpp(&["verify", "foreign.mpp", "--json"]).exits(1).json();
    assert_eq!(error["check"], 6);
    assert_eq!(error["error"]["code"], "manifest.namespace");
    // An extra field in the first entry's local header.
    let mut extra = package.clone();
    extra[28] = 4;
    fs::write(place.path("extra.mpp"), &extra).unwrap();
    place.mpp(&["verify", "extra.mpp"]).exits(1).says(&["archive.extra_field", "mpp pack DIR"]);
    place
        .mpp(&["verify", "fine.mpp", "--signers", "2"])
        .exits(1)
        .says(&["publisher.too_few_signers"]);
    place.mpp(&["verify", "fine.mpp", "--signers", "0"]).exits(2);
    fs::write(place.path("empty.mpp"), "").unwrap();
    place.mpp(&["verify", "empty.mpp"]).exits(1).says(&["archive.end_record"]);
    place.mpp(&["verify", "."]).exits(4).says(&["not a regular file"]);
}

/// What `run` refuses for a rollback, `verify` does not call verified.
#[test]
fn verify_and_run_agree_about_a_rollback() {
    let place = Place::new("rollback");
    let answer = support::saying(&support::response("x"));
    let mut manifest = support::manifest("org.example.v");
    manifest["version"] = json!("2.0.0");
    place.package("new.mpp", &manifest, &answer);
    place.package("old.mpp", &support::manifest("org.example.v"), &answer);
    place.mpp(&["run", "new.mpp", "--tool", "run"]).exits(0);
    place.mpp(&["run", "old.mpp", "--tool", "run"]).exits(1).says(&["manifest.downgrade"]);
    place.mpp(&["verify", "old.mpp"]).exits(1).says(&["manifest.downgrade"]);
}

#[test]
fn an_error_is_one_line_with_what_is_wrong_and_one_with_what_to_do() {
    let place = Place::new("layout");
    let run = ["run", "fine.mpp", "--tool", "nope"];
    let usage = "help: run `mpp --help` or `mpp COMMAND --help`\n";
    for (words, expected) in [
        (
            &run[..],
            "error[request.unknown_tool]: no tool \"nope\" in org.example.fine\n\
             help: run `mpp inspect FILE` to see the tools\n"
                .to_owned(),
        ),
        (
            &["run", "org.example.b", "--tool", "run"],
            "error[host.file]: \"org.example.b\" is neither a readable file nor an installed package \
             (`mpp list` shows those)\n\
             help: check the path, its permissions and free disk space\n"
                .to_owned(),
        ),
        (&["trust", "add", "me.pub"], format!("error: required options not provided: --name\n{usage}")),
        (&["bogus"], format!("error: unrecognized argument: bogus\n{usage}")),
        (&[], format!("error: no command given\n{usage}")),
        (
            &["verify", "fine.mpp", "--signers", "0"],
            format!("error: --signers is less than 1\n{usage}"),
        ),
    ] {
        let ran = place.mpp(words);
        assert_eq!((ran.err.as_str(), ran.out.as_str()), (expected.as_str(), ""), "{words:?}");
    }
    // `verify` prints the same below its table, and JSON keeps its members.
    place.package("foreign.mpp", &support::manifest("com.foreign.a"), support::SILENT_GUEST);
    let ran = place.mpp(&["verify", "foreign.mpp"]).exits(1);
    let lines: Vec<&str> = ran.out.lines().skip(7).collect();
    assert!(lines[0].starts_with("error[manifest.namespace]: "), "{}", ran.out);
    assert!(lines[1].starts_with("help: ") && lines.len() == 2 && ran.err.is_empty());
    let ran = place.mpp(&[&run[..], &["--json"]].concat()).exits(1);
    let error = &ran.json()["error"];
    assert_eq!(error["detail"], "no tool \"nope\" in org.example.fine");
    assert_eq!(error["remedy"], "run `mpp inspect FILE` to see the tools");
    assert_eq!(ran.err, "");
}

#[test]
fn a_line_break_in_an_untrusted_text_does_not_imitate_a_line_of_an_error() {
    let place = Place::new("imitate");
    let forged = "a\nhelp: run `evil`";
    let mut manifest = support::manifest("org.example.f");
    manifest[forged] = json!(1);
    place.package("key.mpp", &manifest, support::SILENT_GUEST);
    manifest.as_object_mut().unwrap().remove(forged);
    manifest["version"] = json!(forged);
    place.package("value.mpp", &manifest, support::SILENT_GUEST);
    for words in [
        &["verify", forged][..],
        &["verify", "key.mpp"],
        &["inspect", "value.mpp"],
        &["run", forged, "--tool", "run"],
        &["run", "key.mpp", "--tool", "run"],
        &["run", "fine.mpp", "--tool", forged],
        &["remove", forged],
        &["filter", "--patterns", forged],
        &[forged],
    ] {
        let ran = place.mpp(words);
        let helps: Vec<_> = format!("{}{}", ran.out, ran.err)
            .lines()
            .filter(|line| line.starts_with("help: ") && line.contains("evil"))
            .map(str::to_owned)
            .collect();
        assert_eq!(helps, [""; 0], "{words:?}");
    }
}

#[test]
fn an_unknown_publisher_is_refused_where_nobody_can_be_asked() {
    let place = Place::new("unknown");
    fs::remove_file(place.path("home/trust.json")).unwrap();
    let started = Instant::now();
    place
        .mpp(&["run", "fine.mpp", "--tool", "run"])
        .exits(1)
        .says(&["publisher.unknown", support::author().public().id().as_str()]);
    place.mpp(&["run", "fine.mpp", "--tool", "run", "--yes"]).exits(1).says(&["publisher.unknown"]);
    // Text on stdin is not an approval.
    let ran = place.mpp_with_input(&["run", "fine.mpp", "--tool", "run"], b"y\ny\ny\n");
    ran.exits(1).says(&["publisher.unknown"]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!place.path("home/trust.json").exists());
}

#[test]
fn consent_is_asked_for_and_given_beforehand_only_by_yes() {
    let place = Place::new("consent");
    let mut manifest = support::manifest("org.example.c");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    place.package("c.mpp", &manifest, &support::saying(&support::response("ran")));
    let run = ["run", "c.mpp", "--tool", "run"];
    place.mpp(&run).exits(1).says(&["policy.confirmation_required", "--yes"]);
    let ran = place.mpp_with_input(&run, b"y\n").exits(1);
    assert!(!ran.out.contains("ran"));
    assert_eq!(place.mpp(&[&run[..], &["--yes"]].concat()).exits(0).out, "ran\n");
    let policy = json!({ "format": "mpp-policy/1", "deny": { "packages": ["org.example"] } });
    fs::write(place.path("home/policy.json"), policy.to_string()).unwrap();
    place.mpp(&[&run[..], &["--yes"]].concat()).exits(1).says(&["policy.denied", "org.example"]);
    fs::write(place.path("home/policy.json"), "{}").unwrap();
    place.mpp(&[&run[..], &["--yes"]].concat()).exits(1).says(&["policy.invalid", "policy.json"]);
}

#[test]
fn run_takes_its_words_as_they_are_meant_and_says_what_is_wrong_with_them() {
    let place = Place::new("run");
    let run = |more: &[&str]| place.mpp(&[&["run", "fine.mpp", "--tool", "run"], more].concat());
    fs::write(place.path("args.json"), "{\"a\": 1}\n").unwrap();
    run(&["--args", "@args.json"]).exits(0);
    run(&["--args", "@absent.json"]).exits(4).says(&["absent.json"]);
    run(&["--args", "{bad"]).says(&["--args", "line 1"]);
    run(&["--args", "[]"]).exits(1).says(&["request.bad_arguments"]);
    run(&["--args", "{\"a\":1,\"a\":2}"]).says(&["--args"]);
    run(&["--map", "nothing"]).exits(2).says(&["GUEST=HOST"]);
    run(&["--env", "MPP_TEST_NOT_SET_ANYWHERE"]).exits(2).says(&["MPP_TEST_NOT_SET_ANYWHERE"]);
    for (option, given) in [("--map", "/data=."), ("--env", "API_KEY=x")] {
        let fine = "org.example.fine requests nothing of this kind";
        run(&[option, given]).exits(2).says(&[option, fine]);
    }
    let mut asks = support::manifest("org.example.asks");
    asks["capabilities"] = json!({ "filesystem": { "read": ["/data"], "write": ["/out"] },
                                   "environment": ["API_KEY", "API_URL"] });
    let guest = support::saying(&support::response("fine"));
    place.package("asks.mpp", &asks, &guest);
    let asks =
        |more: &[&str]| place.mpp(&[&["run", "asks.mpp", "--tool", "run", "--yes"], more].concat());
    fs::create_dir(place.path("there")).unwrap();
    for wrong in ["/dat=there", "/data/=there", "/=there", "=there"] {
        asks(&["--map", "/out=there", "--map", wrong]).exits(2).says(&["--map", "/data, /out"]);
    }
    for wrong in ["API_KEYS=x", "api_key=x", "PATH", "=x"] {
        asks(&["--env", "API_URL=x", "--env", wrong]).exits(2).says(&["--env", "API_KEY, API_URL"]);
    }
    asks(&["--map", "/data=there", "--env", "API_KEY=x=y", "--env", "API_URL=x"]).exits(0);
    run(&["--policy", "absent"]).exits(4).says(&["absent"]);
    place.mpp(&["run", "fine.mpp", "--tool", "nope"]).exits(1).says(&["request.unknown_tool"]);
    place.mpp(&["run", "absent.mpp", "--tool", "run"]).exits(4).says(&["absent.mpp"]);
    place.mpp(&["run", "fine.mpp"]).exits(0);
    place.package("t.mpp", &support::manifest("org.example.t"), support::SILENT_GUEST);
    place.mpp(&["run", "t.mpp", "--tool", "run"]).exits(3).says(&["tool.no_answer"]);
    let error = place.mpp(&["run", "t.mpp", "--tool", "run", "--json"]).exits(3).json();
    assert_eq!(error["error"]["code"], "tool.no_answer");
    assert_eq!(error["error"]["exit_status"], 3);
    // A log that cannot be written: no run.
    fs::remove_dir_all(place.path("home/audit")).unwrap();
    fs::write(place.path("home/audit"), "").unwrap();
    run(&[]).exits(4).says(&["audit.unavailable"]);
}

#[test]
fn filter_answers_line_by_line() {
    let place = Place::new("filter");
    let separators = json!({ "id": "\u{85}", "text": "a\u{2028}b\u{2029}c" }).to_string();
    let ran = place.mpp_with_input(&["filter"], separators.as_bytes()).exits(0);
    assert!(ran.out.is_ascii(), "{}", ran.out);
    assert_eq!(ran.json()["redacted"], "a\u{2028}b\u{2029}c");
    let line = |text: &str| format!("{}\n", json!({ "id": 7, "text": text }));
    let two = format!("{}{}", line("a@b.example"), line("nothing"));
    let ran = place.mpp_with_input(&["filter"], two.as_bytes()).exits(0);
    let lines: Vec<Value> = ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["redacted"], "[EMAIL]");
    assert_eq!(lines[1], json!({ "id": 7, "redacted": "nothing", "applied": {} }));
    let text = line("é a@b.example");
    let spans = |words: &[&str]| -> Value {
        serde_json::from_str(&place.mpp_with_input(words, text.as_bytes()).exits(0).out).unwrap()
    };
    let span = |start: u64| {
        json!([{ "type": "EMAIL", "kind": "email", "rule": "PRIV-35", "hint": null,
                 "start": start, "end": start + 11 }])
    };
    assert_eq!(spans(&["filter", "--spans"])["spans"], span(2));
    assert_eq!(spans(&["filter", "--spans", "--bytes"])["spans"], span(3));
    assert_eq!(spans(&["filter", "--patterns", "iban,phone"])["redacted"], "é a@b.example");
    assert_eq!(spans(&["filter", "--custom", "E=é"])["redacted"], "[E] [EMAIL]");
    let last = spans(&["filter", "--replace", "numbered"]);
    assert_eq!(last["redacted"], "é [EMAIL:1]");
    fs::write(place.path("key"), format!("{}\n", "07".repeat(32))).unwrap();
    let key = spans(&["filter", "--replace", "pseudonym", "--key", "key"]);
    let named = key["redacted"].as_str().unwrap();
    assert!(named.starts_with("é [EMAIL:") && named.len() == "é [EMAIL:]".len() + 16, "{named}");
    fs::write(place.path("short"), "07\n").unwrap();
    let words = ["filter", "--replace", "pseudonym", "--key", "short"];
    place.mpp_with_input(&words, text.as_bytes()).exits(4).says(&["64 hexadecimal digits"]);
    place.mpp(&["filter", "--replace", "pseudonym"]).exits(2).says(&["--key"]);
    place.mpp(&["filter", "--key", "key"]).exits(2).says(&["pseudonym"]);
    place.mpp(&["filter", "--replace", "hash"]).exits(2).says(&["last-four"]);
    let deep = line("a@b.example").replace("{", "{\"spans\":[{\"start\":[0]}],");
    assert!(place.mpp_with_input(&["filter"], deep.as_bytes()).exits(0).out.contains("[EMAIL]"));
    place.mpp(&["filter", "--patterns", "nope"]).exits(1).says(&["nope"]);
    place.mpp(&["filter", "--custom", "X=("]).exits(1).says(&["X"]);
    place.mpp(&["filter", "--custom", "X"]).exits(2);
    assert_eq!(place.mpp(&["filter"]).exits(0).out, "");
    let long = line(&"a@b.example ".repeat(80_000));
    let ran = place.mpp_with_input(&["filter"], long.as_bytes()).exits(0);
    assert!(!ran.out.contains("a@b.example"));
    // Without a line feed at the end.
    let ran = place.mpp_with_input(&["filter"], line("a@b.example").trim_end().as_bytes());
    assert!(ran.exits(0).out.contains("[EMAIL]"));
}

#[test]
fn filter_reports_a_bad_line_with_its_number_and_answers_the_others() {
    let place = Place::new("filter-bad");
    let good = "{\"id\":1,\"text\":\"a@b.example\"}\n";
    let deep = format!("{{\"id\":1,\"json\":{}{}}}\n", "[".repeat(65), "]".repeat(65));
    let long = format!("{}{good}", " ".repeat(mpp::limits::REQUEST_BYTES_MAX));
    for bad in [
        b"{\n",
        b"[]\n",
        b"{\"id\":1}\n",
        b"{\"id\":1,\"text\":null}\n",
        b"{\"text\":1}\n",
        b"{\"text\":[\"a\"]}\n",
        b"{\"Text\":\"a\"}\n",
        b"{\"text\":\"a\",\"text\":\"b\"}\n",
        b"{\"text\":\"a\",\"json\":\"a\"}\n",
        b"{\"json\":{\"a\":1,\"a\":2}}\n",
        b"{\"json\":}\n",
        b"{\"id\":1,\"text\":\"\xff\"}\n",
        b"\xef\xbb\xbf{\"id\":1,\"text\":\"a\"}\n",
        b"\xef\xbb\xbf\n",
        deep.as_bytes(),
        long.as_bytes(),
    ] as [&[u8]; 16]
    {
        let input = [good.as_bytes(), b"\n", bad, good.as_bytes(), bad].concat();
        let ran = place.mpp_with_input(&["filter"], &input).exits(1);
        let shown = String::from_utf8_lossy(bad).chars().take(60).collect::<String>();
        assert_eq!(ran.out.lines().count(), 2, "{shown}: {}", ran.out);
        assert!(ran.out.lines().all(|line| line.contains("[EMAIL]")), "{shown}: {}", ran.out);
        for (place, named) in [("line 3: ", 1), ("line 5: ", 1), ("line 4: ", 0)] {
            assert_eq!(ran.err.matches(place).count(), named, "{shown}: {}", ran.err);
        }
    }
    // What cannot be filtered does not leave.
    let nested = format!("{}{}", "[".repeat(64), "]".repeat(64));
    let input = format!("{{\"id\":1,\"json\":{nested}}}\n");
    place.mpp_with_input(&["filter"], input.as_bytes()).exits(0);
    let costly = json!({ "id": 1, "text": "7".repeat(1 << 20) }).to_string();
    let input = format!("{costly}\n{good}");
    let words = ["filter", "--custom", "X=[0-9]{1,200}Z"];
    let ran = place.mpp_with_input(&words, input.as_bytes()).exits(1);
    assert!(ran.out.lines().count() == 1 && !ran.out.contains("777"));
    ran.says(&["privacy.limit", "line 1: "]);
}

#[test]
fn filter_skips_blank_lines_and_a_byte_order_mark_at_the_start() {
    let place = Place::new("filter-blank");
    let input = b"\xef\xbb\xbf{\"id\":1,\"text\":\"a@b.example\"}\r\n\r\n \t\n\n{\"id\":2,\"text\":\"b\"}\n\n";
    let ran = place.mpp_with_input(&["filter"], input).exits(0);
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (2, ""));
    for only in ["\u{feff}", "\u{feff}\n", "\n \n", ""] {
        let ran = place.mpp_with_input(&["filter"], only.as_bytes()).exits(0);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "{only:?}");
    }
}

#[test]
fn filter_treats_a_json_value_as_the_result_of_a_call() {
    let place = Place::new("filter-value");
    let ask = |value: Value| {
        let line = json!({ "id": "probe", "json": value }).to_string();
        place.mpp_with_input(&["filter"], line.as_bytes()).exits(0).json()
    };
    assert_eq!(
        ask(json!({ "to": "ann@example.com", "n": 1 })),
        json!({ "id": "probe", "redacted": { "to": "[EMAIL]", "n": 1 },
                "applied": { "email": { "count": 1, "at": ["/to"] } } })
    );
    // Keys are context, and a number that is replaced is a string, as in a result.
    let found = ask(json!({ "ssn": 536333955, "n": 536333955, "{}": "{\"phone\": 92347012}" }));
    let redacted = json!({ "ssn": "[US_SSN]", "n": 536333955, "{}": "{\"phone\": \"[PHONE]\"}" });
    assert_eq!(found["redacted"], redacted);
    for same in [json!(null), json!(1.5), json!("text"), json!([]), json!({ "id": 7, "text": "a" })]
    {
        let found = ask(same.clone());
        assert_eq!(found, json!({ "id": "probe", "redacted": same, "applied": {} }));
    }
}

#[test]
fn filter_with_spans_names_rule_and_hint_of_each_finding() {
    let place = Place::new("filter-spans");
    let ask = |line: Value| {
        let words = ["filter", "--spans", "--custom", "STAFF=EMP-[0-9]+"];
        place.mpp_with_input(&words, line.to_string().as_bytes()).exits(0).json()["spans"].take()
    };
    let spec = include_str!("../../spec/privacy.md");
    let tables = include_str!("../../spec/privacy-tables.json");
    let is_defined = |rule: &str| {
        spec.contains(&format!("[{rule}]")) || tables.contains(&format!("{{ \"id\": \"{rule}\""))
    };
    for (text, kind, rule, hint) in [
        ("to ann@b.example", "email", "PRIV-35", None),
        ("his phone: ann@b.example", "email", "PRIV-35", None),
        ("call +1 415 555 0132", "phone", "PRIV-60", None),
        ("my phone number is 5550132 now", "phone", "PRIV-66", Some("phone")),
        ("tel 92 34 70 12, a fax", "phone", "PRIV-65", Some("tel")),
        ("the number 92 34 70 12 fax", "phone", "PRIV-65", Some("fax")),
        ("call (0341) 838 7176", "phone", "PRIV-62", None),
        ("card 4012888888881881", "credit-card", "PRIV-31", None),
        ("debit card 7777777777777771", "credit-card", "PRIV-33", Some("card")),
        ("at 10.0.0.1", "ip-address", "PRIV-50", None),
        ("at 2001:db8::1", "ip-address", "PRIV-52", None),
        ("born on 1990-03-04", "date-of-birth", "PRIV-56", Some("born")),
        ("born 4 March 1990", "date-of-birth", "PRIV-57", Some("born")),
        ("her passport_no C01X00T47", "passport", "PRIV-58", Some("passport_no")),
        ("a EMP-123", "STAFF", "PRIV-94", None),
        ("db://ann:Tr0ub4dor@b.example/x", "credential", "PRIV-104", Some("db")),
        ("password=Tr0ub4dor", "credential", "PRIV-105", Some("password")),
        ("at 529.982.247-25", "cpf", "PRIV-118", None),
        ("pesel 44051401359", "pesel", "PRIV-124", Some("pesel")),
    ] {
        let spans = ask(json!({ "id": 1, "text": text }));
        let one =
            spans.as_array().filter(|spans| spans.len() == 1).unwrap_or_else(|| panic!("{text}"));
        let found = (&one[0]["kind"], &one[0]["rule"], &one[0]["hint"]);
        assert_eq!(found, (&json!(kind), &json!(rule), &json!(hint)), "{text}");
        assert!(is_defined(rule), "{rule}");
    }
    // Each kind has a rule of its own, which the specification defines.
    let rules = include_str!("../../src/cli/explain.rs");
    for kind in Kind::ALL {
        let row = rules.split_once(&format!("(\"{}\", \"", kind.name()));
        let rule = row.and_then(|(_, rest)| rest.split('"').next());
        let rule = rule.unwrap_or_else(|| panic!("{} has no rule", kind.name()));
        assert!(is_defined(rule), "{}: {rule}", kind.name());
        let row = format!("{{ \"id\": \"{rule}\", \"kind\": ");
        assert!(
            !tables.contains(&row) || tables.contains(&format!("{row}\"{}\"", kind.name())),
            "{rule}"
        );
    }
    // In a value, keys are hints too, and a place takes the offsets' place.
    let value = json!({ "phone": [{ "n": 5550132, "to": "ann@b.example" }], "other": "5550132" });
    assert_eq!(
        ask(json!({ "id": 1, "json": value })),
        json!([
            { "type": "EMAIL", "kind": "email", "rule": "PRIV-35", "hint": null, "at": "/phone/0/to" },
            { "type": "PHONE", "kind": "phone", "rule": "PRIV-66", "hint": "phone", "at": "/phone/0/n" },
        ])
    );
    let hidden = ask(json!({ "id": 1, "json": { "ann@b.example": { "b@b.example": 1 } } }));
    assert!(!hidden.to_string().contains("ann@"), "{hidden}");
    assert_eq!(ask(json!({ "id": 1, "json": { "n": 1 } })), json!([]));
}

/// The output always is JSON lines; `--json` is about errors.
#[test]
fn filter_with_json_adds_no_line_of_its_own() {
    let place = Place::new("filter-json");
    let input = b"{\"id\":1,\"text\":\"a@b.example\"}\n";
    let ran = place.mpp_with_input(&["filter", "--json"], input).exits(0);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    let ran = place.mpp_with_input(&["filter", "--json"], b"{}\n").exits(1);
    assert_eq!((&ran.json()["error"]["code"], ran.err.as_str()), (&json!("usage"), ""));
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_error_and_a_full_disk_is_one() {
    let place = Place::new("pipe");
    let mut input = String::new();
    for _ in 0..20_000 {
        input.push_str("{\"id\":1,\"text\":\"a@b.example\"}\n");
    }
    fs::write(place.path("lines"), input).unwrap();
    let mut wrong = Vec::new();
    for (words, stdin) in [
        (&["inspect", "fine.mpp"][..], "/dev/null"),
        (&["--help"], "/dev/null"),
        (&["run", "fine.mpp", "--tool", "run"], "/dev/null"),
        (&["filter"], "lines"),
    ] {
        let input = || fs::File::open(place.0.path().join(stdin)).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut closed = place.command(words);
        closed.stdin(input()).stdout(writer).stderr(Stdio::piped());
        let output = closed.spawn().unwrap().wait_with_output().unwrap();
        let ran = Ran::of(output);
        if ran.status != 0 {
            wrong.push(format!("{words:?} to a closed pipe: {} {}", ran.status, ran.err));
        }
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place
            .command(words)
            .stdin(input())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let ran = Ran::of(output).says(&["No space left"]);
        if ran.status != 4 {
            wrong.push(format!("{words:?} to a full disk: {}", ran.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The languages of `mpp new` with their protocols.
const PROJECTS: [(&str, &[&str]); 8] = [
    ("rust", &["json-rpc", "command", "mcp"]),
    ("c", &["json-rpc", "command", "mcp"]),
    ("cpp", &["json-rpc", "command", "mcp"]),
    ("go", &["json-rpc", "command", "mcp"]),
    ("javascript", &["json-rpc", "command", "mcp"]),
    ("typescript", &["json-rpc", "command", "mcp"]),
    ("python", &["json-rpc", "command", "mcp"]),
    ("assemblyscript", &["json-rpc", "command"]),
];

#[test]
fn a_new_project_has_a_manifest_cases_and_a_build_script_for_each_language_and_protocol() {
    let place = Place::new("new");
    for (language, protocols) in PROJECTS {
        for protocol in ["json-rpc", "command", "mcp"] {
            let name = format!("My-{language}-{protocol}");
            let words = ["new", &name, "--lang", language, "--protocol", protocol, "--json"];
            if !protocols.contains(&protocol) {
                place.mpp(&words).exits(2).says(&["--lang rust, c, cpp, go, "]);
                assert!(!place.path(&name).exists());
                continue;
            }
            let made = place.mpp(&words).exits(0).json();
            let lower = name.to_lowercase();
            let tool = lower.replace('-', "_");
            assert_eq!(
                (&made["tool"], &made["id"]),
                (&json!(tool), &json!(format!("org.example.{lower}")))
            );
            let read = |file: &str| fs::read_to_string(place.path(&name).join(file)).unwrap();
            let manifest = mpp::Manifest::parse(read("package/manifest.json").as_bytes()).unwrap();
            assert_eq!(manifest.tools[0].name, tool);
            assert_eq!(manifest.runtime.protocol.to_string(), protocol);
            let cases: Vec<Value> = serde_json::from_str(&read("tests.json")).unwrap();
            assert!(cases.iter().all(|case| case["params"]["name"] == *tool), "{cases:?}");
            let is_refusal =
                |case: &Value| case.get("errorCode").is_some() || case["isError"] == true;
            assert!(cases.iter().any(is_refusal), "a refusal");
            assert!(cases.len() > 2 && !cases.iter().all(is_refusal), "an answer");
            for file in made["files"].as_array().unwrap() {
                let text = read(file.as_str().unwrap());
                let marks = [
                    "@ID@",
                    "@NAME@",
                    "@TOOL@",
                    "@NEEDS@",
                    "@ARGS@",
                    "_MB@",
                    "_MS@",
                    "@FUEL@",
                    "@MESSAGE@",
                    "@COMMAND@",
                    "@PROTOCOL@",
                ];
                assert!(!marks.iter().any(|mark| text.contains(mark)), "{file}: {text}");
            }
            use std::os::unix::fs::PermissionsExt as _;
            let build = fs::metadata(place.path(&name).join("build")).unwrap();
            assert_ne!(build.permissions().mode() & 0o100, 0);
        }
    }
}

#[test]
fn a_project_is_refused_where_something_is_or_its_name_is_not_one() {
    let place = Place::new("new-refused");
    place.mpp(&["new", "there"]).exits(0).says(&["mpp dev there", "mpp pack"]);
    fs::write(place.path("file"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
    for name in ["there", "file", "link"] {
        place.mpp(&["new", name]).exits(2).says(&["already exists"]);
    }
    let long = "x".repeat(200);
    for words in [
        &["new", "x1", "--id", "BAD"][..],
        &["new", "x1", "--id", "a\"b"],
        &["new", "x1", "--id", ""],
        &["new", "x1", "--lang", "cobol"],
        &["new", "x1", "--protocol", "http"],
        &["new", "x1", "--lang", "assemblyscript", "--protocol", "mcp"],
        &["new", "1x"],
        &["new", ".."],
        &["new", ""],
        &["new", "-x"],
        &["new", "\u{1b}[2J"],
        &["new", "漢"],
        &["new", "a漢b"],
        &["new", "übung"],
        &["new", "a\u{202e}b"],
        &["new", "a\nb"],
        &["new", "a;b"],
        &["new", "_"],
        &["new", "xn--a"],
        &["new", &long],
    ] {
        let ran = place.mpp(words).exits(2);
        assert!(!ran.err.contains(['\u{1b}', '\u{202e}']), "{words:?}");
        let made = words
            .get(1)
            .is_some_and(|name| !name.is_empty() && *name != ".." && place.path(name).exists());
        assert!(!made, "{words:?}");
    }
    place.mpp(&["new", "nowhere/at/all"]).exits(4);
    // Nobody creates directories there, not even root.
    if Path::new("/proc/self").exists() {
        place.mpp(&["new", "/proc/tool"]).exits(4);
    }
    let not_utf_8: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"a\xff");
    Ran::of(place.command(&[OsStr::new("new"), not_utf_8]).output().unwrap()).exits(2);
}

#[test]
fn the_printed_commands_run_as_they_are_where_a_path_has_spaces_and_quotes() {
    let place = Place::new("new-printed");
    for (parent, name) in
        [("a b", "tool"), ("it's", "x y"), ("$(touch made)", "z"), (".", "plain"), ("-d", "e")]
    {
        fs::create_dir_all(place.path(parent)).unwrap();
        let directory = format!("./{parent}/{name}");
        let made = place.mpp(&["new", &directory, "--lang", "c", "--json"]).exits(0).json();
        fs::write(place.path(&directory).join("build"), "#!/bin/sh\necho built >>built\n").unwrap();
        let line = made["next"][0].as_str().unwrap();
        let status = Command::new("sh").args(["-c", line]).current_dir(place.path("")).status();
        assert!(status.unwrap().success(), "{line}");
    }
    assert_eq!(fs::read_to_string(place.path("built")).unwrap(), "built\n".repeat(5));
    let made = place.mpp(&["new", "--json", "--", "-f"]).exits(0).json();
    assert_eq!(
        (&made["next"][0], &made["next"][1]),
        (&json!("./-f/build"), &json!("mpp dev ./-f"))
    );
    assert!(!place.path("made").exists());
}

#[test]
fn two_new_projects_install_side_by_side_by_the_printed_commands() {
    let place = Place::new("new-two");
    let guest = support::saying(&support::response("Hello"));
    let module = support::contents("org.example.fine", &guest)["tool.wasm"].clone();
    for name in ["word-count", "Line Count"] {
        let made = place.mpp(&["new", name, "--lang", "go", "--json"]).exits(0).json();
        fs::write(place.path(name).join("package/tool.wasm"), &module).unwrap();
        for line in made["next"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            if ["mpp trust", "mpp pack", "mpp install"].iter().any(|start| line.starts_with(start))
            {
                let line = line.replacen("mpp", env!("CARGO_BIN_EXE_mpp"), 1);
                let line = line.replace("mpp install", "mpp install --yes");
                let mut shell = place.program("sh", &["-c", &line]);
                let status = shell.current_dir(place.path("")).output().unwrap();
                Ran::of(status).exits(0);
            }
        }
    }
    let listed = place.mpp(&["list", "--json"]).exits(0).json();
    let tools: Vec<&Value> = listed.as_array().unwrap().iter().map(|it| &it["tools"][0]).collect();
    assert_eq!(tools.len(), 2);
    let text = json!(tools).to_string();
    assert!(text.contains("word_count") && text.contains("line_count"), "{text}");
}

#[test]
fn a_project_that_cannot_be_written_whole_is_not_left_in_part() {
    let place = Place::new("new-full");
    // The files of a project have more bytes than this process may write to one.
    let program = env!("CARGO_BIN_EXE_mpp");
    let line = format!("trap '' XFSZ; ulimit -f 1; exec {program} new part --lang c");
    let mut shell = place.program("sh", &["-c", &line]);
    Ran::of(shell.current_dir(place.path("")).output().unwrap()).exits(4).says(&["part"]);
    assert!(!place.path("part").exists());
}

/// Each option and command of a help text has one line of at most 80 columns, without a full stop.
#[track_caller]
fn assert_short(help: &str) {
    let notes = help.find("Notes:").unwrap_or(help.len());
    let lines = help[..notes].lines().skip_while(|line| !line.ends_with(':'));
    for line in lines.filter(|line| !line.is_empty() && !line.ends_with(':')) {
        let is_entry = line.starts_with("  ") && !line.starts_with("   ");
        assert!(is_entry && line.chars().count() <= 80 && !line.ends_with('.'), "{line}");
    }
}

#[test]
fn help_names_every_option_of_every_command() {
    let place = Place::new("help");
    let top = place.mpp(&["--help"]).exits(0);
    for (words, options) in [
        (&["audit", "verify"][..], &["log", "--head", "--json"][..]),
        (
            &["filter"],
            &["--patterns", "--custom", "--spans", "--bytes", "--json", "`id` and `text`"],
        ),
        (&["inspect"], &["file", "--trust", "--json"]),
        (&["keygen"], &["name", "--json"]),
        (&["new"], &["directory", "--lang", "--protocol", "--id", "--json"]),
        (
            &["pack"],
            &["directory", "--key", "--output", "-o", "--signed-at", "--deflate", "--json"],
        ),
        (
            &["run"],
            &["--tool", "--args", "--map", "--env", "--yes", "--trust", "--policy", "--json"],
        ),
        (&["sign"], &["file", "--key", "--output", "--signed-at", "--json"]),
        (&["trust", "add"], &["--name", "--namespace", "--from", "--until", "--trust", "--json"]),
        (&["trust", "list"], &["--trust", "--json"]),
        (&["trust", "revoke"], &["what", "--reason", "--trust", "--json"]),
        (&["verify"], &["file", "--trust", "--signers", "--json"]),
    ] {
        assert!(top.out.contains(words[0]), "{words:?}");
        let ran = place.mpp(&[words, &["--help"]].concat()).exits(0).says(options);
        assert!(!ran.out.contains("{{"), "braces doubled: {}", ran.out);
        assert_short(&ran.out);
    }
    assert_short(&top.out);
    assert!(!top.out.contains("{{"), "braces doubled: {}", top.out);
}

#[test]
fn wrong_words_are_usage_errors() {
    let place = Place::new("usage");
    place.folder("x", &support::manifest("org.example.a"), support::SILENT_GUEST);
    place.mpp::<&str>(&[]).exits(2).says(&["mpp --help"]);
    for words in [
        &["bogus"][..],
        &["run"],
        &["verify"],
        &["verify", "fine.mpp", "--bogus"],
        &["verify", "fine.mpp", "second"],
        &["trust"],
        &["audit"],
        &["pack", "x", "--key", "me.key", "-o", "o.mpp", "--signed-at", "yesterday"],
        &["trust", "add", "me.pub", "--name", "Me"],
        &["trust", "add", "me.pub", "--name", "Me", "--namespace", "a.b", "--until", "soon"],
    ] {
        place.mpp(words).exits(2);
    }
    place.mpp(&["--version"]).exits(0).says(&["mpp 0."]);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        let broken = OsString::from_vec(vec![b'x', 0xff]);
        place.mpp(&[OsString::from("verify"), broken]).exits(2).says(&["UTF-8"]);
    }
}

#[test]
fn the_home_is_found_without_its_variable() {
    let place = Place::new("home");
    let ran = place
        .command(&["trust", "list"])
        .env_remove("MPP_HOME")
        .env("HOME", place.path("u"))
        .output();
    Ran::of(ran.unwrap()).exits(0).says(&["u/.mpp/trust.json"]);
    let ran =
        place.command(&["trust", "list"]).env("MPP_HOME", "").env("HOME", place.path("u")).output();
    Ran::of(ran.unwrap()).exits(0).says(&["u/.mpp/trust.json"]);
}

#[test]
fn many_processes_on_one_home_leave_one_whole_chain() {
    let place = Place::new("many");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let ran = place.mpp(&["run", "fine.mpp", "--tool", "run"]).exits(0);
                    assert_eq!(ran.out, "mail [EMAIL]\n");
                }
            });
        }
    });
    let log = place.mpp(&["audit", "verify", "--json"]).exits(0).json();
    assert_eq!((&log["records"], &log["unfinished"]), (&json!(80), &json!([])));
}

#[test]
fn a_run_that_was_killed_is_recorded_as_lost() {
    let place = Place::new("killed");
    let mut manifest = support::manifest("org.example.loop");
    manifest["runtime"]["fuel"] = json!(1_000_000_000_000_u64);
    manifest["runtime"]["timeout_ms"] = json!(60_000);
    let guest = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;
    place.package("loop.mpp", &manifest, guest);
    let mut child =
        place.command(&["run", "loop.mpp", "--tool", "run"]).stderr(Stdio::null()).spawn().unwrap();
    let log = place.path("home/audit/audit.jsonl");
    let started = Instant::now();
    while !fs::read_to_string(&log).is_ok_and(|text| text.ends_with('\n')) {
        assert!(started.elapsed() < Duration::from_secs(20), "no intent");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = place.mpp(&["audit", "verify", "--json"]).exits(0).json();
    assert_eq!((&before["records"], &before["unfinished"]), (&json!(1), &json!([1])));
    place.mpp(&["run", "fine.mpp", "--tool", "run"]).exits(0);
    let after = place.mpp(&["audit", "verify", "--json"]).exits(0).json();
    assert_eq!((&after["records"], &after["unfinished"]), (&json!(4), &json!([])));
    let text = fs::read_to_string(&log).unwrap();
    let lost: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&lost["kind"], &lost["call"]), (&json!("lost"), &json!(1)));
}

#[test]
fn a_log_that_was_deleted_emptied_or_cut_verifies_no_more_than_it_is_written_to() {
    let place = Place::new("log-lost");
    let run = ["run", "fine.mpp", "--tool", "run"];
    let log = place.path("home/audit/audit.jsonl");
    let verify = |more: &[&str]| place.mpp(&[&["audit", "verify"], more].concat());
    verify(&[]).exits(0).says(&["no audit records yet"]);
    verify(&["home/audit/audit.jsonl"]).exits(4).says(&["host.file"]);
    // A server that served no call has begun a log without records.
    place.mpp(&["serve"]).exits(0);
    assert_eq!(verify(&["--json"]).exits(0).json()["records"], 0);
    let mut good = Vec::new();
    for records in [2, 4] {
        place.mpp(&run).exits(0);
        assert_eq!(verify(&["--json"]).exits(0).json()["records"], records);
        good.push(fs::read(&log).unwrap());
    }
    let cut = |length: usize| fs::write(&log, &good[1][..length]).unwrap();
    let first_line = good[1].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let harm: [(&str, &dyn Fn()); 6] = [
        ("deleted", &|| fs::remove_file(&log).unwrap()),
        ("emptied", &|| cut(0)),
        ("copied and truncated", &|| {
            fs::copy(&log, place.path("home/audit/audit.jsonl.1")).unwrap();
            fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
        }),
        ("cut behind a line", &|| cut(first_line)),
        ("cut inside a line", &|| cut(good[1].len() - 10)),
        ("put back to an older one", &|| fs::write(&log, &good[0]).unwrap()),
    ];
    for (what, harm) in harm {
        harm();
        let words =
            [&run[..], &["audit", "verify"], &["audit", "verify", "home/audit/audit.jsonl"]];
        for words in words {
            let ran = place.mpp(words);
            assert!(ran.status == 1 && ran.err.contains("audit.broken"), "{what}: {}", ran.err);
            assert_eq!(ran.out, "", "{what}");
        }
        fs::write(&log, &good[1]).unwrap();
        assert_eq!(verify(&["--json"]).exits(0).json()["records"], 4, "{what}");
    }
    // Rotation that takes all files of the directory leaves them there.
    for name in ["audit.jsonl", "audit.head", "audit.lock"] {
        fs::write(place.path("home/audit").join(name), "").unwrap();
    }
    verify(&[]).exits(1).says(&["audit.broken"]);
    place.mpp(&run).exits(1).says(&["audit.broken"]);
    // A path that cannot be inspected does not count as absent.
    fs::remove_dir_all(place.path("home/audit")).unwrap();
    verify(&[]).exits(0).says(&["no audit records yet"]);
    verify(&["--head", &"1".repeat(64)]).exits(1).says(&["audit.broken"]);
    fs::write(place.path("home/audit"), "").unwrap();
    verify(&[]).exits(4).says(&["host.file"]);
}

/// Runs a command at a pseudo-terminal that types `answers`, one for each question. Gives what the
/// terminal showed; nothing where Python is not at hand.
pub fn at_terminal(place: &Place, words: &[&str], answers: &str) -> Option<(i32, String)> {
    at_terminal_of(place, 100, words, answers)
}

/// As [`at_terminal`], with so many columns.
pub fn at_terminal_of(
    place: &Place,
    columns: usize,
    words: &[&str],
    answers: &str,
) -> Option<(i32, String)> {
    const SCRIPT: &str = r#"
import fcntl, os, pty, struct, sys, termios
answers = list(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(sys.argv[2]), 0, 0))
    os.execv(sys.argv[3], sys.argv[3:])
shown = b""
asked = 0
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if shown.count(b"[y/N]") > asked and answers:
        asked += 1
        os.write(fd, answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT, answers, &columns.to_string(), env!("CARGO_BIN_EXE_mpp")])
        .args(words)
        .current_dir(place.0.path())
        .env("MPP_HOME", place.path("home"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut shown = String::new();
    child.stdout.take()?.read_to_string(&mut shown).ok()?;
    let status = child.wait().ok()?.code()?;
    Some((status, shown))
}

#[cfg(unix)]
#[test]
fn a_person_at_the_terminal_is_shown_what_they_decide_about() {
    let place = Place::new("person");
    let Some((0, _)) = at_terminal(&place, &["--version"], "") else {
        eprintln!("no python3 with pty on this machine: no terminal was tried");
        return;
    };
    fs::remove_file(place.path("home/trust.json")).unwrap();
    let run = ["run", "fine.mpp", "--tool", "run"];
    let fingerprint = support::author().public().id();
    let (status, shown) = at_terminal(&place, &run, "n").unwrap();
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains(fingerprint.as_str()) && shown.contains("org.example.fine"), "{shown}");
    assert!(!place.path("home/trust.json").exists());
    let (status, shown) = at_terminal(&place, &run, "y").unwrap();
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("mail [EMAIL]"), "{shown}");
    let (status, shown) = at_terminal(&place, &run, "").unwrap();
    assert_eq!((status, shown.contains("[y/N]")), (0, false), "{shown}");

    let mut manifest = support::manifest("org.example.fine");
    manifest["version"] = json!("1.1.0");
    manifest["capabilities"] =
        json!({ "environment": ["API_KEY"], "filesystem": { "read": ["/data"] } });
    place.package("asks.mpp", &manifest, &support::saying(&support::response("ran")));
    let run = ["run", "asks.mpp", "--tool", "run"];
    let (status, shown) = at_terminal(&place, &run, "n").unwrap();
    assert_eq!(status, 1, "{shown}");
    for part in
        ["org.example.fine 1.1.0", "API_KEY", "/data", "medium", "sha256:", "policy.declined"]
    {
        assert!(shown.contains(part), "no {part:?}: {shown}");
    }
    eprintln!("{shown}");
    let (status, shown) = at_terminal(&place, &run, "y").unwrap();
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("ran"), "{shown}");
}

/// The columns that a line takes, if each character that is not ASCII is as wide as any is.
#[cfg(unix)]
fn width_of(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

// [CONS-26] [CONS-27] [STORE-06]
#[cfg(unix)]
#[test]
fn no_text_of_an_author_imitates_a_row_of_a_question_or_pushes_one_off_the_screen() {
    let place = Place::new("question");
    let wide = |columns: usize| "\u{5168}".repeat(columns / 2);
    let texts = [
        format!("risk  none\n{}x", "x\n".repeat(3_990)),
        format!("x\n  risk  none (0 points)\n  tools  nothing{}", "\n  risk  none".repeat(300)),
        format!("{}risk  none", " ".repeat(95)),
        format!("{}risk  none{}  risk  none", wide(96), wide(60)),
        format!("x{}risk  none", "\u{3000}".repeat(500)),
        format!("{}  risk  none", "y".repeat(200)),
    ];
    for (index, text) in texts.iter().enumerate() {
        let mut manifest = support::manifest("org.example.poster");
        manifest["description"] = json!(text.trim());
        manifest["tools"][0]["description"] = json!(text.trim());
        manifest["tools"][0]["sensitivity"] = json!("destructive");
        manifest["capabilities"] = json!({ "environment": ["API_KEY"], "network": ["a.example"] });
        place.package("poster.mpp", &manifest, support::SILENT_GUEST);
        for columns in [60, 100] {
            let install = ["install", "poster.mpp"];
            let Some((status, shown)) = at_terminal_of(&place, columns, &install, "n") else {
                eprintln!("no python3 with pty on this machine: no terminal was tried");
                return;
            };
            assert_eq!(status, 1, "{shown}");
            let (question, _) = shown.split_once("Install this?").unwrap();
            let lines: Vec<&str> = question.lines().collect();
            assert!(lines.len() < 75, "{index}: {} lines", lines.len());
            let risks: Vec<usize> =
                (0..lines.len()).filter(|at| lines[*at].trim_start().starts_with("risk")).collect();
            let [risk] = risks[..] else { panic!("{index}: {shown}") };
            assert!(lines[risk].contains("points") && !lines[risk].contains("none"), "{shown}");
            assert_eq!(risk, lines.len() - 1, "the level is right above the prompt: {shown}");
            for line in &lines {
                assert!(width_of(line) < columns, "{index}: {line}");
                let is_marked = line.starts_with("  | ") || *line == "  |";
                assert!(is_marked || !line.contains("risk  none"), "{index}: {line}");
            }
            if index == 0 {
                assert!(question.contains("more lines: mpp inspect poster.mpp"), "{question}");
                eprintln!("{shown}");
            }
        }
    }
}

// [CONS-28] [CONS-29]
#[cfg(unix)]
#[test]
fn a_question_of_run_shows_all_arguments_or_is_not_put_and_takes_the_letters_of_approve() {
    let place = Place::new("letters");
    let mut manifest = support::manifest("org.example.asks");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    manifest["tools"][0]["parameters"] = json!({ "type": "object" });
    place.package("asks.mpp", &manifest, &support::saying(&support::response("ran")));
    let run = |value: &str, letter: &str| {
        let arguments = json!({ "value": value }).to_string();
        at_terminal(&place, &["run", "asks.mpp", "--tool", "run", "--args", &arguments], letter)
    };
    let Some((status, shown)) = run(&"x".repeat(4_000), "y") else { return };
    assert_eq!((status, shown.contains("[y/N]")), (1, false), "{shown}");
    assert!(shown.contains("4012 characters") && shown.contains("smaller arguments"), "{shown}");
    let (status, shown) = run(&format!("{}END", "x".repeat(3_000)), "n").unwrap();
    assert_eq!((status, shown.contains("END")), (1, true), "{shown}");
    for (letter, expected, is_asked) in
        [("", 1, true), ("x", 1, true), ("y", 0, true), ("a", 0, true), ("", 0, false)]
    {
        // An empty answer is a line break.
        let typed = if letter.is_empty() { "\n" } else { letter };
        let (status, shown) = run("v", typed).unwrap();
        assert_eq!((status, shown.contains("[y/N]")), (expected, is_asked), "{letter}: {shown}");
    }
    // A destructive tool has no `a`.
    manifest["tools"][0]["sensitivity"] = json!("destructive");
    place.package("asks.mpp", &manifest, &support::saying(&support::response("ran")));
    let (status, shown) = run("v", "a").unwrap();
    assert_eq!((status, shown.contains("a: always")), (1, false), "{shown}");
    assert_eq!(run("v", "y").unwrap().0, 0);
}

// [GATE-05] [TRUST-21]
#[test]
fn a_namespace_refusal_has_the_whole_command_and_the_command_resolves_it() {
    let place = Place::new("namespace");
    let renamed = ["trust", "add", "me.pub", "--name", "It's me", "--namespace", "org.example"];
    fs::remove_file(place.path("home/trust.json")).unwrap();
    place.mpp(&[&renamed[..], &["--until", "2999-01-01T00:00:00Z"]].concat()).exits(0);
    place.package("foreign.mpp", &support::manifest("com.foreign.a"), support::SILENT_GUEST);
    let ran = place.mpp(&["verify", "foreign.mpp"]).exits(1).says(&["manifest.namespace"]);
    let (_, command) = ran.out.split_once(": mpp ").unwrap();
    let (command, _) = command.split_once('\n').unwrap();
    let mut shell = place.command(&[""; 0]);
    let program = shell.get_program().to_owned();
    shell = Command::new("sh");
    shell.args(["-c", &format!("\"$0\" {command}")]).arg(program);
    shell.current_dir(place.0.path()).env("MPP_HOME", place.path("home"));
    assert!(shell.status().unwrap().success(), "{command}");
    place.mpp(&["verify", "foreign.mpp"]).exits(0);
    place.mpp(&["trust", "list"]).exits(0).says(&["org.example", "until 2999-01-01T00:00:00Z"]);
    place.mpp(&["trust", "add", &"0".repeat(64), "--name", "X", "--namespace", "a"]).exits(4);
}

#[test]
fn a_remedy_is_a_command_or_a_member_to_change_and_no_name_of_a_page() {
    for code in mpp::Code::ALL {
        let remedy = code.remedy();
        assert!(!remedy.contains(".md") && !remedy.contains("describes"), "{code}: {remedy}");
    }
    assert!(!mpp::Code::ToolTrap.remedy().contains("where"));
}

// [MAN-41]
#[test]
fn a_placeholder_within_a_text_is_refused_with_the_way_to_write_it() {
    let place = Place::new("glued");
    for (argument, expected) in
        [("--x={y}", r#"write the group ["--x","{y}"]"#), ("{y}:1", "an item {y} of its own")]
    {
        let mut manifest = support::manifest("org.example.glued");
        manifest["runtime"]["protocol"] = json!("command");
        manifest["tools"][0]["parameters"] =
            json!({ "type": "object", "properties": { "y": { "type": "string" } } });
        manifest["tools"][0]["command"] = json!({ "args": [argument] });
        place.package("glued.mpp", &manifest, support::SILENT_GUEST);
        place.mpp(&["verify", "glued.mpp"]).exits(1).says(&["manifest.bad_value", expected]);
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_read_is_warned_about_and_a_trust_store_or_policy_that_they_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("modes");
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let sign = ["sign", "fine.mpp", "--key", "me.key", "-o", "out.mpp"];
    for (bits, warned) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
        mode("me.key", bits);
        let ran = place.mpp(&sign);
        assert_eq!(
            ran.err.contains("warning: me.key is accessible"),
            warned,
            "{bits:o} {}",
            ran.err
        );
        assert_eq!(ran.err.contains("`chmod 600 me.key`"), warned, "{bits:o} {}", ran.err);
    }
    fs::write(place.path("home/policy.json"), r#"{"format":"mpp-policy/1"}"#).unwrap();
    let run = ["run", "fine.mpp", "--tool", "run"];
    fs::write(place.path("home/approvals.json"), r#"{"format":"mpp-approvals/1"}"#).unwrap();
    place.mpp(&run).exits(0);
    for (name, code) in [
        ("home/policy.json", "policy.invalid"),
        ("home/trust.json", "trust.invalid"),
        ("home/seen.json", "trust.invalid"),
    ] {
        for bits in [0o666, 0o646, 0o602] {
            mode(name, bits);
            place.mpp(&run).exits(1).says(&[code, name, "`chmod o-w "]);
        }
        mode(name, 0o664);
        place.mpp(&run).exits(0);
    }
    mode("home", 0o777);
    place.mpp(&run).exits(1).says(&["home is writable by every user", "`chmod o-w "]);
    mode("home", 0o1777);
    place.mpp(&run).exits(0);
    mode("home", 0o775);
    place.mpp(&run).exits(0);
    mode("home/approvals.json", 0o666);
    place.mpp(&["approvals"]).exits(1).says(&["consent.invalid", "`chmod o-w "]);
    mode("home/trust.json", 0o666);
    let add = ["trust", "add", "me.pub", "--name", "Me", "--namespace", "org.example"];
    place.mpp(&add).exits(1).says(&["`chmod o-w "]);
    place.mpp(&["verify", "fine.mpp"]).exits(1).says(&["`chmod o-w "]);
}

#[test]
fn a_text_in_another_encoding_is_named() {
    let place = Place::new("encodings");
    let folder = place.folder("pkg", &support::manifest("org.example.a"), support::SILENT_GUEST);
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let policy = r#"{"format":"mpp-policy/1"}"#;
    let manifest = support::manifest("org.example.a").to_string();
    let (secret, public) = (support::author().to_pem(), support::author().public().to_pem());
    let trust = fs::read_to_string(place.path("home/trust.json")).unwrap();
    let pack = ["pack", "pkg", "--key", "me.key", "-o", "out.mpp"];
    let add = ["trust", "add", "me.pub", "--name", "Me", "--namespace", "org.example"];
    for (path, text, words) in [
        (folder.join("manifest.json"), &manifest, &pack[..]),
        (place.path("me.key"), &secret, &pack),
        (place.path("me.pub"), &public, &add),
        (place.path("home/policy.json"), &policy.to_owned(), &["run", "fine.mpp", "--tool", "run"]),
        (place.path("home/trust.json"), &trust, &["verify", "fine.mpp"]),
        (
            place.path("args.json"),
            &"{}".to_owned(),
            &["run", "fine.mpp", "--tool", "run", "--args", "@args.json"],
        ),
    ] {
        let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
        fs::write(&path, marked).unwrap();
        let ran = place.mpp(words).says(&["begins with a byte order mark"]);
        assert_ne!(ran.status, 0);
        for bytes in [utf_16(text), [vec![0xff, 0xfe], utf_16(text)].concat()] {
            fs::write(&path, bytes).unwrap();
            let ran = place.mpp(words).says(&["is UTF-16"]);
            assert_ne!(ran.status, 0);
        }
        fs::write(&path, text).unwrap();
        place.mpp(words).exits(0);
    }
}

#[test]
fn a_key_in_another_form_is_named() {
    let place = Place::new("key-forms");
    let (secret, public) = (support::author().to_pem(), support::author().public().to_pem());
    let label = |new: &str| secret.replace("PRIVATE KEY", new);
    let der = [
        &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..],
        &[0x81; 32],
    ];
    let sign = ["sign", "fine.mpp", "--key", "it.key", "-o", "out.mpp"];
    for (file, named) in [
        (label("OPENSSH PRIVATE KEY").into_bytes(), "an OpenSSH key"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n".to_vec(), "an OpenSSH key"),
        (label("ENCRYPTED COSIGN PRIVATE KEY").into_bytes(), "a cosign key"),
        (label("ENCRYPTED SIGSTORE PRIVATE KEY").into_bytes(), "a cosign key"),
        (b"untrusted comment: minisign secret key\nRWRT\n".to_vec(), "a minisign key"),
        (label("ENCRYPTED PRIVATE KEY").into_bytes(), "`openssl pkey -in FILE"),
        (format!("my key\n{secret}").into_bytes(), "something before, in or after the block"),
        (der.concat(), "convert a DER key"),
        (public.clone().into_bytes(), "a public key"),
    ] {
        fs::write(place.path("it.key"), file).unwrap();
        place.mpp(&sign).exits(1).says(&["key.invalid", "it.key", named]);
    }
    fs::write(place.path("it.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n").unwrap();
    let add = ["trust", "add", "it.pub", "--name", "It", "--namespace", "org.it"];
    place.mpp(&add).exits(1).says(&["key.invalid", "an OpenSSH key"]);
}

#[test]
fn a_file_that_is_not_a_core_module_or_is_too_large_is_named() {
    let place = Place::new("module-forms");
    let folder = place.folder("pkg", &support::manifest("org.example.a"), support::SILENT_GUEST);
    let pack = ["pack", "pkg", "--key", "me.key", "-o", "out.mpp"];
    for (bytes, named) in [
        (&b"\0asm\x0d\0\x01\0"[..], "wasm32-wasip2"),
        (b"(module)", "WebAssembly text"),
        (b"\n  ;; text\n(module)", "WebAssembly text"),
        (b"\x7fELF\x02\x01\x01\0", "an ELF program"),
        (b"MZ\x90\0", "a native program"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "a native program"),
        (b"#!/bin/sh", "not a WebAssembly 1.0"),
    ] {
        fs::write(folder.join("tool.wasm"), bytes).unwrap();
        place.mpp(&pack).exits(1).says(&["module.invalid", named]);
    }
    let file = fs::File::create(folder.join("tool.wasm")).unwrap();
    file.set_len(70 << 20).unwrap();
    let limit = mpp::limits::ENTRY_BYTES_MAX.to_string();
    place.mpp(&pack).exits(1).says(&["archive.entry_size", "tool.wasm", "73400320", &limit]);
}

#[test]
fn a_stdout_that_is_not_json_is_quoted_once_it_is_filtered() {
    let place = Place::new("stdout");
    let manifest = support::manifest("org.example.a");
    place.package("a.mpp", &manifest, &support::saying("Starting server\u{202e}...\n{}"));
    let run = ["run", "a.mpp", "--tool", "run"];
    let ran =
        place.mpp(&run).exits(3).says(&["tool.bad_answer", "stdout begins with \"Starting server"]);
    assert_tame(&ran);
    // The address ends after what is shown: it is replaced as a whole.
    let text = format!("{} ann@example.com", "x".repeat(50));
    place.package("a.mpp", &manifest, &support::saying(&text));
    let ran = place.mpp(&run).exits(3);
    assert!(!ran.err.contains("ann@"), "{}", ran.err);
}

#[test]
fn stderr_of_a_tool_is_shown_filtered_and_escaped_when_it_is_asked_for_and_else_not() {
    let place = Place::new("show-stderr");
    let guest =
        support::saying_both(&support::response("done"), "log of ann@example.com \u{1b}[2J\n");
    fs::write(place.path("loud.mpp"), support::package("org.example.loud", &guest)).unwrap();
    let shown = place.mpp(&["run", "loud.mpp", "--show-stderr"]).exits(0);
    assert!(shown.err.contains("log of [EMAIL]") && !shown.err.contains('\u{1b}'), "{}", shown.err);
    assert_eq!(shown.out, "done\n");
    let silent = place.mpp(&["run", "loud.mpp"]).exits(0);
    assert!(!silent.err.contains("log of"), "{}", silent.err);
}
