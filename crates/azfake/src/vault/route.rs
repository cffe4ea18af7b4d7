//! Paths of the data plane: which operation on which object. Knows no content.

use http::Method;

use super::refusal::Refusal;

/// Kinds of vault objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Secrets,
    Keys,
    Certificates,
}

impl Kind {
    /// The word for one object in messages.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Secrets => "secret",
            Self::Keys => "key",
            Self::Certificates => "certificate",
        }
    }

    /// The collection's word in paths.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Keys => "keys",
            Self::Certificates => "certificates",
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Get,
    List,
    Versions,
    Set,
    Update,
    Delete,
    GetDeleted,
    ListDeleted,
    Recover,
    Purge,
    /// Known to Azure, not served here.
    Other,
}

/// An operation and the object it names; the name is not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) kind: Kind,
    pub(crate) act: Act,
    pub(crate) name: String,
    pub(crate) version: String,
}

impl Route {
    /// The operation of a request.
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if parts.len() == 2 && parts[1].is_empty() {
            parts.pop();
        }
        let (kind, deleted) = collection(parts[0]).ok_or_else(|| Refusal::NoRoute {
            path: path.to_owned(),
        })?;
        let route = |act, name: &str, version: &str| {
            Ok(Self {
                kind,
                act,
                name: name.to_owned(),
                version: version.to_owned(),
            })
        };
        match (method.as_str(), deleted, &parts[1..]) {
            ("GET", false, []) => route(Act::List, "", ""),
            ("GET", true, []) => route(Act::ListDeleted, "", ""),
            ("GET", true, [name] | [name, ""]) => route(Act::GetDeleted, name, ""),
            ("DELETE", true, [name] | [name, ""]) => route(Act::Purge, name, ""),
            ("POST", true, [name, "recover"]) => route(Act::Recover, name, ""),
            ("GET" | "PATCH", false, [name, "policy" | "pending"])
                if kind == Kind::Certificates =>
            {
                route(Act::Other, name, "")
            }
            ("GET", false, [name, "versions"]) => route(Act::Versions, name, ""),
            ("GET", false, [name]) => route(Act::Get, name, ""),
            ("GET", false, [name, version]) => route(Act::Get, name, version),
            ("PUT", false, [name] | [name, ""]) => route(Act::Set, name, ""),
            ("DELETE", false, [name] | [name, ""]) => route(Act::Delete, name, ""),
            ("PATCH", false, [name]) => route(Act::Update, name, ""),
            ("PATCH", false, [name, version]) => route(Act::Update, name, version),
            ("POST", false, [name, "create" | "import" | "backup"] | [name @ "restore"]) => {
                route(Act::Other, name, "")
            }
            ("POST", false, [name, _, _]) if kind == Kind::Keys => route(Act::Other, name, ""),
            (_, _, [] | [_] | [_, _]) => Err(Refusal::NoMethod {
                method: method.to_string(),
            }),
            _ => Err(Refusal::NoRoute {
                path: path.to_owned(),
            }),
        }
    }

    /// The word for it in faults, log and counters, such as `secrets.get`.
    pub(crate) fn op(&self) -> &'static str {
        match self.kind {
            Kind::Secrets => match self.act {
                Act::Get => "secrets.get",
                Act::List => "secrets.list",
                Act::Versions => "secrets.versions",
                Act::Set => "secrets.set",
                Act::Update => "secrets.update",
                Act::Delete => "secrets.delete",
                Act::GetDeleted => "secrets.getDeleted",
                Act::ListDeleted => "secrets.listDeleted",
                Act::Recover => "secrets.recover",
                Act::Purge => "secrets.purge",
                Act::Other => "secrets.other",
            },
            Kind::Keys => match self.act {
                Act::Get => "keys.get",
                Act::List => "keys.list",
                Act::Delete => "keys.delete",
                Act::Set => "keys.import",
                _ => "keys.other",
            },
            Kind::Certificates => match self.act {
                Act::Get => "certificates.get",
                Act::List => "certificates.list",
                Act::Delete => "certificates.delete",
                _ => "certificates.other",
            },
        }
    }

    /// The permission that it takes.
    pub(crate) fn permission(&self) -> &'static str {
        match self.act {
            Act::Get | Act::GetDeleted => "get",
            Act::List | Act::Versions | Act::ListDeleted => "list",
            Act::Set | Act::Update | Act::Other => "set",
            Act::Delete => "delete",
            Act::Recover => "recover",
            Act::Purge => "purge",
        }
    }

    /// The data action of Azure's role-based access that it takes, below that of its kind.
    pub(crate) fn data_action(&self) -> &'static str {
        match (self.act, self.kind) {
            (Act::Get, Kind::Secrets) => "getSecret/action",
            (Act::Set | Act::Other, Kind::Secrets) => "setSecret/action",
            (Act::Set | Act::Other, Kind::Keys) => "write",
            (Act::Set | Act::Other, Kind::Certificates) => "create/action",
            (Act::Update, _) => "update/action",
            (Act::Delete, _) => "delete",
            (Act::Recover, _) => "recover/action",
            (Act::Purge, _) => "purge/action",
            (_, Kind::Secrets) => "readMetadata/action",
            (_, Kind::Keys | Kind::Certificates) => "read",
        }
    }

    /// Whether the operation names an object.
    pub(crate) fn is_named(&self) -> bool {
        !matches!(self.act, Act::List | Act::ListDeleted)
    }
}

