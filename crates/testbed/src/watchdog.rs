//! Kills our children when this process ends in a way that runs no destructor.
//!
//! One small shell per process reads a pipe that only we hold. We write the pid and start time of
//! each child, and each temporary directory; when the pipe closes, for whatever reason, the shell
//! kills the process groups that are still the ones we named and removes the directories.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use parking_lot::Mutex;

static PIPE: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// Field 22 of /proc/PID/stat, the start time, is the 20th after the bracketed name.
const SCRIPT: &str = r#"
set -f
trap '' HUP INT TERM
started() {
    read -r stat < "/proc/$1/stat" || return 1
    set -- ${stat##*) }
    echo "${20}"
}
processes= directories=
while IFS= read -r line; do
    case $line in
    'p '*) processes="$processes ${line#p }" ;;
    'd '*) directories="$directories${line#d }
" ;;
    esac
done
set -- $processes
while [ $# -ge 2 ]; do
    if [ "$(started "$1")" = "$2" ]; then kill -9 "-$1"; fi
    shift 2
done
IFS='
'
for directory in $directories; do
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf -- "$directory" && break
        sleep 0.2
    done
done
"#;

/// Puts a child under watch. It must lead its own process group.
pub(crate) fn watch_process(pid: u32, start_time: u64) -> Result<()> {
    tell(&format!("p {pid} {start_time}\n"))
}

/// Has a directory removed, with all that is in it, when this process ends.
pub(crate) fn watch_directory(path: &Path) -> Result<()> {
    let text = path
        .to_str()
        .filter(|text| path.is_absolute() && !text.contains('\n'));
    let text = text.with_context(|| format!("{} cannot be watched", path.display()))?;
    ensure!(
        path.components().count() > 2,
        "{text} is too near the root to be removed"
    );
    tell(&format!("d {text}\n"))
}

fn tell(line: &str) -> Result<()> {
    let mut pipe = PIPE.lock();
    if pipe.is_none() {
        *pipe = Some(start().context("start the watchdog shell")?);
    }
    let pipe = pipe.as_mut().expect("made above");
    pipe.write_all(line.as_bytes())
        .context("tell the watchdog shell")
}

/// Out of our process group, so that a Ctrl-C meant for us leaves it to do its work.
fn start() -> Result<ChildStdin> {
    let mut child = Command::new("sh")
        .args(["-c", SCRIPT, "testbed-watchdog"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    child
        .stdin
        .take()
        .context("the shell has no standard input")
}
