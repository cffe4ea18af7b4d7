//! Client assertions: federated tokens of a cluster. Decides whether an application trusts one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::denial::Denial;
use super::{App, EXCHANGE_AUDIENCE};

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    #[serde(default)]
    exp: i64,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Audience {
    fn list(&self) -> Vec<&str> {
        match self {
            Self::One(audience) => vec![audience],
            Self::Many(audiences) => audiences.iter().map(String::as_str).collect(),
        }
    }
}

/// Checks issuer, subject, audience and time of a federated token. Its signature is not verified yet.
pub(crate) fn check(
    app: &App,
    sa_issuer: Option<&str>,
    assertion: &str,
    now: i64,
) -> Result<(), Denial> {
    let claims = parse(assertion).ok_or(Denial::MalformedAssertion)?;
    let audiences = claims.aud.list();
    let listed = |list: &[String], given: &str| list.iter().any(|item| item == given);
    let issuer_known = match app.issuers.as_slice() {
        [] => sa_issuer == Some(&claims.iss),
        issuers => listed(issuers, &claims.iss),
    };
    let subject_known = app.subjects.is_empty() || listed(&app.subjects, &claims.sub);
    let audience_known = match app.audiences.as_slice() {
        [] => audiences.contains(&EXCHANGE_AUDIENCE),
        wanted => audiences.iter().any(|audience| listed(wanted, audience)),
    };
    if !(issuer_known && subject_known && audience_known) {
        return Err(Denial::NoMatchingIdentity {
            issuer: claims.iss.clone(),
            subject: claims.sub.clone(),
            audience: audiences.join(","),
        });
    }
    if claims.exp <= now {
        return Err(Denial::StaleAssertion);
    }
    Ok(())
}

fn parse(assertion: &str) -> Option<Claims> {
    let mut parts = assertion.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://127.0.0.1:6443";

    fn assertion(claims: &serde_json::Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn every_claim_counts() {
        let good = serde_json::json!({"iss": ISSUER, "sub": "system:serviceaccount:a:b", "aud": [EXCHANGE_AUDIENCE], "exp": 100});
        let verdict = |change: (&str, serde_json::Value)| {
            let mut claims = good.clone();
            claims[change.0] = change.1;
            check(&App::default(), Some(ISSUER), &assertion(&claims), 50)
        };
        assert_eq!(verdict(("exp", 100.into())), Ok(()));
        assert_eq!(verdict(("exp", 50.into())), Err(Denial::StaleAssertion));
        assert!(matches!(
            verdict(("iss", "https://else".into())),
            Err(Denial::NoMatchingIdentity { .. })
        ));
        assert!(matches!(
            verdict(("aud", "other".into())),
            Err(Denial::NoMatchingIdentity { .. })
        ));
        let strict = App {
            subjects: vec!["system:serviceaccount:x:y".into()],
            ..App::default()
        };
        assert!(matches!(
            check(&strict, Some(ISSUER), &assertion(&good), 50),
            Err(Denial::NoMatchingIdentity { .. })
        ));
        assert_eq!(
            check(&App::default(), Some(ISSUER), "nonsense", 50),
            Err(Denial::MalformedAssertion)
        );
    }
}
