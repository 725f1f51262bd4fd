//! `crops`: the eye beside OpenCV on the same crops, as JSON for the page on performance and as a table.
//! `vision.sh` beside this package installs the peer and runs it.

use std::{error::Error, fs, path::PathBuf};

use benches::{crops, page};
use clap::Parser;

/// Measure the eye and OpenCV on the same crops, on the same core, in turn.
#[derive(Parser)]
struct Options {
    /// Folder of recorded pearls with `truth.csv`.
    folder: PathBuf,
    /// How often each takes all crops.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// The core that both run on; the last one unless given.
    #[arg(long)]
    core: Option<usize>,
    /// The Python interpreter that has OpenCV.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Write every figure here as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let last = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    let core = options.core.unwrap_or(last);
    let measured = crops::measure(&options.folder, &options.python, options.rounds, core)?;
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&measured)?)?;
    }
    print!("{}", page::crops(&measured));
    Ok(())
}
