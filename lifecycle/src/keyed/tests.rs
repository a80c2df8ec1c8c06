mod model;
mod no_room;
mod queries;
mod threads;

use super::query::ByValue;
use super::*;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Map = KeyedMap<String, Arc<u32>>;

fn add(map: &Map, key: &str, value: u32, idle: impl Fn(&Arc<u32>) -> bool) -> Lookup<Arc<u32>> {
    map.get_or_insert_with(key, || Arc::new(value), idle)
}

fn put(map: &Map, key: &str, value: u32) -> Result<Option<u32>, Full> {
    map.update(key, |_| Some(Arc::new(value))).map(|old| old.map(|old| *old))
}

fn unheld(value: &Arc<u32>) -> bool {
    Arc::strong_count(value) == 1
}

/// A key that falls into the same shard as all its like.
struct Alike<'a>(&'a str);

impl Query<String> for Alike<'_> {
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        state.write_u8(0);
    }
    fn is(&self, key: &String) -> bool {
        self.0 == key
    }
    fn to_key(&self) -> String {
        self.0.to_owned()
    }
}

#[test]
fn entries_stand_in_the_order_of_insertion() {
    let map = Map::new(100);
    for (at, key) in ["e", "d", "c", "b", "a"].into_iter().enumerate() {
        assert_eq!(put(&map, key, at as u32), Ok(None));
    }
    assert_eq!(put(&map, "d", 9), Ok(Some(1)), "an overwritten key keeps its place");
    assert_eq!(map.keys(), ["e", "d", "c", "b", "a"]);
    assert_eq!(map.remove("c").as_deref(), Some(&2));
    assert_eq!(map.remove("c"), None);
    assert_eq!(map.len(), 4);
    let values: Vec<u32> = map.clear().into_iter().map(|value| *value).collect();
    assert_eq!(values, [0, 9, 3, 4]);
    assert_eq!((map.keys().len(), map.len()), (0, 0));
    assert!(matches!(add(&map, "c", 7, |_| false), Lookup::Inserted(_)));
    assert_eq!(map.entries(), [("c".to_owned(), Arc::new(7))]);
}

#[test]
fn the_bound_holds_over_all_shards() {
    let map = Map::new(50);
    for key in 0..200 {
        assert_eq!(put(&map, &key.to_string(), key), if key < 50 { Ok(None) } else { Err(Full) });
    }
    assert_eq!((map.keys().len(), map.len()), (50, 50));
    assert_eq!(put(&map, "7", 0), Ok(Some(7)), "a known key is overwritten in a full map");
    assert_eq!(add(&map, "7", 1, |_| false), Lookup::Found(Arc::new(0)));
    assert_eq!(add(&map, "new", 1, |_| false), Lookup::Full(()));
    assert_eq!(put(&map, "new", 1), Err(Full));
    assert_eq!(map.remove("7").as_deref(), Some(&0));
    assert_eq!(put(&map, "new", 1), Ok(None), "a removed key leaves its place");
    map.clear();
    assert!(matches!(add(&map, "newer", 1, |_| false), Lookup::Inserted(_)), "clearing gives all places back");
}

#[test]
fn an_update_sees_the_value_and_decides() {
    let map = Map::new(2);
    let add_one = |old: Option<&Arc<u32>>| Some(Arc::new(old.map_or(0, |old| **old) + 1));
    for _ in 0..3 {
        map.update("n", add_one).unwrap();
    }
    assert_eq!(map.get("n").as_deref(), Some(&3));
    assert_eq!(map.update("n", |_| None).unwrap().as_deref(), Some(&3));
    assert_eq!((map.update("n", |old| old.map(Arc::clone)), map.len()), (Ok(None), 0));
}

#[test]
fn what_is_read_is_not_cloned_and_what_is_taken_out_is_alone() {
    let map = Map::new(2);
    put(&map, "a", 1).unwrap();
    assert_eq!(map.read("a", Arc::strong_count), Some(1));
    assert_eq!(map.read("b", Arc::strong_count), None);
    put(&map, "b", 2).unwrap();
    let replaced = map.update("a", |_| Some(Arc::new(2))).unwrap().unwrap();
    let removed = map.remove("a").unwrap();
    let cleared = map.clear().pop().unwrap();
    assert_eq!([replaced, removed, cleared].map(|one| Arc::strong_count(&one)), [1; 3]);
}

