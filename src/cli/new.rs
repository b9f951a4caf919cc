//! `mpp new`: a new tool project, ready to be built, tried, packed and run.

use super::terminal::printable;
use super::{file_error, usage_error, CommandOutput};
use crate::author::project::{create, Language, Names, LANGUAGES};
use argh::{ArgsInfo, FromArgs};
use mpp::{Code, Error};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Create a new tool project
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "new")]
pub struct New {
    /// directory to create; the tool gets its name
    #[argh(positional)]
    directory: PathBuf,
    /// rust [default], c, cpp, go, js, ts, python, assemblyscript
    #[argh(option, default = "String::from(\"rust\")")]
    lang: String,
    /// json-rpc [default], command, mcp
    #[argh(option, default = "String::from(\"json-rpc\")")]
    protocol: String,
    /// use this package id [default: org.example.DIRECTORY]
    #[argh(option)]
    id: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl New {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let language = Language::find(&self.lang).ok_or_else(|| {
            let known = LANGUAGES.map(|language| language.name).join(", ");
            usage_error(format!("--lang {:?}: expected one of {known}", self.lang))
        })?;
        let names = Names::of(&self.directory, self.id).map_err(usage_error)?;
        let files = language.files(&self.protocol, &names).ok_or_else(|| {
            let known = match Language::all_with(&self.protocol) {
                none if none.is_empty() => "json-rpc, command, mcp".to_owned(),
                languages => format!("this protocol with --lang {}", languages.join(", ")),
            };
            usage_error(format!("--protocol {:?}: expected {known}", self.protocol))
        })?;
        // Verifies the manifest that will be written, and with it `--id`.
        let manifest = files.iter().find(|(path, _)| path.ends_with("manifest.json"));
        let manifest = manifest.map(|(_, text)| text.as_bytes()).unwrap_or_default();
        let manifest = mpp::Manifest::parse(manifest);
        manifest.map_err(|error| Error::new(Code::Usage, error.detail()))?;
        fs::create_dir(&self.directory).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                usage_error(format!("{} already exists", self.directory.display()))
            }
            _ => file_error(&self.directory, &error),
        })?;
        for (path, text) in &files {
            create(&self.directory, path, text).map_err(|error| {
                let _ = fs::remove_dir_all(&self.directory);
                file_error(&self.directory.join(path), &error)
            })?;
        }
        let Names { id, package, tool } = &names;
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        let directory = shell_quoted(&self.directory);
        let here = if directory.starts_with(['/', '\'', '.']) { "" } else { "./" };
        let next = [
            format!("{here}{directory}/build"),
            format!("mpp dev {directory}"),
            "mpp keygen me".to_owned(),
            format!("mpp trust add me.pub --name Me --namespace {}", namespace(id)),
            format!("mpp pack {directory}/package --key me.key -o {package}.mpp"),
            format!("mpp install {package}.mpp"),
            "mpp serve --print-config vscode".to_owned(),
        ];
        let is_source = |path: &&&&str| path.starts_with("src/") || path.contains("tool.");
        let source = paths.iter().find(is_source).map_or("", |path| path);
        let text = format!(
            "created {directory} with the tool {tool}: an example, in {source},\npackage/manifest.json and \
             tests.json\n\nnext:\n  {}\n",
            next.join("\n  ")
        );
        let json = json!({ "directory": self.directory, "id": id, "tool": tool, "files": paths, "next": next });
        Ok(CommandOutput::new(text, json))
    }
}

/// The path as one word of a shell's line.
fn shell_quoted(path: &Path) -> String {
    let text = printable(&path.display().to_string());
    let text = text.strip_suffix('/').unwrap_or(&text);
    // No command takes it for an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    match text.chars().all(|c| c.is_alphanumeric() || "/._-+,@%".contains(c)) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// The id without its last label: one line of trust for all tools of an author.
fn namespace(id: &str) -> &str {
    match id.rsplit_once('.') {
        Some((parent, _)) if parent.contains('.') => parent,
        _ => id,
    }
}
