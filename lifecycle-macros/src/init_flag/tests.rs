use super::init_flag;
use crate::tests::pretty;
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    expect![[r#"
        static USE_CACHE: Flag<bool> = {
            let lifecycle_default: <Flag<
                bool,
            > as ::lifecycle::__private0::DeclaredFlag>::Default = true;
            ::lifecycle::__private0::declared_flag(
                lifecycle_default,
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Flag,
                    "use_cache",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                ::lifecycle::__private0::core::option::Option::None,
                false,
                || &USE_CACHE,
            )
        };
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::flag(& USE_CACHE)
            }
        };
    "#]]
    .assert_eq(&pretty(&init_flag(
        quote!(),
        quote!(
            static USE_CACHE: Flag<bool> = true;
        ),
    )));
}

#[test]
fn rich() {
    let args = quote!(env = "RETRY_AFTER", name = "retry", crate = facade::lifecycle);
    let item = quote! {
        /// How long to wait.
        #[cfg(unix)]
        pub(crate) static RETRY_AFTER: lifecycle::Flag<Duration> = lifecycle::Flag::new(Duration::from_secs(3));
    };
    expect![[r#"
        /// How long to wait.
        #[cfg(unix)]
        pub(crate) static RETRY_AFTER: lifecycle::Flag<Duration> = {
            let lifecycle_default: <lifecycle::Flag<
                Duration,
            > as facade::lifecycle::__private0::DeclaredFlag>::Default = Duration::from_secs(3);
            facade::lifecycle::__private0::declared_flag(
                lifecycle_default,
                facade::lifecycle::__private0::Descriptor::new(
                    facade::lifecycle::__private0::Kind::Flag,
                    "retry",
                    facade::lifecycle::__private0::core::module_path!(),
                    facade::lifecycle::__private0::core::file!(),
                    facade::lifecycle::__private0::core::line!(),
                ),
                facade::lifecycle::__private0::core::option::Option::Some("RETRY_AFTER"),
                false,
                || &RETRY_AFTER,
            )
        };
        #[cfg(unix)]
        const _: () = {
            facade::lifecycle::__private0::inventory::submit! {
                facade::lifecycle::__private0::Listed::flag(& RETRY_AFTER)
            }
        };
    "#]]
    .assert_eq(&pretty(&init_flag(args, item)));
}

#[test]
fn a_step() {
    expect![[r#"
        fn init_logging() {
            struct __LifecycleKept;
            impl ::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = ();
            }
            impl ::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = ::lifecycle::__private0::declared::Forever;
            }
            fn __lifecycle_here() {}
            static __LIFECYCLE_CELL: ::lifecycle::__private0::declared::Home<__LifecycleKept> = ::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Flag,
                        "init_logging",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| ::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const { ::lifecycle::__private0::Settings::new() },
                ::lifecycle::__private0::Ask::Made(|| ::lifecycle::__private0::declared::made::<
                    (),
                    _,
                    _,
                >(__lifecycle_create)),
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::declared::listed_step:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            fn __lifecycle_create() -> () {
                tracing::start();
            }
            return *::lifecycle::__private0::declared::instance::<
                __LifecycleKept,
            >(
                &__LIFECYCLE_CELL,
                || ::lifecycle::__private0::declared::made::<(), _, _>(__lifecycle_create),
            );
        }
    "#]].assert_eq(&pretty(&init_flag(
        quote!(),
        quote!(
            fn init_logging() {
                tracing::start();
            }
        ),
    )));
}

