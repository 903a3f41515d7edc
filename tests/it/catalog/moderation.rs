//! Proposals, the admins' queue, and products that are one.

use super::listings::{available, book, list};
use super::*;

const PROPOSE: &str = "mutation($input: ProposeProductInput!) { proposeProduct(input: $input) {
    proposal { id state version product { id version title publication variants { id gtin } } listing { id } }
    userErrors { code field message candidates { id } } } }";

async fn propose(market: &Market, by: &Person, more: Value) -> Value {
    let mut input = json!({ "title": "The Hunger Games", "idempotencyKey": key() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    market.data("catalog", Some(by), PROPOSE, json!({ "input": input })).await["proposeProduct"].take()
}

/// Calls a mutation of admins that answers with `thing`.
async fn decide(market: &Market, by: &Person, name: &str, thing: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ {thing} userErrors {{ code field currentVersion }} }} }}"
    );
    market.data("catalog", Some(by), &query, json!({ "input": input })).await[name].take()
}

const DECIDED: &str = "proposal { state decision version product { id publication } listing { state quantity offer { id publication } } }";

fn ten() -> Value {
    json!({ "condition": "GOOD", "price": { "amountMinor": 500, "currency": "EUR" }, "quantity": 10 })
}

async fn audited(market: &Market, action: &str) -> u64 {
    use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
    let of_action = entity::shared::audit_event::Column::Action.eq(action);
    let events = entity::shared::audit_event::Entity::find().filter(of_action);
    events.count(market.env("catalog").db.read()).await.unwrap()
}

