//! A plain sorter on tokio, as an integrator writes one: tokio-serial for the port, one task to read lines, one to sort,
//! one to write, with mpsc channels between them. No CRC, no numbering, no tracking, no scheduling.
//!
//! `peer-tokio PORT`; ends when the port closes. The lines are described in `benches::lines`.

#![forbid(unsafe_code)]

use std::{collections::HashMap, error::Error};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::mpsc,
};
use tokio_serial::SerialPortBuilderExt;

enum Event {
    Trigger {
        pearl: u32,
        tick: u64,
    },
    Measurement {
        pearl: u32,
        diameter_um: u32,
        ddp: u32,
        lustre: u32,
        surface: u32,
    },
}

struct Order {
    valve: u8,
    tick: u64,
    pearl: u32,
}

fn parse(line: &str) -> Option<Event> {
    let mut fields = line.split(' ');
    let kind = fields.next()?.chars().next()?;
    let pearl = fields.next()?.parse().ok()?;
    match kind {
        'T' => Some(Event::Trigger {
            pearl,
            tick: fields.next()?.parse().ok()?,
        }),
        'M' => {
            let mut next = || fields.next()?.parse().ok();
            let (diameter_um, ddp, _colour, lustre, surface) = (next()?, next()?, next()?, next()?, next()?);
            Some(Event::Measurement {
                pearl,
                diameter_um,
                ddp,
                lustre,
                surface,
            })
        }
        _ => None,
    }
}

fn valve(diameter_um: u32, ddp: u32, lustre: u32, surface: u32) -> u8 {
    match (ddp <= 200, lustre >= 90 && surface <= 1) {
        (true, true) if diameter_um < 7500 => 0,
        (true, true) if diameter_um < 8000 => 1,
        (true, true) if diameter_um < 8500 => 2,
        (true, true) => 3,
        (true, false) => 4,
        (false, _) => 5,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: peer-tokio PORT")?;
    let port = tokio_serial::new(port, 1_000_000).open_native_async()?;
    let (reader, mut writer) = tokio::io::split(port);
    let (events_in, mut events) = mpsc::channel(1024);
    let (orders_in, mut orders) = mpsc::channel::<Order>(1024);

    tokio::spawn(async move {
        let mut lines = BufReader::new(reader).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(event) = parse(&line)
                && events_in.send(event).await.is_err()
            {
                return;
            }
        }
    });

    tokio::spawn(async move {
        let mut ticks = HashMap::new();
        while let Some(event) = events.recv().await {
            match event {
                Event::Trigger { pearl, tick } => {
                    ticks.insert(pearl, tick);
                }
                Event::Measurement {
                    pearl,
                    diameter_um,
                    ddp,
                    lustre,
                    surface,
                } => {
                    let Some(tick) = ticks.remove(&pearl) else { continue };
                    let valve = valve(diameter_um, ddp, lustre, surface);
                    let order = Order {
                        valve,
                        tick: tick + 1000 * (u64::from(valve) + 1),
                        pearl,
                    };
                    if orders_in.send(order).await.is_err() {
                        return;
                    }
                }
            }
        }
    });

    while let Some(Order { valve, tick, pearl }) = orders.recv().await {
        writer
            .write_all(format!("F{valve:02} {tick:010} 0320 {pearl:010}\n").as_bytes())
            .await?;
    }
    Ok(())
}
