//! Files that import each other can only be read together, so none do: the imports of `src/`, read from its
//! text, have no circle. The command line is left out.
//!
//! What a file only hands on with `pub use` it does not need itself, so whoever imports it from there
//! imports it from the file that has it.

use crate::support::{sources, without_tests};
use std::collections::{BTreeMap, BTreeSet};

/// The names that lead to something.
pub type Names = Vec<String>;

/// A file of the crate.
#[derive(Default)]
struct Source {
    /// Its text without comments, tests and `use`.
    code: String,
    /// What each imported name stands for, and whether it is handed on.
    imports: BTreeMap<String, (Names, bool)>,
    /// What is imported whole.
    globs: Vec<Names>,
}

struct Crate(BTreeMap<Names, Source>);

fn names(path: &str) -> Names {
    path.split("::").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The single paths of what stands behind `use`, with the name that each gets.
fn expanded(before: &str, tree: &str, found: &mut Vec<(Names, String)>) {
    let Some((start, rest)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = names(&format!("{before}{path}"));
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let alias = Some(alias.trim()).filter(|alias| !alias.is_empty());
        let name = alias.map_or_else(|| path.last().cloned(), |alias| Some(alias.to_owned()));
        found.extend(name.map(|name| (path, name)));
        return;
    };
    let (mut depth, mut from) = (0, 0);
    let inner = &rest[..rest.rfind('}').unwrap_or(rest.len())];
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 && c == ',' {
            if !inner[from..at].trim().is_empty() {
                expanded(&format!("{before}{}", start.trim()), inner[from..at].trim(), found);
            }
            from = at + 1;
        }
    }
}

fn source(text: &str) -> Source {
    let mut source = Source::default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut rest = without_tests(&lines.collect::<Vec<_>>().join("\n"));
    loop {
        let at = rest.match_indices("use ").map(|(at, _)| at).find(|at| {
            let line = rest[..*at].rsplit('\n').next().unwrap_or_default().trim();
            line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'))
        });
        let Some(at) = at else { break };
        let handed_on = rest[..at].rsplit('\n').next().is_some_and(|line| line.contains("pub"));
        let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
        let mut found = Vec::new();
        expanded("", &rest[at + "use ".len()..end], &mut found);
        for (mut path, name) in found {
            if name == "*" {
                path.pop();
                source.globs.push(path);
            } else {
                source.imports.insert(name, (path, handed_on));
            }
        }
        source.code.push_str(&rest[..at]);
        rest = rest[end..].to_owned();
    }
    source.code.push_str(&rest);
    source
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of at least two names in a text, but for those that say who may see something.
fn paths(code: &str) -> BTreeSet<Names> {
    let behind_visibility =
        |part: &'_ str| part.split_once(')').map_or(String::new(), |(_, rest)| rest.to_owned());
    let mut parts = code.split("pub(in ");
    let mut seen = parts.next().unwrap_or_default().to_owned();
    seen.extend(parts.map(behind_visibility));
    let paths = seen.split(|c: char| !is_word(c) && c != ':');
    paths.filter(|path| path.contains("::") && !path.starts_with(':')).map(names).collect()
}

/// Every path that a text imports or writes out, however it is written.
pub fn all_paths(text: &str) -> BTreeSet<Names> {
    let source = source(text);
    let imported = source.imports.into_values().map(|(path, _)| path);
    imported.chain(source.globs).chain(paths(&source.code)).collect()
}

