//! Faults between the operator and the vault, and of the vault itself.

use serde_json::json;

use super::fault::{Fault, Told};

const NETWORK: &str = "check the network path (firewall, private endpoint, proxy)";
const PROXY: &str = "check for a proxy in between";

/// Nothing useful comes back from the vault's address.
pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::new(
            "The vault's name does not resolve: a typo, or the vault was deleted",
            Told::Vault("VaultNotFound"),
            "the host name does not resolve",
            "check vaultUrl, and that the vault exists",
        )
        // the resolver gives up before it asks anybody
        .variable("RES_OPTIONS", "attempts:0")
        .variable("NO_PROXY", "127.0.0.1,localhost,.svc,${NS}.vault.azure.net"),
        Fault::new(
            "Nobody listens at the vault's address",
            Told::Vault("ConnectionFailed"),
            "connection refused",
            NETWORK,
        )
        .store(json!({"vaultUrl": "https://127.0.0.1:1"}))
        .flag("--allow-vault-host=127.0.0.1:1"),
        Fault::new(
            "The connection is reset",
            Told::Vault("ConnectionFailed"),
            "the connection broke before an answer",
            NETWORK,
        )
        .vault(json!({"dropConnection": true})),
        Fault::new(
            "No answer comes: packets are dropped on the way",
            Told::Vault("TimedOut"),
            "no answer within 10 s",
            NETWORK,
        )
        .vault(json!({"hang": true})),
        Fault::new(
            "The certificate is of a CA that the operator does not know",
            Told::Vault("TlsFailed"),
            "the certificate's issuer is not trusted",
            "give its CA in SSL_CERT_FILE",
        )
        .store(json!({"vaultUrl": "https://${API}"}))
        .flag("--allow-vault-host=${API}"),
    ]
}

/// A proxy is in the way, known or not.
pub(super) fn proxies() -> Vec<Fault> {
    let page = "<html><body>Please sign in to the network</body></html>";
    vec![
        Fault::new(
            "The proxy cannot be reached",
            Told::Vault("ProxyFailed"),
            "the proxy cannot be reached",
            "check HTTPS_PROXY in the operator's environment",
        )
        .variable("HTTPS_PROXY", "http://127.0.0.1:1"),
        Fault::new(
            "The proxy wants a user name and a password",
            Told::Vault("ProxyFailed"),
            "the proxy wants a user name and a password",
            "put them into HTTPS_PROXY",
        )
        .vault(json!({"refuseConnect": true, "status": 407})),
        Fault::new(
            "The proxy does not let the operator through to the vault",
            Told::Vault("ProxyFailed"),
            "the proxy could not reach it (no such name, refused, or not allowed)",
            "and what the proxy allows",
        )
        .vault(json!({"refuseConnect": true, "status": 403})),
        Fault::new(
            "The proxy does not find the vault's name: a typo, or the vault was deleted",
            Told::Vault("ProxyFailed"),
            "the proxy could not reach it (no such name, refused, or not allowed)",
            "check vaultUrl, and that the vault exists",
        )
        .store(json!({"vaultUrl": "https://nxdomain-${NS}.vault.azure.net"})),
        Fault::new(
            "A proxy answers in the vault's place, as if all were well",
            Told::Vault("BadAnswer"),
            "the answer cannot be understood",
            PROXY,
        )
        .vault(json!({"body": page})),
        Fault::new(
            "A proxy answers in the vault's place: not found",
            Told::Vault("BadAnswer"),
            "HTTP 404, not from Key Vault",
            PROXY,
        )
        .vault(json!({"status": 404, "body": page})),
        Fault::new(
            "A proxy answers in place of Microsoft Entra",
            Told::Vault("BadAnswer"),
            "login.microsoftonline.de is unavailable: the answer cannot be understood",
            PROXY,
        )
        .store(elsewhere("https://login.microsoftonline.de"))
        .host("login.microsoftonline.de", json!({"body": page})),
    ]
}

/// The services themselves are in trouble.
pub(super) fn services() -> Vec<Fault> {
    vec![
        Fault::new(
            "The vault has a fault of its own (5xx)",
            Told::Vault("BadAnswer"),
            "HTTP 503 (ServiceUnavailable)",
            "if this lasts, see Azure's service health",
        )
        .vault(json!({"status": 503})),
        Fault::new(
            "The vault throttles",
            Told::ExternalSecret,
            "throttled by ${NS}.vault.azure.net",
            "raise spec.refreshInterval of those who read from it",
        )
        .vault(json!({"status": 429, "retryAfter": 30})),
        Fault::new(
            "Microsoft Entra has a fault of its own (5xx)",
            Told::Vault("BadAnswer"),
            "the sign-in service answered HTTP 503",
            "else wait for the service",
        )
        .store(elsewhere("https://login.microsoftonline.us"))
        .host(
            "login.microsoftonline.us",
            json!({"status": 503, "body": "unavailable"}),
        ),
    ]
}

/// Signs in at a host that no other test uses.
pub(super) fn elsewhere(endpoint: &str) -> serde_json::Value {
    json!({"useAzureSDK": true, "customCloudConfig": {"activeDirectoryEndpoint": endpoint}})
}
