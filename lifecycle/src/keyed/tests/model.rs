//! The map against the plainest one that does the same: a list.

use super::*;
use proptest::prelude::*;

const MAX: usize = 5;

#[derive(Debug, Clone)]
enum Step {
    Get(u8),
    GetOrInsert(u8),
    Put(u8),
    Hold(u8),
    Release(u8),
    Remove(u8),
    Clear,
    News,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..9_u8;
    prop_oneof![
        3 => key.clone().prop_map(Step::Get),
        9 => key.clone().prop_map(Step::GetOrInsert),
        3 => key.clone().prop_map(Step::Put),
        3 => key.clone().prop_map(Step::Hold),
        3 => key.clone().prop_map(Step::Release),
        2 => key.prop_map(Step::Remove),
        1 => Just(Step::Clear),
        1 => Just(Step::News),
    ]
}

/// The list, in the order of insertion, and which values somebody holds.
#[derive(Default)]
struct Model {
    list: Vec<(String, u32)>,
    held: Vec<Arc<u32>>,
    /// The map knows of nothing idle; until it is told, it need not find all at once.
    searched: bool,
}

impl Model {
    fn at(&self, key: &str) -> Option<usize> {
        self.list.iter().position(|(known, _)| known == key)
    }

    fn is_idle(&self, value: u32) -> bool {
        !self.held.iter().any(|held| **held == value)
    }

    /// After an insertion into a full map: what is gone was idle, and something is.
    fn gave_up(&mut self, left: &[String]) {
        let (kept, gone) = std::mem::take(&mut self.list).into_iter().partition(|(key, _)| left.contains(key));
        self.list = kept;
        let gone: Vec<(String, u32)> = gone;
        assert!(!gone.is_empty());
        assert!(gone.iter().all(|(_, value)| self.is_idle(*value)), "{gone:?} was held");
    }
}

fn run(steps: Vec<Step>, key_of: impl Fn(u8) -> Box<dyn Fn(&Map, &Step, u32) -> Answer>) {
    let (map, mut model) = (Map::new(MAX), Model::default());
    for (value, step) in (0_u32..).zip(&steps) {
        let (Step::Get(key)
        | Step::GetOrInsert(key)
        | Step::Put(key)
        | Step::Hold(key)
        | Step::Release(key)
        | Step::Remove(key)) = step
        else {
            if matches!(step, Step::News) {
                map.idle_again();
                model.searched = false;
            } else {
                let cleared: Vec<u32> = map.clear().iter().map(|value| **value).collect();
                assert_eq!(cleared, model.list.drain(..).map(|(_, value)| value).collect::<Vec<_>>());
            }
            continue;
        };
        let name = format!("key {key}");
        let known = model.at(&name);
        let was = known.map(|at| model.list[at].1);
        let answer = if matches!(step, Step::Release(_)) { Answer::Nothing } else { key_of(*key)(&map, step, value) };
        match (step, answer) {
            (Step::Get(_), Answer::Value(found)) => assert_eq!(found.as_deref().copied(), was),
            (Step::Hold(_), Answer::Value(found)) => {
                assert_eq!(found.as_deref().copied(), was);
                model.held.extend(found);
            }
            (Step::Release(_), _) => {
                model.held.retain(|held| Some(**held) != was);
            }
            (Step::Remove(_), Answer::Value(removed)) => {
                assert_eq!(removed.as_deref().copied(), was);
                model.list.retain(|(known, _)| *known != name);
            }
            (Step::Put(_), Answer::Put(put)) => match known {
                Some(at) => {
                    assert_eq!(put, Ok(was));
                    model.list[at].1 = value;
                }
                None if model.list.len() == MAX => assert_eq!(put, Err(Full)),
                None => {
                    assert_eq!(put, Ok(None));
                    model.list.push((name, value));
                }
            },
            (Step::GetOrInsert(_), Answer::Lookup(lookup)) => match lookup {
                Lookup::Found(found) => assert_eq!(Some(*found), was),
                Lookup::Inserted(made) => {
                    assert_eq!((*made, was), (value, None));
                    if model.list.len() == MAX {
                        let mut left = map.keys();
                        assert_eq!(left.pop().as_ref(), Some(&name));
                        model.gave_up(&left);
                    }
                    model.list.push((name, value));
                }
                Lookup::Full(()) => {
                    assert_eq!((was, model.list.len()), (None, MAX));
                    let missed = model.list.iter().any(|(_, value)| model.is_idle(*value));
                    assert!(!missed || model.searched, "something was idle");
                    model.searched = true;
                }
            },
            (step, _) => unreachable!("{step:?}"),
        }
        let entries: Vec<_> = map.entries().into_iter().map(|(key, value)| (key, *value)).collect();
        assert_eq!(entries, model.list);
        assert_eq!(map.len(), model.list.len());
    }
}

enum Answer {
    Nothing,
    Value(Option<Arc<u32>>),
    Put(Result<Option<u32>, Full>),
    Lookup(Lookup<Arc<u32>>),
}

fn ask<Q: Query<String> + ?Sized>(map: &Map, query: &Q, step: &Step, value: u32) -> Answer {
    match step {
        Step::Put(_) => Answer::Put(map.update(query, |_| Some(Arc::new(value))).map(|old| old.map(|old| *old))),
        Step::GetOrInsert(_) => Answer::Lookup(map.get_or_insert_with(query, || Arc::new(value), unheld)),
        Step::Remove(_) => Answer::Value(map.remove(query)),
        _ => Answer::Value(map.get(query)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_map_does_what_a_list_does(steps in prop::collection::vec(step(), 1..80)) {
        run(steps.clone(), |key| Box::new(move |map, step, value| ask(map, format!("key {key}").as_str(), step, value)));
        // The same with all keys in one shard.
        run(steps, |key| Box::new(move |map, step, value| ask(map, &Alike(&format!("key {key}")), step, value)));
    }
}
