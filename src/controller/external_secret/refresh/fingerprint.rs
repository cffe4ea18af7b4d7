//! Which states of the vault's objects a target was made from, and whether they are still so
//! (docs/refresh.md). Pure.

use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::external_secret::{RemoteObject, RemoteState};
use crate::controller::reconcile::conditions::whole_second;
use crate::provider::{ObjectState, Revision};
use crate::secret::text_hash;

/// Objects that a status lists.
const MOST_OBJECTS: usize = 50;
/// Vaults tell times in whole seconds, and their clocks are not ours: what changed so shortly before it
/// was read may have changed again unseen.
const DOUBT: SignedDuration = SignedDuration::from_secs(5);
/// Every value is read this often, whatever the listings say.
const FULL_READ: SignedDuration = SignedDuration::from_hours(24);

/// What a target was last made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFingerprint {
    /// Hash of the objects' states.
    pub revision: String,
    /// When their values were read.
    pub read_at: Timestamp,
}

impl SourceFingerprint {
    /// What the status has on record.
    pub fn from_status(remote: Option<&RemoteState>) -> Option<Self> {
        let remote = remote?;
        Some(Self {
            revision: remote.revision.clone()?,
            read_at: remote.read_time.as_ref()?.0,
        })
    }

    /// Whether all values are to be read again in any case; `phase` spreads the objects over the day's last
    /// tenth.
    pub fn is_old(&self, phase: i64, now: Timestamp) -> bool {
        let spread = i32::try_from(phase.rem_euclid(8_640_000)).unwrap_or_default();
        let limit = FULL_READ - SignedDuration::from_millis(i64::from(spread));
        now.duration_since(self.read_at) >= limit
    }

    /// Whether `listed`, with these versions of template sources, is what was read.
    pub fn still_holds(&self, listed: &[Revision], templates: &[Option<String>]) -> bool {
        let changed = listed.iter().filter_map(|it| match &it.state {
            ObjectState::Latest { updated, .. } => *updated,
            ObjectState::Absent | ObjectState::Pinned(_) => None,
        });
        changed.max().is_none_or(|last| last + DOUBT < self.read_at)
            && revision(listed, templates).as_ref() == Some(&self.revision)
    }
}

/// The hash of these states; `None` where one of them does not tell changes.
fn revision(objects: &[Revision], templates: &[Option<String>]) -> Option<String> {
    let token = |it: &Revision| {
        Some(match &it.state {
            ObjectState::Absent => format!("{} -", it.object),
            ObjectState::Pinned(version) => format!("{}/{version}", it.object),
            ObjectState::Latest { updated, .. } => {
                format!("{} {}", it.object, (*updated)?.as_second())
            }
        })
    };
    let mut tokens: Vec<_> = objects.iter().map(token).collect::<Option<_>>()?;
    tokens.sort_unstable();
    tokens.dedup();
    let mut text = tokens.join("\n");
    for version in templates {
        let _ = write!(text, "\n{}", version.as_ref()?);
    }
    (!tokens.is_empty()).then(|| text_hash(&text))
}

/// What the status says of objects read at `read_at`, with these versions of template sources; `None` of
/// sources that have no revisions.
pub fn state(
    objects: &[Revision],
    templates: &[Option<String>],
    read_at: Timestamp,
) -> Option<RemoteState> {
    let mut sorted: Vec<&Revision> = objects.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let omitted = sorted.len().saturating_sub(MOST_OBJECTS);
    let revision = revision(objects, templates);
    (!sorted.is_empty()).then(|| RemoteState {
        read_time: Some(Time(whole_second(read_at))),
        revision,
        expires: objects.iter().filter_map(|it| it.expires).min().map(Time),
        objects: sorted.into_iter().take(MOST_OBJECTS).map(object).collect(),
        errors: Vec::new(),
        omitted: u32::try_from(omitted).ok().filter(|count| *count > 0),
    })
}

