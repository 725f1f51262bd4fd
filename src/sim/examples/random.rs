//! Random timetables of faults in virtual time: `random FIRST_SEED COUNT`; says which seeds a checker complains of. With one
//! seed alone it tells more.

use sim::virtual_time::{VirtualOptions, run};

fn main() {
    let number = |n: usize, default: u64| {
        std::env::args()
            .nth(n)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (first, count) = (number(1, 1), number(2, 100));
    let mut bad = 0;
    for seed in first..first + count {
        let faults = sim::catalogue::random(seed);
        let options = VirtualOptions {
            seed,
            lanes: 16,
            most_us: 18_000_000,
            faults: faults.clone(),
            ..VirtualOptions::default()
        };
        let outcome = run(&options, |_| {});
        let complaints = outcome.summary.complaints();
        if complaints.is_empty() && outcome.complete {
            continue;
        }
        bad += 1;
        println!(
            "seed {seed}: {complaints:?} complete {} {:?}",
            outcome.complete, faults.faults
        );
        for breach in outcome.complaints.iter().take(12) {
            println!("    {breach}");
        }
        let begins_us = faults.faults.iter().map(|fault| fault.from_us).min().unwrap_or(0);
        for (at_us, notice) in outcome
            .notices
            .iter()
            .filter(|(at_us, _)| count == 1 && *at_us >= begins_us)
            .take(80)
        {
            println!("{at_us}: {notice:?}");
        }
    }
    println!("{bad} of {count} timetables broke something");
}
