//! Who hears of events.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::event::fits;
use crate::settings::Webhook;
use crate::table::{Head, Resource};
use crate::world::{PLATFORM, World, id};

#[derive(Clone, Debug)]
pub struct WebhookEndpoint {
    pub head: Head,
    pub url: String,
    pub secret: String,
    kinds: Vec<String>,
    description: Option<String>,
    pub enabled: bool,
    whose: Whose,
}

/// Whose events an endpoint hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Platform,
    Connected,
    Everybody,
}

impl WebhookEndpoint {
    /// The endpoint of the command line: it hears everything.
    pub fn configured(ids: &mut StdRng, webhook: Webhook) -> Self {
        let head = Head { id: id(ids, "we"), created: 0, account: PLATFORM.into(), metadata: Map::new() };
        let Webhook { url, secret } = webhook;
        let kinds = vec!["*".into()];
        Self { head, url, secret, kinds, description: None, enabled: true, whose: Whose::Everybody }
    }

    pub fn hears(&self, kind: &str, account: &str) -> bool {
        let whose = match self.whose {
            Whose::Everybody => true,
            Whose::Platform => account == PLATFORM,
            Whose::Connected => account != PLATFORM,
        };
        self.enabled && whose && self.kinds.iter().any(|pattern| fits(pattern, kind))
    }
}

impl Resource for WebhookEndpoint {
    const OBJECT: &'static str = "webhook_endpoint";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "api_version": null,
            "application": null,
            "created": self.head.created,
            "description": self.description,
            "enabled_events": self.kinds,
            "livemode": false,
            "metadata": self.head.metadata,
            "status": if self.enabled { "enabled" } else { "disabled" },
            "url": self.url,
        })
    }
}

/// The secret is shown here and never again.
pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let url = web_address(params.required_text("url")?)?;
    let kinds = params.texts("enabled_events")?.ok_or_else(|| params.missing("enabled_events"))?;
    let description = params.unsettable_text("description")?;
    let whose = if params.boolean("connect")? == Some(true) { Whose::Connected } else { Whose::Platform };
    let metadata = params.metadata()?;
    params.without_effect(&["api_version"]);
    params.finish()?;
    let mut head = world.head("we", call);
    head.change_metadata(metadata);
    let secret = format!("whsec_{}", world.letters(32));
    let endpoint = WebhookEndpoint { head, url, secret, kinds, description, enabled: true, whose };
    let mut shown = endpoint.show(world);
    shown["secret"] = endpoint.secret.clone().into();
    world.endpoints.put(endpoint);
    Ok(shown)
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let url = params.text("url")?.map(web_address).transpose()?;
    let kinds = params.texts("enabled_events")?;
    let disabled = params.boolean("disabled")?;
    let metadata = params.metadata()?;
    params.finish()?;
    let mut endpoint = world.endpoints.named(call)?;
    endpoint.head.change_metadata(metadata);
    endpoint.url = url.unwrap_or(endpoint.url);
    endpoint.kinds = kinds.unwrap_or(endpoint.kinds);
    endpoint.enabled = disabled.map_or(endpoint.enabled, |disabled| !disabled);
    let shown = endpoint.show(world);
    world.endpoints.put(endpoint);
    Ok(shown)
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.endpoints.named(call)?.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    world.endpoints.list(world, call, |_| true)
}

pub fn delete(world: &mut World, call: &mut Call) -> Answer {
    let id = world.endpoints.named(call)?.head.id;
    world.endpoints.remove(&id);
    Ok(json!({ "id": id, "object": WebhookEndpoint::OBJECT, "deleted": true }))
}

fn web_address(url: String) -> Answer<String> {
    match url.starts_with("http://") || url.starts_with("https://") {
        true => Ok(url),
        false => {
            let message = "Invalid URL: URL must be publicly accessible. Consider using a tool like ngrok…";
            Err(StripeError::parameter("url", "url_invalid", message))
        }
    }
}
