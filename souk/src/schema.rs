//! `souk schema`: the schema of this program, composed from its subgraphs' own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use chassis::{Clock, Tasks};
use clap::Subcommand;
use secrecy::SecretBox;

use crate::market::{ALL, Market, Plan};
use crate::serve;

/// Where the subgraphs of the checked-in supergraph are: a cluster names the real places with `--subgraph-url`.
const PLACE: &str = "localhost:4001";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints what clients see.
    Print {
        /// Prints the supergraph instead, as routers read it.
        #[arg(long)]
        supergraph: bool,
    },
    /// Writes every schema into a folder.
    Write {
        #[arg(default_value = "schema")]
        folder: PathBuf,
    },
    /// Fails when the files in a folder are not what this program would write.
    Check {
        #[arg(default_value = "schema")]
        folder: PathBuf,
    },
}

/// Does what the command line says.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let files = files().await?;
    match command {
        Command::Print { supergraph } => {
            print(&files, if supergraph { "supergraph.graphql" } else { "api.graphql" })
        }
        Command::Write { folder } => write(&folder, &files)?,
        Command::Check { folder } => {
            let stale = stale(&folder, &files);
            if !stale.is_empty() {
                bail!(
                    "not up to date in {}: {}; run `souk schema write`",
                    folder.display(),
                    stale.join(", ")
                );
            }
        }
    }
    Ok(())
}

/// Every schema file, by its path in the folder `schema`.
pub async fn files() -> anyhow::Result<Vec<(String, String)>> {
    let market = blank_market().await?;
    let supergraph = serve::compose(&market, PLACE)?;
    let mut files: Vec<(String, String)> = market
        .services
        .iter()
        .map(|service| (format!("{}.graphql", service.name), service.endpoint.sdl()))
        .collect();
    files.push(("api.graphql".into(), router::api_schema(&supergraph)?));
    files.push(("supergraph.graphql".into(), supergraph));
    for (kind, version, schema) in contract::event::schemas() {
        let file = serde_json::json!({ "x-version": version, "schema": schema });
        files.push((format!("events/{kind}.json"), format!("{file:#}\n")));
    }
    market.stop().await;
    Ok(files)
}

/// The files in `folder` that differ from what they should be.
pub fn stale(folder: &Path, files: &[(String, String)]) -> Vec<String> {
    let differs = |(path, text): &&(String, String)| {
        std::fs::read_to_string(folder.join(path)).map_or(true, |found| found != *text)
    };
    files.iter().filter(differs).map(|(path, _)| path.clone()).collect()
}

/// Writes the files that differ.
pub fn write(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    for name in stale(folder, files) {
        let text = files.iter().find(|(path, _)| *path == name).map(|(_, text)| text.as_str());
        let path = folder.join(&name);
        let parent = path.parent().context("a schema file is in a folder")?;
        std::fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
        std::fs::write(&path, text.unwrap_or_default())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn print(files: &[(String, String)], name: &str) {
    if let Some((_, text)) = files.iter().find(|(path, _)| path == name) {
        print!("{text}");
    }
}

/// Every service over databases in memory: enough to know their schemas.
async fn blank_market() -> anyhow::Result<Market> {
    let databases = ALL.map(|service| (service, "sqlite::memory:".to_owned())).to_vec();
    let plan = Plan {
        databases,
        master_key: Arc::new(SecretBox::new(Box::new([0; 32]))),
        data_dir: None,
        reach: chassis::Reach::Public,
    };
    Ok(Market::open(&plan, Clock::System, Tasks::new()).await?)
}
