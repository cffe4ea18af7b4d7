//! ESO's flags that mean nothing here (ESO's page "Controller options"). They stand in users' `extraArgs`, so they are
//! accepted, and the log says at each start why they have no effect.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::go_bool::GoBool as _;

const METADATA_ONLY: &str = "Secrets and ConfigMaps are cached by their metadata alone, and read where their content is needed";
const NO_GENERATORS: &str = "generators are not served";
const NO_VAULT: &str = "the provider vault is not served";
const NO_DOPPLER: &str = "the provider doppler is not served";
const NO_NEBIUS: &str = "the provider nebiusmysterybox is not served";

/// A flag without effect.
#[derive(Clone, Copy, Debug)]
struct Ignored {
    name: &'static str,
    kind: FlagKind,
    why: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum FlagKind {
    /// It may stand without a value.
    Switch,
    Value,
}

const fn switch(name: &'static str, why: &'static str) -> Ignored {
    let kind = FlagKind::Switch;
    Ignored { name, kind, why }
}

const fn value(name: &'static str, why: &'static str) -> Ignored {
    let kind = FlagKind::Value;
    Ignored { name, kind, why }
}

const FLAGS: [Ignored; 19] = [
    value(
        "zap-time-encoding",
        "log lines tell the time as RFC 3339 in the field timestamp",
    ),
    switch("enable-secrets-caching", METADATA_ONLY),
    switch("enable-configmaps-caching", METADATA_ONLY),
    switch("enable-managed-secrets-caching", METADATA_ONLY),
    switch(
        "enable-secret-api-read-on-cache-mismatch",
        "there is one cache of Secrets, which cannot differ from another",
    ),
    switch("enable-http2", "metrics are served by HTTP/1.1"),
    switch("enable-generator-state", NO_GENERATORS),
    value("generator-gc-grace-period", NO_GENERATORS),
    switch("enable-vault-token-cache", NO_VAULT),
    value("vault-token-cache-size", NO_VAULT),
    switch("experimental-enable-vault-token-cache", NO_VAULT),
    value("experimental-vault-token-cache-size", NO_VAULT),
    switch("experimental-enable-doppler-oidc-cache", NO_DOPPLER),
    value("experimental-doppler-oidc-cache-size", NO_DOPPLER),
    value("doppler-etag-cache-size", NO_DOPPLER),
    value("mysterybox-tokens-cache-size", NO_NEBIUS),
    value("mysterybox-connections-cache-size", NO_NEBIUS),
    switch(
        "experimental-enable-aws-session-cache",
        "the provider aws is not served",
    ),
    value(
        "pulumi-oidc-cache-size",
        "the provider pulumi is not served",
    ),
];

impl Ignored {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name).long(self.name).hide(true);
        let arg = arg.help(self.why).action(ArgAction::Set);
        match self.kind {
            FlagKind::Value => arg,
            FlagKind::Switch => arg.optional_go_bool(),
        }
    }
}

/// Those of the flags that were given.
#[derive(Debug, Default)]
pub(super) struct WithoutEffect(Vec<Ignored>);

impl WithoutEffect {
    /// Says of each that it has no effect, and why.
    pub(super) fn warn(&self) {
        for Ignored { name, why, .. } in &self.0 {
            tracing::warn!(flag = *name, "--{name} has no effect: {why}");
        }
    }
}

impl Args for WithoutEffect {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.iter().map(Ignored::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for WithoutEffect {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = FLAGS.iter().filter(|flag| matches.contains_id(flag.name));
        Ok(Self(given.copied().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        ignored: WithoutEffect,
    }

    fn given(arguments: &[&str]) -> Result<Vec<&'static str>, clap::Error> {
        let line = ["keyferry"].iter().chain(arguments);
        let given = Line::try_parse_from(line)?.ignored.0;
        Ok(given.iter().map(|flag| flag.name).collect())
    }

    #[test]
    fn those_that_are_given_are_known_however_go_lets_them_be_written() {
        assert_eq!(given(&[]).unwrap(), [""; 0]);
        let flags = [
            "--enable-http2",
            "--enable-secrets-caching=true",
            "--vault-token-cache-size",
            "1024",
            "--zap-time-encoding=epoch",
        ];
        assert_eq!(
            given(&flags).unwrap(),
            [
                "zap-time-encoding",
                "enable-secrets-caching",
                "enable-http2",
                "vault-token-cache-size"
            ]
        );
    }

    #[test]
    fn what_eso_does_not_have_is_refused() {
        for flag in ["--enable-caching", "--vault-token-cache", "true"] {
            given(&[flag]).unwrap_err();
        }
    }
}
