//! Ranges as staff write them: `"7.0..7.5"` (7.0 is in, 7.5 is out), `"7.0..=7.5"`, `">7.0..=7.5"`, `">=7.0"`, `">7.0"`, `"<7.5"`,
//! `"<=7.5"`, `"7.0.."`, `"..7.5"`. Kept as integers: `least <= figure < most`; an open end is `i32::MIN` or `i32::MAX`. An
//! angle's range may cross 0: `"330..30"`.
//!
//! Cold side, any thread.

use std::ops::Range;

use line::grade::{CIRCLE, HUE_LEFT_OUT};

use crate::form::Quantity;
use crate::source::narrow;

/// Unit of angles.
pub(crate) const DEGREES: &str = "degrees";

/// `least <= figure < most`, in the quantity's integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) least: i32,
    pub(crate) most: i32,
}

/// What is wrong with a range's text, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

fn wrong(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Wrong {
    Wrong {
        span,
        message: message.into(),
        help: help.into(),
    }
}

/// A bound as it is written, and what is added to make it the least value that is in, or the least that is out again.
type Bound<'a> = Option<(&'a str, i64)>;

/// Reads a range of `quantity`.
pub(crate) fn parse(text: &str, quantity: &Quantity) -> Result<Interval, Wrong> {
    full_width(text)?;
    let body = text.trim();
    let offset = text.len() - text.trim_start().len();
    let Some((least, most)) = bounds(body) else {
        let other = ["-", "~", "to", ","].iter().find_map(|sign| body.split_once(sign));
        let help = match other {
            Some((low, high)) if !low.trim().is_empty() => format!("write \"{}..{}\"", low.trim(), high.trim()),
            _ => example(quantity),
        };
        return Err(wrong(0..text.len(), format!("\"{text}\" is no range"), help));
    };
    if least.is_none() && most.is_none() {
        return Err(wrong(
            0..text.len(),
            format!("\"{text}\" has no bound"),
            example(quantity),
        ));
    }
    let place = |bound: &str| {
        let start = bound.as_ptr() as usize - body.as_ptr() as usize + offset;
        start..start + bound.len()
    };
    let read = |bound: Bound<'_>, open: i32| match bound {
        None => Ok(i64::from(open)),
        Some((bound, add)) => decimal(bound, quantity, place(bound)).map(|value| value + add),
    };
    let circle = quantity.unit == DEGREES;
    let (open_least, open_most) = if circle { (0, CIRCLE) } else { (i32::MIN, i32::MAX) };
    let (low, high) = (read(least, open_least)?, read(most, open_most)?);
    if low == high || (low > high && !circle) {
        return Err(nothing_in_it(text, low > high, least, most));
    }
    let width = if low < high {
        high - low
    } else {
        high - low + i64::from(CIRCLE)
    };
    if circle && width > i64::from(CIRCLE - HUE_LEFT_OUT) {
        let message = format!("\"{text}\" leaves out less than {} degrees", HUE_LEFT_OUT / 100);
        let help = "write a narrower range, or leave the hue out";
        return Err(wrong(0..text.len(), message, help));
    }
    // A whole number of at most nine digits with a quantity's decimals was held within its bounds, far within 32 bits.
    Ok(Interval {
        least: low as i32,
        most: high as i32,
    })
}

/// Refuses signs that only a Chinese keyboard gives, and says what they were to be.
fn full_width(text: &str) -> Result<(), Wrong> {
    let Some((at, c)) = text
        .char_indices()
        .find(|(_, c)| narrow(*c).is_some() && *c != '\u{00A0}')
    else {
        return Ok(());
    };
    let meant = |c: char| match c {
        '≥' => ">=".to_owned(),
        '≤' => "<=".to_owned(),
        _ => narrow(c).unwrap_or(c).to_string(),
    };
    let message = format!("'{c}' is a full-width sign, as a Chinese keyboard gives it");
    let help = format!("write \"{}\"", text.chars().map(meant).collect::<String>());
    Err(wrong(at..at + c.len_utf8(), message, help))
}

/// The two bounds of a range's text; `None` when it is no range.
fn bounds(body: &str) -> Option<(Bound<'_>, Bound<'_>)> {
    if let Some((low, high)) = body.split_once("..") {
        let (low, add_low) = low.strip_prefix('>').map_or((low, 0), |low| (low, 1));
        let (high, add_high) = high.strip_prefix('=').map_or((high, 0), |high| (high, 1));
        let given = |bound: &str| !bound.trim().is_empty();
        return Some((
            given(low).then_some((low, add_low)),
            given(high).then_some((high, add_high)),
        ));
    }
    if let Some(bound) = body.strip_prefix(">=") {
        Some((Some((bound, 0)), None))
    } else if let Some(bound) = body.strip_prefix("<=") {
        Some((None, Some((bound, 1))))
    } else if let Some(bound) = body.strip_prefix('>') {
        Some((Some((bound, 1)), None))
    } else {
        body.strip_prefix('<').map(|bound| (None, Some((bound, 0))))
    }
}

