//! The `fake` provider (`spec.provider.fake`): values that stand in the store itself, for tests
//! and trials (ESO's page "Fake"). Each store has its own values; ESO's fake stores
//! of one name share theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Connection, Error, ListOptions, ObjectFilter, ObjectRef, Provider, Read, Scope, Search,
    SecretsClient,
};
use crate::api::fake::Fake;
use crate::credentials::CredentialReader;
use crate::secret::{SecretData, SecretValue, members, pattern, property};

/// A store whose `spec.provider` is `fake`.
#[derive(Clone, Debug)]
pub struct FakeProvider {
    spec: Fake,
}

impl FakeProvider {
    /// The store as its block says.
    pub fn new(spec: Fake) -> Self {
        Self { spec }
    }
}

#[async_trait]
impl Provider for FakeProvider {
    fn validate(&self, _: &Scope) -> Result<(), Error> {
        for (index, entry) in self.spec.data.iter().enumerate() {
            let missing = match (entry.key.is_empty(), entry.value.is_empty()) {
                (true, _) => "key must be set",
                (false, true) => "at least one value must be set",
                (false, false) => continue,
            };
            return Err(Error::Config {
                message: format!("{missing} in data {index} of spec.provider.fake"),
            });
        }
        Ok(())
    }

    async fn connect(&self, _: &Scope, _: &dyn CredentialReader) -> Result<Connection, Error> {
        const UNABLE: &str = "unable to validate: so says spec.provider.fake.validationResult";
        let client = Arc::new(FakeClient::new(&self.spec));
        match self.spec.validation_result {
            None | Some(0) => Ok(Connection::Client(client)),
            Some(1) => Ok(Connection::Unchecked {
                client,
                reason: UNABLE.to_owned(),
            }),
            Some(_) => Err(Error::Config {
                message: UNABLE.to_owned(),
            }),
        }
    }
}

/// The values by key, and of each key by version; without a version it is the empty one.
#[derive(Debug)]
pub struct FakeClient(BTreeMap<String, BTreeMap<String, SecretValue>>);

impl FakeClient {
    /// The values of `spec`.
    pub fn new(spec: &Fake) -> Self {
        let mut data: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for entry in &spec.data {
            let version = entry.version.clone().unwrap_or_default();
            let value = SecretValue::new(entry.value.as_str());
            let versions = data.entry(entry.key.clone()).or_default();
            versions.insert(version, value);
        }
        Self(data)
    }

    fn value(&self, remote_ref: &ObjectRef) -> Option<SecretValue> {
        let version = remote_ref.version.as_deref().unwrap_or_default();
        let versions = self.0.get(&remote_ref.key);
        let value = versions.and_then(|versions| versions.get(version));
        let path = remote_ref.property.as_deref().filter(|p| !p.is_empty());
        match (value, path) {
            (Some(value), Some(path)) => property::select(value, path),
            (value, _) => value.cloned(),
        }
    }
}

#[async_trait]
impl SecretsClient for FakeClient {
    fn object(&self, remote_ref: &ObjectRef) -> Result<String, Error> {
        Ok(object(&remote_ref.key))
    }

    /// A missing property counts as a missing value, as with ESO; `metadataPolicy` is ignored.
    async fn get(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
        Ok(Read::plain(self.value(remote_ref)))
    }

    async fn extract(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
        let value = self.value(remote_ref);
        let found = value.map(|value| members(&value)).transpose();
        let found = found.map_err(|error| invalid(error.to_string()));
        found.map(Read::plain)
    }

