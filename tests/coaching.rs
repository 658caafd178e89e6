//! Coaching and team reports: in the order they promise, with the progress that figures bear out, pairing only where
//! samples separate, and quoting what people wrote as nothing but text.

mod common;

use std::collections::BTreeMap;

use common::{files, hostile, with_night, zhijian};
use zhijian::report::coaching::{CoachingReport, TeamReport, Verdict, teams};
use zhijian::report::figures::Rate;
use zhijian::report::history::{Change, Changes, History, Period, Point};
use zhijian::report::night::Night;

#[test]
fn things_to_work_on_stand_by_cost_frequency_and_distance() {
    with_night(|night, _| {
        let mut reports = 0;
        for agent in &night.cards.agents {
            let report = CoachingReport::new(night, agent).unwrap();
            let products: Vec<f64> = report.priorities.iter().map(|p| p.weight.product()).collect();
            assert!(products.is_sorted_by(|a, b| a >= b), "{products:?}");
            assert!(report.priorities.len() <= 3);
            for priority in &report.priorities {
                let (w, rate) = (priority.weight, &priority.rate);
                let lost = w.cost * w.found as f64;
                assert!(w.found == rate.count && lost > 0.0 && (0.5..=3.0).contains(&w.distance), "{w:?}");
                assert!(!priority.evidence.is_empty(), "{}: every priority quotes her own words", priority.rule.id);
                if let Some((_, good)) = &priority.colleague {
                    let own = night.aggregate.agents[&agent.id].rules.values();
                    assert!(own.flat_map(|c| c.good.items()).all(|g| g != *good), "the colleague is someone else");
                }
                reports += 1;
            }
        }
        assert!(reports > 15);
    });
}

/// The night with a period before it in which an agent's rules had the given rates.
fn with_history(night: &Night<'_>, agent: &str, before: &[(&str, u64, u64)], changed: bool) -> History {
    let rules: BTreeMap<String, Rate> =
        before.iter().map(|(id, n, of)| (id.to_string(), Rate::new(*n, *of).unwrap())).collect();
    let point = Point { conversations: 40, rules, ..Point::default() };
    let period = |label: &str, agents| Period { label: label.into(), agents, ..Period::default() };
    History {
        trend: vec![
            period("2026-11-19", BTreeMap::from([(agent.to_string(), point)])),
            period(&night.label, BTreeMap::new()),
        ],
        changes: Changes { against: "2026-11-19".into(), changed_rules: changed, ..Changes::default() },
        bursts: Vec::new(),
    }
}

/// An agent with a rule that costs points and was due often.
fn someone(night: &Night<'_>) -> (String, String, Rate) {
    let candidates = night.cards.agents.iter().flat_map(|agent| {
        let rules = agent.rules.iter().filter(|r| r.points < 0.0 && r.severity != "critical");
        rules.filter_map(|r| Some((agent.id.clone(), r.id.clone(), r.rate.clone()?)))
    });
    candidates.filter(|c| c.2.value < 0.7).max_by_key(|c| c.2.of).unwrap()
}

#[test]
fn progress_is_told_as_far_as_the_figures_bear() {
    with_night(|night, _| {
        let (agent, rule, now) = someone(night);
        let told = |before: (u64, u64), changed: bool| {
            let history = with_history(night, &agent, &[(&rule, before.0, before.1)], changed);
            let night = Night { label: night.label.clone(), history: Some(&history), ..*night };
            let figures = night.cards.agents.iter().find(|a| a.id == agent).unwrap();
            let report = CoachingReport::new(&night, figures).unwrap();
            assert_eq!((report.against.as_str(), report.progress.len()), ("2026-11-19", 1));
            (report.progress[0].verdict, report.document().markdown())
        };
        let (verdict, text) = told((400, 400), false);
        assert_eq!(verdict, Verdict::Better);
        assert!(text.contains("上次(2026-11-19)说好要改的") && text.contains("上次 100%(n=400) → 这次"), "{text}");
        let same = (now.count * 10, now.of * 10);
        let (verdict, text) = told(same, false);
        assert_eq!(verdict, Verdict::WithinChance);
        assert!(text.contains("变化还在误差内"));
        assert_eq!(told((1, 40_000), false).0, Verdict::Worse);
        let (verdict, text) = told((400, 400), true);
        assert_eq!(verdict, Verdict::OtherRules);
        assert!(text.contains("规则改过"));
    });
}

#[test]
fn the_interval_of_a_known_change_decides() {
    with_night(|night, _| {
        let (agent, rule, now) = someone(night);
        let mut history = with_history(night, &agent, &[(&rule, now.count * 10, now.of * 10)], false);
        let change = |interval| Change {
            figure: format!("rule:{rule}"),
            before: now.value + 0.2,
            now: now.value,
            interval: Some(interval),
            n: (40, 40),
            reviewed: None,
        };
        for (interval, clear) in [((-0.3, -0.1), true), ((-0.3, 0.1), false)] {
            history.changes.agents.insert(agent.clone(), vec![change(interval)]);
            let with = Night { label: night.label.clone(), history: Some(&history), ..*night };
            let figures = with.cards.agents.iter().find(|a| a.id == agent).unwrap();
            let verdict = CoachingReport::new(&with, figures).unwrap().progress[0].verdict;
            assert_eq!(verdict != Verdict::WithinChance, clear, "{interval:?}");
            let team = with.cards.teams.iter().find(|t| Some(t.id.as_str()) == figures.team.as_deref());
            let report = TeamReport::new(&with, team);
            assert_eq!(report.improved.len(), usize::from(clear));
            assert_eq!(report.document().markdown().contains("→"), clear || !report.pairs.is_empty());
        }
    });
}

