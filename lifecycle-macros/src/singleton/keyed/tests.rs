use crate::singleton::singleton;
use crate::tests::{pretty, pretty_method, tokens};
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    let item = quote! { fn table(name: &str) -> Table { Table::open(name) } };
    expect![[r##"
        #[allow(clippy::needless_pass_by_value)]
        fn table(name: &str) -> ::lifecycle::__private0::std::sync::Arc<Table> {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Table;
            }
            impl ::lifecycle::__private0::declared::Keyed for __LifecycleKept {
                type Key = (::lifecycle::__private0::keyed::Kept<__LifecyclePart0>,);
            }
            struct __LifecyclePart0;
            impl ::lifecycle::__private0::keyed::Refers for __LifecyclePart0 {
                type Target = str;
            }
            fn __lifecycle_here() {}
            fn __lifecycle_label(
                lifecycle_key: &<__LifecycleKept as ::lifecycle::__private0::declared::Keyed>::Key,
            ) -> ::lifecycle::__private0::std::string::String {
                use ::lifecycle::__private0::channel::text::{
                    ByDebug as _, ByDisplay as _, ByName as _, Text,
                };
                (&&Text(lifecycle_key.0.get())).__text()
            }
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::KeyedHome<
                __LifecycleKept,
            > = ::lifecycle::__private0::declared::keyed_cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Singleton,
                        "table",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const { ::lifecycle::__private0::Settings::new() },
                1024,
                __lifecycle_label,
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed_keyed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            const _: () = {
                use ::lifecycle::__private0::channel::NotResult as _;
                ::lifecycle::__private0::core::assert!(
                    ! ::lifecycle::__private0::channel::IsResult:: < Table > ::HIDDEN,
                    "`Table` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                );
            };
            #[allow(
                clippy::unnecessary_wraps,
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                clippy::large_types_passed_by_value,
                clippy::ptr_arg
            )]
            fn __lifecycle_create(name: &str) -> Table {
                Table::open(name)
            }
            let lifecycle_query = (
                ::lifecycle::__private0::keyed::Referring::<__LifecyclePart0>(name),
            );
            return ::lifecycle::__private0::declared::or_panic(
                ::lifecycle::__private0::declared::keyed_get::<
                    __LifecycleKept,
                    _,
                    _,
                >(
                    &__LIFECYCLE_CELL,
                    lifecycle_query,
                    || ::lifecycle::__private0::core::result::Result::Ok(
                        __lifecycle_create(name),
                    ),
                    ::lifecycle::__private0::describe::never,
                ),
            );
        }
    "##]].assert_eq(&pretty(&singleton(quote!(keyed), item)));
}

