//! A time for people and other programs: ISO 8601, UTC. Any thread.

const DAY_S: i64 = 86_400;
const SECOND_US: i64 = 1_000_000;

/// Microseconds since 1970 as `2026-11-24T14:20:00.123456Z`.
#[must_use]
pub fn iso(us: i64) -> String {
    format!("{}.{:06}Z", second(us.div_euclid(SECOND_US)), us.rem_euclid(SECOND_US))
}

/// Seconds since 1970 as `2026-11-24T14:20:00Z`, as RFC 3339 has it.
#[must_use]
pub fn utc(seconds: i64) -> String {
    format!("{}Z", second(seconds))
}

/// A second since 1970, without its zone.
fn second(seconds: i64) -> String {
    let (day, rest) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, of_month) = date(day);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of the month of a day since 1970. Years are counted from March, so that the leap day is the last
/// of its year, and in eras of 400 years, which all have the same days.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    // From 0000-03-01 to 1970-01-01.
    const TO_1970: i64 = 719_468;
    let since = day + TO_1970;
    let (era, of_era) = (since.div_euclid(ERA_DAYS), since.rem_euclid(ERA_DAYS));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(iso(951_827_696_789_012), "2000-02-29T12:34:56.789012Z");
        assert_eq!(iso(1_795_530_030_000_000), "2026-11-24T14:20:30.000000Z");
    }

    #[test]
    fn whole_seconds_are_written_as_rfc_3339_has_them() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(utc(1_772_323_199), "2026-02-28T23:59:59Z");
        assert_eq!(utc(1_772_323_200), "2026-03-01T00:00:00Z");
        assert_eq!(utc(1_795_531_199), "2026-11-24T14:39:59Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        let mut before = date(-150_000);
        for day in -149_999..150_000 {
            let (year, month, of_month) = date(day);
            let next_day = (year, month, of_month) == (before.0, before.1, before.2 + 1);
            let next_month = of_month == 1 && before.2 >= 28 && (year * 12 + month) == (before.0 * 12 + before.1 + 1);
            assert!(next_day || next_month, "{before:?} then {:?}", (year, month, of_month));
            before = (year, month, of_month);
        }
    }
}
