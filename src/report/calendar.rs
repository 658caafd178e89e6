//! Days, weeks, months, quarters and years by the names people write: `2026-11-20`, `2026-W47`, `2026-11`, `2026-Q4`,
//! `2026`.

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday, date};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// One day.
    Day,
    /// A week from Monday, ISO 8601.
    Week,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

impl Unit {
    /// The unit a target's `period` names; a month when it names none.
    pub fn of_target(period: &str) -> Unit {
        match period {
            "day" => Unit::Day,
            "week" => Unit::Week,
            "quarter" => Unit::Quarter,
            "year" => Unit::Year,
            _ => Unit::Month,
        }
    }
}

/// A period of the calendar.
///
/// ```
/// use zhijian::report::calendar::Calendar;
/// let week = Calendar::parse("2026-W01").unwrap();
/// assert_eq!(week.start.to_string(), "2025-12-29");
/// assert_eq!(week.previous().unwrap().label(), "2025-W52");
/// assert_eq!(Calendar::parse("2026-Q4").unwrap().end.to_string(), "2026-12-31");
/// assert_eq!(Calendar::parse("2026-13"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calendar {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// How long it is.
    pub unit: Unit,
}

impl Calendar {
    /// Reads a label.
    pub fn parse(text: &str) -> Option<Calendar> {
        let digits = |t: &str, n: usize| (t.len() == n && t.bytes().all(|b| b.is_ascii_digit())).then_some(());
        let year = |t: &str| digits(t, 4).and_then(|()| t.parse::<i16>().ok());
        let parts: Vec<&str> = text.split('-').collect();
        let (unit, day) = match parts[..] {
            [y] => (Unit::Year, Date::new(year(y)?, 1, 1).ok()?),
            [y, rest] => match rest.split_at_checked(1)? {
                ("W", week) => {
                    digits(week, 2)?;
                    let monday = ISOWeekDate::new(year(y)?, week.parse().ok()?, Weekday::Monday).ok()?;
                    (Unit::Week, monday.date())
                }
                ("Q", quarter @ ("1" | "2" | "3" | "4")) => {
                    let month = (quarter.parse::<i8>().ok()? - 1) * 3 + 1;
                    (Unit::Quarter, Date::new(year(y)?, month, 1).ok()?)
                }
                _ => {
                    digits(rest, 2)?;
                    (Unit::Month, Date::new(year(y)?, rest.parse().ok()?, 1).ok()?)
                }
            },
            [y, m, d] => {
                digits(m, 2).and_then(|()| digits(d, 2))?;
                (Unit::Day, Date::new(year(y)?, m.parse().ok()?, d.parse().ok()?).ok()?)
            }
            _ => return None,
        };
        Some(Calendar::of(unit, day))
    }

    /// The period of a unit that holds a day.
    pub fn of(unit: Unit, day: Date) -> Calendar {
        let first = |month: i8| date(day.year(), month, 1);
        let (start, end) = match unit {
            Unit::Day => (day, day),
            Unit::Week => {
                let start = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
                (start, start.saturating_add(6.days()))
            }
            Unit::Month => (day.first_of_month(), day.last_of_month()),
            Unit::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                (first(month), first(month + 2).last_of_month())
            }
            Unit::Year => (day.first_of_year(), day.last_of_year()),
        };
        Calendar { start, end, unit }
    }

    /// Its label.
    pub fn label(&self) -> String {
        let day = self.start;
        match self.unit {
            Unit::Day => day.to_string(),
            Unit::Week => {
                let week = day.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Unit::Month => format!("{:04}-{:02}", day.year(), day.month()),
            Unit::Quarter => format!("{:04}-Q{}", day.year(), (day.month() + 2) / 3),
            Unit::Year => format!("{:04}", day.year()),
        }
    }

    /// The period before; none at the beginning of time.
    pub fn previous(&self) -> Option<Calendar> {
        Some(Calendar::of(self.unit, self.start.yesterday().ok()?))
    }

    /// True for its days.
    pub fn holds(&self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }
}

/// Reads a day, `2026-11-20`.
pub fn day(text: &str) -> Option<Date> {
    Calendar::parse(text).filter(|c| c.unit == Unit::Day).map(|c| c.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_and_neighbours_touch() {
        for label in ["2026-11-20", "2026-W47", "2026-W53", "2026-11", "2026-Q4", "2026-Q1", "2026", "2024-02-29"] {
            let period = Calendar::parse(label).unwrap();
            assert_eq!(period.label(), label);
            let before = period.previous().unwrap();
            assert_eq!(before.end.tomorrow().unwrap(), period.start, "{label}");
            assert_eq!(before.unit, period.unit);
            assert!(period.holds(period.end) && !period.holds(before.end));
        }
        for wrong in ["", "26", "2026-1", "2026-W54", "2025-W53", "2026-Q5", "2026-02-30", "2026-11-20-1", "二〇二六"]
        {
            assert_eq!(Calendar::parse(wrong), None, "{wrong}");
        }
    }
}
