//! Facets and filters, compared with counting by hand.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;

const BRANDS: [Option<&str>; 4] = [Some("Nike"), Some("adidas"), Some("Puma"), None];
const COLORS: [Option<&str>; 4] = [Some("red"), Some("green"), Some("blue"), None];
const CATEGORIES: [&[&str]; 3] = [&["Shoes", "Sneakers"], &["Shoes", "Boots"], &["Hats"]];
const SIZES: [&str; 3] = ["S", "M", "L"];
const CONDITIONS: [(Condition, &str); 3] =
    [(Condition::New, "NEW"), (Condition::LikeNew, "LIKE_NEW"), (Condition::Good, "GOOD")];
const PRICES: [i64; 4] = [150, 700, 1_000, 4_999];

/// What a search may be asked to leave out: each has a facet.
#[derive(Clone, Debug, Default)]
struct Chosen {
    brand: Option<&'static str>,
    color: Option<&'static str>,
    category: Option<&'static str>,
    size: Option<&'static str>,
    condition: Option<(Condition, &'static str)>,
    price: Option<(i64, i64)>,
}

fn random_goods(random: &mut StdRng) -> Goods {
    let offers = (0..random.random_range(0..4)).map(|_| {
        let (condition, _) = *CONDITIONS.choose(random).unwrap();
        (*SIZES.choose(random).unwrap(), condition, *PRICES.choose(random).unwrap())
    });
    let mut offers: Vec<_> = offers.collect();
    offers.sort_by_key(|(size, condition, _)| (*size, format!("{condition:?}")));
    offers.dedup_by_key(|(size, condition, _)| (*size, *condition));
    Goods {
        title: "Thing",
        brand: *BRANDS.choose(random).unwrap(),
        category: CATEGORIES.choose(random).unwrap(),
        color: *COLORS.choose(random).unwrap(),
        offers,
    }
}

fn random_choice(random: &mut StdRng) -> Chosen {
    let mut maybe = |one: bool| one && random.random_bool(0.4);
    let wanted: Vec<bool> = (0..6).map(|_| maybe(true)).collect();
    Chosen {
        brand: wanted[0].then(|| BRANDS[..3].choose(random).unwrap().unwrap()),
        color: wanted[1].then(|| COLORS[..3].choose(random).unwrap().unwrap()),
        category: wanted[2].then(|| *["Shoes", "Sneakers", "Boots", "Hats"].choose(random).unwrap()),
        size: wanted[3].then(|| *SIZES.choose(random).unwrap()),
        condition: wanted[4].then(|| *CONDITIONS.choose(random).unwrap()),
        price: wanted[5].then(|| *[(0, 700), (700, 1_000), (1_000, 9_999)].choose(random).unwrap()),
    }
}

impl Chosen {
    fn fits(&self, goods: &Goods) -> bool {
        let offered = self.size.is_some() || self.condition.is_some() || self.price.is_some();
        self.brand.is_none_or(|brand| goods.brand == Some(brand))
            && self.color.is_none_or(|color| goods.color == Some(color))
            && self.category.is_none_or(|category| goods.category.contains(&category))
            && (!offered || !self.offers(goods).is_empty())
    }

    /// The offers that fit.
    fn offers(&self, goods: &Goods) -> Vec<(&'static str, Condition, i64)> {
        let fits = |(size, condition, price): &(&str, Condition, i64)| {
            self.size.is_none_or(|wanted| wanted == *size)
                && self.condition.is_none_or(|(wanted, _)| wanted == *condition)
                && self.price.is_none_or(|(min, max)| (min..=max).contains(price))
        };
        goods.offers.iter().filter(|offer| fits(offer)).copied().collect()
    }

    fn input(&self, categories: &BTreeMap<String, Value>) -> Value {
        let mut filter = serde_json::Map::new();
        let mut put =
            |name: &str, value: Option<Value>| filter.extend(value.map(|value| (name.into(), value)));
        put("brands", self.brand.map(|brand| json!([brand.to_uppercase()])));
        put("attributes", self.color.map(|color| json!([{ "name": "color", "text": color }])));
        put("categoryId", self.category.map(|category| categories[category].clone()));
        put("sizes", self.size.map(|size| json!([size])));
        put("conditions", self.condition.map(|(_, name)| json!([name])));
        let range = |(min, max)| json!({ "currency": "USD", "minMinor": min, "maxMinor": max });
        put("priceRange", self.price.map(range));
        Value::Object(filter)
    }

