//! The guest that clients of MCP are tried with (`conformance/clients/`) is what its text says.

use std::path::Path;

/// `MPP_BLESS=1` writes the module again.
#[test]
fn the_module_of_the_client_fixtures_is_made_of_its_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/clients/fixtures");
    let text = std::fs::read_to_string(folder.join("answers.wat")).unwrap();
    let module = wat::parse_str(text).unwrap();
    if std::env::var_os("MPP_BLESS").is_some() {
        std::fs::write(folder.join("answers.wasm"), &module).unwrap();
    }
    assert!(std::fs::read(folder.join("answers.wasm")).unwrap() == module, "MPP_BLESS=1 writes it");
}
