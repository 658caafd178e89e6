//! Times as exports write them, to milliseconds since the epoch.
//!
//! A hand-written scanner reads every layout met (RFC 3339, `2026/11/20 9:01`, 2026年11月20日 9时5分3秒, epoch numbers) in
//! tens of nanoseconds. Only the zone's offset comes from jiff, looked up once a day of the calendar: Shanghai had
//! summer time from 1986 to 1991, so it is no constant.

use jiff::civil;
use jiff::tz::TimeZone;

use crate::conversation::Millis;

/// What to tell the user whose time could not be read.
pub(crate) const TIME_HINT: &str =
    "支持 2026-11-20T09:01:05+08:00、2026-11-20 09:01:05、2026/11/20 9:01、2026年11月20日 9时1分5秒 和纪元秒/毫秒";

/// Reads times in one zone, remembering the last day's offset.
pub(crate) struct Clock<'z> {
    zone: &'z TimeZone,
    day: i64,
    /// The day's offset in seconds; `None` when it changes within the day.
    offset: Option<i64>,
    /// The user's own formats, tried first.
    formats: &'z [String],
}

impl<'z> Clock<'z> {
    pub(crate) fn new(zone: &'z TimeZone) -> Self {
        Clock { zone, day: i64::MIN, offset: None, formats: &[] }
    }

    /// The clock of these options: their zone and formats.
    pub(crate) fn of(options: &'z super::InputOptions) -> Self {
        let zone = options.mapping.timezone.as_ref().unwrap_or(&options.timezone);
        Clock { formats: &options.mapping.times, ..Clock::new(zone) }
    }

    /// The moment a text names in one of the user's formats.
    fn own(&self, text: &str, date_only: bool) -> Option<Millis> {
        self.formats.iter().find_map(|format| {
            let parsed = jiff::fmt::strtime::parse(format, text).ok()?;
            if let Ok(moment) = parsed.to_timestamp() {
                return Some(moment.as_millisecond());
            }
            let local = match parsed.to_datetime() {
                Ok(local) => local,
                Err(_) if date_only => parsed.to_date().ok()?.at(0, 0, 0, 0),
                Err(_) => return None,
            };
            Some(self.zone.to_ambiguous_timestamp(local).compatible().ok()?.as_millisecond())
        })
    }

    /// The moment a text names; a date alone is its midnight where `date_only` allows it.
    pub(crate) fn parse(&mut self, text: &str, date_only: bool) -> Option<Millis> {
        let text = text.trim();
        if let Some(moment) = self.own(text, date_only) {
            return Some(moment);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            if let Some(compact) = self.compact(text, date_only) {
                return Some(compact);
            }
            // `2026.11.20` is a date, and two points are no number
            if text.bytes().filter(|&b| b == b'.').count() < 2 {
                return epoch(text.parse().ok()?);
            }
        }
        let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
        let (year, month, day) = scan.date()?;
        if scan.done() {
            return if date_only { self.moment(Fields { year, month, day, ..Fields::default() }) } else { None };
        }
        let (fields, offset) = scan.time(Fields { year, month, day, ..Fields::default() })?;
        match offset {
            Some(offset) => fields.check().map(|_| fields.local_ms() - offset * 1000),
            None => self.moment(fields),
        }
    }

    /// `20261120090105`, `202611200901`, `20261120`.
    fn compact(&mut self, text: &str, date_only: bool) -> Option<Millis> {
        if !(matches!(text.len(), 12 | 14) || text.len() == 8 && date_only) || text.contains('.') {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to).map_or(Some(0), |s| s.parse::<i64>().ok());
        let fields = Fields {
            year: number(0, 4)?,
            month: number(4, 6)?,
            day: number(6, 8)?,
            hour: number(8, 10)?,
            minute: number(10, 12)?,
            second: number(12, 14)?,
            milli: 0,
        };
        if (1970..2200).contains(&fields.year) { self.moment(fields) } else { None }
    }

    /// A local time in the zone.
    fn moment(&mut self, fields: Fields) -> Option<Millis> {
        let date = fields.check()?;
        let days = days_from_civil(fields.year, fields.month, fields.day);
        if self.day != days {
            self.day = days;
            self.offset = match (self.offset_at(date, 0), date.tomorrow().ok().and_then(|d| self.offset_at(d, 0))) {
                (Some(a), Some(b)) if a == b => Some(a),
                _ => None,
            };
        }
        let seconds = days * 86_400 + fields.hour * 3600 + fields.minute * 60;
        let offset = match self.offset {
            Some(offset) => offset,
            None => self.offset_at(date, (seconds - days * 86_400) as i32)?,
        };
        Some(fields.local_ms() - offset * 1000)
    }

