//! Room: the list of tools that a server offers, fixed when it is first looked at.

use super::era::Era;
use crate::host::store::PackageStore;
use crate::kernel::error::Error;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::manifest::{Manifest, Sensitivity, Tool};
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use serde_json::{json, Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Tools on one page of the list.
const PAGE_TOOLS_COUNT: usize = 500;

/// Every tool of every installed package that this host would run. Which tools there are stands in the
/// store's index, so that a call costs the same whatever else is installed; what is shown of them is read
/// when a client first asks for the list.
pub(super) struct ToolCatalog {
    packages: BTreeMap<String, ContentHash>,
    shown: OnceLock<BTreeMap<String, Map<String, Value>>>,
}

impl ToolCatalog {
    /// Reads what is installed. A package whose signers would not pass is left out, and `log` says
    /// so: no call of it could succeed.
    // [SRV-20]
    pub(super) fn read(
        store: &PackageStore,
        trust: &TrustStore,
        policy: &PermissionPolicy,
        now: Timestamp,
        log: &dyn Fn(&str),
    ) -> Result<Self, Error> {
        let mut packages = BTreeMap::new();
        for package in store.installed()? {
            let signers_required = policy.signers_required();
            let judged = trust.evaluate_signers(
                &package.signers,
                &package.content_hash,
                now,
                signers_required,
            );
            if let Err(error) = judged {
                let (code, why) = (error.code().as_str(), error.detail());
                log(&format!("{} is left out: [{code}] {why}", package.id));
                continue;
            }
            let hash = package.content_hash;
            packages.extend(package.tools.into_iter().map(|tool| (tool, hash.clone())));
        }
        Ok(ToolCatalog { packages, shown: OnceLock::new() })
    }

    /// The package that a tool belongs to.
    pub(super) fn package_of(&self, tool: &str) -> Option<&ContentHash> {
        self.packages.get(tool)
    }

    /// What is shown of each tool. A package that was removed since is left out.
    fn shown(
        &self,
        store: &PackageStore,
        policy: &PermissionPolicy,
    ) -> &BTreeMap<String, Map<String, Value>> {
        self.shown.get_or_init(|| {
            let hashes: BTreeSet<&ContentHash> = self.packages.values().collect();
            let manifests = hashes.into_iter().filter_map(|hash| store.manifest(hash).ok());
            let shown_of = |manifest: Manifest| {
                let tool = |tool: &Tool| (tool.name.clone(), shown(tool, &manifest, policy));
                manifest.tools.iter().map(tool).collect::<Vec<_>>()
            };
            let all = manifests.flat_map(shown_of);
            all.filter(|(name, _)| self.packages.contains_key(name)).collect()
        })
    }

    /// One page of the list, in ascending order of names. A cursor is the name before the page; the
    /// empty one is the beginning. `None`: no such cursor.
    // [SRV-21]
    pub(super) fn page(
        &self,
        store: &PackageStore,
        policy: &PermissionPolicy,
        cursor: &str,
        era: &Era,
    ) -> Option<Value> {
        let tools = self.shown(store, policy);
        if !cursor.is_empty() && !tools.contains_key(cursor) {
            return None;
        }
        let mut behind = tools.iter().filter(|(name, _)| name.as_str() > cursor);
        let page: Vec<_> = behind.by_ref().take(PAGE_TOOLS_COUNT).collect();
        let fields = |(_, tool): &(&String, &Map<String, Value>)| {
            let mut tool = (*tool).clone();
            // Fields that a revision does not know.
            if !era.is_structured() {
                tool.retain(|name, _| !["annotations", "outputSchema"].contains(&name.as_str()));
            }
            tool
        };
        let mut result = json!({ "tools": page.iter().map(fields).collect::<Vec<_>>() });
        if let (Some(_), Some((last, _)), Some(members)) =
            (behind.next(), page.last(), result.as_object_mut())
        {
            members.insert("nextCursor".to_owned(), json!(last));
        }
        Some(result)
    }
}

fn shown(tool: &Tool, manifest: &Manifest, policy: &PermissionPolicy) -> Map<String, Value> {
    let mut input = tool.parameters.source().clone();
    if let Some(schema) = input.as_object_mut() {
        // Some clients can't do without.
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(tool.name));
    shown.insert("description".to_owned(), json!(tool.description));
    shown.insert("inputSchema".to_owned(), input);
    if let Some(returns) = &tool.returns {
        shown.insert("outputSchema".to_owned(), returns.source().clone());
    }
    shown.insert("annotations".to_owned(), annotations(tool, manifest, policy));
    shown
}

/// What the tool can do at most with what it would be granted, whatever it says of itself.
// [SRV-22]
fn annotations(tool: &Tool, manifest: &Manifest, policy: &PermissionPolicy) -> Value {
    let asked = &manifest.capabilities;
    let connects = !asked.network.is_empty();
    let keeps = asked.storage.is_some() || policy.maps_writable(manifest);
    let read_only = !connects && !keeps;
    let destructive = tool.sensitivity == Sensitivity::Destructive;
    json!({
        "readOnlyHint": read_only,
        "destructiveHint": !read_only && (destructive || connects),
        "idempotentHint": read_only,
        "openWorldHint": connects,
    })
}
