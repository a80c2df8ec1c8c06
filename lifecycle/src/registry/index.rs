//! The list of components, and the way from a name to them. Made anew when a component turns up that is not on it, which is
//! seldom: the link-time list is complete but for what the linker lost.

use super::{Component, Kind, Listed};
use foldhash::fast::FixedState;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What there is at one moment.
pub(super) struct Index {
    pub(super) all: Arc<[Component]>,
    /// By kind.
    named: [Named; KINDS],
    /// Components that had been used when it was made.
    used: usize,
}

const KINDS: usize = Kind::Flag as usize + 1;

/// The components of one kind. The names are the program's own, so the hash need not withstand anybody.
#[derive(Default)]
struct Named {
    names: HashMap<&'static str, Vec<Component>, FixedState>,
    paths: HashMap<String, Vec<Component>, FixedState>,
}

impl Index {
    /// The components of a short name; where there are none, those of a path.
    #[inline]
    pub(super) fn named(&self, kind: Kind, name: &str) -> &[Component] {
        let named = &self.named[kind as usize];
        named.names.get(name).or_else(|| named.paths.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// Components that were used, in that order, and their addresses; most of them are on the link-time list too.
struct Used {
    order: Vec<Component>,
    known: Option<HashSet<usize>>,
}

static USED: Mutex<Used> = Mutex::new(Used { order: Vec::new(), known: None });
static COUNT: AtomicUsize = AtomicUsize::new(0);
static INDEX: Mutex<Option<Arc<Index>>> = Mutex::new(None);

thread_local! {
    /// The index as this thread saw it last: a look-up by name is a load and a comparison away from it, and writes nothing that
    /// others read.
    static SEEN: RefCell<Option<Arc<Index>>> = const { RefCell::new(None) };
}

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

/// What `look` makes of the list as it is now. It is this crate's own code.
#[inline]
pub(super) fn with<R>(look: impl Fn(&Index) -> R) -> R {
    let used = COUNT.load(Ordering::Acquire);
    let seen = SEEN.try_with(|seen| {
        let seen = seen.try_borrow().ok()?;
        seen.as_deref().filter(|index| index.used == used).map(&look)
    });
    match seen {
        Ok(Some(found)) => found,
        _ => look(&present(used)),
    }
}

/// The index with so many used ones, or more; made if there is none.
#[cold]
#[inline(never)]
fn present(used: usize) -> Arc<Index> {
    let index = {
        let mut kept = INDEX.lock().unwrap_or_else(PoisonError::into_inner);
        let present = kept.clone().filter(|present| present.used >= used);
        let index = present.unwrap_or_else(|| Arc::new(renewed(kept.as_deref(), used)));
        *kept = Some(index.clone());
        index
    };
    // Not while this thread looks at it, nor while its thread-locals are destroyed: then the next look comes this way too.
    _ = SEEN.try_with(|seen| seen.try_borrow_mut().map(|mut seen| seen.replace(index.clone())));
    index
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
    let mut named: [Named; KINDS] = Default::default();
    for component in &all {
        let descriptor = component.descriptor();
        let named = &mut named[descriptor.kind as usize];
        named.names.entry(descriptor.name()).or_default().push(*component);
        named.paths.entry(descriptor.path()).or_default().push(*component);
    }
    Index { all: all.into(), named, used }
}
