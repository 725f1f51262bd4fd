//! Measurements as rows of a CSV. Cold.

use std::path::Path;

use vision::{Calibration, Eye, Limits, Measurement, Raw, Refusal, ViewName, Why};

use crate::folder::{FolderError, Frame, FrameError, file, pearls, suffix};

/// One pearl of a folder.
#[derive(Clone, Debug)]
pub struct Row {
    /// Identity: the files' common name.
    pub id: String,
    /// Figures, or why there are none.
    pub result: Result<(Measurement, Raw), Refusal>,
}

/// Measures every pearl of a folder, in the order of their names. A file that is missing, unreadable or odd makes a
/// row with a refusal; the rest goes on.
///
/// # Errors
///
/// When the folder itself can't be read.
pub fn measure(folder: &Path, calibration: &Calibration, limits: Limits) -> Result<Vec<Row>, FolderError> {
    let mut eye = Eye::new(calibration, limits);
    let ids = pearls(folder)?;
    Ok(ids.into_iter().map(|id| row(folder, id, &mut eye)).collect())
}

fn row(folder: &Path, id: String, eye: &mut Eye) -> Row {
    let mut frames = Vec::with_capacity(ViewName::ALL.len());
    for view in ViewName::ALL {
        match Frame::read(&file(folder, &id, view)) {
            Ok(frame) => frames.push(frame),
            Err(FrameError::Missing | FrameError::Truncated) => {
                return Row {
                    id,
                    result: Err(Refusal {
                        why: Why::Truncated,
                        view,
                    }),
                };
            }
        }
    }
    Row::of(id, [&frames[0], &frames[1], &frames[2]], eye)
}

/// The CSV's columns. `u_` is the standard uncertainty of the column of that name.
pub const COLUMNS: &str = "id,dmax_mm,u_dmax_mm,dmin_mm,u_dmin_mm,ddp_pct,u_ddp_pct,volume_mm3,u_volume_mm3,shape,\
    L,u_L,a,u_a,b,u_b,colour,lustre,u_lustre,blemishes,u_blemishes,blemish_area,u_blemish_area,residual_mm,taper_pct,\
    refusal,refused_view";

impl Row {
    /// Measures one pearl: its top, left and right frame.
    #[must_use]
    pub fn of(id: String, frames: [&Frame; 3], eye: &mut Eye) -> Self {
        let result = eye.measure(&frames.map(Frame::view));
        let result = result.map(|measurement| (measurement, *eye.raw()));
        Self { id, result }
    }

    /// The row as a line of CSV, without its end. A refused pearl has no figures but the refusal.
    #[must_use]
    pub fn csv(&self) -> String {
        match &self.result {
            Ok((m, _)) => format!("{},{},,", self.id, figures(m)),
            Err(refusal) => {
                let empty = ",".repeat(COLUMNS.split(',').count() - 3);
                format!("{}{empty},{},{}", self.id, name(refusal.why), suffix(refusal.view))
            }
        }
    }
}

fn figures(m: &Measurement) -> String {
    let mm = |um: i32| f64::from(um) / 1000.0;
    let share = |centi: i32| f64::from(centi) / 10_000.0;
    let hundredth = |v: i16| f64::from(v) / 100.0;
    let [l, a, b] = m.lab.map(hundredth);
    let [u_l, u_a, u_b] = m.u_lab.map(|u| f64::from(u) / 100.0);
    format!(
        "{:.3},{:.3},{:.3},{:.3},{:.2},{:.2},{:.3},{:.3},{},{l:.2},{u_l:.2},{a:.2},{u_a:.2},{b:.2},{u_b:.2},{},{},{},\
         {},{},{:.4},{:.4},{:.3},{:.2}",
        mm(m.d_max.0),
        mm(m.u_d_max.0),
        mm(m.d_min.0),
        mm(m.u_d_min.0),
        share(m.ddp.0) * 100.0,
        share(m.u_ddp.0) * 100.0,
        f64::from(m.volume_nl) / 1000.0,
        f64::from(m.u_volume_nl) / 1000.0,
        m.shape.name(),
        m.series.map_or("", vision::Series::name),
        m.lustre,
        m.u_lustre,
        m.blemishes,
        m.u_blemishes,
        share(m.blemish_area.0),
        share(m.u_blemish_area.0),
        mm(m.residual.0),
        share(m.taper.0) * 100.0,
    )
}

/// A refusal's name in the CSV.
#[must_use]
pub const fn name(why: Why) -> &'static str {
    match why {
        Why::Empty => "empty",
        Why::Several => "several",
        Why::Cut => "cut",
        Why::Foreign => "foreign",
        Why::Overexposed => "overexposed",
        Why::Dark => "dark",
        Why::Dirty => "dirty",
        Why::Format => "format",
        Why::Size => "size",
        Why::Truncated => "truncated",
        Why::Misfit => "misfit",
    }
}