#[test]
fn a_full_map_gives_up_idle_entries_that_nobody_holds() {
    let idle = |value: &Arc<u32>| **value % 2 == 0 && unheld(value);
    let map = Map::new(4);
    for key in 0..4 {
        add(&map, &key.to_string(), key, idle);
    }
    let held = map.get("0").unwrap();
    assert!(matches!(add(&map, "more", 5, idle), Lookup::Inserted(_)));
    assert_eq!(map.keys(), ["0", "1", "3", "more"]);
    assert_eq!(add(&map, "too many", 5, idle), Lookup::Full(()));
    drop(held);
    map.idle_again();
    assert!(matches!(add(&map, "again", 5, idle), Lookup::Inserted(_)));
    assert_eq!(map.keys(), ["1", "3", "more", "again"]);
}

fn filled(keys: u32) -> Map {
    let map = Map::new(keys as usize);
    for key in 0..keys {
        add(&map, &key.to_string(), key, |_| false);
    }
    map
}

#[test]
fn a_flood_of_keys_on_a_full_map_costs_few_looks_and_makes_nothing() {
    let map = filled(1024);
    let looks = Cell::new(0_usize);
    for key in 0..10_000 {
        let idle = |_: &Arc<u32>| {
            looks.set(looks.get() + 1);
            false
        };
        let found = map.get_or_insert_with(format!("stranger {key}").as_str(), || unreachable!(), idle);
        assert_eq!(found, Lookup::Full(()));
    }
    assert!(looks.get() <= 33 * 10_000, "{} looks", looks.get());
}

#[test]
fn after_a_flood_what_became_idle_gives_way() {
    let map = filled(512);
    assert_eq!(add(&map, "stranger", 0, |_| false), Lookup::Full(()));
    map.idle_again();
    assert!(matches!(add(&map, "at once, when told", 1, |value| **value == 7), Lookup::Inserted(_)));
    assert_eq!(add(&map, "stranger", 0, |_| false), Lookup::Full(()));
    // Untold: each refusal looks at another one of the 16 shards.
    let refused = (0..16).take_while(|_| add(&map, "untold", 0, |value| **value == 8) == Lookup::Full(())).count();
    assert!(refused < 16, "{refused}");
    assert_eq!(map.len(), 512);
}

#[test]
fn what_a_reader_is_at_is_not_given_up() {
    let map = Map::new(2);
    let insert = |key| map.get_or_insert_with(&Alike(key), || Arc::new(0), unheld);
    insert("kept");
    let kept = map.read(&Alike("kept"), |value| {
        // The reader's table is not the present one any more.
        let Lookup::Inserted(held) = insert("held") else { panic!("there is room") };
        assert_eq!(insert("stranger"), Lookup::Full(()));
        assert_eq!(map.keys(), ["kept", "held"]);
        drop(held);
        value.clone()
    });
    map.idle_again();
    assert!(matches!(insert("stranger"), Lookup::Inserted(_)), "the other one was idle");
    assert!(Arc::ptr_eq(&kept.unwrap(), &map.get(&Alike("kept")).unwrap()));
    assert_eq!(map.keys(), ["kept", "stranger"]);
}

#[test]
fn the_last_place_goes_to_one_of_two_who_make_the_same() {
    let map = Map::new(1);
    let mut inner = None;
    let outer = map.get_or_insert_with(
        "a",
        || {
            inner = Some(add(&map, "a", 1, |_| false));
            Arc::new(2)
        },
        |_| false,
    );
    assert_eq!((inner, outer), (Some(Lookup::Inserted(Arc::new(1))), Lookup::Found(Arc::new(1))));
    assert_eq!(map.len(), 1);
}

#[test]
fn a_make_that_panics_leaves_its_place_free() {
    let map = Map::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        map.get_or_insert_with("a", || panic!("planted"), |_| false);
    }));
    assert!(panicked.is_err());
    assert!(matches!(add(&map, "b", 1, |_| false), Lookup::Inserted(_)));
}

