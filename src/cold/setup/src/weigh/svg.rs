//! Line charts as SVG, for reports.
//!
//! Cold threads. Nothing but text: no script, no external reference.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
/// Most points of a curve; more are thinned to the largest of each step, so that no peak is lost.
const MOST_POINTS: usize = 1_800;

/// A chart of one curve with named marks on its x axis.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// Title.
    pub title: &'a str,
    /// What the x axis shows, with its unit.
    pub x_name: &'a str,
    /// What the y axis shows, with its unit.
    pub y_name: &'a str,
    /// Points, x ascending.
    pub points: &'a [(f64, f64)],
    /// Marks: x and text.
    pub marks: &'a [(f64, String)],
    /// Logarithmic y axis; points that are not positive are left out.
    pub log_y: bool,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let largest = |chunk: &[(f64, f64)]| chunk.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    points.chunks(step).filter_map(largest).collect()
}

impl Chart<'_> {
    /// The chart as an SVG document. Without two drawable points it says so instead of a curve.
    #[must_use]
    pub fn svg(&self) -> String {
        let scale_y = |y: f64| if self.log_y { y.log10() } else { y };
        let drawable = |p: &&(f64, f64)| p.0.is_finite() && scale_y(p.1).is_finite();
        let points: Vec<(f64, f64)> = thinned(self.points)
            .iter()
            .filter(drawable)
            .map(|p| (p.0, scale_y(p.1)))
            .collect();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>",
            escaped(self.title)
        );
        if points.len() < 2 {
            svg += "<text x=\"200\" y=\"180\">no data</text></svg>\n";
            return svg;
        }
        let bounds = |value: fn(&(f64, f64)) -> f64| {
            let low = points.iter().map(value).fold(f64::INFINITY, f64::min);
            let high = points.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            (low, if high > low { high } else { low + 1.0 })
        };
        let ((x0, x1), (y0, y1)) = (bounds(|p| p.0), bounds(|p| p.1));
        let x_at = |x: f64| LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
        let y_at = |y: f64| HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
        self.axes(&mut svg, (x0, x1), (y0, y1));
        svg += "<polyline fill=\"none\" stroke=\"#205080\" points=\"";
        for (x, y) in &points {
            // writing to a string does not fail
            let _ = write!(svg, "{:.1},{:.1} ", x_at(*x), y_at(*y));
        }
        svg += "\"/>";
        for (i, (x, name)) in self.marks.iter().filter(|(x, _)| (x0..=x1).contains(x)).enumerate() {
            let (at, row) = (x_at(*x), TOP + 12.0 + 14.0 * (i % 6) as f64);
            let _ = write!(
                svg,
                "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" stroke=\"#c04020\" \
                 stroke-dasharray=\"3 3\"/><text x=\"{:.1}\" y=\"{row:.1}\" fill=\"#c04020\">{}</text>",
                HEIGHT - BOTTOM,
                at + 3.0,
                escaped(name)
            );
        }
        svg + "</svg>\n"
    }

    fn axes(&self, svg: &mut String, x: (f64, f64), y: (f64, f64)) {
        let bottom = HEIGHT - BOTTOM;
        for i in 0..=5 {
            let share = f64::from(i) / 5.0;
            let (at_x, at_y) = (LEFT + share * (WIDTH - LEFT - RIGHT), bottom - share * (bottom - TOP));
            let value_y = y.0 + share * (y.1 - y.0);
            let value_y = if self.log_y { 10.0_f64.powf(value_y) } else { value_y };
            // writing to a string does not fail
            let _ = write!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at_y:.1}\" y2=\"{at_y:.1}\" stroke=\"#dddddd\"/>\
                 <text x=\"{at_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.4}</text>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value_y:.3}</text>",
                WIDTH - RIGHT,
                bottom + 16.0,
                x.0 + share * (x.1 - x.0),
                LEFT - 5.0,
                at_y + 4.0
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 10.0,
            escaped(self.x_name),
            (TOP + bottom) / 2.0,
            escaped(self.y_name)
        );
    }
}
