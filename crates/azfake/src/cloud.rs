//! Host names and resources of the Azure clouds (Azure, "National clouds"). Knows names only.

/// One of the Azure clouds: a vault suffix, its token audience and its login hosts belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    Public,
    UsGovernment,
    China,
    Germany,
}

/// What a host name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A key vault; the label is the host's first label, in lower case.
    Vault { label: String, cloud: Cloud },
    /// A login endpoint of Entra ID.
    Login(Cloud),
    /// A service that gives out tokens of managed identities, by plain HTTP.
    Metadata,
}

const ALL: [Cloud; 4] = [
    Cloud::Public,
    Cloud::UsGovernment,
    Cloud::China,
    Cloud::Germany,
];

impl Cloud {
    fn vault_suffix(self) -> &'static str {
        match self {
            Self::Public => "vault.azure.net",
            Self::UsGovernment => "vault.usgovcloudapi.net",
            Self::China => "vault.azure.cn",
            Self::Germany => "vault.microsoftazure.de",
        }
    }

    /// The login host that challenges and discovery name.
    pub(crate) fn login_host(self) -> &'static str {
        self.login_hosts()[0]
    }

    /// All login hosts, the preferred one first.
    pub(crate) fn login_hosts(self) -> &'static [&'static str] {
        match self {
            Self::Public => &["login.microsoftonline.com"],
            Self::UsGovernment => &["login.microsoftonline.us"],
            Self::China => &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
            Self::Germany => &["login.microsoftonline.de"],
        }
    }

    /// The audience that a vault of this cloud wants in a token.
    pub(crate) fn vault_resource(self) -> String {
        format!("https://{}", self.vault_suffix())
    }

    /// Whether this cloud's directory knows the resource (without its trailing slash).
    pub(crate) fn knows_resource(self, resource: &str) -> bool {
        let management: [&str; 2] = match self {
            Self::Public => [
                "https://management.azure.com",
                "https://management.core.windows.net",
            ],
            Self::UsGovernment => [
                "https://management.usgovcloudapi.net",
                "https://management.core.usgovcloudapi.net",
            ],
            Self::China => [
                "https://management.chinacloudapi.cn",
                "https://management.core.chinacloudapi.cn",
            ],
            Self::Germany => [
                "https://management.microsoftazure.de",
                "https://management.core.cloudapi.de",
            ],
        };
        resource == self.vault_resource()
            || management.contains(&resource)
            || resource == "https://containerregistry.azure.net"
    }

    /// All clouds, for tables of host names.
    pub(crate) fn all() -> [Self; 4] {
        ALL
    }
}

/// What stands behind a host name, or `None` for a host that azfake does not play.
pub(crate) fn site(host: &str) -> Option<Site> {
    ALL.into_iter().find_map(|cloud| {
        if cloud.login_hosts().contains(&host) {
            return Some(Site::Login(cloud));
        }
        let label = host
            .strip_suffix(cloud.vault_suffix())?
            .strip_suffix('.')
            .filter(|label| !label.is_empty() && !label.contains('.'))?;
        Some(Site::Vault {
            label: label.to_owned(),
            cloud,
        })
    })
}

/// The vault label of a label or host name, in lower case.
pub(crate) fn label(target: &str) -> String {
    target
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        let vault = |label: &str, cloud| {
            Some(Site::Vault {
                label: label.to_owned(),
                cloud,
            })
        };
        assert_eq!(site("kv.vault.azure.net"), vault("kv", Cloud::Public));
        assert_eq!(site("kv.vault.azure.cn"), vault("kv", Cloud::China));
        assert_eq!(
            site("kv.vault.usgovcloudapi.net"),
            vault("kv", Cloud::UsGovernment)
        );
        assert_eq!(
            site("kv.vault.microsoftazure.de"),
            vault("kv", Cloud::Germany)
        );
        assert_eq!(
            site("login.partner.microsoftonline.cn"),
            Some(Site::Login(Cloud::China))
        );
        for other in [
            "vault.azure.net",
            "a.b.vault.azure.net",
            "xvault.azure.net",
            "example.com",
        ] {
            assert_eq!(site(other), None, "{other}");
        }
        assert_eq!(label("KV.vault.azure.net"), "kv");
    }
}
