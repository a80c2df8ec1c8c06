//! One invocation: what it knows of itself, and what lives for it.

use super::book::{Book, Tag};
use super::{OverrideList, StateRef};
use crate::clock::Moment;
use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

/// An id that took more room is given back with its invocation.
const KEPT_ID: usize = 256;

/// Until when an invocation has to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// `None`: so long after it began.
    pub(crate) at: Option<SystemTime>,
    /// No more than that is ever left.
    pub(crate) most: Duration,
}

/// A limit on the clock of its invocation.
#[derive(Debug)]
struct Deadline {
    /// `None`: beyond the end of the calendar.
    at: Option<SystemTime>,
    most: Duration,
    /// In nanoseconds of the clock.
    until: AtomicU64,
    /// How often the process had been restored when that was found.
    restored: AtomicU64,
}

impl Deadline {
    fn new(limit: Limit, book: &Book) -> Self {
        let restored = book.restored.load(Ordering::Relaxed);
        let at = limit.at.or_else(|| book.clock.wall().checked_add(limit.most));
        let deadline = Self { at, most: limit.most, until: AtomicU64::new(0), restored: AtomicU64::new(restored) };
        deadline.find(book);
        deadline
    }

    fn find(&self, book: &Book) {
        let left = |at: SystemTime| at.duration_since(book.clock.wall()).unwrap_or_default();
        let left = self.at.map_or(self.most, left).min(self.most);
        self.until.store(book.clock.now().after(left).as_nanos(), Ordering::Relaxed);
    }

    fn remaining(&self, book: &Book) -> Duration {
        let restored = book.restored.load(Ordering::Relaxed);
        // Who finds that another thread measured finds what it measured, too.
        if self.restored.load(Ordering::Acquire) != restored {
            self.find(book);
            self.restored.store(restored, Ordering::Release);
        }
        Moment::from_nanos(self.until.load(Ordering::Relaxed)).since(book.clock.now())
    }
}

/// The end of something that lives for an invocation, where it has to be awaited.
pub(crate) type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A component's part in one invocation.
pub(crate) trait Resident: Send + Sync {
    /// Its instance's place in the order of storing.
    fn order(&self) -> Option<u64>;
    /// The invocation is over: the instance's hook runs, and it goes. No panic comes out of this.
    fn leave(self: Arc<Self>) -> Option<Leaving>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Parts by the address of their component.
type Residents = Vec<(usize, Arc<dyn Resident>)>;

/// An invocation.
pub(crate) struct InvocationState {
    id: String,
    /// From 1.
    number: u64,
    book: Option<StateRef<'static, Book>>,
    began: Moment,
    limit: Option<Limit>,
    deadline: Option<Deadline>,
    ended: AtomicBool,
    /// Sorted.
    residents: Mutex<Residents>,
    overrides: OnceLock<Arc<OverrideList>>,
    tag: Arc<Tag>,
}

thread_local! {
    /// The rooms of invocations that ended on this thread and that nobody holds: the next ones are told in them.
    static SPARE: RefCell<Vec<Arc<InvocationState>>> = const { RefCell::new(Vec::new()) };
}

/// Rooms that a thread keeps: for those that go on in turns, and those inside others.
const KEPT_ROOMS: usize = 8;

fn spare_room() -> Option<Arc<InvocationState>> {
    SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten()
}

fn keep_room(room: Arc<InvocationState>) {
    _ = SPARE.try_with(|spare| {
        // A room holds nothing of the user's: what goes here runs no code of theirs.
        let mut rooms = spare.borrow_mut();
        if rooms.len() < KEPT_ROOMS {
            rooms.push(room);
        }
    });
}

impl InvocationState {
    fn empty() -> Self {
        Self {
            id: String::new(),
            number: 0,
            book: None,
            began: Moment::from_nanos(0),
            limit: None,
            deadline: None,
            ended: AtomicBool::new(false),
            residents: Mutex::default(),
            overrides: OnceLock::new(),
            tag: Tag::listed(),
        }
    }

    /// One that has not begun.
    pub(crate) fn new(id: &str, limit: Option<Limit>) -> Arc<Self> {
        Self::with(id, limit, |_| ())
    }

    /// One that begins here and now.
    pub(crate) fn begun(id: &str, limit: Option<Limit>) -> Arc<Self> {
        Self::with(id, limit, Self::begin_now)
    }

    fn with(id: &str, limit: Option<Limit>, and: impl FnOnce(&mut Self)) -> Arc<Self> {
        let mut this = spare_room().unwrap_or_else(|| Arc::new(Self::empty()));
        // Spare ones are nobody's.
        if let Some(state) = Arc::get_mut(&mut this) {
            state.id.push_str(id);
            state.limit = limit;
            and(state);
        }
        this
    }

