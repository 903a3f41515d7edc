//! What one client may take, as the command line says it.

use clap::Args;

/// Limits for clients of the endpoint.
#[derive(Clone, Debug, Args)]
pub struct Clients {
    /// The most that one operation may cost, in points: one for each object that its answer may hold, 10 for a request,
    /// 50 for each field of a mutation. 0: no limit.
    #[arg(long, env = "SOUK_COST_MAX", default_value_t = 20_000)]
    pub cost_max: u64,
    /// Points that one signed-in person may spend a second. 0: no limit.
    #[arg(long, env = "SOUK_RATE_LIMIT_VIEWER", default_value_t = 10_000)]
    pub rate_limit_viewer: u32,
    /// Points that one address may spend a second; of IPv6, one /64 network. 0: no limit.
    #[arg(long, env = "SOUK_RATE_LIMIT_ADDRESS", default_value_t = 50_000)]
    pub rate_limit_address: u32,
    /// How many seconds' points may be spent at once.
    #[arg(long, env = "SOUK_RATE_LIMIT_BURST", default_value_t = 20)]
    pub rate_limit_burst: u32,
    /// Subscriptions that one signed-in person may have open. 0: no limit.
    #[arg(long, env = "SOUK_SUBSCRIPTIONS_PER_VIEWER", default_value_t = 200)]
    pub subscriptions_per_viewer: usize,
    /// Subscriptions that one address may have open. 0: no limit.
    #[arg(long, env = "SOUK_SUBSCRIPTIONS_PER_ADDRESS", default_value_t = 2_000)]
    pub subscriptions_per_address: usize,
    /// WebSockets that one address may have open. 0: no limit.
    #[arg(long, env = "SOUK_SOCKETS_PER_ADDRESS", default_value_t = 1_000)]
    pub sockets_per_address: usize,
    /// A proxy in front, as an address or a range (`10.0.0.0/8`): its `X-Forwarded-For` says where requests come from.
    /// More than once, or separated by commas.
    #[arg(long = "trusted-proxy", env = "SOUK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
}

impl Default for Clients {
    /// As when nothing is said.
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Nothing {
            #[command(flatten)]
            clients: Clients,
        }
        let said = <Nothing as clap::Parser>::parse_from(["souk"]);
        said.clients
    }
}

#[cfg(feature = "router")]
impl Clients {
    pub(super) fn limits(&self) -> router::Limits {
        router::Limits {
            cost: self.cost_max,
            viewer_points_per_s: self.rate_limit_viewer,
            address_points_per_s: self.rate_limit_address,
            burst_s: self.rate_limit_burst,
            subscriptions_per_viewer: self.subscriptions_per_viewer,
            subscriptions_per_address: self.subscriptions_per_address,
            sockets_per_address: self.sockets_per_address,
            ..router::Limits::default()
        }
    }

    pub(super) fn trusted_proxies(&self) -> anyhow::Result<Vec<router::Network>> {
        Ok(self.trusted_proxies.iter().map(|network| network.parse()).collect::<Result<_, _>>()?)
    }
}