fn object(it: &Revision) -> RemoteObject {
    let (version, updated) = match &it.state {
        ObjectState::Absent => (None, None),
        ObjectState::Pinned(version) => (Some(version.clone()), None),
        ObjectState::Latest { updated, version } => (version.clone(), updated.map(Time)),
    };
    RemoteObject {
        id: it.object.clone(),
        version,
        updated,
        expires: it.expires.map(Time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn latest(name: &str, updated: i64, version: Option<&str>) -> Revision {
        Revision {
            object: name.to_owned(),
            state: ObjectState::Latest {
                updated: Some(at(updated)),
                version: version.map(str::to_owned),
            },
            expires: None,
        }
    }

    fn absent(name: &str) -> Revision {
        Revision {
            object: name.to_owned(),
            state: ObjectState::Absent,
            expires: None,
        }
    }

    fn seen(objects: &[Revision], read: i64) -> SourceFingerprint {
        SourceFingerprint::from_status(state(objects, &[], at(read)).as_ref()).unwrap()
    }

    #[test]
    fn what_was_read_is_recognised_in_a_listing_in_any_order_and_without_versions() {
        let read = [
            latest("b", 0, Some("v1")),
            latest("a", 1, Some("v2")),
            absent("c"),
        ];
        let listed = [
            absent("c"),
            latest("a", 1, None),
            latest("b", 0, None),
            latest("a", 1, None),
        ];
        assert!(seen(&read, 60).still_holds(&listed, &[]));
        for changed in [
            vec![latest("a", 2, None), latest("b", 0, None), absent("c")],
            vec![
                latest("a", 1, None),
                latest("b", 0, None),
                latest("c", 0, None),
            ],
            vec![latest("a", 1, None), absent("b"), absent("c")],
            vec![latest("a", 1, None), latest("b", 0, None)],
        ] {
            assert!(!seen(&read, 60).still_holds(&changed, &[]), "{changed:?}");
        }
    }

    #[test]
    fn what_changed_shortly_before_it_was_read_is_read_again() {
        let read = [latest("a", 57, Some("v1")), latest("b", 0, Some("v1"))];
        let listed = [latest("a", 57, None), latest("b", 0, None)];
        assert!(!seen(&read, 60).still_holds(&listed, &[]));
        assert!(
            !seen(&read, 0).still_holds(&listed, &[]),
            "our clock is behind"
        );
        assert!(seen(&read, 63).still_holds(&listed, &[]));
    }

    #[test]
    fn a_pinned_version_is_its_own_revision_and_unknown_times_are_none() {
        let pinned = |version: &str| Revision {
            object: "a".to_owned(),
            state: ObjectState::Pinned(version.to_owned()),
            expires: None,
        };
        let before = seen(&[pinned("1")], 0);
        assert!(before.still_holds(&[pinned("1")], &[]));
        assert!(!before.still_holds(&[pinned("2")], &[]));
        let untold = Revision {
            state: ObjectState::Latest {
                updated: None,
                version: None,
            },
            ..absent("a")
        };
        assert_eq!(
            SourceFingerprint::from_status(state(&[untold], &[], at(0)).as_ref()),
            None
        );
        assert_eq!(state(&[], &[], at(0)), None);
    }

    #[test]
    fn a_changed_template_source_is_a_change_and_one_not_seen_yet_tells_nothing() {
        let objects = [latest("a", 0, None)];
        let version = |text: &str| vec![Some(text.to_owned())];
        let before =
            SourceFingerprint::from_status(state(&objects, &version("7"), at(60)).as_ref())
                .unwrap();
        assert!(before.still_holds(&objects, &version("7")));
        assert!(!before.still_holds(&objects, &version("8")));
        assert!(!before.still_holds(&objects, &[None]));
    }

    #[test]
    fn a_status_has_room_for_so_many_objects_and_its_revision_for_all() {
        let many: Vec<_> = (0..60)
            .map(|n| latest(&format!("s{n:02}"), 0, Some("v")))
            .collect();
        let state = state(&many, &[], at(60)).unwrap();
        assert_eq!((state.objects.len(), state.omitted), (50, Some(10)));
        let mut changed = many;
        changed[59] = latest("s59", 1, None);
        assert!(
            !SourceFingerprint::from_status(Some(&state))
                .unwrap()
                .still_holds(&changed, &[])
        );
    }

    #[test]
    fn everything_is_read_once_a_day_and_not_all_at_once() {
        let seen = seen(&[latest("a", 0, None)], 0);
        assert!(!seen.is_old(0, at(86_399)) && seen.is_old(0, at(86_400)));
        assert!(seen.is_old(4_320_000, at(86_400 - 4_320)));
        assert!(!seen.is_old(-1, at(86_400 - 8_641)));
    }
}
