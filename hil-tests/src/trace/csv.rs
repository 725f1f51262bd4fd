//! A trace as CSV: one event a row. Any thread.

use std::io::{self, Write};

use super::{Names, Trace};

/// Writes a trace: `time_us,kind,name,value,detail`.
pub(super) fn write(out: &mut impl Write, trace: &Trace, names: &Names) -> io::Result<()> {
    let mut rows: Vec<(u64, String)> = Vec::new();
    for edge in &trace.edges {
        let name = Names::of(&names.eyes, (edge.board, edge.eye));
        rows.push((edge.at_us, format!("eye,{name},{},", u8::from(edge.interrupted))));
    }
    for switched in &trace.switched {
        let name = Names::of(&names.valves, (switched.board, switched.valve));
        rows.push((switched.at_us, format!("valve,{name},{},", u8::from(switched.open))));
    }
    for order in &trace.orders {
        let name = Names::of(&names.valves, (order.board.0, order.valve.0));
        let (lead, length) = (order.lead_us, order.length_ticks);
        rows.push((order.at_us, format!("order,{name},{length},lead_us={lead:.0}")));
    }
    for (us, place) in &trace.places {
        rows.push((*us, format!("encoder,shaft,{place:.1},")));
    }
    rows.sort_by_key(|(us, _)| *us);
    writeln!(out, "time_us,kind,name,value,detail")?;
    for (us, row) in rows {
        writeln!(out, "{us},{row}")?;
    }
    out.flush()
}