#[test]
fn rich() {
    let args = quote!(keyed, max_keys = MOST, name = "tables", memory = Table::bytes, crate = facade::lifecycle);
    let item = quote! {
        /// One table a region.
        #[inline]
        pub async fn table(mut name: &str, #[allow(unused)] (a, b): (u8, u8), _region: Region) -> Result<Table<Pg>, DbError> {
            name = name.trim();
            Table::open(name, a).await
        }
    };
    expect![[r##"
        #[allow(clippy::needless_pass_by_value)]
        /// One table a region.
        #[inline]
        pub async fn table(
            name: &str,
            lifecycle_argument_1: (u8, u8),
            lifecycle_argument_2: Region,
        ) -> Result<facade::lifecycle::__private0::std::sync::Arc<Table<Pg>>, DbError> {
            struct __LifecycleKept;
            impl facade::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = Table<Pg>;
            }
            impl facade::lifecycle::__private0::declared::Keyed for __LifecycleKept {
                type Key = (
                    facade::lifecycle::__private0::keyed::Kept<__LifecyclePart0>,
                    facade::lifecycle::__private0::keyed::Held<__LifecyclePart1>,
                    facade::lifecycle::__private0::keyed::Held<__LifecyclePart2>,
                );
            }
            struct __LifecyclePart0;
            impl facade::lifecycle::__private0::keyed::Refers for __LifecyclePart0 {
                type Target = str;
            }
            struct __LifecyclePart1;
            impl facade::lifecycle::__private0::keyed::Holds for __LifecyclePart1 {
                type Value = (u8, u8);
            }
            struct __LifecyclePart2;
            impl facade::lifecycle::__private0::keyed::Holds for __LifecyclePart2 {
                type Value = Region;
            }
            fn __lifecycle_here() {}
            fn __lifecycle_text(
                lifecycle_error: &DbError,
            ) -> facade::lifecycle::__private0::std::string::String {
                use facade::lifecycle::__private0::channel::text::{
                    ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text,
                };
                (&&&Text(lifecycle_error)).__text()
            }
            fn __lifecycle_label(
                lifecycle_key: &<__LifecycleKept as facade::lifecycle::__private0::declared::Keyed>::Key,
            ) -> facade::lifecycle::__private0::std::string::String {
                use facade::lifecycle::__private0::channel::text::{
                    ByDebug as _, ByDisplay as _, ByName as _, Text,
                };
                [
                    (&&Text(lifecycle_key.0.get())).__text(),
                    (&&Text(lifecycle_key.1.get())).__text(),
                    (&&Text(lifecycle_key.2.get())).__text(),
                ]
                    .join(", ")
            }
            const __LIFECYCLE_MAX_KEYS: facade::lifecycle::__private0::core::primitive::u32 = {
                let lifecycle_value: facade::lifecycle::__private0::core::primitive::u32 = MOST;
                facade::lifecycle::__private0::core::assert!(
                    lifecycle_value != 0, "`max_keys` must be at least 1"
                );
                lifecycle_value
            };
            static __LIFECYCLE_CELL: facade::lifecycle::__private0::declared::KeyedHome<
                __LifecycleKept,
            > = facade::lifecycle::__private0::declared::keyed_cell::<
                __LifecycleKept,
            >(
                facade::lifecycle::__private0::Descriptor::new(
                        facade::lifecycle::__private0::Kind::Singleton,
                        "tables",
                        facade::lifecycle::__private0::core::module_path!(),
                        facade::lifecycle::__private0::core::file!(),
                        facade::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| facade::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const {
                    fn __lifecycle_memory(
                        lifecycle_instance: &Table<Pg>,
                    ) -> facade::lifecycle::__private0::core::primitive::usize {
                        facade::lifecycle::__private0::hooks::call_ref::<
                            _,
                            facade::lifecycle::__private0::core::primitive::usize,
                        >(Table::bytes, lifecycle_instance)
                    }
                    facade::lifecycle::__private0::Settings::new().memory(__lifecycle_memory)
                },
                __LIFECYCLE_MAX_KEYS as facade::lifecycle::__private0::core::primitive::usize,
                __lifecycle_label,
            );
            facade::lifecycle::__private0::inventory::submit! {
                facade::lifecycle::__private0::declared::listed_keyed:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(
                clippy::unnecessary_wraps,
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                clippy::large_types_passed_by_value,
                clippy::ptr_arg
            )]
            async fn __lifecycle_create(
                mut name: &str,
                #[allow(unused)]
                (a, b): (u8, u8),
                _region: Region,
            ) -> Result<Table<Pg>, DbError> {
                name = name.trim();
                Table::open(name, a).await
            }
            let lifecycle_query = (
                facade::lifecycle::__private0::keyed::Referring::<__LifecyclePart0>(name),
                facade::lifecycle::__private0::keyed::Holding::<
                    __LifecyclePart1,
                >(&lifecycle_argument_1),
                facade::lifecycle::__private0::keyed::Holding::<
                    __LifecyclePart2,
                >(&lifecycle_argument_2),
            );
            if let facade::lifecycle::__private0::core::option::Option::Some(lifecycle_found) = facade::lifecycle::__private0::declared::keyed_hot::<
                __LifecycleKept,
                _,
            >(&__LIFECYCLE_CELL, &lifecycle_query) {
                return facade::lifecycle::__private0::core::result::Result::Ok(lifecycle_found);
            }
            return match facade::lifecycle::__private0::declared::keyed_get_async::<
                __LifecycleKept,
                _,
                DbError,
                _,
                _,
            >(
                    &__LIFECYCLE_CELL,
                    lifecycle_query,
                    {
                        fn __lifecycle_making(
                            lifecycle_key: <__LifecycleKept as facade::lifecycle::__private0::declared::Keyed>::Key,
                        ) -> facade::lifecycle::__private0::Making<Table<Pg>, DbError> {
                            facade::lifecycle::__private0::std::boxed::Box::pin(async move {
                                __lifecycle_create(
                                        lifecycle_key.0.pass(),
                                        lifecycle_key.1.pass(),
                                        lifecycle_key.2.pass(),
                                    )
                                    .await
                            })
                        }
                        __lifecycle_making
                    },
                    __lifecycle_text,
                )
                .await
            {
                facade::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance) => {
                    facade::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance)
                }
                facade::lifecycle::__private0::core::result::Result::Err(lifecycle_error) => {
                    facade::lifecycle::__private0::core::result::Result::Err({
                        use facade::lifecycle::__private0::channel::Panics as _;
                        facade::lifecycle::__private0::channel::Refusal::<DbError>::NEW
                            .__error(lifecycle_error)
                    })
                }
            };
        }
    "##]]
    .assert_eq(&pretty(&singleton(args, item)));
}

