//! Literals a regex cannot match without. They join the automaton, so that a regex runs only on turns where one of
//! them occurs, and the cost of a turn does not grow with the number of regexes.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most alternatives worth keeping.
const MOST: usize = 64;

/// A set of strings of which every match contains at least one; `None` when there is no useful set.
///
/// ```
/// use zhijian::detect::required::required_literals;
/// assert_eq!(required_literals("(?:加|添加).{0,3}微信"), Some(vec!["微信".to_string()]));
/// assert_eq!(required_literals("[一-龥]+"), None);
/// ```
pub fn required_literals(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut best = set_of(&hir)?;
    best.sort();
    best.dedup();
    Some(best)
}

/// Longer and fewer is better: the rarest set gates best.
fn worth(set: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    (set.iter().map(String::len).min().unwrap_or(0), std::cmp::Reverse(set.len()))
}

fn set_of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Concat(parts) => {
            let mut best: Option<Vec<String>> = None;
            let mut consider = |set: Vec<String>| {
                if best.as_ref().is_none_or(|b| worth(&set) > worth(b)) {
                    best = Some(set);
                }
            };
            // Neighbouring exact parts join into longer strings.
            let mut run: Option<Vec<String>> = None;
            for part in parts {
                match exact(part) {
                    Some(set) => {
                        run = match run.take() {
                            Some(left) if left.len() * set.len() <= MOST => {
                                Some(left.iter().flat_map(|l| set.iter().map(move |r| format!("{l}{r}"))).collect())
                            }
                            Some(left) => {
                                consider(left);
                                Some(set)
                            }
                            None => Some(set),
                        };
                    }
                    None => {
                        if let Some(done) = run.take() {
                            consider(done);
                        }
                        if let Some(set) = set_of(part) {
                            consider(set);
                        }
                    }
                }
            }
            if let Some(done) = run {
                consider(done);
            }
            best.filter(|set| set.iter().all(|s| !s.is_empty()))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(set_of(part)?);
                if all.len() > MOST {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Capture(capture) => set_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => set_of(&repetition.sub),
        _ => exact(hir).filter(|set| set.iter().all(|s| !s.is_empty())),
    }
}

/// All strings the expression matches, when they are few.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Class(Class::Unicode(class)) => {
            let count: usize = class.iter().map(|r| r.len()).sum();
            if count == 0 || count > MOST / 2 {
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
                if all.len() * set.len() > MOST {
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
    fn sets_are_those_no_match_can_do_without() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("加.{0,3}[vV]信", Some(&["V信", "v信"])),
            ("(?:还没|没有)收到", Some(&["没有收到", "还没收到"])),
            (r"\d{11}", None),
            ("(?:快|赶紧)?发货", Some(&["发货"])),
            ("为什么|怎么", Some(&["为什么", "怎么"])),
            ("为什么|.*", None),
            ("^您好", Some(&["您好"])),
            ("(?s).+", None),
        ];
        for (pattern, wanted) in cases {
            let got = required_literals(pattern);
            let got: Option<Vec<&str>> = got.as_ref().map(|v| v.iter().map(String::as_str).collect());
            let mut wanted = wanted.map(<[&str]>::to_vec);
            if let Some(w) = &mut wanted {
                w.sort();
            }
            assert_eq!(got, wanted, "{pattern}");
        }
    }

    proptest::proptest! {
        /// A match always contains one of the literals.
        #[test]
        fn never_loses_a_match(text in "[加微信v还没收到发货快]{0,12}") {
            for pattern in ["(?:加|还).{0,3}[v微]信?", "(?:快|没)+收到?发", "发货|收到|加微"] {
                let regex = regex::Regex::new(pattern).unwrap();
                if let (true, Some(set)) = (regex.is_match(&text), required_literals(pattern)) {
                    proptest::prop_assert!(set.iter().any(|s| text.contains(s.as_str())), "{pattern} {text}");
                }
            }
        }
    }
}
