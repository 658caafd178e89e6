//! How a score comes about, and how to read the report.

use super::markup::Html;
use super::page::{Place, head, section};
use super::site::Site;
use super::table::Table;
use crate::pack::rule::Severity;

/// The page.
pub fn page(site: &Site<'_>) -> Html {
    let w = site.words;
    let card = &site.night.pack.scorecard;
    let mut body = Html::new();
    let title = w.t("分数怎么来的", "How a score comes about");
    let lead = w.t(
        "每一分都能说清楚:哪条规则、哪一句话、为什么。这里写着怎么算、怎么读,以及对结果有不同意见时怎么办。",
        "Every point can be explained: which rule, which words, why. This page says how it is counted, how to read it, and what to do when you disagree.",
    );
    head(&mut body, &Html::new(), title, &Html::of(lead));
    section(&mut body, "score", w.t("一通会话的分数", "The score of a conversation"), "");
    let pass = card.pass_mark as f64 / 1000.0;
    body.raw("<ol>");
    for line in [
        w.t("满分 100,按维度分配。规则只在“该做的时候”才判:客户有情绪,才要求安抚;没有触发的规则不进分母。", "Each conversation starts from 100, divided among dimensions. A rule is judged only where something made it due; rules that were not due leave the denominator."),
        w.t("每处发现按规则扣分,一条规则在一通会话里有封顶,一个维度最多扣到它的权重。没有任何规则适用的维度退出,其余维度按权重折算。", "Each finding costs its rule's points, capped by rule and by the dimension's weight. A dimension with nothing applicable drops out and the others are scaled up."),
        w.t("触到红线(一票否决)的会话记 0 分,否决前的分数另外保留。", "A critical finding sets the score to 0; the score before it is kept beside."),
        w.t("几位客服接待的会话,每人只为自己那一段负责;机器人、自动回复既不加分也不扣分。", "In conversations of several agents each answers for her own part; bots and automatic replies earn no credit and no blame."),
        w.t("没有时间就不判响应,没有评分就不算满意率;没有的数据不当作 0。", "Without times response is not judged, without ratings satisfaction is not counted: what is missing is not zero."),
    ] {
        body.el("li", &[], line);
    }
    body.raw("</ol>");
    body.el(
        "p",
        &[],
        &match w.zh {
            true => format!("{pass} 分起算合格。少于 {} 通的客服只显示“样本不足”,不排名。", card.min_sample),
            false => {
                format!("{pass} points pass. Agents with fewer than {} conversations are not ranked.", card.min_sample)
            }
        },
    );
    let mut table = Table::new("dims", w.t("维度与权重", "Dimensions and weights"))
        .words(w.t("维度", "Dimension"))
        .numbers(w.t("权重", "Weight"))
        .in_order();
    if w.zh {
        table = table.words("看什么");
    }
    for dimension in &card.dimensions {
        table
            .row("")
            .say(w.dimension(dimension))
            .number(Some(f64::from(dimension.weight)), Html::of(&dimension.weight.to_string()));
        if w.zh {
            table.say(&dimension.about);
        }
    }
    table.write(&mut body);
    body.raw("</section>\n");
    section(&mut body, "severity", w.t("级别", "Severities"), "");
    body.raw("<dl class=\"facts\">");
    for (severity, text) in [
        (Severity::Note, w.t("值得知道,不扣分", "worth knowing, costs nothing")),
        (Severity::Minor, w.t("小疏忽", "a small lapse")),
        (Severity::Major, w.t("明显的问题", "a clear fault")),
        (Severity::Critical, w.t("红线,一处就是 0 分", "a red line: one is enough for 0")),
    ] {
        body.with("dt", &[], &w.severity_mark(severity)).el("dd", &[], text);
    }
    body.raw("</dl></section>\n");
    section(&mut body, "read", w.t("怎么读这些数字", "How to read the figures"), "");
    body.raw("<ul>");
    for line in [
        w.t("数字旁的小字是 95% 区间和样本数。区间越宽,说明会话越少,越不能下结论。", "The small print beside a figure is its 95 % interval and its cases. The wider it is, the less can be said."),
        w.t("区间整个在目标一侧才说“达成”或“未达成”,否则是“还不能断定”。", "“Met” and “missed” are said only where the whole interval is on one side of the target."),
        w.t("两位客服的区间重叠,就不分先后。", "Agents whose intervals overlap share a rank."),
        w.t("“期望”是一般水平的客服遇到同样渠道和阶段会得的分:拿它比,比拿总平均比公平。", "“Expected” is what someone average would score with the same channels and stages."),
        w.t("四类准确率是没有该类错误的会话占比,分开看,不合成。", "The four accuracies are shares of conversations without an error of the class; they are not averaged."),
        w.t("满意度估计是从对话推算的,不进客服的得分;一次解决率按同一客户有没有再来推算。", "The satisfaction estimate is inferred from the words and is no part of the score; solved-at-once is inferred from recontacts."),
    ] {
        body.el("li", &[], line);
    }
    body.raw("</ul></section>\n");
    section(&mut body, "disagree", w.t("有不同意见", "If you disagree"), "");
    body.el("p", &[], w.t("带上会话编号和第几条找主管复核。每处扣分在会话页里都标出了原话,页面地址可以直接转给别人。", "Take the conversation's id and the message's number to your supervisor. Each finding is marked in the conversation's page, and the page's address can be passed on."));
    body.raw("</section>\n");
    section(&mut body, "keys", w.t("页面怎么用", "Using the pages"), "");
    body.raw("<ul><li>").text(
        w.t("表头可以点,按那一列排序;上方的框可以筛选。", "Click a heading to sort; the box above a table filters."),
    );
    body.raw("</li><li>").text(w.t("会话页里按 ", "In a conversation ")).raw("<kbd>j</kbd> / <kbd>k</kbd>");
    body.text(w.t(" 到下一处、上一处发现。", " step to the next and previous finding."));
    body.raw("</li><li>").text(
        w.t("每张图下面的“看数字”是同样内容的表格。", "“Show the numbers” below a chart is the same as a table."),
    );
    body.raw("</li></ul></section>\n");
    site.page(title, Place::Help, false).render(&body)
}
