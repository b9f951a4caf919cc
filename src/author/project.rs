//! New tool projects: the files of each language and protocol, from `templates/`. Names between two `@` are replaced.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// A path in the project, and its content.
type File = (&'static str, &'static str);

/// The files of every project.
const SHARED: &[File] = &[
    ("package/manifest.json", include_str!("templates/manifest.json")),
    ("package/README.md", include_str!("templates/package.md")),
    ("README.md", include_str!("templates/readme.md")),
    (".gitignore", "/package/tool.wasm\n/target\n/node_modules\n*.key\n*.mpp\n"),
];

/// What the manifest of a command-line program has besides: a parameter for stdin, and where the parameters go.
const MESSAGE: &str = ",
          \"message\": { \"type\": \"string\", \"maxLength\": 2000, \"description\": \"What follows the greeting.\" }";
const COMMAND: &str = "      \"command\": { \"args\": [\"{name}\"], \"stdin\": \"{message}\" },\n";

/// The files and settings of a language.
pub struct Language {
    /// The argument of `--lang`.
    pub name: &'static str,
    /// What the build script requires.
    needs: &'static str,
    files: &'static [File],
    /// The files of each protocol that the language has a template for; the first is the default.
    sources: &'static [(&'static str, &'static [File])],
    /// `runtime.args`: names the script if the module is an interpreter.
    args: &'static str,
    memory_mb: u32,
    timeout_ms: u32,
    fuel: u64,
}

/// A language whose compiler makes a small module.
const COMPILED: Language = Language {
    name: "",
    needs: "",
    files: &[],
    sources: &[],
    args: "[]",
    memory_mb: 16,
    timeout_ms: 5_000,
    fuel: 1_000_000_000,
};

/// A language that QuickJS runs.
const SCRIPT: Language = Language {
    args: r#"["-m", "/assets/tool.js"]"#,
    memory_mb: 64,
    timeout_ms: 10_000,
    fuel: 5_000_000_000,
    ..COMPILED
};

const QUICKJS: File = ("quickjs", include_str!("templates/javascript/quickjs"));
const CARGO_TOML: File = ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt"));
const CARGO_LOCK: File = ("Cargo.lock", include_str!("templates/rust/Cargo.lock.txt"));
const JSONRPC_H: File = ("src/jsonrpc.h", include_str!("../../conformance/tools/src/jsonrpc.h"));
const JSON_HPP: File = ("src/json.hpp", include_str!("templates/cpp/json.hpp"));

