//! What `configure` said, for the components that ask for it later, and what was found wrong: the process's, or the test
//! world's own. Its locks are leaves: nothing is called while one is held, so a component may ask under its own.

use super::options::ComponentSettings;
use super::problem::Problem;
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
    problems: Mutex<Vec<Noted>>,
    /// There are problems that nobody was told of.
    untold: AtomicBool,
}

#[derive(Debug)]
struct Noted {
    /// The component over which layers do not go together; a variable is wrong for all.
    owner: Option<String>,
    problem: Problem,
    told: bool,
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
        for one in self.problems.lock().iter_mut().filter(|one| !one.told) {
            one.told = true;
            untold.push(one.problem.clone());
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

    /// Puts another layer in place of the one there was, which is given back.
    pub(super) fn replace(&self, settings: Settings) -> Option<Arc<Layer>> {
        let new = Some(settings.0).filter(|names| !names.is_empty()).map(Arc::new);
        std::mem::replace(&mut *self.configured.lock(), new)
    }

    /// Keeps what is wrong with the environment, which stays so.
    pub(super) fn note(&self, found: Vec<Problem>) {
        if !found.is_empty() {
            self.add(&mut self.problems.lock(), None, found);
        }
    }

    /// Keeps what is wrong with the layers over a component, in place of what was wrong with them before.
    pub(super) fn note_layers(&self, owner: &str, found: Vec<Problem>) {
        let mut noted = self.problems.lock();
        noted.retain(|one| one.owner.as_deref() != Some(owner) || found.contains(&one.problem));
        self.add(&mut noted, Some(owner), found);
    }

    fn add(&self, noted: &mut Vec<Noted>, owner: Option<&str>, found: Vec<Problem>) {
        for problem in found {
            let known = noted.iter().any(|one| one.owner.as_deref() == owner && one.problem == problem);
            if !known && noted.len() < MOST_PROBLEMS {
                noted.push(Noted { owner: owner.map(str::to_owned), problem, told: false });
                self.untold.store(true, Ordering::Release);
            }
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().iter().map(|one| one.problem.clone()).collect()
    }
}

/// What a layer says of a component.
pub(super) fn part<S: ComponentSettings>(layer: &Layer, names: &Names) -> Option<S> {
    let parts = names.iter().filter_map(|name| S::part(layer.get(name)?));
    parts.fold(None, |settings: Option<S>, part| Some(settings.unwrap_or_default().merged(part)))
}