/// What a range of the quantity looks like.
fn example(quantity: &Quantity) -> String {
    let span = quantity.most - quantity.least;
    let (low, high) = (
        quantity.show(quantity.least + span / 4),
        quantity.show(quantity.least + span / 2),
    );
    format!("write a range: \"{low}..{high}\", \">={low}\" or \"<{high}\"")
}

/// The fault of a range that is empty or reversed.
fn nothing_in_it(text: &str, reversed: bool, least: Bound<'_>, most: Bound<'_>) -> Wrong {
    let help = match (least, most) {
        (Some((a, _)), Some((b, _))) if reversed => format!("write \"{}..{}\"", b.trim(), a.trim()),
        _ => "the upper bound itself is not in the range: write a larger one".to_owned(),
    };
    let what = if reversed { "reversed" } else { "empty" };
    wrong(
        0..text.len(),
        format!("\"{text}\" is {what}: nothing can be in it"),
        help,
    )
}

/// Reads a decimal exactly, as the quantity's integer.
fn decimal(text: &str, quantity: &Quantity, span: Range<usize>) -> Result<i64, Wrong> {
    let number = text.trim();
    let digits_end = number
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(number.len());
    if digits_end > 0 && digits_end < number.len() {
        let help = format!("write {} alone: the key says {}", &number[..digits_end], quantity.unit);
        return Err(wrong(span, format!("\"{number}\" is not a number alone"), help));
    }
    let (sign, plain) = number.strip_prefix('-').map_or((1, number), |plain| (-1, plain));
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    let is_number =
        !whole.is_empty() && whole.len() <= 9 && [whole, part].iter().all(|t| t.bytes().all(|b| b.is_ascii_digit()));
    if !is_number {
        return Err(wrong(
            span,
            format!("\"{number}\" is not a number"),
            "write a number such as 7 or 7.25",
        ));
    }
    let part = part.trim_end_matches('0');
    if part.len() > quantity.decimals as usize {
        let help = format!("write at most {} decimals: finer is not kept", quantity.decimals);
        return Err(wrong(span, format!("\"{number}\" has {} decimals", part.len()), help));
    }
    let scale = 10_i64.pow(quantity.decimals);
    let part_value = format!("{part:0<width$}", width = quantity.decimals as usize)
        .parse::<i64>()
        .unwrap_or_default();
    let value = sign * (whole.parse::<i64>().unwrap_or_default() * scale + part_value);
    if value < quantity.least || value > quantity.most {
        let (least, most) = (quantity.show(quantity.least), quantity.show(quantity.most));
        let unit = quantity.unit;
        let scaled = [1000, 100, 10]
            .iter()
            .map(|by| value / by)
            .find(|v| *v >= quantity.least && *v <= quantity.most);
        let help = match scaled {
            Some(v) if quantity.decimals >= 3 => format!("write {}: the key's unit is {unit}", quantity.show(v)),
            _ => format!("write a value of {least} to {most} {unit}"),
        };
        return Err(wrong(
            span,
            format!("{number} is outside {least} to {most} {unit}"),
            help,
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MM: Quantity = Quantity {
        unit: "mm",
        decimals: 3,
        least: 0,
        most: 32_000,
    };

    #[track_caller]
    fn is(text: &str, least: i32, most: i32) {
        assert_eq!(parse(text, &MM), Ok(Interval { least, most }), "{text}");
    }

    #[test]
    fn every_way_to_write_a_range_is_exact() {
        is("7.0..7.5", 7_000, 7_500);
        is(" 7 .. 7.5 ", 7_000, 7_500);
        is("7.0..=7.5", 7_000, 7_501);
        is(">7.0..=7.5", 7_001, 7_501);
        is(">=7.0", 7_000, i32::MAX);
        is("> 7.0", 7_001, i32::MAX);
        is("<7.5", i32::MIN, 7_500);
        is("<=7.5", i32::MIN, 7_501);
        is("7.0..", 7_000, i32::MAX);
        is("..7.125", i32::MIN, 7_125);
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_to_write() {
        let help = |text: &str| parse(text, &MM).unwrap_err().help;
        assert_eq!(help("7.5..7.0"), "write \"7.0..7.5\"");
        assert_eq!(help("7.0-7.5"), "write \"7.0..7.5\"");
        assert_eq!(help("７.0..7.5"), "write \"7.0..7.5\"");
        assert_eq!(help("7.0，7.5"), "write \"7.0,7.5\"");
        assert_eq!(help("7mm..8mm"), "write 7 alone: the key says mm");
        assert_eq!(help("7000..7500"), "write 7: the key's unit is mm");
        assert_eq!(help("7.0001..8"), "write at most 3 decimals: finer is not kept");
        assert_eq!(help("<７"), "write \"<7\"");
        assert_eq!(help("≤7"), "write \"<=7\"");
        assert_eq!(help("≥7"), "write \">=7\"");
        assert_eq!(
            help("7..7"),
            "the upper bound itself is not in the range: write a larger one"
        );
    }
}
