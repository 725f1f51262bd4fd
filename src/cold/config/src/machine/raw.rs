//! First stage: the machine's file as it stands, in the core's units, each value with its place where a check may
//! complain about it.
//!
//! Cold side, any thread.

use crate::Name;
use crate::reader::{Node, Place};

/// The file.
#[derive(Debug)]
pub(crate) struct Raw<'a> {
    /// The whole document, for places.
    pub(crate) root: Node<'a>,
    pub(crate) belt: Belt<'a>,
    pub(crate) eye: Eye<'a>,
    pub(crate) camera: Option<Camera<'a>>,
    pub(crate) weigh: Option<Weigh<'a>>,
    pub(crate) jets: Jets<'a>,
    pub(crate) valves: Valves<'a>,
    pub(crate) drop_eyes: Option<DropEyes<'a>>,
    pub(crate) timing: Timing<'a>,
    pub(crate) bins: Vec<Name>,
    pub(crate) boards: Vec<Board<'a>>,
    pub(crate) groups: Vec<Group<'a>>,
    pub(crate) trims: Vec<Trim<'a>>,
    pub(crate) manifolds: Vec<Manifold<'a>>,
    pub(crate) channels: Vec<Channel<'a>>,
}

#[derive(Debug)]
pub(crate) struct Belt<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) ticks_per_metre: u32,
    pub(crate) least_speed_um_s: i32,
    pub(crate) most_speed_um_s: i32,
    pub(crate) most_pearls_per_s: f64,
    pub(crate) end_um: i32,
}

#[derive(Debug)]
pub(crate) struct Eye<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) least_pearl_um: i32,
    pub(crate) most_pearl_um: i32,
    pub(crate) shortest_um: i32,
    pub(crate) tolerance_um: i32,
}

#[derive(Debug)]
pub(crate) struct Camera<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) on_board: bool,
    pub(crate) view_um: i32,
    pub(crate) exposure_us: i32,
    pub(crate) vision_us: i32,
}

#[derive(Debug)]
pub(crate) struct Weigh<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) samples: bool,
    pub(crate) at_um: i32,
    pub(crate) length_um: i32,
    pub(crate) samples_per_s: u32,
    pub(crate) models: Option<&'a str>,
    pub(crate) result_us: i32,
}

#[derive(Debug)]
pub(crate) struct Jets<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) at_um: Vec<(i32, Place)>,
    pub(crate) width_um: i32,
    pub(crate) margin_um: i32,
    pub(crate) purity: bool,
}

#[derive(Debug)]
pub(crate) struct Valves<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) lag_on_us: u32,
    pub(crate) lag_off_us: u32,
    pub(crate) recovery_us: i32,
    pub(crate) max_on_us: i32,
}

#[derive(Debug)]
pub(crate) struct DropEyes<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) least_us: i32,
    pub(crate) most_us: i32,
    pub(crate) tray_least_us: i32,
    pub(crate) tray_most_us: i32,
}

#[derive(Debug)]
pub(crate) struct Timing<'a> {
    /// Without the section every value is its default.
    pub(crate) node: Node<'a>,
    pub(crate) least_lead_us: i32,
    pub(crate) link_us: i32,
    pub(crate) feed_us: i32,
    pub(crate) watchdog_us: u32,
    pub(crate) status_us: u32,
    pub(crate) status_silence_us: i32,
    pub(crate) align_um: i32,
    pub(crate) late_limit: u16,
    pub(crate) late_window_us: i64,
}

#[derive(Debug)]
pub(crate) struct Board<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) has_node: Node<'a>,
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    pub(crate) port: Option<&'a str>,
    pub(crate) baud: u32,
    pub(crate) index_ticks: Option<u32>,
    pub(crate) has: wire::BoardLimits,
}

#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) lanes: Vec<u8>,
    pub(crate) board: &'a str,
    pub(crate) jet_board: &'a str,
    pub(crate) entry_eye: usize,
    pub(crate) cell: Option<usize>,
    pub(crate) valve: usize,
    pub(crate) drop_eye: Option<usize>,
    pub(crate) tray_eye: bool,
    /// Bins of the jets, from 0.
    pub(crate) bins: Option<Vec<(u8, Place)>>,
}

#[derive(Debug)]
pub(crate) struct Trim<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) lane: usize,
    /// From 0.
    pub(crate) jet: usize,
    pub(crate) shift_um: i32,
    pub(crate) lag_on_us: Option<u32>,
    pub(crate) lag_off_us: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Manifold<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) board: &'a str,
    pub(crate) valves: Vec<u8>,
    pub(crate) most_open: u8,
}

