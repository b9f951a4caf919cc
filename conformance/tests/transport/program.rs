//! The installed `mpp run` with the system's resolver, curl and a server: the example tool that fetches
//! pages.

use super::nginx::Nginx;
use crate::support::{self, Folder};
use crate::tools;
use mpp::package::pack::{pack, read_directory};
use mpp::package::writer::Compression;
use serde_json::{json, Value};
use std::path::Path;
use std::process::{Command, Output};

/// fetch_page for these hosts, as an author changes it.
fn package_for(hosts: &[String]) -> Vec<u8> {
    let mut contents = read_directory(&tools::committed().join("fetch_page")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&contents["manifest.json"]).unwrap();
    manifest["capabilities"]["network"] = json!(hosts);
    contents.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    pack(contents, &support::author(), support::now(), Compression::Stored).unwrap()
}

fn fetch(home: &Path, package: &Path, url: &str, more: &[&str]) -> Output {
    let arguments = json!({ "url": url }).to_string();
    let mut command =
        Command::new(std::env::var_os("MPP_BIN").unwrap_or(env!("CARGO_BIN_EXE_mpp").into()));
    command.arg("run").arg(package).args(["--tool", "fetch_page", "--args", &arguments, "--json"]);
    command.args(more).env("MPP_HOME", home).output().unwrap()
}

/// The words of the answer, or of the refusal.
fn said(output: &Output) -> String {
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    match &answer["content"][0]["text"] {
        Value::String(text) => text.clone(),
        _ => answer["error"]["code"].to_string(),
    }
}

#[test]
#[ignore = "needs nginx and openssl"]
fn mpp_run_fetches_a_page_where_policy_and_authorities_let_it() {
    let nginx = Nginx::start();
    let host = format!("localhost:{}", nginx.at("localhost").port());
    let plain = format!("localhost:{}", nginx.at("plain").port());
    let folder = Folder::new("program");
    let (home, file) = (folder.path(), folder.path().join("fetch_page.mpp"));
    std::fs::write(home.join("trust.json"), support::trust().to_json()).unwrap();
    std::fs::write(&file, package_for(&[host.clone(), plain.clone()])).unwrap();
    let policy = |network: Value| {
        let policy = json!({ "format": "mpp-policy/1", "trusted_packages": ["org.example.fetch-page"],
            "network": network });
        std::fs::write(home.join("policy.json"), policy.to_string()).unwrap();
    };
    let page = format!("https://{host}/page.html");
    let authorities = nginx.ca_file();
    let authorities = ["--ca-file", authorities.to_str().unwrap()];

    policy(json!({ "private_addresses": [&host, &plain] }));
    let output = fetch(home, &file, &page, &authorities);
    assert_eq!(said(&output), "A page\n\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    assert!(said(&fetch(home, &file, &page, &[])).starts_with("http.tls: "));
    let by_http = format!("http://{plain}/page.html");
    assert!(said(&fetch(home, &file, &by_http, &authorities)).starts_with("http.plain: "));
    let other_port = format!("https://localhost:{}/", nginx.at("good").port());
    let undeclared = fetch(home, &file, &other_port, &authorities);
    assert!(said(&undeclared).starts_with("http.undeclared: "));
    assert_eq!(undeclared.status.code(), Some(3));

    policy(json!({ "private_addresses": [&host, &plain], "plain_http": [&plain] }));
    assert_eq!(said(&fetch(home, &file, &by_http, &authorities)), "A page\n\n");
    policy(json!({}));
    assert!(said(&fetch(home, &file, &page, &authorities)).starts_with("http.address: "));

    // The record says whom was asked, and not for what.
    let log = std::fs::read_to_string(home.join("audit/audit.jsonl")).unwrap();
    assert!(log.contains(&format!("\"http {host}\"")) && !log.contains("page.html"), "{log}");
}