    /// It begins, here and now. Nobody else has it yet.
    pub(crate) fn begin(this: &mut Arc<Self>) {
        if let Some(state) = Arc::get_mut(this) {
            state.begin_now();
        }
    }

    fn begin_now(&mut self) {
        let book = Book::in_force();
        self.number = book.begins();
        self.tag.begins(&self.id, &book);
        // Right to a microsecond, and cheaper than a deadline needs.
        self.began = book.clock.quick();
        self.deadline = self.limit.map(|limit| Deadline::new(limit, &book));
        self.book = Some(book);
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.book.as_ref().map_or(Duration::ZERO, |book| book.clock.now().since(self.began))
    }

    /// When it began, for display.
    pub(crate) fn started(&self) -> SystemTime {
        let wall = self.book.as_ref().map_or_else(SystemTime::now, |book| book.clock.wall());
        wall.checked_sub(self.elapsed()).unwrap_or(wall)
    }

    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.as_ref().zip(self.book.as_ref()).map(|(deadline, book)| deadline.remaining(book))
    }

    /// What others see of it.
    pub(crate) fn tag(&self) -> &Arc<Tag> {
        &self.tag
    }

    /// Not over yet: also while what lived for it goes, whose hooks are a part of it.
    pub(crate) fn is_under_way(&self) -> bool {
        self.tag.is_under_way()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// What stands in for components here, once something does.
    pub(crate) fn overrides(&self) -> Option<&Arc<OverrideList>> {
        self.overrides.get()
    }

    pub(crate) fn overrides_or_new(&self) -> &Arc<OverrideList> {
        self.overrides.get_or_init(Arc::default)
    }

    fn residents(&self) -> MutexGuard<'_, Residents> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of component `key`, if it has one.
    pub(crate) fn find<R: Resident + 'static>(&self, key: usize) -> Option<Arc<R>> {
        let residents = self.residents();
        let at = residents.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let found = residents.get(at).map(|(_, found)| Arc::clone(found))?;
        drop(residents);
        typed(found)
    }

    /// The part of component `key`, made if there is none; `None` once the invocation has ended. `make` is this crate's own code
    /// and takes no lock.
    pub(crate) fn find_or_make<R: Resident + 'static>(
        &self,
        key: usize,
        make: impl FnOnce() -> Arc<R>,
    ) -> Option<Arc<R>> {
        let mut residents = self.residents();
        match residents.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => {
                let found = Arc::clone(&residents.get(at)?.1);
                drop(residents);
                typed(found)
            }
            Err(_) if self.has_ended() => None,
            Err(at) => {
                let made = make();
                residents.insert(at, (key, Arc::clone(&made) as Arc<dyn Resident>));
                Some(made)
            }
        }
    }

    /// From now on nothing more is made for it. Gives what was, the newest last: it goes from there.
    pub(crate) fn finish(&self) -> Vec<Arc<dyn Resident>> {
        let residents = self.residents();
        if self.ended.swap(true, Ordering::AcqRel) || residents.is_empty() {
            return Vec::new();
        }
        let all: Vec<_> = residents.iter().map(|(_, resident)| Arc::clone(resident)).collect();
        drop(residents);
        // One that is still being made has no place yet: it goes first.
        let mut all: Vec<_> = all.into_iter().map(|one| (one.order().unwrap_or(u64::MAX), one)).collect();
        all.sort_by_key(|(order, _)| *order);
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// It is over. Its room is kept for another one, if nobody else holds it.
    pub(crate) fn over(mut this: Arc<Self>) {
        if let Some(book) = &this.book {
            this.tag.ends();
            book.ends();
        }
        // Each resident owns a share of this.
        if Arc::get_mut(&mut this).is_none() {
            let gone = std::mem::take(&mut *this.residents());
            drop(gone);
        }
        let Some(state) = Arc::get_mut(&mut this) else { return };
        if state.id.capacity() > KEPT_ID {
            return;
        }
        state.id.clear();
        (state.book, state.deadline) = (None, None);
        *state.ended.get_mut() = false;
        state.overrides.take();
        keep_room(this);
    }
}

/// Nothing of it is seen half-changed after a panic: what changes does so under its lock, and clocks are only asked.
impl std::panic::RefUnwindSafe for InvocationState {}

fn typed<R: Resident + 'static>(found: Arc<dyn Resident>) -> Option<Arc<R>> {
    found.into_any().downcast().ok()
}

impl std::fmt::Debug for InvocationState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invocation").field("id", &self.id).field("number", &self.number).finish_non_exhaustive()
    }
}