impl Crate {
    fn read() -> Self {
        let module = |name: &str| -> Option<Names> {
            let mut module: Names =
                name.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod" || last == "lib") {
                module.pop();
            }
            (module.first().is_none_or(|first| first != "cli" && first != "main")).then_some(module)
        };
        let files = sources().into_iter();
        Crate(files.filter_map(|(name, text)| Some((module(&name)?, source(&text)))).collect())
    }

    /// The file that has what a path in the file `here` leads to; `None` for what is not of this crate.
    fn home_of(&self, here: &[String], path: &[String], asked: &mut Vec<Names>) -> Option<Names> {
        let (first, mut rest) = path.split_first()?;
        let mut at = here.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
                while let Some(("super", more)) = rest.split_first().map(|(a, b)| (a.as_str(), b)) {
                    at.pop();
                    rest = more;
                }
            }
            _ if self.0.contains_key(&[here, &path[..1]].concat()) => rest = path,
            _ => return None,
        }
        while let Some((name, more)) = rest.split_first() {
            let child = [&at[..], &rest[..1]].concat();
            if self.0.contains_key(&child) {
                (at, rest) = (child, more);
                continue;
            }
            let question = child.clone();
            let source = self.0.get(&at)?;
            if let Some((path, _)) = source.imports.get(name).filter(|_| !asked.contains(&question))
            {
                asked.push(question);
                return self.home_of(&at, path, asked);
            }
            break;
        }
        self.0.contains_key(&at).then_some(at)
    }

    /// The files that a file needs.
    fn needs(&self, here: &Names, source: &Source) -> BTreeSet<Names> {
        let is_used = |name: &String| source.code.split(|c| !is_word(c)).any(|word| word == name);
        let used =
            source.imports.iter().filter(|(name, (_, handed_on))| !handed_on || is_used(name));
        let imported = used.map(|(_, (path, _))| path.clone());
        let written = paths(&source.code).into_iter();
        let written = written.filter(|path| !source.imports.contains_key(&path[0]));
        let all = imported.chain(source.globs.iter().cloned()).chain(written);
        let homes = all.filter_map(|path| self.home_of(here, &path, &mut Vec::new()));
        homes.filter(|home| home != here).collect()
    }
}

/// Everything that can be reached, in one step or more.
fn reached(from: &Names, needs: &BTreeMap<Names, BTreeSet<Names>>) -> BTreeSet<Names> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from.clone()]);
    while let Some(here) = next.pop() {
        for there in needs.get(&here).into_iter().flatten() {
            if found.insert(there.clone()) {
                next.push(there.clone());
            }
        }
    }
    found
}

fn circles(sources: &Crate) -> BTreeSet<Vec<String>> {
    let needs: BTreeMap<Names, BTreeSet<Names>> = sources
        .0
        .iter()
        .map(|(here, source)| (here.clone(), sources.needs(here, source)))
        .collect();
    let all: BTreeMap<&Names, BTreeSet<Names>> =
        needs.keys().map(|here| (here, reached(here, &needs))).collect();
    let in_circles = all.iter().filter(|(here, reached)| reached.contains(**here));
    let circle = |here: &Names, reached: &BTreeSet<Names>| {
        let members = reached.iter().filter(|there| all[*there].contains(here));
        members.map(|there| there.join("::")).collect::<Vec<_>>()
    };
    in_circles.map(|(here, reached)| circle(here, reached)).collect()
}

#[test]
fn no_files_import_each_other() {
    let found = circles(&Crate::read());
    assert!(found.is_empty(), "these files import each other: {found:#?}");
}

fn of_texts(texts: &[(&str, &str)]) -> BTreeSet<Vec<String>> {
    circles(&Crate(texts.iter().map(|(file, text)| (names(file), source(text))).collect()))
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let two = |one: &str, other: &str| {
        of_texts(&[("", "mod a; mod b;\npub use a::A;"), ("a", one), ("b", other)])
    };
    for (one, other) in [
        ("use crate::b::B;", "use crate::a::A;"),
        ("use super::b::B;", "use crate::{a::{A as Other, C}};"),
        ("use crate::b;\nfn f() { b::f() }", "fn f() { crate::a::f() }"),
        ("use super::b::*;", "use crate::A;"),
        ("pub use crate::b::B;\nfn f() -> B {}", "use super::a::A;"),
    ] {
        assert_eq!(two(one, other), [vec!["a".to_owned(), "b".to_owned()]].into(), "{one} {other}");
    }
}

#[test]
fn handing_on_tests_comments_and_visibility_make_no_circle() {
    let lower = "use crate::A;\n// crate::b::B\npub(in crate::b) struct S;\n\
                 fn f() {\n    #[cfg(test)]\n    crate::b::f();\n}";
    let upper = "use crate::c::C;\npub(crate) use super::a::A;";
    let texts = [("", "pub use a::A;\npub use b::B;"), ("a", ""), ("b", upper), ("c", lower)];
    assert_eq!(of_texts(&texts), BTreeSet::new());
}
