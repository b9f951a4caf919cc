//! `mpp check`: everything that would be refused, or should not be signed, without a key.

use super::entries;
use super::finding::{Finding, Severity};
use super::lints::refused_by_clients;
use super::{manifest, place};
use mpp::limits::{MEMORY_MB_MAX, MODULE_BYTES_MAX};
use mpp::module::Module;
use mpp::package::manifest::Sensitivity;
use mpp::package::writer::{write, Compression};
use mpp::package::{is_module_entry, MANIFEST_ENTRY};
use mpp::policy::risk::{self, Risk};
use mpp::{Code, Manifest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a check has found.
pub struct Report {
    pub findings: Vec<Finding>,
    /// The files to sign; only a package without errors can be packed.
    pub contents: BTreeMap<String, Vec<u8>>,
    pub files_count: usize,
    pub files_bytes: usize,
    /// The manifest, if there is no error.
    pub manifest: Option<Manifest>,
    pub risk: Option<Risk>,
}

impl Report {
    /// Returns the worst severity, `Note` if there is no finding.
    pub fn worst(&self) -> Severity {
        self.findings.first().map_or(Severity::Note, |it| it.severity)
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == severity).count()
    }
}

/// Returns the package directory of a project, or the directory itself.
pub fn package_directory(directory: &Path) -> PathBuf {
    let inner = directory.join("package");
    // A dangling link or a FIFO of that name counts: the check says what is wrong with it.
    let has = |directory: &Path| directory.join(MANIFEST_ENTRY).symlink_metadata().is_ok();
    match !has(directory) && (has(&inner) || inner.is_dir()) {
        true => inner,
        false => directory.to_owned(),
    }
}

/// Checks a project or a package directory.
pub fn check(directory: &Path) -> Report {
    let package = package_directory(directory);
    let shown = package.display().to_string();
    let shown = shown.trim_end_matches('/');
    let entries = entries::read(&package, shown);
    let (mut findings, contents) = (entries.findings, entries.contents);
    let place = format!("{shown}/{MANIFEST_ENTRY}");
    let has_finding = |findings: &[Finding]| findings.iter().any(|it| it.file == place);
    let mut read = manifest::Read { faults: Vec::new(), manifest: None };
    let text = contents.get(MANIFEST_ENTRY);
    match text {
        Some(text) => read = manifest::read(text, &place),
        None if has_finding(&findings) || findings.iter().any(|it| it.file == shown) => {}
        None => {
            let what = format!("no {MANIFEST_ENTRY} in the directory");
            let help = "write one; `mpp new DIR` writes an example";
            findings.push(Finding::refusal(Code::StructureMissing, &place, what).helped(help));
        }
    }
    let is_whole = read.faults.is_empty() && read.manifest.is_some();
    findings.extend(read.faults);
    let checked = Checked { shown, place: &place, text: text.map_or(&[], Vec::as_slice) };
    let fallback = fallback_manifest();
    let manifest = read.manifest.as_ref().or(fallback.as_ref());
    if let Some(manifest) = manifest {
        checked.modules(&contents, manifest, read.manifest.is_some(), &mut findings);
    }
    let mut risk = None;
    if let Some(manifest) = &read.manifest {
        checked.tools(manifest, &mut findings);
        if is_whole {
            risk = Some(checked.risk(manifest, &mut findings));
        }
    }
    // Anything else that packing refuses.
    if !findings.iter().any(|it| it.severity == Severity::Error) {
        let error = write(&contents, Compression::Stored).err();
        findings.extend(error.map(|error| Finding::of_error(&error, shown)));
    }
    findings.sort_by_cached_key(|it| (it.severity, it.file.clone(), it.line, it.column));
    let has_error = findings.iter().any(|it| it.severity == Severity::Error);
    let manifest = read.manifest.filter(|_| !has_error);
    let (files_count, files_bytes) = (contents.len(), contents.values().map(Vec::len).sum());
    Report { findings, contents, files_count, files_bytes, manifest, risk }
}

/// What findings about a manifest and its module are placed in.
struct Checked<'a> {
    shown: &'a str,
    place: &'a str,
    text: &'a [u8],
}