    /// By name only; of several versions the one that sorts last.
    async fn find(
        &self,
        search: &Search,
        admits: &ObjectFilter<'_>,
        _: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error> {
        let Some(name) = &search.name else {
            return Err(invalid(
                "unsupported find operator: the fake provider finds by dataFrom.find.name only"
                    .to_owned(),
            ));
        };
        let pattern = pattern::compile(name);
        let pattern =
            pattern.map_err(|error| invalid(format!("dataFrom.find.name.regexp: {error}")))?;
        let is_wanted = |key: &str| pattern.is_match(key) && admits(&object(key));
        let matching = self.0.iter().filter(|(key, _)| is_wanted(key));
        let latest = matching.filter_map(|(key, versions)| {
            let (_, value) = versions.last_key_value()?;
            Some((key.clone(), value.clone()))
        });
        Ok(Read::plain(latest.collect()))
    }
}

fn object(key: &str) -> String {
    format!("secret/{}", key.to_lowercase())
}

fn invalid(message: String) -> Error {
    Error::Invalid { message }
}

#[cfg(test)]
mod tests {
    use crate::api::external_secret::{Find, RemoteRef};
    use k8s_openapi::jiff::Timestamp;

    use super::*;
    use crate::credentials;
    use crate::provider::{KeyFilter, KeyPatterns, StoreReader};

    const TERMS: ListOptions<'static> = ListOptions {
        since: Timestamp::UNIX_EPOCH,
        now: Timestamp::UNIX_EPOCH,
        store: "",
        reads: 0,
    };

    struct NoCredentials;

    #[async_trait]
    impl CredentialReader for NoCredentials {
        async fn secret_key(
            &self,
            _: &str,
            _: &str,
            _: &str,
        ) -> Result<SecretValue, credentials::Error> {
            unreachable!("the fake provider has no credentials")
        }

        async fn annotations(
            &self,
            _: &str,
            _: &str,
        ) -> Result<std::collections::BTreeMap<String, String>, credentials::Error> {
            unreachable!("the fake provider has no credentials")
        }

        fn tokens(&self) -> Arc<dyn credentials::ServiceAccountTokens> {
            unreachable!("the fake provider has no credentials")
        }
    }

