//! Writes `conformance/vectors/` and `conformance/keys/`: `cargo run --example generate`.
//!
//! The same run gives the same bytes on every machine: keys are fixed, nothing is random, no clock is
//! read. `cargo test` makes the files again in memory and compares them with those committed.

mod suite;

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    for folder in suite::FOLDERS {
        if root.join(folder).exists() {
            fs::remove_dir_all(root.join(folder))?;
        }
    }
    let files = suite::files();
    for (name, content) in &files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(path, content)?;
    }
    let bytes: usize = files.values().map(Vec::len).sum();
    println!("{} files, {bytes} bytes", files.len());
    Ok(())
}
