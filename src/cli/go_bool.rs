//! Boolean flags as Go's package flag reads them: `--flag`, `--flag=true` or `--flag=false`. Knows no flag.

use clap::{Arg, ArgAction};

/// Methods of clap's [`Arg`], for its derive as well: `#[arg(long, go_bool = true)]`.
pub(super) trait GoBool {
    /// A boolean flag that has this value unless it is given.
    fn go_bool(self, default: bool) -> Self;

    /// A boolean flag that is known to be absent.
    fn optional_go_bool(self) -> Self;
}

impl GoBool for Arg {
    fn go_bool(self, default: bool) -> Self {
        self.optional_go_bool()
            .default_value(if default { "true" } else { "false" })
    }

    fn optional_go_bool(self) -> Self {
        self.action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    }
}
