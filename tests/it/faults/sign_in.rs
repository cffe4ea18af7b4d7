//! Faults of the identity: what Microsoft Entra refuses, and what the cluster lacks for signing in.

use serde_json::{Value, json};

use super::fault::{Fault, Told};
use super::network::elsewhere;
use crate::support::settings::repository;

/// No tenant and no application has it.
const UNKNOWN: &str = "99999999-9999-9999-9999-999999999999";
const CLIENT_ID: &str = "azure.workload.identity/client-id";

/// Microsoft Entra does not take the service principal's proof.
pub(super) fn principals() -> Vec<Fault> {
    let client = "33333333-0000-0000-0000-0000000000f1";
    let disabled = json!({"error": "unauthorized_client", "error_codes": [7_000_112],
        "error_description": format!("AADSTS7000112: Application '{}'(keyferry) is disabled. Trace ID: {UNKNOWN}", azfake::CLIENT)});
    vec![
        Fault::new(
            "The client secret is wrong, or is the secret's id",
            Told::Vault("TokenSecretWrong"),
            "AADSTS7000215",
            "put the secret's value (not its id) into the Secret key that clientSecret names",
        )
        .credentials(json!({"id": azfake::CLIENT, "secret": "not-the-secret"})),
        Fault::new(
            "The client secret has expired",
            Told::Vault("TokenSecretExpired"),
            "AADSTS7000222",
            "create a new client secret for the application",
        )
        .credentials(json!({"id": azfake::CLIENT, "secret": azfake::EXPIRED_SECRET})),
        Fault::new(
            "The application does not know the certificate",
            Told::Vault("TokenCertificateWrong"),
            "AADSTS700027",
            "add the certificate",
        )
        .credentials(json!({"id": client, "pem": fixture("sp-client.pem")}))
        .store(by_certificate())
        .application(client, json!({"certificates": [fixture("web-chain.pem")]})),
        Fault::new(
            "The tenant does not exist",
            Told::Vault("TenantUnknown"),
            "AADSTS90002",
            "check tenantId",
        )
        .store(json!({"tenantId": UNKNOWN})),
        Fault::new(
            "The tenant has no such application",
            Told::Vault("ClientUnknown"),
            "AADSTS700016",
            "check clientId, and that the application exists in the tenant",
        )
        .credentials(json!({"id": UNKNOWN, "secret": azfake::CLIENT_SECRET})),
        Fault::new(
            "The application is disabled",
            Told::Vault("TokenRefused"),
            "is disabled",
            "enable the application's service principal in the tenant",
        )
        .store(elsewhere("https://login.chinacloudapi.cn"))
        .host(
            "login.chinacloudapi.cn",
            json!({"status": 400, "body": disabled.to_string()}),
        ),
        Fault::new(
            "The vault belongs to another tenant",
            Told::Vault("TokenNotAccepted"),
            "(AKV10032): Invalid issuer",
            "check tenantId: the vault belongs to another tenant",
        )
        .content(json!({"tenant": UNKNOWN, "secrets": {"password": {"value": "first"}}})),
    ]
}

/// What a credential Secret lacks.
pub(super) fn credentials() -> Vec<Fault> {
    let pem = "-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n";
    let both = fixture("sp-client.pem");
    let begin = "-----BEGIN CERTIFICATE-----";
    let (_, certificate) = both.split_once(begin).unwrap();
    let (certificate, _) = certificate.split_once("-----END").unwrap();
    let no_key = format!("{begin}{certificate}-----END CERTIFICATE-----\n");
    let place = "clientCertificate: key \"pem\" of Secret ${NS}/creds";
    let remedy = "put the certificate and its RSA key there, in PEM or PKCS#12";
    vec![
        Fault::new(
            "The credential Secret does not exist",
            Told::Store,
            "secrets \"creds\" not found",
            "create it, or correct the store's reference to it",
        )
        .credentials(Value::Null),
        Fault::new(
            "The credential Secret lacks the key",
            Told::Store,
            "cannot find secret data for key: \"secret\"",
            "add the key, or correct the store's reference to it",
        )
        .credentials(json!({"id": azfake::CLIENT})),
        Fault::new(
            "The key of the credential Secret is empty",
            Told::Store,
            "is empty",
            "put the value there",
        )
        .credentials(json!({"id": azfake::CLIENT, "secret": "\n"})),
        Fault::new(
            "The client certificate is malformed",
            Told::Store,
            place,
            remedy,
        )
        .credentials(json!({"id": azfake::CLIENT, "pem": pem}))
        .store(by_certificate()),
        Fault::new(
            "The client certificate has no private key",
            Told::Store,
            "no private key found in PEM file",
            remedy,
        )
        .credentials(json!({"id": azfake::CLIENT, "pem": no_key}))
        .store(by_certificate()),
    ]
}

