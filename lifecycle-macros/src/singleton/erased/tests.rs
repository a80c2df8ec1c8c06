use crate::singleton::singleton;
use crate::tests::{pretty_method, tokens};
use expect_test::expect;
use quote::quote;

#[test]
fn a_signature_that_says_self() {
    let item = quote! { pub fn shared() -> Self { Self::build() } };
    expect![[r#"
        impl Service {
            pub fn shared() -> &'static Self {
                fn __lifecycle_here() {}
                static __LIFECYCLE_CELL: ::lifecycle::__private0::ErasedCell = ::lifecycle::__private0::declared::erased_cell(
                    ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Singleton,
                            "common",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        )
                        .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::declared::listed_erased(& __LIFECYCLE_CELL)
                }
                return ::lifecycle::__private0::declared::or_panic(
                    ::lifecycle::__private0::declared::erased_get::<
                        Self,
                        _,
                    >(
                        &__LIFECYCLE_CELL,
                        || ::lifecycle::__private0::core::result::Result::Ok(
                            ::lifecycle::__private0::guard::call(|| -> Self { Self::build() }),
                        ),
                        ::lifecycle::__private0::describe::never,
                    ),
                );
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(name = "common"), item)));
    let item = quote! { pub fn shared() -> Result<Self, Error> { Self::try_build() } };
    expect![[r#"
        impl Service {
            pub fn shared() -> Result<&'static Self, Error> {
                fn __lifecycle_here() {}
                static __LIFECYCLE_CELL: ::lifecycle::__private0::ErasedCell = ::lifecycle::__private0::declared::erased_cell(
                    ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Singleton,
                            "shared",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        )
                        .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::declared::listed_erased(& __LIFECYCLE_CELL)
                }
                return match ::lifecycle::__private0::declared::erased_get::<
                    Self,
                    Error,
                >(
                    &__LIFECYCLE_CELL,
                    || -> Result<Self, Error> { Self::try_build() },
                    |lifecycle_error: &Error| -> ::lifecycle::__private0::std::string::String {
                        use ::lifecycle::__private0::channel::text::{
                            ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text,
                        };
                        (&&&Text(lifecycle_error)).__text()
                    },
                ) {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance) => {
                        ::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance)
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_error) => {
                        ::lifecycle::__private0::core::result::Result::Err({
                            use ::lifecycle::__private0::channel::Panics as _;
                            ::lifecycle::__private0::channel::Refusal::<Error>::NEW
                                .__error(lifecycle_error)
                        })
                    }
                };
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(), item)));
}

#[test]
fn where_self_is_not_enough() {
    for (args, item, says) in [
        ("", "async fn f() -> Self { Self }", "write the type's name"),
        ("shutdown = g", "fn f() -> Self { Self }", "`shutdown` needs to know the type"),
        ("eager", "fn f() -> Result<Self, E> { Self }", "`warm_up` cannot call a body"),
        ("eager", "fn f() -> Result<Self, E> { g() }", "`eager` needs to know the type"),
        ("", "fn f() -> Result<u8, Self::Error> { Self::g() }", "do not know `Self`"),
        ("keyed", "fn f(a: u8) -> Self { Self }", "do not know `Self`"),
    ] {
        let expanded = singleton(tokens(args), tokens(item)).to_string();
        assert!(expanded.contains(says), "{item}: {expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{item}: {expanded}");
    }
}
