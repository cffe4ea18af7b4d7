//! The table of docs/rbac.md, rendered from what was seen. Knows no cluster.

use super::play::Seen;
use super::removal::Removal;
use super::role::Right;
use crate::support::marked::code;

/// The table.
pub(super) fn table(rows: &[(&Right, &Removal, Seen)]) -> String {
    let head = "\n| without | what is not done | refused | what is seen | value |\n\
                | --- | --- | --- | --- | --- |\n";
    let rows = rows.iter().map(|(right, removal, seen)| {
        let value = match removal.value {
            "" => String::new(),
            value => code(value),
        };
        format!(
            "| {} {} | {} | {} | {}: {} | {value} |\n",
            removal.verb,
            code(&right.qualified()),
            removal.lost,
            code(&seen.refused),
            seen.place,
            code(&seen.words)
        )
    });
    head.to_owned() + &rows.collect::<String>()
}
