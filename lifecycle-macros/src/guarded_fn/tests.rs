use crate::circuit_breaker::circuit_breaker;
use crate::guarded_fn::guard_part;
use crate::rate_limit::rate_limit;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands the attributes of a function in the compiler's order: the first one first, until none of ours is left.
fn expand_all(item: TokenStream) -> TokenStream {
    let mut function = match crate::item::Function::read("test", "", item.clone()) {
        Ok(function) => function,
        Err(_) => return item,
    };
    let ours = function.attrs.iter().position(|attr| {
        let last = attr.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        ["circuit_breaker", "rate_limit", "guard_part"].contains(&&*last)
    });
    let Some(at) = ours else { return item };
    let attr = function.attrs.remove(at);
    let name = attr.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let args = match attr.meta {
        syn::Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    let item = quote!(#function);
    expand_all(match &*name {
        "circuit_breaker" => circuit_breaker(args, item),
        "rate_limit" => rate_limit(args, item),
        _ => guard_part(args, item),
    })
}

#[test]
fn the_first_guard_steps_aside_with_a_marker() {
    let expanded = circuit_breaker(
        quote!(threshold = 3),
        quote!(
            #[inline]
            #[rate_limit("3/s")]
            fn f() -> Result<u8, E> {
                g()
            }
        ),
    );
    expect![[r##"
        #[inline]
        #[rate_limit("3/s")]
        #[::lifecycle::__private0::guard_part(breaker, threshold = 3)]
        fn f() -> Result<u8, E> {
            g()
        }
    "##]]
    .assert_eq(&pretty(&expanded));
}

#[test]
fn both_guards_make_one_wrapper_whichever_is_first() {
    let one = expand_all(quote!(
        #[circuit_breaker]
        #[rate_limit("3/s")]
        async fn f() -> Result<u8, E> {
            g().await
        }
    ));
    let other = expand_all(quote!(
        #[rate_limit("3/s")]
        #[circuit_breaker]
        async fn f() -> Result<u8, E> {
            g().await
        }
    ));
    assert_eq!(one.to_string(), other.to_string());
    expect![[r#"
        async fn f() -> Result<u8, E> {
            let lifecycle_breaker = {
                static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Breaker,
                        "f",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    ::lifecycle::__private0::BreakerConfig::new(),
                    || &__LIFECYCLE_BREAKER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER)
                }
                &__LIFECYCLE_BREAKER
            };
            let lifecycle_limiter = {
                static __LIFECYCLE_LIMITER: ::lifecycle::__private0::RateLimiter = ::lifecycle::__private0::RateLimiter::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Limiter,
                        "f",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    3u32,
                    ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                    || &__LIFECYCLE_LIMITER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::limiter(& __LIFECYCLE_LIMITER)
                }
                &__LIFECYCLE_LIMITER
            };
            let lifecycle_admission = match ::lifecycle::__private0::guard::both(
                lifecycle_breaker,
                lifecycle_limiter,
            ) {
                ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                    lifecycle_admitted
                }
                ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                    return ::lifecycle::__private0::channel::refuse::<
                        Result<u8, E>,
                    >(lifecycle_rejected);
                }
            };
            return lifecycle_admission
                .run_async(
                    async move {
                        if false {
                            return ::lifecycle::__private0::guard::never::<Result<u8, E>>();
                        }
                        g().await
                    },
                    |lifecycle_value| {
                        use ::lifecycle::__private0::channel::failed::by_type::*;
                        ::lifecycle::__private0::channel::Outcome::<Result<u8, E>>::NEW
                            .__verdict(
                                lifecycle_value,
                                |lifecycle_error| {
                                    (&&&&&&&&&::lifecycle::__private0::channel::failed::Failed(
                                        lifecycle_error,
                                    ))
                                        .__verdict()
                                },
                            )
                    },
                )
                .await;
        }
    "#]].assert_eq(&pretty(&one));
}

#[test]
fn what_async_trait_makes_is_guarded_inside_its_box() {
    let item = quote! {
        fn load<'life0, 'async_trait>(&'life0 self, id: u64)
            -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<u8, E>> + ::core::marker::Send + 'async_trait>>
        where 'life0: 'async_trait, Self: 'async_trait
        {
            Box::pin(async move { self.get(id).await })
        }
    };
    expect![[r#"
        impl Service {
            fn load<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> ::core::pin::Pin<
                Box<
                    dyn ::core::future::Future<
                        Output = Result<u8, E>,
                    > + ::core::marker::Send + 'async_trait,
                >,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                return Box::pin(async move {
                    if false {
                        return ::lifecycle::__private0::guard::never::<Result<u8, E>>();
                    }
                    let lifecycle_breaker = {
                        static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                            ::lifecycle::__private0::Descriptor::new(
                                ::lifecycle::__private0::Kind::Breaker,
                                "load",
                                ::lifecycle::__private0::core::module_path!(),
                                ::lifecycle::__private0::core::file!(),
                                ::lifecycle::__private0::core::line!(),
                            ),
                            ::lifecycle::__private0::BreakerConfig::new(),
                            || &__LIFECYCLE_BREAKER,
                        );
                        ::lifecycle::__private0::inventory::submit! {
                            ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER)
                        }
                        &__LIFECYCLE_BREAKER
                    };
                    let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                        lifecycle_breaker,
                    ) {
                        ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                            lifecycle_admitted
                        }
                        ::lifecycle::__private0::core::result::Result::Err(
                            lifecycle_rejected,
                        ) => {
                            return {
                                use ::lifecycle::__private0::channel::Whole as _;
                                ::lifecycle::__private0::channel::Outcome::<Result<u8, E>>::NEW
                                    .__refused(|r| E::new(id, r), lifecycle_rejected)
                            };
                        }
                    };
                    return lifecycle_admission
                        .run_async(
                            async move {
                                if false {
                                    return ::lifecycle::__private0::guard::never::<
                                        Result<u8, E>,
                                    >();
                                }
                                self.get(id).await
                            },
                            |lifecycle_value| {
                                use ::lifecycle::__private0::channel::failed::by_type::*;
                                ::lifecycle::__private0::channel::Outcome::<Result<u8, E>>::NEW
                                    .__verdict(
                                        lifecycle_value,
                                        |lifecycle_error| {
                                            (&&&&&&&&&::lifecycle::__private0::channel::failed::Failed(
                                                lifecycle_error,
                                            ))
                                                .__verdict()
                                        },
                                    )
                            },
                        )
                        .await;
                });
            }
        }
    "#]].assert_eq(&pretty_method(&circuit_breaker(quote!(on_rejected = |r| E::new(id, r)), item)));
}

