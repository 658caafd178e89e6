//! The charts of the first sheet, each over a small table beside them.

use rust_xlsxwriter::{
    Chart, ChartErrorBars, ChartErrorBarsType, ChartFont, ChartFormat, ChartLegendPosition, ChartLine,
    ChartLineDashType, ChartMarker, ChartMarkerType, ChartRange, ChartSolidFill, Color,
};

use super::style::{ACCENT, BAR, WARM};

/// Where a chart's table stands: sheet, first and last row of its body, first column.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// The sheet's name.
    pub sheet: &'p str,
    /// First row, counted from 0.
    pub first: u32,
    /// Last row.
    pub last: u32,
    /// First column.
    pub column: u16,
}

impl Place<'_> {
    fn range(&self, offset: u16) -> ChartRange {
        let column = self.column + offset;
        ChartRange::new_from_range(self.sheet, self.first, column, self.last, column)
    }
}

fn font(size: f64) -> ChartFont {
    let mut font = ChartFont::new();
    font.set_name("Microsoft YaHei").set_size(size).unset_bold();
    font
}

fn framed(mut chart: Chart, title: &str, about: &str) -> Chart {
    chart.title().set_name(title).set_font(&font(12.0));
    chart.set_alt_text(about);
    chart.chart_area().set_format(ChartFormat::new().set_no_border());
    chart.x_axis().set_font(&font(9.0));
    chart.y_axis().set_font(&font(9.0));
    let mut light = ChartLine::new();
    light.set_color(Color::RGB(0xE7E6E6)).set_width(0.5);
    chart.y_axis().set_major_gridlines_line(&light);
    chart.set_width(900).set_height(320);
    chart
}

/// A dot with its interval for each category, and a dashed line for the target. Columns: name, value, what lies below
/// and above it in the interval, target.
pub fn dots(place: Place<'_>, title: &str, about: &str, series: (&str, &str), target: bool) -> Chart {
    let mut chart = framed(Chart::new_line(), title, about);
    let mut marker = ChartMarker::new();
    let mut fill = ChartSolidFill::new();
    fill.set_color(ACCENT);
    marker.set_type(ChartMarkerType::Circle).set_size(7);
    marker.set_format(ChartFormat::new().set_solid_fill(&fill));
    let mut bars = ChartErrorBars::new();
    bars.set_type(ChartErrorBarsType::Custom(place.range(3), place.range(2)));
    let mut thin = ChartLine::new();
    thin.set_color(ACCENT).set_width(1.25);
    bars.set_format(ChartFormat::new().set_line(&thin));
    chart
        .add_series()
        .set_name(series.0)
        .set_categories(&place.range(0))
        .set_values(&place.range(1))
        .set_marker(&marker)
        .set_format(ChartFormat::new().set_no_line())
        .set_y_error_bars(&bars);
    if target {
        let mut dashed = ChartLine::new();
        dashed.set_color(WARM).set_width(1.5).set_dash_type(ChartLineDashType::Dash);
        let mut none = ChartMarker::new();
        none.set_none();
        chart
            .add_series()
            .set_name(series.1)
            .set_categories(&place.range(0))
            .set_values(&place.range(4))
            .set_marker(&none)
            .set_format(ChartFormat::new().set_line(&dashed));
    }
    chart.y_axis().set_min(0).set_max(1).set_num_format("0%");
    chart.legend().set_position(ChartLegendPosition::Top).set_font(&font(9.0));
    chart
}

/// How many conversations have which score. Columns: band, count.
pub fn distribution(place: Place<'_>, title: &str, about: &str, series: &str) -> Chart {
    let mut chart = framed(Chart::new_column(), title, about);
    let mut fill = ChartSolidFill::new();
    fill.set_color(BAR);
    chart
        .add_series()
        .set_name(series)
        .set_categories(&place.range(0))
        .set_values(&place.range(1))
        .set_gap(20)
        .set_format(ChartFormat::new().set_solid_fill(&fill));
    chart.y_axis().set_min(0);
    chart.legend().set_hidden();
    chart
}

/// The costliest rules and their share of everything together. Columns: rule, points, running share.
pub fn pareto(place: Place<'_>, title: &str, about: &str, series: (&str, &str)) -> Chart {
    let mut chart = framed(Chart::new_column(), title, about);
    let mut fill = ChartSolidFill::new();
    fill.set_color(BAR);
    chart
        .add_series()
        .set_name(series.0)
        .set_categories(&place.range(0))
        .set_values(&place.range(1))
        .set_gap(40)
        .set_format(ChartFormat::new().set_solid_fill(&fill));
    let mut line = Chart::new_line();
    let mut stroke = ChartLine::new();
    stroke.set_color(WARM).set_width(1.75);
    line.add_series()
        .set_name(series.1)
        .set_categories(&place.range(0))
        .set_values(&place.range(2))
        .set_format(ChartFormat::new().set_line(&stroke))
        .set_secondary_axis(true);
    line.y2_axis().set_min(0).set_max(1).set_num_format("0%").set_font(&font(9.0));
    chart.combine(&line);
    chart.y_axis().set_min(0);
    chart.legend().set_position(ChartLegendPosition::Top).set_font(&font(9.0));
    chart
}
