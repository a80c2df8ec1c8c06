//! What is installed on this thread right now: one stack of entries, each removed by its id in any order.
//!
//! Entries are shared owners, never pointers with "restore the previous one": dropping an outer guard before an inner one is
//! legal and only takes the outer entry away.

use super::{Frame, InvocationState, OverrideList, Raised, Universe};
use crate::sync::thread_static;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

/// One thing that can be installed.
#[derive(Clone)]
pub(crate) enum Entry {
    Universe(Arc<Universe>),
    /// The factory that is running here.
    Frame(Arc<Frame>),
    /// The factory a captured context came from; it may be over by now.
    CapturedFrame(Weak<Frame>),
    /// The overrides of the thread a captured context came from.
    Overrides(Arc<OverrideList>),
    Correlation(Arc<str>),
    Invocation(Arc<InvocationState>),
    /// The singleton with this key is to be made anew.
    Renew(usize),
    /// A shutdown hook runs here; the key of the phase whose shutdown waits for it.
    Hook(usize),
}

impl Entry {
    /// A correlation id and a hook change no look-up, and an invocation only those of what lives for one: none slows the process.
    fn slows(&self) -> bool {
        !matches!(self, Self::Correlation(_) | Self::Invocation(_) | Self::Hook(_))
    }
}

struct Current {
    next_id: u64,
    entries: Vec<(u64, Entry)>,
    /// Overrides installed on this thread outside any universe.
    own_overrides: Option<Arc<OverrideList>>,
    /// Somebody else may hold `own_overrides` (a guard, a captured context), so this thread is not at home.
    own_hides: bool,
}

impl Current {
    const EMPTY: Self = Self { next_id: 0, entries: Vec::new(), own_overrides: None, own_hides: false };

    fn hide_own(&mut self) {
        if !std::mem::replace(&mut self.own_hides, true) {
            crate::counter::installed(true);
        }
    }
}

/// Brings this thread home again when the last guard of its own overrides is gone: guards may end on another thread, so it is
/// the slow path that notices.
pub(crate) fn look_again() {
    _ = CURRENT.try_with(|current| {
        let mut current = current.borrow_mut();
        let shared = current.own_overrides.as_ref().is_some_and(|list| Arc::strong_count(list) > 1);
        if current.own_hides && !shared {
            current.own_hides = false;
            crate::counter::installed(false);
        }
    });
}

thread_static! {
    static CURRENT: RefCell<Current> = RefCell::new(Current::EMPTY);
}

/// Reads the stack. Gives `None` where the thread is being torn down: nothing is installed there any more.
fn read<R>(f: impl FnOnce(&Current) -> Option<R>) -> Option<R> {
    CURRENT.try_with(|current| f(&current.borrow())).ok().flatten()
}

/// Keeps an entry installed on this thread.
pub(crate) struct Installed {
    id: Option<u64>,
    _raised: Option<Raised>,
    /// The entry is in this thread's stack.
    _not_send: PhantomData<*const ()>,
}

/// Installs `entry` on this thread until the guard goes.
pub(crate) fn install(entry: Entry) -> Installed {
    let raised = entry.slows().then(Raised::new);
    if matches!(entry, Entry::Universe(_)) {
        // Flags are read without a look at `SLOW`: from now on they send their readers the slow way.
        #[cfg(not(loom))]
        crate::flag::hide_all();
    }
    if raised.is_some() {
        crate::counter::installed(true);
    }
    let id = CURRENT.try_with(|current| {
        let mut current = current.borrow_mut();
        current.next_id += 1;
        let id = current.next_id;
        current.entries.push((id, entry));
        id
    });
    Installed { id: id.ok(), _raised: raised, _not_send: PhantomData }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self._raised.is_some() {
            crate::counter::installed(false);
        }
        let Some(id) = self.id else { return };
        let removed = CURRENT.try_with(|current| {
            let mut current = current.borrow_mut();
            let at = current.entries.iter().rposition(|(entry, _)| *entry == id)?;
            Some(current.entries.remove(at))
        });
        // Outside the borrow: an entry may be the last owner of user values.
        drop(removed);
    }
}

