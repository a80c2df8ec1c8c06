//! The attribute macros of the `lifecycle` crate. Depend on that one: it re-exports them.
//!
//! This file only dispatches. Each macro is a folder of `args` (what may be written) -> `model` (what it means) -> `check`
//! (what cannot be) -> `expand` (what comes out).

mod circuit_breaker;
mod entry;
mod errors;
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
/// | a type or a function with `swap` | `T::current()`, `T::try_current()`, `db()` give a [`Current<T>`] instead, which may be replaced |
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
/// | `init_timeout = "5s"` | how long a caller waits for a creation; what runs goes on, and who runs a synchronous factory itself is not interrupted | no limit |
/// | `retry_backoff = "100ms"`, `"100ms..10s"` | after an error, refuse to try again for that long; with `..` it doubles from error to error | at once |
/// | `depends_on(Config, db, POOL, "by name")` | what it uses without asking for it in its factory: types, functions, statics, names | what was seen |
/// | `scope = process` | it is one for the process (the only scope there is in this version) | `process` |
/// | `name = ".."` | its name in snapshots, events and look-ups | the name in snake_case |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
///
/// And hooks, each a path or a closure. They get a `&T`, and never run before there is an instance:
///
/// | hook | when | may return |
/// | --- | --- | --- |
/// | `shutdown` | `lifecycle::shutdown`, dependents first | nothing, a `Result<(), impl Display>`, or a future of these |
/// | `reset` | `lifecycle::run_reset_hooks` | nothing, or a `Result<(), impl Display>` |
/// | `pressure` | memory is short | nothing, or the bytes it freed |
/// | `health` | the health report asks | a `lifecycle::Health`, a `bool`, a `Result<_, impl Display>`, or (without `swap` and `keyed`) a future of these |
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

