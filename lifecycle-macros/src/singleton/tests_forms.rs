//! Snapshots of the forms beyond the plain one: `swap`, async, settings and hooks.

use super::singleton;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

#[test]
fn a_type_with_everything() {
    let args = quote!(
        try_async_factory = Pool::connect,
        eager,
        swap,
        refresh = "5m",
        init_timeout = LIMIT,
        retry_backoff = "100ms..10s",
        depends_on(Config, app::db, POOL, "by name"),
        scope = process,
        shutdown = Pool::close,
        on_retire = |pool| pool.drain(),
        reset = Pool::clear,
        pressure = Pool::shrink,
        health = |pool| pool.ping(),
        memory = Pool::bytes,
        on_change = |old, new| new.adopt(old)
    );
    expect![[r#"
        pub struct Pool;
        const _: () = {
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<Pool> = ::lifecycle::__private0::declared::cell::<
                Pool,
            >(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Singleton,
                    "pool",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                &const {
                    const __LIFECYCLE_INIT_TIMEOUT: ::lifecycle::__private0::core::time::Duration = {
                        let lifecycle_value: ::lifecycle::__private0::core::time::Duration = ::lifecycle::__private0::channel::duration(
                            LIMIT,
                        );
                        ::lifecycle::__private0::core::assert!(
                            ! lifecycle_value.is_zero(),
                            "`init_timeout` must be longer than zero"
                        );
                        lifecycle_value
                    };
                    fn __lifecycle_shutdown(
                        lifecycle_instance: &'static Pool,
                    ) -> ::lifecycle::__private0::HookRun {
                        use ::lifecycle::__private0::hooks::{FutureKind as _, PlainKind as _};
                        let lifecycle_outcome = ::lifecycle::__private0::hooks::call(
                            Pool::close,
                            lifecycle_instance,
                        );
                        (&lifecycle_outcome).__kind().run(lifecycle_outcome)
                    }
                    fn __lifecycle_on_retire(lifecycle_instance: &Pool) {
                        ::lifecycle::__private0::hooks::call_ref::<
                            _,
                            (),
                        >(|pool| pool.drain(), lifecycle_instance);
                    }
                    fn __lifecycle_reset(
                        lifecycle_instance: &Pool,
                    ) -> ::lifecycle::__private0::HookResult {
                        ::lifecycle::__private0::hooks::done(
                            ::lifecycle::__private0::hooks::call_ref(
                                Pool::clear,
                                lifecycle_instance,
                            ),
                        )
                    }
                    fn __lifecycle_pressure(
                        lifecycle_instance: &Pool,
                    ) -> ::lifecycle::__private0::core::primitive::usize {
                        ::lifecycle::__private0::hooks::freed(
                            ::lifecycle::__private0::hooks::call_ref(
                                Pool::shrink,
                                lifecycle_instance,
                            ),
                        )
                    }
                    fn __lifecycle_health_ref(
                        lifecycle_instance: &Pool,
                    ) -> ::lifecycle::__private0::Health {
                        ::lifecycle::__private0::hooks::health_at_once(
                            ::lifecycle::__private0::hooks::call_ref(
                                |pool| pool.ping(),
                                lifecycle_instance,
                            ),
                        )
                    }
                    fn __lifecycle_memory(
                        lifecycle_instance: &Pool,
                    ) -> ::lifecycle::__private0::core::primitive::usize {
                        ::lifecycle::__private0::hooks::call_ref::<
                            _,
                            ::lifecycle::__private0::core::primitive::usize,
                        >(Pool::bytes, lifecycle_instance)
                    }
                    fn __lifecycle_on_change(lifecycle_instance: &Pool, lifecycle_new: &Pool) {
                        ::lifecycle::__private0::hooks::changed(
                            |old, new| new.adopt(old),
                            lifecycle_instance,
                            lifecycle_new,
                        );
                    }
                    ::lifecycle::__private0::Settings::new()
                        .eager()
                        .init_timeout(__LIFECYCLE_INIT_TIMEOUT)
                        .retry_backoff(
                            ::lifecycle::__private0::core::time::Duration::new(
                                0u64,
                                100000000u32,
                            ),
                            ::lifecycle::__private0::core::time::Duration::new(10u64, 0u32),
                        )
                        .refresh(
                            ::lifecycle::__private0::core::time::Duration::new(300u64, 0u32),
                        )
                        .depends_on(
                            &[
                                || ::lifecycle::__private0::Needs::Component(
                                    ::lifecycle::__private0::declared::cell_of::<Config>(),
                                ),
                                || ::lifecycle::__private0::Needs::Function(
                                    ::lifecycle::__private0::declared::name_of(&app::db),
                                ),
                                || ::lifecycle::__private0::Needs::Component(
                                    ::lifecycle::__private0::declared::cell_of_lazy(&POOL),
                                ),
                                || ::lifecycle::__private0::Needs::Name("by name"),
                            ],
                        )
                        .shutdown(__lifecycle_shutdown)
                        .on_retire(__lifecycle_on_retire)
                        .reset(__lifecycle_reset)
                        .pressure(__lifecycle_pressure)
                        .health_ref(__lifecycle_health_ref)
                        .memory(__lifecycle_memory)
                        .on_change(__lifecycle_on_change)
                },
                ::lifecycle::__private0::Ask::Async(|| ::lifecycle::__private0::std::boxed::Box::pin(
                    Pool::try_current(),
                )),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < Pool > (& __LIFECYCLE_CELL)
            }
            fn __lifecycle_create() -> ::lifecycle::__private0::Making<
                Pool,
                ::lifecycle::__private0::BoxError,
            > {
                ::lifecycle::__private0::declared::trying::<Pool, _, _>(Pool::connect)
            }
            #[automatically_derived]
            impl ::lifecycle::Singleton for Pool {
                type Mode = ::lifecycle::__private0::declared::Replaceable;
                #[inline(never)]
                fn __cell() -> &'static ::lifecycle::__private0::declared::Home<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            impl ::lifecycle::__private0::declared::FailsWith for Pool {
                type Error = ::lifecycle::__private0::BoxError;
            }
            #[allow(dead_code, clippy::same_name_method)]
            impl Pool {
                /**The current `Pool`, created on first use. A replaced one is freed with its last holder: hold it briefly.

        Who drops this future loses nothing: another caller's drives the same creation on.

        # Errors
        When the factory fails (the next call tries again once the pause is over), its creation needs itself or takes longer than its `init_timeout`, or the process is shutting down before it exists. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                pub async fn try_current() -> ::lifecycle::__private0::core::result::Result<
                    ::lifecycle::Current<Pool>,
                    ::lifecycle::__private0::SingletonError,
                > {
                    if let ::lifecycle::__private0::core::option::Option::Some(
                        lifecycle_found,
                    ) = ::lifecycle::__private0::declared::hot::<Pool>(&__LIFECYCLE_CELL) {
                        return ::lifecycle::__private0::core::result::Result::Ok(
                            lifecycle_found,
                        );
                    }
                    ::lifecycle::__private0::declared::or_boxed(
                        "pool",
                        ::lifecycle::__private0::declared::get_async::<
                            Pool,
                            _,
                            _,
                        >(
                                &__LIFECYCLE_CELL,
                                __lifecycle_create,
                                ::lifecycle::__private0::describe::chain,
                            )
                            .await,
                    )
                }
                ///The current `Pool` if it exists: never creates it, never waits, is not counted.
                #[inline]
                #[must_use]
                pub fn get() -> ::lifecycle::__private0::core::option::Option<
                    ::lifecycle::Current<Pool>,
                > {
                    ::lifecycle::__private0::declared::existing::<Pool>(&__LIFECYCLE_CELL)
                }
            }
        };
    "#]].assert_eq(&pretty(&singleton(
        args,
        quote!(
            pub struct Pool;
        ),
    )));
}

#[test]
fn an_async_type() {
    expect![[r#"
        struct Pool;
        const _: () = {
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<Pool> = ::lifecycle::__private0::declared::cell::<
                Pool,
            >(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Singleton,
                    "pool",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Async(|| ::lifecycle::__private0::std::boxed::Box::pin(
                    Pool::try_instance(),
                )),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < Pool > (& __LIFECYCLE_CELL)
            }
            fn __lifecycle_create() -> ::lifecycle::__private0::Making<
                Pool,
                ::lifecycle::__private0::Infallible,
            > {
                ::lifecycle::__private0::declared::making::<Pool, _, _>(Pool::connect)
            }
            #[automatically_derived]
            impl ::lifecycle::Singleton for Pool {
                type Mode = ::lifecycle::__private0::declared::Forever;
                #[inline(never)]
                fn __cell() -> &'static ::lifecycle::__private0::declared::Home<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            impl ::lifecycle::__private0::declared::FailsWith for Pool {
                type Error = ::lifecycle::__private0::Infallible;
            }
            #[allow(dead_code, clippy::same_name_method)]
            impl Pool {
                /**The one `Pool` of the process, created on first use.

        Who drops this future loses nothing: another caller's drives the same creation on.

        # Panics
        When its creation needs itself, or the process is shutting down before it exists. The message says which, with the path of a circle. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                async fn instance() -> &'static Pool {
                    if let ::lifecycle::__private0::core::option::Option::Some(
                        lifecycle_found,
                    ) = ::lifecycle::__private0::declared::hot::<Pool>(&__LIFECYCLE_CELL) {
                        return lifecycle_found;
                    }
                    ::lifecycle::__private0::declared::or_panic(
                        ::lifecycle::__private0::declared::get_async::<
                            Pool,
                            _,
                            _,
                        >(
                                &__LIFECYCLE_CELL,
                                __lifecycle_create,
                                ::lifecycle::__private0::describe::never,
                            )
                            .await,
                    )
                }
                /**The one `Pool` of the process, created on first use.

        Who drops this future loses nothing: another caller's drives the same creation on.

        # Errors
        When its creation needs itself, or the process is shutting down before it exists. A panic of the factory goes on, and the next call tries again.*/
                #[inline]
                async fn try_instance() -> ::lifecycle::__private0::core::result::Result<
                    &'static Pool,
                    ::lifecycle::__private0::SingletonError,
                > {
                    if let ::lifecycle::__private0::core::option::Option::Some(
                        lifecycle_found,
                    ) = ::lifecycle::__private0::declared::hot::<Pool>(&__LIFECYCLE_CELL) {
                        return ::lifecycle::__private0::core::result::Result::Ok(
                            lifecycle_found,
                        );
                    }
                    ::lifecycle::__private0::declared::or_refused(
                        ::lifecycle::__private0::declared::get_async::<
                            Pool,
                            _,
                            _,
                        >(
                                &__LIFECYCLE_CELL,
                                __lifecycle_create,
                                ::lifecycle::__private0::describe::never,
                            )
                            .await,
                    )
                }
                ///The one `Pool` of the process if it exists: never creates it, never waits, is not counted.
                #[inline]
                #[must_use]
                fn get() -> ::lifecycle::__private0::core::option::Option<&'static Pool> {
                    ::lifecycle::__private0::declared::existing::<Pool>(&__LIFECYCLE_CELL)
                }
            }
        };
    "#]].assert_eq(&pretty(&singleton(
        quote!(async_factory = Pool::connect),
        quote!(
            struct Pool;
        ),
    )));
}

