//! What the policies make of a refresh. Pure: one function,
//! whose whole table is in docs/policies.md.

use crate::api::external_secret::{CreationPolicy, DeletionPolicy};

/// `creationPolicy`: who makes the target and whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Creation {
    /// It is made and owned; nothing else stays in it.
    #[default]
    Owner,
    /// It is made and left to itself; nothing else stays in it.
    Orphan,
    /// It exists; our keys are written into it.
    Merge,
    /// Our keys are written into it; it is made where there is none.
    CreateOrMerge,
    /// Nothing is written.
    None,
}

/// `deletionPolicy`: what becomes of the target when the provider has nothing any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// It stays as it is.
    #[default]
    Retain,
    /// It is deleted.
    Delete,
    /// Its keys go.
    Merge,
}

impl Creation {
    /// Keys of others stay in the target.
    pub fn keeps_others(self) -> bool {
        matches!(self, Self::Merge | Self::CreateOrMerge)
    }
}

impl TryFrom<&CreationPolicy> for Creation {
    type Error = String;

    /// The word, where it is none of ESO's.
    fn try_from(policy: &CreationPolicy) -> Result<Self, String> {
        Ok(match policy {
            CreationPolicy::Owner => Self::Owner,
            CreationPolicy::Orphan => Self::Orphan,
            CreationPolicy::Merge => Self::Merge,
            CreationPolicy::CreateOrMerge => Self::CreateOrMerge,
            CreationPolicy::None => Self::None,
            CreationPolicy::Unknown(word) => return Err(word.clone()),
        })
    }
}

impl TryFrom<&DeletionPolicy> for Deletion {
    type Error = String;

    /// The word, where it is none of ESO's.
    fn try_from(policy: &DeletionPolicy) -> Result<Self, String> {
        Ok(match policy {
            DeletionPolicy::Retain => Self::Retain,
            DeletionPolicy::Delete => Self::Delete,
            DeletionPolicy::Merge => Self::Merge,
            DeletionPolicy::Unknown(word) => return Err(word.clone()),
        })
    }
}

/// What is done to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is made.
    Create,
    /// It is brought up to date.
    Update,
    /// It is deleted, if it is there and ours.
    Delete,
    /// Nothing: the provider has nothing, and the target keeps what it has.
    Retain,
    /// Nothing: it does not exist and is not to be made.
    Wait,
    /// Nothing, by `creationPolicy: None`.
    Leave,
    /// An error: only an owned target can be deleted.
    Refuse,
}

/// Decides by the policies, whether the provider had anything, and whether the target exists.
pub fn act(creation: Creation, deletion: Deletion, has_data: bool, exists: bool) -> Act {
    match (deletion, has_data) {
        (Deletion::Delete, false) if creation == Creation::Owner => return Act::Delete,
        (Deletion::Delete, false) => return Act::Refuse,
        (Deletion::Retain, false) => return Act::Retain,
        (Deletion::Merge, false) | (_, true) => {}
    }
    match creation {
        Creation::None => Act::Leave,
        _ if exists => Act::Update,
        Creation::Merge => Act::Wait,
        Creation::Owner | Creation::Orphan | Creation::CreateOrMerge => Act::Create,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATION: [Creation; 5] = [
        Creation::Owner,
        Creation::Orphan,
        Creation::Merge,
        Creation::CreateOrMerge,
        Creation::None,
    ];
    const DELETION: [Deletion; 3] = [Deletion::Retain, Deletion::Delete, Deletion::Merge];

    /// The table of docs/policies.md.
    fn rendered() -> String {
        let mut table = String::from(
            "| creationPolicy | deletionPolicy | data, no target | data, target | no data, no target | no data, target |\n\
             | --- | --- | --- | --- | --- | --- |\n",
        );
        for creation in CREATION {
            for deletion in DELETION {
                let cells = [(true, false), (true, true), (false, false), (false, true)].map(
                    |(has_data, exists)| format!("{:?}", act(creation, deletion, has_data, exists)),
                );
                table.extend([
                    format!("| {creation:?} | {deletion:?} | "),
                    cells.join(" | "),
                    " |\n".to_owned(),
                ]);
            }
        }
        table
    }

    #[test]
    fn the_documented_table_is_the_one_in_force() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policies.md");
        let page = std::fs::read_to_string(page).unwrap();
        assert!(
            page.contains(&rendered()),
            "docs/policies.md should hold:\n{}",
            rendered()
        );
    }
}
