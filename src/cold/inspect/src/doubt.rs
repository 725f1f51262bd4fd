//! Records of doubt: the pictures of pearls that were recirculated or lie on a boundary, for the operator to look at. Cold.
//!
//! A folder that never holds more than it may: pearls are numbered, the oldest go when room is needed, and what an earlier run
//! left counts too. Each pearl is one folder `NNNNNNNN` with its three views as PNG and `why.txt`; it is written under another
//! name first, so that nobody sees half a pearl.

use std::io;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, save_buffer_with_format};
use vision::{View, ViewName};

use crate::folder::suffix;

/// Why a crop is not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum DoubtError {
    /// The folder can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A view is no picture: it is kept as a refusal in the records, not here.
    #[error("a view that is not whole can't be kept")]
    NotWhole,
}

/// A pearl that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number: later ones are larger.
    pub number: u64,
    /// Why it was kept, and which pearl it is, in a line of text.
    pub why: String,
}

/// The folder.
#[derive(Debug)]
pub struct Doubts {
    folder: PathBuf,
    most_bytes: u64,
    /// Number and bytes of the pearls there, oldest first.
    held: Vec<(u64, u64)>,
    next: u64,
}

/// Width of a number in a name, so that names sort as numbers do.
const DIGITS: usize = 8;
const WHY: &str = "why.txt";

impl Doubts {
    /// Opens the folder, makes it where there is none, and drops the oldest pearls until no more than `most_bytes` are held.
    ///
    /// # Errors
    /// When the folder can't be read or written.
    pub fn open(folder: &Path, most_bytes: u64) -> Result<Self, DoubtError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DoubtError::Io { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let mut held = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            match name.parse::<u64>() {
                Ok(number) if name.len() == DIGITS => held.push((number, bytes_in(&path).map_err(failed(&path))?)),
                // A pearl that was not written to its end.
                _ if name.ends_with(".new") => std::fs::remove_dir_all(&path).map_err(failed(&path))?,
                _ => {}
            }
        }
        held.sort_unstable();
        let next = held.last().map_or(0, |(number, _)| number + 1);
        let mut doubts = Self {
            folder: folder.to_owned(),
            most_bytes,
            held,
            next,
        };
        doubts.make_room()?;
        Ok(doubts)
    }

    /// Keeps a pearl's views; gives its number.
    ///
    /// # Errors
    /// When a view is not whole, or the disk does not take it.
    pub fn keep(&mut self, views: &[View<'_>; 3], why: &str) -> Result<u64, DoubtError> {
        let number = self.next;
        let (path, new) = (self.path(number), self.path(number).with_extension("new"));
        let failed = |source| DoubtError::Io {
            path: new.clone(),
            source,
        };
        std::fs::create_dir_all(&new).map_err(failed)?;
        for (view, name) in views.iter().zip(ViewName::ALL) {
            let file = new.join(format!("{}.png", suffix(name)));
            let colour = if view.pixels.len() >= 3 * view.width * view.height && view.stride == 3 * view.width {
                ExtendedColorType::Rgb8
            } else {
                std::fs::remove_dir_all(&new).map_err(failed)?;
                return Err(DoubtError::NotWhole);
            };
            let pixels = &view.pixels[..3 * view.width * view.height];
            #[expect(clippy::cast_possible_truncation, reason = "sides of frames")]
            save_buffer_with_format(
                &file,
                pixels,
                view.width as u32,
                view.height as u32,
                colour,
                image::ImageFormat::Png,
            )
            .map_err(|error| failed(io::Error::other(error)))?;
        }
        std::fs::write(new.join(WHY), why).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(failed)?;
        self.held.push((number, bytes_in(&path).map_err(failed)?));
        self.next += 1;
        self.make_room()?;
        Ok(number)
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.held.iter().map(|(_, bytes)| bytes).sum()
    }

    fn make_room(&mut self) -> Result<(), DoubtError> {
        while self.bytes() > self.most_bytes && !self.held.is_empty() {
            let path = self.path(self.held[0].0);
            std::fs::remove_dir_all(&path).map_err(|source| DoubtError::Io { path, source })?;
            self.held.remove(0);
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:0DIGITS$}"))
    }
}

/// The pearls in such a folder, newest first, `most` at most; for whoever shows them while another thread keeps more.
#[must_use]
pub fn kept(folder: &Path, most: usize) -> Vec<Kept> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<u64> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let whys = numbers.into_iter().filter_map(|number| {
        // One that has just been dropped is not shown.
        let why = std::fs::read_to_string(folder.join(format!("{number:0DIGITS$}")).join(WHY)).ok()?;
        Some(Kept { number, why })
    });
    whys.take(most).collect()
}

/// One view of a kept pearl, as PNG; `None` when it is not held any more.
#[must_use]
pub fn png(folder: &Path, number: u64, view: ViewName) -> Option<Vec<u8>> {
    let file = folder
        .join(format!("{number:0DIGITS$}"))
        .join(format!("{}.png", suffix(view)));
    std::fs::read(file).ok()
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_a_new_run_goes_on() {
        let folder = std::env::temp_dir().join(format!("doubts-{}", std::process::id()));
        let pixels = vec![90u8; 3 * 64 * 64];
        let views = [View::rgb8(&pixels, 64, 64); 3];
        let mut doubts = Doubts::open(&folder, u64::MAX).expect("a folder");
        for number in 0..4 {
            assert_eq!(
                doubts.keep(&views, &format!("pearl {number}: view_cut")).expect("room"),
                number
            );
        }
        let one = doubts.bytes() / 4;
        drop(doubts);
        // What was half written is gone, what is too much as well.
        std::fs::create_dir(folder.join("00000009.new")).expect("a folder");
        let mut doubts = Doubts::open(&folder, 3 * one).expect("a folder");
        assert_eq!(doubts.keep(&views, "pearl 4: boundary").expect("room"), 4);
        assert!(doubts.bytes() <= 3 * one);
        let shown = kept(&folder, 2);
        assert_eq!(shown.iter().map(|kept| kept.number).collect::<Vec<_>>(), [4, 3]);
        assert_eq!(shown[0].why, "pearl 4: boundary");
        let bytes = png(&folder, 4, ViewName::Left).expect("a picture");
        assert_eq!(
            image::load_from_memory(&bytes).expect("PNG").into_rgb8().into_raw(),
            pixels
        );
        assert_eq!(png(&folder, 0, ViewName::Top), None);
        assert!(!folder.join("00000009.new").exists());
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }

    #[test]
    fn a_view_that_is_not_whole_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("doubts-cut-{}", std::process::id()));
        let pixels = vec![90u8; 3 * 64 * 64];
        let whole = View::rgb8(&pixels, 64, 64);
        let cut = View::rgb8(&pixels[..500], 64, 64);
        let mut doubts = Doubts::open(&folder, u64::MAX).expect("a folder");
        assert!(matches!(
            doubts.keep(&[whole, cut, whole], "x"),
            Err(DoubtError::NotWhole)
        ));
        assert!(kept(&folder, 9).is_empty() && doubts.bytes() == 0);
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
