//! What threads do to each other. Nothing sleeps: they meet at barriers and run until the others are done.

use super::*;
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::thread::{scope, yield_now};

#[test]
fn threads_that_race_for_a_key_get_one_value() {
    // There is a place for each key and none to spare.
    let (map, all) = (Map::new(64), Barrier::new(8));
    scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let (map, all) = (&map, &all);
                scope.spawn(move || {
                    all.wait();
                    let get = |key: u32| match add(map, &key.to_string(), racer, |_| false) {
                        Lookup::Found(value) | Lookup::Inserted(value) => *value,
                        Lookup::Full(()) => panic!("there is room"),
                    };
                    (0..64).map(get).collect::<Vec<u32>>()
                })
            })
            .collect();
        let seen: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert_eq!(map.keys().len(), 64);
}

#[test]
fn updates_of_one_key_lose_nothing() {
    let (map, all) = (Map::new(16), Barrier::new(4));
    scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                all.wait();
                for _ in 0..2_000 {
                    map.update("n", |old| Some(Arc::new(old.map_or(1, |old| **old + 1)))).unwrap();
                }
            });
        }
    });
    assert_eq!(map.get("n").as_deref(), Some(&8_000));
}

/// Readers look all the time while keys come, go and change around them, all in one shard.
#[test]
fn readers_see_whole_values_in_order_while_writers_churn() {
    let (map, done) = (KeyedMap::<String, Arc<(u32, String)>>::new(24), AtomicBool::new(false));
    let value = |name: &str, version| Arc::new((version, format!("{name}/{version}")));
    for name in ["kept", "changed"] {
        map.update(&Alike(name), |_| Some(value(name, 0))).unwrap();
    }
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut newest = 0;
                while !done.load(Ordering::Acquire) {
                    let (version, text) = (*map.get(&Alike("changed")).expect("never removed")).clone();
                    assert_eq!(text, format!("changed/{version}"));
                    assert!(version >= newest, "{version} after {newest}");
                    newest = version;
                    assert_eq!(map.read(&Alike("kept"), |one| one.0), Some(0));
                    if let Some(fleeting) = map.get(&Alike("fleeting 3")) {
                        assert!(fleeting.1.starts_with("fleeting 3/"));
                    }
                    let keys = map.keys();
                    assert_eq!(keys[..2], ["kept", "changed"]);
                    assert!(map.len() <= 24);
                }
            });
        }
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (map, value) = (&map, &value);
                scope.spawn(move || {
                    for round in 1..=1_000_u32 {
                        let name = format!("fleeting {}", (round + writer) % 7);
                        map.get_or_insert_with(&Alike(&name), || value(&name, round), |_| false);
                        map.remove(&Alike(&format!("fleeting {}", (round * 3 + writer) % 7)));
                        let next =
                            |old: Option<&Arc<(u32, String)>>| Some(value("changed", old.map_or(0, |old| old.0 + 1)));
                        map.update(&Alike("changed"), next).unwrap();
                    }
                })
            })
            .collect();
        let finished: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        assert!(finished.into_iter().all(|one| one.is_ok()));
    });
    assert_eq!(map.read(&Alike("changed"), |one| one.0), Some(2_000));
}

#[test]
fn what_somebody_holds_stays_in_however_full_the_map_is() {
    let (map, all) = (Map::new(4), Barrier::new(4));
    scope(|scope| {
        for thread in 0..4_u32 {
            let (map, all) = (&map, &all);
            scope.spawn(move || {
                all.wait();
                for round in 0..3_000_u32 {
                    let name = ["a", "b", "c", "d", "e", "f", "g"][((round * 5 + thread * 3) % 7) as usize];
                    let get = || map.get_or_insert_with(&Alike(name), || Arc::new(round), unheld);
                    let (Lookup::Found(held) | Lookup::Inserted(held)) = get() else { continue };
                    assert!(map.get(&Alike(name)).is_some_and(|now| Arc::ptr_eq(&now, &held)), "{name} was given up");
                    assert_eq!(get(), Lookup::Found(held));
                    assert!(map.len() <= 4);
                }
            });
        }
    });
    let kept = map.keys().len();
    assert_eq!(kept, map.len());
}

/// A sweep that cannot decide at once keeps others waiting, and what comes back was never away.
#[test]
fn an_entry_in_doubt_is_waited_for() {
    let map = Map::new(1);
    put(&map, "a", 1).unwrap();
    let (asked, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let looks = Cell::new(0);
    scope(|scope| {
        let (map, asked, answered) = (&map, &asked, &answered);
        let once_asked = || {
            while !asked.load(Ordering::Acquire) {
                yield_now();
            }
        };
        let reader = scope.spawn(move || {
            once_asked();
            let found = map.get("a");
            answered.fetch_add(1, Ordering::Release);
            found
        });
        let lister = scope.spawn(move || {
            once_asked();
            let keys = map.keys();
            answered.fetch_add(1, Ordering::Release);
            keys
        });
        let idle = |_: &Arc<u32>| {
            looks.set(looks.get() + 1);
            if looks.get() < 3 {
                return true;
            }
            // The entry is out of the table. Whoever asks now may wait, but not be told that there is none.
            asked.store(true, Ordering::Release);
            for _ in 0..1_000 {
                if answered.load(Ordering::Acquire) == 2 {
                    break;
                }
                yield_now();
            }
            false
        };
        assert_eq!(add(map, "b", 2, idle), Lookup::Full(()));
        assert_eq!(reader.join().unwrap(), Some(Arc::new(1)));
        assert_eq!(lister.join().unwrap(), ["a"]);
    });
}
