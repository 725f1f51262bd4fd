//! What the machine can do: distances, speeds and times held against one another.
//!
//! Cold side, any thread. Words: **least pitch** is the least distance of two pearls' centres at which one can be blown
//! and the other left alone: `pearl + jet width + 2 x margin` (both pearls half a length, the jet half a width on
//! each side).

use super::raw::Raw;

/// Length that the belt runs in a time, um: um/s x us.
fn run_um(speed_um_s: i32, us: i32) -> i32 {
    i32::try_from(i64::from(speed_um_s) * i64::from(us) / 1_000_000).unwrap_or(i32::MAX)
}

fn mm(um: i32) -> String {
    format!("{:.1} mm", f64::from(um) / 1_000.0)
}

fn ms(us: i32) -> String {
    format!("{:.1} ms", f64::from(us) / 1_000.0)
}

/// Length of belt that one pulse covers, um: the longest pearl, the air's width and the margins.
pub(super) fn longest_pulse_um(raw: &Raw<'_>) -> i32 {
    raw.eye.most_pearl_um + raw.jets.width_um + 2 * raw.jets.margin_um
}

/// Holds the machine against physics; what can't be is a fault.
pub(super) fn check(raw: &Raw<'_>) {
    orders(raw);
    pulses(raw);
    pitches(raw);
    stations(raw);
    first_jet(raw);
    capacities(raw);
    silences(raw);
}

/// Bounds that are the wrong way round.
fn orders(raw: &Raw<'_>) {
    let belt = &raw.belt;
    if belt.least_speed_um_s > belt.most_speed_um_s {
        let most = f64::from(belt.most_speed_um_s) / 1e6;
        belt.node.error(
            "least-speed-m-s",
            &format!("is above most-speed-m-s = {most}"),
            "swap the two",
        );
    }
    if raw.eye.least_pearl_um >= raw.eye.most_pearl_um {
        let message = format!("is not below most-pearl-mm = {}", mm(raw.eye.most_pearl_um));
        raw.eye.node.error("least-pearl-mm", &message, "swap the two");
    }
    if raw.eye.shortest_um >= raw.eye.least_pearl_um {
        let message = format!("would hide pearls of {} from the line", mm(raw.eye.least_pearl_um));
        raw.eye
            .node
            .error("shortest-mm", &message, "write less than least-pearl-mm");
    }
    if let Some(eyes) = &raw.drop_eyes {
        for (least, most, key) in [
            (eyes.least_us, eyes.most_us, "least-ms"),
            (eyes.tray_least_us, eyes.tray_most_us, "tray-least-ms"),
        ] {
            if least >= most {
                eyes.node.error(
                    key,
                    &format!("{} is not below the longest, {}", ms(least), ms(most)),
                    "swap the two",
                );
            }
        }
    }
}

/// Pulses against what valves and boards allow.
fn pulses(raw: &Raw<'_>) {
    let longest_um = longest_pulse_um(raw);
    let longest_us = i64::from(longest_um) * 1_000_000 / i64::from(raw.belt.least_speed_um_s.max(1));
    if i64::from(raw.valves.max_on_us) < longest_us {
        let message = format!(
            "{} us is shorter than the longest pulse, {longest_us} us ({} of belt at the least speed)",
            raw.valves.max_on_us,
            mm(longest_um)
        );
        raw.valves.node.error(
            "max-on-us",
            &message,
            &format!("write at least {longest_us}, or raise belt.least-speed-m-s"),
        );
    }
    for board in &raw.boards {
        if u32::try_from(raw.valves.max_on_us).is_ok_and(|us| us > board.has.max_on_us) {
            let message = format!(
                "{} us is more than board {} allows ({} us)",
                raw.valves.max_on_us, board.name, board.has.max_on_us
            );
            raw.valves
                .node
                .error("max-on-us", &message, &format!("write at most {}", board.has.max_on_us));
        }
    }
}

