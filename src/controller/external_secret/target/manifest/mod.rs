//! A target that is not a Secret: `spec.target.manifest`, behind `--unsafe-allow-generic-targets`
//! (docs/generic-targets.md). The phases are those of a Secret; this is their part that knows the object,
//! from `observe` to `apply`.

mod build;
mod error;

use kube::ResourceExt;
use kube::core::DynamicObject;
use kube::discovery::ApiResource;

use crate::api::external_secret::{ExternalSecret, Manifest};
use crate::api::meta::NamespacedName;
use crate::controller::external_secret::spec::{self, Act, Creation, SyncSpec};
use crate::controller::external_secret::state::Env;
use crate::controller::index::Target;
use crate::controller::templates;
use crate::kubernetes::manifests;
use crate::secret::SecretData;
use crate::template::manifest::Field;

use super::apply::{is_terminating, tell_normal, watched};
use super::outcome::{Verdict, Written};
use super::plan;
use super::recheck::still_exists;
use build::Content;

pub use error::Error;

/// The target as it stands.
pub struct Observed {
    kind: ApiResource,
    manifest: Manifest,
    present: Option<DynamicObject>,
}

/// Reads the target. Under creationPolicy None it is of no interest.
pub async fn observe(spec: &SyncSpec, manifest: &Manifest, env: &Env) -> Result<Observed, Error> {
    if !env.ctx.options.switches.generic_targets {
        return Err(Error::Disabled);
    }
    let kind = env.state.kinds.find(&env.ctx.client, manifest).await?;
    // a closed channel means that the process is ending
    let watched = &env.state.watched_kinds;
    let _ = watched.unbounded_send((manifest.clone(), kind.clone()));
    let present = if spec.target.creation == Creation::None {
        None
    } else {
        let found =
            manifests::get(&env.ctx.client, &kind, &spec.namespace, &spec.target.name).await;
        found.map_err(|source| Error::Read(name_of(manifest, spec), source))?
    };
    Ok(Observed {
        kind,
        manifest: manifest.clone(),
        present,
    })
}

/// Deletes the target of an object under deletion, where that is its controller.
pub async fn delete_owned(
    object: &ExternalSecret,
    manifest: &Manifest,
    env: &Env,
) -> kube::Result<()> {
    let namespace = object.namespace().unwrap_or_default();
    // a kind that is gone took its objects along
    let Ok(kind) = env.state.kinds.find(&env.ctx.client, manifest).await else {
        return Ok(());
    };
    let found = manifests::get(&env.ctx.client, &kind, &namespace, object.target_name()).await?;
    let uid = object.uid();
    match found.filter(|found| plan::is_controlled_by_uid(&found.metadata, uid.as_deref())) {
        Some(found) => manifests::delete(&env.ctx.client, &kind, &found).await,
        None => Ok(()),
    }
}

impl Observed {
    /// Whether the target can wait for the next refresh. What the API server added to our own write
    /// counts as ours.
    pub fn needs_no_write(&self, spec: &SyncSpec, env: &Env) -> bool {
        spec.target.creation == Creation::Orphan
            || self.present.as_ref().is_some_and(|present| {
                build::is_valid(present)
                    || build::is_managed(present) && self.is_untouched(spec, env)
            })
    }

    /// Whether the target is as we wrote it.
    pub fn is_untouched(&self, spec: &SyncSpec, env: &Env) -> bool {
        self.present.as_ref().is_some_and(|present| {
            let version = present.resource_version().unwrap_or_default();
            env.state.own_writes.made(&self.target(spec), &version)
        })
    }

    fn target(&self, spec: &SyncSpec) -> Target {
        Target {
            manifest: Some(self.manifest.clone()),
            object: NamespacedName::new(spec.namespace.as_str(), spec.target.name.as_str()),
        }
    }

