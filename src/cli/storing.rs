//! Keeping a night in the history store, and giving its reports what came before.

use std::path::PathBuf;

use zhijian::error::{Error, Result};
use zhijian::judge::Lang;
use zhijian::pack::Pack;
use zhijian::pipeline::Summary;
use zhijian::report::calendar::{self, Calendar, Unit};
use zhijian::report::history::History;
use zhijian::report::night::last_day;
use zhijian::report::reviewed::{Reviewed, reviewed};
use zhijian::report::targets::Earlier;
use zhijian::score::contacts::ContactLog;
use zhijian::score::partial::Names;
use zhijian::store::{Record, Reported, Selection, Store};

use super::rescore::with_decisions;
use super::table::plain;

/// Whether and as what a night is kept.
#[derive(Debug, clap::Args)]
pub struct StoreArgs {
    /// 历史库文件(没有则新建):存下这一晚,报告里给出趋势和与前一晚的比较;重跑同一晚会整晚替换
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_STORE")]
    store: Option<PathBuf>,
    /// 这一晚的日期;不写则取会话开始的最后一天(零点后零星几通不算)
    #[arg(long, value_name = "DATE", requires = "store")]
    night: Option<String>,
    /// 同一晚分几次质检时(如在线、电话各一次)这一次的名称;各部分都保留,合起来算一晚
    #[arg(long, value_name = "NAME", requires = "store")]
    part: Option<String>,
}

/// A store that must be there.
#[derive(Debug, clap::Args)]
pub struct StoreArg {
    /// 历史库文件(zhijian inspect --store 写出的)
    #[arg(long, value_name = "FILE", env = "ZHIJIAN_STORE")]
    store: PathBuf,
}

impl StoreArg {
    /// Opens it; there must be one.
    pub fn open(&self) -> Result<Store> {
        Store::existing(&self.store)
    }
}

/// The store of a run.
pub struct Storing {
    store: Store,
    night: Option<String>,
    part: Option<String>,
}

/// A night with what came before it.
pub struct Kept<'r> {
    /// The store.
    store: Store,
    /// What will be written.
    record: Record<'r>,
    contacts: ContactLog,
    /// Earlier nights for targets.
    pub earlier: Earlier,
    /// Earlier nights for reports.
    pub history: History,
    /// Conversations of the same night as it was stored before.
    replaced: Option<u64>,
}

impl StoreArgs {
    /// True when a store is named.
    pub fn is_given(&self) -> bool {
        self.store.is_some()
    }

    /// Opens the store before the work begins, so that a wrong file is told at once.
    pub fn open(&self) -> Result<Option<Storing>> {
        if let Some(night) = self.night.as_deref().filter(|n| calendar::day(n).is_none()) {
            let reason = format!("`{night}` 不是日期,要写成 2026-11-20 这样");
            return Err(Error::Setting { option: "--night".into(), reason });
        }
        if self.part.as_deref().is_some_and(|p| p.trim().is_empty() || p.chars().any(char::is_control)) {
            let reason = "要有可见的字,如 phone".into();
            return Err(Error::Setting { option: "--part".into(), reason });
        }
        let Some(path) = &self.store else { return Ok(None) };
        Ok(Some(Storing { store: Store::open(path)?, night: self.night.clone(), part: self.part.clone() }))
    }
}

impl Storing {
    /// The pack with the demotions and restorations the store has decided, told in a line each.
    pub fn decided(&self, pack: Pack, quiet: bool) -> Result<Pack> {
        let hash = pack.hash.clone();
        let pack = with_decisions(&self.store, pack)?;
        if pack.hash != hash && !quiet {
            for rule in self.store.rule_standing()?.into_iter().filter(|r| r.demoted) {
                eprintln!("按复核决定只提示、不扣分: {}({})", plain(&rule.rule), plain(&rule.reason));
            }
        }
        Ok(pack)
    }

    /// Takes the run's contacts, follows its customers with those of the nights before, and reads what came before.
    pub fn follow(&self, pack: &Pack, summary: &mut Summary) -> Result<(String, ContactLog)> {
        let night = match &self.night {
            Some(night) => night.clone(),
            None => last_day(&summary.aggregate),
        };
        if night.is_empty() {
            let reason =
                "会话里没有时间,不知道是哪一晚;请用 --night 2026-11-20 写明 (no times, say which night)".into();
            return Err(Error::Setting { option: "--store".into(), reason });
        }
        let mut contacts = std::mem::take(&mut summary.contacts);
        summary.aggregate.service.cross = self.store.follow(&night, &Names::of(pack).topics, &mut contacts)?;
        Ok((night, contacts))
    }

