//! What the program says about its own use: help, examples, near misses, completions, and its JSON.

use crate::cli::{at_terminal, at_terminal_of, Place, Ran};
use crate::support;
use std::fs;
use std::path::Path;

/// A home in which the example of every command works.
fn prepared(name: &str) -> Place {
    let place = Place::new(name);
    place.folder("pkg", &support::manifest("org.example.pkg"), support::SILENT_GUEST);
    fs::write(place.path("token.txt"), "value-1234\n").unwrap();
    for key in ["other", "old"] {
        place.mpp(&["keygen", key]).exits(0);
    }
    place.mpp(&["trust", "add", "other.pub", "--name", "Other", "--namespace", "org.other"]);
    place.package("old.mpp", &support::manifest("org.example.old"), support::SILENT_GUEST);
    place.mpp(&["install", "old.mpp", "--yes"]).exits(0);
    place.mpp_with_input(&["secret", "set", "old"], b"value-1234\n").exits(0);
    place
}

/// The commands that have no subcommands, as words.
fn commands(place: &Place) -> Vec<Vec<String>> {
    let names = |words: &[&str]| -> Vec<String> {
        let help = place.mpp(&[words, &["--help"]].concat()).exits(0).out;
        let rows = help.lines().filter(|line| {
            line.starts_with("  ") && !line.starts_with("   ") && line.contains("   ")
        });
        let names = rows.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| !name.starts_with('-')).map(str::to_owned).collect()
    };
    let mut found = Vec::new();
    for name in names(&[]) {
        let help = place.mpp(&[&name, "--help"]).exits(0).out;
        match help.contains("\nCommands:\n") {
            true => found.extend(names(&[&name]).into_iter().map(|sub| vec![name.clone(), sub])),
            false => found.push(vec![name]),
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

fn in_shell(place: &Place, line: &str) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_mpp")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Ran::of(place.program("sh", &["-c", line]).env("PATH", path).output().unwrap())
}

#[cfg(unix)]
#[test]
fn the_example_of_every_command_works_as_it_is_printed() {
    for words in commands(&Place::new("examples")) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let place = prepared("example");
        let help = place.mpp(&[&words[..], &["-h"]].concat()).exits(0).out;
        let (_, example) = help.split_once("\nExample:\n  ").unwrap_or_else(|| panic!("{words:?}"));
        let example = example.trim_end();
        assert!(example.contains(&format!("mpp {}", words.join(" "))), "{words:?}: {example}");
        let ran = in_shell(&place, example);
        match words[..] {
            // No agent has asked for anything.
            ["approve" | "deny"] => drop(ran.exits(1).says(&["consent.no_question"])),
            _ => drop(ran.exits(0)),
        }
    }
}

#[test]
fn help_is_the_same_however_it_is_asked_for() {
    let place = Place::new("asked");
    let top = place.mpp(&["--help"]).exits(0).out;
    for words in [&["-h"][..], &["help"]] {
        assert_eq!(place.mpp(words).exits(0).out, top, "{words:?}");
    }
    for words in commands(&place) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = place.mpp(&[&words[..], &["--help"]].concat()).exits(0).out;
        assert_eq!(place.mpp(&[&words[..], &["-h"]].concat()).exits(0).out, help);
        assert_eq!(place.mpp(&[&["help"], &words[..]].concat()).exits(0).out, help);
        assert!(help.contains("  -h, --help "), "{help}");
    }
    place.mpp(&["help", "bogus"]).exits(2).says(&["bogus"]);
}

#[test]
fn an_option_takes_its_value_after_a_sign_of_equality_and_other_words_stay_whole() {
    let place = Place::new("equals");
    place.mpp(&["verify", "fine.mpp", "--signers=1"]).exits(0);
    place.mpp(&["verify", "fine.mpp", "--signers=0"]).exits(2).says(&["less than 1"]);
    let arguments = r#"--args={"a":"b=c"}"#;
    place.mpp(&["run", "fine.mpp", "--tool=run", arguments]).exits(0).says(&["[EMAIL]"]);
    // The value of an option, a file after `--`, and a switch.
    let reason = ["trust", "revoke", &"1".repeat(64), "--reason", "--reason=x", "--json"];
    assert_eq!(place.mpp(&reason).exits(0).json()["reason"], "--reason=x");
    fs::copy(place.path("fine.mpp"), place.path("--trust=x")).unwrap();
    place.mpp(&["verify", "--", "--trust=x"]).exits(0);
    place.mpp(&["verify", "fine.mpp", "--json=yes"]).exits(2);
    place.mpp(&["verify", "fine.mpp", "--signers="]).exits(2);
    place.mpp(&["verify", "fine.mpp", "--", "-h"]).exits(2);
}

#[test]
fn a_near_miss_is_named_and_a_far_one_is_not() {
    let place = Place::new("near");
    for (words, meant) in [
        (&["instal"][..], "did you mean install?"),
        (&["trust", "ad"], "did you mean add?"),
        (&["verify", "fine.mpp", "--signer=3"], "did you mean --signers?"),
        (&["run", "fine.mpp", "--tol", "run"], "did you mean --tool?"),
    ] {
        place.mpp(words).exits(2).says(&[meant]);
    }
    let long = "x".repeat(100_000);
    for words in [&["bogus"][..], &["trust", "x"], &["verify", "fine.mpp", "--zzz"], &[&long]] {
        assert!(!place.mpp(words).exits(2).err.contains("did you mean"), "{words:?}");
    }
}

#[test]
fn a_pipe_has_no_colour_and_a_terminal_has_it_unless_it_is_refused() {
    let place = Place::new("colour");
    let ran = place.mpp(&["verify", "absent.mpp"]).exits(4);
    assert!(!ran.err.contains('\u{1b}'));
    let Some((_, shown)) = at_terminal(&place, &["verify", "fine.mpp"], "") else { return };
    let plain = shown.replace(['\r'], "");
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb")
        || std::env::var_os("TERM").is_none();
    assert_eq!(
        plain.contains("\u{1b}[32mok\u{1b}[0m"),
        !is_dumb && std::env::var_os("NO_COLOR").is_none()
    );
    // Width: no line of the overview is longer than the terminal.
    for columns in [60, 200] {
        let (_, shown) = at_terminal_of(&place, columns, &["trust", "list"], "").unwrap();
        assert!(shown.lines().all(|line| line.trim_end().chars().count() <= columns), "{shown}");
    }
}
