//! Attributes: definitions, values and filters.

use super::*;

async fn define(market: &Market, name: &str, kind: &str, options: &[&str]) -> Value {
    let query = "mutation($input: DefineAttributeInput!) { defineAttribute(input: $input) {
        attribute { name kind options } userErrors { code } } }";
    let input = json!({ "name": name, "label": name, "kind": kind, "options": options });
    market.data("catalog", Some(&market.admin()), query, json!({ "input": input })).await["defineAttribute"]
        .take()
}

async fn define_all(market: &Market) {
    for (name, kind, options) in [
        ("material", "TEXT", &[][..]),
        ("weight", "NUMBER", &[]),
        ("vegan", "BOOLEAN", &[]),
        ("colour", "ONE_OF", &["red", "blue"]),
    ] {
        assert_eq!(codes(&define(market, name, kind, options).await), [""; 0]);
    }
}

souk_test! {
    async fn attributes_of_every_kind_are_said_and_filtered(market: &Market) {
        define_all(market).await;
        let ada = market.seller("Ada's").await;
        for (title, weight, colour, vegan) in [("Heavy", json!("12.5"), "red", true), ("Light", json!(0.000001), "blue", false)] {
            let (product, _) = published(market, &ada, title).await;
            let attributes = json!([
                { "name": "material", "text": format!("{title} stuff") }, { "name": "weight", "number": weight },
                { "name": "vegan", "boolean": vegan }, { "name": "colour", "oneOf": colour },
            ]);
            done(market, &ada, "setProductAttributes", "product", seen_with(&product, json!({ "attributes": attributes }))).await;
        }
        let shown = ask(market, "{ product(handle: \"light\") { attributes { name kind text number boolean } } }", json!({})).await;
        assert_eq!(shown["product"]["attributes"], json!([
            { "name": "colour", "kind": "ONE_OF", "text": "blue", "number": null, "boolean": null },
            { "name": "material", "kind": "TEXT", "text": "Light stuff", "number": null, "boolean": null },
            { "name": "vegan", "kind": "BOOLEAN", "text": null, "number": null, "boolean": false },
            { "name": "weight", "kind": "NUMBER", "text": null, "number": "0.000001", "boolean": null },
        ]));
        for (filters, found) in [
            (json!([{ "name": "colour", "text": "red" }]), &["Heavy"][..]),
            (json!([{ "name": "colour", "oneOf": ["red", "blue", "green"] }]), &["Heavy", "Light"]),
            (json!([{ "name": "weight", "min": "12.5" }]), &["Heavy"]),
            (json!([{ "name": "weight", "min": 0.000001, "max": 9 }]), &["Light"]),
            (json!([{ "name": "weight", "min": "9" }, { "name": "vegan", "boolean": false }]), &[]),
            (json!([{ "name": "vegan", "boolean": true }]), &["Heavy"]),
            (json!([{ "name": "material", "text": "Light stuff" }]), &["Light"]),
            (json!([{ "name": "nothing", "text": "x" }]), &[]),
        ] {
            assert_eq!(titles(market, None, json!({ "attributes": filters })).await, found, "{filters}");
        }
    }

    async fn a_value_must_be_of_its_attributes_kind(market: &Market) {
        define_all(market).await;
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Lamp").await;
        for (value, code) in [
            (json!({ "name": "colour", "oneOf": "green" }), "NOT_AN_OPTION"),
            (json!({ "name": "colour", "text": "red" }), "WRONG_KIND"),
            (json!({ "name": "weight", "boolean": true }), "WRONG_KIND"),
            (json!({ "name": "smell", "text": "fine" }), "UNKNOWN_ATTRIBUTE"),
            (json!({ "name": "\0", "text": "a" }), "INVALID_INPUT"),
            (json!({ "name": "material" }), "INVALID_INPUT"),
            (json!({ "name": "material", "text": "a", "boolean": true }), "INVALID_INPUT"),
            (json!({ "name": "material", "text": "a\0" }), "INVALID_INPUT"),
        ] {
            let set = seen_with(&product, json!({ "attributes": [value] }));
            assert_eq!(refused(market, &ada, "setProductAttributes", "product", set).await, [code]);
        }
        let many = vec![json!({ "name": "material", "text": "a" }); 10_000];
        let set = seen_with(&product, json!({ "attributes": many }));
        assert_eq!(refused(market, &ada, "setProductAttributes", "product", set).await, ["INVALID_INPUT"]);
        let filter = json!({ "filter": { "attributes": vec![json!({ "name": "material", "text": "a" }); 10_000] } });
        let answer = market.ask("catalog", None, "query($filter: ProductFilter) { products(filter: $filter) { nodes { id } } }", filter).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    async fn a_definition_keeps_its_kind_and_its_options(market: &Market) {
        define_all(market).await;
        assert_eq!(codes(&define(market, "weight", "TEXT", &[]).await), ["KIND_FIXED"]);
        assert_eq!(codes(&define(market, "colour", "ONE_OF", &["red"]).await), ["OPTION_REMOVED"]);
        assert_eq!(codes(&define(market, "size", "ONE_OF", &[]).await), ["INVALID_INPUT"]);
        assert_eq!(codes(&define(market, "No Name", "TEXT", &[]).await), ["INVALID_INPUT"]);
        let more = define(market, "colour", "ONE_OF", &["red", "blue", "green"]).await;
        assert_eq!(more["attribute"]["options"], json!(["red", "blue", "green"]));
        let all = ask(market, "{ attributeDefinitions { nodes { name } } }", json!({})).await;
        assert_eq!(all["attributeDefinitions"]["nodes"].as_array().unwrap().len(), 4);
    }
}
