//! What watching pages cost: `cargo run --release -p hmi --example watchers [PAGES] [SECONDS]` lets pages watch the fake line,
//! each over a connection of its own, and prints the share of a core that the server takes for them, beside its share
//! with nobody watching.
//!
//! The server's threads are told from the watchers' by their names, and their time is what the kernel says of each
//! (`/proc/self/task/*/stat`): the watchers' own work is not the server's.

#[path = "../fake/mod.rs"]
mod fake;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Ticks of the kernel's accounts a second: fixed for programs on Linux.
const TICKS_S: f64 = 100.0;

static BYTES: AtomicU64 = AtomicU64::new(0);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let pages: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("pearlsort-watchers-{}", std::process::id()));
    let machine = Arc::new(fake::Fake::new(&folder));
    let mut options = hmi::Options::loopback(folder.join("hmi"));
    options.address.set_port(0);
    let server = hmi::start(options, machine.clone())?;
    std::thread::spawn({
        let machine = machine.clone();
        move || {
            loop {
                std::thread::sleep(Duration::from_millis(100));
                machine.pass(100);
            }
        }
    });
    let length = Duration::from_secs(seconds);
    let idle = share(length)?;
    for _ in 0..pages {
        let address = server.address();
        std::thread::Builder::new()
            .name("page".to_owned())
            .spawn(move || watch(address))?;
    }
    std::thread::sleep(Duration::from_secs(1));
    let before = BYTES.load(Ordering::Relaxed);
    let busy = share(length)?;
    let bytes = BYTES.load(Ordering::Relaxed) - before;
    println!("nobody watches: {:.2} % of a core", 100.0 * idle);
    println!(
        "{pages} pages watch: {:.2} % of a core, {:.1} kB/s each, {} trail entries",
        100.0 * busy,
        bytes as f64 / 1e3 / length.as_secs_f64() / pages.max(1) as f64,
        machine.audited().len()
    );
    drop(server);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Reads events for ever.
fn watch(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut piece = [0; 64 * 1024];
    while let Ok(read) = stream.read(&mut piece) {
        if read == 0 {
            return;
        }
        BYTES.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// The server's share of a core over a time.
fn share(length: Duration) -> Result<f64, Box<dyn Error>> {
    let (began, before) = (Instant::now(), server_ticks()?);
    std::thread::sleep(length);
    let took = began.elapsed().as_secs_f64();
    Ok((server_ticks()? - before) as f64 / TICKS_S / took)
}

/// Ticks that the threads whose names begin with `hmi` have run, in the program and in the kernel.
fn server_ticks() -> Result<u64, Box<dyn Error>> {
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(entry?.path().join("stat"))?;
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") ")) else {
            continue;
        };
        if name.starts_with("hmi") {
            let fields: Vec<&str> = rest.split(' ').collect();
            ticks += fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        }
    }
    Ok(ticks)
}
