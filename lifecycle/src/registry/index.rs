//! The list of components, and the way from a name to them. Made anew when a component turns up that is not on it, which is
//! seldom: the link-time list is complete but for what the linker lost.

use super::{Component, Kind, Listed};
use arc_swap::{ArcSwapOption, Guard};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What there is at one moment.
pub(super) struct Index {
    pub(super) all: Arc<[Component]>,
    names: HashMap<(Kind, String), Vec<Component>>,
    paths: HashMap<(Kind, String), Vec<Component>>,
    /// Components that had been used when it was made.
    used: usize,
}

impl Index {
    /// The components of a short name; where there are none, those of a path.
    pub(super) fn named(&self, kind: Kind, name: &str) -> &[Component] {
        let key = (kind, name.to_owned());
        self.names.get(&key).or_else(|| self.paths.get(&key)).map_or(&[], Vec::as_slice)
    }
}

/// Components that were used, in that order, and their addresses; most of them are on the link-time list too.
struct Used {
    order: Vec<Component>,
    known: Option<HashSet<usize>>,
}

static USED: Mutex<Used> = Mutex::new(Used { order: Vec::new(), known: None });
static COUNT: AtomicUsize = AtomicUsize::new(0);
static INDEX: ArcSwapOption<Index> = ArcSwapOption::const_empty();

fn address(component: &Component) -> usize {
    std::ptr::from_ref(component.descriptor()).addr()
}

/// Puts a component on the list on its first use. Called at most a few times a component.
pub(crate) fn register(component: Component) {
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    if used.known.get_or_insert_default().insert(address(&component)) {
        used.order.push(component);
        COUNT.store(used.order.len(), Ordering::Release);
    }
}

/// The list as it is now.
pub(super) fn current() -> Arc<Index> {
    let present: Guard<Option<Arc<Index>>> = INDEX.load();
    let used = COUNT.load(Ordering::Acquire);
    match &*present {
        Some(index) if index.used == used => index.clone(),
        present => {
            let made = Arc::new(renewed(present.as_deref(), used));
            INDEX.store(Some(made.clone()));
            made
        }
    }
}

fn renewed(present: Option<&Index>, used: usize) -> Index {
    let newly: Vec<Component> = {
        let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        used.order.iter().skip(present.map_or(0, |present| present.used)).copied().collect()
    };
    let mut all: Vec<Component> = match present {
        Some(present) => present.all.to_vec(),
        None => inventory::iter::<Listed>.into_iter().map(|listed| listed.0).collect(),
    };
    all.extend(newly);
    all.sort_by_key(address);
    all.dedup_by_key(|component| address(component));
    all.sort_by_cached_key(|component| {
        let descriptor = component.descriptor();
        (descriptor.kind, descriptor.module, descriptor.file, descriptor.line, descriptor.name().to_owned())
    });
    let (mut names, mut paths) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
    for component in &all {
        let descriptor = component.descriptor();
        names.entry((descriptor.kind, descriptor.name().to_owned())).or_default().push(*component);
        paths.entry((descriptor.kind, descriptor.path())).or_default().push(*component);
    }
    Index { all: all.into(), names, paths, used }
}
