//! The SDK: every request gets a response, and everything from outside goes through the call.
