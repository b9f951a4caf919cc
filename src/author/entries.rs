//! The files of a package directory: what packing refuses, and what would be signed without being meant.

use super::finding::{Finding, Severity};
use mpp::limits::{
    CONTENT_BYTES_MAX, ENTRIES_COUNT_MAX, ENTRY_BYTES_MAX, MODULE_BYTES_MAX, NAME_DEPTH_MAX,
};
use mpp::names::{check_entry_collisions, check_entry_name};
use mpp::package::{is_module_entry, is_package_file, ASSETS_PREFIX, SIGNATURE_ENTRY};
use mpp::Code;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

/// Findings beyond this are counted only, for a directory that was not meant to be packed.
const FINDINGS_COUNT_MAX: usize = 100;
/// Directories that tools leave behind.
const LEFT_DIRECTORIES: [&str; 10] = [
    "__pycache__",
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    ".venv",
    ".idea",
    ".vscode",
    ".mypy_cache",
    ".pytest_cache",
];
const LEFT_FILES: [&str; 4] = [".DS_Store", "Thumbs.db", "desktop.ini", ".gitignore"];
const LEFT_ENDINGS: [&str; 8] = [".pyc", ".pyo", ".swp", ".swo", ".orig", ".rej", ".bak", "~"];
/// Files that hold secrets by convention.
const SECRET_ENDINGS: [&str; 4] = [".key", ".p12", ".pfx", ".keystore"];
const SECRET_FILES: [&str; 8] =
    [".env", ".netrc", ".npmrc", ".pypirc", "id_rsa", "id_ecdsa", "id_ed25519", "credentials.json"];

/// The files of a package directory that packing can read.
#[derive(Default)]
pub struct Entries {
    pub contents: BTreeMap<String, Vec<u8>>,
    pub findings: Vec<Finding>,
    bytes: usize,
    /// Findings that were left out, and whether one of them is an error.
    more: usize,
    more_is_error: bool,
}

/// Reads a package directory. `shown` is its path in findings.
pub fn read(directory: &Path, shown: &str) -> Entries {
    let mut entries = Entries::default();
    entries.collect(directory, shown, "");
    entries.contents.remove(SIGNATURE_ENTRY);
    let names: Vec<&str> = entries.contents.keys().map(String::as_str).collect();
    if let Err(error) = check_entry_collisions(&names) {
        entries.findings.push(Finding::of_error(&error, shown));
    }
    if entries.bytes > CONTENT_BYTES_MAX {
        let (bytes, limit) = (entries.bytes, CONTENT_BYTES_MAX);
        let what = format!("the files have {bytes} bytes together, limit {limit}");
        entries.findings.push(Finding::refusal(Code::ArchiveTooLarge, shown, what));
    }
    if entries.more > 0 {
        let what = format!("{} more findings about files are not shown", entries.more);
        let help = "remove what does not belong to the package";
        let severity = if entries.more_is_error { Severity::Error } else { Severity::Warning };
        entries.findings.push(Finding::new(severity, "entry.more", shown, what, help));
    }
    entries
}

impl Entries {
    fn note(&mut self, finding: Finding) {
        match self.findings.len() < FINDINGS_COUNT_MAX {
            true => self.findings.push(finding),
            false => {
                self.more = self.more.saturating_add(1);
                self.more_is_error |= finding.severity == Severity::Error;
            }
        }
    }

