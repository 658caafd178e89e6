//! Plots as inline SVG: pure functions of numbers. Each has a title, a description, and its numbers as a table.

pub mod bars;
pub mod dots;
pub mod ecdf;
pub mod trend;

use super::markup::Html;
use super::table::Table;
use super::words::Words;

/// A drawing of fixed inner size, scaled to its place by the style sheet.
pub struct Svg {
    id: String,
    size: (f64, f64),
    title: String,
    description: String,
    linked: bool,
    out: Html,
}

/// A coordinate with one digit after the point.
pub fn at(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 { "0".into() } else { format!("{rounded}") }
}

impl Svg {
    /// A drawing `width` × `height`. `id` must be unique in its page.
    pub fn new(id: &str, width: f64, height: f64, title: &str, description: &str) -> Svg {
        let (title, description) = (title.to_string(), description.to_string());
        Svg { id: id.to_string(), size: (width, height), title, description, linked: false, out: Html::new() }
    }

    /// A line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(at);
        self.out.open("line", &[("class", class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]).close("line");
    }

    /// A box with a corner, a width and a height, and a tip that shows on hovering.
    pub fn bar(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), tip: &str) {
        let [x, y, w, h] = [corner.0, corner.1, size.0, size.1].map(at);
        self.out.open("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &w), ("height", &h)]);
        if !tip.is_empty() {
            self.out.el("title", &[], tip);
        }
        self.out.close("rect");
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, centre: (f64, f64), radius: f64, tip: &str) {
        let [x, y, r] = [centre.0, centre.1, radius].map(at);
        self.out.open("circle", &[("class", class), ("cx", &x), ("cy", &y), ("r", &r)]);
        if !tip.is_empty() {
            self.out.el("title", &[], tip);
        }
        self.out.close("circle");
    }

    /// Words.
    pub fn text(&mut self, class: &str, place: (f64, f64), text: &str) {
        let [x, y] = [place.0, place.1].map(at);
        self.out.el("text", &[("class", class), ("x", &x), ("y", &y)], text);
    }

    /// Words that lead somewhere.
    pub fn link(&mut self, class: &str, place: (f64, f64), text: &str, href: &str) {
        self.linked = true;
        self.out.open("a", &[("href", href)]);
        self.text(class, place, text);
        self.out.close("a");
    }

    /// A line through points.
    pub fn curve(&mut self, class: &str, points: &[(f64, f64)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", at(*x), at(*y))).collect();
        self.out.open("polyline", &[("class", class), ("points", &path.join(" "))]).close("polyline");
    }

    /// An area between points.
    pub fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", at(*x), at(*y))).collect();
        self.out.open("polygon", &[("class", class), ("points", &path.join(" "))]).close("polygon");
    }

    /// The figure: what it shows in words, the drawing, and its numbers.
    pub fn figure(self, words: Words, caption: &str, numbers: &Table) -> Html {
        let mut out = Html::new();
        out.open("figure", &[]);
        if !caption.is_empty() {
            out.el("figcaption", &[], caption);
        }
        let label = words.t("图,可左右滚动", "Chart, scrolls sideways");
        out.open("div", &[("class", "plot"), ("tabindex", "0"), ("role", "group"), ("aria-label", label)]);
        let (title, description) = (format!("{}-t", self.id), format!("{}-d", self.id));
        let view = format!("0 0 {} {}", at(self.size.0), at(self.size.1));
        // What an image holds is hidden from screen readers; a drawing with links is a group.
        let role = if self.linked { "group" } else { "img" };
        out.open(
            "svg",
            &[("viewBox", &view), ("role", role), ("aria-labelledby", &title), ("aria-describedby", &description)],
        );
        out.el("title", &[("id", &title)], &self.title).el("desc", &[("id", &description)], &self.description);
        out.push(&self.out).close("svg").close("div");
        out.open("details", &[]).el("summary", &[], words.t("看数字", "Show the numbers"));
        numbers.write(&mut out);
        out.close("details").close("figure");
        out
    }
}

/// Cuts a label to a number of half-width columns.
pub fn fit(text: &str, most: usize) -> String {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += if c.is_ascii() { 1 } else { 2 };
        if used > most {
            return format!("{}…", text[..at].trim_end());
        }
    }
    text.to_string()
}
