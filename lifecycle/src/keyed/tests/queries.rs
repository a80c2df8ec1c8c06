use super::super::query::{ByRef, ByValue, Query};
use super::super::{KeyedMap, Lookup, Shards};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn hash_of<K, Q: Query<K> + ?Sized>(shards: &Shards<K, ()>, query: &Q) -> u64 {
    shards.hash(query)
}

#[test]
fn queries_of_the_same_key_hash_alike() {
    let shards = Shards::<String, ()>::new(1);
    let owned = "name".to_owned();
    let hash = hash_of(&shards, "name");
    assert_eq!(hash, hash_of(&shards, &owned));
    assert_eq!(hash, hash_of(&shards, &"name"));
    assert_ne!(hash, hash_of(&shards, "nam"));
    assert_ne!(hash, hash_of(&Shards::<String, ()>::new(1), "name"), "each map has a seed of its own");
    let shards = Shards::<(String, u32), ()>::new(1);
    let by_ref = hash_of(&shards, &(ByRef::<str>("name"), ByValue(&1)));
    assert_eq!(by_ref, hash_of(&shards, &(ByValue(&owned), ByValue(&1))));
}

#[test]
fn parts_do_not_run_into_each_other() {
    let shards = Shards::<(String, String), ()>::new(1);
    let hash = |one, two| hash_of(&shards, &(ByRef::<str>(one), ByRef::<str>(two)));
    assert_ne!(hash("ab", "c"), hash("a", "bc"));
}

#[test]
fn every_number_and_kind_of_arguments_finds_its_key() {
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    enum Region {
        North,
        South,
    }
    type Key = (String, u32, Region, PathBuf, Vec<u8>, Option<char>, bool, Arc<str>);
    let map: KeyedMap<Key, Arc<u32>> = KeyedMap::new(8);
    let (share, path) = (Arc::from("share"), Path::new("/tmp"));
    let query = |name, number, region| {
        let (name, bytes) = (ByRef::<str>(name), ByRef::<[u8]>(&[1, 2]));
        (name, ByValue(number), ByRef(region), ByRef(path), bytes, ByValue(&Some('x')), ByValue(&true), ByValue(&share))
    };
    map.get_or_insert_with(&query("a", &1, &Region::North), || Arc::new(7), |_| false);
    assert_eq!(map.get(&query("a", &1, &Region::North)).as_deref(), Some(&7));
    assert_eq!(map.get(&query("b", &1, &Region::North)), None);
    assert_eq!(map.get(&query("a", &2, &Region::North)), None);
    assert_eq!(map.get(&query("a", &1, &Region::South)), None);
    let key = query("a", &1, &Region::North).to_key();
    // Without the help of hashes: each part counts.
    let is = |name, number, region| query(name, number, region).is(&key);
    assert!(is("a", &1, &Region::North));
    assert!(!is("b", &1, &Region::North) && !is("a", &2, &Region::North) && !is("a", &1, &Region::South));
    assert_eq!(map.keys(), [key]);

    let one: KeyedMap<(u32,), Arc<u32>> = KeyedMap::new(1);
    let found = one.get_or_insert_with(&(ByValue(&3),), || Arc::new(4), |_| false);
    assert_eq!((found, one.keys()), (Lookup::Inserted(Arc::new(4)), vec![(3,)]));
}
