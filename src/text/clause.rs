//! Sentences and clauses of a plain text, and whether one asks something. Ranges cover the text without gaps: a
//! sentence includes the marks that end it, so that a place on a mark belongs to the sentence before it.

use std::ops::Range;

use super::message::trim_tail;

/// The sentence around a byte position: split after runs of `。！？!?；;`, newline, `…`, `~`, and `.` where no ASCII
/// letter or digit follows (many people type `.` for `。`).
///
/// ```
/// use zhijian::text::sentence_range;
/// let text = "您好!!3.5折吗?好的.谢谢";
/// assert_eq!(&text[sentence_range(text, 0)], "您好!!");
/// assert_eq!(&text[sentence_range(text, 8)], "3.5折吗?");
/// assert_eq!(&text[sentence_range(text, text.len())], "谢谢");
/// ```
pub fn sentence_range(plain: &str, pos: usize) -> Range<usize> {
    around(plain, pos, ends_sentence)
}

/// The clause around a byte position: a sentence split further at `，,、：:` and spaces, except where such a mark stands
/// between ASCII letters or digits (`12:30`, `iphone 15`, `1,000`).
///
/// ```
/// use zhijian::text::clause_range;
/// let text = "不是,您加我 微信:12:30前";
/// assert_eq!(&text[clause_range(text, 0)], "不是,");
/// assert_eq!(&text[clause_range(text, 7)], "您加我 ");
/// assert_eq!(&text[clause_range(text, 24)], "12:30前");
/// ```
pub fn clause_range(plain: &str, pos: usize) -> Range<usize> {
    let sentence = sentence_range(plain, pos);
    let clause = around(&plain[sentence.clone()], pos.min(plain.len()) - sentence.start, ends_clause);
    sentence.start + clause.start..sentence.start + clause.end
}

/// The stretch around `pos` that ends with a run of separators.
fn around(text: &str, pos: usize, ends: fn(&str, usize, char) -> bool) -> Range<usize> {
    let pos = text.floor_char_boundary(pos);
    let mut end = pos;
    let mut in_marks = false;
    for (at, c) in text[pos..].char_indices() {
        let mark = ends(text, pos + at, c);
        if in_marks && !mark {
            break;
        }
        in_marks = mark;
        end = pos + at + c.len_utf8();
    }
    let mut start = pos;
    let mut in_words = text[pos..].chars().next().is_some_and(|c| !ends(text, pos, c));
    for (at, c) in text[..pos].char_indices().rev() {
        let mark = ends(text, at, c);
        if in_words && mark {
            break;
        }
        in_words |= !mark;
        start = at;
    }
    start..end
}

fn ends_sentence(text: &str, at: usize, c: char) -> bool {
    match c {
        '。' | '!' | '?' | ';' | '\n' | '…' | '~' | '！' | '？' | '；' => true,
        '.' => !text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    }
}

fn ends_clause(text: &str, at: usize, c: char) -> bool {
    match c {
        ',' | ':' | ' ' => {
            let bytes = text.as_bytes();
            let before = at.checked_sub(1).is_some_and(|b| bytes[b].is_ascii_alphanumeric());
            !(before && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric))
        }
        '，' | '、' | '：' => true,
        _ => ends_sentence(text, at, c),
    }
}

/// True when the sentence around `pos` asks something. The rule, in this order:
///
/// 1. among the marks that end the sentence is a `?`;
/// 2. without trailing emoji, punctuation and 亲哦哈呀啊 it ends with 吗, 么 (but 那么/这么), 嘛 (but after 就是的了);
/// 3. … with a question word (什么 怎么样 怎么办 多少 多久 哪里 哪个 几天 几点 谁 如何 为什么 什么时候 咋办);
/// 4. … with 呢 and a question word or 不/没 between equal characters (能不能) is in the sentence, or nothing but a short
///    topic (发票呢, but 是的呢, 还没到呢);
/// 5. … with 没 or 没有 after a verb (收到没, 退了没有; but 都没有), or with 不 after anything but an adverb or a person
///    (行不, 能开专票不; but 也不, 我不).
///
/// ```
/// use zhijian::text::is_question;
/// for text in ["在吗", "到了没有", "什么时候发呢", "发票呢", "可以嘛亲", "好的。?", "行不"] {
///     assert!(is_question(text, 0), "{text}");
/// }
/// for text in ["还没发货呢", "没有", "就是嘛", "不", "什么都没有", "好的亲"] {
///     assert!(!is_question(text, 0), "{text}");
/// }
/// ```
pub fn is_question(plain: &str, pos: usize) -> bool {
    let sentence = &plain[sentence_range(plain, pos)];
    let marks = sentence.rfind(|c: char| !ends_sentence("", 0, c) && c != ' ').map_or(0, |at| at + 1);
    if sentence[sentence.ceil_char_boundary(marks)..].contains(['?', '？']) {
        return true;
    }
    let words = &sentence[..trim_tail(sentence, 0, |c| "亲哦哈呀啊".contains(c))];
    let before = |tail: &str| words.strip_suffix(tail).and_then(|w| w.chars().next_back());
    let ends_after = |tail: &str, chars: &str| before(tail).is_some_and(|c| chars.contains(c));
    if words.ends_with('吗') || QUESTION_ENDS.iter().any(|w| words.ends_with(w)) {
        return true;
    }
    if words.ends_with('么') {
        return !words.ends_with("那么") && !words.ends_with("这么") && !words.ends_with("多么");
    }
    if words.ends_with('嘛') {
        return before("嘛").is_some_and(|c| !"就是的了".contains(c));
    }
    if let Some(topic) = words.strip_suffix('呢') {
        return asks(topic)
            || (topic.chars().count() <= 4
                && !topic.is_empty()
                && !topic.contains(ONGOING)
                && !topic.ends_with(AFFIRMED));
    }
    const VERBS: &str = "了过有到好完发来去出成住见收退付改开寄取送查看办弄懂";
    ends_after("没有", VERBS)
        || ends_after("没", VERBS)
        || before("不").is_some_and(|c| c.is_alphanumeric() && !"都也还就才并绝从决我你他她您不而先".contains(c))
}

