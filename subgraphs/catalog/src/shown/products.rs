//! Lists of products.

use chassis::Failure;
use chassis::page::Page;
use contract::{CategoryId, CurrencyCode, ProductId, SellerId};
use entity::catalog::{Publication, product};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::number::Number;
use crate::sql::Sql;

/// Which products to list.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) publication: Publication,
    /// Who created them.
    pub(crate) creator: Option<SellerId>,
    /// In lower case.
    pub(crate) brand: Option<String>,
    /// In it or anywhere below.
    pub(crate) category: Option<CategoryId>,
    /// All of them hold.
    pub(crate) attributes: Vec<(String, Test)>,
    /// There is an offer like this that can be bought.
    pub(crate) offer: Option<OfferFilter>,
}

/// What one attribute must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    /// One of these texts; at least one.
    AnyOf(Vec<String>),
    /// Between the two, inclusive.
    Range(Option<Number>, Option<Number>),
    Is(bool),
}

/// What one offer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfferFilter {
    pub(crate) seller: Option<SellerId>,
    pub(crate) price: Option<PriceRange>,
    /// Whether one that is all of this is in stock.
    pub(crate) in_stock: Option<bool>,
}

/// Prices in one currency, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PriceRange {
    pub(crate) currency: CurrencyCode,
    pub(crate) min_minor: Option<i64>,
    pub(crate) max_minor: Option<i64>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Newest,
    Title,
    /// By the lowest price in a currency of the offers that fit the filter; products without one are left out.
    Price(CurrencyCode, Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    Up,
    Down,
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    Newest(ProductId),
    Title(String, ProductId),
    Price(CurrencyCode, Direction, i64, ProductId),
}

/// A product of a list, and its price if the list is sorted by it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Row {
    pub(crate) price_minor: i64,
    #[sea_orm(nested)]
    pub(crate) product: product::Model,
}

impl Place {
    pub(crate) fn of(sort: Sort, row: &Row) -> Self {
        let product = &row.product;
        match sort {
            Sort::Newest => Self::Newest(product.id),
            Sort::Title => Self::Title(product.title_key.clone(), product.id),
            Sort::Price(currency, direction) => Self::Price(currency, direction, row.price_minor, product.id),
        }
    }

    /// Whether it belongs to a list in this order.
    pub(crate) fn fits(&self, sort: Sort) -> bool {
        match self {
            Self::Newest(_) => sort == Sort::Newest,
            // No title has a NUL in it, and PostgreSQL cannot even compare with one.
            Self::Title(title, _) => sort == Sort::Title && !title.contains('\0'),
            Self::Price(currency, direction, ..) => sort == Sort::Price(*currency, *direction),
        }
    }
}

/// A page of products, and one more when there is a next page.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    sort: Sort,
    page: &Page<Place>,
) -> Result<Vec<Row>, Failure> {
    let mut sql = match sort {
        Sort::Price(currency, _) => by_price(filter, currency),
        Sort::Newest | Sort::Title => {
            Sql::new("select cast(0 as bigint) as price_minor, p.* from product p where ")
        }
    };
    sql.push("p.publication = ").bind(filter.publication);
    restrict(&mut sql, filter);
    turn_page(&mut sql, page.after.as_ref());
    sql.push(match sort {
        Sort::Newest => " order by p.id desc",
        Sort::Title => " order by p.title_key, p.id",
        Sort::Price(_, Direction::Up) => " order by o.price_minor, o.product_id",
        Sort::Price(_, Direction::Down) => " order by o.price_minor desc, o.product_id desc",
    });
    sql.push(" limit ").bind(page.rows() as i64);
    Ok(Row::find_by_statement(sql.statement(db)).all(db).await?)
}

/// Products by their cheapest offers that fit: a walk along the prices that ends with the page.
fn by_price(filter: &Filter, currency: CurrencyCode) -> Sql {
    let fits = filter.offer.unwrap_or_default();
    let mut sql = Sql::new(
        "select o.price_minor, p.* from offer o join product p on p.id = o.product_id where o.currency = ",
    );
    sql.bind(currency.as_str()).push(" and ");
    buyable(&mut sql, "o", fits);
    sql.push(" and not exists (select 1 from offer c where c.product_id = o.product_id and c.currency = o.currency and ");
    sql.push("(c.price_minor, c.id) < (o.price_minor, o.id) and ");
    buyable(&mut sql, "c", fits);
    sql.push(") and ");
    sql
}

fn restrict(sql: &mut Sql, filter: &Filter) {
    if let Some(creator) = filter.creator {
        sql.push(" and p.seller_id = ").bind(creator);
    }
    if let Some(brand) = &filter.brand {
        sql.push(" and p.brand_key = ").bind(brand.as_str());
    }
    if let Some(category) = filter.category {
        sql.push(" and exists (select 1 from product_category pc where pc.product_id = p.id and pc.category_id in (");
        push_subtree(sql, category);
        sql.push("))");
    }
    for (name, test) in &filter.attributes {
        restrict_attribute(sql, name, test);
    }
    if let Some(offer) = filter.offer {
        restrict_offer(sql, offer);
    }
}

/// The ids of a category and of all below it.
fn push_subtree(sql: &mut Sql, category: CategoryId) {
    sql.push(
        "select c.id from category c join category top on c.path = top.path or c.path like top.path || '/%' \
         where top.id = ",
    )
    .bind(category);
}

