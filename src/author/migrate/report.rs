//! What `mpp migrate` writes beside the manifests.

use super::{pretty, Migration};
use crate::author::project::create;
use mpp::text::quote_untrusted;
use serde_json::{json, Value};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// Changes that the summary states; MIGRATION.md has all.
const SHOWN_COUNT_MAX: usize = 20;

impl Migration {
    /// Writes the project beside its place and moves it there, so that it is complete or absent.
    pub fn write(&self, output: &Path) -> io::Result<()> {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = output.with_file_name(name);
        fs::create_dir(&temporary)?;
        let files = self.files();
        let created = files.iter().try_for_each(|(path, text)| create(&temporary, path, text));
        let moved = created.and_then(|()| fs::rename(&temporary, output));
        if moved.is_err() {
            let _ = fs::remove_dir_all(&temporary);
        }
        moved
    }

    /// The output for people.
    pub fn summary(&self, output: &Path) -> String {
        let renamed = self.tools.iter().filter(|tool| tool.name != tool.calls).count();
        let (directory, packages) = (output.display(), self.manifests.len());
        let mut text = format!(
            "created {directory}: {} tools ({renamed} renamed) in {packages} package{}, {} changes\n",
            self.tools.len(),
            if packages == 1 { "" } else { "s" },
            self.notes.len()
        );
        for note in self.notes.iter().take(SHOWN_COUNT_MAX) {
            let (tool, pointer) = (quote_untrusted(&note.tool), quote_untrusted(&note.pointer));
            let _ = writeln!(text, "  {tool} {pointer}: {}", quote_untrusted(&note.action));
        }
        if self.notes.len() > SHOWN_COUNT_MAX {
            let _ = writeln!(text, "  … all in {directory}/MIGRATION.md");
        }
        text.push_str("\nnext:\n");
        for step in self.next_steps() {
            let _ = writeln!(text, "  - {step}");
        }
        text
    }

    /// Returns every file of the project with its path.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (index, manifest) in self.manifests.iter().enumerate() {
            let path = format!("{}/manifest.json", package_directory(index));
            files.push((path, pretty(manifest)));
        }
        files.push(("tests.json".to_owned(), pretty(&Value::from(self.cases.clone()))));
        files.push(("MIGRATION.md".to_owned(), self.markdown()));
        files
    }

    /// What has to be done next.
    pub fn next_steps(&self) -> [&'static str; 5] {
        let protocol = self.manifests.first().and_then(|one| one.pointer("/runtime/protocol"));
        let module = match protocol.is_some_and(|protocol| protocol == "command") {
            true => "Copy the module to package/tool.wasm.",
            false => "Compile the program to WASI (wasm32-wasip1) as package/tool.wasm.",
        };
        [
            module,
            "Read each `sensitivity`, and lower it where a call does less.",
            "State in `capabilities` the hosts, directories and variables that the tools need, and no others.",
            "Change the id, version, name and description in package/manifest.json.",
            "Run `mpp check DIR` and `mpp dev DIR`; then `mpp pack DIR/package --key me.key -o tool.mpp`.",
        ]
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# Migration\n\n{} tools in {} package{}, {} changes.\n\n## Next\n\n",
            self.tools.len(),
            self.manifests.len(),
            if self.manifests.len() == 1 { "" } else { "s" },
            self.notes.len(),
        );
        for (number, step) in (1_usize..).zip(self.next_steps()) {
            let _ = writeln!(text, "{number}. {step}");
        }
        text.push_str(
            "\n## Tools\n\n| tool | in the program | sensitivity | because | may need |\n",
        );
        text.push_str("|---|---|---|---|---|\n");
        for tool in &self.tools {
            let (name, calls) = (code(&tool.name), code(&tool.calls));
            let hints = if tool.hints.is_empty() { "-".to_owned() } else { tool.hints.join(", ") };
            let (sensitivity, reason) = (tool.sensitivity, tool.reason);
            let _ = writeln!(text, "| {name} | {calls} | {sensitivity} | {reason} | {hints} |");
        }
        text.push_str("\n## Lost or changed\n\n");
        if self.notes.is_empty() {
            text.push_str("Nothing.\n");
            return text;
        }
        text.push_str("| tool | place | keyword | what was done |\n|---|---|---|---|\n");
        for note in &self.notes {
            let cells = [code(&note.tool), code(&note.pointer), code(&note.keyword)];
            let action = quote_untrusted(&note.action).replace('|', "\\|").replace('<', "&lt;");
            let _ = writeln!(text, "| {} | {action} |", cells.join(" | "));
        }
        text
    }

    /// The output of `--json`.
    pub fn to_json(&self) -> Value {
        let tool = |tool: &super::MigratedTool| {
            json!({ "name": tool.name, "calls": tool.calls, "sensitivity": tool.sensitivity,
                    "because": tool.reason, "may_need": tool.hints })
        };
        let note = |note: &super::Note| {
            json!({ "tool": note.tool, "pointer": note.pointer, "keyword": note.keyword,
                    "action": note.action })
        };
        let packages: Vec<String> = (0..self.manifests.len()).map(package_directory).collect();
        json!({
            "packages": packages,
            "tools": self.tools.iter().map(tool).collect::<Vec<_>>(),
            "changes": self.notes.iter().map(note).collect::<Vec<_>>(),
            "cases": self.cases.len(),
            "next": self.next_steps(),
        })
    }
}

fn package_directory(index: usize) -> String {
    match index {
        0 => "package".to_owned(),
        _ => format!("package-{}", index.saturating_add(1)),
    }
}

/// Formats an untrusted text as code in a cell of a table.
fn code(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => format!("`{}`", quote_untrusted(text).replace('`', "'").replace('|', "\\|")),
    }
}
