//! What runs from Git: the operator's objects under kubectl, Argo CD's engine and Flux's judgement, and the
//! page docs/gitops.md. What needs the program of testbed/gitops is in `tools`: `cargo xtask gitops`.

mod kubectl;
mod page;
mod tools;
