//! Snapshots of what packages keep.

use super::case::Case;

const PACKAGE: &str = "org.example.notes";

fn key() -> String {
    "ab".repeat(32)
}

fn header() -> String {
    format!("mpp-storage/1\n{PACKAGE}\n{}\n", key())
}

fn snapshot(id: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::host("storage", &format!("storage/{id}"), "storage", bytes)
        .with("package", PACKAGE)
        .with("publisher_key", key())
}

fn with_body(body: &[u8]) -> Vec<u8> {
    [header().as_bytes(), body].concat()
}

fn file(depth: u8, name: &[u8], content: &[u8]) -> Vec<u8> {
    let name_length = u8::try_from(name.len()).unwrap();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[depth, b'f', name_length], name, &length, content].concat()
}

fn directory(depth: u8, name: &[u8]) -> Vec<u8> {
    [&[depth, b'd', u8::try_from(name.len()).unwrap()], name].concat()
}

/// These entries and the end.
fn of(entries: &[Vec<u8>]) -> Vec<u8> {
    [with_body(&entries.concat()), vec![0]].concat()
}

pub fn cases() -> Vec<Case> {
    let good = of(&[
        file(1, b"next", b"2"),
        directory(1, b"note"),
        file(2, b"1", b"Tea\nAssam"),
        file(1, b"note-2", b""),
    ]);
    let mut cases = vec![
        snapshot("accept-nothing", of(&[]))
            .says("Nothing is stored any more", "A package can remove all that it stored.")
            .spec("STO-10"),
        snapshot("accept-files", good.clone())
            .says("Files, and one in a directory", "What lies in a directory follows it.")
            .spec("STO-10 STO-11 STO-13"),
    ];
    let one = || file(1, b"a", b"x");
    let deep = |count: u8| of(&(1..=count).map(|depth| directory(depth, b"d")).collect::<Vec<_>>());
    cases.push(
        snapshot("accept-deep", deep(32))
            .says("Directories 32 deep", "A guest can create this depth.")
            .spec("STO-12"),
    );
    let order = "Equal contents have equal bytes, so that a change is seen as one.";
    let form = "One form means one reading, and nothing is hidden in what is stored.";
    let names = "What a guest could not have left was written by another program.";
    let whose = "What one package stored is not another's.";
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (id, title, why, spec, bytes) in [
        ("empty", "An empty file", form, "STO-10", Vec::new()),
        ("header-alone", "The header alone", form, "STO-10", with_body(b"")),
        ("cut", "The last byte missing", form, "STO-10", good[..good.len() - 1].to_vec()),
        ("behind", "A byte after the end", form, "STO-10", [&good[..], b"\0"].concat()),
        ("order", "Names out of order", order, "STO-11", of(&[file(1, b"b", b""), one()])),
        ("twice", "One name twice", order, "STO-11", of(&[one(), one()])),
        (
            "directory-and-file",
            "A directory and a file of one name",
            order,
            "STO-11",
            of(&[directory(1, b"a"), one()]),
        ),
        ("kind", "An entry of another kind", form, "STO-10", with_body(b"\x01l\x01a\0\0\0\0\0")),
        (
            "length",
            "Content longer than the file",
            form,
            "STO-10",
            with_body(b"\x01f\x01a\xff\xff\xff\xff\0"),
        ),
        ("orphan", "An entry in no directory", form, "STO-10", of(&[file(2, b"a", b"")])),
        ("in-file", "An entry in a file", form, "STO-10", of(&[one(), file(2, b"b", b"")])),
        ("too-deep", "Directories 33 deep", names, "STO-12", deep(33)),
        ("name-empty", "An empty name", names, "STO-12", of(&[file(1, b"", b"")])),
        ("name-dot", "The name `.`", names, "STO-12", of(&[file(1, b".", b"")])),
        ("name-parent", "The name `..`", names, "STO-12", of(&[file(1, b"..", b"")])),
        ("name-slash", "A name with a slash", names, "STO-12", of(&[file(1, b"a/b", b"")])),
        ("name-nul", "A name with a NUL", names, "STO-12", of(&[file(1, b"a\0", b"")])),
        ("name-utf8", "A name that is not UTF-8", names, "STO-12", of(&[file(1, b"\xff", b"")])),
        (
            "other-package",
            "The storage of another package",
            whose,
            "STO-13",
            text(&good).replace(PACKAGE, "org.example.other").into_bytes(),
        ),
        (
            "other-key",
            "The storage of another publisher's package",
            whose,
            "STO-13",
            text(&good).replace(&key(), &"cd".repeat(32)).into_bytes(),
        ),
        (
            "other-version",
            "Another version of the format",
            form,
            "STO-13",
            text(&good).replace("storage/1", "storage/2").into_bytes(),
        ),
    ] {
        cases.push(snapshot(id, bytes).says(title, why).spec(spec).refused("storage.damaged"));
    }
    cases
}