#[test]
fn an_async_step_with_everything() {
    let args = quote!(
        on_initialize,
        depends_on(init_logging, Config),
        init_timeout = "5s",
        name = "db",
        crate = facade::lifecycle
    );
    let item = quote! {
        /// Migrates.
        #[cfg(unix)]
        pub(crate) async fn migrate() -> Result<(), DbError> {
            db().await?.migrate().await
        }
    };
    expect![[r##"
        #[allow(dead_code)]
        /// Migrates.
        #[cfg(unix)]
        pub(crate) async fn migrate() -> Result<(), DbError> {
            struct __LifecycleKept;
            impl facade::lifecycle::__private0::declared::Kept for __LifecycleKept {
                type Value = ();
            }
            impl facade::lifecycle::__private0::declared::Stored for __LifecycleKept {
                type Mode = facade::lifecycle::__private0::declared::Forever;
            }
            impl facade::lifecycle::__private0::declared::FailsWith for __LifecycleKept {
                type Error = DbError;
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
            static __LIFECYCLE_CELL: facade::lifecycle::__private0::declared::Home<
                __LifecycleKept,
            > = facade::lifecycle::__private0::declared::cell::<
                __LifecycleKept,
            >(
                facade::lifecycle::__private0::Descriptor::new(
                        facade::lifecycle::__private0::Kind::Flag,
                        "db",
                        facade::lifecycle::__private0::core::module_path!(),
                        facade::lifecycle::__private0::core::file!(),
                        facade::lifecycle::__private0::core::line!(),
                    )
                    .inside(|| facade::lifecycle::__private0::path_of(&__lifecycle_here)),
                &const {
                    facade::lifecycle::__private0::Settings::new()
                        .eager()
                        .init_timeout(
                            facade::lifecycle::__private0::core::time::Duration::new(5u64, 0u32),
                        )
                        .depends_on(
                            &[
                                || facade::lifecycle::__private0::Needs::Function(
                                    facade::lifecycle::__private0::declared::name_of(
                                        &init_logging,
                                    ),
                                ),
                                || facade::lifecycle::__private0::Needs::Component(
                                    facade::lifecycle::__private0::declared::cell_of::<Config>(),
                                ),
                            ],
                        )
                },
                facade::lifecycle::__private0::Ask::Async(__lifecycle_ask),
            );
            facade::lifecycle::__private0::inventory::submit! {
                facade::lifecycle::__private0::declared::listed_step:: < __LifecycleKept > (&
                __LIFECYCLE_CELL)
            }
            #[allow(clippy::unnecessary_wraps)]
            async fn __lifecycle_body() -> Result<(), DbError> {
                db().await?.migrate().await
            }
            fn __lifecycle_create() -> facade::lifecycle::__private0::Making<(), DbError> {
                facade::lifecycle::__private0::std::boxed::Box::pin(__lifecycle_body())
            }
            fn __lifecycle_ask() -> facade::lifecycle::__private0::Asking<&'static ()> {
                facade::lifecycle::__private0::std::boxed::Box::pin(async {
                    facade::lifecycle::__private0::channel::asked(
                        "db",
                        facade::lifecycle::__private0::declared::get_async::<
                            __LifecycleKept,
                            _,
                            _,
                        >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text)
                            .await,
                        |lifecycle_error| {
                            use facade::lifecycle::__private0::channel::{
                                ByDebug as _, ByName as _,
                            };
                            facade::lifecycle::__private0::channel::Boxing::<DbError>::NEW
                                .__boxed(lifecycle_error)
                        },
                    )
                })
            }
            if let facade::lifecycle::__private0::core::option::Option::Some(lifecycle_found) = facade::lifecycle::__private0::declared::hot::<
                __LifecycleKept,
            >(&__LIFECYCLE_CELL) {
                return facade::lifecycle::__private0::core::result::Result::Ok(*lifecycle_found);
            }
            return match facade::lifecycle::__private0::declared::get_async::<
                __LifecycleKept,
                _,
                _,
            >(&__LIFECYCLE_CELL, __lifecycle_create, __lifecycle_text)
                .await
            {
                facade::lifecycle::__private0::core::result::Result::Ok(lifecycle_instance) => {
                    facade::lifecycle::__private0::core::result::Result::Ok(*lifecycle_instance)
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
    "##]].assert_eq(&pretty(&init_flag(args, item)));
}

#[test]
fn mistakes_keep_the_step() {
    for (args, item, says) in [
        ("", "fn f(a: u8) { }", "takes no arguments"),
        ("", "fn f(&self) { }", "remove `self` from `f`"),
        ("", "fn f<T>() { }", "a generic function is many"),
        ("", "const fn f() { }", "a step runs at run time: remove `const`"),
        ("", "unsafe fn f() { }", "remove `unsafe`"),
        ("", "extern \"C\" fn f() { }", "remove the ABI"),
        ("", "fn f() -> u8 { 1 }", "for a value use `#[singleton] fn f() -> T`"),
        ("", "fn f() -> Result<u8, E> { Ok(1) }", "for a value use `#[singleton] fn f() -> Result<T, E>`"),
        ("", "fn f() -> ! { loop {} }", "would wait for ever"),
        ("", "fn f() -> io::Result<()> { Ok(()) }", "which the step needs: write it out, `Result<(), io::Error>`"),
        ("", "fn f() -> Result<(), Self> { Ok(()) }", "write the type's name"),
        ("env = \"X\"", "fn f() { }", "a step takes nothing from the environment"),
        ("secret", "fn f() { }", "a step has no value to hide"),
        ("on_initialize", "fn f() { Self::x() }", "cannot call a body that says `Self`"),
        ("depends_on(f)", "fn f() { }", "cannot need itself"),
        ("depend_on(g)", "fn f() { }", "did you mean `depends_on`"),
        ("eager", "fn f() { }", "`on_initialize`"),
        ("on_initialize", "static F: Flag<bool> = true;", "`on_initialize` belongs to a step"),
        ("depends_on(g)", "static F: Flag<bool> = true;", "`depends_on` belongs to a step"),
        ("init_timeout = \"1s\"", "static F: Flag<bool> = true;", "`init_timeout` belongs to a step"),
    ] {
        let expanded = init_flag(crate::tests::tokens(args), crate::tests::tokens(item)).to_string();
        assert!(expanded.contains(says), "{item}: {expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{item}: {expanded}");
    }
}
