//! What the eye costs: a folder's pearls measured over and over, each twice: fetched from memory and from the cache. `speed FOLDER [ROUNDS]`; valgrind and perf
//! look at this program.

#![expect(clippy::print_stdout, reason = "a program of the command line")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use inspect::{Frame, file, pearls};
use vision::{Calibration, Eye, Limits, ViewName};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: speed FOLDER [ROUNDS]")?;
    let rounds: u32 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let folder = Path::new(&folder);
    let mut frames = Vec::new();
    for id in pearls(folder)? {
        let read = |view| Frame::read(&file(folder, &id, view)).map_err(|_| "a view can't be read");
        let [top, left, right] = ViewName::ALL.map(read);
        frames.push([top?, left?, right?]);
    }
    let mut eye = Eye::new(&Calibration::nominal(), Limits::default());
    let (mut measured, mut fetched, mut cached) = (0, f64::MAX, f64::MAX);
    for _ in 0..rounds {
        measured = 0;
        let (mut first, mut again) = (0.0, 0.0);
        for frames in &frames {
            let views = [0, 1, 2].map(|k| frames[k].view());
            let start = Instant::now();
            measured += usize::from(eye.measure(&views).is_ok());
            first += start.elapsed().as_secs_f64();
            let start = Instant::now();
            measured += usize::from(eye.measure(&views).is_ok());
            again += start.elapsed().as_secs_f64();
        }
        fetched = fetched.min(first);
        cached = cached.min(again);
    }
    let us = |seconds: f64| seconds * 1e6 / frames.len() as f64;
    println!(
        "{} of {} measured; us a pearl, best of {rounds} rounds: {:.1} from memory, {:.1} again from the cache",
        measured / 2,
        frames.len(),
        us(fetched),
        us(cached)
    );
    Ok(())
}
