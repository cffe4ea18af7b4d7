//! A Kubernetes client that speaks plain JSON: discovery, server-side apply with strict field
//! validation, merge patches.
//!
//! It knows no kind by type, so it shows an object as the API server stores it, and a manifest
//! goes out as it was written.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde_json::Value;

/// The field manager of everything that tests apply.
const MANAGER: &str = "golden";
/// A request that takes longer is lost: the API server is on the same machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a request to the API server can end in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither group nor version serves the kind.
    #[error("no kind {kind} in {api}")]
    NoKind {
        /// The kind asked for.
        kind: String,
        /// The API version or group asked for; `*` for any.
        api: String,
    },
    /// The request could not be written down, for example because of a blank in a name.
    #[error("cannot make a request of {0}")]
    Malformed(String, #[source] http::Error),
    /// The API server answered with an error, or not at all.
    #[error("{request}: {source}")]
    Request {
        /// Verb and path.
        request: String,
        /// What came back.
        source: Box<kube::Error>,
    },
    /// No answer in time.
    #[error("{0}: no answer within {PATIENCE:?}")]
    Silent(String),
}

impl Error {
    /// The HTTP status that the API server answered with; 404 for a kind it does not serve.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::NoKind { .. } => Some(404),
            Self::Request { source, .. } => match &**source {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Malformed(..) | Self::Silent(_) => None,
        }
    }

    /// The API server's own words where there are some.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Request { source, .. } => match &**source {
                kube::Error::Api(status) => status.message.clone(),
                other => other.to_string(),
            },
            other => other.to_string(),
        }
    }
}

/// Shorthand of this module.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Where a kind is served.
#[derive(Debug)]
pub(crate) struct Kind {
    /// `v1` or `GROUP/VERSION`.
    pub(crate) api_version: String,
    /// The resource's name in URLs.
    pub(crate) plural: String,
    /// Whether its objects live in namespaces.
    pub(crate) namespaced: bool,
}

/// One object by name. `kind` is `Kind` or `Kind.group`; `namespace` is unset for cluster-scoped ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectRef {
    /// `Kind` or `Kind.group`.
    pub(crate) kind: String,
    /// The object's namespace.
    pub(crate) namespace: Option<String>,
    /// The object's name.
    pub(crate) name: String,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// The client. Kinds are discovered on first need and again when one is missing.
pub(crate) struct Cluster {
    client: kube::Client,
    /// By (group, `GROUP/VERSION` or `*`; kind).
    kinds: RwLock<HashMap<(String, String), Arc<Kind>>>,
}

