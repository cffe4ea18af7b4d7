//! ExternalSecrets in the hands of people: bad input, what makes a refresh, what is said of whom,
//! and how much is asked while nothing works.

mod canary;
mod catalogue;
mod changes;
mod generic_targets;
mod hostile;
mod input;
mod ownership;
mod pace;
mod policies;
mod protection;
mod refusals;
mod scale;
mod takeover;
mod triggers;
mod vanishing;
mod volume;

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::manifests::credentials;
use crate::support::scene::Scene;

/// Registers an application that no other test signs in as, with this client secret; returns its
/// client id.
pub(crate) fn application(scene: &Scene, secret: &str) -> String {
    static SERIAL: AtomicU32 = AtomicU32::new(1);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let client = format!("33333333-3333-3333-3333-{serial:012}");
    scene.register(&client, &[secret]);
    client
}

/// Secret `creds` with this client and secret.
fn credentials_of(client: &str, secret: &str) -> Value {
    let mut creds = credentials(secret);
    creds["stringData"]["id"] = json!(client);
    creds
}
