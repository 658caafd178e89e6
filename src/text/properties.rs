//! Properties that hold for every text, whatever is in it.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static SEGMENTER: LazyLock<Segmenter> = LazyLock::new(|| Segmenter::new("好评返现 100 n").expect("a valid dictionary"));

/// Pieces in which something depends on what stands beside them.
#[rustfmt::skip]
const CONTEXT: &[&str] = &[
    "乾", "乾隆", "瞭解", "不瞭", "著", "著名", "覆", "反覆", "於", "藉口", "徵", "甚", "麼", "么", "傢俱", "沈", "鍾", "吒",
    "+", "＋", "++", "⭐", "★★★★★", "五⭐", "维信", "息", "力口", "能", "打", "扫马", "桶", "辣鸡", "麻", "地", "一样",
    "保正", "品", "v信", "v", "芯", "微芯片", "瑜伽", "扣", "扣扣", "书", "架微", "脑参", "电", "数",
];

/// Pieces that become the same wherever they stand.
#[rustfmt::skip]
const FREE: &[&str] = &[
    "您好", "客服", "加", "微", "薇❤信", "，", "。", "！", "？", " ", "\u{3000}", "\n", "\t", "…", "~", ",",
    ".", ":", "a", "Z", "Ｖ", "vx", "weixin", "jia", "①", "㈠", "㎏", "Ⓥ", "🅰", "🆔", "🔟",
    "👨\u{200d}👩\u{200d}👧", "👍🏻", "❤\u{fe0f}", "1\u{fe0f}\u{20e3}", "🐧", "🧧", "e\u{301}",
    "\u{200b}", "\u{202e}", "\u{ad}", "ﬁ", "ﷺ", "ｶﾞ", "한글", "ไทย", "𠀀", "𝐚", "豈", "⼀", "訊號", "歡迎",
    "一", "二", "三八", "零", "五", "0", "1", "138", "13800138000", "010-", "6222021234567890128",
    "11010519491231002X", "86", "-", "先生", "小姐", "王", "小明", "女士", "@qq.com", "abc@d.cn", "号", "栋",
    "室", "502", "路", "单元", "元", "¥", "月", "日", "https://a.cn/", "订单", "*", "吗", "呢", "没有", "[微笑]",
    "#E-s12", "/:8-)", "亲", "的", "什么", "İ", "ß", "\u{0}", "½", "´",
];

fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(of)
}

/// Texts of pieces that depend on nothing beside them.
fn free_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(pieces(FREE), 0..14).prop_map(|p| p.concat())
}

/// Any text: pieces of all kinds, or any Unicode.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => pieces(FREE).prop_map(str::to_owned),
        3 => pieces(CONTEXT).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        4 => proptest::collection::vec(piece, 0..16).prop_map(|p| p.concat()),
        1 => any::<String>(),
    ]
}

/// The three views of a text.
fn views(text: &str) -> [View; 3] {
    let [mut plain, mut squeezed, mut pinyin] = [(); 3].map(|()| View::default());
    super::plain(text, &mut plain);
    super::squeezed(&plain, &mut squeezed);
    super::pinyin(&plain, &mut pinyin);
    [plain, squeezed, pinyin]
}

fn chars(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    text.char_indices().map(|(at, c)| at..at + c.len_utf8())
}

