//! Words: jieba with the pack's user words.
//!
//! `cut` runs without the hidden Markov model for unknown words. The model joins single characters the dictionary does
//! not know into guessed words (names, mostly); for word-boundary tests that only adds mistakes nobody can look up: with
//! it a boundary depends on a model, without it on the dictionary and the pack's `userdict.txt`, which a person can mend.
//! Measured on 9,044 turns of JDDC: with the model 30 % of the turns are cut differently and 6 % of the boundaries vanish;
//! what it joins is mostly no word (那能, 一单, 我要, 开个). It costs about the same time on short turns (48 and 47 MB/s)
//! and more on long ones (44 and 28 MB/s, STC-3).

use jieba_rs::Jieba;

use super::plain_phrase;

/// Cuts plain texts into words; build once, share between threads.
///
/// ```
/// use zhijian::text::Segmenter;
/// let segmenter = Segmenter::new("好评返现 100 n\n").unwrap();
/// assert_eq!(segmenter.words("滚筒洗衣机好评返现"), ["滚筒", "洗衣机", "好评返现"]);
/// assert!(segmenter.is_word("好评返现"));
/// assert!(!segmenter.is_word("衣机好"));
/// let mut boundaries = Vec::new();
/// segmenter.cut_into("滚筒洗衣机", &mut boundaries);
/// assert_eq!(boundaries, [0, 6, 15]);
/// ```
pub struct Segmenter {
    jieba: Jieba,
}

impl std::fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segmenter").finish_non_exhaustive()
    }
}

/// Jieba's own words. Loading them takes longest of all that starting takes, and waits for nothing.
pub struct Dictionary(Jieba);

impl Dictionary {
    /// Loads them.
    pub fn load() -> Dictionary {
        Dictionary(Jieba::new())
    }

    /// With user words; see [`Segmenter::new`].
    ///
    /// # Errors
    /// Names the line that has a frequency which is no number.
    pub fn with_words(self, userdict: &str) -> Result<Segmenter, String> {
        let mut jieba = self.0;
        for (number, line) in userdict.lines().enumerate() {
            let line = line.trim().trim_start_matches('\u{FEFF}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.split_whitespace();
            let word = plain_phrase(fields.next().unwrap_or_default());
            let (freq, tag) = match fields.next() {
                None => (None, None),
                Some(field) => match field.parse::<usize>() {
                    Ok(freq) => (Some(freq), fields.next()),
                    Err(_) if field.bytes().all(|b| b.is_ascii_alphabetic()) && fields.next().is_none() => {
                        (None, Some(field))
                    }
                    Err(_) => {
                        return Err(format!("第 {} 行: 词频 `{field}` 不是整数 (frequency is no number)", number + 1));
                    }
                },
            };
            jieba.add_word(&word, freq, tag);
        }
        Ok(Segmenter { jieba })
    }
}

impl Segmenter {
    /// Jieba's dictionary and user words, `word [freq] [tag]` a line; blank lines and `#` comments are skipped. Words are
    /// brought into the plain view. A frequency left out is chosen so that the word is kept whole.
    ///
    /// # Errors
    /// Names the line that has a frequency which is no number.
    pub fn new(userdict: &str) -> Result<Self, String> {
        Dictionary::load().with_words(userdict)
    }

    /// Writes the byte positions between words into `boundaries`: sorted, with 0 and the length of the text.
    pub fn cut_into(&self, plain: &str, boundaries: &mut Vec<u32>) {
        boundaries.clear();
        boundaries.push(0);
        boundaries.extend(self.jieba.cut(plain, false).iter().map(|token| token.byte_end as u32));
    }

    /// The words of a text; together they are the text.
    pub fn words<'a>(&self, plain: &'a str) -> Vec<&'a str> {
        self.jieba.cut(plain, false).iter().map(|token| token.word).collect()
    }

    /// True when the dictionary or the user words have the word.
    pub fn is_word(&self, word: &str) -> bool {
        self.jieba.has_word(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    pub(crate) static SEGMENTER: LazyLock<Segmenter> = LazyLock::new(|| Segmenter::new("").unwrap());

    #[test]
    fn is_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Segmenter>();
    }

    #[test]
    fn user_words() {
        let segmenter = Segmenter::new("\u{feff}# comment\n\n最大碼 1000 n\n薇诺娜\n雅诗兰 nz\n").unwrap();
        assert_eq!(segmenter.words("最大码薇诺娜"), ["最大码", "薇诺娜"]);
        assert!(segmenter.is_word("雅诗兰"));
        let error = Segmenter::new("好 1\n坏 x1 n").unwrap_err();
        assert!(error.contains("第 2 行") && error.contains("x1"), "{error}");
        assert!(Segmenter::new("坏 n 5").is_err());
    }

    #[test]
    fn words_concatenate() {
        for text in ["", "您好,请问iphone15什么时候发货?", "a\r\nb  c", "😀👍🏻加v信13800138000"] {
            assert_eq!(SEGMENTER.words(text).concat(), text);
        }
    }
}
