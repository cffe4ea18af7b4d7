//! Operations on secrets and the documents that answer them (REST reference of Key Vault 7.x).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::paging::Page;
use super::refusal::Refusal;
use super::route::{Act, Route};
use super::store::{Attributes, Change, Secret, Vault, Version};
use crate::exchange::{Call, Reply};

/// Days that a soft-deleted object stays.
const RECOVERABLE_DAYS: i64 = 90;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    value: Option<String>,
    content_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    attributes: BodyAttributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BodyAttributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

impl Body {
    fn of(call: &Call) -> Result<Self, Refusal> {
        serde_json::from_slice(&call.body).map_err(|error| Refusal::BadBody {
            detail: format!(
                "The request body is not valid JSON for this operation (line {}).",
                error.line()
            ),
        })
    }

    fn split(self) -> (Option<String>, Change) {
        let Self {
            value,
            content_type,
            tags,
            attributes,
        } = self;
        let BodyAttributes { enabled, nbf, exp } = attributes;
        (
            value,
            Change {
                content_type,
                tags,
                enabled,
                nbf,
                exp,
            },
        )
    }
}

/// Does what the route says.
pub(crate) fn answer(vault: &mut Vault, call: &Call, route: &Route) -> Result<Reply, Refusal> {
    let Route { name, version, .. } = route;
    let host = call.host.as_str();
    let body = match route.act {
        Act::Get => get(vault, host, name, version)?,
        Act::List => list(vault, call, false)?,
        Act::ListDeleted => list(vault, call, true)?,
        Act::Versions => versions(vault, call, name)?,
        Act::Set => set(vault, call, name)?,
        Act::Update => update(vault, call, name, version)?,
        Act::Delete => gone(host, vault.delete(name)?),
        Act::GetDeleted => gone(host, vault.deleted(name)?),
        Act::Recover => {
            let secret = vault.recover(name)?;
            bundle(host, secret, secret.latest())
        }
        Act::Purge => {
            vault.purge(name)?;
            return Ok(Reply::empty(204));
        }
        Act::Other => {
            return Err(Refusal::NotServed {
                op: route.op().to_owned(),
            });
        }
    };
    Ok(Reply::json(200, &body))
}

fn get(vault: &Vault, host: &str, name: &str, version: &str) -> Result<Value, Refusal> {
    let (secret, version) = vault.get(name, version)?;
    if !version.attributes.enabled {
        return Err(Refusal::Disabled { op: "get" });
    }
    Ok(with_value(host, secret, version))
}

fn set(vault: &mut Vault, call: &Call, name: &str) -> Result<Value, Refusal> {
    let (value, change) = Body::of(call)?.split();
    let value = value.ok_or_else(|| Refusal::BadBody {
        detail: "The property value is required.".to_owned(),
    })?;
    let secret = vault.set(name, value, change)?;
    Ok(with_value(&call.host, secret, secret.latest()))
}

fn update(vault: &mut Vault, call: &Call, name: &str, version: &str) -> Result<Value, Refusal> {
    let (_, change) = Body::of(call)?.split();
    vault.update(name, version, change)?;
    vault.mark_written(name);
    let (secret, version) = vault.get(name, version)?;
    Ok(bundle(&call.host, secret, version))
}

fn list(vault: &Vault, call: &Call, deleted: bool) -> Result<Value, Refusal> {
    let page = Page::of(call)?;
    let (secrets, next) = vault.page(deleted, &page.from, page.limit);
    let item = |secret: &&Secret| {
        let shown = if deleted {
            gone(&call.host, secret)
        } else {
            bundle(&call.host, secret, secret.latest())
        };
        without_version(&call.host, secret, shown)
    };
    let items: Vec<Value> = secrets.iter().map(item).collect();
    Ok(page.document(call, &items, next))
}

fn versions(vault: &Vault, call: &Call, name: &str) -> Result<Value, Refusal> {
    let page = Page::of(call)?;
    let Ok((secret, _)) = vault.get(name, "") else {
        return Ok(page.document(call, &[], None)); // Azure lists no versions of an unknown name
    };
    let rest = secret
        .versions
        .iter()
        .skip_while(|version| !page.from.is_empty() && version.id != page.from);
    let mut rest = rest.peekable();
    let items: Vec<Value> = rest
        .by_ref()
        .take(page.limit)
        .map(|version| bundle(&call.host, secret, version))
        .collect();
    let next = rest.peek().map(|version| version.id.as_str());
    Ok(page.document(call, &items, next))
}

/// Attributes as every kind of object shows them.
pub(crate) fn attributes(attributes: &Attributes) -> Value {
    let mut shown = json!({
        "enabled": attributes.enabled,
        "created": attributes.created,
        "updated": attributes.updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": RECOVERABLE_DAYS,
    });
    if let Some(nbf) = attributes.nbf {
        shown["nbf"] = json!(nbf);
    }
    if let Some(exp) = attributes.exp {
        shown["exp"] = json!(exp);
    }
    shown
}

/// A version without its value.
fn bundle(host: &str, secret: &Secret, version: &Version) -> Value {
    let mut shown = json!({
        "id": format!("https://{host}/secrets/{}/{}", secret.name, version.id),
        "attributes": attributes(&version.attributes),
    });
    if let Some(content_type) = &version.content_type {
        shown["contentType"] = json!(content_type);
    }
    if !version.tags.is_empty() {
        shown["tags"] = json!(version.tags);
    }
    if secret.managed {
        shown["managed"] = json!(true);
        shown["kid"] = json!(format!(
            "https://{host}/keys/{}/{}",
            secret.name, version.id
        ));
    }
    shown
}

fn with_value(host: &str, secret: &Secret, version: &Version) -> Value {
    let mut shown = bundle(host, secret, version);
    shown["value"] = json!(version.value);
    shown
}

/// A soft-deleted secret.
fn gone(host: &str, secret: &Secret) -> Value {
    let deleted = secret.deleted.unwrap_or_default();
    let mut shown = bundle(host, secret, secret.latest());
    shown["recoveryId"] = json!(format!("https://{host}/deletedsecrets/{}", secret.name));
    shown["deletedDate"] = json!(deleted);
    shown["scheduledPurgeDate"] = json!(deleted + RECOVERABLE_DAYS * 24 * 60 * 60);
    shown
}

/// Listings name a secret without a version and without its key.
fn without_version(host: &str, secret: &Secret, mut shown: Value) -> Value {
    shown["id"] = json!(format!("https://{host}/secrets/{}", secret.name));
    if let Some(members) = shown.as_object_mut() {
        members.remove("kid");
    }
    shown
}
