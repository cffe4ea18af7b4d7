//! Free TCP ports on loopback for servers that must be told their port before they start.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};
use parking_lot::Mutex;

/// Ports given out by this process; each is given out once.
static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

const LOWEST: u16 = 12_000;
const ATTEMPTS: usize = 1_000;

/// A port on 127.0.0.1 where nothing listens now and that this process has not given out before.
///
/// It lies below the kernel's range for outgoing connections: otherwise a client that retries while
/// its server restarts can be given the server's port as its own, connect to itself, and keep the
/// server from binding again.
///
/// Another process may still take the port before it is used, so a caller should survive
/// "address already in use".
///
/// # Errors
/// No free port was found.
pub fn free_port() -> Result<u16> {
    let span = ephemeral_start().saturating_sub(LOWEST).max(1_000);
    let mut taken = TAKEN.lock();
    let taken = taken.get_or_insert_with(HashSet::new);
    for _ in 0..ATTEMPTS {
        let random = RandomState::new().build_hasher().finish() % u64::from(span);
        let port = LOWEST + u16::try_from(random).expect("less than a u16");
        if !taken.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            taken.insert(port);
            return Ok(port);
        }
    }
    bail!(
        "no free port on 127.0.0.1 from {LOWEST} to {}",
        LOWEST + span
    )
}

/// Where the kernel's range for outgoing connections begins.
fn ephemeral_start() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range
        .split_whitespace()
        .next()
        .and_then(|low| low.parse().ok())
        .unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_distinct_and_bindable() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            assert!(
                TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
                "{port}"
            );
        }
    }
}
