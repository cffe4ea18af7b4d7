//! The flags of templates, which the controller and `render` share.

use clap::Args as ClapArgs;

use crate::template::{Delimiters, Engine};

/// Delimiters of templates.
#[derive(Debug, ClapArgs)]
pub(super) struct Templates {
    /// What begins an action in templates.
    #[arg(long, default_value = "{{")]
    template_left_delimiter: String,
    /// What ends an action in templates.
    #[arg(long, default_value = "}}")]
    template_right_delimiter: String,
}

impl Templates {
    /// The engine that they ask for.
    pub(super) fn engine(&self) -> Engine {
        Engine::new(Delimiters {
            left: self.template_left_delimiter.clone(),
            right: self.template_right_delimiter.clone(),
        })
    }
}
