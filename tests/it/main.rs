//! One binary for all tests that need real parts.

mod chart;
mod corpus;
mod crds;
mod documented;
mod e2e;
mod examples;
mod external_secrets;
mod faults;
mod gitops;
mod golden;
mod leadership;
mod outages;
mod render;
mod rights;
mod stores;
mod support;
mod telemetry;
mod vault;
