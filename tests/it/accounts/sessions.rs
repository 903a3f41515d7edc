//! Signing in, going on with refresh tokens, signing out.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;

use super::*;

fn refresh_token(payload: &Value) -> String {
    payload["tokens"]["refreshToken"].as_str().unwrap_or("none").to_owned()
}

async fn sessions(market: &Market, by: &Person) -> Vec<Value> {
    let query = "{ sessions { edges { node { id device isCurrent } } } }";
    let mut answer = market.data("accounts", Some(by), query, json!({})).await;
    let edges = answer["sessions"]["edges"].as_array_mut().unwrap();
    edges.iter_mut().map(|edge| edge["node"].take()).collect()
}

async fn log_out(market: &Market, by: Option<&Person>, input: Value) -> Value {
    mutate(market, by, "logOut", "LogOutInput", input, "endedSessions").await
}

souk_test! {
    async fn a_wrong_password_and_an_unknown_user_are_answered_alike(market: &Market) {
        let ada = member(market, "ada").await;
        let wrong = log_in(market, &ada.email, "wrong password").await;
        assert_eq!(codes(&wrong), ["BAD_CREDENTIALS"]);
        for email in ["nobody@example.org", "not an address", "nul\0@example.org", ""] {
            assert_eq!(log_in(market, email, PASSWORD).await, wrong);
        }
        assert_eq!(log_in(market, "ADA@example.org", PASSWORD).await["user"]["email"], "ada@example.org");
    }

    async fn a_refresh_token_is_good_once(market: &Market) {
        let ada = member(market, "ada").await;
        let second = refresh_token(&refresh(market, &ada.refresh_token).await);
        market.clock.advance(TimeDelta::minutes(20));
        let third = refresh(market, &second).await;
        assert_ne!(refresh_token(&third), second);
        let token = third["tokens"]["accessToken"].as_str().unwrap().to_owned();
        let person = Person { token, ..ada.person };
        assert_eq!(me(market, Some(&person), "displayName").await["displayName"], "ada");
    }

    async fn a_lost_answer_is_given_again_for_thirty_seconds(market: &Market) {
        let ada = member(market, "ada").await;
        let successor = refresh_token(&refresh(market, &ada.refresh_token).await);
        market.clock.advance(TimeDelta::seconds(30));
        assert_eq!(refresh_token(&refresh(market, &ada.refresh_token).await), successor);
        assert_eq!(codes(&refresh(market, &successor).await), Vec::<&str>::new());
    }

    async fn a_token_used_again_later_ends_the_session(market: &Market) {
        let ada = member(market, "ada").await;
        let successor = refresh_token(&refresh(market, &ada.refresh_token).await);
        market.clock.advance(TimeDelta::seconds(31));
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), ["BAD_TOKEN"]);
        // Whoever has the successor is out as well: nobody can tell who is the thief.
        assert_eq!(codes(&refresh(market, &successor).await), ["BAD_TOKEN"]);
        let other = again(market, &ada).await;
        assert_eq!(sessions(market, &other).await.len(), 1);
    }

    async fn refreshes_at_once_get_the_same_successor(market: &Market) {
        let ada = member(market, "ada").await;
        let payloads = join_all((0..6).map(|_| refresh(market, &ada.refresh_token))).await;
        let first = refresh_token(&payloads[0]);
        assert!(payloads.iter().all(|payload| refresh_token(payload) == first));
        assert_eq!(codes(&refresh(market, &first).await), Vec::<&str>::new());
    }

    async fn what_is_no_refresh_token_is_refused(market: &Market) {
        for token in ["", "souk_rt_", "souk_rt_\0", &"x".repeat(10_000), &format!("souk_rt_{}", "A".repeat(43))] {
            assert_eq!(codes(&refresh(market, token).await), ["BAD_TOKEN"]);
        }
    }

    async fn a_session_ends_after_thirty_days_without_use(market: &Market) {
        let ada = member(market, "ada").await;
        market.clock.advance(TimeDelta::days(29));
        let next = refresh_token(&refresh(market, &ada.refresh_token).await);
        market.clock.advance(TimeDelta::days(31));
        assert_eq!(codes(&refresh(market, &next).await), ["BAD_TOKEN"]);
    }

    async fn logging_out_ends_the_session(market: &Market) {
        let ada = member(market, "ada").await;
        assert_eq!(log_out(market, Some(&ada.person), json!({})).await["endedSessions"], 1);
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), ["BAD_TOKEN"]);
        assert_eq!(codes(&log_out(market, Some(&ada.person), json!({})).await), ["NOT_FOUND"]);
    }

    async fn an_ended_session_changes_nothing_in_the_account_any_more(market: &Market) {
        let ada = member(market, "ada").await;
        let update = "mutation { updateProfile(input: { displayName: \"Eve\" }) { user { displayName } } }";
        assert_eq!(log_out(market, Some(&ada.person), json!({})).await["endedSessions"], 1);
        // The token is good for ten minutes; others who see it still read by it.
        let answer = market.ask("accounts", Some(&ada.person), update, json!({})).await;
        assert_eq!(denied(&answer), "UNAUTHENTICATED", "{answer}");
        assert_eq!(me(market, Some(&ada.person), "displayName").await["displayName"], "ada");
    }

    async fn logging_out_works_with_the_refresh_token_alone(market: &Market) {
        let ada = member(market, "ada").await;
        let input = json!({ "refreshToken": ada.refresh_token });
        assert_eq!(log_out(market, None, input.clone()).await["endedSessions"], 1);
        assert_eq!(codes(&log_out(market, None, input).await), ["NOT_FOUND"]);
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), ["BAD_TOKEN"]);
    }

    async fn somebody_elses_session_is_not_found(market: &Market) {
        let (ada, eve) = (member(market, "ada").await, member(market, "eve").await);
        let id = sessions(market, &ada.person).await[0]["id"].clone();
        let payload = log_out(market, Some(&eve.person), json!({ "sessionId": id })).await;
        assert_eq!(codes(&payload), ["NOT_FOUND"]);
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), Vec::<&str>::new());
    }

    async fn logging_out_everywhere_ends_all_of_them(market: &Market) {
        let ada = member(market, "ada").await;
        let phone = json!({ "email": ada.email, "password": PASSWORD, "device": "Ada's phone" });
        let phone = mutate(market, None, "logIn", "LogInInput", phone, SIGNED_IN).await;
        let phone_refresh = refresh_token(&phone);
        let phone = signed_in(&phone, ada.email.clone()).person;
        let seen = sessions(market, &phone).await;
        let shown: Vec<_> = seen.iter().map(|session| (&session["device"], &session["isCurrent"])).collect();
        assert_eq!(shown, [(&json!("Ada's phone"), &json!(true)), (&json!(null), &json!(false))]);
        let query = "mutation { logOutEverywhere { endedSessions } }";
        let answer = market.data("accounts", Some(&phone), query, json!({})).await;
        assert_eq!(answer["logOutEverywhere"]["endedSessions"], 2);
        for token in [ada.refresh_token, phone_refresh] {
            assert_eq!(codes(&refresh(market, &token).await), ["BAD_TOKEN"]);
        }
    }
}
