//! Room: `mpp new`: a tool to begin with, whole and ready to be built, packed and run.
//!
//! The files lie in `templates/`, one folder for each language; `@ID@` and `@NAME@` are filled in.

use super::{file_error, usage_error, Report};
use argh::FromArgs;
use mpp::{Code, Error};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Begin a tool: source, manifest and build script in a new folder.
#[derive(FromArgs)]
#[argh(subcommand, name = "new")]
pub struct New {
    /// the folder to make
    #[argh(positional)]
    folder: PathBuf,
    /// language: rust (default) or c
    #[argh(option, default = "String::from(\"rust\")")]
    lang: String,
    /// id of the package, such as org.acme.weather; by default org.example. and the folder's name
    #[argh(option)]
    id: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

const SHARED: &[(&str, &str)] = &[
    ("package/manifest.json", include_str!("templates/manifest.json")),
    ("package/README.md", include_str!("templates/package.md")),
    (".gitignore", "/package/tool.wasm\n/target\n*.key\n*.mpp\n"),
];
const C: &[(&str, &str)] = &[
    ("build", include_str!("templates/c/build")),
    ("src/tool.c", include_str!("templates/c/tool.c")),
    ("src/jsonrpc.h", include_str!("../../conformance/tools/src/jsonrpc.h")),
];
const RUST: &[(&str, &str)] = &[
    ("build", include_str!("templates/rust/build")),
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
    ("src/main.rs", include_str!("templates/rust/main.rs.txt")),
];

impl New {
    pub fn run(self) -> Result<Report, Error> {
        let files = match self.lang.as_str() {
            "c" => C,
            "rust" => RUST,
            other => return Err(usage_error(format!("--lang {other}: rust and c are known"))),
        };
        let name = self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let word: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let word = word.trim_matches('-');
        if !word.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(usage_error("the folder's name has to begin with a letter"));
        }
        let id = self.id.unwrap_or_else(|| format!("org.example.{word}"));
        fs::create_dir(&self.folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                usage_error(format!("{} is there already", self.folder.display()))
            }
            _ => file_error(&self.folder, &error),
        })?;
        let mut written = Vec::new();
        for (path, template) in SHARED.iter().chain(files) {
            let text = template.replace("@ID@", &id).replace("@NAME@", word);
            create(&self.folder, path, &text)?;
            written.push(*path);
        }
        // What was just written is held against the rules, so that a bad --id is heard of now.
        let manifest = fs::read(self.folder.join("package/manifest.json"))
            .map_err(|error| file_error(&self.folder, &error))?;
        if let Err(error) = mpp::Manifest::parse(&manifest) {
            let _ = fs::remove_dir_all(&self.folder);
            return Err(Error::new(Code::Usage, error.detail()));
        }
        let folder = self.folder.display();
        let text = format!(
            "made {folder} with {}\n\nnext:\n  {folder}/build\n  mpp keygen me\n  mpp pack {folder}/package \
             --key me.key -o {word}.mpp\n  mpp trust add me.pub --name Me --namespace {id}\n  \
             mpp run {word}.mpp --tool greet --args '{{\"name\":\"Ann\"}}'\n",
            written.join(", ")
        );
        Ok(Report::new(text, json!({ "folder": self.folder, "id": id, "files": written })))
    }
}

fn create(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = folder.join(name);
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
