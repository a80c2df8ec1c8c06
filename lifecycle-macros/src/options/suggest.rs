//! "Did you mean": which known word a misspelled one is nearest to.

/// The nearest of `known`, if it is near enough to be meant.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .map(|known| (steps(&word, known), known))
        .filter(|(steps, known)| *steps <= known.len().max(word.len()) / 3)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, known)| known)
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
    // rows[i][j]: from the first i letters of a to the first j of b
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
    use super::closest;

    #[test]
    fn misspellings_are_recognized_and_strangers_are_not() {
        let known = ["threshold", "timeout", "name", "on_rejected", "crate"];
        for (word, meant) in [
            ("treshold", Some("threshold")),
            ("thershold", Some("threshold")),
            ("Timeout", Some("timeout")),
            ("time_out", Some("timeout")),
            ("thresh", Some("threshold")),
            ("failure_threshold", Some("threshold")),
            ("failure_treshold", Some("threshold")),
            ("on_reject", Some("on_rejected")),
            ("nmae", Some("name")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(word, known.into_iter()), meant, "{word}");
        }
    }
}
