//! Every Rust file is part of a build, and `src/` has no test code.

use crate::support::{files_below, sources, Folder};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The name in a line `mod NAME;`.
fn module_name(line: &str) -> Option<&str> {
    let (visibility, name) = line.strip_suffix(';')?.rsplit_once("mod ")?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && (visibility.is_empty() || visibility.starts_with("pub"))).then_some(name)
}

/// The files that the `mod` lines of a file name, and `true` for those whose modules are beside them: the root
/// of a crate, `mod.rs`, and a file that `#[path]` names.
fn modules(file: &Path, are_beside: bool) -> Vec<(PathBuf, bool)> {
    let here = file.parent().unwrap();
    let below = if are_beside { here.to_owned() } else { file.with_extension("") };
    let (mut found, mut path) = (Vec::new(), None);
    for line in fs::read_to_string(file).unwrap().lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path = rest.strip_suffix("\"]").map(|path| here.join(path));
        } else if let Some(name) = module_name(line) {
            let flat = below.join(format!("{name}.rs"));
            found.push(match path.take() {
                Some(path) => (path, true),
                None if flat.is_file() => (flat, false),
                None => (below.join(name).join("mod.rs"), true),
            });
        }
    }
    found
}

/// The files below `folders` that no chain of `mod` lines from one of `roots` names.
fn orphans(roots: &[PathBuf], folders: &[PathBuf]) -> Vec<PathBuf> {
    let (mut reached, mut next) = (BTreeSet::new(), Vec::new());
    next.extend(roots.iter().map(|file| (file.clone(), true)));
    while let Some((file, are_beside)) = next.pop() {
        let file =
            file.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if reached.insert(file.clone()) {
            next.extend(modules(&file, are_beside));
        }
    }
    let all = folders.iter().flat_map(|folder| files_below(folder, "rs"));
    all.filter(|file| !reached.contains(&file.canonicalize().unwrap())).collect()
}

#[test]
fn every_rust_file_of_the_crate_and_its_tests_is_compiled() {
    let cargo = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let paths = cargo.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    let others =
        ["src/lib.rs", "conformance/runner/src/main.rs", "conformance/runner/tests/main.rs"];
    let roots: Vec<PathBuf> = others.into_iter().chain(paths).map(|it| root().join(it)).collect();
    let folders = [
        "src",
        "conformance/adapter",
        "conformance/generate",
        "conformance/runner/src",
        "conformance/runner/tests",
        "conformance/tests",
        "conformance/unit",
    ];
    assert_eq!(orphans(&roots, &folders.map(|it| root().join(it))), Vec::<PathBuf>::new());
}

#[test]
fn a_file_that_no_module_names_is_an_orphan() {
    let folder = Folder::new("layout");
    let put = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
    };
    put("lib.rs", "mod a;\n/// mod e;\n#[cfg(test)]\n#[path = \"unit/x.rs\"]\npub(super) mod tests;\n// mod f;\n");
    put("a.rs", "mod b;\n");
    put("unit/x.rs", "mod y;\n");
    for name in ["a/b.rs", "unit/y/mod.rs", "b.rs", "e.rs", "f.rs", "unit/x/y.rs", "unit/tests.rs"]
    {
        put(name, "");
    }
    let found = orphans(&[folder.path().join("lib.rs")], &[folder.path().to_owned()]);
    let expected = ["b.rs", "e.rs", "f.rs", "unit/tests.rs", "unit/x/y.rs"];
    assert_eq!(found, expected.map(|name| folder.path().join(name)));
}

/// The lines of a text that have test code, or a condition about tests on more than a module of its own file.
fn test_code(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_word =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == "test");
    let is_module = |at: usize| {
        let is_path =
            |line: &&str| line.starts_with("#[path = \"") && line.contains("conformance/unit/");
        lines.get(at + 1).is_some_and(is_path)
            && lines.get(at + 2).is_some_and(|line| module_name(line).is_some())
    };
    let has = |(at, line): (usize, &&str)| {
        let attribute = line.starts_with("#[") || line.starts_with("#![") || line.contains("cfg!");
        let condition = ["#[cfg(test)]", "#[cfg(all(test, feature = \"std\"))]"].contains(line);
        attribute && is_word(line) && !(condition && is_module(at))
    };
    lines.iter().enumerate().filter(|(at, line)| has((*at, line))).map(|(_, line)| *line).collect()
}

#[test]
fn the_sources_have_no_test_code_but_the_names_of_its_files() {
    for (name, text) in sources() {
        let counts_what_is_read = name == "kernel/privacy/detect/text_view.rs";
        let expected = if counts_what_is_read { &["#[cfg(test)]"][..] } else { &[] };
        assert_eq!(test_code(&text), expected, "{name}");
    }
    for text in [
        "#[test]\nfn f() {}",
        "#[cfg(test)]\nfn for_tests() {}",
        "#[cfg(test)]\nmod tests {}",
        "#[cfg(test)]\nmod tests;",
        "#[cfg(not(test))]\n#[path = \"../conformance/unit/a.rs\"]\nmod tests;",
        "#[cfg(test)]\n#[path = \"tests.rs\"]\nmod tests;",
        "#[cfg_attr(test, derive(Debug))]\nstruct S;",
        "if cfg!(test) {}",
    ] {
        assert_eq!(test_code(text), [text.lines().next().unwrap()], "{text}");
    }
}

/// `.ci/run` compares the codes. Without one an example passes with any error, such as a name that has changed.
#[test]
fn every_example_that_must_not_compile_names_its_error() {
    for (name, text) in sources() {
        for line in text.lines().filter(|line| line.contains("```compile_fail")) {
            let code = line.rsplit_once("compile_fail,E").map_or("", |(_, code)| code);
            let is_code = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit());
            assert!(is_code, "{name}: {line}");
        }
    }
}
