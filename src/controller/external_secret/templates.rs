//! Reads what `templateFrom` names and renders the target's template (spec: external-secrets.md
//! 2.10).

use crate::api::external_secret::{TemplateFrom, TemplateItem, TemplateRef, TemplateScope};
use crate::controller::dependents::TemplateSource;
use crate::secret::{SecretData, SecretValue};
use crate::template::manifest::FieldError;
use crate::template::{self, Engine, Origin, Part, Place, Rendered};

use super::sources::Sources;
use super::spec::SyncSpec;

/// Why the target's template gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A ConfigMap or Secret cannot be read.
    #[error("error fetching templateFrom data: {kind} {name}")]
    Read {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// A ConfigMap or Secret is not there.
    #[error(
        "error fetching templateFrom data: {kind}s {name:?} not found; create it, or correct \
         spec.target.template.templateFrom"
    )]
    Absent {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A key is not there.
    #[error(
        "error fetching templateFrom data: error in {kind} {name}: missing key {key}; add it, or \
         correct spec.target.template.templateFrom"
    )]
    NoKey {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The key.
        key: String,
    },
    /// A Secret has no such part.
    #[error(
        "templateFrom target={0:?} is not allowed when targeting a Secret, must be one of \"Data\", \
         \"Annotations\" or \"Labels\""
    )]
    Target(String),
    /// An object has no such field.
    #[error(transparent)]
    Field(FieldError),
    /// A template fails.
    #[error(transparent)]
    Render(#[from] template::Error),
}

/// What the template makes of `data`; `None` where there is no template.
pub(super) async fn render(
    spec: &SyncSpec,
    data: &SecretData,
    engine: &Engine,
    sources: &dyn Sources,
) -> Result<Option<Rendered>, Error> {
    let Some(template) = &spec.target.template else {
        return Ok(None);
    };
    let named = |target: &str| Place::named(target).ok_or_else(|| Error::Target(target.to_owned()));
    let parts = parts(spec, sources, named).await?;
    let rendered = template::render(engine, template, &parts, data)?;
    Ok(Some(rendered))
}

/// The texts of all `templateFrom`, in order; `named` finds the place that a target names.
pub(super) async fn parts<P: Clone>(
    spec: &SyncSpec,
    sources: &dyn Sources,
    named: impl Fn(&str) -> Result<P, Error>,
) -> Result<Vec<Part<P>>, Error> {
    let mut parts = Vec::new();
    let template = spec.target.template.iter();
    let entries = template.flat_map(|template| &template.template_from);
    for (index, from) in entries.enumerate() {
        let place = named(from.target())?;
        parts.extend(read(index, from, &place, &spec.namespace, sources).await?);
    }
    Ok(parts)
}

/// The texts of one entry: of the ConfigMap, of the Secret, then the literal one.
async fn read<P: Clone>(
    index: usize,
    from: &TemplateFrom,
    place: &P,
    namespace: &str,
    sources: &dyn Sources,
) -> Result<Vec<Part<P>>, Error> {
    let part = |key: &str, text: SecretValue, origin: Origin, scope: TemplateScope| Part {
        key: key.to_owned(),
        text,
        origin,
        scope,
        place: place.clone(),
        decoding: from.values_decoding_strategy(),
    };
    let key = |reference: &TemplateRef| (namespace.to_owned(), reference.name.clone());
    let mut parts = Vec::new();
    if let Some(reference) = &from.config_map {
        let source = TemplateSource::ConfigMap(key(reference));
        let texts = texts("configmap", reference, &source, sources).await?;
        let origin = |name, key| Origin::ConfigMap { name, key };
        parts.extend(items("configmap", reference, &texts, origin, part)?);
    }
    if let Some(reference) = &from.secret {
        let source = TemplateSource::Secret(key(reference));
        let texts = texts("secret", reference, &source, sources).await?;
        let origin = |name, key| Origin::Secret { name, key };
        parts.extend(items("secret", reference, &texts, origin, part)?);
    }
    if let Some(literal) = &from.literal {
        let text = SecretValue::new(literal.as_str());
        let origin = Origin::Field(format!(
            "spec.target.template.templateFrom[{index}].literal"
        ));
        parts.push(part("", text, origin, TemplateScope::KeysAndValues));
    }
    Ok(parts)
}

async fn texts(
    kind: &'static str,
    reference: &TemplateRef,
    source: &TemplateSource,
    sources: &dyn Sources,
) -> Result<SecretData, Error> {
    let name = || reference.name.clone();
    let found = sources.texts(source).await;
    let found = found.map_err(|source| Error::Read {
        kind,
        name: name(),
        source,
    })?;
    found.ok_or_else(|| Error::Absent { kind, name: name() })
}

fn items<P>(
    kind: &'static str,
    reference: &TemplateRef,
    found: &SecretData,
    origin: impl Fn(String, String) -> Origin,
    part: impl Fn(&str, SecretValue, Origin, TemplateScope) -> Part<P>,
) -> Result<Vec<Part<P>>, Error> {
    let name = || reference.name.clone();
    let item = |item: &TemplateItem| match found.get(&item.key) {
        Some(text) => {
            let origin = origin(name(), item.key.clone());
            Ok(part(&item.key, text.clone(), origin, item.template_as()))
        }
        None => Err(Error::NoKey {
            kind,
            name: name(),
            key: item.key.clone(),
        }),
    };
    reference.items.iter().map(item).collect()
}