fn collection(word: &str) -> Option<(Kind, bool)> {
    match word {
        "secrets" => Some((Kind::Secrets, false)),
        "keys" => Some((Kind::Keys, false)),
        "certificates" => Some((Kind::Certificates, false)),
        "deletedsecrets" => Some((Kind::Secrets, true)),
        "deletedkeys" => Some((Kind::Keys, true)),
        "deletedcertificates" => Some((Kind::Certificates, true)),
        _ => None,
    }
}

/// Names are `[0-9a-zA-Z-]{1,127}`; versions are letters and digits.
pub(crate) fn check_names(route: &Route) -> Result<(), Refusal> {
    let Route { name, version, .. } = route;
    let name_fits = (1..=127).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if route.is_named() && !name_fits {
        return Err(Refusal::BadName { name: name.clone() });
    }
    if !version.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::BadName {
            name: version.clone(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        let op = |method: &str, path| {
            let route = Route::of(&method.parse().unwrap(), path)?;
            check_names(&route)?;
            Ok(format!("{} {} {}", route.op(), route.name, route.version))
        };
        assert_eq!(op("GET", "/secrets"), Ok("secrets.list  ".to_owned()));
        assert_eq!(op("GET", "/secrets/db/"), Ok("secrets.get db ".to_owned()));
        assert_eq!(
            op("GET", "/secrets/db/0a1"),
            Ok("secrets.get db 0a1".to_owned())
        );
        assert_eq!(
            op("GET", "/secrets/db/versions"),
            Ok("secrets.versions db ".to_owned())
        );
        assert_eq!(op("PUT", "/secrets/db"), Ok("secrets.set db ".to_owned()));
        assert_eq!(
            op("PATCH", "/secrets/db/"),
            Ok("secrets.update db ".to_owned())
        );
        assert_eq!(
            op("POST", "/deletedsecrets/db/recover"),
            Ok("secrets.recover db ".to_owned())
        );
        assert_eq!(op("GET", "/keys/k"), Ok("keys.get k ".to_owned()));
        assert_eq!(
            op("POST", "/keys/k/0a1/sign"),
            Ok("keys.other k ".to_owned())
        );
        assert_eq!(
            op("GET", "/certificates/web/policy"),
            Ok("certificates.other web ".to_owned())
        );
        assert_eq!(
            op("GET", "/secrets//"),
            Err(Refusal::BadName {
                name: String::new()
            })
        );
        assert_eq!(
            op("GET", "/secrets/under_score/"),
            Err(Refusal::BadName {
                name: "under_score".into()
            })
        );
        assert_eq!(
            op("POST", "/secrets/db"),
            Err(Refusal::NoMethod {
                method: "POST".into()
            })
        );
        assert!(matches!(
            op("GET", "/storage"),
            Err(Refusal::NoRoute { .. })
        ));
    }
}
