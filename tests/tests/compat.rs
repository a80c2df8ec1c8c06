//! The gateway's names do what the cores do.

use lifecycle::compat::{
    get_circuit_breaker_manager, get_initialization_manager, get_singleton_manager, singleton_get,
    singleton_get_or_create, singleton_register,
};
use lifecycle::{Error, testing};

#[test]
fn the_managers_are_the_cores_for_ever() {
    assert!(std::ptr::eq(get_initialization_manager(), lifecycle::initialization()));
    assert!(std::ptr::eq(get_singleton_manager(), lifecycle::singletons()));
    assert!(std::ptr::eq(get_circuit_breaker_manager(), lifecycle::breakers()));
    testing::isolated(|| {
        assert!(std::ptr::eq(get_singleton_manager(), lifecycle::singletons()));
        for key in ["initialization_manager", "singleton_manager", "circuit_breaker_manager"] {
            assert!(!lifecycle::singletons().has(key), "managers are no entries, so nobody can clear or replace them");
        }
    });
}

#[test]
fn the_functions_are_get_set_and_get_or_create() {
    testing::isolated(|| {
        assert!(singleton_get::<u32>("a").unwrap().is_none());
        assert!(singleton_register("a", 1_u32).unwrap().is_none());
        assert_eq!(*singleton_get_or_create("a", || 2_u32).unwrap(), 1);
        assert_eq!(*singleton_register("a", 3_u32).unwrap().unwrap().downcast::<u32>().unwrap(), 1);
        assert_eq!(*singleton_get::<u32>("a").unwrap().unwrap(), 3);
        assert!(matches!(singleton_get::<u8>("a"), Err(Error::TypeMismatch { .. })));
        assert!(matches!(singleton_register("", 1), Err(Error::InvalidName { kind: "Singleton" })));
        assert_eq!(lifecycle::singletons().get_stats().access_counts, [("a".to_owned(), 1)]);
    });
}

#[test]
fn they_are_charged_as_the_core_s_operations_are() {
    testing::isolated(|| {
        let admitted = (0..2000).filter(|_| singleton_get::<u32>("a").is_ok()).count();
        assert_eq!(admitted, 1000);
        assert!(matches!(singleton_get_or_create("a", || 1), Err(Error::RateLimited { .. })));
    });
}
