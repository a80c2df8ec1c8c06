//! `#[singleton]` in every form: types and functions, sync and async, kept and swapped, with every option and every hook.

#![forbid(unsafe_code)]
#![deny(warnings)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{Current, Health, Lazy, Singleton, SingletonError, singleton};
use std::future::{Future, Ready, ready};
use std::num::ParseIntError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);
const FIRST: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error("no database")]
    Missing,
    #[error(transparent)]
    Number(#[from] ParseIntError),
    #[error(transparent)]
    Singleton(#[from] SingletonError),
}

// Types

#[singleton(async_factory = Pool::connect)]
struct Pool {
    size: u8,
}

impl Pool {
    async fn connect() -> Self {
        ready(()).await;
        Self { size: 3 }
    }
}

#[singleton(async_factory = || ready(Built))]
struct Built;

#[singleton(async_factory = async || { ready(()).await; Closed(4) })]
struct Closed(u8);

#[singleton(try_async_factory = Parsed::parse)]
struct Parsed(u8);

impl Parsed {
    fn parse() -> impl Future<Output = Result<Self, ParseIntError>> + Send {
        ready("3".parse().map(Self))
    }
}

#[singleton(try_async_factory = || async { Err::<Broken, _>(anyhow::anyhow!("broken")) })]
#[derive(Debug)]
struct Broken;

#[singleton(swap, factory = || Limits { per_user: 10 })]
struct Limits {
    per_user: u32,
}

#[singleton(swap, eager)]
#[derive(Default)]
enum Mode {
    #[default]
    Quiet,
}

#[singleton(swap, try_factory = || "7".parse().map(Secret), refresh = "5m", retry_backoff = "100ms..10s")]
struct Secret(u8);

#[singleton(swap, async_factory = || async { Feed(1) })]
struct Feed(u8);

#[singleton(swap, try_async_factory = || async { "7".parse().map(Remote) }, refresh = LIMIT, on_change = |old, new| assert_ne!(old.0, new.0))]
struct Remote(u8);

#[test]
fn types() {
    isolated(|| {
        assert!(Pool::get().is_none());
        assert_eq!(block_on(Pool::instance()).size, 3);
        assert_eq!(block_on(Pool::try_instance()).map(|pool| pool.size).ok(), Some(3));
        assert!(Pool::get().is_some() && Pool::is_created());
        let _: &Built = block_on(Built::instance());
        assert_eq!(block_on(Closed::instance()).0, 4);
        assert_eq!(block_on(Parsed::try_instance()).map(|parsed| parsed.0).ok(), Some(3));
        let broken = block_on(Broken::try_instance()).map_err(|error| error.to_string());
        assert!(broken.is_err_and(|text| text.contains("broken")), "its name and its error");
    });
}

#[test]
fn swapped_types() {
    isolated(|| {
        assert!(Limits::get().is_none());
        let before: Current<Limits> = Limits::current();
        Limits::replace(Limits { per_user: 20 });
        assert_eq!((before.per_user, Limits::current().per_user), (10, 20));
        assert_eq!(Limits::try_current().map(|limits| limits.per_user).ok(), Some(20));
        assert!(matches!(*Mode::current(), Mode::Quiet));
        assert_eq!(Secret::try_current().map(|secret| secret.0).ok(), Some(7));
        assert_eq!((block_on(Feed::current()).0, Feed::get().map(|feed| feed.to_arc().0)), (1, Some(1)));
        assert_eq!(block_on(Remote::try_current()).map(|remote| remote.0).ok(), Some(7));
    });
}

// Functions

#[singleton]
async fn db() -> Pool {
    Pool::connect().await
}

#[singleton(init_timeout = LIMIT, name = "rich-db")]
async fn rich_db() -> Result<Vec<u32>, DbError> {
    if TRIES.fetch_add(1, Ordering::Relaxed) == 0 {
        return Err(DbError::Missing);
    }
    let number = "3".parse()?;
    ready(()).await;
    Ok(vec![number])
}

static TRIES: AtomicU32 = AtomicU32::new(0);

/// The value is made for the type that the signature says.
#[singleton]
async fn coerced() -> Box<dyn Fn(u8) -> u8 + Send + Sync> {
    let add: u8 = ready(1).await;
    Box::new(move |x| x + add)
}

#[singleton(swap)]
fn table() -> Vec<u8> {
    vec![1]
}

#[singleton(swap, retry_backoff = FIRST..LIMIT)]
fn parsed() -> Result<u8, DbError> {
    Ok("3".parse()?)
}

#[singleton(swap, retry_backoff = "1s")]
async fn fetched() -> Result<u8, DbError> {
    Ok(ready("3").await.parse()?)
}

/// An error that is not even `Debug`, of an async function.
struct Silent;

#[singleton]
async fn silent() -> Result<u8, Silent> {
    Err(Silent)
}

struct Holder;

impl Holder {
    #[singleton]
    async fn shared() -> Vec<u8> {
        Self::start().await
    }

    #[singleton(swap)]
    async fn tried() -> Result<u8, DbError> {
        let start = Self::start().await;
        let text = start.first().map(ToString::to_string).ok_or(DbError::Missing)?;
        Ok(text.parse()?)
    }

    #[singleton(swap)]
    fn swapped() -> Vec<u8> {
        vec![Self::number()]
    }

    #[singleton]
    async fn plain() -> u8 {
        ready(6).await
    }

    fn start() -> Ready<Vec<u8>> {
        ready(vec![4])
    }

    fn number() -> u8 {
        5
    }
}

#[test]
fn functions() {
    isolated(|| {
        TRIES.store(0, Ordering::Relaxed);
        assert_eq!(block_on(db()).size, 3);
        assert!(matches!(block_on(rich_db()), Err(DbError::Missing)), "not kept");
        assert_eq!(block_on(rich_db()).ok(), Some(&vec![3]));
        assert_eq!(block_on(coerced())(1), 2);
        let numbers: Current<Vec<u8>> = table();
        assert_eq!((numbers.len(), parsed().ok().map(|number| *number)), (1, Some(3)));
        assert_eq!(block_on(fetched()).ok().map(|number| *number), Some(3));
        assert!(block_on(silent()).is_err());
        assert_eq!((block_on(Holder::shared()), block_on(Holder::plain())), (&vec![4], &6));
        assert_eq!(block_on(Holder::tried()).ok().map(|number| *number), Some(4));
        assert_eq!(*Holder::swapped(), [5]);
    });
}

#[singleton(depends_on(STATIC, Holder::tried))]
async fn needy() -> Result<u8, DbError> {
    Ok(STATIC.len().try_into().unwrap_or(0))
}

#[singleton]
static STATIC: Lazy<Vec<u8>> = vec![1, 2];

/// A function is known by its item, before it was ever called: sync, async, associated, nested.
#[test]
fn functions_have_handles() {
    #[singleton]
    async fn nested() -> u8 {
        1
    }
    isolated(|| {
        let known = [
            lifecycle::handle(db).map(|handle| handle.name()).ok(),
            lifecycle::handle(rich_db).map(|handle| handle.name()).ok(),
            lifecycle::handle(table).map(|handle| handle.name()).ok(),
            lifecycle::handle(fetched).map(|handle| handle.name()).ok(),
            lifecycle::handle(needy).map(|handle| handle.name()).ok(),
            lifecycle::handle(nested).map(|handle| handle.name()).ok(),
            lifecycle::handle(Holder::plain).map(|handle| handle.name()).ok(),
            lifecycle::handle(Holder::tried).map(|handle| handle.name()).ok(),
            lifecycle::handle(Holder::swapped).map(|handle| handle.name()).ok(),
        ];
        let names = ["db", "rich-db", "table", "fetched", "needy", "nested", "plain", "tried", "swapped"];
        assert_eq!(known, names.map(Some));
        assert_eq!((block_on(needy()).ok(), block_on(nested())), (Some(&2), &1));
        assert!(lifecycle::handle(nested).is_ok_and(|handle| handle.is_created()));
    });
}

/// What `eager` and `depends_on` say arrives.
#[test]
fn eager_ones_are_warmed_up() {
    isolated(|| {
        assert!(Mode::get().is_none() && Whole::get().is_none());
        let warm = block_on(lifecycle::warm_up());
        assert!(Mode::get().is_some() && Whole::get().is_some(), "{warm:?}");
    });
}

/// Checklist B23: spawned by whoever likes, and small.
#[test]
fn futures_are_send_and_small() {
    fn send<T: Send + 'static>(future: T) -> usize {
        size_of_val(&future)
    }
    let sizes = [
        send(db()),
        send(rich_db()),
        send(fetched()),
        send(Holder::tried()),
        send(Pool::instance()),
        send(Parsed::try_instance()),
        send(Remote::try_current()),
    ];
    assert!(sizes.iter().all(|size| *size <= 64), "{sizes:?}");
}

