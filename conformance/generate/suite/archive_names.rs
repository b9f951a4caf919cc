//! Check 1: names, and names that would be one file on some system.

use super::case::Case;
use super::package::Package;

pub fn cases() -> Vec<Case> {
    let mut cases = refused();
    cases.extend(collisions());
    cases.extend(accepted());
    cases
}

/// A name: the case's, the title, and the bytes.
type Name = (&'static str, &'static str, &'static [u8]);

fn refused() -> Vec<Case> {
    let paths = "A name that leads out of the directory it is unpacked in, on some system.";
    let alphabet =
        "One alphabet in which every letter is one byte, looks like itself and means nothing \
                    to a file system, shell or terminal.";
    let devices = "On Windows this opens a device, in every directory and with every extension.";
    let unicode = "Letters that look alike, are invisible, or are one file in two spellings.";
    let dot = "Windows drops a dot at the end: two names, one file.";
    let empty = "Readers differ on what an empty component is: a root, a directory, or nothing.";
    let long = "Some systems cut or refuse longer names.";
    let lists: [(&str, &str, &[Name]); 8] = [
        (
            "NAME-03",
            empty,
            &[
                ("absolute", "An absolute path", b"/assets/x"),
                ("double-slash", "An empty component in the middle", b"assets//x"),
                ("folder", "A directory's name, which ends in a slash", b"assets/x/"),
                ("root", "A slash and nothing else", b"/"),
                ("unc-forward", "A network path with slashes", b"//server/share/x"),
            ],
        ),
        (
            "NAME-04",
            paths,
            &[
                ("parent", "The parent directory at the start", b"../x"),
                ("parent-inside", "The parent directory in the middle", b"assets/../x"),
                ("parent-last", "The parent directory at the end", b"assets/.."),
                ("current", "The current directory at the start", b"./manifest.json"),
                ("current-inside", "The current directory in the middle", b"assets/./x"),
                ("three-dots", "Three dots", b"assets/.../x"),
            ],
        ),
        (
            "NAME-04",
            dot,
            &[
                ("trailing-dot", "A dot at the end", b"assets/x."),
                ("trailing-dot-folder", "A dot at the end of a directory", b"assets/x./y"),
            ],
        ),
        (
            "NAME-02",
            alphabet,
            &[
                ("backslash", "A backslash", b"assets\\x"),
                ("parent-backslash", "The parent directory with backslashes", b"assets/..\\..\\x"),
                ("drive", "A drive letter", b"C:/x"),
                ("unc", "A network path with backslashes", b"\\\\server\\share\\x"),
                ("stream", "An alternate data stream", b"assets/x.txt:evil"),
                ("nul-middle", "A NUL in the middle", b"assets/x\0.txt"),
                ("nul-last", "A NUL at the end", b"assets/x\0"),
                ("control", "A control character", b"assets/x\x01"),
                (
                    "line-feed",
                    "A line feed, which would make two lines of the listing",
                    b"assets/x\ny",
                ),
                ("escape", "An escape sequence for terminals", b"assets/\x1b[2Jx"),
                ("delete", "The character DEL", b"assets/x\x7f"),
                ("space-first", "A space at the start", b"assets/ x"),
                ("space-last", "A space at the end", b"assets/x "),
                ("space", "A space in the middle, which would shift the listing", b"assets/x y"),
                ("star", "A wild card, star", b"assets/*"),
                ("question-mark", "A wild card, question mark", b"assets/?"),
                ("double-quote", "A double quote", b"assets/\"x"),
                ("single-quote", "A single quote", b"assets/'x"),
                ("percent", "A per cent sign", b"assets/%2e%2e"),
                ("dollar", "A dollar sign", b"assets/$HOME"),
                ("semicolon", "A semicolon", b"assets/x;y"),
                ("tilde", "A tilde", b"~/x"),
                ("pipe", "A pipe", b"assets/x|y"),
                ("less-than", "An angle bracket", b"assets/<x"),
                ("device-space", "A device with a space and an extension", b"assets/CON .txt"),
                ("device-dollar", "The device CONIN$", b"assets/CONIN$"),
            ],
        ),
        (
            "NAME-05",
            devices,
            &[
                ("device-con", "The device CON", b"assets/CON"),
                ("device-aux-extension", "The device AUX with an extension", b"assets/AUX.txt"),
                ("device-nul-lower", "The device NUL in lower case", b"assets/nul"),
                ("device-prn-folder", "The device PRN as a directory", b"assets/PRN/x"),
                ("device-com1", "The device COM1", b"assets/COM1"),
                ("device-com0", "The device COM0", b"assets/com0.log"),
                ("device-lpt9", "The device LPT9 with two extensions", b"assets/lpt9.tar.gz"),
                ("device-entry", "A device at the top", b"aux.wasm"),
            ],
        ),
        (
            "NAME-02",
            unicode,
            &[
                ("utf8", "A letter with an accent", "assets/é".as_bytes()),
                ("decomposed", "The same letter in two code points", "assets/e\u{301}".as_bytes()),
                (
                    "bidirectional",
                    "A mark that turns the direction",
                    "assets/x\u{202e}txt.exe".as_bytes(),
                ),
                ("zero-width", "A zero-width space", "assets/x\u{200b}".as_bytes()),
                ("cyrillic", "A Cyrillic letter that looks Latin", "assets/аsset".as_bytes()),
                ("full-width-slash", "A full-width slash", "assets/x\u{ff0f}y".as_bytes()),
                ("full-width-dots", "Full-width dots", "assets/\u{ff0e}\u{ff0e}/x".as_bytes()),
                (
                    "superscript-device",
                    "The device COM with a superscript digit",
                    "assets/COM¹".as_bytes(),
                ),
                ("byte-order-mark", "A byte order mark", "\u{feff}assets/x".as_bytes()),
                ("cp437", "A byte of code page 437", b"assets/\x81"),
                ("invalid-utf8", "A byte that starts nothing in UTF-8", b"assets/\xff"),
                ("overlong", "An overlong encoding of a slash", b"assets/x\xc0\xafy"),
                ("surrogate", "A surrogate in UTF-8", b"assets/\xed\xa0\x80"),
            ],
        ),
        ("NAME-01", empty, &[("empty", "A name of no bytes", b"")]),
        (
            "NAME-02",
            long,
            &[(
                "deep",
                "A name of 17 components",
                b"assets/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
            )],
        ),
    ];
    let mut cases = Vec::new();
    for (spec, why, names) in lists {
        for (id, title, name) in names {
            cases.push(
                with(&format!("name-{id}"), name)
                    .says(title, why)
                    .spec(spec)
                    .refused("archive.name"),
            );
        }
    }
    let longest = format!("assets/{}", "x".repeat(249));
    cases.push(
        with("name-256-bytes", longest.as_bytes())
            .says("A name of 256 bytes", long)
            .spec("NAME-01")
            .refused("archive.name"),
    );
    cases
}

/// A package with a further entry of this name, correctly signed.
fn with(id: &str, name: &[u8]) -> Case {
    Package::new().with(name, "x").case(1, &format!("archive/{id}"))
}

fn collisions() -> Vec<Case> {
    let duplicate = |id: &str, title: &str, second: &[u8]| {
        let mut zip = Package::new().with("assets/x", "x").zip();
        let mut twin = zip.entry("assets/x").clone();
        (twin.content, twin.data) = (second.to_vec(), second.to_vec());
        zip.entries.insert(1, twin);
        Case::verify(1, &format!("archive/{id}"), zip.bytes())
            .says(
                title,
                "The first, the last or both: readers differ on which of two equal names counts.",
            )
            .spec("ZIP-10 NAME-06")
            .refused("archive.name_collision archive.order")
    };
    let mut modules = Package::new().zip();
    let twin = modules.entry("tool.wasm").clone();
    modules.entries.push(twin);
    let pair = |id: &str, title: &str, spec: &str, names: [&str; 2]| {
        Package::new()
            .with(names[0], "x")
            .with(names[1], "y")
            .case(1, &format!("archive/{id}"))
            .says(
                title,
                "Two entries that are one file, or a file and a directory, on some system.",
            )
            .spec(spec)
            .refused("archive.name_collision")
    };
    vec![
        duplicate("duplicate-different", "One name twice, with different contents", b"y"),
        duplicate("duplicate-identical", "One name twice, with the same content", b"x"),
        Case::verify(1, "archive/duplicate-module", modules.bytes())
            .says("The module twice", "Which of the two runs must not be a question.")
            .spec("ZIP-10 NAME-06")
            .refused("archive.name_collision archive.order"),
        pair(
            "case-asset",
            "Two assets that differ in case only",
            "NAME-06",
            ["assets/X", "assets/x"],
        ),
        pair(
            "case-folder",
            "Two directories that differ in case only, with one file each",
            "NAME-06",
            ["assets/A/x", "assets/a/x"],
        ),
        pair(
            "case-manifest",
            "A second manifest in upper case",
            "NAME-06",
            ["MANIFEST.JSON", "assets/x"],
        ),
        pair(
            "file-as-folder",
            "A file that is the directory of another",
            "NAME-07",
            ["assets/x", "assets/x/y"],
        ),
        pair(
            "file-as-folder-case",
            "A file that is the directory of another except for its case",
            "NAME-07",
            ["assets/X", "assets/x/y"],
        ),
        pair(
            "file-as-folder-deep",
            "A file that is a directory two levels up",
            "NAME-07",
            ["assets/x", "assets/x/y/z"],
        ),
        Package::new()
            .with("assets", "x")
            .with("assets/x", "y")
            .case(1, "archive/file-as-assets")
            .says("A file named as the directory of all assets", "It would hide every asset.")
            .spec("NAME-07")
            .refused("archive.name_collision"),
    ]
}

fn accepted() -> Vec<Case> {
    let near = "It lies next to a rule and on the right side of it.";
    let longest = format!("assets/{}", "x".repeat(248));
    let deep = "assets/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16";
    let mut cases = Vec::new();
    for (id, title, spec, names) in [
        ("name-255-bytes", "A name of 255 bytes", "NAME-01", vec![longest.as_str()]),
        ("name-16-deep", "A name of 16 components", "NAME-02", vec![deep]),
        (
            "name-dots",
            "Names with dots that end no component",
            "NAME-04",
            vec!["assets/.hidden", "assets/..x", "assets/a..b"],
        ),
        (
            "name-near-devices",
            "Names that only start like devices",
            "NAME-05",
            vec!["assets/COM", "assets/COM10", "assets/CONSOLE.txt", "assets/x.con"],
        ),
        (
            "name-near-collisions",
            "Names that only look like a file and its directory",
            "NAME-06 NAME-07",
            vec!["assets/x", "assets/x.y", "assets/x-y/z"],
        ),
        (
            "name-punctuation",
            "Every kind of character that is allowed",
            "NAME-02",
            vec!["assets/-_.A-z_09"],
        ),
    ] {
        let package = names.iter().fold(Package::new(), |package, name| package.with(name, "x"));
        cases.push(package.case(1, &format!("archive/accept-{id}")).says(title, near).spec(spec));
    }
    cases
}
