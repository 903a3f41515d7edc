//! Bulk loading.

use catalog::attribute::{Named, Value as Attribute};
use catalog::import::{NewListing, NewOffer, NewVariant, load};
use contract::{CurrencyCode, Money};
use entity::catalog::Condition;

use super::*;

pub(super) fn listing(number: usize, seller: &Person) -> NewListing {
    let offer = |condition| NewOffer {
        seller: seller.seller.unwrap(),
        condition,
        price: Money { amount_minor: 1000 + number as i64, currency: CurrencyCode::EUR },
    };
    NewListing {
        handle: format!("book-{number}"),
        title: format!("Book {number:05}"),
        brand: Some(format!("Author {}", number % 7)),
        model: None,
        description: String::new(),
        category: vec!["Books".into(), "Novels".into()],
        attributes: vec![
            Named { name: "language".into(), value: Attribute::OneOf("eng".into()) },
            Named { name: "year".into(), value: Attribute::Number("1997".parse().unwrap()) },
        ],
        images: vec![],
        variants: vec![NewVariant {
            offers: vec![offer(Condition::New), offer(Condition::Good)],
            ..Default::default()
        }],
    }
}

souk_test! {
    async fn loading_twice_changes_nothing(market: &Market) {
        let ada = market.seller("Ada's").await;
        let env = market.env("catalog");
        let listings: Vec<_> = (0..1_001).map(|number| listing(number, &ada)).collect();
        let first = load(env, listings[..700].to_vec()).await.unwrap();
        assert_eq!((first.products, first.offers.len(), first.refused.len()), (700, 1_400, 0));
        let second = load(env, listings.clone()).await.unwrap();
        assert_eq!((second.products, second.offers.len(), second.refused.len()), (301, 2_002, 0));
        let mut said = env.db.said();
        let third = load(env, listings).await.unwrap();
        assert_eq!((third.products, third.offers.len()), (0, 2_002));
        assert!(said.try_recv().is_err());
        let found = ask(market, "{ category(handle: \"novels\") { path products(first: 1) { nodes { title } } } brands { nodes { name productCount } } }", json!({})).await;
        assert_eq!(found["category"]["path"], "books/novels");
        assert_eq!(found["brands"]["nodes"][0], json!({ "name": "Author 0", "productCount": 143 }));
    }

    async fn a_listing_that_is_wrong_is_refused_and_the_others_are_loaded(market: &Market) {
        let ada = market.seller("Ada's").await;
        let mut wrong: Vec<_> = (0..7).map(|number| listing(number, &ada)).collect();
        wrong[0].title = "\0".into();
        wrong[1].variants[0].gtin = Some("9780439023481".into());
        wrong[2].variants[0].gtin = Some("9780439023481".into());
        wrong[3].variants[0].gtin = Some("9780439023482".into());
        wrong[4].attributes[1].value = Attribute::Boolean(true);
        wrong[5].variants[0].offers[0].price.amount_minor = 0;
        let env = market.env("catalog");
        load(env, vec![listing(99, &ada)]).await.unwrap();
        let loaded = load(env, wrong).await.unwrap();
        let refused: Vec<_> = loaded.refused.iter().map(|refused| refused.handle.as_str()).collect();
        assert_eq!(refused, ["book-0", "book-2", "book-3", "book-4", "book-5"]);
        assert_eq!(loaded.products, 2);
    }
}
