//! What the commands for authors of tools do: new projects.

pub mod project;