#[test]
fn keys_that_collide_fill_no_more_than_one_small_table() {
    let map = Map::new(65_536);
    for key in 0..CROWD {
        assert!(matches!(
            map.get_or_insert_with(&Alike(&key.to_string()), Arc::default, |_| false),
            Lookup::Inserted(_)
        ));
    }
    assert_eq!(map.get_or_insert_with(&Alike("more"), || unreachable!(), |_| false), Lookup::Full(()));
    assert_eq!(map.update(&Alike("more"), |_| Some(Arc::default())), Err(Full));
    assert!(matches!(map.get_or_insert_with(&Alike("more"), Arc::default, unheld), Lookup::Inserted(_)));
    assert!(matches!(add(&map, "honest", 1, |_| false), Lookup::Inserted(_)));
    let shards = |max_keys| Shards::<u32, u32>::new(max_keys).all.len();
    assert_eq!(
        [0, 1, 512, 545, 3000, 65_536, 1 << 30, usize::MAX].map(shards),
        [16, 16, 16, 32, 128, 2048, 65_536, 65_536]
    );
}

thread_local! {
    /// What comparing keys does.
    static ON_EQ: Cell<fn()> = const { Cell::new(|| ()) };
    static REACHED: KeyedMap<(Touchy,), Arc<u32>> = const { KeyedMap::new(8) };
}

#[derive(Clone)]
struct Touchy(u32);

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        ON_EQ.replace(|| ())();
        self.0 == other.0
    }
}
impl Eq for Touchy {}
impl std::hash::Hash for Touchy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(0);
    }
}

#[test]
fn keys_that_panic_when_compared_or_use_the_map_do_no_harm() {
    REACHED.with(|map| {
        let key = Touchy(1);
        let query = &(ByValue(&key),);
        let other = Touchy(2);
        let get = |value: u32| map.get_or_insert_with(query, || Arc::new(value), |_| false);
        get(1);
        let uses: [&dyn Fn(); 5] = [
            &|| drop(get(2)),
            &|| drop(map.get(query)),
            &|| drop(map.update(query, |_| Some(Arc::new(3)))),
            &|| drop(map.remove(query)),
            &|| drop(map.get_or_insert_with(&(ByValue(&other),), || Arc::new(3), |_| false)),
        ];
        for one in uses {
            ON_EQ.set(|| panic!("planted"));
            assert!(catch_unwind(AssertUnwindSafe(one)).is_err());
            assert_eq!(map.get(query).as_deref(), Some(&1));
            // All shards are reached: a lock still held would hang here.
            ON_EQ.set(|| REACHED.with(|map| drop((map.entries(), map.clear()))));
            one();
            map.clear();
            assert_eq!(get(1), Lookup::Inserted(Arc::new(1)));
        }
    });
}

#[test]
fn a_value_may_use_the_map_while_it_is_dropped() {
    struct Reenters(Arc<KeyedMap<String, Arc<Self>>>, u32);
    impl Drop for Reenters {
        fn drop(&mut self) {
            // Every shard is reached, and its lock: one still held would hang here.
            for key in 0..12 {
                let _ = self.0.update(key.to_string().as_str(), |old| old.map(Arc::clone));
            }
            self.0.entries();
        }
    }
    let map = Arc::new(KeyedMap::new(8));
    let put = |key: u32| map.update(key.to_string().as_str(), |_| Some(Arc::new(Reenters(map.clone(), key))));
    (0..8).for_each(|key| drop(put(key)));
    drop(put(0));
    assert!(put(8).is_err());
    assert!(put(9).is_err());
    let made = || Arc::new(Reenters(map.clone(), 9));
    assert!(matches!(map.get_or_insert_with("9", made, |value| value.1 == 2), Lookup::Inserted(_)));
    // The loser's value, and one whose last owner is a reader.
    map.remove("3");
    map.get_or_insert_with(
        "3",
        || {
            drop(put(3));
            made()
        },
        |_| false,
    );
    map.read("4", |_| drop(map.remove("4")));
    assert_eq!(map.clear().len(), 7);
}
