//! What the tests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use gotemplate::{Environment, Functions, add_sprig};

/// A fixed time, and bytes that repeat from run to run.
struct Fixed(AtomicU64);

impl Environment for Fixed {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            // splitmix64
            let mut z = count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *byte = (z ^ (z >> 31)).to_le_bytes()[0];
        }
    }
}

/// The functions under test.
pub(crate) fn functions() -> Functions {
    let mut functions = Functions::new();
    let environment: Arc<dyn Environment> = Arc::new(Fixed(AtomicU64::new(1)));
    add_sprig(&mut functions, &environment);
    functions
}

/// The templates of all cases, for mutation.
#[allow(dead_code, reason = "not every test mutates")]
pub(crate) fn templates() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Case {
        template: String,
    }
    let corpus: Vec<Case> = serde_saphyr::from_str(include_str!("../cases.yaml")).unwrap();
    let go: Vec<Case> = serde_json::from_str(include_str!("../go-cases.json")).unwrap();
    corpus
        .into_iter()
        .chain(go)
        .map(|case| case.template)
        .collect()
}

/// Writes a line that is worth reading in the log of a test.
#[allow(dead_code, reason = "not every test counts")]
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    // nobody to tell if this fails
    let _ = writeln!(std::io::stderr(), "{line}");
}