#[test]
fn an_async_function() {
    let item = quote!(
        pub async fn db() -> Pool {
            Pool::connect().await
        }
    );
    expect![[r#"
        pub async fn db() -> &'static Pool {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Pool;
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::Forever;
            }
            impl ::lifecycle::__private0::declared::FailsWith for __LifecycleKept {
                type Error = ::lifecycle::__private0::Infallible;
            }
            fn __lifecycle_here() {}
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<__LifecycleKept> = ::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Singleton,
                        "db",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Async(__lifecycle_ask),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            async fn __lifecycle_body() -> Pool {
                Pool::connect().await
            }
            fn __lifecycle_create() -> ::lifecycle::__private0::Making<
                Pool,
                ::lifecycle::__private0::Infallible,
            > {
                ::lifecycle::__private0::std::boxed::Box::pin(async {
                    ::lifecycle::__private0::core::result::Result::Ok(__lifecycle_body().await)
                })
            }
            fn __lifecycle_ask() -> ::lifecycle::__private0::Asking<&'static Pool> {
                ::lifecycle::__private0::std::boxed::Box::pin(async {
                    ::lifecycle::__private0::declared::or_refused(
                        ::lifecycle::__private0::declared::get_async::<
                            __LifecycleKept,
                            _,
                            _,
                        >(
                                &__LIFECYCLE_CELL,
                                __lifecycle_create,
                                ::lifecycle::__private0::describe::never,
                            )
                            .await,
                    )
                })
            }
            const _: () = {
                use ::lifecycle::__private0::channel::NotResult as _;
                ::lifecycle::__private0::core::assert!(
                    ! ::lifecycle::__private0::channel::IsResult:: < Pool > ::HIDDEN,
                    "`Pool` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                );
            };
            if let ::lifecycle::__private0::core::option::Option::Some(lifecycle_found) = ::lifecycle::__private0::declared::hot::<
                __LifecycleKept,
            >(&__LIFECYCLE_CELL) {
                return lifecycle_found;
            }
            return ::lifecycle::__private0::declared::or_panic(
                ::lifecycle::__private0::declared::get_async::<
                    __LifecycleKept,
                    _,
                    _,
                >(
                        &__LIFECYCLE_CELL,
                        __lifecycle_create,
                        ::lifecycle::__private0::describe::never,
                    )
                    .await,
            );
        }
    "#]].assert_eq(&pretty(&singleton(quote!(), item)));
}

