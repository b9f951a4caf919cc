//! Every conformance vector, made from its parts.
//!
//! Nothing here uses the `mpp` crate: archives, hashes and signed bytes are put together from the
//! spec a second time, so that a slip in the reader has no twin in the writer of its tests.

mod archive;
mod archive_bytes;
mod archive_names;
mod audit;
mod audit_damage;
pub mod case;
mod content;
pub mod crypto;
mod decide;
pub mod deflate;
mod effects;
mod exchange;
mod filter;
mod gate;
mod host;
mod limits;
mod manifest;
mod manifest_schema;
mod mcp;
mod mcp_calls;
mod module;
mod organisation;
pub mod package;
mod protocol;
mod publisher;
mod record;
mod run;
mod sandbox;
mod schema_values;
mod script;
mod services;
mod signature;
mod storage;
mod store;
pub mod zip;

use case::Case;
use std::collections::{BTreeMap, BTreeSet};

/// The directories below `conformance/` that the generator owns: nothing else may lie in them.
#[allow(dead_code)] // the generator's main and the tests each use a part of this module
pub const DIRECTORIES: [&str; 2] = ["keys", "vectors"];

/// The version of the format of the case files. A change that an old runner would misread is a new
/// number; new cases are not.
const FORMAT: &str = "mpp-vectors/1";
/// The version of the list of cases. It is 1.0 when the formats are.
pub const VERSION: &str = "0.1";

/// All cases, in the order of their ids.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(archive::cases());
    cases.extend(archive_bytes::cases());
    cases.extend(archive_names::cases());
    cases.extend(content::cases());
    cases.extend(signature::cases());
    cases.extend(publisher::cases());
    cases.extend(manifest::cases());
    cases.extend(manifest_schema::cases());
    cases.extend(module::cases());
    cases.extend(gate::cases());
    cases.extend(host::cases());
    cases.extend(storage::cases());
    cases.extend(run::cases());
    cases.extend(protocol::cases());
    cases.extend(sandbox::cases());
    cases.extend(effects::cases());
    cases.extend(decide::cases());
    cases.extend(organisation::cases());
    cases.extend(services::cases());
    cases.extend(filter::cases());
    cases.extend(audit::cases());
    cases.extend(audit_damage::cases());
    cases.extend(record::cases());
    cases.extend(schema_values::cases());
    cases.extend(store::cases());
    cases.extend(mcp::cases());
    cases.extend(mcp_calls::cases());
    cases.extend(exchange::cases());
    cases.extend(limits::cases());
    limits::name_in(&mut cases);
    cases.iter_mut().for_each(Case::needs_of_its_host);
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}

/// Every file below `conformance/` by its path: keys, trust stores, cases and `suite.json`.
pub fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for case in cases() {
        assert!(ids.insert(case.id.clone()), "{} is duplicated", case.id);
        for (name, content) in &case.files {
            files.insert(format!("vectors/{name}"), content.clone());
        }
        files.insert(format!("vectors/{}.json", case.id), case.to_json().into_bytes());
    }
    for (name, store) in publisher::stores() {
        files.insert(format!("vectors/{}", publisher::store_path(name)), store);
    }
    // What `sha256sum` prints for the files, sorted by name, is what the digest is over.
    let listing: String = files
        .iter()
        .map(|(name, content)| {
            let name = name.strip_prefix("vectors/").unwrap_or(name);
            format!("{}  {name}\n", crypto::sha256_hex(content))
        })
        .collect();
    let suite = format!(
        "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": \"{VERSION}\",\n  \"cases\": {},\n  \
         \"files\": {},\n  \"digest\": \"sha256:{}\"\n}}\n",
        ids.len(),
        files.len(),
        crypto::sha256_hex(listing.as_bytes())
    );
    files.insert("vectors/suite.json".to_owned(), suite.into_bytes());
    for key in crypto::Key::ALL {
        files.insert(format!("keys/{}.key", key.name), key.private_pem().into_bytes());
        files.insert(format!("keys/{}.pub", key.name), key.public_pem().into_bytes());
    }
    files
}
