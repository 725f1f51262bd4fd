//! Who is wired to what: lanes, eyes, cells and valves by their boards, each used once and each there.
//!
//! Cold side, any thread.

use std::collections::BTreeMap;

use units::{BinId, BoardId};

use super::raw::{Board, Group, Raw};

/// One jet's wiring.
#[derive(Clone, Debug)]
pub(crate) struct WiredJet {
    pub(crate) bin: BinId,
    pub(crate) valve: u8,
    pub(crate) drop_eye: Option<u8>,
}

/// One lane's wiring.
#[derive(Clone, Debug)]
pub(crate) struct WiredLane {
    pub(crate) board: BoardId,
    pub(crate) jet_board: BoardId,
    pub(crate) entry_eye: u8,
    pub(crate) cell: Option<u8>,
    pub(crate) jets: Vec<WiredJet>,
    pub(crate) tray_eye: Option<u8>,
}

/// Lanes in order, and what each board serves.
#[derive(Debug)]
pub(crate) struct Wired {
    pub(crate) lanes: Vec<WiredLane>,
}

/// What a board's input or output is used for, by board, sort and number.
type Used = BTreeMap<(usize, &'static str, usize), String>;

/// The board of this name.
pub(crate) fn board_of(boards: &[Board<'_>], name: &str) -> Option<usize> {
    boards.iter().position(|board| board.name == name)
}

/// Wires everything up; what does not fit is a fault.
pub(crate) fn wire_up(raw: &Raw<'_>) -> Option<Wired> {
    counts(raw);
    boards(raw);
    let mut used = Used::new();
    let mut lanes: BTreeMap<u8, WiredLane> = BTreeMap::new();
    for group in &raw.groups {
        if !group_bins_hold(raw, group) {
            continue;
        }
        for (index, lane) in group.lanes.iter().enumerate() {
            if lanes.contains_key(lane) {
                let message = format!("lane {lane} stands in two lane groups");
                group.node.error("lanes", &message, "name each lane in one group");
                continue;
            }
            if let Some(wired) = lane_of(raw, group, index, *lane, &mut used) {
                lanes.insert(*lane, wired);
            }
        }
    }
    every_lane_is_there(raw);
    manifolds(raw);
    channels(raw);
    trims(raw, &lanes);
    Some(Wired {
        lanes: lanes.into_values().collect(),
    })
}

fn counts(raw: &Raw<'_>) {
    let most_bins = line::limits::BINS;
    let (bins, jets) = (raw.bins.len(), raw.jets.at_um.len());
    if bins > most_bins {
        raw.root.error(
            "bin",
            &format!("{bins} bins; a line has at most {most_bins}"),
            "remove bins",
        );
    }
    if raw.boards.len() > line::limits::BOARDS {
        let message = format!(
            "{} boards; a line has at most {}",
            raw.boards.len(),
            line::limits::BOARDS
        );
        raw.root.error("board", &message, "remove boards");
    }
    for (key, none) in [
        ("bin", bins == 0),
        ("board", raw.boards.is_empty()),
        ("lane-group", raw.groups.is_empty()),
    ] {
        if none {
            raw.root
                .error(key, "has none", &format!("write at least one [[{key}]]"));
        }
    }
    if jets == 0 {
        raw.jets.node.error(
            "at-mm",
            "names no jet",
            "write where each jet stands, such as [300, 360]",
        );
    }
}

fn boards(raw: &Raw<'_>) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut uids: BTreeMap<u64, &str> = BTreeMap::new();
    let mut ports: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, board) in raw.boards.iter().enumerate() {
        if names.insert(board.name, index).is_some() {
            board.node.error(
                "name",
                &format!("\"{}\" is the name of two boards", board.name),
                "give each board its own name",
            );
        }
        match uid(board.uid) {
            None => {
                let message = format!("\"{}\" is no identity", board.uid);
                board.node.error(
                    "uid",
                    &message,
                    "write the 16 hexadecimal digits of the board's label, such as \"5045-4152-4C00-0001\"",
                );
            }
            Some(0) => board
                .node
                .error("uid", "is zero", "write the identity of the board's label"),
            Some(number) => {
                if let Some(other) = uids.insert(number, board.name) {
                    let message = format!("\"{}\" is board {other}'s identity too", board.uid);
                    board
                        .node
                        .error("uid", &message, "no two boards have the same: read this board's label");
                }
            }
        }
        if let Some(port) = board.port
            && let Some(other) = ports.insert(port, board.name)
        {
            board.node.error(
                "port",
                &format!("{port} is board {other}'s port too"),
                "a port has one board",
            );
        }
    }
}

/// The number of an identity of 16 hexadecimal digits; dashes between them are for readers.
pub(crate) fn uid(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(&digits, 16).ok()
}

/// Whether the group's jets and bins agree.
fn group_bins_hold(raw: &Raw<'_>, group: &Group<'_>) -> bool {
    let (jets, bins) = (raw.jets.at_um.len(), raw.bins.len());
    let Some(list) = &group.bins else {
        if jets != bins {
            let message = format!("places {jets} jets for {bins} bins");
            let help = "place one jet for each [[bin]], or name in the lane group which bins its jets blow into (bins = [...])";
            raw.jets.node.error("at-mm", &message, help);
        }
        return jets == bins;
    };
    let before = group.node.source().errors();
    if list.len() != jets {
        let message = format!("names {} bins for {jets} jets", list.len());
        group
            .node
            .error("bins", &message, "name one bin for each jet of [jets] at-mm");
    }
    let mut seen = BTreeMap::new();
    for (index, (bin, place)) in list.iter().enumerate() {
        let source = group.node.source();
        if usize::from(*bin) >= bins {
            let message = format!("bin {} is not there; there are {bins}", bin + 1);
            source.error(
                place.span.clone(),
                &place.key,
                &message,
                &format!("write a number of 1 to {bins}"),
            );
        }
        if let Some(first) = seen.insert(*bin, index) {
            let message = format!("bin {} stands at jets {} and {}", bin + 1, first + 1, index + 1);
            source.error(
                place.span.clone(),
                &place.key,
                &message,
                "give each bin of a lane one jet",
            );
        }
    }
    group.node.source().errors() == before
}

fn lane_of(raw: &Raw<'_>, group: &Group<'_>, index: usize, lane: u8, used: &mut Used) -> Option<WiredLane> {
    let board = known_board(raw, group, "board", group.board)?;
    let jet_board = known_board(raw, group, "jet-board", group.jet_board)?;
    sections_are_there(raw, group);
    let jets = raw.jets.at_um.len();
    let mut take = |key, sort, board, number, what: String| take(raw, group, (key, sort), (board, number), what, used);
    let entry = format!("entry eye of lane {lane}");
    let entry_eye = take("entry-eye", "eye", board, group.entry_eye + index, entry)?;
    let cell = match group.cell.filter(|_| raw.weigh.is_some()) {
        Some(first) => Some(take(
            "cell",
            "cell",
            board,
            first + index,
            format!("weigh cell of lane {lane}"),
        )?),
        None => None,
    };
    let eyes_a_lane = jets + usize::from(group.tray_eye);
    let first_drop = group.drop_eye.map(|first| first + index * eyes_a_lane);
    let drop_eye = |place: usize, what: String, take: &mut dyn FnMut(usize, String) -> Option<u8>| match first_drop {
        Some(first) => take(first + place, what).map(Some),
        None => Some(None),
    };
    let mut wired = Vec::with_capacity(jets);
    for jet in 0..jets {
        let bin = group.bins.as_ref().map_or(jet as u8, |bins| bins[jet].0);
        let number = group.valve + index * jets + jet;
        let valve = take(
            "valve",
            "valve",
            jet_board,
            number,
            format!("valve of lane {lane}, jet {}", jet + 1),
        )?;
        let what = format!("drop eye of lane {lane}, bin {}", bin + 1);
        let eye = drop_eye(jet, what, &mut |number, what| {
            take("drop-eye", "eye", jet_board, number, what)
        })?;
        wired.push(WiredJet {
            bin: BinId(bin),
            valve,
            drop_eye: eye,
        });
    }
    let tray_eye = if group.tray_eye {
        let what = format!("tray eye of lane {lane}");
        drop_eye(jets, what, &mut |number, what| {
            take("drop-eye", "eye", jet_board, number, what)
        })?
    } else {
        None
    };
    let id = |board: usize| BoardId(board as u8);
    Some(WiredLane {
        board: id(board),
        jet_board: id(jet_board),
        entry_eye,
        cell,
        jets: wired,
        tray_eye,
    })
}

/// What a lane group names must have its section.
fn sections_are_there(raw: &Raw<'_>, group: &Group<'_>) {
    if raw.weigh.is_none() && group.cell.is_some() {
        let help = "remove it, or write the section [weigh]";
        group
            .node
            .error("cell", "names weigh cells, but there is no [weigh]", help);
    }
    if raw.drop_eyes.is_none() && group.drop_eye.is_some() {
        let help = "remove it, or write the section [drop-eyes]";
        group
            .node
            .error("drop-eye", "names drop eyes, but there is no [drop-eyes]", help);
    }
    if group.tray_eye && group.drop_eye.is_none() {
        let help = "write drop-eye = NUMBER of the first bin's eye";
        group.node.error("tray-eye", "needs drop eyes", help);
    }
}

fn known_board(raw: &Raw<'_>, group: &Group<'_>, key: &str, name: &str) -> Option<usize> {
    let found = board_of(&raw.boards, name);
    if found.is_none() {
        unknown_board(raw, &group.node, key, name);
    }
    found
}

fn unknown_board(raw: &Raw<'_>, node: &crate::reader::Node<'_>, key: &str, name: &str) {
    let names = raw.boards.iter().map(|board| board.name).collect::<Vec<_>>().join(", ");
    node.error(
        key,
        &format!("board \"{name}\" is not there"),
        &format!("write the name of a [[board]]: {names}"),
    );
}

/// Takes an input or output of a board for a use; that it is not there, or taken, is a fault.
fn take(
    raw: &Raw<'_>,
    group: &Group<'_>,
    (key, sort): (&str, &'static str),
    (board, number): (usize, usize),
    what: String,
    used: &mut Used,
) -> Option<u8> {
    let has = &raw.boards[board].has;
    let most = usize::from(match sort {
        "valve" => has.valves,
        "cell" => has.cells,
        _ => has.eyes,
    });
    let name = raw.boards[board].name;
    if number >= most {
        let message = format!(
            "{what} would be {sort} {number}; board {name} has {most} (0 to {})",
            most.saturating_sub(1)
        );
        group.node.error(
            key,
            &message,
            "choose a lower first number, fewer lanes, or another board",
        );
        return None;
    }
    if let Some(other) = used.insert((board, sort, number), what.clone()) {
        let message = format!("{sort} {number} of board {name} would be both {other} and {what}");
        group
            .node
            .error(key, &message, &format!("choose a first number whose {sort}s are free"));
        return None;
    }
    Some(number as u8)
}

fn every_lane_is_there(raw: &Raw<'_>) {
    let mut lanes: Vec<u8> = raw
        .groups
        .iter()
        .flat_map(|group| group.lanes.iter().copied())
        .collect();
    lanes.sort_unstable();
    lanes.dedup();
    let missing = lanes
        .iter()
        .enumerate()
        .find(|(index, lane)| usize::from(**lane) != *index);
    if let (Some((index, _)), Some(group)) = (missing, raw.groups.first()) {
        group.node.error(
            "lanes",
            &format!("no lane group has lane {index}"),
            "number the lanes from 0 without a gap",
        );
    }
}

fn manifolds(raw: &Raw<'_>) {
    for manifold in &raw.manifolds {
        let Some(board) = board_of(&raw.boards, manifold.board) else {
            unknown_board(raw, &manifold.node, "board", manifold.board);
            continue;
        };
        let has = raw.boards[board].has.valves;
        if let Some(beyond) = manifold.valves.iter().find(|valve| **valve >= has) {
            let message = format!("board {} has no valve {beyond}: it has {has}", manifold.board);
            manifold.node.error(
                "valves",
                &message,
                &format!("write valves of 0 to {}", has.saturating_sub(1)),
            );
        }
    }
}

fn channels(raw: &Raw<'_>) {
    let mut used = BTreeMap::new();
    let mut drives = BTreeMap::new();
    for channel in &raw.channels {
        if matches!(channel.signal, "feeder-run" | "belt-run") && drives.insert(channel.signal, ()).is_some() {
            channel.node.error(
                "signal",
                &format!("{} has two channels", channel.signal),
                "keep one of them",
            );
        }
        let Some(board) = board_of(&raw.boards, channel.board) else {
            unknown_board(raw, &channel.node, "board", channel.board);
            continue;
        };
        let has = raw.boards[board].has.channels;
        if channel.number >= has {
            let message = format!(
                "board {} has no channel {}: it has {has}",
                channel.board, channel.number
            );
            channel
                .node
                .error("number", &message, &format!("write a number below {has}"));
        }
        if let Some(other) = used.insert((board, channel.number), channel.signal) {
            let message = format!("channel {} of board {} is {other} too", channel.number, channel.board);
            channel
                .node
                .error("number", &message, "give each signal its own channel");
        }
        if let (Some(least), Some(most)) = (channel.least, channel.most)
            && least > most
        {
            let message = format!("{least} is above most = {most}: no value would do");
            channel.node.error("least", &message, "swap the two");
        }
    }
}

fn trims(raw: &Raw<'_>, lanes: &BTreeMap<u8, WiredLane>) {
    let mut seen = BTreeMap::new();
    for trim in &raw.trims {
        if !lanes.is_empty() && !lanes.contains_key(&(trim.lane as u8)) {
            trim.node.error(
                "lane",
                &format!("lane {} is not there", trim.lane),
                "write a lane of a lane group",
            );
        }
        if trim.jet >= raw.jets.at_um.len() {
            let message = format!("jet {} is not there; a lane has {}", trim.jet + 1, raw.jets.at_um.len());
            trim.node
                .error("jet", &message, "write a jet's number from 1 in belt order");
        }
        if seen.insert((trim.lane, trim.jet), ()).is_some() {
            let message = format!("lane {} jet {} has two trims", trim.lane, trim.jet + 1);
            trim.node.error("jet", &message, "keep one of them");
        }
    }
}
