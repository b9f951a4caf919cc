//! No directory that is, holds or lies in a place whose files decide is mapped, however it is named.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use super::host::{lines, snapshot, with_root};
use super::probe::*;
use super::script::*;
use super::*;
use crate::host::home;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A home with files in it, two links to it, and a directory beside it.
fn host() -> TempDir {
    let temp = TempDir::new("sandbox");
    fs::create_dir_all(temp.0.join("outer/home/audit/calls/deep/er")).unwrap();
    fs::create_dir_all(temp.0.join("other/inner")).unwrap();
    fs::write(temp.0.join("outer/home/secrets.json"), "secret").unwrap();
    symlink("outer/home", temp.0.join("link")).unwrap();
    symlink(temp.0.join("link"), temp.0.join("chain")).unwrap();
    temp
}

/// Why a directory is not mapped while this place is protected; nothing if it is.
fn refusal(place: impl AsRef<Path>, directory: impl AsRef<Path>) -> Option<String> {
    let sandbox = WasmSandbox::new().unwrap().protect(place.as_ref());
    let mut reasons = [true, false].map(|writable| {
        let (guest, host) = ("/data".to_owned(), directory.as_ref().to_str().unwrap().to_owned());
        let result = check_directories(
            &sandbox.host(&CancelFlag::default()),
            &[DirectoryGrant { guest, host, writable }],
        );
        result.err().map(|error| {
            assert_eq!(error.code(), Code::SandboxNotGranted, "{error}");
            error.detail().to_owned()
        })
    });
    assert_eq!(reasons[0], reasons[1], "to be written or read");
    reasons[0].take()
}

#[track_caller]
fn refuses(place: impl AsRef<Path>, directory: impl AsRef<Path>) {
    let (place, directory) = (place.as_ref(), directory.as_ref());
    let why = refusal(place, directory);
    let why = why.unwrap_or_else(|| panic!("{directory:?} is mapped, with {place:?} protected"));
    assert!(why.contains(directory.to_str().unwrap()) && why.contains("/data"), "{why}");
}

#[track_caller]
fn allows(place: impl AsRef<Path>, directory: impl AsRef<Path>) {
    assert_eq!(refusal(place, directory), None);
}

#[test]
fn a_directory_that_is_contains_or_is_in_a_protected_place_is_refused_by_every_path() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    for place in ["outer/home", "link", "chain", "other/../outer/./home/", "outer/home/../home"] {
        for directory in [
            "outer/home",
            "outer",
            "",
            "outer/home/audit",
            "outer/home/audit/calls/deep/er",
            "link",
            "chain",
            "chain/audit/calls/deep",
            "other/../outer/home",
            "link/..",
        ] {
            refuses(at(place), at(directory));
        }
        refuses(at(place), "/");
        refuses(at(place), std::env::temp_dir());
        refuses(at(place), format!("/proc/self/root{}", at("outer/home").display()));
        allows(at(place), at("other"));
        allows(at(place), at("other/inner"));
    }
    let why = refusal(at("outer/home"), at("outer")).unwrap();
    let shown = at("outer/home");
    assert!(why.contains(&format!("it contains {}", shown.display())), "{why}");
    let why = refusal(at("outer/home"), at("link/audit")).unwrap();
    assert!(why.contains(&format!("it is or lies in {}", shown.display())), "{why}");
}

#[test]
fn a_file_is_protected_like_a_directory_from_all_directories_above_it() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    fs::create_dir_all(at("etc/mpp")).unwrap();
    fs::write(at("etc/mpp/policy.json"), "{}").unwrap();
    symlink("../etc/mpp/policy.json", at("other/policy.json")).unwrap();
    for place in ["etc/mpp/policy.json", "other/policy.json"] {
        for directory in ["etc/mpp", "etc", "", "other/../etc/mpp"] {
            refuses(at(place), at(directory));
        }
        allows(at(place), at("outer"));
        allows(at(place), at("other/inner"));
    }
    // A writer that replaces the link replaces the policy.
    refuses(at("other/policy.json"), at("other"));
    allows(at("etc/mpp/policy.json"), at("other"));
}

#[test]
fn a_place_that_is_not_there_yet_is_protected_where_it_would_be() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    symlink(at("outer/none/home"), at("other/dangling")).unwrap();
    for place in ["outer/new", "outer/new/deep/home", "other/dangling", "other/dangling/home"] {
        for directory in ["outer", ""] {
            refuses(at(place), at(directory));
        }
        allows(at(place), at("outer/home"));
        allows(at(place), at("other/inner"));
    }
    refuses(at("other/dangling"), at("other"));
    allows(at("outer/new"), at("other"));
    // The same place, once it is there.
    fs::create_dir_all(at("outer/new/deep")).unwrap();
    refuses(at("outer/new"), at("outer/new/deep"));
}

#[test]
fn a_path_relative_to_the_directory_of_the_process_is_protected_and_what_it_only_passes_is_not() {
    let here = std::env::current_dir().unwrap();
    let place = "src/../spec/no/such/home";
    for directory in [here.join("spec"), here.clone(), "spec".into(), ".".into()] {
        refuses(place, directory);
    }
    allows(place, here.join("src"));
    allows(place, "src");
    allows("", "src");
}

