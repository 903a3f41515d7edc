//! The images of a product: addresses, in the order in which they show.

use chassis::auth::Viewer;
use chassis::{Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{ImageId, ProductId};
use entity::catalog::{image, product};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use std::collections::HashMap;

use crate::input::{Checks, Problem};
use crate::product::{Closed, Target, open, touch};

/// Images of a product.
const IMAGES_MAX: usize = 50;
/// Characters of an address.
const URL_LENGTH_MAX: usize = 2_048;
/// Characters of what an image shows.
const ALT_LENGTH_MAX: usize = 500;

/// An image to show.
#[derive(Clone, Debug)]
pub struct NewImage {
    pub url: String,
    /// What it shows, for those who cannot see it; may be empty.
    pub alt: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
}

/// Shows these images, in this order, and no others. An image that was there keeps its id.
pub async fn set(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    images: Vec<NewImage>,
) -> Outcome<product::Model, SetRefusal> {
    let mut checks = Checks::default();
    let images = checked(&mut checks, images);
    if let Err(problems) = checks.done() {
        return Ok(Err(SetRefusal::Invalid(problems)));
    }
    let product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(SetRefusal::Closed(closed))),
    };
    let of_product = image::Column::ProductId.eq(product.id);
    let known = image::Entity::find().filter(of_product.clone()).all(tx).await?;
    let known = known.into_iter().map(|image| (image.url, image.id)).collect();
    image::Entity::delete_many().filter(of_product).exec(tx).await?;
    if !images.is_empty() {
        image::Entity::insert_many(rows(product.id, images, known)).exec_without_returning(tx).await?;
    }
    Ok(Ok(touch(tx, now, product).await?))
}

pub(crate) fn checked(checks: &mut Checks, images: Vec<NewImage>) -> Vec<NewImage> {
    let images = checks.list("images", images, IMAGES_MAX);
    for (index, image) in images.iter().enumerate() {
        let twice = images[..index].iter().any(|earlier| earlier.url == image.url);
        checks.within(&format!("images.{index}"));
        checks.expect(!twice, "url", "is in the list twice");
        checks.expect(is_web_address(&image.url), "url", WEB_ADDRESS_RULE);
        checks.paragraphs("alt", &image.alt, ALT_LENGTH_MAX);
    }
    checks.within("");
    images
}

pub(crate) fn rows(
    product_id: ProductId,
    images: Vec<NewImage>,
    mut known: HashMap<String, ImageId>,
) -> Vec<image::ActiveModel> {
    let rows = (0..).zip(images).map(|(position, image)| image::Model {
        id: known.remove(&image.url).unwrap_or_else(ImageId::new),
        product_id,
        position,
        url: image.url,
        alt: image.alt,
    });
    rows.map(IntoActiveModel::into_active_model).collect()
}

const WEB_ADDRESS_RULE: &str =
    "must be an http or https address of at most 2048 ASCII characters, other characters percent-encoded";

/// Whether `url` is an absolute `http` or `https` address without a password in it.
fn is_web_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let web = ["http", "https"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    web && !host.is_empty()
        && !authority.contains('@')
        && url.len() <= URL_LENGTH_MAX
        && url.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_on_the_web() {
        for url in ["https://img.example/a.jpg", "HTTP://img.example:8080/a%20b?c=d#e", "https://[::1]/x"] {
            assert!(is_web_address(url), "{url}");
        }
        let long = format!("https://img.example/{}", "a".repeat(URL_LENGTH_MAX));
        for url in [
            "",
            "img.example/a.jpg",
            "//img.example/a.jpg",
            "ftp://img.example/a.jpg",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "https://",
            "https:///a",
            "https://user:pass@img.example/",
            "https://a b/",
            "https://img.example/ü",
            "https://img.example/\0",
            "https://img.example/\"onerror=",
            &long,
        ] {
            assert!(!is_web_address(url), "{url}");
        }
    }
}
