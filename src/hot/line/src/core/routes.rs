//! Which lane an eye or a cell belongs to.
//!
//! Hot thread; made once from the plan.

use units::{BoardId, EyeId};

use crate::plan::{DropEyePlan, LinePlan};
use crate::track::Numbers;

/// No route.
const NONE: u16 = u16::MAX;

/// What a drop eye watches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mouth {
    pub(super) lane: usize,
    /// The jet whose bin it is, or `None` for the tray.
    pub(super) jet: Option<u8>,
    pub(super) eye: DropEyePlan,
}

/// A drop eye: it may watch the mouths of several lanes.
#[derive(Clone, Debug)]
pub(super) struct DropEye {
    pub(super) board: BoardId,
    pub(super) mouths: Vec<Mouth>,
    pub(super) numbers: Numbers,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    /// By board and eye.
    entries: Vec<[u16; 256]>,
    drops: Vec<[u16; 256]>,
    /// By board and cell.
    cells: Vec<[u16; 256]>,
    pub(super) drop_eyes: Vec<DropEye>,
}

impl Routes {
    pub(super) fn new(plan: &LinePlan) -> Self {
        let none = vec![[NONE; 256]; plan.boards.len()];
        let mut routes = Self {
            entries: none.clone(),
            drops: none.clone(),
            cells: none,
            drop_eyes: Vec::new(),
        };
        for (lane, of) in plan.lanes.iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "there are at most 64 lanes")]
            let number = lane as u16;
            routes.entries[of.entry.board.index()][of.entry.eye.index()] = number;
            if let Some(weigh) = of.weigh {
                routes.cells[weigh.board.index()][usize::from(weigh.cell)] = number;
            }
            for (jet, of) in (0_u8..).zip(&of.jets) {
                if let Some(eye) = of.drop_eye {
                    routes.add_mouth(Mouth {
                        lane,
                        jet: Some(jet),
                        eye,
                    });
                }
            }
            if let Some(eye) = of.tray_eye {
                routes.add_mouth(Mouth { lane, jet: None, eye });
            }
        }
        routes
    }

    fn add_mouth(&mut self, mouth: Mouth) {
        let eye = mouth.eye.eye;
        let route = &mut self.drops[eye.board.index()][eye.eye.index()];
        if *route == NONE {
            #[expect(clippy::cast_possible_truncation, reason = "boards have at most 16 times 256 eyes")]
            let number = self.drop_eyes.len() as u16;
            *route = number;
            self.drop_eyes.push(DropEye {
                board: eye.board,
                mouths: Vec::new(),
                numbers: Numbers::default(),
            });
        }
        self.drop_eyes[usize::from(*route)].mouths.push(mouth);
    }

    /// The lane of an entry eye.
    pub(super) fn entry(&self, board: BoardId, eye: EyeId) -> Option<usize> {
        some(self.entries[board.index()][eye.index()])
    }

    /// The drop eye's place in the table.
    pub(super) fn drop_eye(&self, board: BoardId, eye: EyeId) -> Option<usize> {
        some(self.drops[board.index()][eye.index()])
    }

    /// The lane of a weigh cell.
    pub(super) fn cell(&self, board: BoardId, cell: u8) -> Option<usize> {
        some(self.cells[board.index()][usize::from(cell)])
    }
}

fn some(route: u16) -> Option<usize> {
    (route != NONE).then_some(usize::from(route))
}
