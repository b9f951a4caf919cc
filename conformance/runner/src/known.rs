//! Failures that are known: they do not fail a run, and one that passes does.

use crate::suite::is_like;

pub struct Known {
    entries: Vec<Entry>,
}

struct Entry {
    pattern: String,
    reason: String,
}

impl Known {
    /// One entry a line: an id, or a pattern with `*`, then a space and the reason. `#` begins a comment line.
    pub fn parse(text: &str) -> Result<Known, String> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| match line.split_once(' ') {
            Some((pattern, reason)) => {
                Ok(Entry { pattern: pattern.to_owned(), reason: reason.trim().to_owned() })
            }
            None => Err(format!("{line:?} has no reason")),
        });
        Ok(Known { entries: entries.collect::<Result<_, _>>()? })
    }

    pub fn none() -> Known {
        Known { entries: Vec::new() }
    }

    /// Why this case is known to fail.
    pub fn reason(&self, id: &str) -> Option<&str> {
        let found = self.entries.iter().find(|entry| is_like(&entry.pattern, id));
        found.map(|entry| entry.reason.as_str())
    }

    /// The entries that are to be removed: no case has the id, or all with it pass. `ran` has the ids of this run and
    /// whether each fails; entries for cases of another profile are left alone.
    pub fn stale(&self, all: &[&str], ran: &[(&str, bool)]) -> Vec<String> {
        let is_stale = |entry: &&Entry| {
            let own = |id: &str| is_like(&entry.pattern, id);
            let mut mine = ran.iter().filter(|(id, _)| own(id)).peekable();
            match mine.peek() {
                Some(_) => !mine.any(|(_, fails)| *fails),
                None => !all.iter().any(|id| own(id)),
            }
        };
        self.entries.iter().filter(is_stale).map(|entry| entry.pattern.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_stale_if_nothing_that_it_names_fails() {
        let known = Known::parse("# why\n\na/1 bug 7\nb/* later\nc/1 not here\nd/1 no such case\n")
            .unwrap();
        let all = ["a/1", "b/1", "b/2", "c/1"];
        assert_eq!(known.stale(&all, &[("a/1", true), ("b/1", false), ("b/2", true)]), ["d/1"]);
        assert_eq!(known.stale(&all, &[("a/1", false), ("b/1", false)]), ["a/1", "b/*", "d/1"]);
        assert_eq!(known.reason("b/2"), Some("later"));
        assert_eq!(known.reason("c/2"), None);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        assert!(Known::parse("a/1\n").is_err());
    }
}
