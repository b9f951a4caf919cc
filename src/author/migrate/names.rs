//! Names of tools: those that a manifest refuses are changed, and stay distinct and stable.

use mpp::names::is_tool_name;
use std::collections::{BTreeMap, BTreeSet};

const BYTES_MAX: usize = 64;

/// Returns a name for each tool. An acceptable name stays. Another one becomes the same wherever the tool is in
/// the list; where two become equal, they get a suffix made of the original.
pub(super) fn fold(names: &[&str]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let kept: Vec<bool> = names
        .iter()
        .map(|name| is_tool_name(name) && taken.insert(name.to_ascii_lowercase()))
        .collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, kept) in names.iter().zip(&kept) {
        if !kept {
            let count = counts.entry(folded(name).to_ascii_lowercase()).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut results = Vec::new();
    for (name, kept) in names.iter().zip(&kept) {
        if *kept {
            results.push((*name).to_owned());
            continue;
        }
        let plain = folded(name);
        let lower = plain.to_ascii_lowercase();
        let is_alone = counts.get(&lower) == Some(&1) && name.chars().count() <= BYTES_MAX;
        let mut result = if is_alone { plain.clone() } else { suffixed(&plain, &hash(name)) };
        let mut number = 1_usize;
        while !taken.insert(result.to_ascii_lowercase()) {
            number = number.saturating_add(1);
            result = suffixed(&plain, &format!("{}_{number}", hash(name)));
        }
        results.push(result);
    }
    results
}

/// Replaces what a name cannot have.
fn folded(name: &str) -> String {
    let fold = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let text: String = name.chars().map(fold).take(BYTES_MAX).collect();
    match text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => text,
        false => format!("tool_{}", text.trim_start_matches('_')).chars().take(BYTES_MAX).collect(),
    }
}

fn suffixed(name: &str, suffix: &str) -> String {
    let length = BYTES_MAX.saturating_sub(suffix.len()).saturating_sub(1);
    let start: String = name.chars().take(length).collect();
    format!("{}_{suffix}", start.trim_end_matches('_'))
}

/// FNV-1a, 32 bits: it distinguishes names, and protects nothing.
fn hash(text: &str) -> String {
    let add = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    format!("{:08x}", text.bytes().fold(0x811c_9dc5, add))
}
