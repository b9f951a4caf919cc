//! Floor 2: what a verified package may touch. (Being built.)

pub mod token;
