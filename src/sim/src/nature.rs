//! How the virtual line behaves when nothing is at fault: the one place where its defaults stand.
//!
//! Any thread. [`Nature::default`] is on in every run; a test or a scenario may change single figures. Where a figure is not
//! given by the project it is assumed, and says so.
//!
//! | what | default |
//! |---|---|
//! | roll between the entry eye and the jets, standard deviation | 0.5 mm, half of its variance before the weigh cell |
//! | jitter of a valve's opening and closing, standard deviation | 0.1 ms |
//! | valve's true lag against the one that the board is set to | uniform within 0.03 ms, fixed for the valve |
//! | jitter of an entry eye, standard deviation | 0.05 mm |
//! | arrivals | least gap plus exponential; the least gap is 0.65 of the mean pitch |
//! | doubles: a second pearl that comes with the first | 3 % of arrivals; half touch, half up to 4 mm apart |
//! | missed trigger | 1e-4 of pearls |
//! | doubled trigger | none |
//! | slip: a pearl stays 5 to 15 mm behind, before the weigh cell | 2e-5 of pearls |
//! | fall: a pearl leaves the belt before the jets | 2e-5 of pearls |
//! | camera: result after the trigger | 8 to 15 ms, mostly early |
//! | camera: standard deviation of diameters, lustre, L a b | 5 um, 1 %, 0.5 |
//! | camera: standard deviation of the blemished share | 0.1 % and 3 % of itself |
//! | camera: each stated uncertainty | equals the standard deviation |
//! | weigh cell: result after the pearl has left | 8 ms, standard deviation 0.3 ms |
//! | weigh cell: standard deviation, stated likewise | 0.3 mg |
//! | weigh cell: gate ticks, standard deviation | 0.1 mm |
//! | jet: blows from / leaves alone below | 60 % / 10 % of the pearl's passage |
//! | stray pearls (between the two) | half into the bin, a quarter stay, a quarter are lost |
//! | fall from jet or belt's end to the drop eye | middle of the plan's window, standard deviation a twelfth of it |
//! | speed at a drop eye: how long a falling pearl interrupts it | 1.3 m/s |
//! | weigh cell that streams samples | a platform of 95 Hz, see [`crate::platform`] |
//! | feeder: pearls already on the belt before the eye when it stops | 100 mm |

use crate::platform::CellNature;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nature {
    /// Standard deviation of the roll from the entry eye to the jets, um.
    pub roll_um: f64,
    /// Standard deviation of each edge of a valve, us.
    pub valve_jitter_us: f64,
    /// Farthest that a valve's true lag is from its setting, us.
    pub lag_error_us: f64,
    /// Standard deviation of an entry eye's edge, um.
    pub eye_jitter_um: f64,
    /// Least gap between the centres of two arrivals, as a share of the mean pitch.
    pub least_gap: f64,
    /// Share of arrivals that are two.
    pub doubles: f64,
    /// Share of doubles that touch.
    pub touching: f64,
    /// Farthest that a double's two are apart, um.
    pub double_gap_um: f64,
    /// Share of pearls that the entry eye does not see.
    pub missed_trigger: f64,
    /// Share of pearls that the entry eye sees twice.
    pub doubled_trigger: f64,
    /// Share of pearls that slip.
    pub slips: f64,
    /// Least and most way that they stay behind, um.
    pub slip_um: (f64, f64),
    /// Share of pearls that fall off the belt.
    pub falls: f64,
    /// Least and most time from the trigger to the camera's result, us.
    pub camera_us: (f64, f64),
    /// Standard deviation of a diameter, um.
    pub diameter_um: f64,
    /// Standard deviation of lustre, 0.01 %.
    pub lustre: f64,
    /// Standard deviation of L, a, b, 0.01.
    pub lab: f64,
    /// Standard deviation of the blemished share, 0.01 %, and as a share of itself.
    pub blemish: (f64, f64),
    /// Mean and standard deviation of the time from the platform's end to the mass, us.
    pub weigh_us: (f64, f64),
    /// Standard deviation of a mass, ug.
    pub mass_ug: f64,
    /// Standard deviation of a weigh gate's tick, um.
    pub gate_um: f64,
    /// Speed of a falling pearl at the drop eye, um/s.
    pub fall_um_s: f64,
    /// Length of belt between feeder and entry eye, um.
    pub feeder_um: f64,
    /// Weigh cells that stream samples, where the line has them.
    pub cell: CellNature,
}

impl Default for Nature {
    fn default() -> Self {
        Self {
            roll_um: 500.0,
            valve_jitter_us: 100.0,
            lag_error_us: 30.0,
            eye_jitter_um: 50.0,
            least_gap: 0.65,
            doubles: 0.03,
            touching: 0.5,
            double_gap_um: 4_000.0,
            missed_trigger: 1e-4,
            doubled_trigger: 0.0,
            slips: 2e-5,
            slip_um: (5_000.0, 15_000.0),
            falls: 2e-5,
            camera_us: (8_000.0, 15_000.0),
            diameter_um: 5.0,
            lustre: 100.0,
            lab: 50.0,
            blemish: (10.0, 0.03),
            weigh_us: (8_000.0, 300.0),
            mass_ug: 300.0,
            gate_um: 100.0,
            fall_um_s: 1_300_000.0,
            feeder_um: 100_000.0,
            cell: CellNature::default(),
        }
    }
}
