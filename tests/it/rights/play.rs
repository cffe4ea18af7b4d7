//! Plays the loss of one right by an operator of its own: what is refused, what is told, and that it goes
//! on once the right is back.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use testbed::AuditEvent;
use tokio::time::{Instant, sleep};

use super::removal::{Removal, Step, Told};
use super::role::{Account, Right};
use crate::support::bed::Bed;
use crate::support::cluster::{ObjectRef, text};
use crate::support::manifests::{ready, value};
use crate::support::operator::{Operator, Options};
use crate::support::settings;

/// So long anything may take on a busy machine; a watch that failed pauses 15 s at most.
const LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// What was seen, without what differs from run to run.
pub(super) struct Seen {
    /// Verb and path of the request that was refused.
    pub(super) refused: String,
    /// Where it was told.
    pub(super) place: &'static str,
    /// In which words.
    pub(super) words: String,
}

struct Play<'a> {
    bed: &'a Bed,
    removal: &'a Removal,
    right: &'a Right,
    account: Account<'a>,
    namespace: &'a str,
    operator: Operator,
}

/// Plays it to its end.
pub(super) async fn play(bed: &Bed, removal: &Removal, right: &Right) -> anyhow::Result<Seen> {
    let namespace = bed.namespace("right").await?;
    let (account, kubeconfig) = Account::without(bed, &namespace, right).await?;
    bed.azure().set_secret(&namespace, "password", "first");
    for object in &removal.objects {
        let object: Value = serde_json::from_str(&object.to_string().replace("${NS}", &namespace))?;
        bed.cluster().apply(&object, Some(&namespace)).await?;
    }
    let mut options = Options::flags(&removal.flags);
    options
        .flags
        .push(format!("--controller-class={namespace}"));
    if removal.is_scoped {
        options.flags.push(format!("--namespace={namespace}"));
    }
    let kubeconfig = kubeconfig.display().to_string();
    options.environment = vec![("KUBECONFIG".to_owned(), kubeconfig)];
    let operator = Operator::start(&settings::operator(), bed, options)?;
    let mut play = Play {
        bed,
        removal,
        right,
        account,
        namespace: &namespace,
        operator,
    };
    let seen = play.course().await;
    let seen = seen.with_context(|| play.operator.log_tail())?;
    ensure!(play.operator.ended()?.is_none(), "the operator has ended");
    play.operator.stop().await?;
    Ok(seen)
}

