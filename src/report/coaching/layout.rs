//! An agent's report in words: kind, specific, never a verdict without its reason.

use super::content::{CoachingReport, Priority};
use super::document::{Block, Document, Voice, runs};
use super::progress::{Progress, Verdict};
use crate::judge::Lang;
use crate::pack::rule::Severity;
use crate::report::Points;
use crate::report::figures::Figures;
use crate::report::words::{one_line, pick, share};
use crate::score::aggregate::{Evidence, GoodExample};

/// Characters of a name, a quote, a sentence.
const NAME: usize = 60;
const QUOTE: usize = 400;

impl CoachingReport<'_> {
    /// The report in words.
    pub fn document(&self) -> Document {
        let agent = self.clean(&self.agent.label());
        let team = self.agent.team.as_deref().map(|t| format!(" · {}", self.clean(t))).unwrap_or_default();
        let title = format!("{}{agent}{team}", self.say("辅导报告:", "Coaching report: "));
        let mut out = Document::new(self.night.lang, title);
        self.head(&mut out);
        self.progress(&mut out);
        self.priorities(&mut out);
        self.reviewed(&mut out);
        self.went_well(&mut out);
        self.figures(&mut out);
        out
    }

    fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        pick(self.night.lang, zh, en)
    }

    fn zh(&self) -> bool {
        self.night.lang == Lang::Zh
    }

    fn clean(&self, text: &str) -> String {
        one_line(self.night.lang, text, NAME)
    }

    fn quote(&self, text: &str) -> String {
        one_line(self.night.lang, text, QUOTE)
    }

    fn peer_name(&self) -> &'static str {
        match (self.peers.id.is_empty(), self.zh()) {
            (true, true) => "全员",
            (true, false) => "everyone",
            (false, true) => "本组",
            (false, false) => "the team",
        }
    }

    fn head(&self, out: &mut Document) {
        let (agent, peers) = (self.agent, self.peer_name());
        if let (Some(score), Some(pass), Some(team)) = (&agent.score, &agent.pass_rate, &self.peers.score) {
            let interval = score.interval.map(|(low, high)| format!("({low:.1}–{high:.1})")).unwrap_or_default();
            let (n, mean) = (agent.conversations.to_string(), format!("{:.1}", score.value));
            let (count, low, high) = (pass.count.to_string(), pass.low * 100.0, pass.high * 100.0);
            let percent = pass.value * 100.0;
            let day = self.night.label.parse::<jiff::civil::Date>().is_ok() || self.night.label.is_empty();
            let when = if day { self.say("昨晚", "Last night") } else { &self.night.label };
            let sentence = match self.zh() {
                true => runs([
                    &format!("{when}{}检查了你的 ", if day { "" } else { " " }),
                    &n,
                    " 通会话,平均 ",
                    &mean,
                    &format!(" 分{interval},{peers}平均 {:.1} 分;合格 ", team.value),
                    &count,
                    &format!(" 通,合格率 {percent:.0}%({low:.0}%–{high:.0}%)。"),
                ]),
                false => runs([
                    &format!("{when}, "),
                    &n,
                    " of your conversations were inspected: mean score ",
                    &mean,
                    &format!(" {interval}, {peers} {:.1}; ", team.value),
                    &count,
                    &format!(" passed ({percent:.0}%, {low:.0}–{high:.0}%)."),
                ]),
            };
            out.add(Block::Text(sentence));
        }
        if !agent.enough {
            let least = self.night.pack.scorecard.min_sample;
            out.add(Block::Aside(match self.zh() {
                true => format!("样本不足:不到 {least} 通,数字只作参考,不用于排名。括号里是 95% 区间,会话越少区间越宽。"),
                false => format!("Too few conversations (under {least}) to rank: read the figures as hints. Brackets are 95 % intervals."),
            }));
        }
    }

    fn progress(&self, out: &mut Document) {
        if self.progress.is_empty() {
            return;
        }
        let against = self.clean(&self.against);
        out.add(Block::Heading(
            2,
            match self.zh() {
                true => format!("上次({against})说好要改的"),
                false => format!("What the last report ({against}) asked for"),
            },
        ));
        out.add(Block::List(self.progress.iter().map(|p| self.step(p)).collect()));
    }

    fn step(&self, p: &Progress<'_>) -> Vec<super::document::Run> {
        let rate = |r: &crate::report::figures::Rate| match self.zh() {
            true => format!("{:.0}%(n={})", r.value * 100.0, r.of),
            false => format!("{:.0}% (n={})", r.value * 100.0, r.of),
        };
        let now = p.now.as_ref().map(|r| format!(" → {} {}", self.say("这次", "now"), rate(r))).unwrap_or_default();
        let verdict = match (p.verdict, self.zh()) {
            (Verdict::Better, true) => "确实好转了,保持住",
            (Verdict::Better, false) => "clearly better; keep it up",
            (Verdict::Worse, true) => "比上次多了,一起看看卡在哪里",
            (Verdict::Worse, false) => "more often than then; let us look at why",
            (Verdict::WithinChance, true) => "变化还在误差内,再看一期",
            (Verdict::WithinChance, false) => "chance alone could explain the difference; look again next time",
            (Verdict::NotDue, true) => "这次没有遇到",
            (Verdict::NotDue, false) => "not met this time",
            (Verdict::OtherRules, true) => "规则改过,前后不能直接比",
            (Verdict::OtherRules, false) => "the rules changed in between, the figures do not compare",
        };
        let title = self.clean(&p.rule.title);
        let rest = format!(":{} {}{now},{verdict}", self.say("上次", "then"), rate(&p.before));
        runs(["", &title, &if self.zh() { rest } else { rest.replacen(':', ": ", 1).replacen(',', "; ", 1) }])
    }

    fn priorities(&self, out: &mut Document) {
        if self.priorities.is_empty() {
            out.add(Block::Heading(2, self.say("要改进的地方", "To work on").into()));
            out.text(self.say("这批会话里没有扣分项,保持住。", "Nothing cost points. Keep it up."));
            return;
        }
        let number = ["", "一", "两", "三"][self.priorities.len().min(3)];
        out.add(Block::Heading(
            2,
            match self.zh() {
                true => format!("先改这{number}件事"),
                false => "To work on first".into(),
            },
        ));
        for (place, priority) in self.priorities.iter().enumerate() {
            self.priority(out, place + 1, priority);
        }
        if !self.rest.is_empty() {
            let rest: Vec<_> = self
                .rest
                .iter()
                .map(|(rule, count)| {
                    let title = self.clean(&rule.title);
                    match self.zh() {
                        true => format!("{title}({} 通,{} 分)", count.found, Points(count.points)),
                        false => format!("{title} ({} conversations, {} points)", count.found, Points(count.points)),
                    }
                })
                .collect();
            out.text(match self.zh() {
                true => format!("其余扣分项(先不急):{}。", rest.join("、")),
                false => format!("The rest can wait: {}.", rest.join(", ")),
            });
        }
        out.add(Block::Small(match self.zh() {
            true => format!("排序 = 每通扣分 × 出现通数 × 和{}的差距(本人发生率是{}的几倍,样本少时往{}靠,最低按 0.5、最高按 3;一票否决一通按 100 分)。", self.peer_name(), self.peer_name(), self.peer_name()),
            false => format!("Order = points a conversation × conversations × distance (how many times the rate of {} yours is, drawn towards it where cases are few, between 0.5 and 3; a critical finding counts 100 points).", self.peer_name()),
        }));
    }

    fn priority(&self, out: &mut Document, place: usize, p: &Priority<'_>) {
        let (rule, count) = (p.rule, p.count);
        out.add(Block::Heading(3, format!("{place}. {}", self.clean(&rule.title))));
        let cost = match (rule.severity == Severity::Critical, self.zh()) {
            (true, true) => format!("一票否决 {} 通", count.found),
            (true, false) => format!("{} conversations failed outright", count.found),
            (false, true) => format!("共扣 {} 分", Points(-count.points)),
            (false, false) => format!("{} points lost", Points(-count.points)),
        };
        let percent = p.rate.value * 100.0;
        let peers = p.peers.map(|r| match self.zh() {
            true => format!(",{}同类情况 {:.0}%", self.peer_name(), r.value * 100.0),
            false => format!("; {} {:.0}%", self.peer_name(), r.value * 100.0),
        });
        let peers = peers.unwrap_or_default();
        let weight =
            format!("{:.1} × {} × {:.1} = {:.0}", p.weight.cost, p.weight.found, p.weight.distance, p.weight.product());
        out.add(Block::Text(match self.zh() {
            true => runs([
                "",
                &cost,
                &format!(
                    " · 遇到 {} 通,出现 {} 通({percent:.0}%{peers})· 排序 {weight}",
                    count.applicable, count.found
                ),
            ]),
            false => runs([
                "",
                &cost,
                &format!(
                    " · due in {}, found in {} ({percent:.0}%{peers}) · weight {weight}",
                    count.applicable, count.found
                ),
            ]),
        }));
        let why = if rule.why.is_empty() { &rule.what } else { &rule.why };
        if !why.is_empty() {
            out.add(Block::Labelled(self.say("为什么扣分", "Why it costs points").into(), self.quote(why)));
        }
        for evidence in &p.evidence {
            self.evidence(out, rule.severity, evidence);
        }
        if !rule.coach.is_empty() {
            out.add(Block::Labelled(self.say("怎么改", "What to change").into(), self.quote(&rule.coach)));
        }
        if !rule.say.is_empty() {
            let say = rule.say.iter().map(|s| self.quote(s)).collect();
            out.add(Block::Say(self.say("可以这样说", "Better wording").into(), say));
        }
        if let Some(good) = p.own_good {
            let id = self.clean(&good.conversation_id);
            out.add(Block::Labelled(
                self.say("你自己做到过", "You have done it yourself").into(),
                match self.zh() {
                    true => format!("会话 {id} 第 {} 条,同样的情况:", good.turn + 1),
                    false => format!("conversation {id}, message {}, the same situation:", good.turn + 1),
                },
            ));
            self.good(out, good, self.say("你", "You"));
        }
        if let Some((who, good)) = &p.colleague {
            out.add(Block::Labelled(self.say("同事的好例子", "A colleague's good example").into(), self.clean(who)));
            self.good(out, good, self.say("同事", "Colleague"));
        }
        if !rule.skill.is_empty() {
            let module =
                if rule.module.is_empty() { String::new() } else { format!(" · {}", self.clean(&rule.module)) };
            out.add(Block::Labelled(
                self.say("练什么", "Skill to train").into(),
                format!("{}{module}", self.clean(&rule.skill)),
            ));
        }
    }

    fn evidence(&self, out: &mut Document, severity: Severity, evidence: &Evidence) {
        self.chat(out, &evidence.customer, &evidence.agent, self.say("你", "You"), Voice::Agent);
        let points = match (severity, self.zh()) {
            (Severity::Critical, true) => "一票否决".to_string(),
            (Severity::Critical, false) => "fails outright".to_string(),
            (_, true) => format!("{} 分", Points(evidence.points)),
            (_, false) => format!("{} points", Points(evidence.points)),
        };
        let (id, why) = (self.clean(&evidence.conversation_id), self.quote(&evidence.why));
        out.text(match self.zh() {
            true => format!("{why}({points},会话 {id} 第 {} 条)", evidence.turn + 1),
            false => format!("{why} ({points}, conversation {id}, message {})", evidence.turn + 1),
        });
    }

    fn good(&self, out: &mut Document, good: &GoodExample, who: &str) {
        self.chat(out, &good.customer, &good.agent, who, Voice::Example);
    }

    fn chat(&self, out: &mut Document, customer: &str, agent: &str, who: &str, voice: Voice) {
        let mut lines = Vec::new();
        if !customer.is_empty() {
            lines.push((self.say("客户", "Customer").to_string(), Voice::Customer, self.quote(customer)));
        }
        match agent.is_empty() {
            false => lines.push((who.to_string(), voice, self.quote(agent))),
            true => lines.push((String::new(), voice, self.say("(之后没有回复)", "(no answer followed)").into())),
        }
        out.add(Block::Chat(lines));
    }

    fn went_well(&self, out: &mut Document) {
        out.add(Block::Heading(2, self.say("做得好的", "What went well").into()));
        if self.well.is_empty() && self.bonuses.is_empty() {
            out.text(match self.zh() {
                true => {
                    format!("{} 通会话达到合格线。这批会话还没有哪一项连续做到位,下次从上面第一件事开始。", self.passed)
                }
                false => format!("{} conversations reached the pass mark.", self.passed),
            });
            return;
        }
        for (rule, count, others) in &self.well {
            let title = self.clean(&rule.title);
            let (n, peers) = (count.applicable, self.peer_name());
            out.add(Block::List(vec![match self.zh() {
                true => {
                    runs(["", &title, &format!(":{n} 通都做到了({peers}同类情况有 {:.0}% 没做到)", others * 100.0)])
                }
                false => runs([
                    "",
                    &title,
                    &format!(": done in all {n} conversations ({peers} missed it in {:.0}%)", others * 100.0),
                ]),
            }]));
            if let Some(good) = count.good.items().first() {
                self.good(out, good, self.say("你", "You"));
            }
        }
        let bonuses: Vec<_> = self
            .bonuses
            .iter()
            .map(|(rule, count)| {
                let title = self.clean(&rule.title);
                match self.zh() {
                    true => runs(["", &title, &format!(":{} 次,加 {} 分", count.findings, Points(count.points))]),
                    false => {
                        runs(["", &title, &format!(": {} times, {} points", count.findings, Points(count.points))])
                    }
                }
            })
            .collect();
        if !self.bonuses.is_empty() {
            out.add(Block::List(bonuses));
        }
    }

    fn figures(&self, out: &mut Document) {
        let (agent, peers, zh) = (self.agent, self.peers, self.zh());
        out.add(Block::Heading(2, self.say("和团队比", "Beside the team").into()));
        let dash = || "–".to_string();
        let mean = |f: &Figures| f.score.as_ref().map_or_else(dash, |s| format!("{:.1}", s.value));
        let pass = |f: &Figures| f.pass_rate.as_ref().map_or_else(dash, |r| format!("{:.0}%", r.value * 100.0));
        let mut rows = vec![
            vec![
                self.say("会话数 n", "Conversations n").to_string(),
                agent.conversations.to_string(),
                peers.conversations.to_string(),
            ],
            vec![self.say("平均分", "Score").to_string(), mean(agent), mean(peers)],
            vec![self.say("合格率", "Pass rate").to_string(), pass(agent), pass(peers)],
        ];
        for (own, other) in agent.dimensions.iter().zip(&peers.dimensions) {
            let kept = |k: Option<f64>| k.map_or_else(dash, |k| share(k / 100.0));
            let definition = self.night.pack.scorecard.dimensions.iter().find(|d| d.id == own.id);
            let title = match (zh, definition) {
                (true, _) => format!("{}得分率", self.clean(&own.title)),
                (false, d) => d.map_or_else(|| own.id.clone(), |d| self.clean(&d.title_en)),
            };
            rows.push(vec![title, kept(own.kept), kept(other.kept)]);
        }
        for metric in CoachingReport::measures() {
            let value = |f: &Figures| {
                let found = f.metrics.iter().find(|m| m.id == metric.id());
                found.map_or_else(dash, |m| format!("{:.0} {}", m.mean, self.say("秒", "s")))
            };
            rows.push(vec![self.say(metric.title(), metric.id()).to_string(), value(agent), value(peers)]);
        }
        let rating = |f: &Figures| f.rating.map_or_else(dash, |(mean, n)| format!("{mean:.2}(n={n})"));
        rows.push(vec![self.say("客户评分", "Rating").to_string(), rating(agent), rating(peers)]);
        let head = [self.say("项目", "Figure"), self.say("你", "You"), self.peer_name()].map(String::from).to_vec();
        out.add(Block::Table(head, rows));
        out.add(Block::Small(self.say(
            "每一处扣分都能在 conversations.jsonl 和工作簿的“违规明细”里按会话号和条数找到原话;如有不同意见,请带上会话号找主管复核。",
            "Every point can be traced by conversation and message in conversations.jsonl and in the workbook. If you disagree, take the id to your supervisor.",
        ).into()));
    }
}
