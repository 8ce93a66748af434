//! One of each form that the evidence of operations takes which are slower since the change.

use pgauntlet::clock::Micros;
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{ChangedScan, Served, SlowerOperation};

pub fn forms() -> Vec<Evidence> {
    let scan = |rows| ChangedScan {
        relation: "public.spans".to_owned(),
        index: "ix_spans_name".to_owned(),
        node_type: "Seq Scan".to_owned(),
        rows,
        before_cost: 8.3,
        cost: 1_200.0,
    };
    let of = |scan, operations| {
        let before = Served { operations: 40, p50_us: Micros(900) };
        let after = Served { operations, p50_us: Micros(operations * 1_000) };
        Evidence::OperationSlower(SlowerOperation { before, after, scan })
    };
    vec![of(None, 12), of(Some(scan(Some(50_000))), 12), of(Some(scan(None)), 0)]
}
