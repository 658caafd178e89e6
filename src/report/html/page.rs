//! The frame all pages share: policy, head, navigation, foot.

use super::markup::Html;
use super::words::Words;

/// What a page may load: the style and the script beside it, nothing else, from nowhere else.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// Where a page stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Tonight,
    /// Teams and agents.
    People,
    /// Rules.
    Rules,
    /// Conversations.
    Chats,
    /// How a score comes about.
    Help,
}

/// A page before it is written.
pub struct Page<'p> {
    /// Its language.
    pub words: Words,
    /// Its title.
    pub title: &'p str,
    /// What it is part of.
    pub place: Place,
    /// True in a folder below the first page.
    pub below: bool,
    /// The night's name.
    pub label: &'p str,
    /// Pack and version, for the foot.
    pub pack: String,
}

impl Page<'_> {
    /// The path back to the first page's folder.
    pub fn up(&self) -> &'static str {
        if self.below { "../" } else { "" }
    }

    /// The whole page around its body.
    pub fn render(&self, body: &Html) -> Html {
        let w = self.words;
        let mut out = Html::new();
        out.raw("<!doctype html>\n");
        out.open("html", &[("lang", w.t("zh-CN", "en"))]).raw("<head><meta charset=\"utf-8\">");
        out.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
        out.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">");
        let name = w.t("质检报告", "Quality report");
        out.el("title", &[], &format!("{} · {name}", self.title));
        let up = self.up();
        out.raw("<link rel=\"icon\" href=\"data:,\">");
        out.open("link", &[("rel", "stylesheet"), ("href", &format!("{up}assets/style.css"))]);
        out.open("script", &[("src", &format!("{up}assets/report.js")), ("defer", "")]).close("script");
        out.raw("</head>\n<body>");
        out.el("a", &[("class", "skip"), ("href", "#main")], w.t("跳到正文", "Skip to content"));
        out.raw("<header class=\"bar\"><div>");
        out.open("a", &[("class", "brand"), ("href", &format!("{up}index.html"))]).text(name);
        if !self.label.is_empty() {
            out.el("span", &[], self.label);
        }
        out.close("a").open("nav", &[("aria-label", w.t("主导航", "Main"))]);
        for (place, file, title) in [
            (Place::Tonight, "index.html", w.t("昨夜", "Tonight")),
            (Place::People, "agents.html", w.t("团队与客服", "Teams and agents")),
            (Place::Rules, "rules.html", w.t("规则", "Rules")),
            (Place::Chats, "chats.html", w.t("会话", "Conversations")),
            (Place::Help, "help.html", w.t("说明", "Help")),
        ] {
            let href = format!("{up}{file}");
            match place == self.place {
                true => out.el("a", &[("href", &href), ("aria-current", "page")], title),
                false => out.el("a", &[("href", &href)], title),
            };
        }
        out.raw("</nav></div></header>\n<main id=\"main\">").push(body).raw("</main>\n<footer><div>");
        out.text(w.t(
            "括号里或数字旁是 95% 区间;样本不足的不排名。规则包 ",
            "Beside each figure stands its 95 % interval; small samples are not ranked. Rule pack ",
        ));
        out.text(&self.pack).raw(" · ");
        out.link(&format!("{up}help.html"), w.t("分数怎么来的", "How a score comes about"));
        out.raw("</div></footer></body></html>\n");
        out
    }
}

/// The head of a page's body: where it stands, its title, and what it says in a sentence.
pub fn head(out: &mut Html, crumb: &Html, title: &str, lead: &Html) {
    out.raw("<div class=\"head\">");
    if !crumb.is_empty() {
        out.with("div", &[("class", "crumb")], crumb);
    }
    out.open("h1", &[]).el("bdi", &[], title).close("h1");
    if !lead.is_empty() {
        out.with("p", &[("class", "lead")], lead);
    }
    out.raw("</div>\n");
}

/// A section with its heading and, where it needs it, a line on how to read it.
pub fn section(out: &mut Html, id: &str, title: &str, about: &str) {
    out.open("section", &[("id", id), ("aria-labelledby", &format!("{id}-h"))]);
    out.el("h2", &[("id", &format!("{id}-h"))], title);
    if !about.is_empty() {
        out.el("p", &[("class", "about")], about);
    }
}

/// What stands where there is nothing to show, and why.
pub fn empty(out: &mut Html, text: &str) {
    out.el("p", &[("class", "empty")], text);
}
