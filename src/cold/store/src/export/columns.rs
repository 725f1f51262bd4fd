//! The columns of an export, in order, with what they take from a record. Any thread.

use line::{Cause, Destination, Landing};
use wire::{Measurement, ViewStatus};

use crate::reader::StoredRecord;
use crate::tally::Outcome;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// Microseconds since 1970, UTC.
    Time,
    /// UTF-8.
    Text,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Not known, or not said.
    Nothing,
    /// Of the kinds `Int`, `Long` and `Time`.
    Number(i64),
    /// Of the kind `Text`.
    Text(String),
}

/// A column.
pub(crate) struct Column {
    /// Its name, with the unit at its end.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) of: fn(&StoredRecord) -> Value,
}

const fn column(name: &'static str, kind: Kind, of: fn(&StoredRecord) -> Value) -> Column {
    Column { name, kind, of }
}

fn maybe<T: Into<i64>>(value: Option<T>) -> Value {
    value.map_or(Value::Nothing, |value| Value::Number(value.into()))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn figure<T: Into<i64>>(of: &StoredRecord, figure: impl FnOnce(&Measurement) -> T) -> Value {
    let view = of.record.view.as_ref();
    maybe(view.filter(|view| view.status == ViewStatus::Good).map(figure))
}

fn outcome(of: &StoredRecord) -> Value {
    text(match Outcome::of(&of.record) {
        Outcome::Bin(_) => "binned",
        Outcome::Tray(_) => "recirculated",
        Outcome::Lost => "lost",
    })
}

fn bin(of: &StoredRecord) -> Value {
    match Outcome::of(&of.record) {
        Outcome::Bin(bin) => Value::Number(bin.0.into()),
        _ => Value::Nothing,
    }
}

fn cause(of: &StoredRecord) -> Value {
    match Outcome::of(&of.record) {
        Outcome::Tray(cause) => text(cause.name()),
        _ => Value::Nothing,
    }
}

fn sent_bin(of: &StoredRecord) -> Value {
    match of.record.sent {
        Destination::Bin(bin) => Value::Number(bin.0.into()),
        Destination::Tray(_) => Value::Nothing,
    }
}

fn landing(of: &StoredRecord) -> Value {
    text(match of.record.landing {
        Landing::Seen => "seen",
        Landing::NoEye => "no_eye",
        Landing::Lost => "lost",
        Landing::Tray => "tray",
        Landing::Bin(_) => "bin",
    })
}

fn view(of: &StoredRecord) -> Value {
    let view = of.record.view;
    view.map_or(Value::Nothing, |view| text(Cause::View(view.status).name()))
}

fn classes(of: &StoredRecord) -> Value {
    let classes = of.classes.as_ref();
    classes.map_or(Value::Nothing, |classes| text(classes.as_str()))
}

fn long(number: u64) -> Value {
    Value::Number(number.cast_signed())
}

/// Every column. Numbers of lanes and bins are the core's, from 0.
pub(crate) const COLUMNS: &[Column] = &[
    column("record", Kind::Long, |of| long(of.number)),
    column("time", Kind::Time, |of| Value::Number(of.stamp.at_us)),
    column("clock", Kind::Time, |of| Value::Number(of.stamp.wall_us)),
    column("run", Kind::Long, |of| long(of.run)),
    column("pearl", Kind::Long, |of| long(of.record.pearl.0)),
    column("lot", Kind::Long, |of| Value::Number(of.record.lot.into())),
    column("lane", Kind::Int, |of| Value::Number(of.record.lane.0.into())),
    column("seq", Kind::Int, |of| Value::Number(of.record.seq.0.into())),
    column("triggered_us", Kind::Long, |of| Value::Number(of.record.triggered.0)),
    column("centre_tick", Kind::Long, |of| Value::Number(of.record.centre.0)),
    column("length_um", Kind::Int, |of| Value::Number(of.record.length.0.into())),
    column("outcome", Kind::Text, outcome),
    column("bin", Kind::Int, bin),
    column("cause", Kind::Text, cause),
    column("earned_bin", Kind::Int, |of| maybe(of.record.earned.map(|bin| bin.0))),
    column("sent_bin", Kind::Int, sent_bin),
    column("landing", Kind::Text, landing),
    column("decision_us", Kind::Int, |of| maybe(of.record.decision_us)),
    column("lead_us", Kind::Int, |of| maybe(of.record.lead_us)),
    column("recipe", Kind::Text, |of| {
        Value::Text(format!("{:016x}", of.record.recipe))
    }),
    column("classes", Kind::Text, classes),
    column("mass_ug", Kind::Int, |of| {
        maybe(of.record.mass.map(|figure| figure.mass.0))
    }),
    column("u_mass_ug", Kind::Int, |of| {
        maybe(of.record.mass.map(|figure| figure.u.0))
    }),
    column("view", Kind::Text, view),
    column("d_max_um", Kind::Int, |of| figure(of, |view| view.d_max_um)),
    column("d_mid_um", Kind::Int, |of| figure(of, |view| view.d_mid_um)),
    column("d_min_um", Kind::Int, |of| figure(of, |view| view.d_min_um)),
    column("u_diameter_um", Kind::Int, |of| figure(of, |view| view.u_diameter_um)),
    column("u_ddp_centi_percent", Kind::Int, |of| figure(of, |view| view.u_ddp)),
    column("residual_um", Kind::Int, |of| figure(of, |view| view.residual_um)),
    column("taper_centi_percent", Kind::Int, |of| figure(of, |view| view.taper)),
    column("lab_l_centi", Kind::Int, |of| figure(of, |view| view.lab_l)),
    column("lab_a_centi", Kind::Int, |of| figure(of, |view| view.lab_a)),
    column("lab_b_centi", Kind::Int, |of| figure(of, |view| view.lab_b)),
    column("u_lab_centi", Kind::Int, |of| figure(of, |view| view.u_lab)),
    column("overtone_a_centi", Kind::Int, |of| figure(of, |view| view.overtone_a)),
    column("overtone_b_centi", Kind::Int, |of| figure(of, |view| view.overtone_b)),
    column("lustre_centi_percent", Kind::Int, |of| figure(of, |view| view.lustre)),
    column("u_lustre_centi_percent", Kind::Int, |of| {
        figure(of, |view| view.u_lustre)
    }),
    column("blemishes", Kind::Int, |of| figure(of, |view| view.blemishes)),
    column("blemish_area_centi_percent", Kind::Int, |of| {
        figure(of, |view| view.blemish_area)
    }),
    column("u_blemish_area_centi_percent", Kind::Int, |of| {
        figure(of, |view| view.u_blemish_area)
    }),
    column("nacre_um", Kind::Int, |of| {
        maybe(of.record.view.and_then(|view| view.nacre_um))
    }),
];
