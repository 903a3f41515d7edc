//! The authentication centre: one looks at a piece, for a while, and says the same thing once.

use super::*;

async fn arrived<'m>(shop: &Shop<'_>, market: &'m Market, offer: OfferId) -> Case<'m> {
    let case = Case::matched(shop, market, offer, VISA).await;
    case.ship().await;
    case.receive().await;
    case
}

/// Trades in the queue, as the centre sees it.
async fn queue(case: &Case<'_>, state: &str) -> Vec<String> {
    let query = "query($state: AuthenticationTaskState!) { authenticationTasks(state: $state) { edges { node { trade { id } state } } } }";
    let by = case.centre.person(case.market);
    let data = case.market.data("orders", Some(&by), query, json!({ "state": state })).await;
    let edges = data["authenticationTasks"]["edges"].as_array().unwrap();
    assert!(edges.iter().all(|edge| edge["node"]["state"] == state), "{data}");
    edges.iter().map(|edge| edge["node"]["trade"]["id"].as_str().unwrap().to_owned()).collect()
}

souk_test! {
    async fn of_two_who_claim_a_piece_at_once_one_looks_at_it(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = arrived(&shop, market, offer).await;
        let id = [case.trade.to_string()];
        assert_eq!(queue(&case, "OPEN").await, id);
        let (one, two) = (Who::authenticator(), Who::authenticator());
        let (first, second) = futures::join!(case.claim(one), case.claim(two));
        let first_won = codes(&first).is_empty();
        let (got, refused, winner, loser) = match first_won {
            true => (first, second, one, two),
            false => (second, first, two, one),
        };
        assert_eq!((got["task"]["claimedById"].as_str().unwrap(), &got["task"]["state"]), (winner.user.to_string().as_str(), &json!("CLAIMED")));
        assert_eq!(codes(&refused), ["CLAIMED"]);
        assert_eq!(refused["userErrors"][0]["claimedUntil"], got["task"]["claimedUntil"]);
        assert_eq!((queue(&case, "OPEN").await, queue(&case, "CLAIMED").await), (vec![], id.to_vec()));
        assert_eq!(codes(&case.complete(loser, true).await), ["NOT_CLAIMED"]);
        assert_eq!(case.complete(winner, true).await["task"]["state"], "COMPLETED");
        assert_eq!(queue(&case, "COMPLETED").await, id);
        assert_eq!(codes(&case.claim(loser).await), ["COMPLETED"]);
    }

    async fn a_claim_runs_out_and_somebody_else_looks_at_the_piece(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = arrived(&shop, market, offer).await;
        let (slow, quick) = (Who::authenticator(), Who::authenticator());
        case.claim(slow).await;
        case.wait(rules().claim_for - TimeDelta::seconds(1)).await;
        assert_eq!(codes(&case.claim(quick).await), ["CLAIMED"]);
        assert_eq!(codes(&case.claim(slow).await), [""; 0], "who has it keeps it longer");
        case.wait(rules().claim_for).await;
        assert_eq!(queue(&case, "OPEN").await, [case.trade.to_string()]);
        assert_eq!(codes(&case.complete(slow, true).await), ["NOT_CLAIMED"]);
        assert_eq!(codes(&case.claim(quick).await), [""; 0]);
        assert_eq!(codes(&case.complete(slow, false).await), ["NOT_CLAIMED"]);
        assert_eq!(codes(&case.complete(quick, true).await), [""; 0]);
        assert_eq!(case.status().await, "AUTHENTICATED");
    }

    async fn a_piece_is_found_to_be_one_thing_only(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = arrived(&shop, market, offer).await;
        case.claim(case.centre).await;
        let (one, two) = futures::join!(case.complete(case.centre, true), case.complete(case.centre, true));
        assert_eq!((codes(&one), codes(&two)), (vec![], vec![]), "saying the same twice is saying it once");
        assert_eq!(codes(&case.complete(case.centre, false).await), ["COMPLETED"]);
        assert_eq!(case.timeline().await.iter().filter(|kind| *kind == "authentic").count(), 1);
        assert_eq!(case.paid().await, [PRICE, 0]);
    }

    async fn nobody_looks_at_what_they_trade_themselves(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = arrived(&shop, market, offer).await;
        for party in [case.buyer, case.seller] {
            let both = Who { user: party.user, roles: &[Role::Buyer, Role::Authenticator] };
            assert_eq!(codes(&case.claim(both).await), ["OWN_TRADE"]);
        }
    }

    async fn the_centre_s_work_is_its_own(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = arrived(&shop, market, offer).await;
        let tasks = "{ authenticationTasks { edges { node { state } } } }";
        for who in [case.buyer, case.seller, Who::new(&[Role::Buyer, Role::Admin])] {
            let person = who.person(market);
            for query in [
                tasks.to_owned(),
                format!("mutation {{ claimAuthenticationTask(input: {{ tradeId: \"{}\" }}) {{ userErrors {{ code }} }} }}", case.trade),
                format!("mutation {{ receiveTrade(input: {{ tradeId: \"{}\" }}) {{ userErrors {{ code }} }} }}", case.trade),
            ] {
                let answer = market.ask("orders", Some(&person), &query, json!({})).await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{query}: {answer}");
            }
        }
        let answer = market.ask("orders", None, tasks, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