/// Refuses calls for a while after too many failures: on a function or method, sync or async, on an impl block, or on a static
/// to share.
///
/// A failure is an `Err`, or a panic (which goes on); any other value is a success. Five failures in a row open the breaker:
/// calls are refused without running for 60 seconds. The next call is then a probe, which closes or re-opens it. A future that
/// its caller drops counts for nothing, but from `slow_call` on it is a failure, so that what hangs under its callers' time
/// limits opens the breaker.
///
/// ```
/// use lifecycle::circuit_breaker;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error(transparent)]
///     Refused(#[from] lifecycle::Rejected), // a refusal becomes the function's own error
///     #[error("no such user")]
///     NoUser,
/// }
///
/// #[circuit_breaker(threshold = 3, timeout = 30)] // 3 failures in a row: refuse for 30 s, then try one call
/// async fn fetch_user(id: u64) -> Result<String, ApiError> {
///     if id == 0 { Err(ApiError::NoUser) } else { Ok(format!("user {id}")) }
/// }
///
/// // Where the error is not yours, say what a refused call gives; the arguments are there by name.
/// #[circuit_breaker(on_rejected = |rejected| format!("user {id}: {rejected}"))]
/// fn name_of(id: u64) -> Result<String, String> {
///     Ok(id.to_string())
/// }
///
/// assert_eq!(name_of(7).unwrap(), "7");
/// assert_eq!(lifecycle::breaker("name_of")?.state(), lifecycle::State::Closed);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # When it opens, and for how long
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `threshold = 5` | failures in a row that open it | 5; with a rate, only if written |
/// | `failure_rate = 50` | percent of the calls in the window that failed, from which on it opens; 1 to 100 | |
/// | `slow_call_rate = 80` | percent of the calls in the window that took `slow_call` or longer, whether they failed or not | |
/// | `window = "100 calls"`, `"10s"` | which calls the rates look at: the last so many (at most 1,048,576), or those of the last so much time | the last 100 |
/// | `minimum_calls = 20` | calls the window must hold before a rate counts | 10, or the window's size if that is less |
/// | `slow_call = "2s"` | from then on a call is slow, and a dropped one a failure | 10 s |
/// | `timeout = 60`, `"250ms"` | how long it stays open (seconds, or with a unit); **not** a limit on the call | 60 s |
/// | `backoff = exponential` | it stays open longer each time that it opens again without having closed; `exponential(factor = 2, cap = "10m", jitter = 10)` says how many times as long, the longest time, and by how many percent the time is changed at random | the same each time; factor 2, no cap, no jitter |
/// | `half_open_calls = 1` | probes that may run at a time | 1 |
/// | `success_threshold = 1` | probes that must succeed in a row to close it | 1 |
/// | `half_open_timeout = "30s"` | a probe older than this loses its slot to the next caller | `timeout`, at most 5 min |
///
/// All of these may be const expressions, of type `u32`, `Duration` (for `timeout` also a `u64` of seconds), `Window` and
/// `Backoff`. Durations are written with a unit (`ms`, `s`, `min` or `m`, `h`, ..). A limit on the call itself is
/// `tokio::time::timeout` inside the body.
///
/// ```
/// use lifecycle::circuit_breaker;
///
/// // Half of the calls of the last 10 seconds failed, at least 20 of them: refuse for 5 s, 10 s, 20 s, .. up to 10 min.
/// #[circuit_breaker(
///     failure_rate = 50,
///     window = "10s",
///     minimum_calls = 20,
///     timeout = 5,
///     backoff = exponential(cap = "10m", jitter = 10)
/// )]
/// async fn search(words: &str) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
///     Ok(words.len())
/// }
///
/// assert!(lifecycle::breaker("search")?.config().to_string().starts_with("failure_rate 50 %, window 10s, minimum_calls 20"));
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # What counts
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `ignore = path` or closure | gets the `&E` of an `Err`: what it answers `true` to is none of the breaker's business, neither failure nor success | nothing |
/// | `failure_if = path` or closure | gets the whole value, `&R`, and alone says whether it is a failure; also where the function returns no `Result` | an `Err` is |
/// | `cancelled = neutral`, `failure` | what a future is that its caller drops: always nothing, or always a failure | `failure_when_slow`: a failure from `slow_call` on |
///
/// `ignore` is asked first. A panic is a failure, one inside these predicates too.
///
/// ```
/// use lifecycle::circuit_breaker;
/// # struct Response { status: u16 }
/// # #[derive(Debug, thiserror::Error)]
/// # enum Error { #[error(transparent)] Refused(#[from] lifecycle::Rejected), #[error("no such user")] NotFound }
///
/// #[circuit_breaker(threshold = 1, ignore = |error| matches!(error, Error::NotFound))]
/// fn find(id: u64) -> Result<String, Error> {
///     if id == 0 { Err(Error::NotFound) } else { Ok(id.to_string()) }
/// }
///
/// #[circuit_breaker(threshold = 1, failure_if = |response| response.status >= 500, on_rejected = |_| Response { status: 503 })]
/// fn get(path: &str) -> Response {
///     Response { status: if path == "/broken" { 500 } else { 200 } }
/// }
///
/// assert!(find(0).is_err() && find(7).is_ok());
/// assert_eq!((get("/").status, get("/broken").status, get("/").status), (200, 500, 503));
/// ```
///
/// # What a refused call gives
///
/// | option | meaning |
/// | --- | --- |
/// | (nothing) | the function's own error, by `From<lifecycle::Rejected>`; `anyhow` and `Box<dyn Error>` have that already |
/// | `on_rejected = path` or closure | gets the [`Rejected`] and gives the error of a `Result`, the whole value otherwise; sees the arguments by name |
/// | `fallback = path` | a function with the same arguments that answers refused calls (not failed ones: for those write `.or_else(..)`) |
///
/// The [`Rejected`] says why (`kind`), by whom (`name`) and, where that is known, when to try again (`retry_after`). A function
/// with no way to say "refused" does not compile.
///
/// # One for each key
///
/// `key = expr` gives each key a breaker of its own: one host that is down leaves the others alone. The expression sees the
/// arguments, before they move, and its value is known by its `Display`. At most `max_keys` (65,536) are kept: beyond that one
/// that holds no failure makes room, and a full map shares one breaker among new keys. `lifecycle::breaker("fetch[b.example]")`
/// finds one.
///
/// ```
/// use lifecycle::{Rejected, circuit_breaker};
///
/// #[circuit_breaker(threshold = 1, key = host, max_keys = 1_000, on_rejected = |rejected| rejected.to_string())]
/// async fn fetch(host: &str, path: &str) -> Result<String, String> {
///     if host == "a.example" { Err("down".to_owned()) } else { Ok(format!("{host}/{path}")) }
/// }
/// ```
///
/// # One to share
///
/// On a static without a value the attribute makes a breaker to share. Functions name it, or any other expression that gives a
/// reference to one: a field, a look-up, an `Arc`. Beside it stand only the options about calls (`on_rejected`, `fallback`,
/// `ignore`, `failure_if`, `crate`); the numbers belong to the breaker.
///
/// ```
/// use lifecycle::{CircuitBreaker, Rejected, circuit_breaker};
/// use std::sync::Arc;
///
/// #[circuit_breaker(threshold = 3, timeout = 30)]
/// static HA: CircuitBreaker;
///
/// #[circuit_breaker(HA)]
/// fn switch(light: &str) -> Result<usize, Rejected> { Ok(light.len()) }
///
/// #[circuit_breaker(HA, on_rejected = |_| None, failure_if = Option::is_none)]
/// async fn temperature() -> Option<f64> { Some(21.5) }
///
/// struct Client {
///     breaker: Arc<CircuitBreaker>,
/// }
///
/// impl Client {
///     #[circuit_breaker(self.breaker)] // an `Arc`, since the body has `self` to itself; with `&self` any field will do
///     async fn send(&mut self) -> Result<(), Rejected> { Ok(()) }
/// }
///
/// assert!(switch("porch").is_ok());
/// assert_eq!(HA.metrics().statistics.successful_calls, 1);
/// ```
///
/// # All methods of an impl block
///
/// On an impl block, of a trait or not, one breaker is shared by all methods whose signature says `Result`, also in a future.
/// `#[circuit_breaker(skip)]` leaves one out, `#[circuit_breaker(include)]` takes in one that says none (an alias of `Result`,
/// another type), and a method with other options has a breaker of its own. It is named after the type, or by `name`; options
/// about calls go with each method, and beside `include` a method may say its own.
///
/// ```
/// use lifecycle::{Rejected, circuit_breaker};
///
/// struct Users;
///
/// #[circuit_breaker(threshold = 3)]
/// impl Users {
///     async fn load(&self, id: u64) -> Result<String, Rejected> { Ok(id.to_string()) }
///     async fn store(&self, id: u64) -> Result<(), Rejected> { Ok(()) }
///
///     #[circuit_breaker(skip)]
///     fn parse(text: &str) -> Result<u64, std::num::ParseIntError> { text.parse() }
///
///     #[circuit_breaker(include, on_rejected = |_| None, failure_if = Option::is_none)]
///     async fn first(&self) -> Option<String> { None }
///
///     fn len(&self) -> usize { 0 }
/// }
///
/// assert_eq!(lifecycle::breaker("users")?.state(), lifecycle::State::Closed);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Names, and the rest
///
/// There is one breaker a declaration: a generic function or a method of a generic type has one for all its types (give each
/// its own by `key`, or by a field). It is called as the function, the static or the type, in snake_case; two of one name in one
/// module share their path, so give one a `name`.
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `name = ".."` | its name in snapshots, events, look-ups and the environment | the name in snake_case |
/// | `dispatch` | `execute_circuit_breaker_operation("call", ..)` may call this function: a free one, not async, without arguments, whose value is `serde::Serialize` and whose error is `Display` | it may not |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
///
/// Beside [`#[rate_limit]`](macro@rate_limit) the order is fixed, whichever is written first: an open breaker refuses without
/// spending a permit, and a refusal by the limiter is never a failure. A foreign attribute below ends up outside the guard. A
/// future is admitted when it is first polled.
///
/// [`Rejected`]: https://docs.rs/lifecycle/latest/lifecycle/struct.Rejected.html
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("circuit_breaker", args.into(), item.into(), circuit_breaker::circuit_breaker).into()
}

