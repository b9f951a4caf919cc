//! `conformance/example/` is what the crate's front page runs: the committed tool, packed by the test
//! author, and a trust store with that author. `MPP_BLESS=1` writes both again.

use crate::support;
use mpp::package::manifest::CustomPattern;
use mpp::package::pack::{pack, read_directory};
use mpp::package::writer::Compression;
use mpp::sandbox::{
    extract_approved_dirs, extract_approved_env_vars, tools_call_request, JsonRpcResponse,
};
use mpp::trust::Validity;
use mpp::{
    Code, Error, Gatekeeper, PermissionPolicy, PolicyDecision, PrivacyFilterEngine, SandboxConfig,
    TrustStore, WasmSandbox,
};
use std::path::Path;
use std::time::Duration;

#[test]
fn the_example_is_the_committed_tool_packed_by_the_test_author() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let contents = read_directory(&root.join("tools/text_stats")).unwrap();
    let package = pack(contents, &support::author(), support::now(), Compression::Stored).unwrap();
    let mut store = TrustStore::empty();
    let key = support::author().public();
    store.add_publisher("mpp test author", key, &["org.example"], Validity::ALWAYS).unwrap();
    let trust = store.to_json().into_bytes();
    for (name, expected) in [("text_stats.mpp", package), ("trust.json", trust)] {
        let path = root.join("example").join(name);
        if std::env::var_os("MPP_BLESS").is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == expected, "{name}: MPP_BLESS=1 writes it again");
    }
}

/// The code of the public article, word for word, with values for the three names that it leaves open.
#[allow(unused_variables)]
fn article(
    request_bytes: Vec<u8>,
    custom_patterns: Vec<CustomPattern>,
    response: Option<JsonRpcResponse>,
) -> Result<(), Error> {
    let response = response.ok_or_else(|| Error::new(Code::Usage, "no response"))?;
    include!("../example/article.rs");
    Ok(())
}

#[test]
fn the_code_of_the_public_article_compiles_as_it_stands() {
    let request = tools_call_request("extract_lines", &serde_json::json!({}));
    assert_eq!(support::code(&article(request, Vec::new(), None)), Code::Usage);
}
