//! The secret that a cluster shares: subgraphs answer who knows it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chassis::auth::ClusterSecret;
use clap::Args;
use secrecy::SecretString;

/// What the router shows to the subgraphs.
#[derive(Clone, Debug, Args)]
pub struct Cluster {
    /// The secret by which subgraphs know the router, at least 32 characters. Better in the environment or in a file: other
    /// users of the machine see command lines.
    #[arg(long, env = "SOUK_CLUSTER_SECRET", hide_env_values = true, conflicts_with = "cluster_secret_file")]
    cluster_secret: Option<SecretString>,
    /// A file with the secret.
    #[arg(long, env = "SOUK_CLUSTER_SECRET_FILE")]
    cluster_secret_file: Option<PathBuf>,
    /// The secret until now, which subgraphs accept as well while it is exchanged.
    #[arg(
        long,
        env = "SOUK_CLUSTER_SECRET_PREVIOUS",
        hide_env_values = true,
        conflicts_with = "cluster_secret_previous_file"
    )]
    cluster_secret_previous: Option<SecretString>,
    /// A file with the secret until now.
    #[arg(long, env = "SOUK_CLUSTER_SECRET_PREVIOUS_FILE")]
    cluster_secret_previous_file: Option<PathBuf>,
}

impl Cluster {
    /// The secret, if there is one.
    pub fn secret(&self) -> anyhow::Result<Option<ClusterSecret>> {
        let current = secret(self.cluster_secret.as_ref(), self.cluster_secret_file.as_deref())?;
        let previous =
            secret(self.cluster_secret_previous.as_ref(), self.cluster_secret_previous_file.as_deref())?;
        anyhow::ensure!(
            current.is_some() || previous.is_none(),
            "there is a previous cluster secret, but no current one"
        );
        Ok(current.map(|current| ClusterSecret::new(current, previous)).transpose()?)
    }

    /// The secret of a subgraph that listens at `address`: none is needed where only this machine reaches it.
    pub fn secret_at(&self, address: IpAddr) -> anyhow::Result<Option<ClusterSecret>> {
        let secret = self.secret()?;
        anyhow::ensure!(
            secret.is_some() || address.is_loopback(),
            "a subgraph that listens at {address} needs --cluster-secret (SOUK_CLUSTER_SECRET) or \
             --cluster-secret-file, the same as its router, so that it answers nobody else"
        );
        Ok(secret)
    }
}

fn secret(given: Option<&SecretString>, file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    let Some(path) = file.filter(|_| given.is_none()) else { return Ok(given.cloned()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the cluster secret {} cannot be read", path.display()))?;
    Ok(Some(text.trim().into()))
}
