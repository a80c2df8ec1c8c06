//! The attribute macros of the `lifecycle` crate. Depend on that one: it re-exports them.
//!
//! This file only dispatches. Each macro is a folder of `args` (what may be written) -> `model` (what it means) -> `check`
//! (what cannot be) -> `expand` (what comes out); documentation that is long is there, too, in `docs.md`.

mod circuit_breaker;
mod entry;
mod errors;
mod flag_value;
mod guarded_fn;
mod init_flag;
mod isolated_test;
mod item;
mod names;
mod options;
mod rate_limit;
mod runtime;
mod singleton;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_broken;

use proc_macro::TokenStream;

/// One lazy instance of a type, or of what a function makes.
///
/// Created on first use, once across all threads; after an error or a panic the next caller tries again. A creation that needs
/// itself is an error with the path of the circle. The instance lives as long as the process: for values that expire use a
/// cache.
///
/// ```
/// use lifecycle::{Singleton, singleton};
///
/// #[singleton(try_factory = Config::load)] // Config::try_instance()? gives &'static Config
/// pub struct Config {
///     pub api: String,
/// }
///
/// impl Config {
///     fn load() -> Result<Self, std::env::VarError> {
///         Ok(Self { api: std::env::var("PATH")? })
///     }
/// }
///
/// #[singleton] // greeting() gives &'static String; the body runs once, on first use
/// fn greeting() -> String {
///     "hello".to_owned()
/// }
///
/// #[singleton] // words()? gives &'static usize; an error is the function's own, and is not kept
/// fn words() -> Result<usize, lifecycle::SingletonError> {
///     Ok(Config::try_instance()?.api.split(':').count())
/// }
///
/// assert_eq!(greeting(), "hello");
/// assert!(words().is_ok() && Config::is_created());
/// assert_eq!(Config::stats().asked_by.as_deref(), Some("words"));
/// ```
///
/// # What it gives
///
/// | on | gives |
/// | --- | --- |
/// | a type, with `factory` or its `Default` | `T::instance() -> &'static T`, `T::try_instance() -> Result<&'static T, SingletonError>` |
/// | a type, with `try_factory` | `T::try_instance()` |
/// | a type, with `async_factory` / `try_async_factory` | the same as `async fn`s |
/// | `fn db() -> T`, `async fn db() -> T` | `db()`, `db().await`: `&'static T` |
/// | `fn db() -> Result<T, E>`, `async fn` | `db()?`, `db().await?`: `Result<&'static T, E>` |
/// | a type or a function with `swap`, or with `scope = invocation` | `T::current()`, `T::try_current()`, `db()` give a [`Current<T>`] instead, which may be replaced, or goes with its invocation |
/// | `#[singleton(keyed)] fn table(name: &str, n: u32) -> T`, `async fn` | `table("users", 3)`: an `Arc<T>` for each combination of arguments |
/// | `#[singleton(keyed)] fn .. -> Result<T, E>`, `async fn` | `Result<Arc<T>, E>` |
/// | `static POOL: Lazy<T> = expr;`, or `= Lazy::new(\|\| expr)` | a [`Lazy<T>`], which is a `T` by `Deref` |
/// | `fn shared() -> Self`, `-> Result<Self, E>` in an `impl` | `&'static Self`; options other than `name` and async need the type's name |
///
/// Each type also gets `get()`, an `Option` that never creates and never waits. The trait `lifecycle::Singleton` has the rest:
/// `is_created`, `replace`, `delete`, `override_with`, `stats`; import it for them. What manages a function is
/// `lifecycle::handle(db)`, and `Lazy::replace(&POOL, ..)` and the like a static; both are also found by their name.
///
/// A creation that cannot be (it needs itself, it takes longer than `init_timeout`, the process shuts down) is an error where
/// there is a `Result`, and a panic with the same words where there is none. The error of a function is its own `E`: give it
/// `From<lifecycle::SingletonError>`, or such a refusal panics. `retry_backoff`, whose refusals are to be expected, insists on it.
///
/// An async creation belongs to nobody: it is driven by whoever waits for it, and who gives up waiting loses nothing. Its future
/// must be `Send`.
///
/// ```
/// use lifecycle::{Current, SingletonError, singleton};
/// # #[derive(Debug, thiserror::Error)]
/// # enum DbError { #[error(transparent)] Lifecycle(#[from] SingletonError) }
/// # pub struct Pool;
/// # impl Pool {
/// #     async fn connect(_: &str) -> Result<Self, DbError> { Ok(Self) }
/// #     async fn close(&self) {}
/// # }
/// # fn load() -> std::io::Result<Secret> { Ok(Secret { key: String::new() }) }
///
/// #[singleton(shutdown = Pool::close, init_timeout = "5s", retry_backoff = "100ms..10s")]
/// async fn db() -> Result<Pool, DbError> {
///     Pool::connect("postgres://localhost").await
/// }
///
/// #[singleton(swap, try_factory = load, refresh = "5m", eager)] // made anew by whoever asks 5 minutes later
/// pub struct Secret {
///     key: String,
/// }
///
/// # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
/// let pool: &'static Pool = db().await?;
/// let secret: Current<Secret> = Secret::try_current()?; // hold it briefly
/// # Ok(()) }
/// ```
///
/// # One instance for each key
///
/// With `keyed` the arguments are the key, each of them owned or behind a plain `&`, at most eight. What is owned is
/// `Hash + Eq + Clone`, what is referred to has an owned form (`ToOwned`) that is; patterns, `mut` and attributes are the
/// body's. Keys do not wait for each other. Beyond `max_keys` a new key gets an instance that nobody keeps.
///
/// ```
/// use lifecycle::singleton;
/// use std::sync::Arc;
///
/// #[singleton(keyed, max_keys = 100)]
/// fn table(name: &str, (rows, columns): (u32, u32)) -> Result<Vec<String>, String> {
///     if name.is_empty() { Err("no name".to_owned()) } else { Ok(vec![format!("{name}: {rows} x {columns}")]) }
/// }
///
/// let users = table("users", (3, 4))?;
/// assert!(Arc::ptr_eq(&users, &table("users", (3, 4))?)); // listed as `table[users, (3, 4)]`
/// assert!(table("", (0, 0)).is_err()); // not kept
/// # Ok::<(), String>(())
/// ```
///
/// # A static
///
/// What is managed about it are associated functions of [`Lazy`], so that nothing of the value is hidden.
///
/// ```
/// use lifecycle::{Lazy, singleton};
///
/// #[singleton(eager)]
/// static WORDS: Lazy<Vec<&'static str>> = "to be or not".split(' ').collect();
///
/// assert!(!Lazy::is_created(&WORDS));
/// assert_eq!(WORDS.len(), 4);
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `factory = path` or closure | makes the instance of a type | `Default::default` |
/// | `try_factory = ..` | the same, giving a `Result` | |
/// | `async_factory = ..`, `try_async_factory = ..` | the same, giving a future of these | |
/// | `eager` | `lifecycle::warm_up()` creates it | on first use |
/// | `swap` | it may be replaced: accessors give a `Current<T>`, and a replaced value is freed with its last holder | kept for ever |
/// | `refresh = "5m"` | with `swap`: made anew by the first to ask after that time; on an error the old one stays | |
/// | `keyed` | on a function with arguments: an instance for each value of them | |
/// | `max_keys = 1024` | with `keyed`: at most so many instances are kept | 1,024 |
/// | `init_timeout = "5s"` | how long a caller waits for a creation, once for each run of the factory, also where he asks by way of others that are tried again; what runs goes on, and who runs a synchronous factory itself is not interrupted | no limit |
/// | `retry_backoff = "100ms"`, `"100ms..10s"` | after an error, refuse to try again for that long; with `..` it doubles from error to error | at once |
/// | `depends_on(Config, db, POOL, "by name")` | what it uses without asking for it in its factory: types, functions, statics, names | what was seen |
/// | `scope = invocation` | each `lifecycle::invocation` has its own: accessors are `current` and `try_current` and give a `Current<T>`, which goes with the invocation, the newest first | `process` |
/// | `name = ".."` | its name in snapshots, events and look-ups | the name in snake_case |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
///
/// And hooks, each a path or a closure. They get a `&T`, and never run before there is an instance:
///
/// | hook | when | may return |
/// | --- | --- | --- |
/// | `shutdown` | `lifecycle::shutdown`, dependents first; with `scope = invocation` at its end, the newest first | nothing, a `Result<(), impl Display>`, or a future of these |
/// | `before_snapshot` | `lifecycle::before_snapshot`, the newest first | as `shutdown` |
/// | `after_restore` | `lifecycle::on_restore`, the oldest first | as `shutdown` |
/// | `reset` | `lifecycle::run_reset_hooks` | nothing, or a `Result<(), impl Display>` |
/// | `pressure` | memory is short | nothing, or the bytes it freed |
/// | `health` | the health report asks | a `lifecycle::Health`, a `bool`, a `Result<_, impl Display>`, or (without `swap`, `keyed` and `scope = invocation`) a future of these |
/// | `memory` | snapshots | its size in bytes |
/// | `on_retire` | the instance was replaced or deleted | nothing |
/// | `on_change` | with `swap`: gets the old instance and the new one | nothing |
///
/// Durations are written with a unit (`ms`, `s`, `min` or `m`, `h`, ..), or are const expressions of type `Duration`. In
/// `depends_on` a `CamelCase` path is a type, a `lower_case` one a function, an `UPPER_CASE` one a static.
///
/// [`Lazy`]: https://docs.rs/lifecycle/latest/lifecycle/struct.Lazy.html
/// [`Lazy<T>`]: https://docs.rs/lifecycle/latest/lifecycle/struct.Lazy.html
/// [`Current<T>`]: https://docs.rs/lifecycle/latest/lifecycle/struct.Current.html
#[proc_macro_attribute]
pub fn singleton(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("singleton", args.into(), item.into(), singleton::singleton).into()
}

