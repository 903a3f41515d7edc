//! Commands that mean something: few accounts, markets and prices, so that orders meet. One by one and at once they give the
//! same events, no invariant breaks, and the state can be read again.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use matching::*;

#[derive(Arbitrary, Debug)]
struct Step {
    /// Time that passes before it, in seconds; it may go back.
    seconds: i16,
    account: u8,
    market: bool,
    what: What,
}

#[derive(Arbitrary, Debug)]
enum What {
    Place { is_bid: bool, price: u8, quantity: u8, life: Option<u16>, is_immediate: bool, takes: bool, key: Option<u8> },
    Cancel { order: u8, key: Option<u8> },
    Amend { order: u8, price: Option<u8>, quantity: Option<u8>, life: Option<u16> },
    Rules { tick: u8, price_max: u8 },
    Pause,
    Resume,
    Lapse { order: u8 },
    Unpaid { trade: u8 },
    Limits { here: u8, everywhere: u8, lifetime: u16, retention: u16 },
    Huge { is_bid: bool, price: i64, quantity: u32 },
    Reduce { order: u8, price: Option<u8>, quantity: Option<u8>, life: Option<u16> },
}

const SECOND: i64 = 1_000_000;

fn action(step: &Step, ts: Timestamp) -> Action {
    let account = AccountId((step.account % 5).into());
    let market = MarketId(step.market.into());
    let side = |is_bid: bool| if is_bid { Side::Bid } else { Side::Ask };
    let at = |life: Option<u16>| life.map(|life| ts + i64::from(life) * SECOND);
    let amend = |order: u8, price: Option<u8>, quantity: Option<u8>, expires_at| Amend {
        account,
        key: None,
        order: OrderId(order.into()),
        price: price.map(Price::from),
        quantity: quantity.map(Quantity::from),
        expires_at,
    };
    match step.what {
        What::Place { is_bid, price, quantity, life, is_immediate, takes, key } => Action::Place(Place {
            key: key.map(|key| Key(key.into())),
            life: if is_immediate { Life::Immediate } else { Life::Rest { expires_at: at(life) } },
            self_trade: if takes { SelfTrade::ExpireMaker } else { SelfTrade::ExpireTaker },
            ..Place::resting(account, market, side(is_bid), price.into(), quantity.into())
        }),
        What::Cancel { order, key } => {
            let key = key.map(|key| Key(key.into()));
            Action::Cancel(Cancel { account, key, order: OrderId(order.into()) })
        }
        What::Amend { order, price, quantity, life } => Action::Amend(amend(order, price, quantity, at(life))),
        What::Reduce { order, price, quantity, life } => Action::Reduce(amend(order, price, quantity, at(life))),
        What::Rules { tick, price_max } => {
            let rules = MarketRules { tick: tick.into(), price_min: 1, price_max: price_max.into() };
            Action::SetMarket { market, rules }
        }
        What::Pause => Action::PauseSelling { account },
        What::Resume => Action::ResumeSelling { account },
        What::Lapse { order } => Action::AuthLapsed { order: OrderId(order.into()) },
        What::Unpaid { trade } => Action::PaymentFailed { trade: TradeId(trade.into()) },
        What::Limits { here, everywhere, lifetime, retention } => Action::SetLimits(Limits {
            orders_per_account_and_market: here.into(),
            orders_per_account: everywhere.into(),
            lifetime_us: i64::from(lifetime) * SECOND,
            retention_us: i64::from(retention) * SECOND,
        }),
        What::Huge { is_bid, price, quantity } => {
            Action::Place(Place::resting(account, market, side(is_bid), price, quantity))
        }
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let rules = MarketRules { tick: 1, price_min: 1, price_max: i64::MAX };
    let open = |market| Command { ts: 0, action: Action::SetMarket { market: MarketId(market), rules } };
    let mut commands = vec![open(0), open(1)];
    let mut ts = 0_i64;
    for step in &steps {
        ts += i64::from(step.seconds) * SECOND;
        commands.push(Command { ts, action: action(step, ts) });
    }
    let (mut state, mut at_once) = (State::new(Limits::default()), State::new(Limits::default()));
    let (mut events, mut others) = (Vec::new(), Vec::new());
    for command in &commands {
        let before = events.len();
        apply(&mut state, command, &mut events);
        assert!(events.len() > before);
        state.audit().expect("every invariant holds");
    }
    apply_all(&mut at_once, &commands, &mut others, |_, _| {});
    assert_eq!(events, others);
    let read = State::decode(&state.encode()).expect("a state can be read again");
    assert_eq!(read.digest(), at_once.digest());
});