impl Checked<'_> {
    fn at(&self, finding: Finding, pointer: &str) -> Finding {
        Finding { file: self.place.to_owned(), ..finding }.at(place::of_pointer(self.text, pointer))
    }

    fn modules(
        &self,
        contents: &BTreeMap<String, Vec<u8>>,
        manifest: &Manifest,
        is_manifest_read: bool,
        findings: &mut Vec<Finding>,
    ) {
        let mut modules = contents.iter().filter(|(name, _)| is_module_entry(name));
        let Some((name, module)) = modules.next() else {
            let wanted = format!("{}/{}", self.shown, manifest.runtime.entry);
            // A module that could not be read has its finding already.
            let unread = |it: &Finding| it.file == self.shown && it.code == Code::HostFile.as_str();
            let is_unread = findings.iter().any(|it| it.file == wanted || unread(it));
            if !is_unread {
                let finding = Finding::refusal(Code::StructureMissing, &wanted, "no .wasm module");
                findings.push(finding.helped("build the tool first; `mpp dev DIR` does"));
            }
            return;
        };
        let file = format!("{}/{name}", self.shown);
        for (second, _) in modules {
            let file = format!("{}/{second}", self.shown);
            let finding = Finding::refusal(Code::StructureUnknown, &file, "a second module");
            findings.push(finding.helped("keep one .wasm module"));
        }
        if is_manifest_read && manifest.runtime.entry != *name {
            let entry = &manifest.runtime.entry;
            let what = format!("`runtime.entry` is \"{entry}\", the module is \"{name}\"");
            let finding = Finding::refusal(Code::ManifestEntry, self.place, what);
            findings.push(self.at(finding, "/runtime/entry"));
        }
        // With everything granted first, to distinguish an import without its capability from an unknown one.
        let mut granted = manifest.clone();
        granted.capabilities.network = vec!["granted.example".to_owned()];
        granted.runtime.memory_limit_mb = MEMORY_MB_MAX;
        let module = match Module::validate(module, &granted) {
            Ok(module) => module,
            Err(error) => return findings.push(Finding::of_error(&error, &file)),
        };
        if !is_manifest_read {
            return;
        }
        let limit = u64::from(manifest.runtime.memory_limit_mb).saturating_mul(1 << 20);
        if module.memory_bytes() > limit {
            let bytes = module.memory_bytes();
            let what = format!(
                "the module starts with {bytes} bytes of memory, the manifest allows {limit}"
            );
            let finding = Finding::refusal(Code::ModuleMemory, self.place, what);
            findings.push(self.at(finding, "/runtime/memory_limit_mb"));
        }
        self.capabilities(manifest, &module.imports(), contents, &file, findings);
    }

    /// Compares the imports of the module with what the manifest requests.
    fn capabilities(
        &self,
        manifest: &Manifest,
        imports: &[String],
        contents: &BTreeMap<String, Vec<u8>>,
        file: &str,
        findings: &mut Vec<Finding>,
    ) {
        // No function of WASI has these names.
        let has_service = imports.iter().any(|it| it == "request" || it == "response");
        let has_paths = imports.iter().any(|it| it.starts_with("path_"));
        let has_variables = imports.iter().any(|it| it == "environ_get");
        let asked = &manifest.capabilities;
        if has_service && asked.network.is_empty() {
            let what = "the module imports `mpp_v1`, and the manifest requests no network";
            let help = "list the hosts in `capabilities.network`";
            let finding = Finding::refusal(Code::ModuleImport, file, what).helped(help);
            findings.push(self.at(finding, "/capabilities"));
        }
        let files = &asked.filesystem;
        let has_files = !files.read.is_empty() || !files.write.is_empty();
        let unused = [
            (!asked.network.is_empty() && !has_service, "network", "no function of `mpp_v1`"),
            (has_files && !has_paths, "filesystem", "no function `path_…`"),
            (asked.storage.is_some() && !has_paths, "storage", "no function `path_…`"),
            (!asked.environment.is_empty() && !has_variables, "environment", "no `environ_get`"),
        ];
        for (_, member, why) in unused.into_iter().filter(|(is_unused, ..)| *is_unused) {
            let what = format!("`capabilities.{member}` has no use: the module imports {why}");
            let help = "remove it: people are asked to approve it, and it raises the risk";
            let severity = Severity::Warning;
            let finding = Finding::new(severity, "capability.unused", self.place, what, help);
            findings.push(self.at(finding, &format!("/capabilities/{member}")));
        }
        if !has_paths && contents.keys().any(|name| name.starts_with("assets/")) {
            let what = "assets/ has no use: the module imports no function `path_…`";
            let help = "remove the files, or read them from /assets in the tool";
            let assets = format!("{}/assets", self.shown);
            findings.push(Finding::new(Severity::Warning, "entry.unused", &assets, what, help));
        }
        let module_bytes = contents.iter().find(|(name, _)| is_module_entry(name));
        let module_bytes = module_bytes.map_or(0, |(_, content)| content.len());
        if module_bytes > MODULE_BYTES_MAX / 4 * 3 {
            let what = format!("the module is {module_bytes} bytes, limit {MODULE_BYTES_MAX}");
            let help = "leave out debug information (`-s`, `strip`)";
            findings.push(Finding::new(Severity::Warning, "module.size", file, what, help));
        }
    }

    fn tools(&self, manifest: &Manifest, findings: &mut Vec<Finding>) {
        for (at, tool) in manifest.tools.iter().enumerate() {
            for lint in refused_by_clients(tool) {
                let severity = Severity::Warning;
                let finding =
                    Finding::new(severity, "client.refuses", self.place, lint.message, lint.help);
                findings.push(self.at(finding, &format!("/tools/{at}{}", lint.member)));
            }
        }
    }

    /// Notes what lowers the risk: the level without each member that adds to it.
    fn risk(&self, manifest: &Manifest, findings: &mut Vec<Finding>) -> Risk {
        let risk = risk::score(manifest);
        type Change = fn(&mut Manifest);
        let members: [(&str, Change); 5] = [
            ("network", |it| it.capabilities.network.clear()),
            ("filesystem/read", |it| it.capabilities.filesystem.read.clear()),
            ("filesystem/write", |it| it.capabilities.filesystem.write.clear()),
            ("environment", |it| it.capabilities.environment.clear()),
            ("storage", |it| it.capabilities.storage = None),
        ];
        let mut note = |pointer: String, what: &str, without: &Manifest| {
            let left = risk::score(without);
            let less = risk.points.saturating_sub(left.points);
            if less > 0 {
                let message = format!("{what} adds {less} of the {} risk points", risk.points);
                let help = match left.level == risk.level {
                    true => format!("without it: {} points, still {}", left.points, left.level),
                    false => format!("without it: {} points, {}", left.points, left.level),
                };
                let finding = Finding::new(Severity::Note, "risk", self.place, message, help);
                findings.push(self.at(finding, &pointer));
            }
        };
        for (member, clear) in members {
            let mut without = manifest.clone();
            clear(&mut without);
            let what = format!("`capabilities.{}`", member.replace('/', "."));
            note(format!("/capabilities/{member}"), &what, &without);
        }
        for (at, tool) in manifest.tools.iter().enumerate() {
            if tool.sensitivity != Sensitivity::Read {
                let mut without = manifest.clone();
                // The tools of one kind count once.
                without.tools.retain(|it| it.sensitivity != tool.sensitivity);
                let first = manifest.tools.iter().position(|it| it.sensitivity == tool.sensitivity);
                if first == Some(at) {
                    let kind = tool.sensitivity.as_str();
                    let what = format!("`sensitivity` \"{kind}\" (tool {}, …)", tool.name);
                    note(format!("/tools/{at}/sensitivity"), &what, &without);
                }
            }
        }
        risk
    }
}

/// A manifest to check a module with if that of the package cannot be read.
fn fallback_manifest() -> Option<Manifest> {
    let text =
        br#"{ "mpp_version": "1.0", "id": "org.example.none", "version": "1.0.0", "name": "x",
        "description": "x", "runtime": { "target": "wasm32-wasip1" }, "tools": [ { "name": "x",
        "description": "x", "sensitivity": "read", "parameters": { "type": "object" } } ] }"#;
    Manifest::parse(text).ok()
}
