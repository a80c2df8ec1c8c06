use super::singleton;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

#[test]
fn minimal_type() {
    expect![[r#"
        struct Config {
            api: String,
        }
        const _: () = {
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<Config> = ::lifecycle::__private0::declared::cell::<
                Config,
            >(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Singleton,
                    "config",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Made(__lifecycle_create),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < Config > (& __LIFECYCLE_CELL)
            }
            fn __lifecycle_create() -> ::lifecycle::__private0::core::result::Result<
                Config,
                ::lifecycle::__private0::Infallible,
            > {
                ::lifecycle::__private0::declared::made::<
                    Config,
                    _,
                    _,
                >(::lifecycle::__private0::channel::default_of::<Config>)
            }
            #[automatically_derived]
            impl ::lifecycle::Singleton for Config {
                type Mode = ::lifecycle::__private0::declared::Forever;
                #[inline(never)]
                fn __cell() -> &'static ::lifecycle::__private0::declared::Home<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            #[allow(dead_code, clippy::same_name_method)]
            impl Config {
                /**The one `Config` of the process, created on first use.

        # Panics
        When its creation needs itself, or the process is shutting down before it exists. The message says which, with the path of a circle. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                fn instance() -> &'static Config {
                    ::lifecycle::__private0::declared::instance::<
                        Config,
                    >(&__LIFECYCLE_CELL, __lifecycle_create)
                }
                /**The one `Config` of the process, created on first use.

        # Errors
        When its creation needs itself, or the process is shutting down before it exists. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                fn try_instance() -> ::lifecycle::__private0::core::result::Result<
                    &'static Config,
                    ::lifecycle::__private0::SingletonError,
                > {
                    ::lifecycle::__private0::declared::or_refused(
                        ::lifecycle::__private0::declared::get::<
                            Config,
                            _,
                        >(
                            &__LIFECYCLE_CELL,
                            __lifecycle_create,
                            ::lifecycle::__private0::describe::never,
                        ),
                    )
                }
                ///The one `Config` of the process if it exists: never creates it, never waits, is not counted.
                #[inline]
                #[must_use]
                fn get() -> ::lifecycle::__private0::core::option::Option<&'static Config> {
                    ::lifecycle::__private0::declared::existing::<Config>(&__LIFECYCLE_CELL)
                }
            }
        };
    "#]]
    .assert_eq(&pretty(&singleton(
        quote!(),
        quote!(
            struct Config {
                api: String,
            }
        ),
    )));
}

#[test]
fn rich_type() {
    let args = quote!(try_factory = |path| Config::load(DEFAULT), name = "settings", crate = crate::facade);
    let item = quote! {
        /// The configuration.
        #[cfg(feature = "config")]
        #[derive(Debug)]
        pub(in crate::app) struct Config { api: String }
    };
    expect![[r#"
        /// The configuration.
        #[cfg(feature = "config")]
        #[derive(Debug)]
        pub(in crate::app) struct Config {
            api: String,
        }
        #[cfg(feature = "config")]
        const _: () = {
            static __LIFECYCLE_CELL: crate::facade::__private0::declared::Home<Config> = crate::facade::__private0::declared::cell::<
                Config,
            >(
                crate::facade::__private0::Descriptor::new(
                    crate::facade::__private0::Kind::Singleton,
                    "settings",
                    crate::facade::__private0::core::module_path!(),
                    crate::facade::__private0::core::file!(),
                    crate::facade::__private0::core::line!(),
                ),
                &const { crate::facade::__private0::Settings::new() },
                crate::facade::__private0::Ask::Tried(__lifecycle_create),
            );
            crate::facade::__private0::inventory::submit! {
                crate ::facade::__private0::declared::listed:: < Config > (& __LIFECYCLE_CELL)
            }
            fn __lifecycle_create() -> crate::facade::__private0::core::result::Result<
                Config,
                crate::facade::__private0::BoxError,
            > {
                crate::facade::__private0::declared::tried::<
                    Config,
                    _,
                    _,
                >(|path| Config::load(DEFAULT))
            }
            #[automatically_derived]
            impl crate::facade::Singleton for Config {
                type Mode = crate::facade::__private0::declared::Forever;
                #[inline(never)]
                fn __cell() -> &'static crate::facade::__private0::declared::Home<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            #[allow(dead_code, clippy::same_name_method)]
            impl Config {
                /**The one `Config` of the process, created on first use.

        # Errors
        When the factory fails (the next call tries again), its creation needs itself, or the process is shutting down before it exists. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                pub(in crate::app) fn try_instance() -> crate::facade::__private0::core::result::Result<
                    &'static Config,
                    crate::facade::__private0::SingletonError,
                > {
                    crate::facade::__private0::declared::or_boxed(
                        "settings",
                        crate::facade::__private0::declared::get::<
                            Config,
                            _,
                        >(
                            &__LIFECYCLE_CELL,
                            __lifecycle_create,
                            crate::facade::__private0::describe::chain,
                        ),
                    )
                }
                ///The one `Config` of the process if it exists: never creates it, never waits, is not counted.
                #[inline]
                #[must_use]
                pub(in crate::app) fn get() -> crate::facade::__private0::core::option::Option<
                    &'static Config,
                > {
                    crate::facade::__private0::declared::existing::<Config>(&__LIFECYCLE_CELL)
                }
            }
        };
    "#]]
    .assert_eq(&pretty(&singleton(args, item)));
}

#[test]
fn minimal_function() {
    expect![[r#"
        fn greeting() -> &'static String {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = String;
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::Forever;
            }
            fn __lifecycle_here() {}
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<__LifecycleKept> = ::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Singleton,
                        "greeting",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Made(|| ::lifecycle::__private0::declared::made::<
                    String,
                    _,
                    _,
                >(__lifecycle_create)),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            fn __lifecycle_create() -> String {
                "hello".to_owned()
            }
            const _: () = {
                use ::lifecycle::__private0::channel::NotResult as _;
                ::lifecycle::__private0::core::assert!(
                    ! ::lifecycle::__private0::channel::IsResult:: < String > ::HIDDEN,
                    "`String` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                );
            };
            return ::lifecycle::__private0::declared::instance::<
                __LifecycleKept,
            >(
                &__LIFECYCLE_CELL,
                || ::lifecycle::__private0::declared::made::<String, _, _>(__lifecycle_create),
            );
        }
    "#]].assert_eq(&pretty(&singleton(quote!(), quote!(fn greeting() -> String { "hello".to_owned() }))));
}

#[test]
fn rich_function() {
    let item = quote! {
        /// The pool.
        #[inline]
        pub fn db() -> std::result::Result<Pool<Pg>, DbError> { #![allow(unused)] Pool::connect(url()?) }
    };
    expect![[r#"
        /// The pool.
        #[inline]
        #[allow(unused)]
        pub fn db() -> std::result::Result<&'static Pool<Pg>, DbError> {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Pool<Pg>;
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::Forever;
            }
            fn __lifecycle_here() {}
            fn __lifecycle_text(
                lifecycle_error: &DbError,
            ) -> ::lifecycle::__private0::std::string::String {
                use ::lifecycle::__private0::channel::text::{
                    ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text,
                };
                (&&&Text(lifecycle_error)).__text()
            }
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<__LifecycleKept> = ::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Singleton,
                        "pool",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Sync(__lifecycle_ask),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            fn __lifecycle_create() -> std::result::Result<Pool<Pg>, DbError> {
                Pool::connect(url()?)
            }
            fn __lifecycle_ask() -> ::lifecycle::__private0::core::result::Result<
                &'static Pool<Pg>,
                ::lifecycle::__private0::SingletonError,
            > {
                ::lifecycle::__private0::channel::asked(
                    "pool",
                    ::lifecycle::__private0::declared::get::<
                        __LifecycleKept,
                        DbError,
                    >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text),
                    |lifecycle_error| {
                        use ::lifecycle::__private0::channel::{ByDebug as _, ByName as _};
                        ::lifecycle::__private0::channel::Boxing::<DbError>::NEW
                            .__boxed(lifecycle_error)
                    },
                )
            }
            return match ::lifecycle::__private0::declared::get::<
                __LifecycleKept,
                DbError,
            >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text) {
                ::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance) => {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance)
                }
                ::lifecycle::__private0::core::result::Result::Err(lifecycle_error) => {
                    ::lifecycle::__private0::core::result::Result::Err({
                        use ::lifecycle::__private0::channel::Panics as _;
                        ::lifecycle::__private0::channel::Refusal::<DbError>::NEW
                            .__error(lifecycle_error)
                    })
                }
            };
        }
    "#]]
    .assert_eq(&pretty(&singleton(quote!(name = "pool"), item)));
}

#[test]
fn a_body_that_says_self_is_a_closure() {
    expect![[r#"
        impl Service {
            fn shared() -> &'static Table {
                struct __LifecycleKept;
                impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                    type Value = Table;
                }
                impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                    type Mode = ::lifecycle::__private0::declared::Forever;
                }
                fn __lifecycle_here() {}
                static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<
                    __LifecycleKept,
                > = ::lifecycle::__private0::declared::cell::<
                    __LifecycleKept,
                >(
                    ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Singleton,
                            "shared",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        )
                        .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                    &const { ::lifecycle::__private0::Settings::new() },
                    ::lifecycle::__private0::Ask::Never,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                    __LIFECYCLE_CELL)
                }
                const _: () = {
                    use ::lifecycle::__private0::channel::NotResult as _;
                    ::lifecycle::__private0::core::assert!(
                        ! ::lifecycle::__private0::channel::IsResult:: < Table > ::HIDDEN,
                        "`Table` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                    );
                };
                return ::lifecycle::__private0::declared::instance::<
                    __LifecycleKept,
                >(
                    &__LIFECYCLE_CELL,
                    || ::lifecycle::__private0::declared::made::<
                        Table,
                        _,
                        _,
                    >(|| -> Table { Self::build() }),
                );
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(), quote!(fn shared() -> Table { Self::build() }))));
}

#[test]
fn after_a_mistake_callers_still_find_the_accessors() {
    let expanded = singleton(
        quote!(factroy = make),
        quote!(
            pub struct S;
        ),
    )
    .to_string();
    assert!(expanded.contains("pub fn instance ()") && expanded.contains("did you mean `factory`"), "{expanded}");
    let expanded = singleton(
        quote!(factory = make),
        quote!(
            fn f() -> u8 {
                1
            }
        ),
    )
    .to_string();
    assert!(expanded.starts_with("fn f () -> & 'static u8"), "{expanded}");
}