#[test]
fn a_body_that_says_self_is_a_closure() {
    let item = quote! { fn table(name: &str) -> Table { Self::open(name) } };
    expect![[r#"
        impl Service {
            #[allow(clippy::needless_pass_by_value)]
            fn table(name: &str) -> ::lifecycle::__private0::std::sync::Arc<Table> {
                struct __LifecycleKept;
                impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                    type Value = Table;
                }
                impl ::lifecycle::__private0::declared::Keyed for __LifecycleKept {
                    type Key = (::lifecycle::__private0::keyed::Kept<__LifecyclePart0>,);
                }
                struct __LifecyclePart0;
                impl ::lifecycle::__private0::keyed::Refers for __LifecyclePart0 {
                    type Target = str;
                }
                fn __lifecycle_here() {}
                fn __lifecycle_label(
                    lifecycle_key: &<__LifecycleKept as ::lifecycle::__private0::declared::Keyed>::Key,
                ) -> ::lifecycle::__private0::std::string::String {
                    use ::lifecycle::__private0::channel::text::{
                        ByDebug as _, ByDisplay as _, ByName as _, Text,
                    };
                    (&&Text(lifecycle_key.0.get())).__text()
                }
                static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::KeyedHome<
                    __LifecycleKept,
                > = ::lifecycle::__private0::declared::keyed_cell::<
                    __LifecycleKept,
                >(
                    ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Singleton,
                            "table",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        )
                        .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                    &const { ::lifecycle::__private0::Settings::new() },
                    1024,
                    __lifecycle_label,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::declared::listed_keyed:: < __LifecycleKept > (&
                    __LIFECYCLE_CELL)
                }
                const _: () = {
                    use ::lifecycle::__private0::channel::NotResult as _;
                    ::lifecycle::__private0::core::assert!(
                        ! ::lifecycle::__private0::channel::IsResult:: < Table > ::HIDDEN,
                        "`Table` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever"
                    );
                };
                #[allow(clippy::shadow_unrelated, clippy::shadow_reuse, clippy::shadow_same)]
                let __lifecycle_create = |name: &str| -> Table { Self::open(name) };
                let lifecycle_query = (
                    ::lifecycle::__private0::keyed::Referring::<__LifecyclePart0>(name),
                );
                return ::lifecycle::__private0::declared::or_panic(
                    ::lifecycle::__private0::declared::keyed_get::<
                        __LifecycleKept,
                        _,
                        _,
                    >(
                        &__LIFECYCLE_CELL,
                        lifecycle_query,
                        || ::lifecycle::__private0::core::result::Result::Ok(
                            __lifecycle_create(name),
                        ),
                        ::lifecycle::__private0::describe::never,
                    ),
                );
            }
        }
    "#]].assert_eq(&pretty_method(&singleton(quote!(keyed), item)));
    let item = quote! { async fn table(name: &str) -> Table { Self::open(name).await } };
    let expanded = singleton(quote!(keyed), item).to_string();
    assert!(
        expanded.contains("let __lifecycle_create = async | name : & str | -> Table { Self :: open (name) . await } ;"),
        "{expanded}"
    );
}

#[test]
fn borrows_that_last_or_are_not_kept_are_no_mistake() {
    for item in ["fn f(a: Option<&'static str>) -> u8 { 1 }", "fn f(a: fn(&str) -> u8, b: &[u8]) -> u8 { 1 }"] {
        let expanded = singleton(tokens("keyed"), tokens(item)).to_string();
        assert!(!expanded.contains("compile_error"), "{item}: {expanded}");
    }
}

#[test]
fn mistakes_keep_the_function() {
    for (args, item, says) in [
        ("keyed", "fn f() -> u8 { 1 }", "leave `keyed` away"),
        ("keyed", "fn f(&self, a: u8) -> u8 { 1 }", "remove `self`"),
        ("keyed", "fn f(a: impl Into<u8>) -> u8 { 1 }", "must have a name"),
        ("keyed", "fn f(a: &mut u8) -> u8 { 1 }", "take `&T`"),
        ("keyed", "fn f(a: Option<&str>) -> u8 { 1 }", "it owns what is in it"),
        ("keyed", "fn f(a: &[(u8, &str)]) -> u8 { 1 }", "it owns what is in it"),
        ("keyed", "fn f(a: Cow<'_, str>) -> u8 { 1 }", "it owns what is in it"),
        ("keyed", "fn f(a: Self) -> u8 { 1 }", "write the type's name"),
        ("keyed", "fn f(#[cfg(unix)] a: u8) -> u8 { 1 }", "on the whole function"),
        ("keyed", "fn f<T>(a: T) -> u8 { 1 }", "generic function"),
        ("keyed, swap", "fn f(a: u8) -> u8 { 1 }", "leave one of the two away"),
        ("keyed = true", "fn f(a: u8) -> u8 { 1 }", "takes no value"),
        ("", "fn f(a: u8) -> u8 { 1 }", "write `#[singleton(keyed)]`"),
    ] {
        let expanded = singleton(tokens(args), tokens(item)).to_string();
        assert!(expanded.starts_with("fn f") && expanded.contains(says), "{item}: {expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{item}: {expanded}");
    }
}
