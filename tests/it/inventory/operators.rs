//! What operators do about events that inventory could not apply.

use serde_json::json;

souk_test! {
    async fn dead_letters_are_for_admins(market: &Market) {
        let list = "{ inventoryDeadLetters { edges { node { id } } } }";
        assert_eq!(
            market.data("inventory", Some(&market.admin()), list, json!({})).await["inventoryDeadLetters"]["edges"],
            json!([])
        );
        let denied = market.ask("inventory", Some(&market.buyer()), list, json!({})).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let id = contract::EventId::new();
        let retry = "mutation($id: ID!) { retryInventoryDeadLetter(input: { id: $id }) { id userErrors { code } } }";
        let answer = market.data("inventory", Some(&market.admin()), retry, json!({ "id": id })).await;
        let nothing = json!({ "id": null, "userErrors": [{ "code": "NOT_WAITING" }] });
        assert_eq!(answer["retryInventoryDeadLetter"], nothing);
        let drop = "mutation($id: ID!) { dropInventoryDeadLetter(input: { id: $id, reason: \"old\" }) { id userErrors { code } } }";
        let answer = market.data("inventory", Some(&market.admin()), drop, json!({ "id": id })).await;
        assert_eq!(answer["dropInventoryDeadLetter"], nothing);
    }
}
