//! One of each form of the evidence about operations that failed.

use pgauntlet::history::ServerError;
use pgauntlet::result::evidence::{FailedOperations, FailureCount, OperationFailure};
use pgauntlet::result::{Evidence, OperationRef};

pub fn of_failures(error: &ServerError) -> Vec<Evidence> {
    [
        OperationFailure::Error(error.clone()),
        OperationFailure::Indeterminate("reset by peer".to_owned()),
        OperationFailure::Unanswered,
    ]
    .map(|failure| {
        let operation = "insert-span".to_owned();
        let first = OperationRef { name: operation.clone(), pid: Some(7) };
        let (first_failure, deadlock) = (failure.clone(), None);
        let of =
            FailureCount { operation, failure: first_failure, operations: 2, before: 0, deadlock };
        let causes = vec![of];
        Evidence::OperationFailed(FailedOperations {
            operations: 2,
            first,
            failure,
            causes,
            sql: None,
            race: None,
            result_columns: vec![],
        })
    })
    .into()
}
