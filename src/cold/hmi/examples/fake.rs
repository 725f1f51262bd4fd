//! The page with a lively line that is not there: `cargo run -p hmi --example fake [ADDRESS]`. Prints where it is, and the
//! password, and what is done.
//!
//! The main thread lets time pass.

#[path = "../fake/mod.rs"]
mod fake;

use std::sync::Arc;
use std::time::Duration;

/// Time that passes at once.
const STEP: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("pearlsort-fake-{}", std::process::id()));
    let machine = Arc::new(fake::Fake::new(&folder));
    let mut options = hmi::Options::loopback(folder.join("hmi"));
    if let Some(address) = std::env::args().nth(1) {
        options.address = address.parse()?;
    }
    let server = hmi::start(options, Arc::clone(&machine) as Arc<dyn hmi::machine::Machine>)?;
    println!("{}", server.url());
    println!("admin {}", server.first_password().unwrap_or_default());
    let mut told = 0;
    loop {
        std::thread::sleep(STEP);
        machine.pass(100);
        for entry in machine.audited().iter().skip(told) {
            println!(
                "{} {} {}: {} -> {}",
                entry.by, entry.action, entry.subject, entry.before, entry.after
            );
            told += 1;
        }
    }
}
