//! "Did you mean": which known word a misspelled one is nearest to. The macros have the same for their options.

/// The nearest of `known`, if it is near enough to be meant.
pub(super) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Names come from outside: what is longer than any of ours is no slip of the pen.
    let word: String = word.chars().take(200).collect::<String>().to_lowercase();
    let near = |known: &str| steps(&word, known) <= known.chars().count().max(word.chars().count()) / 3;
    known.filter(|known| near(known)).min_by_key(|known| (steps(&word, known), distance(&word, known)))
}

/// The one of `known` of which `name` is a slip, if it is of any. Stricter than for options: there are only so many options, while
/// names are made up, and `fetch_2` is not `fetch_1` misspelled.
pub(super) fn slip_of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.chars().take(200).collect();
    let mut known: Vec<&str> = known.collect();
    // In another case, or with other marks between its words.
    let plain =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let own = plain(name.strip_prefix("crate::").unwrap_or(&name));
    let of_crate = |known: &str| match (name.strip_prefix("crate::"), known.split_once("::")) {
        (Some(_), Some((_, rest))) => plain(rest) == own,
        _ => false,
    };
    if let Some(same) = known.iter().find(|known| **known != name && (plain(known) == own || of_crate(known))) {
        return Some(same);
    }
    let letters = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let length = name.chars().count();
    let near = |known: &str| {
        // Most are too long or too short, and there may be many.
        if known.chars().count().abs_diff(length) > 2 {
            return false;
        }
        let steps = distance(&name, known);
        steps <= 2 && steps <= length / 3 && letters(&name) != letters(known)
    };
    known.retain(|known| near(known));
    known.into_iter().min_by_key(|known| distance(&name, known))
}

/// The hint of a message about an option's part, or nothing.
pub(super) fn hint<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    said(closest(word, known))
}

/// The hint of a message about a name, or nothing.
pub(crate) fn hint_of_slip<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    said(slip_of(name, known))
}

fn said(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
}

/// How far a word is from a known one; one step for `thresh` and for `failure_threshold`.
fn steps(word: &str, known: &str) -> usize {
    let begun = word.len() >= 4 && (known.starts_with(word) || word.starts_with(known));
    let whole = if begun { 1 } else { distance(word, known) };
    let last = word.rsplit_once('_').map_or(usize::MAX, |(_, last)| distance(last, known).saturating_add(1));
    whole.min(last)
}

/// Insertions, deletions, changes, and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, slip_of};

    #[test]
    fn misspellings_are_recognized_and_strangers_are_not() {
        let known = ["threshold", "timeout", "fetch", "fetch_user", "rate"];
        for (word, meant) in [
            ("treshold", Some("threshold")),
            ("thershold", Some("threshold")),
            ("Timeout", Some("timeout")),
            ("time_out", Some("timeout")),
            ("thresh", Some("threshold")),
            ("failure_threshold", Some("threshold")),
            ("fetch_usr", Some("fetch_user")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(word, known.into_iter()), meant, "{word}");
        }
        assert_eq!(closest(&"x".repeat(100_000), known.into_iter()), None, "it does not take for ever");
    }

    #[test]
    fn names_are_slips_of_names_only_when_very_near() {
        let known = ["fetch", "fetch_user", "app::fetch_user", "app::api::list", "shard_1", "db"];
        for (name, meant) in [
            ("fetch_usr", Some("fetch_user")),
            ("fecth", Some("fetch")),
            ("fetch_users", Some("fetch_user")),
            ("fetch_users_v2", None),
            ("shard_2", None),
            ("shard_12", None),
            ("bd", None),
            ("db2", None),
            ("FETCH_USER", Some("fetch_user")),
            ("FetchUser", Some("fetch_user")),
            ("app.fetch_user", Some("app::fetch_user")),
            ("crate::fetch_user", Some("fetch_user")),
            ("crate::api::list", Some("app::api::list")),
            ("other::fetch_user", None),
        ] {
            assert_eq!(slip_of(name, known.into_iter()), meant, "{name}");
        }
    }
}
