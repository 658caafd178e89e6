//! `satisfaction.toml`: the weights of the satisfaction estimate.

use super::codes;
use super::expression::MarkerId;
use super::fields::{Faults, Table, nearest};
use crate::metrics::feature::{BadFeature, Feature, Shape};
use crate::metrics::satisfaction::{Region, SatisfactionModel, Weighted, WordWeight};

/// Reads a model; `ids` are the pack's markers, sorted.
pub fn read(mut table: Table<'_>, ids: &[String], faults: &mut Faults<'_>) -> SatisfactionModel {
    let intercept = table.number("intercept", faults).map_or(0.5, |n| n.value);
    // What the model was learnt from, for people.
    let _about = table.string("about", faults);
    if let Some(mut learnt) = table.table("learnt", faults) {
        learnt.count("conversations", faults);
        learnt.string("target", faults);
        learnt.number("rho", faults);
        learnt.number("auc_bad", faults);
        learnt.number("penalty", faults);
        learnt.finish("[learnt] ", faults);
    }
    let mut features: Vec<Weighted> = Vec::new();
    for mut inner in table.tables("feature", faults) {
        let id = inner.required("id", faults);
        let title = inner.required("title", faults).map(|t| t.value).unwrap_or_default();
        let absent = inner.string("absent", faults).map(|t| t.value);
        let weight = inner.number("weight", faults);
        if weight.is_none() && !inner.has("weight") {
            faults.at(codes::MISSING_KEY, inner.head(), "缺少 `weight`", Some("加一行 weight = 0.05".into()));
        }
        let mean = inner.number("mean", faults).map_or(0.0, |n| n.value);
        if let Some(id) = id {
            if features.iter().any(|f| f.id == id.value) {
                faults.at(codes::DUPLICATE_ID, id.range.clone(), format!("特征 `{}` 写了两次", id.value), None);
            }
            let marker = |name: &str| ids.binary_search_by(|m| m.as_str().cmp(name)).ok().map(|i| i as MarkerId);
            match Feature::parse(&id.value, marker) {
                Ok(feature) => {
                    let weight = weight.map_or(0.0, |w| w.value);
                    features.push(Weighted { feature, id: id.value, title, absent, weight, mean });
                }
                Err(BadFeature::Marker(name)) => {
                    let hint = nearest(&name, ids.iter().map(String::as_str)).map(|n| format!("是不是想写 `{n}`?"));
                    faults.at(codes::UNKNOWN_MARKER, id.range, format!("没有标记 `{name}`"), hint);
                }
                Err(BadFeature::Form) => {
                    let shapes: Vec<_> = Shape::ALL.iter().map(|s| s.1).collect();
                    let hint = format!(
                        "写成 customer.标记.位置 或 agent.标记.位置(位置: open、later、last、any、count、late_count、share),或: {}",
                        shapes.join("、")
                    );
                    faults.at(codes::BAD_VALUE, id.range, format!("没有特征 `{}`", id.value), Some(hint));
                }
            }
        }
        inner.finish("[[feature]] ", faults);
    }
    let mut words = Vec::new();
    if let Some(mut all) = table.table("words", faults) {
        for (region, key, _) in Region::ALL {
            let Some(inner) = all.table(key, faults) else { continue };
            let weights = inner.numbers(faults).into_iter();
            words.extend(weights.map(|(word, weight)| WordWeight { region, word: word.value, weight }));
        }
        all.finish("[words] ", faults);
    }
    table.finish("satisfaction.toml ", faults);
    SatisfactionModel::new(intercept, features, words)
}

/// Writes a model as a file people can read and mend; `about` and `learnt` say where it comes from.
pub fn write(model: &SatisfactionModel, about: &[String], learnt: &[(&str, String)]) -> String {
    use std::fmt::Write as _;
    let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
    let mut out = String::new();
    for line in about {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "intercept = {}", decimal(model.intercept));
    if !learnt.is_empty() {
        let _ = writeln!(out, "\n[learnt]");
        for (key, value) in learnt {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
    for feature in &model.features {
        let _ = writeln!(out, "\n[[feature]]\nid = {}", quoted(&feature.id));
        let _ = writeln!(out, "title = {}", quoted(&feature.title));
        if let Some(absent) = &feature.absent {
            let _ = writeln!(out, "absent = {}", quoted(absent));
        }
        let _ = writeln!(out, "weight = {}\nmean = {}", decimal(feature.weight), decimal(feature.mean));
    }
    for (region, key, title) in Region::ALL {
        let mut words: Vec<&WordWeight> = model.words().iter().filter(|w| w.region == region).collect();
        if words.is_empty() {
            continue;
        }
        words.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then_with(|| a.word.cmp(&b.word)));
        let _ = writeln!(out, "\n# {title}…\n[words.{key}]");
        for word in words {
            let _ = writeln!(out, "{} = {}", quoted(&word.word), decimal(word.weight));
        }
    }
    out
}

/// A number with a decimal point, which TOML needs to tell it from a whole number.
pub(crate) fn decimal(value: f64) -> String {
    let text = format!("{value:.5}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, SourceFile};
    use std::sync::Arc;

    fn load(text: &str) -> (SatisfactionModel, Vec<Diagnostic>) {
        let mut all = Vec::new();
        let file = Arc::new(SourceFile { path: "satisfaction.toml".into(), text: text.to_string() });
        let mut faults = Faults::new(file, &mut all);
        let parsed = super::super::fields::parse(text, &mut faults);
        let ids = ["negative", "thanks"].map(String::from);
        let model = read(Table::new(parsed.get_ref(), 0..text.len()), &ids, &mut faults);
        (model, all)
    }

    #[test]
    fn what_is_written_is_read() {
        let text = "intercept = 0.45\n[[feature]]\nid = \"customer.negative+thanks.later\"\ntitle = \"甲\"\nabsent = \"没有甲\"\n\
                    weight = -0.12345\nmean = 0.5\n[[feature]]\nid = \"turns\"\ntitle = \"条数\"\nweight = 1\n\
                    [words.customer_open]\n\"骗\\\"子\" = -0.1\n[words.agent]\n\"请\" = 0.02\n";
        let (model, faults) = load(text);
        assert_eq!(faults, []);
        assert_eq!((model.features.len(), model.words().len()), (2, 2));
        let written = write(&model, &["说明".into()], &[("conversations", "12".into()), ("rho", "0.7".into())]);
        let (again, faults) = load(&written);
        assert_eq!(faults, [], "{written}");
        assert_eq!(model, again, "{written}");
    }

    #[test]
    fn faults_are_named() {
        let (_, faults) = load(
            "intercept = 0.5\n[[feature]]\nid = \"customer.negativ.later\"\nweight = 1\ntitle = \"x\"\n[[feature]]\n\
             id = \"turn\"\ntitle = \"x\"\nweight = 0.1\n[[feature]]\nid = \"turns\"\ntitle = \"x\"\n[words.agent]\n\"请\" = \"x\"\n",
        );
        let codes: Vec<_> = faults.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["unknown-marker", "bad-value", "missing-key", "wrong-type"]);
    }

    #[test]
    fn decimals_keep_a_point() {
        for (value, text) in [(1.0, "1.0"), (-0.25, "-0.25"), (0.0, "0.0"), (0.000004, "0.0"), (0.12345, "0.12345")] {
            assert_eq!(decimal(value), text);
        }
    }
}