// Hooks, in each of their shapes

#[derive(Default)]
struct Hooked {
    closed: AtomicU32,
}

impl Hooked {
    fn close(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn try_close(&self) -> Result<(), std::fmt::Error> {
        self.close();
        Ok(())
    }

    async fn close_async(&self) {
        self.close();
    }

    async fn try_close_async(&self) -> Result<(), String> {
        self.close();
        Ok(())
    }

    fn bytes(&self) -> usize {
        3
    }

    async fn ping(&self) -> Result<u8, DbError> {
        Err(DbError::Missing)
    }
}

#[singleton(shutdown = Hooked::close, on_retire = Hooked::close, reset = Hooked::close, pressure = Hooked::close, health = |_| true, memory = Hooked::bytes)]
fn plain_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = Hooked::try_close, reset = Hooked::try_close, pressure = Hooked::bytes, health = |hooked| hooked.try_close().map(|()| 3), memory = |hooked| hooked.bytes() + 1)]
fn result_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = Hooked::close_async, health = Hooked::ping)]
async fn more_async_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = Hooked::close_async, health = Hooked::try_close, swap, on_change = |old, new| { old.close(); new.close(); })]
async fn async_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = Hooked::try_close_async, health = |_| async { Health::Up })]
fn async_result_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = |hooked| async move { hooked.close(); Ok::<(), String>(()) }, reset = |hooked| { hooked.close(); Err("no") }, health = |_| Health::Degraded("slow".to_owned()))]
fn closure_hooks() -> Hooked {
    Hooked::default()
}

#[singleton(shutdown = |w: &Whole| w.0.close(), on_retire = drop_it, eager, init_timeout = "5s", depends_on(Pool, plain_hooks, crate::db, Holder::plain, "rich-db"))]
#[derive(Default)]
struct Whole(Hooked);

fn drop_it<T>(_: &T) {}

#[test]
fn hooks_of_every_shape_are_taken() {
    isolated(|| {
        plain_hooks().close();
        let _ = (
            result_hooks(),
            async_result_hooks(),
            closure_hooks(),
            Whole::instance(),
            block_on(async_hooks()),
            block_on(more_async_hooks()),
        );
        Whole::replace(Whole::default());
        assert_eq!(Whole::instance().0.closed.load(Ordering::Relaxed), 0);
    });
}