/// Every language of `mpp new`.
pub const LANGUAGES: [Language; 8] = [
    Language {
        name: "rust",
        needs: "Rust with a target for WebAssembly",
        files: &[("build", include_str!("templates/rust/build"))],
        sources: &[
            (
                "json-rpc",
                &[
                    CARGO_TOML,
                    CARGO_LOCK,
                    ("src/main.rs", include_str!("templates/rust/main.rs.txt")),
                    ("src/mpp.rs", include_str!("../sdk/mod.rs")),
                ],
            ),
            (
                "command",
                &[
                    ("Cargo.toml", include_str!("templates/rust/command.Cargo.toml.txt")),
                    ("src/main.rs", include_str!("templates/rust/command.rs.txt")),
                ],
            ),
            (
                "mcp",
                &[
                    CARGO_TOML,
                    CARGO_LOCK,
                    ("src/main.rs", include_str!("templates/rust/mcp.rs.txt")),
                ],
            ),
        ],
        ..COMPILED
    },
    Language {
        name: "c",
        needs: "clang and wasi-libc",
        files: &[("build", include_str!("templates/c/build"))],
        sources: &[
            ("json-rpc", &[("src/tool.c", include_str!("templates/c/tool.c")), JSONRPC_H]),
            ("command", &[("src/tool.c", include_str!("templates/c/command.c"))]),
            ("mcp", &[("src/tool.c", include_str!("templates/c/mcp.c")), JSONRPC_H]),
        ],
        ..COMPILED
    },
    Language {
        name: "cpp",
        needs: "clang++, wasi-libc and libc++ for WASI",
        files: &[("build", include_str!("templates/cpp/build"))],
        sources: &[
            ("json-rpc", &[("src/tool.cc", include_str!("templates/cpp/tool.cc")), JSON_HPP]),
            ("command", &[("src/tool.cc", include_str!("templates/cpp/command.cc"))]),
            ("mcp", &[("src/tool.cc", include_str!("templates/cpp/mcp.cc")), JSON_HPP]),
        ],
        ..COMPILED
    },
    Language {
        name: "go",
        needs: "Go 1.21 or later",
        files: &[
            ("build", include_str!("templates/go/build")),
            ("go.mod", include_str!("templates/go/go.mod.txt")),
        ],
        sources: &[
            ("json-rpc", &[("tool.go", include_str!("templates/go/tool.go.txt"))]),
            ("command", &[("tool.go", include_str!("templates/go/command.go.txt"))]),
            ("mcp", &[("tool.go", include_str!("templates/go/mcp.go.txt"))]),
        ],
        memory_mb: 128,
        timeout_ms: 20_000,
        fuel: 10_000_000_000,
        ..COMPILED
    },
    Language {
        name: "javascript",
        needs: "QuickJS for WASI, or clang, wasi-libc and cargo to compile it",
        files: &[("build", include_str!("templates/javascript/build")), QUICKJS],
        sources: &[
            ("json-rpc", &[("package/assets/tool.js", include_str!("templates/javascript/tool.js"))]),
            ("command", &[("package/assets/tool.js", include_str!("templates/javascript/command.js"))]),
            ("mcp", &[("package/assets/tool.js", include_str!("templates/javascript/mcp.js"))]),
        ],
        ..SCRIPT
    },
    Language {
        name: "typescript",
        needs: "Node 18 or later with npm, and QuickJS for WASI, or clang, wasi-libc and cargo to compile it",
        files: &[
            ("build", include_str!("templates/typescript/build")),
            ("package.json", include_str!("templates/typescript/package.json")),
            ("tsconfig.json", include_str!("templates/typescript/tsconfig.json")),
            ("src/qjs.d.ts", include_str!("templates/typescript/qjs.d.ts")),
            QUICKJS,
        ],
        sources: &[
            ("json-rpc", &[("src/tool.ts", include_str!("templates/typescript/tool.ts"))]),
            ("command", &[("src/tool.ts", include_str!("templates/typescript/command.ts"))]),
            ("mcp", &[("src/tool.ts", include_str!("templates/typescript/mcp.ts"))]),
        ],
        ..SCRIPT
    },
    Language {
        name: "python",
        needs: "Python with pip, to fetch CPython 3.12 for WASI",
        files: &[("build", include_str!("templates/python/build"))],
        sources: &[
            ("json-rpc", &[("package/assets/tool.py", include_str!("templates/python/tool.py"))]),
            ("command", &[("package/assets/tool.py", include_str!("templates/python/command.py"))]),
            ("mcp", &[("package/assets/tool.py", include_str!("templates/python/mcp.py"))]),
        ],
        args: r#"["-I", "-X", "utf8", "/assets/tool.py"]"#,
        memory_mb: 128,
        timeout_ms: 60_000,
        fuel: 50_000_000_000,
    },
    Language {
        name: "assemblyscript",
        needs: "Node 20 or later, with npm",
        files: &[
            ("build", include_str!("templates/assemblyscript/build")),
            ("package.json", include_str!("templates/assemblyscript/package.json")),
        ],
        sources: &[
            (
                "json-rpc",
                &[
                    ("src/tool.ts", include_str!("templates/assemblyscript/tool.ts")),
                    (
                        "src/jsonrpc.ts",
                        include_str!("../../conformance/tools/src/calendar/jsonrpc.ts"),
                    ),
                ],
            ),
            ("command", &[("src/tool.ts", include_str!("templates/assemblyscript/command.ts"))]),
        ],
        ..COMPILED
    },
];

