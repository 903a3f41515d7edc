//! Other processes of the same services, beside this one.

use std::net::SocketAddr;

use anyhow::{anyhow, ensure};
use chassis::{Peers, peers};
use clap::Args;

use super::Cluster;

/// How processes of the same services know and reach each other.
#[derive(Clone, Debug, Args)]
pub struct Among {
    #[command(flatten)]
    pub cluster: Cluster,
    /// Where other processes of the same services reach this one, such as `http://10.0.0.7:4006`: a bid that comes to one of
    /// several is handed to the one that decides about its market. Needs a cluster secret. Without it, where this process
    /// listens; if that is every address of the machine, the one from which the database is reached.
    #[arg(long, env = "SOUK_ADVERTISE")]
    advertise: Option<String>,
}

impl Among {
    /// The others, for a process that listens at `bound`. None: without a secret anybody could say to be one of them.
    ///
    /// # Errors
    /// What was said does not fit together, or is no address.
    pub async fn peers(
        &self,
        bound: Option<SocketAddr>,
        database_url: &str,
    ) -> anyhow::Result<Option<Peers>> {
        let Some(secret) = self.cluster.secret()? else {
            ensure!(self.advertise.is_none(), "--advertise (SOUK_ADVERTISE) needs a cluster secret as well");
            return Ok(None);
        };
        let address = match (&self.advertise, bound) {
            (Some(address), _) => address.clone(),
            (None, Some(bound)) => peers::address_of(bound, database_url).await.to_string(),
            (None, None) => return Ok(None),
        };
        let peers = Peers::new(&address, secret);
        Ok(Some(peers.map_err(|failure| anyhow!("--advertise (SOUK_ADVERTISE): {failure}"))?))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const SECRET: &str = "--cluster-secret 0123456789abcdef0123456789abcdef";

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        among: Among,
    }

    async fn address(arguments: &str, bound: Option<&str>) -> Result<Option<String>, String> {
        let cli = Cli::try_parse_from(std::iter::once("souk").chain(arguments.split_whitespace()));
        let among = cli.map_err(|error| error.to_string())?.among;
        let bound = bound.map(|bound| bound.parse().unwrap());
        let peers = among.peers(bound, "postgres://127.0.0.1:5432/souk").await;
        peers.map(|peers| peers.map(|peers| peers.address().to_owned())).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_process_is_reached_where_it_listens_or_where_it_says() {
        let said = format!("{SECRET} --advertise bidding-2:4006");
        for (arguments, bound, expected) in [
            (SECRET, Some("10.0.0.7:4006"), Some("http://10.0.0.7:4006")),
            (SECRET, Some("0.0.0.0:4006"), Some("http://127.0.0.1:4006")),
            (&said, Some("0.0.0.0:4006"), Some("http://bidding-2:4006")),
            (SECRET, None, None),
            ("", Some("10.0.0.7:4006"), None),
        ] {
            let address = address(arguments, bound).await;
            assert_eq!(address.as_ref().map(Option::as_deref), Ok(expected), "{arguments} {bound:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_address_and_a_secret_that_is_missing_are_said_at_the_start() {
        for (arguments, said) in [
            ("--advertise 10.0.0.7:4006", "--advertise (SOUK_ADVERTISE) needs a cluster secret"),
            (&format!("{SECRET} --advertise ftp://bidding"), "\"ftp://bidding\" is no address of a process"),
            ("--cluster-secret short --advertise bidding:4006", "at least 32"),
        ] {
            let error = address(arguments, None).await.expect_err(arguments);
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
