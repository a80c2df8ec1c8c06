//! Keys that have something instead while there is no room: when they get it, and when they leave it.

use super::*;
use std::cell::RefCell;

/// What is asked of it, and whether that is under the lock of the key's shard.
struct Watched<'a> {
    map: &'a Map,
    key: &'static str,
    past: Option<u32>,
    asked: RefCell<Vec<&'static str>>,
}

impl Watched<'_> {
    fn under_the_lock(&self, what: &'static str) {
        let shards = self.map.shards();
        assert!(shards.shard(shards.hash(self.key)).is_locked(), "{what}");
        assert_eq!(self.map.get(self.key), None, "{what}: nobody has found it yet");
        self.asked.borrow_mut().push(what);
    }
}

impl NoRoom<Arc<u32>> for Watched<'_> {
    type Instead = u32;
    type Past = u32;

    fn past(&self, _: Option<&Arc<u32>>) -> Option<u32> {
        self.past
    }

    fn begin(&self, value: &Arc<u32>, past: u32) {
        self.under_the_lock("begin");
        assert_eq!((**value, past), (7, 5));
    }

    fn instead(&self) -> u32 {
        self.under_the_lock("instead");
        9
    }
}

#[test]
fn what_keys_have_instead_is_given_and_left_under_the_lock() {
    let map = Map::new(1);
    put(&map, "first", 1).unwrap();
    let get = |key, past, idle: bool| {
        let watched = Watched { map: &map, key, past, asked: RefCell::default() };
        map.idle_again();
        let got = map.get_or_insert_or(key, || Arc::new(7), |_| idle, &watched);
        (got, watched.asked.into_inner())
    };
    assert_eq!(get("second", Some(5), false), (Lookup::Full(9), vec!["instead"]));
    // It cannot leave: nothing is made for it, and nothing is given up.
    assert_eq!(get("second", None, true), (Lookup::Full(9), vec!["instead"]));
    assert_eq!(map.keys(), ["first"]);
    assert_eq!(get("second", Some(5), true), (Lookup::Inserted(Arc::new(7)), vec!["begin"]));
    assert_eq!((map.keys(), map.len()), (vec!["second".to_owned()], 1));
}

#[test]
fn nothing_is_given_up_that_somebody_has_whatever_the_caller_thinks_of_it() {
    let map = Map::new(1);
    put(&map, "held", 1).unwrap();
    let held = map.get("held").unwrap();
    let weak = Arc::downgrade(&held);
    assert_eq!(add(&map, "other", 2, |_| true), Lookup::Full(()));
    drop(held);
    map.idle_again();
    assert_eq!(add(&map, "other", 2, |_| true), Lookup::Full(()), "it can be taken up again");
    assert_eq!(weak.upgrade().as_deref(), Some(&1));
    drop(weak);
    map.idle_again();
    assert!(matches!(add(&map, "other", 2, |_| true), Lookup::Inserted(_)));
}
