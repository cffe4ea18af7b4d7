//! From `templateFrom` to texts, in the order of ESO's guide "Advanced templating": the ConfigMap, the
//! Secret, the literal.

use async_trait::async_trait;

use crate::api::external_secret::{
    TargetTemplate, TemplateFrom, TemplateItem, TemplateRef, TemplateScope,
};
use crate::api::meta::NamespacedName;
use crate::controller::index::TemplateSource;
use crate::secret::{SecretData, SecretValue};
use crate::template::manifest::FieldError;
use crate::template::{self, Engine, Origin, Part, Place, Rendered};

/// Where the texts of templates are.
#[async_trait]
pub trait TextSources: Send + Sync {
    /// The version of a ConfigMap or Secret that templates are read from; `None` if it is not known.
    fn version(&self, source: &TemplateSource) -> Option<String>;

    /// The data of a ConfigMap or Secret; `None` if it does not exist.
    ///
    /// # Errors
    /// The API server's answer.
    async fn texts(&self, source: &TemplateSource) -> kube::Result<Option<SecretData>>;
}

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

/// What `template` of an object in `namespace` makes of `data`; `None` if there is no template.
///
/// # Errors
/// A text cannot be read, or a template fails.
pub async fn render(
    template: Option<&TargetTemplate>,
    namespace: &str,
    data: &SecretData,
    engine: &Engine,
    sources: &dyn TextSources,
) -> Result<Option<Rendered>, Error> {
    let Some(template) = template else {
        return Ok(None);
    };
    let named = |target: &str| Place::named(target).ok_or_else(|| Error::Target(target.to_owned()));
    let parts = parts(Some(template), namespace, sources, named).await?;
    let rendered = template::render(engine, template, &parts, data)?;
    Ok(Some(rendered))
}

/// The texts of all `templateFrom`, in order; `named` finds the place that a target names.
///
/// # Errors
/// A text cannot be read.
pub async fn parts<P: Clone>(
    template: Option<&TargetTemplate>,
    namespace: &str,
    sources: &dyn TextSources,
    named: impl Fn(&str) -> Result<P, Error>,
) -> Result<Vec<Part<P>>, Error> {
    let mut parts = Vec::new();
    let entries = template.iter().flat_map(|template| &template.template_from);
    for (index, from) in entries.enumerate() {
        let place = named(from.target())?;
        parts.extend(read(index, from, &place, namespace, sources).await?);
    }
    Ok(parts)
}

/// The texts of one entry: of the ConfigMap, of the Secret, then the literal one.
async fn read<P: Clone>(
    index: usize,
    from: &TemplateFrom,
    place: &P,
    namespace: &str,
    sources: &dyn TextSources,
) -> Result<Vec<Part<P>>, Error> {
    let part = |key: &str, text: SecretValue, origin: Origin, scope: TemplateScope| Part {
        key: key.to_owned(),
        text,
        origin,
        scope,
        place: place.clone(),
        decoding: from.values_decoding_strategy(),
    };
    let key = |reference: &TemplateRef| NamespacedName::new(namespace, reference.name.as_str());
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
    sources: &dyn TextSources,
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
