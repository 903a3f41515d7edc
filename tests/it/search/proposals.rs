//! Who proposes what the catalog has is shown it, however they write it; another volume is another product.

use contract::SellerId;
use contract::event::accounts::SellerStatus;
use futures::FutureExt;
use serde::Deserialize;

use super::merges::{deliver, said};
use super::relevance::{among_real_goods, say};
use super::*;

const PROPOSE: &str = "mutation($input: ProposeProductInput!) { proposeProduct(input: $input) {
    proposal { id } userErrors { code candidates { handle } } } }";

/// Proposals, and the product that each is; nothing: it is new.
#[derive(Deserialize)]
struct Proposal {
    title: String,
    brand: Option<String>,
    expected: String,
    kind: String,
}

fn proposals() -> Vec<Proposal> {
    let mut reader = csv::Reader::from_reader(include_bytes!("proposals.csv").as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

/// What a proposal is told: the handles that it looks like. None: it is accepted.
async fn told(market: &Market, by: &Person, proposal: &Proposal) -> Option<Vec<String>> {
    let key = uuid::Uuid::now_v7().to_string();
    let input = json!({ "title": proposal.title, "brand": proposal.brand, "idempotencyKey": key });
    let answer = market.data("catalog", Some(by), PROPOSE, json!({ "input": input })).await;
    let error = answer["proposeProduct"]["userErrors"].get(0)?.clone();
    assert_eq!(error["code"], "LOOKS_LIKE", "{}", proposal.title);
    let candidates = error["candidates"].as_array().unwrap().iter();
    Some(candidates.map(|product| product["handle"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_recognised_and_what_is_new_is_not_held_up() {
    among_real_goods(|market| proposals_are_told_apart(market).boxed()).await;
}

async fn proposals_are_told_apart(market: &Market) {
    let mut ada = market.person(&[chassis::auth::Role::Buyer, chassis::auth::Role::Seller]);
    ada.seller = Some(SellerId::new());
    market.say_seller(&ada, "Ada's", SellerStatus::Verified, 1).await;
    let sellers = said(market).await.into_iter().filter(|event| event.aggregate.kind == "seller");
    deliver(market, sellers.collect()).await;
    let mut wrong = vec![];
    for proposal in proposals() {
        let told = told(market, &ada, &proposal).await;
        let right = match &told {
            Some(candidates) => candidates.contains(&proposal.expected),
            None => proposal.expected.is_empty(),
        };
        if !right {
            let (kind, title, expected) = (&proposal.kind, &proposal.title, &proposal.expected);
            wrong.push(format!("{kind} {title:?}: {told:?} instead of {expected:?}\n"));
        }
    }
    say(&wrong.concat());
    assert_eq!(wrong, Vec::<String>::new());
}