    /// The night with what came before it.
    pub fn keep<'r>(
        self,
        night: &str,
        contacts: ContactLog,
        pack: &'r Pack,
        summary: &'r Summary,
        lang: Lang,
    ) -> Result<Kept<'r>> {
        let part = self.part.as_deref();
        let record = Record::new(night, part.unwrap_or_default(), pack, summary)?;
        let selection = Selection { part: self.part.clone(), ..Selection::parse(night, "--night")? };
        let others = self.store.selected(&Selection { part: None, ..selection.clone() })?;
        if others.iter().any(|row| row.part.is_empty() != part.is_none()) {
            let (kind, advice) = match part {
                None => ("分部分的", "--part"),
                Some(_) => ("不分部分的", "不带 --part"),
            };
            eprintln!("提示: {night} 已存有{kind}结果({advice}),两者会加在一起;若是同一批会话,请只用一种存法");
        }
        let earlier = self.store.earlier(night, night, part)?;
        let history = self.store.history(&Reported {
            selection: &selection,
            partial: &record.partial,
            mixed: false,
            words: &record.words,
            pack,
            lang,
        })?;
        let same = others.iter().find(|row| row.part == record.part);
        let replaced = same.map(|row| row.conversations.0);
        Ok(Kept { store: self.store, record, contacts, earlier, history, replaced })
    }
}

impl Kept<'_> {
    /// What people found when they checked this night, and, beside its comparison with the period before, what review
    /// made of both.
    pub fn reviewed(&mut self) -> Result<Option<Reviewed>> {
        let Record { night, part, pack, partial, .. } = &self.record;
        let cases = self.store.reviewed_of(&[(night.clone(), part.clone(), pack.hash.clone())])?;
        let reviewed = reviewed(pack, &partial.aggregate, &cases);
        let part = Some(part.as_str()).filter(|part| !part.is_empty());
        self.store.review_history(&mut self.history, part, reviewed.as_ref())?;
        Ok(reviewed)
    }

    /// What was stored, and how the night stands to the one before, in one line.
    pub fn sentence(&self) -> String {
        let Record { night, part, partial, .. } = &self.record;
        let part = if part.is_empty() { String::new() } else { format!("({part})") };
        let mut text = format!("已存入历史库 {}: {night}{part}", self.store.path().display());
        if let Some(before) = self.replaced {
            text += &format!(",替换原来的同一晚({before} 通 → {} 通)", partial.aggregate.conversations);
        }
        let changes = &self.history.changes;
        if let Some(score) = changes.all.iter().find(|c| c.figure == "score") {
            text += &format!(" · 平均分较 {} {:+.1}", changes.against, score.difference());
            if let Some((low, high)) = score.interval {
                let verdict = if score.is_clear() { "" } else { ",看不出变化" };
                text += &format!("(95% 区间 {low:+.1} … {high:+.1}{verdict})");
            }
        }
        if changes.changed_rules {
            text += " · 规则包或门槛有变,分数不直接可比";
        }
        let new: Vec<_> = self.history.bursts.iter().take(3).map(|b| format!("{}({} 通)", b.title, b.now)).collect();
        if !new.is_empty() {
            text += &format!(" · 比往常多: {}", new.join("、"));
        }
        text
    }

    /// Writes the night; called once the results are in their place.
    pub fn write(mut self) -> Result<()> {
        self.store.write(&self.record, &mut self.contacts).map_err(|error| match error {
            Error::Store { path, reason } => {
                let reason = format!(
                    "{reason}\n  结果目录已写好,但这一晚没有存入历史库(历史库未被改动);解决后重跑同一条命令即可。(results written, night not stored)"
                );
                Error::Store { path, reason }
            }
            other => other,
        })
    }
}

/// True for a label of one day.
pub fn is_day(selection: &Selection) -> bool {
    let Calendar { unit, .. } = selection.span;
    unit == Unit::Day
}
