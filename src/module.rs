//! Room: a WebAssembly module: engine settings, validation, imports and caps. (Being built.)

/// A module that passed every rule of `spec/sandbox.md`; compiled once, cheap to clone.
#[derive(Clone, Debug)]
pub struct Module {}
