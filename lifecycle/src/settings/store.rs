//! What `configure` said, for the components that ask for it later, and what was found wrong: the process's, or the test
//! world's own. Its locks are leaves: nothing is called while one is held, so a component may ask under its own.

use super::options::ComponentSettings;
use super::problem::{Problem, Source};
use super::table::{Entry, Settings};
use crate::name::key_of;
use crate::registry::Descriptor;
use crate::scope::{Scoped, StateRef};
use crate::sync::Mutex;
use crate::telemetry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Problems kept for `verify`. There are as many as there are mistakes, unless names are made up at run time.
const MOST_PROBLEMS: usize = 256;

/// What a component can be meant by, the least specific first: the name, the path, and for `fetch[acme]` those of `fetch`
/// before its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    names: Vec<String>,
    /// So many of them are those of all keys.
    of_all_keys: usize,
}

impl Names {
    pub(crate) fn of(descriptor: &Descriptor) -> Self {
        let (name, path) = (descriptor.name(), descriptor.path());
        let mut names = Vec::with_capacity(4);
        if let Some((base, _)) = key_of(name) {
            names.push(base.to_owned());
            names.push(format!("{}{base}", path.strip_suffix(name).unwrap_or_default()));
            names.dedup();
        }
        let of_all_keys = names.len();
        names.push(name.to_owned());
        names.push(path);
        names.dedup();
        Self { names, of_all_keys }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Those that are not of all keys.
    pub(super) fn own(&self) -> impl Iterator<Item = &str> {
        self.iter().skip(self.of_all_keys)
    }

    /// Name and path for messages. All keys of one component share them where nothing is said of one of them, so that as many
    /// keys are not as many messages.
    pub(super) fn shown(&self, itself: bool) -> (&str, &str) {
        let (of_all, own) = self.names.split_at(self.of_all_keys);
        let names = if itself || of_all.is_empty() { own } else { of_all };
        (names.first().map_or("", String::as_str), names.last().map_or("", String::as_str))
    }
}

/// What is said by name.
pub(super) type Layer = BTreeMap<String, Entry>;

/// One world's.
#[derive(Debug)]
pub(crate) struct Store {
    configured: Mutex<Option<Arc<Layer>>>,
    problems: Mutex<Vec<Arc<Noted>>>,
    /// There are problems that nobody was told of.
    untold: AtomicBool,
}

/// A problem, held by the layers it is with: it goes with the last of them, be they put right or dropped.
#[derive(Debug)]
pub(super) struct Noted {
    problem: Problem,
    /// A variable that is wrong is so for all, and stays so.
    stays: bool,
    told: AtomicBool,
}

impl Noted {
    /// Has anybody the problem? One that was dropped with it is known all the same, so that its like is not told again.
    fn holds(self: &Arc<Self>) -> bool {
        self.stays || Arc::strong_count(self) > 1
    }
}

static STORE: Scoped<Store> = Scoped::declared(Store::new());

/// The store of one world, kept by what belongs there: it is asked wherever the component is used from, and after its world has
/// ended still says what was said last.
#[derive(Debug, Clone)]
pub(crate) struct Home(StateRef<'static, Store>);

impl Home {
    /// The world that this runs in.
    pub(crate) fn here() -> Self {
        Self(store())
    }

    /// Not a test world.
    pub(super) fn is_process(&self) -> bool {
        matches!(self.0, StateRef::Process(_))
    }

    /// Tells of the problems that were noted since the last time, each once. Not to be called under a lock.
    pub(crate) fn tell(&self) {
        if !self.untold.swap(false, Ordering::Acquire) {
            return;
        }
        let mut untold = Vec::new();
        for one in self.problems.lock().iter() {
            if !one.told.swap(true, Ordering::Relaxed) {
                untold.push(one.problem.clone());
            }
        }
        for problem in untold {
            telemetry::settings_ignored(&problem);
        }
    }
}

impl std::ops::Deref for Home {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}

/// The store that is meant where this is called.
pub(super) fn store() -> StateRef<'static, Store> {
    STORE.resolve(|_| Store::new())
}

impl Store {
    const fn new() -> Self {
        Self { configured: Mutex::new(None), problems: Mutex::new(Vec::new()), untold: AtomicBool::new(false) }
    }

    /// What `configure` said last.
    pub(super) fn configured(&self) -> Option<Arc<Layer>> {
        self.configured.lock().clone()
    }

    /// Puts another layer in place of the one there was, which is given back. What was wrong with a name that is said no more is no
    /// problem, also of a component that nobody tells.
    pub(super) fn replace(&self, settings: Settings) -> Option<Arc<Layer>> {
        let new = Some(settings.0).filter(|names| !names.is_empty()).map(Arc::new);
        let is_said = |name: &str| new.as_ref().is_some_and(|new| new.contains_key(name));
        self.problems
            .lock()
            .retain(|one| one.holds() && (one.problem.source != Source::Configured || is_said(&one.problem.name)));
        std::mem::replace(&mut *self.configured.lock(), new)
    }

    /// Keeps what is wrong with the environment, which stays so.
    pub(super) fn note(&self, found: Vec<Problem>) {
        if !found.is_empty() {
            let mut noted = self.problems.lock();
            found.into_iter().for_each(|problem| drop(self.add(&mut noted, problem, true)));
        }
    }

    /// Keeps what is wrong with the layers over a component, in place of what was wrong with them `before`. Whose layers they are
    /// keeps what comes back for as long as it is so.
    pub(super) fn note_layers(&self, before: Vec<Arc<Noted>>, found: Vec<Problem>) -> Vec<Arc<Noted>> {
        let mut noted = self.problems.lock();
        let now = found.into_iter().filter_map(|problem| match before.iter().find(|one| one.problem == problem) {
            Some(known) => Some(self.keep(&mut noted, known.clone())),
            None => self.add(&mut noted, problem, false),
        });
        let now: Vec<_> = now.collect();
        // What was put right is told when it comes up again.
        let right: Vec<_> = before.into_iter().filter(|one| !now.iter().any(|now| Arc::ptr_eq(now, one))).collect();
        let is_right = |one: &Arc<Noted>| right.iter().any(|right| Arc::ptr_eq(right, one));
        // In `noted` and in `right`.
        noted.retain(|one| one.stays || !is_right(one) || Arc::strong_count(one) > 2);
        now
    }

    fn add(&self, noted: &mut Vec<Arc<Noted>>, problem: Problem, stays: bool) -> Option<Arc<Noted>> {
        if let Some(known) = noted.iter().find(|one| one.problem == problem && one.stays == stays) {
            return Some(known.clone());
        }
        if noted.len() >= MOST_PROBLEMS {
            noted.retain(Noted::holds);
        }
        let new = Arc::new(Noted { problem, stays, told: AtomicBool::new(false) });
        (noted.len() < MOST_PROBLEMS).then(|| {
            self.untold.store(true, Ordering::Release);
            self.keep(noted, new)
        })
    }

    fn keep(&self, noted: &mut Vec<Arc<Noted>>, one: Arc<Noted>) -> Arc<Noted> {
        if !noted.iter().any(|known| Arc::ptr_eq(known, &one)) {
            noted.push(one.clone());
        }
        one
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().iter().filter(|one| one.holds()).map(|one| one.problem.clone()).collect()
    }
}

/// What a layer says of a component.
pub(super) fn part<S: ComponentSettings>(layer: &Layer, names: &Names) -> Option<S> {
    let parts = names.iter().filter_map(|name| S::part(layer.get(name)?));
    parts.fold(None, |settings: Option<S>, part| Some(settings.unwrap_or_default().merged(part)))
}
