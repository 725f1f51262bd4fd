//! What the tests have in common: a folder of one's own, a clock that is set by hand, records of any kind.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use line::{Cause, Destination, Landing, MassFigure, Record};
use store::{Clock, Event, LotForm, Options, Severity};
use units::{BinId, EyeId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{Measurement, ViewStatus};

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pearlsort-store-{}-{next}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("line.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A clock that stands where it is set.
#[derive(Debug, Default)]
pub(crate) struct HandClock {
    pub(crate) steady_us: AtomicI64,
    pub(crate) wall_us: AtomicI64,
}

impl HandClock {
    pub(crate) fn at(wall_us: i64) -> Arc<Self> {
        let clock = Self::default();
        clock.wall_us.store(wall_us, Ordering::Relaxed);
        Arc::new(clock)
    }

    /// Both clocks go on.
    pub(crate) fn pass(&self, us: i64) {
        self.steady_us.fetch_add(us, Ordering::Relaxed);
        self.wall_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Somebody sets the computer's clock.
    pub(crate) fn set_wall(&self, us: i64) {
        self.wall_us.store(us, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn steady_us(&self) -> i64 {
        self.steady_us.load(Ordering::Relaxed)
    }

    fn wall_us(&self) -> i64 {
        self.wall_us.load(Ordering::Relaxed)
    }

    fn host(&self) -> HostUs {
        HostUs(self.steady_us())
    }
}

pub(crate) fn options() -> Options {
    Options {
        program: "test".to_owned(),
        machine: "virtual".to_owned(),
        ..Options::default()
    }
}

pub(crate) fn form(number: &str) -> LotForm {
    LotForm {
        number: number.to_owned(),
        farm: "Shanxiahu 3".to_owned(),
        harvested: "2026-11-02".to_owned(),
        customer: "Li".to_owned(),
        operator: "Wang".to_owned(),
        note: String::new(),
        mass_in_ug: Some(1_000_000),
        count_in: None,
    }
}

pub(crate) fn event(kind: &str) -> Event {
    Event {
        kind: kind.to_owned(),
        subject: "bin 3".to_owned(),
        severity: Severity::Info,
        text: "something".to_owned(),
        detail: String::new(),
        host: Some(HostUs(7)),
        lot: 0,
    }
}

/// A pass that went well.
pub(crate) fn binned(pearl: u64, lot: u32, bin: u8) -> Record {
    Record {
        pearl: PearlId(pearl),
        lane: LaneId((pearl % 16) as u8),
        seq: TriggerSeq((pearl % 65_536) as u16),
        triggered: HostUs(pearl as i64 * 100),
        centre: Tick(pearl as i64 * 50),
        length: Micrometres(7_000),
        view: Some(view((pearl % 65_536) as u16)),
        mass: Some(MassFigure {
            mass: Micrograms(400_000 + (pearl % 1_000) as i32),
            u: Micrograms(900),
        }),
        earned: Some(BinId(bin)),
        sent: Destination::Bin(BinId(bin)),
        landing: Landing::Seen,
        decision_us: Some(12),
        lead_us: Some(90_000),
        recipe: 0xFEED_0000_0000_0001,
        lot,
    }
}

/// A pass that came to the tray.
pub(crate) fn recirculated(pearl: u64, lot: u32, cause: Cause) -> Record {
    Record {
        sent: Destination::Tray(cause),
        decision_us: None,
        lead_us: None,
        ..binned(pearl, lot, 0)
    }
}

pub(crate) fn view(seq: u16) -> Measurement {
    Measurement {
        eye: EyeId(3),
        seq: TriggerSeq(seq),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: 7_100,
        d_mid_um: 7_050,
        d_min_um: 7_000,
        u_diameter_um: 9,
        u_ddp: 12,
        residual_um: 20,
        taper: 5,
        lab_l: 8_000,
        lab_a: -120,
        lab_b: 300,
        u_lab: 40,
        overtone_a: 10,
        overtone_b: -10,
        lustre: 7_700,
        u_lustre: 80,
        blemishes: 2,
        blemish_area: 31,
        u_blemish_area: 4,
        nacre_um: None,
    }
}
