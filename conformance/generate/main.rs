//! Writes `conformance/vectors/` and `conformance/keys/`: `cargo run --example generate`.
//!
//! The same run gives the same bytes on every machine: keys are fixed, nothing is random, no clock is
//! read. `cargo test` makes the files again in memory and compares them with those committed.

mod suite;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let files = suite::files();
    let mut made = BTreeSet::new();
    for (name, content) in &files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(&path, content)?;
        made.insert(path);
    }
    for directory in suite::DIRECTORIES {
        remove_others(&root.join(directory), &made)?;
    }
    let bytes: usize = files.values().map(Vec::len).sum();
    println!("{} files, {bytes} bytes", files.len());
    Ok(())
}

/// Removes files that no case has any more, and directories that are then empty.
fn remove_others(directory: &Path, made: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    for item in fs::read_dir(directory)? {
        let path = item?.path();
        if path.is_dir() {
            remove_others(&path, made)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !made.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
