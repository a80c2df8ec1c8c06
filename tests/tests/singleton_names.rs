//! Singletons by name: declared ones and those stored at run time, typed, once, dropped in order.

use lifecycle::{singleton, testing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[test]
fn by_name_both_kinds_come_back_typed() {
    #[singleton(name = "named_port", factory = || Port(8080))]
    struct Port(u16);

    testing::isolated(|| {
        let core = lifecycle::singletons();
        assert!(!core.has("named_port"));
        let port = core.get::<Port>("named_port").unwrap().unwrap();
        assert!(std::ptr::eq(&*port, Port::instance()) && port.0 == 8080);
        assert!(core.has("named_port"));

        let made = core.get_or_create("answer", || 42_u64).unwrap();
        let again = core.get_or_create("answer", || -> u64 { panic!("only on a miss") }).unwrap();
        assert!(made.same_as(&again));
        let error = core.get::<String>("answer").unwrap_err().to_string();
        assert_eq!(error, "`answer` holds a u64, not a alloc::string::String");
        assert!(core.get::<u8>("nothing").unwrap().is_none());

        let old: Arc<_> = core.get::<u64>("answer").unwrap().into_iter().collect();
        core.set("answer", 43_u64).unwrap();
        assert_eq!((*old[0], *core.get::<u64>("answer").unwrap().unwrap()), (42, 43));
        assert_eq!(core.get_stats().access_counts, [("named_port".to_owned(), 2), ("answer".to_owned(), 1)]);
        assert_eq!(core.clear().unwrap(), 2);
        assert_eq!(core.get_stats().total_singletons, 0);
    });
}

#[test]
fn clear_drops_the_newest_first_and_survives_a_panicking_drop() {
    static ORDER: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());
    struct Noted(u8);
    impl Drop for Noted {
        fn drop(&mut self) {
            ORDER.lock().unwrap().push(self.0);
            assert_ne!(self.0, 2, "a destructor that panics");
        }
    }

    let core = lifecycle::SingletonCore::new();
    for n in 1..=3 {
        core.set(&format!("n{n}"), Noted(n)).unwrap();
    }
    assert_eq!(core.clear().unwrap(), 3);
    assert_eq!(*ORDER.lock().unwrap_or_else(std::sync::PoisonError::into_inner), [3, 2, 1]);
}

#[test]
fn a_factory_and_a_drop_may_use_the_core_they_belong_to() {
    struct Reentrant;
    impl Drop for Reentrant {
        fn drop(&mut self) {
            lifecycle::singletons().set("left behind", 1_u8).unwrap();
        }
    }
    testing::isolated(|| {
        let core = lifecycle::singletons();
        core.get_or_create("outer", || *core.get_or_create("inner", || 5_u8).unwrap()).unwrap();
        core.set("dropped", Reentrant).unwrap();
        assert!(core.delete("dropped").unwrap());
        assert!(core.has("inner") && core.has("left behind"));
        let tail = core.get_or_try_create("tail", || core.get_or_create("tail", || 1_u8).map(|tail| *tail));
        let text = format!("{:#}", anyhow::Error::from(tail.unwrap_err()));
        assert!(text.contains("tail -> tail"), "{text}");
    });
}

#[test]
fn a_panicking_factory_by_name_is_retried() {
    let core = lifecycle::SingletonCore::new();
    let panics = || core.get_or_create("x", || -> u8 { panic!("first time") }).map(drop);
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(*core.get_or_create("x", || 3_u8).unwrap(), 3);
}