/// The entries that count here, the innermost first, down to and including the innermost universe: entering a universe
/// hides everything installed outside it but the running factory.
fn visible<R>(current: &Current, mut pick: impl FnMut(&Entry) -> Option<R>) -> Option<R> {
    for (_, entry) in current.entries.iter().rev() {
        if let Some(found) = pick(entry) {
            return Some(found);
        }
        if matches!(entry, Entry::Universe(_)) {
            return None;
        }
    }
    None
}

/// The innermost universe.
pub(crate) fn universe() -> Option<Arc<Universe>> {
    read(|current| {
        visible(current, |entry| match entry {
            Entry::Universe(universe) => Some(universe.clone()),
            _ => None,
        })
    })
}

/// The factory on whose behalf this code runs.
pub(crate) fn frame() -> Option<Arc<Frame>> {
    read(|current| {
        current.entries.iter().rev().find_map(|(_, entry)| match entry {
            Entry::Frame(frame) => Some(frame.clone()),
            Entry::CapturedFrame(frame) => frame.upgrade(),
            _ => None,
        })
    })
}

/// All factories on whose behalf this code runs, the innermost first: when this thread blocks, each of them does. A captured
/// context may have put another thread's frame on top of this thread's own, so the innermost does not stand for the rest.
pub(crate) fn frames() -> Vec<Arc<Frame>> {
    let all = |current: &Current| {
        let frames = current.entries.iter().rev().filter_map(|(_, entry)| match entry {
            Entry::Frame(frame) => Some(frame.clone()),
            Entry::CapturedFrame(frame) => frame.upgrade(),
            _ => None,
        });
        Some(frames.collect())
    };
    read(all).unwrap_or_default()
}

/// Is this code part of a hook that the shutdown with this key waits for? Of whatever world it is: waiting is waiting.
#[cfg(not(loom))]
pub(crate) fn in_hook(key: usize) -> bool {
    let is_it = |(_, entry): &(u64, Entry)| matches!(entry, Entry::Hook(of) if *of == key);
    read(|current| Some(current.entries.iter().any(is_it))).unwrap_or_default()
}

/// The correlation id in force: one that was given, or the id of the invocation.
pub(crate) fn correlation_id() -> Option<String> {
    read(|current| {
        visible(current, |entry| match entry {
            Entry::Correlation(id) => Some(id.to_string()),
            Entry::Invocation(invocation) => Some(invocation.id().to_owned()),
            _ => None,
        })
    })
}

/// The innermost invocation, as it is seen by what lives no longer than it: the factory of what lasts as long as the process sees
/// none. Which one happened to ask for it, or drives its future, is nothing that the value may depend on.
pub(crate) fn invocation() -> Option<Arc<InvocationState>> {
    match asker() {
        Asker::Invocation(invocation) => Some(invocation),
        Asker::Process(_) | Asker::Nobody => None,
    }
}

/// All invocations that this code is a part of, the innermost first.
pub(crate) fn invocations() -> Vec<Arc<InvocationState>> {
    let mut all = Vec::new();
    _ = read(|current| {
        visible(current, |entry| {
            if let Entry::Invocation(invocation) = entry {
                all.push(invocation.clone());
            }
            None::<()>
        })
    });
    all
}

/// Those of them that are inside the innermost running factory. Who is around that one waits for it, and may cease to.
#[cfg(not(loom))]
pub(crate) fn inner_invocations() -> Vec<Arc<InvocationState>> {
    let mut all = Vec::new();
    _ = read(|current| {
        visible(current, |entry| match entry {
            Entry::Invocation(invocation) => {
                all.push(invocation.clone());
                None
            }
            Entry::Frame(_) => Some(()),
            Entry::CapturedFrame(frame) => (frame.strong_count() > 0).then_some(()),
            _ => None,
        })
    });
    all
}

