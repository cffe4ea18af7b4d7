//! What a template may use up. Knows the numbers; those who spend count.

/// Limits for one template. Go has none of them; a Rust stack that overflows ends the process and
/// a template is somebody else's text.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// bytes of template text
    pub input: usize,
    /// bytes of output
    pub output: usize,
    /// nodes executed, commands and loop rounds included
    pub steps: u64,
    /// templates, control structures and parentheses inside each other, all counted together
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input: 4 << 20,
            output: 16 << 20,
            steps: 5_000_000,
            depth: 200,
        }
    }
}

/// Lists and maps inside each other that functions follow.
pub(crate) const MAX_VALUE_DEPTH: usize = 200;

/// Bytes of a single string that a function makes.
pub(crate) const MAX_STRING: usize = 16 << 20;

/// Control structures and parentheses inside each other that the parser follows.
pub(crate) const MAX_NESTING: usize = 100;