const QUESTION_ENDS: [&str; 15] = [
    "什么",
    "怎么样",
    "怎样",
    "怎么办",
    "咋办",
    "多少",
    "多久",
    "哪里",
    "哪个",
    "几天",
    "几点",
    "谁",
    "如何",
    "什么时候",
    "多少钱",
];

const QUESTION_WORDS: [&str; 12] =
    ["什么", "怎么", "怎样", "咋", "哪", "几", "多少", "多久", "谁", "如何", "是否", "为何"];

/// Characters of a statement about what is going on: 还没到呢, 在看呢, 等着呢.
const ONGOING: [char; 9] = ['还', '在', '着', '没', '不', '都', '才', '好', '可'];

/// Characters that end a plain answer: 是的呢, 有呢, 可以的呢.
const AFFIRMED: [char; 12] = ['的', '了', '是', '嗯', '对', '有', '会', '行', '能', '要', '哦', '下'];

/// True when a sentence holds a question word or an alternative like 能不能, 有没有.
fn asks(sentence: &str) -> bool {
    if QUESTION_WORDS.iter().any(|w| sentence.contains(w)) {
        return true;
    }
    let mut last = ['\0'; 2];
    for c in sentence.chars() {
        if matches!(last[1], '不' | '没') && last[0] == c {
            return true;
        }
        last = [last[1], c];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, range: fn(&str, usize) -> Range<usize>) -> Vec<&str> {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let part = range(text, at);
            assert_eq!(part.start, at, "{text}");
            assert!(part.end > at);
            parts.push(&text[part.clone()]);
            at = part.end;
        }
        parts
    }

    #[test]
    fn texts_fall_into_sentences() {
        for (text, expect) in [
            ("", vec![]),
            ("你好", vec!["你好"]),
            ("a。b", vec!["a。", "b"]),
            ("好!?~…走;了\n嗯", vec!["好!?~…", "走;", "了\n", "嗯"]),
            ("v1.2.好.t.cn", vec!["v1.2.", "好.t.cn"]),
            ("...嗯", vec!["...", "嗯"]),
            ("等... 好", vec!["等...", " 好"]),
        ] {
            assert_eq!(parts(text, sentence_range), expect, "{text}");
        }
    }

    #[test]
    fn sentences_fall_into_clauses() {
        for (text, expect) in [
            ("亲,您好、在 的:嗯。好", vec!["亲,", "您好、", "在 ", "的:", "嗯。", "好"]),
            ("iphone 15,1,000元 12:30", vec!["iphone 15,1,000元 ", "12:30"]),
            (" ,a", vec![" ,", "a"]),
        ] {
            assert_eq!(parts(text, clause_range), expect, "{text}");
        }
    }

    #[test]
    fn every_place_of_a_part_gives_the_part() {
        let text = "亲,您好!在吗?? 3.5折。";
        for at in 0..=text.len() {
            let sentence = sentence_range(text, at);
            assert!(sentence.contains(&text.floor_char_boundary(at)) || at == text.len());
            let clause = clause_range(text, at);
            assert!(sentence.start <= clause.start && clause.end <= sentence.end);
        }
    }

    #[test]
    fn questions() {
        for (text, asks) in [
            ("", false),
            ("?", true),
            ("能退吗", true),
            ("能退吗[微笑]", true),
            ("能退么亲~", true),
            ("那么", false),
            ("要什么", true),
            ("收到没", true),
            ("都没有", false),
            ("我不", false),
            ("对不", true),
            ("这个能换成专票不", true),
            ("也不", false),
            ("是的呢", false),
            ("嗯呢", false),
            ("然后呢", true),
            ("款退回来没有", true),
            ("抱歉,没有", false),
            ("能不能发呢", true),
            ("正在处理呢", false),
            ("等着呢", false),
            ("好呢", false),
            ("可以呢", false),
            ("多少钱", true),
            ("好的~?", true),
            ("好的 ?", true),
        ] {
            assert_eq!(is_question(text, 0), asks, "{text}");
        }
        assert!(!is_question("好的。在吗?", 0));
        assert!(is_question("好的。在吗?", 9));
    }
}
