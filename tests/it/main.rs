//! One binary for all tests that need real parts.

mod crds;
mod golden;
mod outages;
mod support;
