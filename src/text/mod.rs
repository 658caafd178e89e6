//! Text as the detectors see it: views of a turn, each with an exact map back to the original bytes.
//!
//! People disguise words (`加 薇❤信`, `ＶＸ`, `➕ｖ`), recognisers write homophones, shops write traditional characters.
//! Every such difference is removed once, here, and never in the detectors: a phrase and a turn go through the same
//! functions, then plain substring search finds the one in the other. What is shown to people is always the original,
//! so each view knows for every byte which original bytes it stands for.
//!
//! | view | made by | what is gone |
//! | --- | --- | --- |
//! | plain | [`plain`] | width, case, traditional forms, enclosed letters, invisible characters |
//! | squeezed | [`squeezed`] | besides: spaces, punctuation, emoji, look-alikes, Chinese numerals |
//! | pinyin | [`pinyin`] | besides: which character a syllable was written with |
//!
//! ```
//! use zhijian::text::{self, View};
//! let original = "亲，加 薇❤️信 聊";
//! let (mut plain, mut squeezed) = (View::default(), View::default());
//! text::plain(original, &mut plain);
//! text::squeezed(&plain, &mut squeezed);
//! assert_eq!(plain.text(), "亲,加 薇❤信 聊");
//! assert_eq!(squeezed.text(), "亲加微信聊");
//! let hit = squeezed.text().find(&text::squeezed_phrase("加微信")).unwrap();
//! assert_eq!(squeezed.original(hit..hit + "加微信".len()).slice(original), "加 薇❤️信");
//! ```

mod chars;
mod checks;
mod clause;
mod digits;
mod entity;
mod fingerprint;
mod folds;
mod message;
mod normalise;
mod numbers;
mod patterns;
mod pii;
mod pinyin;
mod plate;
#[cfg(test)]
mod properties;
mod regex_fold;
mod segment;
mod squeeze;
mod traditional;
mod view;

pub use clause::{clause_range, is_question, sentence_range};
pub use digits::{is_number_phrase, is_part_of_code};
pub use entity::{Entity, EntityKind, entities};
pub use fingerprint::Fingerprint;
pub use message::trim_message;
pub use normalise::plain;
pub use pii::{mask, mask_part, mask_spans};
pub use pinyin::{at_token_boundaries as pinyin_boundaries, pinyin};
pub use regex_fold::squeezed_regex;
pub use segment::{Dictionary, Segmenter};
pub use squeeze::squeezed;
pub use view::View;

/// A phrase as it looks in the plain view.
///
/// ```
/// assert_eq!(zhijian::text::plain_phrase("加ＶＸ，謝謝"), "加vx,谢谢");
/// ```
pub fn plain_phrase(phrase: &str) -> String {
    let mut view = View::default();
    plain(phrase, &mut view);
    view.into_text()
}

/// True for letters and digits of any script: as `char::is_alphanumeric`, sooner for Chinese characters.
///
/// ```
/// use zhijian::text::is_letter;
/// assert_eq!(["退", "a", "5", "５", "，", " ", "😀"].map(|c| c.chars().all(is_letter)), [true, true, true, true, false, false, false]);
/// ```
#[inline]
pub fn is_letter(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}') || c.is_alphanumeric()
}

/// A phrase as it looks in the squeezed view.
///
/// ```
/// assert_eq!(zhijian::text::squeezed_phrase("全网第一！"), "全网第1");
/// assert_eq!(zhijian::text::squeezed_phrase("五星 好评"), "5星好评");
/// ```
pub fn squeezed_phrase(phrase: &str) -> String {
    let (mut view, mut out) = (View::default(), View::default());
    plain(phrase, &mut view);
    squeezed(&view, &mut out);
    out.into_text()
}

/// A phrase as it looks in the pinyin view; it may be written in characters, in pinyin, or mixed.
///
/// ```
/// assert_eq!(zhijian::text::pinyin_phrase("加微信"), "jia wei xin");
/// assert_eq!(zhijian::text::pinyin_phrase("jia weixin"), "jia wei xin");
/// ```
pub fn pinyin_phrase(phrase: &str) -> String {
    let (mut view, mut out) = (View::default(), View::default());
    plain(phrase, &mut view);
    pinyin(&view, &mut out);
    out.into_text()
}