fn restrict_attribute(sql: &mut Sql, name: &str, test: &Test) {
    sql.push(" and p.id in (select a.product_id from product_attribute a where a.name = ").bind(name);
    match test {
        Test::AnyOf(texts) => {
            sql.push(" and a.text_value in ").bind_list(texts.iter().map(String::as_str));
        }
        Test::Range(min, max) => {
            sql.push(" and a.number_micro is not null");
            if let Some(min) = min {
                sql.push(" and a.number_micro >= ").bind(min.micro);
            }
            if let Some(max) = max {
                sql.push(" and a.number_micro <= ").bind(max.micro);
            }
        }
        Test::Is(answer) => {
            sql.push(" and a.bool_value = ").bind(*answer);
        }
    }
    sql.push(")");
}

fn restrict_offer(sql: &mut Sql, wanted: OfferFilter) {
    let any = OfferFilter { in_stock: None, ..wanted };
    if wanted.in_stock != Some(false) {
        restrict_to_offered(sql, "exists", wanted);
    } else {
        if any != OfferFilter::default() {
            restrict_to_offered(sql, "exists", any);
        }
        restrict_to_offered(sql, "not exists", OfferFilter { in_stock: Some(true), ..any });
    }
}

fn restrict_to_offered(sql: &mut Sql, exists: &str, wanted: OfferFilter) {
    sql.push(" and ").push(exists).push(" (select 1 from offer f where f.product_id = p.id and ");
    buyable(sql, "f", wanted);
    sql.push(")");
}

/// That the offer called `name` can be bought and is what is wanted.
fn buyable(sql: &mut Sql, name: &str, wanted: OfferFilter) {
    let column = |column: &str| format!("{name}.{column}");
    sql.push(&column("publication")).push(" = 'published' and ").push(&column("seller_id"));
    sql.push(" in (select s.id from seller s where s.status = 'verified')");
    if let Some(seller) = wanted.seller {
        sql.push(" and ").push(&column("seller_id")).push(" = ").bind(seller);
    }
    if let Some(price) = wanted.price {
        sql.push(" and ").push(&column("currency")).push(" = ").bind(price.currency.as_str());
        sql.push(" and ").push(&column("price_minor")).push(" >= ").bind(price.min_minor.unwrap_or(0));
        sql.push(" and ").push(&column("price_minor")).push(" <= ").bind(price.max_minor.unwrap_or(i64::MAX));
    }
    if let Some(in_stock) = wanted.in_stock {
        sql.push(" and ").push(&column("available")).push(if in_stock { " > 0" } else { " <= 0" });
    }
}

fn turn_page(sql: &mut Sql, after: Option<&Place>) {
    match after {
        None => {}
        Some(Place::Newest(id)) => {
            sql.push(" and p.id < ").bind(*id);
        }
        Some(Place::Title(title, id)) => {
            sql.push(" and (p.title_key, p.id) > (").bind(title.as_str()).push(", ").bind(*id).push(")");
        }
        Some(Place::Price(_, direction, price, id)) => {
            let beyond = if *direction == Direction::Up { ">" } else { "<" };
            sql.push(" and (o.price_minor, o.product_id) ").push(beyond);
            sql.push(" (").bind(*price).push(", ").bind(*id).push(")");
        }
    }
}

/// A page of the published products of one category or below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InCategory {
    pub(crate) category: CategoryId,
    pub(crate) first: u64,
    pub(crate) after: Option<Place>,
}

/// Pages of one statement: SQLite joins at most 500 selects.
pub(crate) const PAGES_MAX: usize = 100;

#[derive(FromQueryResult)]
struct Listed {
    page: i64,
    #[sea_orm(nested)]
    product: product::Model,
}

/// The products of many pages, newest first, with the index of their page.
pub(crate) async fn in_categories(
    db: &impl ConnectionTrait,
    pages: &[InCategory],
) -> Result<Vec<(usize, product::Model)>, Failure> {
    let mut sql = Sql::default();
    for (index, page) in pages.iter().enumerate() {
        let begin = if index == 0 { "select * from (select " } else { " union all select * from (select " };
        sql.push(begin).push(&format!(
            "cast({index} as bigint) as page, p.* from product p where p.publication = 'published'"
        ));
        sql.push(" and p.id in (select pc.product_id from product_category pc where pc.category_id in (");
        push_subtree(&mut sql, page.category);
        sql.push("))");
        turn_page(&mut sql, page.after.as_ref());
        sql.push(" order by p.id desc limit ")
            .bind(page.first as i64 + 1)
            .push(&format!(") as page_{index}"));
    }
    let rows = Listed::find_by_statement(sql.statement(db)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.page as usize, row.product)).collect())
}

/// A brand of published products.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Brand {
    pub(crate) brand_key: String,
    pub(crate) name: String,
    pub(crate) products: i64,
}

/// A page of brands, in the order of their names.
pub(crate) async fn brands(db: &impl ConnectionTrait, page: &Page<String>) -> Result<Vec<Brand>, Failure> {
    let mut sql = Sql::new(
        "select brand_key, min(brand) as name, count(*) as products from product \
         where publication = 'published' and brand_key is not null",
    );
    if let Some(after) = &page.after {
        sql.push(" and brand_key > ").bind(after.as_str());
    }
    sql.push(" group by brand_key order by brand_key limit ").bind(page.rows() as i64);
    Ok(Brand::find_by_statement(sql.statement(db)).all(db).await?)
}