#[derive(Debug)]
pub(crate) struct Channel<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) board: &'a str,
    pub(crate) number: u8,
    pub(crate) signal: &'a str,
    pub(crate) name: Name,
    pub(crate) dead_band: u16,
    pub(crate) least: Option<u16>,
    pub(crate) most: Option<u16>,
}

// The bounds of the form keep every product below far within 32 bits.
fn thousandths(node: &Node<'_>, key: &str) -> Option<i32> {
    Some((node.number(key)? * 1_000.0).round() as i32)
}

fn millionths(node: &Node<'_>, key: &str) -> Option<i32> {
    Some((node.number(key)? * 1_000_000.0).round() as i32)
}

fn plain<T: TryFrom<i64>>(node: &Node<'_>, key: &str) -> Option<T> {
    T::try_from(node.whole(key)?).ok()
}

/// Reads the file. `None` when something is missing or of the wrong type; the form's faults have said what.
pub(crate) fn read<'a>(root: &Node<'a>) -> Option<Raw<'a>> {
    let section = |key: &str| root.table(key);
    let whole_or_none = |key: &str, present: bool| present == root.has(key);
    let camera = section("camera").and_then(|node| camera(&node));
    let weigh = section("weigh").and_then(|node| weigh(&node));
    let drop_eyes = section("drop-eyes").and_then(|node| drop_eyes(&node));
    let optional_sections_hold = whole_or_none("camera", camera.is_some())
        && whole_or_none("weigh", weigh.is_some())
        && whole_or_none("drop-eyes", drop_eyes.is_some());
    if !optional_sections_hold {
        return None;
    }
    Some(Raw {
        root: root.clone(),
        belt: belt(&section("belt")?)?,
        eye: eye(&section("eye")?)?,
        camera,
        weigh,
        jets: jets(&section("jets")?)?,
        valves: valves(&section("valves")?)?,
        drop_eyes,
        timing: timing(&section("timing")?)?,
        bins: root.tables("bin").iter().map(|node| node.name("name")).collect(),
        boards: root.tables("board").iter().map(board).collect::<Option<_>>()?,
        groups: root.tables("lane-group").iter().map(group).collect::<Option<_>>()?,
        trims: root.tables("trim").iter().map(trim).collect::<Option<_>>()?,
        manifolds: root.tables("manifold").iter().map(manifold).collect::<Option<_>>()?,
        channels: root.tables("channel").iter().map(channel).collect::<Option<_>>()?,
    })
}

fn belt<'a>(node: &Node<'a>) -> Option<Belt<'a>> {
    Some(Belt {
        node: node.clone(),
        ticks_per_metre: plain(node, "ticks-per-metre")?,
        least_speed_um_s: millionths(node, "least-speed-m-s")?,
        most_speed_um_s: millionths(node, "most-speed-m-s")?,
        most_pearls_per_s: node.number("most-pearls-per-s")?,
        end_um: thousandths(node, "end-mm")?,
    })
}

fn eye<'a>(node: &Node<'a>) -> Option<Eye<'a>> {
    Some(Eye {
        node: node.clone(),
        least_pearl_um: thousandths(node, "least-pearl-mm")?,
        most_pearl_um: thousandths(node, "most-pearl-mm")?,
        shortest_um: thousandths(node, "shortest-mm")?,
        tolerance_um: thousandths(node, "tolerance-mm")?,
    })
}

fn camera<'a>(node: &Node<'a>) -> Option<Camera<'a>> {
    Some(Camera {
        node: node.clone(),
        on_board: node.text("source")? == "board",
        view_um: thousandths(node, "view-mm")?,
        exposure_us: plain(node, "exposure-us")?,
        vision_us: thousandths(node, "vision-ms")?,
    })
}

fn weigh<'a>(node: &Node<'a>) -> Option<Weigh<'a>> {
    Some(Weigh {
        node: node.clone(),
        samples: node.text("source")? == "samples",
        at_um: thousandths(node, "at-mm")?,
        length_um: thousandths(node, "length-mm")?,
        samples_per_s: plain(node, "samples-per-s")?,
        models: node.text("models"),
        result_us: thousandths(node, "result-ms")?,
    })
}

fn jets<'a>(node: &Node<'a>) -> Option<Jets<'a>> {
    let at = node.number_list("at-mm")?;
    Some(Jets {
        node: node.clone(),
        at_um: at
            .into_iter()
            .map(|(mm, place)| ((mm * 1_000.0).round() as i32, place))
            .collect(),
        width_um: thousandths(node, "width-mm")?,
        margin_um: thousandths(node, "margin-mm")?,
        purity: node.text("neighbours")? == "purity",
    })
}