/// The most bytes of a label of a package id (MAN-10), which is less than those of a tool's name (MAN-30).
const LABEL_BYTES_MAX: usize = 63;

/// What a project is called.
pub struct Names {
    /// The package id.
    pub id: String,
    /// The directory's name in lower case, with `-` for all but letters and digits.
    pub package: String,
    /// The same with `_`, which every client takes as the name of a tool.
    pub tool: String,
}

impl Names {
    /// Derives the names from that of the directory; an error says what is wrong with it.
    pub fn of(directory: &Path, id: Option<String>) -> Result<Self, String> {
        let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let package: String = name.chars().map(fold).collect();
        let package = package.trim_matches('-').to_owned();
        let is_known = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
        if let Some(other) = name.chars().find(|c| !is_known(*c)) {
            return Err(format!("the tool cannot have the directory's name, for its {other:?}"));
        }
        if !package.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err("the name of the directory does not start with a letter".to_owned());
        }
        if package.len() > LABEL_BYTES_MAX {
            return Err(format!("the name of the directory has more than {LABEL_BYTES_MAX} bytes"));
        }
        let id = id.unwrap_or_else(|| format!("org.example.{package}"));
        Ok(Names { id, tool: package.replace('-', "_"), package })
    }
}

impl Language {
    /// Finds a language by name.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = match name {
            "js" => "javascript",
            "ts" => "typescript",
            "c++" => "cpp",
            name => name,
        };
        LANGUAGES.iter().find(|language| language.name == name)
    }

    /// Returns the names of the languages that have a template for a protocol.
    pub fn all_with(protocol: &str) -> Vec<&'static str> {
        let with = LANGUAGES.iter().filter(|language| language.sources(protocol).is_some());
        with.map(|language| language.name).collect()
    }

    /// Returns the sources for a protocol, if there is a template.
    fn sources(&self, protocol: &str) -> Option<&'static [File]> {
        self.sources.iter().find(|(name, _)| *name == protocol).map(|(_, files)| *files)
    }

    /// Returns the files of a project, filled in; `None` if there is no template for the protocol.
    pub fn files(&self, protocol: &str, names: &Names) -> Option<Vec<(&'static str, String)>> {
        let sources = self.sources(protocol)?;
        let (tests, message, command) = match protocol {
            "command" => (include_str!("templates/tests-command.json"), MESSAGE, COMMAND),
            _ => (include_str!("templates/tests.json"), "", ""),
        };
        let own: [File; 1] = [("tests.json", tests)];
        let marks = [
            ("@MESSAGE@", message.to_owned()),
            ("@COMMAND@", command.to_owned()),
            ("@PROTOCOL@", protocol.to_owned()),
            ("@ID@", names.id.clone()),
            ("@NAME@", names.package.clone()),
            ("@TOOL@", names.tool.clone()),
            ("@NEEDS@", self.needs.to_owned()),
            ("@ARGS@", self.args.to_owned()),
            ("@MEMORY_MB@", self.memory_mb.to_string()),
            ("@TIMEOUT_MS@", self.timeout_ms.to_string()),
            ("@FUEL@", self.fuel.to_string()),
        ];
        let filled_in = |(path, template): &File| {
            let fill = |text: String, (mark, value): &(&str, String)| text.replace(mark, value);
            (*path, marks.iter().fold((*template).to_owned(), fill))
        };
        Some(SHARED.iter().chain(&own).chain(self.files).chain(sources).map(filled_in).collect())
    }
}

/// Creates a file that is not there yet, with its directories; scripts can be run.
pub fn create(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if text.starts_with("#!") {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    }
    options.open(&path)?.write_all(text.as_bytes())
}
