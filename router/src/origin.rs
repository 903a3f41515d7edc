//! Where a request comes from, also when a proxy that we trust hands it over.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use hive_router::ntex::http::HeaderMap;

use crate::pages::ClientAddress;

/// Written by each proxy on the way: the address that it was called from, after those that it was told.
const FORWARDED: &str = "x-forwarded-for";

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// Text that is not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a range such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (address, prefix) =
                text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
            let address: IpAddr = address.trim().parse().ok()?;
            let prefix = match prefix {
                Some(prefix) => prefix.trim().parse().ok()?,
                None => bits(address).1,
            };
            (prefix <= bits(address).1).then_some(Network { address, prefix })
        };
        read().ok_or_else(|| InvalidNetwork(text.to_owned()))
    }
}

impl Network {
    fn has(&self, other: IpAddr) -> bool {
        let ((ours, width), (other, width_of_other)) = (bits(self.address), bits(other));
        width == width_of_other && (ours ^ other).checked_shr(width - self.prefix).unwrap_or(0) == 0
    }
}

/// The address as a number, and of how many bits.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// The last address on the way that is not a trusted proxy: those before it may be made up.
pub(crate) fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> ClientAddress {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.has(address));
    let mut address = peer.ip().to_canonical();
    let told: Vec<_> = headers.get_all(FORWARDED).filter_map(|value| value.to_str().ok()).collect();
    let mut told = told.iter().flat_map(|value| value.split(',')).rev();
    while is_trusted(address) {
        let Some(before) = told.next().and_then(|text| read(text.trim())) else { break };
        address = before;
    }
    let port = if address == peer.ip().to_canonical() { peer.port() } else { 0 };
    ClientAddress(SocketAddr::new(address, port))
}

/// Some proxies say the port as well.
fn read(text: &str) -> Option<IpAddr> {
    let address: IpAddr =
        text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED.try_into().unwrap(), (*value).try_into().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let seen = of(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &trusted).0.ip();
        assert_eq!(seen, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_comes_from() {
        check("192.0.2.1", &["198.51.100.1"], "192.0.2.1");
        check("10.1.2.3", &[], "10.1.2.3");
        check("10.1.2.3", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:10.1.2.3", &["198.51.100.1:4711"], "198.51.100.1");
        check("2001:db8::1", &["[2001:db8:7::9]:443"], "2001:db8:7::9");
        check("2001:db8::2", &["198.51.100.1"], "2001:db8::2");
    }

    #[test]
    fn what_a_client_makes_up_is_not_believed() {
        check("10.1.2.3", &["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1");
        check("10.1.2.3", &["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1");
        check("10.1.2.3", &["1.1.1.1, nonsense"], "10.1.2.3");
    }

    #[test]
    fn a_network_is_an_address_with_a_length() {
        for text in ["", "10.0.0.0/33", "::1/129", "localhost", "10.0.0.0/-1", "10.0.0/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.has("255.1.1.1".parse().unwrap()) && !all.has("::1".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().has("2001:db8::1".parse().unwrap()));
    }
}
