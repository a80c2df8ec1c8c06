//! A snapshot as a table for a terminal.

use super::{KeyedSnapshot, Snapshot, labels};
use crate::error::printable;
use std::fmt;

/// One section: a heading row, then rows; columns are as wide as their widest cell.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    fn row(&mut self, cells: Vec<String>) {
        // Names may be anything: what goes to a terminal is escaped.
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    /// Families, each with those of its keys that hold something.
    fn families<S>(&mut self, families: &[KeyedSnapshot<S>], row: impl Fn(&S) -> Vec<String>) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let names = families.iter().map(|one| (one.name.as_str(), one.path.as_str(), one.declared_at.as_str()));
        for (family, label) in families.iter().zip(labels(names)) {
            let full =
                if family.overflowed > 0 { format!(", {} found no room", family.overflowed) } else { String::new() };
            let keys = if family.keys == 1 { "1 key".to_owned() } else { format!("{} keys", family.keys) };
            let mut cells = vec![label, keys + &full];
            cells.resize(columns.saturating_sub(1), "-".to_owned());
            cells.push(family.declared_at.clone());
            self.row(cells);
            family.noteworthy.iter().for_each(|one| self.row(row(one)));
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |at: usize| self.rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// The beginning of a text that may be long.
fn cut(text: &str) -> String {
    const MOST: usize = 60;
    let beginning: String = text.chars().take(MOST).collect();
    if beginning.len() < text.len() { beginning + "…" } else { beginning }
}

/// Who the rows are, to tell those of one name apart.
macro_rules! identities {
    ($rows:expr) => {
        $rows.iter().map(|one| (one.name.as_str(), one.path.as_str(), one.declared_at.as_str()))
    };
}

/// The state of a keyed singleton as a whole.
fn keys(kept: usize, unkept: u64) -> String {
    let kept = if kept == 1 { "1 key".to_owned() } else { format!("{kept} keys") };
    if unkept == 0 { kept } else { format!("{kept}, {unkept} not kept") }
}

fn or_dash<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A window as one writes it: `s`, `min`, `250ms`.
fn window(seconds: f64) -> String {
    if seconds == 1.0 {
        "s".to_owned()
    } else if seconds == 60.0 {
        "min".to_owned()
    } else if seconds == 3600.0 {
        "h".to_owned()
    } else {
        // Windows come from a `Duration`, so this is in range; what is not prints as plain seconds.
        std::time::Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds}s"), |it| format!("{it:?}"))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [
            ("singletons", created_table(&self.singletons, ["lazy", "ready"])),
            ("steps", created_table(&self.steps, ["not run", "done"])),
            ("circuit breakers", self.breaker_table()),
            ("rate limiters", self.limiter_table()),
            ("flags", self.flag_table()),
        ];
        for (title, table) in sections.iter().filter(|(_, table)| table.rows.len() > 1) {
            writeln!(f, "{title}")?;
            table.write(f)?;
        }
        if self.invocations.begun > 0 {
            writeln!(f, "invocations: {} begun, {} under way", self.invocations.begun, self.invocations.active)?;
        }
        if let Some(bytes) = self.memory.as_ref().and_then(|memory| memory.resident) {
            writeln!(f, "memory: {} MiB resident when it was looked at", bytes >> 20)?;
        }
        for duplicate in &self.duplicates {
            writeln!(f, "warning: {duplicate}")?;
        }
        Ok(())
    }
}

/// Singletons or steps: what they are called before and after their creation.
fn created_table(all: &[super::SingletonSnapshot], [lazy, ready]: [&str; 2]) -> Table {
    let mut table = Table::new(&["name", "type", "state", "accesses", "order", "created in", "needs", "declared at"]);
    for (one, label) in all.iter().zip(labels(identities!(all))) {
        let times = |failures| if failures == 1 { "once".to_owned() } else { format!("{failures} times") };
        let state = match (one.created, one.failures) {
            _ if one.keys.is_some() => keys(one.keys.unwrap_or(0), one.unkept),
            (_, 0) if one.alive.is_some() => format!("one an invocation, {} now", one.alive.unwrap_or(0)),
            (true, _) if one.retired > 0 => format!("{ready}, {} retired", one.retired),
            (true, _) => ready.to_owned(),
            (false, 0) if one.unkept > 0 => {
                format!("{} keys, {} found no place", one.keys.unwrap_or(0), one.unkept)
            }
            (false, 0) if one.keys.is_some_and(|keys| keys > 0) => format!("{} keys", one.keys.unwrap_or(0)),
            (false, 0) => lazy.to_owned(),
            (false, failures) => match &one.last_error {
                Some(error) => format!("failed {}: {}", times(failures), cut(error)),
                None => format!("failed {}", times(failures)),
            },
        };
        let took = or_dash(one.creation_us.filter(|_| one.created).map(|us| format!("{us} us")));
        table.row(vec![
            label,
            one.type_name.clone(),
            state,
            one.accesses.to_string(),
            or_dash(one.order),
            took,
            if one.depends_on.is_empty() { "-".to_owned() } else { one.depends_on.join(", ") },
            one.declared_at.clone(),
        ]);
    }
    table
}

impl Snapshot {
    fn breaker_table(&self) -> Table {
        let mut table = Table::new(&[
            "name",
            "state",
            "failures",
            "ok",
            "failed",
            "refused",
            "dropped",
            "opened",
            "next probe",
            "declared at",
        ]);
        for (one, label) in self.breakers.iter().zip(labels(identities!(self.breakers))) {
            table.row(breaker_row(one, label));
        }
        table.families(&self.keyed_breakers, |one| breaker_row(one, one.name.clone()));
        table
    }

    fn limiter_table(&self) -> Table {
        let mut table = Table::new(&["name", "limit", "used now", "allowed", "limited", "declared at"]);
        for (one, label) in self.limiters.iter().zip(labels(identities!(self.limiters))) {
            table.row(limiter_row(one, label));
        }
        table.families(&self.keyed_limiters, |one| limiter_row(one, one.name.clone()));
        table
    }

    fn flag_table(&self) -> Table {
        let mut table = Table::new(&["name", "value", "source", "type", "declared at"]);
        for (one, label) in self.flags.iter().zip(labels(identities!(self.flags))) {
            table.row(vec![
                label,
                one.value.to_string(),
                one.source.clone(),
                one.type_name.clone(),
                one.declared_at.clone(),
            ]);
        }
        table
    }
}

/// `2/5` in a row; `3 of 20 (50 %)` in a window.
fn failures(one: &super::BreakerSnapshot) -> String {
    match (one.threshold, &one.rates) {
        (Some(threshold), _) => format!("{}/{threshold}", one.failures),
        (None, Some(rates)) => format!("{} of {}", rates.failures, rates.calls),
        (None, None) => one.failures.to_string(),
    }
}

fn limiter_row(one: &super::LimiterSnapshot, label: String) -> Vec<String> {
    vec![
        label,
        format!("{}/{}", one.limit, window(one.window_seconds)),
        one.used.to_string(),
        one.allowed.to_string(),
        one.limited.to_string(),
        one.declared_at.clone(),
    ]
}

fn breaker_row(one: &super::BreakerSnapshot, label: String) -> Vec<String> {
    vec![
        label,
        one.state.clone(),
        failures(one),
        one.statistics.successful_calls.to_string(),
        one.statistics.failed_calls.to_string(),
        one.statistics.rejected_calls.to_string(),
        one.statistics.cancelled_calls.to_string(),
        one.statistics.times_opened.to_string(),
        or_dash(one.retry_after_seconds.map(|s| format!("in {s:.1} s"))),
        one.declared_at.clone(),
    ]
}
