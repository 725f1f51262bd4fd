//! The file's layout, version by version. Any thread that opens the file for writing.
//!
//! A version is never changed once it was shipped: a new one is added, with the steps from the one before. Nothing ever
//! rewrites the audit trail.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// The steps: the first makes version 1 of nothing, each other one the next version.
const STEPS: [&str; 1] = [VERSION_1];

/// Version that the steps lead to.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// Marks the file as ours (`PRAGMA application_id`): "PRLS".
pub(crate) const APPLICATION: i32 = 0x5052_4C53;

const VERSION_1: &str = "
-- Numbers that go on where the file ends, and the latest own time.
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    next_record INTEGER NOT NULL,
    next_event INTEGER NOT NULL,
    latest_at_us INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 1, 1, 0);

-- Each start of the program. host_us is the hot side's clock at at_us.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    host_us INTEGER NOT NULL,
    program TEXT NOT NULL,
    machine TEXT NOT NULL
) STRICT;

CREATE TABLE lots (
    lot INTEGER PRIMARY KEY CHECK (lot > 0),
    number TEXT NOT NULL,
    farm TEXT NOT NULL,
    harvested TEXT NOT NULL,
    customer TEXT NOT NULL,
    operator TEXT NOT NULL,
    note TEXT NOT NULL,
    mass_in_ug INTEGER,
    count_in INTEGER,
    recipe INTEGER NOT NULL,
    first_record INTEGER NOT NULL,
    opened_at_us INTEGER NOT NULL,
    opened_wall_us INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    closed_at_us INTEGER,
    closed_wall_us INTEGER,
    closed_by TEXT,
    left_count INTEGER,
    left_mass_ug INTEGER
) STRICT;
-- The belt carries one lot at a time.
CREATE UNIQUE INDEX one_open_lot ON lots ((1)) WHERE closed_at_us IS NULL;

-- Each time the recirculate tray was poured back into the feeder: what had come to it since the lot was opened.
CREATE TABLE pours (
    lot INTEGER NOT NULL REFERENCES lots (lot),
    at_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    passes INTEGER NOT NULL,
    weighed INTEGER NOT NULL,
    mass_ug INTEGER NOT NULL
) STRICT;

CREATE TABLE class_sets (
    id INTEGER PRIMARY KEY,
    classes TEXT NOT NULL UNIQUE
) STRICT;

-- A pass each. outcome is where it ended: bin/3, tray/no_bin, lost. view is the number that the bus gives a view's
-- status; figures are null unless it is 0 (good).
CREATE TABLE records (
    n INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    pearl INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    triggered_us INTEGER NOT NULL,
    centre_tick INTEGER NOT NULL,
    length_um INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    sent_bin INTEGER,
    cause TEXT,
    landing TEXT NOT NULL,
    landed_bin INTEGER,
    earned_bin INTEGER,
    decision_us INTEGER,
    lead_us INTEGER,
    recipe INTEGER NOT NULL,
    class_set INTEGER,
    mass_ug INTEGER,
    u_mass_ug INTEGER,
    view INTEGER,
    eye INTEGER,
    in_view INTEGER,
    d_max_um INTEGER,
    d_mid_um INTEGER,
    d_min_um INTEGER,
    u_diameter_um INTEGER,
    u_ddp INTEGER,
    residual_um INTEGER,
    taper INTEGER,
    lab_l INTEGER,
    lab_a INTEGER,
    lab_b INTEGER,
    u_lab INTEGER,
    overtone_a INTEGER,
    overtone_b INTEGER,
    lustre INTEGER,
    u_lustre INTEGER,
    blemishes INTEGER,
    blemish_area INTEGER,
    u_blemish_area INTEGER,
    nacre_um INTEGER
) STRICT;
CREATE INDEX records_by_lot ON records (lot);

-- Sums of a lot. what: outcome, earned, class (of binned passes), class_back (of the others), removed (by retention, by
-- outcome), unkept.
CREATE TABLE lot_sums (
    lot INTEGER NOT NULL,
    recipe INTEGER NOT NULL,
    what TEXT NOT NULL,
    key TEXT NOT NULL,
    passes INTEGER NOT NULL,
    weighed INTEGER NOT NULL,
    mass_ug INTEGER NOT NULL,
    PRIMARY KEY (lot, recipe, what, key)
) STRICT, WITHOUT ROWID;

-- Sums of a minute of own time.
CREATE TABLE minute_sums (
    minute INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    passes INTEGER NOT NULL,
    weighed INTEGER NOT NULL,
    mass_ug INTEGER NOT NULL,
    PRIMARY KEY (minute, lot, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE recipes (
    hash INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    currency TEXT NOT NULL
) STRICT;

CREATE TABLE recipe_bins (
    hash INTEGER NOT NULL REFERENCES recipes (hash),
    bin INTEGER NOT NULL,
    name_en TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    per_gram_micro INTEGER,
    per_pearl_micro INTEGER,
    PRIMARY KEY (hash, bin)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    host_us INTEGER,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity INTEGER NOT NULL,
    text TEXT NOT NULL,
    detail TEXT NOT NULL,
    lot INTEGER NOT NULL
) STRICT;

-- The audit trail: each link's hash covers the link before.
CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    lot INTEGER NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_lot ON audit (lot, n);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- The trail's latest link: entries cut off its end are missed by it.
CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32));
";

/// The file's version.
pub(crate) fn version(path: &Path, connection: &Connection) -> Result<u32, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| StoreError::from_sql(path, "reading the layout's version", error))
}

/// Brings the file to [`VERSION`], all steps or none.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let found = version(path, connection)?;
    if found > VERSION {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    if found == VERSION {
        return Ok(());
    }
    let mut steps = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for step in STEPS.iter().skip(found as usize) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    steps().map_err(|error| StoreError::from_sql(path, "bringing the layout up to date", error))
}