    fn collect(&mut self, directory: &Path, shown: &str, prefix: &str) {
        let unreadable = |error: std::io::Error| {
            Finding::refusal(Code::HostFile, shown, format!("cannot be read: {error}"))
        };
        let items = match fs::read_dir(directory).and_then(Iterator::collect) {
            Ok::<Vec<_>, _>(items) => items,
            Err(error) => return self.note(unreadable(error)),
        };
        let mut items: Vec<_> =
            items.into_iter().map(|item| (item.file_name(), item.path())).collect();
        items.sort();
        for (file_name, path) in items {
            let place = format!("{shown}/{}", file_name.to_string_lossy());
            let unknown = |what: &str| Finding::refusal(Code::StructureUnknown, &place, what);
            let Some(file_name) = file_name.to_str() else {
                self.note(unknown("the name is not UTF-8").helped("rename the file"));
                continue;
            };
            let name = format!("{prefix}{file_name}");
            // Links are not followed: they could lead out of the project.
            let found = match path.symlink_metadata() {
                Ok(found) => found,
                Err(error) => {
                    self.note(unreadable(error));
                    continue;
                }
            };
            if let Some(finding) = unmeant(file_name, &place, found.is_dir()) {
                self.note(finding);
                if found.is_dir() {
                    continue;
                }
            }
            if found.is_dir() && (!prefix.is_empty() || format!("{name}/") == ASSETS_PREFIX) {
                match name.split('/').count() < NAME_DEPTH_MAX {
                    true => self.collect(&path, &place, &format!("{name}/")),
                    false => self.note(Finding::refusal(
                        Code::ArchiveName,
                        &place,
                        "the directory lies too deep",
                    )),
                }
                continue;
            }
            if !found.is_file() {
                let what = match () {
                    () if found.is_dir() => "a directory other than assets/",
                    () if found.is_symlink() => "a symbolic link; packages have files only",
                    () => "neither a file nor a directory",
                };
                self.note(
                    unknown(what).helped("remove it, or put a copy of the file into assets/"),
                );
                continue;
            }
            if !is_package_file(&name) {
                self.note(unknown("a file that packages do not have at the top"));
                continue;
            }
            if let Err(error) = check_entry_name(name.as_bytes()) {
                self.note(Finding::of_error(&error, &place));
                continue;
            }
            let bytes = usize::try_from(found.len()).unwrap_or(usize::MAX);
            self.bytes = self.bytes.saturating_add(bytes);
            let module_is_too_large = is_module_entry(&name) && bytes > MODULE_BYTES_MAX;
            if bytes > ENTRY_BYTES_MAX || module_is_too_large {
                let (code, limit) = match module_is_too_large {
                    true => (Code::ModuleTooLarge, MODULE_BYTES_MAX),
                    false => (Code::ArchiveEntrySize, ENTRY_BYTES_MAX),
                };
                let what = format!("the file is {bytes} bytes, limit {limit}");
                self.note(Finding::refusal(code, &place, what));
                continue;
            }
            if self.contents.len() >= ENTRIES_COUNT_MAX {
                let what = format!("more than {ENTRIES_COUNT_MAX} files");
                self.note(Finding::refusal(Code::ArchiveEntryCount, &place, what));
                return;
            }
            if self.bytes > CONTENT_BYTES_MAX {
                continue;
            }
            match read_file(&path) {
                Ok(content) => {
                    if holds_private_key(&content) {
                        let what = "contains a private key, which everybody could read";
                        self.note(secret(&place, what));
                    }
                    self.contents.insert(name, content);
                }
                Err(error) => self.note(Finding::refusal(
                    Code::HostFile,
                    &place,
                    format!("cannot be read: {error}"),
                )),
            }
        }
    }
}

/// Reads a file of at most the size of an entry, even if it grows while it is read.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes_max = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut content = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut content)?;
    Ok(content)
}

/// What tools, editors and systems leave in a directory.
fn unmeant(name: &str, place: &str, is_directory: bool) -> Option<Finding> {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    let is_secret =
        SECRET_FILES.contains(&name) || name.starts_with(".env.") || ends(&SECRET_ENDINGS);
    if !is_directory && is_secret {
        return Some(secret(place, "a file that holds secrets by its name"));
    }
    let is_left = match is_directory {
        true => LEFT_DIRECTORIES.contains(&name),
        false => {
            LEFT_FILES.contains(&name)
                || ends(&LEFT_ENDINGS)
                || name.starts_with("._")
                || name.starts_with(".#")
                || (name.starts_with('#') && name.ends_with('#'))
        }
    };
    let help = "remove it, or build into a directory outside the package";
    let what = "would be signed, though it does not look meant for the package";
    is_left.then(|| Finding::new(Severity::Warning, "entry.unmeant", place, what, help))
}

fn secret(place: &str, what: &str) -> Finding {
    let help = "remove it from the package; if it was published, replace the secret";
    Finding::new(Severity::Error, "entry.secret", place, what, help)
}

fn holds_private_key(content: &[u8]) -> bool {
    const END: &[u8] = b"PRIVATE KEY-----";
    let mut windows = content.windows(END.len()).enumerate().filter(|(_, it)| *it == END);
    windows.any(|(at, _)| {
        let before = content.get(at.saturating_sub(32)..at).unwrap_or_default();
        before.windows(11).any(|it| it == b"-----BEGIN ")
    })
}