impl Cluster {
    /// Wraps a client of any identity.
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client,
            kinds: RwLock::default(),
        }
    }

    /// One request; `body` is JSON, sent as `content_type`.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<(&Value, &str)>,
    ) -> Result<Value> {
        let what = || format!("{method} {path}");
        let mut request = http::Request::builder().method(method).uri(path);
        let mut bytes = Vec::new();
        if let Some((body, content_type)) = body {
            request = request.header("content-type", content_type);
            bytes = body.to_string().into_bytes();
        }
        let request = request
            .body(bytes)
            .map_err(|e| Error::Malformed(what(), e))?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request::<Value>(request)).await;
        answer
            .map_err(|_| Error::Silent(what()))?
            .map_err(|e| Error::Request {
                request: what(),
                source: Box::new(e),
            })
    }

    /// Reads anew which kinds are served. `external-secrets.io` goes before other groups, a group's preferred
    /// version before its others.
    pub(crate) async fn discover(&self) -> Result<()> {
        let mut kinds = HashMap::new();
        let core = self.request("GET", "/api/v1", None).await?;
        note_kinds(&mut kinds, "v1", "", &core);
        let listed = self.request("GET", "/apis", None).await?;
        let mut groups: Vec<&Value> = array(&listed["groups"]).collect();
        groups.sort_by_key(|g| g["name"] != "external-secrets.io");
        for group in groups {
            let preferred = &group["preferredVersion"];
            for version in std::iter::once(preferred)
                .chain(array(&group["versions"]).filter(|v| *v != preferred))
            {
                let name = text(&version["groupVersion"]);
                // an aggregated API may be away; its kinds are then unknown
                if let Ok(resources) = self.request("GET", &format!("/apis/{name}"), None).await {
                    note_kinds(&mut kinds, name, text(&group["name"]), &resources);
                }
            }
        }
        *self
            .kinds
            .write()
            .expect("no writer panics while it holds this lock") = kinds;
        Ok(())
    }

    /// Where a kind (`Kind` or `Kind.group`) is served, in any version or in the given one.
    pub(crate) async fn kind(&self, kind: &str, api_version: Option<&str>) -> Result<Arc<Kind>> {
        let (name, group) = kind.split_once('.').map_or((kind, "*"), |(k, g)| (k, g));
        let key = (api_version.unwrap_or(group).to_owned(), name.to_owned());
        if let Some(found) = self.known(&key) {
            return Ok(found);
        }
        self.discover().await?;
        self.known(&key).ok_or(Error::NoKind {
            kind: key.1,
            api: key.0,
        })
    }

    fn known(&self, key: &(String, String)) -> Option<Arc<Kind>> {
        self.kinds
            .read()
            .expect("no writer panics while it holds this lock")
            .get(key)
            .cloned()
    }

    async fn path(&self, object: &ObjectRef) -> Result<String> {
        let kind = self.kind(&object.kind, None).await?;
        Ok(path(&kind, object.namespace.as_deref(), Some(&object.name)))
    }

    /// The object, or `None` where there is none.
    pub(crate) async fn get(&self, object: &ObjectRef) -> Result<Option<Value>> {
        let path = self.path(object).await?;
        absent_as_none(self.request("GET", &path, None).await)
    }

    /// All objects of a kind in a namespace (or everywhere); none where the kind is not served.
    pub(crate) async fn list(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Value>> {
        let Some(served) = absent_as_none(self.kind(kind, None).await)? else {
            return Ok(Vec::new());
        };
        let list = absent_as_none(
            self.request("GET", &path(&served, namespace, None), None)
                .await,
        )?;
        let mut items: Vec<Value> = list
            .iter()
            .flat_map(|l| array(&l["items"]))
            .cloned()
            .collect();
        for item in &mut items {
            item["kind"] = kind.into(); // lists leave it out
        }
        Ok(items)
    }

    /// Server-side apply by force, unknown fields refused. `namespace` serves objects that name none.
    pub(crate) async fn apply(&self, object: &Value, namespace: Option<&str>) -> Result<Value> {
        let kind = self
            .kind(text(&object["kind"]), object["apiVersion"].as_str())
            .await?;
        let namespace = object["metadata"]["namespace"].as_str().or(namespace);
        let path = path(&kind, namespace, Some(text(&object["metadata"]["name"])));
        let path = format!("{path}?fieldManager={MANAGER}&force=true&fieldValidation=Strict");
        self.request(
            "PATCH",
            &path,
            Some((object, "application/apply-patch+yaml")),
        )
        .await
    }

    /// Creates (POST) or replaces (PUT) an object, or its `/status`, under a field manager.
    pub(crate) async fn write(
        &self,
        method: &str,
        object: &Value,
        subresource: &str,
        manager: &str,
    ) -> Result<Value> {
        let kind = self
            .kind(text(&object["kind"]), object["apiVersion"].as_str())
            .await?;
        let metadata = &object["metadata"];
        let name = (method == "PUT").then(|| text(&metadata["name"]));
        let path = path(&kind, metadata["namespace"].as_str(), name);
        let path = format!("{path}{subresource}?fieldManager={manager}");
        self.request(method, &path, Some((object, "application/json")))
            .await
    }

    /// A JSON merge patch.
    pub(crate) async fn patch(&self, object: &ObjectRef, patch: &Value) -> Result<Value> {
        let at = self.path(object).await?;
        self.request("PATCH", &at, Some((patch, "application/merge-patch+json")))
            .await
    }

    /// Deletes in the background; an absent object is fine.
    pub(crate) async fn delete(&self, object: &ObjectRef) -> Result<()> {
        let path = format!("{}?propagationPolicy=Background", self.path(object).await?);
        absent_as_none(self.request("DELETE", &path, None).await).map(drop)
    }

    /// The events of a namespace (`default` for those about cluster-scoped objects).
    pub(crate) async fn events(&self, namespace: &str) -> Result<Vec<Value>> {
        let list = self
            .request(
                "GET",
                &format!("/api/v1/namespaces/{namespace}/events"),
                None,
            )
            .await?;
        Ok(array(&list["items"]).cloned().collect())
    }
}

/// The elements of a JSON array; none for anything else.
pub(crate) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A JSON string's text; empty for anything else.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn absent_as_none<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.status() == Some(404) => Ok(None),
        Err(e) => Err(e),
    }
}

fn path(kind: &Kind, namespace: Option<&str>, name: Option<&str>) -> String {
    let root = if kind.api_version == "v1" {
        "/api"
    } else {
        "/apis"
    };
    let mut path = format!("{root}/{}", kind.api_version);
    if let (true, Some(namespace)) = (kind.namespaced, namespace) {
        path = format!("{path}/namespaces/{namespace}");
    }
    path = format!("{path}/{}", kind.plural);
    name.map_or(path.clone(), |name| format!("{path}/{name}"))
}

fn note_kinds(
    kinds: &mut HashMap<(String, String), Arc<Kind>>,
    version: &str,
    group: &str,
    list: &Value,
) {
    for resource in array(&list["resources"]).filter(|r| !text(&r["name"]).contains('/')) {
        let kind = Arc::new(Kind {
            api_version: version.to_owned(),
            plural: text(&resource["name"]).to_owned(),
            namespaced: resource["namespaced"] == true,
        });
        for api in [group, version, "*"] {
            kinds
                .entry((api.to_owned(), text(&resource["kind"]).to_owned()))
                .or_insert_with(|| Arc::clone(&kind));
        }
    }
}
