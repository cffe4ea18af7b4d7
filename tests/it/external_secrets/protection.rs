//! A rule of somebody else in a scene's namespace: objects of some kinds cannot be deleted there.

use serde_json::{Value, json};

use crate::support::cluster::{ObjectRef, text};
use crate::support::scene::{Scene, eventually};

const GROUP: &str = "admissionregistration.k8s.io/v1";

fn name(scene: &Scene) -> String {
    format!("protect-{}", scene.namespace)
}

/// An object outside of namespaces.
pub(super) fn of_cluster(kind: &str, name: &str) -> ObjectRef {
    ObjectRef {
        kind: kind.to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// Protects the objects of an API group's resources, and waits until `victim`, one of them, cannot
/// be deleted any more.
pub(super) async fn put(scene: &Scene, (group, resources): (&str, &[&str]), victim: Value) {
    let rules = json!([{"apiGroups": [group], "apiVersions": ["*"], "operations": ["DELETE"],
        "resources": resources}]);
    let here = json!({"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}});
    let policy = json!({
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules, "namespaceSelector": here},
        "validations": [{"expression": "false", "message": "protected"}],
    });
    let binding = json!({"policyName": name(scene), "validationActions": ["Deny"]});
    for (kind, spec) in [
        ("ValidatingAdmissionPolicy", policy),
        ("ValidatingAdmissionPolicyBinding", binding),
    ] {
        let metadata = json!({"name": name(scene)});
        let object = json!({"apiVersion": GROUP, "kind": kind, "metadata": metadata, "spec": spec});
        scene.apply(object).await;
    }
    let object = scene.object(text(&victim["kind"]), text(&victim["metadata"]["name"]));
    eventually("protection", async || {
        scene.apply(victim.clone()).await;
        let deleted = scene.bed().cluster().delete(&object).await;
        deleted.is_err().then_some(())
    })
    .await;
}

/// Takes the rule away again.
pub(super) async fn lift(scene: &Scene) {
    for kind in [
        "ValidatingAdmissionPolicyBinding",
        "ValidatingAdmissionPolicy",
    ] {
        scene.delete(&of_cluster(kind, &name(scene))).await;
    }
}
