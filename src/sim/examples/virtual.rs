//! A run in virtual time from the command line: `virtual PEARLS [SEED] [LANES]`, its figures as JSON.

use sim::virtual_time::{VirtualOptions, run};

/// Whether the word given as fourth argument is in the notice.
fn kind_is_asked(text: &str) -> bool {
    std::env::args().nth(4).is_some_and(|word| text.contains(&word))
}

fn main() {
    let number = |n: usize, default: u64| {
        std::env::args()
            .nth(n)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let options = VirtualOptions {
        pearls: number(1, 20_000),
        seed: number(2, 1),
        lanes: u8::try_from(number(3, 16)).unwrap_or(16),
        ..VirtualOptions::default()
    };
    let outcome = run(&options, |_| {});
    println!("{:#?}", outcome.summary);
    for complaint in outcome.complaints {
        println!("{complaint}");
    }
    let mut notices = std::collections::BTreeMap::<String, u64>::new();
    for (at_us, notice) in &outcome.notices {
        let text = format!("{notice:?}");
        let kind = text.split(['(', ' ']).next().unwrap_or_default().to_owned();
        let seen = notices.entry(kind).or_default();
        *seen += 1;
        if *seen <= 5 || kind_is_asked(&text) {
            println!("{at_us}: {text}");
        }
    }
    println!("{notices:?}\n{:?}\ncomplete {}", outcome.accounts, outcome.complete);
}
