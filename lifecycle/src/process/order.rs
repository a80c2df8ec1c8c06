//! Who depends on whom among what exists, and so in which order things are shut down.

use crate::registry::{self, Component, Kind};
use crate::singleton::hooks::HookRun;
use crate::singleton::{AnySingleton, HookOf, Needs, of_function, singletons};
use std::collections::{HashMap, HashSet};

/// Hooks that may run at the same time: nothing in it depends on anything else in it.
pub(super) struct Level {
    pub(super) hooks: Vec<HookOf<HookRun<'static>>>,
}

/// The hooks of all that exists, dependents first. Singletons made by name have no hooks, but what they were made of is
/// still made of something.
pub(super) fn levels() -> Vec<Level> {
    let declared: Vec<&'static dyn AnySingleton> =
        registry::declared(|component| component.created().filter(|created| created.exists()));
    let key = |singleton: &'static dyn AnySingleton| std::ptr::from_ref(singleton.descriptor()).addr();
    let mut needs: HashMap<usize, Vec<usize>> = singletons().needs().into_iter().collect();
    for singleton in &declared {
        let mut all = singleton.needs();
        all.extend(singleton.dependencies().iter().filter_map(|find| resolve(find())).map(key));
        needs.insert(key(*singleton), all);
    }
    let levels = depths(&needs);
    let mut by_level: Vec<(usize, std::cmp::Reverse<Option<u64>>, HookOf<HookRun<'static>>)> = Vec::new();
    for singleton in declared {
        let level = levels.get(&key(singleton)).copied().unwrap_or(0);
        let order = std::cmp::Reverse(singleton.order());
        by_level.extend(singleton.shutdown_hooks().into_iter().map(|hook| (level, order, hook)));
    }
    // Within a level the newest is started first.
    by_level.sort_by_key(|(level, order, _)| (*level, *order));
    let mut all: Vec<(usize, Level)> = Vec::new();
    for (level, _, hook) in by_level {
        match all.last_mut() {
            Some((same, of)) if *same == level => of.hooks.push(hook),
            _ => all.push((level, Level { hooks: vec![hook] })),
        }
    }
    all.into_iter().map(|(_, level)| level).collect()
}

/// The singleton or step that a `depends_on` means, if there is one.
pub(crate) fn resolve(needs: Needs) -> Option<&'static dyn AnySingleton> {
    match needs {
        Needs::Component(singleton) => Some(singleton),
        Needs::Function(name) => of_function(name).ok(),
        Needs::Name(name) => {
            let named = |kind| registry::find(kind, name).ok().flatten().and_then(Component::created);
            named(Kind::Singleton).or_else(|| named(Kind::Flag))
        }
    }
}

/// How many steps each is away from those that nobody needs, by the longest way (Kahn's order, from the dependents on).
/// What is in a circle, which only `depends_on` can make, comes last and all at once.
fn depths(needs: &HashMap<usize, Vec<usize>>) -> HashMap<usize, usize> {
    let mut dependents: HashMap<usize, usize> = needs.keys().map(|key| (*key, 0)).collect();
    let known = |key: usize| -> HashSet<usize> {
        let all = needs.get(&key).into_iter().flatten().copied();
        all.filter(|other| *other != key && needs.contains_key(other)).collect()
    };
    for other in needs.keys().flat_map(|key| known(*key)) {
        *dependents.entry(other).or_default() += 1;
    }
    let mut depths = HashMap::new();
    let mut free: Vec<usize> = dependents.iter().filter(|(_, count)| **count == 0).map(|(key, _)| *key).collect();
    let mut depth: HashMap<usize, usize> = HashMap::new();
    while let Some(key) = free.pop() {
        let own = depth.get(&key).copied().unwrap_or(0);
        depths.insert(key, own);
        for other in known(key) {
            let entry = depth.entry(other).or_default();
            *entry = (*entry).max(own + 1);
            if let Some(count) = dependents.get_mut(&other) {
                *count -= 1;
                if *count == 0 {
                    free.push(other);
                }
            }
        }
    }
    let last = depths.values().max().map_or(0, |deepest| deepest + 1);
    for key in needs.keys() {
        depths.entry(*key).or_insert(last);
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::depths;
    use std::collections::HashMap;

    #[test]
    fn dependents_come_first_by_the_longest_way() {
        // 1 -> 2 -> 3, 1 -> 3, 4 alone, 5 <-> 6
        let needs =
            HashMap::from([(1, vec![2, 3, 99]), (2, vec![3, 2]), (3, vec![]), (4, vec![]), (5, vec![6]), (6, vec![5])]);
        let depths = depths(&needs);
        assert_eq!((depths[&1], depths[&2], depths[&3], depths[&4]), (0, 1, 2, 0));
        assert_eq!((depths[&5], depths[&6]), (3, 3));
    }
}
