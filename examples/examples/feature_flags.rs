//! Pattern 2, feature flags: declared ones with a type, ones that only operations know, and who had the last word.
//! `cargo run --example feature_flags`, or `CHECKOUT=express MAX_ITEMS=many cargo run --example feature_flags`

use lifecycle::{BoxError, Error, Flag, FlagValue, init_flag, initialization, snapshot, testing, verify};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

#[derive(FlagValue, Debug, PartialEq)]
enum Checkout {
    Classic,
    Express,
    #[flag_value(rename = "one_click")]
    WithoutAnyQuestion,
}

#[init_flag(env = "CHECKOUT")]
static CHECKOUT: Flag<Checkout> = Checkout::Classic;

#[init_flag(env = "MAX_ITEMS")]
static MAX_ITEMS: Flag<u32> = 20;

#[init_flag]
static CACHE_FOR: Flag<Duration> = Duration::from_secs(60);

#[init_flag(env = "BANNER")]
static BANNER: Flag<String> = "";

#[init_flag(secret, env = "SIGNING_KEY")]
static SIGNING_KEY: Flag<String> = "only for tests";

static BANNERS: AtomicU32 = AtomicU32::new(0);

fn cart(items: u32) -> String {
    let banner = BANNER.get();
    let checkout = match CHECKOUT.get() {
        Checkout::Classic => "3 pages",
        Checkout::Express => "1 page",
        Checkout::WithoutAnyQuestion => "bought",
    };
    format!("{banner}{} items, {checkout}", items.min(MAX_ITEMS.get()))
}

fn main() -> Result<(), BoxError> {
    println!("as it starts:     {} ({})", cart(25), CHECKOUT.source());
    for problem in verify() {
        println!("                  {problem}"); // MAX_ITEMS=many
    }

    // In code: with the flag's type, an atomic store.
    BANNER.on_change(|old, new| {
        println!("                  (the banner was {old:?} and is {new:?})");
        BANNERS.fetch_add(1, Relaxed);
    });
    BANNER.set("Sale! ".to_owned());

    // By name: from an operator, as JSON, checked against the type.
    let core = initialization();
    core.set_flag("checkout", "one_click")?;
    println!("set by name:      {} ({})", cart(25), CHECKOUT.source());
    let slip = core.set_flag("checkout", "one_clik").unwrap_err();
    println!("a slip:           {slip}");
    assert!(slip.to_string().ends_with("did you mean `one_click`?"));
    assert!(matches!(core.set_flag("max_items", -1), Err(Error::FlagType { .. })));

    // A name that nobody declared holds any JSON.
    let change = core.set_flag("rollout", serde_json::json!({"percent": 5}))?;
    assert!(change.was_new && core.flag_or("beta", false) == core.flag::<bool>("beta")?.unwrap_or(false));

    // A test changes what it likes, and nobody else sees it.
    testing::isolated(|| {
        assert_eq!((CHECKOUT.get(), CACHE_FOR.get()), (Checkout::Classic, Duration::from_secs(60)));
        let override_here = CHECKOUT.override_with(Checkout::Express);
        assert_eq!(cart(3), "3 items, 1 page");
        drop(override_here);
    });
    assert_eq!(CHECKOUT.get(), Checkout::WithoutAnyQuestion);

    println!("\n{}", snapshot());
    assert_eq!(lifecycle::flag("signing_key")?.get_json(), "***");
    assert!(SIGNING_KEY.get().len() > 3 && core.get_flag("signing_key").is_err());

    core.reset(); // all back to the environment or the default
    println!("after a reset:    {}", cart(25));
    assert_eq!((BANNERS.load(Relaxed), core.get_flag("rollout")?), (2, None));
    Ok(())
}
