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
    /// Prints the supergraph of subgraphs whose schemas are in files, for `souk router --supergraph`.
    Compose {
        /// A subgraph: `NAME=FILE`, the file with federation directives in it.
        #[arg(required = true, value_parser = serve::name_and_url)]
        subgraphs: Vec<(String, String)>,
        /// Where a subgraph is: `NAME=URL`. More than once, or separated by commas.
        #[arg(long = "subgraph-url", env = "SOUK_SUBGRAPH_URLS", value_delimiter = ',', value_parser = serve::name_and_url)]
        subgraph_urls: Vec<(String, String)>,
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
    if let Command::Compose { subgraphs, subgraph_urls } = command {
        return compose(subgraphs, &subgraph_urls);
    }
    let files = files().await?;
    match command {
        Command::Print { supergraph } => {
            print(&files, if supergraph { "supergraph.graphql" } else { "api.graphql" })
        }
        Command::Compose { .. } => {}
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

/// The schemas of others do not need this program's.
fn compose(subgraphs: Vec<(String, String)>, urls: &[(String, String)]) -> anyhow::Result<()> {
    let read = |(name, path): (String, String)| {
        let sdl = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
        let url = urls.iter().find(|(of, _)| *of == name).map(|(_, url)| url.clone());
        Ok(router::SubgraphSchema { url: url.unwrap_or_else(|| format!("http://{PLACE}/{name}")), name, sdl })
    };
    let subgraphs = subgraphs.into_iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    show(&router::compose(&subgraphs)?);
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

fn print(files: &[(String, String)], name: &str) {
    if let Some((_, text)) = files.iter().find(|(path, _)| path == name) {
        show(text);
    }
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn show(text: &str) {
    print!("{text}");
}

/// Every service over databases in memory: enough to know their schemas.
async fn blank_market() -> anyhow::Result<Market> {
    let databases = ALL.map(|service| (service, "sqlite::memory:".to_owned())).to_vec();
    let plan = Plan {
        databases,
        master_key: Arc::new(SecretBox::new(Box::new([0; 32]))),
        data_dir: None,
        reach: chassis::Reach::Public,
        payments: Default::default(),
        trades: Default::default(),
        markets: Default::default(),
        peers: None,
    };
    Ok(Market::open(&plan, Clock::System, Tasks::new()).await?)
}
