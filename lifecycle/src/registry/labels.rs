//! Telling apart what shares a name.

use std::collections::BTreeMap;

/// A component's name, path and place.
pub(crate) type Identity<'a> = (&'a str, &'a str, &'a str);

/// One label for each: the short name where it is unique, else the path, else the path with the place. Two methods of one
/// name in one file share name and path.
pub(crate) fn labels<'a>(all: impl IntoIterator<Item = Identity<'a>>) -> Vec<String> {
    let all: Vec<_> = all.into_iter().collect();
    let (mut names, mut paths) = (BTreeMap::new(), BTreeMap::new());
    for (name, path, _) in &all {
        *names.entry(*name).or_insert(0) += 1;
        *paths.entry(*path).or_insert(0) += 1;
    }
    let label = |(name, path, place): &Identity<'a>| match (names[name], paths[path]) {
        (1, _) => (*name).to_owned(),
        (_, 1) => (*path).to_owned(),
        _ => format!("{path} ({place})"),
    };
    all.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_label_that_is_unique() {
        let all = [
            ("a", "m::a", "f:1"),
            ("b", "m::b", "f:2"),
            ("b", "n::b", "f:3"),
            ("c", "m::c", "f:4"),
            ("c", "m::c", "f:5"),
        ];
        assert_eq!(labels(all), ["a", "m::b", "n::b", "m::c (f:4)", "m::c (f:5)"]);
    }
}
