//! What every rendering of the chart is held to, whatever the values: the checks of the usual linters
//! of manifests. Knows objects as JSON, no cluster.

use std::collections::BTreeSet;

use serde_json::Value;

/// What is wrong with the documents of a rendering, one line each.
pub(crate) fn broken(documents: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for document in documents {
        let title = title(document);
        if !seen.insert(title.clone()) {
            found.push(format!("{title} stands twice"));
        }
        let wrong = match text(&document["kind"]) {
            "Deployment" => deployment(document),
            "Role" | "ClusterRole" => role(document),
            "Service" | "PodDisruptionBudget" | "NetworkPolicy" => selects(document, documents),
            _ => Vec::new(),
        };
        found.extend(wrong.into_iter().map(|what| format!("{title}: {what}")));
    }
    found
}

fn title(object: &Value) -> String {
    let metadata = &object["metadata"];
    let (kind, namespace) = (text(&object["kind"]), text(&metadata["namespace"]));
    format!("{kind} {namespace}/{}", text(&metadata["name"]))
}

/// Pod Security "restricted" and what makes a pod well-behaved.
fn deployment(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let pod = &object["spec"]["template"]["spec"];
    hold(
        pod["automountServiceAccountToken"].is_boolean(),
        "automountServiceAccountToken is not said",
    );
    hold(pod["serviceAccountName"].is_string(), "no ServiceAccount");
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        hold(pod[field] != true, &format!("{field} is on"));
    }
    let host_path = array(&pod["volumes"]).any(|volume| volume.get("hostPath").is_some());
    hold(!host_path, "a hostPath volume");
    hold(
        object["spec"]["revisionHistoryLimit"].is_u64(),
        "no revisionHistoryLimit",
    );
    let wanted = object["spec"]["selector"]["matchLabels"].as_object();
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    let selected = wanted.is_some_and(|wanted| {
        !wanted.is_empty() && wanted.iter().all(|(name, value)| labels[name] == *value)
    });
    hold(selected, "the selector does not match the pod's labels");
    for container in array(&pod["containers"]).chain(array(&pod["initContainers"])) {
        let name = text(&container["name"]);
        found.extend(
            self::container(container, pod)
                .into_iter()
                .map(|what| format!("container {name}: {what}")),
        );
    }
    found
}

fn container(container: &Value, pod: &Value) -> Vec<String> {
    let image = text(&container["image"]);
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let resources = &container["resources"];
    let memory = ["requests", "limits"].map(|field| resources[field]["memory"].is_string());
    let in_clear = array(&container["env"]).any(is_secret_in_clear);
    let on_node = array(&container["ports"]).any(|port| port.get("hostPort").is_some());
    let checks = [
        (
            !tag.is_empty() && tag != "latest",
            "the image has no fixed tag",
        ),
        (
            memory == [true, true],
            "memory is not requested and limited",
        ),
        (
            resources["requests"]["cpu"].is_string(),
            "CPU is not requested",
        ),
        (container["livenessProbe"].is_object(), "no liveness probe"),
        (
            container["readinessProbe"].is_object(),
            "no readiness probe",
        ),
        (!in_clear, "a secret in clear text"),
        (!on_node, "a port of the node"),
    ];
    let confined = confined(&container["securityContext"], &pod["securityContext"]);
    let failed = checks
        .into_iter()
        .chain(confined)
        .filter(|(holds, _)| !holds);
    failed.map(|(_, what)| what.to_owned()).collect()
}

/// What Pod Security calls restricted, and a root file system that cannot be written.
fn confined<'a>(own: &Value, of_pod: &Value) -> [(bool, &'a str); 8] {
    let either = |field: &str| {
        let set = [own, of_pod]
            .into_iter()
            .find(|context| !context[field].is_null());
        set.map_or(Value::Null, |context| context[field].clone())
    };
    let dropped = array(&own["capabilities"]["drop"]).any(|name| name == "ALL");
    [
        (either("runAsNonRoot") == true, "may run as root"),
        (either("runAsUser") != 0, "runs as root"),
        (
            own["readOnlyRootFilesystem"] == true,
            "the root file system can be written",
        ),
        (
            own["allowPrivilegeEscalation"] == false,
            "may gain privileges",
        ),
        (own["privileged"] != true, "is privileged"),
        (dropped, "keeps capabilities"),
        (own["capabilities"]["add"].is_null(), "adds capabilities"),
        (
            either("seccompProfile")["type"] == "RuntimeDefault",
            "seccomp is not RuntimeDefault",
        ),
    ]
}

