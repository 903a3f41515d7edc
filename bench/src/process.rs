//! What the system says about a process.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Ticks of the clock in which Linux counts CPU time, a second.
const TICKS: u64 = 100;

/// CPU time that a process has used, user and system together.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("no such process")?;
    // The name, in parentheses, may hold spaces.
    let (_, fields) = stat.rsplit_once(')').context("an unknown form of /proc/…/stat")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || {
        fields.next().and_then(|field| field.parse::<u64>().ok()).context("an unknown form of /proc/…/stat")
    };
    Ok(Duration::from_millis((ticks()? + ticks()?) * 1_000 / TICKS))
}

/// Memory of a process that is not shared with the disk or with nobody.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("no such process")?;
    let line =
        status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS in /proc/…/status")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no VmRSS in /proc/…/status")?.parse()?;
    Ok(kib * 1024)
}
