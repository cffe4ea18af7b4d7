//! A target that is no Secret: `spec.target.manifest`, behind `--unsafe-allow-generic-targets` (spec:
//! external-secrets.md 2.12). The phases are those of a Secret; this is their part that knows the
//! object, from `observe` to `apply`.

mod build;

use kube::ResourceExt;
use kube::core::DynamicObject;
use kube::discovery::ApiResource;

use crate::api::external_secret::{ExternalSecret, Manifest};
use crate::controller::context::Context;
use crate::controller::dependents::Target;
use crate::kubernetes::manifests::{self, KindError};
use crate::secret::SecretData;
use crate::template::manifest::Field;

use super::apply::{is_terminating, tell_normal, watched};
use super::plan::{self, Verdict};
use super::policy::{self, Act, Creation};
use super::spec::SyncSpec;
use super::templates;
use super::write::Written;
use build::Content;

/// Why the target could not be kept in step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The flag is off.
    #[error("generic targets are disabled. Enable with --unsafe-allow-generic-targets flag")]
    Disabled,
    /// No object of the kind can be a target.
    #[error("spec.target.manifest: {0}")]
    Kind(#[from] KindError),
    /// The target cannot be read.
    #[error("could not read {0}; {remedy}", remedy = RIGHTS)]
    Read(String, #[source] kube::Error),
    /// The target's template gives nothing.
    #[error(transparent)]
    Templates(#[from] templates::Error),
    /// The target has another owner.
    #[error(transparent)]
    Owner(#[from] plan::Error),
    /// The target to be deleted is not ours.
    #[error(
        "unable to delete {0}: this ExternalSecret does not own it; delete it by hand, or use deletionPolicy Retain"
    )]
    NotOurs(String),
    /// Only an owned target can be deleted.
    #[error(
        "unable to delete {target}: creationPolicy={policy:?} is not Owner; use deletionPolicy Retain or Merge"
    )]
    NotDeletable {
        /// The target.
        target: String,
        /// The policy.
        policy: String,
    },
    /// A write failed.
    #[error("unable to {act} {target}; {remedy}", remedy = RIGHTS)]
    Write {
        /// `create`, `update` or `delete`.
        act: &'static str,
        /// The target.
        target: String,
        /// The API server's answer.
        source: kube::Error,
    },
}

const RIGHTS: &str = "where a right is missing, grant get, list, watch, create, update and delete on this kind to the operator";

impl Error {
    /// The first word of the condition's message.
    pub(super) fn category(&self) -> &'static str {
        match self {
            Self::Disabled => "NotSupported",
            Self::Kind(_) => "InvalidSpec",
            Self::Templates(_) => "TemplateFailed",
            Self::Owner(error) => error.category(),
            Self::NotOurs(_) | Self::NotDeletable { .. } => "TargetNotOwned",
            Self::Read(..) | Self::Write { .. } => "KubernetesRefused",
        }
    }

    /// The reason of the condition.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Disabled => "SecretSyncedError",
            _ => "ResourceSyncedError",
        }
    }

    /// ESO's words for the failed act.
    pub(super) fn condition_text(&self) -> &'static str {
        match self {
            Self::Disabled => "invalid generic target",
            Self::Kind(_) | Self::Read(..) => "could not get target resource",
            Self::Templates(_) => "could not apply template to manifest",
            Self::NotOurs(_) | Self::NotDeletable { .. } | Self::Write { act: "delete", .. } => {
                "could not delete resource"
            }
            Self::Owner(_) | Self::Write { .. } => "could not update secret",
        }
    }

    /// Only a change of the spec or of the flags helps.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Disabled
                | Self::Owner(_)
                | Self::NotOurs(_)
                | Self::NotDeletable { .. }
                | Self::Kind(KindError::Version(_) | KindError::ClusterScoped { .. })
        )
    }
}

/// The target as it stands.
pub(super) struct Observed {
    kind: ApiResource,
    manifest: Manifest,
    present: Option<DynamicObject>,
}

/// Reads the target. Under creationPolicy None it is of no interest.
pub(super) async fn observe(
    spec: &SyncSpec,
    manifest: &Manifest,
    ctx: &Context,
) -> Result<Observed, Error> {
    if !ctx.options.switches.generic_targets {
        return Err(Error::Disabled);
    }
    let kind = ctx.kinds.find(&ctx.client, manifest).await?;
    ctx.manifest_watches.follow(manifest, &kind);
    let present = if spec.target.creation == Creation::None {
        None
    } else {
        let found = manifests::get(&ctx.client, &kind, &spec.namespace, &spec.target.name).await;
        found.map_err(|source| Error::Read(name_of(manifest, spec), source))?
    };
    Ok(Observed {
        kind,
        manifest: manifest.clone(),
        present,
    })
}

/// Deletes the target of an object under deletion, where that is its controller.
pub(super) async fn delete_owned(
    object: &ExternalSecret,
    manifest: &Manifest,
    ctx: &Context,
) -> kube::Result<()> {
    let namespace = object.namespace().unwrap_or_default();
    // a kind that is gone took its objects along
    let Ok(kind) = ctx.kinds.find(&ctx.client, manifest).await else {
        return Ok(());
    };
    let found = manifests::get(&ctx.client, &kind, &namespace, object.target_name()).await?;
    let uid = object.uid();
    match found.filter(|found| plan::is_controlled_by_uid(&found.metadata, uid.as_deref())) {
        Some(found) => manifests::delete(&ctx.client, &kind, &found).await,
        None => Ok(()),
    }
}

