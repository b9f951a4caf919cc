//! Patterns of publishers and hosts. They see the text as it is, unfolded.

use super::budget::Budget;
use super::matches::{Match, MatchSource};
use crate::kernel::limits::{LINE_BYTES_MAX, PRIVACY_CUSTOM_COUNT_MAX};
use crate::kernel::names::is_pattern_name;
use crate::kernel::package::manifest::CustomPattern;
use crate::kernel::pattern::{Dialect, Pattern};
use crate::kernel::prelude::*;

/// A custom pattern, compiled.
pub(in crate::kernel) struct Custom {
    pub(in crate::kernel) name: String,
    pattern: Pattern,
}

/// Compiles every pattern.
///
/// # Errors
/// `privacy.pattern`.
pub(in crate::kernel) fn compile(patterns: &[CustomPattern]) -> Result<Vec<Custom>, Error> {
    // [PRIV-91]
    if patterns.len() > PRIVACY_CUSTOM_COUNT_MAX {
        let detail = format!("more than {PRIVACY_CUSTOM_COUNT_MAX} custom privacy patterns");
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
        return refuse("has a name that is not 1 to 32 of A-Z, 0-9 and `_`, a letter first");
    }
    // [PRIV-91]
    if pattern.len() > LINE_BYTES_MAX {
        return refuse("is too long");
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

/// Adds the matches of every pattern that touch none of the `labels`, which are ranges in order.
///
/// # Errors
/// `privacy.limit`, and those of the deadline.
// [PRIV-94] [PRIV-95]
pub(in crate::kernel) fn find(
    text: &str,
    patterns: &[Custom],
    labels: &[(usize, usize)],
    budget: &mut Budget,
    hits: &mut Vec<Match>,
) -> Result<(), Error> {
    for (index, custom) in patterns.iter().enumerate() {
        let spend = |steps| budget.spend_steps(steps);
        custom.pattern.each_match(text, spend, |start, end| {
            let behind = labels.partition_point(|label| label.1 <= start);
            let touches = labels.get(behind).is_some_and(|label| label.0 < end);
            if !touches {
                hits.push(Match { start, end, tag: MatchSource::Custom(index) });
            }
        })?;
    }
    Ok(())
}
