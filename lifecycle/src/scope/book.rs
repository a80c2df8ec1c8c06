//! What a world knows of its invocations: how many there were, which are under way, and when its clock was restored.

use super::{Scoped, StateRef, Universe};
use crate::clock::{ClockHandle, Moment};
use crate::waiters::{Place, Waiters};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// So much of an id is told of an invocation that does not end.
const TOLD_ID: usize = 100;

#[derive(Debug)]
pub(crate) struct Book {
    pub(super) clock: ClockHandle,
    begun: AtomicU64,
    active: AtomicUsize,
    /// Somebody wants to know when one ends.
    watched: AtomicBool,
    /// Snapshots this process woke up from: whoever measured time before one measures again.
    pub(super) restored: AtomicU64,
    /// The latest reading of the clock by which a wait was measured.
    measured: AtomicU64,
    /// By how much it had gone back at least, of all restores together.
    back: AtomicU64,
    /// Who is to be woken when it is restored, and when one that is watched ends.
    waiters: OnceLock<crate::sync::Arc<Waiters>>,
}

static BOOK: Scoped<Book> = Scoped::declared(Book::new(ClockHandle::System));

impl Book {
    const fn new(clock: ClockHandle) -> Self {
        Self {
            clock,
            begun: AtomicU64::new(0),
            active: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
            restored: AtomicU64::new(0),
            measured: AtomicU64::new(0),
            back: AtomicU64::new(0),
            waiters: OnceLock::new(),
        }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self::new(universe.clock())
    }

    /// That of the world this code runs in.
    pub(crate) fn in_force() -> StateRef<'static, Self> {
        BOOK.resolve(Self::in_universe)
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Those that have begun and not ended.
    pub(crate) fn active(&self) -> usize {
        // Sequentially consistent with `watch` and `ends`: either this sees the end, or the end sees who watches.
        self.active.load(Ordering::SeqCst)
    }

    /// Is it by that clock that this world goes?
    pub(crate) fn is_on(&self, clock: &ClockHandle) -> bool {
        self.clock.is(clock)
    }

    /// A wait on this world's clock goes on, by that reading.
    pub(crate) fn measured(&self, now: Moment) {
        self.measured.fetch_max(now.as_nanos(), Ordering::Relaxed);
    }

    /// By how much the clock has gone back at least, of all restores together.
    pub(crate) fn gone_back(&self) -> Duration {
        Duration::from_nanos(self.back.load(Ordering::Acquire))
    }

    /// The clock may read anything now: waits are measured again.
    pub(crate) fn restored(&self) {
        let now = self.clock.now().as_nanos();
        let step = self.measured.swap(now, Ordering::Relaxed).saturating_sub(now);
        let further = |back: u64| Some(back.saturating_add(step));
        _ = self.back.fetch_update(Ordering::AcqRel, Ordering::Relaxed, further);
        self.restored.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        if let Some(waiters) = self.waiters.get() {
            waiters.wake_all();
        }
    }

    /// A place among those who are woken when the clock is restored, and when an invocation that is watched ends.
    pub(crate) fn place(&self) -> Place {
        Place::new(self.waiters.get_or_init(Waiters::new))
    }

    /// From now on the end of every invocation is told.
    pub(crate) fn watch(&self) {
        self.watched.store(true, Ordering::SeqCst);
    }

    /// One begins. Gives its number, from 1.
    pub(super) fn begins(&self) -> u64 {
        self.active.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One ends.
    pub(super) fn ends(&self) {
        self.active.fetch_sub(1, Ordering::SeqCst);
        if self.watched.load(Ordering::SeqCst) {
            self.tell();
        }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The ids of those under way, but for some.
    pub(crate) fn under_way(&self, but: &[Arc<Tag>]) -> Vec<String> {
        // Out of the list's lock, before that of any tag.
        let all: Vec<Arc<Tag>> = rooms().all.iter().filter_map(Weak::upgrade).collect();
        let told = |tag: &Arc<Tag>| {
            let id = tag.id();
            (tag.is_in(self) && !but.iter().any(|one| Arc::ptr_eq(one, tag))).then(|| id.text())
        };
        all.iter().filter_map(told).collect()
    }

    /// Is none under way but some of those?
    pub(crate) fn is_quiet_but(&self, but: &[Arc<Tag>]) -> bool {
        let active = self.active();
        active == 0 || active <= but.iter().filter(|tag| tag.is_in(self)).count()
    }
}

/// What others see of an invocation's room: whose invocation is in it. Rooms are used again, so this is on the list once, and an
/// invocation that begins writes only here.
#[derive(Debug, Default)]
pub(crate) struct Tag {
    /// The address of its world's book; 0 while none is under way.
    book: AtomicUsize,
    id: Mutex<Shown>,
}

/// The beginning of an id, kept without room of its own.
#[derive(Debug)]
struct Shown {
    length: usize,
    bytes: [u8; TOLD_ID],
}

impl Default for Shown {
    fn default() -> Self {
        Self { length: 0, bytes: [0; TOLD_ID] }
    }
}

impl Shown {
    fn set(&mut self, id: &str) {
        self.length = match id.len() {
            all @ ..=TOLD_ID => all,
            _ => (0..=TOLD_ID).rev().find(|at| id.is_char_boundary(*at)).unwrap_or(0),
        };
        if let (Some(room), Some(shown)) = (self.bytes.get_mut(..self.length), id.as_bytes().get(..self.length)) {
            room.copy_from_slice(shown);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes.get(..self.length).unwrap_or_default()).into_owned()
    }
}

struct Rooms {
    all: Vec<Weak<Tag>>,
    /// With so many, look for some that are gone.
    many: usize,
}

static ROOMS: Mutex<Rooms> = Mutex::new(Rooms { all: Vec::new(), many: 64 });

fn rooms() -> MutexGuard<'static, Rooms> {
    ROOMS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tag {
    pub(super) fn listed() -> Arc<Self> {
        let tag = Arc::<Self>::default();
        let mut rooms = rooms();
        if rooms.all.len() >= rooms.many {
            rooms.all.retain(|room| room.strong_count() > 0);
            rooms.many = rooms.all.len().saturating_mul(2).max(64);
        }
        rooms.all.push(Arc::downgrade(&tag));
        tag
    }

    fn id(&self) -> MutexGuard<'_, Shown> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.book.load(Ordering::Acquire) != 0
    }

    fn is_in(&self, book: &Book) -> bool {
        self.book.load(Ordering::Acquire) == book.key()
    }

    pub(super) fn begins(&self, id: &str, book: &Book) {
        let mut shown = self.id();
        shown.set(id);
        self.book.store(book.key(), Ordering::Release);
    }

    /// Before its book is told, so that who counts both counts too many rather than too few.
    pub(super) fn ends(&self) {
        self.book.store(0, Ordering::Release);
    }
}