impl Observed {
    /// Whether the target can wait for the next refresh. What the API server added to our own write
    /// counts as ours.
    pub(super) fn needs_no_write(&self, spec: &SyncSpec, ctx: &Context) -> bool {
        spec.target.creation == Creation::Orphan
            || self.present.as_ref().is_some_and(|present| {
                build::is_valid(present)
                    || build::is_managed(present) && self.is_untouched(spec, ctx)
            })
    }

    /// Whether the target is as we wrote it.
    pub(super) fn is_untouched(&self, spec: &SyncSpec, ctx: &Context) -> bool {
        self.present.as_ref().is_some_and(|present| {
            let version = present.resource_version().unwrap_or_default();
            ctx.own_writes.made(&self.target(spec), &version)
        })
    }

    fn target(&self, spec: &SyncSpec) -> Target {
        Target {
            manifest: Some(self.manifest.clone()),
            object: (spec.namespace.clone(), spec.target.name.clone()),
        }
    }

    /// Brings the target in step with `data`.
    pub(super) async fn write(
        self,
        object: &ExternalSecret,
        spec: &SyncSpec,
        data: &SecretData,
        ctx: &Context,
    ) -> Result<Written, super::Error> {
        let target = &spec.target;
        let act = policy::act(
            target.creation,
            target.deletion,
            !data.is_empty(),
            self.present.is_some(),
        );
        match act {
            Act::Leave => Ok(Written::Done(Verdict::Synced)),
            Act::Retain => Ok(Written::Done(Verdict::Retained)),
            Act::Wait => Ok(Written::Done(Verdict::Missing)),
            Act::Delete => Ok(self.delete(object, spec, ctx).await?),
            Act::Refuse => Err(Error::NotDeletable {
                target: name_of(&self.manifest, spec),
                policy: format!("{:?}", target.creation),
            }
            .into()),
            Act::Create if !super::observe::still_stands(object, ctx).await? => Ok(Written::Moot),
            Act::Create | Act::Update => {
                let wished = self.wished(spec, data, ctx).await?;
                Ok(self.put(&wished, object, spec, ctx).await?)
            }
        }
    }

    async fn wished(
        &self,
        spec: &SyncSpec,
        data: &SecretData,
        ctx: &Context,
    ) -> Result<DynamicObject, Error> {
        if let Some(present) = &self.present {
            plan::check_owner(spec, &present.metadata)?;
        }
        let is_secret = build::is_secret(&self.manifest);
        let named = |target: &str| Field::named(target, is_secret).map_err(templates::Error::Field);
        let parts = templates::parts(spec, ctx, named).await?;
        let content = Content {
            data,
            parts: &parts,
            engine: &ctx.options.templates,
        };
        let wished = build::object(spec, &self.manifest, self.present.as_ref(), &content);
        Ok(wished.map_err(templates::Error::Render)?)
    }

    async fn put(
        &self,
        wished: &DynamicObject,
        object: &ExternalSecret,
        spec: &SyncSpec,
        ctx: &Context,
    ) -> Result<Written, Error> {
        let name = name_of(&self.manifest, spec);
        let target = self.target(spec);
        let (act, word, written) = match &self.present {
            None => {
                let write = manifests::create(&ctx.client, &self.kind, wished);
                ("create", "Created", watched(&target, ctx, write).await)
            }
            Some(present) if build::differs(present, wished) => {
                let write = manifests::replace(&ctx.client, &self.kind, wished);
                ("update", "Updated", watched(&target, ctx, write).await)
            }
            Some(_) => return Ok(Written::Done(Verdict::Synced)),
        };
        match written {
            Ok(written) => {
                let before = self.present.as_ref().map(ResourceExt::resource_version);
                // what the API server adds by itself makes no other object
                if before != Some(written.resource_version()) {
                    tell_normal(object, ctx, word, format!("{word} {name}"));
                }
                Ok(Written::Done(Verdict::Synced))
            }
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_already_exists() => {
                Ok(Written::Overtaken)
            }
            Err(source) if is_terminating(&source) => Ok(Written::Moot),
            Err(source) => Err(self.failed(act, name, source, ctx)),
        }
    }

    async fn delete(
        &self,
        object: &ExternalSecret,
        spec: &SyncSpec,
        ctx: &Context,
    ) -> Result<Written, Error> {
        let Some(present) = &self.present else {
            return Ok(Written::Done(Verdict::Deleted));
        };
        let name = name_of(&self.manifest, spec);
        if !plan::is_controlled_by(spec, &present.metadata) {
            return Err(Error::NotOurs(name));
        }
        let deleted = manifests::delete(&ctx.client, &self.kind, present).await;
        deleted.map_err(|source| self.failed("delete", name.clone(), source, ctx))?;
        tell_normal(object, ctx, "Deleted", format!("Deleted {name}"));
        Ok(Written::Done(Verdict::Deleted))
    }

    /// The kind may have changed: it is looked up anew.
    fn failed(
        &self,
        act: &'static str,
        target: String,
        source: kube::Error,
        ctx: &Context,
    ) -> Error {
        ctx.kinds.forget(&self.manifest);
        Error::Write {
            act,
            target,
            source,
        }
    }
}

fn name_of(manifest: &Manifest, spec: &SyncSpec) -> String {
    format!("{} {}", manifest.kind, spec.target.name)
}
