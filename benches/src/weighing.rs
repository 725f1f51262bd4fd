//! A weigh cell to measure: the model that knows the synthetic platform's own figures, so that nothing is identified here.

use line::weigh::{BeltLines, Model, Noise, Platform};
use setup::weigh::synthetic::Plan;

/// The model of a plan's platform that knows the belt's lines at `hz`.
#[must_use]
pub fn model(plan: &Plan, hz: &[f64]) -> Model {
    Model {
        sample_hz: plan.sample_hz,
        counts_per_mg: plan.counts_per_mg,
        platform: Platform {
            natural_hz: plan.natural_hz,
            damping: plan.damping,
            effective_mg: plan.effective_g * 1e3,
            landing_us: plan.blow_ms * 1e3,
            roll_us: plan.roll_on_ms * 1e3,
            lag_us: 0.0,
        },
        lines: BeltLines::new(hz),
        noise: Noise {
            white_mg: plan.noise_mg,
            zero_walk_mg: 0.5,
            line_walk_mg: 1.0,
            push_mg: 0.02,
            gate_us: 50.0,
        },
    }
}