proptest! {
    #[test]
    fn spans_fall_on_characters_and_are_monotone(text in any_text()) {
        for view in views(&text) {
            let mut last = (0, 0);
            for range in chars(view.text()) {
                let span = view.original(range.clone());
                let (start, end) = (span.start as usize, span.end as usize);
                prop_assert!(start < end && end <= text.len());
                prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
                prop_assert!(last.0 <= start && last.1 <= end, "{:?} {last:?} {span:?}", view);
                last = (start, end);
                let empty = view.original(range.start..range.start);
                prop_assert!(empty.is_empty() && empty.start as usize == start);
            }
            let whole = view.original(0..view.len());
            let parts: Vec<_> = chars(view.text()).map(|r| view.original(r)).collect();
            if let (Some(first), Some(last)) = (parts.first(), parts.last()) {
                prop_assert_eq!((whole.start, whole.end), (first.start, last.end));
            }
        }
    }

    #[test]
    fn positions_are_found_again(text in any_text()) {
        for view in views(&text) {
            for original in 0..=text.len() + 1 {
                let naive = chars(view.text())
                    .find(|r| view.original(r.clone()).start as usize >= original)
                    .map_or(view.len(), |r| r.start);
                prop_assert_eq!(view.position_of(original), naive, "{:?} {}", view, original);
            }
        }
    }

    #[test]
    fn what_is_quoted_holds_what_was_found(text in free_text(), from in any::<proptest::sample::Index>(), to in any::<proptest::sample::Index>()) {
        let again: [fn(&str) -> String; 2] = [plain_phrase, squeezed_phrase];
        for (view, again) in views(&text).iter().zip(again) {
            let bounds: Vec<usize> = chars(view.text()).map(|r| r.start).chain([view.len()]).collect();
            let (a, b) = (bounds[from.index(bounds.len())], bounds[to.index(bounds.len())]);
            let range = a.min(b)..a.max(b);
            let quote = view.original(range.clone()).slice(&text);
            prop_assert!(again(quote).contains(&view.text()[range.clone()]), "{quote:?} {:?}", &view.text()[range]);
        }
    }

    #[test]
    fn pinyin_tokens_quote_what_they_stand_for(text in free_text()) {
        let [_, _, view] = views(&text);
        prop_assert!(!view.text().contains("  ") && view.text().trim() == view.text());
        let mut at = 0;
        for token in view.text().split_terminator(' ') {
            let range = at..at + token.len();
            prop_assert!(pinyin_boundaries(view.text(), range.clone()));
            let quote = view.original(range).slice(&text);
            prop_assert!(pinyin_phrase(quote).contains(token), "{quote:?} {token}");
            at += token.len() + 1;
        }
    }

    #[test]
    fn plain_is_idempotent(text in any_text()) {
        let once = plain_phrase(&text);
        prop_assert_eq!(&plain_phrase(&once), &once);
    }

    #[test]
    fn views_reused_are_as_new(first in any_text(), second in any_text()) {
        let mut reused = views(&first);
        let [plain, squeezed, pinyin] = &mut reused;
        super::plain(&second, plain);
        super::squeezed(plain, squeezed);
        super::pinyin(plain, pinyin);
        for (reused, new) in reused.iter().zip(views(&second)) {
            prop_assert_eq!(reused.text(), new.text());
            for range in chars(new.text()) {
                prop_assert_eq!(reused.original(range.clone()), new.original(range));
            }
        }
    }

    /// A phrase is found in every text that holds it between characters that join with nothing.
    #[test]
    fn phrases_fold_as_texts_do(before in any_text(), phrase in any_text(), after in any_text()) {
        let text = format!("{before}甲。{phrase}。甲{after}");
        let [plain, squeezed, pinyin] = views(&text);
        prop_assert!(plain.text().contains(&plain_phrase(&phrase)));
        prop_assert!(squeezed.text().contains(&squeezed_phrase(&phrase)), "{:?}", squeezed.text());
        prop_assert!(pinyin.text().contains(&pinyin_phrase(&phrase)));
    }

    #[test]
    fn words_are_the_text(text in any_text()) {
        let plain = plain_phrase(&text);
        prop_assert_eq!(SEGMENTER.words(&plain).concat(), plain.as_str());
        let mut boundaries = Vec::new();
        SEGMENTER.cut_into(&plain, &mut boundaries);
        prop_assert_eq!(boundaries[0], 0);
        prop_assert_eq!(*boundaries.last().unwrap() as usize, plain.len());
        prop_assert!(boundaries.windows(2).all(|w| w[0] < w[1]));
        prop_assert!(boundaries.iter().all(|&b| plain.is_char_boundary(b as usize)));
    }

    #[test]
    fn sentences_and_clauses_cover_the_text(text in any_text()) {
        let plain = plain_phrase(&text);
        for (range, within) in [(sentence_range as fn(&str, usize) -> _, None), (clause_range, Some(sentence_range as fn(&str, usize) -> std::ops::Range<usize>))] {
            let mut at = 0;
            while at < plain.len() {
                let part = range(&plain, at);
                prop_assert_eq!(part.start, at);
                prop_assert!(part.end > at && plain.is_char_boundary(part.end));
                for (inner, _) in plain[part.clone()].char_indices() {
                    prop_assert_eq!(range(&plain, at + inner), part.clone());
                }
                if let Some(outer) = within {
                    let outer = outer(&plain, at);
                    prop_assert!(outer.start <= part.start && part.end <= outer.end);
                }
                at = part.end;
            }
            let end = range(&plain, plain.len());
            prop_assert_eq!(end.end, plain.len());
        }
        is_question(&plain, plain.len() / 2);
        let words = &plain[trim_message(&plain)];
        prop_assert_eq!(&words[trim_message(words)], words);
    }

    #[test]
    fn masking_is_idempotent_and_never_lengthens(text in any_text()) {
        let once = mask(&text).into_owned();
        prop_assert!(once.len() <= text.len());
        prop_assert!(once.chars().count() <= text.chars().count());
        prop_assert_eq!(mask(&once), once.as_str());
    }

    #[test]
    fn the_look_before_masking_overlooks_nothing(text in any_text()) {
        let mut found = Vec::new();
        let plain = plain_phrase(&text);
        entities(&plain, &mut found);
        let personal = |k| !matches!(k, EntityKind::Date | EntityKind::Amount | EntityKind::Hotline | EntityKind::Url | EntityKind::PersonName | EntityKind::OrderNumber);
        if mask(&text) == text {
            prop_assert!(!found.iter().any(|e| personal(e.kind)), "{plain} {found:?}");
        }
    }

    #[test]
    fn entities_are_ordered_ranges(text in any_text()) {
        let plain = plain_phrase(&text);
        let mut found = Vec::new();
        entities(&plain, &mut found);
        let mut last = 0;
        for entity in found {
            prop_assert!(last <= entity.start && entity.start < entity.end);
            prop_assert!(plain.get(entity.start..entity.end).is_some());
            last = entity.end;
        }
    }

    #[test]
    fn folded_patterns_still_compile(pattern in proptest::collection::vec(pieces(&[
        "一", "微信", "威信", "薇", "🐧", "➕", "[", "]", "(", "(?:", ")", "|", "*", "+", "?", "{1,2}", "-", "^", "\\d", "\\", "\\p{Han}",
        "(?P<一>", ".", "，", "v", "9", "[一-龥]", "龥", "&&", "[:alpha:]", "訊", "Ａ",
    ]), 0..12).prop_map(|p| p.concat())) {
        let folded = squeezed_regex(&pattern);
        if regex::Regex::new(&pattern).is_ok() {
            prop_assert!(regex::Regex::new(&folded).is_ok(), "{pattern} -> {folded}");
        }
    }
}
