//! How long parsing and executing takes: reads templates with their data (JSON) from standard input and
//! writes what each took, as `testbed/gotemplate bench` does. With the argument `hostile` it executes a
//! template that wants to fill the memory, and tells the peak. `cargo xtask bench templates` runs both.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{stdin, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use gotemplate::{Environment, Functions, MissingKey, Options, Template, Value, add_sprig};
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    data: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Measured {
    name: String,
    /// the fastest round, nanoseconds for one parse and execution
    ns: f64,
    output: String,
}

struct Clock;

impl Environment for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
}

fn render(case: &Case, functions: &Functions) -> Result<Vec<u8>, gotemplate::Error> {
    let options = Options {
        missing_key: MissingKey::Error,
        ..Options::default()
    };
    let template = Template::parse_with(&case.name, &case.template, functions, &options)?;
    template.execute(&Value::string_map(&case.data))
}

fn measure(case: Case, functions: &Functions) -> Result<Measured, gotemplate::Error> {
    let output = render(&case, functions)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            render(&case, functions)?;
            count += 1;
        }
        fastest = fastest.min(start.elapsed().as_secs_f64() / f64::from(count));
    }
    Ok(Measured {
        name: case.name,
        ns: fastest * 1e9,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// KiB of memory that were resident at most, before and after a template met the limit.
fn hostile(functions: &Functions) -> Result<[u64; 2], Box<dyn Error>> {
    let text = r#"{{ range 1000000000 }}{{ printf "%900000d" 1 }}{{ end }}"#;
    let template = Template::parse("hostile", text, functions)?;
    let before = peak()?;
    match template.execute(&Value::Nil) {
        Ok(_) => Err("the template met no limit".into()),
        Err(_) => Ok([before, peak()?]),
    }
}

fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmHWM in /proc/self/status")?.parse()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut functions = Functions::new();
    let environment: Arc<dyn Environment> = Arc::new(Clock);
    add_sprig(&mut functions, &environment);
    if std::env::args().nth(1).as_deref() == Some("hostile") {
        serde_json::to_writer(stdout(), &hostile(&functions)?)?;
        return Ok(());
    }
    let cases: Vec<Case> = serde_json::from_reader(stdin())?;
    let measured = cases.into_iter().map(|case| measure(case, &functions));
    let measured = measured.collect::<Result<Vec<_>, _>>()?;
    serde_json::to_writer(stdout(), &measured)?;
    Ok(())
}
