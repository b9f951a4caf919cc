//! What the tests share: a directory of their own, and a run of the program.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new directory that is removed at the end.
pub struct Folder(pub PathBuf);

static FOLDERS: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("mpp-conform-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn conform(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpp-conform"));
    command.args(arguments).current_dir(here()).env("COLUMNS", "60").output().unwrap()
}

pub fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Runs the cases of `key` against the adapter in this mode, with all reports.
pub fn run(folder: &Folder, mode: &str, further: &[&str]) -> Output {
    let exec = format!("python3 tests/fake.py {mode}");
    let (json, junit, html) =
        (folder.path("report.json"), folder.path("junit.xml"), folder.path("page.html"));
    let mut arguments = vec!["--exec", &exec, "--json", &json, "--junit", &junit, "--html", &html];
    if !further.contains(&"--only") {
        arguments.extend(["--only", "key/*"]);
    }
    arguments.extend(further);
    conform(&arguments)
}
