//! The numbers of the by-name core, as the wire carries them.

use crate::registry::{SingletonSnapshot, labels};
use serde::{Serialize, Serializer};

/// The numbers of a core. Names that several share are given as paths.
///
/// ```
/// let singletons = lifecycle::singletons();
/// singletons.set("region", "eu-west-1".to_owned())?;
/// singletons.get::<String>("region")?;
/// let stats = singletons.get_stats();
/// assert_eq!(stats.total_singletons, 1);
/// assert_eq!(stats.access_counts, [("region".to_owned(), 1)]);
/// assert_eq!(stats.estimated_memory_bytes, size_of::<String>());
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SingletonStats {
    /// Instances that exist.
    pub total_singletons: usize,
    /// Their names, in the order of creation.
    pub singleton_names: Vec<String>,
    /// Their types.
    #[serde(serialize_with = "pairs")]
    pub singleton_types: Vec<(String, String)>,
    /// When each was stored, in seconds since 1970.
    #[serde(serialize_with = "pairs")]
    pub creation_times: Vec<(String, f64)>,
    /// How often each was handed out.
    #[serde(serialize_with = "pairs")]
    pub access_counts: Vec<(String, u64)>,
    /// Their shallow size, and what their `memory` hooks say they hold beside it.
    pub estimated_memory_bytes: usize,
    /// The same in KiB, to two decimals.
    pub estimated_memory_kb: f64,
    /// The same in MiB, to two decimals.
    pub estimated_memory_mb: f64,
    /// What the estimate covers.
    pub memory_note: &'static str,
    /// Operations refused by the limit.
    pub rate_limited_count: u64,
    /// When the numbers were taken, in seconds since 1970.
    pub timestamp: f64,
}

/// On the wire a list of pairs is an object.
fn pairs<S: Serializer, V: Serialize>(pairs: &[(String, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// Half up, to two decimals.
fn round2(value: f64) -> f64 {
    (value * 100.0 + 0.5).floor() / 100.0
}

impl SingletonStats {
    /// Of the instances that exist.
    pub(super) fn of(created: &[SingletonSnapshot], rate_limited_count: u64, timestamp: f64) -> Self {
        let identities = created.iter().map(|one| (one.name.as_str(), one.path.as_str(), one.declared_at.as_str()));
        let names = labels(identities);
        fn by_name<V>(
            names: &[String],
            of: &[SingletonSnapshot],
            value: impl Fn(&SingletonSnapshot) -> V,
        ) -> Vec<(String, V)> {
            names.iter().cloned().zip(of.iter().map(value)).collect()
        }
        // What hooks say may be anything.
        let size = |one: &SingletonSnapshot| one.size.saturating_add(one.heap.unwrap_or(0));
        let bytes = created.iter().map(size).fold(0_usize, usize::saturating_add);
        let declared_heap = created.iter().any(|one| one.heap.is_some());
        Self {
            total_singletons: created.len(),
            singleton_types: by_name(&names, created, |one| one.type_name.clone()),
            creation_times: by_name(&names, created, |one| one.created_at.unwrap_or_default()),
            access_counts: by_name(&names, created, |one| one.accesses),
            singleton_names: names,
            estimated_memory_bytes: bytes,
            estimated_memory_kb: round2(bytes as f64 / 1024.0),
            estimated_memory_mb: round2(bytes as f64 / 1_048_576.0),
            memory_note: if declared_heap {
                "Estimates are shallow size only (size_of) plus declared heap"
            } else {
                "Estimates are shallow size only (size_of)"
            },
            rate_limited_count,
            timestamp,
        }
    }
}
