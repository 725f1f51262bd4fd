//! A folder of recorded flashes: `ID-top.png`, `ID-left.png`, `ID-right.png`. Cold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use image::{ColorType, DynamicImage, ImageReader};
use vision::{PixelFormat, View, ViewName};

/// Why a folder can't be measured at all.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder can't be listed.
    #[error("can't list {}: {source}; name a folder of recorded pearls", path.display())]
    List {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No file in it is named like a view.
    #[error("no recorded pearl in {}: expected ID-top.png, ID-left.png, ID-right.png", path.display())]
    NoPearls {
        /// Which folder.
        path: PathBuf,
    },
}

/// Why one view's file gives no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// There is no such file.
    Missing,
    /// The file is no whole PNG.
    Truncated,
}

/// A frame read from a file.
#[derive(Debug)]
pub struct Frame {
    bytes: Vec<u8>,
    width: usize,
    height: usize,
    format: PixelFormat,
}

impl Frame {
    /// Reads one PNG without changing its depth or channels, so that the eye can refuse what it does not know.
    ///
    /// # Errors
    ///
    /// When the file is missing or not whole.
    pub fn read(path: &Path) -> Result<Self, FrameError> {
        let reader = ImageReader::open(path).map_err(|_| FrameError::Missing)?;
        let picture = reader
            .with_guessed_format()
            .map_err(|_| FrameError::Truncated)?
            .decode();
        Ok(Self::of(picture.map_err(|_| FrameError::Truncated)?))
    }

    /// A frame of tightly packed 8-bit RGB rows.
    #[must_use]
    pub const fn rgb8(bytes: Vec<u8>, width: usize, height: usize) -> Self {
        Self {
            bytes,
            width,
            height,
            format: PixelFormat::Rgb8,
        }
    }

    fn of(picture: DynamicImage) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let format = match picture.color() {
            ColorType::Rgb8 => PixelFormat::Rgb8,
            ColorType::L8 => PixelFormat::Mono8,
            ColorType::L16 => PixelFormat::MonoDeep,
            ColorType::Rgb16 => PixelFormat::RgbDeep,
            _ => PixelFormat::Other,
        };
        Self {
            bytes: picture.into_bytes(),
            width,
            height,
            format,
        }
    }

    /// The frame as the eye takes it.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let pixel = if self.height > 0 && self.width > 0 {
            self.bytes.len() / self.height / self.width
        } else {
            0
        };
        View {
            pixels: &self.bytes,
            width: self.width,
            height: self.height,
            stride: self.width * pixel,
            format: self.format,
        }
    }
}

/// The name of a view in a file's name.
#[must_use]
pub const fn suffix(view: ViewName) -> &'static str {
    match view {
        ViewName::Top => "top",
        ViewName::Left => "left",
        ViewName::Right => "right",
    }
}

/// Identities of the pearls of a folder, sorted: every file that is named like a view counts, also where its two
/// companions are missing.
///
/// # Errors
///
/// When the folder can't be listed or holds no pearl.
pub fn pearls(folder: &Path) -> Result<Vec<String>, FolderError> {
    let failed = |source| FolderError::List {
        path: folder.to_owned(),
        source,
    };
    let mut ids = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".png")) else {
            continue;
        };
        for view in ViewName::ALL {
            if let Some(id) = stem.strip_suffix(suffix(view)).and_then(|stem| stem.strip_suffix('-')) {
                ids.insert(id.to_owned());
            }
        }
    }
    if ids.is_empty() {
        return Err(FolderError::NoPearls {
            path: folder.to_owned(),
        });
    }
    Ok(ids.into_iter().collect())
}

/// The file of one view of a pearl.
#[must_use]
pub fn file(folder: &Path, id: &str, view: ViewName) -> PathBuf {
    folder.join(format!("{id}-{}.png", suffix(view)))
}
