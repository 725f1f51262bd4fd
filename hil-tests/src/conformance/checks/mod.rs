//! The checks, by subject. Cold.

mod arming;
mod chip;
mod eyes;
mod guards;
mod link;
mod orders;
mod repeats;
mod settings;
mod wrap;

use super::Check;

/// Every check, in the order in which it is run.
pub fn all() -> impl Iterator<Item = Check> {
    [
        link::CHECKS,
        repeats::CHECKS,
        settings::CHECKS,
        arming::CHECKS,
        orders::CHECKS,
        guards::CHECKS,
        eyes::CHECKS,
        wrap::CHECKS,
        chip::CHECKS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A check of the table.
macro_rules! check {
    ($run:ident, $needs:ident, $requirement:literal) => {
        $crate::conformance::Check {
            name: stringify!($run),
            requirement: $requirement,
            needs: $crate::conformance::Need::$needs,
            run: $run,
        }
    };
}
use check;