    /// Brings the target in sync with `data`.
    pub async fn write(
        self,
        object: &ExternalSecret,
        spec: &SyncSpec,
        data: &SecretData,
        env: &Env,
    ) -> Result<Written, Error> {
        let target = &spec.target;
        let act = spec::act(
            target.creation,
            target.deletion,
            !data.is_empty(),
            self.present.is_some(),
        );
        match act {
            Act::Leave => Ok(Written::Done(Verdict::Synced)),
            Act::Retain => Ok(Written::Done(Verdict::Retained)),
            Act::Wait => Ok(Written::Done(Verdict::Missing)),
            Act::Delete => Ok(self.delete(object, spec, env).await?),
            Act::Refuse => Err(Error::NotDeletable {
                target: name_of(&self.manifest, spec),
                policy: format!("{:?}", target.creation),
            }),
            Act::Create if !still_exists(object, env).await.map_err(Error::Reread)? => {
                Ok(Written::Terminating)
            }
            Act::Create | Act::Update => {
                let wished = self.wished(spec, data, env).await?;
                Ok(self.put(&wished, object, spec, env).await?)
            }
        }
    }

    async fn wished(
        &self,
        spec: &SyncSpec,
        data: &SecretData,
        env: &Env,
    ) -> Result<DynamicObject, Error> {
        if let Some(present) = &self.present {
            plan::check_owner(spec, &present.metadata)?;
        }
        let is_secret = build::is_secret(&self.manifest);
        let named = |target: &str| Field::named(target, is_secret).map_err(templates::Error::Field);
        let template = spec.target.template.as_ref();
        let parts = templates::parts(template, &spec.namespace, &*env.templates, named).await?;
        let content = Content {
            data,
            parts: &parts,
            engine: &env.ctx.options.templates,
        };
        let wished = build::object(spec, &self.manifest, self.present.as_ref(), &content);
        Ok(wished.map_err(templates::Error::Render)?)
    }

    async fn put(
        &self,
        wished: &DynamicObject,
        object: &ExternalSecret,
        spec: &SyncSpec,
        env: &Env,
    ) -> Result<Written, Error> {
        let name = name_of(&self.manifest, spec);
        let target = self.target(spec);
        let (act, word, written) = match &self.present {
            None => {
                let write = manifests::create(&env.ctx.client, &self.kind, wished);
                ("create", "Created", watched(&target, env, write).await)
            }
            Some(present) if build::differs(present, wished) => {
                let write = manifests::replace(&env.ctx.client, &self.kind, wished);
                ("update", "Updated", watched(&target, env, write).await)
            }
            Some(_) => return Ok(Written::Done(Verdict::Synced)),
        };
        match written {
            Ok(written) => {
                let before = self.present.as_ref().map(ResourceExt::resource_version);
                // what the API server adds by itself makes no other object
                if before != Some(written.resource_version()) {
                    tell_normal(object, env, word, format!("{word} {name}"));
                }
                Ok(Written::Done(Verdict::Synced))
            }
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_already_exists() => {
                Ok(Written::Overtaken)
            }
            Err(source) if is_terminating(&source) => Ok(Written::Terminating),
            Err(source) => Err(self.failed(act, name, source, env)),
        }
    }

    async fn delete(
        &self,
        object: &ExternalSecret,
        spec: &SyncSpec,
        env: &Env,
    ) -> Result<Written, Error> {
        let Some(present) = &self.present else {
            return Ok(Written::Done(Verdict::Deleted));
        };
        let name = name_of(&self.manifest, spec);
        if !plan::is_controlled_by(spec, &present.metadata) {
            return Err(Error::NotOurs(name));
        }
        let deleted = manifests::delete(&env.ctx.client, &self.kind, present).await;
        deleted.map_err(|source| self.failed("delete", name.clone(), source, env))?;
        tell_normal(object, env, "Deleted", format!("Deleted {name}"));
        Ok(Written::Done(Verdict::Deleted))
    }

    /// The kind may have changed: it is looked up anew.
    fn failed(&self, act: &'static str, target: String, source: kube::Error, env: &Env) -> Error {
        env.state.kinds.forget(&self.manifest);
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
