//! The election's decisions over a clock of the test's own.

use super::election::*;

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

const TIMING: Timing = Timing {
    lease: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry: Duration::from_secs(2),
};
const LOOK: Stand = Stand::Wait(Duration::from_secs(1));

fn candidate() -> Election {
    Election::new("me".to_owned(), TIMING)
}

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn spec(holder: &str, renewed: i64, transitions: i32) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(15),
        lease_transitions: Some(transitions),
        acquire_time: Some(MicroTime(wall(0))),
        renew_time: Some(MicroTime(wall(renewed))),
        ..LeaseSpec::default()
    }
}

fn after(began: Instant, millis: u64) -> Instant {
    began + Duration::from_millis(millis)
}

#[test]
fn an_absent_lease_is_made() {
    let made = candidate().stand(None, Instant::now(), wall(0));
    assert_eq!(made, Stand::Create(spec("me", 0, 0)));
}

#[test]
fn a_lease_runs_out_by_the_local_clock_after_its_last_change() {
    let (mut me, t) = (candidate(), Instant::now());
    // whatever time the holder writes: its clock may be years off
    assert_eq!(me.stand(Some(&spec("a", -90_000, 3)), t, wall(0)), LOOK);
    let renewed = spec("a", 90_000, 3);
    for millis in [14_000, 20_000, 28_000] {
        assert_eq!(me.stand(Some(&renewed), after(t, millis), wall(0)), LOOK);
    }
    assert_eq!(
        me.stand(Some(&renewed), after(t, 28_900), wall(0)),
        Stand::Wait(Duration::from_millis(100)),
        "the pause ends with the term"
    );
    let taken = LeaseSpec {
        acquire_time: Some(MicroTime(wall(7))),
        ..spec("me", 7, 4)
    };
    assert_eq!(
        me.stand(Some(&renewed), after(t, 29_000), wall(7)),
        Stand::Replace(taken)
    );
}

#[test]
fn a_released_lease_is_taken_at_once_and_a_transition_counted() {
    let (mut me, t) = (candidate(), Instant::now());
    assert_eq!(me.stand(Some(&spec("a", 0, 3)), t, wall(0)), LOOK);
    let given_back = released(&spec("a", 1, 3), wall(2));
    assert_eq!(given_back.lease_duration_seconds, Some(1));
    let Stand::Replace(taken) = me.stand(Some(&given_back), after(t, 10), wall(3)) else {
        panic!("not taken");
    };
    assert_eq!(taken.holder_identity.as_deref(), Some("me"));
    assert_eq!(taken.lease_duration_seconds, Some(15));
    assert_eq!(taken.lease_transitions, Some(4));
    assert_eq!(taken.acquire_time, Some(MicroTime(wall(3))));
}

#[test]
fn the_term_of_a_holder_outlives_a_deleted_lease() {
    let (mut me, t) = (candidate(), Instant::now());
    assert_eq!(me.stand(Some(&spec("a", 0, 3)), t, wall(0)), LOOK);
    assert_eq!(me.stand(None, after(t, 5_000), wall(0)), LOOK);
    assert_eq!(
        me.stand(None, after(t, 15_000), wall(0)),
        Stand::Create(spec("me", 0, 0))
    );
}

#[test]
fn a_write_whose_answer_was_lost_is_found_to_be_ours() {
    let found = spec("me", 0, 4);
    let stand = candidate().stand(Some(&found), Instant::now(), wall(5));
    assert_eq!(stand, Stand::Replace(spec("me", 5, 4)));
}

#[test]
fn the_holders_own_duration_counts() {
    let (mut me, t) = (candidate(), Instant::now());
    let long = LeaseSpec {
        lease_duration_seconds: Some(60),
        ..spec("a", 0, 0)
    };
    assert_eq!(me.stand(Some(&long), t, wall(0)), LOOK);
    assert_eq!(me.stand(Some(&long), after(t, 59_000), wall(0)), LOOK);
    let taken = me.stand(Some(&long), after(t, 60_000), wall(0));
    assert!(matches!(taken, Stand::Replace(_)), "{taken:?}");
}

#[test]
fn a_renewal_keeps_what_is_not_its_own() {
    let (me, t) = (candidate(), Instant::now());
    let held = LeaseSpec {
        strategy: Some("OldestEmulationVersion".to_owned()),
        ..spec("me", 0, 4)
    };
    let renewed = me.keep(Some(&held), me.deadline(t), after(t, 9_999), wall(9));
    let expected = LeaseSpec {
        renew_time: Some(MicroTime(wall(9))),
        ..held
    };
    assert_eq!(renewed, Ok(expected));
}

#[test]
fn a_leader_ends_late_or_deleted_or_robbed() {
    let (me, t) = (candidate(), Instant::now());
    let keep = |found: Option<&LeaseSpec>, millis| {
        me.keep(found, me.deadline(t), after(t, millis), wall(1))
    };
    let ours = spec("me", 0, 4);
    let late = Lost::NotRenewed(Duration::from_secs(10));
    assert_eq!(keep(Some(&ours), 10_000), Err(late));
    assert_eq!(keep(None, 1_000), Err(Lost::Deleted));
    let robbed = |by: &str| keep(Some(&spec(by, 1, 5)), 1_000);
    assert_eq!(robbed("b"), Err(Lost::Taken("b".to_owned())));
    assert_eq!(robbed(""), Err(Lost::Taken(String::new())));
}

#[test]
fn a_fraction_of_a_second_makes_the_written_lease_longer_not_shorter() {
    let timing = Timing {
        lease: Duration::from_millis(2_100),
        ..TIMING
    };
    let made = Election::new("me".to_owned(), timing).stand(None, Instant::now(), wall(0));
    let Stand::Create(made) = made else {
        panic!("{made:?}");
    };
    assert_eq!(made.lease_duration_seconds, Some(3));
}
