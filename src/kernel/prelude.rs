//! What every file of the kernel has in scope: what the standard library does not put there, and the error.

pub use crate::kernel::error::{Code, Error};
pub use alloc::borrow::ToOwned;
pub use alloc::boxed::Box;
pub use alloc::collections::{BTreeMap, BTreeSet};
pub use alloc::format;
pub use alloc::string::{String, ToString};
pub use alloc::sync::Arc;
pub use alloc::vec;
pub use alloc::vec::Vec;
pub use core::fmt;
