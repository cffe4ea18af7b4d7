//! Reading keys and certificates: their public parts and listings. Nothing is created or imported here yet.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Value, json};

use super::paging::Page;
use super::public::Public;
use super::refusal::Refusal;
use super::route::{Act, Kind, Route};
use super::secrets::attributes;
use super::store::Vault;
use crate::exchange::{Call, Reply};

/// Does what the route says, as far as it is a read or a deletion.
pub(crate) fn answer(vault: &mut Vault, call: &Call, route: &Route) -> Result<Reply, Refusal> {
    let objects = match route.kind {
        Kind::Certificates => &mut vault.certificates,
        _ => &mut vault.keys,
    };
    let body = match route.act {
        Act::Get => {
            let object = find(objects, route)?;
            show(&call.host, route.kind, object, true)
        }
        Act::List => list(objects, call, route.kind)?,
        Act::Delete => {
            find(objects, route)?;
            let key = route.name.to_ascii_lowercase();
            let object = objects.get_mut(&key).ok_or_else(|| missing(route))?;
            object.deleted = true;
            show(&call.host, route.kind, object, true)
        }
        _ => {
            return Err(Refusal::NotServed {
                op: route.op().to_owned(),
            });
        }
    };
    Ok(Reply::json(200, &body))
}

fn find<'a>(objects: &'a BTreeMap<String, Public>, route: &Route) -> Result<&'a Public, Refusal> {
    let object = objects
        .get(&route.name.to_ascii_lowercase())
        .filter(|object| !object.deleted);
    let object =
        object.filter(|object| route.version.is_empty() || object.version == route.version);
    object.ok_or_else(|| missing(route))
}

fn missing(route: &Route) -> Refusal {
    Refusal::missing(route.kind, &route.name, &route.version)
}

fn list(objects: &BTreeMap<String, Public>, call: &Call, kind: Kind) -> Result<Value, Refusal> {
    let page = Page::of(call)?;
    let range = objects.range::<str, _>((Bound::Included(page.from.as_str()), Bound::Unbounded));
    let mut live = range.filter(|(_, object)| !object.deleted);
    let items = live
        .by_ref()
        .take(page.limit)
        .map(|(_, object)| show(&call.host, kind, object, false))
        .collect::<Vec<_>>();
    let next = live.next().map(|(key, _)| key.as_str());
    Ok(page.document(call, &items, next))
}

/// The document of an object: in full, or as a listing shows it.
fn show(host: &str, kind: Kind, object: &Public, full: bool) -> Value {
    let id = format!("https://{host}/{}/{}", kind.word(), object.name);
    let versioned = format!("{id}/{}", object.version);
    let mut shown = json!({ "attributes": attributes(&object.attributes), "tags": object.tags });
    match (kind, full) {
        (Kind::Keys, true) => {
            shown["key"] = object.document.clone();
            shown["key"]["kid"] = json!(versioned);
        }
        (Kind::Keys, false) => shown["kid"] = json!(id),
        (_, true) => {
            shown["id"] = json!(versioned);
            shown["cer"] = object.document["cer"].clone();
            shown["x5t"] = object.document["x5t"].clone();
            shown["policy"] = object.document["policy"].clone();
            shown["sid"] = json!(format!(
                "https://{host}/secrets/{}/{}",
                object.name, object.secret_version
            ));
            shown["kid"] = json!(format!(
                "https://{host}/keys/{}/{}",
                object.name, object.version
            ));
        }
        (_, false) => {
            shown["id"] = json!(id);
            shown["x5t"] = object.document["x5t"].clone();
        }
    }
    shown
}
