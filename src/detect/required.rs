//! Literals a regex cannot match without. They join the automaton, so that a regex runs only on turns where one of
//! them occurs, and the cost of a turn does not grow with the number of regexes.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most alternatives worth keeping.
const MOST: usize = 512;
/// Most strings worth spelling out of parts that follow each other.
const MOST_PRODUCTS: usize = 64;
/// The rarest set of strings of which every match contains at least one; `None` when there is none.
///
/// ```
/// use zhijian::detect::required::required_literals;
/// assert_eq!(required_literals("(?:加|添加).{0,3}微信"), Some(vec!["微信".to_string()]));
/// assert_eq!(required_literals("[一-龥]+"), None);
/// ```
pub fn required_literals(pattern: &str) -> Option<Vec<String>> {
    literals_of(&regex_syntax::Parser::new().parse(pattern).ok()?)
}

/// As [`required_literals`], of a regex that has been read.
pub fn literals_of(hir: &Hir) -> Option<Vec<String>> {
    let mut sets = sets_of(hir);
    for set in &mut sets {
        set.sort();
        set.dedup();
    }
    sets.into_iter().min_by_key(|set| (std::cmp::Reverse(rarity(set)), set.clone()))
}

/// Characters found in every other message; a set that holds one of them alone gates little.
const COMMON: &str =
    "的了您你我是不这那在有一个吗呢吧啊哦呀么亲好可以要就都也还没请们什怎给到说看下来去会能后再 ,。!?:;~-";

/// How rarely a message contains one of the strings: the weight of the likeliest one.
pub fn rarity(set: &[String]) -> u32 {
    let weight = |c: char| match c {
        c if COMMON.contains(c) => 1,
        c if c.is_ascii_alphanumeric() => 2,
        _ => 4,
    };
    let likeliest = set.iter().map(|s| s.chars().map(weight).sum()).min().unwrap_or(0);
    // Many alternatives add up.
    8 * likeliest - 8 * likeliest.min(1) * set.len().min(MOST).ilog2() / 6
}

fn sets_of(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Concat(parts) => {
            let mut all = Vec::new();
            // Neighbouring exact parts join into longer strings.
            let mut run: Option<Vec<String>> = None;
            for part in parts {
                match exact(part) {
                    Some(set) => {
                        run = match run.take() {
                            Some(left) if left.len() * set.len() <= MOST_PRODUCTS => {
                                Some(left.iter().flat_map(|l| set.iter().map(move |r| format!("{l}{r}"))).collect())
                            }
                            Some(left) => {
                                all.push(left);
                                Some(set)
                            }
                            None => Some(set),
                        };
                    }
                    None => {
                        all.extend(run.take());
                        all.extend(sets_of(part));
                    }
                }
            }
            all.extend(run);
            all.retain(|set| set.iter().all(|s| !s.is_empty()));
            all
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                let best = sets_of(part).into_iter().max_by_key(|set| rarity(set));
                match best {
                    Some(set) if all.len() + set.len() <= MOST => all.extend(set),
                    _ => return Vec::new(),
                }
            }
            vec![all]
        }
        HirKind::Capture(capture) => sets_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => sets_of(&repetition.sub),
        _ => exact(hir).filter(|set| set.iter().all(|s| !s.is_empty())).into_iter().collect(),
    }
}

/// All strings the expression matches, when they are few.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Class(Class::Unicode(class)) => {
            let count: usize = class.iter().map(|r| r.len()).sum();
            if count == 0 || count > MOST_PRODUCTS / 2 {
                return None;
            }
            Some(class.iter().flat_map(|r| r.start()..=r.end()).map(String::from).collect())
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(exact(part)?);
                if all.len() > MOST {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = vec![String::new()];
            for part in parts {
                let set = exact(part)?;
                if all.len() * set.len() > MOST_PRODUCTS {
                    return None;
                }
                all = all.iter().flat_map(|l| set.iter().map(move |r| format!("{l}{r}"))).collect();
            }
            Some(all)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_one_no_match_can_do_without() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("加.{0,3}[vV]信", Some(&["V信", "v信"])),
            ("(?:还没|没有)收到", Some(&["没有收到", "还没收到"])),
            (r"[^0-9]{11}", None),
            ("(?:快|赶紧)?发货", Some(&["发货"])),
            ("为什么|怎么", Some(&["为什么", "怎么"])),
            ("为什么|.*", None),
            ("^您好", Some(&["您好"])),
            ("(?s).+", None),
            ("您.{0,9}(?:去找|问)厂家", Some(&["去找厂家", "问厂家"])),
        ];
        for (pattern, wanted) in cases {
            let got = required_literals(pattern);
            let got: Option<Vec<&str>> = got.as_ref().map(|v| v.iter().map(String::as_str).collect());
            assert_eq!(got.as_deref(), *wanted, "{pattern}");
        }
    }

    proptest::proptest! {
        /// A match contains one of the set.
        #[test]
        fn never_loses_a_match(text in "[加微信v还没收到发货快]{0,12}") {
            for pattern in ["(?:加|还).{0,3}[v微]信?", "(?:快|没)+收到?发", "发货|收到|加微", "加.{0,2}(?:信|微.?v)"] {
                let regex = regex::Regex::new(pattern).unwrap();
                if let (true, Some(set)) = (regex.is_match(&text), required_literals(pattern)) {
                    proptest::prop_assert!(set.iter().any(|s| text.contains(s.as_str())), "{} {}", pattern, text);
                }
            }
        }
    }
}
