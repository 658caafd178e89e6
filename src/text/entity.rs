//! Things in a text that have a form of their own: telephone, identity and card numbers, addresses, links, amounts.
//! [`super::mask`] hides the personal ones; detectors use all of them as built-in markers.
//!
//! Works on the plain view, so digits in full width or circles are plain digits already. Digits written as Chinese
//! numerals (一三八零零…) and spaced or hyphenated ones (138-0013-8000) are found too, see [`super::numbers`].

use std::cell::RefCell;

use super::{numbers, patterns};

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// A link or a bare domain name.
    Url,
    /// An e-mail address.
    Email,
    /// An identity card: 18 characters with a right check character, or 15 plausible digits.
    IdCard,
    /// A bank card: 16 to 19 digits with a right Luhn digit.
    BankCard,
    /// A mobile number of mainland China.
    Phone,
    /// A landline with its area code.
    Landline,
    /// A service line (400-…, 800-…); nothing personal.
    Hotline,
    /// An account of QQ or WeChat named as such (`qq12345`, `微信号: abc_123`).
    Account,
    /// A house, building or flat number with what it belongs to.
    Address,
    /// A person named with 先生, 女士, 小姐, or after 收货人: and the like.
    PersonName,
    /// A day, with or without its year.
    Date,
    /// A sum of money.
    Amount,
    /// A long number that is none of these: an order, a waybill.
    OrderNumber,
}

impl EntityKind {
    /// Every kind; of two entities that overlap the one whose kind comes first is kept.
    pub const ALL: [EntityKind; 13] = [
        EntityKind::Url,
        EntityKind::Email,
        EntityKind::IdCard,
        EntityKind::BankCard,
        EntityKind::Phone,
        EntityKind::Landline,
        EntityKind::Hotline,
        EntityKind::Account,
        EntityKind::Address,
        EntityKind::PersonName,
        EntityKind::Date,
        EntityKind::Amount,
        EntityKind::OrderNumber,
    ];

    /// The stable name used in packs and outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            EntityKind::Url => "url",
            EntityKind::Email => "email",
            EntityKind::IdCard => "id_card",
            EntityKind::BankCard => "bank_card",
            EntityKind::Phone => "phone",
            EntityKind::Landline => "landline",
            EntityKind::Hotline => "hotline",
            EntityKind::Account => "account",
            EntityKind::Address => "address",
            EntityKind::PersonName => "person_name",
            EntityKind::Date => "date",
            EntityKind::Amount => "amount",
            EntityKind::OrderNumber => "order_number",
        }
    }
}

/// An entity and its byte range in the plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

thread_local! {
    static FOUND: RefCell<Vec<Entity>> = const { RefCell::new(Vec::new()) };
}

/// Writes the entities of a plain text into `out`, in order and without overlaps.
///
/// ```
/// use zhijian::text::{EntityKind, entities};
/// let text = "电话一三八零零一三八零零零,12月5日前付99.9元";
/// let mut found = Vec::new();
/// entities(text, &mut found);
/// let found: Vec<_> = found.iter().map(|e| (e.kind, &text[e.start..e.end])).collect();
/// assert_eq!(found, [
///     (EntityKind::Phone, "一三八零零一三八零零零"),
///     (EntityKind::Date, "12月5日"),
///     (EntityKind::Amount, "99.9元"),
/// ]);
/// ```
pub fn entities(plain: &str, out: &mut Vec<Entity>) {
    out.clear();
    FOUND.with_borrow_mut(|found| {
        found.clear();
        let hints = patterns::Hints::of(plain);
        if hints.digits >= 5 {
            numbers::find(plain, found);
        }
        patterns::find(plain, hints, found);
        found.sort_unstable_by_key(|e| (e.start, e.kind, std::cmp::Reverse(e.end)));
        for &entity in found.iter() {
            match out.last_mut() {
                Some(last) if entity.start < last.end => {
                    if entity.kind < last.kind {
                        *last = entity;
                    }
                }
                _ => out.push(entity),
            }
        }
    });
}
