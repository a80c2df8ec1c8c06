//! Snapshots of types beyond the plain form: `swap`, async, settings and hooks.

use super::singleton;
use crate::tests::pretty;
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
                    ) -> ::lifecycle::__private0::HookRun<'static> {
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
                #[doc(alias("instance", "try_instance"))]
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
                    ::lifecycle::__private0::declared::instance_async::<
                        Pool,
                        _,
                    >(&__LIFECYCLE_CELL, __lifecycle_create)
                        .await
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
fn one_an_invocation() {
    let args = quote!(scope = invocation, shutdown = Session::close, health = |session| session.is_open());
    let item = quote! {
        fn session() -> Session {
            Session::open()
        }
    };
    let expected = expect![[r#"
        fn session() -> ::lifecycle::Current<Session> {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Session;
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::PerInvocation;
            }
            fn __lifecycle_here() {}
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<__LifecycleKept> = ::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Singleton,
                        "session",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const {
                    fn __lifecycle_leave<'lifecycle>(
                        lifecycle_instance: &'lifecycle Session,
                    ) -> ::lifecycle::__private0::HookRun<'lifecycle> {
                        use ::lifecycle::__private0::hooks::{FutureKind as _, PlainKind as _};
                        let lifecycle_outcome = ::lifecycle::__private0::hooks::call(
                            Session::close,
                            lifecycle_instance,
                        );
                        (&lifecycle_outcome).__kind().run(lifecycle_outcome)
                    }
                    fn __lifecycle_health_ref(
                        lifecycle_instance: &Session,
                    ) -> ::lifecycle::__private0::Health {
                        ::lifecycle::__private0::hooks::health_at_once(
                            ::lifecycle::__private0::hooks::call_ref(
                                |session| session.is_open(),
                                lifecycle_instance,
                            ),
                        )
                    }
                    ::lifecycle::__private0::Settings::new()
                        .leave(__lifecycle_leave)
                        .health_ref(__lifecycle_health_ref)
                },
                ::lifecycle::__private0::Ask::Made(|| ::lifecycle::__private0::declared::made::<
                    Session,
                    _,
                    _,
                >(__lifecycle_create)),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            fn __lifecycle_create() -> Session {
                Session::open()
            }
            const _: () = {
                use ::lifecycle::__private0::channel::NotResult as _;
                ::lifecycle::__private0::core::assert!(
                    ! ::lifecycle::__private0::channel::IsResult:: < Session > ::HIDDEN,
                    "`Session` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                );
            };
            return ::lifecycle::__private0::declared::instance::<
                __LifecycleKept,
            >(
                &__LIFECYCLE_CELL,
                || ::lifecycle::__private0::declared::made::<Session, _, _>(__lifecycle_create),
            );
        }
    "#]];
    expected.assert_eq(&pretty(&singleton(args, item)));
}
