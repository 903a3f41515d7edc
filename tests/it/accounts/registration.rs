//! Registering, and what people say about themselves.

use futures::future::join_all;
use serde_json::json;

use super::*;

souk_test! {
    async fn who_registers_is_signed_in(market: &Market) {
        let input = json!({
            "email": " Ada@Example.ORG ", "password": PASSWORD, "displayName": " Ada Ωmega 👩‍🚀 ", "language": "de",
        });
        let payload = register(market, input).await;
        assert_eq!(payload["user"]["email"], "ada@example.org");
        assert_eq!(payload["user"]["displayName"], "Ada Ωmega 👩‍🚀");
        assert_eq!(payload["user"]["roles"], json!(["BUYER"]));
        let ada = signed_in(&payload, "ada@example.org".into());
        let seen = me(market, Some(&ada.person), "id email locale preferences { currency language marketingOptIn }");
        assert_eq!(seen.await, json!({
            "id": ada.person.user.to_string(),
            "email": "ada@example.org",
            "locale": "de",
            "preferences": { "currency": "EUR", "language": "de", "marketingOptIn": false },
        }));
        assert_eq!(me(market, None, "id").await, json!(null));
    }

    async fn one_address_is_one_account_however_it_is_written(market: &Market) {
        member(market, "ada").await;
        let input = json!({ "email": "ADA@example.org", "password": PASSWORD, "displayName": "Impostor" });
        let payload = register(market, input).await;
        assert_eq!(codes(&payload), ["EMAIL_TAKEN"]);
        assert_eq!((&payload["user"], &payload["tokens"]), (&json!(null), &json!(null)));
    }

    async fn of_many_at_once_one_gets_the_address(market: &Market) {
        let input = json!({ "email": "ada@example.org", "password": PASSWORD, "displayName": "Ada" });
        let payloads = join_all((0..6).map(|_| register(market, input.clone()))).await;
        let registered = payloads.iter().filter(|payload| !payload["user"].is_null()).count();
        let refused = payloads.iter().filter(|payload| codes(payload) == ["EMAIL_TAKEN"]).count();
        assert_eq!((registered, refused), (1, 5));
    }

    async fn a_bad_value_is_refused_with_its_field(market: &Market) {
        let good = json!({ "email": "ada@example.org", "password": PASSWORD, "displayName": "Ada" });
        for (field, value, message) in [
            ("email", "ada".to_owned(), "is not an e-mail address, such as name@example.org"),
            ("email", "a\0da@example.org".into(), "is not an e-mail address, such as name@example.org"),
            ("email", format!("{}@example.org", "a".repeat(300)), "must have at most 254 bytes"),
            ("password", "short".into(), "must have 8 to 256 characters"),
            ("password", "x".repeat(257), "must have 8 to 256 characters"),
            ("displayName", "   ".into(), "must have 1 to 100 characters"),
            ("displayName", "x".repeat(101), "must have 1 to 100 characters"),
            ("displayName", "A\0da".into(), "must not have control characters, line breaks or marks that hide or turn text"),
            ("displayName", "A\u{202e}da".into(), "must not have control characters, line breaks or marks that hide or turn text"),
            ("language", "en\0".into(), "must be a language tag, such as `en` or `de-AT`"),
            ("displayName", "\u{3164}".into(), "must have characters that can be seen"),
            ("device", "x".repeat(101), "must have 1 to 100 characters"),
        ] {
            let mut input = good.clone();
            input[field] = json!(value);
            let payload = register(market, input).await;
            let expected = json!([{ "code": "INVALID_INPUT", "field": ["input", field], "message": message }]);
            assert_eq!(payload["userErrors"], expected, "{field}");
        }
        assert_eq!(codes(&register(market, good).await), Vec::<&str>::new());
    }

    async fn profile_and_preferences_change_in_part(market: &Market) {
        let ada = member(market, "ada").await.person;
        let selection = "user { displayName phone locale preferences { currency language marketingOptIn } }";
        let profile = async |input| {
            mutate(market, Some(&ada), "updateProfile", "UpdateProfileInput", input, selection).await
        };
        let preferences = async |input| {
            mutate(market, Some(&ada), "updatePreferences", "UpdatePreferencesInput", input, selection).await
        };
        profile(json!({ "phone": "+49 30 123456" })).await;
        profile(json!({ "displayName": "山田" })).await;
        preferences(json!({ "currency": "JPY" })).await;
        let payload = preferences(json!({ "marketingOptIn": true, "language": "ja" })).await;
        assert_eq!(payload["user"], json!({
            "displayName": "山田", "phone": "+4930123456", "locale": "en",
            "preferences": { "currency": "JPY", "language": "ja", "marketingOptIn": true },
        }));
        assert_eq!(profile(json!({ "phone": null })).await["user"]["phone"], json!(null));
        for input in [json!({ "phone": "call me" }), json!({ "displayName": "" }), json!({ "locale": "\u{0}" })] {
            assert_eq!(codes(&profile(input).await), ["INVALID_INPUT"]);
        }
        let query = "mutation { updatePreferences(input: { currency: \"XYZ\" }) { user { id } } }";
        assert_eq!(denied(&market.ask("accounts", Some(&ada), query, json!({})).await), "BAD_USER_INPUT");
    }

    async fn nothing_private_works_without_signing_in(market: &Market) {
        for query in [
            "{ sessions { edges { node { id } } } }",
            "{ users { edges { node { id } } } }",
            "mutation { logOutEverywhere { endedSessions } }",
            "mutation { updateProfile(input: {}) { user { id } } }",
            "mutation { applyAsSeller(input: { name: \"x\", idempotencyKey: \"1\" }) { seller { id } } }",
        ] {
            assert_eq!(denied(&market.ask("accounts", None, query, json!({})).await), "UNAUTHENTICATED", "{query}");
        }
    }
}
