//! What truly happened, as the world tells it to the checkers.
//!
//! Any thread. Words: an **interruption** is what an entry eye reports as one trigger: a pearl, two that touch, or nothing at
//! all; its **ordinal** counts them in each lane from 0.

use units::{BinId, LaneId, TriggerSeq};
use wire::{Mass, Measurement};

use crate::pearl::Figures;

/// An interruption of an entry eye that a board has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The lane.
    pub lane: LaneId,
    /// Which of the lane.
    pub ordinal: u64,
    /// Number that the board gave it.
    pub seq: TriggerSeq,
    /// When, us of the run.
    pub at_us: u64,
    /// Whether no pearl is behind it that had not been seen before: an eye that sees a pearl twice, or dirt.
    pub spurious: bool,
}

/// Where a pearl came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A grade bin.
    Bin(BinId),
    /// The recirculate tray.
    Tray,
    /// Neither: it fell off the belt, or flew astray.
    Lost,
}

/// A pearl's true story, told when it has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Story {
    /// The lane.
    pub lane: LaneId,
    /// Number of the pearl in its lane, from 0.
    pub number: u64,
    /// The interruption that it belongs to; none when no eye saw it, or no board told of it.
    pub interruption: Option<u64>,
    /// Whether its interruption holds another pearl too.
    pub shared: bool,
    /// When its centre was at the entry eye, us of the run.
    pub entered_us: u64,
    /// When it left the belt, us of the run.
    pub left_us: u64,
    /// When it came to its end, us of the run.
    pub ended_us: u64,
    /// Where.
    pub place: Place,
    /// Distance of its centre to the nearest neighbour's at the eye, um.
    pub alone_um: u32,
    /// What it truly is.
    pub truth: Figures,
    /// What was reported of it, whether or not it arrived.
    pub view: Option<Measurement>,
    /// What was weighed, whether or not it arrived.
    pub mass: Option<Mass>,
}

/// A change of a valve, as a board switched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switched {
    /// Number of its board.
    pub board: u8,
    /// The valve.
    pub valve: u8,
    /// Whether it opened.
    pub open: bool,
    /// When, us of the run.
    pub at_us: u64,
}

/// An edge of an eye, as the line shows it to a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Number of the board.
    pub board: u8,
    /// The eye.
    pub eye: u8,
    /// Whether it is interrupted from now on.
    pub interrupted: bool,
    /// When, us of the run.
    pub at_us: u64,
}

/// Everything that has happened since it was last taken.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    /// Interruptions, in order of time.
    pub interruptions: Vec<Interruption>,
    /// Pearls whose story is complete, in order of their ends.
    pub stories: Vec<Story>,
    /// Valves that boards switched, in order of time.
    pub switched: Vec<Switched>,
    /// Edges of eyes, in order of time.
    pub edges: Vec<Edge>,
    /// Feeds of the watchdogs that came to boards, in order of time: number of the board, and when, us of the run.
    pub fed: Vec<(u8, u64)>,
}

impl Happened {
    /// Whether nothing has happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.interruptions.is_empty()
            && self.stories.is_empty()
            && self.switched.is_empty()
            && self.edges.is_empty()
            && self.fed.is_empty()
    }

    /// Takes over what has happened elsewhere, and leaves nothing there.
    pub fn take_over(&mut self, other: &mut Self) {
        self.interruptions.append(&mut other.interruptions);
        self.stories.append(&mut other.stories);
        self.switched.append(&mut other.switched);
        self.edges.append(&mut other.edges);
        self.fed.append(&mut other.fed);
    }

    /// Forgets what has been looked at; keeps the room.
    pub fn clear(&mut self) {
        self.interruptions.clear();
        self.stories.clear();
        self.switched.clear();
        self.edges.clear();
        self.fed.clear();
    }
}