#[test]
fn a_rich_async_function() {
    let args = quote!(swap, retry_backoff = "1s", shutdown = |pool| async move { pool.close().await });
    let item = quote!(
        async fn db() -> Result<Pool, DbError> {
            Ok(Pool::connect(url()?).await?)
        }
    );
    expect![[r#"
        async fn db() -> Result<::lifecycle::Current<Pool>, DbError> {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Pool;
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::Replaceable;
            }
            impl ::lifecycle::__private0::declared::FailsWith for __LifecycleKept {
                type Error = DbError;
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
                        "db",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const {
                    fn __lifecycle_shutdown(
                        lifecycle_instance: &'static Pool,
                    ) -> ::lifecycle::__private0::HookRun {
                        use ::lifecycle::__private0::hooks::{FutureKind as _, PlainKind as _};
                        let lifecycle_outcome = ::lifecycle::__private0::hooks::call(
                            |pool| async move { pool.close().await },
                            lifecycle_instance,
                        );
                        (&lifecycle_outcome).__kind().run(lifecycle_outcome)
                    }
                    ::lifecycle::__private0::Settings::new()
                        .retry_backoff(
                            ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                            ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                        )
                        .shutdown(__lifecycle_shutdown)
                },
                ::lifecycle::__private0::Ask::Async(__lifecycle_ask),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            async fn __lifecycle_body() -> Result<Pool, DbError> {
                Ok(Pool::connect(url()?).await?)
            }
            fn __lifecycle_create() -> ::lifecycle::__private0::Making<Pool, DbError> {
                ::lifecycle::__private0::std::boxed::Box::pin(__lifecycle_body())
            }
            fn __lifecycle_ask() -> ::lifecycle::__private0::Asking<::lifecycle::Current<Pool>> {
                ::lifecycle::__private0::std::boxed::Box::pin(async {
                    ::lifecycle::__private0::channel::asked(
                        "db",
                        ::lifecycle::__private0::declared::get_async::<
                            __LifecycleKept,
                            _,
                            _,
                        >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text)
                            .await,
                        |lifecycle_error| {
                            use ::lifecycle::__private0::channel::{ByDebug as _, ByName as _};
                            ::lifecycle::__private0::channel::Boxing::<DbError>::NEW
                                .__boxed(lifecycle_error)
                        },
                    )
                })
            }
            const _: () = ::lifecycle::__private0::channel::says_refusal::<DbError>();
            if let ::lifecycle::__private0::core::option::Option::Some(lifecycle_found) = ::lifecycle::__private0::declared::hot::<
                __LifecycleKept,
            >(&__LIFECYCLE_CELL) {
                return ::lifecycle::__private0::core::result::Result::Ok(lifecycle_found);
            }
            return match ::lifecycle::__private0::declared::get_async::<
                __LifecycleKept,
                _,
                _,
            >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text)
                .await
            {
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
    "#]].assert_eq(&pretty(&singleton(args, item)));
}

#[test]
fn an_async_body_that_says_self_is_a_closure() {
    let item = quote!(
        async fn shared() -> Table {
            Self::build().await
        }
    );
    expect![[r#"
        impl Service {
            async fn shared() -> &'static Table {
                struct __LifecycleKept;
                impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                    type Value = Table;
                }
                impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                    type Mode = ::lifecycle::__private0::declared::Forever;
                }
                impl ::lifecycle::__private0::declared::FailsWith for __LifecycleKept {
                    type Error = ::lifecycle::__private0::Infallible;
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
                if let ::lifecycle::__private0::core::option::Option::Some(lifecycle_found) = ::lifecycle::__private0::declared::hot::<
                    __LifecycleKept,
                >(&__LIFECYCLE_CELL) {
                    return lifecycle_found;
                }
                return ::lifecycle::__private0::declared::or_panic(
                    ::lifecycle::__private0::declared::get_async::<
                        __LifecycleKept,
                        _,
                        _,
                    >(
                            &__LIFECYCLE_CELL,
                            || -> ::lifecycle::__private0::Making<
                                Table,
                                ::lifecycle::__private0::Infallible,
                            > {
                                ::lifecycle::__private0::std::boxed::Box::pin(async {
                                    ::lifecycle::__private0::core::result::Result::Ok(
                                        async {
                                            if false {
                                                return ::lifecycle::__private0::guard::never::<Table>();
                                            }
                                            Self::build().await
                                        }
                                            .await,
                                    )
                                })
                            },
                            ::lifecycle::__private0::describe::never,
                        )
                        .await,
                );
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(), item)));
}
