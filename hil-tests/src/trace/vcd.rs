//! A trace as a value change dump (IEEE 1364-2005, 18.2), in microseconds. Any thread.

use std::io::{self, Write};

use super::{Names, Pin, Trace};

/// A change of a signal: when, which, its new value as VCD has it.
type Change = (u64, usize, String);

/// Writes a trace.
pub(super) fn write(out: &mut impl Write, trace: &Trace, names: &Names) -> io::Result<()> {
    let (eyes, valves) = (names.eyes.len(), names.valves.len());
    let (first_valve, first_order) = (2 + eyes, 2 + eyes + valves);
    header(out, names)?;
    let mut changes: Vec<Change> = Vec::new();
    let place_of = |list: &[(Pin, String)], pin: Pin| list.iter().position(|(other, _)| *other == pin);
    for edge in &trace.edges {
        if let Some(place) = place_of(&names.eyes, (edge.board, edge.eye)) {
            changes.push((edge.at_us, 2 + place, u8::from(edge.interrupted).to_string()));
        }
    }
    for switched in &trace.switched {
        if let Some(place) = place_of(&names.valves, (switched.board, switched.valve)) {
            changes.push((switched.at_us, first_valve + place, u8::from(switched.open).to_string()));
        }
    }
    for order in &trace.orders {
        if let Some(place) = place_of(&names.valves, (order.board.0, order.valve.0)) {
            changes.push((
                order.at_us,
                first_order + place,
                format!("r{:.3} ", order.lead_us * 1e-3),
            ));
        }
    }
    for pair in trace.places.windows(2) {
        let [(before_us, before), (us, place)] = [pair[0], pair[1]];
        #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits, as the bus has them")]
        let count = place.floor() as i64 as u32;
        changes.push((us, 0, format!("b{count:b} ")));
        let speed = (place - before) / (us - before_us).max(1) as f64 * 1e6;
        changes.push((us, 1, format!("r{speed:.0} ")));
    }
    changes.sort_by_key(|(us, ..)| *us);
    let mut now_us = None;
    for (us, signal, value) in changes {
        if now_us != Some(us) {
            writeln!(out, "#{us}")?;
            now_us = Some(us);
        }
        writeln!(out, "{value}{}", code(signal))?;
    }
    out.flush()
}

/// Names every signal, and gives each its first value.
fn header(out: &mut impl Write, names: &Names) -> io::Result<()> {
    writeln!(
        out,
        "$version pearlsort hil-tests $end\n$timescale 1 us $end\n$scope module line $end"
    )?;
    writeln!(out, "$scope module belt $end")?;
    writeln!(out, "$var reg 32 {} encoder $end", code(0))?;
    writeln!(out, "$var real 64 {} ticks_per_s $end\n$upscope $end", code(1))?;
    let mut signal = 2;
    let scopes = [
        ("eyes", &names.eyes, "wire 1"),
        ("valves", &names.valves, "wire 1"),
        ("orders_lead_ms", &names.valves, "real 64"),
    ];
    for (scope, list, kind) in scopes {
        writeln!(out, "$scope module {scope} $end")?;
        for (_, name) in list {
            writeln!(out, "$var {kind} {} {name} $end", code(signal))?;
            signal += 1;
        }
        writeln!(out, "$upscope $end")?;
    }
    writeln!(
        out,
        "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\nb0 {}\nr0 {}",
        code(0),
        code(1)
    )?;
    let bits = names.eyes.len() + names.valves.len();
    for wire in 2..2 + bits {
        writeln!(out, "0{}", code(wire))?;
    }
    for order in 2 + bits..signal {
        writeln!(out, "r0 {}", code(order))?;
    }
    writeln!(out, "$end")
}

/// A signal's short code: printable characters, the fewest that tell it apart.
fn code(mut signal: usize) -> String {
    const FIRST: u8 = b'!';
    const COUNT: usize = 94;
    let mut text = String::new();
    loop {
        let digit = u8::try_from(signal % COUNT).unwrap_or(0);
        text.push(char::from(FIRST + digit));
        signal /= COUNT;
        if signal == 0 {
            return text;
        }
        signal -= 1;
    }
}

#[cfg(test)]
mod tests {
    use sim::demo::{DemoOptions, demo_plan};
    use sim::truth::{Edge, Happened, Switched};

    use super::*;

    #[test]
    fn codes_are_all_different() {
        let codes: std::collections::BTreeSet<String> = (0..20_000).map(code).collect();
        assert_eq!(codes.len(), 20_000);
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|byte| (b'!'..=b'~').contains(&byte)))
        );
    }

    #[test]
    fn changes_come_by_time_after_their_names() {
        let names = Names::new(&demo_plan(1, DemoOptions::default()));
        let mut trace = Trace::default();
        let happened = Happened {
            edges: vec![Edge {
                board: 0,
                eye: 0,
                interrupted: true,
                at_us: 1_000,
            }],
            switched: vec![Switched {
                board: 0,
                valve: 2,
                open: true,
                at_us: 900,
            }],
            ..Happened::default()
        };
        trace.add(0, &Happened::default(), &[], 0.0);
        trace.add(6_000, &happened, &[], 120.0);
        let mut bytes = Vec::new();
        write(&mut bytes, &trace, &names).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("text");
        let (_, changes) = text.split_once("$end\n#900\n").expect("the first change");
        assert_eq!(changes, "1-\n#1000\n1#\n#6000\nb1111000 !\nr20000 \"\n");
        assert!(text.contains("$var wire 1 # lane0_entry $end"));
    }
}
