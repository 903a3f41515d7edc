//! Where sellers are paid at Stripe.

use contract::{Envelope, Event, PayoutId};
use entity::shared::outbox;
use payments::ledger::Account;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::{Bank, stripe_test};
use crate::payments::Sale;
use crate::support::Person;

async fn link(bank: &Bank, by: &Person, seller: &Person, reference: &str) -> Value {
    let query = "mutation($input: LinkPayoutAccountInput!) { linkPayoutAccount(input: $input) {
        ready account { reference seller { id } } userErrors { code } } }";
    let input = json!({ "sellerId": seller.seller, "reference": reference });
    bank.market.ask("payments", Some(by), query, json!({ "input": input })).await
}

fn code(answer: &Value) -> &Value {
    &answer["data"]["linkPayoutAccount"]["userErrors"][0]["code"]
}

/// Whether the shop can be paid, each time that it was said.
async fn told(bank: &Bank) -> Vec<bool> {
    bank.settle().await;
    let rows = outbox::Entity::find()
        .filter(outbox::Column::Kind.eq("payments.payee_changed"))
        .order_by_asc(outbox::Column::Seq)
        .all(bank.market.env("payments").db.read())
        .await
        .unwrap();
    let said = rows.iter().map(|row| serde_json::from_str::<Envelope>(&row.envelope).unwrap().event);
    said.map(|event| matches!(event, Event::PayeeChanged(said) if said.ready)).collect()
}

stripe_test! {
    async fn a_shop_sets_up_where_it_is_paid_and_gets_what_it_earned_before(bank: &Bank) {
        let shop = bank.market.seller("Shop").await;
        let mut sale = Sale::new(&bank.market);
        sale.sellers[0] = shop.seller.unwrap();
        bank.asks(&sale, sale.authorise("pm_card_visa")).await;
        bank.asks(&sale, sale.capture()).await;
        bank.asks(&sale, sale.release(PayoutId::new(), sale.sellers[0])).await;
        assert_eq!(sale.balance(Account::Payable(sale.sellers[0])).await, 7_000, "nobody knows where to");
        let first = bank.set_up_payouts(&shop).await;
        assert_eq!((&first["ready"], &first["account"]["provider"]), (&json!(false), &json!("stripe")));
        let again = bank.set_up_payouts(&shop).await;
        assert_eq!(again["account"], first["account"], "one account, however often it is asked for");
        assert_eq!(told(bank).await, [false]);
        bank.open_account(&shop).await;
        assert_eq!(bank.set_up_payouts(&shop).await["ready"], true);
        assert_eq!(told(bank).await, [false, true], "said when it changes");
        assert_eq!(sale.balance(Account::Payable(sale.sellers[0])).await, 0);
        let there = bank.remote(&sale.row().await).await.unwrap();
        assert_eq!(there.transfers.iter().map(|part| part.amount_minor).collect::<Vec<_>>(), [7_000]);
        let accounts = bank.get("/v1/accounts").await;
        assert_eq!(accounts["data"].as_array().unwrap().len(), 1);
        bank.agrees().await;
    }

    async fn an_admin_links_an_account_that_is_there_and_nobody_elses(bank: &Bank) {
        let (shop, other, admin) =
            (bank.market.seller("Shop").await, bank.market.seller("Other").await, bank.market.admin());
        let form = "type=express&country=DE&capabilities[transfers][requested]=true&tos_acceptance[date]=1&tos_acceptance[ip]=127.0.0.1&external_account=btok_de";
        let account = bank.post("/v1/accounts", form).await["id"].as_str().unwrap().to_owned();
        for unknown in ["acct_nobody", "", "acct_1?x=y"] {
            assert_eq!(code(&link(bank, &admin, &shop, unknown).await), "ACCOUNT_UNKNOWN", "{unknown}");
        }
        let denied = link(bank, &shop, &shop, &account).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN");
        for _ in 0..2 {
            let linked = link(bank, &admin, &shop, &account).await;
            let payload = &linked["data"]["linkPayoutAccount"];
            assert_eq!((&payload["ready"], &payload["account"]["reference"]), (&json!(true), &json!(account)), "{linked}");
        }
        assert_eq!(code(&link(bank, &admin, &other, &account).await), "ACCOUNT_TAKEN");
        bank.open_account(&other).await;
        let others = bank.set_up_payouts(&other).await["account"]["reference"].as_str().unwrap().to_owned();
        assert_eq!(code(&link(bank, &admin, &shop, &others).await), "ACCOUNT_TAKEN", "it was opened for another");
        let mut sale = Sale::new(&bank.market);
        sale.sellers[0] = shop.seller.unwrap();
        for ask in [sale.authorise("pm_card_visa"), sale.capture(), sale.release(PayoutId::new(), sale.sellers[0])] {
            bank.asks(&sale, ask).await;
        }
        let transfers = bank.get("/v1/transfers").await;
        assert_eq!((&transfers["data"][0]["destination"], &transfers["data"][0]["amount"]), (&json!(account), &json!(7_000)));
    }
}
