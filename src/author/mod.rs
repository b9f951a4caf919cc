//! What the commands for authors of tools do: new projects, and manifests for tools that exist.

pub mod migrate;
pub mod project;
