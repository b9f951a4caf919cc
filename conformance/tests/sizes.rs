//! How much code there is to read, and that it does not grow unnoticed.
//!
//! A line of code is neither blank nor a comment; tests are left out. `cargo test --test conformance
//! sizes:: -- --nocapture` prints the table. A number here changes in a commit that says why.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The most lines that each room may have: a folder of `src/kernel/`, or its files together, or one of the other folders of `src/`.
const LINES_MAX: [(&str, usize); 16] = [
    ("audit", 1_010),
    ("cli", 2_765),
    ("consent", 585),
    ("door", 680),
    ("files of kernel", 2_720),
    ("host", 2_225),
    ("json", 225),
    ("lib.rs", 70),
    ("mcp", 765),
    ("module", 475),
    ("package", 1_670),
    ("pattern", 395),
    ("policy", 1_065),
    ("privacy", 2_540),
    ("sandbox", 4_255),
    ("secrets", 255),
];

/// The most lines of all of it but the command line.
const LIBRARY_LINES_MAX: usize = 17_930;

fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part.to_str().is_some_and(|name| name.starts_with("tests")))
}

/// Lines that are code. A test module at the end of a file ends the count.
fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let opens = |window: &[&str]| {
        window[0] == "#[cfg(test)]" && window.iter().any(|line| line.starts_with("mod tests {"))
    };
    let end = lines.windows(3).position(opens).unwrap_or(lines.len());
    lines[..end].iter().filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

fn rooms() -> BTreeMap<String, usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut rooms, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let below = path.strip_prefix(&root).unwrap();
            if is_test(below) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let parts: Vec<&str> = below.iter().map(|part| part.to_str().unwrap()).collect();
                let room = match parts.as_slice() {
                    ["kernel", room, _, ..] => room,
                    ["kernel", _] => "files of kernel",
                    ["main.rs"] => "cli",
                    [room, _, ..] => room,
                    _ => "lib.rs",
                };
                let lines = code_lines(&fs::read_to_string(&path).unwrap());
                *rooms.entry(room.to_owned()).or_default() += lines;
            }
        }
    }
    rooms
}

#[test]
fn no_room_and_not_the_library_has_more_lines_than_agreed() {
    let rooms = rooms();
    let library: usize =
        rooms.iter().filter(|(room, _)| *room != "cli").map(|(_, lines)| lines).sum();
    for (room, lines) in &rooms {
        println!("{lines:>6} {room}");
    }
    println!("{library:>6} library");
    let mut faults = Vec::new();
    for (room, lines) in &rooms {
        match LINES_MAX.iter().find(|(known, _)| known == room) {
            None => faults.push(format!("{room} has no number here")),
            Some((_, most)) if lines > most => {
                faults.push(format!("{room} has {lines} lines, {most} are agreed"))
            }
            Some(_) => {}
        }
    }
    if library > LIBRARY_LINES_MAX {
        faults.push(format!("the library has {library} lines, {LIBRARY_LINES_MAX} are agreed"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
