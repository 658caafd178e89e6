//! Numbers and names as the report's reader sees them, in Chinese or English.

use super::markup::Html;
use crate::metrics::METRICS;
use crate::pack::rule::Severity;
use crate::pack::scorecard::Dimension;
use crate::report::figures::{Mean, Rate};
use crate::report::targets::Status;

/// The report's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: bool,
}

impl Words {
    /// One of two wordings.
    pub fn t<'w>(self, zh: &'w str, en: &'w str) -> &'w str {
        if self.zh { zh } else { en }
    }

    /// `91.3 %` (Chinese without the space).
    pub fn percent(self, share: f64) -> String {
        format!("{:.1}{}", share * 100.0, self.t("%", " %"))
    }

    /// A share with its interval and cases: `91.3% (88.1–93.9, 274/300)`.
    pub fn rate(self, rate: Option<&Rate>) -> Html {
        let mut out = Html::new();
        match rate {
            Some(r) => {
                out.text(&self.percent(r.value)).raw(" ");
                let (low, high) = (r.low * 100.0, r.high * 100.0);
                out.el("span", &[("class", "ci")], &format!("{low:.1}–{high:.1} · {}/{}", count(r.count), count(r.of)));
            }
            None => {
                out.el("span", &[("class", "quiet")], "–");
            }
        }
        out
    }

    /// A mean score with its interval.
    pub fn mean(self, mean: Option<&Mean>) -> Html {
        let mut out = Html::new();
        match mean {
            Some(m) => {
                out.text(&format!("{:.1}", m.value));
                if let Some((low, high)) = m.interval {
                    out.raw(" ").el("span", &[("class", "ci")], &format!("{low:.1}–{high:.1}"));
                }
            }
            None => {
                out.el("span", &[("class", "quiet")], "–");
            }
        }
        out
    }

    /// A duration given in seconds.
    ///
    /// ```
    /// use zhijian::report::html::words::Words;
    /// assert_eq!(Words { zh: true }.seconds(95.0), "1 分 35 秒");
    /// assert_eq!(Words { zh: false }.seconds(7200.0), "2 h");
    /// ```
    pub fn seconds(self, seconds: f64) -> String {
        if seconds < 10.0 && seconds.fract() > 0.05 {
            return format!("{seconds:.1} {}", self.t("秒", "s"));
        }
        let whole = seconds.round() as i64;
        let parts = match whole {
            0..60 => [(whole, self.t("秒", "s")), (0, "")],
            60..3600 => [(whole / 60, self.t("分", "min")), (whole % 60, self.t("秒", "s"))],
            3600..86_400 => [(whole / 3600, self.t("小时", "h")), (whole % 3600 / 60, self.t("分", "min"))],
            _ => [(whole / 86_400, self.t("天", "d")), (whole % 86_400 / 3600, self.t("小时", "h"))],
        };
        let [(first, unit), (rest, small)] = parts;
        if rest == 0 { format!("{first} {unit}") } else { format!("{first} {unit} {rest} {small}") }
    }

    /// A severity's name.
    pub fn severity(self, severity: Severity) -> &'static str {
        match (self.zh, severity) {
            (true, s) => s.title(),
            (false, Severity::Note) => "note",
            (false, Severity::Minor) => "minor",
            (false, Severity::Major) => "major",
            (false, Severity::Critical) => "critical",
        }
    }

    /// A severity with its colour and shape.
    pub fn severity_mark(self, severity: Severity) -> Html {
        let mut out = Html::new();
        out.el("span", &[("class", &format!("sev {}", severity.id()))], self.severity(severity));
        out
    }

    /// A dimension's title.
    pub fn dimension(self, dimension: &Dimension) -> &str {
        if self.zh || dimension.title_en.is_empty() { &dimension.title } else { &dimension.title_en }
    }

    /// A figure's name by its id: measures, rates, as the pack's targets and the history use them.
    pub fn figure(self, id: &str) -> String {
        const NAMES: [(&str, &str, &str); 16] = [
            ("conversations", "会话量", "Conversations"),
            ("score", "平均分", "Mean score"),
            ("pass_rate", "合格率", "Pass rate"),
            ("critical_rate", "一票否决率", "Critical rate"),
            ("resolution_rate", "解决率", "Resolution rate"),
            ("connect_rate", "接通率", "Answered"),
            ("satisfaction_estimate", "满意度估计", "Satisfaction estimate"),
            ("rating", "客户评分", "Rating"),
            ("rating_response", "参评率", "Rated"),
            ("satisfied", "满意率", "Satisfied"),
            ("transferred", "转接率", "Handed on"),
            ("fcr_24h", "24 小时一次解决率", "Solved at once (24 h)"),
            ("fcr_72h", "72 小时一次解决率", "Solved at once (72 h)"),
            ("complaint_24h", "投诉 24 小时答复率", "Complaints answered in 24 h"),
            ("complaint_72h", "投诉 72 小时解决率", "Complaints solved in 72 h"),
            ("speech_rate", "语速(字/分)", "Speech rate (characters/min)"),
        ];
        if let Some((_, zh, en)) = NAMES.iter().find(|n| n.0 == id) {
            return self.t(zh, en).to_string();
        }
        let metric = METRICS.iter().find(|m| m.1 == id);
        match metric.filter(|_| self.zh) {
            Some(metric) => metric.2.to_string(),
            None => {
                let words = id.replace('_', " ");
                let mut chars = words.chars();
                chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
            }
        }
    }

    /// How a figure stands to its target.
    pub fn status(self, status: Status) -> (&'static str, &'static str) {
        match status {
            Status::Met => ("state met", self.t("达成", "met")),
            Status::Missed => ("state missed", self.t("未达成", "missed")),
            Status::Undecided => ("state undecided", self.t("还不能断定", "undecided")),
            Status::NotAvailable => ("state none", self.t("无数据", "no data")),
        }
    }

    /// A channel's or stage's name.
    pub fn place(self, id: &str) -> &str {
        match id {
            "chat" => self.t("在线", "chat"),
            "phone" => self.t("电话", "phone"),
            "email" => self.t("邮件", "e-mail"),
            "social" => self.t("社媒", "social"),
            "presale" => self.t("售前", "presale"),
            "insale" => self.t("售中", "in sale"),
            "aftersale" => self.t("售后", "aftersale"),
            "" => self.t("未注明", "not given"),
            other => other,
        }
    }
}

/// A count with thousands apart.
///
/// ```
/// use zhijian::report::html::words::count;
/// assert_eq!(count(1234567), "1,234,567");
/// assert_eq!(count(12), "12");
/// ```
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