    fn offset_at(&self, date: civil::Date, second_of_day: i32) -> Option<i64> {
        let (hour, minute) = ((second_of_day / 3600) as i8, (second_of_day / 60 % 60) as i8);
        let local = date.at(hour, minute, 0, 0);
        let moment = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
        let days = days_from_civil(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
        Some(days * 86_400 + i64::from(second_of_day) - moment.as_second())
    }
}

/// The moment a number names: seconds, milliseconds or microseconds since the epoch, told apart by size.
pub(crate) fn epoch(number: f64) -> Option<Millis> {
    match number {
        n if !n.is_finite() || n < 1e8 => None,
        n if n < 1e11 => Some((n * 1e3).round() as i64),
        n if n < 1e14 => Some(n.round() as i64),
        n if n < 1e17 => Some((n / 1e3).round() as i64),
        _ => None,
    }
}

#[derive(Clone, Copy, Default)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    milli: i64,
}

impl Fields {
    /// The date when every field is in range.
    fn check(&self) -> Option<civil::Date> {
        let in_range =
            (0..24).contains(&self.hour) && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        if !in_range || !(1..=9998).contains(&self.year) {
            return None;
        }
        civil::Date::new(self.year as i16, i8::try_from(self.month).ok()?, i8::try_from(self.day).ok()?).ok()
    }

    fn local_ms(&self) -> i64 {
        let days = days_from_civil(self.year, self.month, self.day);
        // a leap second counts as the second before it
        let second = self.second.min(59);
        (days * 86_400 + self.hour * 3600 + self.minute * 60 + second) * 1000 + self.milli
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn done(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(token.as_bytes());
        if found {
            self.at += token.len();
        }
        found
    }

    fn any(&mut self, tokens: &[&str]) -> bool {
        tokens.iter().any(|t| self.take(t))
    }

    fn spaces(&mut self) {
        while self.any(&[" ", "\t", "\u{3000}", "\u{a0}"]) {}
    }

    /// A number of `min..=max` digits.
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let digits = self.bytes[self.at..].iter().take(max).take_while(|b| b.is_ascii_digit());
        let (count, value) = digits.fold((0, 0), |(n, v), b| (n + 1, v * 10 + i64::from(b - b'0')));
        self.at += count;
        (count >= min).then_some(value)
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.number(4, 4)?;
        let separator = ["-", "/", ".", "年"].into_iter().find(|s| self.take(s))?;
        self.spaces();
        let month = self.number(1, 2)?;
        if !self.take(if separator == "年" { "月" } else { separator }) {
            return None;
        }
        self.spaces();
        let day = self.number(1, 2)?;
        if separator == "年" && !self.any(&["日", "号"]) {
            return None;
        }
        Some((year, month, day))
    }

