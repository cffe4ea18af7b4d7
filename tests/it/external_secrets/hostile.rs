//! Values, keys and patterns that harm a careless program: each is told with its field, or taken as
//! it is, and what was synced before stays.

use serde_json::{Value, json};

use crate::support::cluster::text;
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::Scene;

fn data_from(entry: &Value) -> Value {
    external_secret("app", json!({"data": null, "dataFrom": [entry]}))
}

fn find(regexp: &str) -> Value {
    json!({"find": {"name": {"regexp": regexp}}})
}

fn renamed(by: &Value, regexp: &str) -> Value {
    let rewrite = json!([{"regexp": {"source": regexp, "target": "renamed"}}]);
    let mut entry = by.clone();
    entry["rewrite"] = rewrite;
    entry
}

fn data_of(secret: &Value, key: &str) -> Vec<u8> {
    use base64::Engine as _;
    let standard = base64::engine::general_purpose::STANDARD;
    standard
        .decode(text(&secret["data"][key]))
        .expect("a Secret's data is base64")
}

/// Tried one way after another, these take longer than the universe has stood.
#[test]
fn a_pattern_that_backtracks_for_ever_elsewhere_is_answered_at_once() {
    run(async {
        let scene = Scene::synced("explode").await;
        let app = scene.object("ExternalSecret", "app");
        let name = format!("{}-", "a".repeat(100));
        scene.put(&name, "found");
        for pattern in [
            "^(a+)+$",
            "^(a|a)*$",
            "^(a*)*$",
            "^(([a-z])+.)+[A-Z]([a-z])+$",
            "^(a?){100}a{100}$",
        ] {
            scene.apply(data_from(&find(pattern))).await;
            let is_retained = |o: Option<&Value>| {
                o.is_some_and(|o| {
                    o["status"]["syncedResourceVersion"]
                        .as_str()
                        .is_some_and(|version| {
                            version.starts_with(&format!("{}-", o["metadata"]["generation"]))
                        })
                        && text(&ready(o)["message"]).starts_with("secret retained")
                })
            };
            scene.until(pattern, &app, is_retained).await;
        }
        let all = find("^a");
        scene.apply(data_from(&renamed(&all, "^(a+)+$"))).await;
        scene.holds("app", &name, "found").await;
        scene.apply(data_from(&renamed(&all, "^(a+)+-$"))).await;
        scene.holds("app", "renamed", "found").await;
    });
}

#[test]
fn a_pattern_beyond_all_measure_is_told_with_its_field() {
    run(async {
        let scene = Scene::synced("pattern").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        for (pattern, problem) in [
            ("a".repeat(5000), "5000 bytes, 4096 are allowed"),
            (
                "(((a{100}){100}){100}){100}".to_owned(),
                "expression too large",
            ),
            ("(a?){1000}".repeat(20), "expression too large"),
            ("(".repeat(2000), "expression nests too deeply"),
            ("app-(".to_owned(), "missing closing )"),
        ] {
            scene.apply(data_from(&find(&pattern))).await;
            let words = [
                "spec.dataFrom[0].find",
                "dataFrom.find.name.regexp: ",
                problem,
                "write a regular expression (RE2)",
            ];
            scene.fails(&app, "InvalidReference", &words).await;
            scene
                .apply(data_from(&renamed(&find("^password$"), &pattern)))
                .await;
            let words = [
                "spec.dataFrom[0].find",
                "failed rewrite operation[0]: regexp failed",
                problem,
                "correct regexp.source (RE2 syntax)",
            ];
            scene.fails(&app, "InvalidValue", &words).await;
        }
        scene.assert_untouched(&target).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.ready(&app).await;
    });
}

/// Each operation makes ten of every one: ten of them would need the memory of ten machines.
#[test]
fn keys_that_grow_with_each_rewrite_are_stopped() {
    run(async {
        let scene = Scene::synced("growing").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let grow = json!({"regexp": {"source": "^.*$", "target": "$0".repeat(10)}});
        let mut entry = find("^password$");
        entry["rewrite"] = json!(vec![grow; 10]);
        scene.apply(data_from(&entry)).await;
        let words = [
            "spec.dataFrom[0].find",
            "failed rewrite operation[2]",
            "becomes 8000 bytes long, 4096 are allowed; shorten what regexp makes of it",
        ];
        scene.fails(&app, "InvalidValue", &words).await;
        scene.assert_untouched(&target).await;
    });
}

