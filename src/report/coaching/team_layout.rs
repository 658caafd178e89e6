//! A team's report in words, for whoever leads the morning meeting.

use super::document::{Block, Document, Run, Voice, runs};
use super::team::{Common, Need, TeamReport};
use crate::judge::Lang;
use crate::report::figures::Figures;
use crate::report::history::Change;
use crate::report::words::{listed, one_line, people, pick, rate, share};

const NAME: usize = 60;
const QUOTE: usize = 400;
/// Names in a list.
const NAMES: usize = 4;

impl TeamReport<'_> {
    /// The report in words.
    pub fn document(&self) -> Document {
        let team = self.team.map_or_else(|| self.say("全员", "everyone").to_string(), |t| self.clean(t));
        let title = format!("{}{team}", self.say("班组报告:", "Team report: "));
        let mut out = Document::new(self.night.lang, title);
        self.head(&mut out);
        self.agenda(&mut out);
        self.training(&mut out);
        self.pairing(&mut out);
        self.improvement(&mut out);
        self.common_rules(&mut out);
        self.people(&mut out);
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

    fn name(&self, agent: &Figures) -> String {
        self.clean(agent.name.as_deref().unwrap_or(&agent.id))
    }

    fn head(&self, out: &mut Document) {
        let figures = self.figures;
        let lang = self.night.lang;
        let pass = figures.pass_rate.as_ref().map(|r| rate(lang, r)).unwrap_or_default();
        let all = self.night.cards.all.pass_rate.as_ref().filter(|_| self.team.is_some());
        let all = all.map(|r| format!("{} {}", self.say(",全员", ", everyone"), share(r.value))).unwrap_or_default();
        let (people, n) = (self.members.len().to_string(), figures.conversations.to_string());
        let label = self.clean(&self.night.label);
        let label = if label.is_empty() { label } else { format!("{label} ") };
        out.add(Block::Text(match self.zh() {
            true => runs([
                &label,
                &people,
                " 名坐席,",
                &n,
                &format!(" 通会话,合格率 {pass}{all};一票否决 {} 通。", figures.critical),
            ]),
            false => runs([
                &label,
                &people,
                " agents, ",
                &n,
                &format!(" conversations, pass rate {pass}{all}; {} failed outright.", figures.critical),
            ]),
        }));
        if !figures.enough {
            out.add(Block::Aside(
                self.say("样本不足:数字只作参考。", "Too few conversations: read the figures as hints.").into(),
            ));
        }
    }

    /// Fifteen minutes: good news, one thing to practise, red lines, who helps whom.
    fn agenda(&self, out: &mut Document) {
        out.add(Block::Heading(2, self.say("15 分钟早会", "A 15-minute meeting").into()));
        let mut items = Vec::new();
        let best = self.members.iter().filter(|a| a.critical == 0).filter_map(|a| Some((*a, a.pass_rate.as_ref()?)));
        let best = best.max_by(|a, b| a.1.low.total_cmp(&b.1.low).then_with(|| b.0.id.cmp(&a.0.id)));
        let news = match (self.improved.first(), best) {
            (Some((agent, change)), _) => self.moved(agent, change),
            (None, Some((agent, pass))) => match self.zh() {
                true => format!("{}:合格率 {},没有一票否决", self.name(agent), rate(self.night.lang, pass)),
                false => format!("{}: pass rate {}, nothing critical", self.name(agent), rate(self.night.lang, pass)),
            },
            (None, None) => self.say("请大家各说一件做得好的事", "Ask each for one thing that went well").into(),
        };
        items.push(runs(["", self.say("2 分钟 好消息", "2 min good news"), &format!("{}{news}", self.say(":", ": "))]));
        if let Some(need) = self.needs.first() {
            let skill = self.skill(need);
            let read = match (&need.example, self.zh()) {
                (Some((who, _)), true) => format!("读一遍 {} 的好例子(见下),再两人一组各说一遍", self.clean(who)),
                (Some((who, _)), false) => {
                    format!("read {}'s good example below, then practise in twos", self.clean(who))
                }
                (None, true) => "按模块里的话术两人一组各说一遍".into(),
                (None, false) => "practise the module's wordings in twos".into(),
            };
            items.push(runs([
                "",
                self.say("7 分钟 一起练", "7 min practice"),
                &format!("{}{skill}{}{read}", self.say(":", ": "), self.say(";", "; ")),
            ]));
        }
        let red: Vec<_> = self
            .critical
            .iter()
            .map(|c| format!("{} {}", self.clean(&c.rule.title), c.figure.rate.as_ref().map_or(0, |r| r.count)))
            .collect();
        let line = match (red.is_empty(), self.zh()) {
            (false, true) => format!("红线:{}。不点名,说清为什么不能做", listed(self.night.lang, &red, NAMES)),
            (false, false) => format!("red lines: {}; no names, say why", listed(self.night.lang, &red, NAMES)),
            (true, true) => "没有红线问题".into(),
            (true, false) => "no red lines crossed".into(),
        };
        items.push(runs(["", self.say("3 分钟 提醒", "3 min reminder"), &format!("{}{line}", self.say(":", ": "))]));
        let pairs: Vec<_> =
            self.pairs.iter().map(|p| format!("{}–{}", self.name(p.learner), self.name(p.helper))).collect();
        let pairs = match pairs.is_empty() {
            false => listed(self.night.lang, &pairs, NAMES),
            true => self.say("每人说一件今天要改的事", "each names one thing to change today").into(),
        };
        items.push(runs([
            "",
            self.say("3 分钟 结对和约定", "3 min pairs and promises"),
            &format!("{}{pairs}", self.say(":", ": ")),
        ]));
        out.add(Block::List(items));
    }

    fn skill(&self, need: &Need<'_>) -> String {
        let modules: Vec<_> = need.skill.modules.iter().map(|m| self.clean(m)).collect();
        let modules = if modules.is_empty() {
            String::new()
        } else {
            format!(" · {}", listed(self.night.lang, &modules, NAMES))
        };
        format!("{}{modules}", self.clean(&need.skill.skill))
    }

    fn training(&self, out: &mut Document) {
        out.add(Block::Heading(2, self.say("培训需求", "Training needs").into()));
        if self.needs.is_empty() {
            out.text(self.say("没有因技能扣分。", "No skill cost points."));
            return;
        }
        let mut head = vec![self.say("技能 · 模块", "Skill · module"), self.say("没做到", "Missed")];
        if self.team.is_some() {
            head.push(self.say("其他组", "Others"));
        }
        head.extend([self.say("扣分", "Points lost"), self.say("占本组扣分", "Share")]);
        let lang = self.night.lang;
        let rows = self.needs.iter().map(|need| {
            let missed = need.skill.missed.as_ref().map_or_else(|| "–".into(), |r| rate(lang, r));
            let mut row = vec![self.skill(need), missed];
            if self.team.is_some() {
                row.push(need.others.as_ref().map_or_else(|| "–".into(), |r| share(r.value)));
            }
            row.extend([format!("{:.0}", need.skill.lost), share(need.share)]);
            row
        });
        out.add(Block::Table(head.into_iter().map(String::from).collect(), rows.collect()));
        let who: Vec<Vec<Run>> = self
            .needs
            .iter()
            .filter(|n| !n.agents.is_empty())
            .map(|need| {
                let names: Vec<_> = need
                    .agents
                    .iter()
                    .map(|(agent, rate, clear)| {
                        let mark =
                            if *clear { self.say(",确定高于本组", ", clearly above the team") } else { "" };
                        match self.zh() {
                            true => format!("{}({}/{}{mark})", self.name(agent), rate.count, rate.of),
                            false => format!("{} ({}/{}{mark})", self.name(agent), rate.count, rate.of),
                        }
                    })
                    .collect();
                runs([
                    "",
                    &self.clean(&need.skill.skill),
                    &format!("{}{}", self.say(":先练的人 ", ": first "), names.join(self.say("、", ", "))),
                ])
            })
            .collect();
        out.add(Block::List(who));
        if let Some((skill, (who, good))) = self.needs.first().and_then(|n| Some((n, n.example?))) {
            let id = one_line(lang, &good.conversation_id, NAME);
            out.add(Block::Labelled(
                self.say("早会可以读的例子", "An example to read out").into(),
                match self.zh() {
                    true => format!(
                        "{},{}(会话 {id} 第 {} 条)",
                        self.clean(&skill.skill.skill),
                        self.clean(who),
                        good.turn + 1
                    ),
                    false => format!(
                        "{}, {} (conversation {id}, message {})",
                        self.clean(&skill.skill.skill),
                        self.clean(who),
                        good.turn + 1
                    ),
                },
            ));
            let customer =
                (self.say("客户", "Customer").to_string(), Voice::Customer, one_line(lang, &good.customer, QUOTE));
            out.add(Block::Chat(vec![customer, (self.clean(who), Voice::Example, one_line(lang, &good.agent, QUOTE))]));
        }
    }

    fn pairing(&self, out: &mut Document) {
        out.add(Block::Heading(2, self.say("谁和谁结对", "Whom to pair with whom").into()));
        if self.pairs.is_empty() {
            out.text(self.say(
                "这期样本还分不出谁在哪项技能上明显更好,先不结对,按培训需求一起练。",
                "Samples do not tell who is clearly better at what; practise together for now.",
            ));
            return;
        }
        let lang = self.night.lang;
        let row = |p: &super::team::Pair<'_>| {
            vec![
                format!("{} → {}", self.name(p.learner), self.name(p.helper)),
                self.clean(p.skill),
                rate(lang, p.learner_rate),
                rate(lang, p.helper_rate),
            ]
        };
        let head = match self.zh() {
            true => ["谁 → 跟谁学", "技能", "没做到", "同事没做到"],
            false => ["Who → learns from", "Skill", "Misses", "Colleague misses"],
        };
        out.add(Block::Table(head.map(String::from).to_vec(), self.pairs.iter().map(row).collect()));
        out.add(Block::Small(self.say(
            "选法:同事没做到的比率的 95% 区间整个低于本人的区间才结对;一人一次只练一项,一位同事最多带两人。",
            "Chosen so that the colleague's 95 % interval lies wholly below the learner's; one skill a learner, two learners a colleague.",
        ).into()));
    }

    /// A change in words.
    fn moved(&self, agent: &Figures, change: &Change) -> String {
        let Change { figure, before, now, .. } = change;
        let pack = self.night.pack;
        let dimension = |id: &str| pack.scorecard.dimensions.iter().find(|d| d.id == id);
        let (title, rate) = match figure.split_once(':') {
            Some(("rule", id)) => (pack.rule(id).map_or(id, |n| pack.rules[n].title.as_str()), true),
            Some(("dimension", id)) => (dimension(id).map_or(id, |d| self.say(&d.title, &d.title_en)), false),
            _ => match figure.as_str() {
                "score" => (self.say("平均分", "score"), false),
                "pass_rate" => (self.say("合格率", "pass rate"), true),
                "critical_rate" => (self.say("一票否决率", "critical rate"), true),
                "resolution_rate" => (self.say("问题解决率", "resolution rate"), true),
                "satisfaction_estimate" => (self.say("满意度估计", "satisfaction estimate"), true),
                "first_response" => (self.say("首次响应(秒)", "first response (s)"), false),
                other => (other, false),
            },
        };
        let shown = |v: f64| if rate { share(v) } else { format!("{v:.1}") };
        let mut text = format!("{}:{} {} → {}", self.name(agent), self.clean(title), shown(*before), shown(*now));
        if let Some(after) = &change.reviewed {
            let side = |v: Option<f64>| v.map_or_else(|| "–".to_string(), shown);
            text += &match self.night.lang {
                Lang::Zh => format!("(复核后 {} → {})", side(after.before), side(after.now)),
                Lang::En => format!(" (after review {} → {})", side(after.before), side(after.now)),
            };
        }
        text
    }

    fn improvement(&self, out: &mut Document) {
        if self.night.history.is_none() {
            return;
        }
        out.add(Block::Heading(2, self.say("谁进步了", "Who improved").into()));
        if self.improved.is_empty() {
            out.text(
                self.say("和上期比,还没有超出误差的好转。", "Nothing better beyond chance since the period before."),
            );
            return;
        }
        let items = self.improved.iter().map(|(agent, c)| vec![Run::Plain(self.moved(agent, c))]);
        out.add(Block::List(items.collect()));
    }

    fn common_rules(&self, out: &mut Document) {
        let all: Vec<&Common<'_>> = self.critical.iter().chain(&self.common).collect();
        if all.is_empty() {
            return;
        }
        out.add(Block::Heading(2, self.say("红线和共同的问题", "Red lines and common faults").into()));
        let lang = self.night.lang;
        let row = |c: &&Common<'_>| {
            let names: Vec<_> = c.agents.iter().map(|a| self.name(a)).collect();
            let found = c.figure.rate.as_ref().map_or_else(|| "–".into(), |r| rate(lang, r));
            vec![
                self.clean(&c.rule.title),
                found,
                format!("{:.0}", c.lost),
                format!("{}", c.agents.len()),
                people(lang, &names, NAMES),
            ]
        };
        let head = match self.zh() {
            true => ["规则", "出现率", "扣分", "人数", "谁"],
            false => ["Rule", "Found", "Points", "Agents", "Who"],
        };
        out.add(Block::Table(head.map(String::from).to_vec(), all.iter().map(row).collect()));
        out.add(Block::Small(
            self.say(
                "一票否决一通按 100 分计。括号里是 95% 区间和样本。",
                "A critical finding counts 100 points. Brackets hold 95 % intervals and cases.",
            )
            .into(),
        ));
    }

    fn people(&self, out: &mut Document) {
        out.add(Block::Heading(2, self.say("组员", "Members").into()));
        let lang = self.night.lang;
        let row = |a: &&Figures| {
            let score = a.score.as_ref().map_or_else(|| "–".into(), |s| format!("{:.1}", s.value));
            let pass = a.pass_rate.as_ref().map_or_else(|| "–".into(), |r| rate(lang, r));
            let sample = if a.enough { "" } else { self.say("样本不足", "too few") };
            vec![self.clean(&a.label()), score, pass, a.critical.to_string(), sample.to_string()]
        };
        let head = match self.zh() {
            true => ["坐席", "平均分", "合格率", "一票否决", "样本"],
            false => ["Agent", "Score", "Pass rate", "Critical", "Sample"],
        };
        out.add(Block::Table(head.map(String::from).to_vec(), self.members.iter().map(row).collect()));
        out.add(Block::Small(self.say("这里按工号排,不是排名。", "In order of ids; not a ranking.").into()));
    }
}
