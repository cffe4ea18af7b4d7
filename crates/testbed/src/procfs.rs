//! What `/proc` tells about a process: identity and consumption. Linux only.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What a process has consumed since it started; children that it reaped are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time, in steps of a clock tick (10 ms).
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub resident: u64,
    /// The most resident memory so far, in bytes.
    pub peak_resident: u64,
}

/// When the process started, in clock ticks since boot. With the pid it names a process for ever.
/// `None` if there is no such process.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    stat_field(&read_stat(pid)?, 22)
}

/// How long ago the process started, in steps of a clock tick (10 ms).
///
/// # Errors
/// There is no such process.
pub fn age(pid: u32) -> Result<Duration> {
    let started = start_time(pid).with_context(|| format!("process {pid} is gone"))?;
    let uptime = fs::read_to_string("/proc/uptime").context("read /proc/uptime")?;
    let uptime = uptime
        .split(' ')
        .next()
        .unwrap_or_default()
        .replace('.', "");
    // hundredths of a second
    let now = uptime.parse::<u64>().context("no time in /proc/uptime")? * 10;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(
        now.saturating_sub(started * 1000 / per_second),
    ))
}

/// Whether the process exists and is more than a zombie.
pub(crate) fn is_running(pid: u32) -> bool {
    read_stat(pid).is_some_and(|stat| !matches!(after_name(&stat).next(), Some("Z" | "X")))
}

/// Reads the figures of a running process.
pub(crate) fn usage(pid: u32) -> Result<Usage> {
    let stat = read_stat(pid).with_context(|| format!("process {pid} is gone"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("read the status of process {pid}"))?;
    let ticks = stat_field(&stat, 14).zip(stat_field(&stat, 15));
    let (user, system) = ticks.context("no times in /proc/PID/stat")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Usage {
        cpu: Duration::from_millis((user + system) * 1000 / per_second),
        resident: kibibytes(&status, "VmRSS:")?,
        peak_resident: kibibytes(&status, "VmHWM:")?,
    })
}

fn read_stat(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

/// The fields of `/proc/PID/stat` from the third on; the second, a name, may hold blanks and brackets.
fn after_name(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
}

/// A numeric field by its number in proc(5), counted from 1.
fn stat_field(stat: &str, number: usize) -> Option<u64> {
    after_name(stat).nth(number - 3)?.parse().ok()
}

/// A memory line of `/proc/PID/status`, in bytes.
fn kibibytes(status: &str, label: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(label));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    let number = number.with_context(|| format!("no {label} in /proc/PID/status"))?;
    Ok(number.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_just_started_is_young_and_none_is_an_error() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        assert!(age(child.id()).unwrap() < Duration::from_mins(1));
        assert!(age(1).unwrap() >= age(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(age(u32::MAX).is_err());
    }

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let fields: Vec<String> = (4..=22).map(|n| n.to_string()).collect();
        let stat = format!("7 (a) (b c) S {}", fields.join(" "));
        assert_eq!(stat_field(&stat, 22), Some(22));
        assert_eq!(after_name(&stat).next(), Some("S"));
    }

    #[test]
    fn this_process_has_figures() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident > 0);
        assert!(usage.peak_resident >= usage.resident / 2);
        assert!(is_running(std::process::id()));
    }
}
