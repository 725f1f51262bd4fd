//! Capacities of the eye and what a frame or a pearl may be at most. Any thread.

/// Views of one flash: from above, from the left, from the right.
pub const VIEWS: usize = 3;
/// Pixels along the side of one square of the coarse grid in which pearls are found.
pub const GRID_PX: usize = 4;
/// Most pixels along a frame's side.
pub const MAX_SIDE_PX: usize = 512;
/// Fewest pixels along a frame's side.
pub const MIN_SIDE_PX: usize = 64;
/// Most squares along the side of the coarse grid: one row of them is one `u128`.
pub const MAX_GRID: usize = 128;
/// Most bright parts that are told apart in a frame; more is dirt.
pub const MAX_PARTS: usize = 96;
/// Scan lines across a pearl in each direction for its first outline.
pub const COARSE_LINES: usize = 16;
/// Most scan lines along one of the four sides of a silhouette in the fine outline.
pub const SIDE_LINES: usize = 72;
/// Most points of one silhouette.
pub const MAX_POINTS: usize = 4 * SIDE_LINES;
/// Cells of the shading grid along a pearl's longest half diameter: cells grow with the pearl, so that every pearl
/// costs the same and a pit of the same share of the surface has as many cells.
pub const CELLS_PER_RADIUS: usize = 22;
/// Most cells along a side of the shading grid.
pub const MAX_CELLS: usize = 60;
/// Most pits told apart in one view.
pub const MAX_PITS: usize = 64;
/// Rings around a lamp's mirror image in which its brightness is gathered.
pub const RINGS: usize = 11;

const _: () = assert!(
    MAX_SIDE_PX <= MAX_GRID * GRID_PX,
    "a row of the coarse grid must fit a u128"
);
const _: () = assert!(
    4 * COARSE_LINES <= MAX_POINTS,
    "the first outline must fit the points' array"
);
// Cells are rounded to whole pixels: at the worst, between two and three pixels, a quarter more fit a side.
const _: () = assert!(
    MAX_CELLS >= 2 * CELLS_PER_RADIUS * 5 / 4 + 4,
    "a pearl's cells must fit the grid"
);
const _: () = assert!(MAX_CELLS <= 128, "a row of cells is one `u128`");
