//! Calls to addresses that users chose, such as webhooks: never into our own network.
//!
//! The name is resolved, the addresses are judged, and the connection goes to those very addresses: a name that resolves
//! differently the next time gains nothing. Redirects are not followed and proxies are not used.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};

use crate::Failure;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the whole call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest address.
pub const URL_LENGTH_MAX: usize = 2_000;

/// Where calls may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, over https.
    #[default]
    Public,
    /// Anywhere, over http as well: for development and tests.
    Anywhere,
}

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfReach {
    #[error("must be an address of at most {URL_LENGTH_MAX} characters, such as https://example.org/hook")]
    NoUrl,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must not hold a user name or a password")]
    Credentials,
    #[error("leads into a private network")]
    Private,
}

impl Reach {
    /// The address, if it can be called at all. What a name resolves to is judged at each call.
    pub fn check(self, url: &str) -> Result<Url, OutOfReach> {
        let url = Some(url).filter(|url| url.len() <= URL_LENGTH_MAX).and_then(|url| Url::parse(url).ok());
        let url = url.filter(|url| url.has_host()).ok_or(OutOfReach::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if self == Self::Anywhere => {}
            _ => return Err(OutOfReach::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutOfReach::Credentials);
        }
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allows(address) => Err(OutOfReach::Private),
            _ => Ok(url),
        }
    }

    /// A client for addresses that passed [`check`](Self::check).
    ///
    /// # Errors
    /// TLS cannot start.
    pub fn client(self) -> Result<Client, Failure> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .dns_resolver(Arc::new(Resolver(self)))
            .https_only(self == Self::Public)
            .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")));
        Ok(client.build()?)
    }

    fn allows(self, address: IpAddr) -> bool {
        self == Self::Anywhere || is_public(address)
    }
}

/// Resolves names as the system does, and gives only addresses within reach.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let within: Vec<SocketAddr> = all.filter(|address| reach.allows(address.ip())).collect();
            match within.is_empty() {
                true => Err(OutOfReach::Private.into()),
                false => Ok(Box::new(within.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether the address belongs to the Internet at large.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || matches!(
            (a, b, c),
            (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _)
        )
        || a >= 240;
    !is_special
}

/// Only what is handed out as global unicast, without the tunnels that hide an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match address.segments() {
        [0x2001, 0x0000..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "203.0.113.9",
            "::",
            "::1",
            "::7f00:1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn an_address_is_https_without_a_password_and_not_of_our_network() {
        use OutOfReach::*;
        for (url, verdict) in [
            ("https://example.org/hook?x=1", None),
            ("https://example.org:8443/", None),
            ("http://example.org/", Some(NotHttps)),
            ("ftp://example.org/", Some(NotHttps)),
            ("file:///etc/passwd", Some(NoUrl)),
            ("example.org", Some(NoUrl)),
            ("", Some(NoUrl)),
            ("https://user:secret@example.org/", Some(Credentials)),
            ("https://127.0.0.1/", Some(Private)),
            ("https://2130706433/", Some(Private)),
            ("https://0x7f.1/", Some(Private)),
            ("https://[::1]/", Some(Private)),
            ("https://[::ffff:10.0.0.1]/", Some(Private)),
        ] {
            assert_eq!(Reach::Public.check(url).err(), verdict, "{url}");
        }
        assert!(Reach::Anywhere.check("http://127.0.0.1:9/").is_ok());
    }
}
