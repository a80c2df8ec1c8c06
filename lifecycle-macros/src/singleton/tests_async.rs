//! Snapshots of async functions.

use super::singleton;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

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
            return ::lifecycle::__private0::declared::instance_async::<
                __LifecycleKept,
                _,
            >(&__LIFECYCLE_CELL, __lifecycle_create)
                .await;
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
                    ) -> ::lifecycle::__private0::HookRun<'static> {
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
                return ::lifecycle::__private0::declared::instance_async::<
                    __LifecycleKept,
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
                    )
                    .await;
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(), item)));
}
