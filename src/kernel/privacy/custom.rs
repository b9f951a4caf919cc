//! Custom patterns of publishers and hosts. They match the original text, not the folded one.

use super::budget::Budget;
use super::matches::{Match, MatchSource};
use crate::kernel::limits::{LINE_BYTES_MAX, PRIVACY_CUSTOM_COUNT_MAX};
use crate::kernel::names::is_pattern_name;
use crate::kernel::package::manifest::CustomPattern;
use crate::kernel::pattern::{Dialect, Pattern};
use crate::kernel::prelude::*;

/// A compiled custom pattern.
pub(super) struct Custom {
    pub(super) name: String,
    pattern: Pattern,
}

/// Compiles patterns.
///
/// # Errors
/// `privacy.pattern`.
pub(super) fn compile(patterns: &[CustomPattern]) -> Result<Vec<Custom>, Error> {
    // [PRIV-91]
    if patterns.len() > PRIVACY_CUSTOM_COUNT_MAX {
        let detail =
            format!("{} custom privacy patterns, limit {PRIVACY_CUSTOM_COUNT_MAX}", patterns.len());
        return Err(Error::new(Code::PrivacyPattern, detail));
    }
    patterns.iter().map(compile_one).collect()
}

fn compile_one(custom: &CustomPattern) -> Result<Custom, Error> {
    let CustomPattern { name, pattern } = custom;
    let refuse = |why: &str| {
        let name: String = name.chars().take(32).collect();
        Err(Error::new(Code::PrivacyPattern, format!("custom privacy pattern {name:?} {why}")))
    };
    // [PRIV-90]
    if !is_pattern_name(name) {
        return refuse("needs a name of 1 to 32 of A-Z, 0-9 and `_`, starting with a letter");
    }
    // [PRIV-91]
    if pattern.len() > LINE_BYTES_MAX {
        return refuse(&format!("exceeds {LINE_BYTES_MAX} bytes"));
    }
    // [PRIV-92]
    let pattern = match Pattern::new(pattern, Dialect::Privacy) {
        Ok(pattern) => pattern,
        Err(why) => return refuse(&format!("does not compile: {why}")),
    };
    // [PRIV-93]
    if pattern.is_match("", |_| Ok::<(), Error>(()))? {
        return refuse("matches the empty text");
    }
    Ok(Custom { name: name.clone(), pattern })
}

/// Adds the matches of every pattern that do not overlap `labels`, which are sorted ranges.
///
/// # Errors
/// `privacy.limit`, and those of the deadline.
// [PRIV-94] [PRIV-95]
pub(super) fn find(
    text: &str,
    patterns: &[Custom],
    labels: &[(usize, usize)],
    budget: &mut Budget,
    matches: &mut Vec<Match>,
) -> Result<(), Error> {
    for (index, custom) in patterns.iter().enumerate() {
        let spend = |steps| budget.charge_steps(steps);
        custom.pattern.each_match(text, spend, |start, end| {
            let after = labels.partition_point(|label| label.1 <= start);
            let touches = labels.get(after).is_some_and(|label| label.0 < end);
            if !touches {
                matches.push(Match { start, end, source: MatchSource::Custom(index) });
            }
        })?;
    }
    Ok(())
}
