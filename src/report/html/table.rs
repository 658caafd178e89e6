//! Tables that sort and filter in the page.

use super::markup::Html;
use super::words::Words;

/// A table being put together. The first cell of a row is its heading.
pub struct Table {
    id: String,
    caption: String,
    columns: Vec<(String, bool)>,
    rows: Vec<Row>,
    look: &'static str,
    sort: bool,
}

struct Row {
    group: String,
    cells: Vec<(Html, Option<Option<f64>>, &'static str)>,
}

impl Table {
    /// An empty table; `id` names it in its page.
    pub fn new(id: &str, caption: &str) -> Table {
        Table {
            id: id.to_string(),
            caption: caption.to_string(),
            columns: Vec::new(),
            rows: Vec::new(),
            look: "scroll",
            sort: true,
        }
    }

    /// A column of words.
    pub fn words(mut self, title: &str) -> Table {
        self.columns.push((title.to_string(), false));
        self
    }

    /// A column of numbers.
    pub fn numbers(mut self, title: &str) -> Table {
        self.columns.push((title.to_string(), true));
        self
    }

    /// Another look of the frame: `scroll tall`, `scroll heat`.
    pub fn look(mut self, look: &'static str) -> Table {
        self.look = look;
        self
    }

    /// Leaves out the sorting, for tables whose order says something.
    pub fn in_order(mut self) -> Table {
        self.sort = false;
        self
    }

    /// Begins a row that belongs to `group` (what the page's list of groups chooses by).
    pub fn row(&mut self, group: &str) -> &mut Table {
        self.rows.push(Row { group: group.to_string(), cells: Vec::new() });
        self
    }

    /// A cell of words.
    pub fn cell(&mut self, html: Html) -> &mut Table {
        self.put(html, None, "")
    }

    /// A cell of plain words.
    pub fn say(&mut self, text: &str) -> &mut Table {
        self.cell(Html::of(text))
    }

    /// A number with what it sorts by; `None` sorts last.
    pub fn number(&mut self, value: Option<f64>, html: Html) -> &mut Table {
        self.put(html, Some(value), "num")
    }

    /// A whole number.
    pub fn count(&mut self, n: u64) -> &mut Table {
        self.number(Some(n as f64), Html::of(&super::words::count(n)))
    }

    /// A number on a ground that says how low it is.
    pub fn heat(&mut self, value: Option<f64>, class: &'static str, html: Html) -> &mut Table {
        self.put(html, Some(value), class)
    }

    fn put(&mut self, html: Html, sort: Option<Option<f64>>, class: &'static str) -> &mut Table {
        if let Some(row) = self.rows.last_mut() {
            row.cells.push((html, sort, class));
        }
        self
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the table with a box to filter by, and a list of groups where rows belong to several.
    pub fn filtered(&self, out: &mut Html, words: Words, groups: &str) {
        let label = words.t("筛选", "Filter");
        out.open("div", &[("class", "tools"), ("data-for", &self.id), ("hidden", "")]);
        out.open("label", &[]).text(label).raw(" ");
        out.open("input", &[("type", "search"), ("placeholder", words.t("输入几个字", "type to filter"))]);
        out.close("label");
        let mut names: Vec<&str> = self.rows.iter().map(|r| r.group.as_str()).filter(|g| !g.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() > 1 {
            out.open("label", &[]).text(groups).raw(" ").open("select", &[]);
            out.el("option", &[("value", "")], words.t("全部", "all"));
            for name in names {
                out.el("option", &[("value", name)], name);
            }
            out.close("select").close("label");
        }
        out.open("output", &[("class", "small"), ("aria-label", words.t("显示的行数", "rows shown"))]);
        out.close("output").close("div");
        self.write(out);
    }

    /// Writes the table.
    pub fn write(&self, out: &mut Html) {
        let label = if self.caption.is_empty() { self.id.as_str() } else { self.caption.as_str() };
        out.open("div", &[("class", self.look), ("tabindex", "0"), ("role", "region"), ("aria-label", label)]);
        let class = if self.sort && self.rows.len() > 1 { "sort" } else { "plain-table" };
        out.open("table", &[("class", class), ("id", &self.id)]);
        if !self.caption.is_empty() {
            out.el("caption", &[], &self.caption);
        }
        out.raw("<thead><tr>");
        for (title, numeric) in &self.columns {
            match numeric {
                true => out.el("th", &[("scope", "col"), ("class", "num")], title),
                false => out.el("th", &[("scope", "col")], title),
            };
        }
        out.raw("</tr></thead><tbody>\n");
        for row in &self.rows {
            match row.group.is_empty() {
                true => out.raw("<tr>"),
                false => out.open("tr", &[("data-g", &row.group)]),
            };
            for (at, (html, sort, class)) in row.cells.iter().enumerate() {
                let tag = if at == 0 { "th" } else { "td" };
                let value = sort.map(|v| v.map(|v| format!("{}", (v * 1e4).round() / 1e4)).unwrap_or_default());
                let mut attributes: Vec<(&'static str, &str)> = Vec::new();
                if at == 0 {
                    attributes.push(("scope", "row"));
                }
                if !class.is_empty() {
                    attributes.push(("class", class));
                }
                if let Some(value) = &value {
                    attributes.push(("data-v", value));
                }
                out.with(tag, &attributes, html);
            }
            out.raw("</tr>\n");
        }
        out.raw("</tbody></table></div>");
    }
}
