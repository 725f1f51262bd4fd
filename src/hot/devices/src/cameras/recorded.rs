//! A camera that plays flashes from memory, for recorded folders: each shot that is asked for gets the next recorded one.
//!
//! Any thread but the hot one. The cold side reads the folder; nothing is read from disk while the line runs.

use rt::ring::Consumer;

use super::{Camera, CameraError, Shot, Taken, Views};

/// See the module.
pub struct Recorded {
    flashes: Vec<Views>,
    next: usize,
    shots: Consumer<Shot>,
    wait: Pause,
}

impl Recorded {
    /// Plays `flashes` round and round, one for each of `shots`.
    ///
    /// # Panics
    /// When there is no flash to play.
    #[must_use]
    pub fn new(flashes: Vec<Views>, shots: Consumer<Shot>) -> Self {
        assert!(!flashes.is_empty(), "a recording has flashes");
        Self {
            flashes,
            next: 0,
            shots,
            wait: Pause,
        }
    }
}

impl Camera for Recorded {
    fn take(&mut self, views: &mut Views, wait_us: u64) -> Result<Taken, CameraError> {
        let Some(shot) = self.wait.pop(&mut self.shots, wait_us) else {
            let ended = self.shots.is_abandoned();
            return Ok(if ended { Taken::End } else { Taken::Nothing });
        };
        let recorded = &self.flashes[self.next];
        self.next = (self.next + 1) % self.flashes.len();
        for (k, view) in recorded.views().into_iter().enumerate() {
            views.put(k, view.pixels, (view.width, view.height), view.format);
        }
        Ok(Taken::Flash(shot))
    }
}

/// Waits for something in a ring by looking again and again: frames come every few milliseconds, and a camera's thread
/// has nothing else to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause;

/// Time between two looks, us.
const LOOK_US: u64 = 200;

impl Pause {
    /// The next item, or `None` after `wait_us`.
    pub fn pop<T: Send>(self, ring: &mut Consumer<T>, wait_us: u64) -> Option<T> {
        let end = rt::clock::now_us().plus(i64::try_from(wait_us).unwrap_or(i64::MAX));
        loop {
            let item = ring.pop();
            if item.is_some() || ring.is_abandoned() || rt::clock::now_us() >= end {
                return item;
            }
            std::thread::sleep(std::time::Duration::from_micros(LOOK_US));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::{BoardId, EyeId, HostUs, TriggerSeq};

    #[test]
    fn each_shot_gets_the_next_flash_until_nobody_asks() {
        let flash = |value: u8| {
            let mut views = Views::new((64, 64));
            (0..3).for_each(|k| views.fill(k).fill(value));
            views
        };
        let (mut ask, shots) = rt::ring::ring(4);
        let mut camera = Recorded::new(vec![flash(1), flash(2)], shots);
        let mut views = Views::new((64, 64));
        for (seq, value) in [(7, 1), (8, 2), (9, 1)] {
            let shot = Shot {
                board: BoardId(0),
                eye: EyeId(3),
                seq: TriggerSeq(seq),
                fired: HostUs(0),
            };
            ask.push(shot).expect("room");
            assert_eq!(camera.take(&mut views, 0).expect("a camera"), Taken::Flash(shot));
            assert_eq!(views.views()[2].pixels[0], value);
        }
        assert_eq!(camera.take(&mut views, 0).expect("a camera"), Taken::Nothing);
        drop(ask);
        assert_eq!(camera.take(&mut views, 0).expect("a camera"), Taken::End);
    }
}
