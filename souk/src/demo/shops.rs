//! The shops of the demo. Everybody knows their passwords: a demo is for looking.

use chassis::{Env, Failure};
use contract::SellerId;
use rand::Rng;
use rand::seq::IndexedRandom;

/// The demo's administrator.
pub const ADMIN: &str = "admin@demo.example";
/// The first of the demo's sellers.
pub const SELLER: &str = "campus@demo.example";
/// The password of every demo account.
pub const PASSWORD: &str = "souk-demo-password";

/// Who sells what.
pub(super) struct Shops {
    pub books: Vec<SellerId>,
    pub sneakers: Vec<SellerId>,
}

impl Shops {
    pub(super) fn all(&self) -> Vec<SellerId> {
        self.books.iter().chain(&self.sneakers).copied().collect()
    }
}

const BOOKS: [(&str, &str); 3] = [
    (SELLER, "Campus Books"),
    ("spine@demo.example", "Leaf & Spine"),
    ("second@demo.example", "Second Chapter"),
];
const SNEAKERS: [(&str, &str); 2] =
    [("corner@demo.example", "Kicks Corner"), ("sole@demo.example", "Sole Supply")];

/// Opens the shops that are not open yet, and makes an administrator.
pub(super) async fn open(accounts: &Env) -> Result<Shops, Failure> {
    accounts::create_admin(accounts, ADMIN, PASSWORD).await?.map_err(Failure::msg)?;
    Ok(Shops { books: sellers(accounts, &BOOKS).await?, sneakers: sellers(accounts, &SNEAKERS).await? })
}

async fn sellers(accounts: &Env, shops: &[(&str, &str)]) -> Result<Vec<SellerId>, Failure> {
    let mut sellers = Vec::new();
    for (email, name) in shops {
        let (_, seller) = accounts::ensure_seller(accounts, email, PASSWORD, name).await?;
        sellers.push(seller);
    }
    Ok(sellers)
}

/// One or two of the shops, to offer the same thing at two prices.
pub(super) fn some(shops: &[SellerId], random: &mut impl Rng) -> Vec<SellerId> {
    let count = random.random_range(1..=2);
    shops.choose_multiple(random, count).copied().collect()
}
