//! A PostgreSQL server of one test's own, so that it can crash. It touches no other.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Store, skip};

/// Where distributions put the server's programs, besides the search path.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Who runs the server when the test runs as root: it refuses root itself.
const ACCOUNT: &str = "postgres";
/// How often to look whether killed processes are gone.
const LOOK: Duration = Duration::from_millis(5);

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

    /// `kill -9` of every process of the server: nothing is written any more, every connection is cut.
    pub fn crash(&self) {
        let lock = Path::new(&self.data()).join("postmaster.pid");
        let server = std::fs::read_to_string(&lock).unwrap().lines().next().unwrap().to_owned();
        // Held still first, so that it begins no other process.
        kill("-STOP", std::slice::from_ref(&server));
        let doomed: Vec<String> = children(&server).into_iter().chain([server]).collect();
        kill("-KILL", &doomed);
        while doomed.iter().any(|process| is_alive(process)) {
            std::thread::sleep(LOOK);
        }
        // A number of its is kept until somebody asks how it ended; as long as they name it, it would not start again.
        std::fs::remove_file(&lock).unwrap();
        std::fs::remove_file(self.folder.join(format!(".s.PGSQL.{}.lock", self.port))).unwrap();
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

/// Sends a signal to processes, some of which may have ended.
fn kill(signal: &str, processes: &[String]) {
    Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status().unwrap();
}

/// The processes that `server` has started.
fn children(server: &str) -> Vec<String> {
    let all =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    all.filter(|process| stat(process).is_some_and(|(_, parent)| parent == server)).collect()
}

/// Whether a process is there and has not ended.
fn is_alive(process: &str) -> bool {
    stat(process).is_some_and(|(state, _)| state != "Z")
}

/// A process's state and its parent, as Linux tells. `None`: there is no such process.
fn stat(process: &str) -> Option<(String, String)> {
    let text = std::fs::read_to_string(Path::new("/proc").join(process).join("stat")).ok()?;
    let mut words = text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned);
    Some((words.next()?, words.next()?))
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
