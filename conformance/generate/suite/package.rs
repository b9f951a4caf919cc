//! The valid packages that every fault is made from.

use super::case::{Case, NOW};
use super::crypto::{base64, sha256_hex, unhex, Key, AUTHOR};
use super::zip::{Entry, Zip};
use serde_json::{json, Value};
use std::collections::BTreeMap;

pub const TYPE: &str = "application/vnd.mpp.signature.v1";

/// A package before it is an archive: contents by name, and who signs.
#[derive(Clone)]
pub struct Package {
    pub files: BTreeMap<Vec<u8>, Vec<u8>>,
    pub signers: Vec<Key>,
}

/// A command that does nothing: one page of memory and an empty `_start`.
pub fn module() -> Vec<u8> {
    unhex(
        "0061736d 01000000 01 04 01 60 00 00  03 02 01 00  05 03 01 00 01
         07 13 02 06 6d656d6f7279 02 00 06 5f7374617274 00 00  0a 04 01 02 00 0b",
    )
}

/// The manifest of the parent.
pub fn manifest() -> Value {
    json!({
        "mpp_version": "1.0", "id": "org.example.echo", "version": "1.0.0",
        "name": "Echo", "description": "Gives back its text.",
        "runtime": { "target": "wasm32-wasip1", "memory_limit_mb": 1 },
        "tools": [{ "name": "echo", "description": "Gives back its text.", "sensitivity": "read",
                    "parameters": { "type": "object" } }],
    })
}

impl Package {
    /// Manifest and module, signed by the author.
    pub fn new() -> Self {
        let files = BTreeMap::from([
            (b"manifest.json".to_vec(), manifest().to_string().into_bytes()),
            (b"tool.wasm".to_vec(), module()),
        ]);
        Package { files, signers: vec![AUTHOR] }
    }

    pub fn with(mut self, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.as_ref().to_vec(), content.as_ref().to_vec());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.files.remove(name.as_bytes());
        self
    }

    pub fn with_manifest(self, manifest: &Value) -> Self {
        self.with("manifest.json", manifest.to_string())
    }

    pub fn signed_by(mut self, signers: &[Key]) -> Self {
        self.signers = signers.to_vec();
        self
    }

    /// `[HASH-01]` and `[HASH-02]`, from the spec.
    pub fn content_hash(&self) -> String {
        let mut listing = Vec::new();
        for (name, content) in &self.files {
            if name != b"signature.json" {
                listing.extend(sha256_hex(content).bytes());
                listing.extend(b"  ");
                listing.extend(name);
                listing.push(b'\n');
            }
        }
        format!("sha256:{}", sha256_hex(&listing))
    }

    /// `signature.json` as it has to be.
    pub fn signature(&self) -> Value {
        let hash = self.content_hash();
        let records: Vec<Value> = self.signers.iter().map(|key| record(*key, &hash)).collect();
        json!({ "format": "mpp-signature/1", "content_hash": hash, "signatures": records })
    }

    /// The archive, every entry stored. A `signature.json` among the files is left unmodified.
    pub fn zip(&self) -> Zip {
        let mut files = self.files.clone();
        files
            .entry(b"signature.json".to_vec())
            .or_insert_with(|| format!("{:#}\n", self.signature()).into_bytes());
        Zip::of(files.iter().map(|(name, content)| Entry::stored(name, content)).collect())
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.zip().bytes()
    }

    pub fn case(&self, check: u8, id: &str) -> Case {
        Case::verify(check, id, self.bytes())
    }
}

/// `[SIG-03]`, from the spec.
pub fn signed_bytes(content_hash: &str, signed_at: &str) -> Vec<u8> {
    let body = format!("content_hash {content_hash}\nsigned_at {signed_at}\n");
    format!("MPPv1 {} {TYPE} {} {body}", TYPE.len(), body.len()).into_bytes()
}

/// One valid member of `signatures`.
pub fn record(key: Key, content_hash: &str) -> Value {
    let signature = key.sign(&signed_bytes(content_hash, NOW));
    json!({
        "algorithm": "Ed25519", "key_id": key.id(), "public_key": base64(&key.public()),
        "signed_at": NOW, "signature": base64(&signature),
    })
}
