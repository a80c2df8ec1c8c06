//! Functions wherever they stand are singletons, and `lifecycle::handle` finds each of them, called before or not.

use lifecycle::{Error, Singleton, singleton, testing};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[singleton]
fn free() -> u8 {
    1
}

#[singleton]
async fn free_async() -> u8 {
    2
}

#[singleton(keyed)]
fn free_keyed(n: u32) -> u32 {
    n
}

#[singleton(keyed)]
async fn free_keyed_async(n: u32) -> u32 {
    n
}

#[singleton(swap)]
fn free_swap() -> Result<u8, std::fmt::Error> {
    Ok(3)
}

struct Owner;

impl Owner {
    #[singleton]
    fn associated() -> u8 {
        4
    }

    #[singleton]
    async fn associated_async() -> Result<u8, std::fmt::Error> {
        Ok(5)
    }

    #[singleton(keyed)]
    fn associated_keyed(n: u32) -> u32 {
        n
    }

    #[singleton]
    fn with_self() -> Self {
        Self
    }

    fn method(&self) -> &'static u8 {
        #[singleton]
        fn in_a_method() -> u8 {
            6
        }
        assert!(!lifecycle::handle(in_a_method).unwrap().is_created());
        in_a_method()
    }
}

struct Other;

impl Other {
    #[singleton(name = "other_associated")]
    fn associated() -> u8 {
        7
    }
}

fn nested() -> [u8; 2] {
    #[singleton]
    fn inner() -> u8 {
        8
    }
    #[singleton]
    async fn inner_async() -> u8 {
        9
    }
    assert!(!lifecycle::handle(inner).unwrap().is_created());
    lifecycle::handle(inner_async).unwrap().replace(10).unwrap();
    [*inner(), *ready(inner_async())]
}

#[test]
fn a_handle_is_found_before_the_first_call_wherever_the_function_stands() {
    testing::isolated(|| {
        assert_eq!(lifecycle::handle(free).unwrap().name(), "free");
        assert_eq!(lifecycle::handle(free_async).unwrap().name(), "free_async");
        assert_eq!(lifecycle::handle(free_keyed).unwrap().name(), "free_keyed");
        assert_eq!(lifecycle::handle(free_keyed_async).unwrap().name(), "free_keyed_async");
        assert_eq!(lifecycle::handle(free_swap).unwrap().name(), "free_swap");
        assert_eq!(lifecycle::handle(Owner::associated).unwrap().name(), "associated");
        assert_eq!(lifecycle::handle(Owner::associated_async).unwrap().name(), "associated_async");
        assert_eq!(lifecycle::handle(Owner::associated_keyed).unwrap().name(), "associated_keyed");
        assert_eq!(lifecycle::handle(Other::associated).unwrap().name(), "other_associated");
        assert_eq!((nested(), *Owner.method()), ([8, 10], 6));
    });
}

#[test]
fn a_handle_manages_what_the_function_gives() {
    testing::isolated(|| {
        let handle = lifecycle::handle(Owner::associated).unwrap();
        assert!(handle.get().is_none() && !handle.is_created() && !handle.delete());
        assert!(handle.replace(40).unwrap().is_none());
        assert_eq!((*Owner::associated(), *handle.get().unwrap()), (40, 40));
        handle.reload().unwrap();
        assert_eq!(*Owner::associated(), 4);
        assert_eq!((handle.stats().accesses, handle.stats().retired), (2, 1));
        assert!(handle.keys().is_empty());

        ready(lifecycle::handle(Owner::associated_async).unwrap().reload_async()).unwrap();
        assert_eq!(**ready(Owner::associated_async()).as_ref().unwrap(), 5);

        let swap = lifecycle::handle(free_swap).unwrap();
        swap.replace(30).unwrap();
        assert_eq!((*free_swap().unwrap(), *swap.replace(31).unwrap().unwrap()), (30, 30));

        let keyed = lifecycle::handle(free_keyed).unwrap();
        let one = free_keyed(1);
        assert_eq!(keyed.keys()[0].name, "free_keyed[1]");
        assert!(keyed.get().is_none() && keyed.delete() && !Arc::ptr_eq(&one, &free_keyed(1)));
        assert_eq!(*ready(free_keyed_async(5)), 5);
        assert_eq!(lifecycle::handle(free_keyed_async).unwrap().keys()[0].name, "free_keyed_async[5]");
    });
}

#[test]
fn what_declares_no_singleton_is_not_found_and_types_are_checked() {
    fn plain() -> &'static u8 {
        &1
    }
    assert!(matches!(lifecycle::handle(plain), Err(Error::NotFound { kind: "singleton", .. })));
    assert!(matches!(lifecycle::singleton::<u8>("nobody"), Err(Error::NotFound { .. })));
    assert!(matches!(lifecycle::singleton::<u16>("free"), Err(Error::TypeMismatch { .. })));
    assert!(lifecycle::singleton::<u8>(&format!("{}::free", module_path!())).is_ok());
}

