//! Leadership goes from one replica to the other: by a stop, by a kill, and behind a leader's back.

use std::time::Duration;

use serde_json::json;
use testbed::AuditEvent;
use tokio::time::Instant;

use super::pair::{OTHER, Pair, SHORT, becomes, fails};
use crate::support::operator::USER;
use crate::support::{run, say};

#[test]
fn two_replicas_write_as_one_through_a_stop_and_a_kill() -> anyhow::Result<()> {
    run(async {
        let mut pair = Pair::start(&["--enable-leader-election"]).await?;
        let mut other = pair.second().await?;
        let names = pair.syncs(5, "first").await?;
        let first = pair.lease().await?;
        assert_eq!(first["leaseTransitions"], 0);
        assert_eq!(first["leaseDurationSeconds"], 15);

        let asked = Instant::now();
        pair.scene.operator.ask_to_stop()?;
        pair.taken_from(&first["holderIdentity"]).await?;
        let by_stop = asked.elapsed();
        becomes(&mut other, "leader").await?;
        let end = pair.scene.operator.stop().await?;
        assert!(end.success(), "{end}: {}", pair.scene.operator.log_tail());
        in_step(&pair, &names, "second").await?;

        pair.scene.operator.restart()?;
        becomes(&mut pair.scene.operator, "standby").await?;
        let second = pair.lease().await?;
        assert_eq!(second["leaseTransitions"], 1);
        let killed = Instant::now();
        other.kill()?;
        pair.taken_from(&second["holderIdentity"]).await?;
        let by_kill = killed.elapsed();
        in_step(&pair, &names, "third").await?;
        assert_eq!(pair.lease().await?["leaseTransitions"], 2);

        let writes = pair.writes_since(0).await?;
        assert_eq!(turns(&writes), [USER, OTHER, USER]);
        say(&format!(
            "handover: SIGTERM {by_stop:?}, SIGKILL {by_kill:?}"
        ));
        assert!(by_stop < Duration::from_secs(10), "{by_stop:?}");
        assert!(by_kill < Duration::from_secs(30), "{by_kill:?}");
        assert!(
            by_kill > Duration::from_secs(10),
            "not waited for: {by_kill:?}"
        );
        Ok(())
    })
}

#[test]
fn a_leader_that_slept_past_its_lease_writes_nothing_and_ends() -> anyhow::Result<()> {
    run(async {
        let mut pair = Pair::start(&SHORT).await?;
        let mut other = pair.second().await?;
        let names = pair.syncs(30, "first").await?;
        // so that there is always something in flight, with something to write
        let slow = json!({"latencyMs": 700, "ops": ["secrets.get"]});
        pair.scene.bed.fault(&pair.team.namespace, slow)?;
        for name in &names {
            pair.team.seed(name, "second");
        }
        pair.team.holds(&names[0], "second").await?;
        for name in &names {
            pair.team.seed(name, "third");
        }
        let before = pair.lease().await?["holderIdentity"].take();
        pair.scene.operator.pause()?;
        let taken = pair.taken_from(&before).await?;
        pair.scene.bed.fault(&pair.team.namespace, json!(null))?;
        becomes(&mut other, "leader").await?;
        for name in &names {
            pair.team.in_step(name, "third").await?;
            pair.team.seed(name, "fourth");
        }
        let mark = pair.scene.mark().await?;
        pair.scene.operator.resume()?;
        let ended = fails(&mut pair.scene.operator).await?;
        for name in &names {
            pair.team.in_step(name, "fourth").await?;
        }
        let writes = pair.writes_since(mark).await?;
        // what was being written to the socket may still arrive; it names a version that is over
        let late = writes.iter().filter(|it| it.user == USER && it.code != 409);
        let late: Vec<&AuditEvent> = late.collect();
        assert!(late.is_empty(), "{late:?}");
        assert!(
            writes
                .iter()
                .any(|it| it.user == OTHER && it.resource == "secrets")
        );
        let log = pair.scene.operator.log()?;
        assert_eq!(log.matches("lost the Lease").count(), 1, "{log}");
        assert!(log.contains("it was not renewed within 3s"), "{log}");
        say(&format!(
            "paused: taken over after {taken:?}, ended {ended:?} after SIGCONT"
        ));
        Ok(())
    })
}

/// Changes all values in the vault and waits until the targets hold them.
async fn in_step(pair: &Pair, names: &[String], value: &str) -> anyhow::Result<()> {
    for name in names {
        pair.team.seed(name, value);
    }
    for name in names {
        pair.team.in_step(name, value).await?;
    }
    Ok(())
}

/// Who wrote, one after the other; the Lease itself is not counted.
fn turns(writes: &[AuditEvent]) -> Vec<&str> {
    let mut turns: Vec<&str> = Vec::new();
    for write in writes.iter().filter(|write| write.resource != "leases") {
        if turns.last() != Some(&write.user.as_str()) {
            turns.push(&write.user);
        }
    }
    turns
}
