//! Runs the catalogue of faults in virtual time: `catalogue [NAME [SEED]]`; a line each, more for one that is named.

use sim::virtual_time::{VirtualOptions, run};

fn main() {
    let name = std::env::args().nth(1);
    let seed = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    for (fault, faults) in sim::catalogue::catalogue() {
        if name.as_ref().is_some_and(|name| !fault.contains(name.as_str())) {
            continue;
        }
        let options = VirtualOptions {
            seed,
            most_us: 22_000_000,
            faults,
            ..VirtualOptions::default()
        };
        let outcome = run(&options, |_| {});
        let s = &outcome.summary;
        println!(
            "{fault:26} in {:5} bin {:5} lost {:3}/{:3} wrong {:3} unseen {:4} misr {:3}/{:2} up {:3}/{:3} late {:3} holds {:3} quar {:3} \
             complete {} {:?}",
            s.pearls_in,
            s.binned,
            s.lost,
            s.lost_recorded,
            s.lost_wrong,
            s.unseen,
            s.misrouted,
            s.misrouted_into_bins,
            s.upgraded,
            s.upgraded_unquarantined,
            s.late,
            s.holds,
            s.quarantines,
            outcome.complete,
            s.complaints(),
        );
        if name.is_some() {
            println!("{s:#?}");
            for complaint in outcome.complaints {
                println!("{complaint}");
            }
            for (at_us, notice) in outcome.notices.iter().filter(|(at_us, _)| *at_us > 7_900_000).take(60) {
                println!("{at_us}: {notice:?}");
            }
        }
    }
}