/// On whose behalf something is asked for that lives for an invocation.
pub(crate) enum Asker {
    /// The invocation this code runs in.
    Invocation(Arc<InvocationState>),
    /// A factory, inside that invocation or none, whose value lives as long as the process.
    Process(Arc<Frame>),
    Nobody,
}

/// Who asks here for what lives for an invocation.
pub(crate) fn asker() -> Asker {
    let asker = read(|current| {
        visible(current, |entry| match entry {
            Entry::Invocation(invocation) => Some(Asker::Invocation(invocation.clone())),
            Entry::Frame(frame) if frame.lasts => Some(Asker::Process(frame.clone())),
            Entry::CapturedFrame(frame) => frame.upgrade().filter(|frame| frame.lasts).map(Asker::Process),
            _ => None,
        })
    });
    asker.unwrap_or(Asker::Nobody)
}

/// The singleton that is to be made anew here.
pub(crate) fn renewing() -> Option<usize> {
    read(|current| {
        visible(current, |entry| match entry {
            Entry::Renew(key) => Some(*key),
            _ => None,
        })
    })
}

/// The override list of the innermost universe or captured context.
fn installed_overrides() -> Option<Arc<OverrideList>> {
    read(|current| {
        visible(current, |entry| match entry {
            Entry::Overrides(list) => Some(list.clone()),
            Entry::Universe(universe) => Some(universe.overrides().clone()),
            _ => None,
        })
    })
}

/// The override list in force, if there is one.
pub(crate) fn overrides() -> Option<Arc<OverrideList>> {
    installed_overrides().or_else(|| read(|current| current.own_overrides.clone()))
}

/// The override list in force, this thread's own when nothing is installed. `None` while the thread is torn down.
pub(super) fn overrides_or_new() -> Option<Arc<OverrideList>> {
    installed_overrides().or_else(|| {
        CURRENT
            .try_with(|current| {
                let mut current = current.borrow_mut();
                current.hide_own();
                current.own_overrides.get_or_insert_default().clone()
            })
            .ok()
    })
}

/// What a captured context takes along: the universe, the overrides, and in the order of their installation the invocations (all:
/// who waits for one of them keeps those around it waiting, too), the correlation id, the shutdown hooks and, weakly, the running
/// factory.
pub(super) fn capture() -> Vec<Entry> {
    let mut entries = Vec::new();
    match universe() {
        Some(universe) => entries.push(Entry::Universe(universe)),
        None => {
            // From now on an override may be installed here from elsewhere.
            _ = CURRENT.try_with(|current| {
                let mut current = current.borrow_mut();
                if current.own_overrides.is_some() {
                    current.hide_own();
                }
            });
            entries.extend(overrides().map(Entry::Overrides));
        }
    }
    let outside = entries.len();
    let (mut correlation, mut frame) = (false, false);
    _ = read(|current| {
        let mut hidden = false;
        for (_, entry) in current.entries.iter().rev() {
            let taken = match entry {
                Entry::Universe(_) => {
                    hidden = true;
                    continue;
                }
                Entry::Invocation(invocation) if !hidden => {
                    entries.push(Entry::Invocation(invocation.clone()));
                    continue;
                }
                Entry::Hook(key) => {
                    entries.push(Entry::Hook(*key));
                    continue;
                }
                Entry::Correlation(_) if !hidden => &mut correlation,
                // A world hides no factory that runs around it.
                Entry::Frame(_) => &mut frame,
                Entry::CapturedFrame(captured) if captured.strong_count() > 0 => &mut frame,
                _ => continue,
            };
            if !std::mem::replace(taken, true) {
                entries.push(match entry {
                    Entry::Frame(frame) => Entry::CapturedFrame(Arc::downgrade(frame)),
                    other => other.clone(),
                });
            }
        }
        Some(())
    });
    entries[outside..].reverse();
    entries
}
