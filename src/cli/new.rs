//! `mpp new`: a new tool project, ready to be built, packed and run.
//!
//! The files are in `templates/`, in one directory for each language. Names between two `@` are replaced.

use super::{file_error, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::{Code, Error};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Create a new tool project
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "new")]
pub struct New {
    /// directory to create
    #[argh(positional)]
    directory: PathBuf,
    /// rust [default], c, go, javascript, python, assemblyscript
    #[argh(option, default = "String::from(\"rust\")")]
    lang: String,
    /// use this package id [default: org.example.DIRECTORY]
    #[argh(option)]
    id: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// The files of every language.
const SHARED: &[(&str, &str)] = &[
    ("package/manifest.json", include_str!("templates/manifest.json")),
    ("package/README.md", include_str!("templates/package.md")),
    ("README.md", include_str!("templates/readme.md")),
    (".gitignore", "/package/tool.wasm\n/target\n/node_modules\n*.key\n*.mpp\n"),
];
/// The files and settings of a language.
struct Language {
    name: &'static str,
    /// What the build script requires.
    needs: &'static str,
    files: &'static [(&'static str, &'static str)],
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
    args: "[]",
    memory_mb: 16,
    timeout_ms: 5_000,
    fuel: 1_000_000_000,
};

const LANGUAGES: [Language; 6] = [
    Language {
        name: "rust",
        needs: "Rust and, once, `rustup target add wasm32-wasip1`",
        files: &[
            ("build", include_str!("templates/rust/build")),
            ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
            ("src/main.rs", include_str!("templates/rust/main.rs.txt")),
        ],
        ..COMPILED
    },
    Language {
        name: "c",
        needs: "clang and wasi-libc; its first lines say where to get them",
        files: &[
            ("build", include_str!("templates/c/build")),
            ("src/tool.c", include_str!("templates/c/tool.c")),
            ("src/jsonrpc.h", include_str!("../../conformance/tools/src/jsonrpc.h")),
        ],
        ..COMPILED
    },
    Language {
        name: "go",
        needs: "Go 1.21 or later",
        files: &[
            ("build", include_str!("templates/go/build")),
            ("go.mod", include_str!("templates/go/go.mod.txt")),
            ("tool.go", include_str!("templates/go/tool.go.txt")),
        ],
        memory_mb: 128,
        timeout_ms: 20_000,
        fuel: 10_000_000_000,
        ..COMPILED
    },
    Language {
        name: "javascript",
        needs: "QuickJS for WASI; its first lines say how to get or compile it",
        files: &[
            ("build", include_str!("templates/javascript/build")),
            ("package/assets/tool.js", include_str!("templates/javascript/tool.js")),
        ],
        args: r#"["-m", "/assets/tool.js"]"#,
        memory_mb: 64,
        timeout_ms: 10_000,
        fuel: 5_000_000_000,
    },
    Language {
        name: "python",
        needs: "Python with pip, to fetch CPython 3.12 for WASI",
        files: &[
            ("build", include_str!("templates/python/build")),
            ("package/assets/tool.py", include_str!("templates/python/tool.py")),
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
            ("src/tool.ts", include_str!("templates/assemblyscript/tool.ts")),
            ("src/jsonrpc.ts", include_str!("../../conformance/tools/src/calendar/jsonrpc.ts")),
        ],
        ..COMPILED
    },
];

impl Language {
    fn find(name: &str) -> Result<&'static Self, Error> {
        let name = if name == "js" { "javascript" } else { name };
        LANGUAGES.iter().find(|language| language.name == name).ok_or_else(|| {
            let known = LANGUAGES.map(|language| language.name).join(", ");
            usage_error(format!("--lang {name:?}: expected one of {known}"))
        })
    }

    fn filled_in(&self, template: &str, id: &str, name: &str) -> String {
        [
            ("@ID@", id.to_owned()),
            ("@NAME@", name.to_owned()),
            ("@NEEDS@", self.needs.to_owned()),
            ("@ARGS@", self.args.to_owned()),
            ("@MEMORY_MB@", self.memory_mb.to_string()),
            ("@TIMEOUT_MS@", self.timeout_ms.to_string()),
            ("@FUEL@", self.fuel.to_string()),
        ]
        .iter()
        .fold(template.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }
}

impl New {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let language = Language::find(&self.lang)?;
        let name = self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let word: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let word = word.trim_matches('-');
        if !word.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(usage_error("the name of the directory does not start with a letter"));
        }
        let id = self.id.unwrap_or_else(|| format!("org.example.{word}"));
        fs::create_dir(&self.directory).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                usage_error(format!("{} already exists", self.directory.display()))
            }
            _ => file_error(&self.directory, &error),
        })?;
        let mut files = Vec::new();
        for (path, template) in SHARED.iter().chain(language.files) {
            let text = language.filled_in(template, &id, word);
            create(&self.directory, path, &text)?;
            files.push(*path);
        }
        // Verifies the manifest that was written, and with it `--id`.
        let manifest = fs::read(self.directory.join("package/manifest.json"))
            .map_err(|error| file_error(&self.directory, &error))?;
        if let Err(error) = mpp::Manifest::parse(&manifest) {
            let _ = fs::remove_dir_all(&self.directory);
            return Err(Error::new(Code::Usage, error.detail()));
        }
        let directory = self.directory.display();
        let text = format!(
            "created {directory} with {}\n\nnext:\n  {directory}/build\n  mpp keygen me\n  \
             mpp pack {directory}/package --key me.key -o {word}.mpp\n  \
             mpp trust add me.pub --name Me --namespace {id}\n  \
             mpp run {word}.mpp --tool greet --args '{{\"name\":\"Ann\"}}'\n",
            files.join(", ")
        );
        Ok(CommandOutput::new(
            text,
            json!({ "directory": self.directory, "id": id, "files": files }),
        ))
    }
}

fn create(directory: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = directory.join(name);
    let failed = |error: std::io::Error| file_error(&path, &error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if name == "build" {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    }
    options.open(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