/// Never lets more than so many calls pass in any window of time: on a function or method, sync or async, on an impl block, or
/// on a static to share.
///
/// The window slides and is exact: a permit that is exactly a window old still counts. A refused call does not run, uses up
/// nothing, and says after what time a retry can succeed.
///
/// ```
/// use lifecycle::rate_limit;
///
/// #[rate_limit("2/s")] // also "1000/min", "5/250ms"
/// fn search(words: &str) -> Result<usize, Box<dyn std::error::Error>> {
///     Ok(words.len())
/// }
///
/// assert!(search("a").is_ok() && search("b").is_ok());
/// let refused = search("c").unwrap_err().downcast::<lifecycle::Rejected>().unwrap();
/// assert!(refused.retry_after.is_some());
/// ```
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `"100/s"` | the rate: up to 1,048,576 calls in a window (`s`, `min`, `h`, or a number with a unit) | |
/// | `limit = N, window = "1s"` | the same, where they are const expressions (`u32`, `Duration`) | |
/// | `on_rejected`, `fallback` | what a refused call gives, as of [`#[circuit_breaker]`](macro@circuit_breaker) | `From<Rejected>` |
/// | `key = expr` | a limiter for each key: the expression sees the arguments, and its value is known by its `Display` | one for all |
/// | `max_keys = 10_000` | with `key`: at most so many are kept; idle ones make room | 65,536 |
/// | `name = ".."` | its name in snapshots, events, look-ups and the environment | the name in snake_case |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
///
/// The other forms are those of `#[circuit_breaker]`: a static to share, an expression that gives a reference to a limiter, an
/// impl block whose methods share one (with `skip` and `include`).
///
/// ```
/// use lifecycle::{RateLimiter, Rejected, rate_limit};
///
/// #[rate_limit("100/s")]
/// static API: RateLimiter;
///
/// #[rate_limit(API)]
/// fn load() -> Result<(), Rejected> { Ok(()) }
///
/// #[rate_limit(API, on_rejected = |_| None)]
/// async fn peek() -> Option<u8> { Some(1) }
///
/// #[rate_limit("5/s", key = client)]
/// fn hello(client: &str) -> Result<String, Rejected> { Ok(format!("hello {client}")) }
///
/// struct Users;
///
/// #[rate_limit("1000/s")]
/// impl Users {
///     fn load(&self, id: u64) -> Result<u64, Rejected> { Ok(id) }
///     fn store(&self, id: u64) -> Result<(), Rejected> { Ok(()) }
/// }
///
/// load()?;
/// Users.load(7)?;
/// assert_eq!((API.usage().used, lifecycle::limiter("users").unwrap().usage().used), (1, 1));
/// # Ok::<(), Rejected>(())
/// ```
///
/// Beside `#[circuit_breaker]` the order is fixed, whichever is written first: an open breaker refuses without spending a
/// permit, and a refusal by the limiter is never a failure. There is one limiter a declaration (a generic function has one for
/// all its types), reached by `lifecycle::limiter("search")`.
#[proc_macro_attribute]
pub fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("rate_limit", args.into(), item.into(), rate_limit::rate_limit).into()
}