#[test]
fn keys_that_become_one_are_refused_by_conversion_and_laid_over_each_other_by_rewrite() {
    run(async {
        let scene = Scene::synced("collide").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene.put("conf", r#"{"a/b": "1", "a:b": "2", "c": "3"}"#);
        let conf = json!({"extract": {"key": "conf"}});
        scene.apply(data_from(&conf)).await;
        let words = [
            "spec.dataFrom[0].extract",
            "secret name collision during conversion: a_b",
            "use rewrite to tell them apart",
        ];
        scene.fails(&app, "InvalidValue", &words).await;
        scene.assert_untouched(&target).await;

        scene.apply(data_from(&renamed(&conf, "^a.b$"))).await;
        // the one that sorts last
        let target = scene.holds("app", "renamed", "2").await;
        assert_eq!(value(&target, "c"), "3");
        scene.ready(&app).await;
    });
}

#[test]
fn bytes_that_are_no_text_stay_what_they_are() {
    run(async {
        let scene = Scene::synced("bytes").await;
        let app = scene.object("ExternalSecret", "app");
        // ff fe 00 80 41
        scene.put("binary", "//4AgEE=");
        let data = json!([{"secretKey": "BIN", "remoteRef": {"key": "binary", "decodingStrategy": "Base64"}}]);
        let raw = [0xff, 0xfe, 0, 0x80, b'A'];
        scene
            .apply(external_secret("app", json!({"data": data})))
            .await;
        let has_raw =
            |key: &'static str| move |o: Option<&Value>| o.is_some_and(|o| data_of(o, key) == raw);
        let target = scene.object("Secret", "app");
        scene.until("bytes", &target, has_raw("BIN")).await;

        let templated = |template: Value| json!({"data": data, "target": {"template": template}});
        let texts = json!({
            "same": "{{ .BIN }}", "json": "{{ .BIN | toJson }}", "encoded": "{{ .BIN | b64enc }}",
        });
        let more = templated(json!({"data": texts}));
        scene.apply(external_secret("app", more)).await;
        let found = scene.until("bytes", &target, has_raw("same")).await;
        assert_eq!(value(&found, "json"), r#""\ufffd\ufffd\u0000\ufffdA""#);
        assert_eq!(value(&found, "encoded"), "//4AgEE=");
        scene.ready(&app).await;

        // what has to be text
        let before = scene.secret("app").await;
        let several = json!({"templateFrom": [{"literal": "a: {{ .BIN }}"}]});
        scene
            .apply(external_secret("app", templated(several)))
            .await;
        let words = ["could not unmarshal template"];
        scene.fails(&app, "TemplateFailed", &words).await;
        let label = json!({"metadata": {"labels": {"bin": "{{ .BIN }}"}}});
        scene.apply(external_secret("app", templated(label))).await;
        let words = ["unable to update secret app", "metadata.labels"];
        scene.fails(&app, "KubernetesRefused", &words).await;
        scene.assert_untouched(&before).await;
    });
}

#[test]
fn null_bytes_are_told_only_where_that_was_asked_for() {
    run(async {
        let scene = Scene::synced("null").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene.put("null", "YQBi");
        scene.put("null-json", r#"{"a": "YQBi"}"#);
        let of = |key: &str, policy: &str| json!({"key": key, "decodingStrategy": "Base64", "nullBytePolicy": policy});
        let find = json!({"name": {"regexp": "^null$"}, "decodingStrategy": "Base64", "nullBytePolicy": "Fail"});
        let entry = |policy| json!({"data": [{"secretKey": "N", "remoteRef": of("null", policy)}]});
        for (spec, place, key) in [
            (entry("Fail"), "spec.data[0] (key: null)", "N"),
            (
                json!({"data": null, "dataFrom": [{"extract": of("null-json", "Fail")}]}),
                "spec.dataFrom[0].extract",
                "a",
            ),
            (
                json!({"data": null, "dataFrom": [{"find": find}]}),
                "spec.dataFrom[0].find",
                "null",
            ),
        ] {
            scene.apply(external_secret("app", spec)).await;
            let problem = format!("secret value for key \"{key}\" contains null bytes");
            let words = [place, &problem, "leave nullBytePolicy unset"];
            scene.fails(&app, "InvalidValue", &words).await;
            scene.assert_untouched(&target).await;
        }
        scene.apply(external_secret("app", entry("Ignore"))).await;
        scene.holds("app", "N", "a\0b").await;
        scene.ready(&app).await;
    });
}

/// 10,000 levels of lists or objects around a number.
fn nested(open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(10_000), close.repeat(10_000))
}

/// A vault with `deep`, a document of 10,000 levels, and `tagged`, whose tag is another.
async fn with_deep_values(prefix: &str) -> Scene {
    let scene = Scene::synced(prefix).await;
    let (lists, objects) = (nested("[", "]"), nested(r#"{"a":"#, "}"));
    let deep = format!(r#"{{"a": "x", "lists": {lists}, "objects": {objects}}}"#);
    scene.put("deep", &deep);
    let tagged = json!({"value": "v", "tags": {"deep": lists}});
    let content = json!({"secrets": {"tagged": tagged}});
    let seeded = scene.bed().seed(&scene.namespace, content);
    seeded.expect("azfake takes the content");
    scene
}

fn part(secret_key: &str, property: &str) -> Value {
    json!({"secretKey": secret_key, "remoteRef": {"key": "deep", "property": property}})
}

/// A program that follows such a document by calling itself ends there.
#[test]
fn json_of_ten_thousand_levels_is_read_like_any_other() {
    run(async {
        let scene = with_deep_values("deep").await;
        let (lists, objects) = (nested("[", "]"), nested(r#"{"a":"#, "}"));
        let tag = |secret_key: &str, property: &str| {
            json!({"secretKey": secret_key,
                "remoteRef": {"key": "tagged", "property": property, "metadataPolicy": "Fetch"}})
        };
        let data = json!([
            part("A", "a"),
            part("LISTS", "lists"),
            part("DOWN", "lists.0.0.0"),
            part("OBJECTS", "objects.a"),
            tag("TAG", "deep"),
            tag("TAGGED", "deep.0.0"),
        ]);
        let extract = json!([{"extract": {"key": "deep"}},
            {"extract": {"key": "tagged", "metadataPolicy": "Fetch"}}]);
        let spec = json!({"data": data, "dataFrom": extract});
        scene.apply(external_secret("app", spec)).await;
        let target = scene.holds("app", "A", "x").await;
        for (key, want) in [
            ("LISTS", lists.as_str()),
            ("lists", &lists),
            ("TAG", &lists),
            ("tagged_deep", &lists),
            ("DOWN", &lists[3..lists.len() - 3]),
            ("TAGGED", &lists[2..lists.len() - 2]),
            ("OBJECTS", &objects[5..objects.len() - 1]),
        ] {
            assert_eq!(value(&target, key), want, "{key}");
        }
        scene.ready(&scene.object("ExternalSecret", "app")).await;
    });
}

#[test]
fn what_takes_json_of_ten_thousand_levels_apart_says_that_it_cannot() {
    run(async {
        let scene = with_deep_values("too-deep").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let template = json!({"data": {"T": "{{ .lists | mustFromJson | len }}"}});
        let mut templated = data_from(&json!({"extract": {"key": "deep"}}));
        templated["spec"]["target"] = json!({"template": template});
        scene.apply(templated).await;
        let words = ["unable to execute template at key T", "mustFromJson"];
        scene.fails(&app, "TemplateFailed", &words).await;
        let mut merge = find("^deep$");
        merge["rewrite"] = json!([{"merge": {}}]);
        scene.apply(data_from(&merge)).await;
        let words = [
            "failed rewrite operation[0]: merge failed",
            "the value of key \"deep\" is nested deeper than",
        ];
        scene.fails(&app, "InvalidValue", &words).await;
        for property in [
            "@this",
            "lists.@flatten:{\"deep\":true}",
            "@ugly",
            "lists.@reverse",
        ] {
            let data = json!([part("P", property)]);
            scene
                .apply(external_secret("app", json!({"data": data})))
                .await;
            let problem = format!("property {property} does not exist in key deep");
            scene.fails(&app, "InvalidReference", &[&problem]).await;
        }
        scene.assert_untouched(&target).await;
    });
}