fn valves<'a>(node: &Node<'a>) -> Option<Valves<'a>> {
    Some(Valves {
        node: node.clone(),
        lag_on_us: plain(node, "lag-on-us")?,
        lag_off_us: plain(node, "lag-off-us")?,
        recovery_us: plain(node, "recovery-us")?,
        max_on_us: plain(node, "max-on-us")?,
    })
}

fn drop_eyes<'a>(node: &Node<'a>) -> Option<DropEyes<'a>> {
    Some(DropEyes {
        node: node.clone(),
        least_us: thousandths(node, "least-ms")?,
        most_us: thousandths(node, "most-ms")?,
        tray_least_us: thousandths(node, "tray-least-ms")?,
        tray_most_us: thousandths(node, "tray-most-ms")?,
    })
}

fn timing<'a>(node: &Node<'a>) -> Option<Timing<'a>> {
    Some(Timing {
        node: node.clone(),
        least_lead_us: thousandths(node, "least-lead-ms")?,
        link_us: thousandths(node, "link-ms")?,
        feed_us: thousandths(node, "feed-ms")?,
        watchdog_us: thousandths(node, "watchdog-ms")?.unsigned_abs(),
        status_us: thousandths(node, "status-ms")?.unsigned_abs(),
        status_silence_us: thousandths(node, "status-silence-ms")?,
        align_um: thousandths(node, "align-mm")?,
        late_limit: plain(node, "late-limit")?,
        late_window_us: (node.number("late-window-s")? * 1e6).round() as i64,
    })
}

fn board<'a>(node: &Node<'a>) -> Option<Board<'a>> {
    let has_node = node.table("has")?;
    let has = wire::BoardLimits {
        valves: plain(&has_node, "valves")?,
        eyes: plain(&has_node, "eyes")?,
        cells: plain(&has_node, "cells")?,
        channels: plain(&has_node, "channels")?,
        queue: plain(&has_node, "queue")?,
        window: plain(&has_node, "window")?,
        horizon_ticks: plain(&has_node, "horizon-ticks")?,
        max_on_us: plain(&has_node, "max-on-us")?,
    };
    Some(Board {
        node: node.clone(),
        has_node,
        name: node.text("name")?,
        uid: node.text("uid")?,
        port: node.text("port"),
        baud: plain(node, "baud")?,
        index_ticks: plain(node, "index-ticks"),
        has,
    })
}

fn group<'a>(node: &Node<'a>) -> Option<Group<'a>> {
    let board = node.text("board")?;
    let bin = |(number, place): (f64, Place)| (number.clamp(1.0, 64.0) as u8 - 1, place);
    Some(Group {
        node: node.clone(),
        lanes: node.numbers("lanes")?.into_iter().map(|lane| lane as u8).collect(),
        board,
        jet_board: node.text("jet-board").unwrap_or(board),
        entry_eye: plain(node, "entry-eye")?,
        cell: plain(node, "cell"),
        valve: plain(node, "valve")?,
        drop_eye: plain(node, "drop-eye"),
        tray_eye: node.flag("tray-eye"),
        bins: node.number_list("bins").map(|list| list.into_iter().map(bin).collect()),
    })
}

fn trim<'a>(node: &Node<'a>) -> Option<Trim<'a>> {
    Some(Trim {
        node: node.clone(),
        lane: plain(node, "lane")?,
        jet: plain::<usize>(node, "jet")? - 1,
        shift_um: plain(node, "shift-um")?,
        lag_on_us: plain(node, "lag-on-us"),
        lag_off_us: plain(node, "lag-off-us"),
    })
}

fn manifold<'a>(node: &Node<'a>) -> Option<Manifold<'a>> {
    Some(Manifold {
        node: node.clone(),
        board: node.text("board")?,
        valves: node.numbers("valves")?.into_iter().map(|valve| valve as u8).collect(),
        most_open: plain(node, "most-open")?,
    })
}

fn channel<'a>(node: &Node<'a>) -> Option<Channel<'a>> {
    Some(Channel {
        node: node.clone(),
        board: node.text("board")?,
        number: plain(node, "number")?,
        signal: node.text("signal")?,
        name: node.name("name"),
        dead_band: plain(node, "dead-band")?,
        least: plain(node, "least"),
        most: plain(node, "most"),
    })
}