/// The application does not trust the cluster's ServiceAccount.
pub(super) fn federations() -> Vec<Fault> {
    let remedy = "give the application a federated credential with issuer ${ISSUER}, subject system:serviceaccount:${NS}:wi and audience api://AzureADTokenExchange";
    let [issuer, subject, audience] =
        ["f2", "f3", "f4"].map(|n| format!("33333333-0000-0000-0000-0000000000{n}"));
    vec![
        Fault::new(
            "No federated credential has the cluster's issuer",
            Told::Store,
            "No matching federated identity record found for presented assertion issuer",
            remedy,
        )
        .store(workload())
        .object(account(&json!({CLIENT_ID: issuer})))
        .application(
            &issuer,
            json!({"issuers": ["https://another-cluster.example"]}),
        ),
        Fault::new(
            "No federated credential has the ServiceAccount as subject",
            Told::Store,
            "No matching federated identity record found for presented assertion subject",
            remedy,
        )
        .store(workload())
        .object(account(&json!({CLIENT_ID: subject})))
        .application(
            &subject,
            json!({"subjects": ["system:serviceaccount:another:wi"]}),
        ),
        Fault::new(
            "The federated credential is for another audience",
            Told::Store,
            "No matching federated identity record found for presented assertion audience",
            remedy,
        )
        .store(workload())
        .object(account(&json!({CLIENT_ID: audience})))
        .application(&audience, json!({"audiences": ["api://another-audience"]})),
    ]
}

/// A ServiceAccount, or the operator's pod, says too little.
pub(super) fn workloads() -> Vec<Fault> {
    vec![
        Fault::new(
            "The ServiceAccount does not exist",
            Told::Store,
            "serviceaccounts \"wi\" not found",
            "create it, or correct the store's reference to it",
        )
        .store(workload()),
        Fault::new(
            "The ServiceAccount has no client id",
            Told::Store,
            "missing clientID",
            "annotate ServiceAccount ${NS}/wi",
        )
        .store(workload())
        .object(account(&json!({}))),
        Fault::new(
            "Neither the ServiceAccount nor the store names a tenant",
            Told::Store,
            "missing tenantID in store config",
            "write spec.provider.azurekv.tenantId, or annotate ServiceAccount ${NS}/wi",
        )
        .store(without_tenant(workload()))
        .object(account(&json!({CLIENT_ID: azfake::CLIENT}))),
        Fault::new(
            "The operator's pod has no workload identity",
            Told::Store,
            "missing environment variables",
            "label the operator's pod azure.workload.identity/use",
        )
        .store(json!({"authType": "WorkloadIdentity", "authSecretRef": null})),
    ]
}

/// The machine has no such identity, or is none of Azure's.
pub(super) fn machines() -> Vec<Fault> {
    let machine = json!({"authType": "ManagedIdentity", "identityId": UNKNOWN,
        "tenantId": null, "authSecretRef": null});
    vec![
        Fault::new(
            "The machine does not have the managed identity",
            Told::Vault("IdentityMissing"),
            "Identity not found",
            "assign the identity to the machine, or correct identityId",
        )
        .store(machine.clone()),
        Fault::new(
            "The metadata service cannot be reached: no machine of Azure, or a proxy is asked for it",
            Told::Vault("ConnectionFailed"),
            "169.254.169.254 is unavailable",
            "managed identity works on Azure's machines only",
        )
        .store(machine)
        .variable("HTTP_PROXY", "http://127.0.0.1:1"),
    ]
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/golden/fixtures").join(name)).unwrap()
}

fn by_certificate() -> Value {
    json!({"authSecretRef": {
        "clientId": {"name": "creds", "key": "id"},
        "clientCertificate": {"name": "creds", "key": "pem"},
    }})
}

fn workload() -> Value {
    json!({"authType": "WorkloadIdentity", "authSecretRef": null, "serviceAccountRef": {"name": "wi"}})
}

fn without_tenant(mut store: Value) -> Value {
    store["tenantId"] = Value::Null;
    store
}

fn account(annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "wi", "annotations": annotations}})
}