/// Pearls' distance against jets, valves and the camera's view.
fn pitches(raw: &Raw<'_>) {
    let least_um = longest_pulse_um(raw);
    let pitch_um = (f64::from(raw.belt.most_speed_um_s) / raw.belt.most_pearls_per_s) as i32;
    let recovery_um = run_um(raw.belt.most_speed_um_s, raw.valves.recovery_us);
    if least_um + recovery_um > pitch_um {
        let message = format!(
            "pearls would be {} apart at full rate, but two pulses of one valve need {}: {} of pulse and {} of recovery",
            mm(pitch_um),
            mm(least_um + recovery_um),
            mm(least_um),
            mm(recovery_um)
        );
        let most = f64::from(raw.belt.most_speed_um_s) / f64::from(least_um + recovery_um);
        let help = format!(
            "write at most {:.1}, or quicker valves, narrower jets",
            (most * 10.0).floor() / 10.0
        );
        raw.belt.node.error("most-pearls-per-s", &message, &help);
    }
    if let Some(camera) = &raw.camera
        && camera.view_um < least_um
    {
        let message = format!(
            "{} is shorter than the jet's least pitch, {}: a neighbour could be blown unseen",
            mm(camera.view_um),
            mm(least_um)
        );
        camera.node.error(
            "view-mm",
            &message,
            &format!("write at least {:.1}", f64::from(least_um) / 1_000.0),
        );
    }
    if raw.timing.align_um > raw.jets.margin_um.max(1) {
        let message = format!(
            "{} is more than the jets' margin, {}",
            mm(raw.timing.align_um),
            mm(raw.jets.margin_um)
        );
        raw.timing
            .node
            .error("align-mm", &message, "write less, or a wider jets.margin-mm");
    }
}

/// Order and room of the stations.
fn stations(raw: &Raw<'_>) {
    let source = raw.root.source();
    let jets = &raw.jets.at_um;
    for pair in jets.windows(2) {
        let ((before, _), (at, place)) = (&pair[0], &pair[1]);
        let error = |message: String, help: &str| source.error(place.span.clone(), &place.key, &message, help);
        if at == before {
            error(format!("two jets stand at {}", mm(*at)), "give each jet its own place");
        } else if at < before {
            error(
                format!("{} comes after {}", mm(*at), mm(*before)),
                "write the jets in belt order",
            );
        } else if at - before < raw.jets.width_um {
            error(
                format!(
                    "is {} behind the jet before, less than the air's width",
                    mm(at - before)
                ),
                "place the jets farther apart",
            );
        }
    }
    if let (Some((last, _)), end) = (jets.last(), raw.belt.end_um)
        && end < last + raw.jets.width_um
    {
        let message = format!("{} leaves no room behind the last jet at {}", mm(end), mm(*last));
        raw.belt.node.error(
            "end-mm",
            &message,
            &format!("write at least {:.1}", f64::from(last + raw.jets.width_um) / 1_000.0),
        );
    }
    if let (Some(weigh), Some((first, _))) = (&raw.weigh, jets.first())
        && weigh.at_um + weigh.length_um > *first
    {
        let message = format!(
            "the platform ends at {}, behind the first jet at {}",
            mm(weigh.at_um + weigh.length_um),
            mm(*first)
        );
        weigh
            .node
            .error("at-mm", &message, "the weigh cell stands before the first jet");
    }
}

/// The first jet must stand so far behind the last station that the order arrives in time at top speed.
fn first_jet(raw: &Raw<'_>) {
    let Some((first, place)) = raw.jets.at_um.first() else {
        return;
    };
    let speed = raw.belt.most_speed_um_s;
    // The air opens before the pearl's centre is at the jet, and the valve before the air.
    let early_um = longest_pulse_um(raw) / 2 + run_um(speed, raw.valves.lag_on_us as i32);
    let after = raw.timing.link_us + raw.timing.least_lead_us;
    let mut stations = Vec::new();
    if let Some(camera) = &raw.camera {
        let us = camera.exposure_us + camera.vision_us + after;
        let sum = format!(
            "exposure {} + vision {} + link {} + lead {}",
            ms(camera.exposure_us),
            ms(camera.vision_us),
            ms(raw.timing.link_us),
            ms(raw.timing.least_lead_us)
        );
        // The trigger is the pearl's centre as the eye clears: half a pearl late.
        stations.push(("the camera", raw.eye.most_pearl_um / 2 + run_um(speed, us), sum));
    }
    if let Some(weigh) = &raw.weigh {
        let us = weigh.result_us + after;
        let sum = format!(
            "platform's end {} + weighing {} + link {} + lead {}",
            mm(weigh.at_um + weigh.length_um),
            ms(weigh.result_us),
            ms(raw.timing.link_us),
            ms(raw.timing.least_lead_us)
        );
        stations.push(("the weigh cell", weigh.at_um + weigh.length_um + run_um(speed, us), sum));
    }
    for (station, decided_um, sum) in stations {
        let least_um = decided_um + early_um;
        if *first < least_um {
            let message = format!(
                "the first jet at {} is too near to {station}: at {} m/s it must stand at {} or farther ({sum}, valve and half a pulse {})",
                mm(*first),
                f64::from(speed) / 1e6,
                mm(least_um),
                mm(early_um)
            );
            let help = format!(
                "place it at {} or farther, or lower belt.most-speed-m-s",
                (least_um + 999) / 1_000
            );
            raw.root.source().error(place.span.clone(), &place.key, &message, &help);
        }
    }
}

