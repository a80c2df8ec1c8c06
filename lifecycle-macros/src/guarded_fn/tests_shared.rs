//! Breakers and limiters to share: on a static, on an impl block.

use crate::circuit_breaker::circuit_breaker;
use crate::guarded_fn::guard_part;
use crate::rate_limit::rate_limit;
use crate::tests::{mistakes, pretty};
use expect_test::expect;
use quote::quote;

#[test]
fn statics() {
    let breaker = circuit_breaker(
        quote!(threshold = N, name = "db"),
        quote!(
            /// The database.
            #[cfg(unix)]
            pub static HA: CircuitBreaker;
        ),
    );
    let limiter = rate_limit(
        quote!("100/s"),
        quote!(
            static API: lifecycle::RateLimiter;
        ),
    );
    expect![[r#"
        /// The database.
        #[cfg(unix)]
        pub static HA: CircuitBreaker = {
            const __LIFECYCLE_THRESHOLD: ::lifecycle::__private0::core::primitive::u32 = {
                let lifecycle_value: ::lifecycle::__private0::core::primitive::u32 = N;
                ::lifecycle::__private0::core::assert!(
                    lifecycle_value != 0, "`threshold` must be at least 1"
                );
                lifecycle_value
            };
            ::lifecycle::__private0::CircuitBreaker::__declared(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Breaker,
                    "db",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                ::lifecycle::__private0::BreakerConfig::new().threshold(__LIFECYCLE_THRESHOLD),
                || &HA,
            )
        };
        #[cfg(unix)]
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::breaker(& HA)
            }
        };
        static API: lifecycle::RateLimiter = ::lifecycle::__private0::RateLimiter::__declared(
            ::lifecycle::__private0::Descriptor::new(
                ::lifecycle::__private0::Kind::Limiter,
                "api",
                ::lifecycle::__private0::core::module_path!(),
                ::lifecycle::__private0::core::file!(),
                ::lifecycle::__private0::core::line!(),
            ),
            100u32,
            ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
            || &API,
        );
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::limiter(& API)
            }
        };
    "#]]
    .assert_eq(&pretty(&quote!(#breaker #limiter)));
}

#[test]
fn statics_that_cannot_be() {
    for (args, item, says) in [
        (
            quote!(),
            quote!(
                static HA: CircuitBreaker = x();
            ),
            "write `static HA: CircuitBreaker;`",
        ),
        (
            quote!(),
            quote!(
                static mut HA: CircuitBreaker;
            ),
            "remove `mut`",
        ),
        (
            quote!(),
            quote!(
                static HA: RateLimiter;
            ),
            "declared by `#[rate_limit]`",
        ),
        (
            quote!(),
            quote!(
                static HA: Arc<CircuitBreaker>;
            ),
            "write `static HA: CircuitBreaker;`",
        ),
        (
            quote!(),
            quote!(
                static HA: &CircuitBreaker;
            ),
            "write `static HA: CircuitBreaker;`",
        ),
        (
            quote!(on_rejected = f),
            quote!(
                static HA: CircuitBreaker;
            ),
            "`#[circuit_breaker(HA, on_rejected = ..)]`",
        ),
        (
            quote!(key = x),
            quote!(
                static HA: CircuitBreaker;
            ),
            "put the attribute on the function",
        ),
        (
            quote!(dispatch),
            quote!(
                static HA: CircuitBreaker;
            ),
            "a static is none",
        ),
        (
            quote!(skip),
            quote!(
                static HA: CircuitBreaker;
            ),
            "stands on that method, not on a static",
        ),
        (
            quote!(OTHER),
            quote!(
                static HA: CircuitBreaker;
            ),
            "names another",
        ),
    ] {
        let said = mistakes(circuit_breaker(args.clone(), item.clone()));
        assert!(said.len() == 1 && said[0].contains(says), "{args} {item}: {said:?}");
    }
}

#[test]
fn an_impl_block() {
    let expanded = circuit_breaker(
        quote!(threshold = 3, on_rejected = |r| Error::from(r)),
        quote!(
            #[cfg(unix)]
            impl<T> Load<T> for pool::Service<T> {
                type Error = Error;
                fn id(&self) -> u64 {
                    self.id
                }
                async fn load(&self) -> Result<T, Error> {
                    self.get().await
                }
                fn boxed(&self) -> Pin<Box<dyn Future<Output = io::Result<T>> + '_>> {
                    Box::pin(self.get())
                }
                #[inline]
                #[circuit_breaker(skip)]
                fn check(&self) -> Result<(), Error> {
                    Ok(())
                }
                #[breaker(include)]
                fn count(&self) -> Option<u8> {
                    Some(1)
                }
            }
        ),
    );
    expect![[r##"
        #[cfg(unix)]
        const _: () = {
            static __LIFECYCLE_BREAKER_OF_IMPL: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Breaker,
                    "service",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                ::lifecycle::__private0::BreakerConfig::new().threshold(3u32),
                || &__LIFECYCLE_BREAKER_OF_IMPL,
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER_OF_IMPL)
            }
            #[cfg(unix)]
            impl<T> Load<T> for pool::Service<T> {
                type Error = Error;
                fn id(&self) -> u64 {
                    self.id
                }
                #[::lifecycle::__private0::guard_part(
                    breaker_of_impl,
                    __LIFECYCLE_BREAKER_OF_IMPL,
                    on_rejected = |r|Error::from(r)
                )]
                async fn load(&self) -> Result<T, Error> {
                    self.get().await
                }
                #[::lifecycle::__private0::guard_part(
                    breaker_of_impl,
                    __LIFECYCLE_BREAKER_OF_IMPL,
                    on_rejected = |r|Error::from(r)
                )]
                fn boxed(&self) -> Pin<Box<dyn Future<Output = io::Result<T>> + '_>> {
                    Box::pin(self.get())
                }
                #[inline]
                #[circuit_breaker(skip)]
                #[::lifecycle::__private0::guard_part(
                    breaker_of_impl,
                    __LIFECYCLE_BREAKER_OF_IMPL,
                    on_rejected = |r|Error::from(r)
                )]
                fn check(&self) -> Result<(), Error> {
                    Ok(())
                }
                #[breaker(include)]
                #[::lifecycle::__private0::guard_part(
                    breaker_offered,
                    __LIFECYCLE_BREAKER_OF_IMPL,
                    on_rejected = |r|Error::from(r)
                )]
                fn count(&self) -> Option<u8> {
                    Some(1)
                }
            }
        };
    "##]].assert_eq(&pretty(&expanded));
}

