//! Tool catalog: the tools that a server lists, read once at the first request.

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

/// Number of tools on one page of the list.
const PAGE_TOOLS_COUNT: usize = 500;

/// The tools of all installed packages that this host would run. Their names come from the store's index, so
/// that the cost of a call does not depend on what else is installed; their descriptions are read when a client
/// first requests the list.
pub(super) struct ToolCatalog {
    packages: BTreeMap<String, ContentHash>,
    listed: OnceLock<BTreeMap<String, Map<String, Value>>>,
}

impl ToolCatalog {
    /// Reads the installed packages. Leaves out a package whose signers do not pass, since no call of it could
    /// succeed, and logs that.
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
            let evaluated = trust.evaluate_signers(
                &package.signers,
                &package.content_hash,
                now,
                signers_required,
            );
            if let Err(error) = evaluated {
                let (code, why) = (error.code().as_str(), error.detail());
                log(&format!("{} is left out: [{code}] {why}", package.id));
                continue;
            }
            let hash = package.content_hash;
            packages.extend(package.tools.into_iter().map(|tool| (tool, hash.clone())));
        }
        Ok(ToolCatalog { packages, listed: OnceLock::new() })
    }

    /// Returns the package that a tool belongs to.
    pub(super) fn package_of(&self, tool: &str) -> Option<&ContentHash> {
        self.packages.get(tool)
    }

    /// Returns the list entry of each tool. A package that was removed since, or that the
    /// policy denies, is left out.
    fn listed(
        &self,
        store: &PackageStore,
        policy: &PermissionPolicy,
    ) -> &BTreeMap<String, Map<String, Value>> {
        self.listed.get_or_init(|| {
            let hashes: BTreeSet<&ContentHash> = self.packages.values().collect();
            let manifests = hashes.into_iter().filter_map(|hash| store.manifest(hash).ok());
            let manifests = manifests.filter(|manifest| !policy.denies(manifest));
            let tools_of = |manifest: Manifest| {
                let tool = |tool: &Tool| (tool.name.clone(), tool_json(tool, &manifest, policy));
                manifest.tools.iter().map(tool).collect::<Vec<_>>()
            };
            let all = manifests.flat_map(tools_of);
            all.filter(|(name, _)| self.packages.contains_key(name)).collect()
        })
    }

    /// Returns one page of the list, in ascending order of names, or `None` for an invalid cursor. A cursor is
    /// the name before the page; an empty one starts the list.
    // [SRV-21]
    pub(super) fn page(
        &self,
        store: &PackageStore,
        policy: &PermissionPolicy,
        cursor: &str,
        era: &Era,
    ) -> Option<Value> {
        let tools = self.listed(store, policy);
        if !cursor.is_empty() && !tools.contains_key(cursor) {
            return None;
        }
        let mut following = tools.iter().filter(|(name, _)| name.as_str() > cursor);
        let page: Vec<_> = following.by_ref().take(PAGE_TOOLS_COUNT).collect();
        let fields = |(_, tool): &(&String, &Map<String, Value>)| {
            let mut tool = (*tool).clone();
            // Older revisions do not define these fields.
            if !era.is_structured() {
                tool.retain(|name, _| !["annotations", "outputSchema"].contains(&name.as_str()));
            }
            tool
        };
        let mut result = json!({ "tools": page.iter().map(fields).collect::<Vec<_>>() });
        if let (Some(_), Some((last, _)), Some(members)) =
            (following.next(), page.last(), result.as_object_mut())
        {
            members.insert("nextCursor".to_owned(), json!(last));
        }
        Some(result)
    }
}

fn tool_json(tool: &Tool, manifest: &Manifest, policy: &PermissionPolicy) -> Map<String, Value> {
    let mut input = tool.parameters.source().clone();
    if let Some(schema) = input.as_object_mut() {
        // Some clients require it.
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    let mut listed = Map::new();
    listed.insert("name".to_owned(), json!(tool.name));
    listed.insert("description".to_owned(), json!(tool.description));
    listed.insert("inputSchema".to_owned(), input);
    if let Some(returns) = &tool.returns {
        listed.insert("outputSchema".to_owned(), returns.source().clone());
    }
    listed.insert("annotations".to_owned(), annotations(tool, manifest, policy));
    listed
}

/// Returns the hints for what the tool can do at most with its grants, regardless of what its manifest declares.
// [SRV-22]
fn annotations(tool: &Tool, manifest: &Manifest, policy: &PermissionPolicy) -> Value {
    let requested = &manifest.capabilities;
    let connects = !requested.network.is_empty();
    let writes = requested.storage.is_some() || policy.maps_writable(manifest);
    let read_only = !connects && !writes;
    let destructive = tool.sensitivity == Sensitivity::Destructive;
    json!({
        "readOnlyHint": read_only,
        "destructiveHint": !read_only && (destructive || connects),
        "idempotentHint": read_only,
        "openWorldHint": connects,
    })
}
