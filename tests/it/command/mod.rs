//! The command line as operators use it: a process of its own, the files it reads and writes, what it says, how it ends.

mod feeds;
mod imports;
mod markets;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use chassis::Engine;
use souk::market::ALL;

use crate::support::{self, Market, Person, Relays, Store};

/// The arguments of a command, as JSON.
const ARGUMENTS: &str = "SOUK_IT_ARGUMENTS";

/// Is the command that the environment names; in a run of its own there is nothing to do.
#[test]
fn run() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let arguments: Vec<String> = serde_json::from_str(&arguments).unwrap();
    std::process::exit(souk::cli::run(arguments).into());
}

/// A test on both engines, with an operator's desk.
macro_rules! command_test {
    ($(async fn $name:ident($desk:ident: &Desk) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($desk: &Desk) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let desk = Desk::open(chassis::Engine::Sqlite).await.unwrap();
                test(&desk).await;
                desk.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(desk) = Desk::open(chassis::Engine::Postgres).await else { return };
                test(&desk).await;
                desk.close().await;
            }
        }
    )*};
}
use command_test;

/// A running marketplace with a shop, and a folder beside it.
struct Desk {
    market: Market,
    store: Store,
    ada: Person,
    folder: PathBuf,
}

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        // What the test runner says before it.
        let out = out.trim_start().strip_prefix("running 1 test").unwrap_or(&out).trim_start().to_owned();
        Self { code: output.status.code().unwrap_or(-1), out, err }
    }
}

impl Desk {
    async fn open(engine: Engine) -> Option<Self> {
        let store = support::store(engine).await?;
        let market = Market::start(&store, Relays::Running).await;
        let ada = market.seller("Ada's").await;
        let folder = std::env::temp_dir().join(format!("souk-desk-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("master.key"), "07".repeat(32)).unwrap();
        Some(Self { market, store, ada, folder })
    }

    async fn close(self) {
        self.market.settle().await;
        self.market.stop().await;
        self.store.remove().await;
        std::fs::remove_dir_all(self.folder).unwrap();
    }

    /// Writes a file: its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Starts `souk` with these arguments.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        for service in ALL {
            let name = format!("SOUK_{}_DATABASE_URL", service.as_str().to_uppercase());
            command.env(name, self.store.url(service.as_str()));
        }
        let arguments: Vec<&str> = std::iter::once("souk").chain(arguments.iter().copied()).collect();
        command
            .args(["--exact", "command::run", "--nocapture"])
            .env(ARGUMENTS, serde_json::to_string(&arguments).unwrap())
            .env("SOUK_DATA_DIR", &self.folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs `souk` with these arguments to its end.
    async fn run(&self, arguments: &[&str]) -> Said {
        let child = self.start(arguments);
        tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap().into()
    }

    /// Runs `souk` and expects this exit code.
    async fn ends(&self, code: i32, arguments: &[&str]) -> Said {
        let said = self.run(arguments).await;
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        said
    }
}
