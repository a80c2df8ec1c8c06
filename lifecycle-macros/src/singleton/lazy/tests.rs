use crate::singleton::singleton;
use crate::tests::{pretty, tokens};
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    expect![[r#"
        static POOL: Lazy<Pool> = {
            fn __lifecycle_create() -> ::lifecycle::__private0::core::result::Result<
                Pool,
                ::lifecycle::__private0::core::convert::Infallible,
            > {
                fn __lifecycle_value() -> Pool {
                    return Pool::open();
                }
                ::lifecycle::__private0::core::result::Result::Ok(__lifecycle_value())
            }
            ::lifecycle::__private0::Lazy::<
                Pool,
            >::__declared(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Singleton,
                    "pool",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                &const { ::lifecycle::__private0::Settings::new() },
                __lifecycle_create,
                || &POOL,
                || ::lifecycle::__private0::Lazy::try_get(&POOL),
            )
        };
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed_lazy(& POOL)
            }
        };
    "#]]
    .assert_eq(&pretty(&singleton(
        quote!(),
        quote!(
            static POOL: Lazy<Pool> = Pool::open();
        ),
    )));
}

#[test]
fn rich() {
    let args = quote!(eager, name = "db", init_timeout = "5s", shutdown = Pool::close, crate = facade::lifecycle);
    let item = quote! {
        /// The pool.
        #[cfg(unix)]
        pub(crate) static POOL: lifecycle::Lazy<Pool<Pg>> = lifecycle::Lazy::new(|| Pool::connect(URL));
    };
    expect![[r#"
        /// The pool.
        #[cfg(unix)]
        pub(crate) static POOL: lifecycle::Lazy<Pool<Pg>> = {
            fn __lifecycle_create() -> facade::lifecycle::__private0::core::result::Result<
                Pool<Pg>,
                facade::lifecycle::__private0::core::convert::Infallible,
            > {
                fn __lifecycle_value() -> Pool<Pg> {
                    return facade::lifecycle::__private0::guard::call::<
                        Pool<Pg>,
                    >(|| Pool::connect(URL));
                }
                facade::lifecycle::__private0::core::result::Result::Ok(__lifecycle_value())
            }
            facade::lifecycle::__private0::Lazy::<
                Pool<Pg>,
            >::__declared(
                facade::lifecycle::__private0::Descriptor::new(
                    facade::lifecycle::__private0::Kind::Singleton,
                    "db",
                    facade::lifecycle::__private0::core::module_path!(),
                    facade::lifecycle::__private0::core::file!(),
                    facade::lifecycle::__private0::core::line!(),
                ),
                &const {
                    fn __lifecycle_shutdown(
                        lifecycle_instance: &'static Pool<Pg>,
                    ) -> facade::lifecycle::__private0::HookRun<'static> {
                        use facade::lifecycle::__private0::hooks::{
                            FutureKind as _, PlainKind as _,
                        };
                        let lifecycle_outcome = facade::lifecycle::__private0::hooks::call(
                            Pool::close,
                            lifecycle_instance,
                        );
                        (&lifecycle_outcome).__kind().run(lifecycle_outcome)
                    }
                    facade::lifecycle::__private0::Settings::new()
                        .eager()
                        .init_timeout(
                            facade::lifecycle::__private0::core::time::Duration::new(5u64, 0u32),
                        )
                        .shutdown(__lifecycle_shutdown)
                },
                __lifecycle_create,
                || &POOL,
                || facade::lifecycle::__private0::Lazy::try_get(&POOL),
            )
        };
        #[cfg(unix)]
        const _: () = {
            facade::lifecycle::__private0::inventory::submit! {
                facade::lifecycle::__private0::declared::listed_lazy(& POOL)
            }
        };
    "#]]
    .assert_eq(&pretty(&singleton(args, item)));
}

#[test]
fn mistakes_keep_the_static() {
    for (args, item, says) in [
        ("factroy = make", "static POOL: Lazy<Pool> = Pool::open();", "did you mean `factory`"),
        ("factory = make", "static POOL: Lazy<Pool> = Pool::open();", "leave `factory` away"),
        ("swap", "static POOL: Lazy<Pool> = Pool::open();", "`#[singleton(swap, ..)] fn pool() -> Pool { .. }`"),
        ("keyed", "static POOL: Lazy<Pool> = Pool::open();", "`#[singleton(keyed)] fn pool(key: &str) -> Pool { .. }`"),
        ("retry_backoff = \"1s\"", "static POOL: Lazy<Pool> = Pool::open();", "fn pool() -> Result<Pool, E>"),
        ("depends_on(POOL)", "static POOL: Lazy<Pool> = Pool::open();", "cannot need itself"),
        ("", "static POOL: Pool = Pool::open();", "write `lifecycle::Lazy<Pool>`"),
        ("", "static POOL: LazyLock<Pool> = LazyLock::new(Pool::open);", "write `lifecycle::Lazy<Pool>`"),
        ("", "static POOL: Mutex<Pool> = Mutex::new(Pool::new());", "write `lifecycle::Lazy<Mutex<Pool>>`"),
        ("", "static POOL: Lazy = Pool::open();", "write `Lazy<Pool>`"),
        ("", "static POOL: Lazy<Pool> = Lazy::new();", "Lazy::new(|| ..)"),
        ("", "static POOL: Lazy<Pool>;", "nothing says how `POOL` is made: write `static POOL: Lazy<Pool> = ..;`"),
        ("", "static mut POOL: Lazy<Pool> = Pool::open();", "remove `mut`"),
    ] {
        let expanded = singleton(tokens(args), tokens(item)).to_string();
        assert!(expanded.starts_with("static") && expanded.contains(says), "{item}: {expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{item}: {expanded}");
    }
}
