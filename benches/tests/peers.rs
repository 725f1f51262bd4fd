//! The peers that are programs of their own answer every pearl; those that are not installed say so.

use benches::{
    belt::Belt,
    capacity,
    contender::{Conditions, Trouble, all},
    latency,
};

#[test]
fn every_installed_peer_sorts() {
    let on = |belt| Conditions {
        hold_cpu_latency: true,
        belt,
    };
    for contender in all("python3") {
        match capacity::measure(contender.as_ref(), &on(Belt::FAST), 0.05) {
            Ok(rate) => assert!(rate.figure > 100.0, "{}: {rate:?}", contender.name()),
            Err(Trouble::Missing(reason)) => {
                println!("{}: {reason}", contender.name());
                continue;
            }
            Err(trouble) => panic!("{}: {trouble}", contender.name()),
        }
        let latencies_ns = latency::measure(contender.as_ref(), &on(Belt::REAL), 0.05);
        assert_eq!(
            latencies_ns.expect("it ran a moment ago").figure.count(),
            10,
            "{}",
            contender.name()
        );
    }
}
