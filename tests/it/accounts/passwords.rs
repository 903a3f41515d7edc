//! Changing the password.

use serde_json::json;

use super::*;

async fn change(market: &Market, by: &Person, current: &str, new: &str) -> Value {
    let input = json!({ "currentPassword": current, "newPassword": new });
    mutate(market, Some(by), "changePassword", "ChangePasswordInput", input, "user { id }").await
}

souk_test! {
    async fn a_new_password_ends_the_other_sessions(market: &Market) {
        let ada = member(market, "ada").await;
        let other = log_in(market, &ada.email, PASSWORD).await;
        let new = "пароль из слов 🔑";
        assert_eq!(codes(&change(market, &ada.person, PASSWORD, new).await), Vec::<&str>::new());
        assert_eq!(codes(&log_in(market, &ada.email, PASSWORD).await), ["BAD_CREDENTIALS"]);
        assert_eq!(codes(&log_in(market, &ada.email, new).await), Vec::<&str>::new());
        let gone = refresh(market, other["tokens"]["refreshToken"].as_str().unwrap()).await;
        assert_eq!(codes(&gone), ["BAD_TOKEN"]);
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), Vec::<&str>::new());
    }

    async fn the_current_password_must_be_known(market: &Market) {
        let ada = member(market, "ada").await;
        assert_eq!(codes(&change(market, &ada.person, "a guess", "long enough").await), ["BAD_CREDENTIALS"]);
        assert_eq!(codes(&change(market, &ada.person, PASSWORD, "short").await), ["INVALID_INPUT"]);
        assert_eq!(codes(&log_in(market, &ada.email, PASSWORD).await), Vec::<&str>::new());
    }
}
