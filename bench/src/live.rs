//! A stock change on its way to subscribers: from sending the mutation to the event at each of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::client::Client;
use crate::summary::Summary;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long the last event may take.
const DRAIN: Duration = Duration::from_secs(3);

#[derive(Args)]
pub struct Live {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// A seller of the marketplace; the demo's by default.
    #[arg(long, default_value = "campus@demo.example")]
    email: String,
    #[arg(long, default_value = "souk-demo-password")]
    password: String,
    #[arg(long, default_value_t = 100)]
    subscribers: usize,
    /// Stock changes to make.
    #[arg(long, default_value_t = 300)]
    changes: usize,
    /// Pause between two changes.
    #[arg(long, default_value_t = 20)]
    pause_ms: u64,
}

/// When each change was sent, by the sequence it got; and when each event came, by its sequence.
#[derive(Default)]
struct Log {
    sent: HashMap<i64, Instant>,
    came: Vec<(i64, Instant)>,
}

impl Live {
    pub async fn run(self) -> anyhow::Result<()> {
        let seller = self.sign_in().await?;
        let (offer, location) = own_offer(&seller).await?;
        let log = Arc::new(Mutex::new(Log::default()));
        let mut listening = JoinSet::new();
        for _ in 0..self.subscribers {
            let socket = subscribe(&self.url, &offer).await?;
            listening.spawn(listen(socket, log.clone()));
        }
        self.change(&seller, &offer, &location, &log).await?;
        tokio::time::sleep(DRAIN).await;
        listening.abort_all();
        self.report(&log.lock().expect("nobody panics with the log"))
    }

    async fn sign_in(&self) -> anyhow::Result<Client> {
        let client = Client::new(&self.url);
        let query = "mutation($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } userErrors { message } } }";
        let input = json!({ "input": { "email": self.email, "password": self.password } });
        let data = client.ask(query, input).await?;
        let token = data["logIn"]["tokens"]["accessToken"].as_str().with_context(|| format!("{data:#}"))?;
        Ok(client.with_token(token))
    }

    async fn change(
        &self,
        seller: &Client,
        offer: &str,
        location: &str,
        log: &Mutex<Log>,
    ) -> anyhow::Result<()> {
        let query = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) { stock { sequence } userErrors { message } } }";
        for number in 0..self.changes {
            let delta = if number % 2 == 0 { 1 } else { -1 };
            let key = format!("bench {number} {:?}", Instant::now());
            let input = json!({ "input": { "offerId": offer, "locationId": location, "delta": delta, "reason": "bench",
                "idempotencyKey": key } });
            let sent = Instant::now();
            let data = seller.ask(query, input).await?;
            let sequence =
                data["adjustStock"]["stock"]["sequence"].as_i64().with_context(|| format!("{data:#}"))?;
            log.lock().expect("nobody panics with the log").sent.insert(sequence, sent);
            tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
        }
        Ok(())
    }

    fn report(&self, log: &Log) -> anyhow::Result<()> {
        let times = log.came.iter().filter_map(|(sequence, came)| Some(*came - *log.sent.get(sequence)?));
        let times = Summary::new(times.collect());
        println!(
            "{} subscribers, {} changes: {} of {} events came, {times} from sending the mutation",
            self.subscribers,
            self.changes,
            times.count(),
            self.subscribers * log.sent.len(),
        );
        Ok(())
    }
}

/// An offer of the seller and a place of theirs.
async fn own_offer(seller: &Client) -> anyhow::Result<(String, String)> {
    let query =
        "{ myOffers(first: 1) { edges { node { id } } } myLocations(first: 1) { edges { node { id } } } }";
    let data = seller.ask(query, json!({})).await?;
    let id = |list: &str| data[list]["edges"][0]["node"]["id"].as_str().map(str::to_owned);
    id("myOffers").zip(id("myLocations")).with_context(|| format!("the seller has nothing to sell: {data:#}"))
}

/// A socket that has been greeted.
pub(crate) async fn open(url: &str) -> anyhow::Result<Socket> {
    let mut request = url.replacen("http", "ws", 1).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    send(&mut socket, json!({ "type": "connection_init" })).await?;
    next(&mut socket).await?.context("no connection_ack")?;
    Ok(socket)
}

async fn subscribe(url: &str, offer: &str) -> anyhow::Result<Socket> {
    let mut socket = open(url).await?;
    let query = "subscription($offers: [ID!]) { stockChanged(offerIds: $offers) { available sequence } }";
    let start = json!({ "query": query, "variables": { "offers": [offer] } });
    send(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": start })).await?;
    // The first event is the level as it is.
    next(&mut socket).await?.context("no first event")?;
    Ok(socket)
}

async fn listen(mut socket: Socket, log: Arc<Mutex<Log>>) {
    while let Ok(Some(event)) = next(&mut socket).await {
        let came = Instant::now();
        if let Some(sequence) = event["payload"]["data"]["stockChanged"]["sequence"].as_i64() {
            log.lock().expect("nobody panics with the log").came.push((sequence, came));
        }
    }
}

pub(crate) async fn send(socket: &mut Socket, message: Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// The next message that is no ping; `None`: the socket is closed.
pub(crate) async fn next(socket: &mut Socket) -> anyhow::Result<Option<Value>> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let message: Value = serde_json::from_str(&text)?;
        match message["type"].as_str() {
            Some("ping") => send(socket, json!({ "type": "pong" })).await?,
            _ => return Ok(Some(message)),
        }
    }
    Ok(None)
}
