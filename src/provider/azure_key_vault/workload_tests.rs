//! Tests of `workload`: which id counts, by the rule of ESO and by that of `useAzureSDK`.

use super::*;

const ACCOUNT: &str = "team/wi";

fn annotations(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let entries = entries.iter();
    entries
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[test]
fn the_client_id_has_one_source() {
    // clientId, annotation, rule of the SDK → client id or words
    let cases = [
        ("", "a", false, Ok("a")),
        ("s", "", false, Ok("s")),
        (
            "s",
            "a",
            false,
            Err("multiple clientID found. Check secretRef and serviceAccountRef"),
        ),
        ("a", "a", false, Err("multiple clientID found")),
        (
            "",
            "",
            false,
            Err(
                "missing clientID: either serviceAccountRef or service account annotation 'azure.workload.identity/client-id' is missing",
            ),
        ),
        ("s", "a", true, Ok("a")),
        ("s", "", true, Ok("s")),
        ("", "", true, Err("missing clientID")),
    ];
    for (named, annotated, first_wins, want) in cases {
        let ids = Ids {
            client_id: some(named),
            ..Ids::default()
        };
        let entries = some(annotated).map(|id| (CLIENT_ID.to_owned(), format!(" {id}\n")));
        let found = ids.client_id(&entries.into_iter().collect(), ACCOUNT, first_wins);
        check(
            found,
            want,
            &format!("{named:?} {annotated:?} {first_wins}"),
        );
    }
}

#[test]
fn the_tenant_is_looked_for_in_order() {
    // authSecretRef.tenantId, tenantId, annotation, environment, rule of the SDK
    let conflict = "multiple tenantID found. Check secretRef, 'spec.provider.azurekv.tenantId', and serviceAccountRef";
    let cases = [
        (["s", "t", "", "e"], false, Ok("s")),
        (["", "t", "", "e"], false, Ok("t")),
        (["", "", "a", "e"], false, Ok("a")),
        (["", "", "", "e"], false, Ok("e")),
        (
            ["", "", "", ""],
            false,
            Err("missing tenantID in store config"),
        ),
        (["s", "", "a", ""], false, Err(conflict)),
        (["", "t", "t", ""], false, Err(conflict)),
        (["s", "t", "a", "e"], true, Ok("t")),
        (["s", "", "a", "e"], true, Ok("s")),
        (["", "", "a", "e"], true, Ok("a")),
    ];
    for ([in_secret, tenant, annotated, ambient], first_wins, want) in cases {
        let ids = Ids {
            client_id: None,
            tenant_in_secret: some(in_secret),
            tenant: some(tenant),
            ambient_tenant: some(ambient),
        };
        let entries = some(annotated).map(|id| (TENANT_ID, id));
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, id)| (*name, id.as_str()))
            .collect();
        let found = ids.tenant(&annotations(&entries), ACCOUNT, first_wins);
        check(
            found,
            want,
            &format!("{in_secret} {tenant} {annotated} {ambient} {first_wins}"),
        );
    }
}

fn check(found: Result<String, Error>, want: Result<&str, &str>, case: &str) {
    match (found, want) {
        (Ok(found), Ok(want)) => assert_eq!(found, want, "{case}"),
        (Err(error), Err(words)) => {
            assert!(error.to_string().starts_with(words), "{case}: {error}");
        }
        (found, _) => panic!("{case}: {found:?}"),
    }
}

#[test]
fn the_operators_own_identity_needs_all_three_variables() {
    let whole = Ambient {
        client_id: some("c"),
        tenant_id: some("t"),
        token_file: Some("/token".into()),
        ..Ambient::default()
    };
    assert!(mounted(Cloud::public(), &whole).is_ok());
    let lacking = [
        Ambient {
            client_id: None,
            ..whole.clone()
        },
        Ambient {
            tenant_id: None,
            ..whole.clone()
        },
        Ambient {
            token_file: None,
            ..whole
        },
    ];
    for ambient in lacking {
        let error = mounted(Cloud::public(), &ambient).unwrap_err().to_string();
        let words = "missing environment variables. AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE must be set";
        assert!(error.starts_with(words), "{error}");
    }
}
