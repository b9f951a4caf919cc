//! Tests of the trust store.
