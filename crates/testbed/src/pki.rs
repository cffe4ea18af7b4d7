//! The control plane's own certificate authority, leaf certificates and the token signing key.
//! Everything is made at start and lives as long as the state directory.

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};

/// The smallest size that verifiers of RS256 accept; larger ones only take longer to make.
const RSA_BITS: usize = 2048;
/// Groups are organisations (O, 2.5.4.10); a name holds one value per type, so the second needs the
/// type's other spelling.
const GROUP_TYPES: [fn() -> DnType; 2] = [
    || DnType::OrganizationName,
    || DnType::CustomDnType(vec![2, 5, 4, 10]),
];
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A certificate and its key, both PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The key that signs ServiceAccount tokens, PEM (PKCS#8 and SPKI).
pub(crate) struct SigningKey {
    pub(crate) private: String,
    pub(crate) public: String,
}

/// A certificate authority (ECDSA P-256, one year) that signs servers and users alike.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = params("testbed-ca", &[], &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages.clear();
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?);
        Ok(Self(issuer.context("make the certificate authority")?))
    }

    /// The authority's certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A leaf for a user (`name`, `groups`) or, with `hosts` (names or addresses), a server.
    pub(crate) fn issue(&self, name: &str, groups: &[&str], hosts: &[&str]) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = params(name, groups, hosts)?.signed_by(&key, &self.0);
        let certificate = certificate.with_context(|| format!("sign the certificate of {name}"))?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl SigningKey {
    /// A new RSA key: the tokens must be RS256, as verifiers outside Kubernetes expect.
    pub(crate) fn generate() -> Result<Self> {
        let key =
            rsa::PrivateKey::new(&mut getrandom::SysRng, RSA_BITS).context("make an RSA key")?;
        let public = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self {
            private: key.to_pkcs8_pem(LineEnding::LF)?.to_string(),
            public,
        })
    }
}

fn params(name: &str, groups: &[&str], hosts: &[&str]) -> Result<CertificateParams> {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    ensure!(
        groups.len() <= GROUP_TYPES.len(),
        "{name}: a certificate holds at most {} groups",
        GROUP_TYPES.len()
    );
    for (group, kind) in groups.iter().zip(GROUP_TYPES) {
        params.distinguished_name.push(kind(), *group);
    }
    let (from, to) = (Timestamp::now() - DAY, Timestamp::now() + DAY * 365);
    let (from, to) = (
        from.to_zoned(TimeZone::UTC).date(),
        to.to_zoned(TimeZone::UTC).date(),
    );
    params.not_before = rcgen::date_time_ymd(
        from.year().into(),
        from.month().unsigned_abs(),
        from.day().unsigned_abs(),
    );
    params.not_after = rcgen::date_time_ymd(
        to.year().into(),
        to.month().unsigned_abs(),
        to.day().unsigned_abs(),
    );
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