#[test]
fn a_body_that_builds_a_future_runs_at_the_call() {
    let item = quote! {
        fn load(&self) -> impl Future<Output = Result<u8, E>> + 'static {
            let id = self.id;
            async move { get(id).await }
        }
    };
    expect![[r#"
        impl Service {
            fn load(&self) -> impl Future<Output = Result<u8, E>> + 'static {
                let lifecycle_future = ::lifecycle::__private0::guard::call(|| -> _ {
                    let id = self.id;
                    async move { get(id).await }
                });
                return async move {
                    if false {
                        return ::lifecycle::__private0::guard::never::<Result<u8, E>>();
                    }
                    let lifecycle_breaker = {
                        static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                            ::lifecycle::__private0::Descriptor::new(
                                ::lifecycle::__private0::Kind::Breaker,
                                "load",
                                ::lifecycle::__private0::core::module_path!(),
                                ::lifecycle::__private0::core::file!(),
                                ::lifecycle::__private0::core::line!(),
                            ),
                            ::lifecycle::__private0::BreakerConfig::new(),
                            || &__LIFECYCLE_BREAKER,
                        );
                        ::lifecycle::__private0::inventory::submit! {
                            ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER)
                        }
                        &__LIFECYCLE_BREAKER
                    };
                    let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                        lifecycle_breaker,
                    ) {
                        ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                            lifecycle_admitted
                        }
                        ::lifecycle::__private0::core::result::Result::Err(
                            lifecycle_rejected,
                        ) => {
                            return ::lifecycle::__private0::channel::refuse::<
                                Result<u8, E>,
                            >(lifecycle_rejected);
                        }
                    };
                    return lifecycle_admission
                        .run_async(
                            lifecycle_future,
                            |lifecycle_value| {
                                use ::lifecycle::__private0::channel::failed::by_type::*;
                                ::lifecycle::__private0::channel::Outcome::<Result<u8, E>>::NEW
                                    .__verdict(
                                        lifecycle_value,
                                        |lifecycle_error| {
                                            (&&&&&&&&&::lifecycle::__private0::channel::failed::Failed(
                                                lifecycle_error,
                                            ))
                                                .__verdict()
                                        },
                                    )
                            },
                        )
                        .await;
                };
            }
        }
    "#]].assert_eq(&pretty_method(&circuit_breaker(quote!(), item)));
}

#[test]
fn one_kind_stands_once() {
    let expanded = expand_all(quote!(
        #[circuit_breaker]
        #[circuit_breaker]
        fn f() -> Result<u8, E> {
            g()
        }
    ))
    .to_string();
    assert!(expanded.starts_with("fn f () -> Result < u8 , E > { g () }"), "{expanded}");
    assert_eq!(expanded.matches("stands on this function already").count(), 1, "{expanded}");
}
