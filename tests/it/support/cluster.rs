//! A PostgreSQL server of one test's own, so that it can crash. It touches no other.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Store, skip};

/// Where distributions put the server's programs, besides the search path.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Who runs the server when the test runs as root: it refuses root itself.
const ACCOUNT: &str = "postgres";

pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    /// User and group to run it as, unless it is who runs the test.
    account: Option<(u32, u32)>,
}

/// A new server that runs. `None`: its programs are not installed, and that was said.
pub fn store() -> Option<Store> {
    let Some(programs) = programs() else {
        skip("PostgreSQL", &format!("programs (initdb, pg_ctl) under {INSTALLED}"));
        return None;
    };
    let folder = std::env::temp_dir().join(format!("souk-it-postgres-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let account = account();
    if let Some((user, group)) = account {
        chown(&folder, Some(user), Some(group)).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cluster = Cluster { folder, programs, port, account };
    let data = cluster.data();
    cluster.run(
        "initdb",
        &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"],
    );
    cluster.start();
    Some(Store::Cluster(cluster))
}

impl Cluster {
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server and waits until it answers. What the system was handed survives a crash of the server without
    /// being forced to the disk.
    pub fn start(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c max_connections=300 -c fsync=off -c synchronous_commit=on",
            self.port,
            self.folder.display()
        );
        let log = self.folder.join("log").display().to_string();
        self.run("pg_ctl", &["-D", &self.data(), "-w", "-l", &log, "-o", &options, "start"]);
    }

    /// Ends every process of the server at once: nothing is written any more, every connection is cut.
    pub fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "-m", "immediate", "stop"]);
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let done = self.command(program, arguments).status().unwrap();
        assert!(done.success(), "{program} {arguments:?}");
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        // It may be down already, when a test fails in between.
        _ = self.command("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]).stderr(Stdio::null()).status();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder with the newest server's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = std::fs::read_dir(INSTALLED)
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    installed.sort();
    installed
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists())
}

/// `None`: the test does not run as root.
fn account() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if Path::new("/proc/self").metadata().ok()?.uid() != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == ACCOUNT)?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}
