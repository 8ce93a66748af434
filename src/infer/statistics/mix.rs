//! Which operations an application has most of, by the counters of its tables.

use super::super::traffic::Mix;
use super::read::{Activity, Statistics};

/// Reads per write above which an application is read-heavy.
const READS_PER_WRITE: i64 = 5;
/// Writes of a hundred operations above which an application is write-heavy.
const WRITES_OF_100: i64 = 20;

impl Mix {
    /// By the counters of all tables together: a read is a scan that was begun, of a table or of an
    /// index (`seq_scan` and `idx_scan`), that of an UPDATE included; a write is a row that was
    /// inserted, updated or deleted. Rows that scans read are not counted, since one report reads
    /// millions. More than five reads for a write are read-heavy, else more than a fifth of writes
    /// is write-heavy; without any counter it is mixed.
    pub fn of(statistics: &Statistics) -> Mix {
        let known = statistics.tables.iter().filter_map(|table| table.activity);
        let (mut reads, mut writes) = (0_i64, 0_i64);
        for Activity { scans, inserts, updates, deletes } in known {
            reads = reads.saturating_add(scans);
            for written in [inserts, updates, deletes] {
                writes = writes.saturating_add(written);
            }
        }
        Mix::of_counts(reads, writes)
    }

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Mix::ReadHeavy => "read-heavy",
            Mix::Mixed => "mixed",
            Mix::WriteHeavy => "write-heavy",
        }
    }

    fn of_counts(reads: i64, writes: i64) -> Mix {
        let all = i128::from(reads) + i128::from(writes);
        match () {
            () if all == 0 => Mix::Mixed,
            () if i128::from(reads) > i128::from(READS_PER_WRITE) * i128::from(writes) => {
                Mix::ReadHeavy
            }
            () if 100 * i128::from(writes) > i128::from(WRITES_OF_100) * all => Mix::WriteHeavy,
            () => Mix::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::TableStatistics;
    use super::*;

    #[rstest::rstest]
    #[case::nothing_happened(0, 0, Mix::Mixed)]
    #[case::only_reads(1, 0, Mix::ReadHeavy)]
    #[case::only_writes(0, 1, Mix::WriteHeavy)]
    #[case::just_above_five_to_one(5_001, 1_000, Mix::ReadHeavy)]
    #[case::five_to_one(5_000, 1_000, Mix::Mixed)]
    #[case::a_fifth_of_writes(4_000, 1_000, Mix::Mixed)]
    #[case::just_above_a_fifth(3_999, 1_000, Mix::WriteHeavy)]
    #[case::counters_that_are_full(i64::MAX, i64::MAX, Mix::WriteHeavy)]
    fn a_mix_follows_from_reads_and_writes(
        #[case] reads: i64,
        #[case] writes: i64,
        #[case] mix: Mix,
    ) {
        assert_eq!(Mix::of_counts(reads, writes), mix);
    }

    fn used(scans: i64, inserts: i64, updates: i64, deletes: i64) -> TableStatistics {
        let activity = Some(Activity { scans, inserts, updates, deletes });
        TableStatistics { activity, ..TableStatistics::default() }
    }

    #[test]
    fn counters_of_all_tables_are_added() {
        let of = |tables| Mix::of(&Statistics { tables, ..Statistics::default() });
        assert_eq!(of(vec![used(1_000, 0, 900, 100)]), Mix::WriteHeavy);
        assert_eq!(of(vec![used(100, 0, 0, 0), used(0, 10, 9, 1)]), Mix::Mixed);
        assert_eq!(of(vec![used(101, 0, 0, 0), used(0, 10, 9, 1)]), Mix::ReadHeavy);
        assert_eq!(of(vec![TableStatistics::default()]), Mix::Mixed);
    }
}