#[doc = include_str!("circuit_breaker/docs.md")]
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("circuit_breaker", args.into(), item.into(), circuit_breaker::circuit_breaker).into()
}

#[doc = include_str!("rate_limit/docs.md")]
#[proc_macro_attribute]
pub fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("rate_limit", args.into(), item.into(), rate_limit::rate_limit).into()
}

/// Makes an enum the value of a flag: its variants hold nothing, and are written in snake_case.
///
/// ```
/// use lifecycle::{Flag, FlagValue, init_flag};
///
/// #[derive(FlagValue)]
/// enum Cache {
///     Off,
///     InMemory, // `in_memory`
///     #[flag_value(rename = "redis")]
///     External,
/// }
///
/// #[init_flag(env = "CACHE")] // CACHE=redis
/// static CACHE: Flag<Cache> = Cache::InMemory;
///
/// assert!(matches!(CACHE.get(), Cache::InMemory));
/// assert_eq!(lifecycle::flag("cache")?.get_json(), "in_memory");
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// In the environment any case will do; by name (JSON) it is the exact word. On the enum, `#[flag_value(crate = path)]` says
/// where lifecycle is.
#[proc_macro_derive(FlagValue, attributes(flag_value))]
pub fn flag_value(item: TokenStream) -> TokenStream {
    // The item stays where it is: nothing is to come out of a panic beside the error.
    let nothing = proc_macro2::TokenStream::new();
    entry::run("derive(FlagValue)", item.into(), nothing, |item, _| flag_value::flag_value(item)).into()
}