impl Play<'_> {
    async fn course(&mut self) -> anyhow::Result<Seen> {
        for &step in &self.removal.steps {
            self.step(step).await?;
        }
        let (place, words) = self.until("told", async |play| play.told().await).await?;
        let refused = self.until("refused", async |play| play.refused()).await?;
        let answered = self.answered()?;
        ensure!(answered.is_none(), "the right is not missing: {answered:?}");
        self.account.restore(self.right).await?;
        if let Some(step) = self.removal.again {
            self.step(step).await?;
        }
        self.until("answered", async |play| play.answered()).await?;
        let others = self.requests(|event| event.code == 403 && !self.is_meant(event))?;
        ensure!(others.is_empty(), "refused besides: {others:?}");
        let path = refused.uri.split('?').next().unwrap_or_default();
        let name = format!("/{}/{}", refused.resource, refused.name);
        let path = path.replace(&name, &format!("/{}/NAME", refused.resource));
        let mut words = self.settled(&words);
        // an event's name ends with the time
        if refused.resource == "events" && !refused.name.is_empty() {
            words = words.replace(&refused.name, "NAME");
        }
        Ok(Seen {
            refused: self.settled(&format!("{} {path}", refused.verb)),
            place,
            words,
        })
    }

    async fn step(&mut self, step: Step) -> anyhow::Result<()> {
        let (cluster, app) = (self.bed.cluster(), self.object("ExternalSecret", "app"));
        match step {
            Step::Holds(want) => {
                let secret = self.object("Secret", "app");
                let holds = |it: Option<&Value>| it.is_some_and(|it| value(it, "PASSWORD") == want);
                self.bed.wait_for(want, &secret, LIMIT, holds).await?;
            }
            Step::Put(new) => {
                self.bed.azure().set_secret(self.namespace, "password", new);
                self.force(new).await?;
            }
            Step::Lose => {
                let nothing = json!({"secrets": {"password": null}});
                self.bed.seed(self.namespace, nothing)?;
                self.force("lost").await?;
            }
            Step::Gone => {
                let secret = self.object("Secret", "app");
                let is_gone = |it: Option<&Value>| it.is_none();
                self.bed.wait_for("gone", &secret, LIMIT, is_gone).await?;
            }
            Step::Delete => cluster.delete(&app).await?,
            Step::Restart => self.operator.restart()?,
        }
        Ok(())
    }

    async fn force(&self, mark: &str) -> anyhow::Result<()> {
        let patch = json!({"metadata": {"annotations": {"force-sync": mark}}});
        let app = self.object("ExternalSecret", "app");
        self.bed.cluster().patch(&app, &patch).await?;
        Ok(())
    }

    /// Where it is told and in which words, once it is.
    async fn told(&self) -> anyhow::Result<Option<(&'static str, String)>> {
        let is_cause = |words: &str| words.contains("is forbidden: ");
        let found = match self.removal.told {
            Told::Condition(kind, name) => {
                let found = self.bed.cluster().get(&self.object(kind, name)).await?;
                let condition = ready(&found.unwrap_or_default());
                let place = match kind {
                    "SecretStore" => "SecretStore, `Ready=False`",
                    _ => "ExternalSecret, `Ready=False`",
                };
                (condition["status"] == "False")
                    .then(|| (place, text(&condition["message"]).to_owned()))
            }
            Told::Readyz => {
                let answer = self.operator.probe_text("/readyz").await.ok();
                let unready = answer.filter(|(code, _)| *code == 503);
                unready.map(|(_, words)| ("`/readyz`, 503", words.trim().to_owned()))
            }
            Told::Log(message) => self.logged(message)?,
        };
        Ok(found.filter(|(_, words)| is_cause(words)))
    }

    fn logged(&self, message: &str) -> anyhow::Result<Option<(&'static str, String)>> {
        let log = self.operator.log()?;
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let of_message = |line: &Value| line["message"] == message;
        let Some(line) = lines.into_iter().find(of_message) else {
            return Ok(None);
        };
        let place = match text(&line["level"]) {
            "INFO" => "log, `INFO`",
            "WARN" => "log, `WARN`",
            level => bail!("{level} is read by nobody: {line}"),
        };
        Ok(Some((
            place,
            format!("{message}: {}", text(&line["error"])),
        )))
    }

    /// The request that was refused for the right.
    fn refused(&self) -> anyhow::Result<Option<AuditEvent>> {
        let refused = self.requests(|event| event.code == 403 && self.is_meant(event))?;
        Ok(refused.into_iter().next())
    }

    /// A request that was not refused.
    fn answered(&self) -> anyhow::Result<Option<AuditEvent>> {
        let answered =
            self.requests(|event| event.code < 500 && event.code != 403 && self.is_meant(event))?;
        Ok(answered.into_iter().next())
    }

    fn requests(&self, wanted: impl Fn(&AuditEvent) -> bool) -> anyhow::Result<Vec<AuditEvent>> {
        let user = self.account.user();
        let mut events = self.bed.plane().audit_events()?;
        events.retain(|event| event.user == user && wanted(event));
        Ok(events)
    }

    fn is_meant(&self, event: &AuditEvent) -> bool {
        let (verb, resource) = match self.removal.refused {
            Some(refused) => refused,
            None => (self.removal.verb, self.removal.resource),
        };
        let (name, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        // a wildcard stands for the one kind there is
        let name = if name == "*" { super::GENERATOR } else { name };
        event.verb == verb && event.resource == name && event.subresource == subresource
    }

    fn object(&self, kind: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// As it would be with default names.
    fn settled(&self, words: &str) -> String {
        let operators = "system:serviceaccount:external-secrets:keyferry";
        let own = if self.right.is_of_lease() {
            "external-secrets"
        } else {
            "my-namespace"
        };
        words
            .replace(&self.account.user(), operators)
            .replace(&format!("{}-store", self.namespace), "my-store")
            .replace(self.namespace, own)
    }

    async fn until<T>(
        &mut self,
        what: &str,
        look: impl AsyncFn(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = look(self).await? {
                return Ok(found);
            }
            if let Some(status) = self.operator.ended()? {
                bail!("{what}: the operator ended ({status})");
            }
            ensure!(Instant::now() < end, "{what}: not within {LIMIT:?}");
            sleep(POLL).await;
        }
    }
}
