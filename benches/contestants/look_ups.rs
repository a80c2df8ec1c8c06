//! Instances that are not one for the whole process: replaceable, one a key, one a name. What is found is read, and let go.

use super::{Base, Budget, Contestant, Group, contestant};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use lifecycle::{singleton, singletons};
use std::any::Any;
use std::sync::{Arc, LazyLock};

pub(super) static GROUPS: &[Group] = &[
    Group {
        operation: "swap read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[singleton(swap)]`, counted", |_, _| Limits::current().most),
            contestant!("`ArcSwap` in a static, `load`", |_, _| LIMITS.load().most),
        ],
        gives: Some(|_| MOST),
        budget: Some(Budget::OverBase(90)),
    },
    Group {
        operation: "keyed get by `&str`",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[singleton(keyed)]`, counted", |peers, _| {
                table(&peers.look_ups.name).rows
            }),
            contestant!("`DashMap<String, Arc<T>>`, get and clone", |peers, _| {
                dash_table(&peers.look_ups.tables, &peers.look_ups.name).map_or(0, |table| table.rows)
            }),
        ],
        gives: Some(|_| MOST),
        budget: Some(Budget::OverBase(235)),
    },
    Group {
        operation: "get by name",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `singletons().get`, unlimited, counted", |peers, _| {
                by_name(&peers.look_ups.name).map_or(0, |table| table.rows)
            }),
            contestant!("`DashMap<String, Arc<dyn Any>>`, get, clone, downcast", |peers, _| {
                dash_by_name(&peers.look_ups.by_name, &peers.look_ups.name).map_or(0, |table| table.rows)
            }),
            contestant!("**lifecycle** the same, a declared singleton", |peers, _| {
                by_name(&peers.look_ups.declared).map_or(0, |table| table.rows)
            }),
        ],
        gives: Some(|_| MOST),
        budget: Some(Budget::OverBase(370)),
    },
];

/// What the look-ups need at hand.
#[derive(Debug)]
pub struct LookUps {
    tables: DashMap<String, Arc<Table>>,
    by_name: DashMap<String, Arc<dyn Any + Send + Sync>>,
    /// What is looked for; it is not known when this is compiled.
    name: String,
    /// The name of a declared one.
    declared: String,
}

impl Default for LookUps {
    fn default() -> Self {
        let core = singletons();
        // The limit that holds unless it is removed is for wires, not for loops like this.
        let _ = core.set_rate_limit(None);
        let all = LookUps {
            tables: DashMap::new(),
            by_name: DashMap::new(),
            name: name(500),
            declared: "declared_table".to_owned(),
        };
        for number in 0..NAMES {
            let name = name(number);
            table(&name);
            let _ = core.set(&name, Table { rows: MOST });
            all.tables.insert(name.clone(), Arc::new(Table { rows: MOST }));
            all.by_name.insert(name, Arc::new(Table { rows: MOST }));
        }
        declared_table();
        all
    }
}

/// So many are in each map.
const NAMES: u64 = 1000;

fn name(number: u64) -> String {
    format!("table-{number:05}")
}

const MOST: u64 = 7;

// ---- Replaceable

#[singleton(swap, factory = || Limits { most: MOST })]
#[derive(Debug)]
struct Limits {
    most: u64,
}

static LIMITS: LazyLock<ArcSwap<Limits>> = LazyLock::new(|| ArcSwap::from_pointee(Limits { most: MOST }));

// ---- By key and by name

#[derive(Debug)]
struct Table {
    rows: u64,
}

#[singleton(keyed)]
fn table(_name: &str) -> Table {
    Table { rows: MOST }
}

#[singleton]
fn declared_table() -> Table {
    Table { rows: MOST }
}

#[inline(always)]
fn dash_table(tables: &DashMap<String, Arc<Table>>, name: &str) -> Option<Arc<Table>> {
    tables.get(name).map(|found| found.clone())
}

#[inline(always)]
fn by_name(name: &str) -> Option<lifecycle::Instance<Table>> {
    singletons().get::<Table>(name).ok().flatten()
}

#[inline(always)]
fn dash_by_name(all: &DashMap<String, Arc<dyn Any + Send + Sync>>, name: &str) -> Option<Arc<Table>> {
    all.get(name).map(|found| found.clone()).and_then(|found| found.downcast().ok())
}
