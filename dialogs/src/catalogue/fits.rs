//! Which products belong to another one, by what they say of themselves.

use super::Product;
use super::values::parts;
use crate::text;
use std::collections::BTreeSet;

/// Attributes that name what a product fits, in the forms feeds use.
const NAMES: [&str; 12] = [
    "fits",
    "fits_model",
    "compatible",
    "compatible_with",
    "compatibility",
    "works_with",
    "for_model",
    "适用",
    "适用于",
    "适用机型",
    "适配",
    "兼容",
];

/// The attribute names other products.
pub(super) fn is_fit(attribute: &str) -> bool {
    NAMES.contains(&attribute)
}

pub(super) fn accessories(product: &Product, products: &[Product]) -> Vec<String> {
    let itself = names_of(product);
    let kinds = kinds_of(product);
    let mut found: Vec<(bool, bool, u32, &str)> = products
        .iter()
        .filter(|other| other.id != product.id)
        .filter_map(|other| {
            let fits = fitting(other);
            let names_it = fits.iter().any(|part| itself.contains(part));
            let names_kind = fits.iter().any(|part| kinds.contains(part));
            (names_it || names_kind).then_some((
                !names_it,
                !other.in_stock(),
                other.line,
                other.id.as_str(),
            ))
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, _, _, id)| id.to_owned())
        .collect()
}

/// What a product says it fits, folded.
fn fitting(product: &Product) -> Vec<String> {
    product
        .attributes
        .iter()
        .filter(|(name, _)| is_fit(name))
        .flat_map(|(_, value)| value.texts().flat_map(|(_, text)| parts(text)))
        .map(|part| text::fold(&part))
        .collect()
}

/// Id, titles, models and numbers of the product itself.
fn names_of(product: &Product) -> BTreeSet<String> {
    let numbers = [&product.mpn, &product.gtin, &product.item_group_id];
    let mut names: BTreeSet<String> = numbers
        .into_iter()
        .flatten()
        .chain([&product.id])
        .map(|number| text::fold(number))
        .collect();
    for (_, title) in product.title.texts() {
        let title = text::fold(title);
        names.extend(super::terms::models(&title));
        names.extend(super::terms::without_brand(product, &title));
        names.insert(title);
    }
    names
}

fn kinds_of(product: &Product) -> BTreeSet<String> {
    let names = product.product_type.iter().flat_map(|name| name.texts());
    names
        .map(|(_, name)| text::fold(name))
        .chain(product.type_keys.iter().cloned())
        .collect()
}