/// A typed switch that can be set from the environment, at run time, and in tests.
///
/// ```
/// use lifecycle::{Flag, init_flag};
///
/// #[init_flag(env = "USE_CACHE")] // USE_CACHE.get(): a load and a branch
/// static USE_CACHE: Flag<bool> = true;
///
/// assert!(USE_CACHE.get());
/// USE_CACHE.set(false);
/// assert_eq!(lifecycle::flag("use_cache")?.get_json(), false);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// The type is `bool`, an integer of up to 64 bits, `f64` or `Duration`. An override has the last word, then what was set, then
/// the environment, then the default. A value in the environment that does not fit gives a warning event and the default.
///
/// Options: `env = ".."` (read once, on first use), `name = ".."` (default: the name in lower case), `crate = path`.
#[proc_macro_attribute]
pub fn init_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("init_flag", args.into(), item.into(), init_flag::init_flag).into()
}

/// A test in a world of its own: nothing created, breakers closed, windows empty, flags at their defaults, a clock of its own.
///
/// Any number of such tests run in parallel in one process without seeing each other; `lifecycle::testing` has what moves the
/// clock and reads the events of the world.
///
/// ```
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
/// ```ignore
/// #[lifecycle::test]
/// #[tokio::test]
/// async fn asynchronous() -> Result<(), std::io::Error> {
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
