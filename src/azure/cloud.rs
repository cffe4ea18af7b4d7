//! The Azure clouds: where an identity signs in and which hosts are vaults
//! (Azure, "National clouds"). Knows names only; whether a host answers is not known here.

use url::Url;

/// Sign-in hosts of Microsoft's clouds.
const KNOWN_AUTHORITIES: [&str; 5] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.microsoftonline.de",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
];

/// One cloud: an authority that issues tokens and the DNS suffix of its vaults.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cloud {
    authority: String,
    vault_suffix: Option<String>,
}

impl Cloud {
    /// The public cloud.
    pub fn public() -> Self {
        Self::known("https://login.microsoftonline.com", "vault.azure.net")
    }

    /// Azure Government.
    pub fn us_government() -> Self {
        Self::known(
            "https://login.microsoftonline.us",
            "vault.usgovcloudapi.net",
        )
    }

    /// Azure operated by 21Vianet.
    pub fn china() -> Self {
        Self::known("https://login.chinacloudapi.cn", "vault.azure.cn")
    }

    /// Azure Germany, closed in 2021; kept because stores that name it exist.
    pub fn german() -> Self {
        Self::known(
            "https://login.microsoftonline.de",
            "vault.microsoftazure.de",
        )
    }

    /// A cloud of one's own. Without a suffix no host counts as a vault of it by name, and the
    /// token's audience is the one that the vault asks for.
    pub fn stack(authority: String, vault_suffix: Option<String>) -> Self {
        Self {
            authority,
            vault_suffix,
        }
    }

    /// This cloud with another sign-in host (`customCloudConfig.activeDirectoryEndpoint`).
    #[must_use]
    pub fn with_authority(self, authority: String) -> Self {
        Self { authority, ..self }
    }

    /// `https://login.microsoftonline.com`: scheme and host of the sign-in service.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The sign-in service's host, for messages.
    pub fn authority_host(&self) -> &str {
        let host = self.authority.trim_start_matches("https://");
        host.split('/').next().unwrap_or(host)
    }

    /// Whether the sign-in service is one of Microsoft's, and not one that a store brought along.
    pub fn has_known_authority(&self) -> bool {
        KNOWN_AUTHORITIES.contains(&self.authority_host())
    }

    /// `vault.azure.net`: what the names of this cloud's vaults end in.
    pub fn vault_suffix(&self) -> Option<&str> {
        self.vault_suffix.as_deref()
    }

    /// `https://vault.azure.net`: the audience of tokens for this cloud's vaults.
    pub fn vault_resource(&self) -> Option<String> {
        self.vault_suffix
            .as_ref()
            .map(|suffix| format!("https://{suffix}"))
    }

    /// Whether `host` is a vault of this cloud: DNS labels in front of the suffix. How long Azure
    /// lets a vault's name be does not matter here.
    pub fn is_vault_host(&self, host: &str) -> bool {
        self.vault_suffix
            .as_deref()
            .and_then(|suffix| host.strip_suffix(suffix)?.strip_suffix('.'))
            .is_some_and(|labels| labels.split('.').all(is_dns_label) && host.len() <= 253)
    }

    /// The vault's own name, where `host` is what the DNS zone of private endpoints calls it
    /// (`NAME.privatelink.vaultcore.azure.net`): no certificate stands for that.
    pub fn behind_private_link(&self, host: &str) -> Option<String> {
        let (name, zone) = host.split_once('.')?;
        let suffix = self.vault_suffix()?;
        (zone.split('.').next() == Some("privatelink")).then(|| format!("{name}.{suffix}"))
    }

    fn known(authority: &str, vault_suffix: &str) -> Self {
        Self::stack(authority.to_owned(), Some(vault_suffix.to_owned()))
    }
}

/// The origin (`https://host[:port]`) of an https URL without user information, path, query or
/// fragment; `None` where `text` is anything else.
pub fn https_origin(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none();
    (url.scheme() == "https" && url.host_str().is_some() && is_bare).then_some(url)
}

fn is_dns_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_hosts_are_told_by_suffix_and_syntax() {
        let cloud = Cloud::public();
        for host in [
            "kv.vault.azure.net",
            "g-a-very-long-name-that-azure-would-not-allow--kv.vault.azure.net",
            "1.2.vault.azure.net",
        ] {
            assert!(cloud.is_vault_host(host), "{host}");
        }
        for host in [
            "vault.azure.net",
            ".vault.azure.net",
            "evilvault.azure.net",
            "kv.vault.azure.net.",
            "kv.vault.azure.net.evil.example",
            "-kv.vault.azure.net",
            "k_v.vault.azure.net",
            "kv.vault.azure.cn",
            "kv..vault.azure.net",
        ] {
            assert!(!cloud.is_vault_host(host), "{host}");
        }
        assert!(!Cloud::stack("https://adfs.local".to_owned(), None).is_vault_host("kv.local"));
    }

    #[test]
    fn the_name_of_a_private_endpoint_leads_to_the_vaults_own() {
        let own = |host: &str| Cloud::public().behind_private_link(host);
        for zone in [
            "privatelink.vaultcore.azure.net",
            "privatelink.vault.azure.net",
        ] {
            let host = format!("kv.{zone}");
            assert_eq!(own(&host).as_deref(), Some("kv.vault.azure.net"));
        }
        assert_eq!(own("kv.vault.azure.net"), None);
        assert_eq!(own("privatelink.vault.azure.net"), None);
    }

    #[test]
    fn origins_have_nothing_but_scheme_and_host() {
        for text in [
            "https://kv.vault.azure.net",
            " https://kv.vault.azure.net/ ",
        ] {
            let host = https_origin(text).and_then(|url| url.host_str().map(str::to_owned));
            assert_eq!(host.as_deref(), Some("kv.vault.azure.net"), "{text}");
        }
        for text in [
            "",
            "kv.vault.azure.net",
            "http://kv.vault.azure.net",
            "https://user@kv.vault.azure.net",
            "https://kv.vault.azure.net/secrets",
            "https://kv.vault.azure.net?x=1",
            "https://kv.vault.azure.net#x",
            "https://",
        ] {
            assert!(https_origin(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_audience_follows_the_suffix() {
        let resource = Cloud::us_government().vault_resource();
        assert_eq!(resource.as_deref(), Some("https://vault.usgovcloudapi.net"));
        assert_eq!(Cloud::china().authority_host(), "login.chinacloudapi.cn");
    }
}
