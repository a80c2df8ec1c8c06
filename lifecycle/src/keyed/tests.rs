use super::*;
use std::sync::Arc;

type Map = KeyedMap<Arc<str>, Arc<u32>>;

fn add(map: &Map, key: &str, value: u32, idle: impl Fn(&Arc<u32>) -> bool) -> Lookup<Arc<u32>> {
    map.get_or_insert_with(key, || (key.into(), Arc::new(value)), idle)
}

fn keys(map: &Map) -> Vec<String> {
    map.entries().into_iter().map(|(key, _)| key.to_string()).collect()
}

#[test]
fn entries_stand_in_the_order_of_insertion() {
    let map = Map::new(100);
    for (at, key) in ["e", "d", "c", "b", "a"].into_iter().enumerate() {
        assert_eq!(map.insert(key.into(), Arc::new(at as u32)), Ok(None));
    }
    assert_eq!(map.insert("d".into(), Arc::new(9)).unwrap().as_deref(), Some(&1), "an overwritten key keeps its place");
    assert_eq!(keys(&map), ["e", "d", "c", "b", "a"]);
    let values: Vec<u32> = map.clear().into_iter().map(|value| *value).collect();
    assert_eq!(values, [0, 9, 2, 3, 4]);
    assert_eq!(keys(&map).len(), 0);
    assert!(matches!(add(&map, "c", 7, |_| false), Lookup::Inserted(_)));
    assert_eq!(keys(&map), ["c"]);
}

#[test]
fn the_bound_holds_over_all_shards() {
    let map = Map::new(50);
    for key in 0..200 {
        let stored = map.insert(key.to_string().into(), Arc::new(key));
        assert_eq!(stored, if key < 50 { Ok(None) } else { Err(Full) });
    }
    assert_eq!(keys(&map).len(), 50);
    assert!(map.insert("7".into(), Arc::new(0)).unwrap().is_some(), "a known key is overwritten in a full map");
    assert_eq!(add(&map, "7", 1, |_| false), Lookup::Found(Arc::new(0)));
    assert_eq!(add(&map, "new", 1, |_| false), Lookup::Full);
    assert!(map.insert("new".into(), Arc::new(1)).is_err());
    map.clear();
    assert!(matches!(add(&map, "new", 1, |_| false), Lookup::Inserted(_)), "clearing gives all places back");
}

#[test]
fn a_full_map_gives_up_idle_entries_that_nobody_holds() {
    let idle = |value: &Arc<u32>| **value % 2 == 0 && Arc::strong_count(value) == 1;
    let map = Map::new(4);
    for key in 0..4 {
        add(&map, &key.to_string(), key, idle);
    }
    let held = map.get("0").unwrap();
    assert!(matches!(add(&map, "more", 5, idle), Lookup::Inserted(_)));
    assert_eq!(keys(&map), ["0", "1", "3", "more"]);
    assert_eq!(add(&map, "too many", 5, idle), Lookup::Full);
    drop(held);
    assert!(matches!(add(&map, "again", 5, idle), Lookup::Inserted(_)));
    assert_eq!(keys(&map), ["1", "3", "more", "again"]);
}

#[test]
fn a_flood_of_keys_on_a_full_map_costs_few_looks() {
    let map = Map::new(1024);
    for key in 0..1024 {
        add(&map, &key.to_string(), key, |_| false);
    }
    let looks = std::cell::Cell::new(0_usize);
    for key in 0..10_000 {
        let found = add(&map, &format!("stranger {key}"), 0, |_| {
            looks.set(looks.get() + 1);
            false
        });
        assert_eq!(found, Lookup::Full);
    }
    assert!(looks.get() <= 9 * 10_000, "{} looks", looks.get());
}

#[test]
fn after_a_flood_what_became_idle_gives_way_at_once() {
    let map = Map::new(1024);
    for key in 0..1024 {
        add(&map, &key.to_string(), key, |_| false);
    }
    assert_eq!(add(&map, "stranger", 0, |_| false), Lookup::Full);
    map.idle_again();
    assert!(matches!(add(&map, "new", 1, |_| true), Lookup::Inserted(_)));
}

#[test]
fn a_make_that_panics_leaves_its_place_free() {
    let map = Map::new(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        map.get_or_insert_with("a", || panic!("planted"), |_| false);
    }));
    assert!(panicked.is_err());
    assert!(matches!(add(&map, "b", 1, |_| false), Lookup::Inserted(_)));
}

#[test]
fn a_value_may_use_the_map_while_it_is_dropped() {
    struct Reenters(Arc<KeyedMap<u32, Arc<Self>>>, u32);
    impl Drop for Reenters {
        fn drop(&mut self) {
            // Every shard is reached: a lock still held would hang or panic here.
            self.0.entries();
            let _ = self.0.get(&self.1);
        }
    }
    let map = Arc::new(KeyedMap::new(8));
    for key in 0..8 {
        let _ = map.insert(key, Arc::new(Reenters(map.clone(), key)));
    }
    let _ = map.insert(0, Arc::new(Reenters(map.clone(), 0)));
    let _ = map.insert(8, Arc::new(Reenters(map.clone(), 8)));
    assert!(map.insert(9, Arc::new(Reenters(map.clone(), 9))).is_err());
    map.get_or_insert_with(&9, || (9, Arc::new(Reenters(map.clone(), 9))), |value| value.1 == 2);
    assert_eq!(map.clear().len(), 8);
}

#[test]
fn threads_that_race_for_a_key_get_one_value() {
    // A racer takes its place before it knows whether it wins: there is one to spare for each.
    let map = Map::new(64 + 8);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let map = &map;
                scope.spawn(move || {
                    let get = |key: u32| match add(map, &key.to_string(), racer, |_| false) {
                        Lookup::Found(value) | Lookup::Inserted(value) => *value,
                        Lookup::Full => panic!("there is room"),
                    };
                    (0..64).map(get).collect::<Vec<u32>>()
                })
            })
            .collect();
        let seen: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert_eq!(keys(&map).len(), 64);
}
