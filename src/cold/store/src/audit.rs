//! The audit trail: who changed what, from what to what, when; each link's hash covers the link before, so that a change
//! in the middle breaks every link after it.
//!
//! Any thread reads; the thread that writes appends. The chain proves order and wholeness against everyone who does not
//! rewrite it from the change to its end. Against that stands only what has left the machine: the [`Head`] printed on a
//! lot's report must still be found in the trail ([`crate::Reader::verify_audit`] with that head).
//!
//! Hash of a link: SHA-256 of the domain `pearlsort audit 1`, the previous hash, then number, own time, wall time (64
//! bits each), lot (32 bits), then who, kind, subject, before, after, each with its length in bytes (64 bits); all numbers
//! big-endian. The first link's previous hash is 32 zeros.

use rusqlite::{Connection, Row, params};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::clock::Stamp;
use crate::error::Refusal;
use crate::limits::{LONG_TEXT, TEXT};
use crate::lot::fits;

const DOMAIN: &[u8] = b"pearlsort audit 1";

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A recipe took effect or was undone.
    Recipe,
    /// A threshold of the machine or of an alarm.
    Threshold,
    /// A state, mode or command of the line.
    State,
    /// A calibration.
    Calibration,
    /// A user, password or right, and who came in.
    User,
    /// A lot was opened, changed, poured or closed.
    Lot,
    /// An alarm was acknowledged, shelved or taken out of service.
    Alarm,
    /// Another setting.
    Setting,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Recipe,
        Self::Threshold,
        Self::State,
        Self::Calibration,
        Self::User,
        Self::Lot,
        Self::Alarm,
        Self::Setting,
    ];

    /// Its name in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Threshold => "threshold",
            Self::State => "state",
            Self::Calibration => "calibration",
            Self::User => "user",
            Self::Lot => "lot",
            Self::Alarm => "alarm",
            Self::Setting => "setting",
        }
    }
}

/// A change to be put on the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Who changes it.
    pub who: String,
    /// What kind of thing.
    pub kind: AuditKind,
    /// Which, such as `recipes/freshwater.toml` or `user li`.
    pub subject: String,
    /// What it was; empty when there was nothing.
    pub before: String,
    /// What it becomes; empty when it is removed.
    pub after: String,
    /// Lot that is open; 0 for none.
    pub lot: u32,
}

/// An entry as it stands in the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditLink {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// When.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Who changed it.
    pub who: String,
    /// What kind of thing; one of [`AuditKind`]'s names.
    pub kind: String,
    /// Which.
    pub subject: String,
    /// What it was.
    pub before: String,
    /// What it became.
    pub after: String,
    /// Lot that was open; 0 for none.
    pub lot: u32,
    /// Hash of the link before.
    #[serde(serialize_with = "hexadecimal")]
    pub previous: [u8; 32],
    /// Its own.
    #[serde(serialize_with = "hexadecimal")]
    pub hash: [u8; 32],
}

fn hexadecimal<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(hash))
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A place in the trail: a number and its hash. Of an empty trail 0 and zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The link's number.
    pub number: u64,
    /// Its hash.
    #[serde(serialize_with = "hexadecimal")]
    pub hash: [u8; 32],
}

impl std::fmt::Display for Head {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.number, hex(&self.hash))
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("\"{text}\" is no place in an audit trail: write NUMBER:HASH as the report has it");
        let (number, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(hash.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self {
            number: number.parse().map_err(|_| wrong())?,
            hash: bytes,
        })
    }
}

/// What following the chain showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every link holds, up to this one.
    Whole(Head),
    /// The first that does not.
    Broken(BrokenLink),
}

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenLink {
    /// Its number.
    pub number: u64,
    /// What is wrong with it, for people.
    pub why: String,
}

/// Whether an entry can be kept.
pub(crate) fn check(entry: &AuditEntry) -> Result<(), Refusal> {
    fits("the name of who changes it", &entry.who, TEXT)?;
    fits("the subject", &entry.subject, TEXT)?;
    fits("the old value", &entry.before, LONG_TEXT)?;
    fits("the new value", &entry.after, LONG_TEXT)
}

