//! Several replicas work as one: who writes is told by the API server's audit log, which knows each
//! replica by a ServiceAccount of its own; who leads by the Lease. And how a process ends.

mod guard;
mod handover;
mod loss;
mod pair;
mod shutdown;
