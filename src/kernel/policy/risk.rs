//! Risk score of a package, computed from its manifest and a published table.
//!
//! The score is a sum of points, each for something requested: requesting more never lowers it, and a
//! manifest has the same score on every host. Every variable counts as a credential and every directory
//! as private, since a name proves nothing about the contents.

use super::host_pattern::HostPattern;
use crate::kernel::document::string_enum;
use crate::kernel::package::manifest::{Manifest, Sensitivity};
use crate::kernel::prelude::*;

string_enum! {
    /// Risk level. `None` runs without approval unless the policy forbids it, `Low` if the policy allows it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SecurityLevel {
        /// Requests nothing: no capabilities, and no tool that makes changes. It computes a result from
        /// the arguments.
        None = "none",
        /// Little can be lost.
        Low = "low",
        /// The user's resources are accessed.
        Medium = "medium",
        /// Data can leak or be lost.
        High = "high",
        /// Several of these together.
        Critical = "critical",
    }
}

impl SecurityLevel {
    /// The levels with their minimum points, in ascending order.
    // [RISK-02]
    pub const THRESHOLDS: [(SecurityLevel, u32); 5] = [
        (SecurityLevel::None, 0),
        (SecurityLevel::Low, 1),
        (SecurityLevel::Medium, 25),
        (SecurityLevel::High, 50),
        (SecurityLevel::Critical, 100),
    ];

    /// Returns the level of a score.
    pub fn from_points(points: u32) -> Self {
        let reached = SecurityLevel::THRESHOLDS.into_iter().rfind(|(_, fewest)| *fewest <= points);
        reached.map_or(SecurityLevel::None, |(level, _)| level)
    }
}

/// A score with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The sum of the points.
    pub points: u32,
    /// The level of the sum.
    pub level: SecurityLevel,
    /// Each reason with its points, in the order of the table.
    pub reasons: Vec<(String, u32)>,
}

macro_rules! weights {
    ($($name:ident $points:literal $id:literal $what:literal)*) => {
        #[derive(Clone, Copy)]
        enum Weight { $($name),* }
        impl Weight {
            fn row(self) -> (&'static str, u32, &'static str) {
                match self { $(Weight::$name => ($id, $points, $what)),* }
            }
        }
        /// Name, points and meaning of every weight: the table in `spec/policy.md`.
        pub const WEIGHTS: &[(&str, u32, &str)] = &[$(($id, $points, $what)),*];
    };
}

// [RISK-03]
weights! {
    PublicHost     30 "network.public"      "reaches a host outside"
    InternalHost   40 "network.internal"    "reaches a host inside this network or machine"
    FurtherHost     5 "network.further"     "reaches a further host"
    ReadFirst      10 "filesystem.read"     "reads a directory"
    ReadFurther     3 "filesystem.further"  "reads a further directory"
    WriteFirst     25 "filesystem.write"    "writes a directory"
    WriteFurther    5 "filesystem.write_further" "writes a further directory"
    VariableFirst  25 "environment"         "sees a variable, which may be a credential"
    VariableMore    5 "environment.further" "sees a further variable"
    Storage         5 "storage"             "keeps data from call to call"
    DataCanLeave   20 "combination.leak"    "can send what it reads or keeps to a host"
    WriteTool      10 "tools.write"         "has a tool that changes something"
    DestructiveTool 50 "tools.destructive"  "has a tool whose effect cannot be undone"
}

/// Returns the score of a manifest.
///
/// ```no_run
/// # fn show(manifest: &mpp::package::manifest::Manifest) {
/// let risk = mpp::policy::risk::score(manifest);
/// println!("{} ({} points)", risk.level, risk.points);
/// # }
/// ```
// [RISK-01]
pub fn score(manifest: &Manifest) -> Risk {
    let asked = &manifest.capabilities;
    let files = &asked.filesystem;
    let (internal, public): (Vec<&String>, Vec<&String>) =
        asked.network.iter().partition(|host| HostPattern::from_text(host).is_internal());
    let with = |sensitivity: Sensitivity| {
        manifest.tools.iter().find(|tool| tool.sensitivity == sensitivity).map(|tool| &tool.name)
    };
    let mut sum = Sum(Vec::new());
    sum.first_and_further(Weight::PublicHost, Weight::FurtherHost, &public);
    sum.first_and_further(Weight::InternalHost, Weight::FurtherHost, &internal);
    sum.first_and_further(Weight::ReadFirst, Weight::ReadFurther, &files.read);
    sum.first_and_further(Weight::WriteFirst, Weight::WriteFurther, &files.write);
    sum.first_and_further(Weight::VariableFirst, Weight::VariableMore, &asked.environment);
    sum.one(Weight::Storage, asked.storage.map(|storage| format!("{} KiB", storage.limit_kb)));
    let holds_data = !files.read.is_empty()
        || !files.write.is_empty()
        || !asked.environment.is_empty()
        || asked.storage.is_some();
    sum.one(Weight::DataCanLeave, asked.network.first().filter(|_| holds_data));
    sum.one(Weight::WriteTool, with(Sensitivity::Write));
    sum.one(Weight::DestructiveTool, with(Sensitivity::Destructive));
    let points = sum.0.iter().fold(0_u32, |points, (_, more)| points.saturating_add(*more));
    Risk { points, level: SecurityLevel::from_points(points), reasons: sum.0 }
}

struct Sum(Vec<(String, u32)>);

impl Sum {
    fn one(&mut self, weight: Weight, what: Option<impl AsRef<str>>) {
        let (_, points, meaning) = weight.row();
        self.0.extend(what.map(|what| (format!("{meaning}: {}", what.as_ref()), points)));
    }

    fn first_and_further(&mut self, first: Weight, further: Weight, things: &[impl AsRef<str>]) {
        let mut things = things.iter();
        self.one(first, things.next());
        things.for_each(|thing| self.one(further, Some(thing)));
    }
}
