//! Memory that runs short, and resets while others are at work.

use lifecycle::testing::{events, isolated, set_memory};
use lifecycle::{MemoryThreshold, invocation, on_memory_pressure, reset_all_managers, singleton};
use lifecycle_tests::{ByHand, Gate, in_child, is_child};
use std::sync::{Arc, Mutex};

#[singleton(pressure = |cache: &Mutex<Vec<u8>>| std::mem::take(&mut *cache.lock().unwrap()).len(),
    reset = |cache: &Mutex<Vec<u8>>| cache.lock().unwrap().clear())]
fn cache() -> Mutex<Vec<u8>> {
    Mutex::new(vec![7; 100])
}

#[singleton(pressure = |_: &u8| -> usize { panic!("in the hook") })]
fn panicking() -> u8 {
    7
}

#[test]
fn hooks_run_above_the_threshold_only() {
    isolated(|| {
        cache();
        panicking();
        set_memory(Some(1000));
        let at_it = on_memory_pressure(1000);
        assert_eq!((at_it.resident, at_it.threshold, at_it.freed), (Some(1000), Some(1000), None));
        assert_eq!(cache().lock().unwrap().len(), 100);
        assert!(!events().iter().any(|event| event.name == "lifecycle.memory.short"));

        let above = on_memory_pressure(999);
        assert!(above.is_short());
        assert_eq!(above.freed, Some(100));
        assert!(cache().lock().unwrap().is_empty());
        assert!(events().iter().any(|event| event.name == "lifecycle.memory.short"));
        assert_eq!(lifecycle::snapshot().memory, Some(above));
        set_memory(Some(300 << 20));
        on_memory_pressure(u64::MAX);
        lifecycle::invocation_blocking("a", || {});
        let shown = lifecycle::snapshot().to_string();
        assert!(
            shown.contains("memory: 300 MiB resident") && shown.contains("invocations: 1 begun, 0 under way"),
            "{shown}"
        );

        set_memory(None);
        assert_eq!(on_memory_pressure(1).freed, None);
        assert_eq!(lifecycle::snapshot().memory.unwrap().resident, None);
    });
    isolated(|| assert_eq!(lifecycle::snapshot().memory, None, "each world has its own"));
}

#[test]
fn a_part_is_of_what_the_function_has() {
    if !is_child("a_part_is_of_what_the_function_has") {
        in_child("a_part_is_of_what_the_function_has", &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")]);
        return;
    }
    const MIB: u64 = 1 << 20;
    isolated(|| {
        set_memory(Some(97 * MIB));
        let threshold = |part: f64| on_memory_pressure(part).threshold;
        assert_eq!(threshold(0.75), Some(96 * MIB));
        assert!(on_memory_pressure(0.75).is_short() && !on_memory_pressure(0.8).is_short());
        assert_eq!((threshold(2.0), threshold(-1.0), threshold(f64::NAN)), (Some(128 * MIB), Some(0), None));
        assert_eq!(on_memory_pressure(MemoryThreshold::Bytes(96 * MIB)).threshold, Some(96 * MIB));
    });
}

#[test]
fn without_a_function_a_part_is_of_nothing() {
    if !is_child("without_a_function_a_part_is_of_nothing") {
        in_child("without_a_function_a_part_is_of_nothing", &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "lots")]);
        return;
    }
    isolated(|| {
        set_memory(Some(u64::MAX));
        assert_eq!(on_memory_pressure(0.5).threshold, None);
        assert!(!on_memory_pressure(0.5).is_short());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_says_what_the_process_takes() {
    let before = on_memory_pressure(u64::MAX).resident.unwrap();
    let room = std::hint::black_box(vec![1_u8; 64 << 20]);
    let after = on_memory_pressure(u64::MAX).resident.unwrap();
    assert!(after >= before + (48 << 20), "{before} -> {after}");
    drop(room);
}

#[test]
fn a_reset_while_others_are_at_work_is_told() {
    isolated(|| {
        let gate = Arc::new(Gate::new());
        let start = || {
            let gate = gate.clone();
            ByHand::new(invocation("busy", async move {
                cache().lock().unwrap().push(1);
                gate.pass().await;
            }))
        };
        let warned = || events().iter().filter(|event| event.name == "lifecycle.invocation.reset_while_active").count();
        let mut one = start();
        assert!(one.poll().is_pending());
        let alone = reset_all_managers();
        assert!(alone.is_clean() && alone.hooks == 1 && alone.active_invocations == 1, "{alone}");
        assert_eq!(warned(), 0);
        assert!(cache().lock().unwrap().is_empty());

        let mut other = start();
        assert!(other.poll().is_pending());
        let among = lifecycle::compat::reset_all_managers();
        assert_eq!((among.active_invocations, among.failed.len(), among.is_clean()), (2, 0, false));
        assert!(among.to_string().contains("2 invocations were under way"), "{among}");
        assert!(among.to_string().contains("scope = invocation"), "{among}");
        assert_eq!(warned(), 1);
        assert!(cache().lock().unwrap().is_empty(), "it is done all the same");
    });
}