/// Puts an entry at the trail's end, within the transaction that `connection` is in.
pub(crate) fn append(connection: &Connection, stamp: Stamp, entry: &AuditEntry) -> rusqlite::Result<Head> {
    let before = head(connection)?;
    let mut link = AuditLink {
        number: before.number + 1,
        stamp,
        who: entry.who.clone(),
        kind: entry.kind.name().to_owned(),
        subject: entry.subject.clone(),
        before: entry.before.clone(),
        after: entry.after.clone(),
        lot: entry.lot,
        previous: before.hash,
        hash: [0; 32],
    };
    link.hash = hash_of(&link);
    connection
        .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?
        .execute(params![
            link.number.cast_signed(),
            stamp.at_us,
            stamp.wall_us,
            link.who,
            link.kind,
            link.subject,
            link.before,
            link.after,
            link.lot,
            link.previous,
            link.hash
        ])?;
    connection
        .prepare_cached("UPDATE audit_head SET n = ?1, hash = ?2")?
        .execute(params![link.number.cast_signed(), link.hash])?;
    Ok(Head {
        number: link.number,
        hash: link.hash,
    })
}

fn hash_of(link: &AuditLink) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(link.previous);
    hash.update(link.number.to_be_bytes());
    hash.update(link.stamp.at_us.to_be_bytes());
    hash.update(link.stamp.wall_us.to_be_bytes());
    hash.update(link.lot.to_be_bytes());
    for text in [&link.who, &link.kind, &link.subject, &link.before, &link.after] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// The trail's end.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    connection
        .prepare_cached("SELECT n, hash FROM audit_head")?
        .query_row([], |row| {
            Ok(Head {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                hash: row.get(1)?,
            })
        })
}

const COLUMNS: &str = "n, at_us, wall_us, who, kind, subject, before, after, lot, previous, hash";

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditLink> {
    Ok(AuditLink {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        stamp: Stamp {
            at_us: row.get(1)?,
            wall_us: row.get(2)?,
        },
        who: row.get(3)?,
        kind: row.get(4)?,
        subject: row.get(5)?,
        before: row.get(6)?,
        after: row.get(7)?,
        lot: row.get(8)?,
        previous: row.get(9)?,
        hash: row.get(10)?,
    })
}

/// Links below `before`, newest first, of one kind or of all.
pub(crate) fn page(
    connection: &Connection,
    before: Option<u64>,
    most: u32,
    kind: Option<AuditKind>,
) -> rusqlite::Result<Vec<AuditLink>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit WHERE n < ?1 AND (?3 IS NULL OR kind = ?3) ORDER BY n DESC LIMIT ?2"
        ))?
        .query_map(
            params![
                before.map_or(i64::MAX, u64::cast_signed),
                most,
                kind.map(AuditKind::name)
            ],
            from_row,
        )?
        .collect()
}

/// Links of a lot, oldest first.
pub(crate) fn of_lot(connection: &Connection, lot: u32) -> rusqlite::Result<Vec<AuditLink>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE lot = ?1 ORDER BY n"))?
        .query_map([lot], from_row)?
        .collect()
}

/// The latest calibration of each subject at own time `at_us`.
pub(crate) fn calibrations(connection: &Connection, at_us: i64) -> rusqlite::Result<Vec<AuditLink>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit WHERE n IN
                 (SELECT max(n) FROM audit WHERE kind = 'calibration' AND at_us <= ?1 GROUP BY subject)
             ORDER BY n"
        ))?
        .query_map([at_us], from_row)?
        .collect()
}

/// Follows the chain from its beginning. With `known`, that place must be on it.
pub(crate) fn verify(connection: &Connection, known: Option<&Head>) -> rusqlite::Result<Verdict> {
    let broken = |number: u64, why: &str| {
        Ok(Verdict::Broken(BrokenLink {
            number,
            why: why.to_owned(),
        }))
    };
    let mut last = Head {
        number: 0,
        hash: [0; 32],
    };
    let mut met_known = known.is_none_or(|known| *known == last);
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY n"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let next = last.number + 1;
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        if number != next {
            return broken(next, "it is missing: it was taken out of the trail");
        }
        let Ok(link) = from_row(row) else {
            return broken(next, "it is not readable: its fields are of the wrong kind or size");
        };
        if link.previous != last.hash {
            return broken(next, "it does not follow the link before it: one of them was replaced");
        }
        if link.hash != hash_of(&link) {
            return broken(next, "its content is not what it was when it was written");
        }
        last = Head {
            number,
            hash: link.hash,
        };
        if let Some(known) = known.filter(|known| known.number == number) {
            if known.hash != link.hash {
                return broken(
                    number,
                    "it is not the one that the report names: the trail was written again",
                );
            }
            met_known = true;
        }
    }
    let end = head(connection)?;
    if end.number > last.number {
        return broken(last.number + 1, "it is missing: the trail's end was cut off");
    }
    if end != last {
        return broken(last.number, "it is beyond the end that the store has noted");
    }
    if !met_known {
        return broken(
            last.number + 1,
            "the link that the report names is missing: the trail's end was cut off",
        );
    }
    Ok(Verdict::Whole(last))
}
