//! Tool catalog: the tools that a server lists, and the names under which it lists them.

use super::era::Era;
use crate::host::store::PackageStore;
use crate::kernel::error::Error;
use crate::kernel::names::fold_tool_name;
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

/// The tools of all installed packages that this host would run, by the names under which it lists them. These come
/// from the store's index and the policy; the descriptions are read when a client requests the list.
pub(super) struct ToolCatalog {
    tools: BTreeMap<String, ListedTool>,
    /// Tools of earlier catalogs: a call of one is refused for what became of its package, and recorded.
    former: BTreeMap<String, ListedTool>,
    /// What was left out, and why.
    left_out: Vec<String>,
    listed: OnceLock<Listing>,
}

/// The list entries of the tools, by name; some may be missing if a manifest could not be read.
#[derive(PartialEq)]
struct Listing {
    entries: BTreeMap<String, Map<String, Value>>,
    is_complete: bool,
}

/// A tool behind a listed name.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ListedTool {
    pub(super) content_hash: ContentHash,
    /// The tool's own name.
    pub(super) tool: String,
}

impl ToolCatalog {
    /// Reads the installed packages. Leaves out a package whose signers do not pass, since no call of it could
    /// succeed, and a tool whose name another one has: of two, the one that the policy renamed.
    // [SRV-20] [SRV-24]
    pub(super) fn read(
        store: &PackageStore,
        trust: &TrustStore,
        policy: &PermissionPolicy,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (mut found, mut left_out) = (Vec::new(), Vec::new());
        for package in store.installed()? {
            let evaluated = trust.evaluate_signers(
                &package.signers,
                &package.content_hash,
                now,
                policy.signers_required(),
            );
            if let Err(error) = evaluated {
                let (code, why) = (error.code().as_str(), error.detail());
                left_out.push(format!("{} is left out: [{code}] {why}", package.id));
                continue;
            }
            for tool in &package.tools {
                let is_renamed = policy.listed_name(&package.id, tool).is_some();
                let name = package.listed_name(tool, policy);
                let content_hash = package.content_hash.clone();
                let tool = ListedTool { content_hash, tool: tool.clone() };
                found.push((is_renamed, package.id.clone(), name, tool));
            }
        }
        found.sort_by_key(|(is_renamed, ..)| *is_renamed);
        let (mut taken, mut tools) = (BTreeSet::new(), BTreeMap::new());
        for (_, id, name, tool) in found {
            if taken.insert(fold_tool_name(&name)) {
                tools.insert(name, tool);
            } else {
                let tool = tool.tool;
                let why = format!("another tool has the name {name}");
                left_out.push(format!("tool {tool} of {id} is left out: {why}"));
            }
        }
        let former = BTreeMap::new();
        Ok(ToolCatalog { tools, former, left_out, listed: OnceLock::new() })
    }

    /// Adds the tools of the catalog that this one replaces.
    pub(super) fn replacing(mut self, old: &ToolCatalog) -> Self {
        let known = old.former.iter().chain(&old.tools);
        self.former.extend(known.map(|(name, tool)| (name.clone(), tool.clone())));
        self
    }

    /// Returns what is left out, for the operator of the server.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Returns `true` if another catalog, read later, adds nothing to this one.
    pub(super) fn is_current(&self, other: &ToolCatalog) -> bool {
        let is_complete = self.listed.get().is_none_or(|listed| listed.is_complete);
        is_complete && self.tools == other.tools && self.left_out == other.left_out
    }

    /// Returns `true` if a client that knows this catalog would be listed the same tools by another one. The
    /// descriptions of replaced packages are known only if they were listed.
    pub(super) fn lists_same(
        &self,
        other: &ToolCatalog,
        store: &PackageStore,
        policy: &PermissionPolicy,
    ) -> bool {
        match self.listed.get() {
            Some(listed) => listed.entries == other.listed(store, policy).entries,
            None => self.tools == other.tools,
        }
    }

    /// Returns the tool that is listed under this name, or was while its package was offered.
    // [SRV-51]
    pub(super) fn tool(&self, name: &str) -> Option<&ListedTool> {
        let is_offered = |old: &ListedTool| {
            self.tools.values().any(|tool| tool.content_hash == old.content_hash)
        };
        let former = || self.former.get(name).filter(|old| !is_offered(old));
        self.tools.get(name).or_else(former)
    }

    /// Returns the list entry of each tool. A package that was removed since, and what the policy denies or
    /// hides, is left out.
    fn listed(&self, store: &PackageStore, policy: &PermissionPolicy) -> &Listing {
        self.listed.get_or_init(|| {
            let mut manifests = BTreeMap::new();
            for ListedTool { content_hash, .. } in self.tools.values() {
                manifests.entry(content_hash).or_insert_with(|| store.manifest(content_hash).ok());
            }
            let entry = |(name, listed): (&String, &ListedTool)| {
                let manifest = manifests.get(&listed.content_hash)?.as_ref()?;
                let tool = manifest.tools.iter().find(|tool| tool.name == listed.tool)?;
                let is_offered =
                    !policy.denies(manifest) && !policy.hides(&manifest.id, &tool.name);
                is_offered.then(|| (name.clone(), tool_json(name, tool, manifest, policy)))
            };
            let entries = self.tools.iter().filter_map(entry).collect();
            Listing { entries, is_complete: manifests.values().all(Option::is_some) }
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
        let tools = &self.listed(store, policy).entries;
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

fn tool_json(
    name: &str,
    tool: &Tool,
    manifest: &Manifest,
    policy: &PermissionPolicy,
) -> Map<String, Value> {
    let mut input = expanded(tool.parameters.source());
    if let Some(schema) = input.as_object_mut() {
        // Some clients require it.
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    let mut listed = Map::new();
    listed.insert("name".to_owned(), json!(name));
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
