//! Declared in lib.rs; see there.
