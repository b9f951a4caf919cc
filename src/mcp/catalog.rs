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
/// Length of a schema whose references are replaced.
const EXPANDED_BYTES_MAX: usize = 64 << 10;
/// Prefix of every `$ref`.
const DEFINITIONS: &str = "#/$defs/";
/// Keywords that do not affect what is valid.
const ANNOTATIONS: [&str; 7] =
    ["title", "description", "default", "examples", "deprecated", "format", "$schema"];

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
    let mut input = expanded(tool.parameters.source());
    if let Some(schema) = input.as_object_mut() {
        // Some clients require it.
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    let mut listed = Map::new();
    listed.insert("name".to_owned(), json!(tool.name));
    listed.insert("description".to_owned(), json!(tool.description));
    listed.insert("inputSchema".to_owned(), input);
    if let Some(returns) = &tool.returns {
        listed.insert("outputSchema".to_owned(), expanded(returns.source()));
    }
    listed.insert("annotations".to_owned(), annotations(tool, manifest, policy));
    listed
}

/// Returns a schema with each `$ref` replaced by its definition, since some clients resolve none. One that would be
/// too long is returned unmodified.
// [SRV-23]
fn expanded(schema: &Value) -> Value {
    let mut bytes_left = EXPANDED_BYTES_MAX;
    let expanded = schema.get("$defs").and_then(|definitions| {
        let definition =
            |reference: &Value| definitions.get(reference.as_str()?.strip_prefix(DEFINITIONS)?);
        expand(schema, &definition, &mut bytes_left)
    });
    expanded.unwrap_or_else(|| schema.clone())
}

/// Returns one subschema with each `$ref` replaced; `None` once no bytes are left. The manifest's reader refused
/// recursive definitions.
fn expand<'a>(
    schema: &Value,
    definition: &impl Fn(&Value) -> Option<&'a Value>,
    bytes_left: &mut usize,
) -> Option<Value> {
    spend("", bytes_left)?;
    let Value::Object(members) = schema else { return Some(schema.clone()) };
    let (mut found, mut referenced) = (Map::new(), None);
    for (name, value) in members.iter().filter(|(name, _)| *name != "$defs") {
        spend(name, bytes_left)?;
        let value = match (name.as_str(), value) {
            ("$ref", reference) => {
                referenced = Some(expand(definition(reference)?, definition, bytes_left)?);
                continue;
            }
            ("properties", Value::Object(properties)) => {
                let mut one = |(name, one): (&String, &Value)| {
                    spend(name, bytes_left)?;
                    Some((name.clone(), expand(one, definition, bytes_left)?))
                };
                Value::Object(properties.iter().map(&mut one).collect::<Option<_>>()?)
            }
            ("items" | "additionalProperties" | "propertyNames" | "not", one) => {
                expand(one, definition, bytes_left)?
            }
            ("prefixItems" | "allOf" | "anyOf" | "oneOf", Value::Array(several)) => {
                let all = several.iter().map(|one| expand(one, definition, bytes_left));
                Value::Array(all.collect::<Option<_>>()?)
            }
            (_, value) => {
                spend(&value.to_string(), bytes_left)?;
                value.clone()
            }
        };
        found.insert(name.clone(), value);
    }
    let Some(definition) = referenced else { return Some(Value::Object(found)) };
    // Annotations replace those of the definition; any other keyword applies beside it.
    let is_annotation = |name: &String| ANNOTATIONS.contains(&name.as_str());
    match definition {
        Value::Object(mut definition) if found.keys().all(is_annotation) => {
            definition.extend(found);
            Some(Value::Object(definition))
        }
        definition => {
            let several = found.entry("allOf").or_insert_with(|| json!([]));
            several.as_array_mut()?.push(definition);
            Some(Value::Object(found))
        }
    }
}

/// Subtracts a text and its punctuation.
fn spend(text: &str, bytes_left: &mut usize) -> Option<()> {
    *bytes_left = bytes_left.checked_sub(text.len().saturating_add(4))?;
    Some(())
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
