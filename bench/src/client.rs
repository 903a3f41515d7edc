//! A GraphQL client.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// Sends operations to one endpoint.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    pub fn new(url: &str) -> Self {
        Self { http: reqwest::Client::new(), url: url.into(), token: None }
    }

    pub fn with_token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// Signs in: from then on it asks as this user.
    pub async fn signed_in(self, email: &str, password: &str) -> anyhow::Result<Self> {
        let query = "mutation($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } userErrors { message } } }";
        let data = self.ask(query, json!({ "input": { "email": email, "password": password } })).await?;
        let token = data["logIn"]["tokens"]["accessToken"].as_str().with_context(|| format!("{data:#}"))?;
        Ok(self.with_token(token))
    }

    /// The `data` of an answer that has no errors.
    pub async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(&self.url).json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let mut answer: Value = request.send().await?.json().await?;
        ensure!(answer.get("errors").is_none(), "{answer:#}");
        Ok(answer["data"].take())
    }
}
