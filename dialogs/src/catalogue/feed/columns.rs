//! The columns of product data: which are fields of a product, which tell a customer nothing, and what shops call them.

use crate::text;

/// Columns that may stand more than once.
pub(super) const REPEATABLE: [&str; 3] = [
    "product_detail",
    "product_highlight",
    "additional_image_link",
];

/// Columns that are fields of a product.
const FIELDS: [&str; 18] = [
    "id",
    "title",
    "description",
    "link",
    "image_link",
    "availability",
    "availability_date",
    "price",
    "sale_price",
    "sale_price_effective_date",
    "brand",
    "gtin",
    "mpn",
    "product_type",
    "google_product_category",
    "item_group_id",
    "product_detail",
    "product_highlight",
];

/// Google's columns that tell a customer nothing, or that a customer must not be told; every other column becomes an attribute.
const UNTOLD: [&str; 57] = [
    "",
    "additional_image_link",
    "ads_grouping",
    "ads_labels",
    "ads_redirect",
    "adult",
    "auto_pricing_min_price",
    "canonical_link",
    "checkout_link_template",
    "cloud_export_additional_properties",
    "cost_of_goods_sold",
    "custom_label_0",
    "custom_label_1",
    "custom_label_2",
    "custom_label_3",
    "custom_label_4",
    "disclosure_date",
    "display_ads_id",
    "display_ads_link",
    "display_ads_similar_ids",
    "display_ads_title",
    "display_ads_value",
    "excluded_destination",
    "expiration_date",
    "external_seller_id",
    "free_shipping_threshold",
    "guid",
    "identifier_exists",
    "included_destination",
    "is_bundle",
    "lifestyle_image_link",
    "link_template",
    "loyalty_program",
    "max_handling_time",
    "maximum_retail_price",
    "min_handling_time",
    "mobile_link",
    "mobile_link_template",
    "multipack",
    "pause",
    "pickup_method",
    "pickup_sla",
    "promotion_id",
    "pubdate",
    "published",
    "return_policy_label",
    "shipping",
    "shipping_label",
    "shipping_weight",
    "short_title",
    "shopping_ads_excluded_country",
    "tax",
    "tax_category",
    "transit_time_label",
    "unit_pricing_base_measure",
    "unit_pricing_measure",
    "updated",
];

/// What shops call Google's columns in their own tables, folded.
const OTHER_NAMES: [(&str, &[&str]); 10] = [
    (
        "id",
        &[
            "sku",
            "product_id",
            "商品编号",
            "商品编码",
            "商品id",
            "编号",
            "货号",
        ],
    ),
    (
        "title",
        &[
            "name",
            "product_name",
            "标题",
            "商品标题",
            "名称",
            "商品名称",
            "品名",
        ],
    ),
    ("description", &["描述", "商品描述", "详情", "简介"]),
    ("price", &["价格", "售价", "单价"]),
    ("sale_price", &["促销价", "活动价", "特价"]),
    (
        "availability",
        &["stock_status", "库存状态", "供货状态", "库存"],
    ),
    ("brand", &["品牌"]),
    (
        "product_type",
        &["category", "类目", "分类", "商品分类", "品类"],
    ),
    ("link", &["url", "链接", "商品链接"]),
    ("image_link", &["image_url", "图片", "图片链接", "主图"]),
];

/// Folded, with `_` for spaces: `Image Link` and `image_link` are one column; `g:id` is `id`.
pub(super) fn column_key(name: &str) -> String {
    let folded = text::fold(name).replace(' ', "_");
    match folded.strip_prefix("g:") {
        Some(own) => own.to_owned(),
        None => folded,
    }
}

/// Google's name for a column that a shop calls otherwise.
pub(super) fn known_name(key: &str) -> String {
    OTHER_NAMES
        .iter()
        .find(|(_, others)| others.contains(&key))
        .map_or(key, |(name, _)| name)
        .to_owned()
}

/// A product feed may have it.
pub(super) fn is_known(key: &str) -> bool {
    FIELDS.contains(&key) || (!key.is_empty() && UNTOLD.contains(&key))
}

/// A column that customers may be told of as it stands.
pub(super) fn is_attribute(key: &str) -> bool {
    // `shipping(country:price)` names the parts of its values.
    let name = key.split('(').next().unwrap_or(key);
    !FIELDS.contains(&name) && !UNTOLD.contains(&name)
}