    /// The facets, counted by hand.
    fn facets(&self, all: &[Goods]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut count = |chosen: Self, values: &dyn Fn(&Goods) -> Vec<String>| {
            for goods in all.iter().filter(|goods| chosen.fits(goods)) {
                let mut values = values(goods);
                values.sort();
                values.dedup();
                values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
            }
        };
        let line = |kind: &str, value: &str| format!("{kind} {value}");
        count(Self { brand: None, ..self.clone() }, &|goods| {
            goods.brand.map(|brand| line("brand", brand)).into_iter().collect()
        });
        count(Self { color: None, ..self.clone() }, &|goods| {
            goods.color.map(|color| line("color", color)).into_iter().collect()
        });
        count(Self { category: None, ..self.clone() }, &|goods| {
            goods.category.iter().map(|name| line("category", name)).collect()
        });
        let any_size = Self { size: None, ..self.clone() };
        count(any_size.clone(), &|goods| {
            any_size.offers(goods).iter().map(|(size, _, _)| line("size", size)).collect()
        });
        let any_condition = Self { condition: None, ..self.clone() };
        count(any_condition.clone(), &|goods| {
            let name = |wanted| CONDITIONS.iter().find(|(condition, _)| *condition == wanted).unwrap().1;
            any_condition
                .offers(goods)
                .iter()
                .map(|(_, condition, _)| line("condition", name(*condition)))
                .collect()
        });
        let any_price = Self { price: None, ..self.clone() };
        count(any_price.clone(), &|goods| {
            any_price
                .offers(goods)
                .iter()
                .map(|(_, _, price)| line("price", &range_of(*price).to_string()))
                .collect()
        });
        counts
    }
}

/// Where the range of a price of [`PRICES`] begins.
fn range_of(price: i64) -> i64 {
    match price {
        150 => 100,
        700 => 500,
        1_000 => 1_000,
        _ => 2_000,
    }
}

const QUERY: &str = "query($filter: SearchFilter) { search(query: \"thing\", filter: $filter, currency: \"USD\", first: 100) {
    totalCount nodes { id } facets { brands { value count } categories { category { name } count } conditions { condition count }
    sizes { value count } prices { minMinor count } attributes { name values { value count } } } } }";

/// The facets of an answer.
fn shown(facets: &Value) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    let mut add = |kind: &str, list: &Value, name: &str| {
        for value in list.as_array().unwrap() {
            let text = value.pointer(name).unwrap();
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            all.insert(format!("{kind} {text}"), value["count"].as_u64().unwrap());
        }
    };
    add("brand", &facets["brands"], "/value");
    add("category", &facets["categories"], "/category/name");
    add("condition", &facets["conditions"], "/condition");
    add("size", &facets["sizes"], "/value");
    add("price", &facets["prices"], "/minMinor");
    for attribute in facets["attributes"].as_array().unwrap() {
        add(attribute["name"].as_str().unwrap(), &attribute["values"], "/value");
    }
    all
}

async fn category_ids(market: &Market) -> BTreeMap<String, Value> {
    let mut ids = BTreeMap::new();
    for name in ["Shoes", "Sneakers", "Boots", "Hats"] {
        let query = "query($handle: String!) { category(handle: $handle) { id } }";
        let mut answer = ask(market, query, json!({ "handle": name.to_lowercase() })).await;
        ids.insert(name.into(), answer["category"]["id"].take());
    }
    ids
}

