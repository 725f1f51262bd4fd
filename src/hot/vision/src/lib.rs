//! The eye of pearlsort: three views of one flash in, the pearl's figures with their standard uncertainties out.
//!
//! Hot: [`Eye::new`] takes all memory, [`Eye::measure`] takes none, never waits, never panics on any pixels, and reads
//! no clock. Pixels are integers, geometry is floating point (least squares of subpixel positions); figures leave as
//! integers in the units of the field bus.
//!
//! Words: a **view** is one camera's frame of a flash: top, left, right, their directions in one plane across the
//! belt's running direction. The **outline** is the pearl's silhouette in a view. A **mirror image** is a lamp's
//! reflection on the pearl: its sharpness is lustre. **Body** is the pearl away from mirror images and rim. A **pit**
//! is a blemish. **Slant** is the cosine between surface normal and line of sight.

#![forbid(unsafe_code)]
#![expect(
    clippy::needless_range_loop,
    reason = "matrices, views and cells are named by their indices, of which several arrays share one"
)]

mod algebra;
mod bits;
mod calibration;
mod ellipse;
mod ellipsoid;
mod eye;
mod figures;
mod lab;
pub mod limits;
mod nominal;
mod outline;
mod pits;
mod refusal;
mod segment;
mod shade;
mod shape;
mod view;

pub use calibration::{Calibration, Camera, Chip, Lamps, Light, Masters, RimLoss, Series, ViewName};
pub use eye::{Eye, Limits};
pub use figures::{Measurement, Raw};
pub use lab::{lab, linear_rgb};
pub use refusal::{Refusal, Why};
pub use shape::Shape;
pub use view::{PixelFormat, View};