#[test]
fn both_guards_on_an_impl_block() {
    let breaker_first = circuit_breaker(
        quote!(),
        quote!(
            #[rate_limit("3/s")]
            impl Service {
                fn load(&self) -> Result<T, Error> {
                    self.get()
                }
            }
        ),
    );
    expect![[r##"
        #[rate_limit("3/s")]
        #[::lifecycle::__private0::guard_part(breaker)]
        impl Service {
            fn load(&self) -> Result<T, Error> {
                self.get()
            }
        }
    "##]]
    .assert_eq(&pretty(&breaker_first));
    let expanded = rate_limit(
        quote!("3/s"),
        quote!(
            #[::lifecycle::__private0::guard_part(breaker)]
            impl Service {
                fn load(&self) -> Result<T, Error> {
                    self.get()
                }
            }
        ),
    );
    expect![[r#"
        const _: () = {
            static __LIFECYCLE_BREAKER_OF_IMPL: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Breaker,
                    "service",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                ::lifecycle::__private0::BreakerConfig::new(),
                || &__LIFECYCLE_BREAKER_OF_IMPL,
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER_OF_IMPL)
            }
            static __LIFECYCLE_LIMITER_OF_IMPL: ::lifecycle::__private0::RateLimiter = ::lifecycle::__private0::RateLimiter::__declared(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Limiter,
                    "service",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                3u32,
                ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                || &__LIFECYCLE_LIMITER_OF_IMPL,
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::limiter(& __LIFECYCLE_LIMITER_OF_IMPL)
            }
            impl Service {
                #[::lifecycle::__private0::guard_part(
                    breaker_of_impl,
                    __LIFECYCLE_BREAKER_OF_IMPL
                )]
                #[::lifecycle::__private0::guard_part(
                    limiter_of_impl,
                    __LIFECYCLE_LIMITER_OF_IMPL
                )]
                fn load(&self) -> Result<T, Error> {
                    self.get()
                }
            }
        };
    "#]].assert_eq(&pretty(&expanded));
}