#[test]
fn what_a_link_in_a_place_leads_to_is_protected_as_well() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    for (link, file) in [("policy.json", "dotfiles/mpp/policy.json"), ("audit/audit.key", "keys/k")]
    {
        fs::create_dir_all(at(file).parent().unwrap()).unwrap();
        fs::write(at(file), "x").unwrap();
        symlink(at(file), at("outer/home").join(link)).unwrap();
    }
    fs::create_dir_all(at("elsewhere/storage/a")).unwrap();
    symlink(at("elsewhere/storage"), at("outer/home/storage")).unwrap();
    for directory in [
        "dotfiles",
        "dotfiles/mpp",
        "keys",
        "elsewhere",
        "elsewhere/storage",
        "elsewhere/storage/a",
    ] {
        refuses(at("outer/home"), at(directory));
    }
    let why = refusal(at("outer/home"), at("keys")).unwrap();
    assert!(why.contains("outer/home/audit/audit.key"), "{why}");
    allows(at("outer/home"), at("other"));
}

#[test]
fn links_that_lead_in_a_circle_end() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    symlink("b", at("outer/a")).unwrap();
    symlink("a", at("outer/b")).unwrap();
    symlink(".", at("outer/home/self")).unwrap();
    symlink("/", at("outer/home/audit/root")).unwrap();
    refuses(at("outer/a"), at("outer"));
    allows(at("outer/a"), at("other"));
    refuses(at("outer/home"), at("outer/home/audit"));
}

#[test]
fn a_place_that_a_mapped_directory_becomes_later_is_refused_from_then_on() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    allows(at("link"), at("other"));
    fs::remove_file(at("link")).unwrap();
    symlink("other", at("link")).unwrap();
    refuses(at("link"), at("other"));
    refuses(at("link"), at("other/inner"));
    allows(at("link"), at("outer"));
}

#[test]
fn the_home_of_the_user_is_protected_without_being_named() {
    let Ok(home) = home::home_dir() else { return };
    let sandbox = WasmSandbox::new().unwrap();
    for directory in home.ancestors().skip(1).filter(|directory| directory.is_dir()) {
        let (guest, host) = ("/data".to_owned(), directory.to_str().unwrap().to_owned());
        let grant = DirectoryGrant { guest, host, writable: false };
        let result = check_directories(&sandbox.host(&CancelFlag::default()), &[grant]);
        assert_eq!(result.map_err(|error| error.code()), Err(Code::SandboxNotGranted));
    }
}

/// A guest with the directory `other`, as descriptor 3, while the home is protected.
fn with_other(temp: &TempDir) -> GuestInputs<'static> {
    let places = Protected::resolve(&[temp.0.join("link")]);
    let host = HostDirectory::open(&temp.0.join("other"), &Arc::new(places)).unwrap();
    host.check().unwrap();
    let root = Preopen { guest: "/data".to_owned(), host: Arc::new(host), writable: true };
    GuestInputs { roots: vec![root], ..with_root(temp, true) }
}

#[test]
fn a_second_name_of_a_protected_file_is_neither_read_nor_changed() {
    let temp = host();
    let at = |path: &str| temp.0.join(path);
    fs::hard_link(at("outer/home/secrets.json"), at("other/twice")).unwrap();
    fs::write(at("other/own"), "own").unwrap();
    fs::hard_link(at("other/own"), at("other/own twice")).unwrap();
    let before = snapshot(&temp.0);
    let mut script = Script::new();
    script.list(3);
    script.open(3, "twice", 0, READ);
    script.open(3, "twice", TRUNCATE, ALL);
    script.stat(3, 0, "twice");
    script.unlink("twice");
    script.rename("twice", "own");
    script.rename("own", "twice");
    script.link("twice", 3, "third");
    script.open(3, "own twice", 0, READ);
    let mut ran = script.run(with_other(&temp));
    assert_eq!((ran.answers[0], ran.answers[8]), (SUCCESS, SUCCESS));
    let refused = &ran.answers[2..8];
    assert!(
        ran.answers[1] == ACCES && refused.iter().all(|answer| *answer != SUCCESS),
        "{refused:?}"
    );
    assert_eq!(lines(&ran.run), [""; 0]);
    ran.run.changes.apply().unwrap();
    assert_eq!(snapshot(&temp.0), before);
}

#[test]
fn changes_are_not_committed_in_a_directory_that_has_become_protected() {
    let temp = host();
    let mut script = Script::new();
    script.open(3, "policy.json", CREATE, ALL);
    script.write(4, b"{}");
    let mut ran = script.run(with_other(&temp));
    assert_eq!(lines(&ran.run), ["create /data/policy.json {}"]);
    fs::remove_file(temp.0.join("link")).unwrap();
    symlink("other/inner", temp.0.join("link")).unwrap();
    let before = snapshot(&temp.0);
    let error = ran.run.changes.apply().unwrap_err();
    assert_eq!(error.code(), Code::HostCommit);
    for text in ["/data", "it contains", "nothing was changed"] {
        assert!(error.detail().contains(text), "{error}");
    }
    assert_eq!(snapshot(&temp.0), before);
    assert!(ran.run.changes.is_empty() || ran.run.changes.iter().next().is_none());
}
