//! Common imports of the kernel: names that `no_std` leaves out of the prelude, and the error type.

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