/// What a method's own attribute finds below it, and what it makes of that.
#[test]
fn a_method_decides_for_itself() {
    let shared = quote!(#[::lifecycle::__private0::guard_part(breaker_of_impl, __LIFECYCLE_BREAKER_OF_IMPL, on_rejected = refused)]);
    let offered = quote!(#[::lifecycle::__private0::guard_part(breaker_offered, __LIFECYCLE_BREAKER_OF_IMPL)]);
    let method = quote!(
        fn f(&self) -> Result<u8, E> {
            g()
        }
    );
    let bare = method.to_string();
    assert_eq!(circuit_breaker(quote!(skip), quote!(#shared #method)).to_string(), bare);
    assert_eq!(guard_part(quote!(breaker_offered, X), method.clone()).to_string(), bare);
    let own = circuit_breaker(quote!(threshold = 1), quote!(#shared #method)).to_string();
    assert!(own.contains("threshold (1u32)") && !own.contains("OF_IMPL"), "{own}");
    for (args, marker) in [(quote!(include), &offered), (quote!(include, on_rejected = mine), &shared)] {
        let included = circuit_breaker(args.clone(), quote!(#marker #method)).to_string();
        assert!(included.contains("OF_IMPL") && !included.contains("static"), "{included}");
        assert_eq!(included.contains("mine"), args.to_string().contains("mine"));
        assert!(!included.contains("refused)"), "{included}");
    }
    let limited = rate_limit(quote!("3/s"), quote!(#shared #method)).to_string();
    assert!(limited.contains("guard :: both") && limited.contains("OF_IMPL"), "{limited}");
}

#[test]
fn impl_blocks_that_cannot_be() {
    for (args, item, says) in [
        (quote!(), quote!(impl S { fn f() -> u8 { 1 } }), "`#[circuit_breaker(include)]` on those"),
        (quote!(), quote!(impl S {}), "whose signature says `Result`, and none does"),
        (quote!(), quote!(impl X for [u8] { fn f() -> Result<u8, E> { g() } }), "add `name = \"..\"`"),
        (
            quote!(key = x),
            quote!(impl S { fn f() -> Result<u8, E> { g() } }),
            "put `#[circuit_breaker(key = ..)]` on the methods",
        ),
        (quote!(dispatch), quote!(impl S { fn f() -> Result<u8, E> { g() } }), "an impl block is none"),
        (quote!(skip), quote!(impl S { fn f() -> Result<u8, E> { g() } }), "not on an impl block"),
    ] {
        let said = mistakes(circuit_breaker(args.clone(), item.clone()));
        assert!(said.len() == 1 && said[0].contains(says), "{args} {item}: {said:?}");
    }
    let constant = guard_part(
        quote!(breaker_of_impl, X),
        quote!(
            const fn f() -> Result<u8, E> {
                g()
            }
        ),
    );
    assert!(mistakes(constant)[0].contains("or leave it out with `#[circuit_breaker(skip)]`"));
}

/// One mistake is one error: what the methods say about the block's guard is right.
#[test]
fn a_mistake_on_the_block_is_none_of_its_methods() {
    let expanded = circuit_breaker(
        quote!(treshold = 3),
        quote!(
            impl Service {
                #[circuit_breaker(skip)]
                fn skipped() -> Result<u8, E> {
                    g()
                }
                fn plain() -> Result<u8, E> {
                    g()
                }
            }
        ),
    );
    let tokens = expanded.to_string();
    assert_eq!((mistakes(expanded).len(), tokens.matches("breaker_mistaken").count()), (1, 1), "{tokens}");
    let marker = quote!(#[::lifecycle::__private0::guard_part(breaker_mistaken,)]);
    let method = quote!(
        fn f() -> Result<u8, E> {
            g()
        }
    );
    for args in [quote!(skip), quote!(include)] {
        assert_eq!(circuit_breaker(args, quote!(#marker #method)).to_string(), method.to_string());
    }
    assert_eq!(guard_part(quote!(limiter_mistaken, skip), method.clone()).to_string(), method.to_string());
}