    /// The time of day and the offset in seconds, when one is given, up to the end of the text.
    fn time(&mut self, mut fields: Fields) -> Option<(Fields, Option<i64>)> {
        let before = self.at;
        if !self.any(&["T", "t"]) {
            self.spaces();
        }
        // a number right after the day would be another number
        if before == self.at && self.bytes.get(self.at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let morning = self.any(&["上午", "凌晨", "AM ", "am "]);
        let afternoon = !morning && self.any(&["下午", "晚上", "PM ", "pm "]);
        self.spaces();
        fields.hour = self.number(1, 2)?;
        if self.any(&[":", "："]) {
            fields.minute = self.number(2, 2).or_else(|| self.number(1, 1))?;
            if self.any(&[":", "："]) {
                fields.second = self.number(1, 2)?;
                if self.any(&[".", ","]) {
                    fields.milli = self.fraction()?;
                }
            }
        } else if self.any(&["时", "点"]) {
            self.spaces();
            if !self.done() {
                fields.minute = self.number(1, 2)?;
                if self.take("分") && !self.done() {
                    self.spaces();
                    fields.second = self.number(1, 2)?;
                    if self.take(".") {
                        fields.milli = self.fraction()?;
                    }
                    self.take("秒");
                }
            }
        } else {
            return None;
        }
        self.spaces();
        let morning = morning || self.any(&["AM", "am"]);
        let afternoon = afternoon || self.any(&["PM", "pm"]);
        if afternoon && fields.hour < 12 {
            fields.hour += 12;
        } else if morning && fields.hour == 12 {
            fields.hour = 0;
        }
        self.spaces();
        let offset = self.offset()?;
        self.done().then_some((fields, offset))
    }

    fn fraction(&mut self) -> Option<i64> {
        let start = self.at;
        let value = self.number(1, 3)?;
        let digits = self.at - start;
        self.number(0, 15)?;
        Some(value * [100, 10, 1][digits - 1])
    }

    /// `Z`, `+08:00`, `+0800`, `+08`, then perhaps `[Asia/Shanghai]`; nothing is `Some(None)`.
    fn offset(&mut self) -> Option<Option<i64>> {
        let offset = if self.any(&["Z", "z", "UTC"]) {
            Some(0)
        } else if let Some(sign) = [("+", 1), ("-", -1), ("−", -1)].into_iter().find(|(s, _)| self.take(s)) {
            let hours = self.number(2, 2)?;
            self.take(":");
            let minutes = if self.done() || self.bytes[self.at] == b'[' { 0 } else { self.number(2, 2)? };
            if hours > 18 || minutes > 59 {
                return None;
            }
            Some(sign.1 * (hours * 3600 + minutes * 60))
        } else {
            None
        };
        if offset.is_some() && self.take("[") && self.bytes.last() == Some(&b']') {
            self.at = self.bytes.len();
        }
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shanghai(text: &str) -> Option<Millis> {
        let zone = super::super::default_timezone();
        Clock::new(&zone).parse(text, true)
    }

    #[test]
    fn layouts_of_one_moment() {
        let moment = 1_795_136_465_000; // 2026-11-20T09:01:05+08:00
        for text in [
            "2026-11-20T09:01:05+08:00",
            "2026-11-20T01:01:05Z",
            "2026-11-20T01:01:05.000Z",
            "2026-11-20T09:01:05+0800",
            "2026-11-20T09:01:05+08",
            "2026-11-20T09:01:05+08:00[Asia/Shanghai]",
            "2026-11-20 09:01:05 +08:00",
            "2026-11-20T09:01:05",
            "2026-11-20 09:01:05",
            "2026/11/20 9:01:05",
            "2026.11.20 9:01:05",
            "  2026/11/20  09：01：05 ",
            "2026年11月20日 9时1分5秒",
            "2026年11月20日9点1分5秒",
            "2026年11月20日 09:01:05",
            "2026/11/20 上午 9:01:05",
            "2026/11/20 9:01:05 AM",
            "20261120090105",
            "1795136465",
            "1795136465000",
            "1795136465000000",
            "1795136465.0",
        ] {
            assert_eq!(shanghai(text), Some(moment), "{text}");
        }
        assert_eq!(shanghai("2026/11/20 9:01"), Some(moment - 5_000));
        assert_eq!(shanghai("2026/11/20 下午 9:01:05"), Some(moment + 12 * 3_600_000));
        assert_eq!(shanghai("2026-11-20 09:01:05.25"), Some(moment + 250));
        assert_eq!(shanghai("2026-11-20 09:01:05,123456"), Some(moment + 123));
        assert_eq!(shanghai("2026-11-20"), shanghai("2026-11-20 00:00"));
        assert_eq!(shanghai("20261120"), shanghai("2026-11-20 00:00"));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "昨天",
            "2026",
            "2026-13-01 00:00",
            "2026-02-30 00:00",
            "2026-11-20 25:00",
            "2026-11-20 9",
            "12.5",
            "2026-11-20T09:01:05+99:00",
            "2026-11-20 09:01:05 x",
            "2026-11-2009:01",
            "5",
            "2026/11-20 1:00",
            "nan",
        ] {
            assert_eq!(shanghai(text), None, "{text}");
        }
        let zone = super::super::default_timezone();
        assert_eq!(Clock::new(&zone).parse("2026-11-20", false), None);
    }

    #[test]
    fn summer_time_of_1988() {
        let offset = |text: &str| shanghai(&format!("{text}Z")).unwrap() - shanghai(text).unwrap();
        assert_eq!(offset("1988-07-01T12:00:00"), 9 * 3_600_000);
        assert_eq!(offset("1988-12-01T12:00:00"), 8 * 3_600_000);
        // the day it ended: 11 September, two in the morning
        assert_eq!(offset("1988-09-11T00:30:00"), 9 * 3_600_000);
        assert_eq!(offset("1988-09-11T12:30:00"), 8 * 3_600_000);
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(seconds in 0i64..4_000_000_000, zone in prop::sample::select(vec!["Asia/Shanghai", "America/New_York", "UTC"])) {
            let zone = TimeZone::get(zone).unwrap();
            let local = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(zone.clone()).datetime();
            let expected = zone.to_ambiguous_timestamp(local).compatible().unwrap().as_millisecond();
            let text = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(Clock::new(&zone).parse(&text, false), Some(expected));
        }

        #[test]
        fn never_panics(text in "[0-9年月日时分秒:：/. TZ+\\-\\[\\]上下午]{0,40}") {
            let _ = shanghai(&text);
        }
    }
}