#[test]
fn two_functions_of_one_name_in_two_blocks_are_told_apart_by_their_calls_alone() {
    fn both() -> [u8; 2] {
        let first = {
            #[singleton]
            fn twice() -> u8 {
                1
            }
            let Err(Error::Ambiguous { candidates, .. }) = lifecycle::handle(twice) else { panic!("which one?") };
            assert_eq!(candidates.len(), 2);
            twice()
        };
        let second = {
            #[singleton]
            fn twice() -> u8 {
                2
            }
            assert!(matches!(lifecycle::handle(twice), Err(Error::Ambiguous { .. })));
            twice()
        };
        [*first, *second]
    }
    assert_eq!(both(), [1, 2]);
    assert!(matches!(lifecycle::singletons().get::<u8>("twice"), Err(Error::Ambiguous { .. })));
    assert!(matches!(lifecycle::singletons().set("twice", 1_u8), Err(Error::Ambiguous { .. })));
    assert!(!lifecycle::singletons().has("twice"));
    let stats = lifecycle::singletons().get_stats();
    assert_eq!(stats.singleton_names.iter().filter(|name| name.contains("::twice (")).count(), 2, "{stats:?}");
}

#[test]
fn a_static_in_a_generic_function_is_one_for_all_its_types() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    fn generic<T: Default>() -> &'static u32 {
        let _ = T::default();
        #[singleton]
        fn in_generic() -> u32 {
            RUNS.fetch_add(1, Ordering::SeqCst)
        }
        in_generic()
    }
    struct Generic<T>(T);
    impl<T> Generic<T> {
        #[singleton]
        fn in_generic_impl() -> u32 {
            RUNS.fetch_add(1, Ordering::SeqCst)
        }
    }
    assert!(std::ptr::eq(generic::<u8>(), generic::<String>()));
    assert!(std::ptr::eq(Generic::<u8>::in_generic_impl(), Generic::<String>::in_generic_impl()));
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
    _ = Generic(1).0;
}

#[test]
fn a_function_that_says_self_is_managed_by_name_once_its_type_is_known() {
    #[derive(Debug, PartialEq)]
    struct Named([u64; 4]);
    impl Named {
        #[singleton]
        fn named_self() -> Self {
            Self([1; 4])
        }
    }
    testing::isolated(|| {
        let core = lifecycle::singletons();
        let unknown = core.set("named_self", Named([0; 4]));
        assert!(matches!(unknown, Err(Error::NotPossible { .. })), "{unknown:?}");
        let first = Named::named_self();
        assert!(std::ptr::eq(&*core.get::<Named>("named_self").unwrap().unwrap(), first));
        assert!(matches!(core.set("named_self", 1_u8), Err(Error::TypeMismatch { .. })));
        core.set("named_self", Named([2; 4])).unwrap();
        assert_eq!((Named::named_self(), first), (&Named([2; 4]), &Named([1; 4])));
        let handle = lifecycle::singleton::<Named>("named_self").unwrap();
        let stats = handle.stats();
        assert_eq!((stats.size, stats.retired, stats.retired_bytes), (32, 1, 32), "of the value, not of the box");
        assert_eq!((stats.type_name.as_str(), stats.accesses), ("Named", 1));
        let guard = handle.override_with(Named([3; 4])).unwrap();
        assert_eq!(Named::named_self().0[0], 3);
        drop(guard);
        assert!(handle.delete() && core.get::<Named>("named_self").is_err());
    });
    let _: &Owner = Owner::with_self();
    assert!(lifecycle::singleton::<u8>("with_self").is_err());
}

#[test]
fn a_generic_impl_that_says_self_refuses_a_second_type() {
    struct Wrapper<T>(std::marker::PhantomData<T>);
    impl<T: Send + Sync + 'static> Wrapper<T> {
        #[singleton]
        fn of_any_type() -> Self {
            Self(std::marker::PhantomData)
        }
    }
    Wrapper::<u8>::of_any_type();
    let panic = std::panic::catch_unwind(|| _ = Wrapper::<u16>::of_any_type()).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("of_any_type") && text.contains("one static for all types"), "{text}");
    Wrapper::<u8>::of_any_type();
}

#[test]
fn nothing_of_a_type_s_own_is_in_the_way() {
    // Accessors are inherent; a trait of the same names stays callable.
    #[singleton]
    #[derive(Default)]
    struct Plain(u8);
    trait Named {
        fn stats(&self) -> u8;
    }
    impl Named for Plain {
        fn stats(&self) -> u8 {
            self.0
        }
    }
    testing::isolated(|| {
        assert_eq!((Named::stats(Plain::instance()), <Plain as Singleton>::stats().accesses), (0, 1));
    });
}