/// What the core and the boards hold at once.
fn capacities(raw: &Raw<'_>) {
    let pearls_per_m = raw.belt.most_pearls_per_s / (f64::from(raw.belt.most_speed_um_s) / 1e6);
    // Pearls stay in a lane until the eye of their bin has had its time.
    let fall_us = raw
        .drop_eyes
        .as_ref()
        .map_or(0, |eyes| eyes.most_us.max(eyes.tray_most_us));
    let length_m = f64::from(raw.belt.end_um + run_um(raw.belt.most_speed_um_s, fall_us)) / 1e6;
    let pearls = (length_m * pearls_per_m).ceil() as usize;
    if pearls > line::limits::PEARLS_IN_LANE {
        let message = format!(
            "{pearls} pearls would be in a lane at once; at most {} are tracked",
            line::limits::PEARLS_IN_LANE
        );
        raw.belt
            .node
            .error("most-pearls-per-s", &message, "feed fewer pearls, or shorten the belt");
    }
    let Some((last, _)) = raw.jets.at_um.last() else { return };
    for board in &raw.boards {
        let lanes: usize = raw
            .groups
            .iter()
            .filter(|group| group.jet_board == board.name)
            .map(|group| group.lanes.len())
            .sum();
        let orders = (f64::from(*last) / 1e6 * pearls_per_m * lanes as f64).ceil() as usize;
        if orders > usize::from(board.has.queue) {
            let message = format!(
                "{orders} orders can be open for the {lanes} lanes of board {}",
                board.name
            );
            board.has_node.error(
                "queue",
                &message,
                "give the lanes to more boards, or a board with a longer queue",
            );
        }
        let horizon = i64::from(*last) * i64::from(raw.belt.ticks_per_metre) / 1_000_000;
        if horizon > i64::from(board.has.horizon_ticks) {
            let message = format!("the last jet is {horizon} ticks away, beyond the board's horizon");
            board.has_node.error(
                "horizon-ticks",
                &message,
                &format!("a board with at least {horizon} is needed"),
            );
        }
    }
}

/// Times of silence against the times between signs of life.
fn silences(raw: &Raw<'_>) {
    let timing = &raw.timing;
    let feeds_us = 3 * timing.feed_us;
    if i64::from(timing.watchdog_us) < i64::from(feeds_us) {
        let message = format!(
            "{} is less than three feeds ({} each): it would trip without cause",
            ms(timing.watchdog_us as i32),
            ms(timing.feed_us)
        );
        timing.node.error(
            "watchdog-ms",
            &message,
            &format!(
                "write at least {}, or feed more often",
                ms(feeds_us).trim_end_matches(" ms")
            ),
        );
    }
    if i64::from(timing.status_silence_us) < 3 * i64::from(timing.status_us) {
        let message = format!(
            "{} is less than three states ({} each)",
            ms(timing.status_silence_us),
            ms(timing.status_us as i32)
        );
        timing.node.error(
            "status-silence-ms",
            &message,
            &format!("write at least {:.1}", f64::from(timing.status_us) * 3.0 / 1_000.0),
        );
    }
}