    fn spec(validation: Option<i64>) -> Fake {
        serde_json::from_value(serde_json::json!({
            "validationResult": validation,
            "data": [
                {"key": "plain", "value": "hello"},
                {"key": "json", "value": r#"{"a":"1","n":{"b":"2"}}"#},
                {"key": "many", "value": "second", "version": "v2"},
                {"key": "many", "value": "first", "version": "v1"},
            ],
        }))
        .unwrap()
    }

    fn reference(json: serde_json::Value) -> ObjectRef {
        ObjectRef::from(&serde_json::from_value::<RemoteRef>(json).unwrap())
    }

    fn got(json: serde_json::Value) -> Option<String> {
        let value = FakeClient::new(&spec(None)).value(&reference(json))?;
        value.expose_text().map(str::to_owned)
    }

    async fn found(json: serde_json::Value) -> Result<Vec<String>, String> {
        let find: Find = serde_json::from_value(json).unwrap();
        let find = Search::from(&find);
        let found = FakeClient::new(&spec(None))
            .find(&find, &|_| true, TERMS)
            .await;
        let found = found.map_err(|error| error.to_string())?;
        let text = |value: &SecretValue| value.expose_text().unwrap().to_owned();
        Ok(found
            .value
            .iter()
            .map(|(key, value)| format!("{key}={}", text(value)))
            .collect())
    }

    #[tokio::test]
    async fn key_and_version_must_both_be_those_of_an_entry() {
        let vectors = [
            (serde_json::json!({"key": "plain"}), Some("hello")),
            (
                serde_json::json!({"key": "plain", "version": "", "property": "", "metadataPolicy": "Fetch"}),
                Some("hello"),
            ),
            (serde_json::json!({"key": "plain", "version": "v1"}), None),
            (serde_json::json!({"key": "many"}), None),
            (
                serde_json::json!({"key": "many", "version": "v1"}),
                Some("first"),
            ),
            (
                serde_json::json!({"key": "json", "property": "n.b"}),
                Some("2"),
            ),
            (serde_json::json!({"key": "json", "property": "nope"}), None),
            (serde_json::json!({"key": "nope"}), None),
        ];
        for (json, want) in vectors {
            assert_eq!(got(json.clone()).as_deref(), want, "{json}");
        }
    }

    #[tokio::test]
    async fn members_are_those_of_a_json_object() {
        let client = FakeClient::new(&spec(None));
        let json = reference(serde_json::json!({"key": "json"}));
        let data = client.extract(&json).await.unwrap().value.unwrap();
        assert_eq!(data["a"].expose(), b"1");
        assert_eq!(data["n"].expose(), br#"{"b":"2"}"#);
        let plain = reference(serde_json::json!({"key": "plain"}));
        assert!(client.extract(&plain).await.is_err());
        let nope = reference(serde_json::json!({"key": "nope"}));
        assert!(client.extract(&nope).await.unwrap().value.is_none());
    }

    #[tokio::test]
    async fn find_takes_the_last_version_of_each_matching_key() {
        let by_name = |regexp: &str| serde_json::json!({"name": {"regexp": regexp}});
        assert_eq!(found(by_name("^many")).await.unwrap(), ["many=second"]);
        assert_eq!(
            found(by_name("n$")).await.unwrap(),
            ["json={\"a\":\"1\",\"n\":{\"b\":\"2\"}}", "plain=hello"]
        );
        assert!(found(by_name("^x")).await.unwrap().is_empty());
        let error = found(by_name("(")).await.unwrap_err();
        assert!(error.contains("dataFrom.find.name.regexp"), "{error}");
        for unsupported in [
            serde_json::json!({"tags": {"a": "b"}}),
            serde_json::json!({"path": "a"}),
        ] {
            let error = found(unsupported).await.unwrap_err();
            assert!(error.starts_with("unsupported find operator"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_store_says_what_its_validation_says() {
        let scope = Scope::Cluster { consumer: None };
        for (result, want) in [
            (None, "ready"),
            (Some(0), "ready"),
            (Some(1), "unknown"),
            (Some(2), "error"),
        ] {
            let provider = FakeProvider::new(spec(result));
            provider.validate(&scope).unwrap();
            let got = match provider.connect(&scope, &NoCredentials).await {
                Ok(Connection::Client(_)) => "ready",
                Ok(Connection::Unchecked { .. }) => "unknown",
                Ok(Connection::Referent) => "referent",
                Err(_) => "error",
            };
            assert_eq!(got, want, "{result:?}");
        }
    }

    #[test]
    fn an_entry_without_key_or_value_is_named() {
        let data =
            serde_json::json!({"data": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]});
        let provider = FakeProvider::new(serde_json::from_value(data).unwrap());
        let error = provider.validate(&Scope::Cluster { consumer: None });
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("at least one value must be set in data 1"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn what_is_refused_looks_the_same_whether_it_exists_or_not() {
        let data = serde_json::json!({"data": [
            {"key": "mine", "value": "1"}, {"key": "theirs", "value": "2"}]});
        let fake: Fake = serde_json::from_value(data).unwrap();
        let inner = Arc::new(FakeClient::new(&fake));
        let patterns = KeyPatterns::new(["mine"]).unwrap();
        let keys = KeyFilter::new(patterns, "a rule".to_owned());
        let reader = StoreReader::new(inner).limited_to(keys);
        let remote_ref = |key: &str| ObjectRef {
            key: key.to_owned(),
            ..ObjectRef::default()
        };
        let mine = reader.get(&remote_ref("mine")).await.unwrap();
        assert!(mine.value.is_some());
        let told = async |key: &str| {
            let error = reader.get(&remote_ref(key)).await.unwrap_err();
            error.to_string().replace(key, "KEY")
        };
        assert_eq!(told("theirs").await, told("absent").await);
        assert!(reader.extract(&remote_ref("theirs")).await.is_err());
        let all = Search {
            name: Some(String::new()),
            ..Search::default()
        };
        let found = reader.find(&all, TERMS).await.unwrap().value;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["mine"]);
    }
}