#[doc = include_str!("init_flag/docs.md")]
#[proc_macro_attribute]
pub fn init_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("init_flag", args.into(), item.into(), init_flag::init_flag).into()
}

/// A test in a world of its own: nothing created, breakers closed, windows empty, flags at their defaults, a clock of its own.
///
/// Any number of such tests run in parallel in one process without seeing each other; `lifecycle::testing` has what moves the
/// clock and reads the events of the world.
///
/// ```test_harness
/// # fn main() {}
/// use lifecycle::{circuit_breaker, testing};
/// use std::time::Duration;
///
/// #[circuit_breaker(threshold = 1, timeout = 30)]
/// fn fetch(ok: bool) -> Result<(), Box<dyn std::error::Error>> {
///     if ok { Ok(()) } else { Err("down".into()) }
/// }
///
/// #[lifecycle::test]
/// fn opens_and_closes() {
///     fetch(false).unwrap_err();
///     fetch(true).unwrap_err();
///     testing::advance(Duration::from_secs(30));
///     fetch(true).unwrap();
/// }
/// ```
///
/// It takes the place of `#[test]` (which runs the test a second time if it stands above), and keeps `#[should_panic]`,
/// `#[ignore]` and a `Result` that the function returns. On an `async fn` it stands above or below the attribute of the
/// runtime; above is right for all of them:
///
/// ```test_harness
/// # fn main() {}
/// # use lifecycle::testing;
/// #[lifecycle::test]
/// #[tokio::test]
/// async fn asynchronous() -> Result<(), std::io::Error> {
///     tokio::task::yield_now().await;
///     assert!(testing::events().is_empty()); // still in its world
///     Ok(())
/// }
/// ```
///
/// Any attribute whose path ends in `test` will do; then this one adds no `#[test]` of its own. What the body spawns is outside
/// the world unless it is given `lifecycle::Context::capture()`. The only option is `crate = path`. Write it with its path: as
/// `use lifecycle::test;` it would hide the language's own `#[test]`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("lifecycle::test", args.into(), item.into(), isolated_test::isolated_test).into()
}

/// How stacked guards find each other; written by the macros only.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __guard_part(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("guard_part", args.into(), item.into(), guarded_fn::guard_part).into()
}