souk_test! {
    async fn a_proposal_is_hidden_until_an_admin_approves_it_and_then_it_is_listed(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        let proposed = propose(market, &ada, json!({ "gtin": "0-439-02348-3", "listing": ten() })).await;
        let proposal = &proposed["proposal"];
        assert_eq!((&proposal["state"], &proposed["userErrors"]), (&json!("OPEN"), &json!([])));
        assert_eq!(proposal["product"]["variants"][0]["gtin"], "9780439023481");
        let product = proposal["product"].clone();
        let find = "query($id: ID!) { product(id: $id) { title } }";
        assert_eq!(ask(market, find, json!({ "id": product["id"] })).await["product"], Value::Null);
        assert_eq!(refused(market, &ada, "publishProduct", "product", seen(&product)).await, ["UNDER_REVIEW"]);
        let early = list(market, &ada, json!({ "productId": product["id"] })).await;
        assert_eq!(codes(&early), ["PRODUCT_NOT_PUBLISHED"]);

        let queue = "{ proposals { nodes { id version seller { id } } } }";
        let waiting = market.data("catalog", Some(&admin), queue, json!({})).await;
        assert_eq!(waiting["proposals"]["nodes"], json!([{ "id": proposal["id"], "version": 1, "seller": { "id": ada.seller } }]));
        let forbidden = market.ask("catalog", Some(&ada), queue, json!({})).await;
        assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");

        let input = json!({ "id": proposal["id"], "expectedVersion": 1 });
        let raced = futures::future::join_all((0..4).map(|_| decide(market, &admin, "approveProposal", DECIDED, input.clone()))).await;
        let refused: Vec<String> = raced.iter().flat_map(codes).collect();
        assert_eq!(refused, ["ALREADY_DECIDED"; 3]);
        let approved = raced.iter().find(|one| one["proposal"].is_object()).unwrap();
        assert_eq!(approved["proposal"]["product"]["publication"], "PUBLISHED");
        market.settle().await;
        let offer = &approved["proposal"]["listing"]["offer"]["id"];
        assert_eq!(available(market, offer).await, 10);
        let mine = market.data("catalog", Some(&ada), "{ myProposals { nodes { state listing { state } } } }", json!({})).await;
        assert_eq!(mine["myProposals"]["nodes"], json!([{ "state": "APPROVED", "listing": { "state": "LISTED" } }]));
        assert_eq!(audited(market, "approve_proposal").await, 1);
    }

    async fn a_rejected_proposal_says_why_and_stays_hidden(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        let proposal = propose(market, &ada, json!({})).await["proposal"].take();
        let input = |version: i64, reason: &str| json!({ "id": proposal["id"], "expectedVersion": version, "reason": reason });
        let no = async |input: Value| codes(&decide(market, &admin, "rejectProposal", DECIDED, input).await);
        assert_eq!(no(input(1, " ")).await, ["INVALID_INPUT"]);
        assert_eq!(no(input(7, "a toy")).await, ["STALE_VERSION"]);
        assert_eq!(no(json!({ "id": "pps_00000000000000000000000000", "expectedVersion": 1, "reason": "x" })).await, ["NOT_FOUND"]);
        let rejected = decide(market, &admin, "rejectProposal", DECIDED, input(1, "no such book")).await;
        assert_eq!((&rejected["proposal"]["state"], &rejected["proposal"]["decision"]), (&json!("REJECTED"), &json!("no such book")));
        assert_eq!(no(input(2, "again")).await, ["ALREADY_DECIDED"]);
        let approve = json!({ "id": proposal["id"], "expectedVersion": 2 });
        assert_eq!(codes(&decide(market, &admin, "approveProposal", DECIDED, approve).await), ["ALREADY_DECIDED"]);
        let product = market.data("catalog", Some(&ada), "query($id: ID!) { product(id: $id) { id version } }", json!({ "id": proposal["product"]["id"] })).await["product"].take();
        assert_eq!(refused(market, &ada, "publishProduct", "product", seen(&product)).await, ["UNDER_REVIEW"]);
        done(market, &admin, "publishProduct", "product", seen(&product)).await;
    }

    async fn what_the_catalog_has_is_not_proposed_again(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (known, _) = book(market, &ada, "The Hunger Games (The Hunger Games, #1)", "9780439023481").await;
        let same = propose(market, &bob, json!({ "title": "Something else", "gtin": "978-0-439-02348-1", "newBecause": "mine" })).await;
        assert_eq!((codes(&same), &same["userErrors"][0]["candidates"]), (vec!["SAME_GTIN".into()], &json!([{ "id": known["id"] }])));
        for title in ["hunger games", "The HUNGER Games!", "Games, The Hunger [hardcover]"] {
            let alike = propose(market, &bob, json!({ "title": title })).await;
            assert_eq!((codes(&alike), &alike["userErrors"][0]["candidates"]), (vec!["LOOKS_LIKE".into()], &json!([{ "id": known["id"] }])), "{title}");
        }
        let new = propose(market, &bob, json!({ "newBecause": "the board game", "brand": "River Horse" })).await;
        assert_eq!(new["userErrors"], json!([]));
        let hidden = propose(market, &ada, json!({ "title": "Hunger Games", "brand": "River Horse" })).await;
        assert_eq!(hidden["userErrors"][0]["candidates"], json!([{ "id": known["id"] }]), "another's draft is not shown");
        let other = propose(market, &ada, json!({ "title": "Catching Fire", "gtin": "9780439023482" })).await;
        assert_eq!((codes(&other), &other["userErrors"][0]["field"]), (vec!["INVALID_INPUT".into()], &json!(["input", "gtin"])));
        let raced = futures::future::join_all((0..6).map(|_| propose(market, &bob, json!({ "title": "Catching Fire", "gtin": "9780439023498" })))).await;
        let refused: Vec<String> = raced.iter().flat_map(codes).collect();
        assert_eq!(refused.len(), 5, "{refused:?}");
        // Who looks while the first one commits meets its title before its number.
        assert!(refused.iter().all(|code| code == "SAME_GTIN" || code == "LOOKS_LIKE"), "{refused:?}");
        assert_eq!(codes(&propose(market, &market.buyer(), json!({ "title": "Mockingjay" })).await), ["SELLER_NOT_VERIFIED"]);
    }

    async fn merged_products_keep_their_offers_their_stock_and_their_old_names(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let (stays, into) = book(market, &ada, "The Hunger Games", "9780439023481").await;
        let (goes, old) = published(market, &bob, "Hunger Games Book").await;
        let large = variant(market, &bob, &goes, "Large print").await;
        let both = list(market, &ada, json!({ "variantId": into["id"] })).await["listing"]["offer"]["id"].take();
        let twice = list(market, &ada, json!({ "variantId": old["id"], "quantity": 7 })).await["listing"]["offer"]["id"].take();
        let moves = list(market, &bob, json!({ "variantId": old["id"], "quantity": 3 })).await["listing"]["offer"]["id"].take();
        let along = list(market, &bob, json!({ "variantId": large["id"], "quantity": 4 })).await["listing"]["offer"]["id"].take();
        let goes = ask(market, "query($id: ID!) { product(id: $id) { id version handle } }", json!({ "id": goes["id"] })).await["product"].take();
        let input = json!({
            "id": goes["id"], "expectedVersion": goes["version"], "intoId": stays["id"], "reason": "one book",
            "variants": [{ "variantId": old["id"], "intoId": into["id"] }],
        });
        let merge = || decide(market, &admin, "mergeProducts", "product { id variants { id } }", input.clone());
        let raced = futures::future::join_all((0..3).map(|_| merge())).await;
        assert_eq!(raced.iter().flat_map(codes).collect::<Vec<_>>(), ["NOT_FOUND"; 2]);
        let merged = raced.iter().find(|one| one["product"].is_object()).unwrap();
        assert_eq!(merged["product"]["variants"], json!([{ "id": into["id"] }, { "id": large["id"] }]));
        market.settle().await;

        let by = json!({ "id": goes["id"], "handle": goes["handle"], "variant": old["id"] });
        let led = ask(market, "query($id: ID!, $handle: String!, $variant: ID!) {
            one: product(id: $id) { id } other: product(handle: $handle) { id } variant(id: $variant) { id } }", by).await;
        assert_eq!(led, json!({ "one": { "id": stays["id"] }, "other": { "id": stays["id"] }, "variant": { "id": into["id"] } }));
        for (offer, pieces, variant) in [(&both, 17, &into), (&moves, 3, &into), (&along, 4, &large)] {
            assert_eq!(available(market, offer).await, pieces);
            let found = ask(market, "query($id: ID!) { offer(id: $id) { variant { id } product { id } } }", json!({ "id": offer })).await;
            assert_eq!(found["offer"], json!({ "variant": { "id": variant["id"] }, "product": { "id": stays["id"] } }));
        }
        assert_eq!(available(market, &twice).await, 0);
        let query = "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Variant { stock { available offersInStock } } } }";
        let keys = json!([{ "__typename": "Variant", "id": into["id"] }]);
        let stock = market.data("inventory", None, query, json!({ "keys": keys })).await;
        assert_eq!(stock["_entities"][0]["stock"], json!({ "available": 20, "offersInStock": 2 }));
        let report = inventory::verify(&market.env("inventory").db).await.unwrap();
        assert!(report.is_right(), "{report}");
        let twice_listed = list(market, &bob, json!({ "variantId": old["id"] })).await;
        assert_eq!((codes(&twice_listed), &twice_listed["userErrors"][0]["existingOffer"]["id"]), (vec!["ALREADY_LISTED".into()], &moves));
        assert_eq!(audited(market, "merge_products").await, 1);
    }

    async fn merging_a_proposal_lists_what_it_turned_out_to_be(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let (stays, _) = book(market, &ada, "The Hunger Games", "9780439023481").await;
        let proposal = propose(market, &bob, json!({ "gtin": "9780439023498", "newBecause": "another cover", "listing": ten() })).await["proposal"].take();
        let product = &proposal["product"];
        let input = |into: &Value, variants: Value| json!({
            "id": product["id"], "expectedVersion": product["version"], "intoId": into, "reason": "the same", "variants": variants,
        });
        let no = async |input: Value| codes(&decide(market, &admin, "mergeProducts", "product { id }", input).await);
        assert_eq!(no(input(&product["id"], json!([]))).await, ["SURVIVOR_NOT_FOUND"]);
        let foreign = json!([{ "variantId": product["variants"][0]["id"], "intoId": product["variants"][0]["id"] }]);
        assert_eq!(no(input(&stays["id"], foreign)).await, ["VARIANT_NOT_FOUND"]);
        assert_eq!(no(input(&stays["id"], json!([]))).await, [""; 0]);
        market.settle().await;
        let mine = market.data("catalog", Some(&bob), "{ myProposals { nodes { state decision product { id } listing { state offer { variant { gtin } } } } } }", json!({})).await;
        assert_eq!(mine["myProposals"]["nodes"], json!([{ "state": "MERGED", "decision": "the same", "product": { "id": stays["id"] },
            "listing": { "state": "LISTED", "offer": { "variant": { "gtin": "9780439023498" } } } }]), "another number is another edition");
        let found = ask(market, "query($id: ID!) { product(id: $id) { variants { gtin } } }", json!({ "id": stays["id"] })).await;
        assert_eq!(found["product"]["variants"].as_array().unwrap().len(), 2);
    }
}