souk_test! {
    async fn facets_count_what_choosing_another_value_would_find(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let mut random = StdRng::seed_from_u64(7);
        let goods: Vec<Goods> = (0..60).map(|_| random_goods(&mut random)).collect();
        // Several commits, so that there are several segments, and changes, so that documents are replaced.
        for some in goods.chunks(9) {
            let listings = some.iter().map(|goods| NewListing {
                variants: match goods.offers.is_empty() {
                    true => vec![NewVariant::default()],
                    false => goods.listing(&ada).variants,
                },
                ..goods.listing(&ada)
            });
            let loaded = load(market.env("catalog"), listings.collect()).await.unwrap();
            assert_eq!(loaded.refused, []);
            caught_up(market).await;
        }
        let categories = category_ids(market).await;
        for round in 0..60 {
            let chosen = if round == 0 { Chosen::default() } else { random_choice(&mut random) };
            let answer = ask(market, QUERY, json!({ "filter": chosen.input(&categories) })).await["search"].take();
            let fitting = goods.iter().filter(|goods| chosen.fits(goods)).count();
            assert_eq!(answer["totalCount"], fitting, "{chosen:?}");
            assert_eq!(answer["nodes"].as_array().unwrap().len(), fitting, "{chosen:?}");
            assert_eq!(shown(&answer["facets"]), chosen.facets(&goods), "{chosen:?}");
        }
    }

    async fn a_number_is_a_facet_once_it_is_filterable(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        follow(&market.souk);
        let year = |title, year: &str| NewListing {
            attributes: vec![Named { name: "year".into(), value: Attribute::Number(year.parse().unwrap()) }],
            ..Goods::titled(title).listing(&ada)
        };
        let books = vec![year("Old", "-750"), year("New", "2016"), year("Half", "1999.5")];
        load(market.env("catalog"), books).await.unwrap();
        caught_up(market).await;
        let facets = "{ search { facets { attributes { name values { value count } } } } }";
        assert_eq!(ask(market, facets, json!({})).await["search"]["facets"]["attributes"], json!([]));
        let define = "mutation { defineAttribute(input: { name: \"year\", label: \"Year\", kind: NUMBER, filterable: true }) {
            attribute { filterable } userErrors { code } } }";
        market.data("catalog", Some(&admin), define, json!({})).await;
        caught_up(market).await;
        let answer = ask(market, facets, json!({})).await["search"]["facets"]["attributes"].take();
        assert_eq!(answer[0]["values"].as_array().unwrap().len(), 3);
        let of = |filter: &str| format!("filter: {{ attributes: [{{ name: \"year\", {filter} }}] }}");
        assert_eq!(found(market, &of("min: \"1999\"")).await, ["Half", "New"]);
        assert_eq!(found(market, &of("min: \"-800\", max: \"1999.5\"")).await, ["Half", "Old"]);
        assert_eq!(found(market, &of("text: \"2016\"")).await, ["New"]);
    }

    async fn facets_are_the_same_however_they_are_asked_for(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let nike = Goods { brand: Some("Nike"), color: Some("red"), ..Goods::titled("Runner") };
        sell(market, &ada, &[nike, Goods { brand: Some("Puma"), ..Goods::titled("Ball") }]).await;
        let facets = async |value: &str, prices: &str| {
            let query = format!("{{ search(currency: \"USD\") {{ facets {{ brands {{ {value} }}
                sizes {{ {value} }} attributes {{ name values {{ {value} }} }} prices {{ {prices} }} }} }} }}");
            ask(market, &query, json!({})).await["search"]["facets"].take()
        };
        let plain = facets("value count", "minMinor maxMinor count").await;
        assert_eq!(plain["brands"], json!([{ "value": "Nike", "count": 1 }, { "value": "Puma", "count": 1 }]));
        assert_eq!(plain["attributes"], json!([{ "name": "color", "values": [{ "value": "red", "count": 1 }] }]));
        assert_eq!(plain["prices"], json!([{ "minMinor": 1_000, "maxMinor": 1_999, "count": 2 }]));
        let fragments = facets(
            "... on FacetValue { value } ... { count }",
            "minMinor @include(if: true) maxMinor count @skip(if: true) ... on FacetPrices { count }",
        );
        assert_eq!(fragments.await, plain);
        let named = facets("of: __typename is: value n: count", "n: count").await;
        assert_eq!(named["sizes"], json!([{ "of": "FacetValue", "is": "M", "n": 2 }]));
        assert_eq!(named["prices"], json!([{ "n": 2 }]));
    }

    async fn one_offer_must_be_all_that_is_wanted(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let mixed = Goods { offers: vec![("S", Condition::New, 500), ("L", Condition::Good, 100)], ..Goods::titled("Mixed") };
        sell(market, &ada, &[mixed]).await;
        for (filter, count) in [
            ("sizes: [\"S\"]", 1),
            ("sizes: [\"S\"], conditions: [NEW]", 1),
            ("sizes: [\"S\"], conditions: [GOOD]", 0),
            ("sizes: [\"S\", \"L\"], conditions: [GOOD]", 1),
            ("priceRange: { currency: \"USD\", maxMinor: 100 }", 1),
            ("priceRange: { currency: \"USD\", maxMinor: 99 }", 0),
            ("priceRange: { currency: \"EUR\" }", 0),
            ("priceRange: { currency: \"USD\", minMinor: 101 }, sizes: [\"L\"]", 0),
            ("inStock: true", 0),
            ("inStock: false", 1),
            (&format!("sellerId: \"{}\"", ada.seller.unwrap()), 1),
            (&format!("sellerId: \"{}\"", contract::SellerId::new()), 0),
            ("brands: [\"none\"]", 0),
            ("sizes: [\"XXL\"]", 0),
        ] {
            assert_eq!(found(market, &format!("filter: {{ {filter} }}")).await.len(), count, "{filter}");
        }
    }

    async fn what_is_sold_out_is_counted_as_it_is_found(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let mut random = StdRng::seed_from_u64(11);
        let goods: Vec<Goods> = (0..40).map(|_| random_goods(&mut random)).collect();
        sell(market, &ada, &goods.iter().filter(|goods| !goods.offers.is_empty()).cloned().collect::<Vec<_>>()).await;
        stock_half(market).await;
        let query = |filter: &str| format!("{{ search(filter: {{ {filter} }}, currency: \"USD\", first: 100) {{ totalCount nodes {{ id }}
            facets {{ inStock conditions {{ condition count }} sizes {{ value count }} prices {{ minMinor maxMinor count }} }} }} }}");
        let count = async |filter: String| ask(market, &query(&filter), json!({})).await["search"]["totalCount"].as_u64().unwrap();
        for stock in ["inStock: true", "inStock: false"] {
            for more in ["", ", conditions: [NEW]", ", sizes: [\"S\", \"L\"]", ", priceRange: { currency: \"USD\", maxMinor: 1000 }"] {
                let filter = format!("{stock}{more}");
                let facets = ask(market, &query(&filter), json!({})).await["search"]["facets"].take();
                let mut expected = vec![];
                for (kind, values) in [("condition", &facets["conditions"]), ("value", &facets["sizes"]), ("minMinor", &facets["prices"])] {
                    for value in values.as_array().unwrap() {
                        let own = match kind {
                            "condition" => format!("conditions: [{}]", value[kind].as_str().unwrap()),
                            "value" => format!("sizes: [{}]", value[kind]),
                            _ => format!("priceRange: {{ currency: \"USD\", minMinor: {}, maxMinor: {} }}", value[kind], value["maxMinor"]),
                        };
                        // Another value of the facet's own filter instead of the one that is chosen.
                        let others = if more.contains(&own[..5]) { "" } else { more };
                        expected.push((own.clone(), value["count"].as_u64().unwrap(), count(format!("{stock}, {own}{others}")).await));
                    }
                }
                assert!(!expected.is_empty(), "{filter}");
                for (own, counted, found) in expected {
                    assert_eq!(counted, found, "{own} of {filter}");
                }
            }
        }
        let (all, some, none) = (count(String::new()).await, count("inStock: true".into()).await, count("inStock: false".into()).await);
        assert!(some > 0 && none > 0 && some + none == all, "{some} + {none} = {all}");
    }
}

/// Says that there are pieces of every second offer.
async fn stock_half(market: &Market) {
    use entity::catalog::offer;
    use sea_orm::{EntityTrait, QueryOrder};
    let offers = offer::Entity::find()
        .order_by_asc(offer::Column::Id)
        .all(market.env("catalog").db.read())
        .await
        .unwrap();
    let now = market.clock.now();
    chassis::tx::apply(&market.env("inventory").db, async |tx| {
        for offer in offers.iter().step_by(2) {
            let said = contract::event::inventory::StockChanged {
                offer_id: offer.id,
                variant_id: offer.variant_id,
                seller_id: offer.seller_id,
                on_hand: 1,
                reserved: 0,
                available: 1,
                sequence: 1,
            };
            let about = chassis::outbox::about("stock_level", offer.id, 1);
            chassis::outbox::say(tx, now, about, said).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    caught_up(market).await;
}
