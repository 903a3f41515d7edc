//! What people type is judged alike in every subgraph.

use serde_json::{Value, json};

use crate::support::{Market, Person};

/// Seen by nobody, or something else than it shows.
const BAD: [(&str, &str); 4] = [
    ("\u{3164}\u{200d}", "must have characters that can be seen"),
    ("\u{a0}\u{2003}", "must have 1 to "),
    ("sh\u{202e}oes", "must not have control characters, line breaks or marks that hide or turn text"),
    ("sh\u{200b}oes", "must not have control characters, line breaks or marks that hide or turn text"),
];

souk_test! {
    async fn a_name_that_nobody_can_see_is_refused_alike_everywhere(market: &Market) {
        let seller = market.seller("Texts").await;
        for (text, message) in BAD {
            for (service, by, query, input) in [
                ("accounts", None, "mutation($input: RegisterInput!) { it: register(input: $input) { userErrors { code message } } }",
                    json!({ "email": "ada@example.org", "password": "correct horse battery", "displayName": text })),
                ("catalog", Some(&seller), "mutation($input: CreateProductInput!) { it: createProduct(input: $input) { userErrors { code message } } }",
                    json!({ "title": text, "idempotencyKey": "1" })),
                ("inventory", Some(&seller), "mutation($input: CreateLocationInput!) { it: createLocation(input: $input) { userErrors { code message } } }",
                    json!({ "name": text, "idempotencyKey": "1" })),
            ] {
                let error = refusal(market, service, by, query, input).await;
                assert_eq!(error["code"], "INVALID_INPUT", "{service} {text:?}: {error}");
                assert!(error["message"].as_str().is_some_and(|told| told.starts_with(message)), "{service} {text:?}: {error}");
            }
        }
    }

    async fn nobody_is_paid_in_gold_or_in_nothing(market: &Market) {
        let seller = market.seller("Gold").await;
        let query = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { userErrors { code } } }";
        for currency in ["XXX", "XTS", "XAU", "eur"] {
            let answer = market.ask("accounts", Some(&seller), query, json!({ "input": { "currency": currency } })).await;
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
            assert_eq!(error["extensions"]["field"], json!(["input", "currency"]), "{answer}");
            assert!(error["message"].as_str().is_some_and(|told| told.starts_with("input.currency: ")), "{answer}");
            assert_eq!(error["extensions"]["rejectedValue"], Value::Null, "{answer}");
        }
    }

    async fn a_variable_of_the_wrong_type_is_named(market: &Market) {
        let seller = market.seller("Wrong").await;
        let query = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
        let right = json!({ "offerId": contract::OfferId::new(), "locationId": contract::LocationId::new(),
            "delta": 1, "reason": "counted", "idempotencyKey": "1" });
        for (field, value) in [
            ("offerId", json!("nonsense")),
            ("offerId", json!(7)),
            ("locationId", right["offerId"].clone()),
            ("delta", json!(1.5)),
            ("delta", json!("many")),
            ("delta", json!(null)),
            ("reason", json!(["counted"])),
        ] {
            let mut input = right.clone();
            input[field] = value.clone();
            let answer = market.ask("inventory", Some(&seller), query, json!({ "input": input })).await;
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "BAD_USER_INPUT", "{field} {value}: {answer}");
            // Where two fields have the refused value, the first is named.
            let named = &extensions["field"];
            assert!(*named == json!(["input", field]) || (field == "locationId" && named[0] == "input"), "{field} {value}: {answer}");
        }
    }
}

async fn refusal(market: &Market, service: &str, by: Option<&Person>, query: &str, input: Value) -> Value {
    let answer = market.ask(service, by, query, json!({ "input": input })).await;
    answer["data"]["it"]["userErrors"][0].clone()
}