fn is_secret_in_clear(variable: &Value) -> bool {
    let name = text(&variable["name"]).to_uppercase();
    variable["value"].is_string()
        && ["SECRET", "PASSWORD", "TOKEN"]
            .iter()
            .any(|word| name.ends_with(word))
}

/// No right that was not thought of. Resources may be `*` only for reading kinds that are not served.
fn role(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for rule in array(&object["rules"]) {
        let has = |field: &str, what: &str| array(&rule[field]).any(|value| value == what);
        if has("verbs", "*") || has("apiGroups", "*") {
            found.push(format!("a wildcard: {rule}"));
        }
        let reads_only = array(&rule["verbs"]).all(|verb| verb == "list");
        if has("resources", "*")
            && !(reads_only && has("apiGroups", "generators.external-secrets.io"))
        {
            found.push(format!("all resources: {rule}"));
        }
        let escalates = ["escalate", "bind", "impersonate"]
            .iter()
            .any(|verb| has("verbs", verb));
        if escalates
            || has("resources", "pods/exec")
            || has("apiGroups", "rbac.authorization.k8s.io")
        {
            found.push(format!("a way to more rights: {rule}"));
        }
    }
    found
}

/// The selector finds the Deployment's pods.
fn selects(object: &Value, documents: &[Value]) -> Vec<String> {
    let spec = &object["spec"];
    let selector = match text(&object["kind"]) {
        "Service" => &spec["selector"],
        "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
        _ => &spec["selector"]["matchLabels"],
    };
    let finds = |deployment: &Value| {
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let mut wanted = selector.as_object().into_iter().flatten().peekable();
        wanted.peek().is_some() && wanted.all(|(name, value)| labels[name] == *value)
    };
    let mut deployments = documents
        .iter()
        .filter(|document| document["kind"] == "Deployment");
    if deployments.any(finds) {
        Vec::new()
    } else {
        vec!["selects no pod of the chart".to_owned()]
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::broken;

    fn pod(container: &Value) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"revisionHistoryLimit": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"automountServiceAccountToken": true,
                "serviceAccountName": "s", "containers": [container]}}}})
    }

    fn good() -> Value {
        json!({"name": "c", "image": "i:1", "livenessProbe": {}, "readinessProbe": {},
            "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}},
            "securityContext": {"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}})
    }

    #[test]
    fn a_good_pod_breaks_nothing_and_each_flaw_is_named() {
        assert_eq!(broken(&[pod(&good())]), Vec::<String>::new());
        for (pointer, value, word) in [
            ("/image", json!("i:latest"), "tag"),
            ("/resources/limits", json!({}), "memory"),
            ("/securityContext/runAsNonRoot", json!(false), "root"),
            (
                "/securityContext/readOnlyRootFilesystem",
                json!(false),
                "file system",
            ),
            (
                "/securityContext/allowPrivilegeEscalation",
                json!(true),
                "privileges",
            ),
            (
                "/securityContext/capabilities/drop",
                json!([]),
                "capabilities",
            ),
            ("/securityContext/seccompProfile", json!({}), "seccomp"),
            ("/livenessProbe", Value::Null, "liveness"),
        ] {
            let mut container = good();
            *container.pointer_mut(pointer).unwrap() = value;
            let found = broken(&[pod(&container)]);
            assert!(
                found.len() == 1 && found[0].contains(word),
                "{pointer}: {found:?}"
            );
        }
        let twice = broken(&[pod(&good()), pod(&good())]);
        assert_eq!(twice, ["Deployment /d stands twice"]);
    }

    #[test]
    fn wildcards_and_selectors_without_pods_are_told() {
        let granting =
            |rule: Value| json!({"kind": "Role", "metadata": {"name": "r"}, "rules": [rule]});
        let rule = |resources: &str, verbs: &str| json!({"apiGroups": [""], "resources": [resources], "verbs": [verbs]});
        assert!(broken(&[granting(rule("secrets", "get"))]).is_empty());
        for rule in [
            rule("secrets", "*"),
            rule("*", "list"),
            rule("pods/exec", "create"),
            rule("users", "impersonate"),
        ] {
            assert_eq!(broken(&[granting(rule.clone())]).len(), 1, "{rule}");
        }
        let service =
            json!({"kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"a": "c"}}});
        assert_eq!(
            broken(&[pod(&good()), service]),
            ["Service /s: selects no pod of the chart"]
        );
    }
}