#[test]
fn pairs_are_colleagues_whose_samples_separate() {
    with_night(|night, _| {
        let mut reports: Vec<TeamReport<'_>> = teams(night).collect();
        assert_eq!(reports.len(), 3);
        reports.push(TeamReport::new(night, None));
        for report in &reports {
            assert!(report.needs.is_sorted_by(|a, b| a.skill.lost >= b.skill.lost));
            let shares: f64 = report.needs.iter().map(|n| n.share).sum();
            assert!(shares <= 1.0 + 1e-9);
            for pair in &report.pairs {
                assert!(pair.helper_rate.high < pair.learner_rate.low);
                assert_ne!(pair.helper.id, pair.learner.id);
                if report.team.is_some() {
                    assert!(pair.helper.team.as_deref() == report.team && pair.learner.team.as_deref() == report.team);
                }
                assert_eq!(report.pairs.iter().filter(|p| p.learner.id == pair.learner.id).count(), 1);
                assert!(report.pairs.iter().filter(|p| p.helper.id == pair.helper.id).count() <= 2);
            }
            let text = report.document().markdown();
            assert!(text.contains("15 分钟早会") && text.contains("培训需求"));
            assert_eq!(text.contains("先不结对"), report.pairs.is_empty());
        }
        assert!(reports.iter().any(|r| !r.pairs.is_empty()), "the invented night has someone to learn from");
    });
}

#[test]
fn hostile_names_and_texts_are_shown_harmlessly() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("hostile.jsonl");
    std::fs::write(&input, hostile()).unwrap();
    let out = base.path().join("out");
    let mut command = zhijian();
    command.arg("inspect").arg(&input).args(["--rules", "fixtures/packs/mini", "--quiet", "--out"]).arg(&out);
    command.assert().success();
    let written = files(&out);
    let of = |start: &str| written.keys().filter(|n| n.starts_with(start)).cloned().collect::<Vec<_>>();
    assert_eq!(of("coaching/").len(), 5, "an agent, a team, the styles: {:?}", of("coaching/"));
    for (name, bytes) in &written {
        assert!(!name.contains(".."), "{name}");
        let text = String::from_utf8_lossy(bytes);
        if name.starts_with("coaching/") || name.starts_with("summary.md") || name.starts_with("notify/") {
            assert!(!text.contains('\u{202e}') && !text.contains('\u{0}'), "{name} turns writing round");
            // In Markdown a backslash takes its meaning from it.
            assert!(!text.replace("\\<", "").contains("<script"), "{name}");
            assert!(text.lines().all(|line| line.chars().count() < 3_000), "{name} has a giant line");
        }
        if name.ends_with(".html") && name.starts_with("coaching/") {
            assert!(text.contains("&#60;script&#62;") || text.contains("team-"), "{name}: {text}");
            // Nothing is loaded but the styles, and no attribute comes from outside.
            assert_eq!(text.matches("href=").count(), 1, "{name}");
            assert!(!text.contains("src=\"") && !text.contains("<img") && text.contains("default-src 'none'"));
        }
        if name.ends_with(".md") && name.starts_with("coaching/") {
            assert!(!text.lines().any(|l| l.contains("<img") && !l.contains("\\<img")), "{name}");
        }
    }
}

#[test]
fn agents_cannot_take_the_name_of_a_teams_report() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night.jsonl");
    let chat = |id: &str, agent: &str, team: &str| {
        serde_json::json!({"conversation_id": id, "agent_id": agent, "agents": [{"id": agent, "team": team}],
            "turns": [{"role": "customer", "text": "在吗"}, {"role": "agent", "text": "您好"}]})
    };
    std::fs::write(&input, format!("{}\n{}\n", chat("1", "team-a", "a"), chat("2", "x", "a"))).unwrap();
    let out = base.path().join("out");
    zhijian().arg("inspect").arg(&input).args(["--quiet", "--out"]).arg(&out).assert().success();
    let reports: Vec<_> =
        files(&out).into_keys().filter(|n| n.starts_with("coaching/") && n.ends_with(".md")).collect();
    assert_eq!(reports.len(), 3, "{reports:?}");
    let team = std::fs::read_to_string(out.join("coaching/team-a.md")).unwrap();
    assert!(team.starts_with("# 班组报告:a"), "{team}");
}

#[test]
fn without_teams_there_is_one_report_for_everyone() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("night.jsonl");
    let line = r#"{"conversation_id":"1","agent_id":"x","turns":[{"role":"customer","text":"在吗"},{"role":"agent","text":"您好"}]}"#;
    std::fs::write(&input, line).unwrap();
    let out = base.path().join("out");
    zhijian().arg("inspect").arg(&input).args(["--quiet", "--lang", "en", "--out"]).arg(&out).assert().success();
    let team = std::fs::read_to_string(out.join("coaching/team-all.md")).unwrap();
    assert!(team.starts_with("# Team report: everyone"), "{team}");
    assert!(std::fs::read_to_string(out.join("coaching/x.html")).unwrap().contains("<html lang=\"en\">"));
}
