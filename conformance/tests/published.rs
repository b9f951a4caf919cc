//! The published crate, and the advice for a program that embeds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a directory, except tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("tests"))
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The files that a source text takes in.
fn taken_in(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    let names = text.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let found = names.map(|name| source.parent().unwrap().join(name).canonicalize().unwrap());
    found.collect()
}

#[test]
fn the_package_has_what_a_build_needs_and_little_else() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["package", "--list", "--offline", "--allow-dirty"]).current_dir(root());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap();
    let listed: Vec<&str> = listed.lines().collect();
    let mut needed = sources(&root().join("src"));
    needed.extend(needed.clone().iter().flat_map(|source| taken_in(source)));
    let root = root().canonicalize().unwrap();
    let mut needed: Vec<String> = (needed.iter())
        .map(|path| path.canonicalize().unwrap().strip_prefix(&root).unwrap().display().to_string())
        .collect();
    needed.extend(["README.md", "LICENSE", "SECURITY.md", "spec/sandbox.md"].map(str::to_owned));
    for name in &needed {
        assert!(listed.contains(&name.as_str()), "{name} is not in the package");
    }
    for name in &listed {
        let of_tests =
            name.starts_with("conformance") || name.starts_with("fuzz") || name.starts_with('.');
        let is_needed =
            needed.iter().any(|needed| needed == name) || *name == ".cargo_vcs_info.json";
        assert!(!of_tests || is_needed, "{name} is in the package");
    }
    assert!(listed.len() < 350, "{} files", listed.len());
}

/// Profiles of a dependency do not count, so each embedder needs these in its own manifest.
#[test]
fn the_readme_and_the_front_page_have_the_profile_of_this_crate_for_the_engine() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let lines = "[profile.dev.package.\"*\"]\nopt-level = 3\n[profile.dev.package.wasmi]\ndebug-assertions = false\noverflow-checks = false\n";
    let bare = |text: String| -> String {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| format!("{line}\n")).collect()
    };
    assert!(bare(read("Cargo.toml")).contains(lines));
    assert!(read("README.md").contains(lines));
    assert!(read("src/lib.rs").replace("//! ", "").contains(lines));
}
