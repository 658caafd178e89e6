//! What people found when they checked an agent's conversations.

use super::content::CoachingReport;
use super::document::{Block, Document, Run, runs};
use crate::judge::Lang;
use crate::report::words::{one_line, pick};
use crate::review::Verdict;

/// Characters of a quote or reason.
const MOST: usize = 200;

impl CoachingReport<'_> {
    /// The machine's score and the one after review, and each decision with its reason; nothing where nobody has looked.
    pub(super) fn reviewed(&self, out: &mut Document) {
        let (Some(reviewed), Some(own)) = (self.night.reviewed, &self.agent.reviewed) else { return };
        let lang = self.night.lang;
        out.add(Block::Heading(2, pick(lang, "人工复核", "Checked by people").into()));
        let points = |mean: &Option<crate::report::figures::Mean>| {
            mean.as_ref().map_or_else(|| "–".to_string(), |m| format!("{:.1}", m.value))
        };
        let (machine, after) = (points(&self.agent.score), points(&own.score));
        out.add(Block::Text(match lang {
            Lang::Zh => runs([
                &format!("你有 {} 通会话经过人工复核。机器分 ", own.cases),
                &machine,
                ",复核后分 ",
                &after,
                "。以复核为准。",
            ]),
            Lang::En => runs([
                &format!("{} of your conversations were checked by people. Machine score ", own.cases),
                &machine,
                ", after review ",
                &after,
                ". The review counts.",
            ]),
        }));
        let list = reviewed.of(&self.agent.id).map(|d| {
            let finding = &d.ruling.finding;
            let title = match self.night.pack.rule(&finding.rule) {
                Some(number) => self.night.pack.rules[number].title.clone(),
                None => finding.rule.clone(),
            };
            let verdict = match d.ruling.verdict {
                Verdict::Confirmed => pick(lang, "确认", "confirmed"),
                Verdict::Overturned => pick(lang, "误判,不再扣分", "overturned, costs nothing"),
                Verdict::Missed => pick(lang, "复核补上", "added by review"),
                Verdict::Appealed => pick(lang, "申诉中", "under appeal"),
            };
            let place = match lang {
                Lang::Zh => format!("{} 第 {} 条", d.conversation, finding.turn + 1),
                Lang::En => format!("{}, message {}", d.conversation, finding.turn + 1),
            };
            let mut text = format!("({place})");
            for part in [&d.quote, &d.ruling.comment].into_iter().filter(|p| !p.trim().is_empty()) {
                text += &format!(" · {}", one_line(lang, part, MOST));
            }
            vec![
                Run::Strong(format!("{verdict}: {}", one_line(lang, &title, MOST))),
                Run::Plain(one_line(lang, &text, 3 * MOST)),
            ]
        });
        let list: Vec<Vec<Run>> = list.collect();
        if !list.is_empty() {
            out.add(Block::List(list));
        }
    }
}
