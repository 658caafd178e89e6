//! How cells look: one font, one accent, severity and status told by shape and shade, never by red and green alone.

use rust_xlsxwriter::{
    Color, ConditionalFormat3ColorScale, ConditionalFormatCustomIcon, ConditionalFormatDataBar,
    ConditionalFormatIconSet, ConditionalFormatIconType, ConditionalFormatText, ConditionalFormatTextRule,
    ConditionalFormatType, Format, FormatAlign, FormatBorder,
};

/// The one accent.
pub const ACCENT: Color = Color::RGB(0x1F4E79);
/// Bars.
pub const BAR: Color = Color::RGB(0x9DC3E6);
/// Something to look at.
pub const WARM: Color = Color::RGB(0xC55A11);
/// Too little to tell.
pub const GREY: Color = Color::RGB(0x6B6B6B);

/// What a column holds: its number format, alignment and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, also ids made of digits.
    Text,
    /// Text that may take several lines.
    Wrap,
    /// A number of things.
    Count,
    /// Points of 100.
    Points,
    /// A share, held as a fraction.
    Share,
    /// Seconds.
    Seconds,
    /// A number with two digits, such as stars.
    Decimal,
    /// A day.
    Date,
    /// Something to click.
    Link,
}

impl Kind {
    const ALL: [Kind; 9] = [
        Kind::Text,
        Kind::Wrap,
        Kind::Count,
        Kind::Points,
        Kind::Share,
        Kind::Seconds,
        Kind::Decimal,
        Kind::Date,
        Kind::Link,
    ];

    /// The unit, as the sheet of definitions names it.
    pub fn unit(self, zh: bool) -> &'static str {
        match (self, zh) {
            (Kind::Points, true) => "分",
            (Kind::Points, false) => "points",
            (Kind::Share, true) => "%(存为 0–1)",
            (Kind::Share, false) => "% (held as 0–1)",
            (Kind::Seconds, true) => "秒",
            (Kind::Seconds, false) => "seconds",
            (Kind::Count, true) => "个数",
            (Kind::Count, false) => "count",
            (Kind::Decimal, true) => "数值",
            (Kind::Decimal, false) => "number",
            (Kind::Date, true) => "日期",
            (Kind::Date, false) => "date",
            (Kind::Link, true) => "链接",
            (Kind::Link, false) => "link",
            (Kind::Text | Kind::Wrap, true) => "文字",
            (Kind::Text | Kind::Wrap, false) => "text",
        }
    }

    fn format(self) -> Format {
        let base = base().set_align(FormatAlign::Top);
        match self {
            Kind::Text => base.set_num_format("@").set_align(FormatAlign::Left).set_indent(1),
            Kind::Wrap => base.set_num_format("@").set_align(FormatAlign::Left).set_indent(1).set_text_wrap(),
            Kind::Count => base.set_num_format("#,##0"),
            Kind::Points => base.set_num_format("0.0"),
            Kind::Share => base.set_num_format("0.0%"),
            Kind::Seconds => base.set_num_format("#,##0.0"),
            Kind::Decimal => base.set_num_format("0.00"),
            Kind::Date => base.set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left).set_indent(1),
            Kind::Link => base.set_font_color(ACCENT).set_underline(rust_xlsxwriter::FormatUnderline::Single),
        }
    }
}

fn base() -> Format {
    Format::new().set_font_name("Microsoft YaHei").set_font_size(10)
}

/// Every format, made once.
pub struct Styles {
    cells: Vec<[Format; 3]>,
    /// Header cells.
    pub header: Format,
    /// A sentence above a table.
    pub banner: Format,
    /// The workbook's title.
    pub title: Format,
    /// A heading on the first sheet.
    pub heading: Format,
    /// A sentence on the first sheet.
    pub sentence: Format,
    /// Small grey words.
    pub small: Format,
}

impl Styles {
    /// Makes them.
    pub fn new() -> Styles {
        let variants = |kind: &Kind| {
            let plain = kind.format();
            [plain.clone(), plain.clone().set_font_color(GREY), plain.set_quote_prefix()]
        };
        Styles {
            cells: Kind::ALL.iter().map(variants).collect(),
            header: base()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(ACCENT)
                .set_align(FormatAlign::VerticalCenter)
                .set_align(FormatAlign::Center)
                .set_text_wrap()
                .set_border_right(FormatBorder::Thin)
                .set_border_color(Color::RGB(0x8EA9C1)),
            banner: base().set_font_color(WARM).set_text_wrap().set_align(FormatAlign::VerticalCenter),
            title: base().set_font_size(18).set_bold().set_font_color(ACCENT),
            heading: base().set_font_size(12).set_bold().set_font_color(ACCENT),
            sentence: base().set_font_size(11).set_text_wrap().set_align(FormatAlign::VerticalCenter),
            small: base().set_font_size(9).set_font_color(GREY).set_text_wrap().set_align(FormatAlign::Top),
        }
    }

    /// The format of a cell; grey where the row says little, quoted where the text could be a formula.
    pub fn cell(&self, kind: Kind, grey: bool, quoted: bool) -> &Format {
        let variants = &self.cells[kind as usize];
        if quoted { &variants[2] } else { &variants[usize::from(grey)] }
    }
}

/// Bars in the cells of a count or a sum.
pub fn bars() -> ConditionalFormatDataBar {
    ConditionalFormatDataBar::new().set_fill_color(BAR).set_solid_fill(true).set_border_off(true)
}

/// Orange over white to blue: told apart also by those who do not tell red from green.
pub fn heat() -> ConditionalFormat3ColorScale {
    ConditionalFormat3ColorScale::new()
        .set_minimum_color(Color::RGB(0xF4B183))
        .set_midpoint(ConditionalFormatType::Percentile, 50)
        .set_midpoint_color(Color::White)
        .set_maximum_color(Color::RGB(0x9DC3E6))
}

/// A tick from the target on, a warning up to a tenth below, a cross beneath.
pub fn against(target: f64) -> ConditionalFormatIconSet {
    let at = |value: f64| ConditionalFormatCustomIcon::new().set_rule(ConditionalFormatType::Number, value);
    ConditionalFormatIconSet::new().set_icon_type(ConditionalFormatIconType::ThreeSymbolsCircled).set_icons(&[
        at(0.0),
        at(target * 0.9),
        at(target),
    ])
}

/// Cells that hold a word, in a shade of their own.
pub fn shade(word: &str, fill: u32, font: u32, bold: bool) -> ConditionalFormatText {
    let format = Format::new().set_background_color(Color::RGB(fill)).set_font_color(Color::RGB(font));
    ConditionalFormatText::new().set_rule(ConditionalFormatTextRule::Contains(word.to_string())).set_format(if bold {
        format.set_bold()
    } else {
        format
    })
}
